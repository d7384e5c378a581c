"""`posync bills ...` by the number that people know, on the whole stack: what is typed, shown, and in Intacct's books.

Real: everything but the ERP, which is the sandbox.
"""

from settings import Settings
from tests.harness.approval_walk import let_approve, person, set_approvals
from tests.harness.people import PersonClient
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, ledger
from tests.harness.typed_commands import Typed

VENDOR = "Northern Office Supplies of Leeds and Bradford Ltd"
LONG = "LEEDS-2026-11-30-CONSIGNMENT-0000012345"
"""A number that leaves little room beside it."""


async def approved(typed: Typed, ben: PersonClient, api: StackClient, bill_id: str) -> None:
    """Ben approves INV-1, and it reaches the ERP."""
    assert "approval approved" in await typed("bills", "approve", "inv 1", key=ben.key)
    await api.arrived(bill_id)


async def test_a_bill_lives_its_life_by_its_number(
    api: StackClient, company: SandboxCompany, whole_settings: Settings, typed: Typed
) -> None:
    """Issue 13.9, S2-58, S5-07, S5-08, S5-10: entered, listed, shown, edited, denied, corrected, approved, disputed,
    restored, sent back and deleted; the books after each."""
    company.order("PO-1", "10", vendor_name=VENDOR)
    await api.start()
    ben = await person(api, whole_settings.database_url, "Ben")
    await let_approve(api, [ben])
    await set_approvals(api, enabled=True)

    boss = api.keys["accountant"]

    def books() -> list[tuple[str, str]]:
        return [(one["vendor_number"], one["total"]) for one in company.held("vendor_invoices")]

    assert "awaiting approval" in await typed("bills", "create", "PO-1", "--number", "INV-1", "--line", "1=4")
    listed = await typed("bills", "list", "--approver", ben.email, "--status", "awaiting_approval")
    assert "INV-1" in listed
    assert "50.00" in listed
    (bill,) = await api.items("/v1/bills")
    shown = await typed("bills", "show", "INV-1")
    assert "Lines, for PO-1" in shown
    assert "step 1: Ben to approve, now" in shown
    assert "changed memo" in await typed("bills", "edit", "INV-1", "--memo", "for the shelf")
    assert "approval denied" in await typed("bills", "deny", "INV-1", "--why", "one is broken", key=ben.key)
    assert "awaiting approval" in await typed("bills", "correct", "INV-1", "--line", "1=3")
    shown = await typed("bills", "show", "INV-1")
    assert "denied by Ben: one is broken" in shown
    assert "step 1: Ben to approve, now" in shown, "its figures were corrected: he is asked anew"
    assert books() == []
    await approved(typed, ben, api, bill["id"])
    assert books() == [("INV-1", "37.50")]
    (invoice,) = company.held("vendor_invoices")
    assert invoice["memo"] == "for the shelf"
    shown = await typed("bills", "show", "INV-1")
    assert f"Vendor Invoice-{bill['external_key']}" in shown
    assert "May be edited: memo, due_date" in shown

    asked = await typed("bills", "dispute", "INV-1", "--why", "price", answer="n\n", code=1, key=boss)
    assert f"Vendor Invoice-{bill['external_key']} leaves the ERP (delete), and its quantities are free again." in asked
    assert len(books()) == 1, "nothing is done before the yes"
    await typed("bills", "dispute", "INV-1", "--why", "price", answer="y\n", key=boss)
    await api.bill_is(bill["id"], "disputed")
    assert (books(), ledger(await api.order("PO-1"))) == ([], (10, 0, 0, 0))
    assert "awaiting approval" in await typed("bills", "restore", "INV-1", "--why", "agreed", key=boss)
    await approved(typed, ben, api, bill["id"])
    assert books() == [("INV-1", "37.50")]

    await typed("bills", "retract", "INV-1", "--why", "wrong department", "--yes", key=boss)
    await api.bill_is(bill["id"], "awaiting_approval")
    assert (books(), ledger(await api.order("PO-1"))) == ([], (10, 0, 0, 3))
    await approved(typed, ben, api, bill["id"])
    await api.payment_is(await api.pay(bill["id"], "10.00"), "paid")
    refusal = await typed("bills", "delete", "INV-1", "--why", "twice", "--yes", code=1, key=boss)
    assert "10.00" in refusal
    assert len(books()) == 1
    assert await api.issues() == []


async def test_lists_and_bills_fit_a_terminal_whatever_is_in_them(
    api: StackClient, company: SandboxCompany, typed: Typed
) -> None:
    """Issue 13.9: long numbers and names, several orders on one bill, two vendors with one number; and deleted."""
    company.order("PO-1", "10", vendor_name=VENDOR, price="98765.43")
    company.order("PO-2", "10", vendor_name=VENDOR)
    company.order("PO-3", "10", vendor_id="V-2", vendor_name="Two [of Two] Ltd")
    await api.start()
    other = (await api.order("PO-2"))["id"]
    lines = [
        {"order_line_no": 1, "quantity": "2"},
        {"order_line_no": 1, "quantity": "3", "purchase_order_id": other},
    ]
    bill = await api.billed("PO-1", {}, number=LONG, lines=lines)
    await typed("bills", "create", "PO-3", "--number", LONG, "--line", "1=1")
    everything = await typed("bills", "list")
    assert everything.count(LONG) == 2
    assert "Two [of Two] Ltd" in everything
    refusal = await typed("bills", "show", LONG, code=2)
    assert "more than one" in refusal
    assert bill["id"] in refusal
    shown = await typed("bills", "show", bill["id"])
    assert all(number in shown for number in ("PO-1", "PO-2", "2 of 2 parts in the ERP", "197530.86"))
    assert len(company.held("vendor_invoices")) == 3
    assert "retracting" in await typed(
        "bills", "delete", bill["id"], "--why", "not ours", "--yes", key=api.keys["accountant"]
    )
    await api.bill_is(bill["id"], "deleted")
    assert len(company.held("vendor_invoices")) == 1
    assert LONG in await typed("bills", "list", "--number", LONG.lower(), "--status", "deleted")


async def test_a_bill_on_the_wrong_order_is_moved_by_its_number(
    api: StackClient, company: SandboxCompany, typed: Typed
) -> None:
    """S1-24: taken off its order it is a draft; put on the right one it is in the books of that one alone."""
    company.orders("PO-1", "PO-2")
    await api.start(mode="three_way")
    assert "in review" in await typed("bills", "create", "PO-1", "--number", "INV-7", "--line", "1=4@12.40")
    assert "INV-7: draft; its quantities of order PO-1 are free." in await typed("bills", "unlink", "INV-7")
    assert ledger(await api.order("PO-1")) == (10, 0, 0, 0)
    assert "INV-7" in await typed("bills", "list", "--status", "draft")
    assert "is on order PO-2 now" in await typed("bills", "move", "INV-7", "--to", "PO-2")
    assert ledger(await api.order("PO-2")) == (10, 0, 0, 4)
    await typed("bills", "acknowledge", "INV-7")
    (bill,) = await api.items("/v1/bills")
    await api.arrived(bill["id"])
    (invoice,) = company.held("vendor_invoices")
    assert (invoice["reference"], invoice["total"], invoice["vendor_number"]) == ("PO-2", "49.60", "INV-7")
