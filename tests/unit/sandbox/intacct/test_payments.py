"""Payments and what they do to bills (reference 3.6)."""

import pytest

from tests.unit.sandbox.wire import Wire, day, invoice, payment, query


async def owed(wire: Wire) -> str:
    """A bill of 50.00; answers its RECORDNO."""
    order = await wire.order()
    await wire.ask(invoice(order, {1: "10"}))
    [bill] = await wire.held("bills")
    return str(bill["record_no"])


async def standing(wire: Wire) -> tuple[str, str, str]:
    [bill] = await wire.held("bills")
    return bill["state"], bill["paid"], bill["due"]


async def test_partial_and_full_payments_move_the_bill(wire: Wire) -> None:
    bill = await owed(wire)
    first = await wire.ask(payment(bill, "20.00", number="A"))
    assert first.data[0].tag == "appymt"
    assert await standing(wire) == ("Partially Paid", "20.00", "30.00")
    await wire.ask(payment(bill, "30.00", number="B"))
    assert await standing(wire) == ("Paid", "50.00", "0.00")
    [created] = await wire.held("bills")
    assert created["paid_date"] == "11/25/2026"
    assert (await wire.one("vendor_invoices", "KEY-1"))["paid"] == "50.00"


async def test_a_payment_is_read_with_its_details(wire: Wire) -> None:
    bill = await owed(wire)
    number = (await wire.ask(payment(bill, "20.00"))).data[0].findtext("RECORDNO")
    fields = "RECORDNO STATE DOCNUMBER VENDORID TRX_PAYMENTAMOUNT FINANCIALENTITY PAYMENTDATE"
    assert (await wire.ask(query("APPYMT", fields))).rows == [
        {
            "RECORDNO": number,
            "STATE": "C",
            "DOCNUMBER": "PAY-1",
            "VENDORID": "V-1",
            "TRX_PAYMENTAMOUNT": "20.00",
            "FINANCIALENTITY": "BOA",
            "PAYMENTDATE": "11/25/2026",
        }
    ]
    details = query("APPYMTDETAIL", "PAYMENTKEY RECORDKEY TRX_PAYMENTAMOUNT")
    assert (await wire.ask(details)).rows == [{"PAYMENTKEY": number, "RECORDKEY": bill, "TRX_PAYMENTAMOUNT": "20.00"}]
    whole = await wire.ask(f"<read><object>APPYMT</object><keys>{number}</keys><fields>*</fields></read>")
    assert whole.data.findtext("APPYMT/APPYMTDETAILS/APPYMTDETAIL/RECORDKEY") == bill


async def test_the_state_may_come_as_a_label(wire: Wire) -> None:
    await wire.ask(payment(await owed(wire), "20.00"))
    await wire.switch(payment_state="label")
    assert (await wire.ask(query("APPYMT", "STATE"))).rows == [{"STATE": "Complete"}]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (">20.00<", ">50.01<", "more than the amount due 50.00"),
        (">20.00<", ">0<", "more than zero"),
        ("<FINANCIALENTITY>BOA<", "<FINANCIALENTITY>NONE<", "Invalid financial entity 'NONE'"),
        ("<PAYMENTMETHOD>EFT<", "<PAYMENTMETHOD>Shells<", "Invalid payment method 'Shells'"),
        ("<CURRENCY>USD<", "<CURRENCY>EUR<", "is in USD, the payment in EUR"),
        ("<RECORDKEY>1<", "<RECORDKEY>99<", "The bill 99 does not exist"),
        ("<PAYMENTDATE>11/25/2026</PAYMENTDATE>", "", "PAYMENTDATE is missing"),
    ],
)
async def test_a_bad_payment_changes_nothing(wire: Wire, old: str, new: str, reason: str) -> None:
    bill = await owed(wire)
    function = payment(bill, "20.00")
    assert old in function
    reply = await wire.ask(function.replace(old, new))
    assert reason in reply.reasons
    assert await wire.held("payments") == []
    assert await standing(wire) == ("Posted", "0.00", "50.00")


async def test_a_paid_bill_takes_no_payment_and_its_invoice_no_edit(wire: Wire) -> None:
    bill = await owed(wire)
    await wire.ask(payment(bill, "50.00"))
    assert "is Paid and cannot be paid" in (await wire.ask(payment(bill, "1.00", number="B"))).reasons
    edit = '<update_potransaction key="Vendor Invoice-KEY-1"><message>x</message></update_potransaction>'
    assert "is already paid" in (await wire.ask(edit)).reasons
    assert "is already paid" in (await wire.ask('<delete_potransaction key="Vendor Invoice-KEY-1"/>')).reasons
    assert await standing(wire) == ("Paid", "50.00", "0.00")


async def test_voiding_makes_the_bill_due_again(wire: Wire) -> None:
    bill = await owed(wire)
    number = (await wire.ask(payment(bill, "20.00"))).data[0].findtext("RECORDNO")
    keys = f"<appaymentkeys><appaymentkey>{number}</appaymentkey></appaymentkeys>"
    void = f"<void_appaymentrequest>{keys}</void_appaymentrequest>"
    assert (await wire.ask(void)).status == "success"
    assert await standing(wire) == ("Posted", "0.00", "50.00")
    assert (await wire.ask(query("APPYMT", "STATE"))).rows == [{"STATE": "V"}]
    assert (await wire.ask(void)).status == "failure"


async def test_drafts_only_reserve_and_can_be_deleted(wire: Wire) -> None:
    bill = await owed(wire)
    number = (await wire.ask(payment(bill, "20.00", action="Draft"))).data[0].findtext("RECORDNO")
    assert await standing(wire) == ("Selected", "0.00", "30.00")
    assert (await wire.ask(f"<delete><object>APPYMT</object><keys>{number}</keys></delete>")).status == "success"
    assert await standing(wire) == ("Posted", "0.00", "50.00")


async def test_a_draft_s_details_are_replaced_and_it_can_be_submitted(wire: Wire) -> None:
    bill = await owed(wire)
    number = (await wire.ask(payment(bill, "20.00", action="Draft"))).data[0].findtext("RECORDNO")
    detail = f"<APPYMTDETAIL><RECORDKEY>{bill}</RECORDKEY><TRX_PAYMENTAMOUNT>35.00</TRX_PAYMENTAMOUNT></APPYMTDETAIL>"
    details = f"<RECORDNO>{number}</RECORDNO><APPYMTDETAILS>{detail}</APPYMTDETAILS>"
    assert (await wire.ask(f"<update><APPYMT>{details}</APPYMT></update>")).status == "success"
    assert await standing(wire) == ("Selected", "0.00", "15.00")
    submit = f"<update><APPYMT><RECORDNO>{number}</RECORDNO><ACTION>Submit</ACTION></APPYMT></update>"
    assert (await wire.ask(submit)).status == "success"
    assert await standing(wire) == ("Partially Paid", "35.00", "15.00")
    [paid] = await wire.held("payments")
    assert (paid["amount"], paid["state"]) == ("35.00", "Complete")
    assert "Only draft" in (await wire.ask(submit)).reasons


async def test_credits_that_do_not_exist_are_not_applied(wire: Wire) -> None:
    function = payment(await owed(wire), "20.00").replace(
        "</TRX_PAYMENTAMOUNT>", "</TRX_PAYMENTAMOUNT><ADJUSTMENTKEY>9</ADJUSTMENTKEY>"
    )
    assert "The adjustment 9 cannot be applied" in (await wire.ask(function)).reasons
    assert await wire.held("payments") == []


async def test_a_submitted_payment_cannot_be_deleted(wire: Wire) -> None:
    number = (await wire.ask(payment(await owed(wire), "20.00"))).data[0].findtext("RECORDNO")
    assert (await wire.ask(f"<delete><object>APPYMT</object><keys>{number}</keys></delete>")).status == "failure"


async def test_with_payment_approval_on_a_payment_waits(wire: Wire) -> None:
    bill = await owed(wire)
    await wire.switch(payment_approval=True)
    await wire.ask(payment(bill, "50.00"))
    assert (await wire.ask(query("APPYMT", "STATE"))).rows == [{"STATE": "S"}]
    assert await standing(wire) == ("Selected", "0.00", "0.00")
    await wire.act("approve_payment", document_number="PAY-1")
    assert await standing(wire) == ("Paid", "50.00", "0.00")


async def test_the_legacy_payment_request(wire: Wire) -> None:
    bill = await owed(wire)
    request = (
        "<create_paymentrequest><bankaccountid>BOA</bankaccountid><vendorid>V-1</vendorid>"
        f"<paymentmethod>EFT</paymentmethod><paymentdate>{day()}</paymentdate><paymentrequestitems>"
        f"<paymentrequestitem><key>{bill}</key><paymentamount>20</paymentamount></paymentrequestitem>"
        "</paymentrequestitems></create_paymentrequest>"
    )
    assert (await wire.ask(request)).key == "1"
    assert await standing(wire) == ("Partially Paid", "20.00", "30.00")


async def test_what_a_person_does_in_the_user_interface(wire: Wire) -> None:
    await owed(wire)
    await wire.act("pay_bill", vendor_invoice="KEY-1", amount="10.00", document_number="CHK-1")
    assert await standing(wire) == ("Partially Paid", "10.00", "40.00")
    await wire.act("void_payment", document_number="CHK-1")
    await wire.act("pay_bill", number="INV-KEY-1")
    assert await standing(wire) == ("Paid", "50.00", "0.00")
