"""Which tolerance holds for a line, and whether a difference is beyond it (matching rules 3.4).

Each value of a band is looked up by itself, most specific policy first: a policy on an item may set the percentage
while the direction comes from the organization's own. A built-in limit counts only where no policy sets a limit at
all: whoever allows 5 % does not mean "and still nothing above zero units".
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from matching.exact import ZERO, Exact, multiply, size, subtract
from matching.inputs import BillToMatch
from matching.lines import BilledLine
from matching.policies import Band, Check, Combine, Direction, Level, TolerancePolicy
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
    """Both bands of one check; None where nobody set a limit, so that nothing is looked at."""

    warn: Limits | None
    block: Limits | None


_OFF = Bands(None, None)


class Switch(NamedTuple):
    """One of the policies' switches, and who set it."""

    on: bool
    policy: Policy


class Applied:
    """The policies that hold for one order line, or for a bill as a whole."""

    def __init__(self, policies: Sequence[TolerancePolicy]) -> None:
        """Take policies most specific first, as `Tolerances` sorts them."""
        self._named = [(policy, named(policy)) for policy in policies]
        self._bands: dict[Check, Bands] = {}
        self.warn_on_over_receipt = self._switch([policy.warn_on_over_receipt for policy in policies], built_in=True)
        self.allow_received_before_close = self._switch(
            [policy.allow_received_before_close for policy in policies], built_in=False
        )
        self.returns_reduce_ordered = self._switch(
            [policy.returns_reduce_ordered for policy in policies], built_in=False
        )

    def bands(self, check: Check) -> Bands:
        """The bands of one check, each value from the most specific policy that sets it."""
        found = self._bands.get(check)
        if found is None:
            said = [(policy.checks[check], name) for policy, name in self._named if check in policy.checks]
            found = self._bands[check] = Bands(
                _limits(check, [(tolerance.warn, name) for tolerance, name in said], None),
                _limits(check, [(tolerance.block, name) for tolerance, name in said], BUILT_IN_BLOCKS.get(check)),
            )
        return found

    def off(self, check: Check) -> bool:
        """Whether nobody set a limit for a check, so that there is nothing to look at."""
        return self.bands(check) == _OFF

    def _switch(self, settings: Sequence[bool | None], *, built_in: bool) -> Switch:
        for setting, (_, name) in zip(settings, self._named, strict=True):
            if setting is not None:
                return Switch(setting, name)
        return Switch(built_in, BUILT_IN)


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
        self._applied: dict[tuple[str | None, str | None, str | None], Applied] = {}
        self._used: set[int] = set()

    @property
    def used(self) -> tuple[TolerancePolicy, ...]:
        """The policies that held for anything so far, most specific first."""
        return tuple(self._policies[position] for position in sorted(self._used))

    @property
    def most_specific(self) -> Policy:
        """Of the policies that held for anything, the most specific one; the built-in rules where none did."""
        return named(self._policies[min(self._used)]) if self._used else BUILT_IN

    def of_line(self, line: BilledLine) -> Applied:
        """What holds for one order line of the bill."""
        entity = self._bill.entity if self._bill.entity is not None else line.order.entity
        return self._apply(line.order_line.item_id, line.order_line.category, entity)

    def of_bill(self, entity: str | None) -> Applied:
        """What holds for a whole bill, or for a whole order of it: policies on items and categories do not."""
        return self._apply(None, None, self._bill.entity if self._bill.entity is not None else entity)

    def _apply(self, item_id: str | None, category: str | None, entity: str | None) -> Applied:
        key = (item_id, category, entity)
        applied = self._applied.get(key)
        if applied is None:
            holding = [
                position
                for position, policy in enumerate(self._policies)
                if policy.scope.item_id in (None, item_id)
                and policy.scope.category in (None, category)
                and policy.scope.entity in (None, entity)
            ]
            self._used.update(holding)
            applied = self._applied[key] = Applied([self._policies[position] for position in holding])
        return applied


def named(policy: TolerancePolicy) -> Policy:
    """How results name a policy."""
    return Policy(id=policy.id, level=policy.scope.level, version=policy.version)


def _specific_first(policy: TolerancePolicy) -> tuple[int, bool, str]:
    # The id last: of two policies with one scope, which the store refuses, always the same one wins.
    return _RANKS[policy.scope.level], policy.scope.connection_id is None, policy.id


def _limits(check: Check, said: Sequence[tuple[Band, Policy]], built_in: Band | None) -> Limits | None:
    if all(band.pct is None and band.abs is None for band, _ in said):
        if built_in is None:
            return None
        said = [*said, (built_in, BUILT_IN)]
    pct, pct_policy = next(((band.pct, name) for band, name in said if band.pct is not None), (None, BUILT_IN))
    amount, abs_policy = next(((band.abs, name) for band, name in said if band.abs is not None), (None, BUILT_IN))
    direction = next((band.direction for band, _ in said if band.direction is not None), None)
    combine = next((band.combine for band, _ in said if band.combine is not None), Combine.STRICT)
    if direction is None:
        direction = Direction.BOTH if check in _TWO_SIDED else Direction.UPPER
    return Limits(pct, pct_policy, amount, abs_policy, direction, combine)
