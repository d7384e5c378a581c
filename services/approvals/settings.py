"""Change when a connection's bills are sent, and let the bills that wait follow."""

from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import ApprovalState, PushWhen
from models.domain.bills import BillStatus
from models.domain.ids import BillId, ConnectionId, OrganizationId
from models.domain.outbox import MessageKind
from models.store.approvals import bill_approvals, steps
from models.store.audit import events, notices, outbox
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.tables import BillRow, ConnectionRow
from services.approvals.decisions import follow, status_now
from services.approvals.entry import assign_approvers
from services.approvals.push_rules import NO_DRAFTS, OFF, PERMANENT, Settings, becomes
from services.refusal import Refused

PUSH_WHEN_CHANGED = "PUSH_WHEN_CHANGED"


class Changed(NamedTuple):
    """What became of new settings."""

    notice: str | None
    """What was stored instead of what was asked for."""
    messages: list[OutboxMessage]
    """What the workflows of the bills that wait are owed."""


def stored(row: ConnectionRow) -> Settings:
    """Return the connection's present settings."""
    return Settings(PushWhen(row.push_when), row.approvals_enabled, row.only_approved, row.draft_order_bills)


async def change_settings(session: AsyncSession, row: ConnectionRow, asked: Settings, *, actor: str) -> Changed:
    """Store new settings of a locked connection; the bills that were not sent follow them.

    Raises:
        Refused: The combination does not hold, or would end what is permanent.
    """
    was = stored(row)
    if was.only_approved and not (asked.only_approved and asked.enabled):
        raise _refusal(PERMANENT, row)
    push_when = becomes(
        asked,
        orders=row.purchase_orders_enabled,
        drafts=bool(row.capabilities.get("draft_bills")),
        order_drafts=bool(row.capabilities.get("draft_order_bills")),
    )
    if not isinstance(push_when, PushWhen):
        raise _refusal(push_when, row)
    now = asked._replace(push_when=push_when)
    notice = None
    if now != asked:
        notice = "Approvals are on: bills go out when they are approved, no longer when they are matched."
    if now == was:
        return Changed(notice, [])
    connection_id = ConnectionId(row.id)
    await connections.set_approvals(session, connection_id, **now._asdict())
    await session.refresh(row)
    await events.record_setting(session, row, "approvals_set", actor=actor, before=was._asdict(), after=now._asdict())
    if notice is not None:
        await notices.add(
            session,
            organization_id=OrganizationId(row.organization_id),
            connection_id=connection_id,
            code=PUSH_WHEN_CHANGED,
            subject_kind="connection",
            subject_id=row.id,
            message=notice,
        )
    messages = [
        message
        for bill in await bill_approvals.not_sent(session, connection_id)
        if (message := await _follow(session, row, bill, was, actor)) is not None
    ]
    return Changed(notice, messages)


def _refusal(code: str, row: ConnectionRow) -> Refused:
    """Return why the settings do not hold, by the code that their table has for it."""
    if code == PERMANENT:
        return Refused("ONLY_APPROVED_IS_PERMANENT", "Only approved bills are sent, and that cannot be switched off.")
    if code == OFF:
        return Refused("APPROVALS_ARE_OFF", "Nobody approves bills while approvals are off.")
    if code == NO_DRAFTS:
        keeps = row.capabilities.get("draft_order_bills")
        why = "A draft waits for its approval and nothing else: push_when must be approved."
        return Refused(
            "DRAFTS_OF_ORDER_BILLS_NOT_OFFERED", why if keeps else "This ERP keeps no drafts of an order's bills."
        )
    why = "Bills go out before they are approved only where purchase orders are switched off."
    if not row.purchase_orders_enabled:
        why = "Only drafts of bills without a purchase order go out before they are approved, and this ERP keeps none."
    return Refused("PUSH_BEFORE_APPROVAL_NOT_OFFERED", why)


async def _follow(
    session: AsyncSession, row: ConnectionRow, bill: BillRow, was: Settings, actor: str
) -> OutboxMessage | None:
    """Let a bill that was not sent follow the new settings; None: they change nothing for it."""
    bill_id, before = BillId(bill.id), bill.approval
    if row.approvals_enabled and not was.enabled:
        bill.approval = await assign_approvers(session, row, bill_id)
    elif was.enabled and not row.approvals_enabled:
        bill.approval, bill.approved_at = ApprovalState.NOT_REQUIRED, None
        await steps.replace(session, bill_id, [])
    status = BillStatus(bill.status)
    after_match = status if status.is_in_review else BillStatus.PENDING_PUSH
    if bill.approval == before and await status_now(session, row, bill, after_match) is status:
        return None
    await follow(
        session,
        row,
        bill,
        after_match,
        kind="approval_settings_followed",
        actor=actor,
        why="the connection's settings of approvals were changed",
        before={"approval": before},
        after={"approval": bill.approval},
    )
    return await outbox.add(
        session,
        MessageKind.BILL_DECIDED,
        bill.id,
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        request_key=f"{row.id} {row.version}",
    )
