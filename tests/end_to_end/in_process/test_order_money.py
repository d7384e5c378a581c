"""The money on an order: billed, paid, scheduled, owed and outstanding, from the books and from here."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts


async def money_of(api: StackClient, number: str) -> dict[str, Any]:
    order = await api.order(number)
    shown: dict[str, Any] = await api.get(f"/v1/purchase-orders/{order['id']}/money")
    return shown


async def test_what_is_billed_paid_scheduled_and_owed_on_an_order(api: StackClient, company: SandboxCompany) -> None:
    """S4-10, S4-13, U-10: per line and in total, quantity and money; a credit lowers what is billed and owed."""
    company.order("PO-1", "10", "4")
    await api.start(mode="two_way")
    bill = await api.billed("PO-1", {1: "8"})
    company.does("pay_bill", record_no=bill["payable_id"], amount="30", document_number="CHK-1")
    await api.sync()
    body = {"amount": "20.00", "pay_on": (today() + timedelta(days=9)).isoformat()}
    scheduled = await api.post(f"/v1/bills/{bill['id']}/payments", body, role="accountant")
    assert scheduled.status_code in (201, 202), scheduled.text

    names = ("ordered", "billed", "paid", "scheduled", "outstanding", "owed")
    money = await money_of(api, "PO-1")
    first, second = money["lines"]
    assert amounts(first["money"], *names) == (125, 100, 30, 20, 25, 70)
    assert amounts(second["money"], *names) == (50, 0, 0, 0, 50, 0)
    assert amounts(money["whole"], *names) == (175, 100, 30, 20, 75, 70)
    assert Decimal(first["billed_quantity"]) == 8
    assert (first["money"]["billed_percent"], money["whole"]["billed_percent"]) == ("80.0", "57.1")
    assert money["notices"] == []

    line = {"account": "6000", "amount": "25.00", "order_line_no": 1, "quantity": "2"}
    credit = {"bill_id": bill["id"], "number": "CM-1", "credit_date": today().isoformat(), "lines": [line]}
    answer = await api.post("/v1/credits", credit, role="clerk")
    assert answer.status_code == 201, answer.text

    async def is_there() -> bool:
        return bool((await api.get(f"/v1/credits/{answer.json()['id']}"))["status"] == "open")

    await api.until(is_there, "the credit in the ERP")
    money = await money_of(api, "PO-1")
    assert amounts(money["lines"][0]["money"], *names) == (125, 75, 30, 20, 50, 45)
    assert amounts(money["whole"], "billed", "credited", "owed") == (75, 25, 45)


async def test_what_was_not_billed_when_an_order_was_closed_is_cancelled(
    api: StackClient, company: SandboxCompany
) -> None:
    """3.1 X: O - billed at that moment; a credit that comes later leaves it, a lower quantity is a new O, and reopened
    nothing is cancelled."""
    company.order("PO-1", "10", "4")
    await api.start(mode="two_way")
    bill = await api.billed("PO-1", {1: "7"})
    figures = ("ordered", "cancelled", "billed", "outstanding")
    assert amounts((await money_of(api, "PO-1"))["whole"], *figures) == (175, 0, 87.5, 87.5)
    company.does("set_state", number="PO-1", state="Closed")
    await api.sync()
    money = await money_of(api, "PO-1")
    assert [Decimal(line["cancelled_quantity"]) for line in money["lines"]] == [3, 4]
    assert amounts(money["whole"], *figures) == (87.5, 87.5, 87.5, 0)
    assert money["lines"][0]["money"]["billed_percent"] == "100.0"
    assert [amounts(line, "cancelled", "remaining") for line in (await api.order("PO-1"))["lines"]] == [(3, 0), (4, 0)]

    line = {"account": "6000", "amount": "25.00", "order_line_no": 1, "quantity": "2"}
    credit = {"bill_id": bill["id"], "number": "CM-1", "credit_date": today().isoformat(), "lines": [line]}
    answer = await api.post("/v1/credits", credit, role="clerk")
    assert answer.status_code == 201, answer.text

    async def is_there() -> bool:
        return bool((await api.get(f"/v1/credits/{answer.json()['id']}"))["status"] == "open")

    await api.until(is_there, "the credit in the ERP")
    first = (await money_of(api, "PO-1"))["lines"][0]
    assert amounts(first, "cancelled_quantity", "outstanding_quantity") == (3, 2)
    assert first["money"]["billed_percent"] == "71.4"

    company.does("set_state", number="PO-1", state="Partially Converted")
    await api.sync()
    money = await money_of(api, "PO-1")
    assert [Decimal(line["cancelled_quantity"]) for line in money["lines"]] == [0, 0]
    assert amounts(money["whole"], "ordered", "cancelled") == (175, 0)


async def test_an_order_closed_without_its_bill_says_so(api: StackClient, company: SandboxCompany) -> None:
    """U-16: closed there with less billed than received by our own sum."""
    company.order("PO-2", "10")
    company.does("receive", number="PO-2")
    await api.start(mode="three_way")
    assert (await money_of(api, "PO-2"))["notices"] == []
    company.does("set_state", number="PO-2", state="Closed")
    await api.sync()
    money = await money_of(api, "PO-2")
    assert money["status"] == "closed"
    assert money["notices"] == ["CLOSED_UNBILLED"]
    assert amounts(money["whole"], "received", "billed", "ordered", "cancelled") == (125, 0, 0, 125)
