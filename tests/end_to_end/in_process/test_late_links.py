"""Bills and credits that people typed into Intacct with an order's number in the reference find that order."""

from typing import Any

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient


def bill(company: SandboxCompany, number: str, amount: str, reference: str, **more: Any) -> None:
    """Somebody types a bill into accounts payable."""
    values = {"vendor_id": "V-1", "entity": "100", **more}
    company.does("add_bill", number=number, amount=amount, po_number=reference, **values)


def memo(company: SandboxCompany, number: str, amount: str, reference: str, **more: Any) -> None:
    """Somebody types an adjustment: a debit memo, or with `raises` one that raises what is owed."""
    values = {"vendor_id": "V-1", "entity": "100", "reference": reference, **more}
    company.does("add_adjustment", number=number, amount=amount, **values)


async def orders_of(api: StackClient) -> dict[str, str | None]:
    """The order that each bill, credit and adjustment is on, by its number."""
    orders = {one["id"]: one["number"] for one in await api.items("/v1/purchase-orders")}
    documents = [*await api.items("/v1/bills"), *await api.items("/v1/credits")]
    documents += await api.items("/v1/credits", kind="adjustment")
    return {one["number"]: orders.get(one["purchase_order_id"] or "") for one in documents}


async def test_the_feature_is_switched_on_later(api: StackClient, company: SandboxCompany) -> None:
    """S4-71: what came in without orders is linked once there are some, what the ERP itself links included."""
    company.order("PO-1", "10")
    company.order("PO-2", "10")
    await api.start(purchase_orders=False)
    bill(company, "S-1", "100.00", "PO-1")
    memo(company, "CM-1", "12.50", "PO-1")
    lines = [{"line": "1", "quantity": "4"}]
    company.does("convert_to_vendor_invoice", number="PO-2", invoice_number="S-2", lines=lines)
    await api.sync()
    assert set((await orders_of(api)).values()) == {None}
    await api.match("two_way")
    await api.sync()
    assert await orders_of(api) == {"S-1": "PO-1", "CM-1": "PO-1", "S-2": "PO-2"}
    assert await api.issues() == []
