"""What a bill or a payment of ours can be in, and who moves it on: the words that the two tables are written in.

The tables are `bill_states.py` and `payment_states.py`. The store takes every new status from them, and `posync doctor`
lists the rows that are not in them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from models.domain.writes import WriteState


class Mover(StrEnum):
    """Who moves a bill or a payment on. `NOBODY`: it has ended, or only the ERP changes it further."""

    PERSON = "a person"
    WORKFLOW = "its workflow"
    SYNC = "a sync"
    NOBODY = "nobody"


class Situation(NamedTuple):
    """The combination that a bill or a payment of ours is in."""

    status: str
    write: WriteState
    """The state of the ERP write that creates it."""
    stopped: bool
    """Whether its workflow waits behind an open sync issue."""


class WayOn(NamedTuple):
    """What happens next to a bill or a payment in one situation."""

    mover: Mover
    what: str
    """The end of the sentence that begins with the mover."""


Table = Mapping[Situation, WayOn]
