"""A PC with QuickBooks: its company file, and the Web Connector as a process of its own that can be killed.

QuickBooks is the sandbox's company file behind a port of this process, so that it survives: `QuickBooks`. The Web
Connector is a process of its own: it calls the door as Intuit's does, takes each document to that port, and
stops at one step until it is let go or killed: `WebConnectorProcess`. Processes are forked from one that has imported
all they need, as hundreds of them come and go.
"""

import asyncio
import http.client
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
from lxml import etree

from bench.quickbooks_desktop import WebConnector
from sandbox.quickbooks_desktop.errors import HResult
from sandbox.quickbooks_desktop.request_processor import Application, Session
from sandbox.server import create_app

HOST_COMPANY_PREFERENCES = "<HostQueryRq/><CompanyQueryRq><OwnerID>{}</OwnerID></CompanyQueryRq><PreferencesQueryRq/>"
PAUSE_SECONDS = 0.1
"""Between two updates of the Web Connector."""


class QuickBooks:
    """The sandbox's company file behind a port. Use as a context manager."""

    def __init__(self) -> None:
        self._app = create_app()
        self._session: Session | None = None
        self._turn = threading.Lock()
        self._owner = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]

    def __enter__(self) -> "QuickBooks":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add_application(self, qwc: str, password: str) -> None:
        """What happens when a person adds the .qwc file: its mark goes into the company file."""
        application = asyncio.run(self._app.quickbooks_desktop.add_application(qwc, password))
        self._owner = application.qwc.owner_id

    def load(self, content: Any) -> None:
        """Put records in, in the neutral format."""
        self._room("POST", "/companies/quickbooks_desktop/load?create_missing=true", content)

    def sample(self) -> None:
        """Fill the company with the built-in sample."""
        self._room("POST", "/companies/quickbooks_desktop/sample", {})

    def records(self, kind: str) -> list[dict[str, Any]]:
        """The records of one kind."""
        shown: list[dict[str, Any]] = self._room("GET", f"/companies/quickbooks_desktop/{kind}", None)
        return shown

    def _room(self, method: str, path: str, body: Any) -> Any:
        async def ask() -> Any:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox/sandbox") as room:
                answer = await room.request(method, path, json=body)
                answer.raise_for_status()
                return answer.json()

        with self._turn:
            return asyncio.run(ask())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        books = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["content-length"])).decode()
                body = json.dumps(books.answer(self.path, text)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler

    def answer(self, path: str, text: str) -> list[str]:
        """QuickBooks' answer, or the number and words of its error. `/open` begins a session: its iterators are new."""
        with self._turn:
            if path == "/open" or self._session is None:
                app = self._app
                company = app.quickbooks_desktop.company
                self._session = Session(company, Application("posync"), app.faults, app.calls)
            try:
                if path == "/open":
                    return [self._session.ask(HOST_COMPANY_PREFERENCES.format(self._owner)), "", ""]
                return [self._session.process(text), "", ""]
            except HResult as error:
                return ["", error.code, error.message]


class Step(NamedTuple):
    """Where a Web Connector stops: before or behind a step that comes behind `skipped` others of its name."""

    name: str
    """A call of the Web Connector, or QuickBooks."""
    when: str
    """before, after, or during: it is let go in the moment in which somebody is killed."""
    skipped: int = 0


class _RemoteBooks:
    """QuickBooks, as the Web Connector's process sees it."""

    def __init__(self, port: int, at: Callable[[str, str], None], *, breaks: bool) -> None:
        self._port, self._at, self._breaks = port, at, breaks

    def said(self) -> str:
        return self._ask("/open", "")[0]

    def answer(self, document: str) -> str:
        self._at("QuickBooks", "before")
        answer = self._ask("/process", document)[0]
        self._at("QuickBooks", "after")
        if self._breaks:
            self._breaks = False
            return answer[: len(answer) // 2]
        return answer

    def _ask(self, path: str, text: str) -> list[str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("POST", path, text.encode())
        answer: list[str] = json.loads(connection.getresponse().read())
        return answer


class _StoppingWebConnector(WebConnector):
    """A Web Connector that says when it is at its step, and waits there.

    What it only calls behind a failure has its failure: QuickBooks does not open, or its first answer is cut short.
    """

    def __init__(self, given: dict[str, Any], parent: Connection) -> None:
        self._step = Step(*given["step"]) if given["step"] else None
        name = self._step.name if self._step else ""
        books: Any = _RemoteBooks(given["quickbooks"], self.at, breaks=name == "getLastError")
        super().__init__(given["port"], given["user"], given["password"], books)
        self._parent = parent
        self._left = self._step.skipped if self._step else 0

    def update(self) -> None:
        """One update, to its end."""
        if self._step is None or self._step.name != "connectionError":
            self.session()
            return
        secret, verdict = self.begin()
        while verdict not in ("none", "busy", "nvu", "done"):
            code, words = "0x80040408", "Could not start QuickBooks."
            verdict = self.call("connectionError", ticket=secret, hresult=code, message=words)[0].lower()
        self.call("closeConnection", ticket=secret)

    def call(self, method: str, **parameters: str) -> list[str]:
        self.at(method, "before")
        self.at(method, "during")
        answer = super().call(method, **parameters)
        self.at(method, "after")
        return answer

    def at(self, name: str, when: str) -> None:
        if self._step is None or (self._step.name, self._step.when) != (name, when):
            return
        self._left -= 1
        if self._left >= 0:
            return
        self._step = None
        self._parent.send("here")
        self._parent.recv()


def _call_until_killed(given: dict[str, Any], parent: Connection) -> None:
    """Call. What the door refuses, or a door that is away, ends one update."""
    connector = _StoppingWebConnector(given, parent)
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        while True:
            with suppress(RuntimeError, OSError, http.client.HTTPException):
                connector.update()
            time.sleep(PAUSE_SECONDS)


_processes = multiprocessing.get_context("forkserver")
# And what the bench itself imports: each process imports its main module once more.
_processes.set_forkserver_preload(["bench.desktop_pc", "bench.company", "bench.report"])


class WebConnectorProcess:
    """The process of a Web Connector."""

    def __init__(self, qwc: str, password: str, quickbooks: QuickBooks, step: Step | None = None) -> None:
        root = etree.fromstring(qwc.encode())
        given = {
            "port": urlsplit(root.findtext("AppURL") or "").port,
            "user": root.findtext("UserName"),
            "password": password,
            "quickbooks": quickbooks.port,
            "step": None if step is None else tuple(step),
        }
        self._pipe, its_end = _processes.Pipe()
        self._process = _processes.Process(target=_call_until_killed, args=(given, its_end), daemon=True)
        self._process.start()
        its_end.close()

    def wait_until_there(self, seconds: float) -> bool:
        """Wait until it is at its step; False: it did not come there in time."""
        if not self._pipe.poll(seconds):
            return False
        self._pipe.recv()
        return True

    def go_on(self) -> None:
        """Let it go on from its step."""
        self._pipe.send("on")

    def kill(self) -> None:
        """End it as the machine would."""
        self._process.kill()
        self._process.join()
        self._pipe.close()
