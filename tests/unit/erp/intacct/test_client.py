"""Sessions, sending and faults of the Intacct client, against a scripted gateway."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from erp.errors import (
    AuthenticationFailed,
    ErpError,
    MalformedAnswer,
    OutcomeUnknown,
    Throttled,
    Unavailable,
)
from erp.intacct import wire
from models.domain.lists import ListKind
from models.domain.sync import Stream
from tests.builders.outgoing_bills import (
    a_bill,
)
from tests.fakes.intacct_gateway import (
    CELL,
    CONTROL,
    ENDPOINT,
    PASSWORDS,
    Gateway,
    authentication,
    bad_session,
    error,
    page,
    response,
    session_answer,
    sign_in_refused,
)

SINCE = {Stream.PAYMENTS: "2031-07-01 10:00:00"}
NOTHING = response(page("APPYMT"))


async def test_signs_in_once_at_the_entity_and_uses_the_endpoint_given() -> None:
    """Entity-level sign-in (S2-04), the returned endpoint, one session for many calls."""
    gateway = Gateway(NOTHING, NOTHING)
    connector = gateway.connector()
    await connector.changes.detect_changes(SINCE)
    await connector.changes.detect_changes(SINCE)
    (sign_in,) = gateway.sign_ins
    assert sign_in.findtext(".//login/locationid") == "100"
    assert gateway.urls == [CELL, CELL]
    assert gateway.calls[0].findtext("operation/authentication/sessionid") == "session-1"
    assert gateway.calls[0].findtext("control/showadditionalerrorinfo") == "true"
    assert gateway.calls[0].findtext("control/uniqueid") == "false"


async def test_concurrent_calls_sign_in_once() -> None:
    """One sign-in at a time: whoever waits finds the session."""
    gateway = Gateway(*[NOTHING] * 8)
    connector = gateway.connector(max_in_flight=8)
    await asyncio.gather(*(connector.changes.detect_changes(SINCE) for _ in range(8)))
    assert len(gateway.sign_ins) == 1


async def test_an_expired_session_is_replaced_once() -> None:
    """Section 1.5: renew on XL03000006, once."""
    gateway = Gateway(bad_session(), NOTHING)
    await gateway.connector().changes.detect_changes(SINCE)
    assert [call.findtext(".//sessionid") for call in gateway.calls] == ["session-1", "session-2"]


async def test_a_session_refused_twice_is_an_authentication_failure() -> None:
    """Once, then abandon."""
    gateway = Gateway(bad_session(), bad_session())
    with pytest.raises(AuthenticationFailed) as caught:
        await gateway.connector().changes.detect_changes(SINCE)
    assert caught.value.code == "AUTH_SESSION_REFUSED"
    assert len(gateway.sign_ins) == 2


async def test_a_session_about_to_end_is_renewed_before_use() -> None:
    """A session of four seconds is trusted for two."""
    short = session_answer(auth=authentication(ends="2031-07-01T10:00:00.010000+00:00"))
    brief = response(page("APPYMT"), auth=authentication(ends="2031-07-01T10:00:00.010000+00:00"))
    gateway = Gateway(brief, brief, sign_in=short)
    connector = gateway.connector()
    await connector.changes.detect_changes(SINCE)
    await asyncio.sleep(0.02)
    await connector.changes.detect_changes(SINCE)
    assert len(gateway.sign_ins) == 2


@pytest.mark.parametrize(
    ("words", "errorno", "code"),
    [
        ("Sign-in information is incorrect.", "XL03000006", "AUTH_BAD_CREDENTIALS"),
        ("Invalid Web Services Authorization", "XL03000006", "AUTH_SENDER_NOT_AUTHORISED"),
        ("The location 999 is not valid for this user.", "XL03000006", "AUTH_ENTITY_NOT_ALLOWED"),
        ("Company expired.", "PL04000055", "AUTH_COMPANY_EXPIRED"),
        ("Something nobody has seen.", "XX99", "AUTH_BAD_CREDENTIALS"),
    ],
)
async def test_check_tells_the_ways_signing_in_fails_apart(words: str, errorno: str, code: str) -> None:
    """Wrong password, unknown entity and unauthorised sender (S2-24) are different codes."""
    gateway = Gateway(sign_in=sign_in_refused(words, errorno))
    with pytest.raises(AuthenticationFailed) as caught:
        await gateway.connector().check()
    assert caught.value.code == code


async def test_an_entity_refused_without_a_word_is_found_out() -> None:
    """Where the words do not tell, signing in without the entity does."""

    def answer(request: httpx.Request) -> httpx.Response:
        text = sign_in_refused("Sign-in refused.") if b"<locationid>" in request.content else session_answer()
        return httpx.Response(200, content=text.encode())

    with pytest.raises(AuthenticationFailed) as caught:
        await Gateway(sign_in=answer).connector().check()
    assert caught.value.code == "AUTH_ENTITY_NOT_ALLOWED"


async def test_check_reports_company_entity_and_endpoint() -> None:
    """What the connection page shows."""
    found = await Gateway(response(page("AUDITHISTORY"))).connector().check()
    assert (found.company, found.entity, found.user, found.endpoint) == ("ACME", "100", "xml_gateway", CELL)
    assert found.capabilities.deletions_feed


@pytest.mark.parametrize(
    ("configured", "returned"),
    [
        ("https://evil.example/ia", CELL),
        ("https://api.intacct.com:port/ia", CELL),
        ("http://api.intacct.com/ia", CELL),
        (ENDPOINT, "https://intacct.com.evil.io/"),
    ],
)
async def test_passwords_go_only_to_the_vendors_hosts(configured: str, returned: str) -> None:
    """Section 1.5: neither a configured nor a returned address of another host is used."""
    gateway = Gateway(NOTHING, sign_in=session_answer(endpoint=returned))
    connector = gateway.connector(endpoint=configured)
    with pytest.raises(AuthenticationFailed) as caught:
        await connector.changes.detect_changes(SINCE)
    assert caught.value.code == "ENDPOINT_NOT_TRUSTED"
    assert not gateway.calls


async def test_loopback_needs_permission() -> None:
    """The sandbox is reached only where the setting allows it."""
    local = "http://127.0.0.1:8900/ia/xml/xmlgw.phtml"
    gateway = Gateway(NOTHING, sign_in=session_answer(endpoint=local))
    await gateway.connector(endpoint=local, allow_loopback=True).changes.detect_changes(SINCE)
    assert gateway.urls == [local]


async def test_passwords_are_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Neither in a log at the lowest level, nor in an exception or a repr."""
    caplog.set_level(logging.DEBUG)
    gateway = Gateway(httpx.Response(500), "<html/>", sign_in=session_answer())
    connector = gateway.connector()
    shown = [repr(connector), str(connector)]
    for _ in range(2):
        with pytest.raises(ErpError) as caught:
            await connector.changes.detect_changes(SINCE)
        shown += [repr(caught.value), caught.value.message, repr(caught.value.evidence)]
    shown.append(caplog.text)
    assert not [text for text in shown for password in PASSWORDS if password in text]


def _raise(error: httpx.HTTPError) -> object:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


HTML = httpx.Response(503, content=b"<html><body>Down</body></html>", headers={"Content-Type": "text/html"})
OFFLINE = (
    "<response><control><status>failure</status></control>"
    f"{error('', 'The Service is Temporarily Off-line')}</response>"
)
NO_RESULT = response()


@pytest.mark.parametrize(
    ("answer", "on_read", "on_write"),
    [
        (_raise(httpx.ConnectError("refused")), Unavailable, Unavailable),
        (_raise(httpx.ConnectTimeout("slow")), Unavailable, Unavailable),
        (_raise(httpx.ReadTimeout("slow")), Unavailable, OutcomeUnknown),
        (_raise(httpx.ReadError("reset")), Unavailable, OutcomeUnknown),
        (_raise(httpx.RemoteProtocolError("cut")), Unavailable, OutcomeUnknown),
        (httpx.Response(500), Unavailable, OutcomeUnknown),
        (HTML, Unavailable, OutcomeUnknown),
        (httpx.Response(524), Unavailable, OutcomeUnknown),
        (httpx.Response(403), Unavailable, OutcomeUnknown),
        (httpx.Response(302, headers={"Location": "https://elsewhere"}), MalformedAnswer, OutcomeUnknown),
        ("<html><body>hello</body></html>", MalformedAnswer, OutcomeUnknown),
        ("<response><control><status>succ", MalformedAnswer, OutcomeUnknown),
        ("", MalformedAnswer, OutcomeUnknown),
        (NO_RESULT, MalformedAnswer, OutcomeUnknown),
        (f"<response>{CONTROL}</response>", MalformedAnswer, OutcomeUnknown),
        (OFFLINE, Unavailable, Unavailable),
        (httpx.Response(429), Throttled, Throttled),
    ],
)
async def test_lost_and_broken_answers(answer: object, on_read: type, on_write: type) -> None:
    """Section 6.3: what is certain not to have happened may be repeated; a write in doubt is looked up first."""
    with pytest.raises(ErpError) as caught:
        await Gateway(answer).connector().changes.detect_changes(SINCE)
    assert type(caught.value) is on_read
    with pytest.raises(ErpError) as caught:
        await Gateway(answer).connector().bills.create(a_bill())
    assert type(caught.value) is on_write


async def test_an_answer_that_drips_in_is_abandoned() -> None:
    """Every step in time, and the whole never ending."""

    class Dripping(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b" "
                await asyncio.sleep(0.01)

    gateway = Gateway(httpx.Response(200, stream=Dripping()))
    gateway.sign_in = session_answer()
    with pytest.raises(Unavailable) as caught:
        await gateway.connector(timeout_seconds=0.02).changes.detect_changes(SINCE)
    assert caught.value.code == "ERP_NO_ANSWER"


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), (None, 10), ("soon", 10)])
async def test_throttling_says_when_to_come_back(said: str | None, seconds: int) -> None:
    """HTTP 429 carries Retry-After, or our own default where the gateway names none."""
    answer = httpx.Response(429, headers={"Retry-After": said} if said else {})
    with pytest.raises(Throttled) as caught:
        await Gateway(answer).connector().changes.detect_changes(SINCE)
    assert caught.value.retry_after == timedelta(seconds=seconds)
    assert caught.value.erp_code == "GW-0010"


async def test_bad_sender_by_http_401() -> None:
    """XMLGW_JPP0002 comes with HTTP 401 and an XML body."""
    body = f"<response><control><status>failure</status></control>{error('XMLGW_JPP0002', 'Incorrect')}</response>"
    gateway = Gateway(sign_in=httpx.Response(401, content=body.encode(), headers={"Content-Type": "text/xml"}))
    with pytest.raises(AuthenticationFailed) as caught:
        await gateway.connector().check()
    assert (caught.value.code, caught.value.erp_code) == ("AUTH_BAD_SENDER", "XMLGW_JPP0002")


BOMB = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>
<response><control><status>&b;</status></control></response>"""
FILE = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]>
<response><control><status>&f;</status></control></response>"""


@pytest.mark.parametrize("body", [BOMB, FILE])
async def test_entities_and_doctypes_are_never_expanded(body: str) -> None:
    """A hostile answer is a malformed one."""
    with pytest.raises(MalformedAnswer):
        await Gateway(body).connector().changes.detect_changes(SINCE)


async def test_calls_in_flight_are_limited_per_company() -> None:
    """Section 6.4: one at a time per company, over all connectors of the process."""
    running, most = 0, 0

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.005)
            running -= 1
            return await Gateway(NOTHING).transport.handle_async_request(request)

    first, second = Gateway(), Gateway()
    first.transport = second.transport = Slow()
    connectors = [first.connector(), second.connector()]
    await asyncio.gather(*(connector.changes.detect_changes(SINCE) for connector in connectors for _ in range(4)))
    assert most == 1


@pytest.mark.parametrize(
    ("record_count", "rows", "remaining"),
    [(3, 2, 0), (0, 0, 5)],
)
async def test_a_page_that_disagrees_with_its_own_count_is_not_used(
    record_count: int, rows: int, remaining: int
) -> None:
    """A page cut in half must not pass for whole (F13)."""
    records = [{"RECORDNO": str(n), "WHENMODIFIED": "07/01/2031 10:00:00"} for n in range(rows)]
    gateway = Gateway(response(page("APPYMT", *records, count=record_count, remaining=remaining)))
    with pytest.raises(MalformedAnswer):
        await gateway.connector().changes.detect_changes(SINCE)


async def test_rows_out_of_order_are_not_paged_over() -> None:
    """Resuming behind the last key is safe only where the page is in its order."""
    rows = [{"RECORDNO": n, "VENDORID": n, "WHENMODIFIED": "07/01/2031 10:00:00"} for n in ("3", "1")]
    gateway = Gateway(response(page("VENDOR", *rows, remaining=1)))
    with pytest.raises(MalformedAnswer):
        await gateway.connector().lists.page([ListKind.VENDOR], since=None, after=None)


async def test_fields_a_company_lacks_are_left_out_from_then_on() -> None:
    """The field list is per tenant (2.6): a refused optional field costs one more call, once."""
    refused = response(
        "<result><status>failure</status><function>query</function><controlid>f</controlid>"
        + error("XL03000006", "Query failed: fields MEGAENTITYID, APACCOUNT cannot be queried [Support ID: x%7E]")
        + "</result>"
    )
    row = {"RECORDNO": "1", "VENDORID": "V-1", "NAME": "Mill", "WHENMODIFIED": "07/01/2031 10:00:00"}
    gateway = Gateway(refused, response(page("VENDOR", row)), response(page("VENDOR", row)))
    connector = gateway.connector()
    for _ in range(2):
        found = await connector.lists.page([ListKind.VENDOR], since=None, after=None)
        assert [entry.key for entry in found.records] == ["V-1"]
    asked = [[field.text for field in call.iterfind(".//select/field")] for call in gateway.calls]
    assert "MEGAENTITYID" in asked[0]
    assert "MEGAENTITYID" not in asked[1]
    assert "APACCOUNT" not in asked[2]


def test_text_no_xml_can_hold_is_left_out() -> None:
    """A memo with a control character must not break the request."""
    assert wire.text("a\x00b\x0b<c>&") == "ab&lt;c&gt;&amp;"


def test_times_sort_as_text() -> None:
    """Cursors and revisions are compared as text."""
    shown = [wire.sortable_time(value) for value in ("12/31/2030 23:59:59", "01/02/2031 00:00:00", "02/01/2031")]
    assert shown == sorted(shown, key=str)
    with pytest.raises(ValueError):
        wire.sortable_time("yesterday")
