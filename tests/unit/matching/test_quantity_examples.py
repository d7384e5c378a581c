"""The worked quantity examples, each by its id."""

from decimal import Decimal

import pytest

from matching.bill import LineLedger, Outcome, match_bill
from models.domain.connections import MatchMode
from tests.builders.matching import (
    MODES,
    a_bill,
    a_ledger,
    a_policy,
    an_order,
    block,
    codes,
    of_two_way,
    run_match,
)

TWO, THREE = "2", "3"

# id, mode, O, R, B, b, expected outcome, expected code, expected excess
EXAMPLES = [
    ("Q01", TWO, 10, 0, 0, 10, "OK", None, None),
    ("Q02", TWO, 10, 0, 0, 11, "BLOCK", "QTY_OVER_CEILING", 1),
    ("Q03", TWO, 10, 0, 4, 6, "OK", None, None),
    ("Q04", TWO, 10, 0, 4, 7, "BLOCK", "QTY_OVER_CEILING", 1),
    ("Q05", TWO, 100, 105, 0, 105, "BLOCK", "QTY_OVER_CEILING", 5),
    ("Q06", THREE, 10, 4, 0, 4, "OK", None, None),
    ("Q07", THREE, 10, 4, 0, 6, "WARN", "BILLED_BEYOND_RECEIVED", 2),
    ("Q08", THREE, 10, 4, 0, 10, "WARN", "BILLED_BEYOND_RECEIVED", 6),
    ("Q09", THREE, 10, 4, 0, 11, "BLOCK", "QTY_OVER_CEILING", 1),
    ("Q10", THREE, 10, 0, 0, 1, "WARN", "BILLED_BEYOND_RECEIVED", 1),
    ("Q11", THREE, 10, 12, 0, 10, "OK", None, None),
    ("Q12", THREE, 10, 12, 0, 11, "WARN", "BILLED_BEYOND_ORDERED", 1),
    ("Q13", THREE, 10, 12, 0, 12, "WARN", "BILLED_BEYOND_ORDERED", 2),
    ("Q14", THREE, 10, 12, 0, 13, "BLOCK", "QTY_OVER_CEILING", 1),
    ("Q15", THREE, 10, 6, 4, 2, "OK", None, None),
    ("Q16", THREE, 10, 6, 4, 3, "WARN", "BILLED_BEYOND_RECEIVED", 1),
    ("Q17", THREE, 10, 6, 4, 6, "WARN", "BILLED_BEYOND_RECEIVED", 4),
    ("Q18", THREE, 10, 6, 4, 7, "BLOCK", "QTY_OVER_CEILING", 1),
    ("Q19", THREE, 10, 4, 6, 4, "WARN", "BILLED_BEYOND_RECEIVED", 6),
    ("Q20", THREE, 10, 4, 6, 5, "BLOCK", "QTY_OVER_CEILING", 1),
    ("Q21", THREE, 10, 10, 10, 1, "BLOCK", "QTY_OVER_CEILING", 1),
    ("Q22", THREE, 40, 41, 40, 1, "WARN", "BILLED_BEYOND_ORDERED", 1),
    ("Q23", THREE, 40, 41, 40, 2, "BLOCK", "QTY_OVER_CEILING", 1),
    ("Q24", THREE, 10, 12, 10, 2, "WARN", "BILLED_BEYOND_ORDERED", 2),
    ("Q25", THREE, 10, 12, 10, 3, "BLOCK", "QTY_OVER_CEILING", 1),
    ("Q26", THREE, 100, 105, 0, 106, "BLOCK", "QTY_OVER_CEILING", 1),
    ("Q38", TWO, 10, 0, 0, "10.0000001", "BLOCK", "QTY_OVER_CEILING", "0.0000001"),
    ("Q39", TWO, "0.3", 0, "0.1", "0.2", "OK", None, None),
]


@pytest.mark.parametrize(
    ("mode", "ordered", "received", "billed", "quantity", "outcome", "code", "excess"),
    [pytest.param(*example[1:], id=example[0]) for example in EXAMPLES],
)
def test_quantity_example(mode, ordered, received, billed, quantity, outcome, code, excess):
    """S4-28 (2-way block), S4-40 and S4-41 (3-way block and warning as ruled in G1), S4-34."""
    result = run_match(mode, a_ledger(ordered, received, billed), quantity)

    assert result.outcome == outcome
    assert codes(result) == ([code] if code else [])
    if excess is not None:
        assert -result.findings[0].margin == Decimal(excess)


@pytest.mark.parametrize(
    ("mode", "ledger", "quantity", "outcome", "code"),
    [
        pytest.param(THREE, a_ledger(10, 10, 6, returned=3), 4, "WARN", "BILLED_BEYOND_RECEIVED", id="Q27"),
        pytest.param(THREE, a_ledger(10, 10, 6, returned=3), 1, "OK", None, id="Q28"),
        pytest.param(THREE, a_ledger(5, 5, 5, returned=2), 1, "BLOCK", "QTY_OVER_CEILING", id="Q29"),
        pytest.param(THREE, a_ledger(5, 5, 5, returned=2, credited=2), 1, "WARN", "BILLED_BEYOND_RECEIVED", id="Q30"),
        pytest.param(TWO, a_ledger(5, 5, 5, credited=2), 2, "OK", None, id="Q31"),
        pytest.param(THREE, a_ledger(10, 7, 7, cancelled=3), 1, "BLOCK", "QTY_OVER_CEILING", id="Q32"),
        pytest.param(TWO, a_ledger(10, 0, 5, cancelled=2), 5, "BLOCK", "QTY_OVER_CEILING", id="Q33"),
        pytest.param(TWO, a_ledger(10, 0, 5, cancelled=2), 3, "OK", None, id="Q34"),
    ],
)
def test_quantity_example_with_returns_credits_or_cancellations(mode, ledger, quantity, outcome, code):
    """S4-28, S4-40, S4-41: returns lower R, credits give quantity back, cancelled quantity lowers O."""
    result = run_match(mode, ledger, quantity)

    assert result.outcome == outcome
    assert codes(result) == ([code] if code else [])


@pytest.mark.parametrize(
    ("bill_in_advance", "outcome", "code"),
    [
        (None, "WARN", "BILLED_BEYOND_RECEIVED"),
        (True, "WARN", "BILLED_BEYOND_RECEIVED"),
        (False, "HOLD", "ERP_WILL_REFUSE"),
    ],
)
def test_q10_a_bill_ahead_of_the_goods_is_held_where_the_erp_would_refuse_it(bill_in_advance, outcome, code):
    """Q10, S4-70: told before the sync fails, with the switch that would let it through."""
    order, bill = an_order(a_ledger(10)), a_bill(1, bill_in_advance=bill_in_advance)

    result = match_bill(MatchMode.THREE_WAY, [order], bill)

    assert (result.outcome, codes(result)) == (outcome, [code])
    assert any("Bill in Advance" in step for step in result.findings[0].fix) is (bill_in_advance is False)


@pytest.mark.parametrize(
    ("quantity", "outcome"), [pytest.param("10.5", "OK", id="Q40"), pytest.param("10.51", "BLOCK", id="Q41")]
)
def test_a_quantity_tolerance_widens_the_ceiling_and_its_limit_is_allowed(quantity, outcome):
    """S4-28 with a tolerance of 5 %: exactly at the limit passes."""
    policy = a_policy("tol-7", qty=block(pct=5))

    result = of_two_way(an_order(a_ledger(10)), a_bill(quantity), policy)

    assert result.outcome == outcome
    assert result.policy.id == "tol-7"
    if outcome == "BLOCK":
        (finding,) = result.findings
        assert (finding.limit, finding.margin) == (Decimal("10.5"), Decimal("-0.01"))
        assert finding.values["tolerance"] == "0.5"


@pytest.mark.parametrize("mode", [TWO, THREE])
def test_q35_a_closed_line_takes_no_bill(mode):
    result = match_bill(MODES[mode], [an_order(a_ledger(10, 10), closed_lines=(1,))], a_bill(1))

    assert result.outcome is Outcome.BLOCK
    assert codes(result) == ["LINE_CLOSED"]


def test_q36_an_edited_bill_does_not_count_its_own_earlier_quantity():
    """S4-28: the 6 that the edited bill holds is left out of P, so it may take the whole order."""
    assert run_match(TWO, a_ledger(10, pending=0), 10).outcome is Outcome.OK
    assert run_match(TWO, a_ledger(10, pending=6), 10).outcome is Outcome.BLOCK


def test_q37_of_two_saves_the_second_sees_what_the_first_reserved():
    """S4-28: the lines are locked, so two saves at once are one after the other; 6 and 6 of 10 cannot both pass."""
    before = a_ledger(10)
    first = run_match(TWO, before, 6)
    after_first = before.model_copy(update={"pending": Decimal(6)})
    second = run_match(TWO, after_first, 6)

    assert (first.outcome, second.outcome) == (Outcome.OK, Outcome.BLOCK)
    assert after_first.net_billed == 6


@pytest.mark.parametrize("quantity", ["0", "0.00", "-1", "-0.0001"])
@pytest.mark.parametrize("mode", [TWO, THREE])
def test_q42_zero_and_negative_quantities_are_refused(mode, quantity):
    result = run_match(mode, a_ledger(10, 10), quantity)

    assert result.outcome is Outcome.BLOCK
    assert codes(result) == ["INVALID_QTY"]


def test_a_negative_line_makes_no_room_for_another_line():
    """S4-28: 12 and -2 on an order of 10 is not a bill of 10."""
    result = match_bill(MatchMode.TWO_WAY, [an_order(a_ledger(10))], a_bill(12, -2))

    assert sorted(codes(result)) == ["INVALID_QTY", "QTY_OVER_CEILING"]


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(a_ledger(10, billed=0, pending=4), id="saved, not pushed"),
        pytest.param(a_ledger(10, billed=0, pending=4, received=0), id="pushed, old snapshot"),
        pytest.param(a_ledger(10, billed=4, pending=0), id="second sync done"),
    ],
)
def test_the_double_sync_never_counts_a_bill_twice_or_loses_it(moment):
    """S4-65, S4-66, S4-67: after a bill of 4 of 10, a bill of 7 is refused and one of 6 accepted at every moment."""
    assert moment.net_billed == 4
    assert run_match(TWO, moment, 7).outcome is Outcome.BLOCK
    assert run_match(TWO, moment, 6).outcome is Outcome.OK


def test_two_bill_lines_on_one_order_line_are_judged_as_one_sum():
    """S4-28: 6 and 5 of 10 are 11, however they are split over the bill's lines."""
    result = match_bill(MatchMode.TWO_WAY, [an_order(a_ledger(10))], a_bill(6, 5))

    assert codes(result) == ["QTY_OVER_CEILING"]
    assert result.findings[0].bill_lines == (1, 2)
    assert result.findings[0].margin == -1


def test_each_order_line_is_judged_by_itself():
    """S4-34: what is left on one line does not help another."""
    order = an_order(a_ledger(10, 10), a_ledger(10, 2), a_ledger(10, 10, 10))

    result = match_bill(MatchMode.THREE_WAY, [order], a_bill((1, 10), (2, 3), (3, 1)))

    assert [(finding.line, finding.severity) for finding in result.findings] == [(2, "WARN"), (3, "BLOCK")]
    assert result.outcome is Outcome.BLOCK


def test_a_bill_line_for_a_line_that_the_order_does_not_have_is_refused():
    result = match_bill(MatchMode.TWO_WAY, [an_order(a_ledger(10))], a_bill((2, 1)))

    assert codes(result) == ["LINE_NOT_ON_ORDER"]
    assert result.outcome is Outcome.BLOCK


@pytest.mark.parametrize(
    ("ledger", "hidden"),
    [
        pytest.param(a_ledger(10, 10, 10), True, id="Q21 all received and billed"),
        pytest.param(a_ledger(40, 41, 40), False, id="Q22 one received beyond the order is not billed yet"),
        pytest.param(a_ledger(40, 41, 41), True, id="over-receipt billed"),
        pytest.param(a_ledger(10, 4, 10), False, id="billed in full, not received in full"),
        pytest.param(a_ledger(10, 10, 9, pending=1), True, id="the last one is on a bill of ours"),
        pytest.param(a_ledger(10, 7, 7, cancelled=3), True, id="the rest was cancelled"),
        pytest.param(a_ledger(10, 10, 10, credited=2), False, id="two were credited"),
    ],
)
def test_a_line_is_hidden_once_received_in_full_and_billed_in_full(ledger, hidden):
    """S4-36."""
    assert ledger.hidden is hidden


def test_quantities_beyond_the_usual_precision_are_not_rounded_into_the_ceiling():
    """S4-28: an excess in the thirty-first place is still an excess."""
    excess = Decimal("1e-30")

    assert run_match(TWO, a_ledger(10), Decimal(10) + 0).outcome is Outcome.OK
    result = match_bill(MatchMode.TWO_WAY, [an_order(a_ledger(10))], a_bill("9.999999", Decimal("0.000001") + excess))
    assert result.outcome is Outcome.BLOCK
    assert -result.findings[0].margin == excess


def test_the_ruling_agrees_with_its_other_form_in_every_small_state():
    """S4-40, S4-41 (G1): B + b beyond both O and R blocks, beyond one of them warns, in all 14,690 states."""
    states = 0
    for ordered in range(1, 11):
        for received in range(13):
            for billed in range(max(ordered, received) + 1):
                ledger = LineLedger(ordered=Decimal(ordered), received=Decimal(received), billed=Decimal(billed))
                for quantity in range(1, 14):
                    together = billed + quantity
                    expected = (
                        "BLOCK"
                        if together > max(ordered, received)
                        else "WARN"
                        if together > min(ordered, received)
                        else "OK"
                    )
                    assert run_match(THREE, ledger, quantity).outcome == expected
                    states += 1
    assert states == 14_690
