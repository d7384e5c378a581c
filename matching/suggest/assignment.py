"""Place all invoice lines at once: find the answer with the most points, and how far it is ahead of any other."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from matching.kernel.exact import ZERO, Exact, add

NEVER = 1e6
"""The points of a place that a line must not take."""

REPEAT = 0.5
"""Points lost for each further invoice line on one order line: usually each has a line of its own."""

FIRST_COMES_FIRST = 1e-7
"""A tiny bonus: of equal order lines the earlier one wins."""


class Place(NamedTuple):
    """The place of a line, and by how many points the answer beats the best one that puts the line elsewhere."""

    column: int | None
    ahead: float


def place_all(
    points: Sequence[Mapping[int, float]],
    takes: Sequence[Mapping[int, Exact | None]],
    left: Sequence[Exact],
    alike: Sequence[int],
    *,
    bar: float,
) -> list[Place]:
    """Return one place per row. `points`, and the quantity a row `takes`, are by column; a column that a row must not
    take is left out.

    `left` is what a column can take in all: one row alone may exceed it, two may not. `bar` are the points of no place.
    `alike` names the group of each column: another column of the same group is no other answer.
    """
    board = _Board(points, takes, left, bar)
    forbidden: set[tuple[int, int]] = set()
    while True:
        chosen = board.solve(forbidden)
        surplus = _surplus(chosen, points, takes, left, bar)
        if not surplus:
            break
        forbidden |= surplus
    best = board.total(chosen)
    taken = {column for column in chosen if column is not None}
    places = []
    for row, column in enumerate(chosen):
        if column is None:
            places.append(Place(None, 0.0))
            continue
        same = {(row, other) for other in points[row] if alike[other] == alike[column]}
        free = [value for other, value in points[row].items() if other not in taken and (row, other) not in same]
        if max(free, default=bar) >= points[row][column]:
            places.append(Place(column, 0.0))  # as good elsewhere, with nobody else moving
            continue
        # Pairs that this row lost to others for lack of room still count as other answers.
        others = {pair for pair in forbidden if pair[0] != row}
        places.append(Place(column, max(0.0, best - board.total(board.solve(others | same)))))
    return places


class _Board:
    """Rows against columns: a column as often as rows may share it, and an own place for each row that gets none."""

    def __init__(
        self,
        points: Sequence[Mapping[int, float]],
        takes: Sequence[Mapping[int, Exact | None]],
        left: Sequence[Exact],
        bar: float,
    ) -> None:
        self._points = points
        self._bar = bar
        wanted_by: dict[int, list[int]] = {}
        for number, row in enumerate(points):
            for column, value in row.items():
                if value > bar:
                    wanted_by.setdefault(column, []).append(number)
        wanting = {
            column: _room([takes[number][column] for number in numbers], left[column])
            for column, numbers in wanted_by.items()
        }
        self._columns = [column for column in sorted(wanting) for _ in range(wanting[column])]
        self._first: dict[int, int] = {}
        for position, column in enumerate(self._columns):
            self._first.setdefault(column, position)
        self._wanting = wanting
        rows = len(points)
        self._cost: NDArray[np.float64] = np.full((rows, len(self._columns) + rows), NEVER)
        for number, row in enumerate(points):
            for column, value in row.items():
                if value > bar:
                    start, count = self._first[column], wanting[column]
                    repeat = REPEAT * np.arange(count)
                    self._cost[number, start : start + count] = repeat - value + FIRST_COMES_FIRST * start
            self._cost[number, len(self._columns) + number] = -bar

    def solve(self, forbidden: set[tuple[int, int]]) -> list[int | None]:
        """Return the column of each row in the answer with the most points; None: no column beats the bar."""
        if not self._points:
            return []
        cost = self._cost
        if forbidden:
            cost = cost.copy()
            for row, column in forbidden:
                if column in self._first:
                    start = self._first[column]
                    cost[row, start : start + self._wanting[column]] = NEVER
        rows, positions = linear_sum_assignment(cost)
        chosen: list[int | None] = [None] * len(self._points)
        for number, position in zip(rows.tolist(), positions.tolist(), strict=True):
            if position < len(self._columns):
                chosen[number] = self._columns[position]
        return chosen

    def total(self, chosen: Sequence[int | None]) -> float:
        """Return the points of an answer."""
        shared: dict[int, int] = {}
        sum_so_far = 0.0
        for row, column in enumerate(chosen):
            if column is None:
                sum_so_far += self._bar
            else:
                sum_so_far += self._points[row][column] - REPEAT * shared.get(column, 0)
                shared[column] = shared.get(column, 0) + 1
        return sum_so_far


def _room(wishes: Sequence[Exact | None], left: Exact) -> int:
    """Return how many of the wishes a column could take at most; one in any case."""
    filled: Exact = ZERO
    for number, wish in enumerate(sorted(wish for wish in wishes if wish is not None)):
        filled = add(filled, wish)
        if filled > left:
            return max(number, 1)
    return max(len(wishes), 1)


def _surplus(
    chosen: Sequence[int | None],
    points: Sequence[Mapping[int, float]],
    takes: Sequence[Mapping[int, Exact | None]],
    left: Sequence[Exact],
    bar: float,
) -> set[tuple[int, int]]:
    """Return the pairs that are too many where rows share a column that cannot take them all.

    The rows that lose most by leaving stay. A row that does not say what it takes shares with nobody.
    """
    sharing: dict[int, list[int]] = {}
    for row, column in enumerate(chosen):
        if column is not None:
            sharing.setdefault(column, []).append(row)
    surplus: set[tuple[int, int]] = set()
    for column, rows in sharing.items():
        if len(rows) < 2:
            continue
        by_loss = sorted(rows, key=lambda row: (-_loss(points[row], column, bar), row))
        filled = takes[by_loss[0]][column]
        for row in by_loss[1:]:
            more = takes[row][column]
            if filled is None or more is None or add(filled, more) > left[column]:
                surplus.add((row, column))
            else:
                filled = add(filled, more)
    return surplus


def _loss(row: Mapping[int, float], column: int, bar: float) -> float:
    """Return what a row loses without this column: its points over its next best place."""
    elsewhere = max((value for other, value in row.items() if other != column), default=bar)
    return row[column] - max(elsewhere, bar)
