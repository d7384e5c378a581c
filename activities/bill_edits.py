"""Send edits of bills to their ERP; safe to run twice."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.bill_calls import calls_for
from activities.connector_pool import Connections, OpenConnection
from activities.failures import as_failure
from activities.read_backs import as_seen, status_of
from erp.errors import Duplicate, NotFound, OutcomeUnknown, Rejected, UnknownRefusal
from erp.time_budgets import ErpWork
from models.domain.bills import BillStatus, PushedBill
from models.domain.ids import DocumentId
from models.messages.bills import BillPushResult, PushBill
from models.store.base.database import Database
from models.store.payables import bill_parts, bills, edit_baseline, pending_edits
from models.store.payables.pending_edits import EditedDocument, OutgoingEdit
from models.tables import ConnectionRow
from services.sync.snapshots import apply_snapshot


class BillEditActivities:
    """Sends edits of bills to their ERP. One instance per worker."""

    def __init__(self, database: Database, connections: Connections) -> None:
        self._database = database
        self._connections = connections

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
            shown = await self._send_to_all(connection, push, edit, documents)
        async with self._database.transaction() as session:
            readback = await bill_parts.edited(session, push.bill_id, shown)
            await pending_edits.pushed(session, push.bill_id, edit, readback)
            for one in shown:
                if one.snapshot is not None:
                    await apply_snapshot(session, connection.row, connection.erp, one.snapshot)
        return BillPushResult(
            status=status_of(readback),
            document_id=readback.document_id,
            confirmed=False,
            differences=list(readback.differences),
            released=edit_baseline.RELEASE in edit.outgoing.bill.edited,
        )

    async def _send_to_all(
        self, connection: OpenConnection, push: PushBill, edit: OutgoingEdit, documents: Sequence[EditedDocument]
    ) -> list[PushedBill]:
        """Send an edit to the bill, or to each part of it, and read them back. All parts are looked at before the first
        one is touched; where one is refused after others took it, that is stored, so that they can be put back.

        Raises:
            ErpError: The ERP refused the edit, failed, or may or may not have it.
            ApplicationError: Family `PartlyTaken`: some parts have it.
        """
        shown: list[PushedBill] = []
        sending: EditedDocument | None = None
        try:
            if connection.erp.parts is not None and any(document.key for document in documents):
                await connection.erp.parts.check([document.as_part for document in documents])
            for document in documents:
                sending = document
                await self._mark(document, edit.edition)
                shown.append(await self._send_edit(connection, edit, document))
        except (Rejected, NotFound) as error:
            if sending is not None:  # it has what it had before
                await self._mark(sending, sending.edition)
            async with self._database.transaction() as session:
                if shown:
                    await bill_parts.edited(session, push.bill_id, shown)
                some_have_it = await bill_parts.any_edition(session, push.bill_id)
            if some_have_it:
                raise as_failure(error, family="PartlyTaken") from error
            raise
        return shown

    async def _mark(self, document: EditedDocument, edition: int | None) -> None:
        """Store, before it is sent, that a part may have this edit; None: it has what the others have."""
        if document.key is not None:
            async with self._database.transaction() as session:
                await bill_parts.mark_edition(session, document.key, edition)

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
        readback = as_seen(readback, connection.erp.clock, began)
        if readback.differences and readback.revision == document.revision:
            self._wait_to_show(connection.row, document.document_id, taken_before=taken_before)
        return readback

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
