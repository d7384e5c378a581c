"""Walk one bill through a connection's settings of approvals, with the pretend ERP's books at every step.

Real: everything but the ERP, which is the sandbox.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from models.domain.approvals import PushWhen
from models.domain.ids import OrganizationId
from models.store.base.database import Database
from services.approvals.push_rules import Settings, becomes
from tests.harness.account_lines import furnish
from tests.harness.people import PersonClient, add_person
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, ledger, refused

LINE = {"account": "6600", "amount": "125.00", "description": "Rent", "location": "100"}

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


async def walk(
    api: StackClient, company: SandboxCompany, database_url: str, kind: str, asked: Settings, *, orders: bool = True
) -> None:
    """Ask for the settings; where they are taken, a bill waits where it must, and reaches the books once: one of PO-1,
    or without purchase orders one without an order.

    `kind` is what the ERP's books call a bill.
    """
    if not orders:
        furnish(company)
    company.order("PO-1", "10")
    if kind == "bills" and orders:  # NetSuite takes no bill ahead of its receipt here; Intacct would bill the receipt
        company.does("receive", number="PO-1")
    await api.start()
    if not orders:
        await api.match("two_way", enabled=False)
    # Intacct alone keeps drafts of an order's bills.
    result = becomes(asked, orders=orders, drafts=True, order_drafts=company.set_up.erp == "intacct")
    body = asked._asdict()
    if not isinstance(result, PushWhen):
        refused(await api.put(f"/v1/connections/{api.connection_id}/approvals", body), 409, result)
        stored = await api.get(f"/v1/connections/{api.connection_id}/approvals")
        assert (stored["enabled"], stored["push_when"], stored["only_approved"]) == (False, "matched", False)
        assert stored["draft_order_bills"] is False
        return
    ben = await person(api, database_url, "Ben")
    await let_approve(api, [ben])
    answer = await set_approvals(api, **body)
    assert answer["approvals"]["push_when"] == result
    notices = [one for one in await api.items("/v1/notices") if one["code"] == "PUSH_WHEN_CHANGED"]
    assert (answer["notice"] is not None) == (result != asked.push_when) == bool(notices)

    bill_id = await (api.bill("PO-1", {1: "10"}) if orders else api.direct_bill([LINE], number="RENT-1"))
    payment_id = ""
    if result is PushWhen.BEFORE_APPROVAL:
        await _posted_by_its_approval(api, company, ben, bill_id)
        return
    if asked.draft_order_bills and orders:
        await _draft_until_approved(api, company, ben, bill_id)
        return
    for stage in STAGES[result, asked.enabled]:
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


async def _posted_by_its_approval(api: StackClient, company: SandboxCompany, ben: PersonClient, bill_id: str) -> None:
    """Have a bill without an order approved that went out as a draft."""
    await api.bill_is(bill_id, "synced")
    assert [one["state"] for one in company.held("bills")] == ["Draft"]
    assert (await ben.approve(bill_id)).status_code == 200

    async def posted() -> bool:
        return [one["state"] for one in company.held("bills")] == ["Posted"]

    await api.until(posted, "the draft is posted")


async def _draft_until_approved(api: StackClient, company: SandboxCompany, ben: PersonClient, bill_id: str) -> None:
    """Have the order's bill approved that went out as a draft: it moves nothing before, is not paid, and is released
    once."""
    bill = await api.bill_is(bill_id, "synced")
    assert (bill["status"], bill["approval"], bill["edit_pending"]) == ("synced", "assigned", False)
    (invoice,) = company.held("vendor_invoices")
    assert (invoice["state"], company.held("bills")) == ("Draft", [])
    assert ledger(await api.order("PO-1"))[2:] == (0, 10), "it is pending here until the ERP counts it"
    early = {"amount": "125.00", "pay_on": bill["bill_date"]}
    refused(await api.post(f"/v1/bills/{bill_id}/payments", early, role="accountant"), 409, "BILL_NOT_APPROVED")
    await api.sync()
    assert await api.issues() == []
    approved = await ben.approve(bill_id)
    assert approved.status_code == 200, approved.text

    async def released() -> bool:
        return not (await api.read_bill(bill_id))["edit_pending"]

    await api.until(released, "the draft is released")
    (invoice,) = company.held("vendor_invoices")
    assert invoice["state"] == "Pending"
    (payable,) = company.held("bills")
    assert (await api.read_bill(bill_id))["payable_id"] == payable["record_no"]
    assert ledger(await api.order("PO-1"))[2:] == (10, 0)
    await api.payment_is(await api.pay(bill_id, "125.00"), "paid")
    assert await api.issues() == []
