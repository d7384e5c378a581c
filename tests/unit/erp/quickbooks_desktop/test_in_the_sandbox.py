"""The connector at the sandbox's company file, in every position of its switches: what comes in, what goes out once."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from erp.errors import Duplicate, OutcomeUnknown, Rejected
from erp.quickbooks_desktop import statuses
from erp.quickbooks_desktop.lists import entries_of
from models.domain.bills import ChargeKind, ChargeToPush, PushedBill
from models.domain.connections import MatchMode
from models.domain.ids import ExternalKey
from models.domain.lists import ListKind
from models.domain.orders import MatchingStatus, PoStatus, PurchaseOrder
from models.domain.sync import DeletedKind, Stream
from sandbox.quickbooks_desktop.switches import SWITCHES, UNKIND
from tests.conformance.erp_harness import a_bill_for, a_payment_of, all_orders, push
from tests.unit.erp.quickbooks_desktop.company_file import DirectJournal, connected
from tests.unit.sandbox.quickbooks_desktop.pc import Pc

SINCE = "2020-01-01 00:00:00"
BANK = "Bank of America, operations"

POSITIONS: list[dict[str, Any]] = [
    {},
    *({name: word} for name, switch in SWITCHES.items() for word in switch.choices if word != switch.default),
    {"billed_fields": "enhanced_only"},
    {"payment_touches_bill": True},
    dict(UNKIND),
]


async def sample(**switches: Any) -> Pc:
    pc = Pc()
    await pc.switch(**switches)
    await pc.room("/companies/quickbooks_desktop/sample")
    return pc


async def enhanced(pc: Pc) -> None:
    await pc.does("enable_enhanced_receiving")
    pc.open()


async def every(role: Any) -> list[Any]:
    records: list[Any] = []
    after = None
    while True:
        page = await role.page(since=SINCE, after=after)
        assert not page.bad
        records += page.records
        after = page.after
        if after is None:
            return records


async def pushed_twice(connector: Any, journal: DirectJournal, order: PurchaseOrder) -> PushedBill:
    """A bill whose answer was lost: it is looked up, and not made again."""
    bill = a_bill_for(order, "PSB-LOST", Decimal(1), 1)
    journal.lose_next = 1
    with pytest.raises(OutcomeUnknown):
        await connector.bills.create(bill)
    document = await connector.bills.find(bill)
    assert document is not None
    assert await connector.bills.create(bill) == document
    read: PushedBill = await connector.bills.read_back(bill, document)
    return read


@pytest.mark.parametrize("switches", POSITIONS, ids=lambda one: "+".join(map(str, one.values()))[:40] or "usual")
async def test_the_way_of_an_order_in_every_position_of_the_switches(switches: dict[str, Any]) -> None:
    """Issue 12: orders in, a bill out with its link, once, its payment, an edit."""
    pc = await sample(**switches)
    connector, journal = connected(pc, page_size=10)
    order = (await all_orders(connector))["PO-1007"]
    assert (order.erp_status, order.revision.isdigit()) == (statuses.OPEN, True)
    bill = a_bill_for(order, "PSB-1", Decimal(2), 2)
    pushed = await push(connector, bill)
    assert (pushed.linked, pushed.differences, pushed.total) == (True, (), bill.total)
    assert pushed.snapshot is not None
    assert pushed.snapshot.purchase_order.erp_status == statuses.PARTLY
    assert {one.order_line for one in pushed.snapshot.billings if one.document_number == "PSB-1"} == {
        line.order_line for line in bill.lines
    }
    again = await pushed_twice(connector, journal, order)
    assert (again.linked, again.differences) == (True, ())
    payment = a_payment_of(bill, pushed, "PSP-0123456789ABCDEF").model_copy(
        update={"bank_account": BANK, "method": "check"}
    )
    paid = await connector.payments.read_back(payment, await connector.payments.create(payment))
    assert (paid.settled, paid.bill_due) == (True, Decimal(0))
    edit = bill.model_copy(update={"memo": "agreed by phone", "edited": frozenset({"memo"})})
    await connector.bills.update(edit, pushed.document_id, edition=1)
    with pytest.raises(Duplicate):
        await connector.bills.update(edit, pushed.document_id, edition=2)
    mine = [one for one in await every(connector.bills) if one.external_key == "PSB-1"]
    assert [(one.due, one.memo) for one in mine] == [(Decimal(0), "agreed by phone")]
    assert [one.document_number for one in await every(connector.payments)].count("PSP-0123456789ABCDEF") == 1
    bills = [row for row in await pc.held("bills") if "PSB-" in (row["memo"] or "")]
    assert len(bills) == 2


async def test_a_payment_by_card_goes_out_once_from_the_card_account() -> None:
    """Issue 12: by check and by card, each a record of its own kind; a lost answer is looked up."""
    pc = await sample()
    connector, journal = connected(pc, page_size=10)
    bill = a_bill_for((await all_orders(connector))["PO-1007"], "PSB-1", Decimal(2), 2)
    pushed = await push(connector, bill)
    payment = a_payment_of(bill, pushed, "PSP-CARD").model_copy(update={"bank_account": "Visa", "method": "card"})
    journal.lose_next = 1
    with pytest.raises(OutcomeUnknown):
        await connector.payments.create(payment)
    found = await connector.payments.find(payment)
    assert found is not None
    paid = await connector.payments.read_back(payment, found)
    assert (paid.settled, paid.bill_due) == (True, Decimal(0))
    (held,) = [row for row in await pc.held("payments") if "PSP-CARD" in (row["memo"] or "")]
    assert held["type"] == "BillPaymentCreditCard"
    (seen,) = [one for one in await every(connector.payments) if one.document_number == "PSP-CARD"]
    assert (seen.amount, seen.erp_id) == (payment.amount, found)


def test_a_set_of_units_is_a_group_and_its_units() -> None:
    """Issue 12: units of measure come in with their factors to the set's base unit."""
    record = etree.fromstring(
        "<UnitOfMeasureSetRet><ListID>80000001-1</ListID><TimeModified>2026-03-02T08:15:00-08:00</TimeModified>"
        "<EditSequence>1</EditSequence><Name>Count</Name><IsActive>true</IsActive>"
        "<BaseUnit><Name>each</Name></BaseUnit>"
        "<RelatedUnit><Name>case</Name><ConversionRatio>12</ConversionRatio></RelatedUnit></UnitOfMeasureSetRet>"
    )
    group, *units = entries_of(record)
    assert (group.kind, group.name) == (ListKind.UNIT_GROUP, "Count")
    assert {unit.name: unit.attributes["factor"] for unit in units} == {"each": "1", "case": "12"}
    assert {unit.attributes["group"] for unit in units} == {group.erp_id}


async def test_lists_come_in() -> None:
    connector, _ = connected(await sample(), page_size=3)
    kinds: dict[ListKind, list[str]] = {}
    after = None
    while True:
        page = await connector.lists.page(list(ListKind), since=None, after=after)
        for entry in page.records:
            kinds.setdefault(entry.kind, []).append(entry.name)
        after = page.after
        if after is None:
            break
    assert len(kinds[ListKind.VENDOR]) == 7
    assert len(kinds[ListKind.ITEM]) == 16
    assert BANK in kinds[ListKind.BANK_ACCOUNT]
    assert len(kinds[ListKind.CLASS]) == 2
    assert kinds[ListKind.TERM]


@pytest.mark.parametrize("number", ["PO-1001", "PO-1014", "PO-1002", "PO-1022", "PO-1016"])
async def test_statuses_of_orders(number: str) -> None:
    """S4-48: closed by hand, received in full, in part, not at all."""
    connector, _ = connected(await sample())
    order = (await all_orders(connector))[number]
    meaning = connector.orders.statuses(order.erp_status, MatchMode.TWO_WAY)
    assert meaning is not None
    assert meaning.po is {
        "PO-1001": PoStatus.FILLED,
        "PO-1014": PoStatus.CLOSED,
        "PO-1002": PoStatus.PARTIALLY_FILLED,
        "PO-1022": PoStatus.UNFILLED,
        "PO-1016": PoStatus.FILLED,
    }[number]  # fmt: skip
    # What stands on item receipts is to be billed still.
    assert (meaning.matching is MatchingStatus.ACTIVE) is (number in ("PO-1016", "PO-1022"))


@pytest.mark.parametrize("switches", [{}, dict(UNKIND)], ids=["usual", "unkind"])
async def test_a_bill_never_adds_to_an_item_receipt(switches: dict[str, Any]) -> None:
    """Issue 12: ordinary receiving: payables and stock stay as the receipt booked them."""
    pc = await sample(**switches)
    connector, _ = connected(pc)
    before = await pc.ledger()
    order = (await all_orders(connector))["PO-1016"]
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(a_bill_for(order, "PSB-1", Decimal(2)))
    assert refused.value.code == "RECEIVED_BY_ITEM_RECEIPT"
    assert await pc.ledger() == before


async def test_a_bill_made_of_the_item_receipt_is_taken_as_ours() -> None:
    """Issue 12: a person converts the receipt; the bill is adopted by number and vendor."""
    pc = await sample()
    connector, _ = connected(pc)
    order = (await all_orders(connector))["PO-1016"]
    bill = a_bill_for(order, "PSB-1", Decimal(20), 1)
    whole = [line.amount for line in order.lines]
    bill = bill.model_copy(update={"total": sum(whole, Decimal(0))})
    await pc.does("enter_bill_for_receipt", number="R-3016", invoice_number=bill.number)
    before = await pc.ledger()
    document = await connector.bills.create(bill)
    assert document == (await pc.one("bills", bill.number))["record_no"]
    assert await pc.ledger() == before


async def test_a_bill_made_of_the_item_receipt_with_another_total_is_ours_with_a_difference() -> None:
    """Issue 12: adopted by number and vendor: what differs is shown to a person, and no second bill is made."""
    pc = await sample()
    connector, _ = connected(pc)
    order = (await all_orders(connector))["PO-1016"]
    bill = a_bill_for(order, "PSB-1", Decimal(20), 2)  # of the second line two were received
    await pc.does("enter_bill_for_receipt", number="R-3016", invoice_number=bill.number)
    before = await pc.ledger()
    assert await connector.bills.find(bill) is None
    document = await connector.bills.create(bill)
    converted = await pc.one("bills", bill.number)
    assert document == converted["record_no"]
    pushed = await connector.bills.read_back(bill, document)
    assert pushed.linked
    assert f"the total: sent {bill.total}, QuickBooks has {Decimal(converted['total']):.2f}" in pushed.differences
    assert "line 2, the quantity: sent 20, QuickBooks has 2" in pushed.differences
    # The person's own memo is no difference, nor that our key is not in it.
    assert not [one for one in pushed.differences if "memo" in one or "key" in one or "description" in one]
    # Once the person has settled them, it is ours without a difference.
    same = a_bill_for(order, "PSB-1", Decimal(20), 1)
    lines = (*same.lines, bill.lines[1].model_copy(update={"quantity": Decimal(2), "amount": order.lines[1].amount}))
    same = same.model_copy(
        update={
            "lines": lines, "total": sum((one.amount for one in lines), Decimal(0)),
            "bill_date": date.fromisoformat(converted["date"]), "due_date": date.fromisoformat(converted["due_date"]),
        }
    )  # fmt: skip
    assert await connector.bills.create(same) == document
    assert (await connector.bills.read_back(same, document)).differences == ()
    assert await pc.ledger() == before


async def test_a_bill_that_a_person_called_another_one_is_not_taken() -> None:
    """A person said that the number is that of another bill, and a voided bill is none."""
    pc = await sample()
    connector, _ = connected(pc)
    order = (await all_orders(connector))["PO-1016"]
    bill = a_bill_for(order, "PSB-1", Decimal(20), 1).model_copy(update={"may_repeat_number": True})
    await pc.does("enter_bill_for_receipt", number="R-3016", invoice_number=bill.number)
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == "NUMBER_TAKEN"


async def test_an_edited_memo_keeps_the_whole_invoice_number() -> None:
    """QuickBooks keeps twenty characters of it; the memo has the whole."""
    pc = await sample()
    connector, _ = connected(pc)
    order = (await all_orders(connector))["PO-1007"]
    number = "INVOICE-2026-11-000000004711"
    bill = a_bill_for(order, "PSB-1").model_copy(update={"number": number})
    pushed = await push(connector, bill)
    edit = bill.model_copy(update={"memo": "agreed by phone", "edited": frozenset({"memo"})})
    await connector.bills.update(edit, pushed.document_id, edition=1)
    assert (await connector.bills.read_back(edit, pushed.document_id)).differences == ()
    (held,) = [row for row in await pc.held("bills") if row["record_no"] == pushed.document_id]
    assert held["memo"] == f"agreed by phone\nInvoice number: {number} [posync PSB-1]"


@pytest.mark.parametrize("where", ["memo", "description", "lines", "charge", "payment"])
async def test_texts_that_are_too_long_are_told_before_the_push(where: str) -> None:
    """Issue 12: nothing of them is cut, neither a person's words nor our key behind them."""
    pc = await sample()
    connector, journal = connected(pc, **{"charge_account.freight": "Freight"})
    order = (await all_orders(connector))["PO-1007"]
    bill = a_bill_for(order, "PSB-1")
    pushed = await push(connector, bill)
    journal.documents.clear()
    long, half, line = "x" * 4096, "y" * 2100, bill.lines[0]
    texts: dict[str, dict[str, Any]] = {
        "memo": {"memo": "x" * 4090},  # our key comes behind it
        "description": {"lines": (line.model_copy(update={"description": long}),)},
        "lines": {
            "lines": (
                line.model_copy(update={"description": half}),
                line.model_copy(update={"line_no": 2, "description": half + "z"}),
            )
        },
        "charge": {"charges": (ChargeToPush(kind=ChargeKind.FREIGHT, amount=Decimal(5), description=long),)},
    }
    named = {
        "memo": "the memo", "description": "the description of line 1", "lines": "the description of line 1",
        "charge": "the description of freight", "payment": "the memo",
    }  # fmt: skip
    wanted = {**texts.get(where, {}), "external_key": ExternalKey("PSB-2")}
    payment = a_payment_of(bill, pushed, "PSP-1").model_copy(update={"memo": long})
    write = (
        connector.payments.create(payment)
        if where == "payment"
        else connector.bills.create(bill.model_copy(update=wanted))
    )
    with pytest.raises(Rejected) as refused:
        await write
    assert refused.value.code == "TEXT_TOO_LONG"
    assert (refused.value.evidence["what"], refused.value.evidence["longest"]) == (named[where], "4095")
    assert journal.documents == []


async def test_an_edit_finds_its_line_among_two_of_one_item() -> None:
    """QuickBooks has them in the order's sequence, whatever the bill's is."""
    pc = Pc()
    row = {"po_number": "PO-1", "vendor_id": "V-1", "po_date": "2026-10-01", "price": "5", "item_id": "ITEM-1"}
    await pc.load(
        items=[{"item_id": "ITEM-1", "item_type": "Inventory"}],
        purchase_orders=[{**row, "quantity": "10"}, {**row, "quantity": "10"}],
    )
    connector, _ = connected(pc)
    order = (await all_orders(connector))["PO-1"]
    whole = a_bill_for(order, "PSB-1", Decimal(2), 2)
    second = whole.lines[1].model_copy(update={"line_no": 1, "quantity": Decimal(3), "amount": Decimal(15)})
    first = whole.lines[0].model_copy(update={"line_no": 2})
    bill = whole.model_copy(update={"lines": (second, first), "total": Decimal(25)})
    pushed = await push(connector, bill)
    assert pushed.differences == ()
    edited = second.model_copy(update={"description": "three of them", "edited": frozenset({"description"})})
    edit = bill.model_copy(update={"lines": (edited, first)})
    await connector.bills.update(edit, pushed.document_id, edition=1)
    held = await pc.one("bills", bill.number)
    assert [one["quantity"] for one in held["lines"] if one["description"] == "three of them"] == ["3"]


async def test_a_changed_set_of_units_is_detected() -> None:
    """Its factors decide what a bill in another unit bills."""
    pc = await sample()
    connector, _ = connected(pc)
    await pc.load(units=[{"unit_group": "Boxes", "unit": "Each", "factor": "1"}])
    since = order_time(pc)
    await pc.load(units=[{"unit_group": "Boxes", "unit": "Box of 12", "factor": "12"}])
    versions = (await connector.changes.detect_changes({Stream.LISTS: since})).record_versions
    (group,) = [row["record_no"] for row in await pc.held("units")]
    assert [one.erp_id for one in versions if one.kind == ListKind.UNIT_GROUP] == [group]


async def test_classes_and_units_that_are_switched_on_later_come_in() -> None:
    """Issue 12: they were made long before, so no cursor reaches back to them."""
    pc = await sample()
    await pc.load(units=[{"unit_group": "Boxes", "unit": "Each", "factor": "1"}])
    connector, _ = connected(pc)
    since = "2099-01-01 00:00:00"
    versions = (await connector.changes.detect_changes({Stream.LISTS: since})).record_versions
    assert {one.kind for one in versions} == {ListKind.CLASS, ListKind.UNIT_GROUP}
    page = await connector.lists.page([ListKind.CLASS, ListKind.UNIT, ListKind.VENDOR], since=since, after=None)
    assert {one.kind for one in page.records} == {ListKind.CLASS, ListKind.UNIT}


@pytest.mark.parametrize(
    ("link", "outcome"), [("po_line", "linked"), ("refused", "refused"), ("without_link", "not linked")]
)
async def test_with_enhanced_receiving_receipts_and_bills_are_apart(link: str, outcome: str) -> None:
    """Issue 12: a bill of received goods is linked as far as QuickBooks links it, and never called linked otherwise."""
    pc = await sample(enhanced_link=link)
    await enhanced(pc)
    connector, _ = connected(pc, enhanced=True)
    assert connector.capabilities.match_modes == (MatchMode.TWO_WAY, MatchMode.THREE_WAY)
    order = (await all_orders(connector))["PO-1016"]
    assert [line.billed for line in order.lines] == [0, 0]
    snapshot = await connector.orders.read(order.erp_id)
    assert {line.order_line for one in snapshot.receipts for line in one.lines} == {line.erp_id for line in order.lines}
    stock = {key: amount for key, amount in (await pc.ledger()).items() if key[0] == "stock"}
    bill = a_bill_for(order, "PSB-1", Decimal(2))
    if outcome == "refused":
        with pytest.raises(Rejected):
            await connector.bills.create(bill)
    else:
        assert (await push(connector, bill)).linked is (outcome == "linked")
    assert {key: amount for key, amount in (await pc.ledger()).items() if key[0] == "stock"} == stock


@pytest.mark.parametrize("counted", ["of_ordered", "of_received"])
@pytest.mark.parametrize("received", [0, 1])
async def test_what_is_not_billed_is_billable_whatever_quickbooks_counts(counted: str, received: int) -> None:
    """Issue 12: enhanced receiving: of an order that no bill is linked to nothing is billed, whether QuickBooks counts
    what is not billed of what was ordered or of what was received; and once it is billed, all of it is."""
    pc = await sample(unbilled_quantity=counted)
    await enhanced(pc)
    if received:
        await pc.does("receive", number="PO-1022", lines=[{"line": 1, "quantity": "100"}])
    connector, _ = connected(pc, enhanced=True)
    order = (await all_orders(connector))["PO-1022"]
    assert [line.billed for line in order.lines] == [0, 0]
    bill = a_bill_for(order, "PSB-1", order.lines[0].quantity)
    assert (await push(connector, bill)).linked
    assert (await all_orders(connector))["PO-1022"].lines[0].billed == order.lines[0].quantity
    other = a_bill_for(order, "PSB-2")
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(other)
    assert refused.value.code == "ALREADY_CONVERTED"


async def test_a_restored_backup_forgets_the_set_and_the_bill() -> None:
    """Issue 12: the look-up by number comes with every repeat; here it finds nothing, and the bill is made."""
    pc = await sample()
    connector, journal = connected(pc)
    order = (await all_orders(connector))["PO-1007"]
    bill = a_bill_for(order, "PSB-1")
    await pc.does("back_up")
    journal.lose_next = 1
    with pytest.raises(OutcomeUnknown):
        await connector.bills.create(bill)
    await pc.does("restore_backup")
    pc.open()
    assert await connector.bills.find(bill) is None
    assert (await push(connector, bill)).linked
    assert len([row for row in await pc.held("bills") if row["number"] == bill.number]) == 1


async def test_what_is_told_before_the_push() -> None:
    """Issue 12: closed books, and characters that QuickBooks does not store."""
    pc = await sample()
    connector, _ = connected(pc)
    order = (await all_orders(connector))["PO-1007"]
    bill = a_bill_for(order, "PSB-1")
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill.model_copy(update={"memo": "Złoty"}))
    assert (refused.value.code, refused.value.evidence["code"]) == ("TEXT_NOT_TAKEN", "U+0142")
    await pc.does("close_period", through=order.ordered_on.isoformat())
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == "PERIOD_CLOSED"


@pytest.mark.parametrize(("refusal", "sent"), [("any_write", False), ("what_is_there", True)])
async def test_an_application_that_may_only_read_is_told(refusal: str, sent: bool) -> None:
    """Issue 12: before the push, where QuickBooks says so of a change of what is not there; else by the push."""
    pc = await sample(read_only_refusal=refusal)
    connector, journal = connected(pc)
    bill = a_bill_for((await all_orders(connector))["PO-1007"], "PSB-1")
    pushed = await push(connector, bill)
    pc.open(read_only=True)
    before = await pc.ledger()
    payment = a_payment_of(bill, pushed, "PSP-1").model_copy(update={"bank_account": BANK, "method": "check"})
    other = bill.model_copy(update={"external_key": ExternalKey("PSB-2"), "number": "INV-2"})
    for write in (connector.bills.create(other), connector.payments.create(payment)):
        journal.documents.clear()
        with pytest.raises(Rejected) as refused:
            await write
        assert refused.value.code == "APPLICATION_READ_ONLY"
        assert any("BillAddRq" in one or "BillPaymentCheckAddRq" in one for one in journal.documents) is sent
    assert await pc.ledger() == before


async def test_inventory_that_is_switched_off_is_told_before_the_push() -> None:
    """Issue 12: purchase orders are off with it."""
    pc = await sample()
    connector, journal = connected(pc)
    bill = a_bill_for((await all_orders(connector))["PO-1007"], "PSB-1")
    pc.computer.company.preferences["IsUsingInventory"] = False
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == "FEATURE_OFF"
    assert not any("BillAddRq" in one for one in journal.documents)


async def test_order_lines_that_can_no_longer_receive_are_told_before_the_push() -> None:
    """Issue 12: an order closed by hand, a line received in full, and more than is left of one: nothing is sent."""
    pc = await sample()
    connector, journal = connected(pc)
    orders = await all_orders(connector)
    closed, full, left = (
        a_bill_for(orders[number], "PSB-1", Decimal(1)) for number in ("PO-1014", "PO-1001", "PO-1007")
    )
    left = left.model_copy(
        update={"lines": tuple(line.model_copy(update={"quantity": Decimal(10_000)}) for line in left.lines)}
    )
    codes = []
    for bill in (closed, full, left):
        journal.documents.clear()
        with pytest.raises(Rejected) as refused:
            await connector.bills.create(bill)
        codes.append(refused.value.code)
        assert not any("BillAddRq" in one for one in journal.documents)
    assert codes == ["ALREADY_CONVERTED", "ALREADY_CONVERTED", "MORE_THAN_ORDERED"]


async def test_names_outside_ascii_come_in_as_they_are() -> None:
    """Issue 12: non-ASCII text in names, in whatever encoding the answer's declaration names."""
    pc = await sample()
    await pc.load(vendors=[{"vendor_id": "V-NEW", "name": "Señor Müller & Çelik"}])
    connector, _ = connected(pc)
    page = await connector.lists.page([ListKind.VENDOR], since=None, after=None)
    assert "Señor Müller & Çelik" in {entry.name for entry in page.records}


@pytest.mark.parametrize("listed", ["silent", "listed"])
@pytest.mark.parametrize("identifier", ["new", "same"])
async def test_a_receipt_that_becomes_a_bill_is_no_return(listed: str, identifier: str) -> None:
    """Issue 12: the order's quantities stay, the bill is its evidence, and only the receipt may be called deleted."""
    pc = await sample(converted_receipt=listed, converted_receipt_id=identifier)
    connector, _ = connected(pc)
    before = (await all_orders(connector))["PO-1016"]
    (receipt,) = (await connector.orders.read(before.erp_id)).receipts
    assert receipt.erp_id in (before.receipts or ())
    ledger = await pc.ledger()
    await pc.does("enter_bill_for_receipt", number="R-3016", invoice_number="INV-OF-RECEIPT")
    after = (await all_orders(connector))["PO-1016"]
    assert after.receipts == ()  # so that the mirror drops it, listed or not
    assert [line.billed for line in after.lines] == [line.billed for line in before.lines]
    assert sum(line.billed for line in after.lines) > 0
    assert await pc.ledger() == ledger
    snapshot = await connector.orders.read(after.erp_id)
    assert ({one.document_number for one in snapshot.billings}, snapshot.receipts) == ({"INV-OF-RECEIPT"}, ())
    page = await connector.changes.deletions(since=order_time(pc), after=None)
    assert page is not None
    assert {one.kind for one in page.records} == ({DeletedKind.RECEIPT} if listed == "listed" else set())
    (bill,) = [one for one in await every(connector.bills) if one.number == "INV-OF-RECEIPT"]
    assert bill.order_document == after.document_id


async def test_deletions_come_in_and_a_long_absence_is_scanned() -> None:
    """Issue 12: TxnDeleted within its 90 days, beyond them a scan."""
    pc = await sample()
    connector, _ = connected(pc)
    order = (await all_orders(connector))["PO-1022"]
    await pc.does("delete", kind="purchase_order", number="PO-1022")
    page = await connector.changes.deletions(since=order_time(pc), after=None)
    assert page is not None
    assert [one.erp_id for one in page.records] == [order.erp_id]
    assert await connector.changes.deletions(since="2026-01-01 00:00:00", after=None) is None
    changes = await connector.changes.detect_changes({Stream.DELETIONS: order_time(pc)})
    assert [one.erp_id for one in changes.record_versions] == [order.erp_id]


def order_time(pc: Pc) -> str:
    """A time of the company's clock shortly before now."""
    return pc.computer.company.today().isoformat() + " 00:00:00"
