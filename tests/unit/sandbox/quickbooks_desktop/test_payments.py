"""Bill payments by check and card, with credits and discounts (reference 3.3)."""

from typing import Any

import pytest

from tests.unit.sandbox.quickbooks_desktop.pc import Pc


async def billed(pc: Pc) -> dict[str, Any]:
    await pc.order("PO-1", "10")
    done: dict[str, Any] = await pc.does("bill", number="PO-1", invoice_number="INV-1")
    return done


async def vendor_of(pc: Pc) -> str:
    vendor: str = next(row["record_no"] for row in await pc.held("vendors") if row["key"] == "V-1")
    return vendor


def check(vendor: str, bill: str, inner: str) -> str:
    return (
        "<BillPaymentCheckAddRq><BillPaymentCheckAdd>"
        f"<PayeeEntityRef><ListID>{vendor}</ListID></PayeeEntityRef><TxnDate>2026-11-20</TxnDate>"
        "<BankAccountRef><FullName>Bank of America</FullName></BankAccountRef><RefNumber>101</RefNumber>"
        f"<AppliedToTxnAdd><TxnID>{bill}</TxnID>{inner}</AppliedToTxnAdd>"
        "</BillPaymentCheckAdd></BillPaymentCheckAddRq>"
    )


def state(pc: Pc, bill: str) -> tuple[str | None, str | None]:
    shown = pc.ask(f"<BillQueryRq><TxnID>{bill}</TxnID></BillQueryRq>")[0]
    return shown.findtext("IsPaid"), shown.findtext("OpenAmount")


async def test_a_check_pays_a_bill_in_parts(pc: Pc) -> None:
    bill, vendor = (await billed(pc))["record_no"], await vendor_of(pc)
    done = pc.ask(check(vendor, bill, "<PaymentAmount>20.00</PaymentAmount>"))
    assert done.findtext("BillPaymentCheckRet/Amount") == "20.00"
    assert done.findtext(".//AppliedToTxnRet/BalanceRemaining") == "30.00"
    assert state(pc, bill) == ("false", "30.00")
    pc.ask(check(vendor, bill, "<PaymentAmount>30.00</PaymentAmount>"))
    assert state(pc, bill) == ("true", "0.00")
    assert ("payable", "V-1") not in await pc.ledger()
    paid = pc.ask("<BillQueryRq><PaidStatus>NotPaidOnly</PaidStatus></BillQueryRq>")
    assert paid.get("statusCode") == "1"


@pytest.mark.parametrize("severity", ["Error", "Info"])
async def test_more_than_is_due_is_3210_whatever_it_is_called(pc: Pc, severity: str) -> None:
    bill, vendor = (await billed(pc))["record_no"], await vendor_of(pc)
    await pc.switch(refusal_severity=severity)
    done = pc.ask(check(vendor, bill, "<PaymentAmount>50.01</PaymentAmount>"))
    assert (done.get("statusCode"), done.get("statusSeverity"), len(done)) == ("3210", severity, 0)
    assert await pc.held("payments") == []


async def test_credits_and_discounts_lower_what_is_due(pc: Pc) -> None:
    bill, vendor = (await billed(pc))["record_no"], await vendor_of(pc)
    credit = (await pc.does("add_credit", vendor_id="V-1", number="CR-1", amount="8.00"))["record_no"]
    inner = (
        f"<PaymentAmount>40.00</PaymentAmount><SetCredit><CreditTxnID>{credit}</CreditTxnID><AppliedAmount>8.00"
        "</AppliedAmount></SetCredit><DiscountAmount>2.00</DiscountAmount><DiscountAccountRef><FullName>Purchases"
        "</FullName></DiscountAccountRef>"
    )
    done = pc.ask(check(vendor, bill, inner))
    assert done.get("statusCode") == "0"
    assert state(pc, bill) == ("true", "0.00")
    shown = pc.ask("<VendorCreditQueryRq/>")[0]
    assert shown.findtext("OpenAmount") == "0.00"
    assert await pc.ledger() == {("stock", "ITEM-1"): "10"}


async def test_a_card_pays_from_a_card_account(pc: Pc) -> None:
    await billed(pc)
    done = await pc.does("pay_bill", number="INV-1", method="CreditCard")
    assert done["type"] == "BillPaymentCreditCard"
    shown = pc.ask(
        "<BillPaymentCreditCardQueryRq><IncludeLineItems>true</IncludeLineItems></BillPaymentCreditCardQueryRq>"
    )
    assert shown[0].findtext("CreditCardAccountRef/FullName") == "Visa"
    assert shown[0].findtext("AppliedToTxnRet/RefNumber") == "INV-1"


@pytest.mark.parametrize("moves", [True, False])
async def test_a_payment_may_leave_its_bills_time_alone(pc: Pc, moves: bool) -> None:
    before = (await billed(pc))["edit_sequence"]
    await pc.switch(payment_touches_bill=moves)
    await pc.does("pay_bill", number="INV-1")
    assert ((await pc.one("bills", "INV-1"))["edit_sequence"] != before) == moves


async def test_a_voided_payment_opens_its_bill(pc: Pc) -> None:
    bill = (await billed(pc))["record_no"]
    await pc.does("pay_bill", number="INV-1", document_number="101")
    await pc.does("void_payment", document_number="101")
    assert state(pc, bill) == ("false", "50.00")


@pytest.mark.parametrize(("word", "code"), [("refused", "3160"), ("accepted", "")])
async def test_deleting_a_paid_bill(pc: Pc, word: str, code: str) -> None:
    await billed(pc)
    await pc.does("pay_bill", number="INV-1")
    await pc.switch(paid_bill_deletion=word)
    if code:
        assert await pc.refused("delete", kind="bill", number="INV-1") == code
    else:
        await pc.does("delete", kind="bill", number="INV-1")
        [payment] = await pc.held("payments")
        assert payment["details"] == []


async def test_a_paid_bill_cannot_become_smaller_than_what_was_paid(pc: Pc) -> None:
    await billed(pc)
    await pc.does("pay_bill", number="INV-1", amount="45.00")
    assert await pc.refused("edit_bill", number="INV-1", line=1, quantity="8") == "3210"
