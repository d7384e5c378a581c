"""List the issues that only QuickBooks Online has, and how shared ones are settled there."""

from models.domain.issues import (
    ACCOUNTANT,
    ADMINISTRATOR,
    NOBODY,
    RETRY,
    SETTLES,
    SUPPORT,
    IssueCode,
    by_code,
)

CONNECT = "Connect the company once more: `posync connect qbo`, or the connection's authorization in the API."

ISSUES = by_code(
    IssueCode(
        "AUTH_RECONNECT",
        "QuickBooks has ended the authorization",
        "The authorization was revoked in QuickBooks, has expired, or a refreshed token was lost.",
        (CONNECT, "What waits goes on by itself afterwards."),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_TOKEN_REFUSED",
        "QuickBooks refuses the access token",
        "A refreshed token was refused as well: QuickBooks no longer accepts this authorization.",
        (CONNECT,),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_CONSENT_INVALID",
        "QuickBooks did not take the consent",
        "The consent was used before, or came back too late.",
        (CONNECT,),
        ADMINISTRATOR,
    ),
    IssueCode(
        "AUTH_APP_MISSING",
        "This installation has no app at Intuit",
        "QuickBooks lets in only programs that are registered with Intuit.",
        (
            "Register an app at developer.intuit.com with the accounting scope.",
            "Set POSYNC_QBO_CLIENT_ID, POSYNC_QBO_CLIENT_SECRET and POSYNC_PUBLIC_URL, and start the processes anew.",
        ),
        SUPPORT,
    ),
    IssueCode(
        "AUTH_APP_REFUSED",
        "Intuit refuses this installation's app",
        "The app's id or secret is wrong, or its redirect address is not registered.",
        ("Compare POSYNC_QBO_CLIENT_ID and POSYNC_QBO_CLIENT_SECRET with the app's keys at developer.intuit.com.",),
        SUPPORT,
    ),
    IssueCode(
        "AUTH_GRANT_ENDS",
        "The authorization ends soon",
        "QuickBooks lets an authorization live five years at most, whatever it is used for.",
        (CONNECT, "Do it before the day in the evidence: afterwards nothing syncs."),
        ADMINISTRATOR,
    ),
    IssueCode(
        "WRONG_COMPANY",
        "The authorization is for another company",
        "The tokens belong to another QuickBooks company, or to Intuit's other environment.",
        ("Connect the company that the connection names.", "Check that the endpoint is production or sandbox, as the"
         " app's keys are."),
        ADMINISTRATOR,
    ),
    IssueCode(
        "COMPANY_LOCKED",
        "The QuickBooks company is locked",
        "Intuit has locked this company out.",
        ("Sign in to QuickBooks and follow what it asks for.", SETTLES),
        ADMINISTRATOR,
    ),
    IssueCode(
        "COMPANY_REPLACED",
        "The QuickBooks company was reset or replaced",
        "Its records are others than those that were synced.",
        ("Make a new connection for the company as it is now.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "SUBSCRIPTION_ENDED",
        "The QuickBooks subscription has ended",
        "The trial or the subscription is over, or is not paid.",
        ("Renew the subscription in QuickBooks.", SETTLES),
        ADMINISTRATOR,
    ),
    IssueCode(
        "FEATURE_OFF",
        "A feature is switched off in QuickBooks",
        "The company has not switched on what the evidence names, or its subscription lacks it.",
        ("Switch it on under Settings > Account and settings in QuickBooks.", SETTLES),
        ADMINISTRATOR,
    ),
    IssueCode(
        "ERP_QUOTA",
        "The month's reads are used up",
        "Intuit counts the reads of an app; the month's number is reached. Writes are free and go on.",
        (
            "Nothing to do: reads begin anew with the next month.",
            "To go on earlier, buy a higher tier of Intuit's App Partner Program.",
        ),
        SUPPORT,
    ),
    IssueCode(
        "NUMBER_TAKEN",
        "Another document has this number",
        "QuickBooks holds another document with this number. It may be the same invoice, entered there, or what posync"
        " made of an earlier import.",
        (
            "Compare it with the document in the evidence in QuickBooks.",
            "If it is the same invoice, abandon this bill.",
            "If posync made it of an import that was reset since, delete it in QuickBooks, then retry.",
            "If not, decide that the number may come twice: `posync bills repeat-number`, or the bill's repeat-number"
            " in the API.",
            "Or change the number of the one in QuickBooks, then retry.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "LINK_MISSING",
        "The ERP holds the bill without its link to the order",
        "QuickBooks took the bill and dropped its link, and sending the lines anew did not help: the order is closed,"
        " full or changed.",
        (
            "In QuickBooks see whether the order is open and has enough left; open it if not.",
            "Retry: the bill's lines are sent anew with their links, no second bill is made.",
            "Or, in QuickBooks, add the order to the bill by hand.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "BILLED_ELSEWHERE",
        "What is billed of the order is not what its bills say",
        "QuickBooks counts more or less as billed than the bills that are linked: a check or an expense is linked to"
        " the order, or a bill lost its link.",
        (
            "Open the order in QuickBooks and look at its linked transactions.",
            "If a check or an expense billed it, nothing is wrong: ignore the issue.",
            "If a bill lost its link, add the order to that bill.",
            SETTLES,
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "LINK_REFUSED",
        "QuickBooks does not link these documents",
        "It says that the order cannot be linked to the bill.",
        ("Sync the order and see whether it is still open.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "MORE_THAN_ORDERED",
        "More than is left on the order's line",
        "QuickBooks would drop the link of what exceeds the order.",
        (
            "Correct the order in QuickBooks; with the next sync the bill goes out by itself.",
            "Or correct this bill to what is left (`posync bills correct`): it goes out by itself.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "MORE_THAN_DUE",
        "More than is due on the bill",
        "QuickBooks would keep the rest as a credit with the vendor.",
        ("Abandon the payment, and schedule a new one of what is due.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "PAYMENT_TOTAL_DIFFERS",
        "A payment is not what its lines come to",
        "QuickBooks keeps what a payment is above its lines as a credit with the vendor, and does not say so. Until it"
        " is corrected the payment is not taken in.",
        (
            "Open the payment in QuickBooks and compare its total with the bills and credits on it.",
            "Add the bill that it pays, or make the total what they come to. The next sync takes it in.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "VENDOR_DIFFERS",
        "The order or bill is another vendor's",
        "QuickBooks links only documents of one vendor.",
        ("Correct the vendor in QuickBooks, then retry.", "Or abandon this and enter it anew."),
        ACCOUNTANT,
    ),
    IssueCode(
        "ORDER_LINE_GONE",
        "A line of the order is gone",
        "The order in QuickBooks no longer has a line that this bill bills.",
        (
            "Sync the order: the bill is matched with it again, and goes out by itself if its line is back.",
            "Else correct this bill to the lines there are (`posync bills correct`), which sends it.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "POSTING_DATE_NOT_TAKEN",
        "QuickBooks has no posting date",
        "It posts a bill on the bill's own date.",
        ("Abandon the bill and enter it with the date it is to be posted on.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "DIMENSION_NOT_TAKEN",
        "A line of QuickBooks lacks this field",
        "Bill lines have a class and a customer; the location is the whole bill's, and there are no departments.",
        ("Abandon the edit, and use the fields there are.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECORD_LOCKED_IN_ERP",
        "QuickBooks keeps this record from being changed",
        "It is matched with the bank, deposited, or other records depend on it.",
        ("Follow QuickBooks' words in the evidence.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "COMPANY_RULE_REFUSED",
        "A rule of QuickBooks refused it",
        "QuickBooks' own words are in the evidence.",
        ("Follow QuickBooks' words in the evidence.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "REGION_NOT_TAKEN",
        "The company's edition of QuickBooks is not served",
        "posync serves the edition for the United States; this company has another one.",
        ("Connect a company of that edition.",),
        ADMINISTRATOR,
    ),
    IssueCode("RECORD_NOT_FOUND", "QuickBooks does not have the record", "It was deleted or made inactive.",
              ("Sync the lists and the order.", RETRY), ACCOUNTANT),
    IssueCode("RECORD_CHANGED", "The record changed meanwhile", "Somebody changed it in QuickBooks.",
              (SETTLES,), NOBODY),
)  # fmt: skip
