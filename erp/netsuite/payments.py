"""Read and write vendor payments (reference 5.3)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from erp.errors import ErpError, NotFound, OutcomeUnknown, Rejected
from erp.netsuite import reader, statuses, transactions, translate, wire
from erp.netsuite.accounts import Accounts
from erp.netsuite.bills_in import BillsIn
from erp.netsuite.currencies import Currencies
from erp.netsuite.reader import Reader
from erp.netsuite.transactions import PAYMENT, changed, look_back
from erp.netsuite.translate import Unusable
from erp.netsuite.wire import NsRecord
from erp.netsuite.writer import Writer, given, reference
from erp.roles.pages import Page
from models.domain.ids import DocumentId, ErpId
from models.domain.payments import ErpPayment, ErpPaymentShare, PartPaid, PaymentToPush, PushedPayment

KIND = "vendorPayment"

NOT_TO_BE_PAID = frozenset({"NOT_RECEIVED", "RECORD_NOT_FOUND", "VALUE_REFUSED", "ORDER_NOT_FOUND"})
"""How NetSuite says that a bill cannot be paid (3.4); the bill itself shows why."""


class Payments:
    """Reads and writes the payments of one connection."""

    def __init__(
        self,
        source: Reader,
        writer: Writer,
        bills: BillsIn,
        currencies: Currencies,
        accounts: Accounts,
        entity: str | None,
    ) -> None:
        self._reader = source
        self._writer = writer
        self._bills = bills
        self._currencies = currencies
        self._accounts = accounts
        self._entity = entity

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        """Read a page of payments, with what each paid."""
        start = None if since is None else look_back(since)
        listing = await self._reader.page(changed([PAYMENT], start, self._entity, whole=True), after)
        await self._currencies.know(
            {known for one in listing.records if (known := wire.ref_id(one.fields, "currency"))}
        )
        payments, bad = translate.usable(listing.records, self._payment)
        return Page(payments, listing.after, max((payment.revision for payment in payments), default=None), bad)

    async def find(self, payment: PaymentToPush) -> ErpId | None:
        """Return the payment that carries our key as its external id."""
        result = await self._reader.by_external_id(KIND, payment.external_key)
        return None if result is None else ErpId(result.id)

    async def create(self, payment: PaymentToPush) -> ErpId:
        """Pay the bill, or several of one vendor, from the bank account the payment names.

        NetSuite's own draft of the payment gives the payable account, the currency and the bill's place in the apply
        list.

        Raises:
            Rejected: PAYABLE_MISSING, ALREADY_PAID, BILL_NOT_APPROVED or ACCOUNT_REFUSED.
        """
        draft = await self._draft(payment)
        bank = await self._accounts.need_money(payment.bank_account)
        places = {_doc(line): wire.text(line, "line") for line in draft.lines("applyList", "apply")}
        applied = [
            given(
                apply=True,
                doc=int(bill),
                line=int(number) if (number := places.get(bill)) else None,
                amount=wire.plain(amount),
            )
            for bill, amount in _shares(payment)
        ]
        record = given(
            externalId=payment.external_key,
            tranId=payment.reference,
            account=reference(bank),
            apAcct=reference(wire.ref_id(draft.fields, "apAcct")),
            entity=reference(payment.vendor_id),
            tranDate=wire.noon(payment.paid_on, wire.zone(wire.text(draft.fields, "tranDate"))),
            # The other ones need features that not every account has.
            toBePrinted=True if payment.method.casefold() == "check" else None,
            currency=reference(wire.ref_id(draft.fields, "currency")),
            memo=wire.carried(" ".join(one for one in (payment.memo, payment.external_id) if one)),
            applyList={"replaceAll": False, "apply": applied},
            creditList=_credit_list(payment),
        )
        return ErpId(await self._writer.add("VendorPayment", record))

    async def _draft(self, payment: PaymentToPush) -> NsRecord:
        try:
            return await self._reader.initialize(KIND, "vendorBill", payment.bill_document)
        except (NotFound, Rejected) as error:
            if error.code not in NOT_TO_BE_PAID:
                raise
            raise await self._why_not(payment, error) from error

    async def _why_not(self, payment: PaymentToPush, error: ErpError) -> ErpError:
        evidence: Mapping[str, str] = {"document": payment.bill_document, **error.evidence}
        try:
            bill = await self._reader.record("vendorBill", payment.bill_document)
        except NotFound:
            message = f"NetSuite does not show bill {payment.bill_document}, so there is nothing to pay."
            return Rejected(message, code="PAYABLE_MISSING", erp_code=error.erp_code, evidence=evidence)
        state = wire.text(bill.fields, "status") or ""
        if state.casefold() == "paid in full":
            return Rejected("NetSuite shows the bill as paid in full.", code="ALREADY_PAID", evidence=evidence)
        if state.casefold() in statuses.PENDING_BILLS:
            message = "NetSuite holds the bill back until it is approved there."
            return Rejected(message, code="BILL_NOT_APPROVED", evidence=evidence)
        message = f"NetSuite makes no payment of the bill, which is {state or 'in no state'}: {error.message}"
        return Rejected(message, code="PAYABLE_MISSING", erp_code=error.erp_code, evidence=evidence)

    async def read_back(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        """Return what NetSuite holds of the payment, and what is now due on the bill.

        Raises:
            OutcomeUnknown: either is not shown.
            Unusable: the due amount cannot be read.
        """
        read = await self._reader.records([(KIND, erp_id)])
        try:
            record = reader.shown(read, erp_id)
        except NotFound as error:
            raise OutcomeUnknown(f"NetSuite does not show payment {erp_id}.", code="OUTCOME_UNKNOWN") from error
        await self._currencies.know({known for known in [wire.ref_id(record.fields, "currency")] if known})
        existing = self._payment(record)
        # A page of bills shows one by its newest payment.
        parts = await paid_documents(self._bills, [bill for bill, _ in _shares(payment)], revision=existing.revision)
        return PushedPayment(
            erp_id=erp_id,
            state=existing.state,
            settled=existing.settled and not existing.voided,
            amount=existing.amount,
            revision=existing.revision,
            payable_id=parts[0].payable_id,
            bill_paid=sum((part.paid for part in parts), translate.ZERO),
            bill_due=sum((part.due for part in parts), translate.ZERO),
            bill_revision=existing.revision,
            shares=existing.shares if payment.credits else (),
            parts=tuple(parts) if payment.parts else (),
        )

    def _payment(self, record: NsRecord) -> ErpPayment:
        """Return a payment in our form.

        Raises:
            Unusable: the record cannot be used.
        """
        shares = tuple(
            ErpPaymentShare(bill_erp_id=ErpId(doc), amount=amount) for doc, amount in transactions.applied(record)
        )
        total = translate.money(record.fields, "total")
        if total is None:
            total = sum((share.amount for share in shares), translate.ZERO)
        state = wire.text(record.fields, "status") or ""
        return ErpPayment(
            erp_id=ErpId(record.id),
            vendor_id=translate.need_ref(record, "entity").id,
            paid_on=translate.need_day(record, "tranDate"),
            amount=total,
            currency=self._currencies.of(record.fields),
            state=state,
            voided=state.casefold() in statuses.VOID_PAYMENTS,
            settled=state.casefold() not in statuses.WAITING_PAYMENTS,
            document_number=record.external_id or wire.text(record.fields, "tranId"),
            revision=translate.revision(record),
            shares=shares,
        )


async def paid_documents(bills: BillsIn, documents: Sequence[str], *, revision: str | None) -> Sequence[PartPaid]:
    """Return what is paid and due on these bills.

    Raises:
        OutcomeUnknown: NetSuite does not show one of them.
        Unusable: a due amount cannot be read.
    """
    shown = await bills.due(documents)
    parts: list[PartPaid] = []
    for document in documents:
        due = shown.get(document)
        if due is None:
            raise OutcomeUnknown(f"NetSuite does not show bill {document}.", code="OUTCOME_UNKNOWN")
        if isinstance(due, Unusable):
            raise due
        parts.append(
            PartPaid(
                document_id=DocumentId(document),
                payable_id=ErpId(document),
                paid=due.paid,
                due=due.due,
                revision=revision,
            )
        )
    return parts


def _shares(payment: PaymentToPush) -> Sequence[tuple[str, Decimal]]:
    """Return the bills that are paid, with what each gets in money and credits."""
    if payment.parts:
        credited: dict[str, Decimal] = {}
        for credit in payment.credits:
            credited[credit.document_id] = credited.get(credit.document_id, translate.ZERO) + credit.amount
        return [
            (part.document_id, part.amount + credited.get(part.document_id, translate.ZERO)) for part in payment.parts
        ]
    return [(payment.bill_document, payment.amount)]


def _credit_list(payment: PaymentToPush) -> dict[str, Any] | None:
    """Return the credits that go with the payment. Its list names no bills: NetSuite chooses among those that are paid,
    and the payment's total is what remains as money (5.4)."""
    amounts: dict[str, Decimal] = {}
    for credit in payment.credits:
        amounts[credit.credit_erp_id] = amounts.get(credit.credit_erp_id, translate.ZERO) + credit.amount
    lines = [{"apply": True, "doc": int(one), "amount": wire.plain(amount)} for one, amount in amounts.items()]
    return {"replaceAll": False, "credit": lines} if lines else None


def _doc(line: Any) -> str | None:
    return wire.text(line, "doc")
