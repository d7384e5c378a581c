"""Request and result of abandoning an ERP write."""

from pydantic import BaseModel

from models.domain.writes import WriteKind
from models.messages.bills import BillBalance


class AbandonWrite(BaseModel):
    """Abandon a bill or a payment that never reached the ERP, or an edit of a bill that did: never send it again."""

    subject_kind: WriteKind
    subject_id: str
    actor: str
    why: str = ""
    edition: int = 0
    """For an edit: its number."""
    in_doubt: bool = False
    """For an edit: the ERP may hold it, so the bill is not put back to its state before the edit."""


class AbandonedWrite(BaseModel):
    """Whether the write could be abandoned; for a payment, a retraction and a bill whose parts are taken back
    instead, also what is then paid and due on the bill."""

    done: bool
    edition: int = 0
    """Of an edit that some parts of the bill had taken: the edit that puts them back; 0: there is none."""
    bill: BillBalance | None = None
