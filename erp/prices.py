"""Decide which unit price a bill line is sent with."""

from decimal import ROUND_HALF_UP, Decimal

from erp.errors import Rejected

CENT = Decimal("0.01")


def unit_price(amount: Decimal, quantity: Decimal, own: Decimal | None, *, decimals: int) -> Decimal:
    """Return the bill's own price as it was written, if it comes to the amount; else amount / quantity with the
    decimals that the ERP keeps.

    Some prices have no end (100 / 3), so the line's amount is what must be exact; the read-back compares it.

    Raises:
        Rejected: VALUE_REFUSED, when the quantity is zero.
    """
    if quantity == 0:
        raise Rejected("A bill line needs a quantity.", code="VALUE_REFUSED", evidence={"quantity": "0"})
    kept = Decimal(1).scaleb(-decimals)
    if own is not None and own == own.quantize(kept) and (own * quantity).quantize(CENT, ROUND_HALF_UP) == amount:
        return own
    return (amount / quantity).quantize(kept, rounding=ROUND_HALF_UP)
