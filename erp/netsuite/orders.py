"""Orders and receipts in, and one order whole (S4-29..36, S4-65..68; reference 3.3, 5)."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from erp.connector import BadRecord, Page
from erp.errors import ErpError, NotFound, Rejected
from erp.netsuite import credits, item_receipts, reader, statuses, transactions, translate, wire
from erp.netsuite.currencies import Currencies
from erp.netsuite.reader import Reader
from erp.netsuite.transactions import BILL, CREDIT, ORDER, RECEIPT, RETURN, changed, look_back, made_from
from erp.netsuite.translate import Unusable
from erp.netsuite.wire import Held
from models.domain import (
    DocumentId,
    ErpId,
    LineBasis,
    MatchMode,
    OrderBilling,
    PurchaseOrder,
    PurchaseOrderHeader,
    PurchaseOrderSnapshot,
    Receipt,
)

FRESH_SECONDS = 60
"""How long what a peek showed is used instead of asking for it again."""

MOST_FRESH = 1000

READ_MARGIN = timedelta(seconds=1)
"""An order read whole is as new as NetSuite's clock said just before, less the second the clock may round away."""

BATCH = 100
"""Orders translated at a time, so that a page does not hold the event loop of a worker."""


class Seen(NamedTuple):
    """What a peek saw of a window: the orders in it, and which orders receipts and bills in it touch."""

    since: str
    at: float
    orders: Sequence[Held]
    touched: Mapping[str, str]


class Orders:
    """Orders and receipts of one connection."""

    def __init__(self, source: Reader, currencies: Currencies, entity: str | None) -> None:
        self._reader = source
        self._currencies = currencies
        self._entity = entity
        self._seen: Seen | None = None
        self._whole: dict[str, tuple[float, str, Held]] = {}
        self._importing_since = ""

    def remember(self, seen: Seen) -> None:
        """A peek read a whole window: the sync that follows it needs not read it again."""
        self._seen = seen

    # --- pages --------------------------------------------------------------------------------------------------

    async def headers(
        self, *, since: str | None, ordered_from: date | None, after: str | None, open_in: MatchMode | None
    ) -> Page[PurchaseOrderHeader]:
        """A page of headers: changed orders, and those whose lines a changed receipt or bill moved (reference 5.1)."""
        if since is not None:
            self._importing_since = ""
        elif after is None:
            # What a first import reads is as new as now: receipts and bills from before have moved it already.
            self._importing_since = wire.moment_text(await self._reader.server_time() - READ_MARGIN)
        records, resume, touched = await self._changed(since, ordered_from, after, open_in)
        if touched:
            records = [*records, *await self._quiet(records, touched, since, resume)]
        await self._know_currencies(records)
        headers, bad = translate.usable(
            records,
            lambda record: translate.order_header(record, self._currencies, touched=touched.get(record.id, "")),
        )
        high_water = max((header.revision for header in headers), default=None)
        # The search compares a date with the account's clock; the day itself is ours to compare.
        wanted = [header for header in headers if ordered_from is None or header.ordered_on >= ordered_from]
        return Page(wanted, resume, high_water, bad)

    async def _changed(
        self, since: str | None, ordered_from: date | None, after: str | None, open_in: MatchMode | None
    ) -> tuple[Sequence[Held], str | None, Mapping[str, str]]:
        seen = self._seen
        if seen is not None and after is None and seen.since == since and time.monotonic() - seen.at < FRESH_SECONDS:
            self._seen = None
            self._keep(record for record in seen.orders if seen.touched.get(record.id, "") <= stamp_of(record))
            return seen.orders, None, seen.touched
        start = None if since is None else look_back(since)
        search = changed([ORDER], start, self._entity, whole=False)
        criteria = dict(search.criteria)
        if open_in is not None:
            criteria["status"] = reader.any_of(*statuses.OPEN_STATES)
        if ordered_from is not None:
            before = datetime(ordered_from.year, ordered_from.month, ordered_from.day, 12, tzinfo=UTC)
            criteria["tranDate"] = reader.since(before - timedelta(days=1))
        found = await self._reader.page(search._replace(criteria=criteria), after)
        touched: Mapping[str, str] = {}
        if start is not None and after is None:
            documents = await self._reader.all(changed([RECEIPT, BILL], start, self._entity, whole=True))
            touched = transactions.latest_touch(documents, "order")
        return found.records, found.after, touched

    async def _quiet(
        self, records: Sequence[Held], touched: Mapping[str, str], since: str | None, resume: str | None
    ) -> list[Held]:
        """Orders that were touched without changing themselves, read whole: their lines are what changed."""
        there = {record.id for record in records}
        absent = sorted(touched.keys() - there)
        if not absent:
            return []
        found = await self._reader.records([("purchaseOrder", order) for order in absent])
        start = wire.moment_text(look_back(since)) if since is not None else ""
        quiet: list[Held] = []
        for order, outcome in found.items():
            if isinstance(outcome, NotFound):
                continue  # deleted since, or made from another kind of order
            if isinstance(outcome, ErpError):
                raise outcome
            own = stamp_of(outcome)
            if resume is not None and start <= own and touched[order] <= own:
                continue  # a later page shows it
            quiet.append(outcome)
        self._keep(quiet, touched)
        return quiet

    def _keep(self, records: Iterable[Held], touched: Mapping[str, str] | None = None) -> None:
        """Records read whole after everything that touched them; the lines' reading may use them for a minute."""
        if len(self._whole) > MOST_FRESH:
            self._whole.clear()
        now = time.monotonic()
        for record in records:
            self._whole[record.id] = (now, max(stamp_of(record), (touched or {}).get(record.id, "")), record)

    def _fresh(self, header: PurchaseOrderHeader) -> Held | None:
        at, stamp, record = self._whole.pop(header.erp_id, (0.0, "", None))
        return record if stamp == header.revision and time.monotonic() - at < FRESH_SECONDS else None

    async def orders(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        """The orders of these headers with their lines, a hundred per call (S4-32)."""
        found: dict[str, Held | ErpError] = {}
        for header in headers:
            fresh = self._fresh(header)
            if fresh is not None:
                found[header.erp_id] = fresh
        asked = [("purchaseOrder", str(header.erp_id)) for header in headers if header.erp_id not in found]
        found |= await self._reader.records(asked)
        records = [record for record in found.values() if isinstance(record, Held)]
        await self._know_currencies(records)
        orders: list[PurchaseOrder] = []
        bad: list[BadRecord] = []
        for number, header in enumerate(headers):
            if number % BATCH == BATCH - 1:
                await asyncio.sleep(0)
            outcome = found[header.erp_id]
            try:
                if isinstance(outcome, NotFound):
                    raise Unusable("RECORD_NOT_SHOWN", f"{header.number} is listed but not shown.", {})
                if isinstance(outcome, ErpError):
                    raise outcome
                # The record may be newer than its header by now; what touched the header touched it before.
                seen = max(header.revision, self._importing_since)
                orders.append(translate.order(outcome, self._currencies, touched=seen))
            except Unusable as error:
                evidence = {"number": header.number, "status": header.erp_status, **error.evidence}
                bad.append(BadRecord(erp_id=header.erp_id, code=error.code, message=error.message, evidence=evidence))
        orders = await self._with_amounts_billed(orders, bad)
        return Page(orders, None, max((order.revision for order in orders), default=None), bad)

    async def _with_amounts_billed(self, orders: list[PurchaseOrder], bad: list[BadRecord]) -> list[PurchaseOrder]:
        """What is billed of lines without a quantity: only the bills tell. An order of which a bill cannot be read is
        a bad record by name, and stays as it was."""
        by_amount = {order.erp_id for order in orders if translate.has_amount_lines(order)}
        if not by_amount:
            return orders
        bills = await self._reader.all(made_from(sorted(by_amount), [BILL]))
        told: list[PurchaseOrder] = []
        for order in orders:
            if order.erp_id not in by_amount:
                told.append(order)
                continue
            own = [bill for bill in bills if order.erp_id in transactions.orders_touched(bill)]
            try:
                told.append(translate.with_amounts_billed(order, transactions.amounts_billed(own)))
            except Unusable as error:
                evidence = {"number": order.number, "status": order.erp_status, **error.evidence}
                bad.append(BadRecord(erp_id=order.erp_id, code=error.code, message=error.message, evidence=evidence))
        return told

    async def _know_currencies(self, records: Iterable[Held]) -> None:
        await self._currencies.know({known for record in records if (known := wire.ref_id(record.fields, "currency"))})

    async def receipts(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        """A page of item receipts with lines (S4-30..32)."""
        start = None if since is None else look_back(since)
        found = await self._reader.page(changed([RECEIPT], start, self._entity, whole=True), after)
        receipts, bad = translate.usable(found.records, item_receipts.receipt)
        return Page(receipts, found.after, max((receipt.revision for receipt in receipts), default=None), bad)

    # --- one order, whole ---------------------------------------------------------------------------------------

    async def snapshot_of(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        """One order by its internal id. Raises NotFound, or Rejected for an order that cannot be used."""
        now = await self._reader.server_time()
        found = await self._reader.records([("purchaseOrder", erp_id)])
        return await self.snapshot(erp_id, found, now)

    async def whole(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        """Many orders, a hundred at a time. Those that NetSuite does not show, or that cannot be used, are left out."""
        snapshots: list[PurchaseOrderSnapshot] = []
        for start in range(0, len(erp_ids), BATCH):
            batch = erp_ids[start : start + BATCH]
            now = await self._reader.server_time()
            found = await self._reader.records([("purchaseOrder", erp_id) for erp_id in batch])
            there = [record for record in found.values() if isinstance(record, Held)]
            made = await self._made_of(there, "")
            for record in there:
                with suppress(Rejected):
                    snapshots.append(self._snapshot(record, made, now))
        return snapshots

    async def clock(self) -> datetime:
        """NetSuite's clock, to be read before the order whose snapshot it dates."""
        return await self._reader.server_time()

    async def snapshot(
        self, erp_id: str, found: Mapping[str, Held | ErpError], now: datetime, *, new: str = ""
    ) -> PurchaseOrderSnapshot:
        """The snapshot of an order that was just read, dated by the clock before that. `new`: a bill that was made just
        now, so that nobody has credited it.

        The order comes first and what was made from it second: the second reading has all that the first counts, and
        `evidence` leaves out what it has beyond that. So what is named as billed is inside the order's own quantity.
        """
        try:
            record = reader.shown(found, erp_id)
        except NotFound as error:
            raise NotFound(f"NetSuite shows no purchase order {erp_id}.", code="ORDER_NOT_FOUND") from error
        return self._snapshot(record, await self._made_of([record], new), now)

    async def _made_of(self, orders: Sequence[Held], new: str) -> "_Made":
        """What was made from orders, and the credits of that: one search, and one more where a bill may be credited."""
        if not orders:
            return _Made((), (), (), {})
        ids = [order.id for order in orders]
        documents = await self._reader.all(made_from(ids, [RECEIPT, BILL, CREDIT, RETURN]))
        await self._know_currencies(orders)
        bills = [document for document in documents if document.kind == "VendorBill"]
        if any(bill.id != new for bill in bills):
            documents += await self._reader.all(made_from([bill.id for bill in bills], [CREDIT, RETURN]))
        returns = [document.id for document in documents if document.kind == credits.RETURN_AUTHORIZATION]
        if returns:
            documents += await self._reader.all(made_from(returns, [CREDIT]))
        once = {document.id: document for document in documents}.values()
        return _Made(
            [document for document in once if document.kind == "ItemReceipt"],
            bills,
            [document for document in once if document.kind == "VendorCredit"],
            {document.id: document for document in (*orders, *once)},
        )

    def _snapshot(self, record: Held, made: "_Made", now: datetime) -> PurchaseOrderSnapshot:
        bills = [bill for bill in made.bills if record.id in transactions.orders_touched(bill)]
        try:
            order = translate.order(record, self._currencies, touched=_as_of(record.id, made, now))
            order = translate.with_amounts_billed(order, transactions.amounts_billed(bills))
            receipts = [
                item_receipts.receipt(document)
                for document in made.receipts
                if record.id in transactions.orders_touched(document)
            ]
            credited = credits.credited(order, bills, made.credits, made.sources)
            billings = tuple(evidence(order, bills, credited.left_out))
        except Unusable as error:
            raise Rejected(error.message, code=error.code, evidence=error.evidence) from None
        return PurchaseOrderSnapshot(
            purchase_order=order,
            receipts=tuple(receipts),
            billings=billings,
            credits=credited.told,
            status_lags=statuses.lags(order, receipts),
        )


def _as_of(order: str, made: "_Made", now: datetime) -> str:
    """How new an order is that was read after the clock: as new as what touched it until then, too, for a page may hold
    it in that revision already."""
    touched = transactions.latest_touch((*made.receipts, *made.bills), "order").get(order, "")
    as_of = wire.moment_text(now - READ_MARGIN)
    return max(as_of, touched) if touched <= wire.moment_text(now) else as_of


class _Made(NamedTuple):
    """What was made from some orders."""

    receipts: Sequence[Held]
    bills: Sequence[Held]
    credits: Sequence[Held]
    sources: Mapping[str, Held]
    """What a credit may have been created from, by internal id."""


def evidence(
    order: PurchaseOrder, bills: Iterable[Held], left_out: Mapping[str, Decimal] = MappingProxyType({})
) -> Iterable[OrderBilling]:
    """Which bills are inside the billed quantity of which line (S4-65..67).

    A bill can be there before the order counts it: just saved, waiting for approval, or by a status that lags. Bills
    are counted in the order they were made, those waiting for approval last, as far as the line's billed quantity goes,
    and what credits took off it (`left_out`). What is billed of a line without a quantity was worked out from these
    same bills.
    """
    lines = {line.erp_id: line for line in order.lines}
    room = {line.erp_id: line.billed + left_out.get(line.erp_id, translate.ZERO) for line in order.lines}
    alive = [bill for bill in bills if transactions.state(bill) not in statuses.DEAD_BILLS]
    alive.sort(key=lambda bill: (transactions.state(bill) in statuses.PENDING_BILLS, int(bill.id)))
    for bill in alive:
        for document, line_id, found, _ in transactions.billed_lines(bill):
            line = lines.get(ErpId(line_id))
            if document != order.erp_id or line is None:
                continue
            if line.basis is LineBasis.AMOUNT:
                quantity = translate.part_of(translate.money(found, "amount") or translate.ZERO, line.amount)
            else:
                quantity = translate.optional_decimal(found, "quantity") or translate.ZERO
                if quantity > room[line.erp_id]:
                    continue
                room[line.erp_id] -= quantity
            yield OrderBilling(
                order_line=line.erp_id,
                document_id=DocumentId(bill.id),
                # Ours is known by our key, which is its external id.
                document_number=bill.external_id or wire.text(bill.fields, "tranId") or bill.id,
                quantity=quantity,
            )


def stamp_of(record: Held) -> str:
    """A record's own stamp; one that cannot be read sorts first, and its translation reports it."""
    try:
        return translate.revision(record)
    except Unusable:
        return ""
