"""The command line's API client: problems explain themselves, writes carry what the API asks for."""

import io
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from cli.client.api_client import Api, ApiProblem, ApiUnreachable, api_from_environment
from cli.client.terminal import explain


def an_api(answers: Callable[[httpx.Request], httpx.Response]) -> Api:
    api = Api("http://api.test", "psk_test")
    api._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answers))
    return api


def test_a_refusal_keeps_its_code_its_fix_and_who() -> None:
    body = {
        "code": "PO_IS_VIEW_ONLY",
        "title": "View-only",
        "detail": "why",
        "fix": ["In the ERP."],
        "who": "accountant",
    }
    with pytest.raises(ApiProblem) as refused:
        an_api(lambda _: httpx.Response(405, json=body)).get("/v1/purchase-orders")
    problem = refused.value
    assert (problem.status, problem.code, problem.fix, problem.who) == (405, body["code"], body["fix"], body["who"])


def test_an_answer_that_is_no_problem_is_shown_as_it_came() -> None:
    with pytest.raises(ApiProblem) as refused:
        an_api(lambda _: httpx.Response(502, text="<html>Bad gateway</html>")).get("/v1/bills")
    assert refused.value.detail == "<html>Bad gateway</html>"


def test_no_answer_names_the_address() -> None:
    def fails(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ApiUnreachable, match=r"the API at http://api\.test does not answer"):
        an_api(fails).get("/v1/bills")


def test_pages_are_followed_to_the_end() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        second = request.url.params.get("cursor") == "next"
        items = [{"n": 2}] if second else [{"n": 1}]
        return httpx.Response(200, json={"items": items, "next_cursor": None if second else "next"})

    assert [item["n"] for item in an_api(answers).pages("/v1/bills", vendor=None)] == [1, 2]


def test_an_edit_names_the_version_it_read_and_a_write_its_key() -> None:
    seen: list[httpx.Request] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={}, headers={"ETag": '"7"'})

    api = an_api(answers)
    api.put("/v1/connections/c/preferences", {})
    api.post("/v1/connections/c/sync", key="mine")
    read, edit, write = seen
    assert (read.method, read.url.path) == ("GET", "/v1/connections/c")
    assert edit.headers["If-Match"] == '"7"'
    assert write.headers["Idempotency-Key"] == "mine"


def test_without_a_stack_the_way_to_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POSYNC_API_URL", "POSYNC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ApiUnreachable, match="start it with `posync up`"):
        api_from_environment(tmp_path)


def test_a_refusal_lists_what_its_steps_point_to() -> None:
    """C4: "Correct the fields listed under errors" lists them in a terminal too, and so do a match and the evidence."""
    finding = {"severity": "block", "id": "OVER:line-1", "message": "Billed 11 of 10.", "fix": ["bill 10"]}
    body = {
        "code": "VALIDATION_FAILED",
        "title": "The request does not have the right shape",
        "detail": "body.number: It is missing.",
        "fix": ["Correct the fields listed under errors."],
        "who": "caller",
        "errors": [
            {"where": "body.number", "message": "It is missing.", "rule": "missing"},
            {"where": "body.lines.0.[price]", "message": "Not a number.", "rule": "decimal"},
        ],
        "other_errors": 3,
        "match": {"findings": [finding]},
        "evidence": {"policy_id": "pol_1"},
    }
    screen = Console(width=200, file=io.StringIO())
    screen.print(explain(ApiProblem(422, body)))
    assert isinstance(screen.file, io.StringIO)
    lines = [line.strip("│ ") for line in screen.file.getvalue().splitlines()[1:-1]]
    assert lines == [
        "body.number: It is missing.",
        "body.number: It is missing.",
        "body.lines.0.[price]: Not a number.",
        "and 3 more",
        "block OVER:line-1: Billed 11 of 10.",
        "bill 10",
        "policy_id: pol_1",
        "• Correct the fields listed under errors.",
        "Who can fix it: caller",
    ]
