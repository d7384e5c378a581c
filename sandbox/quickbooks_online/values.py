"""Values as clients send them and as the service keeps and shows them (reference 1.5)."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.quickbooks_online.errors import Refused

Json = dict[str, Any]
ZERO = Decimal(0)
_STANDARD = timezone(timedelta(hours=-8))
_LARGEST = Decimal("99999999999")


def pacific(moment: datetime) -> datetime:
    """The moment in Pacific time with its daylight saving, whatever zone files the machine has."""
    standard = moment.astimezone(_STANDARD)
    # Both changes in standard time: at 2:00, and at 2:00 of summer time, which is 1:00.
    march = datetime(standard.year, 3, 8, 2, tzinfo=_STANDARD)
    november = datetime(standard.year, 11, 1, 1, tzinfo=_STANDARD)
    begins = march + timedelta(days=(6 - march.weekday()) % 7)
    ends = november + timedelta(days=(6 - november.weekday()) % 7)
    summer = begins <= standard < ends
    return moment.astimezone(timezone(timedelta(hours=-7)) if summer else _STANDARD)


def stamp(moment: datetime) -> str:
    """A moment as MetaData shows it: whole seconds."""
    return pacific(moment).isoformat(timespec="seconds")


def answered_at(moment: datetime) -> str:
    """A moment as `time` of an answer."""
    return pacific(moment).isoformat(timespec="milliseconds")


def cents(amount: Decimal) -> Decimal:
    """Rounded as money is."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def is_empty(value: object) -> bool:
    """What counts as not given: nothing, or an empty text."""
    return value is None or value == ""


def number_of(value: object, element: str) -> Decimal:
    """A number, also one that came as text. Raises Refused."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise Refused("2080", "Number is malformed", f"{element} is not a number", element=element)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Refused("2090", "Invalid Number", f"Invalid Number : {value}", element=element)
    if abs(number) > _LARGEST:
        raise Refused("2140", "Amount is out of range", f"{element} is at most {_LARGEST}", element=element)
    return number


def whole_of(value: object, element: str) -> int:
    """A whole number. Raises Refused."""
    number = number_of(value, element)
    if number != number.to_integral_value():
        raise Refused("2080", "Number is malformed", f"{element} is not a whole number", element=element)
    return int(number)


def day_of(value: object, element: str) -> date:
    """A date; the day of a moment too. Raises Refused."""
    try:
        return date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        raise Refused(
            "2070", "Invalid Date format", f"Date value {value!r} is not YYYY-MM-DD", element=element
        ) from None


def flag_of(value: object, element: str) -> bool:
    """Yes or no, also as text. Raises Refused."""
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise Refused("2120", "Invalid type", f"{element} is true or false", element=element)


def text_of(value: object, element: str, longest: int = 0) -> str:
    """Text of a length. Raises Refused."""
    if isinstance(value, (dict, list)):
        raise Refused("2120", "Invalid type", f"{element} is a text", element=element)
    text = str(value)
    if longest and len(text) > longest:
        raise Refused(
            "2050",
            "String length is either shorter or longer than supported by specification",
            f"String length specified does not match the supported length. Min:0 Max:{longest} supplied:{len(text)}."
            f" Error occurred at element {element}",
            element=element,
        )
    return text


def reference_of(value: object, element: str) -> str:
    """The id in a reference; empty when none is named. Raises Refused."""
    if isinstance(value, Mapping):
        value = value.get("value")
    if is_empty(value):
        return ""
    if isinstance(value, (dict, list, bool)):
        raise Refused("2030", "Invalid ID", f"{element} is not a reference", element=element)
    return str(value).strip()


def shown_number(number: Decimal) -> int | float:
    """A number as JSON has it. Exact: what is kept has at most eleven digits before the point and seven behind."""
    return int(number) if number == number.to_integral_value() else float(number)
