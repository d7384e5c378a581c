"""Define tolerance policies: whose bills may differ from the order, in which check, and by how much.

A policy sets only some values; what it leaves out is inherited from the next wider one. `0` means that no difference is
allowed, a missing limit is inherited, and "no limit" has to be written out as `unlimited`: a blank that means infinite
is a trap for users of other systems.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from models.domain.bills import BillMatchMode
from models.domain.ids import ConnectionId
from models.domain.record import Record


class Check(StrEnum):
    """What is compared. The first four are checked per order line, the others per order or per bill."""

    QTY = "qty"
    """Total quantity billed against the ceiling; base: the ceiling."""
    QTY_VALUE = "qty_value"
    """The quantity beyond what may be billed without a question, at the order's price. It is money, so no percentage
    applies."""
    PRICE = "price"
    """The bill's price against the order's, per order unit; base: the order's price."""
    LINE_AMOUNT = "line_amount"
    """The bill's amount against quantity times the order's price; base: that product."""
    PO_TOTAL = "po_total"
    """The value of all goods billed on the order, in money, against the order's total; base: the total."""
    HEADER_SUM = "header_sum"
    """Lines, charges and tax less the discount, against the bill's own total; base: a cent per line."""
    TAX = "tax"
    """The bill's tax against the expected tax; base: the expected tax."""
    CHARGES = "charges"
    """One class of charges (freight and the like) on all bills of the order; base: the value of the order's goods."""
    OFF_ORDER = "off_order"
    """The sum of an order's bill's lines that are on no order; base: the sum of its lines on orders."""

    __hash__ = str.__hash__
    # An enum's own hash is a Python function; a match looks bands up by check many times for each line.


LINE_CHECKS = frozenset({Check.QTY, Check.QTY_VALUE, Check.PRICE, Check.LINE_AMOUNT})

Limit: TypeAlias = Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=8)] | Literal["unlimited"]
"""How far the bill may differ: zero or more, or `unlimited`. A difference exactly at the limit is allowed."""


class Direction(StrEnum):
    """Which differences count: those where the bill is higher, those where it is lower, or both."""

    UPPER = "upper"
    LOWER = "lower"
    BOTH = "both"


class Combine(StrEnum):
    """How a percentage and an amount combine. strict: exceeding one is enough; lenient: both must be exceeded."""

    STRICT = "strict"
    LENIENT = "lenient"


class Band(Record):
    """One pair of limits. A limit that is None is inherited."""

    pct: Limit | None = None
    """Percent of the check's base: `5` is 5 %."""
    abs: Limit | None = None
    """An absolute limit: in order units for `qty`, in the order's currency for all other checks."""
    direction: Direction | None = None
    combine: Combine | None = None


class Tolerance(Record):
    """The two bands of one check. A difference beyond `warn` has to be acknowledged, one beyond `block` has to be
    released.

    Beyond the block band of `qty` a bill is refused instead: these are the built-in quantity blocks.
    """

    warn: Band = Band()
    block: Band = Band()


class Level(StrEnum):
    """How specific a policy is, the most specific first. An item counts as more specific than a vendor."""

    VENDOR_ITEM = "vendor+item"
    ITEM = "item"
    CATEGORY = "category"
    VENDOR = "vendor"
    ENTITY = "entity"
    CONNECTION = "connection"
    ORGANIZATION = "organization"
    BUILT_IN = "built-in"


class PolicyScope(Record):
    """The bill lines a policy is for. None does not restrict; a scope without any value is the organization's own
    policy.

    `connection_id` may be combined with every other value, because vendors, items, categories and entities are names of
    one ERP. Between two policies of one level, the one for this connection wins.
    """

    vendor_id: str | None = None
    item_id: str | None = None
    category: str | None = None
    entity: str | None = None
    connection_id: ConnectionId | None = None

    @property
    def level(self) -> Level:
        """Return how specific the scope is."""
        if self.item_id is not None:
            return Level.ITEM if self.vendor_id is None else Level.VENDOR_ITEM
        if self.category is not None:
            return Level.CATEGORY
        if self.vendor_id is not None:
            return Level.VENDOR
        if self.entity is not None:
            return Level.ENTITY
        return Level.ORGANIZATION if self.connection_id is None else Level.CONNECTION

    @property
    def in_words(self) -> str:
        """Return the scope in words, for messages."""
        named = {"vendor": self.vendor_id, "item": self.item_id, "category": self.category, "entity": self.entity}
        parts = [f"{name} {value}" for name, value in named.items() if value is not None]
        return " and ".join(parts) or f"the whole {self.level}"


MOST_DAYS = 36_500
"""A hundred years: no limit at all."""


class TolerancePolicy(Record):
    """One policy as it is stored. `policy_checks.check_policy` reports what is wrong with one before it is saved.

    The mode, the switches and the days are inherited like the limits when they are None; the built-in values of the
    switches are on, off and off.
    """

    id: str
    version: int = 1
    scope: PolicyScope = PolicyScope()
    checks: Mapping[Check, Tolerance] = {}
    warn_on_over_receipt: bool | None = None
    """True: warn before more is billed than ordered, although it was received."""
    allow_received_before_close: bool | None = None
    """True: a line that the ERP closed may still be billed for what was received of it, with a warning."""
    bill_date_days_back: Annotated[int, Field(ge=0, le=MOST_DAYS)] | None = None
    """A bill date that lies more days before the day of entry holds the bill; built in: 365."""
    bill_date_days_ahead: Annotated[int, Field(ge=0, le=MOST_DAYS)] | None = None
    """The same after the day of entry; built in: 30."""
    match_mode: BillMatchMode | None = None
    """How these bills are matched; built in: as the connection's are."""
    small_bill_total: Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=8)] | None = None
    """A bill at or below it is not matched, in money, as long as all small bills of its vendor within 30 days of it
    come to no more; None everywhere: no bill is small."""
    returns_reduce_ordered: bool | None = None
    """True: returned goods also lower what may be billed of the order, if the ERP does not reopen the order."""
