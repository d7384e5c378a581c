"""From order to receiver to vendor invoice: links, quantities, states, conversion modes (reference 2.6, 3.3)."""

from typing import Any

import pytest

from tests.unit.sandbox.wire import Wire, invoice, is_, login, query


async def state(wire: Wire, number: str = "PO-1", kind: str = "purchase_orders") -> str:
    return str((await wire.one(kind, number))["state"])


async def converted(wire: Wire, number: str = "PO-1") -> list[tuple[str, str]]:
    order = await wire.one("purchase_orders", number)
    return [(line["converted"], line["remaining"]) for line in order["lines"]]


async def test_a_partial_then_a_full_conversion(wire: Wire) -> None:
    """S5-24: "Leave Transaction Open" keeps a partly converted order open until it is complete."""
    order = await wire.order()
    await wire.ask(invoice(order, {1: "4"}, number="A"))
    assert await converted(wire) == [("4", "6"), ("0", "10")]
    assert await state(wire) == "Partially Converted"
    line = (await wire.one("purchase_orders", "PO-1"))["lines"][0]
    assert line["converted_amount"] == "20.00"
    await wire.ask(invoice(order, {1: "6", 2: "10"}, number="B"))
    assert await converted(wire) == [("10", "0"), ("10", "0")]
    assert await state(wire) == "Converted"
    created = await wire.one("vendor_invoices", "B")
    assert [line["source_line"] for line in created["lines"]] == [line["record_no"] for line in order["lines"]]
    assert [line["source_document"] for line in created["lines"]] == ["Purchase Order-PO-1"] * 2


async def test_more_than_remains_is_refused_unless_switched(wire: Wire) -> None:
    order = await wire.order()
    await wire.ask(invoice(order, {1: "4"}, number="A"))
    reply = await wire.ask(invoice(order, {1: "7"}, number="B"))
    assert "more than the remaining quantity 6" in reply.reasons
    assert await converted(wire) == [("4", "6"), ("0", "10")]
    await wire.switch(over_conversion="allow")
    assert (await wire.ask(invoice(order, {1: "7"}, number="B"))).status == "success"
    assert await converted(wire) == [("11", "-1"), ("0", "10")]


async def cases(wire: Wire) -> dict[str, Any]:
    """An order of 10 cases of 12 each at 24.00."""
    content = {
        "units": [
            {"unit_group": "Paper", "unit": "Each", "factor": "1"},
            {"unit_group": "Paper", "unit": "Case", "factor": "12"},
        ],
        "items": [{"item_id": "IT-1", "name": "Paper", "unit": "Case", "unit_group": "Paper", "category": "OFFICE"}],
    }
    report = await wire.room("/companies/intacct/load", content)
    assert report == {"loaded": {"units": 2, "items": 1}, "errors": []}
    return await wire.order(lines=1, unit="Case", price="24.00")


async def test_units_of_a_group_convert_into_each_other(wire: Wire) -> None:
    """U01, U04 on the ERP's side: 7 and 113 pieces are 10 cases, and a piece more is refused."""
    order = await cases(wire)
    await wire.ask(invoice(order, {1: "7"}, number="A", price="2.00"))
    assert await converted(wire) == [("0.5833333333", "9.4166666667")]
    reply = await wire.ask(invoice(order, {1: "114"}, number="B", price="2.00"))
    assert "more than the remaining quantity 9.4166666667" in reply.reasons
    await wire.ask(invoice(order, {1: "113"}, number="B", price="2.00"))
    assert (await converted(wire), await state(wire)) == ([("10", "0")], "Converted")
    [row] = (await wire.ask(query("PODOCUMENTENTRY", "UIQTY QUANTITY UNIT", is_("DOCHDRID", "Vendor Invoice-B")))).rows
    assert row == {"UIQTY": "113", "QUANTITY": "113", "UNIT": "Each"}
    [ordered] = (await wire.ask(query("PODOCUMENTENTRY", "UIQTY QUANTITY", is_("DOCHDRID", order["document_id"])))).rows
    assert ordered == {"UIQTY": "10", "QUANTITY": "120"}


async def test_parts_that_are_rounded_make_a_whole(wire: Wire) -> None:
    """Three thirds of a case are one."""
    order = await cases(wire)
    for number in ("A", "B", "C"):
        assert (await wire.ask(invoice(order, {1: "40"}, number=number, price="2.00"))).status == "success"
    assert (await converted(wire), await state(wire)) == ([("10", "0")], "Converted")
    await wire.act("delete", kind="vendor_invoice", number="B")
    assert (await converted(wire), await state(wire)) == ([("6.6666666667", "3.3333333333")], "Partially Converted")


async def test_units_and_categories_are_read_like_all_lists(wire: Wire) -> None:
    """Reference 2.9: ITEM.UOMGRP names the group, UOMDETAIL.GRPKEY is its record number."""
    await cases(wire)
    [item] = (await wire.ask(query("ITEM", "UOMGRP PRODUCTLINEID", is_("ITEMID", "IT-1")))).rows
    assert item == {"UOMGRP": "Paper", "PRODUCTLINEID": "OFFICE"}
    [group] = (await wire.ask(query("UOM", "RECORDNO BASEUNIT", is_("NAME", "Paper")))).rows
    units = await wire.ask(query("UOMDETAIL", "UNIT CONVFACTOR", is_("GRPKEY", group["RECORDNO"])))
    assert [(row["UNIT"], row["CONVFACTOR"]) for row in units.rows] == [("Each", "1"), ("Case", "12")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"units": [{"unit_group": "G", "unit": "Case", "factor": "12"}]}, "needs a base unit"),
        ({"units": [{"unit_group": "G", "unit": "Case", "factor": "0"}]}, "not above zero"),
        ({"items": [{"item_id": "I", "unit_group": "G"}]}, "unit_group 'G' does not exist"),
    ],
)
async def test_units_that_make_no_sense_are_refused(wire: Wire, content: dict[str, Any], message: str) -> None:
    report = await wire.room("/companies/intacct/load", content)
    assert message in report["errors"][0]["message"]


async def test_closed_books_come_in_the_neutral_format(wire: Wire) -> None:
    """What get_closedbooksdate says is what the period lock holds to, at each level its own day (reference 7.2)."""
    order = await wire.order()
    closed = [{"closed_through": "2026-09-30"}, {"entity": "100", "closed_through": "2026-11-20"}]
    assert (await wire.room("/companies/intacct/load", {"closed_periods": closed}))["loaded"] == {"closed_periods": 2}

    async def said(entity: str) -> list[str | None]:
        reply = await wire.ask("<get_closedbooksdate/>", auth=login(entity))
        return [part.text for part in reply.data.iterfind("closedbooksdate/*")]

    assert (await said("100"), await said("200")) == (["2026", "11", "20"], ["2026", "9", "30"])
    assert "closed through 11/20/2026" in (await wire.ask(invoice(order, {1: "1"}))).reasons
    assert (await wire.ask(invoice(order, {1: "1"}).replace("<day>20</day>", "<day>21</day>"))).status == "success"


async def test_two_lines_of_one_document_share_what_remains(wire: Wire) -> None:
    order = await wire.order()
    function = invoice(order, {1: "6"})
    line = function[function.index("<potransitem>") : function.index("</potransitems>")]
    reply = await wire.ask(function.replace("</potransitems>", f"{line}</potransitems>"))
    assert "more than the remaining quantity 4" in reply.reasons


@pytest.mark.parametrize("status", ["Draft", "Submitted", "Partially Approved", "Declined", "Closed", "Converted"])
async def test_only_open_orders_convert(wire: Wire, status: str) -> None:
    order = await wire.order(status=status)
    reply = await wire.ask(invoice(order, {1: "1"}))
    assert f"is {status} and cannot be converted" in reply.reasons


async def test_an_approved_order_converts(wire: Wire) -> None:
    order = await wire.order(status="Approved")
    assert (await wire.ask(invoice(order, {1: "1"}))).status == "success"
    assert await state(wire) == "Partially Converted"


async def test_a_draft_locks_the_order_and_counts_once_it_is_posted(wire: Wire) -> None:
    order = await wire.order()
    created = await wire.ask(invoice(order, {1: "10", 2: "10"}, state="Draft"))
    assert await state(wire) == "In Progress"
    assert await converted(wire) == [("0", "10"), ("0", "10")]
    assert await wire.held("bills") == []
    assert "is In Progress" in (await wire.ask(invoice(order, {1: "1"}, number="B"))).reasons
    await wire.ask(f'<update_potransaction key="{created.key}"><state>Pending</state></update_potransaction>')
    assert await state(wire) == "Converted"
    assert len(await wire.held("bills")) == 1


async def test_deleting_a_draft_frees_the_order(wire: Wire) -> None:
    order = await wire.order()
    created = await wire.ask(invoice(order, {1: "10"}, state="Draft"))
    await wire.ask(f'<delete_potransaction key="{created.key}"/>')
    assert await state(wire) == "Pending"


async def test_deleting_the_invoice_gives_the_quantity_back(wire: Wire) -> None:
    order = await wire.order()
    created = await wire.ask(invoice(order, {1: "10", 2: "10"}))
    await wire.ask(f'<delete_potransaction key="{created.key}"/>')
    assert await converted(wire) == [("0", "10"), ("0", "10")]
    assert await state(wire) == "Pending"
    assert await wire.held("bills") == []


async def test_close_transaction_closes_at_the_first_conversion(wire: Wire) -> None:
    """S5-26."""
    await wire.act("set_conversion_mode", definition="Purchase Order", mode="Close Transaction")
    order = await wire.order()
    await wire.ask(invoice(order, {1: "4"}))
    assert await state(wire) == "Closed"
    assert "is Closed and cannot be converted" in (await wire.ask(invoice(order, {1: "1"}, number="B"))).reasons


async def test_close_original_and_create_back_order_makes_a_chain(wire: Wire) -> None:
    """S5-25."""
    await wire.act("set_conversion_mode", mode="Close Original and Create Back Order")
    original = await wire.order()
    await wire.ask(invoice(original, {1: "4"}))
    assert await state(wire) == "Closed"
    [_, back] = await wire.held("purchase_orders")
    assert back["number"] == "PO-0002"
    assert (back["state"], back["created_from"]) == ("Pending", original["document_id"])
    assert [(line["item_id"], line["quantity"], line["remaining"]) for line in back["lines"]] == [
        ("IT-1", "6", "6"),
        ("IT-2", "10", "10"),
    ]
    assert [line["source_line"] for line in back["lines"]] == [line["record_no"] for line in original["lines"]]
    # The chain goes on: the rest of the rest.
    await wire.ask(invoice(back, {1: "6"}, number="B"))
    last: dict[str, Any] = (await wire.held("purchase_orders"))[-1]
    assert [(line["item_id"], line["quantity"]) for line in last["lines"]] == [("IT-2", "10")]
    await wire.ask(invoice(last, {1: "10"}, number="C"))
    assert await state(wire, last["number"]) == "Converted"
    assert len(await wire.held("purchase_orders")) == 3
    assert await converted(wire) == [("4", "6"), ("0", "10")]


async def test_an_edited_invoice_makes_no_second_back_order(wire: Wire) -> None:
    await wire.act("set_conversion_mode", mode="Close Original and Create Back Order")
    await wire.ask(invoice(await wire.order(), {1: "4"}))
    await wire.act("edit_vendor_invoice", number="KEY-1", memo="saved again")
    assert [order["state"] for order in await wire.held("purchase_orders")] == ["Closed", "Pending"]
    more = '<updatepotransitem line_num="1"><quantity>5</quantity></updatepotransitem>'
    function = f"<updatepotransitems>{more}</updatepotransitems>"
    reply = await wire.ask(f'<update_potransaction key="Vendor Invoice-KEY-1">{function}</update_potransaction>')
    assert "more than what remains" in reply.reasons
    await wire.act("delete", kind="vendor_invoice", number="KEY-1")
    assert [order["state"] for order in await wire.held("purchase_orders")] == ["Closed", "Pending"]


async def test_an_order_closed_by_a_person_stays_closed(wire: Wire) -> None:
    await wire.ask(invoice(await wire.order(), {1: "4"}))
    await wire.act("close", number="PO-1")
    await wire.act("edit_vendor_invoice", number="KEY-1", memo="saved again")
    assert await state(wire) == "Closed"
    assert await converted(wire) == [("4", "6"), ("0", "10")]
    await wire.act("delete", kind="vendor_invoice", number="KEY-1")
    assert await state(wire) == "Closed"
    assert await converted(wire) == [("0", "10"), ("0", "10")]


async def test_a_receiver_converts_the_order_and_the_invoice_the_receiver(wire: Wire) -> None:
    """S5-27, S5-28."""
    await wire.order()
    receiver = await wire.act("receive", number="PO-1", receipt_number="R-1", lines=[{"line": 1, "quantity": "7"}])
    assert await converted(wire) == [("7", "3"), ("0", "10")]
    assert await state(wire) == "Partially Converted"
    assert await wire.held("bills") == []
    created = await wire.ask(invoice(receiver, {1: "7"}))
    assert created.key == "Vendor Invoice-KEY-1"
    assert await state(wire, "R-1", "receipts") == "Converted"
    assert await converted(wire) == [("7", "3"), ("0", "10")]
    [bill] = await wire.held("bills")
    assert bill["total"] == "35.00"


async def test_a_definition_converts_only_what_it_recalls(wire: Wire) -> None:
    order = await wire.order()
    await wire.ask(invoice(order, {1: "1"}))
    vendor_invoice = await wire.one("vendor_invoices", "KEY-1")
    reply = await wire.ask(invoice(vendor_invoice, {1: "1"}, number="B"))
    assert "Vendor Invoice cannot be converted from Vendor Invoice" in reply.reasons


async def test_a_source_line_must_belong_to_its_document_and_item(wire: Wire) -> None:
    first, second = await wire.order("PO-1"), await wire.order("PO-2")
    foreign = invoice(first, {1: "1"}).replace(
        f"<sourcelinekey>{first['lines'][0]['record_no']}<", f"<sourcelinekey>{second['lines'][0]['record_no']}<"
    )
    assert "does not belong to Purchase Order-PO-1" in (await wire.ask(foreign)).reasons
    other_item = invoice(first, {1: "1"}).replace("<itemid>IT-1<", "<itemid>IT-2<")
    assert "is not the item of source line" in (await wire.ask(other_item)).reasons


async def test_the_vendor_must_be_the_order_s(wire: Wire) -> None:
    order = await wire.order()
    await wire.order("PO-2", vendor_id="V-2")
    assert "is not the vendor of" in (await wire.ask(invoice(order, {1: "1"}, vendor="V-2"))).reasons


async def test_a_line_without_source_line_key_converts_nothing(wire: Wire) -> None:
    order = await wire.order()
    await wire.ask(invoice(order, {1: "4"}, link=False))
    assert await converted(wire) == [("0", "10"), ("0", "10")]


async def test_several_sources_need_the_subscription(wire: Wire) -> None:
    orders = [await wire.order("PO-1"), await wire.order("PO-2")]
    function = invoice(orders[0], {1: "4"}, created_from=False)
    lines = ""
    for order in orders:
        line = order["lines"][0]["record_no"]
        lines += (
            "<potransitem><itemid>IT-1</itemid><quantity>4</quantity><unit>Each</unit><price>5</price>"
            f"<sourcelinekey>{line}</sourcelinekey><locationid>100</locationid>"
            f"<sourcedocid>{order['document_id']}</sourcedocid><sourcedoclineid>{line}</sourcedoclineid></potransitem>"
        )
    head = function[: function.index("<potransitem>")]
    many = f"{head}{lines}</potransitems></create_potransaction>"
    assert "is not enabled" in (await wire.ask(many)).reasons
    await wire.switch(several_sources=True)
    assert (await wire.ask(many)).status == "success"
    for order in orders:
        assert await converted(wire, order["number"]) == [("4", "6"), ("0", "10")]
        assert await state(wire, order["number"]) == "Partially Converted"


async def test_conversion_moves_the_header_s_stamp_unless_switched_off(wire: Wire) -> None:
    order = await wire.order()
    before = order["modified_at"]
    await wire.switch(header_touched_by_conversion=False)
    await wire.ask(invoice(order, {1: "1"}, number="A"))
    header = query("PODOCUMENT", "WHENMODIFIED STATE", is_("DOCNO", "PO-1"))
    assert (await wire.ask(header)).rows == [{"WHENMODIFIED": before, "STATE": "Partially Converted"}]
    changed = query("PODOCUMENTENTRY", "LINE_NO", is_("WHENMODIFIED", before, "greaterthan"))
    assert {"LINE_NO": "0"} in (await wire.ask(changed)).rows
    await wire.switch(header_touched_by_conversion=True)
    await wire.ask(invoice(order, {1: "1"}, number="B"))
    assert (await wire.ask(header)).rows[0]["WHENMODIFIED"] != before
