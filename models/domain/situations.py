"""What a bill, a payment or a source order can be in, and who moves it on: the words that the tables are written in.

The tables are `bill_states.py`, `payment_states.py` and `source_order_states.py`. The store takes every new status of
bills and payments from them, and `posync doctor` lists the rows that are not in them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from models.domain.writes import WriteState


class Mover(StrEnum):
    """Who moves it on. `NOBODY`: it has ended, or only the ERP changes it further."""

    PERSON = "a person"
    WORKFLOW = "its workflow"
    SYNC = "a sync"
    NOBODY = "nobody"


class Situation(NamedTuple):
    """The combination that a bill, a payment or a source order of ours is in."""

    status: str
    write: WriteState | None
    """The state of the ERP write that creates it; None: nothing was ever planned to be sent."""
    stopped: bool
    """Whether its workflow waits behind an open sync issue; of a source order: whether one is open on it."""

    @property
    def write_shown(self) -> str:
        """Return the write's state in a word."""
        return "none" if self.write is None else self.write.value


class WayOn(NamedTuple):
    """What happens next in one situation."""

    mover: Mover
    what: str
    """The end of the sentence that begins with the mover."""


Table = Mapping[Situation, WayOn]
