"""The legacy Purchasing functions: create, update, delete, approve (reference 3.2 to 3.4)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree

from sandbox.intacct.call_context import Call
from sandbox.intacct.conversions import create_document, set_state, take_effect
from sandbox.intacct.documents import Document, Line, lines_of, require_level
from sandbox.intacct.editing import delete_document, edit_document, require_editable
from sandbox.intacct.envelope import Result, text_of
from sandbox.intacct.errors import FunctionError, could_not, invalid
from sandbox.intacct.formats import plain, wire_date
from sandbox.intacct.subtotals import Subtotal
from sandbox.intacct.tables import Record

_LINE_FIELDS = {
    # legacy child: field of PODOCUMENTENTRY, for values kept as they come
    "vendorid": "VENDORID",
    "customerid": "CUSTOMERID",
    "employeeid": "EMPLOYEEID",
    "contractid": "CONTRACTID",
    "taskid": "TASKID",
    "costtypeid": "COSTTYPEID",
    "billable": "BILLABLE",
    "form1099": "FORM1099",
}
_LINE_EDITS = {
    "itemid": "ITEMID",
    "itemdesc": "ITEMDESC",
    "quantity": "UIQTY",
    "unit": "UNIT",
    "price": "UIPRICE",
    "memo": "MEMO",
    "locationid": "LOCATIONID",
    "departmentid": "DEPARTMENTID",
    "classid": "CLASSID",
    "projectid": "PROJECTID",
    "warehouseid": "WAREHOUSE.LOCATION_NO",
}
_HEADER_EDITS = {
    "referenceno": "PONUMBER",
    "vendordocno": "VENDORDOCNO",
    "message": "MESSAGE",
    "termname": "TERM.NAME",
    "supdocid": "SUPDOCID",
}


def legacy_date(parent: etree._Element, name: str) -> date | None:
    """A date given as year, month and day; None when absent or empty.

    Raises:
        FunctionError: the element holds no date.
    """
    element = parent.find(name)
    if element is None or not text_of(element, "year"):
        return None
    try:
        day = date(int(text_of(element, "year")), int(text_of(element, "month")), int(text_of(element, "day")))
        if day.year < 1900:
            raise ValueError(day)
        return day
    except ValueError:
        raise invalid(f"Invalid {name} specified.", "Provide a valid date.", "PL03000006") from None


def required_date(parent: etree._Element, name: str) -> date:
    """The same, where a date must be given.

    Raises:
        FunctionError: the element is missing, or holds no date.
    """
    found = legacy_date(parent, name)
    if found is None:
        raise invalid(f"Required field {name} is missing.", "Provide a date.", "PL03000006")
    return found


def decimal_of(parent: etree._Element, name: str) -> Decimal | None:
    """A number; None when absent or empty.

    Raises:
        FunctionError: the text is no number.
    """
    text = text_of(parent, name)
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise invalid(f"Invalid {name} '{text}' specified.", "Provide a number.") from None
    if not value.is_finite():
        raise invalid(f"Invalid {name} '{text}' specified.", "Provide a number.")
    return value


def custom_fields_of(call: Call, object_name: str, parent: etree._Element) -> dict[str, str]:
    """The custom fields that a document or bill is given; from then on they can be read."""
    found = {
        text_of(custom, "customfieldname").upper(): text_of(custom, "customfieldvalue")
        for custom in parent.findall("customfields/customfield")
    }
    if found:
        call.company.custom_fields.setdefault(object_name, set()).update(found)
    return found if call.company.switches.word("custom_fields_written") == "keep" else {}


def _line(call: Call, element: etree._Element) -> Line:
    more = {field: text for name, field in _LINE_FIELDS.items() if (text := text_of(element, name))}
    return Line(
        item=text_of(element, "itemid"),
        quantity=decimal_of(element, "quantity") or Decimal(0),
        price=decimal_of(element, "price"),
        unit=text_of(element, "unit"),
        description=text_of(element, "itemdesc"),
        memo=text_of(element, "memo"),
        location=text_of(element, "locationid"),
        department=text_of(element, "departmentid"),
        class_id=text_of(element, "classid"),
        project=text_of(element, "projectid"),
        warehouse=text_of(element, "warehouseid"),
        source_document=text_of(element, "sourcedocid"),
        source_line=text_of(element, "sourcelinekey") or text_of(element, "sourcedoclineid"),
        more=more | custom_fields_of(call, "PODOCUMENTENTRY", element),
    )


def _subtotal(element: etree._Element) -> Subtotal:
    amount = decimal_of(element, "total")
    if amount is None:
        raise invalid("Required field total is missing.", "Provide the subtotal's total.")
    return Subtotal(text_of(element, "description"), amount, text_of(element, "locationid"))


def run_create_potransaction(call: Call, element: etree._Element) -> Result:
    """Answers the DOCID as key, not the record number (reference 3.1).

    Raises:
        FunctionError: the document is refused; behind the reason stands that it could not be created.
    """
    try:
        document = Document(
            definition=text_of(element, "transactiontype"),
            vendor=text_of(element, "vendorid"),
            day=required_date(element, "datecreated"),
            posted=legacy_date(element, "dateposted"),
            due=legacy_date(element, "datedue"),
            number=text_of(element, "documentno"),
            reference=text_of(element, "referenceno"),
            vendor_number=text_of(element, "vendordocno"),
            term=text_of(element, "termname"),
            message=text_of(element, "message"),
            created_from=text_of(element, "createdfrom"),
            currency=text_of(element, "currency"),
            rate=decimal_of(element, "exchrate"),
            state=text_of(element, "state"),
            external_id=text_of(element, "externalid"),
            lines=[_line(call, line) for line in element.findall("potransitems/potransitem")],
            subtotals=[_subtotal(subtotal) for subtotal in element.findall("subtotals/subtotal")],
            more=custom_fields_of(call, "PODOCUMENT", element),
        )
        if document.external_id:
            document.more["EXTERNALID"] = document.external_id
        dropped = "link_dropped" in call.tampering
        header = create_document(call.company, document, call.actor, drop_links=dropped)
    except FunctionError as error:
        raise could_not("create Document", error) from None
    return Result(key=header["DOCID"])


def find_document(call: Call, element: etree._Element, external_attribute: str = "externalkey") -> Record:
    """The document that a `key` attribute names: by DOCID, or by external id.

    Raises:
        FunctionError: there is no such document.
    """
    key = element.get("key", "")
    documents = call.company["PODOCUMENT"]
    header: Record | None
    if element.get(external_attribute, "false").lower() == "true":
        header = next((record for record in documents.rows.values() if key and record["EXTERNALID"] == key), None)
    else:
        header = documents.first("DOCID", key)
    if header is None:
        raise invalid(f"The document {key} does not exist.", "Provide the DOCID of an existing document.")
    return header


def run_update_potransaction(call: Call, element: etree._Element) -> Result:
    """Lines are numbered from one here, although they read from zero.

    Raises:
        FunctionError: the edit is refused; behind the reason stands that it could not be made.
    """
    try:
        header = find_document(call, element)
        require_editable(call.company, header, call.actor)
        set_nulls = element.get("set_nulls", "false").lower() == "true"
        changes = _given(element, _HEADER_EDITS, set_nulls)
        for name, field in (("datecreated", "WHENCREATED"), ("dateposted", "WHENPOSTED"), ("datedue", "WHENDUE")):
            day = legacy_date(element, name)
            if day is not None:
                changes[field] = wire_date(day)
        changes |= custom_fields_of(call, "PODOCUMENT", element)
        edits: dict[int, dict[str, str]] = {}
        removed: set[int] = set()
        for line in element.findall("updatepotransitems/updatepotransitem"):
            line_no = _line_no(line)
            if line.find("itemid") is not None and not text_of(line, "itemid"):
                removed.add(line_no)
                continue
            edits[line_no] = _line_edits(line, set_nulls) | custom_fields_of(call, "PODOCUMENTENTRY", line)
        added = [_line(call, line) for line in element.findall("updatepotransitems/potransitem")]
        edit_document(call.company, header, changes, edits, removed, added, text_of(element, "state"), call.actor)
    except FunctionError as error:
        raise could_not("update Document", error) from None
    return Result(key=header["DOCID"])


def _line_no(line: etree._Element) -> int:
    text = line.get("line_num", "")
    if not text.isdigit() or int(text) < 1:
        raise invalid("The attribute line_num must be a number from 1.")
    return int(text) - 1


def _given(element: etree._Element, names: Mapping[str, str], set_nulls: bool) -> dict[str, str]:
    """The fields to change; an empty element clears only where the caller asked for that."""
    return {
        field: text
        for name, field in names.items()
        if element.find(name) is not None and ((text := text_of(element, name)) or set_nulls)
    }


def _line_edits(line: etree._Element, set_nulls: bool) -> dict[str, str]:
    edits = _given(line, _LINE_EDITS, set_nulls)
    for name in ("quantity", "price"):
        if _LINE_EDITS[name] in edits:
            edits[_LINE_EDITS[name]] = plain(decimal_of(line, name) or Decimal(0))
    return edits


def run_partial_update(call: Call, element: etree._Element) -> Result:
    """Only the GL posting date may change this way."""
    header = find_document(call, element)
    require_level(call.company, header, call.actor)
    day = required_date(element, "dateposted")
    call.company.require_open_period(day, header["MEGAENTITYID"])
    call.company.change("PODOCUMENT", header, {"WHENPOSTED": wire_date(day)}, call.actor)
    return Result(key=header["DOCID"])


def run_delete_potransaction(call: Call, element: etree._Element) -> Result:
    """By DOCID, or by external id with the attribute `external`."""
    delete_document(call.company, find_document(call, element, "external"), call.actor)
    return Result()


def run_decide(call: Call, element: etree._Element) -> Result:
    """`approve` and `decline` of a submitted document.

    Raises:
        FunctionError: it names no document, or one that awaits no approval.
    """
    verdict = str(element.tag)
    if len(element) != 1 or element[0].tag != "PODOCUMENT":
        raise invalid(f"'{verdict}' takes a PODOCUMENT.")
    docid = text_of(element[0], "DOCID")
    header = call.company["PODOCUMENT"].first("DOCID", docid)
    if header is None:
        raise invalid(f"The document {docid} does not exist.")
    require_level(call.company, header, call.actor)
    if header["STATE"] not in ("Submitted", "Partially Approved"):
        raise invalid(f"The document {docid} is {header['STATE']} and awaits no approval.")
    set_state(call.company, header, "Approved" if verdict == "approve" else "Declined", call.actor)
    if verdict == "approve" and any(line["SOURCE_DOCLINEKEY"] for line in lines_of(call.company, header)):
        take_effect(call.company, header, call.actor)
    return Result()
