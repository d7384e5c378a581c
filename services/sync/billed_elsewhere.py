"""Report orders of which the ERP counts another quantity as billed than their bills say: a cross-check, no error.

What the ERP says counts. The difference means that something else billed the order, or that a bill lost its link.
"""

from collections import defaultdict
from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from matching.kernel.exact import plain
from models.domain.ids import SYNCER, ConnectionId
from models.domain.issue_states import IssueSubject
from models.store.audit import sync_issues
from models.store.orders import billed_elsewhere
from models.store.orders.billed_elsewhere import Unexplained
from models.tables import ConnectionRow
from services.sync.import_window import first_import_from

BILLED_ELSEWHERE = "BILLED_ELSEWHERE"


async def report(session: AsyncSession, row: ConnectionRow, order_ids: Sequence[str]) -> None:
    """Compare orders that a sync run changed, and those with an open issue, by the mirror alone; open and close
    issues. Nothing is done where the ERP's figure is not the sum of its bills."""
    if not row.capabilities.get("bills_explain_billed"):
        return
    connection_id = ConnectionId(row.id)
    known = await billed_elsewhere.reported(session, connection_id, BILLED_ELSEWHERE)
    every = sorted({*order_ids, *known})
    if not every:
        return
    by_order: dict[str, list[Unexplained]] = defaultdict(list)
    for line in await billed_elsewhere.unexplained(session, connection_id, every, ordered_from=first_import_from(row)):
        by_order[line.order_id].append(line)
    seen = await billed_elsewhere.seen(session, connection_id, BILLED_ELSEWHERE, list(by_order))
    for order_id, lines in by_order.items():
        said = "; ".join(
            f"line {line.line_no}: {plain(line.said)} billed, {plain(line.by_bills)} of it by bills" for line in lines
        )
        if f"{order_id}: {said}" in seen:
            continue
        number = lines[0].order_number
        await sync_issues.open_issue(
            session,
            BILLED_ELSEWHERE,
            connection_id=connection_id,
            subject_kind=IssueSubject.PURCHASE_ORDER,
            subject_id=order_id,
            subject_name=number,
            cause=f"{number}: {said}.",
            evidence={"order": number, "lines": said},
        )
    over = [order_id for order_id in known if order_id not in by_order]
    if over:
        await sync_issues.close_for_subjects(
            session, connection_id, IssueSubject.PURCHASE_ORDER, over, [BILLED_ELSEWHERE], actor=SYNCER
        )
