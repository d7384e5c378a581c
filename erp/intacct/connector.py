"""Sage Intacct as activities see it: `ErpConnector`, each method handed to the file that knows how."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date

import httpx

from erp.connector import (
    Capabilities,
    ConnectionCheck,
    ConnectionSettings,
    Credentials,
    Page,
    Peek,
    PreferenceProblem,
    Statuses,
)
from erp.errors import NotFound, Rejected
from erp.intacct import preflight, statuses
from erp.intacct.bills import Bills
from erp.intacct.changes import Changes
from erp.intacct.client import IntacctClient
from erp.intacct.documents import Documents
from erp.intacct.lists import Lists
from erp.intacct.payments import Payments
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.result_sets import ResultSets
from erp.intacct.sweep import IntacctSweep
from erp.intacct.vendor_invoice import VendorInvoices
from models.domain import (
    BillToPush,
    Deletion,
    DocumentId,
    ErpBill,
    ErpId,
    ErpPayment,
    ListEntry,
    ListKind,
    MatchMode,
    PaymentToPush,
    PurchaseOrder,
    PurchaseOrderHeader,
    PurchaseOrderSnapshot,
    PushedBill,
    PushedPayment,
    Receipt,
    ReceiptStatus,
    Stream,
)


class IntacctConnector:
    """One connection's Intacct. Every method may raise any `ErpError`; see `erp/connector.py` for the promises."""

    def __init__(
        self,
        settings: ConnectionSettings,
        credentials: Credentials,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        chosen = Preferences.of(settings.preferences)
        self._client = IntacctClient(settings, credentials, transport=transport)
        self._level = self._client.home_level
        self._reader = IntacctReader(self._client, page_size=settings.page_size)
        self._documents = Documents(self._reader, chosen, self._level)
        self._lists = Lists(self._reader, self._level)
        results = ResultSets(self._client, page_size=settings.page_size)
        self._changes = Changes(self._client, self._reader, results, chosen)
        self._bills = Bills(self._reader, chosen, self._level)
        self._payments = Payments(self._client, self._reader, chosen, self._level)
        self._invoices = VendorInvoices(self._client, self._reader, self._documents, chosen)
        self.capabilities = Capabilities(
            po_in=True,
            receipt_in=True,
            match_modes=(MatchMode.TWO_WAY, MatchMode.THREE_WAY),
            deletions_feed=not chosen.sweeps,
            several_sources_per_bill=chosen.several_sources,
            charges=tuple(chosen.subtotals),
            receipts_count_as_billed=True,
        )

    def __repr__(self) -> str:
        return f"IntacctConnector({self._client!r})"

    async def check(self) -> ConnectionCheck:
        session = await self._client.sign_in_afresh()
        feed = await self._changes.has_audit_trail()
        return ConnectionCheck(
            company=self._client.company,
            entity=self._level,
            user=self._client.user,
            endpoint=session.endpoint,
            capabilities=self.capabilities.model_copy(update={"deletions_feed": feed}),
        )

    async def check_preferences(self, given: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        return await preflight.check_preferences(self._client, self._reader, given, level=self._level)

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        return statuses.order_statuses(erp_status, mode)

    def receipt_status(self, erp_status: str) -> ReceiptStatus | None:
        return statuses.receipt_status(erp_status)

    async def peek(self, since: Mapping[Stream, str]) -> Peek:
        return await self._changes.peek(since)

    async def list_entries(self, kinds: Sequence[ListKind], *, since: str | None, after: str | None) -> Page[ListEntry]:
        return await self._lists.entries(kinds, since=since, after=after)

    async def purchase_order_headers(
        self, *, since: str | None, ordered_from: date | None, after: str | None, open_in: MatchMode | None
    ) -> Page[PurchaseOrderHeader]:
        return await self._documents.order_headers(since=since, ordered_from=ordered_from, after=after, open_in=open_in)

    async def purchase_order_lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        return await self._documents.orders(headers)

    async def receipts(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        return await self._documents.receipts(since=since, after=after)

    async def bills(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        return await self._bills.bills(since=since, after=after)

    async def payments(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        return await self._payments.changed(since=since, after=after)

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion] | IntacctSweep:
        return await self._changes.deletions(since=since, after=after)

    async def purchase_order(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        return await self._documents.snapshot_of(erp_id)

    async def purchase_orders_whole(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        whole: list[PurchaseOrderSnapshot] = []
        for erp_id in erp_ids:
            with suppress(NotFound, Rejected):
                whole.append(await self.purchase_order(erp_id))
        return whole

    async def find_bill(self, bill: BillToPush) -> DocumentId | None:
        return await self._invoices.find(bill)

    async def create_bill(self, bill: BillToPush) -> DocumentId:
        return await self._invoices.create(bill)

    async def update_bill(self, bill: BillToPush, document_id: DocumentId, *, edition: int) -> None:
        await self._invoices.update(bill, document_id, edition=edition)

    async def read_bill(self, bill: BillToPush, document_id: DocumentId) -> PushedBill:
        return await self._invoices.read_back(bill, document_id)

    async def find_payment(self, payment: PaymentToPush) -> ErpId | None:
        return await self._payments.find(payment)

    async def create_payment(self, payment: PaymentToPush) -> ErpId:
        return await self._payments.create(payment)

    async def read_payment(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        return await self._payments.read_back(payment, erp_id)

    async def close(self) -> None:
        await self._client.close()
