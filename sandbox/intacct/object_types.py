"""The notation in which the pretend Intacct's objects are written down: fields, types, codes and labels.

Field words: `T` text, `I` integer, `B` boolean, `D` date, `S` timestamp, `N` decimal, `C` currency amount, `E` enum.
`!` marks a field that `lookup` calls required; a trailing `-` one that cannot be written.
`PARENTNAME:T-@VENDOR|PARENTID|NAME` is never stored: it shows NAME of the VENDOR whose natural key stands in PARENTID.
"""

from collections.abc import Mapping
from typing import NamedTuple

DATATYPES = {
    "T": "TEXT",
    "I": "INTEGER",
    "B": "BOOLEAN",
    "D": "DATE",
    "S": "TIMESTAMP",
    "N": "DECIMAL",
    "C": "CURRENCY",
    "E": "ENUM",
}


class Field(NamedTuple):
    """One field of an object."""

    name: str
    datatype: str
    required: bool = False
    readonly: bool = False
    codes: Mapping[str, str] = {}
    """Label to stored code; readByQuery filters by code, answers show the label."""


class ObjectType(NamedTuple):
    """One object: `key` is its natural key, `owned` the line object that `read` returns inside it."""

    name: str
    key: str
    fields: Mapping[str, Field]
    indexed: tuple[str, ...] = ()
    owned: str = ""
    owned_by: str = ""
    """On a line object: the field that holds its header's RECORDNO."""
    document_type: bool = False
    """Selected by `docparid` as well."""
    derived: Mapping[str, tuple[str, str, str]] = {}
    """Fields that show what another record says: (object, our field that holds its natural key, its field)."""
    relations: Mapping[str, tuple[str, str]] = {}
    """Dotted prefix to (object, our field that holds its natural key): `VENDOR.CREDITLIMIT`."""


ACTIVE = {"active": "T", "inactive": "F"}
PO_STATES = {
    "Draft": "I",
    "Submitted": "S",
    "Partially Approved": "X",
    "Approved": "A",
    "Declined": "R",
    "Pending": "O",
    "In Progress": "G",
    "Partially Converted": "P",
    "Converted": "C",
    "Closed": "D",
}
BILL_STATES = {
    "Draft": "D",
    "Submitted": "S",
    "Partially Approved": "PA",
    "Declined": "U",
    "Posted": "A",
    "Selected": "SE",
    "Partially Paid": "PP",
    "Paid": "P",
    "Reversal pending": "RP",
    "Reversed": "R",
    "Reversal": "RV",
}
PAYMENT_STATES = {"Draft": "D", "Submitted": "S", "Approved": "A", "Complete": "C", "Void": "V"}
CATEGORIES = {"Quote": "Q", "Order": "O", "Shipping": "S", "Invoice": "I", "Return": "R"}
EDIT_POLICIES = {"Never": "N", "Before Printing": "P", "All": "H"}
ACCESS_MODES = {
    "Access": "A",
    "Modify": "M",
    "Create": "C",
    "Delete": "D",
    "Workflow": "W",
    "Activity": "T",
    "User action": "U",
}

_ENUMS: Mapping[str, Mapping[str, str]] = {
    "PODOCUMENT.STATE": PO_STATES,
    "PODOCUMENTENTRY.STATE": PO_STATES,
    "APBILL.STATE": BILL_STATES,
    "APADJUSTMENT.STATE": BILL_STATES,
    "APPYMT.STATE": PAYMENT_STATES,
    "PODOCUMENTPARAMS.CATEGORY": CATEGORIES,
    "PODOCUMENTPARAMS.EDITTYPE": EDIT_POLICIES,
    "PODOCUMENTPARAMS.DELTYPE": EDIT_POLICIES,
    "AUDITHISTORY.ACCESSMODE": ACCESS_MODES,
}

STAMPS = "WHENMODIFIED:S- CREATEDBY:T- MODIFIEDBY:T-"
ENTITY = "MEGAENTITYKEY:T- MEGAENTITYID:T- MEGAENTITYNAME:T-"
MASTER_FIELDS = f"RECORDNO:I- STATUS:E WHENCREATED:S- {STAMPS} {ENTITY}"


def define(
    name: str,
    key: str,
    fields: str,
    *,
    indexed: str = "",
    owned: str = "",
    owned_by: str = "",
    document_type: bool = False,
    relations: Mapping[str, tuple[str, str]] | None = None,
) -> ObjectType:
    """Read one object from its words."""
    parsed: dict[str, Field] = {}
    derived: dict[str, tuple[str, str, str]] = {}
    for word in fields.split():
        word, _, path = word.partition("@")
        field, flags = word.split(":")
        if path:
            target, ours, theirs = path.split("|")
            derived[field] = (target, ours, theirs)
        codes = _ENUMS.get(f"{name}.{field}", ACTIVE if field == "STATUS" else {})
        parsed[field] = Field(field, flags[0], "!" in flags, "-" in flags, codes)
    return ObjectType(
        name, key, parsed, tuple(indexed.split()), owned, owned_by, document_type, derived, relations or {}
    )
