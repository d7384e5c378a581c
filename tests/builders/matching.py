"""Orders and bills in a few words, for the tests of the rules."""

from decimal import Decimal

from matching.bill import (
    BillLineToMatch,
    BillToMatch,
    LineLedger,
    MatchResult,
    OrderLineToMatch,
    OrderToMatch,
    match_bill,
)
from matching.policies.policies import TolerancePolicy
from models.domain.connections import MatchMode
from models.domain.orders import MatchingStatus, PoStatus

HOME = "po_1"
MODES = {"2": MatchMode.TWO_WAY, "3": MatchMode.THREE_WAY}


def an_order(
    *ledgers: LineLedger,
    closed_lines: tuple[int, ...] = (),
    price: Decimal | str = "25.00",
    line: dict[str, object] | None = None,
    **header: object,
) -> OrderToMatch:
    """An open order of vendor V-1 with one line per ledger, each at the same price; `line` is what else all lines have.

    Without a ledger it is one line of 10, all received.
    """
    ledgers = ledgers or (a_ledger(10, 10),)
    lines = tuple(
        OrderLineToMatch.model_validate(
            {
                "line_no": number,
                "item_id": f"ITEM-{number}",
                "unit": "Each",
                "price": Decimal(price),
                "ledger": ledger,
                "closed": number in closed_lines,
            }
            | (line or {})
        )
        for number, ledger in enumerate(ledgers, start=1)
    )
    facts: dict[str, object] = {
        "id": HOME,
        "number": "PO-1007",
        "snapshot": 5,
        "vendor_id": "V-1",
        "currency": "USD",
        "entity": "100",
        "status": PoStatus.UNFILLED,
        "matching_status": MatchingStatus.ACTIVE,
        "lines": lines,
    }
    return OrderToMatch.model_validate(facts | header)


def a_bill(
    *quantities: Decimal | str | int | tuple[int, Decimal | str | int],
    price: Decimal | str = "25.00",
    amount: Decimal | str | None = None,
    unit: str = "",
    **header: object,
) -> BillToMatch:
    """A bill of vendor V-1; a bare quantity bills line 1, a pair names the order line.

    Every line has the same price and unit; its amount is quantity times price where none is given.
    """
    pairs = [quantity if isinstance(quantity, tuple) else (1, quantity) for quantity in quantities]
    lines = tuple(
        BillLineToMatch(
            line_no=number,
            purchase_order_id=HOME,
            order_line_no=order_line,
            quantity=Decimal(quantity),
            price=Decimal(price),
            amount=Decimal(price) * Decimal(quantity) if amount is None else Decimal(amount),
            unit=unit,
        )
        for number, (order_line, quantity) in enumerate(pairs, start=1)
    )
    facts: dict[str, object] = {
        "vendor_id": "V-1",
        "number": "INV-1",
        "currency": "USD",
        "entity": "100",
        "lines": lines,
    }
    return BillToMatch.model_validate(facts | header)


def a_ledger(
    ordered: Decimal | str | int, received: Decimal | str | int = 0, billed: Decimal | str | int = 0, **rest: object
) -> LineLedger:
    return LineLedger.model_validate({"ordered": ordered, "received": received, "billed": billed} | rest)


def run_match(mode: str, ledger: LineLedger, quantity: Decimal | str | int) -> MatchResult:
    """Match a bill of one line with an order of one line; mode is 2 or 3."""
    return match_bill(MODES[mode], [an_order(ledger)], a_bill(quantity))


def codes(result: MatchResult) -> list[str]:
    return [finding.code for finding in result.findings]


def block(**band: object) -> dict[str, object]:
    """A tolerance whose block band is this; nothing is said of the warn band."""
    return {"block": band}


def warn(**band: object) -> dict[str, object]:
    """A tolerance whose warn band is this."""
    return {"warn": band}


def a_policy(id: str = "tol-1", *, scope: dict[str, str] | None = None, **said: object) -> TolerancePolicy:
    """A policy of the organization, or of a scope; checks by name, switches by theirs."""
    switches = {name: value for name, value in said.items() if isinstance(value, bool)}
    checks = {name: value for name, value in said.items() if name not in switches}
    return TolerancePolicy.model_validate({"id": id, "scope": scope or {}, "checks": checks, **switches})


def of_two_way(order: OrderToMatch, bill: BillToMatch, *policies: TolerancePolicy) -> MatchResult:
    """Match one order with one bill, receipts aside."""
    return match_bill(MatchMode.TWO_WAY, [order], bill, policies)
