"""How an order's workflow hears of its order: started with it when it is new, told when it runs."""

from collections import Counter

from temporalio.api.enums.v1 import EventType

from temporal_gateway.notifier import WorkflowNotifier
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    create_bill,
    live,
    order,
)
from tests.harness.workflow_harness import WorkflowHarness


async def _events(harness: WorkflowHarness) -> Counter[str]:
    history = order(harness).fetch_history_events()
    return Counter([EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") async for event in history])


async def test_a_new_orders_workflow_is_started_with_what_it_should_know(harness: WorkflowHarness) -> None:
    """DESIGN 4: changed POs' workflows are notified; a new one needs no signal that repeats its start."""
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts(), new=True)
    assert (await live(harness)).facts == harness.facts()
    assert (await _events(harness))["WORKFLOW_EXECUTION_SIGNALED"] == 0


async def test_a_new_order_that_was_billed_before_it_was_notified_is_told(harness: WorkflowHarness) -> None:
    """DESIGN 4: POs are usable before their workflow is awake; the wake that comes later is heard all the same."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: harness.calls["push_bill"])
    before = (await _events(harness))["WORKFLOW_EXECUTION_SIGNALED"]
    harness.snapshot += 1
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts(), new=True)
    assert (await _events(harness))["WORKFLOW_EXECUTION_SIGNALED"] > before
    facts = (await live(harness)).facts
    assert facts is not None
    assert facts.snapshot == harness.snapshot
