"""GRNI and prepaid as of a day: against the ledger, and against a count by single pieces."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.domain.bills import ErpBillLine
from models.domain.ids import DocumentId
from models.domain.orders import LineBasis, PurchaseOrder
from models.domain.receipts import ReceiptStatus
from models.store.base.database import Database
from models.store.base.pages import CursorUnreadable
from models.store.orders import grni, ledger
from models.store.orders.grni_sql import LOOKED_AT, OPEN_LINES
from tests.builders.records import (
    R2,
    a_receipt,
    an_erp_bill,
    an_order,
)
from tests.harness.tenant import (
    Tenant,
    new_tenant,
)

DAY_0 = date(2026, 2, 1)
LAST = DAY_0 + timedelta(days=200)


def on(day: int) -> date:
    return DAY_0 + timedelta(days=day)


def scope(tenant: Tenant, as_of: date = LAST, vendor: str | None = None) -> grni.GrniScope:
    return grni.GrniScope(tenant.organization_id, as_of, tenant.connection_id, vendor)


EVERY_CHAIN = OPEN_LINES.replace(
    LOOKED_AT, "select distinct chain_line from purchase_order_lines where chain_line like :prefix"
)
"""The statement that lays out all there ever was."""


async def report(tenant: Tenant, as_of: date = LAST) -> dict[tuple[str, int], grni.GrniLine]:
    return await tenant.grni_lines(as_of)


async def post(tenant: Tenant, order: PurchaseOrder, quantities: dict[int, int], day: int, *, settled: bool) -> str:
    """A bill of ours posted on a day; settled: the ERP's own figure counts it."""
    bill_id = await tenant.bill(order, quantities)
    await tenant.execute("update bills set posting_date = :day where id = :id", day=on(day), id=bill_id)
    if settled:
        await tenant.execute("update bill_lines set reserves = false where bill_id = :id", id=bill_id)
    return bill_id


# --- the example of the rules, and what is counted ---------------------------------------------------------------


async def test_accrual_and_prepaid_are_never_netted(tenant: Tenant) -> None:
    """matching.md 3.7, GRNI: R 10, B 6 at 25.00 is 100.00 accrued; R 3, B 5 at 40.00 is 80.00 prepaid."""
    tenant.receipts_count_as_billed = False
    order = an_order(lines={1: 10, 2: 5}, billed={1: 6, 2: 5}, price="25.00")
    order = order.model_copy(
        update={"lines": (order.lines[0], order.lines[1].model_copy(update={"price": Decimal("40.00")}))}
    )
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 10, 2: 3}))
    lines = await report(tenant)
    assert [(line.accrual, line.prepaid) for line in lines.values()] == [(100, 0), (0, 80)]
    async with tenant.database.transaction() as s:
        (total,) = await grni.totals(s, scope(tenant))
    assert (total.accrual, total.prepaid, total.lines, total.currency) == (100, 80, 2, "USD")


async def test_where_receipts_are_conversions_they_are_not_taken_for_bills(tenant: Tenant) -> None:
    """S5-113: the ERP's converted quantity of 10 is 7 received, and 3 billed straight from the order."""
    order = an_order(lines={1: 10}, billed={1: 10})
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 7}))
    (line,) = (await report(tenant)).values()
    assert (line.received, line.billed, line.accrual) == (7, 3, Decimal("50.00"))


async def test_ageing_takes_the_oldest_receipts_as_billed_first(tenant: Tenant) -> None:
    """R05: first in, first out; what is left is counted back from the day of the report."""
    tenant.receipts_count_as_billed = False
    order = an_order(lines={1: 40}, billed={1: 0}, price="2.00")
    await tenant.page(order)
    days = {"R-1": 91, "R-2": 90, "R-3": 61, "R-4": 60, "R-5": 31, "R-6": 30, "R-7": 0}
    for position, (number, age) in enumerate(days.items()):
        received_on = LAST - timedelta(days=age)
        await tenant.receive(
            a_receipt(order, {1: 4}, number=600 + position, received_on=received_on).model_copy(
                update={"number": number}
            )
        )
    await post(tenant, order, {1: 6}, 0, settled=False)
    (line,) = (await report(tenant)).values()
    assert (line.days_over_90, line.days_61_90, line.days_31_60, line.days_0_30) == (0, 12, 16, 16)
    assert line.accrual == 44
    assert (line.oldest, line.oldest_on) == ("R-2", LAST - timedelta(days=90))
    assert (line.pending, line.undated) == (6, 0)


async def test_prepaid_is_at_the_prices_of_the_newest_bills(tenant: Tenant) -> None:
    tenant.receipts_count_as_billed = False
    order = an_order(lines={1: 10}, price="5.00")
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 3}))
    first = await post(tenant, order, {1: 4}, 1, settled=False)
    second = await post(tenant, order, {1: 2}, 2, settled=False)
    await tenant.execute("update bill_lines set amount = 6 * quantity where bill_id = :id", id=first)
    await tenant.execute("update bill_lines set amount = 7 * quantity where bill_id = :id", id=second)
    (line,) = (await report(tenant)).values()
    assert (line.prepaid_quantity, line.prepaid) == (3, 1 * 6 + 2 * 7)


async def test_documents_count_from_their_day(tenant: Tenant) -> None:
    """A receipt counts from its date, our bill from its posting date, the ERP's from its bill date."""
    tenant.receipts_count_as_billed = False
    order = an_order(lines={1: 10}, billed={1: 3}, price="1.00")
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 9}, received_on=on(10)))
    await post(tenant, order, {1: 2}, 20, settled=False)
    theirs = ErpBillLine(
        line_no=1, item_id="ITEM-1", quantity=Decimal(3), amount=Decimal(3), order_line=order.lines[0].erp_id
    )
    await tenant.bills_in(an_erp_bill(bill_date=on(30), lines=(theirs,), total="3", order_document=order.document_id))
    accrued = {
        day: sum(line.accrual for line in (await report(tenant, on(day))).values()) for day in (9, 10, 19, 20, 30)
    }
    assert accrued == {9: 0, 10: 9, 19: 9, 20: 7, 30: 4}


async def test_what_the_erp_billed_without_a_bill_we_hold_is_marked(tenant: Tenant) -> None:
    """It bills what had come by then, so it neither accrues nor prepays on a day we know nothing of."""
    tenant.receipts_count_as_billed = False
    order = an_order(lines={1: 10}, billed={1: 6}, price="1.00")
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 4}, number=501, received_on=on(10)))
    await tenant.receive(a_receipt(order, {1: 5}, number=502, received_on=on(20)))
    assert await report(tenant, on(9)) == {}
    assert await report(tenant, on(10)) == {}
    (line,) = (await report(tenant, on(20))).values()
    assert (line.received, line.billed, line.undated, line.accrual) == (9, 6, 6, 3)
    async with tenant.database.transaction() as s:
        (total,) = await grni.totals(s, scope(tenant))
    assert total.undated_lines == 1


async def test_a_bill_that_came_in_before_its_order_has_its_day(tenant: Tenant) -> None:
    """An older order brought in later (S1-12): its bills were there first."""
    tenant.receipts_count_as_billed = False
    order = an_order(lines={1: 10}, billed={1: 3}, price="1.00")
    line = order.lines[0].erp_id
    billed = ErpBillLine(line_no=1, quantity=Decimal(3), amount=Decimal(3), order_line=line, source_line=line)
    await tenant.bills_in(an_erp_bill(bill_date=on(30), lines=(billed,), order_document=order.document_id))
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 9}, received_on=on(10)))
    accrued = {}
    for day in (29, 30):
        (found,) = (await report(tenant, on(day))).values()
        accrued[day] = (found.accrual, found.undated)
    assert accrued == {29: (9, 0), 30: (6, 0)}


async def test_what_is_not_there_does_not_count(tenant: Tenant, other_tenant: Tenant) -> None:
    tenant.receipts_count_as_billed = False
    order = an_order(1, lines={1: 10}, price="1.00")
    gone = an_order(2, lines={1: 10}, price="1.00")
    await tenant.page(order, gone)
    await tenant.receive(a_receipt(order, {1: 5}, number=501), a_receipt(gone, {1: 5}, number=502))
    await tenant.receive(a_receipt(order, {1: 1}, number=503), status=ReceiptStatus.DELETED)
    await tenant.receive(a_receipt(order, {1: 1}, number=504, erp_status="Draft"))
    await tenant.execute(
        "update purchase_orders set deleted_at = now() where number = 'PO-2' and connection_id = :c",
        c=tenant.connection_id,
    )
    abandoned = await post(tenant, order, {1: 2}, 0, settled=True)
    await tenant.execute("update bills set status = 'abandoned' where id = :id", id=abandoned)
    assert {key: line.accrual for key, line in (await report(tenant)).items()} == {("PO-1", 1): 5}
    assert await report(other_tenant) == {}
    async with tenant.database.transaction() as s:
        elsewhere = grni.GrniScope(other_tenant.organization_id, LAST, tenant.connection_id)
        assert (await grni.page(s, elsewhere)).items == []
    await tenant.execute("update connections set purchase_orders_enabled = false where id = :c", c=tenant.connection_id)
    assert await report(tenant) == {}


async def test_a_back_order_chain_is_one_line(tenant: Tenant) -> None:
    """S5-25: O of the first document, R and B over the chain, shown once under the first."""
    tenant.receipts_count_as_billed = False
    first = an_order(1, lines={1: 10}, billed={1: 4}, erp_status="Closed", price="1.00")
    rest = an_order(2, lines={1: 6}, sources={1: "11"}, created_from=first.document_id, price="1.00")
    await tenant.page(first, rest)
    await tenant.receive(a_receipt(first, {1: 4}, number=501), a_receipt(rest, {1: 5}, number=502))
    lines = await report(tenant)
    assert {key: (line.ordered, line.received, line.billed, line.accrual) for key, line in lines.items()} == {
        ("PO-1", 1): (10, 9, 4, 5)
    }


async def test_a_line_judged_by_its_amount_counts_money(tenant: Tenant) -> None:
    """matching.md 3.6: of services the amount was received and is billed (A03: 4,000 received, 5,000 billed)."""
    tenant.receipts_count_as_billed = False
    order = an_order(lines={1: 1}, price="12000")
    order = order.model_copy(update={"lines": (order.lines[0].model_copy(update={"basis": LineBasis.AMOUNT}),)})
    await tenant.page(order)
    receipt = a_receipt(order, {1: 1})
    third = receipt.lines[0].model_copy(update={"quantity": Decimal("0.5")})
    await tenant.receive(receipt.model_copy(update={"lines": (third,)}))
    (line,) = (await report(tenant)).values()
    assert (line.ordered, line.received, line.accrual, line.price) == (12000, 6000, 6000, 1)
    bill_id = await post(tenant, order, {1: 1}, 1, settled=False)
    await tenant.execute("update bill_lines set amount = 7500 where bill_id = :id", id=bill_id)
    (line,) = (await report(tenant)).values()
    assert (line.billed, line.pending, line.accrual, line.prepaid) == (7500, 7500, 0, 1500)


async def test_what_is_never_received_is_not_prepaid(tenant: Tenant) -> None:
    """A service or an expense has no goods to wait for; if it was received all the same, it counts."""
    order = an_order(lines={1: 10, 2: 10, 3: 10}, billed={1: 4, 2: 4, 3: 4}, price="1.00")
    await tenant.page(order)
    tenant.receipts_count_as_billed = False
    await tenant.execute(
        "update purchase_order_lines set receivable = false where line_no < 3 and purchase_order_id = :id",
        id=tenant.id_of(order),
    )
    await tenant.receive(a_receipt(order, {2: 1}))
    assert {no: line.prepaid for (_, no), line in (await report(tenant)).items()} == {2: 3, 3: 4}


async def test_parts_of_a_case_add_up(tenant: Tenant) -> None:
    """U04: 7 and 113 single pieces of cases of 12 are ten cases exactly, whatever a column rounds."""
    tenant.receipts_count_as_billed = False
    order = an_order(lines={1: 10}, price="24")
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 10}))
    for pieces in (7, 113):
        bill_id = await post(tenant, order, {1: 1}, 1, settled=False)
        await tenant.execute(
            "update bill_lines set quantity = round(cast(:pieces as numeric) / 12, 20), amount = :pieces * 2,"
            " exact_quantity = :exact where bill_id = :id",
            pieces=Decimal(pieces),
            exact=f"{pieces}/12",
            id=bill_id,
        )
    assert await report(tenant) == {}
    assert sum(line.accrual for line in (await report(tenant, on(0))).values()) == 0
    await tenant.execute(
        "update receipts set received_on = :day where connection_id = :c", day=on(2), c=tenant.connection_id
    )
    (line,) = (await report(tenant, on(1))).values()
    assert (line.prepaid_quantity, line.prepaid) == (10, 240)


async def test_pages_and_the_stream_give_the_same_lines(tenant: Tenant) -> None:
    tenant.receipts_count_as_billed = False
    orders = [an_order(n, lines={1: 5, 2: 5}, vendor_id=f"V{n % 2}") for n in range(1, 5)]
    await tenant.page(*orders)
    await tenant.receive(*(a_receipt(order, {1: 2, 2: 3}, number=500 + n) for n, order in enumerate(orders)))
    seen: list[grni.GrniLine] = []
    cursor = None
    async with tenant.database.transaction() as s:
        while True:
            found = await grni.page(s, scope(tenant), cursor=cursor, limit=3)
            seen += found.items
            cursor = found.next_cursor
            if cursor is None:
                break
        streamed = [line async for line in grni.stream(s, scope(tenant))]
        one_vendor = [line async for line in grni.stream(s, scope(tenant, vendor="V1"))]
        assert await grni.totals(s, scope(tenant, vendor="V1")) == [
            total for total in await grni.totals(s, scope(tenant)) if total.vendor_id == "V1"
        ]
        for broken in ("x", "WyJhIiwiYiJd", "WyJhIiwiYiIsImMiLCJ4Il0"):
            with pytest.raises(CursorUnreadable):
                await grni.page(s, scope(tenant), cursor=broken)
    assert seen == streamed
    assert [(line.vendor_id, line.number, line.line_no) for line in seen] == sorted(
        (order.vendor_id, order.number, no) for order in orders for no in (1, 2)
    )
    assert one_vendor == [line for line in streamed if line.vendor_id == "V1"]


# --- any history ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bill:
    day: int
    quantity: int
    price: int
    whose: str
    """ours, pending: ours and not counted by the ERP yet, theirs, or theirs without saying which line."""


@dataclass(frozen=True)
class History:
    """One order line, and the back order that continues it, if there is one."""

    counted: bool
    chained: bool
    price: int
    erp_billed: int
    receipts: tuple[tuple[int, int, bool], ...]
    """Day, quantity, and whether it is against the back order."""
    bills: tuple[Bill, ...]


days = st.integers(0, 10).map(lambda n: n * 20)
histories = st.builds(
    History,
    counted=st.booleans(),
    chained=st.booleans(),
    price=st.integers(1, 9),
    erp_billed=st.integers(0, 12),
    receipts=st.lists(st.tuples(days, st.integers(1, 6), st.booleans()), max_size=4).map(tuple),
    bills=st.lists(
        st.builds(
            Bill,
            day=days,
            quantity=st.integers(1, 5),
            price=st.integers(1, 9),
            whose=st.sampled_from(["ours", "pending", "theirs", "theirs, line unknown"]),
        ),
        max_size=4,
    ).map(tuple),
)


async def enter(tenant: Tenant, history: History) -> Sequence[PurchaseOrder]:
    tenant.receipts_count_as_billed = history.counted
    received = Counter({True: 0, False: 0})
    for _, quantity, back in history.receipts:
        received[back and history.chained] += quantity
    converted = history.erp_billed + (received[False] if history.counted else 0)
    price = str(history.price)
    orders = [an_order(1, lines={1: 20}, billed={1: converted}, price=price, ordered_on=DAY_0)]
    if history.chained:
        back = an_order(
            2,
            lines={1: 6},
            billed={1: received[True] if history.counted else 0},
            sources={1: "11"},
            created_from=DocumentId("Purchase Order-PO-1"),
            price=price,
            ordered_on=on(50),
        )
        orders.append(back)
    await tenant.page(*orders)
    for n, bill in enumerate(history.bills):
        if bill.whose.startswith("theirs"):
            line = ErpBillLine(
                line_no=1,
                quantity=Decimal(bill.quantity),
                amount=Decimal(bill.quantity * bill.price),
                order_line=orders[0].lines[0].erp_id if bill.whose == "theirs" else None,
            )
            linked = {"bill_date": on(bill.day), "lines": (line,), "order_document": orders[0].document_id}
            await tenant.bills_in(an_erp_bill(900 + n, number=f"B-{n}", **linked))
        else:
            created = await post(tenant, orders[0], {1: bill.quantity}, bill.day, settled=bill.whose == "ours")
            await tenant.execute(
                "update bill_lines set amount = :price * quantity where bill_id = :id", price=bill.price, id=created
            )
            await tenant.execute("update bills set number = :number where id = :id", number=f"B-{n}", id=created)
    await tenant.page(*(order.model_copy(update={"revision": R2}) for order in orders))
    for n, (day, quantity, on_back_order) in enumerate(history.receipts):
        order = orders[-1] if on_back_order else orders[0]
        await tenant.receive(a_receipt(order, {1: quantity}, number=500 + n, received_on=on(day)))
    return orders


async def of_every_chain(tenant: Tenant, as_of: date) -> list[grni.GrniLine]:
    """Return the report's lines without leaving anything out beforehand."""
    values = {
        "organization": tenant.organization_id,
        "connection": tenant.connection_id,
        "prefix": f"{tenant.connection_id}/%",
        "vendor": None,
    }
    rows = await tenant.fetch(f"{EVERY_CHAIN} select * from lines order by number, line_no", **values, as_of=as_of)
    return [grni.GrniLine(**row._mapping) for row in rows]


def by_pieces(history: History, as_of: int, erp_billed: int, pending: int) -> dict[str, Any]:
    """The same by counting single pieces: each receipt and each bill is a row of them, oldest first."""
    came = [day for day, quantity, _ in sorted(history.receipts) for _ in range(quantity)]
    known = [bill for bill in history.bills if bill.whose != "theirs, line unknown"]
    dated = [
        bill.price for bill in sorted(known, key=lambda b: b.day) if bill.day <= as_of for _ in range(bill.quantity)
    ]
    received = [day for day in came if day <= as_of]
    undated = erp_billed + pending - sum(bill.quantity for bill in known)
    if undated < 0:
        billed = min(len(dated), erp_billed + pending)
    else:
        ahead = max(undated - max(len(came) - sum(bill.quantity for bill in known), 0), 0)
        billed = len(dated)
        for _ in range(undated - ahead):
            billed += billed < len(received)
        billed += ahead
    prices = [history.price] * (billed - len(dated)) + dated
    ages = Counter(next(name for name, limit in BUCKETS.items() if as_of - day <= limit) for day in received[billed:])
    return {
        "received": len(received),
        "billed": billed,
        "accrual": max(len(received) - billed, 0) * history.price,
        "prepaid_quantity": max(billed - len(received), 0),
        "undated": billed - len(dated),
        **{name: ages[name] * history.price for name in BUCKETS},
        "oldest_on": on(received[billed]) if len(received) > billed else None,
        "prepaid": sum(prices[len(received) : billed]),
    }


BUCKETS = {"days_0_30": 30, "days_31_60": 60, "days_61_90": 90, "days_over_90": 10_000}


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, as_of=days)
async def test_any_history_adds_up(database: Database, history: History, as_of: int) -> None:
    """As of the end the sums are the ledger's; as of any day they are what counting piece by piece gives."""
    tenant = await new_tenant(database)
    orders = await enter(tenant, history)
    async with tenant.database.transaction() as s:
        held = (await ledger.lines(s, tenant.id_of(orders[0])))[0]
    at_the_end = await report(tenant)
    line = at_the_end.get(("PO-1", 1))
    accrual = max(held.received - held.billed - held.pending, Decimal(0)) * held.price
    assert sum(line.accrual for line in at_the_end.values()) == accrual
    assert len(at_the_end) == (held.received != held.billed + held.pending)
    if line is not None:
        assert (line.ordered, line.received, line.billed) == (held.ordered, held.received, held.billed + held.pending)
        assert line.prepaid_quantity == max(held.billed + held.pending - held.received, 0)
        assert line.days_0_30 + line.days_31_60 + line.days_61_90 + line.days_over_90 == line.accrual
    expected = by_pieces(history, as_of, int(held.billed), int(held.pending))
    on_that_day = await report(tenant, on(as_of))
    assert list(on_that_day.values()) == await of_every_chain(tenant, on(as_of))
    line = on_that_day.get(("PO-1", 1))
    if line is None:
        assert expected["received"] == expected["billed"]
    else:
        assert {name: getattr(line, name) for name in expected} == expected
