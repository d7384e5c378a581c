"""One bill judged by what holds now: the one way for a save, a dry run and a second look.

The caller decides about locks: whoever saves holds the orders' lines (`ledger.lock_lines`), a dry run holds nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from activities.tolerances import policies_of
from matching.bill import match_bill
from matching.exact import add, rounded
from matching.inputs import (
    Basis,
    BillToMatch,
    KeptBill,
    OrderLineToMatch,
    OrderToMatch,
    VendorState,
)
from matching.ledger import LineLedger
from matching.receipts import ReceiptLineToBill
from matching.result import MatchResult
from matching.supplier_number import number_key
from matching.totals import bill_total
from matching.units import UnitFactor, unit_key
from models.domain import (
    BillId,
    ConnectionId,
    DocumentId,
    ErpId,
    LineBasis,
    MatchingStatus,
    MatchMode,
    OrganizationId,
    PoStatus,
    PurchaseOrderId,
)
from models.store import kept_bills, ledger, purchase_orders, unit_factors
from models.store.ledger import LedgerLine
from models.store.match_facts import MatchFacts, match_facts
from models.store.unit_factors import UnitWanted
from models.tables import ConnectionRow, PurchaseOrderRow


class Order(NamedTuple):
    """One order of the bill as the mirror holds it, with the ledger of all its lines without the bill itself."""

    row: PurchaseOrderRow
    held: Mapping[int, LedgerLine]

    @property
    def id(self) -> PurchaseOrderId:
        return PurchaseOrderId(self.row.id)


async def read_orders(
    session: AsyncSession, rows: Sequence[PurchaseOrderRow], *, without_bill: BillId | None
) -> tuple[Order, ...]:
    """The orders with their ledgers as they stand; the bill's home order first."""
    orders = []
    for row in rows:
        lines = await ledger.lines(session, PurchaseOrderId(row.id), without_bill=without_bill)
        orders.append(Order(row, {line.line_no: line for line in lines}))
    return tuple(orders)


async def orders_now(
    session: AsyncSession, order_ids: Sequence[PurchaseOrderId], *, without_bill: BillId | None
) -> tuple[Order, ...]:
    """The same by the orders' ids."""
    rows = []
    for order_id in order_ids:
        row = await purchase_orders.get(session, order_id)
        assert row is not None, "an order is never removed from the mirror"
        rows.append(row)
    return await read_orders(session, rows, without_bill=without_bill)


async def judge(
    session: AsyncSession,
    connection: ConnectionRow,
    orders: Sequence[Order],
    bill: BillToMatch,
    *,
    bill_id: BillId | None,
) -> MatchResult:
    """Match a bill with everything that is known now. What the bill itself says is taken as it is; what surrounds it
    (the vendor's state, closed books, bills alike) is filled in anew."""
    connection_id = ConnectionId(connection.id)
    touched = {(line.purchase_order_id, line.order_line_no) for line in bill.lines}
    items = {order.held[no].item_id for order in orders for no in order.held if (order.id, no) in touched}
    facts = await match_facts(
        session, OrganizationId(connection.organization_id), connection_id, bill.vendor_id, bill.entity, items
    )
    factors = await _factors(session, connection_id, orders, bill)
    charges = {}
    if bill.charges:
        charges = await kept_bills.charges(session, [order.id for order in orders], without_bill=bill_id)
    mode = MatchMode(connection.match_mode)
    to_match = [
        await _order_to_match(session, mode, order, bill_id, facts, factors, charges.get(order.id, {}))
        for order in orders
    ]
    return match_bill(
        mode,
        to_match,
        await _surrounded(session, connection, bill, facts, bill_id),
        policies_of(facts.policies),
    )


async def _surrounded(
    session: AsyncSession, connection: ConnectionRow, bill: BillToMatch, facts: MatchFacts, bill_id: BillId | None
) -> BillToMatch:
    kept = []
    if bill.bill_date is not None:
        alike = await kept_bills.alike(
            session,
            ConnectionId(connection.id),
            bill.vendor_id,
            number_key(bill.number),
            total=rounded(bill_total(bill), 10),
            bill_date=bill.bill_date,
            except_bill=bill_id,
        )
        kept = [
            KeptBill(name=one.id, vendor_id=one.vendor_id, number=one.number, bill_date=one.bill_date, total=one.total)
            for one in alike
        ]
    return bill.model_copy(
        update={
            "vendor_name": facts.vendor_name,
            "vendor_state": None if facts.vendor_state is None else VendorState(facts.vendor_state),
            "closed_through": facts.closed_through,
            "kept": tuple(kept),
            "bill_in_advance": _bill_in_advance(connection),
            "other_vendors": bool(connection.capabilities.get("bills_of_other_vendors", True)),
            "several_sources": bool(connection.capabilities.get("several_sources_per_bill", False)),
        }
    )


def _bill_in_advance(connection: ConnectionRow) -> bool | None:
    """Whether the ERP takes a bill before the goods: what a person set, else what the ERP said (S4-70)."""
    said = connection.preferences.get("bill_in_advance")
    if said is not None and str(said).lower() in ("true", "false"):
        return str(said).lower() == "true"
    known = connection.capabilities.get("bill_in_advance")
    return known if isinstance(known, bool) else None


async def _factors(
    session: AsyncSession, connection_id: ConnectionId, orders: Iterable[Order], bill: BillToMatch
) -> dict[tuple[PurchaseOrderId, int], list[UnitFactor]]:
    """What is known of the bill's own units, per order line; nothing is asked where they are the orders' units."""
    held = {(order.id, no): line for order in orders for no, line in order.held.items()}
    wanted: dict[tuple[PurchaseOrderId, int], list[UnitWanted]] = {}
    for line in bill.lines:
        where = (line.purchase_order_id, line.order_line_no)
        order_line = held.get(where)
        if order_line is not None and line.unit and unit_key(line.unit) != unit_key(order_line.unit):
            wanted.setdefault(where, []).append(UnitWanted(order_line.item_id, line.unit, order_line.unit))
    pairs = [pair for some in wanted.values() for pair in some]
    known = await unit_factors.factors_for(session, connection_id, bill.vendor_id, pairs)
    return {
        where: [UnitFactor(unit=pair.unit, factor=known[pair]) for pair in dict.fromkeys(some) if pair in known]
        for where, some in wanted.items()
    }


async def _order_to_match(
    session: AsyncSession,
    mode: MatchMode,
    order: Order,
    bill_id: BillId | None,
    facts: MatchFacts,
    factors: Mapping[tuple[PurchaseOrderId, int], Sequence[UnitFactor]],
    charges: Mapping[str, Decimal],
) -> OrderToMatch:
    """The order with its ledger. A deleted order is matched as deleted, whatever it was."""
    row, held = order
    receipts: dict[str, list[ReceiptLineToBill]] = {}
    if any(line.received for line in held.values()):
        receipts = await _receipts(session, order.id, bill_id)
    return OrderToMatch(
        id=order.id,
        number=row.number,
        snapshot=row.snapshot,
        vendor_id=row.vendor_id,
        vendor_name=row.vendor_name,
        currency=row.currency,
        entity=row.entity,
        status=PoStatus(row.status),
        matching_status=_matching_status(mode, order),
        lines=tuple(
            OrderLineToMatch(
                line_no=line.line_no,
                item_id=line.item_id,
                unit=line.unit,
                price=line.price,
                ledger=ledger_of(line),
                closed=line.closed,
                basis=Basis(line.basis),
                category=facts.categories.get(line.item_id),
                item_name=facts.item_names.get(line.item_id, ""),
                units=tuple(factors.get((order.id, line.line_no), ())),
                erp_id=ErpId(line.erp_id),
                receipts=tuple(receipts.get(line.erp_id, ())),
            )
            for line in held.values()
        ),
        continued_by=await _continued_by(session, row),
        document_id=DocumentId(row.document_id),
        total=sum((line.amount for line in held.values()), Decimal(0)),
        billed_amount=sum(
            (line.billed_amount + line.pending_amount - line.credited_amount for line in held.values()), Decimal(0)
        ),
        billed_charges=charges,
    )


def _matching_status(mode: MatchMode, order: Order) -> MatchingStatus:
    """What may happen to the order. One that is closed because all of it was billed takes bills for what was credited:
    the ERP's word of it is from before the credit (R01..R10). In 3-way matching it takes bills for what came beyond the
    order, too: the ERP's word may be about what was ordered (S4-15)."""
    row, held = order
    if row.deleted_at:
        return MatchingStatus.DELETED
    more = any(
        line.credited > 0
        or (mode is MatchMode.THREE_WAY and line.receivable and line.received > max(line.ordered, line.billed))
        for line in held.values()
        if not line.closed
    )
    if more and (row.status, row.matching_status) == (PoStatus.FILLED, MatchingStatus.CLOSED):
        return MatchingStatus.PARTIALLY_BILLED
    return MatchingStatus(row.matching_status)


def ledger_of(line: LedgerLine) -> LineLedger:
    """The line's ledger as matching takes it: of a line that is judged by its amount, in money. What is never received
    (a service, an expense) counts as received when it is ordered: nothing waits for a receipt of it (S4-69)."""
    if line.basis == LineBasis.AMOUNT:
        return LineLedger(
            ordered=line.amount,
            received=line.received * line.price if line.receivable else line.amount,
            billed=line.billed_amount,
            pending=line.pending_amount,
            credited=line.credited_amount,
        )
    received = line.received if line.receivable else max(line.ordered, line.received)
    return LineLedger(
        ordered=line.ordered, received=received, billed=line.billed, pending=line.pending, credited=line.credited
    )


async def _receipts(
    session: AsyncSession, order_id: PurchaseOrderId, bill_id: BillId | None
) -> dict[str, list[ReceiptLineToBill]]:
    """The receipts an order's lines can be converted from in the ERP (rules 3.6), by the order line's ERP id."""
    receipts: dict[str, list[ReceiptLineToBill]] = {}
    for source in await ledger.receipt_sources(session, order_id, without_bill=bill_id):
        receipts.setdefault(source.order_line, []).append(
            ReceiptLineToBill(
                document_id=DocumentId(source.document_id),
                number=source.number,
                received_on=source.received_on,
                line_no=source.line_no,
                line=ErpId(source.line),
                received=source.quantity,
                consumed=add(source.billed, source.pending),
            )
        )
    return receipts


async def _continued_by(session: AsyncSession, order: PurchaseOrderRow) -> str | None:
    """The back order that goes on with a closed order (S5-25)."""
    if order.status != PoStatus.CLOSED:
        return None
    last = (await purchase_orders.chain(session, PurchaseOrderId(order.id)))[-1]
    return None if last.id == order.id else last.number
