"""Take a bill back (reference 3.4, 3.5).

A vendor invoice has no reversal: it is deleted, which takes the payable with it and opens its source again, or a debit
memo is applied to the payable (`debit_memos.py`). A bill of Accounts Payable is deleted, or reversed where the company
lets unpaid bills be reversed: the one excludes the other.
"""

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from erp.errors import Duplicate, NotFound, OutcomeUnknown, Rejected
from erp.intacct import adjustments_in, statuses, wire
from erp.intacct.client import IntacctClient
from erp.intacct.debit_memos import DebitMemos
from erp.intacct.orders import Orders
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from models.domain.retractions import BillToRetract, RetractBy, RetractedBill

WAYS = (RetractBy.DELETE, RetractBy.CREDIT)
"""Of a vendor invoice."""
DIRECT_WAYS = (RetractBy.DELETE, RetractBy.REVERSE)
"""Of a bill of Accounts Payable."""


class Retractions:
    """Takes the bills of one connection back, at the level that owns them or their order."""

    def __init__(
        self,
        client: IntacctClient,
        reader: IntacctReader,
        orders: Orders,
        preferences: Preferences,
        home_level: str | None,
    ) -> None:
        self._client = client
        self._reader = reader
        self._orders = orders
        self._preferences = preferences
        self._home_level = home_level
        self._memos = DebitMemos(client, reader)

    async def take_back(self, bill: BillToRetract) -> None:
        """Delete or reverse the document by its record number, which is never given to another one.

        Raises:
            Duplicate: the gateway has done it before.
            Rejected: a rule of the company refused it, or there is no such document.
        """
        if bill.way is RetractBy.CREDIT:
            await self._memos.credit(bill, self._query(bill))
            return
        if bill.way is RetractBy.REVERSE and not await self.shows(bill):
            # What a second reversal of a bill would do is not documented.
            raise Duplicate(f"{bill.document_id} is reversed already.", code="ALREADY_SENT")
        await self._client.write(_taking_back(bill), control_id=f"{bill.external_key}:retract", level=self._level(bill))

    async def shows(self, bill: BillToRetract) -> bool:
        """Return whether Intacct still shows the document as one that bills something."""
        rows, *memos = await self._reader.all_rows(
            [self._query(bill), *self._memo_query(bill)], level=self._level(bill)
        )
        return self._is_shown(bill, rows, memos)

    async def read_back(self, bill: BillToRetract) -> RetractedBill:
        """Read the order, in one request with the look-up of the document.

        Raises:
            OutcomeUnknown: Intacct still shows the document.
        """
        queries = [self._query(bill), *self._memo_query(bill)]
        credited = len(queries) - 1
        if bill.order_document is not None:
            queries += self._orders.snapshot_queries(bill.order_document)
        rows, *others = await self._reader.all_rows(queries, level=self._level(bill))
        order_rows = others[credited:]
        if self._is_shown(bill, rows, others[:credited]):
            raise OutcomeUnknown(f"Intacct still shows {bill.document_id}.", code="OUTCOME_UNKNOWN")
        if bill.order_document is None:
            return RetractedBill()
        try:
            snapshot = await self._orders.snapshot(bill.order_document, order_rows, level=bill.owner_entity)
        except (NotFound, Rejected):  # the order's own reading reports it
            return RetractedBill()
        return RetractedBill(snapshot=snapshot)

    def _memo_query(self, bill: BillToRetract) -> list[Query]:
        return [self._memos.query(bill)] if bill.way is RetractBy.CREDIT else []

    def _is_shown(self, bill: BillToRetract, rows: Sequence[Row], memos: Sequence[Sequence[Row]]) -> bool:
        """Return whether a row bills something, and no debit memo over it is applied."""
        memo = self._memos.memo_of(memos[0]) if bill.way is RetractBy.CREDIT else None
        credited = memo is not None and memo.is_applied
        return not credited and any(not statuses.is_dead_bill(row) for row in rows)

    def _level(self, bill: BillToRetract) -> str | None:
        return bill.owner_entity or (self._home_level if bill.order_document is None else None)

    def _query(self, bill: BillToRetract) -> Query:
        if bill.is_credit:
            record = adjustments_in.record_of(bill.erp_id) or "0"
            return Query(adjustments_in.OBJECT, ("RECORDNO", "STATE"), wire.equal("RECORDNO", record))
        if bill.order_document is None:
            return Query("APBILL", ("RECORDNO", "STATE"), wire.equal("RECORDNO", bill.erp_id))
        template = self._preferences.needed_vendor_invoice_template()
        where = wire.all_of(wire.equal("DOCPARID", template), wire.equal("RECORDNO", bill.erp_id))
        return Query("PODOCUMENT", ("RECORDNO", "DOCID"), where, optional=("PRRECORDKEY",), docparid=template)


def _taking_back(bill: BillToRetract) -> str:
    """Return the function that takes the document back, as XML."""
    if bill.is_credit:
        return f"<delete_apadjustment key={quoteattr(adjustments_in.record_of(bill.erp_id) or '0')}/>"
    if bill.way is RetractBy.REVERSE:
        assert bill.dated is not None, "a reversal has a day"
        inner = wire.legacy_date("datereversed", bill.dated) + wire.element("description", bill.why)
        return f"<reverse_bill key={quoteattr(bill.erp_id)}>{inner}</reverse_bill>"
    kind = "APBILL" if bill.order_document is None else "PODOCUMENT"
    return f"<delete><object>{kind}</object>{wire.element('keys', bill.erp_id)}</delete>"
