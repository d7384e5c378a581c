"""The ledger of one purchase order line: what was ordered, received and billed, exactly.

Adding E (what the ERP billed) and P (ours, not yet inside E) is what keeps the double sync right at every moment:
a quantity moves from P to E in one transaction, so B never counts it twice and never loses it (S4-65..67).
"""

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

from models.domain import Record

EXACT = Context(prec=1_000, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""Arithmetic that raises rather than rounds: the default 28 digits would round away a tiny excess unseen."""

ZERO = Decimal(0)


class LineLedger(Record):
    """One order line's quantities, all in the line's own unit (matching rules 3.1)."""

    ordered: Decimal
    """O: as the ERP's latest revision has it."""
    cancelled: Decimal = ZERO
    """X: cancelled or closed short."""
    received: Decimal = ZERO
    """R."""
    returned: Decimal = ZERO
    """T: returned to the vendor."""
    billed: Decimal = ZERO
    """E: billed, by the ERP's own word."""
    pending: Decimal = ZERO
    """P: on our bills and not yet inside E, without the bill that is being matched."""
    credited: Decimal = ZERO
    """C: credited quantity that may be billed again and that E does not already leave out."""

    @property
    def effective_ordered(self) -> Decimal:
        """O_eff = O - X."""
        return EXACT.subtract(self.ordered, self.cancelled)

    @property
    def net_received(self) -> Decimal:
        """R_net = R - T."""
        return EXACT.subtract(self.received, self.returned)

    @property
    def net_billed(self) -> Decimal:
        """B = E + P - C."""
        return EXACT.subtract(EXACT.add(self.billed, self.pending), self.credited)

    @property
    def remaining(self) -> Decimal:
        """What may still be billed of the order. Negative once more was billed than ordered."""
        return EXACT.subtract(self.effective_ordered, self.net_billed)

    @property
    def unbilled_received(self) -> Decimal:
        """What was received and not billed. Negative where the bill came before the goods."""
        return EXACT.subtract(self.net_received, self.net_billed)

    @property
    def hidden(self) -> bool:
        """Whether the line is left out of later bills: all received and all of it billed (S4-36).

        An over-receipt that is not billed yet keeps the line visible, and so does a line billed ahead of its goods.
        """
        ceiling = max(self.effective_ordered, self.net_received)
        return self.net_received >= self.effective_ordered and self.net_billed >= ceiling
