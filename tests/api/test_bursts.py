"""Many callers at once: each is answered, no order's burst takes the others' connections, nothing is promised twice."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.http.order_gate import OrderGate
from api.http.problems import Problem
from models.domain.ids import PurchaseOrderId
from models.store.base.database import Database
from models.store.orders import ledger
from settings import Settings
from tests.fakes.fake_erp import CAPABILITIES, FakeErp
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    an_order,
    connected,
    mirrored,
    served,
)

A, B = PurchaseOrderId("po_a"), PurchaseOrderId("po_b")


def a_bill(number: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": number,
        "bill_date": "2026-11-20",
        "acknowledge": ["DUPLICATE_SUSPECT"],
        "lines": list(lines) or [{"order_line_no": 1, "quantity": "1"}],
    }


async def test_fifty_callers_on_one_line_of_ten(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """G2, G13: fifty in flight on one order, and none is turned away: ten are accepted and told to their order, forty
    are refused with their reason."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}/bills"
    answers = await asyncio.gather(*(api.post(path, a_bill(f"INV-{n}")) for n in range(50)))
    assert Counter(answer.status_code for answer in answers) == {201: 10, 422: 40}
    for refused in (answer for answer in answers if answer.status_code == 422):
        findings = a_problem(refused, 422, "MATCH_BLOCKED")["match"]["findings"]
        assert "QTY_OVER_CEILING" in {finding["code"] for finding in findings}
    for accepted in (answer for answer in answers if answer.status_code == 201):
        await fake_temporal.delivered(accepted.json()["bill"]["id"])


async def test_bills_over_two_orders_wait_for_each_other_and_never_for_ever(
    api: ApiClient, database: Database, settings: Settings, fake_temporal: FakeTemporal, erp: FakeErp
) -> None:
    """Two processes, half of the bills with the orders the other way round: gates and locks are taken in one order."""
    erp.capabilities = CAPABILITIES.model_copy(update={"several_sources_per_bill": True})
    connection_id = await connected(api)
    first = await mirrored(database, connection_id, an_order("PO-1"))
    second = await mirrored(database, connection_id, an_order("PO-2"))
    async with served(settings, fake_temporal) as other_process:
        clients = (api, ApiClient(other_process, api.organization))

        def ask(n: int) -> Any:
            home, other = (first, second) if n % 2 else (second, first)
            lines = [
                {"order_line_no": 1, "quantity": "1"},
                {"order_line_no": 1, "quantity": "1", "purchase_order_id": other},
            ]
            return clients[n // 2 % 2].post(f"/v1/purchase-orders/{home}/bills", a_bill(f"INV-{n}", *lines))

        answers = await asyncio.wait_for(asyncio.gather(*(ask(n) for n in range(16))), 60)
    assert Counter(answer.status_code for answer in answers) == {201: 10, 422: 6}


async def test_one_key_at_two_processes_is_one_bill_with_one_answer(
    api: ApiClient, database: Database, settings: Settings, fake_temporal: FakeTemporal
) -> None:
    """G9: eight requests at once under one key; who comes second waits at the insert of the key."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}/bills"
    async with served(settings, fake_temporal) as other_process:
        clients = (api, ApiClient(other_process, api.organization))
        answers = await asyncio.gather(*(clients[n % 2].post(path, a_bill("INV-1"), key="same") for n in range(8)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, answers[0].text)}
    assert len((await api.get("/v1/bills")).json()["items"]) == 1


async def test_an_order_that_is_written_for_long_is_busy_and_its_key_may_be_sent_again(
    api: ApiClient,
    database: Database,
    settings: Settings,
    fake_temporal: FakeTemporal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sync page holds the order's lines: 503 with Retry-After, nothing stored, and other orders go on."""
    monkeypatch.setattr("api.app.LOCK_TIMEOUT", timedelta(seconds=100))
    connection_id = await connected(api)
    held, free = [await mirrored(database, connection_id, an_order(number)) for number in ("PO-1", "PO-2")]
    monkeypatch.setattr("api.app.LOCK_TIMEOUT", timedelta(milliseconds=200))
    async with served(settings, fake_temporal) as http:
        impatient = ApiClient(http, api.organization)
        async with database.transaction() as session:
            await ledger.lock_lines(session, [held])
            busy = await impatient.post(f"/v1/purchase-orders/{held}/bills", a_bill("INV-1"), key="k1")
            a_problem(busy, 503, "ORDER_BUSY")
            assert busy.headers["retry-after"] == "5"
            assert (await impatient.post(f"/v1/purchase-orders/{free}/bills", a_bill("INV-2"))).status_code == 201
            kept = await session.execute(text("select count(*) from requests where key = 'k1'"))
            assert kept.scalar_one() == 0
        again = await impatient.post(f"/v1/purchase-orders/{held}/bills", a_bill("INV-1"), key="k1")
        assert again.status_code == 201


async def test_a_burst_on_one_order_leaves_the_others_their_connections(
    api: ApiClient,
    database: Database,
    settings: Settings,
    fake_temporal: FakeTemporal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With two connections and an order that is locked elsewhere, twenty requests wait with one of the two."""
    monkeypatch.setattr("api.app.LOCK_TIMEOUT", timedelta(seconds=100))
    connection_id = await connected(api)
    held, free = [await mirrored(database, connection_id, an_order(number)) for number in ("PO-1", "PO-2")]
    async with served(settings.model_copy(update={"pool_size": 2}), fake_temporal) as http:
        narrow = ApiClient(http, api.organization)
        async with database.transaction() as session:
            await ledger.lock_lines(session, [held])
            burst = [
                asyncio.create_task(narrow.post(f"/v1/purchase-orders/{held}/bills", a_bill(f"INV-{n}")))
                for n in range(20)
            ]
            await asyncio.sleep(0.3)
            answer = narrow.post(f"/v1/purchase-orders/{free}/bills", a_bill("INV-F"))
            assert (await asyncio.wait_for(answer, 90)).status_code == 201
            assert not any(task.done() for task in burst)
        answers = await asyncio.gather(*burst)
    assert Counter(answer.status_code for answer in answers) == {201: 10, 422: 10}


async def test_the_queue_of_an_order_is_bounded() -> None:
    """429 with Retry-After before anything is stored; another order's queue is another one."""
    gate = OrderGate(most_waiting=2)
    async with gate.one_at_a_time([A]):
        waiting = asyncio.create_task(_passes(gate, A))
        await asyncio.sleep(0)
        with pytest.raises(Problem) as full:
            await _passes(gate, A, B)
        assert (full.value.code, full.value.status, full.value.headers) == (
            "ORDER_QUEUE_FULL",
            429,
            {"Retry-After": "5"},
        )
        await _passes(gate, B)
    await waiting
    await _passes(gate, A, B)


async def test_nobody_waits_in_the_queue_for_ever() -> None:
    """503 after a while; who abandoned takes nobody's turn."""
    gate = OrderGate(patience=timedelta(milliseconds=20))
    async with gate.one_at_a_time([B]):
        with pytest.raises(Problem) as late:
            await _passes(gate, A, B)
        assert (late.value.code, late.value.status) == ("ORDER_BUSY", 503)
        await _passes(gate, A)
    await _passes(gate, A, B)


async def test_few_requests_for_one_order_are_read_at_a_time() -> None:
    """Issue 10: two hundred bodies at once kept the process from everything else. Another order's are read beside."""
    gate = OrderGate(most_waiting=5)
    let_go = asyncio.Event()
    reading = Counter[str]()

    async def read(order: str) -> None:
        async with gate.read_in_turn(order):
            reading[order] += 1
            await let_go.wait()

    burst = [asyncio.create_task(read(A)) for _ in range(5)]
    other = asyncio.create_task(read(B))
    quiet = asyncio.create_task(gate.quiet())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert reading == {A: 2, B: 1}
    with pytest.raises(Problem) as full:
        await read(A)
    assert full.value.code == "ORDER_QUEUE_FULL"
    assert not quiet.done(), "deliveries behind answers wait for those that are not read yet, too"
    let_go.set()
    await asyncio.gather(*burst, other)
    await asyncio.wait_for(quiet, 60)
    assert reading == {A: 5, B: 1}


async def test_a_body_that_arrives_slowly_keeps_no_other_request_of_its_order_waiting(
    api: ApiClient, database: Database
) -> None:
    """It takes its place in the queue once it is there."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}/bills"
    arrives = asyncio.Event()

    async def slow_body(number: str) -> AsyncIterator[bytes]:
        body = json.dumps(a_bill(number)).encode()
        yield body[:10]
        await arrives.wait()
        yield body[10:]

    def post_slowly(number: str) -> Coroutine[Any, Any, httpx.Response]:
        headers = {**api.organization.auth(), "Idempotency-Key": number, "Content-Type": "application/json"}
        return api.http.post(path, content=slow_body(number), headers=headers)

    slow = [asyncio.create_task(post_slowly(f"SLOW-{n}")) for n in range(3)]
    assert (await api.post(path, a_bill("INV-1"))).status_code == 201
    assert not any(task.done() for task in slow)
    arrives.set()
    assert {answer.status_code for answer in await asyncio.gather(*slow)} == {201}


async def test_the_orders_that_wait_get_the_free_place_in_turn() -> None:
    """Issue 10: one order's burst delays no other by more than the one request that is inside."""
    gate = OrderGate(places=1)
    came: list[str] = []

    async def pass_as(name: str, *orders: PurchaseOrderId) -> None:
        async with gate.one_at_a_time(orders):
            came.append(name)
            await asyncio.sleep(0)

    burst = [asyncio.create_task(pass_as(f"a{n}", A)) for n in range(20)]
    await asyncio.sleep(0)
    await pass_as("b", B)
    assert came.index("b") <= 2
    await asyncio.gather(*burst)
    assert len(came) == 21


async def test_the_gate_is_quiet_when_nobody_waits_or_is_inside() -> None:
    """Deliveries behind answers wait for that."""
    gate = OrderGate()
    await asyncio.wait_for(gate.quiet(), 1)
    async with gate.one_at_a_time([A]):
        waiting = asyncio.create_task(gate.quiet())
        other = asyncio.create_task(_passes(gate, A))
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5)
    assert other.done()


async def test_the_gate_forgets_orders_that_nobody_asks_for() -> None:
    """Also after an error inside."""
    gate = OrderGate()
    with pytest.raises(ValueError, match="inside"):
        async with gate.one_at_a_time([A, B, A]):
            raise ValueError("inside")
    assert gate._turnstiles == {}


async def _passes(gate: OrderGate, *orders: PurchaseOrderId) -> None:
    async with gate.one_at_a_time(orders):
        await asyncio.sleep(0)
