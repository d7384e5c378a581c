"""Make documents of qbXML requests, and read what comes back for them (reference 2.1, 2.4, 3.4).

A request is queued without its envelope: the version is that of the session it goes out in, and an answer in several
parts is continued there.
"""

import hashlib
import re
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from lxml import etree

from erp import xml_answer
from erp.errors import MalformedAnswer
from erp.exchanges import LookUp

OLDEST, NEWEST = (13, 0), (16, 0)
"""The versions of qbXML that are spoken; requests use nothing that only some of them have."""

LONGEST_SET_ID = 23

REFUSED_WHOLE = "refused whole"
"""Begins the stored answer to a document that QuickBooks did not take at all."""

CANNOT_PARSE = "0x80040400"
"""The error of a document that QuickBooks cannot read: it did nothing of it, and never will."""

TAG = "~"
"""Stands between a request's name and the tag of the document it went out in."""

LONGEST_REQUEST_ID = 50

_REQUEST = re.compile(r'(<\w+Rq requestID=")([^"~]*)(?:~[^"]*)?(")')

_DECLARATION = re.compile(r"^\ufeff?\s*(<\?(xml|qbxml)[^>]*\?>\s*)*")


class Version(NamedTuple):
    """A version of qbXML."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def negotiated(major: int, minor: int) -> Version | None:
    """Return the version to speak with a QuickBooks that takes at most this one; None: it is too old."""
    if (major, minor) < OLDEST:
        return None
    return Version(*min((major, minor), NEWEST))


class Response(NamedTuple):
    """The answer to one request of a document."""

    name: str
    """The request's name, without Rq."""
    request_id: str
    """As it was sent, with the tag of its document (`tagged`)."""
    status: int
    severity: str
    message: str
    element: etree._Element
    remaining: int
    """How many records follow in further parts."""
    iterator_id: str | None

    @property
    def key(self) -> str:
        """Return the request's own name within its document."""
        return self.request_id.partition(TAG)[0]

    @property
    def is_done(self) -> bool:
        """Return whether QuickBooks did it; a number of 1000 or more is a refusal whatever its severity says."""
        return self.status < 1000 and self.severity.casefold() != "error"


class Answer(NamedTuple):
    """What came back for one document."""

    set_status: int | None
    """The code of the message set; None: none was named."""
    responses: tuple[Response, ...]
    set_name: str | None = None
    """The message set that it answers, as QuickBooks repeats it; None: it names none."""
    looked_up: LookUp | None = None
    """As the journal has it; None: it is of no question there."""

    def named(self, name: str) -> Response | None:
        """Return the answer to the request of that name; None: there is none."""
        return next((one for one in self.responses if one.name == name), None)


class RefusedWhole(NamedTuple):
    """QuickBooks did not take the document at all."""

    hresult: str
    message: str


def set_id(connection_id: str, key: str, generation: int) -> str:
    """Return the name of a write's message set: the same for every repeat of it, at most 23 characters."""
    return hashlib.sha256(f"{connection_id} {key} {generation}".encode()).hexdigest()[:LONGEST_SET_ID]


def document(requests: str, version: str, *, new_set: str | None = None, old_set: str | None = None) -> str:
    """Return a complete document: of questions each is answered by itself, and behind a write that is refused nothing
    is done. With `new_set` QuickBooks stores its outcome under that name; with the same name as
    `old_set` and no requests, it says what it stored."""
    sets = "" if new_set is None else f" newMessageSetID={quoteattr(new_set)}"
    sets += "" if old_set is None else f" oldMessageSetID={quoteattr(old_set)}"
    on_error = "continueOnError" if new_set is None else "stopOnError"
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<?qbxml version="{version}"?>\n'
        f'<QBXML><QBXMLMsgsRq onError="{on_error}"{sets}>{requests}</QBXMLMsgsRq></QBXML>'
    )


def tagged(requests: str, tag: str) -> str:
    """Return requests whose ids name their document too. QuickBooks repeats the ids: so its answer to one document is
    told from that to any other, be it of the same question, of another session or of another company."""
    longest = LONGEST_REQUEST_ID - len(TAG) - len(tag)
    return _REQUEST.sub(lambda one: f"{one[1]}{one[2][:longest]}{TAG}{tag}{one[3]}", requests)


def continuation(requests: str, iterator_id: str) -> str:
    """Return the request for the next part of an answer."""
    root = etree.fromstring(f"<a>{requests}</a>")
    iterated = next(one for one in root if one.get("iterator") is not None)
    iterated.set("iterator", "Continue")
    iterated.set("iteratorID", iterator_id)
    return etree.tostring(iterated).decode()


def read(text: str) -> Answer:
    """Return what an answer says.

    Raises:
        MalformedAnswer: it is cut short, or no qbXML.
    """
    try:
        root = xml_answer.parse(_DECLARATION.sub("", text, count=1).encode("utf-8"), remarks=False)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedAnswer(f"QuickBooks' answer is no XML: {error}", code="MALFORMED_ANSWER") from None
    messages = root.find("QBXMLMsgsRs") if root.tag == "QBXML" else None
    if messages is None:
        raise MalformedAnswer("QuickBooks' answer holds no QBXMLMsgsRs.", code="MALFORMED_ANSWER")
    said = messages.get("messageSetStatusCode")
    status = None if said is None else _whole(messages, "messageSetStatusCode")
    return Answer(status, tuple(map(_of, messages)), messages.get("newMessageSetID") or None)


def _of(element: etree._Element) -> Response:
    name = str(element.tag)
    if not name.endswith("Rs") or element.get("statusCode") is None:
        raise MalformedAnswer(f"QuickBooks answered with {name[:60]}.", code="MALFORMED_ANSWER")
    return Response(
        name=name[:-2],
        request_id=element.get("requestID", ""),
        status=_whole(element, "statusCode"),
        severity=element.get("statusSeverity", ""),
        message=element.get("statusMessage", ""),
        element=element,
        remaining=_whole(element, "iteratorRemainingCount"),
        iterator_id=element.get("iteratorID"),
    )


def _whole(element: etree._Element, name: str) -> int:
    said = element.get(name, "0")
    if not re.fullmatch(r"-?\d{1,9}", said):
        raise MalformedAnswer(f"QuickBooks' {name} is {said[:40]!r}.", code="MALFORMED_ANSWER")
    return int(said)


def refused_whole(hresult: str, message: str) -> str:
    """Return the stored answer to a document that QuickBooks did not take."""
    return f"{REFUSED_WHOLE} {hresult} {message}"


def as_refused_whole(text: str) -> RefusedWhole | None:
    """Return the refusal that a stored answer stands for; None: it is an answer."""
    if not text.startswith(REFUSED_WHOLE):
        return None
    hresult, _, message = text.removeprefix(REFUSED_WHOLE).strip().partition(" ")
    return RefusedWhole(hresult, message)
