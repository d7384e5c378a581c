"""Bills of every kind live their lives while the worker is killed by SIGKILL at random moments: exactly one of each.

`python -m bench.kill_lives --seeds 20` runs one stack. Per seed four bills are entered: one over two receipts, which is
two documents in the ERP, two on orders, one without an order. The worker is killed while they are pushed; while the
first is deleted part by part, the second is taken back by a credit, the third is sent back to accounts payable and the
fourth is reversed or deleted; while all but the second are made anew; while they are paid. After each step the books
are compared. Ends with 1 where they differ.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bench.company import Bench, orders
from bench.kill_seeds import Life, Step, run_seeds

RECEIVED = {"A": ("4", "3"), "B": ("5",), "C": ("6",)}


class Lives(Life):
    """One seed's four bills, from their entry to the last payment."""

    def __init__(self, bench: Bench, connection_id: str, seed: int) -> None:
        super().__init__(bench, connection_id, seed)
        self._vendor = f"V-KL{seed}"
        self._prices = {letter: f"{3 + seed}.{1 + place}1" for place, letter in enumerate(RECEIVED)}
        self._direct_total = f"{100 + seed}.50"

    def load(self) -> None:
        """Load three orders of ten, and receive their goods: of A in two receipts, of B and C in one."""
        rows = []
        for letter in RECEIVED:
            (row,) = orders(self._name(letter), 1, lines=1, changed_at=datetime.now(UTC))
            row.update(vendor_id=self._vendor, price=self._prices[letter], quantity="10")
            rows.append(row)
        self.bench.sandbox.load({"purchase_orders": rows})
        for row, came in zip(rows, RECEIVED.values(), strict=True):
            for place, quantity in enumerate(came, start=1):
                self.bench.sandbox.act(
                    action="receive",
                    number=row["po_number"],
                    receipt_number=f"R-{row['po_number']}-{place}",
                    lines=[{"line": 1, "quantity": quantity}],
                )

    def steps(self) -> Sequence[Step]:
        """Push, take back, make anew, pay."""
        all_synced = dict.fromkeys(("A", "B", "C", "direct"), "synced")
        anew = {name: status for name, status in all_synced.items() if name != "B"}
        return (
            Step("push", self._enter, all_synced, lambda: self._compare("pushed", live=1, memos=0, payments=0)),
            Step(
                "take back",
                self._take_back,
                {"A": "deleted", "B": "deleted", "C": "awaiting_approval", "direct": "deleted"},
                lambda: self._compare("taken back", live=0, memos=1, payments=0),
            ),
            Step("make anew", self._restore, anew, lambda: self._compare("made anew", live=1, memos=1, payments=0)),
            Step(
                "pay",
                self._pay,
                dict.fromkeys(anew, "paid"),
                lambda: self._compare("paid", live=1, memos=1, payments=3),
            ),
        )

    # --- doing ------------------------------------------------------------------------------------------------

    def _enter(self) -> None:
        for letter, came in RECEIVED.items():
            quantity = str(sum(map(int, came)))
            line = {"order_line_no": 1, "quantity": quantity, "price": self._prices[letter]}
            self.enter_on_order(letter, self._name(letter), [line])
        self.enter_without_order("direct", self._vendor, f"RENT-L{self.seed}", self._direct_total)

    def _take_back(self) -> None:
        """Ask for each in its way; a retraction under way keeps the way that was set when it was asked for."""
        path = f"/v1/connections/{self.connection_id}"
        self.bench.api.put(f"{path}/approvals", {"enabled": True})
        for name, event, way in (("A", "delete", "delete"), ("C", "retract", "delete"), ("B", "delete", "credit")):
            self.bench.api.put(f"{path}/retraction-ways", {"order_bills": way})
            self.ask_for(name, event)
        self.ask_for("direct", "delete")

    def _restore(self) -> None:
        """Make them anew; that nobody approves any more lets the one go that was sent back."""
        off = {"enabled": False, "push_when": "matched"}
        self.bench.api.put(f"/v1/connections/{self.connection_id}/approvals", off)
        for name in ("A", "direct"):
            self.ask_for(name, "restore")

    def _pay(self) -> None:
        for name in ("A", "C", "direct"):
            bill = self.bills[name]
            self.bench.api.post(
                f"/v1/bills/{bill['id']}/payments",
                {"amount": bill["due"], "pay_on": self.today, "bank_account": "BOA"},
            )

    def _name(self, letter: str) -> str:
        return f"KL{self.seed}{letter}"

    # --- the books ----------------------------------------------------------------------------------------------

    def _compare(self, when: str, *, live: int, memos: int, payments: int) -> None:
        """Compare the ERP's books: vendor invoices by order, debit memos, payments with money; the ledgers."""
        mine = self._rows("vendor_invoices", lambda row: row["vendor_id"] == self._vendor)
        for letter, expected in {"A": 2 * live, "B": 1, "C": live}.items():
            there = [row for row in mine if row["vendor_number"].startswith(self._name(letter))]
            sources = {row["created_from"] for row in there}
            self.expect(
                when, len(there) == len(sources) == expected, f"invoices of {letter}: {[r['number'] for r in there]}"
            )
        bills = self._rows("bills", lambda row: row["vendor_id"] == self._vendor)
        direct = [row for row in bills if row["module"] == "3.AP"]
        self.expect(when, len(direct) == live, f"AP bills {[row['number'] for row in direct]}")
        self.expect(
            when, all(Decimal(row["total"]) == Decimal(self._direct_total) for row in direct), "the AP bill's total"
        )
        credit = self._rows("adjustments", lambda row: row["reference"] == f"{self._name('B')}-1")
        self.expect(when, len(credit) == memos, f"debit memos {[row['number'] for row in credit]}")
        self.expect(when, all(Decimal(row["due"]) == 0 for row in credit), "a debit memo is not applied")
        ours = {row["record_no"] for row in bills}
        paid = self._rows(
            "payments",
            lambda row: row["bank_account"] and any(one["bill_record_no"] in ours for one in row["details"]),
        )
        self.expect(when, len(paid) == payments, f"payments {[row['record_no'] for row in paid]}")
        if payments:
            named = sorted(len(row["details"]) for row in paid)
            self.expect(when, named == [1, 1, 2], f"the payments name {named} documents")
            self.expect(when, all(Decimal(row["due"]) == 0 for row in bills), "something is due")
        # What was sent back keeps its quantity: pending until it is in the ERP again.
        for letter, ledger in {"A": (7 * live, 0), "B": (5, 0), "C": (6 * live, 6 * (1 - live))}.items():
            line = self.order(self._name(letter))["lines"][0]
            shown = tuple(Decimal(line[name]) for name in ("billed", "pending"))
            self.expect(when, shown == tuple(map(Decimal, ledger)), f"E, P of {letter} are {shown}")

    def _rows(self, kind: str, wanted: Callable[[Any], bool]) -> list[Any]:
        return [row for row in self.bench.sandbox.ns_record(kind) if wanted(row)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kill_lives", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    sys.exit(1 if run_seeds(Lives, seeds, match_mode="three_way") else 0)


if __name__ == "__main__":
    main()
