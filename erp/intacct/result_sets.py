"""Read with `readByQuery` and `readMore`, Intacct's older dialect: one result that does not change while it is read.

A result belongs to the session that asked for it, so another worker cannot resume it: it is read to its end at once, or
asked for again (reference 2.2). docs/decisions/0001-reading-intacct.md says what it is used for.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple

from lxml import etree

from erp.errors import ErpError, Rejected, Stale
from erp.intacct import wire
from erp.intacct.client import IntacctClient
from erp.intacct.wire import Result, Row
from erp.transport import malformed

MAX_PAGE_SIZE = 1000
"""Half of what `query` returns at once."""


# --- conditions ------------------------------------------------------------------------------------------------
# This is the one place that writes this dialect's conditions. Fields with fixed values are compared by stored codes
# here (STATE = 'O') and by labels in `query` (Pending), AUDITHISTORY.ACCESSMODE the other way round; a label here would
# match nothing and pass for an empty list. So there are conditions for names and for numbers only, which mean the same
# in both dialects.


def name_in(field: str, names: Iterable[str]) -> str:
    """Return the condition that the field has one of the names, case-sensitive."""
    return f"{field} in ({', '.join(map(_quoted, names))})"


def between(field: str, lowest: int, highest: int) -> str:
    """Return the condition that the number is in the range, ends included."""
    return f"{field} >= {lowest} AND {field} <= {highest}"


def both(*conditions: str) -> str:
    """Return the condition that all the given ones hold."""
    return " AND ".join(conditions)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


# --- reading ---------------------------------------------------------------------------------------------------


class Selection(NamedTuple):
    """What to read: an object's fields, by a condition of this dialect."""

    object: str
    fields: Sequence[str]
    where: str

    def xml(self, page_size: int) -> str:
        """Return the selection as the body of a `readByQuery`."""
        return (
            f"<readByQuery><object>{self.object}</object><fields>{','.join(self.fields)}</fields>"
            f"<query>{wire.text(self.where)}</query><pagesize>{page_size}</pagesize></readByQuery>"
        )


class _Rest(NamedTuple):
    """The part of a result that is still to be read."""

    result_id: str
    total: int
    remaining: int


class ResultSets:
    """Reads whole results of one connection."""

    def __init__(self, client: IntacctClient, *, page_size: int | None) -> None:
        self._client = client
        self._page_size = min(page_size or MAX_PAGE_SIZE, MAX_PAGE_SIZE)

    async def pages(
        self, selections: Sequence[Selection], *, level: str | None
    ) -> AsyncIterator[tuple[Selection, list[Row]]]:
        """Return the pages of every result, each with its selection. One request gets the next page of all.

        Raises:
            Stale: the session ended in the middle, and its results with it. All must be asked for again,
                because a new result is of another moment.
            MalformedAnswer: a page and the result's own counts disagree.
        """
        results = await self._client.read([selection.xml(self._page_size) for selection in selections], level=level)
        asked: Sequence[tuple[Selection, _Rest | None]] = [(selection, None) for selection in selections]
        while asked:
            still_open: list[tuple[Selection, _Rest | None]] = []
            for (selection, before), result in zip(asked, results, strict=True):
                rows, rest = _page(selection, before, result)
                yield selection, rows
                if rest is not None:
                    still_open.append((selection, rest))
            asked = still_open
            if asked:
                bodies = [_read_more(rest.result_id) for _, rest in asked if rest is not None]
                results = await self._client.read(bodies, level=level)


def _read_more(result_id: str) -> str:
    return f"<readMore><resultId>{wire.text(result_id)}</resultId></readMore>"


def _page(selection: Selection, before: _Rest | None, result: Result) -> tuple[list[Row], _Rest | None]:
    if before is not None and isinstance(result.fault, Rejected):
        raise _expired(selection, result.fault)
    data = result.rows_element()
    rows = wire.rows(data)
    count, total, remaining = (_number(selection, data, name) for name in ("count", "totalcount", "numremaining"))
    # What was to come is on this page, or still to come: anything else would pass a part of a result for the whole.
    expected = total if before is None else before.remaining
    if count != len(rows) or count + remaining != expected or (before is not None and total != before.total):
        raise malformed(
            f"A page of {selection.object} has {len(rows)} records, says {count} and {remaining} to come of {total}; "
            f"{expected} were to come.",
            writing=False,
        )
    if not remaining:
        return rows, None
    result_id = data.get("resultId") or (before.result_id if before is not None else "")
    if not rows or not result_id:
        raise malformed(f"A page of {selection.object} cannot be followed by its next one.", writing=False)
    return rows, _Rest(result_id, total, remaining)


def _expired(selection: Selection, refused: ErpError) -> Stale:
    # Neither the error of a result that is gone nor how long one lives is documented, so any refusal counts as that.
    return Stale(
        f"Intacct holds the list of {selection.object} no more; it is read again from its beginning.",
        code="SEARCH_EXPIRED",
        erp_code=refused.erp_code,
        evidence=refused.evidence,
    )


def _number(selection: Selection, data: etree._Element, name: str) -> int:
    value = data.get(name, "")
    if not value.isdecimal():
        raise malformed(f"A page of {selection.object} does not say its {name}.", writing=False)
    return int(value)
