"""List entries that are made or changed here: what may be written, how conflicts are settled, and what is sent."""

from collections.abc import Mapping
from enum import StrEnum

from models.domain.ids import ErpId, ExternalKey
from models.domain.lists import ListKind
from models.domain.record import Record

NAME = "name"
ACTIVE = "active"

WRITTEN = (ListKind.VENDOR, ListKind.ITEM, ListKind.DEPARTMENT, ListKind.LOCATION, ListKind.CLASS)
"""The lists whose entries can be made and changed here, where the ERP allows it."""


class ListMaster(StrEnum):
    """Whose value stays where both sides changed a field."""

    ERP = "erp"
    POSYNC = "posync"


class ListLevel(StrEnum):
    """Where an entry that is made here belongs, in a company with entities."""

    ENTITY = "entity"
    """To one entity. Entries that all entities share are changed in the ERP only."""
    TOP = "top"
    """To all of them."""


class VendorIds(StrEnum):
    """Who gives a vendor its id, in an ERP where people may give it."""

    GIVEN = "given"
    ERP = "erp"


class ListAction(StrEnum):
    """What a change does."""

    CREATE = "create"
    CHANGE = "change"


class ListChangeStatus(StrEnum):
    """The status of a change to a list entry."""

    SENDING = "sending"
    DONE = "done"
    SET_ASIDE = "set_aside"
    """The ERP is the master, and had changed some of the fields as well: those values were not sent."""
    REFUSED = "refused"
    ABANDONED = "abandoned"

    @property
    def can_be_reapplied(self) -> bool:
        """Return whether a person may ask for it once more, or leave it."""
        return self in (ListChangeStatus.SET_ASIDE, ListChangeStatus.REFUSED)


class FieldConflict(Record):
    """One field that both sides changed since they last agreed."""

    field: str
    agreed: str | None
    here: str
    there: str | None
    kept: ListMaster
    """Whose value stays."""


class WritableList(Record):
    """What may be written of one list in an ERP. Fields have our names; the name and `active` are always among them."""

    kind: ListKind
    new: tuple[str, ...] = ()
    """Fields that a new entry may have."""
    needed: tuple[str, ...] = ()
    """Of those, the ones that it must have."""
    changes: tuple[str, ...] = ()
    """Fields that may be changed."""
    kept_here: tuple[str, ...] = ()
    """Fields that the ERP does not have: they are kept here, count here, and are not sent."""
    key_given: bool = False
    """True: people give the entry its key. False: the ERP does."""
    numbered: bool = False
    """True: the ERP gives the key where the company has it so (`VendorIds`)."""


class EntryToPush(Record):
    """A list entry as it is sent: a new one, or the changed fields of one that is there."""

    external_key: ExternalKey
    kind: ListKind
    erp_id: ErpId | None = None
    """None: it is new."""
    key: str | None = None
    """None, of a new one: the ERP numbers it."""
    entity: str | None = None
    """The entity that it belongs to; None: all of them."""
    fields: Mapping[str, str]
    """By our names; empty text clears."""


def fields_of(name: str, attributes: Mapping[str, str], *, active: bool) -> dict[str, str]:
    """Return an entry's values by field, the name and whether it is active among them."""
    return {**attributes, NAME: name, ACTIVE: "true" if active else "false"}


def same(ours: str, theirs: str | None) -> bool:
    """Return whether two values of a field are the same; one that is missing is the same as an empty one."""
    if theirs is None or not theirs:
        return ours in ("", "false")
    return ours == theirs or (ours in ("true", "false") and theirs.casefold() == ours)
