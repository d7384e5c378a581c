"""What a pretend ERP sends back over HTTP."""

from collections.abc import Mapping
from typing import NamedTuple

import httpx

MAINTENANCE_PAGE = (
    "<html><head><title>503</title></head><body><h1>The Service is Temporarily Off-line</h1></body></html>"
)


class Answer(NamedTuple):
    """One HTTP answer."""

    body: str | bytes
    status: int = 200
    content_type: str = "text/xml; charset=UTF-8"
    headers: Mapping[str, str] = {}
    stall_seconds: float = 0.0
    """Half of the body, then silence with the line open for so long, then the end of it."""


class ConnectionCut(httpx.RemoteProtocolError):
    """No answer at all.

    The server aborts the socket. When the app is called in process there is no socket; the caller then meets this
    exception itself, which is the one httpx raises for a connection that closed without answering.
    """

    def __init__(self) -> None:
        super().__init__("Server disconnected without sending a response.")
