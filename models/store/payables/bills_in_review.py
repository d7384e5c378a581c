"""Store what happens to bills in review that are not sent yet: rematch, acknowledgement, release.

`bills.status` says whether a bill waits for a person; its write is `held` for exactly as long. Both change in one
transaction, with the event that describes it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import insert, select, text, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bill_states import may_move
from models.domain.bills import BillKind, BillStatus, Origin
from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId, ErpId, ExternalKey, PurchaseOrderId
from models.domain.writes import WriteState
from models.messages.orders import PurchaseOrderState
from models.store.audit import writes
from models.store.orders import order_notifications
from models.store.payables import bill_edits
from models.tables import BillLineRow, BillRow, ErpWriteRow, MatchDecisionRow

UNSENT = [status for status in BillStatus if status.is_unsent]


class Decided(NamedTuple):
    """A person's decision on one finding, with the finding as it was then."""

    kind: str
    """acknowledged | released."""
    finding: Mapping[str, Any]
    actor: str
    why: str
    at: datetime


async def lock(session: AsyncSession, bill_id: BillId) -> BillRow | None:
    """Return the bill, locked until the transaction ends, or None."""
    statement = select(BillRow).where(col(BillRow.id) == bill_id).with_for_update()
    return (await session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()


async def not_sent(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> list[BillRow]:
    """Return our bills with lines on this order whose write was certainly not sent, locked until the transaction ends.

    A write that is being sent is left out without waiting for it: its result reaches the bill by itself.
    """
    statement = (
        select(BillRow)
        .join(ErpWriteRow, col(ErpWriteRow.subject_id) == col(BillRow.id))
        .where(
            col(BillRow.id).in_(_on_order(purchase_order_id)),
            col(BillRow.kind) == BillKind.BILL,
            col(BillRow.status).in_([str(status) for status in UNSENT]),
            col(ErpWriteRow.kind) == "bill",
            col(ErpWriteRow.state).in_([str(WriteState.HELD), str(WriteState.PLANNED)]),
        )
        .order_by(col(ErpWriteRow.sequence))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list((await session.execute(statement)).scalars())


async def refused(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> list[BillId]:
    """Return our bills with lines on this order that the ERP refused: they wait for a person, or for the order."""
    statement = (
        select(col(BillRow.id))
        .join(ErpWriteRow, col(ErpWriteRow.subject_id) == col(BillRow.id))
        .where(
            col(BillRow.id).in_(_on_order(purchase_order_id)),
            col(BillRow.kind) == BillKind.BILL,
            col(BillRow.status) == BillStatus.SYNC_ISSUE,
            col(ErpWriteRow.kind) == "bill",
            col(ErpWriteRow.state) == WriteState.REJECTED,
        )
        .order_by(col(BillRow.id))
    )
    return [BillId(bill_id) for bill_id in (await session.execute(statement)).scalars()]


async def in_erp(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> list[BillRow]:
    """Return our bills with lines on this order that the ERP holds."""
    statement = (
        select(BillRow)
        .join(ErpWriteRow, col(ErpWriteRow.subject_id) == col(BillRow.id))
        .where(
            col(BillRow.id).in_(_on_order(purchase_order_id)),
            col(BillRow.origin) == Origin.POSYNC,
            col(BillRow.kind) == BillKind.BILL,
            col(BillRow.status).not_in([str(status) for status in BillStatus if status.is_void]),
            col(ErpWriteRow.kind) == "bill",
            col(ErpWriteRow.state) == WriteState.CONFIRMED,
        )
        .order_by(col(BillRow.id))
        .execution_options(populate_existing=True)
    )
    return list((await session.execute(statement)).scalars())


def _on_order(purchase_order_id: PurchaseOrderId) -> Any:
    return select(col(BillLineRow.bill_id)).where(col(BillLineRow.purchase_order_id) == purchase_order_id)


async def set_hold_state(
    session: AsyncSession,
    bill: BillRow,
    status: BillStatus,
    outcome: str,
    *,
    kind: str,
    actor: str,
    why: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    """Set the status of a bill locked by `lock`, hold or let go its write, and record who and why."""
    before = {"status": bill.status, "match": bill.match_outcome, **before}
    key = ExternalKey(bill.external_key or "")
    if status.is_waiting:
        on_hold = await writes.hold(session, key)
        assert on_hold, "a bill is put on hold under the lock of its write, before it was sent"
    else:
        await writes.let_go(session, key)
    assert may_move(BillStatus(bill.status), status), "only a bill that is not sent is held, or let go"
    bill.status, bill.match_outcome = status, outcome
    after = {"status": str(status), "match": outcome, **after}
    await bill_edits.changed(session, bill, kind, actor=actor, why=why, before=before, after=after)


async def decide(
    session: AsyncSession, bill_id: BillId, kind: str, findings: Sequence[Mapping[str, Any]], *, actor: str, why: str
) -> None:
    """Store a person's decision on these findings, as they are now."""
    await session.execute(
        insert(MatchDecisionRow),
        [
            {"bill_id": bill_id, "kind": kind, "finding": dict(finding), "actor": actor, "why": why}
            for finding in findings
        ],
    )


async def decisions(session: AsyncSession, bill_id: BillId) -> list[Decided]:
    """Return every decision of people on the bill's findings, oldest first."""
    statement = (
        select(MatchDecisionRow).where(col(MatchDecisionRow.bill_id) == bill_id).order_by(col(MatchDecisionRow.id))
    )
    rows = (await session.execute(statement)).scalars()
    return [Decided(row.kind, row.finding, row.actor, row.why, row.at) for row in rows]


async def orders(
    session: AsyncSession, connection_id: ConnectionId, *, vendor_id: str | None = None, item_id: str | None = None
) -> list[PurchaseOrderState]:
    """Return the orders to match again: those with a bill that waits, of this vendor and item if given."""
    rows = await session.execute(
        text(
            """
            select distinct l.purchase_order_id
              from bills b
              join bill_lines l on l.bill_id = b.id
             where b.connection_id = :connection and b.status = any(:waiting)
               and (cast(:vendor as text) is null or b.vendor_id = :vendor)
               and (cast(:item as text) is null or l.item_id = :item)
               and l.purchase_order_id is not null
             order by 1
            """
        ),
        {
            "connection": connection_id,
            "waiting": [status for status in BillStatus if status.is_waiting],
            "vendor": vendor_id,
            "item": item_id,
        },
    )
    return [await order_state(session, PurchaseOrderId(order)) for order in rows.scalars().all()]


async def direct_waiting(
    session: AsyncSession, connection_id: ConnectionId, *, vendor_id: str | None = None
) -> list[BillRow]:
    """Return the connection's bills without an order that wait, of this vendor if given, locked until the transaction
    ends."""
    statement = select(BillRow).where(
        col(BillRow.connection_id) == connection_id,
        col(BillRow.direct),
        col(BillRow.kind) == BillKind.BILL,
        col(BillRow.origin) == Origin.POSYNC,
        col(BillRow.status).in_([str(status) for status in BillStatus if status.is_waiting]),
    )
    if vendor_id is not None:
        statement = statement.where(col(BillRow.vendor_id) == vendor_id)
    statement = statement.order_by(col(BillRow.id)).with_for_update().execution_options(populate_existing=True)
    return list((await session.execute(statement)).scalars())


async def order_state(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> PurchaseOrderState:
    """Return the state to start an order's workflow with if it does not run when it is notified of a rematch."""
    row = (
        await session.execute(
            text(
                "select o.connection_id, o.erp_id, o.workflow_id, c.erp from purchase_orders o"
                " join connections c on c.id = o.connection_id where o.id = :id"
            ),
            {"id": purchase_order_id},
        )
    ).one()
    return PurchaseOrderState(
        connection_id=ConnectionId(row.connection_id),
        erp=Erp(row.erp),
        purchase_order_id=purchase_order_id,
        erp_id=ErpId(row.erp_id),
        facts=await order_notifications.facts(session, purchase_order_id),
        workflow_id=row.workflow_id,
    )


async def orders_with(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> set[PurchaseOrderId]:
    """Return this order and those that share an unsent bill with it: they are locked together."""
    rows = await session.execute(
        text(
            """
            select distinct other.purchase_order_id
              from bill_lines here
              join bills b on b.id = here.bill_id and b.status = any(:not_sent)
              join bill_lines other on other.bill_id = b.id
             where here.purchase_order_id = :order and other.purchase_order_id is not null
            """
        ),
        {"order": purchase_order_id, "not_sent": UNSENT},
    )
    return {purchase_order_id, *(PurchaseOrderId(order) for order in rows.scalars())}


async def orders_of(session: AsyncSession, bill_id: BillId) -> list[PurchaseOrderId]:
    """Return the orders that a bill has lines on."""
    rows = await session.execute(
        select(col(BillLineRow.purchase_order_id))
        .where(col(BillLineRow.bill_id) == bill_id, col(BillLineRow.purchase_order_id).is_not(None))
        .distinct()
    )
    return [PurchaseOrderId(order) for order in rows.scalars()]


class LineNow(NamedTuple):
    """The quantity that a bill line now takes from its order line, and the records it is converted from.

    `unit` is the order line's. Where the bill is in another one, `billed_quantity` is in `billed_unit`.
    """

    line_no: int
    quantity: Decimal
    exact_quantity: str | None
    unit: str
    billed_quantity: Decimal | None
    billed_unit: str | None
    sources: Sequence[Mapping[str, str]]


async def set_lines(session: AsyncSession, bill_id: BillId, lines: Sequence[LineNow]) -> None:
    """Store what the bill reserves after its rematch; the caller holds the orders' lock."""
    for line in lines:
        await session.execute(
            update(BillLineRow)
            .where(col(BillLineRow.bill_id) == bill_id, col(BillLineRow.line_no) == line.line_no)
            .values(
                quantity=line.quantity,
                exact_quantity=line.exact_quantity,
                unit=line.unit,
                billed_quantity=line.billed_quantity,
                billed_unit=line.billed_unit,
                sources=[dict(source) for source in line.sources],
            )
        )
