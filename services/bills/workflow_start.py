"""What the workflow of a bill is started with, where it does not run and the bill is not settled."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.messages.bills import BillState
from models.store.payables import bill_restart
from models.store.payables.open_work import SETTLED
from services.bills import review

NOT_SETTLED = frozenset(BillStatus) - frozenset(SETTLED)


async def bill_start(session: AsyncSession, bill_id: BillId) -> BillState | None:
    """Return the state as the mirror has it, with what a person must still decide; None of a bill that is settled."""
    bill = await bill_restart.state_of(session, bill_id, NOT_SETTLED)
    if bill is not None and bill.status.is_waiting:
        waits = await review.waits_for(session, bill_id)
        bill.needs, bill.because = waits.needs, waits.because
    return bill
