"""GL accounts of bill lines: kept here, never sent (S1-17). Whoever gives or changes one is reminded of it (S1-18)."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, ConnectionId, OrganizationId
from models.store.audit import notices

GL_ACCOUNT_NOT_SYNCED = "GL_ACCOUNT_NOT_SYNCED"


def gl_account_reminder(lines: Sequence[int]) -> str:
    """Return what to remind of, for the lines by number."""
    numbers = ", ".join(str(line) for line in lines)
    return (
        f"The GL account of line {numbers} is kept here only: it does not sync. Set it on the bill in the accounting "
        "system too, as soon as the bill is there."
    )


async def leave_gl_account_notice(
    session: AsyncSession,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    bill_id: BillId,
    lines: Sequence[int],
) -> None:
    """Leave the reminder as a notice on the bill, for the lines by number."""
    await notices.add(
        session,
        organization_id=organization_id,
        connection_id=connection_id,
        code=GL_ACCOUNT_NOT_SYNCED,
        subject_kind="bill",
        subject_id=bill_id,
        message=gl_account_reminder(lines),
    )
