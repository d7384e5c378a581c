"""Say what of a bill may be edited, and why not the rest, before anybody starts (S4-73)."""

from typing import NamedTuple

from models.domain.bills import BillStatus, Origin
from models.domain.writes import WriteState
from models.store.payables import bill_edits, edit_baseline
from models.store.payables.retractions import RetractionFacts
from models.tables import BillRow

DATES = ("bill_date", "posting_date")
ACCOUNT = "account"


class Editable(NamedTuple):
    """What of a bill may be edited."""

    everything: bool
    """Its number, lines, figures and order too: nothing of it was sent."""
    fields: tuple[str, ...]
    line_fields: tuple[str, ...]
    why: str
    """Why the rest may not be edited; empty: everything may."""


def editable(bill: BillRow, facts: RetractionFacts) -> Editable:
    """Return what of a bill may be edited now, by the same rules as an edit is taken or refused by."""
    status = BillStatus(bill.status)
    everything = Editable(True, (*edit_baseline.HEADER, *DATES), (ACCOUNT, *edit_baseline.LINE), "")
    if status.is_void:
        return Editable(False, (), (), f"The bill is {status.value}.")
    if bill.manual_both_sides:
        return everything._replace(everything=False, why="Make the same edit in the ERP by hand.")
    if bill.origin == Origin.ERP:
        return _account_only("The bill was made in the ERP, which is the system of record for it.")
    if facts.write in bill_edits.ON_ITS_WAY:
        return Editable(False, (), (), "It was sent; the ERP may hold it already.")
    if facts.write != WriteState.CONFIRMED:
        if facts.payments_under_way:
            return everything._replace(everything=False, why="A payment or a credit of it is under way.")
        return everything
    if bill.paid or facts.payments_under_way:
        return _account_only(f"Paid {bill.paid} of {bill.total}, or a payment or a credit is under way.")
    if status is not BillStatus.SYNCED:
        return _account_only(f"The bill is {status.value.replace('_', ' ')}.")
    return Editable(
        False,
        edit_baseline.HEADER,
        (ACCOUNT, *edit_baseline.LINE),
        "The ERP holds the bill: the rest is edited there, or here once the bill is disputed.",
    )


def _account_only(why: str) -> Editable:
    """Return what is left where nothing may go to the ERP: GL accounts are kept here only."""
    return Editable(False, (), (ACCOUNT,), why)
