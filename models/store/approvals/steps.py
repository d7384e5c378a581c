"""Store the steps of a bill's approval: who is asked, and who approved. What happened before is in the events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, PersonId
from models.tables import ApprovalStepRow


class Step(NamedTuple):
    """One step: of `approvers`, one approves."""

    approvers: tuple[PersonId, ...]
    acts_for: Mapping[PersonId, tuple[PersonId, ...]]
    """By delegate: the people that the step was delegated by, one after another."""
    approved_by: PersonId | None = None
    approved_at: datetime | None = None

    def acting(self, person: PersonId) -> frozenset[PersonId]:
        """Return the person and all those that they act for in this step."""
        return frozenset((person, *self.acts_for.get(person, ())))


def new_step(approvers: Sequence[PersonId]) -> Step:
    """Return a step that nobody has approved."""
    return Step(tuple(approvers), {})


async def of_bill(s: AsyncSession, bill_id: BillId) -> list[Step]:
    """Return the bill's steps in order; none: nobody is asked."""
    statement = select(ApprovalStepRow).where(col(ApprovalStepRow.bill_id) == bill_id)
    rows = (
        await s.exec(statement.order_by(col(ApprovalStepRow.step_no)), execution_options={"populate_existing": True})
    ).all()
    return [
        Step(
            tuple(PersonId(one) for one in row.approvers),
            {PersonId(to): tuple(PersonId(one) for one in chain) for to, chain in row.acts_for.items()},
            PersonId(row.approved_by) if row.approved_by else None,
            row.approved_at,
        )
        for row in rows
    ]


async def replace(s: AsyncSession, bill_id: BillId, steps: Sequence[Step]) -> None:
    """Store these steps in place of the bill's present ones. The caller has locked the bill."""
    await s.exec(delete(ApprovalStepRow).where(col(ApprovalStepRow.bill_id) == bill_id))
    if steps:
        await s.exec(
            insert(ApprovalStepRow).values(
                [
                    {
                        "bill_id": bill_id,
                        "step_no": step_no,
                        "approvers": list(step.approvers),
                        "acts_for": {to: list(chain) for to, chain in step.acts_for.items()},
                        "approved_by": step.approved_by,
                        "approved_at": step.approved_at,
                    }
                    for step_no, step in enumerate(steps, start=1)
                ]
            )
        )
