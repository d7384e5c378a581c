"""Define the issue codes that several ERPs share, and our own: meaning, cause, who settles it and how.

Codes are ours and stable; an ERP's own error number is kept beside them as evidence. Codes that only one ERP has, and
the steps to settle an issue in its screens, are in `erp/<name>/issues.py`; `erp.registry.issue_code` returns the texts
of a code. The store keeps the code and the evidence; these texts are added when an issue is read, so they speak to the
person who must act.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

ADMINISTRATOR = "administrator"
"""The person who administers the connection and the ERP's settings."""
ACCOUNTANT = "accountant"
"""The person who works on the bill or the payment."""
SUPPORT = "support"
"""The person who operates posync."""
NOBODY = "nobody"
"""Nobody: the issue settles itself, and work goes on when it does."""


class IssueCode(NamedTuple):
    """One issue code with its texts. `fix` holds steps in order; `who` is the role that can take them."""

    code: str
    title: str
    cause: str
    fix: tuple[str, ...]
    """A name in braces is replaced by the evidence of that name."""
    who: str

    def steps(self, evidence: Mapping[str, Any], subject_kind: str = "", *, is_waited_for: bool = False) -> list[str]:
        """Return the fix steps with the evidence filled in, for an issue about this kind of subject. `is_waited_for`:
        a workflow waits behind the issue, so that the last step is to retry it."""
        filled = [step.format_map(evidence) if "{" in step else step for step in self.fix]
        retried = any("retry" in step.lower() for step in self.fix)
        if is_waited_for and not retried:
            filled.append(THEN_RETRY)
        if subject_kind == "list_change":
            return [*filled, *(() if retried else (THEN_RETRY,)), NEW_CHANGE]
        return [*filled, NEW_PAYMENT] if subject_kind == "payment" and retried else filled


NEW_CHANGE = "What is wrong in the change itself: ask for another one of the same entry; it takes this one's place."
NEW_PAYMENT = "A payment cannot be edited: if what is wrong is in it, abandon the payment and schedule a new one."
RETRY = "Retry the issue; nothing is sent twice."
THEN_RETRY = "Then retry the issue, if it is still open; nothing is sent twice."
SETTLES = "Nothing to do: work waits and goes on by itself."

_CODES: tuple[IssueCode, ...] = (
    # --- signing in
    IssueCode(
        "AUTH_BAD_CREDENTIALS",
        "The ERP refused company, user or password",
        "The company, the user or the password is wrong, or the user is locked.",
        ("Check company, user and password of the web services user.", "Enter them in the connection and check it."),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_ENTITY_NOT_ALLOWED",
        "The entity is unknown or not allowed for this user",
        "The entity id does not exist, or the user may not work in it, or at top level.",
        ("Compare the entity with the list in the ERP.", "Give the user access to that entity."),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_CREDENTIALS_MISSING",
        "The connection's credentials are incomplete",
        "One of the values the ERP signs in with is empty.",
        ("Enter the missing credential in the connection.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "ENDPOINT_NOT_TRUSTED",
        "The address is not the ERP's own",
        "Passwords are sent only to the vendor's hosts; this address is another one.",
        (
            "Connect with the vendor's own address.",
            "For the sandbox, allow addresses on this machine: POSYNC_ALLOW_LOOPBACK.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "PERMISSION_DENIED",
        "The ERP user lacks a permission",
        "The web services user may not read or write this kind of record.",
        ("Give the user's role the permission named in the evidence.", SETTLES),
        ADMINISTRATOR,
    ),
    # --- the ERP is away
    IssueCode("ERP_UNREACHABLE", "The ERP cannot be reached", "No connection could be made.", (SETTLES,), NOBODY),
    IssueCode("ERP_NO_ANSWER", "The ERP did not answer", "A read got no answer in time.", (SETTLES,), NOBODY),
    IssueCode("ERP_OUTAGE", "The ERP has an outage", "The ERP answers with server errors.", (SETTLES,), NOBODY),
    IssueCode("ERP_MAINTENANCE", "The ERP is in maintenance", "It says it is off-line.", (SETTLES,), NOBODY),
    IssueCode("ERP_BUSY", "The ERP is busy", "It asks to try again later.", (SETTLES,), NOBODY),
    IssueCode("ERP_PROCESSING_ERROR", "The ERP failed at a read", "A processing error there.", (SETTLES,), NOBODY),
    IssueCode(
        "ERP_THROTTLED", "The ERP asks for fewer calls", "More calls than the ERP's plan allows.", (SETTLES,), NOBODY
    ),
    IssueCode(
        "ENDPOINT_REFUSED",
        "The ERP's address refuses us",
        "The address answers 403 or 404: a firewall in between, or a wrong path.",
        ("Check the address of the connection and the network's outgoing rules.", SETTLES),
        ADMINISTRATOR,
    ),
    IssueCode(
        "ERP_ANSWERS_LATER",
        "The ERP answers later",
        "Requests wait in a queue until the program that connects the ERP fetches them.",
        (SETTLES, "If it lasts, check that the program that connects the ERP to posync runs."),
        NOBODY,
    ),
    IssueCode(
        "OUTCOME_UNKNOWN",
        "The answer to a write was lost",
        "The ERP may or may not have done it; it is looked up before anything is sent again.",
        (SETTLES, "If it lasts for days, see that the ERP and the worker run, then retry the issue."),
        NOBODY,
    ),
    IssueCode(
        "LOOK_UP_REFUSED",
        "Nobody knows whether the ERP has it, and the ERP refuses to show it",
        "It was sent, its answer was lost, and the look-up that would show whether it was done is refused. Until a "
        "look-up succeeds it is neither sent again nor abandoned, and what it reserves stays reserved.",
        (
            "Correct what the ERP's words in the evidence name: most often a right to read such records.",
            "Retry the issue: it is looked up first, and nothing is sent twice.",
            "Do not enter it in the ERP by hand meanwhile; it may stand there already.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "MALFORMED_ANSWER",
        "The ERP's answer cannot be trusted",
        "The answer was cut short, or is not what the ERP's protocol says. It was not used; it is asked for again.",
        (SETTLES, "If it lasts, hand the evidence to support."),
        SUPPORT,
    ),
    # --- requests
    IssueCode(
        "REQUEST_NOT_UNDERSTOOD",
        "The ERP did not understand our request",
        "The request broke the ERP's schema: a fault of posync.",
        ("Hand the evidence to support.",),
        SUPPORT,
    ),
    IssueCode(
        "UNKNOWN_ERP_ERROR",
        "The ERP reported an error nobody has met yet",
        "The error is not in posync's table; the ERP's own words are in the evidence.",
        ("Follow the ERP's words in the evidence.", RETRY, "Tell support, so that the table learns it."),
        SUPPORT,
    ),
    # --- what the ERP's rules refuse
    IssueCode(
        "ALREADY_SENT",
        "The ERP has executed this request before",
        "Its answer was lost then; the record is looked up and adopted.",
        (SETTLES, "If no record is found, someone deleted it in the ERP: abandon the bill and enter it anew."),
        ACCOUNTANT,
    ),
    IssueCode(
        "ALREADY_EXISTS",
        "The ERP already has a record with this number",
        "Another record carries the same number.",
        (
            "Find the record in the ERP by the number in the evidence.",
            "Correct this bill's number here (`posync bills correct`), which sends it; or the other one's in the ERP,"
            " then retry.",
            "If the other one is the same invoice: abandon this bill.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "LIST_KEY_TAKEN",
        "The id or the name is taken",
        "The ERP has an entry with this id or name already, which posync did not make.",
        ("Change that entry instead, or choose another id or name for the new one.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "LIST_CHANGE_NOT_KEPT",
        "The ERP took the change and shows something else",
        "The ERP answered that the entry is changed, and still shows other values: a rule or a script there sets them.",
        ("Compare the fields in the evidence with the entry in the ERP, and see there what sets them.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "BILL_REJECTED_IN_ERP",
        "The bill was rejected in the ERP",
        "Somebody rejected, cancelled or voided it there: it bills nothing, and no payment of it is sent.",
        (
            "Have it approved in the ERP after all; the next sync closes the issue, and its payments can be retried.",
            "Or delete it there, and enter the corrected bill.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "ORDER_LINK_LOST",
        "The bill in the ERP names its order no more",
        "Its lines were typed in anew there: the ERP does not count them as billed on the order, so that the goods can "
        "be billed once more.",
        (
            "Enter the bill's lines from order {order} in the ERP again; the next sync closes the issue.",
            "Or delete the bill there, and enter it anew.",
            "Or abandon the issue: it is closed, and the bill stays as it is.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "DUPLICATE_IN_ERP",
        "The ERP holds two bills with this number",
        "Somebody entered the same supplier invoice in the ERP while this bill was on its way, or gave one its number.",
        (
            "Compare the two bills in the ERP: {others}.",
            "Delete the one that is too many there, or correct its number; the next sync closes the issue.",
            "Or, if they are two invoices, abandon the issue: it is closed, and both bills stay.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "ALREADY_CONVERTED",
        "The order's quantity is converted already",
        "A document in the ERP has converted the lines meanwhile.",
        (
            "Sync the order and look at what bills it in the ERP. If that is deleted there, the next sync has this bill"
            " go out by itself.",
            "Or abandon this bill, and enter anew what is left of it.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "PERIOD_CLOSED",
        "The ERP's period is closed",
        "The posting date lies in a period that is closed there.",
        ("Open the period in the ERP, or give the bill a posting date in an open one.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "REQUIRED_FIELD_MISSING",
        "The ERP wants a field that is empty",
        "A rule or dimension of the company makes the field in the evidence mandatory.",
        ("Fill the field on the bill (`posync bills edit`, or `correct`), which sends it; or in the ERP, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "VALUE_REFUSED",
        "The ERP refused a value",
        "A unit, location, item or other value is missing or not one the ERP knows.",
        (
            "Correct the value named in the evidence on the bill (`posync bills edit`, or `correct`), which sends it;"
            " or in the ERP, then retry the issue.",
            "If it cannot be corrected, abandon this bill and enter it anew.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "ACCOUNT_REFUSED",
        "The ERP refused a GL account",
        "The account does not exist, is inactive, or may not be used this way.",
        ("Correct the account in the ERP, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "ACCOUNT_WRONG_TYPE",
        "The account is not one of expenses",
        "A preference names an account that does not take expenses.",
        ("Enter an account of expenses in the preference named in the evidence.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "ITEM_REFUSED",
        "The item cannot stand for an account",
        "It does not exist, is inactive, or is an inventory item.",
        ("Enter an active non-inventory item in the preference named in the evidence.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "ACCOUNT_ITEM_MISSING",
        "No item stands for the account of a line off the order",
        "The ERP's bill of an order takes items only, and the bill names none for this account.",
        ("Abandon the bill, set the preference account_item.<account>, and enter the bill anew.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "VENDOR_NOT_FOUND",
        "The ERP does not show the bill's vendor",
        "The vendor was deleted there, or the user may not see it.",
        ("Restore the vendor in the ERP, or let the user see it, then retry.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "ALREADY_PAID",
        "The bill is paid in the ERP",
        "A paid bill cannot be changed or deleted there.",
        ("Void the payment in the ERP first.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "DELETION_REFUSED",
        "The ERP does not let the bill be deleted",
        "Something was made from it or applied to it there, or a policy of the company forbids it.",
        (
            "Look at the bill in the ERP: undo what was made from it or applied to it last, then retry the issue.",
            "Or abandon the issue: the bill stays in the ERP, and here.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "BILL_RECONCILED",
        "The bill is reconciled in the ERP",
        "A bill whose entry is part of a finished reconciliation is neither deleted nor reversed there. No field shows"
        " this from outside, so it is known only once the ERP refuses.",
        (
            "Look up in the ERP which reconciliation the bill is part of; reopen it there, take the bill out, and retry"
            " the issue.",
            "If the reconciliation is to stay: abandon the issue, and the bill stays in the ERP and here. Enter the"
            " supplier's credit instead.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "NOT_RECEIVED",
        "The ERP bills only what was received",
        "Something on the bill was not received, and the ERP allows no bill in advance of its receipt.",
        (
            "Enter the receipt in the ERP; the bill then goes on by itself.",
            "Or allow it there, then retry.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "SEARCH_EXPIRED",
        "The ERP forgot a search",
        "Its pages are kept for a while only, or as long as the session that asked for them.",
        (SETTLES,),
        NOBODY,
    ),
    # --- records that cannot be taken in
    IssueCode(
        "UNKNOWN_ERP_STATUS",
        "The ERP shows a status nobody has met yet",
        "The status is not in posync's table. The last known status is kept.",
        ("Tell support, so that the table learns it.",),
        SUPPORT,
    ),
    IssueCode(
        "MISSING_FIELD",
        "A record came without a mandatory field",
        "The field is empty in the ERP, or the user may not see it.",
        ("Fill the field in the ERP.", "Check that the user's role may see it."),
        ACCOUNTANT,
    ),
    IssueCode(
        "VALUE_NOT_READABLE",
        "A record holds a value that cannot be read",
        "A date or a number there is not one.",
        ("Correct the value in the ERP.", "Check that the user's regional settings are US date format."),
        ACCOUNTANT,
    ),
    IssueCode(
        "NO_LINES",
        "A document came without lines",
        "The document has no line, or the user may not see its lines.",
        ("Check the document in the ERP.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECORD_NOT_SHOWN",
        "A record is listed but not shown",
        "It was deleted in this very moment, or the user may not open it.",
        ("Check in the ERP that the user may open it. If it is gone, the next sync learns that.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "UNITS_NOT_UNIQUE",
        "Units of one unit group have the same name",
        "Which of them an order or a bill means cannot be said. Where they differ, none of them is converted.",
        (
            "Give each unit of the group {group} a name of its own in the ERP, or make all but one of them inactive.",
            "The next sync closes the issue.",
            "Until then enter the conversion of the unit {unit}: `PUT /v1/unit-factors`.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "OTHER_CURRENCY",
        "The order is not in the currency of the books",
        "Only orders in the base currency sync.",
        ("Handle the order's bills in the ERP.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "ENTITY_MISMATCH",
        "The record belongs to another entity",
        "Bills and payments sync only to the connection's entity.",
        ("Use the connection of that entity.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "ORDER_NOT_FOUND",
        "The ERP does not show the order",
        "It was deleted, or the user may no longer see it.",
        ("Check the order in the ERP, and the user's rights.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "NOT_OFFERED",
        "This connection's ERP does not have this",
        "The ERP, or this edition or subscription of it, has no such records.",
        ("Do it in the ERP, or connect a company that has them.",),
        ADMINISTRATOR,
    ),
    # --- writes
    IssueCode(
        "SEVERAL_SOURCES",
        "The bill is made from several documents",
        "The ERP makes a bill from one order or receipt only.",
        ("Enter one bill per order or receipt; name the first as part_of in the others.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "BILL_PART_DELETED",
        "A part of the bill was deleted in the ERP",
        "The bill is several documents there, and somebody deleted one of them; the others are still there.",
        (
            "Retry: the part is made again. What is in the ERP is not sent twice.",
            "Or abandon: the other parts are taken back from the ERP too, and the bill is deleted.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "BILL_PARTS_MISSING",
        "The ERP does not hold every part of the bill",
        "The bill is several documents in the ERP. One is not there as it was sent, so none of them is paid.",
        ("Settle the issue of the bill.", "Then retry the payment."),
        ACCOUNTANT,
    ),
    IssueCode(
        "CHARGES_NOT_TAKEN",
        "The ERP takes no such money beyond the lines",
        "A freight, surcharge, tax or discount on the bill has no place in the ERP's bill.",
        (
            "Make a place for it in the ERP, and name it in the connection's preferences.",
            "Or enter the bill without it, and the charge as a bill of its own in the ERP.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "LINK_MISSING",
        "The ERP holds the bill without its link to the order",
        "The bill was accepted, but its lines do not point to the order's lines.",
        ("Delete the vendor invoice in the ERP and enter the bill anew, or link it there.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "LINK_DISAGREES",
        "A bill in the ERP names two orders",
        "It is converted from one order, and its reference names another. The ERP's link counts.",
        (
            "If {linked} is right, change the reference number of the bill in the ERP to {linked}.",
            "If {reference} is right, delete the bill in the ERP and enter it from {reference}.",
            "Sync again.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "REFERENCE_UNCLEAR",
        "The reference of a bill made in the ERP does not name one order",
        "It names several orders, or one that has less left than the bill bills. So it is linked to none.",
        (
            "If it belongs to one of {candidates}, link it: `posync bills link {bill} --to NUMBER`.",
            "Or write the number of one order into its reference in the ERP, and sync.",
            "If it belongs to none of them, ignore this.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "CONTENT_CONFLICT",
        "The ERP holds the bill otherwise than it was sent",
        "The differences are in the evidence; defaults or a person in the ERP changed it.",
        (
            "Compare both. To keep what was sent, correct the one in the ERP, then retry the issue.",
            "To keep what is there, abandon the issue: a bill that a person entered there, too, comes in with the next"
            " sync; of an edit, the bill shows again what the ERP holds.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "STATUS_NOT_SHOWING",
        "The order does not show the bill yet",
        "The bill is in the ERP, but the order's billed quantity has not moved.",
        ("Look at the order in the ERP: is the bill linked to it?", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "CREDIT_UNCLEAR",
        "A credit does not free its quantity",
        "The quantity that the order counts as billed fits its bills neither with the credit nor without it.",
        (
            "Compare the order's billed quantity in the ERP with its bills and credits; the evidence has all three.",
            "Sync after the order was saved again there, or after its next bill or receipt.",
            "Until then the credited quantity cannot be billed again.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "HAND_OVER_DELAYED",
        "Accepted work waits to be handed over to Temporal",
        "It was accepted and stored, and Temporal or its workers did not take it up within a minute. Nothing is lost.",
        (
            "Check that Temporal answers: TEMPORAL_ADDRESS and the server.",
            "Check that a worker runs: `posync worker`.",
            "Nothing else: the work is handed over by itself, and this issue closes then.",
        ),
        SUPPORT,
    ),
    IssueCode(
        "MATCH_WORSE",
        "Bills in the ERP no longer fit their order",
        "The order or a receipt of it changed after they were sent. The bills themselves stay as they are.",
        (
            "Compare each bill's findings before and after in the evidence.",
            "Ask the vendor for a credit, or have the order put right in the ERP and sync.",
            "Or abandon the issue: the difference stands, and it is closed.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "PAYABLE_MISSING",
        "There is no bill to pay in the ERP",
        "The vendor invoice is gone, or it posted no bill to Accounts Payable.",
        ("Check the vendor invoice in the ERP, and that its template posts to AP.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "PAYMENT_NOT_POSTED",
        "The ERP keeps the payment waiting",
        "A payment approval in the ERP holds it back.",
        ("Approve the payment in the ERP.", "Switch off payment approval there, if payments are approved here."),
        ACCOUNTANT,
    ),
    IssueCode(
        "FEE_NOT_APPLIED",
        "The credit of a fee was not applied to its bill",
        "The bill had no room for it any more once the ERP held the credit.",
        ("Apply the credit to what is open of the vendor, or delete it.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "FEE_NOT_TAKEN_BACK",
        "The credit of a fee is still there, and its payment is not",
        "The payment was abandoned or voided, and the ERP would not give the credit of its fee back.",
        ("Unapply the credit in the ERP if it is applied there, and delete it.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "DELETED_IN_ERP",
        "The record was deleted in the ERP",
        "It was there and confirmed before.",
        ("If it is still wanted, enter it anew.", "If not, abandon the issue and what waits for it."),
        ACCOUNTANT,
    ),
    IssueCode(
        "DELETIONS_IN_DOUBT",
        "Records that are not shown any more may still be there",
        "The ERP user may have lost a right: too many are missing at once, or an entity cannot be entered.",
        (
            "See that the ERP user still has every right and entity it had; the next daily scan then settles this.",
            "If they were deleted, let the user read the audit trail: it names each deletion, and each comes in.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "GAVE_UP_WAITING",
        "The ERP was away for too long",
        "The work waited as long as it may.",
        ("See that the ERP and the worker run, then retry; what was sent is looked up first.",),
        SUPPORT,
    ),
    IssueCode(
        "VENDOR_NOT_PAID",
        "The vendor is on hold or inactive",
        "Payments to it wait: the ERP's list of vendors says so.",
        (
            "Take the vendor off hold, or activate it, in the ERP and sync; then retry.",
            "Or abandon the payment.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "PAYMENT_SPLIT",
        "The ERP made several payments of one",
        "What was sent as one payment stands in the ERP as several.",
        ("Void the ones too many in the ERP, then retry: what is there is read again, and nothing is sent.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "BANK_ACCOUNT_MISSING",
        "No bank account to pay from",
        "The payment names none, and the connection has no default.",
        ("Set the sync preference bank_account, then retry.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "SETTING_CHANGED",
        "A setting of the ERP changed",
        "It is not what it was at the last check, or not what a person saw.",
        (
            "Run `posync setup`: it names what is wrong, and where to change it in the ERP.",
            "If the new value is meant, resolve the issue.",
        ),
        ADMINISTRATOR,
    ),
    # --- sync preferences
    IssueCode(
        "PREFERENCE_UNKNOWN",
        "There is no such sync preference",
        "Its name is misspelt, so it would do nothing.",
        ("Correct the name of the preference.",),
        ADMINISTRATOR,
    ),
)


def by_code(*rows: IssueCode) -> Mapping[str, IssueCode]:
    """Return a table of issue codes by their code.

    Raises:
        ValueError: Two rows have the same code.
    """
    table = {row.code: row for row in rows}
    if len(table) != len(rows):
        raise ValueError("a code has two rows")
    return table


ISSUE_CODES = by_code(*_CODES)
