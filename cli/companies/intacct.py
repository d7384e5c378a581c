"""The pretend Sage Intacct company of the demo: ACME, entity 100."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from cli.companies.company import Chapter, Check, Counterpart, Document, Fault, Kinds

if TYPE_CHECKING:
    from cli.story_desk import StoryDesk, Told


class IntacctCompany:
    """Bills become vendor invoices, converted from the order; a payable stands behind each."""

    erp = "intacct"
    title = "Intacct"
    entity = "100"
    credentials: Mapping[str, str] = {
        "sender_id": "posync",
        "sender_password": "sandbox-sender",
        "company": "ACME",
        "user": "xml_gateway",
        "password": "sandbox-user",
    }
    wrong_credentials: Mapping[str, str] = {**credentials, "password": "guessed"}
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
    kinds = Kinds(bills="vendor_invoices", payables="bills", payments="payments")
    bill_fault = Fault("create_potransaction")
    payment_fault = Fault("create", "APPYMT")

    def ordered_on(self, order: Document) -> date:
        return datetime.strptime(order["date"], "%m/%d/%Y").replace(tzinfo=UTC).date()

    def before_billing(self, desk: "StoryDesk") -> None:
        """Nothing: an order is billed as it is."""

    def chapters(self) -> Sequence[Chapter]:
        return ()

    def bill_order(self, desk: "StoryDesk", number: str) -> None:
        desk.erp.act("convert_to_vendor_invoice", number=number, invoice_number="BY-HAND-1")

    def bill_key(self, bill: Document) -> str:
        return str(bill["number"])

    def payment_key(self, payment: Document) -> str:
        return str(payment["document_number"])

    def is_linked(self, found: Counterpart) -> bool:
        lines = found.document.get("lines", [])
        comes_from = str(found.document.get("created_from", "")).endswith(f"-{found.order['number']}")
        return bool(lines) and comes_from and all(line.get("source_line") for line in lines)

    def own_checks(self, told: "Told", bills: Sequence[Counterpart]) -> list[Check]:
        """The PO number stands where people look for it (S4-64)."""
        without = [one.bill["number"] for one in bills if one.document.get("reference") != one.order["number"]]
        return [Check("the PO number is the reference", not without, ", ".join(without) or f"{len(bills)} bills")]
