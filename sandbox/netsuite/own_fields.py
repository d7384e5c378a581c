"""What an account has of its own on lines: custom segments and columns, and the values that they and the amortization
fields can have (reference 3.2, 4)."""

from datetime import date
from typing import Any

from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import BadRow, Refused, bad_reference
from sandbox.netsuite.normalising import Writing
from sandbox.netsuite.values import Fields, Lines, Ref
from sandbox.neutral import Row

_PREFIX = "custom."
_OF_AMORTIZATION = ("amortizationSched", "amortizStartDate", "amortizationEndDate")


def put_value(company: Company, row: Row) -> None:
    """One value that a segment, a column of type list or the amortization schedule can have."""
    name = row["dimension"] if row["dimension"] in _OF_AMORTIZATION else row["dimension"].lower()
    values = company.own_values.setdefault(name, {})
    if row.get("status") == "inactive":
        values.pop(row["value_id"], None)
    else:
        values[row["value_id"]] = row.get("name") or row["value_id"]


def of_row(company: Company, row: Row) -> dict[str, Any]:
    """The custom fields of an order's line: columns of the neutral format such as `custom.cseg_region`. A field with
    values is a list; a day is a date. Raises BadRow."""
    custom = Lines()
    for column, value in row.items():
        if column.startswith(_PREFIX) and value:
            custom.append(_field(company, column.removeprefix(_PREFIX), value))
    return {"customFieldList": custom} if custom else {}


def _field(company: Company, script_id: str, value: str) -> Fields:
    known = company.own_values.get(script_id)
    company.own_columns.add(script_id)
    attributes = {"scriptId": script_id}
    if known is not None:
        if value not in known:
            raise BadRow(f"{script_id} has no value {value!r}; load it first")
        return Fields("SelectCustomFieldRef", {"value": Ref(value, name=known[value])}, attributes)
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return Fields("StringCustomFieldRef", {"value": value}, attributes)
    return Fields("DateCustomFieldRef", {"value": company.moment_of(day)}, attributes)


def check_line(writing: Writing, line: Fields) -> None:
    """Look at the fields of a written line that are the account's own. Raises Refused for a field or a value that the
    account does not have."""
    company = writing.company
    if company.switches.word("custom_fields_written") == "leave_out":
        for name in ("customFieldList", *_OF_AMORTIZATION):
            line.pop(name, None)
    schedule = line.get("amortizationSched")
    if schedule is not None and schedule.internal_id not in company.own_values.get("amortizationSched", {}):
        raise bad_reference("amortizationsched", schedule.internal_id)
    for field in line.get("customFieldList") or ():
        script_id = field.attributes.get("scriptId", "").lower()
        known = company.own_values.get(script_id)
        if known is None and script_id not in company.own_columns:
            raise Refused("INSUFFICIENT_PERMISSION", f"There is no custom field {script_id} that you may set.")
        value = field["value"]
        if known is not None and (not isinstance(value, Ref) or value.internal_id not in known):
            raise bad_reference(script_id, value.internal_id if isinstance(value, Ref) else str(value))


def shown(line: Fields) -> dict[str, Any]:
    """The fields of a line that are the account's own, by their ids."""
    result: dict[str, Any] = {}
    for field in line.get("customFieldList") or ():
        result[field.attributes["scriptId"].lower()] = _plain(field["value"])
    for name in _OF_AMORTIZATION:
        if line.get(name) is not None:
            result[name] = _plain(line[name])
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, Ref):
        return value.internal_id
    return value.isoformat()[:10] if isinstance(value, date) else value


def carried(line: Fields) -> dict[str, Any]:
    """What NetSuite takes over of an order's line into the bill that it makes of it."""
    return {"customFieldList": line["customFieldList"]} if line.get("customFieldList") else {}


def select_values(company: Company, asked: Fields) -> list[Ref]:
    """The values that a field of a list of lines can have. Raises Refused for a field without any."""
    field = asked["field"]
    known = company.own_values.get(field) or company.own_values.get(field.lower())
    if known is None:
        raise Refused("INVALID_FLD_TYPE", f"The field {field} is not a select field of {asked.get('recordType')}.")
    return [Ref(internal_id, name=name) for internal_id, name in known.items()]
