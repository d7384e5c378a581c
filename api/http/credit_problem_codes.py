"""List the refusals around credits of vendors, as data: see `problem_codes.py`."""

from api.http.problem_code import CALLER, ProblemCode
from models.domain.issues import ACCOUNTANT, ADMINISTRATOR

CREDIT_PROBLEM_CODES: dict[str, ProblemCode] = {
    "CREDITS_NOT_TAKEN": ProblemCode(
        409,
        "The connection takes no credits from here",
        ADMINISTRATOR,
        ("Enter the credit in the ERP; the next sync shows it here.",),
    ),
    "CREDIT_DATE_UNLIKELY": ProblemCode(
        422,
        "The credit's date is years away",
        CALLER,
        (
            "Send the date that the vendor wrote on the credit.",
            "One that old is entered in the ERP; the next sync shows it.",
        ),
    ),
    "CREDIT_EXCEEDS_BILLED": ProblemCode(
        422,
        "The credit is more than was billed",
        ACCOUNTANT,
        (
            "Lower the quantity or the amount to what is billed and not credited yet.",
            "A credit that has nothing to do with the bill is entered against neither bill nor order.",
        ),
    ),
    "CREDIT_NUMBER_TAKEN": ProblemCode(
        409,
        "The vendor's credit was entered already",
        ACCOUNTANT,
        ("Look at the other credit.", "If this is another one, give the number that the vendor wrote on it."),
    ),
    "CREDIT_NEEDS_BILL": ProblemCode(
        422,
        "The quantity must be of a bill",
        ACCOUNTANT,
        ("Name the bill that billed the goods.", "Or leave the quantity out: the credit is then money only."),
    ),
    "CREDIT_IS_APPLIED": ProblemCode(
        409,
        "The credit is applied to bills",
        ACCOUNTANT,
        ("Unapply it in the ERP; the next sync shows it here.", "Then do this again."),
    ),
    "CREDIT_NOT_OPEN": ProblemCode(
        409,
        "The credit cannot be applied now",
        ACCOUNTANT,
        ("Wait until the ERP holds it, and something is open of it.",),
    ),
    "CREDIT_NAMED_TWICE": ProblemCode(
        422,
        "The payment names a credit twice for one bill",
        ACCOUNTANT,
        ("Name each credit once for each bill, with the whole amount.",),
    ),
    "CREDIT_OF_ANOTHER": ProblemCode(
        409,
        "Credit and bill do not belong together",
        ACCOUNTANT,
        ("Apply a credit to bills of its own vendor, entity and currency.",),
    ),
    "MORE_THAN_OPEN": ProblemCode(
        409,
        "It is more than is open",
        ACCOUNTANT,
        ("Lower the amount, or leave it out: then all that is open of both is applied.",),
    ),
    "CREDIT_NOT_APPLIED": ProblemCode(
        409,
        "There is nothing to undo",
        ACCOUNTANT,
        ("Look at the credit's applications; one that was made in the ERP is undone there.",),
    ),
    "BILL_NOT_CREDITABLE": ProblemCode(
        409,
        "The bill takes no credit now",
        ACCOUNTANT,
        ("A bill that the ERP does not hold yet is edited or abandoned instead.",),
    ),
}
