"""Check a tolerance policy before it is saved, and report what is wrong: at match time a policy never fails."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from matching.policies.policies import LINE_CHECKS, Band, Check, Combine, Direction, Level, Tolerance, TolerancePolicy
from models.domain.record import Record


class PolicyProblem(Record):
    """One thing to correct before a policy can be saved."""

    code: str
    where: str
    """The field, as a path: `checks.price.block.pct`."""
    message: str
    fix: str


def check_policy(policy: Mapping[str, Any] | TolerancePolicy) -> tuple[PolicyProblem, ...]:
    """Return everything wrong with a policy, given as it came in or as a record; nothing: it can be saved.

    The input is read first: a limit that is no number, a negative limit or an unknown check are problems like all
    others.
    """
    if not isinstance(policy, TolerancePolicy):
        try:
            policy = TolerancePolicy.model_validate(policy)
        except ValidationError as refused:
            return tuple(_unreadable(refused))
    return tuple(_problems(policy))


def _problems(policy: TolerancePolicy) -> Iterator[PolicyProblem]:
    yield from _scope(policy)
    days = (policy.bill_date_days_back, policy.bill_date_days_ahead)
    switches = (policy.warn_on_over_receipt, policy.allow_received_before_close, policy.returns_reduce_ordered)
    if any(limit is not None for limit in days) and policy.scope.level in _ON_ITEMS:
        yield PolicyProblem(
            code="CHECK_NOT_ON_THIS_LEVEL",
            where="bill_date_days_back",
            message=f"A bill's date is about the whole bill; this policy is about {policy.scope.in_words}.",
            fix="set it in a policy for a vendor, an entity, a connection or the organization",
        )
    for name in ("match_mode", "small_bill_total"):
        if getattr(policy, name) is not None and policy.scope.level in _ON_ITEMS:
            yield PolicyProblem(
                code="CHECK_NOT_ON_THIS_LEVEL",
                where=name,
                message=f"How a bill is matched is about the whole bill; this policy is about {policy.scope.in_words}.",
                fix="set it in a policy for a vendor, an entity, a connection or the organization",
            )
    of_bill = (policy.match_mode, policy.small_bill_total)
    if all(setting is None for setting in (*switches, *days, *of_bill)) and not any(
        _says_something(each) for each in policy.checks.values()
    ):
        yield PolicyProblem(
            code="POLICY_EMPTY",
            where="checks",
            message="The policy sets nothing, so everything would be inherited.",
            fix="set a limit or a switch, or leave this policy out",
        )
    for check, tolerance in policy.checks.items():
        if check not in LINE_CHECKS and policy.scope.level in _ON_ITEMS:
            yield PolicyProblem(
                code="CHECK_NOT_ON_THIS_LEVEL",
                where=f"checks.{check}",
                message=f"{check} is about a whole bill or order; this policy is about {policy.scope.in_words}.",
                fix="set it in a policy for a vendor, an entity, a connection or the organization",
            )
        for name, band in (("warn", tolerance.warn), ("block", tolerance.block)):
            yield from _band(check, f"checks.{check}.{name}", band)
        yield from _order_of_bands(check, tolerance)


_ON_ITEMS = frozenset({Level.VENDOR_ITEM, Level.ITEM, Level.CATEGORY})


def _scope(policy: TolerancePolicy) -> Iterator[PolicyProblem]:
    scope = policy.scope
    named = [name for name in ("vendor_id", "item_id", "category", "entity") if getattr(scope, name) is not None]
    if len(named) > 1 and named != ["vendor_id", "item_id"]:
        yield PolicyProblem(
            code="SCOPE_COMBINATION",
            where="scope",
            message=f"{' and '.join(named)} cannot be combined in one scope.",
            fix="name one of them, or a vendor with an item; connection_id may go with each",
        )
    for name in ("vendor_id", "item_id", "category", "entity", "connection_id"):
        value = getattr(scope, name)
        if value is not None and not value.strip():
            yield PolicyProblem(
                code="SCOPE_BLANK",
                where=f"scope.{name}",
                message=f"{name} is blank, so the policy would apply to nothing.",
                fix=f"name the {name}, or leave it out to have the policy for all",
            )


def _band(check: Check, where: str, band: Band) -> Iterator[PolicyProblem]:
    if check is Check.QTY_VALUE and band.pct is not None and band.pct != "unlimited":
        yield PolicyProblem(
            code="PERCENT_WITHOUT_BASE",
            where=f"{where}.pct",
            message="qty_value is an amount of money, so it can have no percentage.",
            fix="set abs, an amount in the order's currency",
        )
    if check is Check.QTY and band.direction is Direction.LOWER:
        yield PolicyProblem(
            code="CONTRADICTORY",
            where=f"{where}.direction",
            message="With lower alone, any quantity above the order would pass.",
            fix="use both, or upper",
        )
    if band.combine is Combine.LENIENT and "unlimited" in (band.pct, band.abs) and band.pct != band.abs:
        yield PolicyProblem(
            code="CONTRADICTORY",
            where=where,
            message="lenient means that both limits have to be exceeded; one of them is unlimited, so nothing ever is.",
            fix="use strict, or leave the unlimited one out",
        )


def _order_of_bands(check: Check, tolerance: Tolerance) -> Iterator[PolicyProblem]:
    for name, of in (("pct", " %"), ("abs", "")):
        warn, block = getattr(tolerance.warn, name), getattr(tolerance.block, name)
        if isinstance(block, Decimal) and isinstance(warn, Decimal) and block < warn:
            yield PolicyProblem(
                code="BLOCK_TIGHTER_THAN_WARN",
                where=f"checks.{check}.block.{name}",
                message=f"{check}: a bill would be held above {block}{of} and warned about only above {warn}{of}.",
                fix="make the block limit the larger one",
            )


def _says_something(tolerance: Tolerance) -> bool:
    return tolerance != Tolerance()


def _unreadable(refused: ValidationError) -> Iterator[PolicyProblem]:
    """Return the reader's own problems, one per field; a limit that is no number would otherwise be reported twice."""
    reported: set[str] = set()
    for error in refused.errors(include_url=False, include_context=False):
        path = [str(part) for part in error["loc"] if str(part) not in _TYPE_NAMES]
        where = ".".join(path)
        code, fix = _READING.get(error["type"], ("INVALID_VALUE", "see the field's description"))
        if error["type"] == "enum" and path[-1:] == ["[key]"]:
            where = ".".join(path[:-1])
            code, fix = "UNKNOWN_CHECK", f"use one of {', '.join(Check)}"
        if where not in reported:
            reported.add(where)
            yield PolicyProblem(code=code, where=where, message=f"{where}: {error['msg']}.", fix=fix)


_READING = {
    "greater_than_equal": ("LIMIT_NEGATIVE", "use zero for no difference at all, or a number above it"),
    "finite_number": ("LIMIT_NOT_A_NUMBER", "use a number of zero or more, or `unlimited`"),
    "decimal_parsing": ("LIMIT_NOT_A_NUMBER", "use a number of zero or more, or `unlimited`"),
    "decimal_type": ("LIMIT_NOT_A_NUMBER", "use a number of zero or more, or `unlimited`"),
    "decimal_max_digits": ("LIMIT_TOO_PRECISE", "use at most 24 digits, 8 of them after the point"),
    "decimal_max_places": ("LIMIT_TOO_PRECISE", "use at most 24 digits, 8 of them after the point"),
    "decimal_whole_digits": ("LIMIT_TOO_PRECISE", "use at most 24 digits, 8 of them after the point"),
    "extra_forbidden": ("UNKNOWN_FIELD", "leave it out; see the description of a policy"),
    "missing": ("FIELD_MISSING", "fill it in"),
}
_TYPE_NAMES = frozenset({"decimal", "literal['unlimited']", "constrained-decimal"})
"""Names of the branches of a choice that the reader tried; callers need not see them."""
