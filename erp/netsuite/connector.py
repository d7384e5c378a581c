"""Connect activities to Oracle NetSuite: an `ErpConnector`, each of whose roles is in a file of its own."""

from collections.abc import Mapping, Sequence

import httpx

from erp.capabilities import Capabilities
from erp.clock import ErpClock
from erp.connection import ConnectionCheck, ConnectionSettings, PreferenceProblem
from erp.errors import AuthenticationFailed
from erp.netsuite import preflight, setup_checks
from erp.netsuite.accounts import Accounts
from erp.netsuite.bill_lines import DECIMALS
from erp.netsuite.bill_parts import BillParts
from erp.netsuite.bills_out import Bills
from erp.netsuite.changes import Changes
from erp.netsuite.client import NetSuiteClient
from erp.netsuite.credits_out import Credits
from erp.netsuite.currencies import Currencies
from erp.netsuite.direct_bills import DirectBills
from erp.netsuite.list_writes import LISTS_OUT, ListWrites
from erp.netsuite.lists import Lists
from erp.netsuite.orders import Orders
from erp.netsuite.payment_voids import PaymentVoids
from erp.netsuite.payments import Payments
from erp.netsuite.preferences import Preferences
from erp.netsuite.reader import Reader
from erp.netsuite.receipts import Receipts
from erp.netsuite.retractions import WAYS, Retractions
from erp.netsuite.writer import Writer
from erp.setup_checks import preflight_of
from erp.sign_in import Credentials
from models.domain.connections import MatchMode
from models.domain.retractions import RetractBy
from models.domain.setup_checks import SetupCheck


class NetSuiteConnector:
    """Connects to NetSuite. Every method may raise any `ErpError`; `erp/roles/` has the promises."""

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
        self._currencies = currencies = Currencies(self._reader)
        self.lists = Lists(self._reader, currencies, chosen.line_fields)
        self.list_writes = ListWrites(self._reader, writer, self.lists)
        self._accounts = Accounts(self.lists)
        self.orders = Orders(self._reader, currencies, entity, chosen)
        self.receipts = Receipts(self._reader, entity)
        parts = BillParts(self._reader, self._accounts, chosen)
        self.bills = Bills(self._reader, writer, self.orders, currencies, self._accounts, chosen, parts, entity)
        self.retractions = Retractions(self._reader, writer, self.orders, chosen)
        self.parts = None
        self.direct_bills = DirectBills(self._reader, writer, currencies, self._accounts, chosen, parts)
        self.credits = Credits(self._reader, writer, currencies, self._accounts, chosen, parts, self.bills)
        self.payments = Payments(self._reader, writer, self.bills, currencies, self._accounts, entity)
        self.payment_voids = PaymentVoids(self._reader, writer, self.bills)
        self.changes = Changes(self._reader, self.orders, self.lists, entity, self.clock)
        self.scan = None
        self.order_sink = None
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
            decimals=DECIMALS,
            bills_of_other_vendors=False,
            retract_by=WAYS,
            retract_direct_by=WAYS,
            pays_several_bills=True,
            projects_or_customers=True,
            posting_dates=True,
            voids_payments=True,
            credits=True,
            direct_bills=True,
            draft_bills=True,
            direct_charges=tuple(chosen.charge_accounts),
            account_lines=True,
            line_fields=tuple(chosen.line_fields),
            lists_out=LISTS_OUT,
            lists_compared=True,
        )

    def __repr__(self) -> str:
        return f"NetSuiteConnector({self._client!r})"

    @property
    def clock(self) -> ErpClock:
        """Return the ERP's clock."""
        return self._client.clock

    async def check(self) -> ConnectionCheck:
        """Sign in, find the subsidiary, and ask whether bills may be sent before the receipts.

        Raises:
            AuthenticationFailed: with a code that says what is wrong.
        """
        await self._reader.server_time()
        entity = self._client.entity
        subsidiary = None
        if entity is not None:
            subsidiary = next((one for one in await self.lists.subsidiaries() if one.id == entity), None)
        if entity is not None and subsidiary is None:
            raise AuthenticationFailed(
                f"NetSuite has no subsidiary with the internal id {entity!r}, or the role may not see it.",
                code="AUTH_ENTITY_NOT_ALLOWED",
                evidence={"entity": entity},
            )
        if self._bill_in_advance is None:
            result = await preflight.bill_in_advance(self._reader)
            self.capabilities = self.capabilities.model_copy(update={"bill_in_advance": result})
        return ConnectionCheck(
            company=self._client.account,
            entity=entity,
            user=self._client.token,
            endpoint=self._client.endpoint,
            capabilities=self.capabilities,
            base_currency=await self._currencies.of_the_books(subsidiary),
        )

    async def check_preferences(self, given: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        """Check the sync preferences with NetSuite and return what is wrong with them."""
        return await preflight.check_preferences(self._reader, self._accounts, given, in_flight=self._in_flight)

    async def setup_checks(self, preferences: Mapping[str, str], *, retract_by: RetractBy) -> Sequence[SetupCheck]:
        """Check how the company is set up."""
        result = await preflight_of(self.check_preferences(preferences))
        try:
            in_advance = await preflight.bill_in_advance(self._reader) if result.whole else None
            receives = await preflight.has_item_receipts(self._reader) if result.whole else None
        except AuthenticationFailed as error:
            if error.code != "PERMISSION_DENIED":
                raise
            in_advance = receives = None
        return setup_checks.check(result, in_advance, receives)

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._client.close()
