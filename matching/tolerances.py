"""Which tolerance holds for a line, and whether a difference is beyond it (matching rules 3.4).

Each value of a band is looked up by itself, most specific policy first: a policy on an item may set the percentage
while the direction comes from the organization's own. A built-in limit counts only where no policy sets a limit at
all: whoever allows 5 % does not mean "and still nothing above zero units".
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from matching.exact import ZERO, Exact, multiply, size, subtract
from matching.inputs import BillToMatch, OrderToMatch
from matching.lines import BilledLine
from matching.policies import Band, Check, Combine, Direction, Level, Tolerance, TolerancePolicy
from matching.result import BUILT_IN, Policy

_RANKS = {level: rank for rank, level in enumerate(Level)}
_HUNDREDTH = Decimal("0.01")

BUILT_IN_BLOCKS = {
    # The seeds' quantity blocks, exactly.
    Check.QTY: Band(pct=ZERO, abs=ZERO),
    # Small differences: a cent for each line that may have been rounded.
    Check.HEADER_SUM: Band(pct=Decimal(100)),
}
"""All other bands are not looked at until a policy sets a limit."""

_TWO_SIDED = frozenset({Check.HEADER_SUM, Check.TAX})
"""A sum that does not add up and a wrong tax are wrong in both directions; elsewhere less is to our favour."""


class Beyond(NamedTuple):
    """A difference that is beyond its limit."""

    allowed: Exact
    """The largest difference that would have passed."""
    policy: Policy


class Limits(NamedTuple):
    """One band of one check as it holds for one line; `None` limits were set by nobody."""

    pct: Decimal | str | None
    pct_policy: Policy
    abs: Decimal | str | None
    abs_policy: Policy
    direction: Direction
    combine: Combine

    def beyond(self, difference: Exact, base: Exact) -> Beyond | None:
        """What was allowed, if a difference (bill less order) is more than that; exactly at the limit is allowed."""
        if difference == 0:
            return None
        if difference > 0:
            off_by = difference
            if self.direction is Direction.LOWER:
                return None
        else:
            off_by = subtract(ZERO, difference)
            if self.direction is Direction.UPPER:
                return None
        allowed = self.allowed(base)
        return allowed if allowed is not None and off_by > allowed.allowed else None

    def allowed(self, base: Exact) -> Beyond | None:
        """The largest difference that passes, and who says so; None where there is no limit.

        Of a base of zero no percentage can be computed: then the amount alone counts, and without one any difference
        is too much (P07).
        """
        limits: list[Beyond | None] = []
        if isinstance(self.pct, str):
            limits.append(None)
        elif self.pct is not None and base != 0:
            limits.append(Beyond(multiply(multiply(size(base), self.pct), _HUNDREDTH), self.pct_policy))
        if isinstance(self.abs, str):
            limits.append(None)
        elif self.abs is not None:
            limits.append(Beyond(self.abs, self.abs_policy))
        if not limits:
            return Beyond(ZERO, self.pct_policy)
        if len(limits) == 1:
            return limits[0]
        one, other = limits
        if self.combine is Combine.STRICT:
            if one is None or other is None:
                return other if one is None else one
            return one if one.allowed <= other.allowed else other
        if one is None or other is None:
            return None
        return one if one.allowed >= other.allowed else other


class Bands(NamedTuple):
    """Both bands of one check; `OFF` where nobody set a limit, so that nothing is looked at."""

    warn: Limits | None
    block: Limits | None


OFF = Bands(None, None)


class Switch(NamedTuple):
    """One of the policies' switches, and who set it."""

    on: bool
    policy: Policy


class Applied:
    """The policies that hold for one order line, or for a bill as a whole."""

    def __init__(self, policies: Sequence[tuple[TolerancePolicy, Policy]]) -> None:
        """Take policies and their names, most specific first, as `Tolerances` sorts them."""
        self._policies = policies
        self._bands: dict[Check, Bands] = {}

    @property
    def warn_on_over_receipt(self) -> Switch:
        return _switch([(policy.warn_on_over_receipt, name) for policy, name in self._policies], built_in=True)

    @property
    def allow_received_before_close(self) -> Switch:
        return _switch([(policy.allow_received_before_close, name) for policy, name in self._policies], built_in=False)

    @property
    def returns_reduce_ordered(self) -> Switch:
        return _switch([(policy.returns_reduce_ordered, name) for policy, name in self._policies], built_in=False)

    def bands(self, check: Check) -> Bands:
        """The bands of one check, each value from the most specific policy that sets it."""
        found = self._bands.get(check)
        if found is None:
            said = [(policy.checks[check], name) for policy, name in self._policies if check in policy.checks]
            found = self._bands[check] = _both(check, said) if said else _BUILT_IN_BANDS[check]
        return found


class Tolerances:
    """All policies of one match. What holds for one kind of line is worked out once."""

    def __init__(self, policies: Sequence[TolerancePolicy], bill: BillToMatch) -> None:
        self._bill = bill
        self._policies = sorted(
            (
                policy
                for policy in policies
                if policy.scope.connection_id in (None, bill.connection_id)
                and policy.scope.vendor_id in (None, bill.vendor_id)
            ),
            key=_specific_first,
        )
        # An organization may have a policy for each of a thousand items; a line looks at its own.
        self._of_item: dict[str, list[int]] = defaultdict(list)
        self._of_category: dict[str, list[int]] = defaultdict(list)
        self._of_all: list[int] = []
        for position, policy in enumerate(self._policies):
            scope = policy.scope
            if scope.item_id is not None:
                self._of_item[scope.item_id].append(position)
            elif scope.category is not None:
                self._of_category[scope.category].append(position)
            else:
                self._of_all.append(position)
        self._named: dict[int, tuple[TolerancePolicy, Policy]] = {}
        self._applied: dict[tuple[int, ...], Applied] = {}

    @property
    def used(self) -> tuple[TolerancePolicy, ...]:
        """The policies that held for anything so far, most specific first."""
        return tuple(self._policies[position] for position in sorted(self._named))

    @property
    def most_specific(self) -> Policy:
        """Of the policies that held for anything, the most specific one; the built-in rules where none did."""
        return self._named[min(self._named)][1] if self._named else BUILT_IN

    def of_line(self, line: BilledLine) -> Applied:
        """What holds for one order line of the bill."""
        item, category = line.order_line.item_id, line.order_line.category
        positions = [*self._of_item.get(item, ()), *self._of_category.get(category or "", ()), *self._of_all]
        return self._apply(positions, line.order)

    def of_bill(self, order: OrderToMatch | None) -> Applied:
        """What holds for a whole bill, or for a whole order of it: policies on items and categories do not."""
        return self._apply(self._of_all, order)

    def _apply(self, positions: Sequence[int], order: OrderToMatch | None) -> Applied:
        entity = self._bill.entity if self._bill.entity is not None or order is None else order.entity
        # Lines for which the same policies hold share what was worked out for them.
        holding = tuple(position for position in positions if self._policies[position].scope.entity in (None, entity))
        applied = self._applied.get(holding)
        if applied is None:
            for position in holding:
                if position not in self._named:
                    self._named[position] = (self._policies[position], named(self._policies[position]))
            applied = self._applied[holding] = Applied([self._named[position] for position in holding])
        return applied


def named(policy: TolerancePolicy) -> Policy:
    """How results name a policy."""
    return Policy(id=policy.id, level=policy.scope.level, version=policy.version)


def _specific_first(policy: TolerancePolicy) -> tuple[int, bool, str]:
    # The id last: of two policies with one scope, which the store refuses, always the same one wins.
    return _RANKS[policy.scope.level], policy.scope.connection_id is None, policy.id


def _switch(said: Iterable[tuple[bool | None, Policy]], *, built_in: bool) -> Switch:
    for setting, name in said:
        if setting is not None:
            return Switch(setting, name)
    return Switch(built_in, BUILT_IN)


def _limits(check: Check, said: Sequence[tuple[Band, Policy]], built_in: Band | None) -> Limits | None:
    pct: Decimal | str | None = None
    amount: Decimal | str | None = None
    pct_policy = abs_policy = BUILT_IN
    direction: Direction | None = None
    combine: Combine | None = None
    for band, name in said:
        if pct is None and band.pct is not None:
            pct, pct_policy = band.pct, name
        if amount is None and band.abs is not None:
            amount, abs_policy = band.abs, name
        direction = direction or band.direction
        combine = combine or band.combine
    if pct is None and amount is None:
        if built_in is None:
            return None
        pct, amount = built_in.pct, built_in.abs
    if direction is None:
        direction = Direction.BOTH if check in _TWO_SIDED else Direction.UPPER
    return Limits(pct, pct_policy, amount, abs_policy, direction, combine or Combine.STRICT)


def _both(check: Check, said: Sequence[tuple[Tolerance, Policy]]) -> Bands:
    warn = _limits(check, [(tolerance.warn, name) for tolerance, name in said], None)
    block = _limits(check, [(tolerance.block, name) for tolerance, name in said], BUILT_IN_BLOCKS.get(check))
    return OFF if warn is None and block is None else Bands(warn, block)


_BUILT_IN_BANDS = {check: _both(check, ()) for check in Check}
"""Where no policy says anything of a check."""
