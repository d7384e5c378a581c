"""List the refusals around payments, as data: see `problem_codes.py`."""

from api.http.problem_code import ProblemCode
from models.domain.issues import ACCOUNTANT, ADMINISTRATOR

_LISTED = "GET /v1/connections/{id}/bank-accounts lists the accounts; a new one comes in with the next sync."

PAYMENT_PROBLEM_CODES: dict[str, ProblemCode] = {
    "BANK_ACCOUNT_UNKNOWN": ProblemCode(
        422,
        "There is no such bank or card account",
        ACCOUNTANT,
        ("Name one that the ERP has.", _LISTED),
    ),
    "BANK_ACCOUNT_INACTIVE": ProblemCode(
        422,
        "The bank or card account is inactive",
        ADMINISTRATOR,
        ("Name another account, or activate this one in the ERP and sync.",),
    ),
    "BANK_ACCOUNT_OF_OTHER_TYPE": ProblemCode(
        422,
        "The account is not of the method's type",
        ACCOUNTANT,
        ("Pay with the method card from a card account, with any other method from a bank account.", _LISTED),
    ),
}
