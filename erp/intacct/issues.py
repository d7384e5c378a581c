"""List the issues that only Sage Intacct has, and how shared ones are settled there."""

from models.domain.issues import (
    ACCOUNTANT,
    ADMINISTRATOR,
    NOBODY,
    RETRY,
    SUPPORT,
    IssueCode,
    by_code,
)

ISSUES = by_code(
    IssueCode(
        "RECORD_NOT_FOUND",
        "Intacct does not show what stands behind the bill",
        "The vendor invoice, or the bill that it posted, was deleted there, or the user may not see it.",
        ("Check in Intacct that both are there and that the user may see them.", RETRY),
        ACCOUNTANT,
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
        "The company does not list the sender id under its Web Services authorisations.",
        (
            "In Intacct open Company > Setup > Company > Security > Web Services authorisations.",
            "Add the sender id, all lower case, and save.",
            "Check the connection again.",
        ),
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
        "DATE_REFUSED",
        "The ERP refused a date",
        "The transaction date is not valid there.",
        ("Correct the date of the bill, then retry.",),
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
        "ORDER_LINE_GONE",
        "A line of the order is gone",
        "The order in Intacct, or its receipt, no longer has a line that this bill bills.",
        (
            "Sync the order: the bill is matched with it again, and goes out by itself if its line is back.",
            "Else correct this bill to the lines there are (`posync bills correct`); if the issue is still open then,"
            " retry it.",
            "If nothing of it is left to bill, abandon this bill.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "DELETION_REFUSED",
        "The ERP does not let the bill be deleted",
        "Something was made from it or applied to it there, a policy of the company forbids it, or"
        " unpaid bills are reversed there instead.",
        (
            "Look at the bill in Intacct: undo what was made from it or applied to it last, then retry the issue.",
            'A vendor invoice: see the delete policy of its transaction definition. A bill without an order: "Enable'
            ' reversal of unpaid bills" under Accounts Payable > Setup > Configuration must be off.',
            "Where it is to stay so: abandon the issue, set the connection to the other way (`posync retractions set`),"
            " and take the bill back again.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "EDITS_NEED_REVERSALS_OFF",
        "The ERP takes no edit of unpaid bills",
        'Intacct reverses unpaid bills: while "Enable reversal of unpaid bills" is on, it may refuse to change them.'
        " The bill is unchanged there; the edit is kept here.",
        (
            'In Intacct open Accounts Payable > Setup > Configuration and switch "Enable reversal of unpaid bills" off,'
            " then retry.",
            "If it is to stay on: abandon the edit. Dispute the bill, which reverses it, correct it here, and restore"
            " it: it goes to Intacct as a new bill.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "NOT_A_DEBIT_MEMO",
        "The ERP took the debit memo for a credit memo",
        "An adjustment that was to take a bill back raises what is owed instead.",
        (
            "Delete the adjustment named in the evidence in Intacct.",
            "Abandon the retraction, set the connection to `delete` (`posync retractions set --orders delete`), and"
            " take the bill back again.",
        ),
        ACCOUNTANT,
    ),
    IssueCode(
        "REVERSAL_REFUSED",
        "The ERP refuses to reverse the bill",
        "Unpaid bills may not be reversed there, or not on this day; the ERP's words are in the evidence.",
        (
            'In Intacct open Accounts Payable > Setup > Configuration: "Enable reversal of unpaid bills" decides'
            " whether unpaid bills are reversed or deleted. Switch it on, then retry.",
            "If it is to stay off: abandon the retraction, set the connection to `delete`"
            " (`posync retractions set --direct delete`), and take the bill back again.",
            "If it is the day: abandon the retraction and take the bill back on a later day.",
        ),
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
        ("Try to enter the record in the ERP's own screens to see the reason.", RETRY),
        ACCOUNTANT,
    ),
    IssueCode(
        "ROLLED_BACK",
        "The ERP took the record back",
        "Something in the same transaction failed and no reason was given.",
        (RETRY, "If it lasts, hand the evidence to support."),
        SUPPORT,
    ),
    IssueCode(
        "BILL_NUMBER_REQUIRED",
        "The ERP wants a bill number",
        "Accounts Payable does not number bills itself.",
        ("Give this bill the supplier's invoice number (`posync bills correct`), then retry.",),
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
        ("Connect the company again, without an entity.",),
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
        "MIXED_ENTITY",
        "The lines of the order belong to different entities",
        "All lines of an order must carry the same entity.",
        ("Give all lines of the order the same location in the ERP, or split the order.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "MIXED_CURRENCY",
        "The lines of the order are in different currencies",
        "All lines of an order must be in one currency.",
        ("Correct the order in the ERP, or split it.",),
        ACCOUNTANT,
    ),
    IssueCode(
        "SEVERAL_SOURCES",
        "The bill is made from several documents",
        "This company's ERP converts a bill from one order or receipt only.",
        (
            "Enter one bill per order or receipt; name the first as part_of in the others.",
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
        "PREFERENCE_MISSING",
        "A sync preference is not set",
        "Purchase orders cannot sync without it.",
        ("Set the preference named in the evidence.",),
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
        "Some times come in GMT and some in the user's time zone; changes could be taken for old ones.",
        ("Set the web services user's time zone to GMT in the ERP.",),
        ADMINISTRATOR,
    ),
    IssueCode(
        "SUMMARY_FREQUENCY",
        "The ERP's summaries are neither daily nor monthly",
        "Bills and payments may not sync with summaries that people open by hand.",
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
        "Template names are case-sensitive.",
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
    # --- codes of other ERPs too, with the way it is done here
    IssueCode(
        "AUTH_ENTITY_NOT_ALLOWED",
        "The entity is unknown or not allowed for this user",
        "The entity id does not exist, or the user may not work in it, or at top level.",
        ("Compare the entity id with the list under Company > Entities.", "Give the user access to that entity."),
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
        "CHARGES_NOT_TAKEN",
        "Intacct takes no such money beyond the lines",
        "A freight, surcharge, tax or discount on the bill has no place in the vendor invoice.",
        (
            "Add a subtotal for it to the vendor invoice's transaction definition.",
            "Name the subtotal in the connection's preferences, for example subtotal.freight.",
            "Or enter the bill without it, and the charge as a bill of its own in Intacct.",
        ),
        ADMINISTRATOR,
    ),
)
