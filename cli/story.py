"""One company's day, told through the API alone: connect, sync, bill, lose the ERP, recover, pay.

Nothing here repairs anything: the story creates work and waits. What the ERP holds at the end is judged by
`story_checks.py`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from cli.api_client import Api, ApiProblem, ApiUnreachable
from cli.bills import drafted_lines
from cli.connections import SANDBOX_PATH, wait_for_run
from cli.sandbox_control import SandboxControl

CREDENTIALS = {
    "sender_id": "posync",
    "sender_password": "sandbox-sender",
    "company": "ACME",
    "user": "xml_gateway",
    "password": "sandbox-user",
}
PREFERENCES = {
    "po_template": "Purchase Order",
    "vendor_invoice_template": "Vendor Invoice",
    "receiver_template": "PO Receiver",
    "bank_account": "BOA",
}
ENTITY = "100"
MAIN_ORDER = "PO-1007"
OUTAGE_SECONDS = 8.0
BILLS_DURING_OUTAGE = 4
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


class Story:
    """Tells itself line by line through `say`; `begins` hears the name of every phase as it begins."""

    def __init__(
        self,
        api: Api,
        sandbox: SandboxControl,
        *,
        say: Callable[[Any], None],
        begins: Callable[[str], None],
        patience_seconds: float = PATIENCE_SECONDS,
        erp_latency_seconds: float = 0.0,
    ) -> None:
        self.told = Told()
        self._api = api
        self._sandbox = sandbox
        self._say = say
        self._begins = begins
        self._patience_seconds = patience_seconds
        self._erp_latency_seconds = erp_latency_seconds

    def tell(self) -> Told:
        """The whole story. Raises StoryStuck, or ApiProblem for a refusal that was not meant to be."""
        with self._phase("connect"):
            self._load_company()
            self._connect()
        with self._phase("preferences"):
            self._set_preferences()
        with self._phase("sync"):
            self._sync()
        with self._phase("bill"):
            self._bill_partly_then_fully()
        with self._phase("outage"):
            self._outage()
        with self._phase("lost answer"):
            self._lose_an_answer()
        with self._phase("pay"):
            self._pay()
        with self._phase("people in the ERP"):
            self._people_work_in_the_erp()
        return self.told

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        phase = Phase(name)
        self.told.phases.append(phase)
        started, calls = time.monotonic(), sum(self._sandbox.calls().values())
        self._begins(name)
        yield
        phase.seconds = time.monotonic() - started
        phase.erp_calls = sum(self._sandbox.calls().values()) - calls

    # --- setting up -----------------------------------------------------------------------------------------

    def _load_company(self) -> None:
        self._sandbox.post("/companies/intacct/sample")
        self._sandbox.post("/companies/intacct/switches", {"latency_seconds": self._erp_latency_seconds})
        kinds = ("vendor_invoices", "bills", "payments")
        self.told.held_before = {kind: len(self._sandbox.held(kind)) for kind in kinds}
        self._say(f"A pretend Intacct company with {len(self._sandbox.held('purchase_orders'))} purchase orders.")

    def _connect(self) -> None:
        self._refused("wrong password", lambda: self._create_connection({**CREDENTIALS, "password": "guessed"}))
        connection = self._create_connection(CREDENTIALS)
        self.told.connection_id = connection["id"]
        self._say(f"Connected: {connection['id']} as {connection['user_name']}, entity {connection['entity']}.")
        self._until("the lists are in", lambda: self._connection()["last_synced_at"] is not None)
        vendors = len(list(self._api.pages(f"/v1/connections/{connection['id']}/lists/vendor", limit=200)))
        orders = len(list(self._api.pages("/v1/purchase-orders")))
        self._say(f"The first sync brought {vendors} vendors and other lists; purchase orders so far: {orders}.")

    def _create_connection(self, credentials: dict[str, str]) -> Any:
        body = {
            "erp": "intacct",
            "name": "Acme, entity 100",
            "credentials": credentials,
            "entity": ENTITY,
            "endpoint": self._sandbox.url + SANDBOX_PATH,
            # The sandbox's reads do not lag its writes, so a write that is not found was not made.
            "settings": {"allow_loopback": True, "read_lag_seconds": 0, "timeout_seconds": 10},
        }
        return self._post("/v1/connections", body, key=f"connect-{credentials['password']}")

    def _set_preferences(self) -> None:
        path = f"/v1/connections/{self.told.connection_id}/preferences"
        wrong = self._api.put(path, {"preferences": {**PREFERENCES, "po_template": "purchase order"}})
        for problem in wrong["problems"]:
            self.told.refusals["wrong template"] = problem["code"]
            self._say(f"Not accepted: {problem['preference']}: {problem['message']}")
        right = self._api.put(path, {"preferences": PREFERENCES})
        if not right["complete"]:
            raise StoryStuck(f"the preferences are not accepted: {right['problems']}")
        self._say("The preferences are complete: purchase orders may come in.")

    def _sync(self) -> None:
        self._sync_once()
        by_status: dict[str, int] = {}
        for order in self._api.pages("/v1/purchase-orders", limit=200):
            self.told.order_ids[order["number"]] = order["id"]
            by_status[order["status"]] = by_status.get(order["status"], 0) + 1
        self._say("In the mirror: " + " · ".join(f"{count} {name}" for name, count in sorted(by_status.items())))
        skipped = list(self._api.pages(f"/v1/connections/{self.told.connection_id}/skipped-records", limit=200))
        self.told.skipped = len(skipped)
        for code in sorted({record["code"] for record in skipped}):
            numbers = [record["number"] for record in skipped if record["code"] == code]
            self._say(f"Left out, {code}: {', '.join(numbers)}")
        self._explain_the_rest({record["number"] for record in skipped})

    def _explain_the_rest(self, skipped: set[str]) -> None:
        """What the ERP has and we do not, by the facts the ERP holds: the rules of the first import (S1-11, S1-14)."""
        in_mirror = [order for order in self._sandbox.held("purchase_orders") if order["number"] in self.told.order_ids]
        oldest = min(_day(order) for order in in_mirror)
        reasons: dict[str, list[str]] = {}
        for order in self._sandbox.held("purchase_orders"):
            number = order["number"]
            if number in self.told.order_ids or number in skipped:
                continue
            if order["entity"] != ENTITY:
                reason = f"of entity {order['entity']}"
            elif _day(order) < oldest and order["state"] == "Pending":
                reason = "older than three months"
                self.told.old_order = self.told.old_order or number
            else:
                reason = str(order["state"])
            reasons.setdefault(reason, []).append(number)
        for reason, numbers in sorted(reasons.items()):
            self._say(f"Not imported, {reason}: {', '.join(numbers)}")

    def _sync_once(self) -> None:
        started = self._post(f"/v1/connections/{self.told.connection_id}/sync", {})
        run = wait_for_run(self._api, started, lambda _: None, seconds=self._patience_seconds)
        if run["state"] != "completed":
            raise StoryStuck(f"the sync ended {run['state']}: {run['problem']}")
        self._say("Synced: " + " · ".join(f"{name} {count}" for name, count in sorted(run["counts"].items()) if count))

    # --- billing --------------------------------------------------------------------------------------------

    def _bill_partly_then_fully(self) -> None:
        order_id = self.told.order_ids[MAIN_ORDER]
        everything = drafted_lines(self._api, order_id)
        half = [{**line, "quantity": str(Decimal(line["quantity"]) / 2)} for line in everything]
        first = self._bill(MAIN_ORDER, 1, half)
        self._say(f"{MAIN_ORDER}: half of it billed, bill {first['number']}, {first['total']}.")
        self._refused("over the ceiling", lambda: self._bill(MAIN_ORDER, 9, everything))
        self._until_in_the_erp([first["id"]])
        self._until_status("partially_filled")
        self._say(f"{MAIN_ORDER} is partially filled, says the ERP itself.")
        second = self._bill(MAIN_ORDER, 2, drafted_lines(self._api, order_id))
        self._until_in_the_erp([second["id"]])
        self._until_status("filled")
        self._say(f"{MAIN_ORDER} is filled after bill {second['number']}.")

    def _until_status(self, status: str) -> None:
        self._until(f"{MAIN_ORDER} is {status}", lambda: self._order(MAIN_ORDER)["status"] == status)

    def _bill(self, number: str, count: int, lines: list[dict[str, Any]]) -> Any:
        body = {
            "number": f"INV-{number.removeprefix('PO-')}-{count}",
            "bill_date": datetime.now(UTC).date().isoformat(),
            "lines": lines,
        }
        path = f"/v1/purchase-orders/{self.told.order_ids[number]}/bills"
        bill = self._post(path, body, key=f"story-{body['number']}")["bill"]
        self.told.bill_ids.append(bill["id"])
        return bill

    def _open_orders(self, count: int) -> list[str]:
        """Numbers of orders nobody has billed yet, oldest number first."""
        found = []
        for order in self._api.pages("/v1/purchase-orders", status="unfilled", matching_status="active", limit=200):
            if drafted_lines(self._api, order["id"]) and order["number"] != MAIN_ORDER:
                found.append(order["number"])
        if len(found) < count:
            raise StoryStuck(f"{count} unbilled orders are needed, the mirror has {len(found)}")
        return sorted(found)[:count]

    def _outage(self) -> None:
        numbers = self._open_orders(BILLS_DURING_OUTAGE)
        self._sandbox.break_("unavailable")
        began = time.monotonic()
        self._say("The ERP is down: every call gets 503.")
        bills = []
        for number in numbers:
            lines = drafted_lines(self._api, self.told.order_ids[number])
            bills.append(self._bill(number, 1, lines))
        self._say(f"Meanwhile {len(bills)} bills are entered: {', '.join(bill['number'] for bill in bills)}.")

        def long_enough() -> bool:
            self.told.outage_seen = self.told.outage_seen or self._connection()["outage_since"] is not None
            return self.told.outage_seen and time.monotonic() - began >= OUTAGE_SECONDS

        self._until("the connection shows the outage", long_enough)
        states = {self._api.get(f"/v1/bills/{bill['id']}")["status"] for bill in bills}
        self._say(
            f"After {time.monotonic() - began:.0f} seconds they are {', '.join(sorted(states))}; the ERP is back."
        )
        self._mend()
        self._until_in_the_erp([bill["id"] for bill in bills])
        self._say("All of them reached the ERP, and nobody did anything.")

    def _lose_an_answer(self) -> None:
        number = self._open_orders(1)[0]
        self._sandbox.break_("lost_answer", operation="create_potransaction", times=1)
        bill = self._bill(number, 1, drafted_lines(self._api, self.told.order_ids[number]))
        self.told.lost_answer_bill = bill["id"]
        self._until_in_the_erp([bill["id"]])
        self._mend()
        self._say(f"{number}: the ERP saved bill {bill['number']}, its answer was lost, it was found again.")

    def _mend(self) -> None:
        for rule in self._sandbox.get("/faults")["rules"]:
            self.told.faults[rule["kind"]] = self.told.faults.get(rule["kind"], 0) + rule["fired"]
        self._sandbox.mend()

    # --- paying ---------------------------------------------------------------------------------------------

    def _pay(self) -> None:
        full, part, lost = self.told.bill_ids[0], self.told.bill_ids[1], self.told.lost_answer_bill
        self._pay_bill(full, Decimal(1))
        self._pay_bill(part, Decimal("0.4"))
        self._until("the first payments are confirmed", self._all_paid)
        self._sandbox.break_("lost_answer", operation="create", object="APPYMT", times=1)
        self._pay_bill(lost, Decimal(1))
        self._until("all payments are confirmed", self._all_paid)
        self._mend()
        self._until("the bills show what was paid", self._bills_show_payments)

    def _pay_bill(self, bill_id: str, share: Decimal) -> str:
        bill = self._api.get(f"/v1/bills/{bill_id}")
        amount = (Decimal(bill["due"]) * share).quantize(Decimal("0.01"))
        body = {"amount": str(amount), "pay_on": datetime.now(UTC).date().isoformat()}
        answer = self._post(f"/v1/bills/{bill_id}/payments", body, key=f"story-pay-{bill['number']}")
        payment_id = str(answer["payment"]["id"])
        self.told.payment_ids.append(payment_id)
        self._say(f"Bill {bill['number']}: {amount} of {bill['total']} to be paid today.")
        return payment_id

    def _all_paid(self) -> bool:
        return all(self._api.get(f"/v1/payments/{one}")["status"] == "paid" for one in self.told.payment_ids)

    def _bills_show_payments(self) -> bool:
        statuses = [
            self._api.get(f"/v1/bills/{self._api.get(f'/v1/payments/{one}')['bill_id']}")["status"]
            for one in self.told.payment_ids
        ]
        return all(status in ("paid", "partially_paid") for status in statuses)

    # --- what others do in the ERP ---------------------------------------------------------------------------

    def _people_work_in_the_erp(self) -> None:
        """They edit an old order and bill one of ours; one sync brings both in."""
        if not self.told.old_order:
            raise StoryStuck("the company has no order that is too old for the first import")
        self._act("edit_purchase_order", number=self.told.old_order, memo="Still needed, please bill")
        self.told.billed_in_erp = self._open_orders(1)[0]
        self._act("convert_to_vendor_invoice", number=self.told.billed_in_erp, invoice_number="BY-HAND-1")
        self._sync_once()
        for order in self._api.pages("/v1/purchase-orders", limit=200):
            self.told.order_ids[order["number"]] = order["id"]
        self._say(f"{self.told.old_order}, too old at first, was edited in the ERP and came in.")
        status = self._order(self.told.billed_in_erp)["status"]
        self._say(f"{self.told.billed_in_erp} was billed in the ERP itself: {status}.")

    def _act(self, action: str, **given: str) -> None:
        self._sandbox.post("/companies/intacct/actions", {"action": action, **given})

    # --- asking and waiting ---------------------------------------------------------------------------------

    def _connection(self) -> Any:
        return self._api.get(f"/v1/connections/{self.told.connection_id}")

    def _order(self, number: str) -> Any:
        return self._api.get(f"/v1/purchase-orders/{self.told.order_ids[number]}", live="false")

    def _until_in_the_erp(self, bill_ids: list[str]) -> None:
        def arrived() -> bool:
            return all(self._api.get(f"/v1/bills/{bill_id}")["status"] in IN_THE_ERP for bill_id in bill_ids)

        self._until(f"{len(bill_ids)} bill{'s' if len(bill_ids) > 1 else ''} in the ERP", arrived)

    def _until(self, what: str, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._patience_seconds
        while not happened():
            if time.monotonic() > deadline:
                raise StoryStuck(
                    f"waited {self._patience_seconds:.0f} seconds in vain until {what}.{self._open_issues()}"
                )
            time.sleep(0.1)

    def _open_issues(self) -> str:
        issues = list(self._api.pages("/v1/sync-issues", state="open"))
        return "".join(f"\nOpen issue {issue['code']}: {issue['cause']}" for issue in issues)

    def _post(self, path: str, body: dict[str, Any], *, key: str | None = None) -> Any:
        """Write as any caller should: when there is no answer, the same again with the same key."""
        key = key or f"story-{time.time_ns()}"
        deadline = time.monotonic() + self._patience_seconds
        while True:
            try:
                return self._api.post(path, body, key=key)
            except (ApiProblem, ApiUnreachable) as failure:
                refused = isinstance(failure, ApiProblem) and failure.status < 500
                if refused or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def _refused(self, what: str, attempt: Callable[[], Any]) -> None:
        """Something that must be refused: show how the refusal explains itself."""
        try:
            attempt()
        except ApiProblem as problem:
            self.told.refusals[what] = problem.code
            self._say(problem)
        else:
            raise StoryStuck(f"{what}: it should have been refused")


def _day(order: dict[str, Any]) -> date:
    """The order date as the pretend Intacct writes it."""
    return datetime.strptime(order["date"], "%m/%d/%Y").replace(tzinfo=UTC).date()
