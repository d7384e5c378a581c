"""From what a client wrote to what a record holds: days, references, read-only elements, sublists (reference 3.5)."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import Refused, bad_reference
from sandbox.netsuite.records import DATES, POINTS_TO, RECORD_TYPES, Record, RecordType, Values
from sandbox.netsuite.values import Fields, Lines, Ref

READ_ONLY: Mapping[str, frozenset[str]] = {
    shape: frozenset(names.split())
    for shape, names in {
        "PurchaseOrder": "createdDate lastModifiedDate currencyName subTotal total status orderStatus createdFrom",
        "PurchaseOrderItem": "quantityReceived quantityBilled quantityOnShipments billVarianceStatus",
        "ItemReceipt": "createdDate lastModifiedDate currencyName currency entity subsidiary",
        "ItemReceiptItem": "itemName onHand quantityRemaining unitsDisplay billVarianceStatus",
        "VendorBill": "createdDate lastModifiedDate currencyName status transactionNumber availableVendorCredit",
        "VendorBillItem": "billVarianceStatus",
        "VendorPayment": "createdDate lastModifiedDate currencyName status transactionNumber total balance",
        "VendorPaymentApply": "total due refNum type applyDate currency",
        "VendorCredit": "createdDate lastModifiedDate currencyName transactionNumber total applied unApplied",
        "VendorCreditApply": "total due refNum type applyDate currency",
        "VendorReturnAuthorization": "createdDate lastModifiedDate currencyName",
        "ItemFulfillment": "createdDate lastModifiedDate entity",
        "ItemFulfillmentItem": "itemName onHand quantityRemaining unitsDisplay",
        "Vendor": "dateCreated lastModifiedDate balance unbilledOrders",
    }.items()
}
KEYS = {"itemList": ("line",), "expenseList": ("line",), "applyList": ("doc", "line"), "creditList": ("doc", "line")}
"""What a sublist's lines are told apart by when replaceAll is false."""


@dataclass
class Writing:
    """One write: the account, the request's preferences, what faults do to it, and the warnings it gathers."""

    company: Company
    ignore_read_only: bool = False
    warnings_fail: bool = False
    tampering: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    kind: RecordType = RECORD_TYPES["purchaseOrder"]
    """The type of the record that is written."""
    credited: list[Any] = field(default_factory=list)
    """Of a payment: what of which credit goes to which of its bills."""

    def warn(self, message: str) -> None:
        """Something odd. Raises Refused when the client wants warnings as errors."""
        if self.warnings_fail:
            raise Refused("WARNING", message)
        self.warnings.append(message)


def normalised(writing: Writing, given: Fields) -> Fields:
    """The elements as a record holds them. Raises Refused for a dead reference or a read-only element."""
    cleaned = Fields(given.shape)
    for name, value in given.items():
        if name == "nullFieldList" or (isinstance(value, Ref) and _names_nothing(writing.company, name, value)):
            continue
        if name in READ_ONLY.get(given.shape, ()):
            if writing.ignore_read_only:
                continue
            raise Refused(
                "INSUFFICIENT_PERMISSION",
                f"You do not have permissions to set a value for element {name.lower()} due to one of the following"
                " reasons: 1) The field is read-only; 2) An associated feature is disabled; 3) The field is available"
                " either when a record is created or updated, but not in both cases.",
            )
        cleaned[name] = _value(writing, name, value)
    return cleaned


def _value(writing: Writing, name: str, value: Any) -> Any:
    if isinstance(value, Ref):
        return _reference(writing.company, name, value)
    if isinstance(value, datetime) and name in DATES:
        return day_of(writing.company, value)
    if isinstance(value, Lines):
        return Lines([_value(writing, name, one) for one in value], replace_all=value.replace_all)
    if isinstance(value, Fields) and not value.shape.endswith("CustomFieldRef") and value.shape != "Address":
        return normalised(writing, value)
    return value


def _reference(company: Company, name: str, ref: Ref) -> Ref:
    if name not in POINTS_TO:
        return Ref(ref.internal_id, ref.external_id, ref.type, ref.name)
    record = _named(company, name, ref) or company.pointed(name, ref)
    if record["isInactive"]:
        raise bad_reference(name.lower(), record.internal_id)
    return company.ref(record)


def _names_nothing(company: Company, name: str, ref: Ref) -> bool:
    """Tell whether a reference has no id: clients send such ones for "none", and NetSuite reads over them."""
    return not ref.internal_id and not ref.external_id and _named(company, name, ref) is None


def _named(company: Company, name: str, ref: Ref) -> Record | None:
    """The currency that a reference without an id names by its name or ISO code."""
    if name != "currency" or not ref.name or ref.internal_id or ref.external_id:
        return None
    wanted = ref.name.strip().lower()
    known = company.groups["currency"].values()
    return next((one for one in known if wanted in (one["name"].lower(), one["symbol"].lower())), None)


def day_of(company: Company, moment: datetime) -> date:
    """The day a written moment means."""
    if company.switches.word("written_dates") == "given":
        return moment.date()
    return moment.astimezone(company.zone).date()


def merged(record: Record, given: Fields, cleaned: Fields) -> Values:
    """A record's values after an update: only what is present changes; sublists follow replaceAll."""
    values: Values = deepcopy(record.values)
    for name in given.get("nullFieldList") or ():
        values[name] = None
    for name, value in cleaned.items():
        if name in KEYS and isinstance(value, Lines) and not value.replace_all:
            values[name] = _merged_lines(values.get(name) or Lines(), value, KEYS[name])
        else:
            values[name] = value
    return values


def _merged_lines(stored: Lines, given: Lines, key: tuple[str, ...]) -> Lines:
    lines = Lines(stored)
    for line in given:
        known = [one for one in lines if all(one.get(name) == line.get(name) for name in key if name in line)]
        if known and any(name in line for name in key):
            known[0].update(line | {"customFieldList": _merged_custom(known[0], line)})
        else:
            lines.append(line)
    return lines


def _merged_custom(stored: Fields, given: Fields) -> Lines | None:
    """The custom fields of a line after an update: those that it names change, the others stay."""
    fields = {one.attributes.get("scriptId"): one for one in stored.get("customFieldList") or ()}
    fields |= {one.attributes.get("scriptId"): one for one in given.get("customFieldList") or ()}
    return Lines(fields.values()) or None


def number_lines(record: Record | None, lines: Lines | None, next_line: Callable[[], int]) -> None:
    """Lines keep the ids they had; the others get new ones."""
    known = {line["line"] for name in ("itemList", "expenseList") for line in (record[name] or ())} if record else set()
    seen: set[int] = set()
    for line in lines or ():
        if line.get("line") not in known or line["line"] in seen:
            line["line"] = next_line()
        seen.add(line["line"])
