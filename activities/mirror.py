"""The doorway to our own database: short transactions that decide something. Most run as local activities.

Each is one transaction and safe to run twice: ids are derived from the caller's key, so a second run finds what the
first one saved and gives the same answer.
"""

from collections.abc import Sequence
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from activities.billing import (
    RequestedBill,
    as_kept,
    because,
    bill_to_match,
    codes,
    new_bill,
    order_rows,
    standing,
)
from activities.judging import judge, read_orders
from activities.paying import RequestedPayment, payment_refused
from erp.issue_codes import issue_code
from matching.exact import rounded
from matching.result import Outcome
from matching.totals import bill_total
from models.domain import (
    BillId,
    BillStatus,
    ConnectionId,
    MatchMode,
    PaymentId,
    PaymentStatus,
    PurchaseOrderId,
    SyncIssueId,
)
from models.messages import (
    AbandonedWrite,
    AbandonWrite,
    BillNow,
    CloseIssue,
    CreateBillAnswer,
    OpenIssue,
    RequestRef,
    SchedulePayment,
    SchedulePaymentAnswer,
)
from models.store import (
    bills,
    connections,
    ledger,
    match_results,
    payment_terms,
    payments,
    pending_edits,
    purchase_orders,
    requests,
    sync_issues,
    waiting_bills,
)
from models.store.database import Database
from models.store.requests import Request
from models.tables import PurchaseOrderRow


class MirrorActivities:
    """Decisions made in our own database. One instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- bills -------------------------------------------------------------------------------------------------

    @activity.defn
    async def create_bill(self, ref: RequestRef) -> CreateBillAnswer:
        """Lock the orders' lines, match, reserve, save the bill and plan its write: one transaction (S4-22, S4-28).

        A bill whose match warns or holds is saved and kept back: it reserves, and its write waits for a person.
        """
        async with self._database.transaction() as session:
            request = await _request(session, ref)
            asked = RequestedBill.model_validate(request.body)
            await ledger.lock_lines(session, asked.orders)
            # Read again behind the lock: an earlier run of this activity may have answered meanwhile.
            request = await _request(session, ref)
            rows = await order_rows(session, asked)
            if request.answer is not None:
                return await self._answered(session, request, rows[0])
            return await self._decide(session, ref, request, asked, rows)

    async def _answered(self, session: AsyncSession, request: Request, order: PurchaseOrderRow) -> CreateBillAnswer:
        answer: dict[str, Any] = request.answer or {}
        return CreateBillAnswer(
            outcome=answer["match"]["outcome"],
            bill_id=answer.get("bill_id"),
            number=answer.get("number", ""),
            total=answer.get("total", ""),
            facts=await purchase_orders.facts(session, PurchaseOrderId(order.id)),
            status=BillStatus(answer.get("status") or BillStatus.PENDING_PUSH),
            needs=answer.get("needs", []),
            because=answer.get("because", []),
        )

    async def _decide(
        self,
        session: AsyncSession,
        ref: RequestRef,
        request: Request,
        asked: RequestedBill,
        rows: Sequence[PurchaseOrderRow],
    ) -> CreateBillAnswer:
        bill_id = bills.bill_id_for(ref.organization_id, ref.key)
        order_id = PurchaseOrderId(rows[0].id)
        connection = await connections.get(session, ConnectionId(rows[0].connection_id))
        assert connection is not None, "an order's connection is never removed"
        orders = await read_orders(session, rows, without_bill=bill_id)
        bill = bill_to_match(asked, orders, connection)
        result = await judge(session, connection, orders, bill, bill_id=bill_id)
        saved = result.outcome is not Outcome.BLOCK
        status, open_needs = standing(result, asked.acknowledge)
        kept = as_kept(result)
        await match_results.save(
            session,
            connection_id=ConnectionId(connection.id),
            purchase_order_id=order_id,
            bill_id=bill_id if saved else None,
            request_key=ref.key,
            outcome=result.outcome,
            mode=MatchMode(connection.match_mode),
            result=kept,
            why=match_results.ASKED_FOR,
        )
        if saved:
            due_on = asked.due_date or await payment_terms.due_on(
                session,
                ConnectionId(connection.id),
                term=rows[0].term,
                vendor_id=bill.vendor_id,
                bill_date=asked.bill_date,
            )
            await bills.create(
                session, new_bill(bill_id, ref, request, asked, due_on, orders, connection, result, status)
            )
            acknowledged = [finding for finding in kept["findings"] if finding["id"] in asked.acknowledge]
            if acknowledged:
                await waiting_bills.decide(
                    session, bill_id, "acknowledged", acknowledged, actor=request.actor, why="with the bill"
                )
        answer = CreateBillAnswer(
            outcome=result.outcome,
            bill_id=bill_id if saved else None,
            number=asked.number,
            total=str(rounded(bill_total(bill), 2)),
            facts=await purchase_orders.facts(session, order_id),
            status=status,
            needs=codes(open_needs) if saved else [],
            because=because(open_needs) if saved else [],
        )
        await requests.answer(
            session,
            ref.organization_id,
            ref.key,
            201 if saved else 422,
            {
                "bill_id": answer.bill_id,
                "number": answer.number,
                "total": answer.total,
                "status": answer.status,
                "needs": answer.needs,
                "because": answer.because,
                "match": kept,
            },
        )
        return answer

    @activity.defn
    async def abandon_write(self, abandon: AbandonWrite) -> AbandonedWrite:
        """Give up a bill or a payment the ERP never took; what the ERP holds, or may hold, is not given up. An edit is
        sent no more; where the ERP certainly does not have it, the bill is put back to what the ERP holds."""
        why = abandon.why or "given up"
        async with self._database.transaction() as session:
            if abandon.subject_kind == "bill_edit":
                done = await pending_edits.give_up(
                    session,
                    BillId(abandon.subject_id),
                    abandon.edition,
                    actor=abandon.actor,
                    why=why,
                    maybe_there=abandon.maybe_there,
                )
                return AbandonedWrite(done=done)
            if abandon.subject_kind == "bill":
                bill_id = BillId(abandon.subject_id)
                return AbandonedWrite(done=await bills.abandon(session, bill_id, actor=abandon.actor, why=why))
            payment_id = PaymentId(abandon.subject_id)
            done = await payments.abandon(session, payment_id, actor=abandon.actor, why=why)
            return AbandonedWrite(done=done, bill=await payments.bill_now(session, payment_id))

    # --- payments ----------------------------------------------------------------------------------------------

    @activity.defn
    async def bill_after_payment(self, payment_id: PaymentId) -> BillNow:
        """What is paid and due on the payment's bill, for a bill's workflow that did not hear how the payment ended."""
        async with self._database.transaction() as session:
            return await payments.bill_now(session, payment_id)

    @activity.defn
    async def schedule_payment(self, schedule: SchedulePayment) -> SchedulePaymentAnswer:
        """Lock the bill, check what is still due, save the payment and plan its write: one transaction (S4-25)."""
        ref = schedule.request
        payment_id = payments.payment_id_for(ref.organization_id, ref.key)
        async with self._database.transaction() as session:
            bill = await payments.lock_bill(session, schedule.bill_id)
            assert bill is not None, "the route checked that the bill exists"
            # Behind the lock: an earlier run of this activity may have answered meanwhile.
            request = await _request(session, ref)
            asked = RequestedPayment.model_validate(request.body)
            connection = await connections.get(session, bill.connection_id)
            assert connection is not None, "a bill's connection is never removed"
            bank_account = asked.bank_account or connection.preferences.get("bank_account")
            if request.answer is None:
                refusal = payment_refused(bill, asked, bank_account)
                if refusal is not None:
                    await requests.answer(session, ref.organization_id, ref.key, 422, refusal)
                else:
                    assert bank_account is not None, "a missing bank account is refused above"
                    await payments.create(
                        session,
                        payment_id,
                        schedule.bill_id,
                        bill,
                        amount=asked.amount,
                        pay_on=asked.pay_on,
                        method=asked.method or "EFT",
                        bank_account=bank_account,
                        actor=request.actor,
                    )
                    await requests.answer(session, ref.organization_id, ref.key, 201, {"payment_id": payment_id})
            elif request.status == 422:
                refusal = request.answer
            else:
                refusal = None
        if refusal is not None:
            return SchedulePaymentAnswer(outcome="refused")
        return SchedulePaymentAnswer(
            outcome="scheduled",
            payment_id=payment_id,
            amount=str(asked.amount),
            pay_on=asked.pay_on,
            edition=bill.edition,
        )

    # --- issues ------------------------------------------------------------------------------------------------

    @activity.defn
    async def open_issue(self, issue: OpenIssue) -> SyncIssueId:
        """Open the issue a workflow waits behind, and show it on the bill or payment it stops."""
        code = issue_code(issue.code)
        async with self._database.transaction() as session:
            connection = await connections.get(session, issue.connection_id)
            assert connection is not None, "a workflow's connection is never removed"
            shown = None if issue.keeps_status else issue.subject_kind
            if shown == "bill" and issue.code != "LINK_MISSING":
                await bills.set_status(
                    session, BillId(issue.subject_id), BillStatus.SYNC_ISSUE, actor=bills.SYNCER, why=issue.message
                )
            elif shown == "payment":
                await payments.set_status(
                    session,
                    PaymentId(issue.subject_id),
                    PaymentStatus.SYNC_ISSUE,
                    actor=bills.SYNCER,
                    why=issue.message,
                )
            return await sync_issues.open_issue(
                session,
                organization_id=connection.organization_id,
                connection_id=issue.connection_id,
                subject_kind=issue.subject_kind,
                subject_id=issue.subject_id,
                code=issue.code,
                title=f"{code.title}: {issue.title}" if issue.title else code.title,
                cause=issue.message or code.cause,
                fix=code.fix,
                who=code.who,
                evidence={**issue.evidence, **({"erp_code": issue.erp_code} if issue.erp_code else {})},
                workflow_id=issue.workflow_id,
            )

    @activity.defn
    async def close_issue(self, close: CloseIssue) -> None:
        """The issue is settled: by a person's word, or because what it waited for happened."""
        async with self._database.transaction() as session:
            await sync_issues.close(session, close.issue_id, close.state, close.actor)


async def _request(session: AsyncSession, ref: RequestRef) -> Request:
    request = await requests.get(session, ref.organization_id, ref.key)
    assert request is not None, "the route stored the request before it rang"
    return request
