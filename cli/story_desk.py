"""The desk the demo's story is told from: ask and write through the API, wait, remember what happened."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cli.api_client import Api, ApiProblem, ApiUnreachable
from cli.bills import drafted_lines
from cli.companies.company import StoryCompany
from cli.connections import wait_for_run
from cli.sandbox_control import PretendErp

PATIENCE_SECONDS = 60.0
"""How long anything awaited may take; a worker that is killed meanwhile needs more."""

IN_THE_ERP = ("synced", "scheduled", "partially_paid", "paid")
"""Statuses of a bill that the ERP holds and that was read back."""


class StoryStuck(Exception):
    """Something awaited did not happen; the message says what, and how it stands instead."""


@dataclass
class Phase:
    name: str
    seconds: float = 0.0
    erp_calls: int = 0


@dataclass
class Told:
    """What happened, for the checks and the tables at the end."""

    connection_id: str = ""
    order_ids: dict[str, str] = field(default_factory=dict)
    """Of all orders in the mirror, by number."""
    bill_ids: list[str] = field(default_factory=list)
    payment_ids: list[str] = field(default_factory=list)
    held_before: dict[str, int] = field(default_factory=dict)
    """How many documents of each kind the ERP held before our first write."""
    refusals: dict[str, str] = field(default_factory=dict)
    """Codes of the refusals the story provoked, by what provoked them."""
    seen: dict[str, str] = field(default_factory=dict)
    """What an ERP's own chapters saw happen, by what it was, for its own checks."""
    acknowledged: str = ""
    """The warnings a bill waited with until somebody took note."""
    outage_seen: bool = False
    skipped: int = 0
    old_order: str = ""
    """Too old for the first import; it comes in once it is edited (S1-12)."""
    billed_in_erp: str = ""
    """The order somebody billed in the ERP itself."""
    lost_answer_bill: str = ""
    faults: dict[str, int] = field(default_factory=dict)
    """How often each kind of fault really struck."""
    phases: list[Phase] = field(default_factory=list)


class StoryDesk:
    """One organization at work with one pretend ERP. `say` hears every line of the story."""

    def __init__(
        self,
        api: Api,
        erp: PretendErp,
        company: StoryCompany,
        *,
        say: Callable[[Any], None],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.told = Told()
        self.api = api
        self.erp = erp
        self.company = company
        self.say = say
        self._patience_seconds = patience_seconds

    # --- doing ----------------------------------------------------------------------------------------------

    def sync_once(self) -> None:
        started = self.post(f"/v1/connections/{self.told.connection_id}/sync", {})
        run = wait_for_run(self.api, started, lambda _: None, seconds=self._patience_seconds)
        if run["state"] != "completed":
            raise StoryStuck(f"the sync ended {run['state']}: {run['problem']}")
        self.say("Synced: " + " · ".join(f"{name} {count}" for name, count in sorted(run["counts"].items()) if count))

    def draft(self, number: str) -> list[dict[str, Any]]:
        """Everything that is left of an order to bill."""
        return drafted_lines(self.api, self.told.order_ids[number])

    def bill(self, number: str, count: int, lines: list[dict[str, Any]], **more: Any) -> Any:
        """Enter the order's `count`th bill; the saved bill with its `match`."""
        body = {
            "number": f"INV-{number.removeprefix('PO-')}-{count}",
            "bill_date": datetime.now(UTC).date().isoformat(),
            "lines": lines,
            **more,
        }
        path = f"/v1/purchase-orders/{self.told.order_ids[number]}/bills"
        answer = self.post(path, body, key=f"story-{self.company.erp}-{body['number']}")
        self.told.bill_ids.append(answer["bill"]["id"])
        return {**answer["bill"], "match": answer["match"]}

    def acknowledge(self, bill: Any) -> str:
        """Take note of a saved bill's warnings, so that it goes on; their codes."""
        if bill["status"] != "awaiting_acknowledgement":
            raise StoryStuck(f"{bill['number']} should wait for a word on its warnings; it is {bill['status']}")
        found = [finding for finding in bill["match"]["findings"] if finding["severity"] == "WARN"]
        path = f"/v1/bills/{bill['id']}/acknowledgements"
        self.post(path, {"findings": [one["id"] for one in found]}, key=f"story-ack-{bill['id']}")
        return ", ".join(sorted({one["code"] for one in found}))

    def pay(self, bill_id: str, share: Decimal) -> str:
        bill = self.api.get(f"/v1/bills/{bill_id}")
        amount = (Decimal(bill["due"]) * share).quantize(Decimal("0.01"))
        body = {"amount": str(amount), "pay_on": datetime.now(UTC).date().isoformat()}
        key = f"story-{self.company.erp}-pay-{bill['number']}"
        payment_id = str(self.post(f"/v1/bills/{bill_id}/payments", body, key=key)["payment"]["id"])
        self.told.payment_ids.append(payment_id)
        self.say(f"Bill {bill['number']}: {amount} of {bill['total']} to be paid today.")
        return payment_id

    def break_(self, kind: str, **rule: Any) -> None:
        self.erp.break_(kind, **rule)

    def mend(self) -> None:
        """Take the faults away, and remember how often they struck."""
        for rule in self.erp.control.get("/faults")["rules"]:
            self.told.faults[rule["kind"]] = self.told.faults.get(rule["kind"], 0) + rule["fired"]
        self.erp.control.mend()

    # --- asking and waiting ---------------------------------------------------------------------------------

    def connection(self) -> Any:
        return self.api.get(f"/v1/connections/{self.told.connection_id}")

    def orders(self, **filters: str) -> Iterator[Any]:
        """This connection's orders in the mirror."""
        return self.api.pages("/v1/purchase-orders", limit=200, connection=self.told.connection_id, **filters)

    def order(self, number: str) -> Any:
        return self.api.get(f"/v1/purchase-orders/{self.told.order_ids[number]}", live="false")

    def open_orders(self, count: int) -> list[str]:
        """Numbers of orders nobody has billed yet and that can be billed whole, lowest number first."""
        found = []
        for listed in self.orders(status=self.company.unbilled_status, matching_status="active"):
            if listed["number"] == self.company.main_order:
                continue
            lines = self.api.get(f"/v1/purchase-orders/{listed['id']}", live="false")["lines"]
            untouched = all(not Decimal(line["billed"]) and not Decimal(line["pending"]) for line in lines)
            if untouched and len(drafted_lines(self.api, listed["id"])) == len(lines):
                found.append(listed["number"])
        if len(found) < count:
            raise StoryStuck(f"{count} unbilled orders are needed, the mirror has {len(found)}")
        return sorted(found)[:count]

    def until_in_the_erp(self, bill_ids: list[str]) -> None:
        def arrived() -> bool:
            return all(self.api.get(f"/v1/bills/{bill_id}")["status"] in IN_THE_ERP for bill_id in bill_ids)

        self.until(f"{len(bill_ids)} bill{'s' if len(bill_ids) > 1 else ''} in the ERP", arrived)

    def until_status(self, number: str, status: str) -> None:
        self.until(f"{number} is {status}", lambda: self.order(number)["status"] == status)

    def until(self, what: str, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._patience_seconds
        while not happened():
            if time.monotonic() > deadline:
                raise StoryStuck(
                    f"waited {self._patience_seconds:.0f} seconds in vain until {what}.{self._open_issues()}"
                )
            time.sleep(0.1)

    def _open_issues(self) -> str:
        issues = self.api.pages("/v1/sync-issues", state="open")
        return "".join(f"\nOpen issue {issue['code']}: {issue['cause']}" for issue in issues)

    def post(self, path: str, body: dict[str, Any], *, key: str | None = None) -> Any:
        """Write as any caller should: when there is no answer, the same again with the same key."""
        key = key or f"story-{time.time_ns()}"
        deadline = time.monotonic() + self._patience_seconds
        while True:
            try:
                return self.api.post(path, body, key=key)
            except (ApiProblem, ApiUnreachable) as failure:
                refused = isinstance(failure, ApiProblem) and failure.status < 500
                if refused or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def refused(self, what: str, attempt: Callable[[], Any]) -> None:
        """Something that must be refused: show how the refusal explains itself."""
        try:
            attempt()
        except ApiProblem as problem:
            self.told.refusals[what] = problem.code
            self.say(problem)
        else:
            raise StoryStuck(f"{what}: it should have been refused")
