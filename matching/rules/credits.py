"""Work out what was billed and is not owed: returns that call for a vendor credit."""

from matching.kernel.exact import ZERO, Exact, subtract
from matching.kernel.ledger import LineLedger
from models.domain.bills import BillMatchMode


def expected_credit(mode: BillMatchMode, ledger: LineLedger, *, received_before: Exact | None = None) -> Exact:
    """Return the quantity that was billed, returned and not credited yet: B - R_net after a return, and never more than
    what left.

    A bill ahead of its goods expects goods, not a credit. `received_before` (R_net of then) shows goods that left
    without a return document: a receipt that was lowered. Only 3-way matching looks at receipts and expects a credit.
    """
    if mode is not BillMatchMode.THREE_WAY:
        return ZERO
    lowered = ZERO if received_before is None else subtract(received_before, ledger.net_received)
    left = max(ledger.returned, lowered, ZERO)
    return min(left, max(subtract(ledger.net_billed, ledger.net_received), ZERO))
