"""The worked examples of prices and amounts, each by its id."""

from decimal import Decimal

import pytest

from matching.bill import match_bill
from matching.kernel.exact import line_amount
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

FIVE_PERCENT = {"pct": 5}

# id, price ordered, price billed, block band of the price, expected outcome
EXAMPLES = [
    ("P01", "1.00", "1.05", FIVE_PERCENT, "OK"),
    ("P02", "1.00", "1.10", FIVE_PERCENT, "HOLD"),
    ("P03", "62.00", "71.61", {"pct": 2, "abs": 5}, "HOLD"),
    ("P03 by percent", "62.00", "71.61", {"pct": 2}, "HOLD"),
    ("P03 by amount", "62.00", "71.61", {"abs": 5}, "HOLD"),
    ("P04 at the limit", "100", "105.00", FIVE_PERCENT, "OK"),
    ("P04 above it", "100", "105.01", FIVE_PERCENT, "HOLD"),
    ("P05", "100", "104", {"pct": 5, "abs": 3, "combine": "strict"}, "HOLD"),
    ("P06", "100", "104", {"pct": 5, "abs": 3, "combine": "lenient"}, "OK"),
    ("P07", "0", "0.01", FIVE_PERCENT, "HOLD"),
    ("P08 upper", "10.00", "9.00", {"pct": 5, "direction": "upper"}, "INFO"),
    ("P08 both", "10.00", "9.00", {"pct": 5, "direction": "both"}, "HOLD"),
]


@pytest.mark.parametrize(
    ("ordered", "billed", "band", "outcome"), [pytest.param(*example[1:], id=example[0]) for example in EXAMPLES]
)
def test_price_example(ordered, billed, band, outcome):
    """P01..P08: strict by default, exactly at the limit allowed, a lower price to our favour."""
    result = of_two_way(an_order(price=ordered), a_bill(1, price=billed), a_policy(price=block(**band)))

    assert result.outcome == outcome
    assert codes(result) == ([] if outcome == "OK" else ["PRICE_DIFFERS"])


@pytest.mark.parametrize(
    ("ordered", "billed", "says"),
    [
        ("1549", "1703.9", "billed at 1703.90 per Each, ordered at 1549.00 (+10 %); 1626.45 is tolerated."),
        ("0.0120", "0.02", "billed at 0.02 per Each, ordered at 0.012 (+66.67 %); 0.0126 is tolerated."),
        ("10", "9", "billed at 9.00 per Each, ordered at 10.00 (-10 %); 9.50 is tolerated."),
    ],
)
def test_a_price_that_differs_says_what_would_have_passed(ordered, billed, says):
    """P02, DESIGN 1: a refusal explains itself, with the figures as people write them."""
    policy = a_policy(price=block(pct=5, direction="both"))
    (found,) = of_two_way(an_order(price=ordered), a_bill(1, price=billed), policy).findings

    assert found.message.endswith(says)


@pytest.mark.parametrize(
    ("ordered", "billed", "difference", "percent"),
    [
        pytest.param("1.00", "1.10", "0.1", "+10 %", id="P02"),
        pytest.param("62.00", "71.61", "9.61", "+15.5 %", id="P03"),
        pytest.param("10.00", "9.00", "-1", "-10 %", id="P08"),
        pytest.param("0", "0.01", "0.01", "", id="P07: not computable"),
    ],
)
def test_a_price_difference_is_told_in_money_and_percent(ordered, billed, difference, percent):
    result = of_two_way(
        an_order(price=ordered), a_bill(2, price=billed), a_policy(price=block(pct=1, direction="both"))
    )

    (finding,) = result.findings
    assert (finding.values["difference"], finding.values["percent"]) == (difference, percent)
    assert finding.money_at_stake == 2 * Decimal(difference)
    allowed = abs(finding.limit - Decimal(ordered))
    assert finding.margin == allowed - abs(Decimal(difference))
    assert allowed == Decimal(ordered) / 100


@pytest.mark.parametrize(
    ("total", "billed", "pct", "outcome"),
    [
        pytest.param("10.00", "10.50", 5, "OK", id="P09 at the limit"),
        pytest.param("10.00", "10.51", 5, "HOLD", id="P09 above"),
        pytest.param("10.00", "9.49", 5, "HOLD", id="P09 below"),
        pytest.param("10.00", "9.50", 5, "OK", id="P09 at the lower limit"),
        pytest.param("1000", "1010", 1, "OK", id="P10 at the limit"),
        pytest.param("1000", "1010.01", 1, "HOLD", id="P10 above"),
    ],
)
def test_order_total_example(total, billed, pct, outcome):
    """P09, P10: what is billed on the order in all, looked at from both sides."""
    order = an_order(total=total)

    result = of_two_way(order, a_bill(1, amount=billed), a_policy(po_total=block(pct=pct, direction="both")))

    assert result.outcome == outcome
    assert codes(result) == ([] if outcome == "OK" else ["PO_TOTAL_DIFFERS"])


def test_an_order_total_counts_what_other_bills_took():
    """P10 over two bills: 600 before and 410.01 now are one cent more than 1 % above 1,000."""
    order = an_order(total="1000", billed_amount="600")
    policy = a_policy(po_total=block(pct=1))

    assert of_two_way(order, a_bill(1, amount="410"), policy).outcome == "OK"
    (finding,) = of_two_way(order, a_bill(1, amount="410.01"), policy).findings
    assert finding.values["billed_before"] == "600"
    assert finding.margin == Decimal("-0.01")


def test_p11_the_quantity_rule_holds_what_the_amount_rule_lets_pass():
    """P11: 97 of 100, amount within 10 %, but 3 units short where 2 are tolerated (the NetSuite example)."""
    order = an_order(a_ledger(100), price="10.00", total="1000")
    policy = a_policy(qty=block(abs=2, direction="both"), po_total=block(pct=10, direction="both"))

    result = of_two_way(order, a_bill(97, price="10.00"), policy)

    assert (result.outcome, codes(result)) == ("HOLD", ["QTY_UNDER_CEILING"])
    assert result.findings[0].margin == -1
    assert of_two_way(order, a_bill(98, price="10.00"), policy).outcome == "OK"
    assert of_two_way(order, a_bill(103, price="10.00"), policy).outcome == "BLOCK"


def test_p12_a_cheap_excess_is_within_its_value_but_the_quantity_rule_still_refuses():
    """P12: 100 more at 0.02 are worth 2.00 of the 5.00 tolerated; without a quantity tolerance they are refused."""
    order = an_order(a_ledger(1000, 1000), price="0.02")
    policy = a_policy(qty_value=block(abs=5))

    result = match_bill(MatchMode.THREE_WAY, [order], a_bill(1100, price="0.02"), [policy])

    assert (result.outcome, codes(result)) == ("BLOCK", ["QTY_OVER_CEILING"])
    widened = a_policy(qty=block(pct=10), qty_value=block(abs=5))
    assert match_bill(MatchMode.THREE_WAY, [order], a_bill(1100, price="0.02"), [widened]).outcome == "OK"


def test_p13_a_dear_excess_exceeds_its_value():
    """P13: one unit too many at 500 is more than 5.00."""
    order = an_order(a_ledger(1000, 1000), price="500")
    policy = a_policy(qty=block(pct=10), qty_value=block(abs=5))

    result = match_bill(MatchMode.THREE_WAY, [order], a_bill(1001, price="500"), [policy])

    assert (result.outcome, codes(result)) == ("HOLD", ["QTY_VALUE_EXCEEDED"])
    assert result.findings[0].money_at_stake == 500


def test_p14_a_cent_lost_by_a_price_of_two_digits_is_no_difference():
    """P14: 3 at 33.33 are 99.99, the invoice says 100.00: one cent on one line is rounding, two are not."""
    order = an_order(price="33.33")

    assert of_two_way(order, a_bill(3, price="33.33", amount="99.99", total="100.00")).outcome == "OK"
    result = of_two_way(order, a_bill(3, price="33.33", amount="99.99", total="100.01"))
    assert (result.outcome, codes(result)) == ("HOLD", ["HEADER_SUM"])


def test_p15_an_amount_is_rounded_half_up_to_cents():
    """P15: 12 at 0.001 come to 0.01."""
    assert line_amount(Decimal(12), Decimal("0.001")) == Decimal("0.01")
    assert line_amount(Decimal(5), Decimal("0.001")) == Decimal("0.01")
    assert line_amount(Decimal(4), Decimal("0.001")) == 0
    assert line_amount(Decimal("1e18"), Decimal("1.005")) == Decimal("1005000000000000000.00")


def test_p16_another_currency_is_refused_and_nothing_is_converted():
    """P16, S1-16: an order in EUR and a bill in USD, whatever the rate."""
    result = of_two_way(an_order(currency="EUR", price="1000"), a_bill(1, price="500", currency="USD"))

    assert (result.outcome, codes(result)) == ("BLOCK", ["CURRENCY_MISMATCH"])


def test_p17_billed_in_full_below_the_agreed_price_is_full_and_names_the_variance():
    """P17: 100 received at 10, billed at 9: the quantity is billed, 100 less is owed; nothing is left to bill."""
    order = an_order(a_ledger(100, 100), price="10")

    result = match_bill(MatchMode.THREE_WAY, [order], a_bill(100, price="9"), [a_policy(price=block(pct=0))])

    assert (result.outcome, codes(result)) == ("INFO", ["PRICE_DIFFERS"])
    assert result.findings[0].money_at_stake == -100
    assert a_ledger(100, 100, 100).hidden


def test_an_amount_is_compared_with_quantity_times_the_agreed_price():
    """`line_amount`: 3 at 10.00 are 30.00; 31.00 is 3.33 % more, over all bill lines of the order line."""
    order, policy = an_order(price="10.00"), a_policy(line_amount=block(pct=3))

    (finding,) = of_two_way(order, a_bill(3, price="10.00", amount="31"), policy).findings
    assert (finding.code, finding.severity) == ("LINE_AMOUNT_DIFFERS", "HOLD")
    assert finding.values["percent"] == "+3.33 %"
    assert of_two_way(order, a_bill(3, price="10.00", amount="30.90"), policy).outcome == "OK"
    split = of_two_way(order, a_bill(1, 2, price="10.00", amount="15.50"), policy)
    assert codes(split) == ["LINE_AMOUNT_DIFFERS"]


def test_between_the_bands_a_difference_is_warned_about():
    """Matching rules 3.4: beyond warn it is acknowledged, beyond block it is held."""
    policy = a_policy(price={"warn": {"pct": 2}, "block": {"pct": 5}})
    order = an_order(price="100")

    outcomes = [of_two_way(order, a_bill(1, price=price), policy).outcome for price in ("102", "102.01", "105.01")]

    assert outcomes == ["OK", "WARN", "HOLD"]


def test_each_bill_line_has_its_own_price():
    """One line at the agreed price and one above it, on the same order line."""
    order = an_order(price="10")
    cheap, dear = a_bill(2, price="10").lines[0], a_bill(3, price="12").lines[0]
    bill = a_bill(1).model_copy(update={"lines": (cheap, dear.model_copy(update={"line_no": 2}))})

    (finding,) = of_two_way(order, bill, a_policy(price=warn(pct=5))).findings

    assert finding.bill_lines == (2,)
    assert finding.money_at_stake == 6


def test_without_a_policy_totals_tax_and_charges_are_not_looked_at():
    """Built in are the seeds' quantity blocks, the price policy and sums; the rest is for the customer to decide."""
    order = an_order(price="10", total="100", tax="5", billed_charges={"freight": "5"})
    bill = a_bill(1, price="10", tax="80", charges=({"charge_class": "freight", "amount": "500"},))

    assert of_two_way(order, bill).outcome == "OK"
