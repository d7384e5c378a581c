"""List every refusal of the API itself, as data: its title, who can settle it and how.

The ERPs' own codes are in `models/domain/issues.py`; a refusal that comes from there carries that table's texts.
"""

from api.http.approval_problem_codes import APPROVAL_PROBLEM_CODES
from api.http.credit_problem_codes import CREDIT_PROBLEM_CODES
from api.http.list_problem_codes import LIST_PROBLEM_CODES
from api.http.payment_problem_codes import PAYMENT_PROBLEM_CODES
from api.http.problem_code import CALLER, ProblemCode
from api.http.retraction_problem_codes import RETRACTION_PROBLEM_CODES
from api.http.source_order_problem_codes import SOURCE_ORDER_PROBLEM_CODES
from models.domain.issues import ACCOUNTANT, ADMINISTRATOR, SUPPORT

PROBLEM_CODES: dict[str, ProblemCode] = {
    **APPROVAL_PROBLEM_CODES,
    **PAYMENT_PROBLEM_CODES,
    **RETRACTION_PROBLEM_CODES,
    **CREDIT_PROBLEM_CODES,
    **LIST_PROBLEM_CODES,
    **SOURCE_ORDER_PROBLEM_CODES,
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
    "IMPORT_FILE_UNREADABLE": ProblemCode(
        422,
        "This is no file of bills",
        CALLER,
        (
            "Name the columns in the first line, as docs/reference/imports.md lists them.",
            "Save the file as CSV in UTF-8, with commas between the columns.",
        ),
    ),
    "REQUEST_TIMEOUT": ProblemCode(
        408, "The body did not come in time", CALLER, ("Send it again, with the same Idempotency-Key.",)
    ),
    "TOO_MANY_REQUESTS": ProblemCode(
        429,
        "This API key makes too many requests",
        CALLER,
        (
            "Nothing was stored: wait as long as Retry-After says, then send it again with the same Idempotency-Key.",
            "Ask the operator for a higher limit: POSYNC_REQUESTS_PER_MINUTE.",
        ),
    ),
    "BODY_TOO_COMPLEX": ProblemCode(
        413, "The body holds too much", CALLER, ("Send fewer lines at once, and only the fields that are documented.",)
    ),
    "UNSUPPORTED_MEDIA_TYPE": ProblemCode(
        415,
        "The body is not JSON",
        CALLER,
        ("Send a JSON object with the header Content-Type: application/json.",),
    ),
    "VALIDATION_FAILED": ProblemCode(
        422, "The request does not have the right shape", CALLER, ("Correct the fields that are named.",)
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
    "CHECK_IS_READ": ProblemCode(
        409,
        "The ERP shows this setting itself",
        ADMINISTRATOR,
        ("Change it in the ERP where it is wrong, then run the checks again: `posync setup`.",),
    ),
    "SETUP_CHECK_FAILED": ProblemCode(
        409,
        "A setting of the ERP is wrong for this",
        ADMINISTRATOR,
        ("Run `posync setup`: it names the setting, and where to change it in the ERP.",),
    ),
    "CONNECTION_EXISTS": ProblemCode(
        409,
        "This company, user and entity are connected already",
        ADMINISTRATOR,
        (
            "Use the connection there is: its credentials and preferences can be replaced.",
            "Or connect another entity.",
        ),
    ),
    "CONNECTION_PENDING": ProblemCode(
        409,
        "The ERP has not let this connection in yet",
        ADMINISTRATOR,
        (
            "Finish connecting: PUT /v1/connections/{id}/credentials.",
            "QuickBooks Online: POST /v1/connections/{id}/authorization, and agree on its page.",
        ),
    ),
    "NO_CONSENT_NEEDED": ProblemCode(
        409,
        "This ERP is not connected by consent",
        CALLER,
        ("Enter its credentials: PUT /v1/connections/{id}/credentials.",),
    ),
    "NO_WEB_CONNECTOR": ProblemCode(
        409,
        "There is no Web Connector here",
        CALLER,
        (
            "Only connections to QuickBooks Desktop have one.",
            "Make its password first: POST /v1/connections/{id}/web_connector.",
        ),
    ),
    "PUBLIC_URL_MISSING": ProblemCode(
        409,
        "This installation has no public address",
        SUPPORT,
        (
            "Set POSYNC_PUBLIC_URL to the address under which browsers reach this API.",
            "Register the address, with /v1/authorizations/qbo behind it, as redirect of your app at Intuit.",
        ),
    ),
    "CONSENT_UNKNOWN": ProblemCode(
        400,
        "This consent is used, too old, or not ours",
        ADMINISTRATOR,
        ("Start the consent anew: POST /v1/connections/{id}/authorization, or `posync connect qbo`.",),
    ),
    "CONSENT_OTHER_BROWSER": ProblemCode(
        403,
        "This consent was opened in another browser",
        ADMINISTRATOR,
        (
            "Go on in the browser in which you opened the address, with its cookies allowed.",
            "If you did not open it, do not go on: somebody else asked for it. Start one of your own.",
        ),
    ),
    "CONSENT_REFUSED": ProblemCode(
        409,
        "The consent was refused on the ERP's page",
        ADMINISTRATOR,
        ("Start the consent anew, and agree on the ERP's page as an administrator of the company.",),
    ),
    "CONSENT_INCOMPLETE": ProblemCode(
        400,
        "The ERP's page sent no code or no company",
        ADMINISTRATOR,
        ("Start the consent anew, and choose a company on the ERP's page.",),
    ),
    "WEBHOOK_NOT_SET_UP": ProblemCode(
        404,
        "This installation takes no webhooks of this ERP",
        SUPPORT,
        ("Set POSYNC_QBO_VERIFIER_TOKEN to the verifier token of your app's webhooks at Intuit.",),
    ),
    "WEBHOOK_NOT_SIGNED": ProblemCode(
        401,
        "The webhook's signature is wrong",
        SUPPORT,
        ("Compare POSYNC_QBO_VERIFIER_TOKEN with the verifier token of your app's webhooks at Intuit.",),
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
    "BASE_CURRENCY_DIFFERS": ProblemCode(
        422,
        "The ERP names another currency of its books",
        CALLER,
        ("Leave `base_currency` out where the ERP says it itself.",),
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
    "NO_PURCHASE_ORDERS": ProblemCode(
        422,
        "This connection has no purchase orders",
        ADMINISTRATOR,
        ("Connect a company whose ERP has purchase orders.",),
    ),
    "POSTING_DAY_NOT_OFFERED": ProblemCode(
        422,
        "This ERP posts each bill on its own date",
        ADMINISTRATOR,
        ("Leave posting_day at bill_date.",),
    ),
    "PREFERENCES_INCOMPLETE": ProblemCode(
        409,
        "The sync preferences are not complete",
        ADMINISTRATOR,
        ("Set the sync preferences first: until they are right, only lists sync.",),
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
            "Have the operator link the client: `posync organization link CLIENT --console ID`.",
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
    "NO_PART_OF_THAT_INVOICE": ProblemCode(
        422,
        "The bill that was named is no part of the same supplier invoice",
        CALLER,
        (
            "Name a bill of the same vendor and number that is not closed.",
            "Or leave part_of out, if this is the first part or the whole invoice.",
        ),
    ),
    "ORDERS_OF_TWO_CONNECTIONS": ProblemCode(
        422,
        "The orders of one bill belong to one connection",
        CALLER,
        ("Enter one bill per connection.",),
    ),
    "DIRECT_BILLS_NOT_TAKEN": ProblemCode(
        422,
        "This connection takes no bill without a purchase order",
        ACCOUNTANT,
        ("Bill a purchase order, or enter the bill in the ERP: it comes in with the next sync.",),
    ),
    "ACCOUNT_LINES_NOT_TAKEN": ProblemCode(
        422,
        "This connection's bills have no line off the order",
        ACCOUNTANT,
        ("Enter the amount as a charge, or on a bill without an order, where the connection takes these.",),
    ),
    "ACCOUNT_MISSING": ProblemCode(
        422,
        "A line names no account",
        ACCOUNTANT,
        (
            "Give the line its account.",
            "Or set the preference expense_account: the account of all lines that name none.",
        ),
    ),
    "ACCOUNT_UNKNOWN": ProblemCode(
        422,
        "A line names an account that cannot be used",
        CALLER,
        ("Choose an active account.", "Run a sync first if it was made in the ERP just now."),
    ),
    "ACCOUNT_ITEM_MISSING": ProblemCode(
        422,
        "No item stands for the account of a line off the order",
        ACCOUNTANT,
        (
            "Set the preference account_item.<account> to a non-inventory item whose GL group posts to that account.",
            "Or enter what is off the order on a bill without an order.",
        ),
    ),
    "ORDER_LINE_GONE": ProblemCode(
        409,
        "The order has no such line any more",
        CALLER,
        ("Read the order or draft the bill again: the line was deleted in the ERP meanwhile.",),
    ),
    "ORDER_LINE_CHANGED": ProblemCode(
        409,
        "The order's line is another item now",
        CALLER,
        ("Draft the bill again: the order was changed in the ERP meanwhile.",),
    ),
    "BILL_NOT_WAITING": ProblemCode(
        409,
        "The bill is not in review",
        CALLER,
        ("Read the bill again: it went to the ERP, or was abandoned meanwhile.",),
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
        "The cause of the hold has to be corrected",
        ACCOUNTANT,
        ("Look at needs.fix of GET /v1/bills/{id}/match; the bill is then matched again by itself.",),
    ),
    "BILL_IS_IN_ERP": ProblemCode(
        409,
        "The ERP holds the bill",
        ACCOUNTANT,
        ("Delete the bill: `POST /v1/bills/{bill_id}/delete` takes it back from the ERP.",),
    ),
    "LINK_IS_FINAL": ProblemCode(
        409,
        "The link to the purchase order can no longer be changed",
        ACCOUNTANT,
        (
            "Delete the bill: `POST /v1/bills/{bill_id}/delete` takes it back from the ERP.",
            "Create a new bill against the right purchase order.",
        ),
    ),
    "BILL_NOT_LINKED": ProblemCode(
        409,
        "The bill is not linked to a purchase order",
        ACCOUNTANT,
        ("Put it on one: `POST /v1/purchase-orders/{purchase_order_id}/bills/{bill_id}`.",),
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
        (
            "Choose an order of the same connection and vendor, and a bill that was made in the ERP.",
            "Put a bill made here on another order with its lines: "
            "`POST /v1/purchase-orders/{purchase_order_id}/bills/{bill_id}`.",
        ),
    ),
    "BILL_ON_ITS_WAY": ProblemCode(
        409,
        "The bill is on its way to the ERP",
        CALLER,
        (
            "Wait until it is synced or refused, then look at the bill again.",
            "Where an issue of the bill says that its look-up is refused, settle that first.",
        ),
    ),
    "WRITE_IN_DOUBT": ProblemCode(
        409,
        "Nobody knows yet whether the ERP has it",
        ACCOUNTANT,
        (
            "Correct what the issue names, then retry the issue: it is looked up first, and nothing is sent twice.",
            "Abandon it only after a look-up has shown that the ERP does not have it.",
        ),
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
        "A bill that is paid, or about to be, is not changed any more",
        ACCOUNTANT,
        (
            "Void the payments in the ERP, run a sync, then edit the bill.",
            "Or leave it: only the GL accounts of its lines may still be changed here.",
        ),
    ),
    "BILL_IS_CLOSED": ProblemCode(
        409, "The bill was abandoned or deleted", ACCOUNTANT, ("Create a new bill against the purchase order.",)
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
    "BILL_REJECTED_IN_ERP": ProblemCode(
        409,
        "The bill was rejected in the ERP",
        ACCOUNTANT,
        (
            "Have it approved in the ERP after all, and pay it after the next sync.",
            "Or delete it there, and enter the corrected bill.",
        ),
    ),
    "OVERPAYMENT": ProblemCode(
        422, "The payment is more than what is open", ACCOUNTANT, ("Pay no more than what is open on the bill.",)
    ),
    "FEES_DO_NOT_ADD_UP": ProblemCode(
        422,
        "Net and fees do not add up",
        ACCOUNTANT,
        (
            "Give the net amount and every fee: net and the fees that go out with the money are the payment's amount.",
            "The payment and the credits of its other fees are no more than what is open on the bill.",
        ),
    ),
    "FEES_OF_ONE_BILL": ProblemCode(
        422, "A payment with fees pays one bill", ACCOUNTANT, ("Make one payment for each bill that has fees.",)
    ),
    "PAY_ON_IS_PAST": ProblemCode(
        422,
        "The day of the payment is past",
        ACCOUNTANT,
        (
            "Give today or a later day: the payment is made on it, and dated so.",
            "A payment that was made already is entered in the ERP; it comes in with the next sync.",
        ),
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
    # --- how bills are matched
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
    "ISSUE_BEING_ABANDONED": ProblemCode(
        409,
        "Somebody decided to abandon it",
        CALLER,
        (
            "Wait until the issue is closed: what it stopped is abandoned then, and can be entered anew.",
            "If it turns out that the ERP holds it, it is looked up there by itself.",
        ),
    ),
    # --- us
    "ORDER_QUEUE_FULL": ProblemCode(
        429,
        "Too many requests wait for this purchase order",
        CALLER,
        (
            "Nothing was stored: wait as long as Retry-After says, then send it again with the same Idempotency-Key.",
            "Send fewer bills of one order at a time.",
        ),
    ),
    "ORDER_BUSY": ProblemCode(
        503,
        "The purchase order is busy",
        CALLER,
        ("Wait as long as Retry-After says, then send the same request again with the same Idempotency-Key.",),
    ),
    "TEMPORAL_UNAVAILABLE": ProblemCode(
        503,
        "Temporal does not answer",
        SUPPORT,
        ("Send the same request again with the same Idempotency-Key.", "Check TEMPORAL_ADDRESS and the server."),
    ),
    "SUGGESTIONS_NOT_INSTALLED": ProblemCode(
        501,
        "This installation suggests no order lines",
        ADMINISTRATOR,
        ("Install posync[suggest] where the API runs.", "Or name the order line of every invoice line."),
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
