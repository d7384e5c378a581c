"""List the issues that only NetSuite has, and how shared ones are settled there."""

from models.domain.issues import (
    ACCOUNTANT,
    ADMINISTRATOR,
    NOBODY,
    RETRY,
    SETTLES,
    IssueCode,
    by_code,
)

ISSUES = by_code(
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
        ("Connect again with an address that ends in a version posync knows.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "ENDPOINT_VERSION_RETIRED",
        "The ERP has retired this version of its interface",
        "Each version of the interface is served for some years only.",
        ("Give the connection the address of a newer version, with its credentials.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "FEATURE_OFF",
        "A feature is switched off in the ERP",
        "The company has not enabled the feature named in the evidence.",
        ("In NetSuite enable it under Setup > Company > Enable Features.", SETTLES),
        ADMINISTRATOR,
    ),
    IssueCode(
        "MORE_THAN_ORDERED",
        "The ERP takes no more than was ordered",
        "The quantity exceeds the order's.",
        (
            "Correct the order in the ERP; with the next sync the bill goes out by itself.",
            "Or correct this bill to what is left (`posync bills correct`): it goes out by itself.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "ORDER_LINE_GONE",
        "A line of the order is gone",
        "The ERP's order no longer has a line this bill bills.",
        (
            "Sync the order: the bill is matched with it again, and goes out by itself if its line is back.",
            "Else correct this bill to the lines there are (`posync bills correct`), which sends it.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "LINKED_LINES_LOCKED",
        "The ERP locks the lines",
        "They are linked to other documents, which would be left behind.",
        ("Look at the linked documents in the ERP; undo the latest first.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "VALUE_NOT_IN_ENTITY",
        "A value may not be used in this entity",
        "The account, item, vendor, department, class or location is not available in the order's entity.",
        ("Make the value available to the entity in the ERP, or edit the bill's line here.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "CURRENCY_REFUSED",
        "The ERP refused the currency",
        "It is not the order's, or not one of the vendor's.",
        ("Compare the currencies of order, vendor and bill in the ERP.", RETRY),
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
        ("Have whoever wrote the script look at it.", RETRY),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TOO_LARGE",
        "The ERP takes less at once",
        "A text is longer, or there are more lines, than the ERP allows.",
        (
            "Shorten the text that the evidence names, then retry.",
            "Too many lines: correct this bill to fewer (`posync bills correct`), and enter the others as a new bill.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "FIELD_NOT_EMPTIED",
        "The ERP cannot empty this field for us",
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
        "ITEM_TYPE_NOT_MADE",
        "Items of this type are not made from here",
        "NetSuite has many types of items; the message names those that posync makes.",
        ("Make the item in NetSuite; the next sync brings it in.", "Or choose one of the types in the message."),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECORD_NOT_FOUND",
        "The ERP does not have the record",
        "It was deleted there, or the user may not see it.",
        ("Check in the ERP that it is there and that the user may open it.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECORD_CHANGED",
        "The record changed in the ERP meanwhile",
        "Somebody saved it between our reading and our writing.",
        (SETTLES,),
        NOBODY,
    ),
    IssueCode(
        "RECORD_LOCKED",
        "A workflow of the ERP holds the record",
        "An approval there has locked it for now.",
        (SETTLES, "If it lasts, approve or release the record in the ERP."),
        ACCOUNTANT,
    ),
    IssueCode(
        "TOO_MANY_IN_FLIGHT",
        "More calls at once than the ERP allows",
        "The connection is set to more than the account's plan gives this integration.",
        ("Give the connection a smaller max_in_flight in its settings, with its credentials.",),
        ADMINISTRATOR,
    ),
    # --- codes of other ERPs too, with the way it is done here
    IssueCode(
        "NOT_RECEIVED",
        "NetSuite bills only what was received",
        "Something on the bill was not received, and the account allows no bill in advance of its receipt.",
        (
            "Enter the item receipt in NetSuite; the bill then goes on by itself.",
            "Or allow it there: Setup > Accounting > Accounting Preferences > Order Management > Bill in Advance of "
            "Receipt, then retry.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "AUTH_ENTITY_NOT_ALLOWED",
        "The subsidiary is unknown or not allowed for this role",
        "No subsidiary has the internal id that is given as the entity, or the role may not see it.",
        (
            "Compare the internal id with the list under Setup > Company > Subsidiaries.",
            "Give the token's role access to that subsidiary.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "CHARGES_NOT_TAKEN",
        "NetSuite takes no such money beyond the lines",
        "A freight, surcharge, tax or discount on the bill has no account to go to.",
        (
            "Name an account for it in the connection's preferences, for example charge_account.freight.",
            "Or enter the bill without it, and the charge as a bill of its own in NetSuite.",
        ),
        ADMINISTRATOR,
    ),
)
