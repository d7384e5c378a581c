"""On NetSuite, too, every activity may run again though it succeeded: the books are then as if it ran once."""

from tests.end_to_end.in_process.payment_of_bills import dues, paid_together, three_bills, voided
from tests.harness.repeated_activities import RepeatedActivities
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient


async def test_bills_are_paid_together_credited_and_taken_back_once(
    api: StackClient, company: SandboxCompany, twice: RepeatedActivities
) -> None:
    """Three bills, one payment that is void, one application of a credit that is undone, one bill made anew."""
    bills = await three_bills(api, company, received=True)
    payment = await paid_together(api, dict.fromkeys(bills, "125.00"))
    await api.payment_is(payment, "paid")
    assert len(company.held("payments")) == 1
    await voided(api, payment)
    assert company.held("payments") == []
    assert await dues(api, bills) == [125, 125, 125]

    first = await api.read_bill(bills[0])
    company.does("credit_bill", number=first["number"], lines=[{"line": 1, "quantity": "4"}], apply=False)
    await api.sync()
    (credit,) = await api.items("/v1/credits")
    path = f"/v1/credits/{credit['id']}"
    applied = {"bills": [{"bill_id": bills[0], "amount": "30.00"}]}
    (application,) = (await api.post(f"{path}/apply", applied, role="accountant")).json()["applications"]
    await api.application_is(path, "applied")
    await api.post(f"{path}/unapply", {"application_id": application["id"]}, role="accountant")
    await api.application_is(path, "unapplied")

    assert (await api.post(f"/v1/bills/{bills[1]}/dispute", {"reason": "price"})).status_code == 200
    await api.bill_is(bills[1], "disputed")
    assert len(company.held("bills")) == 2
    assert (await api.post(f"/v1/bills/{bills[1]}/restore", {"reason": "settled"})).status_code == 200
    await api.arrived(bills[1])
    assert len(company.held("bills")) == 3
    assert len(company.held("credits")) == 1
    assert await api.issues() == []
    assert twice.names >= {"push_bill", "push_payment", "void_payment", "push_credit_application", "retract_bill"}
