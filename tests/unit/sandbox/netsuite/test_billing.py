"""Vendor bills, payments and credits: links, refusals, exactly-once, what they move (reference 3.4, 3.5, 5, 7)."""

from typing import Any

import pytest

from tests.unit.sandbox.netsuite.suite import Suite, bill, payment


async def received(suite: Suite, number: str = "PO-1", lines: int = 2) -> dict[str, Any]:
    order = await suite.order(number, lines)
    await suite.act("receive", number=number)
    return order


async def test_bill_in_advance_of_receipt_is_off_and_can_be_turned_on(suite: Suite) -> None:
    """S4-70; reference 5.2."""
    order = await suite.order()
    reply = await suite.initialize("vendorBill", "purchaseOrder", order["record_no"])
    assert reply.codes == ["INVALID_INITIALIZE_REF"]
    assert reply.reasons == f"You can not initialize vendorBill: invalid reference {order['record_no']}."
    assert (await suite.add(bill(order, (1, "1")))).codes == ["USER_ERROR"]
    assert await suite.held("bills") == []
    await suite.switch(bill_in_advance=True)
    assert (await suite.initialize("vendorBill", "purchaseOrder", order["record_no"])).ok
    assert (await suite.add(bill(order, (1, "1")))).ok
    assert (await suite.one("purchase_orders", "PO-1"))["state"] == "Pending Receipt"


async def test_a_refused_bill_goes_through_once_the_receipt_is_there(suite: Suite) -> None:
    """S4-70: the issue heals by itself."""
    order = await suite.order()
    assert not (await suite.add(bill(order, (1, "4"), key="b-1"))).ok
    await suite.act("receive", number="PO-1", lines=[{"line": 1, "quantity": "4"}])
    assert (await suite.add(bill(order, (1, "4"), key="b-1"))).ok


async def test_nothing_left_to_bill(suite: Suite) -> None:
    """Reference 3.4, 5.2."""
    order = await suite.order()
    await suite.act("receive", number="PO-1", lines=[{"line": 1, "quantity": "4"}])
    await suite.act("bill", number="PO-1", invoice_number="I-1")
    assert (await suite.initialize("vendorBill", "purchaseOrder", order["record_no"])).codes == ["VALID_LINE_ITEM_REQD"]


async def test_initialize_fills_what_is_billable_and_stores_nothing(suite: Suite) -> None:
    """Reference 3.4, checklist 9."""
    order = await suite.order()
    await suite.act("receive", number="PO-1", lines=[{"line": 2, "quantity": "3"}])
    reply = await suite.initialize("vendorBill", "purchaseOrder", order["record_no"])
    assert reply.texts("//p:orderDoc") == [order["record_no"]]
    assert reply.texts("//p:orderLine") == ["4"]
    assert reply.texts("//p:quantity") == ["3.0"]
    assert reply.texts("//p:rate") == ["5.00"]
    assert await suite.held("bills") == []


async def test_a_bill_that_names_orders_takes_what_is_billable(suite: Suite) -> None:
    """Reference 5.3."""
    first = await received(suite)
    second = await suite.order("PO-2", 1)
    await suite.act("receive", number="PO-2", lines=[{"line": 1, "quantity": "3"}])
    refs = "".join(f'<c:recordRef internalId="{order["record_no"]}"/>' for order in (first, second))
    reply = await suite.add(
        '<m:record xsi:type="p:VendorBill"><p:entity internalId="501"/><p:tranId>INV-1</p:tranId>'
        f"<p:purchaseOrderList>{refs}</p:purchaseOrderList></m:record>"
    )
    assert reply.ok, reply.reasons
    lines = (await suite.one("bills", "INV-1"))["lines"]
    assert [(line["po_number"], line["quantity"]) for line in lines] == [("PO-1", "10"), ("PO-1", "10"), ("PO-2", "3")]


@pytest.mark.parametrize("switch", ["refuse", "accept"])
async def test_more_than_was_received(suite: Suite, switch: str) -> None:
    """Reference 5.2: not verified, so a switch."""
    await suite.switch(over_billing=switch)
    order = await received(suite)
    reply = await suite.add(bill(order, (1, "10.5")))
    assert reply.codes == ([] if switch == "accept" else ["USER_ERROR"])


async def test_a_bill_has_what_the_order_has(suite: Suite) -> None:
    """Reference 4: header amount, status, number, price and link of every line."""
    order = await received(suite)
    created = (await suite.add(bill(order, (1, "4"), (2, "2")))).id
    reply = await suite.get("vendorBill", created)
    assert reply.text("//p:userTotal") == "30.0"
    assert reply.text("//p:status") == "Open"
    assert reply.text("//p:transactionNumber") == "VENDBILL1"
    assert reply.texts("//p:orderLine") == ["1", "4"]
    assert reply.texts("//p:rate") == ["5.00", "5.00"]
    assert reply.texts("//p:terms/c:name") == ["Net 30"]
    assert [line["order_doc"] for line in (await suite.one("bills", "INV-1"))["lines"]] == [order["record_no"]] * 2


async def test_a_second_add_with_the_external_id_is_told_so(suite: Suite) -> None:
    """Reference 7: exactly-once by external id, whatever its case and the transaction's type."""
    order = await received(suite)
    first = (await suite.add(bill(order, (1, "4"), key="posync-bill-1"))).id
    again = await suite.add(bill(order, (1, "4"), key="POSYNC-BILL-1", number="other"))
    assert again.codes == ["DUP_RCRD"]
    assert (await suite.add(payment(first, "5", key="posync-bill-1"))).codes == ["DUP_RCRD"]
    assert len(await suite.held("bills")) == 1
    assert (await suite.get("vendorBill", external_id="posync-BILL-1")).all("//m:record/@internalId") == [first]


async def test_upsert_adds_then_updates_and_takes_no_internal_id(suite: Suite) -> None:
    """Reference 3.5, 7."""
    order = await received(suite)
    first = (await suite.add(bill(order, (1, "4"), key="u-1"), "upsert")).id
    assert (await suite.add(bill(order, (1, "6"), key="u-1"), "upsert")).id == first
    changed = bill(order, (1, "1"), key="u-1").replace("externalId", f'internalId="{first}" externalId')
    assert (await suite.add(changed, "upsert")).codes == ["USER_ERROR"]
    assert (await suite.add(bill(order, (1, "1")), "upsert")).codes == ["EXTERNALID_REQD"]


@pytest.mark.parametrize(("replace", "lines"), [("false", ["4", "9"]), ("true", ["9"]), (None, ["9"])])
async def test_lines_that_an_update_does_not_name(suite: Suite, replace: str | None, lines: list[str]) -> None:
    """Reference 3.5: replaceAll is true unless it is said to be false."""
    order = await received(suite)
    created = (await suite.add(bill(order, (1, "4"), (2, "2")))).id
    mode = "" if replace is None else f' replaceAll="{replace}"'
    line = f"<p:item><p:line>4</p:line><p:orderDoc>{order['record_no']}</p:orderDoc><p:orderLine>4</p:orderLine>"
    reply = await suite.add(
        f'<m:record xsi:type="p:VendorBill" internalId="{created}"><p:itemList{mode}>{line}<p:quantity>9</p:quantity>'
        "</p:item></p:itemList></m:record>",
        "update",
    )
    assert reply.ok, reply.reasons
    [stored] = await suite.held("bills")
    assert [entry["quantity"] for entry in stored["lines"]] == lines
    billed = [entry["billed"] for entry in (await suite.one("purchase_orders", "PO-1"))["lines"]]
    assert billed == (["4", "9"] if replace == "false" else ["0", "9"])


async def test_replaced_lines_without_a_link_unlink_the_bill(suite: Suite) -> None:
    """Reference 5.3."""
    order = await received(suite, lines=1)
    created = (await suite.add(bill(order, (1, "4")))).id
    line = '<p:item><p:item internalId="301"/><p:quantity>4</p:quantity><p:rate>5</p:rate></p:item>'
    reply = await suite.add(
        f'<m:record xsi:type="p:VendorBill" internalId="{created}"><p:itemList>{line}</p:itemList></m:record>', "update"
    )
    assert reply.ok, reply.reasons
    assert (await suite.one("purchase_orders", "PO-1"))["lines"][0]["billed"] == "0"


async def test_a_field_is_blanked_by_the_null_list(suite: Suite) -> None:
    """Reference 3.5."""
    order = await received(suite)
    created = (await suite.add(bill(order, (1, "4"), more="<p:memo>gone soon</p:memo>"))).id
    assert (await suite.one("bills", "INV-1"))["memo"] == "gone soon"
    await suite.add(
        f'<m:record xsi:type="p:VendorBill" internalId="{created}"><c:nullFieldList><c:name>memo</c:name>'
        "</c:nullFieldList></m:record>",
        "update",
    )
    assert (await suite.one("bills", "INV-1"))["memo"] is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((">501<", ">999<"), None),
        (('<p:entity internalId="501"/>', ""), "USER_ERROR"),
        (('<p:entity internalId="501"/>', '<p:entity internalId="999"/>'), "INVALID_KEY_OR_REF"),
        (("<p:orderLine>1<", "<p:orderLine>2<"), "INVALID_KEY_OR_REF"),
        (("<p:tranId>INV-1<", f"<p:tranId>{'9' * 46}<"), "EXCEEDED_MAX_FIELD_LENGTH"),
        (("<p:tranId>", "<p:status>Open</p:status><p:tranId>"), None),
        (("<p:tranId>", '<p:account internalId="205"/><p:tranId>'), None),
    ],
)
async def test_what_a_bill_is_refused_for(suite: Suite, change: tuple[str, str], code: str | None) -> None:
    """Reference 6.2; a change that breaks the order of elements is a fault instead."""
    order = await received(suite)
    body = bill(order, (1, "4"))
    changed = body.replace(*change)
    reply = await suite.add(changed)
    if changed == body:
        assert reply.ok
    elif code is None:
        assert reply.http.status_code == 500
        assert reply.fault[:2] == ("", "")
        assert "out of order" in reply.fault[2]
    else:
        assert reply.codes == [code], reply.reasons
        assert reply.http.status_code == 200
        assert await suite.held("bills") == []


async def test_read_only_elements_are_errors_unless_ignored(suite: Suite) -> None:
    """Reference 3.1, 3.5."""
    order = await received(suite)
    more = "<p:memo>m</p:memo><p:status>Paid In Full</p:status>"
    refused = await suite.add(bill(order, (1, "4"), more=more))
    assert refused.codes == ["INSUFFICIENT_PERMISSION"]
    ignoring = "<m:preferences><m:ignoreReadOnlyFields>true</m:ignoreReadOnlyFields></m:preferences>"
    created = (await suite.add(bill(order, (1, "4"), more=more), header=ignoring)).id
    assert (await suite.get("vendorBill", created)).text("//p:status") == "Open"


async def test_closed_periods_refuse_bills_until_they_are_opened(suite: Suite) -> None:
    """Reference 6.2."""
    order = await received(suite)
    await suite.act("close_period", through="2026-09-30")
    dated = bill(order, (1, "4")).replace("<p:tranId>", "<p:tranDate>2026-09-15T12:00:00-08:00</p:tranDate><p:tranId>")
    assert (await suite.add(dated)).codes == ["CLOSED_TRAN_PRD"]
    await suite.act("open_period", date="2026-09-15")
    assert (await suite.add(dated)).ok
    assert (await suite.one("bills", "INV-1"))["period"] == "Sep 2026"


@pytest.mark.parametrize(("switch", "day"), [("account", "2026-09-30"), ("given", "2026-10-01")])
async def test_which_day_a_written_moment_means(suite: Suite, switch: str, day: str) -> None:
    """Reference 3.2, 9.1: not verified for writing, so a switch."""
    await suite.switch(written_dates=switch)
    order = await received(suite)
    dated = bill(order, (1, "4")).replace("<p:tranId>", "<p:tranDate>2026-10-01T00:00:00Z</p:tranDate><p:tranId>")
    assert (await suite.add(dated)).ok
    assert (await suite.one("bills", "INV-1"))["date"] == day


async def test_a_number_used_twice_only_warns(suite: Suite) -> None:
    """Reference 3.2, 4: success with a warning; an error for who asks for that, or by switch."""
    order = await received(suite)
    await suite.add(bill(order, (1, "1")))
    warned = await suite.add(bill(order, (1, "1")))
    assert warned.ok
    assert warned.all("//c:statusDetail[@type='WARN']/c:code/text()") == ["WARNING"]
    strict = "<m:preferences><m:warningAsError>true</m:warningAsError></m:preferences>"
    assert (await suite.add(bill(order, (1, "1")), header=strict)).codes == ["WARNING"]
    await suite.switch(duplicate_bill_numbers="refuse")
    assert (await suite.add(bill(order, (1, "1")))).codes == ["DUP_TRANS"]


async def test_another_currency_than_the_orders_is_refused(suite: Suite) -> None:
    """Reference 6.2."""
    order = await suite.order(currency="EUR")
    await suite.act("receive", number="PO-1")
    euro = bill(order, (1, "4"))
    dollars = euro.replace("<p:itemList", '<p:currency internalId="1"/><p:itemList')
    assert (await suite.add(dollars)).codes == ["MISMATCHED_CURRENCY"]
    assert (await suite.add(euro)).ok
    assert (await suite.one("bills", "INV-1"))["currency"] == "EUR"


async def test_bills_that_wait_for_approval(suite: Suite) -> None:
    """Reference 5.1: whether they count in quantityBilled is a switch."""
    order = await received(suite)
    await suite.switch(bill_approval=True, pending_bills_count=False)
    await suite.add(bill(order, (1, "4")))
    assert (await suite.one("bills", "INV-1"))["state"] == "Pending Approval"
    assert (await suite.one("purchase_orders", "PO-1"))["lines"][0]["billed"] == "0"
    await suite.act("approve_bill", number="INV-1")
    assert (await suite.one("bills", "INV-1"))["state"] == "Open"
    assert (await suite.one("purchase_orders", "PO-1"))["lines"][0]["billed"] == "4"


async def test_payments_settle_bills_and_their_going_opens_them(suite: Suite) -> None:
    """S4-26, S4-39; reference 4, 5.3."""
    order = await received(suite)
    owed = (await suite.add(bill(order, (1, "4")))).id
    first = (await suite.add(payment(owed, "15", key="pay-1"))).id
    assert (await suite.one("bills", "INV-1"))["due"] == "5"
    assert (await suite.add(payment(owed, "6"))).codes == ["USER_ERROR"]
    await suite.add(payment(owed, "5", key="pay-2"))
    shown = await suite.one("bills", "INV-1")
    assert (shown["state"], shown["due"]) == ("Paid In Full", "0")
    reply = await suite.get("vendorPayment", first)
    assert (reply.text("//p:total"), reply.text("//p:refNum")) == ("15.0", "INV-1")
    deleted = await suite.delete("vendorBill", owed)
    assert deleted.codes == ["CANT_DELETE_TRANS"]
    await suite.act("void_payment", record_no=first)
    assert (await suite.one("bills", "INV-1"))["due"] == "15"
    assert (await suite.one("bills", "INV-1"))["state"] == "Open"


async def test_credits_are_applied_to_bills(suite: Suite) -> None:
    """Reference 4."""
    order = await received(suite)
    await suite.add(bill(order, (1, "4")))
    credit = await suite.act("add_credit", vendor_id="V-1", number="CR-1", amount="8", bill="INV-1")
    assert credit["details"][0]["amount"] == "8"
    assert (await suite.one("bills", "INV-1"))["due"] == "12"


async def test_an_order_with_receipts_stays(suite: Suite) -> None:
    """Reference 6.2."""
    order = await received(suite)
    reply = await suite.delete("purchaseOrder", order["record_no"])
    assert reply.codes == ["CANT_DELETE_TRANS"]


async def test_a_list_of_writes_is_not_all_or_nothing(suite: Suite) -> None:
    """Reference 3.5: one answer for each record, in order; too many are a fault."""
    order = await received(suite)
    good, bad = bill(order, (1, "1"), number="A"), bill(order, (1, "99"), number="B")
    reply = await suite.ask(f"<m:addList>{good}{bad}{good.replace('>A<', '>C<')}</m:addList>")
    assert reply.all("//m:writeResponse/c:status/@isSuccess") == ["true", "false", "true"]
    assert [one["number"] for one in await suite.held("bills")] == ["A", "C"]
    many = await suite.ask(f"<m:addList>{good * 201}</m:addList>")
    assert many.fault[:2] == ("exceededRecordCountFault", "MAX_RCRDS_EXCEEDED")
