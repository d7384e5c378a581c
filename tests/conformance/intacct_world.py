"""Sage Intacct in its sandbox."""

from collections.abc import Sequence
from typing import Any, ClassVar

from erp.errors import AuthenticationFailed, Duplicate, OutcomeUnknown, Rejected
from erp.intacct.connector import IntacctConnector
from tests.conformance.world import OPEN_ORDER, TRAITS, World


class IntacctWorld(World):
    name = "intacct"
    factory = IntacctConnector
    traits = frozenset(TRAITS) - {"credits_name_orders"}
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
        "update_bill": "update_potransaction",
        "create_payment": "create",
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
        "ZZ00000000": (Rejected, "UNKNOWN_ERP_ERROR"),
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

    def secrets(self) -> Sequence[str]:
        return ("sandbox-sender", "sandbox-user")

    def spell_deletions(self, spelling: str) -> None:
        self.switch(audit_objectkey=spelling)

    def spell_voids(self, spelling: str) -> None:
        self.switch(payment_state=spelling)

    def order_moved(self, *, with_header: bool) -> None:
        self.switch(header_touched_by_line_edit=with_header, header_touched_by_conversion=with_header)
        self.person("edit_purchase_order", number=OPEN_ORDER, line=1, quantity="3")
