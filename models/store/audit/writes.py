"""Store the intents of ERP writes: known before the first attempt, looked up before a repeat (DESIGN section 5)."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, ExternalKey
from models.domain.writes import UnknownWords, WriteKind, WriteState


class WriteAttempt(NamedTuple):
    """A write attempt: whether to send now, and what is known of earlier attempts."""

    state: WriteState
    """CONFIRMED: nothing is left to send. SENT: send it."""
    in_doubt: bool
    """An earlier attempt was sent and its answer never came: look it up first."""
    first_sent_at: datetime
    waits_for: str | None
    """External key of an earlier write to the same order that is not settled: it goes first."""
    is_next: bool
    """The write of `waits_for` is being sent now, and no other one goes before ours."""
    next_in_line: str | None
    """Subject of the write behind this one, if that write waits for its turn."""
    connection_id: ConnectionId
    erp_id: str | None
    unknown_words: UnknownWords | None
    """What an earlier attempt, which is in doubt, was refused with."""


def plan(kind: WriteKind, *, purchase_order_id: str, state: str) -> str:
    """Return the part of a statement that plans one write for each row of `made`: the bills or payments it has just
    saved. Twice with the same key is once. `purchase_order_id` and `state` are SQL."""
    return f"""
        insert into erp_writes (external_key, connection_id, kind, subject_id, purchase_order_id, state, attempts)
        select external_key, connection_id, '{kind.value}', id, {purchase_order_id}, {state}, 0 from made
        on conflict (external_key) do nothing
    """


async def plan_one(
    session: AsyncSession, external_key: ExternalKey, connection_id: ConnectionId, kind: WriteKind, subject_id: str
) -> None:
    """Plan a write that is behind no order. Twice with the same key is once."""
    await session.execute(
        text(
            "insert into erp_writes (external_key, connection_id, kind, subject_id, state, attempts)"
            " values (:key, :c, :kind, :subject, 'planned', 0) on conflict (external_key) do nothing"
        ),
        {"key": external_key, "c": connection_id, "kind": kind.value, "subject": subject_id},
    )


_NEXT_IN_LINE = """
    select n.subject_id
      from (select e.subject_id, e.state from erp_writes e
             where e.purchase_order_id = w.purchase_order_id and e.kind = w.kind
               and e.sequence > w.sequence and e.state in ('planned', 'sent', 'queued')
             order by e.sequence limit 1) n
     where n.state = 'planned'
"""
"""The write that waits behind a write `w` to the same order; one that is being sent notifies the next one itself."""

_BEGIN = f"""
    with held as (
        select w.external_key, w.state, w.sent_at, w.connection_id, w.erp_id, w.unknown_words, now() as now,
               ahead.keys[1] as waits_for, ahead.states = array['sent'] as is_next, ({_NEXT_IN_LINE}) as next_in_line
          from erp_writes w
          cross join lateral (
              select array_agg(cast(a.external_key as text) order by a.sequence) as keys,
                     array_agg(cast(a.state as text) order by a.sequence) as states
                from (select e.external_key, e.state, e.sequence from erp_writes e
                       where e.purchase_order_id = w.purchase_order_id and e.kind = w.kind
                         and e.sequence < w.sequence and e.state in ('planned', 'sent', 'queued')
                       order by e.sequence limit 2) a
          ) ahead
         where {{which}} for update of w
    ), taken as (
        update erp_writes w set state = 'sent', sent_at = coalesce(w.sent_at, now()), attempts = w.attempts + 1,
               problem_code = null
          from held h
         where w.external_key = h.external_key and h.state not in ('confirmed', 'abandoned', 'held')
           and h.waits_for is null
        returning 1
    )
    select h.*, exists (select from taken) as taken from held h
"""

_BEGIN_WRITE = text(_BEGIN.format(which="w.external_key = :key"))

_BEGIN_WRITE_OF = text(_BEGIN.format(which="w.subject_id = :subject and w.kind = :kind"))


async def begin_attempt(session: AsyncSession, external_key: ExternalKey) -> WriteAttempt:
    """Begin one attempt of a write and record that from now on the ERP may have it.

    The row stays locked until the caller commits, so two attempts cannot both believe to be the first.
    """
    return _begun((await session.execute(_BEGIN_WRITE, {"key": external_key})).one())


async def begin_attempt_for(session: AsyncSession, kind: WriteKind, subject_id: str) -> WriteAttempt:
    """Begin one attempt of the write that brings this bill to the ERP, whatever its key is now."""
    row = (await session.execute(_BEGIN_WRITE_OF, {"kind": kind.value, "subject": subject_id})).one()
    return _begun(row)


def _begun(row: Any) -> WriteAttempt:
    return WriteAttempt(
        WriteState.SENT if row.taken else WriteState(row.state),
        row.sent_at is not None,
        row.sent_at or row.now,
        row.waits_for,
        bool(row.is_next),
        row.next_in_line,
        row.connection_id,
        row.erp_id,
        None if row.unknown_words is None else UnknownWords.model_validate(row.unknown_words),
    )


async def keep_words(session: AsyncSession, external_key: ExternalKey, words: UnknownWords) -> None:
    """Keep the refusal of a write that is in doubt, for the look-up to come."""
    await session.execute(
        text(
            "update erp_writes set unknown_words = cast(:words as jsonb) where external_key = :key and state = 'sent'"
        ),
        {"key": external_key, "words": words.model_dump_json()},
    )


async def keep_request_id(session: AsyncSession, external_key: str, proposed: str) -> str:
    """Return the request id of a write: the one it was first sent under, else the proposed one, which is stored. It
    stays through every repeat; a refusal settles the write, so what is sent after one is another write."""
    stored = await session.execute(
        text(
            "update erp_writes set request_id = coalesce(request_id, :proposed) where external_key = :key"
            " returning request_id"
        ),
        {"key": external_key, "proposed": proposed},
    )
    return stored.scalar_one_or_none() or proposed


async def not_sent(session: AsyncSession, external_key: ExternalKey, first_sent_at: datetime) -> None:
    """Record that the attempt certainly wrote nothing, so that the next one need not look it up.

    Applies only when the attempt was the first (`first_sent_at` is its own): an older doubt is not forgotten.
    """
    await session.execute(
        text(
            """
            update erp_writes set state = 'planned', sent_at = null
             where external_key = :key and state = 'sent' and sent_at = :first
            """
        ),
        {"key": external_key, "first": first_sent_at},
    )


async def queue(session: AsyncSession, external_key: ExternalKey, first_sent_at: datetime) -> None:
    """Record that the write is in the journal of exchanges: the next attempt reads the journal and looks nothing up.

    Applies only when the attempt was the first (`first_sent_at` is its own): an older doubt is not forgotten.
    """
    await session.execute(
        text(
            """
            update erp_writes set state = 'queued', sent_at = null
             where external_key = :key and state = 'sent' and sent_at = :first
            """
        ),
        {"key": external_key, "first": first_sent_at},
    )


async def resend(session: AsyncSession, external_key: ExternalKey, attempt: WriteAttempt) -> WriteAttempt:
    """Record that the earlier attempt is certainly not in the ERP.

    Return this attempt as the first one, with a new doubt.
    """
    sent_at = (
        await session.execute(
            text(
                "update erp_writes set sent_at = now(), unknown_words = null"
                " where external_key = :key returning sent_at"
            ),
            {"key": external_key},
        )
    ).scalar_one()
    return attempt._replace(in_doubt=False, first_sent_at=sent_at, unknown_words=None)


async def confirm(session: AsyncSession, external_key: ExternalKey, erp_id: str) -> str | None:
    """Record that the ERP holds the write, as read back; return the subject of the write that may go now."""
    result = await session.execute(
        text(
            f"""
            with settled as (
                update erp_writes set state = 'confirmed', confirmed_at = now(), erp_id = :erp_id, problem_code = null,
                       unknown_words = null
                 where external_key = :key and state <> 'confirmed'
            )
            select ({_NEXT_IN_LINE}) from erp_writes w where w.external_key = :key
            """
        ),
        {"key": external_key, "erp_id": erp_id},
    )
    return result.scalar_one_or_none()


async def reject(session: AsyncSession, external_key: ExternalKey, code: str) -> str | None:
    """Record that the ERP refused the write for good, for a person to settle; return the subject that may go now."""
    result = await session.execute(
        text(
            f"""
            with settled as (
                update erp_writes set state = 'rejected', sent_at = null, problem_code = :code,
                       unknown_words = null, request_id = null
                 where external_key = :key and state in ('planned', 'sent')
            )
            select ({_NEXT_IN_LINE}) from erp_writes w where w.external_key = :key
            """
        ),
        {"key": external_key, "code": code},
    )
    return result.scalar_one_or_none()


async def next_in_line(session: AsyncSession, external_key: ExternalKey) -> str | None:
    """Return the subject of the write behind this one, if that write waits for its turn."""
    result = await session.execute(
        text(f"select ({_NEXT_IN_LINE}) from erp_writes w where w.external_key = :key"), {"key": external_key}
    )
    return result.scalar_one_or_none()


async def begin_anew(session: AsyncSession, before: ExternalKey, now: ExternalKey) -> None:
    """Put the write of something that the ERP holds no more on hold under a new key: nothing of it was sent yet."""
    await session.execute(
        text(
            "update erp_writes set external_key = :now, state = 'held', attempts = 0, sent_at = null, erp_id = null,"
            "   confirmed_at = null, problem_code = null, unknown_words = null, request_id = null,"
            "   sequence = nextval('erp_write_sequence')"
            " where external_key = :before"
        ),
        {"before": before, "now": now},
    )


async def reopen(session: AsyncSession, external_key: ExternalKey) -> None:
    """Put a write that was abandoned, so never sent, on hold again."""
    await session.execute(
        text("update erp_writes set state = 'held' where external_key = :key and state = 'abandoned'"),
        {"key": external_key},
    )


async def hold(session: AsyncSession, external_key: ExternalKey) -> bool:
    """Put a write that the ERP certainly does not have on hold; return False when it was sent or is settled already."""
    result = await session.execute(
        text(
            "update erp_writes set state = 'held'"
            " where external_key = :key and state in ('planned', 'held', 'rejected') returning 1"
        ),
        {"key": external_key},
    )
    return result.first() is not None


async def let_go(session: AsyncSession, external_key: ExternalKey) -> None:
    """Send a write that was on hold after all: it goes behind the writes that were planned meanwhile."""
    await session.execute(
        text(
            "update erp_writes set state = 'planned', sequence = nextval('erp_write_sequence')"
            " where external_key = :key and state = 'held'"
        ),
        {"key": external_key},
    )


async def in_doubt(session: AsyncSession, subject_id: str) -> bool:
    """Return whether the ERP may hold the subject without our knowing it: it was sent or queued, and no look-up has
    succeeded since."""
    result = await session.execute(
        text("select 1 from erp_writes where subject_id = :subject and state in ('sent', 'queued')"),
        {"subject": subject_id},
    )
    return result.first() is not None


async def abandon(session: AsyncSession, external_key: ExternalKey) -> bool:
    """Abandon the write; return False when the ERP holds it or may hold it."""
    result = await session.execute(
        text(
            """
            update erp_writes set state = 'abandoned'
             where external_key = :key and state in ('held', 'planned', 'rejected', 'abandoned') returning 1
            """
        ),
        {"key": external_key},
    )
    return result.first() is not None
