"""Switch the purchase order feature and the match mode of a connection, the same way for every caller."""

from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections import erp_sign_in
from api.http import rematch as waiting
from api.http.problems import Problem
from api.http.services import ServiceSet
from erp.connector import ErpConnector
from models.domain.approvals import PushWhen
from models.domain.connections import MatchMode
from models.domain.ids import ConnectionId
from models.domain.orders import MatchingStatus, PoStatus
from models.domain.sync import Stream
from models.store.audit import events
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.orders import excluded_records, purchase_orders
from models.store.sync import cursors
from models.tables import ConnectionRow
from services.capabilities import has_purchase_orders, has_receipts
from services.sync.due import owe_sync
from services.sync.import_window import first_import_from
from services.sync.late_links import link_all


class Switched(NamedTuple):
    """Which of the two settings were changed, and what follows."""

    enabled: bool
    mode: bool
    """True: call `match_waiting_bills` after the commit, so that bills in review are matched again."""
    sync: OutboxMessage | None = None
    """The sync that is owed where orders begin to come in, to be delivered behind the answer."""


async def switch(
    session: AsyncSession,
    services: ServiceSet,
    row: ConnectionRow,
    *,
    enabled: bool | None,
    mode: MatchMode | None,
    actor: str,
) -> Switched:
    """Switch the feature on or off, and 2-way or 3-way matching; None leaves a setting as it is. The caller has locked
    `row`.

    A new mode gives every order its status in that mode, and the next sync decides again which orders come in.

    Raises:
        Problem: the one `refusal` returns, or NO_PURCHASE_ORDERS.
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
        await _request_rematch(session, row)
    if switched.enabled:
        if enabled and not has_purchase_orders(row):
            raise Problem("NO_PURCHASE_ORDERS")
        if enabled and row.push_when == PushWhen.BEFORE_APPROVAL:
            what = "Bills go out before they are approved, which is for connections without purchase orders."
            raise Problem("PUSH_BEFORE_APPROVAL_NOT_OFFERED", what)
        await connections.set_purchase_orders_enabled(session, connection_id, enabled)
        if enabled:
            await link_all(session, row)
            if row.preferences_complete:
                due = await owe_sync(session, row, request_key=f"purchase orders {row.version}")
                switched = switched._replace(sync=due)
    if switched.enabled or switched.mode:
        await events.record_setting(
            session, row, "purchase_order_feature_set", actor=actor, before=before, after=_said(enabled, mode)
        )
    return switched


def _said(enabled: bool, mode: str) -> dict[str, bool | str]:
    return {"purchase_orders_enabled": enabled, "match_mode": str(mode)}


def refusal(row: ConnectionRow, mode: MatchMode, *, enabled: bool) -> Problem | None:
    """Return why this connection cannot use the match mode: the feature is off, or its ERP does not offer the mode.
    None: it can."""
    if mode is MatchMode.THREE_WAY and not enabled:
        return Problem(
            "PO_FEATURE_OFF",
            "3-way matching needs purchase orders, which are switched off for this connection.",
            fix=("Switch purchase orders on first, or in the same request.",),
        )
    if mode is MatchMode.THREE_WAY and not has_receipts(row):
        what = "receipts" if has_purchase_orders(row) else "purchase orders"
        return Problem(
            "MATCH_MODE_NOT_OFFERED", f"This connection has no {what}, so 3-way matching has nothing to ask."
        )
    offered = row.capabilities.get("match_modes", ())
    if mode not in offered:
        words = " and ".join(spoken(each) for each in offered) or "no"
        return Problem("MATCH_MODE_NOT_OFFERED", f"{row.erp} offers {words} matching here, not {spoken(mode)}.")
    return None


async def match_waiting_bills(services: ServiceSet, row: ConnectionRow) -> None:
    """Ask for a rematch of bills in review, after a new match mode was committed."""
    why = f"matching is {row.match_mode.replace('_way', '-way')} now"
    await waiting.match_waiting_bills(services, [ConnectionId(row.id)], why)


def spoken(mode: str) -> str:
    """Return a match mode as people say it: 3-way."""
    return {"two_way": "2-way", "three_way": "3-way"}[mode]


async def _remap(session: AsyncSession, services: ServiceSet, row: ConnectionRow, mode: MatchMode) -> None:
    words = await purchase_orders.erp_statuses(session, ConnectionId(row.id))
    async with erp_sign_in.connector(services, row) as connector:
        table = _meanings(connector, words, mode)
    await purchase_orders.remap_statuses(session, ConnectionId(row.id), table)


async def _request_rematch(session: AsyncSession, row: ConnectionRow) -> None:
    """Make the next sync read orders again from the first import's first day on.

    The first import's filters are for an empty mirror: by themselves they would miss orders that finished since the
    last run.
    """
    connection_id, stream = ConnectionId(row.id), Stream.PURCHASE_ORDERS
    await excluded_records.reconsider(session, connection_id, stream, "ALREADY_FINISHED")
    await cursors.rewind(session, connection_id, stream, f"{first_import_from(row)} 00:00:00")


def _meanings(connector: ErpConnector, words: list[str], mode: MatchMode) -> dict[str, tuple[PoStatus, MatchingStatus]]:
    """Return what each of the ERP's statuses means in this mode. An unknown status is left out: its orders keep their
    present status."""
    table: dict[str, tuple[PoStatus, MatchingStatus]] = {}
    if connector.orders is None:
        return table
    for each_mode in words:
        meaning = connector.orders.statuses(each_mode, mode)
        if meaning is not None and meaning.po is not None:
            table[each_mode] = (meaning.po, meaning.matching)
    return table
