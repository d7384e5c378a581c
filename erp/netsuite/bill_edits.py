"""Edit a bill after the sync: change its vendor bill in place (reference 3.5).

Only what was edited here is sent. Each line goes with NetSuite's own line number and with the order line it bills: a
line sent without these two would lose its link.
"""

from collections.abc import Sequence
from datetime import timezone
from typing import Any

from erp.errors import Rejected
from erp.netsuite import own_fields, translate, wire
from erp.netsuite.bill_lines import Line, NsLine
from erp.netsuite.own_fields import OwnFields
from erp.netsuite.wire import NsRecord
from erp.netsuite.writer import given
from models.domain.bills import AccountLineToPush, BillLineToPush, BillToPush

Pairs = Sequence[tuple[Line, NsLine | None]]

FIELDS = {"department": "department", "location": "location", "class_id": "class", "project": "customer"}
"""Our dimensions to the elements of a bill line."""


def update(
    bill: BillToPush,
    record: NsRecord,
    pairs: Pairs,
    zone: timezone,
    own: OwnFields,
    off_order: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return the `VendorBill` of an update. `own`: the company's own fields of lines; `off_order`: its changed expense
    lines that are on no order.

    Raises:
        Rejected: CONTENT_CONFLICT, when NetSuite's lines no longer correspond to the bill's;
            FIELD_NOT_EMPTIED, because SOAP can empty a field of the bill but never one of a line.
    """
    emptied = ["memo"] if "memo" in bill.edited and not bill.memo else []
    items: list[dict[str, Any]] = []
    expenses: list[dict[str, Any]] = [*off_order]
    for line, match in pairs:
        if not line.first.edited:
            continue
        if match is None or match.link != line.first.order_line:
            raise Rejected(
                f"The lines of bill {record.id} were changed in NetSuite: they are no longer those of the bill.",
                code="CONTENT_CONFLICT",
                evidence={"document": record.id, "order_line": line.first.order_line},
            )
        (expenses if line.expense else items).append(_line(record, line, match, own, zone))
    return given(
        internalId=record.id,
        nullFieldList={"name": emptied} if emptied else None,
        dueDate=wire.noon(bill.due_date, zone) if bill.due_date and "due_date" in bill.edited else None,
        memo=wire.carried(bill.memo) if "memo" in bill.edited else None,
        expenseList={"replaceAll": False, "expense": expenses} if expenses else None,
        itemList={"replaceAll": False, "item": items} if items else None,
    )


def _line(record: NsRecord, line: Line, match: NsLine, own: OwnFields, zone: timezone) -> dict[str, Any]:
    sent = line.first
    values: dict[str, Any] = {
        # NetSuite finds the line by this number; with another number it would add a line.
        "line": int(translate.line_number(record, wire.text(match.fields, "line"))),
        "orderDoc": int(line.order),
        "orderLine": int(line.number),
    }
    values |= edited_dimensions(sent)
    if "custom" in sent.edited:
        values |= own_fields.edits(sent.line_no, sent.custom, match.fields, own, zone)
    if "description" in sent.edited:
        values["memo" if line.expense else "description"] = wire.carried(sent.description)
    return values


def differences(bill: BillToPush, record: NsRecord, pairs: Pairs, own: OwnFields) -> list[str]:
    """Return what an edit changed and NetSuite holds otherwise. Other fields may have been changed there meanwhile."""
    records: list[str] = []
    if "memo" in bill.edited:
        records += text_difference("the memo", bill.memo, wire.text(record.fields, "memo"))
    due = translate.optional_day(record, "dueDate")
    if "due_date" in bill.edited and due != bill.due_date and bill.due_date is not None:
        records.append(f"the due date: sent {bill.due_date}, NetSuite has {due or 'nothing'}")
    for line, match in pairs:
        if line.first.edited:
            records += _line_differences(line, line.first, match, own)
    return records


def _line_differences(line: Line, sent: BillLineToPush, match: NsLine | None, own: OwnFields) -> list[str]:
    name = f"line {sent.line_no}"
    if match is None:
        return [f"{name}: NetSuite does not have it"]
    records: list[str] = []
    for ours in sorted(sent.edited & FIELDS.keys()):
        existing = wire.ref_id(match.fields, FIELDS[ours])
        mine = getattr(sent, ours) or None
        if existing != mine:
            what = ours.removesuffix("_id")
            records.append(f"{name}, the {what}: sent {mine or 'nothing'}, NetSuite has {existing or 'nothing'}")
    if "description" in sent.edited:
        said = wire.text(match.fields, "memo" if line.expense else "description")
        records += text_difference(f"{name}, the description", sent.description, said)
    if "custom" in sent.edited:
        records += own_fields.differences(sent.line_no, sent.custom, match.fields, own, whole=True)
    return records


def edited_dimensions(line: BillLineToPush | AccountLineToPush) -> dict[str, Any]:
    """Return NetSuite's fields for the dimensions of a line that were edited.

    Raises:
        Rejected: FIELD_NOT_EMPTIED: one was emptied.
    """
    values: dict[str, Any] = {}
    for ours, theirs in FIELDS.items():
        if ours not in line.edited:
            continue
        value = getattr(line, ours)
        if not value:
            raise Rejected(
                f"NetSuite's SOAP cannot empty the {ours.removesuffix('_id')} of a bill line.",
                code="FIELD_NOT_EMPTIED",
                evidence={"line": str(line.line_no), "field": ours},
            )
        values[theirs] = {"internalId": value}
    return values


def text_difference(what: str, sent: str, existing: str | None) -> list[str]:
    """Return the difference of two free texts. They are the same if only white space, or characters XML cannot carry,
    differ."""
    mine, theirs = wire.words(sent), wire.words(existing or "")
    return [] if mine == theirs else [f"{what}: sent {mine or 'nothing'}, NetSuite has {theirs or 'nothing'}"]
