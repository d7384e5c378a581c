"""Define the rows that say what happened: sync runs, issues, notices, events, requests, messages to workflows."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column, json_column


class SyncRunRow(SQLModel, table=True):
    """One pass over a connection."""

    __tablename__ = "sync_runs"

    id: str = Field(primary_key=True)
    connection_id: str = Field(foreign_key="connections.id", index=True)
    trigger: str
    """A `SyncTrigger`."""
    state: str
    """A `SyncRunState`."""
    started_at: datetime = instant_column(default_now=True)
    finished_at: datetime | None = instant_column(nullable=True)
    counts: dict[str, Any] = json_column()
    """By name: `<stream>.seen`, `.changed`, `.skipped`, `.bad` and `.pages`; `notified`: the orders whose workflows
    were."""
    problem_code: str | None = None
    problem_message: str | None = None


class SyncIssueRow(SQLModel, table=True):
    """Something a person must settle (DESIGN section 3)."""

    __tablename__ = "sync_issues"
    __table_args__ = (
        Index("sync_issues_by_age", "organization_id", "opened_at", "id"),
        Index(
            "sync_issues_once",
            "connection_id",
            "code",
            "subject_kind",
            "subject_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str = Field(foreign_key="connections.id", index=True)
    code: str
    subject_kind: str
    """connection | purchase_order | receipt | bill | payment | source_order | list_change | list_entry."""
    subject_id: str
    subject_name: str = ""
    """The name that people know the subject by."""
    cause: str
    """What happened here; if it is empty, the code's own text is used."""
    evidence: dict[str, Any] = json_column()
    state: str
    """open | resolved | abandoned."""
    decision: str | None = None
    """An `IssueDecision`, the last one; None: nobody decided yet."""
    decided_by: str | None = None
    decided_why: str | None = None
    workflow_id: str | None = None
    """The workflow that `retry` and `abandon` are sent to."""
    occurrences: int = 1
    opened_at: datetime = instant_column(default_now=True)
    last_seen_at: datetime = instant_column(default_now=True)
    closed_at: datetime | None = instant_column(nullable=True)
    closed_by: str | None = None


class NoticeRow(SQLModel, table=True):
    """Something a person should know while nothing waits for that person (S1-07, S1-18)."""

    __tablename__ = "notices"
    __table_args__ = (Index("notices_by_age", "organization_id", "created_at", "id"),)

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str | None = Field(default=None, foreign_key="connections.id")
    code: str
    subject_kind: str
    subject_id: str
    message: str
    created_at: datetime = instant_column(default_now=True)
    read_at: datetime | None = instant_column(nullable=True)


class EventRow(SQLModel, table=True):
    """One state change of a bill, a payment or a PO link; append-only, enforced by a trigger (DESIGN section 7)."""

    __tablename__ = "events"
    __table_args__ = (Index("events_by_subject", "subject_kind", "subject_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    organization_id: str
    connection_id: str | None = None
    subject_kind: str
    subject_id: str
    kind: str
    actor: str
    why: str = ""
    before: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    after: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    at: datetime = instant_column(default_now=True)


class RequestRow(SQLModel, table=True):
    """A write that came in over the API, stored by its Idempotency-Key: same key and body, same answer."""

    __tablename__ = "requests"
    __table_args__ = (Index("requests_with_answers", "created_at", postgresql_where=text("answer is not null")),)

    organization_id: str = Field(foreign_key="organizations.id", primary_key=True)
    key: str = Field(primary_key=True)
    route: str
    body_hash: str
    body: dict[str, Any] = json_column()
    actor: str
    status: int | None = None
    """The HTTP status of the stored answer; None while the work is in progress."""
    answer: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    """None beside a status: it was stored long enough (`POSYNC_KEEP_ANSWERS_DAYS`) and then deleted."""
    created_at: datetime = instant_column(default_now=True)


class OutboxRow(SQLModel, table=True):
    """A message that a decision owes a workflow: stored in the decision's transaction, deleted once it is delivered.

    It carries ids only. Its content is read when it is delivered, so that a late message is not out of date.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_by_turn", "next_try", "id"),
        Index("outbox_by_subject", "subject_id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str = Field(foreign_key="connections.id")
    kind: str
    """A `models.domain.outbox.MessageKind`."""
    subject_id: str
    """What it is about: see `models.domain.outbox.MessageKind`."""
    request_key: str
    """What decided: a request's Idempotency-Key, an edition of a bill, or a sync run."""
    created_at: datetime = instant_column(default_now=True)
    next_try: datetime = instant_column(default_now=True)
    """Before this time only the process that decided delivers it."""
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    last_error: str | None = None
