"""Give connectors the journal of exchanges of one connection, and record which activity waits for each answer."""

from collections.abc import Callable
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.errors import Deferred, OutcomeUnknown
from erp.exchanges import LookUp, PagedAnswer
from erp.verdicts import Verdict
from models.domain.ids import ConnectionId
from models.store.audit import exchanges
from models.store.audit.exchanges import StoredExchange, Waiter
from models.store.base.database import Database

RETRY_AFTER = timedelta(minutes=30)
"""How soon an activity looks for its answer by itself. It is told of one before, by a message of the outbox."""

NOT_DONE_PAUSE = timedelta(minutes=1)
"""How long a write waits that the ERP could not do now, because a person has its record open, for example."""

AT_ONCE = timedelta(milliseconds=100)
"""When a write whose outcome was lost is looked up."""


class StoredExchanges:
    """The exchanges of one connection in the database: an `ExchangeJournal` (erp/exchanges.py).

    `waiter` returns the activity that asks at this moment: connectors outlive the activities that use them.
    """

    def __init__(self, database: Database, connection_id: ConnectionId, waiter: Callable[[], Waiter]) -> None:
        self._database = database
        self._connection_id = connection_id
        self._waiter = waiter

    async def write(
        self,
        key: str,
        request: str,
        outcome: Callable[[str], Verdict] | None = None,
        *,
        looked_up: LookUp | None = None,
    ) -> str:
        """Return the ERP's answer to a write, after queueing the write if it is new.

        Raises:
            Deferred: There is no answer yet; or what was looked up was asked once more meanwhile.
            OutcomeUnknown: Its outcome was lost.
        """
        key = _write(key)
        async with self._database.transaction() as session:
            lost = await self._queue_write(session, key, request, outcome, looked_up)
        if isinstance(lost, str):
            return lost
        if lost:
            raise OutcomeUnknown(
                f"{key} was handed out, and the ERP knows nothing of it", code="OUTCOME_UNKNOWN", retry_after=AT_ONCE
            )
        raise await self._deferred(key)

    async def _queue_write(
        self,
        session: AsyncSession,
        key: str,
        request: str,
        outcome: Callable[[str], Verdict] | None,
        looked_up: LookUp | None,
    ) -> str | bool:
        """Return the answer; without one, whether its outcome is lost. Otherwise it is queued."""
        stored = await exchanges.stored(session, self._connection_id, key)
        if stored is None or stored.withdrawn:
            look_up = await self._still_so(session, looked_up)
            await exchanges.queue_write(session, self._connection_id, key, request, look_up, self._waiter())
            return False
        if stored.answer is None and not stored.lost:
            await exchanges.await_answer(session, self._connection_id, key, self._waiter())
            return False
        if stored.answer is None:
            return True
        verdict = Verdict.DONE if outcome is None else outcome(stored.answer)
        if verdict is Verdict.DONE or (verdict is Verdict.REFUSED and stored.waiter == self._waiter()):
            return stored.answer
        if verdict is Verdict.IN_DOUBT:
            await exchanges.lose_answer(session, self._connection_id, key)
            return True
        pause = timedelta(0) if verdict is Verdict.REFUSED else NOT_DONE_PAUSE
        look_up = await self._still_so(session, looked_up)
        await exchanges.queue_anew(session, self._connection_id, key, request, look_up, self._waiter(), pause)
        return False

    async def _still_so(self, session: AsyncSession, looked_up: LookUp | None) -> str | None:
        """Return which stored question a write was decided by; None: by none.

        Raises:
            Deferred: It has another answer by now, and the write is decided anew.
        """
        if looked_up is None:
            return None
        name = self._question(looked_up.key)
        if not await exchanges.hold_answer(session, self._connection_id, name, looked_up.answer):
            raise Deferred(f"{name} was answered anew", code="ERP_ANSWERS_LATER", retry_after=AT_ONCE)
        return name

    async def read(self, key: str, request: str) -> str:
        """Return the ERP's answer to a question of this activity, whichever attempt asked it.

        Raises:
            Deferred: There is no answer yet.
        """
        stored = await self._read(self._question(key), request)
        assert stored.answer is not None, "it is answered"
        return stored.answer

    async def read_paged(self, key: str, request: str) -> PagedAnswer:
        """Return the ERP's answer in several parts to a question of this activity.

        Raises:
            Deferred: There is no whole answer yet.
        """
        name = self._question(key)
        stored = await self._read(name, request)
        return PagedAnswer(name, stored.pages, stored.seconds)

    async def page(self, name: str, number: int) -> str | None:
        """Return one part of a paged answer; None: it is no longer stored."""
        async with self._database.statement() as session:
            return await exchanges.page(session, self._connection_id, name, number)

    async def discard(self, key: str) -> None:
        """Forget the answer to a question of this activity."""
        async with self._database.transaction() as session:
            await exchanges.discard(session, self._connection_id, self._question(key))

    async def discard_paged(self, name: str) -> None:
        """Forget a paged answer with all its parts."""
        async with self._database.transaction() as session:
            await exchanges.discard(session, self._connection_id, name)

    async def written(self, key: str) -> str | None:
        """Return the ERP's answer to a write, or None when there is none."""
        async with self._database.statement() as session:
            return await exchanges.answer_to(session, self._connection_id, _write(key))

    async def awaited(self, key: str) -> str | None:
        """Return the ERP's answer to a write; None: none will come.

        Raises:
            Deferred: It will come.
        """
        key = _write(key)
        async with self._database.transaction() as session:
            stored = await exchanges.stored(session, self._connection_id, key)
            if stored is not None and stored.answer is None and not (stored.lost or stored.withdrawn):
                await exchanges.await_answer(session, self._connection_id, key, self._waiter())
        if stored is None or stored.lost or stored.withdrawn:
            return None
        if stored.answer is None:
            raise await self._deferred(key)
        return stored.answer

    async def own_write(self, key: str) -> str | None:
        """Return the ERP's answer to a write of this activity; None: another activity wrote it, or nobody."""
        async with self._database.statement() as session:
            stored = await exchanges.stored(session, self._connection_id, _write(key))
        return None if stored is None or stored.waiter != self._waiter() else stored.answer

    async def note(self, key: str, text: str) -> None:
        """Store a note once."""
        async with self._database.transaction() as session:
            await exchanges.note(session, self._connection_id, _note(key), text)

    async def noted(self, key: str) -> str | None:
        """Return a note; None: there is none."""
        async with self._database.statement() as session:
            return await exchanges.answer_to(session, self._connection_id, _note(key))

    async def losses(self, key: str) -> int:
        """Return how often the outcome of a write was lost."""
        async with self._database.statement() as session:
            stored = await exchanges.stored(session, self._connection_id, _write(key))
        return 0 if stored is None else stored.losses

    async def release(self, key: str) -> None:
        """Let a write whose outcome was lost be repeated."""
        async with self._database.transaction() as session:
            await exchanges.release(session, self._connection_id, _write(key))

    async def _deferred(self, key: str) -> Deferred:
        """Return the error of an exchange that has no answer yet; Temporal shows its text at the waiting activity."""
        async with self._database.statement() as session:
            contact = await exchanges.last_contact(session, self._connection_id)
        called = "" if contact is None else f", which called last at {contact.at:%Y-%m-%d %H:%M} UTC"
        if contact is not None and contact.problem:
            called += f" ({contact.problem})"
        return Deferred(
            f"{key} waits until the ERP's program fetches it{called}", code="ERP_ANSWERS_LATER", retry_after=RETRY_AFTER
        )

    def _question(self, key: str) -> str:
        waiter = self._waiter()
        return f"read/{waiter.workflow_run_id}/{waiter.activity_id}/{key}"

    async def _read(self, key: str, request: str) -> StoredExchange:
        async with self._database.transaction() as session:
            stored = await exchanges.stored(session, self._connection_id, key)
            if stored is not None and stored.answer is not None:
                return stored
            await exchanges.queue(session, self._connection_id, key, request, self._waiter())
        raise await self._deferred(key)


def _write(key: str) -> str:
    return f"write/{key}"


def _note(key: str) -> str:
    return f"note/{key}"
