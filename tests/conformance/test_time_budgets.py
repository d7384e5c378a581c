"""Time limits add up: what an attempt's calls may take, each at its own limit, fits into the attempt's limit."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from erp.connection import LONGEST_TIMEOUT_SECONDS, longest_call_seconds
from erp.connector import ErpConnector
from erp.errors import Duplicate
from erp.registry import connectors
from erp.time_budgets import CALLS, START_SECONDS, ErpWork, longest_attempt
from models import contract
from models.domain.connections import Erp
from models.domain.ids import ConnectionId
from models.domain.lists import ListKind
from tests.conformance.erp_harness import (
    ErpHarness,
    a_bill_for,
    a_payment_of,
    the_order,
)
from workflows import policies

SINCE = "2020-01-01 00:00:00"


async def calls(harness: ErpHarness, work: Callable[[ErpConnector], Awaitable[Any]]) -> int:
    """How many calls a worker that has not spoken to this ERP before makes for it."""
    connector = harness.connect()
    harness.forget_calls()
    await work(connector)
    created: int = harness.calls()["requests"]
    return created


@pytest.mark.trait("answers_at_once")
async def test_a_write_makes_no_more_calls_than_its_budget(harness: ErpHarness, connector: ErpConnector) -> None:
    """The longest recipe: looked up by key, by vendor and number, sent, a duplicate, looked up again, read back."""
    budget = CALLS[Erp(harness.name)][ErpWork.WRITE]
    order = await the_order(connector)
    bill = a_bill_for(order, "b-1")
    document = await connector.bills.create(bill)
    pushed = await connector.bills.read_back(bill, document)
    payment = a_payment_of(bill, pushed, "p-1", Decimal(1))
    erp_id = await connector.payments.create(payment)

    async def push(fresh: ErpConnector) -> None:
        assert await fresh.bills.find(a_bill_for(order, "b-0")) is None
        await fresh.bills.numbered(bill.vendor_id, bill.number)
        with suppress(Duplicate):
            await fresh.bills.create(bill)
        assert await fresh.bills.find(bill) == document
        await fresh.bills.read_back(bill, document)

    async def pay(fresh: ErpConnector) -> None:
        assert await fresh.payments.find(a_payment_of(bill, pushed, "p-0", Decimal(1))) is None
        with suppress(Duplicate):
            await fresh.payments.create(payment)
        assert await fresh.payments.find(payment) == erp_id
        await fresh.payments.read_back(payment, erp_id)

    needed = {"push": await calls(harness, push), "pay": await calls(harness, pay)}
    assert max(needed.values()) <= budget


@pytest.mark.trait("answers_at_once")
async def test_an_edit_makes_no_more_calls_than_its_budget(harness: ErpHarness, connector: ErpConnector) -> None:
    bill = a_bill_for(await the_order(connector), "b-1")
    document = await connector.bills.create(bill)
    await connector.bills.read_back(bill, document)

    async def edit(fresh: ErpConnector) -> None:
        with suppress(Duplicate):
            await fresh.bills.update(bill.model_copy(update={"memo": "corrected"}), document, edition=1)
        await fresh.bills.read_back(bill, document)

    assert await calls(harness, edit) <= CALLS[Erp(harness.name)][ErpWork.WRITE]


@pytest.mark.trait("answers_at_once")
async def test_an_order_is_read_in_no_more_calls_than_its_budget(harness: ErpHarness, connector: ErpConnector) -> None:
    order = await the_order(connector)
    assert (
        await calls(harness, lambda fresh: fresh.orders.read(order.erp_id)) <= CALLS[Erp(harness.name)][ErpWork.ORDER]
    )


@pytest.mark.trait("answers_at_once")
async def test_a_page_makes_no_more_calls_than_its_budget(harness: ErpHarness) -> None:
    """Orders with lines, credits and old ones; lists with everything; each other stream."""

    async def orders(fresh: ErpConnector) -> None:
        headers = await fresh.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
        await fresh.orders.lines(headers.records)
        for _ in ("of which a credit came", "older than the first import"):
            await fresh.orders.read_many([header.erp_id for header in headers.records][:50])

    needed = {
        "orders": await calls(harness, orders),
        "lists": await calls(harness, lambda fresh: fresh.lists.page(list(ListKind), since=None, after=None)),
        "bills": await calls(harness, lambda fresh: fresh.bills.page(since=SINCE, after=None)),
        "payments": await calls(harness, lambda fresh: fresh.payments.page(since=SINCE, after=None)),
        "deletions": await calls(harness, lambda fresh: fresh.changes.deletions(since=SINCE, after=None)),
    }
    if harness.connect().receipts is not None:
        needed["receipts"] = await calls(harness, lambda fresh: fresh.receipts.page(since=SINCE, after=None))
    assert max(needed.values()) <= CALLS[Erp(harness.name)][ErpWork.PAGE]


@pytest.mark.parametrize("erp", list(connectors()))
def test_the_limits_of_attempts_add_up(erp: Erp) -> None:
    """Review d6: one push could legally need more than its activity's limit, and never end on a slow account."""
    queue, connection = contract.erp_task_queue(erp), ConnectionId("c")
    limits = {
        ErpWork.WRITE: policies.erp_write(connection, erp, "x"),
        ErpWork.ORDER: policies.order_refresh(connection, erp, "x"),
        ErpWork.PAGE: policies.sync_read(connection, erp, "x"),
    }
    for work, config in limits.items():
        attempt, whole = config["start_to_close_timeout"], config["schedule_to_close_timeout"]
        assert attempt is not None
        assert whole is not None
        assert config["task_queue"] == queue
        assert longest_attempt(erp, work) < attempt < whole, work
    assert limits[ErpWork.WRITE]["heartbeat_timeout"] == policies.LOST_WORKER_AFTER


def test_every_erp_has_its_budgets() -> None:
    assert {*connectors()} == {*CALLS} == {*START_SECONDS}
    assert all(CALLS[erp].keys() == {*ErpWork} for erp in CALLS)


@pytest.mark.parametrize(("timeout", "longest"), [(10, 50), (60, 300), (LONGEST_TIMEOUT_SECONDS, 900)])
def test_a_call_is_limited_as_a_whole(timeout: float, longest: float) -> None:
    assert longest_call_seconds(timeout) == longest
