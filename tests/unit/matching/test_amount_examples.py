"""The worked examples of lines that have no quantity, only an amount, each by its id; and blanket orders."""

from datetime import date
from decimal import Decimal

import pytest

from matching.bill import match_bill
from models.domain.connections import MatchMode
from tests.builders.matching import (
    a_bill,
    a_ledger,
    a_policy,
    an_order,
    block,
    codes,
    of_two_way,
)


def services(ledger, **line):
    """An order line judged by its amount; the ledger is money."""
    return an_order(ledger, price="12000", line={"basis": "amount"} | line)


def invoiced(amount, **header):
    return a_bill(1, price=amount, amount=amount, **header)


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [pytest.param("7000", "OK", id="A01"), pytest.param("7000.01", "BLOCK", id="A02")],
)
def test_a_service_is_billed_up_to_its_amount(amount, outcome):
    """A01, A02: 12,000 ordered, 5,000 billed before."""
    result = of_two_way(services(a_ledger(12_000, billed=5_000)), invoiced(amount))

    assert result.outcome == outcome
    if outcome == "BLOCK":
        assert result.findings[0].margin == Decimal("-0.01")
        assert result.findings[0].fix[0] == "lower the amount to 7000"


def test_a01_nothing_remains_after_the_last_bill():
    assert a_ledger(12_000, billed=5_000, pending=7_000).remaining == 0


def test_a03_a_service_billed_beyond_what_was_received_is_warned_about():
    """A03: 3-way, 4,000 of it received, 5,000 billed: 1,000 ahead."""
    result = match_bill(MatchMode.THREE_WAY, [services(a_ledger(12_000, 4_000))], invoiced("5000"))

    assert (result.outcome, codes(result)) == ("WARN", ["BILLED_BEYOND_RECEIVED"])
    assert result.findings[0].margin == -1_000
    assert result.findings[0].money_at_stake == 1_000


@pytest.mark.parametrize(("amount", "outcome"), [("7240", "OK"), ("7240.01", "BLOCK")])
def test_a04_a_tolerance_is_a_share_of_the_whole_amount(amount, outcome):
    """A04: 2 % of 12,000 make 12,240 the limit, 5,000 of it billed before."""
    order = services(a_ledger(12_000, billed=5_000))

    assert of_two_way(order, invoiced(amount), a_policy(qty=block(pct=2))).outcome == outcome


def test_a05_a_part_of_one_counts_as_its_amount():
    """A05: half of one at 12,000 is 6,000, not a quantity of one half."""
    order = services(a_ledger(12_000, billed=6_001))

    result = of_two_way(order, a_bill("0.5", price="12000"))

    assert codes(result) == ["QTY_OVER_CEILING"]
    assert result.findings[0].values["b"] == "6000"


@pytest.mark.parametrize("amount", ["0", "-5"])
def test_an_amount_of_zero_or_less_is_refused(amount):
    result = of_two_way(services(a_ledger(12_000)), invoiced(amount))

    assert (result.outcome, codes(result)) == ("BLOCK", ["INVALID_AMOUNT"])


def test_a_service_has_no_price_to_compare():
    """Matching rules 3.6: quantity and price of an amount-only line are not checked."""
    policy = a_policy(price=block(pct=0, direction="both"), line_amount=block(pct=0, direction="both"))

    assert of_two_way(services(a_ledger(12_000)), invoiced("7000"), policy).outcome == "OK"


@pytest.mark.parametrize(
    ("line", "bill_date", "amount", "expected"),
    [
        ({"ends_on": date(2026, 6, 30)}, date(2026, 6, 30), "100", []),
        ({"ends_on": date(2026, 6, 30)}, date(2026, 7, 1), "100", ["BLANKET_ENDED"]),
        ({"release_cap": Decimal(500)}, date(2026, 7, 1), "500", []),
        ({"release_cap": Decimal(500)}, date(2026, 7, 1), "500.01", ["RELEASE_CAP"]),
    ],
)
def test_a_blanket_order_ends_and_gives_so_much_at_once(line, bill_date, amount, expected):
    """Matching rules 3.6: an amount line with an end date and a cap per release; beyond either it is held."""
    result = of_two_way(services(a_ledger(12_000), **line), invoiced(amount, bill_date=bill_date))

    assert codes(result) == expected
    assert result.outcome == ("HOLD" if expected else "OK")
