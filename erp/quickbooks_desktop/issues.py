"""List the issues that only QuickBooks Desktop has, and how shared ones are settled there."""

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

LOOK = "Look at the Web Connector on the computer with QuickBooks: its window shows the last error."

ISSUES = by_code(
    IssueCode(
        "WEB_CONNECTOR_AWAITED",
        "The Web Connector has not called yet",
        "It was not set up on the computer with QuickBooks, or nobody let it into the company file.",
        (
            "Add the connection's .qwc file to the Web Connector with the company file open, as QuickBooks' admin.",
            "Enter the password that was shown with it, tick Auto-Run, and press Update Selected.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "WEB_CONNECTOR_SILENT",
        "The Web Connector has not called for longer than its schedule allows",
        "The computer with QuickBooks is off, has no network, or the Web Connector does not run or is not on Auto-Run.",
        (
            "Switch the computer on and start the Web Connector; tick Auto-Run beside this connection.",
            LOOK,
            "What waits goes out by itself when it calls.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "COMPANY_FILE_NOT_RECOGNIZED",
        "Another company file is open",
        "The file that QuickBooks has open does not carry this connection's mark, so nothing is written to it.",
        (
            "Open the company file of this connection in QuickBooks, and press Update Selected in the Web Connector.",
            "If the file was restored or replaced, add the .qwc file to the Web Connector again with it open.",
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "QUICKBOOKS_TOO_OLD",
        "This QuickBooks is too old",
        "It speaks no qbXML 13.0; QuickBooks 2014 and later do.",
        ("Update QuickBooks on that computer.", SETTLES),
        ADMINISTRATOR,
    ),
    IssueCode(
        "QUICKBOOKS_NOT_OPENED",
        "The Web Connector cannot open QuickBooks",
        "QuickBooks did not start, another file is open, or it waits for an answer of its user.",
        ("Close open dialogs in QuickBooks, and open the company file.", LOOK, SETTLES),
        ADMINISTRATOR,
    ),
    IssueCode(
        "QUICKBOOKS_ACCESS_DENIED",
        "QuickBooks does not let the Web Connector in",
        "The application was not permitted for this company file, or its permission was taken away.",
        (
            "In QuickBooks, Edit > Preferences > Integrated Applications: allow posync, also while QuickBooks is"
            " closed.",
            SETTLES,
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "QUICKBOOKS_DID_NOT_ANSWER",
        "QuickBooks did not answer a request",
        "The Web Connector brought an error in place of QuickBooks' answer. Nothing is lost: a question is asked again"
        " in the next session, and of a write it is asked first what became of it.",
        ("Close open dialogs in QuickBooks.", LOOK, SETTLES),
        ADMINISTRATOR,
    ),
    IssueCode(
        "QUICKBOOKS_ANSWER_BROKEN",
        "The Web Connector brought an answer that cannot be used",
        "It was cut short, is no qbXML, or is the answer to another request. It was not taken; in the next session a"
        " question is asked again, and of a write it is asked first what became of it.",
        (SETTLES, LOOK, "If it lasts, hand the evidence to support."),
        SUPPORT,
    ),
    IssueCode(
        "RECEIVED_BY_ITEM_RECEIPT",
        "An item receipt may hold what the bill bills",
        "In this company receipts count like bills. Something of what is billed stands on the receipts in the evidence;"
        " whether the bill is for that or for other goods nobody can tell, and beside them it may count twice.",
        (
            "In QuickBooks open each item receipt in the evidence and turn it into the bill that it belongs to (tick"
            " Bill Received), this one with this invoice's number, and save it.",
            "Then retry: the bill there is taken as this one, or this one goes out for what is left of the order.",
            "A receipt that names no order: if it holds this bill's goods, delete it in QuickBooks, then retry; if it"
            " is for others, turn it into the bill that it belongs to, then retry.",
            "Or have bills take the place of receipts: set the preference replace_item_receipts to true, then retry.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "ORDER_LINE_WITHOUT_QUANTITY",
        "The order's line has an amount and no quantity",
        "QuickBooks links bills only to order lines of a quantity: the bill would not be part of its order.",
        (
            "In QuickBooks give the order's line a quantity and a rate; the next sync has the bill go out by itself.",
            "Or abandon this bill and enter it in QuickBooks.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECEIPT_NOT_RESTORED",
        "An item receipt is missing in QuickBooks",
        "It was deleted to let a bill take its place, and QuickBooks does not take it, or what is left of it, anew:"
        " until then the goods in the evidence stand nowhere.",
        (
            "Settle what QuickBooks' words in the evidence are about, then retry: the receipt is entered first.",
            "If that cannot be, enter the receipt of the evidence by hand, and abandon the bill.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "APPLICATION_READ_ONLY",
        "QuickBooks lets posync only read",
        "The application was allowed to read the company file, but not to change it.",
        (
            "In QuickBooks, Edit > Preferences > Integrated Applications, Company Preferences: open the properties of"
            " posync, and let it read and modify this company file.",
            "If that does not help, add the connection's .qwc file to the Web Connector again.",
            RETRY,
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "TEXT_NOT_TAKEN",
        "QuickBooks cannot store a character",
        "QuickBooks Desktop keeps Western European characters only; the evidence names the first other one.",
        ("Replace the character on the bill (`posync bills edit`, or `correct` for a line): it goes out by itself.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "TEXT_TOO_LONG",
        "A text is longer than QuickBooks keeps",
        "The evidence names the text, its length and the most that QuickBooks Desktop keeps; nothing is cut.",
        (
            "Shorten it on the bill (`posync bills edit`, or `correct` for a line): it goes out by itself.",
            "Abandon a payment, and schedule a new one with less.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "LINES_OF_ONE_ORDER_LINE_DIFFER",
        "Lines of one order line have different classes or projects",
        "QuickBooks links an order's line once per bill, so they go out as one line, which has one class and one"
        " customer.",
        (
            "Give the lines in the evidence the same class and project, then retry.",
            "Or correct this bill to some of them (`posync bills correct`), and enter the others as a new bill.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "FEATURE_OFF",
        "A feature is switched off in QuickBooks",
        "The company does not use what the evidence names, or its edition lacks it.",
        (
            "In QuickBooks, Edit > Preferences > Items & Inventory, Company Preferences: tick Inventory and purchase"
            " orders are active. For classes: Accounting, tick Use class tracking.",
            "Or take the class off the bill's line (`posync bills correct`).",
            RETRY,
        ),
        ADMINISTRATOR,
    ),
    IssueCode(
        "MESSAGE_SET_REFUSED",
        "QuickBooks does not take a write under its name",
        "The name of its message set, or what was sent under it before, does not agree with what QuickBooks keeps; that"
        " is a fault of posync. What may have been done is looked up before anything else.",
        ("Report it with the evidence.", "See in QuickBooks whether the document is there before you retry."),
        SUPPORT,
    ),
    IssueCode(
        "REFERENCE_REFUSED",
        "QuickBooks does not have something that was named",
        "A vendor, an account, an item or a document that the request names is gone or of another kind.",
        ("Sync the lists and the order.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "NUMBER_TAKEN",
        "Another bill has this number",
        "QuickBooks holds a bill of this vendor with this number that posync did not make; it may be the same invoice.",
        (
            "Compare it with the bill in the evidence in QuickBooks.",
            "If it is the same invoice, abandon this bill.",
            "If not, change the number of the one in QuickBooks, then retry.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "MORE_THAN_ORDERED",
        "More than is left on the order's line",
        "QuickBooks links no more than the order has open.",
        (
            "Correct the order in QuickBooks; with the next sync the bill goes out by itself.",
            "Or correct this bill to what is left (`posync bills correct`): it goes out by itself.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "MORE_THAN_DUE",
        "More than is due on the bill",
        "QuickBooks takes no payment above what is due.",
        ("Abandon the payment, and schedule a new one of what is due.",),
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
        "DIMENSION_NOT_TAKEN",
        "A line of QuickBooks lacks this field",
        "Bill lines have a class and a customer; there are no departments and no locations.",
        ("Abandon the edit, and use the fields there are.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECORD_LOCKED_IN_ERP",
        "Somebody has the record open in QuickBooks",
        "QuickBooks could not lock it.",
        ("Close the record on all computers; it is tried again by itself.",),
        NOBODY,
    ),
    IssueCode(
        "COMPANY_RULE_REFUSED",
        "A rule of QuickBooks refused it",
        "QuickBooks' own words are in the evidence.",
        ("Follow QuickBooks' words in the evidence.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECORD_NOT_FOUND",
        "QuickBooks does not have the record",
        "It was deleted or made inactive.",
        ("Sync the lists and the order.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "RECORD_CHANGED", "The record changed meanwhile", "Somebody changed it in QuickBooks.", (SETTLES,), NOBODY
    ),
)
