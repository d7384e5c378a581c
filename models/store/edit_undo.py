"""What the ERP holds of a bill's editable fields while an edit is pending, and which of them the edit touched."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from models.tables import BillLineRow, BillRow

HEADER = ("memo", "due_date")
LINE = ("description", "department", "location", "class_id", "project")
"""The fields the ERP takes after the sync. A line's GL account is ours alone (S1-17)."""

Undo = Mapping[str, Any]
"""`memo`, `due_date` (ISO or None), `lines`: line number as text to the fields of `LINE`; `touched`: names of fields as
events have them (`memo`, `line 1 department`). Kept as JSON."""


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


def touch(undo: Undo, names: Iterable[str]) -> dict[str, Any]:
    """With these fields touched, too. A field that was touched is sent even when it is back to what it was: in doubt
    the ERP holds what was sent in between."""
    return {**undo, "touched": sorted({*undo.get("touched", ()), *names})}


def edited_on_header(undo: Undo | None) -> frozenset[str]:
    """Header fields that the pending edit touched."""
    return frozenset(name for name in HEADER if undo and name in undo["touched"])


def edited_on_line(undo: Undo | None, line_no: int) -> frozenset[str]:
    """The same for a line."""
    return frozenset(name for name in LINE if undo and f"line {line_no} {name}" in undo["touched"])
