"""List entries are made, changed and suspended while the worker is killed by SIGKILL: exactly one of each.

`python -m bench.kill_lists --seeds 20` runs one stack. Every seed is played on Intacct and on NetSuite: a vendor, an
item, a department, a location and a class are made, one of them with a lost answer as well; then each is renamed; then
each is suspended. Each step is met by a kill. Then the books are compared: one entry of each name, as it was asked for
last. Ends with 1 where they differ.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bench import netsuite
from bench.company import Bench
from bench.kill_seeds import Life, Step, run_lives
from cli.client.sandbox_control import PretendErp, SandboxControl

HELD = {
    "vendor": "vendors", "item": "items", "department": "departments", "location": "locations", "class": "classes",
}  # fmt: skip
"""What the sandboxes call the records of each list."""
AT_ONCE = 10
"""How many seeds share their kills: each is two lives."""


class Books(NamedTuple):
    """How one ERP's books show list entries."""

    erp: str
    add: str
    """What the sandbox calls the operation that makes a record."""
    objects: Mapping[str, str]
    """What it calls the records of each list there."""
    names: Sequence[str]
    """Where a record's name may be."""

    def is_active(self, record: Mapping[str, Any]) -> bool:
        """Return whether the record is in use."""
        return record["status"] == "active" if "status" in record else not record["isInactive"]


INTACCT = Books(
    "intacct",
    "create",
    {"vendor": "VENDOR", "item": "ITEM", "department": "DEPARTMENT", "location": "LOCATION", "class": "CLASS"},
    ("name", "title"),
)
NETSUITE = Books(
    "netsuite",
    "add",
    {
        "vendor": "vendor", "item": "nonInventoryPurchaseItem", "department": "department", "location": "location",
        "class": "classification",
    },
    ("companyName", "itemId", "name"),
)  # fmt: skip


class Entries(Life):
    """One seed's five entries on one ERP, from the first of them to their end."""

    def __init__(self, bench: Bench, connection_id: str, seed: int, books: Books) -> None:
        super().__init__(bench, connection_id, seed)
        self.random.seed(f"{seed} {books.erp}")
        self._books = books
        self._erp = PretendErp(SandboxControl(bench.sandbox.url), books.erp)
        self._lists = f"/v1/connections/{connection_id}/lists"
        self._changes: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """Return what the report calls it."""
        return f"seed {self.seed} on {self._books.erp}"

    def load(self) -> None:
        """Have the answer to one of the five be lost."""
        kind = list(HELD)[self.seed % len(HELD)]
        self._erp.break_("lost_answer", operation=self._books.add, object=self._books.objects[kind], times=1)

    def steps(self) -> Sequence[Step]:
        """Make, rename, suspend."""
        done = dict.fromkeys(HELD, "done")
        return (
            Step("make", self._make, done, lambda: self._compare("made", "First")),
            Step("rename", lambda: self._change(name="Second"), done, lambda: self._compare("renamed", "Second")),
            Step("suspend", lambda: self._change(active=False), done, lambda: self._compare("suspended", "Second", 0)),
        )

    def _called(self, kind: str, name: str) -> str:
        return f"{name} {kind} of {self.seed}"

    def _make(self) -> None:
        for kind in HELD:
            body: dict[str, Any] = {"name": self._called(kind, "First"), "attributes": {}}
            if self._books is INTACCT:
                body["key"] = f"KL{self.seed}-{kind}"
            if kind == "item":
                item_type = "Non-Inventory" if self._books is INTACCT else "NonInventoryPurchaseItem"
                body["attributes"] = {"item_type": item_type, **self._account()}
            self._changes[kind] = self.bench.api.post(f"{self._lists}/{kind}", body)["change"]

    def _account(self) -> dict[str, str]:
        if self._books is INTACCT:
            return {}
        account, *_ = self.bench.api.get(f"{self._lists}/gl_account")["items"]
        return {"account": account["key"]}

    def _change(self, **changed: Any) -> None:
        for kind, made in list(self._changes.items()):
            asked = {"name": self._called(kind, changed["name"])} if "name" in changed else changed
            accepted = self.bench.api.post(f"{self._lists}/{kind}/{made['erp_id']}/changes", asked)
            self._changes[kind] = accepted["change"]

    def waits_for(self, step: Step) -> list[str]:
        """Return the changes that are not where the step ends, in words."""
        found = []
        for kind, status in step.ends.items():
            now = self.bench.api.get(f"/v1/list-changes/{self._changes[kind]['id']}")
            self._changes[kind] = now
            if now["status"] != status:
                found.append(f"waited for {status}: {kind} is {now['status']} {now['problem']}")
        return found

    def _compare(self, when: str, name: str, active: bool | int = True) -> None:
        for kind, held in HELD.items():
            of_seed = [self._called(kind, each) for each in ("First", "Second")]
            records = [
                record
                for record in self._erp.records(held)
                if any(record.get(where) in of_seed for where in self._books.names)
            ]
            self.expect(when, len(records) == 1, f"{len(records)} of {kind}")
            for record in records:
                names = [record.get(where) for where in self._books.names]
                self.expect(when, self._called(kind, name) in names, f"{kind} is {names}")
                self.expect(when, self._books.is_active(record) == bool(active), f"{kind} active: {record}")


class BothErps:
    """Makes the lives of a seed: one on each ERP. NetSuite is connected with the first."""

    def __init__(self) -> None:
        self._netsuite: str | None = None

    def __call__(self, bench: Bench, connection_id: str, seed: int) -> Sequence[Life]:
        if self._netsuite is None:
            pretend = PretendErp(SandboxControl(bench.sandbox.url), NETSUITE.erp)
            account = {"account_no": "6600", "title": "Parts", "account_type": "Expense"}
            pretend.control.post(f"/companies/{pretend.erp}/load?create_missing=true", {"accounts": [account]})
            self._netsuite = netsuite.connect(bench, pretend, read_lag_seconds=1, max_in_flight=4)
        return [Entries(bench, connection_id, seed, INTACCT), Entries(bench, self._netsuite, seed, NETSUITE)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kill_lists", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    sys.exit(1 if run_lives(BothErps(), seeds, match_mode="two_way", batch=AT_ONCE) else 0)


if __name__ == "__main__":
    main()
