"""Processes that die at one step: a worker, by its journal, and the API, by its calls. The database alone remembers."""

from typing import Any

import httpx

from api.web_connector import soap
from services.exchanges import StoredExchanges

CALLS = (
    "serverVersion", "clientVersion", "authenticate", "sendRequestXML", "receiveResponseXML", "connectionError",
    "getLastError", "closeConnection",
)  # fmt: skip


class Died(Exception):
    """The worker was killed."""


class Once:
    """Strikes once, at the call of one name that comes behind `skipped` others."""

    def __init__(self, name: str, skipped: int) -> None:
        self._name, self._skipped = name, skipped
        self.struck = False

    def strikes(self, name: str) -> bool:
        if self.struck or name != self._name:
            return False
        self._skipped -= 1
        self.struck = self._skipped < 0
        return self.struck


class MortalJournal:
    """The journal as a worker uses it that is killed at one step."""

    def __init__(self, journal: StoredExchanges, once: Once, when: str) -> None:
        self._journal, self._once, self._when = journal, once, when

    def __getattr__(self, name: str) -> Any:
        async def call(*parameters: Any, **named: Any) -> Any:
            strikes = self._once.strikes(name)
            if strikes and self._when == "before":
                raise Died
            try:
                return await getattr(self._journal, name)(*parameters, **named)
            finally:
                if strikes:
                    raise Died

        return call


class MortalApi:
    """The API that is killed at one call: before it did anything, or before its answer left."""

    def __init__(self, app: Any, once: Once, when: str) -> None:
        self._app, self._once, self._when = app, once, when

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break

        async def whole() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def nowhere(_: Any) -> None:
            """The answer does not leave."""

        if not self._once.strikes(soap.read(body).name):
            await self._app(scope, whole, send)
            return
        if self._when == "after":
            await self._app(scope, whole, nowhere)
        raise httpx.ReadError("the API was killed")
