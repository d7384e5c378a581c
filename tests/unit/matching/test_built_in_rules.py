"""The built-in rules that hold on a fresh installation, and their versions (matching rules 3.4, 3.5)."""

from datetime import date
from decimal import Decimal

import pytest

from matching.bill import match_bill, recompute
from matching.kernel.inputs import Basis, DuplicateCandidate
from matching.kernel.result import FIRST_RULES, RULES, MatchResult
from matching.rules.tolerances import BUILT_IN_TOLERANCES
from models.domain.connections import MatchMode
from models.domain.invoice_numbers import number_parts
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


def entered(*quantities, price, amount, **header):
    """A bill whose lines give quantity, price and amount."""
    bill = a_bill(*quantities, price=price, amount=amount, **header)
    return bill.model_copy(update={"lines": tuple(line.model_copy(update={"all_given": True}) for line in bill.lines)})


# --- prices ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("billed", "outcome"),
    [("102.00", "OK"), ("102.01", "WARN"), ("110.00", "WARN"), ("110.01", "HOLD"), ("1000", "HOLD"), ("98", "OK")],
)
def test_a_fresh_installation_looks_at_prices(billed, outcome):
    """A6, rules 3.4: warned about above 2 %, held above 10 %, exactly at the limit allowed."""
    result = of_two_way(an_order(price="100"), a_bill(1, price=billed))

    assert result.outcome == outcome
    assert all(finding.policy.model_dump() == {"id": "built-in", "level": "built-in", "version": RULES}
               for finding in result.findings)  # fmt: skip


def test_a_laptop_at_ten_times_its_price_is_held():
    """A6: 1,549 ordered, 15,490 billed; and 154,900."""
    for billed in ("15490", "154900"):
        result = of_two_way(an_order(price="1549"), a_bill(1, price=billed))
        assert (result.outcome, codes(result)) == ("HOLD", ["PRICE_DIFFERS"])


def test_a_price_to_our_favour_is_no_question():
    """Rules 3.4: the upper side only; what is far below is worth knowing and keeps nobody waiting (P08)."""
    assert of_two_way(an_order(price="100"), a_bill(1, price="80")).outcome == "INFO"


@pytest.mark.parametrize("limits", [warn(pct=50), block(pct=50), warn(abs=500), block(abs=500), block(pct="unlimited")])
def test_a_price_limit_in_either_band_replaces_both_built_in_ones(limits):
    """Rules 3.4: who allows 50 % in one band does not want 2 % in the other."""
    assert of_two_way(an_order(price="100"), a_bill(1, price="145"), a_policy(price=limits)).outcome == "OK"


def test_a_policy_replaces_the_built_in_one_only_where_it_holds():
    of_another = a_policy(scope={"item_id": "ITEM-2"}, price=block(pct=90))

    assert of_two_way(an_order(price="100"), a_bill(1, price="145"), of_another).outcome == "HOLD"


def test_a_direction_alone_is_no_limit():
    """What sets no limit leaves the built-in ones, and is inherited like every value."""
    both = a_policy(price=block(direction="both"))

    assert of_two_way(an_order(price="100"), a_bill(1, price="85"), both).outcome == "HOLD"


def test_percent_of_a_price_below_zero_uses_its_size():
    """A3, rules 3.4: of a rebate of 25.00, 22.50 is at the limit of 10 %, and 22.49 beyond it: less is taken off."""
    order = an_order(a_ledger(1), a_ledger(10), price="-25")
    order = order.model_copy(
        update={"lines": (order.lines[0], order.lines[1].model_copy(update={"price": Decimal(100)}))}
    )

    def rebated(price):
        goods = a_bill((2, 10), price="100").lines[0].model_copy(update={"line_no": 2})
        bill = a_bill(1, price=price)
        return of_two_way(order, bill.model_copy(update={"lines": (*bill.lines, goods)})).outcome

    assert [rebated(price) for price in ("-25", "-24.50", "-22.50", "-22.49")] == ["OK", "OK", "WARN", "HOLD"]


# --- a line's own arithmetic ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "outcome"),
    [
        pytest.param("1", "189", "500.00", "HOLD", id="A5"),
        pytest.param("1000", "0.33", "333.33", "OK", id="a price rounded to two digits"),
        pytest.param("1000", "0.33", "335.00", "OK", id="at the limit: 1,000 x 0.005"),
        pytest.param("1000", "0.33", "335.01", "HOLD", id="beyond it"),
        pytest.param("1000", "0.330", "333.33", "HOLD", id="a written zero is a digit"),
        pytest.param("1", "189.00", "189.01", "OK", id="a cent is rounding"),
        pytest.param("1", "189.00", "189.02", "HOLD", id="two are not"),
        pytest.param("3", "1E+2", "301.50", "OK", id="half of the last digit before the point"),
        pytest.param("3", "1E+2", "301.51", "HOLD", id="an exponent writes no digits"),
    ],
)
def test_quantity_and_price_make_the_amount(quantity, price, amount, outcome):
    """A5, rules 3.4: AMOUNT_NOT_PRICE, beyond a cent and beyond what the price may have been rounded by."""
    result = of_two_way(
        an_order(a_ledger(1000), price=price),
        entered(quantity, price=price, amount=amount),
        a_policy(price=block(pct=1)),
    )

    assert (result.outcome, codes(result)) == (outcome, ["AMOUNT_NOT_PRICE"] if outcome == "HOLD" else [])


def test_what_was_derived_has_no_arithmetic():
    """Rules 3.4: only where the bill gives both."""
    assert of_two_way(an_order(price="189"), a_bill(1, price="189", amount="500")).outcome == "OK"


def test_the_arithmetic_is_that_of_the_bill_s_own_unit():
    """120 pieces at 2.00 are 240.00, whatever the order is in."""
    order = an_order(price="24.00", line={"unit": "Case", "units": [{"unit": "Each", "factor": "1/12"}]})

    assert of_two_way(order, entered(120, price="2.00", amount="240.00", unit="Each")).outcome == "OK"
    assert codes(of_two_way(order, entered(120, price="2.00", amount="20.00", unit="Each"))) == ["AMOUNT_NOT_PRICE"]


# --- below zero ---------------------------------------------------------------------------------------------------


def rebate_order(*, basis=Basis.QUANTITY):
    """10 at 100.00 and a rebate of 25.00."""
    order = an_order(a_ledger(10), a_ledger(1), price="100")
    rebate = order.lines[1].model_copy(update={"price": Decimal(-25)})
    if basis is Basis.AMOUNT:
        rebate = rebate.model_copy(update={"basis": basis, "ledger": a_ledger(-25), "price": Decimal(0)})
    return order.model_copy(update={"lines": (order.lines[0], rebate)})


def rebated(*, price="-25.00", amount="-25.00", goods="10"):
    bill = a_bill((1, goods), (2, 1), price="100")
    line = bill.lines[1].model_copy(update={"price": Decimal(price), "amount": Decimal(amount)})
    return bill.model_copy(update={"lines": (bill.lines[0], line)})


@pytest.mark.parametrize("basis", [Basis.QUANTITY, Basis.AMOUNT])
def test_a_rebate_line_is_billed_as_it_was_ordered(basis):
    """A3: a line that takes money off is below zero on the bill, too."""
    assert of_two_way(rebate_order(basis=basis), rebated()).outcome == "OK"


def test_more_of_an_amount_below_zero_than_was_ordered_is_refused():
    """A3: of a rebate by amount the same rules hold without its sign."""
    result = of_two_way(rebate_order(basis=Basis.AMOUNT), rebated(amount="-26.00"))

    assert (result.outcome, codes(result)) == ("BLOCK", ["QTY_OVER_CEILING"])
    assert "26 billed, but only 25 is left" in result.findings[0].message
    assert of_two_way(rebate_order(basis=Basis.AMOUNT), rebated(amount="-20.00")).outcome == "OK"
    wrong_sign = of_two_way(rebate_order(basis=Basis.AMOUNT), rebated(amount="25.00"))
    assert (wrong_sign.outcome, codes(wrong_sign)) == ("BLOCK", ["INVALID_AMOUNT"])


def test_a_line_of_goods_is_never_below_zero():
    """A3: what the order does not take off is a credit, and is said so."""
    result = of_two_way(an_order(), a_bill(1, price="-25", amount="-25"))

    assert (result.outcome, codes(result)) == ("BLOCK", ["INVALID_AMOUNT"])
    assert "credit" in result.findings[0].fix[1]


@pytest.mark.parametrize("total", [None, "-9.00"])
def test_a_total_below_zero_is_a_credit(total):
    """A4: 10 x 1.10 less a discount of 20.00."""
    result = of_two_way(an_order(price="1.10"), a_bill(10, price="1.10", discount="20.00", total=total))

    assert (result.outcome, codes(result)) == ("BLOCK", ["TOTAL_BELOW_ZERO"])
    assert "-9.00" in result.findings[0].message
    assert "credit" in result.findings[0].message


def test_a_rebate_alone_is_a_credit():
    """A3: totals below zero are refused, also where each line is as ordered."""
    bill = rebated()
    alone = bill.model_copy(update={"lines": bill.lines[1:]})

    assert codes(of_two_way(rebate_order(), alone)) == ["TOTAL_BELOW_ZERO"]


def test_a_bill_of_nothing_passes():
    """A10: with nothing to pay there is nothing to ask."""
    bill = a_bill(10, price="1.10", discount="11.00", total="0.00")

    assert of_two_way(an_order(price="1.10"), bill).outcome == "OK"


# --- dates --------------------------------------------------------------------------------------------------------

ENTERED = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("day", "outcome"),
    [
        ("1000-01-01", "HOLD"),
        ("2025-02-28", "HOLD"),
        ("2025-03-01", "OK"),
        ("2026-03-01", "OK"),
        ("2026-03-02", "OK"),
        ("2026-03-03", "WARN"),
        ("2026-03-31", "WARN"),
        ("2026-04-01", "HOLD"),
        ("2099-01-01", "HOLD"),
    ],
)
def test_a_date_that_can_hardly_be(day, outcome):
    """A9: a slip posts a bill into another year; tomorrow is nobody's slip. 365 days back and 30 ahead are allowed."""
    result = of_two_way(an_order(), a_bill(1, bill_date=day, posting_date=day, entered_on=ENTERED))

    assert (result.outcome, codes(result)) == (outcome, [] if outcome == "OK" else ["DATE_UNLIKELY"])


@pytest.mark.parametrize(
    ("limits", "day", "outcome"),
    [
        ({"bill_date_days_back": 10}, "2026-02-18", "HOLD"),
        ({"bill_date_days_back": 10}, "2026-02-19", "OK"),
        ({"bill_date_days_back": 5000}, "2016-03-01", "OK"),
        ({"bill_date_days_ahead": 0}, "2026-03-02", "HOLD"),
        ({"bill_date_days_ahead": 60}, "2026-04-20", "WARN"),
    ],
)
def test_how_far_a_bill_date_may_lie_is_a_policy(limits, day, outcome):
    """Late invoices are usual with some vendors: both limits are a policy's, and the finding names it."""
    policy = a_policy().model_copy(update=limits)
    result = of_two_way(an_order(), a_bill(1, bill_date=day, posting_date=day, entered_on=ENTERED), policy)

    assert result.outcome == outcome
    if outcome == "HOLD":
        assert result.findings[0].policy.id == policy.id
        assert result.findings[0].values["allowed_days"] == str(next(iter(limits.values())))


@pytest.mark.parametrize(("day", "outcome"), [("2016-03-01", "OK"), ("2026-06-01", "WARN"), ("2016-02-29", "HOLD")])
def test_results_of_before_keep_the_dates_of_their_rules(day, outcome):
    """Rules 3.4: under version 2 ten years back were allowed, and a due date before the bill date was a warning."""
    bill = a_bill(1, bill_date=day, posting_date=day, entered_on=ENTERED)
    assert match_bill(MatchMode.TWO_WAY, [an_order()], bill, rules=2).outcome == outcome
    due = a_bill(1, bill_date=ENTERED, due_date="2026-02-28", entered_on=ENTERED)
    assert match_bill(MatchMode.TWO_WAY, [an_order()], due, rules=2).outcome == "WARN"


def test_the_posting_date_is_looked_at_for_itself():
    bill = a_bill(1, bill_date=ENTERED, posting_date="2099-01-01", entered_on=ENTERED)

    assert [finding.id for finding in of_two_way(an_order(), bill).findings] == ["DATE_UNLIKELY:posting_date"]


def test_due_before_its_own_date():
    """A9."""
    due = a_bill(1, bill_date=ENTERED, due_date="2026-02-28", entered_on=ENTERED)

    result = of_two_way(an_order(), due)
    assert (result.outcome, codes(result)) == ("HOLD", ["DUE_BEFORE_BILL_DATE"])
    same_day = due.model_copy(update={"due_date": ENTERED})
    assert of_two_way(an_order(), same_day).outcome == "OK"


# --- duplicates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        ("INV-001", "inv 1"),
        ("inv 001", "inv 1"),
        ("INV001", "inv 1"),
        ("Inv.1", "inv 1"),
        ("2024-001", "2024 1"),
        ("2024-1", "2024 1"),
        ("1-11", "1 11"),
        ("11-1", "11 1"),
        ("A_B/00", "a b 0"),
        ("---", "---"),
    ],
)
def test_the_parts_of_a_number(number, parts):
    """C2, rules 3.5: runs of letters and of digits, folded, without leading zeros."""
    assert number_parts(number) == parts


@pytest.mark.parametrize(
    ("kept", "kept_on", "number", "code"),
    [
        pytest.param("42", "2025-02-01", "42", "DUPLICATE_NUMBER", id="C2, 13 months apart"),
        pytest.param("42", "2025-03-01", "42", "DUPLICATE_EXACT", id="12 months to the day"),
        pytest.param("42", "2027-03-01", "42", "DUPLICATE_EXACT", id="the kept one may be the later one"),
        pytest.param("42", None, "42", "DUPLICATE_EXACT", id="nobody knows when"),
        pytest.param("1-11", "2026-03-01", "11-1", "DUPLICATE_NUMBER", id="C2, other parts"),
        pytest.param("2024-001", "2026-03-01", "2024001", "DUPLICATE_NUMBER", id="without separators"),
        pytest.param("2024-001", "2026-03-01", "2024-1", "DUPLICATE_EXACT", id="the same parts"),
        pytest.param("INV-001", "2026-03-01", "inv 1", "DUPLICATE_EXACT", id="H06"),
        pytest.param("INV-001", "2026-03-01", "INV-002", None, id="another number"),
    ],
)
def test_a_number_that_is_kept(kept, kept_on, number, code):
    """C2, rules 3.5: refused within 12 months, else held for an accountant to decide."""
    one = DuplicateCandidate.model_validate(
        {"name": "bill_1", "vendor_id": "V-1", "number": kept, "bill_date": kept_on, "total": "1"}
    )
    result = of_two_way(an_order(), a_bill(1, number=number, bill_date=date(2026, 3, 1), kept=(one,)))

    outcome = {"DUPLICATE_EXACT": "BLOCK", "DUPLICATE_NUMBER": "HOLD", None: "OK"}[code]
    assert (result.outcome, codes(result)) == (outcome, [] if code is None else [code])


def test_a_further_part_of_the_same_invoice_is_no_duplicate():
    """C1: entered as such, whatever number, amount and day they share."""
    part = DuplicateCandidate(
        name="bill_1", vendor_id="V-1", number="INV-1", bill_date=date(2026, 3, 1), total=Decimal(25), same_invoice=True
    )
    assert of_two_way(an_order(), a_bill(1, bill_date=date(2026, 3, 1), kept=(part,))).outcome == "OK"


# --- what to give ----------------------------------------------------------------------------------------------


def test_a_line_of_goods_without_a_quantity_says_what_to_give():
    """C5: the amount alone, against a line that is billed by quantity."""
    (finding,) = of_two_way(an_order(), a_bill(0, price="25", amount="50")).findings

    assert (finding.code, finding.severity) == ("INVALID_QTY", "BLOCK")
    assert finding.message == "Bill line 1 says no quantity; line 1 (ITEM-1) is billed by quantity."
    assert finding.fix[0] == "give the quantity the vendor billed, in Each"


# --- versions -----------------------------------------------------------------------------------------------------


def test_every_version_has_its_built_in_tolerances():
    assert sorted(BUILT_IN_TOLERANCES) == list(range(FIRST_RULES, RULES + 1))


def test_a_result_names_its_version_and_one_from_before_is_of_the_first():
    """Rules 3.4: what was stored before versions were is computed again as it was, finding for finding."""
    dear = a_bill(1, price="37.50", bill_date="2099-01-01", due_date="2020-01-01", entered_on=ENTERED)
    first = match_bill(MatchMode.TWO_WAY, [an_order()], dear, rules=FIRST_RULES)
    stored = first.model_dump(mode="json")
    del stored["inputs"]["rules"]

    again = recompute(MatchResult.model_validate(stored))

    assert (first.outcome, again) == ("OK", first)
    assert first.policy.version == FIRST_RULES
    now = match_bill(MatchMode.TWO_WAY, [an_order()], dear)
    assert now.inputs.rules == RULES
    assert codes(now) == ["DATE_UNLIKELY", "DUE_BEFORE_BILL_DATE", "PRICE_DIFFERS"]
    assert recompute(MatchResult.model_validate(now.model_dump(mode="json"))) == now


@pytest.mark.parametrize(
    ("order", "bill", "found"),
    [
        (an_order(price="10"), a_bill(10, price="1", discount="20"), []),
        (rebate_order(), rebated(), ["INVALID_AMOUNT"]),
        (an_order(), a_bill(0), ["INVALID_QTY"]),
        (an_order(price="189"), entered(1, price="189", amount="500"), []),
        (
            an_order(),
            a_bill(1, number="11-1", kept=({"name": "b", "vendor_id": "V-1", "number": "1-11"},)),
            ["DUPLICATE_EXACT"],
        ),
        (
            an_order(),
            a_bill(1, number="2024-1", kept=({"name": "b", "vendor_id": "V-1", "number": "2024-001"},)),
            [],
        ),
    ],
)
def test_under_the_first_rules_everything_is_found_as_it_was(order, bill, found):
    """Rules 3.4: when built-in rules change, no stored bill turns worse, or better, by that alone."""
    result = match_bill(MatchMode.TWO_WAY, [order], bill, rules=FIRST_RULES)

    assert codes(result) == found
    assert {finding.policy.version for finding in result.findings} <= {FIRST_RULES}
