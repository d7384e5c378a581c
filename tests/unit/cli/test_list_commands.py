"""`posync payments`, `connection`, `policies`, `units`: what each asks the API for, and shows on 80 columns."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import connection_lists, payments, policies, web_connector
from cli.main import app

BILL = {
    "vendor_name": "Vendor [One]",
    "id": "bill_1",
    "connection_id": "intacct-1",
    "number": "INV-1",
    "origin": "posync",
    "currency": "USD",
    "total": "125.00",
    "paid": "25.00",
    "reserved": "30.00",
    "status": "scheduled",
    "payments": [],
}
PAYMENT = {
    "id": "pay_1",
    "bill_id": "bill_1",
    "amount": "70.00",
    "currency": "USD",
    "pay_on": "2026-12-01",
    "status": "scheduled",
    "waits_for": {"what": "bill_push"},
    "method": "eft",
    "bank_account": "BOA",
    "reference": "CHK-7",
    "external_id": None,
    "erp_id": "17",
    "submitted_on": None,
    "shares": [{"bill_id": "bill_1", "amount": "70.00"}],
    "credits": [{"credit_id": "bill_2", "bill_id": "bill_1", "amount": "30.00"}],
    "fees": [],
    "events": [{"at": "2026-11-20T09:30:00Z", "kind": "scheduled", "actor": "Ana", "why": ""}],
}
CREDIT = {
    "id": "bill_2",
    "number": "CM-1",
    "vendor_name": "Vendor [One]",
    "total": "40.00",
    "open": "40.00",
    "reserved": "10.00",
    "status": "open",
    "credit_of": "bill_1",
}
CONNECTION = {
    "id": "intacct-1",
    "state": "ready",
    "today": "2026-11-30",
    "last_synced_at": "2026-11-30T10:15:00+00:00",
    "problem": None,
    "sync_problem": {"since": "2026-11-30T10:20:00+00:00", "code": "ERP_OUTAGE", "message": "it is down"},
    "preferences": {"po_template": "Purchase Order"},
    "capabilities": {},
    "one_way": False,
}
RUN = {
    "started_at": "2026-11-30T10:14:00+00:00",
    "trigger": "schedule",
    "state": "completed",
    "problem": None,
    "counts": {"purchase_orders.seen": 3, "purchase_orders.changed": 1},
}
NOTICE = {
    "id": "notice_1",
    "code": "DELETIONS_BY_SWEEP",
    "message": "Deletions are looked for once a day.",
    "created_at": "2026-11-30T10:14:00+00:00",
}
PAGES: dict[str, list[dict[str, Any]]] = {
    "/v1/payments": [PAYMENT],
    "/v1/bills": [BILL],
    "/v1/credits": [CREDIT],
    "/v1/connections": [CONNECTION],
    "/v1/connections/intacct-1/sync-runs": [RUN],
    "/v1/connections/intacct-1/skipped-records": [
        {"number": "PO-EUR", "erp_id": "7", "code": "OTHER_CURRENCY", "reason": "PO-EUR stays out: it is in EUR."}
    ],
    "/v1/connections/intacct-1/lists/vendor": [
        {
            "key": "V-1",
            "name": "Vendor One",
            "entity": None,
            "state": "active",
            "attributes": {"e_mail": "ap@one.test"},
        },
        {"key": "V-2", "name": "Vendor Two", "entity": "100", "state": "inactive", "attributes": {}},
    ],
    "/v1/connections/intacct-1/closed-periods": [
        {
            "entity": None,
            "closed_through": "2026-10-31",
            "erp_closed_through": "2026-10-31",
            "set_closed_through": None,
            "set_by": None,
        }
    ],
    "/v1/notices": [NOTICE],
    "/v1/tolerance-policies": [
        {
            "id": "policy_1",
            "level": "vendor",
            "scope": {"connection_id": "intacct-1", "vendor_id": "V-1", "item_id": None},
            "checks": {"price": {"percent": "2", "absolute": None}},
        }
    ],
    "/v1/unit-factors": [
        {
            "item_id": "ITEM-1",
            "vendor_id": None,
            "unit": "Case",
            "factor": "12",
            "order_unit": "Each",
            "entered_by": "Ana",
        }
    ],
}
ONE = {
    "/v1/bills/bill_1": BILL,
    "/v1/credits/bill_2": CREDIT,
    "/v1/payments/pay_1": PAYMENT,
    "/v1/connections/intacct-1": CONNECTION,
    "/v1/connections/qbd-1/web_connector": {
        "last_contact_at": "2026-11-30T09:05:00+00:00",
        "every_minutes": 5,
        "waiting": 3,
        "problem": {"code": "QUICKBOOKS_NOT_OPENED", "message": "A dialog is open."},
        "company_file": "C:\\\\books.qbw",
    },
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What the commands write, by path."""
    writes: list[tuple[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST":
            writes.append((path, json.loads(request.content)))
            return httpx.Response(201, json={"payment": PAYMENT})
        if path in ONE:
            return httpx.Response(200, json=ONE[path])
        return httpx.Response(200, json={"items": PAGES[path], "next_cursor": None})

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answer))
        return created

    for commands in (payments, connection_lists, policies, web_connector):
        monkeypatch.setattr(commands, "api", api)
        monkeypatch.setattr(commands.console, "width", 80)
    return writes


def shown(*words: str) -> str:
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert all(len(line) <= 80 for line in done.output.splitlines())
    return " ".join(done.output.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("payments", "list", "--bill", "INV-1"), ("pay_1", "INV-1", "70.00 USD", "2026-12-01", "bill push")),
        (("connection", "list"), ("intacct-1", "ready", "2026-11-30 10:15 UTC", "ERP_OUTAGE")),
        (("connection", "show"), ("ERP_OUTAGE", "Purchase Order", "one way", "no")),
        (("connection", "runs"), ("2026-11-30 10:14 UTC", "schedule", "3 read, 1", "changed")),
        (("connection", "left-out"), ("PO-EUR", "OTHER_CURRENCY", "EUR.")),
        (("connection", "entries", "vendor"), ("V-1", "Vendor One", "active", "V-2", "100", "inactive")),
        (("connection", "closed-periods"), ("whole company", "2026-10-31")),
        (("connection", "notices"), ("DELETIONS_BY_SWEEP", "once a day.")),
        (("web-connector", "qbd-1"), ("2026-11-30 09:05:00", "5 min", "3", "books.qbw")),
        (("policies", "list"), ("policy_1", "vendor_id V-1", "price: percent 2")),
        (("units", "list"), ("ITEM-1", "any", "Case", "12 Each", "Ana")),
    ],
)
def test_every_list_has_a_command(sent: list[tuple[str, Any]], words: tuple[str, ...], told: tuple[str, ...]) -> None:
    """Issue 10, kind 9: what the API lists, a person sees on 80 columns; `--json` gives the whole."""
    text = shown(*words)
    for each in told:
        assert each in text, text
    assert isinstance(json.loads(CliRunner().invoke(app, [*words, "--json"]).output), list | dict)
    assert sent == []


def test_a_payment_takes_what_is_open_today(sent: list[tuple[str, Any]]) -> None:
    """Of 125.00, 25.00 is paid and 30.00 reserved; the day is the connection's."""
    assert "pay_1: 70.00 USD of INV-1 on 2026-12-01" in shown("payments", "pay", "INV-1")
    shown("payments", "pay", "INV-1", "--amount", "10.00", "--on", "2026-12-24", "--bank-account", "BOA")
    assert sent == [
        (
            "/v1/bills/bill_1/payments",
            {"amount": "70.00", "pay_on": "2026-11-30", "bank_account": None, "method": None},
        ),
        (
            "/v1/bills/bill_1/payments",
            {"amount": "10.00", "pay_on": "2026-12-24", "bank_account": "BOA", "method": None},
        ),
    ]


def test_a_payment_of_several_bills_names_each_with_its_amount(sent: list[tuple[str, Any]]) -> None:
    """S4-25: what is not named is all that is open; a number of people's own goes with it."""
    text = shown("payments", "pay", "INV-1=40.00", "INV-1", "--reference", "CHK-7", "--paid-outside")
    assert "INV-1, INV-1" in text
    ((path, body),) = sent
    assert path == "/v1/payments"
    assert body["bills"] == [{"bill_id": "bill_1", "amount": "40.00"}, {"bill_id": "bill_1", "amount": "70.00"}]
    assert (body["reference"], body["paid_outside"], body.get("external_id")) == ("CHK-7", True, None)


def test_credits_go_with_a_payment_and_lower_its_money(sent: list[tuple[str, Any]]) -> None:
    """S5-70: as much as is open, or as named, to the bill that it is against, or the one named."""
    text = shown("payments", "pay", "INV-1", "--credit", "CM-1")
    assert "INV-1 and 30.00 of credits" in text
    shown("payments", "pay", "INV-1=25.00", "--credit", "CM-1=12.50@INV-1")
    shown("payments", "pay", "INV-1", "--credit", "CM-1=12.50", "--credit", "CM-1")
    first, second, third = (body for _, body in sent)
    assert first["credits"] == [{"credit_id": "bill_2", "bill_id": "bill_1", "amount": "30.00"}]
    assert first["bills"] == [{"bill_id": "bill_1", "amount": "40.00"}]
    assert second["credits"] == [{"credit_id": "bill_2", "bill_id": "bill_1", "amount": "12.50"}]
    assert second["bills"] == [{"bill_id": "bill_1", "amount": "25.00"}]
    assert [one["amount"] for one in third["credits"]] == ["12.50", "17.50"], "what the first left of it"
    assert third["bills"] == [{"bill_id": "bill_1", "amount": "40.00"}]
    all_of_it = ("--credit", "CM-1=30.00", "--credit", "CM-1")
    refusal = CliRunner().invoke(app, ["payments", "pay", "INV-1", *all_of_it])
    assert "nothing is left of CM-1" in " ".join(refusal.output.split())


@pytest.mark.parametrize("named", ["CHK-7", "pay_1"])
def test_a_payment_is_shown_and_voided_by_its_number(sent: list[tuple[str, Any]], named: str) -> None:
    """By number as people know it, on 80 columns."""
    text = shown("payments", "show", named)
    for each in ("70.00 USD to Vendor [One]", "reference CHK-7", "eft from BOA", "│ INV-1 │ 70.00 │", "by Ana"):
        assert each in text, text
    assert json.loads(CliRunner().invoke(app, ["payments", "show", named, "--json"]).output)["id"] == "pay_1"
    CliRunner().invoke(app, ["payments", "void", named, "--why", "twice"])
    assert sent == [("/v1/payments/pay_1/void", {"reason": "twice", "on": None})]


def test_a_payment_with_fees_says_what_the_vendor_gets(sent: list[tuple[str, Any]]) -> None:
    """S5-16, S5-20: kinds with their amounts, one on an account of its own; what is no fee is not sent."""
    shown(
        "payments", "pay", "INV-1=1000.00", "--net", "990", "--fee", "transaction_fee=3@6600", "--fee", "withholding=4"
    )
    (path, body), *_ = sent
    assert path == "/v1/payments"
    assert body["net"] == "990"
    assert body["bills"] == [{"bill_id": "bill_1", "amount": "1000.00"}]
    assert body["fees"] == [
        {"kind": "transaction_fee", "amount": "3", "account": "6600"},
        {"kind": "withholding", "amount": "4", "account": None},
    ]
    assert CliRunner().invoke(app, ["payments", "pay", "INV-1", "--fee", "withholding"]).exit_code == 2
    assert len(sent) == 1


def test_abandoning_and_reading_are_written(sent: list[tuple[str, Any]]) -> None:
    shown("payments", "abandon", "pay_1", "--why", "twice")
    shown("connection", "notices", "--read")
    assert sent == [("/v1/payments/pay_1/abandon", {"reason": "twice"}), ("/v1/notices/notice_1/read", {})]


@pytest.mark.parametrize("words", [("payments", "list"), ("connection", "left-out")])
def test_a_list_that_is_cut_says_so(
    sent: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """It stopped at its limit in silence, and people took the part for the whole."""
    for path in ("/v1/payments", "/v1/connections/intacct-1/skipped-records"):
        monkeypatch.setitem(PAGES, path, PAGES[path] * 3)
    assert "There are more than these 2: --limit 20 shows more." in shown(*words, "--limit", "2")
    assert "There are more" not in shown(*words, "--limit", "3")
