"""Know which day it is where a company keeps its books, and when a day begins there."""

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


def today_in(time_zone: str | None) -> date:
    """Return which day it is in this time zone; None: in UTC."""
    return datetime.now(_zone(time_zone)).date()


def start_of_day(day: date, time_zone: str | None) -> datetime:
    """Return the first moment of a day in this time zone, in UTC; None: of the day in UTC."""
    return datetime.combine(day, time.min, _zone(time_zone)).astimezone(UTC)


def _zone(time_zone: str | None) -> ZoneInfo:
    return ZoneInfo(time_zone or DEFAULT_TIME_ZONE)
