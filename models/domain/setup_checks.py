"""Set-up checks: what must be right in the ERP, and what a person says where it cannot be read."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from models.domain.record import Record


class CheckState(StrEnum):
    """What is known of one set-up check. `UNKNOWN` is no pass: a person looks in the ERP and says what it shows."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Breaks(StrEnum):
    """What does not work while a check fails."""

    SYNC = "sync"
    """Everything but the lists."""
    BILLS = "bills"
    PAYMENTS = "payments"
    TAKING_BACK = "taking_back"
    """Deleting, disputing or sending back a bill that the ERP holds."""


class SetupCheck(Record):
    """One check with its answer."""

    code: str
    title: str
    state: CheckState
    why: str
    """What was read, or why it cannot be read."""
    seen: str = ""
    """The value that the ERP shows; empty: none was read."""
    breaks: tuple[Breaks, ...] = ()
    fix: tuple[str, ...] = ()
    """Where to click in the ERP, in order; the same steps show the value to whoever confirms it."""


CONFIRMED_FOR = timedelta(days=90)
"""How long a person's word stands before it is asked for again."""

CHECKED_EVERY = timedelta(hours=23)
"""Checks go with the first sync of each day: an hour less, so that a daily sync is never just too early."""


class Confirmation(NamedTuple):
    """What a person saw in the ERP, where it cannot be read."""

    state: CheckState
    value: str
    by: str
    at: datetime

    def stands(self, now: datetime) -> bool:
        """Return whether it is recent enough."""
        return now < self.at + CONFIRMED_FOR


def effective(read: CheckState, confirmation: Confirmation | None, now: datetime) -> CheckState:
    """Return what counts: what the ERP shows, else what a person saw within the last 90 days."""
    if read is CheckState.UNKNOWN and confirmation is not None and confirmation.stands(now):
        return confirmation.state
    return read


def contradicts(read: CheckState, confirmation: Confirmation | None) -> bool:
    """Return whether the ERP shows now something else than a person saw."""
    return confirmation is not None and read is not CheckState.UNKNOWN and read is not confirmation.state
