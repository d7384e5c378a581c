"""Tell a month's used-up reads from a throttle that ends after a minute (reference 4).

QuickBooks need not say which of the two a refusal is. Only time tells: a throttle ends within a minute or so, and
used-up reads are refused until the next month. So what counts is a run of refusals without one successful read, of all
workers together: it is stored with the connection, by `ReadMeter`, and one success of any worker ends it. The number of
reads decides nothing: it is the limit of the app's plan and of all its companies, which QuickBooks does not show.
"""

import time
from datetime import UTC, datetime, timedelta

from erp.errors import Throttled
from erp.storage import ReadMeter, Refusals

QUOTA = "ERP_QUOTA"
"""The code of a throttle that lasts until the next month."""

AFTER = timedelta(minutes=5)
"""After so long of nothing but refusals the month's reads are used up."""

ENOUGH = 3
"""But not before so many refusals, each after the time that QuickBooks had asked for."""

FORGOTTEN_AFTER = timedelta(minutes=5)
"""How long after that time the next refusal still belongs to the run: later it is a throttle of its own."""

PROBE = timedelta(hours=1)
"""How often a read is tried while the month's reads are used up: the company may have bought more."""

EARLY = 0.1
"""Part of the time asked for by which a call may come early: clocks differ."""


def after_refusal(before: Refusals | None, now: datetime, wait: timedelta) -> Refusals:
    """Return the run of refusals with one more, after which QuickBooks asked for a wait."""
    if before is not None and _is_over(before, now):
        before = None
    if before is not None and now < before.until:
        # A call that was under way, or one that did not wait: it proves nothing that is not known.
        return before
    since, refusals = (now, 1) if before is None else (before.since, before.refusals + 1)
    known = before is not None and before.used_up
    used_up = known or (refusals >= ENOUGH and now - since >= AFTER)
    return Refusals(since, now + (PROBE if used_up else wait) * (1 - EARLY), refusals, used_up)


def _is_over(run: Refusals, now: datetime) -> bool:
    if (run.since.astimezone(UTC).year, run.since.astimezone(UTC).month) != (now.year, now.month):
        return True
    return not run.used_up and now > run.until + FORGOTTEN_AFTER


class ReadQuota:
    """What one process knows of a connection's metered reads; all it decides by is stored."""

    def __init__(self, meter: ReadMeter | None) -> None:
        self._meter = meter
        self._paused_until = 0.0

    async def must_be_left(self) -> None:
        """Check that a read may be tried; another worker's success counts.

        Raises:
            Throttled: ERP_QUOTA, until the next try; nothing was sent.
        """
        left = self._paused_until - time.monotonic()
        if left <= 0 or self._meter is None:
            return
        run = await self._meter.refusals()
        if run is not None and run.used_up:
            raise _used_up(run, timedelta(seconds=left))
        self._paused_until = 0.0

    async def read(self) -> None:
        """Count a successful read."""
        self._paused_until = 0.0
        if self._meter is not None:
            await self._meter.count()

    async def refused(self, throttled: Throttled) -> Throttled:
        """Note a refused read; return what it means: a throttle, or that the month's reads are used up."""
        if self._meter is None:
            return throttled
        wait = throttled.retry_after or timedelta(0)
        run = await self._meter.refused(lambda before, now: after_refusal(before, now, wait))
        if not run.used_up:
            return throttled
        left = min(PROBE, until_next_month(datetime.now(UTC)))
        self._paused_until = time.monotonic() + left.total_seconds()
        return _used_up(run, left, throttled)


def _used_up(run: Refusals, left: timedelta, throttled: Throttled | None = None) -> Throttled:
    return Throttled(
        "QuickBooks has refused every read for some minutes: the month's metered reads are used up.",
        code=QUOTA,
        retry_after=left,
        evidence={
            **(throttled.evidence if throttled is not None else {}),
            "refused_since": run.since.astimezone(UTC).isoformat(timespec="seconds"),
            "refusals": str(run.refusals),
        },
    )


def waits_for_reads(throttled: Throttled, why: str) -> Throttled:
    """Return a refusal of reads with why this write, of those that are free, has to wait for one."""
    return Throttled(
        f"{why} {throttled.message}", code=QUOTA, retry_after=throttled.retry_after, evidence=throttled.evidence
    )


def until_next_month(now: datetime) -> timedelta:
    """Return how long it is until the next month begins."""
    first = (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
    return first - now
