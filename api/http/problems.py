"""Answer every error as problem+json (RFC 9457): one shape for all, with our code, who can fix it and how."""

import asyncio
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, cast

import asyncpg
from asyncpg import PostgresError
from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, WithJsonSchema
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from temporalio.service import RPCError

from api.http.output import Output
from api.http.problem_codes import PROBLEM_CODES
from api.http.schemas import TRIMMED
from api.http.stored_amounts import with_decimals
from erp.capabilities import Capabilities
from erp.errors import Deferred, ErpError, MalformedAnswer, OutcomeUnknown, Stale, Throttled, Unavailable
from erp.registry import issue_code
from matching.kernel.result import MatchResult
from models.domain.connections import Erp
from models.store.base.crossing import StillLocked, sqlstate
from models.store.base.database import explain_outage
from models.store.base.pages import CursorUnreadable
from temporal_gateway.errors import GatewayError

log = logging.getLogger(__name__)

DATABASE_ENDED = ("08", "53", "57", "58")
"""Classes of PostgreSQL error codes that mean an outage: connection, resources, intervention, system. The request did
not cause any of them."""

MEDIA_TYPE = "application/problem+json"


RETRY_AFTER_SECONDS = "5"
"""How long to wait before a request that is worth repeating, if the refusal does not say it."""

LONGEST_PLACE = 200
"""Characters of an error's place that are shown: a field's name may be as long as a body."""

MOST_ERRORS = 50
"""How many errors one answer names; of the others it has only the number."""


StoredMatch = Annotated[
    dict[str, Any], AfterValidator(with_decimals), WithJsonSchema({"type": "object", "x-shape": "MatchResult"})
]
"""A match result as it was stored: outcome, findings, policy, inputs."""
StoredFinding = Annotated[
    dict[str, Any], AfterValidator(with_decimals), WithJsonSchema({"type": "object", "x-shape": "MatchResult.Finding"})
]
"""A finding of a match result as it was stored."""


class FieldError(Output):
    """One error of a request."""

    where: str
    message: str
    rule: str


class ProblemBody(Output):
    """The body of every error answer."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fix: list[str]
    who: str
    instance: str
    errors: list[FieldError] | None = None
    """For VALIDATION_FAILED and POLICY_INVALID: the place, the message and the rule of the first fifty errors."""
    other_errors: int | None = None
    """How many errors there are beyond those in `errors`."""
    match: StoredMatch | None = None
    """For MATCH_BLOCKED: the match result with its explanation."""
    evidence: dict[str, Any] | None = None


class Problem(HTTPException):
    """A refusal with its code. It may be raised anywhere below a route and is rendered in one place.

    It is an HTTPException, because while a body is read the framework passes on no other exception.
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
        if self.status in (429, 503):
            self.headers.setdefault("Retry-After", RETRY_AFTER_SECONDS)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def body(self, instance: str) -> dict[str, Any]:
        """Return the refusal as its JSON body; `instance` is the path of the request."""
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
    """Return the problem for what does not exist or is another organization's: the caller cannot see which one."""
    return Problem("NOT_FOUND", f"There is no {what} {identifier!r}.")


LATER = (Throttled, Unavailable, Deferred, OutcomeUnknown, MalformedAnswer, Stale)
"""The step to take when trying again later helps."""


def erp_refusal(error: ErpError, erp: Erp | None = None) -> Problem:
    """Return an ERP's refusal, met while a caller waits, as a problem: 422 when somebody must act, 503 when it helps to
    try again later."""
    row = issue_code(error.code, erp)
    later = isinstance(error, LATER)
    wait = int(error.retry_after.total_seconds()) if error.retry_after else 30
    evidence = {**error.evidence, **({"erp_code": error.erp_code} if error.erp_code else {})}
    return Problem(
        error.code,
        error.message,
        status=503 if later else 422,
        title=row.title,
        who=row.who,
        fix=tuple(row.steps(evidence)),
        extra={"evidence": evidence} if evidence else None,
        headers={"Retry-After": str(wait)} if later else None,
    )


def rendered(problem: Problem, request: Request) -> Response:
    """Return the problem as the response to the request."""
    return JSONResponse(problem.body(request.url.path), problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


_PLAIN_WORDS = {
    "extra_forbidden": "There is no such field; is it misspelt?",
    "missing": "It is missing.",
    "string_type": "Write it as text, in quotes.",
    "bool_type": "Write true or false.",
    "list_type": "Write it as a list, in square brackets.",
    "dict_type": "Write it as an object, in curly brackets.",
    "model_attributes_type": "Write it as an object, in curly brackets.",
    "string_too_short": "It needs at least {min_length} characters.",
    "string_too_long": "It may have at most {max_length} characters.",
    "too_short": "It needs at least {min_length}; it has {actual_length}.",
    "too_long": "It may have at most {max_length}; it has {actual_length}.",
    "string_pattern_mismatch": "It is not written as this field needs it; the API's documentation (/docs) shows how.",
    "greater_than": "It must be more than {gt}.",
    "greater_than_equal": "It must be at least {ge}.",
    "less_than": "It must be less than {lt}.",
    "less_than_equal": "It must be at most {le}.",
    "enum": "It is none of {expected}.",
    "literal_error": "It is none of {expected}.",
    "date_from_datetime_parsing": "Write a day like 2026-11-30.",
    "date_parsing": "Write a day like 2026-11-30.",
    "int_parsing": "Write a whole number.",
    "int_type": "Write a whole number.",
    "bool_parsing": "Write true or false.",
}
"""Our own messages in place of the validation library's."""

_LIBRARYS_PREFIX = "Value error, "


def _in_plain_words(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a field as people say it."""
    context = error.get("ctx", {})
    if context.get("min_length") == 1:
        return "It is empty."
    known = _PLAIN_WORDS.get(error["type"])
    if known is not None:
        return known.format_map(context)
    said = str(error["msg"]).removeprefix(_LIBRARYS_PREFIX)
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


def validation_problem(errors: Sequence[Any]) -> Problem:
    """Return what a model refuses as the problem of its kind, in our own words; `errors` are the library's."""
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
            "where": ".".join(str(part) for part in entry["loc"])[:LONGEST_PLACE],
            "message": _in_plain_words(entry),
            "rule": entry["type"],
        }
        for entry in errors[:MOST_ERRORS]
    ]
    first = listed[0]
    more = {"other_errors": len(errors) - MOST_ERRORS} if len(errors) > MOST_ERRORS else {}
    return Problem("VALIDATION_FAILED", f"{first['where']}: {first['message']}", extra={"errors": listed, **more})


HTTP_CODES = {
    400: "INVALID_JSON",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
}


CHANGING = ("POST", "PUT", "PATCH", "DELETE")
PURCHASE_ORDER = re.compile(r"^/v1/purchase-orders(/[^/]+)?$")


def offered(app: FastAPI, path: str) -> list[str]:
    """Return all methods this address offers; the framework names only those of the first route that fits.

    An address that matches a fixed path is not also taken as a parameter of another route: no policy has the id
    `preview`.
    """
    paths = app.openapi()["paths"]
    methods: set[str] = set()
    for template, operations in {path: paths[path]}.items() if path in paths else paths.items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            methods.update(method.upper() for method in operations)
    return sorted(methods)


def install(app: FastAPI) -> None:
    """Render every error of the application as a problem, also the framework's own."""
    for kind, problem_of in _PROBLEMS.items():
        app.add_exception_handler(kind, _rendering(problem_of))
    app.add_exception_handler(HTTPException, _http)
    for kind in (DBAPIError, SQLAlchemyError, Exception):
        app.add_exception_handler(kind, _unexpected)


def _rendering(problem_of: Callable[[Request, Any], Problem]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def render(request: Request, error: Exception) -> Response:
        return rendered(problem_of(request, error), request)

    return render


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "it is registered for no other"
    code = HTTP_CODES.get(error.status_code, "INTERNAL_ERROR")
    headers = dict(error.headers or {})
    if code == "METHOD_NOT_ALLOWED":
        # Beside the event loop: the document that says it may have to be built first.
        headers["Allow"] = ", ".join(await asyncio.to_thread(offered, request.app, request.url.path))
        if request.method in CHANGING and PURCHASE_ORDER.match(request.url.path):
            code = "PO_IS_VIEW_ONLY"  # S1-29
    detail = error.detail if code == "INVALID_JSON" else ""
    return rendered(Problem(code, detail, status=error.status_code, headers=headers), request)


def _temporal(_: Request, error: RPCError) -> Problem:
    log.error("Temporal refused a call: %s", error)
    return Problem("TEMPORAL_UNAVAILABLE", str(error))


def _database(_: Request, error: Exception) -> Problem:
    outage = explain_outage(error)
    # An outage needs one log line; for any other error we want the stack trace.
    log.error(outage or "the database failed", exc_info=None if outage else error)
    return Problem("DATABASE_UNAVAILABLE")


async def _unexpected(request: Request, error: Exception) -> Response:
    if is_database_outage(error):
        return rendered(_database(request, error), request)
    instance = f"{request.url.path}#{uuid.uuid4()}"
    log.error("unexpected error, instance %s", instance, exc_info=error)
    refusal = Problem("INTERNAL_ERROR", "An unexpected error; nothing is known to be lost.")
    return JSONResponse(refusal.body(instance), 500, media_type=MEDIA_TYPE)


_PROBLEMS: Mapping[type[Exception], Callable[[Request, Any], Problem]] = {
    Problem: lambda _, problem: problem,
    RequestValidationError: lambda _, error: validation_problem(error.errors()),
    CursorUnreadable: lambda _, error: Problem("INVALID_CURSOR", str(error)),
    ErpError: lambda _, error: erp_refusal(error),
    GatewayError: lambda _, error: Problem(error.code, str(error)),
    RPCError: _temporal,
    StillLocked: lambda _, error: Problem("ORDER_BUSY"),
    # Errors of a statement come wrapped; asyncpg's own and the system's come from connecting.
    **dict.fromkeys((OperationalError, InterfaceError, PoolTimeout, PostgresError, OSError), _database),
}
"""The problem that each error is answered with. Starlette takes the entry of the nearest class."""


def problem_behind(error: Exception) -> Problem:
    """Return the problem for an error in the middle of an answer that is sent in parts; an unexpected one is logged."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StillLocked):
        return Problem("ORDER_BUSY")
    if is_database_outage(error) or isinstance(error, OperationalError | InterfaceError | PoolTimeout | OSError):
        log.error("the database failed", exc_info=error)
        return Problem("DATABASE_UNAVAILABLE")
    log.error("unexpected error", exc_info=error)
    return Problem("INTERNAL_ERROR", "An unexpected error; nothing is known to be lost.")


def is_database_outage(error: BaseException) -> bool:
    """Return whether the database ended the work: it closed the connection, is shutting down, or has no disk left.

    The exception may then be about the transaction that could not be rolled back; the outage is its cause.
    """
    seen: set[int] = set()
    behind: BaseException | None = error
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        if isinstance(behind, DBAPIError) and (
            behind.connection_invalidated or sqlstate(behind).startswith(DATABASE_ENDED)
        ):
            return True
        if isinstance(behind, asyncpg.InterfaceError | asyncpg.InternalClientError) or (
            isinstance(behind, PostgresError) and str(behind.sqlstate or "").startswith(DATABASE_ENDED)
        ):
            return True
        behind = behind.__cause__ or behind.__context__
    return False


def answers(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the error answers of a route for its documentation: by HTTP status, each with its codes as examples."""
    always = (
        "INVALID_JSON",
        "INVALID_TEXT",
        "UNAUTHENTICATED",
        "VALIDATION_FAILED",
        "TOO_MANY_REQUESTS",
        "PERSON_INACTIVE",
        "ACTING_NOT_ALLOWED",
        "DATABASE_UNAVAILABLE",
    )
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
    shapes = document.setdefault("components", {}).setdefault("schemas", {})
    for name, model in (("Problem", ProblemBody), ("MatchResult", MatchResult), ("Capabilities", Capabilities)):
        schema = model.model_json_schema(mode="serialization", ref_template=f"#/components/schemas/{name}.{{model}}")
        # Their parts have names of their own: a match result's policy is not the policy that is edited.
        shapes |= {f"{name}.{part}": shape for part, shape in schema.pop("$defs", {}).items()} | {name: schema}
    _name_shapes(document)
    _say_what_is_trimmed(document)
    for path in document["paths"].values():
        for method, operation in path.items():
            _describe_headers(method, operation)
            operation["responses"]["default"] = {
                "description": "Any other error is a problem too.",
                "content": {MEDIA_TYPE: {"schema": PROBLEM_REF}},
            }


def _name_shapes(part: Any) -> None:
    """What is answered as it was stored, without being read first, has its shape in the document."""
    if isinstance(part, dict):
        if (shape := part.pop("x-shape", None)) is not None:
            part.clear()
            part["$ref"] = f"#/components/schemas/{shape}"
        for entry in part.values():
            _name_shapes(entry)
    elif isinstance(part, list):
        for entry in part:
            _name_shapes(entry)


def _say_what_is_trimmed(part: Any) -> None:
    if isinstance(part, dict):
        if part.pop(TRIMMED, False):
            part["description"] = f"{part.get('description', '')} Surrounding spaces are removed.".strip()
        for entry in part.values():
            _say_what_is_trimmed(entry)
    elif isinstance(part, list):
        for entry in part:
            _say_what_is_trimmed(entry)


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _describe_headers(method: str, operation: dict[str, Any]) -> None:
    answers_by_status = operation["responses"]
    parameters = operation.get("parameters", [])
    for status in ("429", "503"):
        if status in answers_by_status:
            answers_by_status[status]["headers"] = {"Retry-After": _header("Seconds until it helps to ask again.")}
    if "201" in answers_by_status:
        answers_by_status["201"]["headers"] = {"Location": _header("Where what was made is read.")}
    success = answers_by_status.get("200", {})
    if operation.get("security") and method == "get" and "application/json" in success.get("content", {}):
        success["headers"] = {"ETag": _header("For If-None-Match, and for If-Match where it can be edited.")}
        answers_by_status["304"] = {"description": "It is what If-None-Match names."}
        operation["parameters"] = [
            *parameters,
            {
                "name": "If-None-Match",
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
                "description": "The ETag of an earlier answer: 304 while nothing has changed.",
            },
        ]
    elif any(parameter["name"] == "If-Match" for parameter in parameters):
        success["headers"] = {"ETag": _header("The new version, for the next If-Match.")}
