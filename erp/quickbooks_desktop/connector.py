"""Connect activities to QuickBooks Desktop: an `ErpConnector`, each of whose roles is in a file of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from erp.capabilities import Capabilities
from erp.clock import ErpClock
from erp.connection import ConnectionCheck, ConnectionSettings, PreferenceProblem
from erp.errors import AuthenticationFailed
from erp.quickbooks_desktop import preflight, wire
from erp.quickbooks_desktop.bills_out import Bills
from erp.quickbooks_desktop.changes import Changes, DeletionScan
from erp.quickbooks_desktop.client import Client
from erp.quickbooks_desktop.lists import Lists
from erp.quickbooks_desktop.orders import Orders
from erp.quickbooks_desktop.payments import Payments
from erp.quickbooks_desktop.preferences import Preferences
from erp.quickbooks_desktop.reader import Reader
from erp.quickbooks_desktop.receipts import Receipts
from erp.setup_checks import PREFERENCES_ONLY, of_preflight, preflight_of
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.connections import MatchMode
from models.domain.retractions import RetractBy
from models.domain.setup_checks import SetupCheck

ENHANCED = "enhanced_receiving"
"""The fact of a company that tells receipts and bills of an order apart; it is read in every session."""


class DesktopClock(ErpClock):
    """The clock of a computer whose time zone nobody knows: its local time is at most twelve hours ahead of UTC here.

    Cursors are that clock's own text. Where it is further ahead, the hours between are read once more.
    """

    def at(self, moment: datetime) -> datetime:
        """Return the latest time that the clock there may have shown at a moment of ours."""
        return moment + timedelta(hours=12)


class QuickBooksDesktopConnector:
    """Connects to QuickBooks Desktop by the journal of exchanges. Every method may raise any `ErpError`, above all
    `Deferred`; `erp/roles/` has the promises."""

    def __init__(self, settings: ConnectionSettings, credentials: Credentials, storage: Storage) -> None:
        client = Client(storage.exchanges)
        chosen = Preferences.of(settings.preferences)
        enhanced = settings.facts.get(ENHANCED) == "true"
        reader = Reader(client, settings.page_size)
        self._facts = settings.facts
        self._clock = DesktopClock()
        self.orders = Orders(client, reader, enhanced=enhanced)
        self.receipts = Receipts(client, reader)
        self.bills = Bills(client, reader, self.orders, chosen)
        self.retractions = None
        self.parts = None
        self.direct_bills = None
        self.order_sink = None
        self.payment_voids = None
        self.credits = None
        self.payments = Payments(client, reader, chosen)
        self.lists = Lists(reader)
        self.list_writes = None
        self.changes = Changes(client)
        self.scan = DeletionScan(client)
        self.capabilities = capabilities(chosen, enhanced=enhanced)

    def __repr__(self) -> str:
        return f"QuickBooksDesktopConnector({self._facts.get('company', '')!r})"

    @property
    def clock(self) -> ErpClock:
        """Return the ERP's clock."""
        return self._clock

    async def check(self) -> ConnectionCheck:
        """Return what the company said when its Web Connector called last.

        Raises:
            AuthenticationFailed: it has not called yet.
        """
        if "company" not in self._facts:
            raise AuthenticationFailed("The Web Connector has not called yet.", code="WEB_CONNECTOR_AWAITED")
        return ConnectionCheck(
            company=self._facts.get("identity", self._facts["company"]),
            entity=None,
            user=self._facts.get("login", ""),
            endpoint="web-connector:",
            capabilities=self.capabilities,
            base_currency=self._facts.get("home_currency"),
        )

    async def check_preferences(self, given: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        """Return what is wrong with the sync preferences, as far as it can be said without asking QuickBooks."""
        return preflight.check_preferences(given)

    async def setup_checks(self, preferences: Mapping[str, str], *, retract_by: RetractBy) -> Sequence[SetupCheck]:
        """Check how the company is set up."""
        return of_preflight(PREFERENCES_ONLY, await preflight_of(self.check_preferences(preferences)))

    async def close(self) -> None:
        """Release nothing: the Web Connector calls us."""


def capabilities(preferences: Preferences, *, enhanced: bool) -> Capabilities:
    """Return what a company offers. Only enhanced receiving tells receipts and bills apart, so only there they give
    3-way matching."""
    return Capabilities(
        po_in=True,
        receipt_in=True,
        match_modes=(MatchMode.TWO_WAY, MatchMode.THREE_WAY) if enhanced else (MatchMode.TWO_WAY,),
        deletions_feed=True,
        several_sources_per_bill=True,
        charges=tuple(preferences.charge_accounts),
        receipts_count_as_billed=not enhanced,
        entities=False,
        decimals=wire.PRICE_DECIMALS,
        longest_payment_reference=wire.LONGEST["payment"],
        adopts_converted_bills=True,
        one_line_per_order_line=True,
        bills_of_other_vendors=False,
    )
