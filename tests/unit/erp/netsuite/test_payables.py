"""Bills, credits and payments in; payments out (S4-38, S4-39, S5-33..42; reference 4, 5.3)."""

from decimal import Decimal

import pytest

from erp.errors import ErpError, NotFound, Rejected
from models.domain.ids import ErpId
from tests.unit.erp.netsuite.bills import a_payment
from tests.unit.erp.netsuite.service import (
    Service,
    bill,
    bill_item,
    found,
    got,
    initialized,
    payment,
    record,
    ref,
    refused,
    rows,
    written,
)

CURSOR = "2031-07-01 00:00:00"
BANKS = found(
    record("Account", "7", {"acctType": "_bank", "acctNumber": "1000", "acctName": "Checking"}, prefix="a"),
    record("Account", "9", {"acctType": "_bank", "acctNumber": "1001", "isInactive": "true"}, prefix="a"),
)


async def bills_of(service: Service, *records: str, due: str = "", touched: str = "") -> list[object]:
    service.script["search"] = [found(*records), touched or found(), due or rows()]
    page = await service.connect().bills.page(since=CURSOR, after=None)
    assert not page.bad
    return list(page.records)


async def test_bills_come_with_what_is_paid(service: Service) -> None:
    """Ruling G8, reference 4: the record has no such field; the order is the ERP's own link."""
    due = rows({"internalId": "301", "amountPaid": "4.00", "amountRemaining": "10.00"})
    (one,) = await bills_of(service, bill("301", external_id="PSB-1"), due=due)
    assert (one.total, one.paid, one.due, one.state) == (Decimal("14.00"), Decimal("4.00"), Decimal("10.00"), "Open")
    assert (one.order_document, one.source_document, one.external_key, one.number) == ("101", "301", "PSB-1", "INV-1")
    (line,) = one.lines
    assert (line.order_line, line.item_id, line.quantity, line.amount) == ("101:1", "31", Decimal(4), Decimal("14.00"))


async def test_a_payment_brings_its_bill_along(service: Service) -> None:
    """A bill need not change its stamp when it is paid."""
    service.script |= {
        "search": [
            found(),
            found(payment("401", "301")),
            rows({"internalId": "301", "amountPaid": "14.00", "amountRemaining": "0"}),
        ],
        "getList": got(bill("301", lastModifiedDate="2031-06-01T00:00:00.000-07:00", status="Paid In Full")),
    }
    page = await service.connect().bills.page(since=CURSOR, after=None)
    (one,) = page.records
    assert (one.paid, one.revision, page.high_water) == (Decimal("14.00"), "2031-07-01 10:00:00", "2031-07-01 10:00:00")


async def test_figures_that_are_not_shown_are_not_made_up(service: Service) -> None:
    """A role that may not see amounts: the bill is named, and not taken for unpaid."""
    service.script["search"] = [found(bill("301")), found(), rows()]
    page = await service.connect().bills.page(since=CURSOR, after=None)
    assert [(bad.erp_id, bad.code) for bad in page.bad] == [("301", "MISSING_FIELD")]


async def test_a_figure_that_is_no_number_spoils_its_own_bill_alone(service: Service) -> None:
    """Fault F13: named, and every other bill of the page comes in."""
    figures = {"301": "n/a", "302": "0", "303": "0"}
    due = rows(*({"internalId": one, "amountPaid": paid, "amountRemaining": "14.00"} for one, paid in figures.items()))
    odd = bill("303", lines=[{**bill_item(), "amount": "1,400"}])
    service.script["search"] = [found(bill("301"), bill("302"), odd), found(), due]
    page = await service.connect().bills.page(since=CURSOR, after=None)
    assert [one.erp_id for one in page.records] == ["302"]
    assert [(bad.erp_id, bad.code, bad.evidence["field"]) for bad in page.bad] == [
        ("301", "VALUE_NOT_READABLE", "amountPaid"), ("303", "VALUE_NOT_READABLE", "amount"),
    ]  # fmt: skip


async def test_vendor_credits_are_bills_of_less_than_nothing(service: Service) -> None:
    """S4-64, reference 4: one made by hand names no order, so it comes without one."""
    values = {
        "lastModifiedDate": "2031-07-01T02:00:00.000-07:00",
        "unApplied": "4.0",
        "applied": "10.0",
        "tranId": "CM-1",
        "entity": ref("5", "Acme"),
        "userTotal": "14.0",
        "tranDate": "2031-07-01T00:00:00.000-07:00",
        "itemList": {"item": [{**bill_item(), "quantity": "4.0"}]},
    }
    (one,) = await bills_of(service, record("VendorCredit", "501", values))
    assert (one.total, one.paid, one.due, one.currency) == (Decimal(-14), Decimal(-10), Decimal(-4), "USD")
    assert (one.lines[0].quantity, one.lines[0].amount) == (Decimal(-4), Decimal("-14.00"))


async def test_payments_come_with_their_shares(service: Service) -> None:
    """Only applied lines are shares; ours is known by our key."""
    service.script["search"] = found(payment("401", "301"))
    (one,) = (await service.connect().payments.page(since=CURSOR, after=None)).records
    assert (one.amount, one.currency, one.state, one.settled, one.voided) == (
        Decimal("14.00"), "USD", "Approved", True, False,
    )  # fmt: skip
    assert [(share.bill_erp_id, share.amount) for share in one.shares] == [("301", Decimal("14.00"))]


@pytest.mark.parametrize(
    ("state", "settled", "voided"),
    [
        ("Pending Approval", False, False),
        ("In Transit", False, False),
        ("Voided", True, True),
        ("Confirmed", True, False),
    ],
)
async def test_states_of_payments(service: Service, state: str, settled: bool, voided: bool) -> None:
    """S2-38: what waits in NetSuite is not settled; what was voided is no payment."""
    service.script["search"] = found(payment("401", "301", status=state))
    (one,) = (await service.connect().payments.page(since=CURSOR, after=None)).records
    assert (one.settled, one.voided) == (settled, voided)


# --- out -------------------------------------------------------------------------------------------------------


async def test_a_payment_pays_its_bill(service: Service) -> None:
    """S4-39, reference 5.3: from NetSuite's own draft, for this bill alone, under our key."""
    service.script |= {"initialize": initialized(payment("", "301")), "search": BANKS, "add": written("401")}
    assert await service.connect().payments.create(a_payment(amount=Decimal("9.50"), memo="May")) == "401"
    (add,) = service.sent("add")
    record_ = add[0]
    assert record_.get("externalId") == "PSP-1"
    values = {element.tag.rpartition("}")[2]: element for element in record_}
    assert (values["account"].get("internalId"), values["apAcct"].get("internalId")) == ("7", "8")
    assert values["tranDate"].text == "2031-07-05T12:00:00-07:00"
    assert values["applyList"].get("replaceAll") == "false"
    (apply,) = values["applyList"]
    assert {element.tag.rpartition("}")[2]: element.text for element in apply} == {
        "apply": "true", "doc": "301", "line": "0", "amount": "9.5",
    }  # fmt: skip


@pytest.mark.parametrize("named", ["7", "1000", "Checking"])
async def test_bank_accounts_by_id_number_or_name(service: Service, named: str) -> None:
    """What a person writes into the preference."""
    service.script |= {"initialize": initialized(payment("", "301")), "search": BANKS, "add": written("401")}
    await service.connect().payments.create(a_payment(bank_account=named))
    assert service.sent("add")[0].xpath("string(//*[local-name()='account']/@internalId)") == "7"


@pytest.mark.parametrize("named", ["1001", "Savings"])
async def test_a_bank_account_that_is_none(service: Service, named: str) -> None:
    """Inactive or unknown: refused here, with its name."""
    service.script |= {"initialize": initialized(payment("", "301")), "search": BANKS}
    with pytest.raises(Rejected) as caught:
        await service.connect().payments.create(a_payment(bank_account=named))
    assert (caught.value.code, caught.value.evidence) == ("ACCOUNT_REFUSED", {"account": named})


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (got(refused("RCRD_DSNT_EXIST")), "PAYABLE_MISSING"),
        (got(bill("301", status="Paid In Full")), "ALREADY_PAID"),
        (got(bill("301", status="Pending Approval")), "BILL_NOT_APPROVED"),
        (got(bill("301", status="Rejected")), "PAYABLE_MISSING"),
    ],
)
async def test_why_a_bill_cannot_be_paid(service: Service, held: str, code: str) -> None:
    """NetSuite only says that the reference is invalid; the bill itself tells why."""
    service.script |= {
        "initialize": f"<readResponse>{refused('INVALID_INITIALIZE_REF')}</readResponse>",
        "getList": held,
    }
    with pytest.raises(Rejected) as caught:
        await service.connect().payments.create(a_payment())
    assert caught.value.code == code
    assert not service.sent("add")


async def test_a_payment_is_read_back_with_what_is_due(service: Service) -> None:
    """DESIGN 5."""
    service.script |= {
        "getList": got(payment("401", "301")),
        "search": rows({"internalId": "301", "amountPaid": "14.00", "amountRemaining": "0.00"}),
    }
    pushed = await service.connect().payments.read_back(a_payment(), ErpId("401"))
    assert (pushed.settled, pushed.amount, pushed.bill_paid, pushed.bill_due, pushed.payable_id) == (
        True, Decimal("14.00"), Decimal("14.00"), Decimal("0.00"), "301",
    )  # fmt: skip


@pytest.mark.parametrize("answer", [got(refused("RCRD_DSNT_EXIST"))])
async def test_a_payment_that_is_not_shown_is_in_doubt(service: Service, answer: str) -> None:
    """It was written; the look-up finds out."""
    service.script["getList"] = answer
    with pytest.raises(ErpError) as caught:
        await service.connect().payments.read_back(a_payment(), ErpId("401"))
    assert caught.value.code == "OUTCOME_UNKNOWN"
    assert not isinstance(caught.value, NotFound)
