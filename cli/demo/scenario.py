"""Play one company's day through the API alone: connect, sync, bill, approve, lose the ERP, recover, pay.

Nothing here repairs anything: the scenario creates work and waits. `checks.py` checks what the ERP holds at the end.
The scenario is the same for every ERP; what differs is in a file for each.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from cli.client.api_client import Api
from cli.client.sandbox_control import PretendErp
from cli.demo.approval import approve_a_bill
from cli.demo.demo_erp import DemoErp
from cli.demo.record import DemoRecord, Phase
from cli.demo.second_thoughts import enter_without_an_order
from cli.demo.session import PATIENCE_SECONDS, DemoSession, ScenarioStuck

OUTAGE_SECONDS = 8.0
BILLS_DURING_OUTAGE = 4


class Scenario:
    """Plays the scenario. It reports each line through `say`, and the name of every phase through `begins`."""

    def __init__(
        self,
        api: Api,
        erp: PretendErp,
        company: DemoErp,
        *,
        say: Callable[[Any], None],
        begins: Callable[[str], None],
        patience_seconds: float = PATIENCE_SECONDS,
        erp_latency_seconds: float = 0.0,
    ) -> None:
        self._session = DemoSession(api, erp, company, say=say, patience_seconds=patience_seconds)
        self._record = self._session.record
        self._company = company
        self._begins = begins
        self._erp_latency_seconds = erp_latency_seconds

    def run(self) -> DemoRecord:
        """Run the whole scenario.

        Raises:
            ScenarioStuck: something that was waited for did not happen.
            ApiProblem: a refusal that the scenario did not provoke.
        """
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
                chapter.run(self._session)
        with self._phase("approve"):
            approve_a_bill(self._session)
        if self._session.connection()["capabilities"]["direct_bills"]:
            with self._phase("without an order"):
                enter_without_an_order(self._session, self._company.kinds.payables)
        with self._phase("outage"):
            self._outage()
        with self._phase("lost answer"):
            self._lose_an_answer()
        with self._phase("pay"):
            self._pay()
        with self._phase("people in the ERP"):
            self._people_work_in_the_erp()
        return self._record

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        phase = Phase(name)
        self._record.phases.append(phase)
        control = self._session.erp.control
        started, calls = time.monotonic(), sum(control.calls().values())
        self._begins(name)
        yield
        phase.seconds = time.monotonic() - started
        phase.erp_calls = sum(control.calls().values()) - calls

    # --- setting up -----------------------------------------------------------------------------------------

    def _load_company(self) -> None:
        erp = self._session.erp
        erp.load_sample()
        erp.switch(latency_seconds=self._erp_latency_seconds)
        self._record.count_before = {kind: len(erp.records(kind)) for kind in set(self._company.kinds)}
        orders = len(erp.records("purchase_orders"))
        self._session.say(f"A pretend {self._company.title} company with {orders} purchase orders.")

    def _connect(self) -> None:
        session, company = self._session, self._company
        session.refused(company.refused_sign_in, lambda: self._sign_in(company.wrong_credentials, agrees=False))
        connection = self._sign_in(company.credentials, agrees=True)
        self._record.connection_id = connection["id"]
        where = f", entity {connection['entity']}" if connection["entity"] else ""
        session.say(f"Connected: {connection['id']} as {connection['user_name']}{where}.")
        session.until("the lists are in", lambda: session.connection()["last_synced_at"] is not None)
        vendors = len(list(session.api.pages(f"/v1/connections/{connection['id']}/lists/vendor", limit=200)))
        orders = len(list(session.orders()))
        session.say(f"The first sync brought {vendors} vendors and other lists; purchase orders so far: {orders}.")

    def _sign_in(self, credentials: Mapping[str, str], *, agrees: bool) -> Any:
        company = self._company
        # Where a person agrees on the ERP's page, a second try is of the same connection.
        attempt = "right" if credentials == company.credentials else "wrong"
        body = {
            "erp": company.erp,
            "name": f"Acme, entity {company.entity}" if company.entity else "Acme",
            "credentials": dict(credentials),
            "entity": company.entity,
            "purchase_orders": True,  # off, unless an administrator asks for them
            "endpoint": self._session.erp.endpoint,
            # The sandbox's reads do not lag its writes, so a write that is not found was not made.
            "settings": {"allow_loopback": True, "read_lag_seconds": 0, "timeout_seconds": 10},
        }
        connection = self._session.post("/v1/connections", body, key=f"connect-{company.erp}-{attempt}")
        return company.let_in(self._session, connection, agrees=agrees)

    def _set_preferences(self) -> None:
        session, company = self._session, self._company
        path = f"/v1/connections/{self._record.connection_id}"
        wrong = session.api.put(f"{path}/preferences", {"preferences": dict(company.wrong_preferences)})
        for problem in wrong["problems"]:
            self._record.refusals["wrong preference"] = problem["code"]
            session.say(f"Not accepted: {problem['preference']}: {problem['message']}")
        right = session.api.put(f"{path}/preferences", {"preferences": dict(company.preferences), "sync": False})
        if not right["complete"]:
            raise ScenarioStuck(f"the preferences are not accepted: {right['problems']}")
        session.say("The preferences are complete: purchase orders may come in.")
        if right["connection"]["match_mode"] != company.match_mode:
            session.api.put(f"{path}/purchase-orders", {"enabled": True, "match_mode": company.match_mode})
            session.say(f"Bills are matched {company.match_mode.replace('_way', '-way')}.")

    def _sync(self) -> None:
        session = self._session
        session.sync_once()
        by_status: dict[str, int] = {}
        for order in session.orders():
            self._record.order_ids[order["number"]] = order["id"]
            by_status[order["status"]] = by_status.get(order["status"], 0) + 1
        session.say("In the mirror: " + " · ".join(f"{count} {name}" for name, count in sorted(by_status.items())))
        skipped = list(session.api.pages(f"/v1/connections/{self._record.connection_id}/skipped-records", limit=200))
        self._record.skipped = len(skipped)
        for code in sorted({record["code"] for record in skipped}):
            numbers = [record["number"] for record in skipped if record["code"] == code]
            session.say(f"Left out, {code}: {', '.join(numbers)}")
        self._explain_the_rest({record["number"] for record in skipped})

    def _explain_the_rest(self, skipped: set[str]) -> None:
        """Explain what the ERP has and the mirror has not, from the ERP's own facts: the rules of the first import."""
        company, orders = self._company, self._session.erp.records("purchase_orders")
        in_mirror = [order for order in orders if order["number"] in self._record.order_ids]
        oldest = min(company.ordered_on(order) for order in in_mirror)
        reasons: dict[str, list[str]] = {}
        for order in orders:
            number = order["number"]
            if number in self._record.order_ids or number in skipped:
                continue
            if order.get("entity") != company.entity:
                reason = f"of entity {order['entity']}"
            elif company.ordered_on(order) < oldest and order["state"] == company.open_state:
                reason = "older than three months"
                self._record.old_order = self._record.old_order or number
            else:
                reason = str(order["state"])
            reasons.setdefault(reason, []).append(number)
        for reason, numbers in sorted(reasons.items()):
            self._session.say(f"Not imported, {reason}: {', '.join(numbers)}")

    # --- billing --------------------------------------------------------------------------------------------

    def _bill_partly_then_fully(self) -> None:
        session, number = self._session, self._company.main_order
        self._company.before_billing(session)
        everything = session.draft(number)
        half = [{**line, "quantity": str(Decimal(line["quantity"]) / 2)} for line in everything]
        first = session.bill(number, 1, half)
        session.say(f"{number}: half of it billed, bill {first['number']}, {first['total']}.")
        session.refused("over the ceiling", lambda: session.bill(number, 9, everything))
        session.until_in_the_erp([first["id"]])
        session.until_status(number, "partially_filled")
        session.say(f"{number} is partially filled, says the ERP itself.")
        second = session.bill(number, 2, session.draft(number))
        self._record.acknowledged = session.acknowledge(second)
        session.say(f"{second['number']} waited until somebody acknowledged {self._record.acknowledged}.")
        session.until_in_the_erp([second["id"]])
        session.until_status(number, "filled")
        session.say(f"{number} is filled after bill {second['number']}.")

    def _outage(self) -> None:
        session = self._session
        numbers = session.open_orders(BILLS_DURING_OUTAGE)
        session.break_("unavailable")
        began = time.monotonic()
        session.say("The ERP is down: every call fails.")
        bills = [session.bill(number, 1, session.draft(number)) for number in numbers]
        session.say(f"Meanwhile {len(bills)} bills are entered: {', '.join(bill['number'] for bill in bills)}.")

        def long_enough() -> bool:
            self._record.outage_seen = self._record.outage_seen or session.connection()["outage_since"] is not None
            return self._record.outage_seen and time.monotonic() - began >= OUTAGE_SECONDS

        session.until("the connection shows the outage", long_enough)
        states = {session.api.get(f"/v1/bills/{bill['id']}")["status"] for bill in bills}
        session.say(
            f"After {time.monotonic() - began:.0f} seconds they are {', '.join(sorted(states))}; the ERP is back."
        )
        session.mend()
        session.until_in_the_erp([bill["id"] for bill in bills])
        session.say("All of them reached the ERP, and nobody did anything.")

    def _lose_an_answer(self) -> None:
        session = self._session
        number = session.open_orders(1)[0]
        session.break_("lost_answer", times=1, **self._company.bill_fault._asdict())
        bill = session.bill(number, 1, session.draft(number))
        self._record.lost_answer_bill = bill["id"]
        session.until_in_the_erp([bill["id"]])
        session.mend()
        session.say(f"{number}: the ERP saved bill {bill['number']}, its answer was lost, it was found again.")

    # --- paying ---------------------------------------------------------------------------------------------

    def _pay(self) -> None:
        session = self._session
        full, part, lost = self._record.bill_ids[0], self._record.bill_ids[1], self._record.lost_answer_bill
        session.pay(full, Decimal(1))
        session.pay(part, Decimal("0.4"))
        session.until("the first payments are confirmed", self._all_paid)
        session.break_("lost_answer", times=1, **self._company.payment_fault._asdict())
        session.pay(lost, Decimal(1))
        session.until("all payments are confirmed", self._all_paid)
        session.mend()
        session.until("the bills show what was paid", self._bills_show_payments)

    def _all_paid(self) -> bool:
        api = self._session.api
        return all(api.get(f"/v1/payments/{one}")["status"] == "paid" for one in self._record.payment_ids)

    def _bills_show_payments(self) -> bool:
        api = self._session.api
        bills = [api.get(f"/v1/payments/{one}")["bill_id"] for one in self._record.payment_ids]
        return all(api.get(f"/v1/bills/{bill}")["status"] in ("paid", "partially_paid") for bill in bills)

    # --- what others do in the ERP ---------------------------------------------------------------------------

    def _people_work_in_the_erp(self) -> None:
        """Edit an old order and bill another one in the ERP, as people do; one sync brings both in.

        Raises:
            ScenarioStuck: the company has no order too old for the first import, or the sync did not
                complete.
        """
        session, record = self._session, self._record
        if not record.old_order:
            raise ScenarioStuck("the company has no order that is too old for the first import")
        session.erp.act("edit_purchase_order", number=record.old_order, memo="Still needed, please bill")
        record.billed_in_erp = session.open_orders(1)[0]
        self._company.bill_order(session, record.billed_in_erp)
        session.sync_once()
        for order in session.orders():
            record.order_ids[order["number"]] = order["id"]
        session.say(f"{record.old_order}, too old at first, was edited in the ERP and came in.")
        session.say(
            f"{record.billed_in_erp} was billed in the ERP itself: {session.order(record.billed_in_erp)['status']}."
        )
