"""Bills without an order that are taken back, from the API to Intacct's books: deleted or reversed, once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.harness.account_lines import POWER, RENT, furnish
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, refused

WAYS = pytest.mark.parametrize("way", ["delete", "reverse"])


async def taken_back_by(api: StackClient, company: SandboxCompany, way: str) -> Any:
    """A bill of 1,280.50 in Intacct, on a connection and in a company that take it back in this way."""
    furnish(company)
    company.switch(unpaid_bill_reversal=way == "reverse")
    await api.start()
    answer = await api.put(f"/v1/connections/{api.connection_id}/retraction-ways", {"direct_bills": way})
    assert answer.status_code == 200, answer.text
    return await api.arrived(await api.direct_bill([RENT, POWER], number="RENT-12", total="1280.50"))


def in_books(company: SandboxCompany) -> list[tuple[str, str, Decimal]]:
    """Number, state and total of all bills in Intacct."""
    return [(bill["number"], bill["state"], Decimal(bill["total"])) for bill in company.held("bills")]


def live(number: str) -> tuple[str, str, Decimal]:
    return (number, "Posted", Decimal("1280.50"))


REVERSED = [("RENT-12", "Reversed", Decimal("1280.50")), ("Reversed - RENT-12", "Reversal", Decimal("-1280.50"))]


@pytest.mark.parametrize(
    ("way", "reversed_numbers", "anew_as"),
    [("delete", "taken", "RENT-12"), ("reverse", "taken", "RENT-12-2"), ("reverse", "free", "RENT-12")],
)
async def test_it_leaves_the_books_once_and_restored_it_is_another_bill(
    api: StackClient, company: SandboxCompany, way: str, reversed_numbers: str, anew_as: str
) -> None:
    """S5-07, S5-08, S5-10: way and day are shown before; restored, it goes out under a new key, and the first one comes
    in as nothing. Where a reversed bill keeps its number taken, the next one's has the generation behind it."""
    company.switch(reversed_numbers=reversed_numbers)
    bill = await taken_back_by(api, company, way)
    (plan,) = [one for one in bill["actions"] if one["action"] == "dispute"]
    dated = today().isoformat() if way == "reverse" else None
    assert (plan["possible"], plan["way"], plan["dated"], plan["frees_quantity"]) == (True, way, dated, False)
    assert (await api.post(f"/v1/bills/{bill['id']}/dispute", {"reason": "not ours"})).status_code == 200
    await api.bill_is(bill["id"], "disputed")
    gone = REVERSED if way == "reverse" else []
    assert in_books(company) == gone
    assert (await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "it is ours"})).status_code == 200
    anew = await api.arrived(bill["id"])
    assert (anew["external_key"], anew["generation"]) == (f"{bill['external_key']}-2", 2)
    assert in_books(company) == [*gone, live(anew_as)]
    await api.sync()
    (shown,) = await api.items("/v1/bills")  # neither the first one nor its reversal is a bill here
    assert shown["number"] == "RENT-12"
    assert await api.issues() == []
    (kept,) = (await api.read_bill(bill["id"]))["taken_back"]
    assert (kept["way"], kept["dated"], kept["state"]) == (way, dated, "done")
    await api.payment_is(await api.pay(bill["id"], "1280.50"), "paid")


@pytest.mark.parametrize("later", ["posted later", "books closed"])
async def test_a_reversal_is_never_dated_before_the_bill_nor_in_closed_books(
    api: StackClient, company: SandboxCompany, later: str
) -> None:
    """Issue 13.3: today, never before the bill's own posting date, else the next open day; shown before, and so in the
    books."""
    furnish(company)
    company.switch(unpaid_bill_reversal=True)
    await api.start()
    await api.put(f"/v1/connections/{api.connection_id}/retraction-ways", {"direct_bills": "reverse"})
    ahead = today() + timedelta(days=3)
    posted = ahead if later == "posted later" else today()
    bill_id = await api.direct_bill([RENT, POWER], number="RENT-12", posting_date=posted.isoformat())
    if later == "posted later":
        await api.acknowledge(bill_id)
    bill = await api.arrived(bill_id)
    if later == "books closed":
        closed = {"entity": "100", "closed_through": (ahead - timedelta(days=1)).isoformat()}
        answer = await api.put(f"/v1/connections/{api.connection_id}/closed-periods", closed)
        assert answer.status_code == 200, answer.text
    (plan,) = [one for one in (await api.read_bill(bill["id"]))["actions"] if one["action"] == "delete"]
    assert (plan["possible"], plan["way"], plan["dated"]) == (True, "reverse", ahead.isoformat())
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "not ours"})).status_code == 200
    await api.bill_is(bill["id"], "deleted")
    assert in_books(company) == REVERSED
    assert company.one("bills", state="Reversal")["date"] == f"{ahead:%m/%d/%Y}"
    assert await api.issues() == []


async def test_a_number_that_is_used_again_stands_in_the_way_of_restoring(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-08: an invoice that was deleted and entered anew is not restored beside it, and says so before."""
    bill = await taken_back_by(api, company, "delete")
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "twice"})).status_code == 200
    await api.bill_is(bill["id"], "deleted")

    async def restore() -> Any:
        shown = await api.read_bill(bill["id"])
        return next(one for one in shown["actions"] if one["action"] == "restore")

    assert (await restore())["possible"] is True
    anew = await api.direct_bill([RENT, POWER], number="rent 12")
    plan = await restore()
    assert (plan["possible"], [one["code"] for one in plan["obstacles"]]) == (False, ["NUMBER_IN_USE"])
    assert anew in plan["obstacles"][0]["message"]
    refused(await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "oops"}), 409, "NUMBER_IN_USE")
    await api.arrived(anew)
    assert len(in_books(company)) == 1


async def test_the_way_is_a_setting_of_the_connection(api: StackClient, company: SandboxCompany) -> None:
    """S2-36: with reversals on there, deleting is refused by name; the setting is changed, and the bill is reversed."""
    bill = await taken_back_by(api, company, "delete")
    company.switch(unpaid_bill_reversal=True)
    path = f"/v1/connections/{api.connection_id}/retraction-ways"
    ways = await api.get(path)
    assert ways["order_bills"] == {"way": "delete", "offered": ["delete", "credit"]}
    assert ways["direct_bills"] == {"way": "delete", "offered": ["delete", "reverse"]}
    refused(await api.put(path, {"direct_bills": "credit"}), 409, "RETRACTION_WAY_NOT_OFFERED")
    assert (await api.put(path, {"direct_bills": "reverse"}, role="accountant")).status_code == 403
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "twice"})).status_code == 200
    issue = await api.issue("DELETION_REFUSED")
    assert any("reversal of unpaid bills" in step for step in issue["fix"]), issue["fix"]
    assert (await api.put(path, {"direct_bills": "reverse"})).status_code == 200
    await api.settle(issue, "abandon")
    await api.bill_is(bill["id"], "synced")
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "twice"})).status_code == 200
    await api.bill_is(bill["id"], "deleted")
    assert in_books(company) == REVERSED
    assert await api.issues() == []


@WAYS
async def test_taken_back_there_by_hand_it_is_deleted_here(api: StackClient, company: SandboxCompany, way: str) -> None:
    """S5-07, S5-08: reversed or deleted in Intacct's screens, it follows the same states, and can be restored."""
    bill = await taken_back_by(api, company, way)
    if way == "reverse":
        company.does("reverse_bill", number="RENT-12", date=today().isoformat())
    else:
        company.does("delete", kind="bill", number="RENT-12")
    await api.sync()
    await api.bill_is(bill["id"], "deleted")
    assert len(await api.items("/v1/bills")) == 1
    assert (await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "it was right"})).status_code == 200
    anew = await api.arrived(bill["id"])
    assert anew["generation"] == 2
    assert in_books(company)[-1] == live("RENT-12-2" if way == "reverse" else "RENT-12")
    await api.sync()
    assert (await api.read_bill(bill["id"]))["status"] == "synced"


async def test_a_paid_one_is_refused_with_the_way_out(api: StackClient, company: SandboxCompany) -> None:
    bill = await taken_back_by(api, company, "reverse")
    await api.payment_is(await api.pay(bill["id"], "80.50"), "paid")
    await api.bill_is(bill["id"], "partially_paid")
    problem = refused(await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "x"}), 409, "BILL_HAS_PAYMENTS")
    assert "void" in problem["fix"][0]
    assert [state for _, state, _ in in_books(company)] == ["Partially Paid"]


@WAYS
async def test_a_reconciled_bill_is_unknown_before_and_refused_by_name(
    api: StackClient, company: SandboxCompany, way: str
) -> None:
    """S5-07: no field shows it, so the bill says so before; refused, it stays in Intacct, and goes once it may."""
    bill = await taken_back_by(api, company, way)
    (plan,) = [one for one in bill["actions"] if one["action"] == "delete"]
    unknown = {one["code"]: one for one in plan["unknown_until_tried"]}
    assert plan["possible"]
    assert unknown["BILL_RECONCILED"]["message"].startswith("Unknown until tried: ")
    company.switch(reconciled_bills=True)
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "twice"})).status_code == 200
    issue = await api.issue("BILL_RECONCILED")
    assert "reconciliation" in issue["fix"][0]
    assert in_books(company) == [live("RENT-12")]
    company.switch(reconciled_bills=False)
    await api.settle(issue, "retry")
    await api.bill_is(bill["id"], "deleted")
    assert in_books(company) == (REVERSED if way == "reverse" else [])
    assert await api.issues() == []


async def test_edits_that_intacct_refuses_while_it_reverses_are_named_and_go_once_it_does_not(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-36: with reversals on there, an edit of an unpaid bill is refused by name; off again, the retry sends it."""
    bill = await taken_back_by(api, company, "delete")
    company.switch(unpaid_bill_reversal=True, edits_with_reversal="refuse")
    answer = await api.patch(f"/v1/bills/{bill['id']}", {"memo": "as agreed"}, role="clerk")
    assert answer.status_code == 200, answer.text
    issue = await api.issue("EDITS_NEED_REVERSALS_OFF")
    assert '"Enable reversal of unpaid bills" off' in issue["fix"][0]
    assert in_books(company) == [live("RENT-12")]
    (held,) = company.held("bills")
    assert "as agreed" not in held["memo"]
    company.switch(unpaid_bill_reversal=False)
    await api.settle(issue, "retry")

    async def sent() -> bool:
        return not (await api.read_bill(bill["id"]))["edit_pending"]

    await api.until(sent, "the edit in Intacct")
    (held,) = company.held("bills")
    assert (held["memo"], held["number"]) == (f"as agreed [{bill['external_key']}]", "RENT-12")
    assert await api.issues() == []


async def test_where_reversals_stay_on_a_refused_edit_is_made_by_a_dispute(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-36: the edit is abandoned; disputed, the bill is reversed, corrected here, and restored as a new one."""
    bill = await taken_back_by(api, company, "reverse")
    company.switch(edits_with_reversal="refuse")
    assert (await api.patch(f"/v1/bills/{bill['id']}", {"memo": "as agreed"}, role="clerk")).status_code == 200
    issue = await api.issue("EDITS_NEED_REVERSALS_OFF")
    await api.settle(issue, "abandon")

    async def abandoned() -> bool:
        return not (await api.read_bill(bill["id"]))["edit_pending"]

    await api.until(abandoned, "the edit abandoned")
    assert (await api.post(f"/v1/bills/{bill['id']}/dispute", {"reason": "memo"})).status_code == 200
    await api.bill_is(bill["id"], "disputed")
    assert (await api.patch(f"/v1/bills/{bill['id']}", {"memo": "as agreed"}, role="clerk")).status_code == 200
    assert (await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "corrected"})).status_code == 200
    await api.arrived(bill["id"])
    live_one = company.one("bills", state="Posted")
    assert (live_one["memo"].split(" [")[0], len(company.held("bills"))) == ("as agreed", 3)
