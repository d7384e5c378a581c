"""Measure how similar a supplier's wording and an order's are, from 0 to 1.

The order of words, case, accents and punctuation do not count, nor whether "M8x40" is written with spaces. Numbers do:
a bolt M8x40 and a bolt M8x50 differ in one letter and are two different things.
"""

import re
import unicodedata

from rapidfuzz import fuzz

_PARTS = re.compile(r"\d+|[^\W\d_]+")

NUMBERS_COUNT = 0.5
"""The part of the similarity that is lost if both texts have numbers and none of them agree."""


def words(text: str) -> str:
    """Return the words and numbers of a text in a comparable form, with single spaces between them."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(part.lstrip("0") or "0" if part.isdecimal() else part for part in _PARTS.findall(plain))


def likeness(one: str, other: str) -> float:
    """Return the similarity of two texts that `words` has prepared; 0 if one is empty."""
    if not one or not other:
        return 0.0
    # One leaves out what the other adds (set); by itself that would make "bolt" equal to any bolt there is (sort).
    ratio = (fuzz.token_set_ratio(one, other) + fuzz.token_sort_ratio(one, other)) / 200
    here, there = _numbers(one), _numbers(other)
    if here and there:
        ratio *= 1 - NUMBERS_COUNT * (1 - len(here & there) / len(here | there))
    return float(ratio)


def _numbers(comparable: str) -> frozenset[str]:
    return frozenset(part for part in comparable.split() if part.isdecimal())
