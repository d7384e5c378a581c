"""Compare the ledger of the pretend QuickBooks Desktop with its documents: nothing is owed, paid or stocked twice.

The sandbox posts each document as it is saved. Here the same is added up from what its documents say at the end, and
of ours there is one for each key, none for goods that something else booked.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Rows = Sequence[Mapping[str, Any]]

OWING = {"bills": 1, "receipts": 1, "credits": -1}
"""Documents that move what is owed; with enhanced receiving, receipts do not."""

BOOKED = (*OWING, "expenses", "payments", "purchase_orders", "items", "ledger", "preferences", "deleted")


def check_books(held: Mapping[str, Rows]) -> None:
    """Compare payables, stock, keys, and what our bills took of orders."""
    enhanced = bool(held["preferences"][0].get("EnhancedInventoryReceivingEnabled"))
    ledger = {(row["book"], row["key"]): Decimal(row["amount"]) for row in held["ledger"]}
    said = {key: amount for key, amount in ledger.items() if key[0] in ("payable", "stock")}
    assert said == _from_documents(held, enhanced=enhanced)
    for kind in ("bills", "payments"):
        twice = [key for key, times in Counter(filter(None, map(key_of, held[kind]))).items() if times > 1]
        assert not twice, f"{kind} made more than once: {twice}"
    _check_orders(held, enhanced=enhanced)


def key_of(row: Mapping[str, Any]) -> str:
    """Our key on a document; empty: it is not ours."""
    memo = row["memo"] or ""
    return memo.rpartition("[posync ")[2].removesuffix("]") if "[posync " in memo else ""


def _from_documents(held: Mapping[str, Rows], *, enhanced: bool) -> dict[tuple[str, str], Decimal]:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    stocked = {row["key"] for row in held["items"] if row["type"].startswith("ItemInventory")}
    for kind, sign in (*OWING.items(), ("expenses", 1)):
        for row in held[kind]:
            if row["voided"]:
                continue
            if kind != "expenses" and not (enhanced and kind == "receipts"):
                sums["payable", row["vendor_id"]] += sign * Decimal(row["total"])
            if enhanced and kind == "bills":
                continue
            for line in row["lines"]:
                if line["item_id"] in stocked and line["quantity"] is not None:
                    sums["stock", line["item_id"]] += sign * Decimal(line["quantity"])
    for row in held["payments"]:
        if not row["voided"]:
            sums["payable", row["vendor_id"]] -= sum(Decimal(one["amount"]) for one in row["details"])
    return {key: amount for key, amount in sums.items() if amount}


def _check_orders(held: Mapping[str, Rows], *, enhanced: bool) -> None:
    """Of no order line more is taken, because of a bill of ours, than was ordered; and with ordinary receiving none of
    our bills stands beside a receipt of its order line that was there before it, unless it took the place of one."""
    if not enhanced and not any(one["type"] == "ItemReceipt" for one in held["deleted"]):
        oldest: dict[tuple[str, str], int] = {}
        for receipt in held["receipts"]:
            for line in receipt["lines"]:
                place = (line["order_doc"], line["order_line"])
                oldest[place] = min(receipt["txn_number"], oldest.get(place, receipt["txn_number"]))
        for bill in filter(key_of, held["bills"]):
            for line in bill["lines"]:
                held_before = oldest.get((line["order_doc"], line["order_line"]), bill["txn_number"])
                assert line["order_doc"] is None or held_before >= bill["txn_number"], (
                    f"{bill['number']} bills beside an item receipt"
                )
    ours: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    others: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for kind in ("bills",) if enhanced else ("bills", "receipts", "expenses"):
        for row in held[kind]:
            sums = ours if kind == "bills" and key_of(row) else others
            for line in row["lines"]:
                if line["order_doc"] and not row["voided"]:
                    sums[line["order_doc"], line["order_line"]] += Decimal(line["quantity"] or 0)
    for order in held["purchase_orders"]:
        for line in order["lines"]:
            place = (order["record_no"], line["line"])
            if ours[place] and line["quantity"] is not None:
                assert ours[place] + others[place] <= max(Decimal(line["quantity"]), others[place]), (
                    f"{order['number']} line {line['line_no']}: {ours[place]} billed by us beside {others[place]} of"
                    f" {line['quantity']}"
                )
