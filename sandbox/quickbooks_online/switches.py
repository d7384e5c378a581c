"""What the reference could not verify about QuickBooks Online, and what differs between companies, as switches.

Each has the default we think most likely; `POST /sandbox/companies/quickbooks_online/switches` changes them.
"""

from collections.abc import Mapping

from sandbox.switches import Switch

SWITCHES: dict[str, Switch] = {
    # Signing in
    "authorize_extras": Switch(
        "ignore", "parameters of the consent page that are not documented, PKCE among them", ("ignore", "refuse")
    ),
    "refresh_rotation": Switch(
        "every_refresh",
        "when a refresh gives another refresh token: each time, or once the present one is 24 hours old",
        ("every_refresh", "after_24_hours"),
    ),
    "superseded_token": Switch(
        "dead",
        "a refresh token that has a successor: dead at once, good for 24 hours more, or its use ends the grant",
        ("dead", "grace_24_hours", "kills_grant"),
    ),
    "hard_expiry_shown": Switch(False, "token answers tell x_refresh_token_hard_expires_in, the end of the grant"),
    "invalid_grant_described": Switch(False, "invalid_grant comes with an error_description"),
    "access_token_seconds": Switch(3600, "how long an access token lives"),
    "refresh_token_seconds": Switch(8726400, "how long a refresh token lives unless it is used"),
    "grant_days": Switch(1826, "how long refresh tokens of one consent live, however often they rotate"),
    "code_seconds": Switch(300, "how long an authorization code lives"),
    "sign_in_fault": Switch(
        "lower_case", "keys of an authentication or authorization fault", ("lower_case", "pascal_case")
    ),
    # Limits
    "requests_per_minute": Switch(500, "more requests to a company are throttled; 0 means no limit"),
    "requests_per_second": Switch(0, "more requests to a company are throttled; 0 means no limit"),
    "concurrent_requests": Switch(10, "more requests to a company at a time are throttled; 0 means no limit"),
    "batches_per_minute": Switch(40, "more batch calls to a company are throttled; 0 means no limit"),
    "throttle_answer": Switch(
        "xml_429", "form and HTTP status of a throttle fault", ("xml_429", "xml_403", "json_429")
    ),
    "retry_after": Switch("none", "Retry-After of a throttle fault", ("none", "seconds", "http_date")),
    "monthly_reads": Switch(0, "metered reads a month; the others are refused until the next one; 0 means no limit"),
    "quota_answer": Switch(
        "throttle_429",
        "how a read beyond the month's is refused: as the throttle with 429 or 403, or with a code of its own (3005)",
        ("throttle_429", "throttle_403", "own_code"),
    ),
    "latency_seconds": Switch(0.0, "how long every call takes"),
    # Writing
    "request_id": Switch(
        "replay",
        "a requestid that was seen before: the first answer again, forgotten after request_id_hours, or ignored",
        ("replay", "forgotten", "ignored"),
    ),
    "request_id_hours": Switch(24, "how long a requestid is remembered with request_id forgotten"),
    "duplicate_numbers": Switch(
        "preference",
        "a document number used twice (6140): bills of one vendor when the preference warns of it, bills and credits of"
        " one vendor always, or bills, credits and expenses of all vendors always",
        ("preference", "vendor", "company"),
    ),
    "untracked_class": Switch("dropped", "a class or department while it is not tracked", ("dropped", "refused")),
    "closed_books_code": Switch("6200", "code of a date in closed books", ("6200", "6210")),
    "subscription": Switch("active", "of the company; every call to an ended one is 6190", ("active", "ended")),
    # Purchase orders
    "bad_link": Switch(
        "dropped",
        "a bill's link that does not fit (closed order, wrong line, other vendor, item or A/P account): the bill is"
        " accepted without it, or refused (620)",
        ("dropped", "refused"),
    ),
    "header_link": Switch(
        "optional",
        "whether a bill line's link needs the order among the bill's own LinkedTxn",
        ("optional", "required"),
    ),
    "repeated_order_line": Switch(
        "both",
        "one order line twice in one bill: both links count, or the second is dropped",
        ("both", "second_dropped"),
    ),
    "over_billing": Switch(
        "accepted",
        "a link for more than is left of an order line: accepted, the bill refused (620), or the link dropped",
        ("accepted", "refused", "link_dropped"),
    ),
    "linked_order_stamp": Switch(
        "moves",
        "SyncToken and LastUpdatedTime of an order whose bill is created, changed or deleted: they move, stay, or stay"
        " when the bill is deleted",
        ("moves", "still", "still_on_delete"),
    ),
    "reopening": Switch(
        "automatic",
        "an order that closed by itself, when its bill is deleted: opens, or stays closed",
        ("automatic", "never"),
    ),
    "received_shown": Switch(True, "order lines show Received"),
    "closed_lines_shown": Switch(False, "order lines closed by hand show ManuallyClosed"),
    # Reading
    "query_order": Switch("newest", "which records a query without ORDERBY gives first", ("newest", "oldest")),
    "cdc_order": Switch(
        "oldest", "which 1,000 records change data capture gives, and their order", ("oldest", "newest", "id")
    ),
    "bill_vendor_filter": Switch("accepted", "VendorRef in a query of bills", ("accepted", "refused")),
    "non_ascii_query": Switch("accepted", "a character outside ASCII in a query (4000)", ("accepted", "refused")),
    "batch_order": Switch("as_sent", "order of a batch's answers", ("as_sent", "reversed")),
    # Webhooks
    "webhook_form": Switch("cloud_events", "form of a webhook call", ("cloud_events", "notifications")),
    "webhook_content_type": Switch(
        "application/cloudevents+json",
        "content type of a call in the form cloud_events",
        ("application/cloudevents+json", "application/json"),
    ),
    "webhook_gather_seconds": Switch(0.0, "how long changes are gathered into one webhook call"),
    "webhook_copies": Switch(1, "how often each webhook call is sent"),
    "webhook_order": Switch("as_changed", "order of the changes in a webhook call", ("as_changed", "reversed")),
    "webhook_data": Switch("empty", "data of a cloud event", ("empty", "filled")),
    "webhook_words": Switch(
        "documented", "operations as documented (voided), or as some calls have them (void)", ("documented", "short")
    ),
    "webhook_retries": Switch(2, "how often an unacknowledged webhook call is sent again by itself"),
}

UNKIND: Mapping[str, str | bool | int] = {
    "superseded_token": "kills_grant",
    "sign_in_fault": "pascal_case",
    "throttle_answer": "xml_403",
    "retry_after": "http_date",
    "quota_answer": "own_code",
    "request_id": "ignored",
    "duplicate_numbers": "company",
    "untracked_class": "refused",
    "bad_link": "dropped",
    "header_link": "required",
    "repeated_order_line": "second_dropped",
    "over_billing": "link_dropped",
    "linked_order_stamp": "still",
    "reopening": "never",
    "received_shown": False,
    "query_order": "newest",
    "cdc_order": "newest",
    "bill_vendor_filter": "refused",
    "non_ascii_query": "refused",
    "batch_order": "reversed",
    "webhook_form": "notifications",
    "webhook_order": "reversed",
    "webhook_copies": 2,
    "webhook_words": "short",
}
"""The position of each switch that asks most of a client, for tests that run with all of them at once."""
