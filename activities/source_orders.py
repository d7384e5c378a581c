"""Upload source orders to an ERP; every activity here is safe to run twice."""

from collections.abc import Awaitable, Callable
from functools import partial

from temporalio import activity

from activities.connector_pool import Connections
from activities.exactly_once import ExactlyOnce
from erp.connector import offered
from erp.errors import NotFound, Rejected
from erp.time_budgets import ErpWork
from models.domain.source_orders import OrderToUpload, UploadProblem, UploadState
from models.domain.writes import WriteState
from models.messages.source_orders import PushSourceOrder, SourceOrderFailed, SourceOrderPushed
from models.store.audit import writes
from models.store.audit.writes import WriteAttempt
from models.store.base.database import Database
from models.store.source_orders import orders
from services.source_orders import issues


class _NotThere(Rejected):
    """The ERP does not hold what is only looked up."""


def _may_be_sent(outgoing: OrderToUpload) -> Callable[[WriteAttempt], Awaitable[None]]:
    """Return the check right before an order is sent, when it is certain that the ERP does not hold it."""

    async def check(_: WriteAttempt) -> None:
        if outgoing.look_up_only:
            raise _NotThere(f"The ERP holds no {outgoing.number} of ours.", code="UPLOAD_NOT_IN_ERP")

    return check


class SourceOrderUploads:
    """Writes source orders to their ERP. One instance per worker."""

    def __init__(self, database: Database, connections: Connections) -> None:
        self._database = database
        self._connections = connections
        self._exactly_once = ExactlyOnce(database)

    @activity.defn
    async def push_source_order(self, push: PushSourceOrder) -> SourceOrderPushed:
        """Create the order's bill or purchase order in the ERP, or adopt the one that an earlier attempt created; read
        it back. One that is only looked up and is not there has ended with that: the order is free.

        Raises:
            ApplicationError: The ERP refused it, failed, or may or may not have it.
        """
        async with self._connections.open(push.connection_id, ErpWork.WRITE) as connection:
            sink = offered(connection.erp.order_sink, "orders of other systems")
            async with self._database.transaction() as session:
                outgoing = await orders.to_push(session, push.source_order_id)
                if outgoing is None:  # an earlier attempt's answer to Temporal was lost
                    row = await orders.get(session, push.source_order_id)
                    assert row is not None, "a source order is never removed"
                    return SourceOrderPushed(state=UploadState(row.upload_state), document_id=row.document_id or "")
                attempt = await writes.begin_attempt(session, outgoing.external_key)
            try:
                erp_id = await self._exactly_once.write(
                    connection.row,
                    outgoing.external_key,
                    attempt,
                    find=partial(sink.find, outgoing),
                    create=partial(sink.create, outgoing),
                    check=_may_be_sent(outgoing),
                )
            except _NotThere as error:
                async with self._database.transaction() as session:
                    await writes.reject(session, outgoing.external_key, error.code)
                    state = await orders.not_there(session, push.source_order_id)
                return SourceOrderPushed(state=state, document_id="")
            except (Rejected, NotFound) as error:
                if attempt.state is not WriteState.CONFIRMED:
                    await self._exactly_once.reject(outgoing.external_key, error)
                raise
            result = await sink.read_back(outgoing, erp_id)
        async with self._database.transaction() as session:
            await issues.upload_done(session, push.source_order_id, result)
            await writes.confirm(session, outgoing.external_key, result.erp_id)
        return SourceOrderPushed(state=UploadState.UPLOADED, document_id=result.document_id)


class SourceOrderRecords:
    """Records in our own database how uploads ended. One instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def source_order_failed(self, failed: SourceOrderFailed) -> None:
        """Record why an upload failed, and open its sync issue. Twice is once."""
        problem = UploadProblem(code=failed.code, message=failed.message, evidence=failed.evidence)
        async with self._database.transaction() as session:
            await issues.upload_failed(session, failed.source_order_id, problem, ask=failed.ask)
