"""Questions about a status are answered in one place, for every status there is."""

from models.domain.bills import BillStatus
from models.domain.payments import PaymentStatus

QUESTIONS = (
    "is_waiting",
    "is_in_review",
    "is_being_pushed",
    "is_before_erp",
    "is_unsent",
    "is_payable",
    "is_void",
    "is_closed",
)


def test_what_each_bill_status_means() -> None:
    """Read as a table; a new status fails here until somebody has answered every question about it."""
    answers = {
        status.value: " ".join(name.removeprefix("is_") for name in QUESTIONS if getattr(status, name))
        for status in BillStatus
    }
    assert answers == {
        "awaiting_acknowledgement": "waiting in_review before_erp unsent",
        "on_hold": "waiting in_review before_erp unsent",
        "awaiting_approval": "waiting before_erp unsent",
        "awaiting_payment": "waiting before_erp unsent",
        "pending_push": "being_pushed before_erp unsent",
        "sync_issue": "being_pushed before_erp",
        "link_missing": "being_pushed before_erp",
        "synced": "payable",
        "retracting": "",
        "disputed": "before_erp",
        "draft": "before_erp",
        "scheduled": "payable",
        "partially_paid": "payable",
        "paid": "closed",
        "abandoned": "void closed",
        "deleted": "void closed",
    }


def test_which_payments_are_unfinished() -> None:
    unfinished = {status.value for status in PaymentStatus if status.is_unfinished}
    assert unfinished == {"scheduled", "submitted", "sync_issue"}
