"""What a company file keeps: entries of lists, and transactions with their lines."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, NamedTuple

ZERO = Decimal(0)
ITEM_KINDS = ("ItemService", "ItemNonInventory", "ItemOtherCharge", "ItemInventory")
TERMS_KINDS = ("StandardTerms", "DateDrivenTerms")
FAMILIES = {
    "Vendor": ("Vendor",),
    "Account": ("Account",),
    "Class": ("Class",),
    "Item": ITEM_KINDS,
    "Terms": TERMS_KINDS,
    "UnitOfMeasureSet": ("UnitOfMeasureSet",),
}
"""What a reference may name: `ItemRef` an entry of any kind of item."""
LIST_KINDS = tuple(kind for kinds in FAMILIES.values() for kind in kinds)
PAYMENTS = ("BillPaymentCheck", "BillPaymentCreditCard")
TXN_KINDS = ("PurchaseOrder", "ItemReceipt", "Bill", "VendorCredit", *PAYMENTS, "Check")
"""Checks are written by people alone: goods paid for at once, without a bill. No request reads or writes them."""


def cents(amount: Decimal) -> Decimal:
    """Rounded as money is."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(slots=True)
class Entry:
    """One entry of a list. References among `values` are ListIDs."""

    kind: str
    list_id: str
    created: datetime
    modified: datetime
    edit_sequence: str
    values: dict[str, Any]
    key: str = ""
    """What the neutral format calls it."""
    parent: "Entry | None" = None

    @property
    def name(self) -> str:
        """Its own name, without its parents'."""
        return str(self.values["Name"])

    @property
    def full_name(self) -> str:
        """Its name behind its parents', with colons between."""
        return f"{self.parent.full_name}:{self.name}" if self.parent is not None else self.name

    @property
    def active(self) -> bool:
        """Whether new documents may name it."""
        return bool(self.values.get("IsActive", True))

    @property
    def level(self) -> int:
        """How deep below the top it is."""
        return 0 if self.parent is None else self.parent.level + 1


class Link(NamedTuple):
    """The line of a purchase order that a line takes from."""

    txn_id: str
    line_id: str


@dataclass(slots=True)
class Line:
    """One line: for an item, or an expense on an account. `price` is the Rate of an order, the Cost of a bill."""

    id: str
    kind: Literal["item", "expense"]
    values: dict[str, Any]
    quantity: Decimal | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    link: Link | None = None
    closed: bool = False

    def settle(self) -> None:
        """Work out what was not given of price and amount."""
        if self.kind != "item":
            return
        if self.amount is None:
            if self.price is not None:
                self.amount = cents(self.price * (self.quantity if self.quantity is not None else Decimal(1)))
        elif self.price is None and self.quantity:
            self.price = (self.amount / self.quantity).quantize(Decimal("0.00001"), ROUND_HALF_UP)
        elif self.price is None:
            self.price = self.amount


@dataclass(slots=True)
class Applied:
    """What a payment pays of one bill: money, credits and a discount."""

    txn_id: str
    amount: Decimal = ZERO
    discount: Decimal = ZERO
    discount_account: str = ""
    credits: list[tuple[str, Decimal]] = field(default_factory=list)

    @property
    def whole(self) -> Decimal:
        """How much less the bill owes."""
        return self.amount + self.discount + sum((amount for _, amount in self.credits), ZERO)


@dataclass(slots=True)
class Txn:
    """One transaction. References among `values` are ListIDs."""

    kind: str
    txn_id: str
    created: datetime
    modified: datetime
    edit_sequence: str
    number: int
    values: dict[str, Any]
    lines: list[Line] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    voided: bool = False
    linked_to: frozenset[str] = frozenset()
    """The orders its lines take from."""
    paid_to: frozenset[str] = frozenset()
    """The bills it pays and the credits it uses."""
    rendered: dict[tuple[Any, ...], str] = field(default_factory=dict)
    """Its text by what was asked for of it."""

    @property
    def day(self) -> date:
        """Its TxnDate."""
        day: date = self.values["TxnDate"]
        return day

    @property
    def ref_number(self) -> str:
        """The number people know it by; it need not be unique."""
        return str(self.values.get("RefNumber") or "")

    @property
    def entity(self) -> str:
        """The ListID of its vendor."""
        return str(self.values.get("VendorRef") or self.values.get("PayeeEntityRef") or "")

    @property
    def total(self) -> Decimal:
        """The sum of its lines; of a payment, the money it pays."""
        if self.kind in PAYMENTS:
            return sum((one.amount for one in self.applied), ZERO)
        return sum((line.amount or ZERO for line in self.lines), ZERO)

    def line(self, identifier: str) -> Line | None:
        """The line with that TxnLineID."""
        return next((line for line in self.lines if line.id == identifier), None)


class Deleted(NamedTuple):
    """What is remembered of something deleted, for 90 days."""

    kind: str
    id: str
    name: str
    created: datetime
    moment: datetime
