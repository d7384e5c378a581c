"""Approve, deny, delegate and reassign: one decision each, in the transaction of whoever asked.

The bill is locked, the person is checked, the step, the status, the bill's write and the event change together, and the
bill's workflow is owed a message. Temporal takes no part in it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import ApprovalState, PushWhen
from models.domain.bills import BillKind, BillStatus
from models.domain.ids import BillId, ConnectionId, OrganizationId, PersonId
from models.domain.outbox import MessageKind
from models.domain.writes import WriteState
from models.store.approvals import bill_approvals, people, steps
from models.store.approvals.people import Person
from models.store.approvals.steps import Step
from models.store.audit import events, outbox
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.payables import bill_edits, bills_in_review
from models.store.payables.bill_edits import EditRefused
from models.tables import BillRow, ConnectionRow
from services.approvals.entry import names_of
from services.approvals.push_rules import goes_out_as_draft, status_before_push
from services.approvals.rules import can_approve
from services.approvals.separation import changes_figures, kept_from_approving
from services.refusal import Refused


class Decided(NamedTuple):
    """What became of a decision on a bill's approval."""

    status: BillStatus
    approval: ApprovalState
    message: OutboxMessage
    """What the bill's workflow is owed."""


async def approve(
    session: AsyncSession, bill_id: BillId, person: Person, *, why: str, actor: str, request_key: str
) -> Decided:
    """Approve the step whose turn it is. With the last one the bill is approved and goes on.

    Raises:
        Refused: The bill awaits no approval, or not this person's.
    """
    bill, all_steps = await _awaited(session, bill_id)
    turn = await _turn_of(session, bill, all_steps, person)
    now = datetime.now(UTC)
    all_steps[turn] = all_steps[turn]._replace(approved_by=person.id, approved_at=now)
    done = all(step.approved_by for step in all_steps)
    bill.approved_at = now if done else None
    return await _settle(
        session,
        bill,
        all_steps,
        ApprovalState.APPROVED if done else ApprovalState.APPROVING,
        kind="approved",
        actor=actor,
        why=why,
        request_key=request_key,
        after={"step": turn + 1, "of": len(all_steps)},
    )


async def deny(
    session: AsyncSession, bill_id: BillId, person: Person, *, why: str, actor: str, request_key: str
) -> Decided:
    """Deny the bill: it is not sent before approvers are named anew. An approver of any step may, until it is sent.

    Raises:
        Refused: The bill awaits no approval, or this person is not one of its approvers.
    """
    bill, all_steps = await _awaited(session, bill_id, also=ApprovalState.APPROVED)
    if all(person.id not in step.approvers for step in all_steps):
        raise Refused("NOT_THE_APPROVER", f"{person.name} is not an approver of this bill.")
    _must_be_approver(person)
    bill.approved_at = None
    return await _settle(
        session, bill, all_steps, ApprovalState.DENIED, kind="denied", actor=actor, why=why, request_key=request_key
    )


async def delegate(
    session: AsyncSession, bill_id: BillId, person: Person, to: PersonId, *, why: str, actor: str, request_key: str
) -> Decided:
    """Give the turn of this person to another one, who then acts for them.

    Raises:
        Refused: It is not this person's turn, or the other one may not approve the bill.
    """
    bill, all_steps = await _awaited(session, bill_id)
    turn = await _turn_of(session, bill, all_steps, person)
    other = await _approver(session, bill, to)
    step = all_steps[turn]
    if other.id in step.approvers:
        raise Refused("ALREADY_THE_APPROVER", f"{other.name} is asked in this step already.")
    _not_separated(await kept_from_approving(session, bill), all_steps, {other.id}, other)
    all_steps[turn] = step._replace(
        approvers=tuple(other.id if one == person.id else one for one in step.approvers),
        acts_for={**step.acts_for, other.id: (*step.acts_for.get(person.id, ()), person.id)},
    )
    return await _settle(
        session,
        bill,
        all_steps,
        ApprovalState(bill.approval),
        kind="approval_delegated",
        actor=actor,
        why=why,
        request_key=request_key,
        after={"step": turn + 1, "to": f"{other.name} ({other.id})"},
    )


async def reassign(
    session: AsyncSession,
    bill_id: BillId,
    to: Sequence[Sequence[PersonId]],
    *,
    why: str,
    actor: str,
    request_key: str,
) -> Decided:
    """Name the approvers of the steps that are not approved; of a denied bill, of all steps.

    Raises:
        Refused: The bill awaits no approval, or with these people nobody could approve it.
    """
    bill = await _waiting(session, bill_id)
    state = ApprovalState(bill.approval)
    if state not in (ApprovalState.UNASSIGNED, ApprovalState.DENIED) and not state.is_open:
        raise Refused("APPROVAL_NOT_AWAITED", f"The approval of the bill is {_spoken(state)}.")
    before = await steps.of_bill(session, bill_id)
    kept = [] if state is ApprovalState.DENIED else [step for step in before if step.approved_by]
    for step in to:
        for one in step:
            await _approver(session, bill, one)
    separated = set(await kept_from_approving(session, bill)) | {step.approved_by for step in kept if step.approved_by}
    if not can_approve(to, separated):
        raise Refused(
            "NOBODY_CAN_APPROVE",
            "Not every step has a person of its own who neither entered the bill nor approved an earlier step.",
        )
    new = [*kept, *(steps.new_step(step) for step in to)]
    return await _settle(
        session,
        bill,
        new,
        ApprovalState.APPROVING if kept else ApprovalState.ASSIGNED,
        kind="approvers_reassigned",
        actor=actor,
        why=why,
        request_key=request_key,
        before={"approvers": await names_of(session, before)},
        after={"approvers": await names_of(session, new)},
    )


async def withdraw_after_edit(
    session: AsyncSession, bill: BillRow, *, actor: str, request_key: str
) -> OutboxMessage | None:
    """Withdraw the approvals of a locked bill if its last edit changed its amount, vendor or bank account.

    Returns what its workflow is owed; None: nothing was withdrawn. A denied bill stays denied.

    Raises:
        EditRefused: The ERP was asked for the bill as it was approved.
    """
    if ApprovalState(bill.approval) not in (ApprovalState.APPROVING, ApprovalState.APPROVED):
        return None
    edit = (await events.for_subject(session, OrganizationId(bill.organization_id), "bill", bill.id))[-1]
    if not changes_figures(edit.after or {}):
        return None
    if not BillStatus(bill.status).is_unsent:
        raise EditRefused(
            "BILL_ON_ITS_WAY", "It was sent as it was approved: abandon it, and enter it anew with other figures."
        )
    all_steps = [
        step._replace(approved_by=None, approved_at=None) for step in await steps.of_bill(session, BillId(bill.id))
    ]
    bill.approved_at = None
    settled = await _settle(
        session,
        bill,
        all_steps,
        ApprovalState.ASSIGNED,
        kind="approvals_withdrawn",
        actor=actor,
        why="the bill's figures were changed",
        request_key=request_key,
    )
    return settled.message


# --- what holds of the bill ------------------------------------------------------------------------------------


async def _waiting(session: AsyncSession, bill_id: BillId) -> BillRow:
    bill = await bills_in_review.lock(session, bill_id)
    assert bill is not None, "the caller has checked that the bill exists"
    status = BillStatus(bill.status)
    if status.is_in_review:
        raise Refused("BILL_IN_REVIEW", "Its match waits for a person, who settles it before anybody approves.")
    if not status.is_waiting and not await _is_draft(session, bill):
        raise Refused("APPROVAL_NOT_AWAITED", f"The bill is {_spoken(bill.status)}.")
    return bill


async def _is_draft(session: AsyncSession, bill: BillRow) -> bool:
    """Return whether the bill goes out, or went out, as a draft that its approval releases."""
    if bill.kind == BillKind.CREDIT or BillStatus(bill.status).is_closed:
        return False
    connection = await connections.get(session, ConnectionId(bill.connection_id))
    if connection is not None and goes_out_as_draft(connection, direct=bill.direct):
        return True
    # The settings may have changed since: what was sent before its approval is a draft all the same.
    write = await bill_edits.write_of(session, bill.id)
    return write is not None and write.state not in (*bill_edits.NEVER_PUSHED, WriteState.ABANDONED)


async def _awaited(
    session: AsyncSession, bill_id: BillId, *, also: ApprovalState | None = None
) -> tuple[BillRow, list[Step]]:
    """Return the locked bill and its steps.

    Raises:
        Refused: No decision of an approver is awaited.
    """
    bill = await _waiting(session, bill_id)
    state = ApprovalState(bill.approval)
    if state is ApprovalState.UNASSIGNED:
        raise Refused("APPROVERS_NOT_ASSIGNED", "No rule named an approver of the bill.")
    if not state.is_open and state is not also:
        raise Refused("APPROVAL_NOT_AWAITED", f"The approval of the bill is {_spoken(state)}.")
    return bill, await steps.of_bill(session, bill_id)


# --- what holds of the person ----------------------------------------------------------------------------------


def _must_be_approver(person: Person) -> None:
    if not person.may_approve:
        why = "does not have the role approver" if person.active else "is not active"
        raise Refused("NOT_AN_APPROVER", f"{person.name} {why}.")


async def _approver(session: AsyncSession, bill: BillRow, person_id: PersonId) -> Person:
    """Return a person who is to approve the bill.

    Raises:
        Refused: There is no such person, or they may not approve.
    """
    row = await people.get(session, OrganizationId(bill.organization_id), person_id)
    if row is None:
        raise Refused("PERSON_UNKNOWN", f"There is no person {person_id!r}.")
    _must_be_approver(people.person(row))
    return people.person(row)


async def _turn_of(session: AsyncSession, bill: BillRow, all_steps: Sequence[Step], person: Person) -> int:
    """Return the position of the step whose turn it is.

    Raises:
        Refused: It is not this person's turn, or they are kept from approving the bill.
    """
    turn = next(position for position, step in enumerate(all_steps) if step.approved_by is None)
    step = all_steps[turn]
    if person.id not in step.approvers:
        asked = (await names_of(session, [step]))[0]
        raise Refused("NOT_THE_APPROVER", f"Step {turn + 1} of {len(all_steps)} is the turn of {asked}.")
    _must_be_approver(person)
    _not_separated(await kept_from_approving(session, bill), all_steps, step.acting(person.id), person)
    return turn


def _not_separated(
    kept: Mapping[PersonId, str], all_steps: Sequence[Step], acting: frozenset[PersonId] | set[PersonId], person: Person
) -> None:
    """Check that nobody who acts here, in person or through a delegate, entered the bill or approved another step.

    Raises:
        Refused: Somebody did.
    """
    for one in acting:
        who = person.name if one == person.id else f"the person that {person.name} acts for"
        if one in kept:
            raise Refused("SEPARATION_OF_DUTIES", f"{who[:1].upper()}{who[1:]} {kept[one]}, and does not approve it.")
        if any(step.approved_by is not None and one in step.acting(step.approved_by) for step in all_steps):
            raise Refused("SEPARATION_OF_DUTIES", f"{who[:1].upper()}{who[1:]} approved an earlier step of the bill.")


# --- the change ------------------------------------------------------------------------------------------------


async def _settle(
    session: AsyncSession,
    bill: BillRow,
    all_steps: Sequence[Step],
    state: ApprovalState,
    *,
    kind: str,
    actor: str,
    why: str,
    request_key: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Decided:
    """Store the decision: the steps, the state, the status that follows, the write, the event and the message."""
    was, bill.approval = bill.approval, state.value
    await steps.replace(session, BillId(bill.id), all_steps)
    connection = await connections.get(session, ConnectionId(bill.connection_id))
    assert connection is not None, "a bill's connection is never removed"
    if await _is_draft(session, bill):
        write = await bill_edits.write_of(session, bill.id, lock=True)
        if write is not None and write.state not in bill_edits.NEVER_PUSHED:
            changes = {"approval": was, **(before or {})}, {"approval": state.value, **(after or {})}
            return await _settle_draft(session, bill, state, *changes, kind, actor, why, request_key)
    status = await follow(
        session,
        connection,
        bill,
        BillStatus.PENDING_PUSH if not BillStatus(bill.status).is_in_review else BillStatus(bill.status),
        kind=kind,
        actor=actor,
        why=why,
        before={"approval": was, **(before or {})},
        after={"approval": state.value, **(after or {})},
    )
    message = await outbox.add(
        session,
        MessageKind.BILL_DECIDED,
        bill.id,
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        request_key=request_key,
    )
    return Decided(status, state, message)


async def _settle_draft(
    session: AsyncSession,
    bill: BillRow,
    state: ApprovalState,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    kind: str,
    actor: str,
    why: str,
    request_key: str,
) -> Decided:
    """Store the decision on a bill that the ERP keeps as a draft, or may keep: approved, it is released there."""
    if state is ApprovalState.APPROVED:
        await bill_edits.release(session, bill)
    await bill_edits.changed(session, bill, kind, actor=actor, why=why, before=before, after=after)
    message = await outbox.add(
        session,
        MessageKind.BILL_EDITED if bill.edit_pending else MessageKind.BILL_DECIDED,
        bill.id,
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        request_key=request_key,
    )
    return Decided(BillStatus(bill.status), state, message)


async def follow(
    session: AsyncSession,
    connection: ConnectionRow,
    bill: BillRow,
    after_match: BillStatus,
    *,
    kind: str,
    actor: str,
    why: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> BillStatus:
    """Give a locked bill the status that its match, its approval and its payments now give it, with its event."""
    status = await status_now(session, connection, bill, after_match)
    await bills_in_review.set_hold_state(
        session, bill, status, bill.match_outcome or "", kind=kind, actor=actor, why=why, before=before, after=after
    )
    return status


async def status_now(
    session: AsyncSession, connection: ConnectionRow, bill: BillRow, after_match: BillStatus
) -> BillStatus:
    """Return the status of a bill that was not sent, by its match, its approval and its payments."""
    if after_match is not BillStatus.PENDING_PUSH:
        return after_match
    if bill.kind == BillKind.CREDIT:  # it waits for its approval, whenever bills go out
        decided = bill.approval in (ApprovalState.NOT_REQUIRED, ApprovalState.APPROVED)
        return BillStatus.PENDING_PUSH if decided else BillStatus.AWAITING_APPROVAL
    push_when = PushWhen(connection.push_when)
    scheduled = push_when is PushWhen.SCHEDULED and await bill_approvals.payment_scheduled(session, BillId(bill.id))
    approval = ApprovalState(bill.approval)
    return status_before_push(
        after_match,
        push_when,
        approval,
        payment_scheduled=scheduled,
        direct=bill.direct,
        as_draft=goes_out_as_draft(connection, direct=bill.direct),
    )


def _spoken(state: str) -> str:
    return state.replace("_", " ")
