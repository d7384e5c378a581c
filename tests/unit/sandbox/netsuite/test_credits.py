"""Vendor credits and return authorizations: what they are made from, what they are applied to (reference 3.4, 4)."""

from typing import Any

import pytest

from tests.unit.sandbox.netsuite.suite import Suite, any_of, basic, bill


async def billed(suite: Suite, quantity: str = "10") -> tuple[dict[str, Any], str]:
    """An order of 10 and 10, received; a bill INV-1 of its first line."""
    order = await suite.order()
    await suite.act("receive", number="PO-1")
    created = await suite.add(bill(order, (1, quantity)))
    assert created.ok, created.reasons
    return order, created.id


def credit(bill_id: str, *lines: str, apply: str = "") -> str:
    """A vendorCredit of a bill: its lines as they are given, applied to the bill."""
    applied = (
        f'<p:applyList replaceAll="false"><p:apply><p:apply>true</p:apply><p:doc>{bill_id}</p:doc>'
        f"<p:amount>{apply}</p:amount></p:apply></p:applyList>"
    )
    return (
        f'<m:record xsi:type="p:VendorCredit"><p:tranId>CR-1</p:tranId><p:createdFrom internalId="{bill_id}"/>'
        f'<p:entity internalId="501"/><p:itemList replaceAll="false">{"".join(lines)}</p:itemList>'
        f"{applied if apply else ''}</m:record>"
    )


def line(order_line: str, quantity: str, item: str = "") -> str:
    named = f'<p:item internalId="{item}"/>' if item else ""
    return f"<p:item>{named}<p:orderLine>{order_line}</p:orderLine><p:quantity>{quantity}</p:quantity></p:item>"


async def counted(suite: Suite) -> tuple[str, str]:
    """What the order's first line counts as billed, and the order's status."""
    order = await suite.one("purchase_orders", "PO-1")
    return order["lines"][0]["billed"], order["state"]


async def test_a_credit_proposed_from_a_bill_names_its_lines(suite: Suite) -> None:
    """Reference 3.4: createdFrom is the bill, orderLine the bill's line, the apply list has the bill."""
    _, bill_id = await billed(suite)
    reply = await suite.initialize("vendorCredit", "vendorBill", bill_id)
    assert reply.all("//p:createdFrom/@internalId") == [bill_id]
    assert (reply.texts("//p:orderLine"), reply.texts("//p:item/p:quantity")) == (["1"], ["10.0"])
    assert reply.texts("//p:applyList/p:apply/p:doc") == [bill_id]
    assert not reply.all("//p:orderDoc")
    assert await suite.held("credits") == []


async def test_a_credit_made_from_a_bill_is_read_with_its_links(suite: Suite) -> None:
    """Reference 4: lines have orderLine and no orderDoc; what is applied names the bill, and lowers what is due."""
    _, bill_id = await billed(suite)
    created = await suite.add(credit(bill_id, line("1", "4"), apply="20"))
    assert created.ok, created.reasons
    reply = await suite.get("vendorCredit", created.id)
    assert reply.all("//p:createdFrom/@internalId") == [bill_id]
    assert reply.texts("//p:createdFrom/c:name") == ["Bill #INV-1"]
    assert [reply.texts(f"//p:itemList/p:item/p:{name}") for name in ("orderLine", "quantity", "rate", "amount")] == [
        ["1"], ["4.0"], ["5.00"], ["20.0"],
    ]  # fmt: skip
    assert (reply.text("//p:applied"), reply.text("//p:unApplied")) == ("20.0", "0.0")
    assert (await suite.one("bills", "INV-1"))["due"] == "30"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (line("7", "1"), "INVALID_KEY_OR_REF"),
        (line("1", "1", item="302"), "USER_ERROR"),
        ("", "VALID_LINE_ITEM_REQD"),
    ],
)
async def test_a_line_of_a_credit_is_one_of_its_bill(suite: Suite, lines: str, code: str) -> None:
    """Reference 6.2: a line the bill does not have is a bad reference; another item an error of its own."""
    _, bill_id = await billed(suite)
    reply = await suite.add(credit(bill_id, lines))
    assert not reply.ok
    assert reply.codes == [code]


@pytest.mark.parametrize("lowers", [False, True])
async def test_whether_a_credit_lowers_what_is_billed_is_a_switch(suite: Suite, lowers: bool) -> None:
    """Not verified; deleted or voided, the credit gives it back."""
    await suite.switch(credits_lower_billed=lowers)
    order, _ = await billed(suite)
    await suite.add(bill(order, (2, "10"), number="INV-2"))
    assert await counted(suite) == ("10", "Fully Billed")
    after = ("6", "Pending Bill") if lowers else ("10", "Fully Billed")
    created = await suite.act(
        "credit_bill", number="INV-1", lines=[{"line": 1, "quantity": "4"}], document_number="CR-1"
    )
    assert created["details"][0]["amount"] == "20"
    assert await counted(suite) == after
    assert (await suite.add(bill(order, (1, "4"), number="INV-3"))).ok is lowers
    await suite.act("edit_credit", number="CR-1", line=1, quantity="2", apply=False)
    if lowers:
        assert await counted(suite) == ("12", "Fully Billed")
        await suite.act("delete", kind="bill", number="INV-3")
        assert await counted(suite) == ("8", "Pending Bill")
    await suite.act("void_credit", number="CR-1")
    assert await counted(suite) == ("10", "Fully Billed")
    assert (await suite.one("bills", "INV-1"))["due"] == "50"
    (voided,) = await suite.held("credits")
    assert (voided["amount"], voided["memo"], voided["details"]) == ("0", "VOID", [])


async def test_a_credit_of_money_alone_moves_no_quantity(suite: Suite) -> None:
    """A quantity of zero with an amount."""
    await suite.switch(credits_lower_billed=True)
    await billed(suite)
    created = await suite.act("credit_bill", number="INV-1", lines=[{"line": 1, "quantity": "0", "amount": "7.50"}])
    assert (created["amount"], created["lines"][0]["quantity"]) == ("7.5", "0")
    assert (await counted(suite))[0] == "10"


async def test_goods_are_returned_and_then_credited(suite: Suite) -> None:
    """Reference 3.4: bill, return authorization, credit; each line names the one before it."""
    await suite.switch(credits_lower_billed=True)
    _, bill_id = await billed(suite)
    proposed = await suite.initialize("vendorReturnAuthorization", "vendorBill", bill_id)
    assert (proposed.texts("//p:orderLine"), proposed.all("//p:createdFrom/@internalId")) == (["1"], [bill_id])
    goods = await suite.act("authorize_return", number="INV-1", lines=[{"line": 1, "quantity": "3"}])
    assert (goods["state"], goods["created_from"]) == ("_pendingReturn", bill_id)
    assert (await counted(suite))[0] == "10"
    created = await suite.act("credit_return", record_no=goods["record_no"], document_number="CR-2")
    assert (created["created_from"], created["lines"][0]["order_line"]) == (
        goods["record_no"],
        goods["lines"][0]["line"],
    )
    assert created["details"] == [{"bill": "INV-1", "bill_record_no": bill_id, "amount": "15"}]
    assert (await counted(suite))[0] == "7"
    (goods,) = await suite.held("returns")
    assert goods["state"] == "_credited"
    again = await suite.initialize("vendorCredit", "vendorReturnAuthorization", goods["record_no"])
    assert again.codes == ["INVALID_INITIALIZE_REF"]
    assert (await suite.delete("vendorReturnAuthorization", goods["record_no"])).codes == ["CANT_DELETE_TRANS"]


async def test_a_bill_that_was_credited_stays(suite: Suite) -> None:
    """Reference 6.2: a linked document is in the way, applied or not."""
    _, bill_id = await billed(suite)
    created = await suite.act("credit_bill", number="INV-1", apply=False)
    assert created["details"] == []
    assert (await suite.delete("vendorBill", bill_id)).codes == ["CANT_DELETE_TRANS"]
    await suite.delete("vendorCredit", created["record_no"])
    assert (await suite.delete("vendorBill", bill_id)).ok


async def test_credits_are_found_by_what_they_are_made_from(suite: Suite) -> None:
    """Reference 3.3."""
    order, bill_id = await billed(suite)
    goods = await suite.act("authorize_return", number="INV-1", lines=[{"line": 1, "quantity": "3"}])
    created = await suite.act("credit_return", record_no=goods["record_no"])
    plain = await suite.act("credit_bill", number="INV-1", lines=[{"line": 1, "quantity": "1"}])

    async def of(source: str) -> set[str]:
        types = any_of("type", "_vendorCredit", "_vendorReturnAuthorization")
        reply = await suite.ask(basic(any_of("createdFrom", source) + types))
        return set(reply.all("//c:record/@internalId"))

    assert await of(bill_id) == {goods["record_no"], plain["record_no"]}
    assert await of(goods["record_no"]) == {created["record_no"]}
    assert await of(order["record_no"]) == set()
