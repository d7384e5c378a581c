"""One payment over several bills of a vendor, on Intacct (S4-25, S5-40): one record there, and all its bills follow."""

from datetime import timedelta
from decimal import Decimal

from tests.end_to_end.in_process.payment_of_bills import (
    a_hundred_bills_in_one_payment,
    dues,
    paid_together,
    there,
    three_bills,
)
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, refused


async def test_one_payment_pays_three_bills_one_in_part(api: StackClient, company: SandboxCompany) -> None:
    """S4-25, S5-40, S5-41: also when its answer is lost; each bill is paid by its share."""
    bills = await three_bills(api, company)
    company.breaks("lost_answer", "create", object="APPYMT")
    payment = await paid_together(api, dict(zip(bills, ("125.00", "125.00", "25.00"), strict=True)))
    shown = await api.payment_is(payment, "paid")
    assert company.fired("lost_answer") == 1
    assert Decimal(shown["amount"]) == 275
    assert {share["bill_id"]: Decimal(share["amount"]) for share in shown["shares"]} == dict(
        zip(bills, (125, 125, 25), strict=True)
    )
    payables = [(await api.read_bill(bill))["payable_id"] for bill in bills]
    assert there(company) == [dict(zip(payables, (125, 125, 25), strict=True))]
    assert await dues(api, bills) == [0, 0, 100]
    for bill, status in zip(bills, ("paid", "paid", "partially_paid"), strict=True):
        await api.bill_is(bill, status)
    await api.sync()
    assert await dues(api, bills) == [0, 0, 100]
    history = await api.temporal.get_workflow_handle(f"payment/{payment}").fetch_history()
    assert len(history.events) <= 60, "whatever number of bills it pays"


async def test_a_person_gives_it_a_number_and_it_is_still_sent_once(api: StackClient, company: SandboxCompany) -> None:
    """S5-34..42: to the bills' vendor, from the bank account, each bill its share. People's number is the document's,
    our key stands behind the description."""
    bills = await three_bills(api, company)
    company.breaks("lost_answer", "create", object="APPYMT")
    more = {"reference": "CHK-77", "external_id": "run-9"}
    payment = await paid_together(api, {bills[0]: "10.00", bills[1]: "20.00"}, **more)
    shown = await api.payment_is(payment, "paid")
    (sent,) = company.held("payments")
    assert sent["document_number"] == "CHK-77"
    assert sent["memo"].endswith(f"run-9 [{shown['external_key']}]")
    assert (sent["vendor_id"], sent["bank_account"], sent["currency"]) == ("V-1", "BOA", "USD")
    assert (Decimal(sent["amount"]), sent["date"]) == (Decimal(30), f"{today():%m/%d/%Y}")
    payables = [(await api.read_bill(bill))["payable_id"] for bill in bills[:2]]
    shares = {one["bill_record_no"]: Decimal(one["amount"]) for one in sent["details"]}
    assert shares == dict(zip(payables, (10, 20), strict=True))
    assert (shown["reference"], shown["external_id"]) == ("CHK-77", "run-9")
    assert shown["submitted_on"] == today().isoformat()
    await api.sync()
    assert len(await api.items("/v1/payments")) == 1, "read again, it is still ours"
    tomorrow = (today() + timedelta(days=1)).isoformat()
    for one in ({"reference": "CHK-77"}, {"reference": "run-9"}, {"vendor": "V-1"}, {"pay_on_to": tomorrow}):
        assert len(await api.items("/v1/payments", **one)) == 1, one
    for none in ({"reference": "CHK-78"}, {"vendor": "V-2"}, {"pay_on_from": tomorrow}):
        assert await api.items("/v1/payments", **none) == [], none


async def test_paid_outside_is_recorded_on_the_day_it_was_paid(api: StackClient, company: SandboxCompany) -> None:
    """S2-65, S5-12: a past day is refused unless it was paid outside; account, its type and the day are the ERP's."""
    bills = await three_bills(api, company)
    day = today() - timedelta(days=2)
    shares = [{"bill_id": bills[0], "amount": "125.00"}]
    body = {"bills": shares, "pay_on": day.isoformat()}
    refused(await api.post("/v1/payments", body), 422, "PAY_ON_IS_PAST")
    to_come = {**body, "pay_on": (today() + timedelta(days=3)).isoformat(), "paid_outside": True}
    refused(await api.post("/v1/payments", to_come), 422, "PAID_OUTSIDE_IN_FUTURE")
    payment = await paid_together(api, {bills[0]: "125.00"}, pay_on=day.isoformat(), paid_outside=True)
    await api.payment_is(payment, "paid")
    (sent,) = company.held("payments")
    assert sent["date"] == f"{day:%m/%d/%Y}"
    accounts = (await api.get(f"/v1/connections/{api.connection_id}/bank-accounts"))["items"]
    assert {one["key"]: one["type"] for one in accounts}[sent["bank_account"]] == "bank"


async def test_a_payment_that_waits_for_confirmation_is_not_paid(api: StackClient, company: SandboxCompany) -> None:
    """S5-40: submitted, its amount held, its bills not paid, until somebody confirms it there; such a method records
    nothing that was paid outside."""
    bills = await three_bills(api, company)
    refused(
        await api.post(
            "/v1/payments",
            {
                "bills": [{"bill_id": bills[0], "amount": "1.00"}],
                "pay_on": today().isoformat(),
                "method": "check",
                "paid_outside": True,
            },
        ),
        422,
        "METHOD_NOT_PAID_OUTSIDE",
    )
    payment = await paid_together(api, {bills[0]: "125.00", bills[1]: "100.00"}, method="check")

    async def is_there() -> bool:
        return [one["state"] for one in company.held("payments")] == ["Approved"]

    await api.until(is_there, "the payment to be in the ERP")
    shown = await api.payment_is(payment, "submitted")
    assert shown["waits_for"]["what"] == "erp"
    await api.sync()
    assert await dues(api, bills) == [125, 125, 125]
    assert (await api.get(f"/v1/payments/{payment}"))["status"] == "submitted"
    over = {"bills": [{"bill_id": bills[1], "amount": "25.01"}], "pay_on": today().isoformat()}
    refused(await api.post("/v1/payments", over), 422, "OVERPAYMENT")
    company.does("confirm_payment", document_number=shown["external_key"])
    await api.sync()
    assert await dues(api, bills) == [0, 25, 125]


async def test_abandoned_it_claims_nothing_of_any_bill(api: StackClient, company: SandboxCompany) -> None:
    """S5-40: what it promised counts on each bill until then."""
    bills = await three_bills(api, company)
    day = (today() + timedelta(days=9)).isoformat()
    payment = await paid_together(api, {bills[0]: "100.00", bills[1]: "100.00"}, pay_on=day)
    over = {"bills": [{"bill_id": bills[1], "amount": "25.01"}], "pay_on": day}
    refused(await api.post("/v1/payments", over), 422, "OVERPAYMENT")
    assert (await api.post(f"/v1/payments/{payment}/abandon", {"reason": "not yet"})).status_code == 200
    for bill in bills[:2]:
        await api.bill_is(bill, "synced")
    await api.payment_is(await paid_together(api, {bills[0]: "125.00", bills[1]: "125.00"}), "paid")


async def test_a_vendor_on_hold_is_not_paid_until_somebody_says_so(api: StackClient, company: SandboxCompany) -> None:
    """S5-02: the payment waits behind an issue."""
    bills = await three_bills(api, company)
    company.load(vendors=[{"vendor_id": "V-1", "name": "Mill", "status": "inactive"}])
    await api.sync()
    payment = await paid_together(api, {bills[0]: "125.00", bills[1]: "5.00"})
    issue = await api.issue("VENDOR_NOT_PAID")
    assert company.held("payments") == []
    company.load(vendors=[{"vendor_id": "V-1", "name": "Mill", "status": "active"}])
    await api.sync()
    await api.settle(issue, "retry")
    await api.payment_is(payment, "paid")


async def test_a_hundred_bills_are_one_write(api: StackClient, company: SandboxCompany) -> None:
    """S4-25, S5-40: one write, at most 60 events of the payment's own workflow."""
    await a_hundred_bills_in_one_payment(api, company, write="create")


async def test_several_payments_made_of_one_stop_before_a_person(api: StackClient, company: SandboxCompany) -> None:
    """3.6: one request is proven to be one payment. The ones too many are voided there; then nothing is sent anew, and
    the payment is for what it pays."""
    bills = await three_bills(api, company)
    company.switch(payments_split=True)
    payment = await paid_together(api, {bills[0]: "125.00", bills[1]: "25.00"})
    issue = await api.issue("PAYMENT_SPLIT")
    payments = company.held("payments")
    assert [Decimal(one["amount"]) for one in payments] == [125, 25]
    assert issue["subject_id"] == payment
    await api.sync()
    shown = {one["erp_id"]: (one["origin"], Decimal(one["amount"])) for one in await api.items("/v1/payments")}
    records = [one["record_no"] for one in payments]
    assert shown == {records[0]: ("posync", 150), records[1]: ("erp", 25)}, "one record is taken for the payment"
    company.does("void_payment", record_no=records[1])
    await api.settle(issue, "retry")
    await api.payment_is(payment, "paid")
    assert [one["state"] for one in company.held("payments")] == ["Complete", "Void"]
    for _ in range(2):
        left = await api.get(f"/v1/payments/{payment}")
        assert Decimal(left["amount"]) == 125, "what it is for now"
        assert {one["bill_id"]: Decimal(one["amount"]) for one in left["shares"]} == {bills[0]: 125, bills[1]: 0}
        await api.sync()
    assert await dues(api, bills) == [0, 125, 125]
    assert [one["after"] for one in left["events"] if one["kind"] == "edited_in_erp"] == [{"amount": "125.00"}]
