"""Credits, applications, payments over several bills and voids while the worker is killed by SIGKILL: one of each.

`python -m bench.kill_money --seeds 20` runs one stack. Every seed is played on Intacct and on NetSuite: three bills of
one vendor and a credit go out; the credit is applied to a bill in part; one payment pays all three bills, one of them
in part, with more of the credit in it; the payment is voided. Each step is met by a kill. Then the books are compared:
one credit, one application, one payment, which is void or gone once, and the dues that they leave. Ends with 1 where
they differ.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from bench import netsuite
from bench.company import Bench
from bench.kill_seeds import ACCOUNT, Life, Step, run_lives
from cli.client.sandbox_control import PretendErp, SandboxControl

AMOUNTS = {"first": "100.00", "second": "200.00", "third": "300.00"}
CREDIT = Decimal(40)
APPLIED, IN_PAYMENT = Decimal(10), Decimal(20)
PAID = {"first": "100.00", "second": "180.00", "third": "50.00"}
"""What the payment pays in money; the credit pays the rest of the second bill."""
AT_ONCE = 10
"""How many seeds share their kills: each is two lives."""


class Books(NamedTuple):
    """What one ERP's books hold of a life, beside bills."""

    erp: str
    credits: str
    """What the sandbox calls its credits."""
    line_of: Mapping[str, str]
    """What else a line of a bill without an order names."""
    payments: Mapping[str, Sequence[tuple[str, int]]]
    """After each step, the payments with their states and amounts; a state that is none of a void is left out."""


INTACCT = Books(
    "intacct",
    "adjustments",
    {"location": "100"},
    {
        "pushed": [],
        "applied": [("", 0)],
        "paid": [("", 0), ("", 330)],
        "voided": [("", 0), ("Void", 330)],
    },
)
NETSUITE = Books("netsuite", "credits", {}, {"pushed": [], "applied": [], "paid": [("", 330)], "voided": []})


class Money(Life):
    """One seed's three bills with their credit and their payment, on one ERP."""

    def __init__(self, bench: Bench, connection_id: str, seed: int, books: Books) -> None:
        super().__init__(bench, connection_id, seed)
        self.random.seed(f"{seed} {books.erp}")
        self.line_of = books.line_of
        self._books = books
        self._erp = PretendErp(SandboxControl(bench.sandbox.url), books.erp)
        self._vendor, self._vendor_name = _vendor_of(seed), _name_of(seed)
        self._credit, self._payment = "", ""

    @property
    def name(self) -> str:
        """Return what the report calls it."""
        return f"seed {self.seed} on {self._books.erp}"

    def load(self) -> None:
        """Load nothing: the vendors of all seeds were there before the companies were connected."""

    def steps(self) -> Sequence[Step]:
        """Push, apply, pay, void."""
        synced = dict.fromkeys(AMOUNTS, "synced")
        applied = {**synced, "third": "partially_paid"}
        paid = {"first": "paid", "second": "paid", "third": "partially_paid"}
        after_payment = {"first": 0, "second": 0, "third": 240}
        return (
            Step("push", self._enter, synced, lambda: self._compare("pushed", used=0)),
            Step("apply", self._apply, applied, lambda: self._compare("applied", used=10, dues={"third": 290})),
            Step("pay", self._pay, paid, lambda: self._compare("paid", used=30, dues=after_payment)),
            Step("void", self._void, applied, lambda: self._compare("voided", used=10, dues={"third": 290})),
        )

    def _number(self, name: str) -> str:
        return f"KM{self.seed}-{name}"

    def _enter(self) -> None:
        for name, amount in AMOUNTS.items():
            self.enter_without_order(name, self._vendor_name, self._number(name), amount)
        credit = {
            "connection_id": self.connection_id,
            "vendor_id": self._vendor_name,
            "number": self._number("C"),
            "credit_date": self.today,
            "lines": [{"account": ACCOUNT, "amount": str(CREDIT), **self.line_of}],
        }
        self._credit = self.bench.api.post("/v1/credits", credit)["id"]

    def _apply(self) -> None:
        bills = [{"bill_id": self.bills["third"]["id"], "amount": str(APPLIED)}]
        self.bench.api.post(f"/v1/credits/{self._credit}/apply", {"bills": bills})

    def _pay(self) -> None:
        credits = [
            {"credit_id": self._credit, "bill_id": self.bills["second"]["id"], "amount": str(IN_PAYMENT)},
        ]
        body = {
            "bills": [{"bill_id": self.bills[name]["id"], "amount": amount} for name, amount in PAID.items()],
            "credits": credits,
            "pay_on": self.today,
            "bank_account": "BOA",
        }
        self._payment = self.bench.api.post("/v1/payments", body)["payment"]["id"]

    def _void(self) -> None:
        self.bench.api.post(f"/v1/payments/{self._payment}/void", {"reason": f"seed {self.seed}"})

    def waits_for(self, step: Step) -> list[str]:
        """Return what is not where the step ends: bills, and the credit, the application or the payment."""
        found = super().waits_for(step)
        credit = self.bench.api.get(f"/v1/credits/{self._credit}")
        where: dict[str, Any] = {"push": credit["status"]}
        if step.event == "apply":
            where["apply"] = [one["status"] for one in credit["applications"]]
        if self._payment:
            payment = self.bench.api.get(f"/v1/payments/{self._payment}")["status"]
            where |= {"pay": payment, "void": payment}
        wanted = {"push": "open", "apply": ["applied"], "pay": "paid", "void": "voided"}[step.event]
        if where[step.event] != wanted:
            found.append(f"waited for {wanted}: {where[step.event]}")
        if Decimal(credit["reserved"]):
            found.append(f"{credit['reserved']} of the credit is reserved still")
        return found

    # --- the books ----------------------------------------------------------------------------------------------

    def _mine(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in self._erp.records(kind) if row["vendor_id"] == self._vendor]

    def _compare(self, when: str, *, used: int, dues: Mapping[str, int] | None = None) -> None:
        """Compare the books after a step; `used` of the credit is applied."""
        credits = self._mine(self._books.credits)
        self.expect(when, [row["number"] for row in credits] == [self._number("C")], f"credits {credits}")
        payments = [
            (row["state"] if row["state"] == "Void" else "", int(Decimal(row["amount"])))
            for row in self._mine("payments")
        ]
        self.expect(when, sorted(payments) == sorted(self._books.payments[when]), f"payments {sorted(payments)}")
        wanted = {name: Decimal(amount) for name, amount in AMOUNTS.items()} | {
            name: Decimal(due) for name, due in (dues or {}).items()
        }
        bills = self._mine("bills")
        numbers = sorted(row["number"] for row in bills)
        self.expect(when, numbers == sorted(map(self._number, AMOUNTS)), f"bills {numbers}")
        there = {row["number"]: Decimal(row["due"]) for row in bills}
        due = {name: there.get(self._number(name)) for name in AMOUNTS}
        self.expect(when, due == wanted, f"dues in the books {due}")
        here = {name: Decimal(bill["due"]) for name, bill in self.bills.items()}
        self.expect(when, here == wanted, f"dues here {here}")
        credit = self.bench.api.get(f"/v1/credits/{self._credit}")
        self.expect(when, Decimal(credit["open"]) == CREDIT - used, f"{credit['open']} of the credit is open")


class BothErps:
    """Makes the lives of a seed: one on Intacct, one on NetSuite, which is connected before the first."""

    def __init__(self, vendors: Sequence[Mapping[str, str]]) -> None:
        self._vendors = vendors
        self._netsuite = ""

    def __call__(self, bench: Bench, connection_id: str, seed: int) -> Sequence[Life]:
        """Return the lives of the seed."""
        if not self._netsuite:
            self._netsuite = _connect_netsuite(bench, self._vendors)
        return [Money(bench, connection_id, seed, INTACCT), Money(bench, self._netsuite, seed, NETSUITE)]


def _vendor_of(seed: int) -> str:
    return f"V-KM{seed}"


def _name_of(seed: int) -> str:
    return f"Vendor KM {seed}"


def _connect_netsuite(bench: Bench, vendors: Sequence[Mapping[str, str]]) -> str:
    erp = PretendErp(SandboxControl(bench.sandbox.url), NETSUITE.erp)
    account = {"account_no": ACCOUNT, "title": "Rent", "account_type": "_expense"}
    erp.control.post(f"/companies/{erp.erp}/load?create_missing=true", {"accounts": [account], "vendors": vendors})
    return netsuite.connect(bench, erp, read_lag_seconds=1, max_in_flight=4)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kill_money", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    vendors = [{"vendor_id": _vendor_of(seed), "name": _name_of(seed)} for seed in seeds]
    failed = run_lives(BothErps(vendors), seeds, match_mode="two_way", batch=AT_ONCE, vendors=vendors)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
