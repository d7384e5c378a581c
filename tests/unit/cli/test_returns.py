"""`posync returns list` and `show`: what is asked and shown, in 80 columns."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import returns
from cli.main import app

RETURN: dict[str, Any] = {
    "id": "receipt_0123456789abcdef01234567",
    "number": "RET-2026-000123",
    "vendor_name": "Northern Office Supplies [of Leeds] Ltd",
    "purchase_order_number": "PO-2026-000077",
    "returned_on": "2026-11-20",
    "currency": "USD",
    "credits": ["CM-1"],
    "credited": "100.00",
    "expected_credit": "123456.78",
    "days_waiting": 11,
    "lines": [
        {
            "purchase_order_line_no": 1,
            "item_id": "PAPER-A4",
            "description": "Paper, white",
            "unit": "Each",
            "quantity": "12",
            "expected_quantity": "11",
            "price": "11223.34",
        }
    ],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """The requests that the command made; every list has the one return."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        none = request.url.params.get("number") not in (None, RETURN["number"])
        return httpx.Response(200, json={"items": [] if none else [RETURN], "next_cursor": None})

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answer))
        return created

    monkeypatch.setattr(returns, "api", api)
    return requests


def test_returns_are_listed_with_the_credit_that_is_expected(asked: list[httpx.Request]) -> None:
    result = CliRunner().invoke(app, ["returns", "list", "--open", "--vendor", "V-1"], env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    assert (asked[0].url.path, asked[0].url.params["open"], asked[0].url.params["vendor"]) == (
        "/v1/returns",
        "true",
        "V-1",
    )
    assert max(map(len, result.output.splitlines())) <= 80
    assert all(text in result.output for text in ("RET-2026-000123", "2026-11-20", "123456.78", "11"))


def test_a_return_is_shown_by_its_number(asked: list[httpx.Request]) -> None:
    result = CliRunner().invoke(app, ["returns", "show", "RET-2026-000123"], env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    assert max(map(len, result.output.splitlines())) <= 80
    assert "expected 123456.78 USD, waited for since 11 days" in result.output
    assert "[of Leeds]" in result.output
    shown = CliRunner().invoke(app, ["returns", "show", "RET-2026-000123", "--json"], env={"COLUMNS": "200"})
    assert json.loads(shown.output)["credits"] == ["CM-1"]
    unknown = CliRunner().invoke(app, ["returns", "show", "RET-9"], env={"COLUMNS": "80"})
    assert unknown.exit_code != 0
