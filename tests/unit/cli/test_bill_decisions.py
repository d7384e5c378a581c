"""`posync bills waiting`, `match`, `acknowledge`, `release`, `abandon`: what is shown and what is asked of the API."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import bill_decisions
from cli.main import app

WARNED = {
    "id": "BILLED_BEYOND_RECEIVED:line-1",
    "code": "BILLED_BEYOND_RECEIVED",
    "message": "6 billed, 0 received",
    "who": "receiving",
    "fix": ["wait for the receipt"],
}
FINDING = {**WARNED, "severity": "WARN"}
MATCH = {
    "bill_id": "bill_1",
    "status": "awaiting_acknowledgement",
    "outcome": "WARN",
    "why": "asked for",
    "needs": {"acknowledge": [WARNED], "release": [], "fix": []},
    "decisions": [
        {"finding_id": "PO_TOTAL", "kind": "released", "actor": "ada", "why": "agreed", "counts": False},
    ],
    "result": {"findings": [FINDING]},
    "recomputed": {"outcome": "WARN", "same": True},
}
BILL = {
    "id": "bill_1",
    "number": "INV-1",
    "vendor_name": "Acme",
    "total": "75.00",
    "status": "awaiting_acknowledgement",
}


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """An API with one waiting bill; what was written to it."""
    writes: list[tuple[str, Any]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST":
            writes.append((path, json.loads(request.content)))
            nothing = {"acknowledge": [], "release": [], "fix": []}
            return httpx.Response(200, json={"status": "pending_push", "decided": [], "needs": nothing})
        if path == "/v1/bills":
            here = request.url.params["status"] == BILL["status"]
            return httpx.Response(200, json={"items": [BILL] if here else [], "next_cursor": None})
        return httpx.Response(200, json=MATCH if path.endswith("/match") else BILL)

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answers))
        return created

    monkeypatch.setattr(bill_decisions, "api", api)
    monkeypatch.setattr(bill_decisions.console, "width", 250)
    return writes


def shown(*words: str) -> str:
    done = CliRunner().invoke(app, ["bills", *words], catch_exceptions=False, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_bills_in_review_are_shown_with_what_they_wait_for(posted: list[tuple[str, Any]]) -> None:
    told = shown("waiting")
    assert "INV-1 · Acme · 75.00 · awaiting acknowledgement · bill_1" in told
    assert "BILLED_BEYOND_RECEIVED:line-1 (receiving): 6 billed, 0 received" in told
    assert "• wait for the receipt" in told
    assert json.loads(shown("waiting", "--json")) == [MATCH]
    assert posted == []


def test_a_match_shows_its_findings_and_which_words_still_count(posted: list[tuple[str, Any]]) -> None:
    text = shown("match", "bill_1")
    assert "recomputed, it gives the same today" in text
    assert "wait for the" in text
    assert "PO_TOTAL released by ada: agreed (does not count any more)" in text


def test_without_ids_all_warnings_are_acknowledged(posted: list[tuple[str, Any]]) -> None:
    assert shown("acknowledge", "bill_1", "--why", "it is here") == "bill_1: pending push"
    shown("acknowledge", "bill_1", "OTHER:line-2")
    assert posted == [
        ("/v1/bills/bill_1/acknowledgements", {"findings": [WARNED["id"]], "reason": "it is here"}),
        ("/v1/bills/bill_1/acknowledgements", {"findings": ["OTHER:line-2"], "reason": ""}),
    ]


def test_releasing_and_giving_up_say_why(posted: list[tuple[str, Any]]) -> None:
    shown("release", "bill_1", "--why", "agreed")
    assert shown("abandon", "bill_1", "--why", "twice") == "bill_1: abandoned."
    assert posted == [
        ("/v1/bills/bill_1/release", {"reason": "agreed"}),
        ("/v1/bills/bill_1/abandon", {"reason": "twice"}),
    ]


def test_a_bill_of_the_erp_is_linked_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """S1-21, S1-22: by number as people know it; where edits are made by hand from now on, it says so."""
    writes: list[tuple[str, Any]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            writes.append((request.url.path, json.loads(request.content)))
            return httpx.Response(200, json={**BILL, "manual_both_sides": True})
        if request.url.path == "/v1/purchase-orders/po_2":
            return httpx.Response(200, json={"id": "po_2", "number": "PO-2"})
        if request.url.path.startswith("/v1/purchase-orders"):
            return httpx.Response(200, json={"items": [{"id": "po_2", "number": "PO-2"}], "next_cursor": None})
        if request.url.path == "/v1/bills/bill_1":
            return httpx.Response(200, json=BILL)
        return httpx.Response(200, json={"items": [BILL], "next_cursor": None})

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answers))
        return created

    monkeypatch.setattr(bill_decisions, "api", api)
    told = shown("link", "INV-1", "--to", "PO-2")
    assert "INV-1 is linked to order PO-2; edits of it are made by hand in both systems." in told
    assert writes == [("/v1/bills/bill_1/link", {"purchase_order_id": "po_2"})]


def test_a_bill_is_moved_to_another_order_item_by_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """C10: the draft for the other order is sent as it came; a line that finds no place stops it before anything is
    undone."""
    draft = {"number": "INV-1", "purchase_order_number": "PO-2", "lines": [{"order_line_no": 1}], "unassigned": []}
    lost = {"item_id": "ITEM-9", "description": ""}
    writes: list[tuple[str, Any]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST":
            writes.append((path, json.loads(request.content or "null")))
            return httpx.Response(200, json={"bill": {"id": "bill_2"}, "match": {"findings": [FINDING]}})
        if path.endswith("/draft"):
            assert request.url.params["purchase_order_id"] in ("po_2", "po_3")
            there = request.url.params["purchase_order_id"] == "po_2"
            return httpx.Response(200, json=draft if there else {**draft, "unassigned": [lost]})
        if path.startswith("/v1/purchase-orders"):
            return httpx.Response(200, json={"id": path.rpartition("/")[2], "number": "PO-2"})
        return httpx.Response(200, json=BILL)

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answers))
        return created

    monkeypatch.setattr(bill_decisions, "api", api)
    done = CliRunner().invoke(app, ["bills", "move", "bill_1", "--to", "po_3"], env={"COLUMNS": "200"})
    assert (done.exit_code, writes) == (1, [])
    assert "no line for ITEM-9" in done.output
    assert "INV-1 is on order PO-2 now" in shown("move", "bill_1", "--to", "po_2")
    assert writes == [("/v1/purchase-orders/po_2/bills/bill_1", draft)]
