"""The doorway to the ERPs: every activity here makes ERP calls, and every one is safe to run twice.

A write follows the recipe of DESIGN section 5: its intent was stored with the change that caused it; it is marked as
sent before it is sent; on any doubt it is looked up before it is sent again; it is read back afterwards; what the ERP
holds is stored, and only then the workflows are told.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.connections import Connections
from activities.doorbell import Doorbell
from activities.failures import as_failure, not_yet
from activities.snapshots import apply_snapshot
from erp.errors import AuthenticationFailed, Duplicate, OutcomeUnknown, Rejected, Throttled, Unavailable
from models.domain import (
    BillId,
    BillStatus,
    BillToPush,
    DocumentId,
    Erp,
    ErpId,
    ExternalKey,
    PaymentStatus,
    PurchaseOrderId,
    PurchaseOrderSnapshot,
    PushedBill,
    WriteState,
)
from models.messages import (
    BillPushed,
    BillPushResult,
    PaymentPushResult,
    PurchaseOrderState,
    PushBill,
    PushPayment,
    RefreshedPurchaseOrder,
    RefreshPurchaseOrder,
)
from models.store import bills, payments, pending_edits, purchase_orders, waiting_bills, writes
from models.store.database import Database
from models.store.writes import Ticket
from models.tables import ConnectionRow

T = TypeVar("T")

TURN = timedelta(seconds=2)
"""How soon a write looks again whether the one before it is through."""

NOT_SETTLED = timedelta(minutes=10)
"""How soon a payment that waits in the ERP (for an approval there) is read again."""


class ErpActivities:
    """Pushes and re-reads. One instance per worker."""

    def __init__(self, database: Database, connections: Connections, doorbell: Doorbell) -> None:
        self._database = database
        self._connections = connections
        self._doorbell = doorbell

    @activity.defn
    async def push_bill(self, push: PushBill) -> BillPushResult:
        """Make the bill in its ERP, or adopt the one an earlier attempt made; read it back with its PO link."""
        async with self._connections.open(push.connection_id) as connection:
            async with self._database.transaction() as session:
                # The ticket's lock comes first: an edit or an unlink is either seen here or refused there.
                ticket = await writes.begin(session, bills.external_key_for(push.bill_id))
                if ticket.state is WriteState.ABANDONED:
                    return BillPushResult(status=BillStatus.ABANDONED, document_id="", covered=False)
                if ticket.state is WriteState.HELD:  # matched again meanwhile, and kept back
                    return await bills.kept_back(session, push.bill_id)
                going_out = await bills.in_push(session, push.bill_id)
            self._check_turn(ticket)
            try:
                document_id = await self._once(
                    connection.row,
                    going_out.bill.external_key,
                    ticket,
                    find=partial(connection.erp.find_bill, going_out.bill),
                    create=partial(connection.erp.create_bill, going_out.bill),
                )
            except Rejected as error:
                await self._reject(going_out.bill.external_key, error)
                raise
            # A refusal to show it is no refusal of the bill: the write stays in doubt, and is not given up.
            found = await connection.erp.read_bill(going_out.bill, document_id)
        status = _status_of(found)
        async with self._database.transaction() as session:
            await bills.pushed(session, push.bill_id, found, status=status)
            await writes.confirm(session, going_out.bill.external_key, found.erp_id)
            covered = False
            if found.snapshot is not None:
                settled = await apply_snapshot(session, connection.row, connection.erp, found.snapshot)
                covered = push.bill_id in settled and not found.snapshot.status_lags
            facts = await purchase_orders.facts(session, going_out.purchase_order_id)
        assert facts is not None, "a bill's order is never removed from the mirror"
        await self._doorbell.bill_pushed(
            PurchaseOrderState(
                connection_id=push.connection_id,
                erp=Erp(connection.row.erp),
                purchase_order_id=going_out.purchase_order_id,
                erp_id=going_out.order_erp_id,
            ),
            facts,
            BillPushed(bill_id=push.bill_id, status=status, covered=covered, facts=facts),
        )
        for order_id in going_out.other_orders:
            await self._tell_other(order_id, push.bill_id, going_out.bill, status)
        return BillPushResult(
            status=status,
            document_id=found.document_id,
            covered=covered,
            differences=list(found.differences),
        )

    async def _tell_other(
        self, order_id: PurchaseOrderId, bill_id: BillId, bill: BillToPush, status: BillStatus
    ) -> None:
        """A further order of the bill: its own workflow reads it again until the ERP shows the bill's lines on it."""
        async with self._database.transaction() as session:
            order = await waiting_bills.order_state(session, order_id)
        assert order.facts is not None, "a mirrored order has facts"
        pushed = BillPushed(
            bill_id=bill_id,
            status=status,
            covered=False,
            facts=order.facts,
            number=bill.number,
            total=str(bill.total),
        )
        await self._doorbell.bill_pushed(order, order.facts, pushed)

    @activity.defn
    async def push_bill_edit(self, push: PushBill) -> BillPushResult:
        """Bring a bill's edit to the ERP and verify it there (S1-17, S5-136). It needs no ticket: an edition is one
        content under one name, so a second attempt changes nothing more and learns from Duplicate that it is there."""
        async with self._connections.open(push.connection_id) as connection:
            async with self._database.transaction() as session:
                edit = await pending_edits.in_push(session, push.bill_id)
                if edit is None:  # through already, or given up
                    document_id = await bills.document_of(session, push.bill_id)
                    return BillPushResult(status=BillStatus.SYNCED, document_id=document_id, covered=False)
            bill = edit.going_out.bill
            taken_before = False
            try:
                await connection.erp.update_bill(bill, edit.document_id, edition=edit.edition)
            except Duplicate:  # an earlier attempt's answer was lost
                taken_before = True
            try:
                found = await connection.erp.read_bill(bill, edit.document_id)
            except Rejected as error:
                raise as_failure(error, family="NotShown") from error
            if found.differences and found.revision == edit.revision:
                self._wait_to_show(connection.row, edit.document_id, taken_before=taken_before)
        status = _status_of(found)
        async with self._database.transaction() as session:
            await pending_edits.pushed(session, push.bill_id, edit, found)
            if found.snapshot is not None:
                await apply_snapshot(session, connection.row, connection.erp, found.snapshot)
        return BillPushResult(
            status=status, document_id=found.document_id, covered=False, differences=list(found.differences)
        )

    @activity.defn
    async def push_payment(self, push: PushPayment) -> PaymentPushResult:
        """Make the payment in its ERP, or adopt the one an earlier attempt made; read back what it left due."""
        async with self._connections.open(push.connection_id) as connection:
            async with self._database.transaction() as session:
                ticket = await writes.begin(session, payments.external_key_for(push.payment_id))
                going_out = await payments.in_push(session, push.payment_id)
                if ticket.state is WriteState.ABANDONED:
                    now = await payments.bill_now(session, push.payment_id)
                    return PaymentPushResult(status=PaymentStatus.ABANDONED, erp_id="", bill=now)
                if ticket.state is WriteState.SENT:
                    await payments.set_status(
                        session, push.payment_id, PaymentStatus.SUBMITTED, actor=bills.SYNCER, why="sent to the ERP"
                    )
            self._check_turn(ticket)
            try:
                erp_id = await self._once(
                    connection.row,
                    going_out.payment.external_key,
                    ticket,
                    find=partial(connection.erp.find_payment, going_out.payment),
                    create=partial(connection.erp.create_payment, going_out.payment),
                )
            except Rejected as error:
                await self._reject(going_out.payment.external_key, error)
                raise
            found = await connection.erp.read_payment(going_out.payment, erp_id)
        async with self._database.transaction() as session:
            now = await payments.pushed(session, push.payment_id, found)
            await writes.confirm(session, going_out.payment.external_key, found.erp_id)
        if not found.settled:
            raise not_yet(
                f"the ERP holds the payment as {found.state!r} and has not posted it yet",
                again_in=NOT_SETTLED,
                code="PAYMENT_NOT_POSTED",
            )
        return PaymentPushResult(
            status=PaymentStatus.PAID,
            erp_id=found.erp_id,
            bill=now.model_copy(update={"payment_id": push.payment_id}),
        )

    @activity.defn
    async def refresh_purchase_order(self, refresh: RefreshPurchaseOrder) -> RefreshedPurchaseOrder:
        """Read one order whole into the mirror; again and again until the ERP shows the given bills (S4-65..67)."""
        async with self._database.statement() as session:
            order = await purchase_orders.get(session, refresh.purchase_order_id)
        assert order is not None, "an order is never removed from the mirror"
        async with self._connections.open(refresh.connection_id) as connection:
            snapshot = await connection.erp.purchase_order(ErpId(order.erp_id))
        async with self._database.transaction() as session:
            await apply_snapshot(session, connection.row, connection.erp, snapshot)
            facts = await purchase_orders.facts(session, refresh.purchase_order_id)
            still_open = await bills.reserving(session, refresh.purchase_order_id)
        assert facts is not None, "an order is never removed from the mirror"
        waiting = [bill_id for bill_id in refresh.until_covered if bill_id in still_open]
        if waiting:
            raise not_yet(
                f"{facts.number} does not show {len(waiting)} of our bills yet; the ERP says {facts.erp_status!r}",
                again_in=None,
                code="STATUS_NOT_SHOWING",
                evidence=_as_shown(snapshot, waiting),
            )
        if refresh.until_covered and snapshot.status_lags:
            raise not_yet(
                f"{facts.number} shows all of our bills and is still {facts.erp_status!r}",
                again_in=None,
                code="STATUS_NOT_SHOWING",
                evidence=_as_shown(snapshot, refresh.until_covered),
            )
        return RefreshedPurchaseOrder(facts=facts, covered=list(refresh.until_covered))

    # --- the recipe -------------------------------------------------------------------------------------------

    @staticmethod
    def _check_turn(ticket: Ticket) -> None:
        if ticket.waits_for is not None:
            raise not_yet(f"{ticket.waits_for} goes first", again_in=TURN, code="WAITING_FOR_TURN")

    async def _once(
        self,
        connection: ConnectionRow,
        key: ExternalKey,
        ticket: Ticket,
        *,
        find: Callable[[], Awaitable[T | None]],
        create: Callable[[], Awaitable[T]],
    ) -> T:
        """Make the record in the ERP, or adopt the one that an earlier attempt under this key made."""
        doubted = ticket.maybe_there
        if ticket.state is WriteState.CONFIRMED or doubted:
            found = await find()
            if found is not None:
                return found
            ticket = await self._believe_not_there(connection, key, ticket)
        try:
            return await create()
        except Duplicate as error:
            found = await find()
            if found is None and doubted:
                raise self._perhaps_ours(error) from error
            if found is None:
                raise self._not_ours(error) from error
            return found
        except (Unavailable, Throttled, AuthenticationFailed):
            await self._not_sent(key, ticket)
            raise

    async def _believe_not_there(self, connection: ConnectionRow, key: ExternalKey, ticket: Ticket) -> Ticket:
        """The look-up found nothing. Reads may lag writes, so that is believed only some time after the send."""
        lag = timedelta(seconds=connection.settings.get("read_lag_seconds", 120))
        left = lag - (datetime.now(UTC) - ticket.first_sent_at)
        if left > timedelta(0):
            raise OutcomeUnknown(
                f"{key} was sent and its answer was lost; the ERP does not show it yet",
                code="OUTCOME_UNKNOWN",
                retry_after=min(left + timedelta(milliseconds=100), timedelta(seconds=30)),
            )
        if ticket.state is WriteState.CONFIRMED:
            raise Rejected(
                f"{key} was confirmed before and is no longer in the ERP", code="DELETED_IN_ERP", evidence={"key": key}
            )
        async with self._database.transaction() as session:
            return await writes.send_again(session, key, ticket)

    @staticmethod
    def _wait_to_show(connection: ConnectionRow, document_id: DocumentId, *, taken_before: bool) -> None:
        """The ERP took an edit and shows the document as it was: reads may lag writes. Believed after the lag."""
        lag = timedelta(seconds=connection.settings.get("read_lag_seconds", 120))
        left = lag
        if taken_before:
            since = activity.info().scheduled_time if activity.in_activity() else datetime.now(UTC)
            left = lag - (datetime.now(UTC) - since)
        if left > timedelta(0):
            raise OutcomeUnknown(
                f"the ERP took the edit of {document_id} and does not show it yet",
                code="OUTCOME_UNKNOWN",
                retry_after=left + timedelta(milliseconds=100),
            )

    async def _not_sent(self, key: ExternalKey, ticket: Ticket) -> None:
        async with self._database.transaction() as session:
            await writes.not_sent(session, key, ticket.first_sent_at)

    async def _reject(self, key: ExternalKey, error: Rejected) -> None:
        async with self._database.transaction() as session:
            await writes.reject(session, key, error.code)

    @staticmethod
    def _not_ours(error: Duplicate) -> Rejected:
        return Rejected(
            f"{error.message} It is not a record posync made.",
            code=error.code,
            erp_code=error.erp_code,
            evidence=error.evidence,
        )

    @staticmethod
    def _perhaps_ours(error: Duplicate) -> ApplicationError:
        """An earlier attempt of ours may be the duplicate: a person is told, but the write stays in doubt, because what
        the ERP may hold is not given up."""
        return as_failure(
            Rejected(
                f"{error.message} An earlier attempt may have made it; the ERP does not show it under our key.",
                code=error.code,
                erp_code=error.erp_code,
                evidence=error.evidence,
            )
        )


def _as_shown(snapshot: PurchaseOrderSnapshot, awaited: Sequence[BillId]) -> dict[str, str]:
    """What the ERP said of an order when it was last read, for a person who must find out why (S4-67)."""
    order = snapshot.purchase_order
    return {
        "order": order.number,
        "document": order.document_id,
        "erp_status": order.erp_status,
        "billed": "; ".join(f"line {line.line_no}: {line.billed} of {line.quantity}" for line in order.lines[:20]),
        "bills_it_shows": ", ".join(sorted({billing.document_number for billing in snapshot.billings})) or "none",
        "awaited": ", ".join(awaited),
    }


def _status_of(found: PushedBill) -> BillStatus:
    """What reading back makes of a bill the ERP took."""
    if not found.linked:
        return BillStatus.LINK_MISSING
    return BillStatus.SYNC_ISSUE if found.differences else BillStatus.SYNCED
