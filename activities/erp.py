"""Make ERP calls from activities; every activity here is safe to run twice.

A write follows the recipe of DESIGN section 5: its intent was stored with the change that caused it; it is marked as
sent before it is sent; on any doubt it is looked up before it is sent again (`activities/exactly_once.py`); it is read
back afterwards; what the ERP holds is stored, and only then the workflows are notified.

Every activity raises `ApplicationError` when the ERP refuses, fails or is not ready (`activities/failures.py`).
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeVar

from temporalio import activity

from activities.bill_calls import BillCalls, calls_for
from activities.connector_pool import Connections, OpenConnection
from activities.exactly_once import ExactlyOnce
from activities.failures import as_failure, not_yet
from erp.clock import ErpClock, surely_seen
from erp.connector import offered
from erp.errors import Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected, UnknownRefusal
from erp.time_budgets import ErpWork
from models.domain.bill_parts import number_behind
from models.domain.bills import BillStatus, BillToPush, DirectBillToPush, ErpBill, PushedBill
from models.domain.connections import Erp
from models.domain.ids import SYNCER, BillId, DocumentId, ErpId, PurchaseOrderId
from models.domain.orders import PurchaseOrderSnapshot
from models.domain.payments import PaymentStatus, PushedPayment
from models.domain.writes import WriteKind, WriteState
from models.messages.bills import BillMatched, BillPushResult, PushBill
from models.messages.orders import BillPushed, PurchaseOrderState, RefreshedPurchaseOrder, RefreshPurchaseOrder
from models.messages.payments import PaymentPushResult, PushPayment
from models.store.audit import writes
from models.store.audit.writes import WriteAttempt
from models.store.base.database import Database
from models.store.orders import purchase_orders
from models.store.payables import (
    bill_parts,
    bills,
    bills_in_review,
    duplicate_candidates,
    outgoing_bills,
    payments,
    pending_edits,
)
from models.store.payables.duplicate_candidates import SinceMatched
from models.store.payables.outgoing_bills import OutgoingBill
from models.store.payables.payments import OutgoingPayment
from models.store.payables.pending_edits import EditedDocument, OutgoingEdit
from models.tables import ConnectionRow
from services.approvals.guard import hold_if_it_waits
from services.bills import duplicates, parts
from services.bills.parts import PartTurn
from services.sync.as_seen import snapshot_as_seen
from services.sync.snapshots import apply_snapshot
from temporal_gateway.notifier import WorkflowNotifier

T = TypeVar("T")

NEXT_WAITS_SECONDS = 2.0
"""How long the next write to an order waits, in its activity, until the one being sent is read back. It is notified
when the ERP took that one, so that by then it has reached this point."""

LOOK_EVERY_SECONDS = 0.02
"""How often the next write looks meanwhile. Only one write of an order looks, and only while another is being sent."""

NOT_SETTLED = timedelta(minutes=10)
"""How soon a payment that the ERP has not posted yet (it needs an approval there) is read again."""


class Begun(NamedTuple):
    """An attempt of a bill's write that may be sent."""

    attempt: WriteAttempt
    outgoing: OutgoingBill
    since: SinceMatched
    part: PartTurn | None = None
    """Of a bill over several sources: the part whose turn it is. `outgoing` and `attempt` are then the part's."""


class KeptBack(Exception):
    """Ends a push before anything was written to the ERP: the bill's new match keeps it in review."""

    def __init__(self, match: BillMatched) -> None:
        super().__init__(match.status)
        self.match = match


class ErpActivities:
    """Pushes writes to the ERP and reads orders again. One instance per worker."""

    def __init__(self, database: Database, connections: Connections, notifier: WorkflowNotifier) -> None:
        self._database = database
        self._connections = connections
        self._notifier = notifier
        self._exactly_once = ExactlyOnce(database)

    @activity.defn
    async def push_bill(self, push: PushBill) -> BillPushResult:
        """Create the bill in its ERP, or adopt the one that an earlier attempt created; read it back with its PO link.
        Of a bill in parts it creates the next part; the result says whether there are more.

        Raises:
            ApplicationError: The ERP refused the bill, failed, or may or may not have it.
        """
        async with self._connections.open(push.connection_id, ErpWork.WRITE) as connection:
            begun = await self._begin(push)
            if isinstance(begun, BillPushResult):
                return begun
            attempt, outgoing, since, part = begun
            try:
                calls = calls_for(connection.erp, outgoing)
                # Another bill with its number is looked for before anything of it is sent; later its own parts have it.
                check = partial(self._hold_duplicate, connection, push.bill_id, outgoing.bill, since, part)
                document_id = await self._exactly_once.write(
                    connection.row,
                    outgoing.bill.external_key,
                    attempt,
                    find=calls.find,
                    create=calls.create if part is None else partial(self._create_part, connection, part, calls),
                    check=check if part is None or part.is_first else None,
                )
            except (Rejected, NotFound) as error:
                next_in_line = await self._exactly_once.reject(outgoing.bill.external_key, error)
                if part is not None:
                    async with self._database.transaction() as session:
                        next_in_line = await parts.refuse(session, push.bill_id, part, error.message)
                        shown = parts.in_words(await bill_parts.of_bill(session, push.bill_id))
                    error.evidence = {**error.evidence, "parts": shown}
                await self._signal_turn(next_in_line)
                raise
            except KeptBack as kept:
                await self._signal_turn(attempt.next_in_line)
                return BillPushResult(
                    status=kept.match.status,
                    document_id="",
                    confirmed=False,
                    version=kept.match.version,
                    more_parts=kept.match.status is BillStatus.PENDING_PUSH,
                )
            except ErpError:
                if part is not None:
                    async with self._database.transaction() as session:
                        await bill_parts.free_turn_of_unsent(session, push.bill_id)
                raise
            taken_at = time.monotonic()
            if part is None:
                await self._signal_turn(attempt.next_in_line)
            else:
                calls = await self._as_sent(connection, part)
            # A refusal to show the bill is no refusal of the bill: the write stays in doubt and is not abandoned.
            began = datetime.now(UTC)
            readback = await calls.read_back(document_id)
            if not readback.linked and await calls.repair_link(document_id):
                began = datetime.now(UTC)
                readback = await calls.read_back(document_id)
            readback = _as_seen(readback, connection.erp.clock, began)
        async with self._database.transaction() as session:
            if part is None:
                result = BillPushResult(
                    status=_status_of(readback),
                    document_id=readback.document_id,
                    confirmed=False,
                    differences=list(readback.differences),
                )
                await bills.pushed(session, push.bill_id, readback, status=result.status)
                next_in_line = await writes.confirm(session, outgoing.bill.external_key, readback.erp_id)
            else:
                result, next_in_line = await parts.take(session, push.bill_id, part, readback)
            confirmed = False
            if readback.snapshot is not None:
                settled = await apply_snapshot(session, connection.row, connection.erp, readback.snapshot)
                confirmed = push.bill_id in settled and not readback.snapshot.status_lags
            if result.more_parts:
                return result
            status = result.status
            facts = None
            if outgoing.purchase_order_id is not None:
                facts = await purchase_orders.facts(session, outgoing.purchase_order_id)
        if next_in_line != attempt.next_in_line or time.monotonic() - taken_at > NEXT_WAITS_SECONDS / 2:
            await self._signal_turn(next_in_line)  # the bill notified before no longer waits, or there was none
        if outgoing.purchase_order_id is not None and outgoing.order_erp_id is not None:
            assert facts is not None, "a bill's order is never removed from the mirror"
            await self._notifier.bill_pushed(
                PurchaseOrderState(
                    connection_id=push.connection_id,
                    erp=Erp(connection.row.erp),
                    purchase_order_id=outgoing.purchase_order_id,
                    erp_id=outgoing.order_erp_id,
                    workflow_id=outgoing.order_workflow_id,
                ),
                facts,
                BillPushed(bill_id=push.bill_id, status=status, confirmed=confirmed, facts=facts),
            )
        for order_id in outgoing.other_orders:
            await self._notify_other_order(order_id, push.bill_id, outgoing.bill, status)
        return result.model_copy(update={"confirmed": confirmed})

    async def _notify_other_order(
        self, order_id: PurchaseOrderId, bill_id: BillId, bill: BillToPush | DirectBillToPush, status: BillStatus
    ) -> None:
        """Notify another order of the bill: its workflow reads it again until the ERP shows the bill's lines."""
        async with self._database.transaction() as session:
            order = await bills_in_review.order_state(session, order_id)
        assert order.facts is not None, "a mirrored order has facts"
        pushed = BillPushed(
            bill_id=bill_id,
            status=status,
            confirmed=False,
            facts=order.facts,
            number=bill.number,
            total=str(bill.total),
        )
        await self._notifier.bill_pushed(order, order.facts, pushed)

    @activity.defn
    async def push_bill_edit(self, push: PushBill) -> BillPushResult:
        """Send a bill's edit to the ERP and verify it there (S1-17, S5-136).

        It needs no write attempt record: an edition is one content under one name, so a second attempt changes nothing
        more and learns from Duplicate that the edit is there.

        Raises:
            ApplicationError: The ERP refused the edit, failed, or may or may not have it; family `NotShown`: the
                ERP refuses to show the bill after the edit.
        """
        async with self._connections.open(push.connection_id, ErpWork.WRITE) as connection:
            async with self._database.transaction() as session:
                edit = await pending_edits.load_for_push(session, push.bill_id)
                if edit is not None and edit.outgoing.status.is_void:  # deleted in the ERP meanwhile
                    return BillPushResult(status=edit.outgoing.status, document_id=edit.document_id, confirmed=False)
                if edit is None:  # in the ERP already, or abandoned
                    document_id = await bills.document_of(session, push.bill_id)
                    return BillPushResult(status=BillStatus.SYNCED, document_id=document_id, confirmed=False)
                documents = await pending_edits.documents(session, push.bill_id, edit)
            shown: list[PushedBill] = []
            for document in documents:
                try:
                    shown.append(await self._send_edit(connection, edit, document))
                except (Rejected, NotFound) as error:
                    if not shown:
                        raise
                    # Some of the bill's parts have it: the bill stays as it was edited.
                    raise as_failure(error, family="PartlyTaken") from error
        async with self._database.transaction() as session:
            readback = await bill_parts.edited(session, push.bill_id, shown)
            await pending_edits.pushed(session, push.bill_id, edit, readback)
            for one in shown:
                if one.snapshot is not None:
                    await apply_snapshot(session, connection.row, connection.erp, one.snapshot)
        return BillPushResult(
            status=_status_of(readback),
            document_id=readback.document_id,
            confirmed=False,
            differences=list(readback.differences),
        )

    async def _send_edit(self, connection: OpenConnection, edit: OutgoingEdit, document: EditedDocument) -> PushedBill:
        """Send an edit to one document and read it back.

        Raises:
            ErpError: The ERP refused the edit, failed, or may or may not have it.
            ApplicationError: It refuses to show the document, or refused the edit in unknown words.
        """
        calls = calls_for(connection.erp, document.outgoing)
        taken_before, refused = False, None
        try:
            await calls.update(document.document_id, edition=edit.edition)
        except Duplicate:  # an earlier attempt's answer was lost
            taken_before = True
        except UnknownRefusal as error:
            refused = error
        began = datetime.now(UTC)
        try:
            readback = await calls.read_back(document.document_id)
        except (Rejected, NotFound) as error:
            raise as_failure(error, family="NotShown") from error
        if refused is not None and readback.differences:
            # The ERP may show it later, so the edit is in doubt; a repeat is no answer to words nobody knows.
            raise as_failure(refused, family="UnknownRefusal", retryable=False)
        readback = _as_seen(readback, connection.erp.clock, began)
        if readback.differences and readback.revision == document.revision:
            self._wait_to_show(connection.row, document.document_id, taken_before=taken_before)
        return readback

    @activity.defn
    async def push_payment(self, push: PushPayment) -> PaymentPushResult:
        """Create the payment in its ERP, or adopt the one that an earlier attempt created; report what is then due.

        Raises:
            ApplicationError: The ERP refused the payment, failed, may or may not have it, or has not posted it
                yet (`NotYet`).
        """
        async with self._connections.open(push.connection_id, ErpWork.WRITE) as connection:
            async with self._database.transaction() as session:
                attempt = await writes.begin_attempt(session, payments.external_key_for(push.payment_id))
                outgoing = await payments.load_for_push(session, push.payment_id)
                if attempt.state is WriteState.ABANDONED:
                    now = await payments.bill_now(session, push.payment_id)
                    return PaymentPushResult(status=PaymentStatus.ABANDONED, erp_id="", bill=now)
                if outgoing.status is PaymentStatus.VOIDED:
                    now = await payments.bill_now(session, push.payment_id)
                    return PaymentPushResult(status=PaymentStatus.VOIDED, erp_id="", bill=now)
                if attempt.state is WriteState.SENT:
                    await payments.set_status(
                        session, push.payment_id, PaymentStatus.SUBMITTED, actor=SYNCER, why="sent to the ERP"
                    )
            try:
                erp_id = await self._exactly_once.write(
                    connection.row,
                    outgoing.payment.external_key,
                    attempt,
                    find=partial(connection.erp.payments.find, outgoing.payment),
                    create=partial(connection.erp.payments.create, outgoing.payment),
                    check=partial(self._refuse_rejected_bill, outgoing),
                )
            except (Rejected, NotFound) as error:
                await self._exactly_once.reject(outgoing.payment.external_key, error)
                raise
            began = datetime.now(UTC)
            readback = await connection.erp.payments.read_back(outgoing.payment, erp_id)
            readback = _payment_as_seen(readback, connection.erp.clock.at(began))
        async with self._database.transaction() as session:
            now = await payments.pushed(session, push.payment_id, readback)
            await writes.confirm(session, outgoing.payment.external_key, readback.erp_id)
        if not readback.settled:
            raise not_yet(
                f"the ERP holds the payment as {readback.state!r} and has not posted it yet",
                retry_in=NOT_SETTLED,
                code="PAYMENT_NOT_POSTED",
            )
        left = now.model_copy(update={"payment_id": push.payment_id})
        await self._notifier.bill_changed(outgoing.bill_id, left)
        return PaymentPushResult(status=PaymentStatus.PAID, erp_id=readback.erp_id, bill=left)

    @activity.defn
    async def refresh_purchase_order(self, refresh: RefreshPurchaseOrder) -> RefreshedPurchaseOrder:
        """Read one order whole into the mirror; repeated until the ERP shows the given bills (S4-65..67).

        Raises:
            ApplicationError: The ERP refused or failed, or does not show all of the bills yet (`NotYet`).
        """
        async with self._database.statement() as session:
            order = await purchase_orders.get(session, refresh.purchase_order_id)
        assert order is not None, "an order is never removed from the mirror"
        async with self._connections.open(refresh.connection_id, ErpWork.ORDER) as connection:
            began = datetime.now(UTC)
            snapshot = await offered(connection.erp.orders, "purchase orders").read(ErpId(order.erp_id))
            snapshot = snapshot_as_seen(snapshot, connection.erp.clock, began)
        async with self._database.transaction() as session:
            await apply_snapshot(session, connection.row, connection.erp, snapshot)
            facts = await purchase_orders.facts(session, refresh.purchase_order_id)
            still_open = await bills.reserving(session, refresh.purchase_order_id)
        assert facts is not None, "an order is never removed from the mirror"
        waiting = [bill_id for bill_id in refresh.until_confirmed if bill_id in still_open]
        if waiting:
            raise not_yet(
                f"{facts.number} does not show {len(waiting)} of our bills yet; the ERP says {facts.erp_status!r}",
                retry_in=None,
                code="STATUS_NOT_SHOWING",
                evidence=_evidence_of(snapshot, waiting),
            )
        if refresh.until_confirmed and snapshot.status_lags:
            raise not_yet(
                f"{facts.number} shows all of our bills and is still {facts.erp_status!r}",
                retry_in=None,
                code="STATUS_NOT_SHOWING",
                evidence=_evidence_of(snapshot, refresh.until_confirmed),
            )
        return RefreshedPurchaseOrder(facts=facts, confirmed=list(refresh.until_confirmed))

    # --- the recipe -------------------------------------------------------------------------------------------

    async def _begin(self, push: PushBill) -> Begun | BillPushResult:
        """Begin one attempt of the bill's write, or return why it is not sent now.

        Writes to one order go in turn. The bill's workflow waits until the write before it notifies it, however long
        that takes; only the next write waits here, for a moment, while the one before it is read back.
        """
        bill_id = push.bill_id
        deadline = time.monotonic() + NEXT_WAITS_SECONDS
        while True:
            async with self._database.transaction() as session:
                await hold_if_it_waits(session, bill_id)
                # The write's lock comes first: an edit or an unlink is either seen here or refused there.
                attempt = await writes.begin_attempt_for(session, WriteKind.BILL, bill_id)
                if attempt.state is WriteState.ABANDONED:
                    result = BillPushResult(status=BillStatus.ABANDONED, document_id="", confirmed=False)
                    break
                if attempt.state is WriteState.HELD:  # matched again meanwhile, and now in review
                    result = await bills.unsent_result(session, bill_id)
                    break
                if attempt.waits_for is None:
                    outgoing = await outgoing_bills.load_for_push(session, bill_id)
                    if not outgoing.status.is_void:
                        since = await duplicate_candidates.since_matched(session, bill_id)
                        part = await parts.begin(session, bill_id, outgoing, attempt, remake=push.remake_parts)
                        if part is not None:
                            return Begun(part.attempt, part.outgoing, since, part)
                        return Begun(attempt, outgoing, since)
                    result = BillPushResult(status=outgoing.status, document_id="", confirmed=False)
                    break  # deleted in the ERP meanwhile
            if not attempt.is_next or time.monotonic() > deadline:
                return BillPushResult(
                    status=BillStatus.PENDING_PUSH, document_id="", confirmed=False, waits_for=attempt.waits_for
                )
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        await self._signal_turn(attempt.next_in_line)
        return result

    async def _signal_turn(self, next_in_line: str | None) -> None:
        """Notify the bill behind this one that its turn has come, or is about to."""
        if next_in_line is not None:
            await self._notifier.turn_came(BillId(next_in_line))

    @staticmethod
    async def _refuse_rejected_bill(outgoing: OutgoingPayment, attempt: WriteAttempt) -> None:
        """Refuse to pay a bill that was rejected in the ERP, or of which a part is not there.

        Raises:
            Rejected: It was, when it was read last.
        """
        if outgoing.parts_missing:
            raise Rejected(
                f"The ERP does not hold every part of {outgoing.payment.memo}, so none of them is paid.",
                code="BILL_PARTS_MISSING",
                evidence={"bill": outgoing.payment.memo, "status": outgoing.bill_status.value},
            )
        if outgoing.bill_rejected:
            raise Rejected(
                f"{outgoing.payment.memo} was rejected in the ERP and bills nothing there.",
                code="BILL_REJECTED_IN_ERP",
                evidence={"document": outgoing.payment.bill_document},
            )

    async def _hold_duplicate(
        self,
        connection: OpenConnection,
        bill_id: BillId,
        bill: BillToPush | DirectBillToPush,
        since: SinceMatched,
        part: PartTurn | None,
        attempt: WriteAttempt,
    ) -> None:
        """Keep the bill back when another one with its number turned up in the ERP: one look-up there, and none where
        the ERP's bills were read since.

        Raises:
            KeptBack: Its match now waits for a person; nothing was sent.
            OutcomeUnknown: It is ours, from an attempt that the look-up under our key did not show.
        """
        numbered = () if since.read_since else await connection.erp.bills.numbered(bill.vendor_id, bill.number)
        if any(one.external_key == bill.external_key for one in numbered):
            raise OutcomeUnknown(f"{bill.external_key} is in the ERP already", code="OUTCOME_UNKNOWN")
        earlier = set() if isinstance(bill, DirectBillToPush) else set(bill.earlier)
        numbered = [one for one in numbered if not {one.erp_id, one.source_document} & earlier]
        if connection.erp.capabilities.adopts_converted_bills:
            numbered = [one for one in numbered if not _is_converted(one, bill)]
        if not numbered and not since.asks_for_match:
            return
        async with self._database.transaction() as session:
            attempts = {bill.external_key: attempt}
            if part is not None:
                attempts[part.bill_key] = part.bill_attempt
            match = await duplicates.hold_duplicate(session, connection.row, bill_id, attempts, numbered)
            if match is None and part is not None:
                now = await outgoing_bills.load_for_push(session, bill_id)
                if now.sources.keys() != part.outgoing.sources.keys():  # its parts are planned anew
                    for key, one in attempts.items():
                        await writes.not_sent(session, key, one.first_sent_at)
                    match = BillMatched(bill_id=bill_id, status=BillStatus.PENDING_PUSH, version=0)
        if match is not None:
            raise KeptBack(match)

    async def _create_part(self, connection: OpenConnection, part: PartTurn, calls: BillCalls) -> DocumentId:
        """Create a part; where the ERP takes the supplier's number only once, it goes out with `-2`, `-3` behind it.

        Raises:
            Duplicate: the ERP has a record with its key, or the number behind the supplier's is taken too.
            ErpError: as `Bills.create`.
        """
        bill = part.outgoing.bill
        try:
            return await calls.create()
        except Duplicate as error:
            if part.is_first or error.code == "ALREADY_SENT" or bill.number != part.number:
                raise
            existing = await calls.find()  # it may be there, from an attempt whose answer was lost
            if existing is not None:
                return existing
        number = number_behind(part.number, part.part_no, connection.erp.capabilities.longest_number)
        async with self._database.transaction() as session:
            await bill_parts.send_under(session, bill.external_key, number)
        return await (await self._as_sent(connection, part)).create()

    async def _as_sent(self, connection: OpenConnection, part: PartTurn) -> BillCalls:
        """Return the calls for a part under the number that it is sent under."""
        bill = part.outgoing.bill
        async with self._database.transaction() as session:
            number = await bill_parts.number_sent(session, bill.external_key)
        return calls_for(connection.erp, part.outgoing._replace(bill=bill.model_copy(update={"number": number})))

    @staticmethod
    def _wait_to_show(connection: ConnectionRow, document_id: DocumentId, *, taken_before: bool) -> None:
        """Wait for an edit to show: the ERP took it and still shows the document as before, as reads may lag behind
        writes.

        Once the lag is over, what the ERP shows is believed.

        Raises:
            OutcomeUnknown: The lag is not over yet.
        """
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


def _is_converted(existing: ErpBill, bill: BillToPush | DirectBillToPush) -> bool:
    """Return whether a person made this bill in the ERP, of an item receipt: the connector takes it as ours."""
    of_order = isinstance(bill, BillToPush) and existing.order_document == bill.order_document
    return of_order and existing.external_key is None and existing.total == bill.total


def _evidence_of(snapshot: PurchaseOrderSnapshot, awaited: Sequence[BillId]) -> dict[str, str]:
    """Return what the ERP said of an order when it was last read, for a person who must find out why (S4-67)."""
    order = snapshot.purchase_order
    return {
        "order": order.number,
        "document": order.document_id,
        "erp_status": order.erp_status,
        "billed": "; ".join(f"line {line.line_no}: {line.billed} of {line.quantity}" for line in order.lines[:20]),
        "bills_it_shows": ", ".join(sorted({billing.document_number for billing in snapshot.billings})) or "none",
        "awaited": ", ".join(awaited),
    }


def _as_seen(readback: PushedBill, clock: ErpClock, began: datetime) -> PushedBill:
    """Return the read-back with the revision to store its order with."""
    if readback.snapshot is None:
        return readback
    return readback.model_copy(update={"snapshot": snapshot_as_seen(readback.snapshot, clock, began)})


def _payment_as_seen(readback: PushedPayment, read_at: datetime) -> PushedPayment:
    """Return the read-back with the revisions to store the payment and its bill with: a void in the very second of the
    reading is found by the next sync."""
    bill_revision = readback.bill_revision
    return readback.model_copy(
        update={
            "revision": surely_seen(readback.revision, read_at),
            "bill_revision": None if bill_revision is None else surely_seen(bill_revision, read_at),
        }
    )


def _status_of(readback: PushedBill) -> BillStatus:
    """Return the status that the read-back gives a bill that the ERP took."""
    if not readback.linked:
        return BillStatus.LINK_MISSING
    return BillStatus.SYNC_ISSUE if readback.differences else BillStatus.SYNCED
