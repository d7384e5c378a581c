"""How far an order has got: received and billed by line, its status, and when both show (reference 4.1, 5.1)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from sandbox.netsuite.company import Company
from sandbox.netsuite.records import Record
from sandbox.netsuite.values import Fields

ZERO = Decimal(0)


class Status(NamedTuple):
    """One status as the record, its enumeration, the search and SuiteQL spell it."""

    shown: str
    enum: str
    search: str
    letter: str


_STATUSES = (
    Status("Pending Supervisor Approval", "_pendingSupervisorApproval", "_purchaseOrderPendingSupervisorApproval", "A"),
    Status("Pending Receipt", "_pendingReceipt", "_purchaseOrderPendingReceipt", "B"),
    Status("Rejected by Supervisor", "_rejectedBySupervisor", "_purchaseOrderRejectedBySupervisor", "C"),
    Status("Partially Received", "_partiallyReceived", "_purchaseOrderPartiallyReceived", "D"),
    Status(
        "Pending Billing/Partially Received",
        "_pendingBillingPartiallyReceived",
        "_purchaseOrderPendingBillingPartiallyReceived",
        "E",
    ),
    Status("Pending Bill", "_pendingBilling", "_purchaseOrderPendingBill", "F"),
    Status("Fully Billed", "_fullyBilled", "_purchaseOrderFullyBilled", "G"),
    Status("Closed", "_closed", "_purchaseOrderClosed", "H"),
    Status("Planned", "", "_purchaseOrderPlanned", "P"),
)
STATUSES = {status.shown: status for status in _STATUSES}
_NOT_COUNTED = frozenset(["Rejected", "Cancelled"])


class Progress(NamedTuple):
    """What came and what was billed of one line: quantities, amounts for an expense."""

    received: Decimal = ZERO
    billed: Decimal = ZERO


class Change(NamedTuple):
    """What an order shows from `due` on: the quantities by line, or the status."""

    due: datetime
    quantities: dict[int, Progress] | None
    status: str | None


def item_lines(record: Record) -> list[Fields]:
    """The item lines of a document."""
    return list(record["itemList"] or ())


def expense_lines(record: Record) -> list[Fields]:
    """The expense lines of a document."""
    return list(record["expenseList"] or ())


def order_line(order: Record, line_id: int) -> Fields | None:
    """An order's line by its id."""
    for line in (*item_lines(order), *expense_lines(order)):
        if line["line"] == line_id:
            return line
    return None


def is_expense(line: Fields) -> bool:
    """Whether it is a line for an account or category instead of an item."""
    return line.shape.endswith("Expense")


def receivable(company: Company, line: Fields) -> bool:
    """Whether the line waits for a receipt: inventory, and other items that can be received (S4-69)."""
    if is_expense(line):
        return False
    item = company.groups["item"].get(line["item"].internal_id)
    if item is None or item.type.name == "inventoryItem":
        return item is not None
    return bool(item["isFulfillable"])


def _shares(company: Company, order: Record, document: Record) -> Iterator[tuple[int, Decimal, Decimal]]:
    """What one receipt or bill adds to the order, or a credit takes off: line id, received, billed."""
    if document.type.name == "itemReceipt":
        for line in item_lines(document):
            yield line["orderLine"], line["quantity"], ZERO
        return
    if document.type.name == "itemFulfillment":
        if company.switches.flag("returns_lower_received") and document["shipStatus"] == "_shipped":
            for order_id, line_id, line in credited_lines(company, document):
                if order_id == order.internal_id:
                    yield line_id, -line["quantity"], ZERO
        return
    if document.type.name == "vendorCredit":
        if company.switches.flag("credits_lower_billed") and document["total"]:
            for order_id, line_id, line in credited_lines(company, document):
                if order_id == order.internal_id:
                    yield line_id, ZERO, -(line["amount"] if is_expense(line) else line["quantity"])
        return
    if document["status"] in _NOT_COUNTED:
        return
    if document["status"] == "Pending Approval" and not company.switches.flag("pending_bills_count"):
        return
    for line in (*item_lines(document), *expense_lines(document)):
        if str(line.get("orderDoc", "")) == order.internal_id:
            yield line["orderLine"], ZERO, line["amount"] if is_expense(line) else line["quantity"]


def progress(company: Company, order: Record, *, without: Record | None = None) -> dict[int, Progress]:
    """Received and billed by line id, from the documents themselves."""
    made = {line["line"]: Progress() for line in (*item_lines(order), *expense_lines(order))}
    for document in company.linked.get(order.internal_id, {}).values():
        if document is without:
            continue
        for line_id, received, billed in _shares(company, order, document):
            before = made.get(line_id, Progress())
            made[line_id] = Progress(before.received + received, before.billed + billed)
    return made


def billable(company: Company, line: Fields, done: Progress) -> Decimal:
    """What can still be billed of an order's line (reference 5.2): a quantity, an amount for an expense."""
    if line.get("isClosed"):
        return ZERO
    if receivable(company, line) and not company.switches.flag("bill_in_advance"):
        return max(done.received - done.billed, ZERO)
    return max(_ordered(line) - done.billed, done.received - done.billed, ZERO)


def _ordered(line: Fields) -> Decimal:
    ordered: Decimal = line["amount"] if is_expense(line) else line["quantity"]
    return ordered


def source_of(company: Company, document: Record) -> Record | None:
    """The record a credit or a return was made from."""
    ref = document["createdFrom"]
    return company.groups["transaction"].get(ref.internal_id) if ref is not None else None


def credited_lines(company: Company, credit: Record) -> Iterator[tuple[str, int, Fields]]:
    """The orders' lines that the lines of a credit or a fulfilment lead to, by a bill, or by a return and its bill:
    order, line id, and the document's line (reference 3.4, 4)."""
    for line in (*item_lines(credit), *expense_lines(credit)):
        behind, source = line, source_of(company, credit)
        while source is not None and behind.get("orderLine") is not None:
            found = order_line(source, behind["orderLine"])
            if found is None or source.type.name == "vendorBill":
                if found is not None and found.get("orderDoc") is not None:
                    yield str(found["orderDoc"]), found["orderLine"], line
                break
            behind, source = found, source_of(company, source)


def approved(order: Record) -> bool:
    """Whether the order is past its approval."""
    return order["approvalStatus"] is None or bool(order["approvalStatus"].internal_id == "2")


def status_of(company: Company, order: Record, done: dict[int, Progress]) -> str:
    """The status the quantities give (reference 5.1)."""
    if order["status"] == "Planned":
        return "Planned"
    if not approved(order):
        waiting = order["approvalStatus"].internal_id == "1"
        return "Pending Supervisor Approval" if waiting else "Rejected by Supervisor"
    items, expenses = item_lines(order), expense_lines(order)
    opened = [line for line in (*items, *expenses) if not line.get("isClosed")]
    if not opened:
        only_expenses = bool(expenses) and not items
        as_billed = company.switches.word("closed_expense_orders") == "fully billed"
        return "Fully Billed" if only_expenses and as_billed else "Closed"
    awaited = [line for line in opened if receivable(company, line)]
    fully_billed = all(_billed_up(company, line, done[line["line"]]) for line in opened)
    untouched = not awaited and not any(done[line["line"]].billed for line in opened)
    if untouched and company.switches.word("unreceivable_orders") == "pending receipt":
        return "Pending Receipt"
    if all(done[line["line"]].received >= line["quantity"] for line in awaited):
        return "Fully Billed" if fully_billed else "Pending Bill"
    if not any(done[line["line"]].received > 0 for line in awaited):
        return "Pending Receipt"
    behind = any(
        done[line["line"]].billed < done[line["line"]].received
        if line in awaited
        else not _billed_up(company, line, done[line["line"]])
        for line in opened
    )
    return "Pending Billing/Partially Received" if behind else "Partially Received"


def _billed_up(company: Company, line: Fields, done: Progress) -> bool:
    if company.switches.word("over_receipt_billed") == "ordered":
        return done.billed >= _ordered(line)
    return done.billed >= max(_ordered(line), done.received)


def recompute(company: Company, order: Record, *, at_once: bool = False) -> None:
    """A receipt, a bill or an edit moved the order; it shows now, or after the switches' delays."""
    done = progress(company, order)
    status = status_of(company, order, done)
    now = company.now()
    for name, quantities, shown in (("quantity", done, None), ("status", None, status)):
        delay = timedelta(seconds=0 if at_once else company.switches.number(f"{name}_delay_seconds"))
        change = Change(now + delay, quantities, shown)
        # What was to show later than this is out of date by then.
        order.later = [one for one in order.later if one.due <= change.due or (one.status is None) != (shown is None)]
        order.later.append(change)
    company.unsettled[order.internal_id] = order
    settle(company, order)


def settle(company: Company, order: Record) -> None:
    """Show what is due by now."""
    now = company.clock.now()
    due = [change for change in order.later if change.due <= now]
    order.later = [change for change in order.later if change.due > now]
    moved = False
    for change in due:
        moved = _show(order, change) or moved
        if moved and company.switches.word("header_stamp") == "moves":
            order.values["lastModifiedDate"] = max(order.values["lastModifiedDate"], change.due)
    if moved:
        order.changed()
    if not order.later:
        company.unsettled.pop(order.internal_id, None)


def settle_all(company: Company) -> None:
    """Show what is due by now on all orders, before they are looked at."""
    for order in list(company.unsettled.values()):
        settle(company, order)


def _show(order: Record, change: Change) -> bool:
    if change.status is not None:
        moved = bool(order["status"] != change.status)
        order.values["status"] = change.status
        order.values["orderStatus"] = STATUSES[change.status].enum or None
        return moved
    moved = False
    for line in item_lines(order):
        done = (change.quantities or {}).get(line["line"])
        if done is not None and (line.get("quantityReceived"), line.get("quantityBilled")) != done:
            line["quantityReceived"], line["quantityBilled"] = done
            moved = True
    return moved


def relink(company: Company, document: Record, before: set[str]) -> None:
    """A receipt, bill or credit was saved or removed: the orders it names, and named before, are worked out anew."""
    present = linked_orders(company, document) if document.internal_id in company.groups["transaction"] else set()
    for order_id in before | present:
        documents = company.linked.setdefault(order_id, {})
        if order_id in present:
            documents[document.internal_id] = document
        else:
            documents.pop(document.internal_id, None)
        order = company.get("purchaseOrder", order_id)
        if order is not None:
            recompute(company, order)


def linked_orders(company: Company, document: Record) -> set[str]:
    """The ids of the orders that a receipt or bill names, or a credit leads to."""
    if document.type.name in ("vendorCredit", "itemFulfillment"):
        return {order_id for order_id, _, _ in credited_lines(company, document)}
    if document.type.name == "itemReceipt":
        return {document["createdFrom"].internal_id}
    if document.type.name != "vendorBill":
        return set()
    lines = (*item_lines(document), *expense_lines(document))
    return {str(line["orderDoc"]) for line in lines if line.get("orderDoc") is not None}
