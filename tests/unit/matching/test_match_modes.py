"""How a bill is matched: by itself, its vendor's policy, its connection, its total; substitutes (features 6, 12)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.bill import match_bill, recompute
from matching.kernel.inputs import BillToMatch
from matching.kernel.result import MatchResult
from matching.policies.policies import TolerancePolicy
from matching.policies.policy_checks import check_policy
from models.domain.bills import BillMatchMode
from models.domain.connections import MatchMode
from tests.builders.matching import a_bill, a_ledger, an_order, codes


def policy(scope: dict[str, str] | None = None, **said: object) -> TolerancePolicy:
    return TolerancePolicy.model_validate({"id": f"tol-{scope}", "scope": scope or {}, **said})


def matched(bill: BillToMatch, *policies: TolerancePolicy, mode: MatchMode = MatchMode.TWO_WAY) -> MatchResult:
    """Match a bill with an order of 10 at 25.00, of which 4 were received."""
    result = match_bill(mode, [an_order(a_ledger(10, 4))], bill, policies)
    assert recompute(result) == result
    return result


def test_the_bill_comes_before_its_vendor_and_the_vendor_before_the_connection() -> None:
    of_vendor, of_all = policy({"vendor_id": "V-1"}, match_mode="three_way"), policy(match_mode="none")
    shown = [
        (result.mode, result.mode_set_by, codes(result))
        for result in (
            matched(a_bill(6)),
            matched(a_bill(6), mode=MatchMode.THREE_WAY),
            matched(a_bill(6), of_all),
            matched(a_bill(6), of_all, of_vendor),
            matched(a_bill(6, match_mode=BillMatchMode.TWO_WAY), of_all, of_vendor),
            matched(a_bill(6, vendor_id="V-2"), of_vendor),
        )
    ]
    assert shown == [
        ("two_way", "connection", []),
        ("three_way", "connection", ["BILLED_BEYOND_RECEIVED"]),
        ("none", "organization", ["NOT_MATCHED"]),
        ("three_way", "vendor", ["BILLED_BEYOND_RECEIVED"]),
        ("two_way", "bill", []),
        ("two_way", "connection", ["VENDOR_MISMATCH"]),
    ]


def test_a_bill_that_is_not_matched_passes_what_matching_refuses() -> None:
    """Eleven of ten at four times the price; its duplicates, dates and sum are looked at all the same."""
    bill = a_bill(11, price="100.00", match_mode=BillMatchMode.NONE)
    assert (matched(bill).outcome, codes(matched(bill))) == ("INFO", ["NOT_MATCHED"])
    kept = {"name": "bil_1", "vendor_id": "V-1", "number": "inv 1", "bill_date": "2026-11-01", "total": "5"}
    twice = BillToMatch.model_validate({**bill.model_dump(), "kept": [kept], "bill_date": "2026-11-20"})
    assert codes(matched(twice)) == ["NOT_MATCHED", "DUPLICATE_EXACT"]
    assert codes(matched(bill.model_copy(update={"total": Decimal(1)}))) == ["HEADER_SUM", "NOT_MATCHED"]
    closed = match_bill(MatchMode.TWO_WAY, [an_order(a_ledger(10), closed_lines=(1,))], bill)
    assert codes(closed) == ["LINE_CLOSED", "NOT_MATCHED"]


def test_nothing_is_matched_3_way_where_no_receipts_come_in() -> None:
    result = matched(a_bill(6, receipts_come_in=False), policy(match_mode="three_way"))
    assert (result.mode, codes(result)) == ("two_way", [])


@pytest.mark.parametrize(
    ("near", "said", "outcome"),
    [
        ("0", {}, ("none", "small bill", ["SMALL_BILL"])),
        ("25.00", {}, ("none", "small bill", ["SMALL_BILL"])),
        ("25.01", {}, ("three_way", "connection", ["BILLED_BEYOND_RECEIVED"])),
        (None, {}, ("three_way", "connection", ["BILLED_BEYOND_RECEIVED"])),
        ("0", {"match_mode": "three_way"}, ("three_way", "bill", ["BILLED_BEYOND_RECEIVED"])),
    ],
)
def test_a_small_bill_is_not_matched(
    near: str | None, said: dict[str, str], outcome: tuple[str, str, list[str]]
) -> None:
    """125.00 of a limit of 150.00: with what other small bills come to; a person's own choice comes first."""
    bill = a_bill(5, small_bills_near=near, **said)
    result = matched(bill, policy(small_bill_total="150.00"), mode=MatchMode.THREE_WAY)
    assert (result.mode, result.mode_set_by, codes(result)) == outcome


@given(st.lists(st.decimals(min_value="0.01", max_value="200", places=2), min_size=1, max_size=12))
def test_small_bills_never_come_to_more_than_the_limit(totals: list[Decimal]) -> None:
    """Splitting a bill makes no part of it small: whatever comes within 30 days, at most the limit is not matched."""
    unmatched = Decimal(0)
    for total in totals:
        bill = a_bill(1, price=total, small_bills_near=unmatched)
        if matched(bill, policy(small_bill_total="100")).mode_set_by == "small bill":
            unmatched += total
    assert unmatched <= 100


@pytest.mark.parametrize("said", [{"match_mode": "none"}, {"small_bill_total": "100"}])
def test_a_policy_on_an_item_says_nothing_about_whole_bills(said: dict[str, str]) -> None:
    (problem,) = check_policy({"id": "tol-1", "scope": {"item_id": "A"}, **said})
    assert (problem.code, problem.where) == ("CHECK_NOT_ON_THIS_LEVEL", next(iter(said)))
    assert check_policy({"id": "tol-1", "scope": {"vendor_id": "V-1"}, **said}) == ()


def test_a_substitute_holds_the_bill_until_it_is_accepted() -> None:
    (line,) = a_bill(4, price="50.00", unit="box").lines
    order = an_order(a_ledger(10))
    (order_line,) = order.lines
    factors = [{"unit": "box", "factor": "2"}, {"unit": "box", "item_id": "B-9", "factor": "3"}]
    known = order_line.model_validate({**order_line.model_dump(), "units": factors})
    order = order.model_copy(update={"lines": (known,)})

    def result(substitute: str | None) -> MatchResult:
        bill = a_bill().model_copy(update={"lines": (line.model_copy(update={"substitute": substitute}),)})
        return match_bill(MatchMode.TWO_WAY, [order], bill)

    assert codes(result(None)) == []  # four boxes of two are eight of ten
    beyond = result("B-9").findings  # four boxes of three are twelve
    assert [(one.code, one.severity) for one in beyond[:2]] == [("SUBSTITUTE", "HOLD"), ("QTY_OVER_CEILING", "BLOCK")]
    assert [one.code for one in result("B-10").findings] == ["UOM_UNKNOWN", "SUBSTITUTE"]
