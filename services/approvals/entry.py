"""Name the approvers of a bill that is entered, or that waits while approvals are switched on."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import ApprovalState
from models.domain.ids import SYNCER, BillId, ConnectionId, OrganizationId
from models.store.approvals import bill_approvals, people, rules, steps
from models.store.approvals.steps import Step
from models.store.audit import events
from models.tables import ConnectionRow
from services.approvals.rules import rule_for


async def assign_approvers(session: AsyncSession, connection: ConnectionRow, bill_id: BillId) -> ApprovalState:
    """Name the approvers of a stored bill by the connection's rules; where no rule applies nobody is asked.

    The caller has locked the bill, or has just saved it.
    """
    connection_id = ConnectionId(connection.id)
    facts = await bill_approvals.facts(session, bill_id)
    rule = rule_for(await rules.of_connection(session, connection_id), facts)
    named = [] if rule is None else [steps.new_step(step) for step in rule.steps]
    state = ApprovalState.ASSIGNED if named else ApprovalState.UNASSIGNED
    await steps.replace(session, bill_id, named)
    await bill_approvals.set_state(session, bill_id, state)
    await events.record(
        session,
        organization_id=OrganizationId(connection.organization_id),
        connection_id=connection_id,
        subject_kind="bill",
        subject_id=bill_id,
        kind="approvers_assigned",
        actor=SYNCER,
        why="no rule applies" if rule is None else f"rule {rule.name}",
        after={"approval": state, "approvers": await names_of(session, named)},
    )
    return state


async def names_of(session: AsyncSession, named: Sequence[Step]) -> list[str]:
    """Return who is asked, one text for each step: `Ana Lima or Ben Cruz`."""
    known = await people.named(session, {person for step in named for person in step.approvers})
    return [one_of(step, known) for step in named]


def one_of(step: Step, known: Mapping[Any, people.Person]) -> str:
    """Return the approvers of a step by name."""
    return " or ".join(known[person].name for person in step.approvers)
