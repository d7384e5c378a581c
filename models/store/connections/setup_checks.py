"""Store the answers to set-up checks, and what people confirmed of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, or_, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.payments import PaymentStatus
from models.domain.setup_checks import CheckState, Confirmation, SetupCheck
from models.domain.writes import WriteState
from models.tables import SetupCheckRow


async def all_of(s: AsyncSession, connection_id: ConnectionId, *, lock: bool = False) -> list[SetupCheckRow]:
    """Return the stored checks of a connection, by code; `lock` locks them until the transaction ends."""
    statement = select(SetupCheckRow).where(col(SetupCheckRow.connection_id) == connection_id)
    statement = statement.order_by(col(SetupCheckRow.code))
    if lock:
        statement = statement.with_for_update()
    return list((await s.exec(statement, execution_options={"populate_existing": True})).all())


# Made once: to put it together costs more than to run it, and every bill and payment asks.
_FAILING = (
    select(SetupCheckRow)
    .where(
        col(SetupCheckRow.connection_id) == bindparam("connection"),
        or_(col(SetupCheckRow.state) == CheckState.FAIL, col(SetupCheckRow.confirmed_state) == CheckState.FAIL),
    )
    .order_by(col(SetupCheckRow.code))
)


async def failing(s: AsyncSession, connection_id: ConnectionId) -> list[SetupCheckRow]:
    """Return the stored checks of a connection that may fail, by code: hardly ever any."""
    rows = await s.exec(_FAILING, params={"connection": connection_id}, execution_options={"populate_existing": True})
    return list(rows.all())


async def get(s: AsyncSession, connection_id: ConnectionId, code: str) -> SetupCheckRow | None:
    """Return one stored check, locked until the transaction ends."""
    return await s.get(SetupCheckRow, (connection_id, code), with_for_update=True, populate_existing=True)


async def save(s: AsyncSession, connection_id: ConnectionId, checks: Sequence[SetupCheck], now: datetime) -> None:
    """Store the answers of one run. A check that is not made any more is forgotten."""
    stored = {row.code: row for row in await all_of(s, connection_id, lock=True)}
    for check in checks:
        row = stored.pop(check.code, None)
        if row is None:
            row = SetupCheckRow(
                connection_id=connection_id,
                code=check.code,
                title=check.title,
                state=check.state,
                why=check.why,
                seen=check.seen,
                breaks=[],
                fix=[],
                changed_at=now,
            )
        elif (row.state, row.seen) != (check.state, check.seen):
            row.changed_at = now
            row.version += 1
        row.title, row.state, row.why, row.seen = check.title, check.state.value, check.why, check.seen
        row.breaks, row.fix = [one.value for one in check.breaks], list(check.fix)
        row.checked_at = now
        s.add(row)
    if stored:
        await s.exec(
            delete(SetupCheckRow).where(
                col(SetupCheckRow.connection_id) == connection_id, col(SetupCheckRow.code).in_(stored)
            )
        )
    await s.flush()


async def confirm(s: AsyncSession, row: SetupCheckRow, confirmation: Confirmation) -> None:
    """Keep what a person saw."""
    row.confirmed_state, row.confirmed_value = confirmation.state.value, confirmation.value
    row.confirmed_by, row.confirmed_at, row.reopened_at = confirmation.by, confirmation.at, None
    row.version += 1
    s.add(row)
    await s.flush()


async def reopen(s: AsyncSession, row: SetupCheckRow, now: datetime) -> None:
    """Forget what a person saw: the ERP shows something else."""
    row.confirmed_state = row.confirmed_value = row.confirmed_by = row.confirmed_at = None
    row.reopened_at = now
    row.version += 1
    s.add(row)
    await s.flush()


def confirmation_of(row: SetupCheckRow) -> Confirmation | None:
    """Return what a person saw; None: nobody said anything that still stands against the ERP."""
    if row.confirmed_state is None or row.confirmed_at is None:
        return None
    return Confirmation(
        CheckState(row.confirmed_state), row.confirmed_value or "", row.confirmed_by or "", row.confirmed_at
    )


async def payment_waits_in_erp(s: AsyncSession, connection_id: ConnectionId) -> bool:
    """Return whether the ERP took a payment of ours that it has not posted since."""
    result = await s.execute(
        text(
            "select exists (select from payments p join erp_writes w on w.external_key = p.external_key"
            " where p.connection_id = :c and p.status = :submitted and w.state = :confirmed)"
        ),
        {"c": connection_id, "submitted": PaymentStatus.SUBMITTED, "confirmed": WriteState.CONFIRMED},
    )
    return bool(result.scalar_one())
