"""Play the lives of many seeds at once on one stack, and kill the worker at a random moment of every step of each.

The seeds of a batch share the kills: each asks for its step at its own random time before the kill, so that one kill
meets every bill of the batch elsewhere on its way.
"""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bench.company import Bench, running_bench
from bench.report import wide_console
from cli.client.api_client import ApiProblem

PATIENCE_SECONDS = 240.0
LATEST_KILL_SECONDS = 0.8
ACCOUNT = "6600"
BATCH = 5
"""How many seeds share their kills."""


class Step(NamedTuple):
    """One step of a life: what is asked for, where each bill ends, and what the books hold then."""

    event: str
    ask: Callable[[], None]
    ends: Mapping[str, str]
    """By the bill's name within the life, its status once the step is done."""
    compare: Callable[[], None]


class Life(ABC):
    """The bills of one seed, from their entry to their end."""

    line_of: Mapping[str, str] = {"location": "100"}
    """What else a line of a bill without an order names."""

    def __init__(self, bench: Bench, connection_id: str, seed: int) -> None:
        self.bench = bench
        self.connection_id = connection_id
        self.seed = seed
        self.random = random.Random(seed)
        self.today = datetime.now(UTC).date().isoformat()
        self.bills: dict[str, Any] = {}
        self.broken: list[str] = []
        self.kills: list[str] = []

    @property
    def name(self) -> str:
        """Return what the report calls it."""
        return f"seed {self.seed}"

    @abstractmethod
    def load(self) -> None:
        """Put the seed's orders into the ERP; one sync brings those of the whole batch in."""

    @abstractmethod
    def steps(self) -> Sequence[Step]:
        """Return the steps, each of which is met by a kill."""

    def ask_for(self, name: str, event: str) -> None:
        """Delete, dispute, send back or restore one bill."""
        self.bench.api.post(f"/v1/bills/{self.bills[name]['id']}/{event}", {"reason": f"seed {self.seed}"})

    def enter_on_order(self, name: str, prefix: str, lines: list[dict[str, Any]]) -> None:
        """Enter a bill on the order whose number begins so."""
        order = self.order(prefix)
        bill = {
            "number": f"{prefix}-1",
            "bill_date": self.today,
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "lines": lines,
        }
        self.bills[name] = self.bench.api.post(f"/v1/purchase-orders/{order['id']}/bills", bill)["bill"]

    def enter_without_order(self, name: str, vendor: str, number: str, amount: str) -> None:
        """Enter a bill without an order."""
        body = {
            "connection_id": self.connection_id,
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "vendor_id": vendor,
            "number": number,
            "bill_date": self.today,
            "due_date": self.today,
            "lines": [{"account": ACCOUNT, "amount": amount, **self.line_of}],
        }
        self.bills[name] = self.bench.api.post("/v1/bills", body)["bill"]

    def order(self, prefix: str) -> Any:
        """Return the order as the mirror has it."""
        (one,) = self.bench.api.get("/v1/purchase-orders", connection=self.connection_id, q=f"{prefix}-")["items"]
        return self.bench.api.get(f"/v1/purchase-orders/{one['id']}")

    def expect(self, when: str, holds: bool, otherwise: str) -> None:
        """Note what did not hold."""
        if not holds:
            self.broken.append(f"{when}: {otherwise}")

    def waits_for(self, step: Step) -> list[str]:
        """Return the bills that are not where the step ends, in words."""
        found = []
        for name, status in step.ends.items():
            now = self.bench.api.get(f"/v1/bills/{self.bills[name]['id']}")
            self.bills[name] = now
            if now["status"] != status:
                found.append(f"waited for {status}: {now['number']} is {now['status']}")
        return found


def _kill(bench: Bench, lives: Sequence[Life], steps: Sequence[Step]) -> None:
    """Have each life ask for its step at a moment of its own before the kill, whatever the others are at."""
    began = time.monotonic()

    def ask(life: Life, step: Step) -> None:
        before = life.random.uniform(0.0, LATEST_KILL_SECONDS)
        time.sleep(max(began + LATEST_KILL_SECONDS - before - time.monotonic(), 0.0))
        asked = time.monotonic()
        step.ask()
        life.kills.append(f"{step.event} {killed_at - asked:+.2f} s")

    killed_at = began + LATEST_KILL_SECONDS
    with ThreadPoolExecutor(max_workers=len(lives)) as people:
        asking = [people.submit(ask, life, step) for life, step in zip(lives, steps, strict=True)]
        time.sleep(max(killed_at - time.monotonic(), 0.0))
        bench.stack.kill("worker")
        for one in asking:
            one.result()


def _settle(lives: Sequence[Life], steps: Sequence[Step]) -> None:
    """Wait until every bill is where its step ends; one that never is counts as broken."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting = list(range(len(lives)))
    while waiting:
        found = {place: lives[place].waits_for(steps[place]) for place in waiting}
        waiting = [place for place, missing in found.items() if missing]
        if waiting and time.monotonic() > deadline:
            for place in waiting:
                lives[place].broken += [*found[place], *_issues(lives[place])]
            return
        if waiting:
            time.sleep(0.2)


def _issues(life: Life) -> list[str]:
    """Return why something of the life's connection waits for a person."""
    shown = life.bench.api.get("/v1/sync-issues", connection=life.connection_id, state="open")["items"]
    return [f"{issue['code']}: {issue['cause']}" for issue in shown[:3]]


def play(bench: Bench, lives: Sequence[Life]) -> None:
    """Play lives of the same number of steps side by side; `broken` says of each what did not hold, and ends it."""
    for life in lives:
        life.load()
    for connection_id in sorted({life.connection_id for life in lives}):
        bench.sync(connection_id)
    for steps in zip(*(life.steps() for life in lives), strict=True):
        whole = [(life, step) for life, step in zip(lives, steps, strict=True) if not life.broken]
        if not whole:
            return
        left, now = [life for life, _ in whole], [step for _, step in whole]
        _kill(bench, left, now)
        _settle(left, now)
        for life, step in whole:
            if not life.broken:
                step.compare()


def run_seeds(make: Callable[[Bench, str, int], Life], seeds: Iterable[int], *, match_mode: str) -> int:
    """Run one life per seed on one stack. Returns how many did not end with one of each."""
    return run_lives(lambda *given: [make(*given)], seeds, match_mode=match_mode)


def run_lives(
    make: Callable[[Bench, str, int], Sequence[Life]],
    seeds: Iterable[int],
    *,
    match_mode: str,
    batch: int = BATCH,
    vendors: Sequence[Mapping[str, str]] = (),
) -> int:
    """Run the lives of the seeds on one stack, those of `batch` seeds side by side; `vendors` are there before Intacct
    is connected. Returns how many did not end with one of each."""
    console = wide_console()
    failed, played, numbers, began_all = 0, 0, list(seeds), time.monotonic()
    with running_bench(console.print) as bench:
        bench.sandbox.load({"accounts": [_account()], "locations": [{"location_id": "100", "name": "Main"}]})
        if vendors:
            bench.sandbox.load({"vendors": list(vendors)})
        bench.sandbox.load({"bank_accounts": [{"bank_account_id": "BOA", "name": "Operations", "currency": "USD"}]})
        connection_id = bench.connect(read_lag_seconds=1, match_mode=match_mode, in_flight=4)
        for at in range(0, len(numbers), batch):
            began = time.monotonic()
            lives = [life for number in numbers[at : at + batch] for life in make(bench, connection_id, number)]
            played += len(lives)
            try:
                play(bench, lives)
            except (RuntimeError, ApiProblem) as stuck:
                for life in lives:
                    life.broken.append(str(stuck))
            took = time.monotonic() - began
            for life in lives:
                said = "; ".join(life.broken) or "one of each"
                console.print(f"{life.name}: killed at {', '.join(life.kills)}: {said}")
                failed += bool(life.broken)
            console.print(f"{len(lives)} lives took {took:.1f} s")
    took = time.monotonic() - began_all
    console.print(f"kills: {played - failed} of {played} with exactly one of each, in {took:.0f} s")
    return failed


def _account() -> dict[str, str]:
    return {
        "account_no": ACCOUNT, "title": "Rent", "account_type": "incomestatement", "normal_balance": "debit",
    }  # fmt: skip
