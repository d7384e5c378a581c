"""Say what a bill waits for before it is sent, where that is no finding of its match: for operators and people."""

from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import ApprovalState
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.store.approvals import people, steps
from models.tables import BillRow
from services.approvals.entry import one_of

APPROVAL, PAYMENT = "APPROVAL", "PAYMENT"


class Waits(NamedTuple):
    """What a bill waits for: codes, and a text for each step."""

    needs: list[str]
    because: list[str]


async def waits_for(session: AsyncSession, bill: BillRow) -> Waits:
    """Return what a bill waits for whose match is settled; nothing where it is on its way."""
    match BillStatus(bill.status):
        case BillStatus.AWAITING_APPROVAL:
            return Waits([APPROVAL], await _steps(session, bill))
        case BillStatus.AWAITING_PAYMENT:
            return Waits([PAYMENT], ["its first payment is to be scheduled"])
        case _:
            return Waits([], [])


async def _steps(session: AsyncSession, bill: BillRow) -> list[str]:
    state = ApprovalState(bill.approval)
    if state is ApprovalState.UNASSIGNED:
        return ["no rule named an approver: an accountant names the approvers"]
    if state is ApprovalState.DENIED:
        return ["an approver denied it: name approvers anew, or abandon it"]
    all_steps = await steps.of_bill(session, BillId(bill.id))
    known = await people.named(
        session, {person for step in all_steps for person in (*step.approvers, step.approved_by) if person}
    )
    return [
        f"step {position} of {len(all_steps)}: "
        + (
            f"approved by {known[step.approved_by].name} on {step.approved_at:%Y-%m-%d}"
            if step.approved_by
            else f"{one_of(step, known)} to approve"
        )
        for position, step in enumerate(all_steps, start=1)
    ]
