"""List the refusals around uploads and repeated numbers, as data: see `problem_codes.py`."""

from api.http.problem_code import CALLER, ProblemCode
from models.domain.issues import ACCOUNTANT, ADMINISTRATOR

SOURCE_ORDER_PROBLEM_CODES: dict[str, ProblemCode] = {
    "UPLOAD_NOT_OFFERED": ProblemCode(
        409,
        "This ERP takes no orders of other systems",
        CALLER,
        ("Use a connection whose capabilities.order_upload is true: QuickBooks Online has it.",),
    ),
    "UPLOAD_SWITCHED_OFF": ProblemCode(
        409,
        "Orders are not uploaded as purchase orders",
        ADMINISTRATOR,
        ("Set the connection's preference upload_purchase_orders to true.",),
    ),
    "CONFIRMATION_NEEDED": ProblemCode(
        409,
        "This cannot be undone, and needs a confirmation",
        ACCOUNTANT,
        (
            "Know that the bill of an order that is uploaded as a purchase order cannot be uploaded afterwards.",
            "Send the request with confirm_irreversible: true, or `posync source-orders upload"
            " --confirm-irreversible`.",
        ),
    ),
    "UPLOAD_NEEDS_APPROVAL": ProblemCode(
        409,
        "This connection sends only approved bills",
        ACCOUNTANT,
        (
            "Source orders are not approved here. Enter the bill against the mirrored purchase order, where it is"
            " approved.",
            "Or have an administrator set push_when to matched.",
        ),
    ),
    "UPLOAD_REFUSED": ProblemCode(
        409,
        "The order cannot be uploaded as it is",
        CALLER,
        (
            "Correct what the message names, and send the order again.",
            "GET /v1/source-orders/{id} shows under blockers what is still in the way.",
        ),
    ),
    "NUMBER_NOT_REFUSED": ProblemCode(
        409,
        "The ERP has not refused this bill's number",
        CALLER,
        ("There is nothing to decide: a number is refused when the bill is sent, and an issue then says so.",),
    ),
    "NOT_IMPORTED": ProblemCode(
        409,
        "The order's bill is not in the ERP",
        CALLER,
        ("There is nothing to reset: upload the order.",),
    ),
    "UPLOADED_AS_ORDER": ProblemCode(
        409,
        "The order is in the ERP as a purchase order",
        ACCOUNTANT,
        (
            "Enter the bill in the ERP by hand and add the purchase order to it.",
            "Or enter a bill against the mirrored purchase order here.",
        ),
    ),
    "VENDOR_UNKNOWN": ProblemCode(
        422,
        "The ERP has no such active vendor",
        CALLER,
        ("Take an id from GET /v1/connections/{id}/lists/vendor, or one that is suggested.",),
    ),
}
