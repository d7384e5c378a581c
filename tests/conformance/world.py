"""What the suite needs of an ERP's sandbox, in the suite's own words; one World per ERP.

A new ERP joins by writing a World and naming it in conftest.py (docs/add-an-erp.md). The cases know no ERP: what one
does otherwise is data of its World, and what one does not have is a missing trait. The rows that `held` gives are in
the words of the first sandbox; another World puts its own into them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from erp.connector import ConnectionSettings, ConnectorFactory, Credentials, ErpConnector
from erp.errors import ErpError
from models.domain import (
    BillLineSource,
    BillLineToPush,
    BillToPush,
    ExternalKey,
    PaymentToPush,
    PurchaseOrder,
    PushedBill,
)

TRAITS = {
    "back_orders": "an order may be closed and continued by another one",
    "billing_moves_status": "billing a part of an order that nothing was received of moves its status",
    "credits_name_orders": "a vendor credit names the order lines it takes back",
    "lag": "reads may show the state of a while ago",
    "lines_emptied": "a field of a bill line can be emptied",
    "number_is_key": "our key is the document's number, which others may have used",
    "one_source": "a bill is converted from one document unless the company allows more",
    "paid_is_frozen": "a paid bill cannot be edited",
    "payable_replaced": "editing a bill's document replaces the payable behind it",
    "payment_approval": "payments may wait for an approval in the ERP",
    "sessions": "signing in opens a session",
    "subtotals": "charges are subtotals of the bill's definition",
    "user_time_zone": "stamps follow the user's time zone",
}
"""What some ERPs have and others have not; cases about one are marked with it."""

OPEN_ORDER = "PO-1007"
"""An open order of several lines in the sample company."""


class Sandbox(Protocol):
    """The sandbox server of tests/conftest.py."""

    url: str

    def post(self, path: str, body: Any = None) -> Any: ...

    def get(self, path: str) -> Any: ...


class World(ABC):
    """One ERP in its sandbox, with the sample company loaded."""

    name: ClassVar[str]
    """The ERP's name, as in `Erp`."""
    factory: ClassVar[ConnectorFactory]
    traits: ClassVar[frozenset[str]]
    """What this ERP has of `TRAITS`; cases about what it lacks are left out."""
    wrong: ClassVar[Mapping[str, tuple[Mapping[str, str], str]]]
    """Credentials that are wrong in one way each, and the code that says which."""
    misspelt: ClassVar[tuple[Mapping[str, str], str]]
    """Preferences a person got nearly right, and the code of the problem."""
    kinds: ClassVar[Mapping[str, str]]
    """The suite's word for a kind of record to the sandbox's in faults: order."""
    open_record: ClassVar[str]
    """The record number of OPEN_ORDER."""
    entity: ClassVar[str]
    other_entity: ClassVar[str]
    never_open: ClassVar[str]
    """A state of orders that never come in, and may be deleted."""
    peek_calls: ClassVar[int]
    """How many calls an unchanged peek takes."""
    deletion_spellings: ClassVar[Sequence[str]] = ("",)
    void_spellings: ClassVar[Sequence[str]] = ("",)
    """Spellings that vary by release; the suite tries each."""
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

    @property
    def company(self) -> str:
        """What the connection's company is called."""
        return self.credentials()["company"]

    @abstractmethod
    def spell_deletions(self, spelling: str) -> None:
        """Have the delete feed write its keys so."""

    @abstractmethod
    def spell_voids(self, spelling: str) -> None:
        """Have payments show their state so."""

    @abstractmethod
    def order_moved(self, *, with_header: bool) -> None:
        """Change a line of OPEN_ORDER so that its header's stamp moves, or does not."""

    @abstractmethod
    def secrets(self) -> Sequence[str]:
        """What must never be shown."""

    def connect(self, *, credentials: Mapping[str, str] | None = None, **settings: Any) -> ErpConnector:
        """A connector of this connection, closed at the end of the test."""
        made = self.factory(
            ConnectionSettings(**{**self.settings(), **settings}),
            Credentials(values={**self.credentials(), **(credentials or {})}),
        )
        self.connectors.append(made)
        return made

    def fault(self, kind: str, operation: str = "*", **more: Any) -> None:
        rule = {"erp": self.name, "kind": kind, "operation": self.fault_words.get(operation, operation), **more}
        self.sandbox.post("/faults", {"rules": [{"times": 1, **rule}], "seed": 7})

    def switch(self, **values: Any) -> None:
        self.sandbox.post(f"/companies/{self.name}/switches", values)

    def person(self, action: str, **given: Any) -> Any:
        """What someone does in the ERP's own screens."""
        return self.sandbox.post(f"/companies/{self.name}/actions", {"action": action, **given})

    def held(self, kind: str) -> list[dict[str, Any]]:
        """What the ERP holds."""
        return self.sandbox.get(f"/companies/{self.name}/{kind}")

    def load(self, company: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
        self.sandbox.post(f"/companies/{self.name}/load?create_missing=true", company)

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
