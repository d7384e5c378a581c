"""Define how answers show bills."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, JsonValue
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.bill_charges import ShownCharge
from api.http.output import Output
from api.http.problems import StoredMatch
from api.http.schemas import Exact, Money, Name, columns
from api.http.stored_amounts import with_decimals
from models.domain.approvals import ApprovalState
from models.domain.bill_parts import PartState
from models.domain.bills import BillMatchMode, BillStatus, Origin
from models.domain.ids import PaymentId
from models.domain.payments import FeeKind, PaymentStatus, PaymentWaitsFor
from models.domain.retractions import BillEvent, RetractBy, RetractFor, RetractionState
from models.domain.writes import WriteState
from models.store.payables import payment_credits, payment_waits, standalone_payments
from models.store.payables.payment_credits import CreditShare
from models.store.payables.standalone_payments import Share
from models.tables import BillRow, PaymentRow


class BillSummary(Output):
    id: str
    connection_id: str
    purchase_order_id: str | None
    direct: bool
    """True: a bill without an order that was entered here; its lines name GL accounts."""
    entity: str | None
    """Of a bill without an order."""
    term: str | None
    """The payment term that it was entered with, where it has no due date of its own."""
    vendor_id: str
    vendor_name: str
    number: str
    """The supplier's invoice number."""
    reference: str | None
    """The order's number, as the ERP shows it on the bill."""
    origin: Origin
    status: BillStatus
    approval: ApprovalState
    approved_at: datetime | None
    generation: int
    """How often it was made: each time it is taken back from the ERP and made anew counts one more."""
    match_outcome: str | None
    bill_date: date
    posting_date: date
    due_date: date | None
    currency: str
    memo: str
    total: Money
    """Lines, charges and tax, less the discount; in the bill's currency."""
    paid: Money
    due: Money
    external_key: str | None
    """Our stable name for the write to the ERP; the ERP's bill carries it."""
    erp_id: str | None
    document_id: str | None
    payable_id: str | None
    linked_in_erp: bool
    rejected_in_erp: bool
    """True: rejected, cancelled or voided there: it bills nothing, and no payment of it is sent."""
    manual_both_sides: bool
    """True: linked by hand to an order with receipts, so edits are made by hand in both systems."""
    edit_pending: bool
    """True: edited after the sync, and the ERP's bill has not shown the edit yet."""
    match_mode: BillMatchMode | None
    """How a person chose to have it matched; null: as its vendor's policy or its connection says. `match.mode` is how
    it was matched."""
    part_of: str | None
    """Id of the first bill of the supplier invoice that this bill is a further part of."""
    created_by: str
    version: int
    created_at: datetime
    changed_at: datetime


class BillLine(Output):
    line_no: int
    purchase_order_id: str | None
    purchase_order_number: str | None
    """The order that the line bills: a bill may have lines of several orders."""
    purchase_order_line_no: int | None
    """The number that the order's line has now."""
    order_line_id: str | None
    """The same line by the ERP's id."""
    off_order: bool
    """True: it is on no order, and goes to its account; an item then stands for the account."""
    item_id: str | None
    substitute: str | None
    """The item that the supplier sent and billed in its place."""
    account: str | None
    description: str
    quantity: Exact | None
    """In the order line's unit."""
    unit: str
    billed_quantity: Exact | None
    billed_unit: str | None
    """The unit the supplier billed in, where it differs from the order line's; the price is per this unit."""
    price: Exact | None
    amount: Money
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None
    warehouse: str | None
    custom: dict[str, str]
    """Values of the company's own dimensions and fields, by the names that the connection has for them."""
    reserves: bool
    """True: its quantity is still part of P, pending: the ERP's own billed quantity does not include it yet."""


class BillPart(Output):
    """One part of a bill over several sources: where the ERP converts a document from one source, each part is a
    document of its own there."""

    part_no: int
    """The order in which the parts are sent. They are taken back the last first."""
    source_document: str
    """The order, or the receipt of it, that it is converted from."""
    purchase_order_id: str
    state: PartState
    number: str
    """The number it is sent under: the supplier's, or that with `-2` behind it where the ERP takes a number once."""
    total: Money
    paid: Money
    due: Money
    external_key: str
    document_id: str | None
    erp_id: str | None
    payable_id: str | None
    problem: str
    """What the ERP refused it with, or how it differs there; empty: nothing."""


class PaymentWait(Output):
    """What an unfinished payment waits for."""

    what: PaymentWaitsFor
    sync_issue_id: str | None = None
    """The issue that stops it, or its bill."""
    code: str | None = None
    """The code of that issue."""


class PaymentShare(Output):
    """What a payment pays of one bill."""

    bill_id: str
    amount: Money


class PaymentFee(Output):
    kind: FeeKind
    """`transaction_fee` and `withholding` became credits on the bill; the others are part of the amount."""
    amount: Money


class PaymentCreditShare(Output):
    """A credit that goes to one of the bills beside the money."""

    credit_id: str
    bill_id: str
    amount: Money


class Payment(Output):
    id: str
    connection_id: str
    bill_id: str
    """The first bill that it pays; `shares` names all."""
    origin: Origin
    status: PaymentStatus
    amount: Money
    currency: str
    pay_on: date
    method: str
    bank_account: str
    reference: str | None
    """The number that people know it by: of a cheque, or the bank's."""
    external_id: str | None
    """What the caller's own system calls it."""
    paid_outside: bool
    """The money went out already, on `pay_on`; the ERP only records it."""
    submitted_on: date | None
    """The day it was submitted to the ERP."""
    net: Money | None
    """What the vendor gets of it, where it has fees."""
    fees: list[PaymentFee]
    shares: list[PaymentShare]
    credits: list[PaymentCreditShare]
    """Credits that go with it; they are no part of `amount`, which is money."""
    external_key: str | None
    erp_id: str | None
    created_by: str
    version: int
    created_at: datetime
    changed_at: datetime
    waits_for: PaymentWait | None = None
    """null: it is finished, or was made in the ERP."""


class AboutPayments(NamedTuple):
    """What belongs to payments beside their rows, by their ids."""

    waits: Mapping[PaymentId, payment_waits.PaymentWait]
    shares: Mapping[str, Sequence[Share]]
    credits: Mapping[str, Sequence[CreditShare]]


async def about_payments(session: AsyncSession, payment_ids: Sequence[str]) -> AboutPayments:
    """Return what belongs to these payments beside their rows."""
    waits = await payment_waits.waits(session, payment_ids)
    return AboutPayments(
        waits,
        await standalone_payments.shares_of(session, payment_ids),
        await payment_credits.of_payments(session, payment_ids),
    )


def payments_shown(rows: Sequence[PaymentRow], about: AboutPayments) -> list[Payment]:
    """Return payments as the API shows them."""
    return [payment_shown(row, about) for row in rows]


def payment_shown(row: PaymentRow, about: AboutPayments) -> Payment:
    """Return a payment as the API shows it."""
    return Payment(
        **columns(row, Payment),
        shares=shares_shown(about.shares[row.id]),
        credits=credits_shown(about.credits[row.id]),
        waits_for=wait_shown(about.waits.get(PaymentId(row.id))),
    )


def shares_shown(shares: Sequence[Share]) -> list[PaymentShare]:
    """Return what a payment pays of its bills as the API shows it."""
    return [PaymentShare(bill_id=share.bill_id, amount=share.amount) for share in shares]


def credits_shown(credits: Sequence[CreditShare]) -> list[PaymentCreditShare]:
    """Return the credits that go with a payment as the API shows them."""
    return [PaymentCreditShare(**credit._asdict()) for credit in credits]


def wait_shown(wait: payment_waits.PaymentWait | None) -> PaymentWait | None:
    """Return what a payment waits for as the API shows it."""
    return None if wait is None else PaymentWait(**wait._asdict())


Fields = Annotated[dict[str, JsonValue], AfterValidator(with_decimals)]


class Event(Output):
    kind: str
    actor: str
    why: str
    before: Fields | None
    after: Fields | None
    """The fields that changed, each as it was and as it is."""
    at: datetime


class Write(Output):
    """The state of a write to the ERP."""

    external_key: str
    state: WriteState
    attempts: int
    sent_at: datetime | None
    confirmed_at: datetime | None
    erp_id: str | None
    problem_code: str | None


class Obstacle(Output):
    """What stands in the way of an action."""

    code: str
    message: str
    fix: list[str]


class BillAction(Output):
    """What may be done with the bill as a whole, and what would come of it."""

    action: BillEvent
    possible: bool
    does: str | None
    """What it does; null: it is not possible now."""
    way: RetractBy | None
    """How the ERP's bill is taken back; null: there is none to take back."""
    dated: date | None
    """The day of the entry that takes it back; null: the way makes no entry."""
    frees_quantity: bool
    """true: other bills may then bill its quantities of the order."""
    obstacles: list[Obstacle]
    unknown_until_tried: list[Obstacle]
    """What may stand in the way besides, such as a reconciliation: the ERP shows it to nobody before it refuses. The
    bill then stays in the ERP, behind a sync issue of this code."""


class Generation(Output):
    """The bill as the ERP held it until it was taken back, or as it is to be taken back."""

    generation: int
    state: RetractionState
    retract_for: RetractFor
    way: RetractBy
    dated: date | None
    external_key: str
    document_id: str
    requested_by: str
    why: str
    requested_at: datetime
    ended_at: datetime | None


class Editable(Output):
    """What of the bill may be edited now."""

    everything: bool
    """true: nothing of it was sent, so `POST /v1/purchase-orders/{purchase_order_id}/bills/{bill_id}` corrects its
    number, lines, figures and order too."""
    fields: list[str]
    """What `PATCH /v1/bills/{bill_id}` takes."""
    line_fields: list[str]
    why: str
    """Why the rest may not be edited; empty: everything may."""


class Reminder(Output):
    """Something a person should know about an edit."""

    code: str
    message: str


class Bill(BillSummary):
    lines: list[BillLine]
    charges: list[ShownCharge]
    tax: Money
    discount: Money
    invoice_total: Money | None
    """The total the supplier wrote on the invoice, where the caller gave it."""
    match: StoredMatch | None
    """The last match result, with the inputs to compute it again. `GET .../match` also has the earlier results and
    people's decisions."""
    parts: list[BillPart]
    """The documents that it is, or will be, in the ERP, where it needs several; empty: it is one."""
    payments: list[Payment]
    reserved: Money
    """What of `due` payments and credits under way take: the rest may still be paid or credited."""
    write: Write | None
    """The bill's write to the ERP; null for bills made in the ERP."""
    actions: list[BillAction]
    """Of a bill that was made here: whether it may be deleted, disputed, sent back or restored, and what stands in the
    way."""
    editable: Editable
    reminders: list[Reminder]
    """What is kept here and never sent, such as a GL account."""
    taken_back: list[Generation]
    """How it was taken back from the ERP, oldest first."""
    events: list[Event]


FindingId = Name
"""`<CODE>` or `<CODE>:line-<n>`. The same finding keeps its id when the bill is matched again."""


class OpenFinding(Output):
    """A finding that is not settled yet."""

    id: str
    code: str
    message: str
    who: str
    fix: list[str]


class OpenNeeds(Output):
    """The findings that must be settled before a bill is sent to the ERP."""

    acknowledge: list[OpenFinding]
    """Warnings: anybody who may enter bills can acknowledge them."""
    release: list[OpenFinding]
    """Holds: an accountant can release them, with a reason."""
    fix: list[OpenFinding]
    """Findings that no decision can settle: the cause has to be corrected, and the bill is then matched again by
    itself."""


class EditedBill(Output):
    bill: Bill
    notices: list[Reminder]


def due(row: BillRow) -> Decimal:
    """Return what is still to be paid on the bill, in its currency."""
    return row.total - row.paid


def summary(row: BillRow) -> BillSummary:
    """Return the bill's stored row as answers show it."""
    return BillSummary(**columns(row, BillSummary), due=due(row))
