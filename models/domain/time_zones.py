"""Name time zones, and know when a day begins in one."""

from datetime import UTC, date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, WithJsonSchema

DEFAULT_TIME_ZONE = "UTC"
"""What days are counted in for a connection whose time zone nobody gave."""


def _known(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("no time zone has this name; names are like America/New_York, Europe/Berlin, UTC")
    return name


TimeZoneName = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": sorted(available_timezones())})
]
"""A name of the IANA time zone database."""


def start_of_day(day: date, time_zone: str | None) -> datetime:
    """Return the first moment of a day in this time zone, in UTC; None: of the day in UTC."""
    return datetime.combine(day, time.min, zone(time_zone)).astimezone(UTC)


def zone(time_zone: str | None) -> ZoneInfo:
    """Return the time zone of this name; None: UTC."""
    return ZoneInfo(time_zone or DEFAULT_TIME_ZONE)
