"""Bring in older orders, a page at a time, beside the syncs: no cursor moves."""

from datetime import UTC, datetime

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from activities.connector_pool import Connections
from activities.order_intake import OrderIntake, TakenIn
from erp.connector import offered
from erp.time_budgets import ErpWork
from models.domain.backfills import BackfillWanted
from models.domain.connections import MatchMode
from models.domain.invoice_numbers import number_key
from models.messages.backfills import BackfillPage, BackfillPageDone, FinishBackfill
from models.store.base.database import Database
from models.store.sync import backfills
from services.sync.first_come import let_sync_go_first


class BackfillActivities:
    """The pages of a backfill. One instance per worker."""

    def __init__(self, database: Database, open_connections: Connections) -> None:
        self._database = database
        self._connections = open_connections
        self._intake = OrderIntake(database)

    @activity.defn
    async def backfill_page(self, page: BackfillPage) -> BackfillPageDone:
        """Wait while a sync of the connection is under way, then read a page of the ERP's orders, and take in those
        that are wanted. A page that was taken in before is not counted twice. A record that cannot be read is an issue
        of its own, and the rest goes on.

        Raises:
            ApplicationError: The ERP refused or failed.
        """
        async with self._database.transaction() as session:
            stored = await backfills.get(session, page.backfill_id)
        assert stored is not None, "a backfill is never removed"
        if stored.pages > page.page_no:
            return BackfillPageDone(after=stored.after, counts=stored.counts)
        await let_sync_go_first(self._database, page.connection_id)
        wanted = BackfillWanted.model_validate(stored.wanted)
        async with self._connections.open(page.connection_id, ErpWork.PAGE) as connection:
            orders, began = offered(connection.erp.orders, "purchase orders"), datetime.now(UTC)
            read = await orders.headers(
                since=None,
                ordered_from=wanted.ordered_from,
                after=page.after,
                # Of an order that is named, people are told why it stays out.
                open_in=None if wanted.numbers else MatchMode(connection.row.match_mode),
            )
            headers = read._replace(records=[one for one in read.records if wanted.fits(one)])

            async def finish(session: AsyncSession, taken: TakenIn) -> None:
                counts = {
                    "read": len(read.records),
                    "wanted": len(headers.records),
                    "changed": taken.changed,
                    "left_out": taken.left_out,
                    "bad": taken.bad,
                }
                seen = sorted({number_key(one.number) for one in headers.records} & wanted.keys)
                await backfills.count_page(session, page.backfill_id, page.page_no, read.after, counts, seen)

            await self._intake.take_in(connection, headers, connection.erp.clock.at(read.began or began), finish)
        async with self._database.transaction() as session:
            stored = await backfills.get(session, page.backfill_id)
        assert stored is not None, "a backfill is never removed"
        return BackfillPageDone(after=read.after, counts=stored.counts)


class BackfillRecords:
    """The part of a backfill that uses our own database only. One instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def finish_backfill(self, end: FinishBackfill) -> None:
        """Close a backfill's record; one that is closed stays as it is."""
        async with self._database.transaction() as session:
            await backfills.finish(session, end.backfill_id, end.state, end.problem_code, end.problem_message)
