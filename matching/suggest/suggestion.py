"""Propose which order line each line of an invoice bills, with reasons, when the invoice does not say.

All lines are placed together so that the sum of points is the highest possible: a line that fits two order lines leaves
one to a line that fits nowhere else. An order line takes several invoice lines only while their quantities fit.

`score` says how sure the whole answer is of this one place: by how many points any other answer, "none of these"
included, is worse. Two order lines that fit equally well score 0.5. A caller acts by the levels `sure` and `likely`;
nothing below the chosen level may be applied without a person.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from matching.kernel.exact import Exact
from matching.suggest.evidence import CandidateLine, InvoiceLine, Reason, comparable, evidence, left_to_bill, taken
from matching.suggest.order_numbers import Named, OrderNumbers
from models.domain.connections import MatchMode
from models.domain.ids import PurchaseOrderId
from models.domain.record import Record

__all__ = ["CandidateLine", "Confidence", "InvoiceLine", "OrderLineGuess", "Reason", "Suggestion", "suggest"]

BAR = 3.0
"""The points of "none of these": a pair must be twenty times as likely as chance before it is proposed at all."""

SURE, LIKELY = 0.97, 0.80
"""From these scores on: the next best answer is 3.5, or 1.4, points worse (odds of 33 to 1, or 4 to 1)."""

GUESSES = 3


class Confidence(StrEnum):
    SURE = "sure"
    LIKELY = "likely"
    UNSURE = "unsure"

    def reaches(self, level: "Confidence") -> bool:
        """Return whether this is at least as sure as the level."""
        order = list(Confidence)
        return order.index(self) <= order.index(level)


class OrderLineGuess(Record):
    """An order line that an invoice line may bill, without regard to the other lines."""

    purchase_order_id: PurchaseOrderId
    order_number: str
    order_line_no: int
    order_line_id: str
    """The ERP's id of the line."""
    item_id: str
    description: str
    fit: float
    """From 0 to 1: how well the two fit, whatever else is on the invoice."""
    reasons: tuple[Reason, ...]


class Suggestion(Record):
    """The answer for one invoice line. `proposed` None: no order line is likely enough; `others` has the best guess."""

    line_no: int
    proposed: OrderLineGuess | None
    score: float
    """From 0 to 1; 0 without a proposal."""
    confidence: Confidence
    others: tuple[OrderLineGuess, ...] = ()
    """Other order lines it may bill, best first."""


class SuggestionsNotInstalled(Exception):
    """numpy and scipy are missing. They come with the extra `suggest`, because nothing else needs them."""


class _Pair(NamedTuple):
    points: float
    reasons: tuple[Reason, ...]


def suggest(
    mode: MatchMode, lines: Sequence[InvoiceLine], candidates: Iterable[CandidateLine], text: str = ""
) -> tuple[Suggestion, ...]:
    """Return one suggestion per invoice line, in the given order. `text`: free text of the whole invoice.

    `candidates` are the lines of the vendor's open orders. Line numbers of the invoice must not repeat. The answer does
    not depend on the order of lines or candidates; of equals the earlier order line comes first.

    Raises:
        SuggestionsNotInstalled: numpy or scipy is missing.
    """
    # numpy and scipy take half a second to load, so they are loaded only for a suggestion.
    try:
        from matching.suggest.assignment import Place, place_all
        from matching.suggest.shortlist import shortlist
    except ModuleNotFoundError as error:
        raise SuggestionsNotInstalled("install posync[suggest] to have order lines suggested") from error

    choices = sorted(candidates, key=lambda c: (c.order_number, c.line_no, c.purchase_order_id))
    asked = sorted(lines, key=lambda line: line.line_no)
    numbers = OrderNumbers(choice.order_number for choice in choices)
    whole = numbers.named_in(text)
    named = [_named(numbers, line, whole) for line in asked]
    line_texts = [comparable(line.item_code, line.description) for line in asked]
    choice_texts = [comparable(choice.printed_code, choice.description or choice.printed_code) for choice in choices]
    left = [left_to_bill(mode, choice) for choice in choices]
    short = shortlist(line_texts, choice_texts, asked, choices, named, left)
    pairs: list[dict[int, _Pair]] = [
        {
            column: _pair(evidence(mode, line, line_text, choices[column], choice_texts[column], names))
            for column in columns
        }
        for line, line_text, names, columns in zip(asked, line_texts, named, short, strict=True)
    ]
    takes = [{column: taken(line, choices[column]) for column in row} for line, row in zip(asked, pairs, strict=True)]
    alike = _alike(choices, left)

    def placed() -> list[Place]:
        points = [{column: pair.points for column, pair in row.items()} for row in pairs]
        return place_all(points, takes, left, alike, bar=BAR)

    places = placed()
    company = _company(places, choices)
    if any(company):
        pairs = [
            row if names.orders else _beside(row, orders, choices)
            for row, names, orders in zip(pairs, named, company, strict=True)
        ]
        places = placed()
    answers = {
        line.line_no: _suggestion(line, place.column, place.ahead, row, choices)
        for line, place, row in zip(asked, places, pairs, strict=True)
    }
    return tuple(answers[line.line_no] for line in lines)


def _pair(reasons: tuple[Reason, ...]) -> _Pair:
    return _Pair(round(sum(reason.points for reason in reasons), 6), reasons)


def _company(
    places: Sequence[tuple[int | None, float]], choices: Sequence[CandidateLine]
) -> list[frozenset[PurchaseOrderId]]:
    """Return for each line the orders that other lines of the invoice surely bill."""
    sure = [
        None if column is None or likelihood(ahead) < SURE else choices[column].purchase_order_id
        for column, ahead in places
    ]
    return [
        frozenset(order for other, order in enumerate(sure) if order is not None and other != row)
        for row in range(len(sure))
    ]


def _beside(
    row: Mapping[int, _Pair], orders: frozenset[PurchaseOrderId], choices: Sequence[CandidateLine]
) -> dict[int, _Pair]:
    """Add points for the orders of the lines around this one: an invoice is mostly for one order."""
    judged = {}
    for column, pair in row.items():
        if choices[column].purchase_order_id in orders:
            text = f"other lines of the invoice are on {choices[column].order_number}"
            pair = _pair((*pair.reasons, Reason(code="ORDER_OF_OTHER_LINES", text=text, points=2)))
        judged[column] = pair
    return judged


def _named(numbers: OrderNumbers, line: InvoiceLine, whole: Named) -> Named:
    """Return the orders that the line itself names, else those that the invoice names."""
    own = numbers.named_in(f"PO {line.order_number}" if line.order_number else "", line.description)
    return own if own.orders or own.unknown else whole


def _alike(choices: Sequence[CandidateLine], left: Sequence[Exact]) -> list[int]:
    """Group lines of one order that differ only in their number: whichever is chosen, the answer is the same."""
    groups: dict[tuple[object, ...], int] = {}
    return [
        groups.setdefault(
            (
                choice.purchase_order_id,
                choice.item_id,
                choice.description,
                choice.unit,
                choice.price,
                choice.closed,
                rest,
            ),
            position,
        )
        for position, (choice, rest) in enumerate(zip(choices, left, strict=True))
    ]


def _suggestion(
    line: InvoiceLine, column: int | None, ahead: float, row: Mapping[int, _Pair], choices: Sequence[CandidateLine]
) -> Suggestion:
    others = sorted((other for other in row if other != column), key=lambda other: (-row[other].points, other))
    score = 0.0 if column is None else round(likelihood(ahead), 4)
    return Suggestion(
        line_no=line.line_no,
        proposed=None if column is None else _guess(choices[column], row[column]),
        score=score,
        confidence=confidence(score),
        others=tuple(_guess(choices[other], row[other]) for other in others[:GUESSES]),
    )


def confidence(score: float) -> Confidence:
    """Return the level of a score."""
    if score >= SURE:
        return Confidence.SURE
    return Confidence.LIKELY if score >= LIKELY else Confidence.UNSURE


def likelihood(points: float) -> float:
    """Return the probability for odds of e to the points: 0 points are 0.5, 3 points are 0.95."""
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, points))))


def _guess(choice: CandidateLine, pair: _Pair) -> OrderLineGuess:
    return OrderLineGuess(
        purchase_order_id=choice.purchase_order_id,
        order_number=choice.order_number,
        order_line_no=choice.line_no,
        order_line_id=choice.order_line_id,
        item_id=choice.item_id,
        description=choice.description,
        fit=round(likelihood(pair.points - BAR), 4),
        reasons=tuple(sorted(pair.reasons, key=lambda reason: (-abs(reason.points), reason.code))),
    )
