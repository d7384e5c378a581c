"""A mirror and an ERP in memory, behind activities that carry the real names: what the workflows are told.

The workflows, the worker's sandbox, the doorbell and the servers are the real ones. Figures move the way the product
moves them: a bill reserves (P), its push makes a document in the ERP, and only the order's own figures (E) cover it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.doorbell import Doorbell
from activities.failures import as_failure, not_yet
from erp.errors import ErpError, Rejected, Unavailable
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
from models.messages import (
    AbandonedWrite,
    AbandonWrite,
    BillMatched,
    BillNow,
    BillPushed,
    BillPushResult,
    BillsMatchedAgain,
    CloseIssue,
    CreateBillAnswer,
    DecideMatch,
    DecideMatchAnswer,
    FinishSyncRun,
    MatchBillsAgain,
    OpenIssue,
    OrderFacts,
    PaymentPushResult,
    PurchaseOrderState,
    PushBill,
    PushPayment,
    RefreshedPurchaseOrder,
    RefreshPurchaseOrder,
    RequestRef,
    SchedulePayment,
    SchedulePaymentAnswer,
    StartSyncRun,
    SyncPage,
    SyncPageDone,
    SyncPlan,
    WakePurchaseOrders,
    WokenPurchaseOrders,
)
from worker import CACHED_WORKFLOWS, WORKFLOWS, sandboxed_runner
from workflows import contract

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
    covered: bool = False
    paid: Decimal = Decimal(0)
    edition: int = 0
    """The newest edit after the push; `edition_in_erp` is what was sent of it."""
    edition_in_erp: int = 0
    version: int = 1
    needs: list[str] = field(default_factory=list)
    """Codes of the findings that keep it back."""

    @property
    def total(self) -> Decimal:
        return self.quantity * PRICE


@dataclass
class Payment:
    bill_id: BillId
    amount: Decimal
    pay_on: date
    status: PaymentStatus = PaymentStatus.SCHEDULED


@dataclass
class Issue:
    opened: OpenIssue
    state: str = "open"
    actor: str = ""


@dataclass
class World:
    """One order of ten units at 25.00, and everything that happens to it. Switches first, then what was recorded."""

    client: Client
    tag: str = ""
    """Part of every id, for worlds that share a server."""
    shows_at_once: bool = True
    """The ERP shows a new bill on its order in the very call that made it."""
    refreshes_until_shown: int = 0
    while_opening: Callable[[SyncIssueId], Awaitable[None]] | None = None
    """What happens after an issue is in the store and before its workflow knows."""
    """How many times the order is read without showing our bills; a negative number is for ever."""
    look_again_in: timedelta | None = None
    """How soon an order is read again while it does not show our bills; None: at the policy's own back-off."""
    outage_until: datetime | None = None
    """By the server's clock: before it, the ERP answers nothing."""
    come_back_after: timedelta | None = None
    """What the ERP says during an outage of when to come back."""
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
    orders_to_wake: int = 0

    bills: dict[BillId, Bill] = field(default_factory=dict)
    payments: dict[PaymentId, Payment] = field(default_factory=dict)
    issues: dict[SyncIssueId, Issue] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    asked: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    payments_asked: dict[str, tuple[Decimal, date]] = field(default_factory=dict)
    finished_runs: list[FinishSyncRun] = field(default_factory=list)
    pages_read: list[SyncPage] = field(default_factory=list)
    outage_calls: list[datetime] = field(default_factory=list)
    snapshot: int = 1
    closed_in_erp: bool = False

    # --- what a test asks for --------------------------------------------------------------------------------

    @property
    def connection_id(self) -> ConnectionId:
        return ConnectionId(f"{CONNECTION}{self.tag}")

    @property
    def order_workflow(self) -> str:
        return contract.purchase_order_workflow_id(self.connection_id, ORDER_ERP_ID)

    def bill_request(self, key: str, quantity: int, number: str | None = None) -> RequestRef:
        """A bill asked for over the API under this Idempotency-Key."""
        self.asked[key] = (number or f"INV-{key}", Decimal(quantity))
        return RequestRef(organization_id=ORGANIZATION, key=key)

    def payment_request(self, key: str, bill_id: BillId, amount: str, pay_on: date) -> SchedulePayment:
        self.payments_asked[key] = (Decimal(amount), pay_on)
        return SchedulePayment(request=RequestRef(organization_id=ORGANIZATION, key=key), bill_id=bill_id)

    def order_state(self) -> PurchaseOrderState:
        return PurchaseOrderState(
            connection_id=self.connection_id,
            erp=Erp.INTACCT,
            purchase_order_id=ORDER,
            erp_id=ORDER_ERP_ID,
            facts=self.facts(),
        )

    def facts(self) -> OrderFacts:
        billed = sum((bill.quantity for bill in self.bills.values() if bill.covered), Decimal(0))
        given_up = BillStatus.ABANDONED
        open_bills = [bill for bill in self.bills.values() if not bill.covered and bill.status is not given_up]
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
            snapshot=self.snapshot,
            ordered=ORDERED,
            billed=billed,
            pending=sum((bill.quantity for bill in open_bills), Decimal(0)),
            our_bills=any(bill.status is not given_up for bill in self.bills.values()),
            terms=self.terms,
        )

    def standing(self) -> tuple[BillStatus, list[str]]:
        """Where a bill that is matched now stands."""
        if self.holds:
            return BillStatus.ON_HOLD, [*self.holds, *self.warnings]
        if self.warnings:
            return BillStatus.AWAITING_ACKNOWLEDGEMENT, list(self.warnings)
        return BillStatus.PENDING_PUSH, []

    def documents(self) -> list[str]:
        return [bill.document for bill in self.bills.values() if bill.document]

    def open_issues(self) -> dict[SyncIssueId, Issue]:
        return {issue_id: issue for issue_id, issue in self.issues.items() if issue.state == "open"}

    def bill_now(self, payment_id: PaymentId) -> BillNow:
        bill = self.bills[self.payments[payment_id].bill_id]
        return BillNow(status=bill.status, paid=str(bill.paid), due=str(bill.total - bill.paid), payment_id=payment_id)

    def show_all(self) -> None:
        """The ERP brings the order's own figures up to date."""
        for bill in self.bills.values():
            if bill.document:
                bill.covered = True
        self.snapshot += 1

    @asynccontextmanager
    async def workers(self, *, cached_workflows: int = CACHED_WORKFLOWS) -> AsyncIterator[None]:
        """The two workers of one process, with the sandbox of the real one."""
        mirror, erp, sync = MirrorInMemory(self), ErpInMemory(self), SyncInMemory(self)
        workers = (
            Worker(
                self.client,
                task_queue=contract.TASK_QUEUE,
                workflows=WORKFLOWS,
                activities=[
                    mirror.create_bill,
                    mirror.schedule_payment,
                    mirror.bill_after_payment,
                    mirror.open_issue,
                    mirror.close_issue,
                    mirror.abandon_write,
                    mirror.decide_match,
                    mirror.match_bills_again,
                    sync.wake_purchase_orders,
                    sync.finish_sync_run,
                ],
                workflow_runner=sandboxed_runner(),
                max_cached_workflows=cached_workflows,
            ),
            Worker(
                self.client,
                task_queue=contract.erp_task_queue(Erp.INTACCT),
                activities=[
                    erp.push_bill,
                    erp.push_bill_edit,
                    erp.push_payment,
                    erp.refresh_purchase_order,
                    sync.plan_sync,
                    sync.sync_page,
                ],
            ),
        )
        running = [asyncio.create_task(worker.run()) for worker in workers]
        try:
            yield
        finally:
            await asyncio.gather(*(worker.shutdown() for worker in workers))
            await asyncio.gather(*running)  # a worker that fell over says so here

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


class MirrorInMemory:
    """What the product decides in its database."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="create_bill")
    async def create_bill(self, ref: RequestRef) -> CreateBillAnswer:
        world = self._world
        world.calls["create_bill"] += 1
        number, quantity = world.asked[ref.key]
        bill_id = BillId(f"bill_{world.tag}{ref.key}")
        if bill_id not in world.bills:
            facts = world.facts()
            if quantity > facts.ordered - facts.billed - facts.pending:
                return CreateBillAnswer(outcome="BLOCK", number=number, total=str(quantity * PRICE), facts=facts)
            status, needs = world.standing()
            world.bills[bill_id] = Bill(number=number, quantity=quantity, status=status, needs=needs)
        bill = world.bills[bill_id]
        return CreateBillAnswer(
            outcome="WARN" if bill.needs else "OK",
            bill_id=bill_id,
            number=number,
            total=str(bill.total),
            facts=world.facts(),
            status=bill.status,
            needs=bill.needs,
            because=[f"the words of {code}" for code in bill.needs],
            version=bill.version,
        )

    @activity.defn(name="decide_match")
    async def decide_match(self, decide: DecideMatch) -> DecideMatchAnswer:
        """A word on everything there is: the world knows no single findings."""
        world = self._world
        world.calls["decide_match"] += 1
        bill = world.bills[decide.bill_id]
        refused = not bill.needs
        if not refused:
            bill.status, bill.needs = BillStatus.PENDING_PUSH, []
            bill.version += 1
        return DecideMatchAnswer(outcome="refused" if refused else "decided", bill=self._matched(decide.bill_id))

    @activity.defn(name="match_bills_again")
    async def match_bills_again(self, again: MatchBillsAgain) -> BillsMatchedAgain:
        world = self._world
        world.calls["match_bills_again"] += 1
        not_sent = [bill_id for bill_id, bill in world.bills.items() if bill.needs]
        for bill_id in not_sent:
            bill = world.bills[bill_id]
            now = world.standing()
            if (bill.status, bill.needs) != now:
                bill.status, bill.needs = now
                bill.version += 1
        return BillsMatchedAgain(bills=[self._matched(bill_id) for bill_id in not_sent])

    def _matched(self, bill_id: BillId) -> BillMatched:
        bill = self._world.bills[bill_id]
        return BillMatched(bill_id=bill_id, status=bill.status, version=bill.version, needs=bill.needs)

    @activity.defn(name="schedule_payment")
    async def schedule_payment(self, schedule: SchedulePayment) -> SchedulePaymentAnswer:
        world = self._world
        world.calls["schedule_payment"] += 1
        amount, pay_on = world.payments_asked[schedule.request.key]
        payment_id = PaymentId(f"pay_{world.tag}{schedule.request.key}")
        if payment_id not in world.payments:
            bill = world.bills[schedule.bill_id]
            promised = sum(
                (p.amount for p in world.payments.values() if p.status is PaymentStatus.SCHEDULED), Decimal()
            )
            if amount > bill.total - bill.paid - promised:
                return SchedulePaymentAnswer(outcome="refused")
            world.payments[payment_id] = Payment(bill_id=schedule.bill_id, amount=amount, pay_on=pay_on)
        bill = world.bills[schedule.bill_id]
        return SchedulePaymentAnswer(
            outcome="scheduled",
            payment_id=payment_id,
            amount=str(amount),
            pay_on=pay_on,
            edition=bill.edition if bill.edition > bill.edition_in_erp else 0,
        )

    @activity.defn(name="open_issue")
    async def open_issue(self, issue: OpenIssue) -> SyncIssueId:
        world = self._world
        for issue_id, held in world.open_issues().items():
            if (held.opened.code, held.opened.subject_id) == (issue.code, issue.subject_id):
                return issue_id
        issue_id = SyncIssueId(f"issue_{len(world.issues) + 1}")
        world.issues[issue_id] = Issue(opened=issue)
        if world.while_opening is not None:
            await world.while_opening(issue_id)
        return issue_id

    @activity.defn(name="close_issue")
    async def close_issue(self, close: CloseIssue) -> None:
        issue = self._world.issues[close.issue_id]
        issue.state, issue.actor = close.state, close.actor

    @activity.defn(name="abandon_write")
    async def abandon_write(self, abandon: AbandonWrite) -> AbandonedWrite:
        world = self._world
        if abandon.subject_kind == "bill_edit":
            bill = world.bills[BillId(abandon.subject_id)]
            if bill.edition == abandon.edition:
                bill.edition = bill.edition_in_erp
            world.calls["edit given up"] += 1
            return AbandonedWrite(done=True)
        if abandon.subject_kind == "bill":
            bill = world.bills[BillId(abandon.subject_id)]
            if bill.document:
                return AbandonedWrite(done=False)
            bill.status = BillStatus.ABANDONED
            return AbandonedWrite(done=True)
        payment = world.payments[PaymentId(abandon.subject_id)]
        bill = world.bills[payment.bill_id]
        payment.status = PaymentStatus.ABANDONED
        bill.status = BillStatus.SYNCED
        return AbandonedWrite(done=True, bill=world.bill_now(PaymentId(abandon.subject_id)))

    @activity.defn(name="bill_after_payment")
    async def bill_after_payment(self, payment_id: PaymentId) -> BillNow:
        return self._world.bill_now(payment_id)


class ErpInMemory:
    """What the product does in the ERP; each is safe to run twice, as the real ones are."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._doorbell = Doorbell(world.client)

    @activity.defn(name="push_bill")
    async def push_bill(self, push: PushBill) -> BillPushResult:
        world = self._world
        world.erp_answers("push_bill")
        bill = world.bills[push.bill_id]
        if bill.status is BillStatus.ABANDONED:
            return BillPushResult(status=bill.status, document_id="", covered=False)
        if bill.needs:
            return BillPushResult(status=bill.status, document_id="", covered=False, version=bill.version)
        if bill.document is None:
            bill.document = f"Vendor Invoice-{push.bill_id}"
        if bill.status in (BillStatus.PENDING_PUSH, BillStatus.SYNC_ISSUE, BillStatus.LINK_MISSING):
            bill.status = BillStatus.LINK_MISSING if world.link_dropped else BillStatus.SYNCED
        if world.shows_at_once and not world.link_dropped:
            world.show_all()
        await self._doorbell.bill_pushed(
            world.order_state(),
            world.facts(),
            BillPushed(bill_id=push.bill_id, status=bill.status, covered=bill.covered, facts=world.facts()),
        )
        return BillPushResult(status=bill.status, document_id=bill.document, covered=bill.covered)

    @activity.defn(name="push_bill_edit")
    async def push_bill_edit(self, push: PushBill) -> BillPushResult:
        world = self._world
        world.erp_answers("push_bill_edit")
        bill = world.bills[push.bill_id]
        bill.edition_in_erp = bill.edition
        assert bill.document is not None
        status = BillStatus.LINK_MISSING if world.link_dropped else BillStatus.SYNCED
        return BillPushResult(status=status, document_id=bill.document, covered=False)

    @activity.defn(name="push_payment")
    async def push_payment(self, push: PushPayment) -> PaymentPushResult:
        world = self._world
        world.erp_answers("push_payment")
        payment = world.payments[push.payment_id]
        bill = world.bills[payment.bill_id]
        if payment.status is not PaymentStatus.PAID:
            payment.status = PaymentStatus.PAID
            bill.paid += payment.amount
            bill.status = BillStatus.PAID if bill.paid >= bill.total else BillStatus.PARTIALLY_PAID
        return PaymentPushResult(status=PaymentStatus.PAID, erp_id="900", bill=world.bill_now(push.payment_id))

    @activity.defn(name="refresh_purchase_order")
    async def refresh_purchase_order(self, refresh: RefreshPurchaseOrder) -> RefreshedPurchaseOrder:
        world = self._world
        world.erp_answers("refresh_purchase_order")
        if world.refreshes_until_shown == 0:
            world.show_all()
        else:
            world.refreshes_until_shown -= 1
        if any(not world.bills[bill_id].covered for bill_id in refresh.until_covered):
            raise not_yet(
                "PO-1007 does not show our bills yet", again_in=world.look_again_in, code="STATUS_NOT_SHOWING"
            )
        return RefreshedPurchaseOrder(facts=world.facts(), covered=refresh.until_covered)


class SyncInMemory:
    """A sync run over as many pages as the test asks for."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="plan_sync")
    async def plan_sync(self, start: StartSyncRun) -> SyncPlan:
        self._world.erp_answers("plan_sync")
        return SyncPlan(run_id=SyncRunId(f"run_{start.workflow_run_id}"), streams=list(self._world.pages))

    @activity.defn(name="sync_page")
    async def sync_page(self, page: SyncPage) -> SyncPageDone:
        world = self._world
        world.erp_answers("sync_page")
        world.pages_read.append(page)
        position = int(page.after or 0) + 1
        last = position >= world.pages[page.stream]
        return SyncPageDone(
            after=None if last else str(position), high_water=f"2026-11-{position:02}", seen=PAGE, changed=1, bad=0
        )

    @activity.defn(name="wake_purchase_orders")
    async def wake_purchase_orders(self, wake: WakePurchaseOrders) -> WokenPurchaseOrders:
        self._world.calls["wake_purchase_orders"] += 1
        woken = min(wake.limit, self._world.orders_to_wake)
        self._world.orders_to_wake -= woken
        return WokenPurchaseOrders(woken=woken, more=woken == wake.limit)

    @activity.defn(name="finish_sync_run")
    async def finish_sync_run(self, finish: FinishSyncRun) -> None:
        self._world.finished_runs.append(finish)


def refused(message: str = "the posting period is closed", code: str = "PERIOD_CLOSED") -> Rejected:
    return Rejected(message, code=code, erp_code="BL03000018", evidence={"period": "2026-09"})


A_LONG_LIFE = timedelta(days=3650)
"""An age limit for workflows on the time-skipping server: without one its clock runs ten years ahead at each end."""
