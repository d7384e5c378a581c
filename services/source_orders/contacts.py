"""Suggest which vendor of the ERP a supplier of the caller's system may be. A person confirms; nothing is linked by
itself."""

from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from matching.suggest.wording import likeness, words
from models.domain.ids import ConnectionId
from models.store.source_orders import names

LEAST = 0.5
"""Names that are less alike are not suggested."""

MOST = 5

EVERYDAY = frozenset({"inc", "llc", "ltd", "co", "corp", "company", "limited", "gmbh", "the", "and"})
"""Words that say nothing of who it is."""


class SuggestedVendor(NamedTuple):
    """A vendor that a contact may be."""

    vendor_id: str
    name: str
    number: str | None
    score: float
    """From 0 to 1: how alike the names are. 1: the same but for case, punctuation and words like Inc."""


async def suggest(session: AsyncSession, connection_id: ConnectionId, contact: str) -> list[SuggestedVendor]:
    """Return the active vendors whose names are most alike, best first."""
    wanted = _distinctive(contact)
    suggested = [
        SuggestedVendor(
            vendor.erp_id, vendor.name, vendor.number, round(likeness(wanted, _distinctive(vendor.name)), 2)
        )
        for vendor in await names.vendors(session, connection_id)
    ]
    alike = [one for one in suggested if one.score >= LEAST]
    return sorted(alike, key=lambda one: (-one.score, one.name, one.vendor_id))[:MOST]


def _distinctive(name: str) -> str:
    parts = words(name).split()
    return " ".join(part for part in parts if part not in EVERYDAY) or " ".join(parts)
