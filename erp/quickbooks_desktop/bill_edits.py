"""Edit a bill after the sync: change it in place (reference 3.2).

An edit cannot make a link, and one that lists lines keeps only those it lists: every line is named by its id, and only
what was edited here is given beside it.
"""

from collections.abc import Sequence

from lxml import etree

from erp.errors import Rejected
from erp.quickbooks_desktop import contents, fields, wire
from erp.quickbooks_desktop.bill_lines import Line, lines_of
from erp.quickbooks_desktop.wire import Part
from models.domain.bills import BillToPush

FIELDS = {"project": "CustomerRef", "class_id": "ClassRef"}
"""Our dimensions to the references of a bill line, in qbXML's order."""

NOT_TAKEN = ("department", "location")
"""Dimensions that a bill line of QuickBooks Desktop does not have."""


def whole_memo(bill: BillToPush) -> str:
    """Return the memo, with the whole number if QuickBooks keeps only its beginning."""
    if wire.short_number(bill.number, wire.LONGEST["bill"]) == bill.number.strip():
        return bill.memo
    return f"{bill.memo}\nInvoice number: {bill.number.strip()}".strip()


def update(bill: BillToPush, record: etree._Element) -> Part | None:
    """Return the body of an edit.

    Raises:
        Rejected: CONTENT_CONFLICT, when QuickBooks' lines no longer correspond to the bill's;
            DIMENSION_NOT_TAKEN, for a field that a bill line of QuickBooks does not have.
    """
    due = bill.due_date if "due_date" in bill.edited else None
    return wire.group(
        "BillMod",
        wire.part("TxnID", fields.need(record, "TxnID")),
        wire.part("EditSequence", fields.need(record, "EditSequence")),
        wire.part("DueDate", due),
        wire.part("Memo", wire.marked(whole_memo(bill), bill.external_key)) if "memo" in bill.edited else None,
        *(_lines(bill, record) if any(line.edited for line in bill.lines) else ()),
    )


def _lines(bill: BillToPush, record: etree._Element) -> list[Part | None]:
    sent = _by_place(bill, record)
    return [
        _line(line, sent[place] if place < len(sent) else None)
        for place, line in enumerate(contents.lines_in(record, contents.ITEM_LINES))
    ]


def _line(existing: etree._Element, sent: Line | None) -> Part | None:
    edited = sent.edited if sent is not None else frozenset[str]()
    parts: list[Part | None] = [wire.part("TxnLineID", fields.need(existing, "TxnLineID"))]
    if sent is not None and "description" in edited:
        parts.append(wire.part("Desc", sent.description) or Part("Desc", ""))
    for ours, theirs in FIELDS.items():
        if sent is not None and ours in edited:
            # An empty element clears a reference.
            parts.append(wire.reference(theirs, getattr(sent.first, ours)) or Part(theirs, ""))
    return wire.group("ItemLineMod", *parts)


def _by_place(bill: BillToPush, record: etree._Element) -> Sequence[Line]:
    """Return the bill's lines in the places in which QuickBooks has them. It has them in their orders' sequence, and
    does not name their order lines: of several of one item, quantity and amount tell them apart.

    Raises:
        Rejected: CONTENT_CONFLICT, DIMENSION_NOT_TAKEN.
    """
    lines = lines_of(bill)
    existing = list(contents.lines_in(record, contents.ITEM_LINES))
    for line in bill.lines:
        for dimension in NOT_TAKEN:
            if dimension in line.edited and getattr(line, dimension):
                raise Rejected(
                    f"A bill line of QuickBooks Desktop has no {dimension}.",
                    code="DIMENSION_NOT_TAKEN",
                    evidence={"line": str(line.line_no), "field": dimension},
                )
    places: list[Line] = []
    for one in existing:
        same = [line for line in lines if line.first.item_id == wire.ref(one, "ItemRef") and line not in places]
        figures = (fields.number(one, "Quantity"), fields.number(one, "Amount"))
        exact = [line for line in same if (line.quantity, line.amount) == figures]
        # One that filled its order line took a little more than it says.
        near = [line for line in same if line.rounded and line.amount == figures[1]]
        match = next(iter([*exact, *near, *same]), None)
        if match is None:
            break
        places.append(match)
    if len(places) != len(lines) or len(existing) != len(lines):
        raise Rejected(
            f"The lines of bill {wire.text(record, 'TxnID')} were changed in QuickBooks: they are no longer those of"
            " the bill.",
            code="CONTENT_CONFLICT",
            evidence={"document": wire.text(record, "TxnID") or ""},
        )
    return places


def differences(bill: BillToPush, record: etree._Element) -> list[str]:
    """Return what an edit changed and QuickBooks holds otherwise. Other fields may have been changed there
    meanwhile."""
    records: list[str] = []
    if "memo" in bill.edited:
        records += text_difference("the memo", whole_memo(bill), wire.without_key(wire.text(record, "Memo")))
    due = fields.day(record, "DueDate")
    if "due_date" in bill.edited and due != bill.due_date and bill.due_date is not None:
        records.append(f"the due date: sent {bill.due_date}, QuickBooks has {due or 'nothing'}")
    if any(line.edited for line in bill.lines):
        existing = contents.lines_in(record, contents.ITEM_LINES)
        for sent, match in zip(_by_place(bill, record), existing, strict=False):
            records += _line_differences(sent, match)
    return records


def _line_differences(sent: Line, match: etree._Element) -> list[str]:
    name = f"line {sent.first.line_no}"
    records: list[str] = []
    for ours, theirs in FIELDS.items():
        mine, existing = getattr(sent.first, ours) or None, wire.ref(match, theirs)
        if ours in sent.edited and existing != mine:
            what = ours.removesuffix("_id")
            records.append(f"{name}, the {what}: sent {mine or 'nothing'}, QuickBooks has {existing or 'nothing'}")
    if "description" in sent.edited:
        records += text_difference(f"{name}, the description", sent.description, wire.text(match, "Desc"))
    return records


def text_difference(what: str, sent: str, existing: str | None) -> list[str]:
    """Return the difference of two free texts. They are the same if only white space differs."""
    mine, theirs = wire.words(sent), wire.words(existing)
    return [] if mine == theirs else [f"{what}: sent {mine or 'nothing'}, QuickBooks has {theirs or 'nothing'}"]
