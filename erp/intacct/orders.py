"""Read purchase orders, by page and one as a whole (reference 2.5 to 2.8)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date

from erp.errors import NotFound, Rejected
from erp.intacct import statuses, translate, wire
from erp.intacct.documents import Documents, header_query, onward_query
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.receipts import Receipts
from erp.intacct.translate import Unusable
from erp.intacct.wire import Query, Row
from erp.roles.orders import Statuses
from erp.roles.pages import BadRecord, Page
from models.domain.connections import MatchMode
from models.domain.ids import DocumentId, ErpId
from models.domain.orders import (
    OrderBilling,
    PurchaseOrder,
    PurchaseOrderHeader,
    PurchaseOrderLine,
    PurchaseOrderSnapshot,
)
from models.domain.receipts import Receipt


class Orders:
    """Reads the purchase orders of one connection."""

    def __init__(
        self,
        reader: IntacctReader,
        documents: Documents,
        receipts: Receipts,
        preferences: Preferences,
        home_level: str | None,
    ) -> None:
        self._reader = reader
        self._documents = documents
        self._receipts = receipts
        self._preferences = preferences
        self._level = home_level

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        """Return both meanings of an order's state, or None for a state that the tables do not have."""
        return statuses.order_statuses(erp_status, mode, shows_unapproved=self._preferences.shows_unapproved)

    # --- pages --------------------------------------------------------------------------------------------------

    async def headers(
        self,
        *,
        since: str | None,
        ordered_from: date | None,
        after: str | None,
        open_in: MatchMode | None,
        window: str = "",
    ) -> Page[PurchaseOrderHeader]:
        """Read a page of order headers."""
        where = wire.all_of(
            wire.at_least("WHENCREATED", wire.generic_date(ordered_from)) if ordered_from else "",
            wire.one_of("STATE", self._first_states(open_in)) if open_in else "",
        )
        rows, resume = await self._documents.changed_headers(
            self._preferences.needed_po_template(), since, where, after
        )
        headers, bad = translate.usable(rows, translate.order_header)
        return Page(headers, resume, max((header.revision for header in headers), default=None), bad)

    def _first_states(self, mode: MatchMode) -> tuple[str, ...]:
        in_approval = statuses.IN_APPROVAL if self._preferences.shows_unapproved else ()
        return (*statuses.OPEN_STATES[mode], *in_approval)

    async def lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        """Read the orders of these headers with their lines, many per request. A header whose order cannot be used
        becomes a bad record."""
        if not headers:
            return Page((), None, None)
        lines: defaultdict[str, list[PurchaseOrderLine]] = defaultdict(list)
        latest: dict[str, str] = {}
        broken: dict[str, Unusable] = {}
        query = self._line_query(wire.one_of("DOCHDRNO", (header.erp_id for header in headers)))
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
            except translate.UNFORESEEN as problem:
                row = {"RECORDNO": header.erp_id, "DOCID": header.document_id, "STATE": header.erp_status}
                bad.append(translate.bad_record(row, translate.unforeseen(problem)))
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
        own = self._preferences.line_fields
        for row in rows:
            header = row.get("DOCHDRNO", "")
            try:
                lines[header].append(translate.order_line(row, own))
                version = translate.line_revision(row)
            except Unusable as error:
                broken[header] = error
                continue
            if version is not None and version > latest.get(header, ""):
                latest[header] = version

    async def _moved_since(self, headers: Sequence[PurchaseOrderHeader], latest: dict[str, str]) -> set[str]:
        """Return which orders changed between the reading of their headers and of their lines.

        Lines newer than their header mean either that only the lines changed, or such a race. After a race the order
        must not take the new revision: the old header would then count as current and never be read again.
        """
        ahead = {header.erp_id: header for header in headers if latest.get(header.erp_id, "") > header.revision}
        if not ahead:
            return set()
        where = wire.one_of("RECORDNO", ahead)
        query = Query("PODOCUMENT", ("RECORDNO", "WHENMODIFIED"), where, optional=("AUWHENCREATED",))
        (rows,) = await self._reader.all_rows([query], level=self._level)
        now: dict[str, str] = {}
        for row in rows:
            with suppress(Unusable):  # its next reading reports it; until then it counts as moved
                now[row.get("RECORDNO", "")] = translate.revision(row)
        return {
            number for number, header in ahead.items() if now.get(number, "") > header.revision or number not in now
        }

    def _line_query(self, where: str, *more: str) -> Query:
        optional = (*translate.LINE_OPTIONAL, *more, *self._preferences.line_fields.values())
        template = self._preferences.needed_po_template()
        return Query("PODOCUMENTENTRY", translate.LINE_FIELDS, where, optional=optional, docparid=template)

    # --- one order, whole ---------------------------------------------------------------------------------------

    async def read(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        """Read one order by its record number.

        Raises:
            NotFound: Intacct does not show the order.
            Rejected: the order cannot be used.
        """
        template = self._preferences.needed_po_template()
        query = Query("PODOCUMENT", ("RECORDNO", "DOCID"), wire.equal("RECORDNO", erp_id), docparid=template)
        (rows,) = await self._reader.all_rows([query], level=self._level)
        if not rows or "DOCID" not in rows[0]:
            raise NotFound(f"Intacct shows no purchase order with record number {erp_id}.", code="ORDER_NOT_FOUND")
        document = DocumentId(rows[0]["DOCID"])
        result = await self._reader.all_rows(self.snapshot_queries(document), level=self._level)
        return await self.snapshot(document, result, level=self._level)

    async def read_many(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        """Read many orders, one after another. Those that Intacct does not show or that are unusable are left out."""
        whole: list[PurchaseOrderSnapshot] = []
        for erp_id in erp_ids:
            with suppress(NotFound, Rejected):
                whole.append(await self.read(erp_id))
        return whole

    def snapshot_queries(self, document: DocumentId) -> list[Query]:
        """Return the queries for one order's snapshot, to be sent in one request: its header, its lines, and all lines
        converted from it."""
        queries = [
            header_query(self._preferences.needed_po_template(), wire.equal("DOCID", document)),
            self._line_query(wire.equal("DOCHDRID", document), "QUANTITY"),
            onward_query(wire.equal("SOURCE_DOCID", document)),
        ]
        if self._preferences.receiver_template:
            queries.append(header_query(self._preferences.receiver_template, wire.equal("CREATEDFROM", document)))
        return queries

    async def snapshot(
        self, document: DocumentId, result: Sequence[list[Row]], *, level: str | None
    ) -> PurchaseOrderSnapshot:
        """Return the snapshot made of the rows of `snapshot_queries`.

        Raises:
            NotFound: Intacct does not show the order.
            Rejected: the order cannot be used.
        """
        headers, line_rows, onward = result[0], result[1], result[2]
        receipt_rows = result[3] if len(result) > 3 else []
        if not headers:
            raise NotFound(f"Intacct shows no purchase order {document}.", code="ORDER_NOT_FOUND")
        try:
            header = translate.order_header(headers[0])
            record_versions = [version for version in map(translate.line_revision, line_rows) if version]
            lines = [translate.order_line(row, self._preferences.line_fields) for row in line_rows]
            order = translate.order(header, lines, max(record_versions, default=None))
            order_lines = {row["RECORDNO"]: row for row in line_rows if "RECORDNO" in row}
            receipts, onward = await self._receipts.of_order(receipt_rows, onward, order_lines, level=level)
            billings = tuple(self._billings({line.erp_id for line in lines}, receipts, onward))
        except Unusable as error:
            raise Rejected(error.message, code=error.code, evidence=error.evidence) from None
        return PurchaseOrderSnapshot(
            purchase_order=order,
            receipts=tuple(receipts),
            billings=billings,
        )

    def _billings(
        self, order_lines: set[ErpId], receipts: Sequence[Receipt], onward: Iterable[Row]
    ) -> Iterable[OrderBilling]:
        """Return which vendor invoices bill which line of the order, directly or through a receipt."""
        template = self._preferences.needed_vendor_invoice_template()
        received = {line.erp_id: line.order_line for receipt in receipts for line in receipt.lines}
        for row in onward:
            source = ErpId(row.get("SOURCE_DOCLINEKEY", ""))
            order_line = source if source in order_lines else received.get(source)
            if row.get("DOCPARID") != template or order_line is None or not statuses.has_effect(row):
                continue
            document = translate.need(row, "DOCHDRID")
            yield OrderBilling(
                order_line=order_line,
                document_id=DocumentId(document),
                # A document's id is its definition's name and its number (reference 2.6).
                document_number=document.removeprefix(f"{template}-"),
                quantity=translate.need_decimal(row, "UIQTY"),
            )
