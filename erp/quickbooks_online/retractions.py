"""Take a bill back: delete it, which frees the lines of the orders that it is linked to (reference 3.5, 6.2).

A bill has no void. QuickBooks lets a paid bill be deleted, and its payment then pays nothing: so we look first. While
the month's reads are used up a bill goes that was unpaid when it was last seen: a payment moves its SyncToken, and the
one of then would be refused.
"""

from erp.errors import ErpError, NotFound, OutcomeUnknown, Rejected, Stale, Throttled
from erp.quickbooks_online import translate, wire
from erp.quickbooks_online.bills_in import BILL
from erp.quickbooks_online.orders import Orders
from erp.quickbooks_online.quota import QUOTA, waits_for_reads
from erp.quickbooks_online.seen import Memory
from erp.quickbooks_online.wire import Entity
from erp.quickbooks_online.writing import Writer, request_id
from models.domain.ids import ErpId
from models.domain.retractions import BillToRetract, RetractBy, RetractedBill

WAYS = (RetractBy.DELETE,)


class Retractions:
    """Takes the bills of one connection back."""

    def __init__(self, writer: Writer, orders: Orders, memory: Memory) -> None:
        self._writer = writer
        self._orders = orders
        self._memory = memory

    async def take_back(self, bill: BillToRetract) -> None:
        """Delete the bill as QuickBooks has it at this moment.

        Raises:
            NotFound: QuickBooks does not show the bill.
            Rejected: ALREADY_PAID, PERIOD_CLOSED, and what else QuickBooks refuses.
            Stale: somebody changed the bill meanwhile; the next attempt reads it again.
        """
        try:
            record = await self._record(bill)
        except Throttled as error:
            if error.code != QUOTA:
                raise
            await self._take_back_unread(bill, error)
            return
        if record is None:
            raise NotFound(f"QuickBooks shows no bill {bill.document_id}.", code="RECORD_NOT_FOUND")
        _refuse_paid(record)
        await self._delete(bill, wire.text(record, "SyncToken") or "")

    async def _take_back_unread(self, bill: BillToRetract, throttled: Throttled) -> None:
        """Delete the bill as it was when it was last seen.

        Raises:
            Throttled: it has to be read first: it was changed since, or nobody knows that nothing is paid on it.
        """
        token = translate.token_in(bill.seen_unpaid_as)
        if token is None:
            why = f"Bill {bill.number or bill.document_id} is deleted only once it was seen that nothing is paid on it."
            raise waits_for_reads(throttled, why)
        try:
            await self._delete(bill, token)
        except Stale:
            why = f"Bill {bill.number or bill.document_id} was changed in QuickBooks and has to be read first."
            raise waits_for_reads(throttled, why) from None

    async def _delete(self, bill: BillToRetract, token: str) -> None:
        await self._writer.delete(
            BILL, _id(bill), token, request_id=request_id("delete", bill.external_key, [_id(bill), token])
        )

    async def shows(self, bill: BillToRetract) -> bool:
        """Return whether QuickBooks still shows the bill."""
        return await self._record(bill) is not None

    async def read_back(self, bill: BillToRetract) -> RetractedBill:
        """Look the bill up, if the answer to its deletion is not at hand, and read its order.

        Raises:
            OutcomeUnknown: QuickBooks still shows the bill.
        """
        if not self._memory.is_deleted(BILL, _id(bill)) and await self._record(bill) is not None:
            raise OutcomeUnknown(f"QuickBooks still shows bill {bill.document_id}.", code="OUTCOME_UNKNOWN")
        try:
            return RetractedBill(snapshot=await self._orders.read(ErpId(bill.order_document or "")))
        except (NotFound, Rejected):  # the order's own reading reports it
            return RetractedBill()
        except ErpError as error:
            if error.code != QUOTA:
                raise
            return RetractedBill()

    async def _record(self, bill: BillToRetract) -> Entity | None:
        self._memory.forget(BILL, _id(bill))
        return await self._writer.document(BILL, _id(bill))


def _id(bill: BillToRetract) -> str:
    return bill.erp_id.removeprefix(wire.BILL)


def _refuse_paid(record: Entity) -> None:
    """Refuse a bill that something is paid on, or that a payment or a credit names.

    Raises:
        Rejected: ALREADY_PAID.
    """
    balance, total = translate.number(record, "Balance"), translate.number(record, "TotalAmt")
    payments = [
        link for link in wire.parts(record, "LinkedTxn") if (wire.text(link, "TxnType") or "") != "PurchaseOrder"
    ]
    if balance == total and not payments:
        return
    named = ", ".join(f"{wire.text(link, 'TxnType')} {wire.text(link, 'TxnId')}" for link in payments)
    raise Rejected(
        f"Of the bill's {total} {balance} is due: {named or 'something'} is applied to it.",
        code="ALREADY_PAID",
        evidence={"total": str(total), "due": str(balance), "applied": named},
    )
