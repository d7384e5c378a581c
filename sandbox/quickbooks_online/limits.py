"""How many calls a company takes (reference 4): a minute, a second, at a time, and metered reads a month."""

from collections import Counter, deque

from sandbox.clock import Clock
from sandbox.quickbooks_online.values import pacific
from sandbox.switches import Switches


class Limits:
    """Counts calls of each company."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self.in_flight: Counter[str] = Counter()
        self.reads: Counter[tuple[str, str]] = Counter()
        """Metered reads that succeeded, by company and month."""
        self.throttled: Counter[str] = Counter()
        self._recent: dict[str, deque[float]] = {}

    def takes(self, realm: str, *, batch: bool) -> bool:
        """Whether one more call is let in; a call that is not counts for nothing."""
        number = self._switches.number
        let_in = not (number("concurrent_requests") and self.in_flight[realm] > number("concurrent_requests"))
        now = self._clock.now().timestamp()
        for name, seconds in (("requests_per_second", 1), ("requests_per_minute", 60)):
            let_in = let_in and self._below(f"{name} {realm}", number(name), now, seconds)
        if batch:
            let_in = let_in and self._below(f"batches {realm}", number("batches_per_minute"), now, 60)
        if not let_in:
            self.throttled[realm] += 1
            return False
        for name in ("requests_per_second", "requests_per_minute", *(("batches",) if batch else ())):
            self._recent[f"{name} {realm}"].append(now)
        return True

    def _below(self, key: str, limit: float, now: float, seconds: int) -> bool:
        recent = self._recent.setdefault(key, deque())
        # A test may have set the clock back: what is to come does not count either.
        while recent and not now - seconds < recent[0] <= now:
            recent.popleft()
        return not limit or len(recent) < limit

    def _month(self) -> str:
        return f"{pacific(self._clock.now()):%Y-%m}"

    def may_read(self, realm: str) -> bool:
        """Whether the month's reads are not used up."""
        limit = self._switches.number("monthly_reads")
        return not limit or self.reads[realm, self._month()] < limit

    def count_reads(self, realm: str, count: int) -> None:
        """So many metered reads succeeded."""
        if count:
            self.reads[realm, self._month()] += count
