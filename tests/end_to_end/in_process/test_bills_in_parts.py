"""One invoice over several receipts or orders, from the API to Intacct's books: one bill here, several documents."""

from decimal import Decimal
from typing import Any

import pytest

from models import contract
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts, ledger
from tests.harness.variants import first_of
from tests.harness.workflow_client import details


def received(company: SandboxCompany, *quantities: str) -> None:
    """PO-1 of 10 and 5, of whose first line these receipts came."""
    company.order("PO-1")
    for place, quantity in enumerate(quantities, start=1):
        company.does("receive", number="PO-1", receipt_number=f"RCV-{place}", lines=[{"line": 1, "quantity": quantity}])


def invoices(company: SandboxCompany) -> dict[str, tuple[str, Decimal]]:
    """The vendor invoices in the books: from which document, the supplier's number and the total."""
    return {
        one["created_from"]: (one["vendor_number"], Decimal(one["total"])) for one in company.held("vendor_invoices")
    }


def parts(bill: dict[str, Any]) -> list[tuple[str, str, Decimal, str]]:
    return [(one["source_document"], one["state"], Decimal(one["total"]), one["number"]) for one in bill["parts"]]


async def test_one_invoice_over_two_receipts_and_the_order(api: StackClient, company: SandboxCompany) -> None:
    """W3: entered once under its own number; three vendor invoices that add up to it, with freight and tax on one, paid
    at once by one payment that names each."""
    received(company, "4", "3")
    await api.start(mode="three_way")
    await api.prefer(**{"subtotal.freight": "Freight", "subtotal.tax": "Sales tax"})
    answer = await api.enter(
        "PO-1",
        {1: "9"},
        number="INV-9",
        charges=[{"class": "freight", "amount": "10.00"}],
        tax="0.05",
        lines=[{"order_line_no": 1, "quantity": "9", "price": "12.511", "amount": "112.60"}],
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["match"]["outcome"] == "WARN"
    bill_id = answer.json()["bill"]["id"]
    before = await api.read_bill(bill_id)
    assert [one["state"] for one in before["parts"]] == ["planned"] * 3, "what it will be sent in"
    await api.acknowledge(bill_id)
    bill = await api.arrived(bill_id)
    assert parts(bill) == [
        ("PO Receiver-RCV-1", "in_erp", Decimal("60.09"), "INV-9"),
        ("PO Receiver-RCV-2", "in_erp", Decimal("37.53"), "INV-9"),
        ("Purchase Order-PO-1", "in_erp", Decimal("25.03"), "INV-9"),
    ]
    assert amounts(bill, "total") == (sum(total for _, _, total, _ in parts(bill)),) == (Decimal("122.65"),)
    assert invoices(company) == {source: ("INV-9", total) for source, _, total, _ in parts(bill)}
    assert [receipt["state"] for receipt in company.held("receipts")] == ["Converted", "Converted"]
    assert ledger(await api.order("PO-1")) == (10, 7, 9, 0)
    shown = await details(api.temporal.get_workflow_handle(contract.bill_workflow_id(bill_id)))
    for part in bill["parts"]:
        assert f"part {part['part_no']} of {part['total']} from {part['source_document']}: in erp" in shown
    await api.payment_is(await api.pay(bill_id, bill["due"]), "paid")
    assert {one["due"] for one in (await api.bill_is(bill_id, "paid"))["parts"]} == {"0.00"}
    (payment,) = company.held("payments")
    assert {one["bill_record_no"]: Decimal(one["amount"]) for one in payment["details"]} == {
        part["payable_id"]: Decimal(part["total"]) for part in bill["parts"]
    }
    assert [bill["state"] for bill in company.held("bills")] == ["Paid"] * 3
    await api.sync()
    assert (await api.issues(), len(await api.items("/v1/bills"))) == ([], 1)
    assert ledger(await api.order("PO-1")) == (10, 7, 9, 0)


@pytest.mark.parametrize("numbers", first_of("accept", "refuse"))
async def test_an_invoice_over_two_orders_whatever_the_company_takes_a_number_for(
    api: StackClient, company: SandboxCompany, numbers: str
) -> None:
    """W3: each vendor invoice names its own order; where a number is taken once, `-2` goes behind what is sent."""
    company.switch(same_vendor_number=numbers)
    company.orders("PO-1", "PO-2")
    await api.start()
    other = (await api.order("PO-2"))["id"]
    lines = [
        {"order_line_no": 1, "quantity": "2"},
        {"order_line_no": 1, "quantity": "3", "purchase_order_id": other},
    ]
    bill = await api.billed("PO-1", {}, number="INV-2", lines=lines)
    sent = "INV-2" if numbers == "accept" else "INV-2-2"
    assert invoices(company) == {
        "Purchase Order-PO-1": ("INV-2", Decimal(25)),
        "Purchase Order-PO-2": (sent, Decimal("37.5")),
    }
    assert {one["reference"] for one in company.held("vendor_invoices")} == {"PO-1", "PO-2"}
    for order, billed in (("PO-1", 2), ("PO-2", 3)):
        assert ledger(await api.order(order)) == (10, 0, billed, 0)
    await api.sync()
    bill = await api.read_bill(bill["id"])
    assert (bill["number"], [one["number"] for one in bill["parts"]]) == ("INV-2", ["INV-2", sent])
    assert (await api.issues(), len(await api.items("/v1/bills"))) == ([], 1)


async def test_a_refused_part_waits_and_the_rest_can_be_taken_back(api: StackClient, company: SandboxCompany) -> None:
    """W3: one receipt is billed behind our back; the bill is stopped with all parts shown, nothing is paid, and
    deleting it takes back what is there."""
    received(company, "4", "3")
    await api.start(mode="three_way")
    company.does("convert_to_vendor_invoice", receipt="RCV-2", invoice_number="VI-1", vendor_number="S-1")
    bill_id = await api.bill("PO-1", {1: "7"})
    payment_id = await api.pay(bill_id, "10.00")
    issue = await api.issue("ALREADY_CONVERTED")
    assert "RCV-1" in issue["evidence"]["parts"]
    bill = await api.bill_is(bill_id, "sync_issue")
    assert [one["state"] for one in bill["parts"]] == ["in_erp", "refused"]
    assert bill["parts"][1]["problem"]
    assert set(invoices(company)) == {"PO Receiver-RCV-1", "PO Receiver-RCV-2"}
    assert company.held("payments") == []
    abandoned = await api.post(f"/v1/payments/{payment_id}/abandon", {"reason": "not now"}, role="accountant")
    assert abandoned.status_code in (200, 202), abandoned.text
    now = await api.read_bill(bill_id)
    (delete,) = [one for one in now["actions"] if one["action"] == "delete"]
    answer = await api.post(f"/v1/bills/{bill_id}/delete", {"reason": "billed already"})
    assert (answer.status_code, delete["does"]) == (200, "takes it back from the ERP"), answer.text
    await api.bill_is(bill_id, "deleted")
    assert set(invoices(company)) == {"PO Receiver-RCV-2"}
    await api.sync()
    assert [one for one in await api.issues() if one["subject_id"] == bill_id] == []
    assert ledger(await api.order("PO-1")) == (10, 7, 3, 0)


async def test_a_part_deleted_in_intacct_is_made_again_by_a_retry(api: StackClient, company: SandboxCompany) -> None:
    received(company, "4", "3")
    await api.start(mode="three_way")
    bill = await api.billed("PO-1", {1: "7"})
    company.does("delete", kind="vendor_invoice", number=bill["parts"][1]["external_key"])
    await api.sync()
    issue = await api.issue("BILL_PART_DELETED")
    stopped = await api.bill_is(bill["id"], "sync_issue")
    assert [one["state"] for one in stopped["parts"]] == ["in_erp", "deleted"]
    assert ledger(await api.order("PO-1"))[2] + ledger(await api.order("PO-1"))[3] == 7
    await api.settle(issue, "retry")
    again = await api.arrived(bill["id"])
    assert parts(again) == parts(bill)
    assert again["parts"][1]["document_id"] != bill["parts"][1]["document_id"]
    assert len(company.held("vendor_invoices")) == 2
    await api.sync()
    assert await api.issues() == []
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)


async def test_a_bill_in_parts_is_edited_and_disputed_as_one(api: StackClient, company: SandboxCompany) -> None:
    received(company, "4", "3")
    await api.start(mode="three_way")
    bill = await api.billed("PO-1", {1: "7"})
    answer = await api.patch(f"/v1/bills/{bill['id']}", {"memo": "for the shelf"}, role="accountant")
    assert answer.status_code == 200, answer.text

    async def edited() -> bool:
        return not (await api.read_bill(bill["id"]))["edit_pending"]

    await api.until(edited, "the edit in the ERP")
    assert {one["memo"] for one in company.held("vendor_invoices")} == {"for the shelf"}
    await api.post(f"/v1/bills/{bill['id']}/dispute", {"reason": "price"})
    await api.bill_is(bill["id"], "disputed")
    assert company.held("vendor_invoices") == company.held("bills") == []
    assert ledger(await api.order("PO-1")) == (10, 7, 0, 0)
    await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "agreed"})
    anew = await api.arrived(bill["id"])
    assert [one["state"] for one in anew["parts"]] == ["in_erp", "in_erp"]
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)
    await api.sync()
    assert (await api.issues(), len(await api.items("/v1/bills"))) == ([], 1)


async def credited_by_default(api: StackClient) -> None:
    answer = await api.put(f"/v1/connections/{api.connection_id}/retraction-ways", {"order_bills": "credit"})
    assert answer.status_code == 200, answer.text


async def test_a_bill_in_parts_that_was_credited_is_made_anew_beside_its_sources(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-08, S5-11: both receipts stay converted, so both parts of the next generation convert nothing; E has them all
    the time."""
    received(company, "4", "3")
    await api.start(mode="three_way")
    await credited_by_default(api)
    bill = await api.billed("PO-1", {1: "7"})
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)
    await api.post(f"/v1/bills/{bill['id']}/dispute", {"reason": "price"})
    await api.bill_is(bill["id"], "disputed")
    assert len(company.held("adjustments")) == 2
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)
    await api.sync()
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)
    restored = await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "agreed"})
    assert restored.status_code == 200, restored.text
    anew = await api.arrived(bill["id"])
    assert [(one["state"], Decimal(one["total"])) for one in anew["parts"]] == [
        (one["state"], Decimal(one["total"])) for one in bill["parts"]
    ]
    fresh = [one for one in company.held("vendor_invoices") if one["created_from"] == ""]
    assert [one["number"] for one in fresh] == [f"{anew['external_key']}-P1", f"{anew['external_key']}-P2"]
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)
    await api.sync()
    assert (await api.issues(), len(await api.items("/v1/bills"))) == ([], 1)
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)
    await api.payment_is(await api.pay(bill["id"], anew["due"]), "paid")
    assert {Decimal(one["due"]) for one in company.held("bills")} == {Decimal(0)}


@pytest.mark.parametrize("sources", first_of("converted", "open"))
async def test_a_part_that_was_credited_is_made_again_when_the_rest_stays(
    api: StackClient, company: SandboxCompany, sources: str
) -> None:
    """W3: the second part is credited, the first one is refused; abandoned, the credited one is made again, once,
    beside its receipt where that stays converted. Then all of it is deleted and made anew."""
    company.switch(credited_sources=sources)
    received(company, "4", "3")
    await api.start(mode="three_way")
    await credited_by_default(api)
    bill = await api.billed("PO-1", {1: "7"})
    # The last goes first: the second adjustment is the first part's.
    said = {"errorno": "BL03000018", "message": "This account may not be used today."}
    company.breaks("refused", "create_apadjustment", after=1, **said)
    assert (await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "withdrawn"})).status_code == 200
    issue = await api.issue("VALUE_REFUSED")
    assert len(company.held("adjustments")) == 1
    await api.settle(issue, "abandon")
    again = await api.arrived(bill["id"])
    assert [one["state"] for one in again["parts"]] == ["in_erp", "in_erp"]
    key = f"{bill['external_key']}-P2R"
    (invoice,) = [one for one in company.held("vendor_invoices") if one["number"] == key]
    assert invoice["created_from"] == ("PO Receiver-RCV-2" if sources == "open" else "")
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)
    await api.sync()
    assert (await api.issues(), len(await api.items("/v1/bills"))) == ([], 1)
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)
    answer = await api.put(f"/v1/connections/{api.connection_id}/retraction-ways", {"order_bills": "delete"})
    assert answer.status_code == 200, answer.text
    await api.post(f"/v1/bills/{bill['id']}/delete", {"reason": "withdrawn"})
    await api.bill_is(bill["id"], "deleted")
    left = 3 if sources == "converted" else 0
    assert ledger(await api.order("PO-1")) == (10, 7, left, 0)
    await api.post(f"/v1/bills/{bill['id']}/restore", {"reason": "agreed"})
    await api.arrived(bill["id"])
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)
    await api.sync()
    assert await api.issues() == []
    assert ledger(await api.order("PO-1")) == (10, 7, 7, 0)
