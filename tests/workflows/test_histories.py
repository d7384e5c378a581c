"""What is open in production today must replay tomorrow; and a whole life stays short."""

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from models.domain.bills import BillStatus
from tests.harness.workflow_client import (
    bill,
    create_bill,
    done,
    order,
    payment,
    schedule_payment,
)
from tests.harness.workflow_harness import WorkflowHarness
from tests.workflows.save_histories import HISTORIES, UNRELEASED
from worker import WORKFLOWS
from workflows.runner import strict_runner

MOST_EVENTS = 60
"""Over the order's, the bill's and the payment's workflow together, for one life without trouble."""


def saved_history(path: Path) -> WorkflowHistory:
    kept = json.loads(path.read_text())
    return WorkflowHistory.from_json(kept["workflow_id"], kept["history"])


SAVED = sorted(HISTORIES.glob("*/*.json"))


@pytest.mark.parametrize("saved", SAVED, ids=[f"{path.parent.name}-{path.stem}" for path in SAVED])
async def test_a_saved_history_replays(saved: Path) -> None:
    """F16: workflows that were open when this version came go on under it; `save_histories.py` makes them anew."""
    history = saved_history(saved)
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=strict_runner(), data_converter=pydantic_data_converter)
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None


def test_every_workflow_has_a_saved_history() -> None:
    """F16: a workflow without a saved history is not proven to replay."""
    started = [saved_history(path).events[0] for path in UNRELEASED.glob("*.json")]
    kept = {event.workflow_execution_started_event_attributes.workflow_type.name for event in started}
    assert kept == {kind.__name__ for kind in WORKFLOWS}


async def test_a_whole_life_takes_at_most_sixty_events(temporal: Client) -> None:
    """HOUSE 3, issue 10: order, bill, push, verify, pay, report, in at most 60 events of history over all three
    workflows. An order that a sync had started before has three more, those of its first workflow task."""
    harness = WorkflowHarness(client=temporal, tag=f"-{secrets.token_hex(4)}-")
    async with harness.workers():
        bill_id = (await create_bill(harness, harness.bill_request("k1", 10))).bill_id
        assert bill_id is not None
        await done(order(harness))
        today = datetime.now(UTC).date()
        asked = harness.payment_request("p1", bill_id, "250", today)
        assert await schedule_payment(harness, asked)
        assert await done(bill(harness, bill_id)) == BillStatus.PAID
        await done(payment(harness, asked.payment_id))
        handles = {
            "order": order(harness),
            "bill": bill(harness, bill_id),
            "payment": payment(harness, asked.payment_id),
        }
        histories = {name: await handle.fetch_history() for name, handle in handles.items()}
    events = {name: len(history.events) for name, history in histories.items()}
    size = sum(event.ByteSize() for history in histories.values() for event in history.events)
    print(f"\nhistory of one life: {events}, {sum(events.values())} events, {size} bytes")
    assert sum(events.values()) <= MOST_EVENTS
