"""The checks of a bill as a whole."""

from datetime import date

import pytest

from matching.bill import Outcome, match_bill
from matching.kernel.inputs import DuplicateCandidate
from models.domain.connections import MatchMode
from models.domain.orders import MatchingStatus, PoStatus
from tests.builders.matching import (
    a_bill,
    a_ledger,
    an_order,
    codes,
)

TEN = a_ledger(10, 10)


def judged(order=None, bill=None):
    return match_bill(MatchMode.TWO_WAY, [order or an_order(TEN)], bill or a_bill(1))


def test_a_bill_of_another_vendor_is_held_for_a_decision():
    result = judged(bill=a_bill(1, vendor_id="V-2"))

    assert (result.outcome, codes(result)) == (Outcome.HOLD, ["VENDOR_MISMATCH"])
    assert result.findings[0].values == {"bill": "V-2", "order": "V-1"}


def test_a_bill_in_another_currency_is_refused():
    """S1-16: no conversion is ever guessed."""
    result = judged(bill=a_bill(1, currency="EUR"))

    assert (result.outcome, codes(result)) == (Outcome.BLOCK, ["CURRENCY_MISMATCH"])


def test_a_bill_for_another_entity_is_refused():
    """S2-12."""
    result = judged(bill=a_bill(1, entity="200"))

    assert (result.outcome, codes(result)) == (Outcome.BLOCK, ["ENTITY_MISMATCH"])


@pytest.mark.parametrize(("order_entity", "bill_entity"), [(None, "200"), ("100", None), (None, None)])
def test_an_order_or_bill_at_top_level_disagrees_with_no_entity(order_entity, bill_entity):
    """S2-12: only two named entities can disagree."""
    assert judged(an_order(TEN, entity=order_entity), a_bill(1, entity=bill_entity)).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("status", "matching_status"),
    [
        (PoStatus.CLOSED, MatchingStatus.CLOSED),
        (PoStatus.CLOSED, MatchingStatus.ACTIVE),
        (PoStatus.FILLED, MatchingStatus.CLOSED),
    ],
)
def test_a_closed_order_takes_no_bill(status, matching_status):
    """S5-105, S5-106: closed, or converted under 2-way matching."""
    result = judged(an_order(TEN, status=status, matching_status=matching_status))

    assert (result.outcome, codes(result)) == (Outcome.BLOCK, ["PO_CLOSED"])


def test_an_order_that_is_billed_in_full_is_not_called_closed():
    """Nobody can reopen it: it has to be raised, or it is the wrong order."""
    order = an_order(TEN, status=PoStatus.FILLED, matching_status=MatchingStatus.CLOSED)
    (finding,) = [found for found in judged(order).findings if found.code == "PO_CLOSED"]

    assert "billed in full" in finding.message
    assert finding.fix == ("bill another order", "or have the order raised in the accounting system and sync")


def test_a_vendor_that_the_erp_knows_by_a_number_is_named():
    """NetSuite's vendor 501 is Northwind to everybody."""
    bill = a_bill(1, vendor_id="501", vendor_name="Northwind", vendor_state="inactive")
    inactive, mismatch = judged(an_order(TEN, vendor_name="Meridian"), bill).findings

    assert inactive.message == "Vendor 501, Northwind is inactive in the accounting system."
    assert mismatch.message == "The bill is from vendor 501, Northwind, order PO-1007 went to V-1, Meridian."


def test_a_closed_order_names_the_back_order_that_goes_on():
    """S5-25: the rest of it is billed there."""
    finding = judged(an_order(TEN, status=PoStatus.CLOSED, continued_by="PO-1008")).findings[0]

    assert finding.code == "PO_CLOSED"
    assert "PO-1008" in finding.message
    assert finding.fix == ("bill order PO-1008",)


@pytest.mark.parametrize("matching_status", [MatchingStatus.ACTIVE, MatchingStatus.PARTIALLY_BILLED])
def test_an_open_or_partly_billed_order_takes_a_bill(matching_status):
    """S5-109, S5-112: a converted order stays active under 3-way matching, a partly billed one under 2-way."""
    order = an_order(TEN, status=PoStatus.FILLED, matching_status=matching_status)

    assert judged(order).outcome is Outcome.OK


@pytest.mark.parametrize("matching_status", [MatchingStatus.PENDING_APPROVAL, MatchingStatus.DELETED])
def test_an_order_in_approval_or_deleted_takes_no_bill(matching_status):
    """S5-102, S5-103, S5-104, S5-111."""
    result = judged(an_order(TEN, matching_status=matching_status))

    assert (result.outcome, codes(result)) == (Outcome.BLOCK, ["PO_NOT_BILLABLE"])
    approved = "approved" in result.findings[0].fix[0]
    assert approved is (matching_status is MatchingStatus.PENDING_APPROVAL)


def test_the_same_invoice_again_is_refused_and_the_kept_one_is_named():
    """By what people know it by; our own id beside it."""
    kept = DuplicateCandidate(name="bill_7", vendor_id="V-1", number="INV-001", bill_date=date(2026, 3, 1))
    result = judged(bill=a_bill(1, number="inv 001", kept=(kept,)))

    assert (result.outcome, codes(result)) == (Outcome.BLOCK, ["DUPLICATE_EXACT"])
    assert result.findings[0].message.endswith("is stored already: INV-001 of 2026-03-01 (bill_7).")


def test_a_bill_without_lines_is_refused():
    result = judged(bill=a_bill())

    assert (result.outcome, codes(result)) == (Outcome.BLOCK, ["NO_LINES"])


def test_the_outcome_is_that_of_the_worst_finding_and_all_findings_are_told():
    result = judged(bill=a_bill(11, vendor_id="V-2", entity="200"))

    assert result.outcome is Outcome.BLOCK
    assert codes(result) == ["VENDOR_MISMATCH", "ENTITY_MISMATCH", "QTY_OVER_CEILING"]
