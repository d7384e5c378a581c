"""JSON read exactly, for whoever reads it: the API's callers and the ERPs that speak it."""

import json
from decimal import Decimal

import pytest

from models.domain import exact_json


def test_numbers_stay_exact() -> None:
    """0.1 is a tenth; as a float it would be a little more."""
    assert exact_json.read(b'{"a": 0.1, "b": 12345678901234567890.12, "c": 7}') == {
        "a": Decimal("0.1"),
        "b": Decimal("12345678901234567890.12"),
        "c": 7,
    }


@pytest.mark.parametrize("raw", [b"NaN", b'{"a": Infinity}', b"-Infinity", b"{", b""])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(json.JSONDecodeError):
        exact_json.read(raw)


@pytest.mark.parametrize("raw", [b'"\xff"', b"[" * 100_000, b"1" * 5_000])
def test_what_no_value_can_be_made_of_is_refused(raw: bytes) -> None:
    with pytest.raises(exact_json.UnreadableJson):
        exact_json.read(raw)
