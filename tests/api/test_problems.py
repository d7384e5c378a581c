"""Every error has one shape: problem+json with a code, who can fix it and how."""

import asyncio
import threading
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager

from api.app import create_app
from settings import Settings
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    new_connection,
)


async def test_an_unknown_address_is_a_problem(http: httpx.AsyncClient) -> None:
    assert a_problem(await http.get("/v1/nothing"), 404, "NOT_FOUND")["instance"] == "/v1/nothing"


async def test_a_method_that_is_not_offered_is_a_problem(api: ApiClient) -> None:
    response = await api.http.delete("/v1/bills/b", headers=api.organization.auth())
    a_problem(response, 405, "METHOD_NOT_ALLOWED")
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_purchase_orders_cannot_be_made_changed_or_deleted(api: ApiClient, method: str) -> None:
    """S1-29: the platform does not create, delete, edit or approve purchase orders."""
    paths = ["/v1/purchase-orders"] if method == "POST" else ["/v1/purchase-orders/po_1", "/v1/purchase-orders"]
    for path in [*paths, "/v1/purchase-orders/po_1"]:
        response = await api.http.request(method, path, json={}, headers=api.organization.auth())
        problem = a_problem(response, 405, "PO_IS_VIEW_ONLY")
        assert "ERP" in problem["fix"][0]


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer psk_wrong"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}]
)
async def test_without_a_key_nothing_is_told(http: httpx.AsyncClient, header: dict[str, str]) -> None:
    response = await http.get("/v1/connections", headers=header)
    a_problem(response, 401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_a_write_without_an_idempotency_key_is_refused(api: ApiClient) -> None:
    response = await api.http.post("/v1/connections", json=new_connection(), headers=api.organization.auth())
    a_problem(response, 400, "IDEMPOTENCY_KEY_REQUIRED")


async def test_an_edit_without_if_match_is_refused(api: ApiClient) -> None:
    response = await api.http.patch("/v1/bills/b", json={}, headers=api.organization.auth())
    a_problem(response, 428, "PRECONDITION_REQUIRED")


async def test_a_misspelt_field_is_named(api: ApiClient) -> None:
    response = await api.post("/v1/connections", new_connection(one_wey=True))
    problem = a_problem(response, 422, "VALIDATION_FAILED")
    assert problem["errors"][0]["where"] == "body.one_wey"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "INVALID_JSON"),
        (b'{"a": NaN}', "INVALID_JSON"),
        (b"\xff", "INVALID_JSON"),
        (b"[" * 100_000, "INVALID_JSON"),
        (b'{"name": "a\\u0000b"}', "INVALID_TEXT"),
        (b'{"name": "\\ud800"}', "INVALID_TEXT"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(api: ApiClient, body: bytes, code: str) -> None:
    headers = {**api.organization.auth(), "Idempotency-Key": "k", "Content-Type": "application/json"}
    a_problem(await api.http.post("/v1/connections", content=body, headers=headers), 400, code)


async def test_an_address_that_cannot_be_stored_is_refused(api: ApiClient) -> None:
    a_problem(await api.get("/v1/bills/a%00b"), 400, "INVALID_TEXT")
    a_problem(await api.http.get("/v1/bills?vendor=%00", headers=api.organization.auth()), 400, "INVALID_TEXT")


async def test_a_body_that_is_too_large_is_refused(api: ApiClient) -> None:
    response = await api.post("/v1/connections", {"name": "x" * 1_100_000})
    a_problem(response, 413, "PAYLOAD_TOO_LARGE")


async def test_a_cursor_of_somebody_elses_making_is_refused(api: ApiClient) -> None:
    for path in ("/v1/purchase-orders", "/v1/bills", "/v1/payments", "/v1/sync-issues", "/v1/notices"):
        a_problem(await api.get(path, cursor="bm90IG91cnM"), 400, "INVALID_CURSOR")
        a_problem(await api.get(path, cursor="WyJ4IiwgInkiXQ"), 400, "INVALID_CURSOR")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/openapi.json", 200), ("DELETE", "/healthz", 405)])
async def test_others_are_answered_while_the_document_is_built(
    settings: Settings,
    fake_temporal: FakeTemporal,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    status: int,
) -> None:
    """Its building takes seconds: once, beside the event loop, whoever asks for it or for the methods it names."""
    app = create_app(settings, temporal=fake_temporal)
    plain, built, begun, goes_on = app.openapi, [], threading.Event(), threading.Event()

    def slow() -> dict[str, Any]:
        begun.set()
        assert goes_on.wait(10), "nobody else was answered"
        built.append(threading.current_thread())
        return plain()

    monkeypatch.setattr(app, "openapi", slow)
    async with (
        LifespanManager(app) as manager,
        httpx.AsyncClient(transport=httpx.ASGITransport(manager.app), base_url="http://posync") as http,
    ):
        waiting = [asyncio.create_task(http.request(method, path)) for _ in range(2)]
        await asyncio.to_thread(begun.wait, 10)
        assert (await http.get("/healthz")).status_code == 200
        assert not any(task.done() for task in waiting)
        goes_on.set()
        answers = await asyncio.gather(*waiting)
    assert [answer.status_code for answer in answers] == [status, status]
    assert threading.main_thread() not in built


def test_the_document_is_built_once(settings: Settings) -> None:
    """Two who ask at the same time get the same document, complete."""
    app = create_app(settings)
    found: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: found.append(app.openapi())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] is found[1]
    assert "Problem" in found[0]["components"]["schemas"]
