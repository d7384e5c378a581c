"""The doorway to our own database: short transactions that decide something. Most run as local activities.

Each is one transaction and safe to run twice: ids are derived from the caller's key, so a second run finds what the
first one saved and gives the same answer.
"""

from decimal import Decimal
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from activities.billing import RequestedBill, convertible_lines, line_to_match, new_bill, order_to_match
from activities.paying import RequestedPayment, payment_refused
from erp.issue_codes import issue_code
from matching.bill import BillToMatch, Outcome, match_bill
from matching.result import worst
from matching.sources import Source, check_sources, choose_sources
from matching.supplier_number import number_key
from models.domain import (
    BillId,
    BillStatus,
    ConnectionId,
    DocumentId,
    MatchMode,
    PaymentId,
    PaymentStatus,
    PoStatus,
    PurchaseOrderId,
    SyncIssueId,
)
from models.messages import (
    AbandonedWrite,
    AbandonWrite,
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
)
from models.store.database import Database
from models.tables import ConnectionRow, PurchaseOrderRow, RequestRow


class MirrorActivities:
    """Decisions made in our own database. One instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- bills -------------------------------------------------------------------------------------------------

    @activity.defn
    async def create_bill(self, ref: RequestRef) -> CreateBillAnswer:
        """Lock the order's lines, match, reserve, save the bill and plan its write: one transaction (S4-22, S4-28)."""
        async with self._database.transaction() as session:
            request = await _request(session, ref)
            asked = RequestedBill.model_validate(request.body)
            await ledger.lock_lines(session, [asked.purchase_order_id])
            # Read again behind the lock: an earlier run of this activity may have answered meanwhile.
            request = await _request(session, ref)
            order = await purchase_orders.get(session, asked.purchase_order_id)
            assert order is not None, "the route checked that the order exists"
            connection = await connections.get(session, ConnectionId(order.connection_id))
            assert connection is not None, "an order's connection is never removed"
            if request.answer is not None:
                return await self._answered(session, request, order)
            return await self._decide(session, ref, request, asked, order, connection)

    async def _answered(self, session: AsyncSession, request: RequestRow, order: PurchaseOrderRow) -> CreateBillAnswer:
        answer: dict[str, Any] = request.answer or {}
        return CreateBillAnswer(
            outcome=answer["match"]["outcome"],
            bill_id=answer.get("bill_id"),
            number=answer.get("number", ""),
            total=answer.get("total", ""),
            facts=await purchase_orders.facts(session, PurchaseOrderId(order.id)),
        )

    async def _decide(
        self,
        session: AsyncSession,
        ref: RequestRef,
        request: RequestRow,
        asked: RequestedBill,
        order: PurchaseOrderRow,
        connection: ConnectionRow,
    ) -> CreateBillAnswer:
        bill_id = bills.bill_id_for(ref.organization_id, ref.key)
        order_id = PurchaseOrderId(order.id)
        held = {line.line_no: line for line in await ledger.lines(session, order_id, without_bill=bill_id)}
        new_lines = [line_to_match(position, line, held) for position, line in enumerate(asked.lines, start=1)]
        to_match = BillToMatch(
            vendor_id=order.vendor_id,
            number=asked.number,
            currency=order.currency,
            entity=order.entity,
            lines=tuple(new_lines),
            duplicates=tuple(
                await bills.same_number(
                    session,
                    ConnectionId(connection.id),
                    order.vendor_id,
                    number_key(asked.number),
                    except_bill=bill_id,
                )
            ),
        )
        result = match_bill(
            MatchMode(connection.match_mode),
            order_to_match(order, held, continued_by=await _continued_by(session, order)),
            to_match,
        )
        sources: dict[int, tuple[Source, ...]] = {}
        if result.outcome is not Outcome.BLOCK:
            sources = choose_sources(
                DocumentId(order.document_id), await convertible_lines(session, order_id, held), to_match.lines
            )
            found = check_sources(
                sources, several_allowed=connection.capabilities.get("several_sources_per_bill", False)
            )
            findings = (*result.findings, *found)
            outcome = worst(finding.severity for finding in findings)
            result = result.model_copy(update={"findings": findings, "outcome": outcome})
        saved = result.outcome is not Outcome.BLOCK
        total = sum((line.amount for line in new_lines), Decimal(0))
        await match_results.save(
            session,
            connection_id=ConnectionId(connection.id),
            purchase_order_id=order_id,
            bill_id=bill_id if saved else None,
            request_key=ref.key,
            outcome=result.outcome,
            mode=MatchMode(connection.match_mode),
            result=result.model_dump(mode="json"),
            why="asked for",
        )
        if saved:
            due_on = asked.due_date or await payment_terms.due_on(
                session,
                ConnectionId(connection.id),
                term=order.term,
                vendor_id=order.vendor_id,
                bill_date=asked.bill_date,
            )
            await bills.create(
                session,
                new_bill(bill_id, ref, request, asked, due_on, order, connection, held, to_match, sources, result),
            )
        await requests.answer(
            session,
            ref.organization_id,
            ref.key,
            201 if saved else 422,
            {
                "bill_id": bill_id if saved else None,
                "number": asked.number,
                "total": str(total),
                "match": result.model_dump(mode="json"),
            },
        )
        return CreateBillAnswer(
            outcome=result.outcome,
            bill_id=bill_id if saved else None,
            number=asked.number,
            total=str(total),
            facts=await purchase_orders.facts(session, order_id),
        )

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
    async def schedule_payment(self, schedule: SchedulePayment) -> SchedulePaymentAnswer:
        """Lock the bill, check what is still due, save the payment and plan its write: one transaction (S4-25)."""
        ref = schedule.request
        payment_id = payments.payment_id_for(ref.organization_id, ref.key)
        async with self._database.transaction() as session:
            request = await _request(session, ref)
            asked = RequestedPayment.model_validate(request.body)
            bill = await payments.lock_bill(session, schedule.bill_id)
            assert bill is not None, "the route checked that the bill exists"
            request = await _request(session, ref)
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


async def _continued_by(session: AsyncSession, order: PurchaseOrderRow) -> str | None:
    """The back order that goes on with a closed order (S5-25)."""
    if order.status != PoStatus.CLOSED:
        return None
    last = (await purchase_orders.chain(session, PurchaseOrderId(order.id)))[-1]
    return None if last.id == order.id else last.number


async def _request(session: AsyncSession, ref: RequestRef) -> RequestRow:
    request = await requests.get(session, ref.organization_id, ref.key)
    assert request is not None, "the route stored the request before it rang"
    return request
