"""An ERP that answers when its program comes by: what waits is queued, and is neither an outage nor in doubt."""

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from erp.errors import Rejected
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.messages.sync import FinishSyncRun
from models.messages.writes import AbandonWrite
from models.store.audit.exchanges import Waiter
from models.store.payables.bills import external_key_for
from tests.builders.records import (
    an_order,
)
from tests.harness.activity_harness import (
    ActivityHarness,
    failure,
)


@pytest.fixture
async def bill_id(harness: ActivityHarness) -> BillId:
    order = await harness.holds(an_order(lines={1: 10}))
    harness.erp.deferred = True
    bill_id = await harness.billed(order, {1: 4}, key="k-1")
    await deferred(harness, bill_id)  # whether the ERP has its number already
    assert (await harness.write(bill_id)).state == "planned"
    await come_by(harness)
    return bill_id


async def deferred(harness: ActivityHarness, bill_id: BillId) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await harness.push(bill_id)
    assert failure(caught).family == "Deferred"
    return caught.value


async def come_by(harness: ActivityHarness) -> list[Waiter]:
    return await harness.erp.answers.come_by(harness.tenant.database, harness.tenant.connection_id)


async def test_a_push_runs_its_recipe_again_and_finds_the_earlier_answers(
    harness: ActivityHarness, bill_id: BillId
) -> None:
    """One exchange for the write, one to read it back: the recipe is the one of any other ERP."""
    error = await deferred(harness, bill_id)
    assert (error.category, error.non_retryable) == (ApplicationErrorCategory.BENIGN, False)
    assert (await harness.write(bill_id)).state == "queued"
    assert harness.erp.calls["create_bill"] == 0
    await come_by(harness)
    await deferred(harness, bill_id)
    await come_by(harness)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert (harness.erp.calls["create_bill"], harness.erp.calls["find_bill"], harness.erp.calls["read_bill"]) == (
        1,
        0,
        1,
    )
    assert (await harness.write(bill_id)).state == "confirmed"


async def test_asking_again_before_the_answer_queues_nothing_twice(harness: ActivityHarness, bill_id: BillId) -> None:
    """An activity that was not notified looks again by itself; a worker may die between the queue and its note."""
    for _ in range(3):
        await deferred(harness, bill_id)
    assert len(await come_by(harness)) == 1
    await harness.tenant.execute("update erp_writes set state = 'sent', sent_at = now() where state = 'queued'")
    await deferred(harness, bill_id)
    await come_by(harness)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert harness.erp.calls["create_bill"] == 1


async def test_what_is_queued_is_no_outage(harness: ActivityHarness, bill_id: BillId) -> None:
    await deferred(harness, bill_id)
    row = await harness.connection()
    assert (row.state, row.outage_since, row.problem_code) == ("ready", None, None)


async def test_what_is_queued_is_not_abandoned(harness: ActivityHarness, bill_id: BillId) -> None:
    """The ERP may do it at any moment."""
    await deferred(harness, bill_id)
    word = AbandonWrite(subject_kind="bill", subject_id=bill_id, actor="ada")
    assert not (await harness.mirror.abandon_write(word)).done
    await come_by(harness)
    await deferred(harness, bill_id)
    await come_by(harness)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED


async def test_the_next_write_of_the_order_waits_for_what_is_queued(harness: ActivityHarness, bill_id: BillId) -> None:
    """DESIGN 5: writes reach the ERP in the order they were planned in."""
    (order,) = harness.erp.orders.values()
    await deferred(harness, bill_id)
    second = await harness.billed(order, {1: 2}, key="k-2")
    waiting = await harness.push(second)
    assert (waiting.status, waiting.waits_for) == (BillStatus.PENDING_PUSH, external_key_for(bill_id))


async def test_a_refusal_that_comes_later_is_a_refusal(harness: ActivityHarness, bill_id: BillId) -> None:
    await deferred(harness, bill_id)
    harness.erp.refuse_writes = [Rejected("The period is closed.", code="PERIOD_CLOSED")]
    await come_by(harness)
    with pytest.raises(ApplicationError) as caught:
        await harness.push(bill_id)
    assert (failure(caught).code, caught.value.non_retryable) == ("PERIOD_CLOSED", True)
    assert (await harness.write(bill_id)).state == "rejected"


async def test_answers_to_questions_are_forgotten_after_a_while(harness: ActivityHarness, bill_id: BillId) -> None:
    """Those to writes are kept: their keys are good for ever."""
    for _ in range(2):
        await deferred(harness, bill_id)
        await come_by(harness)
    await harness.push(bill_id)
    await harness.tenant.execute("update exchanges set answered_at = now() - interval '31 days'")
    await harness.plan()
    await harness.waking.finish_sync_run(
        FinishSyncRun(
            connection_id=harness.tenant.connection_id, run_id=None, workflow_run_id="run-1", state="completed"
        )
    )
    rows = await harness.tenant.fetch("select key from exchanges where connection_id = :c")
    assert [row.key.partition("/")[0] for row in rows] == ["write"]
