"""Bills as they come in from the ERP: ours get what was paid, theirs are taken in and linked to their order.

A bill made in the ERP never changes the ledger here: the ERP's own billed quantity of the order already has it.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, BillStatus, ConnectionId, ErpBill, ErpId, OrganizationId, Origin, Stream
from models.store import events, skipped, sync_issues
from models.store.bill_status import OVER, status_by_payment
from models.store.erp_bill_links import BillLink, links_of
from models.store.erp_bill_rows import BillFigures, NewErpBill, write_figures, write_theirs
from models.store.identity import derived_id
from models.store.payment_effects import take_back_credits
from models.tables import ConnectionRow

SYNCER = "posync"
"""Who acts in the event table when no person does."""


class ErpBillsUpserted(NamedTuple):
    """What a page of bills did. `ours`: the bills of ours whose payment moved; their workflows should hear of it."""

    seen: int
    changed: int
    ours: tuple[BillId, ...]


async def upsert(s: AsyncSession, row: ConnectionRow, bills: Sequence[ErpBill]) -> ErpBillsUpserted:
    """Take a page of bills in. Ours are known by their external key, their document or the payable behind it.

    The record number of a payable changes when its vendor invoice is edited (field note U-8): the newest one stays.
    """
    await s.flush()
    connection = await s.connection()
    newest: dict[str, ErpBill] = {}
    for bill in bills:
        name = bill.source_document or bill.erp_id
        if name not in newest or newest[name].revision <= bill.revision:
            newest[name] = bill
    found = await _held(connection, ConnectionId(row.id), list(newest.values()))
    news = [bill for bill in newest.values() if _is_news(found.match(bill), bill)]
    if not news:
        return ErpBillsUpserted(len(bills), 0, ())
    found = await _held(connection, ConnectionId(row.id), news, lock=True)
    promised = await _promised(connection, found.ids)
    ours: list[BillFigures] = []
    theirs: list[tuple[ErpBill, Any]] = []
    for bill in news:
        held = found.match(bill)
        if not _is_news(held, bill):
            continue
        if held is None or held.origin == Origin.ERP.value:
            theirs.append((bill, held))
        else:
            ours.append(_figures(held, bill, promised=held.id in promised))
    await write_figures(connection, ours)
    await events.record_all(
        s,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        subject_kind="bill",
        actor=SYNCER,
        why="the ERP shows other figures",
        changes=[
            events.Change(figures.id, "changed_in_erp", figures.before, figures.after)
            for figures in ours
            if figures.moved
        ],
    )
    await _take_in_theirs(s, connection, row, theirs, promised)
    lost = [share for bill, held in theirs if held is not None for share in _applied_no_more(held, bill)]
    due_again = await take_back_credits(s, connection, row, lost)
    moved = tuple(dict.fromkeys([*(BillId(figures.id) for figures in ours if figures.moved), *due_again]))
    return ErpBillsUpserted(len(bills), len(ours) + len(theirs), moved)


def _applied_no_more(held: Any, bill: ErpBill) -> Iterator[tuple[str, Decimal]]:
    """What a credit took off bills before and does not now: by payable, the amount."""
    now = {share.bill_erp_id: share.amount for share in bill.applied}
    for share in held.applied:
        less = Decimal(share["amount"]) - now.get(ErpId(share["bill_erp_id"]), Decimal(0))
        if less > 0:
            yield share["bill_erp_id"], less


class _Held:
    """The held bills a page may concern, by each name the ERP may know them by."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.ids = [row.id for row in rows]
        self._by_name: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            for name in ("external_key", "document_id", "payable_id"):
                self._by_name.setdefault((name, getattr(row, name)), []).append(row)

    def match(self, bill: ErpBill) -> Any:
        """The held row of this bill: by our key first, then by its document, then by its payable; else None."""
        for name, value in (
            ("external_key", bill.external_key),
            ("document_id", bill.source_document),
            ("payable_id", bill.erp_id),
        ):
            rows = self._by_name.get((name, value)) if value is not None else None
            if rows:
                # One given up and one alive may share a document: the living one is meant.
                return min(rows, key=lambda row: (BillStatus(row.status) in OVER, row.id))
        return None


async def _held(
    connection: AsyncConnection, connection_id: ConnectionId, bills: Sequence[ErpBill], *, lock: bool = False
) -> _Held:
    rows = await connection.execute(
        text(
            "select id, origin, status, external_key, document_id, payable_id, payable_revision, total, paid,"
            "   purchase_order_id, linked_in_erp, manual_both_sides, applied"
            " from bills where connection_id = :c and (external_key = any(cast(:keys as text[]))"
            "   or document_id = any(cast(:documents as text[])) or payable_id = any(cast(:payables as text[])))"
            " order by id" + (" for update" if lock else "")
        ),
        {
            "c": connection_id,
            "keys": [bill.external_key for bill in bills if bill.external_key],
            "documents": [bill.source_document for bill in bills if bill.source_document],
            "payables": [bill.erp_id for bill in bills],
        },
    )
    return _Held(rows.all())


def _is_news(held: Any, bill: ErpBill) -> bool:
    """Older or equal revisions say nothing new, unless the payable of a bill of ours was unknown so far."""
    if held is None:
        return True
    return held.payable_id is None or held.payable_revision is None or bill.revision > held.payable_revision


async def _promised(connection: AsyncConnection, bill_ids: Sequence[str]) -> frozenset[str]:
    rows = await connection.execute(
        text(
            "select distinct bill_id from payments where bill_id = any(cast(:ids as text[])) and origin = 'posync'"
            "   and status in ('scheduled', 'submitted', 'sync_issue')"
        ),
        {"ids": list(bill_ids)},
    )
    return frozenset(rows.scalars())


def _figures(held: Any, bill: ErpBill, *, promised: bool) -> BillFigures:
    before = BillStatus(held.status)
    after = status_by_payment(before, bill.total, bill.paid, promised=promised)
    return BillFigures(
        id=held.id,
        payable_id=bill.erp_id,
        payable_revision=bill.revision,
        total=bill.total,
        paid=bill.paid,
        status=after.value,
        before={"status": before.value, "total": str(held.total), "paid": str(held.paid)},
        after={"status": after.value, "total": str(bill.total), "paid": str(bill.paid)},
        moved=(before, held.total, held.paid) != (after, bill.total, bill.paid),
    )


async def _take_in_theirs(
    s: AsyncSession,
    connection: AsyncConnection,
    row: ConnectionRow,
    theirs: Sequence[tuple[ErpBill, Any]],
    promised: frozenset[str],
) -> None:
    if not theirs:
        return
    links = await links_of(connection, row, [bill for bill, _ in theirs])
    writes = [_new_erp_bill(row, bill, held, links.get(bill.erp_id, BillLink()), promised) for bill, held in theirs]
    await write_theirs(connection, row, writes)
    await skipped.came_in(s, ConnectionId(row.id), Stream.BILLS, [write.bill.erp_id for write in writes])
    changes: list[events.Change] = []
    for (bill, held), write in zip(theirs, writes, strict=True):
        before = None if held is None else _shown(held.status, held.total, held.paid, held.purchase_order_id)
        after = _shown(write.status, bill.total, bill.paid, write.purchase_order_id)
        if before != after:
            changes.append(events.Change(write.id, "came_in" if held is None else "changed_in_erp", before, after))
    await events.record_all(
        s,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        subject_kind="bill",
        actor=SYNCER,
        why="made in the ERP",
        changes=changes,
    )
    await sync_issues.close_for_subjects(
        s,
        ConnectionId(row.id),
        "bill",
        [write.id for write in writes if links.get(write.bill.erp_id, BillLink()).disagreement is None],
        ["LINK_DISAGREES"],
        actor=SYNCER,
    )
    for write in writes:
        disagreement = links.get(write.bill.erp_id, BillLink()).disagreement
        if disagreement is not None:
            await _report_disagreement(s, row, write, *disagreement)


def _new_erp_bill(row: ConnectionRow, bill: ErpBill, held: Any, link: BillLink, promised: frozenset[str]) -> NewErpBill:
    start = BillStatus.SYNCED if held is None or BillStatus(held.status) in OVER else BillStatus(held.status)
    bill_id = derived_id("bill", row.id, bill.source_document or bill.erp_id) if held is None else held.id
    keeps_link = (
        held is not None
        and held.purchase_order_id is not None
        and (held.manual_both_sides or link.purchase_order_id is None)
    )
    return NewErpBill(
        id=bill_id,
        bill=bill,
        status=status_by_payment(start, bill.total, bill.paid, promised=bill_id in promised).value,
        purchase_order_id=held.purchase_order_id if keeps_link else link.purchase_order_id,
        linked_in_erp=held.linked_in_erp if keeps_link else link.by_erp and link.purchase_order_id is not None,
        figures_only=held is not None and held.manual_both_sides,
    )


def _shown(status: str, total: Any, paid: Any, order_id: str | None) -> Mapping[str, Any]:
    return {"status": status, "total": str(total), "paid": str(paid), "purchase_order": order_id}


async def _report_disagreement(s: AsyncSession, row: ConnectionRow, write: NewErpBill, linked: str, named: str) -> None:
    await sync_issues.open_issue(
        s,
        organization_id=row.organization_id,
        connection_id=row.id,
        subject_kind="bill",
        subject_id=write.id,
        code="LINK_DISAGREES",
        title=f"Bill {write.bill.number or write.bill.erp_id} names two orders",
        cause=f"In the ERP it is converted from {linked}, but its reference names {named}. The ERP's link counts.",
        fix=(
            f"If {linked} is right, change the reference number of the bill in the ERP to {linked}.",
            f"If {named} is right, delete the bill in the ERP and enter it from {named}.",
            "Sync again.",
        ),
        who="accountant",
        evidence={"linked": linked, "reference": named, "bill": write.bill.erp_id},
        workflow_id=None,
    )
