"""What the reference could not verify about the real Intacct, and what differs between customers, as switches.

Each has the default we think most likely; `POST /sandbox/companies/intacct/switches` changes them.
"""

from sandbox.switches import Switch

SWITCHES: dict[str, Switch] = {
    "session_seconds": Switch(43_200, "how long a session lives after its last successful call"),
    "check_endpoint": Switch(True, "a session used at another host or port than it was made at is refused"),
    "wrong_sender": Switch(
        "control",
        "a wrong sender id or password: control failure XL03000006 with HTTP 200, or XMLGW_JPP0002 with HTTP 401",
        ("control", "http_401"),
    ),
    "unknown_company": Switch(
        "authentication",
        "a company id that does not exist: a failed sign-in, or invalidRequest with HTTP 400",
        ("authentication", "invalid_request"),
    ),
    "iso_dates": Switch(True, "generic create and update take YYYY-MM-DD beside MM/DD/YYYY"),
    "max_in_flight": Switch(0, "more calls of one company at a time get GW-0010; 0 means no limit"),
    "latency_seconds": Switch(0.0, "how long every call takes"),
    "read_lag_seconds": Switch(0, "reads show the state of so many seconds ago"),
    "utc_offset_minutes": Switch(0, "time zone of WHENMODIFIED and the other stamps"),
    "audit_objectkey": Switch(
        "recordno",
        "spelling of AUDITHISTORY.OBJECTKEY: 77, 77--REC, or the natural key",
        ("recordno", "rec", "name"),
    ),
    "audit_documents": Switch(True, "purchasing documents are logged in AUDITHISTORY as podocument"),
    "payment_state": Switch("code", "APPYMT.STATE in answers: C or Complete", ("code", "label")),
    "payment_approval": Switch(False, "AP payment approval is on: a submitted payment waits as Submitted"),
    "bill_number_from": Switch(
        "vendordocno",
        "number of the bill behind a vendor invoice: the vendor's document number, else DOCNO",
        ("vendordocno", "docno"),
    ),
    "duplicate_bill_numbers": Switch("refuse", "a vendor's bill number used twice", ("refuse", "allow")),
    "same_vendor_number": Switch(
        "accept",
        "a second vendor invoice of a vendor with a VENDORDOCNO that is a bill's number already",
        ("accept", "refuse"),
    ),
    "auto_bill_numbers": Switch(False, "AP numbers bills itself; otherwise BL03002128 without a number"),
    "duplicate_controlid_errorno": Switch("BL01001973", "error number of a repeated control id"),
    "duplicate_controlid_status": Switch(True, "the result of a repeated control id carries a status"),
    "closed_period_errorno": Switch("PL03000006", "error number of a date in a closed period"),
    "readbyquery_top_sees_private": Switch(False, "readByQuery and read at top level see entity-private records"),
    "docparid_filters": Switch(False, "docparid alone restricts the rows of a query"),
    "header_touched_by_conversion": Switch(True, "converting a document moves its header's WHENMODIFIED"),
    "header_touched_by_line_edit": Switch(True, "editing a line moves the header's WHENMODIFIED"),
    "master_whenmodified_at_creation": Switch(False, "masters get WHENMODIFIED at once, not at their first change"),
    "vendor_sequence": Switch(True, "AP numbers vendors that come without an id; otherwise they are refused"),
    "over_conversion": Switch("refuse", "converting more than remains", ("refuse", "allow")),
    "returns_reopen": Switch(False, "a return of what was billed opens the order's quantity for conversion again"),
    "several_sources": Switch(False, "a document may convert several sources (sourcedocid per line)"),
    "convert_by_price": Switch(True, "Purchasing setting: lines of items with conversion type Price convert by amount"),
    "added_lines": Switch(
        "accept", "a document that converts another one, with lines that convert nothing of it", ("accept", "refuse")
    ),
    "strict_levels": Switch(True, "a document is changed and converted only at the level that owns it"),
    "preserved_numbers": Switch(
        "accept",
        "a documentno given although the definition's sequence preserves numbers",
        ("accept", "ignore", "refuse"),
    ),
    "entity_slide": Switch(True, "getAPISession may move to another entity"),
    "unpaid_bill_reversal": Switch(False, "AP setting: unpaid bills are reversed, and not deleted"),
    "reversal_on_posting_date": Switch("accept", "a bill reversed on the very day it was posted", ("accept", "refuse")),
    "reversed_numbers": Switch(
        "taken", "the number of a reversed bill, where a vendor's numbers are unique", ("taken", "free")
    ),
    "credited_sources": Switch(
        "converted",
        "what a vendor invoice was converted from, once a debit memo covers all of it: converted still, or open again",
        ("converted", "open"),
    ),
    "payments_split": Switch(False, "a payment over several bills becomes one for each, whatever was asked for"),
    "custom_fields_written": Switch(
        "keep", "values given for custom fields: kept, or left out without a word", ("keep", "leave_out")
    ),
    "reconciled_bills": Switch(False, "unpaid bills are reconciled: neither deleted nor reversed; no field shows it"),
    "edits_with_reversal": Switch(
        "accept", "edits of unpaid bills while unpaid_bill_reversal is on", ("accept", "refuse")
    ),
    "getapisession_mixed": Switch("refuse", "getAPISession beside other functions", ("refuse", "allow")),
    "subtotals": Switch(
        "Freight, Surcharge, Other charges, Sales tax, Discount",
        "what transaction definitions call their subtotals; empty: they have none",
    ),
    "base_currency": Switch("USD", "what the books are kept in, and what a document without a currency is in"),
    "multi_base_currency": Switch(False, "each entity keeps its books in its own currency; the company names none"),
    "fields_left_out": Switch("", "fields of purchasing documents that this company does not show"),
    "approvals": Switch(False, "documents of category Order go to Submitted instead of Pending"),
}
