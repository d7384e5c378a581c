"""What Temporal's list says that a bill or a payment waits for."""

import pytest

from models import contract
from models.domain.bills import BillStatus
from models.domain.payments import PaymentStatus
from models.domain.waits_for import WaitsFor, bill_waits_for, payment_waits_for


@pytest.mark.parametrize("status", BillStatus)
def test_every_bill_that_is_not_over_waits_for_somebody(status: BillStatus) -> None:
    """F10: nothing in the list is without its next step; a closed bill has none."""
    assert (bill_waits_for(status, None) is None) is status.is_closed
    assert bill_waits_for(status, "PERIOD_CLOSED") is WaitsFor.PERSON


@pytest.mark.parametrize("status", PaymentStatus)
def test_every_payment_that_is_not_over_waits_for_something(status: PaymentStatus) -> None:
    """F10: the same for payments."""
    assert (payment_waits_for(status, None) is not None) is status.is_under_way


def test_names_of_any_length_are_cut_to_what_temporal_takes() -> None:
    """G8: a vendor's name of 3,000 characters; a longer summary is refused, and the workflow never starts."""
    assert contract.summary("Bill 42") == "Bill 42"
    cut = contract.summary("é" * 3000)
    assert len(cut.encode()) <= contract.LONGEST_SUMMARY_BYTES
    assert cut.endswith("é…")
