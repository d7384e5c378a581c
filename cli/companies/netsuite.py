"""The pretend NetSuite account of the demo: TSTDRV1, subsidiary 1, matched 3-way, billing in advance of receipt off."""

import time
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from cli.companies.company import Chapter, Check, Counterpart, Document, Fault, Kinds

if TYPE_CHECKING:
    from cli.story_desk import StoryDesk, Told

ERP_SHOWS_AFTER_SECONDS = 120.0
"""Of the sandbox's clock, which the story turns on: however slow this machine is, the order shows nothing before."""

HELD_BACK_SECONDS = 1.5
"""Longer than a bill takes to reach the sandbox."""


class NetSuiteCompany:
    """Bills become vendor bills, linked line by line to the order; they are payable themselves."""

    erp = "netsuite"
    title = "NetSuite"
    entity = "1"
    credentials: Mapping[str, str] = {
        "account": "TSTDRV1",
        "consumer_key": "ck",
        "consumer_secret": "cs",
        "token_id": "tk",
        "token_secret": "ts",
    }
    wrong_credentials: Mapping[str, str] = {**credentials, "token_secret": "guessed"}
    preferences: Mapping[str, str] = {"bank_account": "BOA", "bill_in_advance": "false"}
    wrong_preferences: Mapping[str, str] = {**preferences, "bank_account": "No such bank"}
    match_mode = "three_way"
    main_order = "PO-1007"
    open_state = "Pending Receipt"
    unbilled_status = "partially_filled"
    kinds = Kinds(bills="bills", payables="bills", payments="payments")
    bill_fault = Fault("add", "vendorBill")
    payment_fault = Fault("add", "vendorPayment")

    def ordered_on(self, order: Document) -> date:
        return date.fromisoformat(order["date"][:10])

    def before_billing(self, desk: "StoryDesk") -> None:
        """Goods arrive: without a receipt NetSuite would not take the bills."""
        numbers = [self.main_order, *self._awaiting_goods(desk)[:-1], *self._half_received(desk)]
        for number in numbers:
            desk.erp.act("receive", number=number)
        desk.sync_once()
        desk.say(f"Goods for {len(numbers)} orders are received: {', '.join(numbers)}.")

    def chapters(self) -> Sequence[Chapter]:
        return (
            Chapter("bill before the receipt", self._bill_before_the_receipt),
            Chapter("double sync", self._double_sync),
        )

    def _bill_before_the_receipt(self, desk: "StoryDesk") -> None:
        """NetSuite would refuse it, so it is held back; the receipt lets it go (S4-70)."""
        number = self._awaiting_goods(desk)[0]
        lines = [
            {"order_line_no": line["line_no"], "quantity": line["ordered"]} for line in desk.order(number)["lines"]
        ]
        before = len(desk.erp.held(self.kinds.bills))
        bill = desk.bill(number, 1, lines)
        codes = sorted({finding["code"] for finding in bill["match"]["findings"]})
        desk.told.seen["held back"] = f"{bill['status']}: {', '.join(codes)}"
        desk.say(
            f"{number} is billed before its goods came: {bill['number']} is {bill['status']} ({', '.join(codes)})."
        )
        time.sleep(HELD_BACK_SECONDS)
        desk.told.seen["sent before the receipt"] = str(len(desk.erp.held(self.kinds.bills)) - before)
        desk.erp.act("receive", number=number)
        desk.sync_once()
        desk.until_in_the_erp([bill["id"]])
        desk.until_status(number, "filled")
        desk.say(f"The goods came, and {bill['number']} went to NetSuite by itself; {number} is filled.")

    def _double_sync(self, desk: "StoryDesk") -> None:
        """The bill is in NetSuite, its order does not show it yet, then it does; at every moment it counts once."""
        number = desk.open_orders(1)[0]
        desk.erp.switch(quantity_delay_seconds=ERP_SHOWS_AFTER_SECONDS, status_delay_seconds=ERP_SHOWS_AFTER_SECONDS)
        lines = desk.draft(number)
        whole = {line["order_line_no"]: Decimal(line["quantity"]) for line in lines}
        bill = desk.bill(number, 1, lines)
        moments = [self._moment(desk, number, whole)]
        desk.until_in_the_erp([bill["id"]])
        moments.append(self._moment(desk, number, whole))
        desk.say(f"{bill['number']} is in NetSuite, and {number} does not show it: here it is {moments[-1]}.")
        desk.erp.control.post("/clock", {"advance_seconds": ERP_SHOWS_AFTER_SECONDS})
        desk.until_status(number, "filled")
        moments.append(self._moment(desk, number, whole))
        desk.erp.switch(quantity_delay_seconds=0, status_delay_seconds=0)
        desk.told.seen["double sync"] = " → ".join(moments)
        desk.say(f"Then NetSuite shows it: {moments[-1]}, and {number} is filled; nobody synced.")

    @staticmethod
    def _moment(desk: "StoryDesk", number: str, whole: Mapping[int, Decimal]) -> str:
        """How the order counts the bill now: by its reservation, or by NetSuite's own figure; never both or neither."""
        sums = {"billed": Decimal(0), "pending": Decimal(0)}
        for line in desk.order(number)["lines"]:
            if line["line_no"] in whole:
                sums = {name: total + Decimal(line[name]) for name, total in sums.items()}
        of = sum(whole.values())
        if sums == {"billed": Decimal(0), "pending": of}:
            return "reserved"
        if sums == {"billed": of, "pending": Decimal(0)}:
            return "billed"
        return f"{sums['billed']} billed and {sums['pending']} reserved of {of}"

    def _half_received(self, desk: "StoryDesk") -> list[str]:
        """Orders of which some goods came and nothing was billed."""
        found = []
        for listed in desk.orders(status=self.unbilled_status, matching_status="active"):
            lines = desk.order(listed["number"])["lines"]
            open_goods = [line for line in lines if Decimal(line["received"]) and not line["closed"]]
            behind = any(Decimal(line["received"]) < Decimal(line["ordered"]) for line in open_goods)
            if behind and not any(Decimal(line["billed"]) for line in lines):
                found.append(listed["number"])
        return sorted(found)

    def _awaiting_goods(self, desk: "StoryDesk") -> list[str]:
        orders = desk.orders(status="unfilled", matching_status="active")
        return sorted(order["number"] for order in orders if order["number"] != self.main_order)

    def bill_order(self, desk: "StoryDesk", number: str) -> None:
        desk.erp.act("bill", number=number, invoice_number="BY-HAND-1")

    def bill_key(self, bill: Document) -> str:
        return str(bill["external_id"])

    def payment_key(self, payment: Document) -> str:
        return str(payment["external_id"])

    def is_linked(self, found: Counterpart) -> bool:
        lines = found.document.get("lines", [])
        return bool(lines) and all(
            line["order_doc"] == found.order["record_no"] and line["order_line"] is not None for line in lines
        )

    def own_checks(self, told: "Told", bills: Sequence[Counterpart]) -> list[Check]:
        """What its own chapters saw (S4-65..67, S4-70)."""
        seen = told.seen
        held = seen.get("held back", "") == "on_hold: ERP_WILL_REFUSE"
        return [
            Check("a bill before the receipt is held back", held, seen.get("held back", "")),
            Check("and not sent", seen.get("sent before the receipt") == "0", seen.get("sent before the receipt", "")),
            Check(
                "the double sync counts a bill once at every moment",
                seen.get("double sync") == "reserved → reserved → billed",
                seen.get("double sync", ""),
            ),
        ]
