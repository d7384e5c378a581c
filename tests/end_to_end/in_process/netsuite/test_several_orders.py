"""One bill over two orders, on the whole stack: each order shows its own part, and nothing stays reserved."""

from decimal import Decimal

from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    StackClient,
)


async def test_one_bill_over_two_orders_is_one_document_and_counts_on_both(
    api: StackClient, company: SandboxCompany
) -> None:
    """Rules 3.6, S4-65..67: matched and reserved order by order; both double syncs end."""
    company.order("PO-1", "10")
    company.order("PO-2", "6")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "10"}])
    company.does("receive", number="PO-2", lines=[{"line": 1, "quantity": "6"}])
    await api.start(mode="three_way")
    other = await api.order("PO-2")
    lines = [
        {"order_line_no": 1, "quantity": "10"},
        {"purchase_order_id": other["id"], "order_line_no": 1, "quantity": "6"},
    ]
    bill_id = await api.bill("PO-1", {}, lines=lines)
    bill = await api.arrived(bill_id)
    assert len(company.held("bills")) == 1
    assert Decimal(bill["total"]) == 200
    for number, billed in (("PO-1", 10), ("PO-2", 6)):
        order = await api.order_is(number, "filled")
        assert (Decimal(order["lines"][0]["billed"]), Decimal(order["lines"][0]["pending"])) == (billed, 0)
    assert [one["id"] for one in await api.bills_of("PO-2")] == [bill_id]
    assert await api.items("/v1/sync-issues", state="open") == []
