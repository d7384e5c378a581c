"""Bills as they come in from the ERP: ours get what was paid, theirs are linked to their order."""

from decimal import Decimal

import pytest

from models.domain.bills import ErpBillLine
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.store.connections import connections
from models.store.payables import bills
from tests.builders.records import (
    R1,
    R2,
    R3,
    a_receipt,
    an_erp_bill,
    an_order,
)
from tests.harness.tenant import (
    Tenant,
)

LINE = ErpBillLine(line_no=1, account="6000", item_id="ITEM-1", quantity=Decimal(4), amount=Decimal(50))


# --- ours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("paid", "status"), [("0", "synced"), ("20", "partially_paid"), ("50", "paid")])
async def test_what_was_paid_in_the_erp_shows_on_our_bill(tenant: Tenant, paid: str, status: str) -> None:
    """S4-26: bill status by partial or full payment."""
    bill_id = await tenant.bill_in_erp()
    done = await tenant.bills_in(an_erp_bill(900, paid=paid))
    row = await tenant.bill_row(bill_id)
    assert (row.status, row.paid, row.payable_revision) == (status, Decimal(paid), R1)
    assert done.ours == ((bill_id,) if paid != "0" else ())
    changed = [event.after for event in await tenant.events_of(bill_id) if event.kind == "changed_in_erp"]
    figures = {"status": status, "total": "50", "paid": paid, "rejected_in_erp": False}
    assert changed == ([figures] if paid != "0" else [])


async def test_a_payment_taken_back_takes_the_status_back(tenant: Tenant) -> None:
    bill_id = await tenant.bill_in_erp()
    await tenant.bills_in(an_erp_bill(900, paid="50"))
    await tenant.bills_in(an_erp_bill(900, paid="0", revision=R2))
    assert (await tenant.bill_row(bill_id)).status == "synced"


async def test_our_bill_is_known_by_our_key(tenant: Tenant) -> None:
    bill_id = await tenant.bill_in_erp(payable=None)
    await tenant.bills_in(an_erp_bill(950, paid="20", external_key=bills.external_key_for(bill_id)))
    row = await tenant.bill_row(bill_id)
    assert (row.payable_id, row.paid) == ("950", 20)
    assert len(await tenant.bill_rows()) == 1


async def test_a_copy_of_our_bill_is_not_ours(tenant: Tenant) -> None:
    """QuickBooks copies a bill with its private note, and our key in it: the copy comes in, and ours stays as it is."""
    bill_id = await tenant.bill_in_erp()
    key = bills.external_key_for(bill_id)
    document = (await tenant.bill_row(bill_id)).document_id
    original = an_erp_bill(900, paid="20", external_key=key, source_document=DocumentId(str(document)))
    copied = an_erp_bill(
        901, number="COPY", total="70", external_key=key, source_document=DocumentId("B901"), revision=R2
    )
    for page in ([original, copied], [copied], [original, copied.model_copy(update={"revision": R3})]):
        await tenant.bills_in(*page)
        row = await tenant.bill_row(bill_id)
        assert (row.payable_id, row.total, row.paid, row.number) == ("900", 50, 20, original.number)
        (other,) = [one for one in await tenant.bill_rows() if one.id != bill_id]
        assert (other.origin, other.number, other.total) == ("erp", "COPY", 70)


async def test_our_bill_is_known_by_its_document_when_the_payable_changed(tenant: Tenant) -> None:
    """Field note U-8: editing a vendor invoice gives its payable a new record number."""
    bill_id = await tenant.bill_in_erp(payable="900")
    await tenant.bills_in(an_erp_bill(900))
    await tenant.bills_in(an_erp_bill(951, revision=R2, source_document=DocumentId("Vendor Invoice-1")))
    assert (await tenant.bill_row(bill_id)).payable_id == "951"
    await tenant.bills_in(an_erp_bill(900, paid="50", revision=R1, source_document=DocumentId("Vendor Invoice-1")))
    row = await tenant.bill_row(bill_id)
    assert (row.payable_id, row.paid, row.status) == ("951", 0, "synced")


async def test_our_bill_never_loses_what_people_entered(tenant: Tenant) -> None:
    """Vendor, number and dates follow the ERP (B2); what says of which order the bill is stays."""
    bill_id = await tenant.bill_in_erp()
    before = await tenant.bill_row(bill_id)
    await tenant.bills_in(an_erp_bill(900, number="else", memo="else", vendor_id="V9", reference="PO-9"))
    after = await tenant.bill_row(bill_id)
    kept = ("memo", "reference", "purchase_order_id", "external_key", "origin")
    assert after.vendor_id == "V9"
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert await tenant.pending(an_order()) == 4


async def test_a_bill_whose_push_is_not_confirmed_keeps_its_status(tenant: Tenant) -> None:
    """Its own workflow settles what the ERP holds (DESIGN section 5)."""
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.bills_in(an_erp_bill(900, paid="50", external_key=bills.external_key_for(bill_id)))
    row = await tenant.bill_row(bill_id)
    assert (row.status, row.paid, row.payable_id) == ("pending_push", 50, "900")


async def test_the_same_page_again_writes_nothing(tenant: Tenant) -> None:
    """S4-26: run twice, written once, told once."""
    await tenant.bill_in_erp()
    page = [an_erp_bill(900, paid="20"), an_erp_bill(901, reference="PO-1007")]
    assert (await tenant.bills_in(*page)).changed == 2
    before = await tenant.fingerprint()
    assert (await tenant.bills_in(*page))[:3] == (2, 0, ())
    assert await tenant.fingerprint() == before


async def test_an_older_page_never_takes_a_payment_back(tenant: Tenant) -> None:
    bill_id = await tenant.bill_in_erp()
    await tenant.bills_in(an_erp_bill(900, paid="50", revision=R2))
    await tenant.bills_in(an_erp_bill(900, paid="0", revision=R1))
    assert (await tenant.bill_row(bill_id)).paid == 50


async def test_a_total_changed_in_the_erp_comes_in(tenant: Tenant) -> None:
    """S4-74: to edit such a bill, edit it in the ERP and let the update sync in."""
    bill_id = await tenant.bill_in_erp()
    await tenant.bills_in(an_erp_bill(900, total="40", paid="40"))
    row = await tenant.bill_row(bill_id)
    assert (row.total, row.paid, row.status) == (40, 40, "paid")


# --- theirs -----------------------------------------------------------------------------------------------------


async def test_a_bill_made_in_the_erp_comes_in_with_its_lines(tenant: Tenant) -> None:
    """S1-23: several bills may be linked to one order, also those made in the ERP."""
    await tenant.page(an_order())
    line = LINE.model_copy(update={"order_line": ErpId("10071"), "source_line": ErpId("10071")})
    bill = an_erp_bill(901, order_document=DocumentId("Purchase Order-PO-1007"), lines=(line,), memo="by hand")
    assert (await tenant.bills_in(bill)).changed == 1
    (row,) = await tenant.bill_rows()
    assert (row.origin, row.status, row.number, row.memo, row.total) == ("erp", "synced", "S-901", "by hand", 50)
    assert (row.purchase_order_id, row.linked_in_erp) == (tenant.id_of(an_order()), True)
    (line_row,) = await tenant.fetch("select * from bill_lines where bill_id = :id", id=row.id)
    assert (line_row.purchase_order_line_no, line_row.quantity, line_row.price) == (1, 4, Decimal("12.5"))
    assert line_row.sources == [{"document_id": "Purchase Order-PO-1007", "line": "10071", "quantity": "4"}]
    assert (line_row.account, line_row.reserves) == ("6000", False)


async def test_their_quantities_are_inside_e_already(tenant: Tenant) -> None:
    """matching.md 3.1: E is the ERP's word; a bill made there must not count twice."""
    await tenant.page(an_order(billed={1: 4}))
    await tenant.bills_in(an_erp_bill(901, order_document=DocumentId("Purchase Order-PO-1007")))
    assert await tenant.billed_net(an_order()) == 4


async def test_without_a_link_the_reference_number_names_the_order(tenant: Tenant) -> None:
    """S4-64, S4-71: the PO number is in the reference number field."""
    await tenant.page(an_order())
    await tenant.bills_in(an_erp_bill(901, reference="PO-1007"), an_erp_bill(902, reference="whatever"))
    linked, free = await tenant.bill_rows()
    assert (linked.purchase_order_id, linked.linked_in_erp) == (tenant.id_of(an_order()), False)
    assert free.purchase_order_id is None


async def test_a_reference_links_only_to_an_order_of_the_same_vendor(tenant: Tenant) -> None:
    await tenant.page(an_order(vendor_id="V2"))
    await tenant.bills_in(an_erp_bill(901, reference="PO-1007"))
    (row,) = await tenant.bill_rows()
    assert row.purchase_order_id is None


async def test_the_erps_link_wins_over_the_reference_and_the_disagreement_is_told(tenant: Tenant) -> None:
    """G8: prefer the ERP's own link, fall back to the reference number, flag if they disagree."""
    await tenant.page(an_order(1), an_order(2))
    bill = an_erp_bill(901, order_document=DocumentId("Purchase Order-PO-1"), reference="PO-2")
    await tenant.bills_in(bill)
    (row,) = await tenant.bill_rows()
    assert row.purchase_order_id == tenant.id_of(an_order(1))
    issue = (await tenant.open_issues())["LINK_DISAGREES"]
    assert (issue.subject_id, issue.evidence) == (row.id, {"linked": "PO-1", "reference": "PO-2", "bill": "901"})
    assert "PO-1" in issue.cause
    assert issue.subject_name == bill.number
    await tenant.bills_in(bill.model_copy(update={"reference": "PO-1", "revision": R2}))
    assert await tenant.open_issues() == {}


async def test_a_reference_never_overrules_a_link_to_an_order_we_do_not_hold(tenant: Tenant) -> None:
    await tenant.page(an_order(2))
    bill = an_erp_bill(901, order_document=DocumentId("Purchase Order-PO-1"), reference="PO-2")
    await tenant.bills_in(bill)
    assert (await tenant.bill_rows())[0].purchase_order_id is None


async def test_a_bill_finds_its_order_when_that_comes_in_later(tenant: Tenant) -> None:
    """S1-12: an older order comes in when it is edited."""
    await tenant.bills_in(an_erp_bill(901, order_document=DocumentId("Purchase Order-PO-1007")))
    await tenant.page(an_order())
    assert (await tenant.bill_rows())[0].purchase_order_id == tenant.id_of(an_order())


async def test_a_bill_behind_a_receipt_is_not_linked_in_two_way_mode(tenant: Tenant) -> None:
    """S1-20: converted to a receiver first, the bill is not linked to the PO; the reference does not link it either."""
    order = an_order()
    await tenant.page(order)
    receipt = a_receipt(order, {1: 4})
    await tenant.receive(receipt)
    await tenant.bills_in(an_erp_bill(901, receipt_document=receipt.document_id, reference="PO-1007"))
    (row,) = await tenant.bill_rows()
    assert (row.purchase_order_id, row.receipt_document) == (None, receipt.document_id)


async def test_a_bill_behind_a_receipt_belongs_to_the_receipts_order_in_three_way_mode(tenant: Tenant) -> None:
    """S5-27: orders and receipts are matched to the invoice."""
    await tenant.execute("update connections set match_mode = 'three_way' where id = :id", id=tenant.connection_id)
    order = an_order()
    await tenant.page(order)
    receipt = a_receipt(order, {1: 4})
    await tenant.receive(receipt)
    await tenant.bills_in(an_erp_bill(901, receipt_document=receipt.document_id))
    assert (await tenant.bill_rows())[0].purchase_order_id == tenant.id_of(order)


async def test_a_link_made_by_hand_stays_and_edits_do_not_sync(tenant: Tenant) -> None:
    """S1-21, S1-22: linked by hand, edits in either system are made by hand in both; what is paid still comes in."""
    await tenant.page(an_order())
    await tenant.bills_in(an_erp_bill(901, receipt_document=DocumentId("PO Receiver-R-1")))
    await tenant.execute(
        "update bills set purchase_order_id = :order, manual_both_sides = true where connection_id = :c",
        order=tenant.id_of(an_order()),
        c=tenant.connection_id,
    )
    await tenant.bills_in(
        an_erp_bill(901, revision=R2, paid="20", memo="else", receipt_document=DocumentId("PO Receiver-R-1"))
    )
    (row,) = await tenant.bill_rows()
    assert (row.purchase_order_id, row.memo, row.paid, row.status) == (
        tenant.id_of(an_order()), "", 20, "partially_paid"
    )  # fmt: skip


async def test_nothing_is_linked_while_the_feature_is_off_and_links_stay(tenant: Tenant) -> None:
    """S1-32: disabling leaves what is linked and links nothing new."""
    await tenant.page(an_order())
    document = DocumentId("Purchase Order-PO-1007")
    await tenant.bills_in(an_erp_bill(901, order_document=document))
    async with tenant.database.transaction() as s:
        await connections.set_purchase_orders_enabled(s, tenant.connection_id, False)
    await tenant.bills_in(
        an_erp_bill(901, order_document=document, revision=R2, memo="edited"),
        an_erp_bill(902, order_document=document),
    )
    kept, new = await tenant.bill_rows()
    assert (kept.purchase_order_id, kept.memo) == (tenant.id_of(an_order()), "edited")
    assert new.purchase_order_id is None


async def test_a_bill_of_theirs_keeps_its_row_when_its_payable_changes(tenant: Tenant) -> None:
    """Field note U-8."""
    document = DocumentId("Vendor Invoice-77")
    await tenant.bills_in(an_erp_bill(901, source_document=document))
    await tenant.bills_in(an_erp_bill(955, source_document=document, revision=R2, paid="50"))
    (row,) = await tenant.bill_rows()
    assert (row.payable_id, row.status) == ("955", "paid")


async def test_a_foreign_key_on_a_bill_of_theirs_makes_it_no_bill_of_ours(tenant: Tenant) -> None:
    await tenant.bill_in_erp()
    await tenant.bills_in(an_erp_bill(901, external_key=ExternalKey("INV-77")))
    assert [row.origin for row in await tenant.bill_rows()].count("erp") == 1


async def test_every_bill_is_its_own_connections(tenant: Tenant, other_tenant: Tenant) -> None:
    bill_id = await tenant.bill_in_erp()
    await other_tenant.bills_in(an_erp_bill(900, paid="50", revision=R3))
    assert (await tenant.bill_row(bill_id)).paid == 0
    assert [row.organization_id for row in await other_tenant.bill_rows()] == [other_tenant.organization_id]


async def test_the_number_of_statements_does_not_grow_with_the_page(tenant: Tenant) -> None:
    """DESIGN section 7: set-based SQL."""

    async def statements(first: int, count: int) -> int:
        sent = tenant.database.statements
        await tenant.bills_in(*(an_erp_bill(number) for number in range(first, first + count)))
        return tenant.database.statements - sent

    assert await statements(1000, 1) == await statements(2000, 50)
