"""Store the one issue of an order that lists the bills which no longer fit it: one cause, one issue.

The bills are in the evidence under `bills`. One that fits again, or is deleted in the ERP, is taken off; the issue is
closed with the last one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import SYNCER, BillId, ConnectionId, PurchaseOrderId
from models.store.audit import sync_issues

MATCH_WORSE = "MATCH_WORSE"

_OPEN = "connection_id = :c and code = 'MATCH_WORSE' and subject_kind = 'purchase_order' and state = 'open'"


async def list_bills(
    s: AsyncSession,
    connection_id: ConnectionId,
    order_id: PurchaseOrderId,
    order_number: str,
    bills: Sequence[Mapping[str, Any]],
    *,
    why: str,
) -> None:
    """Put bills, each with its `bill_id` and what was found, on the order's issue; open it if there is none."""
    if not bills:
        return
    rows = await s.execute(
        text(f"select evidence from sync_issues where {_OPEN} and subject_id = :order for update"),
        {"c": connection_id, "order": order_id},
    )
    evidence = rows.scalar_one_or_none() or {}
    new = {bill["bill_id"] for bill in bills}
    listed = [bill for bill in evidence.get("bills", []) if bill["bill_id"] not in new] + [*bills]
    numbers = ", ".join(bill["number"] for bill in listed)
    await sync_issues.open_issue(
        s,
        MATCH_WORSE,
        connection_id=connection_id,
        subject_kind="purchase_order",
        subject_id=order_id,
        subject_name=order_number,
        cause=f"{why[:1].upper()}{why[1:]}. Bills that no longer fit: {numbers}.",
        evidence={"bills": listed},
    )


async def take_bills_off(s: AsyncSession, connection_id: ConnectionId, bill_ids: Sequence[BillId]) -> None:
    """Take bills off their orders' issues, and close the issues that list none any more."""
    if not bill_ids:
        return
    await s.execute(
        text(
            f"""
            with left_over as (
                select i.id, coalesce(jsonb_agg(b.bill order by b.place)
                                        filter (where b.bill ->> 'bill_id' <> all(:bills)), '[]') as bills
                  from sync_issues i
                  cross join lateral jsonb_array_elements(i.evidence -> 'bills') with ordinality as b(bill, place)
                 where {_OPEN.replace("connection_id", "i.connection_id")}
                 group by i.id having bool_or(b.bill ->> 'bill_id' = any(:bills))
            )
            update sync_issues i
               set evidence = case when l.bills = '[]' then i.evidence
                                   else jsonb_set(i.evidence, '{{bills}}', l.bills) end,
                   state = case when l.bills = '[]' then 'resolved' else 'open' end,
                   closed_at = case when l.bills = '[]' then now() end,
                   closed_by = case when l.bills = '[]' then :actor end
              from left_over l where i.id = l.id
            """
        ),
        {"c": connection_id, "bills": list(bill_ids), "actor": SYNCER},
    )
