"""NetSuite answering badly, slowly, wrongly or not at all: a clear word for people, and nothing lost or made twice."""

from datetime import timedelta

import pytest

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


@pytest.mark.parametrize("kind", first_of("truncated", "html_error", "unavailable", "throttled"))
async def test_a_page_that_cannot_be_trusted_is_asked_for_again(
    api: StackClient, company: SandboxCompany, kind: str
) -> None:
    """S4-21: a page cut in half, HTML with status 200, an outage, too many calls at once: the run goes on."""
    company.orders("PO-1", "PO-2")
    await api.connect()
    await api.prefer()
    company.breaks(kind, "search", times=1)
    await api.sync()
    assert company.fired(kind) == 1
    assert await api.numbers() == {"PO-1", "PO-2"}
    assert await api.issues() == []
    connection = await api.connection()
    assert (connection["state"], connection["outage_since"], connection["problem"]) == ("ready", None, None)


async def test_a_page_that_lacks_a_record_loses_none(api: StackClient, company: SandboxCompany) -> None:
    """S4-21: NetSuite re-runs a search for every page; what one run does not see is in the mirror all the same."""
    numbers = [f"PO-{number}" for number in range(1, 13)]
    company.orders(*numbers)
    await api.connect(settings={"page_size": 5})
    await api.prefer()
    company.breaks("short_page", "search", object="purchaseOrder", times=1)
    await api.sync()
    await api.sync()
    assert company.fired("short_page") == 1
    assert await api.numbers() == set(numbers)


@pytest.mark.parametrize("kind", first_of("row_moved", "job_lost"))
async def test_pages_that_shift_or_end_lose_nothing(api: StackClient, company: SandboxCompany, kind: str) -> None:
    """S4-21: in any order of the rows, with rows moving between pages and a search that ends before its time."""
    numbers = [f"PO-{number}" for number in range(1, 13)]
    company.orders(*numbers)
    company.switch(search_order="descending")
    await api.connect(settings={"page_size": 5})
    await api.prefer()
    company.breaks(kind, times=1, object="purchaseOrder" if kind == "row_moved" else "")
    await api.sync()
    await api.sync()
    assert company.fired(kind) == 1
    assert await api.numbers() == set(numbers)
    assert await api.issues() == []


@pytest.mark.parametrize("kind", first_of("lost_answer", "truncated", "error_after_commit"))
async def test_a_write_whose_answer_cannot_be_trusted_is_made_once(
    received: StackClient, company: SandboxCompany, kind: str
) -> None:
    """S4-24: found by its external id before it is repeated."""
    company.breaks(kind, "add", object="vendorBill")
    bill = await received.billed("PO-1", {1: "4"})
    assert company.fired(kind) == 1
    assert len(company.held("bills")) == 1
    assert bill["write"]["attempts"] >= 2
    assert await received.issues() == []


async def test_a_script_that_fails_after_saving_is_no_failure(received: StackClient, company: SandboxCompany) -> None:
    """S4-24: NetSuite saved the bill; it is not sent again."""
    company.breaks("after_submit_failed", "add", object="vendorBill")
    bill = await received.billed("PO-1", {1: "4"})
    assert company.fired("after_submit_failed") == 1
    assert (len(company.held("bills")), bill["write"]["attempts"]) == (1, 1)


async def test_a_record_that_somebody_saved_meanwhile_is_tried_again(
    received: StackClient, company: SandboxCompany
) -> None:
    """S4-24: RCRD_HAS_BEEN_CHANGED is nobody's mistake."""
    company.breaks("refused", "add", object="vendorBill", errorno="RCRD_HAS_BEEN_CHANGED", message="Record has changed")
    await received.billed("PO-1", {1: "4"})
    assert (company.fired("refused"), len(company.held("bills"))) == (1, 1)
    assert await received.issues() == []


async def test_a_passport_that_was_refused_once(received: StackClient, company: SandboxCompany) -> None:
    """S2-51: a nonce or a clock that NetSuite did not like passes by itself; the next passport is a new one."""
    company.breaks("login_refused", "add", times=1)
    bill_id = await received.bill("PO-1", {1: "4"})
    await received.arrived(bill_id)
    assert (company.fired("login_refused"), len(company.held("bills"))) == (1, 1)

    async def healthy() -> bool:
        return (await received.connection())["state"] == "ready" and await received.issues() == []

    await received.until(healthy, "the connection is well again")


async def test_an_error_nobody_knows_becomes_an_issue(received: StackClient, company: SandboxCompany) -> None:
    """S2-81: with NetSuite's own words; repaired there and retried here, it goes through."""
    company.breaks("unknown_error", "add", times=None)
    bill_id = await received.bill("PO-1", {1: "4"})
    issue = await received.issue("UNKNOWN_ERP_ERROR")
    assert issue["subject_id"] == bill_id
    assert issue["evidence"]["erp_code"]
    assert ledger(await received.order("PO-1"))[3] == 4
    company.mend()
    await received.settle(issue, "retry")
    await received.arrived(bill_id)
    assert await received.issues() == []


async def test_a_token_that_was_taken_back(received: StackClient, company: SandboxCompany) -> None:
    """S2-51: the connection says so, work waits, and goes on by itself with a new token's secret."""
    company.does("change_secrets", token_secret="spring-2031")
    bill_id = await received.bill("PO-1", {1: "4"})

    async def shown() -> bool:
        return (await received.connection())["state"] == "authentication_failed"

    await received.until(shown, "the connection shows the refused token")
    code = (await received.connection())["problem"]["code"]
    assert (await received.issue(code))["who"] == "administrator"
    path = f"/v1/connections/{received.connection_id}/credentials"
    refused(await received.put(path, {"credentials": credentials(company, token_secret="guessed")}), 422, code)
    answer = await received.put(path, {"credentials": credentials(company, token_secret="spring-2031")})
    assert (answer.status_code, answer.json()["state"]) == (200, "ready"), answer.text
    await received.arrived(bill_id)
    assert await received.issues() == []
    assert len(company.held("bills")) == 1


async def test_wrong_credentials_connect_nothing(api: StackClient, company: SandboxCompany) -> None:
    """S2-51: refused with the reason, nothing is kept; what is absent is named before NetSuite is called."""
    body = {
        "erp": "netsuite",
        "name": "Acme",
        "credentials": credentials(company, token_secret="guessed"),
        "entity": "1",
        "endpoint": company.url + company.set_up.path,
        "settings": {"allow_loopback": True},
    }
    problem = refused(await api.post("/v1/connections", body), 422, "AUTH_TOKEN_REFUSED")
    assert "guessed" not in str(problem)
    lacking = {name: value for name, value in credentials(company).items() if name != "consumer_key"}
    company.forget_calls()
    problem = refused(
        await api.post("/v1/connections", {**body, "credentials": lacking}), 422, "CREDENTIALS_INCOMPLETE"
    )
    assert problem["detail"] == "Missing: consumer_key."
    assert company.calls()["total"] == 0
    assert await api.get("/v1/connections") == {"items": []}


async def test_a_link_that_was_dropped_is_noticed(received: StackClient, company: SandboxCompany) -> None:
    """S4-37: NetSuite took the bill without its order's lines; it is deleted there, and a new one is linked."""
    company.breaks("link_dropped", "add", object="vendorBill")
    bill_id = await received.bill("PO-1", {1: "4"})
    issue = await received.issue("LINK_MISSING")
    assert (issue["subject_id"], issue["evidence"]["order"]) == (bill_id, "PO-1")
    bill = await received.bill_is(bill_id, "link_missing")
    company.does("delete", kind="bill", number=bill["number"])
    await received.sync()
    await received.bill_is(bill_id, "deleted")
    new = await received.billed("PO-1", {1: "4"}, number=bill["number"])
    assert new["linked_in_erp"] is True
    assert [held["external_id"] for held in company.held("bills")] == [new["external_key"]]


async def test_a_closed_period_waits_for_a_person(received: StackClient, company: SandboxCompany) -> None:
    """S2-48: an issue; the period is opened, the bill retried, and it goes through."""
    end_of_month = (today().replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    company.does("close_period", through=end_of_month.isoformat())
    bill_id = await received.bill("PO-1", {1: "4"})
    await received.bill_is(bill_id, "sync_issue")
    (issue,) = await received.issues()
    assert "period" in (issue["cause"] + " ".join(issue["fix"])).lower()
    company.does("open_period")
    await received.settle(issue, "retry")
    await received.arrived(bill_id)
    assert len(company.held("bills")) == 1
    assert await received.issues() == []


async def test_a_bill_of_a_closed_period_goes_on_with_the_sync_after_it_is_opened(
    received: StackClient, company: SandboxCompany
) -> None:
    """S2-48, kind 3: NetSuite's books go with the lists, but whoever waits for them does not wait for these: refused,
    on hold once the closing is seen, in the ERP once the opening is. Nobody retries, and nobody waits: no call more."""
    end_of_month = (today().replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    company.does("close_period", through=end_of_month.isoformat())
    bill_id = await received.bill("PO-1", {1: "4"})
    await received.bill_is(bill_id, "sync_issue")
    await received.sync()
    await received.bill_is(bill_id, "on_hold")
    assert await received.issues() == []
    company.does("open_period")
    await received.sync()
    await received.arrived(bill_id)
    assert len(company.held("bills")) == 1


async def test_an_unknown_status_is_told_and_the_last_one_stays(received: StackClient, company: SandboxCompany) -> None:
    """G3: never mapped silently."""
    order = company.one("purchase_orders", number="PO-1")
    company.breaks("unknown_state", times=None, record=order["record_no"])
    company.does("edit_purchase_order", number="PO-1", memo="touched")
    await received.sync()
    issue = await received.issue("UNKNOWN_ERP_STATUS")
    assert "PO-1" in issue["title"]
    assert (await received.order("PO-1"))["status"] == "partially_filled"
    company.mend()
    company.does("edit_purchase_order", number="PO-1", memo="touched again")
    await received.sync()
    assert await received.issues() == []


async def test_an_outage_is_shown_and_everything_goes_on_after_it(api: StackClient, company: SandboxCompany) -> None:
    """S4-24: bills of several orders, entered while NetSuite is away, arrive once each."""
    company.orders("PO-1", "PO-2", "PO-3")
    for number in ("PO-1", "PO-2", "PO-3"):
        company.does("receive", number=number)
    await api.start()
    company.breaks("unavailable", times=None)
    bills = [await api.bill(number, {1: "10", 2: "5"}) for number in ("PO-1", "PO-2", "PO-3")]

    async def shown() -> bool:
        return (await api.connection())["outage_since"] is not None

    await api.until(shown, "the connection shows the outage")
    company.mend()
    for bill_id in bills:
        await api.arrived(bill_id)
    assert (await api.connection())["outage_since"] is None
    assert len(company.held("bills")) == 3
    assert {(await api.order(number))["status"] for number in ("PO-1", "PO-2", "PO-3")} == {"filled"}
