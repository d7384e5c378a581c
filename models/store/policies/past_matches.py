"""Read the last matches of an organization, to try another tolerance policy on them."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, ConnectionId, OrganizationId, PurchaseOrderId


class PastMatch(NamedTuple):
    """One match as it was stored. Without a bill id the bill was refused."""

    id: str
    connection_id: ConnectionId
    purchase_order_id: PurchaseOrderId
    bill_id: BillId | None
    result: dict[str, Any]
    created_at: datetime


async def last_matches(
    session: AsyncSession, organization_id: OrganizationId, connection_id: ConnectionId | None, count: int
) -> list[PastMatch]:
    """Return the organization's last matches, newest first.

    For a bill that was matched several times only the last one. Bills without an order are left out: policies are about
    what was ordered.
    """
    rows = await session.execute(
        text(
            """
            select m.id, m.connection_id, m.purchase_order_id, m.bill_id, m.result, m.created_at
              from connections c
              cross join lateral (
                   select * from match_results m
                    where m.connection_id = c.id and m.purchase_order_id is not null
                      and not exists (select from match_results later
                                       where later.bill_id = m.bill_id
                                         and (later.created_at, later.id) > (m.created_at, m.id))
                    order by m.created_at desc, m.id desc limit :count) as m
             where c.organization_id = :organization
               and (cast(:connection as text) is null or c.id = :connection)
             order by m.created_at desc, m.id desc limit :count
            """
        ),
        {"organization": organization_id, "connection": connection_id, "count": count},
    )
    return [PastMatch(*row) for row in rows]
