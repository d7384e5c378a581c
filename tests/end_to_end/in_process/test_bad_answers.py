"""An ERP that answers badly, slowly, wrongly or not at all: a clear word for people, and nothing lost."""

import asyncio
from typing import Any

import pytest

from models.store.audit import sync_issues
from tests.harness.sandbox_company import (
    SandboxCompany,
    today,
)
from tests.harness.stack_client import (
    StackClient,
    credentials,
    ledger,
    refused,
)
from tests.harness.variants import first_of


@pytest.mark.parametrize(
    "kind", first_of("malformed", "truncated", "html_error", "unavailable", "throttled", "lost_request")
)
async def test_a_page_that_cannot_be_trusted_is_asked_for_again(
    api: StackClient, company: SandboxCompany, kind: str
) -> None:
    """S4-21: malformed XML, a page cut in half, HTML with status 200, an outage, too many calls: the run goes on."""
    company.orders("PO-1", "PO-2")
    await api.connect()
    await api.prefer()
    company.breaks(kind, "query", times=1, object="PODOCUMENT", **({"seconds": 1} if kind == "throttled" else {}))
    await api.sync()
    assert company.fired(kind) == 1
    assert await api.numbers() == {"PO-1", "PO-2"}
    assert await api.issues() == []
    connection = await api.connection()
    assert (connection["state"], connection["outage_since"], connection["problem"]) == ("ready", None, None)


@pytest.mark.parametrize("kind", first_of("malformed", "truncated", "gateway_timeout", "html_error"))
async def test_a_write_whose_answer_cannot_be_trusted_is_made_once(
    api: StackClient, company: SandboxCompany, kind: str
) -> None:
    """S4-24: looked up before it is repeated."""
    company.order("PO-1")
    await api.start()
    company.breaks(kind, "create_potransaction")
    await api.billed("PO-1", {1: "4"})
    assert company.fired(kind) == 1
    assert len(company.held("vendor_invoices")) == len(company.held("bills")) == 1
    assert await api.issues() == []


async def test_a_session_that_ends_in_mid_sync(api: StackClient, company: SandboxCompany) -> None:
    """S2-51: renewed without anyone noticing, in reading and in writing."""
    company.order("PO-1")
    await api.connect()
    await api.prefer()
    company.breaks("session_expired", "query", object="PODOCUMENT")
    await api.sync()
    company.breaks("session_expired", "create_potransaction")
    await api.billed("PO-1", {1: "4"})
    assert company.fired("session_expired") == 2
    assert len(company.held("vendor_invoices")) == 1
    assert (await api.connection())["state"] == "ready"


async def test_a_record_without_a_mandatory_field_is_named_and_the_others_come_in(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-79..84: one bad record does not stop a page, and comes in once it is whole."""
    company.orders("PO-1", "PO-2", "PO-3")
    await api.connect()
    await api.prefer()
    record = company.one("purchase_orders", number="PO-2")["record_no"]
    company.breaks("missing_field", "query", times=None, object="PODOCUMENT", record=record)
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-3"}
    (issue,) = await api.issues()
    assert issue["code"] == "MISSING_FIELD"
    assert (issue["subject_kind"], issue["subject_id"]) == ("purchase_order", record)
    assert issue["fix"]
    company.mend()
    await api.settle(issue, "retry")
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-2", "PO-3"}
    assert await api.issues() == []


@pytest.mark.parametrize("kind", first_of("missing_field", "unknown_state"))
async def test_a_retry_reads_again_what_lies_behind_the_cursor(
    api: StackClient, company: SandboxCompany, kind: str
) -> None:
    """S2-81, G3: the order did not change since, only what kept it out; with that still there the issue is back."""
    company.order("PO-OLD", days_ago=40)
    company.order("PO-1")
    await api.connect()
    await api.prefer()
    record = company.one("purchase_orders", number="PO-OLD")["record_no"]
    company.breaks(kind, "query", times=None, object="PODOCUMENT", record=record)
    await api.sync()
    assert await api.numbers() == {"PO-1"}
    (issue,) = await api.issues()
    await api.settle(issue, "retry")
    await api.sync()
    (still,) = await api.issues()
    assert (still["code"], still["subject_id"]) == (issue["code"], record)
    company.mend()
    await api.settle(still, "retry")
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-OLD"}
    assert await api.issues() == []


async def test_a_retry_reads_again_an_order_that_is_held(api: StackClient, company: SandboxCompany) -> None:
    """G3: a word nobody knew left the last meaning in place; once it is known, the order shows what the ERP says."""
    company.order("PO-1")
    await api.start()
    record = company.one("purchase_orders", number="PO-1")["record_no"]
    company.breaks("unknown_state", "query", times=None, object="PODOCUMENT", record=record)
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="12")
    await api.sync()
    issue = await api.issue("UNKNOWN_ERP_STATUS")
    odd = await api.order("PO-1")
    assert (odd["status"], odd["erp_status"] == "Pending") == ("unfilled", False)
    company.mend()
    await api.settle(issue, "retry")
    await api.sync()
    order = await api.order("PO-1")
    assert (order["status"], order["erp_status"], order["lines"][0]["quantity"]) == ("unfilled", "Pending", "12")
    assert await api.issues() == []


async def test_an_error_nobody_knows_becomes_an_issue(api: StackClient, company: SandboxCompany) -> None:
    """S2-81: with the ERP's own words; repaired there and retried here, it goes through."""
    company.order("PO-1")
    await api.start()
    company.breaks("unknown_error", "create_potransaction", times=None)
    bill_id = await api.bill("PO-1", {1: "4"})
    issue = await api.issue("UNKNOWN_ERP_ERROR")
    assert (issue["subject_id"], issue["evidence"]["erp_code"]) == (bill_id, "ZZ99000777")
    assert "no documentation mentions" in issue["cause"]
    assert (await api.read_bill(bill_id))["status"] == "sync_issue"
    assert ledger(await api.order("PO-1"))[3] == 4
    company.mend()
    await api.settle(issue, "retry")
    await api.arrived(bill_id)
    assert await api.issues() == []


async def test_an_unknown_error_in_a_sync_ends_the_run_with_its_reason(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-81: the next run goes on where this one stopped."""
    company.order("PO-1")
    await api.connect()
    await api.prefer()
    company.breaks("unknown_error", "query", object="PODOCUMENT")
    run = await api.sync(state="failed")
    assert run["problem"]["code"] == "UNKNOWN_ERP_ERROR"
    assert (await api.issue("UNKNOWN_ERP_ERROR"))["subject_kind"] == "connection"
    await api.sync()
    assert await api.numbers() == {"PO-1"}
    assert await api.issues() == []


async def test_a_password_that_became_wrong(api: StackClient, company: SandboxCompany) -> None:
    """S2-20, S2-51: the connection says so, work waits, and goes on by itself with new credentials."""
    company.order("PO-1")
    await api.start()
    company.does("change_password", password="spring-2031")
    bill_id = await api.bill("PO-1", {1: "4"})

    async def shown() -> bool:
        return (await api.connection())["state"] == "authentication_failed"

    await api.until(shown, "the connection shows the wrong password")
    connection = await api.connection()
    assert connection["problem"]["code"] == "AUTH_BAD_CREDENTIALS"
    assert (await api.issue("AUTH_BAD_CREDENTIALS"))["who"] == "administrator"
    assert (await api.read_bill(bill_id))["status"] == "pending_push"
    path = f"/v1/connections/{api.connection_id}/credentials"
    wrong = {"credentials": credentials(company, password="guessed")}
    refused(await api.put(path, wrong), 422, "AUTH_BAD_CREDENTIALS")
    right = {"credentials": credentials(company, password="spring-2031")}
    answer = await api.put(path, right)
    assert (answer.status_code, answer.json()["state"]) == (200, "ready"), answer.text
    await api.arrived(bill_id)
    assert await api.issues() == []
    assert len(company.held("vendor_invoices")) == 1


async def test_a_permission_taken_away(api: StackClient, company: SandboxCompany) -> None:
    """S2-13, S2-21: an administrator is told what is missing; given back, the run goes on where it stood."""
    company.order("PO-1")
    await api.connect()
    await api.prefer()
    company.breaks("permission_denied", "query", times=None, object="PODOCUMENT")
    run = await api.ask_for_sync()
    issue = await api.issue("PERMISSION_DENIED")
    assert issue["who"] == "administrator"
    assert "PODOCUMENT" in issue["cause"]
    company.mend()
    await api.sync_workflow(run).result()
    await api.sync()
    assert await api.numbers() == {"PO-1"}
    assert await api.issues() == []
    assert (await api.connection())["state"] == "ready"


async def test_preferences_are_refused_while_a_permission_is_missing(api: StackClient, company: SandboxCompany) -> None:
    """S2-21, S2-25: proven before the first sync, by the name of what is missing."""
    await api.connect()
    company.breaks("permission_denied", "query", times=None, object="APPYMT")
    answer = await api.prefer()
    assert answer["complete"] is False
    assert [problem["code"] for problem in answer["problems"]] == ["PERMISSION_DENIED"]
    assert "APPYMT" in answer["problems"][0]["message"]


async def test_a_closed_period_waits_for_a_person(api: StackClient, company: SandboxCompany) -> None:
    """S2-48: an issue; the period is opened, the bill retried, and it goes through."""
    company.order("PO-1")
    await api.start()
    company.does("close_period", through=today().isoformat())
    bill_id = await api.bill("PO-1", {1: "4"})
    await api.bill_is(bill_id, "sync_issue")
    (issue,) = await api.issues()
    assert (issue["subject_id"], issue["who"]) == (bill_id, "accountant")
    assert "period" in (issue["cause"] + " ".join(issue["fix"])).lower()
    company.does("open_period")
    await api.settle(issue, "retry")
    await api.arrived(bill_id)
    assert len(company.held("vendor_invoices")) == 1
    assert await api.issues() == []


async def test_a_refused_bill_abandoned_frees_the_order(api: StackClient, company: SandboxCompany) -> None:
    """S1-24, S2-48: what it had reserved may be billed again."""
    company.order("PO-1")
    await api.start()
    company.does("close_period", through=today().isoformat())
    bill_id = await api.bill("PO-1", {1: "10"})
    await api.bill_is(bill_id, "sync_issue")
    (issue,) = await api.issues()
    await api.settle(issue, "abandon")
    await api.bill_is(bill_id, "abandoned")
    assert ledger(await api.order("PO-1"))[3] == 0
    company.does("open_period")
    await api.billed("PO-1", {1: "10"})
    assert len(company.held("vendor_invoices")) == 1


async def test_a_bill_abandoned_while_its_retry_begins_is_abandoned(
    api: StackClient, company: SandboxCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retry, then abandon: both were accepted, and the retry closed the issue and forgot the abandon. The bill was sent
    again, and on hold again."""
    company.order("PO-1")
    await api.start()
    company.does("close_period", through=today().isoformat())
    bill_id = await api.bill("PO-1", {1: "10"})
    await api.bill_is(bill_id, "sync_issue")
    (issue,) = await api.issues()
    people, decided_to_abandon = asyncio.get_running_loop(), sync_issues.decided_to_abandon

    async def abandon_first(*arguments: Any) -> Any:
        """The worker has taken the retry up, and is about to close its issue."""
        monkeypatch.setattr(sync_issues, "decided_to_abandon", decided_to_abandon)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(api.settle(issue, "abandon"), people))
        return await decided_to_abandon(*arguments)

    monkeypatch.setattr(sync_issues, "decided_to_abandon", abandon_first)
    await api.settle(issue, "retry")
    await api.bill_is(bill_id, "abandoned")
    assert (await api.get(f"/v1/sync-issues/{issue['id']}"))["state"] == "abandoned"
    assert await api.issues() == []
    assert ledger(await api.order("PO-1"))[3] == 0
    assert company.held("vendor_invoices") == []


async def test_a_link_that_was_dropped_is_noticed(api: StackClient, company: SandboxCompany) -> None:
    """S4-24, S4-64: Intacct took the bill without its order. It is deleted there; ours ends, a new one is linked."""
    company.order("PO-1")
    await api.start()
    company.breaks("link_dropped", "create_potransaction")
    bill_id = await api.bill("PO-1", {1: "4"})
    issue = await api.issue("LINK_MISSING")
    assert (issue["subject_id"], issue["evidence"]["order"]) == (bill_id, "PO-1")
    bill = await api.bill_is(bill_id, "link_missing")
    assert bill["linked_in_erp"] is False
    assert (await api.order("PO-1"))["erp_status"] == "Pending"
    company.does("delete", kind="vendor_invoice", number=bill["external_key"])
    await api.sync()
    await api.bill_is(bill_id, "deleted")
    new = await api.billed("PO-1", {1: "4"}, number=bill["number"])
    assert new["linked_in_erp"] is True
    assert [invoice["number"] for invoice in company.held("vendor_invoices")] == [new["external_key"]]

    async def nothing_is_left_to_settle() -> bool:
        return await api.issues() == []

    await api.until(nothing_is_left_to_settle, "the missing link is settled")


async def test_what_the_erp_holds_is_not_abandoned(api: StackClient, company: SandboxCompany) -> None:
    """S1-26, S4-27: a bill without its link stands in the ERP's books; only its deletion there ends it."""
    company.order("PO-1")
    await api.start()
    company.breaks("link_dropped", "create_potransaction")
    bill_id = await api.bill("PO-1", {1: "4"})
    issue = await api.issue("LINK_MISSING")
    await api.settle(issue, "abandon")

    async def told_again() -> bool:
        return [now["id"] for now in await api.issues() if now["code"] == "LINK_MISSING"] not in ([], [issue["id"]])

    await api.until(told_again, "the issue is opened again")
    assert (await api.read_bill(bill_id))["status"] == "link_missing"
    assert ledger(await api.order("PO-1"))[3] == 4
    assert len(company.held("vendor_invoices")) == 1


async def test_an_outage_is_shown_and_everything_goes_on_after_it(api: StackClient, company: SandboxCompany) -> None:
    """S4-24, S5-160: bills of several orders, entered while the ERP is away, arrive once each; the connection shows
    since when it does not answer."""
    company.orders("PO-1", "PO-2", "PO-3")
    await api.start()
    company.breaks("offline", times=None)
    bills = [await api.bill(number, {1: "10", 2: "5"}) for number in ("PO-1", "PO-2", "PO-3")]

    async def shown() -> bool:
        return (await api.connection())["outage_since"] is not None

    await api.until(shown, "the connection shows the outage")
    company.mend()
    for bill_id in bills:
        await api.arrived(bill_id)
    assert (await api.connection())["outage_since"] is None
    assert len(company.held("vendor_invoices")) == 3
    assert {(await api.order(number))["status"] for number in ("PO-1", "PO-2", "PO-3")} == {"filled"}


async def test_a_character_that_xml_cannot_hold_hides_no_order(api: StackClient, company: SandboxCompany) -> None:
    """B9: one order's memo held a vertical tab, and no order of the company came in for up to seven days."""
    company.order("PO-1", memo="line\x0bbreak")
    company.order("PO-2")
    await api.start()
    assert await api.numbers() == {"PO-1", "PO-2"}
    assert (await api.order("PO-1"))["memo"] == "line break"
    assert await api.issues() == []
