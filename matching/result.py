"""A match result that explains itself: what was found, by which rule and numbers, who can fix it and how.

It carries its inputs, so that anyone can compute it again later and get the same answer.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from matching.exact import Exact
from matching.inputs import BillToMatch, OrderToMatch
from matching.policies import Level, TolerancePolicy
from models.domain import MatchMode, PurchaseOrderId, Record


class Outcome(StrEnum):
    """From best to worst. HOLD is saved but waits for an approval; BLOCK is not saved."""

    OK = "OK"
    INFO = "INFO"
    WARN = "WARN"
    HOLD = "HOLD"
    BLOCK = "BLOCK"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {outcome: rank for rank, outcome in enumerate(Outcome)}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of a whole is its worst part; of nothing, OK."""
    return max(outcomes, key=_RANKS.__getitem__, default=Outcome.OK)


class Policy(Record):
    """The policy that decided. Without one of the customer's own it is the built-in rule."""

    id: str = "built-in"
    level: Level = Level.BUILT_IN
    version: int = 1


BUILT_IN = Policy()


class Finding(Record):
    """One thing a person should know about this match."""

    id: str
    """Made of the code and what it concerns: the same finding keeps its id when the bill is matched again."""
    code: str
    severity: Outcome
    message: str
    purchase_order_id: PurchaseOrderId | None = None
    """The order it concerns; None for a finding about the bill itself."""
    line: int | None = None
    """The order's line number; None for a finding about a whole order or bill."""
    bill_lines: tuple[int, ...] = ()
    rule: str
    formula: str
    """The condition that held, in the ledger's letters."""
    values: Mapping[str, str] = {}
    limit: Exact | None = None
    """The largest value that would not have been found fault with, in the terms of the formula's left side."""
    margin: Exact | None = None
    """How far the bill is within the limit; negative here, by as much as it is over."""
    money_at_stake: Exact | None = None
    """What the excess is worth, in the order's currency."""
    policy: Policy = BUILT_IN
    """The policy that set the limit, or the switch, that decided."""
    who: str
    """Who can fix it: ap, purchasing, receiving, vendor or admin."""
    fix: tuple[str, ...]


class MatchInputs(Record):
    """Everything the result was computed from; of the orders, the lines that the bill touches."""

    po: str
    """`<number>@<snapshot>`, one after the other for a bill on several orders."""
    mode: MatchMode
    orders: tuple[OrderToMatch, ...]
    bill: BillToMatch
    policies: tuple[TolerancePolicy, ...] = ()
    """The policies whose scope includes a line of the bill, with their versions."""


class MatchResult(Record):
    outcome: Outcome
    policy: Policy = BUILT_IN
    """The policy behind the worst finding; with no finding, the most specific one that had a say."""
    inputs: MatchInputs
    findings: tuple[Finding, ...] = ()
