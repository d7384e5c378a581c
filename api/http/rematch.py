"""Ask for a rematch of bills in review, because something their match depends on has changed."""

import asyncio
import logging
from collections.abc import Iterable

from temporalio.service import RPCError

from api.http.services import ServiceSet
from models.domain.ids import ConnectionId
from models.store.payables import bills_in_review
from models.store.policies import rematch_requests
from services.bills.direct_rematch import rematch_direct_bills
from temporal_gateway import gateway
from temporal_gateway.errors import GatewayError

AT_ONCE = 20
"""How many workflows are notified at the same time."""

log = logging.getLogger(__name__)


async def match_waiting_bills(
    services: ServiceSet,
    connection_ids: Iterable[ConnectionId],
    why: str,
    *,
    vendor_id: str | None = None,
    item_id: str | None = None,
) -> None:
    """Ask the workflows of the orders that have bills in review for a rematch.

    The request was stored with the change (`rematch_requests.request`). If Temporal does not answer, the change stands
    and the next sync run asks instead.
    """
    concerned = list(connection_ids)
    async with services.database.transaction() as session:
        asked = await rematch_requests.pending(session, concerned)
        orders = [
            order
            for connection_id in concerned
            for order in await bills_in_review.orders(session, connection_id, vendor_id=vendor_id, item_id=item_id)
        ]
        owed = [
            message
            for connection_id in concerned
            if item_id is None  # no line of a bill without an order is in an item's unit
            for message in await rematch_direct_bills(session, connection_id, why, vendor_id=vendor_id)
        ]
    services.outbox.deliver_behind_answer(*owed)
    try:
        for start in range(0, len(orders), AT_ONCE):
            await asyncio.gather(
                *(gateway.rematch(services.temporal, order, why) for order in orders[start : start + AT_ONCE])
            )
    except (GatewayError, RPCError) as error:
        log.warning("%s: bills in review are matched again by the next sync: %s", why, error)
        return
    if asked and vendor_id is None and item_id is None:  # else other bills may wait for a request not delivered yet
        async with services.database.transaction() as session:
            await rematch_requests.clear(session, asked)
