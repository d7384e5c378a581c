"""Define what every ERP connector must be able to do, in our own words. Activities see nothing else of an ERP.

A connector is bound to one connection (company, entity, credentials). It never retries and never sleeps: it raises a
typed error (`erp/errors.py`) and Temporal decides. Every write takes an external key; together with `find` it is safe
to repeat.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol, TypeVar

from erp.capabilities import Capabilities
from erp.clock import ErpClock
from erp.errors import Rejected
from erp.exchanges import ExchangeJournal
from erp.pages import ChangeSet, Page, ScanResult
from erp.sign_in import Credentials
from erp.tokens import TokenStore
from models.domain.bill_parts import PartInErp
from models.domain.bills import BillToPush, DirectBillToPush, ErpBill, PushedBill
from models.domain.connections import MatchMode
from models.domain.credits import ApplicationToPush, AppliedCredit, CreditToPush
from models.domain.ids import DocumentId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import (
    MatchingStatus,
    PoStatus,
    PurchaseOrder,
    PurchaseOrderHeader,
    PurchaseOrderSnapshot,
)
from models.domain.payments import ErpPayment, PartPaid, PaymentToPush, PaymentToVoid, PushedPayment
from models.domain.receipts import Receipt, ReceiptStatus
from models.domain.record import Record
from models.domain.retractions import BillToRetract, RetractBy, RetractedBill
from models.domain.setup_checks import SetupCheck
from models.domain.source_orders import OrderToUpload, UploadedOrder
from models.domain.sync import Deletion, MirroredIds, Stream


class PreferenceProblem(Record):
    """A sync preference that would make the sync fail, found before it does."""

    code: str
    preference: str
    message: str
    fix: tuple[str, ...]


class ConnectionCheck(Record):
    """What the ERP reported when we signed in."""

    company: str
    entity: str | None
    user: str
    endpoint: str
    """The address the ERP assigned; from now on, calls go there."""
    capabilities: Capabilities
    base_currency: str | None = None
    """The currency that the books of the company, or of the entity, are kept in; None: the ERP does not say."""


class Statuses(NamedTuple):
    """The two meanings of one ERP status. `po` is None for states a person never sees (drafts and approvals)."""

    po: PoStatus | None
    matching: MatchingStatus


# --- the roles -------------------------------------------------------------------------------------------------
# Ranges are half open; `since` and revisions are in the ERP's own clock, as text. `after` is opaque to callers and may
# be given to another connector of the same connection, in another process, hours later: it holds all that is needed to
# go on. A page number or a date does; a cursor that lives in the ERP's session does not.


class PurchaseOrders(Protocol):
    """Reads purchase orders as the ERP holds them."""

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        """Return the meaning of an order's status, or None if the status is unknown (UNKNOWN_ERP_STATUS)."""
        ...

    async def headers(
        self,
        *,
        since: str | None,
        ordered_from: date | None,
        after: str | None,
        open_in: MatchMode | None,
        window: str = "",
    ) -> Page[PurchaseOrderHeader]:
        """Read a page of orders changed since a cursor. On a first import `since` is None, and `ordered_from` and
        `open_in` leave out orders that would not be imported anyway. `window` is that of the run's own change set: what
        another run detected must not be taken for this one's."""
        ...

    async def lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        """Read the given orders with their lines, many per call. `after` is always None: it returns all of them or
        raises."""
        ...

    async def read(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        """Read one order with its receipts, billings and credits, as of one moment.

        Raises:
            NotFound: the ERP does not have the order.
        """
        ...

    async def read_many(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        """Read many orders in the same way. Orders that the ERP cannot show are left out."""
        ...


class Receipts(Protocol):
    """Reads what was received of orders. An ERP may have no receipts; it then offers 2-way matching only."""

    def status(self, erp_status: str) -> ReceiptStatus | None:
        """Return the meaning of a receipt's status, or None if the status is unknown."""
        ...

    async def page(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        """Read a page of receipts changed since a cursor, with lines."""
        ...


class Bills(Protocol):
    """Reads and writes bills. Fields that only some ERPs use (a payable beside the document, the entity that owns it)
    are optional and are passed on unchanged."""

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        """Read a page of bills changed since a cursor, those made here and those made in the ERP, with what is paid and
        due."""
        ...

    async def numbered(self, vendor_id: str, number: str) -> Sequence[ErpBill]:
        """Return the vendor's bills with this supplier's invoice number, ours included, in the form of `page`: one call
        where there is none."""
        ...

    async def find(self, bill: BillToPush) -> DocumentId | None:
        """Return the bill that an earlier attempt with this external key created; None: there is none."""
        ...

    async def create(self, bill: BillToPush) -> DocumentId:
        """Create the bill. A repeat with the same key never creates a second one: it raises Duplicate, or returns the
        id of the first.

        Raises:
            Duplicate: the ERP has a record with this key or number.
            Rejected: a business rule of the ERP refused the bill.
        """
        ...

    async def update(self, bill: BillToPush, document_id: DocumentId, *, edition: int) -> None:
        """Send the edited fields as the bill has them now: memo, due date, and per line description, department,
        location, class, project.

        Values are absolute, so a repeat is safe: an edition that was taken before raises Duplicate or changes nothing
        more.

        Raises:
            Duplicate: the ERP took this edition before.
            Rejected: a business rule of the ERP refused the edit.
        """
        ...

    async def repair_link(self, bill: BillToPush, document_id: DocumentId) -> bool:
        """Link a bill of ours whose link to its order the ERP dropped, where that can be done without a second bill.
        Returns whether the ERP took it; `read_back` shows the result. A repeat changes nothing more.

        Raises:
            Stale: somebody changed the bill meanwhile; the next attempt reads it again.
        """
        ...

    async def read_back(self, bill: BillToPush, document_id: DocumentId, *, with_order: bool = True) -> PushedBill:
        """Read the bill back and compare it with what was sent, the order link included. After an edit, only the edited
        fields are compared. Without `with_order` the result has no snapshot of the order, if that saves a call.

        Raises:
            OutcomeUnknown: the ERP's reads do not show the bill yet.
        """
        ...


class Retractions(Protocol):
    """Takes bills back that were written here. The ways it has are the capability `retract_by`."""

    async def take_back(self, bill: BillToRetract) -> None:
        """Take the bill back in its way. A repeat is safe: it takes nothing back twice.

        Raises:
            Duplicate: an earlier attempt took it back.
            NotFound: the ERP does not have the bill.
            Rejected: a business rule of the ERP refused it.
        """
        ...

    async def shows(self, bill: BillToRetract) -> bool:
        """Return whether the ERP still shows the bill as one that bills something."""
        ...

    async def read_back(self, bill: BillToRetract) -> RetractedBill:
        """Read the order of a bill that was taken back.

        Raises:
            OutcomeUnknown: the ERP's reads still show the bill.
        """
        ...


class Parts(Protocol):
    """Looks at the documents that one bill is, in an ERP that makes several of it."""

    async def check(self, parts: Sequence[PartInErp]) -> None:
        """Check that nothing stands in the way of changing any of the parts, or of taking it back.

        Raises:
            Rejected: something does; no part was touched.
        """
        ...


class DirectBills(Protocol):
    """Writes bills without an order. They come back by `Bills.page` and `Bills.numbered`, like all bills."""

    async def find(self, bill: DirectBillToPush) -> DocumentId | None:
        """Return the bill that an earlier attempt with this external key created; None: there is none.

        A bill that was reversed or deleted there is not returned, whatever it is numbered.
        """
        ...

    async def create(self, bill: DirectBillToPush) -> DocumentId:
        """Create the bill, with the promises of `Bills.create`.

        Raises:
            Duplicate: the ERP has a record with this key or number.
            Rejected: a business rule of the ERP refused the bill.
        """
        ...

    async def update(self, bill: DirectBillToPush, document_id: DocumentId, *, edition: int) -> None:
        """Send the edited fields as the bill has them now, with the promises of `Bills.update`.

        Raises:
            Duplicate: the ERP took this edition before.
            Rejected: a business rule of the ERP refused the edit.
        """
        ...

    async def read_back(self, bill: DirectBillToPush, document_id: DocumentId) -> PushedBill:
        """Read the bill back and compare it with what was sent. After an edit, only the edited fields are compared.

        Raises:
            OutcomeUnknown: the ERP's reads do not show the bill yet.
        """
        ...


class Credits(Protocol):
    """Writes credits of vendors. They come back by `Bills.page`, like all that is owed."""

    async def find(self, credit: CreditToPush) -> DocumentId | None:
        """Return the credit that an earlier attempt with this external key created; None: there is none."""
        ...

    async def create(self, credit: CreditToPush) -> DocumentId:
        """Create the credit, applied to nothing. A repeat with the same key never creates a second one: it raises
        Duplicate, or returns the id of the first.

        Raises:
            Duplicate: the ERP has a record with this key.
            Rejected: a business rule of the ERP refused the credit.
        """
        ...

    async def read_back(self, credit: CreditToPush, document_id: DocumentId) -> PushedBill:
        """Read the credit back and compare it with what was sent; its total is below zero, as `Bills.page` shows it.

        Raises:
            OutcomeUnknown: the ERP's reads do not show the credit yet.
            Rejected: the ERP made something of it that raises what is owed.
        """
        ...

    async def find_application(self, application: ApplicationToPush) -> AppliedCredit | None:
        """Return the application that an earlier attempt with this external key made; None: there is none."""
        ...

    async def apply(self, application: ApplicationToPush) -> AppliedCredit:
        """Apply the credit to the bill without money. A repeat with the same key never applies it twice.

        Raises:
            Duplicate: the ERP holds the application already.
            Rejected: a business rule of the ERP refused it.
        """
        ...

    async def unapply(self, application: ApplicationToPush) -> None:
        """Undo the application: what it applied is open again on both. A repeat changes nothing more.

        Raises:
            Duplicate: the ERP does not hold the application any more.
            Rejected: a business rule of the ERP refused it.
        """
        ...


class Payments(Protocol):
    """Reads and writes payments."""

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        """Read a page of payments changed since a cursor, with the share that each bill got."""
        ...

    async def find(self, payment: PaymentToPush) -> ErpId | None:
        """Return the payment that an earlier attempt with this external key created; None: there is none."""
        ...

    async def create(self, payment: PaymentToPush) -> ErpId:
        """Create the payment against the payable that now stands behind the bill. A repeat with the same key never
        creates a second one: it raises Duplicate, or returns the id of the first.

        Raises:
            Duplicate: the ERP has a record with this key or number.
            Rejected: a business rule of the ERP refused the payment.
        """
        ...

    async def read_back(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        """Read the payment back, and what is still due on the bill.

        Raises:
            OutcomeUnknown: the ERP's reads do not show the payment yet.
        """
        ...


class PaymentVoids(Protocol):
    """Voids payments that were made from here."""

    async def void(self, void: PaymentToVoid) -> None:
        """Void the payment. A repeat is safe: it voids nothing else.

        Raises:
            Duplicate: an earlier attempt voided it.
            NotFound: the ERP does not have the payment.
            Rejected: a business rule of the ERP refused it.
        """
        ...

    async def shows(self, void: PaymentToVoid) -> bool:
        """Return whether the ERP still shows the payment as one that pays something."""
        ...

    async def read_back(self, void: PaymentToVoid) -> Sequence[PartPaid]:
        """Return what is now paid and due on each document that it paid.

        Raises:
            OutcomeUnknown: the ERP's reads still show the payment, or not the documents.
        """
        ...


class PurchaseOrderSink(Protocol):
    """Takes orders of the caller's own system: a billed one as a bill, an unbilled one as a purchase order."""

    async def find(self, order: OrderToUpload) -> ErpId | None:
        """Return the document that an earlier attempt with this external key created; None: there is none."""
        ...

    async def create(self, order: OrderToUpload) -> ErpId:
        """Create the bill or the purchase order. A repeat with the same key never creates a second one: it raises
        Duplicate, or returns the id of the first.

        Raises:
            Duplicate: the ERP has a record with this key or number.
            Rejected: a business rule of the ERP refused it.
        """
        ...

    async def read_back(self, order: OrderToUpload, erp_id: ErpId) -> UploadedOrder:
        """Compare the document with what was sent.

        Raises:
            OutcomeUnknown: the ERP's reads do not show it yet.
        """
        ...


class Lists(Protocol):
    """Reads vendors, items, accounts, dimensions and the like."""

    async def page(self, kinds: Sequence[ListKind], *, since: str | None, after: str | None) -> Page[ListEntry]:
        """Read a page of list entries of the given kinds."""
        ...


class Changes(Protocol):
    """Detects what changed and what was deleted."""

    async def detect_changes(self, since: Mapping[Stream, str]) -> ChangeSet:
        """Return what changed since each stream's cursor, the overlap included, in as few calls as the ERP allows.

        Without any cursor it returns only how far the books are closed.
        """
        ...

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion] | None:
        """Read a page of the ERP's delete feed. None: the feed does not cover this user's records, or does not reach
        back to `since`; the connector's `scan` then finds the deletions."""
        ...


class DeletionScan(Protocol):
    """Finds deletions without a delete feed: it compares the ids of mirrored records with what the ERP still shows."""

    why: str
    """Why there is no delete feed; text for people."""

    async def scan(self, mirrored: Sequence[MirroredIds]) -> ScanResult:
        """Return which of these records are gone. A record that is merely not visible must never be among them: each
        suspected one is asked for again, in another way, before it is reported."""
        ...


class ErpConnector(Protocol):
    """The ERP of one connection: what it offers, how it is set up, and its roles. A role it does not have is None.

    What a connector remembers between calls only saves work; nothing may depend on it. The next call may go to another
    worker, or to a newly made connector.
    """

    capabilities: Capabilities

    @property
    def orders(self) -> PurchaseOrders | None: ...

    @property
    def receipts(self) -> Receipts | None: ...

    @property
    def bills(self) -> Bills: ...

    @property
    def retractions(self) -> Retractions | None: ...

    @property
    def parts(self) -> Parts | None: ...

    @property
    def direct_bills(self) -> DirectBills | None: ...

    @property
    def credits(self) -> Credits | None: ...

    @property
    def payments(self) -> Payments: ...

    @property
    def payment_voids(self) -> PaymentVoids | None: ...

    @property
    def lists(self) -> Lists: ...

    @property
    def changes(self) -> Changes: ...

    @property
    def scan(self) -> DeletionScan | None: ...

    @property
    def order_sink(self) -> PurchaseOrderSink | None: ...

    @property
    def clock(self) -> ErpClock:
        """The ERP's clock. It bounds every cursor and revision that is stored."""
        ...

    async def check(self) -> ConnectionCheck:
        """Sign in at the connection's level and return what the ERP reports.

        Raises:
            AuthenticationFailed: with a code that says what is wrong.
        """
        ...

    async def check_preferences(self, preferences: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        """Check the sync preferences with the ERP and return what is wrong with them. Template names are
        case-sensitive."""
        ...

    async def setup_checks(self, preferences: Mapping[str, str], *, retract_by: RetractBy) -> Sequence[SetupCheck]:
        """Check how the company is set up, in at most 20 requests, without writing anything. What cannot be read is
        unknown, never a guess."""
        ...

    async def close(self) -> None:
        """Release what the connector holds (HTTP connections)."""
        ...


Role = TypeVar("Role")


def offered(role: Role | None, what: str) -> Role:
    """Return a connector's role; `what` names it in the plural, for the error text.

    Raises:
        Rejected: the ERP does not have this role.
    """
    if role is None:
        raise Rejected(f"This connection has no {what}.", code="NOT_OFFERED", evidence={"needed": what})
    return role


LONGEST_TIMEOUT_SECONDS = 300
"""The largest timeout a connection may be set to, in seconds."""


def longest_call_seconds(timeout_seconds: float) -> float:
    """Return how many seconds one whole call may take, if `timeout_seconds` limits each of its steps.

    An answer that arrives in drops stays within every step's limit and would never end. Five times a step is patient
    enough, and no ERP answers after fifteen minutes: that is their own limit.
    """
    return min(timeout_seconds * 5, 900)


class ConnectionSettings(Record):
    """The settings an ERP's connector is built from, besides the credentials."""

    endpoint: str
    preferences: Mapping[str, str] = {}
    """The sync preferences, by the ERP's own names."""
    allow_loopback: bool = False
    """True: accept addresses on this machine, for the sandbox. False: trust only the vendor's own hosts."""
    max_in_flight: int = 1
    timeout_seconds: float = 60
    read_lag_seconds: int = 120
    """How many seconds the ERP's reads may lag behind its writes. After a lost answer, 'not found' counts only after
    this time."""
    facts: Mapping[str, str] = {}
    """What the company said of itself when its program called last; empty for an ERP that is asked."""
    page_size: int | None = None
    """Records per page; None: the API's maximum."""


class ReadMeter(Protocol):
    """Counts the reads that an ERP meters."""

    def count(self) -> None:
        """Count one successful read."""
        ...


class ListMirror(Protocol):
    """The lists of the connection's company as posync read them last."""

    async def entries(self, kind: ListKind) -> Sequence[ListEntry]:
        """Return the active entries of a list, without a call to the ERP."""
        ...


class Storage(NamedTuple):
    """The state that outlives a connector: it is stored elsewhere and shared by all workers."""

    tokens: TokenStore
    exchanges: ExchangeJournal
    reads: ReadMeter | None = None
    """Counts the reads of an ERP that meters them; None: nobody wants to know."""
    lists: ListMirror | None = None
    """Stands in for an ERP that refuses reads and takes writes; None: nothing is known."""


class ConnectorFactory(Protocol):
    """Makes a connector. Each ERP folder has one, registered in `erp/registry.py`."""

    def __call__(self, settings: ConnectionSettings, credentials: Credentials, storage: Storage) -> ErpConnector: ...
