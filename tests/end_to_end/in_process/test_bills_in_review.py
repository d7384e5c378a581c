"""Bills in review after their match, on the whole stack: until a person or a receipt comes; frozen in the ERP."""

from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    StackClient,
    refused,
)

AHEAD = "BILLED_BEYOND_RECEIVED:line-1"


async def test_a_bill_ahead_of_its_goods_waits_and_goes_out_when_they_come(
    api: StackClient, company: SandboxCompany
) -> None:
    """Q07, rules 3.6: saved, reserving, not sent; the receipt the next sync brings settles the warning by itself."""
    company.order("PO-1")
    await api.start(mode="three_way")
    created = (await api.enter("PO-1", {1: "6"})).json()
    assert created["bill"]["status"] == "awaiting_acknowledgement"
    assert [finding["code"] for finding in created["needs"]["acknowledge"]] == ["BILLED_BEYOND_RECEIVED"]
    bill_id = created["bill"]["id"]
    order = await api.order("PO-1")
    assert Decimal(order["lines"][0]["pending"]) == 6
    refused(await api.enter("PO-1", {1: "5"}), 422, "MATCH_BLOCKED")
    assert company.held("vendor_invoices") == []
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": "6"}])
    await api.sync()
    bill = await api.arrived(bill_id)
    assert company.one("vendor_invoices", number=bill["external_key"])["created_from"] == "PO Receiver-RCV-1"
    match = await api.get(f"/v1/bills/{bill_id}/match")
    assert (match["outcome"], match["recomputed"]) == ("OK", {"outcome": "OK", "same": True})
    assert [(one["outcome"], one["why"]) for one in match["earlier"]] == [("WARN", "asked for")]
    assert [event["kind"] for event in bill["events"]] == ["created", "matched_again", "pushed"]


async def test_a_price_beyond_the_policy_is_released_by_an_accountant(
    api: StackClient, company: SandboxCompany
) -> None:
    """P02, rules 3.4: a clerk's bill is held, a clerk may not release it, an accountant does with a reason."""
    company.order("PO-1", "10")
    await api.start()
    terms = {"checks": {"price": {"block": {"pct": "5"}}}}
    answer = await api.post("/v1/tolerance-policies", {**terms, "scope": {}})
    assert answer.status_code == 201, answer.text
    line = {"order_line_no": 1, "quantity": "4", "price": "100.00"}
    tried = await api.post(
        f"/v1/purchase-orders/{(await api.order('PO-1'))['id']}/match",
        {"number": "TRIED", "bill_date": "2026-11-20", "lines": [line]},
    )
    assert (tried.status_code, tried.json()["outcome"], tried.json()["status"]) == (200, "HOLD", "on_hold")
    assert Decimal((await api.order("PO-1"))["lines"][0]["pending"]) == 0
    created = (await api.enter("PO-1", {}, lines=[line])).json()
    bill_id, status = created["bill"]["id"], created["bill"]["status"]
    assert status == "on_hold"
    later = await api.bill("PO-1", {1: "3"})
    await api.arrived(later)
    reason = {"reason": "the buyer agreed to the new price"}
    refused(await api.post(f"/v1/bills/{bill_id}/release", reason, role="clerk"), 403, "ROLE_TOO_LOW")
    released = await api.post(f"/v1/bills/{bill_id}/release", reason, role="accountant", key="r1")
    assert (released.status_code, released.json()["status"]) == (200, "pending_push"), released.text
    bill = await api.arrived(bill_id)
    again = await api.post(f"/v1/bills/{bill_id}/release", reason, role="accountant", key="r1")
    assert again.text == released.text
    event = next(event for event in bill["events"] if event["kind"] == "match_released")
    assert (event["why"], event["before"]["status"], event["after"]["status"]) == (
        "the buyer agreed to the new price",
        "on_hold",
        "pending_push",
    )
    refused(await api.post(f"/v1/bills/{bill_id}/release", reason, role="accountant"), 409, "BILL_NOT_WAITING")


async def test_a_waiting_bill_is_abandoned_and_its_number_is_free(api: StackClient, company: SandboxCompany) -> None:
    """A way out for what nobody wants to decide: the quantity and the supplier's number are free again."""
    company.order("PO-1")
    await api.start(mode="three_way")
    created = (await api.enter("PO-1", {1: "6"}, number="INV-X")).json()
    bill_id = created["bill"]["id"]
    gone = await api.post(f"/v1/bills/{bill_id}/abandon", {"reason": "entered twice"}, role="clerk")
    assert (gone.status_code, gone.json()["status"]) == (200, "abandoned"), gone.text
    assert Decimal((await api.order("PO-1"))["lines"][0]["pending"]) == 0
    anew = await api.bill("PO-1", {1: "6"}, number="INV-X", acknowledge=[AHEAD])
    await api.arrived(anew)
    refused(await api.post(f"/v1/bills/{anew}/abandon", {"reason": "late"}, role="clerk"), 409, "BILL_IS_IN_ERP")


async def test_an_order_changed_after_the_bill_opens_one_issue(api: StackClient, company: SandboxCompany) -> None:
    """Rules 3.6: what the ERP holds is frozen; the worse result is an issue with what was and what is."""
    company.order("PO-1", "10")
    await api.start()
    answer = await api.post("/v1/tolerance-policies", {"checks": {"price": {"block": {"pct": "5"}}}, "scope": {}})
    assert answer.status_code == 201, answer.text
    bill_id = (await api.billed("PO-1", {1: "4"}))["id"]
    company.does("edit_purchase_order", number="PO-1", line=1, price="10.00")
    await api.sync()

    async def told() -> list[dict[str, Any]]:
        return await api.items("/v1/sync-issues", state="open")

    (issue,) = await api.until(told, "an issue")
    assert (issue["code"], issue["subject_kind"], issue["workflow_id"]) == ("MATCH_WORSE", "purchase_order", None)
    (listed,) = issue["evidence"]["bills"]
    assert (listed["bill_id"], listed["before"]["match"], listed["after"]["match"]) == (bill_id, "OK", "HOLD")
    match = await api.get(f"/v1/bills/{bill_id}/match")
    assert (match["outcome"], match["status"], match["recomputed"]["same"]) == ("HOLD", "synced", True)
    company.does("edit_purchase_order", number="PO-1", memo="nothing that counts")
    await api.sync()
    assert [issue["occurrences"] for issue in await told()] == [1]
