"""Read bills from a neutral CSV file, and report by line and column what cannot be read."""

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

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
SandboxOnly = Annotated[None, Unset, Field(description="read by an import, only by the sandbox: leave it empty")]


class BillRow(BaseModel):
    """One row of the file. The columns are the fields; a field's description says what its value must be."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    invoice_number: Text
    vendor_id: Text
    invoice_date: Day
    due_date: OptionalDay = None
    po_number: str = ""
    po_line_no: LineNumber = None
    item_id: str = ""
    description: str = ""
    quantity: OptionalNumber = None
    unit: str = ""
    price: OptionalNumber = None
    amount: OptionalNumber = None
    account: str = ""
    memo: str = ""
    currency: SandboxOnly = None
    location: SandboxOnly = None
    entity: SandboxOnly = None


ROW = TypeAdapter(BillRow)
REQUIRED = (*(name for name, column in BillRow.model_fields.items() if column.is_required()), "quantity")
COLUMNS = tuple(name for name, column in BillRow.model_fields.items() if column.annotation is not type(None))
"""The columns that an import reads, in the order in which we write them."""


class UnreadableFile(Exception):
    """The file is no CSV file of bills. The message names what is missing or unknown."""


@dataclass(frozen=True)
class UnreadableRow:
    """A row that cannot be read, and why."""

    line: int
    """As an editor counts lines; the header is line 1."""
    column: str
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.problem}"


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
    account: str = ""
    """The GL account of a line on no order; empty: the line is on one."""


@dataclass
class FileBill:
    """One bill of the file, with the lines of the file it comes from."""

    number: str
    vendor_id: str
    bill_date: date
    due_date: date | None
    po_number: str
    """From the first row that has one; empty: the invoice names no order."""
    memo: str
    lines: list[FileLine] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    key: str = ""
    """The Idempotency-Key: made of the content, and of how often the same content came before in this file."""


@dataclass
class _Group:
    """Rows that make one bill, or would if all of them could be read."""

    invoice: tuple[str, str]
    order_lines: set[tuple[str, str]] = field(default_factory=set)
    rows: list[tuple[int, BillRow]] = field(default_factory=list)
    problems: list[UnreadableRow] = field(default_factory=list)


def read_bills(path: Path) -> tuple[list[FileBill], list[UnreadableRow]]:
    """Return the bills of a file, and the rows that cannot be read with the reason.

    Raises:
        UnreadableFile: it is no CSV file of bills, or has a column we do not know.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.DictReader(text)
            _check_header(path, [name.strip() for name in reader.fieldnames or ()])
            return _bills(reader)
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path}: not UTF-8 text (byte {error.start})") from error
    except csv.Error as error:
        raise UnreadableFile(f"{path}: not CSV ({error})") from error


def _check_header(path: Path, columns: Sequence[str]) -> None:
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise UnreadableFile(f"{path}: the first line must name the columns {', '.join(missing)}")
    unknown = [_with_nearest(column) for column in columns if column not in BillRow.model_fields]
    if unknown:
        raise UnreadableFile(f"{path}: there is no column {', '.join(unknown)}")
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise UnreadableFile(f"{path}: the first line names {', '.join(twice)} twice")


def _with_nearest(column: str) -> str:
    nearest = get_close_matches(column.lower(), COLUMNS, n=1)
    return f"{column!r} (did you mean {nearest[0]}?)" if nearest else repr(column)


def _bills(reader: "csv.DictReader[str]") -> tuple[list[FileBill], list[UnreadableRow]]:
    groups: list[_Group] = []
    for cells in reader:
        # The reader puts what exceeds the header under None, and None where a row ends early.
        values = {name.strip(): (value or "").strip() for name, value in cells.items() if name is not None}
        if not any(values.values()):
            continue
        group = _group_for(groups, values)
        if None in cells:
            problem = "has more fields than the header has columns"
            group.problems.append(UnreadableRow(reader.line_num, "the row", problem))
        try:
            row = ROW.validate_python(values)
            group.problems += _contradictions(reader.line_num, row)
            group.rows.append((reader.line_num, row))
        except ValidationError as error:
            group.problems += [_problem(reader.line_num, one) for one in error.errors(include_url=False)]
    unreadable = [problem for group in groups for problem in group.problems]
    bills = [_bill(group.rows) for group in groups if not group.problems]
    _name(bills)
    return bills, unreadable


def _group_for(groups: list[_Group], values: dict[str, str]) -> _Group:
    """Return the group that a row continues, or a new one.

    The same invoice twice in a row is two bills: then a line of the order comes a second time.
    """
    invoice = values["vendor_id"], values["invoice_number"]
    order_line = values.get("po_number", ""), values.get("po_line_no", "")
    repeated = bool(order_line[1]) and bool(groups) and order_line in groups[-1].order_lines
    if not groups or groups[-1].invoice != invoice or repeated:
        groups.append(_Group(invoice))
    groups[-1].order_lines.add(order_line)
    return groups[-1]


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


def _problem(line: int, error: Any) -> UnreadableRow:
    """Return what the value of a row must be. The words are ours: the library's are about types of Python."""
    column, value = str(error["loc"][0]), error["input"]
    expected = BillRow.model_fields[column].description
    return UnreadableRow(line, column, f"{value!r} is not {expected}" if value else "is empty")


def _bill(rows: Sequence[tuple[int, BillRow]]) -> FileBill:
    first = rows[0][1]
    return FileBill(
        number=first.invoice_number,
        vendor_id=first.vendor_id,
        bill_date=first.invoice_date,
        due_date=first.due_date,
        po_number=next((row.po_number for _, row in rows if row.po_number), ""),
        memo=first.memo,
        lines=[FileLine(**row.model_dump(include=set(FileLine.__annotations__))) for _, row in rows],
        rows=[line for line, _ in rows],
    )


def _name(bills: Sequence[FileBill]) -> None:
    """Give each bill its Idempotency-Key. The same file gives the same keys."""
    seen: Counter[str] = Counter()
    for bill in bills:
        content = json.dumps({**asdict(bill), "rows": None}, default=str, sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:32]
        seen[digest] += 1
        bill.key = f"import-{digest}-{seen[digest]}"
