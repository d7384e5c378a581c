"""Read purchase orders, by page and one as a whole (reference 3.3, 5)."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from erp.errors import AuthenticationFailed, ErpError, NotFound, Rejected
from erp.netsuite import (
    credits,
    reader,
    statuses,
    transactions,
    translate,
    wire,
)
from erp.netsuite import (
    receipts as item_receipts,
)
from erp.netsuite.currencies import Currencies
from erp.netsuite.preferences import Preferences
from erp.netsuite.reader import Reader
from erp.netsuite.transactions import BILL, CREDIT, ORDER, RECEIPT, RETURN, changed, look_back, made_from
from erp.netsuite.translate import Unusable
from erp.netsuite.wire import NsRecord
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

FRESH_SECONDS = 60
"""How many seconds a record that was read whole is used instead of reading it again."""

MOST_FRESH = 1000

REFUSED_ALONE = (NotFound, Rejected, AuthenticationFailed)
"""Why one record of many may not be shown: it is left out by name, and the others are read."""

READ_MARGIN = timedelta(seconds=1)
"""An order read whole is as new as NetSuite's clock said just before, less the second that the clock may round off."""

BATCH = 100
"""Orders translated at a time, so that a page does not block a worker's event loop."""


class Seen(NamedTuple):
    """What a change detection saw of a window: the orders in it, and which orders its receipts and bills touch."""

    window: str
    """Its name: only the sync run that asked for this detection may use it. Any other run would miss what changed
    since."""
    since: str
    began: datetime
    orders: Sequence[NsRecord]
    touched: Mapping[str, str]


class Orders:
    """Reads the purchase orders of one connection."""

    def __init__(self, source: Reader, currencies: Currencies, entity: str | None, preferences: Preferences) -> None:
        self._own = preferences.line_fields
        self._shows_unapproved = preferences.shows_unapproved
        self._reader = source
        self._currencies = currencies
        self._entity = entity
        self._seen: Seen | None = None
        self._whole: dict[str, tuple[float, str, NsRecord]] = {}

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        """Return both meanings of an order's status, or None for a status that the table does not have."""
        return statuses.order_statuses(erp_status, mode, shows_unapproved=self._shows_unapproved)

    def remember(self, seen: Seen | None) -> None:
        """Keep a whole window that a change detection read: the sync run that follows need not read it again. None:
        the last detection read no window that would do."""
        self._seen = seen

    @property
    def window(self) -> str:
        """Return the name of the window that is kept; empty: there is none."""
        return "" if self._seen is None else self._seen.window

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
        """Read a page of headers: orders that changed, and those whose lines a changed receipt or bill moved (reference
        5.1)."""
        self._whole.clear()  # of an earlier page: a record may have changed since, within one second too
        if since is None:
            return await self._first_import(ordered_from, after, open_in)
        seen = self._seen
        if seen is not None and after is None and (seen.window, seen.since) == (window, since):
            records, resume, touched, began = self._take(seen), None, seen.touched, seen.began
        else:
            began = datetime.now(UTC)
            records, resume, touched = await self._changed(since, ordered_from, after, open_in)
        if touched:
            records = [*records, *await self._quiet(records, touched, since, resume)]
        page = await self._page(records, ordered_from, resume, lambda record: touched.get(record.id, ""))
        return page._replace(began=began)

    def _take(self, seen: Seen) -> Sequence[NsRecord]:
        self._seen = None
        self._keep(record for record in seen.orders if seen.touched.get(record.id, "") <= version_of(record))
        return seen.orders

    async def _first_import(
        self, ordered_from: date | None, after: str | None, open_in: MatchMode | None
    ) -> Page[PurchaseOrderHeader]:
        """Read a page of a first import. What it reads is as new as NetSuite's clock was when it began: receipts and
        bills from before have changed the orders already. `after` carries that moment from page to page:
        `moment/place`."""
        began, _, place = (after or "").partition("/")
        if after is None:
            began = wire.moment_text(await self._reader.server_time() - READ_MARGIN)
        records, resume, _ = await self._changed(None, ordered_from, place or None, open_in)
        return await self._page(records, ordered_from, resume and f"{began}/{resume}", lambda _: began)

    async def _page(
        self,
        records: Sequence[NsRecord],
        ordered_from: date | None,
        resume: str | None,
        touched: Callable[[NsRecord], str],
    ) -> Page[PurchaseOrderHeader]:
        await self._know_currencies(records)
        headers, bad = translate.usable(
            records, lambda record: translate.order_header(record, self._currencies, touched=touched(record))
        )
        high_water = max((header.revision for header in headers), default=None)
        # The search compares a date with the account's clock, so we compare the day ourselves.
        wanted = [header for header in headers if ordered_from is None or header.ordered_on >= ordered_from]
        return Page(wanted, resume, high_water, bad)

    async def _changed(
        self, since: str | None, ordered_from: date | None, after: str | None, open_in: MatchMode | None
    ) -> tuple[Sequence[NsRecord], str | None, Mapping[str, str]]:
        start = None if since is None else look_back(since)
        search = changed([ORDER], start, self._entity, whole=False)
        criteria = dict(search.criteria)
        if open_in is not None:
            in_approval = statuses.IN_APPROVAL if self._shows_unapproved else ()
            criteria["status"] = reader.any_of(*statuses.OPEN_STATES, *in_approval)
        if ordered_from is not None:
            before = datetime(ordered_from.year, ordered_from.month, ordered_from.day, 12, tzinfo=UTC)
            criteria["tranDate"] = reader.since(before - timedelta(days=1))
        read = await self._reader.page(search._replace(criteria=criteria), after)
        touched: Mapping[str, str] = {}
        if start is not None and after is None:
            documents = await self._reader.all(changed([RECEIPT, BILL], start, self._entity, whole=True))
            touched = transactions.latest_touch(documents, "order")
        return read.records, read.after, touched

    async def _quiet(
        self, records: Sequence[NsRecord], touched: Mapping[str, str], since: str | None, resume: str | None
    ) -> list[NsRecord]:
        """Read whole the orders that were touched without a change of their own: only their lines changed.

        Raises:
            ErpError: why an order is not shown.
        """
        there = {record.id for record in records}
        absent = sorted(touched.keys() - there)
        if not absent:
            return []
        result = await self._reader.records([("purchaseOrder", order) for order in absent])
        start = wire.moment_text(look_back(since)) if since is not None else ""
        quiet: list[NsRecord] = []
        for order, outcome in result.items():
            if isinstance(outcome, REFUSED_ALONE):
                continue  # deleted since, made from another kind of order, or not for this role
            if isinstance(outcome, ErpError):
                raise outcome
            own = version_of(outcome)
            if resume is not None and start <= own and touched[order] <= own:
                continue  # a later page shows it
            quiet.append(outcome)
        self._keep(quiet, touched)
        return quiet

    def _keep(self, records: Iterable[NsRecord], touched: Mapping[str, str] | None = None) -> None:
        """Keep records that were read whole after everything that touched them; the reading of the lines may use them
        for a minute."""
        if len(self._whole) > MOST_FRESH:
            self._whole.clear()
        now = time.monotonic()
        for record in records:
            self._whole[record.id] = (now, max(version_of(record), (touched or {}).get(record.id, "")), record)

    def _fresh(self, header: PurchaseOrderHeader) -> NsRecord | None:
        at, version, record = self._whole.pop(header.erp_id, (0.0, "", None))
        return record if version == header.revision and time.monotonic() - at < FRESH_SECONDS else None

    async def lines(self, headers: Sequence[PurchaseOrderHeader]) -> Page[PurchaseOrder]:
        """Read the orders of these headers with their lines, a hundred per call. An unusable order becomes a bad
        record.

        Raises:
            ErpError: NetSuite refused to show an order.
        """
        read: dict[str, NsRecord | ErpError] = {}
        for header in headers:
            fresh = self._fresh(header)
            if fresh is not None:
                read[header.erp_id] = fresh
        asked = [("purchaseOrder", str(header.erp_id)) for header in headers if header.erp_id not in read]
        read |= await self._reader.records(asked)
        records = [record for record in read.values() if isinstance(record, NsRecord)]
        await self._know_currencies(records)
        orders: list[PurchaseOrder] = []
        bad: list[BadRecord] = []
        for number, header in enumerate(headers):
            if number % BATCH == BATCH - 1:
                await asyncio.sleep(0)
            outcome = read[header.erp_id]
            try:
                if isinstance(outcome, NotFound):
                    raise Unusable("RECORD_NOT_SHOWN", f"{header.number} is listed but not shown.", {})
                if isinstance(outcome, REFUSED_ALONE):
                    raise Unusable(outcome.code, f"{header.number} is not shown: {outcome.message}", outcome.evidence)
                if isinstance(outcome, ErpError):
                    raise outcome
                # The record may be newer than its header by now; what touched the header touched it before.
                orders.append(translate.order(outcome, self._currencies, self._own, touched=header.revision))
            except translate.UNFORESEEN as problem:
                evidence = {"number": header.number, "status": header.erp_status}
                error = translate.unforeseen(problem)
                bad.append(BadRecord(erp_id=header.erp_id, code=error.code, message=error.message, evidence=evidence))
            except Unusable as error:
                evidence = {"number": header.number, "status": header.erp_status, **error.evidence}
                bad.append(BadRecord(erp_id=header.erp_id, code=error.code, message=error.message, evidence=evidence))
        orders = await self._with_amounts_billed(orders, bad)
        return Page(orders, None, max((order.revision for order in orders), default=None), bad)

    async def _with_amounts_billed(self, orders: list[PurchaseOrder], bad: list[BadRecord]) -> list[PurchaseOrder]:
        """Add what is billed of lines without a quantity, which only the bills show. If a bill cannot be read, its
        order becomes a bad record and stays as it was."""
        by_amount = {order.erp_id for order in orders if translate.has_amount_lines(order)}
        if not by_amount:
            return orders
        bills = await self._reader.all(made_from(sorted(by_amount), [BILL]))
        with_amounts: list[PurchaseOrder] = []
        for order in orders:
            if order.erp_id not in by_amount:
                with_amounts.append(order)
                continue
            own = [bill for bill in bills if order.erp_id in transactions.orders_touched(bill)]
            try:
                with_amounts.append(translate.with_amounts_billed(order, transactions.amounts_billed(own)))
            except Unusable as error:
                evidence = {"number": order.number, "status": order.erp_status, **error.evidence}
                bad.append(BadRecord(erp_id=order.erp_id, code=error.code, message=error.message, evidence=evidence))
        return with_amounts

    async def _know_currencies(self, records: Iterable[NsRecord]) -> None:
        await self._currencies.know({known for record in records if (known := wire.ref_id(record.fields, "currency"))})

    # --- one order, whole ---------------------------------------------------------------------------------------

    async def read(self, erp_id: ErpId) -> PurchaseOrderSnapshot:
        """Read one order by its internal id.

        Raises:
            NotFound: NetSuite does not show the order.
            Rejected: the order cannot be used.
        """
        now = await self._reader.server_time()
        result = await self._reader.records([("purchaseOrder", erp_id)])
        return await self.snapshot(erp_id, result, now)

    async def read_many(self, erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        """Read many orders, a hundred at a time. Those that NetSuite does not show or that are unusable are omitted."""
        snapshots: list[PurchaseOrderSnapshot] = []
        for start in range(0, len(erp_ids), BATCH):
            batch = erp_ids[start : start + BATCH]
            now = await self._reader.server_time()
            read = await self._reader.records([("purchaseOrder", erp_id) for erp_id in batch])
            there = [record for record in read.values() if isinstance(record, NsRecord)]
            made = await self._made_of(there, "")
            for record in there:
                with suppress(Rejected):
                    snapshots.append(self._snapshot(record, made, now))
        return snapshots

    async def clock(self) -> datetime:
        """Return NetSuite's clock. Read it before the order whose snapshot it dates."""
        return await self._reader.server_time()

    async def snapshot(
        self, erp_id: str, records: Mapping[str, NsRecord | ErpError], now: datetime, *, new: str = ""
    ) -> PurchaseOrderSnapshot:
        """Return the snapshot of an order that was just read, dated by the clock before that. `new`: a bill created
        just now, so nobody has credited it yet.

        The order is read first and what was made from it second, so the second reading has everything that the first
        counts, and `evidence` leaves out what it has beyond that. So every bill it names is part of the order's own
        quantity.

        Raises:
            NotFound: NetSuite does not show the order.
        """
        try:
            record = reader.shown(records, erp_id)
        except NotFound as error:
            raise NotFound(f"NetSuite shows no purchase order {erp_id}.", code="ORDER_NOT_FOUND") from error
        return self._snapshot(record, await self._made_of([record], new), now)

    async def _made_of(self, orders: Sequence[NsRecord], new: str) -> "_Made":
        """Read what was made from orders, and the credits of that: with one search, and one more if a bill may be
        credited."""
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

    def _snapshot(self, record: NsRecord, made: "_Made", now: datetime) -> PurchaseOrderSnapshot:
        bills = [bill for bill in made.bills if record.id in transactions.orders_touched(bill)]
        try:
            order = translate.order(record, self._currencies, self._own, touched=_as_of(record.id, made, now))
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
            credits=credited.counted,
            status_lags=statuses.lags(order, receipts),
        )


def _as_of(order: str, made: "_Made", now: datetime) -> str:
    """Return how new an order is that was read after the clock: at least as new as what touched it, because a page may
    have stored it in that revision already."""
    touched = transactions.latest_touch((*made.receipts, *made.bills), "order").get(order, "")
    as_of = wire.moment_text(now - READ_MARGIN)
    return max(as_of, touched) if touched <= wire.moment_text(now) else as_of


class _Made(NamedTuple):
    """What was made from some orders."""

    receipts: Sequence[NsRecord]
    bills: Sequence[NsRecord]
    credits: Sequence[NsRecord]
    sources: Mapping[str, NsRecord]
    """Documents that a credit may have been created from, by internal id."""


def evidence(
    order: PurchaseOrder, bills: Iterable[NsRecord], left_out: Mapping[str, Decimal] = MappingProxyType({})
) -> Iterable[OrderBilling]:
    """Return which bills are part of the billed quantity of which line.

    A bill can exist before the order counts it: it was just saved, waits for approval, or has a status that lags. Bills
    are counted in the order they were made, those waiting for approval last, up to the line's billed quantity plus what
    credits took off it (`left_out`). What is billed of a line without a quantity was computed from these same bills.
    """
    lines = {line.erp_id: line for line in order.lines}
    room = {line.erp_id: line.billed + left_out.get(line.erp_id, translate.ZERO) for line in order.lines}
    alive = [bill for bill in bills if transactions.state(bill) not in statuses.DEAD_BILLS]
    alive.sort(key=lambda bill: (transactions.state(bill) in statuses.PENDING_BILLS, int(bill.id)))
    for bill in alive:
        for document, line_id, result, _ in transactions.billed_lines(bill):
            line = lines.get(ErpId(line_id))
            if document != order.erp_id or line is None:
                continue
            if line.basis is LineBasis.AMOUNT:
                quantity = translate.part_of(translate.money(result, "amount") or translate.ZERO, line.amount)
            else:
                quantity = translate.optional_decimal(result, "quantity") or translate.ZERO
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


def version_of(record: NsRecord) -> str:
    """Return a record's own modification time. One that cannot be read sorts first, and its translation reports it."""
    try:
        return translate.revision(record)
    except Unusable:
        return ""
