"""Peek, deletes and lists (S2-06, S5-78; reference 2.5, section 4)."""

import pytest

from erp.connector import Stamp
from erp.errors import Rejected
from models.domain import DeletedKind, ErpId, ListKind, Stream
from tests.erp.gateway import Gateway, failed, page, response

CURSOR = "2031-07-01 10:00:00"
STAMP = "07/01/2031 10:00:00"
OBJECTS = [
    "VENDOR", "GLACCOUNT", "ITEM", "DEPARTMENT", "LOCATION", "LOCATIONENTITY", "CLASS", "APTERM", "PODOCUMENT",
    "PODOCUMENTENTRY", "PODOCUMENT", "PODOCUMENTENTRY", "APBILL", "APPYMT", "AUDITHISTORY",
]  # fmt: skip


async def test_a_peek_is_one_call_for_a_whole_connection() -> None:
    """An unchanged sync costs one call: every stream in one request, as stamps."""
    gateway = Gateway(response(*(page(name) for name in OBJECTS)))
    peek = await gateway.connector().peek(dict.fromkeys(Stream, CURSOR))
    assert (peek.stamps, peek.unread) == ([], frozenset())
    assert [query.findtext("object") for query in gateway.calls[0].iter("query")] == OBJECTS


async def test_stamps_say_what_changed() -> None:
    """Documents, documents whose lines changed, lists never changed, deletes in both spellings."""
    pages = {name: page(name) for name in OBJECTS}
    pages["VENDOR"] = page("VENDOR", {"RECORDNO": "1", "WHENCREATED": STAMP})
    pages["PODOCUMENT"] = page("PODOCUMENT", {"RECORDNO": "5", "WHENMODIFIED": STAMP})
    pages["PODOCUMENTENTRY"] = page("PODOCUMENTENTRY", {"DOCHDRNO": "6", "MAX.WHENMODIFIED": STAMP})
    pages["AUDITHISTORY"] = page(
        "AUDITHISTORY",
        {"ID": "1", "OBJECTTYPE": "podocument", "OBJECTKEY": "8--REC", "ACCESSTIME": STAMP, "ACCESSMODE": "D"},
    )
    gateway = Gateway(response(*(pages[name] for name in OBJECTS)))
    peek = await gateway.connector().peek(dict.fromkeys(Stream, CURSOR))
    assert set(peek.stamps) == {
        Stamp(Stream.LISTS, ListKind.VENDOR.value, ErpId("1"), CURSOR),
        Stamp(Stream.PURCHASE_ORDERS, "purchase_orders", ErpId("5"), CURSOR),
        Stamp(Stream.PURCHASE_ORDERS, "purchase_orders", ErpId("6"), CURSOR),
        Stamp(Stream.RECEIPTS, "receipts", ErpId("5"), CURSOR),
        Stamp(Stream.RECEIPTS, "receipts", ErpId("6"), CURSOR),
        Stamp(Stream.DELETIONS, "deletions", ErpId("8"), CURSOR),
    }


async def test_more_than_a_page_must_be_read() -> None:
    """A peek that does not show all names the stream; so does one with a record it cannot stamp."""
    full = page("APBILL", {"RECORDNO": "1", "WHENMODIFIED": STAMP}, remaining=9)
    gateway = Gateway(response(full, page("APPYMT", {"RECORDNO": "1"})))
    peek = await gateway.connector().peek({Stream.BILLS: CURSOR, Stream.PAYMENTS: CURSOR})
    assert peek.unread == {Stream.BILLS, Stream.PAYMENTS}


async def test_streams_never_read_are_not_peeked_at() -> None:
    """Their first reading is a reading."""
    gateway = Gateway()
    assert (await gateway.connector().peek({})).stamps == ()
    assert not gateway.calls


async def test_a_cursor_before_all_time_peeks_at_everything() -> None:
    """A stream that was read and was empty has no time of its own."""
    gateway = Gateway(response(page("APPYMT")))
    await gateway.connector().peek({Stream.PAYMENTS: "0000-00-00 00:00:00"})
    assert gateway.calls[0].findtext(".//greaterthanorequalto/value") == "01/01/1970 00:00:00"


async def test_deletions_in_both_spellings() -> None:
    """Section 4: OBJECTKEY plain, or with --REC; two and a half hours of overlap."""

    def row(number: str, kind: str, key: str) -> dict[str, str]:
        return {"ID": number, "OBJECTTYPE": kind, "OBJECTKEY": key, "ACCESSTIME": STAMP, "ACCESSMODE": "D"}

    gateway = Gateway(
        response(
            page(
                "AUDITHISTORY",
                row("1", "podocument", "8--REC"),
                row("2", "apbill", "90"),
                row("3", "vendor", "V-100"),
                row("4", "appymt", "70"),
                remaining=1,
            )
        )
    )
    found = await gateway.connector().deletions(since=CURSOR, after=None)
    assert [(deletion.kind, deletion.list_kind, deletion.erp_id) for deletion in found.records] == [
        (DeletedKind.PURCHASE_ORDER_DOCUMENT, None, "8"),
        (DeletedKind.BILL, None, "90"),
        (DeletedKind.LIST_ENTRY, ListKind.VENDOR, "V-100"),
        (DeletedKind.PAYMENT, None, "70"),
    ]
    assert (found.after, found.high_water) == ("4", CURSOR)
    assert gateway.calls[0].findtext(".//greaterthanorequalto/value") == "07/01/2031 07:30:00"


async def test_lists_a_company_does_not_have_are_empty() -> None:
    """Departments, locations, entities and classes come with subscriptions; vendors everyone has."""
    gone = failed("Query Failed", "object CLASS not found")
    found = await Gateway(response(gone)).connector().list_entries([ListKind.CLASS], since=None, after=None)
    assert (found.records, found.after) == ([], None)
    with pytest.raises(Rejected):
        await Gateway(response(gone)).connector().list_entries([ListKind.VENDOR], since=None, after=None)


async def test_lists_come_together() -> None:
    """S2-06: one request for the next page of every list; each is resumed for itself."""
    gateway = Gateway(
        response(
            page("VENDOR", {"RECORDNO": "1", "VENDORID": "V-1", "NAME": "Mill", "TERMNAME": "Net 30",
                            "STATUS": "inactive", "MEGAENTITYID": "100", "WHENMODIFIED": STAMP}),
            page("APTERM", {"RECORDNO": "4", "NAME": "Net 30"}, remaining=1),
        ),
        response(page("APTERM", {"RECORDNO": "5", "NAME": "Net 60", "DESCRIPTION": "sixty days"})),
    )  # fmt: skip
    connector = gateway.connector()
    kinds = [ListKind.VENDOR, ListKind.TERM, ListKind.BANK_ACCOUNT]
    first = await connector.list_entries(kinds, since=None, after=None)
    vendor, term = first.records
    assert (vendor.key, vendor.name, vendor.active, vendor.entity) == ("V-1", "Mill", False, "100")
    assert vendor.attributes == {"term": "Net 30"}
    assert (term.key, term.name, term.revision) == ("Net 30", "Net 30", None)
    assert (first.after, first.high_water) == ("term=4", CURSOR)
    second = await connector.list_entries(kinds, since=None, after=first.after)
    assert ([entry.name for entry in second.records], second.after) == (["sixty days"], None)
    assert [query.findtext("object") for query in gateway.calls[1].iter("query")] == ["APTERM"]
