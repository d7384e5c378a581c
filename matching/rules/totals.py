"""Check the money of the whole bill and of whole orders: order total, sum of the bill, tax, charges."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from matching.kernel.exact import ZERO, Exact, add, divide, money, multiply, plain, size, subtract, total
from matching.kernel.inputs import BillToMatch, OrderToMatch
from matching.kernel.result import Finding, Outcome
from matching.policies.policies import Check
from matching.rules.prices import CENT, apply_bands, percent, tolerance
from matching.rules.tolerances import OFF, Applied, Tolerances


def check_totals(
    orders: Sequence[OrderToMatch],
    bill: BillToMatch,
    comes_to: Exact,
    tolerances: Tolerances,
    *,
    against_orders: bool = True,
) -> Iterator[Finding]:
    """Return all findings about money that is on no single line; `comes_to` is the bill's `bill_total`. Without
    `against_orders`, the bill's own tax and sum alone."""
    for position, order in enumerate(orders if against_orders else ()):
        yield from _order_total(order, bill, tolerances.of_bill(order), home=position == 0)
    applied = tolerances.of_bill(orders[0] if orders else None)
    if orders and against_orders:  # how much may be charged is a matter of what was ordered
        yield from _charges(orders, bill, applied)
        yield from _off_order(bill, applied)
    yield from _tax(orders, bill, applied)
    yield from _header_sum(bill, comes_to, applied)


def goods(bill: BillToMatch) -> Exact:
    """Return the sum of the bill's lines, on orders and off them, in money."""
    return add(total(line.amount for line in bill.lines), off_order(bill))


def off_order(bill: BillToMatch) -> Exact:
    """Return the sum of the lines that are on no order, in money."""
    return total(line.amount for line in bill.account_lines)


def bill_total(bill: BillToMatch) -> Exact:
    """Return the sum of the bill: lines, charges and tax less the discount, whatever its own total says."""
    charges = total(charge.amount for charge in bill.charges)
    return subtract(add(add(goods(bill), charges), bill.tax or ZERO), bill.discount)


def check_not_below_zero(bill: BillToMatch, comes_to: Exact) -> Iterator[Finding]:
    """Refuse a bill that would pay money back, because it is a credit. A total of exactly zero is allowed."""
    least = comes_to if bill.total is None else min(comes_to, bill.total)
    if least >= 0:
        return
    yield Finding(
        id="TOTAL_BELOW_ZERO",
        code="TOTAL_BELOW_ZERO",
        severity=Outcome.BLOCK,
        message=f"The bill comes to {money(least)}; a total below zero is a credit, not a bill.",
        rule="HEADER.TOTAL",
        formula="lines + charges + tax - discount < 0",
        values={
            "lines": plain(goods(bill)),
            "charges": plain(total(charge.amount for charge in bill.charges)),
            "tax": plain(bill.tax or ZERO),
            "discount": plain(bill.discount),
            "total": plain(least),
        },
        limit=ZERO,
        margin=least,
        money_at_stake=size(least),
        who="ap",
        fix=(
            "enter it as a vendor credit in the accounting system",
            "or correct the lines or the discount, if it is a bill after all",
        ),
    )


def _order_total(order: OrderToMatch, bill: BillToMatch, applied: Applied, *, home: bool) -> Iterator[Finding]:
    if order.total is None or applied.bands(Check.PO_TOTAL) is OFF:
        return
    now = total(line.amount for line in bill.lines if line.purchase_order_id == order.id)
    billed = add(order.billed_amount, now)
    yield from _finding(
        applied,
        Check.PO_TOTAL,
        "PO_TOTAL_DIFFERS",
        order=order,
        finding_id="PO_TOTAL_DIFFERS" if home else f"PO_TOTAL_DIFFERS:{order.id}",
        difference=subtract(billed, order.total),
        base=order.total,
        message=f"Order {order.number}: {money(billed)} billed with this bill, {money(order.total)} ordered",
        formula="billed amount - order total",
        values={"billed_before": order.billed_amount, "this_bill": now, "order_total": order.total},
        who="purchasing",
        fix=("have the order changed in the accounting system and sync", "or decide that the difference stands"),
    )


def _charges(orders: Sequence[OrderToMatch], bill: BillToMatch, applied: Applied) -> Iterator[Finding]:
    """Check each class of charges over all bills of these orders: three small freights are one large one."""
    if applied.bands(Check.CHARGES) is OFF:
        return
    now: dict[str, Exact] = defaultdict(lambda: ZERO)
    for charge in bill.charges:
        now[charge.charge_class] = add(now[charge.charge_class], charge.amount)
    base = total(order.total for order in orders if order.total is not None)
    for charge_class, amount in now.items():
        before = total(order.billed_charges.get(charge_class, ZERO) for order in orders)
        yield from _finding(
            applied,
            Check.CHARGES,
            "CHARGES_EXCEEDED",
            finding_id=f"CHARGES_EXCEEDED:{charge_class}",
            difference=add(before, amount),
            base=base,
            message=f"{charge_class.capitalize()} of {money(add(before, amount))} in all bills of the order",
            formula="charges of one class",
            values={"charged_before": before, "this_bill": amount, "goods_ordered": base},
            who="ap",
            fix=("ask the vendor why it was charged", "or decide that the charge stands"),
        )


def _off_order(bill: BillToMatch, applied: Applied) -> Iterator[Finding]:
    """Check how much of an order's bill is off the order."""
    if not bill.account_lines:
        return
    amount, on_orders = off_order(bill), total(line.amount for line in bill.lines)
    numbers = ", ".join(str(line.line_no) for line in bill.account_lines)
    yield from _finding(
        applied,
        Check.OFF_ORDER,
        "OFF_ORDER",
        finding_id="OFF_ORDER",
        difference=amount,
        base=on_orders,
        message=f"{money(amount)} on line {numbers} is on no order",
        formula="lines on no order",
        values={"off_order": amount, "on_orders": on_orders},
        who="purchasing",
        fix=("have the order changed in the accounting system and bill its line", "or decide that it stands"),
    )


def _tax(orders: Sequence[OrderToMatch], bill: BillToMatch, applied: Applied) -> Iterator[Finding]:
    expected = None if applied.bands(Check.TAX) is OFF else expected_tax(orders, bill)
    if expected is None:
        return
    billed = bill.tax or ZERO
    yield from _finding(
        applied,
        Check.TAX,
        "TAX_DIFFERS",
        finding_id="TAX_DIFFERS",
        difference=subtract(billed, expected),
        base=expected,
        message=f"Tax of {money(billed)} billed, {money(expected)} expected",
        formula="tax_bill - expected tax",
        values={"tax": billed, "expected": expected},
        who="ap",
        fix=("ask the vendor for a corrected invoice", "or decide that the billed tax stands"),
    )


def expected_tax(orders: Sequence[OrderToMatch], bill: BillToMatch) -> Exact | None:
    """Return the expected tax that is given, else each order's tax by the share of its goods that is billed; None:
    nothing says."""
    if bill.expected_tax is not None:
        return bill.expected_tax
    shares: list[Exact] = []
    for order in orders:
        if order.tax is None or not order.total:
            return None
        amount = total(line.amount for line in bill.lines if line.purchase_order_id == order.id)
        shares.append(divide(multiply(order.tax, amount), order.total))
    return total(shares) if shares else None


def _header_sum(bill: BillToMatch, comes_to: Exact, applied: Applied) -> Iterator[Finding]:
    if bill.total is None or comes_to == bill.total:
        return
    yield from _finding(
        applied,
        Check.HEADER_SUM,
        "HEADER_SUM",
        finding_id="HEADER_SUM",
        difference=subtract(comes_to, bill.total),
        base=multiply(CENT, Decimal(len(bill.lines) + len(bill.account_lines))),
        message=f"The bill says {money(bill.total)} in all, its parts add up to {money(comes_to)}",
        formula="lines + charges + tax - discount - total",
        values={
            "lines": goods(bill),
            "charges": total(charge.amount for charge in bill.charges),
            "tax": bill.tax or ZERO,
            "discount": bill.discount,
            "total": bill.total,
        },
        who="ap",
        fix=("enter what is missing (a line, a charge, tax or a discount)", "or correct the total"),
        in_percent=False,
    )


def _finding(
    applied: Applied,
    check: Check,
    code: str,
    *,
    finding_id: str,
    difference: Exact,
    base: Exact,
    message: str,
    formula: str,
    values: dict[str, Exact],
    who: str,
    fix: tuple[str, ...],
    order: OrderToMatch | None = None,
    in_percent: bool = True,
) -> Iterator[Finding]:
    judged = apply_bands(applied.bands(check), difference, base)
    if judged is None:
        return
    severity, beyond, limits = judged
    share = percent(difference, base) if in_percent else ""
    yield Finding(
        id=finding_id,
        code=code,
        severity=severity,
        message=f"{message}{f' ({share})' if share else ''}; {money(beyond.allowed)} is tolerated.",
        purchase_order_id=order.id if order else None,
        rule=f"{check.name}.{severity}",
        formula=f"{formula} beyond tolerance",
        values={name: plain(value) for name, value in values.items()}
        | {"difference": plain(difference), "percent": share}
        | tolerance(limits),
        limit=beyond.allowed if difference > 0 else subtract(ZERO, beyond.allowed),
        margin=subtract(beyond.allowed, size(difference)),
        money_at_stake=difference,
        policy=beyond.policy,
        who=who,
        fix=fix,
    )
