"""What every ERP must be able to do for us, in our words. Activities see nothing else of an ERP.

A connector is bound to one connection (company, entity, credentials). It never retries and never sleeps on its
own account: it raises a typed error (`erp/errors.py`) and Temporal decides. Every write takes an external key and
is safe to repeat in combination with `find_*` (DESIGN section 5).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Generic, NamedTuple, Protocol, TypeVar

from models.domain import (
    BillToPush,
    ChargeKind,
    Deletion,
    DocumentId,
    ErpBill,
    ErpId,
    ErpPayment,
    HeldRecords,
    ListEntry,
    ListKind,
    MatchingStatus,
    MatchMode,
    PaymentToPush,
    PoStatus,
    PurchaseOrder,
    PurchaseOrderHeader,
    PurchaseOrderSnapshot,
    PushedBill,
    PushedPayment,
    Receipt,
    ReceiptStatus,
    Record,
    Stream,
)


class Capabilities(Record):
    """What this ERP offers; the support matrix of ruling G5. The API shows it and refuses the rest with a reason."""

    po_in: bool
    receipt_in: bool
    match_modes: tuple[MatchMode, ...]
    deletions_feed: bool
    """Whether the ERP tells what was deleted; where it does not, a sweep finds what is gone, once a day."""
    several_sources_per_bill: bool
    """One bill may be converted from several documents (field note U-22)."""
    charges: tuple[ChargeKind, ...] = ()
    """The money beyond its lines that a bill can carry there; one with another kind is refused before it is saved."""
    receipts_count_as_billed: bool
    """A receipt is a conversion of the order there, so an order line's `billed` includes what was received."""
    bill_in_advance: bool | None = None
    """Whether the ERP takes a bill of what was not received yet (S4-70); None where it is not known or no question."""
    credits_name_orders: bool = False
    """Whether it tells which order lines its vendor credits take back, so that these may be billed again."""
    bills_of_other_vendors: bool = True
    """Whether a bill of another vendor than the order's can be linked to the order there."""


class PreferenceProblem(Record):
    """One sync preference that would make the sync fail, found before it does."""

    code: str
    preference: str
    message: str
    fix: tuple[str, ...]


class ConnectionCheck(Record):
    """What signing in told us."""

    company: str
    entity: str | None
    user: str
    endpoint: str
    """The address the ERP assigned; calls go there from now on."""
    capabilities: Capabilities


class Statuses(NamedTuple):
    """Both meanings of one ERP status; `po` is None for states a person never sees (drafts and approvals, S4-61)."""

    po: PoStatus | None
    matching: MatchingStatus


T = TypeVar("T", covariant=True)


class BadRecord(Record):
    """A record that cannot be taken in. It becomes a sync issue by name; all others go on (fault F13)."""

    erp_id: str
    code: str
    message: str
    evidence: Mapping[str, str] = {}


class Page(NamedTuple, Generic[T]):
    """Some records in the ERP's stable order.

    `after` resumes behind the last one; None means that this was the last page. `high_water` is the highest revision
    on the page, in the ERP's own clock: the stream's next cursor once the whole stream was read.
    """

    records: Sequence[T]
    after: str | None
    high_water: str | None
    bad: Sequence[BadRecord] = ()


class Stamp(NamedTuple):
    """That a record exists in this revision: enough to tell whether we hold it already."""

    stream: Stream
    kind: str
    """For lists the `ListKind`; for documents the stream's own name."""
    erp_id: ErpId
    revision: str


class Peek(NamedTuple):
    """What changed since the cursors, as stamps: one call for a whole connection.

    `unread` names the streams with more changes than a peek returns: they must be read, whatever we hold.
    `closed_through` is the last closed day of the books by entity, "" for the whole company, None where all of them are
    open; entities the ERP says nothing of are left out. `deletions_feed` is False where the delete feed was asked for
    and may not be read: deletions are then found by a sweep.
    """

    stamps: Sequence[Stamp]
    unread: frozenset[Stream]
    closed_through: Mapping[str, date | None] = {}
    deletions_feed: bool = True


class Swept(NamedTuple):
    """What a sweep found."""

    gone: Sequence[HeldRecords]
    """Records that do not exist any more, in groups as they were given."""
    not_searched: Sequence[str] = ()
    """Entities that could not be entered: nothing is said of what they own."""


class Sweep(Protocol):
    """The other way to find deletions, for who may not read the delete feed: what we hold against what is there."""

    why: str
    """Why there is no feed, for people."""

    async def swept(self, held: Sequence[HeldRecords]) -> Swept:
        """Which of these records are gone. One that is merely not visible must never be among them: every suspicion is
        asked for once more, another way, before it is said."""
        ...


class ErpConnector(Protocol):
    """One connection's ERP. Ranges are half open; `since` and revisions are in the ERP's own clock, as text."""

    capabilities: Capabilities

    # --- settings -------------------------------------------------------------------------------------------
    async def check(self) -> ConnectionCheck:
        """Sign in at the connection's level. Raises AuthenticationFailed with a code that says what is wrong."""
        ...

    async def check_preferences(self, preferences: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        """Prove the sync preferences against the ERP (template names are case-sensitive, S4-62)."""
        ...

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        """The meaning of an order's status, or None when the word is unknown (UNKNOWN_ERP_STATUS, ruling G3)."""
        ...

    def receipt_status(self, erp_status: str) -> ReceiptStatus | None:
        """The meaning of a receipt's status, or None when the word is unknown."""
        ...

    # --- reading --------------------------------------------------------------------------------------------
    async def peek(self, since: Mapping[Stream, str]) -> Peek:
        """What changed since each stream's cursor, overlap included, in as few calls as the ERP allows.

        Without any cursor only how far the books are closed."""
        ...

    async def list_entries(self, kinds: Sequence[ListKind], *, since: str | None, after: str | None) -> Page[ListEntry]:
        """A page of list entries over the given kinds."""
        ...

    async def purchase_order_headers(
        self, *, since: str | None, ordered_from: date | None, after: str | None, open_in: MatchMode | None
    ) -> Page[PurchaseOrderHeader]:
        """A page of orders changed since a cursor. On a first import `since` is None, `ordered_from` and `open_in`
        keep out what would not be imported anyway (S1-11, S1-14)."""
        ...

    async def purchase_order_lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        """The given orders with their lines, set-wise. `after` is always None: all are answered or it raises."""
        ...

    async def receipts(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        """A page of receipts changed since a cursor, with lines."""
        ...

    async def bills(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        """A page of bills changed since a cursor, ours and theirs, with what is paid and due."""
        ...

    async def payments(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        """A page of payments changed since a cursor, with their shares."""
        ...

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion] | Sweep:
        """A page of the ERP's delete feed; where this user may not read it, the sweep that does instead of it."""
        ...

    async def purchase_order(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        """One order with receipts, billings and credits, read at one moment. Raises NotFound."""
        ...

    async def purchase_orders_whole(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        """Many orders read whole. Those that the ERP cannot show are left out."""
        ...

    # --- writing --------------------------------------------------------------------------------------------
    async def find_bill(self, bill: BillToPush) -> DocumentId | None:
        """The bill an earlier attempt with this external key made, if any."""
        ...

    async def create_bill(self, bill: BillToPush) -> DocumentId:
        """Create the bill. A second call with the same key never makes a second one: it raises Duplicate."""
        ...

    async def update_bill(self, bill: BillToPush, document_id: DocumentId, *, edition: int) -> None:
        """Bring the edited fields to what the bill says now: memo, due date, and per line description, department,
        location, class, project. Values are absolute, so it is safe to repeat; Duplicate: this edition was taken."""
        ...

    async def read_bill(self, bill: BillToPush, document_id: DocumentId) -> PushedBill:
        """Read the bill back and compare it with what was sent, PO link included; an edit's fields alone."""
        ...

    async def find_payment(self, payment: PaymentToPush) -> ErpId | None:
        """The payment an earlier attempt with this external key made, if any."""
        ...

    async def create_payment(self, payment: PaymentToPush) -> ErpId:
        """Create the payment against the payable that now stands behind the bill."""
        ...

    async def read_payment(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        """Read the payment back, and what it left due on the bill."""
        ...

    async def close(self) -> None:
        """Give back what the connector holds (HTTP connections)."""
        ...


class Credentials(Record):
    """What a connection signs in with; decrypted only inside an activity, never in a workflow or a log.

    The keys are the ERP's own (Intacct: `sender_id`, `sender_password`, `company`, `user`, `password`, `entity`).
    """

    values: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self.values))})"

    __str__ = __repr__


class ConnectionSettings(Record):
    """What an ERP's connector is built from, besides credentials."""

    endpoint: str
    preferences: Mapping[str, str] = {}
    """The sync preferences (Intacct: `po_template`, `vendor_invoice_template`, `receiver_template` ...)."""
    allow_loopback: bool = False
    """Accept endpoints on this machine: the sandbox. Off, only the vendor's own hosts are trusted."""
    max_in_flight: int = 1
    timeout_seconds: float = 60
    read_lag_seconds: int = 120
    """How long the ERP's reads may lag its writes; after a lost answer, 'not found' is believed only later."""
    page_size: int | None = None
    """None: the API's maximum."""


class ConnectorFactory(Protocol):
    """How a connector is made: one per ERP folder, registered in `erp/registry.py`."""

    def __call__(self, settings: ConnectionSettings, credentials: Credentials) -> ErpConnector: ...


class SigningIn(NamedTuple):
    """What a person gives to connect one kind of ERP: known before there is a connection to ask.

    Every ERP folder has its own in `signing_in.py`.
    """

    credentials: tuple[str, ...]
    """The names of what must be given; all of them are text."""
    may_be_given: tuple[str, ...]
    """What may be given besides."""
    default_endpoint: Callable[[Mapping[str, str]], str]
    """The vendor's own address for these credentials: some vendors give every customer a host of its own."""
    max_in_flight: int
    """How many calls at once are polite, for an account that other programs use too."""

    def missing(self, given: Mapping[str, str]) -> list[str]:
        """What is not given, or empty."""
        return [name for name in self.credentials if not given.get(name)]

    def unknown(self, given: Mapping[str, str]) -> list[str]:
        """What this ERP has no use for; usually a misspelt name."""
        return sorted(set(given) - {*self.credentials, *self.may_be_given})
