"""Files of bills: what is read, what is reported by line, and how repeats are told from second invoices."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.api_client import Api
from cli.bill_import import FileBill, UnreadableFile, import_bills, read_bills

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
        (5, "quantity"),
        (5, "po_line_no"),
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
    "lines": [{"line_no": 1, "item_id": "BOLT"}, {"line_no": 2, "item_id": "NUT"}, {"line_no": 3, "item_id": "NUT"}],
}


def imported(bills: list[FileBill], answer: httpx.Response) -> tuple[list[Any], list[dict[str, Any]]]:
    posted: list[dict[str, Any]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            posted.append(json.loads(request.content))
            return answer
        if request.url.path == "/v1/purchase-orders":
            known = request.url.params["q"] == "PO-1"
            return httpx.Response(200, json={"items": [ORDER] if known else [], "next_cursor": None})
        return httpx.Response(200, json=ORDER)

    return list(import_bills(an_api(answers), bills)), posted


def test_outcomes_are_told_apart(written: Callable[[str], Path]) -> None:
    bills, _ = read_bills(
        written(
            "INV-1,V1,2026-11-01,,PO-1,,BOLT,4,Each,2.50,,\n"
            "INV-2,V1,2026-11-01,,PO-9,1,,4,Each,2.50,,\n"
            "INV-3,V1,2026-11-01,,,1,,4,Each,2.50,,\n"
            "INV-4,V1,2026-11-01,,PO-1,,NUT,4,Each,2.50,,\n"
        )
    )
    match = {"outcome": "WARN", "findings": [{"code": "NOTHING_RECEIVED"}]}
    done, posted = imported(bills, httpx.Response(201, json={"bill": {"id": "bill_1"}, "match": match}))
    assert [(one.outcome, one.code) for one in done] == [
        ("warned", "NOTHING_RECEIVED"),
        ("no_purchase_order", "UNKNOWN_PO"),
        ("no_purchase_order", "NO_PO_NUMBER"),
        ("refused", "NO_SUCH_LINE"),
    ]
    assert [body["lines"] for body in posted] == [[{"order_line_no": 1, "quantity": "4", "price": "2.50"}]]


def test_a_blocked_bill_carries_the_rule_that_blocked_it(written: Callable[[str], Path]) -> None:
    bills, _ = read_bills(written("INV-1,V1,2026-11-01,,PO-1,1,,400,Each,2.50,,\n"))
    problem = {"code": "MATCH_BLOCKED", "detail": "400 of 4", "match": {"findings": [{"code": "OVER_CEILING"}]}}
    done, _ = imported(bills, httpx.Response(422, json=problem))
    assert [(one.outcome, one.code, one.detail) for one in done] == [("blocked", "OVER_CEILING", "400 of 4")]
