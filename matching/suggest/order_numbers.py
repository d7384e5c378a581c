"""Find the purchase orders that a text names: "PO 1007", "P.O.#1007", "po-1007", "your order no. 0001007".

People write an order's number in many ways: with or without its letters, with other punctuation, with leading zeros. A
number alone counts only after a word that announces an order, or if it is too long to be a quantity by chance.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from models.domain.invoice_numbers import number_key

LONG_ENOUGH = 6
"""How many digits a number needs to count as an order's without such a word before it."""

LONGEST_TEXT = 10_000
"""How many characters are looked at: a whole scanned page. No invoice line is longer."""

_ANNOUNCED = re.compile(
    r"""
    (?<![^\W_])                                    # not inside a word
    (?: p\W{0,3}o\b\W{0,3} | po(?=\d) | pos\b\W{0,3} | purchase\W{0,3}orders?\b\W{0,3}
      | (?:your|customer|cust)\W{0,3}(?:order|ref(?:erence)?)\b\W{0,3}
      | order\b\W{0,3}(?=(?:no|nr|num|number|ref|id)\b|\#) )
    (?: (?:no|nr|num|numbers?|ref|id|\#)\b\W{0,3} )?
    \#?\W{0,3}
    (?P<numbers> (?:[a-z]{1,6}[\s\-_./\#]{0,2})?\d[\w\-./]*
        (?: \W{0,2}(?:,|;|&|\+|\band\b)\W{0,2} (?:[a-z]{1,6}[\s\-_./\#]{0,2})?\d[\w\-./]* ){0,20} )
    """,
    re.VERBOSE,
)
_NOT_AN_ORDER = re.compile(r"^(?:box|boxes|date|dated|of|line|item|qty|total|dtd)\b")
_BETWEEN = re.compile(r"\s*(?:,|;|&|\+|\band\b)\s*")
_TOKEN = re.compile(r"[^\W_][\w\-./]*")
_LETTERS_FIRST = re.compile(r"^[^\W\d_]+(?=\d)")


class Named(NamedTuple):
    """The orders a text names: those that are known, and numbers it announces as orders that are not known."""

    orders: frozenset[str]
    unknown: tuple[str, ...]


class OrderNumbers:
    """Finds orders by number in many texts; it is made once."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self._whole: dict[str, set[str]] = {}
        self._bare: dict[str, set[str]] = {}
        for number in numbers:
            key = number_key(number)
            self._whole.setdefault(key, set()).add(number)
            self._bare.setdefault(_bare(key), set()).add(number)

    def named_in(self, *texts: str) -> Named:
        """Return the orders that these texts name together."""
        result: set[str] = set()
        unknown: dict[str, None] = {}
        for text in texts:
            folded = unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).casefold()
            for written in _announced(folded):
                orders = self._announced_as(written)
                result |= orders
                if not orders:
                    unknown[written] = None
            for token in _TOKEN.findall(folded):
                result |= self._alone(token)
        return Named(frozenset(result), tuple(unknown))

    def _announced_as(self, written: str) -> set[str]:
        # 2026/17 may be one order, 1007/1008 are two.
        readings = [written, *(written.split("/") if "/" in written else ())]
        for whole_or_parts in (readings[:1], readings[1:]):
            result: set[str] = set()
            for reading in whole_or_parts:
                key = number_key(reading)
                result |= self._whole.get(key) or self._bare.get(_bare(key)) or set()
            if result:
                return result
        return set()

    def _alone(self, token: str) -> set[str]:
        key = number_key(token)
        letters_and_digits = any(c.isdigit() for c in key) and not key.isdecimal()
        if letters_and_digits or len(key) >= LONG_ENOUGH:
            return self._whole.get(key, set()) | (self._bare.get(key, set()) if key.isdecimal() else set())
        return set()


def _bare(key: str) -> str:
    """Return 1007 of po1007: the letters in front are often left out."""
    return _LETTERS_FIRST.sub("", key)


def _announced(folded: str) -> Iterable[str]:
    """Return the numbers that follow a word for an order, one by one."""
    for match in _ANNOUNCED.finditer(folded):
        for written in _BETWEEN.split(match["numbers"]):
            number = written.strip(" .-/#")
            if number and not _NOT_AN_ORDER.match(number):
                yield number
