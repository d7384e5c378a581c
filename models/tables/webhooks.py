"""Define the rows of webhooks: what came in, from which companies, and what it asks to be synced."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    text,
)
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column


class WebhookEventRow(SQLModel, table=True):
    """An event that a webhook brought, by its id: a second one with the same id changes nothing."""

    __tablename__ = "webhook_events"
    __table_args__ = (Index("webhook_events_by_age", "received_at"),)

    erp: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    received_at: datetime = instant_column(default_now=True)


class WebhookCompanyRow(SQLModel, table=True):
    """How many webhooks an ERP sent of one of its companies, whether a connection knows the company or not."""

    __tablename__ = "webhook_companies"

    erp: str = Field(primary_key=True)
    company: str = Field(primary_key=True)
    calls: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    events: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    duplicates: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    last_at: datetime = instant_column(default_now=True)


class ChangeHintRow(SQLModel, table=True):
    """That the ERP reported changes of a connection: received, taken by a sync run, done when that run has ended."""

    __tablename__ = "change_hints"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True, ondelete="CASCADE")
    received_at: datetime = instant_column(default_now=True)
    taken_at: datetime | None = instant_column(nullable=True)
    done_at: datetime | None = instant_column(nullable=True)
