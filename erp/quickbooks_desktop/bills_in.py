"""Read bills and vendor credits, with what is paid and due on them (reference 3.2)."""

from collections.abc import Sequence

from lxml import etree

from erp.quickbooks_desktop import fields, translate, wire
from erp.quickbooks_desktop.client import Client, records_of
from erp.quickbooks_desktop.orders import WHOLE
from erp.quickbooks_desktop.reader import Leg, Reader
from erp.roles.pages import Page
from models.domain.bills import ErpBill

LEGS = (Leg(("Bill",), True, ("BillRet",)), Leg(("VendorCredit",), True, ("VendorCreditRet",)))


class BillsIn:
    """Reads the bills and credits of one connection."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        """Read a page of bills; behind the last one follow those of credits."""
        listing = await self._reader.page(LEGS, since=since, after=after, more=WHOLE)
        bills, bad = fields.usable(listing.records, _bill)
        return Page(bills, listing.after, listing.high_water, bad)

    async def numbered(self, vendor_id: str, number: str) -> Sequence[ErpBill]:
        """Return the vendor's bills with this number, as far as QuickBooks keeps it."""
        kept = wire.short_number(number, wire.LONGEST["bill"])
        if not kept:
            return []
        answer = await self._client.ask(f"numbered/{kept}", bills_numbered(kept))
        bills, _ = fields.usable(records_of(answer.responses, ("BillRet",)), translate.bill)
        return [one for one in bills if one.vendor_id == vendor_id and one.number.casefold() == kept.casefold()]


def bills_numbered(number: str) -> str:
    """Return the question for the bills of all vendors under a number."""
    return wire.request("BillQuery", wire.part("RefNumber", number), *WHOLE, key="bills")


def _bill(record: etree._Element) -> ErpBill:
    return translate.credit(record) if record.tag == "VendorCreditRet" else translate.bill(record)
