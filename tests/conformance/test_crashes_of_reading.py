"""A crash of the Web Connector, of the API and of the worker while orders are pulled: none is lost, none comes twice.

An iterator is under way, in the middle of its parts, when one of the three is gone: QuickBooks forgets it, and the door
reads its window from the start. One seed of each cell; all twenty:

    .venv/bin/pytest -n 2 tests/conformance/test_crashes_of_reading.py --crash-seeds 20

As in `test_crashes.py`, a process that dies is one whose call ends at that step.
"""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from erp.connection import ConnectionSettings
from erp.errors import Deferred, Unavailable
from erp.quickbooks_desktop.connector import QuickBooksDesktopConnector
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.orders import PurchaseOrder
from models.store.audit.exchanges import Waiter
from services.exchanges import StoredExchanges
from tests.conformance.mortal import CALLS, Died, MortalApi, MortalJournal, Once
from tests.conformance.quickbooks_desktop_harness import QuickBooksDesktopHarness, door_of

PAGE = 5
NEW_ORDERS = 12
"""Orders besides the sample's, a week apart, so that several windows have some."""

CELLS: Sequence[tuple[str, str, str]] = (
    *(
        ("web connector", f"killed_{when}", call)
        for call in CALLS
        if call != "connectionError"
        for when in ("before", "after")
    ),
    ("web connector", "lost_request", "PurchaseOrderQuery"),
    ("web connector", "lost_answer", "PurchaseOrderQuery"),
    ("web connector", "truncated", "PurchaseOrderQuery"),
    ("web connector", "gateway_timeout", "PurchaseOrderQuery"),
    ("web connector", "repeated_call", "receiveResponseXML"),
    ("web connector", "late_call", "receiveResponseXML"),
    ("web connector", "other_ticket", "receiveResponseXML"),
    *(("api", when, call) for call in CALLS if call != "connectionError" for when in ("before", "after")),
    *(("worker", when, step) for step in ("read_paged", "page") for when in ("before", "after")),
)
MOST_ATTEMPTS = 40
OFTEN = ("sendRequestXML", "receiveResponseXML", "PurchaseOrderQuery", "page")
"""What happens once for each part: these are struck in the middle of an iterator."""


class Pull:
    """The pages of a stream of orders, each read by an activity of its own that is tried until it is done."""

    def __init__(self, harness: QuickBooksDesktopHarness, name: str, dies: Once | None, when: str) -> None:
        self._harness, self._name, self._dies, self._when = harness, name, dies, when
        self._attempts = 0
        self._pages = 0

    def _connector(self) -> QuickBooksDesktopConnector:
        """What a new process has."""
        assert self._harness._ready is not None
        waiter = Waiter("", self._name, str(self._pages))
        stored: Any = StoredExchanges(self._harness._database, self._harness._ready, lambda: waiter)
        if self._dies is not None:
            stored = MortalJournal(stored, self._dies, self._when)
        facts = {**self._harness._facts, "company": "Sandbox Trading"}
        settings = ConnectionSettings(endpoint="web-connector:", preferences={}, facts=facts, page_size=PAGE)
        storage: Any = Storage(None, stored)
        return QuickBooksDesktopConnector(settings, Credentials(values={}), storage)

    async def run(self, *, since: str | None, ordered_from: date | None) -> list[PurchaseOrder]:
        """All pages; what an attempt that died had read is read once more, as its transaction was never committed."""
        orders: list[PurchaseOrder] = []
        after: str | None = None
        while self._attempts < MOST_ATTEMPTS:
            self._attempts += 1
            connector = self._connector()
            try:
                page = await connector.orders.headers(since=since, ordered_from=ordered_from, after=after, open_in=None)
                shown = (await connector.orders.lines(page.records)).records
                assert not page.bad
            except Died:
                continue
            except (Deferred, Unavailable):
                await self._harness.poll()
                continue
            orders += shown
            self._pages += 1
            after = page.after
            if after is None:
                return orders
        raise AssertionError(f"the orders were not read within {MOST_ATTEMPTS} attempts")


def expected(harness: QuickBooksDesktopHarness) -> dict[str, int]:
    return {one["number"]: len(one["lines"]) for one in harness.held("purchase_orders")}


def load_orders(harness: QuickBooksDesktopHarness, today: date, seed: int) -> None:
    for number in range(NEW_ORDERS):
        day = today - timedelta(weeks=number)
        row = {
            "po_number": f"S{seed}-{number}",
            "vendor_id": "V-100",
            "po_date": f"{day:%Y-%m-%d}",
            "modified_at": f"{day:%Y-%m-%d} 08:00:00",
            "item_id": "PAPER-A4",
            "quantity": "10",
            "price": "5",
        }
        harness.load({"purchase_orders": [row]})


@pytest.mark.long
@pytest.mark.parametrize("windows", [False, True], ids=["first import", "windows"])
@pytest.mark.parametrize(("victim", "way", "step"), CELLS, ids=map("-".join, CELLS))
@pytest.mark.timeout(1200)
async def test_a_crash_while_orders_are_pulled_loses_none(
    sandbox: Any,
    database_url: str,
    request: pytest.FixtureRequest,
    victim: str,
    way: str,
    step: str,
    windows: bool,
) -> None:
    QuickBooksDesktopHarness.database_url = database_url
    harness = QuickBooksDesktopHarness(sandbox)
    await harness._connection()
    today = harness.sandbox.app.quickbooks_desktop.company.today()
    struck = 0
    for seed in range(request.config.getoption("--crash-seeds", default=1)):
        load_orders(harness, today, seed)
        chance = random.Random(f"reading {victim} {way} {step} {seed}")
        skipped = chance.randint(1, 4) if step in OFTEN and way != "late_call" else 0
        once = Once(step, skipped)
        computer = harness.sandbox.app.quickbooks_desktop
        door = door_of(database_url)
        computer.transport = httpx.ASGITransport(MortalApi(door, once, way) if victim == "api" else door)
        rules = [{"kind": way, "operation": step, "times": 1, "after": skipped}] if victim == "web connector" else []
        sandbox.post("/faults", {"rules": [{"erp": harness.name, **rule} for rule in rules], "seed": seed})
        pull = Pull(harness, f"{victim} {way} {step} {seed}", once if victim == "worker" else None, way)
        if windows:
            since = f"{today - timedelta(days=100):%Y-%m-%d} 00:00:00"
            orders = await pull.run(since=since, ordered_from=None)
        else:
            orders = await pull.run(since=None, ordered_from=date(2020, 1, 1))
            assert len(orders) == len({one.erp_id for one in orders}), "an order came twice"
        fired = [one["fired"] for one in sandbox.get("/faults")["rules"] if one["kind"] == way]
        struck += bool(once.struck or sum(fired))
        shown = {one.number: len(one.lines) for one in orders}
        whole = expected(harness)
        assert shown == (whole if not windows else {one: whole[one] for one in shown})
        assert {f"S{seed}-{number}" for number in range(NEW_ORDERS)} <= shown.keys()
    assert struck, "nothing crashed"
    for connector in harness.connectors:
        await connector.close()
