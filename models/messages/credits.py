"""Inputs and results of the workflow of a credit's application."""

from pydantic import BaseModel

from models.domain.connections import Erp
from models.domain.credits import ApplicationStatus
from models.domain.ids import ConnectionId, CreditApplicationId


class CreditApplicationState(BaseModel):
    """Which application is to be made or undone, and what people know it by."""

    connection_id: ConnectionId
    erp: Erp
    application_id: CreditApplicationId
    credit_number: str
    bill_number: str
    vendor: str
    amount: str
    status: ApplicationStatus
    ask: int
    """Counts how often somebody asked: to apply it, to undo it, to try again."""


class ApplicationAsked(BaseModel):
    """Somebody asked for the application, or to undo it. Safe to receive twice."""

    ask: int


class PushApplication(BaseModel):
    """Bring one application to the ERP as the mirror has it: make it, or undo it."""

    connection_id: ConnectionId
    application_id: CreditApplicationId


class ApplicationPushed(BaseModel):
    """How it ended."""

    status: ApplicationStatus


class ApplicationFailed(BaseModel):
    """Why it failed, to be recorded."""

    application_id: CreditApplicationId
    ask: int
    """A later one is not failed by this."""
    code: str
    message: str
