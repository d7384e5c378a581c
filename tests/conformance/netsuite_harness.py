"""Oracle NetSuite in its sandbox."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from erp.errors import AuthenticationFailed, Duplicate, OutcomeUnknown, Rejected, Stale, Throttled, UnknownRefusal
from models.domain.retractions import BillToRetract, RetractBy
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    ErpHarness,
    SandboxBill,
    SandboxOrder,
    SandboxOrderLine,
    SandboxPayable,
    SandboxPayment,
    SandboxReceipt,
)

SECRETS = {"consumer_secret": "a-consumer-secret", "token_secret": "a-token-secret"}

ACTIONS: Mapping[str, str] = {"bill_order": "bill"}
"""The suite's words for what people do, where the sandbox has others."""


class NetSuiteHarness(ErpHarness):
    name = "netsuite"
    traits = frozenset(
        {"answers_at_once", "any_text", "charges", "credits_name_orders", "direct_bills", "entities", "exact_prices"}
        | {"credits", "receipts", "retraction", "revisions_are_times", "status_words", "units"}
    )
    ways: ClassVar = dict.fromkeys(("order", "direct"), (RetractBy.DELETE, RetractBy.CREDIT))
    open_status = "Pending Receipt"
    wrong: ClassVar = {
        "token secret": ({"token_secret": "wrong"}, "AUTH_TOKEN_REFUSED"),
        "consumer": ({"consumer_key": "nobody"}, "AUTH_TOKEN_REFUSED"),
        "account": ({"account": "tstdrv1"}, "AUTH_TOKEN_REFUSED"),
        "entity": ({"entity": "999"}, "AUTH_ENTITY_NOT_ALLOWED"),
        "nothing": ({"token_id": ""}, "AUTH_CREDENTIALS_MISSING"),
    }
    misspelt: ClassVar = ({"bank_account": "BOB"}, "ACCOUNT_REFUSED")
    kinds: ClassVar = {"order": "purchaseOrder"}
    open_record = "107"
    entity = "1"
    other_entity = "2"
    never_open = "Pending Supervisor Approval"
    peek_calls = 3
    fault_words: ClassVar = {
        "create_bill": "add",
        "create_direct_bill": "add",
        "update_bill": "update",
        "create_payment": "add",
        "delete_bill": "delete",
        "credit_bill": "add",
        "read": "search",
    }
    charge_preferences: ClassVar = {
        "charge_account.freight": "7000",
        "charge_account.tax": "7000",
        "charge_account.discount": "7000",
    }

    refusals: ClassVar = {
        "UNEXPECTED_ERROR": (OutcomeUnknown, "OUTCOME_UNKNOWN"),
        "DUP_RCRD": (Duplicate, "ALREADY_EXISTS"),
        "INSUFFICIENT_PERMISSION": (AuthenticationFailed, "PERMISSION_DENIED"),
        "CLOSED_TRAN_PRD": (Rejected, "PERIOD_CLOSED"),
        "MISSING_REQD_FLD": (Rejected, "REQUIRED_FIELD_MISSING"),
        "INVALID_KEY_OR_REF": (Rejected, "VALUE_REFUSED"),
        "VALID_LINE_ITEM_REQD": (Rejected, "NOT_RECEIVED"),
        "RCRD_HAS_BEEN_CHANGED": (Stale, "RECORD_CHANGED"),
        "SSS_REQUEST_LIMIT_EXCEEDED": (Throttled, "ERP_THROTTLED"),
        "RCRD_DSNT_EXIST": (Rejected, "RECORD_NOT_FOUND"),
        "ZZ_NOBODY_MET_THIS": (UnknownRefusal, "UNKNOWN_ERP_ERROR"),
    }

    def start(self) -> None:
        self.sandbox.post("/companies/netsuite/sample")
        self.person("change_secrets", **SECRETS)
        # Most cases bill what was not received; the cases about receipts are in tests/erp/netsuite.
        self.switch(bill_in_advance=True)

    def settings(self) -> dict[str, Any]:
        return {
            "endpoint": f"{self.sandbox.url}/services/NetSuitePort_2023_2",
            "allow_loopback": True,
            "timeout_seconds": 5,
            "preferences": {"bank_account": "BOA"},
        }

    def keep_books_in(self, currency: str) -> None:
        self.load({"entities": [{"entity_id": "100", "currency": currency}]})

    def credentials(self) -> dict[str, str]:
        return {"account": "TSTDRV1", "consumer_key": "ck", "token_id": "tk", "entity": self.entity, **SECRETS}

    @property
    def company(self) -> str:
        return "TSTDRV1"

    @property
    def expense_account(self) -> str:
        return self._ids("accounts")["6600"]

    def secrets(self) -> Sequence[str]:
        return tuple(SECRETS.values())

    def person(self, action: str, **arguments: Any) -> Any:
        if action == "bill_order":
            # Its number is the supplier's; `invoice_number` is a number of another ERP's own.
            arguments["invoice_number"] = arguments.pop("vendor_number", "")
        if action == "delete_bill":
            action, arguments = "delete", {"kind": "bill", "external_id": arguments["key"]}
        if action == "edit_bill":
            arguments["number"] = arguments.pop("key")
        if action == "edit_vendor":
            arguments["number"] = arguments.pop("vendor_id")
        if action == "close_period":
            # Periods are months there.
            day = date.fromisoformat(arguments["through"])
            arguments["through"] = day.replace(day=monthrange(day.year, day.month)[1]).isoformat()
        if action == "add_bill":
            arguments = {name: value for name, value in arguments.items() if name in ("vendor_id", "number", "amount")}
        return super().person(ACTIONS.get(action, action), **arguments)

    # --- what it holds --------------------------------------------------------------------------------------------

    def orders(self) -> list[SandboxOrder]:
        vendors, items, accounts = self._ids("vendors"), self._ids("items"), self._ids("accounts")
        return [
            SandboxOrder(
                erp_id=order["record_no"],
                number=order["number"],
                status=order["state"],
                vendor_id=vendors[order["vendor_id"]],
                entity=order["entity"],
                total=Decimal(order["total"]),
                lines=tuple(
                    SandboxOrderLine(
                        line_no=line["line_no"],
                        item_id=accounts[line["account"]] if line["account"] else items[line["item_id"]],
                        quantity=Decimal(line["quantity"] or 1),
                        price=Decimal(line["price"] or line["amount"]),
                        amount=Decimal(line["amount"]),
                        billed=Decimal(line["billed"] or 0),
                    )
                    for line in order["lines"]
                ),
            )
            for order in self.held("purchase_orders")
        ]

    def receipts(self) -> list[SandboxReceipt]:
        orders = {order["number"]: order["record_no"] for order in self.held("purchase_orders")}
        return [
            SandboxReceipt(
                receipt["number"],
                orders[receipt["po_number"]],
                tuple(
                    (f"{orders[receipt['po_number']]}:{line['order_line']}", Decimal(line["quantity"]))
                    for line in receipt["lines"]
                ),
            )
            for receipt in self.held("receipts")
        ]

    def bills(self) -> list[SandboxBill]:
        """A vendor bill is the document and the payable in one."""
        return [
            SandboxBill(
                key=bill["external_id"] or bill["number"],
                document_id=bill["record_no"],
                payable_id=bill["record_no"],
                number=bill["number"],
                order_document=next((line["order_doc"] for line in bill["lines"] if line["order_doc"]), ""),
                order_number=next((line["po_number"] for line in bill["lines"] if line["po_number"]), ""),
                order_lines=tuple(
                    f"{line['order_doc']}:{'e' if line['expense'] else ''}{line['order_line']}"
                    for line in bill["lines"]
                ),
            )
            for bill in self.held("bills")
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
                document_id=bill["record_no"],
                amounts=tuple(Decimal(line["amount"]) for line in bill["lines"]),
            )
            for bill in self.held("bills")
        ]

    def payments(self) -> list[SandboxPayment]:
        return [
            SandboxPayment(
                payment["record_no"],
                payment["external_id"] or payment["number"],
                tuple((paid["bill_record_no"], Decimal(paid["amount"])) for paid in payment["details"]),
            )
            for payment in self.held("payments")
        ]

    def entries_of(self, bill: BillToRetract) -> list[tuple[date, Decimal]]:
        """Credits that are applied to it."""
        return [
            (date.fromisoformat(credit["date"]), -Decimal(credit["amount"]))
            for credit in self.held("credits")
            if any(applied["bill_record_no"] == bill.erp_id for applied in credit["details"])
        ]

    def vendors(self) -> set[str]:
        return {vendor["record_no"] for vendor in self.held("vendors")}

    def _ids(self, kind: str) -> dict[str, str]:
        return {row["key"]: row["record_no"] for row in self.held(kind)}

    def order_moved(self, *, with_header: bool) -> None:
        self.switch(header_stamp="moves" if with_header else "still")
        self.person("bill", number=OPEN_ORDER, invoice_number="MOVED", lines=[{"line": 1, "quantity": "1"}])

    def spell_deletions(self, spelling: str) -> None:
        assert not spelling, "NetSuite writes its keys in one way"

    def spell_voids(self, spelling: str) -> None:
        assert not spelling, "NetSuite writes its states in one way"


def _order_line(line: Mapping[str, Any]) -> str:
    """The order line a bill's line bills, as the client names it."""
    return f"{line['order_doc']}:{'e' if line['expense'] else ''}{line['order_line']}"
