"""Wait after a throttle with the whole connection: more calls within that time would only be refused (reference 4)."""

import time
from datetime import timedelta

from erp.errors import Throttled


class Pause:
    """The time after a throttle in which one process makes no call of a connection."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self, throttled: Throttled) -> None:
        """Wait for as long as QuickBooks said."""
        if throttled.retry_after is not None:
            self._until = max(self._until, now() + throttled.retry_after.total_seconds())

    def must_be_over(self) -> None:
        """Check that calls may be made.

        Raises:
            Throttled: ERP_THROTTLED, for as long as is left; nothing was sent.
        """
        left = self._until - now()
        if left > 0:
            raise Throttled(
                "QuickBooks asked for fewer calls a moment ago; this connection waits.",
                code="ERP_THROTTLED",
                retry_after=timedelta(seconds=left),
            )


def now() -> float:
    """Return the seconds of a clock that never goes back."""
    return time.monotonic()
