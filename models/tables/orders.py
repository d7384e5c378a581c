"""Define the rows of purchase orders and receipts as the ERP has them, with the ledger of each line."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Index,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column, json_column, number_column


class PurchaseOrderRow(SQLModel, table=True):
    """A purchase order of the ERP."""

    __tablename__ = "purchase_orders"
    __table_args__ = (
        UniqueConstraint("erp_id", "connection_id"),
        Index("purchase_orders_by_day", "connection_id", "ordered_on", "id"),
        Index("purchase_orders_by_document", "document_id", "connection_id"),
        Index("purchase_orders_by_number", "number", "connection_id"),
        Index("purchase_orders_by_number_key", "connection_id", "number_key"),
        Index("purchase_orders_by_vendor", "vendor_id", "connection_id", text("ordered_on desc")),
        Index(
            "purchase_orders_by_origin",
            "created_from",
            "connection_id",
            postgresql_where=text("created_from is not null"),
        ),
        Index(
            "purchase_orders_to_notify", "connection_id", "id", postgresql_where=text("notified_hash <> content_hash")
        ),
        Index("purchase_orders_due", "connection_id", postgresql_where=text("figures_due")),
    )

    id: str = Field(primary_key=True)
    """`po_` and a hash of connection and ERP id: the same order has the same id however often it is imported."""
    connection_id: str = Field(foreign_key="connections.id")
    erp_id: str
    workflow_id: str
    """The id of its workflow, with the number that it came in with."""
    document_id: str
    number: str
    number_key: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    """The number as it is compared: case, spaces, punctuation and leading zeros do not count."""
    vendor_id: str
    vendor_name: str
    ordered_on: date
    due_on: date | None = None
    currency: str
    entity: str | None = None
    owner_entity: str | None = None
    memo: str = ""
    total: Decimal = number_column()
    reference: str | None = None
    term: str | None = None
    erp_status: str
    status: str
    matching_status: str
    created_from: str | None = None
    custom: dict[str, Any] = json_column()
    left_out: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    """Why the order stays out from now on, though it is in the mirror: it takes no bill, and keeps the terms it had."""
    revision: str
    content_hash: str
    """Hash of header and lines as the ERP sent them; unchanged: nothing to write and nobody to notify."""
    notified_hash: str = ""
    """The content that the order's workflow was last notified of."""
    figures_due: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """A sync left figures of it out while a bill of ours was on its way: it is read whole once none is."""
    credits_read_at: datetime | None = instant_column(nullable=True)
    """When the reading began that gave quantity back, by a credit or by a bill that was taken back, by our clock; None:
    nothing ever did."""
    snapshot: int = Field(default=1, sa_type=BigInteger)
    """Counts the contents stored so far; it names the version in match results."""
    imported_at: datetime = instant_column(default_now=True)
    changed_at: datetime = instant_column(default_now=True)
    deleted_at: datetime | None = instant_column(nullable=True)


UNSETTLED = (
    "not deleted and case basis when 'amount' then received * price <> billed_amount - credited_amount"
    " else received <> billed - credited end"
)
"""The condition of a line that was not billed as far as it was received, by the ERP's figures: R <> E - C. The GRNI
report looks for such lines by their index."""


class PurchaseOrderLineRow(SQLModel, table=True):
    """One line of an order, with its part of the ledger. Quantities are in `unit`, money is in the order's currency."""

    __tablename__ = "purchase_order_lines"
    __table_args__ = (
        UniqueConstraint("purchase_order_id", "erp_id"),
        Index("purchase_order_lines_by_chain", "chain_line"),
        Index(
            "purchase_order_lines_unsettled",
            text("split_part(chain_line, '/', 1)"),
            "chain_line",
            postgresql_where=text(UNSETTLED),
        ),
    )

    purchase_order_id: str = Field(primary_key=True)
    """Without a foreign key: orders are never removed and lines only come with their order, so a check of every line on
    the page path would take a sixth of its time and prove nothing."""
    line_no: int = Field(primary_key=True)
    erp_id: str
    chain_line: str
    """The first line of its back-order chain (S5-25), as `<connection>/<erp id>`; the line itself without a chain."""
    source_line: str | None = None
    item_id: str
    description: str = ""
    unit: str = ""
    quantity: Decimal = number_column()
    """O of the ledger."""
    price: Decimal = number_column()
    amount: Decimal = number_column()
    basis: str = Field(default="quantity", sa_column_kwargs={"server_default": text("'quantity'")})
    """quantity | amount: what bills on the line are matched by."""
    receivable: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    """False: no receipt is ever made of the line (S4-69); an attribute of the item may say so, too."""
    converted: Decimal = number_column(zero=True)
    """What the ERP counts as converted, as it was sent."""
    converted_amount: Decimal = number_column(zero=True)
    """The money of `converted`, as it was sent."""
    received: Decimal = number_column(zero=True)
    """R: the sum of our receipt lines for this line."""
    receipts_billed: Decimal = number_column(zero=True)
    """How much of the receipts' quantity was billed."""
    billed: Decimal = number_column(zero=True)
    """E: what the ERP billed. Where receipts count as billed: converted - received + receipts_billed."""
    billed_amount: Decimal = number_column(zero=True)
    credited: Decimal = number_column(zero=True)
    """C: credited and still inside E; below zero where the ERP subtracted from E a credit that only lowered a price. It
    belongs to this E: when another E arrives without it, nothing is freed."""
    credited_amount: Decimal = number_column(zero=True)
    credited_by_returns: Decimal = number_column(zero=True)
    """What of C returns credit themselves, by the credits that they post."""
    credited_by_returns_amount: Decimal = number_column(zero=True)
    returned: Decimal = number_column(zero=True)
    """T: went back to the vendor; `received` is without it."""
    returned_by_credits: Decimal = number_column(zero=True)
    """How much of it credits made from returns name, which shows that it went back even where no return does."""
    returned_on: date | None = None
    """The day of the last such credit."""
    closed: bool = False
    cancelled: Decimal | None = number_column(nullable=True)
    """X: what was not billed when the line, or its order, was closed, in what the line is measured by; None: it is
    open. A bill that comes later lowers it (`ledger.py`)."""
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None
    warehouse: str | None = None
    custom: dict[str, Any] = json_column()
    deleted: bool = False


class OrderLineLimitRow(SQLModel, table=True):
    """How an order line may be billed, as people set it here; the line is named by the ERP's id, which stays."""

    __tablename__ = "order_line_limits"

    purchase_order_id: str = Field(foreign_key="purchase_orders.id", primary_key=True)
    order_line: str = Field(primary_key=True)
    ends_on: date | None = None
    """The last bill date that it accepts."""
    release_cap: Decimal | None = number_column(nullable=True)
    """The most that one bill may take of it, in the order's currency."""
    version: int = 1
    set_by: str
    changed_at: datetime = instant_column(default_now=True)


class ReceiptRow(SQLModel, table=True):
    """A goods receipt of the ERP, or a return of goods to the vendor."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("erp_id", "connection_id"),
        Index("receipts_by_order", "order_document", "connection_id"),
        Index("receipts_by_day", "received_on", "connection_id"),
        Index("returns_by_day", "connection_id", "received_on", "id", postgresql_where=text("kind = 'return'")),
        Index(
            "receipts_by_parts",
            text("split_part(erp_id, '/', 1)"),
            "connection_id",
            postgresql_where=text("strpos(erp_id, '/') > 0"),
        ),
    )

    id: str = Field(primary_key=True)
    connection_id: str = Field(foreign_key="connections.id")
    erp_id: str
    kind: str = Field(default="receipt", sa_column_kwargs={"server_default": text("'receipt'")})
    """receipt | return"""
    document_id: str
    number: str
    credit_document: str | None = None
    """Of a return: the credit that it posts itself, by its `payable_id`."""
    order_document: str | None = None
    purchase_order_id: str | None = Field(default=None, index=True)
    """None until the order is in the mirror; set when the later of the two arrives."""
    erp_status: str
    status: str
    vendor_id: str
    received_on: date
    memo: str = ""
    entity: str | None = None
    owner_entity: str | None = None
    revision: str
    content_hash: str
    deleted_at: datetime | None = instant_column(nullable=True)


class ReceiptLineRow(SQLModel, table=True):
    """One line of a receipt, with quantities in `unit`."""

    __tablename__ = "receipt_lines"
    __table_args__ = (
        Index("receipt_lines_by_order_line", "order_line"),
        Index("receipt_lines_by_source_line", "source_line", postgresql_where=text("source_line is not null")),
    )

    receipt_id: str = Field(foreign_key="receipts.id", primary_key=True)
    line_no: int = Field(primary_key=True)
    erp_id: str
    order_line: str | None = None
    """The ERP id of the purchase order line it received."""
    source_line: str | None = None
    """The ERP id of the line of another receipt that this one continues: that receipt was closed with a back order. Of
    a return: the receipt's line that it takes back."""
    item_id: str
    description: str = ""
    unit: str = ""
    quantity: Decimal = number_column()
    billed: Decimal = number_column(zero=True)
    credited: Decimal = number_column(zero=True)
    """Of a return: what it credits itself of what was billed."""


class SkippedRecordRow(SQLModel, table=True):
    """An excluded record: left out of the mirror on purpose, with the reason (S1-16)."""

    __tablename__ = "skipped_records"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    stream: str = Field(primary_key=True)
    erp_id: str = Field(primary_key=True)
    number: str
    code: str
    reason: str
    revision: str
    skipped_at: datetime = instant_column(default_now=True)
