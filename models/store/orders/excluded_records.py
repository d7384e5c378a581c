"""Store ERP records that are left out of the mirror on purpose, each with its reason (S1-16)."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.sync import Stream
from models.store.base.pages import Listing, decode_cursor, instant_in_cursor, listing, page_size
from models.tables import SkippedRecordRow

Skip = tuple[str, str, str, str, str]
"""An excluded record: ERP id, number, code, reason, revision."""


async def record(s: AsyncSession, connection_id: ConnectionId, stream: Stream, skips: Sequence[Skip]) -> None:
    """Store why these records are excluded. An equal row writes nothing; an older revision never replaces a newer."""
    if not skips:
        return
    newest: dict[str, Skip] = {}
    for skip in skips:
        if skip[0] not in newest or newest[skip[0]][4] <= skip[4]:
            newest[skip[0]] = skip
    erp_ids, numbers, codes, reasons, revisions = (list(column) for column in zip(*newest.values(), strict=True))
    connection = await s.connection()
    await connection.execute(
        text(
            "insert into skipped_records as held (connection_id, stream, erp_id, number, code, reason, revision)"
            " select :c, :stream, n.* from unnest(cast(:erp_ids as text[]), cast(:numbers as text[]),"
            "   cast(:codes as text[]), cast(:reasons as text[]), cast(:revisions as text[])) as n"
            " on conflict (connection_id, stream, erp_id) do update set number = excluded.number,"
            "   code = excluded.code, reason = excluded.reason, revision = excluded.revision, skipped_at = now()"
            " where held.revision <= excluded.revision and (held.number, held.code, held.reason, held.revision)"
            "   is distinct from (excluded.number, excluded.code, excluded.reason, excluded.revision)"
        ),
        {
            "c": connection_id,
            "stream": stream.value,
            "erp_ids": erp_ids,
            "numbers": numbers,
            "codes": codes,
            "reasons": reasons,
            "revisions": revisions,
        },
    )


async def mark_imported(s: AsyncSession, connection_id: ConnectionId, stream: Stream, erp_ids: Sequence[str]) -> None:
    """Remove these records from the excluded ones: they were imported after all."""
    if not erp_ids:
        return
    connection = await s.connection()
    await connection.execute(
        text(
            "delete from skipped_records where connection_id = :c and stream = :stream"
            " and erp_id = any(cast(:erp_ids as text[]))"
        ),
        {"c": connection_id, "stream": stream.value, "erp_ids": list(erp_ids)},
    )


async def mark_included(
    s: AsyncSession, connection_id: ConnectionId, stream: Stream, seen: Sequence[tuple[str, str]]
) -> None:
    """Remove these records, each with the revision it was read at, from the excluded ones: they are used again. One
    that was excluded by a newer reading stays."""
    ids, revisions = (list(column) for column in zip(*seen, strict=True))
    await (await s.connection()).execute(
        text(
            "delete from skipped_records k using unnest(cast(:ids as text[]), cast(:revisions as text[]))"
            "   as n(erp_id, revision)"
            " where k.connection_id = :c and k.stream = :stream and k.erp_id = n.erp_id and k.revision <= n.revision"
        ),
        {"c": connection_id, "stream": stream.value, "ids": ids, "revisions": revisions},
    )


async def drop_deleted(s: AsyncSession, connection_id: ConnectionId, gone: Mapping[Stream, Sequence[str]]) -> None:
    """Remove the excluded records that the ERP deleted, by stream."""
    for stream, erp_ids in gone.items():
        await mark_imported(s, connection_id, stream, erp_ids)


async def reconsider(s: AsyncSession, connection_id: ConnectionId, stream: Stream, code: str) -> None:
    """Decide again on the records excluded for this reason when they are read next: the reason no longer holds."""
    connection = await s.connection()
    await connection.execute(
        text("delete from skipped_records where connection_id = :c and stream = :stream and code = :code"),
        {"c": connection_id, "stream": stream.value, "code": code},
    )


async def page(
    s: AsyncSession,
    connection_id: ConnectionId,
    *,
    stream: Stream | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[SkippedRecordRow]:
    """Return one page of excluded records, newest first.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    statement = select(SkippedRecordRow).where(col(SkippedRecordRow.connection_id) == connection_id)
    if stream is not None:
        statement = statement.where(col(SkippedRecordRow.stream) == stream.value)
    if cursor is not None:
        skipped_at, row_stream, erp_id = decode_cursor(cursor, 3)
        place = tuple_(col(SkippedRecordRow.skipped_at), col(SkippedRecordRow.stream), col(SkippedRecordRow.erp_id))
        statement = statement.where(place < (instant_in_cursor(skipped_at), row_stream, erp_id))
    statement = statement.order_by(
        col(SkippedRecordRow.skipped_at).desc(),
        col(SkippedRecordRow.stream).desc(),
        col(SkippedRecordRow.erp_id).desc(),
    )
    rows = (await s.exec(statement.limit(limit + 1))).all()
    return listing(rows, limit, lambda row: (row.skipped_at.isoformat(), row.stream, row.erp_id))
