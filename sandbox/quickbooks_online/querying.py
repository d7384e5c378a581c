"""Answers queries (reference 3.7): which records fit, in which order, one page of them."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import ALWAYS_EMPTY, EntityType, entity_named
from sandbox.quickbooks_online.errors import Refused
from sandbox.quickbooks_online.query_text import Comparison, Statement, parse
from sandbox.quickbooks_online.records import Record

Test = Callable[[Any, Any], bool]
_TESTS: Mapping[str, Test] = {
    "=": lambda held, wanted: bool(held == wanted),
    "<": lambda held, wanted: bool(held < wanted),
    ">": lambda held, wanted: bool(held > wanted),
    "<=": lambda held, wanted: bool(held <= wanted),
    ">=": lambda held, wanted: bool(held >= wanted),
}
_MOMENTS = frozenset(["metadata.createtime", "metadata.lastupdatedtime"])


class Page(NamedTuple):
    """What a query answers: a count, or records from a position."""

    kind: EntityType | None
    records: list[Record]
    start: int
    total: int | None = None


def run(company: Company, statement: str, *, skip: int = 0) -> Page:
    """One query; a page that is not the first begins `skip` records later. Raises Refused (4000, 4001)."""
    refusing = company.switches.word("non_ascii_query") == "refused"
    asked = parse(statement, ascii_only=refusing)
    kind = entity_named(asked.entity)
    if kind is None:
        if asked.entity.lower() not in ALWAYS_EMPTY:
            raise _invalid(f"Invalid context declaration. Entity {asked.entity} not found")
        return Page(None, [], asked.start, 0 if asked.counted else None)
    records = _chosen(company, kind, asked)
    if asked.counted:
        return Page(kind, [], 1, len(records))
    _sort(company, kind, asked, records)
    begin = asked.start - 1 + (skip if asked.start > 1 else 0)
    return Page(kind, records[begin : begin + asked.most], asked.start)


def _invalid(detail: str) -> Refused:
    return Refused("4001", "Invalid query", f"QueryValidationError: {detail}")


def _chosen(company: Company, kind: EntityType, asked: Statement) -> list[Record]:
    tests = [_test(company, kind, one) for one in asked.where]
    if kind.is_list and not any(one.name.lower() == "active" for one in asked.where):
        tests.append(lambda record: record["Active"] is not False)
    return [record for record in company.records[kind.name].values() if all(test(record) for test in tests)]


def _property(company: Company, kind: EntityType, name: str) -> str:
    """The property that can be filtered, in the service's spelling. Raises Refused (4001)."""
    for known in kind.filterable:
        if known.lower() == name.lower():
            refused = company.switches.word("bill_vendor_filter") == "refused"
            if kind.name == "Bill" and known == "VendorRef" and refused:
                break
            return known
    raise _invalid(f"Property {name} not found for Entity {kind.name}")


def _held(record: Record, name: str) -> Any:
    if name == "Id":
        return record.id
    if name == "MetaData.CreateTime":
        return record.created
    if name == "MetaData.LastUpdatedTime":
        return record.updated
    return record.values.get(name)


def _test(company: Company, kind: EntityType, asked: Comparison) -> Callable[[Record], bool]:
    name = _property(company, kind, asked.name)
    if asked.operator == "like":
        words = (re.escape(part) for part in asked.values[0].split("%"))
        pattern = re.compile(".*".join(words), re.IGNORECASE | re.DOTALL)
        return lambda record: pattern.fullmatch(str(_held(record, name) or "")) is not None
    wanted = [_wanted(kind, name, value) for value in asked.values]
    if asked.operator == "in":
        return lambda record: _held(record, name) in wanted
    test, one = _TESTS[asked.operator], wanted[0]

    def fits(record: Record) -> bool:
        held = _held(record, name)
        return held is not None and test(held, one)

    return fits


def _wanted(kind: EntityType, name: str, text: str) -> Any:
    """A value of a statement as what is held is kept. Raises Refused (4001)."""
    if name.lower() in _MOMENTS:
        moment = moment_of(text)
        if moment is None:
            raise _invalid(f"{text} is not a valid value for {name}")
        return moment
    field = kind.fields.get(name)
    shape = field.kind if field is not None else "number" if name in ("Balance", "TotalAmt") else "text"
    try:
        if shape in ("number", "whole"):
            return Decimal(text)
        if shape == "flag" or name in ("SubAccount",):
            if text.lower() not in ("true", "false"):
                raise ValueError
            return text.lower() == "true"
        if shape == "date":
            return date.fromisoformat(text[:10]).isoformat()
    except (ValueError, InvalidOperation):
        raise _invalid(f"{text} is not a valid value for {name}") from None
    return text


def moment_of(text: str) -> datetime | None:
    """A date or timestamp of a request; one without an offset is Pacific standard time. None when it is neither."""
    cleaned = text.strip().replace(" ", "+")
    try:
        moment = datetime.fromisoformat(cleaned)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(hours=-8)))
    return moment.astimezone(UTC)


def _sort(company: Company, kind: EntityType, asked: Statement, records: list[Record]) -> None:
    if company.switches.word("query_order") == "newest":
        records.reverse()
    for name, down in reversed(asked.order):
        known = _property(company, kind, name)
        records.sort(key=lambda record: _key(record, known), reverse=down)


def _key(record: Record, name: str) -> tuple[bool, Any]:
    held = int(record.id) if name == "Id" else _held(record, name)
    return held is not None, held if held is not None else 0
