"""Bills that are taken back from NetSuite, from the API to its books."""

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts, ledger


async def test_a_deleted_bill_is_made_anew_and_a_closed_period_waits_for_a_person(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-07, S5-08: gone once, made anew under a new key; what closed books refuse is taken back once they open."""
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "10"})
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "withdrawn"})).status_code == 200
    await api.bill_is(bill["id"], "deleted")
    assert company.held("bills") == []
    assert ledger(await api.order("PO-1")) == amounts({"o": "10", "r": "10", "e": "0", "p": "0"}, *"orep")
    assert (await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "sent again"})).status_code == 200
    anew = await api.arrived(bill["id"])
    assert [one["external_id"] for one in company.held("bills")] == [anew["external_key"]]
    await api.sync()
    assert len(await api.items("/v1/bills")) == 1
    company.does("close_period", through=anew["posting_date"])
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "x"})).status_code == 200
    issue = await api.issue("PERIOD_CLOSED")
    assert (await api.read_bill(bill["id"]))["status"] == "retracting"
    company.does("open_period", through=anew["posting_date"])
    await api.settle(issue, "retry")
    await api.bill_is(bill["id"], "deleted")
    assert company.held("bills") == []
