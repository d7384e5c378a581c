"""Define the rows of connections: how an ERP is reached, how far it was read, its lists and closed periods."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from models.domain.currencies import ASSUMED_BASE_CURRENCY
from models.tables.columns import instant_column, json_column


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
    settings: dict[str, Any] = json_column()
    """Technical settings: allow_loopback, max_in_flight, timeout_seconds, read_lag_seconds, page_size."""
    credentials: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Encrypted; see `models/store/connections/credentials.py`."""
    credentials_version: int = 1
    state: str
    """A `ConnectionState`. While it is pending, `company` is a unique placeholder."""
    capabilities: dict[str, Any] = json_column()
    preferences: dict[str, Any] = json_column()
    """The sync preferences; transactions wait until they are complete (S2-55)."""
    preferences_complete: bool = False
    purchase_orders_enabled: bool = False
    """Off until an administrator switches them on (S4-04)."""
    match_mode: str = "two_way"
    one_way: bool = False
    """Bills and payments only go out; permanent once on (S2-52, S2-53)."""
    approvals_enabled: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    push_when: str = Field(default="matched", sa_column_kwargs={"server_default": text("'matched'")})
    """A `models.domain.approvals.PushWhen`: what bills wait for before they are sent."""
    only_approved: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    draft_order_bills: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Only approved bills are sent; permanent once on (S2-58, S2-59)."""
    retract_by: str = Field(default="delete", sa_column_kwargs={"server_default": text("'delete'")})
    """A `models.domain.retractions.RetractBy`: how its bills on orders are taken back from the ERP."""
    retract_direct_by: str = Field(default="delete", sa_column_kwargs={"server_default": text("'delete'")})
    """The same for its bills without an order."""
    list_masters: dict[str, Any] = json_column()
    """By `ListKind`, a `models.domain.list_changes.ListMaster`; of a list that is not named, the ERP is the master."""
    list_level: str = Field(default="entity", sa_column_kwargs={"server_default": text("'entity'")})
    """A `models.domain.list_changes.ListLevel`."""
    vendor_ids: str = Field(default="given", sa_column_kwargs={"server_default": text("'given'")})
    """A `models.domain.list_changes.VendorIds`."""
    dimensions: dict[str, Any] = json_column()
    """By `models.domain.accounting_settings.Dimension`, whether bills carry it; one that is not named is carried."""
    posting_day: str = Field(default="bill_date", sa_column_kwargs={"server_default": text("'bill_date'")})
    """A `models.domain.accounting_settings.PostingDay`."""
    base_currency: str = ASSUMED_BASE_CURRENCY
    """What the ERP's books are kept in: orders and bills in another currency are left out."""
    base_currency_from: str = Field(default="assumed", sa_column_kwargs={"server_default": text("'assumed'")})
    """A `models.domain.connections.BaseCurrencySource`."""
    erp_facts: dict[str, Any] = json_column()
    """What the ERP's company said of itself when it last called: its edition and what is switched on there."""
    time_zone: str | None = None
    """Where days begin and end, by its IANA name; None: nobody said, and days are those of UTC."""
    first_import_from: date | None = None
    """Orders from this date on are read at the first import; None: the last three months (S1-11, S1-13)."""
    outage_since: datetime | None = instant_column(nullable=True)
    problem_code: str | None = None
    problem_message: str | None = None
    sync_every_minutes: int | None = None
    """None: sync only when asked; else by a Temporal Schedule (S2-56)."""
    last_synced_at: datetime | None = instant_column(nullable=True)
    """When the last completed run began: what changed in the ERP until then is in the mirror."""
    sync_problem_since: datetime | None = instant_column(nullable=True)
    """Since when the sync cannot read; None: it can. `outage_since` is about all calls to the ERP."""
    sync_problem_code: str | None = None
    sync_problem_message: str | None = None
    rematch_requested_at: datetime | None = instant_column(nullable=True)
    """Set when something that bills in review are matched with changed and not all of their workflows were notified;
    see `models/store/policies/rematch_requests.py`."""
    rematch_why: str = Field(default="", sa_column_kwargs={"server_default": ""})
    version: int = 1
    created_at: datetime = instant_column(default_now=True)


class CursorRow(SQLModel, table=True):
    """How far a stream was read, by the ERP's own clock. It moves only in the page's transaction."""

    __tablename__ = "cursors"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    stream: str = Field(primary_key=True)
    position: str
    updated_at: datetime = instant_column(default_now=True)


class ListEntryRow(SQLModel, table=True):
    """One vendor, account, item or other list entry of the ERP."""

    __tablename__ = "list_entries"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    kind: str = Field(primary_key=True)
    erp_id: str = Field(primary_key=True)
    key: str = Field(index=True)
    name: str
    active: bool
    entity: str | None = None
    revision: str | None = None
    attributes: dict[str, Any] = json_column()
    kept_here: dict[str, Any] = json_column()
    """Values that people gave here and the ERP has no field for."""
    content_hash: str
    deleted_at: datetime | None = instant_column(nullable=True)
    seen_at: datetime = instant_column(default_now=True)


class ClosedPeriodRow(SQLModel, table=True):
    """Closed-through date of an entity's books: the ERP's and the administrator's."""

    __tablename__ = "closed_periods"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True)
    entity: str = Field(primary_key=True)
    """Empty: the whole company."""
    erp_closed_through: date | None = None
    set_closed_through: date | None = None
    """The administrator's date; the later of the two counts."""
    set_by: str | None = None
    version: int = 0
    """Counts the administrators' changes."""
    changed_at: datetime = instant_column(default_now=True)


class ConnectionTokensRow(SQLModel, table=True):
    """The tokens that a connection's ERP changed last; see `models/store/connections/tokens.py`."""

    __tablename__ = "connection_tokens"

    connection_id: str = Field(primary_key=True, foreign_key="connections.id")
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """Encrypted. None: they were never changed."""
    credentials_version: int
    """The version of the credentials that these tokens come from: new credentials replace the tokens, too."""
    changed_at: datetime = instant_column(default_now=True)


class ConsentRow(SQLModel, table=True):
    """A consent somebody was sent to the ERP for: bound to tenant, connection, who started it and the browser in which
    it was opened; used once."""

    __tablename__ = "consents"

    state_digest: str = Field(primary_key=True)
    """Of the state, which only the browser has."""
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str = Field(foreign_key="connections.id", ondelete="CASCADE")
    started_by: str
    api_key_id: str | None = Field(default=None, foreign_key="api_keys.id")
    """The key it was started with: once that is revoked, nobody may complete it."""
    page: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """Encrypted: the address of the ERP's own page."""
    browser_digest: str | None = None
    """Of the cookie of the browser in which it was opened; None: in none yet."""
    redirect: str
    verifier: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """Encrypted; only where the ERP takes PKCE."""
    expires_at: datetime = instant_column()
    used_at: datetime | None = instant_column(nullable=True)


class MeteredReadsRow(SQLModel, table=True):
    """How many reads a connection made in a month, where the ERP counts them."""

    __tablename__ = "metered_reads"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True, ondelete="CASCADE")
    month: date = Field(primary_key=True)
    reads: int = Field(sa_column=Column(BigInteger, nullable=False))


class RefusedReadsRow(SQLModel, table=True):
    """Since when a connection's metered reads are refused without one success; no row: the last one succeeded."""

    __tablename__ = "refused_reads"

    connection_id: str = Field(foreign_key="connections.id", primary_key=True, ondelete="CASCADE")
    since: datetime = instant_column()
    until: datetime = instant_column()
    """Until when the ERP asked to wait."""
    refusals: int
    used_up: bool
