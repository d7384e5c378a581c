"""Edit a bill after the sync: change it in place (reference 3.3).

A sparse update replaces whole lists: when a line changes, every line is sent as QuickBooks has it, with its id and its
links, and only what was edited here is changed.
"""

from collections.abc import Sequence
from typing import Any

from erp.errors import Rejected
from erp.quickbooks_online import translate, wire
from erp.quickbooks_online.bill_lines import Line
from erp.quickbooks_online.wire import Entity
from models.domain.bills import BillLineToPush, BillToPush

Pairs = Sequence[tuple[Line, Entity | None]]

FIELDS = {"class_id": "ClassRef", "project": "CustomerRef"}
"""Our dimensions to the references of a bill line's detail."""

READ_ONLY = ("LineNum", "Received")


def note(bill: BillToPush) -> str:
    """Return the private note: the memo, and the whole number if QuickBooks keeps only its beginning."""
    if wire.doc_number(bill.number) == bill.number.strip():
        return bill.memo
    return f"{bill.memo}\nInvoice number: {bill.number}".strip()


def update(bill: BillToPush, record: Entity, pairs: Pairs) -> dict[str, Any]:
    """Return the body of a sparse update.

    Raises:
        Rejected: CONTENT_CONFLICT, when QuickBooks' lines no longer correspond to the bill's;
            DIMENSION_NOT_TAKEN, for a field that a bill line of QuickBooks does not have.
    """
    body: dict[str, Any] = {
        "Id": wire.text(record, "Id"),
        "SyncToken": wire.text(record, "SyncToken"),
        "sparse": True,
    }
    if "memo" in bill.edited:
        body["PrivateNote"] = wire.marked(note(bill), bill.external_key)
    if "due_date" in bill.edited and bill.due_date is not None:
        body["DueDate"] = bill.due_date.isoformat()
    if any(line.first.edited for line, _ in pairs):
        body["Line"] = _lines(bill, record, pairs)
        locations = [line.first.location for line, _ in pairs if "location" in line.first.edited]
        if locations:
            body["DepartmentRef"] = wire.reference(locations[0]) or {"value": ""}
        # The link of the header goes with those of the lines.
        if links := wire.parts(record, "LinkedTxn"):
            body["LinkedTxn"] = links
    return body


def _lines(bill: BillToPush, record: Entity, pairs: Pairs) -> list[dict[str, Any]]:
    edited: dict[str, BillLineToPush] = {}
    for line, match in pairs:
        if not line.first.edited:
            continue
        link = translate.order_link(match) if match is not None else None
        if match is None or link is None or link[1] != line.order_line:
            raise Rejected(
                f"The lines of bill {wire.text(record, 'Id')} were changed in QuickBooks: they are no longer those of"
                " the bill.",
                code="CONTENT_CONFLICT",
                evidence={"document": wire.text(record, "Id") or "", "order_line": line.order_line},
            )
        if "department" in line.first.edited and line.first.department:
            raise Rejected(
                "A bill line of QuickBooks has no department.",
                code="DIMENSION_NOT_TAKEN",
                evidence={"line": str(line.first.line_no), "field": "department"},
            )
        edited[wire.text(match, "Id") or ""] = line.first
    lines: list[dict[str, Any]] = []
    for line_as_is in wire.parts(record, "Line"):
        if not translate.is_bought(line_as_is):
            continue
        line_body = {name: value for name, value in line_as_is.items() if name not in READ_ONLY}
        sent = edited.get(wire.text(line_as_is, "Id") or "")
        if sent is not None:
            line_body = _edited(line_body, sent)
        lines.append(line_body)
    return lines


def _edited(line: dict[str, Any], sent: BillLineToPush) -> dict[str, Any]:
    if "description" in sent.edited:
        line["Description"] = sent.description
    kind = str(line["DetailType"])
    inner = dict(line[kind])
    for ours, theirs in FIELDS.items():
        if ours in sent.edited:
            value = wire.reference(getattr(sent, ours))
            inner.pop(theirs, None)
            if value is not None:
                inner[theirs] = value
    return {**line, kind: inner}


def differences(bill: BillToPush, record: Entity, pairs: Pairs) -> list[str]:
    """Return what an edit changed and QuickBooks holds otherwise. Other fields may have been changed there
    meanwhile."""
    records: list[str] = []
    if "memo" in bill.edited:
        records += text_difference("the memo", note(bill), wire.note_of(record))
    due = translate.optional_day(record, "DueDate")
    if "due_date" in bill.edited and due != bill.due_date and bill.due_date is not None:
        records.append(f"the due date: sent {bill.due_date}, QuickBooks has {due or 'nothing'}")
    for line, match in pairs:
        if line.first.edited:
            records += _line_differences(line.first, match, record)
    return records


def _line_differences(sent: BillLineToPush, match: Entity | None, record: Entity) -> list[str]:
    name = f"line {sent.line_no}"
    if match is None:
        return [f"{name}: QuickBooks does not have it"]
    inner = translate.detail(match)
    existing = {ours: wire.ref(inner, theirs) for ours, theirs in FIELDS.items()}
    existing["location"] = wire.ref(record, "DepartmentRef")
    records: list[str] = []
    for ours, theirs in existing.items():
        mine = getattr(sent, ours) or None
        if ours in sent.edited and theirs != mine:
            what = ours.removesuffix("_id")
            records.append(f"{name}, the {what}: sent {mine or 'nothing'}, QuickBooks has {theirs or 'nothing'}")
    if "department" in sent.edited and sent.department:
        records.append(f"{name}, the department: sent {sent.department}, QuickBooks has nothing")
    if "description" in sent.edited:
        records += text_difference(f"{name}, the description", sent.description, wire.text(match, "Description"))
    return records


def text_difference(what: str, sent: str, existing: str | None) -> list[str]:
    """Return the difference of two free texts. They are the same if only white space differs."""
    mine, theirs = wire.words(sent), wire.words(existing)
    return [] if mine == theirs else [f"{what}: sent {mine or 'nothing'}, QuickBooks has {theirs or 'nothing'}"]
