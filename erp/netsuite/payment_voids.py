"""Void payments that were made from here: SOAP has no void, so they are deleted (reference 5.4)."""

from collections.abc import Sequence

from erp.errors import ErpError, NotFound, OutcomeUnknown
from erp.netsuite.bills_in import BillsIn
from erp.netsuite.credits_out import applied_to, set_applied
from erp.netsuite.payments import KIND, paid_documents
from erp.netsuite.reader import Reader
from erp.netsuite.writer import Writer
from models.domain.payments import PartPaid, PaymentToVoid


class PaymentVoids:
    """Voids the payments of one connection."""

    def __init__(self, source: Reader, writer: Writer, bills: BillsIn) -> None:
        self._reader = source
        self._writer = writer
        self._bills = bills

    async def void(self, void: PaymentToVoid) -> None:
        """Delete the payment by its internal id, which is never given to another record.

        Raises:
            Rejected: NetSuite refused it, or there is no such record.
        """
        await self._writer.delete(KIND, void.payment_erp_id)

    async def free_credits(self, void: PaymentToVoid) -> None:
        """Take the payment's bills off the lists of its credits, which stay applied when it is deleted.

        Raises:
            Rejected: NetSuite refused it.
        """
        for credit in void.credits:
            try:
                record = await self._reader.record("vendorCredit", credit.credit_erp_id)
            except NotFound:  # deleted there, and so applied to nothing
                continue
            if applied_to(record, credit.payable_id) > credit.stays_applied:
                await set_applied(self._writer, credit.credit_erp_id, credit.payable_id, credit.stays_applied)

    async def shows(self, void: PaymentToVoid) -> bool:
        """Return whether NetSuite still shows the payment.

        Raises:
            ErpError: the look-up failed.
        """
        shown = (await self._reader.records([(KIND, void.payment_erp_id)]))[void.payment_erp_id]
        if isinstance(shown, ErpError) and not isinstance(shown, NotFound):
            raise shown
        return not isinstance(shown, ErpError)

    async def read_back(self, void: PaymentToVoid) -> Sequence[PartPaid]:
        """Return what is now paid and due on each bill that it paid.

        Raises:
            OutcomeUnknown: NetSuite still shows the payment, or not the bills.
        """
        if await self.shows(void):
            raise OutcomeUnknown(f"NetSuite still shows payment {void.payment_erp_id}.", code="OUTCOME_UNKNOWN")
        return await paid_documents(self._bills, [part.document_id for part in void.parts], revision=None)
