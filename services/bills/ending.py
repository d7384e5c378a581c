"""Abandoning, unlinking and editing a bill: the change and what workflows are owed of it, in one transaction."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.ids import BillId, ConnectionId, PurchaseOrderId
from models.domain.outbox import MessageKind
from models.domain.writes import WriteState
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.payables import bill_edits, bill_reads
from models.tables import BillRow
from services.approvals.decisions import withdraw_after_edit
from services.bills.account_lines import AccountLine, place
from services.bills.direct_rematch import rematch_direct_bill
from services.bills.review import rematch_bill

DATES = ("bill_date", "posting_date", "due_date")
"""What a match reads of a bill that may be edited without correcting all of it."""


class Edited(NamedTuple):
    """What became of an edit."""

    accounts: list[int]
    """The lines whose GL account changed on a bill that the ERP holds."""
    messages: list[OutboxMessage]
    """What workflows are owed."""


async def abandon_bill(
    session: AsyncSession, bill: BillRow, *, actor: str, why: str, request_key: str
) -> list[OutboxMessage]:
    """Abandon a locked bill that was never sent. Returns what the workflows are owed.

    Raises:
        EditRefused: The bill was sent, or is closed.
    """
    order_id = bill.purchase_order_id
    await bill_edits.abandon(session, bill, actor=actor, why=why)
    return await _owe_abandoned(session, bill, order_id, request_key)


class Unlinked(NamedTuple):
    """A bill that was taken off its order."""

    order_id: PurchaseOrderId
    messages: list[OutboxMessage]
    """What workflows are owed."""


async def unlink_bill(session: AsyncSession, bill: BillRow, *, actor: str, request_key: str) -> Unlinked:
    """Take a locked bill off its order; it is kept as a draft.

    Raises:
        EditRefused: The bill has synced, or is closed.
    """
    order_id = await bill_edits.unlink(session, bill, actor=actor)
    messages = [
        await outbox.add_for_bill(session, bill, MessageKind.BILL_DECIDED, bill.id, request_key),
        await outbox.add_for_bill(session, bill, MessageKind.BILL_OFF_ORDER, f"{order_id} {bill.id}", request_key),
    ]
    return Unlinked(order_id, messages)


async def edit_bill(
    session: AsyncSession,
    bill: BillRow,
    header: Mapping[str, Any],
    lines: Mapping[int, Mapping[str, Any]],
    *,
    actor: str,
) -> Edited:
    """Change fields of a locked bill. Where its dates may change, the caller holds its orders' lines too.

    Raises:
        EditRefused: This may not be changed any more, or not here.
    """
    before, dates = bill.version, [getattr(bill, name) for name in DATES]
    lines = await _placed(session, bill, lines)
    accounts = await bill_edits.edit(session, bill, header, lines, actor=actor)
    edited = f"{bill.id} {bill.version}"
    messages = []
    if bill.version != before:
        withdrawn = await withdraw_after_edit(session, bill, actor=actor, request_key=edited)
        messages += [] if withdrawn is None else [withdrawn]
    if bill.edit_pending:
        messages.append(await outbox.add_for_bill(session, bill, MessageKind.BILL_EDITED, bill.id, edited))
    elif bill.direct and await _is_still_here(session, bill):
        rematched = await rematch_direct_bill(session, bill, "the bill was edited")
        messages += [] if rematched is None else [rematched]
    elif (
        bill.purchase_order_id is not None
        and dates != [getattr(bill, name) for name in DATES]
        and await _is_still_here(session, bill)
    ):
        # Before anybody can send it with its new dates. Its order, and through it the bill, learn of it by the message.
        connection = await connections.get(session, ConnectionId(bill.connection_id))
        assert connection is not None, "a bill's connection is never removed"
        await rematch_bill(session, connection, bill, f"bill {bill.number} was edited")
        messages.append(await outbox.add_for_bill(session, bill, MessageKind.EDIT_TO_REMATCH, bill.id, edited))
    if bill.version != before and await _was_refused(session, bill):
        messages.append(await outbox.add_for_bill(session, bill, MessageKind.BILL_CORRECTED, bill.id, edited))
    return Edited(accounts, messages)


async def _is_still_here(session: AsyncSession, bill: BillRow) -> bool:
    """Return whether nothing of the bill was sent. One that the ERP refused is matched when it is retried."""
    write = await bill_edits.write_of(session, bill.id)
    return (
        BillStatus(bill.status).is_unsent and write is not None and write.state in (WriteState.HELD, WriteState.PLANNED)
    )


async def _was_refused(session: AsyncSession, bill: BillRow) -> bool:
    """Return whether the ERP, or our own look before sending, refused the bill: what a person changes of it is what it
    is sent again with."""
    write = await bill_edits.write_of(session, bill.id)
    if write is None or not BillStatus(bill.status).is_being_pushed:
        return False
    looked = bill.status == BillStatus.SYNC_ISSUE and write.state == WriteState.PLANNED
    return looked or write.state == WriteState.REJECTED


async def _placed(
    session: AsyncSession, bill: BillRow, lines: Mapping[int, Mapping[str, Any]]
) -> Mapping[int, Mapping[str, Any]]:
    """Return the changes with the accounts of lines off orders by the ERP's id, and the items that stand for them.

    Raises:
        Refused: There is no such account, or no item stands for it.
    """
    stored = {line.line_no: line for line in await bill_reads.lines(session, BillId(bill.id))}
    asked = [
        AccountLine(line_no, change["account"])
        for line_no, change in lines.items()
        if "account" in change and line_no in stored and stored[line_no].off_order
    ]
    if not asked:
        return lines
    connection = await connections.get(session, ConnectionId(bill.connection_id))
    assert connection is not None, "a bill's connection is never removed"
    placed = await place(session, connection, asked, on_order=not bill.direct)
    return {
        line_no: {**change, "account": placed[line_no].account, "item_id": placed[line_no].item_id}
        if line_no in placed
        else change
        for line_no, change in lines.items()
    }


async def _owe_abandoned(
    session: AsyncSession, bill: BillRow, order_id: str | None, request_key: str
) -> list[OutboxMessage]:
    messages = [await outbox.add_for_bill(session, bill, MessageKind.BILL_CHANGED, bill.id, request_key)]
    if order_id is not None:
        subject = f"{order_id} {bill.id}"
        messages.append(await outbox.add_for_bill(session, bill, MessageKind.BILL_OFF_ORDER, subject, request_key))
    return messages
