"""Make ERP calls from activities; every activity here is safe to run twice.

A write follows the recipe of DESIGN section 5: its intent was stored with the change that caused it; it is marked as
sent before it is sent; on any doubt it is looked up before it is sent again (`activities/exactly_once.py`); it is read
back afterwards; what the ERP holds is stored, and only then the workflows are notified.

Every activity raises `ApplicationError` when the ERP refuses, fails or is not ready (`activities/failures.py`).
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, TypeVar

from temporalio import activity

from activities.bill_calls import BillCalls, calls_for
from activities.connector_pool import Connections, OpenConnection
from activities.exactly_once import ExactlyOnce
from activities.failures import not_yet
from activities.named_entries import NamedEntries
from activities.read_backs import as_seen, status_of
from activities.turns import Turn, Turns
from erp.connector import offered
from erp.errors import Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected
from erp.time_budgets import ErpWork
from models.domain.bill_parts import number_behind
from models.domain.bills import BillStatus, BillToPush, DirectBillToPush, ErpBill, PushedBill
from models.domain.connections import Erp
from models.domain.credits import CreditToPush
from models.domain.ids import BillId, ConnectionId, CreditApplicationId, DocumentId, ErpId, ExternalKey, PurchaseOrderId
from models.domain.orders import PurchaseOrderSnapshot
from models.domain.writes import WriteKind, WriteState
from models.messages.bills import BillMatched, BillPushResult, PushBill
from models.messages.orders import (
    BillPushed,
    OrderFacts,
    PurchaseOrderState,
    RefreshedPurchaseOrder,
    RefreshPurchaseOrder,
)
from models.store.audit import writes
from models.store.audit.outbox import OutboxMessage
from models.store.audit.writes import WriteAttempt
from models.store.base.database import Database
from models.store.orders import purchase_orders
from models.store.orders.order_rows import lock_orders
from models.store.payables import (
    adopted_bills,
    bill_parts,
    bills,
    bills_in_review,
    credit_applications,
    duplicate_candidates,
    entered_credits,
    outgoing_bills,
)
from models.store.payables.duplicate_candidates import SinceMatched
from models.store.payables.outgoing_bills import OutgoingBill
from services.approvals.guard import hold_if_it_waits
from services.bills import duplicates, parts
from services.bills.parts import PartTurn
from services.outbox.delivery import OutboxDelivery
from services.payments import fees
from services.payments.fees_taken_back import take_back_fee
from services.sync.as_seen import snapshot_as_seen
from services.sync.snapshots import apply_snapshot
from temporal_gateway.notifier import WorkflowNotifier

T = TypeVar("T")

NEXT_WAITS_SECONDS = 2.0
"""How long the next write to an order waits, in its activity, until the one being sent is read back. It is notified
when the ERP took that one, so that by then it has reached this point."""


class Begun(NamedTuple):
    """An attempt of a bill's write that may be sent."""

    attempt: WriteAttempt
    outgoing: OutgoingBill
    since: SinceMatched
    part: PartTurn | None = None
    """Of a bill over several sources: the part whose turn it is. `outgoing` and `attempt` are then the part's."""


class StoredPush(NamedTuple):
    """What was stored of a push."""

    result: BillPushResult
    next_in_line: str | None
    """The subject of the write whose turn on the order it is now."""
    facts: OrderFacts | None
    """Those of the bill's order; None: it has none, or the bill has parts left to send."""


class StaysInReview(Exception):
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
        self._outbox = OutboxDelivery(database, notifier)
        self._turns = Turns()
        self._named_entries = NamedEntries(database)

    @activity.defn
    async def push_bill(self, push: PushBill) -> BillPushResult:
        """Create the bill in its ERP, or adopt the one that an earlier attempt created; read it back with its PO link.
        Of a bill in parts it creates the next part; the result says whether there are more.

        Raises:
            ApplicationError: The ERP refused the bill, failed, or may or may not have it.
        """
        with self._turns.sending() as turn:
            return await self._push_bill(push, turn)

    async def _push_bill(self, push: PushBill, turn: Turn) -> BillPushResult:
        async with self._connections.open(push.connection_id, ErpWork.WRITE) as connection:
            begun = await self._begin(push)
            if isinstance(begun, BillPushResult):
                return begun
            turn.is_of(begun.outgoing.bill.external_key)
            known = await self._named_entries.settle(connection, push.bill_id, begun.outgoing)
            begun = begun._replace(outgoing=known)
            try:
                document_id = await self._write(connection, push.bill_id, begun)
            except StaysInReview as kept:
                await self._signal_turn(begun.attempt.next_in_line)
                return BillPushResult(
                    status=kept.match.status,
                    document_id="",
                    confirmed=False,
                    version=kept.match.version,
                    needs=kept.match.needs,
                    because=kept.match.because,
                    more_parts=kept.match.status is BillStatus.PENDING_PUSH,
                )
            taken_at = time.monotonic()
            if begun.part is None:
                await self._signal_turn(begun.attempt.next_in_line)
            readback = await self._read_back(connection, begun, document_id)
        stored = await self._store(connection, push.bill_id, begun, readback)
        if stored.result.more_parts:
            return stored.result
        turn.ends()
        if stored.next_in_line != begun.attempt.next_in_line or time.monotonic() - taken_at > NEXT_WAITS_SECONDS / 2:
            await self._signal_turn(stored.next_in_line)  # the bill notified before no longer waits, or there was none
        if not begun.outgoing.bill.draft:
            # A draft bills nothing of the order before it is released: its workflow notifies the order then.
            await self._notify_orders(connection, push.bill_id, begun.outgoing, stored)
        return stored.result

    async def _write(self, connection: OpenConnection, bill_id: BillId, begun: Begun) -> DocumentId:
        """Write the bill, or the part whose turn it is, exactly once. A refusal is stored, and the turn goes on.

        Raises:
            StaysInReview: Another bill with its number turned up; nothing was sent.
            ErpError: The ERP refused it, failed, or may or may not have it.
        """
        attempt, outgoing, since, part = begun
        key = outgoing.bill.external_key
        try:
            calls = calls_for(connection.erp, outgoing)
            # Another bill with its number is looked for before anything of it is sent; later its own parts have it.
            check = None
            if not isinstance(outgoing.bill, CreditToPush):  # numbers of credits are not looked for
                check = partial(self._hold_duplicate, connection, bill_id, outgoing.bill, since, part)
            return await self._exactly_once.write(
                connection.row,
                key,
                attempt,
                find=calls.find,
                create=calls.create if part is None else partial(self._create_part, connection, part, calls),
                check=check if part is None or part.is_first else None,
            )
        except (Rejected, NotFound) as error:
            next_in_line = await self._exactly_once.reject(key, error)
            if part is not None:
                async with self._database.transaction() as session:
                    next_in_line = await parts.refuse(session, bill_id, part, error.message)
                    shown = parts.in_words(await bill_parts.of_bill(session, bill_id))
                error.evidence = {**error.evidence, "parts": shown}
            await self._signal_turn(next_in_line)
            raise
        except ErpError:
            if part is not None:
                async with self._database.transaction() as session:
                    await bill_parts.free_turn_of_unsent(session, bill_id)
            raise

    async def _read_back(self, connection: OpenConnection, begun: Begun, document_id: DocumentId) -> PushedBill:
        """Read what the ERP made of the bill; a link to its order that was dropped is made again where that can be.

        Raises:
            ErpError: The ERP does not show it. That is no refusal of the bill: the write stays in doubt.
        """
        part = begun.part
        calls = calls_for(connection.erp, begun.outgoing) if part is None else await self._as_sent(connection, part)
        began = datetime.now(UTC)
        # Of a burst, the last bill reads the order; until then each one would read all bills before it again.
        with_order = begun.attempt.next_in_line is None or part is not None
        readback = await calls.read_back(document_id, with_order=with_order)
        if not readback.linked and await calls.repair_link(document_id):
            began = datetime.now(UTC)
            readback = await calls.read_back(document_id, with_order=with_order)
        return as_seen(readback, connection.erp.clock, began)

    async def _store(
        self, connection: OpenConnection, bill_id: BillId, begun: Begun, readback: PushedBill
    ) -> StoredPush:
        """Store what the ERP holds of the bill and of its order, and pass the turn on the order on."""
        outgoing, part = begun.outgoing, begun.part
        fees_to_apply: Sequence[CreditApplicationId] = ()
        of_fee: Sequence[OutboxMessage] = ()
        async with self._database.transaction() as session:
            if isinstance(outgoing.bill, CreditToPush):
                if outgoing.purchase_order_id is not None:  # orders and their lines before bills
                    await lock_orders(await session.connection(), [outgoing.purchase_order_id])
                await entered_credits.lock_with_credited(session, bill_id)
            if part is None:
                result = BillPushResult(
                    status=status_of(readback),
                    document_id=readback.document_id,
                    confirmed=False,
                    differences=list(readback.differences),
                )
                await bills.pushed(session, bill_id, readback, status=result.status)
                if connection.erp.capabilities.adopts_converted_bills:
                    of = ConnectionId(connection.row.id)
                    await adopted_bills.merge_into_ours(session, of, bill_id, readback.payable_id)
                if isinstance(outgoing.bill, CreditToPush):
                    fees_to_apply = await fees.apply_sent(session, connection.row, bill_id)
                next_in_line = await writes.confirm(session, outgoing.bill.external_key, readback.erp_id)
                if isinstance(outgoing.bill, CreditToPush):
                    of_fee = await take_back_fee(session, bill_id, request_key=f"{bill_id} sent")
            else:
                result, next_in_line = await parts.take(session, bill_id, part, readback)
            if readback.snapshot is not None:
                settled = await apply_snapshot(session, connection.row, connection.erp, readback.snapshot)
                shown = bill_id in settled and not readback.snapshot.status_lags
                if shown and not result.more_parts and not outgoing.bill.draft:
                    result = result.model_copy(update={"confirmed": True})
            facts = None
            if outgoing.purchase_order_id is not None and not result.more_parts:
                facts = await purchase_orders.facts(session, outgoing.purchase_order_id)
        await self._start_applications(fees_to_apply)
        await self._outbox.deliver_new(of_fee)
        return StoredPush(result, next_in_line, facts)

    async def _notify_orders(
        self, connection: OpenConnection, bill_id: BillId, outgoing: OutgoingBill, stored: StoredPush
    ) -> None:
        """Notify the workflows of the bill's orders that it was pushed."""
        status = stored.result.status
        if outgoing.purchase_order_id is not None and outgoing.order_erp_id is not None:
            assert stored.facts is not None, "a bill's order is never removed from the mirror"
            await self._notifier.bill_pushed(
                PurchaseOrderState(
                    connection_id=ConnectionId(connection.row.id),
                    erp=Erp(connection.row.erp),
                    purchase_order_id=outgoing.purchase_order_id,
                    erp_id=outgoing.order_erp_id,
                    workflow_id=outgoing.order_workflow_id,
                ),
                stored.facts,
                BillPushed(bill_id=bill_id, status=status, confirmed=stored.result.confirmed, facts=stored.facts),
            )
        for order_id in outgoing.other_orders:
            await self._notify_other_order(order_id, bill_id, outgoing.bill, status)

    async def _start_applications(self, application_ids: Sequence[CreditApplicationId]) -> None:
        """Start the workflows of applications at once; the outbox holds them, should this process die before."""
        for application_id in application_ids:
            async with self._database.transaction() as session:
                state = await credit_applications.state_of(session, application_id)
            if state is not None:
                await self._notifier.start_credit_application(state)

    async def _notify_other_order(
        self,
        order_id: PurchaseOrderId,
        bill_id: BillId,
        bill: BillToPush | DirectBillToPush | CreditToPush,
        status: BillStatus,
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
            await self._turns.end_of(ExternalKey(attempt.waits_for), deadline - time.monotonic())
        await self._signal_turn(attempt.next_in_line)
        return result

    async def _signal_turn(self, next_in_line: str | None) -> None:
        """Notify the bill behind this one that its turn has come, or is about to."""
        if next_in_line is not None:
            await self._notifier.turn_came(BillId(next_in_line))

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
            StaysInReview: Its match now waits for a person; nothing was sent.
            OutcomeUnknown: It is ours, from an attempt that the look-up under our key did not show.
        """
        adopts = connection.erp.capabilities.adopts_converted_bills
        # Where the ERP's bills were read since, the mirror has what a person made of the receipt as another bill.
        is_known = since.read_since and not (adopts and since.was_refused)
        numbered = () if is_known else await connection.erp.bills.numbered(bill.vendor_id, bill.number)
        if any(one.external_key == bill.external_key for one in numbered):
            raise OutcomeUnknown(f"{bill.external_key} is in the ERP already", code="OUTCOME_UNKNOWN")
        earlier = set() if isinstance(bill, DirectBillToPush) else set(bill.earlier)
        numbered = [one for one in numbered if not {one.erp_id, one.source_document} & earlier]
        if adopts:
            others = [one for one in numbered if not _is_converted(one, bill)]
            if since.was_refused and len(others) < len(numbered):
                return  # a person made it of the receipt that it was refused for; its match would call it a duplicate
            numbered = others
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
            raise StaysInReview(match)

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


def _is_converted(existing: ErpBill, bill: BillToPush | DirectBillToPush) -> bool:
    """Return whether a person made this bill in the ERP, of an item receipt: the connector takes it as ours, and shows
    what differs. Where a person said that the number is another bill's, only one of the same total is."""
    if not isinstance(bill, BillToPush) or existing.external_key is not None or existing.rejected:
        return False
    if bill.may_repeat_number and existing.total != bill.total:
        return False
    return existing.order_document in {bill.order_document, *(line.source.document_id for line in bill.lines)}


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
