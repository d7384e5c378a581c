"""Credits of Intacct's accounts payable: they come in, name their bill or order, and show what is open of them."""

from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts


async def the_credit(api: StackClient, **query: str) -> dict[str, Any]:
    """The one credit of the organization that the filters name, whole."""
    (credit,) = await api.items("/v1/credits", **query)
    shown: dict[str, Any] = await api.get(f"/v1/credits/{credit['id']}")
    return shown


def debit_memo(company: SandboxCompany, number: str, amount: str, **more: Any) -> dict[str, Any]:
    """Somebody types a debit memo into accounts payable."""
    return company.does("add_adjustment", vendor_id="V-1", number=number, amount=amount, entity="100", **more)


async def test_a_debit_memo_comes_in_with_its_bill_and_what_is_open_of_it(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-69, S5-71..77, S4-64: applied there, seen here; unapplied there, open here again; deleted there, gone here."""
    company.order("PO-1", "10")
    await api.start(mode="two_way")
    bill = await api.billed("PO-1", {1: "10"})
    debit_memo(company, "CM-1", "40.00", reference=bill["number"], memo="two were broken")
    await api.sync()
    credit = await the_credit(api, number="CM-1")
    assert (credit["kind"], credit["origin"], credit["status"]) == ("credit", "erp", "open")
    assert amounts(credit, "total", "applied", "open") == (40, 0, 40)
    assert (credit["credit_of"], credit["purchase_order_id"]) == (bill["id"], bill["purchase_order_id"])
    assert [Decimal(line["amount"]) for line in credit["lines"]] == [40]
    payable = (await api.read_bill(bill["id"]))["payable_id"]

    company.does("apply_adjustment", number="CM-1", bill_record_no=payable, amount="30.00")
    await api.sync()
    credit = await the_credit(api, number="CM-1", open="true")
    assert credit["status"] == "partially_applied"
    assert amounts(credit, "total", "applied", "open") == (40, 30, 10)
    (applied,) = credit["applied_to"]
    assert (applied["bill_id"], Decimal(applied["amount"])) == (bill["id"], 30)
    assert amounts(await api.read_bill(bill["id"]), "paid", "due") == (30, 95)
    assert await api.items("/v1/payments", bill=bill["id"]) == []

    company.does("unapply_adjustment", number="CM-1")
    await api.sync()
    credit = await the_credit(api, number="CM-1")
    assert (credit["status"], credit["applied_to"], Decimal(credit["open"])) == ("open", [], 40)
    assert amounts(await api.read_bill(bill["id"]), "paid", "due") == (0, 125)

    company.does("delete_adjustment", number="CM-1")
    await api.sync()
    assert (await the_credit(api, number="CM-1"))["status"] == "deleted"
    assert await api.items("/v1/credits", open="true") == []
    assert await api.issues() == []


async def test_a_reference_names_an_order_and_an_adjustment_that_raises_the_debt_is_no_credit(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-85, S4-64: the order's number in the reference; a credit memo is shown, and counts as nothing."""
    company.order("PO-1", "10")
    await api.start(mode="two_way")
    debit_memo(company, "CM-2", "12.50", reference="PO-1")
    debit_memo(company, "DM-1", "99.00", reference="PO-1", raises=True)
    await api.sync()
    order = await api.order("PO-1")
    credit = await the_credit(api, purchase_order=order["id"])
    assert (credit["number"], credit["reference"], credit["credit_of"]) == ("CM-2", "PO-1", None)
    assert [one["number"] for one in await api.items("/v1/credits")] == ["CM-2"]
    (raised,) = await api.items("/v1/credits", kind="adjustment")
    assert (raised["number"], raised["reference"], raised["purchase_order_id"]) == ("DM-1", "PO-1", None)
    assert amounts(raised, "total", "applied", "open") == (99, 0, 0)
    await api.billed("PO-1", {1: "10"})
