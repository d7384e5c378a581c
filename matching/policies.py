"""Tolerance policies: who may differ from the order, in which check, and by how much (matching rules 3.4).

A policy says little: what it leaves out is inherited from the next wider one. `0` means that no difference is
allowed, a missing limit is inherited, and "no limit" has to be written out as `unlimited`, because a blank that means
infinite is the trap users of other systems fall into.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from models.domain import ConnectionId, Record


class Check(StrEnum):
    """What is compared. The first four are judged per order line, the others per order or per bill."""

    QTY = "qty"
    """Quantity billed in all against the ceiling; base: the ceiling."""
    QTY_VALUE = "qty_value"
    """The quantity beyond what may be billed unasked, at the order's price: money, so no percentage."""
    PRICE = "price"
    """The bill's price against the order's, per order unit; base: the order's price."""
    LINE_AMOUNT = "line_amount"
    """The bill's amount against quantity times the order's price; base: that product."""
    PO_TOTAL = "po_total"
    """The goods billed on the order in all, in money, against the order's total; base: the total."""
    HEADER_SUM = "header_sum"
    """Lines, charges and tax less the discount against the bill's own total; base: a cent per line."""
    TAX = "tax"
    """The bill's tax against the expected tax; base: the expected tax."""
    CHARGES = "charges"
    """One class of charges (freight ...) in all bills of the order; base: the goods amount of the order."""

    __hash__ = str.__hash__
    # An enum's own hash is a Python function; a match looks bands up by check many times for each line.


LINE_CHECKS = frozenset({Check.QTY, Check.QTY_VALUE, Check.PRICE, Check.LINE_AMOUNT})

Limit: TypeAlias = Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=8)] | Literal["unlimited"]
"""How far the bill may be off: zero or more, or `unlimited`. Exactly at the limit is allowed."""


class Direction(StrEnum):
    """Which differences count: the bill being higher, being lower, or either."""

    UPPER = "upper"
    LOWER = "lower"
    BOTH = "both"


class Combine(StrEnum):
    """With a percentage and an amount: exceeded once either is (strict), or only when both are (lenient)."""

    STRICT = "strict"
    LENIENT = "lenient"


class Band(Record):
    """One pair of limits. What is None is inherited."""

    pct: Limit | None = None
    """Percent of the check's base: `5` is 5 %."""
    abs: Limit | None = None
    """In the check's own terms: order units for `qty`, the order's currency for all others."""
    direction: Direction | None = None
    combine: Combine | None = None


class Tolerance(Record):
    """The two bands of one check: beyond `warn` somebody acknowledges, beyond `block` somebody decides.

    Beyond the block band of `qty` a bill is refused (the seeds' quantity blocks); of all others it is held.
    """

    warn: Band = Band()
    block: Band = Band()


class Level(StrEnum):
    """How specific a policy is, most specific first. An item says more than a vendor."""

    VENDOR_ITEM = "vendor+item"
    ITEM = "item"
    CATEGORY = "category"
    VENDOR = "vendor"
    ENTITY = "entity"
    CONNECTION = "connection"
    ORGANIZATION = "organization"
    BUILT_IN = "built-in"


class PolicyScope(Record):
    """Which bill lines a policy is for; None does not restrict. Nothing at all is the organization's own policy.

    `connection_id` may be combined with every other one: vendors, items, categories and entities are names of one ERP.
    Between two policies of one level, the one for this connection wins.
    """

    vendor_id: str | None = None
    item_id: str | None = None
    category: str | None = None
    entity: str | None = None
    connection_id: ConnectionId | None = None

    @property
    def level(self) -> Level:
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
        named = {"vendor": self.vendor_id, "item": self.item_id, "category": self.category, "entity": self.entity}
        parts = [f"{name} {value}" for name, value in named.items() if value is not None]
        return " and ".join(parts) or f"the whole {self.level}"


class TolerancePolicy(Record):
    """One policy as it is stored. `matching.policy_checks.check_policy` says what is wrong with one before it is saved.

    The three switches are inherited like the limits when None; built in they are on, off and off.
    """

    id: str
    version: int = 1
    scope: PolicyScope = PolicyScope()
    checks: Mapping[Check, Tolerance] = {}
    warn_on_over_receipt: bool | None = None
    """Whether to ask before more is billed than ordered although it was received (our reading of G1)."""
    allow_received_before_close: bool | None = None
    """Whether a line that the ERP closed may still be billed for what was received of it, with a warning."""
    returns_reduce_ordered: bool | None = None
    """Whether goods sent back also lower what may be billed of the order, where the ERP does not reopen the order."""
