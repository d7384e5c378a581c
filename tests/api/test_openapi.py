"""The documentation says what a caller must know, and nothing that is not so."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import BaseModel

from api.app import create_app
from api.http.problem_codes import PROBLEM_CODES
from api.http.problems import HTTP_CODES
from models.domain.issues import ISSUE_CODES
from settings import Settings
from tests.harness.api_client import (
    ApiClient,
)

API = Path(__file__).resolve().parents[2] / "api"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(
        Settings(database_url="postgresql://unused/unused", credential_keys=(Fernet.generate_key().decode(),))
    ).openapi()


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
    "/v1/connections/{connection_id}/checks",
    "/v1/bills/match",
    "/v1/line-suggestions",
    "/v1/purchase-orders/{purchase_order_id}/bill-draft",
    "/v1/purchase-orders/{purchase_order_id}/match",
    "/v1/tolerance-policies/preview",
}
"""Questions with a body: asked twice, they are answered twice."""


KEYED_BY_CONTENT = {"/v1/imports/bills"}
"""Writes of many things, each of which has a key of its own."""

OF_OTHERS = {"/v1/webhooks/qbo", "/v1/authorizations/qbo/consent"}
"""Writes whose senders are no callers of ours: an ERP signs them, and names its events; a browser has a state."""


def test_every_write_takes_its_key_and_every_edit_its_version(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        headers = required_headers(operation)
        assert ("Idempotency-Key" in headers) == (
            method == "post" and path not in SAVES_NOTHING | OF_OTHERS | KEYED_BY_CONTENT
        ), path
        assert ("If-Match" in headers) == (method in ("put", "patch", "delete")), path


def test_no_operation_makes_changes_approves_or_deletes_an_order(document: dict[str, Any]) -> None:
    """S1-29: only bills are made under an order. How its lines may be billed is set here, and no part of the order."""
    posts = [path for method, path, _ in operations(document) if method != "get" and path.startswith("/v1/purchase-o")]
    writes = [path for path in posts if path not in SAVES_NOTHING]
    assert writes == [
        "/v1/purchase-orders/{purchase_order_id}/lines/{order_line_id}/limits",
        "/v1/purchase-orders/{purchase_order_id}/bills",
        "/v1/purchase-orders/{purchase_order_id}/bills/{bill_id}",
    ]


def test_everything_but_health_needs_a_key(document: dict[str, Any]) -> None:
    """And what browsers and ERPs send: a state or a signature proves it."""
    open_paths = {path for _, path, operation in operations(document) if not operation.get("security")}
    assert open_paths == {"/healthz", "/readyz", "/v1/authorizations/qbo", *OF_OTHERS}


def refused_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The codes that a service refuses with: each as a word, or one of a table in the same function. The code of an
    error that is passed on is counted where that error is raised.
    """
    codes: set[str] = set()
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused"):
            continue
        code = node.args[0]
        if isinstance(code, ast.Constant):
            codes.add(str(code.value))
        elif not isinstance(code, ast.Attribute):
            tables = [table for table in ast.walk(function) if isinstance(table, ast.Dict)]
            said = {key.value for table in tables for key in table.keys if isinstance(key, ast.Constant)}
            assert said, f"line {node.lineno}: the codes are not written down beside it"
            codes |= {str(one) for one in said}
    return codes


def test_every_code_the_api_raises_has_its_words() -> None:
    """A refusal without a fix would help nobody."""
    raised: set[str] = set()
    for file in API.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Problem", "answers"):
                codes = node.args if getattr(node.func, "id", "") == "answers" else node.args[:1]
                raised |= {arg.value for arg in codes if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
    store = (API.parent / "models/store/payables/bill_edits.py").read_text()
    for node in ast.walk(ast.parse(store)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "EditRefused":
            assert isinstance(node.args[0], ast.Constant)
            raised.add(str(node.args[0].value))
    for file in (API.parent / "services").rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                raised |= refused_in(function)
    assert len(raised) > 30
    raised |= {*HTTP_CODES.values(), "PO_IS_VIEW_ONLY"}
    assert raised == set(PROBLEM_CODES)
    for code in set(PROBLEM_CODES) & set(ISSUE_CODES):  # one word per thing
        assert (PROBLEM_CODES[code].title, PROBLEM_CODES[code].who) == (ISSUE_CODES[code].title, ISSUE_CODES[code].who)
    for code, row in PROBLEM_CODES.items():
        assert row.fix, code
        assert row.title, code
        assert 400 <= row.status < 600, code


async def test_the_page_for_people_loads_nothing_from_elsewhere(api: ApiClient) -> None:
    """README, DESIGN 7: `/docs` works on a machine without a way out, and no other host's script sees an API key."""
    page = await api.http.get("/docs")
    assert page.status_code == 200
    assert "://" not in page.text
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(wanted) == 3
    for address in wanted:
        answer = await api.http.get(address)
        assert (answer.status_code, len(answer.content) > 1000) == (200, True), address
    bundle = await api.http.get("/docs/static/swagger-ui-bundle.js")
    assert "SwaggerUIBundle" in bundle.text


def test_what_the_source_says_of_a_field_is_in_the_document(document: dict[str, Any]) -> None:
    """F9: every model of the API hands on the docstrings of its fields; nobody looks into the source for them."""
    models = [BaseModel]
    for model in models:
        models += model.__subclasses__()
    silent = {
        model.__name__
        for model in models
        if model.__module__.startswith("api.") and not model.model_config.get("use_attribute_docstrings")
    }
    assert {name for name in silent if not name.startswith("Page")} == set()
    fields = document["components"]["schemas"]["PurchaseOrderLine"]["properties"]
    assert fields["remaining"]["description"] == "O - X - (E + P - C)."
