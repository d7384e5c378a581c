"""Find out how a bill is matched: what a person chose for it, its vendor's policy, its connection, and its total."""

from collections.abc import Sequence
from decimal import Decimal

from sqlmodel.ext.asyncio.session import AsyncSession

from matching.kernel.inputs import BillToMatch
from matching.policies.policies import TolerancePolicy
from matching.rules.modes import SMALL_BILL_DAYS, choose_mode, inherited_mode
from matching.rules.tolerances import Applied, Tolerances
from matching.rules.totals import bill_total
from models.domain.bills import BillMatchMode
from models.domain.connections import MatchMode
from models.domain.ids import BillId, ConnectionId, OrganizationId
from models.store.payables import small_bills
from models.store.policies.match_facts import match_facts
from models.tables import ConnectionRow, PurchaseOrderRow
from services.bills.tolerances import policies_of
from services.capabilities import has_receipts


async def mode_of_vendor(session: AsyncSession, connection: ConnectionRow, order: PurchaseOrderRow) -> BillMatchMode:
    """Return how a bill of this order is matched, unless a person says otherwise of it or it is small."""
    connection_id, organization_id = ConnectionId(connection.id), OrganizationId(connection.organization_id)
    facts = await match_facts(session, organization_id, connection_id, order.vendor_id, order.entity, ())
    bill = BillToMatch(
        connection_id=connection_id,
        vendor_id=order.vendor_id,
        number="",
        currency=None,
        entity=connection.entity or order.entity,
        lines=(),
        receipts_come_in=has_receipts(connection),
    )
    applied = Tolerances(policies_of(facts.policies), bill).of_bill(None)
    return inherited_mode(MatchMode(connection.match_mode), bill, applied).mode


async def with_mode(
    session: AsyncSession,
    connection: ConnectionRow,
    orders: Sequence[PurchaseOrderRow],
    bill: BillToMatch,
    policies: Sequence[TolerancePolicy],
    bill_id: BillId | None,
) -> tuple[BillToMatch, BillMatchMode]:
    """Return the bill with what its match mode depends on, and that mode.

    A mode that it has anyway is nothing that a person chose for it: a draft that shows the mode is sent as it is.
    """
    of_connection = MatchMode(connection.match_mode)
    if not orders:
        return bill.model_copy(update={"match_mode": None}), BillMatchMode(of_connection)
    bill = bill.model_copy(update={"receipts_come_in": has_receipts(connection)})
    whose = bill if bill.entity is not None else bill.model_copy(update={"entity": orders[0].entity})
    applied = Tolerances(policies, whose).of_bill(None)
    chosen = bill.match_mode
    if chosen is not None and chosen is inherited_mode(of_connection, bill, applied).mode:
        chosen = None
    bill = bill.model_copy(update={"match_mode": chosen, "small_bills_near": None})
    if chosen is None:
        near = await _small_bills_near(session, connection, bill, applied, bill_id)
        bill = bill.model_copy(update={"small_bills_near": near})
    return bill, choose_mode(of_connection, bill, applied, bill_total(bill)).mode


async def _small_bills_near(
    session: AsyncSession, connection: ConnectionRow, bill: BillToMatch, applied: Applied, bill_id: BillId | None
) -> Decimal | None:
    """Return what the vendor's other small bills near this one come to; None: it cannot be small itself."""
    small = applied.small_bill_total
    if small is None or bill.bill_date is None or bill_total(bill) > small[0]:
        return None
    connection_id = ConnectionId(connection.id)
    await small_bills.lock(session, connection_id, bill.vendor_id)
    return await small_bills.near(
        session, connection_id, bill.vendor_id, bill.bill_date, days=SMALL_BILL_DAYS, except_bill=bill_id
    )
