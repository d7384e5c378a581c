"""Every issue code an ERP error or a sync issue may carry: what it means, why it happens, who settles it and how.

Codes are ours and stable; an ERP's own number travels beside them as evidence. The API, the command line and the
Temporal UI show these texts, so they speak to the person who must act.
"""

from collections.abc import Mapping
from typing import NamedTuple

ADMINISTRATOR = "administrator"
"""Whoever administers the connection and the ERP's settings."""
ACCOUNTANT = "accountant"
"""Whoever works on the bill or the payment."""
SUPPORT = "support"
"""Whoever operates posync."""
NOBODY = "nobody"
"""It settles itself; work goes on when it does."""


class IssueCode(NamedTuple):
    """One code. `fix` are steps in order; `who` is the role that can take them."""

    code: str
    title: str
    cause: str
    fix: tuple[str, ...]
    who: str


_RETRY = "Retry the issue; nothing is sent twice."
_SETTLES = "Nothing to do: work waits and goes on by itself."

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
        "AUTH_BAD_SENDER",
        "The ERP refused the sender",
        "The sender id or its password is wrong; both are case-sensitive.",
        ("Check sender id and sender password with whoever issued them.", "Enter them in the connection."),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_SENDER_NOT_AUTHORISED",
        "The sender is not authorised for this company",
        "The company does not list the sender id under its Web Services authorisations (S2-24).",
        (
            "In Intacct open Company > Setup > Company > Security > Web Services authorisations.",
            "Add the sender id, all lower case, and save.",
            "Check the connection again.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_ENTITY_NOT_ALLOWED",
        "The entity is unknown or not allowed for this user",
        "The entity id does not exist, or the user may not work in it, or at top level.",
        ("Compare the entity id with the list under Company > Entities.", "Give the user access to that entity."),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_SESSION_REFUSED",
        "The ERP refuses its own session",
        "A session just opened is refused again, as when the user is signed out or restricted meanwhile.",
        ("Check that the user is active and not limited by address.", "Check the connection again."),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_COMPANY_EXPIRED",
        "The company's ERP subscription has expired",
        "The company is a demonstration or its contract has ended.",
        ("Renew the company with the ERP's vendor, or connect another company.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_CREDENTIALS_MISSING",
        "The connection's credentials are incomplete",
        "One of sender id, sender password, company, user and password is empty.",
        ("Enter the missing credential in the connection.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_TOKEN_REFUSED",
        "NetSuite refused the token",
        "One of account id, consumer key, token and the two secrets is wrong, or the token or the integration is off.",
        (
            "Write the account id as NetSuite shows it: capitals and underscore, for example 1234567_SB1.",
            "Check in Setup > Users/Roles > Access Tokens that the token is active, and the integration record too.",
            "Setup > Users/Roles > View Login Audit Trail names the reason of the refusal.",
            "See that the clock of this machine is right to a few minutes.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "ENDPOINT_VERSION_UNKNOWN",
        "The address names no version posync speaks",
        "It must end in the service's name with one of the endpoint versions posync knows.",
        ("Correct the endpoint of the connection.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "ENDPOINT_VERSION_RETIRED",
        "The ERP has retired this version of its interface",
        "Each version of the interface is served for some years only.",
        ("Set the endpoint of the connection to a newer version.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "FEATURE_OFF",
        "A feature is switched off in the ERP",
        "The company has not enabled the feature named in the evidence.",
        ("In NetSuite enable it under Setup > Company > Enable Features.", _SETTLES),
        ADMINISTRATOR,
    ),
    IssueCode(
        "ENDPOINT_NOT_TRUSTED",
        "The address is not the ERP's own",
        "Passwords are sent only to the vendor's hosts; this address is another one.",
        ("Correct the endpoint of the connection.", "For the sandbox, allow addresses on this machine."),
        ADMINISTRATOR,
    ),
    IssueCode(
        "PERMISSION_DENIED",
        "The ERP user lacks a permission",
        "The web services user may not read or write this kind of record.",
        ("Give the user's role the permission named in the evidence.", _SETTLES),
        ADMINISTRATOR,
    ),
    # --- the ERP is away
    IssueCode("ERP_UNREACHABLE", "The ERP cannot be reached", "No connection could be made.", (_SETTLES,), NOBODY),
    IssueCode("ERP_NO_ANSWER", "The ERP did not answer", "A read got no answer in time.", (_SETTLES,), NOBODY),
    IssueCode("ERP_OUTAGE", "The ERP has an outage", "The ERP answers with server errors.", (_SETTLES,), NOBODY),
    IssueCode("ERP_MAINTENANCE", "The ERP is in maintenance", "It says it is off-line.", (_SETTLES,), NOBODY),
    IssueCode("ERP_BUSY", "The ERP is busy", "It asks to try again later.", (_SETTLES,), NOBODY),
    IssueCode("ERP_PROCESSING_ERROR", "The ERP failed at a read", "A processing error there.", (_SETTLES,), NOBODY),
    IssueCode(
        "ERP_THROTTLED", "The ERP asks for fewer calls", "More calls than the ERP's plan allows.", (_SETTLES,), NOBODY
    ),
    IssueCode(
        "ENDPOINT_REFUSED",
        "The ERP's address refuses us",
        "The address answers 403 or 404: a firewall in between, or a wrong path.",
        ("Check the endpoint of the connection and the network's outgoing rules.", _SETTLES),
        ADMINISTRATOR,
    ),
    IssueCode(
        "OUTCOME_UNKNOWN",
        "The answer to a write was lost",
        "The ERP may or may not have done it; it is looked up before anything is sent again.",
        (_SETTLES,),
        NOBODY,
    ),
    IssueCode(
        "MALFORMED_ANSWER",
        "The ERP's answer cannot be trusted",
        "The answer was cut short, or is not what the ERP's protocol says. It was not used; it is asked for again.",
        (_SETTLES, "If it lasts, hand the evidence to support."),
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
        "FIELD_NOT_READABLE",
        "The ERP cannot show a field",
        "A field posync needs does not exist in this company, or the user may not see it.",
        ("Give the user's role access to the field named in the evidence.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "QUERY_REFUSED",
        "The ERP refused a query",
        "A kind of record posync reads is not offered by this company's subscription.",
        ("Check the company's subscriptions against the evidence.",),
        ADMINISTRATOR,
    ),
    IssueCode("NO_DATA", "The ERP found no data", "A report or list there is empty.", ("Nothing to do.",), NOBODY),
    IssueCode(
        "UNKNOWN_ERP_ERROR",
        "The ERP reported an error nobody has met yet",
        "The error is not in posync's table; the ERP's own words are in the evidence.",
        ("Follow the ERP's words in the evidence.", _RETRY, "Tell support, so that the table learns it."),
        SUPPORT,
    ),
    # --- what the ERP's rules refuse
    IssueCode(
        "ALREADY_SENT",
        "The ERP has executed this request before",
        "Its answer was lost then; the record is looked up and adopted.",
        (_SETTLES, "If no record is found, someone deleted it in the ERP: abandon the bill and enter it anew."),
        ACCOUNTANT,
    ),
    IssueCode(
        "ALREADY_EXISTS",
        "The ERP already has a record with this number",
        "Another record carries the same number.",
        ("Find the record in the ERP by the number in the evidence.", "Correct the number here or there, then retry."),
        ACCOUNTANT,
    ),
    IssueCode(
        "ALREADY_CONVERTED",
        "The order's quantity is converted already",
        "A document in the ERP has converted the lines meanwhile.",
        ("Sync the order and look at what bills it in the ERP.", "Abandon this bill, or correct its quantities."),
        ACCOUNTANT,
    ),
    IssueCode(
        "PERIOD_CLOSED",
        "The ERP's period is closed",
        "The posting date lies in a period that is closed there.",
        ("Open the period in the ERP, or give the bill a posting date in an open one.", _RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "DATE_REFUSED",
        "The ERP refused a date",
        "The transaction date is not valid there.",
        ("Correct the date, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "LOCATION_MISSING",
        "The ERP wants a location",
        "A company with entities needs a location on each line.",
        ("Give each line a location, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "REQUIRED_FIELD_MISSING",
        "The ERP wants a field that is empty",
        "A rule or dimension of the company makes the field in the evidence mandatory.",
        ("Fill the field, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "VALUE_REFUSED",
        "The ERP refused a value",
        "A unit, location, item or other value is missing or not one the ERP knows.",
        ("Correct the value named in the evidence, here or in the ERP.", _RETRY),
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
        "RECEIVABLE_REFUSED",
        "The ERP refused a receivable",
        "A rule of Accounts Receivable refused it; the ERP's words are in the evidence.",
        ("Follow the ERP's words in the evidence, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECORD_REFUSED",
        "The ERP could not save the record",
        "It gave no reason of its own.",
        ("Try to enter the record in the ERP's own screens to see the reason.", _RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "ROLLED_BACK",
        "The ERP took the record back",
        "Something in the same transaction failed and no reason was given.",
        (_RETRY, "If it lasts, hand the evidence to support."),
        SUPPORT,
    ),
    IssueCode(
        "ALREADY_PAID",
        "The bill is paid in the ERP",
        "A paid bill cannot be changed or deleted there.",
        ("Void the payment in the ERP first.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "BILL_NUMBER_REQUIRED",
        "The ERP wants a bill number",
        "Accounts Payable does not number bills itself.",
        ("Enter the supplier's invoice number, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "DOCUMENT_NUMBER_MISSING",
        "The ERP wants a document number",
        "The template has no numbering sequence.",
        ("Give the template a sequence, or allow numbers by hand, then retry.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "LINE_COUNT_DIFFERS",
        "The number of lines may not change",
        "A reclassification must keep all lines of the bill.",
        ("Make the change in the ERP.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "MULTI_ENTITY_NOT_SUBSCRIBED",
        "The company has no entities",
        "An entity or location was named, but the company does not subscribe to them.",
        ("Remove the entity from the connection.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TEMPLATE_NOT_AT_THIS_LEVEL",
        "The template may not be used at this level",
        "The template allows documents only inside an entity, or only at top level.",
        ("Change the template's creation rule, or connect at the other level.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "NOT_RECEIVED",
        "The ERP bills only what was received",
        "Something on the bill was not received, and the ERP allows no bill in advance of its receipt (S4-70).",
        (
            "Enter the item receipt in the ERP; the bill then goes on by itself.",
            "Or allow it there: Setup > Accounting > Accounting Preferences > Order Management > Bill in Advance of "
            "Receipt, then retry.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "MORE_THAN_ORDERED",
        "The ERP takes no more than was ordered",
        "The quantity exceeds the order's.",
        ("Correct the quantity, or the order in the ERP, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "ORDER_LINE_GONE",
        "A line of the order is gone",
        "The ERP's order no longer has a line this bill bills.",
        ("Sync the order.", "Abandon this bill and enter it anew against the lines there are."),
        ACCOUNTANT,
    ),
    IssueCode(
        "LINKED_LINES_LOCKED",
        "The ERP locks the lines",
        "They are linked to other documents, which would be left behind.",
        ("Look at the linked documents in the ERP; undo the latest first.", _RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "VALUE_NOT_IN_ENTITY",
        "A value may not be used in this entity",
        "The account, item, vendor, department, class or location is not available in the order's entity.",
        ("Make the value available to the entity in the ERP, or choose another.", _RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "CURRENCY_REFUSED",
        "The ERP refused the currency",
        "It is not the order's, or not one of the vendor's.",
        ("Compare the currencies of order, vendor and bill in the ERP.", _RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "COMPANY_RULE_REFUSED",
        "A rule of the company refused it",
        "A mandatory field, a form's rule or a script of the company said no; its words are in the evidence.",
        ("Follow the words in the evidence, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "COMPANY_SCRIPT_FAILED",
        "A script of the company ran out of its allowance",
        "A script on this kind of record used more time or units than the ERP gives it; nothing was saved.",
        ("Have whoever wrote the script look at it.", _RETRY),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TOO_LARGE",
        "The ERP takes less at once",
        "A text is longer, or there are more lines, than the ERP allows.",
        ("Shorten what the evidence names, or split the bill, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "FIELD_NOT_EMPTIED",
        "The ERP cannot be told to empty this field",
        "Its interface can change the field on a line, and not clear it.",
        ("Clear the field in the ERP's own screens, then abandon the edit here.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "BILL_NOT_APPROVED",
        "The bill waits for approval in the ERP",
        "What is not approved there cannot be paid.",
        ("Approve the bill in the ERP, then retry.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECORD_NOT_FOUND",
        "The ERP does not have the record",
        "It was deleted there, or the user may not see it.",
        ("Check in the ERP that it is there and that the user may open it.", _RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECORD_CHANGED",
        "The record changed in the ERP meanwhile",
        "Somebody saved it between our reading and our writing.",
        (_SETTLES,),
        NOBODY,
    ),
    IssueCode(
        "RECORD_LOCKED",
        "A workflow of the ERP holds the record",
        "An approval there has locked it for now.",
        (_SETTLES, "If it lasts, approve or release the record in the ERP."),
        ACCOUNTANT,
    ),
    IssueCode(
        "SEARCH_EXPIRED",
        "The ERP forgot a search",
        "Its pages are kept for a while only, or as long as the session that asked for them.",
        (_SETTLES,),
        NOBODY,
    ),
    IssueCode(
        "TOO_MANY_IN_FLIGHT",
        "More calls at once than the ERP allows",
        "The connection is set to more than the account's plan gives this integration.",
        ("Lower the connection's max_in_flight.",),
        ADMINISTRATOR,
    ),
    # --- records that cannot be taken in
    IssueCode(
        "UNKNOWN_ERP_STATUS",
        "The ERP shows a status nobody has met yet",
        "The status is not in posync's table. The last known status is kept (ruling G3).",
        ("Tell support, so that the table learns it.",),
        SUPPORT,
    ),
    IssueCode(
        "MIXED_ENTITY",
        "The lines of the order belong to different entities",
        "All lines of an order must carry the same entity (S5-99).",
        ("Give all lines of the order the same location in the ERP, or split the order.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "MIXED_CURRENCY",
        "The lines of the order are in different currencies",
        "All lines of an order must be in one currency (S5-100).",
        ("Correct the order in the ERP, or split it.",),
        ACCOUNTANT,
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
        "NOT_USD",
        "The order is not in US dollars",
        "Only orders in the base currency sync (S1-16).",
        ("Handle the order's bills in the ERP.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "ENTITY_MISMATCH",
        "The record belongs to another entity",
        "Bills and payments sync only to the connection's entity (S2-11, S2-12).",
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
    # --- writes
    IssueCode(
        "SEVERAL_SOURCES",
        "The bill is made from several documents",
        "This company's ERP converts a bill from one order or receipt only.",
        (
            "Enter one bill per order or receipt.",
            "Or, where the company allows it, switch on the sync preference several_sources.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "UNIT_NOT_CONVERTIBLE",
        "A receipt or bill is in a unit the order's does not convert to",
        "The ERP shows no conversion between the two units, so its quantity cannot be counted.",
        (
            "Let the web services user see the line's quantity in base units (QUANTITY).",
            "Or enter the document in the order's unit.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "CHARGES_NOT_TAKEN",
        "The ERP takes no such money beyond the lines",
        "A freight, surcharge, tax or discount on the bill has no place in the ERP's bill.",
        (
            "Make a place for it in the ERP: a subtotal of the definition (Sage Intacct), an account (NetSuite).",
            "Name it in the connection's preferences, for example subtotal.freight or charge_account.freight.",
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
        "CONTENT_CONFLICT",
        "The ERP holds the bill otherwise than it was sent",
        "The differences are in the evidence; defaults or a person in the ERP changed it.",
        ("Compare both and correct the wrong one.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "STATUS_NOT_SHOWING",
        "The order does not show the bill yet",
        "The bill is in the ERP, but the order's billed quantity has not moved.",
        ("Look at the order in the ERP: is the bill linked to it?", _RETRY),
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
        "MATCH_WORSE",
        "A bill in the ERP no longer fits its order",
        "The order or a receipt of it changed after the bill was sent. The bill itself stays as it is.",
        (
            "Compare the findings before and after in the evidence.",
            "Ask the vendor for a credit, or have the order put right in the ERP and sync.",
            "Or close the issue: the difference stands.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "PAYABLE_MISSING",
        "There is no bill to pay in the ERP",
        "The vendor invoice is gone, or it posted no bill to Accounts Payable.",
        ("Check the vendor invoice in the ERP, and that its template posts to AP.", _RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "PAYMENT_NOT_POSTED",
        "The ERP keeps the payment waiting",
        "A payment approval in the ERP holds it back (S2-38).",
        ("Approve the payment in the ERP.", "Switch off payment approval there, if payments are approved here."),
        ACCOUNTANT,
    ),
    IssueCode(
        "DELETED_IN_ERP",
        "The record was deleted in the ERP",
        "It was there and confirmed before.",
        ("Enter it anew if it is still wanted, or abandon it.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "DELETIONS_IN_DOUBT",
        "Records that are not shown any more may still be there",
        "The ERP user may have lost a right: too many are missing at once, or an entity cannot be entered.",
        (
            "See that the ERP user still has every right and entity it had; the next daily sweep then settles this.",
            "If they were deleted, let the user read the audit trail: it names each deletion, and each comes in.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode("WRITE_ABANDONED", "The write was given up", "A person abandoned it.", ("Nothing to do.",), NOBODY),
    IssueCode(
        "GAVE_UP_WAITING",
        "The ERP was away for too long",
        "The work waited as long as it may.",
        ("See that the ERP and the worker run, then retry; what was sent is looked up first.",),
        SUPPORT,
    ),
    IssueCode(
        "BANK_ACCOUNT_MISSING",
        "No bank account to pay from",
        "The payment names none, and the connection has no default.",
        ("Set the sync preference bank_account, then retry.",),
        ADMINISTRATOR,
    ),
    # --- sync preferences
    IssueCode(
        "PREFERENCE_MISSING",
        "A sync preference is not set",
        "Purchase orders cannot sync without it (S4-62).",
        ("Set the preference named in the evidence.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "PREFERENCE_UNKNOWN",
        "There is no such sync preference",
        "Its name is misspelt, so it would do nothing.",
        ("Correct the name of the preference.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "USER_DATE_FORMAT",
        "The ERP user's date format is not month/day/year",
        "Dates would be taken for others.",
        ("Set the web services user's date format to mm/dd/yyyy in the ERP.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "USER_TIME_ZONE",
        "The ERP user's time zone is not GMT",
        "Some stamps come in GMT and some in the user's time zone; changes could be taken for old ones.",
        ("Set the web services user's time zone to GMT in the ERP.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "SUMMARY_FREQUENCY",
        "The ERP's summaries are neither daily nor monthly",
        "Bills and payments may not sync with summaries that people open by hand (S2-39).",
        ("Set Summary frequency of Accounts Payable to Daily or Monthly in the ERP.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TEMPLATE_UNKNOWN",
        "The ERP has no template of that name",
        "The name is not one of its transaction definitions.",
        ("Copy the name from Purchasing > Setup > Transaction Definitions.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TEMPLATE_WRONG_CASE",
        "The template's name is spelled otherwise",
        "Template names are case-sensitive (S4-62).",
        ("Write the name as the ERP does.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TEMPLATE_WRONG_KIND",
        "The template is of the wrong kind",
        "A purchase order, a receiver and a vendor invoice need definitions of their own category.",
        ("Choose a definition of the category named.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TEMPLATE_DOES_NOT_POST_TO_AP",
        "The vendor invoice template does not post to Accounts Payable",
        "No bill would appear behind the vendor invoice.",
        ("Set the definition to post to AP, or choose another.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TEMPLATE_INACTIVE",
        "The template is inactive",
        "The ERP refuses documents of an inactive definition.",
        ("Activate the definition in the ERP.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TEMPLATE_POLICY_TOO_STRICT",
        "The template forbids edits or deletes",
        "Changes to bills that have synced would be refused.",
        ("Set the definition's edit and delete policy to All.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TEMPLATE_CANNOT_CONVERT",
        "The vendor invoice template cannot be made from the order",
        "The definition does not list the purchase order's definition among those it converts from.",
        ("Add the order's definition to the vendor invoice definition's list in the ERP.",),
        ADMINISTRATOR,
    ),
)

ISSUE_CODES: Mapping[str, IssueCode] = {row.code: row for row in _CODES}


def issue_code(code: str) -> IssueCode:
    """The row of a code; a code without one is shown as what it is, an error nobody has described yet."""
    row = ISSUE_CODES.get(code)
    return row if row is not None else ISSUE_CODES["UNKNOWN_ERP_ERROR"]._replace(code=code)
