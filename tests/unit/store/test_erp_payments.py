"""Payments as they come in from the ERP, and what was deleted there."""

from datetime import date
from decimal import Decimal

import pytest

from models.domain.ids import BillId, CreditApplicationId, ErpId, PaymentId
from models.domain.lists import ListKind
from models.domain.payments import PaymentStatus, PushedPayment
from models.domain.sync import DeletedKind
from models.store.payables import credit_applications, payments, reserved_amounts
from models.store.sync import list_entries
from tests.builders.records import (
    R1,
    R2,
    R3,
    a_credit,
    a_list_entry,
    a_receipt,
    an_erp_bill,
    an_erp_payment,
    an_order,
    billing,
    gone,
)
from tests.harness.tenant import (
    Tenant,
)


async def our_bill(tenant: Tenant) -> BillId:
    """A bill of ours over 50.00 the ERP holds as payable 900, settled."""
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    shown = an_order(revision=R2, billed={1: 4})
    await tenant.refresh(shown, [billing(shown, bill_id)])
    await tenant.synced(bill_id, erp_id="8001", document="Vendor Invoice-1", payable="900")
    return bill_id


async def our_payment(tenant: Tenant, bill_id: BillId, amount: str = "50") -> PaymentId:
    payment_id = payments.payment_id_for(tenant.organization_id, f"pay-{bill_id}-{amount}", "INV-1")
    async with tenant.database.transaction() as s:
        bill = await payments.lock_bill(s, bill_id)
        assert bill is not None
        await payments.create(
            s,
            payment_id,
            bill_id,
            bill,
            amount=Decimal(amount),
            pay_on=date(2026, 3, 20),
            method="EFT",
            bank_account="BANK",
            actor="someone",
        )
    return payment_id


async def test_a_payment_made_in_the_erp_comes_in_share_by_share(tenant: Tenant) -> None:
    """S4-26, S5-33: payments made in Intacct come back; one row per bill paid."""
    bill_id = await our_bill(tenant)
    await tenant.bills_in(an_erp_bill(901))
    done = await tenant.payments_in(an_erp_payment(700, shares={"900": "30", "901": "50", "4711": "5"}))
    rows = sorted(await tenant.payment_rows(), key=lambda row: row.amount)
    assert [(row.amount, row.status, row.origin, row.erp_id) for row in rows] == [
        (30, "paid", "erp", "700"),
        (50, "paid", "erp", "700"),
    ]
    ours = await tenant.bill_row(bill_id)
    assert (ours.paid, ours.status) == (30, "partially_paid")
    theirs = next(row for row in await tenant.bill_rows() if row.origin == "erp")
    assert theirs.status == "synced"
    assert done.ours == (bill_id,)


async def test_of_two_records_under_one_key_one_is_taken_for_our_payment(tenant: Tenant) -> None:
    """3.6: a sync sees the payments that Intacct made of one request before they are read back, on one page or two: our
    amount is what was asked, once, and the other record was made there."""
    bill_id = await our_bill(tenant)
    payment_id = await our_payment(tenant, bill_id)
    key = payments.external_key_for(payment_id)
    first, second, void = (
        an_erp_payment(number, shares={"900": "25"}, document_number=key, voided=number == 69)
        for number in (700, 701, 69)
    )
    await tenant.payments_in(second, first, void)
    await tenant.payments_in(an_erp_payment(702, shares={"900": "5"}, document_number=key))
    rows = sorted(await tenant.payment_rows(), key=lambda row: row.erp_id)
    assert [(row.erp_id, row.origin, row.amount, row.status) for row in rows] == [
        ("69", "erp", 25, "voided"),
        ("700", "posync", 50, "scheduled"),
        ("701", "erp", 25, "paid"),
        ("702", "erp", 5, "paid"),
    ]


async def test_a_bill_that_shows_the_payment_already_is_not_paid_twice(tenant: Tenant) -> None:
    """The bill's own figure is the ERP's word; a payment of the same moment adds nothing."""
    bill_id = await our_bill(tenant)
    await tenant.bills_in(an_erp_bill(900, paid="30", revision=R2))
    assert (await tenant.payments_in(an_erp_payment(700, shares={"900": "30"}, revision=R2))).ours == ()
    assert (await tenant.bill_row(bill_id)).paid == 30


async def test_the_same_payments_again_write_nothing(tenant: Tenant) -> None:
    await our_bill(tenant)
    page = [an_erp_payment(700, shares={"900": "30"}), an_erp_payment(701, shares={"4711": "5"})]
    await tenant.payments_in(*page)
    before = await tenant.fingerprint()
    await tenant.payments_in(page[0])
    assert await tenant.fingerprint() == before
    assert len(await tenant.payment_rows()) == 1


async def test_a_payment_the_erp_keeps_waiting_has_paid_nothing_yet(tenant: Tenant) -> None:
    bill_id = await our_bill(tenant)
    await tenant.payments_in(an_erp_payment(700, shares={"900": "50"}, settled=False))
    (payment,) = await tenant.payment_rows()
    assert (payment.status, (await tenant.bill_row(bill_id)).paid) == ("submitted", 0)
    await tenant.payments_in(an_erp_payment(700, shares={"900": "50"}, revision=R2))
    (payment,) = await tenant.payment_rows()
    assert (payment.status, (await tenant.bill_row(bill_id)).status) == ("paid", "paid")


async def test_an_older_payment_never_overwrites_a_newer_one(tenant: Tenant) -> None:
    await our_bill(tenant)
    await tenant.payments_in(an_erp_payment(700, shares={"900": "30"}, revision=R2, voided=True))
    await tenant.payments_in(an_erp_payment(700, shares={"900": "30"}, revision=R1))
    assert [row.status for row in await tenant.payment_rows()] == ["voided"]


async def test_a_void_in_the_erp_takes_payment_and_bill_status_back(tenant: Tenant) -> None:
    bill_id = await our_bill(tenant)
    await tenant.payments_in(an_erp_payment(700, shares={"900": "50"}))
    assert (await tenant.bill_row(bill_id)).status == "paid"
    done = await tenant.payments_in(an_erp_payment(700, shares={"900": "50"}, revision=R2, voided=True))
    bill = await tenant.bill_row(bill_id)
    assert (bill.status, bill.paid, done.ours) == ("synced", 0, (bill_id,))
    (payment,) = await tenant.payment_rows()
    assert payment.status == "voided"
    assert [event.after["status"] for event in await tenant.events_of(payment.id)] == ["paid", "voided"]


async def test_a_void_the_bill_already_shows_is_not_taken_back_twice(tenant: Tenant) -> None:
    bill_id = await our_bill(tenant)
    await tenant.payments_in(an_erp_payment(700, shares={"900": "20"}), an_erp_payment(701, shares={"900": "30"}))
    await tenant.bills_in(an_erp_bill(900, paid="30", revision=R3))
    await tenant.payments_in(an_erp_payment(700, shares={"900": "20"}, revision=R2, voided=True))
    bill = await tenant.bill_row(bill_id)
    assert (bill.paid, bill.status) == (30, "partially_paid")


async def test_our_payment_is_known_by_our_key(tenant: Tenant) -> None:
    """S5-38: the payment's document number is our key; it never comes in a second time."""
    bill_id = await our_bill(tenant)
    payment_id = await our_payment(tenant, bill_id)
    key = payments.external_key_for(payment_id)
    await tenant.payments_in(an_erp_payment(700, shares={"900": "50"}, document_number=key))
    (row,) = await tenant.payment_rows()
    assert (row.id, row.origin, row.erp_id, row.erp_revision, row.status) == (
        payment_id,
        "posync",
        "700",
        R1,
        "scheduled",
    )


async def test_our_payment_voided_in_the_erp_is_voided_here(tenant: Tenant) -> None:
    bill_id = await our_bill(tenant)
    payment_id = await our_payment(tenant, bill_id)
    key = payments.external_key_for(payment_id)
    await tenant.execute("update payments set status = 'paid' where id = :id", id=payment_id)
    await tenant.execute("update bills set status = 'paid', paid = 50 where id = :id", id=bill_id)
    done = await tenant.payments_in(
        an_erp_payment(700, shares={"900": "50"}, revision=R2, voided=True, document_number=key)
    )
    (row,) = await tenant.payment_rows()
    bill = await tenant.bill_row(bill_id)
    assert (row.status, bill.status, bill.paid, done.ours) == ("voided", "synced", 0, (bill_id,))


async def test_with_a_payment_still_promised_the_bill_goes_back_to_scheduled(tenant: Tenant) -> None:
    bill_id = await our_bill(tenant)
    await tenant.payments_in(an_erp_payment(700, shares={"900": "20"}))
    await our_payment(tenant, bill_id, "30")
    await tenant.payments_in(an_erp_payment(700, shares={"900": "20"}, revision=R2, voided=True))
    assert (await tenant.bill_row(bill_id)).status == "scheduled"


# --- sent by us, while the ERP shows no bill ----------------------------------------------------------------------


async def sent_payment(tenant: Tenant, bill_id: BillId, amount: str) -> PaymentId:
    payment_id = await our_payment(tenant, bill_id, amount)
    async with tenant.database.transaction() as s:
        await payments.set_status(s, payment_id, PaymentStatus.SUBMITTED, actor="someone", why="sent to the ERP")
    return payment_id


def taken(amount: str = "20", *, revision: str = R2, settled: bool = True) -> PushedPayment:
    """The ERP took our payment, and nobody may read the bill."""
    return PushedPayment(
        erp_id=ErpId("700"),
        state="Paid",
        settled=settled,
        amount=Decimal(amount),
        revision=revision,
        payable_id=ErpId("900"),
        bill_paid=None,
        bill_due=None,
    )


async def test_a_payment_counts_once_by_its_own_amount_where_its_bill_cannot_be_read(tenant: Tenant) -> None:
    """What is open is less from now on; a repeat of the same answer takes nothing more."""
    bill_id = await our_bill(tenant)
    payment_id = await sent_payment(tenant, bill_id, "20")
    for _ in range(2):
        async with tenant.database.transaction() as s:
            balance = await payments.pushed(s, payment_id, taken())
        assert (balance.status, Decimal(balance.paid), Decimal(balance.due)) == ("partially_paid", 20, 30)
    async with tenant.database.transaction() as s:
        bill = await payments.lock_bill(s, bill_id)
    assert bill is not None
    assert (bill.paid, bill.promised, bill.open) == (20, 0, 30)
    await tenant.bills_in(an_erp_bill(900, paid="50", revision=R3))
    assert (await tenant.bill_row(bill_id)).paid == 50, "the bill's own word counts as soon as it is read"


async def test_a_payment_that_the_bill_shows_already_does_not_count_beside_it(tenant: Tenant) -> None:
    """A sync read the bill between the ERP's answer and our storing it."""
    bill_id = await our_bill(tenant)
    payment_id = await sent_payment(tenant, bill_id, "20")
    await tenant.bills_in(an_erp_bill(900, paid="20", revision=R3))
    async with tenant.database.transaction() as s:
        balance = await payments.pushed(s, payment_id, taken())
    assert (Decimal(balance.paid), (await tenant.bill_row(bill_id)).paid) == (20, 20)


async def test_a_payment_that_the_erp_keeps_waiting_does_not_count_yet(tenant: Tenant) -> None:
    bill_id = await our_bill(tenant)
    payment_id = await sent_payment(tenant, bill_id, "20")
    async with tenant.database.transaction() as s:
        await payments.pushed(s, payment_id, taken(settled=False))
    assert (await tenant.bill_row(bill_id)).paid == 0


# --- deletions --------------------------------------------------------------------------------------------------


async def test_a_deleted_order_is_marked_and_its_workflow_notified(tenant: Tenant) -> None:
    """S5-78, S5-111: POs deleted since the last sync."""
    await tenant.page(an_order())
    await tenant.wake_all()
    done = await tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, "1007"))
    assert (done.purchase_orders, done.changed) == (1, 1)
    row = await tenant.row(an_order())
    assert (row.matching_status, row.deleted_at is not None) == ("deleted", True)
    assert len(await tenant.to_notify()) == 1
    assert (await tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, "1007"))).changed == 0


async def test_an_old_page_does_not_bring_a_deleted_order_back_a_new_one_does(tenant: Tenant) -> None:
    await tenant.page(an_order())
    await tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, "1007"))
    await tenant.page(an_order(memo="read before it was deleted"))
    assert (await tenant.row(an_order())).deleted_at is not None
    await tenant.page(an_order(revision=R2))
    assert (await tenant.row(an_order())).deleted_at is None


async def test_a_deleted_receipt_is_not_received(tenant: Tenant) -> None:
    """S5-113: receivers deleted since the last sync."""
    order = an_order(billed={1: 6})
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 6}))
    await tenant.wake_all()
    assert (await tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, "501"))).receipts == 1
    line = (await tenant.lines(order))[1]
    assert (line.received, line.billed) == (0, 6)
    assert len(await tenant.to_notify()) == 1


async def test_a_receipt_that_became_our_bill_under_its_id_ends_the_receipt_alone(tenant: Tenant) -> None:
    """Issue 12: a person turned an item receipt into the bill, we took that as ours, and the receipt is listed as
    deleted under the id that is the bill's now."""
    order = an_order(billed={1: 6})
    bill_id = await our_bill(tenant)
    await tenant.page(order.model_copy(update={"revision": R2}))
    await tenant.receive(a_receipt(order, {1: 6}).model_copy(update={"erp_id": ErpId("8001")}))
    done = await tenant.deleted(gone(DeletedKind.RECEIPT, "8001"))
    assert (done.receipts, done.bills, done.ours) == (1, 0, ())
    assert (await tenant.bill_row(bill_id)).status == "synced"
    assert (await tenant.lines(order))[1].received == 0


async def test_our_vendor_invoice_deleted_in_the_erp_ends_the_bill_and_tells_a_person(tenant: Tenant) -> None:
    """S5-136: vendor invoices deleted since the last sync."""
    bill_id = await our_bill(tenant)
    done = await tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, "8001"))
    assert (done.bills, done.ours) == (1, (bill_id,))
    assert (await tenant.bill_row(bill_id)).status == "deleted"
    assert await tenant.open_issues() == {}, "its quantity is free by itself"
    (notice,) = await tenant.fetch("select * from notices where connection_id = :c")
    assert (notice.code, notice.subject_kind, notice.subject_id) == ("DELETED_IN_ERP", "bill", bill_id)
    events = await tenant.events_of(bill_id)
    assert (events[-1].before, events[-1].after) == ({"status": "synced"}, {"status": "deleted"})
    assert [row.erp_id for row in await tenant.to_notify()] == ["1007"]
    again = await tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, "8001"))
    assert (again.changed, again.ours) == (0, ())


async def test_a_bill_deleted_before_the_double_sync_frees_its_quantity(tenant: Tenant) -> None:
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.synced(bill_id, erp_id="8001", document="Vendor Invoice-1", payable="900")
    await tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, "8001"))
    assert await tenant.pending(an_order()) == 0


async def test_after_the_deletion_a_refresh_of_the_same_second_is_believed(tenant: Tenant) -> None:
    bill_id = await our_bill(tenant)
    await tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, "8001"))
    await tenant.refresh(an_order(revision=R2))
    assert await tenant.billed_net(an_order()) == 0
    assert (await tenant.bill_row(bill_id)).status == "deleted"


async def test_the_payable_of_our_bill_may_go_without_the_bill(tenant: Tenant) -> None:
    """Field note U-8: editing the vendor invoice deletes its payable and makes a new one."""
    bill_id = await our_bill(tenant)
    done = await tenant.deleted(gone(DeletedKind.BILL, "900"))
    bill = await tenant.bill_row(bill_id)
    assert (done.bills, bill.status, bill.payable_id) == (0, "synced", None)
    await tenant.bills_in(an_erp_bill(960, source_document="Vendor Invoice-1"))
    assert (await tenant.bill_row(bill_id)).payable_id == "960"


async def test_a_bill_of_theirs_deleted_in_the_erp_is_marked(tenant: Tenant) -> None:
    await tenant.bills_in(an_erp_bill(901))
    assert (await tenant.deleted(gone(DeletedKind.BILL, "901"))).bills == 1
    assert [row.status for row in await tenant.bill_rows()] == ["deleted"]
    assert await tenant.open_issues() == {}


async def test_a_payment_deleted_in_the_erp_is_voided(tenant: Tenant) -> None:
    bill_id = await our_bill(tenant)
    await tenant.payments_in(an_erp_payment(700, shares={"900": "50"}))
    done = await tenant.deleted(gone(DeletedKind.PAYMENT, "700"))
    assert (done.payments, done.ours) == (1, (bill_id,))
    bill = await tenant.bill_row(bill_id)
    assert (bill.status, bill.paid, (await tenant.payment_rows())[0].status) == ("synced", 0, "voided")


async def test_a_deleted_list_entry_is_out_of_use_and_only_in_its_own_list(tenant: Tenant) -> None:
    async with tenant.database.transaction() as s:
        both = [a_list_entry(1), a_list_entry(1, kind=ListKind.ITEM, key="ITEM-1")]
        await list_entries.upsert(s, tenant.connection_id, both)
    assert (await tenant.deleted(gone(DeletedKind.LIST_ENTRY, "1", ListKind.VENDOR))).list_entries == 1
    async with tenant.database.transaction() as s:
        assert await list_entries.find(s, tenant.connection_id, ListKind.VENDOR, "V1") is None
        assert await list_entries.find(s, tenant.connection_id, ListKind.ITEM, "ITEM-1") is not None
        assert (await list_entries.upsert(s, tenant.connection_id, [a_list_entry(1)])).changed == 0
        assert (await list_entries.upsert(s, tenant.connection_id, [a_list_entry(1, revision=R2)])).changed == 1


async def test_what_another_connection_deleted_is_not_ours(tenant: Tenant, other_tenant: Tenant) -> None:
    await tenant.page(an_order())
    assert (await other_tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, "1007"))).changed == 0
    assert (await tenant.row(an_order())).deleted_at is None


@pytest.mark.parametrize(
    ("status", "is_shown", "reserved"),
    [("applying", False, 30), ("applied", False, 30), ("applied", True, 0), ("unapplying", False, 30),
     ("unapplying", True, 0), ("unapplied", True, 0), ("refused", False, 0)],
)  # fmt: skip
async def test_what_the_figures_of_the_erp_show_of_a_credit_is_not_reserved_besides(
    tenant: Tenant, status: str, is_shown: bool, reserved: int
) -> None:
    """R09: of an application that is being undone, too: the bill's paid figure holds it until the ERP has freed it."""
    bill_id = await our_bill(tenant)
    await tenant.bills_in(a_credit(950))
    (credit_id,) = [row.id for row in await tenant.bill_rows() if row.kind == "credit"]
    async with tenant.database.transaction() as s:
        row = credit_applications.new_row(
            CreditApplicationId(f"application of {credit_id}"),
            organization_id=tenant.organization_id,
            connection_id=tenant.connection_id,
            credit_id=BillId(credit_id),
            bill_id=bill_id,
            amount=Decimal(30),
            on_bill=Decimal(30),
            currency="USD",
            dated=date(2026, 3, 20),
            actor="someone",
        )
        row.status, row.shown = status, is_shown
        await credit_applications.create(s, row)
        assert await reserved_amounts.on_bill(s, bill_id) == reserved
        assert await reserved_amounts.of_credit(s, BillId(credit_id)) == reserved
        assert await reserved_amounts.is_any_under_way(s, bill_id) is (status in ("applying", "unapplying"))
