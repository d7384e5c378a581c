"""Purchase orders and item receipts: what a save checks, works out and moves."""

from sandbox.netsuite.documents import (
    cents,
    check_subsidiary,
    fill_header,
    fill_terms,
    overridden_tax,
    post,
    price_lines,
    vendor_of,
)
from sandbox.netsuite.errors import Refused, bad_reference, missing
from sandbox.netsuite.normalising import Writing, number_lines
from sandbox.netsuite.orders import (
    ZERO,
    approved,
    expense_lines,
    item_lines,
    order_line,
    progress,
    receivable,
    recompute,
    relink,
)
from sandbox.netsuite.records import Record, Values
from sandbox.netsuite.values import Fields, Lines, Ref

APPROVED = Ref("2", name="Approved")


def _written_lines(values: Values) -> list[Fields]:
    return [*(values.get("itemList") or ()), *(values.get("expenseList") or ())]


def prepare_order(writing: Writing, values: Values, old: Record | None) -> None:
    """A purchase order as it will be stored. Raises Refused."""
    company = writing.company
    vendor = vendor_of(company, values)
    fill_header(writing, values, vendor)
    fill_terms(company, values, vendor)
    if values.get("tranId") is None:
        values["tranId"] = company.next_number("purchaseOrder", "PUR")
    values.setdefault("approvalStatus", APPROVED)
    lines = _written_lines(values)
    if not lines:
        raise Refused("VALID_LINE_ITEM_REQD", "You must have at least one valid line item for this transaction.")
    check_subsidiary(company, values, lines)
    was = [*item_lines(old), *expense_lines(old)] if old is not None else []
    if old is not None:
        _check_lines_stay(writing, old, lines)
    values["subTotal"] = cents(price_lines(company, lines, was))
    values["total"] = values["subTotal"] + cents(overridden_tax(values))
    for line in lines:
        line.setdefault("isClosed", False)
        if line.shape == "PurchaseOrderItem":
            line.setdefault("quantityReceived", ZERO)
            line.setdefault("quantityBilled", ZERO)
            item = company.pointed("item", line["item"])
            line.setdefault("matchBillToReceipt", bool(item["matchBillToReceipt"]))


def _check_lines_stay(writing: Writing, order: Record, lines: list[Fields]) -> None:
    """Lines that something was received or billed of cannot go."""
    kept = {line.get("line") for line in lines}
    for line_id, done in progress(writing.company, order).items():
        if line_id not in kept and (done.received or done.billed):
            raise Refused("CANT_DELETE_TRAN_LINE", f"Line {line_id} cannot be deleted: it was received or billed.")


def after_order(writing: Writing, order: Record, before: Record | None) -> None:
    """Line ids of new lines, then quantities and status; an edit shows at once."""
    for name in ("itemList", "expenseList"):
        number_lines(before, order[name], order.next_line)
    recompute(writing.company, order, at_once=True)


def before_order_goes(writing: Writing, order: Record) -> None:
    """An order with receipts or bills cannot be deleted. Raises Refused."""
    if writing.company.linked.get(order.internal_id):
        raise Refused("CANT_DELETE_TRANS", "This transaction cannot be deleted because it is linked by others.")


def prepare_receipt(writing: Writing, values: Values, old: Record | None) -> None:
    """An item receipt as it will be stored: the lines received, by the order's line. Raises Refused."""
    company = writing.company
    if values.get("createdFrom") is None:
        raise missing("Created From")
    order = company.get("purchaseOrder", company.pointed("createdFrom", values["createdFrom"]).internal_id)
    if order is None or not approved(order) or order["status"] == "Planned":
        raise bad_reference("createdfrom", values["createdFrom"].internal_id)
    vendor = company.pointed("entity", order["entity"])
    values |= {"entity": order["entity"], "subsidiary": order["subsidiary"], "currency": order["currency"]}
    fill_header(writing, values, vendor)
    post(company, values, old)
    if values.get("tranId") is None:
        values["tranId"] = company.next_number("itemReceipt", "IR")
    done = progress(company, order, without=old)
    received = Lines()
    for line in values.get("itemList") or ():
        if line.get("itemReceive") is False:
            continue
        target = order_line(order, line.get("orderLine") or 0)
        if target is None or not receivable(company, target) or target.get("isClosed"):
            raise bad_reference("orderline", line.get("orderLine"))
        _receive_line(writing, line, target, target["quantity"] - done[target["line"]].received)
        received.append(line)
    if not received:
        raise Refused("VALID_LINE_ITEM_REQD", "You must have at least one valid line item for this transaction.")
    values["itemList"] = received
    check_subsidiary(company, values, list(received))


def _receive_line(writing: Writing, line: Fields, target: Fields, open_quantity: object) -> None:
    company = writing.company
    item = company.pointed("item", target["item"])
    if line.get("quantity") is None:
        line["quantity"] = open_quantity
    if line["quantity"] <= 0:
        raise Refused("POSITIVE_QTY_REQD", "The quantity must be positive.")
    if line["quantity"] > open_quantity and not company.switches.flag("allow_overage"):
        code = company.switches.word("overage_code")
        raise Refused(code, f"Item {item['itemId']}: more than was ordered cannot be received.")
    if line.get("location") is None:
        line["location"] = target.get("location")
    if line["location"] is None and item.type.name == "inventoryItem":
        raise missing("Location")
    line |= {"itemReceive": True, "item": target["item"], "itemName": item["itemId"], "rate": target["rate"]}
    line.setdefault("description", target.get("description"))


def after_receipt(writing: Writing, receipt: Record, before: Record | None) -> None:
    """The order moves."""
    number_lines(before, receipt["itemList"], receipt.next_line)
    relink(writing.company, receipt, set())


def after_receipt_goes(writing: Writing, receipt: Record) -> None:
    """The order moves back."""
    relink(writing.company, receipt, {receipt["createdFrom"].internal_id})
