"""Which policy decides, and how its two limits work together (matching rules 3.4)."""

import pytest

from matching.bill import match_bill, recompute_with
from matching.policies.policies import Level, PolicyScope
from models.domain.connections import MatchMode
from tests.builders.matching import (
    a_bill,
    a_ledger,
    a_policy,
    an_order,
    block,
    codes,
    of_two_way,
    warn,
)

# From the most specific scope to the widest.
SCOPES = [
    ("vendor+item", {"vendor_id": "V-1", "item_id": "ITEM-1"}),
    ("item", {"item_id": "ITEM-1"}),
    ("category", {"category": "Fasteners"}),
    ("vendor", {"vendor_id": "V-1"}),
    ("entity", {"entity": "100"}),
    ("connection", {"connection_id": "conn_1"}),
    ("organization", {}),
]
ORDER = an_order(price="100", line={"category": "Fasteners"})
BILL = a_bill(1, price="106", connection_id="conn_1")


@pytest.mark.parametrize("position", range(len(SCOPES)))
def test_the_most_specific_policy_decides(position):
    """Matching rules 3.4: vendor+item > item > category > vendor > entity > connection > organization."""
    level, scope = SCOPES[position]
    strict = a_policy(level, scope=scope, price=block(pct=5))
    wider = [a_policy(name, scope=each, price=block(pct=50)) for name, each in SCOPES[position + 1 :]]

    result = of_two_way(ORDER, BILL, *wider, strict)

    assert result.outcome == "HOLD"
    assert (result.policy.id, result.policy.level) == (level, level)
    lenient = a_policy(level, scope=scope, price=block(pct=6))
    stricter = [a_policy(name, scope=each, price=block(pct=0)) for name, each in SCOPES[position + 1 :]]
    assert of_two_way(ORDER, BILL, *stricter, lenient).outcome == "OK"


@pytest.mark.parametrize(
    "scope",
    [
        {"vendor_id": "V-2"},
        {"item_id": "ITEM-2"},
        {"category": "Motors"},
        {"entity": "200"},
        {"connection_id": "conn_2"},
        {"vendor_id": "V-1", "item_id": "ITEM-2"},
        {"vendor_id": "V-1", "connection_id": "conn_2"},
    ],
)
def test_a_policy_for_something_else_has_no_say(scope):
    result = of_two_way(ORDER, BILL, a_policy(scope=scope, price=block(pct=0)))

    assert result.outcome == "WARN"
    assert result.inputs.policies == ()
    assert result.policy.level is Level.BUILT_IN


def test_of_two_policies_of_one_level_the_one_for_this_connection_wins():
    """Vendor V-1 of one ERP is not vendor V-1 of another."""
    everywhere = a_policy("a", scope={"vendor_id": "V-1"}, price=block(pct=0))
    here = a_policy("b", scope={"vendor_id": "V-1", "connection_id": "conn_1"}, price=block(pct=10))

    assert of_two_way(ORDER, BILL, everywhere, here).outcome == "OK"


def test_each_value_is_inherited_by_itself():
    """Missing = inherit: percent from the item, amount from the vendor, the rest from the organization."""
    policies = [
        a_policy("item", scope={"item_id": "ITEM-1"}, price=block(pct=3)),
        a_policy("vendor", scope={"vendor_id": "V-1"}, price=block(pct=50, abs=5)),
        a_policy("org", price=block(abs=50, direction="both", combine="lenient")),
    ]

    assert of_two_way(ORDER, a_bill(1, price="104"), *policies).outcome == "OK"
    high = of_two_way(ORDER, a_bill(1, price="105.01"), *policies)
    low = of_two_way(ORDER, a_bill(1, price="94.99"), *policies)

    assert (high.outcome, low.outcome) == ("HOLD", "HOLD")
    # Lenient: the wider of both limits decided, the vendor's 5.00.
    assert high.findings[0].policy.id == "vendor"
    assert high.findings[0].values["tolerance_pct"] == "3"
    assert high.findings[0].values["tolerance_abs"] == "5"


def test_a_band_of_one_check_says_nothing_about_another():
    policies = [a_policy("item", scope={"item_id": "ITEM-1"}, qty=block(pct=5)), a_policy("org", price=block(pct=0))]

    assert codes(of_two_way(ORDER, a_bill(1, price="106"), *policies)) == ["PRICE_DIFFERS"]


def test_zero_allows_nothing_and_unlimited_everything():
    """0 = no variance; unlimited must be written out, and then overrules a wider limit."""
    org = a_policy("org", price=block(pct=0))

    assert of_two_way(ORDER, a_bill(1, price="100.0001"), org).outcome == "HOLD"
    free = a_policy("vendor", scope={"vendor_id": "V-1"}, price=block(pct="unlimited"))
    assert of_two_way(ORDER, a_bill(1, price="900"), org, free).outcome == "OK"


def test_unlimited_percent_leaves_the_amount_in_force_when_strict_and_not_when_lenient():
    """Strict: either limit exceeded is exceeded. Lenient: both have to be, and one never is."""
    strict = a_policy(price=block(pct="unlimited", abs=5))
    lenient = a_policy(price=block(pct="unlimited", abs=5, combine="lenient"))

    assert of_two_way(ORDER, a_bill(1, price="106"), strict).outcome == "HOLD"
    assert of_two_way(ORDER, a_bill(1, price="106"), lenient).outcome == "OK"


def test_an_unlimited_quantity_has_no_ceiling():
    policy = a_policy(qty=block(pct="unlimited"))

    assert of_two_way(an_order(a_ledger(10)), a_bill(1_000), policy).outcome == "OK"
    assert match_bill(MatchMode.THREE_WAY, [an_order(a_ledger(10, 10))], a_bill(1_000), [policy]).outcome == "OK"


def test_a_quantity_may_be_warned_about_before_it_is_refused():
    """The warn band of `qty`: above the order by up to 5 % asks, above that refuses."""
    policy = a_policy(qty={"warn": {"abs": 0}, "block": {"pct": 5}})
    order = an_order(a_ledger(100))

    outcomes = [of_two_way(order, a_bill(quantity), policy).outcome for quantity in (100, 101, 105, 106)]

    assert outcomes == ["OK", "WARN", "WARN", "BLOCK"]


def test_a_warning_above_the_order_does_not_take_the_place_of_the_hold_before_the_goods():
    """S4-70: 11 of 10 is within the tolerance of 2 and warned about; with 4 received NetSuite would refuse it still."""
    policy = a_policy(qty={"warn": {"pct": 0}, "block": {"pct": 20}})
    ahead = an_order(a_ledger(10, 4))

    held = match_bill(MatchMode.THREE_WAY, [ahead], a_bill(11, bill_in_advance=False), [policy])
    assert (held.outcome, codes(held)) == ("HOLD", ["QTY_OVER_CEILING", "ERP_WILL_REFUSE"])
    warned = match_bill(MatchMode.THREE_WAY, [ahead], a_bill(11), [policy])
    assert (warned.outcome, codes(warned)) == ("WARN", ["QTY_OVER_CEILING", "BILLED_BEYOND_RECEIVED"])
    arrived = match_bill(MatchMode.THREE_WAY, [an_order(a_ledger(10, 11))], a_bill(12), [policy])
    assert (arrived.outcome, codes(arrived)) == ("WARN", ["QTY_OVER_CEILING"])


def test_the_question_about_over_receipts_can_be_switched_off():
    """Matching rules 3.2: warning where more was received than ordered is our reading; a policy may do without."""
    order = an_order(a_ledger(10, 12))

    def asked(*policies):
        return match_bill(MatchMode.THREE_WAY, [order], a_bill(12), policies)

    assert asked().outcome == "WARN"
    assert asked(a_policy(warn_on_over_receipt=False)).outcome == "OK"
    on_again = a_policy("v", scope={"vendor_id": "V-1"}, warn_on_over_receipt=True)
    assert asked(a_policy(warn_on_over_receipt=False), on_again).outcome == "WARN"


def test_policies_on_items_have_no_say_over_the_bill_as_a_whole():
    policy = a_policy(scope={"item_id": "ITEM-1"}, header_sum=block(abs=0))

    assert of_two_way(an_order(), a_bill(1, amount="10", total="10.01"), policy).outcome == "OK"


def test_the_inputs_keep_the_policies_that_held_with_their_versions():
    """Property 8: what is stored is enough to compute the result again."""
    policies = [
        a_policy("mine", price=block(pct=5)),
        a_policy("not mine", scope={"vendor_id": "V-2"}, qty=block(abs=9)),
    ]

    result = of_two_way(ORDER, BILL, *policies)

    assert [(policy.id, policy.version) for policy in result.inputs.policies] == [("mine", 1)]


def test_a_match_can_be_tried_under_other_policies():
    """A change of policy is previewed on bills of the past; nothing of them changes."""
    result = of_two_way(ORDER, BILL, a_policy("old", price=block(pct=5)))

    tried = recompute_with(result, [a_policy("new", price=warn(pct=5))])

    assert (result.outcome, tried.outcome) == ("HOLD", "WARN")
    assert tried.inputs.bill == result.inputs.bill


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({}, "the whole organization"),
        ({"connection_id": "c"}, "the whole connection"),
        ({"vendor_id": "V-1", "item_id": "I"}, "vendor V-1 and item I"),
    ],
)
def test_a_scope_can_be_said_in_words(scope, words):
    assert PolicyScope(**scope).in_words == words
