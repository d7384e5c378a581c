"""The doors of the pretend NetSuite: WSDL and schemas, the SOAP port, SuiteQL (reference 1, 2, 6, 8).

Order of checks: version, XML, faults of the wire, authentication, schema, operation.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import asdict
from html import escape
from itertools import count
from typing import Any

from lxml import etree

from sandbox.asked import Asked
from sandbox.calls import Calls
from sandbox.clock import Clock
from sandbox.faults import Faults, Operation, Rule
from sandbox.netsuite import rest, suiteql
from sandbox.netsuite.bootstrap import bootstrap_company
from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import Refused, SoapFault, unexpected, unreadable
from sandbox.netsuite.operations import RUN, Call, object_of
from sandbox.netsuite.passports import LOGIN_REFUSED, LoginRefused, Passports, check_keys
from sandbox.netsuite.reading import Readings
from sandbox.netsuite.schema.documents import document
from sandbox.netsuite.schema.namespaces import VERSIONS, key_of
from sandbox.netsuite.schema.shapes import SHAPES
from sandbox.netsuite.suiteql import TYPES
from sandbox.netsuite.switches import SWITCHES
from sandbox.netsuite.values import Fields
from sandbox.netsuite.wire_in import Malformed, Reader, local_name, parse_xml
from sandbox.netsuite.wire_out import envelope, fault_envelope
from sandbox.responses import MAINTENANCE_PAGE, Answer, ConnectionCut
from sandbox.switches import Switches

ACCOUNT = "TSTDRV1"
_PORT = re.compile(r"/services/NetSuitePort_(\w+)")
_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_BEFORE = frozenset(
    [
        *("throttled", "unavailable", "html_error", "offline", "lost_request", "session_expired"),
        *("soap_fault", "login_refused"),
    ]
)
_AFTER = frozenset(
    [
        *("lost_answer", "gateway_timeout", "truncated", "stalled", "malformed", "error_after_commit"),
        *("bad_request", "empty_answer", "status_missing"),
    ]
)
_REFUSING = frozenset({"permission_denied", "refused", "unknown_error"})
_TAMPERING = frozenset(
    {
        "unknown_state",
        "missing_field",
        "duplicate_row",
        "row_moved",
        "link_dropped",
        "short_page",
        "job_lost",
        "after_submit_failed",
    }
)
_FAULT_OF = {
    "WS_REQUEST_BLOCKED": "exceededConcurrentRequestLimitFault",
    "WS_CONCUR_SESSION_DISALLWD": "exceededRequestLimitFault",
    "INVALID_LOGIN_CREDENTIALS": "invalidCredentialsFault",
    "SESSION_TIMED_OUT": "invalidSessionFault",
    "INSUFFICIENT_PERMISSION": "insufficientPermissionFault",
    "WS_PERMISSION_REQD": "insufficientPermissionFault",
    "INVALID_WS_VERSION": "invalidVersionFault",
    "UNSUPPORTED_WS_VERSION": "invalidVersionFault",
    "MAX_RCRDS_EXCEEDED": "exceededRecordCountFault",
}
BLOCKED = SoapFault(
    "exceededConcurrentRequestLimitFault",
    "WS_REQUEST_BLOCKED",
    "SuiteTalk concurrent request limit exceeded. Request blocked.",
)


class Port:
    """The pretend service: one account, its passports and open searches, and the wire around them."""

    def __init__(self, clock: Clock, faults: Faults, calls: Calls) -> None:
        self._faults = faults
        self._calls = calls
        self.company = Company(ACCOUNT, clock)
        bootstrap_company(self.company)
        self.passports = Passports(self.company)
        self.readings = Readings(self.company)
        self._ids = count(1)
        self._in_flight = 0

    def reset(self) -> None:
        """A company with its configuration only, well-known secrets, default switches."""
        self.company.switches = Switches(SWITCHES)
        self.empty()
        self.passports.forget()

    def empty(self) -> None:
        """Takes the company's records away; its configuration stays."""
        self.company.empty()
        bootstrap_company(self.company)
        self.readings.forget()

    def change_secrets(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Another consumer secret or token, as when an administrator revokes one; a reset restores them."""
        check_keys(given)
        for name, value in given.items():
            setattr(self.passports.secrets, name, str(value))
        return asdict(self.passports.secrets)

    def expire_searches(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every searchId is unknown from now on."""
        count_of = len(self.readings.searches)
        self.readings.forget()
        return {"expired": count_of}

    async def answer(self, asked: Asked) -> Answer | None:
        """One HTTP request answered; None when the path is not one of NetSuite's. Raises ConnectionCut."""
        if asked.path.startswith(rest.PREFIX) and (asked.method, asked.path) != ("POST", suiteql.PATH):
            return self._no_resource(asked)
        if asked.method == "GET":
            text = document(asked.path, asked.base)
            return None if text is None else Answer(text)
        found = _PORT.fullmatch(asked.path)
        if asked.method != "POST" or (found is None and asked.path != suiteql.PATH):
            return None
        self._calls.arrived()
        self._in_flight += 1
        try:
            return await self._soap(found[1], asked) if found is not None else await self._suiteql(asked)
        finally:
            self._in_flight -= 1
            self._calls.left()

    def _no_resource(self, asked: Asked) -> Answer:
        """REST paths that are not served here say so as REST does, to those who are signed in."""
        try:
            url = f"{asked.base}{asked.path}"
            self.passports.check_rest(asked.method, url, asked.query, asked.headers.get("authorization", ""))
        except LoginRefused:
            return rest.rest_error(self.company, 401, "INVALID_LOGIN", rest.LOGIN_REFUSED)
        if asked.path == suiteql.PATH:
            text = f"The method {asked.method} is not allowed for this resource."
            return rest.rest_error(self.company, 405, "METHOD_NOT_ALLOWED", text)
        return rest.rest_error(self.company, 404, "NOT_FOUND", f"The resource {asked.path} was not found.")

    async def _suiteql(self, asked: Asked) -> Answer:
        """A query over REST; it shares the concurrency limit (reference 6.3)."""
        operation = Operation("suiteql", next((name for name, short in TYPES.items() if short in str(asked.body)), ""))
        self._calls.operation(*operation)
        blocked = rest.rest_error(
            self.company, 429, "CONCURRENCY_LIMIT_EXCEEDED", "The concurrency limit was exceeded."
        )
        if self._too_many():
            return blocked
        await self._pause(operation)
        for rule in self._faults.strike("netsuite", [operation], _BEFORE):
            try:
                return _refused(rule)
            except SoapFault as fault:
                if fault is BLOCKED:
                    return blocked
                refused = fault.element in ("invalidCredentialsFault", "invalidSessionFault")
                if refused:
                    return rest.rest_error(self.company, 401, "INVALID_LOGIN", rest.LOGIN_REFUSED)
                return rest.rest_error(self.company, 500, fault.code, fault.message)
        try:
            url = f"{asked.base}{asked.path}"
            self.passports.check_rest("POST", url, asked.query, asked.headers.get("authorization", ""))
            if not self.company.switches.flag("suiteql"):
                raise suiteql.BadQuery(
                    "REST web services are not enabled for this role.", "INSUFFICIENT_PERMISSION", 403
                )
            for rule in self._faults.strike("netsuite", [operation], _REFUSING):
                code = "INSUFFICIENT_PERMISSION" if rule.kind == "permission_denied" else rule.errorno
                raise suiteql.BadQuery(rule.message, code or "UNEXPECTED_ERROR", 403 if "PERMISSION" in code else 400)
            answer = suiteql.run(self.company, asked.query, asked.headers, asked.body, asked.base)
        except LoginRefused:
            return rest.rest_error(self.company, 401, "INVALID_LOGIN", rest.LOGIN_REFUSED)
        except suiteql.BadQuery as error:
            return rest.rest_error(self.company, error.status, error.code, str(error), error.parameter)
        for rule in self._faults.strike("netsuite", [operation], _AFTER - {"error_after_commit"}):
            answer = _spoiled(VERSIONS[0], answer, rule)
        return answer

    async def _soap(self, version: str, asked: Asked) -> Answer:
        try:
            if version not in VERSIONS:
                raise SoapFault("invalidVersionFault", "UNSUPPORTED_WS_VERSION", f"Version {version} is not supported.")
            header, element = _parts(asked.body)
            operation = Operation(local_name(element), object_of(element))
            self._calls.operation(*operation)
            if self._too_many():
                raise BLOCKED
            await self._pause(operation)
            for rule in self._faults.strike("netsuite", [operation], _BEFORE):
                return _refused(rule)
            answer = Answer(self._run(version, header, element, operation, asked))
        except Malformed as error:
            return _fault(version, unreadable(str(error)))
        except SoapFault as error:
            return _fault(version, error)
        for rule in self._faults.strike("netsuite", [operation], _AFTER):
            answer = _spoiled(version, answer, rule)
        return answer

    def _too_many(self) -> bool:
        limit = self.company.switches.number("concurrency_limit")
        return bool(limit) and self._in_flight > limit

    async def _pause(self, operation: Operation) -> None:
        pause = self.company.switches.number("latency_seconds")
        pause += sum(rule.seconds for rule in self._faults.strike("netsuite", [operation], frozenset({"slow"})))
        if pause:
            await asyncio.sleep(pause)

    def _run(
        self,
        version: str,
        header: etree._Element | None,
        element: etree._Element,
        operation: Operation,
        asked: Asked,
    ) -> str:
        namespace = etree.QName(element).namespace or ""
        if key_of(namespace, version) != "messages" or operation.name not in RUN:
            raise Malformed(f"org.xml.sax.SAXException: {{{namespace}}}{operation.name} is not an operation")
        if operation.name != "getDataCenterUrls":
            self.passports.check_soap(header, asked.headers.get("cookie", ""))
        reader = Reader(version, self.company.zone)
        kind = operation.name[0].upper() + operation.name[1:] + "Request"
        try:
            given = reader.read(element, kind)
        except Refused as error:
            # Only searches are refused while they are read: what they ask for may be the vendor's, but is not here.
            inner = self.readings.refused("searchResult", error)
            return envelope(
                version, f"<platformMsgs:searchResponse>{inner}</platformMsgs:searchResponse>", self._new_id()
            )
        if not isinstance(given, Fields):
            # A request that is nothing but a list reads as one.
            one = SHAPES[kind].list_of
            assert one is not None, kind
            given = Fields(kind, {one.name: given})
        tampering = {rule.kind: rule.record for rule in self._faults.strike("netsuite", [operation], _TAMPERING)}
        call = Call(
            company=self.company,
            readings=self.readings,
            operation=operation,
            given=given,
            preferences=_block(reader, header, "preferences", "Preferences"),
            search_preferences=_block(reader, header, "searchPreferences", "SearchPreferences"),
            tampering=tampering,
            refusals=self._faults.strike("netsuite", [operation], _REFUSING),
            base_url=asked.base,
            new_id=self._new_id,
        )
        inner = RUN[operation.name](call)
        name = f"platformMsgs:{operation.name}Response"
        return envelope(version, f"<{name}>{inner}</{name}>", self._new_id())

    def _new_id(self) -> str:
        """The form that document ids and search ids have (reference 3.1)."""
        return f"WEBSERVICES_{self.company.account}_{next(self._ids):022d}_{next(self._ids):06x}"


def _parts(body: bytes) -> tuple[etree._Element | None, etree._Element]:
    """The SOAP header and the operation's element. Raises Malformed."""
    root = parse_xml(body)
    content = root.find(f"{_SOAP}Body")
    elements = [] if content is None else [child for child in content if isinstance(child.tag, str)]
    if root.tag != f"{_SOAP}Envelope" or len(elements) != 1:
        raise Malformed("org.xml.sax.SAXException: a SOAP envelope holds one operation in its body")
    return root.find(f"{_SOAP}Header"), elements[0]


def _block(reader: Reader, header: etree._Element | None, name: str, kind: str) -> Fields:
    """A block of preferences; an empty one where it was not sent."""
    for block in header if header is not None else ():
        if isinstance(block.tag, str) and local_name(block) == name:
            read = reader.read(block, kind)
            assert isinstance(read, Fields), kind
            return read
    return Fields(kind)


def _fault(version: str, fault: SoapFault) -> Answer:
    known = version if version in VERSIONS else VERSIONS[-1]
    return Answer(fault_envelope(known, fault.element, fault.code, fault.message), 500)


def _refused(rule: Rule) -> Answer:
    """A request that a fault stops before anything is done. Raises SoapFault or ConnectionCut."""
    kind = rule.kind
    if kind == "lost_request":
        raise ConnectionCut
    if kind == "throttled":
        raise BLOCKED
    if kind == "offline":
        raise unexpected("Your account is undergoing scheduled maintenance. Please try again later.")
    if kind == "session_expired":
        raise SoapFault("invalidSessionFault", "SESSION_TIMED_OUT", "Your connection has timed out.")
    if kind == "login_refused":
        raise LOGIN_REFUSED
    if kind == "soap_fault":
        code = rule.errorno or "UNEXPECTED_ERROR"
        raise SoapFault(_FAULT_OF.get(code, "unexpectedErrorFault"), code, rule.message)
    return Answer(MAINTENANCE_PAGE, 503 if kind == "unavailable" else 200, "text/html; charset=UTF-8")


def _spoiled(version: str, answer: Answer, rule: Rule) -> Answer:
    """An answer that a fault spoils after the work is done. Raises ConnectionCut."""
    kind = rule.kind
    if kind == "lost_answer":
        raise ConnectionCut
    if kind == "error_after_commit":
        return _fault(version, unexpected("An unexpected error occurred."))
    if kind == "gateway_timeout":
        return Answer("<html><body>A timeout occurred</body></html>", 524, "text/html; charset=UTF-8")
    if kind == "bad_request":
        return Answer("<html><body>400 Bad Request</body></html>", 400, "text/html; charset=UTF-8")
    if kind == "empty_answer":
        return answer._replace(body=re.sub(r"(?s)(<soapenv:Body>).*(</soapenv:Body>)", r"\1\2", _text_of(answer)))
    if kind == "status_missing":
        return answer._replace(body=re.sub(r"\sisSuccess=\"\w+\"", "", _text_of(answer)))
    if kind == "stalled":
        return answer._replace(stall_seconds=rule.seconds or 3600)
    if kind == "malformed":
        return answer._replace(body=f"An unexpected error occurred: {escape(rule.message)}")
    return answer._replace(body=answer.body[: len(answer.body) // 2])


def _text_of(answer: Answer) -> str:
    return answer.body if isinstance(answer.body, str) else answer.body.decode()
