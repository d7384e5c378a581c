"""Define the rows of source orders, and of the contacts whose vendors people linked."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column, json_column, number_column


class SourceOrderRow(SQLModel, table=True):
    """A purchase order of the caller's own system. Money is in `currency`."""

    __tablename__ = "source_orders"
    __table_args__ = (
        UniqueConstraint("reference", "connection_id"),
        Index("source_orders_by_age", "organization_id", "created_at", "id"),
        Index(
            "source_orders_numbers",
            "document_number",
            "upload_as",
            "connection_id",
            unique=True,
            postgresql_where=text("document_number is not null and not repeats_number"),
        ),
        Index("source_orders_uploading", "connection_id", postgresql_where=text("upload_state = 'uploading'")),
    )

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str = Field(foreign_key="connections.id")
    reference: str
    contact: str
    """The supplier, as the caller's system calls it."""
    ordered_on: date
    invoice_date: date | None = None
    invoice_number: str = ""
    dispatch_date: date | None = None
    due_date: date | None = None
    currency: str
    memo: str = ""
    lines: list[dict[str, Any]] = json_column("[]")
    """`models.domain.source_orders.SourceLine`, numbers as text."""
    total: Decimal = number_column()
    accounting_status: str = "not_imported"
    upload_state: str = "none"
    upload_as: str | None = None
    """What it is being or was uploaded as; of a failed upload: as what it was tried."""
    upload_no: int = 1
    """Counts the imports that people reset: each has a key of its own in the ERP."""
    asks: int = 0
    """How often somebody asked for an upload."""
    uploaded_version: int | None = None
    """The version that was sent."""
    document_number: str | None = None
    """What the document is or will be called in the ERP; while it is set, no other upload may have it."""
    repeats_number: bool = False
    """A person decided that the ERP may have a further document with this number."""
    vendor_id: str | None = None
    """The vendor it was sent for."""
    outgoing: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    """`models.domain.source_orders.OrderToUpload`: as it is sent, on every try."""
    erp_id: str | None = None
    document_id: str | None = None
    problems: list[dict[str, Any]] = json_column("[]")
    """`models.domain.source_orders.UploadProblem`: why the last upload failed."""
    created_by: str
    version: int = 1
    created_at: datetime = instant_column(default_now=True)
    changed_at: datetime = instant_column(default_now=True)


class ContactRow(SQLModel, table=True):
    """Which vendor of the ERP a supplier of the caller's system is, as a person confirmed."""

    __tablename__ = "contacts"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    contact: str = Field(primary_key=True)
    vendor_id: str
    linked_by: str
    linked_at: datetime = instant_column(default_now=True)
