"""`posync bills import`: the file goes to the API as it is, and what became of each bill and row is shown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.client import bill_import
from cli.client.api_client import Api
from cli.main import app

SENT: dict[str, Any] = {
    "kind": "bill",
    "number": "INV-1",
    "vendor_id": "V1",
    "po_number": "PO-1",
    "rows": [2],
    "outcome": "accepted",
    "code": "",
    "detail": "",
    "findings": [],
    "bill_id": "bill_1",
}
UNSURE = {**SENT, "number": "INV-2", "rows": [3, 4], "outcome": "unsure", "code": "LINE_UNSURE", "bill_id": None}
END = {"kind": "end", "complete": True, "outcomes": {}}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Any, list[httpx.Request]]]:
    def imported(*said: dict[str, Any], name: str = "bills.csv", arguments: tuple[str, ...] = ()) -> Any:
        asked: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            request.read()
            asked.append(request)
            return httpx.Response(200, text="".join(json.dumps(one) + "\n" for one in said))

        def client(_: Path) -> Api:
            api = Api("http://api.test", "psk_test")
            api._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answer))
            return api

        path = tmp_path / name
        path.write_text("invoice_number\n")
        monkeypatch.setattr("cli.commands.bills.api", client)
        monkeypatch.setattr("cli.commands.bills.console.width", 200)
        return CliRunner().invoke(app, ["bills", "import", str(path), *arguments]), asked

    return imported


def test_the_file_is_sent_as_it_is(run: Callable[..., Any]) -> None:
    done, (asked,) = run(SENT, END, arguments=("--connection", "c0", "--accept-likely"))
    assert done.exit_code == 0, done.output
    assert "bills.csv: 1 bills" in done.output
    assert (asked.url.path, dict(asked.url.params)) == ("/v1/imports/bills", {"connection": "c0", "accept": "likely"})
    assert (asked.headers["Content-Type"], asked.content) == ("text/csv", b"invoice_number\n")
    _, (asked,) = run(END, name="bills.jsonl")
    assert asked.headers["Content-Type"] == "application/jsonl"


def test_every_bill_that_was_not_sent_is_listed(run: Callable[..., Any]) -> None:
    """Each of them is a question to a person; the command ends with 1 until nothing is left out."""
    done, _ = run(SENT, {**UNSURE, "detail": "line 3 names no order line"}, END)
    assert done.exit_code == 1
    assert "INV-2 (lines 3, 4), LINE_UNSURE: line 3 names no order line" in done.output


def test_rows_that_cannot_be_read_are_listed(run: Callable[..., Any]) -> None:
    done, _ = run({"kind": "unreadable_row", "line": 4, "column": "quantity", "problem": "'four' is not a number"}, END)
    assert done.exit_code == 1
    assert "line 4, quantity: 'four' is not a number" in done.output


@pytest.mark.parametrize("end", [(), ({"kind": "end", "complete": False, "code": "ORDER_BUSY", "detail": "later"},)])
def test_an_import_that_did_not_reach_the_end_says_so(run: Callable[..., Any], end: tuple[dict[str, Any], ...]) -> None:
    """And that the same file may be sent again."""
    done, _ = run(SENT, *end)
    assert done.exit_code == 1
    assert "Import the same file again" in done.output


def test_a_file_of_a_gigabyte_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Before anything is sent; a file of that size would be refused by the API as well."""
    path = tmp_path / "bills.csv"
    with path.open("wb") as file:
        file.truncate(1_000_000_000)
    with pytest.raises(bill_import.FileTooLarge, match="1,000 MB; an import takes at most 50 MB: split it"):
        list(bill_import.import_bills(Api("http://api.test", "psk_test"), path))
