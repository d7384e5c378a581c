"""The set-up checks of NetSuite: its preferences are shown to no program, so people are asked."""

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused


async def test_every_check_answers(api: StackClient, company: SandboxCompany) -> None:
    """S2-02, S2-38, S4-30, S4-70: rights and accounts are proven, approvals in NetSuite are asked for; item receipts
    are seen once there is one; nothing is written."""
    company.order("PO-1")
    await api.start()
    company.forget_calls()
    answer = await api.post(f"/v1/connections/{api.connection_id}/checks")
    checks = {check["code"]: check for check in answer.json()["items"]}
    states = {code: check["state"] for code, check in checks.items()}
    assert (states["READ_RIGHTS"], states["PREFERENCES"], states["BASE_CURRENCY"]) == ("pass", "pass", "pass")
    assert (states["BILL_APPROVAL"], states["PAYMENT_APPROVAL"]) == ("unknown", "unknown")
    assert (checks["BILL_IN_ADVANCE"]["state"], checks["BILL_IN_ADVANCE"]["seen"]) in (("pass", "on"), ("pass", "off"))
    assert all(check["fix"] for check in checks.values() if check["state"] != "pass")
    calls = company.calls()
    assert calls["requests"] <= 25, calls
    assert (states["ITEM_RECEIPTS"], bool(checks["ITEM_RECEIPTS"]["fix"])) == ("unknown", True)
    assert not {"add", "update", "delete", "upsert"} & calls["by_operation"].keys(), calls
    company.does("receive", number="PO-1")
    again = await api.post(f"/v1/connections/{api.connection_id}/checks")
    assert {check["code"]: check["state"] for check in again.json()["items"]}["ITEM_RECEIPTS"] == "pass"


async def test_what_a_person_sees_to_be_wrong_stops_what_it_breaks(api: StackClient, company: SandboxCompany) -> None:
    """S2-38: bills that would wait there are refused here, with the way to the setting; confirmed right, they go."""
    company.order("PO-1")
    await api.start()
    await api.post(f"/v1/connections/{api.connection_id}/checks")
    path = f"/v1/connections/{api.connection_id}/checks/BILL_APPROVAL"
    assert (await api.put(path, {"state": "fail", "value": "Vendor Bills: on"})).json()["state"] == "fail"
    problem = refused(await api.enter("PO-1", {1: "1"}), 409, "SETUP_CHECK_FAILED")
    assert "Approval Routing" in " ".join(problem["fix"])
    await api.put(path, {"state": "pass", "value": "off"})
    assert (await api.enter("PO-1", {1: "1"})).status_code == 201
