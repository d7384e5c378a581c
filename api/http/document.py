"""Serve the OpenAPI document, built once per process, beside the event loop: it takes seconds."""

import asyncio
import threading
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from api.http.problems import describe

PATH = "/openapi.json"


class DocumentedApp(FastAPI):
    """An application whose document is complete with the errors that any route may give.

    The framework would build it in the event loop, where every other request of the process waits for it.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(openapi_url=None, **settings)
        self._building = threading.Lock()
        self.add_route(PATH, _serve, include_in_schema=False)

    def openapi(self) -> dict[str, Any]:
        """Return the document; it is built once."""
        with self._building:
            built = self.openapi_schema is not None
            document = super().openapi()
            if not built:
                describe(document)
            return document


async def _serve(request: Request) -> Response:
    return await asyncio.to_thread(lambda: JSONResponse(request.app.openapi()))
