"""Match one bill with its orders. This module is the entry point of the package.

It is pure: the same inputs always give the same result, and nothing is read or stored. The caller holds the orders'
lines locked, matches, and saves the reservation in one transaction, so two bills at once cannot both take the rest of
an order.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from matching.kernel.exact import Exact, sensible
from matching.kernel.inputs import Basis, BillLineToMatch, BillToMatch, OrderLineToMatch, OrderToMatch
from matching.kernel.ledger import LineLedger
from matching.kernel.lines import BilledLine, sort_lines
from matching.kernel.result import (
    BUILT_IN,
    FIRST_RULES,
    RULES,
    Finding,
    MatchInputs,
    MatchResult,
    Outcome,
    built_in,
)
from matching.policies.policies import TolerancePolicy
from matching.rules.duplicates import check_duplicates
from matching.rules.header import check_figures, check_header, numbers_are_sensible, two_currencies
from matching.rules.modes import BY_CONNECTION, ChosenMode, choose_mode, not_matched
from matching.rules.prices import check_arithmetic, check_blanket, check_line_amount, check_prices, check_quantity_value
from matching.rules.quantities import check_quantity, quantity_position
from matching.rules.sources import check_in_use, check_sources, choose_sources
from matching.rules.substitutes import check_substitutes
from matching.rules.tolerances import Applied, Tolerances
from matching.rules.totals import bill_total, check_not_below_zero, check_totals
from models.domain.bills import BillMatchMode
from models.domain.connections import MatchMode

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
    mode: MatchMode,
    orders: Sequence[OrderToMatch],
    bill: BillToMatch,
    policies: Sequence[TolerancePolicy] = (),
    *,
    rules: int = RULES,
) -> MatchResult:
    """Match a bill before it is saved. The outcome is that of the worst finding. `mode`: the connection's, which the
    bill or a policy may replace.

    The first order is the bill's own; lines may be on other orders. All policies may be given: each is used where its
    scope applies. The stored inputs keep only what mattered: the order lines the bill touches, and the policies that
    applied. `rules` is the version of the built-in rules; an older one only to compute a stored result again.
    """
    looked_at = _touched(orders, bill)
    tolerances = Tolerances(policies, bill, rules)
    figures = _figures(looked_at, bill)
    applied = tolerances.of_bill(looked_at[0] if looked_at else None)
    chosen = _chosen_mode(mode, looked_at, bill, applied, figures)
    findings = tuple(_check(chosen, looked_at, bill, tolerances, figures, rules))
    in_use = any(_in_use(order) for order in looked_at)
    if (in_use or not bill.several_sources) and all(finding.severity is not Outcome.BLOCK for finding in findings):
        # A bill that is refused anyway needs no sources.
        sources = choose_sources(looked_at, bill)
        findings += check_sources(sources, several_allowed=bill.several_sources, rules=rules)
        if in_use:
            findings += tuple(check_in_use(looked_at, sources))
    findings = tuple(_with_line_id(looked_at, finding) for finding in findings)
    if rules != RULES:
        findings = tuple(_named_by(rules, finding) for finding in findings)
    worst_finding = max(findings, key=lambda finding: finding.severity.rank, default=None)
    return MatchResult(
        outcome=worst_finding.severity if worst_finding else Outcome.OK,
        policy=worst_finding.policy if worst_finding else tolerances.most_specific or built_in(rules),
        mode=chosen.mode,
        mode_set_by=chosen.set_by,
        inputs=MatchInputs(
            po=", ".join(f"{order.number}@{order.snapshot}" for order in looked_at),
            mode=mode,
            orders=looked_at,
            bill=bill,
            policies=tolerances.used,
            rules=rules,
        ),
        findings=findings,
    )


def recompute(result: MatchResult) -> MatchResult:
    """Match again from the inputs stored with a result, under the built-in rules of its time. Anybody can check in this
    way that the result follows from them."""
    return recompute_with(result, result.inputs.policies)


def recompute_with(result: MatchResult, policies: Sequence[TolerancePolicy]) -> MatchResult:
    """Match again from the stored inputs under other policies, to try a change of policy on past bills."""
    inputs = result.inputs
    return match_bill(inputs.mode, inputs.orders, inputs.bill, policies, rules=inputs.rules)


def _in_use(order: OrderToMatch) -> bool:
    return bool(order.in_use) or any(receipt.in_use for line in order.lines for receipt in line.receipts)


def _with_line_id(orders: Sequence[OrderToMatch], finding: Finding) -> Finding:
    for order in orders:
        if finding.line is None or order.id != finding.purchase_order_id:
            continue
        for line in order.lines:
            if line.line_no == finding.line and line.erp_id is not None:
                return finding.model_copy(update={"order_line_id": line.erp_id})
    return finding


def _named_by(rules: int, finding: Finding) -> Finding:
    if finding.policy != BUILT_IN:
        return finding
    return finding.model_copy(update={"policy": built_in(rules)})


class _Figures(NamedTuple):
    """What many checks ask of the figures of the bill as a whole, computed once."""

    sensible: bool
    """True: the rules can compute with every amount of bill and orders that is on no line."""
    comes_to: Exact | None
    """The `bill_total`; None: nobody can add it up."""


def _figures(orders: Sequence[OrderToMatch], bill: BillToMatch) -> _Figures:
    whole = numbers_are_sensible(orders, bill)
    return _Figures(whole, bill_total(bill) if whole and sensible(*[line.amount for line in bill.lines]) else None)


def _chosen_mode(
    mode: MatchMode, orders: Sequence[OrderToMatch], bill: BillToMatch, applied: Applied, figures: _Figures
) -> ChosenMode:
    """Return how the bill is matched. Without an order there is nothing to choose; nor is there with figures that
    nobody can add up."""
    if not orders or figures.comes_to is None:
        return ChosenMode(BillMatchMode(mode), BY_CONNECTION)
    return choose_mode(mode, bill, applied, figures.comes_to)


def _check(
    chosen: ChosenMode,
    orders: Sequence[OrderToMatch],
    bill: BillToMatch,
    tolerances: Tolerances,
    figures: _Figures,
    rules: int,
) -> Iterator[Finding]:
    yield from check_header(orders, bill, rules, tolerances.of_bill(orders[0] if orders else None).days)
    unreckonable = list(check_figures(bill, sensible_numbers=figures.sensible))
    yield from unreckonable
    billed, unfit = sort_lines(orders, bill, rules)
    yield from unfit
    yield from check_substitutes(orders, bill)
    for line in billed:
        yield from _check_line(chosen.mode, bill, line, tolerances, rules)
    if rules > FIRST_RULES:
        yield from check_arithmetic(billed)
    comes_to = figures.comes_to
    if comes_to is not None and not unreckonable and not any(finding.code == "INVALID_NUMBER" for finding in unfit):
        # What is wrong with a line is told of once, and not by its sum again.
        if rules > FIRST_RULES and not any(finding.severity is Outcome.BLOCK for finding in unfit):
            yield from check_not_below_zero(bill, comes_to)
        matched = chosen.mode is not BillMatchMode.NONE
        yield from check_totals(orders, bill, comes_to, tolerances, against_orders=matched)
        if not matched:
            yield not_matched(bill, chosen, comes_to)
        yield from check_duplicates(bill, rules)


def _check_line(
    mode: BillMatchMode, bill: BillToMatch, line: BilledLine, tolerances: Tolerances, rules: int
) -> Iterator[Finding]:
    unmatched = mode is BillMatchMode.NONE
    if unmatched and not line.order_line.closed:  # a closed line is the ERP's own refusal
        return
    applied = tolerances.of_line(line)
    before = quantity_position(mode, line, applied)
    yield from check_quantity(bill, line, before, applied)
    if unmatched:
        return
    if line.order_line.basis is Basis.QUANTITY:
        yield from check_quantity_value(line, before, applied)
        # Two prices in two currencies are not compared: the currency itself is what is wrong (P16).
        if line.order.currency == bill.currency or rules == FIRST_RULES or not two_currencies(line.order, bill):
            yield from check_prices(line, applied)
        yield from check_line_amount(line, applied)
    yield from check_blanket(bill, line)


def _touched(orders: Sequence[OrderToMatch], bill: BillToMatch) -> tuple[OrderToMatch, ...]:
    """Return the orders with only the lines that the bill touches: no other line matters, and an order may be long."""
    touched = {(line.purchase_order_id, line.order_line_no) for line in bill.lines}
    return tuple(
        order.model_copy(update={"lines": tuple(line for line in order.lines if (order.id, line.line_no) in touched)})
        if any((order.id, line.line_no) not in touched for line in order.lines)
        else order
        for order in orders
    )
