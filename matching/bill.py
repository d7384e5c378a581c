"""Match one bill with one order: the face of this package.

Pure: the same inputs always give the same result, nothing is read and nothing is kept. The caller holds the order's
lines locked, matches, and saves the reservation in one transaction; so two bills at once cannot both take the rest.
"""

from matching.header import check_header
from matching.inputs import BillLineToMatch, BillToMatch, OrderLineToMatch, OrderToMatch
from matching.ledger import LineLedger
from matching.quantities import check_quantities
from matching.result import Finding, MatchInputs, MatchResult, Outcome, worst
from models.domain import MatchMode

__all__ = [
    "BillLineToMatch",
    "BillToMatch",
    "Finding",
    "LineLedger",
    "MatchResult",
    "OrderLineToMatch",
    "OrderToMatch",
    "Outcome",
    "match_bill",
]


def match_bill(mode: MatchMode, order: OrderToMatch, bill: BillToMatch) -> MatchResult:
    """Judge a bill before it is saved (S4-28, S4-34, S4-40, S4-41). The outcome is that of the worst finding.

    The stored inputs keep only the order lines the bill touches: no other line has a say, and an order may be long.
    """
    touched = {line.order_line_no for line in bill.lines}
    looked_at = order.model_copy(update={"lines": tuple(line for line in order.lines if line.line_no in touched)})
    findings = (*check_header(looked_at, bill), *check_quantities(mode, looked_at, bill))
    return MatchResult(
        outcome=worst(finding.severity for finding in findings),
        inputs=MatchInputs(po=f"{order.number}@{order.snapshot}", mode=mode, order=looked_at, bill=bill),
        findings=findings,
    )
