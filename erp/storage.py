"""What outlives a connector: it is stored elsewhere and shared by all workers."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from erp.exchanges import ExchangeJournal
from erp.tokens import TokenStore
from models.domain.lists import ListEntry, ListKind


class ReadMeter(Protocol):
    """Counts the reads that an ERP meters."""

    def count(self) -> None:
        """Count one successful read."""
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
