"""Take a page of order headers into the mirror: decide what comes in, read it, store it.

Syncs and backfills do so alike; what else they store with a page goes into the same transaction.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from activities.connector_pool import OpenConnection
from erp.clock import surely_seen
from erp.connector import ErpConnector, offered
from erp.roles.pages import BadRecord, Page
from models.domain.bills import ErpBill
from models.domain.ids import ErpId
from models.domain.lists import ListEntry
from models.domain.orders import PurchaseOrder, PurchaseOrderHeader, PurchaseOrderSnapshot
from models.domain.payments import ErpPayment
from models.domain.receipts import Receipt
from models.store.base.database import Database
from models.store.orders.credits import CreditedOrder
from services.sync import order_page
from services.sync.as_seen import as_seen, snapshot_as_seen
from services.sync.storable import storable

R = TypeVar("R", ListEntry, PurchaseOrder, Receipt, ErpBill, ErpPayment)
Result = TypeVar("Result")


class TakenIn(NamedTuple):
    """How many orders of a page changed in the mirror, were left out, and could not be read."""

    changed: int
    left_out: int
    bad: int


class OrderIntake:
    """Takes orders into one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_in(
        self,
        connection: OpenConnection,
        headers: Page[PurchaseOrderHeader],
        read_at: datetime,
        finish: Callable[[AsyncSession, TakenIn], Awaitable[Result]],
    ) -> Result:
        """Store what comes in of these headers; return what `finish` makes of the count in the same transaction."""
        row, erp = connection
        orders = offered(erp.orders, "purchase orders")
        async with self._database.transaction() as session:
            wanted, left_out = await order_page.choose(session, row, orders, headers.records)
        read = await orders.lines(wanted)
        records, read = stored_as(read, read_at)
        left_out = [one._replace(revision=surely_seen(one.revision, read_at)) for one in left_out]
        async with self._database.transaction() as session:
            partial = await order_page.find_partial(
                session, row, records, credits_name_orders=erp.capabilities.credits_name_orders
            )
        whole = {one.purchase_order.erp_id: one for one in await self.read_whole(erp, partial.erp_ids)}
        # Before the page itself is stored: a page that is read again then repeats this step too.
        await self.credit_anew(connection, partial.credited, whole)
        async with self._database.transaction() as session:
            older = [whole[order.erp_id] for order in partial.older if order.erp_id in whole]
            changed, left_out = await order_page.store(session, row, erp, records, left_out, partial.older, older)
            bad = (*headers.bad, *read.bad)
            await order_page.report(session, row, orders, records, left_out, bad)
            return await finish(session, TakenIn(changed, len(left_out), len(bad)))

    @staticmethod
    async def read_whole(erp: ErpConnector, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        """Read these orders with all that belongs to them."""
        if not erp_ids:
            return ()
        began = datetime.now(UTC)
        snapshots = await offered(erp.orders, "purchase orders").read_many(erp_ids)
        return [snapshot_as_seen(snapshot, erp.clock, began) for snapshot in snapshots]

    async def credit_anew(
        self,
        connection: OpenConnection,
        credited: Sequence[CreditedOrder],
        whole: Mapping[ErpId, PurchaseOrderSnapshot],
    ) -> None:
        """Store what credits take back from orders just read whole, a transaction each."""
        row, erp = connection
        for order in credited:
            async with self._database.transaction() as session:
                await order_page.credit_anew(session, row, erp, order, whole.get(order.erp_id))


def stored_as(read: Page[R], read_at: datetime) -> tuple[list[R], Page[R]]:
    """Return the page's records that can be stored, with the revisions to store them with, and the page with the others
    among its bad records."""
    split: tuple[list[R], list[BadRecord]] = storable(as_seen(read.records, read_at))
    return split[0], read._replace(bad=[*read.bad, *split[1]])
