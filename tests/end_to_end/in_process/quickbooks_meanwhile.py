"""What people do in QuickBooks while our bill waits or is paid, told once for QuickBooks Online and Desktop."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from tests.end_to_end.in_process.meanwhile import codes
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts, ledger

Connect = Callable[[StackClient], Awaitable[None]]
"""Connect to that QuickBooks, and sync once."""


async def in_review(api: StackClient, company: SandboxCompany, connect: Connect) -> str:
    """A bill of four at 13.00 of an order of ten at 12.50: it waits for an acknowledgement."""
    company.order("PO-1", "10")
    await connect(api)
    line: dict[str, Any] = {"order_line_no": 1, "quantity": "4", "price": "13.00"}
    created = (await api.enter("PO-1", {}, lines=[line])).json()
    assert created["bill"]["status"] == "awaiting_acknowledgement"
    return str(created["bill"]["id"])


async def nothing_is_open(api: StackClient) -> None:
    """No issue is left: what follows a sync may ask QuickBooks once more."""

    async def so() -> bool:
        return await api.issues() == []

    await api.until(so, "no open issue")


async def goes_on(api: StackClient, bill_id: str) -> None:
    """Its cause is gone: the bill waits for what it waited for, and goes out."""
    await api.bill_is(bill_id, "awaiting_acknowledgement")
    await api.acknowledge(bill_id)
    await api.arrived(bill_id)
    assert ledger(await api.order("PO-1")) == (10, 0, 4, 0)
    await nothing_is_open(api)


async def the_rest_is_billed_there(api: StackClient, company: SandboxCompany, connect: Connect) -> None:
    """Two are left to bill, not four; deleted there, it is as it was."""
    bill_id = await in_review(api, company, connect)
    theirs = company.does("bill", number="PO-1", invoice_number="S-1", lines=[{"line": 1, "quantity": "8"}])
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    assert await codes(api, bill_id) == {"QTY_OVER_CEILING", "PRICE_DIFFERS"}
    company.does("delete", kind="bill", record_no=theirs["record_no"])
    await api.sync()
    await goes_on(api, bill_id)


async def the_order_is_closed_and_reopened(api: StackClient, company: SandboxCompany, connect: Connect) -> None:
    """A closed order takes no bill."""
    bill_id = await in_review(api, company, connect)
    company.does("close", number="PO-1")
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    assert "PO_CLOSED" in await codes(api, bill_id)
    company.does("reopen", number="PO-1")
    await api.sync()
    await goes_on(api, bill_id)


async def the_order_is_cut_and_put_back(api: StackClient, company: SandboxCompany, connect: Connect) -> None:
    """Four of three ordered are held."""
    bill_id = await in_review(api, company, connect)
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="3")
    await api.sync()
    await api.bill_is(bill_id, "on_hold")
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="10")
    await api.sync()
    await goes_on(api, bill_id)


async def refused_until_the_order_is_as_it_was(api: StackClient, company: SandboxCompany, connect: Connect) -> None:
    """Cut to three in the same moment, which no sync has seen: four are refused. Put back, the sync has the bill go
    out by itself."""
    company.order("PO-1", "10")
    await connect(api)
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="3")
    bill_id = await api.bill("PO-1", {1: "4"})
    await api.issue("MORE_THAN_ORDERED")
    company.does("edit_purchase_order", number="PO-1", line=1, quantity="10")
    await api.sync()
    await api.arrived(bill_id)
    assert ledger(await api.order("PO-1")) == (10, 0, 4, 0)
    await nothing_is_open(api)


async def our_bill_is_edited_beyond_the_order(api: StackClient, company: SandboxCompany, connect: Connect) -> None:
    """Taken over, and one issue of the order, which closes when the bill is put right there."""
    company.order("PO-1", "10")
    await connect(api)
    bill = await api.billed("PO-1", {1: "4"})
    company.does("edit_bill", number=bill["number"], line=1, price="13.00")
    await api.sync()
    assert Decimal((await api.read_bill(bill["id"]))["total"]) == 52
    assert (await api.issue("MATCH_WORSE"))["subject_kind"] == "purchase_order"
    company.does("edit_bill", number=bill["number"], line=1, price="12.50")
    await api.sync()
    await nothing_is_open(api)


async def our_payment_is_voided_there(api: StackClient, company: SandboxCompany, connect: Connect) -> None:
    """The bill is due again, and is paid once more."""
    company.order("PO-1", "10")
    await connect(api)
    bill = await api.billed("PO-1", {1: "4"})
    payment = await api.pay(bill["id"], "50.00")
    await api.payment_is(payment, "paid")
    (held,) = company.held("payments")
    company.does("void_payment", record_no=held["record_no"])
    await api.sync()
    await api.payment_is(payment, "voided")
    assert amounts(await api.bill_is(bill["id"], "synced"), "paid", "due") == (0, 50)
    await api.payment_is(await api.pay(bill["id"], "50.00"), "paid")
    await api.bill_is(bill["id"], "paid")


Story = Callable[[StackClient, SandboxCompany, Connect], Awaitable[None]]

STORIES: tuple[Story, ...] = (
    the_rest_is_billed_there,
    the_order_is_closed_and_reopened,
    the_order_is_cut_and_put_back,
    refused_until_the_order_is_as_it_was,
    our_bill_is_edited_beyond_the_order,
    our_payment_is_voided_there,
)
