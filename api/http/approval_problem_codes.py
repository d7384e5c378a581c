"""List the refusals around people and approvals, as data: see `problem_codes.py`."""

from api.http.problem_code import CALLER, ProblemCode
from models.domain.issues import ACCOUNTANT, ADMINISTRATOR

APPROVAL_PROBLEM_CODES: dict[str, ProblemCode] = {
    "PERSON_INACTIVE": ProblemCode(
        403, "This person is not active", ADMINISTRATOR, ("Ask an administrator to set the person active again.",)
    ),
    "ACTING_NOT_ALLOWED": ProblemCode(
        403,
        "This key may not act for that person",
        ADMINISTRATOR,
        (
            "Use the person's own key, without Posync-Acting-For.",
            "Or ask an administrator for a key that may act for people, and name one of the people.",
        ),
    ),
    "PERSON_EXISTS": ProblemCode(
        409,
        "Somebody has this e-mail address already",
        ADMINISTRATOR,
        ("Change the person that there is: `GET /v1/people` shows all.",),
    ),
    "PERSON_UNKNOWN": ProblemCode(
        422, "There is no such person", CALLER, ("Take ids of people from `GET /v1/people`.",)
    ),
    "NOT_AN_APPROVER": ProblemCode(
        409,
        "This person may not approve bills",
        ADMINISTRATOR,
        ("Give the person the role approver, or set them active.", "Or name another person."),
    ),
    "NOT_THE_APPROVER": ProblemCode(
        409,
        "Another person is asked",
        ACCOUNTANT,
        ("Let the person approve whose turn it is, or have them delegate it.", "Or reassign the approval."),
    ),
    "ALREADY_THE_APPROVER": ProblemCode(
        409, "This person is asked already", CALLER, ("Delegate to somebody else, or let this person approve.",)
    ),
    "APPROVAL_NEEDS_A_PERSON": ProblemCode(
        403,
        "Only people approve bills",
        ADMINISTRATOR,
        (
            "Use the key of a person.",
            "Or name the person in Posync-Acting-For, with a key that may act for people.",
        ),
    ),
    "SEPARATION_OF_DUTIES": ProblemCode(
        409,
        "Who enters a bill does not approve it",
        ACCOUNTANT,
        ("Let another approver of this step approve the bill.", "Or reassign the approval to somebody else."),
    ),
    "APPROVAL_NOT_AWAITED": ProblemCode(
        409,
        "The bill awaits no approval",
        CALLER,
        ("Read the bill again: it was approved, denied, sent or abandoned, or needs no approval.",),
    ),
    "APPROVERS_NOT_ASSIGNED": ProblemCode(
        409,
        "Nobody is asked to approve the bill",
        ACCOUNTANT,
        ("Name its approvers: `POST /v1/bills/{id}/approval/reassign`.", "Add a rule for bills like it."),
    ),
    "BILL_IN_REVIEW": ProblemCode(
        409,
        "The bill's match is not settled",
        ACCOUNTANT,
        ("Acknowledge or release what its match found, or correct the cause; then approve it.",),
    ),
    "NOBODY_CAN_APPROVE": ProblemCode(
        422,
        "Nobody could approve such a bill",
        ADMINISTRATOR,
        (
            "Name a further person in a step: one of them is enough, and nobody approves what they entered.",
            "Give the people of each step the role approver, and keep at least one other person for each step.",
        ),
    ),
    "APPROVAL_RULE_INVALID": ProblemCode(
        422, "The rule could never apply", ADMINISTRATOR, ("Correct the rule that is named.",)
    ),
    "APPROVALS_ARE_OFF": ProblemCode(
        409,
        "Approvals are off",
        ADMINISTRATOR,
        (
            "Switch approvals on in the same request.",
            "Or set push_when to matched or scheduled, and only_approved off.",
        ),
    ),
    "PUSH_BEFORE_APPROVAL_NOT_OFFERED": ProblemCode(
        409,
        "Bills cannot go out before they are approved",
        ADMINISTRATOR,
        ("Set push_when to approved or scheduled.", "Or switch purchase orders off first, if the ERP keeps drafts."),
    ),
    "DRAFTS_OF_ORDER_BILLS_NOT_OFFERED": ProblemCode(
        409,
        "An order's bill does not go out as a draft here",
        ADMINISTRATOR,
        ("Set push_when to approved, if the ERP keeps drafts of such bills.", "Or leave draft_order_bills off."),
    ),
    "ONLY_APPROVED_IS_PERMANENT": ProblemCode(
        409,
        "That only approved bills go out is permanent",
        ADMINISTRATOR,
        (
            "Leave approvals and only_approved on, and set push_when to approved or scheduled.",
            "Leave draft_order_bills off.",
        ),
    ),
    "BILL_NOT_APPROVED": ProblemCode(
        409,
        "The bill is not approved",
        ACCOUNTANT,
        ("Have its approvers approve it, then schedule the payment.",),
    ),
}
