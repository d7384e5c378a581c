"""`posync policies set` and `delete`: what is sent for what people write."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import policy_edits
from cli.main import app

NOWHERE = dict.fromkeys(("connection_id", "vendor_id", "item_id", "category", "entity"))
STORED = {
    "id": "policy_1",
    "version": 3,
    "scope": {**NOWHERE, "vendor_id": "V-1"},
    "checks": {"price": {"warn": {"pct": "2"}, "block": {"pct": "5"}}},
    **dict.fromkeys(policy_edits.SETTINGS),
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any, str | None]]:
    """What the commands write: method, path, body and the version they rest on."""
    written: list[tuple[str, str, Any, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "GET":
            one = httpx.Response(200, json=STORED, headers={"ETag": '"3"'})
            items = httpx.Response(200, json={"items": [STORED], "next_cursor": None})
            return items if path == "/v1/tolerance-policies" else one
        body = json.loads(request.content) if request.content else None
        written.append((request.method, path, body, request.headers.get("If-Match")))
        if request.method == "DELETE":
            return httpx.Response(204)
        return httpx.Response(200, json={**STORED, "id": "policy_2", "version": 4})

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answer))
        return created

    monkeypatch.setattr(policy_edits, "api", api)
    return written


def test_a_policy_is_changed_and_the_rest_of_it_stays(sent: list[tuple[str, str, Any, str | None]]) -> None:
    arguments = ["price.block.pct=", "price.block.abs=25.00", "qty.warn.abs=1", "match_mode=none"]
    done = CliRunner().invoke(app, ["policies", "set", *arguments, "--vendor", "V-1", "--why", "agreed"])
    assert done.exit_code == 0, done.output
    ((method, path, body, version),) = sent
    assert (method, path, version) == ("PUT", "/v1/tolerance-policies/policy_1", '"3"')
    assert body["checks"] == {
        "price": {"warn": {"pct": "2"}, "block": {"pct": None, "abs": "25.00"}},
        "qty": {"warn": {"abs": "1"}},
    }
    assert (body["match_mode"], body["why"], body["scope"]["vendor_id"]) == ("none", "agreed", "V-1")


def test_a_policy_of_a_new_scope_is_made(sent: list[tuple[str, str, Any, str | None]]) -> None:
    wanted = ["warn_on_over_receipt=true", "bill_date_days_back=90"]
    done = CliRunner().invoke(app, ["policies", "set", *wanted, "--item", "ITEM-1"])
    assert done.exit_code == 0, done.output
    ((method, path, body, _),) = sent
    assert (method, path, body["scope"]) == ("POST", "/v1/tolerance-policies", {**NOWHERE, "item_id": "ITEM-1"})
    assert (body["warn_on_over_receipt"], body["bill_date_days_back"], body["checks"]) == (True, 90, {})


def test_a_policy_is_deleted_once_a_person_agrees(sent: list[tuple[str, str, Any, str | None]]) -> None:
    assert CliRunner().invoke(app, ["policies", "delete", "policy_1"], input="n\n").exit_code == 1
    assert sent == []
    assert CliRunner().invoke(app, ["policies", "delete", "policy_1", "--yes"]).exit_code == 0
    assert sent == [("DELETE", "/v1/tolerance-policies/policy_1", None, '"3"')]


@pytest.mark.parametrize("wrong", ["price", "price=2", "price.warn=2", "=2"])
def test_what_is_no_limit_is_said(sent: list[tuple[str, str, Any, str | None]], wrong: str) -> None:
    assert CliRunner().invoke(app, ["policies", "set", wrong]).exit_code == 2
    assert sent == []
