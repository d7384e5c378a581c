"""Apply credits to bills in their ERP, and undo that; every activity here is safe to run twice."""

from functools import partial

from temporalio import activity

from activities.bill_intake import BillIntake
from activities.connector_pool import Connections, OpenConnection
from activities.exactly_once import ExactlyOnce
from activities.failures import as_failure
from activities.order_intake import OrderIntake
from erp.connector import offered
from erp.errors import Duplicate, NotFound, Rejected
from erp.roles.credits import Credits
from erp.time_budgets import ErpWork
from models.domain.credits import ApplicationStatus, ApplicationToPush
from models.domain.ids import BillId, ErpId
from models.messages.credits import ApplicationFailed, ApplicationPushed, PushApplication
from models.store.audit import writes
from models.store.audit.writes import WriteAttempt
from models.store.base.database import Database
from models.store.payables import credit_applications
from services.outbox.delivery import OutboxDelivery
from services.payments import fees_taken_back
from temporal_gateway.notifier import WorkflowNotifier


class CreditApplications:
    """Makes and undoes applications in the ERP. One instance per worker."""

    def __init__(self, database: Database, connections: Connections, notifier: WorkflowNotifier) -> None:
        self._database = database
        self._connections = connections
        self._outbox = OutboxDelivery(database, notifier)
        self._bills = BillIntake(database, OrderIntake(database), self._outbox)
        self._exactly_once = ExactlyOnce(database)

    @activity.defn
    async def push_credit_application(self, push: PushApplication) -> ApplicationPushed:
        """Apply the credit, or adopt what an earlier attempt applied; or undo it.

        Raises:
            ApplicationError: The ERP refused it, failed, or may or may not have it.
        """
        async with self._connections.open(push.connection_id, ErpWork.WRITE) as connection:
            role = offered(connection.erp.credits, "credits that go out")
            async with self._database.transaction() as session:
                row = await credit_applications.get(session, push.application_id, lock=True)
                assert row is not None, "an application is never removed"
                status, credit_id = ApplicationStatus(row.status), BillId(row.credit_id)
                outgoing = await credit_applications.to_push(session, push.application_id)
                attempt = None
                if status is ApplicationStatus.APPLYING:
                    attempt = await writes.begin_attempt(session, outgoing.external_key)
            if status is ApplicationStatus.REFUSED:
                return ApplicationPushed(status=status)
            ended = status  # as an earlier attempt left it, which may have died before it read the figures again
            if status.is_under_way:
                ended, payment = ApplicationStatus.UNAPPLIED, None
                if attempt is None:
                    await self._unapply(role, outgoing)
                else:
                    ended, payment = ApplicationStatus.APPLIED, await self._apply(connection, role, outgoing, attempt)
                async with self._database.transaction() as session:
                    await credit_applications.end(session, push.application_id, ended, payment=payment)
                    if ended is ApplicationStatus.APPLIED:
                        await writes.confirm(session, outgoing.external_key, payment or outgoing.credit_erp_id)
            await self._bills.reread(
                connection, [outgoing.credit_erp_id], [outgoing.bill_erp_id], reason=f"{push.application_id} {ended}"
            )
            async with self._database.transaction() as session:
                key = f"{push.application_id} {ended}"
                of_fee = await fees_taken_back.take_back_fee(session, credit_id, request_key=key)
            await self._outbox.deliver_new(of_fee)
        return ApplicationPushed(status=ended)

    async def _apply(
        self, connection: OpenConnection, role: Credits, outgoing: ApplicationToPush, attempt: WriteAttempt
    ) -> ErpId | None:
        """Apply the credit, or find what an earlier attempt applied; return the payment that stands for it, if any."""
        try:
            applied = await self._exactly_once.write(
                connection.row,
                outgoing.external_key,
                attempt,
                find=partial(role.find_application, outgoing),
                create=partial(role.apply, outgoing),
            )
        except (Rejected, NotFound) as error:
            await self._exactly_once.reject(outgoing.external_key, error)
            raise
        return applied.payment

    @staticmethod
    async def _unapply(role: Credits, outgoing: ApplicationToPush) -> None:
        """Undo the application, unless an earlier attempt did."""
        try:
            await role.unapply(outgoing)
        except Duplicate:
            return
        except (Rejected, NotFound) as error:
            raise as_failure(error, retryable=False) from error


class CreditApplicationRecords:
    """Records in our own database how applications ended. One instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def credit_application_failed(self, failed: ApplicationFailed) -> None:
        """Record why an application, or undoing it, failed. Twice is once."""
        async with self._database.transaction() as session:
            await credit_applications.fail(session, failed.application_id, failed.ask, failed.message, code=failed.code)
            row = await credit_applications.get(session, failed.application_id)
            if row is not None and row.status == ApplicationStatus.APPLIED:
                await fees_taken_back.say_that_a_fee_stays(session, BillId(row.credit_id), failed.message)
