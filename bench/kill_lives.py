"""Bills of every kind live their lives while the worker is killed by SIGKILL at random moments: exactly one of each.

`python -m bench.kill_lives --seeds 20` runs one stack. Per seed three bills are entered: one over two receipts, which
is two documents in the ERP, one on an order, one without an order. The worker is killed while they are pushed; while
the first is deleted part by part, the second is taken back by a credit and the third is paid; while the first is
restored; while it is paid. After each step the books are compared. Ends with 1 where they differ.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bench.company import Bench, orders, running_bench
from bench.report import wide_console

PATIENCE_SECONDS = 240.0
ACCOUNT = "6600"


class Seed:
    """One seed's three bills, from their entry to the last payment."""

    def __init__(self, bench: Bench, connection_id: str, seed: int) -> None:
        self._bench = bench
        self._connection_id = connection_id
        self._random = random.Random(seed)
        self._seed = seed
        self._vendor = f"V-KL{seed}"
        self._today = datetime.now(UTC).date().isoformat()
        self.broken: list[str] = []
        self.kills: list[str] = []

    def run(self) -> None:
        """Play the seed; `broken` says what did not hold."""
        prices = self._orders_received()
        parted, credited, direct = self._enter(prices)
        self._kill("push")
        for bill in (parted, credited, direct):
            self._settle(bill, "synced")
        self._compare("pushed", invoices={"A": 2, "B": 1}, live=2, memos=0, payments=0)

        self._take_back(parted, "delete")
        self._take_back(credited, "credit")
        self._pay(direct)
        self._kill("delete, credit, pay")
        self._settle(parted, "deleted")
        self._settle(credited, "deleted")
        self._settle(direct, "paid")
        self._compare("taken back", invoices={"A": 0, "B": 1}, live=0, memos=1, payments=1)

        self._bench.api.post(f"/v1/bills/{parted['id']}/restore", {"reason": f"seed {self._seed}"})
        self._kill("restore")
        self._settle(parted, "synced")
        self._compare("restored", invoices={"A": 2, "B": 1}, live=2, memos=1, payments=1)

        self._pay(parted)
        self._kill("pay parts")
        self._settle(parted, "paid")
        self._compare("paid", invoices={"A": 2, "B": 1}, live=2, memos=1, payments=2)

    # --- doing ------------------------------------------------------------------------------------------------

    def _orders_received(self) -> dict[str, str]:
        """Two orders of ten, whose goods came: of A in two receipts, of B in one. Their prices by letter."""
        rows = {}
        for place, letter in enumerate("AB"):
            (row,) = orders(self._name(letter), 1, lines=1, changed_at=datetime.now(UTC))
            row.update(vendor_id=self._vendor, price=f"{3 + self._seed}.{1 + place}1", quantity="10")
            rows[letter] = row
        self._bench.sandbox.load({"purchase_orders": list(rows.values())})
        for letter, came in (("A", ("4", "3")), ("B", ("5",))):
            for place, quantity in enumerate(came, start=1):
                self._bench.sandbox.act(
                    action="receive",
                    number=rows[letter]["po_number"],
                    receipt_number=f"R-{rows[letter]['po_number']}-{place}",
                    lines=[{"line": 1, "quantity": quantity}],
                )
        self._bench.sync(self._connection_id)
        return {letter: row["price"] for letter, row in rows.items()}

    def _enter(self, prices: dict[str, str]) -> list[Any]:
        bills = []
        for letter, quantity in (("A", "7"), ("B", "5")):
            order = self._order(letter)
            bill = {
                "number": f"{self._name(letter)}-1",
                "bill_date": self._today,
                "acknowledge": ["DUPLICATE_SUSPECT"],
                "lines": [{"order_line_no": 1, "quantity": quantity, "price": prices[letter]}],
            }
            bills.append(self._bench.api.post(f"/v1/purchase-orders/{order['id']}/bills", bill)["bill"])
        body = {
            "connection_id": self._connection_id,
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "vendor_id": self._vendor,
            "number": f"RENT-L{self._seed}",
            "bill_date": self._today,
            "due_date": self._today,
            "lines": [{"account": ACCOUNT, "amount": f"{100 + self._seed}.50", "location": "100"}],
        }
        return [*bills, self._bench.api.post("/v1/bills", body)["bill"]]

    def _take_back(self, bill: Any, way: str) -> None:
        """Ask for it in this way; a retraction under way keeps the way that was set when it was asked for."""
        self._bench.api.put(f"/v1/connections/{self._connection_id}/retraction-ways", {"order_bills": way})
        self._bench.api.post(f"/v1/bills/{bill['id']}/delete", {"reason": f"seed {self._seed}"})

    def _pay(self, bill: Any) -> None:
        due = self._bench.api.get(f"/v1/bills/{bill['id']}")["due"]
        self._bench.api.post(
            f"/v1/bills/{bill['id']}/payments",
            {"amount": due, "pay_on": self._today, "bank_account": "BOA"},
        )

    def _kill(self, event: str) -> None:
        wait = self._random.uniform(0.0, 0.8)
        time.sleep(wait)
        self._bench.stack.kill("worker")
        self.kills.append(f"{event} + {wait:.2f} s")

    def _settle(self, bill: Any, status: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            now = self._bench.api.get(f"/v1/bills/{bill['id']}")
            if now["status"] == status:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited for {status}: {now['number']} is {now['status']}")
            time.sleep(0.2)

    def _name(self, letter: str) -> str:
        return f"KL{self._seed}{letter}"

    def _order(self, letter: str) -> Any:
        query = {"connection": self._connection_id, "q": f"{self._name(letter)}-"}
        (one,) = self._bench.api.get("/v1/purchase-orders", **query)["items"]
        return self._bench.api.get(f"/v1/purchase-orders/{one['id']}")

    # --- the books ----------------------------------------------------------------------------------------------

    def _compare(self, when: str, *, invoices: dict[str, int], live: int, memos: int, payments: int) -> None:
        """Compare the ERP's books: vendor invoices by order, debit memos, payments with money; the ledger of A."""
        mine = self._rows("vendor_invoices", lambda row: row["vendor_id"] == self._vendor)
        for letter, expected in invoices.items():
            there = [row for row in mine if row["vendor_number"].startswith(self._name(letter))]
            sources = {row["created_from"] for row in there}
            self._expect(
                when, len(there) == len(sources) == expected, f"invoices of {letter}: {[r['number'] for r in there]}"
            )
        bills = self._rows("bills", lambda row: row["vendor_id"] == self._vendor)
        direct = [row for row in bills if row["module"] == "3.AP"]
        self._expect(when, len(direct) == 1, f"AP bills {[row['number'] for row in direct]}")
        credit = self._rows("adjustments", lambda row: row["reference"] == f"{self._name('B')}-1")
        self._expect(when, len(credit) == memos, f"debit memos {[row['number'] for row in credit]}")
        self._expect(when, all(Decimal(row["due"]) == 0 for row in credit), "a debit memo is not applied")
        ours = {row["record_no"] for row in bills}
        paid = self._rows(
            "payments",
            lambda row: row["bank_account"] and any(one["bill_record_no"] in ours for one in row["details"]),
        )
        self._expect(when, len(paid) == payments, f"payments {[row['record_no'] for row in paid]}")
        if payments == 2:
            amounts = {len(row["details"]): Decimal(row["amount"]) for row in paid}
            self._expect(when, set(amounts) == {1, 2}, f"the payments name {sorted(amounts)} documents")
        line = self._order("A")["lines"][0]
        shown = tuple(Decimal(line[name]) for name in ("billed", "pending"))
        expected_line = (Decimal(7), Decimal(0)) if live else (Decimal(0), Decimal(0))
        self._expect(when, shown == expected_line, f"E, P are {shown}")

    def _rows(self, kind: str, wanted: Callable[[Any], bool]) -> list[Any]:
        return [row for row in self._bench.sandbox.ns_record(kind) if wanted(row)]

    def _expect(self, when: str, holds: bool, otherwise: str) -> None:
        if not holds:
            self.broken.append(f"{when}: {otherwise}")


def run_seeds(first: int, seeds: int) -> int:
    """Run the seeds on one stack. Returns how many did not end with one of each."""
    console = wide_console()
    failed = 0
    with running_bench(console.print) as bench:
        bench.sandbox.load({"accounts": [_account()], "locations": [{"location_id": "100", "name": "Main"}]})
        bench.sandbox.load({"bank_accounts": [{"bank_account_id": "BOA", "name": "Operations", "currency": "USD"}]})
        connection_id = bench.connect(read_lag_seconds=1, match_mode="three_way")
        for number in range(first, first + seeds):
            seed, began = Seed(bench, connection_id, number), time.monotonic()
            try:
                seed.run()
            except RuntimeError as stuck:
                seed.broken.append(str(stuck))
            failed += bool(seed.broken)
            said = "; ".join(seed.broken) or "one of each"
            took = time.monotonic() - began
            console.print(f"seed {number}: killed at {', '.join(seed.kills)}: {said} ({took:.1f} s)")
    console.print(f"kills: {seeds - failed} of {seeds} with exactly one of each")
    return failed


def _account() -> dict[str, str]:
    return {
        "account_no": ACCOUNT, "title": "Rent", "account_type": "incomestatement", "normal_balance": "debit",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kill_lives", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    sys.exit(1 if run_seeds(chosen.first, chosen.seeds) else 0)


if __name__ == "__main__":
    main()
