"""Orders and receipts as they come in (S4-29..36, S4-49..54; reference 4, 5)."""

from datetime import date
from decimal import Decimal

import pytest

from models.domain.connections import MatchMode
from models.domain.ids import ErpId
from models.domain.orders import LineBasis, PurchaseOrder
from tests.unit.erp.netsuite.service import (
    Service,
    bill,
    bill_item,
    found,
    got,
    order,
    order_item,
    receipt,
    receipt_item,
    ref,
    refused,
)


async def read(service: Service, *lines: dict[str, object], **more: object) -> PurchaseOrder:
    """The one order of the account, read as a sync does."""
    service.script |= {"search": [found(order()), found()], "getList": got(order(lines=lines, **more))}
    connector = service.connect()
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=MatchMode.TWO_WAY)
    orders = await connector.orders.lines(page.records)
    assert not orders.bad
    (one,) = orders.records
    return one


async def test_an_order_comes_whole(service: Service) -> None:
    """S4-29, S4-32, S4-35: header, lines, and what NetSuite counts as billed."""
    one = await read(service, order_item(1, quantityBilled="4.0"), order_item(8, isClosed="true", department=ref("3")))
    assert (one.erp_id, one.document_id, one.number) == ("101", "101", "PO-1007")
    assert (one.vendor_id, one.vendor_name, one.currency, one.entity) == ("5", "V100 Acme Tools", "USD", "1")
    # Read whole on a first import: as new as NetSuite's clock, so that what touched it before is no news.
    assert (one.ordered_on, one.revision) == (date(2031, 6, 1), "2031-07-01 09:59:59")
    first, second = one.lines
    assert (first.erp_id, first.line_no, first.item_id, first.unit) == ("101:1", 1, "31", "Each")
    assert (first.quantity, first.price, first.amount) == (Decimal(10), Decimal("3.50"), Decimal("35.00"))
    assert (first.billed, first.billed_amount) == (Decimal(4), Decimal("14.00"))
    assert (second.erp_id, second.line_no, second.closed, second.department) == ("101:8", 2, True, "3")
    assert type(one).model_validate(one.model_dump()) == one


async def test_the_date_is_the_accounts_own_day(service: Service) -> None:
    """Reference 3.2: a date is midnight of the account; in UTC it would be the day before in the east."""
    one = await read(service, order_item(), tranDate="2031-06-01T00:00:00.000+10:00")
    assert one.ordered_on == date(2031, 6, 1)


async def test_expense_lines_are_amounts(service: Service) -> None:
    """U-16, reference 4: an expense line has no quantity, and only bills tell what is billed of it."""
    expense = {"line": "3", "account": ref("60", "Repairs"), "amount": "200.0", "memo": "roof", "isClosed": "false"}
    billed = bill(expenseList={"expense": [{"orderDoc": "101", "orderLine": "3", "line": "1", "amount": "50.0"}]})
    service.script |= {
        "search": [found(order()), found(billed)],
        "getList": got(order(expenseList={"expense": [expense]})),
    }
    connector = service.connect()
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    (one,) = (await connector.orders.lines(page.records)).records
    (line,) = one.lines
    assert (line.erp_id, line.line_no, line.basis, line.item_id) == ("101:e3", 1, LineBasis.AMOUNT, "60")
    assert (line.quantity, line.price, line.amount) == (Decimal(1), Decimal(200), Decimal(200))
    assert (line.billed, line.billed_amount) == (Decimal("0.25"), Decimal(50))


async def test_text_lines_are_left_out_and_lines_without_quantity_are_amounts(service: Service) -> None:
    """A description or subtotal line buys nothing; a service for a lump sum has an amount alone."""
    one = await read(
        service,
        order_item(),
        {"item": ref("90", "Description"), "line": "2", "description": "see below"},
        {"item": ref("91", "Cleaning"), "line": "3", "amount": "80.0"},
        {"item": ref("92", "Discount"), "line": "4", "rate": "-5.0%", "quantity": "1.0", "amount": "-1.75"},
    )
    assert [(line.erp_id, line.line_no, line.basis, line.price) for line in one.lines] == [
        ("101:1", 1, LineBasis.QUANTITY, Decimal("3.50")),
        ("101:3", 2, LineBasis.AMOUNT, Decimal(80)),
        ("101:4", 3, LineBasis.QUANTITY, Decimal("-1.75")),
    ]


async def test_the_noise_of_doubles_is_not_taken_in(service: Service) -> None:
    """Reference 9.1: numbers are doubles there and decimals here."""
    one = await read(service, order_item(amount="0.30000000000000004", quantityBilled="0.1000000000000000055"))
    assert (one.lines[0].amount, one.lines[0].billed) == (Decimal("0.30"), Decimal("0.1"))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({**order_item(), "quantity": "many"}, "VALUE_NOT_READABLE"),
        ({**order_item(), "quantity": "NaN"}, "VALUE_NOT_READABLE"),
        ({**order_item(), "line": "first"}, "VALUE_NOT_READABLE"),
        ({name: value for name, value in order_item().items() if name != "line"}, "MISSING_FIELD"),
        ({name: value for name, value in order_item().items() if name != "item"}, "MISSING_FIELD"),
    ],
)
async def test_a_bad_order_is_named_and_the_others_come(service: Service, line: dict[str, object], code: str) -> None:
    """Fault F13."""
    service.script |= {
        "search": found(order(), order("102", "PO-2")),
        "getList": got(order(lines=[line]), order("102", "PO-2", lines=[order_item()])),
    }
    connector = service.connect()
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    orders = await connector.orders.lines(page.records)
    assert [one.number for one in orders.records] == ["PO-2"]
    assert [(bad.erp_id, bad.code) for bad in orders.bad] == [("101", code)]


async def test_an_order_deleted_between_two_calls_is_named(service: Service) -> None:
    """Listed and not shown: it must not vanish, nor stop the others."""
    service.script |= {"search": found(order()), "getList": got(refused("RCRD_DSNT_EXIST"))}
    connector = service.connect()
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    orders = await connector.orders.lines(page.records)
    assert [(bad.erp_id, bad.code) for bad in orders.bad] == [("101", "RECORD_NOT_SHOWN")]


async def test_the_first_import_asks_for_open_orders_from_a_day_on(service: Service) -> None:
    """S1-11, S1-14: what would not be imported is not asked for; the day itself is compared here."""
    service.script["search"] = found(order(), order("102", tranDate="2031-05-31T00:00:00.000-07:00"))
    connector = service.connect(credentials={"entity": "1"})
    page = await connector.orders.headers(
        since=None, ordered_from=date(2031, 6, 1), after=None, open_in=MatchMode.THREE_WAY
    )
    assert [header.erp_id for header in page.records] == ["101"]
    (search,) = service.sent("search")
    said = " ".join(search.itertext())
    assert "_purchaseOrderPendingBill" in said
    assert "_purchaseOrderClosed" not in said
    assert search.xpath("//*[local-name()='subsidiary']/*/@internalId") == ["1"]


async def test_receipts_name_the_order_lines_they_received(service: Service) -> None:
    """S4-30..32."""
    service.script["search"] = found(receipt(lines=[receipt_item(8, "2.5")]))
    page = await service.connect().receipts.page(since="2031-06-01 00:00:00", after=None)
    (one,) = page.records
    assert (one.erp_id, one.order_document, one.vendor_id, one.received_on) == ("201", "101", "5", date(2031, 7, 1))
    assert [(line.order_line, line.quantity) for line in one.lines] == [("101:8", Decimal("2.5"))]
    assert page.high_water == "2031-07-01 08:00:00"


async def test_a_bad_receipt_is_named_and_the_others_come(service: Service) -> None:
    """Fault F13: whatever of its lines cannot be read."""
    odd = receipt_item(8, "2.5") | {"line": "first"}
    expense = "<p:expenseList><p:expense><p:line>first</p:line></p:expense></p:expenseList></record>"
    service.script["search"] = found(
        receipt("201", lines=[odd]), receipt("202").replace("</record>", expense), receipt("203")
    )
    page = await service.connect().receipts.page(since=None, after=None)
    assert [one.erp_id for one in page.records] == ["203"]
    assert [(bad.erp_id, bad.code) for bad in page.bad] == [
        ("201", "VALUE_NOT_READABLE"),
        ("202", "VALUE_NOT_READABLE"),
    ]


# --- one order whole --------------------------------------------------------------------------------------------


async def whole(service: Service, billed: str, *bills: str) -> list[tuple[str, str, Decimal]]:
    service.script |= {
        "getList": got(order(lines=[order_item(quantityBilled=billed)])),
        "search": found(receipt(), *bills),
    }
    snapshot = await service.connect().orders.read(ErpId("101"))
    assert [one.number for one in snapshot.receipts] == ["IR201"]
    return [(one.order_line, one.document_number, one.quantity) for one in snapshot.billings]


async def test_a_snapshot_shows_what_bills_the_order(service: Service) -> None:
    """S4-65..67: our bill is known by our key, theirs by its number; the order is as new as NetSuite's clock says."""
    shown = await whole(service, "8.0", bill("301", external_id="PSB-1"), bill("302"))
    assert shown == [("101:1", "PSB-1", Decimal(4)), ("101:1", "INV-1", Decimal(4))]
    # The clock first, then the order, then what bills it, then credits: what is named is inside what the order counts.
    asked = [name for name in service.operations() if name != "getAll"]
    assert asked == ["getServerTime", "getList", "search", "search"]


async def test_a_bill_the_order_does_not_count_yet_is_no_evidence(service: Service) -> None:
    """S4-66: saved, but the order's quantity has not moved; naming it would count the bill not at all."""
    assert await whole(service, "4.0", bill("301"), bill("302", external_id="PSB-2")) == [
        ("101:1", "INV-1", Decimal(4))
    ]
    assert await whole(service, "0.0", bill("302", external_id="PSB-2")) == []


async def test_bills_that_wait_for_approval_count_last(service: Service) -> None:
    """Reference 5.1: whether they are inside the billed quantity nobody says; the approved ones are."""
    waiting = bill("301", status="Pending Approval")
    assert await whole(service, "4.0", waiting, bill("302", external_id="PSB-2")) == [("101:1", "PSB-2", Decimal(4))]


async def test_rejected_bills_bill_nothing(service: Service) -> None:
    """A bill that was rejected in NetSuite is there, and does not count."""
    assert await whole(service, "10.0", bill("301", status="Rejected")) == []


async def test_a_snapshot_is_newer_than_any_page_before_it(service: Service) -> None:
    """A deleted bill takes the order back without touching it; the clock still lets the snapshot through."""
    await whole(service, "0.0")
    service.script |= {"getList": got(order(lines=[order_item()])), "search": found()}
    snapshot = await service.connect().orders.read(ErpId("101"))
    assert snapshot.purchase_order.revision == "2031-07-01 09:59:59"


async def test_bills_of_several_orders_count_for_their_own_lines(service: Service) -> None:
    """Reference 5.3: a bill may bill several orders."""
    both = bill("301", lines=[bill_item(), bill_item("102", 1)], external_id="PSB-1")
    assert await whole(service, "4.0", both) == [("101:1", "PSB-1", Decimal(4))]


async def test_a_bill_that_cannot_be_read_spoils_the_orders_it_bills_alone(service: Service) -> None:
    """Fault F13: what is billed of a line without a quantity only bills tell; the order is named, and its bill."""
    line = {**order_item(amount="100.0"), "quantity": "", "quantityBilled": "", "rate": ""}
    orders = [
        order("101", lines=[line]),
        order("102", "PO-1008", lines=[line]),
        order("103", "PO-1009", lines=[order_item()]),
    ]
    odd = bill("301", lines=[{**bill_item("101"), "quantity": "", "amount": "fourteen"}])
    fine = bill("302", lines=[{**bill_item("102"), "quantity": ""}])
    service.script |= {"search": [found(*orders), found(), found(odd, fine)], "getList": got(*orders)}
    connector = service.connect()
    headers = await connector.orders.headers(since="2031-06-01 00:00:00", ordered_from=None, after=None, open_in=None)
    page = await connector.orders.lines(headers.records)
    assert [(one.erp_id, one.lines[0].billed_amount) for one in page.records] == [("102", 14), ("103", 0)]
    (bad,) = page.bad
    assert (bad.erp_id, bad.code, bad.evidence["number"], bad.evidence["bill"]) == (
        "101", "VALUE_NOT_READABLE", "PO-1007", "INV-1",
    )  # fmt: skip
