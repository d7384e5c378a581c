"""Edits on their way to the ERP: what goes out, what is settled, what is given up (S5-136).

An edit needs no write intent of its own: its values are absolute and its edition names it, so sending it twice is
sending it once. `bills.edit_pending` says that one is due, from its transaction until its read-back is stored.
"""

from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, BillStatus, ConnectionId, DocumentId, PushedBill
from models.store import bill_edits, bills, edit_undo
from models.store.bills import SYNCER, BillInPush
from models.tables import BillLineRow, BillRow


class EditInPush(NamedTuple):
    """A bill as it was edited, with what the ERP knows it by."""

    going_out: BillInPush
    document_id: DocumentId
    edition: int
    revision: str | None
    """The document's revision when it was last read back."""
    values: dict[str, Any]
    """The editable fields as they are sent; what the ERP holds once this edition is through."""


class EditPending(NamedTuple):
    bill_id: BillId
    edition: int
    status: BillStatus


async def waiting(session: AsyncSession, connection_id: ConnectionId) -> list[EditPending]:
    """The connection's bills with an edit that is not in the ERP yet."""
    rows = await session.execute(
        select(col(BillRow.id), col(BillRow.edition), col(BillRow.status))
        .where(col(BillRow.connection_id) == connection_id, col(BillRow.edit_pending))
        .order_by(col(BillRow.id))
    )
    return [EditPending(BillId(bill_id), edition, BillStatus(status)) for bill_id, edition, status in rows]


async def in_push(session: AsyncSession, bill_id: BillId) -> EditInPush | None:
    """The edit as it goes out; None: there is none any more. One edition is always the same content: the bill is
    locked, so no newer edit slips in between its header and its lines."""
    bill = await _held(session, bill_id)
    if not bill.edit_pending:
        return None
    assert bill.document_id is not None, "only bills the ERP holds have an edit to send"
    return EditInPush(
        going_out=await bills.in_push(session, bill_id),
        document_id=DocumentId(bill.document_id),
        edition=bill.edition,
        revision=bill.erp_revision,
        values=edit_undo.taken(bill, await _lines(session, bill_id)),
    )


async def pushed(session: AsyncSession, bill_id: BillId, sent: EditInPush, found: PushedBill) -> None:
    """Store what was read back. The edit is settled when the ERP holds it as sent and it is still the last one.

    The payable behind the bill is a new one after every edit (field note U-8).
    """
    bill = await _held(session, bill_id)
    before = {"payable": bill.payable_id, "edit_pending": bill.edit_pending}
    bill.payable_id = found.payable_id
    bill.erp_revision = found.revision
    bill.linked_in_erp = found.linked
    if bill.edit_pending and found.linked and not found.differences:
        if bill.edition == sent.edition:
            bill.edit_pending, bill.edit_undo = False, None
        else:  # edited again meanwhile: giving that up leads back to what is in the ERP now
            bill.edit_undo = edit_undo.touch(sent.values, (bill.edit_undo or {}).get("touched", ()))
    after = {"payable": bill.payable_id, "edit_pending": bill.edit_pending}
    if before == after:
        return
    await bill_edits.changed(
        session,
        bill,
        "edit_pushed",
        actor=SYNCER,
        why="read back from the ERP" if not found.differences else "the ERP holds it otherwise than edited",
        before=before,
        after=after | {"edition": sent.edition},
    )


async def give_up(
    session: AsyncSession, bill_id: BillId, edition: int, *, actor: str, why: str, maybe_there: bool
) -> bool:
    """Send this edition no more. Where the ERP certainly did not take it, the bill says again what the ERP holds.

    False: it is settled or given up already, or there is a newer one, which goes out.
    """
    bill = await _held(session, bill_id)
    if not bill.edit_pending or bill.edition != edition:
        return False
    lines = await _lines(session, bill_id)
    edited, held = edit_undo.taken(bill, lines), bill.edit_undo
    if held is not None and not maybe_there:
        edit_undo.put_back(held, bill, lines)
        session.add_all(lines)
    bill.edit_pending, bill.edit_undo = False, None
    after = edit_undo.taken(bill, lines)
    await bill_edits.changed(
        session,
        bill,
        "edit_given_up",
        actor=actor,
        why=why,
        before=edited | {"edit_pending": True},
        after=after | {"edit_pending": False},
    )
    return True


async def _held(session: AsyncSession, bill_id: BillId) -> BillRow:
    statement = (
        select(BillRow).where(col(BillRow.id) == bill_id).with_for_update().execution_options(populate_existing=True)
    )
    bill: BillRow = (await session.execute(statement)).scalar_one()
    return bill


async def _lines(session: AsyncSession, bill_id: BillId) -> list[BillLineRow]:
    statement = select(BillLineRow).where(col(BillLineRow.bill_id) == bill_id).order_by(col(BillLineRow.line_no))
    return list((await session.execute(statement.execution_options(populate_existing=True))).scalars())
