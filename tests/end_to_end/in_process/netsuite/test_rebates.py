"""An order line below zero on NetSuite: billed as it was ordered."""

from decimal import Decimal

from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    StackClient,
)


async def test_an_order_with_a_rebate_is_billed_as_drafted(api: StackClient, company: SandboxCompany) -> None:
    """A3: 10 x 100.00 and 1 x -25.00 come to 975.00, and the order is filled."""
    company.order("PO-1", "10", "1", lines={1: {"price": "100.00"}, 2: {"price": "-25.00"}})
    company.does("receive", number="PO-1")
    await api.start()
    order = await api.order("PO-1")
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    taken = ("order_line_no", "quantity", "price", "amount")
    lines = [{name: line[name] for name in taken} for line in draft["lines"]]
    bill = await api.billed("PO-1", {}, lines=lines, total=draft["total"])
    assert bill["total"] == "975.00"
    document = company.one("bills", external_id=bill["external_key"])
    assert Decimal(document["total"]) == 975
    await api.order_is("PO-1", "filled")
