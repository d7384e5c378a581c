"""A crash of the Web Connector, of the API and of the worker at every step: no document is lost, none is made twice.

One seed of each cell; all twenty, in less than twenty minutes:

    .venv/bin/pytest -n 2 tests/conformance/test_crashes.py --crash-seeds 20

The sandbox's Web Connector and company file, the door and the database are real. A process that dies is one whose call
ends at that step: all they know is in the database, and a new process goes on from there.
"""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import httpx
import pytest

from erp.connection import ConnectionSettings
from erp.errors import Deferred, Duplicate, OutcomeUnknown, Stale, Unavailable
from erp.quickbooks_desktop.connector import QuickBooksDesktopConnector
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.bills import BillToPush
from models.domain.payments import PaymentToPush
from models.store.audit.exchanges import Waiter
from services.exchanges import StoredExchanges
from tests.conformance.erp_harness import a_bill_for, a_payment_of
from tests.conformance.mortal import CALLS, Died, MortalApi, MortalJournal, Once
from tests.conformance.quickbooks_desktop_harness import BANK, QuickBooksDesktopHarness, door_of

JOURNAL = ("read", "write", "awaited", "own_write", "noted")
"""What a worker does with the journal: it dies before, or behind what it stored."""

CELLS: Sequence[tuple[str, str, str]] = (
    *(("web connector", f"killed_{when}", call) for call in CALLS for when in ("before", "after")),
    ("web connector", "lost_request", "BillAdd"),
    ("web connector", "lost_answer", "BillAdd"),
    *(("api", when, call) for call in CALLS for when in ("before", "after")),
    *(("worker", when, step) for step in JOURNAL for when in ("before", "after")),
)
MOST_ATTEMPTS = 30
WORK = ("pay", "edit", "receipt")
"""What else is done with the bill: it is paid, or edited, or takes the place of an item receipt."""


class Job:
    """One bill and what is done with it, each step by an activity of its own that is tried until it is done."""

    def __init__(self, harness: QuickBooksDesktopHarness, key: str, work: str, dies: Once | None, when: str) -> None:
        self._harness, self._key, self._work, self._dies, self._when = harness, key, work, dies, when
        self._attempts = 0
        self._waiter = Waiter("", "", "")

    def _connector(self) -> QuickBooksDesktopConnector:
        """What a new process has."""
        assert self._harness._ready is not None
        preferences = {"bank_account": BANK, "replace_item_receipts": "true"}
        facts = {**self._harness._facts, "company": "Sandbox Trading"}
        settings = ConnectionSettings(endpoint="web-connector:", preferences=preferences, facts=facts)
        stored: Any = StoredExchanges(self._harness._database, self._harness._ready, lambda: self._waiter)
        if self._dies is not None:
            stored = MortalJournal(stored, self._dies, self._when)
        return QuickBooksDesktopConnector(
            settings,
            Credentials(values={}),
            Storage(None, stored),
        )

    async def _activity(self, name: str, attempt: Any) -> Any:
        self._waiter = Waiter("", self._key, name)
        doubted = False
        while self._attempts < MOST_ATTEMPTS:
            self._attempts += 1
            try:
                return await attempt(self._connector(), doubted=doubted)
            except (Died, OutcomeUnknown):
                doubted = True
            except (Deferred, Unavailable, Stale):
                pass
            await self._harness.poll()
        raise AssertionError(f"{name} was not done within {MOST_ATTEMPTS} attempts")

    async def run(self, bill: BillToPush) -> None:
        """Push the bill, and do the rest with it."""

        async def push(connector: QuickBooksDesktopConnector, *, doubted: bool) -> Any:
            there = await connector.bills.find(bill) if doubted else None
            return await connector.bills.read_back(bill, there or await connector.bills.create(bill))

        pushed = await self._activity("push", push)
        assert (pushed.linked, pushed.differences) == (True, ())
        if self._work == "pay":
            payment = a_payment_of(bill, pushed, f"PAY-{self._key}").model_copy(
                update={"bank_account": BANK, "method": "check"}
            )
            await self._activity("pay", self._paying(payment))
            assert len(self._harness.payments_with(payment.external_key)) == 1
        if self._work == "edit":
            edited = bill.model_copy(update={"memo": "agreed by phone", "edited": frozenset({"memo"})})

            async def edit(connector: QuickBooksDesktopConnector, *, doubted: bool) -> None:
                try:
                    await connector.bills.update(edited, pushed.document_id, edition=2)
                except Duplicate:
                    return

            await self._activity("edit", edit)
        (stored,) = self._harness.bills_with(self._key)
        assert stored.document_id == pushed.document_id

    @staticmethod
    def _paying(payment: PaymentToPush) -> Any:
        async def pay(connector: QuickBooksDesktopConnector, *, doubted: bool) -> None:
            there = await connector.payments.find(payment) if doubted else None
            await connector.payments.read_back(payment, there or await connector.payments.create(payment))

        return pay


async def ordered(harness: QuickBooksDesktopHarness, number: str, *, received: bool) -> BillToPush:
    """A new order of ten, perhaps received, and a bill of four of it."""
    row = {"po_number": number, "vendor_id": "V-100", "po_date": "2026-11-02", "item_id": "PAPER-A4", "price": "5"}
    harness.load({"purchase_orders": [{**row, "quantity": "10"}]})
    if received:
        harness.person("receive", number=number, receipt_number=f"R-{number}"[:20])
    connector = harness.connect()
    record = next(one["record_no"] for one in harness.held("purchase_orders") if one["number"] == number)
    order = (await connector.orders.read(record)).purchase_order
    return a_bill_for(order, f"C-{number}", Decimal(4))


@pytest.mark.long
@pytest.mark.parametrize(("victim", "way", "step"), CELLS, ids=map("-".join, CELLS))
@pytest.mark.timeout(1200)
async def test_a_crash_loses_nothing(
    sandbox: Any, database_url: str, request: pytest.FixtureRequest, victim: str, way: str, step: str
) -> None:
    QuickBooksDesktopHarness.database_url = database_url
    harness = QuickBooksDesktopHarness(sandbox)
    struck = 0
    for seed in range(request.config.getoption("--crash-seeds", default=1)):
        chance = random.Random(f"{victim} {way} {step} {seed}")
        work = chance.choice(WORK)
        bill = await ordered(harness, f"C{seed}", received=work == "receipt")
        stock = {row["key"]: row["amount"] for row in harness.held("ledger") if row["book"] == "stock"}
        skipped = chance.randrange(4) if seed else 0
        once = Once(step, skipped)
        computer = harness.sandbox.app.quickbooks_desktop
        door = door_of(database_url)
        computer.transport = httpx.ASGITransport(MortalApi(door, once, way) if victim == "api" else door)
        rules = [{"kind": way, "operation": step, "times": 1, "after": skipped}] if victim == "web connector" else []
        if step == "connectionError":
            rules.append({"kind": "unavailable", "operation": "open", "times": 2})
        rules = [{"erp": harness.name, **rule} for rule in rules]
        sandbox.post("/faults", {"rules": rules, "seed": seed})
        await Job(harness, bill.external_key, work, once if victim == "worker" else None, way).run(bill)
        fired = [one["fired"] for one in sandbox.get("/faults")["rules"] if one["kind"] == way]
        struck += bool(once.struck or sum(fired))
        after = {row["key"]: row["amount"] for row in harness.held("ledger") if row["book"] == "stock"}
        moved = Decimal(after.get("PAPER-A4", 0)) - Decimal(stock.get("PAPER-A4", 0))
        assert moved == (0 if work == "receipt" else 4)
    assert struck, "nothing crashed"
    harness.check_books()
    for connector in harness.connectors:
        await connector.close()
