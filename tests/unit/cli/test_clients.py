"""`posync clients`: what is shown, and what is asked of the API."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.client.api_client import Api
from cli.commands import clients
from cli.main import app


def a_connection(connection_id: str, **changes: Any) -> dict[str, Any]:
    values = {
        "id": connection_id,
        "erp": "netsuite",
        "name": "Main",
        "state": "ready",
        "purchase_orders_enabled": True,
        "match_mode": "two_way",
        "three_way_refused": None,
        "version": 4,
    }
    return {**values, **changes}


OFF = {"purchase_orders_enabled": False, "three_way_refused": {"code": "PO_FEATURE_OFF", "message": "orders are off"}}
PAGES = [
    [
        {"id": "org_1", "name": "Acme", "connections": [a_connection("netsuite-a")]},
        {"id": "org_2", "name": "Beta", "connections": [a_connection("netsuite-b", **OFF), a_connection("intacct-b")]},
    ],
    [
        {"id": "org_3", "name": "Gamma", "connections": []},
        {"id": "org_4", "name": "Gamma", "connections": [a_connection("netsuite-g", match_mode="three_way")]},
    ],
]


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, str]]:
    """A console with clients on two pages; what was switched: where, what, and on which version."""
    writes: list[tuple[str, Any, str]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "PATCH":
            change = json.loads(request.content)
            writes.append((path, change, request.headers["If-Match"]))
            return httpx.Response(200, json=a_connection(path.rsplit("/", 1)[1], **change))
        if path == clients.CLIENTS:
            second = request.url.params.get("cursor") == "next"
            items = PAGES[1] if second else PAGES[0]
            return httpx.Response(200, json={"items": items, "next_cursor": None if second else "next"})
        return httpx.Response(200, json=a_connection("any"), headers={"ETag": '"4"'})

    def an_api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answers))
        return created

    monkeypatch.setattr(clients, "api", an_api)
    monkeypatch.setattr(clients.console, "width", 250)
    return writes


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["clients", *words], catch_exceptions=False, env={"COLUMNS": "250"})


def test_the_list_says_what_can_be_switched(switched: list[Any]) -> None:
    """S4-05, S4-44..46."""
    shown = run("list").output
    for word in ("Acme", "netsuite-a", "can be switched on", "orders are off", "none yet", "netsuite-g"):
        assert word in shown
    assert json.loads(run("list", "--json").output) == PAGES[0] + PAGES[1]
    assert switched == []


def test_three_way_and_purchase_orders_are_switched_by_name_or_id(switched: list[Any]) -> None:
    """S4-05, S4-45, S4-47."""
    done = run("three-way", "on", "Acme")
    assert done.output.strip() == "Acme, netsuite-a: purchase orders on, 3-way matching."
    run("three-way", "off", "org_4")
    assert json.loads(run("purchase-orders", "off", "Acme", "--json").output)["purchase_orders_enabled"] is False
    run("purchase-orders", "on", "Beta", "--connection", "netsuite-b")
    assert switched == [
        ("/v1/console/clients/org_1/connections/netsuite-a", {"match_mode": "three_way"}, '"4"'),
        ("/v1/console/clients/org_4/connections/netsuite-g", {"match_mode": "two_way"}, '"4"'),
        ("/v1/console/clients/org_1/connections/netsuite-a", {"purchase_orders_enabled": False}, '"4"'),
        ("/v1/console/clients/org_2/connections/netsuite-b", {"purchase_orders_enabled": True}, '"4"'),
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Nobody", "posync clients list"),
        ("Gamma", "org_3, org_4"),
        ("Beta", "netsuite-b, intacct-b"),
        ("org_3", "connected to no ERP"),
    ],
)
def test_what_is_not_clear_is_asked_back(switched: list[Any], name: str, told: str) -> None:
    refused = run("three-way", "on", name)
    assert refused.exit_code == 2
    assert told in " ".join(refused.output.replace("│", " ").split())
    assert run("three-way", "maybe", "Acme").exit_code == 2
    assert switched == []
