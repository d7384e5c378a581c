"""Define the body of a bill to create or to match.

A draft can be sent as it is, once the invoice's number is filled in: what a draft only shows is taken and not read.
"""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.bills.new_bill_header import NewBillHeader
from api.http.schemas import (
    ONE_LINE,
    ONE_LINE_RULES,
    Amount,
    Code,
    Input,
    Name,
    OwnFields,
    Price,
    Quantity,
    Switch,
    Text,
    Whole,
)
from models.domain.bills import BillMatchMode

FromDraft = Annotated[str, Field(max_length=255, pattern=ONE_LINE), ONE_LINE_RULES[0]]
"""A value of the ERP as a draft shows it: surrounding blanks would be part of it."""
Unread = Annotated[
    Any, Field(description="A figure that a draft shows; it may be sent back as it is, and is not read.")
]


class NewBillLine(Input):
    """One bill line against one line of an order. Without a price and an amount, the order's price is used.

    A line that is `off_order` is on no order: it has an amount, and the GL account it goes to.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["order_line_no"], "properties": {"order_line_no": {"type": "integer"}}},
                {"required": ["order_line_id"], "properties": {"order_line_id": {"type": "string"}}},
                {
                    "required": ["off_order", "amount"],
                    "properties": {"off_order": {"const": True}, "amount": {"type": "string"}},
                },
            ]
        }
    )

    purchase_order_id: Name | None = Field(
        default=None, description="Another order of the same connection; null: the order of the path."
    )
    order_line_no: Whole | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="The line by its number as it is now; not needed beside `order_line_id`, which counts.",
        examples=[1],
    )
    order_line_id: Name | None = Field(
        default=None,
        description="The line by the id that drafts, orders and suggestions name: the same line, wherever it moves.",
    )
    quantity: Quantity | None = Field(
        default=None, description="Required, unless the order line's basis is its amount.", examples=["4"]
    )
    unit: Code | None = Field(
        default=None,
        description="The supplier's unit, for quantity and price; null: the order line's.",
        examples=["Each"],
    )
    price: Price | None = Field(
        default=None, description="Per `unit`. With a unit other than the order line's, give this or `amount`."
    )
    amount: Amount | None = None
    description: Text | None = None
    off_order: Switch = Field(
        default=False,
        description="true: nothing of it was ordered. It has an amount, and no order line, quantity or price.",
    )
    account: Code | None = Field(
        default=None,
        description="The GL account. Of a line on an order it stays here; of one off the order it is where it goes, by "
        "the account's id, number or name, null: the connection's `expense_account`.",
    )
    department: Code | None = None
    location: Code | None = None
    class_id: Code | None = None
    project: Code | None = None
    warehouse: Code | None = Field(
        default=None, description="Where the goods are, as the ERP names it; null: the order line's."
    )
    custom: OwnFields | None = Field(
        default=None,
        description="Values of the company's own dimensions and fields. A name that is absent has the order line's, an "
        "empty value has none.",
    )
    item_id: FromDraft | None = Field(
        default=None,
        description="As the draft shows it. If the order's line has another item now, the bill is refused.",
    )
    substitute: Code | None = Field(
        default=None,
        description="The item that the supplier sent and billed in the place of the order line's, as the ERP names it. "
        "It counts on this line, in the line's unit, and holds the bill until an accountant accepts it.",
    )
    remaining: Unread = None
    unbilled_received: Unread = None
    invoice_line_no: Unread = None
    confidence: Unread = None
    score: Unread = None
    reasons: Unread = None

    @model_validator(mode="after")
    def _names_its_line(self) -> "NewBillLine":
        if self.off_order:
            named = ("purchase_order_id", "order_line_no", "order_line_id", "quantity", "unit", "price", "item_id")
            wrong = [name for name in named if getattr(self, name) is not None]
            if wrong:
                raise PydanticCustomError("off_order", "A line off the order has no {field}.", {"field": wrong[0]})
            if self.amount is None:
                raise PydanticCustomError("missing", "A line off the order needs an amount.")
        elif self.order_line_no is None and self.order_line_id is None:
            raise PydanticCustomError("missing", "Give order_line_id or order_line_no.")
        return self


class NewBill(NewBillHeader):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": "INV-2041",
                    "bill_date": "2026-11-20",
                    "memo": "November delivery",
                    "lines": [{"order_line_no": 1, "quantity": "4", "price": "31.25"}],
                }
            ]
        }
    )

    vendor_id: Code | None = Field(default=None, description="Who sent the bill; null: the order's vendor.")
    currency: Code | None = Field(default=None, description="null: the order's.", examples=["USD"])
    lines: Annotated[list[NewBillLine], Field(min_length=1, max_length=500)]
    purchase_order_id: Name | None = Field(default=None, description="As the draft shows it: the order of the path.")
    purchase_order_number: Unread = None
    vendor_name: Unread = None
    match_mode: BillMatchMode | None = Field(
        default=None,
        description="How this bill is matched; null, or as its draft shows it: as the vendor's policy or the "
        "connection says. Anything else takes an accountant.",
    )
    left_out: Unread = None
    unassigned: Unread = None


UNREAD = {"purchase_order_id", "purchase_order_number", "vendor_name", "left_out", "unassigned"}
UNREAD_ON_LINES = {"remaining", "unbilled_received", "invoice_line_no", "confidence", "score", "reasons"}


def requested(purchase_order_id: str, new: NewBill) -> dict[str, Any]:
    """Return the body as it is stored and read: without the figures that a draft only shows."""
    body = new.model_dump(mode="json", exclude={**dict.fromkeys(UNREAD, True), "lines": {"__all__": UNREAD_ON_LINES}})
    return {**body, "purchase_order_id": purchase_order_id}
