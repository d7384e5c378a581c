"""Work out what was billed and is not owed: returns that call for a vendor credit."""

from matching.kernel.exact import ZERO, Exact, subtract
from matching.kernel.ledger import LineLedger
from models.domain.connections import MatchMode


def expected_credit(mode: MatchMode, ledger: LineLedger, *, received_before: Exact | None = None) -> Exact:
    """Return the quantity that was billed, returned and not credited yet: B - R_net after a return.

    Without a return, a bill ahead of its goods expects goods, not a credit. `received_before` shows goods that left
    without a return document: a receipt that was lowered. 2-way matching knows no receipts, and expects no credit.
    """
    went_back = ledger.returned > 0 or (received_before is not None and received_before > ledger.net_received)
    if mode is MatchMode.TWO_WAY or not went_back:
        return ZERO
    return max(subtract(ledger.net_billed, ledger.net_received), ZERO)
