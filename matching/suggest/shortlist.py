"""Find the few order lines worth a close look for each invoice line, with fast array arithmetic.

It is a rough count over all pairs. Everything that decides is computed again, exactly and with reasons, in
`evidence.py`.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from matching.kernel.exact import Exact
from matching.suggest.evidence import CandidateLine, Comparable, InvoiceLine, said
from matching.suggest.order_numbers import Named
from models.domain.invoice_numbers import number_key

CLOSE_LOOKS = 12
"""How many different order lines are looked at closely per invoice line: the right one is among the first few, or
nothing shows that it is right. The same number again of lines that read the same (a rent by the month)."""


def shortlist(
    line_texts: Sequence[Comparable],
    choice_texts: Sequence[Comparable],
    lines: Sequence[InvoiceLine],
    choices: Sequence[CandidateLine],
    named: Sequence[Named],
    left: Sequence[Exact],
) -> list[list[int]]:
    """Return for each line the positions of the choices with the most rough points; equal ones by position."""
    if not lines or not choices:
        return [[] for _ in lines]
    rough: NDArray[np.float64] = 5.0 * _wording(line_texts, choice_texts)
    codes = np.array([text.code for text in choice_texts])
    ids = np.array([number_key(choice.item_id) for choice in choices])
    for row, text in enumerate(line_texts):
        if text.code:
            rough[row] += 5.0 * ((codes == text.code) | (ids == text.code))
    prices = np.array([float(choice.price) for choice in choices])
    orders = np.array([choice.order_number for choice in choices])
    used_up = -3.0 * np.array([open_quantity <= 0 for open_quantity in left])
    same = [(c.purchase_order_id, text, c.price) for c, text in zip(choices, choice_texts, strict=True)]
    short: list[list[int]] = []
    for row, line in enumerate(lines):
        _, price, _ = said(line)
        if price is not None:
            off = np.abs(prices - float(price)) / np.maximum(prices, 1e-12)
            rough[row] += np.maximum(-3.0, 3.0 - 20.0 * off)
        if named[row].orders:
            rough[row] += 12.0 * np.isin(orders, sorted(named[row].orders))
        best = np.argsort(-(rough[row] + used_up), kind="stable")
        short.append(_first_of_each(best.tolist(), same))
    return short


def _first_of_each(best_first: Sequence[int], same: Sequence[Hashable]) -> list[int]:
    taken: list[int] = []
    seen: dict[Hashable, int] = {}
    for position in best_first:
        count = seen.get(same[position], 0)
        if count == 0 and len(seen) == CLOSE_LOOKS:
            break
        seen[same[position]] = count + 1
        if count < CLOSE_LOOKS:
            taken.append(position)
    return taken


def _wording(line_texts: Sequence[Comparable], choice_texts: Sequence[Comparable]) -> NDArray[np.float64]:
    """Compare the wordings. Each different one is compared once, because items repeat over orders."""
    of_lines, here = _different(line_texts)
    of_choices, there = _different(choice_texts)
    ratios = process.cdist(of_lines, of_choices, scorer=fuzz.token_set_ratio, dtype=np.float64)
    alike: NDArray[np.float64] = np.asarray(ratios, dtype=np.float64)[np.ix_(here, there)] / 100
    return alike


def _different(texts: Sequence[Comparable]) -> tuple[list[str], list[int]]:
    places: dict[str, int] = {}
    positions = [places.setdefault(f"{text.code_words} {text.words}", len(places)) for text in texts]
    return list(places), positions
