"""The worked examples of credits and receipts, each by its id, from the API to NetSuite's books."""

from decimal import Decimal
from typing import Any

from tests.harness.entered_credits import a_credit, entered
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts, refused


async def line_of(api: StackClient, number: str, *names: str) -> tuple[Decimal, ...]:
    line: dict[str, Any] = (await api.order(number))["lines"][0]
    return amounts(line, *names)


async def grni(api: StackClient) -> dict[str, tuple[Decimal, ...]]:
    """What is received and not billed, and the other way round, in money, by order."""
    report = await api.get("/v1/reports/grni", connection=api.connection_id, limit="200")
    return {row["purchase_order_number"]: amounts(row, "accrual", "prepaid") for row in report["items"]}


async def billed_in_advance(api: StackClient, number: str, quantity: str) -> Any:
    """Bill goods that did not come yet, and acknowledge it; the bill, once NetSuite holds it."""
    bill_id = await api.bill(number, {1: quantity})
    await api.acknowledge(bill_id)
    return await api.arrived(bill_id)


async def test_short_shared_over_and_under_received(api: StackClient, company: SandboxCompany) -> None:
    """R04: 10 billed, 9 come, 1 is credited: settled. R05: bills of 25 and 5 share one receipt of 30. R08: 12 of 10
    came, then the second receipt is cancelled. R10: 5 of 10 at 100.00 came and 3 are billed: 200.00 uninvoiced; a bill
    of NetSuite's own brings it to 20: 1,000.00 over, and nothing more is billed."""
    company.switch(bill_in_advance=True, allow_overage=True, over_billing="accept")
    for number, quantity in (("PO-4", "10"), ("PO-5", "30"), ("PO-8", "10")):
        company.order(number, quantity)
    company.order("PO-10", "10", price="100.00")
    company.does("receive", number="PO-8", lines=[{"line": 1, "quantity": "4"}])
    company.does("receive", number="PO-8", lines=[{"line": 1, "quantity": "8"}], receipt_number="IR-8B")
    company.does("receive", number="PO-10", lines=[{"line": 1, "quantity": "5"}])
    await api.start(mode="three_way")
    short = await billed_in_advance(api, "PO-4", "10")
    await billed_in_advance(api, "PO-5", "25")
    await api.billed("PO-10", {1: "3"})
    assert await line_of(api, "PO-8", "received") == (12,)
    company.does("receive", number="PO-4", lines=[{"line": 1, "quantity": "9"}])
    company.does("receive", number="PO-5", lines=[{"line": 1, "quantity": "30"}])
    company.does("delete", kind="receipt", number="IR-8B")
    await api.sync()

    await entered(api, a_credit(short, "CM-4", {"order_line_no": 1, "quantity": "1", "amount": "12.50"}))
    await api.sync()
    assert await line_of(api, "PO-4", "received", "billed", "credited") == (9, 10, 1)
    answer = await api.enter("PO-5", {1: "5"})
    assert (answer.status_code, answer.json()["match"]["findings"]) == (201, []), answer.text
    await api.arrived(answer.json()["bill"]["id"])
    assert await line_of(api, "PO-5", "received", "billed", "pending") == (30, 30, 0)
    assert await line_of(api, "PO-8", "received") == (4,)
    assert await grni(api) == {"PO-8": (50, 0), "PO-10": (200, 0)}

    company.does("bill", number="PO-10", lines=[{"line": 1, "quantity": "17"}], invoice_number="V-17")
    await api.sync()
    assert await line_of(api, "PO-10", "ordered", "billed") == (10, 20)
    money = await api.get(f"/v1/purchase-orders/{(await api.order('PO-10'))['id']}/money")
    assert amounts(money["whole"], "ordered", "billed", "outstanding") == (1000, 2000, -1000)
    refused(await api.enter("PO-10", {1: "1"}), 422, "MATCH_BLOCKED")


async def test_half_of_what_was_kept_is_billed(api: StackClient, company: SandboxCompany) -> None:
    """R07: 300 at 1.00 received, 100 and 100 billed, 100 credited, 100 sent back: 200 are kept and 100 of them billed,
    so that 100.00 are received and not billed, and no credit is expected."""
    company.order("PO-7", "300", price="1.00")
    company.does("receive", number="PO-7")
    await api.start(mode="three_way")
    bills = [await api.billed("PO-7", {1: "100"}) for _ in range(2)]
    hundred = [{"line": 1, "quantity": "100"}]
    company.does("credit_bill", number=bills[0]["number"], lines=hundred, document_number="CM-7")
    goods = company.does("authorize_return", number=bills[1]["number"], lines=hundred, document_number="VRA-7")
    company.does("fulfil_return", record_no=goods["record_no"])
    await api.sync()
    assert await line_of(api, "PO-7", "received", "billed", "credited") == (200, 200, 100)
    assert await grni(api) == {"PO-7": (100, 0)}
    (back,) = await api.items("/v1/returns")
    assert Decimal(back["expected_credit"]) == 0
