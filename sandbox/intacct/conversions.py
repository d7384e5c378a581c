"""Purchasing documents made and converted (reference 2.6, 3.2, 3.3); `editing.py` changes and deletes them.

A line's QTY_CONVERTED counts what documents converted from it hold. It moves when such a document takes effect
(leaves Draft), is edited or deleted; the header's STATE follows, in the way its definition's CONVTYPE says (S5-24..26).
"""

from decimal import Decimal

from sandbox.intacct import payables, subtotals
from sandbox.intacct.company import Actor, Company
from sandbox.intacct.documents import (
    SMALLEST_QUANTITY,
    Document,
    Line,
    check_line,
    definition_of,
    document_number,
    due_date,
    header_values,
    in_unit_of,
    line_values,
    lines_of,
    require_level,
    totals,
)
from sandbox.intacct.errors import ErrorLine, FunctionError, invalid
from sandbox.intacct.formats import amount_text, number, parse_date, plain
from sandbox.intacct.tables import Record

CONVERTIBLE = frozenset({"Pending", "Approved", "Partially Converted"})
WITHOUT_EFFECT = frozenset({"Draft", "Submitted", "Partially Approved", "Declined"})
ROUNDED_APART = Decimal("0.00000001")
BACK_ORDER = "Close Original and Create Back Order"
CLOSE = "Close Transaction"


def create_document(company: Company, document: Document, actor: Actor, *, drop_links: bool = False) -> Record:
    """Write a document, convert what it came from, post what its definition posts; returns the header.

    `drop_links` is the fault "link dropped": accepted, but nothing connects it to its source.

    Raises:
        FunctionError: it has to be made at an entity, and the user is at the top level.
    """
    definition = definition_of(company, document.definition)
    if definition["TD_CREATION_RULE"] == "Entity only" and not actor.entity:
        text = f"The transaction definition {document.definition} is not allowed at top level."
        raise FunctionError(ErrorLine("BL01001973", text, "Sign in to an entity."))
    vendor = company.require_master("VENDOR", document.vendor, "vendor")
    posting = definition["UPDATES_GL"] != "N"
    if posting or definition["CATEGORY"] == "Shipping":
        company.require_open_period(document.posted or document.day, actor.entity)
    document.due = due_date(company, document.term or vendor["TERMNAME"], document.day, document.due)
    if definition["UPDATES_GL"] == "A" and company.switches.word("same_vendor_number") == "refuse":
        payables.refuse_taken(company, document.vendor, document.vendor_number)
    document.number = document_number(company, definition, document.number)
    document.state = _first_state(company, definition, document.state)
    if drop_links:
        document.created_from = ""
        for line in document.lines:
            line.source_document = line.source_line = ""
    sources = _check_sources(company, document, definition, actor)
    subtotals.check(company, document.subtotals)
    items = [check_line(company, line, converted=bool(line.source_line)) for line in document.lines]
    stamp = {"AUWHENCREATED": company.stamp(), "WHENMODIFIED": company.stamp(), "CREATEDBY": actor.user}
    stamp |= {"MODIFIEDBY": actor.user, "CREATEDUSERID": actor.user, "USERID": actor.user}
    owner = company.owner(actor)
    values = header_values(company, document, definition, vendor) | stamp | owner
    header = company["PODOCUMENT"].insert(values)
    entries = company["PODOCUMENTENTRY"]
    for at, (line, item) in enumerate(zip(document.lines, items, strict=True)):
        entries.insert(line_values(values, line, item, at) | {"DOCHDRNO": header["RECORDNO"]} | stamp | owner)
    subtotals.insert(company, header, document.subtotals)
    company["PODOCUMENT"].change(header, totals(lines_of(company, header), subtotals.of_document(company, header)))
    company.log("PODOCUMENT", header, "C", actor)
    if document.state not in WITHOUT_EFFECT:
        take_effect(company, header, actor)
    else:
        for source in sources:
            refresh_state(company, source, actor)
    return header


def _first_state(company: Company, definition: Record, wanted: str) -> str:
    state = wanted or "Pending"
    if state not in ("Draft", "Pending", "Closed"):
        raise invalid(f"Invalid state '{state}' specified.", "Use Draft, Pending or Closed.")
    if state == "Pending" and definition["CATEGORY"] == "Order" and company.switches.flag("approvals"):
        return "Submitted"
    return state


def _check_sources(company: Company, document: Document, definition: Record, actor: Actor) -> list[Record]:
    """The documents this one converts, each checked; lines get what they inherit."""
    sources: dict[str, Record] = {}
    if document.created_from:
        sources[document.created_from] = _source(company, document.created_from, document, definition, actor)
    taken: dict[str, Decimal] = {}
    for line in document.lines:
        if line.source_document:
            if document.created_from:
                raise invalid("Use createdfrom or sourcedocid, not both.")
            if not company.switches.flag("several_sources"):
                raise invalid("Conversion from several documents is not enabled for this company.")
            if line.source_document not in sources:
                sources[line.source_document] = _source(company, line.source_document, document, definition, actor)
        if not line.source_line:
            if sources and company.switches.word("added_lines") == "refuse":
                raise invalid(f"The item {line.item} is on no line of the source document.")
            continue
        source_id = line.source_document or document.created_from
        if not source_id:
            raise invalid("A source line needs the document it belongs to.", "Provide createdfrom.")
        _check_source_line(company, line, sources[source_id], taken, document.may_exceed)
    return list(sources.values())


def _source(company: Company, docid: str, document: Document, definition: Record, actor: Actor) -> Record:
    source = company["PODOCUMENT"].first("DOCID", docid)
    if source is None:
        raise invalid(f"The source document {docid} does not exist.", "Provide the DOCID of an existing document.")
    require_level(company, source, actor)
    if source["DOCPARID"] not in definition["RECALLS.RECDOCPAR"].split("#~#"):
        raise invalid(f"{definition['DOCID']} cannot be converted from {source['DOCPARID']}.")
    if source["STATE"] not in CONVERTIBLE:
        raise invalid(f"The document {docid} is {source['STATE']} and cannot be converted.")
    if source["CUSTVENDID"] != document.vendor:
        raise invalid(f"The vendor {document.vendor} is not the vendor of {docid}.")
    return source


def _check_source_line(
    company: Company, line: Line, source: Record, taken: dict[str, Decimal], may_exceed: bool
) -> None:
    entry = company["PODOCUMENTENTRY"].get(line.source_line)
    if entry is None or entry["DOCHDRNO"] != source["RECORDNO"]:
        raise invalid(f"The source line {line.source_line} does not belong to {source['DOCID']}.")
    if entry["ITEMID"] != line.item:
        raise invalid(f"The item {line.item} is not the item of source line {line.source_line}.")
    if line.quantity < 0:
        raise invalid("A converted quantity must be more than zero.")
    already = taken.get(line.source_line, Decimal(0))
    if by_price(company, entry):
        amount = line.quantity * (line.price or Decimal(0))
        left = number(entry["TRX_VALUE"]) - number(entry["TOTAL_AMOUNT_CONVERTED"]) - already
        if amount > left and company.switches.word("over_conversion") != "allow":
            raise invalid(
                f"The amount {plain(amount)} is more than the remaining amount {plain(left)} of line"
                f" {int(entry['LINE_NO']) + 1} of {source['DOCID']}."
            )
        taken[line.source_line] = already + amount
        _take_over(line, entry, source)
        return
    remaining = number(entry["UIQTY"]) - number(entry["QTY_CONVERTED"]) - already
    may_exceed = may_exceed or company.switches.word("over_conversion") == "allow"
    quantity = in_unit_of(company, entry, line.unit, line.quantity)
    if quantity - remaining > SMALLEST_QUANTITY and not may_exceed:
        raise invalid(
            f"The quantity {plain(quantity)} is more than the remaining quantity {plain(remaining)} of line"
            f" {int(entry['LINE_NO']) + 1} of {source['DOCID']}."
        )
    taken[line.source_line] = already + quantity
    if line.price is None:
        per_unit = quantity / line.quantity if line.quantity else Decimal(1)
        line.price = number(entry["UIPRICE"]) * per_unit
    _take_over(line, entry, source)


def by_price(company: Company, entry: Record) -> bool:
    """Whether a line converts by its amount; the rest of it then stays in TOTAL_AMOUNT_REMAINING (reference 3.3)."""
    return entry["CONVERSIONTYPE"] == "Price" and company.switches.flag("convert_by_price")


def _take_over(line: Line, entry: Record, source: Record) -> None:
    """What a converted line does not say is as on its source line."""
    line.unit = line.unit or entry["UNIT"]
    line.location = line.location or entry["LOCATIONID"]
    line.department = line.department or entry["DEPARTMENTID"]
    line.class_id = line.class_id or entry["CLASSID"]
    line.project = line.project or entry["PROJECTID"]
    line.warehouse = line.warehouse or entry["WAREHOUSE.LOCATION_NO"]
    line.memo = line.memo or entry["MEMO"]
    line.more |= {
        "SOURCE_DOCID": source["DOCID"],
        "SOURCE_DOCKEY": source["RECORDNO"],
        "SOURCE_DOCLINEKEY": entry["RECORDNO"],
    }


def take_effect(company: Company, header: Record, actor: Actor) -> None:
    """The document counts from now on: its sources' quantities move, its bill is made."""
    _move_sources(company, header, actor, 1)
    _reopen_order(company, header, actor, 1)
    if definition_of(company, header["DOCPARID"])["UPDATES_GL"] == "A":
        payables.post_document(company, header, lines_of(company, header), actor)


def withdraw(company: Company, header: Record, actor: Actor) -> None:
    """The opposite of `take_effect`. Refused when its bill is paid or its period closed."""
    if header["PRRECORDKEY"]:
        payables.unpost_document(company, header, actor)
    _move_sources(company, header, actor, -1)
    _reopen_order(company, header, actor, -1)


def _reopen_order(company: Company, header: Record, actor: Actor, sign: int) -> None:
    """Where returns reopen: what went back may be converted from the order again, as if it had never been."""
    if header["CATEGORY"] != "Return" or not company.switches.flag("returns_reopen"):
        return
    entries = company["PODOCUMENTENTRY"]
    for line in lines_of(company, header):
        source = entries.get(line["SOURCE_DOCLINEKEY"])
        while source is not None and (behind := entries.get(source["SOURCE_DOCLINEKEY"])) is not None:
            source = behind
        if source is None:
            continue
        quantity = in_unit_of(company, source, line["UNIT"], number(line["UIQTY"]))
        add_converted(company, source, -sign * quantity, -sign * number(line["TRX_VALUE"]), actor)
        document = company["PODOCUMENT"].get(source["DOCHDRNO"])
        if document is not None:
            refresh_state(company, document, actor)


def move_sources_of_payable(company: Company, payable: Record, actor: Actor, sign: int) -> None:
    """Convert what a payable's document was converted from once more, or with sign -1 set it free."""
    for header in company["PODOCUMENT"].find("PRRECORDKEY", payable["RECORDNO"]):
        if header["DOCID"] == payable["DESCRIPTION2"]:
            _move_sources(company, header, actor, sign)


def _move_sources(company: Company, header: Record, actor: Actor, sign: int) -> None:
    entries = company["PODOCUMENTENTRY"]
    touched: dict[str, Record] = {}
    for line in lines_of(company, header):
        source = entries.get(line["SOURCE_DOCLINEKEY"])
        # A back order's lines point at the original's, but do not convert them: they continue it.
        if source is None or source["DOCPARID"] == header["DOCPARID"]:
            continue
        quantity = in_unit_of(company, source, line["UNIT"], number(line["UIQTY"]))
        add_converted(company, source, sign * quantity, sign * number(line["TRX_VALUE"]), actor)
        document = company["PODOCUMENT"].get(source["DOCHDRNO"])
        if document is not None:
            touched[document["RECORDNO"]] = document
    for document in touched.values():
        refresh_state(company, document, actor, converting=sign > 0)


def add_converted(company: Company, entry: Record, quantity: Decimal, amount: Decimal, actor: Actor) -> None:
    """Move a line's converted quantity and amount."""
    converted = number(entry["QTY_CONVERTED"]) + quantity
    if abs(converted - number(entry["UIQTY"])) <= ROUNDED_APART:
        # Parts in another unit, each rounded: three thirds are one.
        converted = number(entry["UIQTY"])
    converted_amount = number(entry["TOTAL_AMOUNT_CONVERTED"]) + amount
    if by_price(company, entry):
        whole = converted_amount >= number(entry["TRX_VALUE"])
        converted = number(entry["UIQTY"]) if whole else Decimal(0)
    company["PODOCUMENTENTRY"].change(
        entry,
        {
            "QTY_CONVERTED": plain(converted),
            "QTY_REMAINING": plain(number(entry["UIQTY"]) - converted),
            "TOTAL_AMOUNT_CONVERTED": amount_text(converted_amount),
            "TOTAL_AMOUNT_REMAINING": amount_text(number(entry["TRX_VALUE"]) - converted_amount),
            "WHENMODIFIED": company.stamp(),
            "MODIFIEDBY": actor.user,
        },
    )


def refresh_state(company: Company, header: Record, actor: Actor, *, converting: bool = False) -> None:
    """The state that follows from the lines; `converting` tells a conversion from its undoing."""
    lines = lines_of(company, header)
    converted = any(number(line["QTY_CONVERTED"]) > 0 or number(line["TOTAL_AMOUNT_CONVERTED"]) > 0 for line in lines)
    complete = all(number(line["QTY_CONVERTED"]) >= number(line["UIQTY"]) for line in lines)
    mode = definition_of(company, header["DOCPARID"])["CONVTYPE"]
    continued = has_back_order(company, header)
    if header["STATE"] == "Closed" and (continued or mode not in (CLOSE, BACK_ORDER)):
        # Closed by a person, or continued by another document: what happens downstream does not open it again.
        state = "Closed"
    elif _draft_downstream(company, header):
        state = "In Progress"
    elif complete:
        state = "Converted"
    elif not converted:
        state = "Pending"
    elif mode in (CLOSE, BACK_ORDER):
        state = "Closed"
    else:
        state = "Partially Converted"
    set_state(company, header, state, actor, touch=company.switches.flag("header_touched_by_conversion"))
    if converting and state == "Closed" and mode == BACK_ORDER and not continued:
        create_back_order(company, header, actor)


def set_state(company: Company, header: Record, state: str, actor: Actor, *, touch: bool = True) -> None:
    """Header and lines carry the same state."""
    for line in lines_of(company, header):
        company["PODOCUMENTENTRY"].change(line, {"STATE": state})
    company["PODOCUMENT"].change(header, {"STATE": state})
    if touch:
        company.touch("PODOCUMENT", header, actor)
        company.log("PODOCUMENT", header, "M", actor, workflow=state)


def _draft_downstream(company: Company, header: Record) -> bool:
    documents = company["PODOCUMENT"]
    numbers = {line["DOCHDRNO"] for line in company["PODOCUMENTENTRY"].find("SOURCE_DOCID", header["DOCID"])}
    found = (documents.get(entry) for entry in numbers)
    return any(document is not None and document["STATE"] == "Draft" for document in found)


def has_back_order(company: Company, header: Record) -> bool:
    """Whether another document of the same definition continues this one."""
    later = company["PODOCUMENT"].find("CREATEDFROM", header["DOCID"])
    return any(document["DOCPARID"] == header["DOCPARID"] for document in later)


def create_back_order(company: Company, original: Record, actor: Actor) -> Record:
    """A new document of the same definition with what remains of a closed one (S5-25)."""
    lines = []
    for entry in lines_of(company, original):
        remaining = number(entry["UIQTY"]) - number(entry["QTY_CONVERTED"])
        if remaining > 0:
            line = line_like(entry, remaining)
            line.more |= {
                "SOURCE_DOCID": original["DOCID"],
                "SOURCE_DOCKEY": original["RECORDNO"],
                "SOURCE_DOCLINEKEY": entry["RECORDNO"],
            }
            lines.append(line)
    document = document_like(original, lines)
    document.created_from = original["DOCID"]
    definition = definition_of(company, original["DOCPARID"])
    document.number = document_number(company, definition, "")
    document.state = "Pending"
    vendor = company.require_master("VENDOR", document.vendor, "vendor")
    stamp = {"AUWHENCREATED": company.stamp(), "WHENMODIFIED": company.stamp(), "CREATEDBY": actor.user}
    owner = company.entity_fields(original["MEGAENTITYID"])
    values = header_values(company, document, definition, vendor) | stamp | owner
    header = company["PODOCUMENT"].insert(values)
    for at, line in enumerate(lines):
        item = company.require_master("ITEM", line.item, "item")
        written = line_values(values, line, item, at) | {"DOCHDRNO": header["RECORDNO"]} | stamp | owner
        company["PODOCUMENTENTRY"].insert(written)
    company["PODOCUMENT"].change(header, totals(lines_of(company, header), []))
    company.log("PODOCUMENT", header, "C", actor)
    return header


def document_like(header: Record, lines: list[Line]) -> Document:
    """A new document with an existing one's terms."""
    return Document(
        definition=header["DOCPARID"],
        vendor=header["CUSTVENDID"],
        day=parse_date(header["WHENCREATED"]),
        due=parse_date(header["WHENDUE"]) if header["WHENDUE"] else None,
        reference=header["PONUMBER"],
        term=header["TERM.NAME"],
        message=header["MESSAGE"],
        currency=header["CURRENCY"],
        rate=number(header["EXCHRATE"]) or None,
        lines=lines,
    )


def line_like(entry: Record, quantity: Decimal) -> Line:
    """A new line with an existing one's item, price and dimensions."""
    return Line(
        item=entry["ITEMID"],
        quantity=quantity,
        price=number(entry["UIPRICE"]),
        unit=entry["UNIT"],
        description=entry["ITEMDESC"],
        memo=entry["MEMO"],
        location=entry["LOCATIONID"],
        department=entry["DEPARTMENTID"],
        class_id=entry["CLASSID"],
        project=entry["PROJECTID"],
        warehouse=entry["WAREHOUSE.LOCATION_NO"],
    )
