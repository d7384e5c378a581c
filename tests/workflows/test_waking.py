"""How an order's workflow hears of its order: started with it when it is new, told when it runs."""

from collections import Counter

from temporalio.api.enums.v1 import EventType

from activities.doorbell import Doorbell
from tests.workflows.desk import create_bill, eventually, live, order
from tests.workflows.world import World


async def _events(world: World) -> Counter[str]:
    history = order(world).fetch_history_events()
    return Counter([EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") async for event in history])


async def test_a_new_orders_workflow_is_started_with_what_it_should_know(world: World) -> None:
    """DESIGN 4: changed POs' workflows are woken; a new one needs no signal that repeats its start."""
    await Doorbell(world.client).order_changed(world.order_state(), world.facts(), new=True)
    assert (await live(world)).facts == world.facts()
    assert (await _events(world))["WORKFLOW_EXECUTION_SIGNALED"] == 0


async def test_a_new_order_that_was_billed_before_it_was_woken_is_told(world: World) -> None:
    """DESIGN 4: POs are usable before their workflow is awake; the wake that comes later is heard all the same."""
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: world.calls["push_bill"])
    before = (await _events(world))["WORKFLOW_EXECUTION_SIGNALED"]
    world.snapshot += 1
    await Doorbell(world.client).order_changed(world.order_state(), world.facts(), new=True)
    assert (await _events(world))["WORKFLOW_EXECUTION_SIGNALED"] > before
    facts = (await live(world)).facts
    assert facts is not None
    assert facts.snapshot == world.snapshot
