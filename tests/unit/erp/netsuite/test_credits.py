"""Vendor credits in: which order lines they take back, and what of it may be billed again (R01..R10; reference 4)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from models.domain.bills import ErpBill
from models.domain.ids import ErpId
from models.domain.orders import OrderCredit, PurchaseOrderSnapshot
from tests.unit.erp.netsuite.service import (
    Service,
    bill,
    bill_item,
    credit,
    credit_item,
    found,
    got,
    order,
    order_item,
    receipt,
    ref,
    refused,
    returned,
    rows,
)

CURSOR = "2031-07-01 00:00:00"
GONE = refused("RCRD_DSNT_EXIST")


def shows(service: Service, **records: str) -> None:
    """By internal id what `getList` shows of the types that were asked; anything else does not exist."""
    kinds = {"3": "vendorBill", "6": "vendorReturnAuthorization", "1": "purchaseOrder"}

    def answer(operation: Any) -> str:
        wanted = [(one.get("type"), one.get("internalId")) for one in operation]
        return got(*(records.get(f"r{id_}", GONE) if kinds.get(id_[0]) == kind else GONE for kind, id_ in wanted))

    service.script["getList"] = answer


async def page_of(service: Service, *records: str, moved: tuple[str, ...] = ()) -> list[ErpBill]:
    ids = ["301", "302", "303", *moved]
    due = rows(*({"internalId": one, "amountPaid": "3.5", "amountRemaining": "10.5"} for one in ids))
    service.script["search"] = [found(*records), found(), due]
    page = await service.connect().bills.page(since=CURSOR, after=None)
    assert not page.bad
    return list(page.records)


def links(one: ErpBill) -> list[tuple[str | None, str | None]]:
    return [(line.order_line, line.order_document) for line in one.lines]


async def test_a_credit_leads_to_its_order_by_the_bill_it_was_made_from(service: Service) -> None:
    """Reference 3.4, 4: credit line, bill line, order line; quantities and amounts are below zero."""
    shows(service, r301=bill("301"))
    (one,) = await page_of(service, credit())
    assert (one.total, one.paid, one.due, one.order_document) == (Decimal("-3.5"), Decimal("-3.5"), Decimal(0), "101")
    assert links(one) == [("101:1", "101")]
    assert [(share.bill_erp_id, share.amount) for share in one.applied] == [("301", Decimal("3.5"))]
    assert (one.lines[0].quantity, one.lines[0].amount) == (Decimal(-1), Decimal("-3.50"))


async def test_a_credit_leads_to_its_order_by_a_return(service: Service) -> None:
    """Reference 3.4: credit line, return line, bill line, order line. Of which type a reference is, it does not say."""
    shows(service, r301=bill("301"), r601=returned("601"))
    (one,) = await page_of(service, credit(source="601", lines=[credit_item(11)]))
    assert links(one) == [("101:1", "101")]
    asked = [[part.get("type") for part in request] for request in service.sent("getList")]
    assert asked == [["vendorBill"], ["vendorReturnAuthorization"], ["vendorBill"]]


async def test_a_credit_of_an_order_itself(service: Service) -> None:
    """Reference 3.4: some accounts make credits from orders."""
    shows(service, r101=order(lines=[order_item(7)]))
    (one,) = await page_of(service, credit(source="101", lines=[credit_item(7)]))
    assert links(one) == [("101:7", "101")]


async def test_a_credit_of_a_bill_over_several_orders(service: Service) -> None:
    """Reference 5.3: each line leads to its own order."""
    both = bill("301", lines=[bill_item(), {**bill_item("102", 4), "line": "2"}])
    shows(service, r301=both)
    (one,) = await page_of(service, credit(lines=[credit_item(), credit_item(2)]))
    assert (one.order_document, links(one)) == ("101", [("101:1", "101"), ("102:4", "102")])


@pytest.mark.parametrize(
    ("source", "line", "held"),
    [
        (None, credit_item(None), bill("301")),
        ("301", credit_item(None), bill("301")),
        ("301", credit_item(9), bill("301")),
        ("301", credit_item(), bill("301", lines=[bill_item(), bill_item("102", 1)])),
        ("301", credit_item(item=ref("32", "INK")), bill("301")),
        ("301", credit_item(), bill("301", lines=[{**bill_item(), "orderDoc": "", "orderLine": ""}])),
        ("301", credit_item(), refused("INSUFFICIENT_PERMISSION")),
    ],
    ids=["by hand", "no line", "unknown line", "two lines", "another item", "a bill without an order", "not shown"],
)
async def test_what_the_records_leave_open_is_not_linked(
    service: Service, source: str | None, line: Mapping[str, Any], held: str
) -> None:
    """Nothing is worked out from items, vendors or amounts: the credit comes in, and takes back no order line."""
    shows(service, r301=held)
    (one,) = await page_of(service, credit(source=source, lines=[line]))
    assert (one.total, one.order_document, links(one)) == (Decimal("-3.5"), None, [(None, None)])


async def test_sources_are_read_together_and_only_for_credits(service: Service) -> None:
    """One call for all of a page; none for those on the page itself, for bills, or for a credit made by hand."""
    shows(service, r301=bill("301"), r302=bill("302"))
    await page_of(service, credit("501"), credit("502", "302"), credit("503", "302"))
    (asked,) = service.sent("getList")
    assert [part.get("internalId") for part in asked] == ["301", "302"]
    service.requests.clear()
    await page_of(service, bill("301"), bill("302"), credit("501"), credit("502", None, lines=[credit_item(None)]))
    assert [name for name in service.operations() if name != "getAll"] == ["search", "search", "search"]


# --- what may be billed again -----------------------------------------------------------------------------------


async def whole(
    service: Service, billed: str, *credits: str, bills: str = "", line: Any = None
) -> PurchaseOrderSnapshot:
    item = line or order_item(quantityBilled=billed)
    service.script |= {
        "getList": got(order(lines=[item])),
        "search": [found(receipt(), bills or bill("301")), found(*credits), found(credit("502", "601"))],
    }
    return await service.connect().orders.read(ErpId("101"))


def told(quantity: str, amount: str = "0", unclear: str = "0") -> tuple[OrderCredit, ...]:
    return (
        OrderCredit(
            order_line=ErpId("101:1"), quantity=Decimal(quantity), amount=Decimal(amount), unclear=Decimal(unclear)
        ),
    )


@pytest.mark.parametrize(
    ("billed", "credits"),
    [("4.0", told("1", "3.50")), ("3.0", ()), ("2.0", told("0", unclear="1")), ("0.0", told("0", unclear="1"))],
    ids=["still in it", "left out", "neither", "not counted yet"],
)
async def test_what_is_credited_and_still_counted_as_billed(
    service: Service, billed: str, credits: tuple[OrderCredit, ...]
) -> None:
    """Rules 3.1, C: nobody says whether NetSuite takes credits off the billed quantity; the bills beside it tell. Where
    they do not, nothing is freed."""
    assert (await whole(service, billed, credit())).credits == credits


async def test_a_bill_whose_quantity_was_credited_is_still_inside(service: Service) -> None:
    """S4-65..67: the order counts 3, bills are 4, 1 was taken off: the bill is covered. Without the credit it waits."""
    confirmed = await whole(service, "3.0", credit())
    assert [(one.document_id, one.quantity) for one in confirmed.billings] == [("301", Decimal(4))]
    assert (await whole(service, "3.0")).billings == ()


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        ([credit_item(quantity="0.0")], {}),
        ([{**credit_item(), "quantity": ""}], {}),
        ([credit_item(quantity="4.0", amount="2.0")], {}),
        ([credit_item(amount="3.48")], {}),
        ([credit_item(units=ref("9", "Case"))], {}),
        ([credit_item(9)], {}),
        ([credit_item()], {"userTotal": "0.0"}),
    ],
    ids=["no quantity", "empty quantity", "a lower price", "a cent less", "another unit", "unlinked", "voided"],
)
async def test_a_credit_of_money_frees_no_quantity(service: Service, lines: Any, more: Mapping[str, str]) -> None:
    """Rules 3.6: a price-only credit changes amounts, not quantities."""
    units = bill("301", lines=[bill_item(units=ref("2", "Each"))])
    assert (await whole(service, "4.0", credit(lines=lines, **more), bills=units)).credits == ()


@pytest.mark.parametrize(
    ("billed", "amount", "credits"),
    [
        ("3.0", "1.0", told("-1", "-3.50")),
        ("2.0", "1.0", told("-1", "-3.50", unclear="1")),
        ("3.0", "3.5", ()),
        ("2.0", "3.5", told("0", unclear="1")),
    ],
    ids=["a price, taken off", "a price, unclear", "goods, taken off", "goods, unclear"],
)
async def test_what_netsuite_takes_off_for_a_price_is_not_freed(
    service: Service, billed: str, amount: str, credits: tuple[OrderCredit, ...]
) -> None:
    """Rules 3.6: what is billed is the bills less the goods that were credited, whatever the order counts."""
    snapshot = await whole(service, billed, credit(lines=[credit_item(amount=amount)]))
    assert snapshot.credits == credits


async def test_no_more_is_freed_than_was_billed(service: Service) -> None:
    """R09: two credits of 3 of a bill of 4."""
    three = [credit_item(quantity="3.0", amount="10.5")]
    snapshot = await whole(service, "4.0", credit("501", lines=three), credit("502", lines=three))
    assert snapshot.credits == told("4", "14.00")


async def test_a_credit_behind_a_return_counts(service: Service) -> None:
    """R01: one more search, only where goods were returned."""
    back = returned("601")
    item = order_item(quantityBilled="4.0")
    service.script |= {
        "getList": got(order(lines=[item])),
        "search": [found(bill("301")), found(back), found(credit("502", "601", lines=[credit_item(11)]))],
    }
    (credited,) = (await service.connect().orders.read(ErpId("101"))).credits
    (expected,) = told("1", "3.50")
    assert credited == expected.model_copy(update={"returned": Decimal(1), "returned_on": date(2031, 7, 2)}), "B7"
    assert service.operations().count("search") == 3


@pytest.mark.parametrize(("amount", "restored"), [("14.0", told("0.14", "14.00")), ("7.0", ())])
async def test_a_line_without_a_quantity_is_freed_by_a_credit_of_all_of_its_bill(
    service: Service, amount: str, restored: tuple[OrderCredit, ...]
) -> None:
    """Rules 3.6, amount-only: a part of the amount may as well be a lower price."""
    line = {**order_item(amount="100.0"), "quantity": "", "quantityBilled": "", "rate": ""}
    one = credit(lines=[{**credit_item(amount=amount), "quantity": ""}])
    snapshot = await whole(service, "", one, bills=bill("301", lines=[{**bill_item(), "quantity": ""}]), line=line)
    assert snapshot.purchase_order.lines[0].billed_amount == Decimal(14)
    assert snapshot.credits == restored


async def test_rejected_bills_have_nothing_to_credit(service: Service) -> None:
    """What was never counted as billed is not freed."""
    snapshot = await whole(service, "0.0", credit(), bills=bill("301", status="Rejected"))
    assert snapshot.credits == ()


async def test_many_orders_are_read_whole_together(service: Service) -> None:
    """Four calls for all of them; what cannot be shown is left out."""
    bad = order("103", lines=[order_item(quantity="ten")])
    service.script |= {
        "getList": got(order(lines=[order_item(quantityBilled="4.0")]), GONE, bad),
        "search": [found(receipt(), bill("301")), found(credit())],
    }
    (one,) = await service.connect().orders.read_many([ErpId("101"), ErpId("102"), ErpId("103")])
    assert (one.purchase_order.erp_id, one.credits) == ("101", told("1", "3.50"))
    assert [name for name in service.operations() if name != "getAll"] == [
        "getServerTime", "getList", "search", "search",
    ]  # fmt: skip
