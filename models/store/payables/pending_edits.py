"""Push, settle and abandon edits of bills that the ERP holds (S5-136).

An edit needs no write intent of its own: its values are absolute and its number (`edition`) names it, so sending it
twice has the effect of sending it once. `bills.edit_pending` is set from the edit's transaction until its read-back is
stored.
"""

from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bill_parts import PartInErp
from models.domain.bills import BillStatus, BillToPush, PushedBill
from models.domain.credits import CreditToPush
from models.domain.ids import SYNCER, BillId, ConnectionId, DocumentId, ExternalKey
from models.store.payables import bill_edits, bill_parts, edit_baseline, outgoing_bills
from models.store.payables.outgoing_bills import OutgoingBill
from models.tables import BillLineRow, BillRow


class OutgoingEdit(NamedTuple):
    """An edited bill to push, with the ids that the ERP knows it by."""

    outgoing: OutgoingBill
    document_id: DocumentId
    edition: int
    revision: str | None
    """The document's revision when it was last read back."""
    values: dict[str, Any]
    """The editable fields as they are sent: what the ERP holds once this edit is there."""
    puts_back: bool = False
    """It undoes an abandoned edit on the parts that had taken it."""

    @property
    def document(self) -> "EditedDocument":
        """Return the edit of a bill that is one document in the ERP."""
        return EditedDocument(self.outgoing, self.document_id, self.revision)


class EditedDocument(NamedTuple):
    """A document of an edited bill: the bill's own, or that of a part that the edit concerns."""

    outgoing: OutgoingBill
    document_id: DocumentId
    revision: str | None
    """Its revision when it was last read back."""
    key: ExternalKey | None = None
    """Of a part: its key."""
    edition: int | None = None
    """Of a part: the earlier edit that it has while others do not."""

    @property
    def as_part(self) -> PartInErp:
        """Return the part as it is looked at before any part is touched."""
        bill = self.outgoing.bill
        assert isinstance(bill, BillToPush), "a bill without an order has no parts"
        return PartInErp(document_id=self.document_id, owner_entity=bill.owner_entity)


class EditPending(NamedTuple):
    """A bill with an edit that is not in the ERP yet."""

    bill_id: BillId
    edition: int
    status: BillStatus


async def waiting(session: AsyncSession, connection_id: ConnectionId) -> list[EditPending]:
    """Return the connection's bills with an edit that is not in the ERP yet."""
    rows = await session.execute(
        select(col(BillRow.id), col(BillRow.edition), col(BillRow.status))
        .where(col(BillRow.connection_id) == connection_id, col(BillRow.edit_pending))
        .order_by(col(BillRow.id))
    )
    return [EditPending(BillId(bill_id), edition, BillStatus(status)) for bill_id, edition, status in rows]


async def get(session: AsyncSession, bill_id: BillId) -> EditPending | None:
    """Return the bill's edit that is not in the ERP yet; None: there is none."""
    rows = await session.execute(
        select(col(BillRow.edition), col(BillRow.status)).where(col(BillRow.id) == bill_id, col(BillRow.edit_pending))
    )
    row = rows.one_or_none()
    return None if row is None else EditPending(bill_id, row[0], BillStatus(row[1]))


async def load_for_push(session: AsyncSession, bill_id: BillId) -> OutgoingEdit | None:
    """Return the edit to push, or None when there is none any more.

    One edition always has the same content: the bill is locked, so no newer edit comes between its header and its
    lines.
    """
    bill = await _stored(session, bill_id)
    if not bill.edit_pending:
        return None
    assert bill.document_id is not None, "only bills the ERP holds have an edit to send"
    return OutgoingEdit(
        outgoing=await outgoing_bills.load_for_push(session, bill_id),
        document_id=DocumentId(bill.document_id),
        edition=bill.edition,
        revision=bill.erp_revision,
        values=edit_baseline.taken(bill, await _lines(session, bill_id)),
        puts_back=bool((bill.edit_baseline or {}).get(edit_baseline.PUTS_BACK)),
    )


async def documents(session: AsyncSession, bill_id: BillId, edit: OutgoingEdit) -> list[EditedDocument]:
    """Return the documents that an edit is sent to: the bill's own, or each part that it concerns; where it puts parts
    back, those that have the abandoned edit."""
    parts = await bill_parts.of_bill(session, bill_id)
    if not parts:
        return [edit.document]
    edited = [
        EditedDocument(
            edit.outgoing._replace(bill=bill_parts.as_sent(part, edit.outgoing)),
            DocumentId(part.document_id or ""),
            part.erp_revision,
            key=ExternalKey(part.external_key),
            edition=part.edition,
        )
        for part in parts
        if not edit.puts_back or part.edition is not None
    ]
    # A credit that was sent is not edited from here.
    return [one for one in edited if not isinstance(one.outgoing.bill, CreditToPush) and one.outgoing.bill.is_edit]


async def pushed(session: AsyncSession, bill_id: BillId, sent: OutgoingEdit, readback: PushedBill) -> None:
    """Store what was read back. The edit is settled when the ERP holds it as sent and it is still the last one.

    The payable behind the bill is a new one after every edit (field note U-8).
    """
    bill = await _stored(session, bill_id)
    before = {"payable": bill.payable_id, "edit_pending": bill.edit_pending}
    bill.payable_id = readback.payable_id
    bill.erp_revision = readback.revision
    bill.linked_in_erp = readback.linked
    if bill.edit_pending and readback.linked and not readback.differences:
        if bill.edition == sent.edition:
            bill.edit_pending, bill.edit_baseline = False, None
            await bill_parts.same_edition(session, bill_id)
        else:  # edited again meanwhile: abandoning that edit leads back to what is in the ERP now
            bill.edit_baseline = edit_baseline.touch(sent.values, (bill.edit_baseline or {}).get("touched", ()))
    after = {"payable": bill.payable_id, "edit_pending": bill.edit_pending}
    if before == after:
        return
    await bill_edits.changed(
        session,
        bill,
        "edit_pushed",
        actor=SYNCER,
        why="read back from the ERP" if not readback.differences else "the ERP holds it otherwise than edited",
        before=before,
        after=after | {"edition": sent.edition},
    )


async def abandon(
    session: AsyncSession, bill_id: BillId, edition: int, *, actor: str, why: str, in_doubt: bool
) -> bool:
    """Stop sending this edit; return False when it is settled or abandoned already, or a newer one is to be sent.

    Where the ERP certainly did not take it, the bill's fields are put back to what the ERP holds. Where some of its
    parts have it, or may have it, they are put back too: by a further edit, which is pending then.
    """
    bill = await _stored(session, bill_id)
    if not bill.edit_pending or bill.edition != edition:
        return False
    lines = await _lines(session, bill_id)
    edited, stored = edit_baseline.taken(bill, lines), bill.edit_baseline
    put_back = stored is not None and not stored.get(edit_baseline.PUTS_BACK)
    # What was released in the ERP is no draft any more, and stays.
    put_back = put_back and edit_baseline.RELEASE not in edit_baseline.edited_on_header(stored)
    parts_have_it = put_back and await bill_parts.any_edition(session, bill_id)
    if stored is not None and (parts_have_it or not in_doubt):
        edit_baseline.put_back(stored, bill, lines)
        session.add_all(lines)
    if parts_have_it and not BillStatus(bill.status).is_closed:
        bill.edition = bill.version + 1
        bill.edit_baseline = {**(stored or {}), edit_baseline.PUTS_BACK: True}
    else:
        bill.edit_pending, bill.edit_baseline = False, None
    after = edit_baseline.taken(bill, lines)
    await bill_edits.changed(
        session,
        bill,
        "edit_given_up",
        actor=actor,
        why=why,
        before=edited | {"edit_pending": True},
        after=after | {"edit_pending": bill.edit_pending},
    )
    return True


async def _stored(session: AsyncSession, bill_id: BillId) -> BillRow:
    statement = (
        select(BillRow).where(col(BillRow.id) == bill_id).with_for_update().execution_options(populate_existing=True)
    )
    bill: BillRow = (await session.execute(statement)).scalar_one()
    return bill


async def _lines(session: AsyncSession, bill_id: BillId) -> list[BillLineRow]:
    statement = select(BillLineRow).where(col(BillLineRow.bill_id) == bill_id).order_by(col(BillLineRow.line_no))
    return list((await session.execute(statement.execution_options(populate_existing=True))).scalars())
