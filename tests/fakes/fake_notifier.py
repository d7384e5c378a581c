"""A notifier that writes down whom it was to notify and of what, and starts nothing in Temporal."""

from dataclasses import dataclass, field
from typing import Any

from models.contract import (
    bill_workflow_id,
    credit_application_workflow_id,
    list_change_workflow_id,
    payment_workflow_id,
    source_order_workflow_id,
)
from models.domain.ids import BillId, ConnectionId
from models.messages.bills import BillBalance, BillState
from models.messages.credits import CreditApplicationState
from models.messages.list_changes import ListChangeState
from models.messages.orders import BillAccepted, BillPushed, OrderFacts, PurchaseOrderState
from models.messages.outbox import ActivityToRetry, ScheduleToSet, SignalToSend
from models.messages.payments import PaymentState
from models.messages.source_orders import SourceOrderState
from models.messages.sync import SyncWaits


@dataclass
class FakeNotifier:
    """The notifier's calls, each kept in a list; `running` says what Temporal would answer."""

    orders: list[OrderFacts] = field(default_factory=list)
    pushed: list[BillPushed] = field(default_factory=list)
    bills: list[tuple[BillId, BillBalance]] = field(default_factory=list)
    turns: list[BillId] = field(default_factory=list)
    """Bills that were notified that their turn on their order has come."""
    accepted: list[BillAccepted] = field(default_factory=list)
    signals: list[SignalToSend] = field(default_factory=list)
    """The other messages of the outbox that were delivered."""
    rematched: list[tuple[str, str]] = field(default_factory=list)
    """Number of the order, and why."""
    schedules: list[ScheduleToSet] = field(default_factory=list)
    retried: list[ActivityToRetry] = field(default_factory=list)
    """Activities whose answer of the ERP is there."""
    waits: list[SyncWaits] = field(default_factory=list)
    """Why sync runs cannot read."""
    broken: bool = False
    running: set[str] = field(default_factory=set)
    """Workflows that run; the list of them is always up to date."""
    started: list[BillState | PaymentState | SourceOrderState | CreditApplicationState | ListChangeState] = field(
        default_factory=list
    )

    async def listed_as_running(self, connection_id: ConnectionId, workflow: str) -> set[str]:
        return self.running

    async def runs(self, workflow_id: str) -> bool:
        return workflow_id in self.running

    async def start_bill(self, bill: BillState) -> None:
        self.started.append(bill)
        self.running.add(bill_workflow_id(bill.bill_id))

    async def start_payment(self, payment: PaymentState) -> None:
        self.started.append(payment)
        self.running.add(payment_workflow_id(payment.payment_id))

    async def start_source_order(self, order: SourceOrderState, **with_signal: Any) -> None:
        self.started.append(order)
        self.running.add(source_order_workflow_id(order.source_order_id))

    async def start_credit_application(self, application: CreditApplicationState, **with_signal: Any) -> None:
        self.started.append(application)
        self.running.add(credit_application_workflow_id(application.application_id))

    async def start_list_change(self, change: ListChangeState, **with_signal: Any) -> None:
        self.started.append(change)
        self.running.add(list_change_workflow_id(change.change_id))

    async def signal(self, signal: SignalToSend) -> bool:
        if self.broken:
            raise ConnectionError("Temporal is away")
        runs = signal.workflow_id in self.running
        if runs or isinstance(signal.argument, BillBalance):
            self._record(signal)
        return runs

    async def signal_with_start(self, signal: SignalToSend) -> None:
        if self.broken:
            raise ConnectionError("Temporal is away")
        self._record(signal)

    async def set_schedule(self, schedule: ScheduleToSet) -> None:
        if self.broken:
            raise ConnectionError("Temporal is away")
        self.schedules.append(schedule)

    async def retry_activity(self, activity: ActivityToRetry) -> None:
        if self.broken:
            raise ConnectionError("Temporal is away")
        self.retried.append(activity)

    def _record(self, signal: SignalToSend) -> None:
        match signal.argument:
            case BillAccepted() as accepted:
                self.accepted.append(accepted)
            case BillBalance() as now:
                self.bills.append((BillId(signal.workflow_id.removeprefix("bill/")), now))
            case _:
                self.signals.append(signal)

    async def order_changed(self, order: PurchaseOrderState, facts: OrderFacts, *, new: bool = False) -> None:
        self.orders.append(facts)

    async def rematch(self, order: PurchaseOrderState, why: str) -> None:
        if self.broken:
            raise ConnectionError("Temporal is away")
        assert order.facts is not None
        self.rematched.append((order.facts.number, why))

    async def bill_pushed(self, order: PurchaseOrderState, facts: OrderFacts, pushed: BillPushed) -> None:
        self.pushed.append(pushed)

    async def bill_changed(self, bill_id: BillId, now: BillBalance, *, restart: BillState | None = None) -> None:
        if self.broken:
            raise ConnectionError("Temporal is away")
        self.bills.append((bill_id, now))

    async def sync_waits(self, connection_id: ConnectionId, waits: SyncWaits) -> None:
        self.waits.append(waits)

    async def turn_came(self, bill_id: BillId) -> None:
        self.turns.append(bill_id)
