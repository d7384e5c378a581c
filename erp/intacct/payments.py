"""Read and write payments (reference 3.6)."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from erp.errors import OutcomeUnknown, Rejected
from erp.intacct import adjustments_in, statuses, translate, wire
from erp.intacct.client import IntacctClient
from erp.intacct.direct_bills import record_of
from erp.intacct.documents import changed_since
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from erp.roles.pages import Page
from erp.transport import malformed
from models.domain.ids import DocumentId, ErpId
from models.domain.payments import (
    ErpPayment,
    ErpPaymentShare,
    OfferedMethod,
    PartPaid,
    PaymentCredit,
    PaymentMethod,
    PaymentPart,
    PaymentToPush,
    PostsWhen,
    PushedPayment,
)

PAYMENT_METHODS: Mapping[str, str] = {
    PaymentMethod.CHECK: "Printed Check",
    PaymentMethod.EFT: "EFT",
    PaymentMethod.ACH: "ACH",
    PaymentMethod.CASH: "Cash",
    PaymentMethod.CARD: "Credit Card",
}
"""Our names of payment methods to Intacct's. Any other name is sent unchanged: older payments may have one (reference
3.6)."""

OFFERED_METHODS = tuple(
    OfferedMethod(method=method, posts=posts)
    for method, posts in (
        (PaymentMethod.CHECK, PostsWhen.CONFIRMED),
        (PaymentMethod.EFT, PostsWhen.AT_ONCE),
        (PaymentMethod.ACH, PostsWhen.CONFIRMED),
        (PaymentMethod.CASH, PostsWhen.AT_ONCE),
        (PaymentMethod.CARD, PostsWhen.AT_ONCE),
    )
)
"""Which methods Intacct posts at once; the others stop at Approved until somebody confirms them (reference 3.6)."""

DETAILS = "APPYMTDETAILS"


class Payments:
    """Reads and writes the payments of one connection."""

    def __init__(
        self, client: IntacctClient, reader: IntacctReader, preferences: Preferences, home_level: str | None
    ) -> None:
        self._client = client
        self._reader = reader
        self._preferences = preferences
        self._level = home_level

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpPayment]:
        """Read a page of payments, with what each paid."""
        query = Query(
            "APPYMT",
            ("RECORDNO", "WHENMODIFIED"),
            changed_since(since),
            optional=("AUWHENCREATED", "MEGAENTITYID"),
            after=after,
        )
        (page,) = await self._reader.first_pages([query], level=self._level)
        listed = [row for row in page.rows if "RECORDNO" in row]
        records = await self._reader.read_owned("APPYMT", listed, level=self._level)

        def payment(row: Row) -> ErpPayment:
            record = translate.shown(records, row)
            return _payment(wire.flat(record), wire.owned_rows(record, DETAILS))

        payments, bad = translate.usable(listed, payment)
        high_water = max((payment.revision for payment in payments), default=None)
        return Page(payments, page.last if page.more else None, high_water, bad)

    async def find(self, payment: PaymentToPush) -> ErpId | None:
        """Return the payment of this vendor that carries our key.

        It is its document number, or stands behind its description where people gave it a number.
        """
        (rows,) = await self._reader.all_rows([_own_query(payment)], level=payment.owner_entity)
        own = sorted((row for row in rows if _is_own(payment, row)), key=_is_void)
        return ErpId(own[0]["RECORDNO"]) if own else None

    async def create(self, payment: PaymentToPush) -> ErpId:
        """Pay the bill that now stands behind the vendor invoice; an edit may have replaced it (reference 3.4). A bill
        without an order stands for itself.

        Raises:
            Rejected: PAYABLE_MISSING.
            MalformedAnswer: the answer lacks the new payment.
        """
        parts = payment.parts or (_as_one_part(payment),)
        payables = {part.document_id: known for part in parts if (known := _known_payable(part)) is not None}
        behind = [part.document_id for part in parts if part.document_id not in payables]
        if behind:
            (invoices,) = await self._reader.all_rows([self._invoice_query(behind)], level=payment.owner_entity)
            by_document = {row.get("DOCID", behind[0]): row for row in invoices}
            payables |= {document: _payable_of(document, by_document.get(document)) for document in behind}
        body = appymt(
            payment,
            [(payables[part.document_id], part.amount) for part in parts],
            [(payables[credit.document_id], credit) for credit in payment.credits],
        )
        result = await self._client.write(body, control_id=payment.external_key, level=payment.owner_entity)
        number = result.key or (result.data.findtext("*/RECORDNO") if result.data is not None else None)
        if not number:
            raise malformed("Intacct accepted the payment without naming it.", writing=True)
        return ErpId(number)

    async def read_back(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        """Return what Intacct holds of the payment, and what is now due on the bill.

        Raises:
            OutcomeUnknown: reads do not show them yet (reference 2.5 point 4).
        """
        # The same request reads the bill by its last known number and checks that it still has that number.
        if payment.parts:
            return await self._read_back_parts(payment, erp_id)
        direct = record_of(payment.bill_document)
        queries = [_bill_query([direct or payment.payable_hint or "0"])]
        if direct is None:
            queries.append(self._invoice_query([payment.bill_document]))
        (known, *invoices), record = await self._reader.pages_and_record(
            queries, "APPYMT", erp_id, level=payment.owner_entity
        )
        if record is None:
            raise OutcomeUnknown(f"Intacct does not show payment {erp_id} yet.", code="OUTCOME_UNKNOWN")
        # An unusable record raises MalformedAnswer, never Rejected: it is there, so the write was not refused.
        existing = _payment(wire.flat(record), wire.owned_rows(record, DETAILS))
        # If the invoice is not shown, the payment itself says what it paid.
        shown = [row["PRRECORDKEY"] for page in invoices for row in page.rows if "PRRECORDKEY" in row]
        payable = direct or next(iter((*shown, *(share.bill_erp_id for share in existing.shares))), "0")
        bills = known.rows
        if payable not in (direct, payment.payable_hint):
            (bills,) = await self._reader.all_rows([_bill_query([payable])], level=payment.owner_entity)
        if not bills:
            raise OutcomeUnknown(f"Intacct does not show bill {payable} yet.", code="OUTCOME_UNKNOWN")
        paid, due = _amount(bills[0], "TOTALPAID"), _amount(bills[0], "TOTALDUE")
        return PushedPayment(
            erp_id=erp_id,
            state=existing.state,
            settled=existing.state.casefold() in statuses.SETTLED_PAYMENT_STATES,
            amount=existing.amount,
            revision=existing.revision,
            payable_id=ErpId(payable),
            bill_paid=paid,
            bill_due=due,
            bill_revision=translate.revision(bills[0]) if bills[0].get("WHENMODIFIED") else None,
        )

    async def _read_back_parts(self, payment: PaymentToPush, erp_id: ErpId) -> PushedPayment:
        """Return what Intacct holds of a payment over several documents, and what is now due on each.

        Raises:
            OutcomeUnknown: reads do not show them yet.
            Rejected: PAYMENT_SPLIT, if Intacct made several payments of the one that was sent.
        """
        documents = [part.document_id for part in payment.parts]
        payables = {part.document_id: known for part in payment.parts if (known := _known_payable(part)) is not None}
        behind = [document for document in documents if document not in payables]
        queries = [_own_query(payment), *([self._invoice_query(behind)] if behind else [])]
        (own, *invoices), record = await self._reader.pages_and_record(
            queries, "APPYMT", erp_id, level=payment.owner_entity
        )
        if record is None:
            raise OutcomeUnknown(f"Intacct does not show payment {erp_id} yet.", code="OUTCOME_UNKNOWN")
        existing = _payment(wire.flat(record), wire.owned_rows(record, DETAILS))
        _refuse_split(payment, own.rows)
        rows = [row for page in invoices for row in page.rows]
        payables |= _payables_of(rows)
        parts = await self._figures(documents, payables, level=payment.owner_entity)
        revisions = [part.revision for part in parts if part.revision is not None]
        # Of one that was split, the ones too many are void by now: it pays less than was asked.
        left = sum((share.amount for share in existing.shares), Decimal(0))
        return PushedPayment(
            erp_id=erp_id,
            shares=existing.shares if left != payment.amount else (),
            state=existing.state,
            settled=existing.state.casefold() in statuses.SETTLED_PAYMENT_STATES,
            amount=existing.amount,
            revision=existing.revision,
            payable_id=parts[0].payable_id,
            bill_paid=sum((part.paid for part in parts), Decimal(0)),
            bill_due=sum((part.due for part in parts), Decimal(0)),
            bill_revision=max(revisions, default=None),
            parts=tuple(parts),
        )

    async def figures(self, parts: Sequence[PaymentPart], *, level: str | None) -> Sequence[PartPaid]:
        """Return what is now paid and due on each of these documents.

        Raises:
            OutcomeUnknown: reads do not show them.
        """
        payables = {part.document_id: known for part in parts if (known := _known_payable(part)) is not None}
        behind = [part.document_id for part in parts if part.document_id not in payables]
        if behind:
            (invoices,) = await self._reader.all_rows([self._invoice_query(behind)], level=level)
            payables |= _payables_of(invoices)
        return await self._figures([part.document_id for part in parts], payables, level=level)

    async def _figures(
        self, documents: Sequence[DocumentId], payables: Mapping[DocumentId, ErpId], *, level: str | None
    ) -> Sequence[PartPaid]:
        lost = [document for document in documents if document not in payables]
        if lost:
            raise OutcomeUnknown(f"Intacct does not show the bill behind {lost[0]} yet.", code="OUTCOME_UNKNOWN")
        (bills,) = await self._reader.all_rows([_bill_query(sorted(set(payables.values())))], level=level)
        by_number = {row["RECORDNO"]: row for row in bills if "RECORDNO" in row}
        parts: list[PartPaid] = []
        for document in documents:
            bill = by_number.get(payables[document])
            if bill is None:
                raise OutcomeUnknown(f"Intacct does not show bill {payables[document]} yet.", code="OUTCOME_UNKNOWN")
            parts.append(
                PartPaid(
                    document_id=document,
                    payable_id=ErpId(payables[document]),
                    paid=_amount(bill, "TOTALPAID"),
                    due=_amount(bill, "TOTALDUE"),
                    revision=translate.revision(bill) if bill.get("WHENMODIFIED") else None,
                )
            )
        return parts

    def _invoice_query(self, documents: Sequence[DocumentId]) -> Query:
        template = self._preferences.needed_vendor_invoice_template()
        where = wire.all_of(wire.equal("DOCPARID", template), _is_any("DOCID", documents))
        return Query("PODOCUMENT", ("RECORDNO", "DOCID", "PRRECORDKEY"), where, docparid=template)


def _as_one_part(payment: PaymentToPush) -> PaymentPart:
    return PaymentPart(
        document_id=payment.bill_document,
        erp_id=payment.bill_erp_id,
        payable_hint=payment.payable_hint,
        amount=payment.amount,
    )


def _payables_of(invoices: Sequence[Row]) -> dict[DocumentId, ErpId]:
    """Return the bill behind each vendor invoice that has one."""
    return {
        DocumentId(row["DOCID"]): ErpId(row["PRRECORDKEY"])
        for row in invoices
        if {"DOCID", "PRRECORDKEY"} <= row.keys()
    }


def _known_payable(part: PaymentPart) -> ErpId | None:
    """Return the bill of a document that is no vendor invoice; None: the bill behind the vendor invoice is to be looked
    up."""
    return ErpId(part.document_id) if part.payable_itself else record_of(part.document_id)


_KEY_BEHIND = re.compile(r"\[(PSP-[0-9A-Z]+)\]\s*$")


def _own_query(payment: PaymentToPush) -> Query:
    number = payment.reference or payment.external_key
    where = wire.all_of(wire.equal("DOCNUMBER", number), wire.equal("VENDORID", payment.vendor_id))
    return Query("APPYMT", ("RECORDNO", "STATE"), where, optional=("DESCRIPTION",))


def _is_own(payment: PaymentToPush, row: Row) -> bool:
    return "RECORDNO" in row and (payment.reference is None or _key_of(row) == payment.external_key)


def _is_void(row: Row) -> bool:
    return row.get("STATE", "").casefold() in statuses.VOID_PAYMENT_STATES


def _key_of(row: Row) -> str | None:
    """Return our key of a payment to which people gave a number; None: its number may be the key."""
    behind = _KEY_BEHIND.search(row.get("DESCRIPTION", ""))
    return None if behind is None else behind.group(1)


def _refuse_split(payment: PaymentToPush, rows: Sequence[Row]) -> None:
    own = [row["RECORDNO"] for row in rows if _is_own(payment, row) and not _is_void(row)]
    if len(own) > 1:
        raise Rejected(
            f"Intacct made {len(own)} payments of the one that was sent: {', '.join(own)}.",
            code="PAYMENT_SPLIT",
            evidence={"payments": ", ".join(own)},
        )


def _payable_of(document: DocumentId, invoice: Row | None) -> ErpId:
    """Return the bill that now stands behind the vendor invoice.

    Raises:
        Rejected: PAYABLE_MISSING.
    """
    payable = invoice.get("PRRECORDKEY") if invoice else None
    if payable:
        return ErpId(payable)
    why = "has posted no bill" if invoice else "is not shown by Intacct"
    raise Rejected(
        f"{document} {why}, so there is nothing to pay.",
        code="PAYABLE_MISSING",
        evidence={"document": document},
    )


def _bill_query(numbers: Sequence[str]) -> Query:
    return Query(
        "APBILL",
        ("RECORDNO", "TOTALPAID", "TOTALDUE", "WHENMODIFIED"),
        _is_any("RECORDNO", numbers),
        optional=("TRX_TOTALPAID", "TRX_TOTALDUE"),
    )


def appymt(
    payment: PaymentToPush,
    shares: Sequence[tuple[str, Decimal]],
    credits: Sequence[tuple[str, PaymentCredit]] = (),
) -> str:
    """Return the generic create of one payment as XML. `shares`: the bills that it pays, with what each gets;
    `credits`: the bills that credits go to. A detail has money or one credit, never both (reference 3.6)."""
    return "".join(
        (
            "<create><APPYMT>",
            wire.element("FINANCIALENTITY", payment.bank_account),
            wire.element("PAYMENTMETHOD", PAYMENT_METHODS.get(payment.method.casefold(), payment.method)),
            wire.element("VENDORID", payment.vendor_id),
            # The vendor's own setting might make several payments of it.
            wire.element("PAYMENTREQUESTMETHOD", "vendor"),
            wire.element("PAYMENTDATE", wire.generic_date(payment.paid_on)),
            wire.element("CURRENCY", payment.currency),
            wire.element("BASECURR", payment.currency),
            wire.element("DOCNUMBER", payment.reference or payment.external_key),
            wire.element("DESCRIPTION", _description(payment)),
            "<ACTION>Submit</ACTION><APPYMTDETAILS>",
            *(_detail(payable, amount) for payable, amount in shares if amount),
            *(_credit_detail(payable, credit) for payable, credit in credits),
            "</APPYMTDETAILS></APPYMT></create>",
        )
    )


def _description(payment: PaymentToPush) -> str:
    said = " ".join(one for one in (payment.memo, payment.external_id) if one)
    return said if payment.reference is None else f"{said} [{payment.external_key}]".strip()


def _detail(payable: str, amount: Decimal) -> str:
    return (
        "<APPYMTDETAIL>"
        + wire.element("RECORDKEY", payable)
        + wire.element("TRX_PAYMENTAMOUNT", wire.plain(amount))
        + "</APPYMTDETAIL>"
    )


def _credit_detail(payable: str, credit: PaymentCredit) -> str:
    return (
        "<APPYMTDETAIL>"
        + wire.element("RECORDKEY", payable)
        + wire.element("ADJUSTMENTKEY", adjustments_in.record_of(credit.credit_erp_id))
        + wire.element("TRX_ADJUSTMENTAMOUNT", wire.plain(credit.amount))
        + "</APPYMTDETAIL>"
    )


def _is_any(field: str, values: Sequence[str]) -> str:
    return wire.equal(field, values[0]) if len(values) == 1 else wire.one_of(field, values)


def _amount(row: Row, field: str) -> Decimal:
    value = translate.optional_decimal(row, f"TRX_{field}")
    return value if value is not None else translate.need_decimal(row, field)


def _payment(row: Row, details: list[Row]) -> ErpPayment:
    shares = tuple(
        ErpPaymentShare(bill_erp_id=ErpId(detail["RECORDKEY"]), amount=_share(detail))
        for detail in details
        # A detail without money applies a credit.
        if "RECORDKEY" in detail and _share(detail)
    )
    state = translate.need(row, "STATE")
    return ErpPayment(
        erp_id=ErpId(translate.need(row, "RECORDNO")),
        vendor_id=translate.need(row, "VENDORID"),
        paid_on=_paid_on(row),
        amount=_total(row, shares),
        currency=row.get("CURRENCY") or row.get("BASECURR") or "",
        state=state,
        voided=state.casefold() in statuses.VOID_PAYMENT_STATES,
        document_number=_key_of(row) or row.get("DOCNUMBER"),
        revision=translate.revision(row),
        shares=shares,
    )


def _paid_on(row: Row) -> date:
    field = next((name for name in ("PAYMENTDATE", "WHENPAID", "WHENCREATED") if name in row), "PAYMENTDATE")
    return translate.need_day(row, field)


def _share(detail: Row) -> Decimal:
    value = translate.optional_decimal(detail, "TRX_PAYMENTAMOUNT")
    return value if value is not None else translate.need_decimal(detail, "PAYMENTAMOUNT")


def _total(row: Row, shares: tuple[ErpPaymentShare, ...]) -> Decimal:
    # Tenants show different fields of these; the sum of a payment's shares is always its amount.
    for field in ("TRX_TOTALENTERED", "AMOUNTTOPAY", "TOTALENTERED"):
        value = translate.optional_decimal(row, field)
        if value is not None:
            return value
    if not shares:
        translate.need(row, "TRX_TOTALENTERED")
    return sum((share.amount for share in shares), Decimal(0))
