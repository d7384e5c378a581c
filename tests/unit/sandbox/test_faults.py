"""Faults on demand (DESIGN section 9, checklist 12): each breaks one thing in one place, and nothing else."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from sandbox.server import INTACCT_PATH, create_app
from tests.unit.sandbox.wire import Reply, Wire, control, invoice, is_, login, payment, query

ORDERS = query("PODOCUMENT", "RECORDNO DOCNO STATE CUSTVENDID", is_("DOCPARID", "Purchase Order"))
APPS = "<get_applications/>"


async def raw(wire: Wire, function: str) -> httpx.Response:
    return await wire.post(
        f"<request>{control()}<operation><authentication>{login()}</authentication><content>"
        f'<function controlid="1">{function}</function></content></operation></request>'
    )


async def test_a_lost_answer_is_lost_after_the_work_is_done(wire: Wire) -> None:
    order = await wire.order()
    await wire.break_("lost_answer", operation="create_potransaction", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await wire.ask(invoice(order, {1: "1"}))
    assert len(await wire.held("vendor_invoices")) == 1
    assert (await wire.ask(invoice(order, {1: "1"}, number="B"))).status == "success"


async def test_a_lost_request_does_nothing(wire: Wire) -> None:
    order = await wire.order()
    await wire.break_("lost_request", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await wire.ask(invoice(order, {1: "1"}))
    assert await wire.held("vendor_invoices") == []


async def test_an_outage_is_html_and_ends_by_the_clock(wire: Wire) -> None:
    await wire.break_("unavailable", seconds=7200)
    answer = await raw(wire, APPS)
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    await wire.room("/clock", {"advance_seconds": 7201})
    assert (await raw(wire, APPS)).status_code == 200


async def test_a_gateway_timeout_comes_after_the_commit(wire: Wire) -> None:
    order = await wire.order()
    await wire.break_("gateway_timeout", operation="writes", times=1)
    assert (await raw(wire, invoice(order, {1: "1"}))).status_code == 524
    assert len(await wire.held("vendor_invoices")) == 1


async def test_throttling_is_proper_xml_with_retry_after(wire: Wire) -> None:
    await wire.break_("throttled", times=1, seconds=3)
    reply = Reply(await raw(wire, APPS))
    assert reply.http.status_code == 429
    assert reply.http.headers["retry-after"] == "3"
    assert reply.errors == ["GW-0010"]


async def test_throttling_after_so_many_a_minute(wire: Wire) -> None:
    await wire.break_("throttled", per_minute=2)
    assert [(await raw(wire, APPS)).status_code for _ in range(3)] == [200, 200, 429]
    await wire.room("/clock", {"advance_seconds": 61})
    assert (await raw(wire, APPS)).status_code == 200


async def test_a_session_ends_early_once(wire: Wire) -> None:
    session = (await wire.ask("<getAPISession/>")).data.findtext("api/sessionid")
    await wire.break_("session_expired", times=1)
    auth = f"<sessionid>{session}</sessionid>"
    assert (await wire.ask(APPS, auth=auth)).errors == ["XL03000006"]
    assert (await wire.ask(APPS, auth=auth)).errors == ["XL03000006"]
    renewed = (await wire.ask("<getAPISession/>")).data.findtext("api/sessionid")
    assert (await wire.ask(APPS, auth=f"<sessionid>{renewed}</sessionid>")).status == "success"


async def test_half_a_body_and_no_xml(wire: Wire) -> None:
    await wire.order()
    whole = (await raw(wire, ORDERS)).text
    await wire.break_("truncated", times=1)
    half = (await raw(wire, ORDERS)).text
    assert len(half) < len(whole) * 0.6
    assert half[:100] == whole[:100]
    await wire.break_("malformed", times=1)
    assert "</oops>" in (await raw(wire, ORDERS)).text
    await wire.break_("html_error", times=1)
    page = await raw(wire, ORDERS)
    assert (page.status_code, page.text[:6]) == (200, "<html>")


async def test_maintenance_stands_in_the_control_block(wire: Wire) -> None:
    await wire.break_("offline", times=1)
    reply = await wire.ask(APPS)
    assert reply.text("control/status") == "failure"
    assert "Temporarily Off-line" in reply.reasons


async def test_a_dropped_link_is_accepted_but_not_there(wire: Wire) -> None:
    order = await wire.order()
    await wire.break_("link_dropped", times=1)
    assert (await wire.ask(invoice(order, {1: "4"}))).status == "success"
    created = await wire.one("vendor_invoices", "KEY-1")
    assert created["created_from"] == ""
    assert created["lines"][0]["source_line"] == ""
    assert (await wire.one("purchase_orders", "PO-1"))["state"] == "Pending"


async def test_permission_is_denied_on_one_object(wire: Wire) -> None:
    await wire.break_("permission_denied", object="AUDITHISTORY")
    reply = await wire.ask(query("AUDITHISTORY", "ID"), query("VENDOR", "RECORDNO"))
    assert reply.errors == ["PL04000005"]
    assert [result.findtext("status") for result in reply.results] == ["failure", "success"]


async def test_an_error_nobody_knows(wire: Wire) -> None:
    await wire.break_("unknown_error", operation="create", object="APPYMT", times=1)
    assert (await wire.ask(payment("1", "1"))).errors == ["ZZ99000777"]


async def test_any_refusal_of_the_documentation_can_be_played(wire: Wire) -> None:
    await wire.break_("refused", operation="query", object="AUDITHISTORY", times=1)
    await wire.break_("refused", operation="create", errorno="AR-0148", message="No such customer", times=1)
    assert (await wire.ask(query("AUDITHISTORY", "ID"))).errors == ["DL02000001"]
    reply = await wire.ask(payment("1", "1"))
    assert (reply.errors, reply.reasons.split(" [")[0]) == (["AR-0148"], "No such customer")


async def test_data_faults_can_pick_one_record(wire: Wire) -> None:
    for number in ("PO-1", "PO-2", "PO-3"):
        await wire.order(number)
    await wire.break_("unknown_state", record="PO-2", times=1)
    assert [row["STATE"] for row in (await wire.ask(ORDERS)).rows] == ["Pending", "Quarantined", "Pending"]
    await wire.break_("missing_field", record="PO-3", times=1)
    assert ["CUSTVENDID" in row for row in (await wire.ask(ORDERS)).rows] == [True, True, False]
    await wire.break_("missing_field", object="PODOCUMENTENTRY", times=1)
    lines = query("PODOCUMENTENTRY", "RECORDNO UIQTY")
    assert ["UIQTY" in row for row in (await wire.ask(lines)).rows] == [False] + [True] * 5
    assert all("CUSTVENDID" in row and row["STATE"] == "Pending" for row in (await wire.ask(ORDERS)).rows)


async def test_a_row_comes_twice(wire: Wire) -> None:
    for number in ("PO-1", "PO-2"):
        await wire.order(number)
    await wire.break_("duplicate_row", times=1)
    assert [row["DOCNO"] for row in (await wire.ask(ORDERS)).rows] == ["PO-1", "PO-1", "PO-2"]


async def test_a_row_moves_between_pages(wire: Wire) -> None:
    for at in (1, 2, 3):
        await wire.order(f"PO-{at}", modified_at=f"2026-10-0{at}T08:00:00Z")
    await wire.break_("row_moved", times=1)
    page = "<pagesize>1</pagesize><offset>{}</offset>"
    by_time = [
        query("PODOCUMENT", "DOCNO", is_("DOCPARID", "Purchase Order"), order="WHENMODIFIED", more=page.format(at))
        for at in range(3)
    ]
    seen = [(await wire.ask(function)).rows[0]["DOCNO"] for function in by_time]
    assert seen == ["PO-1", "PO-3", "PO-2"]


async def test_after_lets_calls_pass_and_times_ends_it(wire: Wire) -> None:
    await wire.break_("unavailable", operation="query", after=2, times=1)
    assert [(await raw(wire, ORDERS)).status_code for _ in range(4)] == [200, 200, 503, 200]
    assert (await raw(wire, APPS)).status_code == 200


async def test_chance_repeats_with_its_seed(wire: Wire) -> None:
    async def struck() -> list[int]:
        await wire.room("/faults", {"rules": [{"kind": "unavailable", "probability": 0.5}], "seed": 7})
        codes = [(await raw(wire, APPS)).status_code for _ in range(20)]
        await wire.room("/faults", method="DELETE")
        return codes

    first = await struck()
    assert first == await struck()
    assert {200, 503} == set(first)


async def test_rules_tell_how_often_they_fired(wire: Wire) -> None:
    await wire.break_("throttled", times=1)
    await raw(wire, APPS)
    [rule] = (await wire.room("/faults", method="GET"))["rules"]
    assert (rule["kind"], rule["fired"]) == ("throttled", 1)


@pytest.mark.parametrize(
    "rule",
    [{"kind": "nonsense"}, {"kind": "slow", "speed": 3}, {"kind": "throttled", "probability": 2}, {}],
)
async def test_bad_rules_are_refused_by_name(wire: Wire, rule: dict[str, object]) -> None:
    answer = await wire.http.post("/sandbox/faults", json={"rules": [{"kind": "slow"}, rule]})
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert (await wire.room("/faults", method="GET"))["rules"] == []


async def test_more_calls_at_a_time_than_the_company_may_are_throttled(wire: Wire) -> None:
    await wire.switch(max_in_flight=2, latency_seconds=0.05)
    codes = [answer.status_code for answer in await asyncio.gather(*(raw(wire, APPS) for _ in range(4)))]
    assert sorted(codes) == [200, 200, 429, 429]
    counted = await wire.room("/calls", method="GET")
    assert counted["max_in_flight"] == 3  # a refused call leaves at once, before the next one comes
    assert counted["in_flight"] == 0


async def test_a_slow_answer_is_slow(wire: Wire) -> None:
    await wire.break_("slow", seconds=0.2, times=1)
    started = asyncio.get_running_loop().time()
    await raw(wire, APPS)
    assert asyncio.get_running_loop().time() - started >= 0.2


@pytest.fixture
def served() -> Iterator[str]:
    """The same app behind a real socket."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


def test_over_a_real_socket_an_answer_stalls(served: str) -> None:
    body = (
        f"<request>{control()}<operation><authentication>{login()}</authentication><content>"
        '<function controlid="1"><get_applications/></function></content></operation></request>'
    )
    with httpx.Client(base_url=served, transport=httpx.HTTPTransport(retries=5), timeout=60) as client:
        client.post("/sandbox/faults", json={"rules": [{"kind": "stalled", "times": 2}]})
        with pytest.raises(httpx.ReadTimeout):
            client.post(INTACCT_PATH, content=body, timeout=httpx.Timeout(60, read=0.5))
        with client.stream("POST", INTACCT_PATH, content=body) as answer:
            half = next(answer.iter_bytes())
            assert half.startswith(b"<?xml")
            assert not half.endswith(b"</response>")
        assert client.post(INTACCT_PATH, content=body).text.endswith("</response>")


def test_over_a_real_socket_the_connection_is_cut(served: str) -> None:
    body = (
        f"<request>{control()}<operation><authentication>{login()}</authentication><content>"
        '<function controlid="1"><create><VENDOR><VENDORID>V-1</VENDORID><NAME>n</NAME></VENDOR></create></function>'
        "</content></operation></request>"
    )
    with httpx.Client(base_url=served, transport=httpx.HTTPTransport(retries=5), timeout=60) as client:
        client.post("/sandbox/faults", json={"rules": [{"kind": "lost_answer", "times": 1}]})
        with pytest.raises(httpx.TransportError):
            client.post(INTACCT_PATH, content=body)
        assert [vendor["vendorid"] for vendor in client.get("/sandbox/companies/intacct/vendors").json()] == ["V-1"]
        assert "BL34000061" in client.post(INTACCT_PATH, content=body).text
