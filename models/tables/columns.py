"""Make columns of the kinds that all rows share."""

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Numeric,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


def instant_column(*, nullable: bool = False, default_now: bool = False) -> Any:
    """Return a column that holds an instant in UTC; with `default_now`, the database's time of the insert."""
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),  # type: ignore[call-overload,unused-ignore]
        nullable=nullable,
        sa_column_kwargs={"server_default": func.now()} if default_now else {},
    )


def number_column(*, nullable: bool = False, zero: bool = False) -> Any:
    """Return a column that holds an exact number; with `zero`, 0 where nothing is given."""
    return Field(
        default=Decimal(0) if zero else None,
        sa_type=Numeric,
        nullable=nullable,
        sa_column_kwargs={"server_default": text("0")} if zero else {},
    )


def json_column(default: str = "{}") -> Any:
    """Return a column that holds JSON, never null; `default` is JSON."""
    return Field(sa_column=Column(JSONB, nullable=False, server_default=text(f"'{default}'::jsonb")))
