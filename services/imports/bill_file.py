"""Read bills from a file of rows, and say by line and column what cannot be read.

A bill is all consecutive rows with the same vendor and invoice number. A bill with a row that cannot be read is left
out whole, and so are its neighbours where a row does not say which invoice it is of: half a bill would be wrong money.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import IO, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from models.domain.bills import ChargeKind
from services.imports.text_rows import FileFormat, TextRow, UnreadableRow, read_rows

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _iso_date(value: object) -> object:
    """Refuse what pydantic would also accept as a date: seconds since 1970, or a date with a time.

    Raises:
        ValueError: the text is no ISO date.
    """
    if isinstance(value, str) and not _ISO_DATE.fullmatch(value):
        raise ValueError("no ISO date")
    return value


def _none_for_empty(value: object) -> object:
    return None if value == "" else value


Unset = BeforeValidator(_none_for_empty)
Text = Annotated[str, StringConstraints(min_length=1)]
Day = Annotated[date, BeforeValidator(_iso_date), Field(description="a date like 2026-11-30")]
OptionalDay = Annotated[date | None, BeforeValidator(_iso_date), Unset, Field(description="a date like 2026-11-30")]
OptionalNumber = Annotated[Decimal | None, Unset, Field(description="a number like 1250.00")]
LineNumber = Annotated[Annotated[int, Field(ge=1)] | None, Unset, Field(description="a line number from 1")]


class BillRow(BaseModel):
    """One row of the file. The columns are the fields; a field's description says what its value must be."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    invoice_number: Text
    vendor_id: Text
    invoice_date: Day
    posting_date: OptionalDay = None
    due_date: OptionalDay = None
    currency: str = ""
    entity: str = ""
    memo: str = ""
    invoice_total: OptionalNumber = None
    tax: OptionalNumber = None
    discount: OptionalNumber = None
    freight: OptionalNumber = None
    surcharge: OptionalNumber = None
    other_charge: OptionalNumber = None
    po_number: str = ""
    po_line_no: LineNumber = None
    item_id: str = ""
    description: str = ""
    quantity: OptionalNumber = None
    unit: str = ""
    price: OptionalNumber = None
    amount: OptionalNumber = None
    account: str = ""
    department: str = ""
    location: str = ""
    class_id: str = ""
    project: str = ""
    custom: dict[str, str] = {}
    """By the names behind `custom.` in the columns."""


ROW = TypeAdapter(BillRow)
COLUMNS = tuple(name for name in BillRow.model_fields if name != "custom")
"""The columns that an import reads, in the order in which we write them."""
REQUIRED = (*(name for name, column in BillRow.model_fields.items() if column.is_required()), "quantity")
SAID_ONCE = (
    "invoice_date",
    "posting_date",
    "due_date",
    "currency",
    "entity",
    "invoice_total",
    "tax",
    "discount",
    "freight",
    "surcharge",
    "other_charge",
)
"""What a row says of the whole invoice: the other rows of the bill say the same, or nothing."""
MOST_LINES = 500
"""The most lines of one bill, as the API takes them."""
CHARGES = {"freight": ChargeKind.FREIGHT, "surcharge": ChargeKind.SURCHARGE, "other_charge": ChargeKind.OTHER}
DIMENSIONS = ("department", "location", "class_id", "project")
OWN = "custom."
"""What the column of a dimension or field of the company's own begins with; its name there follows."""


@dataclass(frozen=True)
class FileLine:
    po_number: str
    po_line_no: int | None
    item_id: str
    description: str
    quantity: Decimal | None
    """None: of a line on no order."""
    unit: str
    price: Decimal | None
    amount: Decimal | None
    account: str
    """The GL account of a line on no order; empty: the line is on one."""
    dimensions: Mapping[str, str]
    """Department, location, class and project, where the row names them."""
    custom: Mapping[str, str]
    """Values of the company's own dimensions and fields, where the row has one."""


@dataclass(frozen=True)
class FileBill:
    """One bill of the file, with the lines of the file it comes from."""

    number: str
    vendor_id: str
    po_number: str
    """From the first row that has one; empty: the invoice names no order."""
    memo: str
    header: Mapping[str, Any]
    """What the invoice says as a whole, as the API takes it: number, dates, charges, tax, discount, total."""
    lines: list[FileLine]
    rows: list[int]


@dataclass
class _Group:
    """Rows that make one bill, or would if all of them could be read."""

    invoice: tuple[str, str]
    order_lines: set[tuple[str, str]] = field(default_factory=set)
    rows: list[tuple[int, BillRow]] = field(default_factory=list)
    first_line: int = 0
    unreadable: bool = False
    beside: int | None = None
    """The line of a row beside it that does not say which invoice it is of."""

    def result(self) -> FileBill | UnreadableRow | None:
        """Return the bill, or why it is left out where none of its own rows said so already."""
        if self.unreadable:
            return None
        if self.beside is not None:
            problem = f"{self.invoice[1]!r} is left out: line {self.beside} does not say whether it is part of it"
            return UnreadableRow(self.first_line, "invoice_number", problem)
        return _bill(self.rows)


def read_bills(
    text: IO[str], written_as: FileFormat = FileFormat.CSV, *, line_offset: int = 0
) -> Iterator[FileBill | UnreadableRow]:
    """Return the bills of a file in its order, and every row that cannot be read as soon as it is met. `line_offset` is
    added to each line number.

    Raises:
        UnreadableFile: it is no file of bills, or has a column we do not know; before the first bill is returned.
    """
    rows = read_rows(text, written_as, COLUMNS, REQUIRED, open_prefix=OWN, line_offset=line_offset)
    return _bills(rows)


def _bills(rows: Iterator[TextRow]) -> Iterator[FileBill | UnreadableRow]:
    group: _Group | None = None
    nameless: int | None = None
    for row in rows:
        invoice = row.values.get("vendor_id", ""), row.values.get("invoice_number", "")
        problems, read = _read(row)
        if not all(invoice):
            yield from problems
            nameless = row.line
            if group is not None:
                group.beside = group.beside or row.line
            continue
        order_line = row.values.get("po_number", ""), row.values.get("po_line_no", "")
        if group is None or not _continues(group, invoice, order_line):
            if group is not None and (result := group.result()) is not None:
                yield result
            group = _Group(invoice, first_line=row.line, beside=nameless)
        nameless = None
        yield from problems
        group.order_lines.add(order_line)
        against = [] if read is None else _against(group, row.line, read)
        yield from against
        if problems or against or read is None:
            group.unreadable = True
        elif not group.unreadable:
            group.rows.append((row.line, read))
    if group is not None and (result := group.result()) is not None:
        yield result


def _continues(group: _Group, invoice: tuple[str, str], order_line: tuple[str, str]) -> bool:
    """Return whether a row is of the same bill. The same invoice twice in a row is two bills: then a line of the order
    comes a second time."""
    return group.invoice == invoice and not (order_line[1] and order_line in group.order_lines)


def _read(row: TextRow) -> tuple[list[UnreadableRow], BillRow | None]:
    """Return what is wrong with a row, and the row where its values can be read."""
    said = {problem.column for problem in row.problems}
    read: BillRow | None
    try:
        read = ROW.validate_python(_with_own_fields(row.values))
    except ValidationError as error:
        if not row.values:
            return row.problems, None
        read, wrong = None, [_problem(row.line, one) for one in error.errors(include_url=False)]
    else:
        wrong = _contradictions(row.line, read)
    return [*row.problems, *(one for one in wrong if one.column not in said)], read


def _with_own_fields(values: Mapping[str, str]) -> dict[str, Any]:
    custom = {name.removeprefix(OWN): value for name, value in values.items() if name.startswith(OWN) and value}
    return {**{name: value for name, value in values.items() if not name.startswith(OWN)}, "custom": custom}


def _contradictions(line: int, row: BillRow) -> list[UnreadableRow]:
    """Return what a row lacks or has too much: one with an account is an amount on no order line."""
    if not row.account:
        return [] if row.quantity is not None else [UnreadableRow(line, "quantity", "is empty")]
    given = {"po_line_no": row.po_line_no, "item_id": row.item_id, "unit": row.unit, "price": row.price}
    said = "with an account the row is on no order line: leave it empty"
    problems = [UnreadableRow(line, name, said) for name, value in given.items() if value]
    if row.amount is None:
        problems.append(UnreadableRow(line, "amount", "is empty"))
    return problems


def _against(group: _Group, line: int, row: BillRow) -> list[UnreadableRow]:
    """Return what a row says of the invoice otherwise than an earlier row of the bill, or that it is one too many."""
    if len(group.rows) == MOST_LINES:
        if group.unreadable:
            return []  # it was said of the first one
        return [UnreadableRow(line, "the row", f"is the bill's line {MOST_LINES + 1}; a bill has at most {MOST_LINES}")]
    problems = []
    for name in SAID_ONCE:
        value = getattr(row, name)
        earlier = next((said for _, one in group.rows if (said := getattr(one, name)) not in (None, "")), None)
        if value not in (None, "") and earlier not in (None, value):
            problem = f"{value} is not what an earlier row of the bill says: {earlier}"
            problems.append(UnreadableRow(line, name, problem))
    return problems


def _problem(line: int, error: Any) -> UnreadableRow:
    """Return what the value of a row must be. The words are ours: the library's are about types of Python."""
    column, value = str(error["loc"][0]), str(error["input"])
    if error["type"] == "missing" or not value:
        return UnreadableRow(line, column, "is empty")
    expected = BillRow.model_fields[column].description
    return UnreadableRow(line, column, f"{value[:60]!r} is not {expected}")


def _bill(rows: list[tuple[int, BillRow]]) -> FileBill:
    first = rows[0][1]

    def said(name: str) -> Any:
        return next((value for _, row in rows if (value := getattr(row, name)) not in (None, "")), None)

    header = {
        "number": first.invoice_number,
        "bill_date": first.invoice_date.isoformat(),
        **{
            name: _written(said(name)) for name in ("posting_date", "due_date", "currency", "entity", "tax", "discount")
        },
        "total": _written(said("invoice_total")),
        "memo": said("memo"),
        "charges": [
            {"class": kind.value, "amount": _written(said(name))} for name, kind in CHARGES.items() if said(name)
        ],
    }
    return FileBill(
        number=first.invoice_number,
        vendor_id=first.vendor_id,
        po_number=said("po_number") or "",
        memo=said("memo") or "",
        header={name: value for name, value in header.items() if value not in (None, [])},
        lines=[_line(row) for _, row in rows],
        rows=[line for line, _ in rows],
    )


def _line(row: BillRow) -> FileLine:
    same = {name: getattr(row, name) for name in FileLine.__annotations__ if name != "dimensions"}
    return FileLine(**same, dimensions={name: value for name in DIMENSIONS if (value := getattr(row, name))})


def _written(value: date | Decimal | str | None) -> str | None:
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else value
