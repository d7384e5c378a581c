"""readByQuery, readMore, read and readByName (reference 2.2, 2.3, checklist 5, 6)."""

import pytest

from tests.unit.sandbox.wire import Wire, control, login


def by_query(where: str, *, name: str = "PODOCUMENT", fields: str = "DOCNO,STATE", size: int = 100) -> str:
    where = where.replace("<", "&lt;").replace(">", "&gt;")
    return (
        f"<readByQuery><object>{name}</object><fields>{fields}</fields><query>{where}</query>"
        f"<pagesize>{size}</pagesize><docparid>Purchase Order</docparid></readByQuery>"
    )


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("STATE = 'O'", ["PO-1"]),
        ("STATE = 'Pending'", []),
        ("STATE in ('O','I')", ["PO-1", "PO-2"]),
        ("DOCNO not in ('PO-1')", ["PO-2", "PO-3"]),
        ("WHENMODIFIED >= '10/02/2026 08:00:00' AND DOCPARID = 'Purchase Order'", ["PO-2", "PO-3"]),
        ("DOCNO = 'PO-1' or (STATE = 'D' and TRX_TOTAL > 50)", ["PO-1", "PO-3"]),
        ("MESSAGE like 'it\\'s%'", ["PO-2"]),
        ("MESSAGE IS NULL", ["PO-1", "PO-3"]),
        ("message is not null", ["PO-2"]),
        ("", ["PO-1", "PO-2", "PO-3"]),
        ("rownum <= 2", ["PO-1", "PO-2"]),
    ],
)
async def test_the_query_language_works_with_codes(wire: Wire, where: str, expected: list[str]) -> None:
    await wire.order("PO-1", modified_at="2026-10-01T08:00:00Z")
    await wire.order("PO-2", modified_at="2026-10-02T08:00:00Z", status="Draft", memo="it's late")
    await wire.order("PO-3", modified_at="2026-10-03T08:00:00Z", status="Closed")
    reply = await wire.ask(by_query(where))
    assert reply.status == "success", reply.reasons
    assert [row["DOCNO"] for row in reply.rows] == expected


async def test_rows_are_lower_case_and_labels_come_back(wire: Wire) -> None:
    await wire.order("PO-1")
    reply = await wire.ask(by_query("STATE = 'O'"))
    assert reply.data.get("listtype") == "podocument"
    assert [str(row.tag) for row in reply.data] == ["podocument"]
    assert reply.rows == [{"DOCNO": "PO-1", "STATE": "Pending"}]


@pytest.mark.parametrize("where", ["STATE =", "STATE = 'O' AND", "NOSUCH = '1'", "STATE ~ 'O'", "(STATE = 'O'"])
async def test_bad_query_text_fails(wire: Wire, where: str) -> None:
    assert (await wire.ask(by_query(where))).errors == ["Query Failed"]


async def test_rows_can_come_as_json_or_csv(wire: Wire) -> None:
    await wire.order("PO-1")
    as_csv = by_query("").replace("</readByQuery>", "<returnFormat>csv</returnFormat></readByQuery>")
    body = (
        f"<request>{control()}<operation><authentication>{login()}</authentication><content>"
        f'<function controlid="1">{as_csv}</function></content></operation></request>'
    )
    assert (await wire.post(body)).text == "DOCNO,STATE\r\nPO-1,Pending\r\n"
    strange = as_csv.replace("csv", "yaml")
    assert (await wire.ask(strange)).errors == ["Query Failed"]


async def test_an_unknown_field_is_named_in_the_error_number(wire: Wire) -> None:
    assert (await wire.ask(by_query("", fields="DOCNO,NOSUCH"))).errors == ["Invalid fields list NOSUCH"]


async def test_readmore_continues_until_nothing_remains(wire: Wire) -> None:
    for at in range(5):
        await wire.order(f"PO-{at}")
    first = await wire.ask(by_query("", size=2))
    assert (first.data.get("count"), first.data.get("totalcount"), first.data.get("numremaining")) == ("2", "5", "3")
    more = f"<readMore><resultId>{first.data.get('resultId')}</resultId></readMore>"
    second, third = await wire.ask(more), await wire.ask(more)
    assert [row["DOCNO"] for row in second.rows + third.rows] == ["PO-2", "PO-3", "PO-4"]
    assert third.data.get("numremaining") == "0"
    assert (await wire.ask(more)).errors == ["Query Failed"]


async def test_a_result_id_belongs_to_its_session(wire: Wire) -> None:
    for at in range(3):
        await wire.order(f"PO-{at}")
    first = await wire.ask(by_query("", size=1))
    more = f"<readMore><resultId>{first.data.get('resultId')}</resultId></readMore>"
    assert (await wire.ask(more, auth=login("200"))).status == "failure"


async def test_read_returns_the_lines_and_skips_missing_keys(wire: Wire) -> None:
    order = await wire.order("PO-1")
    reply = await wire.ask(
        f"<read><object>PODOCUMENT</object><keys>{order['record_no']},999</keys><fields>*</fields></read>"
    )
    assert reply.data.get("count") == "1"
    header = reply.data[0]
    assert header.findtext("DOCID") == "Purchase Order-PO-1"
    assert header.findtext("TERM/NAME") == "Net 30"
    lines = header.findall("PODOCUMENTENTRIES/podocumententry")
    assert [line.findtext("LINE_NO") for line in lines] == ["0", "1"]
    assert [line.findtext("ITEMID") for line in lines] == ["IT-1", "IT-2"]


async def test_read_by_name_takes_natural_keys(wire: Wire) -> None:
    await wire.order("PO-1")
    reply = await wire.ask(
        "<readByName><object>PODOCUMENT</object><keys>Purchase Order-PO-1</keys><fields>RECORDNO,DOCNO</fields>"
        "</readByName>"
    )
    assert reply.rows == [{"RECORDNO": "1", "DOCNO": "PO-1"}]
    vendor = await wire.ask("<readByName><object>VENDOR</object><keys>V-1,nobody</keys><fields>*</fields></readByName>")
    assert vendor.data.get("count") == "1"


async def test_definitions_tell_what_they_can_be_converted_from(wire: Wire) -> None:
    reply = await wire.ask(
        "<readByName><object>PODOCUMENTPARAMS</object><keys>Vendor Invoice</keys><fields>*</fields></readByName>"
    )
    definition = reply.data[0]
    assert (definition.findtext("CATEGORY"), definition.findtext("UPDATES_GL")) == ("Invoice", "A")
    recalls = [recall.findtext("RECDOCPAR") for recall in definition.findall("RECALLS/RECALL")]
    assert recalls == ["Purchase Order", "PO Receiver"]


async def test_a_read_at_top_level_does_not_see_what_an_entity_owns(wire: Wire) -> None:
    order = await wire.order("PO-1")
    read = f"<read><object>PODOCUMENT</object><keys>{order['record_no']}</keys><fields>DOCNO</fields></read>"
    assert (await wire.ask(read, auth=login(""))).data.get("count") == "0"
    await wire.switch(readbyquery_top_sees_private=True)
    assert (await wire.ask(read, auth=login(""))).data.get("count") == "1"


async def test_a_result_lags_as_a_whole(wire: Wire) -> None:
    """Checklist 11: a record deleted within the lag is still on its page, as the page's own counts say."""
    for at in range(3):
        await wire.order(f"PO-{at}")
    await wire.switch(read_lag_seconds=120)
    await wire.room("/clock", {"advance_seconds": 600})
    await wire.act("delete", kind="purchase_order", number="PO-1")
    for later, expected in ((0, ["PO-0", "PO-1", "PO-2"]), (300, ["PO-0", "PO-2"])):
        await wire.room("/clock", {"advance_seconds": later})
        reply = await wire.ask(by_query(""))
        assert [row["DOCNO"] for row in reply.rows] == expected
        assert (reply.data.get("count"), reply.data.get("totalcount")) == (str(len(expected)), str(len(expected)))
