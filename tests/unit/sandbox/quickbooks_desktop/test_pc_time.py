"""Times of the PC: a wall clock whose written offset is winter's all year (reference 2.2)."""

import pytest

from tests.unit.sandbox.quickbooks_desktop.pc import Pc


async def changed_at(pc: Pc, moment: str) -> None:
    await pc.room("/clock", {"now": moment, "frozen": True})
    pc.computer.company.touch(next(iter(pc.computer.company.txns["PurchaseOrder"].values())))


def modified(pc: Pc) -> str | None:
    return pc.ask("<PurchaseOrderQueryRq/>")[0].findtext("TimeModified")


def since(pc: Pc, text: str) -> int:
    inner = f"<ModifiedDateRangeFilter><FromModifiedDate>{text}</FromModifiedDate></ModifiedDateRangeFilter>"
    return len(pc.ask(f"<PurchaseOrderQueryRq>{inner}</PurchaseOrderQueryRq>"))


@pytest.mark.parametrize(
    ("moment", "winter", "right"),
    [
        ("2026-07-01T16:00:00+00:00", "2026-07-01T12:00:00-05:00", "2026-07-01T12:00:00-04:00"),
        ("2026-12-01T17:00:00+00:00", "2026-12-01T12:00:00-05:00", "2026-12-01T12:00:00-05:00"),
        # The last second of winter, the first of summer.
        ("2026-03-08T06:59:59+00:00", "2026-03-08T01:59:59-05:00", "2026-03-08T01:59:59-05:00"),
        ("2026-03-08T07:00:00+00:00", "2026-03-08T03:00:00-05:00", "2026-03-08T03:00:00-04:00"),
        # The hour that comes twice.
        ("2026-11-01T05:30:00+00:00", "2026-11-01T01:30:00-05:00", "2026-11-01T01:30:00-04:00"),
        ("2026-11-01T06:30:00+00:00", "2026-11-01T01:30:00-05:00", "2026-11-01T01:30:00-05:00"),
    ],
)
async def test_the_clock_is_right_and_the_offset_is_winters(pc: Pc, moment: str, winter: str, right: str) -> None:
    await pc.order("PO-1", "1")
    await changed_at(pc, moment)
    assert modified(pc) == winter
    await pc.switch(summer_offset="right")
    assert modified(pc) == right


async def test_a_time_without_offset_is_the_pcs_and_inclusive(pc: Pc) -> None:
    await pc.order("PO-1", "1")
    await changed_at(pc, "2026-07-01T16:00:00+00:00")
    assert since(pc, "2026-07-01T12:00:00") == 1
    assert since(pc, "2026-07-01T12:00:01") == 0


async def test_a_time_turned_into_utc_is_taken_an_hour_wrong_in_summer(pc: Pc) -> None:
    await pc.order("PO-1", "1")
    await changed_at(pc, "2026-07-01T16:00:00+00:00")
    assert since(pc, "2026-07-01T16:30:00+00:00") == 1  # half an hour later, and yet it comes
    assert since(pc, "2026-07-01T17:00:01+00:00") == 0
    assert since(pc, "2026-07-01T12:00:00-05:00") == 1  # as it was written, it is right
    assert since(pc, "2026-07-01T12:00:01-05:00") == 0
    await pc.switch(summer_offset="right")
    assert since(pc, "2026-07-01T16:30:00+00:00") == 0


async def test_the_hour_that_comes_twice(pc: Pc) -> None:
    """A change in the second 1:10 comes to nobody who asks from the first 1:50 on."""
    await pc.order("PO-1", "1")
    await changed_at(pc, "2026-11-01T06:10:00+00:00")
    assert since(pc, "2026-11-01T01:50:00") == 0
    await pc.switch(repeated_hour="moments")
    assert since(pc, "2026-11-01T01:50:00") == 1


async def test_another_zone_and_no_daylight_saving(pc: Pc) -> None:
    await pc.order("PO-1", "1")
    await pc.switch(utc_offset_minutes=-420, daylight_saving=False)
    await changed_at(pc, "2026-07-01T16:00:00+00:00")
    assert modified(pc) == "2026-07-01T09:00:00-07:00"
