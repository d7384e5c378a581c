"""The oldest readers, `get_list` and `get`: lower-case rows in the words of the legacy functions (reference 2.3)."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from lxml import etree

from sandbox.intacct.call_context import Call
from sandbox.intacct.envelope import Result, text_of
from sandbox.intacct.errors import ErrorLine, FunctionError, invalid
from sandbox.intacct.filters import Condition, Every, Filter, Not, Some
from sandbox.intacct.formats import parse_date
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.reading import select_records
from sandbox.intacct.related import value_of
from sandbox.intacct.rows import visible
from sandbox.intacct.tables import Record


class LegacyList(NamedTuple):
    """One kind of list: the object behind it, its words with our fields, and how its lines are shown."""

    object_name: str
    words: Mapping[str, str]
    lines: tuple[str, str, Mapping[str, str]] | None = None


def _words(text: str, **renamed: str) -> dict[str, str]:
    return {word: renamed.get(word, word.upper()) for word in text.split()}


_REQUIRED = (
    "requiredept requireloc requireproject requiretask requirecustomer requirevendor requireitem requireemployee"
    " requireclass requirecontract requirewarehouse"
)
_ACH = "achenabled achbankroutingnumber achaccountnumber achaccounttype achremittancetype"
_BILL_LINE = {"line_num": "LINE_NO", "glaccountno": "ACCOUNTNO", "amount": "TRX_AMOUNT", "memo": "ENTRYDESCRIPTION"}
_AMOUNTS = {
    f"{prefix}{word}": f"{prefix.upper()}{field}"
    for prefix in ("", "trx_")
    for word, field in (
        ("totalamount", "TOTALENTERED"),
        ("totalpaid", "TOTALPAID"),
        ("totaldue", "TOTALDUE"),
        ("totalselected", "TOTALSELECTED"),
    )
}

LISTS: Mapping[str, LegacyList] = {
    "vendor": LegacyList(
        "VENDOR",
        _words(
            "recordno vendorid name parentid termname glaccountno accountlabel vendtype taxid creditlimit totaldue"
            " billingtype vendoraccountno comments status currency onetime whenmodified name1099 paymentnotify"
            f" {_ACH} displaytermdiscount supdocid mergepaymentreq",
            glaccountno="APACCOUNT",
        ),
    ),
    "glaccount": LegacyList(
        "GLACCOUNT",
        _words(
            "recordno glaccountno title normalbalance accounttype closingtype closingaccountno whenmodified status"
            f" {_REQUIRED} taxable taxcode mrccode alternativeaccount",
            glaccountno="ACCOUNTNO",
        ),
    ),
    "class": LegacyList("CLASS", _words("key name description parentid whenmodified status", key="CLASSID")),
    "department": LegacyList("DEPARTMENT", _words("departmentid title parentid supervisorid whenmodified status")),
    "location": LegacyList(
        "LOCATION", _words("locationid name parentid supervisorid startdate enddate whenmodified status")
    ),
    "apaccountlabel": LegacyList(
        "APACCOUNTLABEL", _words("glaccountno accountlabel description offsetglaccountno status")
    ),
    "bankaccount": LegacyList(
        "CHECKINGACCOUNT",
        _words(
            "bankaccountid bankaccountno glaccountno bankname routingno branchid bankaccounttype phone status currency"
        ),
    ),
    "bill": LegacyList(
        "APBILL",
        {
            "key": "RECORDNO",
            "vendorid": "VENDORID",
            "datecreated": "WHENCREATED",
            "dateposted": "WHENPOSTED",
            "datedue": "WHENDUE",
            "datepaid": "WHENPAID",
            "termname": "TERMNAME",
            "batchkey": "PRBATCHKEY",
            "billno": "RECORDID",
            "ponumber": "DOCNUMBER",
            **_AMOUNTS,
            **_words("onhold description basecurr currency whenmodified state supdocid"),
        },
        ("billitems", "lineitem", _BILL_LINE | _words("locationid departmentid itemid projectid classid")),
    ),
    "apadjustment": LegacyList(
        "APADJUSTMENT",
        {
            "key": "RECORDNO",
            "vendorid": "VENDORID",
            "datecreated": "WHENCREATED",
            "dateposted": "WHENPOSTED",
            "datepaid": "WHENPAID",
            "adjustmentno": "RECORDID",
            "billno": "DOCNUMBER",
            **_AMOUNTS,
            **_words("description whenmodified state basecurr currency"),
        },
        ("apadjustmentitems", "lineitem", _BILL_LINE | _words("locationid departmentid itemid projectid classid")),
    ),
}

_DATES = frozenset({"datecreated", "dateposted", "datedue", "datepaid", "startdate", "enddate"})
_OPERATORS = {"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "like": "like"}


def _listed(name: str) -> LegacyList:
    listed = LISTS.get(name.lower())
    if listed is None:
        raise FunctionError(ErrorLine("Query Failed", f"Object definition {name} not found", "Check the object."))
    return listed


def run_get_list(call: Call, element: etree._Element) -> Result:
    """Answer one page of a list: `start` counts from 0, `maxitems` is 100 unless said."""
    name = element.get("object", "")
    listed = _listed(name)
    start, most = _count(element, "start", 0), _count(element, "maxitems", 100)
    tree = _filter(listed, element.find("filter"))
    orders = [
        (_field(listed, (sort.text or "").strip()), sort.get("order", "asc") == "desc")
        for sort in element.findall("sorts/sortfield")
    ]
    private = element.get("showprivate", "false").lower() == "true"
    matches = select_records(call, OBJECTS[listed.object_name], tree, orders, private=private)
    chosen = [(field.text or "").strip() for field in element.findall("fields/field")] or list(listed.words)
    for word in chosen:
        _field(listed, word)
    page = matches[start : start + most]
    body = "".join(_row(call, name, listed, record, chosen) for record in page)
    end = start + len(page) - 1
    head = f'<listtype start="{start}" end="{max(end, 0)}" total="{len(matches)}">{escape(name)}</listtype>'
    return Result(listing=head, data=f"<data>{body}</data>")


def run_get(call: Call, element: etree._Element) -> Result:
    """Answer one record by its key: the natural one of a master, the record number of a bill.

    Raises:
        FunctionError: there is no such record.
    """
    name = element.get("object", "")
    listed = _listed(name)
    kind, key = OBJECTS[listed.object_name], element.get("key", "")
    table = call.company[kind.name]
    record = table.get(key) if kind.key == "RECORDNO" else table.first(kind.key, key)
    seen = visible(call, private=True)
    if record is None or (seen is not None and not seen(record.values)):
        raise invalid(f"{name} {key} does not exist.", "Provide a valid key.")
    head = f'<listtype start="0" end="0" total="1">{escape(name)}</listtype>'
    return Result(listing=head, data=f"<data>{_row(call, name, listed, record, list(listed.words))}</data>")


def _count(element: etree._Element, name: str, default: int) -> int:
    text = element.get(name) or str(default)
    if not text.isdigit():
        raise invalid(f"{name} must be a whole number")
    return int(text)


def _field(listed: LegacyList, word: str) -> str:
    field = listed.words.get(word.lower())
    if field is None:
        raise FunctionError(ErrorLine(f"Invalid fields list {word}", f"Unknown field {word}"))
    return field


def _filter(listed: LegacyList, element: etree._Element | None) -> Filter | None:
    if element is None or len(element) == 0:
        return None
    return _expression(listed, element[0])


def _expression(listed: LegacyList, element: etree._Element) -> Filter:
    if element.tag == "logical":
        parts = tuple(_expression(listed, child) for child in element)
        if not parts:
            raise invalid("A logical filter holds at least one expression.")
        return Some(parts) if element.get("logical_operator", "and") == "or" else Every(parts)
    field, operator = _field(listed, text_of(element, "field")), text_of(element, "operator").lower()
    value = text_of(element, "value")
    if operator == "is null" or (operator == "=" and not value):
        return Condition(field, "null")
    if operator in ("!=", "<>"):
        return Not(Condition(field, "=", (value,)))
    if operator not in _OPERATORS:
        raise invalid(f"Operator '{operator}' is not known.")
    return Condition(field, _OPERATORS[operator], (value,))


def _row(call: Call, name: str, listed: LegacyList, record: Record, words: Sequence[str]) -> str:
    kind = OBJECTS[listed.object_name]
    inner = "".join(_element(word, value_of(call.company, kind, record.values, _field(listed, word))) for word in words)
    if listed.lines is not None:
        around, tag, line_words = listed.lines
        owned = OBJECTS[kind.owned]
        lines = call.company[owned.name].find(owned.owned_by, record["RECORDNO"])
        inner += f"<{around}>"
        inner += "".join(
            f"<{tag}>{''.join(_element(word, line[field]) for word, field in line_words.items())}</{tag}>"
            for line in lines
        )
        inner += f"</{around}>"
    return f"<{name}>{inner}</{name}>"


def _element(word: str, text: str) -> str:
    if word in _DATES and text:
        day = parse_date(text)
        inner = f"<year>{day.year}</year><month>{day.month:02d}</month><day>{day.day:02d}</day>"
        return f"<{word}>{inner}</{word}>"
    return f"<{word}>{escape(text, quote=False)}</{word}>"
