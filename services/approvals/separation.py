"""Keep people from approving what they entered: persons are compared, over all keys, delegates and edits."""

import re
from collections.abc import Iterable

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, ConnectionId, OrganizationId, PersonId
from models.domain.people import person_of
from models.store.audit import events
from models.tables import BillRow, EventRow

_FIGURES = re.compile(r"vendor_id|bank_account|total|charges|tax|discount|line \d+ (quantity|unit|price|amount)")
"""What an edit's event names where it changed the amount, the vendor or the bank account."""

ENTERED_BEFORE = "entered_before"
"""The event of a bill that was entered anew: who entered or changed it before."""


def changes_figures(changed: Iterable[str]) -> bool:
    """Return whether an edit of these fields changes the amount, the vendor or the bank account of its bill."""
    return any(_FIGURES.fullmatch(name) for name in changed)


async def kept_from_approving(session: AsyncSession, bill: BillRow) -> dict[PersonId, str]:
    """Return who may not approve the bill, and why: who entered it, or changed its figures afterwards."""
    kept: dict[PersonId, str] = {}
    for event in await events.for_subject(session, OrganizationId(bill.organization_id), "bill", bill.id):
        person, why = person_of(event.actor), _why(event)
        if person is not None and why:
            kept.setdefault(person, why)
    return kept


async def carry_over(session: AsyncSession, bill: BillRow, to: BillId) -> None:
    """Keep whoever may not approve a bill from approving the one that it is entered anew as."""
    organization_id = OrganizationId(bill.organization_id)
    carried: set[PersonId] = set()
    for event in await events.for_subject(session, organization_id, "bill", bill.id):
        person, why = person_of(event.actor), _why(event)
        if person is None or not why or person in carried:
            continue
        carried.add(person)
        await events.record(
            session,
            organization_id=organization_id,
            connection_id=ConnectionId(bill.connection_id),
            subject_kind="bill",
            subject_id=to,
            kind=ENTERED_BEFORE,
            actor=event.actor,
            why=why,
        )


def _why(event: EventRow) -> str:
    if event.kind == ENTERED_BEFORE:
        return event.why
    if event.kind == "created":
        return "entered the bill"
    if event.kind == "edited" and changes_figures(event.after or {}):
        return f"changed {', '.join(sorted(event.after or {}))} of the bill"
    return ""
