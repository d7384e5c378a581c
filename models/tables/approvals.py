"""Define the rows of approvals: the rules that name approvers, and what each of them decided."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    Index,
    text,
)
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column, json_column, number_column


class ApprovalRuleRow(SQLModel, table=True):
    """Who approves which bills of a connection. The first rule that applies decides; what is None applies to all."""

    __tablename__ = "approval_rules"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    position: int = Field(primary_key=True)
    name: str
    total_from: Decimal | None = number_column(nullable=True)
    """The bill's total is this or more."""
    total_below: Decimal | None = number_column(nullable=True)
    vendor_id: str | None = None
    department: str | None = None
    """Of any line of the bill."""
    entity: str | None = None
    steps: list[list[str]] = json_column("[]")
    """Ids of people: of each step, one of them approves."""


class ApprovalStepRow(SQLModel, table=True):
    """One step of a bill's approval. The first one that is not approved is the one whose turn it is."""

    __tablename__ = "approval_steps"
    __table_args__ = (
        Index(
            "approval_steps_awaited",
            "approvers",
            postgresql_using="gin",
            postgresql_where=text("approved_by is null"),
        ),
    )

    bill_id: str = Field(foreign_key="bills.id", primary_key=True)
    step_no: int = Field(primary_key=True)
    approvers: list[str] = json_column("[]")
    """Ids of the people of whom one approves."""
    acts_for: dict[str, list[str]] = json_column()
    """By the id of a delegate: the people that the step was delegated by, one after another."""
    approved_by: str | None = Field(default=None, foreign_key="people.id")
    approved_at: datetime | None = instant_column(nullable=True)
