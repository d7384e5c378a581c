"""Write the custom fields of a company: Intacct has no field of its own for some of what people want there."""

from collections.abc import Mapping, Sequence
from datetime import date

from erp.intacct import wire
from erp.intacct.wire import Row


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


def custom_fields(values: Mapping[str, str]) -> str:
    """Return the fields as XML; nothing where there are none."""
    inner = "".join(
        f"<customfield>{wire.element('customfieldname', name)}{wire.element('customfieldvalue', value)}</customfield>"
        for name, value in values.items()
    )
    return f"<customfields>{inner}</customfields>" if inner else ""
