"""Play the lives of many seeds at once on one stack, and kill the worker at a random moment of every step of each.

The seeds of a batch share the kills: each asks for its step at its own random time before the kill, so that one kill
meets every bill of the batch elsewhere on its way.
"""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bench.company import Bench, running_bench
from bench.report import wide_console

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

    def __init__(self, bench: Bench, connection_id: str, seed: int) -> None:
        self.bench = bench
        self.connection_id = connection_id
        self.seed = seed
        self.random = random.Random(seed)
        self.today = datetime.now(UTC).date().isoformat()
        self.bills: dict[str, Any] = {}
        self.broken: list[str] = []
        self.kills: list[str] = []

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
            "lines": [{"account": ACCOUNT, "amount": amount, "location": "100"}],
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
    """Have each life ask for its step at a moment of its own before the kill."""
    asked = sorted(
        ((life.random.uniform(0.0, LATEST_KILL_SECONDS), place) for place, life in enumerate(lives)), reverse=True
    )
    began = time.monotonic()
    times: dict[int, float] = {}
    for before, place in asked:
        left = began + LATEST_KILL_SECONDS - before - time.monotonic()
        time.sleep(max(left, 0.0))
        times[place] = time.monotonic()
        steps[place].ask()
    left = began + LATEST_KILL_SECONDS - time.monotonic()
    time.sleep(max(left, 0.0))
    bench.stack.kill("worker")
    for place, life in enumerate(lives):
        life.kills.append(f"{steps[place].event} + {time.monotonic() - times[place]:.2f} s")


def _settle(lives: Sequence[Life], steps: Sequence[Step]) -> None:
    """Wait until every bill is where its step ends; one that never is counts as broken."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting = list(range(len(lives)))
    while waiting:
        found = {place: lives[place].waits_for(steps[place]) for place in waiting}
        waiting = [place for place, missing in found.items() if missing]
        if waiting and time.monotonic() > deadline:
            for place in waiting:
                lives[place].broken += found[place]
            return
        if waiting:
            time.sleep(0.2)


def play(bench: Bench, lives: Sequence[Life], connection_id: str) -> None:
    """Play lives of the same number of steps side by side; `broken` says of each what did not hold."""
    for life in lives:
        life.load()
    bench.sync(connection_id)
    for steps in zip(*(life.steps() for life in lives), strict=True):
        _kill(bench, lives, steps)
        _settle(lives, steps)
        for life, step in zip(lives, steps, strict=True):
            if not life.broken:
                step.compare()


def run_seeds(make: Callable[[Bench, str, int], Life], seeds: Iterable[int], *, match_mode: str) -> int:
    """Run the seeds on one stack. Returns how many did not end with one of each."""
    console = wide_console()
    failed, numbers = 0, list(seeds)
    with running_bench(console.print) as bench:
        bench.sandbox.load({"accounts": [_account()], "locations": [{"location_id": "100", "name": "Main"}]})
        bench.sandbox.load({"bank_accounts": [{"bank_account_id": "BOA", "name": "Operations", "currency": "USD"}]})
        connection_id = bench.connect(read_lag_seconds=1, match_mode=match_mode, in_flight=4)
        for at in range(0, len(numbers), BATCH):
            lives, began = [make(bench, connection_id, number) for number in numbers[at : at + BATCH]], time.monotonic()
            try:
                play(bench, lives, connection_id)
            except RuntimeError as stuck:
                for life in lives:
                    life.broken.append(str(stuck))
            took = time.monotonic() - began
            for life in lives:
                said = "; ".join(life.broken) or "one of each"
                console.print(f"seed {life.seed}: killed at {', '.join(life.kills)}: {said}")
                failed += bool(life.broken)
            console.print(f"{len(lives)} seeds took {took:.1f} s")
    console.print(f"kills: {len(numbers) - failed} of {len(numbers)} with exactly one of each")
    return failed


def _account() -> dict[str, str]:
    return {
        "account_no": ACCOUNT, "title": "Rent", "account_type": "incomestatement", "normal_balance": "debit",
    }  # fmt: skip
