"""The fake ERP's side of the exchange journal: it answers what waits there when its program comes by, not before."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from erp.errors import ErpError
from models.domain.ids import ConnectionId
from models.store.audit import exchanges
from models.store.audit.exchanges import Waiter
from models.store.base.database import Database


@dataclass
class DeferredAnswers:
    """What was asked and what was answered, by the text that the journal keeps of each."""

    _asked: dict[str, Callable[[], Awaitable[Any]]] = field(default_factory=dict)
    _outcomes: dict[str, Any] = field(default_factory=dict)

    def ask(self, key: str, call: Callable[[], Awaitable[Any]]) -> str:
        """Return the request as the journal keeps it: a name for what is to be done."""
        self._asked[key] = call
        return key

    def outcome(self, answer: str) -> Any:
        """Return what an answer of the journal stands for.

        Raises:
            ErpError: The answer was that error.
        """
        result = self._outcomes[answer]
        if isinstance(result, ErpError):
            raise result
        return result

    async def come_by(self, database: Database, connection_id: ConnectionId) -> list[Waiter]:
        """Answer what waits, in order, as the ERP's own program does; return whom the answers notify."""
        async with database.transaction() as s:
            questions = await exchanges.unanswered(s, connection_id)
        notified: list[Waiter] = []
        for question in questions:
            answer = f"{question.key} answered"
            try:
                self._outcomes[answer] = await self._asked[question.request]()
            except ErpError as error:
                self._outcomes[answer] = error
            async with database.transaction() as s:
                waiter = await exchanges.answer(s, connection_id, question.key, answer)
            assert waiter is not None
            notified.append(waiter)
        return notified
