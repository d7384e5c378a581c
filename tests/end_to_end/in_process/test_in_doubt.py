"""A write whose answer was lost, and whose look-up does not succeed: nobody abandons it, and nothing is made twice."""

import pytest

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, ledger, refused
from tests.harness.variants import first_of


async def test_a_bill_whose_look_up_is_refused_is_neither_abandoned_nor_made_twice(
    api: StackClient, company: SandboxCompany
) -> None:
    """G3: the look-up is refused with an error nobody knows; that is no refusal of the bill."""
    company.order("PO-1")
    await api.start()
    company.breaks("lost_answer", "create_potransaction")
    company.breaks("unknown_error", "query", times=None, object="PODOCUMENT")
    bill_id = await api.bill("PO-1", {1: "4"}, number="INV-G3")
    issue = await api.issue("LOOK_UP_REFUSED")
    assert (issue["subject_id"], issue["evidence"]["erp_code"]) == (bill_id, "ZZ99000777")
    assert "nobody knows whether" in issue["cause"]
    abandon = await api.post(f"/v1/sync-issues/{issue['id']}/abandon", {"why": "no"}, role="accountant")
    refused(abandon, 409, "WRITE_IN_DOUBT")
    refused(await api.post(f"/v1/bills/{bill_id}/abandon", {"reason": "no"}, role="clerk"), 409, "BILL_ON_ITS_WAY")
    refused(await api.post(f"/v1/bills/{bill_id}/unlink", role="clerk"), 409, "LINK_IS_FINAL")
    again = await api.enter("PO-1", {1: "4"}, number="INV-G3")
    assert again.status_code == 422, again.text
    assert "DUPLICATE_EXACT" in again.text
    assert ledger(await api.order("PO-1"))[3] == 4, "still reserved"
    assert [one["id"] for one in await api.issues()] == [issue["id"]], "it is still open"
    company.mend()
    await api.settle(issue, "retry")
    await api.arrived(bill_id)
    assert len(company.held("vendor_invoices")) == 1
    assert await api.issues() == []


async def test_a_look_up_that_a_proxy_answers_goes_on_by_itself(api: StackClient, company: SandboxCompany) -> None:
    """G3: HTTP 400 from a proxy is nobody's word; the bill stays in doubt and is looked up again."""
    company.order("PO-1")
    await api.start()
    company.breaks("lost_answer", "create_potransaction")
    company.breaks("bad_request", "query", times=3, object="PODOCUMENT")
    bill_id = await api.bill("PO-1", {1: "4"})
    await api.arrived(bill_id)
    assert company.fired("bad_request") == 3
    assert len(company.held("vendor_invoices")) == 1
    assert await api.issues() == []


async def test_a_payment_whose_look_up_is_refused_is_neither_abandoned_nor_made_twice(
    api: StackClient, company: SandboxCompany
) -> None:
    """G3: paid twice, it would be money."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "8"})
    company.breaks("lost_answer", "create_appaymentrequest")
    company.breaks("lost_answer", "create", object="APPYMT")
    company.breaks("unknown_error", "query", times=None, object="APPYMT")
    payment_id = await api.pay(bill["id"], "40.00")
    issue = await api.issue("LOOK_UP_REFUSED")
    assert issue["subject_id"] == payment_id
    abandon = await api.post(f"/v1/sync-issues/{issue['id']}/abandon", {"why": "no"}, role="accountant")
    refused(abandon, 409, "WRITE_IN_DOUBT")
    abandon = await api.post(f"/v1/payments/{payment_id}/abandon", {"reason": "no"}, role="accountant")
    refused(abandon, 409, "WRITE_IN_DOUBT")
    body = {"amount": "100.00", "pay_on": bill["bill_date"]}
    refused(await api.post(f"/v1/bills/{bill['id']}/payments", body, role="accountant"), 422, "OVERPAYMENT")
    company.mend()
    await api.settle(issue, "retry")
    await api.payment_is(payment_id, "paid")
    assert len(company.held("payments")) == 1
    assert await api.issues() == []


@pytest.mark.parametrize("kind", first_of("bad_request", "empty_answer", "status_missing"))
async def test_an_answer_that_lost_its_parts_after_the_commit_is_looked_up(
    api: StackClient, company: SandboxCompany, kind: str
) -> None:
    """G4: HTTP 400, `<response/>`, or no status, after Intacct has committed."""
    company.order("PO-1")
    await api.start()
    company.breaks(kind, "create_potransaction")
    bill = await api.billed("PO-1", {1: "4"})
    assert company.fired(kind) == 1
    company.breaks(kind, "create", object="APPYMT")
    company.breaks(kind, "create_appaymentrequest")
    await api.payment_is(await api.pay(bill["id"], "40.00"), "paid")
    assert (len(company.held("vendor_invoices")), len(company.held("payments"))) == (1, 1)
    assert await api.issues() == []
