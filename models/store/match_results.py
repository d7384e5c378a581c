"""Match results, kept with their inputs: also those of bills that were refused. The last one of a bill counts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, ConnectionId, MatchMode, PurchaseOrderId
from models.store.identity import derived_id
from models.tables import MatchResultRow

ASKED_FOR = "asked for"
"""Why a bill was matched the first time; every later look names what had changed."""


async def save(
    session: AsyncSession,
    *,
    connection_id: ConnectionId,
    purchase_order_id: PurchaseOrderId,
    bill_id: BillId | None,
    request_key: str,
    outcome: str,
    mode: MatchMode,
    result: Mapping[str, Any],
    why: str,
) -> None:
    """Keep the result of one request's match. The same request keeps one result."""
    await session.execute(
        text(
            """
            insert into match_results (id, connection_id, purchase_order_id, bill_id, outcome, mode, result, why)
            values (:id, :connection, :order, :bill, :outcome, :mode, cast(:result as jsonb), :why)
            on conflict (id) do nothing
            """
        ),
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
    """All results of a bill, the last one first."""
    statement = (
        select(MatchResultRow)
        .where(col(MatchResultRow.bill_id) == bill_id)
        .order_by(col(MatchResultRow.created_at).desc(), col(MatchResultRow.id).desc())
    )
    return (await session.exec(statement, execution_options={"populate_existing": True})).all()


async def latest(session: AsyncSession, bill_id: BillId) -> MatchResultRow:
    """What counts for the bill. Every bill of ours has one."""
    statement = (
        select(MatchResultRow)
        .where(col(MatchResultRow.bill_id) == bill_id)
        .order_by(col(MatchResultRow.created_at).desc(), col(MatchResultRow.id).desc())
        .limit(1)
    )
    return (await session.exec(statement, execution_options={"populate_existing": True})).one()
