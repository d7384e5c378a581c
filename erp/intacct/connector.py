"""Connect activities to Sage Intacct: an `ErpConnector`, each of whose roles is in a file of its own."""

from collections.abc import Mapping, Sequence

import httpx

from erp.capabilities import Capabilities
from erp.clock import ErpClock
from erp.connection import ConnectionCheck, ConnectionSettings, PreferenceProblem
from erp.intacct import preflight, setup_checks, statuses
from erp.intacct.base_currency import base_currency
from erp.intacct.bills_out import Bills
from erp.intacct.changes import Changes
from erp.intacct.client import IntacctClient
from erp.intacct.credits_out import Credits
from erp.intacct.deletion_scan import (
    IntacctDeletionScan,
)
from erp.intacct.direct_bills import NUMBER_WITHOUT, DirectBills
from erp.intacct.documents import Documents
from erp.intacct.list_writes import LISTS_OUT, ListWrites
from erp.intacct.lists import Lists
from erp.intacct.orders import Orders
from erp.intacct.parts import Parts
from erp.intacct.payment_voids import PaymentVoids
from erp.intacct.payments import OFFERED_METHODS, Payments
from erp.intacct.preferences import GLDIM, Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.receipts import Receipts
from erp.intacct.result_sets import ResultSets
from erp.intacct.retractions import DIRECT_WAYS, WAYS, Retractions
from erp.setup_checks import preflight_of
from erp.sign_in import Credentials
from models.domain.connections import MatchMode
from models.domain.retractions import RetractBy
from models.domain.setup_checks import SetupCheck


class IntacctConnector:
    """Connects to Intacct. Every method may raise any `ErpError`; `erp/roles/` has the promises."""

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
        documents = Documents(self._reader, self._level)
        results = ResultSets(self._client, page_size=settings.page_size)
        self.receipts = Receipts(self._reader, documents, chosen, self._level)
        self.orders = Orders(self._reader, documents, self.receipts, chosen, self._level)
        self.bills = Bills(self._client, self._reader, self.orders, chosen)
        self.retractions = Retractions(self._client, self._reader, self.orders, chosen, self._level)
        self.parts = Parts(self._reader, chosen)
        self.direct_bills = DirectBills(self._client, self._reader, chosen, self._level)
        self.credits = Credits(self._client, self._reader, self.bills, self._level)
        self.payments = Payments(self._client, self._reader, chosen, self._level)
        self.payment_voids = PaymentVoids(self._client, self._reader, self.payments)
        self.lists = Lists(self._reader, self._level, chosen.line_fields)
        self.list_writes = ListWrites(self._client, self._reader)
        self.changes = Changes(self._client, self._reader, chosen)
        self.scan = IntacctDeletionScan(self._reader, results, chosen, self._level)
        self.order_sink = None
        # Without a template of receivers no receipt ever comes in, and 3-way matching would warn of every bill.
        receives = chosen.receiver_template is not None
        self.capabilities = Capabilities(
            po_in=True,
            receipt_in=receives,
            match_modes=(MatchMode.TWO_WAY, MatchMode.THREE_WAY) if receives else (MatchMode.TWO_WAY,),
            deletions_feed=not chosen.sweeps,
            several_sources_per_bill=chosen.several_sources,
            bills_in_parts=True,
            charges=tuple(chosen.subtotals),
            receipts_count_as_billed=True,
            # Seen in the sandbox; unverified at the vendor's. A release that it refuses helps nobody.
            bills_of_other_vendors=False,
            retract_by=WAYS,
            retract_direct_by=DIRECT_WAYS,
            pays_several_bills=True,
            voids_payments=True,
            payment_methods=OFFERED_METHODS,
            credits=True,
            direct_bills=True,
            draft_bills=True,
            draft_order_bills=True,
            direct_charges=tuple(chosen.charge_accounts),
            direct_numbers_without=NUMBER_WITHOUT,
            account_lines=True,
            account_lines_as_items=True,
            warehouses=True,
            line_fields=tuple(chosen.line_fields),
            states_in_use=statuses.IN_USE,
            posting_dates=True,
            due_date_needed=True,
            lists_out=LISTS_OUT,
            lists_have_levels=True,
            lists_scanned=True,
            lists_compared=any(field.startswith(GLDIM) for field in chosen.line_fields.values()),
        )

    def __repr__(self) -> str:
        return f"IntacctConnector({self._client!r})"

    @property
    def clock(self) -> ErpClock:
        """Return the ERP's clock."""
        return self._client.clock

    async def check(self) -> ConnectionCheck:
        """Sign in at the connection's level and return the company, the user and what this company offers.

        Raises:
            AuthenticationFailed: with a code that says what is wrong.
        """
        session = await self._client.sign_in_afresh()
        feed = await self.changes.has_audit_trail()
        return ConnectionCheck(
            company=self._client.company,
            entity=self._level,
            user=self._client.user,
            endpoint=session.endpoint,
            capabilities=self.capabilities.model_copy(update={"deletions_feed": feed}),
            base_currency=await base_currency(self._client, level=self._level),
        )

    async def check_preferences(self, given: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        """Check the sync preferences with Intacct and return what is wrong with them."""
        return await preflight.check_preferences(self._client, self._reader, given, level=self._level)

    async def setup_checks(self, preferences: Mapping[str, str], *, retract_by: RetractBy) -> Sequence[SetupCheck]:
        """Check how the company is set up."""
        result = await preflight_of(self.check_preferences(preferences))
        return await setup_checks.check(self._client, result, preferences, level=self._level, retract_by=retract_by)

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._client.close()
