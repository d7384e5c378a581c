"""Bills that are taken back from NetSuite, from the API to its books."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.harness.account_lines import furnish_netsuite
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, ledger
from tests.harness.variants import first_of


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
    # Periods are months: on most days this one ends later than the bill was posted.
    company.does("close_period", through=(today() + timedelta(days=31)).isoformat())
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "x"})).status_code == 200
    issue = await api.issue("PERIOD_CLOSED")
    assert (await api.read_bill(bill["id"]))["status"] == "retracting"
    company.does("open_period")
    await api.settle(issue, "retry")
    await api.bill_is(bill["id"], "deleted")
    assert company.held("bills") == []


def figures(order: Any) -> tuple[Decimal, ...]:
    """E, P, C and what may still be billed of the order's line."""
    return amounts(order["lines"][0], "billed", "pending", "credited", "remaining")


LOWERS = pytest.mark.parametrize("lowers", first_of(False, True), ids=["E stays", "E falls"])
"""Whether NetSuite takes a credit off the quantity an order counts as billed: nobody says."""


@LOWERS
async def test_a_credited_bill_frees_its_quantity_and_is_made_anew(
    api: StackClient, company: SandboxCompany, lowers: bool
) -> None:
    """S5-07, S5-08, S5-10: a credit of that day over all its lines, applied; E, P and C are right before, between and
    after; neither the credit nor the first bill comes in."""
    company.switch(credits_lower_billed=lowers, over_billing="refuse" if lowers else "accept")
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start(mode="three_way")
    answer = await api.put(f"/v1/connections/{api.connection_id}/retraction-ways", {"order_bills": "credit"})
    assert answer.status_code == 200, answer.text
    bill = await api.billed("PO-1", {1: "10"})
    assert figures(await api.order("PO-1")) == tuple(map(Decimal, (10, 0, 0, 0)))
    (plan,) = [one for one in bill["actions"] if one["action"] == "dispute"]
    assert (plan["way"], plan["dated"], plan["frees_quantity"]) == ("credit", today().isoformat(), True)
    assert (await api.post(f"/v1/bills/{bill['id']}/dispute", {"reason": "broken"})).status_code == 200
    await api.bill_is(bill["id"], "disputed")
    (credit,) = company.held("credits")
    assert (credit["external_id"], credit["date"]) == (f"{bill['external_key']}-R", today().isoformat())
    assert [one["bill_record_no"] for one in credit["details"]] == [bill["document_id"]]
    (held,) = company.held("bills")
    assert Decimal(held["due"]) == 0
    between = (0, 0, 0, 10) if lowers else (10, 0, 10, 10)
    assert figures(await api.order("PO-1")) == tuple(map(Decimal, between))
    await api.sync()
    assert len(await api.items("/v1/bills")) == 1
    assert figures(await api.order("PO-1")) == tuple(map(Decimal, between))
    assert (await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "they mended it"})).status_code == 200
    anew = await api.arrived(bill["id"])
    assert anew["external_key"] == f"{bill['external_key']}-2"
    assert [one["external_id"] for one in company.held("bills")] == [bill["external_key"], anew["external_key"]]
    after = (10, 0, 0, 0) if lowers else (20, 0, 10, 0)
    assert figures(await api.order("PO-1")) == tuple(map(Decimal, after))
    await api.sync()
    assert len(await api.items("/v1/bills")) == 1
    assert await api.issues() == []
    await api.payment_is(await api.pay(bill["id"], anew["due"]), "paid")


async def test_a_bill_without_an_order_is_credited_once_and_deleted_once(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-07: both ways of NetSuite; the books owe nothing afterwards, and the credit comes in as no bill."""
    furnish_netsuite(company)
    line = {"account": "6600", "amount": "1200.00", "description": "Rent"}
    await api.start()
    path = f"/v1/connections/{api.connection_id}/retraction-ways"
    for way, number in (("delete", "RENT-1"), ("credit", "RENT-2")):
        assert (await api.put(path, {"direct_bills": way})).status_code == 200
        bill = await api.arrived(await api.direct_bill([line], number=number, total=line["amount"]))
        assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "twice"})).status_code == 200
        gone = await api.bill_is(bill["id"], "deleted")
        assert [kept["way"] for kept in gone["taken_back"]] == [way]
    assert [(bill["number"], Decimal(bill["due"])) for bill in company.held("bills")] == [("RENT-2", 0)]
    assert len(company.held("credits")) == 1
    await api.sync()
    assert len(await api.items("/v1/bills")) == 2
    assert {Decimal(bill["paid"]) for bill in await api.items("/v1/bills")} == {0}


@pytest.mark.parametrize("reconciled", first_of("delete", "refuse"))
async def test_a_reconciled_bill_is_unknown_before_and_refused_by_name(
    api: StackClient, company: SandboxCompany, reconciled: str
) -> None:
    """S5-07: nobody says whether NetSuite refuses; deleted or refused, the bill ends as the books have it."""
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "10"})
    (plan,) = [one for one in bill["actions"] if one["action"] == "delete"]
    assert "BILL_RECONCILED" in [one["code"] for one in plan["unknown_until_tried"]]
    company.switch(reconciled_bills=reconciled)
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "x"})).status_code == 200
    if reconciled == "refuse":
        await api.settle(await api.issue("BILL_RECONCILED"), "abandon")
        await api.bill_is(bill["id"], "synced")
        assert len(company.held("bills")) == 1
        return
    await api.bill_is(bill["id"], "deleted")
    assert company.held("bills") == []
