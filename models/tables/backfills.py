"""Define the row of a backfill."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column, json_column


class BackfillRow(SQLModel, table=True):
    """Orders that somebody asked to bring in: which, how far it is, what came of it."""

    __tablename__ = "backfills"

    id: str = Field(primary_key=True)
    connection_id: str = Field(foreign_key="connections.id", index=True)
    wanted: dict[str, Any] = json_column()
    """A `models.domain.backfills.BackfillWanted`."""
    state: str
    pages: int = 0
    """How many pages are in the mirror."""
    after: str | None = None
    """Where the page after them begins."""
    counts: dict[str, Any] = json_column()
    """read, wanted, changed, left_out, bad."""
    seen_numbers: dict[str, Any] = json_column()
    """The numbers that were asked for and shown by the ERP, by the key they are compared by."""
    problem_code: str | None = None
    problem_message: str | None = None
    asked_by: str
    started_at: datetime = instant_column(default_now=True)
    finished_at: datetime | None = instant_column(nullable=True)
