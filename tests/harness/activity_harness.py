"""The activities on one tenant: the harness of tests/activities.

Real: PostgreSQL, the activities, services and connector pool, the decisions that the API makes in its transaction.
Fake: the ERP (`FakeErp`), the notifier (`FakeNotifier`) and the encryption of credentials.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.exceptions import ApplicationError

from activities.bill_edits import BillEditActivities
from activities.bill_review import (
    BillReviewActivities,
)
from activities.connector_pool import Connections
from activities.database import MirrorActivities
from activities.erp import ErpActivities
from activities.failures import FailureDetails
from activities.notify import NotifyActivities
from activities.payments import PaymentActivities
from activities.retraction import RetractionActivities
from activities.sync import SyncActivities
from models.domain.bills import BillStatus, ErpBill
from models.domain.connections import Erp
from models.domain.ids import BillId, PaymentId, SyncRunId
from models.domain.orders import PurchaseOrder
from models.domain.retractions import BillEvent
from models.domain.sync import DeletedKind, Deletion, Stream
from models.messages.bills import (
    BillMatched,
    BillPushResult,
    PushBill,
    RetractBill,
)
from models.messages.orders import (
    RefreshedPurchaseOrder,
    RefreshPurchaseOrder,
    RematchBills,
    RematchedBills,
)
from models.messages.payments import (
    PaymentPushResult,
    PushPayment,
)
from models.messages.sync import StartSyncRun, SyncPage, SyncPageDone, SyncPlan
from models.store.audit import requests
from models.store.audit.outbox import OutboxMessage
from models.store.base.crossing import rerun_if_crossed
from models.store.base.database import Database
from models.store.connections import connections
from models.store.payables import bill_edits, payments
from models.store.policies import tolerance_policies
from models.store.policies.tolerance_policies import Scope
from models.store.sync import cursors
from services.bills import review, taken_back
from services.bills.acceptance import accept_bill
from services.bills.intake import RequestedBill
from services.bills.retraction import take_event
from services.payments.checks import RequestedPayment
from services.payments.scheduling import schedule_payment
from services.refusal import Refused
from tests.fakes.fake_connector import FakeConnector
from tests.fakes.fake_erp import FakeErp
from tests.fakes.fake_notifier import FakeNotifier
from tests.harness.tenant import (
    Tenant,
    new_tenant,
)

TODAY = date(2026, 3, 2)
FIRST_IMPORT_FROM = date(2026, 1, 1)


@dataclass(frozen=True)
class Decided:
    """What was decided on a requested bill."""

    outcome: str
    bill_id: BillId | None
    number: str
    total: str
    status: BillStatus | None
    needs: list[str]
    message: OutboxMessage | None = field(compare=False)
    """In the outbox, for the order's workflow."""


@dataclass(frozen=True)
class DecisionAnswer:
    """What was decided on a bill's match, and where the bill stands now."""

    outcome: str
    bill: BillMatched


@dataclass(frozen=True)
class PaymentAnswer:
    """What was decided on a requested payment."""

    outcome: str
    payment_id: PaymentId | None
    message: OutboxMessage | None
    """In the outbox, for the bill's workflow."""


class NoVault:
    def seal(self, values: Mapping[str, str]) -> bytes:
        return json.dumps(dict(values)).encode()

    def open(self, sealed: bytes) -> dict[str, str]:
        text = sealed.decode()
        return json.loads(text) if text.startswith("{") else {"password": text}


@dataclass
class ActivityHarness:
    tenant: Tenant
    erp: FakeErp
    notifier: FakeNotifier
    connections: Connections
    mirror: MirrorActivities
    deciding: BillReviewActivities
    pushing: ErpActivities
    editing: BillEditActivities
    paying: PaymentActivities
    retracting: RetractionActivities
    syncing: SyncActivities
    waking: NotifyActivities

    # --- orders ----------------------------------------------------------------------------------------------

    async def holds(self, order: PurchaseOrder) -> PurchaseOrder:
        """The order is in the ERP and in the mirror."""
        self.erp.orders[order.erp_id] = order
        await self.tenant.page(order)
        await self.tenant.wake_all()
        return order

    async def refresh(self, order: PurchaseOrder, *until: BillId) -> RefreshedPurchaseOrder:
        refresh = RefreshPurchaseOrder(
            connection_id=self.tenant.connection_id,
            purchase_order_id=self.tenant.id_of(order),
            until_confirmed=list(until),
        )
        return await self.pushing.refresh_purchase_order(refresh)

    # --- bills -----------------------------------------------------------------------------------------------

    async def decide_under_key(
        self, key: str, body: Mapping[str, Any], work: Callable[[AsyncSession], Awaitable[Mapping[str, Any]]]
    ) -> dict[str, Any]:
        """What a route does in its transaction: claim the key, decide, store the answer, a refusal as well."""
        organization_id = self.tenant.organization_id

        async def decide() -> dict[str, Any]:
            async with self.tenant.database.transaction() as s:
                request = await requests.claim(s, organization_id, key, "test", body, "ada")
                if request.answer is not None:
                    return request.answer
                try:
                    async with s.begin_nested():
                        status, answer = 200, await work(s)
                except Refused as refused:
                    status, answer = 422, {"code": refused.code, "detail": refused.detail}
                stored = await requests.answer(s, organization_id, key, status, answer)
                assert stored is not None
                return stored

        return await rerun_if_crossed(decide)

    async def bill(
        self,
        order: PurchaseOrder,
        quantities: Mapping[int, int | str],
        *,
        key: str | None = None,
        number: str | None = None,
        acknowledge: Sequence[str] = ("DUPLICATE_SUSPECT",),
        part_of: BillId | None = None,
        **line_values: Any,
    ) -> Decided:
        """Ask for a bill over {order line: quantity}; one key is one request. Bills alike on one day are meant."""
        key = key or f"key-{number}-{sorted(quantities.items())}-{order.erp_id}"
        body = {
            "purchase_order_id": self.tenant.id_of(order),
            "number": number or f"INV-{key}",
            "bill_date": TODAY.isoformat(),
            "acknowledge": acknowledge,
            "part_of": part_of,
            "lines": [
                {"order_line_no": no, "quantity": str(quantity), **line_values} for no, quantity in quantities.items()
            ],
        }
        return await self.ask_for_bill(key, body)

    async def ask_for_bill(self, key: str, body: Mapping[str, Any]) -> Decided:
        """What `POST .../bills` does in its transaction: claim the key, decide, store the answer."""
        asked, organization_id = RequestedBill.model_validate(body), self.tenant.organization_id

        async def decide() -> Decided:
            async with self.tenant.database.transaction() as s:
                request = await requests.claim(s, organization_id, key, "test", body, "ada")
                answer, message = request.answer, None
                if answer is None:
                    _, answer, message = await accept_bill(
                        s, asked, organization_id=organization_id, request_key=key, actor=request.actor
                    )
                    await requests.answer(s, organization_id, key, 422 if message is None else 201, answer)
            return Decided(
                outcome=answer["match"]["outcome"],
                bill_id=answer.get("bill_id"),
                number=body["number"],
                total=answer.get("total", ""),
                status=answer.get("status"),
                needs=[one["code"] for findings in answer.get("needs", {}).values() for one in findings],
                message=message,
            )

        return await rerun_if_crossed(decide)

    async def billed(self, order: PurchaseOrder, quantities: Mapping[int, int | str], **values: Any) -> BillId:
        """A bill that was accepted."""
        answer = await self.bill(order, quantities, **values)
        assert answer.bill_id is not None, answer
        return answer.bill_id

    async def acknowledge(self, bill_id: BillId, *findings: str, key: str) -> DecisionAnswer:
        return await self._decide_match(bill_id, list(findings), "", key)

    async def release(self, bill_id: BillId, *, key: str, reason: str = "agreed by mail") -> DecisionAnswer:
        return await self._decide_match(bill_id, None, reason, key)

    async def _decide_match(self, bill_id: BillId, findings: list[str] | None, reason: str, key: str) -> DecisionAnswer:
        async def work(s: AsyncSession) -> dict[str, Any]:
            decision = await review.decide(s, bill_id, findings, reason=reason, actor="ada", request_key=key)
            return {"status": decision.status, "decided": decision.decided}

        answer = await self.decide_under_key(key, {"findings": findings, "reason": reason}, work)
        async with self.tenant.database.transaction() as s:
            now = await review.waits_for(s, bill_id)
        return DecisionAnswer("refused" if "code" in answer else "decided", now)

    async def refusal(self, key: str) -> str:
        """The code the caller of the API is refused with."""
        async with self.tenant.database.transaction() as s:
            request = await requests.get(s, self.tenant.organization_id, key)
        assert request is not None
        assert request.answer is not None
        return str(request.answer["code"])

    async def rematch(self, order: PurchaseOrder, why: str = "the order changed") -> RematchedBills:
        restart = RematchBills(
            connection_id=self.tenant.connection_id, purchase_order_id=self.tenant.id_of(order), why=why
        )
        return await self.deciding.rematch_bills(restart)

    async def waits_for(self, bill_id: BillId) -> BillMatched:
        """What the bill's workflow is told of its match."""
        async with self.tenant.database.transaction() as s:
            return await review.waits_for(s, bill_id)

    async def open_issues(self, subject_id: str) -> list[Any]:
        """The subject's open issues."""
        return list(
            await self.tenant.fetch(
                "select * from sync_issues where connection_id = :c and state = 'open' and subject_id = :subject",
                subject=subject_id,
            )
        )

    async def deleted_in_erp(self, bill: ErpBill) -> None:
        """Somebody deletes a bill in the ERP, and a sync run reads it."""
        self.erp.bills_held.remove(bill)
        self.erp.gone.append(
            Deletion(kind=DeletedKind.BILL, erp_id=bill.erp_id, deleted_at=f"2999-01-01 {self.erp.tick()[11:]}")
        )
        await self.read(Stream.DELETIONS)

    async def three_way(self) -> None:
        await self.tenant.execute(
            "update connections set match_mode = 'three_way' where id = :id", id=self.tenant.connection_id
        )

    async def tolerates(self, **checks: Any) -> None:
        """The organization's policy: `price={"block": {"pct": "5"}}`."""
        async with self.tenant.database.transaction() as s:
            await tolerance_policies.create(
                s, self.tenant.organization_id, Scope(), {"checks": checks}, actor="ada", why="test"
            )

    async def push(self, bill_id: BillId) -> BillPushResult:
        push = PushBill(connection_id=self.tenant.connection_id, bill_id=bill_id)
        return await self.pushing.push_bill(push)

    async def write(self, bill_id: BillId) -> Any:
        (row,) = await self.tenant.fetch("select * from erp_writes where subject_id = :bill", bill=bill_id)
        return row

    async def ask(self, bill_id: BillId, event: BillEvent, *, key: str) -> str:
        """What `POST /v1/bills/{id}/<event>` does in its transaction; returns `done`, or the code of the refusal."""

        async def work(s: AsyncSession) -> dict[str, Any]:
            await taken_back.lock_orders(s, bill_id)
            bill = await bill_edits.lock(s, bill_id, self.tenant.organization_id)
            assert bill is not None
            if event is BillEvent.RESTORE:
                await taken_back.restore(s, bill, actor="ada", why="asked", request_key=key)
            else:
                await take_event(s, bill, event, actor="ada", why="asked", request_key=key)
            return {}

        answer = await self.decide_under_key(key, {"event": event.value}, work)
        return str(answer.get("code", "done"))

    async def retract(self, bill_id: BillId) -> BillMatched:
        """What the bill's workflow does with a bill that is to be taken back."""
        return await self.retracting.retract_bill(RetractBill(connection_id=self.tenant.connection_id, bill_id=bill_id))

    async def status(self, bill_id: BillId) -> BillStatus:
        (row,) = await self.tenant.fetch("select status from bills where id = :bill", bill=bill_id)
        return BillStatus(row.status)

    async def match(self, key: str) -> dict[str, Any]:
        """The match result as the caller of the API gets it."""
        async with self.tenant.database.transaction() as s:
            request = await requests.get(s, self.tenant.organization_id, key)
        assert request is not None
        assert request.answer is not None
        return dict(request.answer["match"])

    async def time_passes(self) -> None:
        """More than any read lag, for every write that is on its way."""
        await self.tenant.execute("update erp_writes set sent_at = sent_at - interval '10 minutes'")

    # --- payments --------------------------------------------------------------------------------------------

    async def pay(self, bill_id: BillId, amount: str, *, key: str, **values: Any) -> PaymentAnswer:
        """Ask for a payment; one key is one request."""
        body = {"amount": amount, "pay_on": datetime.now(UTC).date().isoformat(), "bank_account": "BANK-1", **values}

        message: list[OutboxMessage] = []

        async def work(s: AsyncSession) -> dict[str, Any]:
            scheduled = await schedule_payment(
                s,
                bill_id,
                RequestedPayment.model_validate(body),
                organization_id=self.tenant.organization_id,
                request_key=key,
                actor="ada",
            )
            message.append(scheduled.message)
            return {"payment_id": scheduled.payment_id}

        answer = await self.decide_under_key(key, body, work)
        outcome = "refused" if "code" in answer else "scheduled"
        return PaymentAnswer(outcome, answer.get("payment_id"), message[0] if message else None)

    async def paid(self, bill_id: BillId, amount: str, *, key: str) -> PaymentId:
        answer = await self.pay(bill_id, amount, key=key)
        assert answer.payment_id is not None, answer
        return answer.payment_id

    async def push_payment(self, payment_id: PaymentId) -> PaymentPushResult:
        return await self.paying.push_payment(
            PushPayment(connection_id=self.tenant.connection_id, payment_id=payment_id)
        )

    async def payment_write(self, payment_id: PaymentId) -> Any:
        (row,) = await self.tenant.fetch(
            "select * from erp_writes where external_key = :key", key=payments.external_key_for(payment_id)
        )
        return row

    # --- syncs -----------------------------------------------------------------------------------------------

    async def plan(self, run: str = "run-1") -> SyncPlan:
        return await self.syncing.plan_sync(
            StartSyncRun(connection_id=self.tenant.connection_id, trigger="person", workflow_run_id=run)
        )

    async def read_page(
        self, stream: Stream, after: str | None = None, high_water: str | None = None, read_at: str | None = None
    ) -> SyncPageDone:
        return await self.syncing.sync_page(
            SyncPage(
                connection_id=self.tenant.connection_id,
                run_id=SyncRunId("run"),
                stream=stream,
                after=after,
                high_water=high_water,
                read_at=read_at,
            )
        )

    async def read(self, stream: Stream) -> list[SyncPageDone]:
        """A whole stream, page by page, as the workflow does it."""
        pages = [await self.read_page(stream)]
        while pages[-1].after is not None:
            last = pages[-1]
            pages.append(await self.read_page(stream, last.after, last.high_water, last.read_at))
        return pages

    async def cursor(self, stream: Stream) -> str | None:
        async with self.tenant.database.transaction() as s:
            return (await cursors.positions(s, self.tenant.connection_id)).get(stream)

    async def skipped(self) -> dict[str, str]:
        """What is left out, by number, with its code."""
        rows = await self.tenant.fetch("select number, code from skipped_records where connection_id = :c")
        return {row.number: row.code for row in rows}

    async def mirrored(self) -> dict[str, str]:
        """The orders in the mirror by number, with the status a person sees."""
        rows = await self.tenant.fetch("select number, status from purchase_orders where connection_id = :c")
        return {row.number: row.status for row in rows}

    async def connection(self) -> Any:
        (row,) = await self.tenant.fetch("select * from connections where id = :c")
        return row


async def new_activity_harness(database: Database) -> ActivityHarness:
    tenant = await new_tenant(database)
    async with database.transaction() as s:
        await connections.set_first_import_from(s, tenant.connection_id, FIRST_IMPORT_FROM)
    erp, notifier = FakeErp(), FakeNotifier()
    open_connections = Connections(database, NoVault(), {Erp.INTACCT: partial(FakeConnector, erp)})
    return ActivityHarness(
        tenant=tenant,
        erp=erp,
        notifier=notifier,
        connections=open_connections,
        mirror=MirrorActivities(database),
        deciding=BillReviewActivities(database),
        pushing=ErpActivities(database, open_connections, notifier),
        editing=BillEditActivities(database, open_connections),
        paying=PaymentActivities(database, open_connections, notifier),
        retracting=RetractionActivities(database, open_connections, notifier),
        syncing=SyncActivities(database, open_connections, notifier),
        waking=NotifyActivities(database, notifier),
    )


def failure(raised: pytest.ExceptionInfo[ApplicationError]) -> FailureDetails:
    """What a workflow would learn from it."""
    details = raised.value.details[0]
    assert isinstance(details, FailureDetails)
    return details
