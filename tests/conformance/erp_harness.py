"""What the suite needs of an ERP's sandbox, in the suite's own words; one harness per ERP.

A new ERP joins by writing a harness and naming it in harnesses.py (docs/how-to/add-an-erp.md). The cases know no ERP:
what one does otherwise is data of its harness, and what one does not have is a missing trait. What the ERP holds comes
in the suite's own records, `SandboxOrder` and the like; `held` gives a sandbox's rows as they are, for an ERP's tests.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from erp.connection import ConnectionSettings
from erp.connector import ErpConnector
from erp.errors import ErpError
from erp.registry import connectors
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.bills import BillLineSource, BillLineToPush, BillToPush, DirectBillToPush, PushedBill
from models.domain.connections import Erp
from models.domain.ids import ExternalKey
from models.domain.orders import PurchaseOrder
from models.domain.payments import PaymentToPush
from models.domain.retractions import BillToRetract, RetractBy

TRAITS = {
    "answers_at_once": "it answers while it is asked, so that a call fails with its answer",
    "any_text": "its records keep every character",
    "back_orders": "an order may be closed and continued by another one",
    "billing_moves_status": "billing a part of an order that nothing was received of moves its status",
    "charges": "bills carry freight, tax and a discount beyond their lines",
    "credits_name_orders": "a vendor credit names the order lines it takes back",
    "credits": "it takes credits of vendors from here",
    "direct_bills": "it takes bills that have no order",
    "lag": "reads may show the state of a while ago",
    "lines_emptied": "a field of a bill line can be emptied",
    "number_is_key": "our key is the document's number, which others may have used",
    "one_source": "a bill is converted from one document unless the company allows more",
    "paid_is_frozen": "a paid bill cannot be edited",
    "payable_replaced": "editing a bill's document replaces the payable behind it",
    "payment_approval": "payments may wait for an approval in the ERP",
    "exact_prices": "its records keep ten decimals of a price",
    "entities": "an order belongs to an entity, and a connection may be limited to one",
    "polled": "its program comes by: what fails is asked again before a connector learns of it",
    "receipts": "what was received is a record of its own",
    "retraction": "a bill can be taken back from here",
    "revisions_are_times": "revisions are times of the clock that cursors are of",
    "sessions": "signing in opens a session",
    "status_words": "an order's status is a word of the ERP's",
    "subtotals": "charges are subtotals of the bill's definition",
    "units": "a bill's line names its unit",
    "user_time_zone": "stamps follow the user's time zone",
}
"""What some ERPs have and others have not; cases about one are marked with it."""

OPEN_ORDER = "PO-1007"
"""An open order of several lines in the sample company."""


@dataclass(frozen=True)
class SandboxOrderLine:
    line_no: int
    item_id: str
    quantity: Decimal
    price: Decimal
    amount: Decimal
    billed: Decimal
    """What the ERP counts as converted or billed."""


@dataclass(frozen=True)
class SandboxOrder:
    erp_id: str
    number: str
    status: str
    vendor_id: str
    entity: str
    """Empty: it belongs to no entity."""
    total: Decimal
    lines: tuple[SandboxOrderLine, ...]


@dataclass(frozen=True)
class SandboxReceipt:
    number: str
    order_document: str
    lines: tuple[tuple[str, Decimal], ...]
    """Order line and quantity."""


@dataclass(frozen=True)
class SandboxBill:
    """A bill made from an order, as the document that makes it."""

    key: str
    """Ours, where we made it."""
    document_id: str
    payable_id: str
    """What is paid: the document itself, or what stands behind it."""
    number: str
    """The supplier's."""
    order_document: str
    """The order or receipt it is made from; empty: none."""
    order_number: str
    order_lines: tuple[str, ...]
    """What each line bills."""


@dataclass(frozen=True)
class SandboxPayable:
    """A bill as Accounts Payable holds it, whoever made it."""

    erp_id: str
    number: str
    state: str
    total: Decimal
    paid: Decimal
    due: Decimal
    document_id: str
    """The document that made it; empty: none."""
    amounts: tuple[Decimal, ...]
    """Of its lines."""


@dataclass(frozen=True)
class SandboxPayment:
    erp_id: str
    key: str
    shares: tuple[tuple[str, Decimal], ...]
    """Payable and amount."""


class Sandbox(Protocol):
    """The sandbox server of tests/conftest.py."""

    url: str

    def post(self, path: str, body: Any = None) -> Any: ...

    def get(self, path: str) -> Any: ...


class ErpHarness(ABC):
    """One ERP in its sandbox, with the sample company loaded."""

    name: ClassVar[str]
    """The ERP's name, as in `Erp`."""
    storage: ClassVar[Storage | None] = None
    """Where its connector keeps what outlives it; None: it keeps nothing."""
    traits: ClassVar[frozenset[str]]
    """What this ERP has of `TRAITS`; cases about what it lacks are left out."""
    ways: ClassVar[Mapping[str, tuple[RetractBy, ...]]] = {}
    """How it takes bills back: of an `order` and `direct` ones."""
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
    open_status: ClassVar[str]
    """The status of an order of which nothing is billed."""
    never_open: ClassVar[str]
    """A state of orders that never come in, and may be deleted."""
    most_in_flight: int = 1
    """Calls of one company at a time, as the suite's connections are set."""
    peek_calls: int
    """How many calls an unchanged peek takes."""
    session_questions: int = 0
    """Operations that come with every session, whatever is asked in it."""
    edits_keep_links: bool = True
    """Whether a bill whose lines are edited stays linked to its order; else that is told when it is read back."""
    deletion_spellings: ClassVar[Sequence[str]] = ("",)
    void_spellings: ClassVar[Sequence[str]] = ("",)
    """Spellings that vary by release; the suite tries each."""
    fault_words: ClassVar[Mapping[str, str]]
    """The suite's word for an operation to the sandbox's: create_bill, create_direct_bill, update_bill, create_payment,
    read."""

    storm_operations: ClassVar[Sequence[str]] = ("*",)
    """Operations, in the sandbox's words, that a storm of faults meets; where a lost answer at signing in ends the
    grant, signing in is not among them."""

    refusals: ClassVar[Mapping[str, tuple[type[ErpError], str]]]
    """Error numbers of this ERP to the family and code they must become on a write."""

    charge_preferences: ClassVar[Mapping[str, str]] = {}
    """The preferences with which its bills carry freight, tax and a discount, where it has the trait `charges`."""

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

    def wait(self, error: ErpError) -> None:
        """Let the time pass for which an error asks; most connectors leave that to whoever calls them."""
        assert error.retryable, "nobody waits for what no waiting helps"

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
    def orders(self) -> list[SandboxOrder]:
        """The purchase orders the ERP holds, of every entity."""

    @abstractmethod
    def receipts(self) -> list[SandboxReceipt]:
        """The receipts it holds."""

    @abstractmethod
    def bills(self) -> list[SandboxBill]:
        """The bills made from orders or receipts."""

    @abstractmethod
    def payables(self) -> list[SandboxPayable]:
        """All bills of Accounts Payable."""

    @abstractmethod
    def payments(self) -> list[SandboxPayment]:
        """The payments it holds."""

    def entries_of(self, bill: BillToRetract) -> list[tuple[date, Decimal]]:
        """Day and amount of the entries that took this bill back; empty where it is only ever deleted."""
        return []

    @abstractmethod
    def vendors(self) -> set[str]:
        """Its vendors, by the id that documents name them with."""

    @property
    def expense_account(self) -> str:
        """An account of expenses, by the id that bills name it with; empty where it takes no bill without an order."""
        return ""

    @abstractmethod
    def secrets(self) -> Sequence[str]:
        """What must never be shown."""

    def connect(self, *, credentials: Mapping[str, str] | None = None, **settings: Any) -> ErpConnector:
        """A connector of this connection, closed at the end of the test."""
        created = connectors()[Erp(self.name)](
            ConnectionSettings(**{**self.settings(), **settings}),
            Credentials(values={**self.credentials(), **(credentials or {})}),
            self.storage,
        )
        self.connectors.append(created)
        return created

    def check_books(self) -> None:  # noqa: B027 most of the sandboxes keep no ledger
        """Compare, at the end of every case, what the ERP's books say with the documents it holds, where they keep a
        ledger."""

    def fault(self, kind: str, operation: str = "*", **more: Any) -> None:
        rule = {"erp": self.name, "kind": kind, "operation": self.fault_words.get(operation, operation), **more}
        self.sandbox.post("/faults", {"rules": [{"times": 1, **rule}], "seed": 7})

    def switch(self, **values: Any) -> None:
        self.sandbox.post(f"/companies/{self.name}/switches", values)

    def take_numbers_once(self) -> None:
        """A vendor's number is taken for one document only: of an ERP with the trait `one_source`."""
        raise NotImplementedError

    @abstractmethod
    def keep_books_in(self, currency: str) -> None:
        """The books behind this connection are kept in this currency."""

    def person(self, action: str, **arguments: Any) -> Any:
        """What someone does in the ERP's own screens, in the suite's words: bill_order, edit_bill, delete_bill, receive
        and so on."""
        return self.sandbox.post(f"/companies/{self.name}/actions", {"action": action, **arguments})

    def held(self, kind: str) -> list[dict[str, Any]]:
        """What the ERP holds, as its sandbox says it."""
        return self.sandbox.get(f"/companies/{self.name}/{kind}")

    def load(self, company: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
        self.sandbox.post(f"/companies/{self.name}/load?create_missing=true", company)

    def calls(self) -> dict[str, Any]:
        return self.sandbox.get("/calls")

    def forget_calls(self) -> None:
        self.sandbox.post("/calls/reset")

    def pass_time(self, seconds: float) -> None:
        self.sandbox.post("/clock", {"advance_seconds": seconds})

    def bills_with(self, key: str) -> list[SandboxBill]:
        return [bill for bill in self.bills() if bill.key == key]

    def payments_with(self, key: str) -> list[SandboxPayment]:
        return [payment for payment in self.payments() if payment.key == key]


# --- what tests ask of a connector -----------------------------------------------------------------------------


async def all_orders(connector: ErpConnector, *, since: str | None = None) -> dict[str, PurchaseOrder]:
    """Every order by number, read page by page as a sync does."""
    found: dict[str, PurchaseOrder] = {}
    after = None
    while True:
        headers = await connector.orders.headers(since=since, ordered_from=None, after=after, open_in=None)
        orders = await connector.orders.lines(headers.records)
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


def to_take_back(
    bill: BillToPush | DirectBillToPush, pushed: PushedBill, way: RetractBy = RetractBy.DELETE
) -> BillToRetract:
    on_order = isinstance(bill, BillToPush)
    return BillToRetract(
        external_key=bill.external_key,
        erp_id=pushed.erp_id,
        document_id=pushed.document_id,
        order_document=bill.order_document if on_order else None,
        owner_entity=bill.owner_entity if on_order else bill.entity,
        way=way,
        dated=bill.posting_date + timedelta(days=1) if way.makes_entry else None,
        vendor_id=bill.vendor_id,
        number=bill.number,
        currency=bill.currency,
        total=bill.total,
        why="a retraction of the suite",
    )


async def push(connector: ErpConnector, bill: BillToPush) -> PushedBill:
    return await connector.bills.read_back(bill, await connector.bills.create(bill))
