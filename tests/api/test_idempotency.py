"""Same Idempotency-Key and same body: same answer, refusals too. Another body: 409."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from api.http.request_gate import RequestGate
from models.store.audit import requests
from models.store.base.database import Database
from services.outbox.delivery import OutboxDelivery
from temporal_gateway import gateway
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_erp import FakeErp
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    CREDENTIALS,
    ApiClient,
    a_problem,
    an_order,
    billed,
    connected,
    make_due,
    mirrored,
    new_connection,
)

A_BILL = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "4"}]}


async def test_the_same_bill_sent_twice_is_one_bill(api: ApiClient, database: Database) -> None:
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    first = await api.post(f"/v1/purchase-orders/{order_id}/bills", A_BILL, key="k1")
    again = await api.post(f"/v1/purchase-orders/{order_id}/bills", A_BILL, key="k1")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.headers["location"] == again.headers["location"]
    assert len((await api.get("/v1/bills")).json()["items"]) == 1


async def test_the_same_bill_sent_at_once_is_one_bill(api: ApiClient, database: Database) -> None:
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}/bills"
    answers = await asyncio.gather(*(api.post(path, A_BILL, key="k2") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len((await api.get("/v1/bills")).json()["items"]) == 1


async def test_a_key_belongs_to_one_request(api: ApiClient, database: Database) -> None:
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    other_id = await mirrored(database, connection_id, an_order("PO-2"))
    await api.post(f"/v1/purchase-orders/{order_id}/bills", A_BILL, key="k3")
    changed = {**A_BILL, "number": "INV-2"}
    response = await api.post(f"/v1/purchase-orders/{order_id}/bills", changed, key="k3")
    a_problem(response, 409, "IDEMPOTENCY_KEY_REUSED")
    response = await api.post(f"/v1/purchase-orders/{other_id}/bills", A_BILL, key="k3")
    a_problem(response, 409, "IDEMPOTENCY_KEY_REUSED")
    response = await api.post(f"/v1/connections/{connection_id}/sync", key="k3")
    a_problem(response, 409, "IDEMPOTENCY_KEY_REUSED")


async def test_a_key_whose_answer_is_gone_makes_nothing_new(api: ApiClient, database: Database) -> None:
    """DESIGN 5 and 8: answers are kept for a time, exactly-once is for good."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}/bills"
    await api.post(path, A_BILL, key="k-old")
    async with database.transaction() as session:
        assert await requests.forget_answers(session, timedelta(0)) > 0
    a_problem(await api.post(path, A_BILL, key="k-old"), 409, "IDEMPOTENCY_KEY_REUSED")
    assert len((await api.get("/v1/bills")).json()["items"]) == 1


async def test_two_organizations_may_use_the_same_key(api: ApiClient, other_api: ApiClient) -> None:
    assert (await api.post("/v1/connections", new_connection(), key="k4")).status_code == 201
    assert (await other_api.post("/v1/connections", new_connection(), key="k4")).status_code == 201


async def test_a_blocked_bill_stays_blocked_under_its_key(api: ApiClient, database: Database) -> None:
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    body = {**A_BILL, "lines": [{"order_line_no": 1, "quantity": "11"}]}
    first = await api.post(f"/v1/purchase-orders/{order_id}/bills", body, key="k5")
    again = await api.post(f"/v1/purchase-orders/{order_id}/bills", body, key="k5")
    a_problem(first, 422, "MATCH_BLOCKED")
    assert first.json() == again.json()


async def test_a_refused_unlink_stays_refused_under_its_key(api: ApiClient, database: Database) -> None:
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    bill_id = await billed(api, order_id)
    assert (await api.post(f"/v1/bills/{bill_id}/unlink", key="k6")).status_code == 200
    refused = await api.post(f"/v1/bills/{bill_id}/unlink", key="k7")
    a_problem(refused, 409, "BILL_NOT_LINKED")
    assert (await api.post(f"/v1/bills/{bill_id}/unlink", key="k7")).json() == refused.json()
    assert (await api.post(f"/v1/bills/{bill_id}/unlink", key="k6")).status_code == 200


async def test_an_outage_is_no_answer(api: ApiClient, erp: FakeErp) -> None:
    """The same key may be tried again until there is one."""
    body = new_connection()
    erp.outage = True
    response = await api.post("/v1/connections", body, key="k8")
    a_problem(response, 503, "ERP_OFFLINE")
    assert response.headers["retry-after"]
    erp.outage = False
    assert (await api.post("/v1/connections", body, key="k8")).status_code == 201


async def test_without_temporal_a_bill_is_accepted_and_handed_over_later(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """G1: decision, answer and message are one transaction; delivery comes behind the answer, or later."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    fake_temporal.down = True
    first = await api.post(f"/v1/purchase-orders/{order_id}/bills", A_BILL, key="k9")
    assert first.status_code == 201
    fake_temporal.down = False
    again = await api.post(f"/v1/purchase-orders/{order_id}/bills", A_BILL, key="k9")
    assert (again.status_code, again.text) == (201, first.text)
    await make_due(database)
    await OutboxDelivery(database, WorkflowNotifier(fake_temporal)).deliver_due()
    assert first.json()["bill"]["id"] in fake_temporal.accepted


async def test_a_connection_made_while_temporal_was_down_gets_its_first_sync(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """S2-54: the first sync is owed with the connection."""
    fake_temporal.down = True
    created = await api.post("/v1/connections", new_connection(), key="k10")
    assert created.status_code == 201
    fake_temporal.down = False
    await make_due(database)
    await OutboxDelivery(database, WorkflowNotifier(fake_temporal)).deliver_due()
    assert [workflow_id for workflow_id, _ in fake_temporal.started] == [f"sync/{created.json()['id']}"]
    assert len((await api.get("/v1/connections")).json()["items"]) == 1


async def test_eight_requests_at_once_are_one_connection(api: ApiClient) -> None:
    """G9: one effect, one answer; it was one 201 and seven 409."""
    body = new_connection()
    answered = await asyncio.gather(*(api.post("/v1/connections", body, key="once") for _ in range(8)))
    assert {(one.status_code, one.text) for one in answered} == {(201, answered[0].text)}
    assert len((await api.get("/v1/connections")).json()["items"]) == 1


async def test_requests_at_several_processes_at_once_are_one_connection(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G9: each process has a gate of its own, so without one here they meet in the database alone; one got a 500."""

    @asynccontextmanager
    async def of_another_process(*_: object) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(RequestGate, "one_at_a_time", of_another_process)
    body = new_connection()
    answered = await asyncio.gather(*(api.post("/v1/connections", body, key="once") for _ in range(4)))
    assert {(one.status_code, one.text) for one in answered} == {(201, answered[0].text)}
    assert len((await api.get("/v1/connections")).json()["items"]) == 1


async def test_eight_requests_at_once_are_one_sync_run(api: ApiClient, fake_temporal: FakeTemporal) -> None:
    """G9: it was one 202 and seven 200."""
    connection_id = await connected(api)
    await fake_temporal.forget_first_sync(connection_id)
    answered = await asyncio.gather(*(api.post(f"/v1/connections/{connection_id}/sync", key="once") for _ in range(8)))
    assert {(one.status_code, one.text) for one in answered} == {(202, answered[0].text)}


async def test_a_password_is_not_kept_with_the_request(api: ApiClient, database: Database) -> None:
    from sqlalchemy import text

    body = new_connection()
    body["credentials"]["sender_password"] = "do-not-keep-me"
    await api.post("/v1/connections", body, key="k11")
    async with database.transaction() as session:
        kept = (await session.execute(text("select body::text || coalesce(answer::text, '') from requests"))).scalars()
        connections = (await session.execute(text("select encode(credentials, 'escape') from connections"))).scalars()
        assert not any("do-not-keep-me" in text_ for text_ in [*kept, *connections])
    other = {**body, "credentials": {**CREDENTIALS, "company": body["credentials"]["company"], "password": "other"}}
    a_problem(await api.post("/v1/connections", other, key="k11"), 409, "IDEMPOTENCY_KEY_REUSED")


async def test_a_sync_is_not_waited_for_while_temporal_is_stopped(
    api: ApiClient, fake_temporal: FakeTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 9: the client tries for 20 seconds and more; the same key goes on where the request stands."""
    assert timedelta(seconds=5) >= gateway.START_TIMEOUT
    connection_id = await connected(api)
    await fake_temporal.forget_first_sync(connection_id)
    monkeypatch.setattr(gateway, "START_TIMEOUT", timedelta(milliseconds=50))
    fake_temporal.hangs = True
    path, key = f"/v1/connections/{connection_id}/sync", secrets.token_hex(8)
    a_problem(await api.post(path, key=key), 503, "TEMPORAL_UNAVAILABLE")
    fake_temporal.hangs = False
    assert (await api.post(path, key=key)).status_code == 202
