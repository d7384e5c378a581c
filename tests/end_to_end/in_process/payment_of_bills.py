"""What the tests of one payment over several bills share, whatever the ERP."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, refused


async def three_bills(api: StackClient, company: SandboxCompany, *, received: bool = False) -> list[str]:
    """Return three bills of one vendor that the ERP holds, of 125.00 each; `received`: their goods came first."""
    for number in ("PO-1", "PO-2", "PO-3"):
        company.order(number, "10")
        if received:
            company.does("receive", number=number)
    await api.start()
    return [(await api.billed(number, {1: "10"}))["id"] for number in ("PO-1", "PO-2", "PO-3")]


async def paid_together(api: StackClient, shares: Mapping[str, str], **more: Any) -> str:
    """Schedule one payment of these bills for today; return its id."""
    body = {
        "bills": [{"bill_id": bill_id, "amount": amount} for bill_id, amount in shares.items()],
        "pay_on": today().isoformat(),
        **more,
    }
    answer = await api.post("/v1/payments", body)
    assert answer.status_code == 201, answer.text
    payment_id: str = answer.json()["payment"]["id"]
    return payment_id


async def voided(api: StackClient, payment_id: str) -> None:
    """Void a payment, and wait until the ERP has done it."""
    answer = await api.post(f"/v1/payments/{payment_id}/void", {"reason": "paid twice"})
    assert answer.status_code == 200, answer.text
    await api.payment_is(payment_id, "voided")


async def dues(api: StackClient, bill_ids: list[str]) -> list[Decimal]:
    """Return what is due on each bill here."""
    bills = [await api.read_bill(bill_id) for bill_id in bill_ids]
    return [Decimal(bill["total"]) - Decimal(bill["paid"]) for bill in bills]


def there(company: SandboxCompany) -> list[dict[str, Decimal]]:
    """Return the payments in the ERP's books: by bill, what each pays."""
    return [
        {share["bill_record_no"]: Decimal(share["amount"]) for share in payment["details"]}
        for payment in company.held("payments")
    ]


async def the_credit(api: StackClient, number: str) -> dict[str, Any]:
    """Return the one credit with this number, whole."""
    (credit,) = await api.items("/v1/credits", number=number)
    shown: dict[str, Any] = await api.get(f"/v1/credits/{credit['id']}")
    return shown


async def a_credit_in_a_payment_comes_back_with_its_void(
    api: StackClient, company: SandboxCompany, bills: list[str], credit_id: str, *, fault: tuple[str, str]
) -> None:
    """Pay three bills, one in part, with 30.00 of a credit of 40.00 in the payment; void it; pay it again.

    The dues and what is open of the credit are the start's after the void, here and in the ERP's books, and after every
    sync; `fault` loses the answers of the payment and of the void.
    """
    pay, void = fault
    shares = dict(zip(bills, ("125.00", "95.00", "25.00"), strict=True))
    of_credit = [{"credit_id": credit_id, "bill_id": bills[1], "amount": "30.00"}]

    async def stands(dues_now: list[int], applied: int, free: int) -> None:
        assert await dues(api, bills) == dues_now
        assert [Decimal(bill["due"]) for bill in company.held("bills")] == dues_now
        credit = await api.get(f"/v1/credits/{credit_id}")
        assert amounts(credit, "applied", "open", "reserved") == (applied, free, 0)
        assert sum(Decimal(one["amount"]) for one in credit["applied_to"]) == applied

    await stands([125, 125, 125], 0, 40)
    for _ in range(2):
        company.breaks("lost_answer", pay, **({"object": "APPYMT"} if pay == "create" else {}))
        payment = await paid_together(api, shares, credits=of_credit)
        shown = await api.payment_is(payment, "paid")
        assert Decimal(shown["amount"]) == 245
        assert sum(Decimal(one["amount"]) for one in shown["credits"]) == 30
        await stands([0, 0, 100], 30, 10)
        await api.sync()
        await stands([0, 0, 100], 30, 10)
        for bill, status in zip(bills, ("paid", "paid", "partially_paid"), strict=True):
            await api.bill_is(bill, status)
        company.breaks("lost_answer", void)
        await voided(api, payment)
        await stands([125, 125, 125], 0, 40)
        await api.sync()
        await stands([125, 125, 125], 0, 40)
        for bill in bills:
            await api.bill_is(bill, "synced")
    assert company.fired("lost_answer") == 4
    assert await api.issues() == []
    happened = [one for bill in bills for one in (await api.read_bill(bill))["events"]]
    for kind, amount in (("payment_voided", 490), ("credit_applied", 60), ("credit_unapplied", 60)):
        told = [one for one in happened if one["kind"] == kind]
        assert sum(Decimal(one["after"]["amount"]) for one in told) == amount, kind
        assert {one["actor"] for one in told} == {shown["created_by"]}
        assert all(one["why"] == "paid twice" or one["why"].startswith("with payment pay_") for one in told)
    of_credit_itself = (await api.get(f"/v1/credits/{credit_id}"))["events"]
    kinds = {one["kind"] for one in of_credit_itself}
    assert {"credit_applied", "credit_unapplied"} <= kinds


async def a_credit_in_a_payment_is_reserved_until_it_is_sent(
    api: StackClient, bills: list[str], credit_id: str
) -> None:
    """While the payment waits for its day nobody else takes its credit, nor its part of the bill; abandoned, all is
    free again."""
    day = (today() + timedelta(days=9)).isoformat()
    of_credit = [{"credit_id": credit_id, "bill_id": bills[1], "amount": "30.00"}]
    payment = await paid_together(api, {bills[0]: "125.00", bills[1]: "0.00"}, credits=of_credit, pay_on=day)
    assert amounts(await api.get(f"/v1/credits/{credit_id}"), "open", "reserved") == (40, 30)
    assert Decimal((await api.read_bill(bills[1]))["reserved"]) == 30
    apply = {"bills": [{"bill_id": bills[2], "amount": "10.01"}]}
    refused(await api.post(f"/v1/credits/{credit_id}/apply", apply, role="accountant"), 409, "MORE_THAN_OPEN")
    again = {"bills": [{"bill_id": bills[2], "amount": "1.00"}], "pay_on": day}
    over = {"credits": [{"credit_id": credit_id, "bill_id": bills[2], "amount": "10.01"}]}
    refused(await api.post("/v1/payments", {**again, **over}), 409, "MORE_THAN_OPEN")
    too_much = {"bills": [{"bill_id": bills[1], "amount": "95.01"}], "pay_on": day}
    refused(await api.post("/v1/payments", too_much), 422, "OVERPAYMENT")
    nothing = {"bills": [{"bill_id": bills[2], "amount": "0.00"}], "pay_on": day}
    refused(await api.post("/v1/payments", nothing), 422, "INVALID_AMOUNT")
    of_it = {"credits": [{"credit_id": credit_id, "bill_id": bills[2], "amount": "1.00"}]}
    refused(await api.post("/v1/payments", {**nothing, **of_it}), 422, "INVALID_AMOUNT")
    of_another = {"credits": [{"credit_id": credit_id, "bill_id": bills[0], "amount": "1.00"}]}
    refused(await api.post("/v1/payments", {**again, **of_another}), 409, "CREDIT_OF_ANOTHER")
    assert (await api.post(f"/v1/payments/{payment}/abandon", {"reason": "not yet"})).status_code == 200
    assert amounts(await api.get(f"/v1/credits/{credit_id}"), "open", "reserved") == (40, 0)
    assert Decimal((await api.read_bill(bills[1]))["reserved"]) == 0


async def a_credit_that_a_planned_payment_takes_is_not_deleted(
    api: StackClient, company: SandboxCompany, bills: list[str], kind: str
) -> None:
    """A credit entered here and taken by a planned payment stays until the payment is abandoned; `kind`: what the
    sandbox calls credits."""
    lines = [{"amount": "40.00", "account": "6000"}]
    body = {"bill_id": bills[1], "number": "CM-9", "credit_date": today().isoformat(), "lines": lines}
    answer = await api.post("/v1/credits", body, role="clerk")
    assert answer.status_code == 201, answer.text
    credit = f"/v1/credits/{answer.json()['id']}"

    async def becomes(status: str) -> None:
        async def so() -> bool:
            return bool((await api.get(credit))["status"] == status)

        await api.until(so, f"a credit that is {status}")

    await becomes("open")
    await api.sync()
    day = (today() + timedelta(days=9)).isoformat()
    of_credit = [{"credit_id": answer.json()["id"], "bill_id": bills[1], "amount": "30.00"}]
    shares = {bills[0]: "125.00", bills[1]: "0.00"}
    payment = await paid_together(api, shares, credits=of_credit, pay_on=day, reference="RUN-7")
    no = await api.post(f"{credit}/delete", {"reason": "withdrawn"}, role="accountant")
    problem = refused(no, 409, "CREDIT_IS_APPLIED")
    assert problem["detail"] == "Payment RUN-7 takes of it."
    assert [one["number"] for one in company.held(kind)] == ["CM-9"]
    assert (await api.post(f"/v1/payments/{payment}/abandon", {"reason": "not yet"})).status_code == 200
    gone = await api.post(f"{credit}/delete", {"reason": "withdrawn"}, role="accountant")
    assert gone.status_code == 200, gone.text
    await becomes("deleted")
    assert company.held(kind) == []


async def a_hundred_bills_in_one_payment(api: StackClient, company: SandboxCompany, *, write: str) -> None:
    """Pay a hundred bills that were made in the ERP at once: by one `write` there, and one short workflow here."""
    company.order("PO-1", "10")
    await api.start()
    common = {
        "vendor_id": "V-1",
        "invoice_date": today().isoformat(),
        "amount": "10.00",
        "entity": company.set_up.entity,
    }
    company.load(bills=[{"invoice_number": f"INV-{number:03}", **common} for number in range(1, 101)])

    async def all_in() -> list[str]:
        await api.sync()  # NetSuite's searches show a change of this very second with the next run only
        shown = [bill["id"] for bill in await api.items("/v1/bills")]
        return shown if len(shown) == 100 else []

    bills = await api.until(all_in, "all bills here")
    company.forget_calls()
    payment = await paid_together(api, dict.fromkeys(bills, "10.00"))
    await api.payment_is(payment, "paid")
    assert company.calls()["by_operation"][write] == 1
    (sent,) = company.held("payments")
    assert (Decimal(sent["amount"]), len(sent["details"])) == (1000, 100)
    history = await api.temporal.get_workflow_handle(f"payment/{payment}").fetch_history()
    assert len(history.events) <= 60
    assert {bill["status"] for bill in await api.items("/v1/bills")} == {"paid"}
