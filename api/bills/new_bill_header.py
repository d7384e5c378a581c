"""Define what a bill to enter says of itself, on an order or without one."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from api.bills.bill_charges import NewCharge
from api.bills.schemas import FindingId
from api.http.schemas import Amount, Code, Day, Input, Name, Number, Text, UnsignedAmount


class NewBillHeader(Input):
    number: Number = Field(description="The supplier's invoice number.", examples=["INV-2041"])
    bill_date: Day = Field(examples=["2026-11-20"])
    posting_date: Day | None = Field(
        default=None,
        description="Decides the accounting period; null: the connection's `posting_day`, by default the bill date.",
    )
    due_date: Day | None = Field(default=None, description="null: by the payment term.")
    memo: Text = ""
    entity: Code | None = Field(default=None, description="null: the connection's own.")
    total: Amount | None = Field(
        default=None, description="The total the supplier wrote; it is compared with the sum of the bill."
    )
    tax: UnsignedAmount | None = None
    expected_tax: UnsignedAmount | None = Field(
        default=None,
        description="The tax a tax engine computed; compared with `tax` if a tolerance policy asks for it.",
    )
    discount: UnsignedAmount = Field(default=Decimal(0), description="Taken off the total.")
    part_of: Name | None = Field(
        default=None,
        description="The first bill of the same supplier invoice, if it is entered in several parts under one number.",
    )
    charges: Annotated[list[NewCharge], Field(max_length=50)] = Field(
        default=[], description="Money beyond the lines: freight, surcharges."
    )
    acknowledge: Annotated[list[FindingId], Field(max_length=500)] = Field(
        default=[],
        description="Ids of warnings to acknowledge now (see `match`); the bill goes on despite them.",
        examples=[["BILLED_BEYOND_RECEIVED:line-1"]],
    )
