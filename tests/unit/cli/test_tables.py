"""Tables on a terminal of 80 columns."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli.client.terminal import quantity, table

GRNI = (
    "vendor",
    "order",
    "line",
    "item",
    "received",
    "billed",
    "to accrue",
    "0-30 days",
    "31-60",
    "over 90",
    "prepaid",
)


def printed(width: int, *, columns: tuple[str, ...], row: tuple[str, ...]) -> list[str]:
    out = io.StringIO()
    shown = table("Received and not billed", *columns)
    shown.add_row(*row)
    Console(file=out, width=width).print(shown)
    return out.getvalue().splitlines()


def test_no_word_is_broken_in_two() -> None:
    """F4: `reports grni` at 80 columns broke every word of its heads and amounts."""
    row = ("Acme Industrial Supplies", "PO-1007", "1", "ITEM-1", "10", "2", *["1,234,567.89"] * 5)
    lines = printed(80, columns=GRNI, row=row)
    assert max(len(line) for line in lines) <= 80
    text = " ".join(lines)
    for word in (*row, *GRNI[1:]):
        assert word in text, word
    wide = printed(200, columns=GRNI, row=row)
    assert any("│" in line and "PO-1007" in line and "1,234,567.89" in line for line in wide)


def test_words_wrap_before_a_table_becomes_a_list() -> None:
    """F4: a long description takes the lines it needs."""
    lines = printed(40, columns=("line", "item"), row=("1", "a description of many words that goes on and on"))
    assert any("│" in line for line in lines)
    assert "description" in " ".join(lines)


@given(
    rows=st.lists(st.lists(st.text("ab 1.", max_size=30), min_size=4, max_size=4), min_size=1, max_size=4),
    width=st.integers(20, 120),
)
def test_no_table_is_wider_than_the_terminal(rows: list[list[str]], width: int) -> None:
    """F4: `posync po list` came out 81 columns wide at 80, and lost its right border."""
    out = io.StringIO()
    shown = table("Orders", "number", "vendor", "total", "status", right=("total",), whole=("number",))
    for row in rows:
        shown.add_row(*row)
    Console(file=out, width=width).print(shown)
    lines = out.getvalue().splitlines()
    assert max(len(line) for line in lines) <= width
    framed = [line for line in lines if line.startswith("│")]
    assert all(line.rstrip().endswith("│") for line in framed)


def test_amounts_stay_on_one_line() -> None:
    out = io.StringIO()
    shown = table("Purchase orders", "number", "vendor", "total", "in the ERP", "status", right=("total",))
    row = ("PO-1007", "Northwind Office Supplies", "11432.50 USD", "Partially Converted", "partially filled")
    shown.add_row(*row)
    Console(file=out, width=80).print(shown)
    assert "11432.50 USD" in out.getvalue()


@pytest.mark.parametrize(
    ("written", "shown"),
    [("200.0", "200"), ("200", "200"), ("2.50", "2.5"), ("0.0", "0"), ("1000", "1000"), (None, "")],
)
def test_quantities_are_shown_alike_however_the_erp_wrote_them(written: str | None, shown: str) -> None:
    assert quantity(written) == shown
