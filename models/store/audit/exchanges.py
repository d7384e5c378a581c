"""Store the journal of exchanges with an ERP that answers later: each request and its answer, by key."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId


class Waiter(NamedTuple):
    """The activity that waits for an answer."""

    workflow_id: str
    workflow_run_id: str
    activity_id: str


class Question(NamedTuple):
    """A request that the ERP has not answered yet."""

    key: str
    request: str


class StoredExchange(NamedTuple):
    """What the journal knows of one exchange."""

    answer: str | None
    """None: it is not answered yet."""
    pages: int
    """How many parts the answer has; `answer` is the last one."""
    lost: bool
    """The ERP has no outcome of it, and nobody has looked up its record since."""
    losses: int
    """How often that was so."""
    withdrawn: bool
    """It is a write that does not go out: what it was decided by is otherwise now."""
    waiter: Waiter
    seconds: float
    """How long the ERP took for it, from the moment it was handed out; 0 before it is answered."""


async def stored(session: AsyncSession, connection_id: ConnectionId, key: str) -> StoredExchange | None:
    """Return what is known of an exchange; None: it was never queued."""
    row = (
        await session.execute(
            text(
                "select case when answered_at is not null then answer end as answer, pages,"
                " lost_at is not null as lost, losses, withdrawn_at is not null as withdrawn,"
                " workflow_id, workflow_run_id, activity_id,"
                " extract(epoch from answered_at - handed_at) as seconds from exchanges"
                " where connection_id = :c and key = :key"
            ),
            {"c": connection_id, "key": key},
        )
    ).one_or_none()
    if row is None:
        return None
    waiter = Waiter(row.workflow_id, row.workflow_run_id, row.activity_id)
    seconds = float(row.seconds or 0)
    return StoredExchange(row.answer, row.pages, row.lost, row.losses, row.withdrawn, waiter, seconds)


class Contact(NamedTuple):
    """The last call of the ERP's program."""

    at: datetime
    problem: str
    """The code of what keeps the connection from its exchanges; empty: nothing does."""


async def last_contact(session: AsyncSession, connection_id: ConnectionId) -> Contact | None:
    """Return when the ERP's program called last, and what is wrong; None: never, or this ERP has none."""
    row = (
        await session.execute(
            text(
                "select l.last_contact_at, case when c.outage_since is not null then c.problem_code end as problem"
                " from web_connector_logins l join connections c on c.id = l.connection_id"
                " where l.connection_id = :c and l.last_contact_at is not null"
            ),
            {"c": connection_id},
        )
    ).one_or_none()
    return None if row is None else Contact(row.last_contact_at, row.problem or "")


async def page(session: AsyncSession, connection_id: ConnectionId, key: str, number: int) -> str | None:
    """Return one part of an answer, counted from one; None: it is not there (any more)."""
    result = await session.execute(
        text(
            "select answer from exchange_pages where connection_id = :c and key = :key and page = :page"
            " union all select answer from exchanges"
            " where connection_id = :c and key = :key and pages = :page and answered_at is not null"
        ),
        {"c": connection_id, "key": key, "page": number},
    )
    answer: str | None = result.scalars().first()
    return answer


async def await_answer(session: AsyncSession, connection_id: ConnectionId, key: str, waiter: Waiter) -> None:
    """Store which activity waits for the answer to a request that is queued."""
    await session.execute(
        text(
            "update exchanges set workflow_id = :workflow_id, workflow_run_id = :workflow_run_id,"
            " activity_id = :activity_id where connection_id = :c and key = :key and answered_at is null"
        ),
        {"c": connection_id, "key": key, **waiter._asdict()},
    )


async def hold_answer(session: AsyncSession, connection_id: ConnectionId, key: str, answer: str) -> bool:
    """Return whether a question has this answer still; until the transaction ends it keeps it."""
    result = await session.execute(
        text("select answer = :answer from exchanges where connection_id = :c and key = :key for share"),
        {"c": connection_id, "key": key, "answer": answer},
    )
    return bool(result.scalar_one_or_none())


async def queue_write(
    session: AsyncSession, connection_id: ConnectionId, key: str, request: str, look_up: str | None, waiter: Waiter
) -> None:
    """Store a write for the ERP once, or what takes the place of one that was withdrawn. If that was handed out before
    and is the same, it goes out to the byte as it did."""
    await session.execute(
        text(
            """
            insert into exchanges (connection_id, key, request, look_up, workflow_id, workflow_run_id, activity_id)
            values (:c, :key, :request, :look_up, :workflow_id, :workflow_run_id, :activity_id)
            on conflict (connection_id, key) do update set request = excluded.request, look_up = excluded.look_up,
                generation = exchanges.generation + (exchanges.request <> excluded.request)::int,
                document = case when exchanges.request = excluded.request then exchanges.document end,
                withdrawn_at = null, queued_at = now(), workflow_id = excluded.workflow_id,
                workflow_run_id = excluded.workflow_run_id, activity_id = excluded.activity_id
             where exchanges.withdrawn_at is not null
            """
        ),
        {"c": connection_id, "key": key, "request": request, "look_up": look_up, **waiter._asdict()},
    )


async def queue_anew(
    session: AsyncSession,
    connection_id: ConnectionId,
    key: str,
    request: str,
    look_up: str | None,
    waiter: Waiter,
    pause: timedelta,
) -> None:
    """Queue another request in the place of one that was answered and did nothing; it goes out after a pause."""
    await session.execute(
        text(
            """
            update exchanges set request = :request, generation = generation + 1, document = null, handed_to = null,
                   answer = null, answered_at = null, lost_at = null, pages = 1, queued_at = now(),
                   look_up = :look_up, withdrawn_at = null,
                   not_before = now() + cast(:pause as interval), workflow_id = :workflow_id,
                   workflow_run_id = :workflow_run_id, activity_id = :activity_id
             where connection_id = :c and key = :key and answered_at is not null
            """
        ),
        {
            "c": connection_id,
            "key": key,
            "request": request,
            "look_up": look_up,
            "pause": pause,
            **waiter._asdict(),
        },
    )


async def lose_answer(session: AsyncSession, connection_id: ConnectionId, key: str) -> None:
    """Record that an answer says nothing of the outcome of its write: the record is looked up before it is repeated."""
    await session.execute(
        text(
            "update exchanges set answer = null, answered_at = null, document = null, generation = generation + 1,"
            " lost_at = now(), losses = losses + 1"
            " where connection_id = :c and key = :key and answered_at is not null"
        ),
        {"c": connection_id, "key": key},
    )


async def release(session: AsyncSession, connection_id: ConnectionId, key: str) -> None:
    """Let a request whose outcome was lost go out once more, to the byte: its record was looked up and is not there."""
    await session.execute(
        text(
            "update exchanges set lost_at = null, handed_to = null"
            " where connection_id = :c and key = :key and lost_at is not null"
        ),
        {"c": connection_id, "key": key},
    )


async def discard(session: AsyncSession, connection_id: ConnectionId, key: str) -> None:
    """Forget a question with its answer, so that it is asked once more."""
    await session.execute(
        text("delete from exchanges where connection_id = :c and key = :key"), {"c": connection_id, "key": key}
    )


async def answer_to(session: AsyncSession, connection_id: ConnectionId, key: str) -> str | None:
    """Return the answer stored under a key, or None."""
    result = await session.execute(
        text("select answer from exchanges where connection_id = :c and key = :key and answered_at is not null"),
        {"c": connection_id, "key": key},
    )
    answer: str | None = result.scalar_one_or_none()
    return answer


async def note(session: AsyncSession, connection_id: ConnectionId, key: str, noted: str) -> None:
    """Store a note once, as an exchange that is answered already: it never goes out."""
    await session.execute(
        text(
            """
            insert into exchanges
                   (connection_id, key, request, answer, answered_at, workflow_id, workflow_run_id, activity_id)
            values (:c, :key, '', :noted, now(), '', '', '') on conflict (connection_id, key) do nothing
            """
        ),
        {"c": connection_id, "key": key, "noted": noted},
    )


async def queue(session: AsyncSession, connection_id: ConnectionId, key: str, request: str, waiter: Waiter) -> None:
    """Store a request for the ERP once; a repeat changes only which activity waits for the answer."""
    await session.execute(
        text(
            """
            insert into exchanges (connection_id, key, request, workflow_id, workflow_run_id, activity_id)
            values (:c, :key, :request, :workflow_id, :workflow_run_id, :activity_id)
            on conflict (connection_id, key) do update set workflow_id = excluded.workflow_id,
                workflow_run_id = excluded.workflow_run_id, activity_id = excluded.activity_id
            """
        ),
        {"c": connection_id, "key": key, "request": request, **waiter._asdict()},
    )


async def unanswered(session: AsyncSession, connection_id: ConnectionId, *, limit: int = 100) -> Sequence[Question]:
    """Return the requests that wait for the ERP, in the order in which they were made."""
    rows = await session.execute(
        text(
            "select key, request from exchanges where connection_id = :c and answered_at is null"
            " order by sequence limit :limit"
        ),
        {"c": connection_id, "limit": limit},
    )
    return [Question(row.key, row.request) for row in rows]


async def answer(session: AsyncSession, connection_id: ConnectionId, key: str, said: str) -> Waiter | None:
    """Store the ERP's answer and return the activity to notify; None when it was answered before or never asked."""
    row = (
        await session.execute(
            text(
                "update exchanges set answer = :said, answered_at = now()"
                " where connection_id = :c and key = :key and answered_at is null"
                " returning workflow_id, workflow_run_id, activity_id"
            ),
            {"c": connection_id, "key": key, "said": said},
        )
    ).one_or_none()
    return None if row is None else Waiter(row.workflow_id, row.workflow_run_id, row.activity_id)


async def forget_reads(session: AsyncSession, older_than: timedelta) -> None:
    """Delete answers to reads that nobody repeats. Answers to writes stay: their keys are valid for ever; so does what
    a write was decided by, until it is answered."""
    await session.execute(
        text(
            "delete from exchanges e where answered_at < now() - cast(:age as interval) and key like 'read/%'"
            " and not exists (select from exchanges w where w.connection_id = e.connection_id and w.look_up = e.key"
            " and w.answered_at is null)"
        ),
        {"age": older_than},
    )
