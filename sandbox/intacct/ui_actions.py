"""What a person does in the Intacct user interface, for tests and demos (listed in docs/reference/sandbox.md)."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.intacct.company import Actor, Company
from sandbox.intacct.conversions import WITHOUT_EFFECT, create_document, line_like, set_state
from sandbox.intacct.documents import Document, Line, lines_of
from sandbox.intacct.editing import delete_document, edit_document
from sandbox.intacct.errors import invalid
from sandbox.intacct.formats import number, plain, wire_date
from sandbox.intacct.inspect import Shown, bill, document, payment
from sandbox.intacct.object_types import PO_STATES
from sandbox.intacct.objects import MASTERS, OBJECTS
from sandbox.intacct.payables import Bill, BillLine, create_bill, delete_bill, reverse_bill
from sandbox.intacct.payments import Payment, Share, create_payment, delete_payment, set_payment_state, void_payment
from sandbox.intacct.tables import Record
from sandbox.intacct.ui_credits import CREDIT_ACTIONS

Given = Mapping[str, Any]
USER = "jane.doe"
ORDER, RECEIVER, INVOICE, RETURN = "Purchase Order", "PO Receiver", "Vendor Invoice", "PO Return"
_CONVERSIONS = ("Leave Transaction Open", "Close Transaction", "Close Original and Create Back Order")


def act(company: Company, name: str, given: Given) -> Shown:
    """Do one action, whole or not at all; answers the record as it is afterwards.

    Raises FunctionError where Intacct refuses and ValueError where the request cannot be understood.
    """
    company.begin()
    with company.whole():
        shown = ACTIONS[name](company, given)
    company.journal.clear()
    return shown


def _person(entity: str = "") -> Actor:
    return Actor(USER, entity, "ui")


def _text(given: Given, name: str, default: str = "") -> str:
    value = given.get(name, default)
    return "" if value is None else str(value)


def _amount(given: Given, name: str) -> Decimal | None:
    if given.get(name) is None:
        return None
    try:
        return Decimal(str(given[name]))
    except InvalidOperation:
        raise ValueError(f"{name} is a number") from None


def _date(company: Company, given: Given, name: str) -> date:
    return date.fromisoformat(str(given[name])) if given.get(name) else company.today()


def find_document(company: Company, given: Given, definition: str = ORDER) -> Record:
    """By `document_id`, or by `number` and `definition`.

    Raises:
        ValueError: there is no such document.
    """
    docid = _text(given, "document_id") or f"{_text(given, 'definition', definition)}-{_text(given, 'number')}"
    record = company["PODOCUMENT"].first("DOCID", docid)
    if record is None:
        raise ValueError(f"there is no document {docid!r}")
    return record


def _entry(company: Company, header: Record, line_no: object) -> Record:
    for entry in lines_of(company, header):
        if entry["LINE_NO"] == str(int(str(line_no)) - 1):
            return entry
    raise ValueError(f"{header['DOCID']} has no line {line_no}")


def _edit(company: Company, given: Given, definition: str) -> Shown:
    header = find_document(company, given, definition)
    changes: dict[str, str] = {}
    for name, field in (("memo", "MESSAGE"), ("reference", "PONUMBER"), ("vendor_number", "VENDORDOCNO")):
        if name in given and (name != "memo" or "line" not in given):
            changes[field] = _text(given, name)
    if given.get("due_date"):
        changes["WHENDUE"] = wire_date(_date(company, given, "due_date"))
    edits: dict[int, dict[str, str]] = {}
    removed: set[int] = set()
    if given.get("remove"):
        removed.add(int(_entry(company, header, given["line"])["LINE_NO"]))
    elif "line" in given:
        line_no = int(_entry(company, header, given["line"])["LINE_NO"])
        edit = {}
        for name, field in (("quantity", "UIQTY"), ("price", "UIPRICE")):
            value = _amount(given, name)
            if value is not None:
                edit[field] = plain(value)
        for name, field in (("memo", "MEMO"), ("location", "LOCATIONID"), ("department", "DEPARTMENTID")):
            if name in given:
                edit[field] = _text(given, name)
        edits[line_no] = edit
    if definition == ORDER and (header["STATE"] in WITHOUT_EFFECT or not (edits or removed)):
        # Nothing was converted or nothing that counts changes: no need to take anything back first.
        company["PODOCUMENT"].change(header, changes)
        changes = {}
    edit_document(company, header, changes, edits, removed, [], "", _person(header["MEGAENTITYID"]))
    company.touch("PODOCUMENT", header, _person())
    return document(company, header)


def _edit_purchase_order(company: Company, given: Given) -> Shown:
    return _edit(company, given, ORDER)


def _edit_vendor_invoice(company: Company, given: Given) -> Shown:
    """Also without any change: saving alone makes Intacct replace the bill."""
    if not {"memo", "reference", "vendor_number", "due_date", "line"} & given.keys():
        header = find_document(company, given, INVOICE)
        given = {**given, "memo": header["MESSAGE"]}
    return _edit(company, given, INVOICE)


def _convert(company: Company, given: Given, source: Record, target: str, document_number: str) -> Shown:
    lines: list[Line] = []
    wanted = given.get("lines")
    chosen: list[tuple[Record, Decimal, Decimal | None, str]] = []
    if wanted is None:
        chosen = [
            (entry, number(entry["UIQTY"]) - number(entry["QTY_CONVERTED"]), None, "")
            for entry in lines_of(company, source)
        ]
    else:
        for one in wanted:
            entry = _entry(company, source, one["line"])
            quantity = _amount(one, "quantity")
            remaining = number(entry["UIQTY"]) - number(entry["QTY_CONVERTED"])
            wanted = remaining if quantity is None else quantity
            chosen.append((entry, wanted, _amount(one, "price"), _text(one, "unit")))
    for entry, quantity, price, unit in chosen:
        if quantity > 0:
            line = line_like(entry, quantity)
            line.source_line = entry["RECORDNO"]
            line.price = line.price if price is None else price
            if unit and unit != line.unit:
                line.unit, line.price = unit, price
            lines.append(line)
    if not lines:
        raise invalid(f"Nothing remains to be converted on {source['DOCID']}.")
    day = _date(company, given, "date")
    made = create_document(
        company,
        Document(
            definition=_text(given, "target", target),
            vendor=source["CUSTVENDID"],
            day=day,
            due=_date(company, given, "due_date") if given.get("due_date") else None,
            number=document_number,
            reference=_text(given, "reference", source["DOCNO"] if source["CATEGORY"] == "Order" else ""),
            vendor_number=_text(given, "vendor_number"),
            term=source["TERM.NAME"],
            message=_text(given, "memo"),
            created_from=source["DOCID"],
            currency=source["CURRENCY"],
            state=_text(given, "state"),
            lines=lines,
        ),
        _person(source["MEGAENTITYID"]),
    )
    return document(company, made)


def _convert_to_vendor_invoice(company: Company, given: Given) -> Shown:
    """From the order, or from a receipt (`receipt`: its number)."""
    if given.get("receipt"):
        source = find_document(company, {"number": given["receipt"]}, RECEIVER)
        order = company["PODOCUMENT"].first("DOCID", source["CREATEDFROM"])
        given = {"reference": order["DOCNO"] if order else "", **given}
    else:
        source = find_document(company, given)
    return _convert(company, given, source, INVOICE, _text(given, "invoice_number"))


def _receive(company: Company, given: Given) -> Shown:
    return _convert(company, given, find_document(company, given), RECEIVER, _text(given, "receipt_number"))


def _return_goods(company: Company, given: Given) -> Shown:
    """From a vendor invoice, or from a receipt (`receipt`: its number) whose goods were not billed."""
    if given.get("receipt"):
        source = find_document(company, {"number": given["receipt"]}, RECEIVER)
    else:
        source = find_document(company, given, INVOICE)
    return _convert(company, given, source, RETURN, _text(given, "return_number"))


def _edit_receipt(company: Company, given: Given) -> Shown:
    return _edit(company, given, RECEIVER)


def _set_state(state: str, allowed: frozenset[str]) -> Callable[[Company, Given], Shown]:
    def change(company: Company, given: Given) -> Shown:
        header = find_document(company, given)
        if header["STATE"] not in allowed:
            raise invalid(f"The document {header['DOCID']} is {header['STATE']}; {state} does not follow that.")
        set_state(company, header, state, _person(header["MEGAENTITYID"]))
        return document(company, header)

    return change


def _reverse_bill(company: Company, given: Given) -> Shown:
    """Reverses a bill of accounts payable on `date`; answers the entry that it makes."""
    record = find_record(company, "APBILL", given)
    day = _date(company, given, "date")
    return bill(company, reverse_bill(company, record, day, _text(given, "why"), _person(record["MEGAENTITYID"])))


def _delete(company: Company, given: Given) -> Shown:
    """`kind` says what; documents by number, everything else by `number` (natural key) or `record_no`."""
    kind = _text(given, "kind", "purchase_order")
    definitions = {"purchase_order": ORDER, "receipt": RECEIVER, "vendor_invoice": INVOICE, "return": RETURN}
    if kind in definitions:
        header = find_document(company, given, definitions[kind])
        delete_document(company, header, _person(header["MEGAENTITYID"]))
        return {"deleted": header["DOCID"], "record_no": header["RECORDNO"]}
    objects = {"bill": "APBILL", "payment": "APPYMT"}
    object_name = objects.get(kind) or kind.upper()
    if object_name not in objects.values() and object_name not in MASTERS:
        raise ValueError(f"unknown kind {kind!r}")
    record = find_record(company, object_name, given)
    person = _person(record["MEGAENTITYID"])
    if object_name == "APBILL":
        delete_bill(company, record, person)
    elif object_name == "APPYMT":
        delete_payment(company, record, person)
    else:
        company.delete(object_name, record, person)
    return {"deleted": record[OBJECTS[object_name].key], "record_no": record["RECORDNO"]}


def find_record(company: Company, object_name: str, given: Given) -> Record:
    """By `record_no`, or by the number or natural key people use.

    Raises:
        ValueError: there is no such record.
    """
    table = company[object_name]
    if given.get("record_no"):
        record = table.get(str(given["record_no"]))
    else:
        field = {"APBILL": "RECORDID", "APPYMT": "DOCNUMBER"}.get(object_name, OBJECTS[object_name].key)
        record = next(iter(reversed(table.find(field, _text(given, "number")))), None)
    if record is None:
        raise ValueError(f"there is no such {object_name}")
    return record


def _add_bill(company: Company, given: Given) -> Shown:
    """A bill typed into AP, with the order's number as its reference where `po_number` is given."""
    rows = given.get("lines") or [{"amount": given.get("amount")}]
    entity = _text(given, "entity")
    lines = []
    for row in rows:
        amount = _amount(row, "amount")
        if amount is None:
            raise ValueError("amount is missing")
        location = _text(row, "location") or entity or "100"
        fields = {"LOCATIONID": location, "ENTRYDESCRIPTION": _text(row, "memo"), "ITEMID": _text(row, "item_id")}
        lines.append(BillLine(amount, _text(row, "account", "6000"), fields))
    made = create_bill(
        company,
        Bill(
            vendor=_text(given, "vendor_id"),
            day=_date(company, given, "date"),
            due=_date(company, given, "due_date") if given.get("due_date") else None,
            term="" if given.get("due_date") else "Net 30",
            number=_text(given, "number"),
            currency=_text(given, "currency"),
            lines=lines,
            fields={"DOCNUMBER": _text(given, "po_number"), "DESCRIPTION": _text(given, "memo")},
        ),
        _person(entity),
    )
    return bill(company, made)


def _pay_bill(company: Company, given: Given) -> Shown:
    """Pays what is due, or `amount`. The bill by record number, by its own number, or by `vendor_invoice`."""
    if given.get("vendor_invoice"):
        header = find_document(company, {"number": given["vendor_invoice"]}, INVOICE)
        owed = find_record(company, "APBILL", {"record_no": header["PRRECORDKEY"] or "0"})
    else:
        owed = find_record(company, "APBILL", given)
    amount = _amount(given, "amount")
    made = create_payment(
        company,
        Payment(
            vendor=owed["VENDORID"],
            bank_account=_text(given, "bank_account", "BOA"),
            method=_text(given, "method", "EFT"),
            day=_date(company, given, "date"),
            currency=owed["CURRENCY"],
            number=_text(given, "document_number"),
            shares=[Share(owed["RECORDNO"], number(owed["TRX_TOTALDUE"]) if amount is None else amount)],
        ),
        _person(owed["MEGAENTITYID"]),
    )
    return payment(company, made)


def _void_payment(company: Company, given: Given) -> Shown:
    record = find_record(company, "APPYMT", {"number": given.get("document_number"), **given})
    void_payment(company, record, _person(record["MEGAENTITYID"]))
    return payment(company, record)


def _approve_payment(company: Company, given: Given) -> Shown:
    record = find_record(company, "APPYMT", {"number": given.get("document_number"), **given})
    if record["STATE"] != "Submitted":
        raise invalid(f"The payment {record['RECORDNO']} is {record['STATE']} and awaits no approval.")
    set_payment_state(company, record, "Complete", _person(record["MEGAENTITYID"]))
    return payment(company, record)


def _confirm_payment(company: Company, given: Given) -> Shown:
    """A payment that was printed or sent is confirmed, and so posted."""
    record = find_record(company, "APPYMT", {"number": given.get("document_number"), **given})
    if record["STATE"] not in ("Approved", "Delivered"):
        raise invalid(f"The payment {record['RECORDNO']} is {record['STATE']} and awaits no confirmation.")
    set_payment_state(company, record, "Complete", _person(record["MEGAENTITYID"]))
    return payment(company, record)


def _close_period(company: Company, given: Given) -> Shown:
    if not given.get("through"):
        raise ValueError("through is the last closed day")
    company.closed_through[_text(given, "entity")] = date.fromisoformat(str(given["through"]))
    return _closed(company)


def _open_period(company: Company, given: Given) -> Shown:
    company.closed_through.pop(_text(given, "entity"), None)
    return _closed(company)


def _closed(company: Company) -> Shown:
    return {"closed_through": {entity: day.isoformat() for entity, day in company.closed_through.items()}}


def _edit_master(company: Company, given: Given) -> Shown:
    """`object`, `key` and `fields` by their Intacct names."""
    object_name = _text(given, "object").upper()
    if object_name not in MASTERS and object_name != "APTERM":
        raise ValueError(f"unknown object {object_name!r}")
    record = find_record(company, object_name, {"number": given.get("key")})
    fields = {str(name).upper(): str(value) for name, value in dict(given.get("fields") or {}).items()}
    company.change(object_name, record, fields, _person(record["MEGAENTITYID"]))
    return {field.lower(): value for field, value in record.values.items()}


def _edit_vendor(company: Company, given: Given) -> Shown:
    names = {"name": "NAME", "status": "STATUS", "term": "TERMNAME", "on_hold": "ONHOLD", "currency": "CURRENCY"}
    fields = {field: _text(given, name) for name, field in names.items() if name in given}
    return _edit_master(company, {"object": "VENDOR", "key": given.get("vendor_id"), "fields": fields})


def _change_password(company: Company, given: Given) -> Shown:
    """The web services user gets another password, as when an administrator resets it; its sessions end."""
    user = _text(given, "user", "xml_gateway")
    if user not in company.users or not given.get("password"):
        raise ValueError("give user (default xml_gateway) and password")
    company.users[user] = str(given["password"])
    return {"user": user}


def _set_conversion_mode(company: Company, given: Given) -> Shown:
    if given.get("mode") not in _CONVERSIONS:
        raise ValueError(f"mode is one of {', '.join(_CONVERSIONS)}")
    return _set_definition(company, {"name": given.get("definition", ORDER), "fields": {"CONVTYPE": given["mode"]}})


def _set_definition(company: Company, given: Given) -> Shown:
    """Change a transaction definition, or make one (`like` names the one to copy). `prefix` "" ends its numbering."""
    table, name = company["PODOCUMENTPARAMS"], _text(given, "name")
    record = table.first("DOCID", name)
    if record is None:
        model = table.first("DOCID", _text(given, "like"))
        if not name or model is None:
            raise ValueError(f"there is no definition {name!r}; `like` names one to copy")
        copied = {field: value for field, value in model.values.items() if field != "RECORDNO"}
        record = table.insert({**copied, "DOCID": name, "SEQUENCE": name, "WHENCREATED": company.stamp()})
        company.prefixes[name] = f"{name[:3].upper()}-"
    if "prefix" in given:
        company.prefixes[name] = _text(given, "prefix")
        table.change(record, {"SEQUENCE": name if given["prefix"] else ""})
    fields = {str(field).upper(): str(value) for field, value in dict(given.get("fields") or {}).items()}
    company.change("PODOCUMENTPARAMS", record, fields, _person())
    return {field.lower(): value for field, value in record.values.items()}


def _force_state(company: Company, given: Given) -> Shown:
    header = find_document(company, given)
    if given.get("state") not in PO_STATES:
        raise ValueError(f"state is one of {', '.join(PO_STATES)}")
    set_state(company, header, str(given["state"]), _person(header["MEGAENTITYID"]))
    return document(company, header)


_OPEN = frozenset({"Pending", "Approved", "Partially Converted", "Draft", "Declined"})

ACTIONS: Mapping[str, Callable[[Company, Given], Shown]] = {
    "edit_purchase_order": _edit_purchase_order,
    "convert_to_vendor_invoice": _convert_to_vendor_invoice,
    "receive": _receive,
    "return_goods": _return_goods,
    "edit_receipt": _edit_receipt,
    "close": _set_state("Closed", _OPEN),
    "reopen": _set_state("Pending", frozenset({"Closed"})),
    "submit": _set_state("Submitted", frozenset({"Draft", "Declined", "Pending"})),
    "approve": _set_state("Approved", frozenset({"Submitted", "Partially Approved"})),
    "decline": _set_state("Declined", frozenset({"Submitted", "Partially Approved"})),
    "partially_approve": _set_state("Partially Approved", frozenset({"Submitted"})),
    "set_state": _force_state,
    "delete": _delete,
    "add_bill": _add_bill,
    "edit_vendor_invoice": _edit_vendor_invoice,
    "pay_bill": _pay_bill,
    "reverse_bill": _reverse_bill,
    "void_payment": _void_payment,
    "approve_payment": _approve_payment,
    "confirm_payment": _confirm_payment,
    "close_period": _close_period,
    "open_period": _open_period,
    "edit_vendor": _edit_vendor,
    "edit_master": _edit_master,
    "change_password": _change_password,
    "set_conversion_mode": _set_conversion_mode,
    "set_definition": _set_definition,
    **CREDIT_ACTIONS,
}
