"""Split a file of bills that is too large for one import into parts, between two invoices. Of the file only one invoice
is in memory at a time.

A part reads as the whole file would: rows that cannot be read stay together with the bills before and behind them,
which they may be part of.
"""

import csv
import io
from collections.abc import Callable, Iterator
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from models.domain import exact_json
from services.imports.text_rows import FileFormat, UnreadableRow

LONGEST_LINE = 1_000_000
"""Characters of a line; a longer one is no row."""

NO_ROW = {FileFormat.CSV: '"too long"!\n', FileFormat.JSONL: "!\n"}
"""What stands in a part for a line that is longer: a row that cannot be read."""

IDENTITY = ("vendor_id", "invoice_number")
"""The columns that say which invoice a row is of."""


class Part(NamedTuple):
    """A part of a file."""

    content: IO[bytes]
    """It stands at its beginning, and is closed by whoever reads it."""
    line_offset: int
    """What is added to the line of a row here for its line in the file."""


class _Row(NamedTuple):
    text: str
    lines: int
    invoice: tuple[str, ...] | None
    """Which invoice it is of; None: that cannot be said."""


class _Lines:
    """The lines of a file, and those that the last row took."""

    def __init__(self, file: IO[bytes], written_as: FileFormat) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._no_row = NO_ROW[written_as]
        self._taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            while (rest := self._text.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
                pass
            line = self._no_row
        self._taken.append(line)
        return line

    def leave(self) -> None:
        """Leave the file open: whoever opened it closes it."""
        self._text.detach()

    def taken(self) -> tuple[str, int]:
        """Return what was taken since this was asked last, and how many lines that is."""
        text, lines = "".join(self._taken), len(self._taken)
        self._taken.clear()
        return text, lines


def split(file: IO[bytes], written_as: FileFormat, most_bytes: int) -> Iterator[Part | UnreadableRow]:
    """Return the parts of a file, each of at most `most_bytes`; an invoice that is longer is left out, and said so."""
    lines = _Lines(file, written_as)
    header, header_lines = "", 0
    if written_as is FileFormat.CSV:
        reader = csv.reader(lines, strict=True)
        try:
            names = [name.strip() for name in next(reader, [])]
        except csv.Error:  # whoever reads the first part says so
            names = []
        header, header_lines = lines.taken()
        rows = _rows(reader, lines, _cells_of(names))
    else:
        rows = _rows(lines, lines, _invoice_of_json)
    part = _Writing(header, header_lines, header_lines)
    before, is_first = header_lines, True
    for block, count in _blocks(rows):
        if part.rows and part.size + len(block) > most_bytes:
            yield part.done()
            part, is_first = _Writing(header, header_lines, before), False
        if len(header) + len(block) > most_bytes:
            yield UnreadableRow(before + 1, "the row", f"begins an invoice of more than {most_bytes} bytes")
            part.skip(count)
        else:
            part.add(block, count)
        before += count
    lines.leave()
    if part.rows or is_first:  # of a file without rows the header is looked at
        yield part.done()


class _Writing:
    """A part that is being written."""

    def __init__(self, header: str, header_lines: int, lines_before: int) -> None:
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115 whoever reads the part closes it
        self.size = self._file.write(header.encode("utf-8", "surrogateescape"))
        self._offset = lines_before - header_lines
        self.rows = 0

    def add(self, block: bytes, count: int) -> None:
        """Add an invoice of so many lines."""
        self.size += self._file.write(block)
        self.rows += count

    def skip(self, count: int) -> None:
        """Leave out an invoice. Its lines are counted, as empty ones."""
        self.add(b"\n" * count, count)

    def done(self) -> Part:
        self._file.seek(0)
        return Part(self._file, self._offset)


def _blocks(rows: Iterator[_Row]) -> Iterator[tuple[bytes, int]]:
    """Return the rows of one invoice after the other, with their number of lines. Between what cannot be read and its
    neighbours there is no cut."""
    block: list[bytes] = []
    count = 0
    last: tuple[str, ...] | None = None
    for row in rows:
        if block and None not in (last, row.invoice) and last != row.invoice:
            yield b"".join(block), count
            block, count = [], 0
        block.append(row.text.encode("utf-8", "surrogateescape"))
        count, last = count + row.lines, row.invoice
    if block:
        yield b"".join(block), count


def _rows(reader: Iterator[Any], lines: _Lines, invoice_of: Callable[[Any], tuple[str, ...] | None]) -> Iterator[_Row]:
    last: tuple[str, ...] | None = None
    while True:
        try:
            read = next(reader)
        except StopIteration:
            text, count = lines.taken()
            if text:
                yield _Row(text, count, None)
            return
        except csv.Error:
            last = None
        else:
            if "".join(read).strip():  # an empty row is no other invoice
                last = invoice_of(read)
        text, count = lines.taken()
        yield _Row(text, count, last)


def _cells_of(names: list[str]) -> Callable[[list[str]], tuple[str, ...] | None]:
    places = [names.index(name) for name in IDENTITY if name in names]

    def invoice_of(cells: list[str]) -> tuple[str, ...] | None:
        invoice = tuple(cells[place].strip() for place in places if place < len(cells))
        return invoice if len(invoice) == len(IDENTITY) and all(invoice) else None

    return invoice_of


def _invoice_of_json(line: str) -> tuple[str, ...] | None:
    try:
        row = exact_json.read(line.encode("utf-8", "surrogateescape"))
        invoice = tuple(str(row.get(name) or "").strip() for name in IDENTITY)
    except (ValueError, AttributeError, exact_json.UnreadableJson, exact_json.KeyTwice):
        return None
    return invoice if all(invoice) else None
