"""The worked examples of credits and returns, each by its id."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import pytest

from matching.bill import match_bill
from matching.kernel.receipts import ReceiptLineToBill, allocate_to_receipts, over_received
from matching.rules.credits import expected_credit
from models.domain.bills import BillMatchMode
from tests.builders.matching import (
    a_bill,
    a_ledger,
    a_policy,
    an_order,
    run_match,
)

TWO, THREE = BillMatchMode.TWO_WAY, BillMatchMode.THREE_WAY


def test_r01_a_return_after_the_bill_expects_a_credit_which_settles_it():
    """R01: 5 received and billed, 2 returned: 2 are owed back, 20.00 at 10.00; with the credit all is settled."""
    returned = a_ledger(5, 5, 5, returned=2)

    assert returned.net_received == 3
    assert expected_credit(THREE, returned) == 2
    assert expected_credit(THREE, returned) * Decimal("10.00") == Decimal("20.00")
    settled = a_ledger(5, 5, 5, returned=2, credited=2)
    assert settled.net_billed == 3
    assert expected_credit(THREE, settled) == 0


def test_r02_a_return_before_the_bill_needs_no_credit():
    ledger = a_ledger(5, 5, 3, returned=2)

    assert ledger.net_received == ledger.net_billed == 3
    assert expected_credit(THREE, ledger) == 0


def test_r03_a_receipt_lowered_after_the_bill_expects_a_credit_in_3_way_only():
    """R03: 10 received and billed, then the receipt says 5: 5 too many billed; 2-way knows nothing of receipts."""
    lowered = a_ledger(10, 5, 10)

    assert lowered.unbilled_received == -5
    assert expected_credit(THREE, lowered, received_before=Decimal(10)) == 5
    assert expected_credit(TWO, lowered, received_before=Decimal(10)) == 0
    assert lowered.remaining == 0


def test_a_bill_ahead_of_its_goods_expects_goods_and_no_credit():
    assert expected_credit(THREE, a_ledger(10, 4, 10)) == 0


def test_r04_a_short_delivery_of_what_was_billed_first_is_settled_by_a_credit():
    """R04: 10 billed, 9 came, 1 credited."""
    after = a_ledger(10, 9, 10, credited=1)
    assert after.net_billed == after.net_received == 9


def test_r05_two_bills_share_one_receipt():
    """R05: billed 25 before the receipt of 30 came, then the other 5; no more than it holds."""
    receipt = ReceiptLineToBill(
        document_id="R", number="R-1", received_on=date(2026, 3, 1), line_no=1, line="l", received=Decimal(30)
    )
    first = allocate_to_receipts(Decimal(25), [receipt])
    rest = allocate_to_receipts(Decimal(5), [receipt.model_copy(update={"consumed": Decimal(25)})])

    assert [part.quantity for part in (*first.allocations, *rest.allocations)] == [25, 5]
    assert (first.unallocated, rest.unallocated) == (0, 0)
    assert allocate_to_receipts(Decimal(1), [receipt.model_copy(update={"consumed": Decimal(30)})]).unallocated == 1


def test_what_was_sent_back_out_of_a_receipt_is_not_billed_from_it():
    """Matching rules 3.6: consumed is never more than a receipt line has left, returns taken off."""
    receipt = ReceiptLineToBill(
        document_id="R",
        number="R-1",
        received_on=date(2026, 3, 1),
        line_no=1,
        line="l",
        received=Decimal(30),
        returned=Decimal(4),
        consumed=Decimal(20),
    )
    allocated = allocate_to_receipts(Decimal(10), [receipt])

    assert [part.quantity for part in allocated.allocations] == [6]
    assert allocated.unallocated == 4


@pytest.mark.parametrize("order_of_events", list(permutations(["received", "billed", "credited", "returned"])))
def test_r06_receipt_bill_credit_and_return_give_the_same_end_in_any_order(order_of_events):
    """R06: receipt 10, bill 10, debit note 5, return 5: 5 kept, 5 billed, all of it."""
    events = {"received": 10, "billed": 10, "credited": 5, "returned": 5}
    ledger = a_ledger(10)
    for event in order_of_events:
        ledger = ledger.model_copy(update={event: getattr(ledger, event) + events[event]})

    assert (ledger.net_received, ledger.net_billed) == (5, 5)
    assert ledger.unbilled_received == 0
    assert expected_credit(THREE, ledger) == 0


def test_r07_half_of_what_was_kept_is_billed():
    """R07: 300 received, 200 billed, 100 credited, 100 sent back: 100 of 200 billed."""
    ledger = a_ledger(300, 300, 200, credited=100, returned=100)

    assert Fraction(ledger.net_billed) / Fraction(ledger.net_received) == Fraction(1, 2)
    assert run_match("3", ledger, 100).outcome == "OK"


@pytest.mark.parametrize(
    ("received", "tolerated", "excess"),
    [
        pytest.param(12, 50, 0, id="R08 within 50 %"),
        pytest.param(12, 0, 2, id="R08 without a tolerance"),
        pytest.param(4, 0, 0, id="R08 the second receipt cancelled"),
        pytest.param(16, 50, 1, id="beyond 50 %"),
    ],
)
def test_r08_more_received_than_ordered_is_flagged(received, tolerated, excess):
    """R08: 4 and then 8 of 10."""
    assert over_received(a_ledger(10, received), Decimal(tolerated)) == excess


def test_r10_what_is_left_to_bill_in_money():
    """R10: 10 at 100, 5 received, 3 billed: 200 uninvoiced; a bill of 20 made in the ERP is 1,000 over."""
    price = Decimal(100)

    assert a_ledger(10, 5, 3).unbilled_received * price == 200
    assert a_ledger(10, 5, 20).remaining * price == -1_000
    assert run_match("3", a_ledger(10, 5, 20), 1).outcome == "BLOCK"


def test_returns_lower_the_order_where_the_policy_says_so():
    """Matching rules 3.6: the ERP does not reopen the order, so the 2 sent back are not ordered any more."""
    order, bill = an_order(a_ledger(10, 10, 8, returned=2)), a_bill(1)

    assert match_bill(THREE, [order], bill).outcome == "WARN"
    assert match_bill(THREE, [order], bill, [a_policy(returns_reduce_ordered=True)]).outcome == "BLOCK"
    assert match_bill(TWO, [order], bill, [a_policy(returns_reduce_ordered=True)]).outcome == "BLOCK"
