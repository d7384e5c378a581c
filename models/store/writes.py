"""The intents of ERP writes: known before the first attempt, looked up before a repeat (DESIGN section 5)."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, ExternalKey, PurchaseOrderId, WriteState


class Ticket(NamedTuple):
    """The right to send one write now, and what is known of earlier attempts."""

    state: WriteState
    """CONFIRMED: nothing is left to send. SENT: send it."""
    maybe_there: bool
    """An earlier attempt was sent and its answer never came: look it up first."""
    first_sent_at: datetime
    waits_for: str | None
    """An earlier write to the same order that has not settled: it goes first."""
    connection_id: ConnectionId
    erp_id: str | None


async def plan(
    session: AsyncSession,
    external_key: ExternalKey,
    *,
    connection_id: ConnectionId,
    kind: str,
    subject_id: str,
    purchase_order_id: PurchaseOrderId | None,
    body_hash: str,
    held: bool = False,
) -> None:
    """Record that this write will be made; `held`: once a person lets it go. Twice with the same key is once."""
    await session.execute(
        text(
            """
            insert into erp_writes
                (external_key, connection_id, kind, subject_id, purchase_order_id, body_hash, state, attempts)
            values (:key, :connection, :kind, :subject, :order, :body_hash, :state, 0)
            on conflict (external_key) do nothing
            """
        ),
        {
            "key": external_key,
            "connection": connection_id,
            "kind": kind,
            "subject": subject_id,
            "order": purchase_order_id,
            "body_hash": body_hash,
            "state": WriteState.HELD if held else WriteState.PLANNED,
        },
    )


_BEGIN = text(
    """
    with held as (
        select w.external_key, w.state, w.sent_at, w.connection_id, w.erp_id, now() as now,
               (select e.external_key from erp_writes e
                 where e.purchase_order_id = w.purchase_order_id and e.kind = w.kind
                   and e.sequence < w.sequence and e.state in ('planned', 'sent')
                 order by e.sequence limit 1) as waits_for
          from erp_writes w where w.external_key = :key for update of w
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
)


async def begin(session: AsyncSession, external_key: ExternalKey) -> Ticket:
    """Take the write up for one attempt and remember that it may be on its way from here on.

    The row stays locked until the caller commits, so two attempts cannot both believe to be the first.
    """
    row = (await session.execute(_BEGIN, {"key": external_key})).one()
    return Ticket(
        WriteState.SENT if row.taken else WriteState(row.state),
        row.sent_at is not None,
        row.sent_at or row.now,
        row.waits_for,
        row.connection_id,
        row.erp_id,
    )


async def not_sent(session: AsyncSession, external_key: ExternalKey, first_sent_at: datetime) -> None:
    """The attempt certainly wrote nothing: the next one need not look it up.

    Only for the attempt that was the first (`first_sent_at` is its own): an older doubt is not forgotten.
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


async def send_again(session: AsyncSession, external_key: ExternalKey, ticket: Ticket) -> Ticket:
    """The earlier attempt is certainly not in the ERP: this one is the first again, and the doubt starts anew."""
    sent_at = (
        await session.execute(
            text("update erp_writes set sent_at = now() where external_key = :key returning sent_at"),
            {"key": external_key},
        )
    ).scalar_one()
    return ticket._replace(maybe_there=False, first_sent_at=sent_at)


async def confirm(session: AsyncSession, external_key: ExternalKey, erp_id: str) -> bool:
    """The ERP holds it, read back. True the first time."""
    result = await session.execute(
        text(
            """
            update erp_writes set state = 'confirmed', confirmed_at = now(), erp_id = :erp_id, problem_code = null
             where external_key = :key and state <> 'confirmed' returning 1
            """
        ),
        {"key": external_key, "erp_id": erp_id},
    )
    return result.first() is not None


async def reject(session: AsyncSession, external_key: ExternalKey, code: str) -> None:
    """The ERP refused it for good; a person settles it. Writes behind it in the line go on."""
    await session.execute(
        text(
            """
            update erp_writes set state = 'rejected', sent_at = null, problem_code = :code
             where external_key = :key and state in ('planned', 'sent')
            """
        ),
        {"key": external_key, "code": code},
    )


async def hold(session: AsyncSession, external_key: ExternalKey) -> bool:
    """Keep a write back that was never sent. False: it was sent, or is settled already."""
    result = await session.execute(
        text(
            "update erp_writes set state = 'held'"
            " where external_key = :key and state in ('planned', 'held') returning 1"
        ),
        {"key": external_key},
    )
    return result.first() is not None


async def let_go(session: AsyncSession, external_key: ExternalKey) -> None:
    """Send a held write after all: it goes behind the writes that were planned meanwhile."""
    await session.execute(
        text(
            "update erp_writes set state = 'planned', sequence = nextval('erp_write_sequence')"
            " where external_key = :key and state = 'held'"
        ),
        {"key": external_key},
    )


async def abandon(session: AsyncSession, external_key: ExternalKey) -> bool:
    """Give the write up. Refused (False) once the ERP holds it, or may hold it."""
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
