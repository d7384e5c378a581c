"""Whatever comes in, the engine answers with a finding, or the record refuses it with a code. It never falls over."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from matching.bill import match_bill, recompute
from matching.kernel.exact import EXACT, add, divide, multiply, plain, rounded, sensible, simplest, subtract
from matching.kernel.inputs import BillLineToMatch
from matching.kernel.units import UnitFactor
from models.domain.connections import MatchMode
from tests.builders.matching import (
    HOME,
    MODES,
    a_bill,
    a_ledger,
    a_policy,
    an_order,
    block,
    codes,
    of_two_way,
)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "sNaN"])
@pytest.mark.parametrize("field", ["quantity", "price", "amount"])
def test_what_is_no_number_does_not_get_in(number, field):
    line = {"line_no": 1, "purchase_order_id": HOME, "order_line_no": 1, "quantity": 1, "price": 1, "amount": 1}

    with pytest.raises(ValidationError) as refused:
        BillLineToMatch.model_validate(line | {field: number})
    assert refused.value.errors()[0]["type"] == "finite_number"


@pytest.mark.parametrize("factor", ["0", "-1/12"])
def test_a_unit_is_more_than_nothing_of_another(factor):
    with pytest.raises(ValidationError) as refused:
        UnitFactor(unit="Each", factor=Fraction(factor))
    assert refused.value.errors()[0]["type"] == "greater_than"


@pytest.mark.parametrize("number", ["1e21", "1e999999", "1e-41", "1e-999999", "9" * 30])
@pytest.mark.parametrize("where", ["quantity", "price", "amount", "order price", "ledger"])
def test_an_absurd_number_of_a_line_is_told(number, where):
    order = an_order(a_ledger(number if where == "ledger" else 10), price=number if where == "order price" else "25")
    line = a_bill(1).lines[0].model_copy(update={where: Decimal(number)} if " " not in where else {})
    bill = a_bill(1).model_copy(update={"lines": (line,)})

    result = of_two_way(order, bill, a_policy(price=block(pct=5), po_total=block(pct=1)))

    assert (result.outcome, codes(result)) == ("BLOCK", ["INVALID_NUMBER"])


@pytest.mark.parametrize(
    "header", [{"total": "1e30"}, {"tax": "1e-50"}, {"discount": "1e99999"}, {"expected_tax": "1e21"}]
)
def test_an_absurd_number_of_the_bill_is_told(header):
    result = of_two_way(an_order(total="100"), a_bill(1, **header), a_policy(tax=block(pct=5)))

    assert (result.outcome, codes(result)) == ("BLOCK", ["INVALID_NUMBER"])


@pytest.mark.parametrize("order", [{"total": "1e30"}, {"tax": "1e30"}, {"billed_charges": {"freight": "1e30"}}])
def test_an_absurd_number_of_an_order_is_told(order):
    assert codes(of_two_way(an_order(**order), a_bill(1))) == ["INVALID_NUMBER"]


def test_a_negative_discount_is_told():
    assert codes(of_two_way(an_order(), a_bill(1, discount="-1"))) == ["INVALID_AMOUNT"]


@pytest.mark.parametrize(("price", "amount"), [("-1", "1"), ("1", "-1")])
def test_a_negative_price_or_amount_is_told(price, amount):
    assert codes(of_two_way(an_order(), a_bill(1, price=price, amount=amount))) == ["INVALID_AMOUNT"]


def test_goods_may_be_free():
    result = of_two_way(an_order(), a_bill(1, price="0", amount="0"))

    assert (result.outcome, codes(result)) == ("INFO", ["PRICE_DIFFERS"])


def test_a_bill_without_orders_and_lines_is_told():
    assert codes(match_bill(MatchMode.TWO_WAY, [], a_bill())) == ["NO_LINES"]
    assert codes(match_bill(MatchMode.TWO_WAY, [], a_bill(1))) == ["LINE_NOT_ON_ORDER"]


def test_policies_that_contradict_each_other_do_not_stop_a_match():
    """Two of one scope, which the store refuses: always the same one decides."""
    one, other = a_policy("a", price=block(pct=0)), a_policy("b", price=block(pct=50))
    order, bill = an_order(price="100"), a_bill(1, price="101")

    first, second = of_two_way(order, bill, one, other), of_two_way(order, bill, other, one)

    assert first == second
    assert first.policy.id == "a"


numbers = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from(["0", "-0", "1e20", "1e-40", "99999999999999999999", "1e-39", "-1e300"]).map(Decimal),
)
limits = st.one_of(st.none(), st.just("unlimited"), st.decimals("0", "1000", places=4))


@st.composite
def policies(draw):
    check = draw(
        st.sampled_from(["qty", "qty_value", "price", "line_amount", "po_total", "header_sum", "tax", "charges"])
    )
    band = {
        "pct": draw(limits),
        "abs": draw(limits),
        "direction": draw(st.sampled_from([None, "upper", "lower", "both"])),
        "combine": draw(st.sampled_from([None, "strict", "lenient"])),
    }
    return a_policy(draw(st.sampled_from("abc")), **{check: {draw(st.sampled_from(["warn", "block"])): band}})


@given(data=st.data())
def test_any_figures_are_judged_and_the_judgement_can_be_repeated(data):
    """Properties 8: no exception whatever the numbers, and the stored result gives itself again."""
    ledger = a_ledger(*[data.draw(numbers) for _ in range(3)], pending=data.draw(st.fractions(0, 100)))
    order = an_order(
        ledger,
        price=data.draw(numbers),
        total=data.draw(numbers),
        tax=data.draw(st.none() | numbers),
        billed_amount=data.draw(numbers),
        line={
            "basis": data.draw(st.sampled_from(["quantity", "amount"])),
            "units": [{"unit": "Each", "factor": data.draw(st.fractions("0.01", 50, max_denominator=1_000))}],
            "unit": "Case",
        },
    )
    bill = a_bill(
        data.draw(numbers),
        price=data.draw(numbers),
        amount=data.draw(numbers),
        unit=data.draw(st.sampled_from(["", "Each", "box"])),
        total=data.draw(st.none() | numbers),
        tax=data.draw(st.none() | numbers),
        discount=data.draw(numbers),
        charges=[{"charge_class": "freight", "amount": data.draw(numbers)}],
    )
    drawn = data.draw(st.lists(policies(), max_size=3))

    result = match_bill(MODES[data.draw(st.sampled_from("23"))], [order], bill, drawn)

    assert recompute(type(result).model_validate_json(result.model_dump_json())) == result


ordinary = st.decimals("-1000", "1000", places=4) | st.fractions(-1000, 1000, max_denominator=97).map(simplest)


@given(one=ordinary, other=ordinary)
def test_arithmetic_is_exact(one, other):
    """Against fractions, which know no rounding."""
    pair = Fraction(one), Fraction(other)

    assert add(one, other) == sum(pair)
    assert subtract(one, other) == pair[0] - pair[1]
    assert multiply(one, other) == pair[0] * pair[1]
    if other:
        assert divide(one, other) == pair[0] / pair[1]


@given(ordinary)
def test_a_fraction_stays_one_only_where_its_digits_do_not_end(value):
    again = simplest(Fraction(value))

    assert again == value
    assert isinstance(again, Fraction) is (Fraction(value).denominator % 3 == 0 or not _ends(Fraction(value)))
    assert Fraction(plain(value)) == value


def _ends(value: Fraction) -> bool:
    return 10**60 % value.denominator == 0


@given(value=ordinary, places=st.integers(0, 6))
def test_rounding_is_half_up_and_off_by_at_most_half_a_unit(value, places):
    unit = Fraction(1, 10**places)

    assert abs(Fraction(rounded(value, places)) - Fraction(value)) <= unit / 2
    assert (Fraction(rounded(value, places)) / unit).denominator == 1


@pytest.mark.parametrize(
    ("value", "result"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("1/200", "0.01"), ("2/3", "0.67")]
)
def test_a_half_is_rounded_away_from_zero(value, result):
    number = Fraction(value) if "/" in value else Decimal(value)

    assert rounded(number, 2) == Decimal(result)


@given(numbers)
def test_sensible_numbers_are_never_too_much_for_exact_arithmetic(value):
    if sensible(value):
        assert EXACT.multiply(EXACT.multiply(value, value), value) == Fraction(value) ** 3
