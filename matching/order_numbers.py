"""Which purchase orders a piece of text names: "PO 1007", "P.O.#1007", "po-1007", "your order no. 0001007".

People write an order's number as they please: with or without its letters, with other punctuation, with zeros in front.
A bare number counts only after a word that announces an order, or when it is too long to be a quantity by chance.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from matching.supplier_number import number_key

LONG_ENOUGH = 6
"""Digits a number needs to be taken for an order's without a word before it."""

LONGEST_TEXT = 10_000
"""Characters that are looked at: a whole scanned page; nothing longer is an invoice line."""

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
_WORD = re.compile(r"[^\W_][\w\-./]*")
_LETTERS_FIRST = re.compile(r"^[^\W\d_]+(?=\d)")


class Named(NamedTuple):
    """What a text says: the known orders it names, and numbers it announces as orders that are none of those."""

    orders: frozenset[str]
    unknown: tuple[str, ...]


class OrderNumbers:
    """The numbers of the orders that may be meant; made once for many texts."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self._whole: dict[str, set[str]] = {}
        self._bare: dict[str, set[str]] = {}
        for number in numbers:
            key = number_key(number)
            self._whole.setdefault(key, set()).add(number)
            self._bare.setdefault(_bare(key), set()).add(number)

    def named_in(self, *texts: str) -> Named:
        """The orders these texts name together."""
        found: set[str] = set()
        unknown: dict[str, None] = {}
        for text in texts:
            folded = unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).casefold()
            for written in _announced(folded):
                orders = self._announced_as(written)
                found |= orders
                if not orders:
                    unknown[written] = None
            for word in _WORD.findall(folded):
                found |= self._standing_alone(word)
        return Named(frozenset(found), tuple(unknown))

    def _announced_as(self, written: str) -> set[str]:
        # 2026/17 may be one order, 1007/1008 are two.
        readings = [written, *(written.split("/") if "/" in written else ())]
        for whole_or_parts in (readings[:1], readings[1:]):
            found: set[str] = set()
            for reading in whole_or_parts:
                key = number_key(reading)
                found |= self._whole.get(key) or self._bare.get(_bare(key)) or set()
            if found:
                return found
        return set()

    def _standing_alone(self, word: str) -> set[str]:
        key = number_key(word)
        letters_and_digits = any(c.isdigit() for c in key) and not key.isdecimal()
        if letters_and_digits or len(key) >= LONG_ENOUGH:
            return self._whole.get(key, set()) | (self._bare.get(key, set()) if key.isdecimal() else set())
        return set()


def _bare(key: str) -> str:
    """1007 of po1007: the letters in front are often left out."""
    return _LETTERS_FIRST.sub("", key)


def _announced(folded: str) -> Iterable[str]:
    """The numbers that follow a word for an order, one by one."""
    for match in _ANNOUNCED.finditer(folded):
        for written in _BETWEEN.split(match["numbers"]):
            number = written.strip(" .-/#")
            if number and not _NOT_AN_ORDER.match(number):
                yield number
