"""Store our bills: saved with their reservation, pushed, paid, abandoned. Reads for the API are in `bill_reads.py`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import select, text, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import (
    BillMatchMode,
    BillStatus,
    ChargeKind,
    Origin,
    PushedBill,
)
from models.domain.ids import (
    SYNCER,
    BillId,
    ConnectionId,
    ExternalKey,
    OrganizationId,
    PurchaseOrderId,
)
from models.domain.invoice_numbers import number_parts
from models.domain.writes import WriteKind, WriteState
from models.messages.bills import BillBalance, BillPushResult
from models.store.audit import events, sync_issues, writes
from models.store.base.identity import digest_of, named_id
from models.store.orders.order_notifications import TERMS_OF_ONE
from models.store.payables.statuses import moved, status_statement
from models.tables import BillLineRow, BillRow


def bill_id_for(organization_id: OrganizationId, request_key: str, number: str) -> BillId:
    """Return the bill's id: the same request makes the same bill, however often its transaction is tried.

    The number it is entered with is in it, for those who read ids; it stays when the number is corrected.
    """
    return BillId(named_id("bill", number, organization_id, request_key))


def external_key_for(bill_id: BillId, generation: int = 1) -> ExternalKey:
    """Return the document number that the ERP will know the bill by: short, upper case, and recognisable as ours.

    A bill that was taken back and is made anew has another one: what was there under the first is not what is sent.
    """
    suffix = "" if generation == 1 else f"-{generation}"
    return ExternalKey("PSB-" + digest_of(bill_id)[:16].upper() + suffix)


@dataclass(frozen=True, slots=True)
class NewBillLine:
    """One line of a bill to save. Quantities are in the order line's unit, money is in the bill's currency.

    A line that is on no order has an amount and an account, and neither quantity nor price.
    """

    line_no: int
    order_line_no: int | None
    item_id: str | None
    description: str
    quantity: Decimal | None
    unit: str
    price: Decimal | None
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
    """`n/d` when `quantity`, in the order's unit, is rounded."""
    billed_quantity: Decimal | None = None
    billed_unit: str | None = None
    """With `billed_quantity`: as the supplier billed it, when its unit is not the order's."""
    substitute: str | None = None
    """The item billed in the place of `item_id`."""
    warehouse: str | None = None
    custom: Mapping[str, str] = field(default_factory=dict)
    """Values of the company's own dimensions and fields, by the names that the connection has for them."""
    off_order: bool = False
    """It bills no order line: an amount on `account`; `item_id` is the item that stands for the account."""


_LINES = TypeAdapter(Sequence[NewBillLine])


@dataclass(frozen=True, slots=True)
class NewCharge:
    """Money that belongs to no line of the order: `kind` is freight, surcharge or other."""

    kind: ChargeKind
    amount: Decimal
    description: str = ""


@dataclass(frozen=True, slots=True)
class NewBill:
    """A bill to save, with the outcome of its match. Money is in `currency`."""

    id: BillId
    organization_id: OrganizationId
    connection_id: ConnectionId
    purchase_order_id: PurchaseOrderId | None
    """None: it is without an order."""
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
    """A bill that waits is saved and reserves its quantity, and its write is on hold."""
    invoice_total: Decimal | None = None
    """The total that the supplier printed."""
    charges: Sequence[NewCharge] = ()
    tax: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    """Subtracted from the total; zero or more."""
    matched_terms: str | None = None
    """The `OrderFacts.terms` of its order that it was matched under; None: those of the moment in which it is saved,
    when its order's lines are locked."""
    part_of: BillId | None = None
    """The first bill of the supplier invoice that this one is a further part of."""
    repeats_number: bool = False
    """Whether another live bill of the vendor may have the same number."""
    entity: str | None = None
    """Of a bill without an order."""
    term: str | None = None
    """The payment term, where there is no due date."""
    match_mode: BillMatchMode | None = None
    """What a person chose for it."""
    small: bool = False
    """Not matched because of its total."""


_CREATE = text(
    f"""
    with made as (
        insert into bills (id, organization_id, connection_id, purchase_order_id, vendor_id, vendor_name, number,
            number_key, number_parts, repeats_number, part_of, reference, origin, status, match_outcome, matched_terms,
            bill_date, posting_date, due_date, currency, memo, total, invoice_total, charges, tax, discount,
            external_key, linked_in_erp, manual_both_sides, created_by, direct, entity, term, match_mode,
            small, version)
        values (:id, :organization, :connection, cast(:order as varchar), :vendor, :vendor_name, :number, :number_key,
            :number_parts, :repeats_number, :part_of, :reference, :origin, :status, :outcome,
            coalesce(cast(:terms as varchar), ({TERMS_OF_ONE} cast(:order as varchar)), ''), :bill_date, :posting_date,
            :due_date, :currency, :memo, :total, :invoice_total, cast(:charges as jsonb), :tax, :discount, :key, false,
            false, :created_by, :direct, :entity, :term, :match_mode, :small, 1)
        on conflict (id) do nothing
        returning id, organization_id, connection_id, external_key, purchase_order_id, created_by
    ), lines as (
        insert into bill_lines (bill_id, line_no, purchase_order_id, purchase_order_line_no, item_id, account,
            description, quantity, exact_quantity, unit, billed_quantity, billed_unit, price, amount, department,
            location, class_id, project, warehouse, custom, sources, off_order, substitute, reserves)
        select made.id, l.line_no,
               case when not l.off_order then coalesce(l.purchase_order_id, made.purchase_order_id) end,
               l.order_line_no, l.item_id, l.account, l.description, l.quantity, l.exact_quantity, l.unit,
               l.billed_quantity, l.billed_unit, l.price, l.amount, l.department, l.location, l.class_id, l.project,
               l.warehouse, l.custom, l.sources, l.off_order, l.substitute, not l.off_order
        from made, json_to_recordset(cast(:lines as json)) as l(
            line_no int, purchase_order_id text, order_line_no int, item_id text, account text, description text,
            quantity numeric, exact_quantity text, unit text, billed_quantity numeric, billed_unit text, price numeric,
            amount numeric, department text, location text, class_id text, project text, warehouse text, custom jsonb,
            sources jsonb, off_order boolean, substitute text)
        order by 3, 4  -- the order in which everybody locks an order's lines: each row's foreign key locks one
    ), planned as (
        {writes.plan(WriteKind.BILL, purchase_order_id="purchase_order_id", state=":write_state")}
    ), told as (
        {events.ADD}
        select organization_id, connection_id, 'bill', id, 'created', created_by, :why, null, cast(:after as jsonb)
          from made
    )
    select 1 from made
    """
)


async def create(session: AsyncSession, new: NewBill) -> bool:
    """Save the bill, reserve its quantities and plan its write, in one statement.

    Return False when it was saved before.
    """
    on_hold = new.status.is_waiting
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
            "number_parts": number_parts(new.number),
            "repeats_number": new.repeats_number,
            "part_of": new.part_of,
            "reference": new.order_number or None,
            "direct": new.purchase_order_id is None,
            "entity": new.entity,
            "term": new.term,
            "match_mode": new.match_mode,
            "small": new.small,
            "origin": Origin.POSYNC,
            "status": new.status,
            "outcome": new.match_outcome,
            "terms": new.matched_terms,
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
            "write_state": WriteState.HELD if on_hold else WriteState.PLANNED,
            "why": f"billed against {new.order_number}" if new.order_number else "billed without an order",
            "after": json.dumps({"status": new.status, "total": str(new.total), "match": new.match_outcome}),
        },
    )
    return made.first() is not None


_IN_ERP = ", ".join(f"'{status.value}'" for status in BillStatus if status.is_payable)

_PUSHED = text(
    f"""
    with held as (
        select id, status, document_id, payable_id from bills where id = :id for update
    ), moved as (
        update bills b set erp_id = :erp_id, document_id = cast(:document as varchar),
               payable_id = cast(:payable as varchar), erp_revision = :revision,
               linked_in_erp = :linked and not b.direct, due_date = coalesce(b.due_date, cast(:due_date as date)),
               status = n.status, version = b.version + cast(n.changed as int),
               changed_at = case when n.changed then now() else b.changed_at end
          from held h
          cross join lateral (
              -- Paid meanwhile: a later state is not taken back.
              select case when h.status in ({_IN_ERP}) and cast(:status as varchar) = 'sync_issue' then h.status
                          else {moved("bills", "h.status", "cast(:status as varchar)")} end as status
          ) s
          cross join lateral (
              select s.status,
                     (h.status, h.document_id, h.payable_id) is distinct from
                     (s.status, cast(:document as varchar), cast(:payable as varchar)) as changed
          ) n
         where b.id = h.id
        returning b.id, b.organization_id, b.connection_id, b.document_id, b.payable_id, n.status, n.changed
    )
    {events.ADD}
    select m.organization_id, m.connection_id, 'bill', m.id, 'pushed', :actor, :why,
           jsonb_build_object('status', h.status, 'document', h.document_id, 'payable', h.payable_id),
           jsonb_build_object('status', m.status, 'document', m.document_id, 'payable', m.payable_id)
      from moved m join held h on h.id = m.id where m.changed
    returning 1
    """
)


async def pushed(session: AsyncSession, bill_id: BillId, readback: PushedBill, *, status: BillStatus) -> bool:
    """Store what the ERP holds under the bill's key; return whether this changed the bill (False: it was known)."""
    changed = await session.execute(
        _PUSHED,
        {
            "id": bill_id,
            "erp_id": readback.erp_id,
            "document": readback.document_id,
            "payable": readback.payable_id,
            "revision": readback.revision,
            "linked": readback.linked,
            "due_date": readback.due_date,
            "status": status,
            "actor": SYNCER,
            "why": "read back from the ERP" if readback.linked else "read back from the ERP: the PO link is missing",
        },
    )
    return changed.first() is not None


_SET_STATUS = status_statement("bills")


async def set_status(session: AsyncSession, bill_id: BillId, status: BillStatus, *, actor: str, why: str) -> BillStatus:
    """Set the bill's status where it may follow, record who and why, and return the status that the bill then has."""
    row = await session.execute(_SET_STATUS, {"id": bill_id, "status": status, "actor": actor, "why": why})
    return BillStatus(row.one().status)


_LOCK_WITH_WRITE = text(
    """
    with held as (select id, connection_id, status, external_key from bills where id = :id for update)
    select h.connection_id, h.status, h.external_key, w.state
      from held h join erp_writes w on w.external_key = h.external_key for update of w
    """
)


class LockedBill(NamedTuple):
    """A bill of ours that is locked together with its write, in this order, until the transaction ends."""

    connection_id: ConnectionId
    status: BillStatus
    write: WriteState
    external_key: ExternalKey


async def lock_with_write(session: AsyncSession, bill_id: BillId) -> LockedBill:
    """Lock a bill of ours and its write, and return where both stand."""
    row = (await session.execute(_LOCK_WITH_WRITE, {"id": bill_id})).one()
    return LockedBill(
        ConnectionId(row.connection_id), BillStatus(row.status), WriteState(row.state), ExternalKey(row.external_key)
    )


async def abandon(session: AsyncSession, bill_id: BillId, *, actor: str, why: str) -> bool:
    """Abandon the bill, free what it reserves and close its issues; return False when the ERP holds it or may hold
    it."""
    bill = await lock_with_write(session, bill_id)
    if not await writes.abandon(session, bill.external_key):
        return False
    await session.execute(update(BillLineRow).where(col(BillLineRow.bill_id) == bill_id).values(reserves=False))
    await set_status(session, bill_id, BillStatus.ABANDONED, actor=actor, why=why)
    await sync_issues.close_with_subject(session, bill.connection_id, WriteKind.BILL, [bill_id], actor=actor)
    return True


async def balance(session: AsyncSession, bill_id: BillId) -> BillBalance:
    """Return what is paid and due on the bill, as the mirror has it."""
    row: Any = (
        await session.execute(text("select status, total, paid, version from bills where id = :id"), {"id": bill_id})
    ).one()
    return BillBalance(
        status=BillStatus(row.status), paid=str(row.paid), due=str(row.total - row.paid), version=row.version
    )


async def unsent_result(session: AsyncSession, bill_id: BillId) -> BillPushResult:
    """Return the push result of a bill that waits: nothing was sent."""
    row: Any = (await session.execute(text("select status, version from bills where id = :id"), {"id": bill_id})).one()
    return BillPushResult(status=BillStatus(row.status), document_id="", confirmed=False, version=row.version)


async def document_of(session: AsyncSession, bill_id: BillId) -> str:
    """Return the document id that the ERP knows the bill by; empty when it knows none."""
    return (
        await session.execute(select(col(BillRow.document_id)).where(col(BillRow.id) == bill_id))
    ).scalar_one() or ""


async def reserving(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> set[BillId]:
    """Return the bills whose quantity on this order the ERP's own figures do not show yet."""
    rows = await session.execute(
        select(col(BillLineRow.bill_id))
        .where(col(BillLineRow.purchase_order_id) == purchase_order_id, col(BillLineRow.reserves))
        .distinct()
    )
    return {BillId(bill_id) for bill_id in rows.scalars()}
