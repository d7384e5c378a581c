"""One order of ten units at 25.00 with its bills and payments, as our database and the ERP hold them together.

It stands in for PostgreSQL and for the ERP where only workflows are tested. Figures move the way the product moves
them: a bill reserves (P), its push makes a document in the ERP, and only the order's own figures (E) confirm it.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from temporalio import activity

from activities.failures import as_failure
from erp.errors import ErpError, Rejected, Unavailable
from models import contract
from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import (
    BillId,
    ConnectionId,
    CreditApplicationId,
    ErpId,
    ListChangeId,
    OrganizationId,
    PaymentId,
    PurchaseOrderId,
    SourceOrderId,
    SyncIssueId,
)
from models.domain.list_changes import ListChangeStatus
from models.domain.orders import PoStatus
from models.domain.payments import PaymentStatus
from models.domain.sync import Stream
from models.messages.backfills import BackfillPage, FinishBackfill
from models.messages.bills import BillBalance, BillMatched
from models.messages.credits import ApplicationFailed
from models.messages.issues import OpenIssue, SettleIssue
from models.messages.list_changes import ListChangeFailed
from models.messages.orders import (
    BillAccepted,
    OrderFacts,
    PurchaseOrderState,
)
from models.messages.payments import PaymentScheduled
from models.messages.source_orders import SourceOrderFailed
from models.messages.sync import (
    FinishSyncRun,
    SyncPage,
)

ORGANIZATION = OrganizationId("org_acme")
CONNECTION = ConnectionId("intacct-acme-100")
ORDER = PurchaseOrderId("po_1007")
ORDER_ERP_ID = ErpId("1007")
ORDERED = Decimal(10)
PRICE = Decimal(25)
PAGE = 100

ERP_STATUS = {PoStatus.UNFILLED: "Pending", PoStatus.PARTIALLY_FILLED: "Partially Converted"}


@dataclass
class Bill:
    number: str
    quantity: Decimal
    status: BillStatus = BillStatus.PENDING_PUSH
    document: str | None = None
    confirmed: bool = False
    paid: Decimal = Decimal(0)
    edition: int = 0
    """The newest edit after the push; `edition_in_erp` is what was sent of it."""
    edition_in_erp: int = 0
    version: int = 1
    needs: list[str] = field(default_factory=list)
    """Codes of the findings that keep it back."""
    approvals: int = 0
    retract_for: BillStatus | None = None
    """What it becomes once it is taken back from the ERP, while it is being taken back."""
    terms: str = ""
    """What it was matched under."""

    @property
    def total(self) -> Decimal:
        return self.quantity * PRICE


@dataclass
class Payment:
    bill_id: BillId
    amount: Decimal
    pay_on: date
    status: PaymentStatus = PaymentStatus.SCHEDULED


@dataclass(frozen=True)
class AskedPayment:
    """A payment asked for over the API."""

    payment_id: PaymentId
    bill_id: BillId
    amount: Decimal
    pay_on: date


@dataclass(frozen=True)
class Decided:
    """What the API decided on a requested bill."""

    outcome: str
    bill_id: BillId | None
    total: str


@dataclass
class Issue:
    opened: OpenIssue
    state: str = "open"
    actor: str = ""


@dataclass
class FakeOrder:
    """One order of ten units at 25.00, and everything that happens to it. Switches first, then what was recorded."""

    tag: str = ""
    """Part of every id, for tests that share a server."""
    shows_at_once: bool = True
    """The ERP shows a new bill on its order in the very call that made it."""
    refreshes_until_shown: int = 0
    """How many times the order is read without showing our bills; a negative number is for ever."""
    before_opening: Callable[[], None] | None = None
    """What happens after a refusal and before its issue is in the store."""
    while_opening: Callable[[SyncIssueId], Awaitable[None]] | None = None
    """What happens after an issue is in the store and before its workflow knows."""
    abandoned_before_retry: SettleIssue | None = None
    """What a person decides after a retry was told and before it begins."""
    while_pushing: Callable[[], Awaitable[None]] | None = None
    """What happens while a bill learns that another goes first."""
    while_finishing: Callable[[], Awaitable[None]] | None = None
    """What happens, once, while a sync run's record is being closed."""
    while_failing: Callable[[], Awaitable[None]] | None = None
    """What happens, once, while it is recorded why an upload failed."""
    look_again_in: timedelta | None = None
    """How soon an order is read again while it does not show our bills; None: at the policy's own back-off."""
    approval_steps: int = 0
    """How many people approve a bill before it goes out."""
    with_payment: bool = False
    """A bill goes out with its first payment."""
    outage_until: datetime | None = None
    """By the server's clock: before it, the ERP answers nothing."""
    come_back_after: timedelta | None = None
    """What the ERP says during an outage of when to come back."""
    goes_first: str = ""
    """The write that every bill must wait for; empty: it is each one's turn."""
    parts: int = 1
    """How many documents a bill is in the ERP."""
    parts_sent: int = 0
    parts_gone: int = 0
    """How many parts a retraction took back before one was refused."""
    refuse_part: int = 0
    """The part that is refused once; 0: none."""
    link_dropped: bool = False
    warnings: list[str] = field(default_factory=list)
    """Codes that the match of a bill finds, and that keep it back until a person acknowledges them."""
    holds: list[str] = field(default_factory=list)
    """The same of holds, until a person releases them."""
    terms: str = ""
    """What bills are matched against; another text is another order."""
    troubles: dict[str, list[ErpError]] = field(default_factory=dict)
    """Per activity name: errors that its next calls end in, one after another."""
    pages: dict[Stream, int] = field(default_factory=dict)
    backfill_pages: int = 1
    backfilled: list[BackfillPage] = field(default_factory=list)
    finished_backfills: list[FinishBackfill] = field(default_factory=list)
    orders_to_notify: int = 0

    bills: dict[BillId, Bill] = field(default_factory=dict)
    payments: dict[PaymentId, Payment] = field(default_factory=dict)
    issues: dict[SyncIssueId, Issue] = field(default_factory=dict)
    uploaded: list[SourceOrderId] = field(default_factory=list)
    uploads_failed: list[SourceOrderFailed] = field(default_factory=list)
    applied: list[CreditApplicationId] = field(default_factory=list)
    applications_failed: list[ApplicationFailed] = field(default_factory=list)
    changed_lists: list[ListChangeId] = field(default_factory=list)
    list_changes_failed: list[ListChangeFailed] = field(default_factory=list)
    list_change_ends: ListChangeStatus = ListChangeStatus.DONE
    calls: Counter[str] = field(default_factory=Counter)
    asked: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    finished_runs: list[FinishSyncRun] = field(default_factory=list)
    pages_read: list[SyncPage] = field(default_factory=list)
    outage_calls: list[datetime] = field(default_factory=list)
    snapshot: int = 1
    revision: str = ""
    """The ERP's own version of the order."""
    refused_elsewhere: list[BillId] = field(default_factory=list)
    """Bills with lines on the order that the ERP refused, and whose own order is another one."""
    closed_in_erp: bool = False

    # --- what a test asks for --------------------------------------------------------------------------------

    @property
    def connection_id(self) -> ConnectionId:
        return ConnectionId(f"{CONNECTION}{self.tag}")

    @property
    def order_workflow(self) -> str:
        return contract.purchase_order_workflow_id(self.connection_id, ORDER_ERP_ID)

    def bill_request(self, key: str, quantity: int, number: str | None = None) -> str:
        """A bill asked for over the API under this Idempotency-Key."""
        self.asked[key] = (number or f"INV-{key}", Decimal(quantity))
        return key

    def payment_request(self, key: str, bill_id: BillId, amount: str, pay_on: date) -> "AskedPayment":
        """A payment asked for over the API under this Idempotency-Key."""
        return AskedPayment(PaymentId(f"pay_{self.tag}{key}"), bill_id, Decimal(amount), pay_on)

    def order_state(self) -> PurchaseOrderState:
        return PurchaseOrderState(
            connection_id=self.connection_id,
            erp=Erp.INTACCT,
            purchase_order_id=ORDER,
            erp_id=ORDER_ERP_ID,
            facts=self.facts(),
        )

    def facts(self) -> OrderFacts:
        billed = sum((bill.quantity for bill in self.bills.values() if bill.confirmed), Decimal(0))
        abandoned = BillStatus.ABANDONED
        open_bills = [bill for bill in self.bills.values() if not bill.confirmed and bill.status is not abandoned]
        status = PoStatus.UNFILLED
        if self.closed_in_erp:
            status = PoStatus.CLOSED
        elif billed >= ORDERED:
            status = PoStatus.FILLED
        elif billed:
            status = PoStatus.PARTIALLY_FILLED
        return OrderFacts(
            number="PO-1007",
            vendor="V-ACME",
            erp_status=ERP_STATUS.get(status, "Converted"),
            status=status,
            content_hash=f"content {self.snapshot}",
            revision=self.revision,
            snapshot=self.snapshot,
            ordered=ORDERED,
            billed=billed,
            pending=sum((bill.quantity for bill in open_bills), Decimal(0)),
            our_bills=any(bill.status is not abandoned for bill in self.bills.values()),
            terms=self.terms,
            total="9146.00",
        )

    def status_after_match(self) -> tuple[BillStatus, list[str]]:
        """Where a bill that is matched now stands."""
        if self.holds:
            return BillStatus.ON_HOLD, [*self.holds, *self.warnings]
        if self.warnings:
            return BillStatus.AWAITING_ACKNOWLEDGEMENT, list(self.warnings)
        if self.approval_steps:
            return BillStatus.AWAITING_APPROVAL, ["APPROVAL"]
        if self.with_payment:
            return BillStatus.AWAITING_PAYMENT, ["PAYMENT"]
        return BillStatus.PENDING_PUSH, []

    def decide_bill(self, key: str) -> Decided:
        """What the API does in its database: match, reserve and save, or refuse. The same key is one bill."""
        number, quantity = self.asked[key]
        bill_id = BillId(f"bill_{self.tag}{key}")
        if bill_id not in self.bills:
            facts = self.facts()
            if quantity > facts.ordered - facts.billed - facts.pending:
                return Decided("BLOCK", None, str(quantity * PRICE))
            status, needs = self.status_after_match()
            self.bills[bill_id] = Bill(number=number, quantity=quantity, status=status, needs=needs, terms=self.terms)
        return Decided("WARN" if self.bills[bill_id].needs else "OK", bill_id, str(quantity * PRICE))

    def accepted(self, bill_id: BillId) -> BillAccepted:
        """The message that the outbox holds for the order's workflow, as it is built now."""
        bill = self.bills[bill_id]
        return BillAccepted(
            bill_id=bill_id,
            number=bill.number,
            total=str(bill.total),
            status=bill.status,
            version=bill.version,
            needs=bill.needs,
            because=[f"the words of {code}" for code in bill.needs],
            facts=self.facts(),
            terms=bill.terms,
            same_terms=all(held.terms == bill.terms for held in self.bills.values()),
        )

    def decide_payment(self, asked: "AskedPayment") -> bool:
        """What the API does in its database: save the payment, or refuse it. The same key is one payment."""
        bill = self.bills[asked.bill_id]
        if asked.payment_id not in self.payments:
            promised = sum((p.amount for p in self.payments.values() if p.status is PaymentStatus.SCHEDULED), Decimal())
            if asked.amount > bill.total - bill.paid - promised:
                return False
            self.payments[asked.payment_id] = Payment(asked.bill_id, asked.amount, asked.pay_on)
            if bill.status is BillStatus.SYNCED:
                bill.status = BillStatus.SCHEDULED
            elif bill.status is BillStatus.AWAITING_PAYMENT:
                bill.status, bill.needs = BillStatus.PENDING_PUSH, []
                bill.version += 1
        return True

    def payment_scheduled(self, payment_id: PaymentId) -> PaymentScheduled:
        """The message that the outbox holds for the bill's workflow, as it is built now."""
        payment = self.payments[payment_id]
        bill = self.bills[payment.bill_id]
        return PaymentScheduled(
            payment_id=payment_id,
            amount=str(payment.amount),
            pay_on=payment.pay_on,
            edition=bill.edition if bill.edition > bill.edition_in_erp else 0,
            bill=self.bill_now(payment_id).model_copy(update={"payment_id": None, "version": bill.version}),
        )

    def decide_match(self, bill_id: BillId) -> bool:
        """What the API does in its database with a decision on every finding at once."""
        bill = self.bills[bill_id]
        if not bill.needs:
            return False
        bill.status, bill.needs = BillStatus.PENDING_PUSH, []
        bill.version += 1
        return True

    def approve(self, bill_id: BillId) -> None:
        """What the API does in its database with the approval of one step."""
        bill = self.bills[bill_id]
        bill.approvals += 1
        bill.version += 1
        if bill.approvals == self.approval_steps:
            bill.status, bill.needs = BillStatus.PENDING_PUSH, []

    def matched(self, bill_id: BillId) -> BillMatched:
        """Where a bill stands that is not sent yet."""
        bill = self.bills[bill_id]
        return BillMatched(bill_id=bill_id, status=bill.status, version=bill.version, needs=bill.needs)

    def ask_back(self, bill_id: BillId, becomes: BillStatus) -> BillBalance:
        """What the API does in its database with a bill that is to be taken back, and what its workflow is told."""
        bill = self.bills[bill_id]
        bill.status, bill.retract_for = BillStatus.RETRACTING, becomes
        bill.version += 1
        return self.balance(bill_id)

    def take_back(self, bill_id: BillId) -> None:
        """The ERP holds the bill no more; sent back, it waits for its approval again."""
        bill = self.bills[bill_id]
        assert bill.retract_for is not None
        bill.status, bill.retract_for = bill.retract_for, None
        bill.document, bill.confirmed = None, False
        bill.needs = ["APPROVAL"] if bill.status is BillStatus.AWAITING_APPROVAL else []
        bill.approvals = 0
        bill.version += 1
        self.snapshot += 1

    def restore(self, bill_id: BillId) -> BillMatched:
        """What the API does in its database with a bill that is made anew, and what its workflow is told."""
        bill = self.bills[bill_id]
        bill.status, bill.needs = self.status_after_match()
        bill.version += 1
        return self.matched(bill_id)

    def balance(self, bill_id: BillId) -> BillBalance:
        """What is paid and due on a bill now."""
        bill = self.bills[bill_id]
        return BillBalance(
            status=bill.status, paid=str(bill.paid), due=str(bill.total - bill.paid), version=bill.version
        )

    def documents(self) -> list[str]:
        return [bill.document for bill in self.bills.values() if bill.document]

    def open_issues(self) -> dict[SyncIssueId, Issue]:
        return {issue_id: issue for issue_id, issue in self.issues.items() if issue.state == "open"}

    def bill_now(self, payment_id: PaymentId) -> BillBalance:
        bill = self.bills[self.payments[payment_id].bill_id]
        return BillBalance(
            status=bill.status, paid=str(bill.paid), due=str(bill.total - bill.paid), payment_id=payment_id
        )

    def show_all(self) -> None:
        """The ERP brings the order's own figures up to date."""
        for bill in self.bills.values():
            if bill.document:
                bill.confirmed = True
        self.snapshot += 1

    def erp_answers(self, name: str) -> None:
        """What the ERP says to this call before it does anything. Raises the Temporal failure the product raises."""
        self.calls[name] += 1
        now = activity.info().started_time
        if self.outage_until is not None and now < self.outage_until:
            self.outage_calls.append(now)
            error = Unavailable("the ERP does not answer", code="ERP_UNAVAILABLE", retry_after=self.come_back_after)
            raise as_failure(error)
        if self.troubles.get(name):
            raise as_failure(self.troubles[name].pop(0))


def refused(message: str = "the posting period is closed", code: str = "PERIOD_CLOSED") -> Rejected:
    return Rejected(message, code=code, erp_code="BL03000018", evidence={"period": "2026-09"})
