"""Both changes of clock of a computer in New York, whose offset is winter's all year: nothing is missed.

QuickBooks repeats the texts of an hour in autumn, and leaves one out in spring. Where our server stands does not
matter.
"""

import time
from collections.abc import Iterator

import pytest

from erp.quickbooks_desktop.reader import look_back
from models.domain.sync import Stream
from tests.unit.erp.quickbooks_desktop.company_file import connected
from tests.unit.sandbox.quickbooks_desktop.pc import Pc

AUTUMN = [f"2026-11-01T0{hour}:{minute:02}:00+00:00" for hour in range(4, 8) for minute in range(0, 60, 20)]
SPRING = [f"2026-03-08T0{hour}:{minute:02}:00+00:00" for hour in range(5, 9) for minute in range(0, 60, 20)]


@pytest.fixture(params=["UTC", "Australia/Sydney"])
def server_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.parametrize("moments", [AUTUMN, SPRING], ids=["autumn", "spring"])
@pytest.mark.parametrize("summer_offset", ["winter", "right"])
@pytest.mark.parametrize("repeated_hour", ["wall", "moments"])
async def test_no_change_is_missed(
    server_zone: str, moments: list[str], summer_offset: str, repeated_hour: str
) -> None:
    """Issue 12: each change is in the next page since the cursor, detected, and newer than the one before."""
    pc = Pc()
    await pc.switch(summer_offset=summer_offset, repeated_hour=repeated_hour)
    await pc.room("/clock", {"now": moments[0], "frozen": True})
    await pc.order("PO-1", "1")
    connector, _ = connected(pc)
    cursor, revision = "2026-01-01 00:00:00", ""
    for moment in moments:
        await pc.room("/clock", {"now": moment, "frozen": True})
        await pc.room(
            "/companies/quickbooks_desktop/actions",
            {"action": "edit_purchase_order", "number": "PO-1", "memo": moment},
        )
        pc.open()
        changes = await connector.changes.detect_changes({Stream.PURCHASE_ORDERS: cursor})
        assert max(one.revision for one in changes.record_versions) > revision
        page = await connector.orders.headers(since=cursor, ordered_from=None, after=None, open_in=None)
        assert [one.memo for one in page.records] == [moment], (server_zone, cursor)
        assert page.records[0].revision > revision
        revision = page.records[0].revision
        cursor = max(cursor, page.high_water or "")


def test_the_look_back_is_short_but_around_a_change_of_clocks() -> None:
    assert look_back("2026-07-15 12:00:00") == "2026-07-15 11:55:00"
    assert look_back("2026-11-01 01:50:00") == "2026-10-31 23:45:00"
    assert look_back("2026-03-08 03:10:00") == "2026-03-08 01:05:00"
