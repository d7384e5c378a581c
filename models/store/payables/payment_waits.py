"""Read what unfinished payments wait for: their bill, their day, a person, or the ERP."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus
from models.domain.ids import PaymentId, SyncIssueId
from models.domain.payments import PaymentStatus, PaymentWaitsFor
from models.store.base.today import today_in


class PaymentWait(NamedTuple):
    """What one payment waits for; with the sync issue, if that is what stops it."""

    what: PaymentWaitsFor
    sync_issue_id: SyncIssueId | None = None
    code: str | None = None


_WAITING = text(
    """
    select p.id, p.status, p.pay_on, c.time_zone, b.status as bill_status,
           b.edit_pending, own.id as own_id, own.code as own_code, bills.id as bill_issue_id, bills.code as bill_code
      from payments p
      join bills b on b.id = p.bill_id
      join connections c on c.id = p.connection_id
      left join lateral (
          select i.id, i.code from sync_issues i
           where i.connection_id = p.connection_id and i.state = 'open' and i.subject_kind = 'payment'
             and i.subject_id = p.id
           order by i.opened_at limit 1
      ) own on true
      left join lateral (  -- one that a workflow waits behind; what is only to be known stops nothing
          select i.id, i.code from sync_issues i
           where i.connection_id = p.connection_id and i.state = 'open' and i.subject_kind = 'bill'
             and i.subject_id = b.id and i.workflow_id is not null
           order by i.opened_at limit 1
      ) bills on true
     where p.id = any(:ids) and p.origin = 'posync' and p.status = any(:unfinished)
    """
)


async def waits(session: AsyncSession, payment_ids: Sequence[str]) -> Mapping[PaymentId, PaymentWait]:
    """Return what each of the given payments waits for; those that are finished, or not ours, are left out."""
    if not payment_ids:
        return {}
    unfinished = [status for status in PaymentStatus if status.is_unfinished]
    rows = await session.execute(_WAITING, {"ids": list(payment_ids), "unfinished": unfinished})
    return {
        PaymentId(row.id): _wait(
            PaymentStatus(row.status),
            BillStatus(row.bill_status),
            has_time=row.pay_on > today_in(row.time_zone),
            editing=row.edit_pending,
            own=None if row.own_id is None else PaymentWait(PaymentWaitsFor.ISSUE, row.own_id, row.own_code),
            bill=None
            if row.bill_issue_id is None
            else PaymentWait(PaymentWaitsFor.BILL_ISSUE, row.bill_issue_id, row.bill_code),
        )
        for row in rows
    }


def _wait(
    status: PaymentStatus,
    bill_status: BillStatus,
    *,
    has_time: bool,
    editing: bool,
    own: PaymentWait | None,
    bill: PaymentWait | None,
) -> PaymentWait:
    if own is not None:
        return own
    if status is not PaymentStatus.SCHEDULED:
        return PaymentWait(PaymentWaitsFor.ERP)
    if bill is not None and (bill_status.is_before_erp or editing):
        return bill
    if bill_status.is_in_review:
        return PaymentWait(PaymentWaitsFor.BILL_REVIEW)
    if bill_status is BillStatus.AWAITING_APPROVAL:
        return PaymentWait(PaymentWaitsFor.BILL_APPROVAL)
    if bill_status.is_before_erp:
        return PaymentWait(PaymentWaitsFor.BILL_PUSH)
    if editing:
        return PaymentWait(PaymentWaitsFor.BILL_EDIT)
    return PaymentWait(PaymentWaitsFor.DAY if has_time else PaymentWaitsFor.ERP)
