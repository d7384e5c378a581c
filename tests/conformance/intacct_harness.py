"""Sage Intacct in its sandbox."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from erp.errors import AuthenticationFailed, Duplicate, OutcomeUnknown, Rejected, UnknownRefusal
from models.domain.retractions import BillToRetract, RetractBy
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    TRAITS,
    ErpHarness,
    SandboxBill,
    SandboxOrder,
    SandboxOrderLine,
    SandboxPayable,
    SandboxPayment,
    SandboxReceipt,
)

ACTIONS: Mapping[str, str] = {"bill_order": "convert_to_vendor_invoice", "edit_bill": "edit_vendor_invoice"}
"""The suite's words for what people do, where the sandbox has others."""


class IntacctHarness(ErpHarness):
    name = "intacct"
    traits = frozenset(TRAITS) - {"credits_name_orders", "polled"}
    ways: ClassVar = {
        "order": (RetractBy.DELETE, RetractBy.CREDIT),
        "direct": (RetractBy.DELETE, RetractBy.REVERSE),
    }
    open_status = "Pending"
    wrong: ClassVar = {
        "password": ({"password": "wrong"}, "AUTH_BAD_CREDENTIALS"),
        "user": ({"user": "nobody"}, "AUTH_BAD_CREDENTIALS"),
        "entity": ({"entity": "999"}, "AUTH_ENTITY_NOT_ALLOWED"),
        "nothing": ({"password": ""}, "AUTH_CREDENTIALS_MISSING"),
        "sender": ({"sender_password": "wrong"}, "AUTH_BAD_SENDER"),
    }
    misspelt: ClassVar = ({"po_template": "purchase order"}, "TEMPLATE_WRONG_CASE")
    kinds: ClassVar = {"order": "PODOCUMENT"}
    open_record = "7"
    entity = "100"
    other_entity = "200"
    never_open = "Draft"
    peek_calls = 1
    deletion_spellings = ("recordno", "rec")
    void_spellings = ("code", "label")
    fault_words: ClassVar = {
        "create_bill": "create_potransaction",
        "create_direct_bill": "create_bill",
        "update_bill": "update_potransaction",
        "create_payment": "create",
        "delete_bill": "delete",
        "credit_bill": "create_apadjustment",
        "read": "query",
    }

    refusals: ClassVar = {
        "DL02000001": (OutcomeUnknown, "OUTCOME_UNKNOWN"),
        "BL34000061": (Duplicate, "ALREADY_EXISTS"),
        "BL03002185": (Duplicate, "ALREADY_EXISTS"),
        "PL04000005": (AuthenticationFailed, "PERMISSION_DENIED"),
        "PL03000006": (Rejected, "DATE_REFUSED"),
        "PL01000127": (Rejected, "DOCUMENT_NUMBER_MISSING"),
        "BL03000018": (Rejected, "VALUE_REFUSED"),
        "BL03002128": (Rejected, "BILL_NUMBER_REQUIRED"),
        "GL-0951": (Rejected, "ACCOUNT_REFUSED"),
        "ZZ00000000": (UnknownRefusal, "UNKNOWN_ERP_ERROR"),
    }

    charge_preferences: ClassVar = {
        "subtotal.freight": "Freight",
        "subtotal.tax": "Sales tax",
        "subtotal.discount": "Discount",
    }

    def start(self) -> None:
        self.sandbox.post("/companies/intacct/sample")

    def settings(self) -> dict[str, Any]:
        return {
            "endpoint": f"{self.sandbox.url}/ia/xml/xmlgw.phtml",
            "allow_loopback": True,
            "timeout_seconds": 5,
            "preferences": {
                "po_template": "Purchase Order",
                "vendor_invoice_template": "Vendor Invoice",
                "receiver_template": "PO Receiver",
            },
        }

    def credentials(self) -> dict[str, str]:
        return {
            "sender_id": "posync",
            "sender_password": "sandbox-sender",
            "company": "ACME",
            "user": "xml_gateway",
            "password": "sandbox-user",
            "entity": "100",
        }

    @property
    def expense_account(self) -> str:
        return "6600"

    def secrets(self) -> Sequence[str]:
        return ("sandbox-sender", "sandbox-user")

    def take_numbers_once(self) -> None:
        self.switch(same_vendor_number="refuse")

    def keep_books_in(self, currency: str) -> None:
        self.switch(base_currency=currency)

    def spell_deletions(self, spelling: str) -> None:
        self.switch(audit_objectkey=spelling)

    def spell_voids(self, spelling: str) -> None:
        self.switch(payment_state=spelling)

    def person(self, action: str, **values: Any) -> Any:
        if action == "delete_bill":
            action, values = "delete", {"kind": "vendor_invoice", "number": values["key"]}
        if "key" in values:
            values["number"] = values.pop("key")
        return super().person(ACTIONS.get(action, action), **values)

    # --- what it holds --------------------------------------------------------------------------------------------

    def orders(self) -> list[SandboxOrder]:
        return [
            SandboxOrder(
                erp_id=order["record_no"],
                number=order["number"],
                status=order["state"],
                vendor_id=order["vendor_id"],
                entity=order["entity"],
                total=Decimal(order["total"]),
                lines=tuple(
                    SandboxOrderLine(
                        line_no=line["line_no"],
                        item_id=line["item_id"],
                        quantity=Decimal(line["quantity"]),
                        price=Decimal(line["price"]),
                        amount=Decimal(line["amount"]),
                        billed=Decimal(line["converted"]),
                    )
                    for line in order["lines"]
                ),
            )
            for order in self.held("purchase_orders")
        ]

    def receipts(self) -> list[SandboxReceipt]:
        return [
            SandboxReceipt(
                receipt["number"],
                receipt["created_from"],
                tuple((line["source_line"], Decimal(line["quantity"])) for line in receipt["lines"]),
            )
            for receipt in self.held("receipts")
        ]

    def bills(self) -> list[SandboxBill]:
        return [
            SandboxBill(
                key=invoice["number"],
                document_id=invoice["document_id"],
                payable_id=invoice["bill_record_no"],
                number=invoice["vendor_number"],
                order_document=invoice["created_from"],
                order_number=invoice["reference"],
                order_lines=tuple(line["source_line"] for line in invoice["lines"]),
            )
            for invoice in self.held("vendor_invoices")
        ]

    def payables(self) -> list[SandboxPayable]:
        return [
            SandboxPayable(
                erp_id=bill["record_no"],
                number=bill["number"],
                state=bill["state"],
                total=Decimal(bill["total"]),
                paid=Decimal(bill["paid"]),
                due=Decimal(bill["due"]),
                document_id=bill["source_document"],
                amounts=tuple(Decimal(line["amount"]) for line in bill["lines"]),
            )
            for bill in self.held("bills")
        ]

    def payments(self) -> list[SandboxPayment]:
        return [
            SandboxPayment(
                payment["record_no"],
                payment["document_number"],
                tuple((paid["bill_record_no"], Decimal(paid["amount"])) for paid in payment["details"]),
            )
            for payment in self.held("payments")
        ]

    def entries_of(self, bill: BillToRetract) -> list[tuple[date, Decimal]]:
        """Reversals of it, and debit memos over it."""
        memos = [
            (_day(one["date"]), Decimal(one["total"]))
            for one in self.held("adjustments")
            if one["number"] == bill.entry_key and Decimal(one["due"]) == 0
        ]
        return memos + [
            (_day(one["date"]), Decimal(one["total"]))
            for one in self.held("bills")
            if one["number"] == f"Reversed - {bill.number}"
        ]

    def vendors(self) -> set[str]:
        return {vendor["vendorid"] for vendor in self.held("vendors")}

    def order_moved(self, *, with_header: bool) -> None:
        self.switch(header_touched_by_line_edit=with_header, header_touched_by_conversion=with_header)
        self.person("edit_purchase_order", number=OPEN_ORDER, line=1, quantity="3")


def _day(text: str) -> date:
    month, day, year = map(int, text.split("/"))
    return date(year, month, day)
