"""The API in this process. Real: all of it but what a test gives instead.

Its routes take a third of a second to build, its document one and a half, so an application that no test uses any more
waits here for the next test, which configures it anew.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from api.app import configure, create_app
from settings import Settings

_idle: list[FastAPI] = []


@asynccontextmanager
async def running_api(settings: Settings, *, timeout: float = 5, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API that works with these settings, and with these options of `api.app.configure`."""
    if _idle:
        app = _idle.pop()
        configure(app, settings, **options)
    else:
        app = create_app(settings, **options)
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(app=manager.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://posync", timeout=timeout, verify=False
        ) as client:
            yield client
    _idle.append(app)
