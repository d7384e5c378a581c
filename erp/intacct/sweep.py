"""Finding deletions where the audit trail may not be read: what we hold, against what Intacct still shows (section 4).

Two readings in two dialects must both not show a record before it counts as deleted: the list of all record numbers by
`readByQuery`, and a `query` for the very numbers it lacks. Both run in a session of the level that owns the records: a
record another level owns is not visible to `readByQuery`, and a level that cannot be entered tells nothing (7.1). Who
owns a bill or a payment is concluded from its order, so what an entity does not show is asked for from the top as well.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from erp.connector import Swept
from erp.errors import AuthenticationFailed
from erp.intacct import faults, result_sets, wire
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.result_sets import ResultSets, Selection
from erp.intacct.wire import Query
from models.domain import DeletedKind, HeldRecords

OBJECTS: Mapping[DeletedKind, str] = {
    DeletedKind.PURCHASE_ORDER_DOCUMENT: "PODOCUMENT",
    DeletedKind.BILL: "APBILL",
    DeletedKind.PAYMENT: "APPYMT",
}
"""Not the entries of lists: a vendor, say, is only deleted if it was never used (3.8), so little hangs on one."""

NOT_LET_IN = frozenset({"AUTH_ENTITY_NOT_ALLOWED", "AUTH_BAD_CREDENTIALS"})
"""How entering an entity is refused; the credentials themselves have just been good for the audit trail's refusal."""


class IntacctSweep:
    """See `erp.connector.Sweep`. One call is one sweep: it costs a read per 1,000 records and owning entity."""

    def __init__(
        self,
        reader: IntacctReader,
        results: ResultSets,
        preferences: Preferences,
        home_level: str | None,
        *,
        why: str,
    ) -> None:
        self._reader = reader
        self._results = results
        self._preferences = preferences
        self._level = home_level
        self.why = why

    async def swept(self, held: Sequence[HeldRecords]) -> Swept:
        by_level: defaultdict[str | None, list[HeldRecords]] = defaultdict(list)
        for group in held:
            # An id that is no record number cannot be asked for, so nothing is said of it.
            numbers = tuple(erp_id for erp_id in group.erp_ids if erp_id.isdecimal())
            if group.kind in OBJECTS and numbers:
                by_level[self._level or group.owner_entity].append(group._replace(erp_ids=numbers))
        gone: list[HeldRecords] = []
        not_searched: list[str] = []
        for level, groups in by_level.items():
            try:
                missing = await self._gone(groups, level)
            except AuthenticationFailed as refused:
                if level is None or level == self._level or refused.code not in NOT_LET_IN:
                    raise
                not_searched.append(level)
                continue
            gone += missing if level == self._level else await self._nowhere(missing)
        return Swept(gone, not_searched)

    async def _nowhere(self, groups: Sequence[HeldRecords]) -> list[HeldRecords]:
        """What of these the connection's own level, where each was read, does not show either: an entity's bill may be
        paid from the top, or its order have been moved to another entity."""
        missing: dict[str, set[str]] = {}
        for group in groups:
            missing.setdefault(OBJECTS[group.kind], set()).update(group.erp_ids)
        await self._ask_once_more(missing, {}, self._level)
        return _still(groups, missing)

    async def _gone(self, groups: Sequence[HeldRecords], level: str | None) -> list[HeldRecords]:
        """What of these, all owned by one level, neither dialect shows there."""
        missing: dict[str, set[str]] = {}
        for group in groups:
            missing.setdefault(OBJECTS[group.kind], set()).update(group.erp_ids)
        listed: dict[str, str] = {}
        selections = [self._selection(name, numbers) for name, numbers in missing.items()]
        async for selection, rows in self._results.pages(selections, level=level):
            for row in rows:
                if "RECORDNO" not in row:
                    raise faults.malformed(f"A {selection.object} came without its record number.", writing=False)
                missing[selection.object].discard(row["RECORDNO"])
                listed[selection.object] = row["RECORDNO"]
        await self._ask_once_more({name: numbers for name, numbers in missing.items() if numbers}, listed, level)
        return _still(groups, missing)

    async def _ask_once_more(
        self, missing: Mapping[str, set[str]], listed: Mapping[str, str], level: str | None
    ) -> None:
        """Take out of `missing` what a query for the very numbers shows.

        One record that was listed a moment ago is asked for with them: an answer without it proves nothing.
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
                raise faults.malformed(f"A query does not show {name} {listed[name]}, which was listed.", writing=False)
            numbers -= shown

    def _selection(self, name: str, numbers: Collection[str]) -> Selection:
        """All records of the object from the oldest to the newest that we hold."""
        ordered = [int(number) for number in numbers]
        where = result_sets.between("RECORDNO", min(ordered), max(ordered))
        if name == OBJECTS[DeletedKind.PURCHASE_ORDER_DOCUMENT]:
            # Without it requisitions, returns and whatever else Purchasing has would come, too. A document of a
            # definition named before and no more is not listed, and found by the query for its number.
            names = self._definitions()
            where = result_sets.both(result_sets.name_in("DOCPARID", names), where) if names else where
        return Selection(name, ("RECORDNO",), where)

    def _definitions(self) -> list[str]:
        chosen = self._preferences
        given = (chosen.po_template, chosen.receiver_template, chosen.vendor_invoice_template)
        return [name for name in given if name]


def _still(groups: Sequence[HeldRecords], missing: Mapping[str, Collection[str]]) -> list[HeldRecords]:
    """Of each group what is missing; a group of which nothing is missing is left out."""
    found = (
        group._replace(erp_ids=tuple(number for number in group.erp_ids if number in missing[OBJECTS[group.kind]]))
        for group in groups
    )
    return [group for group in found if group.erp_ids]
