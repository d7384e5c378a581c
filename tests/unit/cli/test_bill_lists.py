"""`posync bills list`, `show`, `edit` and the decisions on approvals, and people: what is shown and asked."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import bill_approvals, bill_lists, people
from cli.main import app

BILL: dict[str, Any] = {
    "connection_id": "intacct-1",
    "id": "bill_0123456789abcdef0123",
    "number": "INV-2026-000123",
    "vendor_name": "Northern Office Supplies [of Leeds] Ltd",
    "bill_date": "2026-11-20",
    "due_date": "2026-12-20",
    "status": "awaiting_approval",
    "approval": "approving",
    "total": "123456.78",
    "currency": "USD",
    "paid": "0.00",
    "due": "123456.78",
    "document_id": None,
    "reference": "PO-1",
    "edit_pending": False,
    "reminders": [],
    "editable": {"everything": True, "fields": ["memo"], "line_fields": [], "why": ""},
    "lines": [
        {
            "line_no": no,
            "purchase_order_id": f"po_{no}",
            "purchase_order_number": f"PO-{no}",
            "off_order": False,
            "item_id": "PAPER-A4",
            "account": None,
            "description": "Paper, white, 80 g",
            "quantity": "4",
            "price": "12.50",
            "amount": "50.00",
        }
        for no in (1, 2)
    ],
    "parts": [],
    "payments": [
        {
            "amount": "90.00",
            "pay_on": "2026-12-01",
            "status": "paid",
            "shares": [
                {"bill_id": "bill_0123456789abcdef0123", "amount": "60.00"},
                {"bill_id": "bill_2", "amount": "30.00"},
            ],
        }
    ],
    "events": [
        {
            "at": "2026-11-20T09:30:00Z",
            "kind": "created",
            "actor": "Ana (person_1) by laptop (key_1)",
            "why": "billed against PO-1",
        }
    ],
}
ANA, BEN = {"id": "person_1", "name": "Ana"}, {"id": "person_2", "name": "Ben"}
APPROVAL = {
    "approval": "approving",
    "steps": [
        {"approvers": [ANA], "approved_by": ANA, "approved_at": "2026-11-21T10:00:00Z", "is_turn": False},
        {"approvers": [ANA, BEN], "approved_by": None, "approved_at": None, "is_turn": True},
    ],
    "kept_from_approving": [{"person": ANA, "why": "entered the bill"}],
}
PEOPLE = [
    {**ANA, "email": "ana@acme.example", "roles": ["clerk"], "active": True},
    {**BEN, "email": "ben@acme.example", "roles": ["approver"], "active": False},
]


class Asked:
    """An API with one bill; what was asked and written."""

    def __init__(self) -> None:
        self.queries: list[dict[str, str]] = []
        self.writes: list[tuple[str, Any, str | None]] = []
        self.same_number: list[dict[str, Any]] = [BILL]
        self.bill = BILL
        self.outage_since: str | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method in ("POST", "PATCH", "PUT"):
            acting = request.headers.get("Posync-Acting-For")
            self.writes.append((path, json.loads(request.content), acting))
            if request.method == "PATCH":
                return httpx.Response(200, json={"bill": {**BILL, "edit_pending": True}, "notices": []})
            return httpx.Response(200, json={"approval": "approved", "status": "pending_push"})
        if path == "/v1/bills":
            self.queries.append(dict(request.url.params))
            return httpx.Response(200, json={"items": self.same_number, "next_cursor": None})
        if path == "/v1/people":
            return httpx.Response(200, json={"items": PEOPLE})
        if path.endswith("/approval"):
            return httpx.Response(200, json=APPROVAL)
        if path == "/v1/connections/intacct-1":
            return httpx.Response(200, json={"outage_since": self.outage_since})
        return httpx.Response(200, json=self.bill, headers={"ETag": '"1-x"'})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    answers = Asked()

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        headers = {"Authorization": "Bearer psk_test"}
        transport = httpx.MockTransport(answers)
        created._http = httpx.Client(base_url="http://api.test", headers=headers, transport=transport)
        return created

    for module in (bill_lists, bill_approvals, people):
        monkeypatch.setattr(module, "api", api)
    return answers


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    assert all(len(line) <= 80 for line in result.output.splitlines()), result.output
    return result.output


def test_the_list_fits_a_terminal_and_passes_its_filters_on(asked: Asked) -> None:
    """Issue 13.9: 80 columns; every filter reaches the API under its name."""
    shown = run("bills", "list", "--approver", "ben@acme.example", "--from", "2026-11-01", "--sort", "-total")
    assert "INV-2026-000123" in shown
    assert "123456.78" in shown
    assert asked.queries[0] == {
        "approver": "ben@acme.example",
        "date_from": "2026-11-01",
        "sort": "-total",
        "limit": "101",
    }
    asked.same_number = []
    assert "There is no such bill." in run("bills", "list")


def test_a_bill_that_waits_for_the_erp_says_since_when_that_does_not_answer(asked: Asked) -> None:
    """F2: "pending push" alone said nothing of the outage, and there is no issue that would."""
    asked.bill = {**BILL, "status": "pending_push"}
    assert "has not answered" not in run("bills", "show", "INV-2026-000123")
    asked.outage_since = "2026-11-20T08:00:00Z"
    shown = " ".join(run("bills", "show", "INV-2026-000123").split())
    assert "The ERP has not answered since 2026-11-20" in shown
    assert "The bill goes out by itself when it does." in shown


def test_a_bill_is_shown_by_its_number_with_the_order_of_each_line(asked: Asked) -> None:
    """Issue 13.9: a bill over several orders names the order on each line; who approved, who is asked, who is kept."""
    shown = run("bills", "show", "INV-2026-000123")
    assert asked.queries == [{"number": "INV-2026-000123"}]
    for text in ("PO-1", "PO-2", "Approval: approving", "step 1: approved by Ana on 2026-11-21"):
        assert text in shown
    assert "step 2: Ana or Ben to approve, now" in shown
    assert "Ana entered the bill, and does not approve it" in shown
    assert "payment 60.00 of a payment of 90.00 on 2026-12-01: paid" in shown
    assert "created by Ana: billed against PO-1" in " ".join(shown.split())
    data = json.loads(CliRunner().invoke(app, ["bills", "show", BILL["id"], "--json"]).output)
    assert len(data["approval_steps"]) == 2


def test_the_parts_of_a_bill_are_shown_with_where_each_stands(asked: Asked) -> None:
    """Issue 13.5: one invoice over several receipts shows each part, and what stopped the last one."""
    part = {"source_document": "PO Receiver-RCV-1", "state": "in_erp", "paid": "0.00", "total": "50.00", "problem": ""}
    parts = [
        {**part, "part_no": 1, "document_id": "Vendor Invoice-PSB-0123456789ABCDEF-P1"},
        {**part, "part_no": 2, "document_id": None, "state": "refused", "problem": "RCV-2 is Closed."},
    ]
    asked.bill = {**BILL, "parts": parts}
    shown = run("bills", "show", "INV-2026-000123")
    assert "1 of 2 parts in the ERP" in shown
    assert "part 2: RCV-2 is Closed." in shown
    assert "refused" in shown


def test_a_number_that_two_bills_have_is_not_guessed(asked: Asked) -> None:
    """The command names both ids, and writes nothing."""
    asked.same_number = [BILL, {**BILL, "id": "bill_2"}]
    result = CliRunner().invoke(app, ["bills", "approve", "INV-2026-000123"])
    assert result.exit_code == 2
    assert "bill_2" in result.output
    assert asked.writes == []


def test_decisions_are_made_by_number_and_for_a_person(asked: Asked) -> None:
    """Fault C6. Approve, deny, delegate, reassign: people by their e-mail, the bill by its number."""
    number, path = "INV-2026-000123", f"/v1/bills/{BILL['id']}"
    shown = run("bills", "approve", number, "--as", "ben@acme.example")
    assert "approval approved, the bill is pending push" in " ".join(shown.split())
    run("bills", "deny", number, "--why", "damaged")
    run("bills", "delegate", number, "--to", "ana@acme.example", "--why", "away")
    run("bills", "reassign", number, "--step", "ana@acme.example,ben@acme.example", "--why", "left")
    assert asked.writes == [
        (f"{path}/approve", {"reason": ""}, "ben@acme.example"),
        (f"{path}/deny", {"reason": "damaged"}, None),
        (f"{path}/approval/delegate", {"to": "person_1", "reason": "away"}, None),
        (
            f"{path}/approval/reassign",
            {"steps": [{"approvers": ["person_1", "person_2"]}], "reason": "left"},
            None,
        ),
    ]
    unknown = CliRunner().invoke(app, ["bills", "delegate", number, "--to", "eve@acme.example", "--why", "x"])
    assert unknown.exit_code == 2


def test_an_edit_names_what_it_changes(asked: Asked) -> None:
    """Only what was given is sent; nothing given is refused before anything is asked."""
    shown = run("bills", "edit", "INV-2026-000123", "--memo", "late", "--due", "2026-12-31")
    assert asked.writes == [(f"/v1/bills/{BILL['id']}", {"memo": "late", "due_date": "2026-12-31"}, None)]
    assert "the ERP gets it next" in " ".join(shown.split())
    assert CliRunner().invoke(app, ["bills", "edit", "INV-2026-000123"]).exit_code == 2


def test_people_are_listed(asked: Asked) -> None:
    """Name, e-mail, roles, and whether they are active."""
    shown = run("people", "list")
    assert "ben@acme.example" in shown
    assert "inactive" in shown
