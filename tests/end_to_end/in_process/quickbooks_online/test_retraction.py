"""Bills that are taken back from QuickBooks Online, from the API to its books."""

from decimal import Decimal

import pytest

from tests.harness.quickbooks_company import connect
from tests.harness.stack_client import StackClient, refused
from tests.harness.variants import first_of


@pytest.mark.parametrize("reopening", first_of("automatic", "never"))
async def test_a_deleted_bill_frees_its_order_and_is_made_anew(api: StackClient, reopening: str) -> None:
    """S5-07, S5-08: gone once, also when the answer is lost; the order's link is free. An order that QuickBooks leaves
    closed holds the restored bill until a person opens it there."""
    company = api.company
    company.order("PO-1")
    company.switch(reopening=reopening)
    await connect(api)
    quantities = {line["line_no"]: line["quantity"] for line in (await api.order("PO-1"))["lines"]}
    bill = await api.billed("PO-1", quantities)
    assert company.one("purchase_orders", number="PO-1")["state"] == "Closed"
    (plan,) = [one for one in bill["actions"] if one["action"] == "delete"]
    assert (plan["possible"], plan["way"], plan["dated"], plan["frees_quantity"]) == (True, "delete", None, True)
    company.breaks("lost_answer", "delete", object="Bill")
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "withdrawn"})).status_code == 200
    await api.bill_is(bill["id"], "deleted")
    assert company.fired("lost_answer") == 1
    assert company.held("bills") == []
    held = company.one("purchase_orders", number="PO-1")
    assert {Decimal(line["received"] or 0) for line in held["lines"]} == {0}
    assert {Decimal(line["billed"]) for line in (await api.order("PO-1"))["lines"]} == {0}
    restored = await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "sent again"})
    assert restored.status_code == 200, restored.text
    if reopening == "never":
        assert restored.json()["status"] == "on_hold"
        company.does("reopen", number="PO-1")
        await api.sync()
    anew = await api.arrived(bill["id"])
    assert anew["generation"] == 2
    (there,) = company.held("bills")
    assert {line["po_number"] for line in there["lines"]} == {"PO-1"}
    await api.sync()
    assert len(await api.items("/v1/bills")) == 1
    assert await api.issues() == []


async def test_a_bill_that_is_paid_there_meanwhile_stays(api: StackClient) -> None:
    """S5-07: QuickBooks would delete it under its payment; we look first."""
    company = api.company
    company.order("PO-1")
    await connect(api)
    bill = await api.billed("PO-1", {1: "1"})
    company.does("pay_bill", number=bill["number"], amount="1")
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "x"})).status_code == 200
    await api.issue("ALREADY_PAID")
    assert len(company.held("bills")) == 1
    await api.sync()
    paid = await api.read_bill(bill["id"])
    assert (paid["status"], len(company.held("bills"))) == ("retracting", 1)
    (issue,) = await api.issues()
    await api.settle(issue, "abandon")
    await api.bill_is(bill["id"], "partially_paid")
    refused(await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "x"}), 409, "BILL_HAS_PAYMENTS")
