"""Find the orders whose workflows were not notified of the order's content yet, and the facts to send them."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, ErpId, PurchaseOrderId
from models.domain.orders import PoStatus
from models.messages.orders import OrderFacts
from models.store.orders.figures_due import IN_FLIGHT
from models.store.orders.in_use import IN_USE


class OrderToNotify(NamedTuple):
    """An order whose workflow is to be notified.

    `mark_notified` gets `content_hash` back. It also names the snapshot, so that after a change in between the order is
    notified again.
    """

    id: PurchaseOrderId
    erp_id: ErpId
    workflow_id: str
    content_hash: str
    facts: OrderFacts
    new: bool
    """Its workflow was never notified of it, and no bill of ours needs the workflow."""


_TERMS = """
       md5(concat_ws('|', o.vendor_id, o.currency, o.entity, o.status = 'closed', o.deleted_at is not null,
                     o.matching_status in ('pending_approval', 'deleted'), l.terms,
                     nullif(o.left_out, ''), u.in_use)) as terms
"""

# What others billed is part of the terms, and what we did is not: a bill of ours that is accepted, or moves into what
# the ERP counts, is no reason to match the others again.
_LINES = """
left join lateral (
    select sum(k.quantity) as ordered, sum(k.billed) as billed,
           string_agg(concat_ws(' ', k.line_no, k.item_id, k.unit, trim_scale(k.quantity), trim_scale(k.price),
                                trim_scale(k.received), k.closed, nullif(trim_scale(k.credited), 0),
                                'others ' || nullif(trim_scale(case k.basis
                                    when 'amount' then round(k.billed_amount - coalesce(ours.amount, 0), 2)
                                    else round(k.billed - coalesce(ours.quantity, 0), 6) end), 0)),
                      ',' order by k.line_no) as terms
    from purchase_order_lines k
    left join (
        select s.purchase_order_line_no as line_no, sum(s.quantity) as quantity, sum(s.amount) as amount
          from bill_lines s join bills x on x.id = s.bill_id
         where s.purchase_order_id = o.id and not s.reserves
           and x.origin = 'posync' and x.kind = 'bill' and x.status not in ('abandoned', 'deleted')
         group by 1
    ) ours on ours.line_no = k.line_no
    where k.purchase_order_id = o.id and not k.deleted
) l on true
"""

_FACTS = f"""
select o.id, o.erp_id, o.workflow_id, o.number,
       coalesce(nullif(o.vendor_name, ''), o.vendor_id) as vendor, o.erp_status, o.status, o.total,
       o.content_hash, o.notified_hash, o.revision, o.snapshot,
       coalesce(l.ordered, 0) as ordered, coalesce(l.billed, 0) as billed,
       coalesce(p.pending, 0) as pending, coalesce(p.ours, false) as our_bills,
       o.figures_due and not {IN_FLIGHT.format(order="o.id")} as reread,
       {_TERMS}
from purchase_orders o
{_LINES}
{IN_USE}
left join lateral (
    select sum(bl.quantity - bl.settled_quantity) filter (where bl.reserves) as pending,
           bool_or(b.origin = 'posync' and b.kind = 'bill' and b.status not in ('abandoned', 'deleted')) as ours
    from bill_lines bl join bills b on b.id = bl.bill_id where bl.purchase_order_id = o.id
) p on true
"""


TERMS_OF_ONE = f"select {_TERMS} from purchase_orders o {_LINES} {IN_USE} where o.id = "
"""The digest of `terms`; what says the order's id comes behind it."""

_TERMS_OF_ONE = text(f"{TERMS_OF_ONE} :id")

_FACTS_OF_ONE = text(_FACTS + "where o.id = :id")

_TO_NOTIFY = text(
    _FACTS + "where o.connection_id = :c and o.notified_hash <> o.content_hash"
    " and (cast(:since as date) is null or o.notified_hash <> '' or o.ordered_on >= :since) order by o.id limit :limit"
)


def _facts(row: Any) -> OrderFacts:
    return OrderFacts(
        number=row.number,
        vendor=row.vendor,
        erp_status=row.erp_status,
        status=PoStatus(row.status),
        content_hash=row.content_hash,
        revision=row.revision,
        snapshot=row.snapshot,
        ordered=row.ordered,
        billed=row.billed,
        pending=row.pending,
        our_bills=row.our_bills,
        terms=row.terms,
        total=str(row.total),
        reread=row.reread,
    )


async def facts(s: AsyncSession, order_id: PurchaseOrderId) -> OrderFacts | None:
    """Return what the order's workflow needs to know of it now, or None."""
    await s.flush()
    connection = await s.connection()
    row = (await connection.execute(_FACTS_OF_ONE, {"id": order_id})).one_or_none()
    return None if row is None else _facts(row)


async def terms(s: AsyncSession, order_id: PurchaseOrderId) -> str:
    """Return the digest of what bills of the order are matched against now (`OrderFacts.terms`)."""
    return str((await s.execute(_TERMS_OF_ONE, {"id": order_id})).scalar_one())


async def to_notify(
    s: AsyncSession, connection_id: ConnectionId, limit: int, *, new_since: date | None = None
) -> list[OrderToNotify]:
    """Return up to `limit` orders whose workflow was not notified of their content, in a stable order. With
    `new_since`, orders that no workflow has heard of are left out if they were ordered before."""
    await s.flush()
    connection = await s.connection()
    rows = await connection.execute(_TO_NOTIFY, {"c": connection_id, "limit": limit, "since": new_since})
    return [
        OrderToNotify(
            PurchaseOrderId(row.id),
            ErpId(row.erp_id),
            row.workflow_id,
            f"{row.content_hash}@{row.snapshot}",
            _facts(row),
            new=row.notified_hash == "" and not row.our_bills,
        )
        for row in rows
    ]


async def mark_notified(s: AsyncSession, notified: Sequence[tuple[PurchaseOrderId, str]]) -> None:
    """Record which content these workflows were notified of. An order that changed since then is notified again."""
    if not notified:
        return
    connection = await s.connection()
    await connection.execute(
        text(
            "update purchase_orders o set notified_hash = o.content_hash"
            " from unnest(cast(:ids as text[]), cast(:told as text[])) as w(id, told)"
            " where o.id = w.id and w.told in (o.content_hash || '@' || o.snapshot, o.content_hash)"
        ),
        {"ids": [order for order, _ in notified], "told": [notified for _, notified in notified]},
    )
