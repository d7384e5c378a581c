"""Define the rows of organizations, their people and their API keys."""

from datetime import datetime

from sqlalchemy import (
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column, json_column


class OrganizationRow(SQLModel, table=True):
    """A tenant: one company, or an accountant's console."""

    __tablename__ = "organizations"

    id: str = Field(primary_key=True)
    name: str
    console_id: str | None = Field(default=None, foreign_key="organizations.id", index=True)
    """The accountant's console that this organization is a client of (S4-44); see
    `models/store/connections/clients.py`."""
    created_at: datetime = instant_column(default_now=True)


class PersonRow(SQLModel, table=True):
    """A person of an organization, whatever keys they use. Never removed: events name them."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("email", "organization_id"),)

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id", index=True)
    name: str
    email: str
    """In lower case."""
    roles: list[str] = json_column("[]")
    """Each a `models.domain.people.PersonRole`."""
    active: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    version: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    created_at: datetime = instant_column(default_now=True)


class ApiKeyRow(SQLModel, table=True):
    """A caller of the API. Only the key's hash is stored."""

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id", index=True)
    key_hash: str = Field(unique=True)
    role: str
    label: str
    person_id: str | None = Field(default=None, foreign_key="people.id", index=True)
    """Whose key it is; None: a program's."""
    acts_for_people: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """A program's key that may name the person it acts for."""
    created_at: datetime = instant_column(default_now=True)
    revoked_at: datetime | None = instant_column(nullable=True)


class ApiKeyUseRow(SQLModel, table=True):
    """The requests of one API key in its last minute with any. Not logged: a crash of the database forgets them."""

    __tablename__ = "api_key_use"
    __table_args__ = {"prefixes": ["UNLOGGED"], "postgresql_with": {"fillfactor": "50"}}

    api_key_id: str = Field(primary_key=True, foreign_key="api_keys.id")
    minute: datetime = instant_column()
    requests: int
