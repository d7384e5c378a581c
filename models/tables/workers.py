"""Define the rows of worker processes."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column


class WorkerRow(SQLModel, table=True):
    """A worker process and its last sign of life. Not logged: a crash of the database forgets them."""

    __tablename__ = "workers"
    __table_args__ = {"prefixes": ["UNLOGGED"], "postgresql_with": {"fillfactor": "50"}}

    identity: str = Field(primary_key=True)
    """As Temporal knows it: process id and host."""
    alive_at: datetime = instant_column(default_now=True)
    """When its event loop last ran, by the database's clock."""
