"""Every row of the status tables (S4-49..54, ruling G3)."""

import pytest

from erp.netsuite import statuses
from erp.netsuite.translate import order_status
from erp.netsuite.wire import ns_record
from models.domain.connections import MatchMode
from models.domain.orders import MatchingStatus, PoStatus
from models.domain.receipts import ReceiptStatus
from tests.unit.erp.netsuite.elements import record_element

UNFILLED, PARTIAL, FILLED, CLOSED = (
    PoStatus.UNFILLED,
    PoStatus.PARTIALLY_FILLED,
    PoStatus.FILLED,
    PoStatus.CLOSED,
)
ACTIVE, BILLED, SHUT, PENDING, DELETED = (
    MatchingStatus.ACTIVE,
    MatchingStatus.PARTIALLY_BILLED,
    MatchingStatus.CLOSED,
    MatchingStatus.PENDING_APPROVAL,
    MatchingStatus.DELETED,
)


@pytest.mark.parametrize(
    ("word", "po", "two_way", "three_way", "line"),
    [
        ("Pending Receipt", UNFILLED, ACTIVE, ACTIVE, "S4-49"),
        ("Pending Bill", PARTIAL, ACTIVE, ACTIVE, "S4-50"),
        ("Pending Billing", PARTIAL, ACTIVE, ACTIVE, "S4-50"),
        ("Partially Received", PARTIAL, BILLED, ACTIVE, "S4-51"),
        ("Fully Billed", FILLED, SHUT, SHUT, "S4-52"),
        ("Billed", FILLED, SHUT, SHUT, "S4-52"),
        ("Received", FILLED, ACTIVE, ACTIVE, "S4-53"),
        ("Closed", CLOSED, SHUT, SHUT, "S4-54"),
        ("Pending Billing/Partially Received", PARTIAL, ACTIVE, ACTIVE, "G3"),
        ("Pending Supervisor Approval", None, PENDING, PENDING, "S4-61"),
        ("Planned", None, PENDING, PENDING, "S4-61"),
        ("Rejected by Supervisor", None, DELETED, DELETED, "S4-61"),
    ],
)
def test_every_status(
    word: str, po: PoStatus | None, two_way: MatchingStatus, three_way: MatchingStatus, line: str
) -> None:
    """S4-49..54, S4-61, ruling G3: one row each."""
    for mode, matching in ((MatchMode.TWO_WAY, two_way), (MatchMode.THREE_WAY, three_way)):
        for spelled in (word, word.upper()):
            assert statuses.order_statuses(spelled, mode) == (po, matching), line


def test_an_unknown_status_has_no_meaning() -> None:
    """Ruling G3: nobody guesses."""
    assert statuses.order_statuses("En attente de réception", MatchMode.TWO_WAY) is None
    assert statuses.receipt_status("Shipped") is None
    assert statuses.receipt_status(statuses.RECEIVED) is ReceiptStatus.ACTIVE


def test_the_enum_counts_before_the_users_language() -> None:
    """Reference 4.1: the display text is the user's; the enum has a word for each of the table's."""
    record = ns_record(record_element("PurchaseOrder", "1", {"status": "Réception", "orderStatus": "_pendingReceipt"}))
    assert order_status(record) == "Pending Receipt"
    planned = ns_record(record_element("PurchaseOrder", "1", {"status": "Planned"}))
    assert order_status(planned) == "Planned", "it has no enum"
    for word in statuses.WORDS.values():
        assert statuses.order_statuses(word, MatchMode.TWO_WAY) is not None
