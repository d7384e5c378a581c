"""Void payments that were made from here (reference 3.6): reversed on a day, they stay there as void."""

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from erp.errors import Duplicate, NotFound, OutcomeUnknown
from erp.intacct import statuses, wire
from erp.intacct.client import IntacctClient
from erp.intacct.payments import Payments
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query
from models.domain.payments import PartPaid, PaymentToVoid


class PaymentVoids:
    """Voids the payments of one connection, at the level that owns their bills."""

    def __init__(self, client: IntacctClient, reader: IntacctReader, payments: Payments) -> None:
        self._client = client
        self._reader = reader
        self._payments = payments

    async def void(self, void: PaymentToVoid) -> None:
        """Reverse the payment by its record number, which is never given to another one.

        Raises:
            Duplicate: it is void already, or the gateway has done it before.
            NotFound: there is no such payment.
            Rejected: a rule of the company refused it.
        """
        # What a second reversal of a payment would do is not documented.
        if not await self.shows(void):
            raise Duplicate(f"Payment {void.payment_erp_id} is void already.", code="ALREADY_SENT")
        inner = wire.legacy_date("datereversed", void.dated) + wire.element("description", void.why)
        await self._client.write(
            f"<reverse_appayment key={quoteattr(void.payment_erp_id)}>{inner}</reverse_appayment>",
            control_id=void.external_key,
            level=void.owner_entity,
        )

    async def free_credits(self, void: PaymentToVoid) -> None:
        """Do nothing: the void has set them free (reference 3.6)."""

    async def shows(self, void: PaymentToVoid) -> bool:
        """Return whether Intacct still shows the payment as one that pays something.

        Raises:
            NotFound: it shows no such payment.
        """
        query = Query("APPYMT", ("RECORDNO", "STATE"), wire.equal("RECORDNO", void.payment_erp_id))
        (rows,) = await self._reader.all_rows([query], level=void.owner_entity)
        if not rows:
            raise NotFound(f"Intacct does not show payment {void.payment_erp_id}.", code="RECORD_NOT_FOUND")
        return rows[0].get("STATE", "").casefold() not in statuses.VOID_PAYMENT_STATES

    async def read_back(self, void: PaymentToVoid) -> Sequence[PartPaid]:
        """Return what is now paid and due on each document that it paid.

        Raises:
            OutcomeUnknown: Intacct still shows the payment as made, or not the documents.
        """
        if await self.shows(void):
            raise OutcomeUnknown(f"Intacct still shows payment {void.payment_erp_id}.", code="OUTCOME_UNKNOWN")
        return await self._payments.figures(void.parts, level=void.owner_entity)
