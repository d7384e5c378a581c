"""Oracle NetSuite as activities see it: `ErpConnector`, each method handed to the file that knows how."""

from collections.abc import Mapping, Sequence
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
from erp.errors import AuthenticationFailed
from erp.netsuite import preflight, statuses
from erp.netsuite.accounts import Accounts
from erp.netsuite.changes import Changes
from erp.netsuite.client import NetSuiteClient
from erp.netsuite.currencies import Currencies
from erp.netsuite.lists import Lists
from erp.netsuite.orders import Orders
from erp.netsuite.payables import Payables
from erp.netsuite.payments import Payments
from erp.netsuite.preferences import Preferences
from erp.netsuite.reader import Reader
from erp.netsuite.vendor_bill import VendorBills
from erp.netsuite.writer import Writer
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


class NetSuiteConnector:
    """One connection's NetSuite. Every method may raise any `ErpError`; see `erp/connector.py` for the promises."""

    def __init__(
        self,
        settings: ConnectionSettings,
        credentials: Credentials,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        chosen = Preferences.of(settings.preferences)
        self._in_flight = settings.max_in_flight
        self._client = NetSuiteClient(settings, credentials, transport=transport)
        entity = self._client.entity
        self._reader = Reader(self._client, page_size=settings.page_size)
        writer = Writer(self._client)
        currencies = Currencies(self._reader)
        self._lists = Lists(self._reader, currencies)
        self._accounts = Accounts(self._lists)
        self._orders = Orders(self._reader, currencies, entity)
        self._changes = Changes(self._reader, self._orders, self._lists, entity)
        self._payables = Payables(self._reader, currencies, entity)
        self._payments = Payments(self._reader, writer, self._payables, currencies, self._accounts, entity)
        self._bills = VendorBills(self._reader, writer, self._orders, currencies, self._accounts, chosen)
        self._bill_in_advance = chosen.bill_in_advance
        self.capabilities = Capabilities(
            po_in=True,
            receipt_in=True,
            match_modes=(MatchMode.TWO_WAY, MatchMode.THREE_WAY),
            deletions_feed=True,
            several_sources_per_bill=True,
            receipts_count_as_billed=False,
            charges=tuple(chosen.charge_accounts),
            bill_in_advance=chosen.bill_in_advance,
            credits_name_orders=True,
            bills_of_other_vendors=False,
        )

    def __repr__(self) -> str:
        return f"NetSuiteConnector({self._client!r})"

    async def check(self) -> ConnectionCheck:
        """Sign in, find the subsidiary, and ask whether bills may go out in advance of receipts (S4-70)."""
        await self._reader.server_time()
        entity = self._client.entity
        if entity is not None and entity not in [known.id for known in await self._lists.subsidiaries()]:
            raise AuthenticationFailed(
                f"NetSuite has no subsidiary with the internal id {entity!r}, or the role may not see it.",
                code="AUTH_ENTITY_NOT_ALLOWED",
                evidence={"entity": entity},
            )
        if self._bill_in_advance is None:
            found = await preflight.bill_in_advance(self._reader)
            self.capabilities = self.capabilities.model_copy(update={"bill_in_advance": found})
        return ConnectionCheck(
            company=self._client.account,
            entity=entity,
            user=self._client.token,
            endpoint=self._client.endpoint,
            capabilities=self.capabilities,
        )

    async def check_preferences(self, given: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        return await preflight.check_preferences(self._reader, self._accounts, given, in_flight=self._in_flight)

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
        return await self._orders.headers(since=since, ordered_from=ordered_from, after=after, open_in=open_in)

    async def purchase_order_lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        return await self._orders.orders(headers)

    async def receipts(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        return await self._orders.receipts(since=since, after=after)

    async def bills(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        return await self._payables.bills(since=since, after=after)

    async def payments(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        return await self._payments.changed(since=since, after=after)

    async def deletions(self, *, since: str, after: str | None) -> Page[Deletion]:
        return await self._changes.deletions(since=since, after=after)

    async def purchase_order(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        return await self._orders.snapshot_of(erp_id)

    async def purchase_orders_whole(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        return await self._orders.whole(erp_ids)

    async def find_bill(self, bill: BillToPush) -> DocumentId | None:
        return await self._bills.find(bill)

    async def create_bill(self, bill: BillToPush) -> DocumentId:
        return await self._bills.create(bill)

    async def update_bill(self, bill: BillToPush, document_id: DocumentId, *, edition: int) -> None:
        """The edition needs no name of its own: what NetSuite holds already is told as Duplicate."""
        await self._bills.update(bill, document_id)

    async def read_bill(self, bill: BillToPush, document_id: DocumentId) -> PushedBill:
        return await self._bills.read_back(bill, document_id)

    async def find_payment(self, payment: PaymentToPush) -> ErpId | None:
        return await self._payments.find(payment)

    async def create_payment(self, payment: PaymentToPush) -> ErpId:
        return await self._payments.create(payment)

    async def read_payment(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        return await self._payments.read_back(payment, erp_id)

    async def close(self) -> None:
        await self._client.close()
