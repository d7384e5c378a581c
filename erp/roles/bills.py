"""The roles around bills: read and write them, with an order or without one, and take them back."""

from collections.abc import Sequence
from typing import Protocol

from erp.roles.pages import Page
from models.domain.bill_parts import PartInErp
from models.domain.bills import BillToPush, DirectBillToPush, ErpBill, PushedBill
from models.domain.ids import DocumentId
from models.domain.retractions import BillToRetract, RetractedBill


class Bills(Protocol):
    """Reads and writes bills. Fields that only some ERPs use (a payable beside the document, the entity that owns it)
    are optional and are passed on unchanged."""

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        """Read a page of bills changed since a cursor, those made here and those made in the ERP, with what is paid and
        due."""
        ...

    async def numbered(self, vendor_id: str, number: str) -> Sequence[ErpBill]:
        """Return the vendor's bills with this supplier's invoice number, ours included, in the form of `page`: one call
        where there is none."""
        ...

    async def find(self, bill: BillToPush) -> DocumentId | None:
        """Return the bill that an earlier attempt with this external key created; None: there is none."""
        ...

    async def create(self, bill: BillToPush) -> DocumentId:
        """Create the bill. A repeat with the same key never creates a second one: it raises Duplicate, or returns the
        id of the first.

        Raises:
            Duplicate: the ERP has a record with this key or number.
            Rejected: a business rule of the ERP refused the bill.
        """
        ...

    async def update(self, bill: BillToPush, document_id: DocumentId, *, edition: int) -> None:
        """Send the edited fields as the bill has them now: memo, due date, and per line description, department,
        location, class, project.

        Values are absolute, so a repeat is safe: an edition that was taken before raises Duplicate or changes nothing
        more.

        Raises:
            Duplicate: the ERP took this edition before.
            Rejected: a business rule of the ERP refused the edit.
        """
        ...

    async def repair_link(self, bill: BillToPush, document_id: DocumentId) -> bool:
        """Link a bill of ours whose link to its order the ERP dropped, where that can be done without a second bill.
        Returns whether the ERP took it; `read_back` shows the result. A repeat changes nothing more.

        Raises:
            Stale: somebody changed the bill meanwhile; the next attempt reads it again.
        """
        ...

    async def read_back(self, bill: BillToPush, document_id: DocumentId, *, with_order: bool = True) -> PushedBill:
        """Read the bill back and compare it with what was sent, the order link included. After an edit, only the edited
        fields are compared. Without `with_order` the result has no snapshot of the order, if that saves a call.

        Raises:
            OutcomeUnknown: the ERP's reads do not show the bill yet.
        """
        ...


class DirectBills(Protocol):
    """Writes bills without an order. They come back by `Bills.page` and `Bills.numbered`, like all bills."""

    async def find(self, bill: DirectBillToPush) -> DocumentId | None:
        """Return the bill that an earlier attempt with this external key created; None: there is none.

        A bill that was reversed or deleted there is not returned, whatever it is numbered.
        """
        ...

    async def create(self, bill: DirectBillToPush) -> DocumentId:
        """Create the bill, with the promises of `Bills.create`.

        Raises:
            Duplicate: the ERP has a record with this key or number.
            Rejected: a business rule of the ERP refused the bill.
        """
        ...

    async def update(self, bill: DirectBillToPush, document_id: DocumentId, *, edition: int) -> None:
        """Send the edited fields as the bill has them now, with the promises of `Bills.update`.

        Raises:
            Duplicate: the ERP took this edition before.
            Rejected: a business rule of the ERP refused the edit.
        """
        ...

    async def read_back(self, bill: DirectBillToPush, document_id: DocumentId) -> PushedBill:
        """Read the bill back and compare it with what was sent. After an edit, only the edited fields are compared.

        Raises:
            OutcomeUnknown: the ERP's reads do not show the bill yet.
        """
        ...


class Retractions(Protocol):
    """Takes bills back that were written here. The ways it has are the capability `retract_by`."""

    async def take_back(self, bill: BillToRetract) -> None:
        """Take the bill back in its way. A repeat is safe: it takes nothing back twice.

        Raises:
            Duplicate: an earlier attempt took it back.
            NotFound: the ERP does not have the bill.
            Rejected: a business rule of the ERP refused it.
        """
        ...

    async def shows(self, bill: BillToRetract) -> bool:
        """Return whether the ERP still shows the bill as one that bills something."""
        ...

    async def read_back(self, bill: BillToRetract) -> RetractedBill:
        """Read the order of a bill that was taken back.

        Raises:
            OutcomeUnknown: the ERP's reads still show the bill.
        """
        ...


class Parts(Protocol):
    """Looks at the documents that one bill is, in an ERP that makes several of it."""

    async def check(self, parts: Sequence[PartInErp]) -> None:
        """Check that nothing stands in the way of changing any of the parts, or of taking it back.

        Raises:
            Rejected: something does; no part was touched.
        """
        ...
