"""Take a bill back from its ERP; safe to run twice.

It needs no write attempt record: a document is deleted by its own id, which is never given to another one, so a second
attempt finds that it is gone.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from temporalio import activity

from activities.connector_pool import Connections
from activities.failures import as_failure
from erp.connector import offered
from erp.errors import Duplicate, NotFound, Rejected, UnknownRefusal
from erp.roles.bills import Parts, Retractions
from erp.time_budgets import ErpWork
from models.domain.bill_parts import PartInErp
from models.domain.ids import DocumentId
from models.domain.orders import PurchaseOrderSnapshot
from models.domain.retractions import BillToRetract, RetractBy
from models.messages.bills import BillMatched, RetractBill
from models.store.base.database import Database
from models.store.payables import bill_parts, retractions
from services.bills import review, taken_back
from services.outbox.delivery import OutboxDelivery
from services.sync.as_seen import snapshot_as_seen
from services.sync.snapshots import apply_snapshot
from temporal_gateway.notifier import WorkflowNotifier


class RetractionActivities:
    """Takes bills back. One instance per worker."""

    def __init__(self, database: Database, connections: Connections, notifier: WorkflowNotifier) -> None:
        self._database = database
        self._connections = connections
        self._outbox = OutboxDelivery(database, notifier)

    @activity.defn
    async def retract_bill(self, retract: RetractBill) -> BillMatched:
        """Take the bill back, and give it the status that it was taken back for. Of one in parts the last goes first.

        Raises:
            ApplicationError: The ERP refused it, failed, or still shows the bill.
        """
        async with self._connections.open(retract.connection_id, ErpWork.WRITE) as connection:
            async with self._database.transaction() as session:
                outgoing = await retractions.load(session, retract.bill_id)
                if outgoing is None:  # done, abandoned, or deleted in the ERP meanwhile
                    return await review.waits_for(session, retract.bill_id)
                documents = await retractions.documents(session, outgoing, retract.bill_id)
            role = offered(connection.erp.retractions, "way to take bills back")
            there = [document for document, is_there in documents if is_there]
            if len(there) > 1 and connection.erp.parts is not None:
                await _check_all(role, connection.erp.parts, there)
            # The orders of parts that are gone already are read too: an earlier attempt may have died before it stored
            # what they have as billed now.
            snapshots: dict[DocumentId | None, PurchaseOrderSnapshot] = {}
            for document, is_there in documents:
                if is_there:
                    await _take_back(role, document)
                began = datetime.now(UTC)
                snapshot = (await role.read_back(document)).snapshot
                if snapshot is not None:
                    snapshots[document.order_document] = snapshot_as_seen(snapshot, connection.erp.clock, began)
                if is_there and document.external_key != outgoing.external_key:
                    async with self._database.transaction() as session:
                        stays = (
                            document.way is RetractBy.CREDIT
                            and snapshot is not None
                            and await retractions.source_stays_billed(session, document.external_key, snapshot)
                        )
                        await bill_parts.part_taken_back(session, document.external_key, stays_billed=stays)
        async with self._database.transaction() as session:
            await taken_back.lock_orders(session, retract.bill_id)
            before = await retractions.billed_of_orders(session, retract.bill_id)
            ended = await taken_back.end(session, connection.row, retract.bill_id)
            for snapshot in snapshots.values():
                await apply_snapshot(session, connection.row, connection.erp, snapshot, frees=True)
            if ended and outgoing.way is RetractBy.CREDIT and outgoing.order_document is not None:
                after = await retractions.billed_of_orders(session, retract.bill_id)
                if after >= before:
                    by_line = not connection.erp.capabilities.credits_name_orders
                    await retractions.keeps_quantity(session, retract.bill_id, by_line=by_line)
            messages = await taken_back.follow(session, connection.row, retract.bill_id) if ended else []
            now = await review.waits_for(session, retract.bill_id)
        await self._outbox.deliver_new(messages)
        return now


async def _check_all(role: Retractions, parts: Parts, documents: Sequence[BillToRetract]) -> None:
    """Find what is known to stand in the way of any part before the first one is gone: all of them go, or none.

    Raises:
        Rejected: Something does; no part was touched.
    """
    if documents[0].way is RetractBy.CREDIT:
        # One that an earlier attempt credited is paid by that credit.
        documents = [document for document in documents if await role.shows(document)]
    await parts.check(
        [PartInErp(document_id=document.document_id, owner_entity=document.owner_entity) for document in documents]
    )


async def _take_back(role: Retractions, bill: BillToRetract) -> None:
    """Take the bill back; one that is gone was taken back by an earlier attempt, or by a person.

    Raises:
        ErpError: The ERP refused it, failed, or may or may not have done it.
    """
    try:
        await role.take_back(bill)
    except Duplicate:
        return
    except (Rejected, NotFound, UnknownRefusal) as error:
        if not await role.shows(bill):
            return
        # What nobody knows is no reason to send it again and again: a person sees it, and may retry.
        refused = error.refusal() if isinstance(error, UnknownRefusal) else error
        raise as_failure(refused, retryable=False) from error
