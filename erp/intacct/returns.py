"""Read returns to vendors: Purchasing documents of category Return, converted from an invoice or from a receiver.

The chain is followed up to the order's line: return, vendor invoice, receiver (and its back orders), order (reference
3.3). A return that posts a debit memo credits what was billed itself; one from a receiver takes back goods that were
not billed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from erp.intacct import adjustments_in, statuses, translate, wire
from erp.intacct.documents import Documents
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from erp.records import made
from erp.roles.pages import Page
from models.domain.ids import DocumentId, ErpId
from models.domain.receipts import Receipt, ReceiptKind, ReceiptLine

LONGEST_CHAIN = 20
"""How many documents a return's line is followed up: documents that name each other in a circle must not stop a
sync."""

WAITING, IN_EFFECT = "Draft", "Pending"
"""What a return's state is to us: one that waits for its approval has sent back nothing yet, like a draft."""


class Chain(NamedTuple):
    """The order line behind a return's line, and what it was converted from."""

    order: DocumentId
    order_line: Row
    receipt_line: ErpId | None
    """The receiver's line, if it was converted from one; None: from what a vendor invoice billed."""


class Returns:
    """Reads the returns of one connection."""

    def __init__(
        self, reader: IntacctReader, documents: Documents, preferences: Preferences, home_level: str | None
    ) -> None:
        self._reader = reader
        self._documents = documents
        self._preferences = preferences
        self._level = home_level

    async def page(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        """Read a page of returns with lines; it is empty while the connection names no definition of returns."""
        template = self._preferences.return_template
        if template is None:
            return Page((), None, None)
        rows, resume = await self._documents.changed_headers(template, since, "", after)
        posted = await self._posted(template, [row["RECORDNO"] for row in rows if "RECORDNO" in row])
        lines: defaultdict[str, list[Row]] = defaultdict(list)
        if rows:
            query = Query(
                "PODOCUMENTENTRY",
                translate.RECEIPT_LINE_FIELDS,
                wire.one_of("DOCHDRNO", (row["RECORDNO"] for row in rows if "RECORDNO" in row)),
                optional=translate.RECEIPT_LINE_OPTIONAL,
                docparid=template,
            )
            async for page in self._reader.pages(query, level=self._level):
                for line in page:
                    lines[line.get("DOCHDRNO", "")].append(line)
        sources = await self._sources(line for some in lines.values() for line in some)

        def of_row(row: Row) -> list[Receipt]:
            number = row.get("RECORDNO", "")
            return self._returns(row, lines[number], sources, posted.get(number))

        several, bad = translate.usable(rows, of_row)
        returns = [one for some in several for one in some]
        return Page(returns, resume, max((one.revision for one in returns), default=None), bad)

    async def _posted(self, template: str, numbers: Sequence[str]) -> dict[str, str]:
        """Return the adjustment that each return posted, by the return's record number."""
        if not numbers:
            return {}
        where = wire.all_of(wire.equal("DOCPARID", template), wire.one_of("RECORDNO", numbers))
        query = Query("PODOCUMENT", ("RECORDNO",), where, optional=("PRRECORDKEY",), docparid=template)
        (rows,) = await self._reader.all_rows([query], level=self._level)
        return {row["RECORDNO"]: row["PRRECORDKEY"] for row in rows if {"RECORDNO", "PRRECORDKEY"} <= row.keys()}

    async def _sources(self, lines: Iterable[Row]) -> dict[str, Row]:
        """Return the lines that these were made from, and those behind them up to the order's, by record number."""
        keys = {line["SOURCE_DOCLINEKEY"] for line in lines if "SOURCE_DOCLINEKEY" in line}
        by_record: dict[str, Row] = {}
        for _ in range(LONGEST_CHAIN):
            keys -= by_record.keys()
            if not keys:
                break
            query = Query(
                "PODOCUMENTENTRY",
                ("RECORDNO", "DOCHDRID", "DOCPARID", "UIQTY"),
                wire.one_of("RECORDNO", sorted(keys)),
                optional=(*translate.UNIT_FIELDS, "SOURCE_DOCLINEKEY"),
            )
            (rows,) = await self._reader.all_rows([query], level=self._level)
            by_record |= {key: {} for key in keys} | {row["RECORDNO"]: row for row in rows if "RECORDNO" in row}
            behind = [row for row in rows if row.get("DOCPARID") != self._preferences.po_template]
            keys = {row["SOURCE_DOCLINEKEY"] for row in behind if "SOURCE_DOCLINEKEY" in row}
        return by_record

    def _chain(self, line: Row, sources: Mapping[str, Row]) -> Chain | None:
        """Return where a return's line comes from; None: from no order, so that it sends back nothing of one."""
        key = line.get("SOURCE_DOCLINEKEY", "")
        first = sources.get(key, {})
        receipt = ErpId(key) if first.get("DOCPARID") == self._preferences.receiver_template else None
        source = first
        for _ in range(LONGEST_CHAIN):
            if source.get("DOCPARID") == self._preferences.po_template:
                return Chain(DocumentId(translate.need(source, "DOCHDRID")), source, receipt)
            source = sources.get(source.get("SOURCE_DOCLINEKEY", ""), {})
        return None

    def _returns(self, row: Row, lines: Sequence[Row], sources: Mapping[str, Row], posted: str | None) -> list[Receipt]:
        """Return what a return sends back, by order: one of several orders comes as several.

        Raises:
            Unusable: a field is missing or cannot be read.
        """
        by_order: defaultdict[DocumentId | None, list[ReceiptLine]] = defaultdict(list)
        waits = not statuses.has_effect(row)
        for line in sorted(lines, key=lambda one: int(translate.need_decimal(one, "LINE_NO"))):
            chain = self._chain(line, sources)
            by_order[chain.order if chain else None].append(_line(line, chain, credits_itself=bool(posted)))
        erp_id = translate.need(row, "RECORDNO")
        record_versions = [translate.revision(row), *filter(None, map(translate.line_revision, lines))]
        state = translate.need(row, "STATE")
        declined = state.casefold() in ("declined", "r")
        orders = sorted(by_order, key=lambda order: order or "") or [None]
        return [
            made(
                Receipt,
                erp_id=ErpId(erp_id if position == 0 else f"{erp_id}/{order}"),
                document_id=DocumentId(translate.need(row, "DOCID")),
                number=row.get("DOCNO", ""),
                kind=ReceiptKind.RETURN,
                erp_status=state if declined else WAITING if waits else IN_EFFECT,
                order_document=order,
                vendor_id=translate.need(row, "CUSTVENDID"),
                received_on=translate.need_day(row, "WHENCREATED"),
                credit_document=adjustments_in.erp_id_of(posted) if posted else None,
                memo=row.get("MESSAGE", ""),
                owner_entity=row.get("MEGAENTITYID"),
                revision=max(record_versions),
                lines=tuple(by_order[order]),
            )
            for position, order in enumerate(orders)
        ]


def _line(line: Row, chain: Chain | None, *, credits_itself: bool) -> ReceiptLine:
    translate.need_decimal(line, "UIQTY")
    order_line = chain.order_line if chain else {}
    quantity = translate.in_source_unit(line, order_line, "UIQTY") or Decimal(0)
    billed = chain is not None and chain.receipt_line is None
    return made(
        ReceiptLine,
        erp_id=ErpId(translate.need(line, "RECORDNO")),
        line_no=int(translate.need_decimal(line, "LINE_NO")) + 1,
        item_id=translate.need(line, "ITEMID").partition("--")[0].strip(),
        description=line.get("MEMO") or line.get("ITEMDESC", ""),
        unit=order_line.get("UNIT") or line.get("UNIT", ""),
        quantity=quantity,
        order_line=ErpId(order_line["RECORDNO"]) if "RECORDNO" in order_line else None,
        source_line=chain.receipt_line if chain else None,
        credited=quantity if credits_itself and billed else Decimal(0),
    )
