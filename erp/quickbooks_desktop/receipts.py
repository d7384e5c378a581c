"""Read item receipts (reference 3.2)."""

from erp.quickbooks_desktop import contents, fields, statuses, translate
from erp.quickbooks_desktop.client import Client, records_of
from erp.quickbooks_desktop.orders import RECORD, WHOLE, name_of, question
from erp.quickbooks_desktop.reader import Leg, Reader
from erp.roles.pages import Page
from models.domain.receipts import Receipt, ReceiptStatus

LEGS = (Leg(("ItemReceipt",), True, ("ItemReceiptRet",)),)


class Receipts:
    """Reads the item receipts of one connection."""

    def __init__(self, client: Client, reader: Reader, *, enhanced: bool) -> None:
        self._client = client
        self._reader = reader
        self._enhanced = enhanced

    def status(self, erp_status: str) -> ReceiptStatus | None:
        """Return the meaning of a receipt's status, or None if the status is unknown."""
        return statuses.receipt_status(erp_status)

    async def page(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        """Read a page of receipts with lines. A line does not name its order's line, so the orders are read too."""
        listing = await self._reader.page(LEGS, since=since, after=after, more=WHOLE)
        order_ids = sorted({one for record in listing.records for one in contents.linked(record, "PurchaseOrder")})
        orders = {}
        if order_ids:
            answer = await self._client.ask(f"orders of receipts/{name_of(order_ids)}", question(order_ids))
            usable, _ = fields.usable(
                records_of(answer.responses, (RECORD,)), lambda one: translate.order(one, enhanced=self._enhanced)
            )
            orders = {str(one.erp_id): one for one in usable}
        receipts, bad = fields.usable(listing.records, lambda one: translate.receipt(one, orders))
        return Page(receipts, listing.after, listing.high_water, bad)
