"""Choose who approves a bill, and find rules that leave nobody able to."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from models.domain.ids import PersonId
from models.store.approvals.bill_approvals import BillFacts
from models.store.approvals.people import Person
from models.store.approvals.rules import ApprovalRule


def rule_for(rules: Sequence[ApprovalRule], bill: BillFacts) -> ApprovalRule | None:
    """Return the first rule that applies to the bill, or None."""
    return next((rule for rule in rules if _applies(rule, bill)), None)


def _applies(rule: ApprovalRule, bill: BillFacts) -> bool:
    return (
        (rule.total_from is None or bill.total >= rule.total_from)
        and (rule.total_below is None or bill.total < rule.total_below)
        and rule.vendor_id in (None, bill.vendor_id)
        and (rule.department is None or rule.department in bill.departments)
        and rule.entity in (None, bill.entity)
    )


def can_approve(steps: Sequence[Collection[PersonId]], kept_from_it: Collection[PersonId]) -> bool:
    """Return whether every step can be given to a person of its own, none of whom is kept from approving.

    This is a matching of steps to people: each step in turn takes a free person, or one whose step can move on.
    """
    taken: dict[PersonId, int] = {}

    def give(step: int, tried: set[PersonId]) -> bool:
        for person in steps[step]:
            if person in kept_from_it or person in tried:
                continue
            tried.add(person)
            if person not in taken or give(taken[person], tried):
                taken[person] = step
                return True
        return False

    return all(give(step, set()) for step in range(len(steps)))


class Stuck(NamedTuple):
    """A rule that leaves nobody able to approve."""

    rule: str
    why: str


def stuck_rules(rules: Sequence[ApprovalRule], people: Collection[Person]) -> Iterator[Stuck]:
    """Find the rules that leave nobody able to approve a bill, whoever of these people, or a program, entered it."""
    approvers = {person.id for person in people if person.may_approve}
    enterers = [person for person in people if person.may_enter_bills]
    for rule in rules:
        steps = [[person for person in step if person in approvers] for step in rule.steps]
        if not can_approve(steps, ()):
            yield Stuck(rule.name, "not every step has an active person of its own with the role approver")
            continue
        for person in enterers:
            if not can_approve(steps, (person.id,)):
                yield Stuck(rule.name, f"nobody could approve what {person.name} enters")
                break
