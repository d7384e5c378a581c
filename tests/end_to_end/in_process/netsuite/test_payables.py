"""Bills, credits and payments between the two: ours go out once, what people make in NetSuite comes in."""

from decimal import Decimal

from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    StackClient,
    amounts,
    ledger,
)


async def billed(api: StackClient, company: SandboxCompany, quantity: str = "10") -> dict[str, str]:
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start()
    bill: dict[str, str] = await api.billed("PO-1", {1: quantity})
    return bill


async def test_a_payment_goes_out_and_the_bill_shows_it(api: StackClient, company: SandboxCompany) -> None:
    """S4-38, S4-39, S5-34..42: in part, then the rest; one payment each, applied to the bill."""
    bill = await billed(api, company)
    await api.payment_is(await api.pay(bill["id"], "50.00"), "paid")
    assert amounts(await api.bill_is(bill["id"], "partially_paid"), "paid", "due") == (Decimal(50), Decimal(75))
    await api.payment_is(await api.pay(bill["id"], "75.00"), "paid")
    assert amounts(await api.bill_is(bill["id"], "paid"), "paid", "due") == (Decimal(125), Decimal(0))
    document = company.one("bills", external_id=bill["external_key"])
    assert (document["state"], Decimal(document["due"])) == ("Paid In Full", 0)
    payments = company.held("payments")
    assert sorted(Decimal(payment["amount"]) for payment in payments) == [50, 75]
    assert [[detail["bill_record_no"] for detail in payment["details"]] for payment in payments] == [
        [document["record_no"]]
    ] * 2


async def test_a_lost_answer_makes_no_second_payment(api: StackClient, company: SandboxCompany) -> None:
    """S4-39: looked up by its external id before it is sent again."""
    bill = await billed(api, company)
    company.breaks("lost_answer", "add", object="vendorPayment")
    await api.payment_is(await api.pay(bill["id"], "125.00"), "paid")
    assert company.fired("lost_answer") == 1
    assert len(company.held("payments")) == 1


async def test_a_payment_made_in_netsuite_comes_in(api: StackClient, company: SandboxCompany) -> None:
    """S4-26, S4-39: the bill shows what is paid and due there; taken back there, it is due again."""
    bill = await billed(api, company)
    company.does("pay_bill", number=bill["number"], amount="25.00")
    await api.sync()
    assert amounts(await api.bill_is(bill["id"], "partially_paid"), "paid", "due") == (Decimal(25), Decimal(100))
    (payment,) = company.held("payments")
    company.does("delete", kind="payment", record_no=payment["record_no"])
    await api.sync()
    assert amounts(await api.bill_is(bill["id"], "synced"), "paid", "due") == (Decimal(0), Decimal(125))


async def test_a_credit_made_in_netsuite_lowers_what_is_due(api: StackClient, company: SandboxCompany) -> None:
    """S5-71: applied there, it is applied here; the credit itself comes in as a bill below zero."""
    bill = await billed(api, company)
    company.does("add_credit", vendor_id="V-1", number="CM-1", amount="25.00", bill=bill["number"])
    await api.sync()
    assert amounts(await api.bill_is(bill["id"], "partially_paid"), "total", "due") == (Decimal(125), Decimal(100))
    (credit,) = [one for one in await api.items("/v1/bills") if one["number"] == "CM-1"]
    assert (credit["origin"], Decimal(credit["total"]), credit["purchase_order_id"]) == ("erp", -25, None)
    assert ledger(await api.order("PO-1"))[2:] == (Decimal(10), Decimal(0))
    await api.payment_is(await api.pay(bill["id"], "100.00"), "paid")
    await api.bill_is(bill["id"], "paid")


async def test_a_bill_made_in_netsuite_counts_and_is_linked(api: StackClient, company: SandboxCompany) -> None:
    """S4-16, S4-71: what people bill there takes its part of the order; one without an order comes in unlinked."""
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start(mode="three_way")
    company.does("bill", number="PO-1", invoice_number="S-1", lines=[{"line": 1, "quantity": "4"}])
    company.does("add_bill", vendor_id="V-1", number="S-2", amount="80.00")
    await api.sync()
    assert ledger(await api.order("PO-1"))[2:] == (Decimal(4), Decimal(0))
    (theirs,) = await api.bills_of("PO-1")
    assert (theirs["number"], theirs["origin"], theirs["linked_in_erp"]) == ("S-1", "erp", True)
    assert {bill["number"] for bill in await api.items("/v1/bills")} == {"S-1", "S-2"}
    await api.billed("PO-1", {1: "6"})
    await api.order_is("PO-1", "filled")


async def test_a_bill_deleted_in_netsuite_frees_the_order(api: StackClient, company: SandboxCompany) -> None:
    """S1-26, S4-27: it is told, and a new bill takes its place."""
    bill = await billed(api, company)
    company.does("delete", kind="bill", number=bill["number"])
    await api.sync()
    await api.bill_is(bill["id"], "deleted")
    assert ledger(await api.order("PO-1"))[2:] == (Decimal(0), Decimal(0))
    await api.billed("PO-1", {1: "10"})
    assert len(company.held("bills")) == 1


async def test_an_edit_reaches_netsuite_and_keeps_the_links(api: StackClient, company: SandboxCompany) -> None:
    """S5-136: memo and line text; the lines stay linked to the order."""
    bill = await billed(api, company)
    body = {"memo": "Second delivery", "lines": [{"line_no": 1, "description": "Blue ones"}]}
    answer = await api.patch(f"/v1/bills/{bill['id']}", body, role="clerk")
    assert answer.status_code == 200, answer.text

    async def there() -> bool:
        return company.one("bills", external_id=bill["external_key"])["memo"] == "Second delivery"

    await api.until(there, "the edit in NetSuite")
    document = company.one("bills", external_id=bill["external_key"])
    assert [line["description"] for line in document["lines"]] == ["Blue ones"]
    assert all(line["order_doc"] for line in document["lines"])
    assert company.one("purchase_orders", number="PO-1")["state"] == "Fully Billed"
