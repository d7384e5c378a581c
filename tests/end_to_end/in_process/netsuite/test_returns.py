"""Goods that go back through NetSuite's return authorizations: what left counts, once, until its credit comes."""

from decimal import Decimal
from typing import Any

import pytest

from tests.end_to_end.in_process.netsuite.credited_order import billed
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts
from tests.harness.variants import first_of


async def kept(api: StackClient) -> tuple[Decimal, ...]:
    """R without what went back, E and C of PO-1."""
    return amounts((await api.order("PO-1"))["lines"][0], "received", "billed", "credited")


def authorized(company: SandboxCompany, bill: dict[str, str], quantity: str, number: str) -> str:
    lines = [{"line": 1, "quantity": quantity}]
    created = company.does("authorize_return", number=bill["number"], lines=lines, document_number=number)
    record: str = created["record_no"]
    return record


async def waiting(api: StackClient, **query: str) -> list[Any]:
    return await api.items("/v1/returns", open="true", **query)


@pytest.mark.parametrize("lowers", first_of(False, True), ids=["received stays", "received falls"])
async def test_what_left_is_received_no_more_and_its_credit_is_expected_until_it_comes(
    api: StackClient, company: SandboxCompany, lowers: bool
) -> None:
    """R01: T is what the fulfilment sent, once, whatever NetSuite's own received quantity does."""
    company.switch(returns_lower_received=lowers)
    bill = await billed(api, company)
    goods = authorized(company, bill, "2", "VRA-7")
    company.does("fulfil_return", record_no=goods, ship_status="picked")
    await api.sync()
    assert (await kept(api), await api.items("/v1/returns")) == ((10, 10, 0), [])
    (picked,) = company.held("fulfilments")
    company.does("delete", kind="fulfilment", record_no=picked["record_no"])
    company.does("fulfil_return", record_no=goods)
    await api.sync()
    assert await kept(api) == (8, 10, 0)
    (open_one,) = await waiting(api, vendor=bill["vendor_id"])
    assert (open_one["number"], Decimal(open_one["expected_credit"])) == ("VRA-7", 25)
    company.does("add_credit", vendor_id="V-1", number="CM-OTHER", amount="25")
    await api.sync()
    assert [one["number"] for one in await waiting(api)] == ["VRA-7"]
    company.does("credit_return", record_no=goods, document_number="CM-R")
    await api.sync()
    assert await kept(api) == (8, 10, 2)
    (closed,) = await api.items("/v1/returns", open="false")
    assert (closed["credits"], Decimal(closed["credited"]), Decimal(closed["expected_credit"])) == (["CM-R"], 25, 0)
    assert await waiting(api) == []
    await api.sync()
    assert await kept(api) == (8, 10, 2)


async def test_goods_that_come_back_after_all_are_received_again(api: StackClient, company: SandboxCompany) -> None:
    """The fulfilment is deleted, then the authorization: nothing went back."""
    bill = await billed(api, company)
    goods = authorized(company, bill, "3", "VRA-8")
    company.does("fulfil_return", record_no=goods, lines=[{"line": 1, "quantity": "1"}])
    await api.sync()
    assert await kept(api) == (9, 10, 0)
    company.does("fulfil_return", record_no=goods)
    await api.sync()
    assert await kept(api) == (7, 10, 0)
    for one in company.held("fulfilments"):
        company.does("delete", kind="fulfilment", record_no=one["record_no"])
    await api.sync()
    assert (await kept(api), await api.items("/v1/returns")) == ((10, 10, 0), [])
    company.does("fulfil_return", record_no=goods)
    await api.sync()
    (shown,) = await api.items("/v1/returns", number="vra-8")
    assert await api.get(f"/v1/returns/{shown['id']}") == shown
    (fulfilled,) = company.held("fulfilments")
    company.does("delete", kind="fulfilment", record_no=fulfilled["record_no"])
    company.does("delete", kind="return", record_no=goods)
    await api.sync()
    assert (await kept(api), await api.items("/v1/returns")) == ((10, 10, 0), [])


async def test_a_credit_of_the_bill_and_a_return_end_the_same_in_any_order(
    api: StackClient, company: SandboxCompany
) -> None:
    """R06: 5 credited against the bill, 5 sent back: 5 kept, 5 billed, and nothing is expected."""
    bill = await billed(api, company)
    lines = [{"line": 1, "quantity": "5"}]
    company.does("credit_bill", number=bill["number"], lines=lines, document_number="CM-5")
    goods = authorized(company, bill, "5", "VRA-9")
    company.does("fulfil_return", record_no=goods)
    await api.sync()
    assert await kept(api) == (5, 10, 5)
    (shown,) = await api.items("/v1/returns")
    assert (Decimal(shown["expected_credit"]), shown["credits"]) == (0, [])
    money = await api.get(f"/v1/purchase-orders/{(await api.order('PO-1'))['id']}/money")
    assert amounts(money["lines"][0], "received_quantity", "billed_quantity", "returned_quantity") == (5, 5, 5)
    report = await api.get("/v1/reports/grni", connection=api.connection_id)
    assert [row for row in report["items"] if row["purchase_order_number"] == "PO-1" and row["line_no"] == 1] == []
