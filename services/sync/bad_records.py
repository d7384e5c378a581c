"""Report ERP records that cannot be stored: each gets an issue, while all others on its page are stored (fault F13)."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.roles.pages import BadRecord
from models.domain.ids import SYNCER, ConnectionId
from models.store.audit import sync_issues
from models.tables import ConnectionRow


async def report(session: AsyncSession, row: ConnectionRow, subject_kind: str, bad: Sequence[BadRecord]) -> None:
    """Open an issue for each record that cannot be stored."""
    for record in bad:
        await sync_issues.open_issue(
            session,
            record.code,
            connection_id=row.id,
            subject_kind=subject_kind,
            subject_id=record.erp_id,
            subject_name=_name_of(record),
            cause=record.message,
            evidence=dict(record.evidence),
        )


async def report_repaired(session: AsyncSession, row: ConnectionRow, subject_kind: str, erp_ids: Sequence[str]) -> None:
    """Close the issues of records that can be stored now."""
    if erp_ids:
        await sync_issues.close_for_subjects(session, ConnectionId(row.id), subject_kind, erp_ids, actor=SYNCER)


def _name_of(record: BadRecord) -> str:
    """Return the name that people know the record by, as far as the ERP showed it."""
    return record.evidence.get("number") or record.evidence.get("DOCID") or record.erp_id
