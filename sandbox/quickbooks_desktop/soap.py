"""The Web Connector's SOAP: how it writes a call, and how strictly it reads an answer (reference 1.1)."""

from collections.abc import Sequence

from lxml import etree

from sandbox.quickbooks_desktop.qbxml import escaped

NAMESPACE = "http://developer.intuit.com/"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
Parameters = Sequence[tuple[str, str | int]]


class SoapFault(Exception):
    """The service answered with a fault, or with HTTP 500."""


class BadAnswer(Exception):
    """The service answered something that the Web Connector cannot use."""


def call_text(method: str, parameters: Parameters, style: str) -> str:
    """The envelope of a call."""
    body = _rpc(method, parameters) if style == "RPC" else _document(method, parameters)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soap:Envelope xmlns:soap="{ENVELOPE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>{body}</soap:Body></soap:Envelope>'
    )


def _document(method: str, parameters: Parameters) -> str:
    inner = "".join(f"<{name}>{escaped(str(value))}</{name}>" for name, value in parameters)
    return f'<{method} xmlns="{NAMESPACE}">{inner}</{method}>' if inner else f'<{method} xmlns="{NAMESPACE}" />'


def _rpc(method: str, parameters: Parameters) -> str:
    inner = "".join(
        f'<{name} xsi:type="xsd:{"int" if isinstance(value, int) else "string"}">{escaped(str(value))}</{name}>'
        for name, value in parameters
    )
    return f'<q1:{method} xmlns:q1="{NAMESPACE}">{inner}</q1:{method}>'


def answer_of(method: str, status: int, body: bytes) -> list[str]:
    """The result of a call: one text, or those of an array. Raises SoapFault or BadAnswer."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if status >= 400:
            raise BadAnswer(f"The request failed with HTTP status {status}.") from None
        raise BadAnswer(f"Client found response that is not XML: {error}") from None
    inner = root.find(f"{{{ENVELOPE}}}Body")
    if inner is None or not len(inner):
        raise BadAnswer("The answer has no SOAP body.")
    answer = inner[0]
    if answer.tag == f"{{{ENVELOPE}}}Fault":
        raise SoapFault(answer.findtext("faultstring") or "SOAP fault")
    if status >= 400:
        raise BadAnswer(f"The request failed with HTTP status {status}.")
    if answer.tag != f"{{{NAMESPACE}}}{method}Response":
        raise BadAnswer(f"The answer is {answer.tag!r}, not {method}Response.")
    result = answer.find(f"{{{NAMESPACE}}}{method}Result")
    if method == "authenticate":
        texts = (
            [] if result is None else [child.text or "" for child in result if child.tag == f"{{{NAMESPACE}}}string"]
        )
        if len(texts) < 2:
            raise BadAnswer("QBWC1012: Authentication failed. Index was outside the bounds of the array.")
        return texts
    if result is not None and len(result):
        # Some services put an element around the text; the real Web Connector reads it all the same.
        return ["".join(str(part) for part in result.itertext()).strip()]
    return ["" if result is None else result.text or ""]
