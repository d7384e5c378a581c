"""QuickBooks Desktop in its sandbox, through the polling loop: journal, door, SOAP, Web Connector, company file.

A connector's call queues what it asks and raises Deferred; the sandbox's Web Connector then calls the door, and the
same call is made once more, as an activity does it.
"""

import asyncio
import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, ClassVar

import httpx
from cryptography.fernet import Fernet
from fastapi import FastAPI
from sqlalchemy import text

from api.web_connector import routes
from erp.connection import ConnectionSettings
from erp.connector import ErpConnector
from erp.errors import Deferred, Rejected
from erp.quickbooks_desktop import statuses
from erp.quickbooks_desktop.connector import ENHANCED, QuickBooksDesktopConnector
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.connections import Erp
from models.domain.ids import ConnectionId, OrganizationId
from models.store.audit.exchanges import Waiter
from models.store.base.database import Database
from models.store.connections import connections, organizations
from services.exchanges import StoredExchanges
from services.web_connector import logins
from settings import Settings
from tests.conformance.desktop_books import BOOKED, check_books
from tests.conformance.desktop_positions import Position
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    ErpHarness,
    Sandbox,
    SandboxBill,
    SandboxOrder,
    SandboxOrderLine,
    SandboxPayable,
    SandboxPayment,
    SandboxReceipt,
)
from tests.harness.checked_bodies import Checked, CheckedTransport

PUBLIC_URL = "https://posync.example.com"
BANK = "Bank of America, operations"
MOST_ROUNDS = 12
"""Sessions that one call may need, at most."""


class Door:
    """The door of the API alone. Calls come on the loop of the sandbox's thread: its connections to the database stay
    open there until `close`, as most of a test's time would go into making them.
    """

    def __init__(self, app: FastAPI, database_url: str) -> None:
        self._app = app
        self._database_url = database_url
        self._opened: dict[asyncio.AbstractEventLoop, Database] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        loop = asyncio.get_running_loop()
        if loop not in self._opened:
            self._opened[loop] = Database(self._database_url, pool_size=2)
        self._app.state.services.database = self._opened[loop]
        await self._app(scope, receive, send)

    def close(self) -> None:
        """Close the connections, each on the loop that it was made on. No test's own loop may run meanwhile."""
        for loop, database in self._opened.items():
            asyncio.run_coroutine_threadsafe(database.close(), loop).result(timeout=30)
        self._opened.clear()


DOORS: dict[str, Door] = {}
"""By database: the door as the sandbox's thread serves it."""


def close_doors() -> None:
    """Close the doors' connections to their databases, which are dropped."""
    while DOORS:
        DOORS.popitem()[1].close()


def door_of(database_url: str) -> Door:
    """The door. No Temporal is there to be woken: the suite itself asks again."""
    if database_url not in DOORS:
        app = FastAPI()
        app.include_router(routes.router)
        settings = Settings(
            database_url=database_url,
            credential_keys=(Fernet.generate_key().decode(),),
            public_url=PUBLIC_URL,
            web_connector_hold_seconds=0,
            web_connector_busy_seconds=0,
        )
        app.state.services = SimpleNamespace(
            settings=settings,
            temporal=SimpleNamespace(namespace="none"),
            outbox=SimpleNamespace(deliver_behind_answer=lambda *owed: None),
        )
        DOORS[database_url] = Door(app, database_url)
    return DOORS[database_url]


class Polled:
    """A role of a connector whose calls are repeated after each session of the Web Connector, until they are done."""

    def __init__(self, role: Any, poll: Callable[[], Any], begin: Callable[[], None]) -> None:
        self.unrepeated = role
        """The role itself, each call of which is one attempt."""
        self._poll, self._begin = poll, begin

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.unrepeated, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def call(*parameters: Any, **named: Any) -> Any:
            self._begin()
            for _ in range(MOST_ROUNDS):
                try:
                    return await value(*parameters, **named)
                except Deferred:
                    await self._poll()
            raise AssertionError(f"{name} was not done within {MOST_ROUNDS} sessions")

        return call


class QuickBooksDesktopHarness(ErpHarness):
    name = "quickbooks_desktop"
    database_url: ClassVar[str] = ""
    """Where the journal and the door's sessions are; the suite's conftest sets it."""
    traits = frozenset({"billing_moves_status", "charges", "polled"})
    wrong: ClassVar = {"nothing": ({"company": ""}, "WEB_CONNECTOR_AWAITED")}
    misspelt: ClassVar = ({"bank_acount": BANK}, "PREFERENCE_UNKNOWN")
    kinds: ClassVar = {"order": "PurchaseOrder"}
    open_status = statuses.OPEN
    entity = None
    other_entity = ""
    never_open = "Closed"
    fault_words: ClassVar = {
        "create_bill": "BillAdd",
        "update_bill": "BillMod",
        "create_payment": "BillPaymentCheckAdd",
        "read": "PurchaseOrderQuery",
    }
    refusals: ClassVar = {
        "3171": (Rejected, "PERIOD_CLOSED"),
        "3260": (Rejected, "PERMISSION_DENIED"),
        "3210": (Rejected, "VALUE_REFUSED"),
    }
    charge_preferences: ClassVar = {
        "charge_account.freight": "Freight",
        "charge_account.tax": "Insurance",
        "charge_account.discount": "Insurance",
    }

    def __init__(
        self,
        sandbox: Sandbox,
        position: Position | None = None,
        company_preferences: Mapping[str, bool] | None = None,
        checked: Checked | None = None,
    ) -> None:
        """`position` are switches that are set otherwise than usual, in a company with these preferences; `checked`
        checks the SOAP bodies."""
        self.checked = checked or Checked()
        self._position, self._company_preferences = position or {}, company_preferences or {}
        # The calls of one session: a document more where the Web Connector does not describe the company.
        described = self._position.get("first_call") != "empty"
        greeted = bool(self._position.get("server_version_called", True))
        self.session_questions = 0 if described else 3
        self.edits_keep_links = self._position.get("edited_line_link") != "lost"
        self.peek_calls = 8 - (0 if greeted else 2) + (0 if described else 2)
        self._numbers = itertools.count(1)
        self._work = 0
        self._facts: dict[str, str] = {ENHANCED: "false", "home_currency": "USD"}
        super().__init__(sandbox)

    def start(self) -> None:
        if self._position:
            self.switch(**self._position)
        self.sandbox.post(f"/companies/{self.name}/sample")
        self.load({"bank_accounts": [{"bank_account_id": "BOA", "name": "BOA"}]})
        self.open_record = next(one["record_no"] for one in self.held("purchase_orders") if one["number"] == OPEN_ORDER)
        computer = self.sandbox.app.quickbooks_desktop
        computer.transport = CheckedTransport(httpx.ASGITransport(door_of(self.database_url)), self.checked)
        if self._company_preferences:
            super().person("set_preferences", **self._company_preferences)
        self._database = Database(self.database_url, pool_size=3)
        self.connectors.append(self._database)  # closed with them
        self._ready: ConnectionId | None = None

    async def _connection(self) -> ConnectionId:
        """The connection, set up and recognized by its company file."""
        if self._ready is not None:
            return self._ready
        async with self._database.transaction() as s:
            organization = OrganizationId(await organizations.create_organization(s, "Sandbox Trading"))
            row = await connections.save_pending(
                s, organization_id=organization, erp=Erp.QUICKBOOKS_DESKTOP, name="Sandbox Trading",
                request=f"{id(self)}", company="desktop", entity=None, endpoint="web-connector:", settings={},
                credentials=b"", one_way=False, base_currency="USD", purchase_orders=True,
            )  # fmt: skip
            login = await logins.new_password(s, row, None)
            file = logins.setup_file(login.login, row, PUBLIC_URL)
            self._password = login.password
        await self._act("add_application", qwc=file, password=login.password)
        self._ready = ConnectionId(row.id)
        await self.poll()
        return self._ready

    async def _act(self, action: str, **parameters: Any) -> Any:
        return await asyncio.to_thread(
            self.sandbox.post, f"/companies/{self.name}/actions", {"action": action, **parameters}
        )

    async def poll(self) -> None:
        """One session of the Web Connector, if something waits; a write that could not be done now goes out at once."""
        async with self._database.transaction() as s:
            await s.execute(text("update exchanges set not_before = null where connection_id = :c"), {"c": self._ready})
        await self._act("update_selected")

    def settings(self) -> dict[str, Any]:
        return {"endpoint": "web-connector:", "read_lag_seconds": 0, "preferences": {"bank_account": BANK}}

    def keep_books_in(self, currency: str) -> None:
        self._facts["home_currency"] = currency

    def credentials(self) -> dict[str, str]:
        return {"company": "Sandbox Trading"}

    def secrets(self) -> Sequence[str]:
        return (self._password,)

    def connect(self, *, credentials: Mapping[str, str] | None = None, **settings: Any) -> ErpConnector:
        values = {**self.credentials(), **(credentials or {})}
        facts = self._facts | ({"company": values["company"]} if values["company"] else {})
        journal = _LaterJournal(self)
        created = QuickBooksDesktopConnector(
            ConnectionSettings(**{**self.settings(), "facts": facts, **settings}),
            Credentials(values={}),
            Storage(None, journal),
        )
        for role in ("orders", "receipts", "bills", "payments", "lists", "changes", "scan"):
            setattr(created, role, Polled(getattr(created, role), self.poll, self.begin))
        self.connectors.append(created)
        return created

    def begin(self) -> None:
        """A call is work of its own, as an activity is: what it asks is asked anew."""
        self._work = next(self._numbers)

    def waiter(self) -> Waiter:
        return Waiter("", "suite", str(self._work))

    def order_moved(self, *, with_header: bool) -> None:
        self.person("bill", number=OPEN_ORDER, invoice_number="MOVED", lines=[{"line": 1, "quantity": "1"}])

    def person(self, action: str, **arguments: Any) -> Any:
        if action == "bill_order":
            action, arguments["invoice_number"] = "bill", arguments.pop("vendor_number", "")
        if action == "delete_bill":
            action, arguments = "delete", {"kind": "bill", "number": f"INV-{arguments['key']}"}
        if action == "edit_bill":
            arguments["number"] = f"INV-{arguments.pop('key')}"
        if action == "edit_vendor":
            arguments["number"] = arguments.pop("vendor_id")
        if action == "add_bill":
            arguments = {name: value for name, value in arguments.items() if name in ("vendor_id", "number", "amount")}
        return super().person(action, **arguments)

    def check_books(self) -> None:
        check_books({kind: self.held(kind) for kind in BOOKED})

    # --- what it holds --------------------------------------------------------------------------------------------

    def orders(self) -> list[SandboxOrder]:
        vendors, items = self._ids("vendors"), self._ids("items")
        # With enhanced receiving receipts are billed by linked bills; the suite's company has the ordinary one.
        receipt_lines = [line for receipt in self.held("receipts") for line in receipt["lines"]]
        on_receipts = {line["order_doc"] for line in receipt_lines}
        orders = [
            SandboxOrder(
                erp_id=order["record_no"],
                number=order["number"],
                status=_status(order, on_receipts=order["record_no"] in on_receipts),
                vendor_id=vendors[order["vendor_id"]],
                entity=None,
                total=Decimal(order["total"]),
                lines=tuple(
                    SandboxOrderLine(
                        line_no=line["line_no"],
                        item_id=items[line["item_id"]],
                        quantity=Decimal(line["quantity"]),
                        price=Decimal(line["price"]),
                        amount=Decimal(line["amount"]),
                        billed=Decimal(line["received"] or 0),
                    )
                    for line in order["lines"]
                ),
            )
            for order in self.held("purchase_orders")
        ]
        return sorted(orders, key=lambda one: one.number == OPEN_ORDER)

    def receipts(self) -> list[SandboxReceipt]:
        return []

    def bills(self) -> list[SandboxBill]:
        return [
            SandboxBill(
                key=_key(bill),
                document_id=bill["record_no"],
                payable_id=bill["record_no"],
                number=bill["number"],
                order_document=next((line["order_doc"] for line in bill["lines"] if line["order_doc"]), ""),
                order_number=next((line["po_number"] for line in bill["lines"] if line["po_number"]), ""),
                order_lines=tuple(f"{line['order_doc']}:{line['order_line']}" for line in bill["lines"]),
            )
            for bill in self.held("bills")
        ]

    def payables(self) -> list[SandboxPayable]:
        return [
            SandboxPayable(
                erp_id=bill["record_no"],
                number=bill["number"] or "",
                state=("Paid" if Decimal(bill["due"]) == 0 else "Open") if sign == 1 else "Credit",
                total=sign * Decimal(bill["total"]),
                paid=sign * Decimal(bill["paid"]),
                due=sign * Decimal(bill["due"]),
                document_id=bill["record_no"] if sign == 1 else "",
                amounts=tuple(sign * Decimal(line["amount"]) for line in bill["lines"]),
            )
            for kind, sign in (("bills", 1), ("credits", -1))
            for bill in self.held(kind)
        ]

    def payments(self) -> list[SandboxPayment]:
        return [
            SandboxPayment(
                payment["record_no"],
                _key(payment) or payment["number"],
                tuple((paid["bill_record_no"], Decimal(paid["amount"])) for paid in payment["details"]),
            )
            for payment in self.held("payments")
        ]

    def vendors(self) -> set[str]:
        return {vendor["record_no"] for vendor in self.held("vendors")}

    def _ids(self, kind: str) -> dict[str, str]:
        return {row["key"]: row["record_no"] for row in self.held(kind)}

    def spell_deletions(self, spelling: str) -> None:
        assert not spelling, "QuickBooks writes its keys in one way"

    def spell_voids(self, spelling: str) -> None:
        assert not spelling, "QuickBooks writes its states in one way"


class _LaterJournal:
    """The stored journal of a connection that is set up at the first call."""

    def __init__(self, harness: QuickBooksDesktopHarness) -> None:
        self._harness = harness

    def __getattr__(self, name: str) -> Any:
        async def call(*parameters: Any, **named: Any) -> Any:
            connection_id = await self._harness._connection()
            stored = StoredExchanges(self._harness._database, connection_id, self._harness.waiter)
            return await getattr(stored, name)(*parameters, **named)

        return call


def _key(row: Mapping[str, Any]) -> str:
    memo = row["memo"] or ""
    return memo.rpartition("[posync ")[2].removesuffix("]") if "[posync " in memo else ""


def _status(order: Mapping[str, Any], *, on_receipts: bool) -> str:
    """The status as the client says it: the flags of the head, and what its lines received."""
    if order["manually_closed"]:
        return statuses.CLOSED
    if order["fully_received"]:
        return statuses.ON_RECEIPTS if on_receipts else statuses.RECEIVED
    received = any(Decimal(line["received"] or 0) for line in order["lines"])
    return statuses.PARTLY if received else statuses.OPEN
