"""Keep people from approving what they entered: persons are compared, over all keys, delegates and edits."""

import re
from collections.abc import Iterable

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import OrganizationId, PersonId
from models.domain.people import person_of
from models.store.audit import events
from models.tables import BillRow, EventRow

_FIGURES = re.compile(r"vendor_id|bank_account|total|charges|tax|discount|line \d+ (quantity|unit|price|amount)")
"""What an edit's event names where it changed the amount, the vendor or the bank account."""


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


def _why(event: EventRow) -> str:
    if event.kind == "created":
        return "entered the bill"
    if event.kind == "edited" and changes_figures(event.after or {}):
        return f"changed {', '.join(sorted(event.after or {}))} of the bill"
    return ""
