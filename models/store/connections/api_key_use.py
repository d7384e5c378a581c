"""How many requests an API key made in this minute, over all API processes."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

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
        select k.key_hash, k.id, k.organization_id, k.role, k.label, k.acts_for_people, k.person_id, p.name, p.email,
               p.roles, p.active, times.times
          from (select hash, count(*) as times from unnest(cast(:hashes as text[])) as hash group by hash) times
          join api_keys k on k.key_hash = times.hash and k.revoked_at is null
          left join people p on p.id = k.person_id
    ), counted as (
        insert into api_key_use as used (api_key_id, minute, requests)
        select id, date_trunc('minute', now()), times from presented order by id
        on conflict (api_key_id) do update set
            requests = excluded.requests + case when used.minute >= excluded.minute then used.requests else 0 end,
            minute = greatest(used.minute, excluded.minute)
        returning api_key_id, requests, minute
    )
    select presented.*, requests, ceil(extract(epoch from minute + interval '1 minute' - clock_timestamp()))
               as seconds_left
    from presented join counted on counted.api_key_id = presented.id
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


async def count_requests(s: AsyncSession, plaintexts: Sequence[str]) -> list[CountedKey | None]:
    """Count requests, each by the key that it presents, and return whose key each is, or None when that key never
    existed or was revoked. A key that several present is counted once for each.

    One statement, and rows that are not logged: nothing waits for a disk, and a crash of the database forgets a minute.
    """
    hashes = [hash_of(plaintext) for plaintext in plaintexts]
    keys = {row.key_hash: row for row in await s.execute(_COUNT, {"hashes": hashes})}
    left = Counter(hashes)
    counted: list[CountedKey | None] = []
    for presented in hashes:
        left[presented] -= 1  # these come after this one
        row = keys.get(presented)
        counted.append(None if row is None else _counted(row, row.requests - left[presented]))
    return counted


def _counted(row: Any, requests: int) -> CountedKey:
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
        requests,
        max(1, int(row.seconds_left)),
    )
