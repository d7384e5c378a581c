"""Do what the demo does through the API: ask, write, wait, and record what happened."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from cli.client.api_client import Api, ApiProblem, ApiUnreachable
from cli.client.drafts import drafted_lines
from cli.client.sandbox_control import PretendErp
from cli.client.sync_runs import in_words, wait_for_run
from cli.demo.record import DemoRecord

PATIENCE_SECONDS = 180.0
"""How long to wait for anything, in seconds; it takes longer if a worker is killed meanwhile."""

IN_THE_ERP = ("synced", "scheduled", "partially_paid", "paid")
"""Statuses of a bill that the ERP holds and that was read back."""


class ScenarioStuck(Exception):
    """Something that was waited for did not happen. The message says what, and the state it is in instead."""


class OrdersToBill(Protocol):
    """Names the orders of a pretend ERP that the demo bills; `DemoErp` has much more."""

    erp: str
    main_order: str
    unbilled_status: str


class DemoSession:
    """One organization at work with one pretend ERP. `say` gets every line of the scenario."""

    def __init__(
        self,
        api: Api,
        erp: PretendErp,
        company: OrdersToBill,
        *,
        say: Callable[[Any], None],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.record = DemoRecord()
        self.api = api
        self.erp = erp
        self.company = company
        self.say = say
        self._patience_seconds = patience_seconds

    # --- doing ----------------------------------------------------------------------------------------------

    def sync_once(self) -> None:
        """Run one sync to its end.

        Raises:
            ScenarioStuck: the sync did not complete.
        """
        started = self.post(f"/v1/connections/{self.record.connection_id}/sync", {})
        run = wait_for_run(self.api, started, lambda _: None, seconds=self._patience_seconds)
        if run["state"] != "completed":
            raise ScenarioStuck(f"the sync ended {run['state']}: {run['problem']}")
        self.say(f"Synced: {in_words(run['counts'])}.")

    def draft(self, number: str) -> list[dict[str, Any]]:
        """Return all lines that are left of an order to bill."""
        return drafted_lines(self.api, self.record.order_ids[number])

    def bill(self, number: str, count: int, lines: list[dict[str, Any]], **more: Any) -> Any:
        """Enter the order's `count`th bill, and return the saved bill with its `match`."""
        body = {
            "number": f"INV-{number.removeprefix('PO-')}-{count}",
            "bill_date": datetime.now(UTC).date().isoformat(),
            "lines": lines,
            **more,
        }
        path = f"/v1/purchase-orders/{self.record.order_ids[number]}/bills"
        answer = self.post(path, body, key=f"demo-{self.company.erp}-{body['number']}")
        self.record.bill_ids.append(answer["bill"]["id"])
        return {**answer["bill"], "match": answer["match"]}

    def acknowledge(self, bill: Any) -> str:
        """Acknowledge a saved bill's warnings, so that it goes on, and return their codes.

        Raises:
            ScenarioStuck: the bill does not wait for an acknowledgement.
        """
        if bill["status"] != "awaiting_acknowledgement":
            raise ScenarioStuck(
                f"{bill['number']} should wait until its warnings are acknowledged; it is {bill['status']}"
            )
        results = [finding for finding in bill["match"]["findings"] if finding["severity"] == "WARN"]
        path = f"/v1/bills/{bill['id']}/acknowledgements"
        self.post(path, {"findings": [one["id"] for one in results]}, key=f"demo-ack-{bill['id']}")
        return ", ".join(sorted({one["code"] for one in results}))

    def pay(self, bill_id: str, share: Decimal) -> str:
        """Schedule a payment of a share of the bill for today, and return its id."""
        bill = self.api.get(f"/v1/bills/{bill_id}")
        amount = (Decimal(bill["due"]) * share).quantize(Decimal("0.01"))
        body = {"amount": str(amount), "pay_on": datetime.now(UTC).date().isoformat()}
        key = f"demo-{self.company.erp}-pay-{bill['number']}"
        payment_id = str(self.post(f"/v1/bills/{bill_id}/payments", body, key=key)["payment"]["id"])
        self.record.payment_ids.append(payment_id)
        self.say(f"Bill {bill['number']}: {amount} of {bill['total']} to be paid today.")
        return payment_id

    def break_(self, kind: str, **rule: Any) -> None:
        """Add one fault to the pretend ERP."""
        self.erp.break_(kind, **rule)

    def mend(self) -> None:
        """Remove the faults, and record how often they happened."""
        for rule in self.erp.control.get("/faults")["rules"]:
            self.record.faults[rule["kind"]] = self.record.faults.get(rule["kind"], 0) + rule["fired"]
        self.erp.control.mend()

    # --- asking and waiting ---------------------------------------------------------------------------------

    def connection(self) -> Any:
        """Return the connection, as the API shows it."""
        return self.api.get(f"/v1/connections/{self.record.connection_id}")

    def orders(self, **filters: str) -> Iterator[Any]:
        """Return this connection's orders in the mirror."""
        return self.api.pages("/v1/purchase-orders", limit=200, connection=self.record.connection_id, **filters)

    def order(self, number: str) -> Any:
        """Return an order by its number, as the API shows it."""
        return self.api.get(f"/v1/purchase-orders/{self.record.order_ids[number]}", live="false")

    def open_orders(self, count: int) -> list[str]:
        """Return the numbers of orders that can be billed whole and of which nothing is billed, the lowest number
        first.

        Raises:
            ScenarioStuck: the mirror has too few of them.
        """
        results = []
        for listed in self.orders(status=self.company.unbilled_status, matching_status="active"):
            if listed["number"] == self.company.main_order:
                continue
            lines = self.api.get(f"/v1/purchase-orders/{listed['id']}", live="false")["lines"]
            untouched = all(not Decimal(line["billed"]) and not Decimal(line["pending"]) for line in lines)
            if untouched and len(drafted_lines(self.api, listed["id"])) == len(lines):
                results.append(listed["number"])
        if len(results) < count:
            raise ScenarioStuck(f"{count} unbilled orders are needed, the mirror has {len(results)}")
        return sorted(results)[:count]

    def until_in_the_erp(self, bill_ids: list[str]) -> None:
        def arrived() -> bool:
            return all(self.api.get(f"/v1/bills/{bill_id}")["status"] in IN_THE_ERP for bill_id in bill_ids)

        self.until(f"{len(bill_ids)} bill{'s' if len(bill_ids) > 1 else ''} in the ERP", arrived)

    def until_status(self, number: str, status: str) -> None:
        """Wait until the order has this status.

        Raises:
            ScenarioStuck: it does not in time.
        """
        self.until(f"{number} is {status}", lambda: self.order(number)["status"] == status)

    def until(self, what: str, happened: Callable[[], bool]) -> None:
        """Wait until something has happened; `what` says it in words.

        Raises:
            ScenarioStuck: it does not in time.
        """
        deadline = time.monotonic() + self._patience_seconds
        while not happened():
            if time.monotonic() > deadline:
                raise ScenarioStuck(
                    f"waited {self._patience_seconds:.0f} seconds, but not yet true: {what}.{self._open_issues()}"
                )
            time.sleep(0.1)

    def _open_issues(self) -> str:
        issues = self.api.pages("/v1/sync-issues", state="open")
        return "".join(f"\nOpen issue {issue['code']}: {issue['cause']}" for issue in issues)

    def post(self, path: str, body: dict[str, Any], *, key: str | None = None) -> Any:
        """Send a write as every caller should: without an answer, send the same again with the same key."""
        key = key or f"demo-{time.time_ns()}"
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
        """Make an attempt that must be refused, and show how the refusal explains itself.

        Raises:
            ScenarioStuck: it was not refused.
        """
        try:
            attempt()
        except ApiProblem as problem:
            self.record.refusals[what] = problem.code
            self.say(problem)
        else:
            raise ScenarioStuck(f"{what}: it should have been refused")
