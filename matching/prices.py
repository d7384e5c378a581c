"""The money of one order line: price, amount, and what unasked quantity is worth (matching rules 3.4).

None of it is looked at until a policy sets a limit. The supplier's figures are compared, never rewritten.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from matching.exact import ZERO, Exact, add, divide, money, multiply, plain, rounded, shown, size, subtract
from matching.inputs import BillToMatch
from matching.lines import BilledLine
from matching.policies import Check, Direction
from matching.quantities import Standing
from matching.result import Finding, Outcome
from matching.tolerances import OFF, Applied, Bands, Beyond, Limits

HUNDRED = Decimal(100)


class Judged(NamedTuple):
    """How bad a difference is, and what would have passed."""

    severity: Outcome
    beyond: Beyond
    limits: Limits


def judge(bands: Bands, difference: Exact, base: Exact) -> Judged | None:
    """A difference against both bands of a check: beyond `block` it is held, beyond `warn` it is acknowledged."""
    for severity, limits in ((Outcome.HOLD, bands.block), (Outcome.WARN, bands.warn)):
        if limits is not None:
            beyond = limits.beyond(difference, base)
            if beyond is not None:
                return Judged(severity, beyond, limits)
    return None


def percent(difference: Exact, base: Exact) -> str:
    """For display: `+15.5 %`; nothing where the base is zero."""
    if base == 0:
        return ""
    share = rounded(multiply(divide(difference, size(base)), HUNDRED), 2)
    return f"{'+' if share > 0 else ''}{plain(share)} %"


def check_prices(line: BilledLine, applied: Applied) -> Iterator[Finding]:
    """Each bill line's price against the order's, per order unit (P01..P08)."""
    bands = applied.bands(Check.PRICE)
    if bands is OFF:
        return
    agreed = line.order_line.price
    for bill_line, quantity, price in zip(line.bill_lines, line.quantities, line.prices, strict=True):
        difference = subtract(price, agreed)
        if difference == 0:
            continue
        judged = judge(bands, difference, agreed) or _favourable(bands, difference, agreed)
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


def _favourable(bands: Bands, difference: Exact, base: Exact) -> Judged | None:
    """A lower price beyond the tolerance, where the policy looks upwards only: nothing to decide (P08)."""
    for limits in (bands.block, bands.warn):
        if difference < 0 and limits is not None and limits.direction is Direction.UPPER:
            beyond = limits._replace(direction=Direction.BOTH).beyond(difference, base)
            if beyond is not None:
                return Judged(Outcome.INFO, beyond, limits)
    return None


def check_line_amount(line: BilledLine, applied: Applied) -> Iterator[Finding]:
    """The amount against quantity times the order's price; over all bill lines of one order line (P11)."""
    bands = applied.bands(Check.LINE_AMOUNT)
    if bands is OFF:
        return
    agreed = line.order_line.price
    expected = multiply(agreed, line.quantity)
    difference = subtract(line.amount, expected)
    judged = judge(bands, difference, expected)
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


def check_quantity_value(line: BilledLine, before: Standing, applied: Applied) -> Iterator[Finding]:
    """What the quantity beyond receipt (2-way: beyond the order) is worth: a screw is not a motor (P12, P13)."""
    bands = applied.bands(Check.QTY_VALUE)
    if bands is OFF:
        return
    against = before.received if before.three_way else before.ordered
    excess = subtract(line.quantity, subtract(against, before.billed))
    price = line.order_line.price
    worth = multiply(price, excess)
    judged = judge(bands, worth, ZERO)
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
    """A blanket line ends on a day and gives no more than so much to one bill, where the order says so (rules 3.6)."""
    order_line = line.order_line
    if order_line.ends_on is not None and bill.bill_date is not None and bill.bill_date > order_line.ends_on:
        yield _blanket(
            line,
            "BLANKET_ENDED",
            f"{line.name} ran until {order_line.ends_on}; the bill is of {bill.bill_date}.",
            "bill date > end date",
            {"bill_date": str(bill.bill_date), "ends_on": str(order_line.ends_on)},
            ("have the order prolonged in the accounting system and sync", "or bill another order"),
        )
    if order_line.release_cap is not None and line.amount > order_line.release_cap:
        yield _blanket(
            line,
            "RELEASE_CAP",
            f"{line.name}: {money(line.amount)} billed at once; the order gives {money(order_line.release_cap)} per "
            "release.",
            "amount > cap per release",
            {"amount": plain(line.amount), "cap": plain(order_line.release_cap)},
            (f"lower the amount to {money(order_line.release_cap)}", "or decide that this release may be larger"),
            limit=order_line.release_cap,
        )


def tolerance(limits: Limits) -> dict[str, str]:
    """The limits as they were set, for a finding's values."""
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
    judged: Judged,
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
