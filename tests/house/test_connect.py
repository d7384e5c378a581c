"""`posync connect`: what each ERP is asked for, and what is done with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import connect
from cli.addresses import Addresses
from cli.api_client import ApiProblem


class Recorder:
    """An API that takes everything, and finds `problems` with the preferences."""

    def __init__(self) -> None:
        self.posted: dict[str, Any] = {}
        self.put_there: dict[str, Any] = {}
        self.problems: list[dict[str, Any]] = []
        self.refusal: dict[str, Any] | None = None
        self.replaced: dict[str, Any] = {}

    def post(self, path: str, body: dict[str, Any]) -> Any:
        self.posted = body
        if self.refusal is not None:
            raise ApiProblem(409, self.refusal)
        return {"id": "made-1", "user_name": "somebody", "preferences": {}}

    def put(self, path: str, body: dict[str, Any]) -> Any:
        if path == "/v1/connections/there-1/credentials":
            self.replaced = body
            return {"id": "there-1", "preferences": {"dimension.Better": "BETTER", "bank_account": "OLD"}}
        self.put_there = body
        return {"problems": self.problems, "complete": not self.problems}


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()

    @contextmanager
    def api(state_dir: Path) -> Iterator[Recorder]:
        yield made

    stack = Addresses("http://api", "key", "temporal", None, "postgresql:///x", "http://127.0.0.1:8900")
    monkeypatch.setattr(connect, "api", api)
    monkeypatch.setattr(connect, "running_stack", lambda state_dir: stack)
    monkeypatch.setenv("POSYNC_NETSUITE_CONSUMER_SECRET", "cs")
    monkeypatch.setenv("POSYNC_NETSUITE_TOKEN_SECRET", "ts")
    return made


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
        "settings": {"allow_loopback": True},
    }
    assert recorder.put_there == {"preferences": {"bank_account": "BOA", "bill_in_advance": "false"}}


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
