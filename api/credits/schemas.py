"""Define how credits of vendors are shown."""

from datetime import date, datetime

from api.bills.schemas import Event
from api.http.output import Output
from api.http.schemas import Exact, Money, columns
from models.domain.approvals import ApprovalState
from models.domain.bills import BillKind, BillStatus, Origin
from models.domain.credits import ApplicationStatus, CreditStatus, credit_status
from models.tables import BillLineRow, BillRow


class CreditSummary(Output):
    id: str
    connection_id: str
    kind: BillKind
    """`credit`: it lowers what is owed to the vendor. `adjustment`: it raises it, and is never applied."""
    vendor_id: str
    vendor_name: str
    number: str
    """The vendor's number of the credit."""
    reference: str | None
    """What people typed into the ERP's reference field: the number of a bill or of an order."""
    purchase_order_id: str | None
    """The order that it gives something back of."""
    credit_of: str | None
    """The bill that it is against; null: none, or the ERP does not say which."""
    origin: Origin
    status: CreditStatus
    approval: ApprovalState
    entity: str | None
    credit_date: date
    currency: str
    memo: str
    total: Money
    """Above zero: what the vendor gives back."""
    applied: Money
    """What of it is applied to bills."""
    open: Money
    """What of it may still be applied."""
    external_key: str | None
    """Our stable name for the write to the ERP; null for a credit made in the ERP."""
    erp_id: str | None
    version: int
    created_at: datetime
    changed_at: datetime


class CreditLine(Output):
    line_no: int
    purchase_order_id: str | None
    purchase_order_line_no: int | None
    """The order's line that it gives back."""
    item_id: str | None
    account: str | None
    description: str
    quantity: Exact | None
    """What may be billed again of the order's line; null: money only."""
    amount: Money


class AppliedTo(Output):
    """A bill that the credit is applied to in the ERP."""

    bill_id: str | None
    """null: the bill is not in posync."""
    number: str | None
    erp_id: str
    amount: Money
    payment: str | None
    """The ERP's number of the payment that applied it; null: the credit itself names the bill."""


class CreditApplication(Output):
    """An application that was asked for here."""

    id: str
    bill_id: str
    amount: Money
    status: ApplicationStatus
    dated: date
    payment: str | None
    """The ERP's payment without money that made it, where the ERP applies credits by payments."""
    problem: str
    """Why the ERP refused what was asked last; empty: it did not."""
    problem_code: str | None
    created_by: str
    created_at: datetime
    changed_at: datetime


class Credit(CreditSummary):
    reserved: Money
    """What of `open` applications hold that the ERP's own figures do not show yet."""
    lines: list[CreditLine]
    applied_to: list[AppliedTo]
    """What the ERP shows as applied, whoever applied it."""
    applications: list[CreditApplication]
    events: list[Event]


OWN_WORDS = frozenset({"status", "total", "credit_date", "applied", "open"})
"""Fields that a credit's row has in other words."""


def summary_fields(row: BillRow) -> dict[str, object]:
    """Return the fields of a credit's summary: amounts are stored below zero, and shown above."""
    same = {name: value for name, value in columns(row, CreditSummary).items() if name not in OWN_WORDS}
    sign = 1 if row.kind == BillKind.ADJUSTMENT else -1
    return {
        **same,
        "status": credit_status(BillStatus(row.status)),
        "credit_date": row.bill_date,
        "total": sign * row.total,
        "applied": sign * row.paid + 0,  # a zero has no sign
        "open": row.credit_open,
    }


def summary(row: BillRow) -> CreditSummary:
    """Return a credit as lists show it."""
    return CreditSummary.model_validate(summary_fields(row))


def line_shown(line: BillLineRow) -> CreditLine:
    """Return a credit's line with amounts above zero."""
    same = {name: value for name, value in columns(line, CreditLine).items() if name not in ("quantity", "amount")}
    quantity = None if line.quantity is None else abs(line.quantity)
    return CreditLine.model_validate({**same, "quantity": quantity, "amount": abs(line.amount)})
