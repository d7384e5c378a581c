"""QuickBooks Desktop: Web Connector, API and worker are killed by SIGKILL at each step of the call sequence.

`python -m bench.kill_web_connector` runs one stack for all cells and seeds. Per cell new orders are put into
QuickBooks, a sync reads them in several parts while a bill of another order goes out, and one of the three processes is
killed where the Web Connector stands: before, during or after a step, of a session's first ones or of later ones, as
the seed says. Then the mirror has every order with its lines, QuickBooks has the bill once, payables and stock moved
once, nothing waits and no issue is open. Ends with 1 where it is otherwise. `--short` kills each process once.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bench.company import Bench, running_bench
from bench.desktop_pc import QuickBooks, Step, WebConnectorProcess
from bench.report import wide_console
from cli.client.api_client import ApiProblem, ApiUnreachable

PATIENCE_SECONDS = 150.0
STEPS = ("serverVersion", "clientVersion", "authenticate", "sendRequestXML", "QuickBooks", "receiveResponseXML",
         "closeConnection")  # fmt: skip
VICTIMS = ("web connector", "api", "worker")
PAGE = 3
NEW = 7
BILLED, PRICE = 2, 5
VENDOR = "V-100"
MOST_SKIPPED = 3
WAITED_FOR_SECONDS = 1.0
"""How long the Web Connector goes on with the one that was killed away."""


class Cell:
    """Who is killed, and where the Web Connector stands then."""

    def __init__(self, victim: str, step: Step) -> None:
        self.victim, self.step = victim, step

    def __str__(self) -> str:
        return f"{self.victim} killed {self.step.when} {self.step.name} ({self.step.skipped} behind)"


def cells(seed: int) -> list[Cell]:
    """Return all cells. What is called for each document strikes at the first ones of a session: look-up, bill, and the
    parts of an iterator."""
    whole: list[Cell] = []
    for name in STEPS:
        often = name in ("sendRequestXML", "QuickBooks", "receiveResponseXML")
        for victim in VICTIMS:
            goes_on = victim != "web connector" and name != "QuickBooks"
            for when in ("before", "during", "after") if goes_on else ("before", "after"):
                chance = random.Random(f"{name} {victim} {when} {seed}")
                whole.append(Cell(victim, Step(name, when, chance.randrange(MOST_SKIPPED + 1) if often else 0)))
    return whole


SHORT = (
    Cell("web connector", Step("QuickBooks", "after", 1)),
    Cell("api", Step("receiveResponseXML", "during", 2)),
    Cell("worker", Step("receiveResponseXML", "after", 0)),
)
"""Each process once."""


class Company:
    """A connection to QuickBooks Desktop whose Web Connector is a process."""

    def __init__(self, bench: Bench, quickbooks: QuickBooks, cells: int) -> None:
        self._bench, self._quickbooks = bench, quickbooks
        quickbooks.sample()
        self._load([f"K{number}-B" for number in range(cells)])
        created = bench.api.post(
            "/v1/connections",
            {
                "erp": "quickbooks_desktop",
                "name": "Kills",
                # Its import is read by windows of a month, and each takes a round.
                "first_import_from": (datetime.now(UTC).date() - timedelta(days=30)).isoformat(),
                "purchase_orders": True,
                "settings": {"page_size": PAGE},
            },
        )
        self.connection_id = str(created["id"])
        path = f"/v1/connections/{self.connection_id}"
        self._password = bench.api.post(f"{path}/web_connector", {})["password"]
        self._qwc = "".join(bench.api.text(f"{path}/qwc"))
        quickbooks.add_application(self._qwc, self._password)
        connector = self.connector(None)
        try:
            self.until(lambda: self._connection()["last_synced_at"] is not None, "the lists to come in")
            bench.api.put(f"{path}/preferences", {"preferences": {}})
            bench.sync(self.connection_id)
        finally:
            connector.kill()

    def connector(self, step: Step | None) -> WebConnectorProcess:
        return WebConnectorProcess(self._qwc, self._password, self._quickbooks, step)

    def _connection(self) -> Any:
        return self._bench.api.get(f"/v1/connections/{self.connection_id}")

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait. Raises RuntimeError when it takes too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._is(done):
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited in vain for {what}")
            time.sleep(0.2)

    @staticmethod
    def _is(done: Callable[[], bool]) -> bool:
        try:
            return done()
        except (ApiProblem, ApiUnreachable):  # the API was killed, or is not ready yet: it is asked once more
            return False

    def play(self, number: int, cell: Cell) -> list[str]:
        """Play one cell; return what did not hold."""
        prefix = f"K{number}"
        before = self._books()
        self._load([f"{prefix}-{one}" for one in range(NEW)])
        bill = self._bill(f"{prefix}-B")
        run = self._bench.api.post(f"/v1/connections/{self.connection_id}/sync")["sync_run_id"]
        self.until(self._several_wait, "both to be asked")
        self._kill(cell)
        connector = self.connector(None)
        try:
            self.until(lambda: self._status(bill) == "synced", "the bill to be in QuickBooks")
            self.until(lambda: self._mirrored(prefix) >= NEW + 1, "the orders to be in the mirror")
            # Whoever asks for a sync while one goes on gets that one, which may be past the orders already.
            self.until(lambda: self._is_over(run), "the sync to end")
            self.until(self._nothing_waits, "nothing to wait any more")
        finally:
            connector.kill()
        return list(self._wrong(prefix, before))

    def _kill(self, cell: Cell) -> None:
        connector = self.connector(cell.step)
        try:
            if not connector.wait_until_there(PATIENCE_SECONDS):
                raise RuntimeError(f"the Web Connector never came to {cell.step}")
            if cell.victim == "web connector":
                return
            self._bench.stack.kill(cell.victim)
            if cell.step.when != "during":
                connector.go_on()
            time.sleep(WAITED_FOR_SECONDS)
        finally:
            connector.kill()

    def _load(self, numbers: Sequence[str]) -> None:
        today = datetime.now(UTC).date().isoformat()
        row = {"vendor_id": VENDOR, "po_date": today, "item_id": "PAPER-A4", "quantity": "10", "price": str(PRICE)}
        self._quickbooks.load({"purchase_orders": [{**row, "po_number": number} for number in numbers]})

    def _bill(self, number: str) -> str:
        (order,) = self._orders(number)
        body = {
            "number": f"INV-{number}",
            "bill_date": datetime.now(UTC).date().isoformat(),
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "lines": [{"order_line_no": 1, "quantity": str(BILLED)}],
        }
        answer = self._bench.api.post(f"/v1/purchase-orders/{order['id']}/bills", body)
        return str(answer["bill"]["id"])

    def _orders(self, prefix: str) -> list[Any]:
        found = self._bench.api.get("/v1/purchase-orders", connection=self.connection_id, q=prefix, limit=100)["items"]
        return [one for one in found if one["number"].startswith(prefix)]

    def _mirrored(self, prefix: str) -> int:
        return len(self._orders(f"{prefix}-"))

    def _status(self, bill: str) -> str:
        return str(self._bench.api.get(f"/v1/bills/{bill}")["status"])

    def _waiting(self) -> int:
        return int(self._bench.api.get(f"/v1/connections/{self.connection_id}/web_connector")["waiting"])

    def _several_wait(self) -> bool:
        return self._waiting() >= 2

    def _is_over(self, run: str) -> bool:
        return bool(self._bench.api.get(f"/v1/sync-runs/{run}")["state"] == "completed")

    def _nothing_waits(self) -> bool:
        return self._waiting() == 0

    def _books(self) -> tuple[Decimal, Decimal]:
        """What is owed to the vendor, and what is in stock."""
        rows = {(row["book"], row["key"]): row["amount"] for row in self._quickbooks.records("ledger")}
        return Decimal(rows.get(("payable", VENDOR), 0)), Decimal(rows.get(("stock", "PAPER-A4"), 0))

    def _wrong(self, prefix: str, before: tuple[Decimal, Decimal]) -> Sequence[str]:
        wrong: list[str] = []
        bills = [one for one in self._quickbooks.records("bills") if one["number"] == f"INV-{prefix}-B"]
        if len(bills) != 1:
            wrong.append(f"{len(bills)} bills in QuickBooks")
        moved = tuple(now - then for now, then in zip(self._books(), before, strict=True))
        if moved != (Decimal(BILLED * PRICE), Decimal(BILLED)):
            wrong.append(f"payables and stock moved by {moved[0]} and {moved[1]}")
        issues = self._bench.api.get("/v1/sync-issues", connection=self.connection_id, state="open")["items"]
        wrong += [f"issue {one['code']}" for one in issues]
        held = sorted(one["number"] for one in self._orders(f"{prefix}-"))
        orders = [one["number"] for one in self._quickbooks.records("purchase_orders")]
        there = sorted(one for one in orders if one.startswith(f"{prefix}-"))
        if held != there:
            wrong.append(f"the mirror has {held}, QuickBooks {there}")
        lines = [self._bench.api.get(f"/v1/purchase-orders/{one['id']}")["lines"] for one in self._orders(f"{prefix}-")]
        if any(len(one) != 1 or Decimal(one[0]["quantity"]) != 10 for one in lines):
            wrong.append("an order's lines differ")
        return wrong


def run(chosen: Sequence[Cell]) -> int:
    """Play the cells on one stack. Returns how many did not end as they should."""
    console = wide_console()
    failed, began_all = 0, time.monotonic()
    with running_bench(console.print) as bench, QuickBooks() as quickbooks:
        company = Company(bench, quickbooks, len(chosen))
        for number, cell in enumerate(chosen):
            began = time.monotonic()
            try:
                wrong = company.play(number, cell)
            except RuntimeError as stuck:
                wrong = [str(stuck)]
            failed += bool(wrong)
            said = "; ".join(wrong) or "nothing lost, nothing twice"
            console.print(f"{cell}: {said} ({time.monotonic() - began:.1f} s)")
    took = time.monotonic() - began_all
    console.print(
        f"kills: {len(chosen) - failed} of {len(chosen)} with nothing lost and nothing twice, in {took:.0f} s"
    )
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kill_web_connector", description=__doc__)
    parser.add_argument("--short", action="store_true", help="each process once")
    parser.add_argument("--seeds", type=int, default=1, help="how many of every cell, from --first on")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--from-cell", type=int, default=0, help="of these cells, from this one on")
    parser.add_argument("--most", type=int, help="of these cells, at most so many")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    whole = list(SHORT) if asked.short else [cell for seed in seeds for cell in cells(seed)]
    chosen = whole[asked.from_cell :][: asked.most]
    sys.exit(1 if run(chosen) else 0)


if __name__ == "__main__":
    main()
