"""Faults on demand: each kind does what its name says, before or after the work (docs/reference/sandbox.md)."""

import json
from typing import Any

import httpx
import pytest

from sandbox.faults import KINDS, ONLY
from sandbox.quickbooks_online.spoiling import AFTER, BEFORE, DURING
from tests.unit.sandbox.quickbooks_online.books import Books, bill_of, code_of


async def plain(books: Books, method: str, path: str, body: Any = None, **parameters: str) -> httpx.Response:
    """A call whose answer may be anything."""
    headers = {"authorization": f"Bearer {books.token}"}
    url = f"/v3/company/{books.realm}/{path}"
    return await books.http.request(method, url, json=body, params=parameters, headers=headers)


def test_every_kind_of_fault_is_done_somewhere() -> None:
    usable = {kind for kind in KINDS if "quickbooks_online" in ONLY.get(kind, {"quickbooks_online"})}
    assert usable == BEFORE | AFTER | DURING | {"slow"}


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("unavailable", 503, ""),
        ("html_error", 200, ""),
        ("offline", 503, "150"),
        ("throttled", 429, ""),
        ("quota_used_up", 429, ""),
        ("session_expired", 401, "3200"),
        ("wrong_realm", 403, "3100"),
        ("system_fault", 500, "10000"),
        ("fault_in_200", 200, "10000"),
        ("permission_denied", 403, "5020"),
        ("refused", 400, "6000"),
        ("unknown_error", 400, "99999"),
    ],
)
async def test_faults_before_anything_is_done(books: Books, kind: str, status: int, code: str) -> None:
    """Reference 4, 7."""
    order = await books.order()
    await books.break_(kind, operation="create", object="Bill", times=1)
    answer = await plain(books, "POST", "bill", bill_of(order, (1, "1")))
    assert answer.status_code == status
    assert (code_of(answer) if "json" in answer.headers["content-type"] else "") == code
    assert await books.held("bills") == []
    assert (await plain(books, "POST", "bill", bill_of(order, (1, "1")))).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "starts"),
    [
        ("gateway_timeout", 504, "<?xml"),
        ("error_after_commit", 500, '{"Fault"'),
        ("malformed", 200, "An unexpected error"),
        ("truncated", 200, '{"Bill"'),
        ("empty_answer", 200, ""),
        ("bad_request", 400, "<html>"),
        ("status_missing", 200, '{"time"'),
    ],
)
async def test_faults_after_the_work_is_done(books: Books, kind: str, status: int, starts: str) -> None:
    """Reference 4, 7: the outcome is unknown to the client."""
    order = await books.order()
    await books.break_(kind, operation="create", times=1)
    answer = await plain(books, "POST", "bill", bill_of(order, (1, "1")))
    assert (answer.status_code, answer.text[: len(starts)]) == (status, starts)
    assert "Bill" not in _read(answer.text)
    assert len(await books.held("bills")) == 1


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {}


@pytest.mark.parametrize(("kind", "held"), [("lost_answer", 1), ("lost_request", 0)])
async def test_connections_that_are_cut(books: Books, kind: str, held: int) -> None:
    order = await books.order()
    await books.break_(kind, operation="writes", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await books.save("Bill", bill_of(order, (1, "1")))
    assert len(await books.held("bills")) == held


async def test_the_message_and_code_of_a_refusal(books: Books) -> None:
    await books.break_("refused", operation="reads", errorno="6190", message="Pay first", times=1)
    answer = await books.call("GET", "preferences")
    assert answer.json()["Fault"]["Error"][0]["Detail"] == "Pay first"
    assert code_of(answer) == "6190"
    await books.break_("fault_in_200", errorno="610", times=1)
    answer = await books.call("GET", "preferences")
    assert (answer.status_code, code_of(answer), answer.json()["Fault"]["type"]) == (200, "610", "ValidationFault")


async def test_a_link_is_dropped_without_a_word(books: Books) -> None:
    """Reference 6.2."""
    order = await books.order()
    await books.break_("link_dropped", object="Bill", times=1)
    first = await books.save("Bill", bill_of(order, (1, "1")))
    assert "LinkedTxn" not in first["Line"][0]
    assert "LinkedTxn" in (await books.save("Bill", bill_of(order, (1, "1"))))["Line"][0]


async def records(books: Books, kind: str, **rule: Any) -> list[dict[str, Any]]:
    """A query's orders under a fault."""
    await books.room("/faults", method="DELETE")
    await books.break_(kind, operation="query", **rule)
    answer = await plain(books, "GET", "query", query="select * from PurchaseOrder orderby Id")
    found: list[dict[str, Any]] = answer.json()["QueryResponse"].get("PurchaseOrder", [])
    return found


async def test_records_that_are_not_what_they_should_be(books: Books) -> None:
    for number in ("PO-1", "PO-2", "PO-3"):
        await books.order(number, 1)
    assert [order["POStatus"] for order in await records(books, "unknown_state")] == ["Hibernating"] * 3
    found = await records(books, "unknown_state", record="2")
    assert [order["POStatus"] for order in found] == ["Open", "Hibernating", "Open"]
    found = await records(books, "missing_field", record="3")
    assert ["VendorRef" in order for order in found] == [True, True, False]
    assert [order["Id"] for order in await records(books, "duplicate_row")] == ["1", "1", "2", "3"]
    assert [order["Id"] for order in await records(books, "short_page")] == ["1", "2"]
    found = await records(books, "numbers_as_text")
    assert (found[0]["TotalAmt"], found[0]["sparse"], found[0]["Line"][0]["LineNum"]) == ("50", False, "1")


async def test_a_record_moves_between_two_pages(books: Books) -> None:
    """Reference 3.7: offset paging is not stable."""
    for number in range(1, 5):
        await books.order(f"PO-{number}", 1)
    statement = "select * from PurchaseOrder orderby Id startposition {} maxresults 2"
    await books.break_("row_moved", operation="query", after=1, times=1)
    pages = [await books.query(statement.format(start)) for start in (1, 3)]
    assert [[order["Id"] for order in page] for page in pages] == [["1", "2"], ["4"]]


async def test_slow_and_stalled_answers(books: Books) -> None:
    await books.break_("slow", seconds=0.01, times=1)
    await books.call("GET", "preferences")
    await books.break_("stalled", seconds=0.01, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await plain(books, "GET", "preferences")


async def test_what_is_called_is_counted(books: Books) -> None:
    await books.room("/calls/reset")
    order = await books.order()
    await books.save("Bill", bill_of(order, (1, "1")))
    await books.query("select * from Bill")
    await books.get("cdc", entities="Bill,Vendor", changedSince="2026-11-20")
    calls = await books.room("/calls", method="GET")
    assert calls["requests"] == 4
    assert calls["by_operation"] == {"cdc": 1, "create": 1, "query": 1, "read": 1}
    assert calls["by_object"]["query Bill"] == 1


async def test_the_items_of_a_batch_are_counted_and_broken_too(books: Books) -> None:
    await books.room("/calls/reset")
    items = [
        {"bId": "1", "Query": "select * from Term"},
        {"bId": "2", "CDCQuery": {"Entities": "Bill", "ChangedSince": "2026-11-20"}},
        {"bId": "3", "operation": "create", "Class": {"Name": "a"}},
        "no item",
    ]
    assert code_of(await books.call("POST", "batch", {"BatchItemRequest": items})) == "2020"
    await books.call("POST", "batch", {"BatchItemRequest": items[:3]})
    calls = await books.room("/calls", method="GET")
    assert calls["by_object"] == {"create Class": 2, "query Term": 2}
    assert calls["by_operation"] == {"batch": 2, "cdc": 2, "create": 2, "query": 2}
    [usage] = await books.held("usage")
    assert usage["reads"] == 2
    await books.break_("system_fault", operation="create", object="Class", times=1)
    assert (await books.call("POST", "batch", {"BatchItemRequest": items[:3]})).status_code == 500
    assert code_of(await books.call("POST", "batch", "{")) == "2010"


async def test_a_token_that_is_refused_on_demand(books: Books) -> None:
    refresh = (await books.connect())["refresh_token"]
    await books.break_("refused", operation="token", times=1)
    assert (await books.refresh(refresh)).json() == {"error": "invalid_grant"}
    await books.break_("system_fault", operation="token", times=1)
    assert (await books.refresh(refresh)).status_code == 500
    assert (await books.refresh(refresh)).status_code == 200


async def test_a_kind_of_another_erp_is_refused(books: Books) -> None:
    for rule in ({"kind": "job_lost", "erp": "quickbooks_online"}, {"kind": "wrong_realm", "erp": "netsuite"}):
        answer = await books.http.post("/sandbox/faults", json={"rules": [rule]})
        assert answer.status_code == 400, rule
