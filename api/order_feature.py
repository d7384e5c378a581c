"""The purchase order feature of a connection, and its match mode: switched in one way, whoever switches it."""

from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from activities.sync import first_import_from
from api import erp_access, waiting
from api.problems import Problem
from api.services import ServiceSet
from erp.connector import ErpConnector
from models.domain import ConnectionId, MatchingStatus, MatchMode, OrganizationId, PoStatus, Stream
from models.store import connections, cursors, events, purchase_orders, skipped
from models.tables import ConnectionRow


class Switched(NamedTuple):
    """What is not as it was."""

    enabled: bool
    mode: bool
    """Once it is committed, bills that wait are matched again: `match_waiting_bills`."""


async def switch(
    session: AsyncSession,
    services: ServiceSet,
    row: ConnectionRow,
    *,
    enabled: bool | None,
    mode: MatchMode | None,
    actor: str,
) -> Switched:
    """Switch the feature on or off, and 2-way or 3-way matching; None: as it is. `row` is locked by the caller.

    A new mode gives every order its status in that mode, and the next sync judges again which orders come in (S4-42,
    S4-43). Raises the Problem of `refusal`.
    """
    connection_id = ConnectionId(row.id)
    enabled = row.purchase_orders_enabled if enabled is None else enabled
    mode = MatchMode(row.match_mode) if mode is None else mode
    switched = Switched(enabled != row.purchase_orders_enabled, mode != row.match_mode)
    before = _said(row.purchase_orders_enabled, row.match_mode)
    if switched.mode:
        refused = refusal(row, mode, enabled=enabled)
        if refused is not None:
            raise refused
        await connections.set_match_mode(session, connection_id, mode)
        await _remap(session, services, row, mode)
        await _judge_again(session, row)
    if switched.enabled:
        await connections.set_purchase_orders_enabled(session, connection_id, enabled)
    if any(switched):
        await events.record(
            session,
            organization_id=OrganizationId(row.organization_id),
            connection_id=connection_id,
            subject_kind="connection",
            subject_id=row.id,
            kind="purchase_order_feature_set",
            actor=actor,
            before=before,
            after=_said(enabled, mode),
        )
    return switched


def _said(enabled: bool, mode: str) -> dict[str, bool | str]:
    return {"purchase_orders_enabled": enabled, "match_mode": str(mode)}


def refusal(row: ConnectionRow, mode: MatchMode, *, enabled: bool) -> Problem | None:
    """Why this connection cannot be matched so: the feature is off (S4-46), or its ERP does not offer it (S4-08)."""
    if mode is MatchMode.THREE_WAY and not enabled:
        return Problem(
            "PO_FEATURE_OFF",
            "3-way matching needs purchase orders, which are switched off for this connection.",
            fix=("Switch purchase orders on first, or in the same request.",),
        )
    offered = row.capabilities.get("match_modes", ())
    if mode not in offered:
        words = " and ".join(spoken(each) for each in offered) or "no"
        return Problem("MATCH_MODE_NOT_OFFERED", f"{row.erp} offers {words} matching here, not {spoken(mode)}.")
    return None


async def match_waiting_bills(services: ServiceSet, row: ConnectionRow) -> None:
    """After a new mode is committed: bills that wait for a person are matched again in it."""
    why = f"matching is {row.match_mode.replace('_way', '-way')} now"
    await waiting.match_waiting_bills(services, [ConnectionId(row.id)], why)


def spoken(mode: str) -> str:
    """A match mode as people say it: 3-way."""
    return {"two_way": "2-way", "three_way": "3-way"}[mode]


async def _remap(session: AsyncSession, services: ServiceSet, row: ConnectionRow, mode: MatchMode) -> None:
    words = await purchase_orders.erp_statuses(session, ConnectionId(row.id))
    async with erp_access.connector_of(services, row) as connector:
        table = _meanings(connector, words, mode)
    await purchase_orders.remap_statuses(session, ConnectionId(row.id), table)


async def _judge_again(session: AsyncSession, row: ConnectionRow) -> None:
    """Read back to the first import's first day. Its filters are for a mirror without orders: they would miss what
    finished since the last run."""
    connection_id, stream = ConnectionId(row.id), Stream.PURCHASE_ORDERS
    await skipped.forget_reason(session, connection_id, stream, "ALREADY_FINISHED")
    await cursors.rewind(session, connection_id, stream, f"{first_import_from(row)} 00:00:00")


def _meanings(connector: ErpConnector, words: list[str], mode: MatchMode) -> dict[str, tuple[PoStatus, MatchingStatus]]:
    """What the ERP's words mean in this mode. An unknown one is left out: its orders keep what they have (G3)."""
    table: dict[str, tuple[PoStatus, MatchingStatus]] = {}
    for word in words:
        meaning = connector.statuses(word, mode)
        if meaning is not None and meaning.po is not None:
            table[word] = (meaning.po, meaning.matching)
    return table
