"""The pretend Web Connector: one update of one application, in the real one's call sequence (reference 1.2, 1.3)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import httpx

from sandbox.calls import Calls
from sandbox.faults import Faults, Operation, Rule
from sandbox.quickbooks_desktop.errors import HResult
from sandbox.quickbooks_desktop.qwc_file import QwcFile
from sandbox.quickbooks_desktop.request_processor import ERP, STOPS, Session, operations_of
from sandbox.quickbooks_desktop.soap import NAMESPACE, BadAnswer, Parameters, SoapFault, answer_of, call_text
from sandbox.responses import MAINTENANCE_PAGE
from sandbox.switches import Switches

_MOST_OPENINGS = 5
"""How often connectionError may name another company file in one update."""


class Killed(Exception):
    """The Web Connector, QuickBooks or the PC went away: no further call is made."""


@dataclass
class Application:
    """One application in the Web Connector's list."""

    qwc: QwcFile
    password: str
    interval_seconds: float = 0.0
    """A lower limit that the service asked for."""
    postponed_until: datetime | None = None


@dataclass
class Update:
    """What happened in one update."""

    application: str
    began: str
    calls: list[dict[str, Any]] = field(default_factory=list)
    ticket: str = ""
    status: str = ""
    """What the Web Connector's window shows."""
    killed: bool = False
    rounds: int = 0
    """Documents that QuickBooks answered."""
    noops: int = 0
    percent: list[int] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """What the control room shows."""
        return {
            "application": self.application,
            "began": self.began,
            "ticket": self.ticket,
            "status": self.status,
            "killed": self.killed,
            "rounds": self.rounds,
            "noops": self.noops,
            "percent": self.percent,
            "calls": self.calls,
        }


class Opened(NamedTuple):
    """A company file that is open: its session, and its path as sendRequestXML names it."""

    session: Session
    path: str


class Surroundings(NamedTuple):
    """What the Web Connector finds on its PC."""

    open_file: Callable[[QwcFile, str], Opened]
    """Opens a company file ("": the one that is open). Raises HResult."""
    still_on: Callable[[], bool]
    now: Callable[[], datetime]
    switches: Switches
    faults: Faults
    calls: Calls
    client: Callable[[float], httpx.AsyncClient]
    automatic: bool = False
    """Whether the update runs by schedule: only then do postponements and limits hold."""


class WebConnector:
    """One update of one application."""

    def __init__(self, application: Application, around: Surroundings) -> None:
        self._application = application
        self._around = around
        self._qwc = application.qwc
        self._http: httpx.AsyncClient | None = None
        self._sent: dict[str, Parameters] = {}
        """The parameters of the last call of each method."""
        self.update = Update(application.qwc.app_name, around.now().isoformat())

    async def run(self) -> Update:
        """Run the update to its end, whatever that is."""
        timeout = self._around.switches.number("http_timeout_seconds")
        async with self._around.client(timeout) as self._http:
            try:
                await self._session()
                await self._late_calls()
            except Killed as killed:
                self.update.killed = True
                self.update.status = str(killed)
            except (BadAnswer, SoapFault) as error:
                self.update.status = str(error)
            except httpx.HTTPError as error:
                self.update.status = f"QBWC1039: {type(error).__name__}: {error}"
        return self.update

    async def _session(self) -> None:
        if self._around.switches.flag("server_version_called") and not await self._greeted():
            return
        answer = await self._call(
            "authenticate", ("strUserName", self._qwc.user_name), ("strPassword", self._application.password)
        )
        self.update.ticket, word = answer[0], answer[1]
        if word.lower() in ("none", "nvu", "busy") or self._postponed(answer):
            await self._close(_REASONS.get(word.lower(), "Update postponed by application"))
            return
        opened = await self._open(word)
        if opened is not None:
            await self._exchange(opened)

    async def _late_calls(self) -> None:
        """A call that was on its way when the update ended, and arrives behind closeConnection."""
        for method, parameters in list(self._sent.items()):
            if self._around.faults.strike(ERP, [Operation(method, "")], frozenset(["late_call"])):
                self._note(method, "late", "")
                await self._posted(method, parameters)

    async def _greeted(self) -> bool:
        """Whether the service has nothing against this version."""
        for method in ("serverVersion", "clientVersion"):
            version = self._around.switches.word("web_connector_version")
            parameters: Parameters = [("strVersion", version)] if method == "clientVersion" else []
            try:
                told = (await self._call(method, *parameters))[0]
            except SoapFault:
                continue  # both are optional
            if method == "clientVersion" and told.startswith("E:"):
                self.update.status = f"QBWC1037: {told[2:]}"
                return False
        return True

    def _postponed(self, answer: list[str]) -> bool:
        if not self._around.automatic:
            return False
        if len(answer) > 3 and answer[3].strip().isdigit():
            self._application.interval_seconds = float(answer[3])
        if len(answer) < 3 or not answer[2].strip().isdigit() or int(answer[2]) == 0:
            return False
        self._application.postponed_until = self._around.now() + timedelta(seconds=int(answer[2]))
        return True

    async def _open(self, path: str) -> Opened | None:
        """Open QuickBooks; where that fails the service may name another file, or say that it is done."""
        for _ in range(_MOST_OPENINGS):
            try:
                for rule in self._around.faults.strike(ERP, [Operation("open", "")], frozenset(["unavailable"])):
                    raise HResult(rule.errorno or "0x80040408", "Could not start QuickBooks.")
                return self._around.open_file(self._qwc, path)
            except HResult as error:
                told = await self._call(
                    "connectionError",
                    ("ticket", self.update.ticket),
                    ("hresult", error.code),
                    ("message", error.message),
                )
                if told[0].strip().lower() == "done":
                    break
                path = told[0].strip()
        await self._close("Connection to QuickBooks failed")
        return None

    async def _exchange(self, opened: Opened) -> None:
        first = self._first_call(opened)
        version = self._around.switches.word("qbxml_version").split(".")
        while True:
            document = await self._call(
                "sendRequestXML",
                ("ticket", self.update.ticket),
                ("strHCPResponse", first),
                ("strCompanyFileName", opened.path),
                ("qbXMLCountry", "US"),
                ("qbXMLMajorVers", int(version[0])),
                ("qbXMLMinorVers", int(version[1])),
            )
            first = ""
            if document[0].strip() in ("", "NoOp"):
                if not await self._waits():
                    return
                continue
            percent = await self._round(opened, document[0])
            self.update.percent.append(percent)
            if percent < 0:
                await self._last_error()
                return
            if percent >= 100:
                await self._close("OK")
                return

    def _first_call(self, opened: Opened) -> str:
        if self._around.switches.word("first_call") == "empty":
            return ""
        return opened.session.ask(
            f"<HostQueryRq/><CompanyQueryRq><OwnerID>{self._qwc.owner_id}</OwnerID></CompanyQueryRq><PreferencesQueryRq/>"
        )

    async def _waits(self) -> bool:
        """Whether the service asks for a pause; else the update ends with its error."""
        told = (await self._call("getLastError", ("ticket", self.update.ticket)))[0]
        if told.strip() == "NoOp":
            self.update.noops += 1
            await asyncio.sleep(self._around.switches.number("noop_seconds"))
            return True
        await self._close(told or "No data exchange")
        return False

    async def _last_error(self) -> None:
        told = (await self._call("getLastError", ("ticket", self.update.ticket)))[0]
        await self._close(told)

    async def _round(self, opened: Opened, document: str) -> int:
        """One document to QuickBooks, and its answer to the service."""
        operations = operations_of(document)
        response, hresult, message = await self._answered(opened, document, operations)
        for rule in self._around.faults.strike(ERP, operations, frozenset(["lost_answer", "stalled"])):
            if rule.kind == "stalled":
                await asyncio.sleep(rule.seconds)
            raise Killed("The Web Connector ended before it could hand over QuickBooks' answer")
        told = await self._call(
            "receiveResponseXML",
            ("ticket", self.update.ticket),
            ("response", response),
            ("hresult", hresult),
            ("message", message),
        )
        try:
            return int(told[0])
        except ValueError:
            raise BadAnswer(f"QBWC1042: receiveResponseXML answered {told[0]!r}") from None

    async def _answered(self, opened: Opened, document: str, operations: list[Operation]) -> tuple[str, str, str]:
        """QuickBooks' answer, or the HRESULT and message of its refusal."""
        await self._pause(operations)
        try:
            for rule in self._around.faults.strike(ERP, operations, STOPS):
                if rule.kind == "html_error":
                    return MAINTENANCE_PAGE, "", ""
                _stop(rule)
            answer = opened.session.process(document)
        except HResult as error:
            notes = getattr(error, "__notes__", [])
            self._note("QuickBooks", error.code, notes[0] if notes else error.message)
            return "", error.code, error.message
        self.update.rounds += 1
        return answer, "", ""

    async def _pause(self, operations: list[Operation]) -> None:
        pause = self._around.switches.number("latency_seconds")
        pause += sum(rule.seconds for rule in self._around.faults.strike(ERP, operations, frozenset(["slow"])))
        if pause:
            await asyncio.sleep(pause)

    async def _close(self, status: str) -> None:
        self.update.status = status
        told = await self._call("closeConnection", ("ticket", self.update.ticket))
        if status == "OK" and told[0]:
            self.update.status = told[0]

    # One call

    async def _call(self, method: str, *parameters: tuple[str, str | int]) -> list[str]:
        operation = [Operation(method, "")]
        self._alive()
        self._strike(operation, "killed_before")
        self._sent[method] = parameters
        if self._around.faults.strike(ERP, operation, frozenset(["other_ticket"])):
            parameters = tuple((name, "nobody" if name == "ticket" else value) for name, value in parameters)
        answer = await self._posted(method, parameters)
        if self._around.faults.strike(ERP, operation, frozenset(["repeated_call"])):
            self._note(method, "repeated", "")
            answer = await self._posted(method, parameters)
        self._strike(operation, "killed_after")
        self._alive()
        return answer

    async def _posted(self, method: str, parameters: Parameters) -> list[str]:
        switches = self._around.switches
        style = switches.word("document_style")
        text = call_text(method, parameters, self._qwc.style if style == "as_file" else style)
        headers = {"Content-Type": "text/xml; charset=utf-8", "User-Agent": "Mozilla/4.0 (compatible; MSIE 6.0)"}
        if switches.flag("soap_action"):
            headers["SOAPAction"] = f'"{NAMESPACE}{method}"'
        assert self._http is not None
        self._around.calls.arrived()
        try:
            response = await self._http.post(self._qwc.app_url, content=text.encode(), headers=headers)
        finally:
            self._around.calls.left()
        answer = answer_of(method, response.status_code, response.content)
        self._note(method, answer[0][:80] if method != "authenticate" else answer[1], "")
        return answer

    def _strike(self, operation: list[Operation], kind: str) -> None:
        if self._around.faults.strike(ERP, operation, frozenset([kind])):
            raise Killed(f"The Web Connector was ended {kind.removeprefix('killed_')} {operation[0].name}")

    def _alive(self) -> None:
        if not self._around.still_on():
            raise Killed("The PC was switched off")

    def _note(self, method: str, answer: str, detail: str) -> None:
        entry = {"call": method, "answer": answer, "at": self._around.now().isoformat()}
        self.update.calls.append({**entry, "detail": detail} if detail else entry)


_REASONS = {
    "none": "No Data Exchange",
    "nvu": "Invalid password for username",
    "busy": "Application Busy",
}


def _stop(rule: Rule) -> None:
    if rule.kind == "lost_request":
        raise Killed("The Web Connector ended before QuickBooks had the document")
    if rule.kind == "session_expired":
        raise HResult("0x8004040D", "The session ticket is invalid.")
    raise HResult(rule.errorno or "0x80040401", "Could not access QuickBooks.")
