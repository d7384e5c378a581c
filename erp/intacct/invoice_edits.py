"""A bill edited after the sync: its vendor invoice is changed in place (S5-136; reference 3.4).

Intacct takes the payable behind the invoice away and makes a new one, under a new record number; it refuses once
anything is paid on it (field notes B10, U-8). Quantities, prices and links are never sent, so they stay as they are.
"""

from xml.sax.saxutils import quoteattr

from erp.intacct import wire
from models.domain import BillLineToPush, BillToPush, DocumentId


def control_id(bill: BillToPush, edition: int) -> str:
    """Our name for one edition of a bill: the gateway executes it once (section 5)."""
    return f"{bill.external_key}:edit:{edition}"


def update_potransaction(bill: BillToPush, document: DocumentId) -> str:
    """`update_potransaction`, children in the schema's order, values absolute: sent twice it changes nothing more."""
    # Only where a field is to be emptied: what is merely absent must never be touched.
    nulls = ' set_nulls="true"' if bill.cleared or any(line.cleared for line in bill.lines) else ""
    return "".join(
        (
            f"<update_potransaction key={quoteattr(document)}{nulls}>",
            wire.legacy_date("datedue", bill.due_date),
            _edited("message", bill.memo, "memo" in bill.cleared),
            "<updatepotransitems>",
            *(_line(line) for line in bill.lines),
            "</updatepotransitems></update_potransaction>",
        )
    )


def _line(line: BillLineToPush) -> str:
    return "".join(
        (
            # One-based here, although lines read from zero (reference 3.4).
            f'<updatepotransitem line_num="{line.line_no}">',
            wire.element("itemdesc", line.description),
            wire.element("locationid", line.location or line.entity),
            _edited("departmentid", line.department, "department" in line.cleared),
            _edited("memo", line.description, "description" in line.cleared),
            _edited("projectid", line.project, "project" in line.cleared),
            _edited("classid", line.class_id, "class_id" in line.cleared),
            "</updatepotransitem>",
        )
    )


def _edited(name: str, value: str | None, cleared: bool) -> str:
    return wire.empty_or(name, value) if cleared else wire.element(name, value)
