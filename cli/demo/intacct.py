"""Play the demo's company in the pretend Sage Intacct: ACME, entity 100."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from cli.demo.demo_erp import Chapter, Check, Counterpart, Document, Fault, Kinds
from cli.demo.record import DemoRecord
from cli.demo.session import DemoSession


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
        return ()

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
        return [Check("the PO number is the reference", not without, ", ".join(without) or f"{len(bills)} bills")]
