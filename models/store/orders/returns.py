"""List returns of goods to vendors, with what they were billed at and which credits name them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId, PurchaseOrderId
from models.store.base.pages import CursorUnreadable, Listing, date_in_cursor, decode_cursor, encode_cursor
from models.store.base.sorted_pages import ListSort, SortKey
from models.store.orders.order_links import SENT_BACK


class ReturnSort(ListSort):
    """What returns are sorted by; `-` puts the last one first."""

    DATE = "returned_on"
    DATE_LAST_FIRST = "-returned_on"
    NUMBER = "number"
    NUMBER_LAST_FIRST = "-number"
    VENDOR = "vendor_name"
    VENDOR_LAST_FIRST = "-vendor_name"


_VENDOR = "coalesce(v.name, o.vendor_name, r.vendor_id)"

_KEYS = {
    "returned_on": SortKey("r.received_on", lambda one: one.returned_on.isoformat(), date_in_cursor),
    "number": SortKey("r.number", lambda one: one.number, str),
    "vendor_name": SortKey(_VENDOR, lambda one: one.vendor_name, str),
}


@dataclass(frozen=True, slots=True)
class ReturnsWanted:
    """Which returns to list; None does not restrict. Days are included."""

    organization_id: OrganizationId
    connection_id: ConnectionId | None = None
    purchase_order_id: PurchaseOrderId | None = None
    number: str | None = None
    vendor: str | None = None
    """Its id or its name."""
    date_from: date | None = None
    date_to: date | None = None


class ReturnedLine(NamedTuple):
    """What went back of one order line, in the line's unit."""

    line_no: int
    purchase_order_id: PurchaseOrderId | None
    order_line_no: int | None
    """None: the order is not here, or the return names no line of it."""
    item_id: str
    description: str
    unit: str
    quantity: Decimal
    price: Decimal
    """What bills billed the line at on the average; where none did, the order's price."""


@dataclass(frozen=True, slots=True)
class Return:
    """A return of goods to a vendor."""

    id: str
    connection_id: ConnectionId
    number: str
    vendor_id: str
    vendor_name: str
    returned_on: date
    time_zone: str | None
    """In which the company's days begin; None: UTC."""
    memo: str
    entity: str | None
    currency: str
    purchase_order_id: PurchaseOrderId | None
    order_number: str | None
    three_way: bool
    """Whether bills of the connection are matched with what was received: only then is a credit expected."""
    credited: Decimal
    """What credits that name it come to; the one that it posted itself is one of them."""
    credits: tuple[str, ...]
    """Their numbers."""
    lines: tuple[ReturnedLine, ...] = ()


# A credit names a return as the ERP's own link, or by its number as the reference that people type.
_RETURNS = f"""
select r.id, r.connection_id, r.number, r.vendor_id, {_VENDOR} as vendor_name,
       r.received_on, c.time_zone, r.memo, coalesce(r.owner_entity, r.entity) as entity,
       coalesce(o.currency, c.base_currency) as currency, r.purchase_order_id, o.number as order_number,
       c.match_mode = 'three_way' as three_way, coalesce(k.credited, 0) as credited, k.numbers
  from receipts r
  join connections c on c.id = r.connection_id
  left join purchase_orders o on o.id = r.purchase_order_id
  left join lateral (
      select l.name from list_entries l
       where l.connection_id = r.connection_id and l.kind = 'vendor' and l.key = r.vendor_id limit 1) v on true
  left join lateral (
      select -sum(b.total) as credited, array_agg(b.number order by b.bill_date, b.number) as numbers
        from bills b
       where b.connection_id = r.connection_id and b.kind = 'credit'
         and b.status not in ('deleted', 'abandoned', 'retracting')
         and (b.payable_id = r.credit_document or (b.vendor_id = r.vendor_id and b.reference = r.number))) k on true
 where c.organization_id = :organization and {SENT_BACK}
"""

_LINES = """
select rl.receipt_id, rl.line_no, rl.item_id, rl.description, rl.unit, rl.quantity, l.line_no as order_line_no,
       r.purchase_order_id,
       coalesce(p.price, case l.basis when 'amount' then null else l.price end, l.price, 0) as price
  from receipt_lines rl
  join receipts r on r.id = rl.receipt_id
  left join purchase_order_lines l on l.purchase_order_id = r.purchase_order_id and l.erp_id = rl.order_line
   and not l.deleted
  left join lateral (
      select sum(bl.amount) / nullif(sum(bl.quantity), 0) as price
        from bill_lines bl join bills b on b.id = bl.bill_id
       where bl.purchase_order_id = l.purchase_order_id and bl.purchase_order_line_no = l.line_no
         and b.kind = 'bill' and b.status not in ('deleted', 'abandoned', 'disputed') and bl.quantity > 0) p on true
 where rl.receipt_id = any(cast(:ids as text[]))
 order by rl.receipt_id, rl.line_no
"""


async def page(
    s: AsyncSession, wanted: ReturnsWanted, *, sort: ReturnSort = ReturnSort.DATE, limit: int, cursor: str | None
) -> Listing[Return]:
    """Return one page of the organization's returns, the oldest first unless `sort` says otherwise.

    Raises:
        CursorUnreadable: The cursor is not one of ours, or belongs to another order of the list.
    """
    conditions, values = _conditions(wanted)
    key, descending = _KEYS[sort.field], sort.is_descending
    if cursor is not None:
        named, value, return_id = decode_cursor(cursor, 3)
        if named != sort:
            raise CursorUnreadable("the cursor belongs to another order of the list")
        conditions.append(f"({key.column}, r.id) {'<' if descending else '>'} (:after, :after_id)")
        values |= {"after": key.from_cursor(value), "after_id": return_id}
    where = "".join(f" and {condition}" for condition in conditions)
    way = "desc" if descending else "asc"
    ordered = f"{_RETURNS}{where} order by {key.column} {way}, r.id {way} limit :limit"
    rows = (await s.execute(text(ordered), {**values, "limit": limit + 1})).all()
    returns = await _with_lines(s, rows[:limit])
    return Listing(returns, cursor_behind(returns[-1], sort) if len(rows) > limit else None)


def cursor_behind(last: Return, sort: ReturnSort) -> str:
    """Return the cursor of the page that begins behind a return."""
    return encode_cursor(sort.value, _KEYS[sort.field].of(last), last.id)


async def of_orders(
    s: AsyncSession, organization_id: OrganizationId, order_ids: Iterable[PurchaseOrderId]
) -> list[Return]:
    """Return all returns of these orders, the oldest first."""
    rows = await s.execute(
        text(f"{_RETURNS} and r.purchase_order_id = any(cast(:orders as text[])) order by r.received_on, r.id"),
        {"organization": organization_id, "orders": sorted(set(order_ids))},
    )
    return await _with_lines(s, rows.all())


async def get(s: AsyncSession, organization_id: OrganizationId, return_id: str) -> Return | None:
    """Return one return; None: the organization has none with this id."""
    rows = await s.execute(text(f"{_RETURNS} and r.id = :id"), {"organization": organization_id, "id": return_id})
    matches = await _with_lines(s, rows.all())
    return matches[0] if matches else None


def _conditions(wanted: ReturnsWanted) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {"organization": wanted.organization_id}
    for name, condition, value in (
        ("connection", "r.connection_id = :connection", wanted.connection_id),
        ("order", "r.purchase_order_id = :order", wanted.purchase_order_id),
        ("number", "lower(r.number) = lower(:number)", wanted.number),
        ("vendor", "(r.vendor_id = :vendor or lower(coalesce(v.name, o.vendor_name)) = lower(:vendor))", wanted.vendor),
        ("date_from", "r.received_on >= :date_from", wanted.date_from),
        ("date_to", "r.received_on <= :date_to", wanted.date_to),
    ):
        if value is not None:
            conditions.append(condition)
            values[name] = value
    return conditions, values


async def _with_lines(s: AsyncSession, rows: Sequence[Any]) -> list[Return]:
    read = await s.execute(text(_LINES), {"ids": [row.id for row in rows]})
    lines: dict[str, list[ReturnedLine]] = {}
    for line in read:
        lines.setdefault(line.receipt_id, []).append(
            ReturnedLine(
                line_no=line.line_no,
                purchase_order_id=line.purchase_order_id,
                order_line_no=line.order_line_no,
                item_id=line.item_id,
                description=line.description,
                unit=line.unit,
                quantity=line.quantity,
                price=line.price,
            )
        )
    return [
        Return(
            id=row.id,
            connection_id=row.connection_id,
            number=row.number,
            vendor_id=row.vendor_id,
            vendor_name=row.vendor_name,
            returned_on=row.received_on,
            time_zone=row.time_zone,
            memo=row.memo,
            entity=row.entity,
            currency=row.currency,
            purchase_order_id=row.purchase_order_id,
            order_number=row.order_number,
            three_way=row.three_way,
            credited=row.credited,
            credits=tuple(row.numbers or ()),
            lines=tuple(lines.get(row.id, ())),
        )
        for row in rows
    ]
