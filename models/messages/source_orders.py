"""Inputs and results of a source order's workflow."""

from pydantic import BaseModel

from models.domain.connections import Erp
from models.domain.ids import ConnectionId, SourceOrderId
from models.domain.source_orders import UploadAs, UploadState


class SourceOrderState(BaseModel):
    """Which order is to be uploaded, and what people know it by."""

    connection_id: ConnectionId
    erp: Erp
    source_order_id: SourceOrderId
    reference: str
    contact: str
    amount: str
    upload_as: UploadAs
    ask: int
    """Counts how often somebody asked for an upload of this order: which of them this one is."""


class UploadAskedFor(BaseModel):
    """Somebody asked for the upload. Safe to receive twice."""

    ask: int


class PushSourceOrder(BaseModel):
    """Upload one order."""

    connection_id: ConnectionId
    source_order_id: SourceOrderId


class SourceOrderPushed(BaseModel):
    """How an upload ended."""

    state: UploadState
    document_id: str = ""


class SourceOrderFailed(BaseModel):
    """Why an upload failed, to be recorded."""

    source_order_id: SourceOrderId
    ask: int
    """A later one is not failed by this."""
    code: str
    message: str
    evidence: dict[str, str] = {}
