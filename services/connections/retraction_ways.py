"""Set how a connection's bills are taken back from the ERP: which of the ways that the ERP has."""

from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.retractions import RetractBy
from models.store.audit import events
from models.store.connections import connections
from models.tables import ConnectionRow
from services.refusal import Refused


class RetractionWays(NamedTuple):
    """How bills are taken back, by kind of bill."""

    order_bills: RetractBy
    direct_bills: RetractBy


class OfferedWays(NamedTuple):
    """The ways that the ERP has, by kind of bill; empty: none."""

    order_bills: tuple[RetractBy, ...]
    direct_bills: tuple[RetractBy, ...]


def stored(row: ConnectionRow) -> RetractionWays:
    """Return the connection's present setting."""
    return RetractionWays(RetractBy(row.retract_by), RetractBy(row.retract_direct_by))


def offered(row: ConnectionRow) -> OfferedWays:
    """Return the ways that the connection's ERP has."""
    ways = (row.capabilities.get(name, ()) for name in ("retract_by", "retract_direct_by"))
    return OfferedWays(*(tuple(RetractBy(way) for way in each) for each in ways))


async def set_ways(session: AsyncSession, row: ConnectionRow, wanted: RetractionWays, *, actor: str) -> None:
    """Store how a locked connection's bills are taken back from now on. A retraction under way keeps its way.

    Raises:
        Refused: The ERP does not have the way.
    """
    was, there = stored(row), offered(row)
    for kind, way, before, ways in zip(("on orders", "without an order"), wanted, was, there, strict=True):
        if way is not before and way not in ways:
            names = ", ".join(ways) or "none"
            raise Refused(
                "RETRACTION_WAY_NOT_OFFERED", f"Ways to take back bills {kind} that this ERP has: {names}; not {way}."
            )
    if wanted == was:
        return
    connection_id = ConnectionId(row.id)
    await connections.set_retraction_ways(
        session, connection_id, order_bills=wanted.order_bills, direct_bills=wanted.direct_bills
    )
    await events.record_setting(
        session, row, "retraction_ways_set", actor=actor, before=was._asdict(), after=wanted._asdict()
    )
