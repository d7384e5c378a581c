"""Read item receipts (reference 3.2)."""

from collections.abc import Mapping

from lxml import etree

from erp.quickbooks_desktop import contents, fields, received, statuses, wire
from erp.quickbooks_desktop.client import Client, records_of
from erp.quickbooks_desktop.orders import RECORD, WHOLE, name_of, question
from erp.quickbooks_desktop.reader import Leg, Reader
from erp.roles.pages import Page
from models.domain.receipts import Receipt, ReceiptStatus

LEGS = (Leg(("ItemReceipt",), True, ("ItemReceiptRet",)),)


class Receipts:
    """Reads the item receipts of one connection."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    def status(self, erp_status: str) -> ReceiptStatus | None:
        """Return the meaning of a receipt's status, or None if the status is unknown."""
        return statuses.receipt_status(erp_status)

    async def page(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        """Read a page of receipts with lines. A line does not name its order's line, so the orders are read too."""
        listing = await self._reader.page(LEGS, since=since, after=after, more=WHOLE)
        orders: Mapping[str, etree._Element] = {}
        order_ids = sorted({one for record in listing.records for one in contents.linked(record, received.ORDER)})
        if order_ids:
            answer = await self._client.ask(f"orders of receipts/{name_of(order_ids)}", question(order_ids))
            orders = {wire.text(one, "TxnID") or "": one for one in records_of(answer.responses, (RECORD,))}
        made, bad = fields.usable(listing.records, lambda one: received.receipts(one, orders))
        return Page([one for some in made for one in some], listing.after, listing.high_water, bad)
