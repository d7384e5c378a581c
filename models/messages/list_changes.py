"""Inputs and results of the workflow of a change to a list entry."""

from pydantic import BaseModel

from models.domain.connections import Erp
from models.domain.ids import ConnectionId, ListChangeId
from models.domain.list_changes import ListAction, ListChangeStatus
from models.domain.lists import ListKind


class ListChangeState(BaseModel):
    """Which change is to be made, and what people know it by."""

    connection_id: ConnectionId
    erp: Erp
    change_id: ListChangeId
    kind: ListKind
    action: ListAction
    name: str
    ask: int
    """Counts how often somebody asked for it."""


class ListChangeAsked(BaseModel):
    """Somebody asked for the change. Safe to receive twice."""

    ask: int


class PushListChange(BaseModel):
    """Bring one change to the ERP as the mirror has it."""

    connection_id: ConnectionId
    change_id: ListChangeId


class ListChangePushed(BaseModel):
    """How it ended."""

    status: ListChangeStatus


class ListChangeFailed(BaseModel):
    """Why it failed, to be recorded."""

    change_id: ListChangeId
    ask: int
    """A later one is not failed by this."""
    code: str
    message: str
    evidence: dict[str, str] = {}
