"""Try again what the ERP refused, once the books or the sync preferences that it was refused for are others."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import SYNCER, ConnectionId
from models.domain.issue_states import IssueDecision
from models.store.audit import sync_issues
from models.store.audit.outbox import OutboxMessage
from models.store.connections.closed_periods import PERIOD_CLOSED
from services.sync.issue_decisions import decide_issue

HEALED_BY_THE_BOOKS = (PERIOD_CLOSED,)
"""Refusals that may pass when the books are closed or opened. A bill is matched again first: where its period is closed
as far as is known, it goes on hold."""

HEALED_BY_PREFERENCES = (
    "ACCOUNT_ITEM_MISSING",
    "ACCOUNT_WRONG_TYPE",
    "CHARGES_NOT_TAKEN",
    "ITEM_REFUSED",
    "PREFERENCE_MISSING",
    "SEVERAL_SOURCES",
)
"""Refusals whose advice is to set a sync preference."""


async def retry_refused(
    session: AsyncSession, connection_id: ConnectionId, codes: Sequence[str], *, why: str, request_key: str
) -> list[OutboxMessage]:
    """Decide to retry the bills and payments that wait behind an issue of one of these codes, as a person could;
    return what their workflows are owed. An issue on which somebody has decided already is left to that."""
    messages = []
    for issue in await sync_issues.waited_for(session, connection_id, codes):
        decided = await decide_issue(
            session, issue, IssueDecision.RETRY, actor=SYNCER, why=why, request_key=f"{request_key} {issue.id}"
        )
        if decided.message is not None:
            messages.append(decided.message)
    return messages
