"""What workflows, activities and their callers say to one another: small, additive, with defaults.

A field is never renamed or removed while a workflow that saw it may be open; new fields come with a default. Documents
stay in the mirror: messages carry ids, statuses and decisions (DESIGN section 4).
"""

from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel

from models.domain import (
    BillId,
    BillStatus,
    ConnectionId,
    Erp,
    ErpId,
    OrganizationId,
    PaymentId,
    PaymentStatus,
    PoStatus,
    PurchaseOrderId,
    Stream,
    SyncIssueId,
    SyncRunId,
)


class RequestRef(BaseModel):
    """A write asked for over the API; its body and its answer are in the `requests` table."""

    organization_id: OrganizationId
    key: str


# --- purchase order --------------------------------------------------------------------------------------------


class OrderFacts(BaseModel):
    """What a purchase order workflow knows of its order; the rest is in the mirror."""

    number: str
    vendor: str
    erp_status: str
    status: PoStatus
    content_hash: str = ""
    snapshot: int = 0
    ordered: Decimal = Decimal(0)
    billed: Decimal = Decimal(0)
    pending: Decimal = Decimal(0)
    """P summed over the lines; 0 means that nothing of ours waits to show in the ERP."""
    our_bills: bool = False
    """Whether a bill of ours, not given up or deleted, is on the order: only then a change is worth matching again."""
    terms: str = ""
    """A digest of what bills are matched against: what is ordered, received, at which price, and whether that is open.
    What is billed is not in it, so that our own bills do not change it."""


class OpenBill(BaseModel):
    """One of our bills as its order's workflow sees it."""

    bill_id: BillId
    number: str
    total: str
    status: BillStatus = BillStatus.PENDING_PUSH
    started: bool = False
    covered: bool = False
    """The ERP's own billed quantity shows it: the double sync is done."""
    needs: list[str] = []
    because: list[str] = []
    version: int = 0


class PurchaseOrderState(BaseModel):
    """All that survives a continue-as-new of a purchase order's workflow."""

    connection_id: ConnectionId
    erp: Erp
    purchase_order_id: PurchaseOrderId
    erp_id: ErpId
    facts: OrderFacts | None = None
    bills: list[OpenBill] = []
    finished_bills: int = 0
    refresh_asked: bool = False
    not_showing_issue: SyncIssueId | None = None
    matched_terms: str = ""
    """`OrderFacts.terms` that all our bills were matched against."""
    match_again: str = ""
    """Why our bills are to be matched again; empty: they are not."""


class CreateBillAnswer(BaseModel):
    """What `create_bill` decided; the match result itself is stored with the request's answer."""

    outcome: str
    bill_id: BillId | None = None
    number: str = ""
    total: str = ""
    facts: OrderFacts | None = None
    status: BillStatus = BillStatus.PENDING_PUSH
    needs: list[str] = []
    """Codes of the findings a person must acknowledge or release before the bill goes on."""
    because: list[str] = []
    """What those findings say, for the operator who reads the workflow."""
    version: int = 1


class MatchBillsAgain(BaseModel):
    """What one order's bills are matched against changed: judge those anew that may still be kept back."""

    connection_id: ConnectionId
    purchase_order_id: PurchaseOrderId
    why: str


class BillMatched(BaseModel):
    """Where a bill stands that was not sent yet. `version` is the bill's: an older word is not believed."""

    bill_id: BillId
    status: BillStatus
    version: int
    needs: list[str] = []
    because: list[str] = []


class BillsMatchedAgain(BaseModel):
    bills: list[BillMatched] = []
    """All that are not sent yet, changed or not, so that a lost word is made good by the next one."""
    worse: int = 0
    """How many of those the ERP holds would be judged worse now: an issue is open for each."""


class BillPushed(BaseModel):
    """Told to the order's workflow after a push, by the activity that pushed. Safe to receive twice."""

    bill_id: BillId
    status: BillStatus
    covered: bool
    facts: OrderFacts | None = None
    number: str = ""
    total: str = ""
    """With a number: a bill of another order that has lines on this one; this one waits for the ERP to show them."""


class RefreshPurchaseOrder(BaseModel):
    """Re-read one order; with `until_covered`, until the ERP shows these bills (the double sync, S4-65..67)."""

    connection_id: ConnectionId
    purchase_order_id: PurchaseOrderId
    until_covered: list[BillId] = []


class RefreshedPurchaseOrder(BaseModel):
    facts: OrderFacts
    covered: list[BillId] = []


# --- bill ------------------------------------------------------------------------------------------------------


class OpenPayment(BaseModel):
    payment_id: PaymentId
    amount: str
    pay_on: date
    started: bool = False
    done: bool = False

    @property
    def waits(self) -> bool:
        """Its workflow is still to be started; not one that was given up before that."""
        return not self.started and not self.done


class DecideMatch(BaseModel):
    """A person's word on what a bill's match found, asked for over the API; its body is in the request."""

    request: RequestRef
    bill_id: BillId


class DecideMatchAnswer(BaseModel):
    outcome: str
    """decided | refused."""
    bill: BillMatched


class BillState(BaseModel):
    """All that survives a continue-as-new of a bill's workflow."""

    connection_id: ConnectionId
    erp: Erp
    bill_id: BillId
    purchase_order_id: PurchaseOrderId
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
    edit_asked: int = 0
    """The newest edition that is to be sent; 0: the bill was not edited after its push."""
    edit_sent: int = 0
    """The newest edition that was tried: in the ERP, given up, or behind the open issue."""
    needs: list[str] = []
    """Codes of the findings that keep the bill back."""
    because: list[str] = []
    version: int = 0
    """The bill's, as of `status` and `needs` while it is not sent."""
    heard: int = 0
    """The bill's version, as of `paid` and `due`."""


class BillEdited(BaseModel):
    """Told to a bill's workflow: the mirror holds an edit that the ERP does not. Safe to receive twice."""

    bill_id: BillId
    edition: int


class PushBill(BaseModel):
    connection_id: ConnectionId
    bill_id: BillId
    order_workflow_id: str


class BillPushResult(BaseModel):
    status: BillStatus
    document_id: str
    covered: bool
    differences: list[str] = []
    version: int = 0
    """Of a bill that was kept back before it was sent: its version then."""


class SchedulePayment(BaseModel):
    """A payment asked for over the API; its body is in the request."""

    request: RequestRef
    bill_id: BillId


class SchedulePaymentAnswer(BaseModel):
    outcome: str
    """scheduled | refused."""
    payment_id: PaymentId | None = None
    amount: str = ""
    pay_on: date | None = None
    edition: int = 0
    """An edit of the bill that is not in the ERP yet; it goes before the payment. 0: none."""


class BillNow(BaseModel):
    """What is paid and due on a bill, as the mirror has it; `payment_id` names the payment of ours that changed it.

    `version` is the bill's: an older word is not believed. A word that ends the bill needs none.
    """

    status: BillStatus
    paid: str
    due: str
    payment_id: PaymentId | None = None
    version: int = 0


# --- payment ---------------------------------------------------------------------------------------------------


class PaymentGivenUp(BaseModel):
    """A person gave a payment up before it was sent; the mirror holds that already."""

    actor: str
    why: str
    bill: BillNow
    """What that leaves due."""


class PaymentState(BaseModel):
    """All that survives a continue-as-new of a payment's workflow."""

    connection_id: ConnectionId
    erp: Erp
    payment_id: PaymentId
    bill_id: BillId
    bill_number: str
    order_number: str
    vendor: str
    amount: str
    pay_on: date
    status: PaymentStatus = PaymentStatus.SCHEDULED
    issue: SyncIssueId | None = None
    issue_code: str | None = None


class PushPayment(BaseModel):
    connection_id: ConnectionId
    payment_id: PaymentId


class PaymentPushResult(BaseModel):
    status: PaymentStatus
    erp_id: str
    bill: BillNow


class PaymentEnd(BaseModel):
    """How a payment ended, and what that leaves paid and due on its bill."""

    status: PaymentStatus
    bill: BillNow


# --- settling issues -------------------------------------------------------------------------------------------


class OpenIssue(BaseModel):
    """Open a sync issue for a write the ERP refused; the same code on the same subject is counted, not repeated."""

    connection_id: ConnectionId
    subject_kind: str
    subject_id: str
    code: str
    message: str
    erp_code: str | None = None
    evidence: dict[str, str] = {}
    workflow_id: str | None = None
    title: str = ""
    keeps_status: bool = False
    """The subject stays what it is: an edit of it was refused, not itself."""


class SettleIssue(BaseModel):
    """A person's word on an issue: go on (with what was corrected meanwhile), or give up."""

    issue_id: SyncIssueId
    decision: str
    """retry | abandon."""
    actor: str
    why: str = ""


class CloseIssue(BaseModel):
    issue_id: SyncIssueId
    state: str
    actor: str
    why: str = ""


class AbandonWrite(BaseModel):
    """Give up a bill or a payment that never reached the ERP, or an edit of a bill that did: it is sent no more."""

    subject_kind: str
    """bill | payment | bill_edit."""
    subject_id: str
    actor: str
    why: str = ""
    edition: int = 0
    """Of an edit: which."""
    maybe_there: bool = False
    """Of an edit: the ERP may hold it, so the bill is not put back to what it was."""


class AbandonedWrite(BaseModel):
    """Whether it could be given up; for a payment also what that leaves due on its bill."""

    done: bool
    bill: BillNow | None = None


# --- sync ------------------------------------------------------------------------------------------------------


class SyncState(BaseModel):
    """One sync run; resumable at any page."""

    connection_id: ConnectionId
    erp: Erp
    trigger: str = "person"
    run_id: SyncRunId | None = None
    plan: list[Stream] | None = None
    stream: Stream | None = None
    after: str | None = None
    high_water: str | None = None
    counts: dict[str, int] = {}


class StartSyncRun(BaseModel):
    connection_id: ConnectionId
    trigger: str
    workflow_run_id: str


class SyncPlan(BaseModel):
    """Which streams this run reads; `reason` says why some are left out (lists only, one-way, feature off)."""

    run_id: SyncRunId
    streams: list[Stream]
    reason: str = ""


class SyncPage(BaseModel):
    connection_id: ConnectionId
    run_id: SyncRunId
    stream: Stream
    after: str | None = None
    high_water: str | None = None


class SyncPageDone(BaseModel):
    """One page is in the mirror, committed. `after` None: the stream is read to its end and its cursor moved."""

    after: str | None
    high_water: str | None = None
    seen: int = 0
    changed: int = 0
    skipped: int = 0
    bad: int = 0
    erp_calls: int = 0


class WakePurchaseOrders(BaseModel):
    connection_id: ConnectionId
    run_id: SyncRunId
    limit: int = 1000


class WokenPurchaseOrders(BaseModel):
    woken: int
    more: bool


class FinishSyncRun(BaseModel):
    """Close a run's record; by its workflow run's id where the plan failed before it could answer."""

    connection_id: ConnectionId
    run_id: SyncRunId | None
    workflow_run_id: str = ""
    state: str
    counts: dict[str, int] = {}
    problem_code: str | None = None
    problem_message: str | None = None


class SyncProgress(BaseModel):
    """The answer to the sync workflow's query: where it stands now."""

    run_id: SyncRunId | None = None
    stream: Stream | None = None
    done: list[Stream] = []
    plan: list[Stream] = []
    counts: dict[str, int] = {}
    started_at: datetime | None = None


# --- queries ---------------------------------------------------------------------------------------------------


class PurchaseOrderLive(BaseModel):
    """The answer to the purchase order workflow's query."""

    facts: OrderFacts | None = None
    bills: list[OpenBill] = []
    waiting_for: str = ""
