"""The neutral format: flat rows of text, one per line of a document, as CSV or JSON (docs/reference/neutral-format.md).

It names no ERP. `posync sandbox load` fills a pretend company from it, `posync bills import` reads its `bills`.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

Row = dict[str, str]
Problem = dict[str, object]
"""`kind`, `line` (as an editor counts: the header is line 1; in JSON the first row is 1) and `message`."""


class Column(NamedTuple):
    """One column: `kind` is text, date, moment, number or whole."""

    name: str
    required: bool = False
    kind: str = "text"


def _columns(words: str) -> tuple[Column, ...]:
    columns = []
    for word in words.split():
        name, _, kind = word.rstrip("!").partition(":")
        columns.append(Column(name, word.endswith("!"), kind or "text"))
    return tuple(columns)


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "vendors": _columns("vendor_id! name status term currency entity email phone street city state zip bank_account"),
    "customers": _columns("customer_id! name status entity"),
    "projects": _columns("project_id! name parent_id customer_id status entity"),
    "employees": _columns("employee_id! name status entity"),
    "units": _columns("unit_group! unit! factor:number!"),
    "items": _columns("item_id! name item_type unit unit_group category gl_account receivable"),
    "accounts": _columns("account_no! title account_type normal_balance status description entities with_children"),
    "departments": _columns("department_id! title parent_id status"),
    "locations": _columns("location_id! name parent_id entity status"),
    "entities": _columns("entity_id! name currency"),
    "classes": _columns("class_id! name parent_id status"),
    "terms": _columns("term! days:number description"),
    "bank_accounts": _columns("bank_account_id! name type currency gl_account account_number status"),
    "dimension_values": _columns("dimension! value_id! name status"),
    "purchase_orders": _columns(
        "po_number! vendor_id! vendor_name po_date:date! due_date:date currency status entity memo reference term"
        " modified_at:moment line_no:whole item_id! description line_memo quantity:number! unit price:number!"
        " converted_quantity:number department location class project warehouse account closed"
    ),
    "receipts": _columns(
        "receipt_number! po_number! po_line_no:whole! receipt_date:date! quantity:number! status memo"
    ),
    "bills": _columns(
        "invoice_number! vendor_id! invoice_date:date! due_date:date po_number po_line_no:whole item_id description"
        " quantity:number unit price:number amount:number memo currency account location entity"
    ),
    "closed_periods": _columns("entity closed_through:date!"),
}
KINDS = tuple(COLUMNS)
_NAMES = {kind: {column.name for column in columns} for kind, columns in COLUMNS.items()}
_REQUIRED = {kind: tuple(column.name for column in columns if column.required) for kind, columns in COLUMNS.items()}
_TYPED = {
    kind: tuple((column.name, column.kind) for column in columns if column.kind != "text")
    for kind, columns in COLUMNS.items()
}


class BadInput(ValueError):
    """The file as a whole cannot be read."""


def rows_from_csv(kind: str, text: str) -> tuple[list[Row], list[Problem]]:
    """Rows with their line numbers under `_line`, and what was wrong with the others. Raises BadInput."""
    if kind not in COLUMNS:
        raise BadInput(f"unknown kind {kind!r}; kinds are {', '.join(KINDS)}")
    reader = csv.reader(io.StringIO(text))
    try:
        header = [name.strip().lower() for name in next(reader)]
    except StopIteration:
        raise BadInput(f"{kind}: the file is empty; its first line names the columns") from None
    except csv.Error as error:
        raise BadInput(f"{kind}: {error}") from None
    missing = [name for name in _REQUIRED[kind] if name not in header]
    if missing:
        raise BadInput(f"{kind}: the column {missing[0]!r} is missing")
    if len(set(header)) != len(header):
        raise BadInput(f"{kind}: a column is named twice")
    problems: list[Problem] = []
    unknown = [name for name in header if name not in _NAMES[kind] and not name.startswith(("gldim", "custom."))]
    if unknown:
        problems.append({"kind": kind, "line": 1, "message": f"unknown columns are ignored: {', '.join(unknown)}"})
    rows: list[Row] = []
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return rows, problems
        except csv.Error as error:
            problems.append({"kind": kind, "line": reader.line_num, "message": str(error)})
            continue
        if not any(cell.strip() for cell in cells):
            continue
        line = str(reader.line_num)
        if len(cells) != len(header):
            message = f"{len(cells)} cells, but {len(header)} columns"
            problems.append({"kind": kind, "line": reader.line_num, "message": message})
            continue
        rows.append({"_line": line} | {name: cell.strip() for name, cell in zip(header, cells, strict=True)})


def check_rows(kind: str, given: Iterable[object]) -> tuple[list[Row], list[Problem]]:
    """The rows that can be used, as text, and by line what is wrong with the others."""
    good: list[Row] = []
    problems: list[Problem] = []
    for at, fields in enumerate(given, 1):
        if not isinstance(fields, Mapping):
            problems.append({"kind": kind, "line": at, "message": "a row is an object of columns and values"})
            continue
        line = int(str(fields.get("_line", at)))
        row = {name: "" if value is None else str(value).strip() for name, value in fields.items()}
        row["_line"] = str(line)
        message = _problem(kind, row)
        if message:
            problems.append({"kind": kind, "line": line, "message": message})
        else:
            good.append(row)
    return good, problems


def _problem(kind: str, row: Row) -> str:
    for name in _REQUIRED[kind]:
        # An order's line is for an item, or an expense on an account.
        expense = kind == "purchase_orders" and name == "item_id" and row.get("account")
        if not row.get(name) and not expense:
            return f"{name} is missing"
    for name, datatype in _TYPED[kind]:
        text = row.get(name)
        if text and not _readable(datatype, text):
            return f"{name} {text!r} is not {_EXAMPLES[datatype]}"
    return ""


_EXAMPLES = {
    "date": "a date such as 2031-07-01",
    "moment": "a moment such as 2031-07-01T12:00:00Z",
    "number": "a number such as 12.50",
    "whole": "a whole number from 1",
}


def _readable(datatype: str, text: str) -> bool:
    try:
        if datatype == "date":
            date.fromisoformat(text)
        elif datatype == "moment":
            datetime.fromisoformat(text)
        elif datatype == "whole":
            return text.isascii() and text.isdigit() and int(text) > 0
        else:
            return Decimal(text).is_finite()
    except (ValueError, InvalidOperation):
        return False
    return True


def read_path(path: Path, kind: str | None = None) -> tuple[dict[str, list[Row]], list[Problem]]:
    """A CSV file (named after its kind, or of the given one), or a folder of them, as the JSON that `load` takes.

    Raises BadInput when a file cannot be read at all, or nothing in the folder is named after a kind.
    """
    files = [path] if path.is_file() else [path / f"{name}.csv" for name in KINDS if (path / f"{name}.csv").is_file()]
    if not files:
        raise BadInput(f"{path}: no file named after a kind ({', '.join(f'{name}.csv' for name in KINDS)})")
    content: dict[str, list[Row]] = {}
    problems: list[Problem] = []
    for file in files:
        name = kind or file.stem
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{file}: {error}") from None
        rows, found = rows_from_csv(name, text)
        content[name] = rows
        problems += found
    return content, problems
