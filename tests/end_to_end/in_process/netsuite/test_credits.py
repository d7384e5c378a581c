"""Credits made in NetSuite: what they take back of a bill may be billed again, once (R01, R04, R09)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.end_to_end.in_process.netsuite.credited_order import LOWERS, billed, figures, left
from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    StackClient,
    amounts,
    ledger,
    refused,
)


def credits(company: SandboxCompany, bill: dict[str, str], quantity: str, **figures: str) -> str:
    """Somebody credits some of the bill in NetSuite's own screens; the credit's number."""
    lines = [{"line": 1, "quantity": quantity, **figures}]
    created = company.does("credit_bill", number=bill["number"], lines=lines, document_number=f"CM-{quantity}")
    number: str = created["number"]
    return number


@pytest.mark.parametrize(("lowers", "mode"), [(False, "three_way"), (True, "three_way"), (False, "two_way")])
async def test_what_was_credited_is_billed_again_and_no_more(
    api: StackClient, company: SandboxCompany, lowers: bool, mode: str
) -> None:
    """R01, R04: 10 billed, 4 credited: 4 more, not 5; and once, whatever NetSuite's own figure does."""
    bill = await billed(api, company, lowers=lowers, mode=mode)
    refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")
    number = credits(company, bill, "4")
    await api.sync()
    assert await left(api) == (figures("6", "0", "0", "4") if lowers else figures("10", "0", "4", "4"))
    (credit,) = [one for one in await api.bills_of("PO-1") if one["number"] == number]
    assert (credit["origin"], Decimal(credit["total"]), credit["linked_in_erp"]) == ("erp", -50, True)
    assert amounts(await api.read_bill(bill["id"]), "paid", "due") == figures("50", "75")
    problem = refused(await api.enter("PO-1", {1: "5"}), 422, "MATCH_BLOCKED")
    (finding,) = [one for one in problem["match"]["findings"] if one["code"] == "QTY_OVER_CEILING"]
    c = "0" if lowers else "4"
    assert (finding["values"]["B"], finding["values"]["C"], Decimal(finding["limit"])) == ("6", c, 4)
    await api.billed("PO-1", {1: "4"})
    refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")
    assert await left(api) == (figures("10", "0", "0", "0") if lowers else figures("14", "0", "4", "0"))
    await api.sync()
    await api.order_is("PO-1", "filled")
    refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")
    assert len(company.held("bills")) == 2
    assert await api.issues() == []


@LOWERS
async def test_a_credit_that_goes_takes_its_quantity_back(
    api: StackClient, company: SandboxCompany, lowers: bool
) -> None:
    """Edited, voided or deleted in NetSuite: what it freed is billed again, and what it paid is due again, though the
    bill itself did not change there; read again, nothing changes."""
    bill = await billed(api, company, lowers=lowers)

    async def due() -> Decimal:
        return Decimal((await api.read_bill(bill["id"]))["due"])

    number = credits(company, bill, "4")
    await api.sync()
    assert await due() == 75
    for edit, remaining in (("2", "2"), ("3", "3")):
        company.does("edit_credit", number=number, line=1, quantity=edit, apply=False)
        await api.sync()
        assert (await left(api))[-1] == Decimal(remaining)
        assert await due() == 125
    company.does("void_credit", number=number)
    await api.sync()
    assert await left(api) == figures("10", "0", "0", "0")
    again = credits(company, bill, "1")
    await api.sync()
    assert ((await left(api))[-1], await due()) == (1, Decimal("112.50"))
    await api.sync()
    assert ((await left(api))[-1], await due()) == (1, Decimal("112.50"))
    company.does("delete", kind="credit", number=again)
    await api.sync()
    assert (await left(api), await due()) == (figures("10", "0", "0", "0"), 125)
    refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")


async def test_a_deleted_credit_counts_no_more_though_nothing_else_moved(
    api: StackClient, company: SandboxCompany
) -> None:
    """Reference 5.1: the order's own stamp need not move; the order is read because the credit is gone."""
    bill = await billed(api, company, lowers=True)
    number = credits(company, bill, "4")
    await api.sync()
    company.switch(header_stamp="still")
    company.does("delete", kind="credit", number=number)
    await api.sync()
    assert await left(api) == figures("10", "0", "0", "0")


@LOWERS
async def test_a_credit_of_money_frees_nothing(api: StackClient, company: SandboxCompany, lowers: bool) -> None:
    """Rules 3.6: neither one without a quantity, nor one of all pieces at a lower price, though NetSuite may take these
    off its own figure."""
    bill = await billed(api, company, lowers=lowers)
    credits(company, bill, "0", amount="20.00")
    credits(company, bill, "10", price="1.00")
    await api.sync()
    assert await left(api) == (figures("0", "0", "-10", "0") if lowers else figures("10", "0", "0", "0"))
    assert amounts(await api.read_bill(bill["id"]), "paid", "due") == figures("30", "95")
    refused(await api.enter("PO-1", {1: "1"}), 422, "MATCH_BLOCKED")


async def test_returned_goods_are_credited_and_billed_again(api: StackClient, company: SandboxCompany) -> None:
    """R01: from the bill a return authorization, from that the credit. The goods are received no more, which is no
    fault of the first bill; the next bill is ahead of its goods, and somebody says so."""
    bill = await billed(api, company)
    goods = company.does("authorize_return", number=bill["number"], lines=[{"line": 1, "quantity": "2"}])
    await api.sync()
    assert (await left(api))[-1] == 0
    company.does("credit_return", record_no=goods["record_no"], document_number="CM-R")
    await api.sync()
    assert (await left(api))[-1] == 2
    assert [one["number"] for one in await api.bills_of("PO-1") if Decimal(one["total"]) < 0] == ["CM-R"]
    assert await api.issues() == []
    again = await api.bill("PO-1", {1: "2"})
    warned = (await api.get(f"/v1/bills/{again}/match"))["needs"]["acknowledge"]
    assert [finding["code"] for finding in warned] == ["BILLED_BEYOND_RECEIVED"]
    await api.acknowledge(again)
    await api.arrived(again)
    assert (await left(api))[-1] == 0
    await api.sync()
    assert await api.issues() == []


async def test_an_order_that_was_filled_is_offered_again(api: StackClient, company: SandboxCompany) -> None:
    """S4-23, R01: a bill that was credited whole, and is paid by that; its order is filled by NetSuite's word still."""
    company.switch(over_billing="accept")
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start(mode="three_way")
    bill = await api.billed("PO-1", {1: "6"})
    await api.billed("PO-1", {1: "4"})
    vendor = {"connection": api.connection_id, "vendor": bill["vendor_id"]}
    assert await api.items("/v1/purchase-orders", open="true", **vendor) == []
    credits(company, bill, "6")
    await api.sync()
    assert await left(api) == figures("10", "0", "6", "6")
    await api.bill_is(bill["id"], "paid")
    (order,) = await api.items("/v1/purchase-orders", open="true", **vendor)
    assert (order["number"], order["status"]) == ("PO-1", "filled")
    (line,) = (await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft"))["lines"]
    assert Decimal(line["quantity"]) == 6


async def test_a_bill_on_hold_goes_on_when_room_was_credited(api: StackClient, company: SandboxCompany) -> None:
    """S4-70, R04: it waits for goods; what was credited of another bill makes room for it, and it goes by itself. Where
    NetSuite lowers its own figure nothing else of the order's terms moves."""
    company.switch(credits_lower_billed=True)
    company.order("PO-1", "10")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "6"}])
    await api.start(mode="three_way")
    await api.prefer(bill_in_advance="false")
    bill = await api.billed("PO-1", {1: "6"})
    waiting = await api.bill("PO-1", {1: "4"})
    assert (await api.read_bill(waiting))["status"] == "on_hold"
    credits(company, bill, "4")
    await api.sync()
    await api.arrived(waiting)
    assert (await left(api))[-1] == 4


async def test_credits_cost_calls_only_when_they_change(api: StackClient, company: SandboxCompany) -> None:
    """Issue 4: an unchanged sync stays at three calls; a changed credit is one look at its order."""
    bill = await billed(api, company)
    credits(company, bill, "4")
    await api.sync()
    company.pass_time(7200)
    await api.sync()
    company.forget_calls()
    await api.sync()
    assert company.calls()["total"] <= 3, company.calls()["by_operation"]
    company.does("edit_credit", number="CM-4", memo="seen")
    company.forget_calls()
    await api.sync()
    assert company.calls()["total"] <= 3 + 4 + 5, company.calls()["by_operation"]
    assert (await left(api))[-1] == 4


async def test_a_late_figure_does_not_pass_for_a_credit(api: StackClient, company: SandboxCompany) -> None:
    """S4-65..67: a credit of a price names four pieces, and the order counts four less than its bills: those of our
    next bill, which it does not show yet. Ten are billed, whatever the figure says."""
    company.switch(over_billing="accept")
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start(mode="three_way")
    bill = await api.billed("PO-1", {1: "6"})
    credits(company, bill, "4", price="1.00")
    await api.sync()
    assert (await left(api))[-1] == 4
    company.switch(quantity_delay_seconds=3600, status_delay_seconds=3600)
    await api.bill_is(await api.bill("PO-1", {1: "4"}), "synced")
    assert (await left(api))[-1] == 0
    refused(await api.enter("PO-1", {1: "4"}), 422, "MATCH_BLOCKED")
    await api.sync()
    assert (await left(api))[-1] == 0
    company.pass_time(3700)
    company.switch(quantity_delay_seconds=0, status_delay_seconds=0)
    company.does("edit_purchase_order", number="PO-1", memo="saved again")
    await api.sync()
    assert await left(api) == figures("10", "0", "0", "0")


async def test_figures_that_do_not_fit_are_told(api: StackClient, company: SandboxCompany) -> None:
    """In doubt nothing is freed, and a person is told with the figures; it heals when they fit."""
    bill = await billed(api, company)
    company.does("bill", number="PO-1", invoice_number="S-1", lines=[{"line": 1, "quantity": "2"}])
    await api.sync()
    assert ledger(await api.order("PO-1"))[2] == 12
    # A part of the quantities shows an hour later: the order counts neither all bills nor all bills less the credit.
    company.switch(quantity_delay_seconds=3600, status_delay_seconds=3600)
    company.does("bill", number="PO-1", invoice_number="S-2", lines=[{"line": 1, "quantity": "1"}])
    credits(company, bill, "4")
    await api.sync()
    assert await left(api) == figures("12", "0", "0", "-2")
    issue = await api.issue("CREDIT_UNCLEAR")
    assert "line 1: 12 billed, 12 of it by bills, 4 credited" in issue["cause"]
    company.pass_time(3700)
    company.switch(quantity_delay_seconds=0, status_delay_seconds=0)
    company.does("edit_purchase_order", number="PO-1", memo="saved again")
    await api.sync()
    assert await left(api) == figures("13", "0", "4", "1")
    assert await api.issues() == []


async def test_a_credit_before_the_first_sync_counts_from_the_beginning(
    api: StackClient, company: SandboxCompany
) -> None:
    """S1-11: orders, bills and credits come in together; the order is read whole for its credit."""
    company.switch(over_billing="accept")
    company.order("PO-1", "10", "5")
    company.does("receive", number="PO-1")
    company.does("bill", number="PO-1", invoice_number="S-1", lines=[{"line": 1, "quantity": "10"}])
    company.does("credit_bill", number="S-1", lines=[{"line": 1, "quantity": "4"}], document_number="CM-1")
    await api.start()
    assert await left(api) == figures("10", "0", "4", "4")
    await api.billed("PO-1", {1: "4", 2: "5"})
    assert (await left(api))[-1] == 0


async def test_the_report_of_goods_not_invoiced_knows_credits(api: StackClient, company: SandboxCompany) -> None:
    """GRNI: ten received, ten billed, four credited: four are to be invoiced again."""
    bill = await billed(api, company)
    credits(company, bill, "4")
    await api.sync()
    report: Any = await api.get("/v1/reports/grni", connection=api.connection_id)
    (line,) = report["items"]
    assert amounts(line, "received", "billed", "accrual_quantity", "accrual") == figures("10", "6", "4", "50")
    assert Decimal(line["undated"]) == 0
