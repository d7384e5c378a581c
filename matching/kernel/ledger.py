"""Compute the ledger of one purchase order line: what was ordered, received and billed, exactly.

Adding E (what the ERP billed) and P (ours, not yet part of E) keeps the double sync right at every moment: a quantity
moves from P to E in one transaction, so B never counts it twice and never loses it.
"""

from matching.kernel.exact import ZERO, Exact, add, sensible, subtract
from models.domain.record import Record


class LineLedger(Record):
    """The quantities of one order line, all in the line's own unit.

    For a line billed by amount (services, blanket orders) all of them are amounts of money in the order's currency; the
    same rules apply.
    """

    ordered: Exact
    """O: as the ERP's latest revision has it."""
    cancelled: Exact = ZERO
    """X: cancelled or closed short."""
    received: Exact = ZERO
    """R: received."""
    returned: Exact = ZERO
    """T: returned to the vendor."""
    billed: Exact = ZERO
    """E: billed, as the ERP reports it."""
    pending: Exact = ZERO
    """P: on our bills and not yet part of E, without the bill that is being matched."""
    credited: Exact = ZERO
    """C: credited quantity that may be billed again and is still part of E."""

    @property
    def effective_ordered(self) -> Exact:
        """Return O_eff = O - X."""
        return subtract(self.ordered, self.cancelled)

    @property
    def net_received(self) -> Exact:
        """Return R_net = R - T."""
        return subtract(self.received, self.returned)

    @property
    def net_billed(self) -> Exact:
        """Return B = E + P - C."""
        return subtract(add(self.billed, self.pending), self.credited)

    @property
    def remaining(self) -> Exact:
        """Return what may still be billed of the order. It is negative if more was billed than ordered."""
        return subtract(self.effective_ordered, self.net_billed)

    @property
    def unbilled_received(self) -> Exact:
        """Return what was received and not billed. It is negative if the bill came before the goods."""
        return subtract(self.net_received, self.net_billed)

    @property
    def without_sign(self) -> "LineLedger":
        """Return the ledger with positive amounts, for a line whose amounts are below zero (a rebate by amount), so
        that the rules can be applied to it."""
        if self.effective_ordered >= 0:
            return self
        return LineLedger(
            ordered=subtract(ZERO, self.ordered),
            cancelled=subtract(ZERO, self.cancelled),
            received=subtract(ZERO, self.received),
            returned=subtract(ZERO, self.returned),
            billed=subtract(ZERO, self.billed),
            pending=subtract(ZERO, self.pending),
            credited=subtract(ZERO, self.credited),
        )

    @property
    def sensible(self) -> bool:
        """Return whether the rules can compute with all of the numbers; see `exact.sensible`."""
        return sensible(
            self.ordered, self.cancelled, self.received, self.returned, self.billed, self.pending, self.credited
        )

    @property
    def hidden(self) -> bool:
        """Return whether later bills leave the line out: all of it is received and billed.

        An over-receipt that is not billed yet keeps the line visible, and so does a line billed ahead of its goods.
        """
        ceiling = max(self.effective_ordered, self.net_received)
        return self.net_received >= self.effective_ordered and self.net_billed >= ceiling
