"""Match results, kept with their inputs: also those of bills that were refused."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, ConnectionId, MatchMode, PurchaseOrderId
from models.store.identity import derived_id


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
