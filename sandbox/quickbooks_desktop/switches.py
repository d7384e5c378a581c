"""The switches of the pretend QuickBooks Desktop and its Web Connector (docs/reference/sandbox-quickbooks-desktop.md).

Each is something that the reference marks as not verified, that sources contradict each other about, or that differs
from company to company.
"""

from collections.abc import Mapping

from sandbox.switches import Switch

SWITCHES: Mapping[str, Switch] = {
    # The Web Connector
    "web_connector_version": Switch("2.3.0.207", "what clientVersion is called with"),
    "noop_seconds": Switch(5.0, "how long the Web Connector waits after NoOp"),
    "run_every_seconds": Switch(0.0, "seconds between two automatic updates; 0: what the .qwc file's Scheduler says"),
    "http_timeout_seconds": Switch(60.0, "how long the Web Connector waits for an answer of ours (20, 60 or 120)"),
    "first_call": Switch(
        "filled",
        "strHCPResponse of the first sendRequestXML: host, company and preferences, or empty",
        ("filled", "empty"),
    ),
    "document_style": Switch("as_file", "SOAP dialect: as the .qwc says, or another", ("as_file", "Document", "RPC")),
    "soap_action": Switch(True, "calls carry the SOAPAction header"),
    "inner_encoding": Switch("utf-8", "encoding that the declaration of an answer names", ("utf-8", "utf-16", "none")),
    "server_version_called": Switch(True, "serverVersion and clientVersion are called before authenticate"),
    "pages_checked": Switch(
        False, "adding an application calls its AppURL and AppSupport, which must answer, as the Web Connector does"
    ),
    # QuickBooks
    "qbxml_version": Switch("16.0", "the newest qbXML of this QuickBooks", ("13.0", "14.0", "15.0", "16.0")),
    "edition": Switch(
        "Enterprise",
        "edition of this QuickBooks; enhanced receiving is Enterprise only",
        ("Pro", "Premier", "Enterprise"),
    ),
    "utc_offset_minutes": Switch(-300, "winter time of the PC; United States daylight saving comes on top"),
    "daylight_saving": Switch(True, "the PC's clock follows United States daylight saving"),
    "summer_offset": Switch(
        "winter", "offset written behind times in summer: the winter's, or the right one", ("winter", "right")
    ),
    "repeated_hour": Switch(
        "wall", "what modified-date filters compare: clock readings, or moments", ("wall", "moments")
    ),
    "bad_values": Switch(
        "status",
        "a value of the wrong form or length: a status of its request, or a parse error",
        ("status", "parse_error"),
    ),
    "foreign_characters": Switch(
        "lost", "characters outside Windows-1252: stored as ?, or a parse error", ("lost", "parse_error")
    ),
    "message_set_id_limit": Switch(24, "longest newMessageSetID; a longer one is 9004"),
    "unknown_set_code": Switch("600", "status check of a set that is not stored", ("600", "9002")),
    "status_check_answer": Switch(
        "full", "a status check shows the whole object, or only its ids in ErrorRecovery", ("full", "ids_only")
    ),
    "refusal_severity": Switch("Error", "severity of 3210 (some companies say Info)", ("Error", "Info")),
    "query_order": Switch("created", "order of what a query finds", ("created", "modified", "date", "newest")),
    "iterator_changes": Switch(
        "new_state", "an object changed during an iteration: comes as it is now, or not at all", ("new_state", "missed")
    ),
    "missing_ids": Switch("500", "a query by ids of which none exists", ("500", "1")),
    "read_only_refusal": Switch(
        "any_write",
        "what an application that may only read is refused (3263): any write, or a change of what is not there as not"
        " found (3120)",
        ("any_write", "what_is_there"),
    ),
    # Receiving and billing
    "enhanced_link": Switch(
        "po_line",
        "BillAdd linked to an order line received in full, enhanced receiving: bills it, is refused, or is accepted"
        " without link",
        ("po_line", "refused", "without_link"),
    ),
    "full_line_link": Switch(
        "refused",
        "BillAdd linked to an order line that can receive nothing more, ordinary receiving: refused, or 530",
        ("refused", "530"),
    ),
    "closed_order_link": Switch("570", "BillAdd linked to a closed order", ("570", "530", "refused")),
    "other_vendor_link": Switch(
        "refused", "a link to an order of another vendor: refused, or left out (530)", ("refused", "530")
    ),
    "over_receiving": Switch("accepted", "a link for more than is left of an order line", ("accepted", "refused")),
    "link_order": Switch(
        "refused", "linked lines that are not in the order's own order: refused, or accepted", ("refused", "accepted")
    ),
    "billed_fields": Switch(
        "always", "UnbilledQuantity and IsBilled of order lines with ordinary receiving", ("always", "enhanced_only")
    ),
    "unbilled_quantity": Switch(
        "of_ordered",
        "what UnbilledQuantity of an order line counts: what was ordered, or what was received, and is not billed",
        ("of_ordered", "of_received"),
    ),
    "linked_amount_unit": Switch(
        "quantity", "what a quantity link's Amount counts: units, or their worth", ("quantity", "money")
    ),
    "linked_amount_sign": Switch("negative", "sign of a quantity link's Amount", ("negative", "positive")),
    "converted_receipt": Switch(
        "silent", "a receipt that became a bill: listed as deleted, or not", ("silent", "listed")
    ),
    "converted_receipt_id": Switch("new", "id of the bill that a receipt became", ("new", "same")),
    "edited_line_link": Switch("kept", "the order link of a bill line that BillMod changes", ("kept", "lost")),
    "payment_touches_bill": Switch(False, "a payment moves its bill's TimeModified and EditSequence"),
    "paid_bill_deletion": Switch("refused", "deleting a bill that was paid", ("refused", "accepted")),
    "inactive_reference": Switch("refused", "a reference to an inactive entry (3140)", ("refused", "accepted")),
    "untracked_class": Switch("dropped", "a class while classes are not tracked", ("dropped", "refused")),
    "unused_list_query": Switch(
        "answered",
        "a query of classes while they are not tracked, or of units in the edition Pro, which has none: answered, or"
        " 3250",
        ("answered", "refused"),
    ),
    # The company
    "latency_seconds": Switch(0.0, "how long QuickBooks takes for a document"),
}

UNKIND: Mapping[str, str | bool | int] = {
    "first_call": "empty",
    "document_style": "RPC",
    "soap_action": False,
    "inner_encoding": "utf-16",
    "server_version_called": False,
    "qbxml_version": "13.0",
    "bad_values": "parse_error",
    "foreign_characters": "parse_error",
    "message_set_id_limit": 23,
    "unknown_set_code": "9002",
    "status_check_answer": "ids_only",
    "refusal_severity": "Info",
    "query_order": "newest",
    "iterator_changes": "missed",
    "missing_ids": "1",
    "read_only_refusal": "what_is_there",
    "full_line_link": "530",
    "closed_order_link": "530",
    "other_vendor_link": "530",
    "over_receiving": "refused",
    "billed_fields": "enhanced_only",
    "unbilled_quantity": "of_received",
    "linked_amount_unit": "money",
    "linked_amount_sign": "positive",
    "converted_receipt": "listed",
    "converted_receipt_id": "same",
    "edited_line_link": "lost",
    "paid_bill_deletion": "accepted",
    "untracked_class": "refused",
    "unused_list_query": "refused",
}
"""The position of each switch that asks most of a client, for tests that run with all of them at once."""
