"""Store how an order line may be billed, as people set it here: until when, and how much at once.

The ERP's order says neither. The ledger reads them with the line (`ledger.py`).
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, ErpId, OrganizationId, PurchaseOrderId
from models.store.audit import events


class LineLimits(NamedTuple):
    """The limits of one order line; None: it has no such limit. `version` 0: nobody ever set any."""

    ends_on: date | None
    """The last bill date that it accepts."""
    release_cap: Decimal | None
    """The most that one bill may take of it, in the order's currency."""
    version: int


async def get(session: AsyncSession, order_id: PurchaseOrderId, line: ErpId) -> LineLimits:
    """Return the limits of a line, locked until the transaction ends."""
    row = (
        await session.execute(
            text(
                "select ends_on, release_cap, version from order_line_limits"
                " where purchase_order_id = :order and order_line = :line for update"
            ),
            {"order": order_id, "line": line},
        )
    ).one_or_none()
    return LineLimits(None, None, 0) if row is None else LineLimits(*row)


async def set_limits(
    session: AsyncSession,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    order_id: PurchaseOrderId,
    line: ErpId,
    was: LineLimits,
    *,
    ends_on: date | None,
    release_cap: Decimal | None,
    actor: str,
) -> LineLimits:
    """Store the limits of a line, with the event that says who set them."""
    await session.execute(
        text(
            """
            insert into order_line_limits (purchase_order_id, order_line, ends_on, release_cap, version, set_by)
            values (:order, :line, :ends_on, :cap, :version, :actor)
            on conflict (purchase_order_id, order_line) do update
               set ends_on = excluded.ends_on, release_cap = excluded.release_cap, version = excluded.version,
                   set_by = excluded.set_by, changed_at = now()
            """
        ),
        {
            "order": order_id,
            "line": line,
            "ends_on": ends_on,
            "cap": release_cap,
            "version": was.version + 1,
            "actor": actor,
        },
    )
    now = LineLimits(ends_on, release_cap, was.version + 1)
    await events.record(
        session,
        organization_id=organization_id,
        connection_id=connection_id,
        subject_kind="purchase_order",
        subject_id=order_id,
        kind="line_limits_set",
        actor=actor,
        before=_plain(line, was),
        after=_plain(line, now),
    )
    return now


def _plain(line: ErpId, limits: LineLimits) -> dict[str, str | None]:
    return {
        "order_line_id": line,
        "ends_on": None if limits.ends_on is None else limits.ends_on.isoformat(),
        "release_cap": None if limits.release_cap is None else str(limits.release_cap),
    }
