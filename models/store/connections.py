"""Connections: one organization's link to one ERP company and entity, its settings and its health."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, Erp, MatchMode, OrganizationId
from models.store import match_again
from models.tables import ConnectionRow


class ConnectionTaken(Exception):
    """This ERP company, user and entity are connected already (S2-14)."""

    code = "CONNECTION_EXISTS"


async def create(
    s: AsyncSession,
    *,
    organization_id: OrganizationId,
    erp: Erp,
    name: str,
    company: str,
    user_name: str,
    entity: str | None,
    endpoint: str,
    settings: Mapping[str, Any],
    credentials: bytes,
    capabilities: Mapping[str, Any],
    one_way: bool,
    base_currency: str,
) -> ConnectionRow:
    """A new connection, waiting for its sync preferences (S2-55). Its id can be read: `intacct-acme-100`.

    Raises ConnectionTaken when company, user and entity are connected already (S2-14).
    """
    # Whoever takes the readable id first keeps it: read, insert and the next read must not interleave.
    await s.exec(select(func.pg_advisory_xact_lock(func.hashtext("connections.id"))))
    row = ConnectionRow(
        id=await _readable_id(s, erp, company, entity),
        organization_id=organization_id,
        erp=erp.value,
        name=name,
        company=company,
        user_name=user_name,
        entity=entity,
        endpoint=endpoint,
        settings=dict(settings),
        credentials=credentials,
        state="needs_preferences",
        capabilities=dict(capabilities),
        preferences={},
        match_mode=MatchMode.TWO_WAY.value,
        one_way=one_way,
        base_currency=base_currency,
    )
    try:
        async with s.begin_nested():
            s.add(row)
    except IntegrityError as error:
        raise ConnectionTaken(
            f"{erp.value} company {company}, user {user_name}, entity {entity or 'top level'} is connected already"
        ) from error
    await s.refresh(row)
    return row


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


async def get(
    s: AsyncSession, connection_id: ConnectionId, organization_id: OrganizationId | None = None
) -> ConnectionRow | None:
    """The connection; with an organization only if it is theirs."""
    statement = select(ConnectionRow).where(col(ConnectionRow.id) == connection_id)
    if organization_id is not None:
        statement = statement.where(col(ConnectionRow.organization_id) == organization_id)
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def list_for(s: AsyncSession, organization_id: OrganizationId) -> Sequence[ConnectionRow]:
    """All connections of an organization, oldest first."""
    statement = select(ConnectionRow).where(col(ConnectionRow.organization_id) == organization_id)
    statement = statement.order_by(col(ConnectionRow.created_at), col(ConnectionRow.id))
    return (await s.exec(statement, execution_options={"populate_existing": True})).all()


async def list_for_all(s: AsyncSession, organization_ids: Sequence[str]) -> Sequence[ConnectionRow]:
    """All connections of several organizations, oldest first."""
    statement = select(ConnectionRow).where(col(ConnectionRow.organization_id).in_(organization_ids))
    statement = statement.order_by(col(ConnectionRow.created_at), col(ConnectionRow.id))
    return (await s.exec(statement, execution_options={"populate_existing": True})).all()


async def _change(s: AsyncSession, connection_id: ConnectionId, **values: Any) -> None:
    await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id)
        .values(version=ConnectionRow.version + 1, **values)
    )


def _at_rest() -> ColumnElement[str]:
    """The state of a connection nothing is wrong with."""
    return case((col(ConnectionRow.preferences_complete), "ready"), else_="needs_preferences")


async def save_preferences(
    s: AsyncSession,
    connection_id: ConnectionId,
    preferences: Mapping[str, Any],
    complete: bool,
    *,
    capabilities: Mapping[str, Any] | None = None,
) -> None:
    """Keep the sync preferences. Once they are complete transactions may sync (S2-55).

    `capabilities` are what the ERP offers with these preferences; None: as they were.
    """
    at_rest = "ready" if complete else "needs_preferences"
    in_trouble = col(ConnectionRow.state).not_in(("ready", "needs_preferences"))
    await _change(
        s,
        connection_id,
        preferences=dict(preferences),
        preferences_complete=complete,
        **({} if capabilities is None else {"capabilities": dict(capabilities)}),
        state=case((in_trouble, col(ConnectionRow.state)), else_=at_rest),
    )
    await match_again.ask(s, connection_id, "the sync preferences were set")


async def save_credentials(s: AsyncSession, connection_id: ConnectionId, sealed: bytes) -> None:
    """New credentials, checked by the caller: what waited for them may go on."""
    refused = col(ConnectionRow.state) == "authentication_failed"
    await _change(
        s,
        connection_id,
        credentials=sealed,
        credentials_version=col(ConnectionRow.credentials_version) + 1,
        state=case((refused, _at_rest()), else_=col(ConnectionRow.state)),
        problem_code=case((refused, None), else_=col(ConnectionRow.problem_code)),
        problem_message=case((refused, None), else_=col(ConnectionRow.problem_message)),
    )


async def mark_authentication_failed(s: AsyncSession, connection_id: ConnectionId, code: str, message: str) -> None:
    """The ERP refused our credentials: an administrator must act, work waits meanwhile."""
    await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id)
        .values(state="authentication_failed", problem_code=code, problem_message=message)
    )


async def mark_outage(s: AsyncSession, connection_id: ConnectionId, code: str, message: str, at: datetime) -> None:
    """The ERP does not answer. The first `at` stays: it is the "outage since" people see."""
    await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id)
        .values(
            outage_since=func.coalesce(col(ConnectionRow.outage_since), at), problem_code=code, problem_message=message
        )
    )


async def mark_healthy(s: AsyncSession, connection_id: ConnectionId) -> bool:
    """The ERP answered. True if the connection was in trouble until now; else nothing is written."""
    refused = col(ConnectionRow.state) == "authentication_failed"
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


async def note_deletions_feed(s: AsyncSession, connection_id: ConnectionId, readable: bool) -> bool:
    """Whether the ERP told last what was deleted, as the connection's capability. True if that changed."""
    held = col(ConnectionRow.capabilities)
    now = func.jsonb_build_object("deletions_feed", readable)
    result = await s.exec(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id, ~held.contains({"deletions_feed": readable}))
        .values(capabilities=held.concat(now))
    )
    return result.rowcount == 1


async def set_match_mode(s: AsyncSession, connection_id: ConnectionId, mode: MatchMode) -> None:
    """2-way or 3-way (S4-42, S4-43). The caller re-maps the statuses in the same transaction
    (`purchase_orders.remap_statuses`)."""
    await _change(s, connection_id, match_mode=mode.value)
    await match_again.ask(s, connection_id, f"matching is {mode.replace('_way', '-way')} now")


async def set_purchase_orders_enabled(s: AsyncSession, connection_id: ConnectionId, enabled: bool) -> None:
    """The feature on or off for this connection (S1-32)."""
    await _change(s, connection_id, purchase_orders_enabled=enabled)


async def set_one_way(s: AsyncSession, connection_id: ConnectionId) -> None:
    """Bills and payments only go out from now on, for good: there is no way back (S2-52, S2-53)."""
    await _change(s, connection_id, one_way=True)


async def set_schedule(s: AsyncSession, connection_id: ConnectionId, every_minutes: int | None) -> None:
    """How often it syncs by itself; None: only when asked for (S2-56)."""
    await _change(s, connection_id, sync_every_minutes=every_minutes)


async def set_first_import_from(s: AsyncSession, connection_id: ConnectionId, from_date: date | None) -> None:
    """From which order date on the first import takes orders in; None: the last three months (S1-11, S1-13)."""
    await _change(s, connection_id, first_import_from=from_date)


async def claimed_orders(
    s: AsyncSession, erp: Erp, company: str, entity: str | None, template: str | None, except_id: ConnectionId
) -> ConnectionRow | None:
    """The other connection to this ERP company and entity that already syncs the orders of this template, if any; with
    None, for an ERP without templates, the one that syncs this company's orders at all.

    Two such connections would both take the same orders in and bill them twice (field note U-9). A connection at top
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
