"""Match one bill with what holds now: the same way for a save, a dry run and a rematch.

The caller decides about locks: a save locks the orders' lines (`ledger.lock_lines`), a dry run locks nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from matching.bill import match_bill
from matching.kernel.exact import add, rounded
from matching.kernel.inputs import Basis, BillToMatch, DuplicateCandidate, OrderLineToMatch, OrderToMatch, VendorState
from matching.kernel.ledger import LineLedger
from matching.kernel.receipts import ReceiptLineToBill
from matching.kernel.result import MatchResult
from matching.kernel.units import UnitFactor
from matching.rules.totals import bill_total
from models.domain.bills import BillMatchMode
from models.domain.connections import MatchMode
from models.domain.ids import BillId, ConnectionId, DocumentId, ErpId, OrganizationId, PurchaseOrderId
from models.domain.invoice_numbers import number_key, number_parts
from models.domain.orders import LineBasis, MatchingStatus, PoStatus
from models.domain.units import unit_key
from models.store.orders import in_use, ledger, purchase_orders
from models.store.orders.ledger import LedgerLine
from models.store.payables import duplicate_candidates, payment_terms
from models.store.policies import unit_factors
from models.store.policies.match_facts import MatchFacts, match_facts
from models.store.policies.unit_factors import UnitWanted
from models.tables import ConnectionRow, PurchaseOrderRow
from services.bills.match_modes import with_mode
from services.bills.tolerances import policies_of

DRAFTS = "draft_order_bills"
"""The capability to keep drafts of orders' bills."""


class Order(NamedTuple):
    """One order of the bill as the mirror has it, with the ledger of all its lines without the bill itself."""

    row: PurchaseOrderRow
    stored_lines: Mapping[int, LedgerLine]

    @property
    def id(self) -> PurchaseOrderId:
        """Return the order's id."""
        return PurchaseOrderId(self.row.id)


class Modes(NamedTuple):
    """How a bill is matched, and the mode that its connection's orders have their statuses from."""

    of_connection: MatchMode
    of_bill: BillMatchMode


class _InUse(NamedTuple):
    """Of which documents drafts are made in the ERP, so that nothing else can be made of them."""

    states: frozenset[str]
    """The states in which the ERP shows such a document."""
    own: Mapping[str, str]
    """Numbers of our bills that are drafts there until they are approved, by the document they are made of: the order
    was perhaps not read since."""

    def draft_of(self, document_id: str, erp_status: str) -> str:
        """Return what draft is made of a document, in words; empty: none."""
        if (number := self.own.get(document_id)) is not None:
            return f"bill {number}, a draft until it is approved,"
        return "a draft" if erp_status.casefold() in self.states else ""


async def read_orders(
    session: AsyncSession, rows: Sequence[PurchaseOrderRow], *, without_bill: BillId | None
) -> tuple[Order, ...]:
    """Return the orders with their current ledgers; the bill's home order comes first."""
    orders = []
    for row in rows:
        lines = await ledger.lines(session, PurchaseOrderId(row.id), without_bill=without_bill)
        orders.append(Order(row, {line.line_no: line for line in lines}))
    return tuple(orders)


async def orders_now(
    session: AsyncSession, order_ids: Sequence[PurchaseOrderId], *, without_bill: BillId | None
) -> tuple[Order, ...]:
    """Return the orders with their current ledgers, by the orders' ids."""
    rows = []
    for order_id in order_ids:
        row = await purchase_orders.get(session, order_id)
        assert row is not None, "an order is never removed from the mirror"
        rows.append(row)
    return await read_orders(session, rows, without_bill=without_bill)


async def run_match(
    session: AsyncSession,
    connection: ConnectionRow,
    orders: Sequence[Order],
    bill: BillToMatch,
    *,
    bill_id: BillId | None,
    first_numbers: Mapping[tuple[PurchaseOrderId, ErpId | None], int] = MappingProxyType({}),
) -> MatchResult:
    """Match a bill with everything that is known now. `first_numbers`: the numbers that the order lines had when the
    bill was first matched, by order and the ERP's id of the line.

    What the bill itself says is taken as it is; what surrounds it (the vendor's state, closed books, similar bills) is
    read again.
    """
    connection_id = ConnectionId(connection.id)
    touched = {(line.purchase_order_id, line.order_line_no) for line in bill.lines}
    items = {
        order.stored_lines[no].item_id for order in orders for no in order.stored_lines if (order.id, no) in touched
    }
    facts = await match_facts(
        session, OrganizationId(connection.organization_id), connection_id, bill.vendor_id, bill.entity, items
    )
    factors = await _factors(session, connection_id, orders, bill)
    charges = {}
    if bill.charges:
        charges = await duplicate_candidates.charges(session, [order.id for order in orders], without_bill=bill_id)
    of_connection = MatchMode(connection.match_mode)
    policies = policies_of(facts.policies)
    bill, mode = await with_mode(session, connection, [order.row for order in orders], bill, policies, bill_id)
    modes = Modes(of_connection, mode)
    to_match = [
        _with_first_numbers(
            await _order_to_match(
                session,
                modes,
                order,
                bill_id,
                facts,
                factors,
                charges.get(order.id, {}),
                await _in_use(session, connection, order, bill_id),
            ),
            first_numbers,
        )
        for order in orders
    ]
    return match_bill(
        of_connection, to_match, await _surrounded(session, connection, orders, bill, facts, bill_id), policies
    )


def _with_first_numbers(order: OrderToMatch, first: Mapping[tuple[PurchaseOrderId, ErpId | None], int]) -> OrderToMatch:
    moved = {
        line.line_no: number
        for line in order.lines
        if (number := first.get((order.id, line.erp_id))) not in (None, line.line_no)
    }
    if not moved:
        return order
    lines = [
        line.model_copy(update={"known_as": moved[line.line_no]}) if line.line_no in moved else line
        for line in order.lines
    ]
    return order.model_copy(update={"lines": tuple(lines)})


async def _surrounded(
    session: AsyncSession,
    connection: ConnectionRow,
    orders: Sequence[Order],
    bill: BillToMatch,
    facts: MatchFacts,
    bill_id: BillId | None,
) -> BillToMatch:
    kept: list[DuplicateCandidate] = []
    first = bill.part_of
    if bill.bill_date is not None:
        alike = await duplicate_candidates.alike(
            session,
            ConnectionId(connection.id),
            bill.vendor_id,
            number_key=number_key(bill.number),
            number_parts=number_parts(bill.number),
            total=rounded(bill_total(bill), 10),
            bill_date=bill.bill_date,
            except_bill=bill_id,
        )
        # Whoever names any part means its invoice, which is known by its first part.
        first = next((one.part_of or one.id for one in alike if one.id == first), first)
        invoice = first or bill_id
        kept = [
            DuplicateCandidate(
                name=one.id,
                vendor_id=one.vendor_id,
                number=one.number,
                bill_date=one.bill_date,
                total=one.total,
                same_invoice=invoice is not None and invoice in (one.id, one.part_of),
            )
            for one in alike
        ]
    return bill.model_copy(
        update={
            "vendor_name": facts.vendor_name,
            "vendor_state": None if facts.vendor_state is None else VendorState(facts.vendor_state),
            "closed_through": facts.closed_through,
            "kept": tuple(kept),
            "part_of": first,
            "due_known": await _due_known(session, connection, orders, bill),
            "bill_in_advance": _bill_in_advance(connection),
            "other_vendors": bool(connection.capabilities.get("bills_of_other_vendors", True)),
            "several_sources": any(
                connection.capabilities.get(way, False) for way in ("several_sources_per_bill", "bills_in_parts")
            ),
        }
    )


async def _due_known(
    session: AsyncSession, connection: ConnectionRow, orders: Sequence[Order], bill: BillToMatch
) -> bool | None:
    """Return whether the bill has a due date or a payment term, where the ERP takes none without; None elsewhere."""
    if not connection.capabilities.get("due_date_needed"):
        return None
    if bill.due_date is not None or bill.term or (orders and orders[0].row.term):
        return True
    return await payment_terms.vendor_term(session, ConnectionId(connection.id), bill.vendor_id) is not None


async def _in_use(session: AsyncSession, connection: ConnectionRow, order: Order, bill_id: BillId | None) -> _InUse:
    own: Mapping[str, str] = {}
    if connection.draft_order_bills or (connection.approvals_enabled and connection.capabilities.get(DRAFTS)):
        own = await in_use.drafts_on(session, order.id, without_bill=bill_id)
    return _InUse(frozenset(state.casefold() for state in connection.capabilities.get("states_in_use", ())), own)


def _bill_in_advance(connection: ConnectionRow) -> bool | None:
    """Return whether the ERP takes a bill before the goods: a person's setting, else what the ERP said (S4-70)."""
    said = connection.preferences.get("bill_in_advance")
    if said is not None and str(said).lower() in ("true", "false"):
        return str(said).lower() == "true"
    known = connection.capabilities.get("bill_in_advance")
    return known if isinstance(known, bool) else None


async def _factors(
    session: AsyncSession, connection_id: ConnectionId, orders: Iterable[Order], bill: BillToMatch
) -> dict[tuple[PurchaseOrderId, int], list[UnitFactor]]:
    """Return the known factors of the bill's own units, per order line; units that are the order's need none."""
    stored_lines = {(order.id, no): line for order in orders for no, line in order.stored_lines.items()}
    wanted: dict[tuple[PurchaseOrderId, int], list[tuple[UnitWanted, str | None]]] = {}
    for line in bill.lines:
        where = (line.purchase_order_id, line.order_line_no)
        order_line = stored_lines.get(where)
        if order_line is not None and line.unit and unit_key(line.unit) != unit_key(order_line.unit):
            item_id = line.substitute or order_line.item_id
            pair = UnitWanted(item_id, line.unit, order_line.unit)
            wanted.setdefault(where, []).append((pair, line.substitute))
    pairs = [pair for some in wanted.values() for pair, _ in some]
    known = await unit_factors.factors_for(session, connection_id, bill.vendor_id, pairs)
    return {
        where: [
            UnitFactor(unit=pair.unit, item_id=substitute, factor=known[pair])
            for pair, substitute in dict.fromkeys(some)
            if pair in known
        ]
        for where, some in wanted.items()
    }


async def _order_to_match(
    session: AsyncSession,
    modes: Modes,
    order: Order,
    bill_id: BillId | None,
    facts: MatchFacts,
    factors: Mapping[tuple[PurchaseOrderId, int], Sequence[UnitFactor]],
    charges: Mapping[str, Decimal],
    used: _InUse,
) -> OrderToMatch:
    """Return the order with its ledger. A deleted order is matched as deleted, whatever its status was."""
    row, stored_lines = order
    receipts: dict[str, list[ReceiptLineToBill]] = {}
    if any(line.received for line in stored_lines.values()):
        receipts = await _receipts(session, order.id, bill_id, used)
    return OrderToMatch(
        id=order.id,
        number=row.number,
        snapshot=row.snapshot,
        vendor_id=row.vendor_id,
        vendor_name=row.vendor_name,
        currency=row.currency,
        entity=row.entity,
        status=_status(order),
        matching_status=_matching_status(modes, order),
        lines=tuple(
            OrderLineToMatch(
                line_no=line.line_no,
                item_id=line.item_id,
                unit=line.unit,
                price=line.price,
                # What is closed is refused as closed; that nothing is left of it says nothing more.
                ledger=ledger_of(replace(line, closed_short=None)),
                closed=line.closed,
                basis=Basis(line.basis),
                category=facts.categories.get(line.item_id),
                item_name=facts.item_names.get(line.item_id, ""),
                units=tuple(factors.get((order.id, line.line_no), ())),
                erp_id=ErpId(line.erp_id),
                receipts=tuple(receipts.get(line.erp_id, ())),
                ends_on=line.ends_on,
                release_cap=line.release_cap,
            )
            for line in stored_lines.values()
        ),
        left_out=row.left_out,
        in_use=used.draft_of(row.document_id, row.erp_status),
        continued_by=await _continued_by(session, row),
        document_id=DocumentId(row.document_id),
        total=sum((line.ordered_amount for line in stored_lines.values()), Decimal(0)),
        billed_amount=sum(
            (line.billed_amount + line.pending_amount - line.credited_amount for line in stored_lines.values()),
            Decimal(0),
        ),
        billed_charges=charges,
    )


def _status(order: Order) -> PoStatus:
    """Return the order's status. One that the ERP closed because of the bill itself, which was credited since, is open
    for it."""
    kept = any(line.is_kept for line in order.stored_lines.values())
    status = PoStatus(order.row.status)
    return PoStatus.FILLED if kept and status is PoStatus.CLOSED else status


def _matching_status(modes: Modes, order: Order) -> MatchingStatus:
    """Return what may happen to the order. Its status is from the connection's mode.

    An order that is closed because all of it was billed takes bills for what was credited: the ERP's status is from
    before the credit (R01..R10). In 3-way matching it also takes bills for what was received beyond the order: the
    ERP's status may be about what was ordered (S4-15). On a 2-way connection an order is closed when it was received
    in full (Intacct: converted): what was received of it and not billed may be billed in 3-way matching.
    """
    row, stored_lines = order
    if row.deleted_at:
        return MatchingStatus.DELETED
    if any(line.is_kept for line in stored_lines.values()):
        return MatchingStatus.PARTIALLY_BILLED  # the order has it as billed: nothing more is converted from it
    three_way = modes.of_bill is BillMatchMode.THREE_WAY
    to_closed = modes.of_connection is MatchMode.TWO_WAY
    more = any(
        line.credited > 0
        or (
            three_way
            and line.receivable
            and line.received > (line.billed if to_closed else max(line.ordered, line.billed))
        )
        for line in stored_lines.values()
        if not line.closed
    )
    if more and (row.status, row.matching_status) == (PoStatus.FILLED, MatchingStatus.CLOSED):
        return MatchingStatus.PARTIALLY_BILLED
    return MatchingStatus(row.matching_status)


def ledger_of(line: LedgerLine) -> LineLedger:
    """Return the line's ledger as matching takes it: for a line that is matched by its amount, in money.

    What is never received (a service, an expense) counts as received when it is ordered, and not cancelled: no receipt
    of it comes (S4-69).
    """
    if line.basis == LineBasis.AMOUNT:
        return LineLedger(
            ordered=line.ordered_amount,
            cancelled=line.cancelled,
            received=line.received * line.price if line.receivable else line.ordered_amount - line.cancelled,
            billed=line.billed_amount,
            pending=line.pending_amount,
            credited=line.credited_amount,
        )
    gross = line.received + line.returned
    return LineLedger(
        ordered=line.ordered,
        cancelled=line.cancelled,
        received=gross if line.receivable else max(line.ordered - line.cancelled, gross),
        returned=line.returned,
        billed=line.billed,
        pending=line.pending,
        credited=line.credited,
    )


async def _receipts(
    session: AsyncSession, order_id: PurchaseOrderId, bill_id: BillId | None, used: _InUse
) -> dict[str, list[ReceiptLineToBill]]:
    """Return the receipts that an order's lines can be converted from (rules 3.6), by the order line's ERP id."""
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
                in_use=used.draft_of(source.document_id, source.erp_status),
            )
        )
    return receipts


async def _continued_by(session: AsyncSession, order: PurchaseOrderRow) -> str | None:
    """Return the number of the back order that continues a closed order (S5-25), or None."""
    if order.status != PoStatus.CLOSED:
        return None
    last = (await purchase_orders.chain(session, PurchaseOrderId(order.id)))[-1]
    return None if last.id == order.id else last.number
