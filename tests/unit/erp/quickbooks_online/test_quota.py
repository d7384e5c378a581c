"""The month's reads are used up, or it was a throttle: told apart by what all workers stored (reference 4)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.errors import ErpError
from erp.quickbooks_online import pause, quota
from erp.quickbooks_online.connector import QuickBooksConnector
from erp.quickbooks_online.quota import after_refusal
from erp.storage import Refusals
from models.domain.ids import ErpId
from tests.fakes.kept_reads import KeptReads
from tests.unit.erp.quickbooks_online.bills import a_bill
from tests.unit.erp.quickbooks_online.service import Service, throttle

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECONDS = st.integers(0, 7200).map(lambda seconds: timedelta(seconds=seconds))


def run_of(*refused: timedelta, start: datetime = START, wait: timedelta = MINUTE) -> Refusals:
    """The run after refusals at these times from the start."""
    run: Refusals | None = None
    for at in refused:
        run = after_refusal(run, start + at, wait)
    assert run is not None
    return run


@given(SECONDS)
def test_two_throttles_are_never_a_quota(apart: timedelta) -> None:
    """However far apart, and in whichever workers: the rule sees only what is stored."""
    assert not run_of(timedelta(0), apart).used_up


@given(st.integers(1, 400))
def test_a_burst_of_calls_that_were_under_way_proves_nothing(calls: int) -> None:
    """Eight at once are refused at once, from every worker; QuickBooks had not got its minute."""
    burst = [timedelta(milliseconds=100 * one) for one in range(calls)]
    assert not run_of(*burst, timedelta(minutes=6)).used_up


@given(st.lists(st.integers(331, 7200), min_size=1, max_size=30))
def test_throttles_far_apart_are_each_one_of_its_own(gaps: list[int]) -> None:
    """One an hour, all day long."""
    at = [timedelta(seconds=sum(gaps[:place])) + MINUTE * place for place in range(len(gaps) + 1)]
    assert not run_of(*at).used_up


@pytest.mark.parametrize("every", [55, 60, 90, 300])
def test_some_minutes_of_nothing_but_refusals(every: int) -> None:
    """The reference's rule: after some throttled minutes without one success."""
    at = [timedelta(seconds=every * one) for one in range(20)]
    first = next(place for place in range(20) if run_of(*at[: place + 1]).used_up)
    assert at[first] >= quota.AFTER
    assert first + 1 >= quota.ENOUGH
    assert all(run_of(*at[: place + 1]).used_up for place in range(first, 20))


def test_what_is_used_up_stays_so_between_two_tries_and_ends_with_the_month() -> None:
    """A connection that reads nothing for a day is not told of throttles again; a new month begins anew."""
    used_up = run_of(*(MINUTE * one for one in range(7)))
    assert used_up.used_up
    assert after_refusal(used_up, START + timedelta(days=2), MINUTE).used_up
    april = datetime(2026, 4, 1, 0, 0, 1, tzinfo=UTC)
    assert after_refusal(used_up, april, MINUTE) == Refusals(april, april + MINUTE * 0.9, 1, used_up=False)


class Workers:
    """Two workers of one connection, whose time passes together."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.service, self.reads = Service(), KeptReads()
        self.both = [self.service.connector(reads=self.reads) for _ in range(2)]
        self._clock = 1000.0
        monkeypatch.setattr(pause, "now", lambda: self._clock)
        monkeypatch.setattr(quota.time, "monotonic", lambda: self._clock)

    def later(self, passed: timedelta) -> None:
        self._clock += passed.total_seconds()
        self.reads.later(passed)

    def refuse(self, answer: Callable[[httpx.Request], httpx.Response] = lambda _: throttle()) -> None:
        self.service.answer_first("/query", answer)

    async def read(self, worker: int) -> str:
        try:
            await self.both[worker].orders.read(ErpId("190"))
        except ErpError as error:
            return error.code
        return "read"

    @property
    def first(self) -> QuickBooksConnector:
        return self.both[0]


@pytest.fixture
async def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    workers = Workers(monkeypatch)
    for worker in (0, 1):
        assert await workers.read(worker) == "read"
    return workers


async def test_throttles_an_hour_apart_in_two_workers(workers: Workers) -> None:
    """What the other worker read in between counts, and so does the time."""
    for worker in (0, 1, 0, 1, 1, 0):
        workers.refuse()
        assert await workers.read(worker) == "ERP_THROTTLED"
        workers.later(timedelta(hours=1))


async def test_one_success_of_any_worker_ends_the_run(workers: Workers) -> None:
    """A worker is throttled each time, the other one reads in between: no quota, for hours."""
    for _ in range(30):
        workers.refuse()
        assert await workers.read(0) == "ERP_THROTTLED"
        assert await workers.read(1) == "read"
        workers.later(MINUTE)


async def until_used_up(workers: Workers) -> None:
    for minute in range(6):
        workers.refuse()
        expected = "ERP_THROTTLED" if minute < 5 else "ERP_QUOTA"
        assert await workers.read(minute % 2) == expected
        workers.later(MINUTE)


async def test_both_workers_see_one_run(workers: Workers) -> None:
    """Each of them was refused three times only; then nobody asks for an hour, and one try of one worker ends it."""
    await until_used_up(workers)
    before = len(workers.service.reads())
    assert [await workers.read(1) for _ in range(3)] == ["ERP_QUOTA"] * 3
    assert len(workers.service.reads()) == before
    workers.refuse()
    assert await workers.read(0) == "ERP_QUOTA"  # a worker that was not told asks once
    workers.later(timedelta(hours=1))
    assert [await workers.read(0), await workers.read(1)] == ["read", "read"]


async def test_a_write_is_looked_up_even_then(workers: Workers) -> None:
    """A refused look-up costs nothing and decides nothing: the first attempt goes out under its stored request id. One
    that succeeds shows that the reads are back, for everybody."""
    await until_used_up(workers)
    workers.refuse()
    before = len(workers.service.reads())
    await workers.first.bills.create(a_bill())
    assert (len(workers.service.reads()), len(workers.service.writes())) == (before + 1, 1)
    assert await workers.read(1) == "ERP_QUOTA"
    assert await workers.first.bills.find(a_bill()) is not None
    assert [await workers.read(0), await workers.read(1)] == ["read", "read"]


async def test_each_successful_read_is_counted_and_no_refused_one(workers: Workers) -> None:
    """4: only successful calls count."""
    before = workers.reads.reads
    workers.refuse()
    await workers.read(0)
    workers.later(MINUTE)
    for _ in range(3):
        await workers.read(1)
    assert workers.reads.reads == before + 3
