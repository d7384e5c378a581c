"""The worked examples of charges and of the bill as a whole, each by its id."""

from datetime import date

import pytest

from matching.kernel.inputs import DuplicateCandidate
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

FREIGHT = {"charge_class": "freight", "amount": "50.00"}
FIVE_PERCENT_OR_75 = a_policy(charges=block(pct=5, abs=75, combine="strict"))


def test_h01_freight_of_five_percent_of_the_goods_passes():
    """H01: goods of 1,000.00, freight of 50.00 that is on no order line."""
    order = an_order(total="1000.00")

    assert of_two_way(order, a_bill(1, charges=[FREIGHT]), FIVE_PERCENT_OR_75).outcome == "OK"


def test_h02_freight_counts_over_all_bills_of_the_order():
    """H02: another 30.00 on a second bill make 80.00, over 75."""
    order = an_order(total="2000.00", billed_amount="1000.00", billed_charges={"freight": "50.00"})
    bill = a_bill(1, charges=[FREIGHT | {"amount": "30.00"}])

    result = of_two_way(order, bill, FIVE_PERCENT_OR_75)

    assert (result.outcome, codes(result)) == ("HOLD", ["CHARGES_EXCEEDED"])
    (finding,) = result.findings
    assert (finding.values["charged_before"], finding.values["this_bill"]) == ("50", "30")
    assert (finding.limit, finding.margin) == (75, -5)


def test_each_class_of_charges_is_judged_by_itself():
    """Matching rules 3.4: 50.00 of freight and 50.00 of surcharge are not 100.00 of either."""
    charges = [FREIGHT, {"charge_class": "surcharge", "amount": "50.00"}, FREIGHT | {"amount": "26.00"}]

    result = of_two_way(an_order(total="2000"), a_bill(1, charges=charges), FIVE_PERCENT_OR_75)

    assert [finding.id for finding in result.findings] == ["CHARGES_EXCEEDED:freight"]


@pytest.mark.parametrize(
    ("total", "outcome"),
    [pytest.param("110.00", "OK", id="H03"), pytest.param("110.02", "HOLD", id="H04")],
)
def test_a_bill_has_to_add_up(total, outcome):
    """H03, H04: lines of 100.00 and tax of 10.00; one line makes up for one cent of rounding."""
    result = of_two_way(an_order(), a_bill(1, amount="100.00", tax="10.00", total=total))

    assert result.outcome == outcome
    assert codes(result) == ([] if outcome == "OK" else ["HEADER_SUM"])


def test_charges_and_discount_are_part_of_the_sum():
    """Matching rules 3.4: lines + charges + tax - discount."""
    parts = {"amount": "100.00", "tax": "10.00", "charges": [FREIGHT], "discount": "3.00"}

    assert of_two_way(an_order(), a_bill(1, total="157.00", **parts)).outcome == "OK"
    assert of_two_way(an_order(), a_bill(1, total="157.02", **parts)).outcome == "HOLD"
    assert of_two_way(an_order(), a_bill(1, total="156.98", **parts)).outcome == "HOLD"


def test_a_policy_may_ask_for_an_exact_sum_or_for_none():
    """Matching rules 3.4: what a policy sets takes the place of the built-in cent per line."""
    bill = a_bill(1, amount="100.00", total="100.01")

    assert of_two_way(an_order(), bill).outcome == "OK"
    assert of_two_way(an_order(), bill, a_policy(header_sum=block(abs=0))).outcome == "HOLD"
    far_off = a_bill(1, amount="100.00", total="900")
    assert of_two_way(an_order(), far_off, a_policy(header_sum=block(abs="unlimited"))).outcome == "OK"


def test_h05_a_reference_cut_to_one_that_is_taken_is_held():
    """H05: 26 characters, of which the ERP keeps 21; the end that tells two orders apart is lost."""
    first = DuplicateCandidate(name="bill_1", vendor_id="V-1", number="A-1", reference="INV-2026-000123PO-100045-A")
    bill = a_bill(1, number="INV-2026-000123", reference="INV-2026-000123PO-100046-A", reference_length=21)

    result = of_two_way(an_order(), bill.model_copy(update={"kept": (first,)}))

    assert (result.outcome, codes(result)) == ("HOLD", ["REF_COLLISION"])
    assert result.findings[0].values["cut"] == "INV-2026-000123PO-100"
    whole = bill.model_copy(update={"kept": (first,), "reference_length": None})
    assert of_two_way(an_order(), whole).outcome == "OK"


def test_h06_the_same_number_typed_otherwise_is_the_same_invoice():
    kept = DuplicateCandidate(name="bill_1", vendor_id="V-1", number="INV-001")

    result = of_two_way(an_order(), a_bill(1, number="inv 001", kept=[kept]))

    assert (result.outcome, codes(result)) == ("BLOCK", ["DUPLICATE_EXACT"])
    assert "bill_1" in result.findings[0].message
    of_another = kept.model_copy(update={"vendor_id": "V-2"})
    assert of_two_way(an_order(), a_bill(1, number="inv 001", kept=[of_another])).outcome == "OK"


@pytest.mark.parametrize(
    ("day", "total", "suspected"),
    [
        (date(2026, 3, 8), "25.00", True),
        (date(2026, 2, 22), "25.00", True),
        (date(2026, 3, 9), "25.00", False),
        (date(2026, 3, 1), "25.01", False),
    ],
)
def test_the_same_amount_within_a_week_is_suspected_of_being_the_same_invoice(day, total, suspected):
    """Matching rules 3.5: same vendor and amount, dates at most 7 days apart, another number."""
    kept = DuplicateCandidate(name="bill_1", vendor_id="V-1", number="OTHER", bill_date=day, total=total)

    result = of_two_way(an_order(), a_bill(1, bill_date=date(2026, 3, 1), kept=[kept]))

    assert codes(result) == (["DUPLICATE_SUSPECT"] if suspected else [])
    assert result.outcome == ("WARN" if suspected else "OK")


@pytest.mark.parametrize(
    ("entity", "closed_through", "outcome"),
    [
        pytest.param("A", date(2026, 3, 31), "HOLD", id="H07 entity A"),
        pytest.param("B", date(2026, 2, 28), "OK", id="H07 entity B"),
    ],
)
def test_h07_a_period_is_closed_for_its_own_entity(entity, closed_through, outcome):
    """H07: posted on the last day of March."""
    bill = a_bill(1, entity=entity, posting_date=date(2026, 3, 31), closed_through=closed_through)

    result = of_two_way(an_order(entity=None), bill)

    assert result.outcome == outcome
    if outcome == "HOLD":
        assert codes(result) == ["PERIOD_CLOSED"]
        assert result.findings[0].values["first_open_date"] == "2026-04-01"
        assert "2026-04-01" in result.findings[0].fix[0]


@pytest.mark.parametrize(
    ("state", "outcome", "code"),
    [
        ("active", "OK", None),
        (None, "OK", None),
        ("on_hold", "HOLD", "VENDOR_ON_HOLD"),
        ("inactive", "BLOCK", "VENDOR_INACTIVE"),
        ("closed", "BLOCK", "VENDOR_INACTIVE"),
        ("unknown", "HOLD", "VENDOR_UNKNOWN"),
    ],
)
def test_the_vendor_has_to_be_one_that_can_be_billed(state, outcome, code):
    """Matching rules 3.5."""
    result = of_two_way(an_order(), a_bill(1, vendor_state=state))

    assert (result.outcome, codes(result)) == (outcome, [code] if code else [])


@pytest.mark.parametrize(
    ("order", "bill", "expected"),
    [
        ({}, {"expected_tax": "10"}, "10"),
        ({"tax": "20", "total": "50.00"}, {}, "10"),
        ({"tax": "20", "total": "50.00"}, {"expected_tax": "8"}, "8"),
    ],
)
def test_tax_is_compared_with_what_is_given_or_with_the_orders_share(order, bill, expected):
    """Matching rules 3.4: half of the goods carry half of the order's tax."""
    policy = a_policy(tax=block(abs="0.02"))

    def taxed(tax):
        return of_two_way(an_order(**order), a_bill(1, amount="25.00", tax=tax, **bill), policy)

    assert taxed(expected).outcome == "OK"
    assert codes(taxed(f"{expected}.03")) == ["TAX_DIFFERS"]
    assert codes(taxed(str(int(expected) - 1))) == ["TAX_DIFFERS"]
    assert taxed(f"{expected}.03").findings[0].values["expected"] == expected


def test_without_an_expected_tax_there_is_nothing_to_compare():
    assert of_two_way(an_order(), a_bill(1, tax="99"), a_policy(tax=block(abs=0))).outcome == "OK"


def test_a_charge_on_an_order_without_a_total_has_no_percentage():
    """Matching rules 3.4: of nothing no percentage can be computed; then only the amount counts, or any difference."""
    bill = a_bill(1, charges=[FREIGHT])

    assert of_two_way(an_order(), bill, a_policy(charges=block(pct=5))).outcome == "HOLD"
    assert of_two_way(an_order(), bill, a_policy(charges=block(pct=5, abs=60))).outcome == "OK"
    assert of_two_way(an_order(), bill, a_policy(charges=warn(abs=40))).outcome == "WARN"


def test_q35_a_closed_line_takes_what_was_received_before_where_a_policy_allows_it():
    """Q35 and the option `allow_received_before_close`: up to R_net - B, with a warning."""
    order = an_order(a_ledger(10, 6, 2), closed_lines=(1,))
    policy = a_policy(allow_received_before_close=True)

    assert of_two_way(order, a_bill(4)).outcome == "BLOCK"
    allowed = of_two_way(order, a_bill(4), policy)
    assert (allowed.outcome, codes(allowed)) == ("WARN", ["LINE_CLOSED"])
    refused = of_two_way(order, a_bill(5), policy)
    assert (refused.outcome, refused.findings[0].limit) == ("BLOCK", 4)
    assert refused.findings[0].policy.id == "tol-1"
