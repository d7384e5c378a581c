"""Bills and vendor credits in accounts payable, typed in or made by Purchasing (reference 2.9, 3.5, 3.7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sandbox.intacct import subtotals
from sandbox.intacct.company import Actor, Company
from sandbox.intacct.documents import due_date, rate_of
from sandbox.intacct.errors import ErrorLine, FunctionError, invalid
from sandbox.intacct.formats import amount_text, money, number, parse_date, plain, wire_date
from sandbox.intacct.object_types import BILL_STATES
from sandbox.intacct.tables import Record

_FORBIDDEN = frozenset("\"'&<>#?")
_CHECKED = {
    "LOCATIONID": ("LOCATION", "location"),
    "DEPARTMENTID": ("DEPARTMENT", "department"),
    "CLASSID": ("CLASS", "class"),
    "ITEMID": ("ITEM", "item"),
}
"""Fields of a line that must name an active master."""
_LINE_OBJECT = {"APBILL": "APBILLITEM", "APADJUSTMENT": "APADJUSTMENTITEM"}


@dataclass
class BillLine:
    """One line of a bill; the amount in the bill's currency."""

    amount: Decimal
    account: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    """Further fields by their Intacct names: LOCATIONID, ENTRYDESCRIPTION ..."""


@dataclass
class Bill:
    """One bill (or adjustment) to be written."""

    vendor: str
    day: date
    lines: list[BillLine]
    number: str = ""
    posted: date | None = None
    due: date | None = None
    term: str = ""
    currency: str = ""
    rate: Decimal | None = None
    action: str = "Submit"
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class BillEdit:
    """What changes of a bill: header fields, lines by number (amount and fields), and lines to add."""

    header: dict[str, str]
    changed: dict[str, tuple[Decimal | None, dict[str, str]]]
    added: list[BillLine]
    submit: bool = False
    """A draft is posted."""


def create_bill(company: Company, bill: Bill, actor: Actor) -> Record:
    """A bill typed into accounts payable; MODULEKEY 3.AP.

    Raises:
        FunctionError: number or lines are missing, or the number holds a character that is not allowed.
    """
    vendor = company.require_master("VENDOR", bill.vendor, "vendor")
    if not bill.lines:
        raise invalid("A bill needs at least one line.", "Provide APBILLITEMS.")
    if bill.number and _FORBIDDEN & set(bill.number):
        raise invalid(f"The bill number '{bill.number}' holds a character that is not allowed.")
    draft = bill.action == "Draft"
    if not bill.number:
        if company.switches.flag("auto_bill_numbers"):
            bill.number = f"BILL-{company['APBILL'].next_number():06d}"
        elif not draft:
            raise FunctionError(ErrorLine("BL03002128", "Bill number is required.", "Provide a bill number."))
    refuse_duplicate(company, bill.vendor, bill.number)
    company.require_open_period(bill.posted or bill.day, actor.entity)
    bill.due = due_date(company, bill.term or vendor["TERMNAME"], bill.day, bill.due)
    for line in bill.lines:
        _check_line(company, line)
    state = "Draft" if draft else "Posted"
    return _insert(company, "APBILL", bill, vendor, state, actor, {"MODULEKEY": "3.AP", "SYSTEMGENERATED": "false"})


def create_adjustment(company: Company, bill: Bill, actor: Actor) -> Record:
    """A vendor credit or debit; all its lines must have one sign.

    Raises:
        FunctionError: its lines have both signs.
    """
    vendor = company.require_master("VENDOR", bill.vendor, "vendor")
    signs = {line.amount > 0 for line in bill.lines}
    if len(signs) != 1:
        raise invalid("All lines of an adjustment must have the same sign.")
    company.require_open_period(bill.posted or bill.day, actor.entity)
    for line in bill.lines:
        _check_line(company, line)
    return _insert(company, "APADJUSTMENT", bill, vendor, "Posted", actor, {"MODULEKEY": "3.AP"})


def refuse_duplicate(company: Company, vendor: str, bill_number: str, except_for: Record | None = None) -> None:
    """One number per vendor, where AP is set so.

    Raises:
        FunctionError: another transaction has the value.
    """
    if company.switches.word("duplicate_bill_numbers") != "allow":
        refuse_taken(company, vendor, bill_number, except_for)


def refuse_taken(company: Company, vendor: str, bill_number: str, except_for: Record | None = None) -> None:
    """Refuse a number that a bill of the vendor has.

    Raises:
        FunctionError: another transaction has the value.
    """
    if not bill_number:
        return
    free = company.switches.word("reversed_numbers") == "free"
    for other in company["APBILL"].find("RECORDID", bill_number):
        if free and other["STATE"] == "Reversed":
            continue
        if other["VENDORID"] == vendor and other is not except_for:
            text = f"Another Bill with the given value(s) {bill_number} already exists."
            raise FunctionError(ErrorLine("BL34000061", text, "Use a unique value instead."))


def _check_line(company: Company, line: BillLine) -> None:
    if line.account:
        company.require_master("GLACCOUNT", line.account, "account number")
    elif not line.fields.get("ACCOUNTLABEL"):
        raise invalid("Required field Account number is missing.", "Provide an account.")
    if not line.fields.get("LOCATIONID"):
        raise invalid("Location ID is required.", "Provide a location on every line.")
    for name, (master, what) in _CHECKED.items():
        if line.fields.get(name):
            company.require_master(master, line.fields[name], what)


def _insert(
    company: Company,
    object_name: str,
    bill: Bill,
    vendor: Record,
    state: str,
    actor: Actor,
    more: Mapping[str, str],
    entity: str | None = None,
) -> Record:
    stamp = {"AUWHENCREATED": company.stamp(), "WHENMODIFIED": company.stamp()}
    stamp |= {"CREATEDBY": actor.user, "MODIFIEDBY": actor.user}
    owner = company.entity_fields(actor.entity if entity is None else entity)
    currency = bill.currency or company.base_currency
    rate = rate_of(company.base_currency, currency, bill.rate)
    total = sum((money(line.amount) for line in bill.lines), Decimal(0))
    header = company[object_name].insert(
        {
            "RECORDTYPE": "pi" if object_name == "APBILL" else "pa",
            "RECORDID": bill.number,
            "STATE": state,
            "RAWSTATE": BILL_STATES[state],
            "VENDORID": bill.vendor,
            "VENDORNAME": vendor["NAME"],
            "WHENCREATED": wire_date(bill.day),
            "WHENPOSTED": wire_date(bill.posted or bill.day),
            "WHENDUE": wire_date(bill.due) if bill.due else "",
            "TERMNAME": bill.term,
            "CURRENCY": currency,
            "BASECURR": company.base_currency,
            "EXCHANGE_RATE": plain(rate),
            "EXCH_RATE_DATE": wire_date(bill.day),
            "ONHOLD": "false",
            **_amounts(total, rate, Decimal(0), Decimal(0)),
            **bill.fields,
            **more,
            **stamp,
            **owner,
        }
    )
    for at, line in enumerate(bill.lines, 1):
        _insert_line(company, object_name, header, line, str(at), stamp | owner)
    company.log(object_name, header, "C", actor)
    return header


def _insert_line(
    company: Company, object_name: str, header: Record, line: BillLine, line_no: str, more: Mapping[str, str]
) -> None:
    account = company["GLACCOUNT"].first("ACCOUNTNO", line.account)
    rate = number(header["EXCHANGE_RATE"]) or Decimal(1)
    company[_LINE_OBJECT[object_name]].insert(
        {
            "RECORDKEY": header["RECORDNO"],
            "LINE_NO": line_no,
            "ACCOUNTNO": line.account,
            "ACCOUNTTITLE": account["TITLE"] if account else "",
            "AMOUNT": amount_text(line.amount * rate),
            "TRX_AMOUNT": amount_text(line.amount),
            "CURRENCY": header["CURRENCY"],
            "BASECURR": header["BASECURR"],
            "TOTALPAID": "0.00",
            "TRX_TOTALPAID": "0.00",
            **more,
            **line.fields,
        }
    )


def _amounts(entered: Decimal, rate: Decimal, paid: Decimal, selected: Decimal) -> dict[str, str]:
    due = entered - paid - selected
    amounts = {"TOTALENTERED": entered, "TOTALPAID": paid, "TOTALSELECTED": selected, "TOTALDUE": due}
    both = {f"TRX_{name}": amount_text(value) for name, value in amounts.items()}
    return both | {name: amount_text(value * rate) for name, value in amounts.items()}


# Behind purchasing documents


def post_document(company: Company, header: Record, lines: Sequence[Record], actor: Actor) -> Record:
    """The bill (for a return: the credit) behind a posting document; its record number goes into PRRECORDKEY."""
    vendor = company.require_master("VENDOR", header["CUSTVENDID"], "vendor")
    returned = header["CATEGORY"] == "Return"
    use_vendor_number = company.switches.word("bill_number_from") == "vendordocno"
    bill = Bill(
        vendor=header["CUSTVENDID"],
        day=parse_date(header["WHENCREATED"]),
        posted=parse_date(header["WHENPOSTED"] or header["WHENCREATED"]),
        due=parse_date(header["WHENDUE"]) if header["WHENDUE"] else None,
        term=header["TERM.NAME"],
        currency=header["CURRENCY"],
        rate=number(header["EXCHRATE"]) or None,
        number=(use_vendor_number and header["VENDORDOCNO"]) or header["DOCNO"],
        lines=[_posted_line(company, line, returned) for line in lines]
        + [_posted_subtotal(subtotal, lines, returned) for subtotal in subtotals.of_document(company, header)],
        fields={"DOCNUMBER": header["PONUMBER"], "DESCRIPTION": header["MESSAGE"], "DESCRIPTION2": header["DOCID"]},
    )
    object_name = "APADJUSTMENT" if returned else "APBILL"
    more = {"MODULEKEY": "9.PO", "SYSTEMGENERATED": "true"}
    posted = _insert(company, object_name, bill, vendor, "Posted", actor, more, header["MEGAENTITYID"])
    company["PODOCUMENT"].change(header, {"PRRECORDKEY": posted["RECORDNO"], "TRX_TOTALPAID": "0.00"})
    return posted


def _posted_line(company: Company, line: Record, returned: bool) -> BillLine:
    item = company["ITEM"].first("ITEMID", line["ITEMID"])
    account = (item["GLGROUP"] if item else "") or "6000"
    amount = number(line["TRX_VALUE"])
    names = ("ITEMID", "ITEMNAME", "LOCATIONID", "DEPARTMENTID", "PROJECTID", "CLASSID")
    fields = {name: line[name] for name in names}
    fields["ENTRYDESCRIPTION"] = line["MEMO"] or line["ITEMDESC"]
    return BillLine(-amount if returned else amount, account, fields)


def _posted_subtotal(subtotal: Record, lines: Sequence[Record], returned: bool) -> BillLine:
    """To the account the definition has for it; here all go to purchases."""
    amount = number(subtotal["TRX_TOTAL"])
    fields = {
        "LOCATIONID": subtotal["LOCATIONID"] or lines[0]["LOCATIONID"],
        "ENTRYDESCRIPTION": subtotal["DESCRIPTION"],
    }
    return BillLine(-amount if returned else amount, "6000", fields)


def unpost_document(company: Company, header: Record, actor: Actor) -> None:
    """Take the bill behind a document away, before the document changes. Refused once something was paid."""
    posted = None
    for object_name in ("APBILL", "APADJUSTMENT"):
        found = company[object_name].get(header["PRRECORDKEY"])
        if found is not None and found["DESCRIPTION2"] == header["DOCID"]:
            refuse_paid(found)
            company.require_open_period(parse_date(found["WHENPOSTED"]), header["MEGAENTITYID"])
            company.delete(object_name, found, actor)
            posted = found
    if posted is not None:
        company["PODOCUMENT"].change(header, {"PRRECORDKEY": ""})


def refuse_reconciled(company: Company, bill: Record) -> None:
    """A reconciled bill is neither deleted nor reversed (reference 3.5). Raises FunctionError."""
    if company.switches.flag("reconciled_bills") and bill["STATE"] != "Draft":
        raise invalid(
            f"The transaction {bill['RECORDID']} is reconciled and can't be changed.", "Undo its reconciliation first."
        )


def refuse_paid(bill: Record) -> None:
    """Paid, partly paid or selected bills neither change nor go.

    Raises:
        FunctionError: something of the bill is paid.
    """
    if number(bill["TRX_TOTALPAID"]) or number(bill["TRX_TOTALSELECTED"]):
        raise invalid(
            f"Transaction {bill['RECORDID']} is already paid and can't be deleted.", "Void the payment first."
        )


def apply_amounts(company: Company, bill: Record, *, paid: Decimal, selected: Decimal, day: date, actor: Actor) -> None:
    """Add to what is paid and what is selected for payment; the state follows."""
    entered = number(bill["TRX_TOTALENTERED"])
    paid += number(bill["TRX_TOTALPAID"])
    selected += number(bill["TRX_TOTALSELECTED"])
    if paid >= entered:
        state = "Paid"
    elif selected:
        state = "Selected"
    else:
        state = "Partially Paid" if paid else "Posted"
    rate = number(bill["EXCHANGE_RATE"]) or Decimal(1)
    changes = _amounts(entered, rate, paid, selected) | {"STATE": state, "RAWSTATE": BILL_STATES[state]}
    changes["WHENPAID"] = wire_date(day) if state == "Paid" else ""
    company.change("APBILL", bill, changes, actor)
    if bill["MODULEKEY"] == "9.PO":
        for document in company["PODOCUMENT"].find("PRRECORDKEY", bill["RECORDNO"]):
            if document["DOCID"] == bill["DESCRIPTION2"]:
                company["PODOCUMENT"].change(document, {"TRX_TOTALPAID": amount_text(paid)})


def apply_credit(company: Company, memo: Record, amount: Decimal, actor: Actor) -> None:
    """Use so much of a debit memo, or set it free with an amount below zero."""
    entered, paid = number(memo["TRX_TOTALENTERED"]), number(memo["TRX_TOTALPAID"]) - amount
    state = "Paid" if paid == entered else "Partially Paid" if paid else "Posted"
    rate = number(memo["EXCHANGE_RATE"]) or Decimal(1)
    changes = _amounts(entered, rate, paid, Decimal(0)) | {"STATE": state, "RAWSTATE": BILL_STATES[state]}
    company.change("APADJUSTMENT", memo, changes, actor)


def refuse_unless_editable(company: Company, bill: Record) -> None:
    """Allow edits of unpaid bills of accounts payable in an open period only.

    Raises:
        FunctionError: The bill is paid, belongs to Purchasing, or its period is closed.
    """
    refuse_paid(bill)
    if bill["MODULEKEY"] == "9.PO":
        raise invalid("The bill belongs to Purchasing.", "Change the vendor invoice instead.")
    if bill["STATE"] in ("Reversed", "Reversal"):
        raise invalid(f"The bill {bill['RECORDID']} is reversed and cannot be edited.")
    refuse_where_reversed(company, bill)
    company.require_open_period(parse_date(bill["WHENPOSTED"]), bill["MEGAENTITYID"])


def refuse_where_reversed(company: Company, bill: Record) -> None:
    """Where unpaid bills are reversed, their edits may be refused. Raises FunctionError."""
    reversing = company.switches.flag("unpaid_bill_reversal") and bill["STATE"] != "Draft"
    if reversing and company.switches.word("edits_with_reversal") == "refuse":
        raise invalid(f"The bill {bill['RECORDID']} can only be reversed.", "Reverse it and enter it anew.")


def edit_bill(company: Company, bill: Record, edit: BillEdit, actor: Actor) -> None:
    """Change a bill in place; its lines keep their record numbers.

    Raises:
        FunctionError: The bill may not be changed, a line does not exist, or a value is not allowed.
    """
    refuse_unless_editable(company, bill)
    items, rate = company["APBILLITEM"], number(bill["EXCHANGE_RATE"]) or Decimal(1)
    header = dict(edit.header)
    vendor = header.get("VENDORID", bill["VENDORID"])
    if "VENDORID" in header:
        header["VENDORNAME"] = company.require_master("VENDOR", vendor, "vendor")["NAME"]
    refuse_duplicate(company, vendor, header.get("RECORDID", bill["RECORDID"]), except_for=bill)
    lines = {line["LINE_NO"]: line for line in items.find("RECORDKEY", bill["RECORDNO"])}
    for line_no, (amount, fields) in edit.changed.items():
        if line_no not in lines:
            raise invalid(f"Line {line_no} does not exist.", "Provide the number of a line of this bill.")
        line = lines[line_no]
        wanted = {name: fields.get(name, line[name]) for name in (*_CHECKED, "ACCOUNTLABEL")}
        _check_line(company, BillLine(Decimal(0), fields.get("ACCOUNTNO", line["ACCOUNTNO"]), wanted))
        amounts = {}
        if amount is not None:
            amounts = {"TRX_AMOUNT": amount_text(amount), "AMOUNT": amount_text(amount * rate)}
        account = company["GLACCOUNT"].first("ACCOUNTNO", fields.get("ACCOUNTNO", line["ACCOUNTNO"]))
        title = {"ACCOUNTTITLE": account["TITLE"] if account else ""}
        items.change(line, {**fields, **amounts, **title, "WHENMODIFIED": company.stamp()})
    owner = company.entity_fields(bill["MEGAENTITYID"])
    for at, added in enumerate(edit.added, max(map(int, lines), default=0) + 1):
        _check_line(company, added)
        stamp = {"WHENMODIFIED": company.stamp(), "CREATEDBY": actor.user}
        _insert_line(company, "APBILL", bill, added, str(at), stamp | owner)
    total = sum((number(line["TRX_AMOUNT"]) for line in items.find("RECORDKEY", bill["RECORDNO"])), Decimal(0))
    company["APBILL"].change(bill, header | _amounts(total, rate, Decimal(0), Decimal(0)))
    if edit.submit and bill["STATE"] == "Draft":
        company["APBILL"].change(bill, {"STATE": "Posted", "RAWSTATE": BILL_STATES["Posted"]})
    company.touch("APBILL", bill, actor)
    company.log("APBILL", bill, "M", actor)


def replace_lines(company: Company, bill: Record, lines: list[BillLine], actor: Actor) -> None:
    """Generic update of a bill: the lines sent are the full set (reference 3.5)."""
    for line in lines:
        _check_line(company, line)
    items = company["APBILLITEM"]
    for old in items.find("RECORDKEY", bill["RECORDNO"]):
        items.remove(old)
    stamp = {"WHENMODIFIED": company.stamp(), "CREATEDBY": actor.user}
    for at, line in enumerate(lines, 1):
        owner = company.entity_fields(bill["MEGAENTITYID"])
        _insert_line(company, "APBILL", bill, line, str(at), stamp | owner)
    total = sum((money(line.amount) for line in lines), Decimal(0))
    rate = number(bill["EXCHANGE_RATE"]) or Decimal(1)
    company["APBILL"].change(bill, _amounts(total, rate, Decimal(0), Decimal(0)))


def delete_bill(company: Company, bill: Record, actor: Actor, object_name: str = "APBILL") -> None:
    """Only unpaid ones in an open period, and none that Purchasing owns (reference 3.5).

    Raises:
        FunctionError: it belongs to Purchasing.
    """
    if bill["MODULEKEY"] == "9.PO":
        raise invalid(
            f"The transaction {bill['RECORDID']} belongs to Purchasing and cannot be deleted here.",
            "Change or delete the vendor invoice instead.",
        )
    refuse_paid(bill)
    if bill["STATE"] in ("Reversed", "Reversal"):
        raise invalid(f"The bill {bill['RECORDID']} is reversed and cannot be deleted.")
    if object_name == "APBILL" and bill["STATE"] != "Draft" and company.switches.flag("unpaid_bill_reversal"):
        raise invalid(
            f"The bill {bill['RECORDID']} cannot be deleted because unpaid bills are reversed.", "Reverse it instead."
        )
    refuse_reconciled(company, bill)
    company.require_open_period(parse_date(bill["WHENPOSTED"]), bill["MEGAENTITYID"])
    company.delete(object_name, bill, actor)


def reverse_bill(company: Company, bill: Record, day: date, description: str, actor: Actor) -> Record:
    """A mirror bill of the opposite sign; depends on the AP setting for unpaid bills (reference 3.5).

    Raises:
        FunctionError: the company does not reverse unpaid bills (reference 3.5).
    """
    if bill["MODULEKEY"] == "9.PO":
        raise invalid(f"The bill {bill['RECORDID']} belongs to Purchasing and cannot be reversed here.")
    if bill["STATE"] != "Posted":
        raise invalid(f"The bill {bill['RECORDID']} is {bill['STATE']} and cannot be reversed.")
    posted = parse_date(bill["WHENPOSTED"])
    if day < posted or (day == posted and company.switches.word("reversal_on_posting_date") == "refuse"):
        raise invalid(f"The reversal date {wire_date(day)} must be after the posting date {wire_date(posted)}.")
    if not company.switches.flag("unpaid_bill_reversal"):
        raise invalid("Reversal of unpaid bills is not enabled in Accounts Payable.")
    refuse_paid(bill)
    refuse_reconciled(company, bill)
    company.require_open_period(day, bill["MEGAENTITYID"])
    vendor = company.require_master("VENDOR", bill["VENDORID"], "vendor")
    lines = []
    for item in company["APBILLITEM"].find("RECORDKEY", bill["RECORDNO"]):
        kept = {name: item[name] for name in ("LOCATIONID", "DEPARTMENTID", "ITEMID", "CLASSID", "ENTRYDESCRIPTION")}
        lines.append(BillLine(-number(item["TRX_AMOUNT"]), item["ACCOUNTNO"], kept))
    mirror = Bill(
        vendor=bill["VENDORID"],
        day=day,
        due=day,
        number=f"Reversed - {bill['RECORDID']}",
        currency=bill["CURRENCY"],
        rate=number(bill["EXCHANGE_RATE"]) or None,
        lines=lines,
        fields={"DESCRIPTION": description, "DOCNUMBER": bill["DOCNUMBER"]},
    )
    reversed_state = {"STATE": "Reversed", "RAWSTATE": BILL_STATES["Reversed"]}
    company.change("APBILL", bill, reversed_state, actor)
    more = {"MODULEKEY": bill["MODULEKEY"], "SYSTEMGENERATED": "true"}
    return _insert(company, "APBILL", mirror, vendor, "Reversal", actor, more, bill["MEGAENTITYID"])
