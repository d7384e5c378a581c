"""The rows. Columns only, no behaviour; all queries and upserts are in `models/store/`.

Money and quantities are NUMERIC without a scale (exact, as the ERP sent them), instants are timestamptz in UTC. Rows
of the mirror carry the ERP's id and revision; an older revision never overwrites a newer one (DESIGN section 5).

Indexes begin with what tells rows apart, not with the connection: PostgreSQL takes a connection it has no statistics of
for an empty one and would scan all of it for every row it looks up.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Numeric,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


def _instant(*, nullable: bool = False, default_now: bool = False) -> Any:
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),  # type: ignore[call-overload,unused-ignore]
        nullable=nullable,
        sa_column_kwargs={"server_default": func.now()} if default_now else {},
    )


def _number(*, nullable: bool = False, zero: bool = False) -> Any:
    return Field(
        default=Decimal(0) if zero else None,
        sa_type=Numeric,
        nullable=nullable,
        sa_column_kwargs={"server_default": text("0")} if zero else {},
    )


def _json(default: str = "{}") -> Any:
    return Field(sa_column=Column(JSONB, nullable=False, server_default=text(f"'{default}'::jsonb")))


# --- who -----------------------------------------------------------------------------------------------------


class OrganizationRow(SQLModel, table=True):
    __tablename__ = "organizations"

    id: str = Field(primary_key=True)
    name: str
    console_id: str | None = Field(default=None, foreign_key="organizations.id", index=True)
    """The accountant's console this organization is a client of (S4-44); see `models/store/clients.py`."""
    created_at: datetime = _instant(default_now=True)


class ApiKeyRow(SQLModel, table=True):
    """A caller of the API. Only the key's hash is kept."""

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id", index=True)
    key_hash: str = Field(unique=True)
    role: str
    label: str
    created_at: datetime = _instant(default_now=True)
    revoked_at: datetime | None = _instant(nullable=True)


class ConnectionRow(SQLModel, table=True):
    """One organization's link to one ERP company and entity (S2-14: company, user and entity together are unique)."""

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("erp", "company", "user_name", "entity", postgresql_nulls_not_distinct=True),)

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id", index=True)
    erp: str
    name: str
    company: str
    user_name: str
    entity: str | None = None
    endpoint: str
    settings: dict[str, Any] = _json()
    """Technical settings: allow_loopback, max_in_flight, timeout_seconds, read_lag_seconds, page_size."""
    credentials: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Encrypted; see `models/store/credentials.py`."""
    credentials_version: int = 1
    state: str
    """needs_preferences | ready | authentication_failed | disabled."""
    capabilities: dict[str, Any] = _json()
    preferences: dict[str, Any] = _json()
    """The sync preferences; transactions wait until they are complete (S2-55)."""
    preferences_complete: bool = False
    purchase_orders_enabled: bool = True
    match_mode: str = "two_way"
    one_way: bool = False
    """Bills and payments only go out; permanent once on (S2-52, S2-53)."""
    base_currency: str = "USD"
    first_import_from: date | None = None
    """Orders from this date on come in at the first import; None: the last three months (S1-11, S1-13)."""
    outage_since: datetime | None = _instant(nullable=True)
    problem_code: str | None = None
    problem_message: str | None = None
    sync_every_minutes: int | None = None
    """None: only when asked for; else a Temporal Schedule (S2-56)."""
    last_synced_at: datetime | None = _instant(nullable=True)
    match_again_since: datetime | None = _instant(nullable=True)
    """What waiting bills are matched with changed, and not all of their workflows were told; see
    `models/store/match_again.py`."""
    match_again_why: str = Field(default="", sa_column_kwargs={"server_default": ""})
    version: int = 1
    created_at: datetime = _instant(default_now=True)


# --- the mirror ----------------------------------------------------------------------------------------------


class CursorRow(SQLModel, table=True):
    """How far a stream was read, in the ERP's own clock. Moves only with the page's transaction."""

    __tablename__ = "cursors"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    stream: str = Field(primary_key=True)
    position: str
    updated_at: datetime = _instant(default_now=True)


class ListEntryRow(SQLModel, table=True):
    __tablename__ = "list_entries"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    kind: str = Field(primary_key=True)
    erp_id: str = Field(primary_key=True)
    key: str = Field(index=True)
    name: str
    active: bool
    entity: str | None = None
    revision: str | None = None
    attributes: dict[str, Any] = _json()
    content_hash: str
    deleted_at: datetime | None = _instant(nullable=True)
    seen_at: datetime = _instant(default_now=True)


class ClosedPeriodRow(SQLModel, table=True):
    """Through which day an entity's books are closed: by the ERP's word, and by an administrator's."""

    __tablename__ = "closed_periods"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    entity: str = Field(primary_key=True)
    """Empty: the whole company."""
    erp_closed_through: date | None = None
    set_closed_through: date | None = None
    """What an administrator set; the later of the two counts."""
    set_by: str | None = None
    version: int = 0
    """Counts what administrators set."""
    changed_at: datetime = _instant(default_now=True)


class PurchaseOrderRow(SQLModel, table=True):
    __tablename__ = "purchase_orders"
    __table_args__ = (
        UniqueConstraint("erp_id", "connection_id"),
        Index("purchase_orders_by_day", "connection_id", "ordered_on", "id"),
        Index("purchase_orders_by_document", "document_id", "connection_id"),
        Index("purchase_orders_by_number", "number", "connection_id"),
        Index("purchase_orders_by_vendor", "vendor_id", "connection_id", text("ordered_on desc")),
        Index(
            "purchase_orders_by_origin",
            "created_from",
            "connection_id",
            postgresql_where=text("created_from is not null"),
        ),
        Index("purchase_orders_to_wake", "connection_id", "id", postgresql_where=text("woken_hash <> content_hash")),
    )

    id: str = Field(primary_key=True)
    """`po_` and a hash of connection and ERP id: the same order has the same id however often it is imported."""
    connection_id: str = Field(foreign_key="connections.id")
    erp_id: str
    document_id: str
    number: str
    vendor_id: str
    vendor_name: str
    ordered_on: date
    due_on: date | None = None
    currency: str
    entity: str | None = None
    owner_entity: str | None = None
    memo: str = ""
    total: Decimal = _number()
    reference: str | None = None
    term: str | None = None
    erp_status: str
    status: str
    matching_status: str
    created_from: str | None = None
    custom: dict[str, Any] = _json()
    revision: str
    content_hash: str
    """Of header and lines as the ERP sent them; unchanged means: nothing to write, nobody to wake."""
    woken_hash: str = ""
    """The content the order's workflow was last told of."""
    snapshot: int = Field(default=1, sa_type=BigInteger)
    """Counts the contents we held; names the version in match results."""
    imported_at: datetime = _instant(default_now=True)
    changed_at: datetime = _instant(default_now=True)
    deleted_at: datetime | None = _instant(nullable=True)


class PurchaseOrderLineRow(SQLModel, table=True):
    __tablename__ = "purchase_order_lines"
    __table_args__ = (
        UniqueConstraint("purchase_order_id", "erp_id"),
        Index("purchase_order_lines_by_chain", "chain_line"),
    )

    purchase_order_id: str = Field(primary_key=True)
    """Without a foreign key: orders are never removed and lines only come with their order, so the check of every line
    on the page path, a sixth of its time, would prove nothing."""
    line_no: int = Field(primary_key=True)
    erp_id: str
    chain_line: str
    """The first line of its back-order chain (S5-25), as `<connection>/<erp id>`; the line itself without a chain."""
    source_line: str | None = None
    item_id: str
    description: str = ""
    unit: str = ""
    quantity: Decimal = _number()
    """O of the ledger."""
    price: Decimal = _number()
    amount: Decimal = _number()
    basis: str = Field(default="quantity", sa_column_kwargs={"server_default": text("'quantity'")})
    """quantity | amount: what bills on the line are judged by."""
    receivable: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    """False: no receipt is ever made of the line (S4-69); an item's own attribute may say so too."""
    converted: Decimal = _number(zero=True)
    """What the ERP counts as converted onwards, raw."""
    converted_amount: Decimal = _number(zero=True)
    """The money beside `converted`, raw."""
    received: Decimal = _number(zero=True)
    """R: the sum of our receipt lines for this line."""
    receipts_billed: Decimal = _number(zero=True)
    """How much of the receipts' quantity was billed onwards."""
    billed: Decimal = _number(zero=True)
    """E: what the ERP billed. Where receipts count as billed: converted - received + receipts_billed."""
    billed_amount: Decimal = _number(zero=True)
    credited: Decimal = _number(zero=True)
    """C: credited and still inside E; below zero where the ERP took off E what only lowered a price. It belongs to this
    E: where another one comes without it, nothing is freed."""
    credited_amount: Decimal = _number(zero=True)
    closed: bool = False
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None
    warehouse: str | None = None
    custom: dict[str, Any] = _json()
    deleted: bool = False


class ReceiptRow(SQLModel, table=True):
    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("erp_id", "connection_id"),
        Index("receipts_by_order", "order_document", "connection_id"),
    )

    id: str = Field(primary_key=True)
    connection_id: str = Field(foreign_key="connections.id")
    erp_id: str
    document_id: str
    number: str
    order_document: str | None = None
    purchase_order_id: str | None = Field(default=None, index=True)
    """None until the order is in the mirror; set by whichever of the two arrives later."""
    erp_status: str
    status: str
    vendor_id: str
    received_on: date
    memo: str = ""
    entity: str | None = None
    owner_entity: str | None = None
    revision: str
    content_hash: str
    deleted_at: datetime | None = _instant(nullable=True)


class ReceiptLineRow(SQLModel, table=True):
    __tablename__ = "receipt_lines"
    __table_args__ = (Index("receipt_lines_by_order_line", "order_line"),)

    receipt_id: str = Field(foreign_key="receipts.id", primary_key=True)
    line_no: int = Field(primary_key=True)
    erp_id: str
    order_line: str | None = None
    """The ERP id of the purchase order line it received."""
    item_id: str
    description: str = ""
    unit: str = ""
    quantity: Decimal = _number()
    billed: Decimal = _number(zero=True)


class SkippedRecordRow(SQLModel, table=True):
    """A record of the ERP that is left out on purpose, with the reason (S1-16)."""

    __tablename__ = "skipped_records"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    stream: str = Field(primary_key=True)
    erp_id: str = Field(primary_key=True)
    number: str
    code: str
    reason: str
    revision: str
    skipped_at: datetime = _instant(default_now=True)


# --- ours ----------------------------------------------------------------------------------------------------


class BillRow(SQLModel, table=True):
    __tablename__ = "bills"
    __table_args__ = (
        Index("bills_by_age", "organization_id", "created_at", "id"),
        Index("bills_by_erp_id", "erp_id", "connection_id"),
        Index("bills_by_payable", "payable_id", "connection_id"),
        Index("bills_by_document", "document_id", "connection_id"),
        Index("bills_by_number", "number_key", "vendor_id", "connection_id"),
        Index("bills_by_total", "total", "vendor_id", "connection_id"),
        Index("bills_with_edits", "id", postgresql_where=text("edit_pending")),
        Index("bills_with_news", "connection_id", postgresql_where=text("has_news")),
        Index("bills_applied", "connection_id", postgresql_where=text("applied <> '[]'")),
        Index(
            "bills_once",
            "number_key",
            "vendor_id",
            "connection_id",
            unique=True,
            postgresql_where=text("status not in ('deleted', 'abandoned') and origin = 'posync'"),
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
    reference: str | None = None
    origin: str
    status: str
    match_outcome: str | None = None
    bill_date: date
    posting_date: date
    due_date: date | None = None
    currency: str
    memo: str = ""
    total: Decimal = _number()
    """Lines + charges + tax - discount."""
    invoice_total: Decimal | None = _number(nullable=True)
    """The total the supplier printed, where the caller gave it."""
    charges: list[dict[str, str]] = _json("[]")
    """Money beyond the order's lines: `class` (freight, surcharge, other), `amount`, `description`."""
    tax: Decimal = _number(zero=True)
    discount: Decimal = _number(zero=True)
    paid: Decimal = _number(zero=True)
    external_key: str | None = Field(default=None, index=True)
    erp_id: str | None = None
    document_id: str | None = None
    payable_id: str | None = None
    erp_revision: str | None = None
    payable_revision: str | None = None
    """The revision of the payable behind it, which changes with every payment."""
    applied: list[dict[str, str]] = _json("[]")
    """Of a credit made in the ERP: `bill_erp_id` and `amount` of each bill it is applied to."""
    linked_in_erp: bool = False
    order_document: str | None = None
    """The order the ERP links it to, kept while that order is not in the mirror."""
    receipt_document: str | None = None
    """The receipt it was converted from, if it was (S1-20)."""
    manual_both_sides: bool = False
    """Linked by hand behind a receipt: edits are made by hand in both systems (S1-21, S1-22)."""
    edit_pending: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    has_news: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """It was paid or deleted in the ERP, and its workflow may not have heard of it."""
    """Edited here after the sync; the ERP has not been seen to hold the edit yet (S5-136)."""
    edition: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """Names the last edit made after the sync: the bill's version when it was made."""
    edit_undo: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    """What the ERP holds of the fields that may be edited, while an edit is pending."""
    created_by: str
    version: int = 1
    created_at: datetime = _instant(default_now=True)
    changed_at: datetime = _instant(default_now=True)


class BillLineRow(SQLModel, table=True):
    __tablename__ = "bill_lines"
    __table_args__ = (
        ForeignKeyConstraint(
            ["purchase_order_id", "purchase_order_line_no"],
            ["purchase_order_lines.purchase_order_id", "purchase_order_lines.line_no"],
            onupdate="CASCADE",
        ),
        Index("bill_lines_by_order_line", "purchase_order_id", "purchase_order_line_no"),
    )

    bill_id: str = Field(foreign_key="bills.id", primary_key=True)
    line_no: int = Field(primary_key=True)
    purchase_order_id: str | None = None
    purchase_order_line_no: int | None = None
    item_id: str | None = None
    account: str | None = None
    description: str = ""
    quantity: Decimal | None = _number(nullable=True)
    """In the order line's unit; where that is no exact decimal, rounded, and `exact_quantity` is what counts."""
    exact_quantity: str | None = None
    """`n/d`, only where `quantity` is rounded (7 of a dozen)."""
    unit: str = ""
    billed_quantity: Decimal | None = _number(nullable=True)
    """As the supplier billed it, in `billed_unit`; both None where that is the order's unit."""
    billed_unit: str | None = None
    price: Decimal | None = _number(nullable=True)
    amount: Decimal = _number()
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None
    sources: list[dict[str, str]] = _json("[]")
    """What it is converted from in the ERP, fixed when the write is planned: `document_id`, `line`, `quantity` of each
    source, receipts first (spec/matching.md 3.6), then the order itself."""
    reserves: bool = False
    """True while its quantity is part of P: saved by us and not yet inside the ERP's billed quantity."""


class MatchResultRow(SQLModel, table=True):
    """One match with its inputs: recomputable, and kept also for bills that were refused. A bill that is matched again
    gets a further row; the last one counts."""

    __tablename__ = "match_results"
    __table_args__ = (Index("match_results_by_age", "connection_id", "created_at", "id"),)

    id: str = Field(primary_key=True)
    connection_id: str = Field(foreign_key="connections.id")
    purchase_order_id: str = Field(index=True)
    bill_id: str | None = Field(default=None, index=True)
    outcome: str
    mode: str
    why: str = ""
    """Why it was matched: saved, or what changed since."""
    result: dict[str, Any] = _json()
    created_at: datetime = _instant(default_now=True)


class MatchDecisionRow(SQLModel, table=True):
    """A person's word on one finding of a bill's match: a warning acknowledged, a hold released."""

    __tablename__ = "match_decisions"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    bill_id: str = Field(foreign_key="bills.id", index=True)
    kind: str
    """acknowledged | released."""
    finding: dict[str, Any] = _json()
    """As it stood: one that got worse since is not covered by this word."""
    actor: str
    why: str = ""
    at: datetime = _instant(default_now=True)


class TolerancePolicyRow(SQLModel, table=True):
    """How much a bill may differ from its order, in one scope; the columns that are set say which (rules 3.4)."""

    __tablename__ = "tolerance_policies"
    __table_args__ = (
        UniqueConstraint(
            "organization_id",
            "connection_id",
            "vendor_id",
            "item_id",
            "category",
            "entity",
            name="tolerance_policies_once",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str | None = Field(default=None, foreign_key="connections.id")
    vendor_id: str | None = None
    item_id: str | None = None
    category: str | None = None
    entity: str | None = None
    terms: dict[str, Any] = _json()
    """The bands by check and the flags, as `matching.policy.TolerancePolicy` writes them."""
    version: int = 1
    created_by: str
    created_at: datetime = _instant(default_now=True)
    changed_at: datetime = _instant(default_now=True)


class UnitFactorRow(SQLModel, table=True):
    """What a person told us about a unit: one `unit` is numerator / denominator `order_unit` (matching rules 3.6)."""

    __tablename__ = "unit_factors"
    __table_args__ = (Index("unit_factors_by_item", "item_id", "vendor_id", "connection_id"),)

    id: str = Field(primary_key=True)
    """Derived from the columns below, so that one pair of units has one factor."""
    connection_id: str = Field(foreign_key="connections.id")
    vendor_id: str
    item_id: str
    unit: str
    order_unit: str
    numerator: Decimal = _number()
    denominator: Decimal = _number()
    told_by: str
    version: int = 1
    changed_at: datetime = _instant(default_now=True)


class PaymentRow(SQLModel, table=True):
    __tablename__ = "payments"
    __table_args__ = (
        Index("payments_by_age", "organization_id", "created_at", "id"),
        Index("payments_by_erp_id", "erp_id", "connection_id"),
    )

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str = Field(foreign_key="connections.id")
    bill_id: str = Field(foreign_key="bills.id", index=True)
    origin: str
    status: str
    amount: Decimal = _number()
    currency: str
    pay_on: date
    method: str
    bank_account: str
    external_key: str | None = Field(default=None, index=True)
    erp_id: str | None = None
    erp_revision: str | None = None
    created_by: str
    version: int = 1
    created_at: datetime = _instant(default_now=True)
    changed_at: datetime = _instant(default_now=True)


class ErpWriteRow(SQLModel, table=True):
    """The intent of one ERP write, stored with the change that caused it (DESIGN section 5, step 1)."""

    __tablename__ = "erp_writes"
    __table_args__ = (Index("erp_writes_by_order", "purchase_order_id", "sequence"),)

    external_key: str = Field(primary_key=True)
    sequence: int | None = Field(
        default=None, sa_column=Column(BigInteger, nullable=False, server_default=text("nextval('erp_write_sequence')"))
    )
    """The order in which the writes were planned: they reach the ERP in this order per purchase order."""
    connection_id: str = Field(foreign_key="connections.id", index=True)
    kind: str
    """bill | payment."""
    subject_id: str = Field(index=True)
    purchase_order_id: str | None = None
    body_hash: str
    state: str
    sent_at: datetime | None = _instant(nullable=True)
    """The first time it was sent; from then on it is looked up before it is sent again."""
    confirmed_at: datetime | None = _instant(nullable=True)
    attempts: int = 0
    erp_id: str | None = None
    problem_code: str | None = None
    created_at: datetime = _instant(default_now=True)


class SyncRunRow(SQLModel, table=True):
    __tablename__ = "sync_runs"

    id: str = Field(primary_key=True)
    connection_id: str = Field(foreign_key="connections.id", index=True)
    trigger: str
    """person | schedule | connect."""
    state: str
    """running | completed | failed."""
    started_at: datetime = _instant(default_now=True)
    finished_at: datetime | None = _instant(nullable=True)
    counts: dict[str, Any] = _json()
    """Per stream: seen, changed, skipped, bad, pages; and erp_calls, woken."""
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
    """connection | purchase_order | receipt | bill | payment | list_entry."""
    subject_id: str
    title: str
    cause: str
    evidence: dict[str, Any] = _json()
    fix: list[str] = _json("[]")
    who: str
    state: str
    """open | resolved | abandoned."""
    workflow_id: str | None = None
    """Whom `retry` and `abandon` are sent to."""
    occurrences: int = 1
    opened_at: datetime = _instant(default_now=True)
    last_seen_at: datetime = _instant(default_now=True)
    closed_at: datetime | None = _instant(nullable=True)
    closed_by: str | None = None


class NoticeRow(SQLModel, table=True):
    """Something a person should know, with nothing waiting for it (S1-07, S1-18)."""

    __tablename__ = "notices"
    __table_args__ = (Index("notices_by_age", "organization_id", "created_at", "id"),)

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str | None = Field(default=None, foreign_key="connections.id")
    code: str
    subject_kind: str
    subject_id: str
    message: str
    created_at: datetime = _instant(default_now=True)
    read_at: datetime | None = _instant(nullable=True)


class EventRow(SQLModel, table=True):
    """Every state change of a bill, a payment and a PO link; append-only, held by a trigger (DESIGN section 7)."""

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
    at: datetime = _instant(default_now=True)


class RequestRow(SQLModel, table=True):
    """A write that came in over the API, kept by its Idempotency-Key: same key and body, same answer."""

    __tablename__ = "requests"
    __table_args__ = (Index("requests_with_answers", "created_at", postgresql_where=text("answer is not null")),)

    organization_id: str = Field(foreign_key="organizations.id", primary_key=True)
    key: str = Field(primary_key=True)
    route: str
    body_hash: str
    body: dict[str, Any] = _json()
    actor: str
    status: int | None = None
    """The HTTP status of the stored answer; None while the work is under way."""
    answer: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    """None beside a status: it was kept long enough (`POSYNC_KEEP_ANSWERS_DAYS`)."""
    created_at: datetime = _instant(default_now=True)
