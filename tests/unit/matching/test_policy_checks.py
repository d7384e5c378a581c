"""What is refused in a policy before it is saved, each with a code."""

from decimal import Decimal

import pytest

from matching.policies.policies import TolerancePolicy
from matching.policies.policy_checks import check_policy
from tests.builders.matching import (
    a_policy,
    block,
)


def raw(check="price", band="block", scope=None, **limits):
    return {"id": "tol-1", "scope": scope or {}, "checks": {check: {band: limits}}}


@pytest.mark.parametrize(
    "policy",
    [
        raw(pct="5"),
        raw(pct=0, abs="unlimited"),
        raw("header_sum", abs="0.02"),
        raw("qty", pct=5, direction="both"),
        raw("qty_value", abs=5, scope={"category": "Screws", "connection_id": "c"}),
        raw("charges", pct=5, abs=75, combine="strict", scope={"vendor_id": "V-1"}),
        {"id": "tol-1", "warn_on_over_receipt": False},
        {"id": "tol-1", "checks": {"price": {"warn": {"pct": 5}, "block": {"pct": 5}}}},
    ],
)
def test_a_sound_policy_has_no_problem(policy):
    assert check_policy(policy) == ()
    assert check_policy(TolerancePolicy.model_validate(policy)) == ()


@pytest.mark.parametrize(
    ("policy", "code", "where"),
    [
        (raw("prices", pct=5), "UNKNOWN_CHECK", "checks.prices"),
        (raw(pct=-1), "LIMIT_NEGATIVE", "checks.price.block.pct"),
        (raw(pct="NaN"), "LIMIT_NOT_A_NUMBER", "checks.price.block.pct"),
        (raw(abs="Infinity"), "LIMIT_NOT_A_NUMBER", "checks.price.block.abs"),
        (raw(abs="a lot"), "LIMIT_NOT_A_NUMBER", "checks.price.block.abs"),
        (raw(abs="1e500"), "LIMIT_TOO_PRECISE", "checks.price.block.abs"),
        (raw(abs="0.0000000001"), "LIMIT_TOO_PRECISE", "checks.price.block.abs"),
        (raw(percent=5), "UNKNOWN_FIELD", "checks.price.block.percent"),
        (raw(pct=5, direction="sideways"), "INVALID_VALUE", "checks.price.block.direction"),
        ({"checks": {}}, "FIELD_MISSING", "id"),
        ({"id": "tol-1"}, "POLICY_EMPTY", "checks"),
        (raw(pct=None), "POLICY_EMPTY", "checks"),
        (raw("qty_value", pct=5), "PERCENT_WITHOUT_BASE", "checks.qty_value.block.pct"),
        (raw("qty", abs=5, direction="lower"), "CONTRADICTORY", "checks.qty.block.direction"),
        (raw(pct=5, abs="unlimited", combine="lenient"), "CONTRADICTORY", "checks.price.block"),
        (raw("tax", pct=5, scope={"item_id": "I"}), "CHECK_NOT_ON_THIS_LEVEL", "checks.tax"),
        (raw(pct=5, scope={"item_id": "I", "category": "C"}), "SCOPE_COMBINATION", "scope"),
        (raw(pct=5, scope={"vendor_id": "V", "entity": "E"}), "SCOPE_COMBINATION", "scope"),
        (raw(pct=5, scope={"vendor_id": " "}), "SCOPE_BLANK", "scope.vendor_id"),
        (
            {"id": "x", "checks": {"price": {"warn": {"pct": 5}, "block": {"pct": "4.99"}}}},
            "BLOCK_TIGHTER_THAN_WARN",
            "checks.price.block.pct",
        ),
    ],
)
def test_a_problem_has_a_code_a_place_and_a_fix(policy, code, where):
    """Contradictory policies, a percentage without a base, negative limits ...: told, never raised."""
    (problem,) = check_policy(policy)

    assert (problem.code, problem.where) == (code, where)
    assert problem.message
    assert problem.fix


def test_all_problems_are_told_at_once():
    policy = raw(pct=-1, abs="NaN", direction="up")

    assert {problem.code for problem in check_policy(policy)} == {
        "LIMIT_NEGATIVE",
        "LIMIT_NOT_A_NUMBER",
        "INVALID_VALUE",
    }


def test_a_policy_comes_back_from_storage_as_it_was():
    policy = a_policy(price=block(pct="2.50", abs="unlimited"), qty={"warn": {"abs": 1}}, warn_on_over_receipt=False)

    again = TolerancePolicy.model_validate_json(policy.model_dump_json())

    assert again == policy
    assert next(iter(again.checks.values())).block.pct == Decimal("2.50")
