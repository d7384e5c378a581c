"""Write the custom fields of a company: Intacct has no field of its own for some of what people want there."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from erp.intacct import wire
from erp.intacct.wire import Row

_INTACCTS_DAY = re.compile(r"(\d{2})/(\d{2})/(\d{4})")
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def approval_date(field: str | None, approved_on: date | None) -> Mapping[str, str]:
    """Return the day of the approval under the field that the company has for it; empty without either."""
    return {field: f"{approved_on:%m/%d/%Y}"} if field and approved_on is not None else {}


def approval_differences(field: str | None, approved_on: date | None, header: Row) -> Sequence[str]:
    """Return the day of the approval if Intacct holds another one than was sent, or none. A company's field holds a
    date or a text."""
    for name, sent in approval_date(field, approved_on).items():
        existing = header.get(name, "")
        if existing != sent and existing != f"{approved_on:%Y-%m-%d}":
            return [f"the day of the approval: sent {sent}, Intacct has {existing or 'nothing'} in {name}"]
    return []


def values_of(row: Row, own: Mapping[str, str]) -> dict[str, str]:
    """Return what a line has of the company's own dimensions and fields, by our names; a date as 2026-11-30."""
    return {name: _day_as_shown(value) for name, field in own.items() if (value := row.get(field))}


def line_values(values: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return values of a line by Intacct's fields, as it takes them. `own`: its fields by our names."""
    return {own[name]: _day_as_sent(value) for name, value in values.items() if name in own}


def line_edits(values: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return the values of an edited line as `line_values`; a field that the line has none of is emptied."""
    return {**dict.fromkeys(own.values(), ""), **line_values(values, own)}


def line_differences(line_no: int, values: Mapping[str, str], row: Row, own: Mapping[str, str]) -> list[str]:
    """Return which values that were sent Intacct does not hold so."""
    existing = values_of(row, own)
    return [
        f"line {line_no}, {name}: sent {value}, Intacct has {existing.get(name) or 'nothing'}"
        for name, value in values.items()
        if existing.get(name) != value
    ]


def whole_differences(line_no: int, values: Mapping[str, str], row: Row, own: Mapping[str, str]) -> list[str]:
    """Return the same of a line that was edited: a value that was not sent must not be there."""
    existing = values_of(row, own)
    return [
        f"line {line_no}, {name}: sent {values.get(name) or 'nothing'}, Intacct has {existing.get(name) or 'nothing'}"
        for name in sorted({*values, *existing})
        if values.get(name) != existing.get(name)
    ]


def _day_as_shown(value: str) -> str:
    day = _INTACCTS_DAY.fullmatch(value)
    return f"{day[3]}-{day[1]}-{day[2]}" if day else value


def _day_as_sent(value: str) -> str:
    day = _ISO_DAY.fullmatch(value)
    return f"{day[2]}/{day[3]}/{day[1]}" if day else value


def custom_fields(values: Mapping[str, str]) -> str:
    """Return the fields as XML; nothing where there are none. An empty value empties the field."""
    inner = "".join(
        f"<customfield>{wire.element('customfieldname', name)}{wire.empty_or('customfieldvalue', value)}</customfield>"
        for name, value in values.items()
    )
    return f"<customfields>{inner}</customfields>" if inner else ""
