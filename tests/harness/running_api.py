"""The API in this process. Real: all of it but what a test gives instead.

Its routes take a third of a second to build, its document one and a half, so an application that no test uses any more
waits here for the next test, which configures it anew.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import httpx
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from api.app import configure, create_app
from models.store.audit.outbox import OutboxMessage
from services.outbox.delivery import OutboxDelivery
from settings import Settings

_idle: list[FastAPI] = []


class AsgiClient(httpx.AsyncClient):
    """A client of an application in this process."""

    def __init__(self, app: FastAPI, transport: httpx.ASGITransport, timeout: float) -> None:
        super().__init__(transport=transport, base_url="http://posync", timeout=timeout, verify=False)
        self._app = app

    @asynccontextmanager
    async def only_answers(self) -> AsyncIterator[None]:
        """Within, the API answers and hands nothing over, as if Temporal were away; at the end all of it is."""
        outbox: OutboxDelivery = self._app.state.services.outbox
        waiting: list[OutboxMessage] = []
        with patch.object(outbox, "deliver_behind_answer", lambda *messages: waiting.extend(messages)):
            yield
        await outbox.deliver_new(waiting)


@asynccontextmanager
async def running_api(settings: Settings, *, timeout: float = 5, **options: Any) -> AsyncIterator[AsgiClient]:
    """A client of an API that works with these settings, and with these options of `api.app.configure`."""
    if _idle:
        app = _idle.pop()
        configure(app, settings, **options)
    else:
        app = create_app(settings, **options)
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(app=manager.app, raise_app_exceptions=False)
        async with AsgiClient(app, transport, timeout) as client:
            yield client
    _idle.append(app)
