"""The ledger of one purchase order line: what was ordered, received and billed, exactly.

Adding E (what the ERP billed) and P (ours, not yet inside E) is what keeps the double sync right at every moment:
a quantity moves from P to E in one transaction, so B never counts it twice and never loses it (S4-65..67).
"""

from matching.exact import ZERO, Exact, add, sensible, subtract
from models.domain import Record


class LineLedger(Record):
    """One order line's quantities, all in the line's own unit (matching rules 3.1).

    Of an amount-only line (services, blanket orders) all of them are amounts of money in the order's currency: the
    same rules hold for them (rules 3.6, A01..A05).
    """

    ordered: Exact
    """O: as the ERP's latest revision has it."""
    cancelled: Exact = ZERO
    """X: cancelled or closed short."""
    received: Exact = ZERO
    """R."""
    returned: Exact = ZERO
    """T: returned to the vendor."""
    billed: Exact = ZERO
    """E: billed, by the ERP's own word."""
    pending: Exact = ZERO
    """P: on our bills and not yet inside E, without the bill that is being matched."""
    credited: Exact = ZERO
    """C: credited quantity that may be billed again and that E does not already leave out."""

    @property
    def effective_ordered(self) -> Exact:
        """O_eff = O - X."""
        return subtract(self.ordered, self.cancelled)

    @property
    def net_received(self) -> Exact:
        """R_net = R - T."""
        return subtract(self.received, self.returned)

    @property
    def net_billed(self) -> Exact:
        """B = E + P - C."""
        return subtract(add(self.billed, self.pending), self.credited)

    @property
    def remaining(self) -> Exact:
        """What may still be billed of the order. Negative once more was billed than ordered."""
        return subtract(self.effective_ordered, self.net_billed)

    @property
    def unbilled_received(self) -> Exact:
        """What was received and not billed. Negative where the bill came before the goods."""
        return subtract(self.net_received, self.net_billed)

    @property
    def sensible(self) -> bool:
        """Whether all of it can be reckoned with; see `exact.sensible`."""
        return (
            sensible(self.ordered)
            and sensible(self.cancelled)
            and sensible(self.received)
            and sensible(self.returned)
            and sensible(self.billed)
            and sensible(self.pending)
            and sensible(self.credited)
        )

    @property
    def hidden(self) -> bool:
        """Whether the line is left out of later bills: all received and all of it billed (S4-36).

        An over-receipt that is not billed yet keeps the line visible, and so does a line billed ahead of its goods.
        """
        ceiling = max(self.effective_ordered, self.net_received)
        return self.net_received >= self.effective_ordered and self.net_billed >= ceiling
