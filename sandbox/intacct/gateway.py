"""The XML gateway: one request in, its functions run in order, one answer out (reference 1, 5, 10).

Order of checks: parse, schema, sender, authentication, functions. Faults strike where their kind says.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from html import escape

from lxml import etree

from sandbox.calls import Calls
from sandbox.clock import Clock
from sandbox.faults import Faults, Operation, Rule
from sandbox.intacct import (
    generic,
    legacy_lists,
    legacy_payables,
    legacy_vendors,
    object_schema,
    purchasing,
    reading,
    settings,
)
from sandbox.intacct.call_context import Call
from sandbox.intacct.company import Company
from sandbox.intacct.envelope import (
    Control,
    Function,
    Raw,
    Request,
    Result,
    parse_xml,
    read_request,
    render_authentication_failure,
    render_control,
    render_control_failure,
    render_no_credentials,
    render_response,
    render_result,
    text_of,
)
from sandbox.intacct.errors import (
    ROLLED_BACK,
    AuthenticationError,
    ControlError,
    ErrorLine,
    FunctionError,
    render_errors,
)
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.sessions import SENDERS, Session, Sessions
from sandbox.intacct.switches import SWITCHES
from sandbox.responses import MAINTENANCE_PAGE, Answer, ConnectionCut
from sandbox.switches import Switches

Handler = Callable[[Call, etree._Element], Result | Raw]

FUNCTIONS: Mapping[str, Handler] = {
    "query": reading.run_query,
    "readByQuery": reading.run_read_by_query,
    "readMore": reading.run_read_more,
    "read": reading.run_read,
    "readByName": reading.run_read_by_name,
    "lookup": object_schema.run_lookup,
    "inspect": object_schema.run_inspect,
    "create": generic.run_create,
    "update": generic.run_update,
    "delete": generic.run_delete,
    "create_potransaction": purchasing.run_create_potransaction,
    "update_potransaction": purchasing.run_update_potransaction,
    "partialupdate_potransaction": purchasing.run_partial_update,
    "delete_potransaction": purchasing.run_delete_potransaction,
    "approve": purchasing.run_decide,
    "decline": purchasing.run_decide,
    "getApprovalHistory": object_schema.run_get_approval_history,
    **legacy_payables.FUNCTIONS,
    **legacy_vendors.FUNCTIONS,
    "get_list": legacy_lists.run_get_list,
    "get": legacy_lists.run_get,
    "getDimensions": object_schema.run_get_dimensions,
    "get_companyprefs": settings.run_get_companyprefs,
    "get_applications": settings.run_get_applications,
    "get_closedbooksdate": settings.run_get_closedbooksdate,
    "getFinancialSetup": settings.run_get_financial_setup,
    "readEntityDetails": settings.run_read_entity_details,
    "readUserFormatting": settings.run_read_user_formatting,
    "getUserPermissions": settings.run_get_user_permissions,
}

_OBJECTS_OF = {**legacy_payables.OBJECTS_OF, **legacy_vendors.OBJECTS_OF}
_BEFORE = frozenset({"throttled", "unavailable", "html_error", "offline", "lost_request"})
_AFTER = frozenset(
    [
        *("lost_answer", "gateway_timeout", "truncated", "stalled", "malformed"),
        *("bad_request", "empty_answer", "status_missing"),
    ]
)
_TAMPERING = frozenset({"unknown_state", "missing_field", "duplicate_row", "row_moved", "link_dropped"})
_BUSY = ErrorLine("GW-0010", "API rate limit exceeded.", "Wait and try again.")
_OFFLINE = ErrorLine("XL03000010", "The Service is Temporarily Off-line.", "Please Try Again Later.")


class Gateway:
    """The pretend service: one company, its sessions, and the wire around them."""

    def __init__(self, clock: Clock, faults: Faults, calls: Calls) -> None:
        self._clock = clock
        self._faults = faults
        self._calls = calls
        self.company = Company("ACME", clock)
        self.sessions = Sessions(self.company)
        self._in_flight = 0

    def reset(self) -> None:
        """An empty company, everybody signed out."""
        self.company.switches = Switches(SWITCHES)
        self.company.keep_default_credentials()
        self.company.empty()
        self.sessions.forget()

    async def answer(self, body: bytes, endpoint: str) -> Answer:
        """One HTTP request answered. Raises ConnectionCut where a fault cuts the line."""
        self._calls.arrived()
        self._in_flight += 1
        try:
            return await self._answer(body, endpoint)
        finally:
            self._in_flight -= 1
            self._calls.left()

    async def _answer(self, body: bytes, endpoint: str) -> Answer:
        try:
            root = parse_xml(body) if body.strip() else None
        except ControlError as error:
            return Answer(render_control_failure(None, error.line, additional=False))
        if root is None or _is_anonymous(root):
            return Answer(render_no_credentials(), 401)
        operations = _operations(root)
        for operation in operations:
            self._calls.operation(*operation)
        limit = int(self.company.switches.number("max_in_flight"))
        if limit and self._in_flight > limit:
            return Answer(render_control_failure(None, _BUSY, additional=False), 429)
        pause = self.company.switches.number("latency_seconds")
        pause += sum(rule.seconds for rule in self._strike(operations, "slow"))
        if pause:
            await asyncio.sleep(pause)
        for rule in self._faults.strike("intacct", operations, _BEFORE):
            return _refuse(rule.kind, rule.seconds)
        answer = self._execute(root, operations, endpoint)
        for rule in self._faults.strike("intacct", operations, _AFTER):
            answer = _spoil(answer, rule)
        return answer

    def _strike(self, operations: list[Operation], kind: str) -> list[Rule]:
        return self._faults.strike("intacct", operations, frozenset({kind}))

    def _execute(self, root: etree._Element, operations: list[Operation], endpoint: str) -> Answer:
        control: Control | None = None
        try:
            request = read_request(root)
            control = request.control
            self._check_sender(control)
            _check_mixture(request, self.company)
            self._check_company(request)
        except ControlError as error:
            additional = control is not None and control.additional_errors
            known = None if error.http_status in (400, 401) else control or _control_of(root)
            text = render_control_failure(known, error.line, additional=additional)
            return Answer(text, error.http_status)
        if request.session and self._strike(operations, "session_expired"):
            self.sessions.expire(request.session)
        try:
            session = self.sessions.authenticate(control.senderid, request.login, request.session, endpoint)
        except AuthenticationError as error:
            user, company = (request.login.user, request.login.company) if request.login else ("", "")
            return Answer(render_authentication_failure(control, user, company, error.line))
        return self._run(request, session)

    def _check_sender(self, control: Control) -> None:
        if not control.senderid or not control.password:
            raise ControlError(ErrorLine("GW-0011", "Invalid request: the sender ID or its password is empty."), 400)
        if SENDERS.get(control.senderid) != control.password:
            if self.company.switches.word("wrong_sender") == "http_401":
                text = "Sign-in information is incorrect. Please check your request."
                raise ControlError(ErrorLine("XMLGW_JPP0002", "", description=text), 401)
            raise ControlError(ErrorLine("XL03000006", "Incorrect Intacct XML Partner ID or password."))
        if control.policyid:
            raise ControlError(ErrorLine("XL03000006", f"The transport policy '{control.policyid}' is unknown."))

    def _check_company(self, request: Request) -> None:
        unknown = request.login is not None and request.login.company != self.company.id
        if unknown and self.company.switches.word("unknown_company") == "invalid_request":
            raise ControlError(ErrorLine("invalidRequest", "", description="Invalid Request"), 400)

    def _run(self, request: Request, session: Session) -> Answer:
        company = self.company
        company.begin()
        results: list[str] = []
        failed = False
        executed: list[tuple[str, str]] = []
        for at, function in enumerate(request.functions):
            mark = len(company.journal)
            try:
                result = self._call(request, session, function, executed)
            except FunctionError as error:
                # A function is whole by itself, except a create of several objects, which keeps what it did.
                if function.name not in ("create", "update") or request.transaction:
                    company.rollback(mark)
                if request.transaction:
                    company.rollback()
                    results = [_aborted(earlier, ()) for earlier in request.functions[:at]]
                    results.append(_aborted(function, error.lines, request.control.additional_errors))
                    results += [_aborted(later, ()) for later in request.functions[at + 1 :]]
                    failed = True
                    break
                results.append(self._failure(function, error, request.control))
                continue
            if isinstance(result, Raw):
                if len(request.functions) == 1:
                    company.journal.clear()
                    return Answer(result.body, content_type=result.content_type)
                result = Result(data=f"<data>{escape(result.body, quote=False)}</data>")
            results.append(render_result(function, "success", result))
        company.journal.clear()
        if not failed:
            company.executed.update(executed)
        return Answer(
            render_response(
                render_control(request.control, "success"),
                f"<operation>{_authentication(session)}{''.join(results)}</operation>",
            )
        )

    def _call(
        self, request: Request, session: Session, function: Function, executed: list[tuple[str, str]]
    ) -> Result | Raw:
        """Run one function, unless its control id was already executed (reference 5)."""
        key = (request.control.senderid, function.controlid)
        if request.control.uniqueid and function.controlid and (key in self.company.executed or key in executed):
            text = f"A successful transaction has already been recorded with the control id {function.controlid}"
            raise RepeatedControlId(
                ErrorLine(self.company.switches.word("duplicate_controlid_errorno"), text, "Use a new control id.")
            )
        result = self._dispatch(session, function)
        if request.control.uniqueid and function.controlid:
            executed.append(key)
        return result

    def _dispatch(self, session: Session, function: Function) -> Result | Raw:
        element = function.element
        operation = Operation(function.name, _object_of(element))
        if self._strike([operation], "permission_denied"):
            text = f"You do not have permission for API operation {function.name} on objects of type {operation.object}"
            raise FunctionError(ErrorLine("PL04000005", text, "Ask an administrator for the permission."))
        if self._strike([operation], "unknown_error"):
            raise FunctionError(ErrorLine("ZZ99000777", "Something that no documentation mentions happened."))
        for rule in self._strike([operation], "refused"):
            raise FunctionError(ErrorLine(rule.errorno or "DL02000001", rule.message))
        if function.name == "getAPISession":
            return self._open_session(session, element)
        tampering = {rule.kind: rule.record for rule in self._faults.strike("intacct", [operation], _TAMPERING)}
        call = Call(self.company, session, text_of(element, "docparid"), tampering)
        return FUNCTIONS[function.name](call, element)

    def _open_session(self, session: Session, element: etree._Element) -> Result:
        wanted = element.find("locationid")
        try:
            opened = self.sessions.open(session, None if wanted is None else (wanted.text or "").strip())
        except AuthenticationError as error:
            raise FunctionError(error.line) from None
        inner = (
            f"<sessionid>{opened.id}</sessionid><endpoint>{escape(opened.endpoint)}</endpoint>"
            f"<locationid>{escape(opened.entity)}</locationid>"
        )
        return Result(data=f"<data><api>{inner}</api></data>")

    def _failure(self, function: Function, error: FunctionError, control: Control) -> str:
        status = "failure"
        if isinstance(error, RepeatedControlId) and not self.company.switches.flag("duplicate_controlid_status"):
            status = ""
        errors = render_errors(error.lines, additional=control.additional_errors)
        return render_result(function, status, Result(data=error.data), errors)


class RepeatedControlId(FunctionError):
    """The control id was already executed successfully; the stored result is not given again."""


def _aborted(function: Function, lines: tuple[ErrorLine, ...], additional: bool = False) -> str:
    return render_result(function, "aborted", Result(), render_errors([*lines, ROLLED_BACK], additional=additional))


def _authentication(session: Session) -> str:
    started = session.started.isoformat(timespec="seconds")
    expires = session.expires.isoformat(timespec="seconds")
    return (
        f"<authentication><status>success</status><userid>{escape(session.user)}</userid>"
        f"<companyid>{escape(session.company)}</companyid><locationid>{escape(session.entity)}</locationid>"
        f"<sessiontimestamp>{started}</sessiontimestamp><sessiontimeout>{expires}</sessiontimeout></authentication>"
    )


def _is_anonymous(root: etree._Element) -> bool:
    """Tell whether a request holds no credentials of a sender at all."""
    return root.tag == "request" and not (root.findtext("control/senderid") or root.findtext("control/password"))


def _check_mixture(request: Request, company: Company) -> None:
    names = [function.name for function in request.functions]
    if "getAPISession" in names and len(names) > 1 and company.switches.word("getapisession_mixed") == "refuse":
        raise ControlError(ErrorLine("XL03000003", "getAPISession must be the only function of its request."))


def _control_of(root: etree._Element) -> Control | None:
    """The control block of a request that broke the schema further on, as far as it can be echoed."""
    control = root.find("control")
    if control is None:
        return None
    unique = (text_of(control, "uniqueid") or "true").lower() == "true"
    version = text_of(control, "dtdversion") or "3.0"
    additional = text_of(control, "showadditionalerrorinfo").lower() == "true"
    return Control(text_of(control, "senderid"), "", text_of(control, "controlid"), unique, version, "", additional)


def _operations(root: etree._Element) -> list[Operation]:
    return [
        Operation(str(element.tag), _object_of(element))
        for function in root.iterfind("operation/content/function")
        for element in function
    ]


def _object_of(element: etree._Element) -> str:
    name = str(element.tag)
    if name in ("create", "update", "approve", "decline"):
        return str(element[0].tag).upper() if len(element) else ""
    if name.endswith("_potransaction"):
        return "PODOCUMENT"
    if name in _OBJECTS_OF:
        return _OBJECTS_OF[name]
    if name in ("get", "get_list"):
        listed = legacy_lists.LISTS.get(element.get("object", "").lower())
        return listed.object_name if listed else ""
    given = text_of(element, "object").upper()
    return given if given in OBJECTS else ""


def _refuse(kind: str, seconds: float) -> Answer:
    if kind == "lost_request":
        raise ConnectionCut
    if kind == "throttled":
        headers = {"Retry-After": str(int(seconds))} if seconds else {}
        return Answer(render_control_failure(None, _BUSY, additional=False), 429, headers=headers)
    if kind == "offline":
        return Answer(render_control_failure(None, _OFFLINE, additional=False))
    status = 503 if kind == "unavailable" else 200
    return Answer(MAINTENANCE_PAGE, status, "text/html; charset=UTF-8")


def _spoil(answer: Answer, rule: Rule) -> Answer:
    kind = rule.kind
    if kind == "stalled":
        return answer._replace(stall_seconds=rule.seconds or 3600)
    if kind == "lost_answer":
        raise ConnectionCut
    if kind == "gateway_timeout":
        page = "<html><body>524: A timeout occurred</body></html>"
        return Answer(page, 524, "text/html; charset=UTF-8")
    if kind == "bad_request":
        return Answer("<html><body>400 Bad Request</body></html>", 400, "text/html; charset=UTF-8")
    if kind == "empty_answer":
        return answer._replace(body="<response/>")
    if kind == "status_missing":
        return answer._replace(body=re.sub(r"(<result>)<status>\w+</status>", r"\1", _text_of(answer)))
    if kind == "truncated":
        return answer._replace(body=answer.body[: len(answer.body) // 2])
    return answer._replace(body="<response><control><status>success</status></control><operation><result></oops>")


def _text_of(answer: Answer) -> str:
    return answer.body if isinstance(answer.body, str) else answer.body.decode()
