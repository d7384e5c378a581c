"""Activities with the names, messages and queues of the real ones, which work on a `FakeOrder`.

`tests/workflows/test_worker.py` holds them to the activities that the worker registers. Real in them: the notifier.
"""

from temporalio import activity
from temporalio.client import Client

from activities.failures import as_failure, not_yet
from erp.errors import Rejected
from models.domain.bill_parts import PartState
from models.domain.bills import BillStatus
from models.domain.credits import ApplicationStatus
from models.domain.ids import (
    BillId,
    PaymentId,
    SyncIssueId,
    SyncRunId,
)
from models.domain.payments import PaymentStatus
from models.domain.source_orders import UploadState
from models.messages.backfills import BackfillPage, BackfillPageDone, FinishBackfill
from models.messages.bills import BillMatched, BillPushResult, PartShown, PushBill, RetractBill
from models.messages.credits import ApplicationFailed, ApplicationPushed, PushApplication
from models.messages.issues import CloseIssue, OpenIssue, SettleIssue
from models.messages.list_changes import ListChangeFailed, ListChangePushed, PushListChange
from models.messages.orders import (
    BillOnOrder,
    BillPushed,
    RefreshedPurchaseOrder,
    RefreshPurchaseOrder,
    RematchBills,
    RematchedBills,
)
from models.messages.payments import PaymentPushResult, PushPayment
from models.messages.source_orders import PushSourceOrder, SourceOrderFailed, SourceOrderPushed
from models.messages.sync import (
    CheckSetup,
    FinishSyncRun,
    NotifiedOrders,
    NotifyChangedOrders,
    StartSyncRun,
    SyncPage,
    SyncPageDone,
    SyncPlan,
)
from models.messages.writes import AbandonedWrite, AbandonWrite
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_order import PAGE, FakeOrder, Issue, refused


def _parts(order: FakeOrder) -> list[PartShown]:
    """The parts of the bill that is being sent, of which so many are in the ERP."""
    return [
        PartShown(
            part_no=no,
            source=f"PO Receiver-R-{no}",
            total="25.00",
            state=PartState.IN_ERP if no <= order.parts_sent else PartState.PLANNED,
        )
        for no in range(1, order.parts + 1)
    ]


class FakeDatabaseActivities:
    """What the product decides in its database."""

    def __init__(self, order: FakeOrder) -> None:
        self._order = order

    @activity.defn(name="bill_on_order")
    async def bill_on_order(self, asked: BillOnOrder) -> BillPushed:
        self._order.calls["bill_on_order"] += 1
        bill = self._order.bills[asked.bill_id]
        return BillPushed(bill_id=asked.bill_id, status=bill.status, confirmed=bill.confirmed)

    @activity.defn(name="bill_in_review")
    async def bill_in_review(self, bill_id: BillId) -> BillMatched:
        self._order.calls["bill_in_review"] += 1
        now = self._matched(bill_id)
        return now.model_copy(update={"because": [f"the words of {code}" for code in now.needs]})

    @activity.defn(name="rematch_bills")
    async def rematch_bills(self, restart: RematchBills) -> RematchedBills:
        order = self._order
        order.calls["rematch_bills"] += 1
        not_sent = [bill_id for bill_id, bill in order.bills.items() if bill.needs]
        for bill_id in not_sent:
            bill = order.bills[bill_id]
            now = order.status_after_match()
            if (bill.status, bill.needs) != now:
                bill.status, bill.needs = now
                bill.version += 1
        return RematchedBills(
            bills=[self._matched(bill_id) for bill_id in not_sent], refused=list(order.refused_elsewhere)
        )

    def _matched(self, bill_id: BillId) -> BillMatched:
        return self._order.matched(bill_id)

    @activity.defn(name="open_issue")
    async def open_issue(self, issue: OpenIssue) -> SyncIssueId | None:
        order = self._order
        order.calls["open_issue"] += 1
        if order.before_opening is not None:
            order.before_opening()
        stopped = order.bills.get(BillId(issue.subject_id))
        if stopped is not None and stopped.status.is_void:
            return None
        for issue_id, held in order.open_issues().items():
            if (held.opened.code, held.opened.subject_id) == (issue.code, issue.subject_id):
                return issue_id
        issue_id = SyncIssueId(f"issue_{len(order.issues) + 1}")
        order.issues[issue_id] = Issue(opened=issue)
        if order.while_opening is not None:
            await order.while_opening(issue_id)
        return issue_id

    @activity.defn(name="close_issue")
    async def close_issue(self, close: CloseIssue) -> SettleIssue | None:
        order = self._order
        if close.for_retry and order.abandoned_before_retry is not None:
            later, order.abandoned_before_retry = order.abandoned_before_retry, None
            return later.model_copy(update={"issue_id": close.issue_id})
        issue = order.issues[close.issue_id]
        issue.state, issue.actor = close.state, close.actor
        return None

    @activity.defn(name="abandon_write")
    async def abandon_write(self, abandon: AbandonWrite) -> AbandonedWrite:
        order = self._order
        if abandon.subject_kind == "bill_edit":
            bill = order.bills[BillId(abandon.subject_id)]
            if bill.edition == abandon.edition:
                bill.edition = bill.edition_in_erp
            order.calls["edit abandoned"] += 1
            return AbandonedWrite(done=True)
        if abandon.subject_kind == "bill_retraction":
            bill = order.bills[BillId(abandon.subject_id)]
            bill.status, bill.retract_for = BillStatus.SYNCED, None
            bill.version += 1
            if order.parts_gone:
                bill.status = BillStatus.SYNC_ISSUE
                order.parts_sent -= order.parts_gone
            return AbandonedWrite(done=True, bill=order.balance(BillId(abandon.subject_id)))
        if abandon.subject_kind == "bill":
            bill = order.bills[BillId(abandon.subject_id)]
            if bill.document:
                return AbandonedWrite(done=False)
            bill.status = BillStatus.ABANDONED
            return AbandonedWrite(done=True)
        payment = order.payments[PaymentId(abandon.subject_id)]
        bill = order.bills[payment.bill_id]
        if abandon.subject_kind == "payment_void":
            payment.status = PaymentStatus.PAID
            return AbandonedWrite(done=True, bill=order.bill_now(PaymentId(abandon.subject_id)))
        payment.status = PaymentStatus.ABANDONED
        bill.status = BillStatus.SYNCED
        return AbandonedWrite(done=True, bill=order.bill_now(PaymentId(abandon.subject_id)))


class FakeSourceOrderActivities:
    """What the product does with orders of another system. One whose upload failed is not sent again by itself."""

    def __init__(self, order: FakeOrder) -> None:
        self._order = order

    @activity.defn(name="push_source_order")
    async def push_source_order(self, push: PushSourceOrder) -> SourceOrderPushed:
        order = self._order
        order.erp_answers("push_source_order")
        order.uploaded.append(push.source_order_id)
        return SourceOrderPushed(state=UploadState.UPLOADED, document_id=f"B-{push.source_order_id}")

    @activity.defn(name="source_order_failed")
    async def source_order_failed(self, failed: SourceOrderFailed) -> None:
        order = self._order
        order.calls["source_order_failed"] += 1
        order.uploads_failed.append(failed)
        if order.while_failing is not None:
            then, order.while_failing = order.while_failing, None
            await then()


class FakeCreditApplicationActivities:
    """What the product does to apply a credit. One that the ERP refused is not sent again by itself."""

    def __init__(self, order: FakeOrder) -> None:
        self._order = order

    @activity.defn(name="push_credit_application")
    async def push_credit_application(self, push: PushApplication) -> ApplicationPushed:
        order = self._order
        order.erp_answers("push_credit_application")
        order.applied.append(push.application_id)
        return ApplicationPushed(status=ApplicationStatus.APPLIED)

    @activity.defn(name="credit_application_failed")
    async def credit_application_failed(self, failed: ApplicationFailed) -> None:
        self._order.calls["credit_application_failed"] += 1
        self._order.applications_failed.append(failed)


class FakeListChangeActivities:
    """What the product does to change a list entry. One that the ERP refused is not sent again by itself."""

    def __init__(self, order: FakeOrder) -> None:
        self._order = order

    @activity.defn(name="push_list_change")
    async def push_list_change(self, push: PushListChange) -> ListChangePushed:
        order = self._order
        order.erp_answers("push_list_change")
        order.changed_lists.append(push.change_id)
        return ListChangePushed(status=order.list_change_ends)

    @activity.defn(name="list_change_failed")
    async def list_change_failed(self, failed: ListChangeFailed) -> None:
        self._order.calls["list_change_failed"] += 1
        self._order.list_changes_failed.append(failed)


class FakeErpActivities:
    """What the product does in the ERP; each is safe to run twice, as the real ones are."""

    def __init__(self, order: FakeOrder, client: Client) -> None:
        self._order = order
        self._notifier = WorkflowNotifier(client)

    @activity.defn(name="push_bill")
    async def push_bill(self, push: PushBill) -> BillPushResult:
        order = self._order
        order.erp_answers("push_bill")
        bill = order.bills[push.bill_id]
        if bill.status is BillStatus.ABANDONED:
            return BillPushResult(status=bill.status, document_id="", confirmed=False)
        if order.goes_first:
            goes_first = order.goes_first
            if order.while_pushing is not None:
                await order.while_pushing()
            return BillPushResult(status=BillStatus.PENDING_PUSH, document_id="", confirmed=False, waits_for=goes_first)
        if bill.needs:
            return BillPushResult(status=bill.status, document_id="", confirmed=False, version=bill.version)
        if order.refuse_part and order.parts_sent + 1 == order.refuse_part:
            order.refuse_part = 0
            raise as_failure(refused())
        if order.parts_gone:
            if not push.remake_parts:
                raise as_failure(Rejected("a part is gone", code="BILL_PART_DELETED"))
            order.parts_gone -= 1
        order.parts_sent += 1
        parts = [] if order.parts == 1 else _parts(order)
        if order.parts_sent < order.parts:
            return BillPushResult(
                status=BillStatus.PENDING_PUSH, document_id="", confirmed=False, parts=parts, more_parts=True
            )
        if bill.document is None:
            bill.document = f"Vendor Invoice-{push.bill_id}"
        if bill.status in (BillStatus.PENDING_PUSH, BillStatus.SYNC_ISSUE, BillStatus.LINK_MISSING):
            bill.status = BillStatus.LINK_MISSING if order.link_dropped else BillStatus.SYNCED
        if order.shows_at_once and not order.link_dropped:
            order.show_all()
        await self._notifier.bill_pushed(
            order.order_state(),
            order.facts(),
            BillPushed(bill_id=push.bill_id, status=bill.status, confirmed=bill.confirmed, facts=order.facts()),
        )
        return BillPushResult(status=bill.status, document_id=bill.document, confirmed=bill.confirmed, parts=parts)

    @activity.defn(name="retract_bill")
    async def retract_bill(self, retract: RetractBill) -> BillMatched:
        order = self._order
        order.erp_answers("retract_bill")
        bill = order.bills[retract.bill_id]
        if bill.retract_for is not None:
            order.take_back(retract.bill_id)
        return order.matched(retract.bill_id)

    @activity.defn(name="push_bill_edit")
    async def push_bill_edit(self, push: PushBill) -> BillPushResult:
        order = self._order
        order.erp_answers("push_bill_edit")
        bill = order.bills[push.bill_id]
        bill.edition_in_erp = bill.edition
        assert bill.document is not None
        status = BillStatus.LINK_MISSING if order.link_dropped else BillStatus.SYNCED
        return BillPushResult(status=status, document_id=bill.document, confirmed=False)

    @activity.defn(name="push_payment")
    async def push_payment(self, push: PushPayment) -> PaymentPushResult:
        order = self._order
        order.erp_answers("push_payment")
        payment = order.payments[push.payment_id]
        bill = order.bills[payment.bill_id]
        if payment.status is not PaymentStatus.PAID:
            payment.status = PaymentStatus.PAID
            bill.paid += payment.amount
            bill.status = BillStatus.PAID if bill.paid >= bill.total else BillStatus.PARTIALLY_PAID
        await self._notifier.bill_changed(payment.bill_id, order.bill_now(push.payment_id))
        return PaymentPushResult(status=PaymentStatus.PAID, erp_id="900", bill=order.bill_now(push.payment_id))

    @activity.defn(name="void_payment")
    async def void_payment(self, push: PushPayment) -> PaymentPushResult:
        order = self._order
        order.erp_answers("void_payment")
        payment = order.payments[push.payment_id]
        bill = order.bills[payment.bill_id]
        if payment.status is not PaymentStatus.VOIDED:
            payment.status = PaymentStatus.VOIDED
            bill.paid -= payment.amount
            bill.status = BillStatus.PARTIALLY_PAID if bill.paid else BillStatus.SYNCED
        return PaymentPushResult(status=PaymentStatus.VOIDED, erp_id="900", bill=order.bill_now(push.payment_id))

    @activity.defn(name="refresh_purchase_order")
    async def refresh_purchase_order(self, refresh: RefreshPurchaseOrder) -> RefreshedPurchaseOrder:
        order = self._order
        order.erp_answers("refresh_purchase_order")
        if order.refreshes_until_shown == 0:
            order.show_all()
        else:
            order.refreshes_until_shown -= 1
        if any(not order.bills[bill_id].confirmed for bill_id in refresh.until_confirmed):
            raise not_yet(
                "PO-1007 does not show our bills yet", retry_in=order.look_again_in, code="STATUS_NOT_SHOWING"
            )
        return RefreshedPurchaseOrder(facts=order.facts(), confirmed=refresh.until_confirmed)


class FakeSyncActivities:
    """A sync run over as many pages as the test asks for."""

    def __init__(self, order: FakeOrder) -> None:
        self._order = order

    @activity.defn(name="plan_sync")
    async def plan_sync(self, start: StartSyncRun) -> SyncPlan:
        self._order.erp_answers("plan_sync")
        return SyncPlan(run_id=SyncRunId(f"run_{start.workflow_run_id}"), streams=list(self._order.pages))

    @activity.defn(name="backfill_page")
    async def backfill_page(self, page: BackfillPage) -> BackfillPageDone:
        order = self._order
        order.erp_answers("backfill_page")
        order.backfilled.append(page)
        read = page.page_no + 1
        return BackfillPageDone(after=None if read >= order.backfill_pages else str(read), counts={"read": read})

    @activity.defn(name="finish_backfill")
    async def finish_backfill(self, end: FinishBackfill) -> None:
        self._order.finished_backfills.append(end)

    @activity.defn(name="check_setup")
    async def check_setup(self, request: CheckSetup) -> None:
        self._order.calls["check_setup"] += 1
        self._order.erp_answers("check_setup")

    @activity.defn(name="sync_page")
    async def sync_page(self, page: SyncPage) -> SyncPageDone:
        order = self._order
        order.erp_answers("sync_page")
        order.pages_read.append(page)
        position = int(page.after or 0) + 1
        last = position >= order.pages[page.stream]
        return SyncPageDone(
            after=None if last else str(position), high_water=f"2026-11-{position:02}", seen=PAGE, changed=1, bad=0
        )

    @activity.defn(name="notify_changed_orders")
    async def notify_changed_orders(self, request: NotifyChangedOrders) -> NotifiedOrders:
        self._order.calls["notify_changed_orders"] += 1
        notified = min(request.limit, self._order.orders_to_notify)
        self._order.orders_to_notify -= notified
        return NotifiedOrders(notified=notified, more=notified == request.limit)

    @activity.defn(name="finish_sync_run")
    async def finish_sync_run(self, finish: FinishSyncRun) -> None:
        meanwhile, self._order.while_finishing = self._order.while_finishing, None
        if meanwhile is not None:
            await meanwhile()
        self._order.finished_runs.append(finish)
