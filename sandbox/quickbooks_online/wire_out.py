"""Records as JSON (reference 1.5, 6): only what has a value, references with names, numbers as numbers."""

import json
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import DETAILS, TEXT_LINE, Field
from sandbox.quickbooks_online.received import received
from sandbox.quickbooks_online.records import Line, Link, Record
from sandbox.quickbooks_online.values import Json, shown_number, stamp

_CURRENCIES = {
    "USD": "United States Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
    "CAD": "Canadian Dollar",
    "AUD": "Australian Dollar",
}
_TRANSACTIONS = frozenset(["PurchaseOrder", "Bill", "VendorCredit", "BillPayment", "Purchase"])


def written(content: Any) -> str:
    """JSON text as the service writes it."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def record_text(company: Company, record: Record) -> str:
    """A record as JSON text, ready from the last time where nothing changed."""
    flag = company.switches.flag
    state = (company.lists_changed, flag("received_shown"), flag("closed_lines_shown"))
    known, text = record.rendered
    if known != state:
        text = written(record_json(company, record))
        record.rendered = (state, text)
    return text


def record_json(company: Company, record: Record) -> Json:
    """A record as JSON."""
    shown: Json = {}
    for name, value in record.values.items():
        if value is not None and value != "":
            shown[name] = _value(company, record.type.fields.get(name), value)
    if record.status:
        shown["status"] = record.status
    shown |= {"domain": "QBO", "sparse": False, "Id": record.id, "SyncToken": str(record.sync_token)}
    shown["MetaData"] = {"CreateTime": stamp(record.created), "LastUpdatedTime": stamp(record.updated)}
    if record.type.name in _TRANSACTIONS:
        shown["LinkedTxn"] = [_link(link) for link in header_links(record)]
        shown["Line"] = [_line(company, record, line) for line in record.lines]
    return shown


def header_links(record: Record) -> list[Link]:
    """What a document's own LinkedTxn names: orders of its lines, then who is linked to it."""
    own: list[Link] = []
    if record.type.name not in ("PurchaseOrder", "BillPayment"):
        orders = dict.fromkeys(link.txn_id for line in record.lines for link in line.links)
        own = [Link(order, "PurchaseOrder") for order in orders]
    return own + record.back_links


def tombstone(kind_id: str, moment: str = "") -> Json:
    """What is left of a deleted record."""
    meta = {"MetaData": {"LastUpdatedTime": moment}} if moment else {}
    return {"domain": "QBO", "status": "Deleted", "Id": kind_id, **meta}


def _link(link: Link) -> Json:
    line = {"TxnLineId": link.line_id} if link.line_id else {}
    return {"TxnId": link.txn_id, "TxnType": link.txn_type, **line}


def _value(company: Company, field: Field | None, value: Any) -> Any:
    if isinstance(value, Decimal):
        return shown_number(value)
    if field is None:
        return value
    if field.kind == "ref":
        return _ref(company, field.target, value)
    if field.kind == "currency":
        return {"value": value, "name": _CURRENCIES.get(value, value)}
    if field.kind == "named":
        return {"value": value, "name": value}
    if field.kind in ("freeref", "customer"):
        return {"value": value}
    if field.kind == "check":
        return {"BankAccountRef": _ref(company, "Account", value["account"]), "PrintStatus": value["print"]}
    if field.kind == "card":
        return {"CCAccountRef": _ref(company, "Account", value["account"])}
    return value


def _ref(company: Company, kind: str, identifier: str) -> Json:
    record = company.get(kind, identifier)
    return {"value": identifier} if record is None else {"value": identifier, "name": record.title}


def _line(company: Company, record: Record, line: Line) -> Json:
    shown: Json = {}
    if line.detail_type:
        shown |= {"Id": line.id, "LineNum": line.number}
    if line.description:
        shown["Description"] = line.description
    if line.amount is not None:
        shown["Amount"] = shown_number(line.amount)
    order = record.type.name == "PurchaseOrder"
    if order and line.detail_type != TEXT_LINE and company.switches.flag("received_shown"):
        shown["Received"] = shown_number(received(company, record, line))
    if line.links:
        shown["LinkedTxn"] = [_link(link) for link in line.links]
    if line.detail_type:
        shown["DetailType"] = line.detail_type
        name = "DescriptionLineDetail" if line.detail_type == TEXT_LINE else line.detail_type
        fields = DETAILS.get(line.detail_type, {})
        detail = {name: _value(company, fields.get(name), value) for name, value in line.detail.items()}
        if order and company.switches.flag("closed_lines_shown"):
            detail["ManuallyClosed"] = line.closed
        shown[name] = detail
    return shown
