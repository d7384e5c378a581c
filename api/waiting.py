"""Bills that wait for somebody, looked at again because what they are judged by has changed."""

import asyncio
from collections.abc import Iterable

from api import durable
from api.services import ServiceSet
from models.domain import ConnectionId
from models.store import waiting_bills

AT_ONCE = 20
"""So many workflows are rung at a time."""


async def match_waiting_bills(
    services: ServiceSet,
    connection_ids: Iterable[ConnectionId],
    why: str,
    *,
    vendor_id: str | None = None,
    item_id: str | None = None,
) -> None:
    """Ring the workflows of the orders such bills are on. Safe to repeat. Raises Problem TEMPORAL_UNAVAILABLE: what was
    changed is kept then, and the caller's repeat rings again."""
    async with services.database.transaction() as session:
        orders = [
            order
            for connection_id in connection_ids
            for order in await waiting_bills.orders(session, connection_id, vendor_id=vendor_id, item_id=item_id)
        ]
    for start in range(0, len(orders), AT_ONCE):
        await asyncio.gather(
            *(durable.match_again(services.temporal, order, why) for order in orders[start : start + AT_ONCE])
        )
