"""A walk of people, the ERP, syncs, workers and crashes over bills and payments, in any order (hypothesis).

Real: PostgreSQL, the activities and the decisions of the API. Fake: the ERP, and the workflows, of which `_Worker`
takes the same steps one at a time, so that anything may happen between two of them, or instead of the next one.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from temporalio.exceptions import ApplicationError

from activities.failures import FailureDetails
from activities.missing_workflows import MissingWorkflows
from erp.errors import ErpError, OutcomeUnknown, Rejected, Unavailable
from models.contract import bill_workflow_id, payment_workflow_id
from models.domain.bills import BillStatus
from models.domain.ids import BillId, PaymentId, SyncIssueId
from models.domain.issue_states import IssueDecision, IssueState, IssueSubject
from models.domain.orders import PurchaseOrder
from models.domain.payments import PaymentStatus
from models.domain.sync import DeletedKind, Deletion
from models.domain.writes import WriteKind
from models.messages.issues import CloseIssue, OpenIssue
from models.messages.writes import AbandonWrite
from models.store.audit import sync_issues
from models.store.base.database import Database
from models.store.payables import bill_edits, statuses
from models.store.payables.bill_edits import EditRefused
from services.bills.ending import abandon_bill
from services.payments.scheduling import abandon_payment
from services.sync.issue_decisions import close_as_decided
from tests.builders.records import an_order, gone
from tests.fakes.fake_erp import WorkerDied
from tests.harness.activity_harness import new_activity_harness

T = TypeVar("T")

ANSWERS = (
    "taken",
    "taken",
    "refused",
    "refused",
    "off-line",
    "answer lost",
    "request lost",
    "worker died",
    "out of time",
)
"""How the ERP, or the machine beside it, answers one attempt of a write."""

FAILURES = ("refused", "out of time")
"""The answers behind which an issue is opened."""

PEOPLE = (
    "enters a bill that was looked at",
    "enters a bill",
    "acknowledges",
    "abandons a bill",
    "abandons a bill",
    "pays",
    "abandons a payment",
    "retries",
    "abandons what is stopped",
)

OTHERS = (
    "the ERP deletes a bill",
    "a sync reads the deletions",
    "a sync starts what is missing",
    "the order changes",
    "an operator ends a workflow",
)

MEANWHILE = ("nothing", "nothing", "a person abandons it", "the order changes", "its workflow is ended")
"""What happens while the answer to an attempt is on its way to the workflow."""

MOST = 4
"""How many bills and payments there are at most, and one payment: few, so that much happens to each."""

ENDED = ("abandoned", "deleted", "voided", "paid")
ROUNDS = 12
"""How often everybody may act in the end until nothing is left to do."""


def _refusal() -> ErpError:
    return Rejected("the posting period is closed", code="PERIOD_CLOSED", erp_code="BL03000018")


@dataclass
class _Worker:
    """The workflow of one bill or payment: what it remembers between two of its steps."""

    subject: IssueSubject
    id: str
    failure: FailureDetails | None = None
    """The attempt failed for good, and the issue is not opened yet."""
    issue: SyncIssueId | None = None
    decision: IssueDecision | None = None

    @property
    def workflow_id(self) -> str:
        if self.subject is IssueSubject.BILL:
            return bill_workflow_id(BillId(self.id))
        return payment_workflow_id(PaymentId(self.id))


class StatesMachine(RuleBasedStateMachine):
    """After every step each bill and payment is in a situation of the tables; in the end all of them come through."""

    def __init__(self, runner: asyncio.Runner, database: Database) -> None:
        super().__init__()
        self._runner = runner
        self._harness = runner.run(new_activity_harness(database))
        self._database = database
        self._workers: dict[str, _Worker] = {}
        self._deleted: list[Deletion] = []
        """In the ERP, and not read yet."""
        self._keys = 0

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def _key(self) -> str:
        self._keys += 1
        return f"k{self._keys}"

    def _chosen(self, subject: IssueSubject, at: int) -> str | None:
        ids = [worker.id for worker in self._workers.values() if worker.subject is subject]
        return ids[at % len(ids)] if ids else None

    # --- people ----------------------------------------------------------------------------------------------

    @initialize()
    def an_order_comes_in(self) -> None:
        self._order: PurchaseOrder = self._do(self._harness.holds(an_order(lines={1: 1000})))
        for _ in range(2):
            self._do(self._enter_bill(looked_at=True))
        bill_id = next(iter(self._workers))
        self._do(self._step(self._workers[bill_id], "taken"))
        self._do(self._pay(BillId(bill_id)))

    @rule(what=st.sampled_from(PEOPLE), at=st.integers(0, 9))
    def a_person_acts(self, what: str, at: int) -> None:
        self._do(self._person(what, at))

    async def _person(self, what: str, at: int) -> None:
        bill_id, payment_id = self._chosen(IssueSubject.BILL, at), self._chosen(IssueSubject.PAYMENT, at)
        if what.startswith("enters a bill"):
            await self._enter_bill(looked_at=what.endswith("looked at"))
        elif what == "retries" or what == "abandons what is stopped":
            await self._decide(IssueDecision.RETRY if what == "retries" else IssueDecision.ABANDON)
        elif what == "abandons a payment":
            if payment_id is not None:
                await self._abandon_payment(PaymentId(payment_id))
        elif bill_id is None:
            return
        elif what == "acknowledges":
            await self._harness.acknowledge(BillId(bill_id), "DUPLICATE_SUSPECT", key=self._key())
        elif what == "abandons a bill":
            await self._abandon_bill(BillId(bill_id))
        else:
            await self._pay(BillId(bill_id))

    async def _enter_bill(self, *, looked_at: bool) -> None:
        """Bills are alike, so that one which nobody looked at waits for an acknowledgement."""
        if len(self._workers) >= MOST:
            return
        acknowledge = ("DUPLICATE_SUSPECT",) if looked_at else ()
        answer = await self._harness.bill(self._order, {1: 4}, key=self._key(), acknowledge=acknowledge)
        if answer.bill_id is not None:
            self._workers[answer.bill_id] = _Worker(IssueSubject.BILL, answer.bill_id)
            await self._grow_older("bills")

    async def _pay(self, bill_id: BillId) -> None:
        if len(self._workers) > MOST:
            return
        paid = await self._harness.pay(bill_id, "10.00", key=self._key())
        if paid.payment_id is not None:
            self._workers[paid.payment_id] = _Worker(IssueSubject.PAYMENT, paid.payment_id)
            await self._grow_older("payments")

    async def _grow_older(self, table: str) -> None:
        """A sync run leaves out what was saved a moment ago."""
        await self._harness.tenant.execute(
            f"update {table} set created_at = created_at - interval '1 hour' where connection_id = :c",
            c=self._connection,
        )

    async def _abandon_bill(self, bill_id: BillId) -> None:
        async with self._database.transaction() as session:
            row = await bill_edits.lock(session, bill_id, self._harness.tenant.organization_id)
            assert row is not None
            try:
                await abandon_bill(session, row, actor="ada", why="not ours", request_key=self._key())
            except EditRefused:
                return

    async def _abandon_payment(self, payment_id: PaymentId) -> None:
        async with self._database.transaction() as session:
            await abandon_payment(session, payment_id, actor="ada", why="not now", request_key=self._key())

    async def _decide(self, decision: IssueDecision) -> None:
        """Decide on each open issue: whoever waits behind it is told; where nobody does, it is done at once."""
        issues = await self._harness.tenant.fetch(
            "select i.id, i.subject_id, coalesce(b.status in ('abandoned', 'deleted'), false) as void"
            " from sync_issues i left join payments p on p.id = i.subject_id left join bills b on b.id = p.bill_id"
            " where i.connection_id = :c and i.state = 'open' and i.workflow_id is not null order by i.id"
        )
        for issue in issues:
            now = IssueDecision.ABANDON if issue.void else decision  # nobody pays a bill that is gone
            async with self._database.transaction() as session:
                await sync_issues.decide(session, SyncIssueId(issue.id), now, actor="ada", why="")
            worker = self._workers.get(issue.subject_id)
            if worker is not None and worker.issue == issue.id and worker.workflow_id in self._harness.notifier.running:
                worker.decision = now
            else:
                async with self._database.transaction() as session:
                    await close_as_decided(session, SyncIssueId(issue.id), request_key=self._key())

    # --- the ERP, syncs and operators ------------------------------------------------------------------------

    @rule(what=st.sampled_from(OTHERS), at=st.integers(0, 9))
    def something_else_happens(self, what: str, at: int) -> None:
        if what == "the ERP deletes a bill":
            self._delete(at)
        elif what == "a sync reads the deletions":
            self._do(self._harness.tenant.deleted(*self._deleted))
        elif what == "a sync starts what is missing":
            self._do(self._start_missing())
        elif what == "the order changes":
            self._do(self._harness.rematch(self._order))
        else:
            workers = list(self._workers.values())
            self._harness.notifier.running.discard(workers[at % len(workers)].workflow_id)

    def _delete(self, at: int) -> None:
        """One on which nothing is paid: the ERP deletes no other."""
        invoices = self._harness.erp.invoices
        unpaid = [
            key
            for key, invoice in invoices.items()
            if all(p.payment.bill_document != invoice.document_id for p in self._harness.erp.created_payments.values())
        ]
        if unpaid:
            invoice = invoices.pop(unpaid[at % len(unpaid)])
            self._deleted.append(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, invoice.erp_id))

    async def _start_missing(self) -> None:
        await self._harness.tenant.execute("delete from outbox where connection_id = :c", c=self._connection)
        before = set(self._harness.notifier.running)
        await MissingWorkflows(self._database, self._harness.notifier, self._connection).start()
        for started in self._harness.notifier.running - before:
            self._forget(started)

    @property
    def _connection(self) -> Any:
        return self._harness.tenant.connection_id

    def _forget(self, workflow_id: str) -> None:
        """A new run remembers nothing of the one before."""
        for worker in self._workers.values():
            if worker.workflow_id == workflow_id:
                worker.failure = worker.issue = worker.decision = None

    # --- workers ---------------------------------------------------------------------------------------------

    @rule(at=st.integers(0, 9), answer=st.sampled_from(ANSWERS), meanwhile=st.sampled_from(MEANWHILE))
    def a_worker_takes_a_step(self, at: int, answer: str, meanwhile: str) -> None:
        workers = list(self._workers.values())
        self._do(self._attempt(workers[at % len(workers)], answer, meanwhile))

    @rule(at=st.integers(0, 9), answer=st.sampled_from(FAILURES), meanwhile=st.sampled_from(MEANWHILE[2:]))
    def a_failure_comes_back_late(self, at: int, answer: str, meanwhile: str) -> None:
        """Of one that is on its way, whichever that is: what happens before its issue is opened."""
        self._do(self._fail_late(at, answer, meanwhile))

    async def _fail_late(self, at: int, answer: str, meanwhile: str) -> None:
        ready = [
            worker
            for worker in self._workers.values()
            if worker.failure is None
            and worker.issue is None
            and await self._status(worker) not in ENDED
            and await self._may_send(worker, await self._status(worker))
        ]
        if ready:
            await self._attempt(ready[at % len(ready)], answer, meanwhile)

    async def _attempt(self, worker: _Worker, answer: str, meanwhile: str) -> None:
        await self._step(worker, answer)
        if meanwhile == "nothing":
            return
        if meanwhile == "the order changes":
            await self._harness.rematch(self._order)
        elif meanwhile == "its workflow is ended":
            self._harness.notifier.running.discard(worker.workflow_id)
        elif worker.subject is IssueSubject.BILL:
            await self._abandon_bill(BillId(worker.id))
        else:
            await self._abandon_payment(PaymentId(worker.id))
        await self._step(worker, answer)

    async def _step(self, worker: _Worker, answer: str) -> None:
        """What its workflow does next; one that an operator ended does nothing."""
        running = self._harness.notifier.running
        status = await self._status(worker)
        if worker.workflow_id not in running and not (status in ENDED or worker.failure or worker.issue):
            running.add(worker.workflow_id)  # the outbox starts it
        if worker.workflow_id not in running:
            return
        if worker.failure is not None:
            failure, worker.failure = worker.failure, None
            worker.issue = await self._open(worker, failure)
        elif worker.issue is not None:
            await self._settle(worker, ended=status in ENDED)
        elif status not in ENDED and await self._may_send(worker, status):
            await self._push(worker, answer)

    async def _status(self, worker: _Worker) -> str:
        table = "bills" if worker.subject is IssueSubject.BILL else "payments"
        (row,) = await self._harness.tenant.fetch(f"select status from {table} where id = :id", id=worker.id)
        return str(row.status)

    async def _may_send(self, worker: _Worker, status: str) -> bool:
        if worker.subject is IssueSubject.BILL:
            return BillStatus(status).is_being_pushed
        bill = await self._bill_of(worker)
        if bill.is_void and status == PaymentStatus.SCHEDULED:
            await self._abandon_payment(PaymentId(worker.id))
            return False
        return not bill.is_before_erp

    async def _bill_of(self, worker: _Worker) -> BillStatus:
        (row,) = await self._harness.tenant.fetch(
            "select b.status from bills b join payments p on p.bill_id = b.id where p.id = :id", id=worker.id
        )
        return BillStatus(row.status)

    async def _bill_is_gone(self, worker: _Worker) -> bool:
        """Whether the ERP, known here or not, has deleted the bill that a payment is on."""
        (row,) = await self._harness.tenant.fetch(
            "select b.external_key from bills b join payments p on p.bill_id = b.id where p.id = :id", id=worker.id
        )
        return row.external_key not in self._harness.erp.invoices

    async def _push(self, worker: _Worker, answer: str) -> None:
        erp = self._harness.erp
        if worker.subject is IssueSubject.PAYMENT and await self._bill_is_gone(worker):
            answer = "refused"
        erp.refuse_writes = {
            "refused": [_refusal()],
            "off-line": [Unavailable("The ERP is off-line.", code="ERP_OFFLINE")],
            "out of time": [OutcomeUnknown("no answer", code="OUTCOME_UNKNOWN")],
        }.get(answer, [])
        erp.lose_answers = int(answer == "answer lost")
        erp.lose_requests = int(answer == "request lost")
        erp.die_after_writing = int(answer == "worker died")
        try:
            if worker.subject is IssueSubject.BILL:
                await self._harness.push(BillId(worker.id))
            else:
                await self._harness.push_payment(PaymentId(worker.id))
        except ApplicationError as error:
            if error.non_retryable:
                worker.failure = FailureDetails.model_validate(error.details[0])
        except WorkerDied:
            return  # Temporal hands the attempt to another worker
        if answer == "out of time" and worker.failure is None and not await self._ended(worker):
            worker.failure = FailureDetails(family="TimedOut", code="GAVE_UP_WAITING", message="its time ran out")

    async def _ended(self, worker: _Worker) -> bool:
        status = await self._status(worker)
        return status in ENDED or (worker.subject is IssueSubject.BILL and not BillStatus(status).is_before_erp)

    async def _open(self, worker: _Worker, failure: FailureDetails) -> SyncIssueId | None:
        return await self._harness.mirror.open_issue(
            OpenIssue(
                connection_id=self._connection,
                subject_kind=worker.subject,
                subject_id=worker.id,
                code=failure.code,
                message=failure.message,
                workflow_id=worker.workflow_id,
            )
        )

    async def _settle(self, worker: _Worker, *, ended: bool) -> None:
        assert worker.issue is not None
        if worker.decision is None and not ended:
            return
        state = IssueState.RESOLVED
        if worker.decision is IssueDecision.ABANDON and not ended:
            kind = WriteKind.BILL if worker.subject is IssueSubject.BILL else WriteKind.PAYMENT
            abandoned = await self._harness.mirror.abandon_write(
                AbandonWrite(subject_kind=kind, subject_id=worker.id, actor="ada", why="")
            )
            state = IssueState.ABANDONED if abandoned.done else IssueState.RESOLVED
        await self._harness.mirror.close_issue(CloseIssue(issue_id=worker.issue, state=state, actor="ada"))
        worker.issue = worker.decision = None

    # --- what always holds -----------------------------------------------------------------------------------

    @invariant()
    def everything_is_in_a_situation_of_the_tables(self) -> None:
        assert self._do(self._outside()) == []

    async def _outside(self) -> list[tuple[str, str, str, bool]]:
        async with self._database.transaction() as session:
            rows = await statuses.outside(session)
        return [(row.kind, row.status, row.write, row.stopped) for row in rows if row.connection_id == self._connection]

    def teardown(self) -> None:
        """Once the ERP takes everything and people retry, nothing is left on its way, and the books agree."""
        if hasattr(self, "_order"):
            self._do(self._come_through())

    async def _come_through(self) -> None:
        for _ in range(ROUNDS):
            await self._harness.tenant.deleted(*self._deleted)
            await self._harness.time_passes()
            await self._start_missing()
            await self._decide(IssueDecision.RETRY)
            for worker in self._workers.values():
                await self._step(worker, "taken")
            if await self._stuck() == []:
                break
        assert await self._stuck() == []
        bills = await self._harness.tenant.fetch(
            "select b.status, b.external_key, w.state from bills b join erp_writes w using (external_key)"
            " where b.connection_id = :c"
        )
        in_erp = {bill.external_key for bill in bills if bill.state == "confirmed" and bill.status != "deleted"}
        assert in_erp == set(self._harness.erp.invoices), "the mirror and the ERP's books"

    async def _stuck(self) -> list[tuple[str, str]]:
        """What is still on its way; a payment of a bill in review waits with it for a person."""
        rows = await self._harness.tenant.fetch(
            "select 'bill' as kind, status, status as bill from bills where connection_id = :c union all"
            " select 'payment', p.status, b.status from payments p join bills b on b.id = p.bill_id"
            " where p.connection_id = :c"
        )
        return [(row.kind, row.status) for row in rows if _is_on_its_way(row)]


def _is_on_its_way(row: Any) -> bool:
    if BillStatus(row.bill).is_in_review:
        return False
    return BillStatus(row.status).is_being_pushed if row.kind == "bill" else PaymentStatus(row.status).is_unfinished
