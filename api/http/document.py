"""Serve the OpenAPI document, built once per process, beside the event loop: it takes seconds."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from api.http.problems import describe

PATH = "/openapi.json"


def install(app: FastAPI) -> None:
    """Add the document to the application, complete with the errors that any route may give.

    The framework would build it in the event loop, where every other request of the process waits for it.
    """
    app.openapi = _built_once(app.openapi)  # type: ignore[method-assign]
    app.add_route(PATH, _serving(app), include_in_schema=False)


def _built_once(plain: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    lock = threading.Lock()
    built: list[dict[str, Any]] = []

    def build() -> dict[str, Any]:
        with lock:
            if not built:
                document = plain()
                describe(document)
                built.append(document)
            return built[0]

    return build


def _serving(app: FastAPI) -> Callable[[Request], Awaitable[Response]]:
    async def serve(_: Request) -> Response:
        return await asyncio.to_thread(lambda: JSONResponse(app.openapi()))

    return serve
