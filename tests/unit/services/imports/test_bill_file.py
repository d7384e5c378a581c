"""Files of bills: what is read, what is reported by line, and what is left out with it."""

import io
from decimal import Decimal

import pytest

from services.imports.bill_file import FileBill, read_bills
from services.imports.text_rows import FileFormat, UnreadableFile, UnreadableRow

HEADER = "invoice_number,vendor_id,invoice_date,due_date,po_number,po_line_no,item_id,quantity,unit,price,amount,memo\n"


def read(
    content: str | bytes, header: str = HEADER, written_as: FileFormat = FileFormat.CSV
) -> tuple[list[FileBill], list[UnreadableRow]]:
    raw = content if isinstance(content, bytes) else content.encode()
    if written_as is FileFormat.CSV:
        raw = header.encode() + raw
    text = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", errors="surrogateescape", newline="")
    done = list(read_bills(text, written_as))
    return (
        [one for one in done if isinstance(one, FileBill)],
        [one for one in done if isinstance(one, UnreadableRow)],
    )


def places(unreadable: list[UnreadableRow]) -> list[tuple[int, str]]:
    return [(row.line, row.column) for row in unreadable]


def test_rows_of_one_invoice_are_one_bill() -> None:
    bills, unreadable = read(
        "INV-1,V1,2026-11-01,2026-12-01,PO-1,1,,4,Each,2.50,,first\n"
        "INV-1,V1,2026-11-01,2026-12-01,PO-1,2,,1.5,Each,,30.00,first\n"
        "INV-2,V1,2026-11-02,,PO-1,1,,1,Each,2.50,,\n"
    )
    assert unreadable == []
    assert [(bill.number, len(bill.lines), bill.rows) for bill in bills] == [("INV-1", 2, [2, 3]), ("INV-2", 1, [4])]
    assert (bills[0].lines[1].quantity, bills[0].lines[1].amount) == (Decimal("1.5"), Decimal("30.00"))
    assert bills[0].header == {
        "number": "INV-1",
        "bill_date": "2026-11-01",
        "due_date": "2026-12-01",
        "memo": "first",
    }


def test_what_an_invoice_says_as_a_whole_comes_from_any_of_its_rows() -> None:
    """Charges, tax, discount and the supplier's own total; the first row need not be the one that has them."""
    head = HEADER.replace("\n", ",tax,discount,freight,other_charge,invoice_total,posting_date,department\n")
    (bill,), unreadable = read(
        "INV-1,V1,2026-11-01,,PO-1,1,,4,,2.50,,,,,,,,,10\nINV-1,V1,2026-11-01,,PO-1,2,,1,,2.50,,,1.25,0.5,7,3,24.25,2026-11-02,\n",
        head,
    )
    assert unreadable == []
    assert bill.header == {
        "number": "INV-1",
        "bill_date": "2026-11-01",
        "posting_date": "2026-11-02",
        "tax": "1.25",
        "discount": "0.5",
        "total": "24.25",
        "charges": [{"class": "freight", "amount": "7"}, {"class": "other", "amount": "3"}],
    }
    assert [dict(line.dimensions) for line in bill.lines] == [{"department": "10"}, {}]


def test_rows_that_say_two_things_of_one_invoice_are_no_bill() -> None:
    """Whichever was taken, the other would be lost in silence."""
    head = HEADER.replace("\n", ",tax\n")
    bills, unreadable = read(
        "INV-1,V1,2026-11-01,,PO-1,1,,4,,2.50,,,1.00\nINV-1,V1,2026-11-02,,PO-1,2,,4,,2.50,,,2.00\n", head
    )
    assert bills == []
    assert [str(row) for row in unreadable] == [
        "line 3, invoice_date: 2026-11-02 is not what an earlier row of the bill says: 2026-11-01",
        "line 3, tax: 2.00 is not what an earlier row of the bill says: 1.00",
    ]


def test_unreadable_rows_are_reported_by_line_and_the_others_go_on() -> None:
    bills, unreadable = read(
        "INV-1,V1,01.11.2026,,PO-1,1,,4,Each,2.50,,\n"
        "INV-2,V1,2026-11-02,,PO-1,1,,four,Each,2.50,,\n"
        "INV-4,V1,2026-11-02,,PO-1,one,,NaN,Each,2.50,,,surplus\n"
        "INV-5,V1,2026-11-02,,PO-1,1,,4,Each,2.50,,\n"
    )
    assert [bill.number for bill in bills] == ["INV-5"]
    assert places(unreadable) == [
        (2, "invoice_date"),
        (3, "quantity"),
        (4, "the row"),
        (4, "po_line_no"),
        (4, "quantity"),
    ]
    assert str(unreadable[0]) == "line 2, invoice_date: '01.11.2026' is not a date like 2026-11-30"


def test_a_bill_with_one_unreadable_row_is_left_out_whole() -> None:
    bills, unreadable = read(
        "INV-1,V1,2026-11-01,,PO-1,1,,four,Each,2.50,,\nINV-1,V1,2026-11-01,,PO-1,2,,4,Each,2.50,,\n"
    )
    assert (bills, len(unreadable)) == ([], 1)


def test_a_row_that_names_no_invoice_takes_its_neighbours_with_it() -> None:
    """A sheet whose merged cells leave the number empty: the bill before would be sent without that line."""
    bills, unreadable = read(
        "INV-1,V1,2026-11-01,,PO-1,1,,4,,2.50,,\n"
        ",,,,PO-1,2,,4,,2.50,,\n"
        "INV-2,V1,2026-11-02,,PO-2,1,,4,,2.50,,\n"
        "INV-3,V1,2026-11-02,,PO-3,1,,4,,2.50,,\n"
    )
    assert [bill.number for bill in bills] == ["INV-3"]
    assert places(unreadable) == [
        (3, "invoice_number"),
        (3, "vendor_id"),
        (3, "invoice_date"),
        (2, "invoice_number"),
        (4, "invoice_number"),
    ]
    assert str(unreadable[3]) == (
        "line 2, invoice_number: 'INV-1' is left out: line 3 does not say whether it is part of it"
    )


def test_a_row_in_another_encoding_costs_its_bill_and_no_other() -> None:
    """A file put together of two: UTF-8, and the encoding of an old program."""
    bills, unreadable = read(
        "INV-1,V1,2026-11-01,,PO-1,1,,4,,2.50,,Größe\n".encode()
        + "INV-2,V1,2026-11-01,,PO-1,1,,4,,2.50,,Größe\n".encode("latin-1")
        + b"INV-3,V1,2026-11-01,,PO-1,1,,4,,2.50,,\n"
        + "INV-Ä,V1,2026-11-01,,PO-1,2,,4,,2.50,,\n".encode("latin-1")
        + b"INV-5,V1,2026-11-01,,PO-1,1,,4,,2.50,,\n"
        + b"INV-6,V1,2026-11-01,,PO-1,1,,4,,2.50,,\n"
    )
    assert [(bill.number, bill.memo) for bill in bills] == [("INV-1", "Größe"), ("INV-6", "")]
    assert places(unreadable) == [
        (3, "memo"),
        (5, "invoice_number"),
        (4, "invoice_number"),
        (6, "invoice_number"),
    ]
    assert unreadable[0].problem == "is not UTF-8 text, or holds NUL characters"


def test_a_quoted_line_break_is_part_of_its_value() -> None:
    """Lines are counted as an editor does, so the rows behind it keep their numbers."""
    bills, unreadable = read(
        'INV-1,V1,2026-11-01,,PO-1,1,,4,,2.50,,"two\nlines, and a ""word"""\n'
        "INV-2,V1,2026-11-01,,PO-1,1,,x,,2.50,,\n"
        "INV-3,V1,2026-11-01,,PO-1,1,,4,,2.50,,\n"
    )
    assert [(bill.number, bill.memo, bill.rows) for bill in bills] == [
        ("INV-1", 'two\nlines, and a "word"', [2]),
        ("INV-3", "", [5]),
    ]
    assert places(unreadable) == [(4, "quantity")]


def test_a_quote_that_never_closes_is_named_with_what_it_took_along() -> None:
    rows = "".join(
        f"INV-{no},V1,2026-11-01,,PO-1,1,,4,,2.50,,{'' if no != 2 else chr(34) + 'open'}\n" for no in range(1, 6)
    )
    bills, unreadable = read(rows)
    assert [bill.number for bill in bills] == []
    assert places(unreadable) == [(3, "the row"), (2, "invoice_number")]
    assert "nothing was read up to line 6" in unreadable[0].problem


def test_a_bill_has_at_most_as_many_lines_as_the_api_takes() -> None:
    rows = "".join(f"INV-1,V1,2026-11-01,,PO-1,{no},,4,,2.50,,\n" for no in range(1, 503))
    bills, unreadable = read(rows + "INV-2,V1,2026-11-01,,PO-1,1,,4,,2.50,,\n")
    assert [bill.number for bill in bills] == ["INV-2"]
    assert [str(row) for row in unreadable] == ["line 502, the row: is the bill's line 501; a bill has at most 500"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "must name the columns"),
        (b"number;vendor\n1;2\n", "must name the columns"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_another_kind_of_file_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(UnreadableFile, match=problem):
        read(content, header="")


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("Quantity ordered", "there is no column 'Quantity ordered'"),
        ("curency", "there is no column 'curency' (did you mean currency?)"),
        ("invoice_nr", "there is no column 'invoice_nr' (did you mean invoice_number?)"),
        ("memo", "the first line names memo twice"),
    ],
)
def test_a_column_that_is_not_known_is_refused_by_name(column: str, said: str) -> None:
    """faults-2 C8: as the API refuses an unknown field; before, a misspelt column was lost in silence."""
    with pytest.raises(UnreadableFile) as refused:
        read("INV-1,V1,2026-11-01,,PO-1,1,,4,Each,2.50,,,x\n", HEADER.replace("\n", f",{column}\n"))
    assert said in str(refused.value)


@pytest.mark.parametrize("day", ["1700000000", "0", "2026-11-30T10:00", "20261130"])
def test_a_day_is_written_in_one_way(day: str) -> None:
    _, unreadable = read(f"INV-1,V1,{day},,PO-1,1,,4,Each,2.50,,\n")
    assert [row.column for row in unreadable] == ["invoice_date"]


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("INV-1,V1,2026-11-01,,PO-1,1,,,,,15.00,,7000\n", ["po_line_no"]),
        ("INV-1,V1,2026-11-01,,,,BOLT,,Each,2.50,,,7000\n", ["item_id", "unit", "price", "amount"]),
        ("INV-1,V1,2026-11-01,,,,,,,,15.00,,\n", ["quantity"]),
    ],
)
def test_a_row_is_on_an_order_line_or_on_an_account(row: str, where: list[str]) -> None:
    bills, unreadable = read(row, HEADER.replace("\n", ",account\n"))
    assert (bills, [one.column for one in unreadable]) == ([], where)


def test_json_lines_have_the_same_columns() -> None:
    """Numbers and text are the same; what is no row is named by its line."""
    bills, unreadable = read(
        '{"invoice_number": "INV-1", "vendor_id": "V1", "invoice_date": "2026-11-01", "quantity": 1.1, "unit": null}\n'
        "\n"
        '{"invoice_number": 7, "vendor_id": "V1", "invoice_date": "2026-11-01", "quantity": "4", "colour": "red"}\n'
        "[1]\n"
        '{"invoice_number": "INV-8", "vendor_id": "V1", "invoice_date": "2026-11-01", "quantity": true}\n'
        '{"invoice_number": "INV-9", "vendor_id": "V1", "invoice_date": "2026-11-01", "quantity": 4}\n'
        "{}\n",
        written_as=FileFormat.JSONL,
    )
    assert [(bill.number, bill.lines[0].quantity, bill.rows) for bill in bills] == [
        ("INV-1", Decimal("1.1"), [1]),
        ("INV-9", Decimal(4), [6]),
    ]
    assert [str(row) for row in unreadable] == [
        "line 3, colour: there is no column 'colour'",
        "line 4, the row: is not a JSON object",
        "line 5, quantity: is neither text nor a number",
    ]
