"""Read source orders from a CSV file, one row for each line, and report by line and column what cannot be read."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from services.imports.text_rows import UnreadableFile, UnreadableRow

ORDER_COLUMNS = (
    "reference",
    "contact",
    "ordered_on",
    "invoice_date",
    "invoice_number",
    "dispatch_date",
    "due_date",
    "currency",
    "memo",
)
LINE_COLUMNS = ("item", "account", "description", "quantity", "price", "amount", "class_name")
REQUIRED = ("reference", "contact", "ordered_on")


class FileOrders(NamedTuple):
    """What a file holds."""

    orders: list[dict[str, Any]]
    """As the API takes them."""
    rows: Mapping[str, int]
    """The first row of each order, by reference, as an editor counts lines."""
    unreadable: list[UnreadableRow]


def read_orders(path: Path) -> FileOrders:
    """Return the orders of a file. Rows with the same reference are lines of one order; what an order says is taken
    from its first row, and a later row must not say otherwise.

    Raises:
        UnreadableFile: it is no CSV file of source orders, or has a column we do not know.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.DictReader(text)
            _check_header(path, [name.strip() for name in reader.fieldnames or ()])
            return _orders(reader)
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path}: not UTF-8 text (byte {error.start})") from error
    except csv.Error as error:
        raise UnreadableFile(f"{path}: not CSV ({error})") from error


def _check_header(path: Path, columns: list[str]) -> None:
    known = (*ORDER_COLUMNS, *LINE_COLUMNS)
    for problem, names in (
        ("the first line must name the columns", [name for name in REQUIRED if name not in columns]),
        ("there is no column", [name for name in columns if name not in known]),
        ("named twice in the first line:", sorted({name for name in columns if columns.count(name) > 1})),
    ):
        if names:
            raise UnreadableFile(f"{path}: {problem} {', '.join(names)}")


def _orders(reader: "csv.DictReader[str]") -> FileOrders:
    orders: dict[str, dict[str, Any]] = {}
    rows: dict[str, int] = {}
    spoilt: set[str] = set()
    unreadable: list[UnreadableRow] = []
    for cells in reader:
        values = {name.strip(): (value or "").strip() for name, value in cells.items() if name is not None}
        if not any(values.values()):
            continue
        reference = values["reference"]
        problems = [(name, "is empty") for name in REQUIRED if not values[name]]
        if None in cells:
            problems.append(("the row", "has more fields than the header has columns"))
        said = {name: values[name] for name in ORDER_COLUMNS if values.get(name)}
        order = orders.setdefault(reference, {**said, "lines": []})
        first = rows.setdefault(reference, reader.line_num)
        for name, value in said.items():
            if order.setdefault(name, value) != value:
                problems.append((name, f"is {value!r}, and {order[name]!r} in line {first} of the same order"))
        if problems:
            spoilt.add(reference)
            unreadable += [UnreadableRow(reader.line_num, column, problem) for column, problem in problems]
        order["lines"].append({name: values[name] for name in LINE_COLUMNS if values.get(name)})
    return FileOrders([order for name, order in orders.items() if name not in spoilt], rows, unreadable)
