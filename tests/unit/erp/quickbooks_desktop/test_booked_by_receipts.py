"""Whatever was received, billed and converted before: a bill never adds to what an item receipt has booked.

Real: the connector, and the sandbox's company file with its ledger. The journal answers at once.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp.errors import Rejected, Stale
from models.domain.bills import BillLineSource, BillLineToPush, BillToPush, ChargeKind, ChargeToPush
from models.domain.orders import PurchaseOrder
from sandbox.quickbooks_desktop.switches import UNKIND
from tests.conformance.desktop_books import BOOKED, check_books
from tests.conformance.erp_harness import a_bill_for, all_orders
from tests.unit.erp.quickbooks_desktop.company_file import DirectJournal, connected
from tests.unit.sandbox.quickbooks_desktop.pc import Pc, linked

PRICE = Decimal(5)
HELD = "RECEIVED_BY_ITEM_RECEIPT"

Quantities = dict[int, int]
"""By the number of the order's line."""


def bill_of(order: PurchaseOrder, key: str, quantities: Quantities) -> BillToPush:
    """A bill of so many of each line, at the order's price."""
    lines = tuple(
        BillLineToPush(
            line_no=line.line_no,
            item_id=line.item_id,
            description="",
            quantity=Decimal(quantities[line.line_no]),
            unit="",
            amount=PRICE * quantities[line.line_no],
            order_line=line.erp_id,
            source=BillLineSource(document_id=order.document_id, line=line.erp_id),
        )
        for line in order.lines
        if quantities.get(line.line_no)
    )
    whole = a_bill_for(order, key)
    return whole.model_copy(update={"lines": lines, "total": sum((one.amount for one in lines), Decimal(0))})


class Story:
    """What happens to one order, and what each bill does to the books."""

    def __init__(self, *, replace: bool) -> None:
        self.pc = Pc()
        self.replace = replace
        self.numbers = 0
        self.pushed: list[str] = []

    async def play(self, ordered: Sequence[str], events: Sequence[tuple[str, Quantities]], unkind: bool) -> list[str]:
        await self.pc.switch(**(UNKIND if unkind else {}))
        await self.pc.order("PO-1", *ordered)
        for what, quantities in events:
            self.numbers += 1
            await (self.push(quantities) if what == "push" else self.act(what, quantities))
            check_books({kind: await self.pc.held(kind) for kind in BOOKED})
        return self.pushed

    async def act(self, what: str, quantities: Quantities) -> None:
        """A person does it in QuickBooks, if QuickBooks lets it."""
        given: dict[str, Any] = {"number": "PO-1"}
        if what == "convert":
            receipts = await self.pc.held("receipts")
            if not receipts:
                return
            chosen = receipts[sum(quantities.values()) % len(receipts)]
            what = "enter_bill_for_receipt"
            given = {"record_no": chosen["record_no"], "invoice_number": f"C-{self.numbers}"}
        else:
            order = await self.pc.one("purchase_orders", "PO-1")
            left = {line["line_no"]: int(line["quantity"]) - int(line["received"]) for line in order["lines"]}
            taken = {line: min(many, left[line]) for line, many in quantities.items() if left[line] > 0}
            if not taken:
                return  # a link for more may be left out, and then it is of no order
            given["lines"] = [{"line": line, "quantity": str(many)} for line, many in taken.items()]
            if what == "receive without the order":
                what, given["link"] = "receive", False
            given["receipt_number" if what == "receive" else "invoice_number"] = f"P-{self.numbers}"
        target = "/sandbox/companies/quickbooks_desktop/actions"
        answer = await self.pc.http.post(target, json={"action": what, **given})
        assert answer.status_code == 200, answer.text

    async def push(self, quantities: Quantities) -> None:
        connector, _ = connected(self.pc, **({"replace_item_receipts": "true"} if self.replace else {}))
        order = (await all_orders(connector))["PO-1"]
        before, shown = await self.pc.ledger(), await self.pc.one("purchase_orders", "PO-1")
        received = await self.received()
        bill = bill_of(order, f"PSB-{self.numbers}", quantities)
        left: dict[int, Decimal] = {}
        for line in shown["lines"]:
            at = line["line_no"]
            released = min(received.get(at, Decimal(0)), Decimal(quantities.get(at, 0))) if self.replace else 0
            left[at] = Decimal(line["quantity"]) - Decimal(line["received"]) + released
        fits = all(many <= left[line] for line, many in quantities.items())
        free = self.replace or not any(received.get(line) for line in quantities)
        free = free and not await self.received_without_the_order() & quantities.keys()
        code = "pushed"
        try:
            await connector.bills.create(bill)
        except Rejected as refused:
            code = refused.code
        self.pushed.append(code)
        if code != "pushed":
            assert await self.pc.ledger() == before
            assert (code == HELD) is (not free)
            assert not (fits and free), f"{code} though it adds to nothing"
            return
        assert fits
        assert free
        added = {line: max(many - received.get(line, Decimal(0)), Decimal(0)) for line, many in quantities.items()}
        after = {key: Decimal(amount) for key, amount in (await self.pc.ledger()).items()}
        payable = ("payable", "V-1")
        assert after.get(payable, 0) - Decimal(before.get(payable, 0)) == PRICE * sum(added.values())
        for line, many in added.items():
            stock = ("stock", f"ITEM-{line}")
            assert after.get(stock, 0) - Decimal(before.get(stock, 0)) == many

    async def received(self) -> dict[int, Decimal]:
        """What stands on item receipts, by the number of the order's line."""
        lines = {line["line"]: line["line_no"] for line in (await self.pc.one("purchase_orders", "PO-1"))["lines"]}
        held: dict[int, Decimal] = {}
        for receipt in await self.pc.held("receipts"):
            for line in receipt["lines"]:
                if line["order_doc"] is not None:
                    at = lines[line["order_line"]]
                    held[at] = held.get(at, Decimal(0)) + Decimal(line["quantity"])
        return held

    async def received_without_the_order(self) -> set[int]:
        """Lines whose items stand on item receipts that name no order."""
        items = {f"ITEM-{number}": number for number in (1, 2)}
        receipts = await self.pc.held("receipts")
        lines = [line for receipt in receipts for line in receipt["lines"] if line["order_doc"] is None]
        return {items[line["item_id"]] for line in lines}


quantities = st.dictionaries(st.sampled_from([1, 2]), st.integers(1, 10), min_size=1)
events = st.lists(
    st.tuples(
        st.sampled_from(
            ["receive", "receive", "receive without the order", "bill", "expense", "convert", "push", "push"]
        ),
        quantities,
    ),
    min_size=2,
    max_size=7,
)


@settings(max_examples=25, deadline=None, database=None)
@given(
    ordered=st.tuples(st.integers(1, 10), st.integers(1, 10)),
    events=events,
    replace=st.booleans(),
    unkind=st.booleans(),
)
def test_no_bill_adds_to_what_a_receipt_has_booked(
    ordered: tuple[int, int], events: list[tuple[str, Quantities]], replace: bool, unkind: bool
) -> None:
    """Issue 12: payables and stock after every step: a bill adds itself, or what it bills beyond the receipts whose
    place it takes, or nothing as it is held; and it is held only where a receipt holds something of its lines."""
    asyncio.run(Story(replace=replace).play([str(one) for one in ordered], events, unkind))


async def refused_code(connector: Any, bill: BillToPush) -> str:
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    return refused.value.code


@pytest.mark.parametrize("quantity", [4, 6, 8, 10])
async def test_nobody_can_tell_for_which_goods_a_bill_is(quantity: int) -> None:
    """Of ten four were received: a bill of six may be for the others, or for the four and two more."""
    pc = Pc()
    await pc.order("PO-1", "10")
    await pc.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "4"}])
    connector, journal = connected(pc)
    order = (await all_orders(connector))["PO-1"]
    before = await pc.ledger()
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill_of(order, "PSB-1", {1: quantity}))
    assert refused.value.code == HELD
    assert refused.value.evidence["item_receipts"].startswith("R-1 of 2026-")
    assert await pc.ledger() == before
    assert not any("BillAddRq" in one for one in journal.documents)
    # Once the receipt is a bill, the others may be billed, and no more.
    await pc.does("enter_bill_for_receipt", number="R-1", invoice_number="C-1")
    order = (await all_orders(connector))["PO-1"]
    left = bill_of(order, "PSB-2", {1: quantity})
    if quantity > 6:
        assert await refused_code(connector, left) == "MORE_THAN_ORDERED"
    else:
        await connector.bills.create(left)


@pytest.mark.parametrize("replace", ["false", "true"])
async def test_goods_received_without_the_order_are_not_booked_twice(replace: str) -> None:
    """Issue 12: the order shows nothing of a receipt that names none; it owes and stocks all the same."""
    pc = Pc()
    await pc.order("PO-1", "10", "5")
    await pc.does("receive", number="PO-1", receipt_number="R-1", link=False, lines=[{"line": 1, "quantity": "4"}])
    connector, journal = connected(pc, replace_item_receipts=replace)
    order = (await all_orders(connector))["PO-1"]
    assert [line.billed for line in order.lines] == [0, 0]
    before = await pc.ledger()
    bill = bill_of(order, "PSB-1", {1: 4})
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == HELD
    assert refused.value.evidence["item_receipts"].startswith("R-1 of 2026-")
    assert "names no order" in refused.value.message
    assert await pc.ledger() == before
    assert not any("BillAddRq" in one or "TxnDelRq" in one for one in journal.documents)
    await connector.bills.create(bill_of(order, "PSB-2", {2: 5}))  # nothing of its item was received
    # The goods on it were this bill's: it goes, and the bill comes.
    await pc.does("delete", kind="receipt", number="R-1")
    await connector.bills.create(bill)
    assert {key: Decimal(value) for key, value in (await pc.ledger()).items()} == {
        ("payable", "V-1"): 45, ("stock", "ITEM-1"): 4, ("stock", "ITEM-2"): 5
    }  # fmt: skip


@pytest.mark.parametrize("replace", ["false", "true"])
async def test_a_line_typed_into_an_orders_receipt_is_not_booked_twice(replace: str) -> None:
    """Its line names no order line: the order shows it received by nothing."""
    pc = Pc()
    shown = await pc.order("PO-1", "10", "5")
    vendor = next(row["record_no"] for row in await pc.held("vendors") if row["key"] == "V-1")
    item = next(row["record_no"] for row in await pc.held("items") if row["key"] == "ITEM-2")
    typed = f"<ItemLineAdd><ItemRef><ListID>{item}</ListID></ItemRef><Quantity>5</Quantity><Cost>5</Cost></ItemLineAdd>"
    pc.ask(
        f"<ItemReceiptAddRq><ItemReceiptAdd><VendorRef><ListID>{vendor}</ListID></VendorRef>"
        f"<TxnDate>2026-10-05</TxnDate>{linked(shown, 1, Quantity='4')}{typed}</ItemReceiptAdd></ItemReceiptAddRq>"
    )
    connector, _ = connected(pc, replace_item_receipts=replace)
    order = (await all_orders(connector))["PO-1"]
    before = await pc.ledger()
    assert await refused_code(connector, bill_of(order, "PSB-1", {2: 5})) == HELD
    assert await pc.ledger() == before


async def test_two_lines_of_one_item_are_both_held() -> None:
    """A receipt's line does not name its order's line; with the setting, too, as nobody knows what it would release."""
    pc = Pc()
    row = {"po_number": "PO-1", "vendor_id": "V-1", "po_date": "2026-10-01", "price": "5", "item_id": "ITEM-1"}
    await pc.load(
        items=[{"item_id": "ITEM-1", "item_type": "Inventory"}],
        purchase_orders=[{**row, "quantity": "10"}, {**row, "quantity": "10"}, {**row, "quantity": "10"}],
    )
    await pc.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "4"}])
    await pc.does("bill", number="PO-1", invoice_number="P-1", lines=[{"line": 2, "quantity": "4"}])
    for preferences in ({}, {"replace_item_receipts": "true"}):
        connector, _ = connected(pc, **preferences)
        order = (await all_orders(connector))["PO-1"]
        assert [await refused_code(connector, bill_of(order, "PSB-1", {line: 4})) for line in (1, 2)] == [HELD, HELD]
    await connector.bills.create(bill_of(order, "PSB-3", {3: 4}))  # nothing was received of the third


async def test_charges_that_a_receipt_may_hold_are_held() -> None:
    """Freight stands on the receipt of one line; a bill of another one has freight, too."""
    pc = Pc()
    shown = await pc.order("PO-1", "10", "10")
    account = next(row["record_no"] for row in await pc.held("accounts") if row["type"] == "Account")
    vendor = next(row["record_no"] for row in await pc.held("vendors") if row["key"] == "V-1")
    expense = (
        f"<ExpenseLineAdd><AccountRef><ListID>{account}</ListID></AccountRef><Amount>15.00</Amount></ExpenseLineAdd>"
    )
    pc.ask(
        f"<ItemReceiptAddRq><ItemReceiptAdd><VendorRef><ListID>{vendor}</ListID></VendorRef>"
        f"<TxnDate>2026-10-05</TxnDate>{expense}{linked(shown, 1, Quantity='4')}</ItemReceiptAdd></ItemReceiptAddRq>"
    )
    before = await pc.ledger()
    charge = ChargeToPush(kind=ChargeKind.FREIGHT, amount=Decimal(15))
    for quantities, replace in (({2: 4}, "false"), ({1: 4}, "false"), ({1: 4}, "true")):
        connector, _ = connected(pc, replace_item_receipts=replace, **{"charge_account.freight": account})
        order = (await all_orders(connector))["PO-1"]
        bill = bill_of(order, "PSB-1", quantities)
        bill = bill.model_copy(update={"charges": (charge,), "total": bill.total + 15})
        assert await refused_code(connector, bill) == HELD
    assert await pc.ledger() == before
    await connector.bills.create(bill_of(order, "PSB-2", {2: 4}))  # without freight it is for nothing that is there


@pytest.mark.parametrize("link", ["refused", "530"])
async def test_an_order_line_without_a_quantity_is_told_before_the_push(link: str) -> None:
    """Nothing can be linked to it, so that the bill would stand beside its receipt, or without its order."""
    pc = Pc()
    await pc.switch(full_line_link=link)
    shown = await pc.order("PO-1", "10")
    vendor, item = (await pc.held("vendors"))[0]["record_no"], (await pc.held("items"))[0]["record_no"]
    pc.ask(
        f"<PurchaseOrderAddRq><PurchaseOrderAdd><VendorRef><ListID>{vendor}</ListID></VendorRef>"
        "<TxnDate>2026-10-05</TxnDate><RefNumber>PO-2</RefNumber><PurchaseOrderLineAdd><ItemRef>"
        f"<ListID>{item}</ListID></ItemRef><Amount>50.00</Amount></PurchaseOrderLineAdd></PurchaseOrderAdd>"
        "</PurchaseOrderAddRq>"
    )
    assert shown["number"] == "PO-1"
    connector, journal = connected(pc)
    order = (await all_orders(connector))["PO-2"]
    assert await refused_code(connector, bill_of(order, "PSB-1", {1: 1})) == "ORDER_LINE_WITHOUT_QUANTITY"
    assert not any("BillAddRq" in one for one in journal.documents)


class PersonMeanwhile(DirectJournal):
    """A person converts the receipt between the look-up and the question for the receipts."""

    async def read(self, key: str, request: str) -> str:
        if key.startswith("receipts/") and await self.pc.held("receipts"):
            await self.pc.does("enter_bill_for_receipt", number="R-1", invoice_number="C-1")
        return await super().read(key, request)


async def test_an_order_that_changes_while_its_receipts_are_read_is_read_anew() -> None:
    pc = Pc()
    await pc.order("PO-1", "10")
    await pc.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "4"}])
    connector, _ = connected(pc)
    connector.bills._client._journal = PersonMeanwhile(pc)
    bill = bill_of((await all_orders(connector))["PO-1"], "PSB-1", {1: 6})
    with pytest.raises(Stale):
        await connector.bills.create(bill)
    await connector.bills.create(bill)
    assert {key: Decimal(value) for key, value in (await pc.ledger()).items()} == {
        ("payable", "V-1"): 50, ("stock", "ITEM-1"): 10
    }  # fmt: skip


async def test_a_receipt_that_quickbooks_does_not_show_may_hold_anything() -> None:
    pc = Pc()
    await pc.order("PO-1", "10")
    await pc.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "4"}])

    class NotShown(DirectJournal):
        async def read(self, key: str, request: str) -> str:
            text = await super().read(key, request)
            return text.replace("ItemReceiptRet", "OtherRet") if key.startswith("receipts/") else text

    for preferences in ({}, {"replace_item_receipts": "true"}):
        connector, _ = connected(pc, **preferences)
        bill = bill_of((await all_orders(connector))["PO-1"], "PSB-1", {1: 2})
        connector.bills._client._journal = NotShown(pc)
        assert await refused_code(connector, bill) == HELD
