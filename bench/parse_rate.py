"""Measure how many orders a second one core reads. Processor time: what a busy machine takes away is no part of it."""

import time
from collections.abc import Callable, Sequence

from models.domain.orders import PurchaseOrder

TIMES = 12
"""The best of so many short measurements counts."""


def parse_rate(read: Callable[[bytes], Sequence[PurchaseOrder]], answer: bytes, *, rounds: int, lines: int) -> float:
    """Return orders per second; `read` makes orders of an answer's bytes, each of so many `lines`."""
    orders = read(answer)
    assert all(len(order.lines) == lines for order in orders)
    return len(orders) * rounds / min(_seconds(read, answer, rounds) for _ in range(TIMES))


def _seconds(read: Callable[[bytes], Sequence[PurchaseOrder]], answer: bytes, rounds: int) -> float:
    started = time.process_time()
    for _ in range(rounds):
        read(answer)
    return time.process_time() - started


def show(per_second: float, *, lines: int, bytes_of_one: float, goal: int) -> None:
    """Print the rate, how large an order is in the answer, and whether the goal is met."""
    size = bytes_of_one / 1024
    print(f"{per_second:,.0f} orders of {lines} lines per second and core ({size:.1f} KiB each)")
    print(f"goal {goal:,}: {'met' if per_second >= goal else 'missed'}")
