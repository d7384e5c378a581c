"""Bills: behind vendor invoices and typed in; credits and reversals (reference 2.9, 3.5, 3.7)."""

import pytest

from tests.unit.sandbox.wire import Wire, day, invoice, is_, login, query

BILL = (
    "<create><APBILL><WHENCREATED>11/01/2026</WHENCREATED><VENDORID>V-1</VENDORID><RECORDID>INV-77</RECORDID>"
    "<DOCNUMBER>PO-1</DOCNUMBER><WHENDUE>12/01/2026</WHENDUE><DESCRIPTION>paper</DESCRIPTION><CURRENCY>USD</CURRENCY>"
    "<APBILLITEMS><APBILLITEM><ACCOUNTNO>6000</ACCOUNTNO><TRX_AMOUNT>42.50</TRX_AMOUNT><LOCATIONID>100</LOCATIONID>"
    "</APBILLITEM></APBILLITEMS></APBILL></create>"
)


def with_quantity(docid: str, quantity: str) -> str:
    """An update of the first line."""
    line = f'<updatepotransitem line_num="1"><quantity>{quantity}</quantity></updatepotransitem>'
    return f'<update_potransaction key="{docid}"><updatepotransitems>{line}</updatepotransitems></update_potransaction>'


async def billed(wire: Wire) -> str:
    """A vendor invoice over 50.00; answers its DOCID."""
    order = await wire.order()
    return (await wire.ask(invoice(order, {1: "4", 2: "6"}))).key


async def test_a_vendor_invoice_makes_its_bill(wire: Wire) -> None:
    """S5-28: a linked bill is created automatically."""
    await billed(wire)
    fields = "RECORDNO RECORDID STATE RAWSTATE MODULEKEY DESCRIPTION2 DOCNUMBER VENDORID TRX_TOTALENTERED"
    fields += " TRX_TOTALDUE WHENDUE"
    [bill] = (await wire.ask(query("APBILL", fields))).rows
    document = query("PODOCUMENT", "PRRECORDKEY", is_("DOCNO", "KEY-1"))
    assert (await wire.ask(document)).rows == [{"PRRECORDKEY": bill.pop("RECORDNO")}]
    assert bill == {
        "RECORDID": "INV-KEY-1",
        "STATE": "Posted",
        "RAWSTATE": "A",
        "MODULEKEY": "9.PO",
        "DESCRIPTION2": "Vendor Invoice-KEY-1",
        "DOCNUMBER": "PO-1",
        "VENDORID": "V-1",
        "TRX_TOTALENTERED": "50.00",
        "TRX_TOTALDUE": "50.00",
        "WHENDUE": "12/20/2026",
    }
    items = await wire.ask(query("APBILLITEM", "LINE_NO ITEMID TRX_AMOUNT ACCOUNTNO"))
    assert [(row["LINE_NO"], row["ITEMID"], row["TRX_AMOUNT"]) for row in items.rows] == [
        ("1", "IT-1", "20.00"),
        ("2", "IT-2", "30.00"),
    ]


async def test_the_bill_s_number_can_be_the_document_s(wire: Wire) -> None:
    await wire.switch(bill_number_from="docno")
    await billed(wire)
    assert [bill["number"] for bill in await wire.held("bills")] == ["KEY-1"]


async def test_editing_the_invoice_remakes_the_bill_under_a_new_record_number(wire: Wire) -> None:
    docid = await billed(wire)
    [before] = await wire.held("bills")
    assert (await wire.ask(with_quantity(docid, "5"))).status == "success"
    [after] = await wire.held("bills")
    assert after["record_no"] != before["record_no"]
    assert after["total"] == "55.00"
    assert (await wire.one("vendor_invoices", "KEY-1"))["bill_record_no"] == after["record_no"]
    assert (await wire.one("purchase_orders", "PO-1"))["lines"][0]["converted"] == "5"


async def test_an_edit_cannot_take_more_than_the_order_has(wire: Wire) -> None:
    docid = await billed(wire)
    reply = await wire.ask(with_quantity(docid, "11"))
    assert "more than what remains" in reply.reasons
    assert (await wire.one("purchase_orders", "PO-1"))["lines"][0]["converted"] == "4"


async def test_saving_in_the_user_interface_remakes_the_bill_too(wire: Wire) -> None:
    await billed(wire)
    [before] = await wire.held("bills")
    await wire.act("edit_vendor_invoice", number="KEY-1")
    [after] = await wire.held("bills")
    assert after["record_no"] != before["record_no"]
    assert after["total"] == before["total"]


async def test_a_bill_of_purchasing_is_not_changed_in_ap(wire: Wire) -> None:
    await billed(wire)
    [bill] = await wire.held("bills")
    delete = f"<delete><object>APBILL</object><keys>{bill['record_no']}</keys></delete>"
    assert "belongs to Purchasing" in (await wire.ask(delete)).reasons
    update = f"<update><APBILL><RECORDNO>{bill['record_no']}</RECORDNO><DESCRIPTION>x</DESCRIPTION></APBILL></update>"
    assert "belongs to Purchasing" in (await wire.ask(update)).reasons


async def test_a_bill_typed_in(wire: Wire) -> None:
    """S4-64: the order's number stands in the reference number."""
    await wire.order()
    reply = await wire.ask(BILL)
    assert dict(reply.data.attrib) == {"listtype": "objects", "count": "1"}
    assert reply.data[0].tag == "apbill"
    [bill] = await wire.held("bills")
    assert (bill["reference"], bill["module"], bill["total"], bill["state"]) == ("PO-1", "3.AP", "42.50", "Posted")


@pytest.mark.parametrize(
    ("old", "new", "errorno"),
    [
        ("<RECORDID>INV-77</RECORDID>", "", "BL03002128"),
        ("<RECORDID>INV-77</RECORDID>", "<RECORDID>INV#77</RECORDID>", "BL03000018"),
        ("<VENDORID>V-1</VENDORID>", "<VENDORID>X</VENDORID>", "BL03000018"),
        ("<WHENCREATED>11/01/2026</WHENCREATED>", "<WHENCREATED>2026-11-31</WHENCREATED>", "PL03000006"),
        ("<ACCOUNTNO>6000</ACCOUNTNO>", "<ACCOUNTNO>1</ACCOUNTNO>", "BL03000018"),
        ("<LOCATIONID>100</LOCATIONID>", "", "BL03000018"),
        ("<CURRENCY>USD</CURRENCY>", "<CURRENCY>USD</CURRENCY><ACTION>Send</ACTION>", "BL03002129"),
    ],
)
async def test_a_bad_bill_fails_and_nothing_is_made(wire: Wire, old: str, new: str, errorno: str) -> None:
    await wire.order()
    reply = await wire.ask(BILL.replace(old, new))
    assert reply.errors == [errorno, "BL01001973"]
    assert dict(reply.data.attrib) == {"listtype": "objects", "count": "0"}
    assert await wire.held("bills") == []


async def test_a_vendor_s_bill_number_is_used_once(wire: Wire) -> None:
    await wire.order()
    await wire.ask(BILL)
    assert (await wire.ask(BILL)).errors[0] == "BL34000061"
    await wire.switch(duplicate_bill_numbers="allow")
    assert (await wire.ask(BILL)).status == "success"


async def test_an_update_replaces_all_lines_sent(wire: Wire) -> None:
    await wire.order()
    number = (await wire.ask(BILL)).data[0].findtext("RECORDNO")
    lines = "".join(
        f"<APBILLITEM><ACCOUNTNO>6000</ACCOUNTNO><TRX_AMOUNT>{amount}</TRX_AMOUNT><LOCATIONID>100</LOCATIONID></APBILLITEM>"
        for amount in ("10", "5.5")
    )
    changed = f"<RECORDNO>{number}</RECORDNO><DESCRIPTION/><APBILLITEMS>{lines}</APBILLITEMS>"
    update = f"<update><APBILL>{changed}</APBILL></update>"
    assert (await wire.ask(update)).status == "success"
    [bill] = await wire.held("bills")
    assert (bill["total"], bill["due"], bill["memo"], len(bill["lines"])) == ("15.50", "15.50", "", 2)


async def test_an_unpaid_bill_can_be_deleted(wire: Wire) -> None:
    await wire.order()
    number = (await wire.ask(BILL)).data[0].findtext("RECORDNO")
    assert (await wire.ask(f"<delete><object>APBILL</object><keys>{number}</keys></delete>")).status == "success"
    assert await wire.held("bills") == []
    assert (await wire.ask(query("APBILLITEM", "RECORDNO"))).rows == []


async def test_closed_periods_refuse_postings_of_their_level(wire: Wire) -> None:
    order = await wire.order()
    await wire.act("close_period", through="2026-11-30", entity="100")
    for function in (invoice(order, {1: "1"}), BILL):
        reply = await wire.ask(function)
        assert reply.errors[0] == "PL03000006"
        assert "Periods are closed" in reply.reasons
    assert (await wire.ask("<get_closedbooksdate/>")).data.findtext("closedbooksdate/day") == "30"
    assert (await wire.ask("<get_closedbooksdate/>", auth=login("200"))).data.findtext("closedbooksdate/day") is None
    await wire.act("open_period", entity="100")
    assert (await wire.ask(invoice(order, {1: "1"}))).status == "success"


async def test_the_legacy_way_to_make_a_bill(wire: Wire) -> None:
    await wire.order()
    create = (
        f"<create_bill><vendorid>V-1</vendorid><datecreated>{day()}</datecreated><termname>Net 30</termname>"
        "<billno>L-1</billno><ponumber>PO-1</ponumber><billitems><lineitem><glaccountno>6000</glaccountno>"
        "<amount>12.345</amount><locationid>100</locationid></lineitem></billitems></create_bill>"
    )
    reply = await wire.ask(create)
    [bill] = await wire.held("bills")
    assert reply.key == bill["record_no"]
    assert (bill["total"], bill["due_date"]) == ("12.35", "12/20/2026")
    assert (await wire.ask(f'<delete_bill key="{reply.key}"/>')).status == "success"


async def test_reversing_depends_on_the_ap_setting(wire: Wire) -> None:
    await wire.order()
    number = (await wire.ask(BILL)).data[0].findtext("RECORDNO")
    reverse = f'<reverse_bill key="{number}"><datereversed>{day()}</datereversed></reverse_bill>'
    assert (await wire.ask(reverse)).status == "failure"
    await wire.switch(unpaid_bill_reversal=True)
    assert (await wire.ask(f'<delete_bill key="{number}"/>')).status == "failure", "the one excludes the other"
    assert (await wire.ask(reverse)).status == "success"
    assert [(bill["number"], bill["state"], bill["total"]) for bill in await wire.held("bills")] == [
        ("INV-77", "Reversed", "42.50"),
        ("Reversed - INV-77", "Reversal", "-42.50"),
    ]
    assert (await wire.ask(reverse)).status == "failure", "it is reversed once"


async def test_a_reversal_is_not_dated_before_the_bill(wire: Wire) -> None:
    await wire.order()
    await wire.switch(unpaid_bill_reversal=True, reversal_on_posting_date="refuse")
    number = (await wire.ask(BILL)).data[0].findtext("RECORDNO")
    for on, status in ((day(2026, 10, 31), "failure"), (day(2026, 11, 1), "failure"), (day(), "success")):
        reverse = f'<reverse_bill key="{number}"><datereversed>{on}</datereversed></reverse_bill>'
        assert (await wire.ask(reverse)).status == status


async def test_edits_of_unpaid_bills_where_they_are_reversed_are_a_switch(wire: Wire) -> None:
    await wire.order()
    await wire.switch(unpaid_bill_reversal=True)
    number = (await wire.ask(BILL)).data[0].findtext("RECORDNO")
    edit = f'<update_bill key="{number}"><description>other words</description></update_bill>'
    assert (await wire.ask(edit)).status == "success"
    await wire.switch(edits_with_reversal="refuse")
    assert (await wire.ask(edit)).status == "failure"


async def test_a_vendor_credit_has_one_sign(wire: Wire) -> None:
    await wire.order()

    def credit(*amounts: str) -> str:
        lines = "".join(
            f"<lineitem><glaccountno>6000</glaccountno><amount>{amount}</amount><locationid>100</locationid></lineitem>"
            for amount in amounts
        )
        return (
            f"<create_apadjustment><vendorid>V-1</vendorid><datecreated>{day()}</datecreated>"
            f"<adjustmentno>C-1</adjustmentno><apadjustmentitems>{lines}</apadjustmentitems></create_apadjustment>"
        )

    assert "same sign" in (await wire.ask(credit("-5", "5"))).reasons
    assert (await wire.ask(credit("-5", "-1"))).key == "1"
    [created] = await wire.held("adjustments")
    assert created["total"] == "-6.00"
