"""Hand the requests of the journal out to the ERP's program, session by session, and take in their answers."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.store.audit.exchanges import Waiter


class Waiting(NamedTuple):
    """A request without an answer."""

    key: str
    request: str
    generation: int
    document: str | None
    """What was handed out before, to the byte; None: it was not."""
    in_doubt: bool
    """It is a write that another session was handed and did not answer."""
    look_up: str | None
    """The question that is asked once more before it goes out; None: none."""

    @property
    def is_write(self) -> bool:
        """Return whether the request changes something in the ERP."""
        return self.key.startswith("write/")


async def next_waiting(
    session: AsyncSession, connection_id: ConnectionId, session_id: str, look_up_holds: timedelta
) -> Waiting | None:
    """Return what goes out next: a write in doubt before anything else, then writes before questions. What a write was
    decided by holds for so long, and only in the session in which it was seen."""
    row = (
        await session.execute(
            text(
                """
                select key, request, generation, document,
                       key like 'write/%' and handed_to is not null and handed_to <> :session as in_doubt,
                       case when handed_to is null and not exists (
                           select from exchanges l where l.connection_id = :c and l.key = exchanges.look_up
                              and l.handed_to = :session and l.answered_at > now() - cast(:holds as interval)
                       ) then look_up end as look_up
                  from exchanges
                 where connection_id = :c and answered_at is null and lost_at is null and withdrawn_at is null
                   and (not_before is null or not_before <= now())
                 order by (key like 'write/%' and handed_to is not null and handed_to <> :session) desc,
                          (key like 'write/%') desc, sequence
                 limit 1
                """
            ),
            {"c": connection_id, "session": session_id, "holds": look_up_holds},
        )
    ).one_or_none()
    if row is None:
        return None
    return Waiting(row.key, row.request, row.generation, row.document, bool(row.in_doubt), row.look_up)


class Decided(NamedTuple):
    """What a write was decided by."""

    key: str
    request: str
    answer: str | None


async def look_up_of(session: AsyncSession, connection_id: ConnectionId, key: str) -> Decided | None:
    """Return the question that a write was decided by, with its answer then; None: it is no longer stored."""
    row = (
        await session.execute(
            text(
                "select l.key, l.request, l.answer from exchanges w join exchanges l"
                " on l.connection_id = w.connection_id and l.key = w.look_up"
                " where w.connection_id = :c and w.key = :key for update of l"
            ),
            {"c": connection_id, "key": key},
        )
    ).one_or_none()
    return None if row is None else Decided(row.key, row.request, row.answer)


async def confirm_answer(session: AsyncSession, connection_id: ConnectionId, key: str, session_id: str) -> None:
    """Record that a question was answered in this session as before."""
    await session.execute(
        text("update exchanges set handed_to = :session, answered_at = now() where connection_id = :c and key = :key"),
        {"c": connection_id, "key": key, "session": session_id},
    )


async def answer_anew(
    session: AsyncSession, connection_id: ConnectionId, key: str, session_id: str, answer: str
) -> None:
    """Store another answer to a question in the place of the one before."""
    await session.execute(
        text(
            "update exchanges set handed_to = :session, answer = :answer, answered_at = now(), pages = 1"
            " where connection_id = :c and key = :key"
        ),
        {"c": connection_id, "key": key, "session": session_id, "answer": answer},
    )


async def withdraw(session: AsyncSession, connection_id: ConnectionId, key: str) -> Waiter | None:
    """Take back a write that was not handed out, so that it is decided anew; return the activity that waits."""
    row = (
        await session.execute(
            text(
                "update exchanges set withdrawn_at = now()"
                " where connection_id = :c and key = :key and answered_at is null and handed_to is null"
                " returning workflow_id, workflow_run_id, activity_id"
            ),
            {"c": connection_id, "key": key},
        )
    ).one_or_none()
    return None if row is None else Waiter(row.workflow_id, row.workflow_run_id, row.activity_id)


async def request_of(session: AsyncSession, connection_id: ConnectionId, key: str) -> str:
    """Return the request that is stored under a key."""
    result = await session.execute(
        text("select request from exchanges where connection_id = :c and key = :key"), {"c": connection_id, "key": key}
    )
    return str(result.scalar_one())


async def document_of(session: AsyncSession, connection_id: ConnectionId, key: str) -> str | None:
    """Return what was handed out under a key, to the byte; None: nothing was."""
    result = await session.execute(
        text("select document from exchanges where connection_id = :c and key = :key"), {"c": connection_id, "key": key}
    )
    document: str | None = result.scalar_one_or_none()
    return document


async def hand_out(
    session: AsyncSession, connection_id: ConnectionId, key: str, session_id: str, document: str
) -> None:
    """Record that a request is handed out, with its bytes; parts of its answer from another session are void."""
    await session.execute(
        text(
            """
            with void as (delete from exchange_pages where connection_id = :c and key = :key)
            update exchanges set handed_to = :session, handed_at = now(), document = :document
             where connection_id = :c and key = :key
            """
        ),
        {"c": connection_id, "key": key, "session": session_id, "document": document},
    )


async def restart(session: AsyncSession, connection_id: ConnectionId, key: str) -> int:
    """Count that a question is asked from its beginning once more; return how often that was so."""
    result = await session.execute(
        text(
            "update exchanges set generation = generation + 1 where connection_id = :c and key = :key"
            " returning generation - 1"
        ),
        {"c": connection_id, "key": key},
    )
    return int(result.scalar_one())


async def add_page(session: AsyncSession, connection_id: ConnectionId, key: str, answer: str) -> None:
    """Store one part of an answer, but not the last."""
    await session.execute(
        text(
            """
            insert into exchange_pages (connection_id, key, page, answer)
            select cast(:c as varchar), cast(:key as varchar), 1 + count(*), cast(:answer as varchar)
              from exchange_pages where connection_id = :c and key = :key
            """
        ),
        {"c": connection_id, "key": key, "answer": answer},
    )


async def answer_whole(session: AsyncSession, connection_id: ConnectionId, key: str, answer: str) -> Waiter | None:
    """Store an answer, or its last part, and return the activity that waits; None: it was answered before."""
    row = (
        await session.execute(
            text(
                """
                update exchanges set answer = :answer, answered_at = now(),
                       pages = 1 + (select count(*) from exchange_pages p
                                     where p.connection_id = :c and p.key = :key)
                 where connection_id = :c and key = :key and answered_at is null
                returning workflow_id, workflow_run_id, activity_id
                """
            ),
            {"c": connection_id, "key": key, "answer": answer},
        )
    ).one_or_none()
    return None if row is None else Waiter(row.workflow_id, row.workflow_run_id, row.activity_id)


async def lose(session: AsyncSession, connection_id: ConnectionId, key: str) -> Waiter | None:
    """Record that the ERP knows nothing of a write it was handed: its record is looked up before it is repeated.

    Return the activity that waits.
    """
    row = (
        await session.execute(
            text(
                "update exchanges set lost_at = now(), losses = losses + 1"
                " where connection_id = :c and key = :key and answered_at is null and lost_at is null"
                " returning workflow_id, workflow_run_id, activity_id"
            ),
            {"c": connection_id, "key": key},
        )
    ).one_or_none()
    return None if row is None else Waiter(row.workflow_id, row.workflow_run_id, row.activity_id)


async def waiting(session: AsyncSession, connection_id: ConnectionId) -> int:
    """Return how many requests wait for the ERP's program."""
    result = await session.execute(
        text(
            "select count(*) from exchanges where connection_id = :c and answered_at is null and lost_at is null"
            " and withdrawn_at is null and (not_before is null or not_before <= now())"
        ),
        {"c": connection_id},
    )
    return int(result.scalar_one())
