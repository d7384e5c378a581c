"""Read source orders from a CSV file, one row for each line, and report by line and column what cannot be read."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from services.imports.text_rows import FileFormat, TextRow, UnreadableFile, UnreadableRow, read_rows

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
    from its first row, and a later row must not say otherwise. A row that does not say which order it is of may belong
    to the one before it or the one behind it: both are left out.

    Raises:
        UnreadableFile: it is no CSV file of source orders, or has a column we do not know.
    """
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as text:
        try:
            return _orders(read_rows(text, FileFormat.CSV, (*ORDER_COLUMNS, *LINE_COLUMNS), REQUIRED))
        except UnreadableFile as error:
            raise UnreadableFile(f"{path}: {error}") from error


def _orders(read: Iterator[TextRow]) -> FileOrders:
    orders: dict[str, dict[str, Any]] = {}
    rows: dict[str, int] = {}
    spoilt: set[str] = set()
    beside: dict[str, int] = {}
    unreadable: list[UnreadableRow] = []
    before, nameless = "", 0
    for line, values, of_row in read:
        reference = values.get("reference", "")
        problems = [*of_row]
        if values:
            problems += [UnreadableRow(line, name, "is empty") for name in REQUIRED if not values.get(name)]
        if not reference:
            if before:
                beside.setdefault(before, line)
            before, nameless = "", line
            unreadable += problems
            continue
        if nameless:
            beside.setdefault(reference, nameless)
        before, nameless = reference, 0
        said = {name: values[name] for name in ORDER_COLUMNS if values.get(name)}
        order = orders.setdefault(reference, {**said, "lines": []})
        first = rows.setdefault(reference, line)
        for name, value in said.items():
            if order.setdefault(name, value) != value:
                problem = f"is {value!r}, and {order[name]!r} in line {first} of the same order"
                problems.append(UnreadableRow(line, name, problem))
        if problems:
            spoilt.add(reference)
            unreadable += problems
        order["lines"].append({name: values[name] for name in LINE_COLUMNS if values.get(name)})
    for reference, line in beside.items():
        if reference not in spoilt:
            problem = f"{reference!r} is left out: line {line} does not say whether it is part of it"
            unreadable.append(UnreadableRow(rows[reference], "reference", problem))
    whole = [order for name, order in orders.items() if name not in spoilt and name not in beside]
    return FileOrders(whole, rows, unreadable)
