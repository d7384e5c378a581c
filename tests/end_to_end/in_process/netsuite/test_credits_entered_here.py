"""A credit entered here goes to NetSuite as a vendor credit over the bill's lines, and gives its quantity back."""

import pytest

from tests.end_to_end.in_process.netsuite.credited_order import LOWERS, billed, figures, left
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, refused


@LOWERS
async def test_a_credit_of_pieces_is_sent_once_and_gives_them_back(
    api: StackClient, company: SandboxCompany, lowers: bool
) -> None:
    """R01, R09, S5-69..77: the lost answer is looked up; whatever NetSuite's own figure does, four more and no more."""
    bill = await billed(api, company, lowers=lowers)
    lines = [{"amount": "50.00", "order_line_no": 1, "quantity": "4"}]
    body = {"bill_id": bill["id"], "number": "CM-9", "credit_date": today().isoformat(), "lines": lines}
    over = {**body, "lines": [{"amount": "125.00", "order_line_no": 1, "quantity": "10.5"}]}
    refused(await api.post("/v1/credits", over, role="clerk"), 422, "CREDIT_EXCEEDS_BILLED")
    company.breaks("lost_answer", "add")
    answer = await api.post("/v1/credits", body, role="clerk")
    assert answer.status_code == 201, answer.text
    credit_id = answer.json()["id"]

    async def is_there() -> bool:
        return bool((await api.get(f"/v1/credits/{credit_id}"))["status"] == "open")

    await api.until(is_there, "the credit in NetSuite")
    assert company.fired("lost_answer") == 1
    again = {**body, "number": "CM-10", "lines": [{"amount": "87.50", "order_line_no": 1, "quantity": "7"}]}
    refused(await api.post("/v1/credits", again, role="clerk"), 422, "CREDIT_EXCEEDS_BILLED")
    await api.sync()
    assert await left(api) == (figures("6", "0", "0", "4") if lowers else figures("10", "0", "4", "4"))
    refused(await api.post("/v1/credits", again, role="clerk"), 422, "CREDIT_EXCEEDS_BILLED")
    (held,) = company.held("credits")
    assert held["number"] == "CM-9"
    credit = await api.get(f"/v1/credits/{credit_id}")
    assert amounts(credit, "total", "applied", "open") == (50, 0, 50)
    assert credit["credit_of"] == bill["id"]
    refused(await api.enter("PO-1", {1: "5"}), 422, "MATCH_BLOCKED")
    await api.billed("PO-1", {1: "4"})
    assert await api.issues() == []


async def test_a_credit_that_is_deleted_here_takes_its_pieces_back(api: StackClient, company: SandboxCompany) -> None:
    """Deleted in NetSuite first: what it gave back cannot be billed again."""
    bill = await billed(api, company)
    lines = [{"amount": "50.00", "order_line_no": 1, "quantity": "4"}]
    body = {"bill_id": bill["id"], "number": "CM-9", "credit_date": today().isoformat(), "lines": lines}
    credit_id = (await api.post("/v1/credits", body, role="clerk")).json()["id"]

    async def it_is(status: str) -> None:
        async def so() -> bool:
            return bool((await api.get(f"/v1/credits/{credit_id}"))["status"] == status)

        await api.until(so, f"a credit that is {status}")

    await it_is("open")
    await api.sync()
    assert await left(api) == figures("10", "0", "4", "4")
    answer = await api.post(f"/v1/credits/{credit_id}/delete", {"reason": "withdrawn"}, role="accountant")
    assert answer.status_code == 200, answer.text
    await it_is("deleted")
    assert company.held("credits") == []
    assert await left(api) == figures("10", "0", "0", "0")
    refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")


@pytest.mark.parametrize("against", ["order", "vendor"])
async def test_money_of_an_order_or_of_a_vendor_is_on_an_account(
    api: StackClient, company: SandboxCompany, against: str
) -> None:
    """S5-76: against an order or nothing at all; money only gives nothing back."""
    bill = await billed(api, company)
    body = {"number": "CM-1", "credit_date": today().isoformat(), "lines": [{"amount": "20.00", "account": "6000"}]}
    if against == "order":
        body["purchase_order_id"] = bill["purchase_order_id"]
    else:
        body |= {"connection_id": api.connection_id, "vendor_id": "V-1"}
    answer = await api.post("/v1/credits", body, role="clerk")
    assert answer.status_code == 201, answer.text

    async def is_there() -> bool:
        return bool((await api.get(f"/v1/credits/{answer.json()['id']}"))["status"] == "open")

    await api.until(is_there, "the credit in NetSuite")
    await api.sync()
    assert await left(api) == figures("10", "0", "0", "0")
    assert len(company.held("credits")) == 1


async def test_a_credit_is_applied_by_its_own_list_and_unapplied(api: StackClient, company: SandboxCompany) -> None:
    """S5-70, S5-71: one made there is applied from here, once; seen again as the same; undone here."""
    bill = await billed(api, company)
    company.does("credit_bill", number=bill["number"], lines=[{"line": 1, "quantity": "4"}], apply=False)
    await api.sync()
    (credit,) = await api.items("/v1/credits")
    assert amounts(credit, "total", "applied", "open") == (50, 0, 50)
    body = {"bills": [{"bill_id": bill["id"], "amount": "30.00"}]}
    company.breaks("lost_answer", "update")
    answer = await api.post(f"/v1/credits/{credit['id']}/apply", body, role="accountant")
    assert answer.status_code == 200, answer.text

    async def it_is(status: str) -> None:
        async def so() -> bool:
            (one,) = (await api.get(f"/v1/credits/{credit['id']}"))["applications"]
            return bool(one["status"] == status)

        await api.until(so, f"an application that is {status}")

    await it_is("applied")

    async def seen_as(*figures: int) -> bool:
        await api.sync()  # NetSuite's searches show a change of this very second with the next run only
        return amounts(await api.get(f"/v1/credits/{credit['id']}"), "applied", "open", "reserved") == figures

    await api.until(lambda: seen_as(30, 20, 0), "the application as NetSuite shows it")
    shown = await api.get(f"/v1/credits/{credit['id']}")
    assert amounts(await api.read_bill(bill["id"]), "paid", "due") == (30, 95)
    undo = {"application_id": shown["applications"][0]["id"]}
    answer = await api.post(f"/v1/credits/{credit['id']}/unapply", undo, role="accountant")
    assert answer.status_code == 200, answer.text
    await it_is("unapplied")
    await api.until(lambda: seen_as(0, 50, 0), "that it is undone, as NetSuite shows it")
    assert amounts(await api.read_bill(bill["id"]), "paid", "due") == (0, 125)
    assert await api.issues() == []
