"""What the ERP holds of a bill's editable fields while an edit is pending: to give it up, to see what it emptied."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from models.tables import BillLineRow, BillRow

HEADER = ("memo", "due_date")
LINE = ("description", "department", "location", "class_id", "project")
"""The fields the ERP takes after the sync. A line's GL account is ours alone (S1-17)."""

Undo = Mapping[str, Any]
"""`memo`, `due_date` (ISO or None), `lines`: line number as text to the fields of `LINE`. Kept as JSON."""


def taken(bill: BillRow, lines: Iterable[BillLineRow]) -> dict[str, Any]:
    """The fields as they are now."""
    return {
        "memo": bill.memo,
        "due_date": None if bill.due_date is None else bill.due_date.isoformat(),
        "lines": {str(line.line_no): {name: getattr(line, name) for name in LINE} for line in lines},
    }


def put_back(undo: Undo, bill: BillRow, lines: Iterable[BillLineRow]) -> None:
    """Make the fields what the ERP holds."""
    bill.memo = undo["memo"]
    bill.due_date = None if undo["due_date"] is None else date.fromisoformat(undo["due_date"])
    for line in lines:
        for name, value in undo["lines"].get(str(line.line_no), {}).items():
            setattr(line, name, value)


def cleared_on_header(undo: Undo | None, bill: BillRow) -> frozenset[str]:
    """Header fields that the pending edit emptied. A due date is never empty in the ERP."""
    return frozenset({"memo"}) if undo and undo["memo"] and not bill.memo else frozenset()


def cleared_on_line(undo: Undo | None, line: BillLineRow) -> frozenset[str]:
    """The same for a line. Without a location of its own a line has its entity's."""
    held = undo["lines"].get(str(line.line_no), {}) if undo else {}
    return frozenset(name for name, value in held.items() if name != "location" and value and not getattr(line, name))
