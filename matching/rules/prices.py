"""Check the money of one order line: price, amount, and the value of quantity nobody ordered or received.

Prices have a built-in policy, and a line's own arithmetic is always checked; the rest once a policy sets a limit. The
supplier's figures are compared, never rewritten.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from matching.kernel.exact import (
    EXACT,
    ZERO,
    Exact,
    add,
    divide,
    money,
    multiply,
    plain,
    rounded,
    shown,
    size,
    subtract,
)
from matching.kernel.inputs import BillLineToMatch, BillToMatch
from matching.kernel.lines import BilledLine
from matching.kernel.result import Finding, Outcome
from matching.policies.policies import Check, Direction
from matching.rules.quantities import QuantityPosition
from matching.rules.tolerances import OFF, Applied, Bands, Beyond, Limits

HUNDRED = Decimal(100)


class BandResult(NamedTuple):
    """How bad a difference is, and what would have passed."""

    severity: Outcome
    beyond: Beyond
    limits: Limits


def apply_bands(bands: Bands, difference: Exact, base: Exact) -> BandResult | None:
    """Compare a difference with both bands of a check: beyond `block` the bill is held, beyond `warn` it needs an
    acknowledgement."""
    for severity, limits in ((Outcome.HOLD, bands.block), (Outcome.WARN, bands.warn)):
        if limits is not None:
            beyond = limits.beyond(difference, base)
            if beyond is not None:
                return BandResult(severity, beyond, limits)
    return None


def percent(difference: Exact, base: Exact) -> str:
    """Return a difference as a percentage for display, `+15.5 %`; nothing if the base is zero."""
    if base == 0:
        return ""
    share = rounded(multiply(divide(difference, size(base)), HUNDRED), 2)
    return f"{'+' if share > 0 else ''}{plain(share)} %"


def check_prices(line: BilledLine, applied: Applied) -> Iterator[Finding]:
    """Compare each bill line's price with the order's, per order unit."""
    bands = applied.bands(Check.PRICE)
    if bands is OFF:
        return
    agreed = line.order_line.price
    for bill_line, quantity, price in zip(line.bill_lines, line.quantities, line.prices, strict=True):
        difference = subtract(price, agreed)
        if difference == 0:
            continue
        judged = apply_bands(bands, difference, agreed) or _favourable(bands, difference, agreed)
        if judged is None:
            continue
        severity, beyond, limits = judged
        higher = difference > 0
        limit = add(agreed, beyond.allowed) if higher else subtract(agreed, beyond.allowed)
        unit = line.order_line.unit or "unit"
        yield Finding(
            id=f"PRICE_DIFFERS:bill-line-{bill_line.line_no}",
            code="PRICE_DIFFERS",
            severity=severity,
            message=(
                f"{line.name}: billed at {money(price)} per {unit}, ordered at {money(agreed)}"
                f"{_by(difference, agreed)}; "
                f"{'to our favour' if severity is Outcome.INFO else f'{money(limit)} is tolerated'}."
            ),
            purchase_order_id=line.order.id,
            line=line.order_line.line_no,
            bill_lines=(bill_line.line_no,),
            rule=f"PRICE.{severity}",
            formula="p_bill - p_po > tolerance" if higher else "p_po - p_bill > tolerance",
            values={
                "p_bill": plain(price),
                "p_po": plain(agreed),
                "difference": plain(difference),
                "percent": percent(difference, agreed),
                "b": plain(quantity),
                **tolerance(limits),
            },
            limit=limit,
            margin=subtract(beyond.allowed, size(difference)),
            money_at_stake=multiply(difference, quantity),
            policy=beyond.policy,
            who="purchasing",
            fix=PRICE_FIX if severity is not Outcome.INFO else ("nothing needs to be done",),
        )


PRICE_FIX = (
    "ask the vendor for a corrected invoice or a credit",
    "or have the order's price changed in the accounting system and sync",
    "or decide that the billed price stands",
)


def _favourable(bands: Bands, difference: Exact, base: Exact) -> BandResult | None:
    """Return the result for a lower price beyond the tolerance, if the policy looks upwards only: there is nothing to
    decide."""
    for limits in (bands.block, bands.warn):
        if difference < 0 and limits is not None and limits.direction is Direction.UPPER:
            beyond = limits._replace(direction=Direction.BOTH).beyond(difference, base)
            if beyond is not None:
                return BandResult(Outcome.INFO, beyond, limits)
    return None


def check_arithmetic(billed: Sequence[BilledLine]) -> Iterator[Finding]:
    """Compare quantity times price with the amount, if the bill gives all three.

    The rounding of the price is no difference: 1,000 at 0.33 may be 333.33, because 0.33 stands for anything up to
    0.335.
    """
    for line in billed:
        for bill_line in line.bill_lines:
            if not bill_line.all_given:
                continue
            product = EXACT.multiply(bill_line.quantity, bill_line.price)
            if product == bill_line.amount:
                continue
            difference = EXACT.subtract(bill_line.amount, product)
            allowed = max(CENT, EXACT.multiply(bill_line.quantity, _half_last_digit(bill_line.price)))
            if abs(difference) > allowed:
                yield _not_the_price(line, bill_line, product, difference, allowed)


def _not_the_price(
    line: BilledLine, bill_line: BillLineToMatch, product: Decimal, difference: Decimal, allowed: Decimal
) -> Finding:
    return Finding(
        id=f"AMOUNT_NOT_PRICE:bill-line-{bill_line.line_no}",
        code="AMOUNT_NOT_PRICE",
        severity=Outcome.HOLD,
        message=(
            f"{line.name}: {plain(bill_line.quantity)} at {money(bill_line.price)} are {money(product)}, but the bill "
            f"says {money(bill_line.amount)}."
        ),
        purchase_order_id=line.order.id,
        line=line.order_line.line_no,
        bill_lines=(bill_line.line_no,),
        rule="LINE.ARITHMETIC",
        formula="|amount - quantity x price| > max(0.01, quantity x half of the price's last digit)",
        values={
            "quantity": plain(bill_line.quantity),
            "price": plain(bill_line.price),
            "product": plain(product),
            "amount": plain(bill_line.amount),
            "difference": plain(difference),
        },
        limit=allowed,
        margin=EXACT.subtract(allowed, abs(difference)),
        money_at_stake=difference,
        who="ap",
        fix=(
            "enter quantity, price and amount as they are on the invoice",
            "or ask the vendor for a corrected invoice",
            "or decide that the amount stands",
        ),
    )


CENT = Decimal("0.01")


def _half_last_digit(price: Decimal) -> Decimal:
    """Return how far a price may differ from the one it was rounded from: half a unit of its last written digit."""
    exponent = price.as_tuple().exponent
    return Decimal(5).scaleb(min(exponent, 0) - 1 if isinstance(exponent, int) else -1)


def check_line_amount(line: BilledLine, applied: Applied) -> Iterator[Finding]:
    """Compare the amount with quantity times the order's price, over all bill lines of one order line."""
    bands = applied.bands(Check.LINE_AMOUNT)
    if bands is OFF:
        return
    agreed = line.order_line.price
    expected = multiply(agreed, line.quantity)
    difference = subtract(line.amount, expected)
    judged = apply_bands(bands, difference, expected)
    if judged is not None:
        yield _of_line(
            line,
            Check.LINE_AMOUNT,
            "LINE_AMOUNT_DIFFERS",
            judged,
            difference=difference,
            base=expected,
            message=f"{money(line.amount)} billed, {money(expected)} expected at the order's price",
            formula="amount_bill - p_po x b",
            values={"amount": line.amount, "p_po": agreed, "b": line.quantity, "expected": expected},
            who="ap",
            fix=PRICE_FIX,
        )


def check_quantity_value(line: BilledLine, before: QuantityPosition, applied: Applied) -> Iterator[Finding]:
    """Check the value of the quantity beyond what was received (2-way: beyond the order): a motor matters more than a
    screw."""
    bands = applied.bands(Check.QTY_VALUE)
    if bands is OFF:
        return
    against = before.received if before.three_way else before.ordered
    excess = subtract(line.quantity, subtract(against, before.billed))
    price = line.order_line.price
    worth = multiply(price, excess)
    judged = apply_bands(bands, worth, ZERO)
    if judged is not None:
        yield _of_line(
            line,
            Check.QTY_VALUE,
            "QTY_VALUE_EXCEEDED",
            judged,
            difference=worth,
            base=ZERO,
            message=(
                f"{shown(excess)} billed beyond what was {'received' if before.three_way else 'ordered'} "
                f"is worth {money(worth)}"
            ),
            formula="p_po x (b - (R_net - B))" if before.three_way else "p_po x (b - (O_eff - B))",
            values={
                "p_po": price,
                "b": line.quantity,
                "R_net" if before.three_way else "O_eff": against,
                "B": before.billed,
                "excess": excess,
            },
            who="receiving" if before.three_way else "purchasing",
            fix=(
                "wait for the receipt" if before.three_way else "have the order raised and sync",
                "or lower the quantity",
            ),
        )


def check_blanket(bill: BillToMatch, line: BilledLine) -> Iterator[Finding]:
    """Check a blanket line's end date, and the most that one bill may take of it, if the order has them."""
    order_line = line.order_line
    if order_line.ends_on is not None and bill.bill_date is not None and bill.bill_date > order_line.ends_on:
        yield _blanket(
            line,
            "BLANKET_ENDED",
            f"{line.name} ended on {order_line.ends_on}; the bill is dated {bill.bill_date}.",
            "bill date > end date",
            {"bill_date": str(bill.bill_date), "ends_on": str(order_line.ends_on)},
            ("have the order extended in the accounting system and sync", "or bill another order"),
        )
    if order_line.release_cap is not None and line.amount > order_line.release_cap:
        yield _blanket(
            line,
            "RELEASE_CAP",
            f"{line.name}: {money(line.amount)} billed at once; the order allows {money(order_line.release_cap)} per "
            "release.",
            "amount > cap per release",
            {"amount": plain(line.amount), "cap": plain(order_line.release_cap)},
            (f"lower the amount to {money(order_line.release_cap)}", "or decide that this release may be larger"),
            limit=order_line.release_cap,
        )


def tolerance(limits: Limits) -> dict[str, str]:
    """Return the limits as they were set, for a finding's values."""
    said = {"pct": limits.pct, "abs": limits.abs}
    return {
        f"tolerance_{name}": limit if isinstance(limit, str) else plain(limit)
        for name, limit in said.items()
        if limit is not None
    } | {"direction": limits.direction.value, "combine": limits.combine.value}


def _by(difference: Exact, base: Exact) -> str:
    share = percent(difference, base)
    return f" ({share})" if share else ""


def _of_line(
    line: BilledLine,
    check: Check,
    code: str,
    judged: BandResult,
    *,
    difference: Exact,
    base: Exact,
    message: str,
    formula: str,
    values: dict[str, Exact],
    who: str,
    fix: tuple[str, ...],
) -> Finding:
    severity, beyond, limits = judged
    return Finding(
        id=line.finding_id(code),
        code=code,
        severity=severity,
        message=f"{line.name}: {message}{_by(difference, base)}.",
        purchase_order_id=line.order.id,
        line=line.order_line.line_no,
        bill_lines=line.numbers,
        rule=f"{check.name}.{severity}",
        formula=f"{formula} beyond tolerance",
        values={name: plain(value) for name, value in values.items()}
        | {"difference": plain(difference), "percent": percent(difference, base)}
        | tolerance(limits),
        limit=beyond.allowed if difference > 0 else subtract(ZERO, beyond.allowed),
        margin=subtract(beyond.allowed, size(difference)),
        money_at_stake=difference,
        policy=beyond.policy,
        who=who,
        fix=fix,
    )


def _blanket(
    line: BilledLine,
    code: str,
    message: str,
    formula: str,
    values: dict[str, str],
    fix: tuple[str, ...],
    limit: Exact | None = None,
) -> Finding:
    return Finding(
        id=line.finding_id(code),
        code=code,
        severity=Outcome.HOLD,
        message=message,
        purchase_order_id=line.order.id,
        line=line.order_line.line_no,
        bill_lines=line.numbers,
        rule="LINE.BLANKET",
        formula=formula,
        values=values,
        limit=limit,
        margin=None if limit is None else subtract(limit, line.amount),
        money_at_stake=line.amount,
        who="purchasing",
        fix=fix,
    )
