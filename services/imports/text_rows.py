"""Read the rows of a text file, as CSV or as JSON lines, one at a time. What cannot be read is said by line and column,
and the rows behind it go on.

The file is opened with `errors="surrogateescape"`: one byte that is no UTF-8 then costs its row, not the file.
"""

import csv
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import IO, Any, NamedTuple

from models.domain import exact_json

LARGEST_FILE_BYTES = 50_000_000
"""Bytes of the largest file: about half a million rows."""
LONGEST_LINE = 200_000
"""Characters of a line of JSON; more than any row needs."""


class FileFormat(StrEnum):
    """How a file of rows is written."""

    CSV = "csv"
    """The first line names the columns, then one row each."""
    JSONL = "jsonl"
    """One JSON object in each line."""


class UnreadableFile(Exception):
    """The file is no file of such rows. The message names what is missing or unknown."""


@dataclass(frozen=True)
class UnreadableRow:
    """A row that cannot be read, and why."""

    line: int
    """As an editor counts lines; the header of a CSV file is line 1."""
    column: str
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.problem}"


class TextRow(NamedTuple):
    """One row by column, and what is wrong with it as a whole."""

    line: int
    """Where it begins."""
    values: Mapping[str, str]
    problems: list[UnreadableRow]


def read_rows(
    text: IO[str],
    written_as: FileFormat,
    columns: Collection[str],
    required: Collection[str],
    *,
    open_prefix: str | None = None,
    line_offset: int = 0,
) -> Iterator[TextRow]:
    """Return the rows of a file; rows without any value are left out. The header of a CSV file is read at once. Columns
    that begin with `open_prefix` are read too, whatever follows it. `line_offset` is added to each line number: of a
    part of a larger file.

    Raises:
        UnreadableFile: it is not CSV, or its first line lacks a column, or names one that is unknown or comes twice.
    """
    if written_as is FileFormat.JSONL:
        return _json_rows(text, columns, open_prefix, line_offset)
    reader = csv.reader(text, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise UnreadableFile(f"not CSV ({error})") from error
    _check_header(header, columns, required, open_prefix)
    return _csv_rows(reader, header, line_offset)


def _check_header(
    header: list[str], columns: Collection[str], required: Collection[str], open_prefix: str | None
) -> None:
    if not all(_readable(name) for name in header):
        raise UnreadableFile("not UTF-8 text: save it as CSV in UTF-8")
    missing = [column for column in required if column not in header]
    unknown = [_with_nearest(column, columns) for column in header if not _known(column, columns, open_prefix)]
    twice = [column for column, count in Counter(header).items() if count > 1]
    wrong = [
        *([f"the first line must name the columns {', '.join(missing)}, separated by commas"] if missing else []),
        *([f"there is no column {', '.join(unknown)}"] if unknown else []),
        *([f"the first line names {', '.join(twice)} twice"] if twice else []),
    ]
    if wrong:
        raise UnreadableFile("; ".join(wrong))


def _known(column: str, columns: Collection[str], open_prefix: str | None) -> bool:
    return column in columns or (open_prefix is not None and column.startswith(open_prefix) and column != open_prefix)


def _with_nearest(column: str, columns: Collection[str]) -> str:
    nearest = get_close_matches(column.lower(), columns, n=1)
    return f"{column[:60]!r} (did you mean {nearest[0]}?)" if nearest else repr(column[:60])


def _readable(text: str) -> bool:
    """Return whether the text was UTF-8 in the file, and can be stored."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _csv_rows(reader: Any, header: list[str], offset: int) -> Iterator[TextRow]:
    while True:
        line = reader.line_num + 1 + offset
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = reader.line_num + offset
            upto = "" if last == line else f"; nothing was read up to line {last}"
            yield TextRow(line, {}, [UnreadableRow(line, "the row", f"is not CSV ({error}){upto}")])
            continue
        values = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
        if not any(cell.strip() for cell in cells):
            continue
        problems = []
        if any(cell.strip() for cell in cells[len(header) :]):
            problems.append(UnreadableRow(line, "the row", "has more fields than the header has columns"))
        yield _checked(line, values, problems)


def _json_rows(text: IO[str], columns: Collection[str], open_prefix: str | None, offset: int) -> Iterator[TextRow]:
    line = offset
    while written := text.readline(LONGEST_LINE):
        line += 1
        if len(written) == LONGEST_LINE and not written.endswith("\n"):
            while (rest := text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            problem = f"is longer than {LONGEST_LINE} characters"
            yield TextRow(line, {}, [UnreadableRow(line, "the row", problem)])
        elif written.strip() and (
            (row := _json_row(line, written, columns, open_prefix)).problems or any(row.values.values())
        ):
            yield row


def _json_row(line: int, written: str, columns: Collection[str], open_prefix: str | None) -> TextRow:
    try:
        row = exact_json.read(written.encode("utf-8", "surrogateescape"))
    except json.JSONDecodeError as error:
        return TextRow(line, {}, [UnreadableRow(line, "the row", f"is not JSON ({error.msg})")])
    except (exact_json.UnreadableJson, exact_json.KeyTwice) as error:
        return TextRow(line, {}, [UnreadableRow(line, "the row", f"is not JSON ({error})")])
    if not isinstance(row, dict):
        return TextRow(line, {}, [UnreadableRow(line, "the row", "is not a JSON object")])
    values: dict[str, str] = {}
    problems: list[UnreadableRow] = []
    for name, value in row.items():
        if not _known(name, columns, open_prefix):
            problems.append(UnreadableRow(line, name[:60], f"there is no column {_with_nearest(name, columns)}"))
        elif isinstance(value, bool | dict | list):
            problems.append(UnreadableRow(line, name, "is neither text nor a number"))
        else:
            values[name] = _as_text(value).strip()
    return _checked(line, values, problems)


def _as_text(value: str | int | Decimal | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else format(Decimal(value), "f")


def _checked(line: int, values: Mapping[str, str], problems: list[UnreadableRow]) -> TextRow:
    broken = [name for name, value in values.items() if not _readable(value)]
    problems += [UnreadableRow(line, name, "is not UTF-8 text, or holds NUL characters") for name in broken]
    return TextRow(line, {name: value for name, value in values.items() if name not in broken}, problems)
