"""Read and write bill payments, by check or card (reference 3.3)."""

from collections.abc import Sequence
from decimal import Decimal

from lxml import etree

from erp.errors import OutcomeUnknown, Rejected
from erp.quickbooks_desktop import fields, preflight, translate, wire
from erp.quickbooks_desktop.client import Client, record_of, records_of, recovered_id
from erp.quickbooks_desktop.envelope import Answer
from erp.quickbooks_desktop.orders import WHOLE
from erp.quickbooks_desktop.preferences import Preferences, account, is_list_id
from erp.quickbooks_desktop.reader import Leg, Reader
from erp.quickbooks_desktop.wire import ZERO
from erp.roles.pages import Page
from models.domain.ids import ErpId
from models.domain.payments import ErpPayment, ErpPaymentShare, PaymentMethod, PaymentToPush, PushedPayment

CHECK, CARD = "BillPaymentCheck", "BillPaymentCreditCard"
RECORDS = (f"{CHECK}Ret", f"{CARD}Ret")

LEGS = tuple(Leg((kind,), True, (f"{kind}Ret",)) for kind in (CHECK, CARD))

LINES = (wire.part("IncludeLineItems", True),)

PAID, VOIDED = "Paid", "Voided"


class Payments:
    """Reads and writes the payments of one connection."""

    def __init__(self, client: Client, reader: Reader, preferences: Preferences) -> None:
        self._client = client
        self._reader = reader
        self._preferences = preferences

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        """Read a page of payments by check; behind the last one follow those by card."""
        listing = await self._reader.page(LEGS, since=since, after=after, more=LINES)
        payments, bad = fields.usable(listing.records, payment_of)
        return Page(payments, listing.after, listing.high_water, bad)

    async def find(self, payment: PaymentToPush) -> ErpId | None:
        """Return the payment under our key: by the answer to its write, else by its number.

        Raises:
            Deferred: QuickBooks is at it, or has not answered the look-up.
        """
        made = await self._made(payment)
        if made is not None:
            return made
        key = payment.external_key
        answer = await self._client.ask(f"find/{key}/{await self._client.losses(key)}", _numbered(payment))
        return _ours(payment, answer)

    async def _made(self, payment: PaymentToPush) -> ErpId | None:
        answer = await self._client.awaited(payment.external_key, f"{_kind(payment)}Add")
        response = None if answer is None else answer.named(f"{_kind(payment)}Add")
        if response is None:
            return None
        record = record_of(response)
        made = recovered_id(response) if record is None else wire.text(record, "TxnID")
        return None if made is None else ErpId(made)

    async def create(self, payment: PaymentToPush) -> ErpId:
        """Pay the bill, from the bank or card account that the payment names.

        Raises:
            Deferred: QuickBooks has not answered yet.
            Rejected: TEXT_NOT_TAKEN, TEXT_TOO_LONG, APPLICATION_READ_ONLY, PERIOD_CLOSED, PAYABLE_MISSING,
                VENDOR_DIFFERS, ALREADY_PAID, MORE_THAN_DUE, ACCOUNT_REFUSED, or QuickBooks refused it.
        """
        made = await self._made(payment)
        if made is not None:
            return made
        kind = _kind(payment)
        wire.must_be_writable("the memo", _memo(payment))
        wire.must_be_writable("the number", _number(payment))
        losses = await self._client.losses(payment.external_key)
        seen = await self._client.ask(
            f"before/{payment.external_key}/{losses}",
            preflight.QUESTION,
            _bill_question(payment.bill_document),
            preflight.MAY_WRITE,
            *([_numbered(payment)] if losses else []),
        )
        ours = _ours(payment, seen)
        if ours is not None:
            return ours
        preflight.must_be_open(seen, what="payment", day=payment.paid_on)
        bill = next(iter(records_of(seen.responses, ("BillRet",))), None)
        _must_be_payable(payment, bill)
        source = payment.bank_account or self._preferences.bank_account
        if not source:
            raise Rejected("No account is named to pay from.", code="ACCOUNT_REFUSED", evidence={"account": ""})
        body = wire.group(
            f"{kind}Add",
            wire.reference("PayeeEntityRef", payment.vendor_id),
            wire.reference("APAccountRef", None if bill is None else wire.ref(bill, "APAccountRef")),
            wire.part("TxnDate", payment.paid_on),
            account("CreditCardAccountRef" if kind == CARD else "BankAccountRef", source),
            wire.part("RefNumber", _number(payment)),
            wire.part("Memo", _memo(payment)),
            wire.group(
                "AppliedToTxnAdd",
                wire.part("TxnID", payment.bill_document),
                wire.part("PaymentAmount", wire.amount(payment.amount)),
            ),
        )
        # Only now: what is refused above, though it was sent before and lost, must not go out.
        await self._client.release(payment.external_key)
        answer = await self._client.write(
            payment.external_key,
            f"{kind}Add",
            wire.request(f"{kind}Add", body, key="payment"),
            _bill_question(payment.bill_document),
            after=seen,
        )
        response = answer.named(f"{kind}Add")
        assert response is not None, "the client checks that the write was answered"
        record = record_of(response)
        return ErpId(recovered_id(response) or "" if record is None else fields.need(record, "TxnID"))

    async def read_back(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        """Return what QuickBooks holds of the payment, and what is now due on the bill.

        Raises:
            Deferred: QuickBooks has not answered yet.
            OutcomeUnknown: either is not shown.
            Rejected: CONTENT_CONFLICT, when the payment is not what was sent.
        """
        kind = _kind(payment)
        answer = await self._client.own_write(payment.external_key, f"{kind}Add")
        record = record_of(None if answer is None else answer.named(f"{kind}Add"))
        bills = [] if answer is None else records_of(answer.responses, ("BillRet",))
        own = True
        if record is None or not bills or wire.text(record, "TxnID") != erp_id:
            own = False
            question = wire.request(f"{kind}Query", wire.part("TxnID", erp_id), *LINES, key="payment")
            key = f"read back/{erp_id}"
            answer = await self._client.ask(key, question, _bill_question(payment.bill_document))
            record = next(iter(records_of(answer.responses, RECORDS)), None)
            bills = records_of(answer.responses, ("BillRet",))
            if record is None or not bills:
                await self._client.discard(key)
                what = f"payment {erp_id}" if record is None else f"bill {payment.bill_document}"
                raise OutcomeUnknown(f"QuickBooks does not show {what}.", code="OUTCOME_UNKNOWN")
        existing = payment_of(record)
        if not existing.voided:
            # What is read later may have another name by now, and the preference may name another account.
            names_it = payment.bank_account and (own or is_list_id(payment.bank_account))
            _must_be_as_sent(payment, record, payment.bank_account if names_it else None)
        bill = translate.bill(bills[0])
        return PushedPayment(
            erp_id=erp_id,
            state=existing.state,
            settled=not existing.voided,
            amount=existing.amount,
            revision=existing.revision,
            payable_id=ErpId(payment.bill_document),
            bill_paid=bill.paid,
            bill_due=bill.due,
        )


def payment_of(record: etree._Element) -> ErpPayment:
    """Return a payment in our form.

    Raises:
        fields.Unusable: the record cannot be used.
    """
    amount = fields.need_number(record, "Amount")
    voided = amount == 0 and (wire.text(record, "Memo") or "").upper().startswith("VOID")
    shares: dict[str, Decimal] = {}
    for applied in wire.children(record, ("AppliedToTxnRet",)):
        if wire.text(applied, "TxnType") in (None, "Bill"):
            bill = fields.need(applied, "TxnID")
            shares[bill] = shares.get(bill, ZERO) + (fields.number(applied, "Amount") or ZERO)
    return ErpPayment(
        erp_id=ErpId(fields.need(record, "TxnID")),
        vendor_id=fields.need(record, "PayeeEntityRef/ListID"),
        paid_on=fields.need_day(record, "TxnDate"),
        amount=amount,
        currency=translate.currency(record) or "",
        state=VOIDED if voided else PAID,
        voided=voided,
        document_number=_key(record) or wire.text(record, "RefNumber"),
        revision=fields.revision(record),
        shares=tuple(ErpPaymentShare(bill_erp_id=ErpId(bill), amount=paid) for bill, paid in shares.items()),
    )


def _kind(payment: PaymentToPush) -> str:
    return CARD if payment.method.casefold() == PaymentMethod.CARD else CHECK


def _key(record: etree._Element) -> str | None:
    return wire.key_in(wire.text(record, "Memo"))


def _number(payment: PaymentToPush) -> str:
    """Return the number that people gave the payment, else one of our key, which the memo carries in any case."""
    return payment.reference or wire.short_number(payment.external_key, wire.LONGEST["payment"])


def _memo(payment: PaymentToPush) -> str:
    return wire.marked(" ".join(one for one in (payment.memo, payment.external_id) if one), payment.external_key)


def _numbered(payment: PaymentToPush) -> str:
    """Return the question for the payments under this one's number."""
    return wire.request(f"{_kind(payment)}Query", wire.part("RefNumber", _number(payment)), *LINES, key="payments")


def _ours(payment: PaymentToPush, answer: Answer) -> ErpId | None:
    shown = records_of(answer.responses, RECORDS)
    ours = next((one for one in shown if _key(one) == payment.external_key), None)
    return None if ours is None else ErpId(fields.need(ours, "TxnID"))


def _bill_question(document: str) -> str:
    return wire.request("BillQuery", wire.part("TxnID", document), *WHOLE, key="bill")


def _must_be_payable(payment: PaymentToPush, record: etree._Element | None) -> None:
    evidence = {"document": payment.bill_document}
    if record is None:
        raise Rejected(
            f"QuickBooks does not show bill {payment.bill_document}, so there is nothing to pay.",
            code="PAYABLE_MISSING",
            evidence=evidence,
        )
    bill = translate.bill(record)
    if bill.vendor_id != payment.vendor_id:
        raise Rejected("The bill is another vendor's now.", code="VENDOR_DIFFERS", evidence=evidence)
    if bill.due <= 0:
        raise Rejected("QuickBooks shows the bill as paid in full.", code="ALREADY_PAID", evidence=evidence)
    if payment.amount > bill.due:
        raise Rejected(
            f"{payment.amount} is more than the {bill.due} that are due.",
            code="MORE_THAN_DUE",
            evidence={**evidence, "due": str(bill.due), "amount": str(payment.amount)},
        )


def _must_be_as_sent(payment: PaymentToPush, record: etree._Element, source: str | None) -> None:
    """Compare a payment with what was sent: every value and every bill. `source` is the account it was to be paid from,
    as it was named; None: that may have another name by now.

    Raises:
        Rejected: CONTENT_CONFLICT.
    """
    kind = _kind(payment)
    account_ref = "CreditCardAccountRef" if kind == CARD else "BankAccountRef"
    accounts = [wire.text(record, f"{account_ref}/{one}") or "" for one in ("ListID", "FullName")]
    named = source is None or source.casefold() in [one.casefold() for one in accounts]
    sent_bills = [(payment.bill_document, payment.amount, ZERO)]
    pairs: list[tuple[str, object, object]] = [
        ("the way of paying", f"{kind}Ret", str(record.tag)),
        ("the vendor", payment.vendor_id, wire.ref(record, "PayeeEntityRef")),
        ("the number", _number(payment), wire.text(record, "RefNumber")),
        ("our key", payment.external_key, _key(record)),
        ("the date", payment.paid_on, fields.day(record, "TxnDate")),
        ("the currency", payment.currency, translate.currency(record, payment.currency)),
        ("the account", source, source if named else accounts[1] or accounts[0]),
        ("the total", payment.amount, fields.number(record, "Amount")),
        ("the bills", _words(sent_bills), _words(_paid_bills(record))),
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
            evidence={"payment": wire.text(record, "TxnID") or "", "differences": "; ".join(differences)},
        )


def _paid_bills(record: etree._Element) -> list[tuple[str, Decimal, Decimal]]:
    """Return what a payment pays of each document, and the discount it takes there."""
    return [
        (
            wire.text(applied, "TxnID") or "no document",
            fields.number(applied, "Amount") or ZERO,
            fields.number(applied, "DiscountAmount") or ZERO,
        )
        for applied in wire.children(record, ("AppliedToTxnRet",))
    ]


def _words(paid: Sequence[tuple[str, Decimal, Decimal]]) -> str:
    return ", ".join(
        f"{amount:f} of {document}" + (f" less {discount:f}" if discount else "")
        for document, amount, discount in sorted((one, wire.amount(amount), less) for one, amount, less in paid)
    )
