"""Translate Intacct's records into ours (reference 2.6, 2.7, 2.9). The way out is in `bills_out.py`.

Every function either returns a whole record or raises `Unusable`, which becomes a BadRecord: one bad order never stops
the others.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from lxml import etree

from erp.errors import MalformedAnswer
from erp.intacct import custom_fields, wire
from erp.intacct.origins import Origin, origin
from erp.intacct.wire import Row
from erp.records import made
from erp.roles.pages import BadRecord
from models.domain.ids import DocumentId, ErpId
from models.domain.orders import LineBasis, PurchaseOrder, PurchaseOrderHeader, PurchaseOrderLine
from models.domain.receipts import Receipt, ReceiptLine

T = TypeVar("T")

HEADER_FIELDS = ("RECORDNO", "DOCID", "DOCNO", "STATE", "CUSTVENDID", "WHENCREATED", "WHENMODIFIED")
HEADER_OPTIONAL = (
    "CUSTVENDNAME",
    "AUWHENCREATED",
    "WHENDUE",
    "CURRENCY",
    "BASECURR",
    "MESSAGE",
    "TRX_TOTAL",
    "TOTAL",
    "PONUMBER",
    "TERM.NAME",
    "MEGAENTITYID",
    "CREATEDFROM",
)
LINE_FIELDS = ("RECORDNO", "DOCHDRNO", "LINE_NO", "ITEMID", "UIQTY", "UIPRICE", "TRX_VALUE", "WHENMODIFIED")
LINE_OPTIONAL = (
    "MEMO",
    "ITEMDESC",
    "UNIT",
    "QTY_CONVERTED",
    "TOTAL_AMOUNT_CONVERTED",
    "CONVERSIONTYPE",
    "STATE",
    "LOCATIONID",
    "CURRENCY",
    "DEPARTMENTID",
    "CLASSID",
    "PROJECTID",
    "WAREHOUSE.LOCATION_NO",
    "SOURCE_DOCLINEKEY",
)
RECEIPT_LINE_FIELDS = ("RECORDNO", "DOCHDRNO", "LINE_NO", "ITEMID", "UIQTY", "WHENMODIFIED")
RECEIPT_LINE_OPTIONAL = (
    "DOCPARID",
    "MEMO",
    "ITEMDESC",
    "UNIT",
    "QUANTITY",
    "QTY_CONVERTED",
    "LOCATIONID",
    "SOURCE_DOCID",
    "SOURCE_DOCLINEKEY",
)
UNIT_FIELDS = ("UNIT", "QUANTITY")
"""Fields that, beside UIQTY, show how a line's unit differs from its source line's (section 2.7)."""
CONVERTED_PLACES = 10
"""Decimals of a quantity in another unit; Intacct's own conversions have no more."""


UNFORESEEN = (ValueError, ArithmeticError, LookupError, TypeError)
"""What a record may cause that no check foresaw: it becomes a bad record like any other, and the page goes on."""


class Unusable(MalformedAnswer):
    """A record that cannot be read into our form, with our code and the evidence. On a page it becomes a bad record."""

    def __init__(self, code: str, message: str, evidence: Mapping[str, str]) -> None:
        super().__init__(message, code=code, evidence=evidence)


def unforeseen(error: Exception) -> Unusable:
    """Return the error of a record that no check foresaw."""
    problem = f"{type(error).__name__}: {error}"[:500]
    return Unusable("VALUE_NOT_READABLE", f"The record cannot be read: {problem}", {"problem": problem})


def bad_record(row: Row, error: Unusable) -> BadRecord:
    """Return the record by name, with what made it unusable."""
    evidence = {name: row[name] for name in ("DOCID", "STATE", "WHENMODIFIED") if name in row}
    return BadRecord(
        erp_id=row.get("RECORDNO", ""), code=error.code, message=error.message, evidence=evidence | error.evidence
    )


def usable(rows: Iterable[Row], make: Callable[[Row], T]) -> tuple[list[T], list[BadRecord]]:
    """Return what `make` makes of each row, and the rows it could not use."""
    good: list[T] = []
    bad: list[BadRecord] = []
    for row in rows:
        try:
            good.append(make(row))
        except Unusable as error:
            bad.append(bad_record(row, error))
        except UNFORESEEN as error:
            bad.append(bad_record(row, unforeseen(error)))
    return good, bad


def shown(records: Mapping[str, etree._Element], row: Row) -> etree._Element:
    """Return the whole record of one that was listed.

    Raises:
        Unusable: it is not shown; a record must not get lost between two readings.
    """
    record = records.get(row["RECORDNO"])
    if record is None:
        raise Unusable("RECORD_NOT_SHOWN", f"Record {row['RECORDNO']} is listed but not shown.", row)
    return record


def need(row: Row, field: str) -> str:
    """Return the text of a mandatory field.

    Raises:
        Unusable: MISSING_FIELD.
    """
    value = row.get(field)
    if value is None:
        shown = row.get("DOCID") or row.get("DOCHDRID") or row.get("RECORDNO") or "a record"
        raise Unusable("MISSING_FIELD", f"{shown} came without its {field}.", {"field": field})
    return value


def need_decimal(row: Row, field: str) -> Decimal:
    """Return the number of a mandatory field.

    Raises:
        Unusable: it is absent or is no number.
    """
    return readable(field, need(row, field), wire.decimal)


def need_day(row: Row, field: str) -> date:
    """Return the date of a mandatory field.

    Raises:
        Unusable: it is absent or is no date.
    """
    return readable(field, need(row, field), wire.day)


def optional_decimal(row: Row, field: str) -> Decimal | None:
    """Return the number of a field; None: it is absent.

    Raises:
        Unusable: it is no number.
    """
    value = row.get(field)
    return None if value is None else readable(field, value, wire.decimal)


def optional_day(row: Row, field: str) -> date | None:
    """Return the date of a field; None: it is absent.

    Raises:
        Unusable: it is no date.
    """
    value = row.get(field)
    return None if value is None else readable(field, value, wire.day)


def natural(value: str | None) -> str | None:
    """Return the id of an `id--name` value."""
    if value is None or "--" not in value:
        return value
    return value.partition("--")[0].strip() or None


def revision(row: Row) -> str:
    """Return when the record last changed. Some records have no modification time until their first change (2.5 point
    2).

    Raises:
        Unusable: it shows neither time.
    """
    version = row.get("WHENMODIFIED") or row.get("AUWHENCREATED")
    if version is None:
        raise Unusable("MISSING_FIELD", "The record came without a modification time.", {"field": "WHENMODIFIED"})
    return readable("WHENMODIFIED", version, wire.sortable_time)


def readable(field: str, value: str, convert: Callable[[str], T]) -> T:
    """Return the field's value, converted.

    Raises:
        Unusable: the value cannot be converted.
    """
    try:
        return convert(value)
    except ValueError as error:
        raise Unusable("VALUE_NOT_READABLE", f"{field} cannot be read: {error}", {field: value}) from None


# --- purchase orders -------------------------------------------------------------------------------------------


def order_header(row: Row) -> PurchaseOrderHeader:
    """Return a purchase order's header.

    Raises:
        Unusable: the row cannot be used.
    """
    total = row.get("TRX_TOTAL") or row.get("TOTAL")
    vendor = need(row, "CUSTVENDID")
    document = need(row, "DOCID")
    state = need(row, "STATE")
    return PurchaseOrderHeader(
        erp_id=ErpId(need(row, "RECORDNO")),
        document_id=DocumentId(document),
        # A draft may have no number yet (reference 2.6); its document id still names it.
        number=row.get("DOCNO") or (document if state in ("Draft", "I") else need(row, "DOCNO")),
        erp_status=state,
        vendor_id=vendor,
        vendor_name=row.get("CUSTVENDNAME", vendor),
        ordered_on=need_day(row, "WHENCREATED"),
        due_on=optional_day(row, "WHENDUE"),
        currency=row.get("CURRENCY") or row.get("BASECURR"),
        memo=row.get("MESSAGE", ""),
        total=None if total is None else readable("TRX_TOTAL", total, wire.decimal),
        reference=row.get("PONUMBER"),
        term=row.get("TERM.NAME"),
        owner_entity=row.get("MEGAENTITYID"),
        created_from=DocumentId(row["CREATEDFROM"]) if "CREATEDFROM" in row else None,
        revision=revision(row),
    )


def order_line(row: Row, own: Mapping[str, str]) -> PurchaseOrderLine:
    """Return a line of an order. `own`: Intacct's fields that are the company's own, by our names.

    Raises:
        Unusable: the row cannot be used.
    """
    get = row.get
    try:
        location = natural(get("LOCATIONID"))
        return made(
            PurchaseOrderLine,
            erp_id=row["RECORDNO"],
            line_no=int(row["LINE_NO"]) + 1,
            item_id=natural(row["ITEMID"]),
            description=get("MEMO") or get("ITEMDESC", ""),
            unit=get("UNIT", ""),
            quantity=wire.decimal(row["UIQTY"]),
            price=wire.decimal(row["UIPRICE"]),
            amount=wire.decimal(row["TRX_VALUE"]),
            # Fixed once the line is saved there, and never chosen here (reference 3.3).
            basis=LineBasis.AMOUNT if get("CONVERSIONTYPE") == "Price" else LineBasis.QUANTITY,
            billed=wire.decimal(get("QTY_CONVERTED", "0")),
            billed_amount=wire.decimal(get("TOTAL_AMOUNT_CONVERTED", "0")),
            closed=get("STATE") in ("Closed", "D"),
            entity=location,
            currency=get("CURRENCY"),
            department=natural(get("DEPARTMENTID")),
            location=location,
            class_id=natural(get("CLASSID")),
            project=natural(get("PROJECTID")),
            warehouse=natural(get("WAREHOUSE.LOCATION_NO")),
            source_line=get("SOURCE_DOCLINEKEY"),
            custom=custom_fields.values_of(row, own),
        )
    except KeyError as error:
        need(row, str(error.args[0]))
        raise
    except ValueError as error:
        raise Unusable("VALUE_NOT_READABLE", f"A line cannot be read: {error}", {"line": get("RECORDNO", "")}) from None


def order(header: PurchaseOrderHeader, lines: Sequence[PurchaseOrderLine], line_revision: str | None) -> PurchaseOrder:
    """Return the order with its lines; entity and currency are the same on all of them.

    Raises:
        Unusable: there are no lines (NO_LINES), or they differ in currency or entity (MIXED_CURRENCY,
            MIXED_ENTITY).
    """
    if not lines:
        raise Unusable("NO_LINES", f"{header.document_id} came without any line.", {})
    currencies = {line.currency for line in lines if line.currency} | ({header.currency} if header.currency else set())
    values = dict(header.__dict__)
    values["currency"] = _uniform(header.document_id, "currency", "MIXED_CURRENCY", currencies)
    values["entity"] = _uniform(header.document_id, "entity", "MIXED_ENTITY", {line.entity for line in lines})
    values["lines"] = tuple(sorted(lines, key=lambda line: line.line_no))
    if line_revision is not None and line_revision > header.revision:
        values["revision"] = line_revision
    return made(PurchaseOrder, **values)


def _uniform(document: str, what: str, code: str, values: Collection[str | None]) -> str | None:
    if len(values) > 1:
        shown = ", ".join(sorted(value or "(none)" for value in values))
        raise Unusable(code, f"The lines of {document} differ in {what}: {shown}.", {what: shown})
    return next(iter(values), None)


# --- receipts --------------------------------------------------------------------------------------------------


def in_source_unit(line: Row, source: Row, field: str) -> Decimal | None:
    """Return a line's quantity in the unit of the line it was converted from; None: the line lacks the field.

    A receiver or an invoice may use another unit of the item's group: 120 pieces of 10 cases. Every line shows its
    quantity in its own unit and in the group's base unit (section 2.7).

    Raises:
        Unusable: the units do not convert.
    """
    quantity = optional_decimal(line, field)
    unit, wanted = line.get("UNIT"), source.get("UNIT")
    if not quantity or unit is None or wanted is None or unit == wanted:
        return quantity
    mine, theirs = _base_units(line), _base_units(source)
    if mine is None or theirs is None:
        raise Unusable(
            "UNIT_NOT_CONVERTIBLE",
            f"A line is in {unit}, its order's in {wanted}, and Intacct does not say how they convert.",
            {"unit": unit, "order_unit": wanted, "line": line.get("RECORDNO", "")},
        )
    exact = Fraction(quantity) * mine / theirs
    rounded = round(Decimal(exact.numerator) / Decimal(exact.denominator), CONVERTED_PLACES)
    return rounded if rounded != rounded.to_integral_value() else rounded.to_integral_value()


def _base_units(line: Row) -> Fraction | None:
    """Return how many base units one unit of the line is."""
    own, base = optional_decimal(line, "UIQTY"), optional_decimal(line, "QUANTITY")
    return Fraction(base) / Fraction(own) if own and base else None


def receipt_line(row: Row, come_from: Origin) -> ReceiptLine:
    """Return a received line; its quantity is in its order line's unit.

    Raises:
        Unusable: the row cannot be used.
    """
    source_line = come_from.row
    need_decimal(row, "UIQTY")
    return made(
        ReceiptLine,
        erp_id=ErpId(need(row, "RECORDNO")),
        line_no=readable("LINE_NO", need(row, "LINE_NO"), int) + 1,
        item_id=need(row, "ITEMID").partition("--")[0].strip(),
        description=row.get("MEMO") or row.get("ITEMDESC", ""),
        unit=source_line.get("UNIT") or row.get("UNIT", ""),
        quantity=in_source_unit(row, source_line, "UIQTY") or Decimal(0),
        billed=in_source_unit(row, source_line, "QTY_CONVERTED") or Decimal(0),
        order_line=ErpId(come_from.order_line) if come_from.order_line else None,
        source_line=ErpId(come_from.continues) if come_from.continues else None,
    )


def receipt(row: Row, lines: Sequence[Row], source_lines: Mapping[str, Row], receiver: str | None = None) -> Receipt:
    """Return a receipt with its lines; the entity is the same on all of them.

    `source_lines` are the lines it was made from, by record number: of the order, and of receipts of the definition
    `receiver` that it is the back order of. A line that is not shown converts nothing.

    Raises:
        Unusable: the row cannot be used.
    """
    document = need(row, "DOCID")
    if not lines:
        raise Unusable("NO_LINES", f"{document} came without any line.", {})
    entity = _uniform(document, "entity", "MIXED_ENTITY", {natural(line.get("LOCATIONID")) for line in lines})
    # Converted from several orders a receipt names none in its header, only in its lines (reference 3.3).
    origins = [origin(line, source_lines, receiver) for line in lines]
    sources = {one.document for one in origins if one.document}
    source = next(iter(sources)) if len(sources) == 1 else None
    if not any(one.continues for one in origins):
        source = row.get("CREATEDFROM") or source
    record_versions = [revision(row), *(version for version in map(line_revision, lines) if version)]
    return made(
        Receipt,
        erp_id=ErpId(need(row, "RECORDNO")),
        document_id=DocumentId(document),
        number=row.get("DOCNO", document),
        erp_status=need(row, "STATE"),
        order_document=DocumentId(source) if source else None,
        vendor_id=need(row, "CUSTVENDID"),
        received_on=need_day(row, "WHENCREATED"),
        memo=row.get("MESSAGE", ""),
        entity=entity,
        owner_entity=row.get("MEGAENTITYID"),
        revision=max(record_versions),
        lines=tuple(
            sorted(
                (receipt_line(line, one) for line, one in zip(lines, origins, strict=True)),
                key=lambda line: line.line_no,
            )
        ),
    )


def line_revision(row: Row) -> str | None:
    """Return when a line last changed, if Intacct says so."""
    version = row.get("WHENMODIFIED")
    return None if version is None else readable("WHENMODIFIED", version, wire.sortable_time)
