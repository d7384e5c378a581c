"""How values are written on the wire (reference 2.4): dates, timestamps and decimals, both ways."""

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

CENT = Decimal("0.01")


def wire_date(day: date) -> str:
    """`MM/DD/YYYY`."""
    return f"{day.month:02d}/{day.day:02d}/{day.year:04d}"


def wire_time(moment: datetime, offset_minutes: int = 0) -> str:
    """`MM/DD/YYYY HH:MM:SS`, without a zone, as Intacct writes it."""
    local = moment + timedelta(minutes=offset_minutes) if offset_minutes else moment
    return f"{local.month:02d}/{local.day:02d}/{local.year:04d} {local.hour:02d}:{local.minute:02d}:{local.second:02d}"


def parse_date(text: str) -> date:
    """Read `MM/DD/YYYY`, with or without leading zeros.

    Raises:
        ValueError: It is no such date.
    """
    month, day, year = text.strip().split("/")
    return date(int(year), int(month), int(day))


def parse_given_date(text: str, *, iso: bool) -> date:
    """Read a date as a client writes it: `MM/DD/YYYY`, and `YYYY-MM-DD` where `iso` allows it.

    Raises:
        ValueError: It is no such date.
    """
    given = text.strip()
    if iso and re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
        return date.fromisoformat(given)
    return parse_date(given)


class _TimeKeys(dict[str, str]):
    """Wire dates and timestamps to text that sorts in time; remembered, because pages compare the same few often."""

    def __missing__(self, text: str) -> str:
        day, _, clock = text.strip().partition(" ")
        key = parse_date(day).strftime("%Y%m%d")
        if clock:
            hour, minute, second = clock.split(":")
            key += f" {int(hour):02d}:{int(minute):02d}:{int(second):02d}"
        if len(self) > 200_000:
            self.clear()
        self[text] = key
        return key


class _NumberKeys(dict[str, Decimal]):
    """Wire numbers to decimals, remembered."""

    def __missing__(self, text: str) -> Decimal:
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise ValueError(text) from None
        if len(self) > 200_000:
            self.clear()
        self[text] = value
        return value


TIME_KEYS = _TimeKeys()
NUMBER_KEYS = _NumberKeys()


def number(text: str) -> Decimal:
    """A wire number; empty is zero. Raises ValueError."""
    return NUMBER_KEYS[text] if text else Decimal(0)


def money(amount: Decimal) -> Decimal:
    """Rounded to cents, halves up, as accounts payable does."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def plain(amount: Decimal) -> str:
    """A decimal without exponent and without trailing zeros: `10`, `4.25`."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if text not in ("", "-0") else "0"


def amount_text(amount: Decimal) -> str:
    """A money amount with its two decimals."""
    return format(money(amount), "f")
