"""When two supplier invoice numbers are the same."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.invoice_numbers import number_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("INV-001", "inv 001"),
        ("INV-001", "Inv.1"),
        ("000123", "123"),
        ("2024-001", "2024001"),
        ("A/B_7", "ab 07"),
        ("INV\u20111", "inv1"),
        ("\uff11\uff12", "12"),
        ("Stra\u00dfe 1", "STRASSE 1"),
    ],
)
def test_what_people_type_differently_does_not_count(one, other):
    """H06: case, spaces, punctuation and leading zeros."""
    assert number_key(one) == number_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("INV-1", "INV-10"),
        ("INV-100", "INV-1"),
        ("INV-1", "INV-1A"),
        ("1007", "107"),
        ("0", "00A"),
        ("---", "--"),
    ],
)
def test_different_numbers_stay_different(one, other):
    assert number_key(one) != number_key(other)


@pytest.mark.parametrize("number", ["0", "000", "0-0"])
def test_a_number_of_zeros_is_not_lost(number):
    assert number_key(number) == "0"


typed = st.text(alphabet=string.ascii_letters + string.digits + " -_/.#", min_size=1, max_size=20)


@given(typed)
def test_a_key_is_its_own_key(number):
    assert number_key(number_key(number)) == number_key(number)


@given(typed, st.sampled_from(" -./#"), st.data())
def test_punctuation_anywhere_does_not_count(number, mark, data):
    at = data.draw(st.integers(0, len(number)))
    if any(character.isalnum() for character in number):
        assert number_key(number[:at] + mark + number[at:]) == number_key(number)
