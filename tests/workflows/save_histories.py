"""Save real histories of every workflow: `python -m tests.workflows.save_histories`.

Run it when a workflow's shape changed on purpose, and look at the difference: an old history that no longer replays is
an open workflow in production that would fail.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowContinuedAsNewError, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.doorbell import Doorbell
from cli.embedded import free_port, installed_program, temporal_command, temporal_is_ready
from cli.processes import ChildProcess
from models.domain import BillId, BillStatus, Stream
from models.messages import BillEdited, BillNow
from tests.workflows.desk import (
    an_issue,
    bill,
    bill_state,
    create_bill,
    decide,
    details,
    done,
    ended,
    eventually,
    give_up_payment,
    order,
    payment,
    schedule_payment,
    settle,
    start_scheduled_sync,
    start_sync,
)
from tests.workflows.world import World, refused
from workflows.bill import BillWorkflow
from workflows.contract import BILL_EDITED, SEARCH_ATTRIBUTES

HISTORIES = Path(__file__).parent / "histories"
BILL = BillId("bill_k1")


async def bill_paid_after_an_issue(world: World) -> dict[str, WorkflowHistory]:
    """A bill the ERP refused once, and a payment it refused once; both retried, all ended well."""
    world.troubles["push_bill"] = [refused()]
    world.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    await create_bill(world, world.bill_request("k1", 10))
    issue_id, _ = await an_issue(world)
    await settle(bill(world, BILL), issue_id, "retry")
    await done(order(world))
    await schedule_payment(bill(world, BILL), world.payment_request("p1", BILL, "250", datetime.now(UTC).date()))
    issue_id, _ = await an_issue(world)
    await settle(payment(world, "pay_p1"), issue_id, "retry")
    await done(bill(world, BILL))
    await done(payment(world, "pay_p1"))
    return {
        "order_with_a_refused_bill": await order(world).fetch_history(),
        "bill_refused_then_paid": await bill(world, BILL).fetch_history(),
        "payment_refused_then_paid": await payment(world, "pay_p1").fetch_history(),
    }


async def order_with_two_bills(world: World) -> dict[str, WorkflowHistory]:
    """An order billed twice; the second bill shows only after the order was read again."""
    await create_bill(world, world.bill_request("k1", 4))
    await eventually(lambda: world.bills[BILL].covered)
    world.shows_at_once = False
    world.refreshes_until_shown = 1
    await create_bill(world, world.bill_request("k2", 6))
    await done(order(world))
    return {"order_with_two_bills": await order(world).fetch_history()}


async def bill_given_up(world: World) -> dict[str, WorkflowHistory]:
    """A refused bill that a person gives up; its order goes on."""
    world.troubles["push_bill"] = [refused()]
    await create_bill(world, world.bill_request("k1", 10))
    issue_id, _ = await an_issue(world)
    await settle(bill(world, BILL), issue_id, "abandon")
    await done(bill(world, BILL))
    return {"bill_given_up": await bill(world, BILL).fetch_history()}


async def bill_edited(world: World) -> dict[str, WorkflowHistory]:
    """A bill edited after its push: the first edition refused and retried, the second taken, then paid."""
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    world.troubles["push_bill_edit"] = [refused()]
    handle = bill(world, BILL)
    await handle.signal(BILL_EDITED, BillEdited(bill_id=BILL, edition=1))
    issue_id, _ = await an_issue(world)
    await settle(handle, issue_id, "retry")
    await eventually(lambda: world.calls["push_bill_edit"] == 2)
    await handle.signal(BILL_EDITED, BillEdited(bill_id=BILL, edition=2))
    await eventually(lambda: world.calls["push_bill_edit"] == 3)
    await schedule_payment(handle, world.payment_request("p1", BILL, "250", datetime.now(UTC).date()))
    await done(handle)
    return {"bill_edited": await handle.fetch_history()}


async def payment_given_up(world: World) -> dict[str, WorkflowHistory]:
    """A payment a month away that a person gave up, its bill paid by another."""
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    today = datetime.now(UTC).date()
    later = world.payment_request("p1", BILL, "250", today + timedelta(days=30))
    await schedule_payment(bill(world, BILL), later)
    await eventually(lambda: _waits_for_its_date(world))
    await give_up_payment(world, "pay_p1")
    await done(payment(world, "pay_p1"))
    await eventually(lambda: _heard(world))
    await schedule_payment(bill(world, BILL), world.payment_request("p2", BILL, "250", today))
    await done(bill(world, BILL))
    return {
        "payment_given_up": await payment(world, "pay_p1").fetch_history(),
        "bill_whose_payment_was_given_up": await bill(world, BILL).fetch_history(),
    }


async def _waits_for_its_date(world: World) -> bool:
    return "the payment date" in await details(payment(world, "pay_p1"))


async def _heard(world: World) -> bool:
    return all(held.done for held in (await bill_state(world, BILL)).payments)


async def bills_that_waited(world: World) -> dict[str, WorkflowHistory]:
    """A warned bill that a person acknowledged, and a held one that a change of the order let go."""
    world.warnings = ["BILLED_BEYOND_RECEIVED"]
    await create_bill(world, world.bill_request("k1", 4))
    await decide(world, bill(world, BILL), BILL, "a1")
    await eventually(lambda: world.bills[BILL].covered)
    world.warnings, world.holds = [], ["PERIOD_CLOSED"]
    await create_bill(world, world.bill_request("k2", 6))
    held = bill(world, BillId("bill_k2"))
    await eventually(lambda: _waits(held))
    world.holds, world.terms = [], "received"
    world.snapshot += 1
    await Doorbell(world.client).order_changed(world.order_state(), world.facts())
    await done(order(world))
    await schedule_payment(held, world.payment_request("p1", BillId("bill_k2"), "150", datetime.now(UTC).date()))
    await done(held)
    return {
        "order_with_waiting_bills": await order(world).fetch_history(),
        "bill_let_go_by_its_order": await held.fetch_history(),
        "bill_acknowledged": await bill(world, BILL).fetch_history(),
    }


async def _waits(handle: WorkflowHandle[Any, Any]) -> bool:
    return bool((await handle.query(BillWorkflow.state)).issue_code)


async def sync_run(world: World) -> dict[str, WorkflowHistory]:
    """A sync run over several pages of two streams."""
    world.pages = {Stream.LISTS: 1, Stream.PURCHASE_ORDERS: 3}
    world.orders_to_wake = 3
    handle = await start_sync(world)
    await done(handle)
    return {"sync_run": await handle.fetch_history()}


async def scheduled_sync(world: World) -> dict[str, WorkflowHistory]:
    """What a schedule starts, and the run it starts."""
    world.pages = {Stream.LISTS: 1}
    scheduled = await start_scheduled_sync(world, "2026-11-22T00:00:00Z")
    await done(scheduled)
    return {"scheduled_sync": await scheduled.fetch_history()}


async def order_handed_over(world: World) -> dict[str, WorkflowHistory]:
    """An order that continued as new in the middle of its double sync, and the run that took over."""
    world.shows_at_once = False
    world.refreshes_until_shown = -1
    await create_bill(world, world.bill_request("k1", 10))
    await eventually(lambda: world.calls["refresh_purchase_order"])
    first = world.client.get_workflow_handle(order(world).id, run_id=(await order(world).describe()).run_id)
    for _ in range(30):
        await Doorbell(world.client).order_changed(world.order_state(), world.facts())
    world.refreshes_until_shown = 0
    await done(order(world))
    return {
        "order_handed_over": await first.fetch_history(),
        "order_taken_over": await order(world).fetch_history(),
    }


async def bill_handed_over(world: World) -> dict[str, WorkflowHistory]:
    """A bill that continued as new while its payment waited behind an issue, the run that took over, the payment."""
    world.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    await schedule_payment(bill(world, BILL), world.payment_request("p1", BILL, "250", datetime.now(UTC).date()))
    issue_id, _ = await an_issue(world)
    first = world.client.get_workflow_handle(bill(world, BILL).id, run_id=(await bill(world, BILL).describe()).run_id)
    for n in range(30):
        unpaid = BillNow(status=BillStatus.SCHEDULED, paid="0", due=str(250 - n))
        await Doorbell(world.client).bill_changed(BILL, unpaid)
    with suppress(WorkflowContinuedAsNewError):
        await first.result(follow_runs=False)
    await settle(payment(world, "pay_p1"), issue_id, "retry")
    await done(bill(world, BILL))
    return {
        "bill_handed_over": await first.fetch_history(),
        "bill_taken_over": await bill(world, BILL).fetch_history(),
        "payment_that_tells_its_bill": await payment(world, "pay_p1").fetch_history(),
    }


async def payment_with_timer(world: World, environment: WorkflowEnvironment) -> dict[str, WorkflowHistory]:
    """A payment a month away."""
    await create_bill(world, world.bill_request("k1", 10))
    await done(order(world))
    pay_on = (await environment.get_current_time()).date() + timedelta(days=30)
    await schedule_payment(bill(world, BILL), world.payment_request("p1", BILL, "250", pay_on))
    await ended(environment, payment(world, "pay_p1"), timedelta(days=31))
    return {"payment_with_timer": await payment(world, "pay_p1").fetch_history()}


STORIES = (
    bill_paid_after_an_issue,
    order_with_two_bills,
    bill_given_up,
    bill_edited,
    payment_given_up,
    bills_that_waited,
    sync_run,
    scheduled_sync,
)
"""On a dev server each."""

HAND_OVERS = (order_handed_over, bill_handed_over)
"""On a dev server each that suggests continue-as-new after a handful of events."""


@asynccontextmanager
async def dev_server(directory: Path, **dynamic_config: str) -> AsyncIterator[Client]:
    port = free_port()
    limits = {name.replace("_", "."): value for name, value in dynamic_config.items()}
    command = temporal_command(port=port, ui_port=None, database=None, dynamic_config=limits)
    server = ChildProcess("temporal", command, log=directory / f"temporal-{port}.log")
    server.start()
    try:
        server.wait_until(lambda: temporal_is_ready(f"127.0.0.1:{port}"))
        yield await Client.connect(f"127.0.0.1:{port}", data_converter=pydantic_data_converter)
    finally:
        server.stop()


@asynccontextmanager
async def time_skipping_server() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=installed_program("temporal-test-server"), data_converter=pydantic_data_converter
    ) as environment:
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=environment.client.namespace,
                search_attributes={key.name: key.indexed_value_type for key in SEARCH_ATTRIBUTES},
            )
        )
        yield environment


def save(histories: dict[str, WorkflowHistory]) -> None:
    for name, history in histories.items():
        text = json.dumps(history.to_json_dict(), separators=(",", ":"), sort_keys=True)
        (HISTORIES / f"{name}.json").write_text(f'{{"workflow_id":"{history.workflow_id}","history":{text}}}\n')
        print(f"{name}: {len(history.events)} events")


async def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    for old in HISTORIES.glob("*.json"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="posync-h-") as directory:
        for story in STORIES:
            async with dev_server(Path(directory)) as client:
                world = World(client=client)
                async with world.workers():
                    save(await story(world))
        for story in HAND_OVERS:
            async with dev_server(Path(directory), limit_historyCount_suggestContinueAsNew="25") as client:
                world = World(client=client)
                async with world.workers():
                    save(await story(world))
    async with time_skipping_server() as environment:
        world = World(client=environment.client)
        async with world.workers():
            save(await payment_with_timer(world, environment))


if __name__ == "__main__":
    asyncio.run(main())
    time.sleep(0.3)  # the Temporal SDK's threads abort an interpreter that ends within milliseconds of their last call
