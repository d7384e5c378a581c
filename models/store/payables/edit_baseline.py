"""Keep what the ERP holds of a bill's editable fields while an edit is pending, and which of them the edit touched."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from models.tables import BillLineRow, BillRow

HEADER = ("memo", "due_date")
RELEASE = "approval"
"""Touched by the approval of a bill that the ERP keeps as a draft: the edit releases it."""
LINE = ("description", "department", "location", "class_id", "project", "warehouse", "custom")
"""The line fields that the ERP takes after the sync. A line's GL account exists only here (S1-17)."""

PUTS_BACK = "puts_back"
"""Set on an edit that puts the parts back that had taken an abandoned one."""

Undo = Mapping[str, Any]
"""`memo`, `due_date` (ISO or None), `lines`: line number as text to the fields of `LINE`; `touched`: names of fields as
in events (`memo`, `line 1 department`). Stored as JSON."""


def taken(bill: BillRow, lines: Iterable[BillLineRow]) -> dict[str, Any]:
    """Return the fields as they are now, as an `Undo`."""
    return {
        "memo": bill.memo,
        "due_date": None if bill.due_date is None else bill.due_date.isoformat(),
        "lines": {str(line.line_no): {name: getattr(line, name) for name in LINE} for line in lines},
    }


def put_back(undo: Undo, bill: BillRow, lines: Iterable[BillLineRow]) -> None:
    """Set the bill's fields to what the ERP holds."""
    bill.memo = undo["memo"]
    bill.due_date = None if undo["due_date"] is None else date.fromisoformat(undo["due_date"])
    for line in lines:
        for name, value in undo["lines"].get(str(line.line_no), {}).items():
            setattr(line, name, value)


def touch(undo: Undo, names: Iterable[str]) -> dict[str, Any]:
    """Return the baseline with these fields marked as touched, too.

    A touched field is sent even when it has its first value again: while the write is in doubt, the ERP may hold the
    value that was sent in between.
    """
    kept = {name: value for name, value in undo.items() if name != PUTS_BACK}
    return {**kept, "touched": sorted({*undo.get("touched", ()), *names})}


def edited_on_header(undo: Undo | None) -> frozenset[str]:
    """Return the header fields that the pending edit touched."""
    return frozenset(name for name in (*HEADER, RELEASE) if undo and name in undo["touched"])


def edited_on_line(undo: Undo | None, line_no: int) -> frozenset[str]:
    """Return the fields of one line that the pending edit touched."""
    return frozenset(name for name in LINE if undo and f"line {line_no} {name}" in undo["touched"])
