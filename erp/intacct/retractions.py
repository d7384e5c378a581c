"""Take a bill back: delete its vendor invoice, which takes the payable with it (reference 3.4).

A vendor invoice has no reversal. Its source becomes convertible again.
"""

from erp.errors import NotFound, OutcomeUnknown, Rejected
from erp.intacct import wire
from erp.intacct.client import IntacctClient
from erp.intacct.orders import Orders
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query
from models.domain.retractions import BillToRetract, RetractBy, RetractedBill

WAYS = (RetractBy.DELETE,)


class Retractions:
    """Takes the bills of one connection back, at the level that owns their order."""

    def __init__(self, client: IntacctClient, reader: IntacctReader, orders: Orders, preferences: Preferences) -> None:
        self._client = client
        self._reader = reader
        self._orders = orders
        self._preferences = preferences

    async def take_back(self, bill: BillToRetract) -> None:
        """Delete the vendor invoice by its record number, which is never given to another one.

        Raises:
            Duplicate: the gateway has done it before.
            Rejected: a rule of the company refused it, or there is no such document.
        """
        body = f"<delete><object>PODOCUMENT</object>{wire.element('keys', bill.erp_id)}</delete>"
        await self._client.write(body, control_id=f"{bill.external_key}:retract", level=bill.owner_entity)

    async def shows(self, bill: BillToRetract) -> bool:
        """Return whether Intacct still shows the vendor invoice."""
        (rows,) = await self._reader.all_rows([self._query(bill)], level=bill.owner_entity)
        return bool(rows)

    async def read_back(self, bill: BillToRetract) -> RetractedBill:
        """Read the order, in one request with the look-up of the vendor invoice.

        Raises:
            OutcomeUnknown: Intacct still shows the vendor invoice.
        """
        queries = [self._query(bill), *self._orders.snapshot_queries(bill.order_document)]
        rows, *order_rows = await self._reader.all_rows(queries, level=bill.owner_entity)
        if rows:
            raise OutcomeUnknown(f"Intacct still shows {bill.document_id}.", code="OUTCOME_UNKNOWN")
        try:
            snapshot = await self._orders.snapshot(bill.order_document, order_rows, level=bill.owner_entity)
        except (NotFound, Rejected):  # the order's own reading reports it
            return RetractedBill()
        return RetractedBill(snapshot=snapshot)

    def _query(self, bill: BillToRetract) -> Query:
        template = self._preferences.needed_vendor_invoice_template()
        where = wire.all_of(wire.equal("DOCPARID", template), wire.equal("RECORDNO", bill.erp_id))
        return Query("PODOCUMENT", ("RECORDNO", "DOCID"), where, docparid=template)
