"""The XML envelope: requests taken apart and checked, answers put together (reference 1.2, 1.3)."""

from html import escape
from typing import NamedTuple

from lxml import etree

from sandbox.intacct.errors import ErrorLine, render_errors, schema_violation
from sandbox.intacct.schema_order import check_function, check_sequence

_CONTROL = (
    "appid senderid! password controlid! uniqueid dtdversion policyid debug includewhitespace showadditionalerrorinfo"
)
_LOGIN = "userid! companyid! password! clientid locationid"


class Control(NamedTuple):
    """What the control block says; `uniqueid` absent means true."""

    senderid: str
    password: str
    controlid: str
    uniqueid: bool
    dtdversion: str
    policyid: str
    additional_errors: bool


class Login(NamedTuple):
    """Sign-in by name; `entity` is None when no locationid was given, "" for an explicit top level."""

    user: str
    company: str
    password: str
    entity: str | None


class Function(NamedTuple):
    """One function with its control id."""

    controlid: str
    element: etree._Element

    @property
    def name(self) -> str:
        """The element's name exactly as sent."""
        return str(self.element.tag)


class Request(NamedTuple):
    """A request that parsed and follows the schema."""

    control: Control
    login: Login | None
    session: str
    transaction: bool
    functions: list[Function]


class Result(NamedTuple):
    """What one function answered: `key` for legacy writes, `data` for everything else."""

    key: str = ""
    data: str = ""
    listing: str = ""
    """The `<listtype>` that legacy lists put before their data."""


class Raw(NamedTuple):
    """An answer without envelope: a query asked for JSON or CSV and succeeded."""

    content_type: str
    body: str


def text_of(parent: etree._Element, name: str) -> str:
    """The stripped text of a child, empty when it is missing or empty."""
    return (parent.findtext(name) or "").strip()


def parse_xml(body: bytes) -> etree._Element:
    """The root element. External entities, DTDs and the network stay untouched. Raises ControlError."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise schema_violation(f"XML does not parse: {error}") from None


def read_request(root: etree._Element) -> Request:
    """Check the envelope and every function against the schema. Raises ControlError; nothing was executed then."""
    if root.tag != "request":
        raise schema_violation(f"Element '{root.tag!s}' is not expected; 'request' is.")
    check_sequence(root, "control! operation!")
    control, operation = root[0], root[1]
    check_sequence(control, _CONTROL)
    controlid = text_of(control, "controlid")
    if not 1 <= len(controlid) <= 256:
        raise schema_violation("controlid must have 1 to 256 characters.")
    check_sequence(operation, "authentication! preferences* content*")
    login, session = _authentication(operation[0])
    functions = [
        Function(function.get("controlid", ""), _only_child(function))
        for content in operation.findall("content")
        for function in content
    ]
    if not functions:
        raise schema_violation("Element 'content' must hold at least one 'function'.")
    for function in functions:
        check_function(function.element)
    return Request(
        Control(
            text_of(control, "senderid"),
            text_of(control, "password"),
            controlid,
            (text_of(control, "uniqueid") or "true").lower() == "true",
            text_of(control, "dtdversion") or "3.0",
            text_of(control, "policyid"),
            text_of(control, "showadditionalerrorinfo").lower() == "true",
        ),
        login,
        session,
        operation.get("transaction", "false").lower() == "true",
        functions,
    )


def _only_child(function: etree._Element) -> etree._Element:
    if function.tag != "function":
        raise schema_violation(f"Element '{function.tag!s}' is not expected in 'content'; 'function' is.")
    controlid = function.get("controlid")
    if controlid is None or len(controlid) > 256:
        raise schema_violation("Element 'function' needs the attribute 'controlid' of at most 256 characters.")
    if len(function) != 1:
        raise schema_violation("Element 'function' must hold exactly one element.")
    return function[0]


def _authentication(element: etree._Element) -> tuple[Login | None, str]:
    if len(element) != 1:
        raise schema_violation("Element 'authentication' must hold exactly one of login, sessionid, oauth.")
    way = element[0]
    if way.tag == "sessionid":
        return None, (way.text or "").strip()
    if way.tag != "login":
        raise schema_violation(f"Element '{way.tag!s}' is not supported in 'authentication'.")
    check_sequence(way, _LOGIN)
    company = text_of(way, "companyid")
    entity = text_of(way, "locationid") if way.find("locationid") is not None else None
    if "|" in company:
        # COMPANY|ENTITY, or CONSOLE|CLIENT|ENTITY (reference 1.2).
        parts = company.split("|")
        company, given = (parts[0], parts[1]) if len(parts) == 2 else (parts[1], parts[2])
        entity = entity or given
    return Login(text_of(way, "userid"), company, text_of(way, "password"), entity), ""


def render_control(control: Control | None, status: str) -> str:
    """The control block; without a parsed request only its status is known."""
    if control is None:
        return f"<control><status>{status}</status></control>"
    return (
        f"<control><status>{status}</status><senderid>{escape(control.senderid)}</senderid>"
        f"<controlid>{escape(control.controlid)}</controlid><uniqueid>{str(control.uniqueid).lower()}</uniqueid>"
        f"<dtdversion>{escape(control.dtdversion)}</dtdversion></control>"
    )


def render_response(*parts: str) -> str:
    """The whole answer from its rendered parts."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<response>{"".join(parts)}</response>'


def render_no_credentials() -> str:
    """Nobody signed in at all: a control that holds its status only, the text in `description`."""
    text = "Sign-in information is incorrect. Please check your request."
    error = f"<error><errorno>XMLGW_JPP0002</errorno><description>{text}</description></error>"
    return render_response(render_control(None, "failure"), f"<errormessage>{error}</errormessage>")


def render_control_failure(control: Control | None, line: ErrorLine, *, additional: bool) -> str:
    """Nothing was executed: no operation in the answer."""
    return render_response(render_control(control, "failure"), render_errors([line], additional=additional))


def render_authentication_failure(control: Control, user: str, company: str, line: ErrorLine) -> str:
    """Control succeeded, signing in did not: no result in the answer."""
    authentication = (
        f"<authentication><status>failure</status><userid>{escape(user)}</userid>"
        f"<companyid>{escape(company)}</companyid></authentication>"
    )
    errors = render_errors([line], additional=control.additional_errors)
    return render_response(render_control(control, "success"), f"<operation>{authentication}{errors}</operation>")


def render_result(function: Function, status: str, result: Result, errors: str = "") -> str:
    """One `<result>`; `status` empty leaves the element out, which one report says happens."""
    shown = f"<status>{status}</status>" if status else ""
    key = f"<key>{escape(result.key)}</key>" if result.key else ""
    return (
        f"<result>{shown}<function>{function.name}</function><controlid>{escape(function.controlid)}</controlid>"
        f"{key}{result.listing}{result.data}{errors}</result>"
    )
