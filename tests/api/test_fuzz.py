"""The documented API, fuzzed: no crash, no undocumented answer, every error a problem."""

import asyncio
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest
import schemathesis
import uvicorn
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.app import create_app
from models.domain.connections import Erp
from models.store.audit import notices, sync_issues
from models.store.base.database import Database
from models.store.connections import clients, organizations
from settings import Settings
from tests.fakes.fake_connector import FakeConnector
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    TOMORROW,
    ApiClient,
    Organization,
    an_order,
    api_erp,
    billed,
    connected,
    mirrored,
)


class Fuzzed:
    """A served API with one of everything in it, so that some requests reach further than a 404."""

    def __init__(self, url: str, key: str, known: dict[str, str], known_to_console: dict[str, str]) -> None:
        self.url = url
        self.key = key
        self.known = known
        self.known_to_console = known_to_console
        """The organization is a console too: what its routes find is its client's."""


@pytest.fixture(scope="module")
def fuzzed(make_database: Callable[[], str]) -> Iterator[Fuzzed]:
    url = make_database()
    temporal = FakeTemporal(Database(url))
    chosen = Settings(database_url=url, credential_keys=(Fernet.generate_key().decode(),), allow_loopback=True)
    app = create_app(chosen, temporal=temporal, connectors={Erp.INTACCT: partial(FakeConnector, api_erp())})
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", loop="asyncio"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    while not server.started:
        threading.Event().wait(0.02)
    temporal.database = app.state.services.database
    yield asyncio.run(_furnish(base, url, temporal))
    server.should_exit = True
    thread.join(10)


async def _furnish(base: str, url: str, temporal: FakeTemporal) -> Fuzzed:
    database = Database(url)
    async with database.transaction() as session:
        organization_id = await organizations.create_organization(session, "Fuzzed")
        key = await organizations.create_api_key(session, organization_id, "admin", "fuzz")
        client_id = await organizations.create_organization(session, "Fuzzed client")
        client_key = await organizations.create_api_key(session, client_id, "admin", "fuzz")
        await clients.link(session, client_id, organization_id)
    async with httpx.AsyncClient(base_url=base) as http:
        api = ApiClient(http, Organization(organization_id, {"admin": key}))
        connection_id = await connected(api)
        client_connection = await connected(ApiClient(http, Organization(client_id, {"admin": client_key})))
        order_id = await mirrored(database, connection_id, an_order("PO-1"))
        bill_id = await billed(api, order_id, quantity="1")
        temporal.running[f"bill/{bill_id}"] = "run"
        policy = await api.post("/v1/tolerance-policies", {"checks": {"price": {"block": {"pct": "5"}}}})
        unit = {"vendor_id": "V-1", "item_id": "ITEM-1", "unit": "Box", "order_unit": "Each", "factor": "12"}
        told = await api.put("/v1/unit-factors", {"connection_id": connection_id, **unit})
        paid = await api.post(f"/v1/bills/{bill_id}/payments", {"amount": "1.00", "pay_on": TOMORROW})
    async with database.transaction() as session:
        issue_id = await sync_issues.open_issue(
            session,
            "ERP_OUTAGE",
            connection_id=connection_id,
            subject_kind="connection",
            subject_id=connection_id,
            cause="c",
            evidence={},
        )
        notice_id = await notices.add(
            session,
            organization_id=organization_id,
            connection_id=None,
            code="C",
            subject_kind="bill",
            subject_id=bill_id,
            message="m",
        )
    await database.close()
    known = {
        "connection_id": connection_id,
        "purchase_order_id": order_id,
        "bill_id": bill_id,
        "payment_id": paid.json()["payment"]["id"],
        "policy_id": policy.json()["id"],
        "unit_factor_id": told.json()["id"],
        "issue_id": issue_id,
        "notice_id": notice_id,
    }
    return Fuzzed(base, key, known, {"client_id": client_id, "connection_id": client_connection})


documented = create_app(
    Settings(database_url="postgresql://unused/unused", credential_keys=(Fernet.generate_key().decode(),))
).openapi()


@schemathesis.serializer("application/jsonl", "application/x-ndjson")
def lines_of_json(_: object, value: object) -> bytes:
    """What it makes up for a file of JSON lines is one text."""
    return str(value).encode(errors="surrogatepass")


# Readiness is left out: no Temporal server stands behind the stand-in, so it rightly says 503.
schema = schemathesis.openapi.from_dict(documented).exclude(path="/readyz")


EXAMPLES = int(os.environ.get("POSYNC_FUZZ_EXAMPLES", "3"))
"""Of each kind for each operation. The whole of it is `POSYNC_FUZZ_EXAMPLES=100 pytest tests/api/test_fuzz.py`."""


@pytest.mark.long
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_the_api_keeps_its_word(case: schemathesis.Case, fuzzed: Fuzzed) -> None:
    """H11: each operation refuses what the document forbids and takes what it allows, headers included."""
    assert case.meta is not None
    if case.meta.generation.mode.is_positive:
        known = fuzzed.known_to_console if case.path.startswith("/v1/console/") else fuzzed.known
        for name in case.path_parameters:
            if name in known and secrets.randbelow(2):
                case.path_parameters[name] = known[name]
    headers = case.meta.components.get(ParameterLocation.HEADER)
    # A broken key was made up to be refused: it must not be mended here.
    own_key = headers is not None and headers.mode.is_negative
    # The server shares this process: ten seconds, the tool's own limit, are too short on a busy machine.
    sent = {} if own_key else {"Authorization": f"Bearer {fuzzed.key}"}
    response = case.call(base_url=fuzzed.url, headers=sent, timeout=120)
    refused = response.json() if 400 <= response.status_code < 500 else {}
    # What the schema allows may still be refused for a reason of the business, e.g. MATCH_BLOCKED, or because fields do
    # not fit together (an amount beside its quantity and price): then the error names the object, none of its fields.
    objects = [one["where"].rpartition(".")[2] for one in refused.get("errors", ())]
    fields_fit = not objects or not all(name == "body" or name.isdigit() for name in objects)
    # No schema can say that a draft's order is the one that the path names.
    fields_fit &= not any(one["rule"] == "other_order" for one in refused.get("errors", ()))
    of_shape = refused.get("code") in (None, "VALIDATION_FAILED") and fields_fit
    business = [] if of_shape else [positive_data_acceptance]
    case.validate_response(response, excluded_checks=business)
    if response.status_code >= 400:
        assert response.headers["content-type"][0] == "application/problem+json"
        assert {"code", "fix", "who", "status"} <= set(response.json())
