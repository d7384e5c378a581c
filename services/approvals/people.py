"""Change a person, and find what the change leaves undone."""

from collections.abc import Collection

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.domain.people import PersonRole
from models.store.approvals import people, rules
from models.store.audit import events
from models.store.connections import connections
from models.tables import PersonRow
from services.approvals.rules import stuck_rules


async def change_person(
    session: AsyncSession,
    row: PersonRow,
    *,
    name: str | None,
    roles: Collection[PersonRole] | None,
    active: bool | None,
    actor: str,
) -> list[str]:
    """Change a locked person; None leaves a field as it is. Returns the approval rules that now leave nobody able to
    approve."""
    before = {"name": row.name, "roles": list(row.roles), "active": row.active}
    row.name = row.name if name is None else name
    row.roles = row.roles if roles is None else sorted(set(roles))
    row.active = row.active if active is None else active
    after = {"name": row.name, "roles": list(row.roles), "active": row.active}
    organization_id = OrganizationId(row.organization_id)
    if after != before:
        row.version += 1
        session.add(row)
        await session.flush()
        await events.record(
            session,
            organization_id=organization_id,
            connection_id=None,
            subject_kind="person",
            subject_id=row.id,
            kind="person_changed",
            actor=actor,
            before=before,
            after=after,
        )
    everybody = [people.person(one) for one in await people.everybody(session, organization_id)]
    return [
        f"{connection.id}: {stuck.rule}: {stuck.why}"
        for connection in await connections.list_for(session, organization_id)
        for stuck in stuck_rules(await rules.of_connection(session, ConnectionId(connection.id)), everybody)
    ]
