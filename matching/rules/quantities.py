"""Check the quantity of each order line, in 2-way and in 3-way matching.

3-way: the ceiling is the higher of what was ordered and what was received, and warnings start at the lower of the two.
2-way: the ceiling is what was ordered, and receipts are not looked at. A policy's tolerance is added to the ceiling.
Lines billed by amount are checked in the same way, in money.
"""

from collections.abc import Iterator
from typing import NamedTuple

from matching.kernel.exact import ZERO, Exact, add, multiply, plain, shown, subtract
from matching.kernel.inputs import Basis, BillToMatch
from matching.kernel.lines import BilledLine
from matching.kernel.result import BUILT_IN, Finding, Outcome, Policy
from matching.policies.policies import Check, Direction
from matching.rules.tolerances import Applied, Bands, Beyond
from models.domain.bills import BillMatchMode

ACKNOWLEDGE = "or acknowledge it"
"""The last fix step of a warning."""


class QuantityPosition(NamedTuple):
    """The quantities of an order line before the bill: the derived figures of its ledger, each computed once."""

    ordered: Exact
    """O_eff: ordered less cancelled."""
    received: Exact
    """R_net: received less returned; not looked at in 2-way matching."""
    billed: Exact
    """B: billed so far."""
    three_way: bool

    @property
    def ceiling(self) -> Exact:
        """Return the most that may be billed in all."""
        return max(self.ordered, self.received) if self.three_way else self.ordered

    @property
    def unasked(self) -> Exact:
        """Return the total that may be billed without a warning, what is billed already included."""
        return min(self.ordered, self.received) if self.three_way else self.ordered


def quantity_position(mode: BillMatchMode, line: BilledLine, applied: Applied) -> QuantityPosition:
    """Return the figures that the rules compare with. A switch decides whether returns lower what was ordered."""
    ledger = line.order_line.ledger.without_sign if line.mirrored else line.order_line.ledger
    ordered = ledger.effective_ordered
    if ledger.returned and applied.returns_reduce_ordered.on:
        ordered = subtract(ordered, ledger.returned)
    return QuantityPosition(ordered, ledger.net_received, ledger.net_billed, mode is BillMatchMode.THREE_WAY)


def check_quantity(
    bill: BillToMatch, line: BilledLine, before: QuantityPosition, applied: Applied
) -> Iterator[Finding]:
    """Return findings if the line bills more, or (where a policy asks for it) less, than it may."""
    if line.order_line.closed:
        yield from _closed(line, before, applied)
        return
    bands = applied.bands(Check.QTY)
    assert bands.block is not None, "the quantity block is built in"
    difference = subtract(add(before.billed, line.quantity), before.ceiling)
    reported = False
    if difference > 0:
        allowed = bands.block.allowed(before.ceiling)
        if allowed is not None and difference > allowed.allowed:
            yield _over_ceiling(line, before, difference, allowed, Outcome.BLOCK)
            return
        allowed = bands.warn.allowed(before.ceiling) if bands.warn else None
        if allowed is not None and difference > allowed.allowed:
            yield _over_ceiling(line, before, difference, allowed, Outcome.WARN)
            reported = True
    elif difference < 0:
        yield from _under_ceiling(line, before, difference, bands)
    if before.three_way and add(before.billed, line.quantity) > before.unasked:
        # Above the order the goods are missing too: a warning must not replace a hold (property 3).
        if before.received < before.ordered:
            yield _beyond_received(bill, line, before)
        elif not reported:
            yield from _beyond_ordered(line, before, applied)


def _over_ceiling(
    line: BilledLine, before: QuantityPosition, difference: Exact, beyond: Beyond, severity: Outcome
) -> Finding:
    limit = add(subtract(before.ceiling, before.billed), beyond.allowed)
    tolerated = beyond.allowed > 0
    if before.three_way:
        rule, formula = "3WAY", "b > max(O_eff - B, R_net - B)"
        what = "of the order and of the goods received"
    else:
        rule, formula = "2WAY", "b > O_eff - B"
        what = "of the order"
    if tolerated:
        formula += " + tolerance"
        what += f" (a tolerance of {shown(beyond.allowed)} included)"
    fixes = [_lower_to(line, limit)] if limit > 0 else ["take this line off the bill"]
    fixes.append("or have the order raised in the accounting system and sync")
    if severity is Outcome.WARN:
        fixes.append(ACKNOWLEDGE)
    return _finding(
        line,
        "QTY_OVER_CEILING",
        f"{line.name}: {_amount(line)} billed, but only {shown(max(limit, ZERO))} is left {what}.",
        before,
        severity=severity,
        rule=f"{rule}.{severity}",
        formula=formula,
        limit=limit,
        policy=beyond.policy,
        who="ap",
        fix=fixes,
        tolerance=beyond.allowed if tolerated else None,
    )


def _under_ceiling(line: BilledLine, before: QuantityPosition, difference: Exact, bands: Bands) -> Iterator[Finding]:
    """Return a finding for a smaller quantity, only if a policy looks both ways: a bill for part of the order is
    otherwise normal."""
    for severity, limits in (
        (Outcome.HOLD, bands.block),
        (Outcome.WARN, bands.warn),
    ):
        if limits is None or limits.direction is Direction.UPPER:
            continue
        allowed = limits.allowed(before.ceiling)
        if allowed is not None and subtract(ZERO, difference) > allowed.allowed:
            least = subtract(subtract(before.ceiling, allowed.allowed), before.billed)
            yield _finding(
                line,
                "QTY_UNDER_CEILING",
                f"{line.name}: {_amount(line)} billed leaves {shown(subtract(ZERO, difference))} unbilled; the policy "
                f"allows {shown(allowed.allowed)}.",
                before,
                severity=severity,
                rule=f"{'3WAY' if before.three_way else '2WAY'}.UNDER",
                formula="b < ceiling - B - tolerance",
                limit=least,
                policy=allowed.policy,
                who="ap",
                fix=["wait for the bill of the rest", "or decide that the rest is billed later"],
                tolerance=allowed.allowed,
                margin=subtract(line.quantity, least),
            )
            return


def _beyond_received(bill: BillToMatch, line: BilledLine, before: QuantityPosition) -> Finding:
    """Return a warning that the bill is ahead of its goods: it is allowed, but somebody should know. It is a hold if
    the ERP would refuse the bill."""
    limit = subtract(before.unasked, before.billed)
    refused = bill.bill_in_advance is False
    fixes = ["wait for the receipt"]
    if refused:
        fixes.append("or switch on Bill in Advance of Receipt in the accounting system")
    if limit > 0:
        fixes.append(f"or {_lower_to(line, limit)}")
    if not refused:
        fixes.append(ACKNOWLEDGE)
    return _finding(
        line,
        "ERP_WILL_REFUSE" if refused else "BILLED_BEYOND_RECEIVED",
        f"{line.name}: {_amount(line)} billed, but only {shown(max(limit, ZERO))} received and not billed"
        + ("; the accounting system refuses bills in advance of the receipt." if refused else "."),
        before,
        severity=Outcome.HOLD if refused else Outcome.WARN,
        rule="3WAY.WARN",
        formula="b > min(O_eff - B, R_net - B)",
        limit=limit,
        policy=BUILT_IN,
        who="receiving",
        fix=fixes,
    )


def _beyond_ordered(line: BilledLine, before: QuantityPosition, applied: Applied) -> Iterator[Finding]:
    """Return a warning that more was received than ordered and is billed: it is allowed, but somebody should know, if
    the policy's switch is on."""
    switch = applied.warn_on_over_receipt
    limit = subtract(before.unasked, before.billed)
    # If the goods arrived, no warning is given for what a policy tolerates beyond the order.
    block = applied.bands(Check.QTY).block
    tolerated = block.allowed(before.ordered) if block else None
    if not switch.on or tolerated is None or line.quantity <= add(limit, tolerated.allowed):
        return
    limit = add(limit, tolerated.allowed)
    fixes = ["have the order raised in the accounting system, or the surplus returned"]
    if limit > 0:
        fixes.append(f"or {_lower_to(line, limit)}")
    fixes.append(ACKNOWLEDGE)
    yield _finding(
        line,
        "BILLED_BEYOND_ORDERED",
        f"{line.name}: {_amount(line)} billed, but only {shown(max(limit, ZERO))} of the order is left; more was "
        "received than ordered.",
        before,
        severity=Outcome.WARN,
        rule="3WAY.WARN",
        formula="b > min(O_eff - B, R_net - B)" + (" + tolerance" if tolerated.allowed > 0 else ""),
        limit=limit,
        policy=switch.policy if switch.policy != BUILT_IN else tolerated.policy,
        who="purchasing",
        fix=fixes,
        tolerance=tolerated.allowed if tolerated.allowed > 0 else None,
    )


def _closed(line: BilledLine, before: QuantityPosition, applied: Applied) -> Iterator[Finding]:
    switch = applied.allow_received_before_close
    left = max(subtract(before.received, before.billed), ZERO) if switch.on else ZERO
    may = line.quantity <= left
    fixes = ["or reopen the line in the accounting system and sync"]
    fixes.insert(0, _lower_to(line, left) if left > 0 else "take this line off the bill")
    yield _finding(
        line,
        "LINE_CLOSED",
        f"{line.name} is closed" + (f"; {shown(left)} of it was received before and not billed." if switch.on else "."),
        before,
        severity=Outcome.WARN if may else Outcome.BLOCK,
        rule="LINE.CLOSED",
        formula="b > R_net - B on a closed line" if switch.on and not may else "b > 0 on a closed line",
        limit=left,
        policy=switch.policy,
        who="purchasing",
        fix=["check that this was received before the line was closed", ACKNOWLEDGE] if may else fixes,
    )


def _finding(
    line: BilledLine,
    code: str,
    message: str,
    before: QuantityPosition,
    *,
    severity: Outcome,
    rule: str,
    formula: str,
    limit: Exact,
    policy: Policy,
    who: str,
    fix: list[str],
    tolerance: Exact | None = None,
    margin: Exact | None = None,
) -> Finding:
    excess = subtract(line.quantity, limit)
    # If the line was over its limit before this bill, this bill counts only its own quantity.
    answered_for = min(line.quantity, excess) if excess > 0 else subtract(ZERO, excess)
    by_quantity = line.order_line.basis is Basis.QUANTITY
    return Finding(
        id=line.finding_id(code),
        code=code,
        severity=severity,
        message=message,
        purchase_order_id=line.order.id,
        line=line.order_line.line_no,
        bill_lines=line.numbers,
        rule=rule,
        formula=formula,
        values=_values(line, before, tolerance),
        limit=limit,
        margin=subtract(limit, line.quantity) if margin is None else margin,
        money_at_stake=multiply(answered_for, line.order_line.price) if by_quantity else answered_for,
        policy=policy,
        who=who,
        fix=tuple(fix),
    )


def _values(line: BilledLine, before: QuantityPosition, tolerance: Exact | None) -> dict[str, str]:
    ledger = line.order_line.ledger.without_sign if line.mirrored else line.order_line.ledger
    values = {"O_eff": before.ordered}
    if before.three_way:
        values["R_net"] = before.received
    values |= {"B": before.billed, "E": ledger.billed, "P": ledger.pending, "C": ledger.credited, "b": line.quantity}
    if tolerance is not None:
        values["tolerance"] = tolerance
    return {letter: plain(value) for letter, value in values.items()}


def _amount(line: BilledLine) -> str:
    return shown(line.quantity)


def _lower_to(line: BilledLine, quantity: Exact) -> str:
    what = "quantity" if line.order_line.basis is Basis.QUANTITY else "amount"
    return f"lower the {what} to {shown(quantity)}"
