"""The roles around purchase orders: read them and their receipts, and take those of the caller's own system."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, Protocol

from erp.roles.pages import Page
from models.domain.connections import MatchMode
from models.domain.ids import ErpId
from models.domain.orders import MatchingStatus, PoStatus, PurchaseOrder, PurchaseOrderHeader, PurchaseOrderSnapshot
from models.domain.receipts import Receipt, ReceiptStatus
from models.domain.source_orders import OrderToUpload, UploadedOrder


class Statuses(NamedTuple):
    """The two meanings of one ERP status. `po` is None for states a person never sees (drafts and approvals)."""

    po: PoStatus | None
    matching: MatchingStatus


class PurchaseOrders(Protocol):
    """Reads purchase orders as the ERP holds them."""

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        """Return the meaning of an order's status, or None if the status is unknown (UNKNOWN_ERP_STATUS)."""
        ...

    async def headers(
        self,
        *,
        since: str | None,
        ordered_from: date | None,
        after: str | None,
        open_in: MatchMode | None,
        window: str = "",
    ) -> Page[PurchaseOrderHeader]:
        """Read a page of orders changed since a cursor. On a first import `since` is None, and `ordered_from` and
        `open_in` leave out orders that would not be imported anyway. `window` is that of the run's own change set: what
        another run detected must not be taken for this one's."""
        ...

    async def lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        """Read the given orders with their lines, many per call. `after` is always None: it returns all of them or
        raises."""
        ...

    async def read(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        """Read one order with its receipts, billings and credits, as of one moment.

        Raises:
            NotFound: the ERP does not have the order.
        """
        ...

    async def read_many(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        """Read many orders in the same way. Orders that the ERP cannot show are left out."""
        ...


class Receipts(Protocol):
    """Reads what was received of orders. An ERP may have no receipts; it then offers 2-way matching only."""

    def status(self, erp_status: str) -> ReceiptStatus | None:
        """Return the meaning of a receipt's status, or None if the status is unknown."""
        ...

    async def page(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        """Read a page of receipts changed since a cursor, with lines."""
        ...


class PurchaseOrderSink(Protocol):
    """Takes orders of the caller's own system: a billed one as a bill, an unbilled one as a purchase order."""

    async def find(self, order: OrderToUpload) -> ErpId | None:
        """Return the document that an earlier attempt with this external key created; None: there is none."""
        ...

    async def create(self, order: OrderToUpload) -> ErpId:
        """Create the bill or the purchase order. A repeat with the same key never creates a second one: it raises
        Duplicate, or returns the id of the first.

        Raises:
            Duplicate: the ERP has a record with this key or number.
            Rejected: a business rule of the ERP refused it.
        """
        ...

    async def read_back(self, order: OrderToUpload, erp_id: ErpId) -> UploadedOrder:
        """Compare the document with what was sent.

        Raises:
            OutcomeUnknown: the ERP's reads do not show it yet.
        """
        ...
