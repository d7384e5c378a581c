"""How many bill lines the pure engine judges per second and core: no database, no workflow, one process.

Three figures. The first is the goal's: prepared inputs, policies of several levels in force, every check switched on,
a share of the lines with something to find. The second adds what a save pays on top: making the records of orders and
bill from plain values. The third is the whole of what a save does with the engine: the result as JSON, too.
"""

import gc
import time
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from bench.report import Figure, Report, at_least
from matching.bill import match_bill
from matching.kernel.inputs import BillToMatch, OrderToMatch
from matching.kernel.result import MatchResult
from matching.policies.policies import TolerancePolicy
from models.domain.connections import MatchMode

GOAL = 20_000
LINES_PER_BILL = 5
"""As many as the orders of the sync-in part have."""
BILLS = 1_000
TURNS = 5

SIDES = {"pct": "5", "abs": "50", "direction": "both"}
POLICIES = (
    {"id": "org", "checks": {"price": {"warn": {"pct": "2"}, "block": SIDES}, "qty": {"block": {"pct": "1"}}}},
    {
        "id": "org-totals",
        "scope": {"connection_id": "c"},
        "checks": {
            "po_total": {"block": {"pct": "1"}},
            "charges": {"block": {"pct": "5", "abs": "75"}},
            "tax": {"block": {"abs": "0.02"}},
        },
    },
    {"id": "vendor", "scope": {"vendor_id": "V-1"}, "checks": {"line_amount": {"block": SIDES}}},
    {"id": "another", "scope": {"vendor_id": "V-2"}, "checks": {"price": {"block": {"abs": "0.02"}}}},
    {"id": "screws", "scope": {"category": "screws"}, "checks": {"qty_value": {"block": {"abs": "25"}}}},
    {"id": "item", "scope": {"item_id": "ITEM-3"}, "checks": {"price": {"block": {"pct": "10"}}}},
)


def order_values(number: int) -> dict[str, Any]:
    """An order as plain values; every fourth line is in cases and billed in pieces."""
    return {
        "id": f"po_{number}",
        "number": f"PO-{number}",
        "snapshot": 3,
        "vendor_id": "V-1",
        "currency": "USD",
        "entity": "100",
        "status": "partially_filled",
        "matching_status": "active",
        "total": Decimal("600.00"),
        "billed_amount": Decimal("240.00"),
        "tax": Decimal("12.50"),
        "document_id": f"Purchase Order-PO-{number}",
        "lines": [
            {
                "line_no": line,
                "item_id": f"ITEM-{line}",
                "unit": "Case" if line == 4 else "Each",
                "units": [{"unit": "Each", "factor": Fraction(1, 12)}] if line == 4 else [],
                "price": Decimal("12.00"),
                "category": "screws" if line % 2 else "motors",
                "ledger": {"ordered": Decimal(10), "received": Decimal(8), "billed": Decimal(4)},
                "erp_id": f"{number}/{line}",
            }
            for line in range(1, LINES_PER_BILL + 1)
        ],
    }


def bill_values(number: int) -> dict[str, Any]:
    """A bill for it; of every ten, one bills ahead of its goods, one is too dear and one does not add up."""
    ahead, dear, wrong = number % 10 == 3, number % 10 == 5, number % 10 == 7
    lines: list[dict[str, Any]] = []
    for line in range(1, LINES_PER_BILL + 1):
        quantity = Decimal(48 if line == 4 else 6 if ahead and line == 2 else 4)
        price = Decimal("1.00" if line == 4 else "13.37" if dear and line == 1 else "12.00")
        lines.append(
            {
                "line_no": line,
                "purchase_order_id": f"po_{number}",
                "order_line_no": line,
                "quantity": quantity,
                "price": price,
                "amount": quantity * price,
                "unit": "Each" if line == 4 else "",
                "all_given": True,
            }
        )
    goods = sum((line["amount"] for line in lines), Decimal(0))
    tax = (goods * Decimal("12.50") / 600).quantize(Decimal("0.01"))
    return {
        "connection_id": "c",
        "vendor_id": "V-1",
        "number": f"INV-{number}",
        "currency": "USD",
        "entity": "100",
        "bill_date": "2026-03-01",
        "posting_date": "2026-03-01",
        "closed_through": "2026-01-31",
        "vendor_state": "active",
        "several_sources": False,
        "tax": tax,
        "charges": [{"charge_class": "freight", "amount": Decimal("9.00")}],
        "total": goods + tax + (Decimal("9.50") if wrong else Decimal("9.00")),
        "lines": lines,
    }


def measure(report: Report) -> None:
    """Print lines matched per second of this process's own time; the best of some turns, so that others show least."""
    policies = [TolerancePolicy.model_validate(each) for each in POLICIES]
    values = [(order_values(number), bill_values(number)) for number in range(BILLS)]
    prepared = [(OrderToMatch.model_validate(order), BillToMatch.model_validate(bill)) for order, bill in values]

    def match(order: OrderToMatch, bill: BillToMatch) -> MatchResult:
        return match_bill(MatchMode.THREE_WAY, [order], bill, policies)

    def prepared_only() -> Sequence[MatchResult]:
        return [match(order, bill) for order, bill in prepared]

    def with_records() -> Sequence[MatchResult]:
        return [match(OrderToMatch.model_validate(order), BillToMatch.model_validate(bill)) for order, bill in values]

    def with_json() -> Sequence[MatchResult]:
        results = with_records()
        for result in results:
            result.model_dump_json()
        return results

    outcomes = Counter(result.outcome.value for result in prepared_only())
    report.details["matching"] = {"bills": BILLS, "lines_per_bill": LINES_PER_BILL, "outcomes": dict(outcomes)}
    found = f"{len(POLICIES)} policies; " + ", ".join(
        f"{share / BILLS:.0%} {outcome}" for outcome, share in outcomes.items()
    )
    report.add(
        "Matching, one process, no input or output",
        [
            at_least("lines matched", _rate(prepared_only), "lines/s", GOAL, note=found),
            Figure("the same, records made from values", _rate(with_records), "lines/s"),
            Figure("the same, and the result as JSON", _rate(with_json), "lines/s"),
        ],
    )


def _rate(turn: Callable[[], Sequence[MatchResult]]) -> float:
    gc.collect()
    seconds: list[float] = []
    for _ in range(TURNS):
        started = time.process_time()
        turn()
        seconds.append(time.process_time() - started)
    return BILLS * LINES_PER_BILL / min(seconds)
