"""The sandbox as one ASGI app and one command: `python -m sandbox.server --port 8900`.

Vendor paths are answered exactly as the vendor would, anything else on them is 404; `/sandbox/` is the control room.
"""

import argparse
import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from email.utils import format_datetime
from typing import Any, cast

import uvicorn

from sandbox.asked import Asked
from sandbox.calls import Calls
from sandbox.clock import Clock
from sandbox.control_room import control_room
from sandbox.faults import Faults
from sandbox.intacct.gateway import Gateway
from sandbox.netsuite.port import Port
from sandbox.netsuite.schema.documents import wsdl_path
from sandbox.quickbooks_desktop.computer import Computer
from sandbox.quickbooks_online.oauth import AUTHORIZE_PATH
from sandbox.quickbooks_online.service import REALM, Service
from sandbox.responses import Answer, ConnectionCut

INTACCT_PATH = "/ia/xml/xmlgw.phtml"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Sandbox:
    """All pretend ERPs with their clock, faults and counts. Each instance is a world of its own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.faults = Faults(self.clock)
        self.calls = Calls()
        self.intacct = Gateway(self.clock, self.faults, self.calls)
        self.netsuite = Port(self.clock, self.faults, self.calls)
        self.quickbooks_online = Service(self.clock, self.faults, self.calls)
        self.quickbooks_desktop = Computer(self.clock, self.faults, self.calls)
        self._control_room = control_room(
            self.clock,
            self.faults,
            self.calls,
            self.intacct,
            self.netsuite,
            self.quickbooks_online,
            self.quickbooks_desktop,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            self.quickbooks_desktop.stop()
        elif scope["path"].startswith("/sandbox"):
            await self._control_room(scope, receive, send)
        else:
            body = await _body(receive)
            began = time.perf_counter()
            try:
                answer = await self._vendor_answer(scope, body)
            except ConnectionCut:
                _cut(send)
                await _disconnected(receive)
                return
            self.calls.took(time.perf_counter() - began)
            await _send(receive, send, answer, format_datetime(self.clock.now(), usegmt=True))

    async def _vendor_answer(self, scope: Scope, body: bytes) -> Answer:
        """What the vendor whose path it is answers. Raises ConnectionCut."""
        if scope["path"] == INTACCT_PATH:
            if scope["method"] != "POST":
                body = b""
            return await self.intacct.answer(body, _called_url(scope))
        asked = _asked(scope, body)
        answer = await self.netsuite.answer(asked) or await self.quickbooks_online.answer(asked)
        return answer or Answer("<html><body>404 Not Found</body></html>", 404, "text/html; charset=UTF-8")


def create_app() -> Sandbox:
    """A fresh sandbox; serve it with uvicorn or hand it to `httpx.ASGITransport`."""
    return Sandbox()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _called_url(scope: Scope) -> str:
    """The URL as the client wrote it: sessions are bound to it (reference 1.5)."""
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"localhost").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}{scope['path']}"


def _asked(scope: Scope, body: bytes) -> Asked:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    base = f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}"
    return Asked(scope["method"], scope["path"], scope.get("query_string", b"").decode("latin-1"), headers, body, base)


def _cut(send: Send) -> None:
    """Abort the client's socket. In process there is none, so the caller meets the exception instead."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionCut
    transport.abort()


async def _disconnected(receive: Receive) -> None:
    """Wait until the server has noticed the abort; it would report a missing answer otherwise."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stall(receive: Receive, send: Send, half: bytes, seconds: float) -> None:
    """Half a body on an open line; the client must give up by itself, or the line ends after `seconds`."""
    await send({"type": "http.response.body", "body": half, "more_body": True})
    with suppress(TimeoutError):
        await asyncio.wait_for(_disconnected(receive), seconds)
    _cut(send)


async def _send(receive: Receive, send: Send, answer: Answer, date: str) -> None:
    """Send an answer with the sandbox's own time: the server would put in the time of this machine."""
    body = answer.body.encode() if isinstance(answer.body, str) else answer.body
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", str(len(body)).encode())]
    headers.append((b"date", date.encode()))
    headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.stall_seconds:
        await _stall(receive, send, body[: len(body) // 2], answer.stall_seconds)
    else:
        await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve on loopback until stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.server", description="Pretend ERPs on their real protocols"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--log-level", default="warning")
    options = parser.parse_args()
    # A loaded company is a million long-lived objects; walking them again and again would cost more than any call.
    gc.set_threshold(100_000, 50, 100)
    app = create_app()
    url = f"http://{options.host}:{options.port}"
    print(f"Sage Intacct: {url}{INTACCT_PATH}  sender posync/sandbox-sender, company ACME,")
    print("user xml_gateway/sandbox-user, entities 100 and 200.")
    print(f"NetSuite: {url}{wsdl_path('2023_2')} and {url}/services/NetSuitePort_2023_2  account TSTDRV1,")
    print("consumer key/secret ck/cs, token id/secret tk/ts.")
    print(f"QuickBooks Online: {url}/v3/company/{REALM} and {url}{AUTHORIZE_PATH}")
    print("client id/secret ABsandboxClientId/sandbox-client-secret, webhook verifier sandbox-verifier-token.")
    print("QuickBooks Desktop: it calls you. Give its Web Connector your .qwc file in the control room.")
    print(f"Control room: {url}/sandbox/", flush=True)
    uvicorn.run(
        cast(Any, app),
        host=options.host,
        port=options.port,
        log_level=options.log_level,
        date_header=False,
        access_log=False,
        timeout_keep_alive=75,
        # A stalled or slow answer must not keep the process from ending.
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
