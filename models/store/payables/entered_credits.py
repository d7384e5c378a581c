"""Store credits that are entered here: saved with their lines and their planned write, in one statement."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.ids import BillId, ConnectionId, OrganizationId, PurchaseOrderId
from models.domain.invoice_numbers import number_key, number_parts
from models.domain.writes import WriteKind, WriteState
from models.store.audit import events, writes
from models.store.payables.bills import external_key_for


@dataclass(frozen=True, slots=True)
class NewCreditLine:
    """One line of a credit to save; quantity and amount are above zero here, and below in the row."""

    line_no: int
    purchase_order_id: PurchaseOrderId | None
    order_line_no: int | None
    item_id: str | None
    account: str | None
    description: str
    quantity: Decimal | None
    unit: str
    amount: Decimal
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None


_LINES = TypeAdapter(Sequence[NewCreditLine])


@dataclass(frozen=True, slots=True)
class NewCredit:
    """A credit to save. Money is in `currency`."""

    id: BillId
    organization_id: OrganizationId
    connection_id: ConnectionId
    purchase_order_id: PurchaseOrderId | None
    credit_of: BillId | None
    reference: str | None
    vendor_id: str
    vendor_name: str
    number: str
    credit_date: date
    posting_date: date
    currency: str
    memo: str
    entity: str | None
    total: Decimal
    """Above zero."""
    status: BillStatus
    created_by: str
    lines: Sequence[NewCreditLine]
    apply_when_sent: bool = False
    """It is applied to its bill once the ERP holds it."""


_CREATE = text(
    f"""
    with made as (
        insert into bills (id, organization_id, connection_id, purchase_order_id, vendor_id, vendor_name, number,
            number_key, number_parts, repeats_number, reference, origin, status, kind, credit_of, bill_date,
            posting_date, currency, memo, total, external_key, linked_in_erp, manual_both_sides, created_by, direct,
            entity, apply_when_sent, version)
        values (:id, :organization, :connection, :order, :vendor, :vendor_name, :number, :number_key, :number_parts,
            true, :reference, 'posync', :status, 'credit', :credit_of, :credit_date, :posting_date, :currency, :memo,
            :total, :key, false, false, :created_by, true, :entity,
            :apply_when_sent, 1)
        on conflict (id) do nothing
        returning id, organization_id, connection_id, external_key, purchase_order_id, created_by
    ), lines as (
        insert into bill_lines (bill_id, line_no, purchase_order_id, purchase_order_line_no, item_id, account,
            description, quantity, unit, price, amount, department, location, class_id, project, sources, off_order,
            reserves, gives_back)
        select made.id, l.line_no, l.purchase_order_id, l.order_line_no, l.item_id, l.account, l.description,
               -l.quantity, l.unit, case when l.quantity <> 0 then l.amount / l.quantity end, -l.amount, l.department,
               l.location, l.class_id, l.project, '[]', l.purchase_order_id is null, false, l.quantity is not null
          from made, json_to_recordset(cast(:lines as json)) as l(
            line_no int, purchase_order_id text, order_line_no int, item_id text, account text, description text,
            quantity numeric, unit text, amount numeric, department text, location text, class_id text, project text)
         order by 3, 4
    ), planned as (
        {writes.plan(WriteKind.BILL, purchase_order_id="cast(null as varchar)", state=":write_state")}
    ), told as (
        {events.ADD}
        select organization_id, connection_id, 'bill', id, 'created', created_by, :why, null, cast(:after as jsonb)
          from made
    )
    select 1 from made
    """
)


async def create(session: AsyncSession, new: NewCredit, *, why: str) -> None:
    """Save the credit and plan its write; a repeat changes nothing."""
    await session.execute(
        _CREATE,
        {
            "id": new.id,
            "organization": new.organization_id,
            "connection": new.connection_id,
            "order": new.purchase_order_id,
            "vendor": new.vendor_id,
            "vendor_name": new.vendor_name,
            "number": new.number,
            "number_key": number_key(new.number),
            "number_parts": number_parts(new.number),
            "reference": new.reference,
            "status": new.status,
            "credit_of": new.credit_of,
            "credit_date": new.credit_date,
            "posting_date": new.posting_date,
            "currency": new.currency,
            "memo": new.memo,
            "total": -new.total,
            "key": external_key_for(new.id),
            "created_by": new.created_by,
            "entity": new.entity,
            "apply_when_sent": new.apply_when_sent,
            "lines": _LINES.dump_json(new.lines).decode(),
            "write_state": WriteState.HELD if new.status.is_waiting else WriteState.PLANNED,
            "why": why,
            "after": json.dumps({"status": new.status, "total": str(new.total)}),
        },
    )


async def taken_number(
    session: AsyncSession, connection_id: ConnectionId, vendor_id: str, number: str, *, except_id: BillId
) -> str | None:
    """Return the id of a live credit of the vendor with this number, however it is written; None: there is none."""
    rows = await session.execute(
        text(
            "select id from bills where connection_id = :c and vendor_id = :vendor and number_key = :key"
            "   and kind = 'credit' and status not in ('deleted', 'abandoned') and id <> :except order by id limit 1"
        ),
        {"c": connection_id, "vendor": vendor_id, "key": number_key(number), "except": except_id},
    )
    return rows.scalar_one_or_none()


async def lock_bill(session: AsyncSession, bill_id: BillId) -> None:
    """Lock the bill that credits are against, so that two of them are not matched without each other."""
    await lock_bills(session, [bill_id])


async def lock_bills(session: AsyncSession, bill_ids: Collection[BillId]) -> None:
    """Lock bills and credits in the order of their ids as the database sorts them, which is the order everywhere."""
    await session.execute(
        text("select 1 from bills where id = any(cast(:ids as text[])) order by id for update"), {"ids": list(bill_ids)}
    )


async def lock_with_credited(session: AsyncSession, credit_id: BillId) -> None:
    """Lock a credit, the bill that it is against, and that bill's other credits: one of a fee is applied to its bill
    once it is sent, or goes with the other fees of its payment."""
    await session.execute(
        text(
            "with of as (select credit_of from bills where id = :id)"
            " select 1 from bills where id = :id or id = (select credit_of from of)"
            "   or credit_of = (select credit_of from of) order by id for update"
        ),
        {"id": credit_id},
    )


async def credited_amount_of_bill(session: AsyncSession, bill_id: BillId, *, except_id: BillId) -> Decimal:
    """Return what live credits against the bill come to, above zero."""
    rows = await session.execute(
        text(
            "select coalesce(-sum(total), 0) from bills where credit_of = :bill and kind = 'credit'"
            "   and status not in ('deleted', 'abandoned') and id <> :except"
        ),
        {"bill": bill_id, "except": except_id},
    )
    return Decimal(rows.scalar_one())


async def billed_amount_of_order(session: AsyncSession, order_id: PurchaseOrderId, *, except_id: BillId) -> Decimal:
    """Return what live bills of the order come to, less its live credits."""
    rows = await session.execute(
        text(
            "select coalesce(sum(total), 0) from bills where purchase_order_id = :order and kind <> 'adjustment'"
            "   and status not in ('deleted', 'abandoned', 'disputed', 'draft') and not rejected_in_erp"
            "   and id <> :except"
        ),
        {"order": order_id, "except": except_id},
    )
    return Decimal(rows.scalar_one())


async def on_their_way(
    session: AsyncSession, order_ids: Sequence[PurchaseOrderId], *, except_id: BillId
) -> dict[tuple[str, int], Decimal]:
    """Return, by order line, what credits give back that the ledger's C does not include yet, above zero."""
    rows = await session.execute(
        text(
            "select l.purchase_order_id, l.purchase_order_line_no, -sum(l.quantity) as quantity"
            "  from bill_lines l join bills b on b.id = l.bill_id join connections n on n.id = b.connection_id"
            " where l.gives_back and l.purchase_order_id = any(:orders) and b.id <> :except"
            "   and b.status not in ('deleted', 'abandoned')"
            "   and (b.status not in ('synced', 'scheduled', 'partially_paid', 'paid')"
            "        or coalesce((n.capabilities ->> 'credits_name_orders')::boolean, false))"
            " group by 1, 2"
        ),
        {"orders": list(order_ids), "except": except_id},
    )
    return {(row.purchase_order_id, row.purchase_order_line_no): row.quantity for row in rows}
