"""`posync setup` and `posync connection confirm`: what they ask for, show and send."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import setup
from cli.main import app

CHECK: dict[str, Any] = {
    "code": "PAYMENT_APPROVAL",
    "title": "Payments need no approval in Intacct",
    "state": "unknown",
    "read": "unknown",
    "why": "A program cannot read this setting.",
    "seen": "",
    "breaks": ["payments"],
    "fix": ["In Intacct open Accounts Payable > Setup > Configuration."],
    "confirmed": None,
}
SENT: list[tuple[str, str, Any]] = []


def answered(request: httpx.Request) -> httpx.Response:
    body = json.loads(request.content) if request.content else None
    SENT.append((request.method, request.url.path, body))
    if request.url.path == "/v1/connections":
        return httpx.Response(200, json={"items": [{"id": "intacct-1", "state": "ready"}]})
    if request.url.path.endswith("/schedule"):
        shown = {"every_minutes": 60, "id": "sync-schedule/intacct-1", "next_at": None, "paused": True}
        return httpx.Response(200, json=shown, headers={"ETag": '"1"'})
    if request.url.path.endswith("/accounting-settings"):
        dimensions = [{"dimension": "department", "carried": False}, {"dimension": "class", "carried": True}]
        shown = {"dimensions": dimensions, "posting_day": "open_period"}
        return httpx.Response(200, json=shown, headers={"ETag": '"1"'})
    if request.url.path.endswith("/checks"):
        return httpx.Response(200, json={"items": [CHECK], "failed": 0, "unknown": 1})
    confirmed = {"state": "pass", "value": "off", "by": "Ann", "at": "2026-11-30T10:00:00Z"}
    return httpx.Response(200, json={**CHECK, "state": "pass", "confirmed": confirmed}, headers={"ETag": '"1"'})


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> None:
    SENT.clear()

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answered))
        return created

    monkeypatch.setattr(setup, "api", api)


def run(*words: str, typed: str = "") -> str:
    done = CliRunner().invoke(app, list(words), input=typed, catch_exceptions=False, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


def test_setup_asks_about_what_cannot_be_read() -> None:
    """S2-38: a person looks it up, where it says, and says what the screen shows."""
    shown = run("setup", typed="y\noff\n")
    assert "Accounts Payable > Setup > Configuration" in shown
    puts = [(path, body) for method, path, body in SENT if method == "PUT"]
    assert puts == [("/v1/connections/intacct-1/checks/PAYMENT_APPROVAL", {"state": "pass", "value": "off"})]


def test_one_check_is_confirmed_by_its_name() -> None:
    """S2-38."""
    assert "Ann saw on 2026-11-30: on" not in run(
        "connection", "confirm", "PAYMENT_APPROVAL", "--value", "on", "--wrong"
    )
    assert [body for method, _, body in SENT if method == "PUT"] == [{"state": "fail", "value": "on"}]


def test_the_last_answers_are_listed_without_asking_the_erp() -> None:
    """S2-81."""
    assert "PAYMENT_APPROVAL" in run("connection", "checks")
    assert {method for method, _, _ in SENT} == {"GET"}


def test_a_schedule_is_set_and_shown() -> None:
    """S2-56: how often, and under which name an operator finds it in Temporal."""
    assert "An operator paused it there." in run("connection", "schedule")
    assert "every hour: schedule sync-schedule/intacct-1" in run("connection", "schedule", "--every", "60")
    run("connection", "schedule", "--every", "0")
    path = "/v1/connections/intacct-1/schedule"
    sent = [body for method, where, body in SENT if (method, where) == ("PUT", path)]
    assert sent == [{"every_minutes": 60}, {"every_minutes": None}]


def test_what_bills_carry_is_set_and_shown() -> None:
    """S2-42, S2-43, S2-44, S2-48: only what is named changes."""
    shown = run("connection", "accounting")
    assert "department: not carried" in shown
    assert "posting day: open period" in shown
    run("connection", "accounting", "--no-departments", "--classes", "--posting-day", "open_period")
    ((_, _, body),) = [one for one in SENT if one[0] == "PUT"]
    assert body == {"dimensions": {"department": False, "class": True}, "posting_day": "open_period"}
