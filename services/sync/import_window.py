"""Compute how far back a connection's first import reads."""

from datetime import date, timedelta

from models.store.base.today import today_in
from models.tables import ConnectionRow

FIRST_IMPORT = timedelta(days=92)
"""Three months: how far back orders are imported unless an operator sets a date (S1-11)."""


def first_import_from(row: ConnectionRow) -> date:
    """Return the first order date that is imported: three months back, or what an operator set (S1-13)."""
    return row.first_import_from or today_in(row.time_zone) - FIRST_IMPORT


def start_of(day: date) -> str:
    """Return a day's first moment as a cursor."""
    return f"{day.isoformat()} 00:00:00"
