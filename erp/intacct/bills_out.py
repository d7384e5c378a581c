"""Send a bill as a vendor invoice converted from the order (reference 3.2, 3.3, section 5)."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from erp.errors import Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected
from erp.intacct import bill_edits as invoice_edits
from erp.intacct import translate, wire
from erp.intacct.account_lines import NOTHING, as_taken
from erp.intacct.bills_in import BillsIn
from erp.intacct.client import IntacctClient
from erp.intacct.custom_fields import (
    approval_date,
    approval_differences,
    custom_fields,
    line_differences,
    line_values,
)
from erp.intacct.orders import Orders
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from erp.prices import unit_price
from erp.transport import malformed
from models.domain.bills import BillLineToPush, BillToPush, ChargeKind, PushedBill
from models.domain.ids import DocumentId, ErpId
from models.domain.orders import PurchaseOrderSnapshot

PRICE_DECIMALS = 10
KEY_LENGTH = 20
"""Of a bill's first generation; a later one's, and a part's, has more behind it."""

INVOICE_FIELDS = ("RECORDNO", "DOCID", "DOCNO", "STATE", "CUSTVENDID", "WHENCREATED", "WHENMODIFIED", "PRRECORDKEY")
INVOICE_OPTIONAL = (
    "AUWHENCREATED",
    "WHENPOSTED",
    "WHENDUE",
    "VENDORDOCNO",
    "PONUMBER",
    "TRX_TOTAL",
    "TOTAL",
    "CURRENCY",
    "CREATEDFROM",
    "MESSAGE",
)
INVOICE_LINE_FIELDS = ("RECORDNO", "LINE_NO", "ITEMID", "UIQTY", "TRX_VALUE", "SOURCE_DOCLINEKEY")
INVOICE_LINE_OPTIONAL = (
    *("UNIT", "LOCATIONID", "DEPARTMENTID", "CLASSID", "PROJECTID", "SOURCE_DOCID", "MEMO"),
    "WAREHOUSE.LOCATION_NO",
)


class Bills(BillsIn):
    """Writes the vendor invoices of one connection. They are created, and read back, at the level that owns the order
    (7.1)."""

    def __init__(self, client: IntacctClient, reader: IntacctReader, orders: Orders, preferences: Preferences) -> None:
        super().__init__(reader, preferences, client.home_level)
        self._client = client
        self._orders = orders

    async def find(self, bill: BillToPush) -> DocumentId | None:
        """Return the vendor's invoice with our key as its number, else the one with its own number against the same
        source.

        The second look-up is for definitions with a preserved sequence that ignore the number we send (reference 3.2).
        """
        template = self._preferences.needed_vendor_invoice_template()
        same_vendor = wire.equal("CUSTVENDID", bill.vendor_id)
        queries = [self._query(template, wire.all_of(same_vendor, wire.equal("DOCNO", bill.external_key)))]
        sources = _sources(bill)
        if len(sources) == 1:
            same = wire.all_of(wire.equal("VENDORDOCNO", bill.number), wire.equal("CREATEDFROM", sources[0]))
            queries.append(self._query(template, wire.all_of(same_vendor, same)))
        for rows in await self._reader.all_rows(queries, level=bill.owner_entity):
            for row in rows:
                document = DocumentId(translate.need(row, "DOCID"))
                if document not in bill.earlier:
                    return document
        return None

    async def create(self, bill: BillToPush) -> DocumentId:
        """Create the invoice, as one transaction under our key.

        Raises:
            Rejected: SEVERAL_SOURCES where one bill may have only one; CHARGES_NOT_TAKEN for money beyond
                the lines for which no subtotal is named; ORDER_LINE_GONE.
            MalformedAnswer: the answer lacks the new document.
        """
        bill = as_taken(bill)
        sources = _sources(bill)
        if len(sources) > 1 and not self._preferences.several_sources:
            raise Rejected(
                f"The bill's lines come from {len(sources)} documents: {', '.join(sources)}.",
                code="SEVERAL_SOURCES",
                evidence={"sources": ", ".join(sources)},
            )
        subtotals = self._preferences.subtotals
        unnamed = [charge.kind for charge in bill.charges if charge.kind not in subtotals]
        if unnamed:
            raise Rejected(
                f"No subtotal of the vendor invoice definition is named for {', '.join(unnamed)}.",
                code="CHARGES_NOT_TAKEN",
                evidence={"kinds": ", ".join(unnamed)},
            )
        own = approval_date(self._preferences.approval_date_field, bill.approved_on)
        body = potransaction(bill, self._preferences, sources, own)
        try:
            result = await self._client.write(body, control_id=bill.external_key, level=bill.owner_entity)
        except Duplicate as error:
            anew = number_anew(bill)
            if error.code != "ALREADY_EXISTS" or anew == bill.number:
                raise
            # Its credited generation keeps the supplier's number taken.
            bill = bill.model_copy(update={"number": anew})
            body = potransaction(bill, self._preferences, sources, own)
            result = await self._client.write(body, control_id=bill.external_key, level=bill.owner_entity)
        except Rejected as error:
            if error.code == "VALUE_REFUSED":
                await self._check_sources(bill, error)
            raise
        if not result.key:
            raise malformed("Intacct accepted the bill without naming it.", writing=True)
        return DocumentId(result.key)

    async def _check_sources(self, bill: BillToPush, refusal: Rejected) -> None:
        """Look whether what Intacct refused is a line of the order, or of a receipt, that was removed there: its words
        do not say so.

        Raises:
            Rejected: ORDER_LINE_GONE, with the words of the refusal.
        """
        sources = _sources(bill)
        if not sources:
            return
        query = Query("PODOCUMENTENTRY", ("RECORDNO",), wire.one_of("DOCHDRID", sources))
        try:
            (rows,) = await self._reader.all_rows([query], level=bill.owner_entity)
        except ErpError:
            return  # the refusal stands as it is
        there = {row.get("RECORDNO") for row in rows}
        gone = [line for line in bill.lines if line.source.document_id in sources and line.source.line not in there]
        if gone:
            raise Rejected(
                f"{', '.join(sources)} has no line any more for {', '.join(line.item_id for line in gone)}.",
                code="ORDER_LINE_GONE",
                erp_code=refusal.erp_code,
                evidence={**refusal.evidence, "lines": ", ".join(str(line.line_no) for line in gone)},
            ) from refusal

    async def update(self, bill: BillToPush, document: DocumentId, *, edition: int) -> None:
        """Change the invoice to what the bill says now.

        Raises:
            Duplicate: this edition was taken before.
            Rejected: the invoice's lines no longer correspond to the bill's.
        """
        bill = as_taken(bill)
        if any(line.edited for line in bill.lines):
            (lines,) = await self._reader.all_rows([self._line_query(document)], level=bill.owner_entity)
            invoice_edits.check_lines(bill, document, lines)
        own = approval_date(self._preferences.approval_date_field, bill.approved_on)
        body = invoice_edits.update_potransaction(bill, document, own, self._preferences.line_fields)
        try:
            await self._client.write(body, control_id=invoice_edits.control_id(bill, edition), level=bill.owner_entity)
        except Duplicate as error:
            if error.code == "ALREADY_SENT":
                raise
            # Another record has the number: that says nothing about this edition.
            raise Rejected(error.message, code=error.code, erp_code=error.erp_code, evidence=error.evidence) from error

    async def repair_link(self, bill: BillToPush, document_id: DocumentId) -> bool:
        """Do nothing: a bill is made from its order, and is not linked afterwards."""
        return False

    async def read_back(self, bill: BillToPush, document: DocumentId, *, with_order: bool = True) -> PushedBill:
        """Read the invoice back and compare it with what was sent. The order is read in the same request.

        Raises:
            OutcomeUnknown: reads do not show the invoice yet (reference 2.5 point 4): it was written, and
                has to be looked up again.
        """
        bill = as_taken(bill)
        template = self._preferences.needed_vendor_invoice_template()
        dated = approval_date(self._preferences.approval_date_field, bill.approved_on)
        queries = [self._query(template, wire.equal("DOCID", document), also=dated), self._line_query(document)]
        if with_order:
            queries += self._orders.snapshot_queries(bill.order_document)
        headers, lines, *order_rows = await self._reader.all_rows(queries, level=bill.owner_entity)
        if not headers:
            raise OutcomeUnknown(f"Intacct does not show {document} yet.", code="OUTCOME_UNKNOWN")
        header = headers[0]
        # An unusable invoice raises MalformedAnswer, never Rejected: it is there, so the write was not refused.
        lines.sort(key=lambda row: int(translate.need_decimal(row, "LINE_NO")))
        total = _total(header, lines)
        if bill.is_edit:
            differences = invoice_edits.differences(bill, header, lines, self._preferences.line_fields)
        else:
            on_lines = _line_differences(bill, lines, self._preferences.line_fields)
            differences = (*_header_differences(bill, header, total), *on_lines)
        if not bill.is_edit or invoice_edits.releases(bill):
            own = self._preferences.approval_date_field
            differences = (*differences, *approval_differences(own, bill.approved_on, header))
        revision = translate.revision(header)
        payable = header.get("PRRECORDKEY")
        return PushedBill(
            erp_id=ErpId(translate.need(header, "RECORDNO")),
            document_id=document,
            payable_id=ErpId(payable) if payable else None,
            total=total,
            revision=revision,
            linked=_linked(bill, lines),
            due_date=translate.optional_day(header, "WHENDUE"),
            differences=differences,
            snapshot=await self._snapshot(bill, order_rows) if with_order else None,
        )

    async def _snapshot(self, bill: BillToPush, order_rows: list[list[Row]]) -> PurchaseOrderSnapshot | None:
        """Return the order as it is now. Without it the bill is pushed all the same; the order's own reading reports
        the problem."""
        try:
            return await self._orders.snapshot(bill.order_document, order_rows, level=bill.owner_entity)
        except (NotFound, Rejected):
            return None

    def _line_query(self, document: DocumentId) -> Query:
        return Query(
            "PODOCUMENTENTRY",
            INVOICE_LINE_FIELDS,
            wire.equal("DOCHDRID", document),
            optional=(*INVOICE_LINE_OPTIONAL, *self._preferences.line_fields.values()),
            docparid=self._preferences.needed_vendor_invoice_template(),
        )

    def _query(self, template: str, where: str, also: Iterable[str] = ()) -> Query:
        return Query(
            "PODOCUMENT",
            INVOICE_FIELDS,
            wire.all_of(wire.equal("DOCPARID", template), where),
            optional=(*INVOICE_OPTIONAL, *also),
            docparid=template,
        )


def number_anew(bill: BillToPush) -> str:
    """Return the number that a bill goes out under where a credited generation of it keeps the supplier's taken."""
    suffix = bill.external_key[KEY_LENGTH:]
    is_made_anew = suffix[1:2].isdecimal()
    beside = any(line.source == NOTHING or line.source.is_billed for line in bill.lines)
    return bill.number + suffix if bill.earlier and (is_made_anew or beside) else bill.number


def potransaction(
    bill: BillToPush,
    preferences: Preferences,
    sources: Sequence[DocumentId],
    own: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return `create_potransaction` as XML, children in the schema's order (reference 3.2). `own`: the values of the
    company's own fields of the document."""
    single = sources[0] if len(sources) == 1 else None
    vendor = None if preferences.vendor_on_lines is False else bill.vendor_id
    return "".join(
        (
            "<create_potransaction>",
            wire.element("transactiontype", preferences.needed_vendor_invoice_template()),
            wire.legacy_date("datecreated", bill.bill_date),
            wire.legacy_date("dateposted", bill.posting_date),
            wire.element("createdfrom", single),
            wire.element("vendorid", bill.vendor_id),
            wire.element("documentno", bill.external_key),
            wire.element("referenceno", bill.order_number),
            wire.element("vendordocno", bill.number),
            wire.element("termname", bill.term),
            wire.legacy_date("datedue", bill.due_date) if bill.due_date is not None else "",
            wire.element("message", bill.memo),
            "<returnto><contactname/></returnto><payto><contactname/></payto>",
            wire.element("externalid", bill.external_key),
            wire.element("currency", bill.currency),
            "<exchratetype/>",
            custom_fields(own),
            f"<state>{'Draft' if bill.draft else 'Pending'}</state>",
            "<potransitems>",
            *(_item(line, preferences.line_fields, several=single is None, vendor=vendor) for line in bill.lines),
            "</potransitems>",
            _subtotals(bill, preferences.subtotals),
            "</create_potransaction>",
        )
    )


def _subtotals(bill: BillToPush, names: Mapping[ChargeKind, str]) -> str:
    """Return the money beyond the lines as XML, by the names the transaction definition uses (reference 3.2)."""
    if not bill.charges:
        return ""
    first = bill.lines[0]
    parts = [
        "<subtotal>"
        + wire.element("description", names[charge.kind])
        + wire.element("total", wire.plain(charge.amount))
        + wire.element("locationid", first.location or first.entity)
        + "</subtotal>"
        for charge in bill.charges
    ]
    return f"<subtotals>{''.join(parts)}</subtotals>"


def _item(line: BillLineToPush, line_fields: Mapping[str, str], *, several: bool, vendor: str | None) -> str:
    price = unit_price(line.amount, line.quantity, line.price, decimals=PRICE_DECIMALS)
    return "".join(
        (
            "<potransitem>",
            wire.element("itemid", line.item_id),
            wire.element("itemdesc", line.description),
            "<taxable>false</taxable>",
            wire.element("warehouseid", line.warehouse),
            wire.element("quantity", wire.plain(line.quantity)),
            wire.element("unit", line.unit),
            wire.element("price", wire.plain(price)),
            wire.element("sourcelinekey", line.source.line),
            wire.element("locationid", line.location or line.entity),
            wire.element("departmentid", line.department),
            wire.element("memo", line.description),
            custom_fields(line_values(line.custom, line_fields)),
            wire.element("projectid", line.project),
            wire.element("vendorid", vendor),
            wire.element("classid", line.class_id),
            "<billable>false</billable>",
            "<conversiontype>Price</conversiontype>" if line.by_amount else "",
            wire.element("sourcedocid", line.source.document_id) if several else "",
            wire.element("sourcedoclineid", line.source.line) if several else "",
            "</potransitem>",
        )
    )


def _sources(bill: BillToPush) -> list[DocumentId]:
    return list(
        dict.fromkeys(
            line.source.document_id for line in bill.lines if line.source.document_id and not line.source.is_billed
        )
    )


# --- comparing -------------------------------------------------------------------------------------------------


def _total(header: Row, lines: Sequence[Row]) -> Decimal:
    for field in ("TRX_TOTAL", "TOTAL"):
        total = translate.optional_decimal(header, field)
        if total is not None:
            return total
    return sum((translate.need_decimal(line, "TRX_VALUE") for line in lines), Decimal(0))


def _linked(bill: BillToPush, lines: Sequence[Row]) -> bool:
    """Return whether Intacct holds each sent line with its source line. It also accepts an invoice without the link."""
    if len(lines) != len(bill.lines):
        return False
    pairs = zip(bill.lines, lines, strict=True)
    return all(row.get("SOURCE_DOCLINEKEY", "") == sent.source.line for sent, row in pairs)


def _header_differences(bill: BillToPush, header: Row, total: Decimal) -> list[str]:
    pairs = [
        ("the vendor", bill.vendor_id, header.get("CUSTVENDID")),
        ("the supplier's invoice number", _number_sent(bill, header), header.get("VENDORDOCNO")),
        ("the reference number", bill.order_number, header.get("PONUMBER")),
        ("our key", bill.external_key, header.get("DOCNO")),
        ("the currency", bill.currency, header.get("CURRENCY", bill.currency)),
        ("the bill date", bill.bill_date, translate.optional_day(header, "WHENCREATED")),
        ("the due date", bill.due_date, bill.due_date and translate.optional_day(header, "WHENDUE")),
        ("the posting date", bill.posting_date, translate.optional_day(header, "WHENPOSTED") or bill.posting_date),
        ("the total", bill.total, total),
    ]
    results = [
        f"{what}: sent {sent}, Intacct has {existing or 'nothing'}"
        for what, sent, existing in pairs
        if sent != existing
    ]
    # What we left to Intacct's defaults is no difference, whatever it filled in.
    return results + (invoice_edits.text_difference("the memo", bill.memo, header.get("MESSAGE")) if bill.memo else [])


def _number_sent(bill: BillToPush, header: Row) -> str:
    anew = number_anew(bill)
    return anew if header.get("VENDORDOCNO") == anew else bill.number


def _line_differences(bill: BillToPush, lines: Sequence[Row], line_fields: Mapping[str, str]) -> list[str]:
    if len(lines) != len(bill.lines):
        return [f"the number of lines: sent {len(bill.lines)}, Intacct has {len(lines)}"]
    results = []
    for sent, row in zip(bill.lines, lines, strict=True):
        pairs = [
            ("the item", sent.item_id, translate.natural(row.get("ITEMID"))),
            ("the quantity", sent.quantity, translate.need_decimal(row, "UIQTY")),
            ("the amount", sent.amount, translate.need_decimal(row, "TRX_VALUE")),
            ("the unit", sent.unit, row.get("UNIT", sent.unit)),
            ("the location", sent.location or sent.entity, translate.natural(row.get("LOCATIONID"))),
            ("the department", sent.department, translate.natural(row.get("DEPARTMENTID"))),
            ("the class", sent.class_id, translate.natural(row.get("CLASSID"))),
            ("the project", sent.project, translate.natural(row.get("PROJECTID"))),
            ("the warehouse", sent.warehouse, translate.natural(row.get("WAREHOUSE.LOCATION_NO"))),
        ]
        results += [
            f"line {sent.line_no}, {what}: sent {mine}, Intacct has {existing or 'nothing'}"
            for what, mine, existing in pairs
            # What we left to Intacct's defaults is no difference, whatever it filled in.
            if mine not in (None, "") and mine != existing
        ]
        results += line_differences(sent.line_no, sent.custom, row, line_fields)
        if sent.description:
            results += invoice_edits.text_difference(
                f"line {sent.line_no}, the description", sent.description, row.get("MEMO")
            )
    return results
