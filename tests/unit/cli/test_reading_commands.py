"""`posync po`, `sync`, `issues`, `sandbox faults`: what a person sees, and what is said when there is nothing."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.client.sync_runs import in_words
from cli.commands import connections, issues, purchase_orders, sandbox
from cli.main import app
from sandbox import neutral

ORDER = {
    "id": "po_1",
    "connection_id": "intacct-1",
    "number": "PO-1",
    "vendor_name": "Acme [/b] [us]",
    "ordered_on": "2026-11-01",
    "total": "10.00",
    "currency": "USD",
    "erp_status": "Partially Converted",
    "status": "partially_filled",
    "lines": [],
}
TWIN = {**ORDER, "id": "po_2", "connection_id": "netsuite-1"}
ISSUE = {
    "id": "issue_1",
    "code": "MIXED_ENTITY",
    "connection_id": "intacct-1",
    "subject_name": "MIX-1",
    "title": "Order MIX-1 has lines of several entities",
    "cause": "The lines [a] differ: 100, 200.",
    "fix": ["Give all lines one location.", "Or split the order."],
    "who": "accountant",
    "occurrences": 2,
    "state": "open",
}
STARTED = {"sync_run_id": "run_1", "workflow_id": "sync/intacct-1"}
RUN: dict[str, Any] = {"state": "completed", "counts": {}, "problem": None, "progress": None}


class StackClient:
    """An API that knows some orders, one sync run after the other, and how the connection is."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = [RUN]
        self.problems: list[dict[str, str] | None] = []
        self.complete = True
        self.issues: list[dict[str, Any]] = []
        self.skipped: list[dict[str, str]] = []
        self.asked_for: list[tuple[str | None, str | None]] = []
        """Number and connection of each search for orders."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.startswith("/v1/purchase-orders/"):
            return httpx.Response(200, json={**ORDER, "items": [], "next_cursor": None})
        if path.startswith("/v1/sync-runs/"):
            return httpx.Response(200, json=self.runs.pop(0) if len(self.runs) > 1 else self.runs[0])
        if path == "/v1/connections/intacct-1/sync":
            return httpx.Response(202, json=STARTED)
        if path == "/v1/connections/intacct-1/skipped-records":
            return httpx.Response(200, json={"items": self.skipped, "next_cursor": None})
        if path == "/v1/connections/intacct-1":
            problem = self.problems.pop(0) if self.problems else None
            shown = {"problem": problem, "sync_problem": None, "preferences_complete": self.complete}
            return httpx.Response(200, json={**shown, "last_synced_at": "2026-11-30T10:00:00Z"})
        orders = self.orders
        if path == "/v1/purchase-orders":
            connection = request.url.params.get("connection")
            self.asked_for.append((request.url.params.get("q"), connection))
            orders = [order for order in orders if connection in (None, order["connection_id"])]
        companies = [{"id": name} for name in sorted({order["connection_id"] for order in self.orders})]
        lists = {"/v1/purchase-orders": orders, "/v1/sync-issues": self.issues, "/v1/connections": companies}
        found = lists.get(path, [])
        return httpx.Response(200, json={"items": found, "next_cursor": None})


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> StackClient:
    created = StackClient()

    def api(_: object) -> Api:
        client = Api("http://api.test", "psk_test")
        client._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(created))
        return client

    for command in (connections, issues, purchase_orders):
        monkeypatch.setattr(command, "api", api)
    for console in (purchase_orders.console, connections.errors):
        monkeypatch.setattr(console, "width", 160)
    return created


def told(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, words, catch_exceptions=False, env={"COLUMNS": "200"})
    assert done.exit_code == code, done.output
    return " ".join(done.output.replace("│", " ").split())


def test_orders_are_listed_as_the_erp_wrote_them(api: StackClient) -> None:
    """Square brackets in a vendor's name are no mark-up, and statuses read like words."""
    api.orders = [ORDER]
    shown = told("po", "list")
    assert "Acme [/b] [us] 2026-11-01 partially filled Partially Converted 10.00 USD" in shown
    assert "intacct-1" not in shown
    assert "Acme [/b] [us]" in told("po", "show", "PO-1")


def test_the_same_number_in_two_companies(api: StackClient) -> None:
    """Both are shown with their connection; a command that needs one names the ids to choose from."""
    api.orders = [ORDER, TWIN]
    assert "PO-1 netsuite-1 Acme" in told("po", "list")
    refused = told("po", "show", "PO-1", code=2)
    assert "intacct-1/PO-1" in refused
    assert "netsuite-1/PO-1" in refused
    assert "Acme" in told("po", "show", "netsuite-1/PO-1")
    assert api.asked_for[-1] == ("PO-1", "netsuite-1")
    api.orders = [ORDER, {**TWIN, "connection_id": "intacct-1"}]
    assert "po_2" in told("po", "show", "PO-1", code=2), "one number twice in one company: by id"


def test_nothing_to_show_is_said(api: StackClient) -> None:
    assert told("po", "list") == "There is no such purchase order. `posync sync` brings new ones in."
    assert "posync po list" in told("po", "show", "PO-7", code=2)
    assert told("issues", "list") == "There is no sync issue that is open."


def test_an_issue_is_a_block_that_can_be_read(api: StackClient) -> None:
    """Issue 2: what, why, who can fix it, how, and the id to go on with; the ERP's own brackets stay."""
    api.issues = [ISSUE]
    shown = told("issues", "list")
    assert shown == (
        "issue_1 · MIXED_ENTITY · accountant · seen 2 times Order MIX-1 has lines of several entities"
        " The lines [a] differ: 100, 200. • Give all lines one location. • Or split the order."
    )
    assert json.loads(told("issues", "list", "--json")) == [ISSUE]


def test_an_issue_is_settled_by_the_number_it_is_about(api: StackClient) -> None:
    """C6: people know a bill's number, not the id of its issue; which of several is meant, nobody guesses."""
    api.issues = [ISSUE, {**ISSUE, "id": "issue_2", "subject_name": "INV-7"}]
    assert told("issues", "retry", "inv-7") == "issue_2: asked to try again."
    assert told("issues", "abandon", "INV-7", "--yes") == "issue_2: asked to abandon."
    assert told("issues", "retry", "issue_9") == "issue_9: asked to try again."
    assert "posync issues list" in told("issues", "retry", "INV-8", code=2)
    api.issues.append({**ISSUE, "id": "issue_3", "connection_id": "netsuite-1"})
    assert "issue_3 (MIXED_ENTITY, netsuite-1)" in told("issues", "retry", "MIX-1", code=2)


def test_a_sync_that_found_nothing(api: StackClient) -> None:
    assert "completed, nothing has changed" in told("sync", "intacct-1", "--follow")
    assert told("sync", "intacct-1") == "Sync sync/intacct-1 is running."
    assert json.loads(told("sync", "intacct-1", "--json")) == STARTED


def test_a_sync_that_waits_for_the_erp_says_so(api: StackClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN section 6: an outage is shown where a person waits, and its end; each once."""
    monkeypatch.setattr(connections, "LOOK_EVERY", 0)
    outage = {"code": "ERP_OUTAGE", "message": "Intacct answered HTTP 503."}
    api.runs = [{**RUN, "state": "running"}] * 3 + [RUN]
    api.problems = [outage, outage]
    shown = told("sync", "intacct-1", "--follow")
    assert shown.count("ERP_OUTAGE: Intacct answered HTTP 503. It is tried again by itself") == 1
    assert shown.count("The ERP answers again.") == 1


def test_a_sync_of_lists_only_says_what_is_missing(api: StackClient) -> None:
    """S2-55: transactions wait for the preferences; a table that lacks them does not say why."""
    assert "Only lists were synced" not in told("sync", "intacct-1", "--follow")
    api.complete = False
    assert "Only lists were synced" in told("sync", "intacct-1", "--follow")


def test_a_failed_sync_names_its_reason(api: StackClient) -> None:
    problem = {"code": "PERMISSION_DENIED", "message": "The user may not read APBILL."}
    api.runs = [{**RUN, "state": "failed", "problem": problem}]
    assert "PERMISSION_DENIED: The user may not read APBILL." in told("sync", "intacct-1", "--follow", code=1)


def test_faults_are_shown_as_what_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kinds there are come with the bare command only."""
    rule = {"kind": "slow", "erp": "intacct", "operation": "query", "times": None, "after": 0, "fired": 3}

    class Control:
        def get(self, path: str) -> Any:
            return {"rules": [], "kinds": {"slow": "the answer takes `seconds`"}}

        def post(self, path: str, body: Any) -> Any:
            return {"rules": [{**rule, **body["rules"][0]}], "kinds": {"slow": "the answer takes `seconds`"}}

        delete = get

    monkeypatch.setattr(sandbox, "_control", lambda url, state_dir: Control())
    bare = told("sandbox", "faults", "--state-dir", str(Path("nowhere")))
    assert "the answer takes" in bare
    assert bare.endswith("Nothing is broken.")
    broken = told("sandbox", "faults", "slow", "--operation", "query")
    assert "slow intacct query for ever 0 3" in broken
    assert "the answer takes" not in broken
    assert told("sandbox", "faults", "--clear") == "Nothing is broken."


def test_filling_the_sandbox_says_in_words_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """F5: JSON is for programs, and only when they ask for it."""
    loaded = {"vendors": 9, "bank_accounts": 1, "classes": 1, "purchase_orders": 34, "receipts": 0}

    class Control:
        def post(self, path: str, body: Any = None) -> Any:
            return {"loaded": loaded, "errors": [], "purchase_orders": ["PO-1001", "PO-1002", "PO-1034"]}

    monkeypatch.setattr(sandbox, "_control", lambda url, state_dir: Control())
    said = "The pretend NetSuite company now holds 9 vendors, 1 bank account, 1 class and 34 purchase orders."
    numbers = "Its purchase orders are PO-1001 to PO-1034."
    late = "They are some months old. Connections that have synced before bring them in with `posync backfill`."
    assert told("sandbox", "sample", "--erp", "netsuite") == f"{said} {numbers} {late}"
    assert '"PO-1002"' in told("sandbox", "sample", "--json")
    assert told("sandbox", "reset").startswith("The pretend companies are empty")
    monkeypatch.setattr(neutral, "read_path", lambda path, kind: ({}, []))
    assert told("sandbox", "load", __file__).startswith("Loaded 9 vendors, 1 bank account,")


def test_a_sync_shows_what_it_counted_and_left_out(api: StackClient) -> None:
    """Fault F6, S1-16, S1-12: a row for each kind of record, and the reason of each that stayed out."""
    counts = {"notified": 2, "purchase_orders.seen": 4, "purchase_orders.changed": 2, "purchase_orders.skipped": 1}
    api.runs = [{**RUN, "counts": {**counts, "purchase_orders.pages": 1}}]
    api.skipped = [{"reason": "PO-9 is left out: it is in EUR."}]
    shown = told("sync", "intacct-1", "--follow")
    assert "what ┃ read ┃ changed ┃ left out ┃ unreadable" in shown
    assert "purchase orders 4 2 1 0" in shown
    assert "Orders whose workflows were notified: 2" in shown
    assert "PO-9 is left out: it is in EUR." in shown
    api.runs = [{**RUN, "counts": {}}]
    nothing_new = told("sync", "intacct-1", "--follow")
    assert "PO-9 is left out: it is in EUR." in nothing_new, "also by a run that has nothing to do"


def test_what_a_run_counted_is_said_in_words() -> None:
    """F5: the demo and a sync that is followed; pages mean nothing to a person."""
    counts = {"bills.seen": 10, "bills.changed": 4, "bills.pages": 1, "credit_memos.seen": 0, "notified": 3}
    counts |= {"purchase_orders.seen": 34, "purchase_orders.skipped": 2}
    assert in_words(counts) == "bills 10 read, 4 changed; purchase orders 34 read, 2 left out"
    assert in_words({"notified": 3}) == "nothing has changed"
