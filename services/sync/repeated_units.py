"""Report units that share a name within their unit group: which of them a bill means nobody can say."""

from collections.abc import Iterable

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import SYNCER, ConnectionId
from models.domain.lists import ListKind
from models.store.audit import sync_issues
from models.store.policies import unit_factors
from models.tables import ConnectionRow

UNITS_NOT_UNIQUE = "UNITS_NOT_UNIQUE"
SUBJECT = "list_entry"


async def report(session: AsyncSession, row: ConnectionRow, kinds: Iterable[ListKind | None]) -> None:
    """Open an issue for each name that several units of a group share, and close those that are unique again; only
    when entries of these kinds came in or went and units are among them."""
    if ListKind.UNIT not in kinds:
        return
    connection_id = ConnectionId(row.id)
    repeated = {f"{unit.group_id}/{unit.unit}": unit for unit in await unit_factors.repeated(session, connection_id)}
    open_before = await sync_issues.open_subjects(session, connection_id, UNITS_NOT_UNIQUE)
    for subject_id, unit in repeated.items():
        await sync_issues.open_issue(
            session,
            UNITS_NOT_UNIQUE,
            connection_id=connection_id,
            subject_kind=SUBJECT,
            subject_id=subject_id,
            subject_name=f"{unit.unit} of {unit.group}",
            evidence={"group": unit.group, "unit": unit.unit, "entries": unit.entries, "factors": unit.factors},
        )
    unique = sorted(open_before - repeated.keys())
    await sync_issues.close_for_subjects(session, connection_id, SUBJECT, unique, [UNITS_NOT_UNIQUE], actor=SYNCER)
