"""What must hold for every order and every bill (the numbered properties of the matching rules)."""

from decimal import Decimal
from fractions import Fraction
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.bill import LineLedger, MatchResult, Outcome, match_bill, recompute
from matching.kernel.exact import add, multiply
from matching.kernel.lines import in_order_unit
from matching.kernel.units import UnitFactor
from matching.policies.policies import Check, Direction
from matching.rules.decision import Change, compare, for_saved_bill
from models.domain.connections import MatchMode
from tests.builders.matching import (
    MODES,
    a_bill,
    a_ledger,
    a_policy,
    an_order,
    run_match,
)

settings.register_profile("rules", max_examples=300)
OFTEN = settings.get_profile("rules")

quantities = st.decimals(min_value="0", max_value="1000", places=4)
positive = st.decimals(min_value="0.0001", max_value="1000", places=4)
small = st.decimals(min_value="0", max_value="20", places=1)
modes = st.sampled_from(["2", "3"])
in_advances = st.sampled_from([None, True, False])
factors = st.fractions(Fraction(1, 60), 60, max_denominator=60)


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


@st.composite
def quantity_policies(draw):
    """None, or a policy that widens the ceiling, with a warn band below it or without."""
    if draw(st.booleans()):
        return []
    limit = st.none() | st.just("unlimited") | st.sampled_from(["0", "2", "5", "10", "12.5"])
    combine = draw(st.sampled_from([None, "strict", "lenient"]))
    said = {
        "block": {"pct": draw(limit), "abs": draw(limit), "combine": combine},
        "warn": {"pct": draw(limit), "abs": draw(limit)},
    }
    switches = {"warn_on_over_receipt": draw(st.booleans()), "returns_reduce_ordered": draw(st.booleans())}
    return [a_policy(qty=said, **switches)]


def under(mode, ledger, quantity, policies=(), in_advance=None):
    """Judge a bill of one line under policies; `in_advance`: whether the ERP takes it before the goods."""
    return match_bill(MODES[mode], [an_order(ledger)], a_bill(quantity, bill_in_advance=in_advance), policies)


bill_quantities = st.decimals(min_value="0.1", max_value="25", places=1)


@given(mode=modes, ordered=quantities, received=quantities, bills=st.lists(positive, max_size=12))
def test_1_what_is_saved_never_exceeds_the_ceiling(mode, ordered, received, bills):
    """S4-28, S4-40: whatever bills are tried, what was let through stays within order (2-way) or order and receipt."""
    ledger = a_ledger(ordered, received)
    for quantity in bills:
        if run_match(mode, ledger, quantity).outcome is not Outcome.BLOCK:
            ledger = ledger.model_copy(update={"pending": ledger.pending + quantity})

    assert ledger.net_billed <= (ordered if mode == "2" else max(ordered, received))


@given(ordered=quantities, bills=st.lists(positive, max_size=12), factor=factors)
def test_1_in_another_unit_too_nothing_is_saved_beyond_the_ceiling_not_by_a_hair(ordered, bills, factor):
    """U04: what is reserved is exact, so rounding can neither open a gap nor close one."""
    ledger, reserved = a_ledger(ordered), Fraction(0)
    units = {"unit": "Case", "units": (UnitFactor(unit="Each", factor=factor),)}
    for quantity in bills:
        order, bill = an_order(ledger, line=units), a_bill(quantity, unit="Each")
        if match_bill(MatchMode.TWO_WAY, [order], bill).outcome is Outcome.OK:
            taken = in_order_unit(order.lines[0], bill.lines[0])
            assert Fraction(taken) == Fraction(quantity) * factor
            ledger = ledger.model_copy(update={"pending": add(ledger.pending, taken)})
            reserved += Fraction(taken)

    assert Fraction(ledger.net_billed) == reserved <= Fraction(ordered)


@OFTEN
@given(
    mode=modes,
    ledger=ledgers(),
    quantity=bill_quantities,
    more=small,
    policies=quantity_policies(),
    in_advance=in_advances,
)
def test_2_receiving_more_never_makes_a_result_worse(mode, ledger, quantity, more, policies, in_advance):
    richer = ledger.model_copy(update={"received": ledger.received + more})
    now, then = (under(mode, held, quantity, policies, in_advance) for held in (richer, ledger))

    assert now.outcome.rank <= then.outcome.rank


@OFTEN
@given(
    mode=modes,
    ledger=ledgers(),
    quantity=bill_quantities,
    more=small,
    policies=quantity_policies(),
    in_advance=in_advances,
)
def test_3_billing_more_never_makes_a_result_better(mode, ledger, quantity, more, policies, in_advance):
    """Also of a hold: where the ERP refuses bills ahead of the goods, a larger one is no mere warning (S4-70)."""
    larger, smaller = (under(mode, ledger, much, policies, in_advance) for much in (quantity + more, quantity))

    assert larger.outcome.rank >= smaller.outcome.rank


@given(ledger=ledgers(), quantity=bill_quantities, more=small, price=positive)
def test_3_also_where_its_money_is_looked_at(ledger, quantity, more, price):
    """At one price, a larger bill is never better in price, amount, order total or charges."""
    bands = {"block": {"pct": 5, "abs": 20}}
    policy = a_policy(price=bands, line_amount=bands, po_total=bands, qty_value={"block": {"abs": 20}}, charges=bands)
    order = an_order(ledger, total="500", tax="50", billed_amount="100")
    charges = [{"charge_class": "freight", "amount": "22"}]

    def billed(much):
        return match_bill(MatchMode.THREE_WAY, [order], a_bill(much, price=price, charges=charges), [policy])

    assert billed(quantity + more).outcome.rank >= billed(quantity).outcome.rank


@OFTEN
@given(
    mode=modes,
    ledger=ledgers(),
    first=bill_quantities,
    second=bill_quantities,
    policies=quantity_policies(),
    in_advance=in_advances,
)
def test_4_splitting_a_bill_in_two_gives_the_same_end_state(mode, ledger, first, second, policies, in_advance):
    """The two parts together are let through exactly when the whole is, with the same outcome and the same B."""
    whole = under(mode, ledger, first + second, policies, in_advance)
    after_first = ledger.model_copy(update={"pending": ledger.pending + first})
    parts = (
        under(mode, ledger, first, policies, in_advance),
        under(mode, after_first, second, policies, in_advance),
    )

    assert max(parts, key=lambda part: part.outcome.rank).outcome is whole.outcome


@given(mode=modes, ledger=ledgers(), parts=st.lists(bill_quantities, min_size=1, max_size=5))
def test_4_splitting_a_bill_line_in_several_gives_the_same_outcome(mode, ledger, parts):
    assert (
        match_bill(MODES[mode], [an_order(ledger)], a_bill(*parts)).outcome
        is run_match(mode, ledger, sum(parts)).outcome
    )


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


@given(
    mode=modes, ledger=ledgers(), quantity=bill_quantities, price=positive, factor=factors, percent=st.integers(0, 20)
)
def test_6_another_unit_of_the_order_gives_the_same_outcome(mode, ledger, quantity, price, factor, percent):
    """The bill stays as it is; the order is kept in its unit, or in one of which `factor` make one of the bill's."""
    counts = {name: multiply(value, factor) for name, value in ledger}
    policy = a_policy(
        qty={"block": {"pct": percent}},
        price={"block": {"pct": percent, "direction": "both"}},
        line_amount={"block": {"abs": 5, "direction": "both"}},
        qty_value={"block": {"abs": 40}},
    )
    bill = a_bill(quantity, price=price, unit="Each")
    same = an_order(ledger, price=Decimal(factor.numerator), line={"unit": "Each"})
    scaled = an_order(
        LineLedger(**counts),
        price=Decimal(factor.denominator),
        line={"unit": "Other", "units": (UnitFactor(unit="each", factor=factor),)},
    )

    one = match_bill(MODES[mode], [same], bill, [policy])
    other = match_bill(MODES[mode], [scaled], bill, [policy])

    assert [(found.id, found.severity) for found in one.findings] == [
        (found.id, found.severity) for found in other.findings
    ]
    assert [found.money_at_stake for found in one.findings] == [found.money_at_stake for found in other.findings]


@OFTEN
@given(mode=modes, before=ledgers(), after=ledgers(), quantity=bill_quantities, policies=quantity_policies())
def test_7_a_saved_bill_is_never_refused_whatever_happens_to_its_order(mode, before, after, quantity, policies):
    """And a second look says worse exactly when something appeared or became worse."""
    first = under(mode, before, quantity, policies)
    second = for_saved_bill(under(mode, after, quantity, policies))

    assert second.outcome is not Outcome.BLOCK
    comparison = compare(first, second)
    assert (comparison.change is Change.SAME) is not any(
        (comparison.appeared, comparison.worse, comparison.better, comparison.gone)
    )
    assert compare(first, first).change is Change.SAME


@given(ledger=ledgers(), quantity=bill_quantities, arrived=small)
def test_7_a_warned_bill_does_not_become_refused_by_itself(ledger, quantity, arrived):
    """Saved and looked at again, its own quantity left out of B, it is no worse; nor when more goods arrive."""
    if run_match("3", ledger, quantity).outcome is Outcome.WARN:
        later = ledger.model_copy(update={"received": ledger.received + arrived})

        assert run_match("3", later, quantity).outcome is not Outcome.BLOCK


SCOPES = [
    {},
    {"connection_id": "conn_1"},
    {"entity": "100"},
    {"vendor_id": "V-1"},
    {"vendor_id": "V-2"},
    {"category": "Bolts"},
    {"item_id": "ITEM-1"},
    {"item_id": "ITEM-2", "connection_id": "conn_1"},
    {"vendor_id": "V-1", "item_id": "ITEM-1"},
]
LIMITS = st.none() | st.sampled_from(["unlimited", "0", "3", "10"])


@st.composite
def policies_of_many_scopes(draw):
    """At most one policy of each scope, each on one check."""
    return [
        a_policy(
            f"tol-{position}",
            scope=SCOPES[position],
            **{
                draw(st.sampled_from(Check)).value: {
                    "warn": {"pct": draw(LIMITS), "direction": draw(st.sampled_from([None, *Direction]))},
                    "block": {"pct": draw(LIMITS), "abs": draw(LIMITS)},
                }
            },
        )
        for position in draw(st.lists(st.integers(0, len(SCOPES) - 1), unique=True, max_size=5))
    ]


@OFTEN
@given(
    mode=modes, lines=st.lists(ledgers(), min_size=1, max_size=3), policies=policies_of_many_scopes(), data=st.data()
)
def test_8_a_result_can_be_computed_again_from_what_was_stored(mode, lines, policies, data):
    """The stored inputs hold all that had a say, so the lines and policies that were left out had none."""
    billed = data.draw(st.lists(st.tuples(st.integers(1, len(lines) + 1), bill_quantities), min_size=1, max_size=4))
    price = data.draw(st.sampled_from(["25", "25.50", "26", "30", "20"]))
    order = an_order(*lines, line={"category": "Bolts"}, total="300", tax="30", billed_amount="100")
    charges = [{"charge_class": "freight", "amount": "20"}]
    bill = a_bill(*billed, price=price, connection_id="conn_1", total="200", tax="9", charges=charges)

    result = match_bill(MODES[mode], [order], bill, policies)

    stored = MatchResult.model_validate_json(result.model_dump_json())
    assert stored == result
    assert recompute(stored) == result
    assert match_bill(MODES[mode], [order], bill, data.draw(st.permutations(policies))) == result


@given(ledger=ledgers(), quantity=bill_quantities, arrived=quantities, policies=quantity_policies())
def test_9_receipts_do_not_change_a_2_way_result(ledger, quantity, arrived, policies):
    later = ledger.model_copy(update={"received": arrived})

    assert under("2", later, quantity, policies).outcome is under("2", ledger, quantity, policies).outcome


@given(ledger=ledgers(), quantity=bill_quantities, policies=quantity_policies())
def test_3_way_is_2_way_once_exactly_what_was_ordered_has_arrived(ledger, quantity, policies):
    arrived = ledger.model_copy(update={"received": ledger.effective_ordered, "returned": Decimal(0)})

    assert under("3", arrived, quantity, policies).outcome is under("2", arrived, quantity, policies).outcome


@OFTEN
@given(mode=modes, ledger=ledgers(), quantity=bill_quantities, policies=quantity_policies())
def test_a_finding_names_a_limit_that_would_have_passed(mode, ledger, quantity, policies):
    """Lowering the quantity to the limit, as the fix says, takes the finding away or at least makes it milder."""
    for finding in under(mode, ledger, quantity, policies).findings:
        assert finding.margin == finding.limit - quantity
        if finding.limit > 0:
            again = {found.code: found.severity for found in under(mode, ledger, finding.limit, policies).findings}
            assert finding.severity != again.get(finding.code)
