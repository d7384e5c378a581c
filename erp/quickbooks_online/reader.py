"""Read records: queries with an order, pages that lose nothing, and many waiting readers served by one query
(reference 3.7).

Offset paging skips records when earlier ones are deleted between two pages. So a page is found by time: it holds what
changed since the last whole second of the page before. Records that share one second and fill more than a page are read
by id within that second. Without a start, all records are read by id.

By id, a page begins somewhat before its position, because records before it may be gone by then: deleted, or changed
and so no longer of that second. Only a page that shows a record which was seen before follows without a gap; one that
shows none is read again from further back.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from erp.quickbooks_online import wire
from erp.quickbooks_online.client import QuickBooksClient, clock_of
from erp.quickbooks_online.wire import Entity
from erp.transport import malformed

MOST = 1000
"""Records of one query at most."""

AT_ONCE = 1000
"""Ids in one query by id."""

OVERLAP = 20
"""Records of the page before that are read with the next one: if no more are gone in between, one read is enough."""

BACK = 500
"""How far back a page is read again that shows nothing of the one before it; then all is read from the beginning."""

MOST_RESTARTS = 5
"""How often all is read from the beginning: more would be an ERP whose pages never follow each other."""


class Listing(NamedTuple):
    """Some records, where the next ones begin (None: there are none), and the server's clock when it answered."""

    records: list[Entity]
    after: str | None
    at: datetime
    began: str | None = None
    """Of a reading without a start: the second in which its first page was read. What changed since then may be newer
    than what was read, so the next reading begins there."""


class Place(NamedTuple):
    """Where a page begins: at a second, or at a position by id in the records of one second or of all."""

    since: str | None
    """Cursor text; None: no limit by time."""
    position: int = 0
    """Position by id; 0: the page is ordered by time."""
    seen: tuple[str, ...] = ()
    """The last ids that were seen. Whatever stands before one of them was seen too."""
    began: str | None = None

    @classmethod
    def of(cls, after: str) -> "Place":
        since, position, seen, began = json.loads(after)
        return cls(since, position, tuple(seen), began)

    def __str__(self) -> str:
        return json.dumps([self.since, self.position, list(self.seen), self.began], separators=(",", ":"))


class _Following(NamedTuple):
    """A page that follows another without a gap: its records that were not seen before, and where the next one is."""

    fresh: list[Entity]
    is_last: bool
    position: int
    seen: tuple[str, ...]
    at: datetime


class Reader:
    """Reads the records of one connection's company."""

    def __init__(self, client: QuickBooksClient, *, page_size: int | None) -> None:
        self._client = client
        self._size = min(page_size or MOST, MOST)
        self._by_id: dict[str, _Waiting] = {}

    # --- pages --------------------------------------------------------------------------------------------------

    async def page(self, entity: str, after: str | None, *, since: str | None, where: Iterable[str] = ()) -> Listing:
        """Read a page of records changed since a cursor, in the order in which they changed; without a cursor all
        records, by id. `where` are further conditions.

        Raises:
            ErpError: The ERP failed, or a whole page came without times of modification.
        """
        place = Place.of(after) if after else Place(since, 0 if since is not None else 1)
        if place.position:
            return await self._by_position(entity, place, where)
        assert place.since is not None, "a page ordered by time begins at one"
        conditions = [*where, f"MetaData.LastUpdatedTime >= {_time(place.since)}"]
        rows, count, at = await self._rows(entity, conditions, "MetaData.LastUpdatedTime", 1, self._size)
        if count < self._size:
            return Listing(rows, None, at)
        seconds = sorted(filter(None, map(_second, rows)))
        if not seconds:
            raise malformed(f"A whole page of {entity} came without modification times.")
        last = seconds[-1]
        if seconds[0] == last:
            # One second fills the page, so time alone would not lead beyond it.
            return await self._by_position(entity, Place(last, 1), where)
        return Listing([row for row in rows if _second(row) != last], str(Place(last)), at)

    async def _by_position(self, entity: str, place: Place, where: Iterable[str]) -> Listing:
        """Read a page by id, so that none is left out between the page before and this one."""
        conditions, end = list(where), None
        if place.since is not None:
            end = wire.moment_text(wire.moment(place.since) + timedelta(seconds=1))
            conditions += [
                f"MetaData.LastUpdatedTime >= {_time(place.since)}",
                f"MetaData.LastUpdatedTime < {_time(end)}",
            ]
        read = await self._following(entity, conditions, place)
        began = place.began or (wire.moment_text(read.at - timedelta(seconds=1)) if place.since is None else None)
        if read.is_last:
            return Listing(read.fresh, None if end is None else str(Place(end)), read.at, began)
        return Listing(read.fresh, str(Place(place.since, read.position, read.seen, began)), read.at, began)

    async def _following(self, entity: str, conditions: Sequence[str], place: Place) -> "_Following":
        """Read the page at a place. It shows a record that was seen before, or is the first one."""
        for back in (OVERLAP, BACK, place.position):
            start = max(1, place.position - back)
            asked = min(self._size + place.position - start, MOST)
            rows, count, at = await self._rows(entity, conditions, "Id", start, asked)
            ids = [_id(row) for row in rows]
            known = max((at_row for at_row, one in enumerate(ids) if one in place.seen), default=None)
            if start == 1 or known is not None:
                break
        fresh = rows if known is None else rows[known + 1 :]
        seen = tuple(dict.fromkeys((*place.seen, *ids)))[-2 * OVERLAP :]
        return _Following(fresh, count < asked, start + count, seen, at)

    async def all(self, entity: str, *where: str, order: str = "Id", look_up: bool = False) -> list[Entity]:
        """Read all records that meet the conditions; `look_up` as in `QuickBooksClient.query`.

        Raises:
            MalformedAnswer: pages did not follow each other, however often they were read.
        """
        records: dict[str, Entity] = {}
        start, restarts = 1, 0
        while True:
            rows, count, _ = await self._rows(entity, where, order, start, MOST, look_up=look_up)
            if start > 1 and not any(_id(row) in records for row in rows):
                restarts += 1
                if restarts > MOST_RESTARTS:
                    raise malformed(f"The pages of {entity} do not follow each other.")
                start = max(1, start - BACK) if restarts % 2 else 1
                continue
            records |= {_id(row): row for row in rows}
            if count < MOST:
                return list(records.values())
            start += count - OVERLAP

    async def ids(self, entity: str) -> set[str]:
        """Return the ids of all records of a kind: one call per thousand."""
        ids: set[str] = set()
        start = 1
        while True:
            answer = await self._client.query(
                f"SELECT Id FROM {entity} ORDERBY Id STARTPOSITION {start} MAXRESULTS {MOST}"
            )
            rows = wire.parts(wire.part(answer, "QueryResponse"), entity)
            ids.update(_id(row) for row in rows)
            if len(rows) < MOST:
                return ids
            start += MOST

    async def _rows(
        self, entity: str, where: Iterable[str], order: str, start: int, most: int, *, look_up: bool = False
    ) -> tuple[list[Entity], int, datetime]:
        """Return the records of one query, each once, how many rows came, and the server's clock."""
        conditions = " AND ".join(where)
        statement = f"SELECT * FROM {entity}{' WHERE ' + conditions if conditions else ''} ORDERBY {order}"
        answer = await self._client.query(f"{statement} STARTPOSITION {start} MAXRESULTS {most}", look_up=look_up)
        rows = wire.parts(wire.part(answer, "QueryResponse"), entity)
        # A page that is being changed may show a record twice.
        once = {_id(row) or str(place): row for place, row in enumerate(rows)}
        return list(once.values()), len(rows), clock_of(answer)

    # --- by id --------------------------------------------------------------------------------------------------

    async def by_ids(self, entity: str, ids: Iterable[str]) -> "Shown":
        """Return the records with these ids, those that exist. Whoever asks while a query of the same kind runs waits
        for the next one, which serves all who wait."""
        waiting = self._by_id.setdefault(entity, _Waiting())
        return await waiting.ask(frozenset(ids), lambda wanted: self._many(entity, wanted))

    async def _many(self, entity: str, ids: Sequence[str]) -> "Shown":
        records: dict[str, Entity] = {}
        at: datetime | None = None
        for start in range(0, len(ids), AT_ONCE):
            batch = ids[start : start + AT_ONCE]
            listed = ", ".join(wire.quoted(one) for one in batch)
            rows, _, answered = await self._rows(entity, [f"Id IN ({listed})"], "Id", 1, MOST)
            at = min(at, answered) if at is not None else answered
            records |= {_id(row): row for row in rows}
        assert at is not None, "somebody asked for a record"
        return Shown(records, at)


class Shown(NamedTuple):
    """Records by id, and the server's clock when it showed the first of them."""

    records: Mapping[str, Entity]
    at: datetime


ReadMany = Callable[[Sequence[str]], Awaitable[Shown]]


class _Waiting:
    """Those who wait for records of one kind."""

    def __init__(self) -> None:
        self._asked: list[tuple[frozenset[str], asyncio.Future[Shown]]] = []
        self._runs: asyncio.Task[None] | None = None

    async def ask(self, ids: frozenset[str], read: ReadMany) -> Shown:
        future: asyncio.Future[Shown] = asyncio.get_running_loop().create_future()
        self._asked.append((ids, future))
        if self._runs is None or self._runs.done():
            self._runs = asyncio.create_task(self._serve(read))
        return await future

    async def _serve(self, read: ReadMany) -> None:
        while self._asked:
            asked, self._asked = self._asked, []
            wanted = sorted({one for ids, _ in asked for one in ids})
            try:
                shown = await read(wanted)
            except Exception as error:  # noqa: BLE001 it belongs to those who wait
                for _, future in asked:
                    if not future.done():
                        future.set_exception(error)
                continue
            for ids, future in asked:
                if not future.done():
                    records = {one: shown.records[one] for one in ids if one in shown.records}
                    future.set_result(Shown(records, shown.at))


def _id(entity: Entity) -> str:
    return wire.text(entity, "Id") or ""


def _second(entity: Entity) -> str:
    """Return the second in which a record changed, as a cursor; empty if that cannot be read."""
    try:
        return wire.moment_text(wire.instant(wire.text(wire.part(entity, "MetaData"), "LastUpdatedTime") or ""))
    except ValueError:
        return ""


def _time(cursor: str) -> str:
    return wire.quoted(wire.query_time(wire.moment(cursor)))
