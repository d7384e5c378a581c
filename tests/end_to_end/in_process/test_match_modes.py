"""Bills that go out without matching, or for a substitute, from the API to Intacct's books (features 6, 12)."""

from decimal import Decimal

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient

BOXES = {
    "items": [
        {"item_id": "ITEM-1", "name": "Paper", "unit": "Each"},
        {"item_id": "ITEM-9", "name": "Other paper", "unit": "Each"},
    ]
}


async def test_a_vendor_without_matching_and_a_substitute_reach_the_books(
    api: StackClient, company: SandboxCompany
) -> None:
    """The vendor's bills are not matched: three times the price goes out as billed, and takes its quantity. A
    substitute goes out on its order line, named in its text, once it was accepted."""
    company.load(**BOXES)
    company.order("PO-1", "10", price="5.00")
    await api.start()
    order = await api.order("PO-1")
    scope = {"connection_id": api.connection_id, "vendor_id": order["vendor_id"]}
    policy = await api.post(
        "/v1/tolerance-policies", {"scope": scope, "checks": {}, "match_mode": "none"}, role="accountant"
    )
    assert policy.status_code == 201, policy.text
    dear = await api.enter("PO-1", {}, lines=[{"order_line_no": 1, "quantity": "4", "price": "15.00"}])
    assert dear.json()["match"]["mode_set_by"] == "vendor", dear.text
    await api.arrived(dear.json()["bill"]["id"])
    line = {"order_line_no": 1, "quantity": "6", "price": "5.00", "substitute": "ITEM-9"}
    other = await api.enter("PO-1", {}, lines=[line])
    bill_id = other.json()["bill"]["id"]
    assert [one["code"] for one in other.json()["needs"]["release"]] == ["SUBSTITUTE"], other.text
    released = await api.post(f"/v1/bills/{bill_id}/release", {"reason": "as good"}, role="accountant")
    assert released.status_code == 200, released.text
    await api.arrived(bill_id)
    first, second = company.held("vendor_invoices")
    assert [Decimal(one["total"]) for one in (first, second)] == [60, 30]
    (billed,) = second["lines"]
    assert "ITEM-9 in the place of" in str(billed)
    assert (await api.order_is("PO-1", "filled"))["lines"][0]["remaining"] == "0"
