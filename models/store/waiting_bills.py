"""Bills that are not sent yet and may be kept back: judged again, acknowledged, released, let go.

`bills.status` says whether a bill waits for a person; its write is `held` exactly as long. Both change in one
transaction, with the event that tells of it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import insert, select, text, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import (
    WAITING_FOR_A_PERSON,
    BillId,
    BillStatus,
    ConnectionId,
    Erp,
    ErpId,
    ExternalKey,
    Origin,
    PurchaseOrderId,
    WriteState,
)
from models.messages import PurchaseOrderState
from models.store import bill_edits, order_waking, writes
from models.tables import BillLineRow, BillRow, ErpWriteRow, MatchDecisionRow

NOT_SENT = (BillStatus.PENDING_PUSH, *WAITING_FOR_A_PERSON)


class Decided(NamedTuple):
    """A person's word on one finding, and the finding as it stood."""

    kind: str
    """acknowledged | released."""
    finding: Mapping[str, Any]
    actor: str
    why: str
    at: datetime


async def lock(session: AsyncSession, bill_id: BillId) -> BillRow | None:
    """The bill, held until the transaction ends."""
    statement = select(BillRow).where(col(BillRow.id) == bill_id).with_for_update()
    return (await session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()


async def not_sent(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> list[BillRow]:
    """Our bills with lines on this order whose write was certainly not sent, held until the transaction ends.

    A write that is being sent is left out without waiting for it: what it makes of the bill comes by itself.
    """
    statement = (
        select(BillRow)
        .join(ErpWriteRow, col(ErpWriteRow.subject_id) == col(BillRow.id))
        .where(
            col(BillRow.id).in_(_on_order(purchase_order_id)),
            col(BillRow.status).in_([str(status) for status in NOT_SENT]),
            col(ErpWriteRow.kind) == "bill",
            col(ErpWriteRow.state).in_([str(WriteState.HELD), str(WriteState.PLANNED)]),
        )
        .order_by(col(ErpWriteRow.sequence))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list((await session.execute(statement)).scalars())


async def in_erp(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> list[BillRow]:
    """Our bills with lines on this order that the ERP holds."""
    statement = (
        select(BillRow)
        .join(ErpWriteRow, col(ErpWriteRow.subject_id) == col(BillRow.id))
        .where(
            col(BillRow.id).in_(_on_order(purchase_order_id)),
            col(BillRow.origin) == Origin.POSYNC,
            col(BillRow.status).not_in([str(BillStatus.ABANDONED), str(BillStatus.DELETED)]),
            col(ErpWriteRow.kind) == "bill",
            col(ErpWriteRow.state) == WriteState.CONFIRMED,
        )
        .order_by(col(BillRow.id))
        .execution_options(populate_existing=True)
    )
    return list((await session.execute(statement)).scalars())


def _on_order(purchase_order_id: PurchaseOrderId) -> Any:
    return select(col(BillLineRow.bill_id)).where(col(BillLineRow.purchase_order_id) == purchase_order_id)


async def place(
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
    """Put a bill held by `lock` where its match leaves it, its write with it, and record who and why."""
    before = {"status": bill.status, "match": bill.match_outcome, **before}
    key = ExternalKey(bill.external_key or "")
    if status in WAITING_FOR_A_PERSON:
        held = await writes.hold(session, key)
        assert held, "a bill is kept back under the lock of its write, before it was sent"
    else:
        await writes.let_go(session, key)
    bill.status, bill.match_outcome = status, outcome
    after = {"status": str(status), "match": outcome, **after}
    await bill_edits.changed(session, bill, kind, actor=actor, why=why, before=before, after=after)


async def decide(
    session: AsyncSession, bill_id: BillId, kind: str, findings: Sequence[Mapping[str, Any]], *, actor: str, why: str
) -> None:
    """Keep a person's word on these findings, as they stand now."""
    await session.execute(
        insert(MatchDecisionRow),
        [
            {"bill_id": bill_id, "kind": kind, "finding": dict(finding), "actor": actor, "why": why}
            for finding in findings
        ],
    )


async def decisions(session: AsyncSession, bill_id: BillId) -> list[Decided]:
    """Everything people said on the bill's findings, in order."""
    statement = (
        select(MatchDecisionRow).where(col(MatchDecisionRow.bill_id) == bill_id).order_by(col(MatchDecisionRow.id))
    )
    rows = (await session.execute(statement)).scalars()
    return [Decided(row.kind, row.finding, row.actor, row.why, row.at) for row in rows]


async def orders(
    session: AsyncSession, connection_id: ConnectionId, *, vendor_id: str | None = None, item_id: str | None = None
) -> list[PurchaseOrderState]:
    """The orders whose workflows are to match again: those with a waiting bill, of this vendor and item if given."""
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
            "waiting": sorted(WAITING_FOR_A_PERSON),
            "vendor": vendor_id,
            "item": item_id,
        },
    )
    return [await order_state(session, PurchaseOrderId(order)) for order in rows.scalars().all()]


async def order_state(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> PurchaseOrderState:
    """What an order's workflow is started with, if it does not run, when it is told to match again."""
    row = (
        await session.execute(
            text(
                "select o.connection_id, o.erp_id, c.erp from purchase_orders o"
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
        facts=await order_waking.facts(session, purchase_order_id),
    )


async def orders_with(session: AsyncSession, purchase_order_id: PurchaseOrderId) -> set[PurchaseOrderId]:
    """This order, and those that share a bill with it that is not sent yet: they are locked together."""
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
        {"order": purchase_order_id, "not_sent": sorted(NOT_SENT)},
    )
    return {purchase_order_id, *(PurchaseOrderId(order) for order in rows.scalars())}


class LineNow(NamedTuple):
    """What a bill line takes of its order line, and what it is converted from, by what holds now."""

    line_no: int
    quantity: Decimal
    exact_quantity: str | None
    sources: Sequence[Mapping[str, str]]


async def set_lines(session: AsyncSession, bill_id: BillId, lines: Sequence[LineNow]) -> None:
    """Reserve anew what the bill, matched again under the orders' lock, takes."""
    for line in lines:
        await session.execute(
            update(BillLineRow)
            .where(col(BillLineRow.bill_id) == bill_id, col(BillLineRow.line_no) == line.line_no)
            .values(
                quantity=line.quantity,
                exact_quantity=line.exact_quantity,
                sources=[dict(source) for source in line.sources],
            )
        )
