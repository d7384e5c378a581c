"""Deletions without the audit trail: what we hold against two readings in two dialects (reference 2.2, 4, 7.1)."""

import httpx
import pytest
from lxml import etree

from erp.connection import ConnectionSettings
from erp.errors import AuthenticationFailed, ErpError, MalformedAnswer, Stale, Unavailable
from erp.intacct.connector import IntacctConnector
from erp.roles.pages import ScanResult
from erp.sign_in import Credentials
from models.domain.ids import ErpId
from models.domain.sync import DeletedKind, MirroredIds, Stream
from tests.fakes.intacct_gateway import (
    CREDENTIALS,
    ENDPOINT,
    PREFERENCES,
    Gateway,
    bad_session,
    failed,
    listed,
    page,
    response,
    result,
    session_answer,
    sign_in_refused,
)

CURSOR = "2031-07-01 10:00:00"
DENIED = failed("PL04000005", "You do not have permission for API operation query on objects of type AUDITHISTORY")
DOCUMENTS = DeletedKind.PURCHASE_ORDER_DOCUMENT


def held(*numbers: int, kind: DeletedKind = DOCUMENTS, owner: str | None = None) -> MirroredIds:
    return MirroredIds(kind, owner, tuple(ErpId(str(number)) for number in numbers))


async def scan(gateway: Gateway, *groups: MirroredIds, preferences: dict[str, str] | None = None) -> ScanResult:
    """What a scan finds by these answers; the entity is chosen, so the audit trail is not asked for first."""
    connector = gateway.connector(preferences={**PREFERENCES, "deletes": "sweep", **(preferences or {})})
    assert await connector.changes.deletions(since=CURSOR, after=None) is None
    return await connector.scan.scan(groups)


def functions(call: etree._Element) -> list[etree._Element]:
    return [function[0] for function in call.iter("function")]


# --- when there is no feed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", [DENIED, failed("Query Failed", "Object definition 'AUDITHISTORY' not found")])
async def test_an_audit_trail_that_may_not_be_read_is_scanned_for(refusal: str) -> None:
    """Section 4: what a user without the right gets is not documented; both refusals lead to a scan, and only they."""
    connector = Gateway(response(refusal)).connector()
    assert await connector.changes.deletions(since=CURSOR, after=None) is None
    assert "AUDITHISTORY" in connector.scan.why
    with pytest.raises(Unavailable):
        await Gateway(response(failed("DL02000001"))).connector().changes.deletions(since=CURSOR, after=None)


async def test_detecting_changes_goes_on_without_the_audit_trail() -> None:
    """The other streams are looked at in the same one call, and the change set says that the feed is missing."""
    gateway = Gateway(response(page("APPYMT"), DENIED))
    change_set = await gateway.connector().changes.detect_changes({Stream.PAYMENTS: CURSOR, Stream.DELETIONS: CURSOR})
    assert (change_set.record_versions, change_set.unread, change_set.deletions_feed) == ([], frozenset(), False)
    assert len(gateway.calls) == 1
    readable = Gateway(response(page("APPYMT"), page("AUDITHISTORY")))
    assert (
        await readable.connector().changes.detect_changes({Stream.PAYMENTS: CURSOR, Stream.DELETIONS: CURSOR})
    ).deletions_feed


async def test_a_right_that_only_payments_lack_is_still_an_error() -> None:
    """S2-13: what a sync cannot do without stops it, audit trail or not."""
    gateway = Gateway(response(DENIED, page("AUDITHISTORY")))
    with pytest.raises(AuthenticationFailed):
        await gateway.connector().changes.detect_changes({Stream.PAYMENTS: CURSOR, Stream.DELETIONS: CURSOR})


@pytest.mark.parametrize(("answer", "feed"), [(DENIED, False), (page("AUDITHISTORY"), True), (failed("ZZ1"), True)])
async def test_checking_a_connection_says_how_deletions_are_found(answer: str, feed: bool) -> None:
    """Ruling G5: the connection's capabilities show it. An error nobody knows is for the sync to report."""
    assert (await Gateway(response(answer)).connector().check()).capabilities.deletions_feed is feed


async def test_an_administrator_may_choose_to_scan() -> None:
    """Whether Purchasing is in the audit trail is not documented (section 4): where it is not, scans find it all."""
    gateway = Gateway()
    connector = gateway.connector(preferences={**PREFERENCES, "deletes": "sweep"})
    assert not (await connector.check()).capabilities.deletions_feed
    assert await connector.changes.deletions(since=CURSOR, after=None) is None
    assert "deletes" in connector.scan.why
    assert gateway.calls == [], "the audit trail is not asked for at all"


# --- what is asked ---------------------------------------------------------------------------------------------


async def test_one_request_lists_all_kinds() -> None:
    """Section 2.2: numbers only, 1,000 at a time, from the oldest to the newest we hold; names and numbers alone in the
    conditions, because codes and labels differ between the dialects."""
    gateway = Gateway(response(listed("PODOCUMENT", 5, 9), listed("APBILL", 90), listed("APPYMT", 70)))
    groups = [held(9, 5), held(90, kind=DeletedKind.BILL), held(70, kind=DeletedKind.PAYMENT)]
    assert await scan(gateway, *groups) == ScanResult([], [])
    asked = [
        {child.tag: child.text for child in function if function.tag == "readByQuery"}
        for function in functions(gateway.calls[0])
    ]
    assert asked == [
        {
            "object": "PODOCUMENT",
            "fields": "RECORDNO",
            "query": "DOCPARID in ('Purchase Order', 'PO Receiver', 'Vendor Invoice')"
            " AND RECORDNO >= 5 AND RECORDNO <= 9",
            "pagesize": "1000",
        },
        {"object": "APBILL", "fields": "RECORDNO", "query": "RECORDNO >= 90 AND RECORDNO <= 90", "pagesize": "1000"},
        {"object": "APPYMT", "fields": "RECORDNO", "query": "RECORDNO >= 70 AND RECORDNO <= 70", "pagesize": "1000"},
    ]
    assert len(gateway.calls) == 1, "nothing is missing, so nothing is asked twice"


async def test_a_name_with_a_quote_ends_no_text() -> None:
    """Section 2.2: a quote inside is written with a backslash."""
    gateway = Gateway(response(listed("PODOCUMENT", 5)))
    names = {"po_template": "Buyer's \\ Order", "vendor_invoice_template": "Vendor Invoice", "receiver_template": ""}
    await scan(gateway, held(5), preferences=names)
    query = functions(gateway.calls[0])[0].findtext("query")
    assert query == r"DOCPARID in ('Buyer\'s \\ Order', 'Vendor Invoice') AND RECORDNO >= 5 AND RECORDNO <= 5"


async def test_a_long_result_is_read_to_its_end() -> None:
    """Section 2.2: readMore by the result's id; results that ended are not asked for again."""
    gateway = Gateway(
        response(listed("PODOCUMENT", 1, 2, remaining=3, result_id="r-1"), listed("APBILL", 90)),
        response(listed("PODOCUMENT", 3, 4, remaining=1, total=5)),
        response(listed("PODOCUMENT", 5, total=5, result_id="r-1")),
    )
    groups = [held(1, 2, 3, 4, 5), held(90, kind=DeletedKind.BILL)]
    assert await scan(gateway, *groups) == ScanResult([], [])
    assert [[(f.tag, f.findtext("resultId")) for f in functions(call)] for call in gateway.calls[1:]] == [
        [("readMore", "r-1")],
        [("readMore", "r-1")],
    ]


async def test_the_page_size_is_the_connections_and_never_above_the_dialects() -> None:
    """Section 2.2: 1,000, where `query` has 2,000."""
    for arguments, used in ((None, "1000"), (2000, "1000"), (40, "40")):
        gateway = Gateway(response(listed("PODOCUMENT", 5)))
        connector = gateway.connector(preferences={**PREFERENCES, "deletes": "sweep"}, page_size=arguments)
        await connector.scan.scan([held(5)])
        assert functions(gateway.calls[0])[0].findtext("pagesize") == used


# --- what is found ---------------------------------------------------------------------------------------------


async def test_both_dialects_must_miss_a_record() -> None:
    """Section 4: 7 and 8 are not listed; the query for their numbers shows 8, so only 7 is gone. The query is believed
    because it shows 6, too, which was listed."""
    gateway = Gateway(
        response(listed("PODOCUMENT", 5, 6), listed("APPYMT")),
        response(page("PODOCUMENT", {"RECORDNO": "6"}, {"RECORDNO": "8"}), page("APPYMT")),
    )
    groups = [held(5, 7, 8), held(6), held(70, kind=DeletedKind.PAYMENT)]
    assert await scan(gateway, *groups) == ScanResult([held(7), held(70, kind=DeletedKind.PAYMENT)], [])
    asked = [(f.tag, f.findtext("object"), [v.text for v in f.iter("value")]) for f in functions(gateway.calls[1])]
    assert asked == [("query", "PODOCUMENT", ["6", "7", "8"]), ("query", "APPYMT", ["70"])]


@pytest.mark.parametrize("answer", [page("PODOCUMENT"), result('<data listtype="PODOCUMENT"/>')])
async def test_a_query_that_does_not_show_what_was_listed_is_no_witness(answer: str) -> None:
    """An answer that shows nothing at all would confirm any suspicion."""
    gateway = Gateway(response(listed("PODOCUMENT", 5)), response(answer))
    with pytest.raises(MalformedAnswer) as caught:
        await scan(gateway, held(5, 7))
    assert "PODOCUMENT 5" in caught.value.message


async def test_nothing_held_costs_nothing() -> None:
    """Ids that are no record numbers cannot be asked for, and list entries are not scanned for."""
    gateway = Gateway()
    odd = MirroredIds(DOCUMENTS, None, (ErpId("PO-1"),))
    assert await scan(gateway, odd, held(1, kind=DeletedKind.LIST_ENTRY)) == ScanResult([], [])
    assert gateway.calls == []


async def test_a_session_that_ends_in_the_middle_takes_its_results_with_it() -> None:
    """Section 2.2: a result lives with its session; the scan is Stale, and made again from its beginning."""
    first = response(listed("PODOCUMENT", 1, remaining=1, result_id="r-1"))
    gateway = Gateway(first, bad_session(), response(failed("Query Failed", "The resultId is unknown or has expired")))
    with pytest.raises(Stale) as caught:
        await scan(gateway, held(1, 2))
    assert (caught.value.code, caught.value.retryable) == ("SEARCH_EXPIRED", True)
    assert [call.findtext(".//sessionid") for call in gateway.calls] == ["session-1", "session-1", "session-2"]


@pytest.mark.parametrize("errorno", ["PL04000005", "DL02000001"])
async def test_other_refusals_are_what_they_are(errorno: str) -> None:
    """A lost right or an outage is not a result that ended."""
    first = response(listed("PODOCUMENT", 1, remaining=1, result_id="r-1"))
    with pytest.raises(ErpError) as caught:
        await scan(Gateway(first, response(failed(errorno))), held(1, 2))
    assert isinstance(caught.value, AuthenticationFailed | Unavailable)


@pytest.mark.parametrize(
    "broken",
    [
        listed("PODOCUMENT", 1, 2, count="5"),
        listed("PODOCUMENT", 1, 2, totalcount="5"),
        listed("PODOCUMENT", 1, 2, remaining=3),
        listed("PODOCUMENT", remaining=3, result_id="r-1"),
        listed("PODOCUMENT", 1, 2, numremaining=""),
        listed("PODOCUMENT", 1, 2, totalcount="two"),
        listed("PODOCUMENT", 1, 2).replace("<RECORDNO>2</RECORDNO>", "<RECORDNO/>"),
    ],
)
async def test_a_page_cut_in_half_is_not_used(broken: str) -> None:
    """Fault F13: each of these would show records as gone that are there."""
    with pytest.raises(MalformedAnswer) as caught:
        await scan(Gateway(response(broken)), held(1, 2, 3))
    assert caught.value.code == "MALFORMED_ANSWER"


@pytest.mark.parametrize(
    "second",
    [
        listed("PODOCUMENT", 3, total=5),
        listed("PODOCUMENT", 3, 4, 5, 6, total=6),
        listed("PODOCUMENT", remaining=3, total=5),
        listed("PODOCUMENT", 3, remaining=2, total=7),
    ],
)
async def test_a_result_that_loses_records_on_its_way_is_not_used(second: str) -> None:
    """What was to come must come: a result that shrinks, grows or stands still is no stable list."""
    first = response(listed("PODOCUMENT", 1, 2, remaining=3, result_id="r-1"))
    with pytest.raises(MalformedAnswer):
        await scan(Gateway(first, response(second)), held(1, 2, 3, 4, 5))


# --- entities --------------------------------------------------------------------------------------------------


def from_the_top(gateway: Gateway) -> IntacctConnector:
    """A connection without an entity."""
    credentials = Credentials(values={**CREDENTIALS.values, "entity": ""})
    settings = ConnectionSettings(endpoint=ENDPOINT, preferences={**PREFERENCES, "deletes": "sweep"})
    return IntacctConnector(settings, credentials, transport=gateway.transport)


async def test_private_records_are_looked_for_where_they_are() -> None:
    """Section 7.1: readByQuery shows an entity's records in a session of that entity only."""
    gateway = Gateway(
        response(listed("PODOCUMENT", 1)),
        response(listed("PODOCUMENT", 2)),
        response(page("PODOCUMENT", {"RECORDNO": "2"})),
        response(page("PODOCUMENT")),
    )
    scan = from_the_top(gateway).scan
    found = await scan.scan([held(1), held(2, 3, owner="200")])
    assert found == ScanResult([held(3, owner="200")], [])
    levels = {f"session-{n}": sign_in.findtext(".//locationid") for n, sign_in in enumerate(gateway.sign_ins, start=1)}
    assert [levels[call.findtext(".//sessionid") or ""] for call in gateway.calls] == [None, "200", "200", None]


async def test_what_its_entity_does_not_show_is_asked_for_from_the_top() -> None:
    """Section 7.1: we conclude from its order who owns a payment, but an entity's bill can be paid at top level.
    Payment 70 is there after all; 71 is shown by no level."""
    payment = DeletedKind.PAYMENT
    gateway = Gateway(
        response(listed("APPYMT")), response(page("APPYMT")), response(page("APPYMT", {"RECORDNO": "70"}))
    )
    scan = from_the_top(gateway).scan
    found = await scan.scan([held(70, 71, kind=payment, owner="200")])
    assert found == ScanResult([held(71, kind=payment, owner="200")], [])
    (last,) = functions(gateway.calls[2])
    assert (last.tag, [value.text for value in last.iter("value")]) == ("query", ["70", "71"])
    assert last.findtext(".//options/showprivate") == "true"


async def test_at_top_level_suspects_are_asked_for_with_private_records() -> None:
    """Section 2.1: a record whose owner we have wrong is private after all, and shows by `showprivate`."""
    gateway = Gateway(response(listed("PODOCUMENT")), response(page("PODOCUMENT", {"RECORDNO": "1"})))
    scan = from_the_top(gateway).scan
    assert await scan.scan([held(1)]) == ScanResult([], [])
    assert gateway.calls[1].findtext(".//options/showprivate") == "true"


async def test_an_entity_that_cannot_be_entered_loses_nothing() -> None:
    """Section 4: lost permission looks like a deletion. The entity is named, the others are scanned."""

    def sign_in(request: httpx.Request) -> httpx.Response:
        closed = b"<locationid>200</locationid>" in request.content
        text = sign_in_refused("The location 200 is not allowed for this user.") if closed else session_answer()
        return httpx.Response(200, content=text.encode())

    gateway = Gateway(response(listed("PODOCUMENT")), response(page("PODOCUMENT")), sign_in=sign_in)
    scan = from_the_top(gateway).scan
    assert await scan.scan([held(2, owner="200"), held(1)]) == ScanResult([held(1)], ["200"])


async def test_a_connection_that_is_not_let_in_at_all_is_an_error() -> None:
    """At its own level it is the connection's trouble, which an administrator must settle."""
    gateway = Gateway(sign_in=sign_in_refused("The location 100 is not allowed for this user."))
    with pytest.raises(AuthenticationFailed):
        await scan(gateway, held(1))
