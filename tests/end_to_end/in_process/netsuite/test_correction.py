"""Bills are corrected and moved until they are sent, up to NetSuite's books."""

from decimal import Decimal

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, ledger, refused


async def test_corrected_and_moved_it_is_in_the_books_as_it_was_last(api: StackClient, company: SandboxCompany) -> None:
    """S1-24, S1-25, Q36: number, quantity, price and order, before it is sent; afterwards it is refused, and the bill
    says so before anybody starts."""
    for number in ("PO-1", "PO-2"):
        company.order(number, "10")
        company.does("receive", number=number, lines=[{"line": 1, "quantity": "10"}])
    await api.start()
    answer = await api.put(f"/v1/connections/{api.connection_id}/approvals", {"push_when": "scheduled"})
    assert answer.status_code == 200, answer.text
    bill_id = await api.bill("PO-1", {1: "6"}, number="INV-WRONG")
    bill = await api.bill_is(bill_id, "awaiting_payment")
    assert bill["editable"]["everything"] is True
    lines = [{"order_line_no": 1, "quantity": "10", "price": "12.25"}]
    body = {"number": "INV-RIGHT", "bill_date": bill["bill_date"], "lines": lines, "total": "122.50"}
    first, second = [(await api.order(number))["id"] for number in ("PO-1", "PO-2")]
    answer = await api.post(f"/v1/purchase-orders/{first}/bills/{bill_id}", body, role="clerk")
    assert (answer.status_code, answer.json()["match"]["outcome"]) == (200, "OK"), answer.text
    assert ledger(await api.order("PO-1")) == (10, 10, 0, 10)
    assert (await api.post(f"/v1/bills/{bill_id}/unlink", role="clerk")).status_code == 200
    moved = await api.post(f"/v1/purchase-orders/{second}/bills/{bill_id}", body, role="clerk")
    assert moved.status_code == 200, moved.text
    assert [ledger(await api.order(number))[3] for number in ("PO-1", "PO-2")] == [0, 10]
    await api.payment_is(await api.pay(bill_id, "22.50"), "paid")
    (there,) = company.held("bills")
    assert (there["number"], Decimal(there["total"])) == ("INV-RIGHT", Decimal("122.50"))
    assert ledger(await api.order("PO-2")) == (10, 10, 10, 0)
    assert ledger(await api.order("PO-1")) == (10, 10, 0, 0)
    now = await api.read_bill(bill_id)
    assert (now["editable"]["everything"], now["editable"]["fields"]) == (False, [])
    assert "Paid 22.50" in now["editable"]["why"]
    late = await api.post(f"/v1/purchase-orders/{second}/bills/{bill_id}", body, role="clerk")
    refused(late, 409, "EDIT_IN_ERP")
    refused(await api.post(f"/v1/bills/{bill_id}/unlink", role="clerk"), 409, "LINK_IS_FINAL")
    assert await api.issues() == []
