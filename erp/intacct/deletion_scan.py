"""Find deletions when the audit trail may not be read: compare mirrored ids with what Intacct still shows (section 4).

A record counts as deleted only if two readings in two dialects do not show it: the list of all record numbers by
`readByQuery`, and a `query` for exactly the numbers it lacks. Both run in a session of the level that owns the records:
`readByQuery` does not show a record that another level owns, and a level that cannot be entered says nothing (7.1). The
owner of a bill or a payment is taken from its order, so what an entity does not show is also asked for from the top
level.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from erp.errors import AuthenticationFailed
from erp.intacct import adjustments_in, result_sets, wire
from erp.intacct.list_scan import ListScan
from erp.intacct.preferences import DELETES_PREFERENCE, Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.result_sets import ResultSets, Selection
from erp.intacct.wire import Query
from erp.roles.pages import ScanResult
from erp.transport import malformed
from models.domain.ids import ErpId
from models.domain.sync import DeletedKind, MirroredIds

OBJECTS: Mapping[DeletedKind, str] = {
    DeletedKind.PURCHASE_ORDER_DOCUMENT: "PODOCUMENT",
    DeletedKind.BILL: "APBILL",
    DeletedKind.PAYMENT: "APPYMT",
}
"""The objects that are scanned; among the bills, adjustments are objects of their own. List entries are scanned beside
them (`list_scan.py`)."""

NO_RIGHT = "the web services user may not read the audit trail (AUDITHISTORY)"
CHOSEN = f"the preference {DELETES_PREFERENCE} says so"

NOT_LET_IN = frozenset({"AUTH_ENTITY_NOT_ALLOWED", "AUTH_BAD_CREDENTIALS"})
"""The codes with which Intacct refuses to let the user enter an entity. The credentials themselves are good: a call
with them reached the audit trail just before, and was refused there for want of a right."""


class _Wanted(NamedTuple):
    """Records of one object that one level owns, by their record numbers."""

    object: str
    group: MirroredIds
    numbers: tuple[str, ...]

    def among(self, missing: Collection[str]) -> MirroredIds | None:
        """Return those of the missing records that are of these, as the mirror names them; None: there are none."""
        named = adjustments_in.erp_id_of if self.object == adjustments_in.OBJECT else ErpId
        gone = tuple(named(number) for number in self.numbers if number in missing)
        return self.group._replace(erp_ids=gone) if gone else None


def _wanted(group: MirroredIds) -> list[_Wanted]:
    """Return the records of a group by object. An id that is no record number cannot be looked up, so nothing is
    reported about it."""
    if group.kind not in OBJECTS:
        return []
    by_object: dict[str, list[str]] = {}
    for erp_id in group.erp_ids:
        number = adjustments_in.record_of(erp_id)
        name = OBJECTS[group.kind] if number is None else adjustments_in.OBJECT
        number = erp_id if number is None else number
        if number.isdecimal():
            by_object.setdefault(name, []).append(number)
    return [_Wanted(name, group, tuple(numbers)) for name, numbers in by_object.items()]


class IntacctDeletionScan:
    """Scans one connection for deletions. One call is one scan: one read per 1,000 records and owning entity."""

    def __init__(
        self,
        reader: IntacctReader,
        results: ResultSets,
        preferences: Preferences,
        home_level: str | None,
    ) -> None:
        self._reader = reader
        self._results = results
        self._preferences = preferences
        self._level = home_level
        self._lists = ListScan(reader, results, home_level)
        self.why = CHOSEN if preferences.sweeps else NO_RIGHT

    async def scan(self, mirrored: Sequence[MirroredIds]) -> ScanResult:
        """Return which of these records are gone, and the entities that could not be entered."""
        by_level: defaultdict[str | None, list[_Wanted]] = defaultdict(list)
        for group in mirrored:
            if wanted := _wanted(group):
                by_level[self._level or group.owner_entity] += wanted
        gone: list[MirroredIds] = []
        not_searched: list[str] = []
        for level, wanted in by_level.items():
            try:
                missing = await self._gone(wanted, level)
            except AuthenticationFailed as refused:
                if level is None or level == self._level or refused.code not in NOT_LET_IN:
                    raise
                not_searched.append(level)
                continue
            if missing and level != self._level:
                missing = await self._nowhere(missing)
            still = [one.among(missing.get(one.object, ())) for one in wanted]
            gone += [records for records in still if records is not None]
        return ScanResult([*gone, *await self._lists.gone(mirrored)], not_searched)

    async def _nowhere(self, gone: Mapping[str, set[str]]) -> dict[str, set[str]]:
        """Return which of these records the connection's own level does not show either, by object. An entity's bill
        may be paid from the top level, or its order moved to another entity."""
        missing = {name: set(numbers) for name, numbers in gone.items() if numbers}
        await self._ask_once_more(missing, {}, self._level)
        return missing

    async def _gone(self, wanted: Sequence[_Wanted], level: str | None) -> dict[str, set[str]]:
        """Return which of these records, all owned by one level, neither dialect shows there, by object.

        Raises:
            MalformedAnswer: the answers contradict each other.
        """
        missing: dict[str, set[str]] = {}
        for one in wanted:
            missing.setdefault(one.object, set()).update(one.numbers)
        listed: dict[str, str] = {}
        selections = [self._selection(name, numbers) for name, numbers in missing.items()]
        async for selection, rows in self._results.pages(selections, level=level):
            for row in rows:
                if "RECORDNO" not in row:
                    raise malformed(f"A {selection.object} came without its record number.", writing=False)
                missing[selection.object].discard(row["RECORDNO"])
                listed[selection.object] = row["RECORDNO"]
        await self._ask_once_more({name: numbers for name, numbers in missing.items() if numbers}, listed, level)
        return {name: numbers for name, numbers in missing.items() if numbers}

    async def _ask_once_more(
        self, missing: Mapping[str, set[str]], listed: Mapping[str, str], level: str | None
    ) -> None:
        """Take out of `missing` the records that a query for exactly these numbers shows.

        One record that was listed a moment ago is asked for as well: an answer without it proves nothing.

        Raises:
            MalformedAnswer: the answer lacks the record that was listed.
        """
        if not missing:
            return
        queries = []
        for name, numbers in missing.items():
            asked = numbers | {listed[name]} if name in listed else numbers
            queries.append(Query(name, ("RECORDNO",), wire.one_of("RECORDNO", sorted(asked, key=int))))
        answers = await self._reader.all_rows(queries, level=level)
        for (name, numbers), rows in zip(missing.items(), answers, strict=True):
            shown = {row.get("RECORDNO", "") for row in rows}
            if name in listed and listed[name] not in shown:
                raise malformed(f"A query does not show {name} {listed[name]}, which was listed.", writing=False)
            numbers -= shown

    def _selection(self, name: str, numbers: Collection[str]) -> Selection:
        """Select all records of the object, from the oldest to the newest that we mirror."""
        ordered = [int(number) for number in numbers]
        where = result_sets.between("RECORDNO", min(ordered), max(ordered))
        if name == OBJECTS[DeletedKind.PURCHASE_ORDER_DOCUMENT]:
            # Without it requisitions and whatever else Purchasing has would come, too. A document of a
            # definition named before and no more is not listed, and found by the query for its number.
            names = self._definitions()
            where = result_sets.both(result_sets.name_in("DOCPARID", names), where) if names else where
        return Selection(name, ("RECORDNO",), where)

    def _definitions(self) -> list[str]:
        chosen = self._preferences
        given = (
            chosen.po_template,
            chosen.receiver_template,
            chosen.vendor_invoice_template,
            chosen.return_template,
        )
        return [name for name in given if name]
