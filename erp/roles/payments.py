"""The roles around payments: read, make and void them."""

from collections.abc import Sequence
from typing import Protocol

from erp.roles.pages import Page
from models.domain.ids import ErpId
from models.domain.payments import ErpPayment, PartPaid, PaymentToPush, PaymentToVoid, PushedPayment


class Payments(Protocol):
    """Reads and writes payments."""

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        """Read a page of payments changed since a cursor, with the share that each bill got."""
        ...

    async def find(self, payment: PaymentToPush) -> ErpId | None:
        """Return the payment that an earlier attempt with this external key created; None: there is none."""
        ...

    async def create(self, payment: PaymentToPush) -> ErpId:
        """Create the payment against the payable that now stands behind the bill. A repeat with the same key never
        creates a second one: it raises Duplicate, or returns the id of the first.

        Raises:
            Duplicate: the ERP has a record with this key or number.
            Rejected: a business rule of the ERP refused the payment.
        """
        ...

    async def read_back(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        """Read the payment back, and what is still due on the bill.

        Raises:
            OutcomeUnknown: the ERP's reads do not show the payment yet.
        """
        ...


class PaymentVoids(Protocol):
    """Voids payments that were made from here."""

    async def void(self, void: PaymentToVoid) -> None:
        """Void the payment. A repeat is safe: it voids nothing else.

        Raises:
            Duplicate: an earlier attempt voided it.
            NotFound: the ERP does not have the payment.
            Rejected: a business rule of the ERP refused it.
        """
        ...

    async def free_credits(self, void: PaymentToVoid) -> None:
        """Unapply the credits of a payment that was voided, where the ERP leaves them applied. A repeat is safe: it
        frees nothing more.

        Raises:
            Rejected: a business rule of the ERP refused it.
        """
        ...

    async def shows(self, void: PaymentToVoid) -> bool:
        """Return whether the ERP still shows the payment as one that pays something."""
        ...

    async def read_back(self, void: PaymentToVoid) -> Sequence[PartPaid]:
        """Return what is now paid and due on each document that it paid.

        Raises:
            OutcomeUnknown: the ERP's reads still show the payment, or not the documents.
        """
        ...
