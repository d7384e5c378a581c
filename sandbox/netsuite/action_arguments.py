"""What an action of a person says: numbers, days, which record and which of its lines."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.netsuite.company import Company
from sandbox.netsuite.orders import expense_lines, item_lines
from sandbox.netsuite.records import Record
from sandbox.netsuite.values import Fields, Ref

Given = Mapping[str, Any]


def text(given: Given, name: str, default: str = "") -> str:
    value = given.get(name)
    return default if value is None else str(value)


def number(given: Given, name: str) -> Decimal | None:
    """Return the argument as a number; None if it is not given.

    Raises:
        ValueError: it is no number.
    """
    if given.get(name) is None:
        return None
    try:
        return Decimal(str(given[name]))
    except InvalidOperation:
        raise ValueError(f"{name} is a number") from None


def day_of(company: Company, given: Given) -> date:
    return date.fromisoformat(str(given["date"])) if given.get("date") else company.today()


def found(company: Company, type_name: str, given: Given) -> Record:
    """The newest record of that number, or the one of that internal or external id.

    Raises:
        ValueError: there is no such record.
    """
    number = text(given, "number")
    for record in reversed(company.all(type_name)):
        names = (record["tranId"], record["entityId"], record["itemId"], record["acctNumber"], record.key)
        if given.get("record_no") and record.internal_id == str(given["record_no"]):
            return record
        if given.get("external_id") and record.external_id == str(given["external_id"]):
            return record
        if number and number in names:
            return record
    raise ValueError(f"there is no such {type_name}")


def lines_in_order(order: Record) -> list[Fields]:
    return sorted((*item_lines(order), *expense_lines(order)), key=lambda line: int(line["line"]))


def numbered(order: Record, given: Given) -> Fields:
    """An order's line, counted from 1 as people do.

    Raises:
        ValueError: the record has no line of that number.
    """
    lines = lines_in_order(order)
    at = int(given.get("line", 0))
    if not 1 <= at <= len(lines):
        raise ValueError(f"{order['tranId']} has lines 1 to {len(lines)}")
    return lines[at - 1]


def wanted_lines(order: Record, given: Given) -> dict[int, Given]:
    """The lines that an action names, by line id; empty means all that is open."""
    return {numbered(order, row)["line"]: row for row in given.get("lines") or ()}


def reference(record: Record) -> Ref:
    return Ref(record.internal_id, type=record.type.name)
