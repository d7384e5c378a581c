"""Correct a bill that was not sent: anything on it, its lines and its order too. It is matched as at its entry.

A bill without an order is corrected alike, and stays one.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.ids import BillId, ConnectionId, OrganizationId, PurchaseOrderId
from models.domain.invoice_numbers import number_parts
from models.domain.outbox import MessageKind
from models.domain.writes import WriteState
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.orders import ledger, order_notifications
from models.store.payables import (
    bill_edits,
    bills_in_review,
    corrections,
    duplicate_candidates,
    kept_quantities,
    payment_terms,
    retractions,
)
from models.tables import BillRow
from services.approvals.decisions import status_now
from services.approvals.entry import assign_approvers
from services.approvals.separation import changes_figures
from services.bills.acceptance import home_of
from services.bills.account_lines import notices_of
from services.bills.gl_accounts import leave_gl_account_notice
from services.bills.intake import (
    MatchedBill,
    RequestedBill,
    match_and_store,
    new_bill,
    order_lines,
    reserved,
    status_after_match,
)
from services.bills.review import needed
from services.refusal import Refused

KEEPS_STATUS = (BillStatus.DISPUTED, BillStatus.SYNC_ISSUE)
"""A person restores a disputed bill: correcting it is not yet that. One that the ERP refused is sent again by its
workflow, which matches it first, and stays refused until then."""


class Correction(NamedTuple):
    """What became of a correction."""

    refused: bool
    """Its match blocks it: the bill is as it was, and only the match result is stored."""
    answer: dict[str, Any]
    messages: list[OutboxMessage]
    """What workflows are owed."""


async def correct_bill(
    session: AsyncSession,
    bill_id: BillId,
    asked: RequestedBill,
    *,
    organization_id: OrganizationId,
    request_key: str,
    actor: str,
) -> Correction:
    """Put what is asked for in the place of a bill that the ERP certainly does not hold.

    Raises:
        Refused: The ERP holds it or may hold it, it is closed, a payment of it is scheduled, or it would become a bill
            of the other kind.
    """
    before = await bills_in_review.orders_of(session, bill_id)
    await ledger.lock_lines(session, {*before, *asked.orders})
    order, connection, vendor_id = await home_of(session, asked, organization_id)
    await duplicate_candidates.lock_number(session, ConnectionId(connection.id), vendor_id, number_parts(asked.number))
    bill = await bills_in_review.lock(session, bill_id)
    assert bill is not None, "the caller has checked that the bill exists"
    if bill.connection_id != connection.id:
        of_what = "Its bill" if order is None else f"{order.number} is an order"
        raise Refused("LINK_NOT_ALLOWED", f"{of_what} of another connection.")
    _must_be_of_its_kind(bill, asked)
    await _must_be_here(session, bill)
    matched, kept = await match_and_store(session, connection, order, asked, bill_id=bill_id, request_key=request_key)
    await _must_keep_what_is_billed(session, bill_id, matched)
    if matched.refused:
        return Correction(True, {"match": kept}, [])
    await _replace(session, bill, matched, kept, actor)
    if asked.lines_with_account:
        await leave_gl_account_notice(
            session, organization_id, ConnectionId(connection.id), bill_id, asked.lines_with_account
        )
    answer = {
        "bill_id": bill_id,
        "number": asked.number,
        "total": str(bill.total),
        "status": bill.status,
        "needs": needed(matched.needs),
        "match": kept,
        "notices": notices_of(matched.placed),
    }
    return Correction(False, answer, await _owed(session, bill, before, request_key))


def _must_be_of_its_kind(bill: BillRow, asked: RequestedBill) -> None:
    """Check that a bill without an order stays one, and one on an order, or a draft taken off it, is put on one.

    Raises:
        Refused: It would become the other.
    """
    if bill.direct and asked.purchase_order_id is not None:
        raise Refused(
            "LINK_NOT_ALLOWED",
            "It was entered without an order.",
            ["Put it on the order: `POST /v1/bills/{bill_id}/put-on-order`, `posync bills put-on-order`."],
        )
    if not bill.direct and asked.purchase_order_id is None:
        raise Refused(
            "LINK_NOT_ALLOWED",
            "It was entered on an order.",
            ["Correct it on its order: `POST /v1/purchase-orders/{purchase_order_id}/bills/{bill_id}`."],
        )


async def _must_be_here(session: AsyncSession, bill: BillRow) -> None:
    """Check that the ERP certainly does not hold the bill, and that nobody counts on what it says.

    Raises:
        Refused: It does, or may, or the bill is closed, or a payment is scheduled.
    """
    if BillStatus(bill.status).is_void:
        raise Refused("BILL_IS_CLOSED", f"The bill is {bill.status}: restore it first.")
    write = await bill_edits.write_of(session, bill.id, lock=True)
    if write is None or write.state == WriteState.CONFIRMED:
        raise Refused("EDIT_IN_ERP", "The ERP holds the bill, and is the system of record for it.")
    if write.state not in bill_edits.NEVER_PUSHED:
        raise Refused("BILL_ON_ITS_WAY", "It was sent; the ERP may hold it already.")
    facts = await retractions.facts(session, BillId(bill.id))
    if facts.payments_under_way:
        raise Refused(
            "BILL_HAS_PAYMENTS",
            f"Payments and credits of it that are under way: {facts.payments_under_way}.",
            ["Abandon the payments first: `POST /v1/payments/{payment_id}/abandon`."],
        )


async def _must_keep_what_is_billed(session: AsyncSession, bill_id: BillId, matched: MatchedBill) -> None:
    """Check that a bill of which the ERP keeps quantities as billed goes on billing just these.

    Raises:
        Refused: It would bill others.
    """
    kept = {
        (order, line): Decimal(quantity) for order, line, quantity in await kept_quantities.by_line(session, bill_id)
    }
    if not kept:
        return
    lines = order_lines(matched.result)
    asked: dict[tuple[str, int], Decimal] = {}
    for line in matched.result.inputs.bill.lines:
        where = (line.purchase_order_id, line.order_line_no)
        if where in lines:
            asked[where] = asked.get(where, Decimal(0)) + reserved(lines[where], line)[0]
    if any(asked.get(where) != quantity for where, quantity in kept.items()):
        raise Refused("QUANTITY_STAYS_BILLED", "The ERP keeps the quantities of its credited generation as billed.")


async def _replace(
    session: AsyncSession, bill: BillRow, matched: MatchedBill, kept: dict[str, Any], actor: str
) -> None:
    """Store the corrected bill, hold its write or let it go, and record what changed."""
    asked, connection, home, bill_id = matched.asked, matched.connection, matched.home, BillId(bill.id)
    due_on = asked.due_date or await payment_terms.due_on(
        session,
        ConnectionId(connection.id),
        term=asked.term or (home.term if home else None),
        vendor_id=matched.result.inputs.bill.vendor_id,
        bill_date=asked.bill_date,
    )
    terms = "" if home is None else await order_notifications.terms(session, PurchaseOrderId(home.id))
    new = new_bill(matched, bill_id, created_by=bill.created_by, due_on=due_on, terms=terms)
    status = BillStatus(bill.status)
    before, after = await corrections.replace(session, bill, new, reserves=status is not BillStatus.DISPUTED)
    acknowledged = [finding for finding in kept["findings"] if finding["id"] in asked.acknowledge]
    if acknowledged:
        await bills_in_review.decide(session, bill_id, "acknowledged", acknowledged, actor=actor, why="with the bill")
    if connection.approvals_enabled and (changes_figures(after) or "purchase_order" in after):
        bill.approved_at = None
        bill.approval = await assign_approvers(session, connection, bill_id)
    outcome, why = matched.result.outcome.value, "corrected before it was sent"
    if status in KEEPS_STATUS:
        bill.match_outcome = outcome
        await bill_edits.changed(session, bill, "edited", actor=actor, why=why, before=before, after=after)
        return
    after_match, _ = status_after_match(matched.result, asked.acknowledge)
    now = await status_now(session, connection, bill, after_match)
    await bills_in_review.set_hold_state(
        session, bill, now, outcome, kind="edited", actor=actor, why=why, before=before, after=after
    )


async def _owed(
    session: AsyncSession, bill: BillRow, before: list[PurchaseOrderId], request_key: str
) -> list[OutboxMessage]:
    now = await bills_in_review.orders_of(session, BillId(bill.id))
    owed = [(MessageKind.BILL_OFF_ORDER, f"{order} {bill.id}") for order in sorted(set(before) - set(now))]
    if bill.status not in KEEPS_STATUS and not bill.direct:
        owed.append((MessageKind.BILL_ACCEPTED, bill.id))
    owed.append((MessageKind.BILL_CORRECTED, bill.id))
    return [
        await outbox.add(
            session,
            kind,
            subject_id,
            organization_id=OrganizationId(bill.organization_id),
            connection_id=ConnectionId(bill.connection_id),
            request_key=request_key,
        )
        for kind, subject_id in owed
    ]
