"""Store tolerance policies: one per scope of an organization (matching rules 3.4).

This module stores rows only; `matching.policies` says what their terms mean. Callers check the terms with
`check_policy` before they save.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Insert, Update, func, insert, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.store.audit import events
from models.store.base.identity import new_id
from models.store.base.pages import Listing, decode_cursor, instant_in_cursor, listing, narrowed, page_size
from models.store.policies import rematch_requests
from models.tables import TolerancePolicyRow

_FRESH = {"populate_existing": True}


class Scope(NamedTuple):
    """The bill lines that a policy applies to; None does not restrict."""

    connection_id: ConnectionId | None = None
    vendor_id: str | None = None
    item_id: str | None = None
    category: str | None = None
    entity: str | None = None


class ScopeTaken(Exception):
    """The scope already has a policy, `policy_id`."""

    code = "POLICY_EXISTS"

    def __init__(self, policy_id: str) -> None:
        super().__init__(f"policy {policy_id} is for this scope already")
        self.policy_id = policy_id


async def all_of(s: AsyncSession, organization_id: OrganizationId) -> Sequence[TolerancePolicyRow]:
    """Return every policy of the organization."""
    statement = select(TolerancePolicyRow).where(col(TolerancePolicyRow.organization_id) == organization_id)
    return (await s.exec(statement.order_by(col(TolerancePolicyRow.id)), execution_options=_FRESH)).all()


async def get(
    s: AsyncSession, policy_id: str, organization_id: OrganizationId, *, lock: bool = False
) -> TolerancePolicyRow | None:
    """Return the organization's policy or None; `lock` locks it until the transaction ends."""
    statement = select(TolerancePolicyRow).where(
        col(TolerancePolicyRow.id) == policy_id, col(TolerancePolicyRow.organization_id) == organization_id
    )
    if lock:
        statement = statement.with_for_update()
    return (await s.exec(statement, execution_options=_FRESH)).one_or_none()


async def page(
    s: AsyncSession,
    organization_id: OrganizationId,
    *,
    connection_id: ConnectionId | None = None,
    vendor_id: str | None = None,
    item_id: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[TolerancePolicyRow]:
    """Return one page of policies, oldest first.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    statement = select(TolerancePolicyRow).where(col(TolerancePolicyRow.organization_id) == organization_id)
    wanted = {
        TolerancePolicyRow.connection_id: connection_id,
        TolerancePolicyRow.vendor_id: vendor_id,
        TolerancePolicyRow.item_id: item_id,
    }
    statement = narrowed(statement, wanted)
    if cursor is not None:
        at, id = decode_cursor(cursor, 2)
        created = instant_in_cursor(at)
        statement = statement.where(
            or_(
                col(TolerancePolicyRow.created_at) > created,
                (col(TolerancePolicyRow.created_at) == created) & (col(TolerancePolicyRow.id) > id),
            )
        )
    statement = statement.order_by(col(TolerancePolicyRow.created_at), col(TolerancePolicyRow.id)).limit(limit + 1)
    rows = (await s.exec(statement, execution_options=_FRESH)).all()
    return listing(rows, limit, lambda row: (row.created_at.isoformat(), row.id))


async def of_scope(s: AsyncSession, organization_id: OrganizationId, scope: Scope) -> TolerancePolicyRow | None:
    """Return the policy of exactly this scope, or None."""
    statement = select(TolerancePolicyRow).where(col(TolerancePolicyRow.organization_id) == organization_id)
    for name, value in scope._asdict().items():
        statement = statement.where(getattr(TolerancePolicyRow, name).is_not_distinct_from(value))
    return (await s.exec(statement, execution_options=_FRESH)).one_or_none()


async def create(
    s: AsyncSession,
    organization_id: OrganizationId,
    scope: Scope,
    terms: Mapping[str, Any],
    *,
    actor: str,
    why: str,
) -> TolerancePolicyRow:
    """Create a policy, record the event and request a rematch.

    Raises:
        ScopeTaken: The scope already has a policy.
    """
    id = new_id("tol")
    values = {"id": id, "organization_id": organization_id, "terms": dict(terms), "version": 1, "created_by": actor}
    await _save(s, insert(TolerancePolicyRow).values(**values, **scope._asdict()), organization_id, scope)
    row = await get(s, id, organization_id)
    assert row is not None, "it was just saved"
    await _record(s, row, "tolerance_policy_created", actor, why, None, _said(row))
    return row


async def replace(
    s: AsyncSession, row: TolerancePolicyRow, scope: Scope, terms: Mapping[str, Any], *, actor: str, why: str
) -> TolerancePolicyRow:
    """Give the policy another scope and other terms, record the event and request a rematch.

    Raises:
        ScopeTaken: The scope belongs to another policy.
    """
    before = _said(row)
    change = (
        update(TolerancePolicyRow)
        .where(col(TolerancePolicyRow.id) == row.id)
        .values(**scope._asdict(), terms=dict(terms), version=TolerancePolicyRow.version + 1, changed_at=func.now())
    )
    await _save(s, change, OrganizationId(row.organization_id), scope)
    await s.refresh(row)
    await _record(s, row, "tolerance_policy_replaced", actor, why, before, _said(row))
    return row


async def delete(s: AsyncSession, row: TolerancePolicyRow, *, actor: str, why: str) -> None:
    """Delete a policy: lines of its scope now inherit from the next wider one."""
    before = _said(row)
    await s.delete(row)
    await _record(s, row, "tolerance_policy_deleted", actor, why, before, None)


async def _save(s: AsyncSession, statement: Insert | Update, organization_id: OrganizationId, scope: Scope) -> None:
    try:
        async with s.begin_nested():
            await s.execute(statement)
    except IntegrityError:
        other = await of_scope(s, organization_id, scope)
        if other is None:
            raise
        raise ScopeTaken(other.id) from None


def _said(row: TolerancePolicyRow) -> dict[str, Any]:
    scope = {name: getattr(row, name) for name in Scope._fields}
    return {"scope": {name: value for name, value in scope.items() if value is not None}, **row.terms}


async def _record(
    s: AsyncSession,
    row: TolerancePolicyRow,
    kind: str,
    actor: str,
    why: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Record the event, and request a rematch of the bills in review that the policy applied to or now applies to."""
    organization_id = OrganizationId(row.organization_id)
    concerned = {said["scope"].get("connection_id") for said in (before, after) if said is not None}
    asks = f"a {kind.replace('_', ' ')}"
    if None in concerned:
        await rematch_requests.request_all(s, organization_id, asks)
    else:
        for connection_id in sorted(concerned):
            await rematch_requests.request(s, connection_id, asks)
    await events.record(
        s,
        organization_id=organization_id,
        connection_id=ConnectionId(row.connection_id) if row.connection_id else None,
        subject_kind="tolerance_policy",
        subject_id=row.id,
        kind=kind,
        actor=actor,
        why=why,
        before=before,
        after=after,
    )
