"""Send payments to their ERP; safe to run twice."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from temporalio import activity

from activities.bill_intake import BillIntake
from activities.connector_pool import Connections
from activities.exactly_once import ExactlyOnce
from activities.failures import not_yet
from activities.order_intake import OrderIntake
from erp.clock import surely_seen
from erp.connector import offered
from erp.errors import Duplicate, NotFound, Rejected, UnknownRefusal
from erp.roles.payments import PaymentVoids
from erp.time_budgets import ErpWork
from models.domain.ids import SYNCER, ErpId
from models.domain.payments import PartPaid, PaymentCredit, PaymentStatus, PaymentToVoid, PushedPayment
from models.domain.writes import WriteState
from models.messages.payments import PaymentPushResult, PushPayment
from models.store.audit import writes
from models.store.audit.writes import WriteAttempt
from models.store.base.database import Database
from models.store.payables import bill_restart, outgoing_payments, payment_voids, payments, standalone_payments
from models.store.payables.outgoing_payments import OutgoingPayment
from services.outbox.delivery import OutboxDelivery
from services.payments.fees_taken_back import take_back_fees
from temporal_gateway.notifier import WorkflowNotifier

NOT_SETTLED = timedelta(minutes=10)
"""How soon a payment that the ERP has not posted yet (it needs an approval there) is read again."""


class PaymentActivities:
    """Sends payments to their ERP. One instance per worker."""

    def __init__(self, database: Database, connections: Connections, notifier: WorkflowNotifier) -> None:
        self._database = database
        self._connections = connections
        self._notifier = notifier
        self._exactly_once = ExactlyOnce(database)
        self._outbox = OutboxDelivery(database, notifier)
        self._bills = BillIntake(database, OrderIntake(database), self._outbox)

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
                if attempt.state is WriteState.SENT:
                    zone = connection.row.time_zone
                    await outgoing_payments.submit(session, push.payment_id, time_zone=zone, in_doubt=attempt.in_doubt)
                outgoing = await outgoing_payments.load_for_push(session, push.payment_id)
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
                    check=partial(self._refuse_unpayable, outgoing),
                )
            except (Rejected, NotFound) as error:
                await self._exactly_once.reject(outgoing.payment.external_key, error)
                raise
            began = datetime.now(UTC)
            readback = await connection.erp.payments.read_back(outgoing.payment, erp_id)
            readback = _payment_as_seen(readback, connection.erp.clock.at(began))
            if readback.settled:  # its bills are read back with it
                await self._bills.reread(
                    connection, _credits_of(outgoing.payment.credits), (), reason=f"{push.payment_id} paid"
                )
        async with self._database.transaction() as session:
            if outgoing.stands_alone:
                paid = await standalone_payments.pushed(session, push.payment_id, readback)
            else:
                paid = [(outgoing.bill_id, await payments.pushed(session, push.payment_id, readback))]
            await writes.confirm(session, outgoing.payment.external_key, readback.erp_id)
        if not readback.settled:
            raise not_yet(
                f"the ERP holds the payment as {readback.state!r} and has not posted it yet",
                retry_in=NOT_SETTLED,
                code="PAYMENT_NOT_POSTED",
            )
        left = {bill: balance.model_copy(update={"payment_id": push.payment_id}) for bill, balance in paid}
        for bill, balance in left.items():
            await self._notifier.bill_changed(bill, balance)
        return PaymentPushResult(status=PaymentStatus.PAID, erp_id=readback.erp_id, bill=left[outgoing.bill_id])

    @activity.defn
    async def void_payment(self, push: PushPayment) -> PaymentPushResult:
        """Void the payment in its ERP, or see that an earlier attempt did; report what is then due on its bills.

        Raises:
            ApplicationError: The ERP refused the void, failed, or still shows the payment.
        """
        key = payment_voids.void_key_for(push.payment_id)
        async with self._connections.open(push.connection_id, ErpWork.WRITE) as connection:
            role = offered(connection.erp.payment_voids, "way to void payments")
            async with self._database.transaction() as session:
                attempt = await writes.begin_attempt(session, key)
                status, void = await payment_voids.load(session, push.payment_id)
                if attempt.state is WriteState.ABANDONED or status not in (PaymentStatus.VOIDING, PaymentStatus.VOIDED):
                    now = await payments.bill_now(session, push.payment_id)
                    return PaymentPushResult(status=status, erp_id=void.payment_erp_id, bill=now)
            try:
                await self._void_once(role, void)
                await role.free_credits(void)
            except (Rejected, NotFound) as error:
                await self._exactly_once.reject(key, error)
                raise
            began = datetime.now(UTC)
            shown = _parts_as_seen(await role.read_back(void), connection.erp.clock.at(began))
            await self._bills.reread(connection, _credits_of(void.credits), (), reason=f"{push.payment_id} voided")
        async with self._database.transaction() as session:
            due = await payment_voids.voided(session, push.payment_id, shown)
            await writes.confirm(session, key, void.payment_erp_id)
            restarts = {bill_id: await bill_restart.restart_state(session, bill_id) for bill_id, _ in due}
            now = await payments.bill_now(session, push.payment_id)
            of_fees = await take_back_fees(session, push.payment_id, request_key=f"{push.payment_id} voided")
        await self._outbox.deliver_new(of_fees)
        for bill_id, balance in due:
            await self._notifier.bill_changed(bill_id, balance, restart=restarts[bill_id])
        return PaymentPushResult(status=PaymentStatus.VOIDED, erp_id=void.payment_erp_id, bill=now)

    @staticmethod
    async def _void_once(role: PaymentVoids, void: PaymentToVoid) -> None:
        """Void the payment, if it is not void already: an earlier attempt's answer may have been lost.

        Raises:
            ErpError: The ERP refused it, and still shows the payment.
        """
        try:
            if await role.shows(void):
                await role.void(void)
        except Duplicate:  # by an earlier attempt
            return
        except UnknownRefusal:
            raise
        except (Rejected, NotFound) as error:
            if isinstance(error, NotFound) or await role.shows(void):
                raise

    @staticmethod
    async def _refuse_unpayable(outgoing: OutgoingPayment, attempt: WriteAttempt) -> None:
        """Refuse to pay a bill that was rejected in the ERP, or of which a part is not there, or a vendor that is on
        hold or inactive there.

        Raises:
            Rejected: It was, when it was read last.
        """
        if outgoing.vendor_stopped is not None:
            raise Rejected(
                f"Vendor {outgoing.payment.vendor_id} is {outgoing.vendor_stopped} in the ERP: it is not paid.",
                code="VENDOR_NOT_PAID",
                evidence={"vendor": outgoing.payment.vendor_id, "state": outgoing.vendor_stopped},
            )
        if outgoing.parts_missing:
            raise Rejected(
                f"The ERP does not hold all of {outgoing.payment.memo}, so none of it is paid.",
                code="BILL_PARTS_MISSING",
                evidence={"bill": outgoing.payment.memo, "status": outgoing.bill_status.value},
            )
        if outgoing.bill_rejected:
            raise Rejected(
                f"{outgoing.payment.memo} was rejected in the ERP and bills nothing there.",
                code="BILL_REJECTED_IN_ERP",
                evidence={"document": outgoing.payment.bill_document},
            )


def _credits_of(credits: Sequence[PaymentCredit]) -> list[ErpId]:
    """Return the credits of a payment, each once."""
    return sorted({credit.credit_erp_id for credit in credits})


def _payment_as_seen(readback: PushedPayment, read_at: datetime) -> PushedPayment:
    """Return the read-back with the revisions to store the payment and its bill with: a void in the very second of the
    reading is found by the next sync."""
    bill_revision = readback.bill_revision
    return readback.model_copy(
        update={
            "revision": surely_seen(readback.revision, read_at),
            "bill_revision": None if bill_revision is None else surely_seen(bill_revision, read_at),
            "parts": _parts_as_seen(readback.parts, read_at),
        }
    )


def _parts_as_seen(parts: Sequence[PartPaid], read_at: datetime) -> tuple[PartPaid, ...]:
    """Return what is paid on documents with the revisions to store them with."""
    return tuple(
        part.model_copy(update={"revision": None if part.revision is None else surely_seen(part.revision, read_at)})
        for part in parts
    )
