"""`python -m bench.suggestions`: how often a suggestion is right.

The order number is taken off the labelled invoices; what is left of them is placed among all orders of their vendor.
Once as it is, once without the item code too. An invoice whose order does not exist should get nothing sure. Those
invoices have no wording: `worded.py` makes up some that have.
"""

import csv
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench.labelled_data import UNIT, dataset_folder
from bench.report import wide_console
from bench.worded import invoices
from matching.kernel.ledger import LineLedger
from matching.suggest.suggestion import CandidateLine, Confidence, InvoiceLine, OrderLineGuess, Suggestion, suggest
from models.domain.connections import MatchMode
from models.domain.ids import PurchaseOrderId

Row = Mapping[str, str]
MADE_UP = 200


class Tally(NamedTuple):
    """Invoice lines with an order line behind them, by how sure the suggestion was and whether it was right."""

    right: Counter[str]
    wrong: Counter[str]
    stray: Counter[str]
    """Suggestions for lines that bill no order."""
    seconds: float

    def share(self, level: str) -> str:
        made = self.right[level] + self.wrong[level]
        return f"{self.right[level]} of {made}" + (f", {self.right[level] / made:.1%}" if made else "")


def measure(dataset: Path, *, with_item_code: bool) -> Tally:
    """Suggest for every labelled invoice by itself; what earlier invoices billed is off the orders."""
    orders = _read(dataset / "purchase_orders.csv")
    of_vendor: dict[str, list[Row]] = {}
    for order in orders:
        of_vendor.setdefault(order["Vendor_ID"], []).append(order)
    known = {order["PO_ID"] for order in orders}
    billed: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    stray: Counter[str] = Counter()
    began = time.perf_counter()
    for invoice in _read(dataset / "invoices.csv"):
        line = InvoiceLine(
            line_no=1,
            item_code=invoice["Item_Code"] if with_item_code else "",
            quantity=Decimal(invoice["Invoice_Qty"]),
            unit=UNIT,
            price=Decimal(invoice["Invoice_Price"]),
        )
        candidates = [_candidate(order, billed[order["PO_ID"]]) for order in of_vendor.get(invoice["Vendor_ID"], ())]
        (found,) = suggest(MatchMode.TWO_WAY, [line], candidates)
        level = "none" if found.proposed is None else found.confidence.value
        if invoice["PO_ID"] not in known:
            stray[level] += 1
            continue
        named = _best_guess(found)
        (right if named is not None and named.order_number == invoice["PO_ID"] else wrong)[level] += 1
        if invoice["Mismatch_Type"] == "None":
            billed[invoice["PO_ID"]] += int(invoice["Invoice_Qty"])
    return Tally(right, wrong, stray, time.perf_counter() - began)


def measure_worded(count: int, seed: int) -> Tally:
    """Suggest for made-up invoices, all lines of one together."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    stray: Counter[str] = Counter()
    began = time.perf_counter()
    for made in invoices(count, seed):
        for found in suggest(MatchMode.TWO_WAY, made.lines, made.candidates, made.text):
            level = "none" if found.proposed is None else found.confidence.value
            meant, guess = made.meant[found.line_no], _best_guess(found)
            if meant is None:
                stray[level] += 1
            else:
                placed = guess is not None and (guess.order_number, guess.order_line_no) == meant
                (right if placed else wrong)[level] += 1
    return Tally(right, wrong, stray, time.perf_counter() - began)


def _best_guess(suggestion: Suggestion) -> OrderLineGuess | None:
    """Return what was proposed, else the likeliest of what was not."""
    return suggestion.proposed or next(iter(suggestion.others), None)


def _candidate(order: Row, billed: int) -> CandidateLine:
    return CandidateLine(
        purchase_order_id=PurchaseOrderId(order["PO_ID"]),
        order_number=order["PO_ID"],
        line_no=1,
        item_id=order["Item_Code"],
        unit=UNIT,
        price=Decimal(order["Unit_Price"]),
        ledger=LineLedger(ordered=Decimal(order["Quantity"]), billed=Decimal(billed)),
    )


def _read(file: Path) -> Sequence[Row]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def _show(console: Console, title: str, tally: Tally) -> None:
    table = Table(title=title, title_justify="left")
    for heading in ("level", "right, of the lines with an order", "given to lines without one"):
        table.add_column(heading)
    for level in (*(level.value for level in Confidence), "none"):
        shown = level if level != "none" else "none proposed (best guess right)"
        table.add_row(shown, tally.share(level), str(tally.stray[level]))
    console.print(table)
    every = sum(tally.right.values()) + sum(tally.wrong.values())
    print(f"right: {sum(tally.right.values())} of {every}; {tally.seconds:.1f} s")


def main() -> int:
    dataset = dataset_folder()
    if dataset is None:
        print("The labelled set is not here; set POSYNC_SHARED to the folder that holds datasets/.", file=sys.stderr)
        return 2
    console = wide_console()
    for with_item_code in (True, False):
        said = "vendor, item code, quantity, price" if with_item_code else "vendor, quantity, price"
        _show(
            console,
            f"Labelled invoices without order numbers; left: {said}",
            measure(dataset, with_item_code=with_item_code),
        )
    _show(
        console, f"{MADE_UP} made-up invoices: abbreviated, shuffled, misspelt wording", measure_worded(MADE_UP, seed=1)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
