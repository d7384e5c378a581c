"""Walk one bill through a connection's settings of approvals, with the pretend ERP's books at every step.

Real: everything but the ERP, which is the sandbox.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from models.domain.approvals import PushWhen
from models.domain.ids import OrganizationId
from models.store.base.database import Database
from services.approvals.push_rules import SETTINGS, Settings
from tests.harness.people import PersonClient, add_person
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused

STAGES: Mapping[tuple[PushWhen, bool], tuple[str, ...]] = {
    (PushWhen.MATCHED, False): (),
    (PushWhen.APPROVED, True): ("awaiting_approval",),
    (PushWhen.SCHEDULED, False): ("awaiting_payment",),
    (PushWhen.SCHEDULED, True): ("awaiting_approval", "awaiting_payment"),
}
"""By what is stored, and whether approvals are on: where a bill waits before it goes out, as docs/reference says."""


async def person(api: StackClient, database_url: str, name: str, *roles: str) -> PersonClient:
    """A person of the organization, with a key of their own."""
    database = Database(database_url, pool_size=1)
    try:
        async with database.statement() as session:
            statement = text("select organization_id from connections where id = :id")
            organization = (await session.execute(statement, {"id": api.connection_id})).scalar_one()
        return await add_person(
            api.http, api.keys["admin"], database, OrganizationId(organization), name, roles or ("approver",)
        )
    finally:
        await database.close()


async def let_approve(api: StackClient, *steps: list[PersonClient]) -> None:
    """One rule for all bills."""
    rule = {"name": "all", "steps": [{"approvers": [one.id for one in step]} for step in steps]}
    answer = await api.put(f"/v1/connections/{api.connection_id}/approval-rules", {"rules": [rule]})
    assert answer.status_code == 200, answer.text


async def set_approvals(api: StackClient, **settings: Any) -> dict[str, Any]:
    answer = await api.put(f"/v1/connections/{api.connection_id}/approvals", settings)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def walk(api: StackClient, company: SandboxCompany, database_url: str, kind: str, asked: Settings) -> None:
    """Ask for the settings; where they are taken, a bill of PO-1 waits where it must, and reaches the books once.

    `kind` is what the ERP's books call a bill.
    """
    company.order("PO-1", "10")
    if kind == "bills":  # NetSuite takes no bill ahead of its receipt here; Intacct would bill the receipt
        company.does("receive", number="PO-1")
    await api.start()
    body = {"enabled": asked.enabled, "push_when": asked.push_when, "only_approved": asked.only_approved}
    becomes = SETTINGS[asked]
    if not isinstance(becomes, PushWhen):
        refused(await api.put(f"/v1/connections/{api.connection_id}/approvals", body), 409, becomes)
        stored = await api.get(f"/v1/connections/{api.connection_id}/approvals")
        assert (stored["enabled"], stored["push_when"], stored["only_approved"]) == (False, "matched", False)
        return
    ben = await person(api, database_url, "Ben")
    await let_approve(api, [ben])
    answer = await set_approvals(api, **body)
    assert answer["approvals"]["push_when"] == becomes
    notices = [one for one in await api.items("/v1/notices") if one["code"] == "PUSH_WHEN_CHANGED"]
    assert (answer["notice"] is not None) == (becomes != asked.push_when) == bool(notices)

    bill_id = await api.bill("PO-1", {1: "10"})
    payment_id = ""
    for stage in STAGES[becomes, asked.enabled]:
        bill = await api.read_bill(bill_id)
        assert (bill["status"], bill["write"]["state"]) == (stage, "held")
        assert company.held(kind) == []
        if stage == "awaiting_approval":
            early = {"amount": "125.00", "pay_on": bill["bill_date"]}
            refused(await api.post(f"/v1/bills/{bill_id}/payments", early), 409, "BILL_NOT_APPROVED")
            approved = await ben.approve(bill_id)
            assert approved.status_code == 200, approved.text
        else:
            payment_id = await api.pay(bill_id, "125.00")
    bill = await api.arrived(bill_id)
    assert len(company.held(kind)) == 1
    assert bill["approval"] == ("approved" if asked.enabled else "not_required")
    if payment_id:
        await api.payment_is(payment_id, "paid")
        assert len(company.held("payments")) == 1
        assert len(company.held(kind)) == 1
    if asked.only_approved:
        path = f"/v1/connections/{api.connection_id}/approvals"
        refused(await api.put(path, {"only_approved": False}), 409, "ONLY_APPROVED_IS_PERMANENT")
        refused(await api.put(path, {"enabled": False}), 409, "ONLY_APPROVED_IS_PERMANENT")
        assert (await set_approvals(api, push_when="scheduled"))["approvals"]["push_when"] == "scheduled"
