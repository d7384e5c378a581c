"""Which orders' workflows have not heard of their order's content, and what they are told."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, ErpId, PoStatus, PurchaseOrderId
from models.messages import OrderFacts


class WakeRow(NamedTuple):
    """An order to wake. `content_hash` is what `mark_woken` takes back: it also names the snapshot, so that a change
    between the two leaves the order to be woken again."""

    id: PurchaseOrderId
    erp_id: ErpId
    content_hash: str
    facts: OrderFacts
    new: bool
    """Its workflow was never told of it, and no bill of ours needs one."""


_FACTS = """
select o.id, o.erp_id, o.number, coalesce(nullif(o.vendor_name, ''), o.vendor_id) as vendor, o.erp_status, o.status,
       o.content_hash, o.woken_hash, o.snapshot, coalesce(l.ordered, 0) as ordered, coalesce(l.billed, 0) as billed,
       coalesce(p.pending, 0) as pending, coalesce(p.ours, false) as our_bills,
       md5(concat_ws('|', o.vendor_id, o.currency, o.entity, o.status = 'closed', o.deleted_at is not null,
                     o.matching_status in ('pending_approval', 'deleted'), l.terms)) as terms
from purchase_orders o
left join lateral (
    select sum(quantity) as ordered, sum(billed) as billed,
           string_agg(concat_ws(' ', line_no, trim_scale(quantity), trim_scale(price), trim_scale(received), closed,
                                nullif(trim_scale(credited), 0)),
                      ',' order by line_no) as terms
    from purchase_order_lines where purchase_order_id = o.id and not deleted
) l on true
left join lateral (
    select sum(bl.quantity) filter (where bl.reserves) as pending,
           bool_or(b.origin = 'posync' and b.status not in ('abandoned', 'deleted')) as ours
    from bill_lines bl join bills b on b.id = bl.bill_id where bl.purchase_order_id = o.id
) p on true
"""


_FACTS_OF_ONE = text(_FACTS + "where o.id = :id")

_TO_WAKE = text(_FACTS + "where o.connection_id = :c and o.woken_hash <> o.content_hash order by o.id limit :limit")


def _facts(row: Any) -> OrderFacts:
    return OrderFacts(
        number=row.number,
        vendor=row.vendor,
        erp_status=row.erp_status,
        status=PoStatus(row.status),
        content_hash=row.content_hash,
        snapshot=row.snapshot,
        ordered=row.ordered,
        billed=row.billed,
        pending=row.pending,
        our_bills=row.our_bills,
        terms=row.terms,
    )


async def facts(s: AsyncSession, order_id: PurchaseOrderId) -> OrderFacts | None:
    """What the order's workflow knows of it, as of now."""
    await s.flush()
    connection = await s.connection()
    row = (await connection.execute(_FACTS_OF_ONE, {"id": order_id})).one_or_none()
    return None if row is None else _facts(row)


async def to_wake(s: AsyncSession, connection_id: ConnectionId, limit: int) -> list[WakeRow]:
    """Up to `limit` orders whose workflow was not told of their content, in a stable order."""
    await s.flush()
    connection = await s.connection()
    rows = await connection.execute(_TO_WAKE, {"c": connection_id, "limit": limit})
    return [
        WakeRow(
            PurchaseOrderId(row.id),
            ErpId(row.erp_id),
            f"{row.content_hash}@{row.snapshot}",
            _facts(row),
            new=row.woken_hash == "" and not row.our_bills,
        )
        for row in rows
    ]


async def mark_woken(s: AsyncSession, woken: Sequence[tuple[PurchaseOrderId, str]]) -> None:
    """These workflows were told of what `to_wake` gave. One that changed since stays to be woken."""
    if not woken:
        return
    connection = await s.connection()
    await connection.execute(
        text(
            "update purchase_orders o set woken_hash = o.content_hash"
            " from unnest(cast(:ids as text[]), cast(:told as text[])) as w(id, told)"
            " where o.id = w.id and w.told in (o.content_hash || '@' || o.snapshot, o.content_hash)"
        ),
        {"ids": [order for order, _ in woken], "told": [told for _, told in woken]},
    )
