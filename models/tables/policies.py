"""Define the rows of match results, of what people decided on them, and of the rules that they set."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column, json_column, number_column


class MatchResultRow(SQLModel, table=True):
    """One match with its inputs, so that it can be computed again; stored for refused bills, too.

    A bill that is matched again gets another row; the last one counts.
    """

    __tablename__ = "match_results"
    __table_args__ = (Index("match_results_by_age", "connection_id", "created_at", "id"),)

    id: str = Field(primary_key=True)
    connection_id: str = Field(foreign_key="connections.id")
    purchase_order_id: str | None = Field(default=None, index=True)
    """None: of a bill without an order."""
    bill_id: str | None = Field(default=None, index=True)
    outcome: str
    mode: str
    why: str = ""
    """Why it was matched: it was saved, or what changed since."""
    result: dict[str, Any] = json_column()
    created_at: datetime = instant_column(default_now=True)


class MatchDecisionRow(SQLModel, table=True):
    """A person's decision on one finding of a bill's match: a warning acknowledged, a hold released."""

    __tablename__ = "match_decisions"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    bill_id: str = Field(foreign_key="bills.id", index=True)
    kind: str
    """acknowledged | released."""
    finding: dict[str, Any] = json_column()
    """The finding as it was then: this decision does not cover one that has worsened since."""
    actor: str
    why: str = ""
    at: datetime = instant_column(default_now=True)


class TolerancePolicyRow(SQLModel, table=True):
    """How much a bill may differ from its order, in one scope; the columns that are set say which scope (rules 3.4)."""

    __tablename__ = "tolerance_policies"
    __table_args__ = (
        UniqueConstraint(
            "organization_id",
            "connection_id",
            "vendor_id",
            "item_id",
            "category",
            "entity",
            name="tolerance_policies_once",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str | None = Field(default=None, foreign_key="connections.id")
    vendor_id: str | None = None
    item_id: str | None = None
    category: str | None = None
    entity: str | None = None
    terms: dict[str, Any] = json_column()
    """The bands by check and the flags, as `matching.policies` writes them."""
    version: int = 1
    created_by: str
    created_at: datetime = instant_column(default_now=True)
    changed_at: datetime = instant_column(default_now=True)


class UnitFactorRow(SQLModel, table=True):
    """A factor that a person entered: one `unit` is numerator / denominator `order_unit` (matching rules 3.6)."""

    __tablename__ = "unit_factors"
    __table_args__ = (Index("unit_factors_by_item", "item_id", "vendor_id", "connection_id"),)

    id: str = Field(primary_key=True)
    """Derived from the columns below, so that a pair of units has one factor."""
    connection_id: str = Field(foreign_key="connections.id")
    vendor_id: str
    item_id: str
    unit: str
    order_unit: str
    numerator: Decimal = number_column()
    denominator: Decimal = number_column()
    entered_by: str
    version: int = 1
    changed_at: datetime = instant_column(default_now=True)
