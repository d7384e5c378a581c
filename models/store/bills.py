"""Bills of ours: saved with their reservation, pushed, paid, given up. Reads for the API are in `bill_reads.py`."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import (
    WAITING_FOR_A_PERSON,
    BillId,
    BillLineSource,
    BillLineToPush,
    BillStatus,
    BillToPush,
    ChargeKind,
    ChargeToPush,
    ConnectionId,
    DocumentId,
    ErpId,
    ExternalKey,
    OrganizationId,
    Origin,
    PurchaseOrderId,
    PushedBill,
    WriteState,
)
from models.messages import BillNow, BillPushResult
from models.store import edit_undo, unit_factors, writes
from models.tables import BillLineRow, BillRow, ErpWriteRow

SENT_PLACES = 10
"""Decimals of a quantity that has to be rounded on its way out."""

SYNCER = "posync"
"""Who acts in the event table when no person does."""


def bill_id_for(organization_id: OrganizationId, request_key: str) -> BillId:
    """The same request makes the same bill, however often its transaction is tried."""
    return BillId("bill_" + hashlib.sha256(f"{organization_id}\n{request_key}".encode()).hexdigest()[:20])


def external_key_for(bill_id: BillId) -> ExternalKey:
    """The document number the ERP will know the bill by: short, upper case, and ours at a glance."""
    return ExternalKey("PSB-" + bill_id.removeprefix("bill_")[:16].upper())


@dataclass(frozen=True, slots=True)
class NewBillLine:
    line_no: int
    order_line_no: int
    item_id: str
    description: str
    quantity: Decimal
    unit: str
    price: Decimal
    amount: Decimal
    account: str | None
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None
    sources: Sequence[Mapping[str, str]]
    purchase_order_id: PurchaseOrderId | None = None
    """None: the bill's own order."""
    exact_quantity: str | None = None
    """`n/d` where `quantity`, in the order's unit, is rounded."""
    billed_quantity: Decimal | None = None
    billed_unit: str | None = None
    """As the supplier billed it, where that is another unit than the order's."""


_LINES = TypeAdapter(Sequence[NewBillLine])


@dataclass(frozen=True, slots=True)
class NewCharge:
    """Money that is on no line of the order: `kind` is freight, surcharge or other."""

    kind: ChargeKind
    amount: Decimal
    description: str = ""


@dataclass(frozen=True, slots=True)
class NewBill:
    id: BillId
    organization_id: OrganizationId
    connection_id: ConnectionId
    purchase_order_id: PurchaseOrderId
    order_number: str
    vendor_id: str
    vendor_name: str
    number: str
    number_key: str
    bill_date: date
    posting_date: date
    due_date: date | None
    currency: str
    memo: str
    total: Decimal
    """Lines + charges + tax - discount."""
    match_outcome: str
    created_by: str
    lines: Sequence[NewBillLine]
    status: BillStatus = BillStatus.PENDING_PUSH
    """One that waits for a person is saved and reserves, and its write is held."""
    invoice_total: Decimal | None = None
    """What the supplier wrote as the total."""
    charges: Sequence[NewCharge] = ()
    tax: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    """Taken off the total; zero or more."""


class BillInPush(NamedTuple):
    """A bill with what its push needs around it."""

    bill: BillToPush
    status: BillStatus
    connection_id: ConnectionId
    purchase_order_id: PurchaseOrderId
    order_erp_id: ErpId
    other_orders: tuple[PurchaseOrderId, ...] = ()
    """Further orders it has lines on."""


_CREATE = text(
    """
    with made as (
        insert into bills (id, organization_id, connection_id, purchase_order_id, vendor_id, vendor_name, number,
            number_key, reference, origin, status, match_outcome, bill_date, posting_date, due_date, currency, memo,
            total, invoice_total, charges, tax, discount, external_key, linked_in_erp, manual_both_sides, created_by,
            version)
        values (:id, :organization, :connection, :order, :vendor, :vendor_name, :number, :number_key, :reference,
            :origin, :status, :outcome, :bill_date, :posting_date, :due_date, :currency, :memo, :total,
            :invoice_total, cast(:charges as jsonb), :tax, :discount, :key, false, false, :created_by, 1)
        on conflict (id) do nothing
        returning id, organization_id, connection_id, external_key, purchase_order_id, created_by
    ), lines as (
        insert into bill_lines (bill_id, line_no, purchase_order_id, purchase_order_line_no, item_id, account,
            description, quantity, exact_quantity, unit, billed_quantity, billed_unit, price, amount, department,
            location, class_id, project, sources, reserves)
        select made.id, l.line_no, coalesce(l.purchase_order_id, made.purchase_order_id), l.order_line_no, l.item_id,
               l.account, l.description, l.quantity, l.exact_quantity, l.unit, l.billed_quantity, l.billed_unit,
               l.price, l.amount, l.department, l.location, l.class_id, l.project, l.sources, true
        from made, json_to_recordset(cast(:lines as json)) as l(
            line_no int, purchase_order_id text, order_line_no int, item_id text, account text, description text,
            quantity numeric, exact_quantity text, unit text, billed_quantity numeric, billed_unit text, price numeric,
            amount numeric, department text, location text, class_id text, project text, sources jsonb)
        order by 3, 4  -- the order in which everybody locks an order's lines: each row's foreign key locks one
    ), planned as (
        insert into erp_writes
            (external_key, connection_id, kind, subject_id, purchase_order_id, body_hash, state, attempts)
        select external_key, connection_id, 'bill', id, purchase_order_id, :body_hash, :write_state, 0 from made
        on conflict (external_key) do nothing
    ), told as (
        insert into events (organization_id, connection_id, subject_kind, subject_id, kind, actor, why, after)
        select organization_id, connection_id, 'bill', id, 'created', created_by, :why, cast(:after as jsonb) from made
    )
    select 1 from made
    """
)


async def create(session: AsyncSession, new: NewBill) -> bool:
    """Save the bill, reserve its quantities and plan its write, in one statement. False: it was there."""
    held = new.status in WAITING_FOR_A_PERSON
    made = await session.execute(
        _CREATE,
        {
            "id": new.id,
            "organization": new.organization_id,
            "connection": new.connection_id,
            "order": new.purchase_order_id,
            "vendor": new.vendor_id,
            "vendor_name": new.vendor_name,
            "number": new.number,
            "number_key": new.number_key,
            "reference": new.order_number,
            "origin": Origin.POSYNC,
            "status": new.status,
            "outcome": new.match_outcome,
            "bill_date": new.bill_date,
            "posting_date": new.posting_date,
            "due_date": new.due_date,
            "currency": new.currency,
            "memo": new.memo,
            "total": new.total,
            "invoice_total": new.invoice_total,
            "charges": json.dumps(
                [
                    {"class": charge.kind, "amount": str(charge.amount), "description": charge.description}
                    for charge in new.charges
                ]
            ),
            "tax": new.tax,
            "discount": new.discount,
            "key": external_key_for(new.id),
            "created_by": new.created_by,
            "lines": _LINES.dump_json(new.lines).decode(),
            "body_hash": _body_hash(new),
            "write_state": WriteState.HELD if held else WriteState.PLANNED,
            "why": f"billed against {new.order_number}",
            "after": json.dumps({"status": new.status, "total": str(new.total), "match": new.match_outcome}),
        },
    )
    return made.first() is not None


def _body_hash(new: NewBill) -> str:
    lines = "\n".join(f"{line.order_line_no} {line.quantity} {line.amount}" for line in new.lines)
    return hashlib.sha256(f"{new.number}\n{new.bill_date}\n{new.total}\n{lines}".encode()).hexdigest()


_IN_PUSH = text(
    """
    select b.external_key, b.vendor_id, b.number, b.bill_date, b.posting_date, b.due_date, b.currency, b.memo, b.total,
           b.charges, b.tax, b.discount, b.edit_undo, b.status, b.connection_id,
           o.id as order_id, o.erp_id as order_erp_id, o.document_id as order_document, o.number as order_number,
           o.owner_entity, o.entity,
           l.line_no, coalesce(nullif(l.item_id, ''), ol.item_id) as item_id, l.description, l.amount,
           l.quantity, l.exact_quantity, l.billed_quantity, l.billed_unit,
           coalesce(nullif(l.unit, ''), ol.unit) as unit,
           l.department, l.location, l.class_id, l.project, l.sources,
           l.purchase_order_id as line_order, ol.erp_id as order_line, ol.warehouse
      from bills b
      join purchase_orders o on o.id = b.purchase_order_id
      join bill_lines l on l.bill_id = b.id
      join purchase_order_lines ol
        on ol.purchase_order_id = l.purchase_order_id and ol.line_no = l.purchase_order_line_no
     where b.id = :id
     order by l.line_no
    """
).columns(charges=JSONB, edit_undo=JSONB, sources=JSONB)


async def in_push(session: AsyncSession, bill_id: BillId) -> BillInPush:
    """The bill as it goes out: every line with its order line and its source in the ERP."""
    rows = (await session.execute(_IN_PUSH, {"id": bill_id})).all()
    bill = rows[0]
    spelled = await _own_units(session, rows)
    lines: list[BillLineToPush] = []
    for line in rows:
        own = spelled.get((line.item_id, line.billed_unit))
        for source, quantity, amount in _split(line, in_own_unit=own is not None):
            lines.append(
                BillLineToPush(
                    line_no=len(lines) + 1,
                    item_id=line.item_id,
                    description=line.description,
                    quantity=quantity,
                    unit=own or line.unit,
                    amount=amount,
                    order_line=ErpId(line.order_line),
                    source=source,
                    entity=bill.entity,
                    department=line.department,
                    location=line.location,
                    class_id=line.class_id,
                    project=line.project,
                    warehouse=line.warehouse,
                    edited=edit_undo.edited_on_line(bill.edit_undo, line.line_no),
                )
            )
    return BillInPush(
        bill=BillToPush(
            external_key=ExternalKey(bill.external_key),
            vendor_id=bill.vendor_id,
            number=bill.number,
            order_document=DocumentId(bill.order_document),
            order_number=bill.order_number,
            owner_entity=bill.owner_entity,
            bill_date=bill.bill_date,
            posting_date=bill.posting_date,
            due_date=bill.due_date or bill.bill_date,
            currency=bill.currency,
            memo=bill.memo,
            total=bill.total,
            lines=tuple(lines),
            charges=tuple(_charges(bill)),
            edited=edit_undo.edited_on_header(bill.edit_undo),
        ),
        status=BillStatus(bill.status),
        connection_id=ConnectionId(bill.connection_id),
        purchase_order_id=PurchaseOrderId(bill.order_id),
        order_erp_id=ErpId(bill.order_erp_id),
        other_orders=tuple(sorted({line.line_order for line in rows} - {bill.order_id})),
    )


def _charges(bill: Any) -> Iterator[ChargeToPush]:
    for charge in bill.charges:
        if amount := Decimal(charge["amount"]):
            yield ChargeToPush(kind=ChargeKind(charge["class"]), amount=amount, description=charge["description"])
    if bill.tax:
        yield ChargeToPush(kind=ChargeKind.TAX, amount=bill.tax)
    if bill.discount:
        yield ChargeToPush(kind=ChargeKind.DISCOUNT, amount=-bill.discount)


async def _own_units(session: AsyncSession, rows: Sequence[Any]) -> dict[tuple[str, str], str]:
    """The suppliers' units of lines that go out in these, as the ERP spells them, by item and unit: lines that have no
    exact decimals in the order's unit (7 of a dozen), where the ERP knows the supplier's."""
    units = [(row.item_id, row.billed_unit) for row in rows if row.exact_quantity is not None and row.billed_unit]
    return await unit_factors.erp_spelling(session, ConnectionId(rows[0].connection_id), units) if units else {}


def _split(line: Any, *, in_own_unit: bool) -> list[tuple[BillLineSource, Decimal, Decimal]]:
    """One bill line, once per source; the amounts add up to the line's to the cent.

    Quantities are in the order's unit, or in the supplier's own.
    """
    assert line.quantity is not None, "lines of our own bills carry a quantity"
    shares: list[tuple[BillLineSource, Decimal, Decimal]] = []
    left_amount = line.amount
    for position, source in enumerate(line.sources, start=1):
        quantity = _sent(line, source, in_own_unit=in_own_unit)
        last = position == len(line.sources)
        amount = left_amount if last else round(line.amount * Decimal(source["quantity"]) / line.quantity, 2)
        left_amount -= amount
        where = BillLineSource(document_id=DocumentId(source["document_id"]), line=ErpId(source["line"]))
        shares.append((where, quantity, amount))
    return shares


def _sent(line: Any, source: Mapping[str, str], *, in_own_unit: bool) -> Decimal:
    if line.exact_quantity is None:
        return Decimal(source["quantity"])
    if not in_own_unit or line.billed_quantity is None:
        return round(Decimal(source["quantity"]), SENT_PLACES)
    part = Fraction(source.get("exact") or source["quantity"]) / Fraction(line.exact_quantity)
    own = part * Fraction(line.billed_quantity)
    quantity = round(Decimal(own.numerator) / Decimal(own.denominator), SENT_PLACES)
    whole = quantity.to_integral_value()
    return whole if quantity == whole else quantity.normalize()


_PUSHED = text(
    """
    with held as (
        select id, status, document_id, payable_id from bills where id = :id for update
    ), moved as (
        update bills b set erp_id = :erp_id, document_id = cast(:document as varchar),
               payable_id = cast(:payable as varchar), erp_revision = :revision,
               linked_in_erp = :linked, status = n.status, version = b.version + cast(n.changed as int),
               changed_at = case when n.changed then now() else b.changed_at end
          from held h
          cross join lateral (
              -- Paid meanwhile: a later state is not taken back.
              select case when h.status = any(:unpushed) then cast(:status as varchar) else h.status end as status
          ) s
          cross join lateral (
              select s.status,
                     (h.status, h.document_id, h.payable_id) is distinct from
                     (s.status, cast(:document as varchar), cast(:payable as varchar)) as changed
          ) n
         where b.id = h.id
        returning b.id, b.organization_id, b.connection_id, b.document_id, b.payable_id, n.status, n.changed
    )
    insert into events (organization_id, connection_id, subject_kind, subject_id, kind, actor, why, before, after)
    select m.organization_id, m.connection_id, 'bill', m.id, 'pushed', :actor, :why,
           jsonb_build_object('status', h.status, 'document', h.document_id, 'payable', h.payable_id),
           jsonb_build_object('status', m.status, 'document', m.document_id, 'payable', m.payable_id)
      from moved m join held h on h.id = m.id where m.changed
    returning 1
    """
)


async def pushed(session: AsyncSession, bill_id: BillId, found: PushedBill, *, status: BillStatus) -> bool:
    """Store what the ERP holds under the bill's key. True when this changed the bill (False: it was known)."""
    changed = await session.execute(
        _PUSHED,
        {
            "id": bill_id,
            "erp_id": found.erp_id,
            "document": found.document_id,
            "payable": found.payable_id,
            "revision": found.revision,
            "linked": found.linked,
            "status": status,
            "unpushed": [BillStatus.PENDING_PUSH, BillStatus.SYNC_ISSUE, BillStatus.LINK_MISSING],
            "actor": SYNCER,
            "why": "read back from the ERP" if found.linked else "read back from the ERP: the PO link is missing",
        },
    )
    return changed.first() is not None


_SET_STATUS = text(
    """
    with held as (
        select id, organization_id, connection_id, status from bills where id = :id for update
    ), moved as (
        update bills b set status = cast(:status as varchar), version = b.version + 1, changed_at = now()
          from held h where b.id = h.id and h.status <> cast(:status as varchar)
        returning b.id
    ), told as (
        insert into events (organization_id, connection_id, subject_kind, subject_id, kind, actor, why, before, after)
        select h.organization_id, h.connection_id, 'bill', h.id, 'status', :actor, :why,
               jsonb_build_object('status', h.status), jsonb_build_object('status', cast(:status as varchar))
          from held h join moved m on m.id = h.id
    )
    select organization_id from held
    """
)


async def set_status(
    session: AsyncSession, bill_id: BillId, status: BillStatus, *, actor: str, why: str
) -> OrganizationId:
    """Move the bill to a status and record who and why. The same status again changes nothing."""
    row = await session.execute(_SET_STATUS, {"id": bill_id, "status": status, "actor": actor, "why": why})
    return OrganizationId(row.scalar_one())


async def abandon(session: AsyncSession, bill_id: BillId, *, actor: str, why: str) -> bool:
    """Give the bill up and free what it reserves. Refused (False) when the ERP holds it, or may."""
    key = (
        await session.execute(
            select(col(ErpWriteRow.external_key)).where(
                col(ErpWriteRow.subject_id) == bill_id, col(ErpWriteRow.kind) == "bill"
            )
        )
    ).scalar_one()
    if not await writes.abandon(session, ExternalKey(key)):
        return False
    await session.execute(update(BillLineRow).where(col(BillLineRow.bill_id) == bill_id).values(reserves=False))
    await set_status(session, bill_id, BillStatus.ABANDONED, actor=actor, why=why)
    return True


async def now(session: AsyncSession, bill_id: BillId) -> BillNow:
    """What is paid and due, as the mirror has it."""
    row: Any = (
        await session.execute(text("select status, total, paid, version from bills where id = :id"), {"id": bill_id})
    ).one()
    return BillNow(
        status=BillStatus(row.status), paid=str(row.paid), due=str(row.total - row.paid), version=row.version
    )


async def kept_back(session: AsyncSession, bill_id: BillId) -> BillPushResult:
    """What the push of a bill ends in that waits for a person: nothing was sent."""
    row: Any = (await session.execute(text("select status, version from bills where id = :id"), {"id": bill_id})).one()
    return BillPushResult(status=BillStatus(row.status), document_id="", covered=False, version=row.version)


async def document_of(session: AsyncSession, bill_id: BillId) -> str:
    """The document the ERP knows the bill by; empty while it knows none."""
    return (
        await session.execute(select(col(BillRow.document_id)).where(col(BillRow.id) == bill_id))
    ).scalar_one() or ""


async def reserving(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> set[BillId]:
    """The bills whose quantity on this order the ERP's own figures do not show yet."""
    rows = await session.execute(
        select(col(BillLineRow.bill_id))
        .where(col(BillLineRow.purchase_order_id) == purchase_order_id, col(BillLineRow.reserves))
        .distinct()
    )
    return {BillId(bill_id) for bill_id in rows.scalars()}
