"""`posync source-orders upload`: page by page with a bar, an outcome for each order, and the others go on."""

import json
from typing import Any

import httpx
import pytest
from rich.progress import Progress
from typer.testing import CliRunner

from cli.client.api_client import Api
from cli.commands import source_orders
from cli.main import app

REFUSED = {"code": "CONTACT_NOT_LINKED", "message": "Nobody linked Norton to a vendor.", "evidence": {}}
FAILED = {"code": "PERIOD_CLOSED", "message": "The books are closed.", "evidence": {}}


def outcome(number: int, said: str, *problems: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"src_{number}", "reference": f"PO-{number}", "outcome": said, "problems": list(problems)}


PAGES = {
    None: ([outcome(1, "uploading"), outcome(2, "refused", REFUSED)], "more"),
    "more": ([outcome(3, "uploading")], None),
}
ENDS = {"src_1": ("uploaded", []), "src_3": ("failed", [FAILED])}


class ShownProgress(Progress):
    """A progress bar that remembers what it showed."""

    shown: list[tuple[float, float | None]]

    def advance(self, task_id: Any, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self.shown.append((self.tasks[0].completed, self.tasks[0].total))


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> ShownProgress:
    created = ShownProgress()
    created.shown = []
    monkeypatch.setattr(source_orders, "_progress", lambda _: created)
    return created


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """An API with three orders; what it was asked to upload."""
    asked: list[dict[str, Any]] = []
    looks: dict[str, int] = {}

    def answers(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            asked.append(json.loads(request.content))
            outcomes, cursor = PAGES[asked[-1]["cursor"]]
            return httpx.Response(200, json={"outcomes": outcomes, "next_cursor": cursor})
        order = request.url.path.rpartition("/")[2]
        looks[order] = looks.get(order, 0) + 1
        state, problems = ENDS[order] if looks[order] > 1 else ("uploading", [])
        return httpx.Response(200, json={"id": order, "upload_state": state, "problems": problems})

    def api(_: object) -> Api:
        created = Api("http://api.test", "psk_test")
        created._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answers))
        return created

    monkeypatch.setattr(source_orders, "api", api)
    monkeypatch.setattr(source_orders.console, "width", 250)
    return asked


def upload(*words: str) -> Any:
    command = ["source-orders", "upload", *words, "--connection", "qbo-1"]
    return CliRunner().invoke(app, command, catch_exceptions=False, env={"COLUMNS": "200"})


def test_all_are_uploaded_and_what_failed_is_listed(posted: list[dict[str, Any]], bar: ShownProgress) -> None:
    """S3-16..19: one that is refused and one that fails stop nobody; the exit code says that there were some."""
    done = upload("--all")
    assert done.exit_code == 1
    assert "1 failed, 1 refused, 1 uploaded" in done.output
    assert "PO-2, CONTACT_NOT_LINKED: Nobody linked Norton to a vendor." in done.output
    assert "PO-3, PERIOD_CLOSED: The books are closed." in done.output
    assert "posync source-orders upload --failed" in done.output
    assert bar.shown == [(1, 2), (2, 2), (3, 3)]
    assert [body["cursor"] for body in posted] == [None, "more"]
    assert posted[0]["which"] == {"references": None, "contact": None, "problem": None, "state": None}


def test_what_cannot_be_undone_is_confirmed_by_the_caller(posted: list[dict[str, Any]], bar: ShownProgress) -> None:
    """S3-14: the command never confirms it by itself; some, all and the failed ones go through the same request."""
    upload("PO-1", "--as", "purchase_order")
    upload("--failed", "--problem", "PERIOD_CLOSED", "--as", "purchase_order", "--confirm-irreversible")
    first, again = posted[0], posted[-1]
    assert (first["upload_as"], first["confirm_irreversible"], first["which"]["references"]) == (
        "purchase_order",
        False,
        ["PO-1"],
    )
    assert (again["confirm_irreversible"], again["which"]["state"], again["which"]["problem"]) == (
        True,
        "failed",
        "PERIOD_CLOSED",
    )
