"""Define the rows of exchanges with ERPs that answer when their program calls: requests, answers, logins, sessions."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column


class ExchangeRow(SQLModel, table=True):
    """One request to an ERP that answers later, and its answer; see `models/store/audit/exchanges.py`."""

    __tablename__ = "exchanges"
    __table_args__ = (
        Index("exchanges_unanswered", "connection_id", "sequence", postgresql_where=text("answered_at is null")),
        Index("exchanges_by_age", "answered_at", postgresql_where=text("answered_at is not null")),
    )

    connection_id: str = Field(primary_key=True, foreign_key="connections.id")
    key: str = Field(primary_key=True)
    sequence: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), nullable=False))
    """The requests are given to the ERP in this order."""
    request: str
    answer: str | None = None
    queued_at: datetime = instant_column(default_now=True)
    answered_at: datetime | None = instant_column(nullable=True)
    workflow_id: str = ""
    """Whose activity waits for the answer; empty: none does."""
    workflow_run_id: str = ""
    activity_id: str = ""
    generation: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    """Counts what was sent under this key: a refused request may be followed by another one."""
    document: str | None = None
    """What was handed out, to the byte: a repeat is the same."""
    handed_to: str | None = None
    """The session it was handed out in; None: in none yet."""
    handed_at: datetime | None = instant_column(nullable=True)
    """When it was handed out first in that session."""
    not_before: datetime | None = instant_column(nullable=True)
    """It is not handed out before this moment; None: at once."""
    lost_at: datetime | None = instant_column(nullable=True)
    """When the ERP said that it has no outcome of it; it is repeated only after its record was looked up."""
    losses: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """How often that happened."""
    pages: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    """How many parts the answer has; `answer` is the last one."""
    look_up: str | None = None
    """The question that a write was decided by; None: by none."""
    withdrawn_at: datetime | None = instant_column(nullable=True)
    """When a write was withdrawn: its look-up has another answer now, by which it is decided anew."""


class ExchangePageRow(SQLModel, table=True):
    """One part, but not the last, of an answer that came in several."""

    __tablename__ = "exchange_pages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["connection_id", "key"], ["exchanges.connection_id", "exchanges.key"], ondelete="CASCADE"
        ),
    )

    connection_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    page: int = Field(primary_key=True)
    answer: str


class WebConnectorLoginRow(SQLModel, table=True):
    """Who may call as the Web Connector of a connection, and which company file is its."""

    __tablename__ = "web_connector_logins"
    __table_args__ = (UniqueConstraint("user_name"),)

    connection_id: str = Field(primary_key=True, foreign_key="connections.id", ondelete="CASCADE")
    user_name: str
    password_hash: str | None = None
    """SHA-256, in hexadecimal: the password is made here, of 160 random bits. None: there is none yet."""
    password_made_at: datetime | None = instant_column(nullable=True)
    file_id: str
    """The mark that the Web Connector leaves in the company file: a GUID in braces."""
    every_minutes: int
    """How often the Web Connector is set to call; a person may change it there."""
    company_file: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The path of the company file on its own computer, once it was recognized."""
    recognized_at: datetime | None = instant_column(nullable=True)
    """When a session last found our mark in the company file."""
    last_contact_at: datetime | None = instant_column(nullable=True)
    created_at: datetime = instant_column(default_now=True)


class WebConnectorSessionRow(SQLModel, table=True):
    """One session of a Web Connector, by the hash of its secret, and what was handed out in it last."""

    __tablename__ = "web_connector_sessions"

    id: str = Field(primary_key=True)
    connection_id: str = Field(foreign_key="connections.id", index=True, ondelete="CASCADE")
    began_at: datetime = instant_column(default_now=True)
    last_call_at: datetime = instant_column(default_now=True)
    ended_at: datetime | None = instant_column(nullable=True)
    company_file: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The company file it was asked to open; empty: the one that is open."""
    recognized: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Whether the open company file carries our mark; before that nothing but questions about it is handed out."""
    version: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The version of qbXML that is spoken in it."""
    kind: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """What waits for its answer (`services.web_connector.documents.Handed`); empty: nothing."""
    exchange_key: str | None = None
    document: str | None = None
    iterator_id: str | None = None
    answered: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    last_taken: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Names the answer that was taken in last, so that it is known when it is brought once more; empty: none."""
    error: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """What the Web Connector shows its user when it asks for the last error."""
