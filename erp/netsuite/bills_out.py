"""Send a bill as a vendor bill whose lines bill lines of orders (reference 3.5, 5.3, 7)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.errors import Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected
from erp.netsuite import bill_edits, own_fields, reader, translate, wire
from erp.netsuite.account_lines import expense_of, line_differences, pairs_of, updated_line
from erp.netsuite.accounts import Accounts
from erp.netsuite.bill_lines import Line, NsLine, expense, item, lines_of, ns_lines, order_line, paired
from erp.netsuite.bill_parts import BillParts
from erp.netsuite.bills_in import BillsIn
from erp.netsuite.currencies import Currencies
from erp.netsuite.lists import PAYABLE
from erp.netsuite.orders import Orders
from erp.netsuite.own_fields import OwnFields
from erp.netsuite.preferences import Preferences
from erp.netsuite.reader import Reader
from erp.netsuite.wire import NsRecord
from erp.netsuite.writer import Writer, given, reference
from erp.quantities import is_same
from models.domain.bills import AccountLineToPush, BillToPush, PushedBill
from models.domain.ids import DocumentId, ErpId
from models.domain.orders import PurchaseOrderSnapshot

KIND = "vendorBill"


class Bills(BillsIn):
    """Writes the vendor bills of one connection."""

    def __init__(
        self,
        source: Reader,
        writer: Writer,
        orders: Orders,
        currencies: Currencies,
        accounts: Accounts,
        preferences: Preferences,
        parts: BillParts,
        entity: str | None,
    ) -> None:
        super().__init__(source, currencies, entity)
        self._parts = parts
        self._writer = writer
        self._orders = orders
        self._accounts = accounts
        self._preferences = preferences

    async def find(self, bill: BillToPush) -> DocumentId | None:
        """Return the bill that carries our key as its external id."""
        result = await self._reader.by_external_id(KIND, bill.external_key)
        return None if result is None else DocumentId(result.id)

    async def create(self, bill: BillToPush) -> DocumentId:
        """Add the bill under our key; a second attempt is refused as Duplicate.

        Raises:
            Duplicate: NetSuite has a bill with our key.
            Rejected: ORDER_NOT_FOUND, ORDER_LINE_GONE, CHARGES_NOT_TAKEN, PERIOD_CLOSED, and what
                NetSuite's rules refuse, such as NOT_RECEIVED.
        """
        lines = lines_of(bill)
        orders = await self._orders_of(lines)
        home = orders[lines[0].order]
        await self._same_currency(bill, home)
        record = await self._vendor_bill(bill, lines, orders, home)
        return DocumentId(await self._writer.add("VendorBill", record))

    async def _same_currency(self, bill: BillToPush, home: NsRecord) -> None:
        """NetSuite would take the bill in the order's currency, at the same figures.

        Raises:
            Rejected: CURRENCY_REFUSED, when the order is in another currency than the bill.
        """
        await self._currencies.know({known for known in [wire.ref_id(home.fields, "currency")] if known})
        now = self._currencies.of(home.fields)
        if now and now != bill.currency:
            raise Rejected(
                f"Order {bill.order_number} is in {now} in NetSuite now, and the bill in {bill.currency}.",
                code="CURRENCY_REFUSED",
                evidence={"order": bill.order_number, "currency": now},
            )

    async def _orders_of(self, lines: Sequence[Line]) -> dict[str, NsRecord]:
        wanted = list(dict.fromkeys(line.order for line in lines))
        read = await self._reader.records([("purchaseOrder", order) for order in wanted])
        orders: dict[str, NsRecord] = {}
        for order in wanted:
            try:
                orders[order] = reader.shown(read, order)
            except NotFound as error:
                raise Rejected(
                    f"NetSuite shows no purchase order {order} any more.",
                    code="ORDER_NOT_FOUND",
                    erp_code=error.erp_code,
                    evidence=error.evidence,
                ) from error
        return orders

    async def _vendor_bill(
        self, bill: BillToPush, lines: Sequence[Line], orders: dict[str, NsRecord], home: NsRecord
    ) -> dict[str, Any]:
        zone = wire.zone(wire.text(home.fields, "tranDate"))
        own = self._preferences.line_fields
        items = [item(line, order_line(line, orders), own, zone) for line in lines if not line.expense]
        expenses = [expense(line, order_line(line, orders), own, zone) for line in lines if line.expense]
        expenses += [expense_of(line, own, zone) for line in bill.account_lines]
        expenses += await self._parts.charges(bill.charges, like=bill.lines[0], zone=zone)
        account = self._preferences.ap_account
        return given(
            externalId=bill.external_key,
            account=reference(await self._accounts.need(PAYABLE, account, "payable account") if account else None),
            entity=reference(bill.vendor_id),
            subsidiary=reference(wire.ref_id(home.fields, "subsidiary")),
            postingPeriod=reference(await self._parts.posting_period(bill.bill_date, bill.posting_date, zone)),
            tranDate=wire.noon(bill.bill_date, zone),
            terms=reference(bill.term),
            dueDate=wire.noon(bill.due_date, zone) if bill.due_date is not None else None,
            tranId=wire.carried(bill.number),
            memo=wire.carried(bill.memo),
            currency=reference(wire.ref_id(home.fields, "currency")),
            # Our lines are all there are: false never deletes any.
            expenseList={"replaceAll": False, "expense": expenses} if expenses else None,
            itemList={"replaceAll": False, "item": items} if items else None,
        )

    # --- editing ------------------------------------------------------------------------------------------------

    async def update(self, bill: BillToPush, document: DocumentId, *, edition: int) -> None:
        """Change the bill to what it says now. Values are absolute, so the edition needs no name of its own: if
        NetSuite holds them already, an earlier attempt was taken, and nothing is sent.

        Raises:
            Duplicate: NetSuite holds the edition already.
            Rejected: the bill is gone, its lines no longer correspond, or NetSuite refused the edit.
        """
        try:
            record = await self._reader.record(KIND, document)
        except NotFound as error:
            message = f"Bill {document} is no longer in NetSuite, so it cannot be edited there."
            raise Rejected(message, code="DELETED_IN_ERP", evidence={"document": document}) from error
        existing = ns_lines(record)
        pairs = paired(lines_of(bill), existing)
        off_order = pairs_of(bill.account_lines, existing, [match for _, match in pairs])
        own = self._preferences.line_fields
        if not [*bill_edits.differences(bill, record, pairs, own), *_edits_off_order(off_order, own)]:
            raise Duplicate(f"NetSuite holds this edition of bill {document} already.", code="ALREADY_SENT")
        zone = wire.zone(wire.text(record.fields, "tranDate"))
        expenses = [updated_line(record, line, match, own, zone) for line, match in off_order if line.edited]
        await self._writer.update("VendorBill", bill_edits.update(bill, record, pairs, zone, own, expenses))

    # --- reading back -------------------------------------------------------------------------------------------

    async def repair_link(self, bill: BillToPush, document_id: DocumentId) -> bool:
        """Do nothing: a bill is made from its order, and is not linked afterwards."""
        return False

    async def read_back(self, bill: BillToPush, document: DocumentId, *, with_order: bool = True) -> PushedBill:
        """Read the bill back and compare it with what was sent, together with the order as it is now.

        The order's snapshot needs all bills of the order: without `with_order` they are not read.

        Raises:
            OutcomeUnknown: the bill is not shown: it was written, and has to be looked up again.
        """
        home = bill.order_document
        now = await self._orders.clock() if with_order else None
        read = await self._reader.records([*([("purchaseOrder", home)] if with_order else []), (KIND, document)])
        try:
            record = reader.shown(read, document)
        except NotFound as error:
            raise OutcomeUnknown(f"NetSuite does not show bill {document}.", code="OUTCOME_UNKNOWN") from error
        await self._currencies.know({known for known in [wire.ref_id(record.fields, "currency")] if known})
        own, lines, existing = self._preferences.line_fields, lines_of(bill), ns_lines(record)
        pairs = paired(lines, existing)
        off_order = pairs_of(bill.account_lines, existing, [match for _, match in pairs])
        total = translate.money(record.fields, "userTotal")
        if total is None:
            amounts = [translate.money(one.fields, "amount") or translate.ZERO for one in existing]
            total = sum(amounts, translate.ZERO)
        if bill.is_edit:
            differences = [*bill_edits.differences(bill, record, pairs, own), *_edits_off_order(off_order, own)]
        else:
            on_lines = _line_differences(bill, pairs, existing, own)
            differences = [*self._header_differences(bill, record, total), *on_lines]
            for line, match in off_order:
                differences += line_differences(line, match, own)
        return PushedBill(
            erp_id=ErpId(record.id),
            document_id=document,
            payable_id=ErpId(record.id),
            total=total,
            revision=translate.revision(record),
            linked=all(match is not None and match.link == line.first.order_line for line, match in pairs),
            due_date=translate.optional_day(record, "dueDate"),
            differences=tuple(differences),
            snapshot=None if now is None else await self._snapshot(home, read, now, document),
        )

    async def _snapshot(
        self, home: str, records: Mapping[str, NsRecord | ErpError], now: datetime, pushed: str
    ) -> PurchaseOrderSnapshot | None:
        """Return the order as it is now. Without it the bill is pushed all the same; the order's own reading reports
        the problem."""
        try:
            return await self._orders.snapshot(home, records, now, new=pushed)
        except (NotFound, Rejected):
            return None

    def _header_differences(self, bill: BillToPush, record: NsRecord, total: Decimal) -> list[str]:
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
        differences = [
            f"{what}: sent {sent}, NetSuite has {existing or 'nothing'}"
            for what, sent, existing in pairs
            if sent != existing
        ]
        # A field that we left to NetSuite's defaults never counts as a difference.
        if bill.memo:
            differences += bill_edits.text_difference("the memo", bill.memo, wire.text(values, "memo"))
        return differences


def _edits_off_order(pairs: Sequence[tuple[AccountLineToPush, NsLine | None]], own: OwnFields) -> Iterator[str]:
    for line, match in pairs:
        if line.edited:
            yield from line_differences(line, match, own, only=line.edited)


def _line_differences(
    bill: BillToPush, pairs: Sequence[tuple[Line, NsLine | None]], existing: Sequence[NsLine], own: OwnFields
) -> list[str]:
    without_charges = len(pairs) + len(bill.account_lines)
    expected = without_charges + len(bill.charges)
    # A charge that got lost shows as a different total.
    if len(existing) not in (expected, without_charges):
        return [f"the number of lines: sent {expected}, NetSuite has {len(existing)}"]
    differences: list[str] = []
    for line, match in pairs:
        name = f"line {line.first.line_no}"
        if match is None:
            differences.append(f"{name}: NetSuite does not have it")
            continue
        result, sent = match.fields, line.first
        compared: list[tuple[str, Any, Any]] = [
            ("the amount", line.amount, translate.money(result, "amount")),
            ("the department", sent.department, wire.ref_id(result, "department")),
            ("the class", sent.class_id, wire.ref_id(result, "class")),
            ("the location", sent.location, wire.ref_id(result, "location")),
            ("the project", sent.project, wire.ref_id(result, "customer")),
        ]
        if not line.expense:
            compared.insert(0, ("the item", sent.item_id, wire.ref_id(result, "item")))
            shown = translate.optional_decimal(result, "quantity")
            if shown is not None and not is_same(line.quantity, shown, rounded=sent.order_quantity is not None):
                compared.insert(1, ("the quantity", line.quantity, shown))
        differences += [
            f"{name}, {what}: sent {mine}, NetSuite has {theirs or 'nothing'}"
            for what, mine, theirs in compared
            if mine not in (None, "") and mine != theirs
        ]
        if sent.description:
            said = wire.text(result, "memo" if line.expense else "description")
            differences += bill_edits.text_difference(f"{name}, the description", sent.description, said)
        differences += own_fields.differences(sent.line_no, sent.custom, result, own, whole=False)
    return differences
