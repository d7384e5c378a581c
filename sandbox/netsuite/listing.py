"""Vendors, items, accounts and the other lists: what a save checks and fills in."""

from collections.abc import Mapping
from decimal import Decimal

from sandbox.netsuite.errors import Refused, missing
from sandbox.netsuite.normalising import Writing
from sandbox.netsuite.records import POINTS_TO, Record, Values
from sandbox.netsuite.values import Lines, Ref

_REQUIRED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "vendor": (("companyName", "Company Name"),),
    "customer": (("companyName", "Company Name"),),
    "job": (("companyName", "Project Name"),),
    "employee": (("entityId", "Name"),),
    "account": (("acctName", "Account Name"), ("acctType", "Account Type")),
    "item": (("itemId", "Item Name/Number"),),
    "accountingPeriod": (("periodName", "Period Name"),),
    "currency": (("name", "Name"), ("symbol", "ISO Code")),
}
_NATURAL = {"entity": "entityId", "item": "itemId", "account": "acctNumber"}
_DUPLICATE = {"entity": "UNIQUE_CUST_ID_REQD", "item": "DUP_ITEM", "account": "UNIQUE_RCRD_ID_REQD"}


def prepare_list_record(writing: Writing, values: Values, old: Record | None) -> None:
    """A list's record as it will be stored. Raises Refused."""
    company = writing.company
    kind = writing.kind
    required = _REQUIRED.get(kind.name) or _REQUIRED.get(kind.group) or (("name", "Name"),)
    if kind.group == "entity" and values.get("isPerson"):
        required = (("firstName", "First Name"), ("lastName", "Last Name"))
    lacking = [label for name, label in required if values.get(name) in (None, "")]
    if lacking:
        raise missing(*lacking)
    values.setdefault("isInactive", False)
    if kind.group == "entity":
        _fill_vendor(writing, values)
    if kind.group == "item":
        values.setdefault("createdDate", company.now())
        values["lastModifiedDate"] = company.now()
        values.setdefault("displayName", values["itemId"])
        values.setdefault("cost", Decimal(0))
        if kind.name != "inventoryItem":
            values.setdefault("isFulfillable", False)
    natural = _NATURAL.get(kind.group, "name" if kind.name != "accountingPeriod" else "periodName")
    for record in company.groups[kind.group].values():
        if record is old or not values.get(natural) or record[natural] != values[natural]:
            continue
        if record["parent"] == values.get("parent"):
            code = _DUPLICATE.get(kind.group, "DUP_RCRD")
            raise Refused(code, f"A record with the name {values[natural]} exists already.")


def _fill_vendor(writing: Writing, values: Values) -> None:
    company = writing.company
    values.setdefault("isPerson", False)
    values.setdefault("dateCreated", company.now())
    values["lastModifiedDate"] = company.now()
    if not values.get("entityId"):
        parts = (values.get("firstName"), values.get("lastName"))
        values["entityId"] = values.get("companyName") or " ".join(part for part in parts if part)
    if values.get("subsidiary") is None:
        raise missing("Primary Subsidiary")
    if values.get("currency") is None:
        subsidiary = company.pointed("subsidiary", values["subsidiary"])
        values["currency"] = subsidiary["currency"]
    values.setdefault("currencyList", Lines())


def before_list_record_goes(writing: Writing, record: Record) -> None:
    """What documents name cannot be deleted. Raises Refused."""
    for document in writing.company.groups["transaction"].values():
        lines = (*(document["itemList"] or ()), *(document["expenseList"] or ()))
        for holder in (document.values, *lines):
            for name, value in holder.items():
                if not isinstance(value, Ref) or POINTS_TO.get(name) != record.type.group:
                    continue
                if value.internal_id == record.internal_id:
                    raise Refused("CANT_DELETE_RCRD", "This record cannot be deleted: it has dependent records.")
