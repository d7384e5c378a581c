"""Send a bill without an order as a vendor bill of expense lines (reference 4, 7). Our key is its external id."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from erp.errors import Duplicate, NotFound, OutcomeUnknown, Rejected
from erp.netsuite import bill_edits, reader, translate, wire
from erp.netsuite.account_lines import expense_of, line_differences, pairs_of, updated_line
from erp.netsuite.accounts import Accounts
from erp.netsuite.bill_lines import NsLine, ns_lines
from erp.netsuite.bill_parts import BillParts
from erp.netsuite.currencies import Currencies
from erp.netsuite.lists import PAYABLE
from erp.netsuite.own_fields import OwnFields
from erp.netsuite.preferences import Preferences
from erp.netsuite.reader import Reader
from erp.netsuite.wire import NsRecord
from erp.netsuite.writer import Writer, given, reference
from models.domain.bills import AccountLineToPush, DirectBillToPush, PushedBill
from models.domain.ids import DocumentId, ErpId

KIND = "vendorBill"
PENDING, APPROVED = "1", "2"
"""`approvalStatus` of a bill that posts nothing yet, and of one that does."""


class DirectBills:
    """Writes the bills without an order of one connection."""

    def __init__(
        self,
        source: Reader,
        writer: Writer,
        currencies: Currencies,
        accounts: Accounts,
        preferences: Preferences,
        parts: BillParts,
    ) -> None:
        self._reader = source
        self._writer = writer
        self._currencies = currencies
        self._accounts = accounts
        self._preferences = preferences
        self._parts = parts

    async def find(self, bill: DirectBillToPush) -> DocumentId | None:
        """Return the bill that carries our key as its external id."""
        result = await self._reader.by_external_id(KIND, bill.external_key)
        return None if result is None else DocumentId(result.id)

    async def create(self, bill: DirectBillToPush) -> DocumentId:
        """Add the bill under our key; a second attempt is refused as Duplicate.

        Raises:
            Duplicate: NetSuite has a bill with our key.
            Rejected: CHARGES_NOT_TAKEN, ACCOUNT_REFUSED, PERIOD_CLOSED, VALUE_REFUSED, and what NetSuite's rules
                refuse.
        """
        return DocumentId(await self._writer.add("VendorBill", await self._vendor_bill(bill)))

    async def _vendor_bill(self, bill: DirectBillToPush) -> dict[str, Any]:
        vendor = await self._vendor(bill)
        # No order shows how the account writes its dates; the vendor's own stamps do.
        zone = wire.zone(wire.text(vendor.fields, "lastModifiedDate") or wire.text(vendor.fields, "dateCreated"))
        own = self._preferences.line_fields
        expenses = [expense_of(line, own, zone) for line in bill.lines]
        expenses += await self._parts.charges(bill.charges, like=bill.lines[0], zone=zone)
        account = self._preferences.ap_account
        return given(
            externalId=bill.external_key,
            account=reference(await self._accounts.need(PAYABLE, account, "payable account") if account else None),
            entity=reference(bill.vendor_id),
            subsidiary=reference(bill.entity or wire.ref_id(vendor.fields, "subsidiary")),
            postingPeriod=reference(await self._parts.posting_period(bill.bill_date, bill.posting_date, zone)),
            tranDate=wire.noon(bill.bill_date, zone),
            terms=reference(bill.term),
            dueDate=wire.noon(bill.due_date, zone) if bill.due_date is not None else None,
            tranId=wire.carried(bill.number),
            memo=wire.carried(bill.memo),
            currency=reference(await self._currency(bill)),
            approvalStatus=reference(PENDING if bill.draft else None),
            # Our lines are all there are: false never deletes any.
            expenseList={"replaceAll": False, "expense": expenses},
        )

    async def _vendor(self, bill: DirectBillToPush) -> NsRecord:
        """Return the bill's vendor.

        Raises:
            Rejected: VENDOR_NOT_FOUND.
        """
        try:
            return await self._reader.record("vendor", bill.vendor_id)
        except NotFound as error:
            raise Rejected(
                f"NetSuite shows no vendor {bill.vendor_id} any more.",
                code="VENDOR_NOT_FOUND",
                erp_code=error.erp_code,
                evidence={"vendor": bill.vendor_id},
            ) from error

    async def _currency(self, bill: DirectBillToPush) -> str | None:
        """Return the id of the bill's currency; None: the account keeps one currency only, and names none.

        Raises:
            Rejected: VALUE_REFUSED, when the account has no such currency.
        """
        known = await self._currencies.by_code()
        if known and bill.currency not in known:
            raise Rejected(
                f"NetSuite has no currency {bill.currency}.",
                code="VALUE_REFUSED",
                evidence={"currency": bill.currency},
            )
        return known.get(bill.currency)

    async def update(self, bill: DirectBillToPush, document: DocumentId, *, edition: int) -> None:
        """Change the bill to what it says now. If NetSuite holds the values already, nothing is sent.

        Raises:
            Duplicate: NetSuite holds the edition already.
            Rejected: the bill is gone, its lines no longer correspond, or NetSuite refused the edit.
        """
        try:
            record = await self._reader.record(KIND, document)
        except NotFound as error:
            message = f"Bill {document} is no longer in NetSuite, so it cannot be edited there."
            raise Rejected(message, code="DELETED_IN_ERP", evidence={"document": document}) from error
        pairs = pairs_of(bill.lines, ns_lines(record))
        own = self._preferences.line_fields
        if not _edit_differences(bill, record, pairs, own):
            raise Duplicate(f"NetSuite holds this edition of bill {document} already.", code="ALREADY_SENT")
        zone = wire.zone(wire.text(record.fields, "tranDate"))
        expenses = [updated_line(record, line, match, own, zone) for line, match in pairs if line.edited]
        await self._writer.update(
            "VendorBill",
            given(
                internalId=record.id,
                nullFieldList={"name": ["memo"]} if "memo" in bill.edited and not bill.memo else None,
                dueDate=wire.noon(bill.due_date, zone) if bill.due_date and "due_date" in bill.edited else None,
                memo=wire.carried(bill.memo) if "memo" in bill.edited else None,
                approvalStatus=reference(APPROVED if _is_released(bill) else None),
                expenseList={"replaceAll": False, "expense": expenses} if expenses else None,
            ),
        )

    async def read_back(self, bill: DirectBillToPush, document: DocumentId) -> PushedBill:
        """Read the bill back and compare it with what was sent.

        Raises:
            OutcomeUnknown: the bill is not shown: it was written, and has to be looked up again.
        """
        read = await self._reader.records([(KIND, document)])
        try:
            record = reader.shown(read, document)
        except NotFound as error:
            raise OutcomeUnknown(f"NetSuite does not show bill {document}.", code="OUTCOME_UNKNOWN") from error
        await self._currencies.know({known for known in [wire.ref_id(record.fields, "currency")] if known})
        own, existing = self._preferences.line_fields, ns_lines(record)
        pairs = pairs_of(bill.lines, existing)
        total = translate.money(record.fields, "userTotal")
        if total is None:
            total = sum((translate.money(one.fields, "amount") or translate.ZERO for one in existing), translate.ZERO)
        if bill.is_edit:
            differences = _edit_differences(bill, record, pairs, own)
        else:
            on_lines = _line_differences(bill, pairs, existing, own)
            differences = [*self._header_differences(bill, record, total), *on_lines]
        return PushedBill(
            erp_id=ErpId(record.id),
            document_id=document,
            payable_id=ErpId(record.id),
            total=total,
            revision=translate.revision(record),
            linked=True,
            due_date=translate.optional_day(record, "dueDate"),
            differences=tuple(differences),
        )

    def _header_differences(self, bill: DirectBillToPush, record: NsRecord, total: Decimal) -> Iterator[str]:
        values = record.fields
        pairs = [
            ("the vendor", bill.vendor_id, wire.ref_id(values, "entity")),
            ("the supplier's invoice number", wire.carried(bill.number), wire.text(values, "tranId")),
            ("our key", bill.external_key.casefold(), (record.external_id or "").casefold()),
            ("the currency", bill.currency, self._currencies.of(values) or bill.currency),
            ("the bill date", bill.bill_date, translate.optional_day(record, "tranDate")),
            ("the due date", bill.due_date, bill.due_date and translate.optional_day(record, "dueDate")),
            ("the total", bill.total, total),
        ]
        for what, sent, existing in pairs:
            if sent != existing:
                yield f"{what}: sent {sent}, NetSuite has {existing or 'nothing'}"
        # A field that we left to NetSuite's defaults never counts as a difference.
        if bill.memo:
            yield from bill_edits.text_difference("the memo", bill.memo, wire.text(values, "memo"))


Pairs = Sequence[tuple[AccountLineToPush, NsLine | None]]


def _is_released(bill: DirectBillToPush) -> bool:
    return "approval" in bill.edited and not bill.draft


def _line_differences(
    bill: DirectBillToPush, pairs: Pairs, existing: Sequence[NsLine], own: OwnFields
) -> Iterator[str]:
    expected = len(bill.lines) + len(bill.charges)
    if len(existing) != expected:
        yield f"the number of lines: sent {expected}, NetSuite has {len(existing)}"
        return
    for line, match in pairs:
        yield from line_differences(line, match, own)


def _edit_differences(bill: DirectBillToPush, record: NsRecord, pairs: Pairs, own: OwnFields) -> list[str]:
    results: list[str] = []
    if "memo" in bill.edited:
        results += bill_edits.text_difference("the memo", bill.memo, wire.text(record.fields, "memo"))
    due = translate.optional_day(record, "dueDate")
    if "due_date" in bill.edited and due != bill.due_date and bill.due_date is not None:
        results.append(f"the due date: sent {bill.due_date}, NetSuite has {due or 'nothing'}")
    if _is_released(bill) and wire.ref_id(record.fields, "approvalStatus") == PENDING:
        results.append("the approval: released, NetSuite has it as pending approval")
    for line, match in pairs:
        if line.edited:
            results += line_differences(line, match, own, only=line.edited)
    return results
