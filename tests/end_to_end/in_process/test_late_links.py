"""Bills and credits that people typed into Intacct with an order's number in the reference find that order, whichever
came first (S4-64, S4-71); where it is not clear which, or not that much is left, a person is asked."""

from typing import Any

import pytest

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused


def bill(company: SandboxCompany, number: str, amount: str, reference: str, **more: Any) -> None:
    """Somebody types a bill into accounts payable."""
    values = {"vendor_id": "V-1", "entity": "100", **more}
    company.does("add_bill", number=number, amount=amount, po_number=reference, **values)


def memo(company: SandboxCompany, number: str, amount: str, reference: str, **more: Any) -> None:
    """Somebody types an adjustment: a debit memo, or with `raises` one that raises what is owed."""
    values = {"vendor_id": "V-1", "entity": "100", "reference": reference, **more}
    company.does("add_adjustment", number=number, amount=amount, **values)


async def orders_of(api: StackClient) -> dict[str, str | None]:
    """The order that each bill, credit and adjustment is on, by its number."""
    orders = {one["id"]: one["number"] for one in await api.items("/v1/purchase-orders")}
    documents = [*await api.items("/v1/bills"), *await api.items("/v1/credits")]
    documents += await api.items("/v1/credits", kind="adjustment")
    return {one["number"]: orders.get(one["purchase_order_id"] or "") for one in documents}


async def unclear(api: StackClient) -> dict[str, list[str]]:
    """The candidates of each bill whose reference is not clear, by the bill's number."""
    issues = [one for one in await api.issues() if one["code"] == "REFERENCE_UNCLEAR"]
    return {one["subject_name"]: one["evidence"]["candidates"] for one in issues}


async def test_the_order_comes_later(api: StackClient, company: SandboxCompany) -> None:
    """S4-64: however the number is written; an order of another vendor's bill, and an adjustment that raises what is
    owed, have nothing to do with it. The bill's history says why it is linked."""
    company.order("PO-OTHER", "1")
    company.load(vendors=[{"vendor_id": "V-2", "name": "Vendor Two"}])
    await api.start(mode="two_way")
    bill(company, "S-1", "100.00", "po 1")
    bill(company, "S-2", "10.00", "PO-1", vendor_id="V-2")
    memo(company, "CM-1", "12.50", "PO-1")
    memo(company, "DM-1", "5.00", "PO-1", raises=True)
    await api.sync()
    assert await orders_of(api) == {"S-1": None, "S-2": None, "CM-1": None, "DM-1": None}
    company.order("PO-1", "10")
    await api.sync()
    assert await orders_of(api) == {"S-1": "PO-1", "S-2": None, "CM-1": "PO-1", "DM-1": None}
    linked = next(one for one in await api.bills_of("PO-1") if one["number"] == "S-1")
    shown = await api.read_bill(linked["id"])
    (event,) = [one for one in shown["events"] if one["kind"] == "linked"]
    assert event["why"] == "its reference names the order"
    assert await api.issues() == []


async def test_the_feature_is_switched_on_later(api: StackClient, company: SandboxCompany) -> None:
    """S4-71: what came in without orders is linked once there are some, what the ERP itself links included."""
    company.order("PO-1", "10")
    company.order("PO-2", "10")
    await api.start(purchase_orders=False)
    bill(company, "S-1", "100.00", "PO-1")
    memo(company, "CM-1", "12.50", "PO-1")
    lines = [{"line": "1", "quantity": "4"}]
    company.does("convert_to_vendor_invoice", number="PO-2", invoice_number="S-2", lines=lines)
    await api.sync()
    assert set((await orders_of(api)).values()) == {None}
    await api.match("two_way")
    await api.sync()
    assert await orders_of(api) == {"S-1": "PO-1", "CM-1": "PO-1", "S-2": "PO-2"}
    assert await api.issues() == []


@pytest.mark.parametrize("first", ["orders", "bills"])
async def test_what_is_not_clear_is_asked(api: StackClient, company: SandboxCompany, first: str) -> None:
    """S4-64: two orders of one number, several numbers in the field, and a bill beyond what is left of its order, each
    with the candidates; linked by hand, the issue is over."""

    def enter_orders() -> None:
        company.pass_time(10)
        for number in ("PO-1", "po 1", "PO-2", "PO-3"):
            company.order(number, "10", modified_at=company.now())

    company.load(vendors=[{"vendor_id": "V-1", "name": "Vendor One"}])
    await api.start(mode="two_way")
    if first == "orders":
        enter_orders()
        await api.sync()
    bill(company, "TWINS", "10.00", "PO-1")
    bill(company, "SEVERAL", "10.00", "PO-2, PO-3")
    bill(company, "A-FITS", "100.00", "PO-3")
    bill(company, "BEYOND", "25.01", "PO-3")
    await api.sync()
    if first == "bills":
        assert await unclear(api) == {}
        enter_orders()
        await api.sync()
    assert await unclear(api) == {
        "TWINS": ["PO-1", "po 1"], "SEVERAL": ["PO-2", "PO-3"], "BEYOND": ["PO-3"],
    }  # fmt: skip
    assert await orders_of(api) == {"TWINS": None, "SEVERAL": None, "A-FITS": "PO-3", "BEYOND": None}
    issue = next(one for one in await api.issues() if one["subject_name"] == "BEYOND")
    assert "25.00" in issue["cause"] or "25 left" in issue["cause"]
    (several,) = [one for one in await api.items("/v1/bills") if one["number"] == "SEVERAL"]
    to = {"purchase_order_id": (await api.order("PO-2"))["id"]}
    answer = await api.post(f"/v1/bills/{several['id']}/link", to, role="clerk")
    assert answer.status_code == 200, answer.text
    assert sorted(await unclear(api)) == ["BEYOND", "TWINS"]
    other = {"purchase_order_id": (await api.order("PO-3"))["id"]}
    refused(await api.post(f"/v1/bills/{several['id']}/link", other, role="clerk"), 409, "BILL_ALREADY_LINKED")
    await api.sync()
    assert (await orders_of(api))["SEVERAL"] == "PO-2"
