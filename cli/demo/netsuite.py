"""Play the demo's account in the pretend NetSuite: TSTDRV1, subsidiary 1, matched 3-way, without billing in advance of
receipt."""

import time
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from cli.demo.demo_erp import Chapter, Check, Counterpart, Document, Fault, Kinds
from cli.demo.money import pay_three_and_void
from cli.demo.record import DemoRecord
from cli.demo.session import DemoSession

ERP_SHOWS_AFTER_SECONDS = 120.0
"""Seconds of the sandbox's clock, which the scenario moves: however slow this machine is, the order shows nothing
before."""

STATUS_DELAY_SECONDS = 1.5
"""Longer than a bill takes to reach the sandbox."""


class NetSuiteCompany:
    """The NetSuite account: bills become vendor bills, linked line by line to the order, and are payable themselves."""

    erp = "netsuite"
    title = "NetSuite"
    entity: str | None = "1"
    credentials: Mapping[str, str] = {
        "account": "TSTDRV1",
        "consumer_key": "ck",
        "consumer_secret": "cs",
        "token_id": "tk",
        "token_secret": "ts",
    }
    wrong_credentials: Mapping[str, str] = {**credentials, "token_secret": "guessed"}
    refused_sign_in = "wrong password"
    preferences: Mapping[str, str] = {"bank_account": "BOA", "bill_in_advance": "false"}
    wrong_preferences: Mapping[str, str] = {**preferences, "bank_account": "No such bank"}
    match_mode = "three_way"
    main_order = "PO-1007"
    open_state = "Pending Receipt"
    unbilled_status = "partially_filled"
    leaves_out = True
    kinds = Kinds(bills="bills", payables="bills", payments="payments")
    bill_fault = Fault("add", "vendorBill")
    payment_fault = Fault("add", "vendorPayment")

    def let_in(self, session: DemoSession, connection: Any, *, agrees: bool) -> Any:
        return connection

    def status_of(self, order: Document) -> str:
        return str(order["state"])

    def payable_id(self, payable: Document) -> str:
        return str(payable["record_no"])

    def ordered_on(self, order: Document) -> date:
        return date.fromisoformat(order["date"][:10])

    def before_billing(self, session: DemoSession) -> None:
        """Receive the goods: without a receipt NetSuite would not take the bills."""
        numbers = [self.main_order, *self._awaiting_goods(session)[:-1], *self._half_received(session)]
        for number in numbers:
            session.erp.act("receive", number=number)
        session.sync_once()
        session.say(f"Goods for {len(numbers)} orders are received: {', '.join(numbers)}.")

    def chapters(self) -> Sequence[Chapter]:
        return (
            Chapter("bill before the receipt", self._bill_before_the_receipt),
            Chapter("double sync", self._double_sync),
            Chapter("one payment over three bills", self._pay_three),
        )

    def _pay_three(self, session: DemoSession) -> None:
        """Send goods of a vendor bill back: the credit of their return goes with the payment."""
        pay_three_and_void(session, self.kinds, self._send_back)

    def _send_back(self, session: DemoSession, bill: Any) -> None:
        lines = [{"line": 1, "quantity": "1"}]
        act = session.erp.act
        made = act("authorize_return", number=bill["number"], lines=lines, document_number="RET-1")
        act("fulfil_return", record_no=made["record_no"])
        act("credit_return", record_no=made["record_no"], document_number="CM-RET-1", apply=False)

    def _bill_before_the_receipt(self, session: DemoSession) -> None:
        """Bill an order before its receipt: NetSuite would refuse the bill, so it is in review, and the receipt
        releases it."""
        number = self._awaiting_goods(session)[0]
        lines = [
            {"order_line_no": line["line_no"], "quantity": line["ordered"]} for line in session.order(number)["lines"]
        ]
        before = len(session.erp.records(self.kinds.bills))
        bill = session.bill(number, 1, lines)
        codes = sorted({finding["code"] for finding in bill["match"]["findings"]})
        session.record.seen["held back"] = f"{bill['status']}: {', '.join(codes)}"
        session.say(
            f"{number} is billed before its goods came: {bill['number']} is {bill['status']} ({', '.join(codes)})."
        )
        time.sleep(STATUS_DELAY_SECONDS)
        session.record.seen["sent before the receipt"] = str(len(session.erp.records(self.kinds.bills)) - before)
        session.erp.act("receive", number=number)
        session.sync_once()
        session.until_in_the_erp([bill["id"]])
        session.until_status(number, "filled")
        session.say(f"The goods came, and {bill['number']} went to NetSuite by itself; {number} is filled.")

    def _double_sync(self, session: DemoSession) -> None:
        """Watch the double sync: the bill is in NetSuite, its order does not show it yet, then it does; it counts once
        at every moment."""
        number = session.open_orders(1)[0]
        session.erp.switch(quantity_delay_seconds=ERP_SHOWS_AFTER_SECONDS, status_delay_seconds=ERP_SHOWS_AFTER_SECONDS)
        lines = session.draft(number)
        whole = {line["order_line_id"]: Decimal(line["quantity"]) for line in lines}
        bill = session.bill(number, 1, lines)
        moments = [self._moment(session, number, whole)]
        session.until_in_the_erp([bill["id"]])
        moments.append(self._moment(session, number, whole))
        session.say(f"{bill['number']} is in NetSuite, and {number} does not show it: here it is {moments[-1]}.")
        session.erp.control.post("/clock", {"advance_seconds": ERP_SHOWS_AFTER_SECONDS})
        session.until_status(number, "filled")
        moments.append(self._moment(session, number, whole))
        session.erp.switch(quantity_delay_seconds=0, status_delay_seconds=0)
        session.record.seen["double sync"] = " → ".join(moments)
        session.say(f"Then NetSuite shows it: {moments[-1]}, and {number} is filled; nobody synced.")

    @staticmethod
    def _moment(session: DemoSession, number: str, whole: Mapping[str, Decimal]) -> str:
        """Return how the order counts the bill now: by its reservation or by NetSuite's own figure, never both or
        neither."""
        sums = {"billed": Decimal(0), "pending": Decimal(0)}
        for line in session.order(number)["lines"]:
            if line["order_line_id"] in whole:
                sums = {name: total + Decimal(line[name]) for name, total in sums.items()}
        of = sum(whole.values())
        if sums == {"billed": Decimal(0), "pending": of}:
            return "reserved"
        if sums == {"billed": of, "pending": Decimal(0)}:
            return "billed"
        return f"{sums['billed']} billed and {sums['pending']} reserved of {of}"

    def _half_received(self, session: DemoSession) -> list[str]:
        """Return the orders of which some goods were received and nothing was billed."""
        results = []
        for listed in session.orders(status=self.unbilled_status, matching_status="active"):
            lines = session.order(listed["number"])["lines"]
            open_goods = [line for line in lines if Decimal(line["received"]) and not line["closed"]]
            behind = any(Decimal(line["received"]) < Decimal(line["ordered"]) for line in open_goods)
            if behind and not any(Decimal(line["billed"]) for line in lines):
                results.append(listed["number"])
        return sorted(results)

    def _awaiting_goods(self, session: DemoSession) -> list[str]:
        orders = session.orders(status="unfilled", matching_status="active")
        return sorted(order["number"] for order in orders if order["number"] != self.main_order)

    def bill_order(self, session: DemoSession, number: str) -> None:
        session.erp.act("bill", number=number, invoice_number="BY-HAND-1")

    def bill_key(self, bill: Document) -> str:
        return str(bill["external_id"])

    def payment_key(self, payment: Document) -> str:
        return str(payment["external_id"])

    def is_linked(self, counterpart: Counterpart) -> bool:
        lines = counterpart.document.get("lines", [])
        return bool(lines) and all(
            line["order_doc"] == counterpart.order["record_no"] and line["order_line"] is not None for line in lines
        )

    def own_checks(
        self, record: DemoRecord, bills: Sequence[Counterpart], records: Mapping[str, Sequence[Document]]
    ) -> list[Check]:
        """Check what this ERP's own chapters saw."""
        seen = record.seen
        refused_early = seen.get("held back", "") == "on_hold: ERP_WILL_REFUSE"
        return [
            Check("a bill before the receipt is held back", refused_early, seen.get("held back", "")),
            Check("and not sent", seen.get("sent before the receipt") == "0", seen.get("sent before the receipt", "")),
            Check(
                "the double sync counts a bill once at every moment",
                seen.get("double sync") == "reserved → reserved → billed",
                seen.get("double sync", ""),
            ),
        ]
