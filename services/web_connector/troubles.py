"""Report what goes wrong between the door and QuickBooks, where people look: on the connection, and as an issue.

The Web Connector shows it on the customer's computer only. What was reported is over by itself: opening troubles when a
session recognizes the company file, exchanging ones when an exchange was answered whole.
"""

from datetime import UTC, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.connections import ConnectionState
from models.domain.ids import SYNCER, ConnectionId
from models.store.audit import sync_issues
from models.store.connections import connections
from models.tables import ConnectionRow

SUBJECT = "connection"

SILENT = "WEB_CONNECTOR_SILENT"

OPENING = (
    "QUICKBOOKS_NOT_OPENED",
    "QUICKBOOKS_ACCESS_DENIED",
    "COMPANY_FILE_NOT_RECOGNIZED",
    "QUICKBOOKS_TOO_OLD",
)
"""The company file could not be opened, or was not recognized."""

BROKEN = "QUICKBOOKS_ANSWER_BROKEN"
"""An answer was cut short, was no qbXML, or was another document's."""

UNANSWERED = "QUICKBOOKS_DID_NOT_ANSWER"
"""The Web Connector brought an error in place of an answer."""

EXCHANGING = (BROKEN, UNANSWERED)

KEPT_BY_THE_DOOR = frozenset((SILENT, *OPENING, *EXCHANGING))
"""Problems that only the Web Connector's calls end: an activity that needs no exchange may succeed meanwhile."""


async def report(s: AsyncSession, connection_id: ConnectionId, code: str, cause: str, **evidence: str) -> None:
    """Show a trouble as the connection's outage and as an issue. A connection that was never let in has the issue."""
    row = await connections.get(s, connection_id)
    if row is not None and row.state != ConnectionState.PENDING_AUTHORIZATION:
        await connections.mark_outage(s, connection_id, code, cause, datetime.now(UTC))
    await sync_issues.open_issue(
        s,
        code,
        connection_id=connection_id,
        subject_kind=SUBJECT,
        subject_id=connection_id,
        cause=cause,
        evidence=evidence,
    )


async def opened(s: AsyncSession, row: ConnectionRow) -> None:
    """End what was reported of opening the company file: it was recognized."""
    connection_id = ConnectionId(row.id)
    await sync_issues.close_for_subject(s, connection_id, SUBJECT, row.id, OPENING, actor=SYNCER)
    if row.outage_since is not None and row.problem_code not in EXCHANGING:
        await connections.mark_healthy(s, connection_id)


async def exchanged(s: AsyncSession, connection_id: ConnectionId) -> None:
    """End what was reported of exchanges: one was answered whole."""
    await sync_issues.close_for_subject(s, connection_id, SUBJECT, connection_id, EXCHANGING, actor=SYNCER)
    await connections.end_outage(s, connection_id, EXCHANGING)
