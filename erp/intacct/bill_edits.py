"""Edit a bill after the sync: change its vendor invoice in place (reference 3.4).

Intacct removes the payable behind the invoice and creates a new one with a new record number. It refuses once anything
is paid on the bill. Only what was edited here is sent: what people changed in Intacct stays.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from xml.sax.saxutils import quoteattr

from erp.errors import Rejected
from erp.intacct import translate, wire
from erp.intacct.custom_fields import custom_fields, line_edits, whole_differences
from erp.intacct.wire import Row
from models.domain.bills import BillLineToPush, BillToPush
from models.domain.ids import DocumentId


def control_id(bill: BillToPush, edition: int) -> str:
    """Return our name for one edition of a bill: the gateway executes it only once (section 5)."""
    return f"{bill.external_key}:edit:{edition}"


def releases(bill: BillToPush) -> bool:
    """Return whether this edit releases a draft."""
    return "approval" in bill.edited and not bill.draft


def check_lines(bill: BillToPush, document: DocumentId, existing: Sequence[Row]) -> None:
    """Refuse to edit an invoice whose lines no longer correspond to the bill's, because an update names lines by
    position.

    Raises:
        Rejected: the lines differ.
    """
    ours = [(line.item_id, line.source.line) for line in bill.lines]
    theirs = [
        (translate.natural(row.get("ITEMID")), row.get("SOURCE_DOCLINEKEY", ""))
        for row in sorted(existing, key=lambda row: translate.need_decimal(row, "LINE_NO"))
    ]
    if ours != theirs:
        raise Rejected(
            f"The lines of {document} were changed in Intacct: they are no longer those of the bill.",
            code="CONTENT_CONFLICT",
            evidence={"document": document, "sent": str(len(ours)), "held": str(len(theirs))},
        )


def update_potransaction(
    bill: BillToPush,
    document: DocumentId,
    own: Mapping[str, str] = MappingProxyType({}),
    line_fields: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return `update_potransaction` as XML, children in the schema's order. Values are absolute: sent twice, it changes
    nothing more. `own`: values of the company's own fields that a released draft gets; `line_fields`: its own fields of
    lines, by our names."""
    released = releases(bill)
    lines = [line for line in bill.lines if line.edited]
    # Without it an empty element means "as it is".
    nulls = ' set_nulls="true"' if _empties(bill, line_fields) else ""
    return "".join(
        (
            f"<update_potransaction key={quoteattr(document)}{nulls}>",
            wire.legacy_date("datedue", bill.due_date)
            if "due_date" in bill.edited and bill.due_date is not None
            else "",
            wire.empty_or("message", bill.memo) if "memo" in bill.edited else "",
            custom_fields(own) if released else "",
            "<state>Pending</state>" if released else "",
            "<updatepotransitems>" if lines else "",
            *(_line(line, line_fields) for line in lines),
            "</updatepotransitems>" if lines else "",
            "</update_potransaction>",
        )
    )


def _line(line: BillLineToPush, line_fields: Mapping[str, str]) -> str:
    fields = (
        # The item's own description stands where the line has none, so it is never emptied; the memo is.
        wire.element("itemdesc", line.description) if "description" in line.edited else "",
        wire.empty_or("warehouseid", line.warehouse) if "warehouse" in line.edited else "",
        wire.empty_or("locationid", line.location or line.entity) if "location" in line.edited else "",
        wire.empty_or("departmentid", line.department) if "department" in line.edited else "",
        wire.empty_or("memo", line.description) if "description" in line.edited else "",
        custom_fields(line_edits(line.custom, line_fields)) if "custom" in line.edited else "",
        wire.empty_or("projectid", line.project) if "project" in line.edited else "",
        wire.empty_or("classid", line.class_id) if "class_id" in line.edited else "",
    )
    # One-based here, although lines read from zero (reference 3.4).
    return f'<updatepotransitem line_num="{line.line_no}">{"".join(fields)}</updatepotransitem>'


def _empties(bill: BillToPush, line_fields: Mapping[str, str]) -> bool:
    if "memo" in bill.edited and not bill.memo:
        return True
    return any(_empties_field(line, name, line_fields) for line in bill.lines for name in line.edited)


def _empties_field(line: BillLineToPush, name: str, line_fields: Mapping[str, str]) -> bool:
    if name == "custom":
        return not all(line.custom.get(own) for own in line_fields)
    return not ((line.location or line.entity) if name == "location" else getattr(line, name))


def differences(
    bill: BillToPush, header: Row, lines: Sequence[Row], line_fields: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, ...]:
    """Return what an edit changed and Intacct holds otherwise. Other fields may have been changed there meanwhile."""
    result = text_difference("the memo", bill.memo, header.get("MESSAGE")) if "memo" in bill.edited else []
    due = translate.optional_day(header, "WHENDUE")
    if "due_date" in bill.edited and due != bill.due_date and bill.due_date is not None:
        result.append(f"the due date: sent {bill.due_date}, Intacct has {due or 'nothing'}")
    if releases(bill) and header.get("STATE", "").casefold() == "draft":
        result.append("the state: released, Intacct has it as a draft")
    edited = [line for line in bill.lines if line.edited]
    if edited and len(lines) != len(bill.lines):
        return (*result, f"the number of lines: sent {len(bill.lines)}, Intacct has {len(lines)}")
    for line in edited:
        row = lines[line.line_no - 1]
        existing = {
            "description": (line.description, row.get("MEMO")),
            "department": (line.department, translate.natural(row.get("DEPARTMENTID"))),
            "location": (line.location or line.entity, translate.natural(row.get("LOCATIONID"))),
            "class_id": (line.class_id, translate.natural(row.get("CLASSID"))),
            "project": (line.project, translate.natural(row.get("PROJECTID"))),
            "warehouse": (line.warehouse, translate.natural(row.get("WAREHOUSE.LOCATION_NO"))),
        }
        if "custom" in line.edited:
            result += whole_differences(line.line_no, line.custom, row, line_fields)
        for name in sorted(line.edited - {"custom"}):
            mine, theirs = existing[name]
            result += text_difference(f"line {line.line_no}, the {name.removesuffix('_id')}", mine or "", theirs)
    return tuple(result)


def text_difference(what: str, sent: str, existing: str | None) -> list[str]:
    """Return the difference of two free texts. They are the same if only white space, or characters XML cannot carry,
    differ."""
    mine, theirs = wire.words(sent), wire.words(existing or "")
    return [] if mine == theirs else [f"{what}: sent {mine or 'nothing'}, Intacct has {theirs or 'nothing'}"]
