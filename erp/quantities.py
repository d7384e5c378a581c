"""Quantities without an end in their order's unit, a third of a box: what is sent, and whether the ERP shows it.

Each is rounded down, so that the parts never come to more than the box; the part that fills the order takes the rest.
"""

from decimal import Decimal

DUST = Decimal("0.000001")
"""What many roundings come to together, and no real quantity."""


def filling(quantity: Decimal, left: Decimal | None, dust: Decimal = DUST) -> Decimal:
    """Return a rounded quantity as it is sent: all that is `left` of its order line, where nothing but what was rounded
    off before lies between them, less than `dust`. None: it is not known what is left."""
    return left if left is not None and 0 < left - quantity < dust else quantity


def is_same(sent: Decimal, shown: Decimal, *, rounded: bool, dust: Decimal = DUST) -> bool:
    """Return whether the ERP holds the quantity that was sent; one that was rounded may have taken the rest."""
    return sent == shown or (rounded and abs(sent - shown) < dust)
