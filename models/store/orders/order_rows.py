"""Write an order's rows: header, lines and the lines' numbers.

Shared by the page path (`order_pages.py`) and the order's own refresh (`order_refresh.py`). All of it is set-based: one
statement for all orders of a page, whatever their number.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contract import purchase_order_workflow_id
from models.domain.ids import ConnectionId, ErpId, PurchaseOrderId
from models.domain.invoice_numbers import number_key
from models.domain.orders import MatchingStatus, PoStatus, PurchaseOrder, PurchaseOrderLine
from models.store.base.identity import derived_id

_LINES = TypeAdapter(tuple[PurchaseOrderLine, ...])

_OUT_OF_THE_WAY = 1_000_000
"""Added to the line numbers of an order while it is renumbered; no ERP has orders with so many lines."""


class MappedOrder(NamedTuple):
    """An order with the meaning of its ERP status for people and for matching."""

    order: PurchaseOrder
    status: PoStatus
    matching_status: MatchingStatus


class OrderWrite(NamedTuple):
    """An order to write, as the JSON that PostgreSQL takes apart."""

    id: PurchaseOrderId
    order: PurchaseOrder
    status: str
    matching_status: str
    revision: str
    header: str
    lines: str
    content_hash: str
    """Hash of all that the ERP sent except the revision: a save without a change notifies nobody."""


def purchase_order_id(connection_id: ConnectionId, erp_id: str) -> PurchaseOrderId:
    """Return the order's id: the same one however often, and on whatever path, the order is imported."""
    return PurchaseOrderId(derived_id("po", connection_id, erp_id))


def order_write(connection_id: ConnectionId, mapped: MappedOrder) -> OrderWrite:
    """Return the order with its id and the hash of its content, ready to write."""
    order = mapped.order
    header = order.model_dump_json(exclude={"revision", "lines", "receipts"})
    lines = _LINES.dump_json(order.lines).decode()
    return OrderWrite(
        purchase_order_id(connection_id, order.erp_id),
        order,
        mapped.status.value,
        mapped.matching_status.value,
        order.revision,
        header,
        lines,
        hashlib.blake2b(f"{header}\n{lines}".encode(), digest_size=16).hexdigest(),
    )


def same_content(row: Any, write: OrderWrite) -> bool:
    """Return whether a stored row has the write's content, whatever its revision; a deleted order never has."""
    return (
        row.content_hash == write.content_hash
        and row.status == write.status
        and row.matching_status == write.matching_status
        and row.deleted_at is None
    )


class LockedLine(NamedTuple):
    """An order line as it is behind the lock."""

    purchase_order_id: PurchaseOrderId
    line_no: int
    erp_id: ErpId
    deleted: bool


async def lock_orders(connection: AsyncConnection, order_ids: Sequence[str]) -> Sequence[LockedLine]:
    """Lock the orders and their lines until the transaction ends; return the lines.

    First the orders by id, then their lines by number, in every caller: two that lock alike cannot wait for each other.
    The orders' lock lets bills be inserted against them; the lines' lock is the one that bill creation takes.
    """
    await connection.execute(
        text("select 1 from purchase_orders where id = any(cast(:ids as text[])) order by id for no key update"),
        {"ids": order_ids},
    )
    return await lock_lines(connection, order_ids)


async def lock_lines(connection: AsyncConnection, order_ids: Sequence[str]) -> Sequence[LockedLine]:
    """Lock and return the lines of orders that the caller has locked: the second half of `lock_orders`."""
    rows = await connection.execute(
        text(
            "select purchase_order_id, line_no, erp_id, deleted from purchase_order_lines"
            " where purchase_order_id = any(cast(:ids as text[])) order by purchase_order_id, line_no for update"
        ),
        {"ids": order_ids},
    )
    return [LockedLine._make(row) for row in rows]


async def sent_bills(connection: AsyncConnection, order_ids: Sequence[str]) -> Mapping[str, bool]:
    """Return the orders that a bill of ours was ever sent for; True where one still reserves, so may be outside E."""
    rows = await connection.execute(
        text(
            "select l.purchase_order_id, bool_or(l.reserves) as in_flight"
            " from bill_lines l join erp_writes w on w.subject_id = l.bill_id"
            " where l.purchase_order_id = any(cast(:ids as text[])) and w.kind = 'bill' and w.sent_at is not null"
            " group by l.purchase_order_id"
        ),
        {"ids": order_ids},
    )
    return {row.purchase_order_id: row.in_flight for row in rows}


_WRITE_ORDERS = """
insert into purchase_orders as held (
    id, connection_id, erp_id, document_id, number, vendor_id, vendor_name, ordered_on, due_on, currency, entity,
    owner_entity, memo, total, reference, term, erp_status, status, matching_status, created_from, custom, revision,
    content_hash, notified_hash, snapshot, workflow_id, number_key)
select w.id, :c, o.erp_id, o.document_id, o.number, o.vendor_id,
       -- An order may show its vendor in other words than the list: everywhere it is called by one name.
       coalesce((select v.name from list_entries v where v.connection_id = cast(:c as varchar) and v.kind = 'vendor'
                   and v.key = o.vendor_id and v.deleted_at is null limit 1), o.vendor_name),
       o.ordered_on, o.due_on,
       coalesce(o.currency, (select base_currency from connections where id = cast(:c as varchar))), o.entity,
       o.owner_entity, o.memo,
       coalesce(o.total, (select sum(amount) from json_to_recordset(cast(w.lines as json)) as l(amount numeric)), 0),
       o.reference,
       o.term, o.erp_status, w.status, w.matching_status, o.created_from, o.custom, w.revision, w.content_hash,
       case when :told then w.content_hash else '' end, 1, w.workflow_id, w.number_key
from unnest(cast(:ids as text[]), cast(:headers as text[]), cast(:lines as text[]), cast(:statuses as text[]),
            cast(:matching_statuses as text[]), cast(:revisions as text[]), cast(:hashes as text[]),
            cast(:workflow_ids as text[]), cast(:number_keys as text[]))
         as w(id, header, lines, status, matching_status, revision, content_hash, workflow_id, number_key),
     json_to_record(cast(w.header as json)) as o(
         erp_id text, document_id text, number text, vendor_id text, vendor_name text, ordered_on date, due_on date,
         currency text, entity text, owner_entity text, memo text, total numeric, reference text, term text,
         erp_status text, created_from text, custom jsonb)
on conflict (connection_id, erp_id) do update set
    document_id = excluded.document_id, number = excluded.number, number_key = excluded.number_key,
    vendor_id = excluded.vendor_id,
    vendor_name = excluded.vendor_name, ordered_on = excluded.ordered_on, due_on = excluded.due_on,
    currency = excluded.currency, entity = excluded.entity, owner_entity = excluded.owner_entity,
    memo = excluded.memo, total = excluded.total, reference = excluded.reference, term = excluded.term,
    erp_status = excluded.erp_status, status = excluded.status, matching_status = excluded.matching_status,
    created_from = excluded.created_from, custom = excluded.custom, revision = excluded.revision,
    content_hash = excluded.content_hash, notified_hash = excluded.notified_hash, snapshot = held.snapshot + 1,
    changed_at = now(), deleted_at = null, left_out = ''
where held.revision <= excluded.revision
"""

_WRITE_LINES = """
insert into purchase_order_lines as held (
    purchase_order_id, line_no, erp_id, chain_line, source_line, item_id, description, unit, quantity, price, amount,
    basis, receivable, converted, converted_amount, billed, billed_amount, closed, department, location, class_id,
    project, warehouse, custom, deleted)
select w.id, l.line_no, l.erp_id, :c || '/' || l.erp_id, l.source_line, l.item_id, l.description, l.unit, l.quantity,
       l.price, l.amount, l.basis, l.receivable, l.billed, l.billed_amount, l.billed, l.billed_amount, l.closed,
       l.department, l.location, l.class_id, l.project, l.warehouse, l.custom, false
from unnest(cast(:ids as text[]), cast(:lines as text[])) as w(id, lines),
     json_to_recordset(cast(w.lines as json)) as l(
         erp_id text, line_no int, source_line text, item_id text, description text, unit text, quantity numeric,
         price numeric, amount numeric, basis text, receivable boolean, billed numeric, billed_amount numeric,
         closed boolean, department text, location text, class_id text, project text, warehouse text, custom jsonb)
on conflict (purchase_order_id, erp_id) do update set
    line_no = excluded.line_no, source_line = excluded.source_line, item_id = excluded.item_id,
    chain_line = case when held.source_line is distinct from excluded.source_line
                      then excluded.chain_line else held.chain_line end,
    description = excluded.description, unit = excluded.unit, quantity = excluded.quantity, price = excluded.price,
    amount = excluded.amount, basis = excluded.basis, receivable = excluded.receivable, closed = excluded.closed,
    department = excluded.department, location = excluded.location, class_id = excluded.class_id,
    project = excluded.project, warehouse = excluded.warehouse, custom = excluded.custom, deleted = false,
    converted = case when held.purchase_order_id = any(cast(:in_flight as text[]))
                     then held.converted else excluded.converted end,
    converted_amount = case when held.purchase_order_id = any(cast(:in_flight as text[]))
                            then held.converted_amount else excluded.converted_amount end,
    -- Where receipts take part, `count_receipts` works E out from all of them afterwards.
    billed = case when held.purchase_order_id = any(cast(:in_flight as text[]))
                       or held.received <> 0 or held.receipts_billed <> 0
                  then held.billed else excluded.billed end,
    billed_amount = case when held.purchase_order_id = any(cast(:in_flight as text[]))
                              or held.received <> 0 or held.receipts_billed <> 0
                         then held.billed_amount else excluded.billed_amount end,
    -- C was told with the E of its own reading: to another E it may not be added unseen.
    credited = case when held.purchase_order_id = any(cast(:in_flight as text[]))
                         or (held.converted, held.converted_amount) = (excluded.converted, excluded.converted_amount)
                    then held.credited
                    else least(held.credited - held.credited_by_returns, 0) + held.credited_by_returns end,
    credited_amount = case when held.purchase_order_id = any(cast(:in_flight as text[]))
                                or (held.converted, held.converted_amount)
                                   = (excluded.converted, excluded.converted_amount)
                           then held.credited_amount
                           else least(held.credited_amount - held.credited_by_returns_amount, 0)
                                + held.credited_by_returns_amount end
where (held.line_no, held.source_line, held.item_id, held.description, held.unit, held.quantity, held.price,
       held.amount, held.basis, held.receivable, held.converted, held.converted_amount, held.closed, held.department,
       held.location, held.class_id, held.project, held.warehouse, held.custom, held.deleted)
      is distinct from
      (excluded.line_no, excluded.source_line, excluded.item_id, excluded.description, excluded.unit,
       excluded.quantity, excluded.price, excluded.amount, excluded.basis, excluded.receivable, excluded.converted,
       excluded.converted_amount, excluded.closed, excluded.department, excluded.location, excluded.class_id,
       excluded.project, excluded.warehouse, excluded.custom, false)
"""


async def write_headers(
    connection: AsyncConnection, connection_id: ConnectionId, writes: Sequence[OrderWrite], *, notified: bool = False
) -> None:
    """Write the orders without their lines; the caller has locked those that are stored.

    `notified`: the order's workflow asked for this itself, so it needs no notification.
    """
    await connection.execute(
        text(_WRITE_ORDERS),
        {
            "c": connection_id,
            "ids": [write.id for write in writes],
            "headers": [write.header for write in writes],
            "lines": [write.lines for write in writes],
            "statuses": [write.status for write in writes],
            "matching_statuses": [write.matching_status for write in writes],
            "revisions": [write.revision for write in writes],
            "hashes": [write.content_hash for write in writes],
            "told": notified,
            "workflow_ids": [
                purchase_order_workflow_id(connection_id, ErpId(write.order.erp_id), write.order.number)
                for write in writes
            ],
            "number_keys": [number_key(write.order.number) for write in writes],
        },
    )


async def write_lines(
    connection: AsyncConnection,
    connection_id: ConnectionId,
    writes: Sequence[OrderWrite],
    *,
    stored: Sequence[OrderWrite],
    locked: Sequence[LockedLine],
    in_flight: Sequence[str] = (),
) -> bool:
    """Write the orders' lines; return whether a stored line changed, so that R and E must be computed again.

    Orders in `stored` may have lines already, which are among those `locked`. Orders `in_flight` keep their billed
    quantities.
    """
    moved = await _make_room(connection, stored, locked) if stored else False
    written = await connection.execute(
        text(_WRITE_LINES),
        {
            "c": connection_id,
            "ids": [write.id for write in writes],
            "lines": [write.lines for write in writes],
            "in_flight": list(in_flight),
        },
    )
    if moved:
        await _put_gone_lines_last(connection, [write.id for write in stored])
    return moved or written.rowcount > 0


async def _make_room(connection: AsyncConnection, changed: Sequence[OrderWrite], locked: Sequence[LockedLine]) -> bool:
    """Mark the lines that the ERP no longer has, and move all lines of an order it renumbered out of the way.

    A line is the ERP's record, not its number: our bills follow it (the foreign key cascades).
    """
    incoming = {write.id: {line.erp_id: line.line_no for line in write.order.lines} for write in changed}
    gone: list[tuple[str, str]] = []
    renumbered: set[str] = set()
    for row in locked:
        numbers = incoming.get(row.purchase_order_id)
        if numbers is None:
            continue
        now = numbers.get(row.erp_id)
        if now is None:
            if not row.deleted:
                gone.append((row.purchase_order_id, row.erp_id))
            if row.line_no in numbers.values():
                renumbered.add(row.purchase_order_id)
        elif now != row.line_no:
            renumbered.add(row.purchase_order_id)
    if gone:
        await connection.execute(
            text(
                "update purchase_order_lines l set deleted = true"
                " from unnest(cast(:ids as text[]), cast(:lines as text[])) as g(id, line)"
                " where l.purchase_order_id = g.id and l.erp_id = g.line"
            ),
            {"ids": [order for order, _ in gone], "lines": [line for _, line in gone]},
        )
    if renumbered:
        await connection.execute(
            text(
                "update purchase_order_lines set line_no = line_no + :away"
                " where purchase_order_id = any(cast(:ids as text[]))"
            ),
            {"ids": sorted(renumbered), "away": _OUT_OF_THE_WAY},
        )
    return bool(gone or renumbered)


async def _put_gone_lines_last(connection: AsyncConnection, order_ids: Sequence[str]) -> None:
    """Give the lines that are gone from the ERP, still out of the way, the numbers after the last line that exists."""
    await connection.execute(
        text(
            "update purchase_order_lines l set line_no = m.last + m.place from ("
            "    select g.purchase_order_id, g.erp_id,"
            "           row_number() over (partition by g.purchase_order_id order by g.line_no) as place,"
            "           (select coalesce(max(k.line_no), 0) from purchase_order_lines k"
            "            where k.purchase_order_id = g.purchase_order_id and k.line_no < :away) as last"
            "    from purchase_order_lines g"
            "    where g.purchase_order_id = any(cast(:ids as text[])) and g.line_no > :away"
            ") m where l.purchase_order_id = m.purchase_order_id and l.erp_id = m.erp_id"
        ),
        {"ids": order_ids, "away": _OUT_OF_THE_WAY},
    )
