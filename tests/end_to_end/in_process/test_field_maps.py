"""The seed's tables field by field, from the API to Intacct's books: vendor invoices, receivers, units, the sender."""

from datetime import timedelta
from decimal import Decimal

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, credentials

RECEIVERS = {
    "Draft": "active",
    "Pending": "active",
    "In Progress": "active",
    "Partially Converted": "active",
    "Closed": "closed",
    "Converted": "closed",
    "Declined": "deleted",
}


async def test_a_vendor_invoice_has_every_field_of_the_map(api: StackClient, company: SandboxCompany) -> None:
    """S5-137..145, S5-147..151, S5-153..157: header and lines of the document that a matched bill becomes."""
    company.order("PO-1")
    await api.start()
    due = today() + timedelta(days=20)
    lines = [{"order_line_no": 1, "quantity": "3", "amount": "40.00"}, {"order_line_no": 2, "quantity": "5"}]
    body = {"number": "INV-7", "bill_date": today().isoformat(), "due_date": due.isoformat(), "lines": lines}
    order = await api.order("PO-1")
    answer = await api.post(f"/v1/purchase-orders/{order['id']}/bills", body)
    assert answer.status_code == 201, answer.text
    if needs := answer.json()["needs"]["acknowledge"]:
        assert needs
        await api.acknowledge(answer.json()["bill"]["id"])
    bill = await api.arrived(answer.json()["bill"]["id"])
    held = company.one("vendor_invoices", reference="PO-1")
    assert (held["date"], held["due_date"]) == (f"{today():%m/%d/%Y}", f"{due:%m/%d/%Y}")
    assert (held["definition"], held["created_from"]) == ("Vendor Invoice", "Purchase Order-PO-1")
    assert (held["vendor_id"], held["vendor_number"], held["number"]) == ("V-1", "INV-7", bill["external_key"])
    first, second = held["lines"]
    assert [(line["line_no"], line["item_id"]) for line in (first, second)] == [(1, "ITEM-1"), (2, "ITEM-2")]
    assert (Decimal(first["quantity"]), Decimal(first["amount"])) == (3, Decimal("40.00"))
    assert abs(Decimal(first["price"]) - Decimal(40) / 3) < Decimal("1e-8")
    assert Decimal(second["price"]) == Decimal("12.50")
    for line, ordered in zip((first, second), order["lines"], strict=True):
        assert (line["unit"], line["vendor"], line["billable"]) == (ordered["unit"], "V-1", "false")
    # Nothing is taxed: the total is the lines'.
    assert Decimal(held["total"]) == Decimal("102.50")


async def test_receivers_of_every_state_come_in(api: StackClient, company: SandboxCompany) -> None:
    """S5-127..135: the order line that each line is of, the entity, and what the state in Intacct means."""
    for number, state in enumerate(RECEIVERS, start=1):
        company.order(f"PO-{number}")
        part = [{"line": 1, "quantity": "2"}]
        company.does("receive", number=f"PO-{number}", receipt_number=f"R-{number}", lines=part)
        company.does("set_state", number=f"R-{number}", definition="PO Receiver", state=state)
    await api.start(mode="three_way")
    shown: dict[str, str] = {}
    for order in await api.items("/v1/purchase-orders"):
        whole = await api.get(f"/v1/purchase-orders/{order['id']}")
        for receipt in (await api.get(f"/v1/purchase-orders/{order['id']}/receipts"))["items"]:
            shown[receipt["erp_status"]] = receipt["status"]
            if receipt["status"] == "deleted":
                continue
            assert receipt["entity"] == "100"
            assert [line["order_line_id"] for line in receipt["lines"]] == [whole["lines"][0]["order_line_id"]]
    there = {state: status for state, status in RECEIVERS.items() if status != "deleted"}
    assert {state: status for state, status in shown.items() if status != "deleted"} == there
    assert shown.get("Declined", "deleted") == "deleted"


async def test_units_that_share_a_name_are_told(api: StackClient, company: SandboxCompany) -> None:
    """S5-14: units come in; two of one group with the same name are an issue that names both."""
    units = (("Each", "1"), ("Case", "12"), ("case", "10"))
    company.load(units=[{"unit_group": "Paper", "unit": unit, "factor": factor} for unit, factor in units])
    await api.connect()
    path = f"/v1/connections/{api.connection_id}/lists/unit"
    assert {"Case", "case", "Each"} <= {one["name"] for one in await api.items(path)}
    issue = await api.issue("UNITS_NOT_UNIQUE")
    assert "case of Paper" in str(issue)


async def test_a_company_that_refuses_the_sender_says_where_to_let_it_in(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-24: nothing is connected, and the way to the setting is told."""
    body = {
        "erp": "intacct",
        "name": "Acme",
        "credentials": credentials(company, sender_password="wrong"),
        "entity": "100",
        "endpoint": company.url + company.set_up.path,
        "settings": {"allow_loopback": True},
    }
    answer = await api.post("/v1/connections", body)
    assert 400 <= answer.status_code < 500, answer.text
    assert "AUTH_BAD_SENDER" in answer.text
    assert answer.json()["fix"]
    assert (await api.get("/v1/connections"))["items"] == []
