"""The fake ERP as a connector: the roles of `erp/roles/`, each with the signatures of the real ones.

Real: the exchange journal; while the ERP is `deferred`, bills, payments and single orders go over it. And the stored
tokens, which these present while the ERP has a `grant`. Fake: the ERP.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TypeVar

from erp.capabilities import Capabilities
from erp.connection import ConnectionCheck, ConnectionSettings, PreferenceProblem
from erp.errors import Rejected
from erp.roles.changes import DeletionScan
from erp.roles.orders import Statuses
from erp.roles.pages import ChangeSet, Page
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.bill_parts import PartInErp
from models.domain.bills import BillToPush, DirectBillToPush, ErpBill, PushedBill
from models.domain.connections import MatchMode
from models.domain.ids import DocumentId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import PurchaseOrder, PurchaseOrderHeader, PurchaseOrderSnapshot
from models.domain.payments import ErpPayment, PaymentToPush, PushedPayment
from models.domain.receipts import Receipt, ReceiptStatus
from models.domain.retractions import BillToRetract, RetractBy, RetractedBill
from models.domain.setup_checks import SetupCheck
from models.domain.source_orders import OrderToUpload, UploadedOrder
from models.domain.sync import Deletion, Stream
from tests.fakes.fake_erp import FakeErp

T = TypeVar("T")


class FakeConnector:
    """One connection to the fake ERP; several may stand before one ERP. `partial(FakeConnector, erp)` makes them."""

    def __init__(self, erp: FakeErp, settings: ConnectionSettings, credentials: Credentials, storage: Storage) -> None:
        self._erp = erp
        self._settings = settings
        self._credentials = credentials
        journal = _Journal(erp, storage)
        self.orders = FakeOrders(erp, journal)
        self.receipts = FakeReceipts(erp)
        self.bills = FakeBills(erp, journal)
        self.retractions = FakeRetractions(erp)
        self.parts = FakeParts(erp)
        self.direct_bills = FakeDirectBills(erp, journal)
        self.credits = None
        self.payments = FakePayments(erp, journal)
        self.payment_voids = None
        self.lists = FakeLists(erp)
        self.list_writes = None
        self.changes = FakeChanges(erp)
        self.order_sink = FakeOrderSink(erp)
        self.clock = erp.clock

    @property
    def capabilities(self) -> Capabilities:
        return self._erp.capabilities

    @property
    def scan(self) -> DeletionScan | None:
        return self._erp.scan

    async def check(self) -> ConnectionCheck:
        return await self._erp.check(self._settings, self._credentials)

    async def check_preferences(self, preferences: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        return await self._erp.check_preferences(preferences)

    async def setup_checks(self, preferences: Mapping[str, str], *, retract_by: RetractBy) -> Sequence[SetupCheck]:
        return await self._erp.setup_checks()

    async def close(self) -> None:
        self._erp.closed = True


class _Journal:
    """Calls that go over the exchange journal while the ERP is deferred, and straight to it otherwise."""

    def __init__(self, erp: FakeErp, storage: Storage) -> None:
        self._erp = erp
        self._exchanges = storage.exchanges
        self._tokens = storage.tokens

    async def write(self, key: str, call: Callable[[], Awaitable[T]]) -> T:
        """Write under the external key."""
        if not self._erp.deferred:
            return await self._signed_in(call)
        answers = self._erp.answers
        result: T = answers.outcome(await self._exchanges.write(key, answers.ask(key, call)))
        return result

    async def read(self, key: str, call: Callable[[], Awaitable[T]]) -> T:
        if not self._erp.deferred:
            return await self._signed_in(call)
        answers = self._erp.answers
        result: T = answers.outcome(await self._exchanges.read(key, answers.ask(key, call)))
        return result

    async def find(self, written: str, key: str, call: Callable[[], Awaitable[T]]) -> T:
        """Read what an earlier write made: its own answer, where there is one, is the cheapest."""
        known = await self._exchanges.written(written) if self._erp.deferred else None
        if known is None:
            return await self.read(key, call)
        result: T = self._erp.answers.outcome(known)
        return result

    async def _signed_in(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call with the connection's tokens, with newer ones if these are refused."""
        grant = self._erp.grant
        if grant is not None:
            tokens = await self._tokens.current()
            while not grant.accepts(tokens):
                tokens = await self._tokens.rotate(tokens, grant.refresh)
        return await call()


class FakeParts:
    def __init__(self, erp: FakeErp) -> None:
        self._erp = erp

    async def check(self, parts: Sequence[PartInErp]) -> None:
        """Refuse where a part is locked, which the ERP says before anything is touched."""
        locked = sorted({part.document_id for part in parts} & self._erp.locked_documents)
        if locked:
            raise Rejected(f"{locked} is locked", code="ALREADY_PAID")


class FakeOrders:
    def __init__(self, erp: FakeErp, journal: _Journal) -> None:
        self._erp = erp
        self._journal = journal

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        return self._erp.statuses(erp_status, mode)

    async def headers(
        self,
        *,
        since: str | None,
        ordered_from: date | None,
        after: str | None,
        open_in: MatchMode | None,
        window: str = "",
    ) -> Page[PurchaseOrderHeader]:
        return await self._erp.purchase_order_headers(
            since=since, ordered_from=ordered_from, after=after, open_in=open_in
        )

    async def lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        return await self._erp.purchase_order_lines(headers)

    async def read(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        return await self._journal.read(f"purchase_order/{erp_id}", partial(self._erp.purchase_order, erp_id))

    async def read_many(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        return await self._erp.purchase_orders_whole(erp_ids)


class FakeReceipts:
    def __init__(self, erp: FakeErp) -> None:
        self._erp = erp

    def status(self, erp_status: str) -> ReceiptStatus | None:
        return self._erp.receipt_status(erp_status)

    async def page(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        return await self._erp.receipts(since=since, after=after)


class FakeBills:
    def __init__(self, erp: FakeErp, journal: _Journal) -> None:
        self._erp = erp
        self._journal = journal

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        return await self._erp.bills(since=since, after=after)

    async def numbered(self, vendor_id: str, number: str) -> Sequence[ErpBill]:
        key = f"bills_numbered/{vendor_id}/{number}"
        return await self._journal.read(key, partial(self._erp.bills_numbered, vendor_id, number))

    async def find(self, bill: BillToPush) -> DocumentId | None:
        key = bill.external_key
        return await self._journal.find(f"bill/{key}", f"find_bill/{key}", partial(self._erp.find_bill, bill))

    async def create(self, bill: BillToPush) -> DocumentId:
        return await self._journal.write(f"bill/{bill.external_key}", partial(self._erp.create_bill, bill))

    async def update(self, bill: BillToPush, document_id: DocumentId, *, edition: int) -> None:
        await self._erp.update_bill(bill, document_id, edition=edition)

    async def repair_link(self, bill: BillToPush, document_id: DocumentId) -> bool:
        return False

    async def read_back(self, bill: BillToPush, document_id: DocumentId, *, with_order: bool = True) -> PushedBill:
        key = f"read_bill/{bill.external_key}"
        readback = await self._journal.read(key, partial(self._erp.read_bill, bill, document_id))
        return readback if with_order else readback.model_copy(update={"snapshot": None})


class FakeRetractions:
    def __init__(self, erp: FakeErp) -> None:
        self._erp = erp

    async def take_back(self, bill: BillToRetract) -> None:
        await self._erp.take_back(bill)

    async def shows(self, bill: BillToRetract) -> bool:
        return await self._erp.shows_bill(bill)

    async def read_back(self, bill: BillToRetract) -> RetractedBill:
        return await self._erp.read_order_back(bill)


class FakeDirectBills:
    def __init__(self, erp: FakeErp, journal: _Journal) -> None:
        self._erp = erp
        self._journal = journal

    async def find(self, bill: DirectBillToPush) -> DocumentId | None:
        key = bill.external_key
        return await self._journal.find(f"bill/{key}", f"find_bill/{key}", partial(self._erp.find_bill, bill))

    async def create(self, bill: DirectBillToPush) -> DocumentId:
        return await self._journal.write(f"bill/{bill.external_key}", partial(self._erp.create_bill, bill))

    async def update(self, bill: DirectBillToPush, document_id: DocumentId, *, edition: int) -> None:
        await self._erp.update_bill(bill, document_id, edition=edition)

    async def read_back(self, bill: DirectBillToPush, document_id: DocumentId) -> PushedBill:
        key = f"read_bill/{bill.external_key}"
        return await self._journal.read(key, partial(self._erp.read_bill, bill, document_id))


class FakeOrderSink:
    def __init__(self, erp: FakeErp) -> None:
        self._erp = erp

    async def find(self, order: OrderToUpload) -> ErpId | None:
        return await self._erp.find_upload(order)

    async def create(self, order: OrderToUpload) -> ErpId:
        return await self._erp.create_upload(order)

    async def read_back(self, order: OrderToUpload, erp_id: ErpId) -> UploadedOrder:
        return await self._erp.read_upload(order, erp_id)


class FakePayments:
    def __init__(self, erp: FakeErp, journal: _Journal) -> None:
        self._erp = erp
        self._journal = journal

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        return await self._erp.payments(since=since, after=after)

    async def find(self, payment: PaymentToPush) -> ErpId | None:
        key = payment.external_key
        return await self._journal.find(
            f"payment/{key}", f"find_payment/{key}", partial(self._erp.find_payment, payment)
        )

    async def create(self, payment: PaymentToPush) -> ErpId:
        return await self._journal.write(f"payment/{payment.external_key}", partial(self._erp.create_payment, payment))

    async def read_back(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        key = f"read_payment/{payment.external_key}"
        return await self._journal.read(key, partial(self._erp.read_payment, payment, erp_id))


class FakeLists:
    def __init__(self, erp: FakeErp) -> None:
        self._erp = erp

    async def page(self, kinds: Sequence[ListKind], *, since: str | None, after: str | None) -> Page[ListEntry]:
        return await self._erp.list_entries(kinds, since=since, after=after)

    async def gone(self, kind: ListKind, erp_ids: Sequence[ErpId]) -> Sequence[ErpId]:
        return ()


class FakeChanges:
    def __init__(self, erp: FakeErp) -> None:
        self._erp = erp

    async def detect_changes(self, since: Mapping[Stream, str], *, with_books: bool = False) -> ChangeSet:
        return await self._erp.detect_changes(since, with_books=with_books)

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion] | None:
        return await self._erp.deletions(since=since, after=after)
