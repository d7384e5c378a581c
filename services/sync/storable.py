"""Keep out of the mirror what it cannot hold: one absurd record is reported by name, and its page comes in.

What a connector could read may still be no order of anybody: a line number of eleven digits, a quantity below zero, a
number longer than an index can hold.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, get_args

from erp.roles.pages import BadRecord
from models.domain.bills import ErpBill
from models.domain.lists import ListEntry
from models.domain.orders import PurchaseOrder
from models.domain.payments import ErpPayment
from models.domain.receipts import Receipt
from models.domain.record import Record

R = TypeVar("R", ListEntry, PurchaseOrder, Receipt, ErpBill, ErpPayment)

LONGEST_KEY_BYTES = 2_300
"""What one entry of an index can hold beside the connection's id, whatever the text is."""

HIGHEST_LINE_NO = 2**31 - 1

MOST_DIGITS = 17
"""Digits before the point beyond which a number is no quantity and no amount of anything."""

MOST_DECIMALS = 100

SHORT = 18
"""Characters of a finite number written without an exponent that cannot have too many digits or decimals."""

KEYS = ("erp_id", "document_id", "number", "vendor_id", "key", "order_document", "source_document")


def storable(records: Sequence[R]) -> tuple[list[R], list[BadRecord]]:
    """Return the records that can be stored, and the others by name, each with what is wrong with it."""
    good: list[R] = []
    bad: list[BadRecord] = []
    for record in records:
        problem = next(_problems(record), None)
        if problem is None:
            good.append(record)
            continue
        name = str(getattr(record, "number", "") or getattr(record, "name", "") or record.erp_id)[:200]
        bad.append(
            BadRecord(
                erp_id=str(record.erp_id)[:500],
                code="VALUE_NOT_READABLE",
                message=f"{name} cannot be taken in: {problem}.",
                evidence={"number": name, "problem": problem},
            )
        )
    return good, bad


def _problems(record: Record) -> Iterator[str]:
    values = record.__dict__
    for key in KEYS:
        value = values.get(key)
        if isinstance(value, str) and len(value) > 500 and len(value.encode("utf-8", "replace")) > LONGEST_KEY_BYTES:
            yield f"its {key.replace('_', ' ')} has {len(value)} characters"
    yield from _absurd_numbers(values, _decimals(type(record)), "its")
    order = isinstance(record, PurchaseOrder)
    numbers: set[int] = set()
    lines: Sequence[Record] = values.get("lines", ())
    names = _decimals(type(lines[0])) if lines else ()
    for line in lines:
        of_line = line.__dict__
        line_no = of_line["line_no"]
        if not 0 <= line_no <= HIGHEST_LINE_NO:
            yield f"it has a line number {line_no}"
        if line_no in numbers:
            yield f"it has two lines {line_no}"
        numbers.add(line_no)
        yield from _absurd_numbers(of_line, names, f"line {line_no}'s")
        if order and of_line["quantity"] < 0:
            yield f"line {line_no} orders {of_line['quantity']}"


def _absurd_numbers(values: dict[str, Any], names: Sequence[str], whose: str) -> Iterator[str]:
    for name in names:
        value = values[name]
        if not isinstance(value, Decimal):
            continue
        # To take a number apart costs ten times as much as to write it, and a page has tens of thousands.
        written = str(value)
        if len(written) <= SHORT and "E" not in written and value.is_finite():
            continue
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or value.adjusted() > MOST_DIGITS or exponent < -MOST_DECIMALS:
            yield f"{whose} {name.replace('_', ' ')} is {written[:40]}"


@cache
def _decimals(model: type[Record]) -> tuple[str, ...]:
    """Return the names of the fields that may hold a decimal."""
    fields = model.model_fields.items()
    return tuple(name for name, one in fields if Decimal in (one.annotation, *get_args(one.annotation)))
