"""Work out what was billed and is not owed: returns that call for a vendor credit."""

from matching.kernel.exact import ZERO, Exact, subtract
from matching.kernel.ledger import LineLedger
from models.domain.bills import BillMatchMode


def expected_credit(mode: BillMatchMode, ledger: LineLedger, *, received_before: Exact | None = None) -> Exact:
    """Return the quantity that was billed, returned and not credited yet: B - R_net after a return.

    Without a return, a bill ahead of its goods expects goods, not a credit. `received_before` shows goods that left
    without a return document: a receipt that was lowered. Only 3-way matching looks at receipts and expects a credit.
    """
    went_back = ledger.returned > 0 or (received_before is not None and received_before > ledger.net_received)
    if mode is not BillMatchMode.THREE_WAY or not went_back:
        return ZERO
    return max(subtract(ledger.net_billed, ledger.net_received), ZERO)
