"""Same Idempotency-Key and same body: same answer, refusals too. Another body: 409."""

import asyncio
from datetime import timedelta

from models.store import requests
from models.store.database import Database
from tests.api.desk import (
    CREDENTIALS,
    Office,
    StandInErp,
    StandInTemporal,
    a_problem,
    an_order,
    billed,
    connected,
    mirrored,
    new_connection,
)

A_BILL = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "4"}]}


async def test_the_same_bill_sent_twice_is_one_bill(office: Office, database: Database) -> None:
    order_id = await mirrored(database, await connected(office), an_order("PO-1"))
    first = await office.post(f"/v1/purchase-orders/{order_id}/bills", A_BILL, key="k1")
    again = await office.post(f"/v1/purchase-orders/{order_id}/bills", A_BILL, key="k1")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.headers["location"] == again.headers["location"]
    assert len((await office.get("/v1/bills")).json()["items"]) == 1


async def test_the_same_bill_sent_at_once_is_one_bill(office: Office, database: Database) -> None:
    order_id = await mirrored(database, await connected(office), an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}/bills"
    answers = await asyncio.gather(*(office.post(path, A_BILL, key="k2") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len((await office.get("/v1/bills")).json()["items"]) == 1


async def test_a_key_belongs_to_one_request(office: Office, database: Database) -> None:
    connection_id = await connected(office)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    other_id = await mirrored(database, connection_id, an_order("PO-2"))
    await office.post(f"/v1/purchase-orders/{order_id}/bills", A_BILL, key="k3")
    changed = {**A_BILL, "number": "INV-2"}
    response = await office.post(f"/v1/purchase-orders/{order_id}/bills", changed, key="k3")
    a_problem(response, 409, "IDEMPOTENCY_KEY_REUSED")
    response = await office.post(f"/v1/purchase-orders/{other_id}/bills", A_BILL, key="k3")
    a_problem(response, 409, "IDEMPOTENCY_KEY_REUSED")
    response = await office.post(f"/v1/connections/{connection_id}/sync", key="k3")
    a_problem(response, 409, "IDEMPOTENCY_KEY_REUSED")


async def test_a_key_whose_answer_is_gone_makes_nothing_new(office: Office, database: Database) -> None:
    """DESIGN 5 and 8: answers are kept for a time, exactly-once is for good."""
    order_id = await mirrored(database, await connected(office), an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}/bills"
    await office.post(path, A_BILL, key="k-old")
    async with database.transaction() as session:
        assert await requests.forget_answers(session, timedelta(0)) > 0
    a_problem(await office.post(path, A_BILL, key="k-old"), 409, "IDEMPOTENCY_KEY_REUSED")
    assert len((await office.get("/v1/bills")).json()["items"]) == 1


async def test_two_organizations_may_use_the_same_key(office: Office, other_office: Office) -> None:
    assert (await office.post("/v1/connections", new_connection(), key="k4")).status_code == 201
    assert (await other_office.post("/v1/connections", new_connection(), key="k4")).status_code == 201


async def test_a_blocked_bill_stays_blocked_under_its_key(office: Office, database: Database) -> None:
    order_id = await mirrored(database, await connected(office), an_order("PO-1"))
    body = {**A_BILL, "lines": [{"order_line_no": 1, "quantity": "11"}]}
    first = await office.post(f"/v1/purchase-orders/{order_id}/bills", body, key="k5")
    again = await office.post(f"/v1/purchase-orders/{order_id}/bills", body, key="k5")
    a_problem(first, 422, "MATCH_BLOCKED")
    assert first.json() == again.json()


async def test_a_refused_unlink_stays_refused_under_its_key(office: Office, database: Database) -> None:
    order_id = await mirrored(database, await connected(office), an_order("PO-1"))
    bill_id = await billed(office, order_id)
    assert (await office.post(f"/v1/bills/{bill_id}/unlink", key="k6")).status_code == 200
    refused = await office.post(f"/v1/bills/{bill_id}/unlink", key="k7")
    a_problem(refused, 409, "BILL_NOT_LINKED")
    assert (await office.post(f"/v1/bills/{bill_id}/unlink", key="k7")).json() == refused.json()
    assert (await office.post(f"/v1/bills/{bill_id}/unlink", key="k6")).status_code == 200


async def test_an_outage_is_no_answer(office: Office) -> None:
    """The same key may be tried again until there is one."""
    body = new_connection()
    StandInErp.outage = True
    response = await office.post("/v1/connections", body, key="k8")
    a_problem(response, 503, "ERP_OFFLINE")
    assert response.headers["retry-after"]
    StandInErp.outage = False
    assert (await office.post("/v1/connections", body, key="k8")).status_code == 201


async def test_without_temporal_a_bill_can_be_sent_again(
    office: Office, database: Database, temporal_stand_in: StandInTemporal
) -> None:
    order_id = await mirrored(database, await connected(office), an_order("PO-1"))
    temporal_stand_in.down = True
    response = await office.post(f"/v1/purchase-orders/{order_id}/bills", A_BILL, key="k9")
    a_problem(response, 503, "TEMPORAL_UNAVAILABLE")
    temporal_stand_in.down = False
    response = await office.post(f"/v1/purchase-orders/{order_id}/bills", A_BILL, key="k9")
    assert response.status_code == 201


async def test_a_connection_made_while_temporal_was_down_gets_its_first_sync(
    office: Office, temporal_stand_in: StandInTemporal
) -> None:
    """S2-54: saving the connection starts the first sync; a repeat of the request makes up for a failed start."""
    body = new_connection()
    temporal_stand_in.down = True
    a_problem(await office.post("/v1/connections", body, key="k10"), 503, "TEMPORAL_UNAVAILABLE")
    temporal_stand_in.down = False
    created = await office.post("/v1/connections", body, key="k10")
    assert created.status_code == 201
    assert [workflow_id for workflow_id, _ in temporal_stand_in.started] == [f"sync/{created.json()['id']}"]
    assert len((await office.get("/v1/connections")).json()["items"]) == 1


async def test_a_password_is_not_kept_with_the_request(office: Office, database: Database) -> None:
    from sqlalchemy import text

    body = new_connection()
    body["credentials"]["sender_password"] = "do-not-keep-me"
    await office.post("/v1/connections", body, key="k11")
    async with database.transaction() as session:
        kept = (await session.execute(text("select body::text || coalesce(answer::text, '') from requests"))).scalars()
        connections = (await session.execute(text("select encode(credentials, 'escape') from connections"))).scalars()
        assert not any("do-not-keep-me" in text_ for text_ in [*kept, *connections])
    other = {**body, "credentials": {**CREDENTIALS, "company": body["credentials"]["company"], "password": "other"}}
    a_problem(await office.post("/v1/connections", other, key="k11"), 409, "IDEMPOTENCY_KEY_REUSED")
