"""The PC: its company files, QuickBooks, and the Web Connector with its applications and schedule."""

import asyncio
from contextlib import suppress
from typing import Any

import httpx

from sandbox.calls import Calls
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.quickbooks_desktop import request_processor
from sandbox.quickbooks_desktop.bootstrap import bootstrap_company
from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.errors import HResult
from sandbox.quickbooks_desktop.qwc_file import QwcFile, QwcRefused, read_qwc
from sandbox.quickbooks_desktop.request_processor import Session
from sandbox.quickbooks_desktop.switches import SWITCHES
from sandbox.quickbooks_desktop.web_connector import Application, Opened, Surroundings, Update, WebConnector
from sandbox.switches import Switches

PATH = "C:\\QuickBooks\\Sandbox Trading.qbw"
OTHER_PATH = "C:\\QuickBooks\\Second Company.qbw"
_KEPT_UPDATES = 200
_SHORTEST = 0.02
"""Seconds between two automatic updates at least: a service that is down is not asked in a tight loop."""


class Computer:
    """A PC with QuickBooks and its Web Connector."""

    def __init__(self, clock: Clock, faults: Faults, calls: Calls) -> None:
        self._clock = clock
        self._faults = faults
        self._calls = calls
        self.switches = Switches(SWITCHES)
        self.transport: httpx.AsyncBaseTransport | None = None
        """How the service is reached; None: over the network. Tests without a socket set it."""
        self._running: asyncio.Task[None] | None = None
        self.reset()

    def reset(self) -> None:
        """Two new company files, no applications, the PC on, default switches."""
        self.stop()
        self.switches.values = Switches(SWITCHES).values
        self.files = {
            PATH: Company(PATH, "Sandbox Trading", self._clock, self.switches),
            OTHER_PATH: Company(OTHER_PATH, "Second Company", self._clock, self.switches),
        }
        for company in self.files.values():
            bootstrap_company(company)
        self.open_path: str | None = PATH
        """The company file that is open in QuickBooks; None: QuickBooks is closed."""
        self.last_path = PATH
        self.powered = True
        self.dialog = False
        """A modal dialog waits for a person."""
        self.permission = True
        """People let the applications in."""
        self.applications: dict[str, Application] = {}
        self.updates: list[Update] = []
        self._turn = asyncio.Lock()

    @property
    def company(self) -> Company:
        """The company file that the control room works on: the open one, else the last that was."""
        return self.files[self.open_path or self.last_path]

    def empty(self) -> None:
        """Takes the records of that company away; applications stay."""
        self.company.empty()
        bootstrap_company(self.company)

    # Applications

    async def add_application(self, text: str, password: str) -> Application:
        """What the Web Connector does with a .qwc file: the FileID goes into the company file. Raises ValueError."""
        qwc = read_qwc(text)
        if self.switches.flag("pages_checked"):
            await self._check_pages(qwc)
        if self.open_path is None:
            raise QwcRefused("QBWC1039: QuickBooks is closed; the first time a company file must be open")
        if self.company.multi_user:
            raise QwcRefused("QBWC1039: the first time the administrator works in single-user mode")
        known = self.applications.get(qwc.app_name)
        if known is not None and known.qwc.owner_id.lower() != qwc.owner_id.lower():
            raise QwcRefused("QBWC1039: another application has this name")
        owner = self.company.extensions.setdefault(qwc.owner_id.lower(), {})
        owner["FileID"] = qwc.file_id
        application = Application(qwc, password)
        self.applications[qwc.app_name] = application
        return application

    async def _check_pages(self, qwc: QwcFile) -> None:
        """Raises QwcRefused when the service, or its support page, does not answer."""
        async with self._client(self.switches.number("http_timeout_seconds")) as http:
            for url, code, good in ((qwc.app_url, "QBWC1003", (200,)), (qwc.support_url, "QBWC1004", (200, 202))):
                try:
                    status = (await http.get(url)).status_code
                except httpx.HTTPError as error:
                    raise QwcRefused(f"{code}: {url} does not answer: {error}") from None
                if status not in good:
                    raise QwcRefused(f"{code}: {url} answers {status}")

    def application(self, name: str) -> Application:
        """One application; the only one where no name is given. Raises ValueError."""
        if name in self.applications:
            return self.applications[name]
        if not name and len(self.applications) == 1:
            return next(iter(self.applications.values()))
        raise ValueError(f"application is one of {', '.join(self.applications) or 'none: add_application first'}")

    # Updates

    async def run_update(self, name: str = "", *, automatic: bool = False) -> Update:
        """One update of an application, now. Raises ValueError when the PC is off."""
        if not self.powered:
            raise ValueError("the PC is switched off")
        application = self.application(name)
        around = Surroundings(
            self._open, lambda: self.powered, self._clock.now, self.switches, self._faults, self._calls,
            self._client, automatic,
        )  # fmt: skip
        async with self._turn:
            connector = WebConnector(application, around)
            self.updates = [*self.updates[1 - _KEPT_UPDATES :], connector.update]
            return await connector.run()

    def _client(self, timeout: float) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=timeout, transport=self.transport, trust_env=False, verify=False)

    def _open(self, qwc: QwcFile, path: str) -> Opened:
        """Raises HResult."""
        if self.dialog:
            raise HResult("0x80040414", "A modal dialog box is showing in the QuickBooks user interface.")
        wanted = path or self.open_path
        if wanted is None:
            raise HResult("0x80040416", "QuickBooks is not running, and no company file is named.")
        if self.open_path is not None and wanted.lower() != self.open_path.lower():
            raise HResult("0x8004040A", "A different company file is already open in QuickBooks.")
        known = next((one for one in self.files if one.lower() == wanted.lower()), None)
        if known is None:
            raise HResult("0x80040401", "Could not access QuickBooks: the company file was not found.")
        if not self.permission:
            raise HResult("0x8004041A", "This application does not have permission to access this company file.")
        company = self.files[known]
        application = request_processor.Application(qwc.app_name, qwc.read_only)
        return Opened(Session(company, application, self._faults, self._calls), company.path)

    # The schedule

    def start(self) -> None:
        """Auto-Run: every application by its interval, until `stop`."""
        self.stop()
        self._running = asyncio.get_running_loop().create_task(self._by_schedule())

    def stop(self) -> None:
        """No automatic updates any more."""
        if self._running is not None and not self._running.get_loop().is_closed():
            self._running.cancel()
        self._running = None

    @property
    def automatic(self) -> bool:
        """Whether updates run by schedule."""
        return self._running is not None and not self._running.done()

    async def _by_schedule(self) -> None:
        loop = asyncio.get_running_loop()
        due: dict[str, float] = {}
        while True:
            for name, application in list(self.applications.items()):
                if not self.powered or due.get(name, 0.0) > loop.time():
                    continue
                postponed = application.postponed_until
                if postponed is None or postponed <= self._clock.now():
                    with suppress(ValueError):  # the PC was switched off meanwhile
                        await self.run_update(name, automatic=True)
                due[name] = loop.time() + self.interval(application)
            pause = min([*(at - loop.time() for at in due.values()), 0.2])
            await asyncio.sleep(max(pause, _SHORTEST))

    def interval(self, application: Application) -> float:
        """Seconds between two automatic updates of an application."""
        own = self.switches.number("run_every_seconds") or application.qwc.run_every_seconds or 900.0
        return max(own, application.interval_seconds, _SHORTEST)

    # What the control room shows

    def shown_applications(self) -> list[dict[str, Any]]:
        """The Web Connector's list."""
        return [
            {
                "application": name,
                "url": one.qwc.app_url,
                "user_name": one.qwc.user_name,
                "owner_id": one.qwc.owner_id,
                "file_id": one.qwc.file_id,
                "read_only": one.qwc.read_only,
                "interval_seconds": self.interval(one),
                "postponed_until": one.postponed_until.isoformat() if one.postponed_until else None,
            }
            for name, one in self.applications.items()
        ]
