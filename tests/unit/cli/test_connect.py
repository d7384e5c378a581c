"""`posync connect`: what each ERP is asked for, and what is done with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.client.api_client import ApiProblem
from cli.client.endpoints import Endpoints
from cli.commands import connect, order_feature
from cli.main import app
from erp.registry import CREDENTIALS_SPECS
from erp.sign_in import SignInKind
from models.domain.connections import Erp


class Recorder:
    """An API that takes everything, and finds `problems` with the preferences."""

    def __init__(self) -> None:
        self.posted: dict[str, Any] = {}
        self.state = "needs_preferences"
        self.put_there: dict[str, Any] = {}
        self.problems: list[dict[str, Any]] = []
        self.refusal: dict[str, Any] | None = None
        self.replaced: dict[str, Any] = {}
        self.schedule: dict[str, Any] | None = None
        self.orders: dict[str, Any] | None = None
        self.there: list[dict[str, Any]] = []

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        assert path == "/v1/connections"
        yield from self.there

    def post(self, path: str, body: dict[str, Any]) -> Any:
        self.posted = body
        if self.refusal is not None:
            raise ApiProblem(409, self.refusal)
        return {"id": "made-1", "user_name": "somebody", "preferences": {}, "state": self.state}

    def put(self, path: str, body: dict[str, Any]) -> Any:
        if path == "/v1/connections/there-1/credentials":
            self.replaced = body
            return {"id": "there-1", "preferences": {"dimension.Better": "BETTER", "bank_account": "OLD"}}
        if path.endswith("/purchase-orders"):
            self.orders = body
            return {"id": "made-1", "purchase_orders_enabled": body["enabled"], "match_mode": "two_way",
                    "base_currency": "USD"}  # fmt: skip
        if path.endswith("/schedule"):
            self.schedule = body
            return {"id": "made-1", "sync_every_minutes": body["every_minutes"], "base_currency": "USD"}
        self.put_there = body
        every = self.posted.get("sync_every_minutes")
        connection = {"id": "made-1", "sync_every_minutes": every, "base_currency": "USD"}
        return {"problems": self.problems, "complete": not self.problems, "connection": connection}


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    created = Recorder()

    @contextmanager
    def api(state_dir: Path) -> Iterator[Recorder]:
        yield created

    stack = Endpoints("http://api", "key", "temporal", None, "postgresql:///x", "http://127.0.0.1:8900")
    monkeypatch.setattr(connect, "api", api)
    monkeypatch.setattr(connect, "running_stack", lambda state_dir: stack)
    monkeypatch.setenv("POSYNC_NETSUITE_CONSUMER_SECRET", "cs")
    monkeypatch.setenv("POSYNC_NETSUITE_TOKEN_SECRET", "ts")
    return created


NETSUITE = ["netsuite", "--account", "TSTDRV1", "--consumer-key", "ck", "--token-id", "tk", "--subsidiary", "1"]


def test_a_netsuite_account_is_connected_with_its_token(recorder: Recorder) -> None:
    """S2-51, S4-70: by NetSuite's own names; secrets come from the environment or are asked for."""
    options = ["--sandbox", "--bank-account", "BOA", "--no-bill-in-advance"]
    ended = CliRunner().invoke(connect.app, [*NETSUITE, *options])
    assert ended.exit_code == 0, ended.output
    assert recorder.posted == {
        "erp": "netsuite",
        "name": "TSTDRV1 1",
        "credentials": {
            "account": "TSTDRV1",
            "consumer_key": "ck",
            "consumer_secret": "cs",
            "token_id": "tk",
            "token_secret": "ts",
        },
        "entity": "1",
        "one_way": False,
        "endpoint": "http://127.0.0.1:8900/services/NetSuitePort_2023_2",
        "sync_every_minutes": 15,
        "settings": {"allow_loopback": True},
    }
    assert recorder.put_there == {"preferences": {"bank_account": "BOA", "bill_in_advance": "false"}}


def test_a_new_connection_syncs_by_itself(recorder: Recorder) -> None:
    """F1: it had no schedule, and nobody synced."""
    told = " ".join(CliRunner().invoke(connect.app, [*NETSUITE, "--sandbox"]).output.split())
    assert (recorder.posted["sync_every_minutes"], "It syncs every 15 minutes." in told) == (15, True)
    told = " ".join(CliRunner().invoke(connect.app, [*NETSUITE, "--sandbox", "--sync-every", "0"]).output.split())
    assert (recorder.posted["sync_every_minutes"], "It syncs only when you ask." in told) == (None, True)
    assert recorder.schedule is None, "it was made with it"


def test_purchase_orders_stay_off_unless_somebody_wants_them(recorder: Recorder) -> None:
    """S4-04, S1-32: visibly; where nobody can be asked, they stay off."""
    shown = " ".join(CliRunner().invoke(connect.app, [*NETSUITE, "--sandbox"]).output.split())
    assert (recorder.orders, "Purchase orders are off." in shown) == (None, True)
    shown = " ".join(CliRunner().invoke(connect.app, [*NETSUITE, "--sandbox", "--purchase-orders"]).output.split())
    assert (recorder.orders, "Purchase orders are on;" in shown) == ({"enabled": True}, True)


def test_an_administrator_switches_orders_and_matching(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """S1-32, S4-04, S4-07."""
    monkeypatch.setattr(order_feature, "api", connect.api)
    shown = CliRunner().invoke(app, ["purchase-orders", "on", "made-1", "--match", "3-way"]).output
    assert recorder.orders == {"enabled": True, "match_mode": "three_way"}
    assert "purchase orders on" in shown


def test_the_currency_of_the_books_is_given_where_the_erp_does_not_say_it(recorder: Recorder) -> None:
    """S1-16: with the connection and with its preferences, so that connecting again answers the question too."""
    ended = CliRunner().invoke(connect.app, [*NETSUITE, "--sandbox", "--base-currency", "CAD"])
    assert ended.exit_code == 0, ended.output
    assert (recorder.posted["base_currency"], recorder.put_there["base_currency"]) == ("CAD", "CAD")
    assert "Its books are kept in USD" in " ".join(ended.output.split()), "as the connection says it"


INTACCT = ["intacct", "--company", "ACME", "--user", "xml", "--sender-id", "us", "--entity", "100"]


def test_an_intacct_company_is_connected_with_the_templates_most_have(recorder: Recorder) -> None:
    """S4-62: by Intacct's own names; a password that no variable holds is asked for."""
    ended = CliRunner().invoke(connect.app, INTACCT, input="secret\nsender secret\n")
    assert ended.exit_code == 0, ended.output
    assert "secret" not in ended.output
    assert (recorder.posted["erp"], recorder.posted["name"], recorder.posted["entity"]) == (
        "intacct",
        "ACME 100",
        "100",
    )
    assert recorder.posted["credentials"] == {
        "company": "ACME",
        "user": "xml",
        "sender_id": "us",
        "password": "secret",
        "sender_password": "sender secret",
    }
    templates = {"po_template": "Purchase Order", "vendor_invoice_template": "Vendor Invoice"}
    assert recorder.put_there == {"preferences": templates}


def test_a_connection_that_is_let_in_later_gets_no_preferences_yet(recorder: Recorder) -> None:
    recorder.state = "pending_authorization"
    ended = CliRunner().invoke(connect.app, [*NETSUITE, "--bank-account", "BOA"])
    assert ended.exit_code == 0, ended.output
    assert "has not let it in yet" in ended.output
    assert recorder.put_there == {}


@pytest.mark.parametrize("erp", Erp)
def test_every_secret_may_come_from_a_variable_of_its_own(erp: Erp) -> None:
    """A secret on the command line would stand in the shell's history."""
    command = connect.NAMES.get(erp, erp.value)
    shown = CliRunner().invoke(connect.app, [command, "--help"], env={"COLUMNS": "200"}).output
    secrets = [question.name for question in CREDENTIALS_SPECS[erp].credentials if question.secret]
    assert secrets or CREDENTIALS_SPECS[erp].kind is not SignInKind.FORM, "the ERP, or we, make them"
    assert " ".join(shown.split()).count("env var: POSYNC_") == len(secrets) + 1, "and the state directory"


def test_without_the_sandbox_the_vendors_own_address_is_used(recorder: Recorder) -> None:
    """What is not said is left to NetSuite: whether it bills in advance is asked there."""
    ended = CliRunner().invoke(connect.app, NETSUITE)
    assert ended.exit_code == 0, ended.output
    assert (recorder.posted["endpoint"], recorder.posted["settings"]) == (None, {"allow_loopback": False})
    assert recorder.put_there == {"preferences": {}}


def test_preferences_that_do_not_hold_end_with_an_error(recorder: Recorder) -> None:
    """S2-55."""
    recorder.problems = [{"preference": "bank_account", "message": "no such account", "fix": ["name another"]}]
    ended = CliRunner().invoke(connect.app, [*NETSUITE, "--bank-account", "No such bank"])
    assert ended.exit_code == 1
    assert "no such account" in ended.output
    assert "name another" in ended.output


def test_connecting_again_repairs_what_is_connected(recorder: Recorder) -> None:
    """S4-62, S2-14: after a wrong name the same command with the right one; what it does not name stays as it is."""
    recorder.refusal = {"code": "CONNECTION_EXISTS", "evidence": {"connection_id": "there-1"}}
    ended = CliRunner().invoke(connect.app, [*NETSUITE, "--bank-account", "BOA"])
    assert ended.exit_code == 0, ended.output
    assert "Connected already: there-1" in ended.output
    assert recorder.replaced["credentials"]["token_secret"] == "ts"
    assert recorder.put_there == {"preferences": {"dimension.Better": "BETTER", "bank_account": "BOA"}}


@pytest.mark.parametrize("refusal", [{"code": "CONNECTION_EXISTS"}, {"code": "AUTH_BAD_CREDENTIALS"}])
def test_another_organizations_connection_is_left_alone(recorder: Recorder, refusal: dict[str, Any]) -> None:
    """S2-14: only one that the API names is ours."""
    recorder.refusal = refusal
    ended = CliRunner().invoke(connect.app, NETSUITE)
    assert isinstance(ended.exception, ApiProblem)
    assert (recorder.replaced, recorder.put_there) == ({}, {})


class Browser(Recorder):
    """An API whose connection is let in once the person has looked at the page."""

    def __init__(self) -> None:
        super().__init__()
        self.state = "pending_authorization"
        self.looks = 0
        self.started: list[str] = []

    def get(self, path: str) -> Any:
        self.looks += 1
        return {
            "id": path.split("/")[-1],
            "user_name": "Nora Norton",
            "company": "9130350000000000001",
            "preferences": {},
            "state": "needs_preferences",
            "version": min(self.looks, 3),
        }

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        if path.endswith("/authorization"):
            self.started.append(path)
            return {"url": "https://appcenter.intuit.com/connect/oauth2?state=s"}
        return super().post(path, body or {})


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    created = Browser()

    @contextmanager
    def api(state_dir: Path) -> Iterator[Browser]:
        yield created

    monkeypatch.setattr(connect, "api", api)
    monkeypatch.setattr(connect, "LOOK_SECONDS", 0.0)
    return created


def test_quickbooks_is_connected_in_a_browser(browser: Browser) -> None:
    """The command shows the page's address, waits for the consent, and sets the preferences."""
    ended = CliRunner().invoke(connect.app, ["qbo", "--name", "Norton", "--bank-account", "Checking"])
    assert ended.exit_code == 0, ended.output
    assert (browser.posted["erp"], browser.posted["credentials"]) == ("quickbooks_online", {})
    assert "https://appcenter.intuit.com/connect/oauth2?state=s" in ended.output
    connected = "Connected: made-1 to company 9130350000000000001, as Nora Norton agreed to"
    assert ended.output.index("oauth2") < " ".join(ended.output.split()).index(connected)
    assert browser.put_there == {"preferences": {"bank_account": "Checking"}}


def test_a_connection_is_authorized_anew(browser: Browser) -> None:
    ended = CliRunner().invoke(connect.app, ["qbo", "--connection", "made-1"])
    assert ended.exit_code == 0, ended.output
    assert (browser.started, browser.posted) == (["/v1/connections/made-1/authorization"], {})
    assert browser.put_there == {}


def test_what_nobody_agreed_to_goes_on(browser: Browser) -> None:
    """Issue 11: run once more, the command takes up the connection that it made and leaves no second one behind."""
    pending = {"id": "old-1", "erp": "quickbooks_online", "name": "Norton", "state": "pending_authorization",
               "company": "", "endpoint": None, "preferences": {}}  # fmt: skip
    browser.there = [
        {**pending, "id": "other-1", "name": "Larkin"},
        pending,
        {**pending, "id": "used-1", "company": "9"},
    ]
    ended = CliRunner().invoke(connect.app, ["qbo", "--name", "Norton", "--bank-account", "Checking"])
    assert ended.exit_code == 0, ended.output
    assert "Going on with old-1" in ended.output
    assert (browser.started, browser.posted) == (["/v1/connections/old-1/authorization"], {})
    assert browser.put_there == {"preferences": {"bank_account": "Checking"}}


def test_nobody_agrees(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "CONSENT_SECONDS", 0)
    ended = CliRunner().invoke(connect.app, ["qbo", "--connection", "made-1"])
    assert ended.exit_code == 1
    assert "Nobody has agreed yet" in ended.output


class WebConnectorSetUp(Recorder):
    """An API whose Web Connector calls once its file was fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.state = "pending_authorization"
        self.calls = 0

    def text(self, path: str) -> Iterator[str]:
        yield "<QBWCXML/>"

    def get(self, path: str) -> Any:
        if path.endswith("/web_connector"):
            self.calls += 1
            return {"recognized_at": None if self.calls == 1 else "2026-11-30T10:00:00Z"}
        return {"id": "made-1", "preferences": {}, "state": "needs_preferences", "version": 2}

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        if path.endswith("/web_connector"):
            return {"password": "shown-once"}
        return super().post(path, body or {})


def test_quickbooks_desktop_is_connected_by_its_web_connector(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Issue 12: the file is written, the password shown, and the preferences set once it has called."""
    created = WebConnectorSetUp()

    @contextmanager
    def api(state_dir: Path) -> Iterator[WebConnectorSetUp]:
        yield created

    monkeypatch.setattr(connect, "api", api)
    monkeypatch.setattr(connect, "LOOK_SECONDS", 0.0)
    options = ["qbd", "--name", "Larkin", "--bank-account", "Checking", "--folder", str(tmp_path)]
    ended = CliRunner().invoke(connect.app, options)
    assert ended.exit_code == 0, ended.output
    assert "shown-once" in ended.output
    assert (tmp_path / "made-1.qwc").read_text() == "<QBWCXML/>"
    assert (created.posted["erp"], created.posted["credentials"]) == ("quickbooks_desktop", {})
    assert created.put_there == {"preferences": {"bank_account": "Checking"}}
