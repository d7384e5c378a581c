"""Choose the next document of a session, and take in the answer to the last one.

Before the company file is recognized, only questions about it go out. A write that an earlier session was handed and
did not answer comes before anything else: QuickBooks is asked what it stored of it. What it stored is the answer; if
it knows nothing, the write's activity looks up the record before the same bytes go out again.

A write goes out in the session of the look-up that it was decided by. A computer may be switched off between the two:
then the look-up is asked once more, and if QuickBooks answers otherwise, because a person entered the bill or received
the goods meanwhile, the write is withdrawn, and its activity decides anew.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from lxml import etree
from sqlmodel.ext.asyncio.session import AsyncSession

from erp.errors import MalformedAnswer
from erp.quickbooks_desktop import envelope, faults
from erp.quickbooks_desktop.envelope import Answer, Response
from models.domain.ids import ConnectionId
from models.store.audit import handouts
from models.store.audit.exchanges import Waiter
from models.store.audit.outbox import OutboxMessage
from models.tables import WebConnectorSessionRow
from services.web_connector import company

LOOK_UP_HOLDS = timedelta(minutes=1)
"""How long a look-up holds in its session: a computer that slept goes on with it days later."""


class Handed(StrEnum):
    """What a session was handed last and has not answered yet."""

    NOTHING = ""
    COMPANY = "company"
    """The questions by which the company file is recognized."""
    STATUS = "status"
    """The question what QuickBooks stored of a write in doubt."""
    LOOK_UP = "look-up"
    """The question that a write was decided by, once more."""
    EXCHANGE = "exchange"
    """A request of the journal, or the next part of its answer."""


class Taken(NamedTuple):
    """What became of an answer."""

    waiter: Waiter | None
    """The activity that may go on; None: none can yet."""
    owed: tuple[OutboxMessage, ...] = ()
    """What is to be delivered because a connection was let in."""


class Next(NamedTuple):
    """What a session is handed next."""

    document: str | None
    """None: nothing waits."""
    waiters: tuple[Waiter, ...] = ()
    """Activities whose writes were withdrawn: they decide anew."""


async def next_document(s: AsyncSession, session: WebConnectorSessionRow) -> Next:
    """Return the next document of a recognized session, and record that it goes out."""
    if session.kind:
        return Next(session.document)  # it was asked for twice: its first answer was lost on the way
    connection_id = ConnectionId(session.connection_id)
    waiting = await handouts.next_waiting(s, connection_id, session.id, LOOK_UP_HOLDS)
    if waiting is None:
        return Next(None)
    name = envelope.set_id(connection_id, waiting.key, waiting.generation) if waiting.is_write else None
    if waiting.in_doubt:
        return Next(_hand(session, Handed.STATUS, waiting.key, _status_question(session.version, name)))
    if waiting.look_up is not None:
        decided = await handouts.look_up_of(s, connection_id, waiting.key)
        if decided is None:  # nobody knows any more what it was decided by
            waiter = await handouts.withdraw(s, connection_id, waiting.key)
            following = await next_document(s, session)
            return following if waiter is None else following._replace(waiters=(waiter, *following.waiters))
        question = envelope.document(_tagged(decided.request), session.version)
        return Next(_hand(session, Handed.LOOK_UP, waiting.key, question))
    document = waiting.document if waiting.is_write else None
    if document is None:
        document = envelope.document(_tagged(waiting.request), session.version, new_set=name)
    await handouts.hand_out(s, connection_id, waiting.key, session.id, document)
    return Next(_hand(session, Handed.EXCHANGE, waiting.key, document))


def company_question(session: WebConnectorSessionRow) -> str:
    """Return the document that asks which company file is open."""
    return _hand(session, Handed.COMPANY, None, envelope.document(_tagged(company.QUESTIONS), session.version))


def _tagged(requests: str) -> str:
    """Return requests under ids that no other document has."""
    return envelope.tagged(requests, secrets.token_hex(6))


def fingerprint(response: str, hresult: str, message: str) -> str:
    """Return what an answer is known by when it is brought once more."""
    return hashlib.sha256("\0".join((response, hresult, message)).encode("utf-8", "replace")).hexdigest()


def _status_question(version: str, name: str | None) -> str:
    return envelope.document("", version, new_set=name, old_set=name)


def _hand(session: WebConnectorSessionRow, kind: Handed, key: str | None, document: str) -> str:
    session.kind, session.exchange_key, session.document = kind, key, document
    return document


async def take_answer(s: AsyncSession, session: WebConnectorSessionRow, text: str) -> Taken:
    """Take in the answer to what the session was handed, a status question or a request of the journal.

    Raises:
        MalformedAnswer: it is cut short, or belongs to another document; nothing was stored of it.
    """
    assert session.exchange_key is not None, "something of the journal was handed out"
    assert session.document is not None, "it was a document"
    connection_id, key = ConnectionId(session.connection_id), session.exchange_key
    answer = envelope.read(text)
    _must_be_of_its_set(answer, session.document)
    if session.kind == Handed.STATUS:
        waiter = await _take_status(s, connection_id, key, answer, text)
        _taken(session)
        return Taken(waiter)
    must_belong(answer, session.document)
    if session.kind == Handed.LOOK_UP:
        waiter = await _take_look_up(s, connection_id, session.id, key, answer, text)
        _taken(session)
        return Taken(waiter)
    part = next((one for one in answer.responses if one.iterator_id is not None), None)
    lost_place = session.iterator_id is not None and any(one.status == ITERATOR_GONE for one in answer.responses)
    if lost_place and await handouts.restart(s, connection_id, key) <= MOST_RESTARTS:
        return await _restart(s, session)
    if part is not None and part.remaining > 0 and part.iterator_id is not None:
        await handouts.add_page(s, connection_id, key, text)
        session.iterator_id = part.iterator_id
        request = _requests_of(session.document)
        following = _tagged(envelope.continuation(request, part.iterator_id))
        session.document = envelope.document(following, session.version)
        return Taken(None)
    waiter = await handouts.answer_whole(s, connection_id, key, text)
    _taken(session)
    return Taken(waiter)


ITERATOR_GONE = 3391
"""QuickBooks' number for an iterator it no longer has."""

MOST_RESTARTS = 3
"""How often a question is asked from its beginning by the door; then its activity learns why, and asks later."""


async def take_refusal(s: AsyncSession, session: WebConnectorSessionRow, hresult: str, message: str) -> Taken:
    """Take in that QuickBooks did not read the document at all: that is the request's answer."""
    assert session.exchange_key is not None, "something of the journal was handed out"
    refusal = envelope.refused_whole(hresult, message)
    waiter = await handouts.answer_whole(s, ConnectionId(session.connection_id), session.exchange_key, refusal)
    _taken(session)
    return Taken(waiter)


def _taken(session: WebConnectorSessionRow) -> None:
    session.kind, session.exchange_key, session.document, session.iterator_id = Handed.NOTHING, None, None, None
    session.answered += 1


async def _take_status(
    s: AsyncSession, connection_id: ConnectionId, key: str, answer: Answer, text: str
) -> Waiter | None:
    """Take in what QuickBooks stored of a write: its outcome, or nothing.

    Raises:
        MalformedAnswer: it says nothing of a message set, or of another one.
    """
    if answer.set_status is None:
        raise MalformedAnswer("QuickBooks was asked of a message set, and names none.", code="MALFORMED_ANSWER")
    if answer.responses:
        # Only ids may be shown of the write, and nothing of the questions behind it.
        written = _requests_with_ids(await handouts.document_of(s, connection_id, key) or "")
        shown = [(one.name, one.request_id) for one in answer.responses]
        if not set(shown) <= set(written):
            raise _another(shown, written)
    elif answer.set_status in (0, *faults.NOTHING_STORED):
        return await handouts.lose(s, connection_id, key)
    return await handouts.answer_whole(s, connection_id, key, text)


async def _take_look_up(
    s: AsyncSession, connection_id: ConnectionId, session_id: str, key: str, answer: Answer, text: str
) -> Waiter | None:
    """Take in what a write was decided by, as it is now: the same, so that the write goes out, or something else, so
    that it is decided anew. Return the activity that does so."""
    decided = await handouts.look_up_of(s, connection_id, key)
    if decided is not None and decided.answer is not None and _says_the_same(decided.answer, answer):
        await handouts.confirm_answer(s, connection_id, decided.key, session_id)
        return None
    if decided is not None:
        await handouts.answer_anew(s, connection_id, decided.key, session_id, text)
    return await handouts.withdraw(s, connection_id, key)


def _says_the_same(before: str, now: Answer) -> bool:
    """Return whether two answers to one question differ only in the tags of their documents."""
    if envelope.as_refused_whole(before) is not None:
        return False
    return list(map(_content, envelope.read(before).responses)) == list(map(_content, now.responses))


def _content(response: Response) -> tuple[str, str, int, list[str]]:
    records = [etree.tostring(one, with_tail=False).decode() for one in response.element]
    return response.name, response.key, response.status, records


async def _restart(s: AsyncSession, session: WebConnectorSessionRow) -> Taken:
    """Have a question asked from its beginning: QuickBooks has lost its place in the answer."""
    assert session.exchange_key is not None, "an answer is under way"
    request = await handouts.request_of(s, ConnectionId(session.connection_id), session.exchange_key)
    document = envelope.document(_tagged(request), session.version)
    await handouts.hand_out(s, ConnectionId(session.connection_id), session.exchange_key, session.id, document)
    session.document, session.iterator_id = document, None
    return Taken(None)


def _requests_of(document: str) -> str:
    """Return the requests inside a document."""
    root = etree.fromstring(document.encode("utf-8"))
    return "".join(etree.tostring(one, with_tail=False).decode() for one in root[0])


def _must_be_of_its_set(answer: Answer, document: str) -> None:
    """Check that an answer names no other message set than the document: two bills' answers look alike otherwise, and
    one may come twice, or by another company's ticket.

    Raises:
        MalformedAnswer: it is another's.
    """
    asked = etree.fromstring(document.encode("utf-8"))[0].get("newMessageSetID")
    if asked is not None and answer.set_name is not None and answer.set_name != asked:
        raise MalformedAnswer(
            f"QuickBooks answered message set {answer.set_name[:60]} where {asked} was asked.", code="MALFORMED_ANSWER"
        )


def must_belong(answer: Answer, document: str) -> None:
    """Check that an answer is one to this document: the same requests, in their order and with its tag, or that
    QuickBooks does not take its message set.

    Raises:
        MalformedAnswer: it is another's.
    """
    asked = _requests_with_ids(document)
    answered = [(one.name, one.request_id) for one in answer.responses]
    set_is_refused = not answered and answer.set_status in faults.SETS and answer.set_name is not None
    if asked != answered and not set_is_refused:
        raise _another(answered, asked)


def _requests_with_ids(document: str) -> list[tuple[str, str]]:
    if not document:
        return []
    root = etree.fromstring(document.encode("utf-8"))
    return [(str(one.tag).removesuffix("Rq"), one.get("requestID", "")) for one in root[0]]


def _another(answered: Sequence[tuple[str, str]], asked: Sequence[tuple[str, str]]) -> MalformedAnswer:
    return MalformedAnswer(
        f"QuickBooks answered {_named(answered)} where {_named(asked)} was asked.", code="MALFORMED_ANSWER"
    )


def _named(requests: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {request_id}".strip() for name, request_id in requests)[:200] or "nothing"
