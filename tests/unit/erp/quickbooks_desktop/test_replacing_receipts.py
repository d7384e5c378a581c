"""A bill takes the place of item receipts, where the connection asks for it: nothing is counted twice, nothing is lost.

The journal here answers at once; tests/conformance/test_replacing_receipts.py has the one that answers later.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from erp.errors import Rejected, Stale
from models.domain.bills import BillToPush
from sandbox.quickbooks_desktop.switches import UNKIND
from tests.conformance.erp_harness import a_bill_for, all_orders
from tests.unit.erp.quickbooks_desktop.company_file import DirectJournal, connected
from tests.unit.sandbox.quickbooks_desktop.pc import Pc

ON = {"replace_item_receipts": "true"}
ORDER, RECEIPT = "PO-1016", "R-3016"
"""An order of two lines, twenty of the first, received in full by one receipt."""


async def sample(**switches: Any) -> Pc:
    pc = Pc()
    await pc.switch(**switches)
    await pc.room("/companies/quickbooks_desktop/sample")
    return pc


async def a_bill(pc: Pc, quantity: int = 5, *, lines: int = 1, number: str = "PSB-1") -> BillToPush:
    """A bill of so many of each line, at the order's prices."""
    connector, _ = connected(pc)
    order = (await all_orders(connector))[ORDER]
    return a_bill_for(order, number, Decimal(quantity), lines)


async def receipts(pc: Pc) -> list[list[str]]:
    """The quantities that receipts hold of the order."""
    order = await pc.one("purchase_orders", ORDER)
    rows = [
        row
        for row in await pc.held("receipts")
        if any(line["order_doc"] == order["record_no"] for line in row["lines"])
    ]
    return [[line["quantity"] for line in row["lines"]] for row in rows]


async def bills(pc: Pc) -> int:
    return len([row for row in await pc.held("bills") if "[posync " in (row["memo"] or "")])


@pytest.mark.parametrize(
    "switches", [{}, {"status_check_answer": "ids_only"}, dict(UNKIND)], ids=["usual", "ids", "unkind"]
)
async def test_a_bill_takes_the_place_of_what_it_bills(switches: dict[str, Any]) -> None:
    """Issue 12: payables and stock are as before, the bill is linked, and the receipt holds the rest."""
    pc = await sample(**switches)
    before = await pc.ledger()
    whole = await receipts(pc)
    bill = await a_bill(pc)
    connector, _ = connected(pc, **ON)
    pushed = await connector.bills.read_back(bill, await connector.bills.create(bill))
    assert (pushed.linked, pushed.differences) == (True, ())
    assert await pc.ledger() == before
    assert await receipts(pc) == [[str(Decimal(whole[0][0]) - 5), *whole[0][1:]]]
    assert (await pc.one("receipts", RECEIPT))["memo"].endswith("/rest]")
    assert await bills(pc) == 1


async def test_a_second_bill_takes_the_place_of_the_rest() -> None:
    pc = await sample()
    before, whole = await pc.ledger(), await receipts(pc)
    connector, _ = connected(pc, **ON)
    for number, quantity in (("PSB-1", 5), ("PSB-2", int(whole[0][0]) - 5)):
        await connector.bills.create(await a_bill(pc, quantity, number=number))
        assert await pc.ledger() == before
    assert await receipts(pc) == [whole[0][1:]]


async def test_without_the_setting_the_receipt_stays() -> None:
    pc = await sample()
    connector, _ = connected(pc)
    bill = await a_bill(pc)
    before = await pc.ledger()
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == "RECEIVED_BY_ITEM_RECEIPT"
    assert await pc.ledger() == before


async def test_a_receipt_in_closed_books_stays() -> None:
    """Told before anything is deleted."""
    pc = await sample()
    bill = await a_bill(pc)
    received = (await pc.one("receipts", RECEIPT))["date"]
    await pc.does("close_period", through=received)
    bill = bill.model_copy(update={"bill_date": pc.computer.company.today()})
    connector, journal = connected(pc, **ON)
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == "RECEIVED_BY_ITEM_RECEIPT"
    assert not any("TxnDelRq" in one for one in journal.documents)


@pytest.mark.parametrize("kind", ["refused", "permission_denied", "unknown_error"])
async def test_a_bill_that_quickbooks_refuses_leaves_the_receipt_as_it_was(kind: str) -> None:
    """Whatever its words, nothing is missing afterwards, and a later attempt begins anew."""
    pc = await sample()
    before, whole = await pc.ledger(), await receipts(pc)
    bill = await a_bill(pc)
    connector, _ = connected(pc, **ON)
    await pc.breaks(kind, "BillAdd")
    with pytest.raises(Rejected):
        await connector.bills.create(bill)
    assert (await pc.ledger(), await receipts(pc)) == (before, whole)
    await connector.bills.create(bill)
    assert (await pc.ledger(), await bills(pc)) == (before, 1)


async def test_a_receipt_that_quickbooks_does_not_take_anew_is_named_until_it_does() -> None:
    pc = await sample()
    before = await pc.ledger()
    bill = await a_bill(pc)
    connector, _ = connected(pc, **ON)
    await pc.breaks("refused", "ItemReceiptAdd")
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == "RECEIPT_NOT_RESTORED"
    assert refused.value.evidence["receipt"] == RECEIPT
    assert refused.value.evidence["lines"]
    assert await connector.bills.find(bill) is not None
    assert (await pc.ledger(), await bills(pc)) == (before, 1)


class PersonBetween(DirectJournal):
    """A person does something between the look-up and the deletion."""

    def __init__(self, pc: Pc, does: Callable[[], Any]) -> None:
        super().__init__(pc)
        self._does: Callable[[], Any] | None = does

    async def write(self, key: str, request: str, outcome: Any = None, *, looked_up: Any = None) -> str:
        if "TxnDelRq" in request and self._does is not None:
            does, self._does = self._does, None
            await does()
        return await super().write(key, request, outcome)


async def test_a_receipt_that_a_person_changed_meanwhile_is_entered_as_the_person_left_it() -> None:
    pc = await sample()
    bill = await a_bill(pc)
    connector, _ = connected(pc, **ON)

    async def edit() -> None:
        record = pc.computer.company.txns["ItemReceipt"][(await pc.one("receipts", RECEIPT))["record_no"]]
        record.values["Memo"] = "counted twice"
        pc.computer.company.touch(record)

    between = PersonBetween(pc, edit)
    connector.bills._client._journal = between
    with pytest.raises(Stale):
        await connector.bills.create(bill)
    assert (await pc.one("receipts", RECEIPT))["memo"].startswith("counted twice")
    before = await pc.ledger()
    await connector.bills.create(bill)
    assert (await pc.ledger(), (await receipts(pc))[0][0]) == (before, "15")


async def test_a_receipt_that_a_person_turned_into_the_bill_meanwhile_is_that_bill() -> None:
    pc = await sample()
    connector, _ = connected(pc, **ON)
    order = (await all_orders(connector))[ORDER]
    bill = a_bill_for(order, "PSB-1", Decimal(20), 1)
    bill = bill.model_copy(update={"total": sum((line.amount for line in order.lines), Decimal(0))})

    async def convert() -> None:
        await pc.does("enter_bill_for_receipt", number=RECEIPT, invoice_number=bill.number)

    connector.bills._client._journal = PersonBetween(pc, convert)
    before = await pc.ledger()
    with pytest.raises(Stale):
        await connector.bills.create(bill)
    assert await connector.bills.create(bill) == (await pc.one("bills", bill.number))["record_no"]
    assert await pc.ledger() == before


class PersonAfterTheDeletion(DirectJournal):
    """A person does something between the deletion of the receipts and the bill."""

    def __init__(self, pc: Pc, does: Callable[[], Any]) -> None:
        super().__init__(pc)
        self._does: Callable[[], Any] | None = does

    async def read(self, key: str, request: str) -> str:
        if key.startswith("deleted/") and self._does is not None:
            does, self._does = self._does, None
            await does()
        return await super().read(key, request)


async def test_a_bill_that_a_person_enters_between_the_two_is_the_bill() -> None:
    """Issue 12: of its vendor, number, order and total: no second one, and the rest is received anew."""
    pc = await sample()
    before, whole = await pc.ledger(), await receipts(pc)
    bill = await a_bill(pc)
    connector, _ = connected(pc, **ON)

    async def enter() -> None:
        await pc.does("bill", number=ORDER, invoice_number=bill.number, lines=[{"line": 1, "quantity": "5"}])

    connector.bills._client._journal = PersonAfterTheDeletion(pc, enter)
    document = await connector.bills.create(bill)
    assert document == (await pc.one("bills", bill.number))["record_no"]
    assert (await pc.ledger(), await bills(pc)) == (before, 0)
    assert await receipts(pc) == [[str(Decimal(whole[0][0]) - 5), *whole[0][1:]]]


async def test_another_bill_of_its_number_that_a_person_enters_between_the_two_leaves_the_receipt() -> None:
    """Issue 12: without its order, or of another total, it need not be this one: a person says which is right."""
    pc = await sample()
    before, whole = await pc.ledger(), await receipts(pc)
    bill = await a_bill(pc)
    vendor = (await pc.one("purchase_orders", ORDER))["vendor_id"]
    connector, _ = connected(pc, **ON)

    async def enter() -> None:
        await pc.does("add_bill", vendor_id=vendor, number=bill.number, amount="7.00")

    connector.bills._client._journal = PersonAfterTheDeletion(pc, enter)
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == "NUMBER_TAKEN"
    assert await bills(pc) == 0
    await pc.does("delete", kind="bill", number=bill.number)
    assert (await pc.ledger(), await receipts(pc)) == (before, whole)
