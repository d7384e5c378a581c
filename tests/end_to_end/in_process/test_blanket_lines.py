"""Lines that are billed by their amount, and limits of blanket lines, from Intacct's order to the refusal."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, refused


def order_a_service(company: SandboxCompany) -> None:
    """PO-1: line 1 a service of 12,000 that converts by price, line 2 one that converts by quantity."""
    items = [{"item_id": f"ITEM-{no}", "name": f"Service {no}", "item_type": "Non-Inventory"} for no in (1, 2)]
    company.load(items=items)
    company.does("edit_master", object="ITEM", key="ITEM-1", fields={"DEFAULT_CONVERSIONTYPE": "Price"})
    company.order("PO-1", "1", "1", price="12000.00")


async def test_a_line_that_converts_by_price_is_billed_by_value(api: StackClient, company: SandboxCompany) -> None:
    """A01, A02: 5,000 and 7,000 of 12,000, then nothing more; the other line is billed by quantity, and says so."""
    order_a_service(company)
    await api.start()
    assert [line["basis"] for line in (await api.order("PO-1"))["lines"]] == ["amount", "quantity"]

    async def bill(amount: str, line_no: int = 1) -> object:
        return await api.enter("PO-1", {}, lines=[{"order_line_no": line_no, "amount": amount}])

    first = await bill("5000.00")
    assert first.status_code == 201, first.text
    await api.arrived(first.json()["bill"]["id"])
    problem = refused(await bill("7000.01"), 422, "MATCH_BLOCKED")
    assert "7,000" in problem["detail"].replace("7000", "7,000")
    second = await bill("7000.00")
    await api.arrived(second.json()["bill"]["id"])
    (by_value, _) = company.one("purchase_orders", number="PO-1")["lines"]
    assert (Decimal(by_value["converted_amount"]), Decimal(by_value["converted"])) == (12000, 1)
    assert [Decimal(one["total"]) for one in company.held("vendor_invoices")] == [5000, 7000]
    by_quantity = refused(await bill("5000.00", 2), 422, "MATCH_BLOCKED")
    assert "billed by quantity" in by_quantity["detail"]
    assert await api.issues() == []


async def test_what_was_received_of_it_is_not_billed_yet(api: StackClient, company: SandboxCompany) -> None:
    """A03, 3-way: 4,000 of 12,000 received, nothing billed: 5,000 is warned of by 1,000, 4,000 fits."""
    company.load(items=[{"item_id": "ITEM-1", "name": "Service", "item_type": "Non-Inventory"}])
    company.does("edit_master", object="ITEM", key="ITEM-1", fields={"DEFAULT_CONVERSIONTYPE": "Price"})
    company.order("PO-1", "3", price="4000.00")
    await api.start(mode="three_way")
    company.does("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "1"}])
    await api.sync()
    (line,) = (await api.order("PO-1"))["lines"]
    assert (line["basis"], Decimal(line["received"]), Decimal(line["billed"])) == ("amount", 1, 0)
    assert Decimal(line["unbilled_received"]) == 4000
    order = await api.order("PO-1")
    body = {"number": "INV-T", "bill_date": today().isoformat()}
    path = f"/v1/purchase-orders/{order['id']}/match"
    fits = await api.post(path, {**body, "lines": [{"order_line_no": 1, "amount": "4000.00"}]})
    assert fits.json()["outcome"] == "OK", fits.text
    beyond = await api.post(path, {**body, "lines": [{"order_line_no": 1, "amount": "5000.00"}]})
    assert beyond.json()["outcome"] == "WARN", beyond.text
    (finding,) = beyond.json()["match"]["findings"]
    assert (finding["code"], Decimal(finding["margin"])) == ("BILLED_BEYOND_RECEIVED", -1000)
    bill = await api.enter("PO-1", {}, lines=[{"order_line_no": 1, "amount": "4000.00"}])
    await api.arrived(bill.json()["bill"]["id"])
    (line,) = (await api.order("PO-1"))["lines"]
    assert (Decimal(line["billed"]), Decimal(line["unbilled_received"])) == (4000, 0)


async def test_end_and_cap_refuse_what_is_beyond_them(api: StackClient, company: SandboxCompany) -> None:
    """A blanket line with an end and a cap per release: held beyond either, and taken within both."""
    order_a_service(company)
    await api.start()
    order = await api.order("PO-1")
    path = f"/v1/purchase-orders/{order['id']}/lines/{order['lines'][0]['order_line_id']}/limits"
    limits = {"ends_on": (today() - timedelta(days=1)).isoformat(), "release_cap": "1000.00"}
    assert (await api.put(path, limits)).status_code == 200
    lines = [{"order_line_no": 1, "amount": "1000.01"}]
    held = await api.enter("PO-1", {}, lines=lines)
    assert {one["code"] for one in held.json()["needs"]["release"]} == {"BLANKET_ENDED", "RELEASE_CAP"}, held.text
    assert company.held("vendor_invoices") == []
    assert (await api.put(path, {"ends_on": today().isoformat(), "release_cap": "1000.01"})).status_code == 200
    await api.arrived(held.json()["bill"]["id"])


async def test_a_tolerance_counts_in_money_on_a_line_billed_by_value(api: StackClient, company: SandboxCompany) -> None:
    """A04, A05: with 2 % the most is 12,240, to the cent; a quantity of a half is 6,000."""
    order_a_service(company)
    await api.start()

    async def tried(**line: str) -> dict[str, Any]:
        order = await api.order("PO-1")
        body = {"number": "INV-T", "bill_date": today().isoformat(), "lines": [{"order_line_no": 1, **line}]}
        answer = await api.post(f"/v1/purchase-orders/{order['id']}/match", body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    half = await tried(quantity="0.5", price="12000.00")
    assert half["outcome"] == "OK", half
    assert half["match"]["inputs"]["bill"]["lines"][0]["amount"] in ("6000", "6000.00", "6000.000")
    first = await api.enter("PO-1", {}, lines=[{"order_line_no": 1, "amount": "5000.00"}])
    await api.arrived(first.json()["bill"]["id"])
    policy = {
        "scope": {"connection_id": api.connection_id},
        "checks": {"qty": {"block": {"pct": "2", "abs": "unlimited"}}},
    }
    assert (await api.post("/v1/tolerance-policies", policy, role="accountant")).status_code == 201
    assert (await tried(amount="7240.00"))["outcome"] != "BLOCK"
    beyond = refused(
        await api.enter("PO-1", {}, lines=[{"order_line_no": 1, "amount": "7240.01"}]), 422, "MATCH_BLOCKED"
    )
    assert "7240" in beyond["detail"].replace(",", "")
    within = await api.enter("PO-1", {}, lines=[{"order_line_no": 1, "amount": "7240.00"}])
    assert within.status_code == 201, within.text
