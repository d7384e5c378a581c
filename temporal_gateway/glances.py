"""Ask orders' workflows for their state in passing, for callers who would rather have the mirror than wait."""

import time
from datetime import timedelta

from temporalio.client import Client

from models.messages.orders import PurchaseOrderLive
from temporal_gateway import gateway

GLANCE_TIMEOUT = timedelta(milliseconds=40)
"""How long a glance may take: right after a sync of many orders the workers are busy for seconds, and the mirror has
the order anyway."""

LOOKS_AWAY = timedelta(milliseconds=500)
"""How long nobody glances after a glance that was not answered in time: the workers have other work, and each caller
would wait for nothing."""


class Glances:
    """Looks at workflows as long as the workers have time to answer. One per process."""

    def __init__(self) -> None:
        self._not_before = 0.0

    async def purchase_order_live(self, client: Client, workflow_id: str) -> PurchaseOrderLive | None:
        """Return an order workflow's live state; None when it does not run or the workers are busy."""
        began = time.monotonic()
        if began < self._not_before:
            return None
        answer = await gateway.purchase_order_live(client, workflow_id, GLANCE_TIMEOUT)
        now = time.monotonic()
        if answer is None and now - began >= GLANCE_TIMEOUT.total_seconds():
            self._not_before = now + LOOKS_AWAY.total_seconds()
        return answer
