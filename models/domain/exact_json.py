"""JSON read exactly: numbers with a point become decimals, never floats; what is no JSON, or says a thing twice, is
refused."""

import json
from decimal import Decimal
from typing import Any, NoReturn


class UnreadableJson(ValueError):
    """The JSON cannot be turned into a value: not UTF-8, nested too deep, or with a number too long."""


class KeyTwice(ValueError):
    """An object that has a key twice: one reader would take the first value, another one the last."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The key {key!r} is there twice.")
        self.key = key


def read(raw: bytes | str) -> Any:
    """Give the value.

    Raises:
        UnreadableJson: No value can be made of it.
        KeyTwice: An object has a key twice.
        json.JSONDecodeError: It is not JSON; NaN and Infinity are not.
    """
    try:
        return json.loads(raw, parse_float=_number, parse_constant=_no_constant, object_pairs_hook=_object)
    except UnicodeDecodeError:
        raise UnreadableJson("It is not UTF-8.") from None
    except (RecursionError, ValueError) as error:
        if isinstance(error, json.JSONDecodeError | KeyTwice):
            raise
        raise UnreadableJson("It is nested too deep or holds a number too long.") from None


def _number(text: str) -> Decimal | int:
    # 60.0 is a whole number in JSON, and some programs write every number so.
    number = Decimal(text)
    return int(number) if number.adjusted() < 18 and number == number.to_integral_value() else number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise KeyTwice(key)
            seen.add(key)
    return value


def _no_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)
