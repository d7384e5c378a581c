"""Play the demo's company in the pretend Sage Intacct: ACME, entity 100."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from cli.demo.demo_erp import Chapter, Check, Counterpart, Document, Fault, Kinds
from cli.demo.money import pay_three_and_void
from cli.demo.record import DemoRecord
from cli.demo.session import DemoSession

TWO_RECEIPTS = "INV-TWO-RECEIPTS"


class IntacctCompany:
    """The Intacct company: bills become vendor invoices, converted from the order, with a payable behind each."""

    erp = "intacct"
    title = "Intacct"
    entity: str | None = "100"
    credentials: Mapping[str, str] = {
        "sender_id": "posync",
        "sender_password": "sandbox-sender",
        "company": "ACME",
        "user": "xml_gateway",
        "password": "sandbox-user",
    }
    wrong_credentials: Mapping[str, str] = {**credentials, "password": "guessed"}
    refused_sign_in = "wrong password"
    preferences: Mapping[str, str] = {
        "po_template": "Purchase Order",
        "vendor_invoice_template": "Vendor Invoice",
        "receiver_template": "PO Receiver",
        "return_template": "PO Return",
        "bank_account": "BOA",
    }
    wrong_preferences: Mapping[str, str] = {**preferences, "po_template": "purchase order"}
    match_mode = "two_way"
    main_order = "PO-1007"
    open_state = "Pending"
    unbilled_status = "unfilled"
    leaves_out = True
    kinds = Kinds(bills="vendor_invoices", payables="bills", payments="payments")
    bill_fault = Fault("create_potransaction")
    payment_fault = Fault("create", "APPYMT")

    def let_in(self, session: DemoSession, connection: Any, *, agrees: bool) -> Any:
        return connection

    def status_of(self, order: Document) -> str:
        return str(order["state"])

    def payable_id(self, payable: Document) -> str:
        return str(payable["record_no"])

    def ordered_on(self, order: Document) -> date:
        return datetime.strptime(order["date"], "%m/%d/%Y").replace(tzinfo=UTC).date()

    def before_billing(self, session: DemoSession) -> None:
        """Do nothing: in Intacct an order can be billed as it is."""

    def chapters(self) -> Sequence[Chapter]:
        return (
            Chapter("one invoice over two receipts", self._bill_two_receipts),
            Chapter("one payment over three bills", self._pay_three),
        )

    def _pay_three(self, session: DemoSession) -> None:
        """Send goods of a vendor invoice back: its return posts the debit memo that goes with the payment."""
        pay_three_and_void(session, self.kinds, self._send_back)

    def _send_back(self, session: DemoSession, bill: Any) -> None:
        lines = [{"line": 1, "quantity": "1"}]
        session.erp.act("return_goods", number=bill["external_key"], return_number="RET-1", lines=lines)

    def _bill_two_receipts(self, session: DemoSession) -> None:
        """Receive a line of an order in two deliveries, and enter the supplier's one invoice over both: one bill here,
        two vendor invoices there."""
        number = session.open_orders(1)[0]
        line = session.order(number)["lines"][0]
        ordered = Decimal(line["ordered"])
        first = (ordered / 2).to_integral_value()
        receipts = {f"{number}-A": first, f"{number}-B": ordered - first}
        for receipt, quantity in receipts.items():
            came = [{"line": line["line_no"], "quantity": str(quantity)}]
            session.erp.act("receive", number=number, receipt_number=receipt, lines=came)
        session.sync_once()
        body = {
            "number": TWO_RECEIPTS,
            "bill_date": datetime.now(UTC).date().isoformat(),
            "lines": [{"order_line_no": line["line_no"], "quantity": line["ordered"]}],
        }
        path = f"/v1/purchase-orders/{session.record.order_ids[number]}/bills"
        bill = session.post(path, body, key="demo-intacct-two-receipts")["bill"]
        session.until_in_the_erp([bill["id"]])
        parts = session.api.get(f"/v1/bills/{bill['id']}")["parts"]
        made = session.record.made_otherwise
        for kind in (self.kinds.bills, self.kinds.payables):
            made[kind] = made.get(kind, 0) + len(parts)
        session.record.seen[TWO_RECEIPTS] = bill["id"]
        shown = " and ".join(f"{part['document_id']} of {part['total']}" for part in parts)
        session.say(f"{bill['number']}, {bill['total']}, covers both receipts of {number}: in Intacct it is {shown}.")

    def bill_order(self, session: DemoSession, number: str) -> None:
        session.erp.act("convert_to_vendor_invoice", number=number, invoice_number="BY-HAND-1")

    def bill_key(self, bill: Document) -> str:
        return str(bill["number"])

    def payment_key(self, payment: Document) -> str:
        return str(payment["document_number"])

    def is_linked(self, counterpart: Counterpart) -> bool:
        lines = counterpart.document.get("lines", [])
        comes_from = str(counterpart.document.get("created_from", "")).endswith(f"-{counterpart.order['number']}")
        return bool(lines) and comes_from and all(line.get("source_line") for line in lines)

    def own_checks(
        self, record: DemoRecord, bills: Sequence[Counterpart], records: Mapping[str, Sequence[Document]]
    ) -> list[Check]:
        """Check that the PO number is in the field where people look for it."""
        without = [one.bill["number"] for one in bills if one.document.get("reference") != one.order["number"]]
        mine = [one for one in records[self.kinds.bills] if one["vendor_number"] == TWO_RECEIPTS]
        sources = {one["created_from"] for one in mine}
        shown = ", ".join(f"{one['number']} from {one['created_from']}" for one in mine)
        in_two = TWO_RECEIPTS in record.seen and len(mine) == len(sources) == 2
        return [
            Check("one invoice over two receipts is one bill and two documents", in_two, shown or "none"),
            Check("the PO number is the reference", not without, ", ".join(without) or f"{len(bills)} bills"),
        ]
