"""Bills as Accounts Payable holds them, with the purchasing document behind each (reference 2.9; ruling G8)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from erp.connector import Page
from erp.intacct import translate, wire
from erp.intacct.documents import changed_since
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from models.domain import DocumentId, ErpBill, ErpBillLine, ErpId, ExternalKey

PURCHASING_MODULE = "9.PO"
"""MODULEKEY of a bill that a purchasing document posted (reference 2.9)."""

STAMP_FIELDS = ("RECORDNO", "WHENMODIFIED")
STAMP_OPTIONAL = ("AUWHENCREATED", "MEGAENTITYID")


class Posted(NamedTuple):
    """The vendor invoice behind a bill."""

    header: Row
    lines: list[Row]


class Bills:
    """Bills of one connection."""

    def __init__(self, reader: IntacctReader, preferences: Preferences, home_level: str | None) -> None:
        self._reader = reader
        self._preferences = preferences
        self._level = home_level

    async def bills(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        """A page of bills with lines; those Purchasing made with the document that made them (ruling G8, S1-20)."""
        query = Query("APBILL", STAMP_FIELDS, changed_since(since), optional=STAMP_OPTIONAL, after=after)
        (page,) = await self._reader.first_pages([query], level=self._level)
        listed = [row for row in page.rows if "RECORDNO" in row]
        records = await self._reader.read_owned("APBILL", listed, level=self._level)
        flat = {number: wire.flat(record) for number, record in records.items()}
        made = [number for number, row in flat.items() if row.get("MODULEKEY") == PURCHASING_MODULE]
        posted = await self._posted(made)
        sources = await self._source_lines(posted.values())

        def bill(row: Row) -> ErpBill:
            number = row["RECORDNO"]
            lines = wire.owned_rows(translate.shown(records, row), "APBILLITEMS")
            return _bill(flat[number], lines, posted.get(number), sources, self._preferences)

        bills, bad = translate.usable(listed, bill)
        high_water = max((bill.revision for bill in bills), default=None)
        return Page(bills, page.last if page.more else None, high_water, bad)

    async def _posted(self, bills: Sequence[str]) -> dict[str, Posted]:
        """By bill: the vendor invoice that posted it, with its lines."""
        template = self._preferences.vendor_invoice_template
        if not bills or not template:
            return {}
        fields = ("RECORDNO", "DOCID", "DOCNO", "PRRECORDKEY")
        where = wire.all_of(wire.equal("DOCPARID", template), wire.one_of("PRRECORDKEY", bills))
        (headers,) = await self._reader.all_rows(
            [Query("PODOCUMENT", fields, where, optional=("CREATEDFROM", "PONUMBER"), docparid=template)],
            level=self._level,
        )
        numbers = [row["RECORDNO"] for row in headers if "RECORDNO" in row]
        lines: defaultdict[str, list[Row]] = defaultdict(list)
        if numbers:
            line_fields = ("RECORDNO", "DOCHDRNO", "LINE_NO", "ITEMID", "UIQTY", "SOURCE_DOCID", "SOURCE_DOCLINEKEY")
            where = wire.one_of("DOCHDRNO", numbers)
            query = Query("PODOCUMENTENTRY", line_fields, where, optional=translate.UNIT_FIELDS, docparid=template)
            async for rows in self._reader.pages(query, level=self._level):
                for row in rows:
                    lines[row.get("DOCHDRNO", "")].append(row)
        return {
            row["PRRECORDKEY"]: Posted(row, lines[row.get("RECORDNO", "")]) for row in headers if "PRRECORDKEY" in row
        }

    async def _source_lines(self, posted: Iterable[Posted]) -> dict[str, Row]:
        """The order and receipt lines that vendor invoice lines were converted from, by record number."""
        keys = {line["SOURCE_DOCLINEKEY"] for made in posted for line in made.lines if "SOURCE_DOCLINEKEY" in line}
        if not keys:
            return {}
        fields = ("RECORDNO", "DOCHDRID", "DOCPARID", "SOURCE_DOCLINEKEY", "UIQTY")
        query = Query("PODOCUMENTENTRY", fields, wire.one_of("RECORDNO", sorted(keys)), optional=translate.UNIT_FIELDS)
        (rows,) = await self._reader.all_rows([query], level=self._level)
        return {row["RECORDNO"]: row for row in rows if "RECORDNO" in row}


def _bill(
    row: Row, items: Sequence[Row], posted: Posted | None, sources: Mapping[str, Row], preferences: Preferences
) -> ErpBill:
    header = posted.header if posted else {}
    made = {line["LINE_NO"]: line for line in posted.lines if "LINE_NO" in line} if posted else {}
    order = _source_document(posted, sources, preferences.po_template)
    receipt = _source_document(posted, sources, preferences.receiver_template)
    document, number = header.get("DOCID"), header.get("DOCNO")
    total = _amount(row, "TOTALENTERED")
    return ErpBill(
        erp_id=ErpId(translate.need(row, "RECORDNO")),
        number=row.get("RECORDID", ""),
        vendor_id=translate.need(row, "VENDORID"),
        order_document=order,
        receipt_document=receipt,
        reference=row.get("DOCNUMBER") or header.get("PONUMBER"),
        source_document=DocumentId(document) if document else None,
        external_key=ExternalKey(number) if number else None,
        bill_date=translate.need_day(row, "WHENCREATED"),
        due_date=translate.optional_day(row, "WHENDUE"),
        currency=row.get("CURRENCY") or row.get("BASECURR") or "",
        total=total,
        paid=_amount(row, "TOTALPAID"),
        due=_amount(row, "TOTALDUE"),
        state=translate.need(row, "STATE"),
        memo=row.get("DESCRIPTION", ""),
        revision=translate.revision(row),
        lines=tuple(_bill_line(item, made, sources, preferences) for item in items),
    )


def _amount(row: Row, field: str) -> Decimal:
    """In the bill's own currency, where Intacct says so, else in the base currency (reference 2.9)."""
    value = translate.optional_decimal(row, f"TRX_{field}")
    return value if value is not None else translate.need_decimal(row, field)


def _source_document(posted: Posted | None, sources: Mapping[str, Row], template: str | None) -> DocumentId | None:
    """The one document of this definition the invoice was converted from; its links win over any text (ruling G8)."""
    if posted is None or not template:
        return None
    found = set()
    for line in posted.lines:
        source = sources.get(line.get("SOURCE_DOCLINEKEY", ""))
        if source is not None and source.get("DOCPARID") == template and "DOCHDRID" in source:
            found.add(source["DOCHDRID"])
    return DocumentId(found.pop()) if len(found) == 1 else None


def _bill_line(item: Row, made: Mapping[str, Row], sources: Mapping[str, Row], preferences: Preferences) -> ErpBillLine:
    line_no = int(translate.need_decimal(item, "LINE_NO"))
    # A bill's lines count from one, those of the document that posted it from zero (reference 2.9).
    entry = made.get(str(line_no - 1), {})
    source = entry.get("SOURCE_DOCLINEKEY")
    source_row = sources.get(source or "", {})
    order_line = source if source_row.get("DOCPARID") == preferences.po_template else None
    if source_row and source_row.get("DOCPARID") == preferences.receiver_template:
        order_line = source_row.get("SOURCE_DOCLINEKEY")
    amount = translate.optional_decimal(item, "TRX_AMOUNT")
    return ErpBillLine(
        line_no=line_no,
        account=translate.natural(item.get("ACCOUNTNO")),
        item_id=translate.natural(entry.get("ITEMID") or item.get("ITEMID")),
        description=item.get("ENTRYDESCRIPTION", ""),
        quantity=translate.in_source_unit(entry, source_row, "UIQTY"),
        amount=amount if amount is not None else translate.need_decimal(item, "AMOUNT"),
        order_line=ErpId(order_line) if order_line else None,
        source_line=ErpId(source) if source else None,
    )
