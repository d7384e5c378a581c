"""Every refusal of the API itself, as data: what it is, who can settle it and how.

The ERPs' own codes are in `erp/issue_codes.py`; a refusal that comes from there carries that table's words.
"""

from typing import NamedTuple

from erp.issue_codes import ACCOUNTANT, ADMINISTRATOR, SUPPORT

CALLER = "caller"
"""Whoever wrote the program or typed the request."""


class ProblemCode(NamedTuple):
    """One row: HTTP status, short title, who can fix it, and the steps."""

    status: int
    title: str
    who: str
    fix: tuple[str, ...]


PROBLEM_CODES: dict[str, ProblemCode] = {
    # --- the request itself
    "INVALID_JSON": ProblemCode(
        400, "The body is not valid JSON", CALLER, ("Send a JSON object as application/json.",)
    ),
    "INVALID_TEXT": ProblemCode(
        400, "The request holds text that cannot be stored", CALLER, ("Remove NUL characters and broken Unicode.",)
    ),
    "INVALID_CURSOR": ProblemCode(
        400, "The cursor is not one of ours", CALLER, ("Pass next_cursor of the page before, unchanged, or none.",)
    ),
    "IDEMPOTENCY_KEY_REQUIRED": ProblemCode(
        400,
        "A write needs an Idempotency-Key",
        CALLER,
        ("Send the header Idempotency-Key: your own name for this write, repeated when you repeat the write.",),
    ),
    "UNAUTHENTICATED": ProblemCode(
        401,
        "An API key is needed",
        CALLER,
        ("Send Authorization: Bearer psk_...", "Ask an administrator for a key if yours was revoked."),
    ),
    "ROLE_TOO_LOW": ProblemCode(
        403,
        "This role may not do that",
        ADMINISTRATOR,
        ("Ask an administrator to do it, or for an API key with a higher role.",),
    ),
    "NOT_FOUND": ProblemCode(404, "There is nothing here", CALLER, ("Check the address and the id.",)),
    "METHOD_NOT_ALLOWED": ProblemCode(
        405, "This address does not offer that method", CALLER, ("Use one of the methods in the Allow header.",)
    ),
    "PO_IS_VIEW_ONLY": ProblemCode(
        405,
        "Purchase orders are view-only",
        ACCOUNTANT,
        (
            "Create, change, approve or delete the purchase order in the ERP.",
            "Run a sync; the change comes in by itself.",
        ),
    ),
    "PRECONDITION_REQUIRED": ProblemCode(
        428, "An edit needs If-Match", CALLER, ("Read the resource, send its ETag as If-Match.",)
    ),
    "PRECONDITION_FAILED": ProblemCode(
        412,
        "Somebody changed it meanwhile",
        CALLER,
        ("Read it again, look at what changed, send your edit with the new ETag.",),
    ),
    "PAYLOAD_TOO_LARGE": ProblemCode(413, "The body is too large", CALLER, ("Keep a body under 1 MB.",)),
    "VALIDATION_FAILED": ProblemCode(
        422, "The request does not have the right shape", CALLER, ("Correct the fields listed under errors.",)
    ),
    "FILTER_INCOMPLETE": ProblemCode(
        422, "These filters go together", CALLER, ("Give connection and vendor too, or leave open out.",)
    ),
    "IDEMPOTENCY_KEY_REUSED": ProblemCode(
        409,
        "This Idempotency-Key was used for another request",
        CALLER,
        ("Use a new key for a new request; repeat a request unchanged to get its first answer.",),
    ),
    # --- connections
    "CONNECTION_EXISTS": ProblemCode(
        409,
        "This company, user and entity are connected already",
        ADMINISTRATOR,
        (
            "Use the connection there is: its credentials and preferences can be replaced.",
            "Or connect another entity.",
        ),
    ),
    "LOOPBACK_NOT_ALLOWED": ProblemCode(
        422,
        "Connections to this machine are switched off",
        SUPPORT,
        ("Set POSYNC_ALLOW_LOOPBACK=1 for the API and the workers; only for the sandbox, never in production.",),
    ),
    "CREDENTIALS_INCOMPLETE": ProblemCode(
        422,
        "These are not the credentials this ERP asks for",
        CALLER,
        ("Give the credentials under the names the ERP's page in docs/ lists.",),
    ),
    "ENTITY_GIVEN_TWICE": ProblemCode(
        422, "Two different entities are given", CALLER, ("Give the entity once, beside the credentials.",)
    ),
    "CONNECTION_IDENTITY_CHANGED": ProblemCode(
        409,
        "These credentials belong to another company or entity",
        ADMINISTRATOR,
        ("Give credentials of the same company, user and entity.", "For another one make a new connection."),
    ),
    "TEMPLATE_CLAIMED": ProblemCode(
        409,
        "Another connection already uses this template",
        ADMINISTRATOR,
        ("Use another template for this connection, or change the other connection first.",),
    ),
    "ORDERS_CLAIMED": ProblemCode(
        409,
        "Another connection already syncs these orders",
        ADMINISTRATOR,
        ("Use the connection there is, or connect another entity.",),
    ),
    "ONE_WAY_IS_PERMANENT": ProblemCode(
        409,
        "One-way transactions cannot be switched off again",
        ADMINISTRATOR,
        ("Make a new connection if transactions must come in again.",),
    ),
    "MATCH_MODE_NOT_OFFERED": ProblemCode(
        422,
        "This ERP does not offer that way of matching",
        ADMINISTRATOR,
        ("Choose one of the connection's capabilities.match_modes.",),
    ),
    "PO_FEATURE_OFF": ProblemCode(
        409,
        "Purchase orders are switched off for this connection",
        ADMINISTRATOR,
        ("An administrator can switch them on: PUT /v1/connections/{id}/purchase-orders.",),
    ),
    "MANAGED_BY_ACCOUNTANT": ProblemCode(
        403,
        "Your accountant switches this for you",
        ACCOUNTANT,
        ("Ask your accountant to switch it in their console.",),
    ),
    "NOT_A_CONSOLE": ProblemCode(
        403,
        "This organization is no accountant's console",
        SUPPORT,
        (
            "Use a key of the console.",
            "Have the operator link the client: posync organization link CLIENT --console ID.",
        ),
    ),
    "ERP_UNAVAILABLE": ProblemCode(
        503, "The ERP does not answer", CALLER, ("Try again in a few minutes.", "Check the ERP's status page.")
    ),
    # --- bills
    "MATCH_BLOCKED": ProblemCode(
        422,
        "The bill does not match its purchase order",
        ACCOUNTANT,
        ("Look at match.findings: each says what is exceeded, by how much and what helps.",),
    ),
    "ORDERS_OF_TWO_CONNECTIONS": ProblemCode(
        422,
        "The orders of one bill belong to one connection",
        CALLER,
        ("Enter one bill per connection.",),
    ),
    "BILL_NOT_WAITING": ProblemCode(
        409,
        "The bill does not wait for a decision",
        CALLER,
        ("Read the bill again: it went on, or was given up meanwhile.",),
    ),
    "FINDING_UNKNOWN": ProblemCode(
        422,
        "The bill's match has no such finding",
        CALLER,
        ("Use the ids under needs.acknowledge of GET /v1/bills/{id}/match; a new match may have other findings.",),
    ),
    "FINDING_NEEDS_RELEASE": ProblemCode(
        409,
        "A hold is not acknowledged but released",
        ACCOUNTANT,
        ("Have an accountant release it with a reason: POST /v1/bills/{id}/release.",),
    ),
    "NOTHING_ON_HOLD": ProblemCode(
        409,
        "No hold is left to release",
        CALLER,
        ("Acknowledge the warnings that are left: POST /v1/bills/{id}/acknowledgements.",),
    ),
    "HOLD_NEEDS_A_FIX": ProblemCode(
        409,
        "What holds the bill has to be put right",
        ACCOUNTANT,
        ("Look at needs.fix of GET /v1/bills/{id}/match; the bill is then matched again by itself.",),
    ),
    "BILL_IS_IN_ERP": ProblemCode(
        409,
        "The ERP holds the bill",
        ACCOUNTANT,
        ("Delete the bill in the ERP, then run a sync.",),
    ),
    "LINK_IS_FINAL": ProblemCode(
        409,
        "The link to the purchase order can no longer be changed",
        ACCOUNTANT,
        ("Delete the bill in the ERP.", "Create a new bill against the right purchase order."),
    ),
    "BILL_NOT_LINKED": ProblemCode(
        409, "The bill is not linked to a purchase order", ACCOUNTANT, ("There is no link to take away.",)
    ),
    "BILL_ALREADY_LINKED": ProblemCode(
        409,
        "The bill is linked to a purchase order already",
        ACCOUNTANT,
        ("A link that has synced is final: delete the bill in the ERP and make a new one for the right order.",),
    ),
    "LINK_NOT_ALLOWED": ProblemCode(
        422,
        "These two cannot be linked",
        ACCOUNTANT,
        ("Choose an order of the same connection and vendor, and a bill that was made in the ERP.",),
    ),
    "BILL_ON_ITS_WAY": ProblemCode(
        409,
        "The bill is on its way to the ERP",
        CALLER,
        ("Wait until it is synced or refused, then look at the bill again.",),
    ),
    "EDIT_IN_ERP": ProblemCode(
        409,
        "This part of a synced bill is edited in the ERP",
        ACCOUNTANT,
        (
            "Edit the bill in the ERP, then run a sync.",
            "Of a bill made here, memo, due date and the lines' texts and dimensions may be changed here while it is "
            "synced and unpaid; GL accounts always.",
        ),
    ),
    "PAYMENT_IS_IN_ERP": ProblemCode(
        409,
        "The ERP holds the payment, or may hold it",
        ACCOUNTANT,
        (
            "Void or delete the payment in the ERP, then run a sync.",
            "One that is on its way may still be refused: look at it again.",
        ),
    ),
    "BILL_HAS_PAYMENTS": ProblemCode(
        409,
        "A bill that is paid, or about to be, is not edited any more",
        ACCOUNTANT,
        (
            "Void the payments in the ERP, run a sync, then edit the bill.",
            "Or leave it: only the GL accounts of its lines may still be changed here.",
        ),
    ),
    "BILL_IS_CLOSED": ProblemCode(
        409, "The bill was given up or deleted", ACCOUNTANT, ("Create a new bill against the purchase order.",)
    ),
    "BILL_LINE_UNKNOWN": ProblemCode(
        422, "The bill has no such line", CALLER, ("Use the line_no of the bill's own lines.",)
    ),
    "BILL_NOT_PAYABLE": ProblemCode(
        409,
        "The bill cannot be paid from here",
        ACCOUNTANT,
        ("Pay bills that were made in the ERP in the ERP; the payment comes in by itself.",),
    ),
    "BILL_IS_PAID_IN_ERP": ProblemCode(
        422,
        "The bill was made in the ERP",
        ACCOUNTANT,
        ("Pay it in the ERP; the payment comes in by itself.",),
    ),
    "OVERPAYMENT": ProblemCode(
        422, "The payment is more than what is open", ACCOUNTANT, ("Pay no more than what is open on the bill.",)
    ),
    "INVALID_AMOUNT": ProblemCode(422, "The payment pays nothing", CALLER, ("Send an amount above zero.",)),
    "BANK_ACCOUNT_MISSING": ProblemCode(
        422,
        "No bank account to pay from",
        ADMINISTRATOR,
        ("Send bank_account with the payment.", "Or set the preference bank_account of the connection."),
    ),
    "CHARGES_NOT_TAKEN": ProblemCode(
        422,
        "The ERP takes no such money beyond the lines",
        ADMINISTRATOR,
        (
            "Name its place in the connection's preferences, for example subtotal.freight (Sage Intacct) or "
            "charge_account.freight (NetSuite); the ERP must have it.",
            "Or enter the bill without it, and the charge as a bill of its own in the ERP.",
        ),
    ),
    # --- how bills are judged
    "POLICY_INVALID": ProblemCode(
        422,
        "The tolerance policy contradicts itself",
        ACCOUNTANT,
        ("Look at errors: each says what is wrong and where.",),
    ),
    "POLICY_EXISTS": ProblemCode(
        409,
        "This scope has a tolerance policy already",
        ACCOUNTANT,
        ("Replace the one there is: PUT /v1/tolerance-policies/{evidence.policy_id}.", "Or name a narrower scope."),
    ),
    "ENTITY_UNKNOWN": ProblemCode(
        422,
        "The ERP has no such entity",
        CALLER,
        ("Use one of GET /v1/connections/{id}/lists/entity, spelled as there, or null for the whole company.",),
    ),
    "UNIT_FACTOR_INVALID": ProblemCode(
        422,
        "That is no conversion of units",
        CALLER,
        ("Name two different units and a factor above zero, such as 1/12.",),
    ),
    # --- issues
    "ISSUE_IS_CLOSED": ProblemCode(
        409, "The issue is settled already", CALLER, ("Read it again: closed_by and closed_at say by whom and when.",)
    ),
    # --- us
    "WORKER_UNAVAILABLE": ProblemCode(
        503,
        "No worker took the request up in time",
        SUPPORT,
        ("Send the same request again with the same Idempotency-Key.", "Check that a worker runs: posync worker."),
    ),
    "TEMPORAL_UNAVAILABLE": ProblemCode(
        503,
        "Temporal does not answer",
        SUPPORT,
        ("Send the same request again with the same Idempotency-Key.", "Check TEMPORAL_ADDRESS and the server."),
    ),
    "DATABASE_UNAVAILABLE": ProblemCode(
        503,
        "The database does not answer",
        SUPPORT,
        ("Send the same request again with the same Idempotency-Key.", "Check POSYNC_DATABASE_URL and the server."),
    ),
    "INTERNAL_ERROR": ProblemCode(
        500, "Something is wrong with posync", SUPPORT, ("Report the instance; the log holds the details under it.",)
    ),
}
