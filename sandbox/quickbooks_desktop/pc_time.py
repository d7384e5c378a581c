"""Times as the PC shows them: its wall clock, and an offset that does not follow daylight saving (reference 2.2)."""

from datetime import UTC, date, datetime, timedelta, timezone

from sandbox.switches import Switches


def _standard(switches: Switches) -> timedelta:
    return timedelta(minutes=switches.number("utc_offset_minutes"))


def _is_summer(moment: datetime, switches: Switches) -> bool:
    """Daylight saving of the United States: second Sunday of March to first Sunday of November, at 2:00."""
    if not switches.flag("daylight_saving"):
        return False
    wall = moment.astimezone(UTC).replace(tzinfo=None) + _standard(switches)
    # A wall clock has no zone.
    march, november = datetime(wall.year, 3, 8, 2), datetime(wall.year, 11, 1, 1)  # noqa: DTZ001
    begins = march + timedelta(days=(6 - march.weekday()) % 7)
    ends = november + timedelta(days=(6 - november.weekday()) % 7)
    return begins <= wall < ends


def wall_clock(moment: datetime, switches: Switches) -> datetime:
    """What the PC's clock shows at a moment, without an offset, whole seconds."""
    summer = timedelta(hours=1) if _is_summer(moment, switches) else timedelta()
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0) + _standard(switches) + summer


def moment_of(wall: datetime, switches: Switches) -> datetime:
    """The moment at which the PC's clock shows this; the first of two in autumn's repeated hour."""
    for summer in (timedelta(hours=1), timedelta()):
        moment = (wall - _standard(switches) - summer).replace(tzinfo=UTC)
        if wall_clock(moment, switches) == wall:
            return moment
    return (wall - _standard(switches)).replace(tzinfo=UTC)  # an hour that spring leaves out


def today(moment: datetime, switches: Switches) -> date:
    """The day it is at the PC."""
    return wall_clock(moment, switches).date()


def written(moment: datetime, switches: Switches) -> str:
    """A time as answers have it: the wall clock, with winter's offset all year unless a switch says otherwise."""
    offset = _standard(switches)
    if switches.word("summer_offset") == "right" and _is_summer(moment, switches):
        offset += timedelta(hours=1)
    return wall_clock(moment, switches).replace(tzinfo=timezone(offset)).isoformat(timespec="seconds")


def as_asked(text: str, switches: Switches, *, end: bool = False) -> datetime:
    """A time of a filter as a wall clock. One with an offset is moved by winter's offset, an hour wrong in summer.

    `end` completes a day alone to its last second.
    """
    day, _, clock = text.partition("T")
    year, month, number = (int(part) for part in day.split("-"))
    offset = None
    if "+" in clock or "-" in clock:
        sign = "+" if "+" in clock else "-"
        clock, _, ahead = clock.partition(sign)
        hours, minutes = ahead.split(":")
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == "+" else -1)
    parts = [int(part) for part in clock.split(":")] if clock else [23, 59, 59] if end else []
    hour, minute, second = [*parts, 0, 0, 0][:3]
    # A wall clock has no zone.
    wall = datetime(year, month, number, hour, minute, second)  # noqa: DTZ001
    if offset is None:
        return wall
    moment = (wall - offset).replace(tzinfo=UTC)
    if switches.word("summer_offset") == "right":
        return wall_clock(moment, switches)
    return moment.replace(tzinfo=None) + _standard(switches)
