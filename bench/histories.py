"""What a workflow's history holds: events, bytes, and steps by kind."""

from collections import Counter
from typing import NamedTuple

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.bare import Shape


class History(NamedTuple):
    """One workflow's history as the server keeps it."""

    events: int
    size_bytes: int
    by_type: Counter[str]

    @property
    def shape(self) -> Shape:
        """Its activities: regular ones, and local ones by their markers."""
        return Shape(regular=self.by_type["ACTIVITY_TASK_SCHEDULED"], local=self.by_type["MARKER_RECORDED"])


async def history_of(client: Client, workflow_id: str) -> History:
    """The newest run's history. Raises RPCError when there is no such workflow."""
    handle = client.get_workflow_handle(workflow_id)
    described = (await handle.describe()).raw_description.workflow_execution_info
    by_type: Counter[str] = Counter()
    async for event in handle.fetch_history_events():
        by_type[EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")] += 1
    return History(described.history_length, described.history_size_bytes, by_type)


class Lifecycle(NamedTuple):
    """The three workflows of one order that was billed and paid."""

    order: History
    bill: History
    payment: History

    @property
    def events(self) -> int:
        return self.order.events + self.bill.events + self.payment.events

    @property
    def size_bytes(self) -> int:
        return self.order.size_bytes + self.bill.size_bytes + self.payment.size_bytes
