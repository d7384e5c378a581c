"""`posync bills enter` and `put-on-order`: what is sent for what people write."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import direct_bills
from cli.main import app

ORDER = {"id": "po_1", "number": "PO-1", "lines": [{"line_no": 2, "order_line_id": "L-2"}]}
BILL = {"id": "bill_1", "number": "RENT-1", "total": "1200.00", "currency": "USD", "status": "pending_push"}
ENTERED = {"bill": BILL, "needs": {}, "match": {"findings": []}, "notices": [{"message": "Line 2 goes to 9999."}]}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What the commands post, by path."""
    posted: list[tuple[str, dict[str, Any]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            posted.append((request.url.path, json.loads(request.content)))
            created = ENTERED if request.url.path == "/v1/bills" else BILL
            return httpx.Response(201, json=created)
        if request.url.path == "/v1/connections":
            return httpx.Response(200, json={"items": [{"id": "c-1", "state": "ready"}], "next_cursor": None})
        if request.url.path == "/v1/connections/c-1":
            return httpx.Response(200, json={"id": "c-1", "today": "2026-11-30"})
        if request.url.path.startswith("/v1/purchase-orders/"):
            return httpx.Response(200, json=ORDER)
        if request.url.path == "/v1/purchase-orders":
            return httpx.Response(200, json={"items": [ORDER], "next_cursor": None})
        if request.url.path == "/v1/bills":
            return httpx.Response(200, json={"items": [BILL], "next_cursor": None})
        return httpx.Response(200, json=BILL)

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answer))
        return created

    monkeypatch.setattr(direct_bills, "api", api)
    return posted


def test_lines_are_accounts_and_amounts(sent: list[tuple[str, dict[str, Any]]]) -> None:
    """S1-28: with and without an account, with and without a text; dimensions are those of all lines."""
    lines = ["--line", "6600=1200.00:Rent", "--line", "10"]
    done = CliRunner().invoke(app, ["bills", "enter", "V-150", "--number", "RENT-1", "--department", "OPS", *lines])
    assert done.exit_code == 0, done.output
    ((path, body),) = sent
    assert (path, body["connection_id"], body["vendor_id"]) == ("/v1/bills", "c-1", "V-150")
    assert body["bill_date"] == "2026-11-30", "today, where the connection's days begin"
    shown = [(line["account"], line["amount"], line["description"], line["department"]) for line in body["lines"]]
    assert shown == [("6600", "1200.00", "Rent", "OPS"), (None, "10", "", "OPS")]
    assert "Line 2 goes to 9999." in done.output
    wrong = CliRunner().invoke(app, ["bills", "enter", "V-150", "--number", "R", "--line", "6600"])
    assert wrong.exit_code == 0, "an amount alone goes to the expense account"
    assert CliRunner().invoke(app, ["bills", "enter", "V-150", "--number", "R", "--line", "a=b"]).exit_code == 2


def test_lines_are_put_on_order_lines(sent: list[tuple[str, dict[str, Any]]]) -> None:
    """S1-28: by the numbers that people see."""
    done = CliRunner().invoke(app, ["bills", "put-on-order", "RENT-1", "PO-1", "--line", "1=2@4"])
    assert done.exit_code == 0, done.output
    ((path, body),) = sent
    assert path == "/v1/bills/bill_1/put-on-order"
    assert body["lines"] == [{"line_no": 1, "order_line_id": "L-2", "quantity": "4"}]
    assert CliRunner().invoke(app, ["bills", "put-on-order", "RENT-1", "PO-1", "--line", "1=9"]).exit_code == 2
