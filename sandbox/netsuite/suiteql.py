"""SuiteQL over REST (reference 2.2, 8): documents and their lines as tables, asked with SQL in Oracle's dialect.

The tables are made in SQLite for each question. Days and moments are text in the account's time zone; a bare one is
shown in the account's date format, as the real service does, and only TO_CHAR shows more.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from sandbox.netsuite.columns import Row, row_value, rows_of
from sandbox.netsuite.company import Company
from sandbox.netsuite.orders import STATUSES, expense_lines, item_lines, settle_all
from sandbox.netsuite.payables import BILL_SEARCH, PAYMENT_SEARCH, total_of
from sandbox.netsuite.records import Record
from sandbox.netsuite.values import Ref
from sandbox.responses import Answer

PATH = "/services/rest/query/v1/suiteql"
TYPES = {
    "purchaseOrder": "PurchOrd",
    "itemReceipt": "ItemRcpt",
    "vendorBill": "VendBill",
    "vendorPayment": "VendPymt",
    "vendorCredit": "VendCred",
    "vendorReturnAuthorization": "VendAuth",
    "itemFulfillment": "ItemShip",
}
_HEADER = (
    "id integer, tranid, trandate, type, type_df, status, status_df, entity, entity_df, currency, currency_df,"
    " exchangerate, foreigntotal, lastmodifieddate, createddate, duedate, memo, externalid, otherrefnum, terms,"
    " approvalstatus, postingperiod, transactionnumber, voided"
)
_LINE = (
    "'transaction' integer, id integer, linesequencenumber integer, uniquekey integer, mainline, taxline, item,"
    " item_df, quantity, quantityshiprecv, quantitybilled, rate, foreignamount, isclosed, department, class, location,"
    " subsidiary, entity, createdfrom, memo, linelastmodifieddate"
)
_LINK = "previousdoc integer, previousline integer, nextdoc integer, nextline integer, linktype"
_QUOTED = re.compile(r"('(?:[^']|'')*')")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?")
_FORMATTED = "\x01"
_FORMATS = (("YYYY", "%Y"), ("MM", "%m"), ("DD", "%d"), ("HH24", "%H"), ("MI", "%M"), ("SS", "%S"))
_LONGEST_PAGE, _MOST_STEPS = 1000, 20_000


class BadQuery(Exception):
    """The request cannot be answered; `code` is REST's."""

    def __init__(self, message: str, code: str = "INVALID_PARAMETER", status: int = 400, parameter: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.parameter = parameter
        """The parameter that is to blame, as `o:errorQueryParam` names it."""


def _unanswerable(reason: str) -> BadQuery:
    text = f"Invalid search query. Detailed unprocessed description follows. {reason}"
    return BadQuery(text, parameter="q")


def run(company: Company, query: str, headers: Any, body: bytes, base: str) -> Answer:
    """One page of a query's rows. Raises BadQuery."""
    if "transient" not in headers.get("prefer", ""):
        raise BadQuery("The Prefer header must be transient.", "INVALID_HEADER")
    given = {name: values[0] for name, values in parse_qs(query).items()}
    try:
        text = json.loads(body)["q"]
        limit, offset = int(given.get("limit", _LONGEST_PAGE)), int(given.get("offset", 0))
    except (ValueError, KeyError, TypeError):
        raise BadQuery('Send {"q": "SELECT ..."}; limit and offset are numbers.', "INVALID_CONTENT") from None
    if not 1 <= limit <= _LONGEST_PAGE or offset < 0 or offset % limit:
        raise BadQuery("limit is from 1 to 1000, and offset a multiple of it.")
    names, rows = _rows(company, str(text))
    shown = [_item(names, row) for row in rows[offset : offset + limit]]
    answer = {
        "links": _links_of(f"{base}{PATH}", limit, offset, len(rows)),
        "count": len(shown),
        "hasMore": offset + limit < len(rows),
        "items": shown,
        "offset": offset,
        "totalResults": len(rows),
    }
    return Answer(json.dumps(answer), 200, "application/vnd.oracle.resource+json; type=collection")


def _links_of(url: str, limit: int, offset: int, total: int) -> list[dict[str, str]]:
    """Where the other pages are: the ones before only behind the first, the ones after only before the last."""
    last = max(0, total - 1) // limit * limit
    pages: dict[str, int] = {}
    if offset > 0:
        pages |= {"prev": offset - limit, "first": 0}
    if offset < last:
        pages |= {"next": offset + limit, "last": last}
    pages["self"] = offset
    return [{"rel": rel, "href": f"{url}?limit={limit}&offset={at}"} for rel, at in pages.items()]


def _item(names: list[str], row: tuple[Any, ...]) -> dict[str, Any]:
    """A row: text only, names in lower case, empty columns left out."""
    values = {name: _shown(value) for name, value in zip(names, row, strict=True) if value is not None}
    return {"links": [], **values}


def _shown(value: Any) -> str:
    text = str(value)
    if text.startswith(_FORMATTED):
        return text[1:]
    if _MOMENT.fullmatch(text):
        day = date.fromisoformat(text[:10])
        return f"{day.month}/{day.day}/{day.year}"
    return text


def _rows(company: Company, text: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    settle_all(company)
    types = {name for name, short in TYPES.items() if f"'{short}'" in text} or set(TYPES)
    database = sqlite3.connect(":memory:")
    try:
        _fill(database, company, types)
        database.create_function("TO_TIMESTAMP", 2, _read_moment)
        database.create_function("TO_DATE", 2, lambda moment, form: (_read_moment(moment, form) or "")[:10])
        database.create_function("TO_CHAR", 2, _write_moment)
        database.create_function("NVL", 2, lambda value, other: other if value is None else value)
        database.set_authorizer(_only_reading)
        steps = iter(range(_MOST_STEPS))
        database.set_progress_handler(lambda: next(steps, None) is None, 10_000)
        cursor = database.execute(_sqlite(text))
        return [column[0].lower() for column in cursor.description or ()], cursor.fetchall()
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise _unanswerable(_reason(company, text, str(error))) from None
    finally:
        database.close()


_UNKNOWN_RECORD = re.compile(r"no such table: (?:main\.)?(.+)")
_UNKNOWN_COLUMN = re.compile(r"no such column: (.+)")
_SOURCE = re.compile(
    r"\b(?:FROM|JOIN)\s+(\w+)(?:\s+(?:AS\s+)?"
    r"(?!(?:WHERE|ON|JOIN|LEFT|RIGHT|INNER|OUTER|FULL|CROSS|GROUP|ORDER|HAVING|FETCH|UNION)\b)(\w+))?",
    re.I,
)
"""A record of a query with its alias."""


def _reason(company: Company, text: str, error: str) -> str:
    """Why a query cannot be answered, in Oracle's words; what the tables are kept in is nobody's business."""
    record = _UNKNOWN_RECORD.fullmatch(error)
    if record is not None:
        if company.switches.word("suiteql_unknown_record") == "invalid_type":
            return f"Invalid search type: {record[1]}."
        return f"Search error occurred: Record '{record[1]}' was not found."
    column = _UNKNOWN_COLUMN.fullmatch(error)
    if column is not None:
        outside = " ".join(_QUOTED.split(text)[::2])
        sources = [f"{alias or name}={name}".lower() for name, alias in _SOURCE.findall(outside)]
        identifier = column[1].replace('"', "")
        return (
            f"Search error occurred: Unknown identifier '{identifier}'."
            f" Available identifiers are: {{{', '.join(sources)}}}."
        )
    return "Search error occurred: Invalid or unsupported search."


def _only_reading(action: int, *_: object) -> int:
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


def _sqlite(text: str) -> str:
    """The query in SQLite's words; what stands in quotes is left alone."""
    parts = _QUOTED.split(text.strip().rstrip(";"))
    for at in range(0, len(parts), 2):
        part = re.sub(r"BUILTIN\s*\.\s*DF\s*\(\s*([\w.]+)\s*\)", r"\1_df", parts[at], flags=re.I)
        part = re.sub(r"\btransaction\b", '"transaction"', part, flags=re.I)
        parts[at] = re.sub(r"\bFETCH\s+(?:FIRST|NEXT)\s+(\d+)\s+ROWS?\s+ONLY", r"LIMIT \1", part, flags=re.I)
    return "".join(parts)


def _read_moment(text: str | None, form: str) -> str | None:
    if text is None:
        return None
    for word, code in _FORMATS:
        form = form.replace(word, code)
    # Without an offset on purpose: the tables are in the account's time zone.
    return f"{datetime.strptime(text, form):%Y-%m-%d %H:%M:%S}"  # noqa: DTZ007


def _write_moment(value: str | None, form: str) -> str | None:
    if value is None:
        return None
    for word, code in _FORMATS:
        form = form.replace(word, code)
    return _FORMATTED + datetime.fromisoformat(str(value)).strftime(form)


def _fill(database: sqlite3.Connection, company: Company, types: set[str]) -> None:
    database.execute(f'create table "transaction" ({_HEADER})')
    database.execute(f"create table transactionline ({_LINE})")
    database.execute(f"create table previoustransactionlinelink ({_LINK})")
    database.execute(f"create table nexttransactionlinelink ({_LINK})")
    documents = company.all(*types)
    links = [link for document in company.all("itemReceipt", "vendorBill") for link in _links(document)]
    for table, rows in (
        ('"transaction"', (_header(company, document) for document in documents)),
        ("transactionline", (row for document in documents for row in _lines(company, document))),
        ("previoustransactionlinelink", links),
        ("nexttransactionlinelink", links),
    ):
        made = list(rows)
        if made:
            database.executemany(f"insert into {table} values ({', '.join('?' * len(made[0]))})", made)


def _plain(company: Company, value: Any) -> Any:
    if isinstance(value, Ref):
        return value.internal_id
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(company.zone):%Y-%m-%d %H:%M:%S}"
    return value.isoformat() if isinstance(value, date) else value


def _status(record: Record) -> str | None:
    shown = record["status"]
    if record.type.name == "purchaseOrder":
        return STATUSES[shown].letter
    return (BILL_SEARCH | PAYMENT_SEARCH).get(shown, (None, None))[1]


def _header(company: Company, record: Record) -> tuple[Any, ...]:
    status = record["status"]
    values = (
        int(record.internal_id),
        record["tranId"],
        record["tranDate"],
        TYPES[record.type.name],
        record.type.title,
        _status(record),
        f"{record.type.title} : {status}" if status else None,
        record["entity"],
        company.name_of("entity", record["entity"]),
        record["currency"],
        record["currencyName"],
        record["exchangeRate"],
        total_of(record),
        record["lastModifiedDate"],
        record["createdDate"],
        record["dueDate"],
        record["memo"],
        record.external_id or None,
        record["otherRefNum"],
        record["terms"],
        record["approvalStatus"],
        record["postingPeriod"],
        record["transactionNumber"],
        status == "Voided",
    )
    return tuple(_plain(company, value) for value in values)


def _lines(company: Company, record: Record) -> Iterator[tuple[Any, ...]]:
    for at, row in enumerate(rows_of(record)):
        line: Mapping[str, Any] = row.line or {}
        item = line.get("item")
        values = (
            int(record.internal_id),
            line.get("line", 0),
            at,
            row_value(company, row, "lineUniqueKey"),
            row.line is None,
            False,
            item,
            company.name_of("item", item) if item is not None else None,
            line.get("quantity"),
            line.get("quantityReceived"),
            line.get("quantityBilled"),
            line.get("rate"),
            row_value(company, row, "fxAmount"),
            bool(line.get("isClosed")),
            line.get("department"),
            line.get("class"),
            line.get("location"),
            record["subsidiary"],
            record["entity"],
            _created_from(company, row),
            row_value(company, row, "memo"),
            record["lastModifiedDate"],
        )
        yield tuple(_plain(company, value) for value in values)


def _created_from(company: Company, row: Row) -> str | None:
    return next(iter(sorted(row_value(company, row, "createdFrom") or ())), None)


def _links(document: Record) -> Iterator[tuple[Any, ...]]:
    receipt = document.type.name == "itemReceipt"
    for line in (*item_lines(document), *expense_lines(document)):
        source = document["createdFrom"].internal_id if receipt else line.get("orderDoc")
        if source is not None:
            kind = "ShipRcpt" if receipt else "OrdBill"
            yield int(source), line["orderLine"], int(document.internal_id), line["line"], kind
