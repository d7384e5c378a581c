"""Find deleted list entries without the audit trail (section 4): the numbers that a `query` does not list, private
records included, and that `readByQuery` does not show either."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from erp.errors import AuthenticationFailed, Rejected
from erp.intacct import result_sets
from erp.intacct.lists import CONVENIENT, SHAPES, ListShape
from erp.intacct.reader import IntacctReader
from erp.intacct.result_sets import ResultSets, Selection
from erp.intacct.wire import Query
from models.domain.ids import ErpId
from models.domain.sync import DeletedKind, MirroredIds


class Mirrored(NamedTuple):
    """The mirrored records of one object, by Intacct's numbers."""

    shape: ListShape
    numbers: frozenset[str]


class ListScan:
    """Scans the lists of one connection: one request for all of them, and one more for each that misses something."""

    def __init__(self, reader: IntacctReader, results: ResultSets, home_level: str | None) -> None:
        self._reader = reader
        self._results = results
        self._level = home_level

    async def gone(self, mirrored: Sequence[MirroredIds]) -> list[MirroredIds]:
        """Return the list entries that no reading shows. A list that may not be read any more says nothing."""
        mirrored_lists = [one for group in mirrored for one in _by_object(group)]
        result: list[MirroredIds] = []
        for one, listed in zip(mirrored_lists, await self._listed(mirrored_lists), strict=True):
            if listed is None or not (missing := one.numbers - listed):
                continue
            missing -= await self._shown_otherwise(one.shape, missing, one.numbers)
            if missing:
                ids = [ErpId(one.shape.ids_begin + number) for number in sorted(missing, key=int)]
                result.append(MirroredIds(DeletedKind.LIST_ENTRY, None, ids, one.shape.kind))
        return result

    async def _listed(self, mirrored_lists: Sequence[Mirrored]) -> list[frozenset[str] | None]:
        """Return the numbers of all records of each object; None where it may not be read."""
        numbers: list[set[str] | None] = [set() for _ in mirrored_lists]
        queries = {
            place: Query(one.shape.object, ("RECORDNO",), "", absent_by=CONVENIENT)
            for place, one in enumerate(mirrored_lists)
        }
        while queries:
            pages = await self._reader.first_pages(list(queries.values()), level=self._level)
            for place, page in zip(list(queries), pages, strict=True):
                query, known = queries.pop(place), numbers[place]
                if page.absent or known is None:
                    numbers[place] = None
                    continue
                known |= {row.get("RECORDNO", "") for row in page.rows}
                if page.more:
                    queries[place] = Query(query.object, query.fields, "", after=page.last, absent_by=CONVENIENT)
        return [None if known is None else frozenset(known) for known in numbers]

    async def _shown_otherwise(
        self, shape: ListShape, missing: frozenset[str], mirrored: frozenset[str]
    ) -> frozenset[str]:
        """Return which of the missing numbers the other dialect shows; all of them where it is refused."""
        ordered = sorted(map(int, missing))
        where = result_sets.between("RECORDNO", ordered[0], ordered[-1])
        shown: set[str] = set()
        try:
            async for _, rows in self._results.pages(
                [Selection(shape.object, ("RECORDNO",), where)], level=self._level
            ):
                shown |= {row.get("RECORDNO", "") for row in rows}
        except (AuthenticationFailed, Rejected) as error:
            if error.code not in CONVENIENT:
                raise
            return mirrored
        return frozenset(shown)


def _by_object(group: MirroredIds) -> Iterator[Mirrored]:
    """Return the group's records by object: some lists are made of several."""
    if group.kind is not DeletedKind.LIST_ENTRY or group.list_kind is None:
        return
    for shape in SHAPES:
        if shape.kind is not group.list_kind:
            continue
        numbers = frozenset(
            number
            for erp_id in group.erp_ids
            if erp_id.startswith(shape.ids_begin) and (number := erp_id.removeprefix(shape.ids_begin)).isdecimal()
        )
        if numbers:
            yield Mirrored(shape, numbers)
