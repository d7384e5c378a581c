"""Write the custom fields of a company: Intacct has no field of its own for some of what people want there."""

from collections.abc import Mapping
from datetime import date

from erp.intacct import wire


def approval_date(field: str | None, approved_on: date | None) -> Mapping[str, str]:
    """Return the day of the approval under the field that the company has for it; empty without either."""
    return {field: f"{approved_on:%m/%d/%Y}"} if field and approved_on is not None else {}


def custom_fields(values: Mapping[str, str]) -> str:
    """Return the fields as XML; nothing where there are none."""
    inner = "".join(
        f"<customfield>{wire.element('customfieldname', name)}{wire.element('customfieldvalue', value)}</customfield>"
        for name, value in values.items()
    )
    return f"<customfields>{inner}</customfields>" if inner else ""
