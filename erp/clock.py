"""Tell what time it is at an ERP: cursors and revisions are compared with its clock, never with ours.

Every HTTP answer carries its server's time, so knowing it costs no call. Between answers our own clock runs on.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

GRAIN = timedelta(seconds=1)
"""The finest step of an ERP's modification times. Of two changes within one step, the second cannot be told from the
first by its time."""


class ErpClock:
    """The clock of one connection's ERP. It is behind by up to a second and the way of one answer, never ahead of what
    the ERP said."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def take(self, date: str | None) -> None:
        """Take in the `Date` of an answer that has just begun to arrive; one that cannot be read says nothing."""
        if not date:
            return
        try:
            said = parsedate_to_datetime(date)
        except ValueError:
            return
        if said.tzinfo is not None:
            self._ahead = said - datetime.now(UTC)

    def at(self, moment: datetime) -> datetime:
        """Return what the ERP's clock showed at a moment of ours.

        Take the moment before a reading and ask after it: then the reading's own answers have set the clock.
        """
        try:
            return moment + self._ahead
        except OverflowError:
            return moment

    def now(self) -> datetime:
        """Return the ERP's present time, as far as its last answer says."""
        return self.at(datetime.now(UTC))


def moment_text(moment: datetime) -> str:
    """Return a moment in the form of a cursor or a revision, to the second: `2031-07-01 10:00:00`, in UTC."""
    # Half of the time of a formatted text; a page writes one for every record.
    return moment.astimezone(UTC).isoformat(" ", "seconds")[:19]


def surely_seen(revision: str, read_at: datetime) -> str:
    """Return the revision that a record may be stored with if it was read at this moment of its ERP's clock.

    A record that changed in the very step of the clock in which it was read may change again under the same time. It is
    stored as one step older, so that the next sync reads and compares it once more. A time that has not come yet is
    treated alike: it would hide every later change.
    """
    return min(revision, last_surely_seen(read_at))


def last_surely_seen(read_at: datetime) -> str:
    """Return the highest revision that a record may be stored with if it was read at this moment of its ERP's clock."""
    return moment_text(read_at - GRAIN)
