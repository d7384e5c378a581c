"""Send credits of vendors as vendor credits (reference 4, 5.4). Our key is the external id.

A credit of quantities is created from the bill that billed them, and each of its lines names that bill's line: so
NetSuite itself knows which order line it gives back. Money only goes out as expense lines.
"""

from collections.abc import Iterator, Sequence
from datetime import timezone
from decimal import Decimal
from typing import Any

from erp.errors import Duplicate, NotFound, OutcomeUnknown, Rejected
from erp.netsuite import credits, own_fields, reader, transactions, translate, wire
from erp.netsuite.accounts import Accounts
from erp.netsuite.bill_edits import text_difference
from erp.netsuite.bill_parts import BillParts
from erp.netsuite.bills_in import BillsIn
from erp.netsuite.currencies import Currencies
from erp.netsuite.lists import PAYABLE
from erp.netsuite.own_fields import OwnFields
from erp.netsuite.preferences import Preferences
from erp.netsuite.reader import Reader
from erp.netsuite.wire import Fields, NsRecord
from erp.netsuite.writer import Writer, given, reference
from erp.roles.pages import Page
from models.domain.bills import ErpBill, PushedBill
from models.domain.credits import ApplicationToPush, AppliedCredit, CreditLineToPush, CreditToPush
from models.domain.ids import DocumentId, ErpId

KIND = "vendorCredit"


class Credits:
    """Writes the credits of one connection."""

    def __init__(
        self,
        source: Reader,
        writer: Writer,
        currencies: Currencies,
        accounts: Accounts,
        preferences: Preferences,
        parts: BillParts,
        bills: BillsIn,
    ) -> None:
        self._reader = source
        self._writer = writer
        self._currencies = currencies
        self._accounts = accounts
        self._preferences = preferences
        self._parts = parts
        self._bills = bills

    async def find(self, credit: CreditToPush) -> DocumentId | None:
        """Return the credit that carries our key as its external id."""
        result = await self._reader.by_external_id(KIND, credit.external_key)
        return None if result is None else DocumentId(result.id)

    async def create(self, credit: CreditToPush) -> DocumentId:
        """Add the credit under our key; a second attempt is refused as Duplicate.

        Raises:
            Duplicate: NetSuite has a credit with our key.
            Rejected: the bill is gone, or has no line of the order any more; and what NetSuite's rules refuse.
        """
        return DocumentId(await self._writer.add("VendorCredit", await self._vendor_credit(credit)))

    async def _vendor_credit(self, credit: CreditToPush) -> dict[str, Any]:
        bill = None if credit.bill_erp_id is None else await self._bill(credit)
        like = bill if bill is not None else await self._vendor(credit)
        dated_by = wire.text(like.fields, "tranDate") or wire.text(like.fields, "lastModifiedDate")
        zone = wire.zone(dated_by or wire.text(like.fields, "dateCreated"))
        account = self._preferences.ap_account
        payable = wire.ref_id(bill.fields, "account") if bill is not None else None
        if payable is None and account:
            payable = await self._accounts.need(PAYABLE, account, "payable account")
        own = self._preferences.line_fields
        items = [_item(credit, line, bill, own, zone) for line in credit.lines if line.quantity is not None]
        expenses = [_expense(line) for line in credit.lines if line.quantity is None]
        subsidiary = credit.entity or wire.ref_id(like.fields, "subsidiary")
        return given(
            externalId=credit.external_key,
            createdFrom=reference(bill.id) if bill is not None and items else None,
            account=reference(payable),
            entity=reference(credit.vendor_id),
            subsidiary=reference(subsidiary),
            postingPeriod=reference(await self._parts.posting_period(credit.credit_date, credit.posting_date, zone)),
            tranDate=wire.noon(credit.credit_date, zone),
            tranId=wire.carried(credit.number),
            memo=wire.carried(credit.memo),
            currency=reference((await self._currencies.by_code()).get(credit.currency)),
            # Else NetSuite may spread it over the oldest bills.
            autoApply=False,
            itemList={"replaceAll": False, "item": items} if items else None,
            expenseList={"replaceAll": False, "expense": expenses} if expenses else None,
        )

    async def _bill(self, credit: CreditToPush) -> NsRecord:
        try:
            return await self._reader.record("vendorBill", str(credit.bill_erp_id))
        except NotFound as error:
            raise Rejected(
                f"NetSuite shows no bill {credit.bill_erp_id} any more.",
                code="PAYABLE_MISSING",
                erp_code=error.erp_code,
                evidence={"bill": str(credit.bill_erp_id)},
            ) from error

    async def _vendor(self, credit: CreditToPush) -> NsRecord:
        try:
            return await self._reader.record("vendor", credit.vendor_id)
        except NotFound as error:
            raise Rejected(
                f"NetSuite shows no vendor {credit.vendor_id} any more.",
                code="VENDOR_NOT_FOUND",
                erp_code=error.erp_code,
                evidence={"vendor": credit.vendor_id},
            ) from error

    async def read_back(self, credit: CreditToPush, document: DocumentId) -> PushedBill:
        """Read the credit back and compare it with what was sent.

        Raises:
            OutcomeUnknown: the credit is not shown: it was written, and has to be looked up again.
        """
        read = await self._reader.records([(KIND, document)])
        try:
            record = reader.shown(read, document)
        except NotFound as error:
            raise OutcomeUnknown(f"NetSuite does not show credit {document}.", code="OUTCOME_UNKNOWN") from error
        return PushedBill(
            erp_id=ErpId(record.id),
            document_id=document,
            payable_id=ErpId(record.id),
            total=-credits.total_of(record),
            revision=translate.revision(record),
            linked=True,
            differences=tuple(_differences(credit, record)),
        )

    async def read(self, credits: Sequence[ErpId], bills: Sequence[ErpId]) -> Page[ErpBill]:
        """Read these credits and bills, each whole; what NetSuite does not show is left out."""
        return await self._bills.read(credits, bills)

    async def find_application(self, application: ApplicationToPush) -> AppliedCredit | None:
        """Return that the credit's own list applies it to the bill with the whole amount."""
        record = await self._reader.record(KIND, application.credit_erp_id)
        on_bill = applied_to(record, application.bill_erp_id)
        return AppliedCredit(payment=None) if on_bill == application.on_bill else None

    async def apply(self, application: ApplicationToPush) -> AppliedCredit:
        """Name the bill in the credit's own list, with the whole amount: a repeat says the same once more."""
        await set_applied(self._writer, application.credit_erp_id, application.bill_erp_id, application.on_bill)
        return AppliedCredit(payment=None)

    async def unapply(self, application: ApplicationToPush) -> None:
        """Take the application off the credit's own list.

        Raises:
            Duplicate: it is not applied to the bill any more.
        """
        record = await self._reader.record(KIND, application.credit_erp_id)
        now = applied_to(record, application.bill_erp_id)
        if not now:
            raise Duplicate(f"Credit {record.id} is not applied to the bill any more.", code="ALREADY_SENT")
        await set_applied(self._writer, application.credit_erp_id, application.bill_erp_id, now - application.amount)


async def set_applied(writer: Writer, credit: ErpId, bill: ErpId, amount: Decimal) -> None:
    """Have a credit's own list apply so much of it to a bill; nothing: take the bill off the list."""
    line: dict[str, Any] = {"apply": amount > 0, "doc": int(bill)}
    if amount > 0:
        line["amount"] = wire.plain(amount)
    values = {"internalId": credit, "applyList": {"replaceAll": False, "apply": [line]}}
    await writer.update("VendorCredit", values)


def applied_to(record: NsRecord, bill: ErpId) -> Decimal:
    """Return what a credit is applied with to a bill."""
    return sum((amount for document, amount in transactions.applied(record) if document == bill), translate.ZERO)


def _item(
    credit: CreditToPush, line: CreditLineToPush, bill: NsRecord | None, own: OwnFields, zone: timezone
) -> dict[str, Any]:
    billed = None if bill is None else _billed_line(bill, line)
    if billed is None:
        raise Rejected(
            f"No line of bill {credit.bill_erp_id} bills the order line of line {line.line_no} any more.",
            code="CONTENT_CONFLICT",
            evidence={"line": str(line.line_no), "order_line": str(line.order_line or "")},
        )
    item = wire.ref_id(billed, "item")
    return given(
        item=reference(item),
        orderLine=int(wire.text(billed, "line") or 0),
        quantity=None if line.quantity is None else wire.plain(line.quantity),
        amount=wire.plain(line.amount),
        department=reference(line.department or wire.ref_id(billed, "department")),
        **{"class": reference(line.class_id or wire.ref_id(billed, "class"))},
        location=reference(line.location or wire.ref_id(billed, "location")),
        customer=reference(line.project or wire.ref_id(billed, "customer")),
        **own_fields.copied(billed, own, zone),
    )


def _billed_line(bill: NsRecord, line: CreditLineToPush) -> Fields | None:
    """Return the bill's line that bills the order line; None: no line does, or several do."""
    same: list[Fields] = []
    for fields, expense in credits.lines_of(bill):
        order, number = wire.text(fields, "orderDoc"), wire.text(fields, "orderLine")
        if order and number and translate.line_id(order, number, expense=expense) == line.order_line:
            same.append(fields)
    return same[0] if len(same) == 1 else None


def _expense(line: CreditLineToPush) -> dict[str, Any]:
    return given(
        account=reference(line.account),
        amount=wire.plain(line.amount),
        memo=wire.carried(line.description),
        department=reference(line.department),
        **{"class": reference(line.class_id)},
        location=reference(line.location),
        customer=reference(line.project),
    )


def _differences(credit: CreditToPush, record: NsRecord) -> Iterator[str]:
    values = record.fields
    count = sum(1 for _ in credits.lines_of(record))
    pairs = [
        ("the vendor", credit.vendor_id, wire.ref_id(values, "entity")),
        ("the number", wire.carried(credit.number), wire.text(values, "tranId")),
        ("our key", credit.external_key.casefold(), (record.external_id or "").casefold()),
        ("the date", credit.credit_date, translate.optional_day(record, "tranDate")),
        ("the total", credit.total, credits.total_of(record)),
        ("the number of lines", len(credit.lines), count),
    ]
    for what, sent, existing in pairs:
        if sent != existing:
            yield f"{what}: sent {sent}, NetSuite has {existing or 'nothing'}"
    if credit.memo:
        yield from text_difference("the memo", credit.memo, wire.text(values, "memo"))
