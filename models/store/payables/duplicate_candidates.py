"""Read stored bills that a new bill may duplicate, and the charges on earlier bills of an order."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.ids import SYNCER, BillId, ConnectionId, PurchaseOrderId

SUSPECT = timedelta(days=7)
"""How near the dates of two bills with one vendor and total must be for them to look alike (spec/matching.md 3.5)."""


_LOCK_NUMBER = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")

_ALIKE = text(
    """
    select b.id, b.vendor_id, b.number, b.bill_date, b.total, b.part_of from bills b
     where b.number_key = :number_key and b.vendor_id = :vendor and b.connection_id = :connection
       and b.status not in ('deleted', 'abandoned') and b.id is distinct from :except
       and not (b.origin = 'erp' and b.rejected_in_erp)
    union
    select b.id, b.vendor_id, b.number, b.bill_date, b.total, b.part_of from bills b
     where b.number_parts = :number_parts and b.vendor_id = :vendor and b.connection_id = :connection
       and b.status not in ('deleted', 'abandoned') and b.id is distinct from :except
       and not (b.origin = 'erp' and b.rejected_in_erp)
    union
    select b.id, b.vendor_id, b.number, b.bill_date, b.total, b.part_of from bills b
     where b.total = :total and b.vendor_id = :vendor and b.connection_id = :connection
       and b.bill_date between :earliest and :latest
       and b.status not in ('deleted', 'abandoned') and b.id is distinct from :except
       and not (b.origin = 'erp' and b.rejected_in_erp)
     order by 1
    """
)


class CandidateRow(NamedTuple):
    """A stored bill that a new one may duplicate."""

    id: BillId
    vendor_id: str
    number: str
    bill_date: date
    total: Decimal
    part_of: BillId | None
    """The first bill of the supplier invoice that it is a further part of."""


async def lock_number(session: AsyncSession, connection_id: ConnectionId, vendor_id: str, number_parts: str) -> None:
    """Let one bill of a vendor under a number be matched and saved at a time, until the transaction ends.

    Two that come in the same instant over different orders would else each be matched without the other.
    """
    name = f"{connection_id}\n{vendor_id}\n{number_parts}"
    await session.execute(_LOCK_NUMBER, {"name": name})


async def alike(
    session: AsyncSession,
    connection_id: ConnectionId,
    vendor_id: str,
    *,
    number_key: str,
    number_parts: str,
    total: Decimal,
    bill_date: date,
    except_bill: BillId | None,
) -> list[CandidateRow]:
    """Read the vendor's live bills with this number (its key or its parts), or this total and nearly this date."""
    rows = await session.execute(
        _ALIKE,
        {
            "number_key": number_key,
            "number_parts": number_parts,
            "vendor": vendor_id,
            "connection": connection_id,
            "except": except_bill,
            "total": total,
            "earliest": bill_date - SUSPECT,
            "latest": bill_date + SUSPECT,
        },
    )
    return [CandidateRow(*row) for row in rows]


class SinceMatched(NamedTuple):
    """What happened to a bill's vendor and number since the bill was matched."""

    read_since: bool
    """The ERP's bills were read after the bill was last changed here, by a sync run that began after it."""
    unseen: bool
    """A live bill made in the ERP has its vendor and number, and its last match has not seen it."""
    was_refused: bool
    """The ERP refused it before: what it was matched with may have changed while it waited for a person."""

    @property
    def asks_for_match(self) -> bool:
        """Return whether the bill must be matched again before it is sent."""
        return self.unseen or self.was_refused


async def since_matched(session: AsyncSession, bill_id: BillId) -> SinceMatched:
    """Return whether a bill that is about to be sent may be in the ERP already, under another key."""
    row = await session.execute(
        text(
            """
            select exists (
                       select 1 from cursors c
                         join sync_runs r on r.connection_id = c.connection_id
                                         and r.started_at > b.changed_at and r.started_at <= c.updated_at
                        where c.connection_id = b.connection_id and c.stream = 'bills') as read_since,
                   exists (
                       select 1 from bills other
                        where other.vendor_id = b.vendor_id and other.connection_id = b.connection_id
                          and (other.number_parts = b.number_parts or other.number_key = b.number_key)
                          and other.origin = 'erp' and other.status not in ('deleted', 'abandoned')
                          and not other.rejected_in_erp
                          and not exists (
                              select 1 from jsonb_array_elements((
                                  select m.result -> 'inputs' -> 'bill' -> 'kept' from match_results m
                                   where m.bill_id = b.id order by m.created_at desc, m.id desc limit 1)) kept
                               where kept ->> 'name' = other.id and kept ->> 'number' = other.number)) as unseen,
                   b.status = 'sync_issue' as was_refused
              from bills b where b.id = :id
            """
        ),
        {"id": bill_id},
    )
    return SinceMatched(*row.one())


class OtherBill(NamedTuple):
    """A bill that the ERP holds beside one of ours, with its vendor and number."""

    name: str
    """The ERP's id of it."""
    number: str
    bill_date: date
    total: Decimal


class TwiceInErp(NamedTuple):
    """One of our bills in the ERP, and the others there with its vendor and number."""

    number: str
    others: list[OtherBill]


async def reported(session: AsyncSession, connection_id: ConnectionId, code: str) -> list[BillId]:
    """Return our bills that have an open issue of this code."""
    rows = await session.execute(
        text(
            "select subject_id from sync_issues where connection_id = :c and code = :code and subject_kind = 'bill'"
            " and state = 'open' order by 1"
        ),
        {"c": connection_id, "code": code},
    )
    return [BillId(bill_id) for bill_id in rows.scalars()]


async def settled(
    session: AsyncSession, connection_id: ConnectionId, code: str, bill_ids: Sequence[BillId]
) -> set[tuple[BillId, str]]:
    """Return the bills whose issue of this code a person closed, each with the others that the issue named."""
    rows = await session.execute(
        text(
            "select subject_id, evidence ->> 'others' as others from sync_issues where connection_id = :c"
            " and code = :code and subject_kind = 'bill' and subject_id = any(cast(:ids as text[]))"
            " and state <> 'open' and closed_by <> :syncer"
        ),
        {"c": connection_id, "code": code, "ids": list(bill_ids), "syncer": SYNCER},
    )
    return {(BillId(row.subject_id), row.others) for row in rows}


async def pairs(
    session: AsyncSession, connection_id: ConnectionId, parts: Sequence[str], bill_ids: Sequence[BillId]
) -> dict[BillId, TwiceInErp]:
    """Return our bills in the ERP, with a number of these parts or of these ids, that it holds twice within a year.

    A bill that ours was matched with when it was saved, released or matched again was decided on, and is left out; so
    is another part of the same supplier invoice.
    """
    if not parts and not bill_ids:
        return {}
    rows = await session.execute(
        text(
            """
            select ours.id, ours.number, coalesce(other.erp_id, other.id) as name, other.number as other_number,
                   other.bill_date, other.total
              from bills ours
              join bills other on other.number_parts = ours.number_parts and other.vendor_id = ours.vendor_id
                              and other.connection_id = ours.connection_id and other.id <> ours.id
             where ours.connection_id = :c and ours.origin = 'posync' and ours.kind = 'bill'
               and (ours.number_parts = any(cast(:parts as text[])) or ours.id = any(cast(:ids as text[])))
               and ours.status = any(:in_erp) and other.status = any(:in_erp) and not other.rejected_in_erp
               and coalesce(ours.part_of, ours.id) <> coalesce(other.part_of, other.id)
               and ours.bill_date <= other.bill_date + interval '1 year'
               and other.bill_date <= ours.bill_date + interval '1 year'
               and not exists (
                   select 1 from (
                       (select m.result, ours.number as own, other.id as name, other.number from match_results m
                         where m.bill_id = ours.id
                         order by m.created_at desc, m.id desc limit 1)
                       union all
                       (select m.result, other.number, ours.id, ours.number from match_results m
                         where m.bill_id = other.id
                         order by m.created_at desc, m.id desc limit 1)
                   ) last, jsonb_array_elements(last.result -> 'inputs' -> 'bill' -> 'kept') kept
                    where kept ->> 'name' = last.name and kept ->> 'number' = last.number
                      and last.result -> 'inputs' -> 'bill' ->> 'number' = last.own)
             order by 1, 3
            """
        ),
        {
            "c": connection_id,
            "parts": list(parts),
            "ids": list(bill_ids),
            "in_erp": [status for status in BillStatus if not status.is_before_erp and not status.is_void],
        },
    )
    twice: dict[BillId, TwiceInErp] = {}
    for row in rows:
        pair = twice.setdefault(BillId(row.id), TwiceInErp(row.number, []))
        pair.others.append(OtherBill(row.name, row.other_number, row.bill_date, row.total))
    return twice


async def in_review(session: AsyncSession, connection_id: ConnectionId, parts: Sequence[str]) -> bool:
    """Return whether a bill of ours that waits has a number of these parts, or waits because of a duplicate."""
    rows = await session.execute(
        text(
            """
            select exists (
                select 1 from bills b
                 where b.connection_id = :c and b.origin = 'posync' and b.kind = 'bill'
                   and b.status = any(:waiting)
                   and (b.number_parts = any(cast(:parts as text[]))
                        or (select m.result -> 'findings' from match_results m where m.bill_id = b.id
                             order by m.created_at desc, m.id desc limit 1)
                           @? '$[*].code ? (@ starts with "DUPLICATE_")'))
            """
        ),
        {
            "c": connection_id,
            "parts": list(parts),
            "waiting": [status for status in BillStatus if status.is_waiting],
        },
    )
    return bool(rows.scalar_one())


async def charges(
    session: AsyncSession, purchase_order_ids: Sequence[PurchaseOrderId], *, without_bill: BillId | None
) -> dict[PurchaseOrderId, dict[str, Decimal]]:
    """Return the charges on our other bills of these orders, by order and class, in the orders' currency (H02)."""
    rows = await session.execute(
        text(
            """
            select b.purchase_order_id, c.class, sum(c.amount) as amount
              from bills b
              cross join lateral jsonb_to_recordset(b.charges) as c(class text, amount numeric)
             where b.purchase_order_id = any(:orders) and b.status not in ('deleted', 'abandoned', 'disputed')
               and b.id is distinct from :without
             group by 1, 2
            """
        ),
        {"orders": list(purchase_order_ids), "without": without_bill},
    )
    billed: dict[PurchaseOrderId, dict[str, Decimal]] = {}
    for order, charge_class, amount in rows:
        billed.setdefault(PurchaseOrderId(order), {})[charge_class] = amount
    return billed
