"""What the reference could not verify about the real NetSuite, and what differs between accounts, as switches.

Each has the default we think most likely; `POST /sandbox/companies/netsuite/switches` changes them.
"""

from sandbox.switches import Switch

SWITCHES: dict[str, Switch] = {
    "bill_in_advance": Switch(False, "Bill in Advance of Receipt is on: what was not received yet can be billed"),
    "over_billing": Switch(
        "refuse", "a bill line for more of an order's line than is billable (USER_ERROR)", ("refuse", "accept")
    ),
    "allow_overage": Switch(False, "Allow Overage on Item Receipts is on; otherwise more than ordered is refused"),
    "overage_code": Switch("OVERAGE_DISALLWD", "code of a refused overage"),
    "quantity_delay_seconds": Switch(0.0, "how long after a receipt or bill an order's quantities move"),
    "status_delay_seconds": Switch(0.0, "how long after a receipt or bill an order's status moves"),
    "header_stamp": Switch(
        "moves",
        "lastModifiedDate of an order whose lines a receipt or bill moved: moves, stays, or is never shown",
        ("moves", "still", "absent"),
    ),
    "bill_approval": Switch(False, "bills need approval: a new one is Pending Approval"),
    "reconciled_bills": Switch(
        "delete",
        "bills whose account is reconciled (no field shows it): deleted like others, or refused as CANT_DELETE_TRANS",
        ("delete", "refuse"),
    ),
    "pending_bills_count": Switch(True, "a bill that is Pending Approval counts in quantityBilled"),
    "returns_lower_received": Switch(False, "goods that go back lower the quantity received of the order's line"),
    "credits_lower_billed": Switch(
        False, "a vendor credit made from a bill takes its quantities off what the order counts as billed"
    ),
    "credits_in_payments": Switch(
        "first",
        "which of a payment's bills the credits in it go to: from the first of its list on, or the last",
        ("first", "last"),
    ),
    "payments_of_nothing": Switch(False, "a payment whose credits leave no money is taken"),
    "unreceivable_orders": Switch(
        "pending bill",
        "status of an order that has nothing to receive before it is billed",
        ("pending bill", "pending receipt"),
    ),
    "over_receipt_billed": Switch(
        "received",
        "what of an over-received line must be billed for it to count as billed: all that came, or what was ordered",
        ("received", "ordered"),
    ),
    "closed_expense_orders": Switch(
        "closed", "status of an expense-only order whose lines are all closed", ("closed", "fully billed")
    ),
    "closed_period_code": Switch("CLOSED_TRAN_PRD", "code of a date in a closed period"),
    "duplicate_bill_numbers": Switch(
        "warn", "a vendor's bill number used twice: a warning, nothing, or an error", ("warn", "allow", "refuse")
    ),
    "written_dates": Switch(
        "account",
        "which day a written dateTime means for a date: the one in the account's time zone, or as it is written",
        ("account", "given"),
    ),
    "utc_offset_minutes": Switch(-480, "the account's time zone"),
    "search_order": Switch("ascending", "order of search results by internal id", ("ascending", "descending")),
    "page_size": Switch(1000, "rows of a search page when searchPreferences name none"),
    "search_seconds": Switch(900, "how long a searchId lives after its last use"),
    "deleted_page_size": Switch(1000, "rows of a getDeleted page"),
    "concurrency_limit": Switch(5, "more requests at a time get WS_REQUEST_BLOCKED; 0 means no limit"),
    "clock_skew_seconds": Switch(300, "how far a passport's timestamp may be off"),
    "latency_seconds": Switch(0.0, "how long every call takes"),
    "suiteql_unknown_record": Switch(
        "not_found",
        "a SuiteQL table that does not exist: Record 'x' was not found, or Invalid search type: x",
        ("not_found", "invalid_type"),
    ),
    "rest_error_type": Switch(
        "rfc9110", "the page that `type` of a REST error names: of RFC 9110, or of RFC 2616", ("rfc9110", "rfc2616")
    ),
    "custom_fields_written": Switch(
        "keep",
        "the account's own fields of lines that a bill is written with: kept, or left out",
        ("keep", "leave_out"),
    ),
    "suiteql": Switch(True, "SuiteQL over REST is enabled for the role"),
}
