"""The record types this company holds, and one record."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Values = dict[str, Any]
"""A record's elements by name: text, Decimal, bool, int, datetime, date, Ref, Fields or Lines."""


class RecordType(NamedTuple):
    """`group` is what internal ids and external ids are unique in (reference 7)."""

    name: str
    shape: str
    group: str
    title: str
    """What people call it."""
    first_id: int


_ALL = (
    RecordType("purchaseOrder", "PurchaseOrder", "transaction", "Purchase Order", 101),
    RecordType("itemReceipt", "ItemReceipt", "transaction", "Item Receipt", 101),
    RecordType("vendorBill", "VendorBill", "transaction", "Bill", 101),
    RecordType("vendorCredit", "VendorCredit", "transaction", "Bill Credit", 101),
    RecordType("vendorPayment", "VendorPayment", "transaction", "Bill Payment", 101),
    RecordType(
        "vendorReturnAuthorization", "VendorReturnAuthorization", "transaction", "Vendor Return Authorization", 101
    ),
    RecordType("itemFulfillment", "ItemFulfillment", "transaction", "Item Fulfillment", 101),
    RecordType("vendor", "Vendor", "entity", "Vendor", 501),
    RecordType("customer", "Customer", "entity", "Customer", 501),
    RecordType("job", "Job", "entity", "Project", 501),
    RecordType("employee", "Employee", "entity", "Employee", 501),
    RecordType("inventoryItem", "InventoryItem", "item", "Inventory Item", 301),
    RecordType("nonInventoryPurchaseItem", "NonInventoryPurchaseItem", "item", "Non-inventory Item", 301),
    RecordType("servicePurchaseItem", "ServicePurchaseItem", "item", "Service", 301),
    RecordType("account", "Account", "account", "Account", 201),
    RecordType("department", "Department", "department", "Department", 21),
    RecordType("classification", "Classification", "classification", "Class", 31),
    RecordType("location", "Location", "location", "Location", 41),
    RecordType("subsidiary", "Subsidiary", "subsidiary", "Subsidiary", 1),
    RecordType("term", "Term", "term", "Term", 1),
    RecordType("unitsType", "UnitsType", "unitsType", "Units Type", 1),
    RecordType("currency", "Currency", "currency", "Currency", 1),
    RecordType("accountingPeriod", "AccountingPeriod", "accountingPeriod", "Accounting Period", 61),
)
RECORD_TYPES: Mapping[str, RecordType] = {one.name: one for one in _ALL}
BY_SHAPE: Mapping[str, RecordType] = {one.shape: one for one in _ALL}
GROUPS: Mapping[str, tuple[RecordType, ...]] = {
    group: tuple(one for one in _ALL if one.group == group) for group in dict.fromkeys(one.group for one in _ALL)
}
WITHOUT_DELETIONS = frozenset(
    ["account", "accountingPeriod", "classification", "currency", "department", "location", "subsidiary", "unitsType"]
)
"""What getDeleted cannot be asked for (reference 3.3). Types that this account never holds can: none is found."""

# Where a reference's name is looked up: the field it stands in, and the group it points into.
POINTS_TO: Mapping[str, str] = {
    "entity": "entity",
    "vendor": "entity",
    "customer": "entity",
    "item": "item",
    "account": "account",
    "apAcct": "account",
    "expenseAccount": "account",
    "payablesAccount": "account",
    "assetAccount": "account",
    "cogsAccount": "account",
    "department": "department",
    "class": "classification",
    "location": "location",
    "subsidiary": "subsidiary",
    "terms": "term",
    "currency": "currency",
    "postingPeriod": "accountingPeriod",
    "createdFrom": "transaction",
    "unitsType": "unitsType",
}
DATES = frozenset(
    [
        "tranDate",
        "dueDate",
        "shipDate",
        "expectedReceiptDate",
        "discountDate",
        "taxPointDate",
        "applyDate",
        "discDate",
        "creditDate",
        "startDate",
        "endDate",
        "closedOnDate",
        "amortizStartDate",
        "amortizationEndDate",
    ]
)
"""Days, not moments: they show as midnight in the account's time zone (reference 3.2)."""


class Record:
    """One record. `key` is what the neutral format calls it."""

    __slots__ = ("_lines_given", "external_id", "internal_id", "key", "later", "rendered", "type", "values")

    def __init__(
        self, kind: RecordType, internal_id: str, values: Values, external_id: str = "", key: str = ""
    ) -> None:
        self.type = kind
        self.internal_id = internal_id
        self.external_id = external_id
        self.values = values
        self.key = key
        self.rendered: dict[bool, tuple[tuple[object, ...], str]] = {}
        """Ready XML by whether it has lines, with what else it depended on."""
        self.later: list[Any] = []
        """What an order will show once the switches' delays have passed."""
        self._lines_given = 0

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def next_line(self) -> int:
        """The id of another line: never used before, and with gaps (reference 3.5)."""
        self._lines_given += 1
        return 3 * self._lines_given - 2

    def changed(self) -> None:
        """Forget what was rendered from the old values."""
        self.rendered.clear()
