"""Inputs and results of a payment's workflow."""

from datetime import date, datetime

from pydantic import BaseModel

from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId, PaymentId, SyncIssueId
from models.domain.payments import PaymentStatus
from models.messages.bills import BillBalance
from models.messages.issues import SettleIssue


class PaymentScheduled(BaseModel):
    """Tell a bill's workflow of a payment that was saved and is to be sent. Safe to receive twice."""

    payment_id: PaymentId
    amount: str
    pay_on: date
    starts_at: datetime | None = None
    """The first moment of that day where the connection's days begin; None: in UTC."""
    edition: int = 0
    """An edit of the bill that is not in the ERP yet; it goes before the payment. 0: none."""
    bill: BillBalance
    """What was paid and due when the message was sent: a bill that the workflow believes paid may be open again."""


class PaymentDue(BaseModel):
    """Start or continue the workflow of a payment: it was saved. Safe to receive twice."""

    payment_id: PaymentId
    status: PaymentStatus
    """The mirror's."""


class PaymentAbandoned(BaseModel):
    """A person abandoned a payment before it was sent; the mirror already holds that."""

    actor: str
    why: str
    bill: BillBalance
    """What is paid and due on the bill after that."""


class PaymentState(BaseModel):
    """Everything that a payment's workflow hands over when it continues as new."""

    connection_id: ConnectionId
    erp: Erp
    payment_id: PaymentId
    bill_id: BillId
    bill_number: str
    order_number: str
    vendor: str
    amount: str
    pay_on: date
    starts_at: datetime | None = None
    """The first moment of that day where the connection's days begin; None: in UTC."""
    status: PaymentStatus = PaymentStatus.SCHEDULED
    issue: SyncIssueId | None = None
    issue_code: str | None = None
    issue_message: str = ""
    decision: SettleIssue | None = None
    """The last decision that a person made on an issue; it counts only if it is on the open issue."""
    abandoned: PaymentAbandoned | None = None
    void_asked: bool = False
    """It is to be voided as soon as the ERP has posted it."""


class PushPayment(BaseModel):
    """Which payment to push."""

    connection_id: ConnectionId
    payment_id: PaymentId


class PaymentPushResult(BaseModel):
    """Result of a payment's push, and what is then paid and due on its bill."""

    status: PaymentStatus
    erp_id: str
    bill: BillBalance


class PaymentEnd(BaseModel):
    """How a payment ended, and what is then paid and due on its bill."""

    status: PaymentStatus
    bill: BillBalance
