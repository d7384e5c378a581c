"""Say what the bills that a sync run read mean for our bills with their numbers.

An unsent bill is matched again, or looks before it is sent (`services/bills/duplicates.py`). For one that the ERP holds
an issue is opened: two bills of one supplier invoice can be paid there.
"""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import ErpBill
from models.domain.ids import SYNCER, ConnectionId
from models.domain.invoice_numbers import number_parts
from models.domain.issue_states import IssueSubject
from models.store.audit import sync_issues
from models.store.payables import duplicate_candidates
from models.store.policies import rematch_requests
from models.tables import ConnectionRow

DUPLICATE_IN_ERP = "DUPLICATE_IN_ERP"
CHANGED = "a bill in the ERP with its number changed"


async def report(session: AsyncSession, row: ConnectionRow, bills: Sequence[ErpBill]) -> None:
    """Open issues for our bills that the ERP holds twice now, close those that it does not, and have our bills in
    review matched again where it may matter. `bills` were just stored; after deletions there are none to give."""
    connection_id = ConnectionId(row.id)
    parts = sorted({number_parts(bill.number) for bill in bills if bill.number})
    known = await duplicate_candidates.reported(session, connection_id, DUPLICATE_IN_ERP)
    pairs = await duplicate_candidates.pairs(session, connection_id, parts, known)
    settled = await duplicate_candidates.settled(session, connection_id, DUPLICATE_IN_ERP, list(pairs))
    for bill_id, pair in pairs.items():
        others = "; ".join(f"{one.number} of {one.bill_date} over {one.total} ({one.name})" for one in pair.others)
        if (bill_id, others) in settled:
            continue  # a person saw these and closed the issue
        await sync_issues.open_issue(
            session,
            DUPLICATE_IN_ERP,
            connection_id=connection_id,
            subject_kind=IssueSubject.BILL,
            subject_id=bill_id,
            subject_name=pair.number,
            cause=f"The ERP holds another bill of the same vendor with this number: {others}.",
            evidence={"bill": bill_id, "number": pair.number, "others": others},
        )
    over = [bill_id for bill_id in known if bill_id not in pairs]
    if over:
        await sync_issues.close_for_subjects(
            session, connection_id, IssueSubject.BILL, over, [DUPLICATE_IN_ERP], actor=SYNCER
        )
    if await duplicate_candidates.in_review(session, connection_id, parts):
        await rematch_requests.request(session, connection_id, CHANGED)
