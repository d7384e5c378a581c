"""Which transactions to search, from when, and what a changed one says of others (reference 3.3, 5.1)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from erp.netsuite import reader, statuses, translate, wire
from erp.netsuite.reader import Search
from erp.netsuite.wire import Held

ORDER, RECEIPT, BILL, CREDIT, PAYMENT, RETURN = (
    "_purchaseOrder",
    "_itemReceipt",
    "_vendorBill",
    "_vendorCredit",
    "_vendorPayment",
    "_vendorReturnAuthorization",
)
"""The search's words for the kinds of transaction."""

OVERLAP = timedelta(minutes=10)
"""How far reads look back behind a cursor: a transaction gets its stamp when its saving begins, and a slow script of
the account may end that minutes later."""

OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


def look_back(since: str, overlap: timedelta = OVERLAP) -> datetime:
    """A cursor moved back by the overlap; one that is no time, or before all time, becomes the oldest day."""
    try:
        return max(wire.moment_of(since) - overlap, OLDEST)
    except (ValueError, OverflowError):
        return OLDEST


def changed(kinds: Iterable[str], start: datetime | None, entity: str | None, *, whole: bool) -> Search:
    """Transactions of some kinds changed since. By their main line: a line's own stamp says nothing of the others."""
    criteria: dict[str, Any] = {"type": reader.any_of(*kinds), "mainLine": reader.yes()}
    if start is not None:
        criteria["lastModifiedDate"] = reader.since(start)
    if entity is not None:
        criteria["subsidiary"] = reader.any_of_ids([entity])
    return Search("TransactionSearchBasic", criteria, whole)


def made_from(documents: Iterable[str], kinds: Iterable[str]) -> Search:
    """What was made from these documents. Without `mainLine`: a bill's lines, not the bill, name its order (5.3)."""
    criteria = {"type": reader.any_of(*kinds), "createdFrom": reader.any_of_ids(list(documents))}
    return Search("TransactionSearchBasic", criteria, True)


# --- what a document says of orders and bills ------------------------------------------------------------------


def billed_lines(bill: Held) -> Iterable[tuple[str, str, wire.Fields, bool]]:
    """A bill's lines that bill an order: the order, our id of its line, the line, whether it is an expense."""
    for sublist, name in (("itemList", "item"), ("expenseList", "expense")):
        for line in bill.lines(sublist, name):
            order, number = wire.text(line, "orderDoc"), wire.text(line, "orderLine")
            if order and number:
                yield order, translate.line_id(order, number, expense=name == "expense"), line, name == "expense"


def orders_touched(document: Held) -> set[str]:
    """The orders whose lines a receipt or bill moves, which need not move their own stamp (5.1)."""
    if document.kind == "ItemReceipt":
        order = wire.ref_id(document.fields, "createdFrom")
        return {order} if order else set()
    if document.kind == "VendorBill":
        return {order for order, _, _, _ in billed_lines(document)}
    return set()


def bills_touched(document: Held) -> set[str]:
    """The bills whose due amount a payment or credit moves."""
    if document.kind not in ("VendorPayment", "VendorCredit"):
        return set()
    return {wire.text(line, "doc") or "" for line in _applied_lines(document)}


def applied(document: Held) -> Iterable[tuple[str, Decimal]]:
    """What a payment or credit was applied to: document and amount."""
    for line in _applied_lines(document):
        yield wire.text(line, "doc") or "", translate.money(line, "amount") or translate.ZERO


def _applied_lines(document: Held) -> Iterable[wire.Fields]:
    """The lines that are applied: the list also offers what else could be."""
    for line in document.lines("applyList", "apply"):
        if wire.text(line, "doc") and wire.text(line, "apply") not in ("false", "0"):
            yield line


def latest_touch(documents: Iterable[Held], kind: str) -> dict[str, str]:
    """By order (`kind` "order") or bill: the latest stamp of what moved it."""
    touched = orders_touched if kind == "order" else bills_touched
    latest: dict[str, str] = {}
    for document in documents:
        # A document without a stamp is reported by its own stream.
        try:
            stamp = translate.revision(document)
        except translate.Unusable:
            continue
        for target in touched(document):
            latest[target] = max(stamp, latest.get(target, ""))
    return latest


def amounts_billed(bills: Iterable[Held]) -> Mapping[str, Decimal]:
    """What bills bill of each order line, in money. Raises Unusable for an amount that is none, naming its bill."""
    sums: dict[str, Decimal] = {}
    for bill in bills:
        if state(bill) in statuses.DEAD_BILLS:
            continue
        try:
            for _, line, found, _ in billed_lines(bill):
                sums[line] = sums.get(line, translate.ZERO) + (translate.money(found, "amount") or translate.ZERO)
        except translate.Unusable as error:
            name = wire.text(bill.fields, "tranId") or bill.id
            raise translate.Unusable(
                error.code, f"Bill {name}: {error.message}", {**error.evidence, "bill": name}
            ) from None
    return sums


def state(document: Held) -> str:
    return (wire.text(document.fields, "status") or "").casefold()
