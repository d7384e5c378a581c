"""Compare what goes through a pretend Web Connector with the vendor's own schemas, where these are on the machine.

Every document of ours and every answer of QuickBooks is compared with qbXML 13.0 and 16.0, every SOAP body of the
document style with the WSDL; and a document of ours has one write at most. What does not hold is kept: a Web Connector
that runs by itself would not show an error.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from lxml import etree

from erp.quickbooks_desktop.client import MAY_BE_REFUSED
from sandbox.quickbooks_desktop.request_processor import SPOILS, Session
from sandbox.quickbooks_desktop.tampering import KINDS as TAMPERING
from tests.harness.qbxml_schema import check_qbxml, check_soap

NAMESPACE = "{http://developer.intuit.com/}"

WRITES = ("AddRq", "ModRq", "DelRq", "VoidRq")


@dataclass
class Checked:
    """How many checks were made, and what did not hold."""

    documents: int = 0
    answers: int = 0
    soap: int = 0
    wrong: list[str] = field(default_factory=list)

    def qbxml(self, text: str) -> int:
        """Check one document against both versions; return how many checks were made."""
        try:
            return check_qbxml(text)
        except (etree.DocumentInvalid, etree.XMLSyntaxError) as error:
            self.wrong.append(f"{error}: {text[:2000]}")
            return 0

    def one_write(self, document: str) -> None:
        """Check that a document of ours has one write at most, and that it goes out in a message set. The question
        whether we may write names a record that is not there."""
        (messages,) = etree.fromstring(document.encode())
        writes = [
            str(one.tag)
            for one in messages
            if str(one.tag).endswith(WRITES) and not str(one.get("requestID")).startswith(MAY_BE_REFUSED)
        ]
        if len(writes) > 1 or (writes and not messages.get("newMessageSetID")):
            self.wrong.append(f"{writes} in one set: {document[:2000]}")

    def body(self, content: bytes) -> None:
        """Check one SOAP body, unless it is in the style of remote procedure calls."""
        try:
            call = etree.fromstring(content)[0][0]
            if all(str(part.tag).startswith(NAMESPACE) for part in call):
                self.soap += check_soap(content)
        except (etree.DocumentInvalid, etree.XMLSyntaxError, IndexError) as error:
            self.wrong.append(f"{error}: {content[:2000]!r}")


@contextmanager
def checked_documents() -> Iterator[Checked]:
    """Check what every company file of this process is asked and answers. An answer that a fault spoils is left out."""
    checked = Checked()
    process = Session.process

    def checking(session: Session, document: str) -> str:
        checked.documents += checked.qbxml(document)
        checked.one_write(document)
        answer = process(session, document)
        if not any(rule.kind in TAMPERING | SPOILS for rule in session._faults.rules):
            checked.answers += checked.qbxml(answer)
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Session, "process", checking)
        yield checked


class CheckedTransport(httpx.AsyncBaseTransport):
    """A Web Connector's way to the door, on which every body is checked."""

    def __init__(self, inner: httpx.AsyncBaseTransport, checked: Checked) -> None:
        self._inner, self._checked = inner, checked

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        content = await answer.aread()
        if request.method == "POST":
            self._checked.body(await request.aread())
            self._checked.body(content)
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)
