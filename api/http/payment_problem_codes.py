"""List the refusals around payments, as data: see `problem_codes.py`."""

from api.http.problem_code import CALLER, ProblemCode
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
    "METHOD_NOT_OFFERED": ProblemCode(
        422, "The ERP has no such method of payment", ACCOUNTANT, ("Take one of the methods that the answer names.",)
    ),
    "METHOD_NOT_PAID_OUTSIDE": ProblemCode(
        422,
        "A payment by this method is not posted at once",
        ACCOUNTANT,
        ("Record what was paid outside with a method that the ERP posts at once: eft, cash or card.",),
    ),
    "REFERENCE_TOO_LONG": ProblemCode(
        422,
        "The ERP has no room for the payment's number",
        ACCOUNTANT,
        ("Give a shorter number.", "Or give it as external_id, which goes into the memo."),
    ),
    "BILLS_NOT_PAID_TOGETHER": ProblemCode(
        422,
        "One payment cannot pay these bills",
        ACCOUNTANT,
        ("Pay bills of one vendor, one currency and one entity with a payment; pay the others with another one.",),
    ),
    "BILL_NAMED_TWICE": ProblemCode(
        422, "A bill is named twice", CALLER, ("Name each bill once, with all that is to be paid of it.",)
    ),
    "PAYMENT_OF_BILLS_NOT_OFFERED": ProblemCode(
        422,
        "A payment pays one bill here",
        ACCOUNTANT,
        ("Pay each bill with POST /v1/bills/{id}/payments; pay a bill that was made in the ERP there.",),
    ),
    "PAID_OUTSIDE_IN_FUTURE": ProblemCode(
        422,
        "What was paid already was not paid on a day to come",
        ACCOUNTANT,
        ("Give the day on which it was paid.", "Or leave paid_outside out: it is then submitted on its day."),
    ),
    "PAYMENT_MADE_IN_ERP": ProblemCode(
        409, "The payment was made in the ERP", ACCOUNTANT, ("Void it in the ERP; the next sync shows it here.",)
    ),
    "VOID_NOT_OFFERED": ProblemCode(
        409, "Payments are voided in the ERP", ACCOUNTANT, ("Void it in the ERP; the next sync shows it here.",)
    ),
    "PAYMENT_NOT_PAID": ProblemCode(
        409,
        "There is nothing to void",
        ACCOUNTANT,
        ("One that was not sent is abandoned; one that the ERP has not posted is settled there.",),
    ),
    "VOID_BEFORE_PAYMENT": ProblemCode(
        422, "A void is not dated before its payment", ACCOUNTANT, ("Give the day of the payment, or a later one.",)
    ),
    "BANK_ACCOUNT_OF_OTHER_TYPE": ProblemCode(
        422,
        "The account is not of the method's type",
        ACCOUNTANT,
        ("Pay with the method card from a card account, with any other method from a bank account.", _LISTED),
    ),
}
