"""Bind the calls that write one bill to the role of the connector that takes it: a bill of an order, or one without."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple, Protocol

from erp.connector import ErpConnector, offered
from models.domain.bills import DirectBillToPush, PushedBill
from models.domain.credits import CreditToPush
from models.domain.ids import DocumentId
from models.store.payables.outgoing_bills import OutgoingBill


class UpdateBill(Protocol):
    """Sends the edited fields of the bill, under the number of the edition."""

    def __call__(self, document_id: DocumentId, *, edition: int) -> Awaitable[None]: ...


class ReadBack(Protocol):
    """Reads the bill back, and its order with it where that is asked for and the bill has one."""

    def __call__(self, document_id: DocumentId, *, with_order: bool = True) -> Awaitable[PushedBill]: ...


class BillCalls(NamedTuple):
    """The ERP calls of one outgoing bill, with the promises of `erp.roles.bills.Bills`."""

    find: Callable[[], Awaitable[DocumentId | None]]
    create: Callable[[], Awaitable[DocumentId]]
    update: UpdateBill
    read_back: ReadBack
    repair_link: Callable[[DocumentId], Awaitable[bool]]


def calls_for(erp: ErpConnector, outgoing: OutgoingBill) -> BillCalls:
    """Return the calls for this bill.

    Raises:
        Rejected: NOT_OFFERED, for a bill without an order where the ERP takes none.
    """
    bill = outgoing.bill
    if isinstance(bill, CreditToPush):
        credits = offered(erp.credits, "credits that go out")
        return BillCalls(
            partial(credits.find, bill),
            partial(credits.create, bill),
            _never_edited,
            partial(_read_back_alone, partial(credits.read_back, bill)),
            _nothing_to_link,
        )
    if isinstance(bill, DirectBillToPush):
        direct = offered(erp.direct_bills, "bills without a purchase order")
        return BillCalls(
            partial(direct.find, bill),
            partial(direct.create, bill),
            partial(direct.update, bill),
            partial(_read_back_alone, partial(direct.read_back, bill)),
            _nothing_to_link,
        )
    return BillCalls(
        partial(erp.bills.find, bill),
        partial(erp.bills.create, bill),
        partial(erp.bills.update, bill),
        partial(erp.bills.read_back, bill),
        partial(erp.bills.repair_link, bill),
    )


async def _read_back_alone(
    read_back: Callable[[DocumentId], Awaitable[PushedBill]], document_id: DocumentId, *, with_order: bool = True
) -> PushedBill:
    """Read back a bill that has no order."""
    return await read_back(document_id)


async def _nothing_to_link(document_id: DocumentId) -> bool:
    """A bill without an order has no link that could be made again."""
    return False


async def _never_edited(document_id: DocumentId, *, edition: int) -> None:
    """A credit that was sent is not edited from here."""
    raise AssertionError("a credit has no edits")
