"""Orders and receipts in: field maps, bad records, pages (S5-78..101, S5-113..128)."""

from datetime import date
from decimal import Decimal

import pytest

from erp.errors import NotFound
from models.domain.connections import MatchMode
from models.domain.ids import DocumentId, ErpId
from tests.fakes.intacct_gateway import (
    PREFERENCES,
    Gateway,
    line_row,
    order_row,
    page,
    response,
)

NO_TOUCHED_LINES = page("PODOCUMENTENTRY")


async def _orders(header: dict[str, str], *lines: dict[str, str], preferences: dict[str, str] | None = None):
    gateway = Gateway(response(page("PODOCUMENT", header)), response(page("PODOCUMENTENTRY", *lines)))
    connector = gateway.connector(preferences={**PREFERENCES, **(preferences or {})})
    headers = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    return gateway, headers, await connector.orders.lines(headers.records)


async def test_the_header_map() -> None:
    """S5-79..84: RECORDNO, DOCID, STATE, MESSAGE, WHENCREATED, CUSTVENDID; and what else is read of it."""
    row = order_row(
        7,
        MESSAGE="for floor 2",
        WHENDUE="07/31/2031",
        PONUMBER="REQ-9",
        TRX_TOTAL="42.50",
        MEGAENTITYID="100",
        CREATEDFROM="Purchase Order-PO-3",
        **{"TERM.NAME": "Net 30"},
    )
    _, headers, _ = await _orders(row)
    (header,) = headers.records
    assert header.erp_id == "7"
    assert (header.document_id, header.number) == ("Purchase Order-PO-7", "PO-7")
    assert (header.erp_status, header.memo) == ("Pending", "for floor 2")
    assert (header.ordered_on, header.due_on) == (date(2031, 7, 1), date(2031, 7, 31))
    assert (header.vendor_id, header.vendor_name) == ("V-100", "Paper Mill")
    assert (header.total, header.currency, header.term) == (Decimal("42.50"), "USD", "Net 30")
    assert (header.reference, header.owner_entity, header.created_from) == ("REQ-9", "100", "Purchase Order-PO-3")
    assert header.revision == headers.high_water == "2031-07-01 10:00:00"


async def test_the_line_map() -> None:
    """S5-85..98, S5-101: each field of a line, ids before `--`, the number one-based."""
    row = line_row(
        13,
        ITEMID="PAPER--Paper A4",
        UIQTY="10.5",
        UIPRICE="4.1234",
        TRX_VALUE="43.30",
        MEMO="white",
        CLASSID="C-1--Office",
        DEPARTMENTID="200",
        PROJECTID="P-1",
        QTY_CONVERTED="3",
        TOTAL_AMOUNT_CONVERTED="12.37",
        STATE="Closed",
        SOURCE_DOCLINEKEY="5",
        GLDIMBETTERPROMOTION="summer",
        **{"WAREHOUSE.LOCATION_NO": "W-1"},
    )
    gateway, _, orders = await _orders(order_row(), row, preferences={"dimension.Better": "BetterPromotion"})
    (line,) = orders.records[0].lines
    assert (line.erp_id, line.line_no, line.item_id) == ("13", 3, "PAPER")
    assert (line.quantity, line.price, line.amount) == (Decimal("10.5"), Decimal("4.1234"), Decimal("43.30"))
    assert (line.unit, line.description) == ("Each", "white")
    assert (line.department, line.class_id, line.location, line.warehouse) == ("200", "C-1", "100", "W-1")
    assert (line.project, line.source_line, line.closed) == ("P-1", "5", True)
    assert (line.billed, line.billed_amount) == (Decimal(3), Decimal("12.37"))
    assert line.custom == {"Better": "summer"}
    assert "GLDIMBETTERPROMOTION" in [field.text for field in gateway.calls[1].iterfind(".//select/field")]


async def test_entity_and_currency_are_those_of_the_lines() -> None:
    """S5-99, S5-100, where all lines agree."""
    _, _, orders = await _orders(order_row(CURRENCY=""), line_row(11), line_row(12))
    assert (orders.records[0].entity, orders.records[0].currency) == ("100", "USD")
    assert [line.line_no for line in orders.records[0].lines] == [1, 2]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"LOCATIONID": "200"}, "MIXED_ENTITY"),
        ({"CURRENCY": "EUR"}, "MIXED_CURRENCY"),
        ({"UIQTY": ""}, "MISSING_FIELD"),
        ({"ITEMID": ""}, "MISSING_FIELD"),
        ({"UIPRICE": ""}, "MISSING_FIELD"),
        ({"TRX_VALUE": ""}, "MISSING_FIELD"),
        ({"UIQTY": "a lot"}, "VALUE_NOT_READABLE"),
        ({"UIPRICE": "NaN"}, "VALUE_NOT_READABLE"),
        ({"WHENMODIFIED": "last week"}, "VALUE_NOT_READABLE"),
    ],
)
async def test_a_bad_line_makes_a_bad_order_and_the_others_go_on(changed: dict[str, str], code: str) -> None:
    """S5-99, S5-100, fault F13: the order is named with what is wrong with it."""
    gateway = Gateway(
        response(page("PODOCUMENT", order_row(1), order_row(2))),
        response(page("PODOCUMENTENTRY", line_row(11), line_row(12, **changed), line_row(21, 2))),
    )
    connector = gateway.connector()
    headers = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    orders = await connector.orders.lines(headers.records)
    assert [order.erp_id for order in orders.records] == ["2"]
    assert [(bad.erp_id, bad.code) for bad in orders.bad] == [("1", code)]
    assert orders.bad[0].evidence["DOCID"] == "Purchase Order-PO-1"


async def test_an_order_without_lines_is_bad() -> None:
    """A document has at least one line (reference 3.2)."""
    _, _, orders = await _orders(order_row())
    assert [bad.code for bad in orders.bad] == ["NO_LINES"]


@pytest.mark.parametrize("field", ["DOCID", "DOCNO", "STATE", "CUSTVENDID", "WHENCREATED", "WHENMODIFIED"])
async def test_a_header_without_a_mandatory_field_is_bad(field: str) -> None:
    """It is named by its record number; the others come in."""
    gateway = Gateway(response(page("PODOCUMENT", order_row(1, **{field: ""}), order_row(2))))
    read = gateway.connector().orders.headers
    headers = await read(since=None, ordered_from=None, after=None, open_in=None)
    assert [header.erp_id for header in headers.records] == ["2"]
    assert [(bad.erp_id, bad.code, bad.evidence["field"]) for bad in headers.bad] == [("1", "MISSING_FIELD", field)]


async def test_a_draft_without_number_is_no_bad_record() -> None:
    """Drafts may be numbered later (reference 2.6)."""
    _, headers, _ = await _orders(order_row(1, DOCNO="", STATE="Draft"))
    assert [header.number for header in headers.records] == ["Purchase Order-PO-1"]


async def test_records_never_changed_carry_their_creation() -> None:
    """Reference 2.5 point 2: no modification stamp until the first change."""
    _, headers, _ = await _orders(order_row(1, WHENMODIFIED="", AUWHENCREATED="06/30/2031 09:00:00"))
    assert headers.records[0].revision == "2031-06-30 09:00:00"


async def test_a_first_import_asks_for_open_orders_of_the_window_only() -> None:
    """S1-11, S1-14, S1-15; and the template twice, as type and as filter (reference 2.8)."""
    gateway = Gateway(response(page("PODOCUMENT")))
    await gateway.connector().orders.headers(
        since=None, ordered_from=date(2031, 4, 1), after=None, open_in=MatchMode.TWO_WAY
    )
    (query,) = gateway.calls[0].iter("query")
    assert query.findtext("docparid") == "Purchase Order"
    conditions = {(node.findtext("field"), tuple(value.text for value in node.iterfind("value")))
                  for node in query.find("filter").iter() if node.find("field") is not None}  # fmt: skip
    assert ("DOCPARID", ("Purchase Order",)) in conditions
    assert ("WHENCREATED", ("04/01/2031",)) in conditions
    assert ("STATE", ("Pending", "In Progress", "Partially Converted")) in conditions


async def test_a_later_sync_looks_back_and_covers_missing_stamps() -> None:
    """S1-12 and reference 2.5: the change counts, not the date; two hours of overlap; null stamps by creation."""
    gateway = Gateway(response(page("PODOCUMENT"), NO_TOUCHED_LINES))
    await gateway.connector().orders.headers(since="2031-07-01 10:00:00", ordered_from=None, after="41", open_in=None)
    query, touched = gateway.calls[0].iter("query")
    assert query.findtext(".//greaterthan/field") == "RECORDNO"
    assert query.findtext(".//greaterthan/value") == "41"
    values = [node.text for node in query.iterfind(".//greaterthanorequalto/value")]
    assert values == ["07/01/2031 08:00:00"] * 2
    assert query.findtext(".//isnull/field") == "WHENMODIFIED"
    assert touched.findtext("object") == "PODOCUMENTENTRY"
    assert touched.findtext(".//select/max") == "WHENMODIFIED"


async def test_an_order_whose_lines_changed_alone_is_read_too() -> None:
    """Reference 2.5 point 5: a line's change need not touch its header; its revision is the line's."""
    old = order_row(5, WHENMODIFIED="01/05/2031 10:00:00")
    gateway = Gateway(
        response(
            page("PODOCUMENT", order_row(3)),
            page("PODOCUMENTENTRY", *[{"DOCHDRNO": n, "MAX.WHENMODIFIED": "07/01/2031 11:00:00"} for n in ("3", "5")]),
        ),
        response(page("PODOCUMENT", old)),
    )
    headers = await gateway.connector().orders.headers(
        since="2031-07-01 10:00:00", ordered_from=None, after=None, open_in=None
    )
    assert [(header.erp_id, header.revision) for header in headers.records] == [
        ("3", "2031-07-01 11:00:00"),
        ("5", "2031-07-01 11:00:00"),
    ]


async def test_headers_and_touched_lines_are_paged_in_step() -> None:
    """A page ends where the shorter reading ends, so that neither is skipped."""
    gateway = Gateway(
        response(
            page("PODOCUMENT", order_row(1), order_row(9)),
            page(
                "PODOCUMENTENTRY",
                *[{"DOCHDRNO": n, "MAX.WHENMODIFIED": "07/01/2031 09:00:00"} for n in ("1", "4")],
                remaining=3,
            ),
        ),
        response(page("PODOCUMENT", order_row(4))),
    )
    headers = await gateway.connector().orders.headers(
        since="2031-07-01 10:00:00", ordered_from=None, after=None, open_in=None
    )
    assert ([header.erp_id for header in headers.records], headers.after) == (["1", "4"], "4")


async def test_a_change_between_header_and_lines_is_not_lost() -> None:
    """The order must not carry the lines' newer revision with an older header: it would never be read again."""
    newer = line_row(11, WHENMODIFIED="07/01/2031 10:00:05")
    for header_now, revision in (("07/01/2031 10:00:05", "2031-07-01 10:00:00"), (None, "2031-07-01 10:00:05")):
        gateway = Gateway(
            response(page("PODOCUMENT", order_row(1))),
            response(page("PODOCUMENTENTRY", newer)),
            response(page("PODOCUMENT", order_row(1, **({"WHENMODIFIED": header_now} if header_now else {})))),
        )
        connector = gateway.connector()
        headers = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
        orders = await connector.orders.lines(headers.records)
        assert orders.records[0].revision == revision


async def test_lines_of_many_orders_come_set_wise() -> None:
    """As many `in` as 1,000 values each need, under one `or` (reference 2.1)."""
    rows = [order_row(n) for n in range(1, 1202)]
    lines = [line_row(n * 10 + 1, n) for n in range(1, 1202)]
    gateway = Gateway(response(page("PODOCUMENT", *rows)), response(page("PODOCUMENTENTRY", *lines)))
    connector = gateway.connector()
    headers = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    orders = await connector.orders.lines(headers.records)
    assert len(orders.records) == 1201
    inside = gateway.calls[1].findall(".//or/in")
    assert [len(node.findall("value")) for node in inside] == [1000, 201]


RECEIPT = order_row(
    30,
    DOCID="PO Receiver-R-1",
    DOCNO="R-1",
    CREATEDFROM="Purchase Order-PO-1",
    MESSAGE="dock 4",
)
RECEIVED = line_row(
    301, 30, SOURCE_DOCID="Purchase Order-PO-1", SOURCE_DOCLINEKEY="11", QTY_CONVERTED="2", MEMO="white"
)


def receiving(received: dict[str, str], *ordered: dict[str, str]) -> Gateway:
    """A receipt of one line, and the order lines it was made from."""
    answers = (page("PODOCUMENT", RECEIPT), page("PODOCUMENTENTRY", received), page("PODOCUMENTENTRY", *ordered))
    return Gateway(*(response(answer) for answer in answers))


async def test_a_receipt_in_another_unit_counts_in_the_order_s() -> None:
    """Rules 3.1 and 3.6, reference 2.7: 40 pieces of an order in cases of 12; QUANTITY is both in base units."""
    pieces = {**RECEIVED, "UNIT": "Each", "UIQTY": "40", "QUANTITY": "40", "QTY_CONVERTED": "6"}
    gateway = receiving(pieces, {"RECORDNO": "11", "UNIT": "Case", "UIQTY": "10", "QUANTITY": "120"})
    (receipt,) = (await gateway.connector().receipts.page(since=None, after=None)).records
    (line,) = receipt.lines
    assert (line.quantity, line.billed, line.unit) == (Decimal("3.3333333333"), Decimal("0.5"), "Case")
    packs = {**pieces, "UNIT": "Pack", "UIQTY": "20", "QUANTITY": "120", "QTY_CONVERTED": "0"}
    gateway = receiving(packs, {"RECORDNO": "11", "UNIT": "Case", "UIQTY": "10", "QUANTITY": "120"})
    (receipt,) = (await gateway.connector().receipts.page(since=None, after=None)).records
    assert str(receipt.lines[0].quantity) == "10"


async def test_a_receipt_that_cannot_be_counted_is_named() -> None:
    """Twelve pieces must not pass for twelve cases."""
    pieces = {**RECEIVED, "UNIT": "Each", "UIQTY": "12"}
    gateway = receiving(pieces, {"RECORDNO": "11", "UNIT": "Case", "UIQTY": "10", "QUANTITY": "120"})
    found = await gateway.connector().receipts.page(since=None, after=None)
    assert found.records == []
    assert [(bad.code, bad.evidence["unit"], bad.evidence["order_unit"]) for bad in found.bad] == [
        ("UNIT_NOT_CONVERTIBLE", "Each", "Case")
    ]


async def test_an_order_line_that_is_not_shown_converts_nothing() -> None:
    """The order may be out of this user's sight; its receipts are taken as they are."""
    (receipt,) = (await receiving(RECEIVED).connector().receipts.page(since=None, after=None)).records
    assert (receipt.lines[0].quantity, receipt.lines[0].unit) == (Decimal(10), "Each")


async def test_the_receipt_map() -> None:
    """S5-113..128, into our own form: vendor, memo and entity of a receipt are in no answer of the API yet."""
    gateway = receiving(RECEIVED, line_row(11))
    found = await gateway.connector().receipts.page(since=None, after=None)
    (receipt,) = found.records
    assert (receipt.number, receipt.document_id, receipt.erp_status) == ("R-1", "PO Receiver-R-1", "Pending")
    assert (receipt.memo, receipt.received_on, receipt.vendor_id) == ("dock 4", date(2031, 7, 1), "V-100")
    assert (receipt.order_document, receipt.entity) == ("Purchase Order-PO-1", "100")
    (line,) = receipt.lines
    assert (line.item_id, line.description, line.unit) == ("PAPER", "white", "Each")
    assert (line.quantity, line.billed, line.order_line, line.line_no) == (Decimal(10), Decimal(2), "11", 1)


async def test_no_receipts_without_their_template() -> None:
    """2-way companies name none."""
    gateway = Gateway()
    connector = gateway.connector(preferences={"po_template": "Purchase Order"})
    assert (await connector.receipts.page(since=None, after=None)).records == ()
    assert not gateway.calls


async def test_one_order_whole() -> None:
    """Order, receipts and what bills it, straight or over a receipt (S4-65..67)."""
    onward = [
        {"RECORDNO": "301", "DOCHDRID": "PO Receiver-R-1", "DOCPARID": "PO Receiver", "UIQTY": "10",
         "SOURCE_DOCID": "Purchase Order-PO-1", "SOURCE_DOCLINEKEY": "11"},
        {"RECORDNO": "501", "DOCHDRID": "Vendor Invoice-b-1", "DOCPARID": "Vendor Invoice", "UIQTY": "4",
         "SOURCE_DOCID": "Purchase Order-PO-1", "SOURCE_DOCLINEKEY": "11"},
    ]  # fmt: skip
    over_receipt = {**onward[1], "RECORDNO": "601", "DOCHDRID": "Vendor Invoice-b-2", "UIQTY": "2",
                    "SOURCE_DOCID": "PO Receiver-R-1", "SOURCE_DOCLINEKEY": "301"}  # fmt: skip
    gateway = Gateway(
        response(page("PODOCUMENT", {"RECORDNO": "1", "DOCID": "Purchase Order-PO-1"})),
        response(
            page("PODOCUMENT", order_row(1)),
            page("PODOCUMENTENTRY", line_row(11)),
            page("PODOCUMENTENTRY", *onward),
            page("PODOCUMENT", RECEIPT),
        ),
        response(page("PODOCUMENTENTRY", RECEIVED), page("PODOCUMENTENTRY", over_receipt)),
    )
    snapshot = await gateway.connector().orders.read(ErpId("1"))
    assert snapshot.purchase_order.document_id == DocumentId("Purchase Order-PO-1")
    assert [receipt.number for receipt in snapshot.receipts] == ["R-1"]
    assert [(b.order_line, b.document_number, b.quantity) for b in snapshot.billings] == [
        ("11", "b-1", Decimal(4)),
        ("11", "b-2", Decimal(2)),
    ]


async def test_an_order_that_is_gone() -> None:
    """NotFound, for the workflow to judge."""
    with pytest.raises(NotFound) as caught:
        await Gateway(response(page("PODOCUMENT"))).connector().orders.read(ErpId("9"))
    assert caught.value.code == "ORDER_NOT_FOUND"
