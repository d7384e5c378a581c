"""A large file in parts: cut between two invoices only, read as the whole would be, with flat memory."""

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.imports import parts
from services.imports.bill_file import FileBill, read_bills
from services.imports.parts import Part, split
from services.imports.text_rows import FileFormat, UnreadableRow

HEADER = "invoice_number,vendor_id,invoice_date,po_number,po_line_no,quantity,memo\n"
ODD = (
    'INV-1,V1,2026-11-01,PO-1,1,4,"a break\nin quotes"\n'
    "INV-1,V1,2026-11-01,PO-1,2,4,\n"
    "\n"
    "INV-1,V1,2026-11-01,PO-1,3,4,\n"
    "INV-2,V1,2026-11-01,PO-1,1,4,\xff\n"
    ",V1,2026-11-01,PO-1,1,4,\n"
    "INV-3,V1,2026-11-01,PO-1,1,4,\n"
    'INV-4,V1,2026-11-01,PO-1,1,"4"x,\n'
    "INV-5,V1,2026-11-01,PO-1,1,4,\n"
    "INV-5,V2,2026-11-01,PO-1,1,4,\n"
)


def read_as_lines(content: bytes, line_offset: int = 0) -> list[str]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", errors="surrogateescape", newline="")
    return [
        f"{one.number} {one.vendor_id} {one.rows}" if isinstance(one, FileBill) else str(one)
        for one in read_bills(text, FileFormat.CSV, line_offset=line_offset)
    ]


def in_parts(
    content: bytes, most: int, written_as: FileFormat = FileFormat.CSV
) -> list[tuple[bytes, int] | UnreadableRow]:
    """The content of each part and its offset, or what was left out."""
    parted: list[tuple[bytes, int] | UnreadableRow] = []
    for part in split(io.BytesIO(content), written_as, most):
        if isinstance(part, Part):
            with part.content as file:
                parted.append((file.read(), part.line_offset))
        else:
            parted.append(part)
    return parted


@pytest.mark.parametrize("most", [100, 150, 200, 300, 500, 10_000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_parts_read_as_the_whole(most: int, end: str) -> None:
    """With two encodings, a break in quotes, rows that cannot be read, and those that take their neighbours along."""
    content = b"\xef\xbb\xbf" + (HEADER + ODD).replace("\n", end).encode("latin-1")
    answers: list[str] = []
    for part in in_parts(content, most + len(HEADER)):
        if isinstance(part, UnreadableRow):
            answers.append(str(part))
            continue
        written, offset = part
        assert len(written) <= most + len(HEADER) + len(end)
        answers += read_as_lines(written, offset)
    whole = read_as_lines(content)
    too_long = [one for one in answers if "begins an invoice of more than" in one]
    if not too_long:
        assert answers == whole
    else:  # what is left out is said, and all else is as it is in the whole
        assert set(answers) - set(too_long) <= set(whole)
        assert len(answers) < len(whole)


def test_json_lines_are_cut_between_invoices() -> None:
    row = '{{"invoice_number": "INV-{}", "vendor_id": "V1", "quantity": 1}}\n'
    content = "".join(row.format(number // 2) for number in range(10)).encode()
    parted = in_parts(content, 3 * len(row), FileFormat.JSONL)
    assert [(len(one[0].splitlines()), one[1]) for one in parted if isinstance(one, tuple)] == [
        (2, 0), (2, 2), (2, 4), (2, 6), (2, 8),
    ]  # fmt: skip


def test_a_line_without_an_end_costs_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the bills beside it, as any row that cannot be read does; it is never in memory."""
    monkeypatch.setattr(parts, "LONGEST_LINE", 200)
    rows = [f"INV-{number},V1,2026-11-01,PO-1,1,4,\n" for number in range(1, 6)]
    content = (HEADER + "".join(rows[:2]) + "x" * 5_000 + "\n" + "".join(rows[2:])).encode()
    (part,) = in_parts(content, 10_000)
    assert isinstance(part, tuple)
    said = read_as_lines(part[0])
    assert len([one for one in said if "is not CSV" in one]) == 1
    assert said[0] == "INV-1 V1 [2]"
    assert said[-1] == "INV-5 V1 [7]"


def _peak(path: Path, most: int) -> int:
    tracemalloc.start()
    with path.open("rb") as file:
        for part in split(file, FileFormat.CSV, most):
            assert isinstance(part, Part)
            part.content.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _rows(count: int) -> Iterator[str]:
    yield HEADER
    for number in range(count):
        yield f"INV-{number // 3},V{number % 50},2026-11-01,PO-{number // 3},{number % 3 + 1},4,{'memo ' * 10}\n"


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """A gigabyte takes what a megabyte does: here eight times as much."""
    peaks = []
    for count in (5_000, 40_000):
        path = tmp_path / f"{count}.csv"
        path.write_text("".join(_rows(count)))
        peaks.append(_peak(path, 100_000))
    assert peaks[1] < peaks[0] * 1.2, peaks
