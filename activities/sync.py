"""Read an ERP into the mirror, a page at a time: fetch, decide what comes in, write it in one transaction.

The cursor of a stream moves only when its last page is committed, windows overlap, and every page is safe to read
twice, so a run may stop anywhere and another may start (DESIGN section 5).
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from activities.bill_intake import CREDITED, BillIntake, BillsTakenIn, owe_bills
from activities.connector_pool import Connections, OpenConnection
from activities.order_intake import OrderIntake, TakenIn, stored_as
from activities.sync_problems import SyncProblems
from erp.clock import moment_text
from erp.connector import offered
from erp.roles.pages import BadRecord, Page
from erp.time_budgets import ErpWork
from models.domain.bills import ErpBill
from models.domain.connections import MatchMode
from models.domain.ids import ConnectionId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import PurchaseOrder, PurchaseOrderSnapshot
from models.domain.payments import ErpPayment
from models.domain.receipts import Receipt, ReceiptStatus
from models.domain.sync import DeletedKind, Deletion, Stream
from models.messages.sync import StartSyncRun, SyncPage, SyncPageDone, SyncPlan
from models.store.audit.outbox import OutboxMessage
from models.store.base.database import Database
from models.store.connections import closed_periods, connections
from models.store.orders import credits, purchase_orders, receipts
from models.store.orders.credits import CreditedOrder
from models.store.payables import erp_payments
from models.store.policies import rematch_requests
from models.store.sync import change_hints, cursors, deletions, list_entries, mirrored_ids, record_versions, sync_runs
from services import setup_checks
from services.lists.issues import compare_refused
from services.outbox.delivery import OutboxDelivery
from services.sync import bad_records, clock_set_back, duplicates, order_page, repeated_units
from services.sync import deletion_scan as deletion_scan
from services.sync.import_window import first_import_from, start_of
from services.sync.retries import HEALED_BY_THE_BOOKS, retry_refused
from services.sync.streams import allowed_streams
from services.unnamed_currency import in_base_currency
from temporal_gateway.notifier import WorkflowNotifier

R = TypeVar("R", ListEntry, PurchaseOrder, Receipt, ErpBill, ErpPayment)

CLOCKS_DIFFER = timedelta(days=1)
"""After an empty read, the next read of a stream starts this long ago by the ERP's clock: what its own times are is not
known yet."""


class SyncActivities:
    """The reading side of a sync run. One instance per worker."""

    def __init__(self, database: Database, open_connections: Connections, notifier: WorkflowNotifier) -> None:
        self._database = database
        self._connections = open_connections
        self._outbox = OutboxDelivery(database, notifier)
        self._problems = SyncProblems(database, notifier)
        self._intake = OrderIntake(database)
        self._bill_intake = BillIntake(database, self._intake, self._outbox)
        self._readers: dict[Stream, Callable[[OpenConnection, SyncPage], Awaitable[SyncPageDone]]] = {
            Stream.LISTS: self._lists,
            Stream.PURCHASE_ORDERS: self._purchase_orders,
            Stream.RECEIPTS: self._receipts,
            Stream.BILLS: self._bills,
            Stream.PAYMENTS: self._payments,
            Stream.DELETIONS: self._deletions,
        }

    @activity.defn
    async def plan_sync(self, start: StartSyncRun) -> SyncPlan:
        """Open the run and find out which streams changed: one call to the ERP when nothing did.

        Raises:
            ApplicationError: The ERP refused or failed.
        """
        async with self._database.transaction() as session:
            run_id = await sync_runs.start(session, start.connection_id, start.trigger, start.workflow_run_id)
            await change_hints.take(session, start.connection_id)
        async with (
            self._problems.reported(start.connection_id),
            self._connections.open(start.connection_id, ErpWork.PAGE) as connection,
        ):
            await self._add_capabilities(connection)
            allowed, reason = allowed_streams(connection.row)
            async with self._database.transaction() as session:
                await purchase_orders.requeue_due(session, start.connection_id)
                positions = await cursors.positions(session, start.connection_id)
                with_books = await closed_periods.is_waited_for(session, start.connection_id)
            known = {stream: positions[stream] for stream in allowed if stream in positions}
            changed = {stream for stream in allowed if stream not in positions}
            change_set = await connection.erp.changes.detect_changes(known, with_books=with_books)
            present = connection.erp.clock.now()
            async with self._database.transaction() as session:
                dated = set(known) if change_set.deletions_feed else set(known) - {Stream.DELETIONS}
                changed |= await clock_set_back.reread(session, connection.row, dated, present)
                unknown = await record_versions.unknown(session, start.connection_id, change_set.record_versions)
                owed = await self._books(session, start, change_set.closed_through)
                if (position := known.get(Stream.DELETIONS)) is not None:
                    lost = await deletion_scan.feed_is(session, connection.row, change_set.deletions_feed)
                    if not change_set.deletions_feed and (lost or deletion_scan.due(position, datetime.now(UTC))):
                        changed.add(Stream.DELETIONS)
            await self._outbox.deliver_new(owed)
            changed |= change_set.unread | {Stream(stream) for stream in unknown}
        streams = [stream for stream in allowed if stream in changed]
        async with self._database.statement() as session:
            check_setup = await setup_checks.due(session, connection.row, datetime.now(UTC))
        return SyncPlan(
            run_id=run_id, streams=streams, reason=reason, window=change_set.window, check_setup=check_setup
        )

    async def _books(
        self, session: AsyncSession, start: StartSyncRun, closed_through: Mapping[str, date | None]
    ) -> list[OutboxMessage]:
        """Store how far the ERP's books are closed; return what those are owed that were refused for another day."""
        if not await closed_periods.take_in(session, start.connection_id, closed_through):
            return []
        return await retry_refused(
            session,
            start.connection_id,
            HEALED_BY_THE_BOOKS,
            why=closed_periods.MOVED,
            request_key=start.workflow_run_id,
        )

    async def _add_capabilities(self, connection: OpenConnection) -> None:
        """Store what this version of posync can do with the ERP and the connection was checked without."""
        offered = connection.erp.capabilities.model_dump(mode="json")
        if offered.keys() <= connection.row.capabilities.keys():
            return
        async with self._database.transaction() as session:
            await connections.add_capabilities(session, ConnectionId(connection.row.id), offered)

    @activity.defn
    async def sync_page(self, page: SyncPage) -> SyncPageDone:
        """Read one page of one stream into the mirror.

        Raises:
            ApplicationError: The ERP refused or failed.
        """
        async with (
            self._problems.reported(page.connection_id),
            self._connections.open(page.connection_id, ErpWork.PAGE) as connection,
        ):
            done = await self._readers[page.stream](connection, page)
        if connection.row.sync_problem_since is not None:
            await self._problems.over(page.connection_id)
        return done

    # --- one reader per stream --------------------------------------------------------------------------------

    async def _lists(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        since, began = await self._since(page), datetime.now(UTC)
        read = await connection.erp.lists.page(list(ListKind), since=since, after=page.after)
        read_at = connection.erp.clock.at(began)
        entries, read = stored_as(read, read_at)
        deleted = await self._entries_gone(connection, page, entries, read)
        async with self._database.transaction() as session:
            upserted = await list_entries.upsert(session, page.connection_id, entries, log=True)
            if deleted:
                await deletions.apply(session, connection.row, deleted)
            await bad_records.report(session, connection.row, "list_entry", read.bad)
            mended = {entry.erp_id for entry in entries} - {record.erp_id for record in read.bad}
            await bad_records.report_repaired(session, connection.row, "list_entry", sorted(mended))
            if upserted.changed or deleted:
                await compare_refused(session, page.connection_id)
            await repeated_units.report(session, connection.row, {entry.kind for entry in entries})
            if upserted.changed:
                await rematch_requests.request(session, page.connection_id, "a vendor, an item or a unit changed")
            return await self._finish_page(session, page, read, read_at, upserted.changed)

    async def _entries_gone(
        self, connection: OpenConnection, page: SyncPage, entries: Sequence[ListEntry], read: Page[ListEntry]
    ) -> list[Deletion]:
        """Return which entries of the lists that were now read whole the ERP does not have any more."""
        if not connection.erp.capabilities.lists_compared:
            return []
        shown = {(entry.kind, entry.erp_id) for entry in entries}
        shown |= {(kind, ErpId(record.erp_id)) for kind in ListKind for record in read.bad}
        async with self._database.transaction() as session:
            await list_entries.seen(session, page.connection_id, shown)
            missing = await list_entries.not_seen_in(session, page.connection_id, page.run_id, read.whole)
        at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        return [
            Deletion(kind=DeletedKind.LIST_ENTRY, list_kind=kind, erp_id=erp_id, deleted_at=at)
            for kind, erp_ids in missing.items()
            for erp_id in await connection.erp.lists.gone(kind, erp_ids)
        ]

    async def _purchase_orders(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        row, erp = connection
        orders = offered(erp.orders, "purchase orders")
        since, began = await self._since(page), datetime.now(UTC)
        headers = await orders.headers(
            since=since,
            ordered_from=None if since else first_import_from(row),
            after=page.after,
            open_in=None if since else MatchMode(row.match_mode),
            window=page.window,
        )
        read_at = erp.clock.at(headers.began or began)

        async def finish(session: AsyncSession, taken: TakenIn) -> SyncPageDone:
            done = await self._finish_page(session, page, headers, read_at, taken.changed)
            return done.model_copy(update={"skipped": taken.left_out, "bad": taken.bad})

        return await self._intake.take_in(connection, headers, read_at, finish)

    async def _receipts(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        row, erp = connection
        received = offered(erp.receipts, "receipts")
        since, began = await self._since(page) or start_of(first_import_from(row)), datetime.now(UTC)
        read = await received.page(since=since, after=page.after)
        read_at = erp.clock.at(began)
        shown, read = stored_as(read, read_at)
        known: list[tuple[Receipt, ReceiptStatus]] = []
        unknown: list[BadRecord] = []
        for receipt in shown:
            status = received.status(receipt.erp_status)
            if status is not None:
                known.append((receipt, status))
            else:
                unknown.append(
                    BadRecord(
                        erp_id=receipt.erp_id,
                        code="UNKNOWN_ERP_STATUS",
                        message=f"The ERP shows receipt {receipt.number} as {receipt.erp_status!r}.",
                        evidence={"number": receipt.number, "erp_status": receipt.erp_status},
                    )
                )
        async with self._database.transaction() as session:
            upserted = await receipts.upsert(
                session,
                page.connection_id,
                known,
                receipts_count_as_billed=erp.capabilities.receipts_count_as_billed,
            )
            await bad_records.report(session, row, "receipt", (*read.bad, *unknown))
            await bad_records.report_repaired(session, row, "receipt", [receipt.erp_id for receipt, _ in known])
            return await self._finish_page(session, page, read, read_at, upserted.changed)

    async def _bills(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        row, erp = connection
        since, began = await self._since(page) or start_of(first_import_from(row)), datetime.now(UTC)
        read = await erp.bills.page(since=since, after=page.after)
        read_at = erp.clock.at(began)

        async def finish(session: AsyncSession, stored: Page[ErpBill], taken_in: BillsTakenIn) -> SyncPageDone:
            done = await self._finish_page(session, page, stored, read_at, taken_in.changed)
            return done.model_copy(update={"skipped": taken_in.left_out})

        return await self._bill_intake.take_in(connection, read, read_at, finish, reason=page.run_id)

    async def _payments(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        row, erp = connection
        since, began = await self._since(page) or start_of(first_import_from(row)), datetime.now(UTC)
        read = await erp.payments.page(since=since, after=page.after)
        read_at = erp.clock.at(began)
        records, read = stored_as(read, read_at)
        records = in_base_currency(records, row)
        async with self._database.transaction() as session:
            upserted = await erp_payments.upsert(session, row, records)
            await bad_records.report(session, row, "payment", read.bad)
            await bad_records.report_repaired(session, row, "payment", [payment.erp_id for payment in records])
            messages = await owe_bills(session, row, upserted.ours, reason=page.run_id)
            done = await self._finish_page(session, page, read, read_at, upserted.changed)
        await self._outbox.deliver_new(messages)
        return done

    async def _deletions(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        row, erp = connection
        since, began = await self._since(page) or start_of(row.created_at.date()), datetime.now(UTC)
        read = await erp.changes.deletions(since=since, after=page.after)
        if read is None:
            return await self._scan(connection, page)
        read_at = erp.clock.at(began)
        credited: list[CreditedOrder] = []
        if erp.capabilities.credits_name_orders:
            async with self._database.transaction() as session:
                credited = await credits.of_deleted(await session.connection(), page.connection_id, read.records)
            await self._bill_intake.read_and_credit_anew(connection, credited)
        whole = await self._read_billed_orders(connection, read.records, but={order.erp_id for order in credited})
        async with self._database.transaction() as session:
            await deletion_scan.feed_is(session, row, True)
            applied = await deletions.apply(session, row, read.records)
            await repeated_units.report(session, row, {gone.list_kind for gone in read.records})
            await compare_refused(session, page.connection_id)
            await order_page.take_in_whole(session, row, erp, whole)
            if applied.bills:
                await duplicates.report(session, row, ())
            if credited:
                await rematch_requests.request(session, page.connection_id, CREDITED)
            messages = await owe_bills(session, row, applied.ours, reason=page.run_id)
            await bad_records.report(session, row, "deletion", read.bad)
            done = await self._finish_page(session, page, read, read_at, applied.changed, empty=since)
        await self._outbox.deliver_new(messages)
        return done

    async def _scan(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        """Find deletions without a feed: compare the mirrored records with what the ERP still has, in one step."""
        row = connection.row
        scan = offered(connection.erp.scan, "way to find out what was deleted")
        at = datetime.now(UTC)
        async with self._database.transaction() as session:
            stored = await mirrored_ids.of_connection(session, row, lists=connection.erp.capabilities.lists_scanned)
        result, doubts = deletion_scan.believed(stored, await scan.scan(stored), at)
        whole = await self._read_billed_orders(connection, result)
        async with self._database.transaction() as session:
            applied = await deletions.apply(session, row, result)
            await repeated_units.report(session, row, {gone.list_kind for gone in result})
            await compare_refused(session, page.connection_id)
            await order_page.take_in_whole(session, row, connection.erp, whole)
            if applied.bills:
                await duplicates.report(session, row, ())
            await deletion_scan.report(session, row, scan.why, doubts)
            await deletion_scan.scanned_at(session, page.connection_id, at)
            messages = await owe_bills(session, row, applied.ours, reason=page.run_id)
        await self._outbox.deliver_new(messages)
        return SyncPageDone(after=None, seen=sum(len(group.erp_ids) for group in stored), changed=applied.changed)

    async def _read_billed_orders(
        self, connection: OpenConnection, gone: Sequence[Deletion], but: Collection[ErpId] = ()
    ) -> Sequence[PurchaseOrderSnapshot]:
        """Read the orders of deleted bills whole, `but` those that were just read: what is billed of them is lower with
        the deletion, and where a bill was converted from a receipt, neither order nor receipt changes for it."""
        if connection.erp.orders is None:
            return ()
        async with self._database.transaction() as session:
            orders = await deletions.billed_orders(session, connection.row, gone)
        return await self._intake.read_whole(connection.erp, [order for order in orders if order not in but])

    # --- what every page does ---------------------------------------------------------------------------------

    async def _since(self, page: SyncPage) -> str | None:
        async with self._database.transaction() as session:
            return (await cursors.positions(session, page.connection_id)).get(page.stream)

    async def _finish_page(
        self,
        session: AsyncSession,
        page: SyncPage,
        read: Page[Any],
        read_at: datetime,
        changed: int,
        *,
        empty: str | None = None,
    ) -> SyncPageDone:
        """Move the stream's cursor if this was its last page, in the page's own transaction.

        It never moves beyond what the ERP's clock showed when the stream's first page was read: a record dated into
        the future, or one that changed while the later pages were read, would hide what changed on the first.

        A stream without any record was read too: the next run reads what changes from now on. Without a cursor it would
        be a first import once more, which would leave out an older order that is edited meanwhile (S1-12).
        """
        high_water = max(filter(None, (page.high_water, read.high_water)), default=None)
        began = page.read_at or moment_text(read_at)
        if read.after is None:
            position = min(high_water or empty or moment_text(read_at - CLOCKS_DIFFER), began)
            await cursors.move(session, page.connection_id, page.stream, position)
        return SyncPageDone(
            after=read.after,
            high_water=high_water,
            read_at=began,
            seen=len(read.records),
            changed=changed,
            bad=len(read.bad),
        )
