"""What a document or its line shows to criteria and columns, and what a list's record does (reference 3.3)."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from sandbox.netsuite.company import Company
from sandbox.netsuite.documents import cents
from sandbox.netsuite.orders import STATUSES as ORDER_STATUSES
from sandbox.netsuite.orders import ZERO, expense_lines, is_expense, item_lines, linked_orders
from sandbox.netsuite.payables import BILL_SEARCH, PAYMENT_SEARCH, applied_bills, due, paid, total_of
from sandbox.netsuite.records import Record
from sandbox.netsuite.values import Fields, Ref

TRANSACTIONS = (
    *("purchaseOrder", "itemReceipt", "vendorBill", "vendorCredit", "vendorPayment"),
    *("vendorReturnAuthorization", "itemFulfillment"),
)
_APPROVALS = {"1": "_pendingApproval", "2": "_approved", "3": "_rejected"}


class Row(NamedTuple):
    """A document's main line (`line` None) or one of its lines."""

    record: Record
    line: Fields | None


def rows_of(record: Record) -> Iterator[Row]:
    """The main line, then item lines, then expense lines."""
    yield Row(record, None)
    for line in (*item_lines(record), *expense_lines(record)):
        yield Row(record, line)


def _ids(ref: Ref | None) -> frozenset[str]:
    return frozenset() if ref is None else frozenset([ref.internal_id])


def _external(record: Record) -> frozenset[str]:
    return frozenset([f"x:{record.external_id.lower()}"]) if record.external_id else frozenset()


def _header(name: str) -> Callable[[Company, Row], Any]:
    return lambda company, row: row.record[name]


def _header_ref(name: str) -> Callable[[Company, Row], Any]:
    return lambda company, row: _ids(row.record[name])


def _line(name: str) -> Callable[[Company, Row], Any]:
    return lambda company, row: None if row.line is None else row.line.get(name)


def _either_ref(name: str) -> Callable[[Company, Row], Any]:
    def value(company: Company, row: Row) -> Any:
        return _ids(row.record[name] if row.line is None else row.line.get(name))

    return value


def _status(company: Company, row: Row) -> str | None:
    shown = row.record["status"]
    kind = row.record.type.name
    if kind == "purchaseOrder":
        return ORDER_STATUSES[shown].search
    table = {"vendorBill": BILL_SEARCH, "vendorPayment": PAYMENT_SEARCH}.get(kind, {})
    return table[shown][0] if shown in table else None


def _orders(company: Company, row: Row) -> frozenset[str]:
    """Where a receipt, a credit or a return, or a line of a bill, came from."""
    if row.record.type.name in ("itemReceipt", "vendorCredit", "vendorReturnAuthorization", "itemFulfillment"):
        return _ids(row.record["createdFrom"])
    if row.line is not None:
        return frozenset([str(row.line["orderDoc"])]) if row.line.get("orderDoc") is not None else frozenset()
    return frozenset(linked_orders(company, row.record))


def _fx_amount(company: Company, row: Row) -> Decimal:
    amount = total_of(row.record) if row.line is None else row.line.get("amount")
    return amount if isinstance(amount, Decimal) else ZERO


def _amount(company: Company, row: Row) -> Decimal:
    return cents(_fx_amount(company, row) * (row.record["exchangeRate"] or Decimal(1)))


def _quantity(company: Company, row: Row) -> Any:
    return None if row.line is None or is_expense(row.line) else row.line.get("quantity")


def _closed(company: Company, row: Row) -> bool:
    if row.line is not None:
        return bool(row.line.get("isClosed"))
    lines = (*item_lines(row.record), *expense_lines(row.record))
    return bool(lines) and all(line.get("isClosed") for line in lines)


def _fully_received(company: Company, row: Row) -> bool:
    lines = item_lines(row.record) if row.line is None else [row.line]
    return all((line.get("quantityReceived") or ZERO) >= (line.get("quantity") or ZERO) for line in lines)


def _memo(company: Company, row: Row) -> Any:
    if row.line is None:
        return row.record["memo"]
    return row.line.get("memo") or row.line.get("description")


def _number(company: Company, row: Row) -> Any:
    digits = "".join(letter for letter in row.record["tranId"] or "" if letter.isdigit())
    return int(digits) if digits else None


def _due(company: Company, row: Row) -> Any:
    return due(company, row.record) if row.record.type.name == "vendorBill" else None


def _paid(company: Company, row: Row) -> Any:
    return paid(company, row.record) if row.record.type.name == "vendorBill" else None


def _applied_to(company: Company, row: Row) -> frozenset[str]:
    """What a document pays or credits; else the orders that a receipt or bill is of."""
    if row.record.type.name in ("vendorPayment", "vendorCredit"):
        return frozenset(applied_bills(row.record))
    return _orders(company, row)


def _applying(*types: str) -> Callable[[Company, Row], frozenset[str]]:
    """The documents of these types that are of an order or pay a bill."""

    def value(company: Company, row: Row) -> frozenset[str]:
        order = row.record.type.name == "purchaseOrder"
        documents = (company.linked if order else company.applied).get(row.record.internal_id, {})
        found = (one for one in documents.values() if not types or one.type.name in types)
        if order and row.line is not None:
            found = (one for one in found if _is_of_line(one, row))
        return frozenset(one.internal_id for one in found)

    return value


def _is_of_line(document: Record, row: Row) -> bool:
    lines = (*item_lines(document), *expense_lines(document))
    receipt = document.type.name == "itemReceipt"
    order, line = row.record.internal_id, row.line.get("line") if row.line is not None else None
    return any(one.get("orderLine") == line and (receipt or str(one.get("orderDoc")) == order) for one in lines)


def _items(company: Company, row: Row) -> frozenset[str]:
    return frozenset(line["item"].internal_id for line in item_lines(row.record) if line.get("item") is not None)


def _days_since(name: str) -> Callable[[Company, Row], Any]:
    """How many days ago an unpaid bill's date was."""

    def value(company: Company, row: Row) -> Any:
        day = row.record[name]
        if row.record.type.name != "vendorBill" or day is None or due(company, row.record) <= 0:
            return None
        return max(0, (company.today() - day).days)

    return value


_DOCUMENT: Mapping[str, Callable[[Company, Row], Any]] = {
    "account": _either_ref("account"),
    "amount": _amount,
    "amountPaid": _paid,
    "amountRemaining": _due,
    "anyLineItem": _items,
    "appliedToTransaction": _applied_to,
    "applyingTransaction": _applying(),
    "billable": _line("isBillable"),
    "billingTransaction": _applying("vendorBill"),
    "daysOpen": _days_since("tranDate"),
    "daysOverdue": _days_since("dueDate"),
    "fulfillingTransaction": _applying("itemReceipt"),
    "nextApprover": _header_ref("nextApprover"),
    "paidTransaction": lambda company, row: (
        _applied_to(company, row) if row.record.type.name in ("vendorPayment", "vendorCredit") else frozenset()
    ),
    "payingTransaction": _applying("vendorPayment", "vendorCredit"),
    "paymentHold": _header("paymentHold"),
    "taxTotal": _header("taxTotal"),
    "toBePrinted": _header("toBePrinted"),
    "approvalStatus": lambda company, row: (
        _APPROVALS.get(row.record["approvalStatus"].internal_id) if row.record["approvalStatus"] else None
    ),
    "class": _either_ref("class"),
    "closed": _closed,
    "createdFrom": _orders,
    "currency": _header_ref("currency"),
    "dateCreated": _header("createdDate"),
    "department": _either_ref("department"),
    "dueDate": _header("dueDate"),
    "email": _header("email"),
    "entity": _header_ref("entity"),
    "exchangeRate": _header("exchangeRate"),
    "expectedReceiptDate": _line("expectedReceiptDate"),
    "externalId": lambda company, row: _external(row.record),
    "externalIdString": lambda company, row: row.record.external_id,
    "fxAmount": _fx_amount,
    "internalId": lambda company, row: frozenset([row.record.internal_id]),
    "internalIdNumber": lambda company, row: int(row.record.internal_id),
    "item": lambda company, row: _ids(row.line.get("item")) if row.line is not None else frozenset(),
    "lastModifiedDate": _header("lastModifiedDate"),
    "line": lambda company, row: 0 if row.line is None else row.line["line"],
    "lineUniqueKey": lambda company, row: int(row.record.internal_id) * 1000 + (row.line["line"] if row.line else 0),
    "location": _either_ref("location"),
    "mainLine": lambda company, row: row.line is None,
    "mainName": _header_ref("entity"),
    "matchBillToReceipt": _line("matchBillToReceipt"),
    "memo": _memo,
    "memoMain": _header("memo"),
    "nameText": lambda company, row: company.name_of("entity", row.record["entity"]),
    "netAmount": _amount,
    "number": _number,
    "otherRefNum": _header("otherRefNum"),
    "posting": lambda company, row: row.record.type.name != "purchaseOrder",
    "postingPeriod": _header_ref("postingPeriod"),
    "purchaseOrder": _orders,
    "quantity": _quantity,
    "quantityBilled": _line("quantityBilled"),
    "quantityShipRecv": _line("quantityReceived"),
    "quantityUom": _quantity,
    "rate": _line("rate"),
    "recordType": lambda company, row: row.record.type.name,
    "shipRecvStatus": _fully_received,
    "shipRecvStatusLine": _fully_received,
    "shipping": lambda company, row: False,
    "status": _status,
    "subsidiary": _header_ref("subsidiary"),
    "taxLine": lambda company, row: False,
    "terms": _header_ref("terms"),
    "total": lambda company, row: total_of(row.record),
    "totalAmount": lambda company, row: total_of(row.record),
    "tranDate": _header("tranDate"),
    "tranId": _header("tranId"),
    "transactionNumber": lambda company, row: row.record["transactionNumber"] or row.record["tranId"],
    "type": lambda company, row: f"_{row.record.type.name}",
    "unit": lambda company, row: _ids(row.line.get("units")) if row.line is not None else frozenset(),
    "voided": lambda company, row: row.record["status"] == "Voided",
}


def row_value(company: Company, row: Row, name: str) -> Any:
    """A criterion's or column's value of a document's line; references are sets of internal ids."""
    value = _DOCUMENT.get(name)
    return value(company, row) if value is not None else None


_ALIASES: Mapping[str, Mapping[str, str]] = {
    "account": {"number": "acctNumber", "displayName": "acctName", "type": "acctType"},
    "item": {"created": "createdDate"},
    "unitsType": {"isInActive": "isInactive"},
    "accountingPeriod": {"allowNonGlChanges": "allowNonGLChanges"},
}
_ADDRESS = {"address": "addrText", "city": "city", "state": "state", "zipCode": "zip", "country": "country"}
_ITEM_TYPES = {"inventoryItem": "_inventoryItem", "nonInventoryPurchaseItem": "_nonInventoryItem"}


def _address(vendor: Record, name: str) -> Any:
    """A part of the vendor's billing address, else of its first."""
    book = list(vendor["addressbookList"] or ())
    chosen = next((one for one in book if one.get("defaultBilling")), book[0] if book else None)
    address = (chosen or {}).get("addressbookAddress") or {}
    return address.get(_ADDRESS[name])


def list_value(company: Company, record: Record, name: str) -> Any:
    """A criterion's or column's value of a list's record."""
    if name == "internalId":
        return frozenset([record.internal_id])
    if name == "internalIdNumber":
        return int(record.internal_id)
    if name == "externalIdString":
        return record.external_id
    if name == "externalId":
        return _external(record)
    group = record.type.group
    if group == "item" and name == "type":
        return _ITEM_TYPES.get(record.type.name, "_service")
    if group == "item" and name == "subType":
        return "_purchase" if record.type.name != "inventoryItem" else None
    if name == "name" and group in ("department", "classification", "location", "subsidiary"):
        return company.title(record)
    if name == "name" and group == "account":
        return record["acctName"]
    if name == "nameNoHierarchy":
        return record["name"]
    if group == "unitsType" and name in ("unitName", "abbreviation", "pluralName", "pluralAbbreviation"):
        return next((unit.get(name) for unit in record["uomList"] or ()), None)
    if name == "subsidiary":
        held = record["subsidiaryList"] or ([record["subsidiary"]] if record["subsidiary"] else ())
        return frozenset(ref.internal_id for ref in held)
    if group == "entity" and name in _ADDRESS:
        return _address(record, name)
    value = record[_ALIASES.get(group, {}).get(name, name)]
    return _ids(value) if isinstance(value, Ref) else value
