"""The sandbox's own clock, so that a test can let months pass in a moment."""

import time
from datetime import UTC, datetime, timedelta

_MICROSECOND = timedelta(microseconds=1)


class Clock:
    """Real time plus an offset, or a time that stands still. Every stamp of the sandbox comes from here."""

    def __init__(self) -> None:
        self._offset_seconds = 0.0
        self._frozen_at: datetime | None = None

    def now(self) -> datetime:
        """The sandbox's present moment, aware, UTC."""
        if self._frozen_at is not None:
            return self._frozen_at
        return datetime.fromtimestamp(time.time() + self._offset_seconds, UTC)

    def set(self, moment: datetime, *, frozen: bool = False) -> None:
        """Jump to `moment`; time runs on from there unless `frozen`."""
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
        self._frozen_at = moment if frozen else None
        self._offset_seconds = 0.0 if frozen else (moment - datetime.now(UTC)) / _MICROSECOND / 1e6

    def advance(self, seconds: float) -> None:
        """Move by `seconds`, backwards too (a skewed ERP clock)."""
        if self._frozen_at is not None:
            self._frozen_at += timedelta(seconds=seconds)
        else:
            self._offset_seconds += seconds

    def follow_real_time(self) -> None:
        """Back to the machine's clock."""
        self._frozen_at = None
        self._offset_seconds = 0.0

    def describe(self) -> dict[str, object]:
        """What `GET /sandbox/clock` shows."""
        return {
            "now": self.now().isoformat(),
            "frozen": self._frozen_at is not None,
            "offset_seconds": self._offset_seconds,
        }
