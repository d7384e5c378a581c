"""How many requests an API key made in this minute, over all API processes."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import OrganizationId, PersonId
from models.domain.people import PersonRole
from models.store.approvals.people import Person
from models.store.connections.organizations import hash_of

_COUNT = text(
    """
    with presented as (
        select k.id, k.organization_id, k.role, k.label, k.acts_for_people, k.person_id, p.name, p.email, p.roles,
               p.active
          from api_keys k left join people p on p.id = k.person_id
         where k.key_hash = :hash and k.revoked_at is null
    ), counted as (
        insert into api_key_use as used (api_key_id, minute, requests)
        select id, date_trunc('minute', now()), 1 from presented
        on conflict (api_key_id) do update set
            requests = case when used.minute >= excluded.minute then used.requests + 1 else 1 end,
            minute = greatest(used.minute, excluded.minute)
        returning requests, minute
    )
    select presented.*, requests, ceil(extract(epoch from minute + interval '1 minute' - clock_timestamp()))
               as seconds_left
    from presented, counted
    """
).columns(roles=JSONB)


class CountedKey(NamedTuple):
    """A key that is in use, with this request counted."""

    id: str
    organization_id: OrganizationId
    role: str
    label: str
    acts_for_people: bool
    """A program's key that may name the person it acts for."""
    person: Person | None
    """Whose key it is; None: a program's."""
    requests: int
    """In this minute, this one included."""
    seconds_left: int
    """Until the next minute begins to be counted."""


async def count_request(s: AsyncSession, plaintext: str) -> CountedKey | None:
    """Count a request and return whose it is, or None when the key never existed or was revoked.

    One statement, and a row that is not logged: nothing waits for a disk, and a crash of the database forgets a minute.
    """
    row = (await s.execute(_COUNT, {"hash": hash_of(plaintext)})).one_or_none()
    if row is None:
        return None
    person = None
    if row.person_id is not None:
        roles = frozenset(PersonRole(one) for one in row.roles)
        person = Person(PersonId(row.person_id), row.name, row.email, roles, row.active)
    return CountedKey(
        row.id,
        OrganizationId(row.organization_id),
        row.role,
        row.label,
        row.acts_for_people,
        person,
        row.requests,
        max(1, int(row.seconds_left)),
    )
