"""Purchase orders of the caller's own system, and what becomes of them in the ERP: a bill, or a purchase order.

Orders that are mirrored from an ERP are another thing, and view-only. A source order is what the caller says of an
order in their own system; it is uploaded when somebody asks for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.domain.ids import ErpId, ExternalKey
from models.domain.record import Record


class UploadAs(StrEnum):
    """What a source order is uploaded as."""

    BILL = "bill"
    """For a billed order."""
    PURCHASE_ORDER = "purchase_order"
    """For an unbilled one. It cannot be uploaded as a bill any more then."""


class AccountingStatus(StrEnum):
    """Whether a source order's bill is in the accounting system."""

    NOT_IMPORTED = "not_imported"
    IMPORTED = "imported"
    RESET_FOR_REIMPORT = "reset_for_reimport"
    """A person had it reset: its bill may be uploaded once more."""


class UploadState(StrEnum):
    """Where the upload of a source order stands."""

    NONE = "none"
    """Nobody asked for one, or the order was reset."""
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    FAILED = "failed"


class Billing(StrEnum):
    """What a source order's three dates and numbers say of it."""

    BILLED = "billed"
    """It has an invoice date, an invoice number and a dispatch date."""
    UNBILLED = "unbilled"
    """It has no invoice date, no invoice number and no dispatch date."""
    UNCLEAR = "unclear"
    """It has only some of them: it is neither."""


def billing_of(invoice_date: date | None, invoice_number: str, dispatch_date: date | None) -> Billing:
    """Return what the fields say."""
    if invoice_date is not None and invoice_number and dispatch_date is not None:
        return Billing.BILLED
    if invoice_date is None and not invoice_number and dispatch_date is None:
        return Billing.UNBILLED
    return Billing.UNCLEAR


class UploadProblem(Record):
    """Why an order cannot be uploaded, or why its upload failed."""

    code: str
    message: str
    line_no: int | None = None
    """The order's line that it is about; None: the whole order."""
    evidence: Mapping[str, str] = {}


class SourceLine(Record):
    """One line of a source order, in the caller's words. Quantities are in the line's own unit; money is in the order's
    currency."""

    line_no: int
    item: str = ""
    """The item's id, full name or number in the ERP."""
    account: str = ""
    """The expense account's id, full name or number in the ERP."""
    description: str = ""
    quantity: Decimal | None = None
    price: Decimal | None = None
    amount: Decimal
    class_name: str = ""


class LineToUpload(Record):
    """One line as it is sent: with the id of an item or of an account of the ERP. Money is in the order's currency."""

    line_no: int
    item_id: str | None = None
    account_id: str | None = None
    description: str = ""
    quantity: Decimal | None = None
    price: Decimal | None = None
    amount: Decimal
    class_id: str | None = None


class OrderToUpload(Record):
    """A source order as it is sent to the ERP."""

    external_key: ExternalKey
    upload_as: UploadAs
    vendor_id: str
    number: str
    """The number of the document in the ERP, no longer than the ERP keeps."""
    reference: str
    """The whole of what `number` may be the beginning of."""
    dated: date
    """A bill's date is the supplier's invoice's, an order's its own."""
    due_on: date | None = None
    currency: str
    memo: str = ""
    lines: Sequence[LineToUpload]
    may_repeat_number: bool = False
    """A person decided that the ERP may have a further document with this number."""
    look_up_only: bool = False
    """The order is another one by now: what an earlier attempt made is adopted, and nothing more is sent."""

    @property
    def total(self) -> Decimal:
        """Return the sum of the lines."""
        return sum((line.amount for line in self.lines), Decimal(0))


class UploadedOrder(Record):
    """What the ERP made of a source order."""

    erp_id: ErpId
    document_id: str
    """As the mirror knows the document."""
    total: Decimal
    differences: tuple[str, ...] = ()


def reference_of(reference: str, invoice_number: str) -> str:
    """Return what the document is called: a bill is called by the supplier's number and the order's reference, an order
    by its reference."""
    return f"{invoice_number}{reference}"


def cut(reference: str, longest: int) -> str:
    """Return what an ERP keeps that has numbers of at most so many characters."""
    return reference[:longest].strip()


def missing_for_bill(
    invoice_date: date | None, invoice_number: str, dispatch_date: date | None
) -> Iterator[UploadProblem]:
    """Yield what an order lacks to be uploaded as a bill, one problem each. One that is invoiced but not dispatched is
    neither billed nor unbilled."""
    if invoice_date is None:
        yield UploadProblem(code="INVOICE_DATE_MISSING", message="The order has no invoice date.")
    if not invoice_number:
        yield UploadProblem(code="INVOICE_NUMBER_MISSING", message="The order has no supplier invoice number.")
    if dispatch_date is None:
        yield UploadProblem(code="DISPATCH_DATE_MISSING", message="The order has no dispatch date.")


def too_much_for_order(
    invoice_date: date | None, invoice_number: str, dispatch_date: date | None
) -> Iterator[UploadProblem]:
    """Yield what an order has that an unbilled one has not, one problem each."""
    for code, what, value in (
        ("INVOICE_DATE_SET", "an invoice date", invoice_date),
        ("INVOICE_NUMBER_SET", "a supplier invoice number", invoice_number),
        ("DISPATCH_DATE_SET", "a dispatch date", dispatch_date),
    ):
        if value:
            yield UploadProblem(code=code, message=f"The order has {what}: {value}. Only an unbilled order has none.")
