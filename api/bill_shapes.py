"""Bills as answers show them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from api.bill_charges import ShownCharge
from api.shapes import Exact, Name, columns
from models.domain import BillStatus, Origin, PaymentStatus, WriteState
from models.tables import BillRow


class BillSummary(BaseModel):
    id: str
    connection_id: str
    purchase_order_id: str | None
    vendor_id: str
    vendor_name: str
    number: str
    """The supplier's invoice number."""
    reference: str | None
    """The order's number, as the ERP shows it (S4-64)."""
    origin: Origin
    status: BillStatus
    match_outcome: str | None
    bill_date: date
    posting_date: date
    due_date: date | None
    currency: str
    memo: str
    total: Exact
    """Lines, charges and tax less the discount."""
    paid: Exact
    due: Exact
    external_key: str | None
    """Our name for the write; the ERP's document carries it."""
    erp_id: str | None
    document_id: str | None
    payable_id: str | None
    linked_in_erp: bool
    manual_both_sides: bool
    """Linked by hand behind a receipt: edits are made by hand in both systems (S1-22)."""
    edit_pending: bool
    """It was edited after the sync, and the ERP was not seen to hold the edit yet."""
    created_by: str
    version: int
    created_at: datetime
    changed_at: datetime


class BillLine(BaseModel):
    line_no: int
    purchase_order_line_no: int | None
    item_id: str | None
    account: str | None
    description: str
    quantity: Exact | None
    """In the order line's unit."""
    unit: str
    billed_quantity: Exact | None
    billed_unit: str | None
    """As the supplier billed it, where that is another unit; the price is per that unit."""
    price: Exact | None
    amount: Exact
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None
    reserves: bool
    """Its quantity is part of P: not yet inside the ERP's billed quantity."""


class Payment(BaseModel):
    id: str
    connection_id: str
    bill_id: str
    origin: Origin
    status: PaymentStatus
    amount: Exact
    currency: str
    pay_on: date
    method: str
    bank_account: str
    external_key: str | None
    erp_id: str | None
    created_by: str
    version: int
    created_at: datetime
    changed_at: datetime


class Event(BaseModel):
    kind: str
    actor: str
    why: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    at: datetime


class Write(BaseModel):
    """Where the write to the ERP stands (DESIGN section 5)."""

    external_key: str
    state: WriteState
    attempts: int
    sent_at: datetime | None
    confirmed_at: datetime | None
    erp_id: str | None
    problem_code: str | None


class Bill(BillSummary):
    lines: list[BillLine]
    charges: list[ShownCharge]
    tax: Exact
    discount: Exact
    invoice_total: Exact | None
    """What the supplier wrote as the total, where it was given."""
    match: dict[str, Any] | None
    """The last match result; recomputable from its own inputs. `GET .../match` has the earlier ones and what people
    decided."""
    payments: list[Payment]
    write: Write | None
    """null for bills made in the ERP."""
    events: list[Event]


FindingId = Name
"""`<CODE>` or `<CODE>:line-<n>`: the same finding keeps its id when the bill is matched again."""


class OpenFinding(BaseModel):
    """A finding that is not settled yet."""

    id: str
    code: str
    message: str
    who: str
    fix: list[str]


class OpenNeeds(BaseModel):
    """What stands between a bill and the ERP."""

    acknowledge: list[OpenFinding]
    """Warnings: anybody who may enter bills acknowledges them."""
    release: list[OpenFinding]
    """Holds: an accountant releases them, with a reason."""
    fix: list[OpenFinding]
    """What nobody can decide away: it has to be put right; the bill is then matched again by itself."""


class Reminder(BaseModel):
    """Something a person should know about this edit (S1-18)."""

    code: str
    message: str


class EditedBill(BaseModel):
    bill: Bill
    notices: list[Reminder]


def due(row: BillRow) -> Decimal:
    return row.total - row.paid


def summary(row: BillRow) -> BillSummary:
    return BillSummary(**columns(row, BillSummary), due=due(row))
