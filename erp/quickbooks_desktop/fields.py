"""Read single fields of QuickBooks' records; one that is missing or unreadable makes its record a bad record."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from lxml import etree

from erp.errors import MalformedAnswer
from erp.quickbooks_desktop import wire
from erp.quickbooks_desktop.wire import Source
from erp.roles.pages import BadRecord

T = TypeVar("T")


class Unusable(MalformedAnswer):
    """A record that cannot be read into our form, with our code and the evidence. On a page it becomes a bad record."""

    def __init__(self, code: str, message: str, evidence: Mapping[str, str]) -> None:
        super().__init__(message, code=code, evidence=evidence)


def usable(records: Iterable[etree._Element], make: Callable[[etree._Element], T]) -> tuple[list[T], list[BadRecord]]:
    """Return the records that can be used, and the others by name."""
    good: list[T] = []
    bad: list[BadRecord] = []
    for record in records:
        try:
            good.append(make(record))
        except Unusable as error:
            bad.append(bad_record(record, error))
    return good, bad


def bad_record(record: etree._Element, error: Unusable) -> BadRecord:
    """Return the record by name, with what made it unusable."""
    named = {
        name: value
        for name, value in (
            ("number", wire.text(record, "RefNumber")),
            ("name", wire.text(record, "FullName") or wire.text(record, "Name")),
        )
        if value
    }
    erp_id = wire.text(record, "TxnID") or wire.text(record, "ListID") or ""
    return BadRecord(erp_id=erp_id, code=error.code, message=error.message, evidence=named | error.evidence)


def need(record: Source, path: str) -> str:
    """Return a mandatory field as text.

    Raises:
        Unusable: MISSING_FIELD.
    """
    value = wire.text(record, path)
    if value is None:
        what = wire.text(record, "RefNumber") or wire.text(record, "TxnID") or wire.text(record, "ListID") or "A record"
        raise Unusable("MISSING_FIELD", f"{what} came without {path}.", {"field": path})
    return value


def number(record: Source, path: str) -> Decimal | None:
    """Return a number; None if it is absent.

    Raises:
        Unusable: VALUE_NOT_READABLE.
    """
    value = wire.text(record, path)
    if value is None:
        return None
    try:
        result = Decimal(value.replace(",", ""))
    except InvalidOperation:
        raise unreadable(path, value) from None
    if not result.is_finite():
        raise unreadable(path, value)
    return result


def need_number(record: Source, path: str) -> Decimal:
    """Return a mandatory number.

    Raises:
        Unusable: MISSING_FIELD, VALUE_NOT_READABLE.
    """
    need(record, path)
    value = number(record, path)
    assert value is not None, "it is there"
    return value


def day(record: Source, path: str) -> date | None:
    """Return a date; None if it is absent.

    Raises:
        Unusable: VALUE_NOT_READABLE.
    """
    value = wire.text(record, path)
    if value is None:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise unreadable(path, value) from None


def need_day(record: Source, path: str) -> date:
    """Return a mandatory date.

    Raises:
        Unusable: MISSING_FIELD, VALUE_NOT_READABLE.
    """
    need(record, path)
    value = day(record, path)
    assert value is not None, "it is there"
    return value


def changed_at(record: Source, path: str = "TimeModified") -> str:
    """Return when a record changed, by QuickBooks' own clock: a cursor.

    Raises:
        Unusable: MISSING_FIELD, VALUE_NOT_READABLE.
    """
    value = need(record, path)
    try:
        return wire.local_time(value)
    except ValueError:
        raise unreadable(path, value) from None


def revision(record: Source) -> str:
    """Return a record's revision, sortable as text: its edit sequence. Its time is no revision, as the clock of a
    computer repeats an hour in autumn.

    Raises:
        Unusable: MISSING_FIELD.
    """
    return need(record, "EditSequence").zfill(16)


def unreadable(path: str, value: str) -> Unusable:
    """Return the error of a field whose value cannot be read."""
    return Unusable(
        "VALUE_NOT_READABLE", f"{path} cannot be read: {value[:60]!r}", {"field": path, "value": value[:60]}
    )
