"""The books that documents move: accounts payable by vendor, stock by item, goods received and not billed.

A bill for goods that stand on an item receipt shows here as payable and stock doubled (reference 3.2).
"""

from collections import defaultdict
from collections.abc import Container
from decimal import Decimal

from sandbox.quickbooks_desktop.records import PAYMENTS, ZERO, Txn

Postings = dict[tuple[str, str], Decimal]
"""By book (payable, stock, offset) and the ListID of vendor or item."""


class Books:
    """Sums of all postings."""

    def __init__(self) -> None:
        self.sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self._of: dict[str, Postings] = {}

    def post(self, txn: Txn, postings: Postings) -> None:
        """What a transaction posts from now on, in place of what it posted until now."""
        for key, amount in self._of.pop(txn.txn_id, {}).items():
            self.sums[key] -= amount
        if postings:
            self._of[txn.txn_id] = postings
            for key, amount in postings.items():
                self.sums[key] += amount

    def of(self, book: str, identifier: str) -> Decimal:
        """The balance of one vendor or item."""
        return self.sums.get((book, identifier), ZERO)


def postings(txn: Txn, *, enhanced: bool, in_stock: Container[str | None]) -> Postings:
    """What a transaction does to the books. `enhanced`: how the company receives; `in_stock`: its inventory items."""
    if txn.voided or txn.kind == "PurchaseOrder":
        return {}
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    payable = ("payable", txn.entity)
    if txn.kind in PAYMENTS:
        found[payable] -= sum((one.amount + one.discount for one in txn.applied), ZERO)
        return dict(found)
    sign = -1 if txn.kind == "VendorCredit" else 1
    receipt = txn.kind == "ItemReceipt"
    # Ordinary receiving: receipt and bill are the same kind of document, both owe and both add stock.
    if receipt and enhanced:
        found["offset", txn.entity] += txn.total
    elif txn.kind != "Check":
        found[payable] += sign * txn.total
    for line in txn.lines:
        item = line.values.get("ItemRef")
        if item not in in_stock or line.quantity is None:
            continue
        if txn.kind == "Bill" and enhanced:
            found["offset", txn.entity] -= line.amount or ZERO
            continue
        found["stock", str(item)] += sign * line.quantity
    return dict(found)
