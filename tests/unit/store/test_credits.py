"""C of the ledger: it comes with its E and leaves with it; which orders a credit concerns (matching.md 3.1, R01)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from models.domain.bills import ErpBill, ErpBillLine
from models.domain.ids import ErpId
from models.domain.orders import LineBasis, PurchaseOrder
from models.domain.payments import ErpPaymentShare
from models.domain.sync import DeletedKind, Deletion
from models.store.orders import credits, grni, ledger, purchase_orders
from models.store.orders.credits import CreditedOrder
from tests.builders.records import (
    R1,
    R2,
    R3,
    a_credit,
    a_receipt,
    an_erp_bill,
    an_order,
    an_order_credit,
    billing,
    gone,
)
from tests.harness.tenant import (
    Tenant,
)


async def shown(tenant: Tenant, order: PurchaseOrder | None = None, line_no: int = 1) -> tuple[Decimal, Decimal]:
    """E and C of a line."""
    async with tenant.database.transaction() as s:
        found = await ledger.lines(s, tenant.id_of(order or an_order()))
    line = next(line for line in found if line.line_no == line_no)
    assert isinstance(line.billed, Decimal)
    return line.billed, line.credited


async def concerned(tenant: Tenant, *bills: ErpBill) -> list[str]:
    async with tenant.database.transaction() as s:
        found = await credits.of_page(await s.connection(), tenant.connection_id, bills)
    return sorted(order.erp_id for order in found)


async def among(tenant: Tenant, *orders: PurchaseOrder) -> list[str]:
    async with tenant.database.transaction() as s:
        found = await credits.among(await s.connection(), tenant.connection_id, orders)
    return sorted(order.erp_id for order in found)


async def test_what_is_credited_comes_with_the_order_read_whole(tenant: Tenant) -> None:
    """B = E + P - C: a second reading without the credit takes it back, a repeated one changes nothing."""
    order = an_order(lines={1: 10, 2: 5}, billed={1: 10, 2: 5})
    await tenant.refresh(order, credits=[an_order_credit(order, "4")])
    assert (await shown(tenant), await shown(tenant, line_no=2)) == ((10, 4), (5, 0))
    assert (await tenant.lines(order))[1].credited_amount == Decimal(50)
    before = await tenant.row(order)
    await tenant.refresh(order, credits=[an_order_credit(order, "4")])
    assert (await tenant.row(order)).snapshot == before.snapshot
    await tenant.refresh(order, credits=[])
    assert await shown(tenant) == (10, 0)
    assert (await tenant.row(order)).snapshot == before.snapshot + 1


async def test_a_credit_leaves_with_the_billed_quantity_it_came_with(tenant: Tenant) -> None:
    """A page that shows another E may have the credit inside it: nothing is freed until the order is read whole."""
    order = an_order(billed={1: 10})
    await tenant.refresh(order, credits=[an_order_credit(order, "4")])
    await tenant.page(an_order(billed={1: 10}, revision=R2, memo="changed"))
    assert await shown(tenant) == (10, 4)
    await tenant.page(an_order(billed={1: 6}, revision=R3))
    assert await shown(tenant) == (6, 0)


async def test_what_may_not_be_billed_is_not_forgotten(tenant: Tenant) -> None:
    """Below zero, C holds back what the ERP took off for a lower price: only the order read whole frees it."""
    order = an_order(billed={1: 6})
    await tenant.refresh(order, credits=[an_order_credit(order, "-4")])
    await tenant.page(an_order(billed={1: 5}, revision=R2))
    assert await shown(tenant) == (5, -4)
    async with tenant.database.transaction() as s:
        await credits.forget(await s.connection(), tenant.id_of(order))
    assert await shown(tenant) == (5, -4)
    assert await among(tenant, order) == [order.erp_id]
    await tenant.refresh(an_order(billed={1: 9}, revision=R3))
    assert await shown(tenant) == (9, 0)


async def test_a_page_leaves_both_alone_while_our_bill_is_on_its_way(tenant: Tenant) -> None:
    """S4-65..67: E and C stay together."""
    order = an_order(billed={1: 6})
    await tenant.refresh(order, credits=[an_order_credit(order, "4")])
    bill_id = await tenant.bill(order, {1: 4})
    await tenant.send(bill_id)
    await tenant.page(an_order(billed={1: 10}, revision=R2))
    assert await shown(tenant) == (6, 4)
    whole = an_order(billed={1: 10}, revision=R3)
    await tenant.refresh(whole, [billing(whole, bill_id)], credits=[an_order_credit(whole, "4")])
    assert (await shown(tenant), await tenant.pending(order)) == ((10, 4), 0)


async def test_an_older_reading_brings_no_credit(tenant: Tenant) -> None:
    """Never back in time."""
    order = an_order(billed={1: 10}, revision=R2)
    await tenant.refresh(order)
    await tenant.refresh(an_order(billed={1: 10}, revision=R1), credits=[an_order_credit(order, "4")])
    assert await shown(tenant) == (10, 0)


async def test_a_credit_changes_the_terms(tenant: Tenant) -> None:
    """Rules 3.6: our bills are matched again."""
    order = an_order(billed={1: 10})

    async def terms() -> str:
        async with tenant.database.transaction() as s:
            found = await purchase_orders.facts(s, tenant.id_of(order))
        assert found is not None
        return found.terms

    await tenant.refresh(order)
    seen = [await terms()]
    for quantity in ("4", "2", "0"):
        await tenant.refresh(order, credits=[an_order_credit(order, quantity)])
        seen.append(await terms())
    assert seen[0] == seen[3]
    assert len(set(seen)) == 3


async def test_a_chain_is_credited_as_one_line(tenant: Tenant) -> None:
    """S5-25: what was credited of the first document may be billed on the one that continues it."""
    first = an_order(1007, lines={1: 10}, billed={1: 6})
    second = an_order(
        1008, lines={1: 4}, billed={1: 4}, created_from=first.document_id, sources={1: str(first.lines[0].erp_id)}
    )
    await tenant.page(first, second)
    await tenant.refresh(first, credits=[an_order_credit(first, "2")])
    assert await shown(tenant, second) == (10, 2)


async def test_a_line_without_a_quantity_is_credited_in_money(tenant: Tenant) -> None:
    """Rules 3.6, amount-only."""
    order = an_order(lines={1: 1}, billed={1: 1}, price="100.00")
    order = order.model_copy(update={"lines": (order.lines[0].model_copy(update={"basis": LineBasis.AMOUNT}),)})
    await tenant.refresh(order, credits=[an_order_credit(order, "0.4")])
    async with tenant.database.transaction() as s:
        (line,) = await ledger.lines(s, tenant.id_of(order))
    assert (line.billed_amount, line.credited_amount) == (100, 40)


# --- which orders a credit concerns -----------------------------------------------------------------------------


async def test_only_news_of_credits_concern_orders(tenant: Tenant) -> None:
    """Idempotent: a page that is read again asks for nothing; an edit does, also of what it named before."""
    one, other = an_order(1007, billed={1: 10}), an_order(1008, billed={1: 10})
    await tenant.page(one, other)
    credit = a_credit(900, one, other)
    assert await concerned(tenant, credit, an_erp_bill(901), a_credit(902)) == ["1007", "1008"]
    assert await among(tenant, one, other) == []
    await tenant.bills_in(credit, a_credit(902))
    assert await concerned(tenant, credit) == []
    assert await among(tenant, one, other) == ["1007", "1008"]
    edited = a_credit(900, other, revision=R2)
    assert await concerned(tenant, edited) == ["1007", "1008"]
    await tenant.bills_in(edited)
    assert await among(tenant, one, other) == ["1008"]


async def test_lines_of_a_credit_are_linked_each_to_its_order(tenant: Tenant) -> None:
    """A bill over several orders may be credited whole."""
    one, other = an_order(1007, billed={1: 10}), an_order(1008, billed={1: 10})
    await tenant.page(one, other)
    await tenant.bills_in(a_credit(900, one, other))
    (row,) = await tenant.bill_rows()
    assert (row.purchase_order_id, row.linked_in_erp) == (tenant.id_of(one), True)
    lines = await tenant.fetch(
        "select purchase_order_id, purchase_order_line_no from bill_lines where bill_id = :id order by line_no",
        id=row.id,
    )
    assert [tuple(line) for line in lines] == [(tenant.id_of(one), 1), (tenant.id_of(other), 1)]


async def test_a_deleted_credit_concerns_what_it_took_back(tenant: Tenant) -> None:
    """S5-78: told once; a bill that was deleted is none of it."""
    order = an_order(billed={1: 10})
    await tenant.page(order)
    await tenant.bills_in(a_credit(900, order), an_erp_bill(901, order_document=order.document_id))
    feed = [gone(DeletedKind.BILL, "900"), gone(DeletedKind.BILL, "901")]

    async def of(deletions: Sequence[Deletion]) -> list[CreditedOrder]:
        async with tenant.database.transaction() as s:
            return await credits.of_deleted(await s.connection(), tenant.connection_id, deletions)

    assert [found.erp_id for found in await of(feed)] == ["1007"]
    assert await of(feed[1:]) == []
    await tenant.deleted(*feed)
    assert await of(feed) == []


async def test_an_order_with_something_credited_is_read_whole_when_it_changes(tenant: Tenant) -> None:
    """Also where the credit itself is not held, as one from before the first import."""
    one, other = an_order(1007, billed={1: 10}), an_order(1008, billed={1: 10})
    await tenant.page(other)
    await tenant.refresh(one, credits=[an_order_credit(one, "4")])
    assert await among(tenant, one, other) == ["1007"]
    async with tenant.database.transaction() as s:
        await credits.forget(await s.connection(), tenant.id_of(one))
    assert (await shown(tenant), await among(tenant, one, other)) == ((10, 0), [])


@pytest.mark.parametrize("falls", [False, True], ids=["E stays", "E falls"])
async def test_the_report_of_goods_not_invoiced_counts_a_credit_once(tenant: Tenant, falls: bool) -> None:
    """GRNI: R 10, B 10 - 4; before the credit's day nothing was left to invoice."""
    tenant.receipts_count_as_billed = False
    order = an_order(billed={1: 6 if falls else 10})
    receipt = a_receipt(order, {1: 10})
    await tenant.refresh(order, received=[receipt], credits=[] if falls else [an_order_credit(order, "4")])
    billed = ErpBillLine(
        line_no=1, quantity=Decimal(10), amount=Decimal(125), order_line=order.lines[0].erp_id, item_id="ITEM-1"
    )
    whole = an_erp_bill(
        899, total="125", order_document=order.document_id, lines=(billed,), bill_date=receipt.received_on
    )
    await tenant.bills_in(whole, a_credit(900, order))
    (line,) = (await tenant.grni_lines(date(2026, 8, 20))).values()
    assert (line.received, line.billed, line.undated) == (10, 6, 0)
    assert (line.accrual_quantity, line.accrual) == (4, 50)
    assert await tenant.grni_lines(a_credit(900).bill_date.replace(day=1)) == {}
    async with tenant.database.transaction() as s:
        scope = grni.GrniScope(tenant.organization_id, a_credit(900).bill_date, tenant.connection_id)
        (total,) = await grni.totals(s, scope)
    assert total.accrual == 50


# --- what credits are applied to ---------------------------------------------------------------------------------


async def test_what_a_credit_paid_is_due_again_when_it_goes(tenant: Tenant) -> None:
    """S5-71: two credits on one bill; one is applied elsewhere, then one deleted. The bill itself never came again."""

    def applied(record: int, revision: str, **amounts: str) -> ErpBill:
        shares = tuple(ErpPaymentShare(bill_erp_id=ErpId(to[1:]), amount=Decimal(amounts[to])) for to in amounts)
        return an_erp_bill(record, total="-20", revision=revision, applied=shares)

    async def paid() -> Decimal:
        return next(row.paid for row in await tenant.bill_rows() if row.payable_id == "901")

    await tenant.bills_in(an_erp_bill(901, paid="35"), applied(910, R1, b901="20"), applied(911, R1, b901="15"))
    assert await paid() == 35
    await tenant.bills_in(applied(910, R2, b901="5", b902="15"))
    assert await paid() == 20
    await tenant.bills_in(applied(910, R2, b901="5", b902="15"))
    assert await paid() == 20
    await tenant.deleted(gone(DeletedKind.BILL, "911"))
    await tenant.deleted(gone(DeletedKind.BILL, "911"))
    assert await paid() == 5


async def test_a_bill_that_was_read_after_its_credit_went_is_left_alone(tenant: Tenant) -> None:
    """The figure has it already."""
    shares = (ErpPaymentShare(bill_erp_id=ErpId("901"), amount=Decimal(20)),)
    await tenant.bills_in(an_erp_bill(901, paid="20"), an_erp_bill(910, total="-20", applied=shares))
    await tenant.bills_in(an_erp_bill(901, paid="0", revision=R2))
    await tenant.deleted(gone(DeletedKind.BILL, "910"))
    assert next(row.paid for row in await tenant.bill_rows() if row.payable_id == "901") == 0


async def test_an_order_that_counts_less_than_before_is_read_whole(tenant: Tenant) -> None:
    """A credit that NetSuite took off shows on the order before the credit itself was read: whether it freed goods, or
    only lowered their price, the order's page does not tell."""
    one, other = an_order(1007, billed={1: 10}), an_order(1008, billed={1: 10})
    await tenant.page(one, other)
    less, more = an_order(1007, billed={1: 6}, revision=R2), an_order(1008, billed={1: 11}, revision=R2)
    assert await among(tenant, less, more, an_order(1009, billed={1: 1})) == ["1007"]
