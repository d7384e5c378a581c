"""Files of bills: what is read, what is reported by line, and how repeats are told from second invoices."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.bill_import.csv_file import FileBill, UnreadableFile, read_bills
from cli.bill_import.run import import_bills
from cli.client.api_client import Api
from cli.main import app

HEADER = "invoice_number,vendor_id,invoice_date,due_date,po_number,po_line_no,item_id,quantity,unit,price,amount,memo\n"


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(rows: str, header: str = HEADER) -> Path:
        path = tmp_path / "bills.csv"
        path.write_text(header + rows)
        return path

    return write


def test_rows_of_one_invoice_are_one_bill(written: Callable[[str], Path]) -> None:
    bills, unreadable = read_bills(
        written(
            "INV-1,V1,2026-11-01,2026-12-01,PO-1,1,,4,Each,2.50,,first\n"
            "INV-1,V1,2026-11-01,2026-12-01,PO-1,2,,1.5,Each,,30.00,first\n"
            "INV-2,V1,2026-11-02,,PO-1,1,,1,Each,2.50,,\n"
        )
    )
    assert unreadable == []
    assert [(bill.number, len(bill.lines), bill.rows) for bill in bills] == [("INV-1", 2, [2, 3]), ("INV-2", 1, [4])]
    assert bills[0].lines[1].quantity == Decimal("1.5")
    assert bills[0].lines[1].amount == Decimal("30.00")


def test_unreadable_rows_are_reported_by_line_and_the_others_go_on(written: Callable[[str], Path]) -> None:
    bills, unreadable = read_bills(
        written(
            "INV-1,V1,01.11.2026,,PO-1,1,,4,Each,2.50,,\n"
            "INV-2,V1,2026-11-02,,PO-1,1,,four,Each,2.50,,\n"
            ",V1,2026-11-02,,PO-1,1,,4,Each,2.50,,\n"
            "INV-4,V1,2026-11-02,,PO-1,one,,NaN,Each,2.50,,,surplus\n"
            "INV-5,V1,2026-11-02,,PO-1,1,,4,Each,2.50,,\n"
        )
    )
    assert [bill.number for bill in bills] == ["INV-5"]
    assert [(row.line, row.column) for row in unreadable] == [
        (2, "invoice_date"),
        (3, "quantity"),
        (4, "invoice_number"),
        (5, "the row"),
        (5, "po_line_no"),
        (5, "quantity"),
    ]
    assert str(unreadable[0]) == "line 2, invoice_date: '01.11.2026' is not a date like 2026-11-30"


def test_a_bill_with_one_unreadable_row_is_left_out_whole(written: Callable[[str], Path]) -> None:
    bills, unreadable = read_bills(
        written("INV-1,V1,2026-11-01,,PO-1,1,,four,Each,2.50,,\nINV-1,V1,2026-11-01,,PO-1,2,,4,Each,2.50,,\n")
    )
    assert bills == []
    assert len(unreadable) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "must name the columns"),
        (b"number;vendor\n1;2\n", "must name the columns"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "bills.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=problem):
        read_bills(path)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("Quantity ordered", "there is no column 'Quantity ordered'"),
        ("curency", "there is no column 'curency'"),
        ("invoice_nr", "there is no column 'invoice_nr' (did you mean invoice_number?)"),
        ("memo", "the first line names memo twice"),
    ],
)
def test_a_column_that_is_not_known_is_refused_by_name(
    written: Callable[[str, str], Path], column: str, said: str
) -> None:
    """faults-2 C8: as the API refuses an unknown field; before, a misspelt column was lost in silence."""
    header = HEADER.replace("\n", f",{column}\n")
    with pytest.raises(UnreadableFile) as refused:
        read_bills(written("INV-1,V1,2026-11-01,,PO-1,1,,4,Each,2.50,,,x\n", header))
    assert said in str(refused.value)


def test_a_column_for_the_sandbox_alone_may_be_there_and_must_be_empty(
    written: Callable[[str, str], Path],
) -> None:
    """One file may feed both; a currency that nobody looks at must not pass for one that is used."""
    header = HEADER.replace("\n", ",currency\n")
    bills, unreadable = read_bills(
        written("INV-1,V1,2026-11-01,,PO-1,1,,4,,,,,\nINV-2,V1,2026-11-01,,PO-1,1,,4,,,,,EUR\n", header)
    )
    assert [bill.number for bill in bills] == ["INV-1"]
    assert str(unreadable[0]) == (
        "line 3, currency: 'EUR' is not read by an import, only by the sandbox: leave it empty"
    )


@pytest.mark.parametrize("day", ["1700000000", "0", "2026-11-30T10:00", "20261130"])
def test_a_day_is_written_in_one_way(written: Callable[[str], Path], day: str) -> None:
    _, unreadable = read_bills(written(f"INV-1,V1,{day},,PO-1,1,,4,Each,2.50,,\n"))
    assert [row.column for row in unreadable] == ["invoice_date"]


def test_the_same_file_has_the_same_keys_and_a_second_invoice_its_own(written: Callable[[str], Path]) -> None:
    row = "INV-1,V1,2026-11-01,,PO-1,1,,4,Each,2.50,,\n"
    first, _ = read_bills(written(row + row))
    again, _ = read_bills(written(row + row))
    assert [bill.key for bill in first] == [bill.key for bill in again]
    assert len({bill.key for bill in first}) == 2


def an_api(answers: Callable[[httpx.Request], httpx.Response]) -> Api:
    api = Api("http://api.test", "psk_test")
    api._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answers))
    return api


ORDER = {
    "id": "po_1",
    "number": "PO-1",
    "lines": [
        {"line_no": 1, "item_id": "BOLT", "order_line_id": "po_1:1"},
        {"line_no": 2, "item_id": "NUT", "order_line_id": "po_1:2"},
        {"line_no": 3, "item_id": "NUT", "order_line_id": "po_1:3"},
    ],
}


ELSEWHERE = {"id": "po_2", "number": "PO-2", "lines": [{"line_no": 1, "item_id": "PIN", "order_line_id": "po_2:1"}]}


def a_guess(order: dict[str, Any], line_no: int) -> dict[str, Any]:
    return {
        "purchase_order_id": order["id"],
        "purchase_order_number": order["number"],
        "order_line_no": line_no,
        "order_line_id": f"{order['id']}:{line_no}",
        "reasons": [{"code": "PRICE_EQUAL", "text": "price 2.5", "points": 3.0}],
    }


def suggested(line: dict[str, Any], line_no: int) -> dict[str, Any]:
    """What the stand-in proposes goes by the row's description: `<confidence> <order> <line>`, or nothing."""
    if not line["description"]:
        return {"line_no": line_no, "confidence": "unsure", "score": 0.0, "proposed": None, "others": []}
    confidence, order, place = line["description"].split()
    guess = a_guess(ORDER if order == "PO-1" else ELSEWHERE, int(place))
    shown = confidence in ("sure", "likely")
    return {
        "line_no": line_no,
        "confidence": confidence,
        "score": 0.9,
        "proposed": guess if shown else None,
        "others": [] if shown else [guess],
    }


def an_organization(posted: list[dict[str, Any]], answer: httpx.Response, connections: int = 1) -> Api:
    """An API with two orders; what is posted as bills is noted and gets the answer."""

    def answers(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v1/connections":
            items = [{"id": f"c{number}", "state": "ready"} for number in range(connections)]
            return httpx.Response(200, json={"items": items, "next_cursor": None})
        if request.method == "POST":
            body = json.loads(request.content)
            if path.endswith("/bills"):
                posted.append({"path": path, "key": request.headers["Idempotency-Key"], **body})
                return answer
            items = [suggested(line, number) for number, line in enumerate(body["lines"], start=1)]
            if path == "/v1/line-suggestions":
                assert body["connection_id"] == "c0"
                return httpx.Response(200, json={"orders": 2, "items": items})
            assert path == "/v1/purchase-orders/po_1/bill-draft"
            taken = [item for item in items if item["confidence"] in ("sure", body["accept"])]
            lines = [{name: item["proposed"][name] for name in ("order_line_no", "order_line_id")} for item in taken]
            return httpx.Response(200, json={"lines": lines, "unassigned": [one for one in items if one not in taken]})
        if path.endswith("/lists/vendor"):
            return httpx.Response(200, json={"items": vendors(request.url.params["q"]), "next_cursor": None})
        if path == "/v1/purchase-orders":
            items = [
                {"vendor_id": "V1", "vendor_name": "Acme Supplies", "connection_id": "c0", **order}
                for order in (ORDER, ELSEWHERE)
                if order["number"] == request.url.params["q"] and request.url.params.get("vendor") in (None, "V1")
            ]
            return httpx.Response(200, json={"items": items, "next_cursor": None})
        return httpx.Response(200, json=ORDER if path.endswith("po_1") else ELSEWHERE)

    return an_api(answers)


def vendors(q: str) -> list[dict[str, Any]]:
    """What the list of vendors shows for a question."""
    acme = {"key": "V1", "name": "Acme Supplies", "attributes": {"number": "ACME-01", "external_id": "ext-7"}}
    other = {"key": "V2", "name": "Other", "attributes": {"number": "OTHER"}}
    return [one for one in (acme, other) if q in (*one["attributes"].values(),) or q in f"{one['key']} {one['name']}"]


def imported(
    bills: list[FileBill], answer: httpx.Response, connections: int = 1, **how: Any
) -> tuple[list[Any], list[dict[str, Any]]]:
    posted: list[dict[str, Any]] = []
    return list(import_bills(an_organization(posted, answer, connections), bills, **how)), posted


ACCEPTED = httpx.Response(
    201, json={"bill": {"id": "bill_1", "status": "pending_push"}, "match": {"outcome": "OK", "findings": []}}
)


def test_outcomes_are_told_apart(written: Callable[[str], Path]) -> None:
    bills, _ = read_bills(
        written(
            "INV-1,V1,2026-11-01,,PO-1,,BOLT,4,Each,2.50,,\n"
            "INV-2,V1,2026-11-01,,PO-9,1,,4,Each,2.50,,\n"
            "INV-3,V1,2026-11-01,,,1,,4,Each,2.50,,\n"
            "INV-4,V1,2026-11-01,,PO-1,,NUT,4,Each,2.50,,\n"
        )
    )
    findings = [
        {"code": "PRICE_LOWER", "severity": "INFO", "message": "cheaper"},
        {"code": "BILLED_BEYOND_RECEIVED", "severity": "WARN", "message": "nothing came"},
    ]
    match = {"outcome": "WARN", "findings": findings}
    saved = {"id": "bill_1", "status": "awaiting_acknowledgement"}
    done, posted = imported(bills, httpx.Response(201, json={"bill": saved, "match": match}))
    assert (done[0].detail, done[0].bill_id) == ("nothing came", "bill_1")
    assert [(one.outcome, one.code) for one in done] == [
        ("warned", "BILLED_BEYOND_RECEIVED"),
        ("no_purchase_order", "UNKNOWN_PO"),
        ("no_purchase_order", "NO_PO_NUMBER"),
        ("unsure", "LINE_UNSURE"),
    ]
    assert [body["lines"] for body in posted] == [
        [{"order_line_id": "po_1:1", "quantity": "4", "unit": "Each", "price": "2.50"}]
    ]


DESCRIBED = "invoice_number,vendor_id,invoice_date,po_number,po_line_no,description,quantity\n"


def lines_of(posted: list[dict[str, Any]]) -> list[tuple[str, list[tuple[str | None, int]]]]:
    return [
        (
            body["path"],
            [(line.get("purchase_order_id"), int(line["order_line_id"].partition(":")[2])) for line in body["lines"]],
        )
        for body in posted
    ]


def test_rows_without_a_line_are_placed_where_that_is_sure(written: Callable[[str], Path]) -> None:
    """issue 3: a row without order line, or without order number, is completed by suggestion when sure."""
    bills, _ = read_bills(
        written(
            "INV-1,V1,2026-11-01,PO-1,1,,4\n"
            "INV-1,V1,2026-11-01,PO-1,,sure PO-1 3,4\n"
            "INV-2,V1,2026-11-01,,,sure PO-2 1,4\n"
            "INV-2,V1,2026-11-01,,,sure PO-1 2,4\n",
            DESCRIBED,
        )
    )
    done, posted = imported(bills, ACCEPTED)
    assert [one.outcome for one in done] == ["accepted", "accepted"]
    assert lines_of(posted) == [
        ("/v1/purchase-orders/po_1/bills", [(None, 1), (None, 3)]),
        ("/v1/purchase-orders/po_2/bills", [(None, 1), ("po_1", 2)]),
    ]


def test_what_is_only_likely_is_sent_when_asked_for(written: Callable[[str], Path]) -> None:
    """issue 3: never silently applied below the stated confidence."""
    rows = "INV-1,V1,2026-11-01,,,likely PO-2 1,4\nINV-2,V1,2026-11-01,PO-1,,likely PO-1 2,4\n"
    bills, _ = read_bills(written(rows, DESCRIBED))
    done, posted = imported(bills, ACCEPTED)
    assert posted == []
    assert [(one.outcome, one.detail) for one in done] == [
        ("unsure", "line 2 names no order line; best guess (likely): PO-2 line 1 (price 2.5)"),
        ("unsure", "line 3 names no order line; best guess (likely): PO-1 line 2 (price 2.5)"),
    ]
    done, posted = imported(bills, ACCEPTED, accept="likely")
    assert [one.outcome for one in done] == ["accepted", "accepted"]
    assert len(posted) == 2


def test_a_bill_with_one_unsure_row_is_not_sent(written: Callable[[str], Path]) -> None:
    rows = "INV-1,V1,2026-11-01,,,sure PO-2 1,4\nINV-1,V1,2026-11-01,,,unsure PO-1 2,4\n"
    bills, _ = read_bills(written(rows, DESCRIBED))
    done, posted = imported(bills, ACCEPTED, accept="likely")
    assert ([one.outcome for one in done], posted) == (["unsure"], [])
    assert done[0].detail == "line 3 names no order line; best guess (unsure): PO-1 line 2 (price 2.5)"


@pytest.mark.parametrize(
    "rows",
    [
        "INV-1,V1,2026-11-01,PO-1,2,,4\nINV-1,V1,2026-11-01,PO-1,,sure PO-1 2,4\n",
        "INV-1,V1,2026-11-01,,2,sure PO-1 1,4\n",
    ],
)
def test_a_suggestion_the_file_contradicts_is_not_taken(written: Callable[[str], Path], rows: str) -> None:
    """Another row has that line already, or the row names another one."""
    bills, _ = read_bills(written(rows, DESCRIBED))
    done, posted = imported(bills, ACCEPTED)
    assert ([(one.outcome, one.code) for one in done], posted) == ([("unsure", "LINE_UNSURE")], [])


def test_with_several_connections_one_must_be_named(written: Callable[[str], Path]) -> None:
    bills, _ = read_bills(written("INV-1,V1,2026-11-01,,,sure PO-2 1,4\n", DESCRIBED))
    done, posted = imported(bills, ACCEPTED, connections=2)
    assert ([(one.outcome, one.code) for one in done], posted) == ([("no_purchase_order", "NO_PO_NUMBER")], [])
    assert "--connection" in done[0].detail
    done, _ = imported(bills, ACCEPTED, connections=2, connection="c0")
    assert [one.outcome for one in done] == ["accepted"]


def test_the_command_lists_every_bill_that_was_not_sent(
    written: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them is a question to a person; the command ends with 1 until nothing is left out."""
    rows = "INV-1,V1,2026-11-01,,,likely PO-2 1,4\nINV-2,V1,2026-11-01,PO-1,,likely PO-1 2,4\n"
    posted: list[dict[str, Any]] = []
    monkeypatch.setattr("cli.commands.bills.api", lambda _: an_organization(posted, ACCEPTED))
    monkeypatch.setattr("cli.commands.bills.console.width", 200)
    done = CliRunner().invoke(app, ["bills", "import", str(written(rows, DESCRIBED))])
    assert (done.exit_code, posted) == (1, [])
    assert (
        "INV-1 (line 2), LINE_UNSURE: line 2 names no order line; best guess (likely): PO-2 line 1 (price 2.5)"
        in done.output
    )
    assert (
        "INV-2 (line 3), LINE_UNSURE: line 3 names no order line; best guess (likely): PO-1 line 2 (price 2.5)"
        in done.output
    )
    done = CliRunner().invoke(app, ["bills", "import", str(written(rows, DESCRIBED)), "--accept-likely"])
    assert (done.exit_code, len(posted)) == (0, 2)
    nowhere = "INV-3,V1,2026-11-01,PO-9,1,,4\nINV-4,V1,2026-11-01,PO-8,1,,4\n"
    done = CliRunner().invoke(app, ["bills", "import", str(written(nowhere, DESCRIBED))])
    assert done.exit_code == 1
    assert "INV-3 (line 2), UNKNOWN_PO: vendor V1 has no purchase order PO-9" in done.output
    assert "INV-4 (line 3), UNKNOWN_PO: vendor V1 has no purchase order PO-8" in done.output


def test_one_invoice_over_two_orders_is_one_bill(written: Callable[[str], Path]) -> None:
    """matching.md 3.6: each line carries its own order; line 1 of another order is no second invoice."""
    bills, _ = read_bills(written("INV-1,V1,2026-11-01,PO-1,1,,4\nINV-1,V1,2026-11-01,PO-2,1,,4\n", DESCRIBED))
    done, posted = imported(bills, ACCEPTED)
    assert [one.outcome for one in done] == ["accepted"]
    assert lines_of(posted) == [("/v1/purchase-orders/po_1/bills", [(None, 1), ("po_2", 1)])]


def test_the_same_rows_on_other_lines_are_another_request(written: Callable[[str], Path]) -> None:
    """The order changed between two imports: the API must see the repeated invoice number, not a repeated request."""
    keys = []
    for place in ("sure PO-1 2", "sure PO-1 2", "sure PO-1 3"):
        bills, _ = read_bills(written("INV-1,V1,2026-11-01,PO-1,,x,4\n", DESCRIBED))
        bills[0].lines[0] = replace(bills[0].lines[0], description=place)
        _, posted = imported(bills, ACCEPTED)
        keys.append(posted[0]["key"])
    assert keys[0] == keys[1] != keys[2]


def test_a_blocked_bill_carries_the_rule_that_blocked_it(written: Callable[[str], Path]) -> None:
    bills, _ = read_bills(written("INV-1,V1,2026-11-01,,PO-1,1,,400,Each,2.50,,\n"))
    findings = [
        {"code": "PRICE_DIFFERS", "severity": "HOLD", "message": "dearer"},
        {"code": "OVER_CEILING", "severity": "BLOCK", "message": "400 of 4"},
    ]
    problem = {"code": "MATCH_BLOCKED", "detail": "400 of 4", "match": {"findings": findings}}
    done, _ = imported(bills, httpx.Response(422, json=problem))
    assert [(one.outcome, one.code, one.detail) for one in done] == [("blocked", "OVER_CEILING", "400 of 4")]


@pytest.mark.parametrize("vendor", ["V1", "ACME-01", "ext-7", "acme  supplies"])
def test_a_file_may_call_the_vendor_by_any_of_its_names(written: Callable[[str], Path], vendor: str) -> None:
    """C11: only NetSuite's internal id counted, and 1,045 bills of a file were of an unknown order."""
    bills, _ = read_bills(written(f"INV-1,{vendor},2026-11-01,,PO-1,1,,4,Each,2.50,,\n"))
    done, posted = imported(bills, ACCEPTED)
    assert [one.outcome for one in done] == ["accepted"], done
    assert len(posted) == 1


def test_an_order_of_another_vendor_says_whose_it_is(written: Callable[[str], Path]) -> None:
    """C11: the order is there, and the file names somebody else."""
    bills, _ = read_bills(written("INV-1,OTHER,2026-11-01,,PO-1,1,,4,Each,2.50,,\n"))
    (one,), posted = imported(bills, ACCEPTED)
    assert (one.code, posted) == ("UNKNOWN_PO", [])
    assert one.detail == "PO-1 belongs to vendor V1 (Acme Supplies), not to OTHER"


DIRECT = HEADER.replace("\n", ",account,description\n")


def test_a_bill_of_amounts_on_accounts_is_entered_without_an_order(written: Callable[[str, str], Path]) -> None:
    """S1-28: rent and power as rows with an account; in the connection named, else in the only one."""
    rows = (
        "RENT-1,V1,2026-11-01,2026-12-01,,,,,,,1200.00,November,6600,Rent\n"
        "RENT-1,V1,2026-11-01,2026-12-01,,,,,,,80.00,November,6610,Power\n"
    )
    bills, unreadable = read_bills(written(rows, DIRECT))
    assert unreadable == []
    (done,), (posted,) = imported(bills, ACCEPTED)
    assert (done.outcome, done.bill_id) == ("accepted", "bill_1")
    assert posted == {
        "path": "/v1/bills",
        "key": bills[0].key,
        "connection_id": "c0",
        "vendor_id": "V1",
        "number": "RENT-1",
        "bill_date": "2026-11-01",
        "due_date": "2026-12-01",
        "memo": "November",
        "lines": [
            {"account": "6600", "amount": "1200.00", "description": "Rent"},
            {"account": "6610", "amount": "80.00", "description": "Power"},
        ],
    }
    (several,), nothing = imported(bills, ACCEPTED, connections=2)
    assert (several.outcome, nothing) == ("no_purchase_order", [])
    assert "--connection" in several.detail
    (_,), (named,) = imported(bills, ACCEPTED, connections=2, connection="c1")
    assert named["connection_id"] == "c1"


def test_a_row_with_an_account_is_off_the_order_of_its_bill(written: Callable[[str, str], Path]) -> None:
    """The order's number may stand on any row of the bill."""
    rows = "INV-1,V1,2026-11-01,,,,,,,,15.00,,7000,Freight\nINV-1,V1,2026-11-01,,PO-1,1,,4,Each,2.50,,,,\n"
    bills, _ = read_bills(written(rows, DIRECT))
    (_,), (posted,) = imported(bills, ACCEPTED)
    assert posted["path"] == "/v1/purchase-orders/po_1/bills"
    assert posted["lines"] == [
        {"order_line_id": "po_1:1", "quantity": "4", "unit": "Each", "price": "2.50"},
        {"account": "7000", "amount": "15.00", "description": "Freight", "off_order": True},
    ]


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("INV-1,V1,2026-11-01,,PO-1,1,,,,,15.00,,7000,\n", ["po_line_no"]),
        ("INV-1,V1,2026-11-01,,,,BOLT,,Each,2.50,,,7000,\n", ["item_id", "unit", "price", "amount"]),
        ("INV-1,V1,2026-11-01,,,,,,,,15.00,,,\n", ["quantity"]),
    ],
)
def test_a_row_is_on_an_order_line_or_on_an_account(
    written: Callable[[str, str], Path], row: str, where: list[str]
) -> None:
    bills, unreadable = read_bills(written(row, DIRECT))
    assert (bills, [one.column for one in unreadable]) == ([], where)
