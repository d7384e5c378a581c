"""Read what orders and receipts have in common as Purchasing documents: their headers, and what changed (reference
2.5)."""

from contextlib import suppress
from datetime import datetime, timedelta

from erp.intacct import translate, wire
from erp.intacct.reader import Fetched, IntacctReader
from erp.intacct.translate import Unusable
from erp.intacct.wire import Query, Row

OVERLAP = timedelta(hours=2)
"""How far reads look back behind a cursor: Intacct's reads lag behind its writes (reference 2.5 point 4)."""

OLDEST = "01/01/1970 00:00:00"


def look_back(since: str, overlap: timedelta = OVERLAP) -> str:
    """Return a cursor moved back by the overlap, in the gateway's format. One too early becomes the oldest day."""
    try:
        start = datetime.fromisoformat(since) - overlap
    except (ValueError, OverflowError):
        return OLDEST
    return wire.generic_time(start) if start.year >= 1970 else OLDEST


def changed_since(since: str | None, created_field: str = "AUWHENCREATED") -> str:
    """Return the condition for changed records. A record that never changed has no modification time (reference 2.5
    point 2)."""
    if since is None:
        return ""
    start = look_back(since)
    return wire.any_of(
        wire.at_least("WHENMODIFIED", start),
        wire.all_of(wire.missing("WHENMODIFIED"), wire.at_least(created_field, start)),
    )


def header_query(template: str, where: str, after: str | None = None) -> Query:
    """Return the query for the headers of one transaction definition."""
    # `docparid` loads the definition's custom fields; that it also filters is not promised (reference 2.8).
    return Query(
        "PODOCUMENT",
        translate.HEADER_FIELDS,
        wire.all_of(wire.equal("DOCPARID", template), where),
        optional=translate.HEADER_OPTIONAL,
        after=after,
        docparid=template,
    )


def touched_lines_query(template: str, since: str, after: str | None = None) -> Query:
    """Return the query for documents whose lines changed: one row per document, with its latest line change."""
    return Query(
        "PODOCUMENTENTRY",
        ("DOCHDRNO",),
        wire.all_of(wire.equal("DOCPARID", template), wire.at_least("WHENMODIFIED", look_back(since))),
        key="DOCHDRNO",
        after=after,
        maxima=("WHENMODIFIED",),
    )


def onward_query(where: str) -> Query:
    """Return the query for lines that were converted from other lines."""
    fields = ("RECORDNO", "DOCHDRID", "DOCPARID", "UIQTY", "SOURCE_DOCID", "SOURCE_DOCLINEKEY")
    return Query("PODOCUMENTENTRY", fields, where, optional=("STATE",))


class Documents:
    """Reads the changed documents of one connection, whatever their definition."""

    def __init__(self, reader: IntacctReader, home_level: str | None) -> None:
        self._reader = reader
        self._level = home_level

    async def changed_headers(
        self, template: str, since: str | None, where: str, after: str | None
    ) -> tuple[list[Row], str | None]:
        """Return the headers that changed, or whose lines changed: a line's change need not change its header (2.5
        point 5).

        Both are read in one request, and kept in step by the header's number.
        """
        queries = [header_query(template, wire.all_of(where, changed_since(since)), after)]
        if since is not None:
            queries.append(touched_lines_query(template, since, after))
        fetched = await self._reader.first_pages(queries, level=self._level)
        rows = fetched[0].rows
        # The page ends where the shorter of the two readings ends.
        ends = [int(page.last) for page in fetched if page.more and page.last is not None]
        end = min(ends) if ends else None
        if end is not None:
            rows = [row for row in rows if _up_to(row.get("RECORDNO"), end)]
        if len(fetched) > 1:
            rows = await self._with_quiet_headers(template, where, rows, fetched[1], end)
        return rows, None if end is None else str(end)

    async def _with_quiet_headers(
        self, template: str, where: str, rows: list[Row], touched: Fetched, end: int | None
    ) -> list[Row]:
        latest: dict[str, str] = {}
        unreadable: dict[str, str] = {}
        for row in touched.rows:
            number, time = row.get("DOCHDRNO"), row.get("MAX.WHENMODIFIED")
            if number is None or time is None or not _up_to(number, end):
                continue
            try:
                latest[number] = wire.sortable_time(time)
            except ValueError:
                latest[number] = ""
                unreadable[number] = time
        quiet = sorted(latest.keys() - {row.get("RECORDNO") for row in rows})
        if quiet:
            result = header_query(template, wire.all_of(where, wire.one_of("RECORDNO", quiet)))
            (missed,) = await self._reader.all_rows([result], level=self._level)
            rows = [*rows, *missed]
        for row in rows:
            if said := unreadable.get(row.get("RECORDNO", "")):
                row["WHENMODIFIED"] = said  # its translation reports it, by name
            touch = latest.get(row.get("RECORDNO", ""))
            # `order_header` reports a header's time that cannot be read.
            with suppress(Unusable):
                if touch and (translate.line_revision(row) or "") < touch:
                    row["WHENMODIFIED"] = touch
        return rows


def _up_to(number: str | None, end: int | None) -> bool:
    """Return whether a record belongs to a page that ends there. One without a number stays, to be reported as bad."""
    return end is None or number is None or not number.isdecimal() or int(number) <= end
