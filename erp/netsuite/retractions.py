"""Take a bill back: delete the vendor bill, which frees what it billed of its orders (reference 5.4).

SOAP has neither a void nor a reversal of a vendor bill.
"""

from erp.errors import ErpError, NotFound, OutcomeUnknown, Rejected
from erp.netsuite.bills_out import KIND
from erp.netsuite.orders import Orders
from erp.netsuite.reader import Reader
from erp.netsuite.writer import Writer
from models.domain.retractions import BillToRetract, RetractBy, RetractedBill

WAYS = (RetractBy.DELETE,)


class Retractions:
    """Takes the bills of one connection back."""

    def __init__(self, source: Reader, writer: Writer, orders: Orders) -> None:
        self._reader = source
        self._writer = writer
        self._orders = orders

    async def take_back(self, bill: BillToRetract) -> None:
        """Delete the vendor bill by its internal id, which is never given to another record.

        Raises:
            Rejected: a rule of the company refused it, something is applied to it, or there is no such bill.
        """
        await self._writer.delete(KIND, bill.erp_id)

    async def shows(self, bill: BillToRetract) -> bool:
        """Return whether NetSuite still shows the bill."""
        shown = (await self._reader.records([(KIND, bill.erp_id)]))[bill.erp_id]
        if isinstance(shown, ErpError) and not isinstance(shown, NotFound):
            raise shown
        return not isinstance(shown, ErpError)

    async def read_back(self, bill: BillToRetract) -> RetractedBill:
        """Read the order, together with the look-up of the bill.

        Raises:
            OutcomeUnknown: NetSuite still shows the bill.
        """
        now = await self._orders.clock()
        read = await self._reader.records([("purchaseOrder", bill.order_document), (KIND, bill.erp_id)])
        shown = read[bill.erp_id]
        if isinstance(shown, ErpError) and not isinstance(shown, NotFound):
            raise shown
        if not isinstance(shown, ErpError):
            raise OutcomeUnknown(f"NetSuite still shows bill {bill.erp_id}.", code="OUTCOME_UNKNOWN")
        try:
            return RetractedBill(snapshot=await self._orders.snapshot(bill.order_document, read, now))
        except (NotFound, Rejected):  # the order's own reading reports it
            return RetractedBill()
