"""Tables on a terminal of 80 columns."""

import io

from rich.console import Console

from cli.client.terminal import table

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
