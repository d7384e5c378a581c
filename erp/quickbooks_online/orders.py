"""Read purchase orders, by page and one as a whole (reference 6.1, 6.2).

QuickBooks answers with whole orders, so a header costs as much as the order: what `headers` reads is kept for `lines`.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal

from erp.errors import NotFound, Rejected
from erp.quickbooks_online import statuses, translate, wire
from erp.quickbooks_online.company import Companies
from erp.quickbooks_online.reader import Reader
from erp.quickbooks_online.seen import Memory
from erp.quickbooks_online.translate import Unusable, bad_record
from erp.quickbooks_online.wire import Entity
from erp.records import header_of
from erp.roles.orders import Statuses
from erp.roles.pages import BadRecord, Page
from models.domain.connections import MatchMode
from models.domain.ids import DocumentId, ErpId
from models.domain.orders import (
    LineBasis,
    OrderBilling,
    PurchaseOrder,
    PurchaseOrderHeader,
    PurchaseOrderSnapshot,
)

KIND = "PurchaseOrder"

OVERLAP = timedelta(minutes=5)
"""How far before its cursor a stream is read: changes may show late."""

BATCH = 100
"""Orders translated at a time, so that a page does not block a worker's event loop."""


class Orders:
    """Reads the purchase orders of one connection."""

    def __init__(self, reader: Reader, companies: Companies, memory: Memory) -> None:
        self._reader = reader
        self._companies = companies
        self._memory = memory
        self._shown: dict[str, PurchaseOrder] = {}
        """The orders of the page whose headers were read last, by id, until their lines are asked for."""

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        """Return both meanings of an order's status, or None for a status that the table does not have."""
        return statuses.order_statuses(erp_status, mode)

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
        """Read a page of headers: orders that changed, and those that a changed bill bills. QuickBooks need not move an
        order when its bill does."""
        detected = self._memory.window([KIND, "Bill"], since, window) if window and after is None else None
        if detected is not None:
            touched = touched_by(detected.changed.get("Bill", []))
            records, resume, began = list(detected.changed.get(KIND, [])), None, None
        else:
            where = [] if ordered_from is None else [f"TxnDate >= {wire.quoted(ordered_from.isoformat())}"]
            start = None if since is None else look_back(since)
            listing = await self._reader.page(KIND, after, since=start, where=where)
            records, resume, began = listing.records, listing.after, listing.began
            touched = {}
            if since is not None and after is None:
                bills = self._memory.window(["Bill"], since, window) if window else None
                touched = touched_by(
                    bills.changed.get("Bill", []) if bills is not None else await self._bills_since(since)
                )
        there = {wire.text(record, "Id") for record in records}
        if absent := [one for one in touched if one not in there]:
            shown = await self._reader.by_ids(KIND, absent)
            records += shown.records.values()
        # What a first import reads is as new as QuickBooks' clock when it began: bills from before are in it already.
        page = await self._page(records, touched, "" if began is None else translate.revision_of(began))
        wanted = [
            one
            for one in page.records
            if (ordered_from is None or one.ordered_on >= ordered_from) and _is_wanted(one, open_in)
        ]
        read_at = None if detected is None else detected.began
        return Page(wanted, resume, translate.high_water(began, (page.high_water or "",)), page.bad, read_at)

    async def _bills_since(self, since: str) -> list[Entity]:
        bills: list[Entity] = []
        after: str | None = None
        while True:
            listing = await self._reader.page("Bill", after, since=look_back(since))
            bills += listing.records
            after = listing.after
            if after is None:
                return bills

    async def _page(
        self, records: Sequence[Entity], touched: Mapping[str, str], as_of: str
    ) -> Page[PurchaseOrderHeader]:
        home = (await self._companies.current()).home_currency
        by_order = await self._bills_of(record for record in records if _needs_bills(record))
        headers: list[PurchaseOrderHeader] = []
        bad: list[BadRecord] = []
        orders: dict[str, PurchaseOrder] = {}
        for place, record in enumerate(records):
            if place % BATCH == BATCH - 1:
                await asyncio.sleep(0)
            erp_id = wire.text(record, "Id") or ""
            try:
                billed = _billed(by_order, erp_id)
                order = translate.order(record, home, touched=touched.get(erp_id, as_of), billed=billed)
            except Unusable as error:
                bad.append(bad_record(record, error))
                continue
            headers.append(header_of(order))
            orders[erp_id] = order
        self._shown = orders
        return Page(headers, None, max((one.revision for one in headers), default=None), bad)

    async def lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        """Return the orders of these headers with their lines. An unusable order becomes a bad record."""
        orders: list[PurchaseOrder] = []
        bad: list[BadRecord] = []
        absent: list[PurchaseOrderHeader] = []
        for header in headers:
            order = self._shown.pop(header.erp_id, None)
            if order is not None and order.revision == header.revision:
                orders.append(order)
            else:
                absent.append(header)
        if absent:
            home = (await self._companies.current()).home_currency
            shown = await self._reader.by_ids(KIND, [one.erp_id for one in absent])
            by_order = await self._bills_of(one for one in shown.records.values() if _needs_bills(one))
            for header in absent:
                record = shown.records.get(header.erp_id)
                try:
                    if record is None:
                        raise Unusable("RECORD_NOT_SHOWN", f"{header.number} is listed but not shown.", {})
                    billed = _billed(by_order, header.erp_id)
                    orders.append(translate.order(record, home, touched=header.revision, billed=billed))
                except Unusable as error:
                    evidence = {"number": header.number, "status": header.erp_status, **error.evidence}
                    bad.append(
                        BadRecord(erp_id=header.erp_id, code=error.code, message=error.message, evidence=evidence)
                    )
        return Page(orders, None, max((order.revision for order in orders), default=None), bad)

    # --- one order, whole ---------------------------------------------------------------------------------------

    async def read(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        """Read one order with the bills that bill it. Readings of several orders at once share their queries.

        Raises:
            NotFound: QuickBooks does not show the order.
            Rejected: the order cannot be used.
        """
        shown = await self._reader.by_ids(KIND, [erp_id])
        record = shown.records.get(erp_id)
        if record is None:
            raise NotFound(f"QuickBooks shows no purchase order {erp_id}.", code="ORDER_NOT_FOUND")
        by_order = await self._bills_of([record])
        return await self._snapshot(record, by_order.get(erp_id, []), shown.at)

    async def read_many(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        """Read many orders in the same way. Those that QuickBooks does not show or that are unusable are left out."""
        if not erp_ids:
            return []
        shown = await self._reader.by_ids(KIND, erp_ids)
        by_order = await self._bills_of(shown.records.values())
        snapshots: list[PurchaseOrderSnapshot] = []
        for erp_id in erp_ids:
            if erp_id in shown.records:
                with suppress(Rejected):
                    record = shown.records[erp_id]
                    snapshots.append(await self._snapshot(record, by_order.get(erp_id, []), shown.at))
        return snapshots

    async def originals(self, erp_ids: Iterable[str]) -> Mapping[str, Entity]:
        """Return orders as QuickBooks has them, by id."""
        return (await self._reader.by_ids(KIND, erp_ids)).records

    async def _bills_of(self, orders: Iterable[Entity]) -> dict[str, list[Entity]]:
        """Return, by order, the bills that orders are linked to. A bill that was just pushed is not read again."""
        linked = {wire.text(order, "Id") or "": translate.linked(order, "Bill") for order in orders}
        bills: dict[str, Entity] = {}
        for one in {bill for ids in linked.values() for bill in ids}:
            if (kept := self._memory.get("Bill", one)) is not None:
                bills[one] = kept[0]
        if absent := {bill for ids in linked.values() for bill in ids} - bills.keys():
            bills |= (await self._reader.by_ids("Bill", absent)).records
        return {order: [bills[one] for one in dict.fromkeys(ids) if one in bills] for order, ids in linked.items()}

    async def _snapshot(self, record: Entity, bills: Sequence[Entity], at: datetime) -> PurchaseOrderSnapshot:
        home = (await self._companies.current()).home_currency
        erp_id = wire.text(record, "Id") or ""
        try:
            billed = translate.billed_by(bills, erp_id)
            touched = max((translate.revision(bill) for bill in bills), default="")
            order = translate.order(record, home, touched=max(touched, translate.revision_at(at)), billed=billed)
            billings = tuple(evidence(order, bills))
        except Unusable as error:
            raise Rejected(error.message, code=error.code, evidence=error.evidence) from None
        return PurchaseOrderSnapshot(
            purchase_order=order,
            billings=billings,
            status_lags=statuses.lags(order.erp_status, order.lines),
        )


def evidence(order: PurchaseOrder, bills: Iterable[Entity]) -> Iterable[OrderBilling]:
    """Return which bills are part of what QuickBooks says is billed of which line, in the order they were made."""
    lines = {line.erp_id: line for line in order.lines}
    room = {line.erp_id: line.billed for line in order.lines}
    for bill in sorted(bills, key=lambda one: (len(str(one.get("Id"))), str(one.get("Id")))):
        for entry in wire.parts(bill, "Line"):
            link = translate.order_link(entry)
            line = lines.get(link[1]) if link is not None else None
            if line is None:
                continue
            quantity = translate.billed_on(entry)
            if line.basis is LineBasis.AMOUNT:
                quantity = translate.part_of(quantity, line.amount)
            if quantity > room[line.erp_id]:
                continue
            room[line.erp_id] -= quantity
            bill_id = wire.text(bill, "Id") or ""
            yield OrderBilling(
                order_line=line.erp_id,
                document_id=DocumentId(f"{wire.BILL}{bill_id}"),
                # Ours is known by our key.
                document_number=wire.key_of(bill) or wire.text(bill, "DocNumber") or bill_id,
                quantity=quantity,
            )


def touched_by(bills: Iterable[Entity]) -> dict[str, str]:
    """Return the orders that bills are linked to, each with the latest revision of those bills."""
    touched: dict[str, str] = {}
    for bill in bills:
        with suppress(Unusable):
            version = translate.revision(bill)
            for order in translate.orders_of(bill):
                touched[order] = max(touched.get(order, ""), version)
    return touched


def look_back(cursor: str) -> str:
    """Return the cursor from which a stream is read: somewhat before its own, because windows overlap."""
    return wire.moment_text(wire.moment(cursor) - OVERLAP)


def _needs_bills(order: Entity) -> bool:
    return not translate.says_billed(order) and bool(translate.linked(order, "Bill"))


def _billed(by_order: Mapping[str, Sequence[Entity]], order: str) -> Mapping[str, Decimal]:
    return translate.billed_by(by_order.get(order, ()), order)


def _is_wanted(header: PurchaseOrderHeader, open_in: MatchMode | None) -> bool:
    """Return whether a first import takes the order: closed ones are left out, unknown statuses are reported."""
    return open_in is None or header.erp_status not in (statuses.CLOSED, statuses.CLOSED_ALL)
