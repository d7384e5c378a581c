"""Vendor bills on their way out, and edits of them (S4-37, S4-65..70; reference 3.5, 5.3, 7)."""

from datetime import date
from decimal import Decimal

import pytest

from erp.errors import Duplicate, ErpError, OutcomeUnknown, Rejected
from models.domain.bills import ChargeKind, ChargeToPush
from models.domain.ids import DocumentId
from tests.unit.erp.netsuite.bills import a_bill, a_line
from tests.unit.erp.netsuite.service import (
    Service,
    bill,
    bill_item,
    found,
    got,
    order,
    order_item,
    record,
    ref,
    refused,
    write_refused,
    written,
)

ORDER = order(lines=[order_item(1), order_item(8)])


def said(service: Service, path: str) -> list[str]:
    """Texts and attributes of the last write, by XPath with local names."""
    write = (service.sent("add") or service.sent("update"))[-1]
    steps = "/".join(
        step if step.startswith(("@", "text")) else f"*[local-name()='{step}']" for step in path.split("/")
    )
    return [value if isinstance(value, str) else value.text for value in write.xpath(f".//{steps}")]


async def test_a_bill_bills_lines_of_an_order(service: Service) -> None:
    """S4-37, reference 5.3: item, order and line; under our key, never as an upsert."""
    service.script |= {"getList": got(ORDER), "add": written("301")}
    sent = a_bill(a_line(1, "101:8", department="3", class_id="4", location="6", project="9"), memo="m\x00 & n")
    assert await service.connect().bills.create(sent) == "301"
    assert said(service, "record/@externalId") == ["PSB-1"]
    assert [said(service, f"item/{name}") for name in ("orderDoc", "orderLine", "quantity", "rate", "amount")] == [
        ["101"], ["8"], ["4"], ["3.5"], ["14"],
    ]  # fmt: skip
    assert said(service, "item/item/@internalId") == ["31"]
    assert said(service, "item/units/@internalId") == ["2"]
    dimensions = ("department", "class", "location", "customer")
    assert [said(service, f"item/{name}/@internalId") for name in dimensions] == [["3"], ["4"], ["6"], ["9"]]
    assert said(service, "itemList/@replaceAll") == ["false"]
    assert said(service, "memo") == ["m  & n"]
    # Days are noon by the account's clock: midnight of another half of the year would be the day before.
    assert said(service, "tranDate") == ["2031-07-01T12:00:00-07:00"]
    assert said(service, "dueDate") == ["2031-07-31T12:00:00-07:00"]
    assert said(service, "record/postingPeriod") == []


async def test_a_due_date_that_nobody_knows_is_not_sent(service: Service) -> None:
    """W1: neither the bill date nor a date of ours: NetSuite counts by its own terms."""
    service.script |= {"getList": got(ORDER), "add": written("301")}
    await service.connect().bills.create(a_bill(a_line(1), due_date=None))
    assert said(service, "dueDate") == []


async def test_what_several_receipts_brought_is_one_line(service: Service) -> None:
    """NetSuite links to order lines; which receipt a quantity came with is our own bookkeeping."""
    service.script |= {"getList": got(ORDER), "add": written("301")}
    parts = (a_line(1, "101:1", "201:1"), a_line(2, "101:1", "202:1", quantity=Decimal(2), amount=Decimal("7.00")))
    await service.connect().bills.create(a_bill(*parts, a_line(3, "101:8")))
    assert said(service, "item/quantity") == ["6", "4"]
    assert said(service, "item/amount") == ["21", "14"]


async def test_two_lines_of_one_order_line_stay_two(service: Service) -> None:
    """What a person entered twice is not put together."""
    service.script |= {"getList": got(ORDER), "add": written("301")}
    await service.connect().bills.create(a_bill(a_line(1), a_line(2)))
    assert said(service, "item/quantity") == ["4", "4"]


async def test_several_orders_on_one_bill(service: Service) -> None:
    """Reference 5.3: each line names its order."""
    service.script |= {"getList": got(ORDER, order("102", lines=[order_item(1)])), "add": written("301")}
    await service.connect().bills.create(a_bill(a_line(1), a_line(2, "102:1")))
    assert said(service, "item/orderDoc") == ["101", "102"]


async def test_expense_lines_are_billed_as_expenses(service: Service) -> None:
    """Reference 4: by account and amount, linked like items."""
    expense = {"line": "3", "category": ref("77"), "account": ref("60", "Repairs"), "amount": "200.0"}
    service.script |= {"getList": got(order(expenseList={"expense": [expense]})), "add": written("301")}
    line = a_line(1, "101:e3", item_id="60", unit="", quantity=Decimal("0.25"), amount=Decimal("50.00"))
    await service.connect().bills.create(a_bill(line))
    assert [said(service, f"expense/{name}") for name in ("orderDoc", "orderLine", "amount", "memo")] == [
        ["101"], ["3"], ["50"], ["Paper A4"],
    ]  # fmt: skip
    assert said(service, "expense/account/@internalId") == ["60"]
    assert not said(service, "itemList/item")


async def test_a_lump_sum_has_no_quantity(service: Service) -> None:
    """A line that was ordered without a quantity is billed without one."""
    lump = {"item": ref("91", "Cleaning"), "line": "3", "amount": "80.0"}
    service.script |= {"getList": got(order(lines=[lump])), "add": written("301")}
    line = a_line(1, "101:3", item_id="91", unit="", quantity=Decimal("0.5"), amount=Decimal("40.00"))
    await service.connect().bills.create(a_bill(line))
    assert said(service, "item/amount") == ["40"]
    assert said(service, "item/quantity") == said(service, "item/rate") == []


async def test_a_price_that_does_not_end(service: Service) -> None:
    """Ruling G12: all the decimals that NetSuite keeps, and the amount itself."""
    service.script |= {"getList": got(ORDER), "add": written("301")}
    await service.connect().bills.create(a_bill(a_line(1, quantity=Decimal(3), amount=Decimal("100.00"))))
    assert said(service, "item/rate") == ["33.33333333"]
    assert said(service, "item/amount") == ["100"]


async def test_another_posting_month_names_its_period(service: Service) -> None:
    """The posting date has no field of its own; its period has."""
    period = record(
        "AccountingPeriod",
        "66",
        {"periodName": "Aug 2031", "startDate": "2031-08-01T00:00:00-07:00", "endDate": "2031-08-31T00:00:00-07:00"},
        prefix="a",
    )
    service.script |= {"getList": got(ORDER), "search": found(period), "add": written("301")}
    await service.connect().bills.create(a_bill(posting_date=date(2031, 8, 3)))
    assert said(service, "record/postingPeriod/@internalId") == ["66"]
    service.script["search"] = found()
    with pytest.raises(Rejected) as caught:
        await service.connect().bills.create(a_bill(posting_date=date(2031, 8, 3)))
    assert caught.value.code == "PERIOD_CLOSED"


async def test_charges_go_to_the_accounts_that_are_named(service: Service) -> None:
    """Money beyond the lines, by preference; unnamed it is refused before anything is written."""
    account = record("Account", "88", {"acctNumber": "7000", "acctName": "Freight"}, prefix="a")
    service.script |= {"getList": got(ORDER), "search": found(account), "add": written("301")}
    freight = ChargeToPush(kind=ChargeKind.FREIGHT, amount=Decimal("5.00"), description="by road")
    charged = a_bill(charges=(freight,))
    await service.connect(preferences={"charge_account.freight": "7000"}).bills.create(charged)
    assert said(service, "expense/account/@internalId") == ["88"]
    assert (said(service, "expense/amount"), said(service, "expense/orderDoc")) == (["5"], [])
    with pytest.raises(Rejected) as caught:
        await service.connect().bills.create(charged)
    assert caught.value.code == "CHARGES_NOT_TAKEN"
    assert len(service.sent("add")) == 1


@pytest.mark.parametrize(
    ("answer", "line", "code"),
    [
        (got(refused("RCRD_DSNT_EXIST")), a_line(), "ORDER_NOT_FOUND"),
        (got(ORDER), a_line(1, "101:7"), "ORDER_LINE_GONE"),
        (got(ORDER), a_line(1, unit="Furlong"), "VALUE_REFUSED"),
        (got(ORDER), a_line(1, quantity=Decimal(0)), "VALUE_REFUSED"),
    ],
)
async def test_what_is_refused_before_it_is_sent(service: Service, answer: str, line: object, code: str) -> None:
    """Each with its own code, and nothing was written."""
    service.script["getList"] = answer
    with pytest.raises(Rejected) as caught:
        await service.connect().bills.create(a_bill(line))
    assert caught.value.code == code
    assert not service.sent("add")


async def test_not_received_is_its_own_refusal(service: Service) -> None:
    """S4-70: Bill in Advance of Receipt is off; it heals when the receipt comes."""
    service.script |= {"getList": got(ORDER), "add": write_refused("VALID_LINE_ITEM_REQD")}
    with pytest.raises(Rejected) as caught:
        await service.connect().bills.create(a_bill())
    assert (caught.value.code, caught.value.erp_code) == ("NOT_RECEIVED", "VALID_LINE_ITEM_REQD")


async def test_a_key_that_is_taken(service: Service) -> None:
    """Section 7: one insert ever; the look-up by our key tells whether it is ours."""
    service.script |= {"getList": got(ORDER), "add": write_refused("DUP_RCRD", "This record already exists")}
    connector = service.connect()
    with pytest.raises(Duplicate):
        await connector.bills.create(a_bill())
    service.script["getList"] = got(bill("301", external_id="PSB-1"))
    assert await connector.bills.find(a_bill()) == "301"
    assert service.sent("getList")[-1][0].attrib["externalId"] == "PSB-1"
    service.script["getList"] = got(refused("RCRD_DSNT_EXIST"))
    assert await connector.bills.find(a_bill()) is None


async def test_a_script_that_fails_after_saving_is_a_success(service: Service) -> None:
    """Reference 3.2: the record is there; sending it again would be the harm."""
    detail = "<c:code>SSS_ERROR</c:code><c:message>x</c:message><c:afterSubmitFailed>true</c:afterSubmitFailed>"
    service.script |= {"getList": got(ORDER), "add": written("301", detail)}
    assert await service.connect().bills.create(a_bill()) == "301"


async def test_a_write_that_names_nothing_is_in_doubt(service: Service) -> None:
    """Accepted, and no id: to be looked up by our key."""
    service.script |= {
        "getList": got(ORDER),
        "add": '<writeResponse><c:status isSuccess="true"/></writeResponse>',
    }
    with pytest.raises(OutcomeUnknown):
        await service.connect().bills.create(a_bill())


# --- reading back ----------------------------------------------------------------------------------------------


async def read_back(service: Service, held: str, sent: object = None) -> tuple[bool, tuple[str, ...]]:
    service.script |= {"getList": got(ORDER, held), "search": found(held)}
    pushed = await service.connect().bills.read_back(sent or a_bill(), DocumentId("301"))
    return pushed.linked, pushed.differences


async def test_what_was_sent_is_read_back(service: Service) -> None:
    """DESIGN 5: the link of each line, the figures, and the order as it is now."""
    assert await read_back(service, bill(external_id="psb-1")) == (True, ())
    assert [name for name in service.operations() if name != "getAll"] == ["getServerTime", "getList", "search"]


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (bill(external_id="PSB-1", tranId="INV-2"), "the supplier's invoice number"),
        (bill(external_id="PSB-2"), "our key"),
        (bill(external_id="PSB-1", userTotal="15.0"), "the total"),
        (bill(external_id="PSB-1", entity=ref("6", "Other")), "the vendor"),
        (bill(external_id="PSB-1", tranDate="2031-06-30T00:00:00.000-07:00"), "the bill date"),
        (bill(external_id="PSB-1", lines=[bill_item(quantity="3.0")]), "line 1, the quantity"),
        (bill(external_id="PSB-1", lines=[bill_item(), bill_item(order_line=8)]), "the number of lines"),
        (bill(external_id="PSB-1", lines=[bill_item(description="Other")]), "line 1, the description"),
    ],
)
async def test_every_difference_is_told(service: Service, held: str, words: str) -> None:
    """What NetSuite's defaults, scripts or people made of it."""
    _, differences = await read_back(service, held)
    assert [words in difference for difference in differences] == [True]


async def test_a_lost_link_is_seen(service: Service) -> None:
    """Reference 5.3: without orderDoc and orderLine it is a bill of nothing, and the order never moves."""
    item = {name: value for name, value in bill_item().items() if name not in ("orderDoc", "orderLine")}
    assert await read_back(service, bill(external_id="PSB-1", lines=[item])) == (False, ())
    assert await read_back(service, bill(external_id="PSB-1", lines=[bill_item(order_line=8)])) == (
        False,
        ("line 1: NetSuite does not have it",),
    )


async def test_a_bill_that_is_not_shown_is_in_doubt(service: Service) -> None:
    """It was written; that it is not there is for the look-up to find out."""
    service.script |= {"getList": got(ORDER, refused("RCRD_DSNT_EXIST")), "search": found()}
    with pytest.raises(OutcomeUnknown):
        await service.connect().bills.read_back(a_bill(), DocumentId("301"))


# --- edits -----------------------------------------------------------------------------------------------------


def edited(**more: object) -> object:
    line = a_line(1, description="corrected", department="3", edited=frozenset({"description", "department"}))
    values = {"memo": "new", "due_date": date(2031, 8, 5), "edited": frozenset({"memo", "due_date"}), **more}
    return a_bill(line, **values)


async def test_an_edit_sends_what_was_edited(service: Service) -> None:
    """S5-136, reference 3.5: lines by NetSuite's number, with their link, and no other line is deleted."""
    service.script |= {"getList": got(bill(lines=[{**bill_item(), "line": "4"}])), "update": written("301")}
    await service.connect().bills.update(edited(), DocumentId("301"), edition=2)
    assert said(service, "record/@internalId") == ["301"]
    assert said(service, "itemList/@replaceAll") == ["false"]
    names = ("line", "orderDoc", "orderLine", "description")
    assert [said(service, f"item/{name}") for name in names] == [["4"], ["101"], ["1"], ["corrected"]]
    assert said(service, "item/quantity") == said(service, "record/tranId") == []
    assert said(service, "dueDate") == ["2031-08-05T12:00:00-07:00"]


async def test_an_emptied_memo_is_nulled(service: Service) -> None:
    """Reference 3.5: an absent element leaves the field; nullFieldList empties it."""
    service.script |= {"getList": got(bill(memo="old")), "update": written("301")}
    await service.connect().bills.update(edited(memo=""), DocumentId("301"), edition=2)
    assert said(service, "nullFieldList/name") == ["memo"]


async def test_an_edit_that_is_there_is_not_sent_again(service: Service) -> None:
    """DESIGN 5: the answer to the first attempt was lost; NetSuite holds it, so it was taken."""
    held = bill(
        memo="new",
        dueDate="2031-08-05T00:00:00.000-07:00",
        lines=[bill_item(description="corrected", department=ref("3"))],
    )
    service.script["getList"] = got(held)
    with pytest.raises(Duplicate):
        await service.connect().bills.update(edited(), DocumentId("301"), edition=2)
    assert not service.sent("update")


@pytest.mark.parametrize(
    ("held", "line", "code"),
    [
        (bill(lines=[bill_item(order_line=8)]), a_line(1, description="x", edited=frozenset({"description"})),
         "CONTENT_CONFLICT"),
        (bill(lines=[bill_item(department=ref("3"))]), a_line(1, edited=frozenset({"department"})),
         "FIELD_NOT_EMPTIED"),
    ],
)  # fmt: skip
async def test_edits_that_cannot_be_made(service: Service, held: str, line: object, code: str) -> None:
    """Changed in NetSuite meanwhile, or a field of a line that SOAP cannot empty."""
    service.script["getList"] = got(held)
    with pytest.raises(Rejected) as caught:
        await service.connect().bills.update(a_bill(line), DocumentId("301"), edition=2)
    assert caught.value.code == code
    assert not service.sent("update")


async def test_an_edit_never_adds_a_line(service: Service) -> None:
    """Reference 3.5: a line sent without the number of one that is there would be a new one."""
    unnumbered = {name: value for name, value in bill_item().items() if name != "line"}
    service.script["getList"] = got(bill(lines=[unnumbered]))
    line = a_line(1, description="x", edited=frozenset({"description"}))
    with pytest.raises(ErpError) as caught:
        await service.connect().bills.update(a_bill(line), DocumentId("301"), edition=2)
    assert caught.value.code == "MISSING_FIELD"
    assert not service.sent("update")


async def test_an_edit_of_a_bill_that_is_gone(service: Service) -> None:
    """Deleted in NetSuite."""
    service.script["getList"] = got(refused("RCRD_DSNT_EXIST"))
    with pytest.raises(Rejected) as caught:
        await service.connect().bills.update(edited(), DocumentId("301"), edition=2)
    assert caught.value.code == "DELETED_IN_ERP"
