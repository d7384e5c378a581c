"""B11: whatever an operator ends in Temporal's own UI, the next sync run finds it and the work goes on."""

from datetime import timedelta
from enum import StrEnum

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest

from models.store.payables import open_work
from tests.harness.sandbox_company import (
    SandboxCompany,
    today,
)
from tests.harness.stack_client import (
    StackClient,
    ledger,
)


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


@pytest.mark.parametrize("how", list(Ending))
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


@pytest.mark.parametrize("how", [Ending.TERMINATE, Ending.CANCEL])
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
