"""Read streams of records in windows of time, each in one exchange whose answer may come in several parts.

qbXML has no offset, and an iterator dies with its session. So a long stream is cut into windows; a window that its
session did not end is read again from its start, by the door (`services/web_connector`), and what was read of it is
stored in parts that any process can go on with: `after` names the window and the part.

Times are QuickBooks' own text without offset, and go back as they are (reference 2.2). What cannot be known is what
time it is there now: so a stream's cursor is the highest time it has seen, less the time the reading took.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from lxml import etree

from erp.quickbooks_desktop import fields, wire
from erp.quickbooks_desktop.client import Client, records_of
from erp.quickbooks_desktop.envelope import Answer
from erp.quickbooks_desktop.fields import Unusable
from erp.quickbooks_desktop.wire import Part

OVERLAP = timedelta(minutes=5)
"""How far before its cursor a stream is read."""

CLOCKS_CHANGE = timedelta(hours=2, minutes=5)
"""The same around a change of clocks: an hour comes twice in autumn."""

CHANGE_MONTHS = (3, 4, 9, 10, 11)
"""Months in which clocks change somewhere; they do so in the nights to Sunday, or in a few countries to Saturday."""

CHANGE_DAYS = (4, 5, 6, 0)

WINDOW = timedelta(days=31)

FORM = "%Y-%m-%d %H:%M:%S"


class Leg(NamedTuple):
    """One exchange of a stream: a question for each kind of record it reads."""

    kinds: tuple[str, ...]
    """Names of requests without `QueryRq`; the last one is iterated if `iterated`."""
    iterated: bool
    records: tuple[str, ...]
    """Names of the records in the answer."""
    may_be_off: tuple[str, ...] = ()
    """Names of requests, with `Query`, about features that a company may do without: then it has no records of them."""


class Listing(NamedTuple):
    """Some records of a stream, and where it goes on."""

    records: Sequence[etree._Element]
    after: str | None
    high_water: str | None


class Place(NamedTuple):
    """Where the reading of a stream goes on."""

    leg: int = 0
    start: str | None = None
    """The start of the window."""
    name: str | None = None
    """The stored answer; None: it is still to be asked."""
    part: int = 1
    pages: int = 1
    took: float = 0.0
    """Seconds that QuickBooks took for the answers so far."""

    @classmethod
    def of(cls, after: str | None) -> "Place | None":
        """Return the place that a text names."""
        return None if after is None else cls(*json.loads(after))

    def text(self) -> str:
        """Return the place as a text."""
        return json.dumps(self)

    def following(self, end: str | None, legs: int, since: str | None) -> "Place | None":
        """Return the next place: another part, the next window, the next leg; None: there is none."""
        if self.part < self.pages:
            return self._replace(part=self.part + 1)
        if end is not None:
            return Place(self.leg, end, took=self.took)
        return Place(self.leg + 1, since, took=self.took) if self.leg + 1 < legs else None


class Reader:
    """Reads the streams of one connection."""

    def __init__(self, client: Client, page_size: int | None) -> None:
        self._client = client
        self._page_size = page_size

    async def page(
        self,
        legs: Sequence[Leg],
        *,
        since: str | None,
        after: str | None,
        more: Sequence[Part | None] = (),
        lists: bool = False,
        ordered_from: str | None = None,
    ) -> Listing:
        """Read on in a stream, until some hundred records are there or its end. `more` are the parts of each question
        behind its filters; `lists`: the records are list entries, whose filters are others. `ordered_from`, a day,
        takes the place of a cursor.

        Raises:
            Deferred: QuickBooks has not answered yet.
        """
        place = Place.of(after) or Place(start=since)
        records: dict[str, etree._Element] = {}
        while True:
            leg = legs[place.leg]
            end = self._end_of_window(place.start) if leg.iterated else None
            answer = None if place.name is None else await self._part(leg, place.name, place.part)
            if answer is None:
                questions = self._questions(leg, place.start, end, more=more, lists=lists, ordered_from=ordered_from)
                stored = await self._client.ask_paged(f"{'+'.join(leg.kinds)}/{place.start}", *questions)
                place = Place(place.leg, place.start, stored.name, 1, stored.pages, place.took + stored.seconds)
                answer = await self._part(leg, stored.name, 1)
            for record in records_of(answer.responses, leg.records) if answer is not None else ():
                # What is shown twice, because it changed meanwhile, counts once.
                records[wire.text(record, "TxnID") or wire.text(record, "ListID") or str(len(records))] = record
            took = place.took
            following = place.following(end, len(legs), since)
            if following is None or len(records) >= ENOUGH:
                shown = list(records.values())
                return Listing(shown, None if following is None else following.text(), high_water(shown, took))
            place = following

    async def _part(self, leg: Leg, name: str, number: int) -> Answer | None:
        return await self._client.part_of(name, number, may_be_off=leg.may_be_off)

    def _questions(
        self,
        leg: Leg,
        start: str | None,
        end: str | None,
        *,
        more: Sequence[Part | None],
        lists: bool,
        ordered_from: str | None,
    ) -> list[str]:
        """Return the questions of one exchange."""
        ends = None if end is None else wire.sent_time(end)
        questions: list[str] = []
        for place, kind in enumerate(leg.kinds):
            # What was switched off may be older than the cursor, and is read all the same.
            from_start = start is None or f"{kind}Query" in leg.may_be_off
            begins = None if start is None or from_start else wire.sent_time(look_back(start))
            iterated = leg.iterated and place == len(leg.kinds) - 1
            if lists:
                filters = [
                    wire.part("ActiveStatus", "All"),
                    wire.part("FromModifiedDate", begins),
                    wire.part("ToModifiedDate", ends),
                ]
            elif ordered_from is not None and start is None:
                filters = [wire.group("TxnDateRangeFilter", wire.part("FromTxnDate", ordered_from))]
            else:
                filters = [
                    wire.group(
                        "ModifiedDateRangeFilter",
                        wire.part("FromModifiedDate", begins),
                        wire.part("ToModifiedDate", ends),
                    )
                ]
            size = wire.part("MaxReturned", str(self._page_size or PAGE_SIZE)) if iterated else None
            questions.append(wire.request(f"{kind}Query", size, *filters, *more, key=kind, iterated=iterated))
        return questions

    @staticmethod
    def _end_of_window(start: str | None) -> str | None:
        """Return the end of the window that begins here; None: it is open, as its end may lie in the future there."""
        if start is None:
            return None
        end = moment(start) + WINDOW
        now = datetime.now(UTC).replace(tzinfo=None)
        return end.strftime(FORM) if end < now - timedelta(days=1) else None


ENOUGH = 500
"""Records after which a page ends, though more are stored or a further exchange would show more: what a page costs
besides its records is shared by many, and some megabytes of XML are in memory at once."""

PAGE_SIZE = 100
"""Records of one part of an answer: some hundred kilobytes."""


def high_water(records: Sequence[etree._Element], seconds: float) -> str | None:
    """Return the highest time of the records, less the time that it took to read them."""
    times: list[str] = []
    for record in records:
        try:
            times.append(fields.changed_at(record))
        except Unusable:
            continue  # the record is reported by name
    if not times:
        return None
    return (moment(max(times)) - timedelta(seconds=seconds)).strftime(FORM)


def look_back(cursor: str) -> str:
    """Return the time from which a stream is read: somewhat before its cursor."""
    at = moment(cursor)
    changes = at.month in CHANGE_MONTHS and at.weekday() in CHANGE_DAYS
    return (at - (CLOCKS_CHANGE if changes else OVERLAP)).strftime(FORM)


def moment(cursor: str) -> datetime:
    """Return a cursor as a time of the clock there, in no time zone."""
    return datetime.strptime(cursor[:19].replace("T", " "), FORM)  # noqa: DTZ007 it is of no time zone we know
