"""Read JSON bodies exactly: numbers become decimals, never floats. Text that no database can store is refused."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.etag import answer_if_changed
from api.http.problems import Problem, rendered
from models.domain import exact_json
from services.imports.text_rows import LARGEST_FILE_BYTES

LARGEST_BODY_BYTES = 1_000_000
ERPS = ("/v1/webhooks/", "/qbwc")
"""Where ERPs call us."""
IMPORTS = "/v1/imports/"
"""Where files are sent."""
IMPORT_SECONDS = 600
"""Seconds that a file to import may take to arrive."""
LARGEST_BYTES_OF_ERP = 20_000_000
"""ERPs set no limit to what one webhook gathers: ten thousand events are some megabytes."""
BODY_SECONDS = 30
"""Seconds from the end of the head to the end of the body."""
DEEPEST_BODY = 16
"""How many levels of objects and lists a body may have. The deepest one we take, a policy to preview, has six."""
MOST_VALUES = 20_000
"""How many values one body may have: twice as many as the largest bill has."""


def storable(text: str) -> bool:
    """Return whether PostgreSQL can store the text: it takes no NUL, and UTF-8 has no lone surrogates."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check(body: Any) -> None:
    """Refuse a body whose size is in its shape, and text that cannot be stored.

    Raises:
        Problem: BODY_TOO_COMPLEX or INVALID_TEXT.
    """
    ahead: list[tuple[Any, str, int]] = [(body, "body", 1)]
    values = 0
    while ahead:
        value, where, depth = ahead.pop()
        values += 1
        if depth > DEEPEST_BODY:
            raise Problem("BODY_TOO_COMPLEX", f"Objects and lists are nested deeper than {DEEPEST_BODY}.")
        if values + len(ahead) > MOST_VALUES:
            raise Problem("BODY_TOO_COMPLEX", f"The body holds more than {MOST_VALUES} values.")
        match value:
            case str() if not storable(value):
                raise Problem("INVALID_TEXT", f"{where} holds text that cannot be stored.")
            case dict():
                if not all(storable(key) for key in value):
                    raise Problem("INVALID_TEXT", f"A name in {where} cannot be stored.")
                ahead += [(entry, f"{where}.{key}", depth + 1) for key, entry in value.items()]
            case list():
                ahead += [(entry, f"{where}.{position}", depth + 1) for position, entry in enumerate(value)]


class ExactRequest(Request):
    async def json(self) -> Any:
        """Read the body as JSON with exact decimals.

        Raises:
            Problem: INVALID_JSON or INVALID_TEXT.
        """
        try:
            value = exact_json.read(await self.body())
        except exact_json.UnreadableJson as error:
            raise Problem("INVALID_JSON", f"The body cannot be read. {error}") from None
        except exact_json.KeyTwice as error:
            errors = [{"where": "body", "message": str(error), "rule": "key_twice"}]
            raise Problem("VALIDATION_FAILED", f"body: {error}", extra={"errors": errors}) from None
        _check(value)
        return value


def _check_media_type(request: Request) -> None:
    """Refuse a body whose media type is not JSON, or that names none.

    Raises:
        Problem: UNSUPPORTED_MEDIA_TYPE.
    """
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return  # there is none: what the route says of that is better
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not re.fullmatch(r"application/([a-z0-9.-]+\+)?json", media_type):
        given = f"The body is said to be {media_type!r}." if media_type else "The body does not say what it is."
        raise Problem("UNSUPPORTED_MEDIA_TYPE", given, headers={"Accept": "application/json"})


def _query_parameters(dependant: Dependant) -> set[str]:
    """Return the names of a route's query parameters, also those of its dependencies."""
    known = {parameter.alias for parameter in dependant.query_params}
    return known.union(*(_query_parameters(part) for part in dependant.dependencies))


class ExactRoute(APIRoute):
    """A route that reads its body through ExactRequest and knows all its query parameters.

    An unknown query parameter is refused: a misspelt filter would silently list everything.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = _query_parameters(self.dependant)
        takes_body = self.body_field is not None

        async def exact(request: Request) -> Response:
            if takes_body:
                _check_media_type(request)
            unknown = sorted(set(request.query_params) - known)
            if unknown:
                offered = f"It takes {', '.join(sorted(known))}." if known else "It takes none."
                raise Problem("VALIDATION_FAILED", f"There is no query parameter {unknown[0]!r}. {offered}")
            response = await handle(ExactRequest(request.scope, request.receive))
            read = request.method == "GET" and response.status_code == 200
            if read and not isinstance(response, StreamingResponse):
                return answer_if_changed(request, response)
            return response

        return exact


class RequestGuard:
    """Refuses what no route could read: addresses that cannot be stored, and bodies that are too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not storable(scope["path"]) or b"%00" in scope.get("query_string", b""):
            response = rendered(Problem("INVALID_TEXT", "The address holds NUL characters."), Request(scope))
            await response(scope, receive, send)
            return
        most, seconds = LARGEST_BODY_BYTES, BODY_SECONDS
        if scope["path"].startswith(ERPS):
            most = LARGEST_BYTES_OF_ERP
        elif scope["path"].startswith(IMPORTS):
            most, seconds = LARGEST_FILE_BYTES, IMPORT_SECONDS
        await self._app(scope, _limited(receive, most, seconds), send)


def _limited(receive: Receive, most: int, seconds: float) -> Receive:
    """Pass the body on until it grows too large or takes too long. It is counted as it arrives, because its announced
    length may be wrong. What comes after the body, that the caller went away, has no time limit.

    Raises:
        Problem: PAYLOAD_TOO_LARGE, or that the body came too slowly, while the body is read.
    """
    taken = 0
    ends = asyncio.get_running_loop().time() + seconds
    whole = False

    async def limited() -> Message:
        nonlocal taken, whole
        try:
            async with asyncio.timeout_at(None if whole else ends):
                message = await receive()
        except TimeoutError:
            raise Problem("REQUEST_TIMEOUT", headers={"Connection": "close"}) from None
        whole = not message.get("more_body", False)
        taken += len(message.get("body", b""))
        if taken > most:
            raise Problem("PAYLOAD_TOO_LARGE", headers={"Connection": "close"})
        return message

    return limited
