"""Serve a Web Connector's session: who calls, which company file it has open, what it is handed, what it answers.

    authenticate -> sendRequestXML -> receiveResponseXML -> ... -> closeConnection

What waits is in the journal of exchanges. Its state is in the database, so that any process may serve any call. An
answer wakes the activity that waits for it; while activities that were woken may ask for more, the next call waits a
little for what they ask.
"""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.errors import MalformedAnswer
from erp.quickbooks_desktop import envelope
from erp.quickbooks_desktop.connector import ENHANCED, capabilities
from erp.quickbooks_desktop.preferences import Preferences
from models.domain.connections import ConnectionState
from models.domain.ids import SYNCER, ConnectionId, OrganizationId
from models.domain.outbox import MessageKind
from models.store.audit import handouts, outbox, sync_issues
from models.store.audit.exchanges import Waiter
from models.store.audit.outbox import OutboxMessage
from models.store.base.database import Database
from models.store.connections import connections, web_connector
from models.tables import ConnectionRow, WebConnectorSessionRow
from services.sync.due import begin_syncing
from services.web_connector import company, documents, troubles
from services.web_connector.documents import Handed, Taken
from services.web_connector.logins import hashed

log = logging.getLogger(__name__)

LOOK_FIRST_SECONDS, LOOK_MOST_SECONDS = 0.02, 0.25
"""How often the door looks for a woken activity's next request."""

DENIED = frozenset({"0x8004041A", "0x80040420", "0x80040421", "0x80040422"})
"""Errors by which QuickBooks says that the application may not open the company file."""

_DECIMAL = re.compile(r"-?[0-9]{1,12}")

UNKNOWN_SESSION = "unknown session"

NOTHING_MORE = "There is nothing more to exchange now."


class Admitted(NamedTuple):
    """The answer to authenticate: the session's secret, and what to do: `""` and a path open a company file."""

    secret: str
    verdict: str


class Door:
    """Serves the sessions of all Web Connectors of one installation.

    `deliver` delivers a message of the outbox, so that an activity looks for its answer also where this process dies
    before it has said so. `hold_seconds` is how long a call waits for the next document, `busy_seconds` how long a
    session that does not call keeps others out.
    """

    def __init__(
        self,
        database: Database,
        *,
        deliver: Callable[[OutboxMessage], None],
        hold_seconds: float,
        busy_seconds: float,
    ) -> None:
        self._database = database
        self._deliver = deliver
        self._hold_seconds = hold_seconds
        self._alive = timedelta(seconds=busy_seconds)

    async def authenticate(self, user_name: str, password: str) -> Admitted:
        """Return whether somebody may begin a session, and the secret of it."""
        secret = secrets.token_urlsafe(32)
        # Most calls find nothing to do: each statement commits by itself, so that they cost one way to the database.
        async with self._database.statement() as s:
            caller = await web_connector.call(s, user_name, hashed(password), alive=self._alive)
            if caller is None:
                return Admitted(secret, "nvu")
            if not caller.has_work:
                return Admitted(secret, "none")
            if caller.busy:
                return Admitted(secret, "busy")
            await web_connector.begin_session(s, hashed(secret), caller)
        return Admitted(secret, caller.company_file)

    async def send_request(self, secret: str, said: str, company_file: str, major: int, minor: int) -> str:
        """Return the next document; empty: there is none now. `said` is what the Web Connector found out about the
        company by itself, at the first call of a session."""
        ends: float | None = None
        pause = LOOK_FIRST_SECONDS
        awaited = False
        waiters: tuple[Waiter, ...]
        while True:
            async with self._database.transaction() as s:
                session = await web_connector.lock_session(s, hashed(secret))
                if session is None or session.error:
                    return ""
                owed: tuple[OutboxMessage, ...] = ()
                if ends is None:
                    session.last_call_at = datetime.now(UTC)
                if not session.recognized and not session.kind:
                    owed = await self._recognize(s, session, said, company_file, (major, minor))
                document, waiters = session.document if session.kind else None, ()
                if document is None and session.recognized:
                    document, waiters = await documents.next_document(s, session)
                    owed += tuple([await _owe(s, session, waiter) for waiter in waiters if waiter.workflow_id])
                refused, answered = session.error, session.answered
                s.add(session)
            for message in owed:
                self._deliver(message)
            if document is not None or refused:
                return document or ""
            ends = ends or time.monotonic() + self._hold_seconds
            # Nobody asks for more unless somebody was woken.
            awaited = awaited or bool(answered or owed or waiters)
            if not awaited or time.monotonic() >= ends:
                return ""
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LOOK_MOST_SECONDS)

    async def receive_response(self, secret: str, response: str, hresult: str, message: str) -> int:
        """Take in an answer; return how much of the work is done, in per cent, or a negative number for an error."""
        taken = Taken(None)
        async with self._database.transaction() as s:
            session = await web_connector.lock_session(s, hashed(secret))
            if session is None:
                return -1
            session.last_call_at = datetime.now(UTC)
            name = documents.fingerprint(response, hresult, message)
            if hresult.strip() and not response.strip():
                taken = await self._take_failure(s, session, name, hresult.strip(), message)
            else:
                taken = await self._take_answer(s, session, name, response)
            s.add(session)
            owed = taken.owed
            if taken.waiter is not None and taken.waiter.workflow_id:  # a note, or a test's own request, has none
                owed += (await _owe(s, session, taken.waiter),)
            left = await handouts.waiting(s, ConnectionId(session.connection_id))
            failed, answered = bool(session.error), session.answered
        for each in owed:
            self._deliver(each)
        return -1 if failed else max(1, min(99, 100 * answered // (answered + left + 1)))

    async def _take_answer(self, s: AsyncSession, session: WebConnectorSessionRow, name: str, response: str) -> Taken:
        """Take in an answer. One that was taken in already and is brought once more changes nothing."""
        kind = session.kind
        try:
            if kind == Handed.NOTHING:
                raise MalformedAnswer("An answer came where nothing was asked.", code="MALFORMED_ANSWER")
            if kind == Handed.COMPANY:
                taken = Taken(None, await self._take_company(s, session, response))
            else:
                taken = await documents.take_answer(s, session, response)
        except MalformedAnswer as error:
            if name != session.last_taken:
                session.error = error.message
                await troubles.report(s, ConnectionId(session.connection_id), troubles.BROKEN, error.message)
            return Taken(None)
        session.last_taken = name
        if kind != Handed.COMPANY and session.kind == Handed.NOTHING:
            await troubles.exchanged(s, ConnectionId(session.connection_id))
        if kind == Handed.EXCHANGE and "<PreferencesRet" in response:
            await self._take_preferences(s, session, response)
        return taken

    async def _take_preferences(self, s: AsyncSession, session: WebConnectorSessionRow, text: str) -> None:
        """Take over how the company receives, wherever an answer says it: a session may last for hours."""
        said = company.facts(envelope.read(text)).get(ENHANCED)
        row = await connections.get(s, ConnectionId(session.connection_id))
        if row is None or said is None or row.erp_facts.get(ENHANCED) == said:
            return
        row = await web_connector.recognize(
            s, ConnectionId(session.connection_id), session.company_file, {ENHANCED: said}
        )
        await self._let_in(s, row)

    async def _take_failure(
        self, s: AsyncSession, session: WebConnectorSessionRow, name: str, hresult: str, message: str
    ) -> Taken:
        """Take in that QuickBooks did not answer the document. One that it cannot read is refused for good; anything
        else leaves open what became of it, and is asked in the next session.

        Two refusals look the same. One that is brought once more must not refuse the next document too: so that one is
        handed out again, and if it is to blame, it is refused again.
        """
        if name == session.last_taken:
            session.last_taken = ""
            return Taken(None)
        if _number(hresult) == _number(envelope.CANNOT_PARSE) and session.kind == Handed.EXCHANGE:
            taken = await documents.take_refusal(s, session, hresult, message)
            session.last_taken = name
            return taken
        session.error = f"QuickBooks did not answer: {message} ({hresult})"
        await troubles.report(
            s, ConnectionId(session.connection_id), troubles.UNANSWERED, session.error, hresult=hresult, message=message
        )
        return Taken(None)

    async def connection_error(self, secret: str, hresult: str, message: str) -> str:
        """Return which company file to try instead, or `done`: QuickBooks could not be opened."""
        async with self._database.transaction() as s:
            session = await web_connector.lock_session(s, hashed(secret))
            if session is None:
                return "done"
            if session.company_file:
                session.company_file = ""  # the file that is open: its mark says whether it is the right one
                s.add(session)
                return ""
            session.error = f"QuickBooks could not be opened: {message} ({hresult})"
            s.add(session)
            code = "QUICKBOOKS_ACCESS_DENIED" if _number(hresult) in DENIED else "QUICKBOOKS_NOT_OPENED"
            await troubles.report(s, ConnectionId(session.connection_id), code, session.error, hresult=hresult)
            return "done"

    async def last_error(self, secret: str) -> str:
        """Return what went wrong last, for the Web Connector's user."""
        async with self._database.statement() as s:
            error = await web_connector.session_error(s, hashed(secret))
        if error is None:
            return UNKNOWN_SESSION
        return error or NOTHING_MORE

    async def close(self, secret: str) -> str:
        """End a session and return what the Web Connector shows as its status."""
        async with self._database.statement() as s:
            await web_connector.end_session(s, hashed(secret))
        return "OK"

    # --- the company file -------------------------------------------------------------------------------------------

    async def _recognize(
        self, s: AsyncSession, session: WebConnectorSessionRow, said: str, company_file: str, newest: tuple[int, int]
    ) -> tuple[OutboxMessage, ...]:
        """Recognize the open company file by what was said of it, or hand out questions about it; return what its
        connection is owed when it called for the first time."""
        version = envelope.negotiated(*newest)
        if version is None:
            session.error = f"This QuickBooks speaks qbXML {newest[0]}.{newest[1]}; 13.0 is needed."
            await troubles.report(
                s,
                ConnectionId(session.connection_id),
                "QUICKBOOKS_TOO_OLD",
                session.error,
                version=f"{newest[0]}.{newest[1]}",
            )
            return ()
        session.version, session.company_file = str(version), company_file
        owed: tuple[OutboxMessage, ...] = ()
        if said.strip():
            try:
                owed = await self._take_company(s, session, said)
            except MalformedAnswer:
                log.warning("the Web Connector of %s described its company in no qbXML", session.connection_id)
        if not session.recognized and not session.error:
            documents.company_question(session)
        return owed

    async def _take_company(
        self, s: AsyncSession, session: WebConnectorSessionRow, text: str
    ) -> tuple[OutboxMessage, ...]:
        """Compare the mark of the open company file with the connection's.

        Raises:
            MalformedAnswer: the text is no answer, or is that to another document.
        """
        answer = envelope.read(text)
        asked = session.kind == Handed.COMPANY
        if asked:
            documents.must_belong(answer, session.document or "")
        connection_id = ConnectionId(session.connection_id)
        login = await web_connector.login_of(s, connection_id)
        assert login is not None, "a session belongs to a login"
        ours = company.is_ours(answer, login.file_id)
        facts = company.facts(answer)
        if asked:
            session.kind, session.document = Handed.NOTHING, None
            session.answered += 1
        if ours:
            session.recognized = True
            # Companies are told apart by their marks: their names are not unique.
            identity = f"{facts.get('company', connection_id)} {login.file_id[:9].strip('{')}"
            facts |= {"identity": identity, "login": login.user_name}
            row = await web_connector.recognize(s, connection_id, session.company_file, facts)
            return await self._let_in(s, row)
        if ours is False or asked:
            name = facts.get("company", "The open company file")
            session.error = f"{name} does not carry the mark of {session.connection_id}: nothing was exchanged."
            await troubles.report(
                s,
                connection_id,
                "COMPANY_FILE_NOT_RECOGNIZED",
                session.error,
                company=name,
                file=session.company_file,
            )
        return ()

    async def _let_in(self, s: AsyncSession, row: ConnectionRow) -> tuple[OutboxMessage, ...]:
        """Record that QuickBooks is there with the right company file; a connection that waited for that is ready."""
        connection_id = ConnectionId(row.id)
        enhanced = row.erp_facts.get(ENHANCED) == "true"
        offered = capabilities(Preferences.of(row.preferences), enhanced=enhanced).model_dump(mode="json")
        if row.state == ConnectionState.PENDING_AUTHORIZATION:
            row = await connections.authorize(
                s,
                connection_id,
                company=row.erp_facts["identity"],
                user_name=row.erp_facts["login"],
                entity=None,
                capabilities=offered,
                base_currency=row.erp_facts.get("home_currency"),
            )
            await sync_issues.close_for_subject(s, connection_id, "connection", row.id, actor=SYNCER)
            return await begin_syncing(s, row, request_key=f"{row.id} {datetime.now(UTC).isoformat()}")
        if row.capabilities != offered:
            row.capabilities = offered
            s.add(row)
            await s.flush()
        await troubles.opened(s, row)
        return ()


async def _owe(s: AsyncSession, session: WebConnectorSessionRow, waiter: Waiter) -> OutboxMessage:
    """Owe an activity the word that something became of its request."""
    row = await connections.get(s, ConnectionId(session.connection_id))
    assert row is not None, "a session belongs to a connection"
    return await outbox.add(
        s,
        MessageKind.ANSWER_STORED,
        " ".join(waiter),
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        request_key=f"{session.id} {session.answered}",
    )


def _number(hresult: str) -> str:
    """Return an error's number in one spelling: it comes as `0x80040400` or as a signed decimal."""
    text = hresult.strip()
    if _DECIMAL.fullmatch(text):
        return f"0x{int(text) & 0xFFFFFFFF:08X}"
    return f"0x{text[2:].upper()}" if text.lower().startswith("0x") else text.upper()
