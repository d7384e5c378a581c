"""Store connections: one organization's link to one ERP company and entity, with its settings and its health."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, cast, func, or_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.accounting_settings import Dimension, PostingDay
from models.domain.approvals import PushWhen
from models.domain.connections import BaseCurrencySource, ConnectionState, Erp, MatchMode
from models.domain.currencies import ASSUMED_BASE_CURRENCY
from models.domain.ids import ConnectionId, OrganizationId
from models.domain.list_changes import ListLevel, ListMaster, VendorIds
from models.domain.lists import ListKind
from models.domain.retractions import RetractBy
from models.store.policies import rematch_requests
from models.tables import ConnectionRow

PREFERENCES_SET = "the sync preferences were set"

DAILY = 24 * 60
"""Minutes between two scheduled syncs of a connection of which nobody said otherwise."""


class ConnectionTaken(Exception):
    """This ERP company, user and entity are already connected (S2-14)."""

    code = "CONNECTION_EXISTS"


class ConnectionReplaced(Exception):
    """Another process saved the connection of the same request anew meanwhile: its answer is the answer."""


async def save_pending(
    s: AsyncSession,
    *,
    organization_id: OrganizationId,
    erp: Erp,
    name: str,
    request: str,
    company: str,
    entity: str | None,
    endpoint: str,
    settings: Mapping[str, Any],
    credentials: bytes,
    one_way: bool,
    base_currency: str | None = None,
    time_zone: str | None = None,
    purchase_orders: bool = False,
    sync_every_minutes: int | None = DAILY,
) -> ConnectionRow:
    """Save a connection that has not signed in to the ERP yet, with a readable id such as `intacct-acme-100`.

    `company` and `entity` are as entered and used for the id only; the ERP says which company it is. `base_currency` is
    what a person says of its books; the ERP's own word replaces it. One `request` of
    the organization has one such connection: a repeat saves it again.
    """
    # The first to take a readable id keeps it: read and insert of two callers must not interleave.
    await s.exec(select(func.pg_advisory_xact_lock(func.hashtext("connections.id"))))
    waits_as = f"pending {organization_id} {request}"
    await s.exec(delete(ConnectionRow).where(_pending(), col(ConnectionRow.company) == waits_as))
    row = ConnectionRow(
        id=await _readable_id(s, erp, company, entity),
        organization_id=organization_id,
        erp=erp.value,
        name=name,
        company=waits_as,
        user_name="",
        entity=None,
        endpoint=endpoint,
        settings=dict(settings),
        credentials=credentials,
        state=ConnectionState.PENDING_AUTHORIZATION,
        capabilities={},
        preferences={},
        match_mode=MatchMode.TWO_WAY.value,
        purchase_orders_enabled=purchase_orders,
        one_way=one_way,
        base_currency=base_currency or ASSUMED_BASE_CURRENCY,
        base_currency_from=(BaseCurrencySource.ASSUMED if base_currency is None else BaseCurrencySource.PERSON).value,
        time_zone=time_zone,
        sync_every_minutes=sync_every_minutes,
    )
    s.add(row)
    await s.flush()
    await s.refresh(row)
    return row


async def authorize(
    s: AsyncSession,
    connection_id: ConnectionId,
    *,
    company: str,
    user_name: str,
    entity: str | None,
    capabilities: Mapping[str, Any],
    base_currency: str | None = None,
) -> ConnectionRow:
    """Record that the ERP accepted the credentials; the connection now waits for its sync preferences (S2-55).

    Raises:
        ConnectionTaken: Company, user and entity are already connected (S2-14).
        ConnectionReplaced: The pending connection is gone.
    """
    row = await s.get(ConnectionRow, connection_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise ConnectionReplaced
    try:
        async with s.begin_nested():
            await s.exec(
                update(ConnectionRow)
                .where(col(ConnectionRow.id) == connection_id, _pending())
                .values(
                    company=company,
                    user_name=user_name,
                    entity=entity,
                    capabilities=dict(capabilities),
                    state=ConnectionState.NEEDS_PREFERENCES.value,
                    **_books_in(base_currency),
                )
            )
    except IntegrityError as error:
        raise ConnectionTaken(
            f"{row.erp} company {company}, user {user_name}, entity {entity or 'top level'} is connected already"
        ) from error
    await s.refresh(row)
    return row


def _books_in(base_currency: str | None, source: BaseCurrencySource = BaseCurrencySource.ERP) -> dict[str, str]:
    if base_currency is None:
        return {}
    return {"base_currency": base_currency, "base_currency_from": source.value}


async def set_base_currency(
    s: AsyncSession, connection_id: ConnectionId, base_currency: str, source: BaseCurrencySource
) -> None:
    """Store which currency the ERP's books are kept in, and who says so."""
    await _change(s, connection_id, **_books_in(base_currency, source))


async def withdraw(s: AsyncSession, connection_id: ConnectionId) -> None:
    """Delete a connection that the ERP did not accept."""
    await s.exec(delete(ConnectionRow).where(_pending(), col(ConnectionRow.id) == connection_id))


def _pending() -> ColumnElement[bool]:
    return col(ConnectionRow.state) == ConnectionState.PENDING_AUTHORIZATION


async def _readable_id(s: AsyncSession, erp: Erp, company: str, entity: str | None) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", "-".join(filter(None, (erp.value, company, entity))).lower()).strip("-")
    taken = set(
        (
            await s.exec(
                select(ConnectionRow.id).where(
                    or_(col(ConnectionRow.id) == slug, col(ConnectionRow.id).regexp_match(f"^{slug}-[0-9]+$"))
                )
            )
        ).all()
    )
    if slug not in taken:
        return slug
    number = 2
    while f"{slug}-{number}" in taken:
        number += 1
    return f"{slug}-{number}"


# Made once: to put it together costs more than to run it, and every activity begins with it.
_BY_ID = select(ConnectionRow).where(col(ConnectionRow.id) == bindparam("connection"))


async def get(
    s: AsyncSession, connection_id: ConnectionId, organization_id: OrganizationId | None = None
) -> ConnectionRow | None:
    """Return the connection or None; with an organization only if it owns the connection."""
    statement = _BY_ID
    if organization_id is not None:
        statement = statement.where(col(ConnectionRow.organization_id) == organization_id)
    rows = await s.exec(statement, params={"connection": connection_id}, execution_options={"populate_existing": True})
    return rows.one_or_none()


async def list_for(s: AsyncSession, organization_id: OrganizationId) -> Sequence[ConnectionRow]:
    """Return all connections of an organization, oldest first."""
    statement = select(ConnectionRow).where(col(ConnectionRow.organization_id) == organization_id)
    statement = statement.order_by(col(ConnectionRow.created_at), col(ConnectionRow.id))
    return (await s.exec(statement, execution_options={"populate_existing": True})).all()


async def in_use(s: AsyncSession, organization_id: OrganizationId) -> Sequence[ConnectionRow]:
    """Return the organization's connections; of those that no ERP has let in yet only if there is no other: nothing is
    behind them."""
    known = await list_for(s, organization_id)
    let_in = [one for one in known if one.state != ConnectionState.PENDING_AUTHORIZATION or one.company]
    return let_in or known


async def of_erp(s: AsyncSession, erp: Erp, states: Sequence[ConnectionState]) -> Sequence[ConnectionRow]:
    """Return the connections of all organizations to one ERP that are in these states."""
    statement = select(ConnectionRow).where(
        col(ConnectionRow.erp) == erp.value, col(ConnectionRow.state).in_([state.value for state in states])
    )
    return (await s.exec(statement.order_by(col(ConnectionRow.id)))).all()


async def list_for_all(s: AsyncSession, organization_ids: Sequence[str]) -> Sequence[ConnectionRow]:
    """Return all connections of several organizations, oldest first."""
    statement = select(ConnectionRow).where(col(ConnectionRow.organization_id).in_(organization_ids))
    statement = statement.order_by(col(ConnectionRow.created_at), col(ConnectionRow.id))
    return (await s.exec(statement, execution_options={"populate_existing": True})).all()


async def erps_in_use(s: AsyncSession) -> set[Erp]:
    """Return the kinds of ERP that any organization is connected to."""
    return {Erp(name) for name in (await s.exec(select(col(ConnectionRow.erp)).distinct())).all()}


async def _change(s: AsyncSession, connection_id: ConnectionId, **values: Any) -> None:
    await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id)
        .values(version=ConnectionRow.version + 1, **values)
    )


def _at_rest() -> ColumnElement[str]:
    """Return the state of a connection without problems."""
    return case(
        (col(ConnectionRow.preferences_complete), ConnectionState.READY), else_=ConnectionState.NEEDS_PREFERENCES
    )


async def save_preferences(
    s: AsyncSession,
    connection_id: ConnectionId,
    preferences: Mapping[str, Any],
    complete: bool,
    *,
    capabilities: Mapping[str, Any] | None = None,
) -> None:
    """Store the sync preferences. Once they are complete, transactions may sync (S2-55).

    `capabilities` are what the ERP offers with these preferences; None leaves them as they were.
    """
    at_rest = ConnectionState.READY if complete else ConnectionState.NEEDS_PREFERENCES
    with_problem = col(ConnectionRow.state).not_in((ConnectionState.READY, ConnectionState.NEEDS_PREFERENCES))
    await _change(
        s,
        connection_id,
        preferences=dict(preferences),
        preferences_complete=complete,
        **({} if capabilities is None else {"capabilities": dict(capabilities)}),
        state=case((with_problem, col(ConnectionRow.state)), else_=at_rest),
    )
    await rematch_requests.request(s, connection_id, PREFERENCES_SET)


async def save_credentials(
    s: AsyncSession,
    connection_id: ConnectionId,
    sealed: bytes,
    *,
    endpoint: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Store new credentials that the caller has checked; work that waited for them may go on. With them the address
    and the technical settings they were checked at, where these are new."""
    refused = col(ConnectionRow.state) == ConnectionState.AUTHENTICATION_FAILED
    await _change(
        s,
        connection_id,
        credentials=sealed,
        credentials_version=col(ConnectionRow.credentials_version) + 1,
        **({} if endpoint is None else {"endpoint": endpoint}),
        **({} if settings is None else {"settings": dict(settings)}),
        state=case((refused, _at_rest()), else_=col(ConnectionRow.state)),
        problem_code=case((refused, None), else_=col(ConnectionRow.problem_code)),
        problem_message=case((refused, None), else_=col(ConnectionRow.problem_message)),
    )


async def mark_authentication_failed(s: AsyncSession, connection_id: ConnectionId, code: str, message: str) -> None:
    """Record that the ERP refused our credentials: work waits until an administrator acts."""
    await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id)
        .values(state=ConnectionState.AUTHENTICATION_FAILED, problem_code=code, problem_message=message)
    )


async def mark_outage(s: AsyncSession, connection_id: ConnectionId, code: str, message: str, at: datetime) -> None:
    """Record that the ERP does not answer. The first `at` stays: people see it as "outage since"."""
    await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id)
        .values(
            outage_since=func.coalesce(col(ConnectionRow.outage_since), at), problem_code=code, problem_message=message
        )
    )


async def mark_healthy(s: AsyncSession, connection_id: ConnectionId) -> bool:
    """Record that the ERP answered; return True if the connection had a problem until now, else write nothing."""
    refused = col(ConnectionRow.state) == ConnectionState.AUTHENTICATION_FAILED
    result = await s.exec(
        update(ConnectionRow)
        .where(
            col(ConnectionRow.id) == connection_id,
            or_(refused, col(ConnectionRow.outage_since).is_not(None), col(ConnectionRow.problem_code).is_not(None)),
        )
        .values(
            state=case((refused, _at_rest()), else_=col(ConnectionRow.state)),
            outage_since=None,
            problem_code=None,
            problem_message=None,
        )
    )
    return result.rowcount == 1


async def end_outage(s: AsyncSession, connection_id: ConnectionId, codes: Sequence[str]) -> None:
    """Record that an outage with one of these codes is over; any other problem of the connection stays."""
    await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id, col(ConnectionRow.problem_code).in_(codes))
        .values(outage_since=None, problem_code=None, problem_message=None)
    )


async def mark_sync_problem(
    s: AsyncSession, connection_id: ConnectionId, code: str, message: str
) -> tuple[datetime, bool]:
    """Record that the sync cannot read and why; return since when, and whether the reason is another one than before.

    The first time stays until the sync can read again.
    """
    row = await s.get_one(ConnectionRow, connection_id, with_for_update=True, populate_existing=True)
    since = row.sync_problem_since or datetime.now(UTC)
    changed = row.sync_problem_code != code
    row.sync_problem_since, row.sync_problem_code, row.sync_problem_message = since, code, message
    s.add(row)
    await s.flush()
    return since, changed


async def clear_sync_problem(s: AsyncSession, connection_id: ConnectionId) -> None:
    """Record that the sync can read again."""
    await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id, col(ConnectionRow.sync_problem_since).is_not(None))
        .values(sync_problem_since=None, sync_problem_code=None, sync_problem_message=None)
    )


async def add_capabilities(s: AsyncSession, connection_id: ConnectionId, offered: Mapping[str, Any]) -> None:
    """Store what is said of the ERP for the first time; what was found out when the connection was checked stays."""
    stored = col(ConnectionRow.capabilities)
    await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id)
        .values(capabilities=cast(dict(offered), JSONB).concat(stored))
    )


async def note_deletions_feed(s: AsyncSession, connection_id: ConnectionId, readable: bool) -> bool:
    """Store whether the ERP last reported deletions, as a capability of the connection; return True if that changed."""
    stored = col(ConnectionRow.capabilities)
    now = func.jsonb_build_object("deletions_feed", readable)
    result = await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id, ~stored.contains({"deletions_feed": readable}))
        .values(capabilities=stored.concat(now))
    )
    return result.rowcount == 1


async def set_match_mode(s: AsyncSession, connection_id: ConnectionId, mode: MatchMode) -> None:
    """Set 2-way or 3-way matching (S4-42, S4-43).

    The caller maps the statuses again in the same transaction (`purchase_orders.remap_statuses`).
    """
    await _change(s, connection_id, match_mode=mode.value)
    await rematch_requests.request(s, connection_id, f"matching is {mode.replace('_way', '-way')} now")


async def set_purchase_orders_enabled(s: AsyncSession, connection_id: ConnectionId, enabled: bool) -> None:
    """Switch the purchase order feature on or off for this connection (S1-32)."""
    await _change(s, connection_id, purchase_orders_enabled=enabled)


async def set_one_way(s: AsyncSession, connection_id: ConnectionId) -> None:
    """Make bills and payments go out only, for good: there is no way back (S2-52, S2-53)."""
    await _change(s, connection_id, one_way=True)


async def touch(s: AsyncSession, connection_id: ConnectionId) -> None:
    """Give the connection its next version: something that belongs to it was changed."""
    await _change(s, connection_id)


async def set_approvals(
    s: AsyncSession,
    connection_id: ConnectionId,
    *,
    enabled: bool,
    push_when: PushWhen,
    only_approved: bool,
    draft_order_bills: bool,
) -> None:
    """Set whether bills need approval, and when they are sent; `only_approved` is for good (S2-58, S2-59)."""
    await _change(
        s,
        connection_id,
        approvals_enabled=enabled,
        push_when=push_when.value,
        only_approved=only_approved,
        draft_order_bills=draft_order_bills,
    )


async def set_retraction_ways(
    s: AsyncSession, connection_id: ConnectionId, *, order_bills: RetractBy, direct_bills: RetractBy
) -> None:
    """Set how bills are taken back from the ERP, by kind of bill."""
    await _change(s, connection_id, retract_by=order_bills.value, retract_direct_by=direct_bills.value)


async def set_list_settings(
    s: AsyncSession,
    connection_id: ConnectionId,
    *,
    masters: Mapping[ListKind, ListMaster],
    level: ListLevel,
    vendor_ids: VendorIds,
) -> None:
    """Set who is the master of which list, and where and with which ids entries are made."""
    await _change(
        s,
        connection_id,
        list_masters={kind.value: master.value for kind, master in masters.items()},
        list_level=level.value,
        vendor_ids=vendor_ids.value,
    )


async def set_accounting(
    s: AsyncSession, connection_id: ConnectionId, *, dimensions: Mapping[Dimension, bool], posting_day: PostingDay
) -> None:
    """Set which dimensions bills carry, and which day they post on."""
    await _change(
        s,
        connection_id,
        dimensions={dimension.value: carried for dimension, carried in dimensions.items()},
        posting_day=posting_day.value,
    )


async def set_schedule(s: AsyncSession, connection_id: ConnectionId, every_minutes: int | None) -> None:
    """Set how many minutes lie between scheduled syncs; None: sync only when asked (S2-56)."""
    await _change(s, connection_id, sync_every_minutes=every_minutes)


async def set_time_zone(s: AsyncSession, connection_id: ConnectionId, time_zone: str) -> None:
    """Store where the days of this connection begin and end."""
    await _change(s, connection_id, time_zone=time_zone)


async def set_first_import_from(s: AsyncSession, connection_id: ConnectionId, from_date: date | None) -> None:
    """Set the order date from which the first import reads orders; None: the last three months (S1-11, S1-13)."""
    await _change(s, connection_id, first_import_from=from_date)


async def claimed_orders(
    s: AsyncSession, erp: Erp, company: str, entity: str | None, template: str | None, except_id: ConnectionId
) -> ConnectionRow | None:
    """Return the other connection to this ERP company and entity that already syncs orders of this template, or None.

    With `template` None, for an ERP without templates: the other connection that syncs this company's orders at all.
    Two such connections would both import the same orders and bill them twice (field note U-9). A connection at top
    level sees every entity, so it collides with all of them.
    """
    claim = (
        col(ConnectionRow.preferences)["po_template"].astext == template
        if template is not None
        else col(ConnectionRow.preferences_complete)
    )
    statement = select(ConnectionRow).where(
        col(ConnectionRow.erp) == erp.value,
        func.lower(col(ConnectionRow.company)) == company.lower(),
        col(ConnectionRow.id) != except_id,
        claim,
    )
    if entity is not None:
        statement = statement.where(or_(col(ConnectionRow.entity).is_(None), col(ConnectionRow.entity) == entity))
    return (await s.exec(statement.order_by(col(ConnectionRow.created_at)).limit(1))).first()
