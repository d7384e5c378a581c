"""Define the bodies and answers around list entries that are made or changed here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.bills.schemas import Event
from api.http.output import Output
from api.http.schemas import Code, Input, Line, Name, Switch, columns
from api.sync.routes import ListedEntry
from models.domain.list_changes import FieldConflict, ListAction, ListChangeStatus, ListMaster
from models.domain.lists import ListKind
from models.store.sync import list_changes
from models.tables import EventRow, ListChangeRow

Value = Line | Switch | None
Values = Annotated[
    dict[Code, Value],
    Field(
        max_length=40,
        json_schema_extra={"additionalProperties": False},
        description="By field, as the entry's `attributes` show them; null or empty clears. What may be written of each"
        " list is in the connection's capability `lists_out`.",
        examples=[{"email": "ap@pumps.example", "term": "Net 15"}],
    ),
]


class NewEntry(Input):
    """A new entry of a list."""

    name: Name = Field(examples=["Pumps & Co"])
    key: Code | None = Field(
        default=None, description="Its id, where people give it: null where the ERP numbers.", examples=["V-150"]
    )
    entity: Code | None = Field(
        default=None, description="The entity that it belongs to; null: as the setting says.", examples=["100"]
    )
    attributes: Values = Field(default_factory=dict)
    same_name: Switch = Field(default=False, description="true: another one may have this name already.")


class EntryChange(Input):
    """What is to be changed of an entry; what is null or left out stays."""

    name: Name | None = None
    active: Switch | None = Field(default=None, description="false: suspend it; true: use it again.")
    attributes: Values = Field(default_factory=dict)
    seen: Values | None = Field(
        default=None,
        description="The values that you saw, by field: a field that the ERP shows otherwise by now is a conflict."
        " null: those that posync shows now.",
    )


class Conflict(Output):
    """A field that both sides changed since they last agreed."""

    field: str
    agreed: str | None
    here: str
    there: str | None
    kept: ListMaster
    """Whose value stayed."""


class ListChange(Output):
    """A list entry made or changed here, on its way to the ERP."""

    id: str
    connection_id: str
    kind: ListKind
    action: ListAction
    status: ListChangeStatus
    name: str
    key: str | None
    """null: the ERP gives it, and has not yet."""
    erp_id: str | None
    entity: str | None
    """The entity that it belongs to; null: all of them share it, or there is none."""
    wanted: dict[str, str]
    agreed: dict[str, str | None]
    """Of each field the value that both sides agreed on last."""
    conflicts: list[Conflict]
    problem: str
    """Why the ERP refused it, or does not answer; empty: neither."""
    problem_code: str | None
    created_by: str
    created_at: datetime
    changed_at: datetime


class ListChangeWithHistory(ListChange):
    events: list[Event]
    """Oldest first."""


class EntryWithHistory(ListedEntry):
    changes: list[ListChange]
    """What was asked for here, newest first."""
    events: list[Event]
    """What happened to it and to these changes since it came in, oldest first: `changed_in_erp` and `deleted_in_erp`
    are the ERP's, each with the fields as they were and as they are."""


class EntryAccepted(Output):
    """What becomes of what was asked for."""

    change: ListChange | None
    """null: the ERP has nothing to take."""
    kept_here: list[str]
    """Fields that the ERP does not have: they are kept here, and count here."""


def shown(row: ListChangeRow) -> ListChange:
    """Return a change as it is shown."""
    conflicts = [_conflict(one) for one in list_changes.conflicts_of(row)]
    return ListChange(**{**columns(row, ListChange), "conflicts": conflicts})


def with_history(row: ListChangeRow, happened: Sequence[EventRow]) -> ListChangeWithHistory:
    """Return a change with what happened to it."""
    return ListChangeWithHistory(
        **shown(row).model_dump(), events=[Event(**columns(event, Event)) for event in happened]
    )


def _conflict(one: FieldConflict) -> Conflict:
    return Conflict(**one.model_dump())


def as_fields(values: Mapping[str, Value]) -> dict[str, str]:
    """Return values as text by field: true and false in words, nothing as empty text."""
    return {field: _text(value) for field, value in values.items()}


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return (value or "").strip()
