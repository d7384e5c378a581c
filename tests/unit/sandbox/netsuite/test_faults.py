"""What can be broken on purpose (DESIGN 9), and the limits the service sets itself (reference 6)."""

import asyncio
import time

import httpx
import pytest

from tests.unit.sandbox.netsuite.suite import Reply, Suite, any_of, bill

ORDERS = any_of("type", "_purchaseOrder")


async def ready(suite: Suite) -> str:
    """A bill that would be taken."""
    order = await suite.order()
    await suite.act("receive", number="PO-1")
    return bill(order, (1, "4"), key="b-1")


@pytest.mark.parametrize("kind", ["lost_answer", "gateway_timeout", "truncated", "malformed", "error_after_commit"])
async def test_the_work_is_done_though_the_answer_is_lost(suite: Suite, kind: str) -> None:
    """Reference 7: look it up by the external id before sending again."""
    body = await ready(suite)
    await suite.break_(kind, operation="add", object="vendorBill", times=1)
    response: httpx.Response | None = None
    if kind == "lost_answer":
        with pytest.raises(httpx.RemoteProtocolError):
            await suite.post(f"<m:add>{body}</m:add>")
    else:
        response = await suite.post(f"<m:add>{body}</m:add>")
    if kind == "gateway_timeout":
        assert response is not None
        assert response.status_code == 524
    if kind == "error_after_commit":
        assert response is not None
        assert Reply(response).fault[:2] == ("unexpectedErrorFault", "UNEXPECTED_ERROR")
    assert [one["external_id"] for one in await suite.held("bills")] == ["b-1"]
    assert (await suite.add(body)).codes == ["DUP_RCRD"]


@pytest.mark.parametrize(
    ("kind", "rule", "fault"),
    [
        ("throttled", {}, ("exceededConcurrentRequestLimitFault", "WS_REQUEST_BLOCKED")),
        ("session_expired", {}, ("invalidSessionFault", "SESSION_TIMED_OUT")),
        ("login_refused", {}, ("invalidCredentialsFault", "INVALID_LOGIN_CREDENTIALS")),
        ("offline", {}, ("unexpectedErrorFault", "UNEXPECTED_ERROR")),
        ("soap_fault", {"errorno": "WS_PERMISSION_REQD"}, ("insufficientPermissionFault", "WS_PERMISSION_REQD")),
        ("soap_fault", {"errorno": "ACCT_TEMP_UNAVAILABLE"}, ("unexpectedErrorFault", "ACCT_TEMP_UNAVAILABLE")),
    ],
)
async def test_a_request_refused_as_a_whole(
    suite: Suite, kind: str, rule: dict[str, str], fault: tuple[str, str]
) -> None:
    """Reference 6.1: nothing was processed."""
    body = await ready(suite)
    await suite.break_(kind, operation="writes", times=1, **rule)
    reply = await suite.add(body)
    assert reply.http.status_code == 500
    assert reply.fault[:2] == fault
    assert await suite.held("bills") == []
    assert (await suite.add(body)).ok


@pytest.mark.parametrize(("kind", "status"), [("unavailable", 503), ("html_error", 200)])
async def test_a_page_instead_of_an_answer(suite: Suite, kind: str, status: int) -> None:
    """DESIGN 9."""
    body = await ready(suite)
    await suite.break_(kind, operation="add", times=1)
    response = await suite.post(f"<m:add>{body}</m:add>")
    assert (response.status_code, "<html>" in response.text) == (status, True)
    assert await suite.held("bills") == []


async def test_the_connection_is_reset_before_anything_is_done(suite: Suite) -> None:
    """DESIGN 9."""
    body = await ready(suite)
    await suite.break_("lost_request", operation="add", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await suite.add(body)
    assert await suite.held("bills") == []


@pytest.mark.parametrize(
    ("kind", "rule", "code"),
    [
        ("permission_denied", {}, "INSUFFICIENT_PERMISSION"),
        ("unknown_error", {}, "ZZ_NOBODY_KNOWS_THIS"),
        ("refused", {"errorno": "RCRD_HAS_BEEN_CHANGED"}, "RCRD_HAS_BEEN_CHANGED"),
        ("refused", {}, "USER_ERROR"),
    ],
)
async def test_an_operation_refused_by_rule(suite: Suite, kind: str, rule: dict[str, str], code: str) -> None:
    """Reference 6.2: every code can be had, with HTTP 200; nothing is done."""
    body = await ready(suite)
    await suite.break_(kind, object="vendorBill", times=1, **rule)
    reply = await suite.add(body)
    assert (reply.http.status_code, reply.codes) == (200, [code])
    assert await suite.held("bills") == []


async def test_a_link_is_dropped(suite: Suite) -> None:
    """Reference 5.3: the bill is saved, and the order does not move."""
    body = await ready(suite)
    order = await suite.one("purchase_orders", "PO-1")
    await suite.break_("link_dropped", operation="add", times=1)
    assert (await suite.add(body)).ok
    [created] = await suite.held("bills")
    assert [line["order_doc"] for line in created["lines"]] == [None]
    assert (await suite.one("purchase_orders", "PO-1"))["lines"] == order["lines"]


async def test_a_saved_record_whose_script_failed(suite: Suite) -> None:
    """Reference 3.2: saved, so it must not be sent again."""
    body = await ready(suite)
    await suite.break_("after_submit_failed", operation="add", times=1)
    reply = await suite.add(body)
    assert (reply.ok, reply.text("//c:afterSubmitFailed")) == (True, "true")
    assert len(await suite.held("bills")) == 1


async def test_pages_that_lie(suite: Suite) -> None:
    """DESIGN 9: a short page, a row twice, an unknown status, a missing field, a row that moved, an id that died."""
    for number in range(1, 8):
        await suite.order(f"PO-{number}", 1)

    async def page(kind: str, **rule: str) -> Reply:
        await suite.room("/faults", method="DELETE")
        await suite.break_(kind, operation="search", times=1, **rule)
        return await suite.search(ORDERS, size=5)

    assert (await page("short_page")).texts("//p:tranId") == ["PO-1", "PO-2", "PO-3", "PO-4"]
    assert (await page("duplicate_row", record="PO-2")).texts("//p:tranId").count("PO-2") == 2
    assert (await page("unknown_state", record="PO-3")).texts("//p:status").index("Pending Something New") == 2
    assert len((await page("missing_field")).texts("//p:entity")) == 4
    search_id = (await suite.search(ORDERS, size=5)).text("//c:searchId")
    await suite.break_("row_moved", operation="searchMoreWithId", times=1, record="PO-2")
    assert (await suite.more(search_id, 2)).texts("//p:tranId") == ["PO-7"]
    await suite.break_("job_lost", operation="searchMoreWithId", times=1)
    assert (await suite.more(search_id, 2)).codes == ["INVALID_JOB_ID"]
    assert (await suite.more(search_id, 2)).codes == ["INVALID_JOB_ID"]


async def test_a_list_that_lacks_its_last_record(suite: Suite) -> None:
    """DESIGN 9."""
    orders = [await suite.order("PO-1", 1), await suite.order("PO-2", 1)]
    await suite.break_("short_page", operation="getList", times=1)
    ref = '<m:baseRef xsi:type="c:RecordRef" type="purchaseOrder" internalId="{}"/>'
    refs = "".join(ref.format(order["record_no"]) for order in orders)
    assert len((await suite.ask(f"<m:getList>{refs}</m:getList>")).records) == 1


async def test_too_many_requests_at_a_time_are_blocked(suite: Suite) -> None:
    """Reference 6.3: SOAP and REST share one pool."""
    await suite.switch(concurrency_limit=2, latency_seconds=0.05)
    replies = await asyncio.gather(*(suite.ask("<m:getServerTime/>") for _ in range(4)))
    assert sorted(reply.http.status_code for reply in replies) == [200, 200, 500, 500]
    blocked = next(reply for reply in replies if reply.http.status_code == 500)
    assert blocked.fault == (
        "exceededConcurrentRequestLimitFault",
        "WS_REQUEST_BLOCKED",
        "SuiteTalk concurrent request limit exceeded. Request blocked.",
    )
    await suite.switch(latency_seconds=0.0)
    governance = await suite.ask("<m:getAccountGovernanceInfo/>")
    assert governance.text("//c:accountConcurrencyLimit") == "2"


async def test_slow_answers(suite: Suite) -> None:
    """DESIGN 9."""
    await suite.break_("slow", operation="getServerTime", seconds=0.1, times=1)
    began = time.monotonic()
    assert (await suite.ask("<m:getServerTime/>")).ok
    assert time.monotonic() - began >= 0.1


async def test_faults_of_one_erp_do_not_strike_the_other(suite: Suite) -> None:
    """DESIGN 9: rules are by ERP."""
    await suite.room("/faults", {"rules": [{"erp": "intacct", "kind": "unavailable"}]})
    assert (await suite.ask("<m:getServerTime/>")).ok
    refused = await suite.http.post("/sandbox/faults", json={"rules": [{"erp": "intacct", "kind": "job_lost"}]})
    assert refused.status_code == 400
