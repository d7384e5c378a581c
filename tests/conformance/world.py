"""What the suite needs of an ERP's sandbox, in the suite's own words; one World per ERP.

A new ERP joins by writing a World and adding it to `WORLDS` (docs/add-an-erp.md). The cases know no ERP.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from erp.connector import ConnectionSettings, Credentials, ErpConnector
from erp.errors import AuthenticationFailed, Duplicate, ErpError, OutcomeUnknown, Rejected
from erp.registry import CONNECTORS
from models.domain import (
    BillLineSource,
    BillLineToPush,
    BillToPush,
    Erp,
    ExternalKey,
    PaymentToPush,
    PurchaseOrder,
    PushedBill,
)

OPEN_ORDER = "PO-1007"
"""An open order of several lines in the sample company."""


class Sandbox(Protocol):
    """The sandbox server of tests/conftest.py."""

    url: str

    def post(self, path: str, body: Any = None) -> Any: ...

    def get(self, path: str) -> Any: ...


class World(ABC):
    """One ERP in its sandbox, with the sample company loaded."""

    erp: Erp
    fault_words: ClassVar[Mapping[str, str]]
    """The suite's word for an operation to the sandbox's: create_bill, update_bill, create_payment, read."""

    refusals: ClassVar[Mapping[str, tuple[type[ErpError], str]]]
    """Error numbers of this ERP to the family and code they must become on a write."""

    charge_preferences: ClassVar[Mapping[str, str]] = {}
    """The preferences with which its bills carry freight, tax and a discount; empty: they carry no such money."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.connectors: list[ErpConnector] = []
        self.start()

    @abstractmethod
    def start(self) -> None:
        """Load the sample company."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What a good connection is set to."""

    @abstractmethod
    def credentials(self) -> dict[str, str]:
        """What a good connection signs in with."""

    @abstractmethod
    def secrets(self) -> Sequence[str]:
        """What must never be shown."""

    def connect(self, *, credentials: Mapping[str, str] | None = None, **settings: Any) -> ErpConnector:
        """A connector of this connection, closed at the end of the test."""
        made = CONNECTORS[self.erp](
            ConnectionSettings(**{**self.settings(), **settings}),
            Credentials(values={**self.credentials(), **(credentials or {})}),
        )
        self.connectors.append(made)
        return made

    def fault(self, kind: str, operation: str = "*", **more: Any) -> None:
        rule = {"erp": self.erp.value, "kind": kind, "operation": self.fault_words.get(operation, operation), **more}
        self.sandbox.post("/faults", {"rules": [{"times": 1, **rule}], "seed": 7})

    def switch(self, **values: Any) -> None:
        self.sandbox.post(f"/companies/{self.erp.value}/switches", values)

    def person(self, action: str, **given: Any) -> Any:
        """What someone does in the ERP's own screens."""
        return self.sandbox.post(f"/companies/{self.erp.value}/actions", {"action": action, **given})

    def held(self, kind: str) -> list[dict[str, Any]]:
        """What the ERP holds."""
        return self.sandbox.get(f"/companies/{self.erp.value}/{kind}")

    def load(self, company: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
        self.sandbox.post(f"/companies/{self.erp.value}/load?create_missing=true", company)

    def calls(self) -> dict[str, Any]:
        return self.sandbox.get("/calls")

    def forget_calls(self) -> None:
        self.sandbox.post("/calls/reset")

    def pass_time(self, seconds: float) -> None:
        self.sandbox.post("/clock", {"advance_seconds": seconds})

    def invoices_with(self, key: str) -> list[dict[str, Any]]:
        return [invoice for invoice in self.held("vendor_invoices") if invoice["number"] == key]

    def payments_with(self, key: str) -> list[dict[str, Any]]:
        return [payment for payment in self.held("payments") if payment["document_number"] == key]


class IntacctWorld(World):
    erp = Erp.INTACCT
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


WORLDS: Mapping[Erp, type[World]] = {Erp.INTACCT: IntacctWorld}


# --- what tests ask of a connector -----------------------------------------------------------------------------


async def all_orders(connector: ErpConnector, *, since: str | None = None) -> dict[str, PurchaseOrder]:
    """Every order by number, read page by page as a sync does."""
    found: dict[str, PurchaseOrder] = {}
    after = None
    while True:
        headers = await connector.purchase_order_headers(since=since, ordered_from=None, after=after, open_in=None)
        orders = await connector.purchase_order_lines(headers.records)
        assert not headers.bad
        assert not orders.bad
        for order in orders.records:
            assert order.number not in found, f"{order.number} came twice"
            found[order.number] = order
        after = headers.after
        if after is None:
            return found


async def the_order(connector: ErpConnector, number: str = OPEN_ORDER) -> PurchaseOrder:
    return (await all_orders(connector))[number]


def a_bill_for(order: PurchaseOrder, key: str, quantity: Decimal = Decimal(1), lines: int = 1) -> BillToPush:
    """A bill of so many of each of the first lines."""
    chosen = order.lines[:lines]
    amounts = [(line.price * quantity).quantize(Decimal("0.01")) for line in chosen]
    return BillToPush(
        external_key=ExternalKey(key),
        vendor_id=order.vendor_id,
        number=f"INV-{key}",
        order_document=order.document_id,
        order_number=order.number,
        owner_entity=order.owner_entity,
        bill_date=order.ordered_on,
        posting_date=order.ordered_on,
        due_date=order.ordered_on + timedelta(days=30),
        currency="USD",
        memo="a bill of the suite",
        total=sum(amounts, Decimal(0)),
        lines=tuple(
            BillLineToPush(
                line_no=number,
                item_id=line.item_id,
                description=line.description,
                quantity=quantity,
                unit=line.unit,
                amount=amount,
                order_line=line.erp_id,
                source=BillLineSource(document_id=order.document_id, line=line.erp_id),
                entity=line.entity,
                department=line.department,
                location=line.location,
                class_id=line.class_id,
            )
            for number, (line, amount) in enumerate(zip(chosen, amounts, strict=True), start=1)
        ),
    )


def a_payment_of(bill: BillToPush, pushed: PushedBill, key: str, amount: Decimal | None = None) -> PaymentToPush:
    return PaymentToPush(
        external_key=ExternalKey(key),
        vendor_id=bill.vendor_id,
        bill_document=pushed.document_id,
        bill_erp_id=pushed.erp_id,
        payable_hint=pushed.payable_id,
        amount=bill.total if amount is None else amount,
        currency=bill.currency,
        paid_on=bill.bill_date,
        method="eft",
        bank_account="BOA",
        owner_entity=bill.owner_entity,
    )


async def push(connector: ErpConnector, bill: BillToPush) -> PushedBill:
    return await connector.read_bill(bill, await connector.create_bill(bill))
