"""Send a bill over several sources part by part: which part is next, and what becomes of the bill after each.

The states and events are a table in `docs/reference/bills-in-parts.md`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.errors import Rejected
from models.domain.bill_parts import PartState
from models.domain.bills import BillStatus, PushedBill
from models.domain.ids import SYNCER, BillId, ExternalKey
from models.domain.retractions import BillEvent, Does, RetractFor
from models.messages.bills import BillPushResult
from models.store.audit import writes
from models.store.audit.writes import WriteAttempt
from models.store.payables import bill_parts, bills, retractions
from models.store.payables.bill_status import status_by_payment
from models.store.payables.outgoing_bills import OutgoingBill
from models.tables import BillPartRow
from services.bills.retraction import plan

PART_DELETED = "BILL_PART_DELETED"


class PartTurn(NamedTuple):
    """One attempt of the part of a bill whose turn it is."""

    part_no: int
    attempt: WriteAttempt
    outgoing: OutgoingBill
    """The part as the document that is sent for it."""
    bill_key: ExternalKey
    bill_attempt: WriteAttempt
    number: str
    """The supplier's own number."""
    is_first: bool
    """The ERP holds nothing of the bill yet."""


async def begin(
    session: AsyncSession, bill_id: BillId, outgoing: OutgoingBill, attempt: WriteAttempt, *, remake: bool
) -> PartTurn | None:
    """Begin one attempt of the first part that the ERP does not hold as it was sent; None: the bill has no parts.

    `remake`: a person decided that a part is made again that somebody deleted in the ERP.

    Raises:
        Rejected: BILL_PART_DELETED, until a person decided so.
    """
    parts = await bill_parts.plan(session, bill_id, outgoing)
    if not parts:
        return None
    part = next((one for one in parts if one.state != PartState.IN_ERP), parts[-1])
    if part.state == PartState.DELETED:
        if not remake:
            raise Rejected(
                f"Part {part.part_no} of {len(parts)}, which the ERP held as {part.document_id}, was deleted there.",
                code=PART_DELETED,
                evidence={"document": part.document_id or "", "part": str(part.part_no), "parts": in_words(parts)},
            )
        part = await bill_parts.remake(session, part)
    part_attempt = await writes.begin_attempt(session, ExternalKey(part.external_key))
    return PartTurn(
        part_no=part.part_no,
        attempt=part_attempt._replace(next_in_line=attempt.next_in_line),
        outgoing=outgoing._replace(bill=bill_parts.as_sent(part, outgoing)),
        bill_key=ExternalKey(outgoing.bill.external_key),
        bill_attempt=attempt,
        number=outgoing.bill.number,
        is_first=not any(PartState(one.state).is_there or one.state == PartState.DELETED for one in parts),
    )


async def refuse(session: AsyncSession, bill_id: BillId, turn: PartTurn, problem: str) -> str | None:
    """Store that the ERP refused a part; return the subject of the write whose turn on the order it is now.

    The parts before it stay. What the ERP holds of the bill is neither abandoned nor corrected from here on, so the
    bill's own write counts as confirmed.
    """
    await bill_parts.refused(session, ExternalKey(turn.outgoing.bill.external_key), problem)
    there = list(reversed(await bill_parts.last_first(session, bill_id)))
    if not there:
        return await writes.reject(session, turn.bill_key, "PART_REFUSED")
    await bill_parts.mark_sent(session, bill_id, there[0])
    return await writes.confirm(session, turn.bill_key, there[0].erp_id or "")


async def take(
    session: AsyncSession, bill_id: BillId, turn: PartTurn, readback: PushedBill
) -> tuple[BillPushResult, str | None]:
    """Store the read-back of a part. Returns how far the bill is, and whose turn on the order it is now, once the bill
    gives the turn up: the last part is there, or this one is not as it was sent."""
    state = await bill_parts.pushed(session, ExternalKey(turn.outgoing.bill.external_key), readback)
    await writes.confirm(session, ExternalKey(turn.outgoing.bill.external_key), readback.erp_id)
    parts = await bill_parts.of_bill(session, bill_id)
    shown = bill_parts.as_shown(parts)
    left = [part for part in parts if not PartState(part.state).is_there]
    if left and state is PartState.IN_ERP:
        result = BillPushResult(
            status=BillStatus.PENDING_PUSH, document_id="", confirmed=False, parts=shown, more_parts=True
        )
        return result, None
    whole = bill_parts.whole(parts, readback)
    status = BillStatus.SYNCED
    if not whole.linked:
        status = BillStatus.LINK_MISSING
    elif whole.differences:
        status = BillStatus.SYNC_ISSUE
    await bills.pushed(session, bill_id, whole, status=status)
    next_in_line = await writes.confirm(session, turn.bill_key, whole.erp_id)
    if status is BillStatus.SYNCED:
        await _as_paid(session, bill_id)
    return (
        BillPushResult(
            status=status,
            document_id=whole.document_id,
            confirmed=False,
            differences=list(whole.differences),
            parts=shown,
        ),
        next_in_line,
    )


async def _as_paid(session: AsyncSession, bill_id: BillId) -> None:
    """Give a bill of which a part was made again the status that its payments give it."""
    now = await bills.balance(session, bill_id)
    bill = await retractions.lock(session, bill_id)
    status = status_by_payment(BillStatus(bill.status), bill.total, bill.paid, promised=False)
    if status is not now.status:
        await bills.set_status(session, bill_id, status, actor=SYNCER, why=f"paid {bill.paid} of {bill.total}")


async def take_back_what_is_there(session: AsyncSession, bill_id: BillId, *, actor: str, why: str) -> bool:
    """Have the parts taken back that the ERP holds of a bill that is stopped, so that it ends as deleted; False: there
    are none, or they are not taken back from here."""
    if not await bill_parts.last_first(session, bill_id):
        return False
    bill = await retractions.lock(session, bill_id)
    if bill.status != BillStatus.SYNC_ISSUE:
        return False
    what = plan(bill, await retractions.facts(session, bill_id), BillEvent.DELETE)
    if what.does is not Does.TAKES_BACK or what.way is None:
        return False
    await retractions.request(session, bill, RetractFor.DELETION, what.way, what.dated, actor=actor, why=why)
    return True


def in_words(parts: Sequence[BillPartRow]) -> str:
    """Return where each part stands, for people."""
    return "; ".join(
        f"part {part.part_no} from {part.source_document}: "
        + (f"{part.document_id}, " if part.document_id else "")
        + part.state.replace("_", " ")
        for part in parts
    )
