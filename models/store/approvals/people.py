"""Store the people of an organization."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import OrganizationId, PersonId
from models.domain.people import PersonRole
from models.store.base.identity import new_id
from models.tables import PersonRow


class EmailTaken(Exception):
    """Another person of the organization has this e-mail address."""

    code = "PERSON_EXISTS"


class Person(NamedTuple):
    """A person as decisions see them."""

    id: PersonId
    name: str
    email: str
    roles: frozenset[PersonRole]
    active: bool

    @property
    def may_approve(self) -> bool:
        """Return whether the person may approve bills that name them."""
        return self.active and PersonRole.APPROVER in self.roles

    @property
    def may_enter_bills(self) -> bool:
        """Return whether the person may enter bills."""
        return self.active and any(role.may_enter_bills for role in self.roles)


def person(row: PersonRow) -> Person:
    """Return the stored row as decisions see it."""
    roles = frozenset(PersonRole(role) for role in row.roles)
    return Person(PersonId(row.id), row.name, row.email, roles, row.active)


async def add(
    s: AsyncSession, organization_id: OrganizationId, *, name: str, email: str, roles: Collection[PersonRole]
) -> PersonRow:
    """Add a person and return their row.

    Raises:
        EmailTaken: Another person has this address.
    """
    row = PersonRow(
        id=new_id("person"),
        organization_id=organization_id,
        name=name,
        email=email.lower(),
        roles=sorted(roles),
    )
    try:
        async with s.begin_nested():
            s.add(row)
            await s.flush()
    except IntegrityError as error:
        raise EmailTaken(f"{email} is in use") from error
    await s.refresh(row)
    return row


async def get(
    s: AsyncSession, organization_id: OrganizationId, person_id: PersonId, *, lock: bool = False
) -> PersonRow | None:
    """Return the person's row, or None for one of another organization."""
    statement = select(PersonRow).where(
        col(PersonRow.id) == person_id, col(PersonRow.organization_id) == organization_id
    )
    if lock:
        statement = statement.with_for_update()
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def by_email(s: AsyncSession, organization_id: OrganizationId, email: str) -> Person | None:
    """Return the person with this address, or None."""
    statement = select(PersonRow).where(
        col(PersonRow.email) == email.strip().lower(), col(PersonRow.organization_id) == organization_id
    )
    row = (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()
    return None if row is None else person(row)


async def everybody(s: AsyncSession, organization_id: OrganizationId) -> Sequence[PersonRow]:
    """Return all people of the organization by name, inactive ones too."""
    statement = select(PersonRow).where(col(PersonRow.organization_id) == organization_id)
    statement = statement.order_by(col(PersonRow.name), col(PersonRow.id))
    return (await s.exec(statement, execution_options={"populate_existing": True})).all()


async def named(s: AsyncSession, ids: Collection[str]) -> dict[PersonId, Person]:
    """Return people by their ids."""
    if not ids:
        return {}
    rows = (await s.exec(select(PersonRow).where(col(PersonRow.id).in_(list(ids))))).all()
    return {PersonId(row.id): person(row) for row in rows}
