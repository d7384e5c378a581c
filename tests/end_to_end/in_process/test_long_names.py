"""Numbers and names of any length, from Intacct through Temporal's list and back into its books."""

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient

NUMBER, VENDOR = "P" * 2047, "v" * 3000


async def test_an_order_with_a_number_and_a_vendor_of_any_length_is_billed(
    api: StackClient, company: SandboxCompany
) -> None:
    """G8: a search attribute of Temporal takes 2,048 bytes; the sync never ended, and no workflow of it started."""
    company.load(vendors=[{"vendor_id": "V-1", "name": VENDOR}])
    company.order(NUMBER, "10", vendor_name=VENDOR)
    company.order("PO-2", "10", vendor_id="V-2", vendor_name="Vendor Two")
    await api.start()
    orders = {order["number"]: order["id"] for order in await api.items("/v1/purchase-orders")}
    assert set(orders) == {NUMBER, "PO-2"}
    body = {
        "number": "INV-1",
        "bill_date": today().isoformat(),
        "lines": [{"order_line_no": 1, "quantity": "4"}],
    }
    answer = await api.post(f"/v1/purchase-orders/{orders[NUMBER]}/bills", body, role="clerk")
    assert answer.status_code == 201, answer.text
    await api.arrived(answer.json()["bill"]["id"])
    (invoice,) = company.held("vendor_invoices")
    assert invoice["reference"] == NUMBER
    assert await api.issues() == []
