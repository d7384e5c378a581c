"""Look for a bill of the same supplier invoice in the ERP before ours is sent: somebody may have entered it there.

The mirror knows what the last sync saw. A bill that was made in the ERP after it is found by one look-up, or not at all
until the next sync, which then opens an issue (`services/sync/duplicates.py`). What was seen comes into the mirror like
a bill of a sync page, and our bill is matched again: the rules on duplicates are those of every match.
"""

from collections.abc import Mapping, Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus, ErpBill
from models.domain.ids import BillId, ExternalKey
from models.messages.bills import BillMatched
from models.store.audit import writes
from models.store.audit.writes import WriteAttempt
from models.store.orders import ledger
from models.store.payables import bills_in_review, duplicate_candidates, erp_bills
from models.tables import ConnectionRow
from services.bills import review
from services.unnamed_currency import in_base_currency

RETRIED = "it is sent again after the ERP refused it"
ENTERED_THERE = "a bill with its number was made in the ERP"


async def hold_duplicate(
    session: AsyncSession,
    connection: ConnectionRow,
    bill_id: BillId,
    attempts: Mapping[ExternalKey, WriteAttempt],
    numbered: Sequence[ErpBill],
) -> BillMatched | None:
    """Match a bill again that is about to be sent, if the mirror has a bill with its number that its match has not
    seen, or the ERP had refused it; return the new match if it keeps the bill back. `numbered` is what the ERP holds
    under the number.

    The writes go back to where they were before the attempt, as nothing was sent: the bill's own, and that of its first
    part.
    """
    usable = [
        bill
        for bill in in_base_currency(numbered, connection)
        if bill.currency == connection.base_currency and not bill.reversed
    ]
    if usable:
        await erp_bills.upsert(session, connection, usable)
    since = await duplicate_candidates.since_matched(session, bill_id)
    if not since.asks_for_match:
        return None
    await ledger.lock_lines(session, await bills_in_review.orders_of(session, bill_id))
    bill = await bills_in_review.lock(session, bill_id)
    assert bill is not None, "a bill is never removed"
    if not BillStatus(bill.status).is_being_pushed:
        return None  # abandoned or deleted meanwhile: the attempt finds out by itself
    for key, attempt in attempts.items():
        await writes.not_sent(session, key, attempt.first_sent_at)
    matched = await review.rematch_bill(session, connection, bill, ENTERED_THERE if since.unseen else RETRIED)
    if matched.status.is_waiting:
        return matched
    for key in attempts:
        await writes.begin_attempt(session, key)
    return None
