"""List the refusals around deleting, disputing, sending back and restoring bills, as data: see `problem_codes.py`."""

from api.http.problem_code import ProblemCode
from models.domain.issues import ACCOUNTANT, ADMINISTRATOR

RETRACTION_PROBLEM_CODES: dict[str, ProblemCode] = {
    "BILL_MADE_IN_ERP": ProblemCode(
        409,
        "The bill was made in the ERP",
        ACCOUNTANT,
        ("Delete it in the ERP; the next sync shows it here.",),
    ),
    "BILL_HAS_ISSUE": ProblemCode(
        409,
        "A sync issue of the bill is open",
        ACCOUNTANT,
        ("Look at the bill's sync issue: retry it once its cause is mended.", "Then do this again."),
    ),
    "BILL_NOT_IN_ERP": ProblemCode(
        409,
        "The ERP does not hold the bill",
        ACCOUNTANT,
        ("There is nothing to take back. A bill that waits here can be edited, denied or abandoned.",),
    ),
    "RETRACTION_UNDER_WAY": ProblemCode(
        409,
        "The bill is being taken back from the ERP",
        ACCOUNTANT,
        ("Wait until it is done; if a sync issue stops it, settle that.",),
    ),
    "NOTHING_TO_RESTORE": ProblemCode(
        409, "The bill is neither deleted nor disputed", ACCOUNTANT, ("It needs no restoring: look at its status.",)
    ),
    "NUMBER_IN_USE": ProblemCode(
        409,
        "The invoice was entered anew",
        ACCOUNTANT,
        ("Go on with the other bill.", "Or delete or abandon that one first, then restore this one."),
    ),
    "RETRACTION_NOT_OFFERED": ProblemCode(
        409,
        "The bill is not taken back from here",
        ACCOUNTANT,
        ("Delete it in the ERP and run a sync.",),
    ),
    "RETRACTION_WAY_NOT_OFFERED": ProblemCode(
        409,
        "The ERP does not take bills back in this way",
        ADMINISTRATOR,
        ("Choose one of the ways that the answer names.",),
    ),
    "QUANTITY_STAYS_BILLED": ProblemCode(
        409,
        "The ERP keeps the bill's quantities as billed",
        ACCOUNTANT,
        (
            "Leave the bill on its order with its quantities: prices, dates and texts may be corrected.",
            "Else raise the quantity of the order in the ERP, or enter the invoice as a bill without an order.",
        ),
    ),
    "EDIT_UNDER_WAY": ProblemCode(
        409,
        "An edit of the bill is on its way to the ERP",
        ACCOUNTANT,
        ("Wait until the ERP holds the edit; if a sync issue stops it, settle that.",),
    ),
    "BILL_PERIOD_CLOSED": ProblemCode(
        409,
        "The books of the bill's period are closed",
        ACCOUNTANT,
        (
            "Open the period in the ERP and run a sync, then do this again.",
            "Or have an administrator set the connection to a way with an entry of its own day, where the ERP has one:"
            " `posync retractions show`.",
        ),
    ),
    "SENDING_BACK_NEEDS_APPROVALS": ProblemCode(
        409,
        "Approvals are off",
        ACCOUNTANT,
        ("Dispute the bill instead: it stays here until somebody restores it.",),
    ),
}
