"""Read and write bill payments, by check or card (reference 6.3).

A payment's first attempt needs no read: while the month's reads are used up it goes out by what posync knows, and
QuickBooks' answer shows what was paid. An attempt in doubt is looked up first, so it waits (`find`).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from erp.errors import Duplicate, OutcomeUnknown, Rejected, Throttled
from erp.quickbooks_online import translate, wire
from erp.quickbooks_online.accounts import BANK, CARD, Accounts
from erp.quickbooks_online.bills_in import BILL, CREDIT
from erp.quickbooks_online.company import Companies
from erp.quickbooks_online.orders import look_back
from erp.quickbooks_online.quota import QUOTA
from erp.quickbooks_online.reader import Reader
from erp.quickbooks_online.seen import Memory
from erp.quickbooks_online.translate import Unusable
from erp.quickbooks_online.wire import ZERO, Entity
from erp.quickbooks_online.writing import Writer, request_id
from erp.roles.pages import Page
from models.domain.ids import ErpId
from models.domain.payments import ErpPayment, ErpPaymentShare, PaymentMethod, PaymentToPush, PushedPayment

KIND = "BillPayment"

ON_BILLS = ("BillPaymentCheck", "BillPaymentCreditCard", KIND)
"""What bills call the payments that they name."""

STATE = {False: "Paid", True: "Voided"}


class Means(NamedTuple):
    """One of the two ways of paying, as QuickBooks has them."""

    pay_type: str
    part: str
    """The part of a payment that names the account, in the field `account`."""
    account: str
    account_type: str
    what: str
    """What people call the account."""
    more: Mapping[str, str]


MEANS = {
    True: Means("CreditCard", "CreditCardPayment", "CCAccountRef", CARD, "credit card account", {}),
    False: Means("Check", "CheckPayment", "BankAccountRef", BANK, "bank account", {"PrintStatus": "NotSet"}),
}
"""By card, and otherwise."""


class Payments:
    """Reads and writes the payments of one connection."""

    def __init__(
        self, reader: Reader, writer: Writer, companies: Companies, accounts: Accounts, memory: Memory
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._companies = companies
        self._accounts = accounts
        self._memory = memory

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        """Read a page of payments, with what each paid."""
        home = (await self._companies.current()).home_currency
        window = self._memory.window([KIND], since) if after is None else None
        if window is not None:
            records, resume, began = window.changed.get(KIND, []), None, None
        else:
            listing = await self._reader.page(KIND, after, since=None if since is None else look_back(since))
            records, resume, began = listing.records, listing.after, listing.began
        payments, bad = translate.usable(records, lambda one: incoming(one, home))
        read_at = None if window is None else window.began
        return Page(payments, resume, translate.high_water(began, (one.revision for one in payments)), bad, read_at)

    async def find(self, payment: PaymentToPush) -> ErpId | None:
        """Return the payment of this vendor that carries our key, which is its number too unless people gave it one."""
        on = payment.paid_on.isoformat()
        for one in await self._writer.with_number(KIND, _number(payment), on):
            if wire.key_of(one) == payment.external_key and wire.ref(one, "VendorRef") == payment.vendor_id:
                return ErpId(wire.text(one, "Id") or "")
        return None

    async def create(self, payment: PaymentToPush) -> ErpId:
        """Pay the bill, from the bank or card account that the payment names. One of ours that pays it already is
        returned, not made a second time. QuickBooks takes a total above the sum of the lines in silence, so the total
        is that sum.

        Raises:
            Rejected: PAYABLE_MISSING, ALREADY_PAID, MORE_THAN_DUE, VENDOR_DIFFERS or ACCOUNT_REFUSED.
        """
        bill_id = payment.bill_document.removeprefix(wire.BILL)
        self._memory.forget(BILL, bill_id)
        try:
            bill = await self._writer.document(BILL, bill_id)
            if (ours := await self._paid_already(payment, bill)) is not None:
                return ours
        except Throttled as error:
            if error.code != QUOTA:
                raise
            payable, currency = await self._unread(payment, error)
        else:
            _must_be_payable(payment, bill)
            assert bill is not None, "it is payable"
            payable, currency = wire.ref(bill, "APAccountRef"), wire.ref(bill, "CurrencyRef")
        means = MEANS[_by_card(payment)]
        account = {"value": await self._accounts.need(means.account_type, payment.bank_account, means.what)}
        body = wire.given(
            VendorRef={"value": payment.vendor_id},
            PayType=means.pay_type,
            **{means.part: {means.account: account, **means.more}},
            APAccountRef=wire.reference(payable),
            CurrencyRef=wire.reference(currency),
            DocNumber=_number(payment),
            TxnDate=payment.paid_on.isoformat(),
            PrivateNote=wire.marked(_said(payment), payment.external_key),
            TotalAmt=payment.amount,
            Line=[{"Amount": payment.amount, "LinkedTxn": [{"TxnId": bill_id, "TxnType": "Bill"}]}],
        )
        try:
            made = await self._writer.create(
                KIND,
                body,
                key=payment.external_key,
                request_id=request_id("payment", payment.external_key, _content(payment)),
            )
        except Duplicate as error:
            if error.code != "ALREADY_EXISTS":
                raise
            made = await self._writer.holder_of(error, KIND, payment.external_key)
        # The payment has changed the bill.
        self._memory.forget(BILL, bill_id)
        return ErpId(wire.text(made, "Id") or "")

    async def _unread(self, payment: PaymentToPush, error: Throttled) -> tuple[str | None, str | None]:
        """Return the payable account and the currency of a bill that cannot be read. posync checked what is due when
        the payment was scheduled, and QuickBooks checks it again.

        Raises:
            Throttled: the company has several payable accounts, and only the bill says which is its own.
        """
        payable = await self._accounts.only_payable()
        if payable is None:
            raise error
        return payable, payment.currency

    async def _paid_already(self, payment: PaymentToPush, bill: Entity | None) -> ErpId | None:
        """Return our payment among those that the bill names; a bill that names none costs no read."""
        named = {one for kind in ON_BILLS for one in translate.linked(bill or {}, kind)}
        if not named:
            return None
        shown = (await self._reader.by_ids(KIND, named)).records
        return next((ErpId(one) for one in shown if wire.key_of(shown[one]) == payment.external_key), None)

    async def read_back(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        """Return what QuickBooks holds of the payment, and what is now due on the bill. While the month's reads are
        used up the answer to the write has the one, and nobody says the other.

        Raises:
            OutcomeUnknown: either is not shown.
            Rejected: CONTENT_CONFLICT, when the payment is not what was sent.
        """
        bill_id = payment.bill_document.removeprefix(wire.BILL)
        record = await self._current(erp_id)
        if record is None:
            raise OutcomeUnknown(f"QuickBooks does not show payment {erp_id}.", code="OUTCOME_UNKNOWN")
        existing = payment_of(record, payment.currency)
        if not existing.voided:
            account = await self._accounts.find(MEANS[_by_card(payment)].account_type, payment.bank_account)
            _must_be_as_sent(payment, record, account)
        total, due = await self._due(bill_id)
        return PushedPayment(
            erp_id=erp_id,
            state=existing.state,
            settled=not existing.voided,
            amount=existing.amount,
            revision=existing.revision,
            payable_id=ErpId(payment.bill_document),
            bill_paid=None if total is None or due is None else total - due,
            bill_due=due,
        )

    async def _due(self, bill_id: str) -> tuple[Decimal | None, Decimal | None]:
        """Return the total of a bill and what is due on it now; None: the month's reads are used up.

        Raises:
            OutcomeUnknown: QuickBooks does not show the bill.
        """
        self._memory.forget(BILL, bill_id)
        try:
            bill = await self._writer.document(BILL, bill_id)
        except Throttled as error:
            if error.code != QUOTA:
                raise
            return None, None
        if bill is None:
            raise OutcomeUnknown(f"QuickBooks does not show bill {bill_id}.", code="OUTCOME_UNKNOWN")
        return translate.need_number(bill, "TotalAmt"), translate.need_number(bill, "Balance")

    async def _current(self, erp_id: str) -> Entity | None:
        """Return the payment from the write's own answer, once; a later look reads it."""
        record = await self._writer.document(KIND, erp_id)
        self._memory.forget(KIND, erp_id)
        return record


def incoming(entity: Entity, home: str) -> ErpPayment:
    """Return a payment that QuickBooks shows, whose total is what its lines come to: bills less credits. QuickBooks
    keeps the rest of a larger total as a credit with the vendor, which is no payment of any bill.

    Raises:
        Unusable: PAYMENT_TOTAL_DIFFERS, and whatever else makes the record unusable.
    """
    payment = payment_of(entity, home)
    if payment.voided:
        return payment
    lines = wire.parts(entity, "Line")
    sums = {kind: sum((_amount(line) for line in lines if _paid_kind(line) == kind), ZERO) for kind in ("Bill", CREDIT)}
    others = sum((_amount(line) for line in lines if _paid_kind(line) not in sums), ZERO)
    applied = sums["Bill"] - sums[CREDIT]
    # A journal entry may be owed to the vendor or by it: its amount does not say which.
    if payment.amount not in (applied + others, applied - others):
        raise Unusable(
            "PAYMENT_TOTAL_DIFFERS",
            f"Payment {payment.document_number or payment.erp_id} is {payment.amount}, and its lines come to"
            f" {applied + others}.",
            {"total": str(payment.amount), "lines": str(applied + others)},
        )
    return payment


def payment_of(entity: Entity, home: str) -> ErpPayment:
    """Return a payment in our form.

    Raises:
        Unusable: the record cannot be used.
    """
    erp_id = translate.need(entity, "Id")
    voided = (wire.text(entity, "status") or "").casefold() == "voided"
    shares: dict[str, Decimal] = {}
    for line in wire.parts(entity, "Line"):
        for bill in translate.linked(line, "Bill"):
            shares[bill] = shares.get(bill, ZERO) + _amount(line)
    return ErpPayment(
        erp_id=ErpId(erp_id),
        vendor_id=translate.need_ref(entity, "VendorRef"),
        paid_on=translate.need_day(entity, "TxnDate"),
        amount=translate.need_number(entity, "TotalAmt"),
        currency=wire.ref(entity, "CurrencyRef") or home,
        state=STATE[voided],
        voided=voided,
        document_number=wire.key_of(entity) or wire.text(entity, "DocNumber"),
        revision=translate.revision(entity),
        shares=tuple(
            ErpPaymentShare(bill_erp_id=ErpId(f"{wire.BILL}{bill}"), amount=amount) for bill, amount in shares.items()
        ),
    )


def _amount(line: Entity) -> Decimal:
    return translate.number(line, "Amount") or ZERO


def _paid_kind(line: Entity) -> str | None:
    """Return the kind of document that a payment's line is about."""
    return next((wire.text(link, "TxnType") for link in wire.parts(line, "LinkedTxn")), None)


def _by_card(payment: PaymentToPush) -> bool:
    return payment.method.casefold() == PaymentMethod.CARD


def _number(payment: PaymentToPush) -> str:
    """Return the number that people gave the payment, else our key."""
    return payment.reference or wire.doc_number(payment.external_key)


def _said(payment: PaymentToPush) -> str:
    return " ".join(one for one in (payment.memo, payment.external_id) if one)


def _content(payment: PaymentToPush) -> list[Any]:
    return [
        payment.vendor_id, payment.bill_document, payment.amount, payment.currency, payment.paid_on, payment.method,
        payment.bank_account, payment.memo, *(one for one in (payment.reference, payment.external_id) if one),
    ]  # fmt: skip


def _must_be_payable(payment: PaymentToPush, bill: Entity | None) -> None:
    evidence: Mapping[str, str] = {"document": payment.bill_document}
    if bill is None:
        raise Rejected(
            f"QuickBooks does not show bill {payment.bill_document}, so there is nothing to pay.",
            code="PAYABLE_MISSING",
            evidence=evidence,
        )
    if wire.ref(bill, "VendorRef") != payment.vendor_id:
        raise Rejected("The bill is another vendor's now.", code="VENDOR_DIFFERS", evidence=evidence)
    due = translate.need_number(bill, "Balance")
    if due <= 0:
        raise Rejected("QuickBooks shows the bill as paid in full.", code="ALREADY_PAID", evidence=evidence)
    if payment.amount > due:
        raise Rejected(
            f"{payment.amount} is more than the {due} that are due; QuickBooks would keep the rest as a credit.",
            code="MORE_THAN_DUE",
            evidence={**evidence, "due": str(due), "amount": str(payment.amount)},
        )


def _must_be_as_sent(payment: PaymentToPush, record: Entity, account: str | None) -> None:
    """Compare a payment with what was sent: every value and every line. `account` is the id of its bank or card account
    now; None: it is not shown any more.

    Raises:
        Rejected: CONTENT_CONFLICT.
    """
    means = MEANS[_by_card(payment)]
    bill_id = payment.bill_document.removeprefix(wire.BILL)
    paid_from = wire.ref(wire.part(record, means.part), means.account)
    pairs: list[tuple[str, Any, Any]] = [
        ("the vendor", payment.vendor_id, wire.ref(record, "VendorRef")),
        ("the number", _number(payment), wire.text(record, "DocNumber")),
        ("our key", payment.external_key, wire.key_of(record)),
        ("the date", payment.paid_on, translate.optional_day(record, "TxnDate")),
        ("the currency", payment.currency, wire.ref(record, "CurrencyRef") or payment.currency),
        ("the way of paying", means.pay_type, wire.text(record, "PayType")),
        (f"the {means.what}", account or paid_from, paid_from),
        ("the total", payment.amount, translate.number(record, "TotalAmt")),
        ("the lines", _words([(f"Bill {bill_id}", payment.amount)]), _words(_lines(record))),
    ]
    differences = [
        f"{what}: sent {sent}, QuickBooks has {existing or 'nothing'}"
        for what, sent, existing in pairs
        if sent != existing
    ]
    if differences:
        raise Rejected(
            f"QuickBooks holds the payment with other content: {'; '.join(differences)}.",
            code="CONTENT_CONFLICT",
            evidence={"payment": wire.text(record, "Id") or "", "differences": "; ".join(differences)},
        )


def _lines(record: Entity) -> list[tuple[str, Decimal]]:
    """Return what each line of a payment pays, and how much of it."""
    lines: list[tuple[str, Decimal]] = []
    for line in wire.parts(record, "Line"):
        links = wire.parts(line, "LinkedTxn")
        named = ", ".join(f"{wire.text(link, 'TxnType')} {wire.text(link, 'TxnId')}" for link in links)
        lines.append((named or "no document", _amount(line)))
    return lines


def _words(lines: list[tuple[str, Decimal]]) -> str:
    return ", ".join(f"{amount.quantize(wire.CENT)} of {named}" for named, amount in lines)
