"""Search transactions: which kinds, from when on, and what a changed one says of others (reference 3.3, 5.1)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from erp.netsuite import reader, statuses, translate, wire
from erp.netsuite.reader import Search
from erp.netsuite.wire import NsRecord

ORDER, RECEIPT, BILL, CREDIT, PAYMENT, RETURN, FULFILMENT = (
    "_purchaseOrder",
    "_itemReceipt",
    "_vendorBill",
    "_vendorCredit",
    "_vendorPayment",
    "_vendorReturnAuthorization",
    "_itemFulfillment",
)
"""The search's words for the kinds of transaction."""

OVERLAP = timedelta(minutes=10)
"""How far reads look back behind a cursor: a transaction gets its modification time when its saving begins, and a slow
script of the account may end the saving minutes later."""

OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


def look_back(since: str, overlap: timedelta = OVERLAP) -> datetime:
    """Return a cursor moved back by the overlap. One that is no time, or too early, becomes the oldest day."""
    try:
        return max(wire.moment_of(since) - overlap, OLDEST)
    except (ValueError, OverflowError):
        return OLDEST


def changed(kinds: Iterable[str], start: datetime | None, entity: str | None, *, whole: bool) -> Search:
    """Return the search for transactions of some kinds changed since. It looks at their main line, because a line's own
    time says nothing of the others."""
    criteria: dict[str, Any] = {"type": reader.any_of(*kinds), "mainLine": reader.yes()}
    if start is not None:
        criteria["lastModifiedDate"] = reader.since(start)
    if entity is not None:
        criteria["subsidiary"] = reader.any_of_ids([entity])
    return Search("TransactionSearchBasic", criteria, whole)


def bills_numbered(vendor_id: str, number: str, entity: str | None) -> Search:
    """Return the search for a vendor's bills with a reference number; NetSuite compares it without case."""
    criteria: dict[str, Any] = {
        "type": reader.any_of(BILL),
        "mainLine": reader.yes(),
        "entity": reader.any_of_ids([vendor_id]),
        "tranId": reader.equal(wire.carried(number)),
    }
    if entity is not None:
        criteria["subsidiary"] = reader.any_of_ids([entity])
    return Search("TransactionSearchBasic", criteria, True)


def made_from(documents: Iterable[str], kinds: Iterable[str]) -> Search:
    """Return the search for what was made from these documents. It has no `mainLine`: a bill's lines, not the bill,
    name its order (5.3)."""
    criteria = {"type": reader.any_of(*kinds), "createdFrom": reader.any_of_ids(list(documents))}
    return Search("TransactionSearchBasic", criteria, True)


# --- what a document says of orders and bills ------------------------------------------------------------------


def billed_lines(bill: NsRecord) -> Iterable[tuple[str, str, wire.Fields, bool]]:
    """Return a bill's lines that bill an order: order, our id of its line, the line, and whether it is an expense."""
    for sublist, name in (("itemList", "item"), ("expenseList", "expense")):
        for line in bill.lines(sublist, name):
            order, number = wire.text(line, "orderDoc"), wire.text(line, "orderLine")
            if order and number:
                yield order, translate.line_id(order, number, expense=name == "expense"), line, name == "expense"


def orders_touched(document: NsRecord) -> set[str]:
    """Return the orders whose lines a receipt or bill changes; their own modification time need not change (5.1)."""
    if document.kind == "ItemReceipt":
        order = wire.ref_id(document.fields, "createdFrom")
        return {order} if order else set()
    if document.kind == "VendorBill":
        return {order for order, _, _, _ in billed_lines(document)}
    return set()


def bills_touched(document: NsRecord) -> set[str]:
    """Return the bills whose due amount a payment or credit changes."""
    if document.kind not in ("VendorPayment", "VendorCredit"):
        return set()
    return {wire.text(line, "doc") or "" for line in _applied_lines(document)}


def applied(document: NsRecord) -> Iterable[tuple[str, Decimal]]:
    """Return what a payment or credit was applied to: document and amount."""
    for line in _applied_lines(document):
        yield wire.text(line, "doc") or "", translate.money(line, "amount") or translate.ZERO


def _applied_lines(document: NsRecord) -> Iterable[wire.Fields]:
    """Return the lines that are applied; the list also has those that could be."""
    for line in document.lines("applyList", "apply"):
        if wire.text(line, "doc") and wire.text(line, "apply") not in ("false", "0"):
            yield line


def latest_touch(documents: Iterable[NsRecord], kind: str) -> dict[str, str]:
    """Return, by order (`kind` "order") or by bill, the latest time of what changed it."""
    touched = orders_touched if kind == "order" else bills_touched
    latest: dict[str, str] = {}
    for document in documents:
        # A document without a modification time is reported by its own stream.
        try:
            version = translate.revision(document)
        except translate.Unusable:
            continue
        for target in touched(document):
            latest[target] = max(version, latest.get(target, ""))
    return latest


def amounts_billed(bills: Iterable[NsRecord]) -> Mapping[str, Decimal]:
    """Return what bills bill of each order line, in money.

    Raises:
        Unusable: an amount is no number; it names the bill.
    """
    sums: dict[str, Decimal] = {}
    for bill in bills:
        if state(bill) in statuses.DEAD_BILLS:
            continue
        try:
            for _, line, result, _ in billed_lines(bill):
                sums[line] = sums.get(line, translate.ZERO) + (translate.money(result, "amount") or translate.ZERO)
        except translate.Unusable as error:
            name = wire.text(bill.fields, "tranId") or bill.id
            raise translate.Unusable(
                error.code, f"Bill {name}: {error.message}", {**error.evidence, "bill": name}
            ) from None
    return sums


def state(document: NsRecord) -> str:
    """Return a document's status."""
    return (wire.text(document.fields, "status") or "").casefold()
