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
    def imported(
        *said: dict[str, Any],
        name: str = "bills.csv",
        arguments: tuple[str, ...] = (),
        content: str = "invoice_number\n",
    ) -> Any:
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
        path.write_text(content)
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


def test_a_file_that_is_too_large_for_one_import_is_sent_in_parts(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S5-159: between two invoices, each with the first line; what the API says is told by the lines of the file."""
    monkeypatch.setattr(bill_import, "LARGEST_FILE_BYTES", 100)
    rows = "".join(f'INV-{number},V-1,"two\nlines"\n' for number in range(1, 9))
    content = f"invoice_number,vendor_id,memo\n{rows}"
    unreadable = {"kind": "unreadable_row", "line": 4, "column": "memo", "problem": "is not UTF-8 text"}
    done, asked = run(SENT, unreadable, END, content=content)
    assert done.exit_code == 1
    sent = [one.content.decode() for one in asked]
    assert len(sent) == 3
    assert all(one.startswith("invoice_number,vendor_id,memo\n") and len(one) <= 100 for one in sent)
    assert "".join(one.partition("\n")[2] for one in sent) == rows
    assert [dict(one.url.params)["line_offset"] for one in asked] == ["0", "6", "12"]
