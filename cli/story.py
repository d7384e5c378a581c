"""One company's day, told through the API alone: connect, sync, bill, lose the ERP, recover, pay.

Nothing here repairs anything: the story creates work and waits. What the ERP holds at the end is judged by
`story_checks.py`. It is the same story for every ERP; what is different there is in `cli/companies/`.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from cli.api_client import Api
from cli.companies.company import StoryCompany
from cli.sandbox_control import PretendErp
from cli.story_desk import PATIENCE_SECONDS, Phase, StoryDesk, StoryStuck, Told

OUTAGE_SECONDS = 8.0
BILLS_DURING_OUTAGE = 4


class Story:
    """Tells itself line by line through `say`; `begins` hears the name of every phase as it begins."""

    def __init__(
        self,
        api: Api,
        erp: PretendErp,
        company: StoryCompany,
        *,
        say: Callable[[Any], None],
        begins: Callable[[str], None],
        patience_seconds: float = PATIENCE_SECONDS,
        erp_latency_seconds: float = 0.0,
    ) -> None:
        self._desk = StoryDesk(api, erp, company, say=say, patience_seconds=patience_seconds)
        self._told = self._desk.told
        self._company = company
        self._begins = begins
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
        for chapter in self._company.chapters():
            with self._phase(chapter.name):
                chapter.tell(self._desk)
        with self._phase("outage"):
            self._outage()
        with self._phase("lost answer"):
            self._lose_an_answer()
        with self._phase("pay"):
            self._pay()
        with self._phase("people in the ERP"):
            self._people_work_in_the_erp()
        return self._told

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        phase = Phase(name)
        self._told.phases.append(phase)
        control = self._desk.erp.control
        started, calls = time.monotonic(), sum(control.calls().values())
        self._begins(name)
        yield
        phase.seconds = time.monotonic() - started
        phase.erp_calls = sum(control.calls().values()) - calls

    # --- setting up -----------------------------------------------------------------------------------------

    def _load_company(self) -> None:
        erp = self._desk.erp
        erp.load_sample()
        erp.switch(latency_seconds=self._erp_latency_seconds)
        self._told.held_before = {kind: len(erp.held(kind)) for kind in set(self._company.kinds)}
        orders = len(erp.held("purchase_orders"))
        self._desk.say(f"A pretend {self._company.title} company with {orders} purchase orders.")

    def _connect(self) -> None:
        desk, company = self._desk, self._company
        desk.refused("wrong password", lambda: self._create_connection("wrong", company.wrong_credentials))
        connection = self._create_connection("right", company.credentials)
        self._told.connection_id = connection["id"]
        desk.say(f"Connected: {connection['id']} as {connection['user_name']}, entity {connection['entity']}.")
        desk.until("the lists are in", lambda: desk.connection()["last_synced_at"] is not None)
        vendors = len(list(desk.api.pages(f"/v1/connections/{connection['id']}/lists/vendor", limit=200)))
        orders = len(list(desk.orders()))
        desk.say(f"The first sync brought {vendors} vendors and other lists; purchase orders so far: {orders}.")

    def _create_connection(self, attempt: str, credentials: Mapping[str, str]) -> Any:
        company = self._company
        body = {
            "erp": company.erp,
            "name": f"Acme, entity {company.entity}",
            "credentials": dict(credentials),
            "entity": company.entity,
            "endpoint": self._desk.erp.endpoint,
            # The sandbox's reads do not lag its writes, so a write that is not found was not made.
            "settings": {"allow_loopback": True, "read_lag_seconds": 0, "timeout_seconds": 10},
        }
        return self._desk.post("/v1/connections", body, key=f"connect-{company.erp}-{attempt}")

    def _set_preferences(self) -> None:
        desk, company = self._desk, self._company
        path = f"/v1/connections/{self._told.connection_id}"
        wrong = desk.api.put(f"{path}/preferences", {"preferences": dict(company.wrong_preferences)})
        for problem in wrong["problems"]:
            self._told.refusals["wrong preference"] = problem["code"]
            desk.say(f"Not accepted: {problem['preference']}: {problem['message']}")
        right = desk.api.put(f"{path}/preferences", {"preferences": dict(company.preferences)})
        if not right["complete"]:
            raise StoryStuck(f"the preferences are not accepted: {right['problems']}")
        desk.say("The preferences are complete: purchase orders may come in.")
        if right["connection"]["match_mode"] != company.match_mode:
            desk.api.put(f"{path}/purchase-orders", {"enabled": True, "match_mode": company.match_mode})
            desk.say(f"Bills are matched {company.match_mode.replace('_way', '-way')}.")

    def _sync(self) -> None:
        desk = self._desk
        desk.sync_once()
        by_status: dict[str, int] = {}
        for order in desk.orders():
            self._told.order_ids[order["number"]] = order["id"]
            by_status[order["status"]] = by_status.get(order["status"], 0) + 1
        desk.say("In the mirror: " + " · ".join(f"{count} {name}" for name, count in sorted(by_status.items())))
        skipped = list(desk.api.pages(f"/v1/connections/{self._told.connection_id}/skipped-records", limit=200))
        self._told.skipped = len(skipped)
        for code in sorted({record["code"] for record in skipped}):
            numbers = [record["number"] for record in skipped if record["code"] == code]
            desk.say(f"Left out, {code}: {', '.join(numbers)}")
        self._explain_the_rest({record["number"] for record in skipped})

    def _explain_the_rest(self, skipped: set[str]) -> None:
        """What the ERP has and we do not, by the facts the ERP holds: the rules of the first import (S1-11, S1-14)."""
        company, orders = self._company, self._desk.erp.held("purchase_orders")
        in_mirror = [order for order in orders if order["number"] in self._told.order_ids]
        oldest = min(company.ordered_on(order) for order in in_mirror)
        reasons: dict[str, list[str]] = {}
        for order in orders:
            number = order["number"]
            if number in self._told.order_ids or number in skipped:
                continue
            if order["entity"] != company.entity:
                reason = f"of entity {order['entity']}"
            elif company.ordered_on(order) < oldest and order["state"] == company.open_state:
                reason = "older than three months"
                self._told.old_order = self._told.old_order or number
            else:
                reason = str(order["state"])
            reasons.setdefault(reason, []).append(number)
        for reason, numbers in sorted(reasons.items()):
            self._desk.say(f"Not imported, {reason}: {', '.join(numbers)}")

    # --- billing --------------------------------------------------------------------------------------------

    def _bill_partly_then_fully(self) -> None:
        desk, number = self._desk, self._company.main_order
        self._company.before_billing(desk)
        everything = desk.draft(number)
        half = [{**line, "quantity": str(Decimal(line["quantity"]) / 2)} for line in everything]
        first = desk.bill(number, 1, half)
        desk.say(f"{number}: half of it billed, bill {first['number']}, {first['total']}.")
        desk.refused("over the ceiling", lambda: desk.bill(number, 9, everything))
        desk.until_in_the_erp([first["id"]])
        desk.until_status(number, "partially_filled")
        desk.say(f"{number} is partially filled, says the ERP itself.")
        second = desk.bill(number, 2, desk.draft(number))
        self._told.acknowledged = desk.acknowledge(second)
        desk.say(f"{second['number']} waited for a word on {self._told.acknowledged}: it looks like the first one.")
        desk.until_in_the_erp([second["id"]])
        desk.until_status(number, "filled")
        desk.say(f"{number} is filled after bill {second['number']}.")

    def _outage(self) -> None:
        desk = self._desk
        numbers = desk.open_orders(BILLS_DURING_OUTAGE)
        desk.break_("unavailable")
        began = time.monotonic()
        desk.say("The ERP is down: every call gets 503.")
        bills = [desk.bill(number, 1, desk.draft(number)) for number in numbers]
        desk.say(f"Meanwhile {len(bills)} bills are entered: {', '.join(bill['number'] for bill in bills)}.")

        def long_enough() -> bool:
            self._told.outage_seen = self._told.outage_seen or desk.connection()["outage_since"] is not None
            return self._told.outage_seen and time.monotonic() - began >= OUTAGE_SECONDS

        desk.until("the connection shows the outage", long_enough)
        states = {desk.api.get(f"/v1/bills/{bill['id']}")["status"] for bill in bills}
        desk.say(f"After {time.monotonic() - began:.0f} seconds they are {', '.join(sorted(states))}; the ERP is back.")
        desk.mend()
        desk.until_in_the_erp([bill["id"] for bill in bills])
        desk.say("All of them reached the ERP, and nobody did anything.")

    def _lose_an_answer(self) -> None:
        desk = self._desk
        number = desk.open_orders(1)[0]
        desk.break_("lost_answer", times=1, **self._company.bill_fault._asdict())
        bill = desk.bill(number, 1, desk.draft(number))
        self._told.lost_answer_bill = bill["id"]
        desk.until_in_the_erp([bill["id"]])
        desk.mend()
        desk.say(f"{number}: the ERP saved bill {bill['number']}, its answer was lost, it was found again.")

    # --- paying ---------------------------------------------------------------------------------------------

    def _pay(self) -> None:
        desk = self._desk
        full, part, lost = self._told.bill_ids[0], self._told.bill_ids[1], self._told.lost_answer_bill
        desk.pay(full, Decimal(1))
        desk.pay(part, Decimal("0.4"))
        desk.until("the first payments are confirmed", self._all_paid)
        desk.break_("lost_answer", times=1, **self._company.payment_fault._asdict())
        desk.pay(lost, Decimal(1))
        desk.until("all payments are confirmed", self._all_paid)
        desk.mend()
        desk.until("the bills show what was paid", self._bills_show_payments)

    def _all_paid(self) -> bool:
        api = self._desk.api
        return all(api.get(f"/v1/payments/{one}")["status"] == "paid" for one in self._told.payment_ids)

    def _bills_show_payments(self) -> bool:
        api = self._desk.api
        bills = [api.get(f"/v1/payments/{one}")["bill_id"] for one in self._told.payment_ids]
        return all(api.get(f"/v1/bills/{bill}")["status"] in ("paid", "partially_paid") for bill in bills)

    # --- what others do in the ERP ---------------------------------------------------------------------------

    def _people_work_in_the_erp(self) -> None:
        """They edit an old order and bill one of ours; one sync brings both in."""
        desk, told = self._desk, self._told
        if not told.old_order:
            raise StoryStuck("the company has no order that is too old for the first import")
        desk.erp.act("edit_purchase_order", number=told.old_order, memo="Still needed, please bill")
        told.billed_in_erp = desk.open_orders(1)[0]
        self._company.bill_order(desk, told.billed_in_erp)
        desk.sync_once()
        for order in desk.orders():
            told.order_ids[order["number"]] = order["id"]
        desk.say(f"{told.old_order}, too old at first, was edited in the ERP and came in.")
        desk.say(f"{told.billed_in_erp} was billed in the ERP itself: {desk.order(told.billed_in_erp)['status']}.")
