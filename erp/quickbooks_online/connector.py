"""Connect activities to QuickBooks Online: an `ErpConnector`, each of whose roles is in a file of its own."""

from collections.abc import Mapping, Sequence

import httpx

from erp.capabilities import Capabilities
from erp.clock import ErpClock
from erp.connection import ConnectionCheck, ConnectionSettings, PreferenceProblem
from erp.quickbooks_online import preflight, wire
from erp.quickbooks_online.accounts import Accounts
from erp.quickbooks_online.auth import App
from erp.quickbooks_online.bill_lines import PRICE_DECIMALS
from erp.quickbooks_online.bills_out import Bills
from erp.quickbooks_online.changes import Changes, DeletionScan
from erp.quickbooks_online.client import QuickBooksClient
from erp.quickbooks_online.company import Companies
from erp.quickbooks_online.lists import Lists
from erp.quickbooks_online.order_sink import OrderSink
from erp.quickbooks_online.orders import Orders
from erp.quickbooks_online.payments import Payments
from erp.quickbooks_online.preferences import Preferences
from erp.quickbooks_online.reader import Reader
from erp.quickbooks_online.retractions import WAYS, Retractions
from erp.quickbooks_online.seen import Memory
from erp.quickbooks_online.writing import Writer
from erp.setup_checks import PREFERENCES_ONLY, of_preflight, preflight_of
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.connections import MatchMode
from models.domain.retractions import RetractBy
from models.domain.setup_checks import SetupCheck


class QuickBooksConnector:
    """Connects to QuickBooks Online. Every method may raise any `ErpError`; `erp/roles/` has the promises."""

    def __init__(
        self,
        settings: ConnectionSettings,
        credentials: Credentials,
        storage: Storage,
        app: App | None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        chosen = Preferences.of(settings.preferences)
        realm = credentials.values.get("realm", "")
        self._client = QuickBooksClient(settings, realm, app, storage, transport=transport)
        reader = Reader(self._client, page_size=settings.page_size)
        memory = Memory()
        writer = Writer(self._client, reader, memory)
        self._companies = Companies(self._client)
        self._accounts = Accounts(reader, storage.lists)
        self.orders = Orders(reader, self._companies, memory)
        self.receipts = None
        self.bills = Bills(reader, writer, self.orders, self._companies, self._accounts, chosen, memory)
        self.retractions = Retractions(writer, self.orders, memory)
        self.parts = None
        self.direct_bills = None
        self.payment_voids = None
        self.credits = None
        self.payments = Payments(reader, writer, self._companies, self._accounts, memory)
        self.lists = Lists(reader, memory)
        self.list_writes = None
        self.changes = Changes(self._client, self._companies, memory)
        self.scan = DeletionScan(reader)
        self.order_sink = OrderSink(writer)
        self.capabilities = Capabilities(
            po_in=True,
            receipt_in=False,
            match_modes=(MatchMode.TWO_WAY,),
            deletions_feed=True,
            several_sources_per_bill=True,
            charges=tuple(chosen.charge_accounts),
            receipts_count_as_billed=False,
            entities=False,
            decimals=PRICE_DECIMALS,
            longest_number=wire.LONGEST_NUMBER,
            longest_payment_reference=wire.LONGEST_NUMBER,
            order_upload=True,
            bills_explain_billed=True,
            bills_of_other_vendors=False,
            retract_by=WAYS,
        )

    def __repr__(self) -> str:
        return f"QuickBooksConnector({self._client!r})"

    @property
    def clock(self) -> ErpClock:
        """Return the ERP's clock."""
        return self._client.clock

    async def check(self) -> ConnectionCheck:
        """Read the company with the stored tokens, and its preferences.

        Raises:
            AuthenticationFailed: with a code that says what is wrong.
        """
        name = await self._companies.name()
        company = await self._companies.read()
        return ConnectionCheck(
            company=self._client.realm,
            entity=None,
            user=name,
            endpoint=self._client.endpoint,
            capabilities=self.capabilities,
            base_currency=company.home_currency or None,
        )

    async def check_preferences(self, given: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        """Check the sync preferences with QuickBooks and return what is wrong with them."""
        return await preflight.check_preferences(self._accounts, self._companies, given)

    async def setup_checks(self, preferences: Mapping[str, str], *, retract_by: RetractBy) -> Sequence[SetupCheck]:
        """Check how the company is set up."""
        return of_preflight(PREFERENCES_ONLY, await preflight_of(self.check_preferences(preferences)))

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._client.close()
