"""Read receipts (reference 2.7)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from erp.intacct import statuses, translate, wire
from erp.intacct.documents import Documents, header_query, onward_query
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.returns import Returns
from erp.intacct.wire import Query, Row
from erp.roles.pages import Page
from models.domain.receipts import Receipt, ReceiptStatus

OF_RETURNS = "returns:"
"""Begins the place of a page of returns."""


class Receipts:
    """Reads the receipts of one connection."""

    def __init__(
        self, reader: IntacctReader, documents: Documents, preferences: Preferences, home_level: str | None
    ) -> None:
        self._returns = Returns(reader, documents, preferences, home_level)
        self._reader = reader
        self._documents = documents
        self._preferences = preferences
        self._level = home_level

    def status(self, erp_status: str) -> ReceiptStatus | None:
        """Return the meaning of a receipt's state, or None for a state that the table does not have."""
        return statuses.receipt_status(erp_status)

    async def page(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        """Read a page of receipts with lines, and behind the last of them the returns; a kind whose definition the
        connection does not name has none."""
        if after is not None and after.startswith(OF_RETURNS):
            return _onward(await self._returns.page(since=since, after=after.removeprefix(OF_RETURNS) or None))
        page = await self._received(since, after)
        if page.after is not None or self._preferences.return_template is None:
            return page
        if page.records or page.bad:
            return page._replace(after=OF_RETURNS)
        return _onward(await self._returns.page(since=since, after=None))

    async def _received(self, since: str | None, after: str | None) -> Page[Receipt]:
        template = self._preferences.receiver_template
        if template is None:
            return Page((), None, None)
        rows, resume = await self._documents.changed_headers(template, since, "", after)
        numbers = [row["RECORDNO"] for row in rows if "RECORDNO" in row]
        lines: defaultdict[str, list[Row]] = defaultdict(list)
        if numbers:
            query = _receipt_lines_query(template, wire.one_of("DOCHDRNO", numbers))
            async for page in self._reader.pages(query, level=self._level):
                for line in page:
                    lines[line.get("DOCHDRNO", "")].append(line)
        source_lines = await self.source_lines(line for some in lines.values() for line in some)
        receipts, bad = translate.usable(
            rows, lambda row: translate.receipt(row, lines[row.get("RECORDNO", "")], source_lines, template)
        )
        return Page(receipts, resume, max((receipt.revision for receipt in receipts), default=None), bad)

    async def source_lines(self, lines: Iterable[Row]) -> dict[str, Row]:
        """Return the lines that these were made from, by record number, with their units (reference 2.7); a receipt's
        back order is followed up to the order (S5-25)."""
        template = self._preferences.receiver_template
        keys = {line["SOURCE_DOCLINEKEY"] for line in lines if {"SOURCE_DOCLINEKEY", "UNIT"} <= line.keys()}
        by_record: dict[str, Row] = {}
        while keys := keys - by_record.keys():
            query = Query(
                "PODOCUMENTENTRY",
                ("RECORDNO", "DOCPARID", "UIQTY"),
                wire.one_of("RECORDNO", sorted(keys)),
                optional=(*translate.UNIT_FIELDS, "SOURCE_DOCID", "SOURCE_DOCLINEKEY"),
            )
            (rows,) = await self._reader.all_rows([query], level=self._level)
            by_record |= {key: {} for key in keys} | {row["RECORDNO"]: row for row in rows if "RECORDNO" in row}
            keys = {row.get("SOURCE_DOCLINEKEY", "") for row in rows if template and row.get("DOCPARID") == template}
            keys.discard("")
        return by_record

    async def of_order(
        self, receipt_rows: Sequence[Row], onward: list[Row], order_lines: Mapping[str, Row], *, level: str | None
    ) -> tuple[list[Receipt], list[Row]]:
        """Return the order's receipts with their back orders, and the lines that were converted from them in addition
        to those converted from the order."""
        template = self._preferences.receiver_template
        if not receipt_rows or template is None:
            return [], onward
        headers: dict[str, Row] = {}
        lines: dict[str, list[Row]] = {}
        rows = list(receipt_rows)
        while rows:
            documents = [row["DOCID"] for row in rows if "DOCID" in row]
            line_query = _receipt_lines_query(template, wire.one_of("DOCHDRID", documents))
            read, further = await self._reader.all_rows(
                [line_query, onward_query(wire.one_of("SOURCE_DOCID", documents))], level=level
            )
            onward = [*onward, *further]
            headers |= {row.get("RECORDNO", ""): row for row in rows}
            for line in read:
                lines.setdefault(line.get("DOCHDRNO", ""), []).append(line)
            known = {row.get("DOCID") for row in headers.values()}
            rests = {row.get("DOCHDRID", "") for row in further if row.get("DOCPARID") == template} - known
            rows = []
            if rests:
                (rows,) = await self._reader.all_rows(
                    [header_query(template, wire.one_of("DOCID", sorted(rests)))], level=level
                )
        received = {line["RECORDNO"]: line for some in lines.values() for line in some if "RECORDNO" in line}
        receipts = [
            translate.receipt(header, lines.get(number, []), {**order_lines, **received}, template)
            for number, header in headers.items()
        ]
        return receipts, onward


def _onward(page: Page[Receipt]) -> Page[Receipt]:
    return page if page.after is None else page._replace(after=f"{OF_RETURNS}{page.after}")


def _receipt_lines_query(template: str, where: str) -> Query:
    return Query(
        "PODOCUMENTENTRY",
        translate.RECEIPT_LINE_FIELDS,
        where,
        optional=translate.RECEIPT_LINE_OPTIONAL,
        docparid=template,
    )
