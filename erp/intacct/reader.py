"""Read with `query`: pages checked against their own counts, several queries in one request (reference 2.1)."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from lxml import etree

from erp.errors import ErpError
from erp.intacct import wire
from erp.intacct.client import IntacctClient
from erp.intacct.wire import Query, Result, Row
from erp.transport import malformed

_log = logging.getLogger(__name__)

BATCH = 200
"""Rows handed out at a time, so that a page of 2,000 does not block a worker's event loop."""

OWNED_AT_ONCE = 500
"""Records that one request reads with the lines they own: the next ones are under way while these are taken apart."""

FIELD_ROUNDS = 3
"""How often one read may learn of fields that the tenant lacks, before that counts as an error."""


class Fetched(NamedTuple):
    """One page. `last` is the key to resume behind while `more` says that there are more rows. `absent`: this company
    or user does not have the object, and the query allowed for that."""

    rows: list[Row]
    more: bool
    last: str | None
    absent: bool = False


class IntacctReader:
    """Reads one connection by query. `level` defaults to the connection's own."""

    def __init__(self, client: IntacctClient, *, page_size: int | None) -> None:
        self._client = client
        self.page_size = min(page_size or wire.MAX_PAGE_SIZE, wire.MAX_PAGE_SIZE)
        self._unreadable: dict[str, set[str]] = {}

    async def first_pages(self, queries: Sequence[Query], *, level: str | None) -> list[Fetched]:
        """Return the next page of each query, all read in one request.

        Raises:
            ErpError: the first function's error.
            MalformedAnswer: a page does not agree with its own counts.
        """
        pages, _ = await self._together(queries, (), level)
        return pages

    async def pages_and_record(
        self, queries: Sequence[Query], object_name: str, key: str, *, level: str | None
    ) -> tuple[list[Fetched], etree._Element | None]:
        """Return the next page of each query and one whole record, all read in one request."""
        pages, (result,) = await self._together(queries, [wire.read(object_name, [key])], level)
        return pages, next(iter(result.rows_element()), None)

    async def pages_and_result(
        self, queries: Sequence[Query], function: str, *, level: str | None
    ) -> tuple[list[Fetched], Result]:
        """Return the next page of each query and the result of another function, all in one request."""
        pages, (result,) = await self._together(queries, [function], level)
        return pages, result

    async def _together(
        self, queries: Sequence[Query], others: Sequence[str], level: str | None
    ) -> tuple[list[Fetched], list[Result]]:
        for _ in range(FIELD_ROUNDS):
            results = await self._client.read([*(self._xml(query, level) for query in queries), *others], level=level)
            answered = list(zip(queries, results, strict=False))
            # Which dimensions and modules a tenant has shows only here (section 2.6: the list is per tenant).
            learnt = [self._learn(query, result) for query, result in answered]
            if not any(learnt):
                break
        return [_page(query, result) for query, result in answered], results[len(queries) :]

    async def all_rows(self, queries: Sequence[Query], *, level: str | None) -> list[list[Row]]:
        """Return all rows of each query. What does not fit one page is read on, again together."""
        results: list[list[Row]] = [[] for _ in queries]
        open_queries = dict(enumerate(queries))
        while open_queries:
            fetched = await self.first_pages(list(open_queries.values()), level=level)
            for number, page in zip(list(open_queries), fetched, strict=True):
                results[number].extend(page.rows)
                if page.more:
                    open_queries[number] = replace(open_queries[number], after=page.last)
                else:
                    del open_queries[number]
        return results

    async def pages(self, query: Query, *, level: str | None) -> AsyncIterator[list[Row]]:
        """Return the rows of one query, in batches. The next page is requested while the caller works on this one."""
        asked = asyncio.ensure_future(self.first_pages([query], level=level))
        try:
            while True:
                (page,) = await asked
                if page.more:
                    query = replace(query, after=page.last)
                    asked = asyncio.ensure_future(self.first_pages([query], level=level))
                    # Let the request go out before the caller's work holds the loop.
                    await asyncio.sleep(0)
                for start in range(0, len(page.rows), BATCH):
                    yield page.rows[start : start + BATCH]
                    await asyncio.sleep(0)
                if not page.more:
                    return
        finally:
            asked.cancel()

    async def read_owned(
        self, object_name: str, records: Sequence[Row], *, level: str | None
    ) -> dict[str, etree._Element]:
        """Read records with the lines they own, by RECORDNO. A record that is not shown is absent from the result.

        Raises:
            MalformedAnswer: the answer breaks the protocol.
        """
        by_id: dict[str, etree._Element] = {}
        async for _, some in self.owned(object_name, records, level=level):
            by_id |= some
        return by_id

    async def owned(
        self, object_name: str, records: Sequence[Row], *, level: str | None
    ) -> AsyncIterator[tuple[list[Row], dict[str, etree._Element]]]:
        """Read records with the lines they own, and return them a few hundred at a time: those that were asked for, and
        those that are shown by RECORDNO. The next ones are requested while the caller works on these.

        Unlike `query`, `read` has no switch for private records. So from the top level each record is read at the level
        that owns it (MEGAENTITYID; reference 7.1).

        Raises:
            MalformedAnswer: the answer breaks the protocol.
        """
        by_level: defaultdict[str | None, list[Row]] = defaultdict(list)
        for record in records:
            by_level[level or record.get("MEGAENTITYID")].append(record)
        parts = [
            (owner, owned[start : start + OWNED_AT_ONCE])
            for owner, owned in by_level.items()
            for start in range(0, len(owned), OWNED_AT_ONCE)
        ]
        asked: asyncio.Task[list[Result]] | None = None
        try:
            for place, (owner, some) in enumerate(parts):
                results = await (asked or self._read_some(object_name, some, owner))
                asked = None
                if place + 1 < len(parts):
                    following, more = parts[place + 1]
                    asked = asyncio.ensure_future(self._read_some(object_name, more, following))
                    # Let the request go out before the caller's work holds the loop.
                    await asyncio.sleep(0)
                yield some, _by_number(object_name, results)
        finally:
            if asked is not None:
                asked.cancel()

    async def _read_some(self, object_name: str, records: Sequence[Row], level: str | None) -> list[Result]:
        keys = [record["RECORDNO"] for record in records]
        batches = [keys[start : start + wire.MAX_READ_KEYS] for start in range(0, len(keys), wire.MAX_READ_KEYS)]
        return await self._client.read([wire.read(object_name, batch) for batch in batches], level=level)

    def _xml(self, query: Query, level: str | None) -> str:
        return query.xml(
            page_size=self.page_size,
            show_private=level is None,
            without=self._unreadable.get(query.object, ()),
        )

    def _learn(self, query: Query, result: Result) -> bool:
        if result.fault is None or result.fault.code != "FIELD_NOT_READABLE":
            return False
        said = _words(result.fault)
        known = self._unreadable.setdefault(query.object, set())
        refused = {field for field in query.optional if field in said} - known
        known |= refused
        return bool(refused)


def _by_number(object_name: str, results: Sequence[Result]) -> dict[str, etree._Element]:
    by_id: dict[str, etree._Element] = {}
    for element in (element for result in results for element in result.rows_element()):
        number = element.findtext("RECORDNO")
        if not number:
            raise malformed(f"A {object_name} came without its record number.", writing=False)
        by_id[number] = element
    return by_id


def _words(fault: ErpError) -> set[str]:
    text = " ".join((fault.message, *fault.evidence.values()))
    return {term.strip(".,;:'\"()[]") for term in text.replace(",", " ").split()}


def _page(query: Query, result: Result) -> Fetched:
    """Return a page whose rows agree with its own counts and order: a page that was cut short must not count as whole.

    Raises:
        MalformedAnswer: they do not agree.
    """
    if result.fault is not None and result.fault.code in query.absent_by:
        _log.info("Intacct does not offer %s to this company; it is left out", query.object)
        return Fetched([], False, None, absent=True)
    data = result.rows_element()
    shown = wire.rows(data)
    rows = _once(query, shown)
    count, remaining = _number(data, "count"), _number(data, "numremaining")
    if count is not None and count not in (len(rows), len(shown)):
        raise malformed(f"A page of {query.object} says it has {count} records and has {len(shown)}.", writing=False)
    if not rows:
        if remaining:
            raise malformed(f"An empty page of {query.object} says more remain.", writing=False)
        return Fetched([], False, None)
    more = bool(remaining)
    if not more:
        return Fetched(rows, False, None)
    # A record without a whole key is reported by its translation; the others still say where the page ends.
    keys = [int(row[query.key]) for row in rows if row.get(query.key, "").isdecimal()]
    if not keys:
        raise malformed(f"A page of {query.object} came without a whole {query.key}.", writing=False)
    behind = int(query.after or -1)
    if any(later < earlier for earlier, later in zip([behind, *keys], keys, strict=False)) or keys[-1] <= behind:
        raise malformed(f"A page of {query.object} is not in the order asked for.", writing=False)
    return Fetched(rows, True, str(keys[-1]))


def _once(query: Query, rows: list[Row]) -> list[Row]:
    """Return each record once. A page may show a record twice while it is being changed; the later one is kept."""
    # Rows without a key stay, so that they are named as bad records rather than lost.
    by_key = {row.get(query.key) or number: row for number, row in enumerate(rows)}
    return rows if len(by_key) == len(rows) else [*by_key.values()]


def _number(data: etree._Element, name: str) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        raise malformed(f"A page's {name} is not a number.", writing=False) from None
