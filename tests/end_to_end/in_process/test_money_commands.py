"""The money from the command line against the whole product: credits, payments over bills and credits, voids."""

from functools import partial

from tests.end_to_end.in_process.payment_of_bills import three_bills
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient
from tests.harness.typed_commands import Typed


async def test_a_day_of_money_is_typed(api: StackClient, company: SandboxCompany, typed: Typed) -> None:
    """S4-25, S4-26, S5-69..71: everything by the numbers that people know."""
    bills = await three_bills(api, company)
    first, second, third = [(await api.read_bill(bill))["number"] for bill in bills]
    say = partial(typed, role="accountant")

    async def credit_is(status: str) -> None:
        async def so() -> bool:
            (credit,) = await api.items("/v1/credits", number="CM-1")
            return bool(credit["status"] == status)

        await api.until(so, f"a credit that is {status}")

    assert "CM-1 · 40.00 USD" in await say("credits", "enter", "CM-1", "--bill", second, "--line", "6000=40.00")
    await credit_is("open")
    applied = await say("credits", "apply", "CM-1", "--bill", f"{third}=10.00", "--why", "as agreed")
    assert "10.00 of CM-1: applying" in applied
    await credit_is("partially_applied")
    assert "CM-1" in await say("credits", "list", "--open", "--sort", "-open")

    paying = await say("payments", "pay", first, second, f"{third}=25.00", "--credit", "CM-1", "--reference", "CHK-7")
    assert "245.00 USD" in paying
    assert "and 30.00 of credits" in paying
    (payment,) = await api.items("/v1/payments", reference="CHK-7")
    await api.payment_is(payment["id"], "paid")
    shown = await say("payments", "show", "CHK-7")
    for words in ("245.00 USD to", "reference CHK-7", second, "30.00", "CM-1"):
        assert words in shown, shown
    assert payment["id"] in await say("payments", "list", "--vendor", "V-1", "--sort", "-amount")
    await credit_is("applied")
    credit = await say("credits", "show", "CM-1")
    assert f"applied to {second}: 30.00" in credit
    assert f"applied to {third}: 10.00" in credit

    assert "voiding" in await say("payments", "void", "CHK-7", "--why", "paid twice")
    await api.payment_is(payment["id"], "voided")
    assert "unapplying" in await say("credits", "unapply", "CM-1", "--why", "the wrong bill")
    await credit_is("open")
    assert "There is no such return." in await say("returns", "list", "--open")
    assert {bill["status"] for bill in await api.items("/v1/bills", vendor="V-1")} == {"synced"}
    assert "retracting" in await say("credits", "delete", "CM-1", "--why", "withdrawn")
    await credit_is("deleted")
