"""Bills of QuickBooks Online are pushed and paid while the worker is killed by SIGKILL: exactly one of each.

`python -m bench.kill_quickbooks --seeds 20` runs one stack for all seeds. Per seed the worker is killed at a random
moment while a bill goes out, and again while its payment does. Every second seed begins with an access token that has
expired, so that a kill may hit the refresh; every third with a QuickBooks that ignores request ids. Then the books are
compared: one bill, linked to its order, and one payment of its amount. Ends with 1 where they differ.
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
from bench.quickbooks import connect
from bench.report import wide_console
from cli.client.sandbox_control import PretendErp, SandboxControl
from cli.demo.quickbooks_online import QuickBooksCompany

PATIENCE_SECONDS = 120.0
LONGEST_WAIT_SECONDS = 0.8


class Seed:
    """One seed's order, its bill and its payment."""

    def __init__(self, bench: Bench, erp: PretendErp, connection_id: str, seed: int, place: int) -> None:
        self._bench = bench
        self._erp = erp
        self._connection_id = connection_id
        self._seed = seed
        self._random = random.Random(seed)
        self._order_number = f"QK-{place:05}"
        self._bill_number = f"QK-INV-{seed}"
        self.kills: list[str] = []
        self.broken: list[str] = []

    def run(self) -> None:
        """Play the seed; `broken` says what did not hold."""
        self._erp.switch(request_id="ignored" if self._seed % 3 == 0 else "replay")
        if self._seed % 2 == 0:
            self._erp.act("expire_access_tokens")
        bill = self._enter()
        self._kill("push")
        self._until(lambda: self._bill(bill)["status"] == "synced", "the bill")
        self._bench.api.post(
            f"/v1/bills/{bill['id']}/payments",
            {"amount": bill["total"], "pay_on": _today(), "bank_account": "BOA"},
        )
        self._kill("payment")
        self._until(lambda: self._bill(bill)["status"] == "paid", "the payment")
        self._compare(Decimal(bill["total"]))

    def _enter(self) -> Any:
        query = {"connection": self._connection_id, "q": self._order_number}
        (one,) = self._bench.api.get("/v1/purchase-orders", **query)["items"]
        order = self._bench.api.get(f"/v1/purchase-orders/{one['id']}")
        line = order["lines"][0]
        body = {
            "number": self._bill_number,
            "bill_date": _today(),
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "lines": [{"order_line_no": line["line_no"], "quantity": "1", "price": line["price"]}],
        }
        return self._bench.api.post(f"/v1/purchase-orders/{order['id']}/bills", body)["bill"]

    def _bill(self, bill: Any) -> Any:
        return self._bench.api.get(f"/v1/bills/{bill['id']}")

    def _kill(self, event: str) -> None:
        wait = self._random.uniform(0.0, LONGEST_WAIT_SECONDS)
        time.sleep(wait)
        self._bench.stack.kill("worker")
        self.kills.append(f"{event} + {wait:.2f} s")

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        ends = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > ends:
                raise RuntimeError(f"waited for {what} of {self._bill_number}")
            time.sleep(0.2)

    def _compare(self, total: Decimal) -> None:
        bills = [one for one in self._erp.records("bills") if one["number"] == self._bill_number]
        linked = [line["po_number"] for bill in bills for line in bill["lines"]]
        self._expect(len(bills) == 1, f"{len(bills)} bills")
        self._expect(linked == [self._order_number], f"the bill is linked to {linked}")
        self._expect(all(Decimal(str(bill["due"])) == 0 for bill in bills), "something is due on the bill")
        ids = {str(bill["record_no"]) for bill in bills}
        paid = [
            one
            for one in self._erp.records("payments")
            if any(str(detail["bill_record_no"]) in ids for detail in one["details"])
        ]
        self._expect([Decimal(str(one["amount"])) for one in paid] == [total], f"{len(paid)} payments")

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.broken.append(otherwise)


def run_seeds(first: int, seeds: int) -> int:
    """Run the seeds on one stack. Returns how many did not end with one of each."""
    console = wide_console()
    failed, began_all = 0, time.monotonic()
    with running_bench(console.print) as bench:
        erp = PretendErp(SandboxControl(bench.sandbox.url), QuickBooksCompany.erp)
        erp.control.post(f"/companies/{erp.erp}/sample")
        rows = [{**row, "status": "", "entity": "", "location": ""} for row in orders("QK", seeds, lines=1)]
        erp.control.post(f"/companies/{erp.erp}/load?create_missing=true", {"purchase_orders": rows})
        erp.switch(requests_per_minute=0, superseded_token="grace_24_hours")
        connection_id = connect(bench, erp, preferences={"bank_account": "BOA"}, read_lag_seconds=1)
        bench.sync(connection_id)
        for place in range(seeds):
            seed, began = Seed(bench, erp, connection_id, first + place, place), time.monotonic()
            try:
                seed.run()
            except RuntimeError as stuck:
                seed.broken.append(str(stuck))
            failed += bool(seed.broken)
            said = "; ".join(seed.broken) or "one of each"
            took = time.monotonic() - began
            console.print(f"seed {first + place}: killed at {', '.join(seed.kills)}: {said} ({took:.1f} s)")
    took = time.monotonic() - began_all
    console.print(f"kills: {seeds - failed} of {seeds} with exactly one of each, in {took:.0f} s")
    return failed


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kill_quickbooks", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    sys.exit(1 if run_seeds(chosen.first, chosen.seeds) else 0)


if __name__ == "__main__":
    main()
