"""Find out what a bill without an order names, where it was entered before the lists came in.

Nothing is known of a list that is empty, so the bill keeps what a person wrote: a name, or a number. Before it is sent
the list is read again, and the bill then has the ERP's own id.
"""

from datetime import UTC, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from activities.connector_pool import OpenConnection
from activities.order_intake import stored_as
from erp.errors import AuthenticationFailed, Rejected
from models.domain.bills import BillToPush, DirectBillToPush
from models.domain.connections import Erp
from models.domain.credits import CreditToPush
from models.domain.ids import BillId, ConnectionId
from models.domain.lists import ListKind
from models.store.base.database import Database
from models.store.payables import named_entries, outgoing_bills
from models.store.payables.outgoing_bills import OutgoingBill
from models.store.sync import list_entries


class NamedEntries:
    """Settles the names on bills that are about to be sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settle(self, connection: OpenConnection, bill_id: BillId, outgoing: OutgoingBill) -> OutgoingBill:
        """Return the bill with the ERP's ids of its vendor, term and accounts. What the ERP does not have either stays
        as it is, and the ERP refuses it."""
        if isinstance(outgoing.bill, BillToPush) or connection.row.erp == Erp.QUICKBOOKS_DESKTOP:
            return outgoing  # an order has the ERP's ids; Desktop's lists come with its own session
        connection_id = ConnectionId(connection.row.id)
        asked = _named(outgoing.bill)
        async with self._database.statement() as session:
            unknown = await list_entries.no_keys(session, connection_id, asked)
        if not unknown:
            return outgoing
        await self._read(connection, sorted({kind for kind, _ in unknown}))
        async with self._database.transaction() as session:
            if not await _settled(session, connection_id, bill_id, sorted(unknown)):
                return outgoing
            return await outgoing_bills.load_for_push(session, bill_id)

    async def _read(self, connection: OpenConnection, kinds: list[ListKind]) -> None:
        after: str | None = None
        while True:
            began = datetime.now(UTC)
            try:
                read = await connection.erp.lists.page(kinds, since=None, after=after)
            except (AuthenticationFailed, Rejected):
                return  # a right that is missing is told by the sync; the bill's own refusal says the rest
            entries, _ = stored_as(read, connection.erp.clock.at(began))
            async with self._database.transaction() as session:
                await list_entries.upsert(session, ConnectionId(connection.row.id), entries)
            if read.after is None:
                return
            after = read.after


def _named(bill: DirectBillToPush | CreditToPush) -> list[tuple[ListKind, str]]:
    named = {(ListKind.VENDOR, bill.vendor_id)}
    named |= {(ListKind.GL_ACCOUNT, line.account) for line in bill.lines if line.account}
    if isinstance(bill, DirectBillToPush) and bill.term:
        named.add((ListKind.TERM, bill.term))
    return sorted(named)


async def _settled(
    session: AsyncSession, connection_id: ConnectionId, bill_id: BillId, unknown: list[tuple[ListKind, str]]
) -> bool:
    """Store the ERP's ids of what a bill names; return whether there is one."""
    settled = False
    for kind, text in unknown:
        entries = await list_entries.named(session, connection_id, kind, [text])
        entry = (entries or {}).get(text)
        if entry is not None and entry.key != text:
            await named_entries.rename(session, bill_id, kind, text, entry.key)
            settled = True
    return settled
