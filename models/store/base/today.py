"""Know which day it is where a company keeps its books."""

from datetime import date, datetime

from models.domain.time_zones import zone


def today_in(time_zone: str | None) -> date:
    """Return which day it is in this time zone; None: in UTC."""
    return datetime.now(zone(time_zone)).date()
