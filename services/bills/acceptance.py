"""Accept a bill: one decision, in the caller's transaction.

The order's lines are locked, the bill is matched, its quantities are reserved, bill and planned write are saved, and a
message to the order's workflow is stored: all of it or nothing. Temporal takes no part in it.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from matching.kernel.exact import rounded
from matching.rules.totals import bill_total
from models.domain.ids import BillId, ConnectionId, OrganizationId
from models.domain.invoice_numbers import number_parts
from models.domain.outbox import MessageKind
from models.domain.setup_checks import Breaks
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.orders import ledger
from models.store.orders.purchase_orders import order_and_connection
from models.store.payables import bills, bills_in_review, duplicate_candidates, payment_terms
from models.tables import ConnectionRow, PurchaseOrderRow
from services import setup_checks
from services.approvals.entry import assign_approvers
from services.bills.account_lines import notices_of
from services.bills.gl_accounts import leave_gl_account_notice
from services.bills.intake import MatchedBill, RequestedBill, match_and_store, new_bill
from services.bills.review import needed


class Acceptance(NamedTuple):
    """The decision on a requested bill."""

    bill_id: BillId | None
    """None: the bill was refused, and only its match result is stored."""
    answer: dict[str, Any]
    """The answer stored under the caller's key; the same request gets it again."""
    message: OutboxMessage | None
    """The message that is stored for the order's workflow."""


async def accept_bill(
    session: AsyncSession,
    asked: RequestedBill,
    *,
    organization_id: OrganizationId,
    request_key: str,
    actor: str,
) -> Acceptance:
    """Match a requested bill with its orders and save it, or refuse it (S4-22, S4-28).

    The caller has claimed the key in this transaction and stores the answer in it. A bill whose match warns or holds is
    saved in review: it reserves its quantities, and its write waits for a person.
    """
    if asked.orders:
        await ledger.lock_lines(session, asked.orders)
    # Read behind the lock: the transaction that held it may have changed what this bill is matched with.
    home, connection, vendor_id = await home_of(session, asked, organization_id)
    await setup_checks.must_not_break(session, ConnectionId(connection.id), Breaks.BILLS, datetime.now(UTC))
    # Behind the lines' lock, in every caller, so that nobody waits for lines while he holds a number.
    await duplicate_candidates.lock_number(session, ConnectionId(connection.id), vendor_id, number_parts(asked.number))
    bill_id = bills.bill_id_for(organization_id, request_key, asked.number)
    matched, kept = await match_and_store(session, connection, home, asked, bill_id=bill_id, request_key=request_key)
    if matched.refused:
        return Acceptance(None, {"match": kept}, None)
    await _save(session, matched, bill_id, kept, actor)
    if asked.lines_with_account:
        await leave_gl_account_notice(
            session, organization_id, ConnectionId(connection.id), bill_id, asked.lines_with_account
        )
    message = await outbox.add(
        session,
        MessageKind.BILL_ACCEPTED,
        bill_id,
        organization_id=organization_id,
        connection_id=ConnectionId(connection.id),
        request_key=request_key,
    )
    answer = {
        "bill_id": bill_id,
        "number": asked.number,
        "total": str(rounded(bill_total(matched.result.inputs.bill), 2)),
        "status": matched.status,
        "needs": needed(matched.needs),
        "match": kept,
        "notices": notices_of(matched.placed),
    }
    return Acceptance(bill_id, answer, message)


async def home_of(
    session: AsyncSession, asked: RequestedBill, organization_id: OrganizationId
) -> tuple[PurchaseOrderRow | None, ConnectionRow, str]:
    """Return the bill's home order, its connection and its vendor: a bill without an order names the latter two."""
    if asked.purchase_order_id is not None:
        results = await order_and_connection(session, asked.purchase_order_id, organization_id)
        assert results is not None, "the caller has checked whose order it is"
        order, connection = results
        return order, connection, order.vendor_id
    assert asked.connection_id is not None, "a bill without an order names its connection"
    assert asked.vendor_id is not None, "a bill without an order names its vendor"
    row = await connections.get(session, asked.connection_id)
    assert row is not None, "the caller has checked whose connection it is"
    return None, row, asked.vendor_id


async def _save(session: AsyncSession, matched: MatchedBill, bill_id: BillId, kept: dict[str, Any], actor: str) -> None:
    asked, home = matched.asked, matched.home
    due_on = asked.due_date or await payment_terms.due_on(
        session,
        ConnectionId(matched.connection.id),
        term=asked.term or (home.term if home else None),
        vendor_id=matched.result.inputs.bill.vendor_id,
        bill_date=asked.bill_date,
    )
    await bills.create(session, new_bill(matched, bill_id, created_by=actor, due_on=due_on))
    if matched.connection.approvals_enabled:
        await assign_approvers(session, matched.connection, bill_id)
    acknowledged = [finding for finding in kept["findings"] if finding["id"] in asked.acknowledge]
    if acknowledged:
        await bills_in_review.decide(session, bill_id, "acknowledged", acknowledged, actor=actor, why="with the bill")
