"""The activities at work: a tenant on a real database, an ERP in memory, and a doorbell that writes down who rang."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.connections import Connections
from activities.erp import ErpActivities
from activities.failures import FailureDetails
from activities.mirror import MirrorActivities
from activities.sync import SyncActivities
from activities.waiting_bills import WaitingBillActivities
from activities.waking import WakingActivities
from models.domain import BillId, Erp, PaymentId, PurchaseOrder, Stream, SyncRunId
from models.messages import (
    BillEdited,
    BillNow,
    BillPushed,
    BillPushResult,
    BillsMatchedAgain,
    BillState,
    CreateBillAnswer,
    DecideMatch,
    DecideMatchAnswer,
    MatchBillsAgain,
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
)
from models.store import bills, connections, cursors, payments, requests, tolerance_policies
from models.store.database import Database
from models.store.tolerance_policies import Scope
from tests.activities.in_memory_erp import InMemoryErp
from tests.store.tenant import Tenant, new_tenant

TODAY = date(2026, 3, 2)
FIRST_IMPORT_FROM = date(2026, 1, 1)


@dataclass
class Bell:
    """A doorbell that only writes down."""

    orders: list[OrderFacts] = field(default_factory=list)
    pushed: list[BillPushed] = field(default_factory=list)
    bills: list[tuple[BillId, BillNow]] = field(default_factory=list)
    edits: list[BillEdited] = field(default_factory=list)
    match_again_for: list[tuple[str, str]] = field(default_factory=list)
    """Number of the order, and why."""
    broken: bool = False

    async def order_changed(self, order: PurchaseOrderState, facts: OrderFacts, *, new: bool = False) -> None:
        self.orders.append(facts)

    async def match_again(self, order: PurchaseOrderState, why: str) -> None:
        if self.broken:
            raise ConnectionError("Temporal is away")
        assert order.facts is not None
        self.match_again_for.append((order.facts.number, why))

    async def bill_pushed(self, order: PurchaseOrderState, facts: OrderFacts, pushed: BillPushed) -> None:
        self.pushed.append(pushed)

    async def bill_changed(self, bill_id: BillId, now: BillNow, *, again: BillState | None = None) -> None:
        if self.broken:
            raise ConnectionError("Temporal is away")
        self.bills.append((bill_id, now))

    async def bill_edited(self, edited: BillEdited, *, again: BillState | None = None) -> bool:
        self.edits.append(edited)
        return True


class NoVault:
    def open(self, sealed: bytes) -> dict[str, str]:
        return {"password": sealed.decode()}


@dataclass
class Office:
    tenant: Tenant
    erp: InMemoryErp
    bell: Bell
    connections: Connections
    mirror: MirrorActivities
    deciding: WaitingBillActivities
    pushing: ErpActivities
    syncing: SyncActivities
    waking: WakingActivities

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
            until_covered=list(until),
        )
        return await self.pushing.refresh_purchase_order(refresh)

    # --- bills -----------------------------------------------------------------------------------------------

    async def ask(self, key: str, body: Mapping[str, Any]) -> RequestRef:
        """What a route does before it rings: the request is stored under its key."""
        async with self.tenant.database.transaction() as s:
            await requests.claim(s, self.tenant.organization_id, key, "test", body, "ada")
        return RequestRef(organization_id=self.tenant.organization_id, key=key)

    async def bill(
        self,
        order: PurchaseOrder,
        quantities: Mapping[int, int | str],
        *,
        key: str | None = None,
        number: str | None = None,
        acknowledge: Sequence[str] = ("DUPLICATE_SUSPECT",),
        **line_values: Any,
    ) -> CreateBillAnswer:
        """Ask for a bill over {order line: quantity}; one key is one request. Bills alike on one day are meant."""
        key = key or f"key-{number}-{sorted(quantities.items())}-{order.erp_id}"
        body = {
            "purchase_order_id": self.tenant.id_of(order),
            "number": number or f"INV-{key}",
            "bill_date": TODAY.isoformat(),
            "acknowledge": acknowledge,
            "lines": [
                {"order_line_no": no, "quantity": str(quantity), **line_values} for no, quantity in quantities.items()
            ],
        }
        return await self.mirror.create_bill(await self.ask(key, body))

    async def billed(self, order: PurchaseOrder, quantities: Mapping[int, int | str], **values: Any) -> BillId:
        """A bill that was accepted."""
        answer = await self.bill(order, quantities, **values)
        assert answer.bill_id is not None, answer
        return answer.bill_id

    async def acknowledge(self, bill_id: BillId, *findings: str, key: str) -> DecideMatchAnswer:
        request = await self.ask(key, {"findings": list(findings)})
        return await self.deciding.decide_match(DecideMatch(request=request, bill_id=bill_id))

    async def release(self, bill_id: BillId, *, key: str, reason: str = "agreed by mail") -> DecideMatchAnswer:
        request = await self.ask(key, {"findings": None, "reason": reason})
        return await self.deciding.decide_match(DecideMatch(request=request, bill_id=bill_id))

    async def refusal(self, key: str) -> str:
        """The code the caller of the API is refused with."""
        async with self.tenant.database.transaction() as s:
            request = await requests.get(s, self.tenant.organization_id, key)
        assert request is not None
        assert request.answer is not None
        return str(request.answer["code"])

    async def match_again(self, order: PurchaseOrder, why: str = "the order changed") -> BillsMatchedAgain:
        again = MatchBillsAgain(
            connection_id=self.tenant.connection_id, purchase_order_id=self.tenant.id_of(order), why=why
        )
        return await self.deciding.match_bills_again(again)

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
        push = PushBill(connection_id=self.tenant.connection_id, bill_id=bill_id, order_workflow_id="po/x")
        return await self.pushing.push_bill(push)

    async def write(self, bill_id: BillId) -> Any:
        (row,) = await self.tenant.fetch(
            "select * from erp_writes where external_key = :key", key=bills.external_key_for(bill_id)
        )
        return row

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

    async def pay(self, bill_id: BillId, amount: str, *, key: str, **values: Any) -> SchedulePaymentAnswer:
        body = {"amount": amount, "pay_on": TODAY.isoformat(), "bank_account": "BANK-1", **values}
        return await self.mirror.schedule_payment(SchedulePayment(request=await self.ask(key, body), bill_id=bill_id))

    async def paid(self, bill_id: BillId, amount: str, *, key: str) -> PaymentId:
        answer = await self.pay(bill_id, amount, key=key)
        assert answer.payment_id is not None, answer
        return answer.payment_id

    async def push_payment(self, payment_id: PaymentId) -> PaymentPushResult:
        return await self.pushing.push_payment(
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

    async def read_page(self, stream: Stream, after: str | None = None, high_water: str | None = None) -> SyncPageDone:
        return await self.syncing.sync_page(
            SyncPage(
                connection_id=self.tenant.connection_id,
                run_id=SyncRunId("run"),
                stream=stream,
                after=after,
                high_water=high_water,
            )
        )

    async def read(self, stream: Stream) -> list[SyncPageDone]:
        """A whole stream, page by page, as the workflow does it."""
        pages = [await self.read_page(stream)]
        while pages[-1].after is not None:
            pages.append(await self.read_page(stream, pages[-1].after, pages[-1].high_water))
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


async def new_office(database: Database) -> Office:
    tenant = await new_tenant(database)
    async with database.transaction() as s:
        await connections.set_first_import_from(s, tenant.connection_id, FIRST_IMPORT_FROM)
    erp, bell = InMemoryErp(), Bell()
    open_connections = Connections(database, NoVault(), {Erp.INTACCT: lambda settings, credentials: erp})
    return Office(
        tenant=tenant,
        erp=erp,
        bell=bell,
        connections=open_connections,
        mirror=MirrorActivities(database),
        deciding=WaitingBillActivities(database),
        pushing=ErpActivities(database, open_connections, bell),  # type: ignore[arg-type]
        syncing=SyncActivities(database, open_connections, bell),  # type: ignore[arg-type]
        waking=WakingActivities(database, bell),  # type: ignore[arg-type]
    )


def failure(raised: pytest.ExceptionInfo[ApplicationError]) -> FailureDetails:
    """What a workflow would learn from it."""
    details = raised.value.details[0]
    assert isinstance(details, FailureDetails)
    return details
