"""A payment with fees, whatever the ERP: net 990, payment 993, and credits of 3 and 4 make 1,000."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, refused

FEES = [
    {"kind": "transaction_fee", "amount": "3.00", "account": "6000"},
    {"kind": "payment_service_fee", "amount": "2.00"},
    {"kind": "withholding", "amount": "4.00", "account": "6000"},
    {"kind": "exchange_fee", "amount": "1.00"},
]


async def a_bill_of_1000(api: StackClient, company: SandboxCompany) -> dict[str, Any]:
    company.order("PO-1", "80")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "80"}])
    await api.start(mode="three_way")
    bill: dict[str, Any] = await api.billed("PO-1", {1: "80"})
    assert Decimal(bill["total"]) == 1000
    return bill


def asked(bill: dict[str, Any], **changes: Any) -> dict[str, Any]:
    shares = [{"bill_id": bill["id"], "amount": "993.00"}]
    return {"bills": shares, "pay_on": today().isoformat(), "net": "990.00", "fees": FEES, **changes}


async def refuses_what_does_not_add_up(api: StackClient, bill: dict[str, Any]) -> None:
    """Nothing of a refused payment is saved, no credit of a fee either."""
    for changes in (
        {"net": "991.00"},
        {"net": None},
        {"fees": FEES[:2]},
        {"fees": [*FEES, {"kind": "withholding", "amount": "0.01", "account": "6000"}]},
        {"bills": [{"bill_id": bill["id"], "amount": "990.00"}]},
    ):
        refused(await api.post("/v1/payments", asked(bill, **changes)), 422, "FEES_DO_NOT_ADD_UP")
    assert (await api.items("/v1/payments"), await api.items("/v1/credits")) == ([], [])


async def paid_with_fees(api: StackClient, bill: dict[str, Any], *, others: int = 0) -> dict[str, Any]:
    """Pay the bill, and wait until the payment is made and both credits are applied, beside `others` deleted ones."""
    answer = await api.post("/v1/payments", asked(bill))
    assert answer.status_code == 201, answer.text
    payment: dict[str, Any] = answer.json()["payment"]
    assert amounts(payment, "amount", "net") == (993, 990)
    assert [(fee["kind"], Decimal(fee["amount"])) for fee in payment["fees"]] == [
        (fee["kind"], Decimal(fee["amount"])) for fee in FEES
    ]
    # The credits of the fees reserve their part from the start: no other payment takes it.
    more = {"bills": [{"bill_id": bill["id"], "amount": "0.01"}], "pay_on": today().isoformat()}
    refused(await api.post("/v1/payments", more), 422, "OVERPAYMENT")
    await api.payment_is(payment["id"], "paid")

    async def all_applied() -> bool:
        credits = [one for one in await api.items("/v1/credits") if one["status"] != "deleted"]
        shown = [await api.get(f"/v1/credits/{one['id']}") for one in credits]
        return len(shown) == 2 and all(
            [one["status"] for one in credit["applications"]] == ["applied"] for credit in shown
        )

    await api.until(all_applied, "both credits applied")
    await api.sync()
    credits = await api.items("/v1/credits", bill=bill["id"], sort="total")
    assert len(credits) == 2 + others
    credits = [one for one in credits if one["status"] != "deleted"]
    assert [amounts(one, "total", "applied", "open") for one in credits] == [(3, 3, 0), (4, 4, 0)]
    assert amounts(await api.bill_is(bill["id"], "paid"), "total", "paid", "due") == (1000, 1000, 0)
    assert await api.issues() == []
    return payment


async def credits_of_fees_go_with_their_payment(
    api: StackClient, company: SandboxCompany, kind: str, voided_there: Callable[[Mapping[str, Any]], object]
) -> None:
    """Abandoned before its day, and voided when it was made, here or there: its credits are unapplied and deleted, and
    the bill owes what it did; `kind`: what the sandbox calls credits."""
    bill = await a_bill_of_1000(api, company)

    async def all_gone() -> bool:
        return not company.held(kind) and not await api.items("/v1/credits", open="true")

    async def both_applied() -> bool:
        await api.sync()
        credits = [one for one in await api.items("/v1/credits", bill=bill["id"]) if one["status"] != "deleted"]
        return [one["status"] for one in credits] == ["applied", "applied"]

    later = asked(bill, pay_on=(today() + timedelta(days=9)).isoformat())
    answer = await api.post("/v1/payments", later)
    assert answer.status_code == 201, answer.text
    payment = answer.json()["payment"]["id"]
    await api.until(both_applied, "both credits applied")
    assert (await api.post(f"/v1/payments/{payment}/abandon", {"reason": "too early"})).status_code == 200
    await api.until(all_gone, "the abandoned payment's credits gone")
    assert {one["status"] for one in await api.items("/v1/credits")} == {"deleted"}
    assert amounts(await api.read_bill(bill["id"]), "total", "paid", "due", "reserved") == (1000, 0, 1000, 0)

    async def nothing_is_kept(payment_id: str) -> None:
        await api.payment_is(payment_id, "voided")
        await api.until(all_gone, "the voided payment's credits gone")
        await api.sync()
        (there,) = company.held("bills")
        assert (Decimal(there["paid"]), Decimal(there["due"])) == (0, 1000)
        assert amounts(await api.read_bill(bill["id"]), "total", "paid", "due", "reserved") == (1000, 0, 1000, 0)
        assert {one["status"] for one in await api.items("/v1/credits")} == {"deleted"}
        await api.bill_is(bill["id"], "synced")
        assert await api.issues() == []

    payment = (await paid_with_fees(api, bill, others=2))["id"]
    assert (await api.post(f"/v1/payments/{payment}/void", {"reason": "twice"})).status_code == 200
    await nothing_is_kept(payment)

    payment = (await paid_with_fees(api, bill, others=4))["id"]
    voided_there(await api.get(f"/v1/payments/{payment}"))
    await api.sync()
    await nothing_is_kept(payment)
