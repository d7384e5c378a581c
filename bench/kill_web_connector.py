"""QuickBooks Desktop: Web Connector, API and worker are killed by SIGKILL at each step of the call sequence.

`python -m bench.kill_web_connector --seeds 20` runs one stack for all cells and seeds. Per cell new orders are put into
QuickBooks, a sync reads them in several parts while a bill of another order goes out, and one of the three processes is
killed where the Web Connector stands: before, during or after a step, of a session's first ones or of later ones, as
the seed says. Then the mirror has every order with its lines, QuickBooks has the bill once, payables and stock moved
once, nothing waits and no issue is open. Ends with 1 where it is otherwise. `--short` kills each process once.

The cells of one victim and some seeds are played together, each by a company of its own: when all Web Connectors stand
at their steps, the API or the worker is killed once, for all of them. What takes long is to wait until it is missed.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bench.company import Bench, running_bench
from bench.desktop_pc import QuickBooks, Step, WebConnectorProcess
from bench.report import wide_console
from cli.client.api_client import ApiProblem, ApiUnreachable

PATIENCE_SECONDS = 240.0
STEPS = ("serverVersion", "clientVersion", "authenticate", "connectionError", "sendRequestXML", "QuickBooks",
         "receiveResponseXML", "getLastError", "closeConnection")  # fmt: skip
OFTEN = ("sendRequestXML", "QuickBooks", "receiveResponseXML")
"""What is called for each document."""
ON_FAILURE = ("connectionError", "getLastError")
"""What is called because QuickBooks did not open, or its answer came cut short."""
VICTIMS = ("web connector", "api", "worker")
PAGE = 3
NEW = 7
BILLED, PRICE = 2, 5
VENDOR, ITEM = "V-100", "PAPER-A4"
MOST_SKIPPED = 3
WAITED_FOR_SECONDS = 1.0
"""How long the Web Connectors go on with the one that was killed away."""

LOOK_SECONDS = 0.7
"""How often a company is looked at: there are some twenty."""

LONGEST_HEAD_START_SECONDS = 0.03
"""How long a call is at most under way when its server is killed."""


class Cell:
    """Who is killed, and where the Web Connector stands then."""

    def __init__(self, victim: str, step: Step, seed: int = 0) -> None:
        self.victim, self.step, self.seed = victim, step, seed

    def __str__(self) -> str:
        return f"{self.victim} killed {self.step.when} {self.step.name} ({self.step.skipped} behind)"


def cells(seed: int) -> list[Cell]:
    """Return all cells. What is called for each document strikes at the first ones of a session: look-up, bill, and the
    parts of an iterator. During a call behind a failure nobody is killed: nothing is exchanged there."""
    whole: list[Cell] = []
    for name in STEPS:
        often = name in OFTEN
        for victim in VICTIMS:
            goes_on = victim != "web connector" and name != "QuickBooks" and name not in ON_FAILURE
            for when in ("before", "during", "after") if goes_on else ("before", "after"):
                chance = random.Random(f"{name} {victim} {when} {seed}")
                skipped = chance.randrange(MOST_SKIPPED + 1) if often else 0
                whole.append(Cell(victim, Step(name, when, skipped), seed))
    return whole


def in_waves(seeds: Sequence[int], together: int) -> list[list[Cell]]:
    """Return all cells of these seeds, in waves: those of one victim and so many seeds."""
    waves: list[list[Cell]] = []
    for begin in range(0, len(seeds), together):
        some = [cell for seed in seeds[begin : begin + together] for cell in cells(seed)]
        waves += [[cell for cell in some if cell.victim == victim] for victim in VICTIMS]
    return waves


SHORT = (
    Cell("web connector", Step("QuickBooks", "after", 1)),
    Cell("api", Step("receiveResponseXML", "during", 2)),
    Cell("worker", Step("receiveResponseXML", "after", 0)),
)
"""Each process once."""


class Company:
    """A connection to QuickBooks Desktop whose Web Connector is a process. It has its QuickBooks for itself."""

    def __init__(self, bench: Bench, quickbooks: QuickBooks, number: int) -> None:
        self._bench, self._quickbooks = bench, quickbooks
        self._played = 0
        quickbooks.load({"items": [{"item_id": ITEM, "name": "Paper", "item_type": "Inventory"}]})
        self._load(["K0-B"])
        created = bench.api.post(
            "/v1/connections",
            {
                "erp": "quickbooks_desktop",
                "name": f"Kills {number}",
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
        connector = self._connector(None)
        try:
            self._until(lambda: self._connection()["last_synced_at"] is not None, "the lists to come in")
            bench.api.put(f"{path}/preferences", {"preferences": {}})
            while not self._orders("K0-B"):  # a sync that goes on may be past the orders already
                bench.sync(self.connection_id)
        finally:
            connector.kill()

    def _connector(self, step: Step | None) -> WebConnectorProcess:
        return WebConnectorProcess(self._qwc, self._password, self._quickbooks, step)

    # --- one cell -----------------------------------------------------------------------------------------------

    def begin(self, cell: Cell) -> None:
        """Have orders to read and a bill to send, and bring the Web Connector to its step.

        Raises:
            RuntimeError: it does not come there.
        """
        self._prefix = f"K{self._played}"
        self._played += 1
        self._cell, self._before = cell, self._books()
        # The next cell's bill is for an order that is read here.
        self._load([*(f"{self._prefix}-{one}" for one in range(NEW)), f"K{self._played}-B"])
        self._until(lambda: bool(self._orders(f"{self._prefix}-B")), "the order to bill")
        self._bill = self._enter_bill(f"{self._prefix}-B")
        self._run = self._bench.api.post(f"/v1/connections/{self.connection_id}/sync")["sync_run_id"]
        self._until(lambda: self._waiting() >= 2, "both to be asked")
        self._at_its_step = self._connector(cell.step)
        if not self._at_its_step.wait_until_there(PATIENCE_SECONDS):
            self._at_its_step.kill()
            raise RuntimeError(f"the Web Connector never came to {cell.step}")

    def go_on(self) -> None:
        """Let the Web Connector go on from its step."""
        self._at_its_step.go_on()

    def kill_web_connector(self) -> None:
        """End it as the machine would."""
        self._at_its_step.kill()

    def end(self) -> list[str]:
        """Have a new Web Connector call until all is done; return what did not hold.

        Raises:
            RuntimeError: something is not done.
        """
        connector = self._connector(None)
        try:
            # Whoever asks for a sync while one goes on gets that one, which may be past the orders already.
            self._until(self._is_over, "the sync to end")
            self._until(lambda: self._status() == "synced", "the bill to be in QuickBooks")
            self._until(lambda: len(self._orders(f"{self._prefix}-")) == NEW + 1, "the orders to be in the mirror")
            self._until(lambda: self._waiting() == 0, "nothing to wait any more")
        finally:
            connector.kill()
        return list(self._wrong())

    # --- what it holds ------------------------------------------------------------------------------------------

    def _until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._is(done):
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited in vain for {what}")
            time.sleep(LOOK_SECONDS)

    @staticmethod
    def _is(done: Callable[[], bool]) -> bool:
        try:
            return done()
        except (ApiProblem, ApiUnreachable):  # the API was killed, or is not ready yet: it is asked once more
            return False

    def _connection(self) -> Any:
        return self._bench.api.get(f"/v1/connections/{self.connection_id}")

    def _load(self, numbers: Sequence[str]) -> None:
        today = datetime.now(UTC).date().isoformat()
        row = {"vendor_id": VENDOR, "po_date": today, "item_id": ITEM, "quantity": "10", "price": str(PRICE)}
        self._quickbooks.load({"purchase_orders": [{**row, "po_number": number} for number in numbers]})

    def _enter_bill(self, number: str) -> str:
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

    def _status(self) -> str:
        return str(self._bench.api.get(f"/v1/bills/{self._bill}")["status"])

    def _waiting(self) -> int:
        return int(self._bench.api.get(f"/v1/connections/{self.connection_id}/web_connector")["waiting"])

    def _is_over(self) -> bool:
        return bool(self._bench.api.get(f"/v1/sync-runs/{self._run}")["state"] == "completed")

    def _books(self) -> tuple[Decimal, Decimal]:
        """What is owed to the vendor, and what is in stock."""
        rows = {(row["book"], row["key"]): row["amount"] for row in self._quickbooks.records("ledger")}
        return Decimal(rows.get(("payable", VENDOR), 0)), Decimal(rows.get(("stock", ITEM), 0))

    def _wrong(self) -> Iterator[str]:
        prefix = self._prefix
        bills = [one for one in self._quickbooks.records("bills") if one["number"] == f"INV-{prefix}-B"]
        if len(bills) != 1:
            yield f"{len(bills)} bills in QuickBooks"
        moved = tuple(now - then for now, then in zip(self._books(), self._before, strict=True))
        if moved != (Decimal(BILLED * PRICE), Decimal(BILLED)):
            yield f"payables and stock moved by {moved[0]} and {moved[1]}"
        issues = self._bench.api.get("/v1/sync-issues", connection=self.connection_id, state="open")["items"]
        yield from (f"issue {one['code']}" for one in issues)
        held = self._orders(f"{prefix}-")
        orders = [one["number"] for one in self._quickbooks.records("purchase_orders")]
        there = sorted(one for one in orders if one.startswith(f"{prefix}-"))
        if sorted(one["number"] for one in held) != there:
            yield f"the mirror has {[one['number'] for one in held]}, QuickBooks {there}"
        lines = [self._bench.api.get(f"/v1/purchase-orders/{one['id']}")["lines"] for one in held]
        if any(len(one) != 1 or Decimal(one[0]["quantity"]) != 10 for one in lines):
            yield "an order's lines differ"


def play(bench: Bench, companies: Sequence[Company], chosen: Sequence[Cell], pool: ThreadPoolExecutor) -> list[str]:
    """Play cells of one victim, each by a company; return what did not hold of each, empty: all did."""
    said = list(pool.map(lambda one: _tried(lambda: one[0].begin(one[1])), zip(companies, chosen, strict=True)))
    there = [(company, cell) for company, cell, stuck in zip(companies, chosen, said, strict=True) if not stuck]
    if chosen[0].victim != "web connector":
        for company, cell in there:
            if cell.step.when == "during":
                company.go_on()
        time.sleep(random.Random(chosen[0].seed).uniform(0, LONGEST_HEAD_START_SECONDS))
        bench.stack.kill(chosen[0].victim)
        for company, cell in there:
            if cell.step.when != "during":
                company.go_on()
        time.sleep(WAITED_FOR_SECONDS)
    for company, _ in there:
        company.kill_web_connector()
    ended = iter(list(pool.map(lambda one: _tried(lambda: one[0].end()), there)))
    return [stuck or next(ended) for stuck in said]


def _tried(does: Callable[[], list[str] | None]) -> str:
    try:
        return "; ".join(does() or ())
    except (RuntimeError, ApiProblem, ApiUnreachable) as stuck:
        return str(stuck) or type(stuck).__name__


def run(waves: Sequence[Sequence[Cell]]) -> int:
    """Play waves of cells on one stack. Returns how many did not end as they should."""
    console = wide_console()
    most = max(map(len, waves), default=0)
    all_cells = sum(map(len, waves))
    failed, done, began_all = 0, 0, time.monotonic()
    with running_bench(console.print) as bench, ExitStack() as computers, ThreadPoolExecutor(max(most, 1)) as pool:
        books = [computers.enter_context(QuickBooks()) for _ in range(most)]
        companies = list(pool.map(lambda one: Company(bench, one[1], one[0]), enumerate(books)))
        ready = time.monotonic()
        console.print(f"{most} companies in {ready - began_all:.0f} s")
        for cells_of_wave in waves:
            began = time.monotonic()
            wrong = play(bench, companies[: len(cells_of_wave)], cells_of_wave, pool)
            failed += sum(map(bool, wrong))
            for cell, one in zip(cells_of_wave, wrong, strict=True):
                console.print(f"seed {cell.seed}: {cell}: {one or 'nothing lost, nothing twice'}")
            done += len(wrong)
            console.print(
                f"{len(wrong)} cells in {time.monotonic() - began:.1f} s; {done} of {all_cells} after"
                f" {time.monotonic() - began_all:.0f} s"
            )
    took = time.monotonic() - began_all
    console.print(f"kills: {all_cells - failed} of {all_cells} with nothing lost and nothing twice, in {took:.0f} s")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kill_web_connector", description=__doc__)
    parser.add_argument("--short", action="store_true", help="each process once")
    parser.add_argument("--seeds", type=int, default=1, help="how many of every cell, from --first on")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--together", type=int, default=2, help="how many seeds of a victim's cells one kill serves")
    parser.add_argument("--from-wave", type=int, default=0, help="of these waves of cells, from this one on")
    parser.add_argument("--most", type=int, help="of these waves, at most so many")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    waves = [[cell] for cell in SHORT] if asked.short else in_waves(seeds, asked.together)
    sys.exit(1 if run(waves[asked.from_wave :][: asked.most]) else 0)


if __name__ == "__main__":
    main()
