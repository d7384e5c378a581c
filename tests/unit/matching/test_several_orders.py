"""One bill on several orders (matching rules 3.6): each line has its own order, vendor and currency agree over all."""

import pytest

from matching.bill import match_bill
from models.domain.connections import MatchMode
from models.domain.orders import PoStatus
from tests.builders.matching import (
    HOME,
    a_bill,
    a_ledger,
    a_policy,
    an_order,
    block,
    codes,
)

OTHER = "po_2"


def bill_on_both(first, second, **header):
    bill = a_bill(first, second, **header)
    lines = (bill.lines[0], bill.lines[1].model_copy(update={"purchase_order_id": OTHER}))
    return bill.model_copy(update={"lines": lines})


def matched(bill, *, first=None, policies=(), **other):
    second = an_order(other.pop("ledger", a_ledger(10)), id=OTHER, number="PO-1008", **other)
    return match_bill(MatchMode.TWO_WAY, [first or an_order(a_ledger(10)), second], bill, policies)


def test_every_line_is_judged_against_its_own_order():
    assert matched(bill_on_both(10, 10)).outcome == "OK"

    result = matched(bill_on_both(11, 12))

    assert [(finding.id, finding.margin) for finding in result.findings] == [
        ("QTY_OVER_CEILING:line-1", -1),
        (f"QTY_OVER_CEILING:{OTHER}/line-1", -2),
    ]
    assert [finding.purchase_order_id for finding in result.findings] == [HOME, OTHER]
    assert result.findings[1].message.startswith("Order PO-1008, line 1 (")
    assert result.inputs.po == "PO-1007@5, PO-1008@5"


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"vendor_id": "V-2"}, "VENDOR_MISMATCH"),
        ({"currency": "EUR"}, "CURRENCY_MISMATCH"),
        ({"entity": "200"}, "ENTITY_MISMATCH"),
        ({"status": PoStatus.CLOSED}, "PO_CLOSED"),
    ],
)
def test_every_order_has_to_suit_the_bill(other, code):
    """S1-16, S2-12: also where only the second one does not."""
    (finding,) = matched(bill_on_both(1, 1), **other).findings

    assert (finding.code, finding.id) == (code, f"{code}:{OTHER}")
    assert "PO-1008" in finding.message


def test_orders_have_to_agree_where_the_bill_says_nothing():
    bill = bill_on_both(1, 1, currency=None, entity=None)

    assert codes(matched(bill, currency="EUR")) == ["CURRENCY_MISMATCH"]
    assert codes(matched(bill, entity="200")) == ["ENTITY_MISMATCH"]


def test_each_order_has_its_own_total():
    policy = a_policy(po_total=block(abs=0))

    result = matched(bill_on_both(1, 2), first=an_order(total="25.00"), total="49.99", policies=[policy])

    assert [finding.id for finding in result.findings] == [f"PO_TOTAL_DIFFERS:{OTHER}"]


def test_a_line_of_an_order_that_was_not_given_is_refused():
    result = match_bill(MatchMode.TWO_WAY, [an_order()], bill_on_both(1, 1))

    assert codes(result) == ["LINE_NOT_ON_ORDER"]
    assert OTHER in result.findings[0].message


def test_finding_ids_are_unique_over_several_orders():
    result = matched(bill_on_both(11, 12), vendor_id="V-2", first=an_order(a_ledger(10), vendor_id="V-2"))

    ids = [finding.id for finding in result.findings]
    assert len(ids) == len(set(ids)) == 4
