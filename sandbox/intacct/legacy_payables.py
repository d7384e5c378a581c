"""The legacy functions of accounts payable (reference 3.5 to 3.7)."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from lxml import etree

from sandbox.intacct.call_context import Call
from sandbox.intacct.envelope import Raw, Result, text_of
from sandbox.intacct.errors import FunctionError, could_not, invalid
from sandbox.intacct.formats import wire_date
from sandbox.intacct.payables import (
    Bill,
    BillEdit,
    BillLine,
    create_adjustment,
    create_bill,
    delete_bill,
    edit_bill,
    reverse_bill,
)
from sandbox.intacct.payments import Payment, Share, create_payment, delete_payment, void_payment
from sandbox.intacct.purchasing import custom_fields_of, decimal_of, legacy_date, required_date
from sandbox.intacct.tables import Record

_LINE = {
    "accountlabel": "ACCOUNTLABEL",
    "memo": "ENTRYDESCRIPTION",
    "locationid": "LOCATIONID",
    "departmentid": "DEPARTMENTID",
    "projectid": "PROJECTID",
    "customerid": "CUSTOMERID",
    "vendorid": "VENDORID",
    "itemid": "ITEMID",
    "classid": "CLASSID",
    "warehouseid": "WAREHOUSEID",
    "billable": "BILLABLE",
}


_HEADER_EDITS = {
    "vendorid": "VENDORID",
    "termname": "TERMNAME",
    "billno": "RECORDID",
    "ponumber": "DOCNUMBER",
    "onhold": "ONHOLD",
    "description": "DESCRIPTION",
    "supdocid": "SUPDOCID",
}


def _line(call: Call, line: etree._Element, object_name: str) -> BillLine:
    fields = {field: text for name, field in _LINE.items() if (text := text_of(line, name))}
    fields |= custom_fields_of(call, f"{object_name}ITEM", line)
    return BillLine(decimal_of(line, "amount") or Decimal(0), text_of(line, "glaccountno"), fields)


def _bill(call: Call, object_name: str, element: etree._Element, items: str, number: str) -> Bill:
    lines = [_line(call, line, object_name) for line in element.findall(f"{items}/lineitem")]
    action = text_of(element, "action") or "Submit"
    if action not in ("Submit", "Draft"):
        raise invalid(f"Invalid action '{action}' specified.", errorno="BL03002129")
    # An adjustment names the bill that it is about as plain text (reference 3.7).
    reference = "billno" if object_name == "APADJUSTMENT" else "ponumber"
    header = {"DOCNUMBER": text_of(element, reference), "DESCRIPTION": text_of(element, "description")}
    header |= custom_fields_of(call, object_name, element)
    return Bill(
        vendor=text_of(element, "vendorid"),
        day=required_date(element, "datecreated"),
        posted=legacy_date(element, "dateposted"),
        due=legacy_date(element, "datedue"),
        term=text_of(element, "termname"),
        number=text_of(element, number),
        currency=text_of(element, "currency"),
        rate=decimal_of(element, "exchrate"),
        action=action,
        lines=lines,
        fields=header,
    )


def _record(call: Call, object_name: str, key: str) -> Record:
    record = call.company[object_name].get(key)
    entity = call.session.entity
    if record is None or (entity and record["MEGAENTITYID"] not in ("", entity)):
        raise invalid(f"{object_name} {key} does not exist.", "Provide a valid record number.")
    return record


def run_create_bill(call: Call, element: etree._Element) -> Result:
    """Answers the RECORDNO as key.

    Raises:
        FunctionError: the bill is refused; behind the reason stands that it could not be created.
    """
    try:
        record = create_bill(call.company, _bill(call, "APBILL", element, "billitems", "billno"), call.actor)
    except FunctionError as error:
        raise could_not("create Bill", error) from None
    return Result(key=record["RECORDNO"])


def run_update_bill(call: Call, element: etree._Element) -> Result:
    """Change a bill by its RECORDNO: the header fields given, the lines by number, new lines behind them.

    Raises:
        FunctionError: the edit is refused; behind the reason stands that it could not be made.
    """
    bill = _record(call, "APBILL", element.get("key", ""))
    try:
        edit_bill(call.company, bill, _bill_edit(call, element), call.actor)
    except FunctionError as error:
        raise could_not("update Bill", error) from None
    return Result(key=bill["RECORDNO"])


def _bill_edit(call: Call, element: etree._Element) -> BillEdit:
    nulls = element.get("set_nulls", "false") == "true"

    def given(parent: etree._Element, name: str) -> bool:
        """An empty element means "as it is", unless nulls are set."""
        return parent.find(name) is not None and (nulls or text_of(parent, name) != "")

    header = {field: text_of(element, name) for name, field in _HEADER_EDITS.items() if given(element, name)}
    for name, field in (("datecreated", "WHENCREATED"), ("dateposted", "WHENPOSTED"), ("datedue", "WHENDUE")):
        day = legacy_date(element, name)
        if day is not None:
            header[field] = wire_date(day)
    changed: dict[str, tuple[Decimal | None, dict[str, str]]] = {}
    for line in element.findall("updatebillitems/updatelineitem"):
        fields = {field: text_of(line, name) for name, field in _LINE.items() if given(line, name)}
        if line.find("glaccountno") is not None:
            fields["ACCOUNTNO"] = text_of(line, "glaccountno")
        fields |= custom_fields_of(call, "APBILLITEM", line)
        changed[line.get("line_num", "")] = decimal_of(line, "amount"), fields
    added = [_line(call, line, "APBILL") for line in element.findall("updatebillitems/lineitem")]
    return BillEdit(header, changed, added, submit=text_of(element, "action") == "Submit")


def run_delete_bill(call: Call, element: etree._Element) -> Result:
    """By RECORDNO."""
    delete_bill(call.company, _record(call, "APBILL", element.get("key", "")), call.actor)
    return Result()


def run_reverse_bill(call: Call, element: etree._Element) -> Result:
    """Sets the bill to Reversed and makes its mirror, whose RECORDNO is the key."""
    bill = _record(call, "APBILL", element.get("key", ""))
    day = required_date(element, "datereversed")
    mirror = reverse_bill(call.company, bill, day, text_of(element, "description"), call.actor)
    return Result(key=mirror["RECORDNO"])


def run_create_apadjustment(call: Call, element: etree._Element) -> Result:
    """Negative lines make a vendor credit.

    Raises:
        FunctionError: the adjustment is refused; behind the reason stands that it could not be created.
    """
    try:
        bill = _bill(call, "APADJUSTMENT", element, "apadjustmentitems", "adjustmentno")
        record = create_adjustment(call.company, bill, call.actor)
    except FunctionError as error:
        raise could_not("create Adjustment", error) from None
    return Result(key=record["RECORDNO"])


def run_delete_apadjustment(call: Call, element: etree._Element) -> Result:
    """By RECORDNO."""
    record = _record(call, "APADJUSTMENT", element.get("key", ""))
    delete_bill(call.company, record, call.actor, "APADJUSTMENT")
    return Result()


def run_create_paymentrequest(call: Call, element: etree._Element) -> Result:
    """The old way to pay; answers the payment's RECORDNO.

    Raises:
        FunctionError: the payment is refused; behind the reason stands that it could not be created.
    """
    items = element.findall("paymentrequestitems/paymentrequestitem")
    shares = [Share(text_of(item, "key"), decimal_of(item, "paymentamount") or Decimal(0)) for item in items]
    payment = Payment(
        vendor=text_of(element, "vendorid"),
        bank_account=text_of(element, "bankaccountid") or text_of(element, "chargecardid"),
        method=text_of(element, "paymentmethod"),
        day=required_date(element, "paymentdate"),
        number=text_of(element, "documentnumber"),
        shares=shares,
        fields={"DESCRIPTION": text_of(element, "memo")},
    )
    try:
        record = create_payment(call.company, payment, call.actor)
    except FunctionError as error:
        raise could_not("create Payment Request", error) from None
    return Result(key=record["RECORDNO"])


def run_void_payments(call: Call, element: etree._Element) -> Result:
    """All keys or none.

    Raises:
        FunctionError: no payment is named, or one that cannot be voided.
    """
    keys = [(key.text or "").strip() for key in element.findall("appaymentkeys/appaymentkey")]
    if not keys:
        raise invalid("Required field appaymentkey is missing.")
    for key in keys:
        void_payment(call.company, _record(call, "APPYMT", key), call.actor)
    return Result()


def run_delete_paymentrequest(call: Call, element: etree._Element) -> Result:
    """Drafts only."""
    delete_payment(call.company, _record(call, "APPYMT", element.get("key", "")), call.actor)
    return Result()


def run_reverse_appayment(call: Call, element: etree._Element) -> Result:
    """Undoes a payment that was made; here the same as voiding it."""
    day = required_date(element, "datereversed")
    record = _record(call, "APPYMT", element.get("key", ""))
    void_payment(call.company, record, call.actor, day)
    return Result(key=record["RECORDNO"])


FUNCTIONS: Mapping[str, Callable[[Call, etree._Element], Result | Raw]] = {
    "create_bill": run_create_bill,
    "update_bill": run_update_bill,
    "delete_bill": run_delete_bill,
    "reverse_bill": run_reverse_bill,
    "create_apadjustment": run_create_apadjustment,
    "delete_apadjustment": run_delete_apadjustment,
    "create_paymentrequest": run_create_paymentrequest,
    "void_appaymentrequest": run_void_payments,
    "delete_paymentrequest": run_delete_paymentrequest,
    "reverse_appayment": run_reverse_appayment,
}
OBJECTS_OF = {
    name: "APADJUSTMENT" if "adjustment" in name else "APBILL" if "bill" in name else "APPYMT" for name in FUNCTIONS
}
