"""The role that writes credits of vendors, and applies them."""

from collections.abc import Sequence
from typing import Protocol

from erp.roles.pages import Page
from models.domain.bills import ErpBill, PushedBill
from models.domain.credits import ApplicationToPush, AppliedCredit, CreditToPush
from models.domain.ids import DocumentId, ErpId


class Credits(Protocol):
    """Writes credits of vendors. They come back by `Bills.page`, like all that is owed."""

    async def find(self, credit: CreditToPush) -> DocumentId | None:
        """Return the credit that an earlier attempt with this external key created; None: there is none."""
        ...

    async def create(self, credit: CreditToPush) -> DocumentId:
        """Create the credit, applied to nothing. A repeat with the same key never creates a second one: it raises
        Duplicate, or returns the id of the first.

        Raises:
            Duplicate: the ERP has a record with this key.
            Rejected: a business rule of the ERP refused the credit.
        """
        ...

    async def read_back(self, credit: CreditToPush, document_id: DocumentId) -> PushedBill:
        """Read the credit back and compare it with what was sent; its total is below zero, as `Bills.page` shows it.

        Raises:
            OutcomeUnknown: the ERP's reads do not show the credit yet.
            Rejected: the ERP made something of it that raises what is owed.
        """
        ...

    async def read(self, credits: Sequence[ErpId], bills: Sequence[ErpId]) -> Page[ErpBill]:
        """Read these credits, and these bills that a credit was just applied to, or freed from, as `Bills.page` shows
        them; what the ERP does not show is left out."""
        ...

    async def find_application(self, application: ApplicationToPush) -> AppliedCredit | None:
        """Return the application that an earlier attempt with this external key made; None: there is none."""
        ...

    async def apply(self, application: ApplicationToPush) -> AppliedCredit:
        """Apply the credit to the bill without money. A repeat with the same key never applies it twice.

        Raises:
            Duplicate: the ERP holds the application already.
            Rejected: a business rule of the ERP refused it.
        """
        ...

    async def unapply(self, application: ApplicationToPush) -> None:
        """Undo the application: what it applied is open again on both. A repeat changes nothing more.

        Raises:
            Duplicate: the ERP does not hold the application any more.
            Rejected: a business rule of the ERP refused it.
        """
        ...
