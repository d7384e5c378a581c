"""Purchasing documents: what one is made of, and how its header and lines are written down (reference 2.6, 2.7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from sandbox.intacct.company import Actor, Company
from sandbox.intacct.errors import ErrorLine, FunctionError, invalid
from sandbox.intacct.formats import amount_text, money, number, plain, wire_date
from sandbox.intacct.subtotals import Subtotal
from sandbox.intacct.tables import Record

RATES = {"EUR": Decimal("1.08"), "GBP": Decimal("1.27"), "CAD": Decimal("0.73")}
"""Daily rates to the base currency; currencies not listed count one to one."""

SMALLEST_QUANTITY = Decimal("0.0000000001")

NO_WAREHOUSE = "Inventory items need a warehouse."


@dataclass
class Line:
    """One line to be written; quantities in `unit`, prices in the document's currency."""

    item: str
    quantity: Decimal
    price: Decimal | None = None
    unit: str = ""
    description: str = ""
    memo: str = ""
    location: str = ""
    department: str = ""
    class_id: str = ""
    project: str = ""
    warehouse: str = ""
    source_document: str = ""
    source_line: str = ""
    base_units: Decimal = Decimal(1)
    """How many base units of the item's group one `unit` is."""
    more: dict[str, str] = field(default_factory=dict)
    """Further fields by their Intacct names: VENDORID, BILLABLE, FORM1099, custom fields ..."""


@dataclass
class Document:
    """One document to be written."""

    definition: str
    vendor: str
    day: date
    lines: list[Line]
    subtotals: list[Subtotal] = field(default_factory=list)
    posted: date | None = None
    due: date | None = None
    number: str = ""
    reference: str = ""
    vendor_number: str = ""
    term: str = ""
    message: str = ""
    created_from: str = ""
    currency: str = ""
    rate: Decimal | None = None
    state: str = ""
    external_id: str = ""
    may_exceed: bool = False
    """Loaded history may convert more than was ordered."""
    more: dict[str, str] = field(default_factory=dict)


def definition_of(company: Company, name: str) -> Record:
    """The transaction definition of exactly this name; case matters (S4-62).

    Raises:
        FunctionError: there is no such transaction definition.
    """
    record = company["PODOCUMENTPARAMS"].first("DOCID", name)
    if record is None or record["STATUS"] != "active":
        raise invalid(f"Transaction definition '{name}' does not exist.", "Provide a valid transaction definition.")
    return record


def due_date(company: Company, term: str, day: date, due: date | None) -> date:
    """From the date itself or from the term. Raises when neither is given (reference 3.2)."""
    if due is not None:
        return due
    if not term:
        raise invalid("Required field Due date is missing.", "Provide a term or a due date.")
    record = company.require_master("APTERM", term, "term")
    return day + timedelta(days=int(record["DUEDATE"] or "0"))


def rate_of(base: str, currency: str, rate: Decimal | None = None) -> Decimal:
    """The exchange rate to the currency of the books."""
    if rate is not None:
        return rate
    return Decimal(1) if currency in ("", base) else RATES.get(currency, Decimal(1))


def document_number(company: Company, definition: Record, given: str) -> str:
    """The given number or the next one of the sequence; PL01000127 without either, BL03002185 when taken.

    Raises:
        FunctionError: a number is missing, was used before, or may not be given.
    """
    name = definition["DOCID"]
    if given and definition["PRESERVE_SEQNUM"] == "true":
        policy = company.switches.word("preserved_numbers")
        if policy == "refuse":
            raise invalid("A document number may not be given; the sequence preserves numbers.")
        if policy == "ignore":
            given = ""
    chosen = given or company.next_document_number(name)
    if not chosen:
        text = "Document number is missing and the transaction definition has no sequence."
        raise FunctionError(ErrorLine("PL01000127", text, "Provide a document number."))
    if company["PODOCUMENT"].first("DOCID", f"{name}-{chosen}") is not None:
        text = f"A {name} transaction with the number {chosen} already exists."
        raise FunctionError(ErrorLine("BL03002185", text, "Provide a document number that is not used."))
    company.note_number(name, chosen)
    return chosen


def header_values(company: Company, document: Document, definition: Record, vendor: Record) -> dict[str, str]:
    """The header's fields except totals, stamps and owner."""
    name = definition["DOCID"]
    rate = rate_of(company.base_currency, document.currency, document.rate)
    return {
        "DOCID": f"{name}-{document.number}",
        "DOCNO": document.number,
        "DOCPARID": name,
        "DOCPARCLASS": definition["DOCCLASS"],
        "CATEGORY": definition["CATEGORY"],
        "PONUMBER": document.reference,
        "VENDORDOCNO": document.vendor_number,
        "STATE": document.state,
        "CUSTVENDID": document.vendor,
        "CUSTVENDNAME": vendor["NAME"],
        "CUSTREC": vendor["RECORDNO"],
        "WHENCREATED": wire_date(document.day),
        "WHENPOSTED": wire_date(document.posted or document.day) if definition["UPDATES_GL"] != "N" else "",
        "WHENDUE": wire_date(document.due) if document.due else "",
        "TERM.NAME": document.term,
        "MESSAGE": document.message,
        "CURRENCY": document.currency or company.base_currency,
        "BASECURR": company.base_currency,
        "EXCHRATE": plain(rate),
        "EXCHRATEDATE": wire_date(document.day),
        "EXCHRATETYPES.NAME": "Intacct Daily Rate",
        "CREATEDFROM": document.created_from,
        "UPDATES_INV": definition["UPDATES_INV"],
        "PRINTED": "false",
        **document.more,
    }


def conversion_type(item: Record) -> str:
    """Price only for items that are not in stock (reference 3.3); fixed once the line is saved."""
    by_price = item["DEFAULT_CONVERSIONTYPE"] == "Price" and item["ITEMTYPE"] != "Inventory"
    return "Price" if by_price else "Quantity"


def line_values(header: Mapping[str, str], line: Line, item: Record, line_no: int) -> dict[str, str]:
    """One line's fields; `line_no` counts from zero."""
    # Intacct keeps as many decimals of a price as the item's purchasing precision says.
    digits = int(item["PO_PRECISION"] or "10")
    price = (line.price or Decimal(0)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    amount = money(line.quantity * price)
    rate = number(header["EXCHRATE"]) or Decimal(1)
    base = amount_text(amount * rate)
    text, price_text, quantity = amount_text(amount), plain(price), plain(line.quantity)
    return {
        "DOCHDRID": header["DOCID"],
        "LINE_NO": str(line_no),
        "ITEMID": line.item,
        "ITEMNAME": item["NAME"],
        "ITEMDESC": line.description or item["NAME"],
        "ITEM.ITEMTYPE": item["ITEMTYPE"],
        "UNIT": line.unit,
        "UIQTY": quantity,
        "QUANTITY": plain(line.quantity * line.base_units),
        "UIPRICE": price_text,
        "PRICE": price_text if rate == 1 else plain((price * rate).quantize(Decimal("0.0000000001"))),
        "TRX_PRICE": price_text,
        "UIVALUE": base,
        "TRX_VALUE": text,
        "TOTAL": base,
        "LINETOTAL": base,
        "TRX_LINETOTAL": text,
        "MULTIPLIER": "1",
        "MEMO": line.memo,
        "STATE": header["STATE"],
        "STATUS": "active",
        "CURRENCY": header["CURRENCY"],
        "EXCHRATE": header["EXCHRATE"],
        "EXCHRATEDATE": header["EXCHRATEDATE"],
        "QTY_CONVERTED": "0",
        "QTY_REMAINING": quantity,
        "CONVERSIONTYPE": conversion_type(item),
        "TOTAL_AMOUNT_CONVERTED": "0.00",
        "TOTAL_AMOUNT_REMAINING": text,
        "LOCATIONID": line.location,
        "DEPARTMENT": line.department,
        "DEPARTMENTID": line.department,
        "CLASSID": line.class_id,
        "PROJECTID": line.project,
        "WAREHOUSE.LOCATION_NO": line.warehouse,
        "SALE_PUR_TRANS": "P",
        "DOCPARID": header["DOCPARID"],
        "WHENCREATED": header["WHENCREATED"],
        **line.more,
    }


def totals(lines: list[Record], subtotals: list[Record]) -> dict[str, str]:
    """The header's totals: SUBTOTAL is its lines alone, TOTAL counts its subtotals in."""
    trx = sum((number(line["TRX_VALUE"]) for line in lines), Decimal(0))
    base = sum((number(line["TOTAL"]) for line in lines), Decimal(0))
    more_trx = sum((number(subtotal["TRX_TOTAL"]) for subtotal in subtotals), Decimal(0))
    more_base = sum((number(subtotal["TOTAL"]) for subtotal in subtotals), Decimal(0))
    return {
        "SUBTOTAL": amount_text(base),
        "TOTAL": amount_text(base + more_base),
        "TRX_SUBTOTAL": amount_text(trx),
        "TRX_TOTAL": amount_text(trx + more_trx),
    }


def check_line(company: Company, line: Line, *, converted: bool) -> Record:
    """Fill what a line may leave out and refuse what it may not; returns its item.

    Raises:
        FunctionError: the quantity is zero, or location or warehouse is missing.
    """
    item = company.require_master("ITEM", line.item, "item")
    line.unit = check_unit(company, item, line.unit)
    line.base_units = base_units(company, item, line.unit)
    if not line.location:
        raise invalid("Location ID is required.", "Provide a location on every line.")
    company.require_master("LOCATION", line.location, "location")
    if line.department:
        company.require_master("DEPARTMENT", line.department, "department")
    if line.class_id:
        company.require_master("CLASS", line.class_id, "class")
    if line.project:
        company.require_master("PROJECT", line.project, "project")
    if line.warehouse:
        company.require_master("WAREHOUSE", line.warehouse, "warehouse")
    elif item["ITEMTYPE"] == "Inventory" and not converted:
        raise invalid(NO_WAREHOUSE, "Provide a warehouse.")
    if line.quantity == 0:
        raise invalid("Quantity must not be zero.", "Provide a quantity.")
    return item


def check_unit(company: Company, item: Record, unit: str) -> str:
    """The unit, or the group's base unit when none is given; spelling and case must agree (reference 3.2).

    Raises:
        FunctionError: the item has no such unit.
    """
    group = company["UOM"].first("NAME", item["UOMGRP"]) if item["UOMGRP"] else None
    if group is None:
        return unit
    if not unit:
        return group["BASEUNIT"]
    units = {record["UNIT"] for record in company["UOMDETAIL"].find("GRPKEY", group["RECORDNO"])}
    if unit not in units:
        raise invalid(f"Invalid unit '{unit}' for the item {item['ITEMID']}.", "Provide a valid unit.")
    return unit


def base_units(company: Company, item: Record, unit: str) -> Decimal:
    """How many base units one unit of the item is; 1 for units nobody defined."""
    group = company["UOM"].first("NAME", item["UOMGRP"]) if item["UOMGRP"] else None
    if group is None or unit == group["BASEUNIT"]:
        return Decimal(1)
    details = company["UOMDETAIL"].find("GRPKEY", group["RECORDNO"])
    return next((number(detail["CONVFACTOR"]) for detail in details if detail["UNIT"] == unit), None) or Decimal(1)


def in_unit_of(company: Company, source: Record, unit: str, quantity: Decimal) -> Decimal:
    """A quantity in another unit, in the source line's own, as QTY_CONVERTED counts it."""
    if unit in ("", source["UNIT"]):
        return quantity
    item = company.require_master("ITEM", source["ITEMID"], "item")
    per_unit = base_units(company, item, unit) / base_units(company, item, source["UNIT"])
    return (quantity * per_unit).quantize(SMALLEST_QUANTITY, ROUND_HALF_UP)


def lines_of(company: Company, header: Record) -> list[Record]:
    """A document's lines in order."""
    found = company["PODOCUMENTENTRY"].find("DOCHDRNO", header["RECORDNO"])
    return sorted(found, key=lambda line: int(line["LINE_NO"]))


def require_level(company: Company, header: Record, actor: Actor) -> None:
    """A document is handled at the level that owns it (reference 7.1).

    Raises:
        FunctionError: the document does not exist at this level, or has to be handled at another.
    """
    owner = header["MEGAENTITYID"]
    if actor.entity and owner not in ("", actor.entity):
        raise invalid(f"The document {header['DOCID']} does not exist.", errorno="BL03000018")
    if company.switches.flag("strict_levels") and actor.source == "api" and owner != actor.entity:
        where = f"entity {owner}" if owner else "the top level"
        raise invalid(
            f"The document {header['DOCID']} was created at {where} and must be handled there.",
            f"Sign in to {where}.",
        )
