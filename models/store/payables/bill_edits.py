"""Change a saved bill on a person's request: its fields, its PO link. Every change is an event (DESIGN section 7)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillKind, BillStatus, Origin
from models.domain.ids import BillId, ConnectionId, ExternalKey, OrganizationId, PurchaseOrderId
from models.domain.writes import WriteKind, WriteState
from models.store.audit import events, sync_issues, writes
from models.store.payables import bills, edit_baseline, kept_quantities, reserved_amounts
from models.store.payables.erp_bill_links import REFERENCE_UNCLEAR
from models.tables import BillLineRow, BillRow, ErpWriteRow, PurchaseOrderRow, ReceiptRow


class EditRefused(Exception):
    """This may not be changed any more, or not here. `code` is the API's problem code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


ON_ITS_WAY = (WriteState.QUEUED, WriteState.SENT)

NEVER_PUSHED = (WriteState.HELD, WriteState.PLANNED, WriteState.REJECTED)
"""States of a write whose bill the ERP certainly does not hold: the bill may still change completely."""


async def lock(
    session: AsyncSession, bill_id: BillId, organization_id: OrganizationId, *, kind: BillKind = BillKind.BILL
) -> BillRow | None:
    """Return the organization's bill, locked until the transaction ends, or None. A credit that was entered here is
    changed as a credit only."""
    statement = (
        select(BillRow)
        .where(
            col(BillRow.id) == bill_id,
            col(BillRow.organization_id) == organization_id,
            or_(col(BillRow.kind) == kind, col(BillRow.origin) == Origin.ERP),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def write_of(session: AsyncSession, subject_id: str, *, lock: bool = False) -> ErpWriteRow | None:
    """Return the ERP write of a bill or a payment; None for those made in the ERP."""
    statement = select(ErpWriteRow).where(
        col(ErpWriteRow.subject_id) == subject_id,
        col(ErpWriteRow.kind).not_in([str(WriteKind.BILL_PART), str(WriteKind.PAYMENT_VOID)]),
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


async def edit(
    session: AsyncSession,
    bill: BillRow,
    header: Mapping[str, Any],
    lines: Mapping[int, Mapping[str, Any]],
    *,
    actor: str,
) -> list[int]:
    """Change header fields and line fields (by line number) of a bill held by `lock`.

    Before the push everything given may change. Once the ERP holds the bill, what `edit_baseline` names may: such an
    edit is pending until the ERP was seen to hold it (S1-17, S5-136). GL accounts change here only (S1-17), and so does
    everything of a bill linked by hand behind a receipt, as a note of what was done in the ERP (S1-22). Return the
    lines whose GL account changed, whether the ERP holds the bill yet or not (S1-18).

    Raises:
        EditRefused: Something of it may not be changed any more, or not here.
    """
    in_erp = await _in_erp(session, bill)
    rows = await _lines(session, BillId(bill.id))
    unknown = sorted(set(lines) - set(rows))
    if unknown:
        raise EditRefused("BILL_LINE_UNKNOWN", f"The bill has no line {unknown[0]}.")
    goes_out = False
    if in_erp and not bill.manual_both_sides:
        goes_out = await _goes_out(session, bill, header, lines, rows)
    if goes_out and bill.due_date is not None and header.get("due_date", bill.due_date) is None:
        raise EditRefused("EDIT_IN_ERP", "A due date can be changed from here, but not taken away.")
    count_before = edit_baseline.taken(bill, rows.values())
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, value in header.items():
        if getattr(bill, name) != value:
            before[name], after[name] = _plain(getattr(bill, name)), _plain(value)
            setattr(bill, name, value)
    accounts: list[int] = []
    for line_no, change in sorted(lines.items()):
        row = rows[line_no]
        for name, value in change.items():
            if getattr(row, name) == value:
                continue
            before[f"line {line_no} {name}"], after[f"line {line_no} {name}"] = getattr(row, name), value
            setattr(row, name, value)
            if name == "account":
                accounts.append(line_no)
        session.add(row)
    if not after:
        return []
    if goes_out:
        bill.edition = bill.version + 1
        bill.edit_baseline = edit_baseline.touch(bill.edit_baseline or count_before, after)
        before["edit_pending"], after["edit_pending"] = bill.edit_pending, True
        bill.edit_pending = True
    await changed(session, bill, "edited", actor=actor, why="edited by hand", before=before, after=after)
    return accounts


async def release(session: AsyncSession, bill: BillRow) -> None:
    """Have a locked bill released that the ERP keeps as a draft, or may keep: it is approved here. Like an edit, it is
    sent until the ERP was seen to hold it. The caller stores the bill."""
    baseline = edit_baseline.taken(bill, (await _lines(session, BillId(bill.id))).values())
    bill.edition = bill.version + 1
    bill.edit_baseline = edit_baseline.touch(bill.edit_baseline or baseline, [edit_baseline.RELEASE])
    bill.edit_pending = True


async def unlink(session: AsyncSession, bill: BillRow, *, actor: str) -> PurchaseOrderId:
    """Unlink a bill from its order before the first sync (S1-24) and keep it as a draft; return the order.

    Its quantities are free again. It goes nowhere until it is put on an order: a bill reaches the ERP only as a
    conversion of one.

    Raises:
        EditRefused: The bill is not linked, is closed, is being sent, or is in the ERP.
    """
    if bill.purchase_order_id is None:
        raise EditRefused("BILL_NOT_LINKED", "The bill is not linked to a purchase order.")
    order_id = PurchaseOrderId(bill.purchase_order_id)
    if BillStatus(bill.status).is_void:
        raise EditRefused("BILL_IS_CLOSED", f"The bill is {bill.status} already.")
    write = await write_of(session, bill.id, lock=True)
    if write is None or write.state not in NEVER_PUSHED:
        on_its_way = write is not None and write.state in ON_ITS_WAY
        raise EditRefused(
            "LINK_IS_FINAL",
            "The bill is on its way to the ERP, which may hold it already."
            if on_its_way
            else "Bill and link have synced: the accounting system is the system of record.",
        )
    if await reserved_amounts.is_any_under_way(session, BillId(bill.id)):
        raise EditRefused("BILL_HAS_PAYMENTS", "A payment or a credit of it is under way.")
    if await kept_quantities.by_line(session, BillId(bill.id)):
        raise EditRefused("QUANTITY_STAYS_BILLED", "The ERP keeps its quantities as billed on this order.")
    await writes.hold(session, ExternalKey(write.external_key))
    await sync_issues.close_with_subject(
        session, ConnectionId(bill.connection_id), WriteKind.BILL, [bill.id], actor=actor
    )
    for row in (await _lines(session, BillId(bill.id))).values():
        row.purchase_order_id = None
        row.purchase_order_line_no = None
        row.reserves = False
        session.add(row)
    before: dict[str, Any] = {"purchase_order": order_id, "status": bill.status}
    bill.purchase_order_id, bill.status = None, BillStatus.DRAFT
    after: dict[str, Any] = {"purchase_order": None, "status": bill.status}
    await changed(session, bill, "unlinked", actor=actor, why="unlinked by hand", before=before, after=after)
    return order_id


async def abandon(session: AsyncSession, bill: BillRow, *, actor: str, why: str) -> None:
    """Abandon a bill that was never sent; its quantities are free again.

    Raises:
        EditRefused: The bill is closed, is being sent, or is in the ERP.
    """
    if BillStatus(bill.status).is_void:
        raise EditRefused("BILL_IS_CLOSED", f"The bill is {bill.status} already.")
    write = await write_of(session, bill.id, lock=True)
    if write is None or write.state == WriteState.CONFIRMED:
        raise EditRefused("BILL_IS_IN_ERP", "The ERP is the system of record for it.")
    if not await bills.abandon(session, BillId(bill.id), actor=actor, why=why):
        raise EditRefused("BILL_ON_ITS_WAY", "It was sent; the ERP may hold it already.")
    await session.refresh(bill)


async def link(session: AsyncSession, bill: BillRow, order: PurchaseOrderRow, *, actor: str) -> None:
    """Link a bill made in the ERP to an order by hand (S1-21). Nothing is written to the ERP.

    Behind a receipt, its edits are made by hand in both systems from now on (S1-22).

    Raises:
        EditRefused: The bill is ours, linked already or closed, or its vendor is not the order's.
    """
    if bill.purchase_order_id is not None:
        if bill.purchase_order_id == order.id:
            return
        raise EditRefused("BILL_ALREADY_LINKED", f"It is linked to the order {bill.purchase_order_id!r}.")
    if BillStatus(bill.status).is_void:
        raise EditRefused("BILL_IS_CLOSED", f"The bill is {bill.status}.")
    if bill.direct:
        raise EditRefused(
            "LINK_NOT_ALLOWED", "It was entered here without an order: put it on one with `.../put-on-order`."
        )
    if bill.origin != Origin.ERP:
        raise EditRefused("LINK_NOT_ALLOWED", "A bill of ours is put on an order together with its lines.")
    if (bill.connection_id, bill.vendor_id) != (order.connection_id, order.vendor_id):
        raise EditRefused(
            "LINK_NOT_ALLOWED", f"The bill is {bill.vendor_id}'s, the order {order.number} is {order.vendor_id}'s."
        )
    bill.purchase_order_id = order.id
    bill.manual_both_sides = bill.manual_both_sides or await _behind_receipt(session, bill)
    before = {"purchase_order": None, "manual_both_sides": False}
    after = {"purchase_order": order.id, "manual_both_sides": bill.manual_both_sides}
    await changed(session, bill, "linked", actor=actor, why="linked by hand", before=before, after=after)
    await sync_issues.close_for_subject(
        session, ConnectionId(bill.connection_id), "bill", bill.id, [REFERENCE_UNCLEAR], actor=actor
    )


async def _in_erp(session: AsyncSession, bill: BillRow) -> bool:
    """Return whether the ERP holds the bill.

    Raises:
        EditRefused: That is not known yet, or the bill no longer exists.
    """
    if BillStatus(bill.status).is_void:
        raise EditRefused("BILL_IS_CLOSED", f"The bill is {bill.status}.")
    if bill.origin == Origin.ERP:
        return True
    write = await write_of(session, bill.id, lock=True)
    if write is not None and write.state in ON_ITS_WAY:
        raise EditRefused("BILL_ON_ITS_WAY", "It was sent; the ERP may hold it already.")
    return write is None or write.state not in NEVER_PUSHED


async def _goes_out(
    session: AsyncSession,
    bill: BillRow,
    header: Mapping[str, Any],
    lines: Mapping[int, Mapping[str, Any]],
    rows: Mapping[int, BillLineRow],
) -> bool:
    """Return whether the edit of a bill that the ERP holds changes anything in the ERP.

    Raises:
        EditRefused: The ERP may not be changed so.
    """
    names = [name for name, value in header.items() if getattr(bill, name) != value]
    names += [
        name for no, change in lines.items() for name, value in change.items() if getattr(rows[no], name) != value
    ]
    off_order = {no for no, row in rows.items() if row.off_order}
    accounts = {no for no, change in lines.items() if change.get("account", rows[no].account) != rows[no].account}
    # An account of a line on an order exists only here (S1-17); one of a line off orders is what the ERP has.
    out = [name for name in names if name != "account"] + (["account"] if accounts & off_order else [])
    if not out:
        return False
    if bill.origin == Origin.ERP:
        raise EditRefused("EDIT_IN_ERP", "The bill was made in the ERP, which is the system of record for it.")
    fixed = [name for name in out if name not in (*edit_baseline.HEADER, *edit_baseline.LINE)]
    if fixed:
        raise EditRefused("EDIT_IN_ERP", f"The ERP holds this bill; its {fixed[0]} can no longer be changed from here.")
    if bill.paid or await reserved_amounts.is_any_under_way(session, BillId(bill.id)):
        raise EditRefused(
            "BILL_HAS_PAYMENTS",
            f"Paid {bill.paid} of {bill.total}, or a payment or a credit is under way: the ERP makes an edited bill"
            " anew, which fails once anything is paid on it.",
        )
    if bill.status != BillStatus.SYNCED:
        raise EditRefused("EDIT_IN_ERP", f"The bill is {bill.status}: settle its sync issue first.")
    return True


async def _behind_receipt(session: AsyncSession, bill: BillRow) -> bool:
    """Return whether a line was converted from a receipt, so that the ERP has no direct link to the order (S1-20)."""
    documents = {
        source.get("document_id") for row in (await _lines(session, BillId(bill.id))).values() for source in row.sources
    }
    if not documents:
        return False
    statement = select(col(ReceiptRow.id)).where(
        col(ReceiptRow.connection_id) == ConnectionId(bill.connection_id), col(ReceiptRow.document_id).in_(documents)
    )
    return (await session.execute(statement.limit(1))).first() is not None


async def _lines(session: AsyncSession, bill_id: BillId) -> dict[int, BillLineRow]:
    rows: Sequence[BillLineRow] = (
        (await session.execute(select(BillLineRow).where(col(BillLineRow.bill_id) == bill_id))).scalars().all()
    )
    return {row.line_no: row for row in rows}


async def changed(
    session: AsyncSession,
    bill: BillRow,
    kind: str,
    *,
    actor: str,
    why: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    """Store the bill under its next version, and the event that describes the change."""
    bill.version += 1
    bill.changed_at = (await session.execute(select(func.now()))).scalar_one()
    session.add(bill)
    await session.flush()
    await events.record(
        session,
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        subject_kind="bill",
        subject_id=bill.id,
        kind=kind,
        actor=actor,
        why=why,
        before=dict(before),
        after=dict(after),
    )


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, bool, int)) else str(value)
