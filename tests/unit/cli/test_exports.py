"""`posync export`: the API's file, printed or saved (S5-159)."""

from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import exports
from cli.main import app


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """An API with one export; what it was asked."""
    requests: list[tuple[str, dict[str, str]]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        requests.append((request.url.path, dict(request.url.params)))
        if request.url.params.get("connection") == "nobody":
            return httpx.Response(404, json={"code": "NOT_FOUND", "title": "No such connection", "detail": "nobody"})
        return httpx.Response(200, text="bill_id,number\r\nbill_1,Ünit-1\r\n")

    def api(_: Path) -> Api:
        client = Api("http://posync.test", "key")
        client._http = httpx.Client(base_url=client.url, transport=httpx.MockTransport(answers))
        return client

    monkeypatch.setattr(exports, "api", api)
    return requests


def test_it_prints_the_file(asked: list[tuple[str, dict[str, str]]]) -> None:
    """Without a file name it goes where the shell sends it."""
    result = CliRunner().invoke(app, ["export", "bills", "--changed-since", "2026-11-01"])
    assert result.stdout.splitlines() == ["bill_id,number", "bill_1,Ünit-1"]
    assert asked == [("/v1/exports/bills", {"format": "csv", "changed_since": "2026-11-01T00:00:00+00:00"})]


def test_it_saves_the_file(asked: list[tuple[str, dict[str, str]]], tmp_path: Path) -> None:
    """The bytes are the API's."""
    file = tmp_path / "bills.csv"
    result = CliRunner().invoke(app, ["export", "bills", "-o", str(file)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert file.read_bytes().decode() == "bill_id,number\r\nbill_1,Ünit-1\r\n"


def test_a_refusal_touches_no_file(asked: list[tuple[str, dict[str, str]]], tmp_path: Path) -> None:
    """Yesterday's export stays until there is a new one."""
    file = tmp_path / "bills.csv"
    file.write_text("yesterday")
    result = CliRunner().invoke(app, ["export", "bills", "-o", str(file), "--connection", "nobody"])
    assert result.exit_code == 1
    assert file.read_text() == "yesterday"
