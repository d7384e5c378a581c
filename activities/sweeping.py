"""Deletions where the ERP does not tell of them: how often a sweep is made, what of it is believed, who is told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.connector import Swept
from erp.issue_codes import issue_code
from models.domain import ConnectionId, Deletion, HeldRecords, OrganizationId, Stream
from models.store import connections, cursors, notices, sync_issues
from models.tables import ConnectionRow

SWEEP_EVERY = timedelta(hours=24)
"""A sweep reads the number of every record there is, so a connection is swept no more often than this."""

CURSOR_BEHIND = timedelta(days=1)
"""How far behind our clock a sweep leaves the cursor: the ERP's own may differ, and a feed that can be read again later
goes on from there."""

FEW = 3
"""So many records of one kind and entity may be gone at once without a doubt. A doubt costs little, and ends by itself
when more records come in; a payment taken for deleted might be made again."""

NAMED = 5
"""So many of the records in doubt are named, for a person to look up."""

SUBJECT = "deletions"
"""What issues about a sweep are about; the id beside it is the connection's."""


def due(position: str, at: datetime) -> bool:
    """Whether the last sweep, or the feed's last word, is a day ago."""
    return position <= _moment(at - CURSOR_BEHIND - SWEEP_EVERY)


async def swept_at(s: AsyncSession, connection_id: ConnectionId, at: datetime) -> None:
    """Count the next sweep's day from here, whatever the feed said before."""
    position = _moment(at - CURSOR_BEHIND)
    await cursors.rewind(s, connection_id, Stream.DELETIONS, position)
    await cursors.move(s, connection_id, Stream.DELETIONS, position)


def believed(held: Sequence[HeldRecords], swept: Swept, at: datetime) -> tuple[list[Deletion], list[str]]:
    """The deletions a sweep found, and what is not believed, in words.

    Most of what we hold of a kind gone within a day looks like a right that was taken away, whatever the readings say.
    """
    deletions: list[Deletion] = []
    doubts = [
        f"entity {entity} cannot be entered, so nothing is known of what it owns" for entity in swept.not_searched
    ]
    known = {(group.kind, group.owner_entity): len(group.erp_ids) for group in held}
    for group in swept.gone:
        count, of = len(group.erp_ids), known[group.kind, group.owner_entity]
        if count > FEW and count * 2 > of:
            where = f" of entity {group.owner_entity}" if group.owner_entity else ""
            named = ", ".join(sorted(group.erp_ids, key=_in_order)[:NAMED]) + (" ..." if count > NAMED else "")
            kind = group.kind.value.replace("_", " ")
            doubts.append(f"{count} of {of} records of kind {kind}{where} are not shown any more (numbers {named})")
            continue
        deletions += [Deletion(kind=group.kind, erp_id=erp_id, deleted_at=_moment(at)) for erp_id in group.erp_ids]
    return deletions, doubts


async def feed_is(s: AsyncSession, row: ConnectionRow, readable: bool) -> bool:
    """Keep, as the connection's capability, whether the ERP tells what was deleted. True if that changed just now.

    A feed that is back settles what sweeps had left in doubt: it names each deletion.
    """
    changed = await connections.note_deletions_feed(s, ConnectionId(row.id), readable)
    if changed and readable:
        await _settle(s, row)
    return changed


async def tell(s: AsyncSession, row: ConnectionRow, why: str, doubts: Sequence[str]) -> None:
    """Say once that deletions are found by sweeps, and what a sweep could not settle."""
    connection_id = ConnectionId(row.id)
    await feed_is(s, row, False)
    message = (
        f"Deletions in the ERP are found by comparing, once a day: {why}. Deleted list entries are not noticed. "
        "capabilities.deletions_feed of the connection shows how it is now."
    )
    if not await notices.said_already(s, connection_id, "DELETIONS_BY_SWEEP", row.id, message):
        await notices.add(
            s,
            organization_id=OrganizationId(row.organization_id),
            connection_id=connection_id,
            code="DELETIONS_BY_SWEEP",
            subject_kind="connection",
            subject_id=row.id,
            message=message,
        )
    if not doubts:
        await _settle(s, row)
        return
    code = issue_code("DELETIONS_IN_DOUBT")
    await sync_issues.open_issue(
        s,
        organization_id=row.organization_id,
        connection_id=row.id,
        subject_kind=SUBJECT,
        subject_id=row.id,
        code=code.code,
        title=code.title,
        cause=f"Nothing was marked as deleted there: {'; '.join(doubts)}.",
        fix=code.fix,
        who=code.who,
        evidence={f"doubt_{number}": doubt for number, doubt in enumerate(doubts, start=1)},
        workflow_id=None,
    )


async def _settle(s: AsyncSession, row: ConnectionRow) -> None:
    await sync_issues.close_for_subjects(s, ConnectionId(row.id), SUBJECT, [row.id], actor="posync")


def _in_order(erp_id: str) -> tuple[int, str]:
    return len(erp_id), erp_id


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
