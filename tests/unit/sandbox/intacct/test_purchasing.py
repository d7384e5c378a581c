"""Making, changing and deleting purchasing documents (reference 3.2, 3.4, 6.2)."""

import pytest

from tests.unit.sandbox.wire import Wire, day, invoice, is_, login, query


def update(docid: str, inner: str) -> str:
    return f'<update_potransaction key="{docid}">{inner}</update_potransaction>'


async def test_a_document_answers_its_docid_as_key(wire: Wire) -> None:
    order = await wire.order()
    reply = await wire.ask(invoice(order, {1: "4"}, number="po:6f1c:1"))
    assert reply.key == "Vendor Invoice-po:6f1c:1"
    created = await wire.one("vendor_invoices", "po:6f1c:1")
    assert (created["vendor_number"], created["reference"]) == ("INV-po:6f1c:1", "PO-1")
    assert (created["state"], created["total"], created["entity"]) == ("Pending", "20.00", "100")
    assert created["created_from"] == "Purchase Order-PO-1"


async def test_numbers_come_from_the_sequence_when_none_is_given(wire: Wire) -> None:
    order = await wire.order()
    first = await wire.ask(invoice(order, {1: "1"}, number=""))
    second = await wire.ask(invoice(order, {1: "1"}, number=""))
    assert [first.key, second.key] == ["Vendor Invoice-VI-0001", "Vendor Invoice-VI-0002"]


async def test_without_a_sequence_a_number_is_required(wire: Wire) -> None:
    order = await wire.order()
    await wire.act("set_definition", name="Vendor Invoice", prefix="")
    assert (await wire.ask(invoice(order, {1: "1"}, number=""))).errors[0] == "PL01000127"


async def test_a_number_exists_once_per_definition(wire: Wire) -> None:
    order = await wire.order()
    await wire.ask(invoice(order, {1: "1"}))
    reply = await wire.ask(invoice(order, {1: "1"}))
    assert reply.status == "failure"
    assert reply.errors == ["BL03002185", "BL01001973"]
    assert len(await wire.held("vendor_invoices")) == 1


async def test_definitions_are_case_sensitive(wire: Wire) -> None:
    """S4-62."""
    order = await wire.order()
    reply = await wire.ask(invoice(order, {1: "1"}, definition="vendor invoice"))
    assert reply.errors[0] == "BL03000018"
    assert "Transaction definition 'vendor invoice' does not exist" in reply.reasons


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<unit>Each</unit>", "<unit>each</unit>", "Invalid unit 'each'"),
        ("<unit>Each</unit>", "<unit>Box</unit>", "Invalid unit 'Box'"),
        ("<itemid>IT-1</itemid>", "<itemid>NONE</itemid>", "Invalid item 'NONE'"),
        ("<locationid>100</locationid>", "<locationid/>", "Location ID is required"),
        ("<locationid>100</locationid>", "<locationid>999</locationid>", "Invalid location '999'"),
        ("<vendorid>V-1</vendorid>", "<vendorid>V-9</vendorid>", "Invalid vendor 'V-9'"),
        ("<quantity>1</quantity>", "<quantity>one</quantity>", "Invalid quantity 'one'"),
        ("<quantity>1</quantity>", "<quantity>0</quantity>", "Quantity must not be zero"),
        ("<month>11</month>", "<month>13</month>", "Invalid datecreated"),
        ("<state>Pending</state>", "<state>Converted</state>", "Invalid state 'Converted'"),
        (
            "<locationid>100</locationid>",
            "<locationid>100</locationid><departmentid>D</departmentid>",
            "department 'D'",
        ),
    ],
)
async def test_what_is_missing_or_illegal_is_named(wire: Wire, old: str, new: str, reason: str) -> None:
    await wire.order()
    function = invoice(None, {1: "1"})
    assert old in function
    reply = await wire.ask(function.replace(old, new))
    assert reply.status == "failure"
    assert reply.errors[-1] == "BL01001973"
    assert reason in reply.reasons
    assert await wire.held("vendor_invoices") == []


async def test_a_term_or_a_due_date_is_needed(wire: Wire) -> None:
    order = await wire.order()
    bare = invoice(order, {1: "1"}).replace(f"<datedue>{day(month=12)}</datedue>", "")
    await wire.act("edit_vendor", vendor_id="V-1", term="")
    assert "Due date is missing" in (await wire.ask(bare)).reasons
    with_term = bare.replace("<returnto>", "<termname>Net 15</termname><returnto>", 1)
    assert (await wire.ask(with_term)).status == "success"
    assert (await wire.one("vendor_invoices", "KEY-1"))["due_date"] == "12/05/2026"


async def test_inventory_items_need_a_warehouse(wire: Wire) -> None:
    items = [{"item_id": "BOLT", "item_type": "Inventory", "unit": "Each"}]
    await wire.room("/companies/intacct/load", {"items": items, "vendors": [{"vendor_id": "V-1"}]})
    function = invoice(None, {1: "1"}).replace("IT-1", "BOLT")
    assert "warehouse" in (await wire.ask(function)).reasons


async def test_amounts_are_quantity_times_price_rounded_to_cents(wire: Wire) -> None:
    order = await wire.order()
    await wire.ask(invoice(order, {1: "3"}, price="3.333333"))
    created = await wire.one("vendor_invoices", "KEY-1")
    assert (created["lines"][0]["price"], created["lines"][0]["amount"], created["total"]) == (
        "3.333333",
        "10.00",
        "10.00",
    )


async def test_a_definition_may_be_for_entities_only(wire: Wire) -> None:
    order = await wire.order(entity="")
    await wire.act("set_definition", name="Vendor Invoice", fields={"TD_CREATION_RULE": "Entity only"})
    assert (await wire.ask(invoice(order, {1: "1"}), auth=login(""))).errors[0] == "BL01001973"


async def test_an_update_changes_adds_and_removes_lines_counting_from_one(wire: Wire) -> None:
    order = await wire.order(lines=3)
    inner = (
        '<updatepotransitems><updatepotransitem line_num="1"><quantity>12</quantity><memo>more</memo>'
        '</updatepotransitem><updatepotransitem line_num="2"><itemid/></updatepotransitem><potransitem>'
        "<itemid>IT-2</itemid><quantity>5</quantity><unit>Each</unit><price>1</price><locationid>100</locationid>"
        "</potransitem></updatepotransitems>"
    )
    assert (await wire.ask(update(order["document_id"], f"<message>changed</message>{inner}"))).status == "success"
    changed = await wire.one("purchase_orders", "PO-1")
    assert changed["memo"] == "changed"
    lines = [(line["line_no"], line["item_id"], line["quantity"], line["memo"]) for line in changed["lines"]]
    assert lines == [(1, "IT-1", "12", "more"), (2, "IT-3", "10", "Part 3"), (3, "IT-2", "5", "")]
    assert changed["total"] == "115.00"


async def test_an_empty_element_clears_only_on_wish(wire: Wire) -> None:
    order = await wire.order(memo="keep me")
    function = update(order["document_id"], "<message/>")
    await wire.ask(function)
    assert (await wire.one("purchase_orders", "PO-1"))["memo"] == "keep me"
    await wire.ask(function.replace(" key=", ' set_nulls="true" key='))
    assert (await wire.one("purchase_orders", "PO-1"))["memo"] == ""


async def test_empty_optional_dates_mean_none(wire: Wire) -> None:
    order = await wire.order()
    function = invoice(order, {1: "1"}).replace("<createdfrom>", "<dateposted/><createdfrom>")
    assert (await wire.ask(function)).status == "success"


def with_subtotals(function: str, **amounts: str) -> str:
    rows = "".join(
        f"<subtotal><description>{name}</description><total>{amount}</total><locationid>100</locationid></subtotal>"
        for name, amount in amounts.items()
    )
    return function.replace("</potransitems>", f"</potransitems><subtotals>{rows}</subtotals>")


async def test_subtotals_count_in_the_total_and_reach_the_bill(wire: Wire) -> None:
    """Reference 2.6 and 3.2: SUBTOTAL is the lines alone; the bill behind the invoice carries them as lines."""
    order = await wire.order()
    function = with_subtotals(invoice(order, {1: "1", 2: "2"}), Freight="9.50", Discount="-0.25")
    key = (await wire.ask(function)).key
    [row] = (await wire.ask(query("PODOCUMENT", "TRX_SUBTOTAL TRX_TOTAL", is_("DOCID", key)))).rows
    assert row == {"TRX_SUBTOTAL": "15.00", "TRX_TOTAL": "24.25"}
    created = await wire.one("vendor_invoices", "KEY-1")
    assert created["subtotals"] == [
        {"description": "Freight", "amount": "9.50"},
        {"description": "Discount", "amount": "-0.25"},
    ]
    [bill] = await wire.held("bills")
    assert (bill["total"], [line["amount"] for line in bill["lines"]]) == ("24.25", ["5.00", "10.00", "9.50", "-0.25"])
    whole = await wire.ask(
        f"<read><object>PODOCUMENT</object><keys>{created['record_no']}</keys><fields>*</fields></read>"
    )
    shown = [row.findtext("DESCRIPTION") for row in whole.data.iter("podocumentsubtotals")]
    assert shown == ["Freight", "Discount"]


async def test_subtotals_stay_when_a_line_is_edited_and_go_with_their_document(wire: Wire) -> None:
    order = await wire.order()
    await wire.ask(with_subtotals(invoice(order, {1: "1"}), Freight="9.50"))
    edited = await wire.act("edit_vendor_invoice", number="KEY-1", line=1, price="6")
    assert (edited["total"], len(edited["subtotals"])) == ("15.50", 1)
    [bill] = await wire.held("bills")
    assert bill["total"] == "15.50"
    await wire.act("delete", kind="vendor_invoice", number="KEY-1")
    again = await wire.ask(invoice(order, {1: "1"}, number="KEY-2"))
    assert again.status == "success"
    assert (await wire.one("vendor_invoices", "KEY-2"))["subtotals"] == []


async def test_subtotals_need_a_definition_that_has_them(wire: Wire) -> None:
    """Reference 3.2: only if the definition has subtotals on, by its own names, in the schema's order."""
    order = await wire.order()
    assert (
        "Invalid subtotal 'Carriage'"
        in (await wire.ask(with_subtotals(invoice(order, {1: "1"}), Carriage="5"))).reasons
    )
    turned = with_subtotals(invoice(order, {1: "1"}), Freight="5").replace(
        "<description>Freight</description><total>5</total>", "<total>5</total><description>Freight</description>"
    )
    assert (await wire.ask(turned)).errors == ["XL03000003"]
    await wire.switch(subtotals="")
    refused = await wire.ask(with_subtotals(invoice(order, {1: "1"}), Freight="5"))
    assert "Subtotals are not enabled" in refused.reasons
    assert await wire.held("vendor_invoices") == []


async def test_locked_states_cannot_be_edited(wire: Wire) -> None:
    order = await wire.order()
    for state in ("Submitted", "In Progress", "Partially Converted", "Converted"):
        await wire.act("set_state", number="PO-1", state=state)
        reply = await wire.ask(update(order["document_id"], "<message>x</message>"))
        assert f"is {state} and cannot be edited" in reply.reasons


async def test_closing_and_reopening(wire: Wire) -> None:
    order = await wire.order()
    await wire.ask(update(order["document_id"], "<state>Closed</state>"))
    assert (await wire.one("purchase_orders", "PO-1"))["state"] == "Closed"
    await wire.ask(update(order["document_id"], "<state>Pending</state>"))
    assert (await wire.one("purchase_orders", "PO-1"))["state"] == "Pending"


async def test_the_edit_policy_of_a_definition_holds(wire: Wire) -> None:
    order = await wire.order()
    await wire.act("set_definition", name="Purchase Order", fields={"EDITTYPE": "Never"})
    assert "edit policy" in (await wire.ask(update(order["document_id"], "<message>x</message>"))).reasons


async def test_deleting_by_record_number_and_by_docid(wire: Wire) -> None:
    first, second = await wire.order("PO-1"), await wire.order("PO-2")
    by_number = f"<delete><object>PODOCUMENT</object><keys>{first['record_no']}</keys></delete>"
    assert (await wire.ask(by_number)).status == "success"
    assert (await wire.ask(f'<delete_potransaction key="{second["document_id"]}"/>')).status == "success"
    assert await wire.held("purchase_orders") == []
    assert (await wire.ask(by_number)).status == "failure"


async def test_a_converted_document_cannot_be_deleted(wire: Wire) -> None:
    order = await wire.order()
    await wire.ask(invoice(order, {1: "1"}))
    reply = await wire.ask(f'<delete_potransaction key="{order["document_id"]}"/>')
    assert "was converted and cannot be deleted" in reply.reasons


async def test_a_document_is_handled_at_the_level_that_owns_it(wire: Wire) -> None:
    order = await wire.order()
    for entity, reason in (("", "must be handled there"), ("200", "does not exist")):
        assert reason in (await wire.ask(invoice(order, {1: "1"}), auth=login(entity))).reasons
        assert reason in (await wire.ask(update(order["document_id"], ""), auth=login(entity))).reasons


async def test_approvals_hold_an_order_until_somebody_decides(wire: Wire) -> None:
    await wire.order()
    await wire.switch(approvals=True)
    created = await wire.ask(invoice(None, {1: "1"}, definition="Purchase Order", number="PO-9"))
    assert (await wire.one("purchase_orders", "PO-9"))["state"] == "Submitted"
    decide = f"<approve><PODOCUMENT><DOCID>{created.key}</DOCID><COMMENT>ok</COMMENT></PODOCUMENT></approve>"
    assert (await wire.ask(decide)).status == "success"
    assert (await wire.one("purchase_orders", "PO-9"))["state"] == "Approved"
    assert (await wire.ask(decide.replace("approve", "decline"))).status == "failure"


async def test_external_ids_and_custom_fields(wire: Wire) -> None:
    custom = (
        "<customfields><customfield><customfieldname>SOURCE_APP</customfieldname><customfieldvalue>6f1c"
        "</customfieldvalue></customfield></customfields>"
    )
    order = await wire.order()
    function = invoice(order, {1: "1"}).replace("<currency>", "<externalid>po:1</externalid><currency>")
    function = function.replace("<state>", f"{custom}<state>", 1)
    assert (await wire.ask(function)).status == "success"
    read = (
        "<readByName><object>PODOCUMENT</object><keys>Vendor Invoice-KEY-1</keys><fields>SOURCE_APP</fields>"
        "</readByName>"
    )
    assert (await wire.ask(read)).errors == ["Invalid fields list SOURCE_APP"]
    with_type = read.replace("<fields>", "<docparid>Vendor Invoice</docparid><fields>")
    assert (await wire.ask(with_type)).rows == [{"SOURCE_APP": "6f1c"}]
    change = '<update_potransaction key="po:1" externalkey="true"><message>found</message></update_potransaction>'
    assert (await wire.ask(change)).key == "Vendor Invoice-KEY-1"
