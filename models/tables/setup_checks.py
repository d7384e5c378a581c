"""Define the row of a set-up check."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column


class SetupCheckRow(SQLModel, table=True):
    """The last answer to one check of one connection, and what a person said of it."""

    __tablename__ = "setup_checks"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    code: str = Field(primary_key=True)
    title: str
    state: str
    """A `models.domain.setup_checks.CheckState`: what the ERP shows."""
    why: str
    seen: str
    breaks: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    fix: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    checked_at: datetime = instant_column(default_now=True)
    changed_at: datetime = instant_column(default_now=True)
    """Since when it shows this."""
    confirmed_state: str | None = None
    confirmed_value: str | None = None
    confirmed_by: str | None = None
    confirmed_at: datetime | None = instant_column(nullable=True)
    reopened_at: datetime | None = instant_column(nullable=True)
    """When the ERP showed something else than the person had seen."""
    version: int = 1
