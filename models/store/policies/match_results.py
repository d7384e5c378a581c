"""Store match results with their inputs, also those of refused bills. The last result of a bill counts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillMatchMode
from models.domain.ids import BillId, ConnectionId, PurchaseOrderId
from models.store.base.identity import derived_id
from models.tables import MatchResultRow

ASKED_FOR = "asked for"
"""The reason of a bill's first match; every later match names what had changed."""

_SAVE = text(
    """
    insert into match_results (id, connection_id, purchase_order_id, bill_id, outcome, mode, result, why)
    values (:id, :connection, :order, :bill, :outcome, :mode, cast(:result as jsonb), :why)
    on conflict (id) do nothing
    """
)


async def save(
    session: AsyncSession,
    *,
    connection_id: ConnectionId,
    purchase_order_id: PurchaseOrderId | None,
    bill_id: BillId | None,
    request_key: str,
    outcome: str,
    mode: BillMatchMode,
    result: Mapping[str, Any],
    why: str,
) -> None:
    """Save the result of one request's match; a repeat of the request saves no second one."""
    await session.execute(
        _SAVE,
        {
            "id": derived_id("match", connection_id, request_key),
            "connection": connection_id,
            "order": purchase_order_id,
            "bill": bill_id,
            "outcome": outcome,
            "mode": mode.value,
            "result": json.dumps(result),
            "why": why,
        },
    )


async def of_bill(session: AsyncSession, bill_id: BillId) -> Sequence[MatchResultRow]:
    """Return all results of a bill, the last one first."""
    statement = (
        select(MatchResultRow)
        .where(col(MatchResultRow.bill_id) == bill_id)
        .order_by(col(MatchResultRow.created_at).desc(), col(MatchResultRow.id).desc())
    )
    return (await session.exec(statement, execution_options={"populate_existing": True})).all()


async def latest_and_sent(session: AsyncSession, bill_id: BillId) -> tuple[MatchResultRow, MatchResultRow]:
    """Return the last result of a bill that the ERP holds, and the last one of before the ERP took it."""
    results = await of_bill(session, bill_id)
    taken = await session.execute(
        text("select confirmed_at from erp_writes where subject_id = :bill and kind = 'bill' and state = 'confirmed'"),
        {"bill": bill_id},
    )
    confirmed_at = taken.scalar_one_or_none()
    sent = [one for one in results if confirmed_at is None or one.created_at <= confirmed_at]
    return results[0], (sent or results[-1:])[0]


async def latest(session: AsyncSession, bill_id: BillId) -> MatchResultRow:
    """Return the result that counts for the bill; every bill of ours has one."""
    statement = (
        select(MatchResultRow)
        .where(col(MatchResultRow.bill_id) == bill_id)
        .order_by(col(MatchResultRow.created_at).desc(), col(MatchResultRow.id).desc())
        .limit(1)
    )
    return (await session.exec(statement, execution_options={"populate_existing": True})).one()
