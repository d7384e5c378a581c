"""What must hold for every order and every bill (the numbered properties of the matching rules)."""

from decimal import Decimal
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.bill import LineLedger, MatchResult, Outcome, match_bill, recompute
from models.domain import MatchMode
from tests.matching.given import a_bill, a_ledger, an_order, judge

quantities = st.decimals(min_value="0", max_value="1000", places=4)
positive = st.decimals(min_value="0.0001", max_value="1000", places=4)
small = st.decimals(min_value="0", max_value="20", places=1)
modes = st.sampled_from(["2", "3"])


@st.composite
def ledgers(draw):
    return LineLedger(
        ordered=draw(small),
        cancelled=draw(st.sampled_from([Decimal(0), Decimal(1)])),
        received=draw(small),
        returned=draw(st.sampled_from([Decimal(0), Decimal("0.5")])),
        billed=draw(small),
        pending=draw(small),
        credited=draw(st.sampled_from([Decimal(0), Decimal(2)])),
    )


bill_quantities = st.decimals(min_value="0.1", max_value="25", places=1)


@given(mode=modes, ordered=quantities, received=quantities, bills=st.lists(positive, max_size=12))
def test_1_what_is_saved_never_exceeds_the_ceiling(mode, ordered, received, bills):
    """S4-28, S4-40: whatever bills are tried, what was let through stays within order (2-way) or order and receipt."""
    ledger = a_ledger(ordered, received)
    for quantity in bills:
        if judge(mode, ledger, quantity).outcome is not Outcome.BLOCK:
            ledger = ledger.model_copy(update={"pending": ledger.pending + quantity})

    assert ledger.net_billed <= (ordered if mode == "2" else max(ordered, received))


@given(mode=modes, ledger=ledgers(), quantity=bill_quantities, more=small)
def test_2_receiving_more_never_makes_a_result_worse(mode, ledger, quantity, more):
    richer = ledger.model_copy(update={"received": ledger.received + more})

    assert judge(mode, richer, quantity).outcome.rank <= judge(mode, ledger, quantity).outcome.rank


@given(mode=modes, ledger=ledgers(), quantity=bill_quantities, more=small)
def test_3_billing_more_never_makes_a_result_better(mode, ledger, quantity, more):
    assert judge(mode, ledger, quantity + more).outcome.rank >= judge(mode, ledger, quantity).outcome.rank


@given(mode=modes, ledger=ledgers(), first=bill_quantities, second=bill_quantities)
def test_4_splitting_a_bill_in_two_gives_the_same_end_state(mode, ledger, first, second):
    """The two parts together are let through exactly when the whole is, with the same outcome and the same B."""
    whole = judge(mode, ledger, first + second)
    after_first = ledger.model_copy(update={"pending": ledger.pending + first})
    parts = (judge(mode, ledger, first), judge(mode, after_first, second))

    assert max(parts, key=lambda part: part.outcome.rank).outcome is whole.outcome


@given(mode=modes, ledger=ledgers(), parts=st.lists(bill_quantities, min_size=1, max_size=5))
def test_4_splitting_a_bill_line_in_several_gives_the_same_outcome(mode, ledger, parts):
    matched = {"2": MatchMode.TWO_WAY, "3": MatchMode.THREE_WAY}[mode]

    assert match_bill(matched, [an_order(ledger)], a_bill(*parts)).outcome is judge(mode, ledger, sum(parts)).outcome


EVENTS = {"receipt": "received", "return": "returned", "bill": "billed", "own bill": "pending", "credit": "credited"}


@given(data=st.data(), ordered=small, events=st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), small), max_size=8))
def test_5_the_order_of_events_does_not_matter(data, ordered, events):
    def happened(ledger: LineLedger, event: tuple[str, Decimal]) -> LineLedger:
        kind, quantity = event
        return ledger.model_copy(update={EVENTS[kind]: getattr(ledger, EVENTS[kind]) + quantity})

    one = reduce(happened, events, a_ledger(ordered))
    other = reduce(happened, data.draw(st.permutations(events)), a_ledger(ordered))

    assert one == other
    assert (one.remaining, one.unbilled_received, one.hidden) == (
        other.remaining,
        other.unbilled_received,
        other.hidden,
    )


@given(ledger=ledgers(), quantity=bill_quantities, arrived=small)
def test_7_a_warned_bill_does_not_become_refused_by_itself(ledger, quantity, arrived):
    """Saved and looked at again, its own quantity left out of B, it is no worse; nor when more goods arrive."""
    if judge("3", ledger, quantity).outcome is Outcome.WARN:
        later = ledger.model_copy(update={"received": ledger.received + arrived})

        assert judge("3", later, quantity).outcome is not Outcome.BLOCK


@given(mode=modes, lines=st.lists(ledgers(), min_size=1, max_size=3), data=st.data())
def test_8_a_result_can_be_computed_again_from_what_was_stored(mode, lines, data):
    billed = data.draw(st.lists(st.tuples(st.integers(1, len(lines) + 1), bill_quantities), min_size=1, max_size=4))
    result = match_bill({"2": MatchMode.TWO_WAY, "3": MatchMode.THREE_WAY}[mode], [an_order(*lines)], a_bill(*billed))

    stored = MatchResult.model_validate_json(result.model_dump_json())

    assert stored == result
    assert recompute(stored) == result


@given(ledger=ledgers(), quantity=bill_quantities, arrived=quantities)
def test_9_receipts_do_not_change_a_2_way_result(ledger, quantity, arrived):
    later = ledger.model_copy(update={"received": arrived})

    assert judge("2", later, quantity).outcome is judge("2", ledger, quantity).outcome


@given(ledger=ledgers(), quantity=bill_quantities)
def test_3_way_is_2_way_once_exactly_what_was_ordered_has_arrived(ledger, quantity):
    arrived = ledger.model_copy(update={"received": ledger.effective_ordered, "returned": Decimal(0)})

    assert judge("3", arrived, quantity).outcome is judge("2", arrived, quantity).outcome


@settings(max_examples=50)
@given(mode=modes, ledger=ledgers(), quantity=bill_quantities)
def test_a_finding_names_a_limit_that_would_have_passed(mode, ledger, quantity):
    """Lowering the quantity to the limit, as the fix says, takes the finding away."""
    for finding in judge(mode, ledger, quantity).findings:
        assert finding.margin == finding.limit - quantity
        if finding.limit > 0:
            assert finding.code not in {again.code for again in judge(mode, ledger, finding.limit).findings}
