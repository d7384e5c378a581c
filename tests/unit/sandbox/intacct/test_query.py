"""`query`: filters, pages, orders, aggregates, labels and the shape of `data` (reference 2.1, checklist 5, 6)."""

import json
from itertools import pairwise

import pytest

from sandbox.intacct.objects import OBJECTS
from tests.unit.sandbox.wire import Wire, is_, login, query

ORDER = is_("DOCPARID", "Purchase Order")


async def numbers(wire: Wire, filter_: str, name: str = "PODOCUMENT", field: str = "DOCNO") -> list[str]:
    reply = await wire.ask(query(name, field, filter_))
    assert reply.status == "success", reply.reasons
    return [row[field] for row in reply.rows]


async def three_orders(wire: Wire) -> None:
    await wire.order("PO-1", modified_at="2026-10-01T08:00:00Z", memo="first")
    await wire.order("PO-2", modified_at="2026-10-02T08:00:00Z", status="Draft", price="7.5", vendor_id="v-2")
    await wire.order("PO-3", modified_at="2026-10-03T08:00:00Z", status="Closed", price="20", memo="Third one")


async def test_a_page_tells_its_place(wire: Wire) -> None:
    await three_orders(wire)
    reply = await wire.ask(query("PODOCUMENT", "RECORDNO DOCID", ORDER, more="<pagesize>2</pagesize>"))
    assert dict(reply.data.attrib) == {
        "listtype": "PODOCUMENT",
        "totalcount": "3",
        "offset": "0",
        "count": "2",
        "numremaining": "1",
    }
    assert [str(row.tag) for row in reply.data] == ["PODOCUMENT", "PODOCUMENT"]
    rest = await wire.ask(query("PODOCUMENT", "DOCID", ORDER, more="<pagesize>2</pagesize><offset>2</offset>"))
    assert rest.rows == [{"DOCID": "Purchase Order-PO-3"}]
    assert rest.data.get("numremaining") == "0"


async def test_an_empty_answer_still_has_its_attributes(wire: Wire) -> None:
    reply = await wire.ask(query("PODOCUMENT", "DOCID", is_("DOCNO", "none")))
    assert dict(reply.data.attrib) == {
        "listtype": "PODOCUMENT",
        "totalcount": "0",
        "offset": "0",
        "count": "0",
        "numremaining": "0",
    }


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (is_("DOCNO", "PO-2"), ["PO-2"]),
        (is_("DOCNO", "PO-2", "notequalto"), ["PO-1", "PO-3"]),
        (is_("STATE", "Pending"), ["PO-1"]),
        (is_("STATE", "O"), []),
        (is_("TRX_TOTAL", "150", "lessthan"), ["PO-1"]),
        (is_("TRX_TOTAL", "150.00", "lessthanorequalto"), ["PO-1", "PO-2"]),
        (is_("TRX_TOTAL", "99", "greaterthan"), ["PO-1", "PO-2", "PO-3"]),
        (is_("WHENMODIFIED", "10/02/2026 08:00:00", "greaterthanorequalto"), ["PO-2", "PO-3"]),
        (is_("WHENMODIFIED", "10/02/2026", "greaterthan"), ["PO-2", "PO-3"]),
        (is_("MESSAGE", "%hird_one", "like"), ["PO-3"]),
        (is_("MESSAGE", "f%", "notlike"), ["PO-3"]),
        (is_("CUSTVENDID", "V-2"), []),
        ("<between><field>TRX_TOTAL</field><value>120</value><value>160</value></between>", ["PO-2"]),
        ("<in><field>DOCNO</field><value>PO-1</value><value>PO-3</value></in>", ["PO-1", "PO-3"]),
        ("<notin><field>DOCNO</field><value>PO-1</value><value>PO-3</value></notin>", ["PO-2"]),
        ("<isnull><field>MESSAGE</field></isnull>", ["PO-2"]),
        ("<isnotnull><field>MESSAGE</field></isnotnull>", ["PO-1", "PO-3"]),
        (f"<or>{is_('DOCNO', 'PO-1')}<and>{is_('STATE', 'Draft')}{ORDER}</and></or>", ["PO-1", "PO-2"]),
        (f"<and>{ORDER}{is_('RECORDNO', '1', 'greaterthan')}{is_('STATE', 'Draft', 'notequalto')}</and>", ["PO-3"]),
        (f"<and>{is_('RECORDNO', '2', 'greaterthanorequalto')}{is_('RECORDNO', '3', 'lessthan')}</and>", ["PO-2"]),
    ],
)
async def test_every_operator(wire: Wire, filter_: str, expected: list[str]) -> None:
    await three_orders(wire)
    assert await numbers(wire, filter_) == expected


async def test_comparison_minds_case_unless_told_otherwise(wire: Wire) -> None:
    await three_orders(wire)
    function = query("PODOCUMENT", "DOCNO", is_("CUSTVENDID", "V-2"))
    loose = function.replace("<options>", "<options><caseinsensitive>true</caseinsensitive>")
    assert (await wire.ask(loose)).rows == [{"DOCNO": "PO-2"}]


async def test_several_orders_and_directions(wire: Wire) -> None:
    await three_orders(wire)
    by_total = (
        "<orderby><order><field>TRX_TOTAL</field><descending/></order><order><field>RECORDNO</field></order></orderby>"
    )
    function = query("PODOCUMENT", "DOCNO", ORDER, order="").replace("<options>", f"{by_total}<options>")
    assert [row["DOCNO"] for row in (await wire.ask(function)).rows] == ["PO-3", "PO-2", "PO-1"]


async def test_keyset_paging_sees_every_row_once(wire: Wire) -> None:
    for at in range(25):
        await wire.order(f"PO-{at:02d}", lines=1)
    after, seen = "0", []
    while True:
        above = f"<and>{ORDER}{is_('RECORDNO', after, 'greaterthan')}</and>"
        reply = await wire.ask(query("PODOCUMENT", "RECORDNO DOCNO", above, more="<pagesize>7</pagesize>"))
        if not reply.rows:
            break
        seen += [row["DOCNO"] for row in reply.rows]
        after = reply.rows[-1]["RECORDNO"]
    assert seen == [f"PO-{at:02d}" for at in range(25)]


async def test_lines_of_many_headers_come_by_their_header(wire: Wire) -> None:
    first, second = await wire.order("PO-1"), await wire.order("PO-2", lines=3)
    headers = "".join(f"<value>{order['record_no']}</value>" for order in (first, second))
    reply = await wire.ask(
        query(
            "PODOCUMENTENTRY", "RECORDNO DOCHDRNO LINE_NO UIQTY UIPRICE", f"<in><field>DOCHDRNO</field>{headers}</in>"
        )
    )
    assert [(row["DOCHDRNO"], row["LINE_NO"]) for row in reply.rows] == [
        ("1", "0"),
        ("1", "1"),
        ("2", "0"),
        ("2", "1"),
        ("2", "2"),
    ]
    assert all(int(earlier["RECORDNO"]) < int(later["RECORDNO"]) for earlier, later in pairwise(reply.rows))
    assert reply.rows[0] | {"UIQTY": "10", "UIPRICE": "5"} == reply.rows[0]


@pytest.mark.parametrize(
    ("function", "errorno"),
    [
        (query("NOSUCHTHING", "RECORDNO"), "Query Failed"),
        (query("VENDOR", "RECORDNO NOSUCH ALSO"), "XL03000006"),
        (query("VENDOR", "RECORDNO", is_("NOSUCH", "1")), "XL03000006"),
        (query("VENDOR", "RECORDNO", order="NOSUCH"), "XL03000006"),
        (query("VENDOR", "*"), "XL03000006"),
        (query("VENDOR", "RECORDNO", more="<pagesize>2001</pagesize>"), "Query Failed"),
        (query("VENDOR", "RECORDNO", is_("NAME", "x", "resembles")), "Query Failed"),
        (query("VENDOR", "RECORDNO", f"<and>{is_('NAME', 'x')}</and>"), "Query Failed"),
        (query("PODOCUMENT", "RECORDNO", is_("WHENMODIFIED", "2026-10-01", "greaterthan")), "Query Failed"),
        ("<query><object>VENDOR</object></query>", "Query Failed"),
    ],
)
async def test_bad_queries_fail_with_their_number(wire: Wire, function: str, errorno: str) -> None:
    reply = await wire.ask(function)
    assert reply.status == "failure"
    assert reply.errors == [errorno]


async def test_more_than_a_thousand_values_are_refused(wire: Wire) -> None:
    values = "".join(f"<value>{at}</value>" for at in range(1001))
    reply = await wire.ask(query("VENDOR", "RECORDNO", f"<in><field>RECORDNO</field>{values}</in>"))
    assert reply.errors == ["Query Failed"]


async def test_unknown_fields_are_named(wire: Wire) -> None:
    assert "NOSUCH, ALSO" in (await wire.ask(query("VENDOR", "RECORDNO NOSUCH ALSO"))).reasons


async def test_related_fields_keep_their_dot(wire: Wire) -> None:
    await wire.order("PO-1", vendor_name="Acme & Sons")
    reply = await wire.ask(query("PODOCUMENT", "DOCNO VENDOR.NAME TERM.DUEDATE", ORDER))
    assert reply.rows == [{"DOCNO": "PO-1", "VENDOR.NAME": "Acme & Sons", "TERM.DUEDATE": "30"}]


async def test_aggregates_group_by_the_plain_fields(wire: Wire) -> None:
    await three_orders(wire)
    select = (
        "<select><field>CUSTVENDID</field><count>RECORDNO</count><sum>TRX_TOTAL</sum><max>WHENMODIFIED</max></select>"
    )
    reply = await wire.ask(f"<query><object>PODOCUMENT</object>{select}</query>", auth=login("100"))
    assert reply.rows == [
        {
            "CUSTVENDID": "V-1",
            "COUNT.RECORDNO": "2",
            "SUM.TRX_TOTAL": "500",
            "MAX.WHENMODIFIED": "10/03/2026 08:00:00",
        },
        {
            "CUSTVENDID": "v-2",
            "COUNT.RECORDNO": "1",
            "SUM.TRX_TOTAL": "150",
            "MAX.WHENMODIFIED": "10/02/2026 08:00:00",
        },
    ]


async def test_groups_come_in_pages_too(wire: Wire) -> None:
    for at in range(1, 6):
        await wire.order(f"PO-{at}", lines=at, vendor_name="A & B")
    select = "<select><field>DOCHDRNO</field><field>DOCHDRID</field><max>LINE_NO</max></select>"
    order = "<orderby><order><field>DOCHDRNO</field><ascending/></order></orderby>"
    above = f"<filter>{is_('DOCHDRNO', '1', 'greaterthan')}</filter>"
    page = (
        f"<query><object>PODOCUMENTENTRY</object>{select}{above}{order}<pagesize>2</pagesize><offset>2</offset></query>"
    )
    reply = await wire.ask(page)
    assert dict(reply.data.attrib) | {"totalcount": "4", "count": "2", "numremaining": "0"} == dict(reply.data.attrib)
    assert [(row["DOCHDRNO"], row["MAX.LINE_NO"]) for row in reply.rows] == [("4", "3"), ("5", "4")]
    names = "<query><object>VENDOR</object><select><field>NAME</field><count>RECORDNO</count></select></query>"
    assert (await wire.ask(names)).rows == [{"NAME": "A & B", "COUNT.RECORDNO": "1"}]


async def test_json_and_csv_answers_have_no_envelope_but_errors_do(wire: Wire) -> None:
    await wire.order("PO-1")

    async def raw(form: str, fields: str = "DOCNO STATE") -> str:
        function = query("PODOCUMENT", fields, ORDER).replace(
            "</options>", f"<returnformat>{form}</returnformat></options>"
        )
        body = (
            "<request><control><senderid>posync</senderid><password>sandbox-sender</password><controlid>c</controlid>"
            f"<uniqueid>false</uniqueid></control><operation><authentication>{login()}</authentication><content>"
            f'<function controlid="1">{function}</function></content></operation></request>'
        )
        return (await wire.post(body)).text

    assert json.loads(await raw("json")) == [{"DOCNO": "PO-1", "STATE": "Pending"}]
    assert await raw("csv") == "DOCNO,STATE\r\nPO-1,Pending\r\n"
    assert "<errorno>XL03000006</errorno>" in await raw("json", "NOSUCH")


async def test_docparid_alone_does_not_restrict_unless_switched_on(wire: Wire) -> None:
    await wire.order("PO-1")
    await wire.act("receive", number="PO-1")
    function = query("PODOCUMENT", "DOCPARID", more="<docparid>Purchase Order</docparid>")
    assert {row["DOCPARID"] for row in (await wire.ask(function)).rows} == {"Purchase Order", "PO Receiver"}
    await wire.switch(docparid_filters=True)
    assert {row["DOCPARID"] for row in (await wire.ask(function)).rows} == {"Purchase Order"}


async def test_masters_have_no_modification_date_until_their_first_change(wire: Wire) -> None:
    await wire.ask("<create><VENDOR><VENDORID>V-7</VENDORID><NAME>Seven</NAME></VENDOR></create>", auth=login(""))
    untouched = f"<and>{is_('VENDORID', 'V-7')}<isnull><field>WHENMODIFIED</field></isnull></and>"
    assert await numbers(wire, untouched, "VENDOR", "VENDORID") == ["V-7"]
    await wire.act("edit_vendor", vendor_id="V-7", status="inactive")
    assert await numbers(wire, untouched, "VENDOR", "VENDORID") == []
    reply = await wire.ask(query("VENDOR", "STATUS", is_("STATUS", "inactive")))
    assert reply.rows == [{"STATUS": "inactive"}]


async def test_reads_can_lag_behind_writes(wire: Wire) -> None:
    await wire.order("PO-1")
    await wire.switch(read_lag_seconds=120)
    await wire.act("edit_purchase_order", number="PO-1", memo="new")
    await wire.ask("<create><VENDOR><VENDORID>V-7</VENDORID><NAME>Seven</NAME></VENDOR></create>")
    orders, vendors = query("PODOCUMENT", "MESSAGE", ORDER), query("VENDOR", "VENDORID", is_("VENDORID", "V-7"))
    assert (await wire.ask(orders)).rows == [{"MESSAGE": ""}]
    assert (await wire.ask(vendors)).rows == []
    await wire.room("/clock", {"advance_seconds": 121})
    assert (await wire.ask(orders)).rows == [{"MESSAGE": "new"}]
    assert (await wire.ask(vendors)).rows == [{"VENDORID": "V-7"}]


@pytest.mark.parametrize("name", sorted(OBJECTS))
async def test_lookup_lists_every_field_that_can_be_queried(wire: Wire, name: str) -> None:
    reply = await wire.ask(f"<lookup><object>{name}</object></lookup>")
    described = [field.findtext("ID") or "" for field in reply.data.iter("Field")]
    assert described
    assert (await wire.ask(query(name, " ".join(described), order=""))).status == "success"


async def test_lookup_tells_types_and_valid_values(wire: Wire) -> None:
    reply = await wire.ask("<lookup><object>PODOCUMENT</object><docparid>Purchase Order</docparid></lookup>")
    fields = {field.findtext("ID"): field for field in reply.data.iter("Field")}
    assert "In Progress" in [value.text for value in fields["STATE"].iter("VALIDVALUE")]
    assert fields["WHENMODIFIED"].findtext("DATATYPE") == "TIMESTAMP"
    assert fields["RECORDNO"].findtext("READONLY") == "true"


async def test_inspect_lists_objects_and_fields(wire: Wire) -> None:
    every = await wire.ask("<inspect><object>*</object></inspect>")
    assert "PODOCUMENT" in [kind.get("typename") for kind in every.data]
    one = await wire.ask('<inspect detail="1"><object>VENDOR</object></inspect>')
    assert "VENDORID" in [field.findtext("ID") for field in one.data.iter("Field")]
