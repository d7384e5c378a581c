"""Invoices made up from orders, worded as suppliers do: abbreviated, shuffled, misspelt, with lines on no order.

The labelled set has item codes and no wording; this is the other half of what suggestions go by. The same seed makes
the same invoices.
"""

import random
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from matching.kernel.exact import as_decimal
from matching.kernel.ledger import LineLedger
from matching.suggest.suggestion import CandidateLine, InvoiceLine
from models.domain.ids import PurchaseOrderId

SIZED = ("Hex bolt", "Socket screw", "Washer", "Lock nut", "Threaded rod")
PIPES = ("Copper pipe", "PVC pipe", "Ball valve", "Gate valve")
OTHERS = ("Cable tie", "Toner cartridge", "Copy paper", "Office chair", "LED lamp", "Safety glove")
FINISHES = ("zinc plated", "stainless A2", "stainless A4", "galvanised", "black", "white", "brass")
SHORT = {
    "stainless": "st.st.",
    "plated": "pl",
    "galvanised": "galv",
    "cartridge": "cartr.",
    "black": "blk",
    "white": "wht",
    "threaded": "thr",
    "screw": "scr",
    "paper": "ppr",
    "valve": "vlv",
}
EXTRAS = ("Freight", "Pallet deposit", "Small order surcharge")
ORDERS = 25

Place = tuple[str, int]


class Made(NamedTuple):
    """One invoice, the vendor's open orders, and which line bills which; None: no order's."""

    candidates: list[CandidateLine]
    lines: list[InvoiceLine]
    meant: Mapping[int, Place | None]
    text: str
    """The order's number on half of those invoices that bill one order only."""


def invoices(count: int, seed: int) -> Iterator[Made]:
    """So many invoices, each with 25 open orders of its vendor out of a catalogue of 150 items."""
    chance = random.Random(seed)
    catalogue = [(f"IT-{n:04}", _thing(chance), Decimal(chance.randint(10, 20_000)) / 100) for n in range(150)]
    for _ in range(count):
        yield _invoice(chance, catalogue)


def _thing(chance: random.Random) -> str:
    kind = chance.choice(SIZED + PIPES + OTHERS)
    if kind in SIZED:
        size = f"M{chance.choice([4, 5, 6, 8, 10, 12, 16])}x{chance.choice([10, 16, 20, 25, 30, 40, 50, 60, 80, 100])}"
    elif kind in PIPES:
        size = f"{chance.choice([15, 18, 22, 28, 35])} mm"
    else:
        size = f"type {chance.randint(100, 999)}"
    return f"{kind} {size} {chance.choice(FINISHES)}"


def _invoice(chance: random.Random, catalogue: list[tuple[str, str, Decimal]]) -> Made:
    candidates = []
    for order in range(ORDERS):
        for line_no, (code, name, price) in enumerate(chance.sample(catalogue, chance.randint(1, 8)), start=1):
            ordered = Decimal(chance.choice([2, 4, 10, 20, 50, 100]))
            billed = chance.choice([Decimal(0), Decimal(0), Decimal(0), ordered / 2])
            candidates.append(
                CandidateLine(
                    purchase_order_id=PurchaseOrderId(f"po_{order}"),
                    order_number=f"PO-{1000 + order}",
                    line_no=line_no,
                    item_id=code,
                    description=name,
                    unit="Each",
                    price=price,
                    ledger=LineLedger(ordered=ordered, billed=billed),
                )
            )
    billed_orders = chance.sample(range(ORDERS), chance.choice([1, 1, 2]))
    numbers = {f"PO-{1000 + order}" for order in billed_orders}
    lines: list[InvoiceLine] = []
    meant: dict[int, Place | None] = {}
    for candidate in candidates:
        if candidate.order_number in numbers and chance.random() < 0.8:
            meant[len(lines) + 1] = (candidate.order_number, candidate.line_no)
            lines.append(_line(chance, len(lines) + 1, candidate))
    for _ in range(chance.randint(0, 2)):
        meant[len(lines) + 1] = None
        name = chance.choice([_thing(chance), *EXTRAS])
        price = Decimal(chance.randint(10, 20_000)) / 100
        lines.append(
            InvoiceLine(line_no=len(lines) + 1, description=_worded(chance, name), quantity=Decimal(1), price=price)
        )
    named = len(numbers) == 1 and chance.random() < 0.5
    return Made(candidates, lines, meant, f"PO {1000 + billed_orders[0]}" if named else "")


def _line(chance: random.Random, line_no: int, candidate: CandidateLine) -> InvoiceLine:
    left = as_decimal(candidate.ledger.remaining)
    price = candidate.price
    if chance.random() < 0.15:
        price = (price * Decimal(chance.choice(["0.97", "1.03", "1.08"]))).quantize(Decimal("0.01"))
    return InvoiceLine(
        line_no=line_no,
        description=_worded(chance, candidate.description),
        item_code=chance.choice(["", "", f"V{chance.randint(1000, 9999)}"]),
        quantity=left if chance.random() < 0.6 else left / 2,
        unit=chance.choice(["", "Each", "EA", "pcs"]),
        price=price,
    )


def _worded(chance: random.Random, name: str) -> str:
    words = [SHORT.get(term.casefold(), term) if chance.random() < 0.5 else term for term in name.split()]
    if chance.random() < 0.5:
        chance.shuffle(words)
    if chance.random() < 0.3 and len(words) > 3:
        words.pop(chance.randrange(len(words)))
    text = " ".join(words)
    if chance.random() < 0.4 and len(text) > 6:
        slip = chance.randrange(len(text) - 1)
        text = text[:slip] + text[slip + 1] + text[slip] + text[slip + 2 :]
    return text.upper() if chance.random() < 0.5 else text
