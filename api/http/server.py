"""Run the HTTP server of one API process: uvicorn, with time and size limits that it does not have by itself.

uvicorn waits for ever for a head or a body that arrives slowly, and each of them costs a file and memory.
`RequestGuard` decides how long a body may take before the application answers 408. The limits here are the last line of
defence, for requests that nobody reads.
"""

import asyncio
from typing import Any

from fastapi import FastAPI
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.exact_json import IMPORTS

HEAD_SECONDS = 10
"""Seconds from the connection, or from the first byte of a later request, to the end of its head."""
MESSAGE_SECONDS = 60
"""Seconds from the end of the head to the end of the body."""
IMPORT_SECONDS = 660
"""The same for a file to import."""
LONGEST_HEAD_BYTES = 64 * 1024
"""Bytes of the longest head: an address, a key and some headers."""
KEEP_ALIVE_SECONDS = 75
"""Seconds that a connection may rest between two requests. Longer than callers and load balancers keep one (5 to 60):
whoever closes first must be the caller, or a request that was just sent meets a closed connection and gets no answer.
"""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol for one connection. It ends requests that arrive too slowly or with too long a head."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._within(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._at_rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > LONGEST_HEAD_BYTES:
            self._end("431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._within(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head, self._head_bytes = False, 0
        self._within(IMPORT_SECONDS if self.url.startswith(IMPORTS.encode()) else MESSAGE_SECONDS)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._at_rest()

    def _within(self, seconds: float) -> None:
        self._at_rest()
        self._deadline = self.loop.call_later(seconds, self._end, "408 Request Timeout")

    def _at_rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self, status: str) -> None:
        """Close the connection. Answer with the reason first, unless another answer is being sent, which this would cut
        in two."""
        idle = getattr(self.cycle, "response_complete", True)
        if self._in_head and idle:
            self.transport.write(f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
        self.transport.close()


def bounded(app: FastAPI, **options: Any) -> Config:
    """Return what `posync api` runs its server with: the application within these limits, and uvicorn's `options`."""
    return Config(app, http=BoundedProtocol, timeout_keep_alive=KEEP_ALIVE_SECONDS, **options)
