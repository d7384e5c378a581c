"""Store the outbox: messages to workflows, saved in the transaction of their decision (DESIGN section 4).

A row carries ids only and is deleted once its message is delivered. The process that decided delivers it right after
its commit; what it could not deliver becomes due at `next_try`, for whichever process looks first.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.types import Interval
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId, OutboxId
from models.domain.outbox import MessageKind
from models.tables import BillRow

LEFT_TO_THE_DECIDER = timedelta(seconds=10)
"""How long only the process that stored a new row delivers it."""

LONGEST_PAUSE = timedelta(minutes=1)
"""The longest pause between two tries of one row."""

ERROR_LENGTH = 500
"""How many characters of an error a row keeps."""


class OutboxMessage(NamedTuple):
    """One message that is still to be delivered."""

    id: OutboxId
    kind: str
    """A `MessageKind`, unless a newer version of posync stored it."""
    subject_id: str
    request_key: str


class LateDelivery(NamedTuple):
    """A connection with overdue messages: how many, the oldest one's time and its last error."""

    connection_id: ConnectionId
    messages: int
    oldest: datetime
    last_error: str | None


_ADD = text(
    """
    insert into outbox (organization_id, connection_id, kind, subject_id, request_key, next_try)
    values (:organization, :connection, :kind, :subject, :request, now() + :left)
    returning id
    """
).bindparams(bindparam("left", type_=Interval))

_ADD_ALL = text(
    """
    insert into outbox (organization_id, connection_id, kind, subject_id, request_key, next_try)
    select :organization, :connection, :kind, subject, :request, now() + :left
      from unnest(cast(:subjects as text[])) as subject
    returning id, subject_id
    """
).bindparams(bindparam("left", type_=Interval))

# Rows that another process is taking are skipped. Nothing stays locked while a message is being sent: the later
# `next_try` keeps others away from the row, and makes it due again if this process dies.
_TAKE_DUE = text(
    """
    update outbox set attempts = attempts + 1,
           next_try = now() + least(:longest, interval '5 seconds' * power(2, least(attempts, 10)))
     where id in (select id from outbox
                   where case when cast(:connection as text) is null then next_try <= now()
                              else connection_id = :connection and created_at <= now() - :left end
                   order by next_try, id limit :limit for update skip locked)
    returning id, kind, subject_id, request_key
    """
).bindparams(bindparam("longest", type_=Interval), bindparam("left", type_=Interval))

_DELIVERED = text(
    """
    with settings as (select set_config('synchronous_commit', 'off', true))
    delete from outbox using settings where id = any(:ids)
    """
)
"""In a transaction of its own, nothing waits for the disk: a message that a crash brings back is delivered again, as
any message may be."""

_LATE = text(
    """
    select connection_id, count(*) as messages, min(created_at) as oldest,
           (array_agg(last_error order by id) filter (where last_error is not null))[1] as last_error
      from outbox where created_at < now() - :age
     group by connection_id order by connection_id
    """
).bindparams(bindparam("age", type_=Interval))


async def add(
    session: AsyncSession,
    kind: MessageKind,
    subject_id: str,
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    request_key: str,
) -> OutboxMessage:
    """Store a message in the transaction of the decision that causes it."""
    added = await session.execute(
        _ADD,
        {
            "organization": organization_id,
            "connection": connection_id,
            "kind": kind,
            "subject": subject_id,
            "request": request_key,
            "left": LEFT_TO_THE_DECIDER,
        },
    )
    return OutboxMessage(OutboxId(added.scalar_one()), kind, subject_id, request_key)


async def add_for_bill(
    session: AsyncSession, bill: BillRow, kind: MessageKind, subject_id: str, request_key: str
) -> OutboxMessage:
    """Add a message of a bill's organization and connection, about the bill itself or something of it."""
    return await add(
        session,
        kind,
        subject_id,
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        request_key=request_key,
    )


async def add_all(
    session: AsyncSession,
    kind: MessageKind,
    subject_ids: Sequence[str],
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    request_key: str,
) -> list[OutboxMessage]:
    """Store a message for each subject with the change that causes them."""
    if not subject_ids:
        return []
    added = await session.execute(
        _ADD_ALL,
        {
            "organization": organization_id,
            "connection": connection_id,
            "kind": kind,
            "subjects": list(subject_ids),
            "request": request_key,
            "left": LEFT_TO_THE_DECIDER,
        },
    )
    return [OutboxMessage(OutboxId(row.id), kind, row.subject_id, request_key) for row in added]


async def is_owed(session: AsyncSession, kind: MessageKind, connection_id: ConnectionId) -> bool:
    """Return whether a message of this kind still waits to be delivered for the connection."""
    row = await session.execute(
        text("select 1 from outbox where kind = :kind and connection_id = :c limit 1"),
        {"kind": kind, "c": connection_id},
    )
    return row.first() is not None


async def take_due(
    session: AsyncSession, *, limit: int, connection_id: ConnectionId | None = None
) -> list[OutboxMessage]:
    """Take messages to deliver and postpone their next try: those that are due, or all of one connection."""
    rows = await session.execute(
        _TAKE_DUE,
        {"limit": limit, "connection": connection_id, "longest": LONGEST_PAUSE, "left": LEFT_TO_THE_DECIDER},
    )
    return sorted((_message(row) for row in rows), key=lambda message: message.id)


async def delivered(session: AsyncSession, message_ids: Sequence[OutboxId]) -> None:
    """Delete messages that were delivered. The commit of this transaction does not wait for the disk."""
    await session.execute(_DELIVERED, {"ids": list(message_ids)})


async def failed(session: AsyncSession, message_id: OutboxId, error: str) -> None:
    """Record why a message could not be delivered."""
    await session.execute(
        text("update outbox set last_error = :error where id = :id"), {"id": message_id, "error": error[:ERROR_LENGTH]}
    )


async def late(session: AsyncSession, age: timedelta) -> Sequence[LateDelivery]:
    """Return the connections with messages older than `age`, each with the last error of its oldest message."""
    rows = await session.execute(_LATE, {"age": age})
    return [
        LateDelivery(
            ConnectionId(row.connection_id),
            row.messages,
            row.oldest,
            row.last_error,
        )
        for row in rows
    ]


def _message(row: Any) -> OutboxMessage:
    return OutboxMessage(OutboxId(row.id), row.kind, row.subject_id, row.request_key)
