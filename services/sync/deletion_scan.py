"""Scan for deletions where the ERP does not report them: how often, what of a scan is believed, who is notified."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.roles.pages import ScanResult
from models.domain.ids import SYNCER, ConnectionId, OrganizationId
from models.domain.sync import Deletion, MirroredIds, Stream
from models.store.audit import notices, sync_issues
from models.store.connections import connections
from models.store.sync import cursors
from models.tables import ConnectionRow

SCAN_EVERY = timedelta(hours=24)
"""How often a connection is scanned at most: a scan reads the id of every record there is."""

CURSOR_BEHIND = timedelta(days=1)
"""How far behind our clock a scan leaves the cursor: the ERP's clock may differ, and a feed that can be read again
later continues from there."""

FEW = 3
"""How many records of one kind and entity may be gone at once without a doubt. A doubt costs little and ends by itself
when more records come in; a payment wrongly taken as deleted might be made again."""

NAMED = 5
"""How many of the records in doubt are named, for a person to look up."""

SUBJECT = "deletions"
"""Subject of the issues about a scan; their subject id is the connection's id."""


def due(position: str, at: datetime) -> bool:
    """Return whether the last scan, or the last answer of the deletions feed, is a day ago."""
    return position <= _moment(at - CURSOR_BEHIND - SCAN_EVERY)


async def scanned_at(s: AsyncSession, connection_id: ConnectionId, at: datetime) -> None:
    """Set the cursor from which the next scan's day counts, whatever the feed reported before."""
    position = _moment(at - CURSOR_BEHIND)
    await cursors.rewind(s, connection_id, Stream.DELETIONS, position)
    await cursors.move(s, connection_id, Stream.DELETIONS, position)


def believed(mirrored: Sequence[MirroredIds], scan: ScanResult, at: datetime) -> tuple[list[Deletion], list[str]]:
    """Return the deletions that a scan found, and sentences about what is not believed.

    If most of our records of one kind are gone within a day, that looks like a right taken away, whatever the readings
    say.
    """
    deletions: list[Deletion] = []
    doubts = [f"entity {entity} cannot be entered, so nothing is known of what it owns" for entity in scan.not_searched]
    known = {(group.kind, group.owner_entity, group.list_kind): len(group.erp_ids) for group in mirrored}
    for group in scan.gone:
        count, of = len(group.erp_ids), known[group.kind, group.owner_entity, group.list_kind]
        if count > FEW and count * 2 > of:
            where = f" of entity {group.owner_entity}" if group.owner_entity else ""
            named = ", ".join(sorted(group.erp_ids, key=_in_order)[:NAMED]) + (" ..." if count > NAMED else "")
            kind = (group.list_kind or group.kind).value.replace("_", " ")
            doubts.append(f"{count} of {of} records of kind {kind}{where} are not shown any more (numbers {named})")
            continue
        deletions += [
            Deletion(kind=group.kind, list_kind=group.list_kind, erp_id=erp_id, deleted_at=_moment(at))
            for erp_id in group.erp_ids
        ]
    return deletions, doubts


async def feed_is(s: AsyncSession, row: ConnectionRow, readable: bool) -> bool:
    """Store, as a capability of the connection, whether the ERP reports deletions.

    Return True if that changed just now.

    A feed that is back settles what scans left in doubt: it names each deletion.
    """
    changed = await connections.note_deletions_feed(s, ConnectionId(row.id), readable)
    if changed and readable:
        await _settle(s, row)
    return changed


async def report(s: AsyncSession, row: ConnectionRow, why: str, doubts: Sequence[str]) -> None:
    """Add one notice that deletions are found by scans, and open an issue for what the scan could not settle."""
    connection_id = ConnectionId(row.id)
    await feed_is(s, row, False)
    message = (
        f"Deletions in the ERP are found by comparing, once a day: {why}. "
        "capabilities.deletions_feed of the connection shows how it is now."
    )
    if not await notices.exists(s, connection_id, "DELETIONS_BY_SCAN", row.id, message):
        await notices.add(
            s,
            organization_id=OrganizationId(row.organization_id),
            connection_id=connection_id,
            code="DELETIONS_BY_SCAN",
            subject_kind="connection",
            subject_id=row.id,
            message=message,
        )
    if not doubts:
        await _settle(s, row)
        return
    await sync_issues.open_issue(
        s,
        "DELETIONS_IN_DOUBT",
        connection_id=row.id,
        subject_kind=SUBJECT,
        subject_id=row.id,
        cause=f"Nothing was marked as deleted there: {'; '.join(doubts)}.",
        evidence={f"doubt_{number}": doubt for number, doubt in enumerate(doubts, start=1)},
    )


async def _settle(s: AsyncSession, row: ConnectionRow) -> None:
    await sync_issues.close_for_subjects(s, ConnectionId(row.id), SUBJECT, [row.id], actor=SYNCER)


def _in_order(erp_id: str) -> tuple[int, str]:
    return len(erp_id), erp_id


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
