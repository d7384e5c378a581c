"""`posync reports grni`: a table with totals, or the API's own JSON and CSV."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api, ApiProblem
from cli.commands import reports
from cli.main import app

AGEING = {"days_0_30": "10.005", "days_31_60": "0", "days_61_90": "0", "days_over_90": "1234.50"}
SUMS = {"lines": 2, "undated_lines": 1, "accrual": "1244.505", "ageing": AGEING, "prepaid": "0"}


def line(number: str, **changes: Any) -> dict[str, Any]:
    values = {
        "vendor_name": "Acme",
        "purchase_order_number": number,
        "line_no": 1,
        "item_id": "BOLT",
        "received": "10",
        "billed": "6",
        "undated": "0",
        "accrual": "1244.505",
        "ageing": AGEING,
        "prepaid": "0",
        "oldest_receipt": "R-9",
        "oldest_receipt_on": "2026-07-01",
    }
    return {**values, **changes}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """An API with two lines on two pages; what it was asked."""
    queries: list[dict[str, str]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        queries.append(query)
        if query.get("vendor") == "nobody":
            return httpx.Response(404, json={"code": "NOT_FOUND", "title": "t", "detail": "d"})
        if query.get("format") == "csv":
            return httpx.Response(200, text="as_of,vendor_id\r\n2026-11-22,V1\r\n")
        totals = [{**SUMS, "currency": "USD", "vendors": [{**SUMS, "vendor_id": "V1", "vendor_name": "Acme"}]}]
        if "cursor" in query:
            return httpx.Response(
                200,
                json={
                    "as_of": query["as_of"],
                    "totals": None,
                    "items": [line("PO-2", undated="3")],
                    "next_cursor": None,
                },
            )
        report = {"as_of": "2026-11-22", "totals": totals, "items": [line("PO-1")], "next_cursor": "next"}
        return httpx.Response(200, json=report)

    def an_api(_: Any) -> Api:
        api = Api("http://api.test", "psk_test")
        api._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answers))
        return api

    monkeypatch.setattr(reports, "api", an_api)
    return queries


@pytest.fixture
def run() -> Callable[..., str]:
    def command(*words: str) -> str:
        done = CliRunner(env={"COLUMNS": "250"}).invoke(app, ["reports", "grni", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return command


def test_the_table_rounds_marks_and_totals(
    asked: list[dict[str, str]], run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports.console, "width", 250)
    shown = run("--vendor", "V1")
    assert "as of 2026-11-22" in shown
    assert "1,244.51" in shown
    assert "R-9 2026-07-01" in shown
    assert "6*" in shown
    assert "without a bill known here" in shown
    assert [query.get("vendor") for query in asked] == ["V1", "V1"]
    assert asked[1]["as_of"] == "2026-11-22", "both pages are of one day"


def test_the_table_stops_where_it_was_told_to(
    asked: list[dict[str, str]], run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports.console, "width", 250)
    shown = run("--limit", "1")
    assert "PO-2" not in shown
    assert "1 of 2 lines" in shown
    assert len(asked) == 1


def test_json_has_every_line(asked: list[dict[str, str]], run: Callable[..., str]) -> None:
    report = json.loads(run("--json", "--as-of", "2026-10-31"))
    assert [item["purchase_order_number"] for item in report["items"]] == ["PO-1", "PO-2"]
    assert report["totals"][0]["accrual"] == "1244.505"
    assert asked[0]["as_of"] == "2026-10-31"


def test_csv_is_the_apis_own(asked: list[dict[str, str]], run: Callable[..., str]) -> None:
    assert run("--csv").splitlines() == ["as_of,vendor_id", "2026-11-22,V1"]
    assert asked == [{"format": "csv"}]


def test_a_refusal_is_told(asked: list[dict[str, str]]) -> None:
    with pytest.raises(ApiProblem) as refused:
        CliRunner().invoke(app, ["reports", "grni", "--csv", "--vendor", "nobody"], catch_exceptions=False)
    assert refused.value.code == "NOT_FOUND"
    both = CliRunner().invoke(app, ["reports", "grni", "--csv", "--json"])
    assert both.exit_code == 2
