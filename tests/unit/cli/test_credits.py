"""`posync credits list` and `show`: what is asked and shown, in 80 columns."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import credits
from cli.main import app

CREDIT: dict[str, Any] = {
    "id": "bill_0123456789abcdef0123",
    "number": "CM-2026-000123",
    "vendor_name": "Northern Office Supplies [of Leeds] Ltd",
    "credit_date": "2026-11-20",
    "status": "partially_applied",
    "total": "123456.78",
    "applied": "23456.78",
    "open": "100000.00",
    "reserved": "250.00",
    "currency": "USD",
    "reference": "INV-77",
    "lines": [
        {
            "line_no": 1,
            "item_id": "PAPER-A4",
            "account": "6100",
            "description": "Paper, white",
            "quantity": None,
            "amount": "123456.78",
        }
    ],
    "applied_to": [{"bill_id": None, "number": None, "erp_id": "17", "amount": "23456.78"}],
    "applications": [],
    "events": [{"at": "2026-11-20T09:30:00Z", "kind": "came_in", "actor": "syncer", "why": "made in the ERP"}],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """The requests that the command made; every list has the one credit."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        one = request.url.path == f"/v1/credits/{CREDIT['id']}"
        return httpx.Response(200, json=CREDIT if one else {"items": [CREDIT], "next_cursor": None})

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answer))
        return created

    monkeypatch.setattr(credits, "api", api)
    return requests


def test_credits_are_listed_with_what_is_open_of_them(asked: list[httpx.Request]) -> None:
    """What is asked for, and 80 columns."""
    result = CliRunner().invoke(app, ["credits", "list", "--open", "--vendor", "V-1"], env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    assert dict(asked[0].url.params) == {"open": "true", "vendor": "V-1", "sort": "-credit_date", "limit": "101"}
    assert "CM-2026-000123" in result.output
    assert "100000.00" in result.output
    assert max(len(line) for line in result.output.splitlines()) <= 80


def test_a_credit_is_shown_by_its_number_with_what_it_is_applied_to(asked: list[httpx.Request]) -> None:
    """By number as people know it."""
    result = CliRunner().invoke(app, ["credits", "show", "CM-2026-000123"], env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    assert "applied 23456.78, open 100000.00, of it 250.00 reserved by applications" in result.output
    assert "a bill that is not here (17): 23456.78" in result.output
    assert asked[-1].url.path == f"/v1/credits/{CREDIT['id']}"
    shown = CliRunner().invoke(app, ["credits", "show", "CM-2026-000123", "--json"])
    assert json.loads(shown.output)["open"] == "100000.00"
