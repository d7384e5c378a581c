"""The documentation says what a caller must know, and nothing that is not so."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from api.problem_codes import PROBLEM_CODES
from api.problems import HTTP_CODES
from erp.issue_codes import ISSUE_CODES
from settings import Settings
from tests.api.desk import Office

API = Path(__file__).resolve().parents[2] / "api"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings("postgresql://unused/unused", [])).openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def required_headers(operation: dict[str, Any]) -> set[str]:
    return {
        parameter["name"]
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header" and parameter["required"]
    }


def test_every_operation_has_a_name_a_summary_and_its_errors(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)) > 30
    for method, path, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        assert "application/problem+json" in operation["responses"]["default"]["content"], path
        for status, response in operation["responses"].items():
            if status.startswith("4"):
                [content] = response["content"].items()
                assert content[0] == "application/problem+json", (method, path, status)
                for code, example in content[1]["examples"].items():
                    assert example["value"]["code"] == code
                    assert example["value"]["fix"]


SAVES_NOTHING = {
    "/v1/line-suggestions",
    "/v1/purchase-orders/{purchase_order_id}/bill-draft",
    "/v1/purchase-orders/{purchase_order_id}/match",
    "/v1/tolerance-policies/preview",
}
"""Questions with a body: asked twice, they are answered twice."""


def test_every_write_takes_its_key_and_every_edit_its_version(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        headers = required_headers(operation)
        assert ("Idempotency-Key" in headers) == (method == "post" and path not in SAVES_NOTHING), path
        assert ("If-Match" in headers) == (method in ("put", "patch", "delete")), path


def test_no_operation_makes_changes_approves_or_deletes_an_order(document: dict[str, Any]) -> None:
    """S1-29: only bills are made under an order."""
    posts = [path for method, path, _ in operations(document) if method != "get" and path.startswith("/v1/purchase-o")]
    writes = [path for path in posts if path not in SAVES_NOTHING]
    assert writes == ["/v1/purchase-orders/{purchase_order_id}/bills"]


def test_everything_but_health_needs_a_key(document: dict[str, Any]) -> None:
    open_paths = {path for _, path, operation in operations(document) if not operation.get("security")}
    assert open_paths == {"/healthz", "/readyz"}


def test_every_code_the_api_raises_has_its_words() -> None:
    """A refusal without a fix would help nobody."""
    raised: set[str] = set()
    for file in API.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Problem", "answers"):
                codes = node.args if getattr(node.func, "id", "") == "answers" else node.args[:1]
                raised |= {arg.value for arg in codes if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
    store = (API.parent / "models/store/bill_edits.py").read_text()
    for node in ast.walk(ast.parse(store)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "EditRefused":
            assert isinstance(node.args[0], ast.Constant)
            raised.add(str(node.args[0].value))
    decided_by_the_worker = (API.parent / "activities/paying.py").read_text()
    raised |= {code for code in PROBLEM_CODES if f'"code": "{code}"' in decided_by_the_worker}
    assert len(raised) > 30
    raised |= {*HTTP_CODES.values(), "PO_IS_VIEW_ONLY"}
    assert raised == set(PROBLEM_CODES)
    for code in set(PROBLEM_CODES) & set(ISSUE_CODES):  # one word per thing
        assert (PROBLEM_CODES[code].title, PROBLEM_CODES[code].who) == (ISSUE_CODES[code].title, ISSUE_CODES[code].who)
    for code, row in PROBLEM_CODES.items():
        assert row.fix, code
        assert row.title, code
        assert 400 <= row.status < 600, code


async def test_the_page_for_people_loads_nothing_from_elsewhere(office: Office) -> None:
    """README, DESIGN 7: `/docs` works on a machine without a way out, and no other host's script sees an API key."""
    page = await office.http.get("/docs")
    assert page.status_code == 200
    assert "://" not in page.text
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(wanted) == 3
    for address in wanted:
        answer = await office.http.get(address)
        assert (answer.status_code, len(answer.content) > 1000) == (200, True), address
    bundle = await office.http.get("/docs/static/swagger-ui-bundle.js")
    assert "SwaggerUIBundle" in bundle.text
