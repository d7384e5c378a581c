"""Journal the questions to an ERP that does not answer at once: its program asks us for them when it calls.

An activity is a recipe of several exchanges. If an answer is not there yet, the exchange raises Deferred and the
attempt ends. The next attempt runs the same recipe again and finds the earlier answers in the journal, by key. So
connectors and recipes are written as if the ERP answered at once.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from erp.verdicts import Verdict


class PagedAnswer(NamedTuple):
    """An answer that came in several parts, which are stored apart."""

    name: str
    """Names the answer for later calls, in any process."""
    pages: int
    seconds: float
    """How long the ERP took for it: what changed meanwhile may be absent from its first parts."""


class LookUp(NamedTuple):
    """The answer to a question that a write was decided by. An answer names the document that it answers, so that no
    two are alike."""

    key: str
    answer: str


class ExchangeJournal(Protocol):
    """Stores the exchanges of one connection by key, for all workers."""

    async def write(
        self,
        key: str,
        request: str,
        outcome: Callable[[str], Verdict] | None = None,
        *,
        looked_up: LookUp | None = None,
    ) -> str:
        """Return the answer to a write.

        The key names the write for ever, whoever sends it: the external key, and the step if there are several. A
        request that is already queued is not changed. `outcome` says what an answer means for the write: a refused
        one is sent anew by the next activity that writes under the key, and one that was not done yet by itself, after
        a while. Without it every answer is final. `looked_up` is what it was decided by: where that was not just seen,
        it is asked once more before the write goes out, and if it is otherwise now, the write does not go out until it
        is decided anew.

        Raises:
            Deferred: the request is queued, and the ERP has not answered yet; or what was looked up was asked once more
                meanwhile.
            OutcomeUnknown: it was handed out, and the ERP knows nothing of it: its record is looked up first.
        """
        ...

    async def read(self, key: str, request: str) -> str:
        """Return the answer to a question. The key names it within the present work: another activity asks again,
        because what an earlier one read may have changed.

        Raises:
            Deferred: the request is queued, and the ERP has not answered yet.
        """
        ...

    async def read_paged(self, key: str, request: str) -> PagedAnswer:
        """Return an answer of several parts, as `read` does of one.

        Raises:
            Deferred: the request is queued, and the ERP has not answered it whole yet.
        """
        ...

    async def page(self, name: str, number: int) -> str | None:
        """Return one part of a paged answer, counted from one; None: it is no longer stored."""
        ...

    async def discard(self, key: str) -> None:
        """Forget the answer to a question of the present work, so that it is asked once more."""
        ...

    async def discard_paged(self, name: str) -> None:
        """Forget a paged answer with all its parts, whichever work asked for it, so that it is asked for once more."""
        ...

    async def written(self, key: str) -> str | None:
        """Return the stored answer to a write; None: there is none. This is the cheapest look-up of what an earlier
        attempt did."""
        ...

    async def awaited(self, key: str) -> str | None:
        """Return the stored answer to a write; None: none will come, as it was never queued or its outcome was lost.

        Raises:
            Deferred: it is queued, or the ERP is at it.
        """
        ...

    async def own_write(self, key: str) -> str | None:
        """Return the stored answer to a write of the present work; None: there is none, or earlier work wrote it, so
        that its record may have changed since."""
        ...

    async def note(self, key: str, text: str) -> None:
        """Store a note once, as long as writes are stored: what work of several writes is about to do. It is never
        sent."""
        ...

    async def noted(self, key: str) -> str | None:
        """Return a note; None: there is none."""
        ...

    async def losses(self, key: str) -> int:
        """Return how often the outcome of a write was lost."""
        ...

    async def release(self, key: str) -> None:
        """Let a write whose outcome was lost be repeated: a look-up showed that its record is not there."""
        ...
