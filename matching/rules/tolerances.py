"""Find which tolerance applies to a line, and whether a difference is beyond it.

Each value of a band is looked up by itself, the most specific policy first: a policy on an item may set the percentage
while the direction comes from the organization's own. A built-in limit counts only if no policy sets a limit at all:
whoever allows 5 % does not mean "and still nothing above zero units".
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from matching.kernel.exact import ZERO, Exact, multiply, size, subtract
from matching.kernel.inputs import BillToMatch, OrderToMatch
from matching.kernel.lines import BilledLine
from matching.kernel.result import BUILT_IN, FIRST_RULES, RULES, Policy
from matching.policies.policies import Band, Check, Combine, Direction, Level, Tolerance, TolerancePolicy
from models.domain.bills import BillMatchMode

_RANKS = {level: rank for rank, level in enumerate(Level)}
_HUNDREDTH = Decimal("0.01")

_FIRST_BUILT_IN = {
    # The quantity blocks of the requirements, exactly.
    Check.QTY: Tolerance(block=Band(pct=ZERO, abs=ZERO)),
    # Small differences: a cent for each line that may have been rounded.
    Check.HEADER_SUM: Tolerance(block=Band(pct=Decimal(100))),
    # Nobody ordered it: somebody looks at it, and much of it is held.
    Check.OFF_ORDER: Tolerance(warn=Band(pct=ZERO), block=Band(pct=Decimal(10))),
}
BUILT_IN_TOLERANCES: Mapping[int, Mapping[Check, Tolerance]] = {
    FIRST_RULES: _FIRST_BUILT_IN,
    # A fresh installation passes no price of ten times the order's.
    **dict.fromkeys(
        range(FIRST_RULES + 1, RULES + 1),
        _FIRST_BUILT_IN | {Check.PRICE: Tolerance(warn=Band(pct=Decimal(2)), block=Band(pct=Decimal(10)))},
    ),
}
"""Built-in bands, by version of the built-in rules. All other bands are not looked at until a policy sets a limit."""

_ONE_POLICY = frozenset({Check.PRICE, Check.OFF_ORDER})
"""Checks whose built-in bands belong together: a policy's limit in either band replaces both."""

_TWO_SIDED = frozenset({Check.HEADER_SUM, Check.TAX})
"""Checks that count differences in both directions: a sum that does not add up, and a wrong tax. In the others, less is
to our favour."""


class Beyond(NamedTuple):
    """A difference that is beyond its limit."""

    allowed: Exact
    """The largest difference that would have passed."""
    policy: Policy


class Limits(NamedTuple):
    """One band of one check as it applies to one line. A limit of None was set by nobody."""

    pct: Decimal | str | None
    pct_policy: Policy
    abs: Decimal | str | None
    abs_policy: Policy
    direction: Direction
    combine: Combine

    def beyond(self, difference: Exact, base: Exact) -> Beyond | None:
        """Return what was allowed, if a difference (bill less order) is more than that; exactly at the limit is
        allowed."""
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
        """Return the largest difference that passes, and which policy says so; None: there is no limit.

        No percentage of a base of zero can be computed: then only the absolute limit counts, and without one any
        difference is too much.
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
    """Both bands of one check; `OFF` if nobody set a limit, so that nothing is looked at."""

    warn: Limits | None
    block: Limits | None


OFF = Bands(None, None)


class Switch(NamedTuple):
    """One of the policies' switches, and the policy that set it."""

    on: bool
    policy: Policy


DAYS_BACK, DAYS_AHEAD = 365, 30
"""How many days a bill's date may lie before and after the day it was entered, where no policy says."""


class DateLimits(NamedTuple):
    """How many days a bill's date may lie from the day it was entered, and the policies that say so."""

    back: int
    back_policy: Policy
    ahead: int
    ahead_policy: Policy


class Applied:
    """The policies that apply to one order line, or to a bill as a whole."""

    def __init__(self, policies: Sequence[tuple[TolerancePolicy, Policy]], rules: int) -> None:
        """Take policies and their names, the most specific first as `Tolerances` sorts them, and the version of the
        built-in rules."""
        self._policies = policies
        self._rules = rules
        self._bands: dict[Check, Bands] = {}

    @property
    def warn_on_over_receipt(self) -> Switch:
        """Return whether to warn before more is billed than ordered, although it was received."""
        return _switch([(policy.warn_on_over_receipt, name) for policy, name in self._policies], built_in=True)

    @property
    def allow_received_before_close(self) -> Switch:
        """Return whether a closed line may be billed for what was received of it."""
        return _switch([(policy.allow_received_before_close, name) for policy, name in self._policies], built_in=False)

    @property
    def returns_reduce_ordered(self) -> Switch:
        """Return whether returned goods also lower what may be billed of the order."""
        return _switch([(policy.returns_reduce_ordered, name) for policy, name in self._policies], built_in=False)

    @property
    def match_mode(self) -> tuple[BillMatchMode, Policy] | None:
        """Return the mode that a policy sets, and which one; None: none does."""
        return next(
            ((policy.match_mode, name) for policy, name in self._policies if policy.match_mode is not None), None
        )

    @property
    def small_bill_total(self) -> tuple[Decimal, Policy] | None:
        """Return up to which total a bill is small, and which policy says so; None: no bill is."""
        return next(
            ((policy.small_bill_total, name) for policy, name in self._policies if policy.small_bill_total is not None),
            None,
        )

    @property
    def days(self) -> DateLimits:
        """Return how far a bill's date may lie from the day it was entered."""
        back = _days([(policy.bill_date_days_back, name) for policy, name in self._policies], DAYS_BACK)
        ahead = _days([(policy.bill_date_days_ahead, name) for policy, name in self._policies], DAYS_AHEAD)
        return DateLimits(*back, *ahead)

    def bands(self, check: Check) -> Bands:
        """Return the bands of one check, each value from the most specific policy that sets it."""
        result = self._bands.get(check)
        if result is None:
            said = [(policy.checks[check], name) for policy, name in self._policies if check in policy.checks]
            result = self._bands[check] = (
                _both(check, said, self._rules) if said else _BUILT_IN_BANDS[self._rules][check]
            )
        return result


class Tolerances:
    """All policies of one match. What applies to one kind of line is computed once."""

    def __init__(self, policies: Sequence[TolerancePolicy], bill: BillToMatch, rules: int = RULES) -> None:
        self._bill = bill
        self._rules = rules
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
        self._some_by_entity = any(policy.scope.entity is not None for policy in self._policies)
        self._named: dict[int, tuple[TolerancePolicy, Policy]] = {}
        self._applied: dict[tuple[int, ...], Applied] = {}

    @property
    def used(self) -> tuple[TolerancePolicy, ...]:
        """Return the policies that applied to anything so far, the most specific first."""
        return tuple(self._policies[position] for position in sorted(self._named))

    @property
    def most_specific(self) -> Policy | None:
        """Return the most specific of the policies that applied to anything; None: only the built-in rules did."""
        return self._named[min(self._named)][1] if self._named else None

    def of_line(self, line: BilledLine) -> Applied:
        """Return what applies to one order line of the bill."""
        item, category = line.order_line.item_id, line.order_line.category
        positions = [*self._of_item.get(item, ()), *self._of_category.get(category or "", ()), *self._of_all]
        return self._apply(positions, line.order)

    def of_bill(self, order: OrderToMatch | None) -> Applied:
        """Return what applies to a whole bill, or to a whole order of it: policies on items and categories do not."""
        return self._apply(self._of_all, order)

    def _apply(self, positions: Sequence[int], order: OrderToMatch | None) -> Applied:
        # Lines to which the same policies apply share what was computed for them.
        holding = tuple(positions)
        if self._some_by_entity:
            entity = self._bill.entity if self._bill.entity is not None or order is None else order.entity
            holding = tuple(place for place in holding if self._policies[place].scope.entity in (None, entity))
        applied = self._applied.get(holding)
        if applied is None:
            for position in holding:
                if position not in self._named:
                    self._named[position] = (self._policies[position], named(self._policies[position]))
            applied = self._applied[holding] = Applied([self._named[position] for position in holding], self._rules)
        return applied


def named(policy: TolerancePolicy) -> Policy:
    """Return the policy as results name it."""
    return Policy(id=policy.id, level=policy.scope.level, version=policy.version)


def _specific_first(policy: TolerancePolicy) -> tuple[int, bool, str]:
    # The id last: of two policies with one scope, which the store refuses, always the same one wins.
    return _RANKS[policy.scope.level], policy.scope.connection_id is None, policy.id


def _switch(said: Iterable[tuple[bool | None, Policy]], *, built_in: bool) -> Switch:
    for setting, name in said:
        if setting is not None:
            return Switch(setting, name)
    return Switch(built_in, BUILT_IN)


def _days(said: Iterable[tuple[int | None, Policy]], built_in: int) -> tuple[int, Policy]:
    return next(((days, name) for days, name in said if days is not None), (built_in, BUILT_IN))


def _limits(
    check: Check, said: Sequence[tuple[Tolerance, Policy]], side: Literal["warn", "block"], built_in: Band | None
) -> Limits | None:
    """Return one band, each value from the first that sets it; `built_in` counts if nobody sets a limit."""
    pct: Decimal | str | None = None
    amount: Decimal | str | None = None
    pct_policy = abs_policy = BUILT_IN
    direction: Direction | None = None
    combine: Combine | None = None
    for tolerance, name in said:
        band: Band = getattr(tolerance, side)
        if pct is None and band.pct is not None:
            pct, pct_policy = band.pct, name
        if amount is None and band.abs is not None:
            amount, abs_policy = band.abs, name
        direction = direction or band.direction
        combine = combine or band.combine
    if pct is None and amount is None:
        if built_in is None or (built_in.pct is None and built_in.abs is None):
            return None
        pct, amount = built_in.pct, built_in.abs
    if direction is None:
        direction = Direction.BOTH if check in _TWO_SIDED else Direction.UPPER
    return Limits(pct, pct_policy, amount, abs_policy, direction, combine or Combine.STRICT)


def _both(check: Check, said: Sequence[tuple[Tolerance, Policy]], rules: int) -> Bands:
    built_in = BUILT_IN_TOLERANCES[rules].get(check)
    if built_in is None or check in _ONE_POLICY:
        warn, block = _limits(check, said, "warn", None), _limits(check, said, "block", None)
        if warn is not None or block is not None:
            return Bands(warn, block)
        if built_in is None:
            return OFF
    return Bands(
        _limits(check, said, "warn", built_in.warn),
        _limits(check, said, "block", built_in.block),
    )


_BUILT_IN_BANDS = {rules: {check: _both(check, (), rules) for check in Check} for rules in BUILT_IN_TOLERANCES}
"""The bands of a check of which no policy says anything."""
