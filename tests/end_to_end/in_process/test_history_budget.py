"""How long the histories of one life are on the whole stack: the order's, the bill's and the payment's, all runs."""

import pytest

from models import contract
from models.domain.ids import BillId, ConnectionId, ErpId, PaymentId
from settings import Settings as Environment
from tests.harness.approval_walk import let_approve, person, set_approvals
from tests.harness.people import PersonClient
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient

ONE_APPROVER, FURTHER_STEP, DISPUTE_UNDONE = 78, 6, 110


async def events(api: StackClient, *workflow_ids: str) -> dict[str, int]:
    """History events by workflow, over all of its runs."""
    found: dict[str, int] = {}
    for workflow_id in workflow_ids:
        runs = [one async for one in api.temporal.list_workflows(f"WorkflowId = '{workflow_id}'")]
        histories = [
            await api.temporal.get_workflow_handle(workflow_id, run_id=one.run_id).fetch_history() for one in runs
        ]
        found[workflow_id] = sum(len(history.events) for history in histories)
    return found


async def a_life(api: StackClient, people: list[PersonClient], *, disputed: bool) -> int:
    """History events of an order, its bill, which people approve in turn, and its payment, in whole."""
    bill_id = await api.bill("PO-1", {1: "10", 2: "5"})
    for generation in range(1 + disputed):
        if generation:
            answer = await api.post(f"/v1/bills/{bill_id}/dispute", {"reason": "price"})
            assert answer.status_code == 200, answer.text
            await api.bill_is(bill_id, "disputed")
            answer = await api.post(f"/v1/bills/{bill_id}/restore", {"reason": "agreed"})
            assert answer.status_code == 200, answer.text
        for one in people:
            assert (await one.approve(bill_id)).status_code == 200
        bill = await api.arrived(bill_id)
    payment_id = await api.pay(bill_id, bill["due"])
    await api.payment_is(payment_id, "paid")
    order = await api.order("PO-1")
    ids = (
        contract.purchase_order_workflow_id(ConnectionId(api.connection_id), ErpId(order["erp_id"]), order["number"]),
        contract.bill_workflow_id(BillId(bill_id)),
        contract.payment_workflow_id(PaymentId(payment_id)),
    )
    for workflow_id in ids:
        await api.temporal.get_workflow_handle(workflow_id).result()

    async def counted() -> dict[str, int]:
        first = await events(api, *ids)
        return first if all(first.values()) and first == await events(api, *ids) else {}

    found = await api.until(counted, "the histories")
    print(f"\n{len(people)} approvers, disputed: {disputed}: {sum(found.values())} events, {found}")
    return sum(found.values())


@pytest.mark.parametrize(
    ("names", "disputed", "most"),
    [
        (("Ana",), False, ONE_APPROVER),
        (("Ana", "Ben", "Cem"), False, ONE_APPROVER + 2 * FURTHER_STEP),
        (("Ana",), True, DISPUTE_UNDONE),
    ],
    ids=["one approver", "three approvers", "a dispute undone"],
)
async def test_a_life_stays_within_its_budget(
    api: StackClient,
    company: SandboxCompany,
    whole_settings: Environment,
    names: tuple[str, ...],
    disputed: bool,
    most: int,
) -> None:
    """Issue 13: at most 78 events with one approver, six more for each further one, 110 with a dispute undone."""
    company.order("PO-1")
    await api.start()
    people = [await person(api, whole_settings.database_url, name) for name in names]
    await let_approve(api, *([one] for one in people))
    await set_approvals(api, enabled=True)
    assert await a_life(api, people, disputed=disputed) <= most
