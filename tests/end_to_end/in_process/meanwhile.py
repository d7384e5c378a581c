"""What people do in an ERP between our last read and what is entered here, told once for the ERPs that are asked."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from models import contract
from tests.harness.quickbooks_company import connect
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, ledger, refused


class Screens(NamedTuple):
    """How people do it in one ERP."""

    begin: Callable[[StackClient], Awaitable[None]]
    """Connect, and sync once."""
    bills: str
    """Where our bills stand there, as the sandbox shows them."""
    edit: str
    """The action that edits our bill."""
    number: str
    """What that action calls the supplier's number."""
    shown: str
    """What the sandbox calls the supplier's number of a bill."""
    receives: bool = False
    """Goods come before a bill is taken."""

    def edits(self, company: SandboxCompany, bill: dict[str, Any], **changes: str) -> None:
        """Somebody edits our bill there."""
        found_by = bill["external_key"] if self.edit == "edit_vendor_invoice" else bill["number"]
        company.does(self.edit, number=found_by, **changes)

    async def with_order(
        self, api: StackClient, company: SandboxCompany, *quantities: str, received: bool = True, **columns: Any
    ) -> None:
        """Begin with PO-1, received where that comes first."""
        company.order("PO-1", *quantities, **columns)
        if self.receives and received:
            company.does("receive", number="PO-1")
        await self.begin(api)


async def _start(api: StackClient) -> None:
    await api.start()


Story = Callable[[StackClient, SandboxCompany, Screens], Awaitable[None]]

INTACCT_SCREENS = Screens(_start, "vendor_invoices", "edit_vendor_invoice", "vendor_number", "vendor_number")
NETSUITE_SCREENS = Screens(_start, "bills", "edit_bill", "invoice_number", "number", receives=True)
QUICKBOOKS_SCREENS = Screens(connect, "bills", "edit_bill", "invoice_number", "number")


async def codes(api: StackClient, bill_id: str) -> set[str]:
    """What people must settle on the bill now."""
    needs = (await api.get(f"/v1/bills/{bill_id}/match"))["needs"]
    return {one["code"] for findings in needs.values() for one in findings}


async def the_same_invoice_is_there_already(api: StackClient, company: SandboxCompany, screens: Screens) -> None:
    """B1: order 10 at 5; 4 as X1 typed in there; before the next sync 4 as X1 entered here: one X1 that can be paid.
    Deleted there, ours goes on."""
    await screens.with_order(api, company, "10", price="5.00")
    theirs = company.does("add_bill", vendor_id="V-1", number="X1", amount="20.00")
    answer = await api.enter("PO-1", {1: "4"}, number="X1")
    assert (answer.status_code, answer.json()["match"]["outcome"]) == (201, "OK"), answer.text
    bill_id = answer.json()["bill"]["id"]
    await api.bill_is(bill_id, "on_hold")
    assert await codes(api, bill_id) == {"DUPLICATE_EXACT"}
    await api.until(lambda: _is_found_by_its_code(api, bill_id, "DUPLICATE_EXACT"), "the reason in Temporal's list")
    payable = [bill for bill in company.held("bills") if bill["number"] == "X1"]
    assert [bill["record_no"] for bill in payable] == [theirs["record_no"]]
    await api.sync()
    assert (await api.read_bill(bill_id))["status"] == "on_hold"
    company.does("delete", kind="bill", record_no=theirs["record_no"])
    await api.sync()
    await api.arrived(bill_id)
    assert len([bill for bill in company.held("bills") if bill["number"] == "X1"]) == 1
    assert ledger(await api.order("PO-1"))[2:] == (4, 0)
    assert await api.issues() == []


async def _is_found_by_its_code(api: StackClient, bill_id: str, code: str) -> bool:
    """F10: whoever looks for what a bill waits for finds it, also where it was held just before it was sent."""
    described = await api.temporal.get_workflow_handle(f"bill/{bill_id}").describe()
    return described.typed_search_attributes.get(contract.ISSUE_CODE) == code


async def our_bill_gets_another_number_there(api: StackClient, company: SandboxCompany, screens: Screens) -> None:
    """B2: INV-1 becomes FIXED-1 there; FIXED-1 entered here is the same invoice, and INV-1 is free again."""
    await screens.with_order(api, company, "10", price="5.00")
    bill = await api.billed("PO-1", {1: "4"}, number="INV-1")
    screens.edits(company, bill, **{screens.number: "FIXED-1"})
    await api.sync()
    assert (await api.read_bill(bill["id"]))["number"] == "FIXED-1"
    again = refused(await api.enter("PO-1", {1: "4"}, number="FIXED-1"), 422, "MATCH_BLOCKED")
    assert [finding["code"] for finding in again["match"]["findings"]] == ["DUPLICATE_EXACT"]
    await api.billed("PO-1", {1: "2"}, number="INV-1")
    assert sorted(held[screens.shown] for held in company.held(screens.bills)) == ["FIXED-1", "INV-1"]


async def our_bill_gets_other_figures_there(api: StackClient, company: SandboxCompany, screens: Screens) -> None:
    """B3: 6 and 2 at 5.00; there line 1 becomes 4 at 5.50: 22.00 + 10.00, and four of the ten are billed."""
    await screens.with_order(api, company, "10", "10", price="5.00")
    bill = await api.billed("PO-1", {1: "6", 2: "2"})
    screens.edits(company, bill, line="1", quantity="4", price="5.50")
    await api.sync()
    now = await api.read_bill(bill["id"])
    assert (now["total"], [line["amount"] for line in now["lines"]]) == ("32.00", ["22.00", "10.00"])
    assert [amounts(line, "quantity", "price") for line in now["lines"]] == [(4, Decimal("5.5")), (2, 5)]
    order = await api.order("PO-1")
    assert [ledger(order, line_no)[2] for line_no in (1, 2)] == [4, 2]


async def a_bill_of_nothing(api: StackClient, company: SandboxCompany, screens: Screens) -> None:
    """A10: nothing is left to pay on 0.00, so it is settled, and nobody waits for a payment of it."""
    await screens.with_order(api, company, "10", price="0.00")
    bill = await api.billed("PO-1", {1: "4"})
    await api.sync()
    bill = await api.bill_is(bill["id"], "paid")
    assert (bill["total"], bill["due"]) == ("0.00", "0.00")
    assert len(company.held(screens.bills)) == 1

    async def over() -> bool:
        return f"bill/{bill['id']}" not in await api.running()

    await api.until(over, "its workflow ends")
    assert await api.issues() == []


async def prices_of_many_digits(api: StackClient, company: SandboxCompany, screens: Screens) -> None:
    """A1, A7: billed as ordered, from the draft; no due date is made of the bill's own."""
    ordered = (("0.3333", "99.99", "33.33"), ("3", "0.333333", "1.00"), ("1", "2.675", "2.68"))
    prices = {number: {"price": price} for number, (_, price, _) in enumerate(ordered, 1)}
    quantities = [quantity for quantity, _, _ in ordered]
    company.load(vendors=[{"vendor_id": "V-1", "name": "Vendor One", "term": "Net 30"}])
    await screens.with_order(api, company, *quantities, lines=prices)
    order = await api.order("PO-1")
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    answer = await api.post(f"/v1/purchase-orders/{order['id']}/bills", {**draft, "number": "INV-1"}, role="clerk")
    assert answer.status_code == 201, answer.text
    bill = await api.arrived(answer.json()["bill"]["id"])
    (held,) = company.held(screens.bills)
    there = [(line["quantity"], line["price"], line["amount"]) for line in held["lines"]]
    assert [tuple(map(Decimal, figures)) for figures in there] == [tuple(map(Decimal, one)) for one in ordered]
    assert bill["total"] == "37.01"
    shown = str(held["due_date"] or "")
    own = {today().isoformat(), f"{today():%m/%d/%Y}"}
    assert not own & {shown, shown[:10]}, "the bill date is nobody's due date"


async def two_bills_at_once(api: StackClient, company: SandboxCompany, screens: Screens) -> None:
    """Q37: 10 ordered, two saves of 6 at once: one is taken and one refused, and six are billed there."""
    await screens.with_order(api, company, "10")
    answers = await asyncio.gather(*(api.enter("PO-1", {1: "6"}) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    (taken,) = [answer for answer in answers if answer.status_code == 201]
    (other,) = [answer for answer in answers if answer.status_code == 422]
    finding = refused(other, 422, "MATCH_BLOCKED")["match"]["findings"][0]
    assert (finding["code"], finding["values"]["B"], finding["values"]["b"]) == ("QTY_OVER_CEILING", "6", "6")
    await api.arrived(taken.json()["bill"]["id"])
    (held,) = company.held(screens.bills)
    assert [Decimal(line["quantity"]) for line in held["lines"]] == [6]
    assert ledger(await api.order("PO-1"))[2:] == (6, 0)


async def two_prices_within_one_second(api: StackClient, company: SandboxCompany, screens: Screens) -> None:
    """B15: a line's price becomes 11, a sync; 12 within the same second of the ERP's clock; syncs: 12."""
    await screens.with_order(api, company, "10")
    moment = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    company.stop_clock(moment)
    for price in ("11", "12"):
        company.does_at_once("edit_purchase_order", number="PO-1", line="1", price=price)
        company.stop_clock(moment + timedelta(milliseconds=400))
        await api.sync()
    company.stop_clock(moment + timedelta(minutes=1))
    await api.sync()
    assert Decimal((await api.order("PO-1"))["lines"][0]["price"]) == 12


async def a_line_is_removed_before_the_drafted_one(api: StackClient, company: SandboxCompany, screens: Screens) -> None:
    """B6: the draft is read, line 1 is removed there, and the draft is sent: ITEM-2 is billed; the draft with the
    line that is gone is refused."""
    await screens.with_order(api, company, "10", "5", received=False)
    order = await api.order("PO-1")
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    company.does("edit_purchase_order", number="PO-1", line="1", remove=True)
    if screens.receives:
        company.does("receive", number="PO-1")
    await api.sync()
    path = f"/v1/purchase-orders/{order['id']}/bills"
    whole = {**draft, "number": "INV-1", "total": None}
    refused(await api.post(path, whole, role="clerk"), 409, "ORDER_LINE_GONE")
    answer = await api.post(path, {**whole, "lines": draft["lines"][1:]}, role="clerk")
    assert answer.status_code == 201, answer.text
    bill = await api.arrived(answer.json()["bill"]["id"])
    assert [line["item_id"] for line in bill["lines"]] == [draft["lines"][1]["item_id"]]
    (held,) = company.held(screens.bills)
    assert [(line["item_id"], Decimal(line["quantity"])) for line in held["lines"]] == [("ITEM-2", 5)]
    assert ledger(await api.order("PO-1"))[2:] == (5, 0)


async def a_record_of_the_far_future(api: StackClient, company: SandboxCompany, screens: Screens) -> None:
    """G7: one order stamped in 2999, and what is made and changed after it comes in."""
    company.order("PO-FAR", modified_at="2999-01-01T00:00:00+00:00")
    await screens.with_order(api, company, "10")
    company.pass_time(60)
    company.order("PO-2", modified_at=(datetime.now(UTC) + timedelta(seconds=60)).isoformat())
    await api.sync()
    assert {"PO-1", "PO-2"} <= await api.numbers()
    company.does("edit_purchase_order", number="PO-1", line="1", price="11.00")
    await api.sync()
    assert Decimal((await api.order("PO-1"))["lines"][0]["price"]) == 11
