"""Read: searches by page, records by id, the delete feed, the server's clock (reference 3.2, 3.3).

Pages are read by key, not by number. `searchMoreWithId` runs the search again for each page, so rows move past a page
boundary when others leave the result meanwhile, and its id expires after a quarter of an hour. Instead, each page is a
new search for ids higher than the last row's, of which only the first page is used. This needs rows in ascending order,
which NetSuite keeps but does not promise: every page is checked, and numbered pages are the fall-back.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from lxml import etree

from erp.errors import ErpError, NotFound, Rejected
from erp.netsuite import faults, wire
from erp.netsuite.client import NetSuiteClient
from erp.netsuite.wire import NsRecord
from erp.transport import malformed

_log = logging.getLogger(__name__)

BODY_PAGE = 1000
"""Rows of a page without sublists: NetSuite's maximum (3.1)."""

WHOLE_PAGE = 100
"""Rows of a page with sublists: NetSuite has to load a whole record for each row."""

SMALLEST_PAGE = 5

GET_AT_ONCE = 100
"""Records of one `getList`. NetSuite allows 1000 (3.5), but the answer should come within the time limit."""

PAGE_GONE = ("INVALID_PAGE_INDEX", "INVALID_SEARCH_PAGE_INDEX")
"""The code that says that the result has fewer pages than before."""

WALKS = 3
"""How often all numbered pages are read again because the result changed meanwhile."""


class Search(NamedTuple):
    """What to search: a `...SearchBasic` type of the schema and its criteria."""

    basic: str
    criteria: Mapping[str, Any] = {}
    whole: bool = False
    """True: with sublists."""


class Place(NamedTuple):
    """Where to resume: behind which internal id, how many rows were seen, and how many must be left."""

    last: int = 0
    seen: int = 0
    left: int | None = None

    def __str__(self) -> str:
        return f"{self.last}.{self.seen}.{self.left or 0}"

    @classmethod
    def of(cls, after: str | None) -> "Place":
        """Return the place that an `after` text names."""
        if after is None:
            return cls()
        last, seen, left = (int(part) for part in after.split("."))
        return cls(last, seen, left)


class Listing(NamedTuple):
    """One page. `after` resumes behind it; None: it was the last page."""

    records: list[NsRecord]
    after: str | None


class _Answer(NamedTuple):
    """One answer of a search, unchanged."""

    records: list[NsRecord]
    total: int
    pages: int
    search_id: str


class Reader:
    """Reads one connection."""

    def __init__(self, client: NetSuiteClient, *, page_size: int | None) -> None:
        self._client = client
        self.body_page = max(SMALLEST_PAGE, min(page_size or BODY_PAGE, BODY_PAGE))
        self.whole_page = max(SMALLEST_PAGE, min(page_size or WHOLE_PAGE, WHOLE_PAGE))

    # --- searches -----------------------------------------------------------------------------------------------

    async def page(self, search: Search, after: str | None = None) -> Listing:
        """Return a page of records in the order of their ids.

        Raises:
            MalformedAnswer: the page is not whole.
        """
        place = Place.of(after)
        answer = await self._ask(search, above=place.last)
        if place.left is not None and answer.total < place.left and await self._missed(search, place):
            return Listing(await self._all_pages(search), None)
        if answer.pages <= 1:
            return Listing(_once(answer.records), None)
        ids = [int(record.id) for record in answer.records]
        if ids != sorted(ids) or ids[0] <= place.last:
            _log.info("NetSuite gives %s in another order than by id; all its pages are read", search.basic)
            return Listing(await self._all_pages(search), None)
        records = _once(answer.records)
        return Listing(records, str(Place(ids[-1], place.seen + len(records), answer.total - len(records))))

    async def some(self, search: Search) -> list[NsRecord]:
        """Return a few records, as a sample or to test a right."""
        return (await self._run(search, SMALLEST_PAGE)).records

    async def all(self, search: Search) -> list[NsRecord]:
        """Return all records of a search."""
        records: list[NsRecord] = []
        after: str | None = None
        while True:
            listing = await self.page(search, after)
            records += listing.records
            after = listing.after
            if after is None:
                return _once(records)

    async def _missed(self, search: Search, place: Place) -> bool:
        """Return whether rows with a lower id are missing because they never came, not because they were deleted."""
        criteria = dict(search.criteria)
        criteria["internalIdNumber"] = {"operator": "lessThanOrEqualTo", "searchValue": place.last}
        below = await self._run(search._replace(criteria=criteria, whole=False), SMALLEST_PAGE)
        return below.total > place.seen

    async def _ask(self, search: Search, *, above: int = 0) -> _Answer:
        criteria = dict(search.criteria)
        if above:
            criteria["internalIdNumber"] = {"operator": "greaterThan", "searchValue": above}
        return await self._run(search._replace(criteria=criteria), self.whole_page if search.whole else self.body_page)

    async def _run(self, search: Search, size: int) -> _Answer:
        soap = await self._client.soap()
        record = soap.make("common", search.basic, **search.criteria)
        answer = await self._client.call("search", {"searchRecord": record}, search=_preferences(search, size))
        return _answer(answer)

    async def _all_pages(self, search: Search) -> list[NsRecord]:
        """Return the records of every page by number; read again while the result changes meanwhile.

        Raises:
            MalformedAnswer: the result never stayed the same for one reading.
        """
        for _ in range(WALKS):
            first = await self._ask(search)
            records = list(first.records)
            try:
                for number in range(2, first.pages + 1):
                    more = await self._client.call(
                        "searchMoreWithId", {"searchId": first.search_id, "pageIndex": number}
                    )
                    page = _answer(more)
                    if page.total != first.total:
                        break
                    records += page.records
            except ErpError as error:
                if error.code != "SEARCH_EXPIRED" and error.erp_code not in PAGE_GONE:
                    raise
                continue
            whole = _once(records)
            if len(whole) == first.total:
                return sorted(whole, key=lambda record: int(record.id))
        raise malformed(f"The result of a {search.basic} changed at every attempt to read its pages.")

    async def columns(self, ids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return columns of transactions that their records do not show, by internal id (3.3)."""
        rows: dict[str, dict[str, str]] = {}
        for start in range(0, len(ids), BODY_PAGE):
            rows |= await self._columns(ids[start : start + BODY_PAGE], names)
        return rows

    async def _columns(self, ids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, str]]:
        soap = await self._client.soap()
        record = soap.make(
            "sales",
            "TransactionSearchAdvanced",
            criteria={"basic": {"internalId": any_of_ids(ids), "mainLine": yes()}},
            columns={"basic": {name: [{}] for name in ("internalId", *names)}},
        )
        preferences = {"bodyFieldsOnly": True, "returnSearchColumns": True, "pageSize": BODY_PAGE}
        answer = await self._client.call("search", {"searchRecord": record}, search=preferences)
        result = _result(answer, "searchResult")
        rows: dict[str, dict[str, str]] = {}
        for row in wire.children(wire.child(result, "searchRowList"), "searchRow"):
            basic = wire.child(row, "basic")
            values = {} if basic is None else {wire.local(column.tag): _column(column) for column in basic}
            rows[values.get("internalId", "")] = values
        return rows

    # --- by id --------------------------------------------------------------------------------------------------

    async def records(self, wanted: Sequence[tuple[str, str]]) -> dict[str, NsRecord | ErpError]:
        """Return records with sublists, by type and internal id: for each id the record, or the error that says why it
        is not shown."""
        result: dict[str, NsRecord | ErpError] = {}
        batches = [wanted[start : start + GET_AT_ONCE] for start in range(0, len(wanted), GET_AT_ONCE)]
        for part in await asyncio.gather(*(self._get(batch) for batch in batches)):
            result |= part
        return result

    async def record(self, kind: str, internal_id: str) -> NsRecord:
        """Return one record.

        Raises:
            NotFound: NetSuite does not show it.
        """
        return shown(await self.records([(kind, internal_id)]), internal_id)

    async def by_external_id(self, kind: str, external_id: str) -> NsRecord | None:
        """Return the record that carries our key, or None.

        Raises:
            ErpError: any other reason why it is not shown.
        """
        soap = await self._client.soap()
        wanted = [soap.make("core", "RecordRef", type=kind, externalId=external_id)]
        (outcome,) = await self._get_list(wanted)
        if isinstance(outcome, NotFound):
            return None
        if isinstance(outcome, ErpError):
            raise outcome
        return outcome

    async def _get(self, wanted: Sequence[tuple[str, str]]) -> dict[str, NsRecord | ErpError]:
        soap = await self._client.soap()
        outcomes = await self._get_list(
            [soap.make("core", "RecordRef", type=kind, internalId=id_) for kind, id_ in wanted]
        )
        return {internal_id: outcome for (_, internal_id), outcome in zip(wanted, outcomes, strict=True)}

    async def _get_list(self, wanted: Sequence[Any]) -> list[NsRecord | ErpError]:
        answer = await self._client.call("getList", {"baseRef": wanted})
        listed = wire.child(answer, "readResponseList")
        whole = None if listed is None else wire.status(listed)
        if whole is not None and not whole.success:
            raise faults.refusal(whole, writing=False)
        responses = list(wire.children(listed, "readResponse"))
        if len(responses) != len(wanted):
            raise malformed(f"{len(wanted)} records were asked for and {len(responses)} answered.")
        return [read_response(response) for response in responses]

    # --- the rest -----------------------------------------------------------------------------------------------

    async def initialize(self, kind: str, source: str, internal_id: str) -> NsRecord:
        """Return an unsaved record as NetSuite would make it from another one (3.4).

        Raises:
            ErpError: NetSuite's refusal.
        """
        body = {"initializeRecord": {"type": kind, "reference": {"type": source, "internalId": internal_id}}}
        response = wire.child(await self._client.call("initialize", body), "readResponse")
        if response is None:
            raise malformed("initialize was answered without a record.")
        outcome = read_response(response)
        if isinstance(outcome, ErpError):
            raise outcome
        return outcome

    async def all_of(self, record_type: str) -> list[NsRecord]:
        """Return the result of `getAll` for one of its few types (3.2)."""
        answer = await self._client.call("getAll", {"record": {"recordType": record_type}})
        result = _result(answer, "getAllResult")
        return [wire.ns_record(element) for element in wire.children(wire.child(result, "recordList"), "record")]

    async def select_values(self, field: str) -> list[wire.Ref]:
        """Return the values that a field of a bill's lines can have: custom segments and lists have no search of their
        own.

        Raises:
            ErpError: NetSuite's refusal, also of a field that is no list.
        """
        values: list[wire.Ref] = []
        page = pages = 1
        described = {"recordType": "vendorBill", "sublist": "itemList", "field": field}
        while page <= pages:
            answer = await self._client.call("getSelectValue", {"fieldDescription": described, "pageIndex": page})
            result = _result(answer, "getSelectValueResult")
            listed = wire.children(wire.child(result, "baseRefList"), "baseRef")
            values += [value for one in listed if (value := wire.ref({"value": one}, "value")) is not None]
            page, pages = page + 1, _number(result, "totalPages")
        return values

    async def server_time(self) -> datetime:
        """Return NetSuite's own clock: the right source of a cursor (3.2).

        Raises:
            MalformedAnswer: the answer has no time.
        """
        result = _result(await self._client.call("getServerTime", {}), "getServerTimeResult")
        said = wire.child(result, "serverTime")
        try:
            return wire.moment_of(wire.sortable_time((said.text if said is not None else None) or ""))
        except ValueError:
            raise malformed("NetSuite's clock cannot be read.") from None

    async def deleted(self, kinds: Sequence[str], since: datetime, page: int) -> tuple[list[etree._Element], int]:
        """Return a page of the delete feed, counted from 1, and how many pages there are.

        Raises:
            MalformedAnswer: the answer breaks the protocol.
        """
        filter_ = {
            "deletedDate": {"operator": "onOrAfter", "searchValue": since},
            "type": {"operator": "anyOf", "searchValue": list(kinds)},
        }
        answer = await self._client.call("getDeleted", {"getDeletedFilter": filter_, "pageIndex": page})
        result = _result(answer, "getDeletedResult")
        rows = list(wire.children(wire.child(result, "deletedRecordList"), "deletedRecord"))
        pages = _number(result, "totalPages")
        total = _number(result, "totalRecords")
        if pages <= 1 and total != len(rows):
            raise malformed(f"The delete feed says it has {total} records and shows {len(rows)}.")
        return rows, pages

    async def concurrency(self) -> int | None:
        """Return how many calls at once this integration may make; None: NetSuite does not say (6.3)."""
        result = _result(
            await self._client.call("getIntegrationGovernanceInfo", {}), "getIntegrationGovernanceInfoResult"
        )
        own = _number(result, "integrationConcurrencyLimit")
        if own:
            return own
        result = _result(await self._client.call("getAccountGovernanceInfo", {}), "getAccountGovernanceInfoResult")
        return _number(result, "unallocatedConcurrencyLimit") or _number(result, "accountConcurrencyLimit") or None


# --- criteria --------------------------------------------------------------------------------------------------


def any_of(*values: str) -> dict[str, Any]:
    """Return the criterion that an enumeration has one of the values."""
    return {"operator": "anyOf", "searchValue": list(values)}


def any_of_ids(ids: Sequence[str]) -> dict[str, Any]:
    """Return the criterion that a reference is one of the ids."""
    return {"operator": "anyOf", "searchValue": wire.refs(ids)}


def equal(value: str) -> dict[str, Any]:
    """Return the criterion that a text is this one."""
    return {"operator": "is", "searchValue": value}


def since(moment: datetime) -> dict[str, Any]:
    """Return the criterion of a time on or after the moment."""
    return {"operator": "onOrAfter", "searchValue": moment}


def yes() -> dict[str, Any]:
    """Return the criterion of a flag that is set."""
    return {"searchValue": True}


# --- answers ---------------------------------------------------------------------------------------------------


def shown(read: Mapping[str, NsRecord | ErpError], internal_id: str) -> NsRecord:
    """Return one of the records of `Reader.records`.

    Raises:
        ErpError: why it is not shown.
    """
    outcome = read[internal_id]
    if isinstance(outcome, ErpError):
        raise outcome
    return outcome


def _preferences(search: Search, size: int) -> dict[str, Any]:
    return {"bodyFieldsOnly": not search.whole, "returnSearchColumns": False, "pageSize": size}


def _result(answer: etree._Element, name: str) -> etree._Element:
    result = wire.child(answer, name)
    status = None if result is None else wire.status(result)
    if result is None or status is None:
        raise malformed(f"A read was answered without its {name}.")
    if not status.success:
        raise faults.refusal(status, writing=False)
    return result


def _answer(answer: etree._Element) -> _Answer:
    result = _result(answer, "searchResult")
    records = [wire.ns_record(element) for element in wire.children(wire.child(result, "recordList"), "record")]
    total, size = _number(result, "totalRecords"), _number(result, "pageSize")
    pages, index = _number(result, "totalPages"), _number(result, "pageIndex")
    expected = total if pages <= 1 else min(size, total - size * (max(index, 1) - 1))
    # A page may show a record twice while it is being changed.
    if expected not in (len(records), len(_once(records))):
        raise malformed(f"A page of a search says it has {expected} records and shows {len(records)}.")
    if not all(record.id.isdecimal() for record in records):
        raise malformed("A search answered with a record without its internal id.")
    search_id = wire.child(result, "searchId")
    return _Answer(records, total, pages, (search_id.text if search_id is not None else None) or "")


def _once(records: Sequence[NsRecord]) -> list[NsRecord]:
    """Return each record once. A page may show a record twice while it is being changed; the later one is kept."""
    return list({record.id: record for record in records}.values())


def read_response(response: etree._Element) -> NsRecord | ErpError:
    """Return the record of a read response, or the error that says why it is not shown."""
    status = wire.status(response)
    record = wire.child(response, "record")
    if status is None:
        return malformed("A record was answered without its status.")
    if not status.success:
        return faults.refusal(status, writing=False)
    if record is None:
        return Rejected("NetSuite showed no record and gave no reason.", code="RECORD_NOT_SHOWN")
    return wire.ns_record(record)


def _column(column: etree._Element) -> str:
    value = wire.child(column, "searchValue")
    return "" if value is None else value.get("internalId") or value.text or ""


def _number(result: etree._Element, name: str) -> int:
    said = wire.child(result, name)
    if said is None or not said.text:
        return 0
    try:
        return int(said.text)
    except ValueError:
        raise malformed(f"An answer's {name} is not a number.") from None
