"""An ERP in memory, with everything that can go wrong as a switch: the one fake of an ERP there is.

It keeps its promises as the real ones do: a second document under one key never exists, revisions only grow, an order's
billed quantity counts receipts, and what it shows may lag what it did. Product code meets it as `FakeConnector`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from erp.capabilities import Capabilities
from erp.clock import ErpClock
from erp.connection import ConnectionCheck, ConnectionSettings, PreferenceProblem
from erp.errors import AuthenticationFailed, Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected, Unavailable
from erp.roles.changes import DeletionScan
from erp.roles.orders import Statuses
from erp.roles.pages import BadRecord, ChangeSet, Page, RecordVersion
from erp.sign_in import Credentials
from models.domain.bills import BillToPush, DirectBillToPush, ErpBill, PushedBill
from models.domain.connections import MatchMode
from models.domain.ids import DocumentId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import (
    MatchingStatus,
    OrderBilling,
    OrderCredit,
    PoStatus,
    PurchaseOrder,
    PurchaseOrderHeader,
    PurchaseOrderSnapshot,
)
from models.domain.payments import ErpPayment, PartPaid, PaymentToPush, PushedPayment
from models.domain.receipts import Receipt, ReceiptStatus
from models.domain.retractions import BillToRetract, RetractBy, RetractedBill
from models.domain.setup_checks import SetupCheck
from models.domain.source_orders import OrderToUpload, UploadedOrder
from models.domain.sync import Deletion, Stream
from tests.fakes.deferred_answers import DeferredAnswers
from tests.fakes.fake_grant import FakeGrant
from tests.fakes.shown_bills import as_shown

ORDER_STATUSES: Mapping[str, tuple[PoStatus | None, MatchingStatus, MatchingStatus]] = {
    "Draft": (None, MatchingStatus.PENDING_APPROVAL, MatchingStatus.PENDING_APPROVAL),
    "Pending": (PoStatus.UNFILLED, MatchingStatus.ACTIVE, MatchingStatus.ACTIVE),
    "Partially Converted": (PoStatus.PARTIALLY_FILLED, MatchingStatus.PARTIALLY_BILLED, MatchingStatus.ACTIVE),
    "Converted": (PoStatus.FILLED, MatchingStatus.CLOSED, MatchingStatus.ACTIVE),
    "Closed": (PoStatus.CLOSED, MatchingStatus.CLOSED, MatchingStatus.CLOSED),
}

CAPABILITIES = Capabilities(
    po_in=True,
    receipt_in=True,
    match_modes=(MatchMode.TWO_WAY, MatchMode.THREE_WAY),
    deletions_feed=True,
    several_sources_per_bill=False,
    receipts_count_as_billed=True,
    retract_by=(RetractBy.DELETE, RetractBy.CREDIT),
    retract_direct_by=(RetractBy.DELETE, RetractBy.REVERSE),
    direct_bills=True,
)


class Repeats(Enum):
    """What an ERP does with a second create under one key."""

    REFUSED = "refused"
    """It says that there is one."""
    REPLAYED = "replayed"
    """It answers with the first one's id."""
    FORGOTTEN = "forgotten"
    """It does not keep its promise, and makes a second one in the place of the first."""


class WorkerDied(Exception):
    """What ends an activity without its own word: the process was killed here."""


@dataclass
class Invoice:
    bill: BillToPush | DirectBillToPush
    erp_id: ErpId
    document_id: DocumentId
    revision: str
    linked: bool
    editions: list[int] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)
    """What people changed on it there, as fields of an `ErpBill`."""


class Billing(NamedTuple):
    """A line of one of our invoices that bills an order line."""

    invoice: Invoice
    order_line: ErpId
    quantity: Decimal
    of_order: bool
    """Converted from the order itself, and not from a receipt of it."""


@dataclass
class Payment:
    payment: PaymentToPush
    erp_id: ErpId
    revision: str


@dataclass
class FakeErp:
    """Switches first. Those that are numbers count how many of the next calls they spoil."""

    outage: bool = False
    """Nothing is answered."""
    base_currency: str | None = "USD"
    """What its books are kept in; None: it does not say."""
    password: str | None = None
    """What a connection must sign in with; None: anything will do."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """What each of these preferences must begin with."""
    checks: list[SetupCheck] = field(default_factory=list)
    """What the set-up checks say."""
    trouble: list[ErpError] = field(default_factory=list)
    """Whatever is called next ends in these, one after another."""
    refuse_writes: list[ErpError] = field(default_factory=list)
    refuse_read_backs: list[ErpError] = field(default_factory=list)
    lose_answers: int = 0
    """The write is committed and its answer never comes."""
    lose_requests: int = 0
    """The write never arrives, and nobody says so."""
    die_after_writing: int = 0
    die_after_reading_back: int = 0
    link_dropped: bool = False
    changed_content: tuple[str, ...] = ()
    repeats: Repeats = Repeats.REFUSED
    """What becomes of a second create under one key."""
    finds_lag: int = 0
    """So many look-ups do not see what was written."""
    shows_deleted: int = 0
    """So many readings still show a bill that was taken back."""
    order_lags: bool = False
    """The order's own figures do not show new bills yet."""
    settled: bool = True
    """Payments are posted at once."""
    takes_numbers_once: bool = False
    """A second document of a vendor under one number is refused."""
    refuse_sources: frozenset[str] = frozenset()
    """Documents that nothing is converted from any more."""
    deferred: bool = False
    """It answers when it comes by; see `answers`."""
    grant: FakeGrant | None = None
    """Bills, payments and single orders take its tokens; None: any connection may."""
    scan: DeletionScan | None = None
    """What finds deletions, instead of the feed."""
    page_size: int = 100
    shows_our_bills: bool = False
    """The stream of bills also has those that we made."""

    orders: dict[str, PurchaseOrder] = field(default_factory=dict)
    receipts_held: dict[str, Receipt] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    uploads: dict[str, OrderToUpload] = field(default_factory=dict)
    """Orders of another system that it took."""
    taken_back: dict[str, Invoice] = field(default_factory=dict)
    locked_documents: set[str] = field(default_factory=set)
    """What it refuses to change, as it says before anything is touched."""
    created_payments: dict[str, Payment] = field(default_factory=dict)
    bills_held: list[ErpBill] = field(default_factory=list)
    credited: dict[str, tuple[OrderCredit, ...]] = field(default_factory=dict)
    """By order."""
    payments_held: list[ErpPayment] = field(default_factory=list)
    entries: list[ListEntry] = field(default_factory=list)
    gone: list[Deletion] = field(default_factory=list)
    bad_orders: dict[str, BadRecord] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    ticks: int = 0
    closed: bool = False
    capabilities: Capabilities = CAPABILITIES
    clock: ErpClock = field(default_factory=ErpClock)
    """It runs with ours; a test sets it through `take`, like a real answer."""
    answers: DeferredAnswers = field(default_factory=DeferredAnswers)

    def tick(self) -> str:
        """The next revision."""
        self.ticks += 1
        return f"2026-03-02 10:{self.ticks // 60:02}:{self.ticks % 60:02}"

    def _call(self, name: str) -> None:
        self.calls[name] += 1
        if self.outage:
            raise Unavailable("The ERP is off-line.", code="ERP_OFFLINE")
        if self.trouble:
            raise self.trouble.pop(0)

    # --- signing in and meanings -----------------------------------------------------------------------------

    async def check(self, settings: ConnectionSettings, credentials: Credentials) -> ConnectionCheck:
        self._call("check")
        values = credentials.values
        if self.password is not None and values.get("password") != self.password:
            raise AuthenticationFailed("Sign-in is incorrect.", code="AUTH_BAD_CREDENTIALS", erp_code="XL03")
        return ConnectionCheck(
            company=values.get("company", "ACME"),
            entity=values.get("entity"),
            user=values.get("user", "xml"),
            endpoint=settings.endpoint,
            capabilities=self.capabilities,
            base_currency=self.base_currency,
        )

    async def setup_checks(self) -> Sequence[SetupCheck]:
        self._call("setup_checks")
        return list(self.checks)

    async def check_preferences(self, preferences: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        self._call("check_preferences")
        return [
            PreferenceProblem(
                code="TEMPLATE_NOT_FOUND",
                preference=name,
                message=f"There is no {preferences.get(name)!r}.",
                fix=(f"Use {template!r}.",),
            )
            for name, template in self.templates.items()
            if not preferences.get(name, "").startswith(template)
        ]

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        if erp_status not in ORDER_STATUSES:
            return None
        po, two_way, three_way = ORDER_STATUSES[erp_status]
        return Statuses(po, two_way if mode is MatchMode.TWO_WAY else three_way)

    def receipt_status(self, erp_status: str) -> ReceiptStatus | None:
        known = {"Draft": ReceiptStatus.ACTIVE, "Pending": ReceiptStatus.ACTIVE, "Closed": ReceiptStatus.CLOSED}
        return known.get(erp_status)

    # --- reading ---------------------------------------------------------------------------------------------

    async def detect_changes(self, since: Mapping[Stream, str], *, with_books: bool = False) -> ChangeSet:
        self._call("detect_changes")
        held: dict[Stream, list[tuple[str, ErpId, str]]] = {
            Stream.LISTS: [(entry.kind.value, entry.erp_id, entry.revision or "") for entry in self.entries],
            Stream.PURCHASE_ORDERS: [("purchase_orders", order.erp_id, order.revision) for order in self._all_orders()],
            Stream.RECEIPTS: [("receipts", r.erp_id, r.revision) for r in self.receipts_held.values()],
            Stream.BILLS: [("bills", bill.erp_id, bill.revision) for bill in self.bills_shown()],
            Stream.PAYMENTS: [("payments", payment.erp_id, payment.revision) for payment in self.payments_held],
            Stream.DELETIONS: [("deletions", gone.erp_id, gone.deleted_at) for gone in self.gone],
        }
        record_versions = [
            RecordVersion(stream, kind, erp_id, revision)
            for stream, position in since.items()
            for kind, erp_id, revision in held[stream]
            if revision >= position
        ]
        return ChangeSet(record_versions=record_versions, unread=frozenset(), deletions_feed=self.scan is None)

    async def list_entries(self, kinds: Sequence[ListKind], *, since: str | None, after: str | None) -> Page[ListEntry]:
        self._call("list_entries")
        return self._page([e for e in self.entries if since is None or (e.revision or "") >= since], after)

    async def purchase_order_headers(
        self, *, since: str | None, ordered_from: date | None, after: str | None, open_in: MatchMode | None
    ) -> Page[PurchaseOrderHeader]:
        self._call("purchase_order_headers")
        orders: list[PurchaseOrder] = []
        for order in self._all_orders():
            meaning = None if open_in is None else self.statuses(order.erp_status, open_in)
            finished = meaning is not None and meaning.matching is MatchingStatus.CLOSED
            recent = ordered_from is None or order.ordered_on >= ordered_from
            if (since is None or order.revision >= since) and recent and not finished:
                orders.append(order)
        page = self._page(orders, after)
        headers = [PurchaseOrderHeader(**_header_fields(order)) for order in page.records]
        return Page(headers, page.after, page.high_water)

    async def purchase_order_lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        self._call("purchase_order_lines")
        wanted = [header.erp_id for header in headers]
        good = [self.shown(self.orders[erp_id]) for erp_id in wanted if erp_id not in self.bad_orders]
        return Page(good, None, None, [self.bad_orders[erp_id] for erp_id in wanted if erp_id in self.bad_orders])

    async def receipts(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        self._call("receipts")
        return self._page([r for r in self.receipts_held.values() if since is None or r.revision >= since], after)

    async def bills(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        self._call("bills")
        return self._page([bill for bill in self.bills_shown() if since is None or bill.revision >= since], after)

    def bills_shown(self) -> list[ErpBill]:
        if not self.shows_our_bills:
            return self.bills_held
        paid = Counter[str]()
        for one in self.created_payments.values():
            for document, amount in _shares(one.payment):
                paid[document] += amount
        shown = [as_shown(invoice, paid[invoice.document_id] or Decimal(0)) for invoice in self.invoices.values()]
        return [*self.bills_held, *shown]

    async def payments(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        self._call("payments")
        return self._page([p for p in self.payments_held if since is None or p.revision >= since], after)

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion] | None:
        self._call("deletions")
        if self.scan is not None:
            return None
        found = [gone for gone in self.gone if gone.deleted_at >= since]
        return Page(found, None, max((gone.deleted_at for gone in found), default=None))

    async def purchase_order(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        self._call("purchase_order")
        if erp_id not in self.orders:
            raise NotFound(f"no order {erp_id}", code="RECORD_NOT_FOUND")
        return self._snapshot(self.orders[erp_id])

    async def purchase_orders_whole(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        self._call("purchase_orders_whole")
        return [self._snapshot(self.orders[erp_id]) for erp_id in erp_ids if erp_id in self.orders]

    def _all_orders(self) -> list[PurchaseOrder]:
        return [self.shown(order) for order in sorted(self.orders.values(), key=lambda order: int(order.erp_id))]

    def _page(self, records: Sequence[Any], after: str | None) -> Page[Any]:
        start = int(after or 0)
        shown = records[start : start + self.page_size]
        behind = start + self.page_size
        high_water = max((record.revision for record in shown if record.revision), default=None)
        return Page(shown, str(behind) if behind < len(records) else None, high_water)

    # --- bills -----------------------------------------------------------------------------------------------

    async def find_bill(self, bill: BillToPush | DirectBillToPush) -> DocumentId | None:
        self._call("find_bill")
        if self.finds_lag:
            self.finds_lag -= 1
            return None
        invoice = self.invoices.get(bill.external_key)
        return None if invoice is None else invoice.document_id

    async def bills_numbered(self, vendor_id: str, number: str) -> Sequence[ErpBill]:
        self._call("bills_numbered")
        return [b for b in self.bills_shown() if (b.vendor_id, b.number.casefold()) == (vendor_id, number.casefold())]

    async def create_bill(self, bill: BillToPush | DirectBillToPush) -> DocumentId:
        self._call("create_bill")
        self._before_writing()
        created = self.invoices.get(bill.external_key)
        if created is not None and self.repeats is Repeats.REPLAYED:
            return created.document_id
        if created is not None and self.repeats is Repeats.REFUSED:
            raise Duplicate(f"document {bill.external_key} exists", code="DUPLICATE_DOCUMENT", erp_code="BL01001973")
        if self.takes_numbers_once and any(one.bill.number == bill.number for one in self.invoices.values()):
            raise Duplicate(f"a bill {bill.number} exists", code="ALREADY_EXISTS", erp_code="BL34000061")
        if isinstance(bill, BillToPush) and self.refuse_sources & {line.source.document_id for line in bill.lines}:
            raise Rejected("its source is closed", code="SOURCE_CLOSED", erp_code="BL03000018")
        number = str(8999 + self.calls["create_bill"])
        document_id = DocumentId(f"Vendor Invoice-{bill.external_key}")
        self.invoices[bill.external_key] = Invoice(
            bill=bill,
            erp_id=ErpId(number),
            document_id=document_id,
            revision=self.tick(),
            linked=not self.link_dropped,
        )
        if isinstance(bill, BillToPush):
            self.touch_order(bill.order_document)
        self._after_writing()
        return document_id

    async def update_bill(self, bill: BillToPush | DirectBillToPush, document_id: DocumentId, *, edition: int) -> None:
        self._call("update_bill")
        self._before_writing()
        invoice = self.invoices[bill.external_key]
        if edition in invoice.editions:
            raise Duplicate(f"edition {edition} was taken", code="DUPLICATE_REQUEST")
        invoice.editions.append(edition)
        invoice.bill, invoice.revision = bill, self.tick()
        self._after_writing()

    async def read_bill(self, bill: BillToPush | DirectBillToPush, document_id: DocumentId) -> PushedBill:
        self._call("read_bill")
        if self.refuse_read_backs:
            raise self.refuse_read_backs.pop(0)
        invoice = self.invoices[bill.external_key]
        order = self._order_by_document(bill.order_document) if isinstance(bill, BillToPush) else None
        if self.die_after_reading_back:
            self.die_after_reading_back -= 1
            raise WorkerDied("after the read-back")
        return PushedBill(
            erp_id=invoice.erp_id,
            document_id=invoice.document_id,
            payable_id=ErpId(f"7{invoice.erp_id}{'e' * len(invoice.editions)}"),
            total=invoice.bill.total,
            revision=invoice.revision,
            linked=invoice.linked,
            differences=self.changed_content or (() if invoice.bill.memo == bill.memo else ("the memo differs",)),
            snapshot=None if self.order_lags or order is None else self._snapshot(order),
        )

    async def take_back(self, bill: BillToRetract) -> None:
        self._call("take_back")
        self._before_writing()
        if bill.external_key not in self.invoices:
            raise NotFound(f"no document {bill.document_id}", code="RECORD_NOT_FOUND")
        if bill.external_key in self.taken_back:
            raise Duplicate(f"{bill.document_id} is credited", code="ALREADY_SENT")
        self.taken_back[bill.external_key] = self.invoices[bill.external_key]
        if bill.way is not RetractBy.CREDIT:  # a credited one stays, and so does what it billed of its order
            del self.invoices[bill.external_key]
        if bill.order_document is not None:
            self.touch_order(bill.order_document)
        self._after_writing()

    async def shows_bill(self, bill: BillToRetract) -> bool:
        self._call("shows_bill")
        return bill.external_key in self.invoices and bill.external_key not in self.taken_back

    async def read_order_back(self, bill: BillToRetract) -> RetractedBill:
        self._call("read_order_back")
        if self.shows_deleted:
            self.shows_deleted -= 1
            raise OutcomeUnknown("it is still shown", code="OUTCOME_UNKNOWN")
        if bill.order_document is None:
            return RetractedBill()
        order = self._order_by_document(bill.order_document)
        return RetractedBill(snapshot=None if self.order_lags else self._snapshot(order))

    # --- orders of another system ----------------------------------------------------------------------------

    async def find_upload(self, order: OrderToUpload) -> ErpId | None:
        self._call("find_upload")
        return ErpId(order.external_key) if order.external_key in self.uploads else None

    async def create_upload(self, order: OrderToUpload) -> ErpId:
        self._call("create_upload")
        self._before_writing()
        if order.external_key in self.uploads:
            raise Duplicate(f"{order.external_key} exists", code="DUPLICATE_DOCUMENT")
        self.uploads[order.external_key] = order
        self._after_writing()
        return ErpId(order.external_key)

    async def read_upload(self, order: OrderToUpload, erp_id: ErpId) -> UploadedOrder:
        self._call("read_upload")
        stored = self.uploads[order.external_key]
        return UploadedOrder(erp_id=erp_id, document_id=f"Bill-{erp_id}", total=stored.total)

    # --- payments --------------------------------------------------------------------------------------------

    async def find_payment(self, payment: PaymentToPush) -> ErpId | None:
        self._call("find_payment")
        if self.finds_lag:
            self.finds_lag -= 1
            return None
        created = self.created_payments.get(payment.external_key)
        return None if created is None else created.erp_id

    async def create_payment(self, payment: PaymentToPush) -> ErpId:
        self._call("create_payment")
        self._before_writing()
        created = self.created_payments.get(payment.external_key)
        if created is not None and self.repeats is Repeats.REPLAYED:
            return created.erp_id
        if created is not None and self.repeats is Repeats.REFUSED:
            raise Duplicate(f"payment {payment.external_key} exists", code="DUPLICATE_DOCUMENT")
        erp_id = ErpId(str(500 + len(self.created_payments)))
        self.created_payments[payment.external_key] = Payment(payment, erp_id, self.tick())
        self._after_writing()
        return erp_id

    async def read_payment(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        self._call("read_payment")
        if self.refuse_read_backs:
            raise self.refuse_read_backs.pop(0)
        created = self.created_payments[payment.external_key]
        if payment.parts:
            return self._pushed_over_parts(created)
        invoice = next(i for i in self.invoices.values() if i.document_id == payment.bill_document)
        paid = Decimal(0)
        if self.settled:
            shares = [
                p.payment for p in self.created_payments.values() if p.payment.bill_document == invoice.document_id
            ]
            paid = sum((share.amount for share in shares), Decimal(0))
        return PushedPayment(
            erp_id=created.erp_id,
            state="Complete" if self.settled else "Submitted",
            settled=self.settled,
            amount=payment.amount,
            revision=created.revision,
            payable_id=ErpId(f"7{invoice.erp_id}"),
            bill_paid=paid,
            bill_due=invoice.bill.total - paid,
            bill_revision=created.revision,
        )

    def _pushed_over_parts(self, created: Payment) -> PushedPayment:
        paid: Counter[str] = Counter()
        for one in self.created_payments.values():
            for document, amount in _shares(one.payment) if self.settled else []:
                paid[document] += amount
        named = [part.document_id for part in created.payment.parts]
        parts = tuple(
            PartPaid(
                document_id=invoice.document_id,
                payable_id=as_shown(invoice, Decimal(0)).erp_id,
                paid=Decimal(paid[invoice.document_id]),
                due=invoice.bill.total - paid[invoice.document_id],
                revision=created.revision,
            )
            for invoice in self.invoices.values()
            if invoice.document_id in named
        )
        return PushedPayment(
            erp_id=created.erp_id,
            state="Complete" if self.settled else "Submitted",
            settled=self.settled,
            amount=created.payment.amount,
            revision=created.revision,
            payable_id=parts[0].payable_id,
            bill_paid=sum((part.paid for part in parts), Decimal(0)),
            bill_due=sum((part.due for part in parts), Decimal(0)),
            bill_revision=created.revision,
            parts=parts,
        )

    async def close(self) -> None:
        self.closed = True

    # --- what the ERP does by itself -------------------------------------------------------------------------

    def _before_writing(self) -> None:
        if self.refuse_writes:
            raise self.refuse_writes.pop(0)
        if self.lose_requests:
            self.lose_requests -= 1
            raise OutcomeUnknown("the connection was reset", code="OUTCOME_UNKNOWN")

    def _after_writing(self) -> None:
        if self.lose_answers:
            self.lose_answers -= 1
            raise OutcomeUnknown("the answer never came", code="OUTCOME_UNKNOWN")
        if self.die_after_writing:
            self.die_after_writing -= 1
            raise WorkerDied("after the ERP committed")

    def _order_by_document(self, document_id: DocumentId) -> PurchaseOrder:
        return next(order for order in self.orders.values() if order.document_id == document_id)

    def touch_order(self, document_id: DocumentId) -> None:
        order = self._order_by_document(document_id)
        self.orders[order.erp_id] = order.model_copy(update={"revision": self.tick()})

    def invoices_of(self, order: PurchaseOrder) -> list[Invoice]:
        """The bills of ours that were made from the order."""
        return [one for one in self.invoices.values() if one.bill.order_document == order.document_id]

    def invoice_of(self, order: PurchaseOrder) -> Invoice:
        """The only bill of ours that was made from the order."""
        (invoice,) = self.invoices_of(order)
        return invoice

    def _linked(self, order: PurchaseOrder) -> list[Invoice]:
        return [one for one in self.invoices_of(order) if one.linked and not one.changes.get("rejected")]

    def shown(self, order: PurchaseOrder) -> PurchaseOrder:
        """The order with what our invoices converted of it, as the ERP counts."""
        if self.order_lags:
            return order
        converted: Counter[str] = Counter()
        for billing in self._billings(order):
            if billing.of_order or not self.capabilities.receipts_count_as_billed:
                converted[billing.order_line] += billing.quantity
        lines = tuple(
            line.model_copy(update={"billed": line.billed + converted.get(line.erp_id, Decimal(0))})
            for line in order.lines
        )
        status = order.erp_status
        if converted and status == "Pending":
            filled = all(line.billed >= line.quantity for line in lines)
            status = "Converted" if filled else "Partially Converted"
        return order.model_copy(update={"lines": lines, "erp_status": status})

    def _billings(self, order: PurchaseOrder) -> Iterator[Billing]:
        """The lines of our invoices that bill the order, as people left them there."""
        for invoice in self._linked(order):
            of_receipts = {
                line.order_line for line in invoice.bill.lines if line.source.document_id != order.document_id
            }
            for line in as_shown(invoice, Decimal(0)).lines:
                if line.order_line is not None and line.quantity is not None:
                    yield Billing(invoice, line.order_line, line.quantity, line.order_line not in of_receipts)

    def _snapshot(self, order: PurchaseOrder) -> PurchaseOrderSnapshot:
        billings = [
            OrderBilling(
                order_line=line.order_line,
                document_id=line.invoice.document_id,
                document_number=line.invoice.bill.external_key,
                quantity=line.quantity,
            )
            for line in self._billings(order)
        ]
        received = tuple(
            self._as_billed(one) for one in self.receipts_held.values() if one.order_document == order.document_id
        )
        return PurchaseOrderSnapshot(
            purchase_order=self.shown(order),
            receipts=received,
            billings=() if self.order_lags else tuple(billings),
            credits=self.credited.get(order.erp_id, ()),
        )

    def _as_billed(self, receipt: Receipt) -> Receipt:
        """The receipt with what our invoices converted of it."""
        billed: Counter[str] = Counter()
        for invoice in self.invoices.values():
            for line in invoice.bill.lines if isinstance(invoice.bill, BillToPush) else ():
                if line.source.document_id == receipt.document_id:
                    billed[line.source.line] += line.quantity
        lines = [
            line.model_copy(update={"billed": max(line.billed, Decimal(billed[line.erp_id]))}) for line in receipt.lines
        ]
        return receipt.model_copy(update={"lines": tuple(lines)})


def _shares(payment: PaymentToPush) -> list[tuple[DocumentId, Decimal]]:
    """What the payment pays of each document."""
    if not payment.parts:
        return [(payment.bill_document, payment.amount)]
    return [(part.document_id, part.amount) for part in payment.parts]


def _header_fields(order: PurchaseOrder) -> dict[str, Any]:
    return {name: getattr(order, name) for name in PurchaseOrderHeader.model_fields}
