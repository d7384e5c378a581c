"""Read bills and vendor credits, with what is paid and due on them (reference 6.2, 6.4)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from erp.errors import Throttled
from erp.quickbooks_online import translate, wire
from erp.quickbooks_online.company import Companies
from erp.quickbooks_online.orders import look_back
from erp.quickbooks_online.quota import QUOTA
from erp.quickbooks_online.reader import Reader
from erp.quickbooks_online.seen import Memory
from erp.quickbooks_online.wire import ZERO, Entity
from erp.roles.pages import Page
from models.domain.bills import BillKind, ErpBill, ErpBillLine
from models.domain.ids import DocumentId, ErpId, ExternalKey

BILL = "Bill"
CREDIT = "VendorCredit"

STATES = {True: "Paid", False: "Open"}
"""A bill has no status: it is paid when nothing of it is due."""


class BillsIn:
    """Reads the bills and credits of one connection."""

    def __init__(self, reader: Reader, companies: Companies, memory: Memory) -> None:
        self._reader = reader
        self._companies = companies
        self._memory = memory

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        """Read a page of bills, then of credits. A payment moves its bill, so changed bills are all there are."""
        home = (await self._companies.current()).home_currency
        read_at: datetime | None = None
        window = self._memory.window([BILL, CREDIT], since) if after is None else None
        if window is not None:
            made = [*window.changed.get(BILL, []), *window.changed.get(CREDIT, [])]
            resume, began = None, None
            read_at = window.began
            bills, bad = translate.usable(made, lambda one: self._bill(one, home))
        else:
            start = None if since is None else look_back(since)
            kind, _, place = (after or f"{BILL} ").partition(" ")
            listing = await self._reader.page(kind, place or None, since=start)
            began = listing.began
            bills, bad = translate.usable(listing.records, lambda one: self._bill(one, home, kind))
            if kind == BILL and listing.after is None:
                kind = CREDIT
                listing = await self._reader.page(kind, None, since=start)
                credits, bad_credits = translate.usable(listing.records, lambda one: credit(one, home))
                bills, bad = [*bills, *credits], [*bad, *bad_credits]
            resume = None if listing.after is None else f"{kind} {listing.after}"
            began = began or listing.began
        return Page(bills, resume, translate.high_water(began, (one.revision for one in bills)), bad, read_at)

    async def numbered(self, vendor_id: str, number: str) -> Sequence[ErpBill]:
        """Return the vendor's bills with this number, as far as QuickBooks keeps it. One that no query may hold is
        looked for among the bills of the last year. When the month's reads are used up none is returned: writes go on,
        and what the mirror knows was compared before."""
        kept = wire.doc_number(number)
        try:
            home = (await self._companies.current()).home_currency
            if wire.can_be_asked(kept):
                records = await self._reader.all(BILL, f"DocNumber = {wire.quoted(kept)}")
                self._memory.put_numbered(kept, records)
            else:
                year_ago = (datetime.now(UTC) - timedelta(days=366)).date().isoformat()
                records = await self._reader.all(BILL, f"TxnDate >= {wire.quoted(year_ago)}")
        except Throttled as error:
            if error.code != QUOTA:
                raise
            return []
        same = [
            one for one in records if wire.text(one, "DocNumber") == kept and wire.ref(one, "VendorRef") == vendor_id
        ]
        return [bill(one, home) for one in same]

    def _bill(self, entity: Entity, home: str, kind: str | None = None) -> ErpBill:
        if kind == CREDIT or (kind is None and is_credit(entity)):
            return credit(entity, home)
        return bill(entity, home)


def is_credit(entity: Entity) -> bool:
    """Return whether a document of a change window is a vendor credit."""
    return entity.get("_kind") == CREDIT


def bill(entity: Entity, home: str) -> ErpBill:
    """Return a bill in our form.

    Raises:
        Unusable: the bill cannot be used.
    """
    erp_id = f"{wire.BILL}{translate.need(entity, 'Id')}"
    total = translate.need_number(entity, "TotalAmt")
    due = translate.number(entity, "Balance")
    if due is None:
        raise translate.missing(entity, "Balance")
    orders = translate.orders_of(entity)
    return ErpBill(
        erp_id=ErpId(erp_id),
        number=wire.text(entity, "DocNumber") or "",
        vendor_id=translate.need_ref(entity, "VendorRef"),
        order_document=DocumentId(orders[0]) if orders else None,
        source_document=DocumentId(erp_id),
        external_key=_key(entity),
        bill_date=translate.need_day(entity, "TxnDate"),
        due_date=translate.optional_day(entity, "DueDate"),
        currency=wire.ref(entity, "CurrencyRef") or home,
        total=total,
        paid=total - due,
        due=due,
        state=STATES[due == 0 and total != 0],
        memo=wire.note_of(entity),
        revision=translate.revision(entity),
        lines=tuple(_lines(wire.parts(entity, "Line"))),
    )


def credit(entity: Entity, home: str) -> ErpBill:
    """Return a vendor credit as a bill with a negative total; its balance is what is not used of it.

    Raises:
        Unusable: the credit cannot be used.
    """
    erp_id = f"{wire.CREDIT}{translate.need(entity, 'Id')}"
    total = translate.need_number(entity, "TotalAmt")
    left = translate.number(entity, "Balance")
    left = total if left is None else left
    return ErpBill(
        erp_id=ErpId(erp_id),
        kind=BillKind.CREDIT,
        number=wire.text(entity, "DocNumber") or "",
        vendor_id=translate.need_ref(entity, "VendorRef"),
        external_key=_key(entity),
        bill_date=translate.need_day(entity, "TxnDate"),
        currency=wire.ref(entity, "CurrencyRef") or home,
        total=-total,
        paid=left - total,
        due=-left,
        state="Credit",
        memo=wire.note_of(entity),
        revision=translate.revision(entity),
        lines=tuple(_lines(wire.parts(entity, "Line"), sign=-1)),
    )


def _key(entity: Entity) -> ExternalKey | None:
    key = wire.key_of(entity)
    return None if key is None else ExternalKey(key)


def _lines(lines: Iterable[Entity], *, sign: int = 1) -> Iterable[ErpBillLine]:
    for place, line in enumerate(filter(translate.is_bought, lines), start=1):
        inner = translate.detail(line)
        item = wire.ref(inner, "ItemRef")
        quantity = translate.number(inner, "Qty") if item else None
        link = translate.order_link(line)
        yield ErpBillLine(
            line_no=place,
            account=None if item else wire.ref(inner, "AccountRef"),
            item_id=item,
            description=wire.text(line, "Description") or "",
            quantity=None if quantity is None else sign * quantity,
            amount=sign * (translate.number(line, "Amount") or ZERO),
            order_line=link[1] if link else None,
            source_line=link[1] if link else None,
            order_document=DocumentId(link[0]) if link else None,
        )
