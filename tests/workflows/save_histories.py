"""Save real histories of every workflow: `python -m tests.workflows.save_histories`.

They go into `histories/unreleased/`, and are recorded anew when a workflow's shape changed on purpose. With a release,
`--release v1.2.3` freezes them in a folder of its own that is never written again: such a history is a workflow that
may still be open in production, and a later version must replay it (`workflows/versions.py`).
"""

import argparse
import asyncio
import hashlib
import json
import shutil
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

from cli.local.embedded import free_port, installed_program, temporal_command, temporal_is_ready
from cli.local.processes import ChildProcess
from models.contract import BILL_CHANGED, BILL_EDITED, BILL_MATCHED, SEARCH_ATTRIBUTES
from models.domain.bills import BillStatus
from models.domain.ids import BillId, PaymentId
from models.domain.list_changes import ListChangeStatus
from models.domain.sync import Stream
from models.messages.bills import BillBalance, BillEdited
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_order import refused
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    abandon_payment,
    an_issue,
    apply_credit,
    approve,
    bill,
    bill_state,
    change_list,
    create_bill,
    decide,
    details,
    done,
    ended,
    order,
    payment,
    schedule_payment,
    settle,
    start_backfill,
    start_scheduled_sync,
    start_sync,
    upload,
    void_payment,
)
from tests.harness.workflow_harness import WorkflowHarness
from tests.workflows.save_message_schemas import SCHEMAS
from workflows.bill import BillWorkflow

HISTORIES = Path(__file__).parent / "histories"
UNRELEASED = HISTORIES / "unreleased"
BILL = BillId("bill_k1")


async def bill_paid_after_an_issue(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A bill the ERP refused once, and a payment it refused once; both retried, all ended well."""
    harness.troubles["push_bill"] = [refused()]
    harness.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)
    await settle(bill(harness, BILL), issue_id, "retry")
    await done(order(harness))
    await schedule_payment(harness, harness.payment_request("p1", BILL, "250", datetime.now(UTC).date()))
    issue_id, _ = await an_issue(harness)
    await settle(payment(harness, "pay_p1"), issue_id, "retry")
    await done(bill(harness, BILL))
    await done(payment(harness, "pay_p1"))
    return {
        "order_with_a_refused_bill": await order(harness).fetch_history(),
        "bill_refused_then_paid": await bill(harness, BILL).fetch_history(),
        "payment_refused_then_paid": await payment(harness, "pay_p1").fetch_history(),
    }


async def order_with_two_bills(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """An order billed twice; the second bill shows only after the order was read again."""
    await create_bill(harness, harness.bill_request("k1", 4))
    await eventually(lambda: harness.bills[BILL].confirmed)
    harness.shows_at_once = False
    harness.refreshes_until_shown = 1
    await create_bill(harness, harness.bill_request("k2", 6))
    await done(order(harness))
    return {"order_with_two_bills": await order(harness).fetch_history()}


async def bill_abandoned(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A refused bill that a person abandons; its order goes on."""
    harness.troubles["push_bill"] = [refused()]
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)
    await settle(bill(harness, BILL), issue_id, "abandon")
    await done(bill(harness, BILL))
    return {"bill_abandoned": await bill(harness, BILL).fetch_history()}


async def bill_edited(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A bill edited after its push: the first edition refused and retried, the second taken, then paid."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    harness.troubles["push_bill_edit"] = [refused()]
    handle = bill(harness, BILL)
    await handle.signal(BILL_EDITED, BillEdited(bill_id=BILL, edition=1))
    issue_id, _ = await an_issue(harness)
    await settle(handle, issue_id, "retry")
    await eventually(lambda: harness.calls["push_bill_edit"] == 2)
    await handle.signal(BILL_EDITED, BillEdited(bill_id=BILL, edition=2))
    await eventually(lambda: harness.calls["push_bill_edit"] == 3)
    await schedule_payment(harness, harness.payment_request("p1", BILL, "250", datetime.now(UTC).date()))
    await done(handle)
    return {"bill_edited": await handle.fetch_history()}


async def payment_abandoned(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A payment a month away that a person abandoned, its bill paid by another."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    today = datetime.now(UTC).date()
    later = harness.payment_request("p1", BILL, "250", today + timedelta(days=30))
    await schedule_payment(harness, later)
    await eventually(lambda: _waits_for_its_date(harness))
    await abandon_payment(harness, "pay_p1")
    await done(payment(harness, "pay_p1"))
    await eventually(lambda: _heard(harness))
    await schedule_payment(harness, harness.payment_request("p2", BILL, "250", today))
    await done(bill(harness, BILL))
    return {
        "payment_abandoned": await payment(harness, "pay_p1").fetch_history(),
        "bill_whose_payment_was_given_up": await bill(harness, BILL).fetch_history(),
    }


async def _waits_for_its_date(harness: WorkflowHarness) -> bool:
    return "the payment date" in await details(payment(harness, "pay_p1"))


async def _heard(harness: WorkflowHarness) -> bool:
    return all(held.done for held in (await bill_state(harness, BILL)).payments)


async def bills_that_waited(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A warned bill that a person acknowledged, and a held one that a change of the order let go."""
    harness.warnings = ["BILLED_BEYOND_RECEIVED"]
    await create_bill(harness, harness.bill_request("k1", 4))
    await decide(harness, BILL)
    await eventually(lambda: harness.bills[BILL].confirmed)
    harness.warnings, harness.holds = [], ["PERIOD_CLOSED"]
    await create_bill(harness, harness.bill_request("k2", 6))
    held = bill(harness, BillId("bill_k2"))
    await eventually(lambda: _waits(held))
    harness.holds, harness.terms = [], "received"
    harness.snapshot += 1
    await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())
    await done(order(harness))
    await schedule_payment(harness, harness.payment_request("p1", BillId("bill_k2"), "150", datetime.now(UTC).date()))
    await done(held)
    return {
        "order_with_waiting_bills": await order(harness).fetch_history(),
        "bill_let_go_by_its_order": await held.fetch_history(),
        "bill_acknowledged": await bill(harness, BILL).fetch_history(),
    }


async def _waits(handle: WorkflowHandle[Any, Any]) -> bool:
    return bool((await handle.query(BillWorkflow.state)).issue_code)


async def bill_approved(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A bill that two people approve one after the other."""
    harness.approval_steps = 2
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: _shows(bill(harness, BILL), "people to approve it"))
    await approve(harness, BILL)
    await approve(harness, BILL)
    await done(order(harness))
    return {
        "order_with_an_approved_bill": await order(harness).fetch_history(),
        "bill_approved": await bill(harness, BILL).fetch_history(),
    }


async def bill_sent_with_its_payment(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A bill that waits for its first payment, goes out with it, and is paid."""
    harness.with_payment = True
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: _shows(bill(harness, BILL), "its first payment to be scheduled"))
    await schedule_payment(harness, harness.payment_request("p1", BILL, "250", datetime.now(UTC).date()))
    await done(bill(harness, BILL))
    await done(payment(harness, "pay_p1"))
    return {"bill_sent_with_its_payment": await bill(harness, BILL).fetch_history()}


async def _shows(handle: WorkflowHandle[Any, Any], words: str) -> bool:
    return words in await details(handle)


async def source_order_uploads(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """An order of another system that the ERP took, and one that it refused."""
    taken = await upload(harness, "src_1")
    await done(taken)
    harness.troubles["push_source_order"] = [refused()]
    not_taken = await upload(harness, "src_2")
    await done(not_taken)
    return {"source_order": await taken.fetch_history(), "source_order_refused": await not_taken.fetch_history()}


async def credit_applications(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A credit that the ERP applied, and one that it refused to apply."""
    taken = await apply_credit(harness, "application_1")
    await done(taken)
    harness.troubles["push_credit_application"] = [refused()]
    not_taken = await apply_credit(harness, "application_2")
    await done(not_taken)
    return {"credit_applied": await taken.fetch_history(), "credit_refused": await not_taken.fetch_history()}


async def list_changes(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A list entry that the ERP took, one whose values were set aside, and one that it refused."""
    taken = await change_list(harness, "change_1")
    await done(taken)
    harness.list_change_ends = ListChangeStatus.SET_ASIDE
    aside = await change_list(harness, "change_2")
    await done(aside)
    harness.troubles["push_list_change"] = [refused()]
    not_taken = await change_list(harness, "change_3")
    await done(not_taken)
    return {
        "list_changed": await taken.fetch_history(),
        "list_set_aside": await aside.fetch_history(),
        "list_refused": await not_taken.fetch_history(),
    }


async def payment_voids(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A payment that is voided once the ERP's refusal is settled."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    await schedule_payment(harness, harness.payment_request("p1", BILL, "250", datetime.now(UTC).date()))
    paid = payment(harness, "pay_p1")
    await done(bill(harness, BILL))
    await done(paid)
    harness.troubles["void_payment"] = [refused("the period is closed", "PERIOD_CLOSED")]
    await void_payment(harness, BILL, PaymentId("pay_p1"))
    issue_id, _ = await an_issue(harness)
    await settle(paid, issue_id, "retry")
    await done(paid)
    return {"payment_voided": await paid.fetch_history()}


async def bill_taken_back(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """Disputed and restored, so that it went out twice; then deleted."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    handle = bill(harness, BILL)

    async def stands(status: BillStatus) -> bool:
        return (await bill_state(harness, BILL)).status is status

    await handle.signal(BILL_CHANGED, harness.ask_back(BILL, BillStatus.DISPUTED))
    await eventually(lambda: stands(BillStatus.DISPUTED))
    await handle.signal(BILL_CHANGED, harness.balance(BILL))
    await handle.signal(BILL_MATCHED, harness.restore(BILL))
    await eventually(lambda: stands(BillStatus.SYNCED))
    await handle.signal(BILL_CHANGED, harness.ask_back(BILL, BillStatus.DELETED))
    await done(handle)
    return {"bill_taken_back": await handle.fetch_history()}


async def bill_in_parts(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """Over two sources: the second part is refused and retried; a deletion stops in the middle, is abandoned, and the
    part that was gone is made again; then all of it is deleted."""
    harness.parts, harness.refuse_part = 2, 2
    await create_bill(harness, harness.bill_request("k1", 10))
    issue_id, _ = await an_issue(harness)
    handle = bill(harness, BILL)
    await settle(handle, issue_id, "retry")
    await done(order(harness))
    harness.troubles["retract_bill"] = [refused("it is reconciled", "DELETION_REFUSED")]
    harness.parts_gone = 1
    await handle.signal(BILL_CHANGED, harness.ask_back(BILL, BillStatus.DELETED))
    issue_id, _ = await an_issue(harness)
    await settle(handle, issue_id, "abandon")

    async def whole_again() -> bool:
        return (await bill_state(harness, BILL)).status is BillStatus.SYNCED

    await eventually(whole_again)
    await handle.signal(BILL_CHANGED, harness.ask_back(BILL, BillStatus.DELETED))
    await done(handle)
    return {"bill_in_parts": await handle.fetch_history()}


async def sync_run(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A sync run over several pages of two streams."""
    harness.pages = {Stream.LISTS: 1, Stream.PURCHASE_ORDERS: 3}
    harness.orders_to_notify = 3
    handle = await start_sync(harness)
    await done(handle)
    return {"sync_run": await handle.fetch_history()}


async def scheduled_sync(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """What a schedule starts, and the run it starts."""
    harness.pages = {Stream.LISTS: 1}
    scheduled = await start_scheduled_sync(harness, "2026-11-22T00:00:00Z")
    await done(scheduled)
    return {"scheduled_sync": await scheduled.fetch_history()}


async def backfill(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A backfill over several pages."""
    harness.backfill_pages = 3
    handle = await start_backfill(harness)
    await done(handle)
    return {"backfill": await handle.fetch_history()}


async def order_handed_over(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """An order that continued as new in the middle of its double sync, and the run that took over."""
    harness.shows_at_once = False
    harness.refreshes_until_shown = -1
    await create_bill(harness, harness.bill_request("k1", 10))
    await eventually(lambda: harness.calls["refresh_purchase_order"])
    first = harness.client.get_workflow_handle(order(harness).id, run_id=(await order(harness).describe()).run_id)
    for _ in range(30):
        await WorkflowNotifier(harness.client).order_changed(harness.order_state(), harness.facts())
    harness.refreshes_until_shown = 0
    await done(order(harness))
    return {
        "order_handed_over": await first.fetch_history(),
        "order_taken_over": await order(harness).fetch_history(),
    }


async def bill_handed_over(harness: WorkflowHarness) -> dict[str, WorkflowHistory]:
    """A bill that continued as new while its payment waited behind an issue, the run that took over, the payment."""
    harness.troubles["push_payment"] = [refused("the bank account is inactive", "BANK_ACCOUNT_INACTIVE")]
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    await schedule_payment(harness, harness.payment_request("p1", BILL, "250", datetime.now(UTC).date()))
    issue_id, _ = await an_issue(harness)
    first = harness.client.get_workflow_handle(
        bill(harness, BILL).id, run_id=(await bill(harness, BILL).describe()).run_id
    )
    for n in range(30):
        unpaid = BillBalance(status=BillStatus.SCHEDULED, paid="0", due=str(250 - n))
        await WorkflowNotifier(harness.client).bill_changed(BILL, unpaid)
    with suppress(WorkflowContinuedAsNewError):
        await first.result(follow_runs=False)
    await settle(payment(harness, "pay_p1"), issue_id, "retry")
    await done(bill(harness, BILL))
    return {
        "bill_handed_over": await first.fetch_history(),
        "bill_taken_over": await bill(harness, BILL).fetch_history(),
        "payment_that_reports_to_its_bill": await payment(harness, "pay_p1").fetch_history(),
    }


async def payment_with_timer(harness: WorkflowHarness, environment: WorkflowEnvironment) -> dict[str, WorkflowHistory]:
    """A payment a month away."""
    await create_bill(harness, harness.bill_request("k1", 10))
    await done(order(harness))
    pay_on = (await environment.get_current_time()).date() + timedelta(days=30)
    await schedule_payment(harness, harness.payment_request("p1", BILL, "250", pay_on))
    await ended(environment, payment(harness, "pay_p1"), timedelta(days=31))
    return {"payment_with_timer": await payment(harness, "pay_p1").fetch_history()}


STORIES = (
    bill_paid_after_an_issue,
    order_with_two_bills,
    bill_abandoned,
    bill_edited,
    payment_abandoned,
    payment_voids,
    source_order_uploads,
    credit_applications,
    list_changes,
    bill_taken_back,
    bill_in_parts,
    bills_that_waited,
    bill_approved,
    bill_sent_with_its_payment,
    sync_run,
    scheduled_sync,
    backfill,
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
        text = text.replace(f"{Path.cwd()}/", "")  # stack traces name no machine's folders
        (UNRELEASED / f"{name}.json").write_text(f'{{"workflow_id":"{history.workflow_id}","history":{text}}}\n')
        print(f"{name}: {len(history.events)} events")


async def record() -> None:
    """Replace the unreleased histories."""
    UNRELEASED.mkdir(parents=True, exist_ok=True)
    for old in UNRELEASED.glob("*.json"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="posync-h-") as directory:
        for story in STORIES:
            async with dev_server(Path(directory)) as client:
                harness = WorkflowHarness(client=client)
                async with harness.workers():
                    save(await story(harness))
        for story in HAND_OVERS:
            async with dev_server(Path(directory), limit_historyCount_suggestContinueAsNew="25") as client:
                harness = WorkflowHarness(client=client)
                async with harness.workers():
                    save(await story(harness))
    async with time_skipping_server() as environment:
        harness = WorkflowHarness(client=environment.client)
        async with harness.workers():
            save(await payment_with_timer(harness, environment))


def freeze(release: str) -> None:
    """Keep the unreleased histories and the messages' schemas as those of a release, with their sums.

    Raises:
        FileExistsError: this release has some already.
    """
    folder = HISTORIES / release
    shutil.copytree(UNRELEASED, folder)
    shutil.copytree(SCHEMAS, folder / "message_schemas")
    kept = sorted(folder.rglob("*.json"))
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in kept]
    (folder / "SHA256SUMS").write_text("".join(sums))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--release", help="freeze the unreleased histories under this tag, for example v1.2.3")
    release = arguments.parse_args().release
    if release is not None:
        freeze(release)
        return
    asyncio.run(record())
    time.sleep(0.3)  # the Temporal SDK's threads abort an interpreter that ends within milliseconds of their last call


if __name__ == "__main__":
    main()
