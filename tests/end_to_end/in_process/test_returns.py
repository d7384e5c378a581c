"""Goods that go back to the vendor: they lower what was received once, and a credit is expected until one names them
(R01, R02, R03, R06, R07)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.harness.entered_credits import a_credit, entered
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, ledger, refused

RETURNS = {"return_template": "PO Return"}


def figures(ordered: str, received: str, billed: str, pending: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in (ordered, received, billed, pending))


def gives_back(company: SandboxCompany, invoice: str, quantity: str, number: str, **more: Any) -> str:
    """Somebody enters a return of what a vendor invoice billed, in Intacct's own screens."""
    created = company.does(
        "return_goods", number=invoice, lines=[{"line": 1, "quantity": quantity}], return_number=number, **more
    )
    document: str = created["document_id"]
    return document


async def credited(api: StackClient) -> Decimal:
    """C of the order's first line."""
    order = await api.order("PO-1")
    return Decimal(order["lines"][0]["credited"])


async def returned(api: StackClient) -> Decimal:
    money = await api.get(f"/v1/purchase-orders/{(await api.order('PO-1'))['id']}/money")
    return Decimal(money["lines"][0]["returned_quantity"])


async def start(api: StackClient, company: SandboxCompany, received: str = "10") -> None:
    company.order("PO-1")
    company.does("receive", number="PO-1", receipt_number="RCV-1", lines=[{"line": 1, "quantity": received}])
    await api.connect()
    assert (await api.prefer(**RETURNS))["complete"]
    await api.match("three_way")
    await api.sync()


@pytest.mark.parametrize("reopens", [False, True])
async def test_a_return_lowers_what_was_received_once_and_its_credit_what_is_billed(
    api: StackClient, company: SandboxCompany, reopens: bool
) -> None:
    """R01: the return of a vendor invoice posts its debit memo itself: T and C of the same goods, once each, whatever
    Intacct does to the order's own quantity."""
    company.switch(returns_reopen=reopens)
    await start(api, company)
    bill = await api.billed("PO-1", {1: "10"})
    gives_back(company, bill["external_key"], "4", "RET-1")
    await api.sync()
    order = await api.order("PO-1")
    assert ledger(order) == figures("10", "6", "10", "0")
    assert (await credited(api), await returned(api)) == (4, 4)
    (goods,) = await api.items("/v1/returns")
    assert (goods["number"], goods["purchase_order_number"], Decimal(goods["expected_credit"])) == ("RET-1", "PO-1", 0)
    assert Decimal(goods["lines"][0]["quantity"]) == 4
    assert [credit["number"] for credit in await api.items("/v1/credits")] == goods["credits"]
    refused(await api.enter("PO-1", {1: "5"}), 422, "MATCH_BLOCKED")
    assert await api.issues() == []
    company.does("delete", kind="return", number="RET-1")
    await api.sync()
    assert (ledger(await api.order("PO-1")), await credited(api)) == (figures("10", "10", "10", "0"), 0)
    assert await api.items("/v1/returns") == []


async def test_a_return_without_a_credit_expects_one_until_a_credit_names_it(
    api: StackClient, company: SandboxCompany
) -> None:
    """R01: a definition that posts nothing: 2 of what was billed are expected back at the price that was billed; a
    credit of something else leaves that open, the credit with the return's number as its reference closes it."""
    company.does("set_definition", name="PO Return", fields={"UPDATES_GL": "N"})
    await start(api, company)
    bill = await api.billed("PO-1", {1: "10"})
    worth = 2 * Decimal(bill["total"]) / 10
    gives_back(company, bill["external_key"], "2", "RET-1")
    await api.sync()
    assert (ledger(await api.order("PO-1")), await credited(api)) == (figures("10", "8", "10", "0"), 0)
    (goods,) = await api.items("/v1/returns", open="true", vendor=bill["vendor_id"])
    assert (Decimal(goods["expected_credit"]), Decimal(goods["lines"][0]["expected_quantity"])) == (worth, 2)
    company.does("add_adjustment", vendor_id=bill["vendor_id"], number="CM-1", amount=str(worth), reference="INV-X")
    await api.sync()
    assert [one["number"] for one in await api.items("/v1/returns", open="true")] == ["RET-1"]
    company.does("add_adjustment", vendor_id=bill["vendor_id"], number="CM-2", amount=str(worth), reference="RET-1")
    await api.sync()
    assert await api.items("/v1/returns", open="true") == []
    (goods,) = await api.items("/v1/returns", open="false")
    assert (goods["credits"], Decimal(goods["credited"]), Decimal(goods["expected_credit"])) == (["CM-2"], worth, 0)
    company.does("delete_adjustment", number="CM-2")
    await api.sync()
    assert [one["number"] for one in await api.items("/v1/returns", open="true")] == ["RET-1"]


async def test_returns_are_listed_in_the_order_that_is_asked_for(api: StackClient, company: SandboxCompany) -> None:
    """One page after the other, also of those whose credit is expected; a cursor belongs to its order."""
    company.does("set_definition", name="PO Return", fields={"UPDATES_GL": "N"})
    await start(api, company)
    bill = await api.billed("PO-1", {1: "10"})
    for number in ("RET-2", "RET-1", "RET-3"):
        gives_back(company, bill["external_key"], "1", number)
    await api.sync()

    async def numbers(**query: str) -> list[str]:
        page = await api.get("/v1/returns", limit="1", **query)
        found = [one["number"] for one in page["items"]]
        while page["next_cursor"]:
            page = await api.get("/v1/returns", limit="1", cursor=page["next_cursor"], **query)
            found += [one["number"] for one in page["items"]]
        return found

    assert await numbers(sort="number") == ["RET-1", "RET-2", "RET-3"]
    assert await numbers(sort="-number") == ["RET-3", "RET-2", "RET-1"]
    assert await numbers(sort="-number", open="true") == ["RET-3", "RET-2", "RET-1"]
    last_first = await numbers(sort="-returned_on")
    assert last_first == list(reversed(await numbers()))
    assert sorted(await numbers(sort="vendor_name")) == sorted(last_first)
    first = await api.get("/v1/returns", sort="number", limit="1")
    another = {"sort": "-number", "cursor": first["next_cursor"]}
    answer = await api.http.get(
        "/v1/returns", params=another, headers={"Authorization": f"Bearer {api.keys['viewer']}"}
    )
    refused(answer, 400, "INVALID_CURSOR")


async def test_goods_sent_back_before_they_were_billed_expect_no_credit(
    api: StackClient, company: SandboxCompany
) -> None:
    """R02: a return from the receiver; Intacct counts its line as converted, which bills nothing of it."""
    company.does("set_definition", name="PO Return", fields={"UPDATES_GL": "N"})
    await start(api, company)
    company.does("return_goods", receipt="RCV-1", lines=[{"line": 1, "quantity": "3"}], return_number="RET-1")
    await api.sync()
    order = await api.order("PO-1")
    assert (ledger(order), await returned(api)) == (figures("10", "7", "0", "0"), 3)
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert [(line["order_line_no"], Decimal(line["quantity"])) for line in draft["lines"]] == [(1, 7)]
    await api.billed("PO-1", {1: "7"})
    assert ledger(await api.order("PO-1")) == figures("10", "7", "7", "0")
    (goods,) = await api.items("/v1/returns")
    assert (goods["number"], Decimal(goods["expected_credit"])) == ("RET-1", 0)
    assert await api.issues() == []


async def test_a_lowered_or_deleted_receiver_is_no_return(api: StackClient, company: SandboxCompany) -> None:
    """R03: what was received is less; nothing went back, and no return is listed."""
    await start(api, company)
    company.does("edit_receipt", number="RCV-1", line=1, quantity="6")
    await api.sync()
    assert (ledger(await api.order("PO-1")), await returned(api)) == (figures("10", "6", "0", "0"), 0)
    company.does("delete", kind="receipt", number="RCV-1")
    await api.sync()
    assert (ledger(await api.order("PO-1")), await returned(api)) == (figures("10", "0", "0", "0"), 0)
    assert await api.items("/v1/returns") == []


@pytest.mark.parametrize("mode", ["three_way", "two_way"])
async def test_a_receiver_lowered_below_what_was_billed_expects_a_credit_in_three_way_only(
    api: StackClient, company: SandboxCompany, mode: str
) -> None:
    """R03: 10 received and billed, then the receiver says 5. In 3-way 5 too many are billed, and the vendor owes them;
    in 2-way the bill stays settled. Nothing went back, and the ERP's bill stays as it was."""
    await start(api, company)
    await api.match(mode)
    bill = await api.billed("PO-1", {1: "10"})
    company.does("edit_receipt", number="RCV-1", line=1, quantity="5")
    await api.sync()
    order = await api.order("PO-1")
    assert ledger(order) == figures("10", "5", "10", "0")
    assert (await returned(api), await api.items("/v1/returns")) == (0, [])
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert [line for line in draft["lines"] if line["order_line_no"] == 1] == []
    if mode == "three_way":
        issue = await api.issue("MATCH_WORSE")
        (listed,) = issue["evidence"]["bills"]
        price = Decimal(bill["total"]) / 10
        assert listed["bill_id"] == bill["id"]
        assert listed["credit_expected"] == {"PO-1 line 1": f"5 Each, worth {5 * price:.2f}"}
    else:
        assert await api.issues() == []
    (in_erp,) = company.held("bills")
    assert Decimal(in_erp["total"]) == Decimal(bill["total"])


async def test_a_debit_note_and_a_return_in_any_order_end_the_same(api: StackClient, company: SandboxCompany) -> None:
    """R06, R07: 10 received and billed, 5 credited by hand against the bill, then 5 sent back: 5 kept and 5 billed, and
    nothing is expected; of what is received and not billed nothing is left."""
    company.does("set_definition", name="PO Return", fields={"UPDATES_GL": "N"})
    await start(api, company)
    bill = await api.billed("PO-1", {1: "10"})
    price = Decimal(bill["total"]) / 10
    line_5 = {"order_line_no": 1, "quantity": "5", "amount": str(5 * price), "account": "6000"}
    await entered(api, a_credit(bill, "DN-5", line_5))
    gives_back(company, bill["external_key"], "5", "RET-1")
    await api.sync()
    line = (await api.order("PO-1"))["lines"][0]
    assert [Decimal(line[name]) for name in ("received", "billed", "credited")] == [5, 10, 5]
    (goods,) = await api.items("/v1/returns")
    assert Decimal(goods["expected_credit"]) == 0
    grni = await api.get("/v1/reports/grni", connection=api.connection_id)
    assert [row for row in grni["items"] if (row["purchase_order_number"], row["line_no"]) == ("PO-1", 1)] == []
