"""Match one bill with its orders: the face of this package.

Pure: the same inputs always give the same result, nothing is read and nothing is kept. The caller holds the orders'
lines locked, matches, and saves the reservation in one transaction; so two bills at once cannot both take the rest.
"""

from collections.abc import Iterator, Sequence

from matching.duplicates import check_kept
from matching.header import check_figures, check_header
from matching.inputs import Basis, BillLineToMatch, BillToMatch, OrderLineToMatch, OrderToMatch
from matching.ledger import LineLedger
from matching.lines import BilledLine, sort_lines
from matching.policies import TolerancePolicy
from matching.prices import check_blanket, check_line_amount, check_prices, check_quantity_value
from matching.quantities import check_quantity, standing
from matching.result import Finding, MatchInputs, MatchResult, Outcome
from matching.sources import check_sources, choose_sources
from matching.tolerances import Tolerances
from matching.totals import check_totals
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
    "recompute",
    "recompute_with",
]


def match_bill(
    mode: MatchMode, orders: Sequence[OrderToMatch], bill: BillToMatch, policies: Sequence[TolerancePolicy] = ()
) -> MatchResult:
    """Judge a bill before it is saved (S4-28, S4-34, S4-40, S4-41). The outcome is that of the worst finding.

    The first order is the bill's own; lines may be on others. All policies may be given, each is used where its scope
    says. The stored inputs keep only what had a say: the order lines the bill touches and the policies that held.
    """
    looked_at = _touched(orders, bill)
    tolerances = Tolerances(policies, bill)
    findings = tuple(_check(mode, looked_at, bill, tolerances))
    if not bill.several_sources and all(finding.severity is not Outcome.BLOCK for finding in findings):
        # How a bill that is refused anyway would be converted is nobody's question.
        findings += check_sources(choose_sources(looked_at, bill), several_allowed=False)
    worst_finding = max(findings, key=lambda finding: finding.severity.rank, default=None)
    return MatchResult(
        outcome=worst_finding.severity if worst_finding else Outcome.OK,
        policy=worst_finding.policy if worst_finding else tolerances.most_specific,
        inputs=MatchInputs(
            po=", ".join(f"{order.number}@{order.snapshot}" for order in looked_at),
            mode=mode,
            orders=looked_at,
            bill=bill,
            policies=tolerances.used,
        ),
        findings=findings,
    )


def recompute(result: MatchResult) -> MatchResult:
    """The same match again from what was stored with it: anybody can check that the answer follows from it."""
    return recompute_with(result, result.inputs.policies)


def recompute_with(result: MatchResult, policies: Sequence[TolerancePolicy]) -> MatchResult:
    """What the match would have been under other policies: a change of policy can be tried on bills of the past."""
    return match_bill(result.inputs.mode, result.inputs.orders, result.inputs.bill, policies)


def _check(
    mode: MatchMode, orders: Sequence[OrderToMatch], bill: BillToMatch, tolerances: Tolerances
) -> Iterator[Finding]:
    yield from check_header(orders, bill)
    unreckonable = list(check_figures(orders, bill))
    yield from unreckonable
    billed, unfit = sort_lines(orders, bill)
    yield from unfit
    for line in billed:
        yield from _check_line(mode, bill, line, tolerances)
    if not unreckonable and not any(finding.code == "INVALID_NUMBER" for finding in unfit):
        yield from check_totals(orders, bill, tolerances)
        yield from check_kept(bill)


def _check_line(mode: MatchMode, bill: BillToMatch, line: BilledLine, tolerances: Tolerances) -> Iterator[Finding]:
    applied = tolerances.of_line(line)
    before = standing(mode, line.order_line.ledger, applied)
    yield from check_quantity(bill, line, before, applied)
    if line.order_line.basis is Basis.QUANTITY:
        yield from check_quantity_value(line, before, applied)
        yield from check_prices(line, applied)
        yield from check_line_amount(line, applied)
    yield from check_blanket(bill, line)


def _touched(orders: Sequence[OrderToMatch], bill: BillToMatch) -> tuple[OrderToMatch, ...]:
    """The orders with the lines that the bill touches: no other line has a say, and an order may be long."""
    touched = {(line.purchase_order_id, line.order_line_no) for line in bill.lines}
    return tuple(
        order.model_copy(update={"lines": tuple(line for line in order.lines if (order.id, line.line_no) in touched)})
        if any((order.id, line.line_no) not in touched for line in order.lines)
        else order
        for order in orders
    )
