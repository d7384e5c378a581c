"""Receipts against orders: R, and what of E is not really billed (S5-113..135)."""

import pytest

from models.domain.ids import DocumentId, ErpId
from models.domain.orders import PurchaseOrder
from models.domain.receipts import ReceiptStatus
from models.domain.sync import DeletedKind, Deletion
from models.store.orders import receipts
from tests.builders.records import (
    R1,
    R2,
    R3,
    a_receipt,
    an_order,
    billing,
)
from tests.harness.tenant import (
    Tenant,
)


async def test_a_receipt_counts_as_received_and_not_as_billed(tenant: Tenant) -> None:
    """S4-11, S5-126: where a receipt converts the order, what the ERP counts as converted includes what came in."""
    order = an_order(billed={1: 6})
    await tenant.page(order)
    assert (await tenant.lines(order))[1].billed == 6
    assert await tenant.receive(a_receipt(order, {1: 6})) == (1, 1)
    line = (await tenant.lines(order))[1]
    assert (line.converted, line.received, line.receipts_billed, line.billed) == (6, 6, 0, 0)


async def test_what_was_billed_from_a_receipt_is_billed(tenant: Tenant) -> None:
    """S1-20: order to receipt to vendor invoice; 6 received, 4 of them billed, and 2 billed from the order itself."""
    order = an_order(billed={1: 8})
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 6}, billed={1: 4}))
    line = (await tenant.lines(order))[1]
    assert (line.received, line.billed, line.billed_amount) == (6, 6, 75)


async def test_where_receipts_do_not_count_as_billed_e_is_the_erps_figure(tenant: Tenant) -> None:
    """NetSuite counts what was billed and what was received apart (S4-50, S4-51)."""
    tenant.receipts_count_as_billed = False
    order = an_order(billed={1: 3})
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 6}))
    line = (await tenant.lines(order))[1]
    assert (line.received, line.billed) == (6, 3)


async def test_several_receipts_add_up(tenant: Tenant) -> None:
    order = an_order(lines={1: 10, 2: 10}, billed={1: 7, 2: 1})
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 4}), a_receipt(order, {1: 3, 2: 1}, number=502))
    assert {no: line.received for no, line in (await tenant.lines(order)).items()} == {1: 7, 2: 1}


@pytest.mark.parametrize(
    ("status", "word", "counts"),
    [
        (ReceiptStatus.ACTIVE, "Pending", True),
        (ReceiptStatus.ACTIVE, "In Progress", True),
        (ReceiptStatus.ACTIVE, "Partially Converted", True),
        (ReceiptStatus.CLOSED, "Closed", True),
        (ReceiptStatus.CLOSED, "Converted", True),
        (ReceiptStatus.ACTIVE, "Draft", False),
        (ReceiptStatus.DELETED, "Declined", False),
    ],
)
async def test_which_receipts_have_received_something(
    tenant: Tenant, status: ReceiptStatus, word: str, counts: bool
) -> None:
    """S5-129..S5-135: a draft has received nothing yet, a declined one never will."""
    order = an_order(billed={1: 6} if counts else {})
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 6}, erp_status=word), status=status)
    line = (await tenant.lines(order))[1]
    assert (line.received, line.billed) == ((6, 0) if counts else (0, 0))


async def test_receipts_wake_the_order_and_change_its_snapshot(tenant: Tenant) -> None:
    order = an_order(billed={1: 6})
    await tenant.page(order)
    await tenant.wake_all()
    await tenant.receive(a_receipt(order, {1: 6}))
    assert [notified.erp_id for notified in await tenant.to_notify()] == ["1007"]
    assert (await tenant.row(order)).snapshot == 2


async def test_the_same_receipts_again_write_nothing(tenant: Tenant) -> None:
    """S5-113: run twice, written once."""
    order = an_order(billed={1: 6})
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 6}))
    await tenant.wake_all()
    before = await tenant.fingerprint()
    assert await tenant.receive(a_receipt(order, {1: 6})) == (1, 0)
    assert await tenant.fingerprint() == before


async def test_an_older_receipt_never_overwrites_a_newer_one(tenant: Tenant) -> None:
    order = an_order(billed={1: 6})
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 6}, revision=R2))
    await tenant.receive(a_receipt(order, {1: 2}, revision=R1))
    assert (await tenant.lines(order))[1].received == 6


async def test_a_receipt_that_came_before_its_order_finds_it(tenant: Tenant) -> None:
    """S1-12: an older order comes in only once it is edited, its receipts may be here already."""
    order = an_order(billed={1: 6})
    await tenant.receive(a_receipt(order, {1: 6}))
    await tenant.page(order)
    line = (await tenant.lines(order))[1]
    assert (line.received, line.billed) == (6, 0)


async def test_received_quantities_wait_while_our_bill_is_on_its_way(tenant: Tenant) -> None:
    """A receipt read after the order would make E too small while P cannot be judged: the refresh takes both."""
    order = an_order(billed={1: 3})
    await tenant.page(order)
    bill_id = await tenant.bill(order, {1: 4})
    await tenant.send(bill_id)
    await tenant.wake_all()
    receipt = a_receipt(order, {1: 2})
    await tenant.receive(receipt)
    assert await tenant.billed_net(order) == 7
    assert [notified.erp_id for notified in await tenant.to_notify()] == ["1007"]
    shown = an_order(revision=R2, billed={1: 3 + 4 + 2})
    await tenant.refresh(shown, [billing(shown, bill_id)], received=[receipt])
    assert await tenant.billed_net(order) == 7
    assert (await tenant.lines(order))[1].received == 2


async def test_a_receipt_newer_than_the_order_never_hides_a_bill_of_ours(tenant: Tenant) -> None:
    """The order was read before the goods came in: converted 4 less received 6 must not mean that nothing is billed."""
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    await tenant.send(bill_id)
    shown = an_order(revision=R2, billed={1: 4})
    await tenant.refresh(shown, [billing(shown, bill_id)])
    await tenant.synced(bill_id, erp_id="8001", document="Vendor Invoice-1", payable="901")
    await tenant.receive(a_receipt(shown, {1: 6}))
    assert await tenant.billed_net(shown) == 4


async def test_the_order_shows_its_receipts_with_lines_oldest_first(tenant: Tenant) -> None:
    """S4-31: receipts are shown on the order."""
    from datetime import date

    order = an_order(lines={1: 10, 2: 5})
    await tenant.page(order)
    await tenant.receive(
        a_receipt(order, {1: 2}, number=502, received_on=date(2026, 2, 12)),
        a_receipt(order, {2: 1, 1: 4}, number=501, received_on=date(2026, 2, 10)),
    )
    async with tenant.database.transaction() as s:
        found = await receipts.for_order(s, tenant.id_of(order))
    assert [(row.number, [(line.line_no, line.quantity) for line in lines]) for row, lines in found] == [
        ("R-501", [(1, 4), (2, 1)]),
        ("R-502", [(1, 2)]),
    ]


async def test_receipts_that_their_order_does_not_name_any_more_are_gone(tenant: Tenant) -> None:
    """Issue 12: a person turned one into a bill, which QuickBooks Desktop need not list as a deletion: what it had
    received is billed from then on. Orders that name no receipts, or in an older state, say nothing."""
    order = an_order(billed={1: 6})
    await tenant.page(order)
    stays, goes = a_receipt(order, {1: 2}), a_receipt(order, {1: 4}, number=502)
    await tenant.receive(stays, goes)

    async def dropped(now: PurchaseOrder) -> int:
        async with tenant.database.transaction() as s:
            return await receipts.drop_unnamed(s, tenant.connection_id, [now], receipts_count_as_billed=True)

    assert await dropped(order) == 0
    assert await dropped(order.model_copy(update={"receipts": (stays.erp_id,), "revision": "0"})) == 0
    assert await dropped(order.model_copy(update={"receipts": (stays.erp_id, goes.erp_id)})) == 0
    assert (await tenant.lines(order))[1].billed == 0
    assert await dropped(order.model_copy(update={"receipts": (stays.erp_id,)})) == 1
    line = (await tenant.lines(order))[1]
    assert (line.received, line.billed) == (2, 4)
    assert await dropped(order.model_copy(update={"receipts": (stays.erp_id,)})) == 0


async def test_what_a_receipt_was_to_an_order_goes_when_it_is_not_for_it_any_more(tenant: Tenant) -> None:
    """Issue 12: a receipt of several orders is here once for each; edited there, it is for one of them alone."""
    tenant.receipts_count_as_billed = False
    first, second = an_order(number=1), an_order(number=2)
    await tenant.page(first, second)
    of_first = a_receipt(first, {1: 3})
    of_second = a_receipt(second, {1: 5}, document_id=of_first.document_id)
    of_first = of_first.model_copy(update={"document_id": DocumentId("501")})
    of_second = of_second.model_copy(
        update={
            "document_id": DocumentId("501"),
            "erp_id": ErpId(f"501/{second.erp_id}"),
            "lines": tuple(one.model_copy(update={"erp_id": ErpId("501-2")}) for one in of_second.lines),
        }
    )
    await tenant.receive(of_first, of_second)
    assert [(await tenant.lines(order))[1].received for order in (first, second)] == [3, 5]
    alone = of_second.model_copy(update={"erp_id": of_first.erp_id, "revision": R2})
    await tenant.receive(alone)
    assert [(await tenant.lines(order))[1].received for order in (first, second)] == [0, 5]
    await tenant.receive(of_first.model_copy(update={"revision": R3}), of_second.model_copy(update={"revision": R3}))
    assert [(await tenant.lines(order))[1].received for order in (first, second)] == [3, 5]
    gone = await tenant.deleted(Deletion(kind=DeletedKind.RECEIPT, erp_id=ErpId("501"), deleted_at=""))
    assert gone.receipts == 2
    assert [(await tenant.lines(order))[1].received for order in (first, second)] == [0, 0]
