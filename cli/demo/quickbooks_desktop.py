"""Play the demo's company in the pretend QuickBooks Desktop: its Web Connector calls, its computer may be off."""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cli.demo.demo_erp import Chapter, Check, Counterpart, Document, Fault, Kinds
from cli.demo.record import DemoRecord
from cli.demo.session import DemoSession

CALLS_EVERY_SECONDS = 0.3
"""How often the Web Connector calls; a real one does every few minutes."""

OFF_SECONDS = 4.0
RECEIVED = "PO-1016"
"""An order of the sample company that an item receipt holds whole."""

_KEY = re.compile(r"\[posync ([!-~]+)\]")


class DesktopCompany:
    """The QuickBooks Desktop company: bills are linked line by line to the order, and are payable themselves."""

    erp = "quickbooks_desktop"
    title = "QuickBooks Desktop"
    entity: str | None = None
    credentials: Mapping[str, str] = {}
    wrong_credentials: Mapping[str, str] = {}
    refused_sign_in = "wrong password"
    preferences: Mapping[str, str] = {"bank_account": "Bank of America, operations"}
    wrong_preferences: Mapping[str, str] = {"bank_acount": "Bank of America, operations"}
    match_mode = "two_way"
    main_order = "PO-1007"
    open_state = "Open"
    unbilled_status = "unfilled"
    leaves_out = False
    kinds = Kinds(bills="bills", payables="bills", payments="payments")
    bill_fault = Fault("BillAdd")
    payment_fault = Fault("BillPaymentCheckAdd")

    def let_in(self, session: DemoSession, connection: Any, *, agrees: bool) -> Any:
        """Set the Web Connector up with the connection's file, and the password or another one.

        Raises:
            ApiProblem: with another one, as the connection cannot sync then.
        """
        path = f"/v1/connections/{connection['id']}"
        login = session.post(f"{path}/web_connector", {"every_minutes": 1})
        file = "".join(session.api.text(f"{path}/qwc"))
        password = login["password"] if agrees else "not the password"
        session.erp.act("add_application", qwc=file, password=password)
        if not agrees:
            session.say(f"The Web Connector shows: {session.erp.act('update_selected')['status']}.")
            return session.post(f"{path}/sync", {})
        session.erp.switch(run_every_seconds=CALLS_EVERY_SECONDS)
        session.erp.act("start_auto_run")

        def let_in() -> bool:
            return bool(session.api.get(f"{path}/web_connector")["recognized_at"])

        session.until("the Web Connector has called with its company file open", let_in)
        return session.api.get(path)

    def ordered_on(self, order: Document) -> date:
        return date.fromisoformat(order["date"])

    def status_of(self, order: Document) -> str:
        return str(order["state"])

    def payable_id(self, payable: Document) -> str:
        return str(payable["record_no"])

    def before_billing(self, session: DemoSession) -> None:
        """Do nothing: an order can be billed as it is."""

    def chapters(self) -> Sequence[Chapter]:
        return (
            Chapter("computer off", self._computer_off),
            Chapter("received goods", self._received_goods),
        )

    def _computer_off(self, session: DemoSession) -> None:
        """Switch the computer off, enter bills, and switch it on: they wait, which is no outage, and go out."""
        numbers = session.open_orders(2)
        session.erp.act("switch_off_pc")
        bills = [session.bill(number, 1, session.draft(number)) for number in numbers]
        session.say(f"The computer with QuickBooks is off; {len(bills)} bills are entered.")
        time.sleep(OFF_SECONDS)
        path = f"/v1/connections/{session.record.connection_id}"
        states = {session.api.get(f"/v1/bills/{bill['id']}")["status"] for bill in bills}
        waiting = session.api.get(f"{path}/web_connector")["waiting"]
        session.record.seen["while off"] = f"{', '.join(sorted(states))}; {waiting} requests wait"
        session.say(f"After {OFF_SECONDS:.0f} seconds they are {session.record.seen['while off']}.")
        session.erp.act("switch_on_pc")
        session.until_in_the_erp([bill["id"] for bill in bills])
        session.say("The computer is on again: the bills are in QuickBooks, and nobody did anything.")

    def _received_goods(self, session: DemoSession) -> None:
        """Bill goods that stand on an item receipt: the bill takes the receipt's place, and nothing counts twice."""
        path = f"/v1/connections/{session.record.connection_id}/preferences"
        before = _books(session)
        session.api.put(path, {"preferences": {**self.preferences, "replace_item_receipts": "true"}})
        order = session.order(RECEIVED)
        line = order["lines"][0]
        bill = session.bill(RECEIVED, 1, [{"order_line_no": line["line_no"], "quantity": "5"}])
        session.until_in_the_erp([bill["id"]])
        after = _books(session)
        session.record.seen["books"] = "as before" if after == before else f"{before} became {after}"
        seen = session.record.seen["books"]
        session.say(f"{bill['number']} took the place of a part of the receipt; payables and stock: {seen}.")

    def bill_order(self, session: DemoSession, number: str) -> None:
        session.erp.act("bill", number=number, invoice_number="BY-HAND-1")

    def bill_key(self, bill: Document) -> str:
        return _key(bill)

    def payment_key(self, payment: Document) -> str:
        return _key(payment)

    def is_linked(self, counterpart: Counterpart) -> bool:
        lines = counterpart.document.get("lines", [])
        return bool(lines) and all(
            line["order_doc"] == counterpart.order["record_no"] and line["order_line"] for line in lines
        )

    def own_checks(
        self, record: DemoRecord, bills: Sequence[Counterpart], records: Mapping[str, Sequence[Document]]
    ) -> list[Check]:
        """Check what this ERP's own chapters saw."""
        off, books = record.seen["while off"], record.seen["books"]
        return [
            Check("bills wait for a computer that is off", "synced" not in off and "; 0 " not in off, off),
            Check("payables and stock count received goods once", books == "as before", books),
        ]


def _books(session: DemoSession) -> dict[str, str]:
    rows = session.erp.records("ledger")
    return {f"{row['book']} {row['key']}": row["amount"] for row in rows}


def _key(document: Document) -> str:
    keys = _KEY.findall(document["memo"] or "")
    return str(keys[-1]) if keys else ""
