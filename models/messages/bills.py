"""Inputs and results of a bill's workflow."""

from datetime import date, datetime

from pydantic import BaseModel

from models.domain.bill_parts import PartState
from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId, PaymentId, PurchaseOrderId, SyncIssueId
from models.domain.writes import WriteKind
from models.messages.issues import SettleIssue


class CorrectedBill(BaseModel):
    """What a bill that was not sent says now, and the order it is on."""

    purchase_order_id: PurchaseOrderId
    order_number: str
    order_workflow_id: str
    vendor: str
    number: str
    total: str
    by: str = ""
    """Who corrected it last."""


class BillMatched(BaseModel):
    """Status after match of a bill that was not sent yet. `version` is the bill's; an older message is ignored."""

    bill_id: BillId
    status: BillStatus
    version: int
    needs: list[str] = []
    because: list[str] = []
    corrected: CorrectedBill | None = None
    """A person corrected the bill; None: it says what it said."""


class OpenPayment(BaseModel):
    """A payment of the bill as the bill's workflow sees it; `amount` is a decimal in the bill's currency."""

    payment_id: PaymentId
    amount: str
    pay_on: date
    starts_at: datetime | None = None
    """The first moment of that day where the connection's days begin; None: in UTC."""
    started: bool = False
    done: bool = False

    @property
    def waits(self) -> bool:
        """Return whether its workflow is still to be started; False for a payment that was abandoned before that."""
        return not self.started and not self.done


class PartShown(BaseModel):
    """One part of a bill over several sources, as the bill's workflow shows it."""

    part_no: int
    source: str
    """The document that it is converted from."""
    total: str
    state: PartState
    document_id: str = ""
    number: str = ""


class BillState(BaseModel):
    """Everything that a bill's workflow hands over when it continues as new.

    Amounts are decimals in the bill's currency.
    """

    connection_id: ConnectionId
    erp: Erp
    bill_id: BillId
    purchase_order_id: PurchaseOrderId | None
    """None: the bill is without an order; its number and its workflow's id are then empty."""
    order_number: str
    order_workflow_id: str
    vendor: str
    number: str
    total: str
    status: BillStatus = BillStatus.PENDING_PUSH
    document_id: str | None = None
    paid: str = "0"
    due: str | None = None
    payments: list[OpenPayment] = []
    issue: SyncIssueId | None = None
    issue_code: str | None = None
    issue_message: str = ""
    issue_about: WriteKind = WriteKind.BILL
    """The write that the open issue stops: the bill's push, an edit of it, or its retraction."""
    decision: SettleIssue | None = None
    """The last decision that a person made on an issue; it counts only if it is on the open issue."""
    order_moved: str = ""
    """Why the order changed since the last push began; empty: it did not."""
    corrected_by: str = ""
    """Who corrected the bill since the last push began; empty: nobody."""
    edit_requested_version: int = 0
    """Number of the newest edit that is to be sent; 0: the bill was not edited after its push."""
    edit_sent_version: int = 0
    """Number of the newest edit that was tried: it is in the ERP, abandoned, or stopped by the open issue."""
    edit_in_doubt: bool = False
    """The ERP may or may not hold the edit that the open issue stops."""
    changed_in_erp: bool = False
    """The bill changed in the ERP since the open issue stopped its retraction."""
    needs: list[str] = []
    """Codes of the findings that a person must settle before the bill is sent."""
    because: list[str] = []
    version: int = 0
    """The bill's version that `status` and `needs` belong to, while it is not sent."""
    seen_version: int = 0
    """The bill's version that `paid` and `due` belong to."""
    parts: list[PartShown] = []
    """Of a bill over several sources: the documents it is in the ERP, in the order in which they are sent."""
    remake_parts: bool = False
    """A person decided that a part which was deleted in the ERP is made again."""


class BillEdited(BaseModel):
    """Message to a bill's workflow: the mirror holds an edit that the ERP does not have. Safe to receive twice."""

    bill_id: BillId
    edition: int


class PushBill(BaseModel):
    """Which bill to push."""

    connection_id: ConnectionId
    bill_id: BillId
    remake_parts: bool = False
    """A part that was deleted in the ERP is made again."""


class RetractBill(BaseModel):
    """Which bill to take back from the ERP."""

    connection_id: ConnectionId
    bill_id: BillId


class BillPushResult(BaseModel):
    """Result of a bill's push."""

    status: BillStatus
    document_id: str
    confirmed: bool
    differences: list[str] = []
    version: int = 0
    """For a bill that went back to review before it was sent: its version then."""
    needs: list[str] = []
    """As `version`: the codes of the findings that it waits for."""
    because: list[str] = []
    """As `version`: those findings in words."""
    waits_for: str = ""
    """External key of the earlier write to the same order that goes first; nothing was sent. Empty: it was this bill's
    turn."""
    parts: list[PartShown] = []
    """Of a bill over several sources: its parts as they are now."""
    more_parts: bool = False
    """One part was sent, and the next one is to be sent."""
    released: bool = False
    """Of an edit: it released a draft, which bills its order from now on."""


class BillBalance(BaseModel):
    """What is paid and due on a bill, as the mirror has it; `payment_id` names our payment that changed it.

    `version` is the bill's: an older message is ignored. A message that ends the bill needs no version.
    """

    status: BillStatus
    paid: str
    due: str
    payment_id: PaymentId | None = None
    version: int = 0
