"""What the rules of quantities warn of, from the API to NetSuite's books."""

from decimal import Decimal

import pytest

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, ledger, refused


@pytest.mark.parametrize(
    ("received", "before", "quantity"),
    [("4", "", "6"), ("4", "", "10"), ("6", "4", "3"), ("6", "4", "6")],
    ids=["Q07", "Q08", "Q16", "Q17"],
)
async def test_billed_ahead_of_the_receipt_is_warned_of_and_reaches_the_books(
    api: StackClient, company: SandboxCompany, received: str, before: str, quantity: str
) -> None:
    """Q07, Q08, Q16, Q17: where bills in advance of the receipt are on, one vendor bill of all of it, linked to the
    order's line, once a person has acknowledged it."""
    company.switch(bill_in_advance=True)
    company.order("PO-1", "10")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": received}])
    await api.start(mode="three_way")
    if before:
        await api.billed("PO-1", {1: before})
    earlier = len(company.held("bills"))
    answer = await api.enter("PO-1", {1: quantity}, number="INV-Q")
    assert [one["code"] for one in answer.json()["match"]["findings"]] == ["BILLED_BEYOND_RECEIVED"], answer.text
    bill_id = answer.json()["bill"]["id"]
    assert len(company.held("bills")) == earlier
    await api.acknowledge(bill_id)
    bill = await api.arrived(bill_id)
    (new,) = [one for one in company.held("bills") if one["number"] == "INV-Q"]
    assert Decimal(new["total"]) == Decimal(bill["total"]) == Decimal("12.5") * int(quantity)
    all_of_it = int(before or 0) + int(quantity)
    assert ledger(await api.order("PO-1")) == (10, int(received), all_of_it, 0)
    refused(await api.enter("PO-1", {1: str(11 - all_of_it)}), 422, "MATCH_BLOCKED")
    assert await api.issues() == []
