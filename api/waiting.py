"""Bills that wait for somebody, looked at again because what they are judged by has changed."""

import asyncio
import logging
from collections.abc import Iterable

from temporalio.service import RPCError

from api import durable
from api.problems import Problem
from api.services import ServiceSet
from models.domain import ConnectionId
from models.store import match_again, waiting_bills

AT_ONCE = 20
"""So many workflows are rung at a time."""

log = logging.getLogger(__name__)


async def match_waiting_bills(
    services: ServiceSet,
    connection_ids: Iterable[ConnectionId],
    why: str,
    *,
    vendor_id: str | None = None,
    item_id: str | None = None,
) -> None:
    """Ring the workflows of the orders such bills are on. The word was kept with the change (`match_again.ask`): where
    Temporal does not answer, the next sync run rings in our place, and the caller's change stands."""
    concerned = list(connection_ids)
    async with services.database.transaction() as session:
        asked = await match_again.asked(session, concerned)
        orders = [
            order
            for connection_id in concerned
            for order in await waiting_bills.orders(session, connection_id, vendor_id=vendor_id, item_id=item_id)
        ]
    try:
        for start in range(0, len(orders), AT_ONCE):
            await asyncio.gather(
                *(durable.match_again(services.temporal, order, why) for order in orders[start : start + AT_ONCE])
            )
    except (Problem, RPCError) as error:
        log.warning("%s: waiting bills are matched again by the next sync: %s", why, error)
        return
    if asked and vendor_id is None and item_id is None:  # else others may wait for another word that was not told yet
        async with services.database.transaction() as session:
            await match_again.told(session, asked)
