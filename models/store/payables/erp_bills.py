"""Store bills read from the ERP: update what was paid on ours; store the ERP's own and link them to their orders.

A bill made in the ERP never changes the ledger here: the ERP's own billed quantity of the order already includes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillKind, BillStatus, ErpBill, Origin
from models.domain.ids import SYNCER, BillId, ConnectionId, OrganizationId
from models.domain.sync import Stream
from models.store.audit import events, sync_issues
from models.store.base.identity import derived_id
from models.store.orders import excluded_records
from models.store.payables import credit_applications, credit_events, erp_bill_parts, erp_edits, retractions
from models.store.payables.bill_status import status_by_payment
from models.store.payables.credited_bills import CreditedBill, credited_bills
from models.store.payables.erp_bill_links import REFERENCE_UNCLEAR, BillLink, Unclear, links_of
from models.store.payables.erp_bill_rows import BillFigures, NewErpBill, write_applied, write_figures, write_theirs
from models.store.payables.erp_edits import Followed
from models.store.payables.payment_application import take_back_credits
from models.tables import ConnectionRow

REJECTED_IN_ERP = "BILL_REJECTED_IN_ERP"
LINK_LOST = "ORDER_LINK_LOST"

NO_BILL = CreditedBill("", None)
"""Of a credit that is against no bill that is known here."""


class ErpBillsUpserted(NamedTuple):
    """Result of a page of bills.

    `ours`: our bills whose payment changed; their workflows should be notified. `edited`: those whose vendor, lines or
    charges people changed in the ERP.
    """

    seen: int
    changed: int
    ours: tuple[BillId, ...]
    edited: tuple[BillId, ...] = ()


async def upsert(
    s: AsyncSession, row: ConnectionRow, bills: Sequence[ErpBill], *, read_by_name: bool = False
) -> ErpBillsUpserted:
    """Store a page of bills. Ours are recognised by their external key, their document or the payable behind it.

    `read_by_name`: they were read for a write that moved them, within the second that their stored revision may be of;
    one with the same revision is then stored again.

    The record number of a payable changes when its vendor invoice is edited (field note U-8): the newest number is
    stored.
    """
    await s.flush()
    connection = await s.connection()
    newest: dict[str, ErpBill] = {}
    for bill in bills:
        name = bill.source_document or bill.erp_id
        if name not in newest or newest[name].revision <= bill.revision:
            newest[name] = bill
    page, in_parts = await erp_bill_parts.compose(s, row, list(newest.values()))
    result = await _stored(connection, ConnectionId(row.id), page)
    page = [
        bill.model_copy(update={"external_key": None})
        if bill.external_key not in in_parts and result.is_copy(bill)
        else bill
        for bill in page
    ]
    newer = [
        bill
        for bill in page
        if bill.external_key in in_parts or _is_newer(result.match(bill), bill, as_well_if_same=read_by_name)
    ]
    if not newer:
        return ErpBillsUpserted(len(bills), 0, ())
    result = await _stored(connection, ConnectionId(row.id), newer, lock=True)
    promised = await _promised(connection, result.ids)
    mine: list[tuple[ErpBill, Any]] = []
    theirs: list[tuple[ErpBill, Any]] = []
    for bill in newer:
        stored = result.match(bill)
        if bill.external_key not in in_parts and not _is_newer(stored, bill, as_well_if_same=read_by_name):
            continue
        if stored is None or stored.origin == Origin.ERP.value:
            theirs.append((bill, stored))
        else:
            mine.append((bill, stored))
    unknown = [bill for bill, stored in theirs if stored is None]
    over = [bill for bill, stored in mine if BillStatus(stored.status).is_void]
    gone = await retractions.taken_back(connection, ConnectionId(row.id), [*unknown, *over])
    theirs = [(bill, stored) for bill, stored in theirs if stored is not None or bill.erp_id not in gone]
    # What is paid on it there is the credit that took it back.
    mine = [(bill, stored) for bill, stored in mine if bill.erp_id not in gone]
    moved, followed = await _take_in_mine(s, connection, row, mine, promised)
    await _take_in_theirs(s, connection, row, theirs, promised)
    reopened = await _take_in_applied(s, connection, row, mine, theirs)
    edited = tuple(BillId(one.bill_id) for one in followed if one.is_matched_otherwise)
    return ErpBillsUpserted(len(bills), len(mine) + len(theirs), tuple(dict.fromkeys([*moved, *reopened])), edited)


async def _take_in_mine(
    s: AsyncSession,
    connection: AsyncConnection,
    row: ConnectionRow,
    mine: Sequence[tuple[ErpBill, Any]],
    promised: frozenset[str],
) -> tuple[list[BillId], list[Followed]]:
    """Store what the ERP shows of bills of ours; return those whose figures moved, and what people changed there."""
    ours = [_figures(stored, bill, promised=stored.id in promised) for bill, stored in mine]
    await write_figures(connection, ours)
    followed = await _follow(connection, mine)
    await erp_edits.write(connection, followed)
    moved = [figures for figures in ours if figures.moved]
    for why, changes in (
        (
            "the ERP shows other figures",
            [events.Change(one.id, "changed_in_erp", one.before, one.after) for one in moved],
        ),
        (
            "edited in the ERP",
            [events.Change(one.bill_id, "edited_in_erp", one.before, one.after) for one in followed],
        ),
    ):
        await events.record_all(
            s,
            organization_id=OrganizationId(row.organization_id),
            connection_id=ConnectionId(row.id),
            subject_kind="bill",
            actor=SYNCER,
            why=why,
            changes=changes,
        )
    await _report_rejections(s, row, mine)
    await _report_lost_links(s, row, mine)
    return [BillId(one.id) for one in moved], followed


async def _take_in_applied(
    s: AsyncSession,
    connection: AsyncConnection,
    row: ConnectionRow,
    mine: Sequence[tuple[ErpBill, Any]],
    theirs: Sequence[tuple[ErpBill, Any]],
) -> tuple[BillId, ...]:
    """Store which bills the credits are applied to; return the bills that a credit was taken away from."""
    await write_applied(connection, row, [(stored.id, bill) for bill, stored in mine if bill.kind is BillKind.CREDIT])
    lost = [
        share for bill, stored in (*theirs, *mine) if stored is not None for share in _applied_no_more(stored, bill)
    ]
    credits = [
        credit_events.Seen(_id_of(row, bill, stored), () if stored is None else stored.applied, bill)
        for bill, stored in (*theirs, *mine)
        if bill.kind is BillKind.CREDIT
    ]
    await credit_events.record(s, connection, row, credits)
    in_page = [one.credit_id for one in credits]
    await credit_applications.seen(connection, in_page)
    return await take_back_credits(s, connection, row, lost)


async def _follow(connection: AsyncConnection, mine: Sequence[tuple[ErpBill, Any]]) -> list[Followed]:
    """Return what people changed in the ERP on bills of ours. A bill linked by hand behind a receipt follows nothing
    but what is paid on it (S1-22)."""
    settled = [(bill, stored) for bill, stored in mine if not stored.manual_both_sides and bill.kind is BillKind.BILL]
    lines = await erp_edits.lines_of(connection, [stored.id for _, stored in settled]) if settled else {}
    changes = [erp_edits.followed(stored, lines.get(stored.id, ()), bill) for bill, stored in settled]
    return [change for change in changes if change is not None]


async def _report_rejections(s: AsyncSession, row: ConnectionRow, mine: Sequence[tuple[ErpBill, Any]]) -> None:
    """Open an issue for each bill of ours that was rejected in the ERP, and close those of bills that are not any
    more: a rejected one bills nothing there, and is not paid from here."""
    for bill, stored in mine:
        if bill.rejected:
            await sync_issues.open_issue(
                s,
                REJECTED_IN_ERP,
                connection_id=row.id,
                subject_kind="bill",
                subject_id=stored.id,
                subject_name=bill.number,
                cause=f"The ERP shows {bill.number} as {bill.state!r}.",
                evidence={"document": bill.source_document or bill.erp_id, "state": bill.state},
            )
    over = [stored.id for bill, stored in mine if stored.rejected_in_erp and not bill.rejected]
    if over:
        await sync_issues.close_for_subjects(s, ConnectionId(row.id), "bill", over, [REJECTED_IN_ERP], actor=SYNCER)


async def _report_lost_links(s: AsyncSession, row: ConnectionRow, mine: Sequence[tuple[ErpBill, Any]]) -> None:
    """Open an issue for each bill of ours that has come to name no order in the ERP, and close those of bills that name
    theirs again. A reading without the document that made the bill says nothing of its links."""
    lost: list[str] = []
    regained: list[str] = []
    for bill, stored in mine:
        status = BillStatus(stored.status)
        if (
            bill.kind is not BillKind.BILL
            or status.is_before_erp
            or status.is_void
            or stored.manual_both_sides
            or bill.source_document is None
            or stored.is_kept
        ):
            continue
        named = bill.order_document is not None or bill.receipt_document is not None
        if named or any(line.order_line is not None or line.source_line is not None for line in bill.lines):
            if not stored.linked_in_erp:
                regained.append(stored.id)
        elif bill.lines and not bill.rejected and stored.linked_in_erp:
            lost.append(stored.id)
            await sync_issues.open_issue(
                s,
                LINK_LOST,
                connection_id=row.id,
                subject_kind="bill",
                subject_id=stored.id,
                subject_name=bill.number,
                cause=f"No line of {bill.number} names order {stored.order_number} in the ERP any more.",
                evidence={"document": bill.source_document, "order": stored.order_number},
            )
    if not lost and not regained:
        return
    await (await s.connection()).execute(
        text(
            "update bills set linked_in_erp = not linked_in_erp, version = version + 1, changed_at = now()"
            " where id = any(cast(:ids as text[]))"
        ),
        {"ids": [*lost, *regained]},
    )
    await sync_issues.close_for_subjects(s, ConnectionId(row.id), "bill", regained, [LINK_LOST], actor=SYNCER)


def _applied_no_more(stored: Any, bill: ErpBill) -> Iterator[tuple[str, Decimal]]:
    """Yield what a credit took off bills before and does not any more: payable and amount."""
    less: dict[str, Decimal] = {}
    for share in stored.applied:
        less[share["bill_erp_id"]] = less.get(share["bill_erp_id"], Decimal(0)) + Decimal(share["amount"])
    for now in bill.applied:
        less[now.bill_erp_id] = less.get(now.bill_erp_id, Decimal(0)) - now.amount
    yield from ((payable, amount) for payable, amount in less.items() if amount > 0)


class _StoredRows:
    """The stored bills that a page may concern, by each name that the ERP may know them by."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.ids = [row.id for row in rows]
        self._by_name: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            for name in ("external_key", "document_id", "payable_id"):
                self._by_name.setdefault((name, getattr(row, name)), []).append(row)

    def is_copy(self, bill: ErpBill) -> bool:
        """Return whether a bill has our key from another one: people copy a bill in the ERP with all its texts. One
        that is in the ERP keeps its document."""
        if bill.external_key is None or bill.source_document is None:
            return False
        keyed = self._by_name.get(("external_key", bill.external_key), [])
        return bool(keyed) and all(
            row.document_id not in (None, bill.source_document)
            and not BillStatus(row.status).is_before_erp
            and not BillStatus(row.status).is_void
            for row in keyed
        )

    def match(self, bill: ErpBill) -> Any:
        """Return the stored row of this bill or None: by our key first, then by its document, then by its payable."""
        for name, value in (
            ("external_key", bill.external_key),
            ("document_id", bill.source_document),
            ("payable_id", bill.erp_id),
        ):
            rows = self._by_name.get((name, value)) if value is not None else None
            if rows:
                # An abandoned bill and an open one may share a document: the open one is meant.
                return min(rows, key=lambda row: (BillStatus(row.status).is_void, row.id))
        return None


async def _stored(
    connection: AsyncConnection, connection_id: ConnectionId, bills: Sequence[ErpBill], *, lock: bool = False
) -> _StoredRows:
    rows = await connection.execute(
        text(
            "select id, origin, status, external_key, document_id, payable_id, payable_revision, total, paid,"
            "   purchase_order_id, linked_in_erp, manual_both_sides, applied, vendor_id, number, bill_date, due_date,"
            "   edit_pending, charges, tax, discount, rejected_in_erp, direct, generation, kind,"
            "   exists (select from kept_quantities k where k.bill_id = bills.id) as is_kept,"
            "   (select o.number from purchase_orders o where o.id = bills.purchase_order_id) as order_number"
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
    return _StoredRows(rows.all())


def _is_newer(stored: Any, bill: ErpBill, *, as_well_if_same: bool = False) -> bool:
    """Return whether the bill is newer than the stored one, or first names the payable of a bill of ours; or, with
    `as_well_if_same`, has its revision."""
    if stored is None or stored.payable_id is None or stored.payable_revision is None:
        return True
    same = as_well_if_same and bill.revision == stored.payable_revision
    return same or bool(bill.revision > stored.payable_revision)


async def _promised(connection: AsyncConnection, bill_ids: Sequence[str]) -> frozenset[str]:
    rows = await connection.execute(
        text(
            "select distinct s.bill_id from payment_shares s join payments p on p.id = s.payment_id"
            " where s.bill_id = any(cast(:ids as text[])) and p.origin = 'posync'"
            "   and p.status in ('scheduled', 'submitted', 'sync_issue')"
        ),
        {"ids": list(bill_ids)},
    )
    return frozenset(rows.scalars())


def _figures(stored: Any, bill: ErpBill, *, promised: bool) -> BillFigures:
    before = BillStatus(stored.status)
    after = status_by_payment(before, bill.total, bill.paid, promised=promised)
    return BillFigures(
        id=stored.id,
        payable_id=bill.erp_id,
        payable_revision=bill.revision,
        total=bill.total,
        paid=bill.paid,
        status=after.value,
        before={
            "status": before.value,
            "total": str(stored.total),
            "paid": str(stored.paid),
            "rejected_in_erp": stored.rejected_in_erp,
        },
        after={
            "status": after.value,
            "total": str(bill.total),
            "paid": str(bill.paid),
            "rejected_in_erp": bill.rejected,
        },
        moved=(before, stored.total, stored.paid, stored.rejected_in_erp)
        != (after, bill.total, bill.paid, bill.rejected),
        rejected=bill.rejected,
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
    # An adjustment that raises what is owed bills nothing of an order, whatever people typed into its reference.
    links = await links_of(connection, row, [bill for bill, _ in theirs if bill.kind is not BillKind.ADJUSTMENT])
    credited = await credited_bills(connection, row.id, [bill for bill, _ in theirs])
    writes = [
        _new_erp_bill(
            row, bill, stored, links.get(bill.erp_id, BillLink()), promised, credited.get(bill.erp_id, NO_BILL)
        )
        for bill, stored in theirs
    ]
    await write_theirs(connection, row, writes)
    await excluded_records.mark_imported(s, ConnectionId(row.id), Stream.BILLS, [write.bill.erp_id for write in writes])
    changes: list[events.Change] = []
    for (bill, stored), write in zip(theirs, writes, strict=True):
        before = None if stored is None else _shown(stored.status, stored.total, stored.paid, stored.purchase_order_id)
        after = _shown(write.status, bill.total, bill.paid, write.purchase_order_id)
        if before != after:
            changes.append(events.Change(write.id, "came_in" if stored is None else "changed_in_erp", before, after))
    await events.record_all(
        s,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        subject_kind="bill",
        actor=SYNCER,
        why="made in the ERP",
        changes=changes,
    )
    link_of = {write.id: links.get(write.bill.erp_id, BillLink()) for write in writes}
    connection_id = ConnectionId(row.id)
    clear = [bill_id for bill_id, link in link_of.items() if link.disagreement is None]
    await sync_issues.close_for_subjects(s, connection_id, "bill", clear, ["LINK_DISAGREES"], actor=SYNCER)
    clear = [write.id for write in writes if link_of[write.id].unclear is None or write.purchase_order_id is not None]
    await sync_issues.close_for_subjects(s, connection_id, "bill", clear, [REFERENCE_UNCLEAR], actor=SYNCER)
    for write in writes:
        link = link_of[write.id]
        if link.disagreement is not None:
            await _report_disagreement(s, row, write, *link.disagreement)
        if link.unclear is not None and write.purchase_order_id is None and not write.bill.rejected:
            name = write.bill.number or write.bill.erp_id
            await report_unclear(s, connection_id, write.id, name, write.bill.reference or "", link.unclear)


def _id_of(row: ConnectionRow, bill: ErpBill, stored: Any) -> str:
    return derived_id("bill", row.id, bill.source_document or bill.erp_id) if stored is None else str(stored.id)


def _new_erp_bill(
    row: ConnectionRow,
    bill: ErpBill,
    stored: Any,
    link: BillLink,
    promised: frozenset[str],
    credited: CreditedBill,
) -> NewErpBill:
    start = BillStatus.SYNCED if stored is None or BillStatus(stored.status).is_void else BillStatus(stored.status)
    bill_id = _id_of(row, bill, stored)
    keeps_link = (
        stored is not None
        and stored.purchase_order_id is not None
        and (stored.manual_both_sides or link.purchase_order_id is None)
    )
    return NewErpBill(
        id=bill_id,
        bill=bill,
        status=status_by_payment(start, bill.total, bill.paid, promised=bill_id in promised).value,
        purchase_order_id=stored.purchase_order_id
        if keeps_link
        else link.purchase_order_id or (credited.purchase_order_id if row.purchase_orders_enabled else None),
        linked_in_erp=stored.linked_in_erp if keeps_link else link.by_erp and link.purchase_order_id is not None,
        figures_only=stored is not None and stored.manual_both_sides,
        credit_of=credited.id or None,
    )


def _shown(status: str, total: Any, paid: Any, order_id: str | None) -> Mapping[str, Any]:
    return {"status": status, "total": str(total), "paid": str(paid), "purchase_order": order_id}


async def report_unclear(
    s: AsyncSession, connection_id: ConnectionId, bill_id: str, name: str, reference: str, unclear: Unclear
) -> None:
    """Open an issue for a bill whose reference number names orders, and links none."""
    await sync_issues.open_issue(
        s,
        REFERENCE_UNCLEAR,
        connection_id=connection_id,
        subject_kind="bill",
        subject_id=bill_id,
        subject_name=name,
        cause=f"Bill {name} with reference {reference!r} is linked to no order: {unclear.why}.",
        evidence={"reference": reference, "candidates": list(unclear.candidates), "bill": bill_id},
    )


async def _report_disagreement(s: AsyncSession, row: ConnectionRow, write: NewErpBill, linked: str, named: str) -> None:
    await sync_issues.open_issue(
        s,
        "LINK_DISAGREES",
        connection_id=row.id,
        subject_kind="bill",
        subject_id=write.id,
        subject_name=write.bill.number or write.bill.erp_id,
        cause=f"In the ERP it is converted from {linked}, but its reference names {named}. The ERP's link counts.",
        evidence={"linked": linked, "reference": named, "bill": write.bill.erp_id},
    )
