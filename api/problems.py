"""Errors as problem+json (RFC 9457): one shape for all of them, with our code, who can fix it and how."""

import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

from asyncpg import PostgresError
from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from temporalio.service import RPCError

from api.problem_codes import PROBLEM_CODES
from erp.errors import ErpError
from erp.issue_codes import ISSUE_CODES
from models.store.pages import CursorUnreadable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class ProblemBody(BaseModel):
    """The body of every error answer."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fix: list[str]
    who: str
    instance: str
    errors: list[dict[str, Any]] | None = None
    """For VALIDATION_FAILED: where, what and the rule."""
    match: dict[str, Any] | None = None
    """For MATCH_BLOCKED: the explainable match result."""
    evidence: dict[str, Any] | None = None


class Problem(HTTPException):
    """A refusal with its code. Raised anywhere below a route, rendered once, at the edge.

    An HTTPException, because the framework hands nothing else on from where it reads a body.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int | None = None,
        title: str | None = None,
        who: str | None = None,
        fix: Sequence[str] | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        row = PROBLEM_CODES.get(code)
        self.code = code
        self.status = status if status is not None else (row.status if row else 422)
        super().__init__(self.status)
        self.title = title or (row.title if row else code.replace("_", " ").capitalize())
        self.who = who or (row.who if row else "caller")
        self.fix = list(fix if fix is not None else (row.fix if row else ()))
        self.detail = detail or self.title
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def body(self, instance: str) -> dict[str, Any]:
        return {
            "type": f"urn:posync:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "fix": self.fix,
            "who": self.who,
            "instance": instance,
            **cast("dict[str, Any]", jsonable_encoder(self.extra)),
        }


def not_found(what: str, identifier: str) -> Problem:
    """Not there, or another organization's: the caller cannot tell which."""
    return Problem("NOT_FOUND", f"There is no {what} {identifier!r}.")


def erp_refusal(error: ErpError) -> Problem:
    """An ERP's refusal while a caller waits: 422 when somebody must act, 503 when it helps to come back later."""
    row = ISSUE_CODES.get(error.code)
    later = type(error).__name__ in ("Throttled", "Unavailable", "OutcomeUnknown", "MalformedAnswer", "Stale")
    wait = int(error.retry_after.total_seconds()) if error.retry_after else 30
    evidence = {**error.evidence, **({"erp_code": error.erp_code} if error.erp_code else {})}
    return Problem(
        error.code,
        error.message,
        status=503 if later else 422,
        title=row.title if row else None,
        who=row.who if row else "administrator",
        fix=row.fix if row else ("Look at the ERP's own message in detail.",),
        extra={"evidence": evidence} if evidence else None,
        headers={"Retry-After": str(wait)} if later else None,
    )


def rendered(problem: Problem, request: Request) -> Response:
    return JSONResponse(problem.body(request.url.path), problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


_PLAIN_WORDS = {"extra_forbidden": "There is no such field; is it misspelt?", "missing": "It is missing."}
"""Where the library's own words say less than people need."""


def _validation(error: RequestValidationError) -> Problem:
    errors = error.errors()
    for entry in errors:
        where = tuple(str(part).lower() for part in entry["loc"])
        if entry["type"] == "json_invalid":
            return Problem("INVALID_JSON", str(entry.get("ctx", {}).get("error", "")))
        if where == ("header", "idempotency-key") and entry["type"] == "missing":
            return Problem("IDEMPOTENCY_KEY_REQUIRED")
        if where == ("header", "if-match") and entry["type"] == "missing":
            return Problem("PRECONDITION_REQUIRED")
    listed = [
        {
            "where": ".".join(str(part) for part in entry["loc"]),
            "message": _PLAIN_WORDS.get(entry["type"], entry["msg"]),
            "rule": entry["type"],
        }
        for entry in errors
    ]
    first = listed[0]
    return Problem("VALIDATION_FAILED", f"{first['where']}: {first['message']}", extra={"errors": listed})


HTTP_CODES = {
    400: "INVALID_JSON",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
}


CHANGING = ("POST", "PUT", "PATCH", "DELETE")
PURCHASE_ORDER = re.compile(r"^/v1/purchase-orders(/[^/]+)?$")


def offered(app: FastAPI, path: str) -> list[str]:
    """All methods this address offers; the framework names those of the first route that fits.

    An address that is itself a template is no other one's parameter: nobody's policy is called `preview`.
    """
    paths = app.openapi()["paths"]
    methods: set[str] = set()
    for template, operations in {path: paths[path]}.items() if path in paths else paths.items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            methods.update(method.upper() for method in operations)
    return sorted(methods)


def install(app: FastAPI) -> None:
    """Render every error of the application as a problem, including the framework's own."""

    async def problem(request: Request, error: Exception) -> Response:
        return rendered(cast("Problem", error), request)

    async def validation(request: Request, error: Exception) -> Response:
        return rendered(_validation(cast("RequestValidationError", error)), request)

    async def http(request: Request, error: Exception) -> Response:
        exception = cast("HTTPException", error)
        code = HTTP_CODES.get(exception.status_code, "INTERNAL_ERROR")
        headers = dict(exception.headers or {})
        if code == "METHOD_NOT_ALLOWED":
            headers["Allow"] = ", ".join(offered(app, request.url.path))
            if request.method in CHANGING and PURCHASE_ORDER.match(request.url.path):
                code = "PO_IS_VIEW_ONLY"  # S1-29
        detail = exception.detail if code == "INVALID_JSON" else ""
        return rendered(Problem(code, detail, status=exception.status_code, headers=headers), request)

    async def cursor(request: Request, error: Exception) -> Response:
        return rendered(Problem("INVALID_CURSOR", str(error)), request)

    async def erp(request: Request, error: Exception) -> Response:
        return rendered(erp_refusal(cast("ErpError", error)), request)

    async def temporal(request: Request, error: Exception) -> Response:
        log.error("Temporal refused a call: %s", error)
        return rendered(Problem("TEMPORAL_UNAVAILABLE", str(error), headers={"Retry-After": "5"}), request)

    async def database(request: Request, error: Exception) -> Response:
        log.error("the database does not answer", exc_info=error)
        return rendered(Problem("DATABASE_UNAVAILABLE", headers={"Retry-After": "5"}), request)

    async def unexpected(request: Request, error: Exception) -> Response:
        instance = f"{request.url.path}#{uuid.uuid4()}"
        log.error("unexpected error, instance %s", instance, exc_info=error)
        refusal = Problem("INTERNAL_ERROR", "An unexpected error; nothing is known to be lost.")
        return JSONResponse(refusal.body(instance), 500, media_type=MEDIA_TYPE)

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(CursorUnreadable, cursor)
    app.add_exception_handler(ErpError, erp)
    app.add_exception_handler(RPCError, temporal)
    for unreachable in (OperationalError, InterfaceError, PoolTimeout, PostgresError, OSError):
        # Errors of a statement come wrapped; asyncpg's own and the system's come from connecting.
        app.add_exception_handler(unreachable, database)
    app.add_exception_handler(Exception, unexpected)


def answers(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route for its documentation, by status, each with its codes as examples."""
    always = ("INVALID_JSON", "INVALID_TEXT", "UNAUTHENTICATED", "VALIDATION_FAILED", "DATABASE_UNAVAILABLE")
    by_status: dict[int | str, dict[str, Any]] = {}
    for code in dict.fromkeys((*always, *codes)):
        row = PROBLEM_CODES[code]
        entry = by_status.setdefault(
            row.status, {"description": row.title, "content": {MEDIA_TYPE: {"schema": PROBLEM_REF, "examples": {}}}}
        )
        entry["content"][MEDIA_TYPE]["examples"][code] = {"value": Problem(code).body("/v1/...")}
    return by_status


PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}


def describe(document: dict[str, Any]) -> None:
    """Complete the OpenAPI document: the shape of a problem, and the errors any route may give."""
    schema = ProblemBody.model_json_schema()
    document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = schema
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = {
                "description": "Any other error is a problem too.",
                "content": {MEDIA_TYPE: {"schema": PROBLEM_REF}},
            }
