"""Read purchase orders, by page and one as a whole (reference 3.1).

QuickBooks answers with whole orders: what `headers` reads is kept for `lines`, which follow in the same attempt.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from lxml import etree

from erp.errors import NotFound, Rejected
from erp.quickbooks_desktop import billed_apart, contents, fields, received, statuses, translate, wire
from erp.quickbooks_desktop.client import Client, records_of
from erp.quickbooks_desktop.fields import Unusable
from erp.quickbooks_desktop.reader import Leg, Reader
from erp.records import header_of
from erp.roles.orders import Statuses
from erp.roles.pages import BadRecord, Page
from models.domain.connections import MatchMode
from models.domain.ids import ErpId
from models.domain.orders import PurchaseOrder, PurchaseOrderHeader, PurchaseOrderSnapshot

KIND = "PurchaseOrder"
RECORD = "PurchaseOrderRet"

LEGS = (Leg((KIND,), True, (RECORD,)),)

WHOLE = (wire.part("IncludeLineItems", True), wire.part("IncludeLinkedTxns", True))
"""Lines and links are left out unless they are asked for."""

MOST_BILLS = 100
"""Bills that are asked for in one document."""


class Orders:
    """Reads the purchase orders of one connection. `enhanced`: receipts and bills are told apart in this company."""

    def __init__(self, client: Client, reader: Reader, *, enhanced: bool) -> None:
        self._client = client
        self._reader = reader
        self._enhanced = enhanced
        self._kept: dict[str, PurchaseOrder] = {}

    @property
    def keeps_bills_apart(self) -> bool:
        """Return whether receiving is the enhanced one, as far as the connection knows."""
        return self._enhanced

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        """Return both meanings of an order's status, or None for a status that the table does not have."""
        return statuses.order_statuses(erp_status, mode, enhanced=self._enhanced)

    # --- pages --------------------------------------------------------------------------------------------------

    async def headers(
        self,
        *,
        since: str | None,
        ordered_from: date | None,
        after: str | None,
        open_in: MatchMode | None,
        window: str = "",
    ) -> Page[PurchaseOrderHeader]:
        """Read a page of orders that changed, or that were ordered from a day on."""
        listing = await self._reader.page(
            LEGS,
            since=since,
            after=after,
            more=WHOLE,
            ordered_from=None if ordered_from is None else ordered_from.isoformat(),
        )
        self._kept.clear()
        orders, bad = await self._usable(listing.records)
        self._kept |= {str(one.erp_id): one for one in orders}
        wanted = [header_of(one) for one in orders if _is_wanted(one, ordered_from, open_in)]
        return Page(wanted, listing.after, listing.high_water, bad)

    async def lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        """Return the orders of these headers with their lines. An unusable order becomes a bad record."""
        absent = [one for one in headers if str(one.erp_id) not in self._kept]
        bad: list[BadRecord] = []
        if absent:
            shown = {wire.text(one, "TxnID"): one for one in await self._by_ids([one.erp_id for one in absent])}
            bills = await self._bills_needed(list(shown.values()))
            for header in absent:
                record = shown.get(str(header.erp_id))
                try:
                    if record is None:
                        raise Unusable("RECORD_NOT_SHOWN", f"{header.number} is listed but not shown.", {})
                    self._kept[str(header.erp_id)] = self._order(record, bills)
                except Unusable as error:
                    evidence = {"number": header.number, **error.evidence}
                    bad.append(
                        BadRecord(erp_id=header.erp_id, code=error.code, message=error.message, evidence=evidence)
                    )
        orders = [self._kept[str(one.erp_id)] for one in headers if str(one.erp_id) in self._kept]
        return Page(orders, None, None, bad)

    # --- one order, whole ---------------------------------------------------------------------------------------

    async def read(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        """Read one order with the bills and receipts that are linked to it.

        Raises:
            NotFound: QuickBooks does not show the order.
            Rejected: the order cannot be used.
        """
        records = await self._by_ids([erp_id])
        record = next((one for one in records if wire.text(one, "TxnID") == erp_id), None)
        if record is None:
            raise NotFound(f"QuickBooks shows no purchase order {erp_id}.", code="ORDER_NOT_FOUND")
        return self.snapshot(record, await self.linked_to([record], key=f"linked/{erp_id}"))

    async def read_many(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        """Read many orders in the same way. Those that QuickBooks does not show or that are unusable are left out."""
        if not erp_ids:
            return []
        records = await self._by_ids(erp_ids)
        documents = await self.linked_to(records, key=f"linked/{name_of(erp_ids)}")
        snapshots: list[PurchaseOrderSnapshot] = []
        for record in records:
            with suppress(Rejected):
                snapshots.append(self.snapshot(record, documents))
        return snapshots

    async def linked_to(self, orders: Sequence[etree._Element], *, key: str) -> list[etree._Element]:
        """Return the bills and receipts that orders are linked to; no exchange if there are none."""
        questions = linked_questions(orders)
        if not questions:
            return []
        answer = await self._client.ask(key, *questions)
        return records_of(answer.responses, ("BillRet", "ItemReceiptRet"))

    def snapshot(self, record: etree._Element, documents: Sequence[etree._Element]) -> PurchaseOrderSnapshot:
        """Return an order as of one reading, from its record and those of documents linked to it.

        Raises:
            Rejected: the order cannot be used.
        """
        bills = [one for one in documents if one.tag == "BillRet" and one_of(record, one, contents.BILLING_TYPES)]
        receipts = [one for one in documents if one.tag == "ItemReceiptRet" and one_of(record, one, ("ItemReceipt",))]
        try:
            order = self._order(record, bills)
            return PurchaseOrderSnapshot(
                purchase_order=order,
                receipts=tuple(received.receipts_of(record, receipts)),
                billings=tuple(translate.evidence(order, bills)),
            )
        except Unusable as error:
            raise Rejected(error.message, code=error.code, evidence=error.evidence) from None

    async def _by_ids(self, erp_ids: Sequence[str]) -> list[etree._Element]:
        answer = await self._client.ask(f"orders/{name_of(erp_ids)}", question(erp_ids))
        return records_of(answer.responses, (RECORD,))

    async def _usable(self, records: Sequence[etree._Element]) -> tuple[list[PurchaseOrder], list[BadRecord]]:
        bills = await self._bills_needed(records)
        return fields.usable(records, lambda one: self._order(one, bills))

    async def _bills_needed(self, orders: Sequence[etree._Element]) -> list[etree._Element]:
        """Return the bills by which it is known what of orders is billed, where the orders themselves do not tell."""
        needed = [one for order in orders for one in billed_apart.bills_needed(order)] if self._enhanced else []
        ids = list(dict.fromkeys(needed))
        bills: list[etree._Element] = []
        for start in range(0, len(ids), MOST_BILLS):
            some = ids[start : start + MOST_BILLS]
            answer = await self._client.ask(f"billed/{name_of(some)}", billed_apart.question(some))
            bills += records_of(answer.responses, ("BillRet",))
        return bills

    def _order(self, record: etree._Element, bills: Sequence[etree._Element]) -> PurchaseOrder:
        return translate.order(record, enhanced=self._enhanced, bills=bills)


def question(erp_ids: Sequence[str]) -> str:
    """Return the question for orders by their ids, whole."""
    return wire.request(f"{KIND}Query", *(wire.part("TxnID", one) for one in erp_ids), *WHOLE, key="orders")


def name_of(erp_ids: Sequence[str]) -> str:
    """Return a short name of a question about these records."""
    return erp_ids[0] if len(erp_ids) == 1 else hashlib.sha256(",".join(erp_ids).encode()).hexdigest()[:20]


def linked_questions(orders: Sequence[etree._Element]) -> list[str]:
    """Return the questions for the bills and receipts that orders are linked to."""
    questions: list[str] = []
    for kind, types in (("Bill", ("Bill",)), ("ItemReceipt", ("ItemReceipt",))):
        ids = list(dict.fromkeys(one for order in orders for one in contents.linked(order, *types)))
        if ids:
            questions.append(
                wire.request(f"{kind}Query", *(wire.part("TxnID", one) for one in ids), *WHOLE, key=kind.lower())
            )
    return questions


def one_of(order: etree._Element, document: etree._Element, types: Sequence[str]) -> bool:
    """Return whether an order is linked to this document."""
    return wire.text(document, "TxnID") in contents.linked(order, *types)


def _is_wanted(order: PurchaseOrder, ordered_from: date | None, open_in: MatchMode | None) -> bool:
    """Return whether a first import takes the order: closed ones are left out."""
    if ordered_from is not None and order.ordered_on < ordered_from:
        return False
    return open_in is None or order.erp_status != statuses.CLOSED
