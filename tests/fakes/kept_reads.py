"""Metered reads in memory, as `services.reads.StoredReads` keeps them in the database; and request ids."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from erp.quickbooks_online import quota
from erp.storage import Refusals


class KeptReads:
    """What several workers know of a connection's reads. `later` lets time pass."""

    def __init__(self) -> None:
        self.reads = 0
        self.run: Refusals | None = None
        self._passed = timedelta(0)

    def later(self, passed: timedelta) -> None:
        self._passed += passed

    async def count(self) -> None:
        self.reads += 1
        self.run = None

    async def refused(self, after: Callable[[Refusals | None, datetime], Refusals]) -> Refusals:
        self.run = after(self.run, datetime.now(UTC) + self._passed)
        return self.run

    async def refusals(self) -> Refusals | None:
        return self.run


class KeptRequestIds:
    """The request ids of writes until they are refused."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}

    async def keep(self, key: str, proposed: str) -> str:
        return self.ids.setdefault(key, proposed)


def used_up_at_once(monkeypatch: pytest.MonkeyPatch, *, probe: timedelta | None = None) -> None:
    """The first refused read means that the month's reads are used up: nobody waits for minutes in a test."""
    monkeypatch.setattr(quota, "AFTER", timedelta(0))
    monkeypatch.setattr(quota, "ENOUGH", 1)
    if probe is not None:
        monkeypatch.setattr(quota, "PROBE", probe)
