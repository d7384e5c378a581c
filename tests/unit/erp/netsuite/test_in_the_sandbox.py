"""What only a NetSuite that moves can show: receipts, billed quantities that lag, rows in another order (S4-65..70)."""

import random
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from erp.errors import Duplicate, MalformedAnswer, OutcomeUnknown, Rejected
from models.domain.connections import MatchMode
from models.domain.orders import PoStatus
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    a_bill_for,
    a_payment_of,
    all_orders,
    push,
    the_order,
)
from tests.conformance.netsuite_harness import (
    NetSuiteHarness,
)


@pytest.fixture
async def harness(sandbox: Any) -> AsyncIterator[NetSuiteHarness]:
    created = NetSuiteHarness(sandbox)
    yield created
    for connector in created.connectors:
        await connector.close()


async def test_a_bill_in_advance_of_its_receipt(harness: NetSuiteHarness) -> None:
    """S4-70: refused while the account's preference is off, and fine once the goods are received."""
    harness.switch(bill_in_advance=False)
    connector = harness.connect()
    assert (await connector.check()).capabilities.bill_in_advance is False
    bill = a_bill_for(await the_order(connector), "advance-1")
    with pytest.raises(Rejected) as caught:
        await connector.bills.create(bill)
    assert caught.value.code == "NOT_RECEIVED"
    harness.person("receive", number=OPEN_ORDER, receipt_number="R-1", lines=[{"line": 1, "quantity": "1"}])
    pushed = await push(connector, bill)
    assert (pushed.linked, pushed.differences) == (True, ())


async def test_an_account_that_bills_in_advance_is_known(harness: NetSuiteHarness) -> None:
    """S4-70: known when the connection is checked, by a draft that is never saved."""
    before = harness.held("bills")
    assert (await harness.connect().check()).capabilities.bill_in_advance is True
    assert harness.held("bills") == before


async def test_the_status_moves_with_receipts_and_bills(harness: NetSuiteHarness) -> None:
    """S4-49..52, S4-68, ruling G3: billed in full and not received, the order is not filled."""
    connector = harness.connect()
    order = await the_order(connector)

    async def shown() -> tuple[str, PoStatus | None]:
        word = (await connector.orders.read(order.erp_id)).purchase_order.erp_status
        meaning = connector.orders.statuses(word, MatchMode.THREE_WAY)
        assert meaning is not None
        return word, meaning.po

    assert await shown() == ("Pending Receipt", PoStatus.UNFILLED)
    bill = a_bill_for(order, "moves-1", lines=3)
    whole = tuple(
        line.model_copy(update={"quantity": ordered.quantity, "amount": ordered.amount})
        for line, ordered in zip(bill.lines, order.lines, strict=True)
    )
    total = sum((line.amount for line in whole), Decimal(0))
    await push(connector, bill.model_copy(update={"lines": whole, "total": total}))
    assert await shown() == ("Pending Receipt", PoStatus.UNFILLED)
    harness.person("receive", number=OPEN_ORDER, lines=[{"line": 1, "quantity": "1"}])
    assert await shown() == ("Partially Received", PoStatus.PARTIALLY_FILLED)
    harness.person("receive", number=OPEN_ORDER)
    assert await shown() == ("Fully Billed", PoStatus.FILLED)


async def test_a_quantity_that_lags_is_no_evidence_yet(harness: NetSuiteHarness) -> None:
    """S4-66, S4-67: the bill is there and linked, the order does not count it: it is named once it is inside."""
    harness.switch(quantity_delay_seconds=600)
    connector = harness.connect()
    order = await the_order(connector)
    pushed = await push(connector, a_bill_for(order, "lags-1"))
    assert pushed.linked
    assert pushed.snapshot is not None
    assert (pushed.snapshot.purchase_order.lines[0].billed, pushed.snapshot.billings) == (Decimal(0), ())
    harness.pass_time(700)
    later = await connector.orders.read(order.erp_id)
    assert later.purchase_order.lines[0].billed == Decimal(1)
    assert [(one.order_line, one.document_number) for one in later.billings] == [(order.lines[0].erp_id, "lags-1")]
    assert later.purchase_order.revision > pushed.snapshot.purchase_order.revision


async def test_a_receipt_that_leaves_its_order_alone_brings_it_along(harness: NetSuiteHarness) -> None:
    """Reference 5.1: the header's stamp does not move; the receipt's does."""
    harness.switch(header_stamp="still")
    connector = harness.connect()
    before = await the_order(connector)
    cursor = before.revision
    harness.pass_time(4 * 3600)
    harness.person("receive", number=OPEN_ORDER, receipt_number="R-2", lines=[{"line": 1, "quantity": "2"}])
    changed = (await all_orders(connector, since=cursor))[OPEN_ORDER]
    assert changed.erp_status == "Pending Billing/Partially Received"
    assert changed.revision > before.revision


async def test_deleting_a_bill_takes_the_order_back(harness: NetSuiteHarness) -> None:
    """Reference 5.1: quantities and status move back, and no stamp need tell; the snapshot is newer all the same."""
    harness.switch(header_stamp="still")
    connector = harness.connect()
    order = await the_order(connector)
    pushed = await push(connector, a_bill_for(order, "taken-back-1"))
    assert pushed.snapshot is not None
    harness.pass_time(60)
    harness.person("delete_bill", key="taken-back-1")
    after = await connector.orders.read(order.erp_id)
    assert (after.purchase_order.lines[0].billed, after.billings) == (Decimal(0), ())
    assert after.purchase_order.revision > pushed.snapshot.purchase_order.revision


async def test_rows_in_another_order_all_come(harness: NetSuiteHarness) -> None:
    """Reference 3.3: the order of rows is not promised."""
    expected = {order["number"] for order in harness.held("purchase_orders") if order["entity"] == harness.entity}
    harness.switch(search_order="descending")
    orders = await all_orders(harness.connect(page_size=5))
    assert orders.keys() == expected


async def test_a_search_that_dies_between_its_pages_is_begun_again(harness: NetSuiteHarness) -> None:
    """Reference 3.3: the numbered pages are the fall-back, and their search lives a quarter of an hour."""
    harness.switch(search_order="descending")
    connector = harness.connect(page_size=5)
    expected = await all_orders(connector)
    harness.fault("job_lost", "searchMoreWithId")
    harness.forget_calls()
    assert (await all_orders(connector)).keys() == expected.keys()
    assert harness.calls()["by_operation"]["search"] > 2, "begun again"


async def test_a_row_that_moves_between_pages_still_comes(harness: NetSuiteHarness) -> None:
    """Reference 3.3: with numbered pages it would be on neither."""
    expected = {order["number"] for order in harness.held("purchase_orders") if order["entity"] == harness.entity}
    harness.fault("row_moved", "read", object="purchaseOrder")
    assert (await all_orders(harness.connect(page_size=5))).keys() == expected


async def test_a_page_that_lacks_a_row_is_not_used(harness: NetSuiteHarness) -> None:
    """Half a list must not pass for a whole one."""
    connector = harness.connect()
    await all_orders(connector)
    harness.fault("short_page", "search", object="purchaseOrder")
    with pytest.raises(MalformedAnswer):
        await all_orders(connector)


@pytest.mark.parametrize("version", ["2024_2", "2025_2"])
async def test_other_endpoint_versions(harness: NetSuiteHarness, version: str) -> None:
    """Issue 4: the same client, by the address alone."""
    endpoint = harness.settings()["endpoint"].replace("2023_2", version)
    connector = harness.connect(endpoint=endpoint)
    pushed = await push(connector, a_bill_for(await the_order(connector), f"version-{version}"))
    assert (pushed.linked, pushed.differences) == (True, ())


async def test_an_error_after_saving_is_looked_up(harness: NetSuiteHarness) -> None:
    """Section 7: an unexpected error may come after the record was saved."""
    connector = harness.connect()
    bill = a_bill_for(await the_order(connector), "saved-1")
    harness.fault("error_after_commit", "create_bill")
    with pytest.raises(OutcomeUnknown):
        await connector.bills.create(bill)
    found = await connector.bills.find(bill)
    assert found is not None
    with pytest.raises(Duplicate):
        await connector.bills.create(bill)
    assert len(harness.bills_with("saved-1")) == 1


async def test_an_expense_only_order_is_billed_by_amount(harness: NetSuiteHarness) -> None:
    """U-16: linked, evident, and half of it billed is half."""
    connector = harness.connect()
    order = await the_order(connector, "PO-1010")
    line = order.lines[0]
    bill = a_bill_for(order, "expense-1", Decimal("0.5"))
    pushed = await push(connector, bill)
    assert (pushed.linked, pushed.differences, pushed.total) == (True, (), bill.total)
    assert pushed.snapshot is not None
    assert pushed.snapshot.purchase_order.lines[0].billed == Decimal("0.5")
    assert [one.order_line for one in pushed.snapshot.billings] == [line.erp_id]


async def test_several_orders_on_one_bill(harness: NetSuiteHarness) -> None:
    """Reference 5.3: one bill for lines of two orders of a vendor; each order shows its own part."""
    connector = harness.connect()
    orders = [one for one in (await all_orders(connector)).values() if one.currency == "USD"]
    first = await the_order(connector)
    other = next(
        one
        for one in orders
        if one.vendor_id == first.vendor_id and one.number != first.number and one.erp_status == "Pending Receipt"
    )
    bill = a_bill_for(first, "both-1")
    extra = a_bill_for(other, "both-1").lines[0].model_copy(update={"line_no": 2})
    both = bill.model_copy(update={"lines": (*bill.lines, extra), "total": bill.total + extra.amount})
    pushed = await push(connector, both)
    assert (pushed.linked, pushed.differences) == (True, ())
    shown = await connector.orders.read(other.erp_id)
    assert [one.document_number for one in shown.billings] == ["both-1"]


async def test_a_bill_held_for_approval_cannot_be_paid_yet(harness: NetSuiteHarness) -> None:
    """S2-38: NetSuite's own approval comes first."""
    harness.switch(bill_approval=True)
    connector = harness.connect()
    bill = a_bill_for(await the_order(connector), "approval-1")
    pushed = await push(connector, bill)
    payment = a_payment_of(bill, pushed, "approval-p")
    with pytest.raises(Rejected) as caught:
        await connector.payments.create(payment)
    assert caught.value.code == "BILL_NOT_APPROVED"
    harness.person("approve_bill", external_id="approval-1")
    read = await connector.payments.read_back(payment, await connector.payments.create(payment))
    assert read.bill_due == Decimal(0)


@pytest.mark.parametrize("seed", range(4))
async def test_billed_less_credited_is_true_after_any_day(harness: NetSuiteHarness, seed: int) -> None:
    """R01..R09, S4-65..67: bills, credits of goods and of money, returns, edits, voids and deletions in any order, and
    NetSuite lowering its figure or not: what is freed is what was credited, and every bill is inside."""
    chance = random.Random(seed)
    harness.switch(credits_lower_billed=seed % 2 == 1, over_billing="accept", bill_in_advance=True)
    connector = harness.connect()
    order = await the_order(connector)
    bills: dict[str, int] = {}
    credits: dict[str, tuple[str, int]] = {}
    for at in range(30):
        free = {name: quantity - sum(n for of, n in credits.values() if of == name) for name, quantity in bills.items()}
        open_bills = [name for name, left in free.items() if left]
        deed = chance.randrange(8) if open_bills else 0
        if deed <= 1:
            name, quantity = f"B-{at}", chance.randint(1, 5)
            lines = [{"line": 1, "quantity": str(quantity)}]
            harness.person("bill", number=OPEN_ORDER, invoice_number=name, lines=lines)
            bills[name] = quantity
        elif deed == 2:
            money = [{"line": 1, "quantity": "0", "amount": "1.00"}]
            harness.person("credit_bill", number=chance.choice(open_bills), lines=money, apply=False)
        elif deed <= 4:
            name = chance.choice(open_bills)
            quantity = chance.randint(1, free[name])
            lines = [{"line": 1, "quantity": str(quantity)}]
            if deed == 3:
                harness.person("credit_bill", number=name, lines=lines, apply=False, document_number=f"C-{at}")
            else:
                goods = harness.person("authorize_return", number=name, lines=lines)
                harness.person("credit_return", record_no=goods["record_no"], apply=False, document_number=f"C-{at}")
            credits[f"C-{at}"] = (name, quantity)
        elif credits:
            name = chance.choice(list(credits))
            of, quantity = credits.pop(name)
            if deed == 5 and quantity > 1:
                harness.person("edit_credit", number=name, line=1, quantity=str(quantity - 1))
                credits[name] = (of, quantity - 1)
            elif deed == 6:
                harness.person("void_credit", number=name)
            else:
                harness.person("delete", kind="credit", number=name)
    snapshot = await connector.orders.read(order.erp_id)
    line = snapshot.purchase_order.lines[0]
    freed = sum((one.quantity for one in snapshot.credits), Decimal(0))
    assert line.billed - freed == sum(bills.values()) - sum(quantity for _, quantity in credits.values())
    assert not any(one.unclear for one in snapshot.credits)
    assert sum(one.quantity for one in snapshot.billings) == sum(bills.values())
