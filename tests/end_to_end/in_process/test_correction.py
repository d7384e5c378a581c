"""Bills are corrected, taken off their order and put on another one until they are sent, up to Intacct's books."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from settings import Settings as Environment
from tests.harness.account_lines import RENT, furnish
from tests.harness.approval_walk import let_approve, person, set_approvals
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, ledger, refused

YESTERDAY = (today() - timedelta(days=1)).isoformat()
LONG_AGO = (today() - timedelta(days=400)).isoformat()
REMINDER = "GL_ACCOUNT_NOT_SYNCED"


async def between_attempts(api: StackClient, ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """What the API answers while no attempt to send the bill is running: during one it is on its way."""

    async def said() -> httpx.Response | None:
        answer = await ask()
        return None if "BILL_ON_ITS_WAY" in answer.text or "LINK_IS_FINAL" in answer.text else answer

    answer: httpx.Response = await api.until(said, "a moment between two attempts")
    assert answer.status_code == 200, answer.text
    return answer


async def corrected(api: StackClient, bill: dict[str, Any], order: str, lines: Any, **header: Any) -> Any:
    """Put these lines of the order in the place of what the bill says."""
    order_id = (await api.order(order))["id"]
    body = {"number": bill["number"], "bill_date": bill["bill_date"], "lines": lines, **header}
    return await api.post(f"/v1/purchase-orders/{order_id}/bills/{bill['id']}", body, role="clerk")


async def reminders(api: StackClient) -> int:
    return len([one for one in await api.items("/v1/notices") if one["code"] == REMINDER])


async def test_all_of_a_bill_is_corrected_before_it_is_sent(api: StackClient, company: SandboxCompany) -> None:
    """Q36, S1-24: number, dates, quantity, price and text; its own quantity is left out when it is matched again. What
    would be blocked leaves the bill as it was. The books then hold what it says now, once."""
    company.order("PO-1", "10")
    await api.start()
    company.breaks("unavailable", times=None)
    bill_id = await api.bill("PO-1", {1: "6"}, number="INV-WRONG")

    async def not_on_its_way() -> Any:
        shown = await api.read_bill(bill_id)
        return shown if shown["editable"]["why"] == "" else None

    bill = await api.until(not_on_its_way, "a moment between two attempts")
    assert bill["editable"]["everything"] is True

    async def too_much() -> bool:
        answer = await corrected(api, bill, "PO-1", [{"order_line_no": 1, "quantity": "11"}])
        return "BILL_ON_ITS_WAY" not in answer.text and bool(refused(answer, 422, "MATCH_BLOCKED"))

    await api.until(too_much, "an attempt that ends")
    assert ledger(await api.order("PO-1")) == (10, 0, 0, 6)
    lines = [{"order_line_no": 1, "quantity": "10", "price": "12.25", "description": "Bolts"}]
    header = {"number": "INV-RIGHT", "bill_date": YESTERDAY, "posting_date": today().isoformat(), "memo": "as agreed"}
    header["due_date"], header["total"] = today().isoformat(), "122.50"
    answer = await between_attempts(api, lambda: corrected(api, bill, "PO-1", lines, **header))
    assert answer.json()["match"]["outcome"] == "OK"
    assert ledger(await api.order("PO-1")) == (10, 0, 0, 10)
    company.mend()
    now = await api.arrived(bill["id"])
    (invoice,) = company.held("vendor_invoices")
    assert (invoice["vendor_number"], invoice["memo"], invoice["number"]) == (
        "INV-RIGHT", "as agreed", now["external_key"],
    )  # fmt: skip
    day = "%m/%d/%Y"
    assert (invoice["date"], invoice["posting_date"], invoice["due_date"]) == (
        (today() - timedelta(days=1)).strftime(day), today().strftime(day), today().strftime(day),
    )  # fmt: skip
    assert amounts(invoice["lines"][0], "quantity", "price") == (Decimal(10), Decimal("12.25"))
    assert ledger(await api.order("PO-1")) == (10, 0, 10, 0)
    (event,) = [one for one in now["events"] if one["kind"] == "edited"]
    assert (event["before"]["number"], event["after"]["number"]) == ("INV-WRONG", "INV-RIGHT")
    assert (event["before"]["line 1 price"], event["after"]["line 1 price"]) == ("12.5", "12.25")


async def test_a_refused_bill_goes_out_with_what_a_person_corrects_of_it(
    api: StackClient, company: SandboxCompany
) -> None:
    """Kind 3: its cause is gone, so nobody has to retry: once by its posting date alone, once by all that it says."""
    company.orders("PO-1", "PO-2")
    await api.start()
    company.does("close_period", entity="100", through=today().isoformat())
    tomorrow = (today() + timedelta(days=1)).isoformat()
    edited = await api.bill("PO-1", {1: "4"})
    await api.issue("PERIOD_CLOSED")
    assert (await api.patch(f"/v1/bills/{edited}", {"posting_date": tomorrow}, role="clerk")).status_code == 200
    await api.arrived(edited)
    assert await api.issues() == []
    bill = await api.read_bill(await api.bill("PO-2", {1: "4"}))
    await api.issue("PERIOD_CLOSED")
    lines = [{"order_line_no": 1, "quantity": "3"}]
    answer = await corrected(api, bill, "PO-2", lines, posting_date=tomorrow)
    assert answer.status_code == 200, answer.text
    await api.arrived(bill["id"])
    assert await api.issues() == []
    assert ledger(await api.order("PO-2")) == (10, 0, 3, 0)
    closed = await api.items("/v1/sync-issues", state="resolved")
    assert {one["subject_id"] for one in closed} == {edited, bill["id"]}
    entered = {event["actor"] for event in (await api.read_bill(edited))["events"] if event["kind"] == "edited"}
    assert {one["closed_by"] for one in closed} == entered, closed
    assert len(company.held("vendor_invoices")) == 2


async def test_a_bill_taken_off_its_order_is_a_draft_until_it_is_put_on_another(
    api: StackClient, company: SandboxCompany
) -> None:
    """S1-24, S1-26: nothing of a draft is sent, paid or reserved; on the right order it goes out once, and the wrong
    one never hears of it."""
    company.orders("PO-1", "PO-2")
    await api.start()
    company.breaks("unavailable", times=None)
    bill_id = await api.bill("PO-1", {1: "4"}, number="INV-4")
    await between_attempts(api, lambda: api.post(f"/v1/bills/{bill_id}/unlink", role="clerk"))
    draft = await api.read_bill(bill_id)
    assert (draft["status"], draft["purchase_order_id"], draft["write"]["state"]) == ("draft", None, "held")
    assert draft["editable"]["everything"] is True
    assert ledger(await api.order("PO-1")) == (10, 0, 0, 0)
    early = {"amount": "10.00", "pay_on": today().isoformat()}
    refused(await api.post(f"/v1/bills/{bill_id}/payments", early, role="accountant"), 409, "BILL_NOT_PAYABLE")
    refused(await api.post(f"/v1/bills/{bill_id}/unlink", role="clerk"), 409, "BILL_NOT_LINKED")
    company.mend()
    await api.sync()
    assert company.held("vendor_invoices") == []
    order = (await api.order("PO-2"))["id"]
    shown = await api.get(f"/v1/bills/{bill_id}/draft", purchase_order_id=order)
    assert (shown["unassigned"], shown["lines"][0]["quantity"]) == ([], "4")
    moved = await api.post(f"/v1/purchase-orders/{order}/bills/{bill_id}", shown, role="clerk")
    assert moved.status_code == 200, moved.text
    await api.arrived(bill_id)
    (invoice,) = company.held("vendor_invoices")
    assert (invoice["created_from"], invoice["vendor_number"]) == ("Purchase Order-PO-2", "INV-4")
    await api.sync()
    assert ledger(await api.order("PO-1")) == (10, 0, 0, 0)
    assert ledger(await api.order("PO-2")) == (10, 0, 4, 0)
    assert (await api.issues(), len(await api.items("/v1/bills"))) == ([], 1)


async def test_after_the_sync_it_is_refused_with_the_reason_that_the_bill_showed_before(
    api: StackClient, company: SandboxCompany
) -> None:
    """S1-25, S4-27, S4-73: what may be edited is on the bill; a dispute is the way to correct the rest."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "4"})
    may = bill["editable"]
    assert (may["everything"], may["fields"]) == (False, ["memo", "due_date"])
    assert "ERP holds the bill" in may["why"]
    lines = [{"order_line_no": 1, "quantity": "3"}]
    refused(await corrected(api, bill, "PO-1", lines), 409, "EDIT_IN_ERP")
    refused(await api.patch(f"/v1/bills/{bill['id']}", {"bill_date": YESTERDAY}, role="clerk"), 409, "EDIT_IN_ERP")
    refused(await api.post(f"/v1/bills/{bill['id']}/unlink", role="clerk"), 409, "LINK_IS_FINAL")
    assert (await api.post(f"/v1/bills/{bill['id']}/dispute", {"reason": "price"})).status_code == 200
    disputed = await api.bill_is(bill["id"], "disputed")
    assert disputed["editable"]["everything"] is True
    assert (await corrected(api, bill, "PO-1", lines)).status_code == 200
    assert (await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "agreed"})).status_code == 200
    anew = await api.arrived(bill["id"])
    (invoice,) = company.held("vendor_invoices")
    assert (invoice["number"], Decimal(invoice["lines"][0]["quantity"])) == (anew["external_key"], 3)
    assert ledger(await api.order("PO-1")) == (10, 0, 3, 0)
    await api.payment_is(await api.pay(bill["id"], "1.00"), "paid")
    paid = (await api.bill_is(bill["id"], "partially_paid"))["editable"]
    assert (paid["fields"], paid["line_fields"]) == ([], ["account"])
    assert "Paid 1.00" in paid["why"]
    refused(await api.patch(f"/v1/bills/{bill['id']}", {"memo": "late"}, role="clerk"), 409, "BILL_HAS_PAYMENTS")


@pytest.mark.parametrize("direct", [False, True], ids=["on an order", "without an order"])
async def test_dates_edited_on_the_way_are_looked_at_before_the_bill_is_sent(
    api: StackClient, company: SandboxCompany, direct: bool
) -> None:
    """Issue 13.7: a bill that is about to go out is held by the dates that somebody gives it, as at its entry; put
    right, it goes out by itself."""
    furnish(company)
    company.order("PO-1")
    await api.start()
    company.breaks("unavailable", times=None)
    bill_id = await (api.direct_bill([RENT]) if direct else api.bill("PO-1", {1: "4"}))
    change = {"bill_date": LONG_AGO}
    edited = await between_attempts(api, lambda: api.patch(f"/v1/bills/{bill_id}", change, role="clerk"))
    assert (edited.json()["bill"]["status"], edited.json()["bill"]["write"]["state"]) == ("on_hold", "held")
    company.mend()
    await api.sync()
    assert company.held("vendor_invoices") == company.held("bills") == []
    needs = (await api.get(f"/v1/bills/{bill_id}/match"))["needs"]["release"]
    assert len(needs) == 1, needs
    due = {"bill_date": today().isoformat(), "due_date": YESTERDAY}
    edited = await api.patch(f"/v1/bills/{bill_id}", due, role="clerk")
    assert edited.json()["bill"]["status"] == "on_hold", "it is due before it was written"
    due = {"due_date": today().isoformat()}
    edited = await api.patch(f"/v1/bills/{bill_id}", due, role="clerk")
    assert edited.json()["bill"]["status"] == "pending_push", edited.text
    await api.arrived(bill_id)
    (there,) = company.held("bills")
    assert there["due_date"] == today().strftime("%m/%d/%Y")


async def test_an_approval_does_not_overtake_the_dates_that_were_edited_before_it(
    api: StackClient, company: SandboxCompany, whole_settings: Environment
) -> None:
    """S5-05: approved in the same breath as its date is edited, the bill is held all the same."""
    company.order("PO-1")
    await api.start()
    ben = await person(api, whole_settings.database_url, "Ben")
    await let_approve(api, [ben])
    await set_approvals(api, enabled=True)
    bill_id = await api.bill("PO-1", {1: "4"})
    await api.bill_is(bill_id, "awaiting_approval")
    assert (await api.patch(f"/v1/bills/{bill_id}", {"bill_date": LONG_AGO}, role="clerk")).status_code == 200
    assert (await ben.approve(bill_id)).status_code == 409, "its match is settled first"
    assert (await api.bill_is(bill_id, "on_hold"))["write"]["state"] == "held"
    assert company.held("vendor_invoices") == []


async def test_the_gl_account_is_reminded_of_at_each_step_and_never_sent(
    api: StackClient, company: SandboxCompany
) -> None:
    """S1-17, S1-18: at the entry, by an edit and by a correction before the push, and by an edit after it: in the
    answer, as a notice, on the bill. The books never hold it."""
    furnish(company)
    company.order("PO-1")
    await api.start()
    company.breaks("unavailable", times=None)
    unknown = [{"order_line_no": 1, "quantity": "4", "account": "6601"}]
    assert "lines.0.account" in refused(await api.enter("PO-1", {}, lines=unknown), 422, "VALIDATION_FAILED")["detail"]
    lines = [{"order_line_no": 1, "quantity": "4", "account": "6600"}]
    entered = (await api.enter("PO-1", {}, lines=lines)).json()
    bill = entered["bill"]
    path = f"/v1/bills/{bill['id']}"
    assert [one["code"] for one in entered["notices"]] == [REMINDER]
    assert [one["code"] for one in (await api.read_bill(bill["id"]))["reminders"]] == [REMINDER]
    assert await reminders(api) == 1
    account = {"lines": [{"line_no": 1, "account": "6700"}]}
    edited = (await between_attempts(api, lambda: api.patch(path, account, role="clerk"))).json()
    assert ([one["code"] for one in edited["notices"]], await reminders(api)) == ([REMINDER], 2)
    bill["bill_date"] = today().isoformat()
    answer = await between_attempts(api, lambda: corrected(api, bill, "PO-1", lines))
    assert ([one["code"] for one in answer.json()["notices"]], await reminders(api)) == ([REMINDER], 3)
    company.mend()
    await api.arrived(bill["id"])
    edited = (await api.patch(path, account, role="clerk")).json()
    assert ([one["code"] for one in edited["notices"]], await reminders(api)) == ([REMINDER], 4)
    assert edited["bill"]["edit_pending"] is False
    await api.sync()
    shown = await api.read_bill(bill["id"])
    assert (shown["lines"][0]["account"], [one["code"] for one in shown["reminders"]]) == ("6700", [REMINDER])
    held = {
        line.get("account")
        for kind in ("vendor_invoices", "bills")
        for one in company.held(kind)
        for line in one["lines"]
    }
    assert not held & {"6600", "6700"}


async def test_a_bill_of_a_line_that_was_removed_there_and_not_synced_is_corrected(
    api: StackClient, company: SandboxCompany
) -> None:
    """B6's brother: accepted for a line that the mirror still has. Intacct refuses it without saying why; the issue
    does. The sync that sees it puts the bill on hold, which says what is wrong, and the correction lets it go on."""
    company.order("PO-1")
    await api.start()
    company.does("edit_purchase_order", number="PO-1", line="1", remove=True)
    bill_id = await api.bill("PO-1", {1: "4"}, number="INV-1")
    issue = await api.issue("ORDER_LINE_GONE")
    assert (issue["subject_id"], "ITEM-1" in issue["cause"]) == (bill_id, True)
    await api.sync()
    order = await api.order("PO-1")
    assert [line["item_id"] for line in order["lines"]] == ["ITEM-2"]
    bill = await api.bill_is(bill_id, "on_hold")
    assert await api.issues() == []
    (finding,) = (await api.get(f"/v1/bills/{bill_id}/match"))["needs"]["fix"]
    assert (finding["code"], finding["message"]) == (
        "LINE_NOT_ON_ORDER",
        "Line 1 of the bill bills ITEM-1 on a line that order PO-1 does not have.",
    )
    answer = await corrected(api, bill, "PO-1", [{"order_line_no": order["lines"][0]["line_no"], "quantity": "2"}])
    assert answer.status_code == 200, answer.text
    await api.arrived(bill_id)
    (held,) = company.held("vendor_invoices")
    assert [line["item_id"] for line in held["lines"]] == ["ITEM-2"]
    assert await api.issues() == []
