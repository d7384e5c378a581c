"""Shapes of source orders in requests and answers."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from api.bills.schemas import Event
from api.http.output import Output
from api.http.schemas import (
    Amount,
    Code,
    Day,
    Exact,
    Input,
    Money,
    Name,
    Named,
    Price,
    Quantity,
    Reason,
    Switch,
    Text,
)
from models.domain.source_orders import (
    AccountingStatus,
    Billing,
    SourceLine,
    UploadAs,
    UploadProblem,
    UploadState,
    billing_of,
)
from models.store.source_orders.orders import NewSourceOrder, lines_of, problems_of
from models.tables import SourceOrderRow

MOST_ORDERS = 200
MOST_LINES = 500
CENT = Decimal("0.01")
MOST_MONEY = Decimal(10) ** 16


class NewSourceLine(Input):
    item: Code = Field(default="", description="The item's id, full name or number in the ERP.")
    account: Code = Field(
        default="",
        description="The expense account's id, full name or number in the ERP; for lines without a known item.",
    )
    description: Text = ""
    quantity: Quantity | None = None
    price: Price | None = None
    amount: Amount | None = Field(default=None, description="null: quantity times price, rounded to cents.")
    class_name: Code = Field(default="", description="The class's id, full name or number in the ERP.")

    @model_validator(mode="after")
    def _has_an_amount(self) -> "NewSourceLine":
        if self.amount is None and (self.quantity is None or self.price is None):
            raise ValueError("give the amount, or the quantity and the price")
        product = self.product
        if self.amount is not None and product is not None and abs(product - self.amount) > CENT:
            raise ValueError(f"quantity times price is {product}, not {self.amount}")
        return self

    @property
    def product(self) -> Decimal | None:
        """Return quantity times price in cents; None: one of them is not given.

        Raises:
            ValueError: it is more than an amount may be.
        """
        if self.quantity is None or self.price is None:
            return None
        if abs(self.quantity) * abs(self.price) >= MOST_MONEY:
            raise ValueError("quantity times price is more than an amount may be")
        return (self.quantity * self.price).quantize(CENT, ROUND_HALF_UP)


class SourceOrderBody(Input):
    reference: Named = Field(description="The order's number in your system; it names the order from then on.")
    contact: Name = Field(description="The supplier, as your system calls it.", examples=["Norton Lumber"])
    ordered_on: Day
    invoice_date: Day | None = Field(default=None, description="The date of the supplier's invoice, once there is one.")
    invoice_number: Code = Field(default="", description="The number of the supplier's invoice.")
    dispatch_date: Day | None = Field(default=None, description="When the goods were dispatched.")
    due_date: Day | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    memo: Text = ""
    lines: Annotated[list[NewSourceLine], Field(min_length=1, max_length=MOST_LINES)]

    def as_new(self) -> NewSourceOrder:
        """Return the order as it is stored."""
        lines = [
            SourceLine(
                line_no=line_no,
                item=line.item,
                account=line.account,
                description=line.description,
                quantity=line.quantity,
                price=line.price,
                amount=line.amount if line.amount is not None else line.product or Decimal(0),
                class_name=line.class_name,
            )
            for line_no, line in enumerate(self.lines, 1)
        ]
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "lines"}
        return NewSourceOrder(lines=lines, **values)


class SourceOrders(Input):
    connection_id: Named
    orders: Annotated[list[SourceOrderBody], Field(min_length=1, max_length=MOST_ORDERS)]

    @field_validator("orders")
    @classmethod
    def _each_once(cls, orders: Sequence[SourceOrderBody]) -> Sequence[SourceOrderBody]:
        references = [order.reference for order in orders]
        twice = sorted({reference for reference in references if references.count(reference) > 1})
        if twice:
            raise ValueError(f"each reference comes once; twice: {', '.join(twice[:5])}")
        return orders


class WhichOrders(Input):
    """Which orders of a connection an upload is about: named ones, or all that the filter finds."""

    references: Annotated[list[Named], Field(min_length=1, max_length=MOST_ORDERS)] | None = Field(
        default=None, description="The orders by your references; null: all that the other fields find."
    )
    contact: Name | None = None
    state: UploadState | None = Field(default=None, description="`failed`: those whose last upload failed.")
    problem: Code | None = Field(default=None, description="Only those whose last upload failed with this code.")


class NewUpload(Input):
    connection_id: Named
    upload_as: UploadAs
    which: WhichOrders = Field(
        default_factory=WhichOrders,
        description="Without any field: every order that is billed, or for purchase orders unbilled, and is not in the"
        " ERP.",
    )
    confirm_irreversible: Switch = Field(
        default=False,
        description="true: you know that the bill of an order uploaded as a purchase order cannot be uploaded.",
    )
    repeat_numbers: Switch = Field(
        default=False,
        description="true: a person decided that the ERP may have further documents with these numbers. Only for"
        " orders that are named, and with a reason.",
    )
    reason: Reason | None = Field(default=None, description="Why the numbers may be repeated.")
    limit: Annotated[int, Field(strict=True, ge=1, le=MOST_ORDERS)] = MOST_ORDERS
    cursor: Annotated[str, Field(max_length=500, pattern=r"^[\x21-\x7e]*$")] | None = Field(
        default=None, description="`next_cursor` of the answer before: the orders of one upload are taken page by page."
    )

    @model_validator(mode="after")
    def _repeats_what_is_named(self) -> "NewUpload":
        if self.repeat_numbers and (self.which.references is None or self.reason is None):
            raise ValueError("numbers are repeated only for orders named in which.references, and with a reason")
        return self


class ResetForReimport(Input):
    reason: Reason


class Problem(Output):
    """Why an order cannot be uploaded, or why its upload failed."""

    code: str
    message: str
    line_no: int | None
    """The order's line; null: the whole order."""
    evidence: dict[str, str]


def problem_shown(problem: UploadProblem) -> Problem:
    """Return a problem as the API shows it."""
    return Problem(code=problem.code, message=problem.message, line_no=problem.line_no, evidence=dict(problem.evidence))


class SourceOrder(Output):
    """A purchase order of the caller's own system."""

    id: str
    connection_id: str
    reference: str
    contact: str
    ordered_on: date
    invoice_date: date | None
    invoice_number: str
    dispatch_date: date | None
    due_date: date | None
    currency: str
    memo: str
    total: Money
    billing: Billing
    """What its dates and its invoice number say."""
    accounting_status: AccountingStatus
    upload_state: UploadState
    upload_as: UploadAs | None
    """What it is being, was or was last tried to be uploaded as."""
    document_number: str | None
    """What the document is called in the ERP."""
    document_id: str | None
    """The document in the ERP."""
    mirrored_id: str | None
    """The bill or purchase order here that mirrors the document, once a sync has seen it."""
    changed_since_upload: bool
    """The order was changed here after what was uploaded; the ERP has it as it was."""
    problems: list[Problem]
    """Why the last upload failed, or what differs in the ERP after it."""
    created_by: str
    version: int
    created_at: datetime
    changed_at: datetime


class SourceOrderLine(Output):
    line_no: int
    item: str
    account: str
    description: str
    quantity: Exact | None
    price: Exact | None
    amount: Money
    class_name: str


class SourceOrderWithHistory(SourceOrder):
    lines: list[SourceOrderLine]
    blockers: dict[UploadAs, list[Problem]]
    """What keeps it from being uploaded now, as a bill and as a purchase order; an empty list: nothing does."""
    events: list[Event]


def shown(row: SourceOrderRow, mirrored: str | None = None) -> SourceOrder:
    """Return an order as the API shows it."""
    return SourceOrder(**shown_fields(row, mirrored))


def shown_fields(row: SourceOrderRow, mirrored: str | None) -> dict[str, Any]:
    """Return the fields of an order as the API shows it."""
    special = {"billing", "mirrored_id", "changed_since_upload", "problems"}
    return {
        **{name: getattr(row, name) for name in SourceOrder.model_fields if name not in special},
        "billing": billing_of(row.invoice_date, row.invoice_number, row.dispatch_date),
        "mirrored_id": mirrored,
        "changed_since_upload": row.upload_state == UploadState.UPLOADED and row.uploaded_version != row.version,
        "problems": [problem_shown(problem) for problem in problems_of(row)],
    }


def lines_shown(row: SourceOrderRow) -> list[SourceOrderLine]:
    """Return an order's lines as the API shows them."""
    return [SourceOrderLine(**line.model_dump()) for line in lines_of(row)]


class SavedOrder(Output):
    """What became of one order that was sent."""

    outcome: str
    """`created`, `updated`, `unchanged`, or `uploading`: it is on its way to the ERP and was not changed."""
    order: SourceOrder


class SavedOrders(Output):
    orders: list[SavedOrder]
    """In the order in which they were sent."""


class UploadOutcome(Output):
    """What became of one order."""

    reference: str
    id: str | None
    """null: there is no order of this reference."""
    outcome: str
    """`uploading`: it is on its way; `refused`: `problems` says why; `unknown`: there is no such order."""
    document_number: str | None
    problems: list[Problem]


class Upload(Output):
    """What became of the orders of one page. Follow `uploading` ones by `GET /v1/source-orders`."""

    outcomes: list[UploadOutcome]
    uploading: int
    refused: int
    next_cursor: str | None
    """Send it with the same body to go on with the next page; null: these were all."""
