"""Payments: their statuses, their records in the ERP, and the records that we push."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.record import Record


class PaymentStatus(StrEnum):
    """The status of a payment: scheduled for a date, submitted to the ERP, then paid once the ERP has confirmed it."""

    SCHEDULED = "scheduled"
    SUBMITTED = "submitted"
    SYNC_ISSUE = "sync_issue"
    PAID = "paid"
    ABANDONED = "abandoned"
    VOIDING = "voiding"
    """It is paid, and its void is on its way to the ERP."""
    VOIDED = "voided"

    @property
    def is_unfinished(self) -> bool:
        """Return whether it still claims part of what is due on its bill."""
        return self in (PaymentStatus.SCHEDULED, PaymentStatus.SUBMITTED, PaymentStatus.SYNC_ISSUE)

    @property
    def is_under_way(self) -> bool:
        """Return whether its workflow has something left to do."""
        return self.is_unfinished or self is PaymentStatus.VOIDING


class PaymentWaitsFor(StrEnum):
    """What an unfinished payment waits for before it can go on."""

    BILL_REVIEW = "bill_review"
    """A person decides on what the match of its bill found."""
    BILL_APPROVAL = "bill_approval"
    """People approve its bill."""
    BILL_PUSH = "bill_push"
    """Its bill is on its way to the ERP."""
    BILL_ISSUE = "bill_issue"
    """A sync issue stops its bill, or an edit of its bill."""
    BILL_EDIT = "bill_edit"
    """An edit of its bill is on its way to the ERP."""
    DAY = "day"
    """The day it is to be made."""
    ISSUE = "issue"
    """A sync issue of its own."""
    ERP = "erp"
    """The ERP takes it, or posts it."""


class PaymentMethod(StrEnum):
    """How money goes out. Each ERP folder has its own words for them."""

    CHECK = "check"
    EFT = "eft"
    ACH = "ach"
    CASH = "cash"
    CARD = "card"


class PostsWhen(StrEnum):
    """When the ERP posts a payment made by a method: only then it is paid."""

    AT_ONCE = "posts_at_once"
    """It records what goes out beside it."""
    CONFIRMED = "waits_for_confirmation"
    """Somebody prints or sends it there, and confirms it."""
    BANK_SERVICE = "sent_by_bank_service"
    """A bank's service takes it from there."""


class OfferedMethod(Record):
    """A method of payment that an ERP has."""

    method: PaymentMethod
    posts: PostsWhen


class FeeKind(StrEnum):
    """What is charged of a payment, or withheld."""

    TRANSACTION = "transaction_fee"
    """The vendor bears it: it becomes a credit on the bill."""
    WITHHOLDING = "withholding"
    """Tax that is withheld: it becomes a credit on the bill."""
    SERVICE = "payment_service_fee"
    """Of the service that pays: it goes out with the money."""
    EXCHANGE = "exchange_fee"
    """Of changing the money: it goes out with it."""

    @property
    def is_credited(self) -> bool:
        """Return whether it becomes a credit of the vendor; else it is part of the payment."""
        return self in (FeeKind.TRANSACTION, FeeKind.WITHHOLDING)


class ErpPaymentShare(Record):
    """The part of a payment or a credit that went to one bill."""

    bill_erp_id: ErpId
    amount: Decimal
    payment: ErpId | None = None
    """Of a credit: the payment that applied it, where the ERP applies credits by payments."""


class ErpPayment(Record):
    """A payment as the ERP holds it."""

    erp_id: ErpId
    vendor_id: str
    paid_on: date
    amount: Decimal
    currency: str
    state: str
    voided: bool = False
    settled: bool = True
    """False while the ERP does not post the payment yet, for example because it needs an approval there."""
    document_number: str | None = None
    """The reference number; our external key when the payment is ours."""
    revision: str
    shares: tuple[ErpPaymentShare, ...] = ()


class PaymentPart(Record):
    """What a payment pays of one document, where it pays several: parts of its bill, or several bills."""

    document_id: DocumentId
    payable_itself: bool = False
    """`document_id` is the payable itself: nothing stands before it."""
    erp_id: ErpId
    payable_hint: ErpId | None
    amount: Decimal


class PaymentCredit(Record):
    """A credit that goes to one bill of a payment beside the money."""

    credit_erp_id: ErpId
    document_id: DocumentId
    """The bill, as the payment's part of it names it."""
    payable_id: ErpId
    """The bill, as the ERP's credits name it."""
    amount: Decimal
    stays_applied: Decimal = Decimal(0)
    """To void the payment: what the credit is applied with to the bill then."""


class PaymentToPush(Record):
    """A payment to push (S5-34..42)."""

    external_key: ExternalKey
    vendor_id: str
    bill_document: DocumentId
    """The vendor invoice; the payable behind it is looked up, because its id may have changed."""
    bill_erp_id: ErpId
    payable_hint: ErpId | None
    amount: Decimal
    currency: str
    paid_on: date
    method: str
    bank_account: str
    memo: str = ""
    owner_entity: str | None = None
    parts: tuple[PaymentPart, ...] = ()
    """Of several bills, or a bill that is several documents in the ERP: each document with its share; together they
    come to `amount`."""
    credits: tuple[PaymentCredit, ...] = ()
    """Credits that go with it; they are no part of `amount`, which is money. A part may be of no money at all."""
    reference: str | None = None
    """The number that people know the payment by, where they gave one."""
    external_id: str | None = None
    """What the caller's own system calls it."""


class PaymentToVoid(Record):
    """A payment of ours to void."""

    external_key: ExternalKey
    """Of the void."""
    payment_erp_id: ErpId
    dated: date
    """The day of the void, where the ERP dates it."""
    why: str = ""
    owner_entity: str | None = None
    parts: tuple[PaymentPart, ...]
    """The documents that it paid."""
    credits: tuple[PaymentCredit, ...] = ()
    """The credits that went with it."""


class PartPaid(Record):
    """What is now paid and due on one document that a payment paid."""

    document_id: DocumentId
    payable_id: ErpId
    paid: Decimal
    due: Decimal
    revision: str | None = None


class PushedPayment(Record):
    """The payment that the ERP holds under our key, and what is now paid and due on the bill."""

    erp_id: ErpId
    state: str
    settled: bool
    """False while the ERP does not post the payment yet, for example because it needs an approval there."""
    amount: Decimal
    revision: str
    payable_id: ErpId
    bill_paid: Decimal | None
    bill_due: Decimal | None
    """What is now paid and due on the bill; None: the ERP took the payment and shows no bill at present. The payment
    then counts by its own amount."""
    bill_revision: str | None = None
    """The bill's revision that these figures belong to, as its own page shows it; None: the ERP does not tell."""
    shares: tuple[ErpPaymentShare, ...] = ()
    """What of the money went to which bill, where that is not what was sent: credits went with it and the ERP chose
    itself, or payments that the ERP made of the same request are void; empty: as sent."""
    parts: tuple[PartPaid, ...] = ()
    """Of several documents: those that were paid now. `bill_paid` and `bill_due` are then the sums over them alone."""
