"""Bills are taken back and made anew while the worker is killed by SIGKILL at random moments: exactly one of each.

`python -m bench.kill_retractions --seeds 20` runs one stack. Per seed it deletes or disputes a bill on an order, and a
bill without one (deleted and reversed in turn), kills the worker, restores both, kills it again, and compares the
books: what was taken back is gone or reversed once, and its next generation is there once. Ends with 1 where they
differ.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from bench.company import Bench, orders
from bench.kill_seeds import BATCH, Life, Step, run_seeds


class Retractions(Life):
    """One seed's two bills, from their push to their second generation."""

    def __init__(self, bench: Bench, connection_id: str, seed: int) -> None:
        super().__init__(bench, connection_id, seed)
        # Whether unpaid bills are reversed is a setting of the company, so the seeds of a batch share it.
        self.way = ("delete", "reverse")[(seed - 1) // BATCH % 2]
        self.event = ("delete", "dispute")[seed % 2]
        self._prefix, self._vendor = f"KR{seed}", f"V-KR{seed}"
        self._price = f"{3 + seed}.10"

    def load(self) -> None:
        """Load one order, and set how bills without one are taken back."""
        self.bench.sandbox.switch(unpaid_bill_reversal=self.way == "reverse")
        self.bench.api.put(f"/v1/connections/{self.connection_id}/retraction-ways", {"direct_bills": self.way})
        rows = orders(self._prefix, 1, lines=1, changed_at=datetime.now(UTC))
        for row in rows:
            row.update(vendor_id=self._vendor, price=self._price)
        self.bench.sandbox.load({"purchase_orders": rows})

    def steps(self) -> Sequence[Step]:
        """Push, take back, make anew."""
        gone = "deleted" if self.event == "delete" else "disputed"
        synced = dict.fromkeys(("order", "direct"), "synced")
        return (
            Step("push", self._enter, synced, lambda: self._compare("pushed", generation=1, live=1)),
            Step(
                self.event,
                lambda: self._ask(self.event),
                dict.fromkeys(synced, gone),
                lambda: self._compare("taken back", generation=1, live=0),
            ),
            Step(
                "restore",
                lambda: self._ask("restore"),
                synced,
                lambda: self._compare("restored", generation=2, live=1),
            ),
        )

    def _enter(self) -> None:
        self.enter_on_order("order", self._prefix, [{"order_line_no": 1, "quantity": "4", "price": self._price}])
        self.enter_without_order("direct", self._vendor, f"RENT-{self.seed}", f"{100 + self.seed}.50")

    def _ask(self, event: str) -> None:
        for name in ("order", "direct"):
            self.ask_for(name, event)

    # --- the books ----------------------------------------------------------------------------------------------

    def _compare(self, when: str, *, generation: int, live: int) -> None:
        sandbox = self.bench.sandbox
        invoices = [row["number"] for row in sandbox.ns_record("vendor_invoices") if row["vendor_id"] == self._vendor]
        self.expect(when, len(invoices) == live, f"vendor invoices {invoices}")
        if live and generation > 1:
            self.expect(when, invoices[0].endswith(f"-{generation}"), f"vendor invoice {invoices}")
        mine = [row for row in sandbox.ns_record("bills") if row["vendor_id"] == self._vendor]
        direct = [row for row in mine if row["module"] == "3.AP"]
        states = sorted(row["state"] for row in direct)
        was_reversed = self.way == "reverse" and when != "pushed"
        dead = ["Reversal", "Reversed"] if was_reversed else []
        self.expect(when, states == sorted(dead + ["Posted"] * live), f"AP bills {states}")
        owed = sum((Decimal(row["due"]) for row in direct), Decimal(0))
        self.expect(when, owed == live * Decimal(f"{100 + self.seed}.50"), f"{owed} is owed")
        line = self.order(self._prefix)["lines"][0]
        shown = tuple(Decimal(line[name]) for name in ("billed", "pending", "credited"))
        self.expect(when, shown == tuple(map(Decimal, (4 * live, 0, 0))), f"E, P, C are {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kill_retractions", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    sys.exit(1 if run_seeds(Retractions, seeds, match_mode="two_way") else 0)


if __name__ == "__main__":
    main()
