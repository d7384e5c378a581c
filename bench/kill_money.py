"""Credits, applications, payments over several bills and voids while the worker is killed by SIGKILL: one of each.

`python -m bench.kill_money --seeds 20` runs one stack. Per seed three bills of one vendor and a credit go out; the
credit is applied to a bill in part; one payment pays all three bills, one of them in part, with more of the credit in
it; the payment is voided. Each step is met by a kill. Then the books are compared: one debit memo, one application, one
payment, which is void once, and the dues that they leave. Ends with 1 where they differ.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bench.company import Bench
from bench.kill_seeds import ACCOUNT, Life, Step, run_seeds

AMOUNTS = {"first": "100.00", "second": "200.00", "third": "300.00"}
CREDIT = Decimal(40)
APPLIED, IN_PAYMENT = Decimal(10), Decimal(20)
PAID = {"first": "100.00", "second": "180.00", "third": "50.00"}
"""What the payment pays in money; the credit pays the rest of the second bill."""


class Money(Life):
    """One seed's three bills with their credit and their payment."""

    def __init__(self, bench: Bench, connection_id: str, seed: int) -> None:
        super().__init__(bench, connection_id, seed)
        self._vendor = f"V-KM{seed}"
        self._credit, self._payment = "", ""

    def load(self) -> None:
        """Load the vendor."""
        self.bench.sandbox.load({"vendors": [{"vendor_id": self._vendor, "name": f"Vendor {self.seed}"}]})

    def steps(self) -> Sequence[Step]:
        """Push, apply, pay, void."""
        synced = dict.fromkeys(AMOUNTS, "synced")
        applied = {**synced, "third": "partially_paid"}
        paid = {"first": "paid", "second": "paid", "third": "partially_paid"}
        after_payment = {"first": 0, "second": 0, "third": 240}
        return (
            Step("push", self._enter, synced, lambda: self._compare("pushed", entries=[], free=40)),
            Step(
                "apply",
                self._apply,
                applied,
                lambda: self._compare("applied", entries=[("Complete", 0)], free=30, dues={"third": 290}),
            ),
            Step(
                "pay",
                self._pay,
                paid,
                lambda: self._compare(
                    "paid", entries=[("Complete", 0), ("Complete", 330)], free=10, dues=after_payment
                ),
            ),
            Step(
                "void",
                self._void,
                applied,
                lambda: self._compare("voided", entries=[("Complete", 0), ("Void", 330)], free=30, dues={"third": 290}),
            ),
        )

    def _enter(self) -> None:
        for name, amount in AMOUNTS.items():
            self.enter_without_order(name, self._vendor, f"KM{self.seed}-{name}", amount)
        credit = {
            "connection_id": self.connection_id,
            "vendor_id": self._vendor,
            "number": f"KMC-{self.seed}",
            "credit_date": self.today,
            "lines": [{"account": ACCOUNT, "amount": str(CREDIT), "location": "100"}],
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

    def _compare(
        self, when: str, *, entries: list[tuple[str, int]], free: int, dues: Mapping[str, int] | None = None
    ) -> None:
        sandbox = self.bench.sandbox
        memos = [row for row in sandbox.ns_record("adjustments") if row["vendor_id"] == self._vendor]
        self.expect(when, [row["number"] for row in memos] == [f"KMC-{self.seed}"], f"debit memos {memos}")
        payments = [row for row in sandbox.ns_record("payments") if row["vendor_id"] == self._vendor]
        shown = sorted((row["state"], int(Decimal(row["amount"]))) for row in payments)
        self.expect(when, shown == sorted(entries), f"payments {shown}")
        wanted = {name: Decimal(amount) for name, amount in AMOUNTS.items()} | {
            name: Decimal(due) for name, due in (dues or {}).items()
        }
        there = {row["number"]: Decimal(row["due"]) for row in sandbox.ns_record("bills")}
        due = {name: there[f"KM{self.seed}-{name}"] for name in AMOUNTS}
        self.expect(when, due == wanted, f"dues in the books {due}")
        here = {name: Decimal(bill["due"]) for name, bill in self.bills.items()}
        self.expect(when, here == wanted, f"dues here {here}")
        credit = self.bench.api.get(f"/v1/credits/{self._credit}")
        self.expect(when, Decimal(credit["open"]) == free, f"{credit['open']} of the credit is open")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kill_money", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    sys.exit(1 if run_seeds(Money, seeds, match_mode="two_way") else 0)


if __name__ == "__main__":
    main()
