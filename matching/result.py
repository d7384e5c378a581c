"""A match result that explains itself: what was found, by which rule and numbers, who can fix it and how.

It carries its inputs, so that anyone can compute it again later and get the same answer.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

from matching.inputs import BillToMatch, OrderToMatch
from models.domain import MatchMode, Record


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
    return max(outcomes, key=lambda outcome: outcome.rank, default=Outcome.OK)


class Finding(Record):
    """One thing a person should know about this match."""

    id: str
    """Made of the code and the line it concerns: the same finding keeps its id when the bill is matched again."""
    code: str
    severity: Outcome
    message: str
    line: int | None = None
    """The order's line number; None for a finding about the whole bill."""
    bill_lines: tuple[int, ...] = ()
    rule: str
    formula: str
    """The condition that held, in the ledger's letters."""
    values: Mapping[str, str] = {}
    limit: Decimal | None = None
    """The highest quantity on this order line that would not have been found fault with."""
    margin: Decimal | None = None
    """limit - b: how far below the limit the bill is; negative here, by as much as it is over."""
    money_at_stake: Decimal | None = None
    """What the excess is worth at the order's price, in the order's currency."""
    who: str
    """Who can fix it: ap, purchasing, receiving, vendor or admin."""
    fix: tuple[str, ...]


class Policy(Record):
    """The policy that decided. Without one of the customer's own it is the built-in rule at zero tolerance."""

    id: str = "built-in"
    level: str = "built-in"


class MatchInputs(Record):
    """Everything the result was computed from; of the order, the lines that the bill touches."""

    po: str
    """`<number>@<snapshot>`."""
    mode: MatchMode
    order: OrderToMatch
    bill: BillToMatch


class MatchResult(Record):
    outcome: Outcome
    policy: Policy = Policy()
    inputs: MatchInputs
    findings: tuple[Finding, ...] = ()
