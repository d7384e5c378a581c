"""A bill edited after the sync: its vendor bill is changed in place (S5-136; reference 3.5).

Only what was edited here is sent, each line by NetSuite's own number of it and with the order line it bills, because a
line sent without these two would lose its link.
"""

from collections.abc import Sequence
from datetime import timezone
from typing import Any

from erp.errors import Rejected
from erp.netsuite import translate, wire
from erp.netsuite.bill_lines import HeldLine, Line
from erp.netsuite.wire import Held
from erp.netsuite.writer import given
from models.domain import BillLineToPush, BillToPush

Pairs = Sequence[tuple[Line, HeldLine | None]]

FIELDS = {"department": "department", "location": "location", "class_id": "class", "project": "customer"}
"""Our dimensions to the elements of a bill line."""


def update(bill: BillToPush, record: Held, pairs: Pairs, zone: timezone) -> dict[str, Any]:
    """The `VendorBill` of an update. Raises CONTENT_CONFLICT when its lines are no longer the bill's, and
    FIELD_NOT_EMPTIED: SOAP can empty a field of the body, never one of a line."""
    emptied = ["memo"] if "memo" in bill.edited and not bill.memo else []
    items: list[dict[str, Any]] = []
    expenses: list[dict[str, Any]] = []
    for line, match in pairs:
        if not line.first.edited:
            continue
        if match is None or match.link != line.first.order_line:
            raise Rejected(
                f"The lines of bill {record.id} were changed in NetSuite: they are no longer those of the bill.",
                code="CONTENT_CONFLICT",
                evidence={"document": record.id, "order_line": line.first.order_line},
            )
        (expenses if line.expense else items).append(_line(record, line, match))
    return given(
        internalId=record.id,
        nullFieldList={"name": emptied} if emptied else None,
        dueDate=wire.noon(bill.due_date, zone) if "due_date" in bill.edited else None,
        memo=wire.carried(bill.memo) if "memo" in bill.edited else None,
        expenseList={"replaceAll": False, "expense": expenses} if expenses else None,
        itemList={"replaceAll": False, "item": items} if items else None,
    )


def _line(record: Held, line: Line, match: HeldLine) -> dict[str, Any]:
    sent = line.first
    values: dict[str, Any] = {
        # By this number NetSuite finds the line; under another one it would add a line.
        "line": int(translate.line_number(record, wire.text(match.fields, "line"))),
        "orderDoc": int(line.order),
        "orderLine": int(line.number),
    }
    for ours, theirs in FIELDS.items():
        if ours not in sent.edited:
            continue
        value = getattr(sent, ours)
        if not value:
            raise Rejected(
                f"NetSuite's SOAP cannot empty the {ours.removesuffix('_id')} of a bill line.",
                code="FIELD_NOT_EMPTIED",
                evidence={"line": str(sent.line_no), "field": ours},
            )
        values[theirs] = {"internalId": value}
    if "description" in sent.edited:
        values["memo" if line.expense else "description"] = wire.carried(sent.description)
    return values


def differences(bill: BillToPush, record: Held, pairs: Pairs) -> list[str]:
    """What an edit changed and NetSuite holds otherwise; the rest may have been changed there meanwhile."""
    found: list[str] = []
    if "memo" in bill.edited:
        found += text_difference("the memo", bill.memo, wire.text(record.fields, "memo"))
    due = translate.optional_day(record, "dueDate")
    if "due_date" in bill.edited and due != bill.due_date:
        found.append(f"the due date: sent {bill.due_date}, NetSuite has {due or 'nothing'}")
    for line, match in pairs:
        if line.first.edited:
            found += _line_differences(line, line.first, match)
    return found


def _line_differences(line: Line, sent: BillLineToPush, match: HeldLine | None) -> list[str]:
    name = f"line {sent.line_no}"
    if match is None:
        return [f"{name}: NetSuite does not have it"]
    found: list[str] = []
    for ours in sorted(sent.edited & FIELDS.keys()):
        held = wire.ref_id(match.fields, FIELDS[ours])
        mine = getattr(sent, ours) or None
        if held != mine:
            what = ours.removesuffix("_id")
            found.append(f"{name}, the {what}: sent {mine or 'nothing'}, NetSuite has {held or 'nothing'}")
    if "description" in sent.edited:
        said = wire.text(match.fields, "memo" if line.expense else "description")
        found += text_difference(f"{name}, the description", sent.description, said)
    return found


def text_difference(what: str, sent: str, held: str | None) -> list[str]:
    """Free text is the same where only its white space, or what XML cannot carry, differs."""
    mine, theirs = wire.words(sent), wire.words(held or "")
    return [] if mine == theirs else [f"{what}: sent {mine or 'nothing'}, NetSuite has {theirs or 'nothing'}"]
