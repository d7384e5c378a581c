"""Oracle NetSuite in its sandbox."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from erp.errors import AuthenticationFailed, Duplicate, OutcomeUnknown, Rejected, Stale, Throttled
from erp.netsuite.connector import NetSuiteConnector
from tests.conformance.world import OPEN_ORDER, World

SECRETS = {"consumer_secret": "a-consumer-secret", "token_secret": "a-token-secret"}

ACTIONS: Mapping[str, str] = {"convert_to_vendor_invoice": "bill", "edit_vendor_invoice": "edit_bill"}


class NetSuiteWorld(World):
    name = "netsuite"
    factory = NetSuiteConnector
    traits = frozenset({"credits_name_orders"})
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
    fault_words: ClassVar = {"create_bill": "add", "update_bill": "update", "create_payment": "add", "read": "search"}
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
        "ZZ_NOBODY_MET_THIS": (Rejected, "UNKNOWN_ERP_ERROR"),
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

    def credentials(self) -> dict[str, str]:
        return {"account": "TSTDRV1", "consumer_key": "ck", "token_id": "tk", "entity": self.entity, **SECRETS}

    @property
    def company(self) -> str:
        return "TSTDRV1"

    def secrets(self) -> Sequence[str]:
        return tuple(SECRETS.values())

    # --- the suite's words ------------------------------------------------------------------------------------------

    def person(self, action: str, **given: Any) -> Any:
        if action == "convert_to_vendor_invoice":
            # Its number is the supplier's; `invoice_number` is a number of Intacct's own.
            given["invoice_number"] = given.pop("vendor_number", "")
        if action == "delete" and given["kind"] == "vendor_invoice":
            given = {"kind": "bill", "external_id": given["number"]}
        if action == "edit_vendor":
            given["number"] = given.pop("vendor_id")
        if action == "close_period":
            # Periods are months there.
            day = date.fromisoformat(given["through"])
            given["through"] = day.replace(day=monthrange(day.year, day.month)[1]).isoformat()
        if action == "add_bill":
            given = {name: value for name, value in given.items() if name in ("vendor_id", "number", "amount")}
        return super().person(ACTIONS.get(action, action), **given)

    def held(self, kind: str) -> list[dict[str, Any]]:
        make = {
            "purchase_orders": self._orders,
            "receipts": self._receipts,
            "bills": self._bills,
            "vendor_invoices": self._invoices,
            "payments": self._payments,
            "vendors": self._vendors,
        }
        return make[kind]()

    def _orders(self) -> list[dict[str, Any]]:
        vendors, items, accounts = self._ids("vendors"), self._ids("items"), self._ids("accounts")
        return [
            {
                **order,
                "vendor_id": vendors[order["vendor_id"]],
                "lines": [
                    {
                        **line,
                        "item_id": accounts[line["account"]] if line["account"] else items[line["item_id"]],
                        "quantity": line["quantity"] or "1",
                        "price": line["price"] or line["amount"],
                        "converted": line["billed"] or "0",
                    }
                    for line in order["lines"]
                ],
            }
            for order in super().held("purchase_orders")
        ]

    def _receipts(self) -> list[dict[str, Any]]:
        numbers = {order["number"]: order["record_no"] for order in super().held("purchase_orders")}
        return [
            {
                **receipt,
                "created_from": numbers[receipt["po_number"]],
                "lines": [
                    {**line, "source_line": f"{numbers[receipt['po_number']]}:{line['order_line']}"}
                    for line in receipt["lines"]
                ],
            }
            for receipt in super().held("receipts")
        ]

    def _bills(self) -> list[dict[str, Any]]:
        return [{**bill, "source_document": bill["record_no"]} for bill in super().held("bills")]

    def _invoices(self) -> list[dict[str, Any]]:
        """A vendor bill is the document and the payable in one; ours is known by its external id."""
        return [
            {
                **bill,
                "number": bill["external_id"] or bill["number"],
                "vendor_number": bill["number"],
                "document_id": bill["record_no"],
                "bill_record_no": bill["record_no"],
                "created_from": next((line["order_doc"] for line in bill["lines"] if line["order_doc"]), ""),
                "reference": next((line["po_number"] for line in bill["lines"] if line["po_number"]), ""),
                "lines": [
                    {
                        **line,
                        "source_line": f"{line['order_doc']}:{'e' if line['expense'] else ''}{line['order_line']}",
                    }
                    for line in bill["lines"]
                ],
            }
            for bill in super().held("bills")
        ]

    def _payments(self) -> list[dict[str, Any]]:
        return [
            {
                **payment,
                "document_number": payment["external_id"] or payment["number"],
                "details": [{name: paid[name] for name in ("bill_record_no", "amount")} for paid in payment["details"]],
            }
            for payment in super().held("payments")
        ]

    def _vendors(self) -> list[dict[str, Any]]:
        return [{**vendor, "vendorid": vendor["record_no"]} for vendor in super().held("vendors")]

    def _ids(self, kind: str) -> dict[str, str]:
        return {row["key"]: row["record_no"] for row in super().held(kind)}

    def order_moved(self, *, with_header: bool) -> None:
        self.switch(header_stamp="moves" if with_header else "still")
        self.person("bill", number=OPEN_ORDER, invoice_number="MOVED", lines=[{"line": 1, "quantity": "1"}])

    def spell_deletions(self, spelling: str) -> None:
        assert not spelling, "NetSuite writes its keys in one way"

    def spell_voids(self, spelling: str) -> None:
        assert not spelling, "NetSuite writes its states in one way"
