"""Define the rows of bills and payments, and of the writes that bring them to the ERP."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    Numeric,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column, json_column, number_column


class BillRow(SQLModel, table=True):
    """A bill, ours or made in the ERP. Money is in `currency`."""

    __tablename__ = "bills"
    __table_args__ = (
        Index("bills_by_age", "organization_id", "created_at", "id"),
        Index("bills_by_change", "organization_id", "changed_at", "id"),
        Index("bills_by_erp_id", "erp_id", "connection_id"),
        Index("bills_by_payable", "payable_id", "connection_id"),
        Index("bills_by_document", "document_id", "connection_id"),
        Index("bills_by_posting_date", "posting_date", "connection_id"),
        Index("bills_by_number", "number_key", "vendor_id", "connection_id"),
        Index("bills_by_number_parts", "number_parts", "vendor_id", "connection_id"),
        Index(
            "bills_not_linked",
            "connection_id",
            "vendor_id",
            postgresql_where=text("origin = 'erp' and purchase_order_id is null and reference_key is not null"),
        ),
        Index("bills_by_total", "total", "vendor_id", "connection_id"),
        Index("bills_small", "vendor_id", "connection_id", "bill_date", postgresql_where=text("small")),
        Index("bills_with_edits", "id", postgresql_where=text("edit_pending")),
        Index(
            "bills_open",
            "connection_id",
            postgresql_where=text("origin = 'posync' and status not in ('paid', 'abandoned', 'deleted')"),
        ),
        Index("bills_applied", "connection_id", postgresql_where=text("applied <> '[]'")),
        Index("bills_credits", "organization_id", "bill_date", "id", postgresql_where=text("kind <> 'bill'")),
        Index("bills_credit_of", "credit_of", postgresql_where=text("credit_of is not null")),
        Index(
            "bills_once",
            "number_parts",
            "vendor_id",
            "connection_id",
            unique=True,
            postgresql_where=text(
                "status not in ('deleted', 'abandoned') and origin = 'posync' and not repeats_number"
            ),
        ),
    )

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str = Field(foreign_key="connections.id")
    purchase_order_id: str | None = Field(default=None, foreign_key="purchase_orders.id", index=True)
    vendor_id: str
    vendor_name: str = ""
    number: str
    number_key: str
    """Normalised supplier invoice number: case, spaces, punctuation and leading zeros do not count."""
    number_parts: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    """The number's runs of letters and of digits, normalised, a space between two."""
    repeats_number: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Saved as a further bill under its number: a part of one supplier invoice, or a number that came again."""
    part_of: str | None = Field(default=None, foreign_key="bills.id")
    """The first bill of the supplier invoice that this one is a further part of."""
    direct: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Without an order: it reaches the ERP as a bill of its own, and its lines name GL accounts."""
    entity: str | None = None
    """Of a bill without an order, or made in the ERP: the entity it belongs to; None: the company has none."""
    term: str | None = None
    """The payment term by which it is due, as the ERP names it, where it has no due date; None: the order's."""
    reference: str | None = None
    reference_key: str | None = None
    """Of a bill made in the ERP: the reference as it is compared with orders' numbers."""
    kind: str = Field(default="bill", sa_column_kwargs={"server_default": text("'bill'")})
    """A `models.domain.bills.BillKind`. A credit's total is below zero, and so is its `paid`: what is applied of it."""
    credit_of: str | None = Field(default=None, foreign_key="bills.id")
    """Of a credit: the bill that it is against; None: none, or nobody knows which."""
    apply_when_sent: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Of a credit of a fee: it is applied to its bill once the ERP holds it."""
    credit_open: Decimal = Field(
        default=Decimal(0),
        sa_column=Column(
            Numeric,
            Computed(
                # As PostgreSQL writes it down, so that both can be compared.
                "CASE WHEN kind::text = 'credit'::text AND status::text <> 'deleted'::text"
                " AND status::text <> 'abandoned'::text THEN GREATEST(paid - total, 0::numeric)"
                " ELSE 0::numeric END",
                persisted=True,
            ),
            nullable=False,
        ),
    )
    """Of a credit: what the ERP has not applied of it, above zero; zero for anything else."""
    origin: str
    status: str
    match_outcome: str | None = None
    matched_terms: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    """The `OrderFacts.terms` of its order that the bill was matched under when it was saved."""
    approval: str = Field(default="not_required", sa_column_kwargs={"server_default": text("'not_required'")})
    """A `models.domain.approvals.ApprovalState`."""
    approved_at: datetime | None = instant_column(nullable=True)
    bill_date: date
    posting_date: date
    due_date: date | None = None
    currency: str
    memo: str = ""
    total: Decimal = number_column()
    """Lines + charges + tax - discount."""
    invoice_total: Decimal | None = number_column(nullable=True)
    """The total that the supplier printed, if the caller gave it."""
    charges: list[dict[str, str]] = json_column("[]")
    """Money that belongs to no line of the order: `class` (freight, surcharge, other), `amount`, `description`."""
    tax: Decimal = number_column(zero=True)
    discount: Decimal = number_column(zero=True)
    paid: Decimal = number_column(zero=True)
    external_key: str | None = Field(default=None, index=True)
    erp_id: str | None = None
    document_id: str | None = None
    payable_id: str | None = None
    erp_revision: str | None = None
    payable_revision: str | None = None
    """The revision of the payable behind the bill, which changes with every payment."""
    applied: list[dict[str, str]] = json_column("[]")
    """For a credit made in the ERP: `bill_erp_id` and `amount` of each bill that it is applied to."""
    linked_in_erp: bool = False
    order_document: str | None = None
    """The order that the ERP links it to, stored while that order is not in the mirror."""
    receipt_document: str | None = None
    """The receipt that it was converted from, if it was (S1-20)."""
    rejected_in_erp: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """The ERP holds it as rejected, cancelled or voided: it bills nothing there, and is not paid from here."""
    manual_both_sides: bool = False
    """Linked by hand behind a receipt: people make its edits by hand in both systems (S1-21, S1-22)."""
    edit_pending: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Edited here after the sync; the ERP has not been seen to hold the edit yet (S5-136)."""
    edition: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """Number of the last edit made after the sync: the bill's version when it was made."""
    edit_baseline: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    """What the ERP holds of the editable fields, while an edit is pending."""
    match_mode: str | None = None
    """A `BillMatchMode` that a person chose for it; None: as policies and the connection say."""
    small: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Not matched because of its total: it counts towards what its vendor's small bills may come to."""
    generation: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    """How often it was made: each time it is taken back and made anew counts one more, under a key of its own."""
    created_by: str
    version: int = 1
    created_at: datetime = instant_column(default_now=True)
    changed_at: datetime = instant_column(default_now=True)


class BillRetractionRow(SQLModel, table=True):
    """A generation of a bill that is being taken back from the ERP, or was: what it was there, who asked and why."""

    __tablename__ = "bill_retractions"
    __table_args__ = (
        Index("bill_retractions_by_key", "external_key", "connection_id"),
        Index("bill_retractions_by_document", "document_id", "connection_id"),
        Index("bill_retractions_by_payable", "payable_id", "connection_id"),
        Index(
            "bill_retractions_once",
            "bill_id",
            unique=True,
            postgresql_where=text("state = 'requested'"),
        ),
    )

    id: str = Field(primary_key=True)
    bill_id: str = Field(foreign_key="bills.id", index=True)
    connection_id: str = Field(foreign_key="connections.id")
    generation: int
    state: str
    """A `models.domain.retractions.RetractionState`."""
    retract_for: str
    """A `models.domain.retractions.RetractFor`."""
    way: str
    """A `models.domain.retractions.RetractBy`."""
    dated: date | None = None
    """The day of the entry that takes it back; None: the way makes no entry."""
    freed: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    """False: done, but the ERP still counts its quantities as billed."""
    external_key: str
    erp_id: str
    document_id: str
    payable_id: str | None = None
    requested_by: str
    why: str
    requested_at: datetime = instant_column(default_now=True)
    ended_at: datetime | None = instant_column(nullable=True)


class BillPartRow(SQLModel, table=True):
    """One part of a bill over several sources: the document in the ERP that is converted from one of them."""

    __tablename__ = "bill_parts"
    __table_args__ = (
        Index("bill_parts_by_bill", "bill_id", "generation", "part_no"),
        Index("bill_parts_by_erp_id", "erp_id", "connection_id"),
        Index("bill_parts_by_document", "document_id", "connection_id"),
        Index("bill_parts_by_payable", "payable_id", "connection_id"),
    )

    external_key: str = Field(primary_key=True)
    bill_id: str = Field(foreign_key="bills.id")
    connection_id: str = Field(foreign_key="connections.id")
    generation: int
    """The bill's generation that it belongs to."""
    part_no: int
    times_remade: int = 0
    """How often it was made again after somebody deleted it in the ERP."""
    superseded: bool = False
    """It was deleted in the ERP and made again: another row is the part now."""
    state: str
    """A `models.domain.bill_parts.PartState`."""
    source_document: str
    purchase_order_id: str = Field(foreign_key="purchase_orders.id")
    number: str
    """The number it is sent under: the supplier's, or that with `-2` behind it where the ERP takes a number once."""
    total: Decimal = number_column()
    paid: Decimal = number_column(zero=True)
    erp_id: str | None = None
    document_id: str | None = None
    payable_id: str | None = None
    erp_revision: str | None = None
    payable_revision: str | None = None
    shown: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    """The ERP's bill behind it, as a page of bills last showed it: people's changes of the bill are found by all
    parts together."""
    problem: str = ""
    """What the ERP refused it with, or how it differs there."""
    stays_billed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """It was taken back by a credit, and the ERP keeps its quantities as billed."""
    edition: int | None = None
    """The edit that it has, or may have, while other parts do not; None: all parts have the same."""
    changed_at: datetime = instant_column(default_now=True)


class KeptQuantityRow(SQLModel, table=True):
    """What the ERP keeps as billed of a bill's line although the bill was credited there, by the source that it was
    converted from."""

    __tablename__ = "kept_quantities"
    __table_args__ = (
        ForeignKeyConstraint(
            ["purchase_order_id", "purchase_order_line_no"],
            ["purchase_order_lines.purchase_order_id", "purchase_order_lines.line_no"],
            onupdate="CASCADE",
        ),
    )

    bill_id: str = Field(primary_key=True, foreign_key="bills.id")
    line_no: int = Field(primary_key=True)
    source_document: str = Field(primary_key=True)
    source_line: str = Field(primary_key=True)
    purchase_order_id: str
    purchase_order_line_no: int
    quantity: Decimal = number_column()
    amount: Decimal = number_column()


class BillLineRow(SQLModel, table=True):
    """One line of a bill. Money is in the bill's currency."""

    __tablename__ = "bill_lines"
    __table_args__ = (
        ForeignKeyConstraint(
            ["purchase_order_id", "purchase_order_line_no"],
            ["purchase_order_lines.purchase_order_id", "purchase_order_lines.line_no"],
            onupdate="CASCADE",
        ),
        Index("bill_lines_by_order_line", "purchase_order_id", "purchase_order_line_no"),
        Index("bill_lines_reserving", "purchase_order_id", postgresql_where=text("reserves")),
        Index(
            "bill_lines_giving_back",
            "purchase_order_id",
            "purchase_order_line_no",
            postgresql_where=text("gives_back"),
        ),
    )

    bill_id: str = Field(foreign_key="bills.id", primary_key=True)
    line_no: int = Field(primary_key=True)
    purchase_order_id: str | None = None
    purchase_order_line_no: int | None = None
    off_order: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """It bills no order line: it is an amount on `account`; `item_id` is the item that stands for the account."""
    item_id: str | None = None
    substitute: str | None = None
    """The item that the supplier billed in the place of `item_id`; None: that item itself."""
    account: str | None = None
    description: str = ""
    quantity: Decimal | None = number_column(nullable=True)
    """In the order line's unit. Rounded if that is no exact decimal: then `exact_quantity` counts."""
    exact_quantity: str | None = None
    """`n/d`, only when `quantity` is rounded (7 of a dozen)."""
    unit: str = ""
    billed_quantity: Decimal | None = number_column(nullable=True)
    """As the supplier billed it, in `billed_unit`; both None when that is the order's unit."""
    billed_unit: str | None = None
    price: Decimal | None = number_column(nullable=True)
    amount: Decimal = number_column()
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None
    warehouse: str | None = None
    custom: dict[str, str] = json_column()
    """Values of the company's own dimensions and fields, by the names that the connection has for them."""
    sources: list[dict[str, str]] = json_column("[]")
    """What it is converted from in the ERP, fixed when the write is planned: `document_id`, `line`, `quantity` of each
    source, receipts first (spec/matching.md 3.6), then the order itself."""
    reserves: bool = False
    """True while its quantity is part of P: saved by us and not yet inside the ERP's billed quantity."""
    gives_back: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Of a credit entered here: its quantity, below zero, gives back so much of the order line, and what the ERP says
    of the order does not include that yet, or never does."""
    settled_quantity: Decimal = number_column(zero=True)
    """While it reserves: what of its quantity is inside the ERP's billed quantity already, by parts of its bill; the
    sources of those parts are marked `settled`."""
    settled_amount: Decimal = number_column(zero=True)


class PaymentRow(SQLModel, table=True):
    """A payment, ours or made in the ERP; `amount` is in `currency`, the sum of its shares. `bill_id` is its first
    bill."""

    __tablename__ = "payments"
    __table_args__ = (
        Index("payments_by_age", "organization_id", "created_at", "id"),
        Index("payments_by_erp_id", "erp_id", "connection_id"),
        Index("payments_by_reference", "organization_id", "reference"),
        Index(
            "payments_ended_with_fees",
            "connection_id",
            postgresql_where=text("fees <> '[]' and status in ('abandoned', 'voided')"),
        ),
        Index(
            "payments_open",
            "connection_id",
            postgresql_where=text(
                "origin = 'posync' and status in ('scheduled', 'submitted', 'sync_issue', 'voiding')"
            ),
        ),
    )

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str = Field(foreign_key="connections.id")
    bill_id: str = Field(foreign_key="bills.id", index=True)
    origin: str
    status: str
    amount: Decimal = number_column()
    currency: str
    pay_on: date
    method: str
    bank_account: str
    stands_alone: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """It pays several bills, or one that was made in the ERP: its workflow is no bill's child."""
    paid_outside: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """The money has gone out already, on `pay_on`: it is only recorded."""
    reference: str | None = None
    """The number that people know it by: of a cheque, or the bank's."""
    external_id: str | None = None
    """What the caller's own system calls it."""
    net: Decimal | None = number_column(nullable=True)
    """What the vendor gets of it, where it has fees."""
    fees: list[dict[str, str]] = json_column("[]")
    """Kind and amount of each fee, those that became credits on the bill too."""
    void_on: date | None = None
    """The day of its void, where the ERP dates it; None: nobody asked for one."""
    void_why: str | None = None
    void_by: str | None = None
    submitted_on: date | None = None
    """The day it was sent to the ERP, where the connection's days begin; the ERP dates it so."""
    external_key: str | None = Field(default=None, index=True)
    erp_id: str | None = None
    erp_revision: str | None = None
    created_by: str
    version: int = 1
    created_at: datetime = instant_column(default_now=True)
    changed_at: datetime = instant_column(default_now=True)


class PaymentShareRow(SQLModel, table=True):
    """What a payment pays of one bill. A payment made in the ERP has a row per bill, with one share each."""

    __tablename__ = "payment_shares"
    __table_args__ = (Index("payment_shares_by_bill", "bill_id"),)

    payment_id: str = Field(foreign_key="payments.id", primary_key=True)
    bill_id: str = Field(foreign_key="bills.id", primary_key=True)
    amount: Decimal = number_column()


class ErpWriteRow(SQLModel, table=True):
    """The intent of one ERP write, stored with the change that caused it (DESIGN section 5, step 1)."""

    __tablename__ = "erp_writes"
    __table_args__ = (Index("erp_writes_by_order", "purchase_order_id", "sequence"),)

    external_key: str = Field(primary_key=True)
    sequence: int | None = Field(
        default=None, sa_column=Column(BigInteger, nullable=False, server_default=text("nextval('erp_write_sequence')"))
    )
    """The order in which the writes were planned: per purchase order they reach the ERP in this order."""
    connection_id: str = Field(foreign_key="connections.id", index=True)
    kind: str
    """bill | payment."""
    subject_id: str = Field(index=True)
    purchase_order_id: str | None = None
    state: str
    sent_at: datetime | None = instant_column(nullable=True)
    """When it was first sent; from then on it is looked up before it is sent again."""
    confirmed_at: datetime | None = instant_column(nullable=True)
    attempts: int = 0
    erp_id: str | None = None
    problem_code: str | None = None
    unknown_words: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    """While in doubt: the refusal that the ERP answered in words nobody knows."""
    request_id: str | None = None
    """Under which the ERP that takes request ids was first sent it; the same on every repeat, until it is refused."""
    created_at: datetime = instant_column(default_now=True)
