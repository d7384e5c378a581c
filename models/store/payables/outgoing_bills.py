"""Load bills of ours as they are sent to the ERP: complete, so that nothing is looked up while they are sent."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bill_parts import PartOrder, divided
from models.domain.bills import (
    AccountLineToPush,
    BillKind,
    BillLineSource,
    BillLineToPush,
    BillStatus,
    BillToPush,
    ChargeKind,
    ChargeToPush,
    DirectBillToPush,
)
from models.domain.credits import CreditLineToPush, CreditToPush
from models.domain.ids import BillId, ConnectionId, DocumentId, ErpId, ExternalKey, PurchaseOrderId
from models.domain.orders import LineBasis
from models.domain.units import unit_key
from models.store.payables import edit_baseline
from models.store.policies import unit_factors

SENT_PLACES = 10
"""Number of decimals of a quantity that must be rounded to be sent."""


class OutgoingBill(NamedTuple):
    """A bill to push, with what its push needs to know around it."""

    bill: BillToPush | DirectBillToPush | CreditToPush
    status: BillStatus
    connection_id: ConnectionId
    purchase_order_id: PurchaseOrderId | None
    """None: it is without an order."""
    order_erp_id: ErpId | None
    order_workflow_id: str = ""
    other_orders: tuple[PurchaseOrderId, ...] = ()
    """Further orders it has lines on."""
    sources: Mapping[DocumentId, "SourceOrder"] = MappingProxyType({})
    """The documents that its lines are converted from, each with its order."""
    generation: int = 1
    in_parts: bool = False
    """The ERP takes a bill over several sources as one document per source."""
    has_parts: bool = False
    """Parts of it are stored, of whatever generation."""


class SourceOrder(NamedTuple):
    """The order that a source is, or is a receipt of."""

    id: PurchaseOrderId
    erp_id: ErpId
    order: PartOrder


_IN_PUSH = text(
    """
    select b.external_key, b.vendor_id, b.number, b.bill_date, b.posting_date, b.due_date, b.currency, b.memo, b.total,
           b.charges, b.tax, b.discount, b.edit_baseline, b.status, b.connection_id, b.repeats_number,
           b.erp_revision,
           array(select r.document_id from bill_retractions r where r.bill_id = b.id and r.state = 'done'
                 union select p.document_id from bill_parts p where p.bill_id = b.id and p.document_id is not null
                          and (p.superseded or p.generation < b.generation) order by 1) as earlier,
           exists (select from bill_parts p where p.bill_id = b.id) as has_parts,
           b.generation, coalesce((c.capabilities ->> 'bills_in_parts')::boolean, false)
               and not coalesce((c.capabilities ->> 'several_sources_per_bill')::boolean, false) as in_parts,
           b.direct, b.entity as own_entity, b.kind,
           k.payable_id as credited_payable, coalesce(k.number, b.reference) as credited_number,
           (case when b.direct then c.push_when = 'before_approval' else c.draft_order_bills end)
               and b.approval not in ('not_required', 'approved') as draft,
           (b.approved_at at time zone coalesce(c.time_zone, 'UTC'))::date as approved_on,
           coalesce(b.term, o.term, (
               select nullif(v.attributes ->> 'term', '') from list_entries v
                where v.connection_id = b.connection_id and v.kind = 'vendor' and v.key = b.vendor_id
                  and v.deleted_at is null order by v.active desc, v.erp_id limit 1)) as term,
           o.id as order_id, o.erp_id as order_erp_id, o.workflow_id,
           o.document_id as order_document, o.number as order_number,
           o.owner_entity, o.entity,
           l.line_no, coalesce(nullif(l.item_id, ''), ol.item_id) as item_id, l.description, l.amount,
           l.quantity, l.exact_quantity, l.billed_quantity, l.billed_unit, l.price,
           coalesce(nullif(l.unit, ''), ol.unit) as unit,
           l.department, l.location, l.class_id, l.project, l.warehouse, l.custom, l.sources,
           array(select k.source_document || ' ' || k.source_line from kept_quantities k
                  where k.bill_id = b.id and k.line_no = l.line_no) as kept,
           l.purchase_order_id as line_order, ol.erp_id as order_line, ol.basis, l.off_order, l.account,
           lo.erp_id as line_order_erp_id, lo.document_id as line_order_document, lo.number as line_order_number,
           lo.owner_entity as line_owner
      from bills b
      join connections c on c.id = b.connection_id
      left join purchase_orders o on o.id = b.purchase_order_id
      left join bills k on k.id = b.credit_of
      join bill_lines l on l.bill_id = b.id
      left join purchase_order_lines ol
        on ol.purchase_order_id = l.purchase_order_id and ol.line_no = l.purchase_order_line_no
      left join purchase_orders lo on lo.id = l.purchase_order_id
     where b.id = :id and (l.off_order or ol.erp_id is not null)
     order by l.line_no
    """
).columns(charges=JSONB, edit_baseline=JSONB, custom=JSONB, sources=JSONB)


async def load_for_push(session: AsyncSession, bill_id: BillId) -> OutgoingBill:
    """Return the bill to push: every line with its order line and its source in the ERP."""
    all_rows = (await session.execute(_IN_PUSH, {"id": bill_id})).all()
    bill = all_rows[0]
    if bill.kind == BillKind.CREDIT:
        return OutgoingBill(
            bill=_credit(bill, all_rows),
            status=BillStatus(bill.status),
            connection_id=ConnectionId(bill.connection_id),
            purchase_order_id=None,
            order_erp_id=None,
        )
    account_lines = tuple(_account_line(bill, line) for line in all_rows if line.off_order)
    if bill.direct:
        return OutgoingBill(
            bill=_direct_bill(bill, account_lines),
            status=BillStatus(bill.status),
            connection_id=ConnectionId(bill.connection_id),
            purchase_order_id=None,
            order_erp_id=None,
        )
    rows = [row for row in all_rows if not row.off_order]
    lines, sources = _lines_and_sources(bill, rows, await _own_units(session, rows))
    return OutgoingBill(
        bill=_order_bill(bill, lines, account_lines),
        status=BillStatus(bill.status),
        connection_id=ConnectionId(bill.connection_id),
        purchase_order_id=PurchaseOrderId(bill.order_id),
        order_erp_id=ErpId(bill.order_erp_id),
        order_workflow_id=bill.workflow_id,
        other_orders=tuple(sorted({line.line_order for line in rows} - {bill.order_id})),
        sources=sources,
        generation=bill.generation,
        in_parts=bill.in_parts,
        has_parts=bill.has_parts,
    )


def _lines_and_sources(
    bill: Any, rows: Sequence[Any], spelled: Mapping[tuple[str, str], str]
) -> tuple[tuple[BillLineToPush, ...], dict[DocumentId, SourceOrder]]:
    """Return the lines to send, one for each source of a stored line, and the order behind each source. `spelled` has
    the supplier's units that lines are sent in."""
    lines: list[BillLineToPush] = []
    sources: dict[DocumentId, SourceOrder] = {}
    for line in rows:
        order = PartOrder(
            document_id=DocumentId(line.line_order_document),
            number=line.line_order_number,
            owner_entity=line.line_owner,
        )
        of_line = SourceOrder(PurchaseOrderId(line.line_order), ErpId(line.line_order_erp_id), order)
        own = spelled.get((line.item_id, line.billed_unit))
        for source, quantity, amount, order_quantity in _split(line, in_own_unit=own is not None):
            sources.setdefault(source.document_id, of_line)
            lines.append(
                BillLineToPush(
                    line_no=len(lines) + 1,
                    item_id=line.item_id,
                    description=line.description,
                    quantity=quantity,
                    unit=own or line.unit,
                    amount=amount,
                    # A price in the supplier's unit is no price of the order's.
                    price=line.price if own is not None or _is_in_the_orders_unit(line) else None,
                    order_quantity=order_quantity,
                    order_unit=None if order_quantity is None else line.unit,
                    order_line=ErpId(line.order_line),
                    by_amount=line.basis == LineBasis.AMOUNT,
                    source=source,
                    entity=bill.entity,
                    department=line.department,
                    location=line.location,
                    class_id=line.class_id,
                    project=line.project,
                    warehouse=line.warehouse,
                    custom=line.custom,
                    edited=edit_baseline.edited_on_line(bill.edit_baseline, line.line_no),
                )
            )
    return tuple(lines), sources


def _order_bill(
    bill: Any, lines: tuple[BillLineToPush, ...], account_lines: tuple[AccountLineToPush, ...]
) -> BillToPush:
    return BillToPush(
        external_key=ExternalKey(bill.external_key),
        vendor_id=bill.vendor_id,
        number=bill.number,
        order_document=DocumentId(bill.order_document),
        order_number=bill.order_number,
        owner_entity=bill.owner_entity,
        bill_date=bill.bill_date,
        posting_date=bill.posting_date,
        due_date=bill.due_date,
        approved_on=bill.approved_on,
        term=bill.term if bill.due_date is None else None,
        currency=bill.currency,
        memo=bill.memo,
        total=bill.total,
        lines=lines,
        account_lines=account_lines,
        charges=tuple(_charges(bill)),
        edited=edit_baseline.edited_on_header(bill.edit_baseline),
        may_repeat_number=bill.repeats_number,
        earlier=tuple(DocumentId(document) for document in bill.earlier or ()),
        draft=bill.draft,
        seen_as=bill.erp_revision,
    )


def _credit(credit: Any, lines: Sequence[Any]) -> CreditToPush:
    return CreditToPush(
        external_key=ExternalKey(credit.external_key),
        vendor_id=credit.vendor_id,
        number=credit.number,
        entity=credit.own_entity,
        credit_date=credit.bill_date,
        posting_date=credit.posting_date,
        currency=credit.currency,
        memo=credit.memo,
        reference=credit.credited_number or "",
        bill_erp_id=ErpId(credit.credited_payable) if credit.credited_payable else None,
        total=-credit.total,
        lines=tuple(
            CreditLineToPush(
                line_no=line.line_no,
                account=line.account,
                item_id=line.item_id,
                description=line.description,
                quantity=None if line.quantity is None else -line.quantity,
                amount=-line.amount,
                order_line=ErpId(line.order_line) if line.order_line else None,
                department=line.department,
                location=line.location,
                class_id=line.class_id,
                project=line.project,
            )
            for line in lines
        ),
    )


def _direct_bill(bill: Any, lines: tuple[AccountLineToPush, ...]) -> DirectBillToPush:
    return DirectBillToPush(
        external_key=ExternalKey(bill.external_key),
        vendor_id=bill.vendor_id,
        number=bill.number,
        entity=bill.own_entity,
        bill_date=bill.bill_date,
        posting_date=bill.posting_date,
        due_date=bill.due_date,
        approved_on=bill.approved_on,
        term=bill.term if bill.due_date is None else None,
        currency=bill.currency,
        memo=bill.memo,
        total=bill.total,
        lines=lines,
        charges=tuple(_charges(bill)),
        draft=bill.draft,
        generation=bill.generation,
        edited=edit_baseline.edited_on_header(bill.edit_baseline),
    )


def _account_line(bill: Any, line: Any) -> AccountLineToPush:
    return AccountLineToPush(
        line_no=line.line_no,
        account=line.account,
        item_id=line.item_id,
        description=line.description,
        amount=line.amount,
        department=line.department,
        location=line.location,
        class_id=line.class_id,
        project=line.project,
        custom=line.custom,
        edited=edit_baseline.edited_on_line(bill.edit_baseline, line.line_no),
    )


def _charges(bill: Any) -> Iterator[ChargeToPush]:
    for charge in bill.charges:
        if amount := Decimal(charge["amount"]):
            yield ChargeToPush(kind=ChargeKind(charge["class"]), amount=amount, description=charge["description"])
    if bill.tax:
        yield ChargeToPush(kind=ChargeKind.TAX, amount=bill.tax)
    if bill.discount:
        yield ChargeToPush(kind=ChargeKind.DISCOUNT, amount=-bill.discount)


def _is_in_the_orders_unit(line: Any) -> bool:
    return line.billed_unit is None or unit_key(line.billed_unit) == unit_key(line.unit or "")


async def _own_units(session: AsyncSession, rows: Sequence[Any]) -> dict[tuple[str, str], str]:
    """Return the supplier's unit of some lines, in the ERP's spelling, by item and unit: these lines are sent in it.

    They are the lines without exact decimals in the order's unit (7 of a dozen) whose unit the ERP knows.
    """
    units = [(row.item_id, row.billed_unit) for row in rows if row.exact_quantity is not None and row.billed_unit]
    return await unit_factors.erp_spelling(session, ConnectionId(rows[0].connection_id), units) if units else {}


def _split(line: Any, *, in_own_unit: bool) -> list[tuple[BillLineSource, Decimal, Decimal, Decimal | None]]:
    """Split one bill line by source: source, quantity, amount; the amounts add up to the line's amount to the cent.

    Quantities are in the order's unit, or in the supplier's own; then the one in the order's comes last.
    """
    assert line.quantity is not None, "lines of our own bills carry a quantity"
    shares: list[tuple[BillLineSource, Decimal, Decimal, Decimal | None]] = []
    amounts = divided(line.amount, line.quantity, [Decimal(source["quantity"]) for source in line.sources])
    for source, amount in zip(line.sources, amounts, strict=True):
        quantity = _sent(line, source, in_own_unit=in_own_unit)
        where = BillLineSource(
            document_id=DocumentId(source["document_id"]),
            line=ErpId(source["line"]),
            is_billed=f"{source['document_id']} {source['line']}" in line.kept,
        )
        shares.append((where, quantity, amount, _sent(line, source, in_own_unit=False) if in_own_unit else None))
    return shares


def _sent(line: Any, source: Mapping[str, str], *, in_own_unit: bool) -> Decimal:
    if line.exact_quantity is None:
        return Decimal(source["quantity"])
    if not in_own_unit or line.billed_quantity is None:
        # Down: the pieces of a box, billed one by one, must never come to more than the box.
        exact = Fraction(source.get("exact") or source["quantity"])
        return Decimal(exact.numerator * 10**SENT_PLACES // exact.denominator).scaleb(-SENT_PLACES).normalize()
    part = Fraction(source.get("exact") or source["quantity"]) / Fraction(line.exact_quantity)
    own = part * Fraction(line.billed_quantity)
    quantity = round(Decimal(own.numerator) / Decimal(own.denominator), SENT_PLACES)
    whole = quantity.to_integral_value()
    return whole if quantity == whole else quantity.normalize()
