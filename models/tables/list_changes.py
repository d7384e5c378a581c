"""Define the rows of changes to list entries that were asked for here."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column, json_column


class ListChangeRow(SQLModel, table=True):
    """A list entry made or changed here, on its way to the ERP."""

    __tablename__ = "list_changes"
    __table_args__ = (
        Index("list_changes_by_age", "connection_id", "created_at", "id"),
        Index(
            "list_changes_one_at_a_time",
            "connection_id",
            "kind",
            "erp_id",
            unique=True,
            postgresql_where=text("status = 'sending' and action = 'change'"),
        ),
        Index(
            "list_changes_one_of_a_key",
            "connection_id",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("status = 'sending' and action = 'create' and key is not null"),
        ),
    )

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str = Field(foreign_key="connections.id")
    kind: str
    """A `models.domain.lists.ListKind`."""
    action: str
    """A `models.domain.list_changes.ListAction`."""
    status: str
    """A `models.domain.list_changes.ListChangeStatus`."""
    name: str
    """What people know the entry by."""
    key: str | None = None
    """The key that it is to have, or has; None: the ERP gives it."""
    erp_id: str | None = None
    """None: the ERP does not hold it yet."""
    entity: str | None = None
    """The level that it is written at; None: the top."""
    wanted: dict[str, Any] = json_column()
    """The values that are to be sent, by field."""
    agreed: dict[str, Any] = json_column()
    """Of each of these fields the value that both sides agreed on last."""
    conflicts: list[dict[str, Any]] = json_column("[]")
    """`models.domain.list_changes.FieldConflict`, as found when it was sent last."""
    external_key: str = Field(index=True)
    asks: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    """How often somebody asked for it."""
    problem: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    """Why the ERP refused it, or does not answer; empty: it did not."""
    problem_code: str | None = None
    created_by: str
    version: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    created_at: datetime = instant_column(default_now=True)
    changed_at: datetime = instant_column(default_now=True)
