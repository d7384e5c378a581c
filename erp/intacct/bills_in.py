"""Read bills as Accounts Payable holds them, with the purchasing document behind each (reference 2.9)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from erp.intacct import adjustments_in, own_key, statuses, translate, wire
from erp.intacct.documents import changed_since
from erp.intacct.origins import origin
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from erp.records import made
from erp.roles.pages import BadRecord, Page
from models.domain.bills import ErpBill, ErpBillLine
from models.domain.ids import DocumentId, ErpId, ExternalKey

PURCHASING_MODULE = "9.PO"
"""MODULEKEY of a bill that a purchasing document posted (reference 2.9)."""

ADJUSTMENTS = "adjustments:"
"""Begins the place behind a page of adjustments."""

VERSION_FIELDS = ("RECORDNO", "WHENMODIFIED")
VERSION_OPTIONAL = ("AUWHENCREATED", "MEGAENTITYID")


class Posted(NamedTuple):
    """The vendor invoice behind a bill."""

    header: Row
    lines: list[Row]


class BillsIn:
    """Reads the bills of one connection."""

    def __init__(self, reader: IntacctReader, preferences: Preferences, home_level: str | None) -> None:
        self._reader = reader
        self._preferences = preferences
        self._level = home_level
        self._adjustments = adjustments_in.AdjustmentsIn(reader, preferences, home_level)

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        """Read a page of bills with lines; behind the last one follow those of adjustments. Bills that Purchasing
        posted come with the document that made them."""
        if after is not None and after.startswith(ADJUSTMENTS):
            read = await self._adjustments.page(since=since, after=after.removeprefix(ADJUSTMENTS) or None)
            return read if read.after is None else read._replace(after=f"{ADJUSTMENTS}{read.after}")
        query = Query("APBILL", VERSION_FIELDS, changed_since(since), optional=VERSION_OPTIONAL, after=after)
        (page,) = await self._reader.first_pages([query], level=self._level)
        bills, bad = await self._whole(page.rows)
        high_water = max((bill.revision for bill in bills), default=None)
        return Page(bills, page.last if page.more else ADJUSTMENTS, high_water, bad)

    async def numbered(self, vendor_id: str, number: str) -> Sequence[ErpBill]:
        """Return the vendor's bills with this bill number. One that cannot be read is reported when its page comes."""
        where = wire.all_of(wire.equal("VENDORID", vendor_id), wire.equal("RECORDID", number))
        query = Query("APBILL", VERSION_FIELDS, where, optional=VERSION_OPTIONAL)
        (rows,) = await self._reader.all_rows([query], level=self._level)
        bills, _ = await self._whole(rows)
        return bills

    async def read(self, credits: Sequence[ErpId], bills: Sequence[ErpId]) -> Page[ErpBill]:
        """Read these adjustments and bills, each whole; what Intacct does not show is left out."""
        shown, bad = await self._adjustments.read(credits)
        if bills:
            query = Query("APBILL", VERSION_FIELDS, wire.one_of("RECORDNO", bills), optional=VERSION_OPTIONAL)
            (rows,) = await self._reader.all_rows([query], level=self._level)
            more, worse = await self._whole(rows)
            shown, bad = [*shown, *more], [*bad, *worse]
        return Page(shown, None, None, bad)

    async def _whole(self, rows: Sequence[Row]) -> tuple[list[ErpBill], list[BadRecord]]:
        """Read the listed bills with their lines and the documents that posted them."""
        listed = [row for row in rows if "RECORDNO" in row]
        if not listed:
            return [], []
        records = await self._reader.read_owned("APBILL", listed, level=self._level)
        flat = {number: wire.flat(record) for number, record in records.items()}
        purchased = [number for number, row in flat.items() if row.get("MODULEKEY") == PURCHASING_MODULE]
        posted = await self._posted(purchased)
        sources = await self._source_lines(posted.values())

        def bill(row: Row) -> ErpBill:
            number = row["RECORDNO"]
            lines = wire.owned_rows(translate.shown(records, row), "APBILLITEMS", adjustments_in.ITEM_FIELDS)
            return _bill(flat[number], lines, posted.get(number), sources, self._preferences)

        return translate.usable(listed, bill)

    async def _posted(self, bills: Sequence[str]) -> dict[str, Posted]:
        """Return, by bill, the vendor invoice that posted it, with its lines."""
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
        """Return the order and receipt lines that vendor invoice lines were converted from, by record number, and the
        receipt lines that those are the rest of (S5-25)."""
        lines = [line for invoice in posted for line in invoice.lines]
        keys = {line["SOURCE_DOCLINEKEY"] for line in lines if "SOURCE_DOCLINEKEY" in line}
        by_record: dict[str, Row] = {}
        fields = ("RECORDNO", "DOCHDRID", "DOCPARID", "SOURCE_DOCLINEKEY", "UIQTY")
        # A document's id is its definition's name and its number (reference 2.6).
        of_receipt = f"{self._preferences.receiver_template}-"
        while keys := keys - by_record.keys():
            where = wire.one_of("RECORDNO", sorted(keys))
            query = Query("PODOCUMENTENTRY", fields, where, optional=(*translate.UNIT_FIELDS, "SOURCE_DOCID"))
            (rows,) = await self._reader.all_rows([query], level=self._level)
            by_record |= {key: {} for key in keys} | {row["RECORDNO"]: row for row in rows if "RECORDNO" in row}
            rests = [row for row in rows if row.get("SOURCE_DOCID", "").startswith(of_receipt)]
            keys = {row["SOURCE_DOCLINEKEY"] for row in rests if "SOURCE_DOCLINEKEY" in row}
        return by_record


def _bill(
    row: Row, items: Sequence[Row], posted: Posted | None, sources: Mapping[str, Row], preferences: Preferences
) -> ErpBill:
    header = posted.header if posted else {}
    entries = {line["LINE_NO"]: line for line in posted.lines if "LINE_NO" in line} if posted else {}
    order = _source_document(posted, sources, preferences.po_template)
    receipt = _source_document(posted, sources, preferences.receiver_template)
    document, number = header.get("DOCID"), header.get("DOCNO")
    if row.get("MODULEKEY") != PURCHASING_MODULE:
        number = own_key.key_of(row, preferences.key_field)
    total = _amount(row, "TOTALENTERED")
    return made(
        ErpBill,
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
        entity=row.get("MEGAENTITYID"),
        total=total,
        paid=_amount(row, "TOTALPAID"),
        due=_amount(row, "TOTALDUE"),
        state=translate.need(row, "STATE"),
        reversed=statuses.is_dead_bill(row),
        memo=own_key.split(row.get("DESCRIPTION", "")).memo,
        revision=translate.revision(row),
        lines=tuple(_bill_line(item, entries, sources, preferences) for item in items),
    )


def _amount(row: Row, field: str) -> Decimal:
    """Return an amount in the bill's own currency if Intacct gives it, else in the base currency (reference 2.9)."""
    value = translate.optional_decimal(row, f"TRX_{field}")
    return value if value is not None else translate.need_decimal(row, field)


def _source_document(posted: Posted | None, sources: Mapping[str, Row], template: str | None) -> DocumentId | None:
    """Return the one document of this definition that the invoice was converted from. Its links take precedence over
    any text."""
    if posted is None or not template:
        return None
    result = set()
    for line in posted.lines:
        source = sources.get(line.get("SOURCE_DOCLINEKEY", ""))
        if source is not None and source.get("DOCPARID") == template and "DOCHDRID" in source:
            result.add(source["DOCHDRID"])
    return DocumentId(result.pop()) if len(result) == 1 else None


def _bill_line(
    item: Row, entries: Mapping[str, Row], sources: Mapping[str, Row], preferences: Preferences
) -> ErpBillLine:
    line_no = int(translate.need_decimal(item, "LINE_NO"))
    # A bill's lines count from one, those of the document that posted it from zero (reference 2.9).
    entry = entries.get(str(line_no - 1), {})
    source = entry.get("SOURCE_DOCLINEKEY")
    source_row = sources.get(source or "", {})
    order_line: str | None = None
    if source_row and source_row.get("DOCPARID") in (preferences.po_template, preferences.receiver_template):
        order_line = origin(entry, sources, preferences.receiver_template).order_line
    amount = translate.optional_decimal(item, "TRX_AMOUNT")
    return made(
        ErpBillLine,
        line_no=line_no,
        account=translate.natural(item.get("ACCOUNTNO")),
        item_id=translate.natural(entry.get("ITEMID") or item.get("ITEMID")),
        description=item.get("ENTRYDESCRIPTION", ""),
        quantity=translate.in_source_unit(entry, source_row, "UIQTY"),
        amount=amount if amount is not None else translate.need_decimal(item, "AMOUNT"),
        order_line=ErpId(order_line) if order_line else None,
        source_line=ErpId(source) if source else None,
    )
