"""Bills of ours: saved with their reservation, pushed, paid, given up. Reads for the API are in `bill_reads.py`."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import insert, select, text, update
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
)
from models.messages import BillNow, BillPushResult
from models.store import edit_undo, events, writes
from models.tables import BillLineRow, BillRow, ErpWriteRow, PurchaseOrderLineRow, PurchaseOrderRow

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


async def create(session: AsyncSession, new: NewBill) -> bool:
    """Save the bill, reserve its quantities and plan its write, in the caller's transaction. False: it was there."""
    key = external_key_for(new.id)
    inserted = await session.execute(
        text(
            """
            insert into bills (id, organization_id, connection_id, purchase_order_id, vendor_id, vendor_name, number,
                number_key, reference, origin, status, match_outcome, bill_date, posting_date, due_date, currency, memo,
                total, invoice_total, charges, tax, discount, external_key, linked_in_erp, manual_both_sides,
                created_by, version)
            values (:id, :organization, :connection, :order, :vendor, :vendor_name, :number, :number_key, :reference,
                :origin, :status, :outcome, :bill_date, :posting_date, :due_date, :currency, :memo, :total,
                :invoice_total, cast(:charges as jsonb), :tax, :discount, :key, false, false, :created_by, 1)
            on conflict (id) do nothing returning id
            """
        ),
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
            "key": key,
            "created_by": new.created_by,
        },
    )
    if inserted.first() is None:
        return False
    await session.execute(
        insert(BillLineRow),
        [
            {
                "bill_id": new.id,
                "line_no": line.line_no,
                "purchase_order_id": line.purchase_order_id or new.purchase_order_id,
                "purchase_order_line_no": line.order_line_no,
                "item_id": line.item_id,
                "account": line.account,
                "description": line.description,
                "quantity": line.quantity,
                "exact_quantity": line.exact_quantity,
                "unit": line.unit,
                "billed_quantity": line.billed_quantity,
                "billed_unit": line.billed_unit,
                "price": line.price,
                "amount": line.amount,
                "department": line.department,
                "location": line.location,
                "class_id": line.class_id,
                "project": line.project,
                "sources": [dict(source) for source in line.sources],
                "reserves": True,
            }
            for line in new.lines
        ],
    )
    await writes.plan(
        session,
        key,
        connection_id=new.connection_id,
        kind="bill",
        subject_id=new.id,
        purchase_order_id=new.purchase_order_id,
        body_hash=_body_hash(new),
        held=new.status in WAITING_FOR_A_PERSON,
    )
    await events.record(
        session,
        organization_id=new.organization_id,
        connection_id=new.connection_id,
        subject_kind="bill",
        subject_id=new.id,
        kind="created",
        actor=new.created_by,
        why=f"billed against {new.order_number}",
        before=None,
        after={"status": new.status, "total": str(new.total), "match": new.match_outcome},
    )
    return True


def _body_hash(new: NewBill) -> str:
    lines = "\n".join(f"{line.order_line_no} {line.quantity} {line.amount}" for line in new.lines)
    return hashlib.sha256(f"{new.number}\n{new.bill_date}\n{new.total}\n{lines}".encode()).hexdigest()


async def same_number(
    session: AsyncSession, connection_id: ConnectionId, vendor_id: str, number_key: str, *, except_bill: BillId
) -> list[str]:
    """The vendor's bills that already carry this number (DUPLICATE_EXACT), given up and deleted ones aside."""
    rows = await session.execute(
        select(col(BillRow.id)).where(
            col(BillRow.connection_id) == connection_id,
            col(BillRow.vendor_id) == vendor_id,
            col(BillRow.number_key) == number_key,
            col(BillRow.status).not_in([BillStatus.DELETED, BillStatus.ABANDONED]),
            col(BillRow.id) != except_bill,
        )
    )
    return list(rows.scalars())


async def in_push(session: AsyncSession, bill_id: BillId) -> BillInPush:
    """The bill as it goes out: every line with its order line and its source in the ERP."""
    bill, order = (
        await session.execute(
            select(BillRow, PurchaseOrderRow)
            .join(PurchaseOrderRow, col(PurchaseOrderRow.id) == col(BillRow.purchase_order_id))
            .where(col(BillRow.id) == bill_id)
        )
    ).one()
    rows = (
        await session.execute(
            select(BillLineRow, PurchaseOrderLineRow)
            .join(
                PurchaseOrderLineRow,
                (col(PurchaseOrderLineRow.purchase_order_id) == col(BillLineRow.purchase_order_id))
                & (col(PurchaseOrderLineRow.line_no) == col(BillLineRow.purchase_order_line_no)),
            )
            .where(col(BillLineRow.bill_id) == bill_id)
            .order_by(col(BillLineRow.line_no))
        )
    ).all()
    lines: list[BillLineToPush] = []
    for line, order_line in rows:
        for source, quantity, amount in _split(line):
            lines.append(
                BillLineToPush(
                    line_no=len(lines) + 1,
                    item_id=line.item_id or order_line.item_id,
                    description=line.description,
                    quantity=quantity,
                    unit=(line.billed_unit if line.exact_quantity else line.unit) or order_line.unit,
                    amount=amount,
                    order_line=ErpId(order_line.erp_id),
                    source=source,
                    entity=order.entity,
                    department=line.department,
                    location=line.location,
                    class_id=line.class_id,
                    project=line.project,
                    warehouse=order_line.warehouse,
                    edited=edit_undo.edited_on_line(bill.edit_undo, line),
                )
            )
    return BillInPush(
        bill=BillToPush(
            external_key=ExternalKey(bill.external_key),
            vendor_id=bill.vendor_id,
            number=bill.number,
            order_document=DocumentId(order.document_id),
            order_number=order.number,
            owner_entity=order.owner_entity,
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
        purchase_order_id=PurchaseOrderId(order.id),
        order_erp_id=ErpId(order.erp_id),
    )


def _charges(bill: BillRow) -> Iterator[ChargeToPush]:
    for charge in bill.charges:
        yield ChargeToPush(
            kind=ChargeKind(charge["class"]), amount=Decimal(charge["amount"]), description=charge["description"]
        )
    if bill.tax:
        yield ChargeToPush(kind=ChargeKind.TAX, amount=bill.tax)
    if bill.discount:
        yield ChargeToPush(kind=ChargeKind.DISCOUNT, amount=-bill.discount)


def _split(line: BillLineRow) -> list[tuple[BillLineSource, Decimal, Decimal]]:
    """One bill line, once per source; the amounts add up to the line's to the cent.

    Quantities are in the order's unit; where that has no exact decimals (7 of a dozen), in the supplier's own.
    """
    assert line.quantity is not None, "lines of our own bills carry a quantity"
    shares: list[tuple[BillLineSource, Decimal, Decimal]] = []
    left_amount = line.amount
    for position, source in enumerate(line.sources, start=1):
        quantity = _sent(line, source)
        last = position == len(line.sources)
        amount = left_amount if last else round(line.amount * Decimal(source["quantity"]) / line.quantity, 2)
        left_amount -= amount
        where = BillLineSource(document_id=DocumentId(source["document_id"]), line=ErpId(source["line"]))
        shares.append((where, quantity, amount))
    return shares


def _sent(line: BillLineRow, source: Mapping[str, str]) -> Decimal:
    if line.exact_quantity is None or line.billed_quantity is None:
        return Decimal(source["quantity"])
    part = Fraction(source.get("exact") or source["quantity"]) / Fraction(line.exact_quantity)
    own = part * Fraction(line.billed_quantity)
    quantity = round(Decimal(own.numerator) / Decimal(own.denominator), 10)
    whole = quantity.to_integral_value()
    return whole if quantity == whole else quantity.normalize()


async def pushed(session: AsyncSession, bill_id: BillId, found: PushedBill, *, status: BillStatus) -> bool:
    """Store what the ERP holds under the bill's key. True when this changed the bill (False: it was known)."""
    bill = (await session.execute(select(BillRow).where(col(BillRow.id) == bill_id).with_for_update())).scalar_one()
    before = {"status": bill.status, "document": bill.document_id, "payable": bill.payable_id}
    after = {"status": str(status), "document": str(found.document_id), "payable": found.payable_id}
    bill.erp_id = found.erp_id
    bill.document_id = found.document_id
    bill.payable_id = found.payable_id
    bill.erp_revision = found.revision
    bill.linked_in_erp = found.linked
    if bill.status in (BillStatus.PENDING_PUSH, BillStatus.SYNC_ISSUE, BillStatus.LINK_MISSING):
        bill.status = status
    else:  # paid meanwhile: a later state is not taken back
        after["status"] = bill.status
    if before == after:
        return False
    bill.version += 1
    session.add(bill)
    await session.flush()
    await session.execute(text("update bills set changed_at = now() where id = :id"), {"id": bill_id})
    await events.record(
        session,
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        subject_kind="bill",
        subject_id=bill_id,
        kind="pushed",
        actor=SYNCER,
        why="read back from the ERP" if found.linked else "read back from the ERP: the PO link is missing",
        before=before,
        after=after,
    )
    return True


async def set_status(
    session: AsyncSession, bill_id: BillId, status: BillStatus, *, actor: str, why: str
) -> OrganizationId:
    """Move the bill to a status and record who and why. The same status again changes nothing."""
    row = (
        await session.execute(
            text("select organization_id, connection_id, status from bills where id = :id for update"), {"id": bill_id}
        )
    ).one()
    organization = OrganizationId(row.organization_id)
    if row.status == status:
        return organization
    await session.execute(
        update(BillRow).where(col(BillRow.id) == bill_id).values(status=status, version=BillRow.version + 1)
    )
    await session.execute(text("update bills set changed_at = now() where id = :id"), {"id": bill_id})
    await events.record(
        session,
        organization_id=organization,
        connection_id=ConnectionId(row.connection_id),
        subject_kind="bill",
        subject_id=bill_id,
        kind="status",
        actor=actor,
        why=why,
        before={"status": row.status},
        after={"status": str(status)},
    )
    return organization


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
        await session.execute(text("select status, total, paid from bills where id = :id"), {"id": bill_id})
    ).one()
    return BillNow(status=BillStatus(row.status), paid=str(row.paid), due=str(row.total - row.paid))


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
