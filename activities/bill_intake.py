"""Take bills and credits that were read from an ERP into the mirror: a page of a sync, or those a write just moved."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from activities.connector_pool import OpenConnection
from activities.order_intake import OrderIntake, stored_as
from erp.connector import offered
from erp.roles.pages import Page
from models.domain.bills import ErpBill
from models.domain.ids import BillId, ConnectionId, ErpId, OrganizationId
from models.domain.outbox import MessageKind
from models.domain.sync import Stream
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.base.database import Database
from models.store.orders import credits, excluded_records
from models.store.orders.credits import CreditedOrder
from models.store.payables import erp_bills
from models.store.policies import rematch_requests
from models.store.sync import deletions
from models.tables import ConnectionRow
from services.bills.rematch import compare_edited
from services.outbox.delivery import OutboxDelivery
from services.sync import bad_records, duplicates
from services.unnamed_currency import in_base_currency

CREDITED = "a vendor credit changed"
"""The reason for matching bills in review again after a credit: where the ERP subtracts credits from the billed
quantity itself, nothing else of their order's terms changes."""

Result = TypeVar("Result")


class BillsTakenIn(NamedTuple):
    """How many bills of a page changed in the mirror, and were left out."""

    changed: int
    left_out: int


class BillIntake:
    """Takes bills into one database."""

    def __init__(self, database: Database, orders: OrderIntake, delivery: OutboxDelivery) -> None:
        self._database = database
        self._orders = orders
        self._outbox = delivery

    async def take_in(
        self,
        connection: OpenConnection,
        read: Page[ErpBill],
        read_at: datetime,
        finish: Callable[[AsyncSession, Page[ErpBill], BillsTakenIn], Awaitable[Result]],
        *,
        reason: str,
        read_by_name: bool = False,
    ) -> Result:
        """Store what comes in of these bills, and tell the workflows of ours; return what `finish` makes of the count
        in the same transaction. `reason` distinguishes the messages of one reading; `read_by_name`: they were read for
        a write that moved them, within the second that their stored revision may be of."""
        row, erp = connection
        connection_id = ConnectionId(row.id)
        records, read = stored_as(read, read_at)
        records = in_base_currency(records, row)
        reversed_there = [bill.erp_id for bill in records if bill.reversed]
        ours_in = [bill for bill in records if bill.currency == row.base_currency and not bill.reversed]
        credited: list[CreditedOrder] = []
        if erp.capabilities.credits_name_orders:
            async with self._database.transaction() as session:
                credited = await credits.of_page(await session.connection(), connection_id, ours_in)
            await self.read_and_credit_anew(connection, credited)
        left_out = [
            (str(bill.erp_id), bill.number, "OTHER_CURRENCY", f"it is in {bill.currency}", bill.revision)
            for bill in records
            if bill.currency != row.base_currency
        ]
        async with self._database.transaction() as session:
            upserted = await erp_bills.upsert(session, row, ours_in, read_by_name=read_by_name)
            if upserted.changed:
                await duplicates.report(session, row, ours_in)
            await compare_edited(session, connection_id, upserted.edited)
            if credited:
                await rematch_requests.request(session, connection_id, CREDITED)
            await excluded_records.record(session, connection_id, Stream.BILLS, left_out)
            await bad_records.report(session, row, "bill", read.bad)
            await bad_records.report_repaired(session, row, "bill", [bill.erp_id for bill in records])
            gone = await deletions.apply_reversals(session, row, reversed_there)
            messages = await owe_bills(session, row, (*upserted.ours, *gone.ours), reason=reason)
            done = await finish(session, read, BillsTakenIn(upserted.changed + gone.changed, len(left_out)))
        await self._outbox.deliver_new(messages)
        return done

    async def reread(
        self, connection: OpenConnection, credit_ids: Sequence[ErpId], bill_ids: Sequence[ErpId], *, reason: str
    ) -> None:
        """Read credits and bills that a write just moved, so that their figures do not wait for the next sync."""
        if not credit_ids and not bill_ids:
            return
        began = datetime.now(UTC)
        read = await offered(connection.erp.credits, "credits that go out").read(credit_ids, bill_ids)
        at = connection.erp.clock.at(began)
        await self.take_in(connection, read, at, _nothing_more, reason=reason, read_by_name=True)

    async def read_and_credit_anew(self, connection: OpenConnection, credited: Sequence[CreditedOrder]) -> None:
        """Read the orders that credits take back from, and store what they take back."""
        read = await self._orders.read_whole(connection.erp, [order.erp_id for order in credited])
        await self._orders.credit_anew(connection, credited, {one.purchase_order.erp_id: one for one in read})


async def owe_bills(
    session: AsyncSession, row: ConnectionRow, bill_ids: Sequence[BillId], *, reason: str
) -> list[OutboxMessage]:
    """Owe the workflows of bills that changed in the ERP a message: of what is paid, or that the bill is no more."""
    return await outbox.add_all(
        session,
        MessageKind.BILL_CHANGED,
        bill_ids,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        request_key=reason,
    )


async def _nothing_more(session: AsyncSession, read: Page[ErpBill], taken_in: BillsTakenIn) -> None:
    """Do nothing with a reading that is no page of a stream."""
