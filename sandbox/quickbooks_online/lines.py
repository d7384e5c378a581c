"""The lines of a document as clients send them (reference 6): items, accounts, plain text, and a payment's lines."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import DETAILS, TEXT_LINE
from sandbox.quickbooks_online.errors import Refused, business, missing
from sandbox.quickbooks_online.incoming import read_fields
from sandbox.quickbooks_online.records import Line, Link, Record
from sandbox.quickbooks_online.values import ZERO, cents, is_empty, number_of, reference_of, text_of

_MOST_LINES = 10_000
_CENT = Decimal("0.01")


def read_links(given: Any) -> list[Link]:
    """A list of LinkedTxn; entries without a document are left out. Raises Refused."""
    if is_empty(given):
        return []
    if not isinstance(given, list):
        raise Refused("2120", "Invalid type", "LinkedTxn is a list", element="LinkedTxn")
    links = []
    for one in given:
        if isinstance(one, Mapping) and not is_empty(one.get("TxnId")) and str(one["TxnId"]) != "0":
            line = one.get("TxnLineId")
            line_id = "" if is_empty(line) or str(line) == "0" else str(line)
            links.append(Link(str(one["TxnId"]), str(one.get("TxnType") or ""), line_id))
    return links


def read_lines(company: Company, kind: str, given: Any, before: Record | None) -> list[Line]:
    """All lines of a body; one with the Id of a line that is there is that line (reference 3.3). Raises Refused."""
    if is_empty(given) or given == []:
        raise missing("Line")
    if not isinstance(given, list):
        raise Refused("2120", "Invalid type", "Line is a list", element="Line")
    if len(given) > _MOST_LINES:
        raise business(f"A transaction has at most {_MOST_LINES} lines.")
    known = {line.id: line for line in before.lines} if before is not None else {}
    read: list[Line] = []
    for one in given:
        if not isinstance(one, Mapping):
            raise Refused("2120", "Invalid type", "A line is an object", element="Line")
        line = _payment_line(one) if kind == "BillPayment" else _line(company, kind, one)
        identifier = str(one.get("Id") or "")
        if identifier in known and kind != "BillPayment":
            held = known.pop(identifier)
            line.id, line.closed = held.id, held.closed
        read.append(line)
    if all(line.detail_type == TEXT_LINE for line in read):
        raise missing("Line")
    return read


def _payment_line(given: Mapping[str, Any]) -> Line:
    if is_empty(given.get("Amount")):
        raise missing("Line.Amount")
    return Line(amount=cents(number_of(given["Amount"], "Line.Amount")), links=read_links(given.get("LinkedTxn")))


def _line(company: Company, kind: str, given: Mapping[str, Any]) -> Line:
    detail_type = str(given.get("DetailType") or next((name for name in DETAILS if name in given), ""))
    description = "" if is_empty(given.get("Description")) else text_of(given["Description"], "Description", 4000)
    if not detail_type:
        raise missing("Line.DetailType")
    if detail_type in (TEXT_LINE, "DescriptionLineDetail"):
        return Line(description=description, detail_type=TEXT_LINE)
    if detail_type not in DETAILS:
        raise Refused("2170", "Invalid Enumeration", f"Invalid Enumeration : {detail_type}", element="DetailType")
    detail = given.get(detail_type)
    if not isinstance(detail, Mapping):
        raise missing(f"Line.{detail_type}")
    if detail_type == "ItemBasedExpenseLineDetail" and not reference_of(detail.get("ItemRef"), "ItemRef"):
        # The amount is ignored without a word (reference 6): clients must compare the total.
        return Line(description=description, detail_type=TEXT_LINE)
    values = {
        name: value for name, value in read_fields(company, DETAILS[detail_type], detail).items() if value is not None
    }
    if detail_type == "AccountBasedExpenseLineDetail" and "AccountRef" not in values:
        raise missing("Line.AccountBasedExpenseLineDetail.AccountRef")
    if is_empty(given.get("Amount")):
        raise missing("Line.Amount")
    amount = cents(number_of(given["Amount"], "Line.Amount"))
    if "ItemRef" in values:
        _check_item(company, values["ItemRef"])
        _check_product(values, amount)
    track_class(company, values, per_line=True)
    if kind == "PurchaseOrder":
        values["BillableStatus"] = "NotBillable"
    values.setdefault("BillableStatus", "NotBillable")
    values.setdefault("TaxCodeRef", "NON")
    return Line(
        description=description,
        amount=amount,
        detail_type=detail_type,
        detail=values,
        links=read_links(given.get("LinkedTxn")),
    )


def _check_item(company: Company, identifier: str) -> None:
    item = company.pointed("Item", identifier, "ItemRef")
    if not company.preference("ProductAndServicesPrefs", "ForPurchase"):
        raise business("Products and services are not enabled for purchases.")
    if item["Type"] in ("Category", "Group", "Bundle"):
        raise business(f"{item.title} is a {item['Type']} and cannot be used on a purchase line.")
    if not item["ExpenseAccountRef"]:
        raise business(f"{item.title} has no purchase information: you need to choose an expense account for it.")


def _check_product(values: Mapping[str, Any], amount: Decimal) -> None:
    quantity, price = values.get("Qty"), values.get("UnitPrice")
    if quantity is not None and price is not None and abs(cents(quantity * price) - amount) >= _CENT:
        raise Refused(
            "6070",
            "Amount calculation incorrect in the request",
            "Amount calculation incorrect in the request. Amount is not equal to UnitPrice * Qty."
            f" Supplied value:{amount}",
        )


def track_class(company: Company, values: dict[str, Any], *, per_line: bool) -> None:
    """A class where the company tracks none there. Raises Refused."""
    name = "ClassTrackingPerTxnLine" if per_line else "ClassTrackingPerTxn"
    if values.get("ClassRef") and not company.preference("AccountingInfoPrefs", name):
        drop_untracked(company, values, "ClassRef", "Class tracking")


def drop_untracked(company: Company, values: dict[str, Any], name: str, feature: str) -> None:
    """Something that a preference does not let the company track: dropped, or refused. Raises Refused."""
    if company.switches.word("untracked_class") == "refused":
        raise Refused("5030", "Feature Not Supported Error", f"{feature} is not enabled.", element=name)
    values.pop(name, None)


def total_of(lines: list[Line]) -> Decimal:
    """What the lines amount to."""
    return sum((line.amount or ZERO for line in lines), ZERO)
