"""Reading an ERP into the mirror, a page at a time: fetch, judge what comes in, write it in one transaction.

The cursor of a stream moves only when its last page is committed, windows overlap, and every page is safe to read
twice, so a run may stop anywhere and another may start (DESIGN section 5).
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from activities import sweeping
from activities.bill_news import tell
from activities.connections import Connections, OpenConnection
from activities.doorbell import Doorbell
from activities.snapshots import apply_snapshot
from activities.statuses import importable, map_order, unknown_status
from erp.connector import BadRecord, Page, Sweep
from erp.issue_codes import issue_code
from models.domain import (
    ConnectionId,
    ListKind,
    MatchMode,
    PurchaseOrder,
    PurchaseOrderHeader,
    Receipt,
    ReceiptStatus,
    Stream,
)
from models.messages import StartSyncRun, SyncPage, SyncPageDone, SyncPlan
from models.store import (
    bill_news,
    bills,
    closed_periods,
    credits,
    cursors,
    deletions,
    erp_bills,
    erp_payments,
    held_records,
    list_entries,
    match_again,
    purchase_orders,
    receipts,
    skipped,
    stamps,
    sync_issues,
    sync_runs,
)
from models.store.credits import CreditedOrder
from models.store.database import Database
from models.store.order_pages import wake_again
from models.store.purchase_orders import MappedOrder
from models.tables import ConnectionRow

FIRST_IMPORT = timedelta(days=92)
"""Three months: how far back orders come in by themselves (S1-11)."""

CLOCKS_DIFFER = timedelta(days=1)
"""How far the ERP's clock may be behind ours: a stream that was empty is read from so long ago the next time."""

WHOLE_AT_ONCE = 50
"""So many older orders of a page are read whole, with their receipts; beyond that, receipts are read again by page."""

CREDITED = "a vendor credit changed"
"""Why bills that wait are matched again: where the ERP takes credits off the billed quantity itself, nothing else of
their order's terms moves."""


class SyncActivities:
    """The reading side of a sync run. One instance per worker."""

    def __init__(self, database: Database, open_connections: Connections, doorbell: Doorbell) -> None:
        self._database = database
        self._connections = open_connections
        self._doorbell = doorbell
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
        """Open the run and find out which streams have news: one call to the ERP when nothing changed."""
        async with self._database.transaction() as session:
            run_id = await sync_runs.start(session, start.connection_id, start.trigger, start.workflow_run_id)
        async with self._connections.open(start.connection_id) as connection:
            allowed, reason = allowed_streams(connection.row)
            async with self._database.transaction() as session:
                positions = await cursors.positions(session, start.connection_id)
            known = {stream: positions[stream] for stream in allowed if stream in positions}
            news = {stream for stream in allowed if stream not in positions}
            peek = await connection.erp.peek(known)
            async with self._database.transaction() as session:
                unknown = await stamps.unknown(session, start.connection_id, peek.stamps)
                await closed_periods.take_in(session, start.connection_id, peek.closed_through)
                if (position := known.get(Stream.DELETIONS)) is not None:
                    lost = await sweeping.feed_is(session, connection.row, peek.deletions_feed)
                    if not peek.deletions_feed and (lost or sweeping.due(position, datetime.now(UTC))):
                        news.add(Stream.DELETIONS)
            news |= peek.unread | {Stream(stream) for stream in unknown}
        return SyncPlan(run_id=run_id, streams=[stream for stream in allowed if stream in news], reason=reason)

    @activity.defn
    async def sync_page(self, page: SyncPage) -> SyncPageDone:
        """Read one page of one stream into the mirror."""
        async with self._connections.open(page.connection_id) as connection:
            return await self._readers[page.stream](connection, page)

    # --- one reader per stream --------------------------------------------------------------------------------

    async def _lists(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        since = await self._since(page)
        read = await connection.erp.list_entries(list(ListKind), since=since, after=page.after)
        async with self._database.transaction() as session:
            upserted = await list_entries.upsert(session, page.connection_id, read.records)
            await self._report_bad(session, connection.row, "list_entry", read.bad)
            if upserted.changed:
                await match_again.ask(session, page.connection_id, "a vendor, an item or a unit changed")
            return await self._finish_page(session, page, read, len(read.records), upserted.changed)

    async def _purchase_orders(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        row, erp = connection
        since = await self._since(page)
        headers = await erp.purchase_order_headers(
            since=since,
            ordered_from=None if since else first_import_from(row),
            after=page.after,
            open_in=None if since else MatchMode(row.match_mode),
        )
        wanted, left_out = await self._judge(connection, headers.records)
        orders = await erp.purchase_order_lines(wanted)
        if erp.capabilities.credits_name_orders:
            async with self._database.transaction() as session:
                moved = await credits.among(await session.connection(), page.connection_id, orders.records)
            await self._credit_anew(connection, moved)
        older = await self._received_before_the_window(row, orders.records)
        whole = await erp.purchase_orders_whole([order.erp_id for order in older[:WHOLE_AT_ONCE]]) if older else ()
        async with self._database.transaction() as session:
            mapped: list[MappedOrder] = []
            for order in orders.records:
                if order.currency is not None and order.currency != row.base_currency:
                    left_out.append(_left_out(order, "NOT_USD", f"it is in {order.currency}"))
                    continue
                statuses = await map_order(session, row, erp, order)
                if statuses is not None:
                    mapped.append(statuses)
            upserted = await purchase_orders.upsert(
                session,
                page.connection_id,
                mapped,
                receipts_count_as_billed=erp.capabilities.receipts_count_as_billed,
            )
            for snapshot in whole:
                await apply_snapshot(session, row, erp, snapshot)
            if older:
                ids = [purchase_orders.purchase_order_id(page.connection_id, order.erp_id) for order in older]
                await wake_again(await session.connection(), ids)
            if len(older) > WHOLE_AT_ONCE:
                oldest = min(order.ordered_on for order in older)
                await cursors.rewind(session, page.connection_id, Stream.RECEIPTS, _start_of(oldest))
            await skipped.record(session, page.connection_id, Stream.PURCHASE_ORDERS, left_out)
            bad = (*headers.bad, *orders.bad)
            await self._report_bad(session, row, "purchase_order", bad)
            mode = MatchMode(row.match_mode)
            usable: list[str] = [order.erp_id for order in orders.records if erp.statuses(order.erp_status, mode)]
            usable += [erp_id for erp_id, _, code, _, _ in left_out if code != "UNKNOWN_ERP_STATUS"]
            await self._report_repaired(session, row, "purchase_order", usable)
            done = await self._finish_page(session, page, headers, len(headers.records), upserted.changed)
            return done.model_copy(update={"skipped": len(left_out), "bad": len(bad)})

    async def _received_before_the_window(
        self, row: ConnectionRow, orders: Sequence[PurchaseOrder]
    ) -> list[PurchaseOrder]:
        """New orders older than the window of the first import (S1-12), of which something is converted already: by
        receipts, maybe, that are too old for the receipts' own stream and would pass for bills (S5-113)."""
        older = [
            order
            for order in orders
            if order.ordered_on < first_import_from(row)
            and order.currency in (None, row.base_currency)
            and any(line.billed for line in order.lines)
        ]
        if not older:
            return []
        async with self._database.transaction() as session:
            ids = [order.erp_id for order in older]
            held = await purchase_orders.imported(session, ConnectionId(row.id), ids)
        return [order for order in older if order.erp_id not in held]

    async def _judge(
        self, connection: OpenConnection, headers: Sequence[PurchaseOrderHeader]
    ) -> tuple[list[PurchaseOrderHeader], list[tuple[str, str, str, str, str]]]:
        """Which orders' lines are worth reading, and which orders stay out and why."""
        row, erp = connection
        connection_id = ConnectionId(row.id)
        async with self._database.transaction() as session:
            ids = [header.erp_id for header in headers]
            revisions = await purchase_orders.held_revisions(session, connection_id, ids)
            held = await purchase_orders.imported(session, connection_id, ids)
            wanted: list[PurchaseOrderHeader] = []
            left_out: list[tuple[str, str, str, str, str]] = []
            for header in headers:
                if revisions.get(header.erp_id, "") >= header.revision:
                    continue
                if header.erp_id in held:
                    wanted.append(header)
                    continue
                statuses = erp.statuses(header.erp_status, MatchMode(row.match_mode))
                if statuses is None:
                    await unknown_status(session, row, header)
                    left_out.append(
                        _left_out(header, "UNKNOWN_ERP_STATUS", f"its status {header.erp_status!r} is unknown")
                    )
                elif statuses.po is None:
                    left_out.append(_left_out(header, "NOT_APPROVED", f"it is {header.erp_status} in the ERP (S4-61)"))
                elif not importable(statuses):
                    left_out.append(_left_out(header, "ALREADY_FINISHED", f"it is {header.erp_status} already (S1-15)"))
                elif header.currency is not None and header.currency != row.base_currency:
                    left_out.append(_left_out(header, "NOT_USD", f"it is in {header.currency} (S1-16)"))
                else:
                    wanted.append(header)
        return wanted, left_out

    async def _receipts(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        row, erp = connection
        read = await erp.receipts(since=await self._since(page) or _start_of(first_import_from(row)), after=page.after)
        known: list[tuple[Receipt, ReceiptStatus]] = []
        unknown: list[BadRecord] = []
        for receipt in read.records:
            status = erp.receipt_status(receipt.erp_status)
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
            await self._report_bad(session, row, "receipt", (*read.bad, *unknown))
            await self._report_repaired(session, row, "receipt", [receipt.erp_id for receipt, _ in known])
            return await self._finish_page(session, page, read, len(read.records), upserted.changed)

    async def _bills(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        row, erp = connection
        read = await erp.bills(since=await self._since(page) or _start_of(first_import_from(row)), after=page.after)
        ours_in = [bill for bill in read.records if bill.currency == row.base_currency]
        credited: list[CreditedOrder] = []
        if erp.capabilities.credits_name_orders:
            async with self._database.transaction() as session:
                credited = await credits.of_page(await session.connection(), page.connection_id, ours_in)
            await self._credit_anew(connection, credited)
        left_out = [
            (str(bill.erp_id), bill.number, "NOT_USD", f"it is in {bill.currency}", bill.revision)
            for bill in read.records
            if bill.currency != row.base_currency
        ]
        async with self._database.transaction() as session:
            upserted = await erp_bills.upsert(session, row, ours_in)
            if credited:
                await match_again.ask(session, page.connection_id, CREDITED)
            await skipped.record(session, page.connection_id, Stream.BILLS, left_out)
            await self._report_bad(session, row, "bill", read.bad)
            await self._report_repaired(session, row, "bill", [bill.erp_id for bill in read.records])
            await bill_news.note(session, upserted.ours)
            done = await self._finish_page(session, page, read, len(read.records), upserted.changed)
        await tell(self._database, self._doorbell, upserted.ours)
        return done.model_copy(update={"skipped": len(left_out)})

    async def _payments(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        row, erp = connection
        read = await erp.payments(since=await self._since(page) or _start_of(first_import_from(row)), after=page.after)
        async with self._database.transaction() as session:
            upserted = await erp_payments.upsert(session, row, read.records)
            await self._report_bad(session, row, "payment", read.bad)
            await self._report_repaired(session, row, "payment", [payment.erp_id for payment in read.records])
            await bill_news.note(session, upserted.ours)
            done = await self._finish_page(session, page, read, len(read.records), upserted.changed)
        await tell(self._database, self._doorbell, upserted.ours)
        return done

    async def _deletions(self, connection: OpenConnection, page: SyncPage) -> SyncPageDone:
        row, erp = connection
        since = await self._since(page) or _start_of(row.created_at.date())
        read = await erp.deletions(since=since, after=page.after)
        if not isinstance(read, Page):
            return await self._sweep(row, page, read)
        credited: list[CreditedOrder] = []
        if erp.capabilities.credits_name_orders:
            async with self._database.transaction() as session:
                credited = await credits.of_deleted(await session.connection(), page.connection_id, read.records)
            await self._credit_anew(connection, credited)
        async with self._database.transaction() as session:
            await sweeping.feed_is(session, row, True)
            applied = await deletions.apply(session, row, read.records)
            if credited:
                await match_again.ask(session, page.connection_id, CREDITED)
            await bill_news.note(session, applied.ours)
            done = await self._finish_page(session, page, read, len(read.records), applied.changed, empty=since)
        await tell(self._database, self._doorbell, applied.ours)
        return done

    async def _sweep(self, row: ConnectionRow, page: SyncPage, sweep: Sweep) -> SyncPageDone:
        """Deletions without a feed: what we hold against what is there, in one step."""
        at = datetime.now(UTC)
        async with self._database.transaction() as session:
            held = await held_records.of_connection(session, row)
        found, doubts = sweeping.believed(held, await sweep.swept(held), at)
        async with self._database.transaction() as session:
            applied = await deletions.apply(session, row, found)
            await sweeping.tell(session, row, sweep.why, doubts)
            await sweeping.swept_at(session, page.connection_id, at)
            await bill_news.note(session, applied.ours)
        await tell(self._database, self._doorbell, applied.ours)
        return SyncPageDone(after=None, seen=sum(len(group.erp_ids) for group in held), changed=applied.changed)

    async def _credit_anew(self, connection: OpenConnection, orders: Sequence[CreditedOrder]) -> None:
        """Read these orders whole: what credits take back of them is only true beside what the ERP counts as billed at
        the same moment. Before the page itself is stored, so that a page that is read again does it again."""
        if not orders:
            return
        row, erp = connection
        read = await erp.purchase_orders_whole([order.erp_id for order in orders])
        whole = {snapshot.purchase_order.erp_id: snapshot for snapshot in read}
        for order in orders:
            async with self._database.transaction() as session:
                await credits.forget(await session.connection(), order.id)
                if order.erp_id in whole:
                    await apply_snapshot(session, row, erp, whole[order.erp_id])
                await wake_again(await session.connection(), [order.id])

    # --- what every page does ---------------------------------------------------------------------------------

    async def _since(self, page: SyncPage) -> str | None:
        async with self._database.transaction() as session:
            return (await cursors.positions(session, page.connection_id)).get(page.stream)

    async def _finish_page(
        self,
        session: AsyncSession,
        page: SyncPage,
        read: Page[Any],
        seen: int,
        changed: int,
        *,
        empty: str | None = None,
    ) -> SyncPageDone:
        """Move the stream's cursor if this was its last page, in the page's own transaction.

        A stream in which nothing was found has been read too: the next run takes what changes from now on, and not a
        first import once more, which would leave out an older order that is edited meanwhile (S1-12).
        """
        high_water = max(filter(None, (page.high_water, read.high_water)), default=None)
        if read.after is None:
            position = high_water or empty or _moment(datetime.now(UTC) - CLOCKS_DIFFER)
            await cursors.move(session, page.connection_id, page.stream, position)
        return SyncPageDone(after=read.after, high_water=high_water, seen=seen, changed=changed, bad=len(read.bad))

    async def _report_bad(
        self, session: AsyncSession, row: ConnectionRow, subject_kind: str, bad: Sequence[BadRecord]
    ) -> None:
        """Park what cannot be taken in, by name; everything else on the page went in (fault F13)."""
        for record in bad:
            code = issue_code(record.code)
            await sync_issues.open_issue(
                session,
                organization_id=row.organization_id,
                connection_id=row.id,
                subject_kind=subject_kind,
                subject_id=record.erp_id,
                code=record.code,
                title=f"{code.title}: {_name_of(record)}",
                cause=record.message,
                fix=code.fix,
                who=code.who,
                evidence=dict(record.evidence),
                workflow_id=None,
            )

    @staticmethod
    async def _report_repaired(
        session: AsyncSession, row: ConnectionRow, subject_kind: str, erp_ids: Sequence[str]
    ) -> None:
        """What was parked and can be taken in now needs nobody any more."""
        if erp_ids:
            await sync_issues.close_for_subjects(
                session, ConnectionId(row.id), subject_kind, erp_ids, actor=bills.SYNCER
            )


def allowed_streams(row: ConnectionRow) -> tuple[list[Stream], str]:
    """Which streams a connection's settings allow, in reading order, and why others are left out."""
    if not row.preferences_complete:
        return [Stream.LISTS], "lists only: the sync preferences are not complete (S2-55)"
    allowed = [Stream.LISTS]
    reasons: list[str] = []
    if row.purchase_orders_enabled:
        allowed += [Stream.PURCHASE_ORDERS, Stream.RECEIPTS]
    else:
        reasons.append("purchase orders are switched off (S1-32)")
    if row.one_way:
        reasons.append("bills and payments only go out (S2-52)")
    else:
        allowed += [Stream.BILLS, Stream.PAYMENTS]
    return [*allowed, Stream.DELETIONS], "; ".join(reasons)


def first_import_from(row: ConnectionRow) -> date:
    """From which order date on a first import takes orders: three months back, or what an operator set (S1-13)."""
    return row.first_import_from or datetime.now(UTC).date() - FIRST_IMPORT


def _name_of(record: BadRecord) -> str:
    """What people know it by, as far as the ERP showed it."""
    return record.evidence.get("number") or record.evidence.get("DOCID") or record.erp_id


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _start_of(day: date) -> str:
    return f"{day.isoformat()} 00:00:00"


def _left_out(header: PurchaseOrderHeader, code: str, reason: str) -> tuple[str, str, str, str, str]:
    return (header.erp_id, header.number, code, f"{header.number} is left out: {reason}.", header.revision)
