"""Choose how a bill is matched: as a person said of the bill, else its vendor's policy, else its connection.

A small bill is not matched at all, unless a person chose how. What small bills of one vendor come to within 30 days
never exceeds the limit: splitting a bill makes no part of it small.
"""

from typing import NamedTuple

from matching.kernel.exact import Exact, add, money, plain, subtract
from matching.kernel.inputs import BillToMatch
from matching.kernel.result import BUILT_IN, Finding, Outcome, Policy
from matching.rules.tolerances import Applied
from models.domain.bills import BillMatchMode
from models.domain.connections import MatchMode

SMALL_BILL_DAYS = 30
"""Bills dated at most so many days apart are looked at together."""

BY_PERSON, BY_CONNECTION, SMALL = "bill", "connection", "small bill"
"""Who set the mode, beside the level of a policy: the bill itself, the connection's own setting, or its total."""


class ChosenMode(NamedTuple):
    """How a bill is matched, and why so."""

    mode: BillMatchMode
    set_by: str
    """`bill`, `small bill`, the level of the policy, or `connection`."""
    policy: Policy = BUILT_IN
    limit: Exact | None = None
    """Of a small bill: the total up to which one is small."""

    @property
    def is_small(self) -> bool:
        """Return whether the bill is not matched because of its total."""
        return self.set_by == SMALL


def inherited_mode(of_connection: MatchMode, bill: BillToMatch, applied: Applied) -> ChosenMode:
    """Return the mode of a bill of which nobody said anything: its policy's, else its connection's."""
    said = applied.match_mode
    if said is None:
        return ChosenMode(BillMatchMode(of_connection), BY_CONNECTION)
    mode, policy = said
    if mode is BillMatchMode.THREE_WAY and not bill.receipts_come_in:
        return ChosenMode(BillMatchMode.TWO_WAY, BY_CONNECTION)
    return ChosenMode(mode, policy.level.value, policy)


def choose_mode(of_connection: MatchMode, bill: BillToMatch, applied: Applied, comes_to: Exact) -> ChosenMode:
    """Return the bill's mode; `comes_to` is its `bill_total`."""
    if bill.match_mode is not None:
        return ChosenMode(bill.match_mode, BY_PERSON)
    chosen = inherited_mode(of_connection, bill, applied)
    small = applied.small_bill_total
    if small is None or bill.small_bills_near is None or chosen.mode is BillMatchMode.NONE:
        return chosen
    limit, policy = small
    if comes_to < 0 or add(comes_to, bill.small_bills_near) > limit:
        return chosen
    return ChosenMode(BillMatchMode.NONE, SMALL, policy, limit)


def not_matched(bill: BillToMatch, chosen: ChosenMode, comes_to: Exact) -> Finding:
    """Return the finding that says why nothing of the bill was compared with its orders."""
    fix = ("choose 2-way or 3-way matching for the bill, if it is to be matched",)
    if not chosen.is_small:
        whose = "bill itself" if chosen.set_by == BY_PERSON else f"policy of the {chosen.set_by}"
        return Finding(
            id="NOT_MATCHED",
            code="NOT_MATCHED",
            severity=Outcome.INFO,
            message=f"It is not compared with its order: the {whose} says so. Its quantities count all the same.",
            rule="MODE.NONE",
            formula="match mode = none",
            values={"set_by": chosen.set_by},
            policy=chosen.policy,
            who="ap",
            fix=fix,
        )
    assert chosen.limit is not None, "a small bill has a limit"
    assert bill.small_bills_near is not None, "and what the others come to"
    return Finding(
        id="SMALL_BILL",
        code="SMALL_BILL",
        severity=Outcome.INFO,
        message=f"It is not compared with its order: with {money(bill.small_bills_near)} on other small bills of the "
        f"vendor within {SMALL_BILL_DAYS} days it comes to {money(add(comes_to, bill.small_bills_near))}, and up to "
        f"{money(chosen.limit)} is small. Its quantities count all the same.",
        rule="MODE.SMALL",
        formula="total + small bills near it <= limit",
        values={
            "total": plain(comes_to),
            "small_bills_near": plain(bill.small_bills_near),
            "days": str(SMALL_BILL_DAYS),
        },
        limit=subtract(chosen.limit, bill.small_bills_near),
        policy=chosen.policy,
        who="ap",
        fix=fix,
    )
