"""The ERP's clock: what cursors and revisions are compared with."""

from datetime import UTC, datetime, timedelta

import pytest

from erp.clock import ErpClock, surely_seen


def test_the_clock_is_that_of_the_answers() -> None:
    """An ERP two hours behind, whatever our own clock says."""
    clock = ErpClock()
    theirs = datetime.now(UTC) - timedelta(hours=2)
    clock.take(f"{theirs:%a, %d %b %Y %H:%M:%S} GMT")
    assert timedelta(0) <= theirs - clock.now() < timedelta(seconds=2)


@pytest.mark.parametrize("said", [None, "", "yesterday", "Tue, 99 Jul 2031 10:00:00 GMT"])
def test_a_date_that_cannot_be_read_says_nothing(said: str | None) -> None:
    clock = ErpClock()
    clock.take(said)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("revision", "stored"),
    [
        ("2031-07-01 09:59:59", "2031-07-01 09:59:59"),
        ("2031-07-01 10:00:00", "2031-07-01 09:59:59"),
        ("2031-07-01 10:00:00.250", "2031-07-01 09:59:59"),
        ("2999-01-01 00:00:00", "2031-07-01 09:59:59"),
    ],
)
def test_a_record_is_stored_as_of_when_it_was_surely_seen(revision: str, stored: str) -> None:
    """B15, G7: it may change once more in the second of its reading; and no record is newer than its ERP's clock."""
    assert surely_seen(revision, datetime(2031, 7, 1, 10, 0, 0, 900_000, tzinfo=UTC)) == stored
