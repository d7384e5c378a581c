"""Do small pieces of work together: what is asked for while one statement runs is done by the next one, all at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class Gathered(Generic[Asked, Given]):
    """Gathers what several tasks ask for at the same time. A single one is done at once and waits for nobody.

    `work` takes everything that was asked for and returns the results in the same order.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Given]]]) -> None:
        self._work = work
        self._waiting: list[tuple[Asked, asyncio.Future[Given]]] = []
        self._working: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Given:
        """Return the result for one piece; raise what the work raised for all that were done with it."""
        answer: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._working is None:
            self._working = asyncio.create_task(self._do_all())
        return await answer

    async def _do_all(self) -> None:
        try:
            while self._waiting:
                some, self._waiting = self._waiting, []
                await self._do(some)
        finally:
            self._working = None

    async def _do(self, some: Sequence[tuple[Asked, asyncio.Future[Given]]]) -> None:
        [results] = await asyncio.gather(self._work([asked for asked, _ in some]), return_exceptions=True)
        for place, (_, answer) in enumerate(some):
            if answer.done():  # who asked has gone meanwhile
                continue
            if isinstance(results, BaseException):
                answer.set_exception(results)
            else:
                answer.set_result(results[place])
