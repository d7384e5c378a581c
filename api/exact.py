"""JSON bodies read exactly: numbers become decimals, never floats, and text that no database can hold is refused."""

import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, rendered

LARGEST_BODY_BYTES = 1_000_000


def storable(text: str) -> bool:
    """PostgreSQL holds no NUL, and UTF-8 has no lone surrogates."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check(value: Any, where: str) -> None:
    match value:
        case str() if not storable(value):
            raise Problem("INVALID_TEXT", f"{where} holds text that cannot be stored.")
        case dict():
            for key, entry in value.items():
                _check(key, where)
                _check(entry, f"{where}.{key}")
        case list():
            for position, entry in enumerate(value):
                _check(entry, f"{where}.{position}")


def _no_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


class ExactRequest(Request):
    async def json(self) -> Any:
        raw = await self.body()
        try:
            value = json.loads(raw, parse_float=Decimal, parse_constant=_no_constant)
        except UnicodeDecodeError:
            raise Problem("INVALID_JSON", "The body is not UTF-8.") from None
        except (RecursionError, ValueError) as error:
            if isinstance(error, json.JSONDecodeError):
                raise
            raise Problem("INVALID_JSON", "The body is nested too deep or holds a number too long.") from None
        _check(value, "body")
        return value


def _query_parameters(dependant: Dependant) -> set[str]:
    """The names of a route's query parameters, those of its dependencies included."""
    known = {parameter.alias for parameter in dependant.query_params}
    return known.union(*(_query_parameters(part) for part in dependant.dependencies))


class ExactRoute(APIRoute):
    """A route whose body is an ExactRequest's, and that knows all its query parameters.

    An unknown one is refused: a misspelt filter would silently list everything.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = _query_parameters(self.dependant)

        async def exact(request: Request) -> Response:
            unknown = sorted(set(request.query_params) - known)
            if unknown:
                offered = f"It takes {', '.join(sorted(known))}." if known else "It takes none."
                raise Problem("VALIDATION_FAILED", f"There is no query parameter {unknown[0]!r}. {offered}")
            return await handle(ExactRequest(request.scope, request.receive))

        return exact


class Readable:
    """Refuse what no route could read: addresses that cannot be stored, bodies that are too large."""

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
        await self._app(scope, _limited(receive), send)


def _limited(receive: Receive) -> Receive:
    """The body, until it grows too large: counted as it comes, for its announced length may be a lie."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_BODY_BYTES:
            raise Problem("PAYLOAD_TOO_LARGE", headers={"Connection": "close"})
        return message

    return limited
