"""Webhooks of QuickBooks Online: both forms, signed, stored before they are answered, done by a sync run."""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from models.domain.ids import ConnectionId
from models.store.base.database import Database
from models.store.sync import change_hints
from settings import Settings
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import ApiClient, a_problem, connected
from tests.harness.workflow_client import eventually

TOKEN = "a-verifier-token"
PATH = "/v1/webhooks/qbo"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"qbo_verifier_token": TOKEN})


def cloud_event(event_id: str, company: str, **changed: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": event_id, "source": "intuit.c2ltdWxhdG9yLXNvdXJjZQ==",
        "type": "qbo.purchaseorder.updated.v1", "datacontenttype": "application/json",
        "time": "2026-03-02T16:15:22.123456789Z", "intuitentityid": "190", "intuitaccountid": company, "data": {},
    } | changed  # fmt: skip


def notification(company: str, operation: str = "Update") -> dict[str, Any]:
    entity = {"name": "PurchaseOrder", "id": "190", "operation": operation, "lastUpdated": "2015-10-05T14:42:19-0700"}
    return {"eventNotifications": [{"realmId": company, "dataChangeEvent": {"entities": [entity]}}]}


async def sent(http: httpx.AsyncClient, value: Any, *, token: str = TOKEN) -> httpx.Response:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    signature = base64.b64encode(hmac.new(token.encode(), body, hashlib.sha256).digest()).decode()
    headers = {"intuit-signature": signature, "content-type": "application/cloudevents+json"}
    return await http.post(PATH, content=body, headers=headers)


@pytest.fixture
async def company(api: ApiClient, database: Database, fake_temporal: FakeTemporal) -> str:
    """A connection whose company QuickBooks reports; what it is connected to does not matter here."""
    connection_id = await connected(api)
    await eventually(lambda: fake_temporal.started)
    realm = f"91303{abs(hash(connection_id)) % 10**12}"
    await reported_as(database, connection_id, realm)
    fake_temporal.started.clear()
    fake_temporal.running.clear()
    return realm


async def reported_as(database: Database, connection_id: str, realm: str) -> None:
    async with database.transaction() as session:
        await session.execute(
            text("update connections set erp = 'quickbooks_online', company = :realm, user_name = id where id = :id"),
            {"realm": realm, "id": connection_id},
        )


async def hint(database: Database, realm: str) -> Any:
    async with database.statement() as session:
        return (
            await session.execute(
                text(
                    "select h.* from change_hints h join connections c on c.id = h.connection_id where c.company = :r"
                ),
                {"r": realm},
            )
        ).one_or_none()


@pytest.mark.parametrize("form", ["cloud events", "notifications"])
async def test_a_webhook_starts_a_sync(
    http: httpx.AsyncClient, database: Database, fake_temporal: FakeTemporal, company: str, form: str
) -> None:
    """Stored is received; done is what the run that it started says."""
    value = [cloud_event(f"e-{company}", company)] if form == "cloud events" else notification(company)
    answer = await sent(http, value)
    assert (answer.status_code, answer.json()) == (200, {"events": 1})
    await eventually(lambda: fake_temporal.started)
    stored = await hint(database, company)
    assert (stored.taken_at, stored.done_at) == (None, None)
    async with database.transaction() as session:
        await change_hints.take(session, ConnectionId(stored.connection_id))
        await change_hints.done(session, ConnectionId(stored.connection_id))
    stored = await hint(database, company)
    assert stored.done_at == stored.taken_at >= stored.received_at


async def test_duplicates_and_floods_start_one_sync(
    http: httpx.AsyncClient, database: Database, fake_temporal: FakeTemporal, company: str
) -> None:
    """At least once, unordered, ten thousand in one call: while a sync is owed, more change nothing."""
    many = [cloud_event(f"f-{company}-{number}", company) for number in range(10_000)]
    assert (await sent(http, many)).json() == {"events": 10_000}
    await eventually(lambda: fake_temporal.started)
    for value in (many[:5], many[5:9], [cloud_event(f"g-{company}", company)]):
        assert (await sent(http, value)).status_code == 200
    stored = await hint(database, company)
    async with database.statement() as session:
        row = (await session.execute(text("select * from webhook_companies where company = :c"), {"c": company})).one()
        of_this = text("select count(*) from outbox where kind = 'sync_due' and connection_id = :c")
        owed = (await session.execute(of_this, {"c": stored.connection_id})).scalar_one()
    assert (row.calls, row.events, row.duplicates) == (4, 10_001, 9)
    assert (len(fake_temporal.started), owed) == (1, 0)
    # One that comes while a run reads is not lost: it owes one more.
    async with database.transaction() as session:
        await change_hints.take(session, ConnectionId(stored.connection_id))
    fake_temporal.running.clear()
    await sent(http, [cloud_event(f"h-{company}", company)])
    await eventually(lambda: len(fake_temporal.started) == 2)


async def test_a_company_of_several_connections_is_synced_in_each(
    api: ApiClient,
    other_api: ApiClient,
    http: httpx.AsyncClient,
    database: Database,
    fake_temporal: FakeTemporal,
    company: str,
) -> None:
    """One call for one realm: a sync of every connection of it, whichever organization has it, and of no other."""
    await connected(api)  # another company's
    same = await connected(other_api)
    await reported_as(database, same, company)
    fake_temporal.started.clear()
    fake_temporal.running.clear()
    assert (await sent(http, [cloud_event(f"s-{company}", company)])).json() == {"events": 1}
    await eventually(lambda: len(fake_temporal.started) == 2)
    async with database.statement() as session:
        hinted = await session.execute(
            text("select c.company, count(*) from change_hints h join connections c on c.id = h.connection_id"
                 " where c.company = :c group by c.company"), {"c": company}
        )  # fmt: skip
        assert [tuple(row) for row in hinted] == [(company, 2)]


async def test_a_company_that_nobody_knows_is_counted(
    http: httpx.AsyncClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """Answered 200, so that nobody sends it again for days; an administrator can see that it comes."""
    realm = f"unknown-{secrets.token_hex(6)}"
    value = [cloud_event(f"u-{realm}-{number}", realm) for number in range(3)]
    for _ in range(2):
        assert (await sent(http, value)).json() == {"events": 3}
    async with database.statement() as session:
        row = (await session.execute(text("select * from webhook_companies where company = :c"), {"c": realm})).one()
    assert (row.calls, row.events, row.duplicates) == (2, 3, 3)
    assert fake_temporal.started == []


async def test_a_hint_that_no_run_has_done_starts_one_more(
    http: httpx.AsyncClient, database: Database, company: str
) -> None:
    """A process died between the answer and the work."""
    await sent(http, [cloud_event(f"i-{company}", company)])
    async with database.transaction() as session:
        assert company not in str(await change_hints.overdue(session))
        await session.execute(text("update change_hints set received_at = now() - interval '20 minutes'"))
    async with database.transaction() as session:
        (late,) = [
            one for one in await change_hints.overdue(session)
            if one.connection_id == (await hint(database, company)).connection_id
        ]  # fmt: skip
    assert late.received_at > datetime.now(UTC) - timedelta(minutes=1)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"eventNotifications": []},
        {"something": "else"},
        b"not json",
        b'{"a": 1, "a": 2}',
        [{"no": "company"}, "text", None, 7],
        b'[{"specversion": "1.0", "id": "\\ud800", "intuitaccountid": "9999999999"}]',
        b'[{"specversion": "1.0", "id": "x-2", "intuitaccountid": "\\ud800"}]',
        [cloud_event("x-1", "9999999999", type="qbo.spaceship.landed.v9", data={"secret": "salary"})],
        notification("9999999999", operation="Launched"),
        [cloud_event("x-3", "".join(Random(1).choices("0123456789", k=9_000)))],
        {"eventNotifications": [{"realmId": None, "dataChangeEvent": {"entities": "?"}}, 3]},
    ],
)
async def test_odd_webhooks_are_harmless(
    http: httpx.AsyncClient, fake_temporal: FakeTemporal, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An unknown realm, operation or form is answered 200; data is neither used nor logged."""
    assert (await sent(http, value)).status_code == 200
    assert fake_temporal.started == []
    assert "salary" not in caplog.text


async def test_events_without_ids_are_told_apart_by_their_company(
    http: httpx.AsyncClient, fake_temporal: FakeTemporal, company: str
) -> None:
    """The same record number changed at the same time in two companies: two events."""
    value = [cloud_event("", "1111111111"), cloud_event("", company)]
    assert (await sent(http, value)).json() == {"events": 2}
    await eventually(lambda: fake_temporal.started)


async def test_one_id_of_two_companies_is_two_events(
    http: httpx.AsyncClient, fake_temporal: FakeTemporal, company: str
) -> None:
    """Issue 11: no hint is lost; nobody promises that an id is another company's alone."""
    assert (await sent(http, [cloud_event(f"one-{company}", "0000000001")])).status_code == 200
    assert fake_temporal.started == []
    assert (await sent(http, [cloud_event(f"one-{company}", company)])).status_code == 200
    await eventually(lambda: fake_temporal.started)


async def test_a_wrong_signature(http: httpx.AsyncClient, fake_temporal: FakeTemporal, company: str) -> None:
    """By another token, over other bytes, or none."""
    value = [cloud_event(f"j-{company}", company)]
    a_problem(await sent(http, value, token="another"), 401, "WEBHOOK_NOT_SIGNED")
    a_problem(await http.post(PATH, content=b"[]"), 401, "WEBHOOK_NOT_SIGNED")
    odd = {"intuit-signature": "ü".encode()}
    a_problem(await http.post(PATH, content=b"[]", headers=odd), 401, "WEBHOOK_NOT_SIGNED")
    assert fake_temporal.started == []
