"""Reading Purchasing documents: orders, receipts, and one order whole (reference 2.5 to 2.8)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

from erp.connector import BadRecord, Page
from erp.errors import NotFound, Rejected
from erp.intacct import statuses, translate, wire
from erp.intacct.preferences import Preferences
from erp.intacct.reader import Fetched, IntacctReader
from erp.intacct.translate import Unusable
from erp.intacct.wire import Query, Row
from models.domain import (
    DocumentId,
    ErpId,
    MatchMode,
    OrderBilling,
    PurchaseOrder,
    PurchaseOrderHeader,
    PurchaseOrderLine,
    PurchaseOrderSnapshot,
    Receipt,
)

OVERLAP = timedelta(hours=2)
"""How far reads look back behind a cursor: Intacct's reads lag its writes (reference 2.5 point 4)."""

OLDEST = "01/01/1970 00:00:00"


def look_back(since: str, overlap: timedelta = OVERLAP) -> str:
    """A cursor, moved back by the overlap, as the gateway writes times; one before all time becomes the oldest day."""
    try:
        start = datetime.fromisoformat(since) - overlap
    except (ValueError, OverflowError):
        return OLDEST
    return wire.generic_time(start) if start.year >= 1970 else OLDEST


def changed_since(since: str | None, created_field: str = "AUWHENCREATED") -> str:
    """The condition for what changed; records never changed have no modification stamp (reference 2.5 point 2)."""
    if since is None:
        return ""
    start = look_back(since)
    return wire.any_of(
        wire.at_least("WHENMODIFIED", start),
        wire.all_of(wire.missing("WHENMODIFIED"), wire.at_least(created_field, start)),
    )


class Documents:
    """Purchasing documents of one connection."""

    def __init__(self, reader: IntacctReader, preferences: Preferences, home_level: str | None) -> None:
        self._reader = reader
        self._preferences = preferences
        self._level = home_level

    # --- queries ------------------------------------------------------------------------------------------------

    def header_query(self, template: str, where: str, after: str | None = None) -> Query:
        # `docparid` loads the definition's custom fields; that it also filters is not promised (reference 2.8).
        return Query(
            "PODOCUMENT",
            translate.HEADER_FIELDS,
            wire.all_of(wire.equal("DOCPARID", template), where),
            optional=translate.HEADER_OPTIONAL,
            after=after,
            docparid=template,
        )

    def order_line_query(self, where: str, *more: str) -> Query:
        optional = (*translate.LINE_OPTIONAL, *more, *self._preferences.dimensions.values())
        template = self._preferences.needed_po_template()
        return Query("PODOCUMENTENTRY", translate.LINE_FIELDS, where, optional=optional, docparid=template)

    def touched_lines_query(self, template: str, since: str, after: str | None = None) -> Query:
        """Which documents have lines changed since: one row per document, with its latest line change."""
        return Query(
            "PODOCUMENTENTRY",
            ("DOCHDRNO",),
            wire.all_of(wire.equal("DOCPARID", template), wire.at_least("WHENMODIFIED", look_back(since))),
            key="DOCHDRNO",
            after=after,
            maxima=("WHENMODIFIED",),
        )

    # --- orders -------------------------------------------------------------------------------------------------

    async def order_headers(
        self, *, since: str | None, ordered_from: date | None, after: str | None, open_in: MatchMode | None
    ) -> Page[PurchaseOrderHeader]:
        """A page of order headers (S5-78)."""
        where = wire.all_of(
            wire.at_least("WHENCREATED", wire.generic_date(ordered_from)) if ordered_from else "",
            wire.one_of("STATE", statuses.OPEN_STATES[open_in]) if open_in else "",
        )
        rows, resume = await self._changed_headers(self._preferences.needed_po_template(), since, where, after)
        headers, bad = translate.usable(rows, translate.order_header)
        return Page(headers, resume, max((header.revision for header in headers), default=None), bad)

    async def _changed_headers(
        self, template: str, since: str | None, where: str, after: str | None
    ) -> tuple[list[Row], str | None]:
        """Headers that changed, or whose lines did: a line's change need not touch its header (2.5 point 5).

        Both are read in one request, in step with one another by the header's number.
        """
        queries = [self.header_query(template, wire.all_of(where, changed_since(since)), after)]
        if since is not None:
            queries.append(self.touched_lines_query(template, since, after))
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
        latest = {
            row["DOCHDRNO"]: translate.readable("WHENMODIFIED", row["MAX.WHENMODIFIED"], wire.sortable_time)
            for row in touched.rows
            if "DOCHDRNO" in row and "MAX.WHENMODIFIED" in row and _up_to(row["DOCHDRNO"], end)
        }
        quiet = sorted(latest.keys() - {row.get("RECORDNO") for row in rows})
        if quiet:
            found = self.header_query(template, wire.all_of(where, wire.one_of("RECORDNO", quiet)))
            (missed,) = await self._reader.all_rows([found], level=self._level)
            rows = [*rows, *missed]
        for row in rows:
            touch = latest.get(row.get("RECORDNO", ""))
            # A stamp of the header's own that cannot be read is left for `order_header` to name.
            with suppress(Unusable):
                if touch and (translate.line_revision(row) or "") < touch:
                    row["WHENMODIFIED"] = touch
        return rows

    async def orders(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        """The orders of these headers with their lines, set-wise (S5-85..101)."""
        if not headers:
            return Page((), None, None)
        lines: defaultdict[str, list[PurchaseOrderLine]] = defaultdict(list)
        latest: dict[str, str] = {}
        broken: dict[str, Unusable] = {}
        query = self.order_line_query(wire.one_of("DOCHDRNO", (header.erp_id for header in headers)))
        async for rows in self._reader.pages(query, level=self._level):
            self._take_lines(rows, lines, latest, broken)
        moved = await self._moved_since(headers, latest)
        orders: list[PurchaseOrder] = []
        bad: list[BadRecord] = []
        for header in headers:
            try:
                if header.erp_id in broken:
                    raise broken[header.erp_id]
                line_revision = None if header.erp_id in moved else latest.get(header.erp_id)
                orders.append(translate.order(header, lines[header.erp_id], line_revision))
            except Unusable as error:
                row = {"RECORDNO": header.erp_id, "DOCID": header.document_id, "STATE": header.erp_status}
                bad.append(translate.bad_record(row, error))
        return Page(orders, None, max((order.revision for order in orders), default=None), bad)

    def _take_lines(
        self,
        rows: Iterable[Row],
        lines: defaultdict[str, list[PurchaseOrderLine]],
        latest: dict[str, str],
        broken: dict[str, Unusable],
    ) -> None:
        dimensions = self._preferences.dimensions
        for row in rows:
            header = row.get("DOCHDRNO", "")
            try:
                lines[header].append(translate.order_line(row, dimensions))
                stamp = translate.line_revision(row)
            except Unusable as error:
                broken[header] = error
                continue
            if stamp is not None and stamp > latest.get(header, ""):
                latest[header] = stamp

    async def _moved_since(self, headers: Sequence[PurchaseOrderHeader], latest: dict[str, str]) -> set[str]:
        """Which orders changed between the reading of their headers and of their lines.

        Lines newer than their header are either a change of the lines alone, or such a race. The race must not lend
        the order its new revision: the old header would then pass for current and never be read again.
        """
        ahead = {header.erp_id: header for header in headers if latest.get(header.erp_id, "") > header.revision}
        if not ahead:
            return set()
        where = wire.one_of("RECORDNO", ahead)
        query = Query("PODOCUMENT", ("RECORDNO", "WHENMODIFIED"), where, optional=("AUWHENCREATED",))
        (rows,) = await self._reader.all_rows([query], level=self._level)
        now = {row["RECORDNO"]: translate.revision(row) for row in rows if "RECORDNO" in row}
        return {
            number for number, header in ahead.items() if now.get(number, "") > header.revision or number not in now
        }

    # --- receipts -----------------------------------------------------------------------------------------------

    async def receipts(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        """A page of receipts with lines (S5-113..128); none while the connection names no receiver template."""
        template = self._preferences.receiver_template
        if template is None:
            return Page((), None, None)
        rows, resume = await self._changed_headers(template, since, "", after)
        numbers = [row["RECORDNO"] for row in rows if "RECORDNO" in row]
        lines: defaultdict[str, list[Row]] = defaultdict(list)
        if numbers:
            query = _receipt_lines_query(template, wire.one_of("DOCHDRNO", numbers))
            async for page in self._reader.pages(query, level=self._level):
                for line in page:
                    lines[line.get("DOCHDRNO", "")].append(line)
        order_lines = await self._source_lines(line for some in lines.values() for line in some)
        receipts, bad = translate.usable(
            rows, lambda row: translate.receipt(row, lines[row.get("RECORDNO", "")], order_lines)
        )
        return Page(receipts, resume, max((receipt.revision for receipt in receipts), default=None), bad)

    async def _source_lines(self, lines: Iterable[Row]) -> dict[str, Row]:
        """The lines these were made from, by record number, with what their units are (reference 2.7)."""
        keys = sorted({line["SOURCE_DOCLINEKEY"] for line in lines if {"SOURCE_DOCLINEKEY", "UNIT"} <= line.keys()})
        if not keys:
            return {}
        where = wire.one_of("RECORDNO", keys)
        query = Query("PODOCUMENTENTRY", ("RECORDNO", "UIQTY"), where, optional=translate.UNIT_FIELDS)
        (rows,) = await self._reader.all_rows([query], level=self._level)
        return {row["RECORDNO"]: row for row in rows if "RECORDNO" in row}

    # --- one order, whole ---------------------------------------------------------------------------------------

    async def snapshot_of(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        """One order by its record number. Raises NotFound."""
        template = self._preferences.needed_po_template()
        query = Query("PODOCUMENT", ("RECORDNO", "DOCID"), wire.equal("RECORDNO", erp_id), docparid=template)
        (rows,) = await self._reader.all_rows([query], level=self._level)
        if not rows or "DOCID" not in rows[0]:
            raise NotFound(f"Intacct shows no purchase order with record number {erp_id}.", code="ORDER_NOT_FOUND")
        document = DocumentId(rows[0]["DOCID"])
        found = await self._reader.all_rows(self.snapshot_queries(document), level=self._level)
        return await self.snapshot(document, found, level=self._level)

    def snapshot_queries(self, document: DocumentId) -> list[Query]:
        """What one order's snapshot is made of, to be sent in one request: header, lines, all converted from it."""
        queries = [
            self.header_query(self._preferences.needed_po_template(), wire.equal("DOCID", document)),
            self.order_line_query(wire.equal("DOCHDRID", document), "QUANTITY"),
            _onward_query(wire.equal("SOURCE_DOCID", document)),
        ]
        if self._preferences.receiver_template:
            queries.append(self.header_query(self._preferences.receiver_template, wire.equal("CREATEDFROM", document)))
        return queries

    async def snapshot(
        self, document: DocumentId, found: Sequence[list[Row]], *, level: str | None
    ) -> PurchaseOrderSnapshot:
        """The snapshot from the rows of `snapshot_queries`. Raises NotFound, or Rejected for an unusable order."""
        headers, line_rows, onward = found[0], found[1], found[2]
        receipt_rows = found[3] if len(found) > 3 else []
        if not headers:
            raise NotFound(f"Intacct shows no purchase order {document}.", code="ORDER_NOT_FOUND")
        try:
            header = translate.order_header(headers[0])
            stamps = [stamp for stamp in map(translate.line_revision, line_rows) if stamp]
            lines = [translate.order_line(row, self._preferences.dimensions) for row in line_rows]
            order = translate.order(header, lines, max(stamps, default=None))
            order_lines = {row["RECORDNO"]: row for row in line_rows if "RECORDNO" in row}
            receipts, onward = await self._receipts_onward(receipt_rows, onward, order_lines, level=level)
            billings = tuple(self._billings({line.erp_id for line in lines}, receipts, onward))
        except Unusable as error:
            raise Rejected(error.message, code=error.code, evidence=error.evidence) from None
        return PurchaseOrderSnapshot(
            purchase_order=order,
            receipts=tuple(receipts),
            billings=billings,
        )

    async def _receipts_onward(
        self, receipt_rows: Sequence[Row], onward: list[Row], order_lines: Mapping[str, Row], *, level: str | None
    ) -> tuple[list[Receipt], list[Row]]:
        """The order's receipts, and what was converted from them besides what was converted from the order."""
        template = self._preferences.receiver_template
        if not receipt_rows or template is None:
            return [], onward
        documents = [row["DOCID"] for row in receipt_rows if "DOCID" in row]
        line_query = _receipt_lines_query(template, wire.one_of("DOCHDRID", documents))
        lines, further = await self._reader.all_rows(
            [line_query, _onward_query(wire.one_of("SOURCE_DOCID", documents))], level=level
        )
        by_header: defaultdict[str, list[Row]] = defaultdict(list)
        for line in lines:
            by_header[line.get("DOCHDRNO", "")].append(line)
        receipts = [translate.receipt(row, by_header[row.get("RECORDNO", "")], order_lines) for row in receipt_rows]
        return receipts, [*onward, *further]

    def _billings(
        self, order_lines: set[ErpId], receipts: Sequence[Receipt], onward: Iterable[Row]
    ) -> Iterable[OrderBilling]:
        """Which vendor invoices bill which line of the order, straight or over a receipt (S4-65..67)."""
        template = self._preferences.needed_vendor_invoice_template()
        received = {line.erp_id: line.order_line for receipt in receipts for line in receipt.lines}
        for row in onward:
            source = ErpId(row.get("SOURCE_DOCLINEKEY", ""))
            order_line = source if source in order_lines else received.get(source)
            if row.get("DOCPARID") != template or order_line is None:
                continue
            document = translate.need(row, "DOCHDRID")
            yield OrderBilling(
                order_line=order_line,
                document_id=DocumentId(document),
                # A document's id is its definition's name and its number (reference 2.6).
                document_number=document.removeprefix(f"{template}-"),
                quantity=translate.need_decimal(row, "UIQTY"),
            )


def _up_to(number: str | None, end: int | None) -> bool:
    """Whether a record belongs to a page that ends there; one without a number stays, to be named as bad."""
    return end is None or number is None or not number.isdecimal() or int(number) <= end


def _receipt_lines_query(template: str, where: str) -> Query:
    return Query(
        "PODOCUMENTENTRY",
        translate.RECEIPT_LINE_FIELDS,
        where,
        optional=translate.RECEIPT_LINE_OPTIONAL,
        docparid=template,
    )


def _onward_query(where: str) -> Query:
    fields = ("RECORDNO", "DOCHDRID", "DOCPARID", "UIQTY", "SOURCE_DOCID", "SOURCE_DOCLINEKEY")
    return Query("PODOCUMENTENTRY", fields, where)
