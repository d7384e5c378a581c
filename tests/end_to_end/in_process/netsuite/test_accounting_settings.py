"""The accounting settings, up to NetSuite's books."""

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused


async def test_bills_carry_the_dimensions_that_the_account_uses(api: StackClient, company: SandboxCompany) -> None:
    """S2-42, S2-43, S2-44, S1-27: what bills do not carry is not taken from the order and not sent, and a line that
    names it is refused; switched on again, it goes out."""
    company.order("PO-1", lines={1: {"department": "SALES"}})
    company.does("receive", number="PO-1")
    await api.start()
    path = f"/v1/connections/{api.connection_id}/accounting-settings"

    async def in_the_books(quantity: str) -> str | None:
        bill = await api.billed("PO-1", {1: quantity})
        (held,) = [one for one in company.held("bills") if one["number"] == bill["number"]]
        department: str | None = held["lines"][0]["department"]
        return department

    assert await in_the_books("1") == "SALES"
    answer = await api.put(path, {"dimensions": {"department": False}})
    assert [one["dimension"] for one in answer.json()["dimensions"] if not one["carried"]] == ["department"]
    assert not await in_the_books("2")
    named = {"lines": [{"order_line_no": 2, "quantity": "1", "department": "SALES-2"}]}
    problem = refused(await api.enter("PO-1", {}, **named), 422, "VALIDATION_FAILED")
    assert "not_carried" in [error["rule"] for error in problem["errors"]]
    assert (await api.put(path, {"dimensions": {"department": True}})).status_code == 200
    order = await api.order("PO-1")
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert order["lines"][0]["department"]
    assert draft["lines"][0]["department"] == order["lines"][0]["department"], (
        "the order's own coding, and not the last bill's"
    )
    assert await in_the_books("3") == "SALES"
