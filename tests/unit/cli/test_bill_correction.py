"""`posync bills correct`: what nobody names stays as the bill has it."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import bill_correction
from cli.main import app

LINE = {
    "off_order": False,
    "order_line_id": "L-1",
    "purchase_order_id": "po_1",
    "quantity": "4",
    "billed_quantity": None,
    "billed_unit": "",
    "price": "12.50",
    "amount": "50.00",
    **dict.fromkeys(bill_correction.CARRIED, ""),
}
BILL = {
    "id": "bill_1",
    "number": "INV-1",
    "status": "on_hold",
    "direct": False,
    "purchase_order_id": "po_1",
    "bill_date": "2026-11-20",
    "posting_date": "2026-12-01",
    "due_date": "2026-12-20",
    "memo": "as agreed",
    "invoice_total": "55.00",
    "part_of": "INV-0",
    "tax": "5.00",
    "discount": None,
    "charges": [],
    "match_mode": "two_way",
    "lines": [LINE],
}


@pytest.fixture
def bill(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The bill that the API shows; `sent` is what it was corrected to."""
    held: dict[str, Any] = dict(BILL)

    def answers(request: httpx.Request) -> httpx.Response:
        shown = {name: value for name, value in held.items() if name != "sent"}
        if request.method == "POST":
            held["sent"] = (request.url.path, json.loads(request.content))
            return httpx.Response(200, json={"bill": shown, "match": {"findings": []}})
        if request.url.path == "/v1/bills":
            return httpx.Response(200, json={"items": [shown], "next_cursor": None})
        return httpx.Response(200, json=shown)

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answers))
        return created

    monkeypatch.setattr(bill_correction, "api", api)
    return held


def corrected(bill: dict[str, Any], *words: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["bills", "correct", "INV-1", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    path, body = bill["sent"]
    assert path == "/v1/purchase-orders/po_1/bills/bill_1"
    assert isinstance(body, dict)
    return body


def test_what_is_not_named_stays(bill: dict[str, Any]) -> None:
    """The supplier's total, the invoice it is part of, and a posting date of its own were lost with any correction."""
    body = corrected(bill, "--memo", "as delivered")
    assert body["memo"] == "as delivered"
    stays = ("number", "bill_date", "posting_date", "due_date", "part_of", "tax", "discount", "charges", "match_mode")
    assert {name: body[name] for name in stays} == {name: BILL[name] for name in stays}
    assert body["total"] == "55.00"
    (line,) = body["lines"]
    assert line == {
        "order_line_id": "L-1", "purchase_order_id": "po_1", "quantity": "4", "price": "12.50", "amount": "50.00",
    }  # fmt: skip


def test_what_is_named_takes_its_place(bill: dict[str, Any]) -> None:
    body = corrected(bill, "--total", "37.50", "--line", "1=3")
    assert (body["total"], body["part_of"], body["posting_date"]) == ("37.50", "INV-0", "2026-12-01")
    assert body["lines"][0]["quantity"] == "3"


def test_a_posting_date_that_is_the_bill_date_follows_it(bill: dict[str, Any]) -> None:
    """One of its own stays, as above."""
    bill["posting_date"] = bill["bill_date"]
    body = corrected(bill, "--date", "2026-11-25")
    assert (body["bill_date"], body["posting_date"]) == ("2026-11-25", None)
