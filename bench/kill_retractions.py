"""Bills are taken back and made anew while the worker is killed by SIGKILL at random moments: exactly one of each.

`python -m bench.kill_retractions --seeds 20` runs one stack. Per seed it deletes or disputes a bill on an order, and a
bill without one (deleted and reversed in turn), kills the worker, restores both, kills it again, and compares the
books: what was taken back is gone or reversed once, and its next generation is there once. Ends with 1 where they
differ.
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

PATIENCE_SECONDS = 180.0
ACCOUNT = "6600"


class Seed:
    """One seed's two bills, from their push to their second generation."""

    def __init__(self, bench: Bench, connection_id: str, seed: int) -> None:
        self._bench = bench
        self._connection_id = connection_id
        self._random = random.Random(seed)
        self._seed = seed
        self.way = ("delete", "reverse")[seed % 2]
        self.event = ("delete", "dispute")[seed // 2 % 2]
        self.broken: list[str] = []
        self.kills: list[str] = []

    def run(self) -> None:
        """Play the seed; `broken` says what did not hold."""
        sandbox = self._bench.sandbox
        sandbox.switch(unpaid_bill_reversal=self.way == "reverse")
        path = f"/v1/connections/{self._connection_id}"
        self._bench.api.put(f"{path}/retraction-ways", {"direct_bills": self.way})
        bills = [self._bill_on_order(), self._bill_without_order()]
        self._settle(bills, "synced")
        self._ask(bills, self.event)
        self._settle(bills, "deleted" if self.event == "delete" else "disputed")
        self._compare("taken back", generations=(1,), live=0)
        self._ask(bills, "restore")
        self._settle(bills, "synced")
        self._compare("restored", generations=(2,), live=1)

    # --- doing ------------------------------------------------------------------------------------------------

    def _bill_on_order(self) -> Any:
        prefix = f"KR{self._seed}"
        rows = orders(prefix, 1, lines=1, changed_at=datetime.now(UTC))
        for row in rows:
            row.update(vendor_id=f"V-{prefix}", price=f"{3 + self._seed}.10")
        self._bench.sandbox.load({"purchase_orders": rows})
        self._bench.sync(self._connection_id)
        (order,) = self._bench.api.get("/v1/purchase-orders", connection=self._connection_id, q=prefix)["items"]
        bill = {
            "number": f"{prefix}-1",
            "bill_date": self._today(),
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "lines": [{"order_line_no": 1, "quantity": "4", "price": rows[0]["price"]}],
        }
        return self._bench.api.post(f"/v1/purchase-orders/{order['id']}/bills", bill)["bill"]

    def _bill_without_order(self) -> Any:
        line = {"account": ACCOUNT, "amount": f"{100 + self._seed}.50", "location": "100"}
        body = {
            "connection_id": self._connection_id,
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "vendor_id": f"V-KR{self._seed}",
            "number": f"RENT-{self._seed}",
            "bill_date": self._today(),
            "due_date": self._today(),
            "lines": [line],
        }
        return self._bench.api.post("/v1/bills", body)["bill"]

    def _ask(self, bills: list[Any], event: str) -> None:
        """Ask for the event on all bills, and kill the worker at a random moment around it."""
        for bill in bills:
            self._bench.api.post(f"/v1/bills/{bill['id']}/{event}", {"reason": f"seed {self._seed}"})
        wait = self._random.uniform(0.0, 0.6)
        time.sleep(wait)
        self._bench.stack.kill("worker")
        self.kills.append(f"{event} + {wait:.2f} s")

    def _settle(self, bills: list[Any], status: str) -> None:
        """Wait until all bills have the status."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            now = [self._bench.api.get(f"/v1/bills/{bill['id']}") for bill in bills]
            if all(one["status"] == status for one in now):
                bills[:] = now
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited for {status}: {[(one['number'], one['status']) for one in now]}")
            time.sleep(0.2)

    @staticmethod
    def _today() -> str:
        return datetime.now(UTC).date().isoformat()

    # --- the books ----------------------------------------------------------------------------------------------

    def _compare(self, when: str, *, generations: tuple[int, ...], live: int) -> None:
        invoices = self._numbers("vendor_invoices", lambda row: row["vendor_id"] == f"V-KR{self._seed}")
        self._expect(when, len(invoices) == live, f"vendor invoices {invoices}")
        if live:
            self._expect(when, invoices[0].endswith(f"-{generations[0]}"), f"vendor invoice {invoices}")
        mine = [row for row in self._bench.sandbox.ns_record("bills") if row["vendor_id"] == f"V-KR{self._seed}"]
        direct = [row for row in mine if row["module"] == "3.AP"]
        states = sorted(row["state"] for row in direct)
        dead = ["Reversal", "Reversed"] if self.way == "reverse" else []
        self._expect(when, states == sorted(dead + ["Posted"] * live), f"AP bills {states}")
        owed = sum((Decimal(row["due"]) for row in direct), Decimal(0))
        self._expect(when, owed == live * Decimal(f"{100 + self._seed}.50"), f"{owed} is owed")
        orders_now = self._bench.api.get("/v1/purchase-orders", connection=self._connection_id, q=f"KR{self._seed}")
        (order,) = [self._bench.api.get(f"/v1/purchase-orders/{one['id']}") for one in orders_now["items"]]
        line = order["lines"][0]
        shown = tuple(Decimal(line[name]) for name in ("billed", "pending", "credited"))
        self._expect(when, shown == tuple(map(Decimal, (4 * live, 0, 0))), f"E, P, C are {shown}")

    def _numbers(self, kind: str, wanted: Callable[[Any], bool]) -> list[str]:
        return sorted(row["number"] for row in self._bench.sandbox.ns_record(kind) if wanted(row))

    def _expect(self, when: str, holds: bool, otherwise: str) -> None:
        if not holds:
            self.broken.append(f"{when}: {otherwise}")


def run_seeds(first: int, seeds: int) -> int:
    """Run the seeds on one stack. Returns how many did not end with one of each."""
    console = wide_console()
    failed = 0
    with running_bench(console.print) as bench:
        bench.sandbox.load({"accounts": [_account()], "locations": [{"location_id": "100", "name": "Main"}]})
        connection_id = bench.connect(read_lag_seconds=1)
        for number in range(first, first + seeds):
            seed, began = Seed(bench, connection_id, number), time.monotonic()
            try:
                seed.run()
            except RuntimeError as stuck:
                seed.broken.append(str(stuck))
            failed += bool(seed.broken)
            said = "; ".join(seed.broken) or "one of each"
            killed = ", ".join(seed.kills)
            took = time.monotonic() - began
            console.print(f"seed {number}: {seed.event}, {seed.way}; killed at {killed}: {said} ({took:.1f} s)")
    console.print(f"kills: {seeds - failed} of {seeds} with exactly one of each")
    return failed


def _account() -> dict[str, str]:
    return {
        "account_no": ACCOUNT, "title": "Rent", "account_type": "incomestatement", "normal_balance": "debit",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kill_retractions", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    sys.exit(1 if run_seeds(chosen.first, chosen.seeds) else 0)


if __name__ == "__main__":
    main()
