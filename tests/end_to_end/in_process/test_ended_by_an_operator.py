"""B11: whatever an operator ends or resets in Temporal's own UI, the next sync run finds it and the work goes on."""

import secrets
from datetime import timedelta
from enum import StrEnum

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest

from models.store.payables import open_work
from tests.harness.sandbox_company import (
    SandboxCompany,
    today,
)
from tests.harness.stack_client import (
    StackClient,
    ledger,
)
from tests.harness.variants import first_of


@pytest.fixture(autouse=True)
def minutes_fly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is too young to be missed."""
    monkeypatch.setattr(open_work, "STARTED_BY_NOW", timedelta(0))


class Ending(StrEnum):
    """What an operator can do to a workflow in Temporal's UI to end it."""

    TERMINATE = "terminate"
    CANCEL = "cancel"
    DELETE = "delete"


async def all_end(api: StackClient, how: Ending) -> list[str]:
    """An operator ends every workflow of the connection."""
    ended = await api.running()
    for workflow_id in ended:
        handle = api.temporal.get_workflow_handle(workflow_id)
        match how:
            case Ending.TERMINATE:
                await handle.terminate("by mistake")
            case Ending.CANCEL:
                await handle.cancel()
            case Ending.DELETE:
                execution = WorkflowExecution(workflow_id=workflow_id)
                request = DeleteWorkflowExecutionRequest(namespace=api.temporal.namespace, workflow_execution=execution)
                await api.temporal.workflow_service.delete_workflow_execution(request)

    async def none() -> bool:
        return await api.running() == []

    await api.until(none, "no workflow runs")
    return ended


@pytest.mark.parametrize("how", first_of(*Ending))
async def test_a_bill_on_its_way_and_its_order_go_on(api: StackClient, company: SandboxCompany, how: Ending) -> None:
    """Ended during an outage: one document, and the order shows it."""
    company.order("PO-1", "10")
    await api.start()
    company.breaks("unavailable", "create_potransaction", times=None)
    bill_id = await api.bill("PO-1", {1: "4"})

    async def both_run() -> bool:
        return f"bill/{bill_id}" in await api.running()

    await api.until(both_run, "the bill's workflow runs")
    assert len(await all_end(api, how)) == 2
    company.mend()
    await api.sync()
    await api.arrived(bill_id)
    assert len(company.held("vendor_invoices")) == 1
    assert ledger(await api.order("PO-1")) == (10, 0, 4, 0)
    assert await api.issues() == []


@pytest.mark.parametrize("how", first_of(*Ending))
async def test_a_payment_and_its_bill_go_on(api: StackClient, company: SandboxCompany, how: Ending) -> None:
    """Both ended while the payment waits for its day; started again, and its bill hears how it ends."""
    company.order("PO-1", "10")
    await api.start()
    bill_id = (await api.billed("PO-1", {1: "4"}))["id"]
    payment_id = await api.pay(bill_id, "50.00", on=today() + timedelta(days=2))

    async def planned() -> bool:
        return f"payment/{payment_id}" in await api.running()

    await api.until(planned, "the payment's workflow runs")
    await all_end(api, how)
    await api.sync()
    assert {f"payment/{payment_id}", f"bill/{bill_id}"} <= set(await api.running())
    abandoned = await api.post(f"/v1/payments/{payment_id}/abandon", {"reason": "paid by card"}, role="accountant")
    assert abandoned.status_code == 200, abandoned.text
    await api.payment_is(await api.pay(bill_id, "50.00"), "paid")
    await api.bill_is(bill_id, "paid")
    assert [payment["status"] for payment in (await api.read_bill(bill_id))["payments"]] == ["paid", "abandoned"]


async def reset(api: StackClient, workflow_id: str) -> None:
    """What `temporal workflow reset --type FirstWorkflowTask` does."""
    handle = api.temporal.get_workflow_handle(workflow_id)
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=(await handle.describe()).run_id)

    async def first_task() -> int:
        done = [
            event.event_id
            for event in (await handle.fetch_history()).events
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        ]
        return done[0] if done else 0

    first = await api.until(first_task, f"the first task of {workflow_id}")
    request = ResetWorkflowExecutionRequest(
        namespace=api.temporal.namespace,
        workflow_execution=execution,
        reason="by mistake",
        workflow_task_finish_event_id=first,
        request_id=secrets.token_hex(8),
    )
    await api.temporal.workflow_service.reset_workflow_execution(request)


async def test_an_order_its_bill_and_a_payment_that_are_reset_go_on(api: StackClient, company: SandboxCompany) -> None:
    """Each does all its steps once more, and the ERP has everything once."""
    company.order("PO-1", "10")
    await api.start()
    bill_id = (await api.billed("PO-1", {1: "4"}))["id"]
    payment_id = await api.pay(bill_id, "50.00", on=today() + timedelta(days=2))

    async def all_run() -> bool:
        return {f"payment/{payment_id}", f"bill/{bill_id}"} < set(await api.running())

    await api.until(all_run, "order, bill and payment have a workflow")
    for workflow_id in await api.running():
        await reset(api, workflow_id)
    await api.billed("PO-1", {1: "3"})
    assert ledger(await api.order("PO-1")) == (10, 0, 7, 0)
    abandoned = await api.post(f"/v1/payments/{payment_id}/abandon", {"reason": "paid by card"}, role="accountant")
    assert abandoned.status_code == 200, abandoned.text
    await api.payment_is(await api.pay(bill_id, "50.00"), "paid")
    await api.bill_is(bill_id, "paid")
    assert len(company.held("vendor_invoices")) == 2
    assert await api.issues() == []


async def test_a_sync_run_that_is_reset_goes_on(api: StackClient, company: SandboxCompany) -> None:
    """Its reading fails meanwhile; the run that people see ends with the one that goes on."""
    company.order("PO-1", "10")
    await api.start()
    company.breaks("unavailable", times=None)
    run = await api.ask_for_sync()

    async def reads() -> bool:
        return (await api.get(f"/v1/connections/{api.connection_id}"))["sync_problem"] is not None

    await api.until(reads, "the run waits for the ERP")
    await reset(api, run["workflow_id"])
    company.order("PO-2", "10")
    company.mend()
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-2"}
    assert (await api.get(f"/v1/sync-runs/{run['sync_run_id']}"))["state"] == "completed"
