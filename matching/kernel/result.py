"""Define a match result that explains itself: what was found, by which rule and numbers, who can fix it and how.

It carries its inputs, so anyone can compute it again later and get the same answer.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from matching.kernel.exact import Exact
from matching.kernel.inputs import BillToMatch, OrderToMatch
from matching.policies.policies import Level, TolerancePolicy
from models.domain.bills import BillMatchMode
from models.domain.connections import MatchMode
from models.domain.ids import ErpId, PurchaseOrderId
from models.domain.record import Record


class Outcome(StrEnum):
    """The outcome of a match, from best to worst. HOLD: the bill is saved but waits for a release. BLOCK: it is not
    saved."""

    OK = "OK"
    INFO = "INFO"
    WARN = "WARN"
    HOLD = "HOLD"
    BLOCK = "BLOCK"

    @property
    def rank(self) -> int:
        """Return the position in this order; higher is worse."""
        return _RANKS[self]


_RANKS = {outcome: rank for rank, outcome in enumerate(Outcome)}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst of the outcomes; OK without any."""
    return max(outcomes, key=_RANKS.__getitem__, default=Outcome.OK)


FIRST_RULES = 1
"""The version of the built-in rules of results that were stored before the version was."""

FIXED_DATES = 2
"""The last version under which the limits of dates were no policy's."""

RULES = 3
"""The present version of the built-in rules. New in 2: a price policy, a line's own arithmetic, order lines below zero,
a total below zero, unlikely dates, and duplicates by the parts of the number. New in 3: a bill date more than 365 days
back or 30 ahead holds, both limits a policy's, and so does a due date before the bill date. A change that would match a
stored bill in another way takes the next number, and what it replaces stays for results of earlier versions."""


class Policy(Record):
    """The policy that decided; without one of the customer's own, the built-in rules, by their version."""

    id: str = "built-in"
    level: Level = Level.BUILT_IN
    version: int = 1


BUILT_IN = Policy(version=RULES)


def built_in(rules: int) -> Policy:
    """Return the policy by which results name the built-in rules of that version."""
    return BUILT_IN if rules == RULES else Policy(version=rules)


class Finding(Record):
    """One thing a person should know about this match."""

    id: str
    """Made of the code and what it concerns, so the same finding keeps its id when the bill is matched again."""
    code: str
    severity: Outcome
    message: str
    purchase_order_id: PurchaseOrderId | None = None
    """The order it concerns; None: the finding is about the bill itself."""
    line: int | None = None
    """The order's line by its number then; None: the finding is about a whole order or bill."""
    order_line_id: ErpId | None = None
    """The order's line by the ERP's id, which stays when lines are inserted or deleted; None: as `line`, or the result
    was stored before it was kept."""
    bill_lines: tuple[int, ...] = ()
    rule: str
    formula: str
    """The condition that was met, in the ledger's letters."""
    values: Mapping[str, str] = {}
    limit: Exact | None = None
    """The largest value that would have passed, in the terms of the formula's left side."""
    margin: Exact | None = None
    """How far the bill is within the limit; negative here: by how much it is over the limit."""
    money_at_stake: Exact | None = None
    """The value of the excess, in the order's currency."""
    policy: Policy = BUILT_IN
    """The policy that set the limit, or the switch, that decided."""
    who: str
    """Who can fix it: ap, purchasing, receiving, vendor or admin."""
    fix: tuple[str, ...]


class MatchInputs(Record):
    """Everything the result was computed from. Of the orders it has only the lines that the bill touches."""

    po: str
    """`<number>@<snapshot>` of each order, one after the other."""
    mode: MatchMode
    """The connection's; `MatchResult.mode` is what the bill was matched in."""
    orders: tuple[OrderToMatch, ...]
    bill: BillToMatch
    policies: tuple[TolerancePolicy, ...] = ()
    """The policies whose scope includes a line of the bill, with their versions."""
    rules: int = FIRST_RULES
    """The version of the built-in rules. The result is computed again and compared under it, whatever version came
    later."""


class MatchResult(Record):
    outcome: Outcome
    policy: Policy = BUILT_IN
    """The policy behind the worst finding; without findings, the most specific one that applied."""
    mode: BillMatchMode | None = None
    """How it was matched; None: stored before bills had a mode of their own, so as the connection's."""
    mode_set_by: str = "connection"
    """What set the mode: `bill`, `small bill`, the level of a policy, or `connection`."""
    inputs: MatchInputs
    findings: tuple[Finding, ...] = ()

    @property
    def matched_in(self) -> BillMatchMode:
        """Return how the bill was matched."""
        return self.mode or BillMatchMode(self.inputs.mode)
