"""Find entries of the ERP's lists by what people call them: id, full name or number."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.lists import ListKind


class Entry(NamedTuple):
    """One active entry of a list."""

    kind: str
    erp_id: str
    name: str
    number: str | None


class Entries:
    """Entries that some names may mean."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_name: dict[tuple[str, str, str], list[Entry]] = {}
        for entry in entries:
            for how, name in (("id", entry.erp_id), ("name", entry.name.casefold()), ("number", entry.number or "")):
                self._by_name.setdefault((entry.kind, how, name), []).append(entry)

    def find(self, kind: ListKind, name: str) -> list[Entry]:
        """Return the entries that a name means: those with this id, else with this full name, else with this number.
        More than one: the name does not say which."""
        if not name:
            return []
        for how, said in (("id", name), ("name", name.casefold()), ("number", name)):
            if results := self._by_name.get((kind.value, how, said)):
                return results
        return []


_FIND = text(
    """
    select distinct e.kind, e.erp_id, e.name, e.attributes->>'number' as number
      from unnest(cast(:kinds as text[]), cast(:names as text[])) as w(kind, name)
      join list_entries e on e.connection_id = :connection and e.kind = w.kind and e.active and e.deleted_at is null
       and (e.erp_id = w.name or lower(e.name) = lower(w.name) or e.attributes->>'number' = w.name)
    """
)


async def find(
    session: AsyncSession, connection_id: ConnectionId, names: Mapping[ListKind, Collection[str]]
) -> Entries:
    """Return the active entries that the names of each list may mean, in one statement."""
    pairs = [(kind.value, name) for kind, wanted in names.items() for name in sorted(wanted) if name]
    if not pairs:
        return Entries(())
    rows = await session.execute(
        _FIND,
        {"connection": connection_id, "kinds": [kind for kind, _ in pairs], "names": [name for _, name in pairs]},
    )
    return Entries(Entry(*row) for row in rows)


_VENDORS = text(
    """
    select kind, erp_id, name, attributes->>'number' as number from list_entries
     where connection_id = :connection and kind = 'vendor' and active and deleted_at is null
    """
)


async def vendors(session: AsyncSession, connection_id: ConnectionId) -> list[Entry]:
    """Return all active vendors."""
    return [Entry(*row) for row in await session.execute(_VENDORS, {"connection": connection_id})]
