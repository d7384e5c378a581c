"""A NetSuite bill names its orders by its lines, and has no field for an order number: it finds an order that comes in
after it."""

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient


async def order_of(api: StackClient, number: str) -> str | None:
    """The number of the order that a bill is on."""
    (shown,) = [one for one in await api.items("/v1/bills") if one["number"] == number]
    orders = {one["id"]: one["number"] for one in await api.items("/v1/purchase-orders")}
    return orders.get(shown["purchase_order_id"] or "")


async def test_the_feature_is_switched_on_later(api: StackClient, company: SandboxCompany) -> None:
    """S4-71: the bill and the credit that came in without orders are on their order then."""
    company.order("PO-1", "10")
    await api.start(purchase_orders=False)
    company.does("receive", number="PO-1", lines=[{"line": "1", "quantity": "4"}])
    company.does("bill", number="PO-1", invoice_number="S-1")
    await api.sync()
    assert await order_of(api, "S-1") is None
    await api.match("two_way")
    await api.sync()
    assert await order_of(api, "S-1") == "PO-1"
    assert await api.issues() == []
