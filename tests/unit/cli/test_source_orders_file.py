"""A file of source orders: rows of one reference are one order; what cannot be read is named by line and column."""

from pathlib import Path

import pytest

from cli.source_orders.csv_file import FileOrders, read_orders
from services.imports.text_rows import UnreadableFile


def read(tmp_path: Path, content: str) -> FileOrders:
    file = tmp_path / "orders.csv"
    file.write_text(content, encoding="utf-8-sig")
    return read_orders(file)


def test_rows_of_one_reference_are_one_order(tmp_path: Path) -> None:
    """What an order says may stand in its first row alone, or in each."""
    file = read(
        tmp_path,
        "reference,contact,ordered_on,invoice_number,item,quantity,price,amount\n"
        "PO-1,Norton,2026-11-02,INV-1,Post,2,12.50,\n"
        "PO-2,Alder,2026-11-03,,,,,7\n"
        "\n"
        "PO-1,Norton,2026-11-02,,Rail,,,5.25\n",
    )
    assert file.unreadable == []
    assert file.orders == [
        {
            "reference": "PO-1",
            "contact": "Norton",
            "ordered_on": "2026-11-02",
            "invoice_number": "INV-1",
            "lines": [
                {"item": "Post", "quantity": "2", "price": "12.50"},
                {"item": "Rail", "amount": "5.25"},
            ],
        },
        {"reference": "PO-2", "contact": "Alder", "ordered_on": "2026-11-03", "lines": [{"amount": "7"}]},
    ]


def test_an_order_with_an_unreadable_row_is_left_out_and_the_others_go_on(tmp_path: Path) -> None:
    """Two rows that say different things of one order, a missing contact, and too many fields."""
    file = read(
        tmp_path,
        "reference,contact,ordered_on,amount\n"
        "PO-1,Norton,2026-11-02,1\n"
        "PO-1,Alder,2026-11-02,1\n"
        "PO-2,,2026-11-02,1\n"
        "PO-3,Norton,2026-11-02,1,extra\n"
        "PO-4,Norton,2026-11-02,1\n",
    )
    assert [str(row) for row in file.unreadable] == [
        "line 3, contact: is 'Alder', and 'Norton' in line 2 of the same order",
        "line 4, contact: is empty",
        "line 5, the row: has more fields than the header has columns",
    ]
    assert [order["reference"] for order in file.orders] == ["PO-4"]


@pytest.mark.parametrize(
    "row", [b",Norton,2026-11-02,5", b"PO-\xe9,Norton,2026-11-02,5", b'"PO-1"x,Norton,2026-11-02,5']
)
def test_a_row_that_names_no_order_takes_its_neighbours_with_it(tmp_path: Path, row: bytes) -> None:
    """It may be a line of either (merged cells, a byte of another encoding): neither is sent without it."""
    file = tmp_path / "orders.csv"
    named = [f"PO-{number},Norton,2026-11-02,1".encode() for number in (1, 2, 3)]
    file.write_bytes(b"\n".join([b"reference,contact,ordered_on,amount", named[2], named[0], row, named[1]]))
    read = read_orders(file)
    assert [order["reference"] for order in read.orders] == ["PO-3"]
    said = [str(one) for one in read.unreadable]
    assert said[0].startswith("line 4, ")
    assert said[-2:] == [
        "line 3, reference: 'PO-1' is left out: line 4 does not say whether it is part of it",
        "line 5, reference: 'PO-2' is left out: line 4 does not say whether it is part of it",
    ]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("reference,contact", "the first line must name the columns ordered_on"),
        ("reference,contact,ordered_on,colour", "there is no column 'colour'"),
        ("reference,contact,ordered_on,contact", "the first line names contact twice"),
    ],
)
def test_a_file_of_something_else(tmp_path: Path, header: str, problem: str) -> None:
    with pytest.raises(UnreadableFile, match=problem):
        read(tmp_path, header + "\n")
