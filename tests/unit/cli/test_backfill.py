"""`posync backfill`: what it asks for, and what it shows."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import backfill
from cli.main import app

SHOWN: dict[str, Any] = {"id": "backfill_1", "pages": 2, "problem": None, "not_seen": ["PO-9"]}
SENT: list[Any] = []


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> None:
    SENT.clear()
    looks = iter([{"state": "running", "counts": {"read": 3}}, {"state": "completed", "counts": {"read": 5}}])

    def answered(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            SENT.append(json.loads(request.content))
            return httpx.Response(202, json={**SHOWN, "state": "running", "counts": {}})
        return httpx.Response(200, json={**SHOWN, **next(looks)})

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answered))
        return created

    monkeypatch.setattr(backfill, "api", api)
    monkeypatch.setattr(backfill, "LOOK_SECONDS", 0.0)


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["backfill", "intacct-1", *words], catch_exceptions=False, env={"COLUMNS": "200"})


def test_a_file_of_numbers_is_followed_to_its_end(tmp_path: Path) -> None:
    """S1-13: one number a line; what the ERP does not show is named."""
    file = tmp_path / "numbers.txt"
    file.write_bytes(b"\xef\xbb\xbfPO-1\r\nPO-9\r\n\r\nPO-1\r\n")
    shown = run("--numbers", str(file), "--follow").output
    assert SENT == [{"ordered_from": None, "vendor_id": None, "numbers": ["PO-1", "PO-9"]}]
    assert "completed. 5 read" in shown
    assert "The ERP shows no order PO-9." in shown


def test_it_asks_for_a_date_or_numbers(tmp_path: Path) -> None:
    """S1-13: nothing is sent, and the answer says what is missing. A vendor is enough."""
    assert "--from" in run().output
    file = tmp_path / "numbers.txt"
    file.write_bytes("PO-\xe9".encode("latin-1"))
    assert "no UTF-8 text" in run("--numbers", str(file)).output
    assert SENT == []
