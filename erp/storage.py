"""What outlives a connector: it is stored elsewhere and shared by all workers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from erp.exchanges import ExchangeJournal
from erp.tokens import TokenStore
from models.domain.lists import ListEntry, ListKind


class Refusals(NamedTuple):
    """A run of refused reads without one success in between, of all workers together."""

    since: datetime
    until: datetime
    """Until when the ERP asked to wait after the last one that counts."""
    refusals: int
    """Those that came although somebody had waited for as long as the ERP said."""
    used_up: bool
    """The reads of the month are used up: that is how the ERP's own rule reads this run."""


class ReadMeter(Protocol):
    """Counts the reads that an ERP meters, and knows since when it refuses them, for all workers."""

    async def count(self) -> None:
        """Count one successful read; it ends a run of refusals."""
        ...

    async def refused(self, after: Callable[[Refusals | None, datetime], Refusals]) -> Refusals:
        """Store the run of refusals as `after` makes it of the present one and the time; return it. One worker at a
        time does this."""
        ...

    async def refusals(self) -> Refusals | None:
        """Return the present run of refusals; None: the last read succeeded."""
        ...


class RequestIds(Protocol):
    """Keeps under which request id a write was first sent."""

    async def keep(self, key: str, proposed: str) -> str:
        """Return the request id under which the write with our key was first sent, as long as nobody knows what became
        of it; store the proposed one if there is none."""
        ...


class ListMirror(Protocol):
    """The lists of the connection's company as posync read them last."""

    async def entries(self, kind: ListKind) -> Sequence[ListEntry]:
        """Return the active entries of a list, without a call to the ERP."""
        ...


class Storage(NamedTuple):
    """The state that outlives a connector: it is stored elsewhere and shared by all workers."""

    tokens: TokenStore
    exchanges: ExchangeJournal
    reads: ReadMeter | None = None
    """Counts the reads of an ERP that meters them; None: nobody wants to know."""
    lists: ListMirror | None = None
    """Stands in for an ERP that refuses reads and takes writes; None: nothing is known."""
    requests: RequestIds | None = None
    """Keeps the request ids of an ERP that knows repeats by them; None: each attempt proposes its own."""
