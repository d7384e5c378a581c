"""Read and write what a company has of its own on lines: custom segments, custom columns, amortization (reference 3.2,
4)."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, timezone
from enum import StrEnum
from typing import Any, NamedTuple

from erp.errors import Rejected
from erp.netsuite import wire
from erp.netsuite.wire import Fields, Row
from erp.netsuite.writer import Typed
from models.domain.line_fields import DIMENSION_PREFIX, FIELD_PREFIX

SEGMENT = "cseg"
OWN_IDS = ("custcol", SEGMENT)
"""What the ids of columns and segments that a company made begin with."""


class OwnKind(StrEnum):
    """What the values of a field are; people write it behind the field's id, as `custcol_start:date`."""

    LIST = "list"
    DATE = "date"
    NUMBER = "number"
    YES_NO = "yes_no"
    TEXT = "text"


class OwnField(NamedTuple):
    """One field of lines that is the company's own."""

    id: str
    """NetSuite's id of a segment or column, or the name of one of its amortization fields."""
    kind: OwnKind

    @property
    def is_custom(self) -> bool:
        """Return whether it stands among the custom fields of a line, and not beside them."""
        return self.id not in AMORTIZATION

    @property
    def is_dimension(self) -> bool:
        """Return whether it classifies what is booked, as a department does."""
        return self.id.startswith(SEGMENT)


AMORTIZATION: Mapping[str, OwnKind] = {
    "amortizationSched": OwnKind.LIST,
    "amortizStartDate": OwnKind.DATE,
    "amortizationEndDate": OwnKind.DATE,
}
"""NetSuite's own fields of lines of bills; lines of orders have none of them."""

_NATIVE = {name.casefold(): name for name in AMORTIZATION}

OwnFields = Mapping[str, OwnField]
"""The company's own fields, by the names that people have for them."""


def own_fields(given: Mapping[str, str]) -> dict[str, OwnField]:
    """Return the fields that the preferences name: `dimension.Region` = `cseg_region`, `custom.Amortization start` =
    `amortizStartDate`, `custom.Contract` = `custcol_contract:list`. One that cannot be read is left out."""
    fields: dict[str, OwnField] = {}
    for preference, value in given.items():
        for prefix, usual in ((DIMENSION_PREFIX, OwnKind.LIST), (FIELD_PREFIX, OwnKind.TEXT)):
            field = read_field(value, usual) if preference.startswith(prefix) and value else None
            if field is not None:
                fields[preference.removeprefix(prefix)] = field
    return fields


def read_field(value: str, usual: OwnKind) -> OwnField | None:
    """Return the field that a person wrote; None: it is none."""
    name, _, said = (part.strip() for part in value.partition(":"))
    native = _NATIVE.get(name.casefold())
    if native is not None:
        return OwnField(native, AMORTIZATION[native]) if said in ("", AMORTIZATION[native]) else None
    if not name.casefold().startswith(OWN_IDS) or (said and said not in list(OwnKind)):
        return None
    return OwnField(name.casefold(), OwnKind(said) if said else usual)


# --- reading ---------------------------------------------------------------------------------------------------


def values_of(row: Row, own: OwnFields) -> dict[str, str]:
    """Return what a line has of the company's own fields, by our names; of a list the value's id, a date as
    2026-11-30."""
    return {name: _shown(field, value) for name, field in own.items() if (value := row.get(field.id))} if own else {}


def existing_of(fields: Fields, own: OwnFields) -> dict[str, str]:
    """Return the same of a line as `NsRecord.lines` gives it."""
    return values_of(wire.row_of(fields), own) if own else {}


def _shown(field: OwnField, value: str) -> str:
    if field.kind is OwnKind.DATE:
        return value[:10]
    if field.kind is OwnKind.NUMBER:
        with suppress(ValueError):
            return wire.plain(wire.decimal(value))
    return value


def dimensions_of(own: OwnFields) -> dict[str, OwnField]:
    """Return those of the fields that classify what is booked."""
    return {name: field for name, field in own.items() if field.is_dimension}


# --- writing ---------------------------------------------------------------------------------------------------


def sent(values: Mapping[str, str], own: OwnFields, zone: timezone) -> dict[str, Any]:
    """Return values of a line as elements of a bill's line. `zone`: the account's offset, in which days are written.

    Raises:
        Rejected: VALUE_REFUSED: a value is none of its field's kind.
    """
    elements: dict[str, Any] = {}
    custom: list[Typed] = []
    for name, value in values.items():
        field = own.get(name)
        if field is None or not value:
            continue
        element, written = _written(name, field, value, zone)
        if field.is_custom:
            custom.append(Typed("core", element, {"scriptId": field.id, "value": written}))
        else:
            elements[field.id] = written
    return elements | ({"customFieldList": {"customField": custom}} if custom else {})


def _written(name: str, field: OwnField, value: str, zone: timezone) -> tuple[str, Any]:
    try:
        if field.kind is OwnKind.DATE:
            return "DateCustomFieldRef", wire.noon(date.fromisoformat(value), zone)
        if field.kind is OwnKind.NUMBER:
            return "DoubleCustomFieldRef", wire.plain(wire.decimal(value))
    except ValueError:
        raise _refused(name, field, value) from None
    if field.kind is OwnKind.YES_NO:
        if value not in ("true", "false"):
            raise _refused(name, field, value)
        return "BooleanCustomFieldRef", value == "true"
    if field.kind is OwnKind.LIST:
        return "SelectCustomFieldRef", {"internalId": value}
    return "StringCustomFieldRef", wire.carried(value)


def _refused(name: str, field: OwnField, value: str) -> Rejected:
    return Rejected(
        f"{value!r} is no {field.kind.replace('_', ' or ')}, as {name} is in NetSuite.",
        code="VALUE_REFUSED",
        evidence={"field": field.id, "value": value},
    )


def edits(line_no: int, values: Mapping[str, str], existing: Fields, own: OwnFields, zone: timezone) -> dict[str, Any]:
    """Return the elements of an edited line; its values are all that it is to have.

    Raises:
        Rejected: FIELD_NOT_EMPTIED, because SOAP can never empty a field of a line.
    """
    for name in existing_of(existing, own):
        if not values.get(name):
            raise Rejected(
                f"NetSuite's SOAP cannot empty the {name} of a bill line.",
                code="FIELD_NOT_EMPTIED",
                evidence={"line": str(line_no), "field": own[name].id},
            )
    return sent(values, own, zone)


def differences(
    line_no: int, values: Mapping[str, str], existing: Fields, own: OwnFields, *, whole: bool
) -> Iterator[str]:
    """Yield which values NetSuite does not hold as they were sent; `whole`: what was not sent must not be there."""
    theirs = existing_of(existing, own)
    for name, field in own.items():
        mine, shown = values.get(name, ""), theirs.get(name, "")
        if field.kind is OwnKind.NUMBER and mine:
            mine = _shown(field, mine)
        if field.kind is OwnKind.TEXT:
            mine, shown = wire.words(mine), wire.words(shown)
        # What we left to NetSuite's defaults is no difference.
        if mine != shown and (mine or whole):
            yield f"line {line_no}, {name}: sent {mine or 'nothing'}, NetSuite has {shown or 'nothing'}"


def copied(line: Fields, own: OwnFields, zone: timezone) -> dict[str, Any]:
    """Return the custom segments of a line of a bill, as a line that takes it back has them."""
    dimensions = dimensions_of(own)
    return sent(existing_of(line, dimensions), dimensions, zone)
