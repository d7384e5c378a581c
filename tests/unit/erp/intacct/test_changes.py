"""Peek, deletes and lists (S2-06, S5-78; reference 2.5, section 4)."""

from datetime import date

import pytest

from erp.errors import AuthenticationFailed, Rejected
from erp.roles.pages import RecordVersion
from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.sync import DeletedKind, Stream
from tests.fakes.intacct_gateway import (
    Gateway,
    failed,
    page,
    response,
    result,
)

CURSOR = "2031-07-01 10:00:00"
STAMP = "07/01/2031 10:00:00"
OBJECTS = [
    "VENDOR", "GLACCOUNT", "ITEM", "DEPARTMENT", "LOCATION", "LOCATIONENTITY", "CLASS",
    "PROJECT", "CUSTOMER", "EMPLOYEE", "APTERM", "CHECKINGACCOUNT", "SAVINGSACCOUNT", "CREDITCARD", "UOM", "UOMDETAIL",
    "PODOCUMENT", "PODOCUMENTENTRY", "PODOCUMENT", "PODOCUMENTENTRY", "APBILL", "APPYMT",
    "APADJUSTMENT", "AUDITHISTORY",
]  # fmt: skip


NOTHING_CLOSED = result("<data><closedbooksdate/></data>", "get_closedbooksdate")


async def test_detecting_changes_is_one_call_for_a_whole_connection() -> None:
    """An unchanged sync costs one call: every stream in one request, as stamps, the closed books with them."""
    gateway = Gateway(response(*(page(name) for name in OBJECTS), NOTHING_CLOSED))
    change_set = await gateway.connector().changes.detect_changes(dict.fromkeys(Stream, CURSOR))
    assert (change_set.record_versions, change_set.unread, change_set.closed_through) == (
        [],
        frozenset(),
        {"100": None},
    )
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
    gateway = Gateway(response(*(pages[name] for name in OBJECTS), NOTHING_CLOSED))
    change_set = await gateway.connector().changes.detect_changes(dict.fromkeys(Stream, CURSOR))
    assert set(change_set.record_versions) == {
        RecordVersion(Stream.LISTS, ListKind.VENDOR.value, ErpId("1"), CURSOR),
        RecordVersion(Stream.PURCHASE_ORDERS, "purchase_orders", ErpId("5"), CURSOR),
        RecordVersion(Stream.PURCHASE_ORDERS, "purchase_orders", ErpId("6"), CURSOR),
        RecordVersion(Stream.RECEIPTS, "receipts", ErpId("5"), CURSOR),
        RecordVersion(Stream.RECEIPTS, "receipts", ErpId("6"), CURSOR),
        RecordVersion(Stream.DELETIONS, "deletions", ErpId("8"), CURSOR),
    }


async def test_more_than_a_page_must_be_read() -> None:
    """A change set that does not show all names the stream; so does one with a record it knows no revision of."""
    full = page("APBILL", {"RECORDNO": "1", "WHENMODIFIED": STAMP}, remaining=9)
    gateway = Gateway(response(full, page("APPYMT", {"RECORDNO": "1"}), page("APADJUSTMENT")))
    change_set = await gateway.connector().changes.detect_changes({Stream.BILLS: CURSOR, Stream.PAYMENTS: CURSOR})
    assert change_set.unread == {Stream.BILLS, Stream.PAYMENTS}


async def test_streams_never_read_are_not_asked_for() -> None:
    """Their first reading is a reading; only the closed books have none."""
    gateway = Gateway(response(NOTHING_CLOSED))
    assert (await gateway.connector().changes.detect_changes({})).record_versions == []
    assert [[child.tag for child in function] for function in gateway.calls[0].iter("function")] == [
        ["get_closedbooksdate"]
    ]


@pytest.mark.parametrize(
    ("inside", "closed"),
    [
        ("<closedbooksdate><year>2031</year><month>3</month><day>31</day></closedbooksdate>", date(2031, 3, 31)),
        ("<closedbooksdate>03/31/2031</closedbooksdate>", date(2031, 3, 31)),
        ("<closedbooksdate/>", None),
    ],
)
async def test_the_closed_books_of_the_connection_s_entity(inside: str, closed: date | None) -> None:
    """H07: an entity's own last closed day, in either way the answer may write it."""
    gateway = Gateway(response(result(f"<data>{inside}</data>", "get_closedbooksdate")))
    assert (await gateway.connector().changes.detect_changes({})).closed_through == {"100": closed}


@pytest.mark.parametrize(
    "answer",
    [
        failed("PL04000005", "You do not have permission"),
        result("<data><closedbooksdate>soon</closedbooksdate></data>"),
    ],
)
async def test_books_that_cannot_be_read_say_nothing(answer: str) -> None:
    """What was known before stays known; the sync goes on."""
    assert (await Gateway(response(answer)).connector().changes.detect_changes({})).closed_through == {}


async def test_units_without_the_right_to_read_them_are_left_out() -> None:
    """Rules 3.6: a unit nobody told of is asked for once, so a sync needs no unit groups."""
    denied = failed("PL04000005", "You do not have permission for API operation")
    gateway = Gateway(response(denied, denied), response(denied))
    connector = gateway.connector()
    found = await connector.lists.page([ListKind.UNIT_GROUP, ListKind.UNIT], since=None, after=None)
    assert (found.records, found.after) == ([], None)
    with pytest.raises(AuthenticationFailed):
        await connector.lists.page([ListKind.VENDOR], since=None, after=None)


async def test_items_say_their_category_and_units_their_factor() -> None:
    """Rules 3.4 and 3.6: the product line is the category, else the GL group; a unit counts base units."""
    gateway = Gateway(
        response(
            page("ITEM", {"RECORDNO": "1", "ITEMID": "PAPER", "UOMGRP": "Paper", "PRODUCTLINEID": "OFFICE",
                          "GLGROUP": "6100"},
                         {"RECORDNO": "2", "ITEMID": "TAPE", "GLGROUP": "6400"}),
            page("UOM", {"RECORDNO": "7", "NAME": "Paper"}),
            page("UOMDETAIL", {"RECORDNO": "71", "GRPKEY": "7", "UNIT": "Case", "CONVFACTOR": "12"}),
        )
    )  # fmt: skip
    kinds = [ListKind.ITEM, ListKind.UNIT_GROUP, ListKind.UNIT]
    found = await gateway.connector().lists.page(kinds, since=None, after=None)
    paper, tape, group, case = found.records
    assert paper.attributes == {"unit_group": "Paper", "gl_group": "6100", "category": "OFFICE"}
    assert tape.attributes == {"gl_group": "6400", "category": "6400"}
    assert (group.key, group.erp_id) == ("Paper", "7")
    assert (case.key, case.attributes) == ("Case", {"group": "7", "factor": "12"})


async def test_a_cursor_before_all_time_asks_for_everything() -> None:
    """A stream that was read and was empty has no time of its own."""
    gateway = Gateway(response(page("APPYMT")))
    await gateway.connector().changes.detect_changes({Stream.PAYMENTS: "0000-00-00 00:00:00"})
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
    found = await gateway.connector().changes.deletions(since=CURSOR, after=None)
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
    found = await Gateway(response(gone)).connector().lists.page([ListKind.CLASS], since=None, after=None)
    assert (found.records, found.after) == ([], None)
    with pytest.raises(Rejected):
        await Gateway(response(gone)).connector().lists.page([ListKind.VENDOR], since=None, after=None)


async def test_lists_come_together() -> None:
    """S2-06: one request for the next page of every list; each is resumed for itself."""
    gateway = Gateway(
        response(
            page("VENDOR", {"RECORDNO": "1", "VENDORID": "V-1", "NAME": "Mill", "TERMNAME": "Net 30",
                            "STATUS": "inactive", "MEGAENTITYID": "100", "WHENMODIFIED": STAMP}),
            page("APTERM", {"RECORDNO": "4", "NAME": "Net 30"}, remaining=1),
            page("CHECKINGACCOUNT", {"RECORDNO": "4", "BANKACCOUNTID": "BOA", "BANKACCOUNTNO": "000111222333"}),
            page("SAVINGSACCOUNT"),
            page("CREDITCARD", {"RECORDNO": "4", "CARDID": "VISA", "STATUS": "inactive"}),
        ),
        response(page("APTERM", {"RECORDNO": "5", "NAME": "Net 60", "DESCRIPTION": "sixty days"})),
    )  # fmt: skip
    connector = gateway.connector()
    kinds = [ListKind.VENDOR, ListKind.TERM, ListKind.BANK_ACCOUNT]
    first = await connector.lists.page(kinds, since=None, after=None)
    vendor, term, bank, card = first.records
    assert (vendor.key, vendor.name, vendor.active, vendor.entity) == ("V-1", "Mill", False, "100")
    assert vendor.attributes == {"term": "Net 30"}
    assert (term.key, term.name, term.revision) == ("Net 30", "Net 30", None)
    assert (bank.erp_id, bank.key, bank.attributes) == (
        "checking:4",
        "BOA",
        {"account_type": "checking", "account_number": "****2333"},
    )
    assert (card.erp_id, card.active, card.attributes) == ("card:4", False, {"account_type": "credit card"})
    assert (first.after, first.high_water) == ("APTERM=4", CURSOR)
    second = await connector.lists.page(kinds, since=None, after=first.after)
    assert ([entry.name for entry in second.records], second.after) == (["sixty days"], None)
    assert [query.findtext("object") for query in gateway.calls[1].iter("query")] == ["APTERM"]
