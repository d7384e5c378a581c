"""`posync bills delete`, `dispute`, `retract`, `restore` and `correct`: what is shown, asked, and sent."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import bill_correction, bill_retraction
from cli.main import app

LINE: dict[str, Any] = {
    "line_no": 1,
    "purchase_order_id": "po_1",
    "order_line_id": "41",
    "off_order": False,
    "quantity": "4",
    "billed_quantity": None,
    "billed_unit": None,
    "price": "12.50",
    "amount": "50.00",
    **dict.fromkeys(("description", "account", "department", "location", "class_id", "project"), None),
    "substitute": "ITEM-9",
}
OFF_ORDER = {**LINE, "line_no": 2, "off_order": True, "order_line_id": None, "account": "7000", "substitute": None}
BILL: dict[str, Any] = {
    "id": "bill_1",
    "number": "INV-1",
    "vendor_name": "Northern",
    "total": "50.00",
    "status": "synced",
    "document_id": "Vendor Invoice-0042",
    "purchase_order_id": "po_1",
    "bill_date": "2026-11-20",
    "posting_date": "2026-11-20",
    "due_date": None,
    "memo": "as billed",
    "invoice_total": "50.00",
    "part_of": None,
    "direct": False,
    "tax": "0.00",
    "discount": "0.00",
    "charges": [],
    "match_mode": None,
    "lines": [LINE, OFF_ORDER],
    "actions": [
        {
            "action": "delete",
            "possible": True,
            "way": "credit",
            "dated": "2026-11-30",
            "frees_quantity": True,
            "obstacles": [],
            "unknown_until_tried": [{"code": "BILL_RECONCILED", "message": "Unknown until tried: it is.", "fix": []}],
        },
        {
            "action": "dispute",
            "possible": False,
            "way": None,
            "dated": None,
            "frees_quantity": True,
            "obstacles": [{"code": "BILL_HAS_PAYMENTS", "message": "It is paid in part.", "fix": ["void the payment"]}],
        },
    ],
}


DIRECT: dict[str, Any] = {
    **BILL,
    "id": "bill_2",
    "number": "RENT-1",
    "direct": True,
    "connection_id": "c-1",
    "purchase_order_id": None,
    "vendor_id": "V-1",
    "entity": "100",
    "term": None,
    "lines": [
        {
            "account": "6600",
            "amount": "1200.00",
            "description": "Rent",
            "department": None,
            "location": "100",
            "class_id": None,
            "project": None,
            "custom": {},
        }
    ],
}


class Asked:
    """An API with one bill, and what was written."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.writes.append((request.url.path, json.loads(request.content)))
            if "/bills/bill_1" in request.url.path and request.url.path.startswith("/v1/purchase-orders"):
                bill = {"number": "INV-2", "status": "on_hold"}
                finding = {"id": "SUBSTITUTE:1:ITEM-9", "message": "another item"}
                return httpx.Response(200, json={"bill": bill, "match": {"findings": [finding]}})
            if request.url.path == "/v1/bills/bill_2":
                bill = {"number": "RENT-2", "status": "awaiting_approval"}
                return httpx.Response(200, json={"bill": bill, "match": {"findings": []}})
            return httpx.Response(200, json={"number": "INV-1", "status": "retracting"})
        if request.url.path == "/v1/bills":
            return httpx.Response(200, json={"items": [BILL], "next_cursor": None})
        return httpx.Response(200, json=DIRECT if request.url.path == "/v1/bills/bill_2" else BILL)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    answers = Asked()

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answers))
        return created

    for module in (bill_retraction, bill_correction):
        monkeypatch.setattr(module, "api", api)
    return answers


def run(*arguments: str, code: int = 0, answer: str | None = None) -> str:
    result = CliRunner().invoke(app, ["bills", *arguments], input=answer)
    assert result.exit_code == code, result.output
    assert all(len(line) <= 80 for line in result.output.splitlines()), result.output
    return " ".join(result.output.split())


def test_what_happens_in_the_erp_is_shown_before_anybody_confirms(asked: Asked) -> None:
    """Issue 13.3: the way, its date, and whether the order's quantity comes free; a no writes nothing."""
    shown = run("delete", "INV-1", "--why", "twice", answer="n\n", code=1)
    assert "Vendor Invoice-0042 leaves the ERP (credit, dated 2026-11-30), and its quantities are free again." in shown
    assert "Unknown until tried: it is." in shown
    assert asked.writes == []
    assert "INV-1: retracting." in run("delete", "INV-1", "--why", "twice", answer="y\n")
    assert "leaves the ERP" not in run("delete", "INV-1", "--why", "twice", "--yes")
    assert asked.writes == [("/v1/bills/bill_1/delete", {"reason": "twice"})] * 2


def test_what_stands_in_the_way_is_said_with_the_way_out(asked: Asked) -> None:
    shown = run("dispute", "INV-1", "--why", "damaged", "--yes", code=1)
    assert "It is paid in part. • void the payment" in shown
    assert asked.writes == []


def test_a_bill_is_sent_back_and_made_anew_by_its_number(asked: Asked) -> None:
    """Where the bill shows no plan, the API decides."""
    run("retract", "INV-1", "--why", "wrong account")
    run("restore", "bill_1", "--why", "settled")
    assert asked.writes == [
        ("/v1/bills/bill_1/retract", {"reason": "wrong account"}),
        ("/v1/bills/bill_1/restore", {"reason": "settled"}),
    ]


def test_a_correction_keeps_what_is_not_named(asked: Asked) -> None:
    """Issue 13.4: lines on the order and off it, the substitute and the texts go back as they are."""
    shown = run("correct", "INV-1", "--number", "INV-2")
    assert "INV-2: on hold. SUBSTITUTE:1:ITEM-9: another item" in shown
    ((path, body),) = asked.writes
    assert (path, body["number"], body["memo"]) == ("/v1/purchase-orders/po_1/bills/bill_1", "INV-2", "as billed")
    assert body["lines"] == [
        {
            "order_line_id": "41",
            "purchase_order_id": "po_1",
            "quantity": "4",
            "price": "12.50",
            "amount": "50.00",
            "substitute": "ITEM-9",
        },
        {"off_order": True, "amount": "50.00", "account": "7000"},
    ]
    run("correct", "INV-1", "--line", "1=3@12.00")
    assert asked.writes[1][1]["lines"] == [{"order_line_no": 1, "quantity": "3", "price": "12.00"}]


def test_a_bill_without_an_order_is_corrected_as_one(asked: Asked) -> None:
    """S1-24, S1-28: what is not named stays; lines are accounts and amounts."""
    assert "RENT-2: awaiting approval." in run("correct", "bill_2", "--number", "RENT-2", "--vendor", "V-9")
    run("correct", "bill_2", "--line", "6700=80.50:Power", "--due", "2026-12-31", "--memo", "december")
    (first, header), (_, second) = asked.writes
    assert (first, header["number"], header["vendor_id"], header["entity"]) == (
        "/v1/bills/bill_2", "RENT-2", "V-9", "100",
    )  # fmt: skip
    assert header["lines"] == [{"account": "6600", "amount": "1200.00", "description": "Rent", "location": "100"}]
    assert second["lines"] == [{"account": "6700", "amount": "80.50", "description": "Power"}]
    assert (second["due_date"], second["memo"], second["vendor_id"]) == ("2026-12-31", "december", "V-1")
    run("correct", "bill_2", "--po", "PO-1", code=2)
    run("correct", "INV-1", "--vendor", "V-9", code=2)
