"""What each event does to a bill in each status, and what stands in the way: the plan that people see before."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from models.domain.bills import BillStatus
from models.domain.retractions import MAY, BillEvent, Does, RetractBy
from services.bills.retraction import plan
from tests.builders.bill_plans import FACTS, a_bill


@pytest.mark.parametrize("status", BillStatus)
@pytest.mark.parametrize("event", BillEvent)
def test_the_plan_is_the_table_where_nothing_stands_in_the_way(status: BillStatus, event: BillEvent) -> None:
    """S5-07, S5-08, S5-10."""
    facts = FACTS if status is BillStatus.SYNCED else FACTS._replace(write="held")
    what = plan(a_bill(status), facts, event)
    wanted = MAY[status][event]
    if isinstance(wanted, Does):
        assert (what.does, what.obstacles) == (wanted, ())
        assert (what.way is RetractBy.DELETE) == (wanted is Does.TAKES_BACK)
    else:
        assert (what.does, [one.code for one in what.obstacles]) == (None, [wanted])


@pytest.mark.parametrize(
    ("facts", "values", "code"),
    [
        ({"payments_under_way": 1}, {}, "BILL_HAS_PAYMENTS"),
        ({}, {"paid": Decimal(1)}, "BILL_HAS_PAYMENTS"),
        ({}, {"edit_pending": True}, "EDIT_UNDER_WAY"),
        ({"closed_through": date(2026, 3, 2)}, {}, "BILL_PERIOD_CLOSED"),
        ({"way": None}, {}, "RETRACTION_NOT_OFFERED"),
        ({"write": "sent"}, {}, "BILL_ON_ITS_WAY"),
    ],
)
def test_everything_in_the_way_is_named(facts: dict[str, Any], values: dict[str, Any], code: str) -> None:
    """S5-07: payment, edit, closed period, an ERP that gives none back, a write in doubt."""
    what = plan(a_bill(BillStatus.SYNCED, **values), FACTS._replace(**facts), BillEvent.DELETE)
    assert (what.does, [one.code for one in what.obstacles], what.frees_quantity) == (None, [code], False)


@pytest.mark.parametrize(
    ("way", "posted", "closed_through", "dated"),
    [
        (RetractBy.DELETE, date(2026, 3, 2), None, None),
        (RetractBy.REVERSE, date(2026, 3, 2), None, date(2026, 3, 20)),
        (RetractBy.CREDIT, date(2026, 3, 25), None, date(2026, 3, 25)),
        (RetractBy.REVERSE, date(2026, 3, 2), date(2026, 3, 19), date(2026, 3, 20)),
        (RetractBy.CREDIT, date(2026, 3, 2), date(2026, 3, 31), date(2026, 4, 1)),
        (RetractBy.REVERSE, date(2026, 4, 2), date(2026, 3, 31), date(2026, 4, 2)),
    ],
)
def test_the_entry_is_of_today_never_before_the_bill_and_in_open_books(
    way: RetractBy, posted: date, closed_through: date | None, dated: date | None
) -> None:
    """S5-10: today is 20 March 2026."""
    facts = FACTS._replace(way=way, closed_through=closed_through)
    what = plan(a_bill(BillStatus.SYNCED, posting_date=posted), facts, BillEvent.DELETE)
    assert (what.does, what.way, what.dated) == (Does.TAKES_BACK, way, dated)


@pytest.mark.parametrize("event", [BillEvent.DELETE, BillEvent.DISPUTE, BillEvent.RETRACT])
def test_a_bill_without_an_order_has_no_quantity_to_free(event: BillEvent) -> None:
    what = plan(a_bill(BillStatus.SYNCED, direct=True, purchase_order_id=None), FACTS, event)
    assert (what.does, what.frees_quantity) == (Does.TAKES_BACK, False)


def test_what_a_credit_leaves_billed_is_made_anew_where_it_is_known_by_line() -> None:
    """S5-08, S5-11: the ERP would not convert the order a second time, so it is known what stands beside it."""
    stays = FACTS._replace(way=RetractBy.CREDIT, credit_frees=False)
    assert plan(a_bill(BillStatus.SYNCED), stays, BillEvent.DELETE).frees_quantity is False
    assert plan(a_bill(BillStatus.SYNCED), stays, BillEvent.RETRACT).obstacles == ()
    billed = FACTS._replace(write="held", stays_billed=True)
    unknown = plan(a_bill(BillStatus.DISPUTED), billed, BillEvent.RESTORE)
    assert [one.code for one in unknown.obstacles] == ["QUANTITY_STAYS_BILLED"]
    known = plan(a_bill(BillStatus.DISPUTED), billed._replace(is_kept=True), BillEvent.RESTORE)
    assert known.does is Does.MAKES_ANEW


def test_the_day_after_the_closed_books_is_open() -> None:
    facts = FACTS._replace(closed_through=date(2026, 3, 1))
    assert plan(a_bill(BillStatus.SYNCED), facts, BillEvent.DELETE).does is Does.TAKES_BACK


def test_what_is_sent_back_keeps_its_quantity_and_needs_people_who_approve() -> None:
    """S5-10: deleted or disputed, its quantity is free; sent back, it is not."""
    frees = {event: plan(a_bill(BillStatus.SYNCED), FACTS, event).frees_quantity for event in BillEvent}
    assert frees == {"delete": True, "dispute": True, "retract": False, "restore": False}
    off = plan(a_bill(BillStatus.SYNCED), FACTS._replace(approvals_enabled=False), BillEvent.RETRACT)
    assert [one.code for one in off.obstacles] == ["SENDING_BACK_NEEDS_APPROVALS"]


def test_a_bill_made_in_the_erp_is_deleted_there() -> None:
    what = plan(a_bill(BillStatus.SYNCED, origin="erp"), FACTS, BillEvent.DELETE)
    assert [one.code for one in what.obstacles] == ["BILL_MADE_IN_ERP"]


def test_one_that_is_taken_off_its_order_is_not_restored() -> None:
    what = plan(a_bill(BillStatus.ABANDONED, purchase_order_id=None), FACTS, BillEvent.RESTORE)
    assert [one.code for one in what.obstacles] == ["BILL_NOT_LINKED"]
