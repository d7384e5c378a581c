"""Approvals on the whole stack: what a bill waits for, from the API to Intacct's books."""

import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

from models import contract
from models.domain.approvals import PushWhen
from services.approvals.push_rules import SETTINGS, Settings, becomes
from settings import Settings as Environment
from tests.harness.account_lines import RENT, furnish
from tests.harness.approval_walk import let_approve, person, set_approvals, walk
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, ledger, refused
from tests.harness.workflow_client import details

COMBINATIONS = [Settings(*each) for each in itertools.product(PushWhen, *3 * [(False, True)])]


def test_every_combination_has_its_row() -> None:
    """The table leaves no combination of push_when, approvals, policy and drafts open."""
    assert set(SETTINGS) == set(COMBINATIONS)


def combinations() -> Iterator[ParameterSet]:
    """Each combination, with orders and without. Of those that end alike, all but the first are marked `long`."""
    seen = set()
    for asked, orders in itertools.product(COMBINATIONS, (True, False)):
        end = becomes(asked, orders=orders, drafts=True, order_drafts=True)
        alike = (end, orders, isinstance(end, PushWhen) and (asked.enabled, asked.draft_order_bills))
        name = f"{'-'.join(map(str, asked))}-{'orders' if orders else 'no-orders'}"
        yield pytest.param(asked, orders, id=name, marks=[pytest.mark.long] if alike in seen else [])
        seen.add(alike)


@pytest.mark.parametrize(("asked", "orders"), list(combinations()))
async def test_a_bill_goes_out_when_the_settings_say_so(
    api: StackClient, company: SandboxCompany, whole_settings: Environment, asked: Settings, orders: bool
) -> None:
    """S2-58..60, S4-24, S5-04..06, S5-152: refused or taken; held here until approved, or paid, or a draft
    in the books until approved; then once."""
    kind = "vendor_invoices" if orders else "bills"
    await walk(api, company, whole_settings.database_url, kind, asked, orders=orders)


async def test_a_payment_that_is_abandoned_in_time_keeps_the_bill_here(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-04: a bill goes out with its first payment; abandoned while the ERP is away, the bill waits again."""
    company.order("PO-1", "10")
    await api.start()
    await set_approvals(api, push_when="scheduled")
    bill_id = await api.bill("PO-1", {1: "10"})
    company.breaks("unavailable", times=None)
    payment_id = await api.pay(bill_id, "125.00")
    assert (await api.read_bill(bill_id))["status"] == "pending_push"
    dropped = await api.post(f"/v1/payments/{payment_id}/abandon", {"reason": "too early"}, role="accountant")
    assert dropped.status_code == 200, dropped.text
    left = await api.read_bill(bill_id)
    company.mend()
    if left["write"]["state"] == "held":
        assert left["status"] == "awaiting_payment"
        assert company.held("vendor_invoices") == []
    await api.pay(bill_id, "125.00")
    await api.arrived(bill_id)
    assert len(company.held("vendor_invoices")) == 1


async def test_a_bill_that_was_paid_outside_goes_out_with_the_record_of_it(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-04, S2-65: the first payment that lets a bill go out may be one that was made already, on its own day."""
    company.order("PO-1", "10")
    await api.start()
    await set_approvals(api, push_when="scheduled")
    bill_id = await api.bill("PO-1", {1: "10"})
    await api.bill_is(bill_id, "awaiting_payment")
    day = today() - timedelta(days=3)
    paid = {"amount": "125.00", "pay_on": day.isoformat()}
    path = f"/v1/bills/{bill_id}/payments"
    refused(await api.post(path, paid, role="accountant"), 422, "PAY_ON_IS_PAST")
    to_come = {**paid, "pay_on": (today() + timedelta(days=2)).isoformat(), "paid_outside": True}
    refused(await api.post(path, to_come, role="accountant"), 422, "PAID_OUTSIDE_IN_FUTURE")
    answer = await api.post(path, {**paid, "paid_outside": True}, role="accountant")
    assert answer.status_code == 201, answer.text
    await api.payment_is(answer.json()["payment"]["id"], "paid")
    assert len(company.held("vendor_invoices")) == 1
    (sent,) = company.held("payments")
    assert (sent["date"], sent["amount"]) == (f"{day:%m/%d/%Y}", "125.00")
    assert (await api.bill_is(bill_id, "paid"))["due"] == "0.00"
    await api.sync()
    assert (await api.issues(), len(company.held("payments"))) == ([], 1)


async def test_switching_approvals_holds_what_was_not_sent_and_lets_it_go(
    api: StackClient, company: SandboxCompany, whole_settings: Environment
) -> None:
    """S2-58: a bill in review gets its approvers when approvals are switched on, and needs none when they are off."""
    company.order("PO-1", "10")
    await api.start()
    ben = await person(api, whole_settings.database_url, "Ben")
    await let_approve(api, [ben])
    line = {"order_line_no": 1, "quantity": "10", "price": "100.00"}
    bill_id = (await api.enter("PO-1", {}, lines=[line])).json()["bill"]["id"]
    await set_approvals(api, enabled=True)
    released = await api.post(f"/v1/bills/{bill_id}/release", {"reason": "agreed"}, role="accountant")
    assert released.json()["status"] == "awaiting_approval"
    assert (await api.read_bill(bill_id))["approval"] == "assigned"

    workflow = api.temporal.get_workflow_handle(contract.bill_workflow_id(bill_id))

    async def operator_reads() -> bool:
        shown = await details(workflow)
        return "Waiting for: people to approve it" in shown and "- step 1 of 1: Ben to approve" in shown

    await api.until(operator_reads, "the operator to read who is asked")
    await set_approvals(api, enabled=False, push_when="matched")
    await api.arrived(bill_id)
    assert (await api.read_bill(bill_id))["approval"] == "not_required"
    assert len(company.held("vendor_invoices")) == 1


async def test_a_draft_stays_one_after_the_setting_is_off(
    api: StackClient, company: SandboxCompany, whole_settings: Environment
) -> None:
    """S5-05, S5-152: of two drafts one is released by its approval, the other is denied and deleted there; both orders
    are right afterwards."""
    company.orders("PO-1", "PO-2")
    await api.start()
    ben = await person(api, whole_settings.database_url, "Ben")
    await let_approve(api, [ben])
    await set_approvals(api, enabled=True, draft_order_bills=True)
    good, bad = [await api.bill(number, {1: "4"}) for number in ("PO-1", "PO-2")]
    for bill_id in (good, bad):
        await api.bill_is(bill_id, "synced")
    assert [one["state"] for one in company.held("vendor_invoices")] == ["Draft", "Draft"]
    await set_approvals(api, draft_order_bills=False)
    assert (await ben.approve(good)).status_code == 200
    assert (await ben.deny(bad)).status_code == 200
    assert (await api.post(f"/v1/bills/{bad}/delete", {"reason": "not ours"})).status_code == 200
    await api.bill_is(bad, "deleted")
    await api.arrived(good)
    (invoice,) = company.held("vendor_invoices")
    assert (invoice["state"], invoice["created_from"]) == ("Pending", "Purchase Order-PO-1")
    await api.sync()
    assert (ledger(await api.order("PO-1")), ledger(await api.order("PO-2"))) == ((10, 0, 4, 0), (10, 0, 0, 0))
    assert await api.issues() == []


async def test_a_bill_behind_a_draft_waits_for_its_approval(
    api: StackClient, company: SandboxCompany, whole_settings: Environment
) -> None:
    """B10, W4, S5-152: Intacct makes nothing else of an order that a draft is made of. The next bill is told so when it
    is saved, whether the draft is there already or not, and goes on by itself."""
    company.order("PO-1")
    await api.start()
    ben = await person(api, whole_settings.database_url, "Ben")
    await let_approve(api, [ben])
    await set_approvals(api, enabled=True, draft_order_bills=True)
    first = await api.bill("PO-1", {1: "4"})
    answer = (await api.enter("PO-1", {2: "1"})).json()
    (found,) = answer["match"]["findings"]
    number = (await api.read_bill(first))["number"]
    assert (found["code"], found["severity"]) == ("SOURCE_IN_USE", "HOLD")
    assert f"bill {number}, a draft until it is approved, is made of Purchase Order-PO-1" in found["message"]
    await api.bill_is(first, "synced")
    assert (await ben.approve(first)).status_code == 200
    await api.bill_is(answer["bill"]["id"], "synced")
    assert sorted(one["state"] for one in company.held("vendor_invoices")) == ["Draft", "Pending"]
    assert await api.issues() == []


@pytest.mark.parametrize("drafts", [False, True])
async def test_an_approved_bill_carries_the_day_of_its_approval(
    api: StackClient, company: SandboxCompany, whole_settings: Environment, drafts: bool
) -> None:
    """S5-09: in the company's own field, with the bill or with the release of its draft; S5-05: before or after the
    approval, as the connection says. Without the field named, nothing is sent."""
    furnish(company)
    company.orders("PO-1", "PO-2")
    await api.start()
    ben = await person(api, whole_settings.database_url, "Ben")
    await let_approve(api, [ben])
    await set_approvals(api, enabled=True, draft_order_bills=drafts)

    async def approved(bill_id: str, *, draft: bool = drafts) -> str:
        if draft:
            await api.bill_is(bill_id, "synced")
        assert (await ben.approve(bill_id)).status_code == 200
        await api.arrived(bill_id)
        return str((await api.read_bill(bill_id))["approved_at"])[:10]

    await approved(await api.bill("PO-2", {1: "1"}))
    assert company.one("vendor_invoices", reference="PO-2")["custom_fields"] == {}
    await api.prefer(approval_date_field="approved_on")
    day = date.fromisoformat(await approved(await api.bill("PO-1", {1: "4"})))
    shown = {"APPROVED_ON": f"{day:%m/%d/%Y}"}
    assert company.one("vendor_invoices", reference="PO-1")["custom_fields"] == shown
    await approved(await api.direct_bill([RENT], number="RENT-3"), draft=False)
    assert company.one("bills", number="RENT-3")["custom_fields"] == shown
    assert await api.issues() == []


@pytest.mark.parametrize("drafts", [False, True])
async def test_a_day_of_approval_that_intacct_did_not_take_is_reported(
    api: StackClient, company: SandboxCompany, whole_settings: Environment, drafts: bool
) -> None:
    """S5-09: it is read back and compared, of a bill that was approved first and of a draft that was released."""
    furnish(company)
    company.order("PO-1")
    await api.start()
    ben = await person(api, whole_settings.database_url, "Ben")
    await let_approve(api, [ben])
    await set_approvals(api, enabled=True, draft_order_bills=drafts)
    await api.prefer(approval_date_field="approved_on")
    company.switch(custom_fields_written="leave_out")
    for bill_id in (await api.bill("PO-1", {1: "4"}), await api.direct_bill([RENT], number="RENT-3")):
        if (await api.read_bill(bill_id))["direct"] is False and drafts:
            await api.bill_is(bill_id, "synced")
        assert (await ben.approve(bill_id)).status_code == 200

        async def reported(bill_id: str = bill_id) -> list[Any]:
            return [one for one in await api.issues() if one["subject_id"] == bill_id]

        (issue,) = await api.until(reported, "the difference")
        assert "the day of the approval: sent" in str(issue), issue
        assert "Intacct has nothing in APPROVED_ON" in str(issue), issue
