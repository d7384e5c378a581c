"""Generic create, update and delete: masters, bills, payments (reference 3.1, 3.5, 3.6, 3.8)."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from html import escape

from lxml import etree

from sandbox.intacct.call_context import Call
from sandbox.intacct.company import Company
from sandbox.intacct.editing import delete_document
from sandbox.intacct.envelope import Result, text_of
from sandbox.intacct.errors import ErrorLine, FunctionError, could_not, invalid
from sandbox.intacct.formats import parse_given_date, wire_date
from sandbox.intacct.objects import MASTERS, OBJECTS
from sandbox.intacct.payables import Bill, BillLine, create_bill, delete_bill, refuse_duplicate, refuse_unless_editable
from sandbox.intacct.payables import replace_lines as replace_bill_lines
from sandbox.intacct.payments import (
    Payment,
    Share,
    create_payments,
    delete_payment,
    replace_shares,
    submit_payment,
)
from sandbox.intacct.purchasing import decimal_of
from sandbox.intacct.reading import object_type
from sandbox.intacct.tables import Record

_BILL_HEADER = [
    "DOCNUMBER",
    "DESCRIPTION",
    "PAYMENTPRIORITY",
    "ONHOLD",
    "SUPDOCID",
    "PRBATCH",
    "BILLTOPAYTOCONTACTNAME",
    "SHIPTORETURNTOCONTACTNAME",
    "INCLUSIVETAX",
    "TAXSOLUTIONID",
    "RECPAYMENTDATE",
]
_BILL_LINE = [
    "OFFSETGLACCOUNTNO",
    "ACCOUNTLABEL",
    "ENTRYDESCRIPTION",
    "LOCATIONID",
    "DEPARTMENTID",
    "PROJECTID",
    "TASKID",
    "CUSTOMERID",
    "VENDORID",
    "EMPLOYEEID",
    "ITEMID",
    "CLASSID",
    "CONTRACTID",
    "WAREHOUSEID",
    "FORM1099",
    "FORM1099TYPE",
    "FORM1099BOX",
    "BILLABLE",
    "ALLOCATION",
]
_CREDITS = frozenset({"ADVANCEKEY", "INLINEKEY", "POSADJKEY"})
_USES = {
    # master: (object, field) that must not name it when it is deleted (reference 3.8)
    "VENDOR": (("PODOCUMENT", "CUSTVENDID"), ("APBILL", "VENDORID"), ("APPYMT", "VENDORID")),
    "ITEM": (("PODOCUMENTENTRY", "ITEMID"),),
    "LOCATION": (("PODOCUMENTENTRY", "LOCATIONID"), ("APBILLITEM", "LOCATIONID")),
    "DEPARTMENT": (("PODOCUMENTENTRY", "DEPARTMENTID"), ("APBILLITEM", "DEPARTMENTID")),
    "GLACCOUNT": (("APBILLITEM", "ACCOUNTNO"),),
    "CLASS": (("PODOCUMENTENTRY", "CLASSID"),),
}


def _objects(count: int, inner: str) -> str:
    return (
        f'<data listtype="objects" count="{count}">{inner}</data>'
        if count
        else ('<data listtype="objects" count="0"/>')
    )


def run_create(call: Call, element: etree._Element) -> Result:
    """Several objects may be given; those before a failing one stay (reference 5)."""
    return _each(call, element, _create)


def run_update(call: Call, element: etree._Element) -> Result:
    """By RECORDNO, masters by their natural key too. An empty element clears, an absent one leaves."""
    return _each(call, element, _update)


def _each(call: Call, element: etree._Element, act: Callable[[Call, etree._Element], Record]) -> Result:
    done: list[str] = []
    for item in element:
        name = str(item.tag)
        try:
            with call.company.whole():
                record = act(call, item)
        except FunctionError as error:
            error.data = _objects(len(done), "".join(done))
            raise could_not(f"{element.tag!s} {name.title()}", error) from None
        natural = OBJECTS[name.upper()].key
        key = f"<{natural}>{escape(record[natural])}</{natural}>" if natural != "RECORDNO" else ""
        tag = name.lower()
        done.append(f"<{tag}><RECORDNO>{record['RECORDNO']}</RECORDNO>{key}</{tag}>")
    return Result(data=_objects(len(done), "".join(done)))


def wire_day(call: Call, parent: etree._Element, name: str) -> date | None:
    """Return the day in a child; None when it is absent or empty."""
    text = text_of(parent, name)
    return _given_day(call, name, text) if text else None


def _given_day(call: Call, name: str, text: str) -> date:
    try:
        return parse_given_date(text, iso=call.company.switches.flag("iso_dates"))
    except ValueError:
        raise invalid(f"Invalid {name} '{text}' specified.", "Use MM/DD/YYYY.", "PL03000006") from None


def _required_day(call: Call, parent: etree._Element, name: str) -> date:
    day = wire_day(call, parent, name)
    if day is None:
        raise invalid(f"Required field {name} is missing.", f"Provide {name}.")
    return day


def _create(call: Call, element: etree._Element) -> Record:
    name = object_type(str(element.tag)).name
    if name == "APBILL":
        return create_bill(call.company, read_bill(call, element), call.actor)
    if name == "APPYMT":
        return create_payments(call.company, _read_payment(call, element), call.actor)
    if name not in MASTERS:
        raise invalid(f"{name} cannot be created this way.")
    return insert_master(call, name, _flatten(element))


def read_bill(call: Call, element: etree._Element) -> Bill:
    """An APBILL element as a bill.

    Raises:
        FunctionError: the action is none that a bill can be created with.
    """
    action = text_of(element, "ACTION") or "Submit"
    if action not in ("Submit", "Draft"):
        raise invalid(f"Invalid ACTION '{action}' specified.", errorno="BL03002129")
    return Bill(
        vendor=text_of(element, "VENDORID"),
        day=_required_day(call, element, "WHENCREATED"),
        posted=wire_day(call, element, "WHENPOSTED"),
        due=wire_day(call, element, "WHENDUE"),
        term=text_of(element, "TERMNAME"),
        number=text_of(element, "RECORDID"),
        currency=text_of(element, "CURRENCY"),
        rate=decimal_of(element, "EXCHANGE_RATE"),
        action=action,
        fields={name: text for name in _BILL_HEADER if (text := _header_text(call, element, name))},
        lines=_bill_lines(element),
    )


def _header_text(call: Call, element: etree._Element, name: str) -> str:
    """Return a header value as it is kept: dates in the one way they are answered."""
    day = wire_day(call, element, name) if name.endswith("DATE") else None
    return wire_date(day) if day is not None else text_of(element, name)


def _bill_lines(element: etree._Element) -> list[BillLine]:
    lines = []
    for line in element.findall("APBILLITEMS/APBILLITEM") + element.findall("APBILLITEMS/apbillitem"):
        amount = decimal_of(line, "TRX_AMOUNT")
        if amount is None:
            raise invalid("Required field TRX_AMOUNT is missing.", "Provide an amount on every line.")
        fields = {name: text for name in _BILL_LINE if (text := text_of(line, name))}
        lines.append(BillLine(amount, text_of(line, "ACCOUNTNO"), fields))
    return lines


def _shares(element: etree._Element) -> list[Share]:
    shares = []
    for detail in element.findall("APPYMTDETAILS/APPYMTDETAIL") + element.findall("APPYMTDETAILS/appymtdetail"):
        applied = [str(child.tag) for child in detail if str(child.tag) in _CREDITS and child.text]
        if applied:
            raise invalid(f"{applied[0]} names nothing that can be applied to the bill.")
        amount = decimal_of(detail, "TRX_PAYMENTAMOUNT")
        credited = decimal_of(detail, "TRX_ADJUSTMENTAMOUNT") or Decimal(0)
        shares.append(
            Share(
                text_of(detail, "RECORDKEY"),
                amount or Decimal(0),
                text_of(detail, "ENTRYKEY"),
                text_of(detail, "ADJUSTMENTKEY"),
                credited,
            )
        )
    return shares


def _read_payment(call: Call, element: etree._Element) -> Payment:
    kept = ("DESCRIPTION", "PAYMENTREQUESTMETHOD", "AMOUNTTOPAY")
    return Payment(
        vendor=text_of(element, "VENDORID"),
        bank_account=text_of(element, "FINANCIALENTITY"),
        method=text_of(element, "PAYMENTMETHOD"),
        day=_required_day(call, element, "PAYMENTDATE"),
        currency=text_of(element, "CURRENCY"),
        number=text_of(element, "DOCNUMBER"),
        action=text_of(element, "ACTION") or "Submit",
        shares=_shares(element),
        fields={name: text for name in kept if (text := text_of(element, name))},
    )


def _flatten(element: etree._Element, prefix: str = "") -> dict[str, str]:
    """Nested elements as dotted fields, as `query` names them."""
    fields: dict[str, str] = {}
    for child in element:
        name = f"{prefix}{child.tag!s}"
        if len(child):
            fields |= _flatten(child, f"{name}.")
        else:
            fields[name] = (child.text or "").strip()
    return fields


def _master_fields(call: Call, name: str, given: Mapping[str, str]) -> dict[str, str]:
    """The fields that are kept: nobody writes those that Intacct works out, and unknown ones are custom fields."""
    kind = OBJECTS[name]
    readonly = {field.name for field in kind.fields.values() if field.readonly}
    fields = {field: text for field, text in given.items() if field not in readonly}
    for field in fields:
        described = kind.fields.get(field)
        if described is None:
            call.company.custom_fields.setdefault(name, set()).add(field)
        elif described.datatype == "D" and fields[field]:
            fields[field] = wire_date(_given_day(call, field, fields[field]))
        elif described.codes and fields[field] and fields[field] not in described.codes:
            raise invalid(f"Invalid {field} '{fields[field]}' specified.")
    return fields


def insert_master(call: Call, name: str, given: Mapping[str, str]) -> Record:
    """Make a master record.

    Raises:
        FunctionError: A required field is missing, a value is not allowed, or the key is taken.
    """
    kind = OBJECTS[name]
    table = call.company[name]
    fields = _master_fields(call, name, given)
    if not fields.get(kind.key):
        if name not in ("VENDOR", "EMPLOYEE") or (
            name == "VENDOR" and not call.company.switches.flag("vendor_sequence")
        ):
            raise invalid(f"Required field {kind.key} is missing.", f"Provide {kind.key}.")
        fields[kind.key] = f"{name[0]}{table.next_number():05d}"
    for field in kind.fields.values():
        if field.required and not fields.get(field.name):
            raise invalid(f"Required field {field.name} is missing.", f"Provide {field.name}.")
    if table.first(kind.key, fields[kind.key]) is not None:
        errorno = "PL05000104" if name in ("EMPLOYEE", "CONTACT") else "BL34000061"
        text = f"Another {name.title()} with the given value(s) {fields[kind.key]} already exists."
        raise FunctionError(ErrorLine(errorno, text, "Use a unique value instead."))
    record = call.company.add_master(name, fields, call.actor)
    call.company.log(name, record, "C", call.actor)
    return record


def _find(call: Call, name: str, element: etree._Element) -> Record:
    number = text_of(element, "RECORDNO")
    key = OBJECTS[name].key
    record = call.company[name].get(number) if number else None
    if record is None and not number and key in call.company[name].indexes:
        record = call.company[name].first(key, text_of(element, key))
    entity = call.session.entity
    if record is None or (entity and record["MEGAENTITYID"] not in ("", entity)):
        raise invalid(f"{name} {number or text_of(element, key)} does not exist.")
    return record


def _update(call: Call, element: etree._Element) -> Record:
    name = object_type(str(element.tag)).name
    record = _find(call, name, element)
    if name == "APBILL":
        _update_bill(call.company, call, record, element)
    elif name == "APPYMT":
        _update_payment(call, record, element)
    elif name in MASTERS:
        change_master(call, name, record, _flatten(element))
    else:
        raise invalid(f"{name} cannot be updated this way.")
    return record


def change_master(call: Call, name: str, record: Record, given: Mapping[str, str]) -> None:
    """Change a master record; a field given empty is cleared, one left out stays.

    Raises:
        FunctionError: A value is not allowed.
    """
    call.company.change(name, record, _master_fields(call, name, given), call.actor)


def _update_payment(call: Call, payment: Record, element: etree._Element) -> None:
    if payment["STATE"] != "Draft":
        raise invalid("Only draft payments can be updated.")
    fields = {field: text for field in ("DESCRIPTION", "DOCNUMBER") if (text := text_of(element, field))}
    call.company.change("APPYMT", payment, fields, call.actor)
    if element.find("APPYMTDETAILS") is not None:
        replace_shares(call.company, payment, _shares(element), call.actor)
    if text_of(element, "ACTION") == "Submit":
        submit_payment(call.company, payment, call.actor)


def _update_bill(company: Company, call: Call, bill: Record, element: etree._Element) -> None:
    refuse_unless_editable(company, bill)
    changes = {name: _header_text(call, element, name) for name in _BILL_HEADER if element.find(name) is not None}
    for name in ("WHENCREATED", "WHENPOSTED", "WHENDUE"):
        day = wire_day(call, element, name)
        if day is not None:
            changes[name] = wire_date(day)
    if element.find("RECORDID") is not None:
        changes["RECORDID"] = text_of(element, "RECORDID")
        refuse_duplicate(company, bill["VENDORID"], changes["RECORDID"], except_for=bill)
    if element.find("APBILLITEMS") is not None:
        replace_bill_lines(company, bill, _bill_lines(element), call.actor)
    company["APBILL"].change(bill, changes)
    company.touch("APBILL", bill, call.actor)
    company.log("APBILL", bill, "M", call.actor)


def run_delete(call: Call, element: etree._Element) -> Result:
    """By RECORDNO, several joined by commas; the whole function or nothing.

    Raises:
        FunctionError: the keys are missing or name no record, or the kind cannot be deleted this way.
    """
    kind = object_type(text_of(element, "object"))
    keys = [key.strip() for key in text_of(element, "keys").split(",") if key.strip()]
    if not keys:
        raise invalid("Required field keys is missing.", "Provide record numbers.")
    for key in keys:
        record = call.company[kind.name].get(key)
        entity = call.session.entity
        if record is None or (entity and record["MEGAENTITYID"] not in ("", entity)):
            raise invalid(f"{kind.name} {key} does not exist.")
        if kind.name == "PODOCUMENT":
            delete_document(call.company, record, call.actor)
        elif kind.name in ("APBILL", "APADJUSTMENT"):
            delete_bill(call.company, record, call.actor, kind.name)
        elif kind.name == "APPYMT":
            delete_payment(call.company, record, call.actor)
        elif kind.name in MASTERS:
            delete_master(call, kind.name, record)
        else:
            raise invalid(f"{kind.name} cannot be deleted this way.")
    return Result()


def delete_master(call: Call, name: str, record: Record) -> None:
    """Only masters that were never used may go.

    Raises:
        FunctionError: the record is used.
    """
    key = record[OBJECTS[name].key]
    for object_name, field in _USES.get(name, ()):
        if any(other[field] == key for other in call.company[object_name].rows.values()):
            raise invalid(f"The {name.lower()} {key} is used and cannot be deleted.", "Make it inactive instead.")
    call.company.delete(name, record, call.actor)
