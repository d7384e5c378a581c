"""Every row of the status tables (S4-55..61, S5-102..112, S5-129..135)."""

import pytest

from erp.intacct.statuses import CODES, ORDER_STATUSES, order_statuses, receipt_status
from models.domain.connections import MatchMode
from models.domain.orders import MatchingStatus, PoStatus
from models.domain.receipts import ReceiptStatus

TWO, THREE = MatchMode.TWO_WAY, MatchMode.THREE_WAY


@pytest.mark.parametrize(
    ("line", "label", "status"),
    [
        ("S4-55", "Pending", PoStatus.UNFILLED),
        ("S4-56", "In Progress", PoStatus.UNFILLED),
        ("S4-57", "Partially Converted", PoStatus.PARTIALLY_FILLED),
        ("S4-58", "Converted", PoStatus.FILLED),
        ("S4-59", "Closed", PoStatus.CLOSED),
        ("S4-61", "Draft", None),
        ("S4-61", "Submitted", None),
        ("S4-61", "Partially Approved", None),
        ("S4-61", "Approved", None),
        ("S4-61", "Declined", None),
    ],
)
@pytest.mark.parametrize("mode", MatchMode)
def test_what_a_person_sees(line: str, label: str, status: PoStatus | None, mode: MatchMode) -> None:
    """S4-48, S4-55..61: four statuses, and none for drafts and approvals, whatever the match mode."""
    found = order_statuses(label, mode)
    assert found is not None, line
    assert found.po is status, line


@pytest.mark.parametrize(
    ("line", "label", "mode", "status"),
    [
        ("S5-102", "Submitted", TWO, MatchingStatus.PENDING_APPROVAL),
        ("S5-102", "Submitted", THREE, MatchingStatus.PENDING_APPROVAL),
        ("S5-103", "Partially Approved", TWO, MatchingStatus.PENDING_APPROVAL),
        ("S5-103", "Partially Approved", THREE, MatchingStatus.PENDING_APPROVAL),
        ("S5-104", "Draft", TWO, MatchingStatus.PENDING_APPROVAL),
        ("S5-104", "Draft", THREE, MatchingStatus.PENDING_APPROVAL),
        ("S5-105", "Closed", TWO, MatchingStatus.CLOSED),
        ("S5-105", "Closed", THREE, MatchingStatus.CLOSED),
        ("S5-106", "Converted", TWO, MatchingStatus.CLOSED),
        ("S5-107", "Pending", TWO, MatchingStatus.ACTIVE),
        ("S5-107", "Pending", THREE, MatchingStatus.ACTIVE),
        ("S5-108", "In Progress", TWO, MatchingStatus.ACTIVE),
        ("S5-108", "In Progress", THREE, MatchingStatus.ACTIVE),
        ("S5-109", "Converted", THREE, MatchingStatus.ACTIVE),
        ("S5-110", "Partially Converted", THREE, MatchingStatus.ACTIVE),
        ("S5-111", "Declined", TWO, MatchingStatus.DELETED),
        ("S5-111", "Declined", THREE, MatchingStatus.DELETED),
        ("S5-112", "Partially Converted", TWO, MatchingStatus.PARTIALLY_BILLED),
    ],
)
def test_what_it_means_for_matching(line: str, label: str, mode: MatchMode, status: MatchingStatus) -> None:
    """S5-102..112, by match mode; a switch from 2-way to 3-way makes Converted active again."""
    found = order_statuses(label, mode)
    assert found is not None, line
    assert found.matching is status, line


@pytest.mark.parametrize(
    ("line", "label", "status"),
    [
        ("S5-129", "Draft", ReceiptStatus.ACTIVE),
        ("S5-130", "Pending", ReceiptStatus.ACTIVE),
        ("S5-131", "In Progress", ReceiptStatus.ACTIVE),
        ("S5-132", "Partially Converted", ReceiptStatus.ACTIVE),
        ("S5-133", "Closed", ReceiptStatus.CLOSED),
        ("S5-134", "Converted", ReceiptStatus.CLOSED),
        ("S5-135", "Declined", ReceiptStatus.DELETED),
    ],
)
def test_receipts(line: str, label: str, status: ReceiptStatus) -> None:
    """S5-129..135."""
    assert receipt_status(label) is status, line


def test_unknown_words_have_no_meaning() -> None:
    """Ruling G3: never a silent default."""
    assert order_statuses("Partly Eaten", TWO) is None
    assert receipt_status("Partly Eaten") is None


@pytest.mark.parametrize(("code", "label"), CODES.items())
def test_codes_mean_what_their_labels_mean(code: str, label: str) -> None:
    """Some answers show stored codes (reference 2.6), and spellings differ in capitals."""
    for mode in MatchMode:
        assert order_statuses(code, mode) == order_statuses(label.upper(), mode) == ORDER_STATUSES[label][mode]
