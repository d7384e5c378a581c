"""What a bill waits for after the match, and how a second look compares with the first."""

from decimal import Decimal

import pytest

from matching.bill import match_bill
from matching.rules.decision import Change, compare, for_saved_bill, needs
from models.domain.connections import MatchMode
from tests.builders.matching import (
    a_bill,
    a_ledger,
    a_policy,
    an_order,
    block,
    of_two_way,
    run_match,
)

WARNED = run_match("3", a_ledger(10, 4), 6)
HELD = of_two_way(an_order(price="100"), a_bill(1, price="106"), a_policy(price=block(pct=5)))
REFUSED = run_match("2", a_ledger(10), 11)


def test_a_clean_bill_needs_nothing():
    assert not any(needs(run_match("2", a_ledger(10), 10)))


def test_a_difference_to_our_favour_needs_nothing():
    result = of_two_way(an_order(price="100"), a_bill(1, price="90"), a_policy(price=block(pct=5)))

    assert result.outcome == "INFO"
    assert not any(needs(result))


@pytest.mark.parametrize("others", [True, False])
def test_a_bill_of_another_vendor_is_released_only_where_the_erp_links_it(others):
    """Matching rules 3.5; NetSuite asks for one vendor, so a release would end in a refusal of the ERP."""
    result = of_two_way(an_order(), a_bill(1, vendor_id="V-2", other_vendors=others))
    (finding,) = result.findings

    assert (result.outcome, finding.code) == ("HOLD", "VENDOR_MISMATCH")
    assert (not any(needs(result, released=[finding.id]))) is others
    assert needs(result).fix == (() if others else (finding,))
    assert ("links no bill" in finding.message) is not others


def test_a_warning_waits_until_it_is_acknowledged_by_its_id():
    """Matching rules 3.4."""
    (finding,) = WARNED.findings

    assert needs(WARNED).acknowledge == (finding,)
    assert needs(WARNED, acknowledged=["BILLED_BEYOND_RECEIVED:line-2"]).acknowledge == (finding,)
    assert not any(needs(WARNED, acknowledged=[finding.id]))


def test_a_hold_waits_for_a_release_and_no_acknowledgement_helps():
    """Matching rules 3.4: who may acknowledge may not release."""
    (finding,) = HELD.findings

    assert needs(HELD, acknowledged=[finding.id]).release == (finding,)
    assert not any(needs(HELD, released=[finding.id]))


def test_a_bill_with_both_waits_for_both():
    order = an_order(a_ledger(10, 4), price="100")
    result = match_bill(MatchMode.THREE_WAY, [order], a_bill(6, price="106"), [a_policy(price=block(pct=5))])
    warning, hold = sorted(result.findings, key=lambda finding: finding.severity.rank)

    assert any(needs(result, acknowledged=[warning.id]))
    assert any(needs(result, released=[hold.id]))
    assert not any(needs(result, acknowledged=[warning.id], released=[hold.id]))


def test_what_would_refuse_a_bill_has_to_be_put_right():
    assert needs(REFUSED, released=[REFUSED.findings[0].id]).fix == REFUSED.findings


def test_nobody_can_release_a_unit_that_nobody_knows():
    """U05: the factor has to be told."""
    result = of_two_way(an_order(), a_bill(1, unit="box"))

    assert needs(result, released=["UOM_UNKNOWN:bill-line-1"]).fix == result.findings


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (an_order(matching_status="deleted"), "PO_NOT_BILLABLE"),
        (an_order(a_ledger(10)).model_copy(update={"lines": ()}), "LINE_NOT_ON_ORDER"),
    ],
)
def test_nobody_can_release_a_bill_whose_order_or_line_is_gone(order, code):
    """Deleted in the ERP after the bill was saved; it has to come back, or the bill has to be abandoned."""
    second = for_saved_bill(of_two_way(order, a_bill(1)))

    assert [finding.code for finding in second.findings] == [code]
    assert needs(second, released=[second.findings[0].id]).fix == second.findings


def test_a_saved_bill_is_held_and_never_unsaved():
    """Property 7: the order was cut down after the bill was saved and acknowledged."""
    second = for_saved_bill(run_match("3", a_ledger(5, 4), 6))

    assert (second.outcome, second.findings[0].severity) == ("HOLD", "HOLD")
    assert second.findings[0].code == "QTY_OVER_CEILING"
    assert not any(needs(second, released=[second.findings[0].id]))
    assert for_saved_bill(WARNED) is WARNED


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        pytest.param((10, 4), (10, 4), Change.SAME, id="nothing happened"),
        pytest.param((10, 4), (10, 6), Change.BETTER, id="a receipt came"),
        pytest.param((10, 4), (10, 5), Change.BETTER, id="a part of it came"),
        pytest.param((10, 4), (10, 3), Change.WORSE, id="a receipt was lowered"),
        pytest.param((10, 6), (10, 4), Change.WORSE, id="goods went back"),
        pytest.param((10, 4), (5, 4), Change.WORSE, id="the order was cut down"),
    ],
)
def test_a_second_look_is_better_the_same_or_worse(before, after, change):
    """Matching rules 3.6: a bill of 6, looked at again when its order or a receipt changed."""
    old, new = (run_match("3", a_ledger(*facts), 6) for facts in (before, after))

    assert compare(old, new).change is change


def test_a_comparison_names_what_appeared_and_what_went():
    old, new = run_match("3", a_ledger(10, 4), 6), run_match("3", a_ledger(5, 4), 6)

    comparison = compare(old, new)

    assert [finding.code for finding in comparison.appeared] == ["QTY_OVER_CEILING"]
    assert [finding.code for finding in comparison.gone] == ["BILLED_BEYOND_RECEIVED"]
    assert compare(new, old).change is Change.WORSE


def test_a_finding_is_worse_when_it_is_further_over_its_limit():
    old, new = run_match("3", a_ledger(10, 4), 6), run_match("3", a_ledger(10, 3), 6)

    assert compare(old, new).worse == new.findings
    assert compare(new, old).better == old.findings
    assert new.findings[0].margin < old.findings[0].margin == Decimal(-2)
