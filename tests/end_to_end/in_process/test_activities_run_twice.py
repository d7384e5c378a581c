"""Every activity may run again though it succeeded: its answer can be lost. The books are then as if it ran once."""

from typing import Any

from tests.end_to_end.in_process.payment_of_bills import paid_together, voided
from tests.harness.list_changes import change, entry_of, make
from tests.harness.repeated_activities import RepeatedActivities
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts

OF_THE_STORY = {
    "push_bill", "push_bill_edit", "retract_bill", "bill_on_order",
    "push_payment", "void_payment", "push_credit_application", "push_list_change",
    "plan_sync", "sync_page", "finish_sync_run", "check_setup", "backfill_page", "finish_backfill",
}  # fmt: skip


async def ended(api: StackClient, path: str, running: object, field: str) -> Any:
    """What a path shows once its field says something else than that it runs."""

    async def over() -> Any:
        shown = await api.get(path)
        return None if shown[field] == running else shown

    return await api.until(over, f"{path} not to be {running}")


async def test_a_bill_is_edited_paid_and_taken_back_once(
    api: StackClient, company: SandboxCompany, twice: RepeatedActivities
) -> None:
    """One invoice, one payment that is void, one application that is undone, one order of a backfill, one vendor;
    no open issue."""
    company.order("PO-1", "10")
    company.order("PO-OLD", days_ago=400)
    await api.start(mode="two_way")
    bill = await api.billed("PO-1", {1: "10"})
    assert [one["number"] for one in company.held("vendor_invoices")] == [bill["external_key"]]
    assert (await api.patch(f"/v1/bills/{bill['id']}", {"memo": "as agreed"}, role="clerk")).status_code == 200
    await ended(api, f"/v1/bills/{bill['id']}", True, "edit_pending")

    company.does("add_adjustment", vendor_id="V-1", number="CM-1", amount="40.00", entity="100")
    await api.sync()
    (credit,) = await api.items("/v1/credits", number="CM-1")
    path = f"/v1/credits/{credit['id']}"
    applied = {"bills": [{"bill_id": bill["id"], "amount": "30.00"}]}
    (application,) = (await api.post(f"{path}/apply", applied, role="accountant")).json()["applications"]

    await api.application_is(path, "applied")
    await api.post(f"{path}/unapply", {"application_id": application["id"]}, role="accountant")
    await api.application_is(path, "unapplied")
    await api.sync()
    (credit,) = await api.items("/v1/credits", number="CM-1")
    assert amounts(credit, "applied", "open") == (0, 40)

    payment = await paid_together(api, {bill["id"]: "125.00"})
    await api.payment_is(payment, "paid")
    await voided(api, payment)
    assert [one["state"] for one in company.held("payments") if one["amount"] != "0.00"] == ["Void"]

    assert (await api.post(f"/v1/bills/{bill['id']}/dispute", {"reason": "price"})).status_code == 200
    await api.bill_is(bill["id"], "disputed")
    assert company.held("vendor_invoices") == []
    assert (await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "settled"})).status_code == 200
    await api.arrived(bill["id"])
    assert len(company.held("vendor_invoices")) == 1

    await make(api, "vendor", "Pumps", key="V-150")
    await change(api, await entry_of(api, "vendor", "V-150"), name="Pumps & Co")
    assert [one["name"] for one in company.held("vendors") if one["vendorid"] == "V-150"] == ["Pumps & Co"]

    asked = await api.post(f"/v1/connections/{api.connection_id}/backfills", {"numbers": ["PO-OLD"]})
    backfill = await ended(api, f"/v1/backfills/{asked.json()['id']}", "running", "state")
    assert (backfill["state"], await api.numbers()) == ("completed", {"PO-1", "PO-OLD"})
    assert await api.issues() == []
    assert twice.names >= OF_THE_STORY
