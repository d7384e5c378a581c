"""What of a bill may be edited is on the bill before anybody starts."""

from decimal import Decimal
from typing import Any

import pytest

from models.domain.bills import BillStatus
from services.bills.editable import editable
from tests.builders.bill_plans import FACTS, a_bill


@pytest.mark.parametrize(
    ("status", "facts", "values", "everything", "fields", "account"),
    [
        ("awaiting_approval", {"write": "held"}, {}, True, 4, True),
        ("pending_push", {"write": "planned"}, {}, True, 4, True),
        ("draft", {"write": "held"}, {}, True, 4, True),
        ("pending_push", {"write": "sent"}, {}, False, 0, False),
        ("pending_push", {"write": "planned", "payments_under_way": 1}, {}, False, 4, True),
        ("synced", {}, {}, False, 2, True),
        ("synced", {"payments_under_way": 1}, {}, False, 0, True),
        ("paid", {}, {"paid": Decimal(100)}, False, 0, True),
        ("retracting", {}, {}, False, 0, True),
        ("deleted", {}, {}, False, 0, False),
        ("synced", {}, {"origin": "erp"}, False, 0, True),
    ],
)
def test_what_may_be_edited_and_why_not_the_rest(
    status: str, facts: dict[str, Any], values: dict[str, Any], everything: bool, fields: int, account: bool
) -> None:
    """S4-73, S1-17."""
    bill = a_bill(BillStatus(status), manual_both_sides=False, **values)
    what = editable(bill, FACTS._replace(**facts))
    assert (what.everything, len(what.fields), "account" in what.line_fields) == (everything, fields, account)
    assert (what.why == "") == everything
