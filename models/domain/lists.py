"""Lists that are imported from the ERP: vendors, accounts, items, dimensions."""

from collections.abc import Mapping
from enum import StrEnum

from models.domain.ids import ErpId
from models.domain.record import Record


class ListKind(StrEnum):  # S2-06
    """The kinds of lists that come in from the ERP."""

    VENDOR = "vendor"
    GL_ACCOUNT = "gl_account"
    ITEM = "item"
    DEPARTMENT = "department"
    LOCATION = "location"
    ENTITY = "entity"
    CLASS = "class"
    PROJECT = "project"
    CUSTOMER = "customer"
    EMPLOYEE = "employee"
    CUSTOM_DIMENSION = "custom_dimension"
    """A value of a dimension or list of the company's own; attribute `dimension`: the name that people have for it."""
    TERM = "term"
    BANK_ACCOUNT = "bank_account"
    UNIT_GROUP = "unit_group"
    """A group of units that convert into each other."""
    UNIT = "unit"
    """One unit of a group; attributes `group` (the group's ERP id) and `factor` (how many base units it is)."""


class EntryState(StrEnum):
    """Whether an entry can be used."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    """Suspended: it can be made active again, here or in the ERP."""
    CLOSED = "closed"
    """The ERP deleted it."""


class ListEntry(Record):
    """One vendor, account, item or other entry as the ERP holds it."""

    kind: ListKind
    erp_id: ErpId
    key: str
    """The natural key that people and documents use (vendor id, account number)."""
    name: str
    active: bool = True
    entity: str | None = None
    revision: str | None = None
    attributes: Mapping[str, str] = {}
    """Other values we use, under our own names: `term`, `currency`, `on_hold`, `account_type`, `unit_group` ..."""


def masked(number: str) -> str:
    """Return the last four characters of an account's number behind asterisks; of a short one nothing."""
    return f"****{number[-4:]}" if len(number) > 4 else "****"
